/* SPDX-License-Identifier: BSD-3-Clause */
/* The replicated host table: see the header. */
#include "core/host.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

void host_table_init(struct host_table *table)
{
    *table = (struct host_table){0};
    list_init(&table->hosts);
}

static void host_destroy(struct host *host)
{
    arena_fini(&host->arena);
    mem_free(host);
}

void host_table_fini(struct host_table *table)
{
    LIST_EACH(pos, following, &table->hosts)
        host_destroy(HOST_OF(pos));
    map_fini(&table->by_number);
    map_fini(&table->by_epoch);
    map_fini(&table->by_name);
    host_table_init(table);
}

void hosts_change_init(struct hosts_change *change)
{
    *change = (struct hosts_change){0};
    list_init(&change->added);
    list_init(&change->removed);
}

void hosts_change_fini(struct hosts_change *change)
{
    LIST_EACH(pos, following, &change->added)
        list_remove(pos);
    LIST_EACH(pos, following, &change->removed)
        host_destroy(HOST_OF(pos));
    hosts_change_init(change);
}

struct host *host_by_number(const struct host_table *table, uint32_t number)
{
    return map_get(&table->by_number, number);
}

struct host *host_by_tid(const struct host_table *table, uint32_t tid)
{
    return host_by_number(table, tid_host_number(tid));
}

struct host *host_by_epoch(const struct host_table *table, uint64_t epoch)
{
    return map_get(&table->by_epoch, epoch);
}

static uint64_t name_key(const char *name)
{
    return hash_bytes(HASH_BEGIN, name, strlen(name));
}

struct host *host_by_name(const struct host_table *table, const char *name)
{
    if (!table->names_collide) {
        struct host *host = map_get(&table->by_name, name_key(name));
        return host && str_equal(host->info.name, name) ? host : NULL;
    }
    HOSTS_EACH(pos, following, table) {
        if (str_equal(HOST_OF(pos)->info.name, name))
            return HOST_OF(pos);
    }
    return NULL;
}

uint32_t hosts_free_number(const struct host_table *table, uint32_t after)
{
    for (uint32_t step = 1; step <= HOST_NUMBER_MAX; step++) {
        uint32_t number = (after + step - 1) % HOST_NUMBER_MAX + 1;
        if (!host_by_number(table, number))
            return number;
    }
    return 0;
}

/* ---- copies ---- */

int wire_addresses_copy(struct arena *arena, struct wire_address_list *copy,
                        const struct wire_address *addresses, size_t count)
{
    struct wire_address *items = arena_calloc(arena, count, sizeof(*items));
    if (!items)
        return -1;
    for (size_t i = 0; i < count; i++) {
        items[i] = addresses[i];
        uint8_t *ip = arena_alloc(arena, addresses[i].ip.length);
        if (!ip)
            return -1;
        if (addresses[i].ip.length)
            memcpy(ip, addresses[i].ip.data, addresses[i].ip.length);
        items[i].ip.data = ip;
    }
    *copy = (struct wire_address_list){.count = count, .items = items};
    return 0;
}

static const char *text_copy(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text ? text : "", text ? strlen(text) : 0);
}

int wire_host_copy(struct arena *arena, struct wire_host *copy, const struct wire_host *info)
{
    *copy = *info;
    copy->name = text_copy(arena, info->name);
    copy->arch = text_copy(arena, info->arch);
    if (!copy->name || !copy->arch)
        return -1;
    return wire_addresses_copy(arena, &copy->addresses, info->addresses.items,
                               info->addresses.count);
}

/* ---- changes ---- */

/* From the end: numbers mostly grow. */
static void insert_by_number(struct host_table *table, struct host *host)
{
    struct list *after = table->hosts.prev;
    while (after != &table->hosts && HOST_OF(after)->info.number > host->info.number)
        after = after->prev;
    list_push_front(after, &host->link);
    table->count++;
}

/* 0; -1 without memory, then nothing changed. */
static int index_host(struct host_table *table, struct host *host)
{
    const uint64_t key = name_key(host->info.name);
    if (map_get(&table->by_name, key))
        table->names_collide = true;
    else if (map_put(&table->by_name, key, host) < 0)
        return -1;
    if (map_put(&table->by_number, host->info.number, host) == 0 &&
        map_put(&table->by_epoch, host->info.epoch, host) == 0)
        return 0;
    if (map_get(&table->by_number, host->info.number) == host)
        map_remove(&table->by_number, host->info.number);
    if (map_get(&table->by_name, key) == host)
        map_remove(&table->by_name, key);
    return -1;
}

static bool host_is_possible(const struct host_table *table, const struct wire_host *info)
{
    return info->number >= 1 && info->number <= HOST_NUMBER_MAX && info->epoch != 0 &&
           !host_by_number(table, info->number) && !host_by_epoch(table, info->epoch) &&
           !host_by_name(table, info->name);
}

