/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole state of the log: see the header. */
#include "core/replica.h"

#include "base/hash.h"
#include "core/add.h"
#include "core/mbox_request.h"

/* ---- the parts ---- */

static int save_hosts(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    return hosts_save(&node->hosts, arena, state);
}

static uint64_t hash_hosts(const struct node *node)
{
    return hosts_hash(&node->hosts);
}

static int save_master(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    (void)arena;
    state->chain = node->chain;
    state->master = node->master;
    state->master_term = node->master_term;
    return 0;
}

static int restore_master(struct node *node, const struct wire_cmd_state *state)
{
    node->chain = state->chain;
    node->master = state->master;
    node->master_term = state->master_term;
    return 0;
}

static uint64_t hash_master(const struct node *node)
{
    return hash_number(hash_number(HASH_BEGIN, node->master), node->master_term);
}

static int save_lost(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    (void)arena;
    state->lost = (struct wire_lost_list){.count = node->lost.count, .items = node->lost.hosts};
    return 0;
}

static int restore_lost(struct node *node, const struct wire_cmd_state *state)
{
    lost_restore(&node->lost, &state->lost);
    return 0;
}

static uint64_t hash_lost(const struct node *node)
{
    uint64_t hash = HASH_BEGIN;
    for (size_t i = 0; i < node->lost.count; i++) {
        const struct wire_lost *lost = &node->lost.hosts[i];
        hash = hash_number(hash, lost->epoch);
        hash = hash_bytes(hash, lost->public_key.bytes, sizeof(lost->public_key.bytes));
    }
    return hash;
}

static int save_hostfile(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    (void)arena;
    state->hostfile_name = node->hostfile_name;
    state->hostfile_text =
        (struct wire_bytes){node->hostfile_text.data, node->hostfile_text.length};
    return 0;
}

static int restore_hostfile(struct node *node, const struct wire_cmd_state *state)
{
    if (node->hostfile_name)
        return 0; /* it never changes */
    struct slice text = slice_copy(state->hostfile_text.data, state->hostfile_text.length);
    node->hostfile_name = arena_format(&node->keep, "%s", state->hostfile_name);
    if ((state->hostfile_text.length && !text.buf) || !node->hostfile_name) {
        slice_drop(&text);
        return -1;
    }
    node->hostfile_text = text;
    return 0;
}

static uint64_t hash_hostfile(const struct node *node)
{
    return hash_bytes(HASH_BEGIN, node->hostfile_text.data,
                              node->hostfile_text.length);
}

static int save_applied(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    return applied_save(&node->commands.applied, arena, &state->applied);
}

static int restore_applied(struct node *node, const struct wire_cmd_state *state)
{
    return applied_restore(&node->commands.applied, &state->applied);
}

static uint64_t hash_applied(const struct node *node)
{
    return applied_hash(&node->commands.applied);
}

static int save_mboxes(const struct node *node, struct arena *arena, struct wire_cmd_state *state)
{
    return mboxes_save(&node->mboxes, arena, state);
}

static int restore_mboxes(struct node *node, const struct wire_cmd_state *state)
{
    return mboxes_restore(&node->mboxes, state);
}

static uint64_t hash_mboxes(const struct node *node)
{
    return mboxes_hash(&node->mboxes);
}

/* The hosts first: what comes after may look them up. */
static const struct replica_part parts[] = {
    {"hosts", save_hosts, NULL, hash_hosts}, /* restored apart, for the change */
    {"master", save_master, restore_master, hash_master},
    {"lost", save_lost, restore_lost, hash_lost},
    {"hostfile", save_hostfile, restore_hostfile, hash_hostfile},
    {"applied", save_applied, restore_applied, hash_applied},
    {"mailboxes", save_mboxes, restore_mboxes, hash_mboxes},
};

/* ---- commands ---- */

/* Of each host that left: its requests, what its tasks had, and by what it may knock again. */
static void forget_removed(struct node *node, const struct hosts_change *change)
{
    LIST_EACH(pos, following, &change->removed) {
        const struct wire_host *info = &HOST_OF(pos)->info;
        commands_host_removed(node, info->epoch);
        mboxes_host_gone(&node->mboxes, info->number, info->epoch);
        if (change->reason == REMOVAL_FAILED)
            lost_note(&node->lost, info->epoch, &info->public_key);
    }
    LIST_EACH(pos, following, &change->added)
        lost_forget_key(&node->lost, &HOST_ADDED(pos)->info.public_key);
}

static int apply(struct node *node, struct command_origin *origin, const struct message *command,
                 struct hosts_change *change)
{
    if (command->type == CMD_NOOP) {
        node->master = command->cmd_noop.leader;
        node->master_term = command->cmd_noop.term;
    }
    if (hosts_apply(&node->hosts, command, change) < 0 || mbox_apply(node, origin, command) < 0)
        return -1;
    return command->type == CMD_HOSTS_ADD ? added_answer(node, origin, &command->cmd_hosts_add)
                                          : 0;
}

int replica_apply(struct node *node, const struct message *command, struct hosts_change *change)
{
    struct command_origin origin;
    struct message inner;
    int open = commands_open(node, command, &origin, &inner);
    if (open <= 0)
        return open;
    if (apply(node, &origin, &inner, change) < 0 || commands_close(node, &origin) < 0)
        return -1;
    forget_removed(node, change); /* among them may be the one who asked for it */
    return 0;
}

/* ---- all of them ---- */

void replica_encode(const struct node *node, struct wr *wr)
{
    struct message message = {.type = CMD_STATE};
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].save(node, &arena, &message.cmd_state) < 0)
            wr->bad = true;
    }
    if (!wr->bad)
        message_encode(wr, &message);
    arena_fini(&arena);
}

int replica_restore(struct node *node, const struct wire_cmd_state *state,
                    struct hosts_change *change)
{
    if (hosts_restore(&node->hosts, state, change) < 0)
        return -1;
    forget_removed(node, change);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].restore && parts[i].restore(node, state) < 0)
            return -1;
    }
    return 0;
}

uint64_t replica_hash(const struct node *node)
{
    uint64_t hash = HASH_BEGIN;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        hash = hash_number(hash, parts[i].hash(node));
    return hash;
}
