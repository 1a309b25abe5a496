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

static void move(struct node *node, struct add_item *item, enum add_state state)
{
    node_log(node, LOG_LEVEL_DEBUG, "host \"%s\": %s", item->name, state_names[state]);
    item->state = state;
}

void add_item_fail(struct node *node, struct add_item *item, int32_t status, const char *why)
{
    struct add_job *job = item->job;
    enum add_state before = item->state;
    if (before == ADD_FAILED)
        return;
    node_log(node, LOG_LEVEL_WARN, "host \"%s\": not added, %s", item->name, why);
    move(node, item, ADD_FAILED);
    timer_stop(node, &item->timer);
    item->status = status;
    const char *words = arena_strndup(&job->arena, why, strlen(why));
    item->error = words ? words : "";
    if (item->ticket && (before == ADD_STARTING || before == ADD_WELCOMED))
        node_effect(node, EFFECT_HOST_CANCEL)->ticket = item->ticket;
    if (item->token) {
        peer_part(node, item->token);
        item->token = 0;
    }
    if (item->is_peer) {
        item->is_peer = false;
        log_follower_remove(node->log, item->epoch);
        peer_remove(node, item->epoch, true);
    }
}

/* ---- one host, step by step ---- */

static struct add_item *item_by_ticket(const struct node *node, uint64_t ticket,
                                       enum add_state state)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; i < job->count; i++) {
            if (job->items[i].ticket == ticket && job->items[i].state == state)
                return &job->items[i];
        }
    }
    return NULL;
}

static struct add_item *item_by_epoch(const struct node *node, uint64_t epoch)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; i < job->count; i++) {
            if (job->items[i].epoch == epoch)
                return &job->items[i];
        }
    }
    return NULL;
}

/* Hosts that are there or coming. */
static size_t hosts_expected(const struct node *node)
{
    size_t count = node->hosts.count;
    LIST_EACH(pos, following, &node->lead.jobs) {
        const struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; !job->is_applied && i < job->count; i++)
            count += job->items[i].epoch && job->items[i].state != ADD_FAILED;
    }
    return count;
}

static void start_host(struct node *node, struct add_item *item)
{
    const struct node_config *config = &node->config;
    if (hosts_expected(node) >= HOST_NUMBER_MAX) {
        add_item_fail(node, item, STATUS_OUT_OF_RES, "all host numbers are in use");
        return;
    }
    item->epoch = node_random(node);
    item->ticket = node_ticket(node);
    const uint32_t life_s = host_spec_token_life_s(&item->spec);
    const bool by_token = host_spec_starter(&item->spec) == HOST_STARTER_TOKEN;
    const uint64_t limit_ns = by_token ? life_s * NODE_SECOND : ADD_ITEM_NS;
    if (by_token)
        item->token = node_random(node);
    if (timer_set(node, &item->timer, node->now_ns + limit_ns) < 0) {
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
        .number = hosts_free_number(&node->hosts, node->hosts.last_number),
        .epoch = item->epoch,
        .token = item->token,
        .token_life_s = life_s,
        .master_epoch = config->epoch,
        .master_addresses = node_addresses(node, config->addresses, config->address_count),
        .master_address_count = config->address_count,
    };
    memcpy(effect->start.master_key, config->public_key, WIRE_KEY_BYTES);
}

