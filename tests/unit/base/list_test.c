/* SPDX-License-Identifier: BSD-3-Clause */
/* The intrusive list. */
#include "base/list.h"

#include "tap.h"

struct item {
    int value;
    struct list link;
};

static int sum_in_order(const struct list *head)
{
    int number = 0;
    LIST_EACH(pos, following, head)
        number = number * 10 + LIST_ENTRY(pos, struct item, link)->value;
    return number;
}

int main(void)
{
    struct list a;
    struct list b;
    struct item items[5];
    list_init(&a);
    list_init(&b);
    OK(list_is_empty(&a) && !list_first(&a), "an empty list");
    for (int i = 0; i < 5; i++)
        items[i].value = i + 1;
    list_push_back(&a, &items[0].link);
    list_push_back(&a, &items[1].link);
    list_push_front(&a, &items[2].link);
    list_push_back(&b, &items[3].link);
    list_push_back(&b, &items[4].link);
    EQUAL(sum_in_order(&a), 312, "in order");
    list_splice_back(&a, &b);
    EQUAL(sum_in_order(&a), 31245, "another list behind it");
    OK(list_is_empty(&b), "which is empty then");
    list_splice_back(&a, &b);
    LIST_EACH(pos, following, &a) {
        if (LIST_ENTRY(pos, struct item, link)->value % 2)
            list_remove(pos);
    }
    EQUAL(sum_in_order(&a), 24, "removed while walking");
    list_remove(&items[0].link);
    EQUAL(sum_in_order(&a), 24, "removed twice is removed once");
    return tap_done();
}
