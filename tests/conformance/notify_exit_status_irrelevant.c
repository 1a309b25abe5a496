/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2
 * A notice comes whatever the way a task ends: return, exit code, signal, abort.
 */
#include "conf.h"

static void ends(void)
{
    conf_take(pvm_parent(), 1);
    switch (conf_argv[2][0]) {
    case 'r': return;
    case 'e': exit(3);
    case 'q': _exit(0);
    case 'a': abort();
    case 'k': raise(SIGKILL); break;
    case 's': raise(SIGSEGV); break;
    }
}

static void run(void)
{
    static char *ways[] = {"r", "e", "q", "a", "k", "s"};
    for (int i = 0; i < 6; i++) {
        char *arguments[] = {"ends", ways[i], NULL};
        int tid = 0;
        pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid);
        CODE(pvm_notify(PvmTaskExit, 5, 1, &tid));
        conf_signal(tid, 1);
        printf("%s: %s\n", ways[i], conf_take_int(-1, 5) == tid ? "told" : "another");
    }
}

CONF_MAIN(run, {"ends", ends})
