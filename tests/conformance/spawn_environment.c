/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-25 API-31
 * The child's environment: the daemon's and the exported names, nothing else of the spawner's.
 */
#include "conf.h"

static const char *const names[] = {"CONF_PLAIN", "CONF_EXPORTED", "CONF_EMPTY", "CONF_ABSENT",
                                    "PVM_EXPORT", "PVM_ARCH", "PVMCTX", "PVMTRCBUF", "PVMTRCOPT"};

static void child(void)
{
    pvm_initsend(PvmDataDefault);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        pvm_pkstr(getenv(names[i]) ? getenv(names[i]) : "(unset)");
    pvm_packf("%d%d%d", getenv("PVMEPID") != NULL, getenv("PVMTMASK") != NULL,
              getenv("HOME") != NULL);
    pvm_send(pvm_parent(), 1);
}

static void show(void)
{
    char text[4096];
    int present[3];
    conf_take(conf_spawn("child"), 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pvm_upkstr(text);
        printf("%s=%s\n", names[i], text);
    }
    pvm_upkint(present, 3, 1);
    printf("cookie %d, mask %d, home %d\n", present[0], present[1], present[2]);
}

static void run(void)
{
    setenv("CONF_PLAIN", "plain", 1);
    setenv("CONF_EXPORTED", "a value: with = signs", 1);
    setenv("CONF_EMPTY", "", 1);
    show();
    pvm_export("CONF_EXPORTED");
    pvm_export("CONF_EMPTY");
    pvm_export("CONF_ABSENT");
    show();
    pvm_unexport("CONF_EXPORTED");
    pvm_unexport("CONF_EMPTY");
    pvm_unexport("CONF_ABSENT");
    show();
}

CONF_MAIN(run, {"child", child})
