/* SPDX-License-Identifier: BSD-3-Clause */
/* What a master does, and who is one: see the header. */
#include "core/master.h"

#include "core/add.h"
#include "core/addjob.h"
#include "core/alive.h"
#include "core/halt.h"
#include "core/leave.h"
#include "core/member.h"
#include "core/voters.h"
#include "log/tree.h"

#include <string.h>

void master_init(struct master_state *lead)
{
    hostfile_init(&lead->hostfile);
    list_init(&lead->jobs);
    list_init(&lead->leaving);
    list_init(&lead->told);
    timer_init(&lead->timer, TIMER_MASTER);
}

void master_fini(struct node *node)
{
    add_fini(node);
    leave_fini(node);
    timer_stop(node, &node->lead.timer);
    hostfile_fini(&node->lead.hostfile);
}

/* ---- who is ---- */

bool node_is_master(const struct node *node)
{
    return node->log && node->master == node->config.epoch && log_is_leader(node->log) &&
           node->master_term == log_term(node->log) &&
           (node->state == NODE_RUNNING || node->state == NODE_HALTING);
}

uint64_t node_master(const struct node *node)
{
    const struct peer *peer = peer_find(node, node->master);
    if (!node->log || !node->master || !host_by_epoch(&node->hosts, node->master) ||
        (peer && peer->is_dead))
        return 0;
    if (node->master == node->config.epoch)
        return node_is_master(node) ? node->master : 0;
    /* A voter knows of an election; the others hear what came of it. */
    if (log_is_voter(node->log, node->config.epoch) && log_leader(node->log) != node->master)
        return 0;
    return node->master;
}

/* Another master has it from the state of the log; its lines were complained of long ago. */
static void read_hostfile(struct node *node)
{
    struct hostfile *hostfile = &node->lead.hostfile;
    const struct slice *text = &node->hostfile_text;
    if (hostfile->count || !text->length)
        return;
    const char *copy =
        arena_strndup(&node->scratch, (const char *)text->data, text->length);
    if (!copy || hostfile_read(hostfile, node->hostfile_name, copy, NULL) < 0)
        node_fatal(node, "no memory for the hostfile");
}

static void begin(struct node *node)
{
    node->lead.is_begun = true;
    node->lead.is_giving_away = false;
    node->members_changed = true;
    read_hostfile(node);
    if (node->master_term > 1)
        node_log(node, LOG_LEVEL_INFO, "this host is master now, term %llu",
                 (unsigned long long)node->master_term);
}

static void end(struct node *node)
{
    node->lead.is_begun = false;
    node_log(node, LOG_LEVEL_INFO, "this host is master no more");
    add_master_ended(node);
    leave_master_ended(node);
}

static void look_who_leads(struct node *node)
{
    struct master_state *lead = &node->lead;
    uint64_t master = node_master(node);
    if (lead->is_begun && !(node_is_master(node) && lead->told_term == node->master_term))
        end(node);
    if (!lead->is_begun && node_is_master(node))
        begin(node);
    if (master == lead->told_master && node->master_term == lead->told_term)
        return;
    const struct host *host = host_by_epoch(&node->hosts, master);
    if (host && master != node->config.epoch)
        node_log(node, LOG_LEVEL_INFO, "host \"%s\" is master, term %llu", host->info.name,
                 (unsigned long long)node->master_term);
    if (node->master_term != lead->told_term)
        add_term_began(node);
    lead->told_master = master;
    lead->told_term = node->master_term;
    node->alive.is_due = true;
    if (master)
        commands_master_changed(node);
    leave_master_changed(node);
}

/* ---- who is to go ---- */

void master_doom(struct node *node, uint64_t epoch, bool is_doomed)
{
    struct peer *peer = peer_find(node, epoch);
    if (!peer || !host_by_epoch(&node->hosts, epoch))
        return;
    peer->is_doomed = is_doomed;
    node->lead.has_doomed |= is_doomed;
}

