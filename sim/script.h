/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stories in text: a file of commands, each followed by what happened, indented by two spaces.
 * Running the file again must tell the same story; what is told is the golden text.
 * docs/simulator.md has the language, with examples; the table of commands is in script.c.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "base/str.h"
#include "sim/world.h"

#include <stdint.h>

enum sim_verdict { SIM_FINE, SIM_BAD_SCRIPT, SIM_UNSAFE, SIM_STUCK };

/* Runs the commands of |text| (indented lines are skipped) in a fresh world and appends to
 * |told| the file as it should be. |hash| gets the hash of the run; |reason| a line of words
 * when not SIM_FINE. */
enum sim_verdict sim_script_run(const char *text, uint64_t seed, struct strbuf *told,
                                uint64_t *hash, char *reason, size_t reason_bytes);
/* One command in a world that lives on: for tests in C. 0, or -1 with words at |error|. */
int sim_command(struct sim_world *world, const char *line, char *error, size_t error_bytes);
/* A task moved by hand on |host|, connecting now; NULL without memory. */
struct sim_task *sim_puppet_create(struct sim_host *host, const char *name);
/* The task of that name that was created last and is still there, or NULL. */
struct sim_task *sim_task_named(const struct sim_world *world, const char *name);
/* Starts h1 as master with h2..hN in its hostfile and runs until they are there. 0 or -1. */
int sim_hosts_start(struct sim_world *world, int count);

#endif
