/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-56 API-51
 * Messages of two senders may mix, but each sender's own stay in order under a wildcard.
 */
#include "conf.h"

enum { COUNT = 1000, TAG = 5 };

static void sender(void)
{
    const int parent = pvm_parent();
    for (int i = 0; i < COUNT; i++)
        conf_send_int(parent, TAG, i);
}

static void run(void)
{
    int tids[2], next[2] = {0, 0}, wrong = 0;
    conf_spawn_many("sender", 2, tids);
    for (int i = 0; i < 2 * COUNT; i++) {
        int source, value = -1;
        pvm_bufinfo(conf_take(-1, TAG), NULL, NULL, &source);
        pvm_upkint(&value, 1, 1);
        const int who = source == tids[1];
        wrong += value != next[who]++;
    }
    NUM(wrong);
    NUM(next[0]);
    NUM(next[1]);
}

CONF_MAIN(run, {"sender", sender})
