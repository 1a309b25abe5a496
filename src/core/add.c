/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding hosts, the master's side: see the header. The requests: addhosts.c. */
#include "core/add.h"

#include "base/mem.h"
#include "core/addjob.h"
#include "core/member.h"

#include <string.h>

/* What an item is waiting for, by state; a happening that its state does not wait for is late and
 * ignored. */
static const char *const state_names[ADD_STATES] = {
    [ADD_NEW] = "new",           [ADD_RESOLVING] = "resolving", [ADD_STARTING] = "starting",
    [ADD_WELCOMED] = "welcomed", [ADD_READY] = "ready",         [ADD_FAILED] = "failed",
};

static void item_finished(struct node *node, struct add_job *job);

static void move(struct node *node, struct add_item *item, enum add_state state)
{
    node_log(node, LOG_LEVEL_DEBUG, "host \"%s\": %s", item->name, state_names[state]);
    item->state = state;
}

void add_item_fail(struct node *node, struct add_item *item, int32_t status, const char *why)
{
    struct add_job *job = node->adding;
    enum add_state before = item->state;
    if (before == ADD_FAILED)
        return;
    node_log(node, LOG_LEVEL_WARN, "host \"%s\": not added, %s", item->name, why);
    move(node, item, ADD_FAILED);
    timer_stop(node, &item->timer);
    item->result = status;
    const char *words = arena_strndup(&job->arena, why, strlen(why));
    item->error = words ? words : "";
    if (before == ADD_STARTING || before == ADD_WELCOMED)
        node_effect(node, EFFECT_HOST_CANCEL)->ticket = item->ticket;
    if (item->is_peer) {
        item->is_peer = false;
        log_follower_remove(node->log, item->epoch);
        peer_remove(node, item->epoch, true);
    }
    item_finished(node, job);
}

/* ---- one host, step by step ---- */

static struct add_item *item_by_ticket(struct add_job *job, uint64_t ticket, enum add_state state)
{
    for (size_t i = 0; job && i < job->count; i++) {
        if (job->items[i].ticket == ticket && job->items[i].state == state)
            return &job->items[i];
    }
    return NULL;
}

static struct add_item *item_by_epoch(struct add_job *job, uint64_t epoch)
{
    for (size_t i = 0; job && i < job->count; i++) {
        if (job->items[i].epoch == epoch && job->items[i].state == ADD_WELCOMED)
            return &job->items[i];
    }
    return NULL;
}

/* Numbers increase, in the order of the request; those of hosts that do not come are given again,
 * for an epoch, not a number, says who a daemon is. 0 when all are in use. */
static void give_numbers(const struct node *node, struct add_job *job)
{
    uint32_t last = node->hosts.last_number;
    uint32_t first = hosts_free_number(&node->hosts, last);
    bool is_full = first == 0;
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state != ADD_NEW || is_full)
            continue;
        job->items[i].number = last = hosts_free_number(&node->hosts, last);
        is_full = hosts_free_number(&node->hosts, last) == first; /* once round */
    }
}

static void start_host(struct node *node, struct add_item *item)
{
    const struct node_config *config = &node->config;
    if (item->number == 0) {
        add_item_fail(node, item, STATUS_OUT_OF_RES, "all host numbers are in use");
        return;
    }
    item->epoch = node_random(node);
    item->ticket = node_ticket(node);
    if (timer_set(node, &item->timer, node->now_ns + ADD_ITEM_NS) < 0) {
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
        return;
    }
    move(node, item, ADD_STARTING);
    struct effect *effect = node_effect(node, EFFECT_HOST_START);
    effect->ticket = item->ticket;
    effect->start = (struct host_start){
        .starter = host_spec_starter(&item->spec),
        .spec = &item->spec,
        .addresses = node_addresses(node, item->addresses.items, item->addresses.count),
        .address_count = item->addresses.count,
        .number = item->number,
        .epoch = item->epoch,
        .master_epoch = config->epoch,
        .master_addresses = node_addresses(node, config->addresses, config->address_count),
        .master_address_count = config->address_count,
    };
    memcpy(effect->start.master_key, config->public_key, WIRE_KEY_BYTES);
}

