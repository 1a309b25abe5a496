/* SPDX-License-Identifier: BSD-3-Clause */
/* Breadth-first search through all states of a protocol: see the header. */
#include "explore.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

const char EXPLORE_NOT_BOUNDED[] = "not bounded";

enum action { STEPS, FLUSHES, LOADS, DIES, ACTIONS };
enum { STORY_STEPS_MAX = 1000, KEPT_BYTES_FIRST = 1 << 20 };

struct fingerprint {
    uint64_t low, high;
};

/* How a state was first reached. */
struct origin {
    uint32_t parent;
    uint8_t process;
    uint8_t action;
    uint8_t choice;
};

struct edge {
    uint32_t from, to;
};

struct search {
    const struct protocol *protocol;
    enum memory memory;
    uint32_t states_max;
    uint32_t count;
    struct fingerprint *prints; /* by number */
    struct origin *origins;
    bool *is_done;
    uint32_t *table; /* open addressing: 1 + number */
    uint32_t table_mask;
    struct edge *edges;
    size_t edge_count, edge_capacity;
    uint8_t *kept; /* packed states that wait for their turn: u16 length, bytes */
    size_t kept_begin, kept_end, kept_capacity;
};

static void *must(void *pointer)
{
    CHECK(pointer != NULL);
    return pointer;
}

/* ---- the set of states ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static struct fingerprint fingerprint_of(const uint8_t *bytes, size_t length)
{
    struct fingerprint print = {length, ~(uint64_t)length};
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, MIN_OF(length - i, 8));
        print.low = mix(print.low, word);
        print.high = mix(print.high + UINT64_C(0xd1342543de82ef95), word ^ print.low >> 7);
    }
    return print;
}

static void keep(struct search *search, const uint8_t *bytes, size_t length)
{
    if (search->kept_end + length + 2 > search->kept_capacity) {
        size_t used = search->kept_end - search->kept_begin;
        memmove(search->kept, search->kept + search->kept_begin, used);
        search->kept_begin = 0;
        search->kept_end = used;
        if (used + length + 2 > search->kept_capacity / 2) {
            search->kept_capacity = search->kept_capacity * 2 + KEPT_BYTES_FIRST;
            search->kept = must(realloc(search->kept, search->kept_capacity));
        }
    }
    uint16_t size = (uint16_t)length;
    memcpy(search->kept + search->kept_end, &size, 2);
    memcpy(search->kept + search->kept_end + 2, bytes, length);
    search->kept_end += length + 2;
}

/* The number of |machine|, a new one if need be; -1: too many. */
static int64_t state_number(struct search *search, const struct machine *machine,
                            struct origin origin)
{
    static uint8_t bytes[sizeof(struct machine)];
    const struct protocol *protocol = search->protocol;
    size_t length = machine_pack(machine, search->memory, protocol->vars, protocol->processes,
                                 bytes);
    struct fingerprint print = fingerprint_of(bytes, length);
    uint32_t place = (uint32_t)print.low & search->table_mask;
    for (; search->table[place]; place = (place + 1) & search->table_mask) {
        const struct fingerprint *other = &search->prints[search->table[place] - 1];
        if (other->low == print.low && other->high == print.high)
            return search->table[place] - 1;
    }
    if (search->count == search->states_max)
        return -1;
    uint32_t number = search->count++;
    search->table[place] = number + 1;
    search->prints[number] = print;
    search->origins[number] = origin;
    search->is_done[number] = protocol->is_done(machine);
    keep(search, bytes, length);
    return number;
}

/* ---- steps ---- */

/* One thing that |process| does; false: it cannot. |step| says how many choices there are. */
static bool act(const struct search *search, struct machine *machine, int process,
                enum action action, int choice, struct step *step)
{
    const struct protocol *protocol = search->protocol;
    struct process *who = &machine->process[process];
    *step = (struct step){.machine = machine,
                          .memory = search->memory,
                          .vars = protocol->vars,
                          .processes = protocol->processes,
                          .self = process,
                          .choice = choice,
                          .choices = 1};
    switch (action) {
    case STEPS:
        if (who->life != RUNS)
            return false;
        protocol->program[process](step);
        break;
    case FLUSHES:
        machine_flush(step);
        break;
    case LOADS:
        machine_finish_load(step);
        break;
    case DIES:
        if (who->life != RUNS || !(protocol->mortal >> process & 1))
            return false;
        who->life = DEAD;
        who->late_var = who->late_local = 0;
        break;
    case ACTIONS:
        break;
    }
    return !step->is_blocked;
}

static void edge_add(struct search *search, uint32_t from, uint32_t to)
{
    if (search->edge_count == search->edge_capacity) {
        search->edge_capacity = search->edge_capacity * 2 + 65536;
        search->edges = must(
            realloc(search->edges, search->edge_capacity * sizeof(search->edges[0])));
    }
    search->edges[search->edge_count++] = (struct edge){from, to};
}

/* ---- the story of a finding ---- */

