/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 API-47 D14
 * What a task sent is delivered also when it ends without pvm_exit; the original may lose it.
 */
#include "conf.h"

static void leaves(void)
{
    for (int i = 0; i < 300; i++)
        conf_send_int(pvm_parent(), 1, i);
    pvm_exit();
}

static void ends(void)
{
    for (int i = 0; i < 300; i++)
        conf_send_int(pvm_parent(), 2, i);
    exit(0);
}

static void run(void)
{
    int wrong = 0;
    const int first = conf_spawn("leaves"), second = conf_spawn("ends");
    conf_wait_gone(first);
    conf_wait_gone(second);
    for (int i = 0; i < 300; i++)
        wrong += conf_take_int(second, 2) != i;
    for (int i = 0; i < 300; i++)
        wrong += conf_take_int(first, 1) != i;
    NUM(wrong);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"leaves", leaves}, {"ends", ends})
