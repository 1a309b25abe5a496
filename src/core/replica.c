/* SPDX-License-Identifier: BSD-3-Clause */
/* What the log makes, as a whole: see the header. */
#include "core/replica.h"

#include "core/mbox_request.h"

/* Of each host that left: its requests, and what its tasks had. */
static void forget_removed(struct node *node, const struct hosts_change *change)
{
    LIST_EACH(pos, following, &change->removed) {
        const struct wire_host *info = &HOST_OF(pos)->info;
        commands_host_removed(node, info->epoch);
        mboxes_host_gone(&node->mboxes, info->number, info->epoch);
    }
}

int replica_apply(struct node *node, const struct message *command, struct hosts_change *change)
{
    struct command_origin origin;
    struct message inner;
    int open = commands_open(node, command, &origin, &inner);
    if (open <= 0)
        return open;
    if (hosts_apply(&node->hosts, &inner, change) < 0 || mbox_apply(node, &origin, &inner) < 0 ||
        commands_close(node, &origin) < 0)
        return -1;
    forget_removed(node, change); /* among them may be the one who asked for it */
    return 0;
}

int replica_restore(struct node *node, const struct wire_cmd_state *state,
                    struct hosts_change *change)
{
    if (hosts_restore(&node->hosts, state, change) < 0)
        return -1;
    forget_removed(node, change);
    return applied_restore(&node->commands.applied, &state->applied) < 0
               ? -1
               : mboxes_restore(&node->mboxes, state);
}

void replica_restored(struct node *node)
{
    commands_restored(node);
}

void replica_encode(const struct node *node, struct wr *wr)
{
    struct arena arena;
    struct message message = {.type = CMD_STATE};
    struct wire_cmd_state *state = &message.cmd_state;
    arena_init(&arena);
    if (hosts_save(&node->hosts, &arena, state) < 0 ||
        applied_save(&node->commands.applied, &arena, &state->applied) < 0 ||
        mboxes_save(&node->mboxes, &arena, state) < 0)
        wr->bad = true;
    else
        message_encode(wr, &message);
    arena_fini(&arena);
}