void add_item_begin(struct node *node, struct add_item *item)
{
    enum host_starter starter = host_spec_starter(&item->spec);
    /* Who has a token comes from wherever it is. */
    if (starter == HOST_STARTER_LOCAL || starter == HOST_STARTER_TOKEN) {
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
    for (size_t i = 0; i < item->job->count; i++) {
        const struct add_item *other = &item->job->items[i];
        if (other != item && other->state != ADD_FAILED &&
            share_an_ip(event->addresses, event->address_count, other->addresses.items,
                        other->addresses.count))
            return true;
    }
    return false;
}

void add_resolved(struct node *node, const struct event *event)
{
    struct add_item *item = item_by_ticket(node, event->ticket, ADD_RESOLVING);
    if (!item)
        return;
    if (event->status < 0 || event->address_count == 0)
        add_item_fail(node, item, STATUS_NO_HOST, event->text ? event->text : "no such host");
    else if (!item->spec.duplicate_allowed && (event->is_own || is_duplicate(node, item, event)))
        add_item_fail(node, item, STATUS_DUP_HOST, "its address is in the virtual machine already");
    else if (wire_addresses_copy(&item->job->arena, &item->addresses, event->addresses,
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
        .epoch = item->epoch,
        .path = item->spec.path,
        .directory = item->spec.directory,
        .debugger = item->spec.debugger,
    };
    move(node, item, ADD_WELCOMED);
    node_send(node, item->epoch, &message);
}

static int keep_answer(struct add_item *item, const struct host_answer *answer)
{
    struct arena *arena = &item->job->arena;
    item->signature = answer->signature;
    item->arch = arena_strndup(arena, answer->arch, strcspn(answer->arch, " \t"));
    memcpy(item->public_key.bytes, answer->public_key, WIRE_KEY_BYTES);
    return !item->arch ? -1
                       : wire_addresses_copy(arena, &item->addresses, answer->addresses,
                                             answer->address_count);
}

static void begin_link(struct node *node, struct add_item *item)
{
    struct wire_host info = {
        .epoch = item->epoch, .public_key = item->public_key, .addresses = item->addresses};
    if (!peer_add_as(node, PEER_JOINER, &info, 0)) {
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
        return;
    }
    item->is_peer = true;
    if (member_follow(node, item->epoch) < 0)
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    else
        welcome(node, item);
}

static void take_answer(struct node *node, struct add_item *item, const struct host_answer *answer)
{
    if (answer->protocol != PROTOCOL_DAEMON_VERSION) {
        char words[LOG_LINE_BYTES_MAX];
        str_format(words, sizeof(words),
                   "its daemon speaks version %u of the protocol, this one %u",
                   answer->protocol, PROTOCOL_DAEMON_VERSION);
        add_item_fail(node, item, STATUS_BAD_VERSION, words);
    } else if (answer->address_count == 0) {
        add_item_fail(node, item, STATUS_CANT_START, "its daemon named no address");
    } else if (keep_answer(item, answer) < 0) {
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    } else {
        begin_link(node, item);
    }
}

void add_started(struct node *node, const struct event *event)
{
    struct add_item *item = item_by_ticket(node, event->ticket, ADD_STARTING);
    if (!item)
        return;
    if (event->status < 0) {
        item->ticket = 0; /* there is nothing left to cancel */
        add_item_fail(node, item, event->status, event->text ? event->text : "it did not start");
    } else {
        take_answer(node, item, &event->answer);
    }
}

/* ---- by a token: who has it calls us ---- */

void add_token_made(struct node *node, const struct event *event)
{
    struct add_item *item = item_by_ticket(node, event->ticket, ADD_STARTING);
    if (!item || !item->token || peer_find(node, item->token))
        return;
    struct wire_host info = {.epoch = item->token};
    memcpy(info.public_key.bytes, event->answer.public_key, WIRE_KEY_BYTES);
    if (!peer_add_as(node, PEER_TOKEN, &info, 0))
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    else
        node_log(node, LOG_LEVEL_INFO,
                 "host \"%s\": can be started within %u s with the token in %s", item->name,
                 host_spec_token_life_s(&item->spec), event->text ? event->text : "?");
}

static struct add_item *item_by_token(const struct node *node, uint64_t token)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; i < job->count; i++) {
            if (job->items[i].token == token)
                return &job->items[i];
        }
    }
    return NULL;
}

static int fill_answer(struct host_answer *answer, const struct wire_dm_arrived *arrived)
{
    *answer = (struct host_answer){.protocol = arrived->version,
                                   .signature = arrived->signature,
                                   .addresses = arrived->addresses.items,
                                   .address_count = arrived->addresses.count};
    memcpy(answer->public_key, arrived->public_key.bytes, WIRE_KEY_BYTES);
    return *arrived->arch ? str_copy(answer->arch, sizeof(answer->arch), arrived->arch) : -1;
}

