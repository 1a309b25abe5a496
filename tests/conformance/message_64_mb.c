/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-51 API-41
 * A 64 MB raw message arrives whole; every byte is checked.
 */
#include "conf.h"

enum { SIZE_BYTES = 64 * 1024 * 1024 };

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 16));
}

static void sender(void)
{
    char *data = malloc(SIZE_BYTES);
    for (size_t i = 0; i < SIZE_BYTES; i++)
        data[i] = (char)byte_at(i);
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(data, SIZE_BYTES, 1);
    pvm_send(pvm_parent(), 3);
    free(data);
}

static void run(void)
{
    int bytes = 0;
    const int tid = conf_spawn("sender");
    pvm_bufinfo(conf_take(tid, 3), &bytes, NULL, NULL);
    unsigned char *data = malloc(SIZE_BYTES);
    CODE(pvm_upkbyte((char *)data, SIZE_BYTES, 1));
    size_t wrong = 0;
    for (size_t i = 0; i < SIZE_BYTES; i++)
        wrong += data[i] != byte_at(i);
    NUM(bytes);
    NUM(wrong);
    CODE(pvm_upkbyte((char *)data, 1, 1));
    free(data);
}

CONF_MAIN(run, {"sender", sender})
