/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of every request that ends in a command of the log, so that it outlives the master.
 *
 * The daemon of the asker keeps the request as a struct command, names it (asker, lane, number) and
 * sends it to the master (DM_PROPOSE), again to each new master, and again when the link to the
 * master comes back; without a master it waits. The master appends it once (CMD_REQUEST), or works
 * on it first and appends what came of it. Everybody applies it, once (core/applied.h). The asker's
 * own daemon answers when it applies it: nothing is handed from one master to the next, and no
 * answer is on the way that could be lost.
 *
 * A refusal by the master is a CMD_REQUEST too, without a command in it: another master may have
 * appended the request before, and then that is the answer.
 *
 * What a task that is gone asked goes on being proposed until it is applied: what it asked last may
 * be how its end is told (core/mbox.h), and requests of one |order| are applied in the order asked.
 */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include "base/buf.h"
#include "core/applied.h"
#include "core/timer.h"

struct node;
struct conn;

/* Kept by one daemon; over it its tasks get PvmNoMem. */
#define COMMANDS_BYTES_MAX (UINT64_C(64) << 20)
#define COMMANDS_OPEN_BYTES_MAX (UINT64_C(4) << 20) /* of them proposed at a time in one lane */
#define COMMAND_RETRY_NS (NODE_SECOND / 10)     /* the master had no room */

struct command;
/* Makes the answer where it was asked: |answer| is a TM_ message whose wait number is still 0. NULL
 * as function: it goes to the task as it stands, with its wait number. */
typedef void (*command_finish_f)(struct node *node, struct command *command,
                                 struct message *answer);

/* A request on its way, at the daemon of the asker. */
struct command {
    struct list link;         /* in one of the lists of struct commands */
    struct command_id id;     /* .number 0 = not proposed yet */
    bool is_sent;             /* to the master of now */
    struct conn *conn;        /* NULL: nobody wants the answer */
    uint32_t wait;            /* of the task's request */
    uint32_t order;           /* requests with the same, not 0, are proposed one after another */
    command_finish_f finish;
    struct slice body;        /* the request, encoded */
};

/* What a daemon has under way: a part of struct node. */
struct commands {
    struct list queued;       /* struct command, oldest first: not proposed yet */
    struct list open;         /* proposed, not applied */
    struct list waiting;      /* applied, not answered: mailboxes */
    uint64_t bytes;           /* of all bodies */
    uint64_t open_bytes[COMMAND_LANES];
    uint64_t last_number[COMMAND_LANES];
    size_t count;
    bool is_held;             /* the master had no room: until |timer| */
    struct timer timer;       /* TIMER_COMMANDS */
    struct applied applied;   /* replicated */
    struct map in_work;       /* at the master: what was taken on and is not applied */
};

void commands_init(struct commands *commands);
void commands_fini(struct node *node);

/* ---- where it is asked ---- */

struct command_ask {
    struct conn *conn;        /* NULL = the daemon itself, nobody is answered */
    uint32_t wait;
    enum command_lane lane;
    uint32_t order;           /* 0 = any; all requests of one order are of one lane */
    command_finish_f finish;  /* NULL = the answer goes to |conn| */
};
/* Proposes |request|: a CMD_ that is appended as it stands, or one that the master works on first
 * (the table in command.c). 0; -1: no memory or too much under way: nothing was asked, say
 * PvmNoMem. */
int command_ask(struct node *node, const struct command_ask *ask, const struct message *request);

/* Proposes what may be proposed now. True: that went into the log of this daemon, which may have
 * more to apply. Called by core/member.c at the end of every step, until it is false. */
bool commands_run(struct node *node);
/* Another master or another term, or a master where there was none: all is proposed again. */
void commands_master_changed(struct node *node);
/* The link to |peer| came back: if that is the master all is proposed again. */
void commands_peer_up(struct node *node, uint64_t peer);
/* |conn| is going: nobody wants its answers. */
void commands_forget_conn(struct node *node, const struct conn *conn);
/* DM_PROPOSE_AGAIN: the master had no room. */
void propose_again_message(struct node *node, uint64_t peer, const struct message *message);
void commands_timer(struct node *node, struct timer *timer);
/* Requests not yet answered. */
size_t commands_count(const struct node *node);

/* ---- at the master ---- */

/* DM_PROPOSE. */
void propose_message(struct node *node, uint64_t peer, const struct message *message);
/* Ends request |id| with |command| (NULL = a refusal) and the |answer| (a TM_ message, wait 0;
 * NULL = applying makes it): appends the CMD_REQUEST. Its index; 0: not the master any more or
 * no memory, then the asker was told to ask again. */
uint64_t command_append(struct node *node, const struct command_id *id,
                        const struct message *command, const struct message *answer);
/* The request is still wanted here: this daemon leads, took it on, and it is not yet applied. */
bool command_is_in_work(const struct node *node, const struct command_id *id);
/* What the master does with a request that is no command yet: a row of the table in command.c.
 * |request| lives as long as the step; what came of it goes to command_append(), now or later. */
typedef void (*command_work_f)(struct node *node, const struct command_id *id,
                               const struct message *request);

/* ---- where it is applied: everywhere, from core/member.c ---- */

/* The entry being applied. */
struct command_origin {
    struct command_id id;     /* .asker 0: no request, a command of the master's own */
    struct command *own;      /* asked here and not answered; NULL else */
    struct wire_bytes answer; /* by the master; .data NULL = none */
};

/* Begins to apply |entry|, any command of the log: *|inner| is what to apply (MESSAGE_NONE:
 * nothing, a refusal), decoded into node->scratch. 1 = apply *|inner|, then call
 * commands_close(); 0 = do nothing: it was applied before, or the asker is no host any more; -1
 * no memory. */
int commands_open(struct node *node, const struct message *entry, struct command_origin *origin,
                  struct message *inner);
/* The answer made by applying, the same on all hosts: kept until the asker has it, and given. 0,
 * -1 without memory. */
int command_answer(struct node *node, struct command_origin *origin, struct message *answer);
/* The answer to one who only read, or whose answer is kept elsewhere; origin->own is not NULL.
 * Where a snapshot takes the place of the command it is asked again. */
void command_answer_read(struct node *node, struct command_origin *origin, struct message *answer);
/* It will be answered by another command, through command_waiting(). */
void command_waits(struct node *node, struct command_origin *origin);
/* The command |number| of this daemon, short, that waits; NULL: nobody wants it. */
struct command *command_waiting(const struct node *node, uint64_t number);
/* Answers it and it is gone. */
void command_finish(struct node *node, struct command *command, struct message *answer);
/* The entry was applied: gives the answer of the master if there is one. */
int commands_close(struct node *node, struct command_origin *origin);

/* A host left the table. */
void commands_host_removed(struct node *node, uint64_t epoch);
/* A snapshot took the place of the state (applied_restore() was called): what was applied in it is
 * answered, or asked again. */
void commands_restored(struct node *node);

#endif
