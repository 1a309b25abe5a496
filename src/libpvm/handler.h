/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where message handlers of the program run (API-57, API-58). In which order: client/handlers.h.
 *
 * A safe point is where nothing of the library is half done: a handler may call anything, wait, and
 * leave the virtual machine. It runs without the lock.
 */
#ifndef LIBPVM_HANDLER_H
#define LIBPVM_HANDLER_H

#include "client/client.h"

/* A safe point: whoever has taken in messages comes here before it looks for one. The handlers for
 * what was delivered run. 0 or an error. */
int handler_safe_point(struct client *client);
/* The end of a call that may not have looked at what came, as a send: with handlers there, it does.
 * Returns |status|. */
int handler_poll(int status);
/* pvm_exit(): all go. */
void handler_clear(void);

#endif