/* Good once, whatever comes of it: its file goes, and its key opens nothing any more. */
void arrived_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_arrived *arrived = &message->dm_arrived;
    struct message answer = {.type = DM_REJOINED};
    struct add_item *item = item_by_token(node, peer);
    struct host_answer host;
    if (!item || item->state != ADD_STARTING)
        return;
    if (arrived->epoch != item->epoch || fill_answer(&host, arrived) < 0) {
        add_item_fail(node, item, STATUS_CANT_START, "its daemon came with a damaged token");
    } else {
        node_effect(node, EFFECT_HOST_CANCEL)->ticket = item->ticket;
        if (timer_set(node, &item->timer, node->now_ns + ADD_ITEM_NS) < 0)
            add_item_fail(node, item, STATUS_NO_MEM, "no memory");
        else
            take_answer(node, item, &host);
    }
    answer.dm_rejoined = (struct wire_dm_rejoined){
        .status = item->status, .error = item->error, .public_key = arrived->public_key};
    item->token = 0;
    node_send(node, peer, &answer);
    peer_part(node, peer);
}

void ready_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_ready *ready = &message->dm_ready;
    struct add_item *item = item_by_epoch(node, peer);
    if (!item || item->state != ADD_WELCOMED)
        return; /* it says so again and again */
    if (ready->status < 0 || ready->version != PROTOCOL_DAEMON_VERSION) {
        bool says_why = ready->status < 0 && *ready->error;
        add_item_fail(node, item, ready->status < 0 ? ready->status : STATUS_BAD_VERSION,
                      says_why ? ready->error : "its daemon speaks another version");
        return;
    }
    move(node, item, ADD_READY);
    timer_stop(node, &item->timer);
}

void add_peer_down(struct node *node, uint64_t peer)
{
    struct add_item *item = item_by_epoch(node, peer);
    if (item && item->is_peer && !item->job->is_proposed)
        add_item_fail(node, item, STATUS_CANT_START, "its daemon went away");
}

/* ---- all hosts of the request ---- */

static struct wire_host_list ready_hosts(struct node *node, const struct add_job *job)
{
    struct wire_host *hosts = arena_calloc(&node->scratch, job->count, sizeof(*hosts));
    size_t count = 0;
    for (size_t i = 0; hosts && i < job->count; i++) {
        const struct add_item *item = &job->items[i];
        if (item->state == ADD_READY)
            hosts[count++] = (struct wire_host){
                .epoch = item->epoch, .name = item->name, .arch = item->arch,
                .speed = item->spec.speed, .signature = item->signature,
                .public_key = item->public_key, .addresses = item->addresses};
    }
    return (struct wire_host_list){.count = count, .items = hosts};
}

/* Of a task: the command is its answer too; when no host came, an answer without a command. */
static uint64_t append(struct node *node, struct add_job *job, struct wire_host_list hosts,
                       const struct wire_added *results)
{
    struct message command = {.type = CMD_HOSTS_ADD};
    struct message answer = {.type = TM_ADDED};
    command.cmd_hosts_add.hosts = hosts;
    if (job->kind != ADD_ASKED)
        return hosts.count ? member_propose(node, &command) : 0;
    struct wire_added_list list = {.count = job->asked_count, .items = results};
    if (hosts.count) {
        command.cmd_hosts_add.results = list;
        return command_append(node, &job->id, &command, NULL);
    }
    answer.tm_added.hosts = list;
    return command_append(node, &job->id, NULL, &answer);
}

/* Without memory, or not the master any more: whoever asked asks again. */
static void give_up(struct node *node, struct add_job *job);

static void propose(struct node *node, struct add_job *job)
{
    struct wire_host_list hosts = ready_hosts(node, job);
    const struct wire_added *results = addjob_results(job, &node->scratch);
    job->is_proposed = true;
    job->term = log_term(node->log);
    if (hosts.items && results)
        job->index = append(node, job, hosts, results);
    if (!job->index)
        give_up(node, job);
}

static bool is_complete(const struct add_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state != ADD_READY && job->items[i].state != ADD_FAILED)
            return false;
    }
    return job->is_begun && !job->is_proposed;
}

void add_begin(struct node *node, struct add_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].state == ADD_NEW)
            add_item_begin(node, &job->items[i]);
    }
    job->is_begun = true;
    node->lead.is_stirred = true;
}

