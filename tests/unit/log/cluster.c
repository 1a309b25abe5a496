/* SPDX-License-Identifier: BSD-3-Clause */
/* Several logs and a bag of messages: see the header. */
#include "cluster.h"

#include "base/mem.h"
#include "log/tree.h"

#include <string.h>

/* ---- what must hold (figure 3.2) ---- */

static void breach(struct cluster *cluster, const char *what)
{
    if (!cluster->wrong)
        cluster->wrong = what;
}

/* Election Safety: at most one leader in a term. */
static void check_election_safety(struct cluster *cluster, int member)
{
    uint64_t term = log_term(cluster->members[member].log);
    CHECK(term < CLUSTER_TERMS);
    if (cluster->leaders[term] && cluster->leaders[term] != member)
        breach(cluster, "two leaders in one term");
    cluster->leaders[term] = member;
}

/* Leader Completeness: who leads has all that was committed in older terms. (A leader of an older
 * term may be late, and is held back by the terms of the others.) */
static void check_completeness(struct cluster *cluster, int member)
{
    const struct log *log = cluster->members[member].log;
    for (uint64_t i = log->base_index + 1; i <= cluster->applied_last; i++) {
        if (cluster->applied[i].known_in < log_term(log) &&
            entry_term(log, i) != cluster->applied[i].term)
            breach(cluster, "a leader lacks what is committed");
    }
}

static void check_leader(struct cluster *cluster, int member)
{
    struct member *self = &cluster->members[member];
    if (!self->log || !log_is_leader(self->log) || self->leads_checked == log_term(self->log))
        return;
    self->leads_checked = log_term(self->log);
    check_election_safety(cluster, member);
    check_completeness(cluster, member);
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
    return a->term == b->term && a->length == b->length &&
           memcmp(a->command, b->command, a->length) == 0;
}

/* Log Matching: the same term at an index means the same entries up to there. */
static void check_matching(struct cluster *cluster, const struct log *a, const struct log *b)
{
    uint64_t first = MAX_OF(a->base_index, b->base_index) + 1;
    bool same = false;
    for (uint64_t i = MIN_OF(log_last_index(a), log_last_index(b)); i >= first; i--) {
        same = same || entry_term(a, i) == entry_term(b, i);
        if (same && !same_entry(entry_at(a, i), entry_at(b, i)))
            breach(cluster, "logs that agree at one entry differ before it");
    }
}

static void check_all_matching(struct cluster *cluster)
{
    for (int a = 1; a <= CLUSTER_MAX; a++) {
        for (int b = a + 1; b <= CLUSTER_MAX; b++) {
            if (cluster->members[a].log && cluster->members[b].log)
                check_matching(cluster, cluster->members[a].log, cluster->members[b].log);
        }
    }
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

/* State Machine Safety: nobody applies another command at the same index. */
static void check_applied(struct cluster *cluster, uint64_t index, uint64_t term, uint64_t hash,
                          uint64_t known_in)
{
    CHECK(index < CLUSTER_INDEXES);
    if (index > cluster->applied_last) {
        cluster->applied[index] = (struct chain){term, known_in, hash};
        cluster->applied_last = index;
    } else if (cluster->applied[index].hash != hash || cluster->applied[index].term != term) {
        breach(cluster, "two members applied different commands");
    }
}

/* ---- one member ---- */

static void apply_all(struct cluster *cluster, struct member *member)
{
    struct log_entry entry;
    while (log_next_committed(member->log, &entry)) {
        if (entry.is_snapshot) {
            memcpy(&member->hash, entry.command, sizeof(member->hash));
        } else {
            member->hash = mix(mix(member->hash, entry.index), entry.term);
            for (size_t i = 0; i < entry.length; i++)
                member->hash = mix(member->hash, entry.command[i]);
        }
        check_applied(cluster, entry.index, entry.term, member->hash, log_term(member->log));
        log_applied(member->log);
    }
}

void cluster_compact(struct cluster *cluster, int member)
{
    struct member *self = &cluster->members[member];
    apply_all(cluster, self);
    if (log_applied_index(self->log) > 0)
        log_compact(self->log, &self->hash, sizeof(self->hash));
}

/* By this member's own view of the voters; all who are there are in the table. */
static void feed(struct cluster *cluster, int member)
{
    struct log *log = cluster->members[member].log;
    uint64_t learners[CLUSTER_MAX];
    uint64_t children[TREE_FAN];
    const struct log_voters *voters = log_voters(log);
    struct tree tree = {voters->ids, voters->count, learners, 0};
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        bool votes = false;
        for (size_t v = 0; v < voters->count; v++)
            votes |= voters->ids[v] == (uint64_t)i;
        if (cluster->members[i].log && !votes)
            learners[tree.learner_count++] = (uint64_t)i;
    }
    size_t count = tree_children(&tree, (uint64_t)member, children);
    log_feed(log, children, count);
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        const struct follower *follower = follower_find(log, (uint64_t)i);
        if (follower && follower->answered && !follower->has_nothing)
            log_follower_hand_on(log, (uint64_t)i);
    }
}

