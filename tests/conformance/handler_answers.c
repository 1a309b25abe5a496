/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58 CONV-9
 * A task that waits for something else answers by a handler, at length too.
 */
#include "conf.h"

enum { QUESTIONS = 10, LARGE = 200000 };

static int answers;

static int answer(int mid)
{
    int from, size = 0;
    static char bytes[LARGE];
    pvm_bufinfo(mid, NULL, NULL, &from);
    pvm_upkint(&size, 1, 1);
    pvm_initsend(PvmDataRaw);
    pvm_pkint(&size, 1, 1);
    pvm_pkbyte(bytes, size, 1);
    if (pvm_send(from, 8) < 0)
        printf("cannot answer\n");
    answers++;
    return 0;
}

static void child(void)
{
    int right = 0;
    for (int i = 0; i < QUESTIONS; i++)
        conf_send_int(pvm_parent(), 7, i % 5 == 0 ? LARGE : i);
    for (int i = 0; i < QUESTIONS; i++) {
        int bytes;
        right += conf_take_int(pvm_parent(), 8) == (i % 5 == 0 ? LARGE : i);
        pvm_bufinfo(pvm_getrbuf(), &bytes, NULL, NULL);
        right += bytes == (i % 5 == 0 ? LARGE : i) + 4;
    }
    conf_send_int(pvm_parent(), 9, right);
}

static void run(void)
{
    YES(pvm_addmhf(-1, 7, -1, answer) > 0);
    int tids[3];
    conf_spawn_many("child", 3, tids);
    for (int i = 0; i < 3; i++)
        NUM(conf_take_int(tids[i], 9));
    NUM(answers);
}

CONF_MAIN(run, {"child", child})