static uint64_t hash_host(const struct wire_host *info)
{
    uint64_t hash = hash_number(HASH_BEGIN, info->number);
    hash = hash_number(hash, info->epoch);
    hash = hash_bytes(hash, info->name, strlen(info->name) + 1);
    hash = hash_bytes(hash, info->arch, strlen(info->arch) + 1);
    hash = hash_number(hash, (uint32_t)info->speed);
    hash = hash_number(hash, info->signature);
    hash = hash_bytes(hash, info->public_key.bytes, sizeof(info->public_key.bytes));
    for (size_t i = 0; i < info->addresses.count; i++) {
        const struct wire_address *address = &info->addresses.items[i];
        hash = hash_bytes(hash, address->ip.data, address->ip.length);
        hash = hash_number(hash, address->port);
        hash = hash_number(hash, address->scope_id);
    }
    return hash;
}

static int host_add(struct host_table *table, const struct wire_host *given,
                    struct hosts_change *change)
{
    struct wire_host info = *given;
    if (info.number == 0)
        info.number = hosts_free_number(table, table->last_number);
    if (!host_is_possible(table, &info))
        return 0;
    struct host *host = mem_calloc(1, sizeof(*host));
    if (!host)
        return -1;
    if (wire_host_copy(&host->arena, &host->info, &info) < 0 || index_host(table, host) < 0) {
        host_destroy(host);
        return -1;
    }
    insert_by_number(table, host);
    host->hash = hash_host(&host->info);
    table->hash += host->hash;
    list_push_back(&change->added, &host->added);
    table->last_number = info.number;
    change->added_count++;
    return 0;
}

static void host_remove(struct host_table *table, struct host *host, struct hosts_change *change)
{
    map_remove(&table->by_number, host->info.number);
    map_remove(&table->by_epoch, host->info.epoch);
    if (map_get(&table->by_name, name_key(host->info.name)) == host)
        map_remove(&table->by_name, name_key(host->info.name));
    list_remove(&host->link);
    table->hash -= host->hash;
    table->count--;
    list_push_back(&change->removed, &host->link);
}

static int apply_add(struct host_table *table, const struct wire_cmd_hosts_add *add,
                     struct hosts_change *change)
{
    for (size_t i = 0; i < add->hosts.count; i++) {
        if (host_add(table, &add->hosts.items[i], change) < 0)
            return -1;
    }
    return 0;
}

static void apply_remove(struct host_table *table, const struct wire_cmd_hosts_remove *remove,
                         struct hosts_change *change)
{
    for (size_t i = 0; i < remove->numbers.count; i++) {
        struct host *host = host_by_number(table, remove->numbers.items[i]);
        if (host)
            host_remove(table, host, change);
    }
    change->reason = remove->reason;
    memcpy(table->psk, remove->psk.bytes, sizeof(table->psk));
    table->psk_epoch++;
}

int hosts_apply(struct host_table *table, const struct message *command,
                struct hosts_change *change)
{
    switch ((int)command->type) {
    case CMD_HOSTS_ADD:
        return apply_add(table, &command->cmd_hosts_add, change);
    case CMD_HOSTS_REMOVE:
        apply_remove(table, &command->cmd_hosts_remove, change);
        return 0;
    default:
        return 0;
    }
}

static bool state_has(const struct wire_cmd_state *state, uint64_t epoch)
{
    for (size_t i = 0; i < state->hosts.count; i++) {
        if (state->hosts.items[i].epoch == epoch)
            return true;
    }
    return false;
}

int hosts_restore(struct host_table *table, const struct wire_cmd_state *state,
                  struct hosts_change *change)
{
    change->reason = REMOVAL_FAILED;
    HOSTS_EACH(pos, following, table) {
        if (!state_has(state, HOST_OF(pos)->info.epoch))
            host_remove(table, HOST_OF(pos), change);
    }
    for (size_t i = 0; i < state->hosts.count; i++) {
        if (host_add(table, &state->hosts.items[i], change) < 0)
            return -1;
    }
    table->last_number = state->last_number;
    memcpy(table->psk, state->psk.bytes, sizeof(table->psk));
    table->psk_epoch = state->psk_epoch;
    return 0;
}

/* ---- snapshot and hash ---- */

int hosts_save(const struct host_table *table, struct arena *arena, struct wire_cmd_state *state)
{
    struct wire_host *items = arena_calloc(arena, table->count, sizeof(*items));
    size_t count = 0;
    if (!items)
        return -1;
    HOSTS_EACH(pos, following, table)
        items[count++] = HOST_OF(pos)->info;
    state->hosts = (struct wire_host_list){.count = count, .items = items};
    state->last_number = table->last_number;
    memcpy(state->psk.bytes, table->psk, sizeof(table->psk));
    state->psk_epoch = table->psk_epoch;
    return 0;
}

uint64_t hosts_hash(const struct host_table *table)
{
    uint64_t hash = hash_number(HASH_BEGIN, table->hash);
    hash = hash_bytes(hash, table->psk, sizeof(table->psk));
    hash = hash_number(hash, table->psk_epoch);
    return hash_number(hash, table->last_number);
}
