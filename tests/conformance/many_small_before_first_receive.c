/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-51 API-56
 * 10,000 small messages wait while the receiver does nothing; then all are there, in order.
 */
#include "conf.h"

enum { COUNT = 10000 };

static void sender(void)
{
    for (int i = 0; i < COUNT; i++)
        conf_send_int(pvm_parent(), 4, i);
    FILE *mark = fopen(conf_argv[2], "w");
    fclose(mark);
}

static void run(void)
{
    char mark[PATH_MAX];
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"sender", mark, NULL};
    int tid, wrong = 0;
    CODE(pvm_spawn(conf_program, arguments, PvmTaskDefault, NULL, 1, &tid));
    while (access(mark, F_OK) != 0)
        conf_pause_ms(2);
    unlink(mark);
    for (int i = 0; i < COUNT; i++)
        wrong += conf_take_int(tid, 4) != i;
    NUM(wrong);
    NUM(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"sender", sender})