/* ---- the bag ---- */

static void put(struct cluster *cluster, struct parcel parcel)
{
    if (mem_grow((void **)&cluster->parcels, &cluster->parcel_capacity, cluster->parcel_count + 1,
                 sizeof(parcel)) < 0) {
        mem_free(parcel.bytes);
        return;
    }
    parcel.sequence = ++cluster->sequence;
    parcel.due_ns = cluster->now_ns + cluster->delay_min_ns +
                    rng_below(&cluster->rng, cluster->delay_spread_ns);
    cluster->parcels[cluster->parcel_count++] = parcel;
}

static void post(struct cluster *cluster, struct parcel parcel)
{
    struct parcel copy = parcel;
    if (rng_chance(&cluster->rng, cluster->loss_ppm)) {
        mem_free(parcel.bytes);
        return;
    }
    if (parcel.bytes && rng_chance(&cluster->rng, cluster->repeat_ppm)) {
        copy.bytes = mem_dup(parcel.bytes, parcel.length);
        if (copy.bytes)
            put(cluster, copy);
    }
    put(cluster, parcel);
}

static void post_message(struct cluster *cluster, int from, uint64_t to,
                         const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    uint8_t *bytes = wr.bad ? NULL : mem_dup(wr.bytes, wr.length);
    if (bytes)
        post(cluster,
             (struct parcel){.from = from, .to = (int)to, .bytes = bytes, .length = wr.length});
    wr_fini(&wr);
}

void cluster_flush(struct cluster *cluster, int member)
{
    struct member *self = &cluster->members[member];
    struct message message;
    uint64_t to;
    if (!self->log)
        return;
    apply_all(cluster, self);
    if (!cluster->without_tree)
        feed(cluster, member);
    while (log_pull(self->log, cluster->now_ns, &cluster->arena, &to, &message))
        post_message(cluster, member, to, &message);
    arena_reset(&cluster->arena);
    check_leader(cluster, member);
}

/* ---- beats: as detect asks (docs/faults.md) ---- */

static void beat(struct cluster *cluster, int member)
{
    struct member *self = &cluster->members[member];
    uint64_t leader = log_leader(self->log);
    self->next_beat_ns = cluster->now_ns + BEAT_NS;
    if (leader && leader != (uint64_t)member && log_is_voter(self->log, (uint64_t)member))
        post(cluster, (struct parcel){.from = member,
                                      .to = (int)leader,
                                      .term = self->echo_term,
                                      .at_ns = self->echo_ns});
}

static void hear_beat(struct cluster *cluster, const struct parcel *parcel)
{
    struct member *self = &cluster->members[parcel->to];
    if (parcel->is_answer) {
        log_leader_heard(self->log, (uint64_t)parcel->from, parcel->term, cluster->now_ns);
        self->echo_term = parcel->term;
        self->echo_ns = parcel->at_ns;
    } else if (log_is_leader(self->log)) {
        if (parcel->term == log_term(self->log))
            log_voter_heard(self->log, (uint64_t)parcel->from, parcel->at_ns);
        post(cluster, (struct parcel){.from = parcel->to,
                                      .to = parcel->from,
                                      .is_answer = true,
                                      .term = log_term(self->log),
                                      .at_ns = cluster->now_ns});
    }
}

/* ---- events ---- */

static void deliver(struct cluster *cluster, const struct parcel *parcel)
{
    struct member *self = &cluster->members[parcel->to];
    struct message message;
    if (!self->log || cluster->is_cut[parcel->from][parcel->to])
        return;
    if (!parcel->bytes) {
        hear_beat(cluster, parcel);
    } else if (message_decode(parcel->bytes, parcel->length, &cluster->arena, &message) == 0) {
        log_receive(self->log, (uint64_t)parcel->from, &message, cluster->now_ns);
        cluster->messages++;
    }
    cluster_flush(cluster, parcel->to);
}

