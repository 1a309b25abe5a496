/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tries to send a message of 2 GiB, made of the same memory packed in place again and again. Prints
 * the code that packing or sending gives, in words; the status is 0 only if that was an error and
 * a small message goes through afterwards.
 */
#include <pvm3.h>

#include <stdio.h>
#include <stdlib.h>

enum { PIECE_BYTES = 128 * 1024 * 1024, PIECES = 16 };

int main(void)
{
    char *piece = calloc(1, PIECE_BYTES);
    int code = 0, number = 7;
    int tid = pvm_mytid();
    if (tid < 0 || !piece)
        return 2;
    pvm_initsend(PvmDataInPlace);
    for (int i = 0; i < PIECES && code == 0; i++)
        code = pvm_pkbyte(piece, PIECE_BYTES, 1);
    if (code == 0)
        code = pvm_send(tid, 1);
    printf("code %d: %s\n", code, pvm_strerror());
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&number, 1, 1);
    pvm_send(tid, 2);
    int after = pvm_recv(tid, 2);
    pvm_exit();
    free(piece);
    return code < 0 && after > 0 ? 0 : 1;
}
