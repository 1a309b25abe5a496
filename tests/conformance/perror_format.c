/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-21 CONV-4
 * What pvm_perror writes before and after joining, with odd texts and codes.
 */
#include "conf.h"

static void attempt(int code, const char *text)
{
    static char printed[4096];
    pvm_errno = code;
    conf_errors_begin();
    const int result = pvm_perror((char *)text);
    conf_errors_end_into(printed, sizeof printed);
    conf_print_masked("printed", printed, pvm_mytid());
    CODE(result);
}

static void run(void)
{
    attempt(PvmNoFile, "before");
    pvm_mytid();
    attempt(PvmNoFile, "text");
    attempt(PvmNoFile, "");
    attempt(PvmNoFile, NULL);
    attempt(0, "zero");
    attempt(5, "positive");
    attempt(-1, "unused");
    attempt(-36, "last");
    attempt(-37, "beyond");
    attempt(-1000, "far");
}

CONF_MAIN(run)
