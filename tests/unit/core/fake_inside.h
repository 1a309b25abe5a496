/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two halves of the tiny shell say to each other: fake.c the world, fake_effects.c what
 * nodes want done. Tests use fake.h. */
#ifndef TESTS_UNIT_CORE_FAKE_INSIDE_H
#define TESTS_UNIT_CORE_FAKE_INSIDE_H

#include "fake.h"

/* A new event at the end of the queue, to be filled in. */
struct fake_item *fake_push(struct fake *fake, int node, enum event_kind kind);
/* The node that has or had this epoch; -1 = none. */
int fake_index_of(const struct fake *fake, uint64_t epoch);
/* Where in its list of known peers; -1 = it was not told of it. */
int fake_known_at(const struct fake_node *node, uint64_t epoch);
void fake_address_of(int index, uint8_t ip[16], struct wire_address *address);
/* NULL: no room. */
struct fake_node *fake_node_new(struct fake *fake, const char *name, uint64_t epoch,
                                struct node_config *config);
void fake_everybody_loses(struct fake *fake, int index, const char *why);
struct fake_task *fake_task_of_conn(struct fake *fake, uint64_t conn);
struct fake_child *fake_child_of_ticket(struct fake *fake, int node, uint64_t ticket);
void fake_exit_now(struct fake *fake, struct fake_child *child);
/* All effects of the last step of a node. */
void fake_perform(struct fake *fake, int index);

#endif
