/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-56
 * Messages sent to a spawned task before it joins wait for it.
 */
#include "conf.h"

static void child(void)
{
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (access(conf_argv[2], F_OK) != 0 && conf_now_s() < limit_s)
        conf_pause_ms(2);
    int sum = 0;
    for (int i = 1; i <= 50; i++)
        sum += conf_take_int(pvm_parent(), i % 4) == i;
    conf_send_int(pvm_parent(), 9, sum);
}

static void run(void)
{
    char mark[PATH_MAX];
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"child", mark, NULL};
    int tid = 0;
    CODE(pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid));
    for (int i = 1; i <= 50; i++)
        conf_send_int(tid, i % 4, i);
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    NUM(conf_take_int(tid, 9));
    unlink(mark);
}

CONF_MAIN(run, {"child", child})
