/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-27
 * The flags in PVMTASK, in decimal, octal and hex, are added to those of the call.
 */
#include "conf.h"

static void child(void)
{
    conf_take(-1, 1);
    int source;
    pvm_bufinfo(pvm_getrbuf(), NULL, NULL, &source);
    conf_send_int(source, 2, pvm_parent());
}

static void attempt(const char *value)
{
    int tid = 0;
    char *role[] = {"child", NULL};
    if (value)
        setenv("PVMTASK", value, 1);
    else
        unsetenv("PVMTASK");
    const int started = pvm_spawn(conf_program, role, PvmTaskDefault, NULL, 1, &tid);
    printf("PVMTASK=%s: %d", value ? value : "(unset)", started);
    if (started != 1) {
        printf(" %s\n", conf_name(tid));
        return;
    }
    conf_signal(tid, 1);
    const int parent = conf_take_int(tid, 2);
    printf(", parent %s\n", parent == pvm_mytid() ? "me" : conf_name(parent));
}

static void run(void)
{
    attempt(NULL);
    attempt("64");
    attempt("0x40");
    attempt("0100");
    attempt("0");
    attempt("1");
    attempt("");
    attempt("words");
    attempt(NULL);
}

CONF_MAIN(run, {"child", child})
