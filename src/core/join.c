/* SPDX-License-Identifier: BSD-3-Clause */
/* How a new daemon becomes a host: see the header. */
#include "core/join.h"

#include "core/add.h"
#include "core/halt.h"
#include "core/member.h"

static int create_log(struct node *node)
{
    struct log_config config = {.self = node->config.epoch, .resend_ns = LOG_RESEND_NS};
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

void join_begin(struct node *node)
{
    const struct node_config *config = &node->config;
    node->state = NODE_JOINING;
    timer_init(&node->timer, TIMER_JOIN);
    if (create_log(node) < 0 ||
        timer_set(node, &node->timer, node->now_ns + config->join_timeout_ns) < 0 ||
        !peer_add(node, config->master_epoch, config->master_key, config->master_addresses,
                  config->master_address_count))
        node_fatal(node, "no memory to join");
}

void join_timer(struct node *node)
{
    node_log(node, LOG_LEVEL_ERROR, "the master did not call: giving up");
    node_stop(node, EXIT_STATUS_FAILED);
}

static void refuse(struct node *node, int32_t status, const char *why)
{
    struct message ready = {.type = DM_READY};
    ready.dm_ready = (struct wire_dm_ready){
        .version = PROTOCOL_DAEMON_VERSION, .status = status, .error = why};
    node_log(node, LOG_LEVEL_ERROR, "cannot join: %s", why);
    node_send(node, node_master(node), &ready);
    node_stop(node, EXIT_STATUS_FAILED);
}

void join_welcome(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_welcome *welcome = &message->dm_welcome;
    (void)peer;
    if (node->state != NODE_JOINING)
        return;
    if (welcome->version != PROTOCOL_DAEMON_VERSION) {
        const char *words = arena_format(
            &node->scratch, "the master speaks version %u of the daemon protocol, this host %u",
            welcome->version, PROTOCOL_DAEMON_VERSION);
        refuse(node, STATUS_BAD_VERSION, words ? words : "another version of the daemon protocol");
    } else if (welcome->number != node->config.number) {
        refuse(node, STATUS_CANT_START, "the master means another host");
    } else {
        configure(node, welcome->path, welcome->directory, welcome->debugger);
    }
}

void join_has_table(struct node *node)
{
    struct message ready = {.type = DM_READY, .dm_ready = {.version = PROTOCOL_DAEMON_VERSION}};
    if (node->state == NODE_JOINING)
        node_send(node, node_master(node), &ready);
}

void join_done(struct node *node, const struct wire_host *info)
{
    if (node->state != NODE_CREATED && node->state != NODE_JOINING)
        return;
    timer_stop(node, &node->timer);
    node->state = NODE_RUNNING;
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": ready", info->name);
}

/* ---- the master ---- */

/* What the hostfile says of the master itself (HF-6). */
static void read_hostfile(struct node *node)
{
    const struct node_config *config = &node->config;
    if (hostfile_read(&node->hostfile, config->hostfile_name, config->hostfile_text,
                      config->log) < 0)
        node_fatal(node, "no memory for the hostfile");
    const struct host_spec *own = hostfile_own(&node->hostfile, config->name);
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

void join_begin_master(struct node *node)
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
