/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request to add hosts that is under way at the master: its hosts, who asked, its answer. There
 * is one of a task or of the hostfile at a time (DMN-8), and any number of hosts that come back
 * (core/rejoin.h). What moves it: core/add.c.
 */
#ifndef CORE_ADDJOB_H
#define CORE_ADDJOB_H

#include "core/add.h"

enum add_state {
    ADD_NEW,
    ADD_RESOLVING, /* EFFECT_RESOLVE is under way */
    ADD_STARTING,  /* EFFECT_HOST_START is */
    ADD_WELCOMED,  /* its daemon was told who it is; it gets the table */
    ADD_READY,     /* it has the table: the next command makes it a host */
    ADD_FAILED,
    ADD_STATES
};

struct add_item {
    struct add_job *job;
    enum add_state state;
    struct host_spec spec;
    char name[HOST_NAME_BYTES_MAX + 1]; /* as it will stand in the table */
    size_t asked;                  /* which name of the request it came from */
    int32_t status;                /* an error, or 0 */
    const char *error;
    uint64_t ticket;
    uint64_t epoch;
    uint64_t token;                /* the peer that its token is, 0 = none */
    bool is_peer;                  /* the mesh knows it, the log sends to it */
    struct wire_address_list addresses; /* resolved, then those it named itself */
    const char *arch;
    uint32_t signature;
    struct wire_key public_key;
    struct timer timer;            /* TIMER_ADD */
};

enum add_kind { ADD_ASKED, ADD_HOSTFILE, ADD_REJOIN };

struct add_job {
    struct list link;              /* in node->lead.jobs */
    enum add_kind kind;
    struct command_id id;          /* ADD_ASKED: who */
    struct arena arena;
    struct add_item *items;
    size_t count;
    size_t capacity;
    size_t asked_count;            /* names in the request */
    uint32_t local_last;           /* of local hosts: numbers up to it are taken */
    bool is_begun;                 /* all items are made */
    bool is_proposed;
    bool is_applied;               /* but perhaps not yet by all of the new hosts */
    uint64_t index;                /* of the command, 0 = none was needed */
    uint64_t term;                 /* in which it was proposed */
};

#define ADD_JOB_OF(pos) LIST_ENTRY(pos, struct add_job, link)

/* NULL without memory. */
struct add_job *addjob_create(struct node *node, enum add_kind kind, const struct command_id *id);
/* Adds what one name stands for (several hosts for local:N; a failed one when it cannot be). */
int addjob_add_name(struct node *node, struct add_job *job, const char *text);
int addjob_add_spec(struct node *node, struct add_job *job, const struct host_spec *spec);
/* By a host, or by one that is coming. */
bool addjob_name_is_taken(const struct node *node, const char *name);
/* One result for each name asked: of several hosts the first that came (1), else the first error;
 * in |arena|, NULL without memory. */
const struct wire_added *addjob_results(const struct add_job *job, struct arena *arena);
void addjob_destroy(struct node *node, struct add_job *job);

/* In addhosts.c: who asked hears when everybody has applied what was added. */
void add_told_run(struct node *node);
void add_told_fini(struct node *node);

/* In add.c. */
void add_begin(struct node *node, struct add_job *job);
void add_item_begin(struct node *node, struct add_item *item);
void add_item_fail(struct node *node, struct add_item *item, int32_t status, const char *why);

#endif