/* All of them in one command; once in each term, for what is proposed may be lost with the term. */
static void remove_doomed(struct node *node)
{
    uint32_t *numbers = arena_calloc(&node->scratch, node->peers.count, sizeof(*numbers));
    size_t count = 0;
    if (!node->lead.has_doomed || !numbers)
        return;
    node->lead.has_doomed = false;
    for (size_t i = 0; i < node->peers.count; i++) {
        const struct peer *peer = node->peers.entries[i].value;
        const struct host *host = host_by_epoch(&node->hosts, peer->epoch);
        if (peer->is_doomed && host && peer->removal_term != node->master_term)
            numbers[count++] = host->info.number;
    }
    if (count && !member_propose_removal(node, numbers, count, REMOVAL_FAILED, NULL, NULL)) {
        node->lead.has_doomed = true; /* at the next step */
        return;
    }
    for (size_t i = 0; i < count; i++)
        peer_find(node, host_by_number(&node->hosts, numbers[i])->info.epoch)->removal_term =
            node->master_term;
}

/* ---- who votes ---- */

/* The leader itself gives its place away first, and its vote is taken by the next one. */
static bool stays(const void *context, uint64_t epoch)
{
    const struct node *node = context;
    const struct peer *peer = peer_find(node, epoch);
    return epoch == node->config.epoch ||
           (!(peer && peer->is_doomed) && !leave_wants(node, epoch));
}

static bool a_voter_is_silent(const struct node *node)
{
    const struct log_voters *voters = log_voters(node->log);
    for (size_t i = 0; i < voters->count; i++) {
        const struct peer *peer = peer_find(node, voters->ids[i]);
        if (peer && peer->is_silent)
            return true;
    }
    return false;
}

/* Who is fed by another must be asked first. While a voter is silent nobody new votes: he would
 * have to say that he has not heard of it either, and he has only just begun to listen. */
static bool is_caught_up(const void *context, uint64_t epoch)
{
    const struct node *node = context;
    if (epoch == node->config.epoch)
        return true;
    if (a_voter_is_silent(node))
        return false;
    if (log_is_caught_up(node->log, epoch))
        return true;
    (void)log_follower_ask(node->log, epoch); /* without memory: at another step */
    return false;
}

static void choose_voters(struct node *node)
{
    const struct log_voters *now = log_voters(node->log);
    struct voters_judge judge = {stays, is_caught_up, node};
    if (!log_voters_settled(node->log))
        return;
    struct voters_wish wish = voters_choose(&node->hosts, now, node->config.epoch, &judge);
    if (voters_differ(now, &wish))
        (void)log_change_voters(node->log, wish.ids, wish.count, wish.tie);
}

/* ---- who is fed ---- */

/* Voters by number, then learners by number. */
static void feed(struct node *node)
{
    size_t most = node->hosts.count + 1;
    uint64_t *voters = arena_calloc(&node->scratch, most, sizeof(*voters));
    uint64_t *learners = arena_calloc(&node->scratch, most, sizeof(*learners));
    uint64_t children[TREE_FAN];
    struct tree tree = {.voters = voters, .learners = learners};
    const struct log_voters *now = log_voters(node->log);
    if (!voters || !learners) {
        node_fatal(node, "no memory to feed the log");
        return;
    }
    HOSTS_EACH(pos, following, &node->hosts) {
        uint64_t epoch = HOST_OF(pos)->info.epoch;
        bool votes = false;
        for (size_t i = 0; i < now->count; i++)
            votes |= now->ids[i] == epoch;
        if (votes)
            voters[tree.voter_count++] = epoch;
        else
            learners[tree.learner_count++] = epoch;
    }
    size_t count = tree_children(&tree, node->config.epoch, children);
    if (log_feed(node->log, children, count) < 0)
        node_fatal(node, "no memory to feed the log");
}

void master_members_changed(struct node *node)
{
    node->members_changed = false;
    if (!node->log || node->state == NODE_JOINING || node->state == NODE_CREATED)
        return;
    feed(node);
    member_sync_lost(node);
    alive_members_changed(node);
}

/* ---- in every step ---- */

void master_timer(struct node *node, struct timer *timer)
{
    (void)timer;
    node->lead.is_giving_away = false;
}

void master_run(struct node *node)
{
    node->lead.is_stirred = false;
    look_who_leads(node);
    if (!node->lead.is_begun || halt_is_for_all(node))
        return;
    remove_doomed(node);
    choose_voters(node);
    leave_run(node);
    add_run(node);
}
