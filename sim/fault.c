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
    char name[256];
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

static void mark_doubtful(struct sim_world *world, const char *name)
{
    struct sim_host *host = sim_world_host(world, name);
    if (host)
        host->doubtful = true;
}

static int set_cut(const struct call *call, bool both)
{
    struct sim_net *net = &call->world->net;
    const uint32_t a = sim_net_place(net, call->words[1]);
    const uint32_t b = sim_net_place(net, call->words[2]);
    struct sim_path *there = sim_net_path(net, a, b);
    struct sim_path *back = sim_net_path(net, b, a);
    if (!there || !back)
        return refuse(call, "no memory for", call->words[1]);
    there->cut = true;
    if (both)
        back->cut = true;
    mark_doubtful(call->world, call->words[1]);
    mark_doubtful(call->world, call->words[2]);
    return 0;
}

static int fault_cut(const struct call *call)
{
    return set_cut(call, true);
}

static int fault_cut_one_way(const struct call *call)
{
    return set_cut(call, false);
}

static int fault_isolate(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    host->doubtful = true;
    LIST_EACH(pos, following, &call->world->hosts) {
        struct sim_host *other = LIST_ENTRY(pos, struct sim_host, link);
        if (other->place == host->place)
            continue;
        struct sim_path *there = sim_net_path(&call->world->net, host->place, other->place);
        struct sim_path *back = sim_net_path(&call->world->net, other->place, host->place);
        if (!there || !back)
            return refuse(call, "no memory for", call->words[1]);
        there->cut = back->cut = true;
    }
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

static int fault_slow(const struct call *call)
{
    int64_t value;
    if (str_to_i64(call->words[3], &value) < 0 || value < 0 || value > 3600000)
        return refuse(call, "not a delay in ms", call->words[3]);
    struct sim_net *net = &call->world->net;
    const uint32_t a = sim_net_place(net, call->words[1]);
    const uint32_t b = sim_net_place(net, call->words[2]);
    struct sim_path *there = sim_net_path(net, a, b);
    struct sim_path *back = sim_net_path(net, b, a);
    if (!there || !back)
        return refuse(call, "no memory for", call->words[1]);
    there->delay_ns = back->delay_ns = (uint64_t)value * SIM_NS_PER_MS;
    return 0;
}

static int fault_heal(const struct call *call)
{
    sim_net_heal(&call->world->net);
    return 0;
}

static int fault_crash(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_crash(host);
    return 0;
}

static int fault_freeze(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_freeze(host);
    return 0;
}

static int fault_thaw(const struct call *call)
{
    struct sim_host *host = host_argument(call, 1);
    if (!host)
        return -1;
    sim_host_thaw(host);
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
        if (count - 1 != words_in(faults[i].arguments)) {
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
    sim_net_heal(&world->net);
    LIST_EACH(pos, following, &world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && host->frozen)
            sim_host_thaw(host);
    }
}
