/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-56
 * A ring of four tasks passes a counter 200 times round; each hop adds one.
 */
#include "conf.h"

static void member(void)
{
    const int parent = pvm_parent();
    const int next = conf_take_int(parent, 1);
    for (int i = 0; i < 200; i++)
        conf_send_int(next, 2, conf_take_int(-1, 2) + 1);
}

static void run(void)
{
    int tids[4];
    conf_spawn_many("member", 4, tids);
    for (int i = 0; i < 4; i++)
        conf_send_int(tids[i], 1, i < 3 ? tids[i + 1] : pvm_mytid());
    int value = 0;
    for (int i = 0; i < 200; i++) {
        conf_send_int(tids[0], 2, value);
        value = conf_take_int(tids[3], 2);
    }
    NUM(value);
}

CONF_MAIN(run, {"member", member})
