/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * timeout: 90
 * unshared: a sender to another host waits for credit (decision 12)
 * A task that makes no PVM call for a while is sent 300 MB; the sender gets done without it.
 */
#include "conf.h"

enum { PIECES = 75, PIECE_BYTES = 4 * 1024 * 1024 };

static void sleeper(void)
{
    int wrong = 0, bytes;
    const int parent = pvm_parent();
    char *piece = malloc(PIECE_BYTES);
    conf_signal(parent, 1);
    while (access(conf_argv[2], F_OK) != 0)
        conf_pause_ms(2);
    for (int i = 0; i < PIECES; i++) {
        pvm_bufinfo(conf_take(parent, 2), &bytes, NULL, NULL);
        pvm_upkbyte(piece, PIECE_BYTES, 1);
        wrong += bytes != PIECE_BYTES || piece[0] != (char)i || piece[PIECE_BYTES - 1] != (char)i;
    }
    conf_send_int(parent, 3, wrong);
    free(piece);
}

static void run(void)
{
    char mark[PATH_MAX];
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"sleeper", mark, NULL};
    char *piece = malloc(PIECE_BYTES);
    int tid;
    CODE(pvm_spawn(conf_program, arguments, PvmTaskDefault, NULL, 1, &tid));
    conf_take(tid, 1);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i, PIECE_BYTES);
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte(piece, PIECE_BYTES, 1);
        if (pvm_send(tid, 2) != 0)
            conf_fail("send %d", i);
    }
    printf("all sent before the first receive\n");
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    NUM(conf_take_int(tid, 3));
    unlink(mark);
    free(piece);
}

CONF_MAIN(run, {"sleeper", sleeper})
