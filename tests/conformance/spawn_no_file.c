/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26 API-30
 * A program that is not on the path, a directory, a plain file: PvmNoFile for each copy.
 */
#include "conf.h"

static void attempt(const char *what, const char *file, int count)
{
    int tids[3] = {77, 77, 77};
    const int started = pvm_spawn((char *)file, NULL, 0, NULL, count, tids);
    printf("%s: %d", what, started);
    for (int i = 0; i < count; i++)
        printf(" %s", conf_name(tids[i]));
    printf("\n");
}

static void run(void)
{
    char plain[PATH_MAX];
    close(conf_temporary(plain));
    attempt("unknown name", "no-such-program", 3);
    attempt("absolute", "/no/such/program", 1);
    attempt("relative", "./no-such-program", 1);
    attempt("directory", "/tmp", 1);
    attempt("not executable", plain, 1);
    attempt("empty", "", 1);
    chmod(plain, 0070);
    attempt("executable by the group only", plain, 1);
    unlink(plain);
}

CONF_MAIN(run)
