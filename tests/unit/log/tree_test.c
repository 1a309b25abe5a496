/* SPDX-License-Identifier: BSD-3-Clause */
/* The tree of those who feed and are fed: everybody once, and nobody too many. */
#include "log/tree.h"

#include "tap.h"

enum { MEMBERS = 1000 };

static uint64_t ids[MEMBERS];

static struct tree make_tree(size_t voters, size_t members)
{
    for (size_t i = 0; i < members; i++)
        ids[i] = 100 + i;
    return (struct tree){ids, voters, ids + voters, members - voters};
}

static void test_all_are_fed_once(void)
{
    static const size_t sizes[][2] = {{1, 1}, {1, 2}, {1, 10}, {2, 5}, {7, 7}, {7, 8}, {7, 1000}};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
        struct tree tree = make_tree(sizes[s][0], sizes[s][1]);
        size_t fed = 0;
        int agree = 1;
        for (size_t i = 0; i < sizes[s][1]; i++) {
            uint64_t children[TREE_FAN];
            size_t count = tree_children(&tree, ids[i], children);
            fed += count;
            for (size_t c = 0; c < count; c++)
                agree &= tree_parent(&tree, children[c]) == ids[i];
        }
        EQUAL(fed, sizes[s][1] - sizes[s][0], "every learner is fed by one member");
        OK(agree, "both sides say the same");
    }
}

static void test_depth(void)
{
    struct tree tree = make_tree(7, MEMBERS);
    int deepest = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        int depth = 0;
        for (uint64_t id = ids[i]; id; id = tree_parent(&tree, id))
            depth++;
        deepest = depth > deepest ? depth : deepest;
    }
    OK(deepest <= 4, "a thousand members are three steps below the voters");
}

static void test_nobody(void)
{
    struct tree tree = make_tree(0, 3);
    uint64_t children[TREE_FAN];
    EQUAL(tree_parent(&tree, 100), 0, "without voters nobody is fed");
    EQUAL(tree_children(&tree, 100, children), 0, "nor feeds");
    tree = make_tree(2, 20);
    EQUAL(tree_parent(&tree, 100), 0, "a voter is fed by the leader");
    EQUAL(tree_parent(&tree, 7), 0, "a stranger by nobody");
    EQUAL(tree_children(&tree, 7, children), 0, "and he feeds nobody");
}

int main(void)
{
    TEST(test_all_are_fed_once);
    TEST(test_depth);
    TEST(test_nobody);
    return tap_done();
}
