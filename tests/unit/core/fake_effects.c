/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiny shell for tests of the core, what nodes want done: see fake.h. */
#include "fake_inside.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void to_peer(struct fake *fake, int from, const struct effect *effect, enum event_kind kind)
{
    int to = fake_index_of(fake, effect->peer);
    if (to < 0)
        return;
    struct fake_item *item = fake_push(fake, to, kind);
    const struct fake_node *node = &fake->nodes[from];
    int at = fake_known_at(node, effect->peer);
    item->event.peer = at >= 0 ? node->self[at] : node->epoch;
    item->as = effect->peer;
    item->event.bytes = slice_hold(effect->bytes);
    item->event.frame = frame_hold(&effect->frame);
}

static void perform_peer(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_node *node = &fake->nodes[index];
    int at = fake_known_at(node, effect->peer);
    if (effect->kind == EFFECT_PEER_ADD && at < 0) {
        node->known[node->known_count] = effect->peer;
        node->self[node->known_count] = effect->self;
        node->psk_epoch[node->known_count++] = effect->psk_epoch;
    } else if (effect->kind == EFFECT_PEER_PSK && at >= 0) {
        node->psk_epoch[at] = effect->psk_epoch;
    } else if (effect->kind == EFFECT_PEER_REMOVE && at >= 0) {
        uint64_t self = node->self[at];
        node->known[at] = node->known[--node->known_count];
        node->self[at] = node->self[node->known_count];
        node->psk_epoch[at] = node->psk_epoch[node->known_count];
        int other = fake_index_of(fake, effect->peer);
        if (effect->flag && other >= 0 && fake_known_at(&fake->nodes[other], self) >= 0 &&
            !fake->nodes[other].is_cut && !node->is_cut) {
            struct fake_item *down = fake_push(fake, other, EVENT_PEER_DOWN);
            down->event.peer = self;
            down->event.text = "it said goodbye";
        }
    }
}

static void perform_reset(struct fake *fake, int index, const struct effect *effect)
{
    int from = fake_index_of(fake, effect->origin.peer);
    fake->nodes[index].resets++;
    if (from < 0)
        return;
    struct fake_item *item = fake_push(fake, from, EVENT_PEER_RESET);
    item->event.peer = fake->nodes[index].epoch;
    item->event.source = effect->origin.source;
    item->event.destination = effect->origin.destination;
}

static void conn_got(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_task *task = fake_task_of_conn(fake, effect->conn);
    uint64_t bytes = FRAME_HEADER_BYTES + effect->frame.body.length;
    if (!task || !task->is_open)
        return;
    if (effect->frame.kind == FRAME_CONTROL) {
        task->answers = realloc(task->answers, (task->answer_count + 1) * sizeof(*task->answers));
        task->answers[task->answer_count++] = slice_hold(effect->frame.body);
    } else {
        task->frames = realloc(task->frames, (task->frame_count + 1) * sizeof(*task->frames));
        task->frames[task->frame_count++] = frame_hold(&effect->frame);
    }
    task->last_ticket = effect->ticket;
    if (task->order_count < FAKE_ORDER_MAX)
        task->order[task->order_count++] = effect->frame.kind;
    if (effect->fds_of) {
        task->fds_of = effect->fds_of;
        task->fds_count++;
    }
    if (task->takes_nothing) {
        task->untaken += bytes;
        return;
    }
    struct fake_item *taken = fake_push(fake, index, EVENT_CONN_TAKEN);
    taken->event.conn = effect->conn;
    taken->event.count = bytes;
    taken->event.origin = effect->origin;
}

static void perform_conn(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_task *task = fake_task_of_conn(fake, effect->conn);
    if (effect->kind == EFFECT_CONN_SEND)
        conn_got(fake, index, effect);
    else if (effect->kind == EFFECT_CONN_PAUSE && task)
        task->is_paused = effect->flag;
    else if (effect->kind == EFFECT_CONN_CLOSE && task)
        task->is_open = false;
}

