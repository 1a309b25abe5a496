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

static const struct sim_program programs[] = {
    {.name = "sit", .text = "enrols and stays", .enrols = true},
    {.name = "exit", .text = "enrols, leaves", .enrols = true, .enrolled = exit_enrolled},
    {.name = "echo", .text = "sends everything back with tag + 1; tag 99 ends it", .enrols = true,
     .message = echo_message},
    {.name = "sendexit", .text = "sends its parent one message and leaves at once", .enrols = true,
     .enrolled = sendexit_enrolled},
    {.name = "sendleave", .text = "the same without pvm_exit", .enrols = true,
     .enrolled = sendleave_enrolled},
    {.name = "crash", .text = "enrols and dies", .enrols = true, .enrolled = crash_enrolled},
    {.name = "print", .text = "enrols, prints three lines, leaves", .enrols = true,
     .enrolled = print_enrolled},
    {.name = "hello", .text = "prints, never enrols", .begin = hello_begin},
    {.name = "sleep", .text = "never enrols, stays"},
    {.name = "nap", .text = "never enrols, ends after 50 ms", .begin = nap_begin, .turn = nap_turn},
    {.name = "stubborn", .text = "enrols, ignores SIGTERM", .enrols = true, .begin = stubborn_begin},
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
