/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A new host goes to the background: the process that was started stays in front of it, for whoever
 * started it to see, until the daemon behind it says that it may end (DMN-4).
 *
 * One that is held (-w) stays until the daemon is a host, and looks at its stdout meanwhile: when
 * the other end of that is closed, the starter is gone (a master that died; an ssh that was ended),
 * nobody will make a host of this daemon, and it has to end and free its name. So the daemon sees
 * the end of the process in front of it, by whatever, and knows.
 */
#ifndef PVMD_STARTING_H
#define PVMD_STARTING_H

#include <stdbool.h>

enum starting_word {
    STARTING_STANDS = 's', /* all was printed: the end of one that is not held */
    STARTING_IS_HOST = 'h'
};

/* Forks; the child returns, in a session of its own, with a socket to the parent, which never
 * returns: its exit status is 0 when the last word that it waited for came. -1: it could not. */
int starting_fork(bool is_held);
void starting_say(int fd, enum starting_word word);

#endif
