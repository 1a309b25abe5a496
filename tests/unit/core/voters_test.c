/* SPDX-License-Identifier: BSD-3-Clause */
/* Who should vote: the rule alone. */
#include "core/voters.h"

#include "tap.h"

struct world {
    uint64_t leaving;
    uint64_t behind; /* hosts from this epoch on have not caught up; 0 = all have */
};

static bool stays(const void *context, uint64_t epoch)
{
    return epoch != ((const struct world *)context)->leaving;
}

static bool is_caught_up(const void *context, uint64_t epoch)
{
    const struct world *world = context;
    return !world->behind || epoch < world->behind;
}

static void add(struct host_table *table, uint32_t number)
{
    char name[16];
    str_format(name, sizeof(name), "h%u", number);
    struct wire_host host = {.number = number, .epoch = 100 + number, .name = name, .arch = "A"};
    struct message command = {.type = CMD_HOSTS_ADD, .cmd_hosts_add = {.hosts = {1, &host}}};
    struct hosts_change change;
    hosts_change_init(&change);
    hosts_apply(table, &command, &change);
    hosts_change_fini(&change);
}

static struct voters_wish choose(uint32_t hosts, const struct log_voters *now,
                                 const struct world *world)
{
    struct voters_judge judge = {stays, is_caught_up, world};
    struct host_table table;
    host_table_init(&table);
    for (uint32_t number = 1; number <= hosts; number++)
        add(&table, number);
    struct voters_wish wish = voters_choose(&table, now, 101, &judge);
    host_table_fini(&table);
    return wish;
}

static const struct log_voters founder = {.ids = {101}, .count = 1, .tie = 101};

static void test_all_vote_up_to_seven(void)
{
    struct world world = {0};
    struct voters_wish wish = choose(5, &founder, &world);
    EQUAL(wish.count, 5, "all of five vote");
    EQUAL(wish.tie, 101, "the founder keeps the tie");
    OK(voters_differ(&founder, &wish), "that is a change");
    wish = choose(20, &founder, &world);
    EQUAL(wish.count, 7, "seven of twenty");
    EQUAL(wish.ids[6], 107, "those with the lowest numbers");
}

static void test_who_votes_goes_on(void)
{
    struct world world = {0};
    struct log_voters now = {.ids = {115, 101, 112}, .count = 3, .tie = 115};
    struct voters_wish wish = choose(20, &now, &world);
    EQUAL(wish.ids[0], 115, "a voter goes on, whatever its number");
    EQUAL(wish.ids[3], 102, "free places go to the lowest");
    EQUAL(wish.tie, 115, "and the tie stays where it is");
    struct log_voters same = {.count = wish.count, .tie = wish.tie};
    for (size_t i = 0; i < wish.count; i++)
        same.ids[i] = wish.ids[wish.count - 1 - i];
    OK(!voters_differ(&same, &wish), "another order is no change");
    same.old_count = 1;
    same.tie = 101;
    OK(!voters_differ(&same, &wish), "nor is one asked for while another is under way");
}

static void test_who_goes(void)
{
    struct world world = {.leaving = 103};
    struct log_voters now = {.ids = {101, 102, 103, 199}, .count = 4, .tie = 103};
    struct voters_wish wish = choose(4, &now, &world);
    EQUAL(wish.count, 3, "who leaves and who is gone vote no more");
    EQUAL(wish.ids[2], 104, "another takes the place");
    EQUAL(wish.tie, 101, "the leader takes the tie");
}

static void test_who_is_behind(void)
{
    struct world world = {.behind = 103};
    struct voters_wish wish = choose(9, &founder, &world);
    EQUAL(wish.count, 2, "nobody votes who has not caught up");
    world = (struct world){.leaving = 101, .behind = 101};
    wish = choose(1, &founder, &world);
    EQUAL(wish.count, 0, "nobody could");
    OK(!voters_differ(&founder, &wish), "then nothing changes");
}

int main(void)
{
    TEST(test_all_vote_up_to_seven);
    TEST(test_who_votes_goes_on);
    TEST(test_who_goes);
    TEST(test_who_is_behind);
    return tap_done();
}
