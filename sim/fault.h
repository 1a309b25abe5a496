/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults with names: what the world can do to daemons, usable from a script's lines and from the
 * swarm alike. Those of the wire set paths of net.h, those of hosts freeze and crash, those of
 * starters and spawns wait here until something is started.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_world;

/* word of the script, arguments, what it does */
#define SIM_FAULT_TABLE(F)                                                                        \
    F("cut", "A B", fault_cut, "nothing passes between A and B")                                  \
    F("cut-one-way", "A B", fault_cut_one_way, "nothing passes from A to B")                      \
    F("isolate", "A", fault_isolate, "nothing passes between A and anybody")                      \
    F("lossy", "PERCENT", fault_lossy, "every path loses so many of a hundred datagrams")         \
    F("duplicate", "PERCENT", fault_duplicate, "every path doubles so many")                      \
    F("reorder", "PERCENT", fault_reorder, "every path delays so many by 1-2 ms more")            \
    F("slow", "A B MS", fault_slow, "datagrams between A and B take so many ms")                  \
    F("heal", "", fault_heal, "all paths are sound again")                                        \
    F("crash", "A", fault_crash, "A loses its power")                                             \
    F("freeze", "A", fault_freeze, "A does nothing, and stays reachable")                         \
    F("thaw", "A", fault_thaw, "A goes on")                                                       \
    F("start-fails", "A", fault_start_fails, "the next start of a daemon on A fails")             \
    F("start-hangs", "A", fault_start_hangs, "the next start of a daemon on A never ends")        \
    F("start-mute", "A", fault_start_mute, "the next daemon on A never hears from its master")    \
    F("spawn-fails", "A", fault_spawn_fails, "the next child on A cannot be started")

enum sim_start_fault { SIM_START_SOUND, SIM_START_FAILS, SIM_START_HANGS, SIM_START_MUTE };

/* Faults that wait for something to be started. */
struct sim_faults {
    struct list rules;
    uint32_t start_fails_ppm; /* chances for every start, drawn from the stream of faults */
    uint32_t start_hangs_ppm;
    uint32_t spawn_fails_ppm;
};

void sim_faults_init(struct sim_faults *faults);
void sim_faults_fini(struct sim_faults *faults);
/* Does what |words| say, words[0] being the fault's. 0; 1 when that is no fault's name; -1 with
 * words at |error|. */
int sim_fault_apply(struct sim_world *world, char *const *words, int count, char *error,
                    size_t error_bytes);
/* What is to become of the start of a daemon on |name|; uses the rule up. */
enum sim_start_fault sim_fault_of_start(struct sim_world *world, const char *name);
bool sim_fault_of_spawn(struct sim_world *world, const char *name);
/* Nothing waits any more and no chances are left; paths are healed, frozen hosts thaw. */
void sim_fault_end_all(struct sim_world *world);

#endif
