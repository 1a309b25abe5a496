/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of mailboxes: see the header. */
#include "core/mbox_request.h"

bool mbox_restored(struct node *node, struct command_origin *origin)
{
    (void)node;
    (void)origin;
    return false;
}
