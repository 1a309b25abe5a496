/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-5 CONV-5
 * A process started by hand has no parent; that is not printed and leaves pvm_errno alone.
 */
#include "conf.h"

static void run(void)
{
    pvm_mytid();
    pvm_errno = 5;
    conf_errors_begin();
    const int parent = pvm_parent();
    conf_errors_end("printed");
    CODE(parent);
    NUM(pvm_errno);
}

CONF_MAIN(run)
