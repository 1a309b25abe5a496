/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2 D4
 * Workers that send and end at once: the notice of the end is never seen before the last message.
 */
#include "conf.h"

enum { ROUNDS = 100, COUNT = 20 };

static void worker(void)
{
    for (int i = 0; i < COUNT; i++)
        conf_send_int(pvm_parent(), 1, i);
    if (conf_argv[2][0] == 'e')
        _exit(0);
}

static void run(void)
{
    int early = 0, missing = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char *arguments[] = {"worker", round % 2 ? "exit" : "leave", NULL};
        int tid = 0, got = 0, tag = 0;
        pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid);
        pvm_notify(PvmTaskExit, 2, 1, &tid);
        do {
            pvm_bufinfo(conf_take(-1, -1), NULL, &tag, NULL);
            got += tag == 1;
        } while (tag != 2);
        early += got < COUNT;
        while (conf_take_within(-1, 1, 0.001) > 0)
            missing--;
    }
    NUM(early);
    NUM(missing);
}

CONF_MAIN(run, {"worker", worker})
