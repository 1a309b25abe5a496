/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of tasks: tids, the life of a task, flags. */
#include "core/task.h"

#include "core/child.h"
#include "core/status.h"
#include "tap.h"

static uint32_t taken;

static bool is_taken(void *context, uint32_t tid)
{
    (void)context;
    return tid == taken;
}

static struct task *create(struct task_table *table, int32_t *status)
{
    return task_create(table, TASK_STARTED, "x", is_taken, NULL, status);
}

static void test_tids_go_round(void)
{
    struct task_table table;
    int32_t status;
    taken = 0;
    task_table_init(&table, 3, 0);
    struct task *first = create(&table, &status);
    EQUAL(first->tid, 3u << 18 | 1, "the first tid");
    struct task *second = create(&table, &status);
    EQUAL(second->tid, 3u << 18 | 2, "the second");
    task_destroy(&table, second);
    EQUAL(create(&table, &status)->tid, 3u << 18 | 3, "a tid is not used again at once");
    taken = 3u << 18 | 4;
    EQUAL(create(&table, &status)->tid, 3u << 18 | 5, "nor one that a ghost holds");
    table.last_local = TID_LOCAL_MASK;
    EQUAL(create(&table, &status)->tid, 3u << 18 | 2, "after the last comes the first free one");
    task_table_fini(&table);
}

static void test_limit(void)
{
    struct task_table table;
    int32_t status;
    task_table_init(&table, 1, 1);
    OK(create(&table, &status), "one task");
    OK(!create(&table, &status), "is all there may be");
    EQUAL(status, STATUS_OUT_OF_RES, "and that is PvmOutOfRes");
    task_table_fini(&table);
}

/* Plays happenings, one letter each: p process, e enrols, l leaves, c closes, x loses process. */
static const char *live(bool is_child, bool is_wrapped, const char *happenings)
{
    static const char letters[] = "pelcx";
    struct child child = {0};
    struct task task = {.state = is_child ? TASK_STARTING : TASK_STARTED,
                        .child = is_child ? &child : NULL, .is_wrapped = is_wrapped};
    for (const char *at = happenings; *at; at++)
        task_happens(&task, (enum task_happening)(strchr(letters, *at) - letters));
    return task_state_name(task.state);
}

static void test_life(void)
{
    SAME_TEXT(live(false, false, "e"), "connected", "who comes by himself is connected");
    SAME_TEXT(live(false, false, "el"), "ended", "and ends when he leaves");
    SAME_TEXT(live(false, false, "ec"), "ended", "or closes");
    SAME_TEXT(live(true, false, "p"), "started", "a child runs");
    SAME_TEXT(live(true, false, "px"), "ended", "and may end without a word");
    SAME_TEXT(live(true, false, "ep"), "connected", "it may enrol before we know its pid");
    SAME_TEXT(live(true, false, "pel"), "left", "a child that left is still there");
    SAME_TEXT(live(true, false, "pec"), "left", "also when it only closed");
    SAME_TEXT(live(true, false, "pelx"), "ended", "until its process ends");
    SAME_TEXT(live(true, false, "pex"), "closing", "its socket is read to the end");
    SAME_TEXT(live(true, false, "pexc"), "ended", "then it ends");
    SAME_TEXT(live(true, true, "pec"), "ended", "a wrapped one ends with its connection");
    SAME_TEXT(live(true, true, "pex"), "connected", "not with its wrapper");
    SAME_TEXT(live(true, false, "x"), "ended", "a child that never ran");
}

static void test_cookies_and_flags(void)
{
    struct task_table table;
    int32_t status;
    taken = 0;
    task_table_init(&table, 1, 0);
    struct task *task = create(&table, &status);
    OK(!task_find_cookie(&table, 0), "cookie 0 is nobody's");
    task->cookie = 77;
    OK(task_find_cookie(&table, 77) == task, "a cookie finds its task");
    task->was_forked = true;
    EQUAL(task_flags(task), 2, "spawned, not enrolled: 2");
    task_happens(task, TASK_ENROLS);
    EQUAL(task_flags(task), 6, "enrolled: 6");
    task->was_forked = false;
    EQUAL(task_flags(task), 4, "from a shell: 4");
    task_table_fini(&table);
}

int main(void)
{
    TEST(test_tids_go_round);
    TEST(test_limit);
    TEST(test_life);
    TEST(test_cookies_and_flags);
    return tap_done();
}
