/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults with names: what the world can do to daemons, usable from a script's lines and from the
 * swarm alike. Those of the wire set paths of net.h, those of hosts stop, starve and crash them,
 * those of starters and spawns wait here until something is started.
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
    F("half-open", "A B", fault_half_open, "nothing passes from A to B for a second")             \
    F("isolate", "A", fault_isolate, "nothing passes between A and anybody")                      \
    F("blackout", "A MS", fault_blackout, "the same for so many ms")                              \
    F("partition", "A,B C,D,E ...", fault_partition, "nothing passes from one set to another")    \
    F("lossy", "PERCENT", fault_lossy, "every path loses so many of a hundred datagrams")         \
    F("burst", "PERCENT MS", fault_burst, "every path loses all, that part of the time")          \
    F("duplicate", "PERCENT", fault_duplicate, "every path doubles so many")                      \
    F("reorder", "PERCENT", fault_reorder, "every path delays so many by 1-2 ms more")            \
    F("corrupt", "PERCENT", fault_corrupt, "every path changes a bit or two of so many")          \
    F("slow", "A B MS", fault_slow, "datagrams between A and B take so many ms")                  \
    F("clog", "A B MS", fault_clog, "what A sends B comes after so many ms, all at once")         \
    F("heal", "", fault_heal, "all paths are sound again")                                        \
    F("rebind", "A", fault_rebind, "A is seen under another port, and does not know")             \
    F("move", "A", fault_move, "A is seen under another address, and does not know")              \
    F("crash", "A", fault_crash, "A loses its power")                                             \
    F("kill", "A", fault_kill, "kill -9 of A's daemon: its guardian acts")                        \
    F("freeze", "A", fault_freeze, "A's daemon is stopped; its tasks go on, its guardian too")    \
    F("thaw", "A", fault_thaw, "A's daemon goes on")                                              \
    F("suspend", "A", fault_suspend, "the whole machine sleeps; what is sent to it is lost")      \
    F("resume", "A", fault_resume, "it wakes; its clock has gone on")                             \
    F("starve", "A PERIOD-MS MS", fault_starve, "A runs 5 ms of each period, for so many ms")     \
    F("drift", "A PPM", fault_drift, "A's clock runs so much fast, or slow")                      \
    F("disk-full", "A", fault_disk_full, "what A's daemon logs is lost")                          \
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
/* Nothing waits any more and no chances are left; paths are healed, hosts that stand still go on.
 * */
void sim_fault_end_all(struct sim_world *world);

#endif
