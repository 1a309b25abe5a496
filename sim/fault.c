/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of faults and what each does: see the header. */
#include "sim/fault.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/world.h"

#include <string.h>

struct rule {
    struct list link;
    enum sim_start_fault start; /* SIM_START_SOUND: a rule for children */
    char name[64];
};

/* One fault at work: its arguments, and where to say what is wrong with them. */
struct call {
    struct sim_world *world;
    char *const *words;
    int count;
    char *error;
    size_t error_bytes;
};

static int refuse(const struct call *call, const char *why, const char *word)
{
    str_format(call->error, call->error_bytes, "%s: %s \"%s\"", call->words[0], why, word);
    return -1;
}

static struct sim_host *host_argument(const struct call *call, int at)
{
    struct sim_host *host = sim_world_host(call->world, call->words[at]);
    if (!host)
        refuse(call, "no running host", call->words[at]);
    return host;
}

static int number_argument(const struct call *call, int at, int64_t min, int64_t max,
                           int64_t *value)
{
    if (str_to_i64(call->words[at], value) < 0 || *value < min || *value > max)
        return refuse(call, "not a number that can be", call->words[at]);
    return 0;
}

static int ms_argument(const struct call *call, int at, uint64_t *duration_ns)
{
    int64_t value;
    if (number_argument(call, at, 0, 3600000, &value) < 0)
        return -1;
    *duration_ns = (uint64_t)value * SIM_NS_PER_MS;
    return 0;
}

/* A way was cut, or will be given back at |until_ns|. */
static void ways_change(const struct call *call, uint64_t until_ns)
{
    struct sim_net *net = &call->world->net;
    net->changed_ns = MAX_OF(net->changed_ns, MAX_OF(until_ns, call->world->now_ns));
}

/* The paths between the places of words 1 and 2. */
static int both_paths(const struct call *call, struct sim_path **there, struct sim_path **back)
{
    struct sim_net *net = &call->world->net;
    const uint32_t a = sim_net_place(net, call->words[1]);
    const uint32_t b = sim_net_place(net, call->words[2]);
    *there = sim_net_path(net, a, b);
    *back = sim_net_path(net, b, a);
    return *there && *back ? 0 : refuse(call, "no memory for", call->words[1]);
}

static int fault_cut(const struct call *call)
{
    struct sim_path *there, *back;
    if (both_paths(call, &there, &back) < 0)
        return -1;
    there->cut = back->cut = true;
    ways_change(call, 0);
    return 0;
}

static int fault_cut_one_way(const struct call *call)
{
    struct sim_path *there, *back;
    if (both_paths(call, &there, &back) < 0)
        return -1;
    there->cut = true;
    ways_change(call, 0);
    return 0;
}

/* What comes first, such as the answer of a handshake, is lost: one end knows of a link, the other
 * does not. */
static int fault_half_open(const struct call *call)
{
    struct sim_path *there, *back;
    if (both_paths(call, &there, &back) < 0)
        return -1;
    there->cut_until_ns = call->world->now_ns + SIM_NS_PER_S;
    ways_change(call, there->cut_until_ns);
    return 0;
}

static struct sim_place *place_argument(const struct call *call, int at)
{
    struct sim_net *net = &call->world->net;
    const uint32_t number = sim_net_place(net, call->words[at]);
    if (!number)
        refuse(call, "no memory for", call->words[at]);
    return number ? sim_net_place_of(net, number) : NULL;
}

static int fault_isolate(const struct call *call)
{
    struct sim_place *place = place_argument(call, 1);
    if (!place)
        return -1;
    place->isolated = true;
    ways_change(call, 0);
    return 0;
}

static int fault_blackout(const struct call *call)
{
    struct sim_place *place = place_argument(call, 1);
    uint64_t duration_ns;
    if (!place || ms_argument(call, 2, &duration_ns) < 0)
        return -1;
    place->dark_until_ns = call->world->now_ns + duration_ns;
    ways_change(call, place->dark_until_ns);
    return 0;
}

