/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose call it is, and the end of a thread (decision D14). */
#include "client/state.h"

void client_enter(struct client *client, struct client_thread *thread)
{
    client->thread = thread ? thread : &client->main_thread;
}

/* A message that was only looked at (pvm_probe) still waits for its receiver. */
static void active_free(struct client *client, int mid)
{
    struct msg *msg = bufs_find(client, mid);
    if (msg && !msg->is_queued)
        bufs_release(client, msg);
}

void client_thread_end(struct client *client, struct client_thread *thread)
{
    client_enter(client, thread);
    active_free(client, thread->receive_mid);
    active_free(client, thread->send_mid);
    *thread = (struct client_thread){0};
    client_enter(client, NULL);
}
