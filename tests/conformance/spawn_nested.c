/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-5 API-26
 * Each task spawns two more, three levels deep; every leaf reports to the root.
 */
#include "conf.h"

static void node(void)
{
    const int level = atoi(conf_argv[2]), root = atoi(conf_argv[3]);
    char next[16];
    snprintf(next, sizeof next, "%d", level - 1);
    char *arguments[] = {"node", next, conf_argv[3], NULL};
    if (level == 0)
        conf_send_int(root, 1, 1);
    else
        pvm_spawn(conf_program, arguments, 0, NULL, 2, NULL);
}

static void run(void)
{
    char root[16];
    int leaves = 0;
    snprintf(root, sizeof root, "%d", pvm_mytid());
    char *arguments[] = {"node", "2", root, NULL};
    CODE(pvm_spawn(conf_program, arguments, 0, NULL, 2, NULL));
    for (int i = 0; i < 8; i++)
        leaves += conf_take_int(-1, 1);
    NUM(leaves);
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"node", node})