/* Each word is a set, names divided by commas. Who is in none passes everywhere. */
static int fault_partition(const struct call *call)
{
    struct sim_net *net = &call->world->net;
    for (uint32_t i = 1; i <= net->places.count; i++)
        sim_net_place_of(net, i)->side = 0;
    net->sides = 0;
    for (int i = 1; i < call->count; i++) {
        net->sides++;
        for (const char *at = call->words[i]; *at;) {
            char name[64];
            const size_t length = strcspn(at, ",");
            str_format(name, sizeof(name), "%.*s", (int)length, at);
            const uint32_t number = sim_net_place(net, name);
            if (!number)
                return refuse(call, "no memory for", name);
            sim_net_place_of(net, number)->side = net->sides;
            at += length + (at[length] == ',');
        }
    }
    ways_change(call, 0);
    return 0;
}

static int percent_argument(const struct call *call, uint32_t *ppm)
{
    int64_t value;
    if (str_to_i64(call->words[1], &value) < 0 || value < 0 || value > 100)
        return refuse(call, "not a percentage", call->words[1]);
    *ppm = (uint32_t)value * 10000;
    return 0;
}

static int fault_lossy(const struct call *call)
{
    return percent_argument(call, &call->world->net.standard.loss_ppm);
}

static int fault_duplicate(const struct call *call)
{
    return percent_argument(call, &call->world->net.standard.duplicate_ppm);
}

static int fault_reorder(const struct call *call)
{
    return percent_argument(call, &call->world->net.standard.reorder_ppm);
}

static int fault_burst(const struct call *call)
{
    struct sim_path *standard = &call->world->net.standard;
    if (percent_argument(call, &standard->burst_ppm) < 0)
        return -1;
    return ms_argument(call, 2, &standard->burst_ns);
}

static int fault_corrupt(const struct call *call)
{
    return percent_argument(call, &call->world->net.standard.corrupt_ppm);
}

static int fault_slow(const struct call *call)
{
    struct sim_path *there, *back;
    uint64_t delay_ns;
    if (ms_argument(call, 3, &delay_ns) < 0 || both_paths(call, &there, &back) < 0)
        return -1;
    there->delay_ns = back->delay_ns = delay_ns;
    return 0;
}

static int fault_clog(const struct call *call)
{
    struct sim_path *there, *back;
    uint64_t duration_ns;
    if (ms_argument(call, 3, &duration_ns) < 0 || both_paths(call, &there, &back) < 0)
        return -1;
    there->clogged_until_ns = call->world->now_ns + duration_ns;
    ways_change(call, there->clogged_until_ns);
    return 0;
}

static int fault_heal(const struct call *call)
{
    sim_net_heal(&call->world->net, call->world->now_ns);
    return 0;
}

static int rebind(const struct call *call, bool moves)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    host->troubled_ns = call->world->now_ns;
    return sim_net_rebind(call->world, host, moves);
}

static int fault_rebind(const struct call *call)
{
    return rebind(call, false);
}

static int fault_move(const struct call *call)
{
    return rebind(call, true);
}

static int fault_crash(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_crash(host);
    return 0;
}

static int fault_kill(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    if (host->standstill & (SIM_SUSPENDED | SIM_STARVED))
        return refuse(call, "nothing can be killed on", host->name);
    sim_host_kill(host);
    return 0;
}

static int halt(const struct call *call, enum sim_standstill why)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_halt(host, why);
    return 0;
}

static int go_on(const struct call *call, enum sim_standstill why)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_go_on(host, why);
    return 0;
}

static int fault_freeze(const struct call *call)
{
    return halt(call, SIM_DAEMON_STOPPED);
}

static int fault_thaw(const struct call *call)
{
    return go_on(call, SIM_DAEMON_STOPPED);
}

static int fault_suspend(const struct call *call)
{
    return halt(call, SIM_SUSPENDED);
}

static int fault_resume(const struct call *call)
{
    return go_on(call, SIM_SUSPENDED);
}

static int fault_starve(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    uint64_t period_ns, duration_ns;
    if (!host || ms_argument(call, 2, &period_ns) < 0 || ms_argument(call, 3, &duration_ns) < 0)
        return -1;
    sim_host_starve(host, period_ns, duration_ns);
    return 0;
}

static int fault_drift(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    int64_t drift_ppm;
    if (!host || number_argument(call, 2, -SIM_CLOCK_DRIFT_PPM_MAX, SIM_CLOCK_DRIFT_PPM_MAX,
                                 &drift_ppm) < 0)
        return -1;
    sim_host_drift(host, drift_ppm);
    return 0;
}