void add_item_begin(struct node *node, struct add_item *item)
{
    if (host_spec_starter(&item->spec) == HOST_STARTER_LOCAL) {
        start_host(node, item);
        return;
    }
    item->ticket = node_ticket(node);
    move(node, item, ADD_RESOLVING);
    struct effect *effect = node_effect(node, EFFECT_RESOLVE);
    effect->ticket = item->ticket;
    effect->text = node_text(node, item->spec.address ? item->spec.address : item->spec.name);
}

static bool share_an_ip(const struct wire_address *a, size_t a_count, const struct wire_address *b,
                        size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        for (size_t j = 0; j < b_count; j++) {
            if (a[i].ip.length == b[j].ip.length &&
                memcmp(a[i].ip.data, b[j].ip.data, a[i].ip.length) == 0)
                return true;
        }
    }
    return false;
}

/* Another daemon on this address is there, or being added by the same request. */
static bool is_duplicate(const struct node *node, const struct add_item *item,
                         const struct event *event)
{
    HOSTS_EACH(pos, following, &node->hosts) {
        const struct wire_address_list *known = &HOST_OF(pos)->info.addresses;
        if (share_an_ip(event->addresses, event->address_count, known->items, known->count))
            return true;
    }
    for (size_t i = 0; i < node->adding->count; i++) {
        const struct add_item *other = &node->adding->items[i];
        if (other != item && other->state != ADD_FAILED &&
            share_an_ip(event->addresses, event->address_count, other->addresses.items,
                        other->addresses.count))
            return true;
    }
    return false;
}

void add_resolved(struct node *node, const struct event *event)
{
    struct add_item *item = item_by_ticket(node->adding, event->ticket, ADD_RESOLVING);
    if (!item)
        return;
    if (event->status < 0 || event->address_count == 0)
        add_item_fail(node, item, STATUS_NO_HOST, event->text ? event->text : "no such host");
    else if (!item->spec.duplicate_allowed && (event->is_own || is_duplicate(node, item, event)))
        add_item_fail(node, item, STATUS_DUP_HOST, "its address is in the virtual machine already");
    else if (wire_addresses_copy(&node->adding->arena, &item->addresses, event->addresses,
                                 event->address_count) < 0)
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    else
        start_host(node, item);
}

static void welcome(struct node *node, struct add_item *item)
{
    struct message message = {.type = DM_WELCOME};
    struct wire_dm_welcome *text = &message.dm_welcome;
    *text = (struct wire_dm_welcome){
        .version = PROTOCOL_DAEMON_VERSION,
        .number = item->number,
        .master_epoch = node->config.epoch,
        .path = item->spec.path,
        .directory = item->spec.directory,
        .debugger = item->spec.debugger,
        .psk_epoch = node->hosts.psk_epoch,
    };
    memcpy(text->psk.bytes, node->hosts.psk, WIRE_KEY_BYTES);
    move(node, item, ADD_WELCOMED);
    node_send(node, item->epoch, &message);
}

static int keep_answer(struct node *node, struct add_item *item, const struct host_answer *answer)
{
    struct arena *arena = &node->adding->arena;
    item->signature = answer->signature;
    item->arch = arena_strndup(arena, answer->arch, strcspn(answer->arch, " \t"));
    memcpy(item->public_key, answer->public_key, WIRE_KEY_BYTES);
    return !item->arch ? -1
                       : wire_addresses_copy(arena, &item->addresses, answer->addresses,
                                             answer->address_count);
}

static void begin_link(struct node *node, struct add_item *item)
{
    if (!peer_add(node, item->epoch, item->public_key, item->addresses.items,
                  item->addresses.count)) {
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
        return;
    }
    item->is_peer = true;
    if (member_follow(node, item->epoch) < 0)
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    else
        welcome(node, item);
}

void add_started(struct node *node, const struct event *event)
{
    struct add_item *item = item_by_ticket(node->adding, event->ticket, ADD_STARTING);
    const struct host_answer *answer = &event->answer;
    if (!item)
        return;
    if (event->status < 0) {
        add_item_fail(node, item, event->status, event->text ? event->text : "it did not start");
    } else if (answer->protocol != PROTOCOL_DAEMON_VERSION) {
        char words[LOG_LINE_BYTES_MAX];
        str_format(words, sizeof(words),
                   "its daemon speaks version %u of the protocol, this one %u",
                   answer->protocol, PROTOCOL_DAEMON_VERSION);
        add_item_fail(node, item, STATUS_BAD_VERSION, words);
    } else if (answer->address_count == 0) {
        add_item_fail(node, item, STATUS_CANT_START, "its daemon named no address");
    } else if (keep_answer(node, item, answer) < 0) {
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    } else {
        begin_link(node, item);
    }
}

