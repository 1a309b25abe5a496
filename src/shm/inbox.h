/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding out who has published something, and sleeping without missing it.
 *
 * Senders: publish the slot, full fence, set the inbox bit unless it is set (then the summary's, by
 * a read-modify-write without looking first, and a second full fence), look at |sleeping|.
 * Owner, when a pair has been quiet: clear its bit, full fence, look at the ring again. Owner,
 * before sleeping: set |sleeping|, full fence, look at everything once more. Owner, listening:
 * clear the summary, then read the words. Each of these is the two-sided handshake in which one
 * side at least sees the other (Dekker); tests/model/waiter.c proves it with store buffers and for
 * machines weaker than ARM. The bell is emptied before |sleeping| is set, never between the last
 * look and the sleep. A bit that stays set costs a sender one read of a line it has in its cache:
 * while two processes talk, the inbox does not move between cores.
 *
 * The inbox can be written by anybody: a bit too many costs a look; a bit lost costs delay until
 * the owner is woken (its |sleeping| is its own), when it looks at every pair it knows.
 */
#ifndef SHM_INBOX_H
#define SHM_INBOX_H

#include "shm/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* For the sender, after publishing: process |index| (its own) has something for the owner of
 * |inbox|. True: the owner sleeps, signal its descriptor. */
bool shm_bell_ring(struct shm_inbox *inbox, const struct shm_header *header, uint32_t index);
/* After that: whether it still is to be signalled, *last being the sleep for which this process did
 * so last. Updates *last. */
bool shm_bell_must_signal(const struct shm_header *header, uint32_t *last);

/* ---- the owner ---- */

/* Who may have news: the set of indexes found in the inbox and not yet cooled. */
struct shm_ears {
    struct shm_inbox *inbox;
    struct shm_header *header;     /* own */
    uint64_t hot[SHM_INBOX_WORDS]; /* bits seen set */
    uint64_t hot_words;            /* bit w: hot[w] is not 0 */
    uint32_t sleeps;
};

void shm_ears_init(struct shm_ears *ears, struct shm_inbox *inbox, struct shm_header *header);
/* Takes over newly set bits. True: some index is hot. One or two reads when nothing is new. */
bool shm_ears_listen(struct shm_ears *ears);
/* The first hot index at or after |from|, or -1. */
int shm_ears_next(const struct shm_ears *ears, int from);
/* |index| had nothing for long: clears its bit. The caller looks at its ring once more afterwards,
 * and calls shm_ears_warm() when there is something. */
void shm_ears_cool(struct shm_ears *ears, uint32_t index);
void shm_ears_warm(struct shm_ears *ears, uint32_t index);
/* Says that it will sleep, with a full fence; then the caller looks at every hot index and at
 * shm_ears_listen() again, and sleeps only when there was nothing. Who forgets signals without
 * having been awake says so anew before that look. */
void shm_ears_sleep(struct shm_ears *ears);
void shm_ears_awake(struct shm_ears *ears);
bool shm_ears_sleeping(const struct shm_ears *ears);

/* The daemon wrote to the task's socket. */
void shm_bell_socket(struct shm_inbox *inbox);
/* It did since the last call. */
bool shm_ears_socket(struct shm_ears *ears);

#endif
