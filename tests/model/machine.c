/* SPDX-License-Identifier: BSD-3-Clause */
/* The two memories and what programs do with them: see the header. */
#include "machine.h"

#include "base/check.h"

#include <string.h>

/* ---- views ---- */

static void view_join(struct view *view, const struct view *other, int vars)
{
    for (int i = 0; i < vars; i++)
        view->at[i] = MAX_OF(view->at[i], other->at[i]);
}

void machine_init(struct machine *machine, enum memory memory, int vars, const uint8_t *first)
{
    CHECK(vars <= VARS_MAX);
    memset(machine, 0, sizeof(*machine));
    for (int i = 0; i < vars; i++) {
        if (memory == TSO) {
            machine->value[i] = first[i];
        } else {
            machine->count[i] = 1;
            machine->history[i][0] = first[i];
        }
    }
}

/* ---- keeping ---- */

/* Both directions in one list, so that they cannot differ. */
struct cursor {
    uint8_t *bytes;
    size_t at;
    bool reads;
};

static void pass(struct cursor *cursor, void *data, size_t size)
{
    if (cursor->reads)
        memcpy(data, cursor->bytes + cursor->at, size);
    else
        memcpy(cursor->bytes + cursor->at, data, size);
    cursor->at += size;
}

static void pass_machine(struct machine *machine, enum memory memory, int vars, int processes,
                         struct cursor *cursor)
{
    size_t width = (size_t)vars;
    pass(cursor, machine->process, sizeof(machine->process[0]) * (size_t)processes);
    if (memory == TSO) {
        pass(cursor, machine->value, width);
        for (int i = 0; i < processes; i++) {
            struct buffer *buffer = &machine->buffer[i];
            pass(cursor, &buffer->count, 1);
            pass(cursor, buffer->var, buffer->count);
            pass(cursor, buffer->value, buffer->count);
        }
        return;
    }
    for (int i = 0; i < vars; i++) {
        pass(cursor, &machine->count[i], 1);
        pass(cursor, machine->history[i], machine->count[i]);
        for (int k = 0; k < machine->count[i]; k++)
            pass(cursor, machine->passed_on[i][k].at, width);
    }
    for (int i = 0; i < processes; i++) {
        pass(cursor, machine->knows[i].at, width);
        pass(cursor, machine->would_know[i].at, width);
        pass(cursor, machine->fenced[i].at, width);
    }
    pass(cursor, machine->fences.at, width);
}

size_t machine_pack(const struct machine *machine, enum memory memory, int vars, int processes,
                    uint8_t *bytes)
{
    struct cursor cursor = {.bytes = bytes};
    struct machine copy = *machine;
    pass_machine(&copy, memory, vars, processes, &cursor);
    return cursor.at;
}

void machine_unpack(struct machine *machine, enum memory memory, int vars, int processes,
                    const uint8_t *bytes)
{
    struct cursor cursor = {.bytes = (uint8_t *)(uintptr_t)bytes, .reads = true};
    memset(machine, 0, sizeof(*machine));
    pass_machine(machine, memory, vars, processes, &cursor);
}

static void view_shift(struct view *view, const struct view *oldest, int vars)
{
    for (int i = 0; i < vars; i++)
        view->at[i] = (uint8_t)(MAX_OF(view->at[i], oldest->at[i]) - oldest->at[i]);
}

static void history_shift(struct machine *machine, int var, int by)
{
    int left = machine->count[var] - by;
    memmove(machine->history[var], machine->history[var] + by, (size_t)left);
    memmove(machine->passed_on[var], machine->passed_on[var] + by,
            sizeof(struct view) * (size_t)left);
    machine->count[var] = (uint8_t)left;
}

void machine_tidy(struct machine *machine, enum memory memory, int vars, int processes)
{
    if (memory == TSO)
        return;
    struct view oldest;
    for (int i = 0; i < vars; i++) {
        oldest.at[i] = (uint8_t)(machine->count[i] - 1);
        for (int p = 0; p < processes; p++)
            if (machine->process[p].life != ENDED)
                oldest.at[i] = MIN_OF(oldest.at[i], machine->knows[p].at[i]);
    }
    for (int i = 0; i < vars; i++)
        history_shift(machine, i, oldest.at[i]);
    for (int i = 0; i < vars; i++)
        for (int k = 0; k < machine->count[i]; k++)
            view_shift(&machine->passed_on[i][k], &oldest, vars);
    for (int p = 0; p < processes; p++) {
        if (machine->process[p].life == ENDED) {
            memset(&machine->knows[p], 0, sizeof(struct view));
            memset(&machine->would_know[p], 0, sizeof(struct view));
            memset(&machine->fenced[p], 0, sizeof(struct view));
            continue;
        }
        view_shift(&machine->knows[p], &oldest, vars);
        view_shift(&machine->would_know[p], &oldest, vars);
        view_shift(&machine->fenced[p], &oldest, vars);
    }
    view_shift(&machine->fences, &oldest, vars);
}

/* ---- what happens on its own ---- */

