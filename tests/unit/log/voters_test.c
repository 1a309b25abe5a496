/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of voters: what is a quorum by weight, alone and joint, and which sets make no sense. */
#include "log/state.h"
#include "tap.h"

static uint64_t is_in(const void *context, uint64_t id)
{
    const uint32_t *members = context;
    return (*members >> id) & 1;
}

static bool is_quorum(const struct log_voters *voters, uint32_t members)
{
    return voters_agree(voters, is_in, &members) == 1;
}

static struct log_voters some(size_t count, uint64_t tie)
{
    struct log_voters voters = {.count = count, .tie = tie};
    for (size_t i = 0; i < count; i++)
        voters.ids[i] = i + 1;
    return voters;
}

/* For all sets up to 7, with and without each member as tie-holder. */
static void test_two_quorums_meet(void)
{
    bool meet = true;
    bool one_side = true;
    for (size_t count = 1; count <= LOG_VOTERS_MAX; count++) {
        struct log_voters voters = some(count, 1);
        uint32_t all = (UINT32_C(2) << count) - 2;
        for (uint32_t members = 0; members <= all; members += 2) {
            meet &= !(is_quorum(&voters, members) && is_quorum(&voters, all & ~members));
            one_side &= is_quorum(&voters, members) || is_quorum(&voters, all & ~members);
        }
    }
    OK(meet, "a set and those outside it are never both a quorum");
    OK(one_side, "with a tie-holder one of them always is");
}

static void test_tie(void)
{
    struct log_voters two = some(2, 1);
    OK(is_quorum(&two, 2), "of two the tie-holder suffices");
    OK(!is_quorum(&two, 4), "the other does not");
    struct log_voters four = some(4, 1);
    OK(is_quorum(&four, 2 + 4), "of four the tie-holder and another");
    OK(!is_quorum(&four, 8 + 16), "not the other two");
    struct log_voters three = some(3, 1);
    OK(is_quorum(&three, 4 + 8), "of three any two");
    OK(!is_quorum(&three, 2), "not one, the tie-holder either");
}

/* The tie-holder moves among four: there are quorums of the one set and the other that do not meet,
 * and that is why it is a joint change. */
static void test_joint(void)
{
    struct log_voters joint = some(4, 4);
    struct log_voters before = some(4, 1);
    OK(is_quorum(&before, 2 + 4) && is_quorum(&joint, 8 + 16), "before and after: quorums apart");
    joint.old_count = 4;
    joint.old_tie = 1;
    memcpy(joint.old_ids, joint.ids, sizeof(joint.ids));
    OK(!is_quorum(&joint, 2 + 4), "joint, the one is not enough");
    OK(!is_quorum(&joint, 8 + 16), "nor the other");
    OK(is_quorum(&joint, 2 + 16), "what is a quorum of both is");
    uint64_t ids[LOG_UNION_MAX];
    joint.old_ids[0] = 9;
    EQUAL(voters_all(&joint, ids), 5, "all of both, each once");
    OK(voters_contain(&joint, 9) && !voters_contain(&joint, 8), "who is in either, votes");
}

static uint64_t tenfold(const void *context, uint64_t id)
{
    (void)context;
    return id * 10;
}

static void test_value(void)
{
    struct log_voters five = some(5, 1);
    EQUAL(voters_agree(&five, tenfold, NULL), 30, "what three of five have or exceed");
    struct log_voters two = some(2, 2);
    EQUAL(voters_agree(&two, tenfold, NULL), 20, "what the tie-holder has");
    struct log_voters none = {0};
    EQUAL(voters_agree(&none, tenfold, NULL), 0, "without voters nothing is agreed");
}

static void test_sound(void)
{
    static const uint64_t twice[] = {1, 2, 1};
    static const uint64_t null[] = {1, 0};
    static const uint64_t good[] = {1, 2, 3, 4, 5, 6, 7, 8};
    OK(voters_are_sound(good, 7, 7), "seven may vote");
    OK(!voters_are_sound(good, 8, 7), "not eight");
    OK(!voters_are_sound(good, 0, 0), "nor nobody");
    OK(!voters_are_sound(good, 3, 4), "the tie-holder votes");
    OK(!voters_are_sound(twice, 3, 1), "nobody votes twice");
    OK(!voters_are_sound(null, 2, 1), "0 is nobody");
}

static void test_messages(void)
{
    struct voter_records records;
    struct wire_cmd_voters fields;
    struct log_voters joint = some(3, 2);
    struct log_voters back;
    joint.old_count = 1;
    joint.old_ids[0] = joint.old_tie = 6;
    voters_write(&joint, &records, &fields);
    EQUAL(voters_read(&back, &fields), 0, "what was written is read");
    OK(memcmp(&back, &joint, sizeof(back)) == 0, "as it was");
    fields.old_tie = 5;
    EQUAL(voters_read(&back, &fields), -1, "an old set without its tie-holder is not");
    fields.old_voters.count = 0;
    fields.voters.count = 0;
    EQUAL(voters_read(&back, &fields), -1, "nor is an empty set");
}

int main(void)
{
    TEST(test_two_quorums_meet);
    TEST(test_tie);
    TEST(test_joint);
    TEST(test_value);
    TEST(test_sound);
    TEST(test_messages);
    return tap_done();
}
