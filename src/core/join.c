/* SPDX-License-Identifier: BSD-3-Clause */
/* How a new daemon becomes a host: see the header. */
#include "core/join.h"

#include "core/add.h"
#include "core/alive.h"
#include "core/halt.h"
#include "core/member.h"
#include "core/rejoin.h"

/* In hundredths of dead_after: docs/faults.md, "Who leads". */
enum { ELECTION_PERCENT = 68, ELECTION_SPREAD_PERCENT = 8 };

static int create_log(struct node *node)
{
    const uint64_t dead_after_ns = node->config.dead_after_ns;
    struct log_config config = {.self = node->config.epoch,
                                .resend_ns = LOG_RESEND_NS,
                                .election_ns = dead_after_ns / 100 * ELECTION_PERCENT,
                                .election_spread_ns = dead_after_ns / 100 * ELECTION_SPREAD_PERCENT,
                                .seed = node_random(node)};
    node->log = log_create(&config);
    return node->log ? 0 : -1;
}

static void configure(struct node *node, const char *path, const char *directory,
                      const char *debugger)
{
    struct effect *effect = node_effect(node, EFFECT_CONFIGURE);
    effect->text = node_text(node, path);
    effect->text2 = node_text(node, directory);
    effect->text3 = node_text(node, debugger);
}

/* ---- a new host ---- */

static void set_timer(struct node *node, uint64_t at_ns)
{
    if (timer_set(node, &node->timer, at_ns) < 0)
        node_fatal(node, "no memory for a deadline");
}

void join_begin(struct node *node)
{
    const struct node_config *config = &node->config;
    struct wire_host master = {.epoch = config->master_epoch};
    master.addresses = (struct wire_address_list){.count = config->master_address_count,
                                                  .items = config->master_addresses};
    for (size_t i = 0; i < WIRE_KEY_BYTES; i++)
        master.public_key.bytes[i] = config->master_key[i];
    node->state = NODE_JOINING;
    timer_init(&node->timer, TIMER_JOIN);
    if (create_log(node) < 0) {
        node_fatal(node, "no memory to join");
    } else if (node->rejoin) {
        rejoin_begin(node);
    } else {
        node->joining.until_ns = node->now_ns + config->join_timeout_ns;
        set_timer(node, node->joining.until_ns);
        if (!peer_add_as(node, PEER_WELCOMER, &master, 0))
            node_fatal(node, "no memory to join");
    }
}

static void give_up(struct node *node, const char *why)
{
    node_log(node, LOG_LEVEL_ERROR, "%s: giving up", why);
    node_stop(node, EXIT_STATUS_FAILED);
}

static void say_ready(struct node *node)
{
    struct message ready = {.type = DM_READY, .dm_ready = {.version = PROTOCOL_DAEMON_VERSION}};
    node_send(node, node->joining.welcomer, &ready);
}

/* What is said again keeps the link busy: so the death of the welcomer is noticed. */
void join_timer(struct node *node)
{
    struct joining *joining = &node->joining;
    if (!joining->welcomer && node->rejoin) {
        rejoin_timer(node);
        return;
    }
    if (node->now_ns >= joining->until_ns) {
        give_up(node, joining->welcomer ? "nobody made this a host" : "the master did not call");
        return;
    }
    say_ready(node);
    set_timer(node, MIN_OF(node->now_ns + READY_AGAIN_NS, joining->until_ns));
}

void join_peer_down(struct node *node, uint64_t peer)
{
    struct joining *joining = &node->joining;
    if (node->rejoin && !joining->welcomer) {
        rejoin_peer_down(node, peer);
    } else if (peer == (joining->welcomer ? joining->welcomer : node->config.master_epoch)) {
        if (!joining->has_table)
            give_up(node, "the master is gone");
        else /* its last command may have made us a host: then another feeds us soon */
            joining->until_ns = MIN_OF(joining->until_ns,
                                       node->now_ns + node->config.dead_after_ns / 2);
    }
}

