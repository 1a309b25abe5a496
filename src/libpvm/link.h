/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket to the daemon: frames out of the client layer's outbox, frames into it. */
#ifndef LIBPVM_LINK_H
#define LIBPVM_LINK_H

#include "libpvm/xport.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct link {
    struct xport *xport; /* NULL = no daemon */
    struct frame held;   /* came, and there was no memory to take it in */
    bool has_held;
};
extern struct link task_link;

/* Takes in what has come. 1 = something did, 0, or an error; after PvmSysErr the link is lost and
 * what came before its end was taken in. */
int link_pump(struct client *client);
/* Sends what goes without waiting. 0 or an error, as above. */
int link_push(struct client *client);
/* Closes; what was held is dropped. */
void link_close(struct xport *xport);
int link_descriptor(void);

#pragma GCC visibility pop

#endif
