/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-3 CONV-4 CONV-5
 * The line each failing call prints by itself, by function.
 */
#include "conf.h"

#define SHOW(expression)                                                                           \
    do {                                                                                           \
        conf_errors_begin();                                                                       \
        const int code = (expression);                                                             \
        conf_errors_end(#expression);                                                              \
        printf("  %s, pvm_errno %d\n", conf_name(code), pvm_errno);                                \
    } while (0)

static void run(void)
{
    struct timeval t;
    pvm_mytid();
    SHOW(pvm_mkbuf(9));
    SHOW(pvm_freebuf(-1));
    SHOW(pvm_setsbuf(-1));
    SHOW(pvm_setrbuf(9999));
    SHOW(pvm_send(-1, 1));
    SHOW(pvm_mcast(NULL, -1, 1));
    SHOW(pvm_spawn("x", NULL, 0, NULL, 0, NULL));
    SHOW(pvm_spawn("no-such-program", NULL, 0, NULL, 1, NULL));
    SHOW(pvm_pstat(-1));
    SHOW(pvm_pstat(0x140001));
    SHOW(pvm_mstat(""));
    SHOW(pvm_mstat("no-such-host"));
    SHOW(pvm_sendsig(-1, 1));
    SHOW(pvm_kill(-1));
    SHOW(pvm_notify(99, 1, 1, &(int){1}));
    SHOW(pvm_hostsync(0x140000, &t, &t));
    SHOW(pvm_archcode("NOSUCHARCH"));
    SHOW(pvm_addhosts(NULL, 0, NULL));
    SHOW(pvm_delhosts(NULL, 0, NULL));
    SHOW(pvm_setopt(99, 1));
    SHOW(pvm_getopt(99));
    SHOW(pvm_parent());
    SHOW(pvm_bufinfo(-1, NULL, NULL, NULL));
    SHOW(pvm_packf("%d", 1));
    SHOW(pvm_precv(-1, -1, NULL, 1, PVM_STR, NULL, NULL, NULL));
    SHOW(pvm_psend(1, 1, NULL, 1, 99));
}

CONF_MAIN(run)
