/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26 API-28
 * hosts: its output tells their number
 * Hosts and architectures that do not exist, complements that leave nothing.
 */
#include "conf.h"

static void attempt(const char *what, int flags, const char *where, int count)
{
    int tids[3] = {77, 77, 77};
    char *role[] = {"child", NULL};
    const int started = pvm_spawn(conf_program, role, flags, (char *)where, count, tids);
    printf("%s: %d", what, started);
    for (int i = 0; i < count; i++)
        printf(" %s", tids[i] > 0 ? "started" : conf_name(tids[i]));
    printf("\n");
    for (int i = 0; i < started; i++)
        conf_take(-1, 1);
}

static void child(void)
{
    conf_signal(pvm_parent(), 1);
}

static void run(void)
{
    struct pvmhostinfo *table;
    pvm_config(NULL, NULL, &table);
    attempt("unknown host", PvmTaskHost, "no-such-host", 2);
    attempt("empty host", PvmTaskHost, "", 1);
    attempt("NULL host", PvmTaskHost, NULL, 1);
    attempt("dot", PvmTaskHost, ".", 2);
    attempt("by name", PvmTaskHost, table[0].hi_name, 1);
    attempt("unknown arch", PvmTaskArch, "NOARCH", 2);
    attempt("empty arch", PvmTaskArch, "", 1);
    attempt("arch", PvmTaskArch, table[0].hi_arch, 2);
    attempt("dot as arch", PvmTaskArch, ".", 1);
    attempt("name without flag", 0, "no-such-host", 1);
    attempt("all but the only host", PvmTaskHost | PvmHostCompl, ".", 1);
    attempt("all but an unknown host", PvmTaskHost | PvmHostCompl, "no-such-host", 1);
    attempt("all but an arch", PvmTaskArch | PvmHostCompl, table[0].hi_arch, 1);
    attempt("all but an unknown arch", PvmTaskArch | PvmHostCompl, "NOARCH", 1);
    attempt("complement of anything", PvmHostCompl, NULL, 1);
    attempt("host and arch", PvmTaskHost | PvmTaskArch, ".", 1);
    attempt("unknown flag bits", 1024, NULL, 1);
    attempt("trace flag", PvmTaskTrace, NULL, 1);
    attempt("front flag", PvmMppFront, NULL, 1);
}

CONF_MAIN(run, {"child", child})
