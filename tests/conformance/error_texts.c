/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-22 CST-2
 * The text of every code by pvm_strerror, and the exported table.
 */
#include "conf.h"

extern char *pvm_errlist[];
extern int pvm_nerr;

static void run(void)
{
    for (int code = 2; code >= -45; code--) {
        pvm_errno = code;
        printf("%d: %s\n", code, pvm_strerror());
    }
    pvm_errno = INT_MIN + 1;
    puts(pvm_strerror());
    NUM(pvm_nerr);
    for (int i = 0; i < pvm_nerr; i++)
        printf("%d: %s\n", i, pvm_errlist[i]);
}

CONF_MAIN(run)