static void refuse(struct node *node, uint64_t peer, int32_t status, const char *why)
{
    struct message ready = {.type = DM_READY};
    ready.dm_ready = (struct wire_dm_ready){
        .version = PROTOCOL_DAEMON_VERSION, .status = status, .error = why};
    node_log(node, LOG_LEVEL_ERROR, "cannot join: %s", why);
    node_send(node, peer, &ready);
    node_stop(node, EXIT_STATUS_FAILED);
}

void join_welcome(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_welcome *welcome = &message->dm_welcome;
    if (node->state != NODE_JOINING || node->joining.welcomer)
        return;
    if (welcome->version != PROTOCOL_DAEMON_VERSION) {
        const char *words = arena_format(
            &node->scratch, "the master speaks version %u of the daemon protocol, this host %u",
            welcome->version, PROTOCOL_DAEMON_VERSION);
        refuse(node, peer, STATUS_BAD_VERSION,
               words ? words : "another version of the daemon protocol");
    } else if (welcome->epoch != node->config.epoch) {
        refuse(node, peer, STATUS_CANT_START, "the master means another host");
    } else {
        node->joining.welcomer = peer;
        if (node->rejoin)
            node->joining.until_ns = node->rejoin->until_ns;
        configure(node, welcome->path, welcome->directory, welcome->debugger);
    }
}

void join_has_table(struct node *node)
{
    if (node->state != NODE_JOINING || node->joining.has_table)
        return;
    node->joining.has_table = true;
    say_ready(node);
    set_timer(node, node->now_ns + READY_AGAIN_NS);
}

/* The number that the table gives. */
static int take_number(struct node *node, uint32_t number)
{
    struct sender *own = sender_create(tid_of_daemon(number));
    if (!own)
        return -1;
    CHECK(node->tasks.count == 0);
    task_table_fini(&node->tasks);
    task_table_init(&node->tasks, number, node->config.tasks_max);
    sender_destroy(node->own);
    node->own = own;
    node->config.number = number;
    node->placement_next = number + 1;
    return 0;
}

void join_done(struct node *node, const struct wire_host *info)
{
    if (node->state != NODE_CREATED && node->state != NODE_JOINING)
        return;
    timer_stop(node, &node->timer);
    node->state = NODE_RUNNING;
    if (take_number(node, info->number) < 0 || alive_begin(node) < 0)
        node_fatal(node, "no memory to be a host");
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": ready", info->name);
}

/* ---- the founder ---- */

/* What the hostfile says of the founder itself (HF-6). */
static void read_hostfile(struct node *node)
{
    const struct node_config *config = &node->config;
    struct hostfile *hostfile = &node->lead.hostfile;
    if (hostfile_read(hostfile, config->hostfile_name, config->hostfile_text, config->log) < 0)
        node_fatal(node, "no memory for the hostfile");
    const struct host_spec *own = hostfile_own(hostfile, config->name);
    configure(node, own->path, own->directory, own->debugger);
    if (own->speed_given)
        node->config.speed = own->speed;
}

static void propose_self(struct node *node)
{
    const struct node_config *config = &node->config;
    struct wire_host self = {
        .number = config->number,
        .epoch = config->epoch,
        .name = config->name,
        .arch = config->arch,
        .speed = config->speed,
        .signature = config->signature,
        .addresses = {.count = config->address_count, .items = config->addresses},
    };
    for (size_t i = 0; i < WIRE_KEY_BYTES; i++)
        self.public_key.bytes[i] = config->public_key[i];
    struct message add = {.type = CMD_HOSTS_ADD, .cmd_hosts_add = {.hosts = {1, &self}}};
    if (!member_propose(node, &add))
        node_fatal(node, "no memory to begin");
}

/* What is set here and not by a command is in every snapshot, and so known to whoever comes. */
void join_begin_founder(struct node *node)
{
    node->config.random_bytes(node->config.random_context, node->hosts.psk, WIRE_KEY_BYTES);
    node->hosts.psk_epoch = 1;
    if (create_log(node) < 0 || log_found(node->log, node->now_ns) < 0) {
        node_fatal(node, "no memory to begin");
        return;
    }
    read_hostfile(node);
    propose_self(node);
    member_run_log(node);
    if (!node->is_broken)
        add_hostfile(node);
}
