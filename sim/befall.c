/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What befalls hosts and the network in a drawn story: a fault of sim/fault.h with drawn arguments.
 * Unless the story is wild no more hosts are struck at a time than the virtual machine promises to
 * survive: the voters that are well must outweigh the others.
 */
#include "sim/swarm_state.h"

#include "log/log.h"
#include "sim/host.h"

#include <string.h>

enum { VOTERS_MAX = 7, ARGUMENTS_MAX = 4, WORD_BYTES = 512 };

/* So long after a strike its host counts as struck: it was removed meanwhile, or is well again. */
#define STRUCK_NS (3 * swarm->drawn.dead_after_ns)

/* A strike being made. */
struct strike {
    struct swarm *swarm;
    struct sim_host *host;
    struct sim_host *other;
    char words[ARGUMENTS_MAX][WORD_BYTES];
    int count;
};

static void add_word(struct strike *strike, const char *word)
{
    str_copy(strike->words[strike->count++], WORD_BYTES, word);
}

static void add_number(struct strike *strike, uint32_t min, uint32_t max)
{
    char word[16];
    str_format(word, sizeof(word), "%u", (unsigned)swarm_draw(strike->swarm->rng, min, max));
    add_word(strike, word);
}

/* ---- how much may be struck ---- */

static bool was_struck(const struct swarm *swarm, const struct sim_host *host)
{
    return host->struck_ns && host->struck_ns + STRUCK_NS > swarm->world->now_ns;
}

/* It can vote now and for a while. */
static bool is_well(const struct swarm *swarm, uint64_t epoch)
{
    const struct sim_host *host = sim_host_of_epoch(swarm->world, epoch);
    return host && host->epoch == epoch && sim_host_is_awake(host) && !host->removed &&
           !host->mute && !was_struck(swarm, host) &&
           !sim_net_place_of(&swarm->world->net, host->place)->isolated;
}

static bool outweigh(const struct swarm *swarm, const uint64_t *ids, size_t count, uint64_t tie)
{
    uint32_t well = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t weight = ids[i] == tie ? LOG_WEIGHT_TIE : LOG_WEIGHT;
        all += weight;
        well += is_well(swarm, ids[i]) ? weight : 0;
    }
    return 2 * well > all;
}

/* Who leads, as far as anybody is certain; NULL = nobody now. */
static struct sim_host *leader(const struct swarm *swarm)
{
    struct sim_host *found = NULL;
    LIST_EACH(pos, following, &swarm->world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_awake(host) && node_leads(host->node) &&
            (!found || node_leads(host->node) > node_leads(found->node)))
            found = host;
    }
    return found;
}

/* The voters that are well decide without the others. */
static bool has_quorum(const struct swarm *swarm)
{
    const struct sim_host *host = leader(swarm);
    const struct log_voters *voters = host ? node_voters(host->node) : NULL;
    return voters && outweigh(swarm, voters->ids, voters->count, voters->tie) &&
           (!voters->old_count ||
            outweigh(swarm, voters->old_ids, voters->old_count, voters->old_tie));
}

/* Counts |host| as struck; false when that would be one too many: then it does not. */
static bool may_strike(struct swarm *swarm, struct sim_host *host)
{
    const uint64_t before_ns = host->struck_ns;
    host->struck_ns = swarm->world->now_ns;
    if (swarm->drawn.wild || has_quorum(swarm))
        return true;
    host->struck_ns = before_ns;
    return false;
}

/* ---- the kinds ---- */

/* Of one host, which may be lost by it. */
static bool strike_host(struct strike *strike)
{
    if (!may_strike(strike->swarm, strike->host))
        return false;
    add_word(strike, strike->host->name);
    return true;
}

/* The same of who leads now. */
static bool strike_master(struct strike *strike)
{
    strike->host = leader(strike->swarm);
    return strike->host && strike_host(strike);
}

/* Of one host, which is not lost by it. */
static bool bother_host(struct strike *strike)
{
    add_word(strike, strike->host->name);
    return true;
}

static bool strike_blackout(struct strike *strike)
{
    if (!strike_host(strike))
        return false;
    add_number(strike, 10, 3000);
    return true;
}

static bool strike_starve(struct strike *strike)
{
    if (!strike_host(strike))
        return false;
    add_number(strike, 10, 500);
    add_number(strike, 100, 10000);
    return true;
}

static bool bother_drift(struct strike *strike)
{
    char word[16];
    const int32_t drift = (int32_t)swarm_draw(strike->swarm->rng, 0, 20000) - 10000;
    str_format(word, sizeof(word), "%d", (int)drift);
    add_word(strike, strike->host->name);
    add_word(strike, word);
    return true;
}

static bool bother_pair(struct strike *strike)
{
    if (!strike->other || strike->host == strike->other)
        return false;
    add_word(strike, strike->host->name);
    add_word(strike, strike->other->name);
    return true;
}

/* The way that is cut need not be the only one. */
static bool strike_pair(struct strike *strike)
{
    return bother_pair(strike) && may_strike(strike->swarm, strike->host);
}

static bool strike_clog(struct strike *strike)
{
    if (!strike_pair(strike))
        return false;
    add_number(strike, 1, 4000);
    return true;
}

static bool bother_slow(struct strike *strike)
{
    if (!bother_pair(strike))
        return false;
    add_number(strike, 1, 100);
    return true;
}

