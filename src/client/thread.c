/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose call it is, and the end of a thread (decision D14). */
#include "client/state.h"

void client_enter(struct client *client, struct client_thread *thread)
{
    client->thread = thread ? thread : &client->main_thread;
    if (!thread || thread->is_listed)
        return;
    thread->is_listed = true;
    thread->next = client->threads;
    client->threads = thread;
}

static void take_from(struct client_thread *thread, int mid)
{
    if (thread->send_mid == mid)
        thread->send_mid = 0;
    if (thread->receive_mid == mid)
        thread->receive_mid = 0;
}

void thread_take_slow(struct client *client, int mid)
{
    if (client->thread != &client->main_thread)
        take_from(&client->main_thread, mid);
    for (struct client_thread *thread = client->threads; thread; thread = thread->next)
        if (thread != client->thread)
            take_from(thread, mid);
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
    struct client_thread **link = &client->threads;
    while (*link && *link != thread)
        link = &(*link)->next;
    if (*link)
        *link = thread->next;
    *thread = (struct client_thread){0};
    client_enter(client, NULL);
}