void machine_flush(struct step *step)
{
    struct buffer *buffer = &step->machine->buffer[step->self];
    step->is_blocked = step->memory != TSO || buffer->count == 0;
    if (step->is_blocked)
        return;
    step->machine->value[buffer->var[0]] = buffer->value[0];
    buffer->count--;
    memmove(buffer->var, buffer->var + 1, buffer->count);
    memmove(buffer->value, buffer->value + 1, buffer->count);
}

/* Any entry of the history not older than what is known. */
static uint8_t weak_load(struct step *step, int var, enum order order)
{
    struct machine *machine = step->machine;
    struct view *knows = &machine->knows[step->self];
    step->choices = machine->count[var] - knows->at[var];
    int at = knows->at[var] + step->choice;
    knows->at[var] = (uint8_t)at;
    view_join(&machine->would_know[step->self], &machine->passed_on[var][at], step->vars);
    if (order == ORDERED)
        view_join(knows, &machine->passed_on[var][at], step->vars);
    view_join(&machine->would_know[step->self], knows, step->vars);
    return machine->history[var][at];
}

void machine_finish_load(struct step *step)
{
    struct process *process = &step->machine->process[step->self];
    step->is_blocked = process->late_var == 0 || process->life != RUNS;
    if (step->is_blocked)
        return;
    process->local[process->late_local] = weak_load(step, process->late_var - 1, RELAXED);
    process->late_var = process->late_local = 0;
}

/* ---- what programs do ---- */

uint8_t model_load(struct step *step, int var, enum order order)
{
    if (step->memory == WEAK)
        return weak_load(step, var, order);
    const struct buffer *buffer = &step->machine->buffer[step->self];
    for (int i = buffer->count - 1; i >= 0; i--)
        if (buffer->var[i] == var)
            return buffer->value[i];
    return step->machine->value[var];
}

void model_late_load(struct step *step, int var, int local)
{
    struct process *process = &step->machine->process[step->self];
    if (step->memory == TSO) {
        process->local[local] = model_load(step, var, RELAXED);
        return;
    }
    CHECK(process->late_var == 0);
    process->late_var = (uint8_t)(var + 1);
    process->late_local = (uint8_t)local;
}

void model_ready(struct step *step)
{
    step->is_blocked |= step->machine->process[step->self].late_var != 0;
}

static void weak_append(struct step *step, int var, uint8_t value, const struct view *passed_on)
{
    struct machine *machine = step->machine;
    int at = machine->count[var];
    CHECK(at < HISTORY_MAX);
    machine->count[var]++;
    machine->history[var][at] = value;
    machine->knows[step->self].at[var] = (uint8_t)at;
    machine->would_know[step->self].at[var] = (uint8_t)at;
    machine->passed_on[var][at] = *passed_on;
    machine->passed_on[var][at].at[var] = (uint8_t)at;
}

void model_store(struct step *step, int var, uint8_t value, enum order order)
{
    struct machine *machine = step->machine;
    struct buffer *buffer = &machine->buffer[step->self];
    if (step->memory == WEAK) {
        if (order == ORDERED)
            model_ready(step);
        weak_append(step, var, value,
                    order == ORDERED ? &machine->knows[step->self] : &machine->fenced[step->self]);
        return;
    }
    step->is_blocked |= buffer->count == BUFFER_MAX;
    if (step->is_blocked)
        return;
    buffer->var[buffer->count] = (uint8_t)var;
    buffer->value[buffer->count++] = value;
}

uint8_t model_change(struct step *step, int var, uint8_t keep, uint8_t set)
{
    struct machine *machine = step->machine;
    if (step->memory == TSO) {
        uint8_t old = machine->value[var];
        step->is_blocked |= machine->buffer[step->self].count > 0;
        machine->value[var] = (uint8_t)((old & keep) | set);
        return old;
    }
    model_ready(step);
    int at = machine->count[var] - 1;
    uint8_t old = machine->history[var][at];
    struct view *knows = &machine->knows[step->self];
    knows->at[var] = (uint8_t)at;
    view_join(knows, &machine->passed_on[var][at], step->vars);
    view_join(&machine->would_know[step->self], knows, step->vars);
    weak_append(step, var, (uint8_t)((old & keep) | set), knows);
    return old;
}

void model_fence(struct step *step)
{
    struct machine *machine = step->machine;
    if (step->memory == TSO) {
        step->is_blocked |= machine->buffer[step->self].count > 0;
        return;
    }
    model_ready(step);
    view_join(&machine->fences, &machine->would_know[step->self], step->vars);
    machine->knows[step->self] = machine->fences;
    machine->would_know[step->self] = machine->fences;
    machine->fenced[step->self] = machine->fences;
}

int model_pick(struct step *step, int count)
{
    step->choices = count;
    return step->choice;
}

void model_wrong(struct step *step, const char *words)
{
    if (!step->wrong)
        step->wrong = words;
}

bool model_is_gone(struct step *step, int process)
{
    struct machine *machine = step->machine;
    if (machine->process[process].life != DEAD || machine->buffer[process].count > 0)
        return false;
    view_join(&machine->knows[step->self], &machine->knows[process], step->vars);
    view_join(&machine->would_know[step->self], &machine->knows[step->self], step->vars);
    return true;
}
