/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 API-35 QRK-13
 * Leaving after collecting output complains about nothing.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    FILE *sink = tmpfile();
    static char text[4096];
    pvm_setopt(PvmShowTids, 0);
    pvm_catchout(sink);
    conf_wait_gone(conf_spawn("child"));
    conf_errors_begin();
    pvm_exit();
    conf_errors_end_into(text, sizeof text);
    conf_print_masked("printed", text, 0);
}

CONF_MAIN(run, {"child", child})