static void perform_share(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_task *task = fake_task_of_conn(fake, effect->conn);
    if (!task)
        return;
    switch (effect->kind) {
    case EFFECT_SHARE_PAUSE:
        task->pair_is_paused = effect->flag;
        break;
    case EFFECT_SHARE_WAKE:
        task->wakes++;
        break;
    case EFFECT_SHARE_END:
        task->share_ends++;
        break;
    default: {
        struct fake_item *attached = fake_push(fake, index, EVENT_SHARE_ATTACHED);
        attached->event.conn = effect->conn;
        attached->event.status = fake->share_status;
        attached->event.offer = (struct share_offer){effect->offer.ring_offset + 1, 16, 2};
        task->share_attaches++;
    }
    }
}

static void join(char *text, size_t size, const char *const *items)
{
    for (size_t i = 0; items && items[i]; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%s", i ? " " : "", items[i]);
    }
}

static void perform_child_start(struct fake *fake, int index, const struct effect *effect)
{
    if (fake->child_count == FAKE_CHILDREN_MAX) {
        struct fake_item *failed = fake_push(fake, index, EVENT_CHILD_STARTED);
        failed->event.ticket = effect->ticket;
        failed->event.status = STATUS_OUT_OF_RES;
        return;
    }
    struct fake_child *child = &fake->children[fake->child_count++];
    *child = (struct fake_child){.node = index, .ticket = effect->ticket,
                                 .debug = effect->child.debug};
    str_copy(child->file, sizeof(child->file), effect->child.file);
    str_copy(child->directory, sizeof(child->directory), effect->child.directory);
    join(child->environment, sizeof(child->environment), effect->child.environment);
    join(child->argv, sizeof(child->argv), effect->child.argv);
    const char *cookie = strstr(child->environment, "PVMEPID=");
    child->cookie = cookie ? strtoull(cookie + 8, NULL, 10) : 0;
    child->pid = fake->next_pid++;
    child->is_running = fake->start_status == 0;
    if (fake->holds_starts)
        return;
    struct fake_item *started = fake_push(fake, index, EVENT_CHILD_STARTED);
    started->event.ticket = effect->ticket;
    started->event.pid = child->pid;
    started->event.status = fake->start_status;
}

static void perform_signal(struct fake *fake, int index, const struct effect *effect)
{
    for (int i = 0; i < fake->child_count; i++) {
        struct fake_child *child = &fake->children[i];
        if (child->node != index || child->pid != effect->pid)
            continue;
        child->last_signal = effect->signal;
        if (effect->signal == 9 || (effect->signal == 15 && !fake->ignores_signals))
            fake_exit_now(fake, child);
    }
    for (int i = 0; i < fake->task_count; i++) {
        struct fake_task *task = &fake->tasks[i];
        if (task->node == index && task->pid == effect->pid && task->is_open &&
            effect->signal == 15 && !fake->ignores_signals) {
            task->is_open = false;
            fake_push(fake, index, EVENT_CONN_CLOSED)->event.conn = task->conn;
        }
    }
}

/* Names resolve by their last letter: "b..1" and "c..1" to 10.0.0.(100 + letter); "no..." to
 * nothing; "self" to the asking host. */
static void perform_resolve(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_item *item = fake_push(fake, index, EVENT_RESOLVED);
    item->event.ticket = effect->ticket;
    if (str_has_prefix(effect->text, "no")) {
        item->event.status = STATUS_NO_HOST;
        item->event.text = "no such name";
        return;
    }
    size_t length = strlen(effect->text);
    fake_address_of(100 + effect->text[length - 1], item->ips[0], &item->addresses[0]);
    item->event.addresses = item->addresses;
    item->event.address_count = 1;
    item->event.is_own = str_equal(effect->text, "self");
}