static size_t next_parcel(const struct cluster *cluster)
{
    size_t best = 0;
    for (size_t i = 1; i < cluster->parcel_count; i++) {
        const struct parcel *a = &cluster->parcels[i];
        const struct parcel *b = &cluster->parcels[best];
        if (a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence))
            best = i;
    }
    return best;
}

static uint64_t member_deadline(const struct cluster *cluster, const struct member *member)
{
    if (!member->log)
        return UINT64_MAX;
    uint64_t at = log_deadline(member->log);
    return cluster->without_beats ? at : MIN_OF(at, member->next_beat_ns);
}

static void member_expire(struct cluster *cluster, int member)
{
    struct member *self = &cluster->members[member];
    if (!cluster->without_beats && cluster->now_ns >= self->next_beat_ns)
        beat(cluster, member);
    log_expire(self->log, cluster->now_ns);
    cluster_flush(cluster, member);
}

static int next_member(const struct cluster *cluster)
{
    int best = 1;
    for (int i = 2; i <= CLUSTER_MAX; i++) {
        if (member_deadline(cluster, &cluster->members[i]) <
            member_deadline(cluster, &cluster->members[best]))
            best = i;
    }
    return best;
}

bool cluster_step(struct cluster *cluster, uint64_t until_ns)
{
    size_t at = next_parcel(cluster);
    int member = next_member(cluster);
    uint64_t parcel_ns = cluster->parcel_count ? cluster->parcels[at].due_ns : UINT64_MAX;
    uint64_t member_ns = member_deadline(cluster, &cluster->members[member]);
    if (cluster->wrong || MIN_OF(parcel_ns, member_ns) > until_ns)
        return false;
    cluster->now_ns = MAX_OF(cluster->now_ns, MIN_OF(parcel_ns, member_ns));
    if (member_ns < parcel_ns) {
        member_expire(cluster, member);
        return true;
    }
    struct parcel parcel = cluster->parcels[at];
    cluster->parcels[at] = cluster->parcels[--cluster->parcel_count];
    deliver(cluster, &parcel);
    mem_free(parcel.bytes);
    return true;
}

void cluster_run(struct cluster *cluster, uint64_t until_ns)
{
    while (cluster_step(cluster, until_ns))
        ;
    cluster->now_ns = MAX_OF(cluster->now_ns, until_ns);
    check_all_matching(cluster);
}

void cluster_run_for(struct cluster *cluster, uint64_t ns)
{
    cluster_run(cluster, cluster->now_ns + ns);
}

bool cluster_run_until(struct cluster *cluster, bool (*done)(struct cluster *cluster),
                       uint64_t within_ns)
{
    uint64_t until_ns = cluster->now_ns + within_ns;
    while (!done(cluster)) {
        if (!cluster_step(cluster, until_ns))
            return done(cluster);
    }
    check_all_matching(cluster);
    return true;
}

/* ---- members ---- */

void cluster_init(struct cluster *cluster, uint64_t seed)
{
    memset(cluster, 0, sizeof(*cluster));
    rng_seed(&cluster->rng, seed);
    cluster->now_ns = 1000 * MS;
    cluster->delay_min_ns = MS;
    cluster->delay_spread_ns = 5 * MS;
    arena_init(&cluster->arena);
}

void cluster_fini(struct cluster *cluster)
{
    for (int i = 1; i <= CLUSTER_MAX; i++)
        log_destroy(cluster->members[i].log);
    for (size_t i = 0; i < cluster->parcel_count; i++)
        mem_free(cluster->parcels[i].bytes);
    mem_free(cluster->parcels);
    arena_fini(&cluster->arena);
}

void cluster_create(struct cluster *cluster, int member)
{
    struct log_config config = {
        .self = (uint64_t)member,
        .resend_ns = RESEND_NS,
        .election_ns = ELECTION_NS,
        .election_spread_ns = SPREAD_NS,
        .seed = rng_next(&cluster->rng),
    };
    cluster->members[member] = (struct member){
        .log = log_create(&config),
        .was_used = true,
        .next_beat_ns = cluster->now_ns + rng_below(&cluster->rng, BEAT_NS),
    };
}

