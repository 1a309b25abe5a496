/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host table: what all daemons agree on, made by the commands of the log and by nothing else.
 *
 * Applying is deterministic: the same commands give the same table, and the same hash, everywhere.
 * What one daemon alone knows of another (whether its link stands) is in core/member.h.
 */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include "base/list.h"
#include "base/map.h"
#include "core/tid.h"
#include "wire/msgs.h"

struct host {
    struct list link;      /* in the table by number, or in hosts_change.removed */
    struct arena arena;    /* what |info| points to */
    struct wire_host info;
    uint64_t hash;         /* over |info| */
    struct list added;     /* in hosts_change.added */
};

struct host_table {
    struct list hosts;     /* ascending number */
    size_t count;
    uint64_t hash;         /* the sum over all hosts, whatever their order */
    struct map by_number;
    struct map by_epoch;
    struct map by_name;    /* hash of the name -> one host of that hash */
    bool names_collide;    /* two names had the same hash: the map is not to be trusted */
    uint32_t last_number;  /* highest given since the last wrap: numbers are given increasing */
    uint8_t psk[WIRE_KEY_BYTES]; /* of the virtual machine; changed when a host leaves (D6) */
    uint32_t psk_epoch;
};

/* What one command did. */
struct hosts_change {
    struct list added;   /* struct host of the table, in the order given */
    struct list removed; /* struct host, owned by the change */
    size_t added_count;
    int32_t reason;      /* why they were removed: enum removal_reason */
};

/* CMD_HOSTS_REMOVE.reason */
enum removal_reason { REMOVAL_DELETED = 0, REMOVAL_FAILED = 1, REMOVAL_LEFT = 2 };

void host_table_init(struct host_table *table);
void host_table_fini(struct host_table *table);

struct host *host_by_number(const struct host_table *table, uint32_t number);
/* The host of any kind of tid. */
struct host *host_by_tid(const struct host_table *table, uint32_t tid);
struct host *host_by_epoch(const struct host_table *table, uint64_t epoch);
/* Exact name (HF-8). */
struct host *host_by_name(const struct host_table *table, const char *name);

#define HOSTS_EACH(pos, following, table) LIST_EACH(pos, following, &(table)->hosts)
#define HOST_OF(pos) LIST_ENTRY(pos, struct host, link)
#define HOST_ADDED(pos) LIST_ENTRY(pos, struct host, added)

/* The first free number above |after|, wrapping at 4095; 0 when there is none. */
uint32_t hosts_free_number(const struct host_table *table, uint32_t after);
/* Applies CMD_HOSTS_ADD or CMD_HOSTS_REMOVE. 0; -1 without memory (the table is then of no more
 * use). What cannot be (a number or a name twice, an unknown one) changes nothing, on every host
 * alike. A host without a number gets the next free one. */
int hosts_apply(struct host_table *table, const struct message *command,
                struct hosts_change *change);
/* Puts a whole state in the place of the table; |change| says the difference. */
int hosts_restore(struct host_table *table, const struct wire_cmd_state *state,
                  struct hosts_change *change);
/* Writes the table into |state|, for hosts_restore(); points into |table| and |arena|. 0, -1
 * without memory. */
int hosts_save(const struct host_table *table, struct arena *arena, struct wire_cmd_state *state);
uint64_t hosts_hash(const struct host_table *table);

void hosts_change_init(struct hosts_change *change);
void hosts_change_fini(struct hosts_change *change);

/* Deep copy into |arena|. 0, or -1 without memory. */
int wire_host_copy(struct arena *arena, struct wire_host *copy, const struct wire_host *info);
int wire_addresses_copy(struct arena *arena, struct wire_address_list *copy,
                        const struct wire_address *addresses, size_t count);

#endif