void ready_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_ready *ready = &message->dm_ready;
    struct add_item *item = item_by_epoch(node->adding, peer);
    if (!item)
        return;
    if (ready->status < 0 || ready->version != PROTOCOL_DAEMON_VERSION) {
        bool says_why = ready->status < 0 && *ready->error;
        add_item_fail(node, item, ready->status < 0 ? ready->status : STATUS_BAD_VERSION,
                      says_why ? ready->error : "its daemon speaks another version");
        return;
    }
    move(node, item, ADD_READY);
    timer_stop(node, &item->timer);
    item->result = (int32_t)tid_of_host(item->number);
    item_finished(node, node->adding);
}

void add_peer_down(struct node *node, uint64_t peer)
{
    struct add_job *job = node->adding;
    for (size_t i = 0; job && i < job->count; i++) {
        if (job->items[i].epoch != peer || !job->items[i].is_peer)
            continue;
        add_item_fail(node, &job->items[i], STATUS_CANT_START, "its daemon went away");
        return;
    }
}

/* ---- all hosts of the request ---- */

static void propose(struct node *node, struct add_job *job)
{
    struct message command = {.type = CMD_HOSTS_ADD};
    struct wire_host *hosts = arena_calloc(&node->scratch, job->count, sizeof(*hosts));
    size_t count = 0;
    for (size_t i = 0; hosts && i < job->count; i++) {
        const struct add_item *item = &job->items[i];
        if (item->state != ADD_READY)
            continue;
        struct wire_host *host = &hosts[count++];
        *host = (struct wire_host){.number = item->number, .epoch = item->epoch,
                                   .name = item->name, .arch = item->arch,
                                   .speed = item->spec.speed, .signature = item->signature,
                                   .addresses = item->addresses};
        memcpy(host->public_key.bytes, item->public_key, WIRE_KEY_BYTES);
    }
    command.cmd_hosts_add.hosts = (struct wire_host_list){.count = count, .items = hosts};
    if (count)
        job->index = member_propose(node, &command);
    if (!hosts || (count && job->index == 0))
        node_fatal(node, "no memory to add hosts");
    timer_set(node, &job->timer, node->now_ns + ADD_ANSWER_NS);
}

static void item_finished(struct node *node, struct add_job *job)
{
    if (!job->is_begun || job->is_proposed)
        return;
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state != ADD_READY && job->items[i].state != ADD_FAILED)
            return;
    }
    job->is_proposed = true;
    propose(node, job);
}

void add_begin(struct node *node, struct add_job *job)
{
    give_numbers(node, job);
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state == ADD_NEW)
            add_item_begin(node, &job->items[i]);
    }
    job->is_begun = true;
    item_finished(node, job);
}

void add_log_applied(struct node *node)
{
    struct add_job *job = node->adding;
    if (!job || !job->is_proposed || log_applied_index(node->log) < job->index)
        return;
    if (job->index == 0 || log_applied_by_all(node->log, job->index) || job->is_late)
        addjob_finish(node, job);
}

void add_timer(struct node *node, struct timer *timer)
{
    struct add_job *job = node->adding;
    if (timer == &job->timer) {
        job->is_late = true; /* at the end of this step the answer goes out */
        return;
    }
    struct add_item *item = CONTAINER_OF(timer, struct add_item, timer);
    add_item_fail(node, item, STATUS_CANT_START, "it did not come in time");
}

void add_cancel(struct node *node)
{
    struct add_job *job = node->adding;
    if (!job)
        return;
    job->is_proposed = true; /* the last to fail must not propose those before it */
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state != ADD_READY || !host_by_epoch(&node->hosts, job->items[i].epoch))
            add_item_fail(node, &job->items[i], STATUS_CANT_START,
                          "the virtual machine is halting");
    }
    addjob_finish(node, job);
}
