/* SPDX-License-Identifier: BSD-3-Clause */
/* Placement: API-28 and API-29. */
#include "core/place.h"

#include "tap.h"

static struct host_table table;

static void make_table(void)
{
    static const struct wire_host hosts[] = {
        {.number = 1, .epoch = 1, .name = "alpha", .arch = "LINUX64"},
        {.number = 2, .epoch = 2, .name = "beta", .arch = "LINUX"},
        {.number = 4, .epoch = 4, .name = "gamma", .arch = "LINUX64"}};
    struct message command = {.type = CMD_HOSTS_ADD, .cmd_hosts_add = {.hosts = {3, hosts}}};
    struct hosts_change change;
    host_table_init(&table);
    hosts_change_init(&change);
    hosts_apply(&table, &command, &change);
    hosts_change_fini(&change);
}

static void chosen(uint32_t flags, const char *where, const char *wanted)
{
    uint32_t numbers[3];
    char text[64] = "";
    size_t count = place_choose(&table, flags, where, 2, numbers);
    for (size_t i = 0; i < count; i++)
        str_format(text + strlen(text), 16, "%u", numbers[i]);
    SAME_TEXT(text, wanted, where);
}

static void test_choose(void)
{
    chosen(0, "", "124");
    chosen(0, "beta", "124"); /* without a flag the name part counts for nothing */
    chosen(SPAWN_HOST, "gamma", "4");
    chosen(SPAWN_HOST, "gamma:/tmp", "4");
    chosen(SPAWN_HOST, ".", "2");
    chosen(SPAWN_HOST, ".:/tmp", "2");
    chosen(SPAWN_HOST, "gam", "");
    chosen(SPAWN_HOST, "", "");
    chosen(SPAWN_ARCH, "LINUX64", "14");
    chosen(SPAWN_ARCH, "LINUX", "2");
    chosen(SPAWN_ARCH, "SUN4", "");
    chosen(SPAWN_ARCH | SPAWN_COMPLEMENT, "LINUX64", "2");
    chosen(SPAWN_HOST | SPAWN_COMPLEMENT, ".", "14");
    chosen(SPAWN_COMPLEMENT, "", "");
    SAME_TEXT(place_directory("alpha:/a:b"), "/a:b", "what is behind the first colon");
    SAME_TEXT(place_directory("alpha"), "", "or nothing");
}

static void dealt(const uint32_t *numbers, size_t count, uint32_t tasks, uint32_t *next,
                  const char *wanted)
{
    struct share shares[3];
    char text[64] = "";
    size_t used = place_deal(numbers, count, tasks, next, shares);
    for (size_t i = 0; i < used; i++)
        str_format(text + strlen(text), 16, "%s%u:%u", i ? " " : "", shares[i].number,
                   shares[i].count);
    SAME_TEXT(text, wanted, wanted);
}

static void test_deal(void)
{
    static const uint32_t all[] = {1, 2, 4};
    uint32_t next = 2; /* the host behind the local one */
    dealt(all, 3, 5, &next, "2:2 4:2 1:1");
    next = 2;
    dealt(all, 3, 1, &next, "2:1");
    dealt(all, 3, 1, &next, "4:1");
    dealt(all, 3, 1, &next, "1:1");
    dealt(all, 3, 2, &next, "2:1 4:1");
    dealt(all, 3, 3, &next, "1:1 2:1 4:1");
    dealt(all, 3, 7, &next, "1:3 2:2 4:2");
    dealt(all, 1, 4, &next, "1:4");
    dealt(all, 0, 4, &next, "");
    next = 4000;
    dealt(all, 3, 1, &next, "1:1");
}

int main(void)
{
    make_table();
    TEST(test_choose);
    TEST(test_deal);
    host_table_fini(&table);
    return tap_done();
}