/* Those that are no hosts now will never be. */
static void fail_rest(struct node *node, struct add_job *job, const char *why)
{
    for (size_t i = 0; i < job->count; i++) {
        if (!host_by_epoch(&node->hosts, job->items[i].epoch))
            add_item_fail(node, &job->items[i], STATUS_CANT_START, why);
    }
}

static void finish(struct node *node, struct add_job *job, const char *why)
{
    fail_rest(node, job, why);
    addjob_destroy(node, job);
}

/* We feed new hosts until they know those who will: these may be as new as they are. */
static void hand_on(struct node *node, struct add_job *job)
{
    if (!job->is_applied)
        fail_rest(node, job, "nobody wants it any more, or its name is taken");
    job->is_applied = true;
    if (!log_applied_by_all(node->log, job->index))
        return;
    for (size_t i = 0; i < job->count; i++)
        log_follower_hand_on(node->log, job->items[i].epoch);
    addjob_destroy(node, job);
}

static void give_up(struct node *node, struct add_job *job)
{
    finish(node, job, "this host is no master any more");
}

void add_run(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        if (is_complete(job))
            propose(node, job);
        else if (job->is_proposed && log_applied_index(node->log) >= job->index)
            hand_on(node, job);
    }
    add_told_run(node);
}

/* What was proposed may yet be decided, by the next master: until its term begins here. */
void add_master_ended(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        if (!job->is_proposed)
            give_up(node, job);
    }
}

void add_term_began(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        struct add_job *job = ADD_JOB_OF(pos);
        if (job->is_proposed && job->term < node->master_term)
            give_up(node, job);
    }
}

void add_timer(struct node *node, struct timer *timer)
{
    struct add_item *item = CONTAINER_OF(timer, struct add_item, timer);
    add_item_fail(node, item, STATUS_CANT_START,
                  item->token ? "nobody came with its token in time" : "it did not come in time");
}

void add_cancel(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs)
        finish(node, ADD_JOB_OF(pos), "this host is halting");
}

/* ---- one that comes back ---- */

static int fill_rejoined(struct node *node, struct add_job *job,
                         const struct wire_dm_rejoin *request, const struct wire_key *key)
{
    struct host_spec spec;
    const struct host_spec *known = hostfile_own(&node->lead.hostfile, request->name);
    if (host_spec_copy(&spec, known) < 0)
        return -1;
    mem_free(spec.name);
    spec.name = mem_strdup(request->name);
    spec.local_count = 0;
    spec.speed = request->speed;
    int failed = !spec.name || addjob_add_spec(node, job, &spec) < 0;
    host_spec_fini(&spec);
    if (failed)
        return -1;
    struct add_item *item = &job->items[0];
    item->epoch = request->epoch;
    item->signature = request->signature;
    item->public_key = *key;
    item->arch = arena_strndup(&job->arena, request->arch, strlen(request->arch));
    return item->arch ? wire_addresses_copy(&job->arena, &item->addresses,
                                            request->addresses.items, request->addresses.count)
                      : -1;
}

int32_t add_rejoined(struct node *node, const struct wire_dm_rejoin *request,
                     const struct wire_key *key, const char **why)
{
    if (item_by_epoch(node, request->epoch))
        return STATUS_OK; /* it asked twice */
    if (host_by_epoch(&node->hosts, request->epoch) || peer_find(node, request->epoch))
        return STATUS_BAD_PARAM;
    if (addjob_name_is_taken(node, request->name)) {
        *why = "another host has its name now";
        return STATUS_DUP_HOST;
    }
    struct add_job *job = addjob_create(node, ADD_REJOIN, NULL);
    if (!job || fill_rejoined(node, job, request, key) < 0) {
        if (job)
            addjob_destroy(node, job);
        *why = "the master has no memory";
        return STATUS_NO_MEM;
    }
    struct add_item *item = &job->items[0];
    if (timer_set(node, &item->timer, node->now_ns + ADD_ITEM_NS) < 0)
        add_item_fail(node, item, STATUS_NO_MEM, "no memory");
    else
        begin_link(node, item);
    job->is_begun = true;
    return STATUS_OK;
}