void cluster_join(struct cluster *cluster, int member)
{
    int leader = cluster_leader(cluster);
    cluster_create(cluster, member);
    if (!leader)
        return;
    cluster_compact(cluster, leader);
    log_follower_add(cluster->members[leader].log, (uint64_t)member);
    cluster_flush(cluster, leader);
}

void cluster_kill(struct cluster *cluster, int member)
{
    log_destroy(cluster->members[member].log);
    cluster->members[member] = (struct member){.was_used = true};
}

void cluster_tombstone(struct cluster *cluster, int member)
{
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (!cluster->members[i].log)
            continue;
        log_dead(cluster->members[i].log, (uint64_t)member, cluster->now_ns);
        cluster_flush(cluster, i);
    }
}

void cluster_begin(struct cluster *cluster, uint64_t seed, int count, int voters)
{
    cluster_init(cluster, seed);
    cluster_create(cluster, 1);
    log_found(cluster->members[1].log, cluster->now_ns);
    cluster_flush(cluster, 1);
    for (int i = 2; i <= count; i++)
        cluster_join(cluster, i);
    cluster_run_for(cluster, 1000 * MS);
    if (voters > 1)
        cluster_change(cluster, 1, (UINT32_C(2) << voters) - 2, 1);
    cluster_run_for(cluster, 2000 * MS);
}

/* ---- cuts ---- */

void cluster_cut(struct cluster *cluster, int a, int b, bool cut)
{
    cluster->is_cut[a][b] = cluster->is_cut[b][a] = cut;
}

void cluster_split(struct cluster *cluster, uint32_t side)
{
    for (int a = 1; a <= CLUSTER_MAX; a++) {
        for (int b = 1; b <= CLUSTER_MAX; b++)
            cluster->is_cut[a][b] = ((side >> a) & 1) != ((side >> b) & 1);
    }
}

void cluster_heal(struct cluster *cluster)
{
    memset(cluster->is_cut, 0, sizeof(cluster->is_cut));
    for (int a = 1; a <= CLUSTER_MAX; a++) {
        for (int b = 1; b <= CLUSTER_MAX && cluster->members[a].log; b++)
            log_follower_retry(cluster->members[a].log, (uint64_t)b);
        cluster_flush(cluster, a);
    }
}

/* ---- asking ---- */

int cluster_leader(const struct cluster *cluster)
{
    int leader = 0;
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        const struct log *log = cluster->members[i].log;
        if (log && log_is_leader(log) &&
            (!leader || log_term(log) > log_term(cluster->members[leader].log)))
            leader = i;
    }
    return leader;
}

uint64_t cluster_propose(struct cluster *cluster, int member, char letter)
{
    uint8_t command[3] = {0xff, 0xff, (uint8_t)letter};
    uint64_t index = log_propose(cluster->members[member].log, command, sizeof(command));
    cluster_flush(cluster, member);
    return index;
}

int cluster_change(struct cluster *cluster, int member, uint32_t voters, int tie)
{
    uint64_t ids[32];
    size_t count = 0;
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if ((voters >> i) & 1)
            ids[count++] = (uint64_t)i;
    }
    int result = log_change_voters(cluster->members[member].log, ids, count, (uint64_t)tie);
    cluster_flush(cluster, member);
    return result;
}

bool cluster_has_leader(struct cluster *cluster)
{
    int leader = cluster_leader(cluster);
    const struct log *log = leader ? cluster->members[leader].log : NULL;
    return log && entry_term(log, log_commit_index(log)) == log_term(log);
}

bool cluster_agrees(struct cluster *cluster)
{
    int leader = cluster_leader(cluster);
    if (!leader || !cluster_has_leader(cluster))
        return false;
    uint64_t last = log_last_index(cluster->members[leader].log);
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        const struct log *log = cluster->members[i].log;
        if (log && (log_leader(log) != (uint64_t)leader || log_applied_index(log) != last))
            return false;
    }
    return log_voters_settled(cluster->members[leader].log);
}

uint32_t cluster_voters(const struct cluster *cluster, int member)
{
    const struct log_voters *voters = log_voters(cluster->members[member].log);
    uint32_t bits = 0;
    for (size_t i = 0; i < voters->count; i++)
        bits |= UINT32_C(1) << voters->ids[i];
    return bits;
}