static int fault_disk_full(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    host->disk_full = true;
    return 0;
}

static int add_rule(const struct call *call, enum sim_start_fault start)
{
    struct rule *rule = mem_calloc(1, sizeof(*rule));
    if (!rule)
        return refuse(call, "no memory for", call->words[1]);
    rule->start = start;
    str_copy(rule->name, sizeof(rule->name), call->words[1]);
    list_push_back(&call->world->faults.rules, &rule->link);
    return 0;
}

static int fault_start_fails(const struct call *call)
{
    return add_rule(call, SIM_START_FAILS);
}

static int fault_start_hangs(const struct call *call)
{
    return add_rule(call, SIM_START_HANGS);
}

static int fault_start_mute(const struct call *call)
{
    return add_rule(call, SIM_START_MUTE);
}

static int fault_spawn_fails(const struct call *call)
{
    return add_rule(call, SIM_START_SOUND);
}

static const struct {
    const char *name;
    const char *arguments;
    int (*apply)(const struct call *call);
} faults[] = {
#define FAULT_ROW(name, arguments, function, text) {name, arguments, function},
    SIM_FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

void sim_faults_init(struct sim_faults *waiting)
{
    *waiting = (struct sim_faults){0};
    list_init(&waiting->rules);
}

void sim_faults_fini(struct sim_faults *waiting)
{
    LIST_EACH(pos, following, &waiting->rules) {
        list_remove(pos);
        mem_free(LIST_ENTRY(pos, struct rule, link));
    }
}

static int words_in(const char *text)
{
    int count = *text ? 1 : 0;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

int sim_fault_apply(struct sim_world *world, char *const *words, int count, char *error,
                    size_t error_bytes)
{
    const struct call call = {world, words, count, error, error_bytes};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (!str_equal(faults[i].name, words[0]))
            continue;
        const bool more = strstr(faults[i].arguments, "...") != NULL;
        if (more ? count < 3 : count - 1 != words_in(faults[i].arguments)) {
            str_format(error, error_bytes, "usage: %s %s", words[0], faults[i].arguments);
            return -1;
        }
        char line[256] = "";
        size_t length = 0;
        for (int w = 0; w < count; w++)
            length += str_format(line + length, sizeof(line) - length, "%s%s", w ? " " : "",
                                 words[w]);
        SIM_TELL(world, SIM_TRACE_FAULT, "world", "%s", line);
        return faults[i].apply(&call);
    }
    return 1;
}

static bool use_rule(struct sim_world *world, const char *name, bool of_children,
                     enum sim_start_fault *start)
{
    LIST_EACH(pos, following, &world->faults.rules) {
        struct rule *rule = LIST_ENTRY(pos, struct rule, link);
        if ((rule->start == SIM_START_SOUND) != of_children || !str_equal(rule->name, name))
            continue;
        *start = rule->start;
        list_remove(pos);
        mem_free(rule);
        return true;
    }
    return false;
}

enum sim_start_fault sim_fault_of_start(struct sim_world *world, const char *name)
{
    enum sim_start_fault start;
    if (use_rule(world, name, false, &start))
        return start;
    const struct sim_faults *waiting = &world->faults;
    if (waiting->start_fails_ppm && rng_chance(&world->faults_rng, waiting->start_fails_ppm))
        return SIM_START_FAILS;
    if (waiting->start_hangs_ppm && rng_chance(&world->faults_rng, waiting->start_hangs_ppm))
        return SIM_START_HANGS;
    return SIM_START_SOUND;
}

bool sim_fault_of_spawn(struct sim_world *world, const char *name)
{
    enum sim_start_fault start;
    if (use_rule(world, name, true, &start))
        return true;
    const uint32_t ppm = world->faults.spawn_fails_ppm;
    return ppm && rng_chance(&world->faults_rng, ppm);
}

void sim_fault_end_all(struct sim_world *world)
{
    sim_faults_fini(&world->faults);
    sim_faults_init(&world->faults);
    sim_net_heal(&world->net, world->now_ns);
    LIST_EACH(pos, following, &world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        sim_host_starve(host, 0, 0);
        sim_host_go_on(host, SIM_DAEMON_STOPPED);
        sim_host_go_on(host, SIM_SUSPENDED);
    }
}
