/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to hosts that are yet to come: see the header. */
#include "core/early.h"

#include "base/mem.h"
#include "core/route.h"

struct early_frame {
    struct list link;
    struct frame frame;
};

bool early_may_come(const struct node *node, uint32_t tid)
{
    return tid_host_number(tid) > node->hosts.last_number;
}

int early_ask(struct node *node, const struct command_ask *ask, uint32_t tid)
{
    struct message barrier = {.type = CMD_BARRIER, .cmd_barrier = {.subject = tid}};
    return command_ask(node, ask, &barrier);
}

bool early_hold(struct node *node, const struct frame *frame)
{
    const uint64_t bytes = FRAME_HEADER_BYTES + frame->body.length;
    if (!early_may_come(node, frame->destination) || node->early_bytes + bytes > EARLY_BYTES_MAX)
        return false;
    struct early_frame *early = mem_calloc(1, sizeof(*early));
    if (!early) {
        node_fatal(node, "no memory for a frame to a host that is yet to come");
        return true;
    }
    early->frame = frame_hold(frame);
    list_push_back(&node->early, &early->link);
    node->early_bytes += bytes;
    return true;
}

static void early_take(struct node *node, struct early_frame *early)
{
    list_remove(&early->link);
    node->early_bytes -= FRAME_HEADER_BYTES + early->frame.body.length;
}

static void early_destroy(struct early_frame *early)
{
    frame_drop(&early->frame);
    mem_free(early);
}

void early_release(struct node *node)
{
    LIST_EACH(pos, following, &node->early)
    {
        struct early_frame *early = LIST_ENTRY(pos, struct early_frame, link);
        if (early_may_come(node, early->frame.destination))
            continue;
        early_take(node, early);
        route_frame(node, &early->frame);
        early_destroy(early);
    }
}

void early_fini(struct node *node)
{
    LIST_EACH(pos, following, &node->early)
    {
        struct early_frame *early = LIST_ENTRY(pos, struct early_frame, link);
        early_take(node, early);
        early_destroy(early);
    }
}