/* Some on one side, all others on the other. */
static bool strike_partition(struct strike *strike)
{
    struct swarm *swarm = strike->swarm;
    uint32_t few = swarm_draw(swarm->rng, 1, VOTERS_MAX);
    size_t lengths[2] = {0, 0};
    uint32_t counts[2] = {0, 0};
    char sides[2][WORD_BYTES];
    LIST_EACH(pos, following, &swarm->world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host))
            continue;
        const int side = few && rng_chance(swarm->rng, 500000) && may_strike(swarm, host) ? 0 : 1;
        few -= side == 0;
        if (lengths[side] + strlen(host->name) + 2 > WORD_BYTES)
            return false;
        lengths[side] += str_format(sides[side] + lengths[side], WORD_BYTES - lengths[side],
                                    "%s%s", counts[side]++ ? "," : "", host->name);
    }
    if (!counts[0] || !counts[1])
        return false;
    add_word(strike, sides[0]);
    add_word(strike, sides[1]);
    return true;
}

static bool wire_percent(struct strike *strike)
{
    add_number(strike, 0, 10);
    return true;
}

static bool wire_burst(struct strike *strike)
{
    const uint32_t ms_max = (uint32_t)(strike->swarm->drawn.dead_after_ns / 25 / SIM_NS_PER_MS);
    add_number(strike, 0, 30);
    add_number(strike, 5, ms_max);
    return true;
}

static bool of_start(struct strike *strike)
{
    char name[16];
    str_format(name, sizeof(name), "h%u", (unsigned)strike->swarm->host_names + 1);
    add_word(strike, name);
    return true;
}

static bool of_nobody(struct strike *strike)
{
    return true;
}

static bool end_standstill(struct strike *strike, enum sim_standstill why)
{
    LIST_EACH(pos, following, &strike->swarm->world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host) || !(host->standstill & (uint32_t)why))
            continue;
        host->struck_ns = strike->swarm->world->now_ns;
        add_word(strike, host->name);
        return true;
    }
    return false;
}

static bool end_freeze(struct strike *strike)
{
    return end_standstill(strike, SIM_DAEMON_STOPPED);
}

static bool end_suspend(struct strike *strike)
{
    return end_standstill(strike, SIM_SUSPENDED);
}

enum { CRASHES = 1, SPLITS = 2, BOTH = 3 };

static const struct {
    const char *name;
    uint32_t weight;
    uint32_t mixes;
    bool (*fill)(struct strike *strike);
} kinds[] = {
    {"crash", 10, CRASHES, strike_host},       {"kill", 10, CRASHES, strike_host},
    {"crash", 5, CRASHES, strike_master},      {"kill", 5, CRASHES, strike_master},
    {"freeze", 8, CRASHES, strike_host},       {"thaw", 8, CRASHES, end_freeze},
    {"freeze", 3, CRASHES, strike_master},     {"suspend", 5, CRASHES, strike_host},
    {"resume", 6, CRASHES, end_suspend},       {"starve", 6, CRASHES, strike_starve},
    {"drift", 3, CRASHES, bother_drift},       {"disk-full", 1, CRASHES, bother_host},
    {"start-fails", 3, CRASHES, of_start},     {"start-hangs", 2, CRASHES, of_start},
    {"spawn-fails", 3, CRASHES, bother_host},  {"isolate", 5, BOTH, strike_host},
    {"isolate", 3, SPLITS, strike_master},     {"blackout", 6, BOTH, strike_blackout},
    {"partition", 12, SPLITS, strike_partition}, {"cut", 6, BOTH, strike_pair},
    {"cut-one-way", 5, BOTH, strike_pair},     {"half-open", 5, BOTH, strike_pair},
    {"clog", 4, SPLITS, strike_clog},          {"slow", 4, SPLITS, bother_slow},
    {"rebind", 3, BOTH, bother_host},          {"move", 2, BOTH, bother_host},
    {"heal", 10, BOTH, of_nobody},             {"burst", 3, SPLITS, wire_burst},
    {"lossy", 2, SPLITS, wire_percent},        {"corrupt", 2, SPLITS, wire_percent},
};

bool swarm_befall(struct swarm *swarm)
{
    const uint32_t mixes = swarm->drawn.mix == SIM_MIX_CRASHES ? CRASHES : SPLITS;
    struct strike strike = {.swarm = swarm, .host = swarm_any_host(swarm),
                            .other = swarm_any_host(swarm)};
    uint32_t sum = 0;
    size_t i = 0;
    if (!strike.host)
        return false;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        sum += kinds[k].mixes & mixes ? kinds[k].weight : 0;
    uint32_t at = (uint32_t)rng_below(swarm->rng, sum);
    for (;; i++) {
        const uint32_t weight = kinds[i].mixes & mixes ? kinds[i].weight : 0;
        if (at < weight)
            break;
        at -= weight;
    }
    add_word(&strike, kinds[i].name);
    if (!kinds[i].fill(&strike))
        return false;
    char *words[ARGUMENTS_MAX + 1] = {NULL};
    char error[128];
    for (int w = 0; w < strike.count; w++)
        words[w] = strike.words[w];
    return sim_fault_apply(swarm->world, words, strike.count, error, sizeof(error)) == 0;
}
