/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs of simulated children: one table, a few lines each. */
#include "sim/program.h"

#include "sim/world.h"

#include <string.h>

enum { TAG_HELLO = 1, TAG_QUIT = 99, STATUS_SEGV = 11, NAP_MS = 50 };

static void exit_enrolled(struct sim_task *task)
{
    sim_task_exit(task);
}

static void echo_message(struct sim_task *task, const struct sim_received *received)
{
    if (received->tag == TAG_QUIT)
        sim_task_exit(task);
    else
        sim_task_send(task, received->source, received->tag + 1, received->size_bytes);
}

static void sendexit_enrolled(struct sim_task *task)
{
    sim_task_send(task, (uint32_t)client_identity(task->client)->parent, TAG_HELLO, 100);
    sim_task_exit(task);
}

/* As exit(0) without pvm_exit(). */
static void sendleave_enrolled(struct sim_task *task)
{
    sim_task_send(task, (uint32_t)client_identity(task->client)->parent, TAG_HELLO, 100);
    sim_proc_end(task->proc, 0);
}

static void crash_enrolled(struct sim_task *task)
{
    sim_proc_end(task->proc, STATUS_SEGV);
}

static void print_enrolled(struct sim_task *task)
{
    sim_proc_print(task->proc, "first line\nsecond ");
    sim_proc_print(task->proc, "line\nlast words");
    sim_task_exit(task);
}

static void hello_begin(struct sim_proc *proc)
{
    sim_proc_print(proc, "hello from a program that is no task\n");
    sim_proc_end(proc, 0);
}

static void stubborn_begin(struct sim_proc *proc)
{
    proc->ignores_term = true;
}

static void nap_begin(struct sim_proc *proc)
{
    sim_after(proc->host->world, &proc->turn, NAP_MS * SIM_NS_PER_MS);
}

static void nap_turn(struct sim_proc *proc)
{
    sim_proc_end(proc, 0);
}

#define TASK .enrols = true

static const struct sim_program programs[] = {
    {"sit", "enrols and stays", TASK},
    {"exit", "enrols, leaves", TASK, .enrolled = exit_enrolled},
    {"echo", "sends everything back with tag + 1; tag 99 ends it", TASK, .message = echo_message},
    {"sendexit", "sends its parent one message and leaves", TASK, .enrolled = sendexit_enrolled},
    {"sendleave", "the same without pvm_exit", TASK, .enrolled = sendleave_enrolled},
    {"crash", "enrols and dies", TASK, .enrolled = crash_enrolled},
    {"print", "enrols, prints three lines, leaves", TASK, .enrolled = print_enrolled},
    {"hello", "prints, never enrols", .begin = hello_begin},
    {"sleep", "never enrols, stays", .begin = NULL},
    {"nap", "never enrols, ends after 50 ms", .begin = nap_begin, .turn = nap_turn},
    {"stubborn", "enrols, ignores SIGTERM", TASK, .begin = stubborn_begin},
};

const struct sim_program sim_program_puppet = {.name = "puppet", .text = "moved by a script",
                                               .enrols = true};

const struct sim_program *sim_program_find(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    CHECK(ARRAY_LEN(programs) <= SIM_PROGRAMS_MAX);
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (str_equal(programs[i].name, name))
            return &programs[i];
    return NULL;
}

int sim_program_index(const struct sim_program *program)
{
    return (int)(program - programs);
}
