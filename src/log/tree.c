/* SPDX-License-Identifier: BSD-3-Clause */
/* Who feeds whom: see the header. */
#include "log/tree.h"

#include "base/check.h"

static size_t tree_size(const struct tree *tree)
{
    return tree->voter_count + tree->learner_count;
}

static uint64_t element(const struct tree *tree, size_t index)
{
    return index < tree->voter_count ? tree->voters[index]
                                     : tree->learners[index - tree->voter_count];
}

/* The place of |id|; the size of the tree when it has none. */
static size_t place(const struct tree *tree, uint64_t id)
{
    size_t index = 0;
    while (index < tree_size(tree) && element(tree, index) != id)
        index++;
    return index;
}

uint64_t tree_parent(const struct tree *tree, uint64_t id)
{
    size_t index = place(tree, id);
    if (tree->voter_count == 0 || index < tree->voter_count || index == tree_size(tree))
        return 0;
    return element(tree, (index - tree->voter_count) / TREE_FAN);
}

size_t tree_children(const struct tree *tree, uint64_t id, uint64_t children[TREE_FAN])
{
    size_t index = place(tree, id);
    size_t count = 0;
    if (tree->voter_count == 0 || index == tree_size(tree))
        return 0;
    size_t first = tree->voter_count + index * TREE_FAN;
    while (count < TREE_FAN && first + count < tree_size(tree)) {
        children[count] = element(tree, first + count);
        count++;
    }
    return count;
}
