/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one request to add hosts that is under way in the virtual machine: its hosts, who asked, its
 * answer. What moves it: core/add.c.
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
    enum add_state state;
    struct host_spec spec;
    char name[HOST_NAME_BYTES_MAX + 1]; /* as it will stand in the table */
    size_t asked;                  /* which name of the request it came from */
    int32_t result;                /* host tid or error */
    const char *error;
    uint64_t ticket;
    uint32_t number;
    uint64_t epoch;
    bool is_peer;                  /* the mesh knows it, the log sends to it */
    struct wire_address_list addresses; /* resolved, then those it named itself */
    const char *arch;
    uint32_t signature;
    uint8_t public_key[WIRE_KEY_BYTES];
    struct timer timer;            /* TIMER_ADD */
};

struct add_job {
    struct asker asker;            /* as in start_share(); wait 0 and peer 0 = the hostfile */
    struct arena arena;
    struct add_item *items;
    size_t count;
    size_t capacity;
    size_t asked_count;            /* names in the request */
    bool is_begun;                 /* all items are made */
    bool is_proposed;
    bool is_late;                  /* not everybody has applied it, but it is time to answer */
    uint64_t index;                /* of the command, 0 = none was needed */
    struct timer timer;            /* TIMER_ADD */
};

/* NULL without memory. */
struct add_job *addjob_create(struct node *node, struct asker asker);
/* Adds what one name stands for (several hosts for local:N; a failed one when it cannot be). */
int addjob_add_name(struct node *node, struct add_job *job, const char *text);
int addjob_add_spec(struct node *node, struct add_job *job, const struct host_spec *spec);
/* Answers and forgets it. */
void addjob_finish(struct node *node, struct add_job *job);
void addjob_destroy(struct node *node, struct add_job *job);

/* In add.c. */
void add_begin(struct node *node, struct add_job *job);
void add_item_begin(struct node *node, struct add_item *item);
void add_item_fail(struct node *node, struct add_item *item, int32_t status, const char *why);

#endif