static void perform_host_start(struct fake *fake, int index, const struct effect *effect)
{
    const struct host_start *start = &effect->start;
    char name[256];
    snprintf(name, sizeof(name), "%s", start->spec->name);
    struct fake_node *node = NULL;
    if (fake->host_start_status == 0) {
        struct node_config config = {
            .number = start->number, .master_epoch = start->master_epoch,
            .master_addresses = start->master_addresses,
            .master_address_count = start->master_address_count};
        memcpy(config.master_key, start->master_key, sizeof(config.master_key));
        node = fake_node_new(fake, name, start->epoch, &config);
        if (node && fake->hosts_are_silent)
            node->is_cut = true;
    }
    const bool by_token = start->starter == HOST_STARTER_TOKEN && node;
    struct fake_item *item = fake_push(fake, index, by_token ? EVENT_HOST_TOKEN
                                                             : EVENT_HOST_STARTED);
    if (by_token)
        fake->token = start->token;
    item->event.ticket = effect->ticket;
    item->event.status = node ? 0 : fake->host_start_status ? fake->host_start_status : -29;
    if (!node)
        return;
    item->event.answer.protocol = fake->host_protocol;
    item->event.answer.signature = 0x00408c41;
    str_copy(item->event.answer.arch, sizeof(item->event.answer.arch),
             node->index == 2 ? "LINUX" : "LINUX64");
    memcpy(item->event.answer.public_key, node->key, sizeof(node->key));
    if (start->starter == HOST_STARTER_SSH && start->address_count)
        memcpy(item->ips[0], start->addresses[0].ip.data, 16);
    else
        fake_address_of(node->index, item->ips[0], &item->addresses[0]);
    item->addresses[0] = (struct wire_address){.ip = {item->ips[0], 16}, .port = 4001};
    item->event.answer.addresses = item->addresses;
    item->event.answer.address_count = 1;
}

static void perform_other(struct fake *fake, int index, const struct effect *effect)
{
    struct fake_node *node = &fake->nodes[index];
    struct fake_child *child = fake_child_of_ticket(fake, index, effect->ticket);
    if (effect->kind == EFFECT_CHILD_PAUSE && child)
        child->is_paused = effect->flag;
    if (effect->kind == EFFECT_CONFIGURE)
        snprintf(node->configured, sizeof(node->configured), "%s|%s|%s", effect->text,
                 effect->text2, effect->text3);
    if (effect->kind == EFFECT_LEASE)
        node->lease_until_ns = effect->until_ns;
    if (effect->kind == EFFECT_TOMBSTONES) {
        node->tombstone_count = effect->peer_count;
        for (size_t i = 0; i < effect->peer_count; i++)
            node->tombstones[i] = effect->peers[i];
    }
    if (effect->kind == EFFECT_REJOIN) {
        node->is_lost = true;
        for (int i = 0; i < fake->child_count; i++)
            fake->children[i].is_running &= fake->children[i].node != index;
        for (int i = 0; i < fake->task_count; i++)
            fake->tasks[i].is_open &= fake->tasks[i].node != index;
    }
    if (effect->kind == EFFECT_STOP) {
        node->is_stopped = true;
        node->stop_status = effect->status;
        fake_everybody_loses(fake, index, "it said goodbye");
    }
}

static void perform_one(struct fake *fake, int index, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_PEER_ADD:
    case EFFECT_PEER_PSK:
    case EFFECT_PEER_REMOVE:
        perform_peer(fake, index, effect);
        break;
    case EFFECT_PEER_SEND:
        to_peer(fake, index, effect, EVENT_PEER_MESSAGE);
        break;
    case EFFECT_PEER_NOTE:
        fake->nodes[index].notes++;
        to_peer(fake, index, effect, EVENT_PEER_NOTE);
        break;
    case EFFECT_PEER_FRAME:
        to_peer(fake, index, effect, EVENT_PEER_FRAME);
        break;
    case EFFECT_PEER_CONSUME:
        fake->nodes[index].consumed += effect->count;
        break;
    case EFFECT_PEER_RESET:
        perform_reset(fake, index, effect);
        break;
    case EFFECT_CONN_SEND:
    case EFFECT_CONN_PAUSE:
    case EFFECT_CONN_CLOSE:
        perform_conn(fake, index, effect);
        break;
    case EFFECT_SHARE_ATTACH:
    case EFFECT_SHARE_PAUSE:
    case EFFECT_SHARE_WAKE:
    case EFFECT_SHARE_END:
        perform_share(fake, index, effect);
        break;
    case EFFECT_CHILD_START:
        perform_child_start(fake, index, effect);
        break;
    case EFFECT_CHILD_SIGNAL:
        perform_signal(fake, index, effect);
        break;
    case EFFECT_RESOLVE:
        perform_resolve(fake, index, effect);
        break;
    case EFFECT_HOST_START:
        perform_host_start(fake, index, effect);
        break;
    default:
        perform_other(fake, index, effect);
        break;
    }
}

void fake_perform(struct fake *fake, int index)
{
    struct effects *effects = &fake->nodes[index].effects;
    for (size_t i = 0; i < effects->count; i++)
        perform_one(fake, index, &effects->items[i]);
    effects_reset(effects);
}
