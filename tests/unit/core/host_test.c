/* SPDX-License-Identifier: BSD-3-Clause */
/* The host table: commands in, the same table everywhere. */
#include "core/host.h"

#include "base/mem.h"
#include "tap.h"

static struct wire_host info(uint32_t number, const char *name)
{
    return (struct wire_host){.number = number, .epoch = 100 + number, .name = name,
                              .arch = "LINUX64", .speed = 1000};
}

static int add(struct host_table *table, uint32_t number, const char *name)
{
    struct wire_host host = info(number, name);
    struct message command = {.type = CMD_HOSTS_ADD, .cmd_hosts_add = {.hosts = {1, &host}}};
    struct hosts_change change;
    hosts_change_init(&change);
    int added = hosts_apply(table, &command, &change) < 0 ? -1 : (int)change.added_count;
    hosts_change_fini(&change);
    return added;
}

static void test_add_and_find(void)
{
    struct host_table table;
    host_table_init(&table);
    EQUAL(add(&table, 3, "c"), 1, "a host");
    EQUAL(add(&table, 1, "a"), 1, "another, with a lower number");
    EQUAL(add(&table, 3, "d"), 0, "a number twice is nothing");
    EQUAL(add(&table, 4, "a"), 0, "nor is a name");
    EQUAL(add(&table, 0, "next"), 1, "number 0 is the next one");
    EQUAL(host_by_name(&table, "next")->info.number, 2, "that is free after the last one given");
    EQUAL(add(&table, 4096, "big"), 0, "nor 4096");
    EQUAL(HOST_OF(list_first(&table.hosts))->info.number, 1, "in the order of numbers");
    SAME_TEXT(host_by_tid(&table, 3u << 18 | 77)->info.name, "c", "found by the tid of a task");
    OK(host_by_epoch(&table, 101) == host_by_name(&table, "a"), "by epoch and by name");
    OK(!host_by_name(&table, "A"), "names are what they are, letter by letter");
    host_table_fini(&table);
}

static void test_remove_changes_the_key(void)
{
    struct host_table table;
    host_table_init(&table);
    add(&table, 1, "a");
    add(&table, 2, "b");
    uint32_t numbers[] = {2, 9};
    struct message command = {.type = CMD_HOSTS_REMOVE};
    command.cmd_hosts_remove = (struct wire_cmd_hosts_remove){
        .numbers = {2, numbers}, .reason = REMOVAL_FAILED};
    command.cmd_hosts_remove.psk.bytes[0] = 0x77;
    struct hosts_change change;
    hosts_change_init(&change);
    EQUAL(hosts_apply(&table, &command, &change), 0, "a removal");
    SAME_TEXT(HOST_OF(list_first(&change.removed))->info.name, "b", "says who went");
    EQUAL(change.reason, REMOVAL_FAILED, "and why");
    OK(table.psk[0] == 0x77 && table.psk_epoch == 1, "the key is another one");
    EQUAL(table.count, 1, "one host is left");
    hosts_change_fini(&change);
    host_table_fini(&table);
}

static void test_numbers(void)
{
    struct host_table table;
    host_table_init(&table);
    add(&table, 1, "a");
    EQUAL(hosts_free_number(&table, 1), 2, "numbers increase");
    EQUAL(hosts_free_number(&table, 7), 8, "from the last one given");
    EQUAL(hosts_free_number(&table, 4095), 2, "wrap, and leave out who is there");
    host_table_fini(&table);
}

static void test_state_there_and_back(void)
{
    struct host_table table;
    struct host_table copy;
    struct hosts_change change;
    struct message message;
    struct arena arena;
    struct wr wr;
    uint8_t ip[16] = {1, 2, 3};
    struct wire_address address = {{ip, 16}, 9, 1};
    host_table_init(&table);
    host_table_init(&copy);
    arena_init(&arena);
    wr_init(&wr);
    add(&table, 1, "a");
    struct wire_host host = info(5, "e");
    host.addresses = (struct wire_address_list){1, &address};
    struct message command = {.type = CMD_HOSTS_ADD, .cmd_hosts_add = {.hosts = {1, &host}}};
    hosts_change_init(&change);
    hosts_apply(&table, &command, &change);
    hosts_change_fini(&change);
    table.psk_epoch = 3;
    add(&copy, 2, "gone");
    OK(hosts_hash(&table) != hosts_hash(&copy), "two tables");
    struct message saved = {.type = CMD_STATE};
    EQUAL(hosts_save(&table, &arena, &saved.cmd_state), 0, "is saved");
    message_encode(&wr, &saved);
    EQUAL(message_decode(wr.bytes, wr.length, &arena, &message), 0, "a state is a message");
    EQUAL(hosts_restore(&copy, &message.cmd_state, &change), 0, "and makes a table");
    EQUAL(hosts_hash(&table), hosts_hash(&copy), "the same one");
    EQUAL(change.added_count, 2, "with two hosts new");
    SAME_TEXT(HOST_OF(list_first(&change.removed))->info.name, "gone", "and one gone");
    hosts_change_fini(&change);
    wr_fini(&wr);
    arena_fini(&arena);
    host_table_fini(&table);
    host_table_fini(&copy);
}

static void test_without_memory(void)
{
    for (uint64_t nth = 1; nth < 8; nth++) {
        struct host_table table;
        host_table_init(&table);
        mem_fail_at(nth, 0);
        int added = add(&table, 1, "a");
        mem_fail_at(0, 0);
        OK(added == (added > 0 ? 1 : -1), "no memory is told");
        EQUAL(table.count, added > 0 ? 1 : 0, "and nothing is half there");
        host_table_fini(&table);
    }
}

int main(void)
{
    TEST(test_add_and_find);
    TEST(test_remove_changes_the_key);
    TEST(test_numbers);
    TEST(test_state_there_and_back);
    TEST(test_without_memory);
    return tap_done();
}
