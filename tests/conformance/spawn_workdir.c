/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-28 API-31
 * The working directory: the daemon's, an absolute, a relative, one that cannot be entered.
 */
#include "conf.h"

static void child(void)
{
    static char directory[4096], real[PATH_MAX];
    const char *given = getenv("PVMSPAWNWD");
    if (!getcwd(directory, sizeof directory) || !realpath(directory, real))
        snprintf(real, sizeof real, "?");
    pvm_initsend(PvmDataDefault);
    pvm_packf("%s%s", real, given && *given ? given : "(none)");
    pvm_send(pvm_parent(), 1);
}

static void attempt(int flags, const char *where, const char *base)
{
    static char directory[4096], given[4096];
    char *role[] = {"child", NULL};
    int tid = 0;
    const int started = pvm_spawn(conf_program, role, flags, (char *)where, 1, &tid);
    if (started != 1) {
        printf("'%s': %s\n", where, conf_name(tid));
        return;
    }
    conf_take(tid, 1);
    pvm_unpackf("%s%s", directory, given);
    const size_t length = strlen(base);
    printf("'%s': %s%s, given %s\n", where, strncmp(directory, base, length) ? "" : "<base>",
           strncmp(directory, base, length) ? directory : directory + length, given);
}

static void run(void)
{
    static char base[4096];
    int tid = 0;
    char *role[] = {"child", NULL};
    pvm_spawn(conf_program, role, 0, NULL, 1, &tid);
    conf_take(tid, 1);
    pvm_unpackf("%s", base);
    mkdir("below", 0755);
    attempt(0, "", base);
    attempt(0, ":", base);
    attempt(0, ":/", base);
    attempt(0, ":/usr/lib", base);
    attempt(0, "ignored:/usr", base);
    attempt(PvmTaskHost, ".:/usr", base);
    attempt(PvmTaskHost, ".:/no/such/directory", base);
    attempt(0, ":below", base);
    attempt(0, ":./below/..", base);
    attempt(PvmTaskArch, "LINUX64:/usr", base);
    attempt(0, ":/usr:more", base);
    rmdir("below");
}

CONF_MAIN(run, {"child", child})
