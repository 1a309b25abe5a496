/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h by PVM calls, for this project and for the original alike: the same binary, and
 * LD_LIBRARY_PATH says whose library it gets. With BENCH_DIRECT in the environment it asks for
 * direct routes first, without which the original sends everything through its daemon.
 */
#include "world.h"

#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAG_TIDS = 1 << 20, PATH_BYTES = 4096, LOCAL_MASK = 0x3ffff };

static int tids[WORLD_MAX];
static short rank_by_local[LOCAL_MASK + 1];
static int is_psend, is_xdr, encoding;

static int must(int result, const char *call)
{
    if (result < 0) {
        fprintf(stderr, "%s: %d\n", call, result);
        exit(1);
    }
    return result;
}

static void mode_set(const char *mode)
{
    is_psend = strcmp(mode, "psend") == 0;
    is_xdr = strcmp(mode, "xdr") == 0;
    encoding = strcmp(mode, "raw") == 0       ? PvmDataRaw
               : strcmp(mode, "inplace") == 0 ? PvmDataInPlace
                                              : PvmDataDefault;
}

static void others_start(char **argv, int size)
{
    char path[PATH_BYTES];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0) {
        perror("/proc/self/exe");
        exit(1);
    }
    path[length] = '\0';
    tids[0] = pvm_mytid();
    const int started = pvm_spawn(path, argv + 1, PvmTaskDefault, "", size - 1, tids + 1);
    if (started < size - 1) {
        fprintf(stderr, "%d of %d tasks started\n", started, size - 1);
        exit(1);
    }
    must(pvm_initsend(PvmDataDefault), "pvm_initsend");
    must(pvm_pkint(tids, size, 1), "pvm_pkint");
    must(pvm_mcast(tids + 1, size - 1, TAG_TIDS), "pvm_mcast");
}

int world_open(int argc, char **argv, int size, const char *mode)
{
    (void)argc;
    mode_set(mode);
    const int me = must(pvm_mytid(), "pvm_mytid");
    const int parent = pvm_parent();
    if (getenv("BENCH_DIRECT"))
        pvm_setopt(PvmRoute, PvmRouteDirect);
    if (parent < 0) {
        others_start(argv, size);
    } else {
        must(pvm_recv(parent, TAG_TIDS), "pvm_recv");
        must(pvm_upkint(tids, size, 1), "pvm_upkint");
    }
    int rank = 0;
    for (int i = 0; i < size; i++) {
        rank_by_local[tids[i] & LOCAL_MASK] = (short)i;
        if (tids[i] == me)
            rank = i;
    }
    return rank;
}

void world_close(void)
{
    pvm_exit();
}

void world_put(int to, int tag, const void *bytes, size_t size)
{
    void *const data = (void *)bytes; /* the interface knows no const */
    if (is_psend) {
        must(pvm_psend(tids[to], tag, data, (int)size, PVM_BYTE), "pvm_psend");
        return;
    }
    must(pvm_initsend(encoding), "pvm_initsend");
    if (is_xdr)
        must(pvm_pkint(data, (int)(size / sizeof(int)), 1), "pvm_pkint");
    else
        must(pvm_pkbyte(data, (int)size, 1), "pvm_pkbyte");
    must(pvm_send(tids[to], tag), "pvm_send");
}

int world_get(int from, int tag, void *bytes, size_t size)
{
    const int tid = from == WORLD_ANY ? -1 : tids[from];
    int source = tid;
    if (is_psend) {
        must(pvm_precv(tid, tag, bytes, (int)size, PVM_BYTE, &source, NULL, NULL), "pvm_precv");
        return rank_by_local[source & LOCAL_MASK];
    }
    const int id = must(pvm_recv(tid, tag), "pvm_recv");
    if (is_xdr)
        must(pvm_upkint(bytes, (int)(size / sizeof(int)), 1), "pvm_upkint");
    else
        must(pvm_upkbyte(bytes, (int)size, 1), "pvm_upkbyte");
    if (from == WORLD_ANY)
        must(pvm_bufinfo(id, NULL, NULL, &source), "pvm_bufinfo");
    return rank_by_local[source & LOCAL_MASK];
}

void world_put_many(int to, int tag, const void *bytes, size_t size, int count)
{
    for (int i = 0; i < count; i++)
        world_put(to, tag, bytes, size);
}

void world_get_many(int from, int tag, void *bytes, size_t size, int count)
{
    for (int i = 0; i < count; i++)
        world_get(from, tag, bytes, size);
}