static void story_tell(const struct search *search, uint32_t number, struct origin last,
                       bool has_last, FILE *story)
{
    static struct origin path[STORY_STEPS_MAX];
    const struct protocol *protocol = search->protocol;
    struct machine machine;
    struct step step;
    size_t length = 0;
    if (has_last)
        path[length++] = last;
    for (; number != 0 && length < STORY_STEPS_MAX; number = search->origins[number].parent)
        path[length++] = search->origins[number];
    machine_init(&machine, search->memory, protocol->vars, protocol->first);
    if (protocol->init)
        protocol->init(&machine);
    while (length-- > 0) {
        const struct origin *next = &path[length];
        const char *what[ACTIONS] = {"", "(a store reaches memory)", "(a late load)", "DIES"};
        uint8_t before = machine.process[next->process].step;
        act(search, &machine, next->process, next->action, next->choice, &step);
        machine_tidy(&machine, search->memory, protocol->vars, protocol->processes);
        fprintf(story, "#   %-10s %s", protocol->process_names[next->process],
                next->action == STEPS ? protocol->step_names[before] : what[next->action]);
        fprintf(story, step.choices > 1 ? " (%d of %d)\n" : "\n", next->choice, step.choices);
    }
}

/* ---- the search ---- */

/* All that can happen in state |from|. */
static const char *expand(struct search *search, uint32_t from, const struct machine *before,
                          FILE *story)
{
    const struct protocol *protocol = search->protocol;
    for (int i = 0; i < protocol->processes * ACTIONS; i++) {
        struct step step = {.choices = 1};
        for (int choice = 0; choice < step.choices; choice++) {
            struct machine machine = *before;
            struct origin origin = {from, (uint8_t)(i / ACTIONS), (uint8_t)(i % ACTIONS),
                                    (uint8_t)choice};
            if (!act(search, &machine, origin.process, origin.action, choice, &step))
                continue;
            if (step.wrong) {
                if (story)
                    story_tell(search, from, origin, true, story);
                return step.wrong;
            }
            machine_tidy(&machine, search->memory, protocol->vars, protocol->processes);
            int64_t to = state_number(search, &machine, origin);
            if (to < 0)
                return EXPLORE_NOT_BOUNDED;
            edge_add(search, from, (uint32_t)to);
        }
    }
    return NULL;
}

/* The first state from which no done one can be reached, or -1: from the done ones backwards. */
static int64_t first_stuck(struct search *search)
{
    uint32_t count = search->count;
    uint32_t *begin = must(calloc((size_t)count + 2, sizeof(*begin)));
    uint32_t *from = must(calloc(search->edge_count + 1, sizeof(*from)));
    uint32_t *todo = must(calloc((size_t)count + 1, sizeof(*todo)));
    uint32_t todo_count = 0;
    int64_t stuck = -1;
    for (size_t i = 0; i < search->edge_count; i++)
        begin[search->edges[i].to + 2]++;
    for (uint32_t i = 2; i < count + 2; i++)
        begin[i] += begin[i - 1];
    for (size_t i = 0; i < search->edge_count; i++)
        from[begin[search->edges[i].to + 1]++] = search->edges[i].from;
    for (uint32_t i = 0; i < count; i++)
        if (search->is_done[i])
            todo[todo_count++] = i;
    while (todo_count > 0) {
        uint32_t to = todo[--todo_count];
        for (uint32_t i = begin[to]; i < begin[to + 1]; i++) {
            if (search->is_done[from[i]])
                continue;
            search->is_done[from[i]] = true;
            todo[todo_count++] = from[i];
        }
    }
    for (uint32_t i = 0; i < count && stuck < 0; i++)
        if (!search->is_done[i])
            stuck = i;
    free(begin);
    free(from);
    free(todo);
    return stuck;
}

static struct finding search_run(struct search *search, FILE *story)
{
    const struct protocol *protocol = search->protocol;
    struct finding finding = {0};
    struct machine machine;
    machine_init(&machine, search->memory, protocol->vars, protocol->first);
    if (protocol->init)
        protocol->init(&machine);
    state_number(search, &machine, (struct origin){0});
    for (uint32_t next = 0; next < search->count && !finding.wrong; next++) {
        machine_unpack(&machine, search->memory, protocol->vars, protocol->processes,
                       search->kept + search->kept_begin + 2);
        uint16_t length;
        memcpy(&length, search->kept + search->kept_begin, 2);
        search->kept_begin += (size_t)length + 2;
        finding.wrong = expand(search, next, &machine, story);
    }
    int64_t stuck = finding.wrong ? -1 : first_stuck(search);
    if (stuck >= 0) {
        finding.wrong = "stuck: nothing that can happen leads to the end";
        if (story)
            story_tell(search, (uint32_t)stuck, (struct origin){0}, false, story);
    }
    finding.states = search->count;
    finding.transitions = search->edge_count;
    return finding;
}

struct finding explore(const struct protocol *protocol, enum memory memory, uint32_t states_max,
                       FILE *story)
{
    uint32_t table_size = 1024;
    while (table_size < states_max * 2)
        table_size *= 2;
    struct search search = {
        .protocol = protocol,
        .memory = memory,
        .states_max = states_max,
        .prints = must(calloc(states_max, sizeof(*search.prints))),
        .origins = must(calloc(states_max, sizeof(*search.origins))),
        .is_done = must(calloc(states_max, sizeof(*search.is_done))),
        .table = must(calloc(table_size, sizeof(*search.table))),
        .table_mask = table_size - 1,
    };
    struct finding finding = search_run(&search, story);
    free(search.prints);
    free(search.origins);
    free(search.is_done);
    free(search.table);
    free(search.edges);
    free(search.kept);
    return finding;
}
