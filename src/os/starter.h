/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daemons being started elsewhere by commands: a few at a time, each with a limit, each ends once
 * with an answer line or with words (decision D13, item DMN-6). What command: starter_ssh.h.
 *
 * A command may run on after its answer (pvmd -w does, until its daemon is a host): it has no limit
 * then and no place among the few; what matters is that its stdout stays open as long as we live.
 */
#ifndef OS_STARTER_H
#define OS_STARTER_H

#include "base/log.h"
#include "os/loop.h"
#include "os/watchpid.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STARTERS_AT_ONCE_MAX = 5, STARTER_WORDS_BYTES = 1024 };
#define STARTER_LIMIT_NS (UINT64_C(60) * 1000000000)

struct starter_handler {
    void *context;
    /* One line the command printed. True: this was the answer, the ticket is done. */
    bool (*line)(void *context, uint64_t ticket, const char *line);
    /* It ended or could not be started, without an answer: the ticket is done. */
    void (*failed)(void *context, uint64_t ticket, const char *words);
    /* A process runs / runs no longer: for the guardian. */
    void (*process)(void *context, pid_t pid, bool runs);
};

struct starters;

struct starters *starters_create(struct loop *loop, struct pid_watcher *watcher,
                                 const struct log_sink *log, const struct starter_handler *handler);
/* Kills what runs. */
void starters_destroy(struct starters *starters);
/* Queues a command for |host| (its name in messages); |argv| and |environment| (NULL = ours) are
 * taken over with all their strings. 0, or -1 without memory (then they are freed). No callback
 * from inside. */
int starters_add(struct starters *starters, uint64_t ticket, const char *host, char **argv,
                 char **environment);
/* Nobody wants the answer, or the daemon that gave it, any more: no callback of this ticket comes,
 * and the command is killed if it still runs. */
void starters_cancel(struct starters *starters, uint64_t ticket);

/* A growing argv: each function returns 0, or -1 without memory (the list stays valid). */
struct word_list {
    char **words; /* NULL-terminated */
    size_t count;
    size_t capacity;
};
int word_list_add(struct word_list *list, const char *word);
void word_list_free(char **words);

#endif
