/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue against a naive list: every shape of receive, order by time, many messages, no
 * memory. */
#include "base/mem.h"
#include "base/rng.h"
#include "client/queue.h"
#include "tap.h"

#include <limits.h>
#include <stdlib.h>

enum { NAIVE_MAX = 1000, MANY = 100000 };

/* What the queue is to be: an array, oldest first. */
static struct {
    struct msg *messages[NAIVE_MAX];
    int count;
} naive;

static struct queue queue;
static struct rng rng;

static int draw(int bound)
{
    return (int)rng_below(&rng, (uint64_t)bound);
}

/* The queue looks at nothing else of a message. */
static struct msg *make(int source, int tag, int context, uint64_t time)
{
    struct msg *msg = mem_calloc(1, sizeof(*msg));
    CHECK(msg);
    msg->source = source;
    msg->tag = tag;
    msg->context = context;
    msg->time = time;
    return msg;
}

static struct msg *push(int source, int tag, int context, uint64_t time)
{
    struct msg *msg = make(source, tag, context, time);
    queue_push(&queue, msg);
    return msg;
}

static void empty_queue(void)
{
    LIST_EACH(node, following, &queue.messages)
    {
        struct msg *msg = LIST_ENTRY(node, struct msg, link);
        queue_take(&queue, msg);
        mem_free(msg);
    }
}

/* ---- the model ---- */

static void naive_push(struct msg *msg)
{
    int at = naive.count, back = 0;
    while (at > 0 && back < QUEUE_BACK_MAX && msg->time &&
           msg->time < naive.messages[at - 1]->time &&
           msg->source != naive.messages[at - 1]->source) {
        at--;
        back++;
    }
    memmove(&naive.messages[at + 1], &naive.messages[at],
            (size_t)(naive.count - at) * sizeof(naive.messages[0]));
    naive.messages[at] = msg;
    naive.count++;
}

static struct msg *naive_find(int source, int tag, int context)
{
    for (int i = 0; i < naive.count; i++)
        if (queue_matches(naive.messages[i], source, tag, context))
            return naive.messages[i];
    return NULL;
}

static void naive_take(const struct msg *msg)
{
    int at = 0;
    while (naive.messages[at] != msg)
        at++;
    naive.count--;
    memmove(&naive.messages[at], &naive.messages[at + 1],
            (size_t)(naive.count - at) * sizeof(naive.messages[0]));
}

static int orders_differ(void)
{
    int at = 0;
    for (struct list *node = queue.messages.next; node != &queue.messages; node = node->next)
        if (at == naive.count || naive.messages[at++] != LIST_ENTRY(node, struct msg, link))
            return 1;
    return at != naive.count || queue.count != (size_t)naive.count;
}

/* ---- random stories ---- */

struct story {
    int sources, tags, contexts;
    int length_max;  /* beyond it, taking is likelier than pushing */
    int late;        /* how far a time may lie back */
    int fails_every; /* allocations of the queue, 0 = none */
};

/* A field of some message, a field that no message has, or -1. */
static int draw_field(int bound)
{
    return draw(3) == 0 ? -1 : draw(bound + 1);
}

static void story_push(const struct story *story, uint64_t *clock)
{
    *clock += (uint64_t)draw(4);
    const uint64_t time = draw(8) == 0 ? 0 : *clock - (uint64_t)draw(story->late + 1);
    struct msg *msg = make(draw(story->sources), draw(story->tags), draw(story->contexts), time);
    if (story->fails_every)
        mem_fail_at((uint64_t)draw(story->fails_every) + 1, draw(2));
    queue_push(&queue, msg);
    mem_fail_at(0, 0);
    naive_push(msg);
}

/* 0 = found what the naive list finds. */
static int story_find(const struct story *story)
{
    const int source = draw_field(story->sources), tag = draw_field(story->tags),
              context = draw_field(story->contexts);
    if (story->fails_every)
        mem_fail_at((uint64_t)draw(story->fails_every) + 1, draw(2));
    struct msg *msg = queue_find(&queue, source, tag, context);
    mem_fail_at(0, 0);
    if (msg != naive_find(source, tag, context))
        return 1;
    if (msg && draw(4) != 0) {
        naive_take(msg);
        queue_take(&queue, msg);
        if (msg->is_queued)
            return 1;
        mem_free(msg);
    }
    return 0;
}

/* A waiting message is freed, or gets another name. */
static void story_change(const struct story *story)
{
    if (naive.count == 0)
        return;
    struct msg *msg = naive.messages[draw(naive.count)];
    if (draw(2)) {
        naive_take(msg);
        queue_take(&queue, msg);
        mem_free(msg);
    } else {
        queue_changed(&queue, msg);
        msg->tag = draw(story->tags);
        msg->context = draw(story->contexts);
    }
}

static int tell(const struct story *story, int turns)
{
    uint64_t clock = 1000000;
    int wrong = 0;
    /* The length swings, so that the index comes and goes. */
    int length_max = story->length_max;
    for (int turn = 0; turn < turns && wrong == 0; turn++) {
        if (draw(200) == 0)
            length_max = draw(story->length_max + 1);
        const int what = draw(100);
        if (what == 0)
            story_change(story);
        else if (what < (naive.count < length_max ? 60 : 10) && naive.count < NAIVE_MAX)
            story_push(story, &clock);
        else
            wrong += story_find(story);
        if (turn % 16 == 0)
            wrong += orders_differ();
    }
    wrong += orders_differ();
    empty_queue();
    naive.count = 0;
    return wrong;
}

static void as_a_list_would(void)
{
    const struct story few = {3, 3, 1, 20, 0, 0}, many = {5, 20, 3, 900, 30, 0},
                       late = {40, 2, 2, 600, 400, 0}, tags = {1, 5000, 1, 900, 0, 0};
    rng_seed(&rng, 4711);
    EQUAL(tell(&few, 20000), 0, "few messages");
    EQUAL(tell(&many, 60000), 0, "many, of several sources, tags and contexts");
    EQUAL(tell(&late, 60000), 0, "many that come late");
    EQUAL(tell(&tags, 60000), 0, "a tag for each");
}

static void without_memory(void)
{
    const struct story poor = {5, 20, 3, 300, 30, 4}, poorer = {4, 400, 2, 600, 30, 40};
    rng_seed(&rng, 815);
    EQUAL(tell(&poor, 40000), 0, "no memory again and again: as a list would");
    EQUAL(tell(&poorer, 40000), 0, "no memory now and then");
}

/* ---- order ---- */

/* Tags of what waits: "1 2 3". */
static const char *order(void)
{
    static char text[256];
    text[0] = '\0';
    for (struct list *node = queue.messages.next; node != &queue.messages; node = node->next)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", *text ? " " : "",
                 LIST_ENTRY(node, struct msg, link)->tag);
    return text;
}

static void by_time(void)
{
    push(1, 1, 0, 100);
    push(2, 2, 0, 90);
    push(3, 3, 0, 95);
    SAME_TEXT(order(), "2 3 1", "what was sent first is first");
    push(1, 4, 0, 80);
    SAME_TEXT(order(), "2 3 1 4", "but not before its own sender's");
    push(2, 5, 0, 70);
    SAME_TEXT(order(), "2 5 3 1 4", "although it passes others");
    push(4, 6, 0, 0);
    SAME_TEXT(order(), "2 5 3 1 4 6", "without a time it goes to the end");
    push(2, 7, 0, 50);
    SAME_TEXT(order(), "2 5 3 1 4 6 7", "and nobody goes before it");
    push(3, 8, 0, 50);
    SAME_TEXT(order(), "2 5 3 1 4 6 7 8", "equal times stay as they came");
    empty_queue();
    for (int i = 0; i < 2 * QUEUE_BACK_MAX; i++)
        push(1, 1, 0, 1000);
    struct msg *late = push(2, 2, 0, 1);
    int behind = 0;
    for (struct list *node = late->link.next; node != &queue.messages; node = node->next)
        behind++;
    EQUAL(behind, QUEUE_BACK_MAX, "the look back has a bound");
    empty_queue();
}

static void push_late(int source, int tag, uint64_t sequence)
{
    struct msg *msg = make(source, tag, 0, 0);
    msg->sequence = sequence;
    queue_push_late(&queue, msg);
}

/* Held back by somebody, and then to be received after all. */
static void held_back(void)
{
    const int daemon = INT_MIN; /* TID_DAEMON */
    push_late(1, 10, 1);
    push_late(2, 20, 1);
    push_late(1, 12, 3);
    push_late(1, 14, 5);
    SAME_TEXT(order(), "10 20 12 14", "nobody went before: at the end");
    push_late(1, 11, 2);
    SAME_TEXT(order(), "10 20 11 12 14", "before the younger of its source");
    push_late(daemon, 1, 0);
    push_late(2, 21, 2);
    SAME_TEXT(order(), "10 20 11 12 14 21 1", "and before a notice that came since");
    push_late(1, 13, 4);
    SAME_TEXT(order(), "10 20 11 12 13 14 21 1", "both");
    push_late(3, 30, 0);
    push_late(3, 31, 0);
    SAME_TEXT(order(), "10 20 11 12 13 14 21 30 31 1", "what is not numbered keeps its order");
    empty_queue();
}

/* A message that comes late takes its place in an index that is there already. */
static void late_in_index(void)
{
    for (int i = 0; i < 2 * QUEUE_WALK_MAX; i++)
        push(1, i, 0, 1000);
    OK(!queue_find(&queue, -1, 7777, 0), "nothing of that tag: now there is an index");
    OK(queue.index, "really");
    struct msg *young = push(2, 50, 0, 2000), *old = push(3, 50, 0, 1500);
    OK(queue_find(&queue, -1, 50, 0)->source == 1, "the oldest of a tag");
    queue_take(&queue, young);
    queue_push(&queue, young);
    struct msg *first = queue_find(&queue, 1, 50, 0);
    queue_take(&queue, first);
    OK(queue_find(&queue, -1, 50, 0) == old, "then the late one, before a younger");
    OK(queue_find(&queue, -1, 50, -1) == old, "also for another shape");
    empty_queue();
    mem_free(first);
    OK(!queue.index, "an empty queue keeps nothing");
}

/* ---- cost ---- */

/* Steps per message of pushing MANY and taking them in the order of |next|. */
static double steps_of(int (*tag_of)(int), int sources, int ask_source, int ask_context)
{
    const uint64_t before = queue.steps;
    int wrong = 0;
    for (int i = 0; i < MANY; i++)
        push(i % sources, i, 0, (uint64_t)i + 1);
    for (int i = 0; i < MANY; i++) {
        const int tag = tag_of(i);
        struct msg *msg = queue_find(&queue, ask_source ? tag % sources : -1, tag, ask_context);
        wrong += !msg || msg->tag != tag;
        if (!msg)
            break;
        queue_take(&queue, msg);
        mem_free(msg);
    }
    EQUAL(wrong, 0, "each is found");
    empty_queue();
    return (double)(queue.steps - before) / MANY;
}

static int forwards(int i)
{
    return i;
}

static int backwards(int i)
{
    return MANY - 1 - i;
}

static int everywhere(int i)
{
    return (int)((int64_t)i * 77777 % MANY);
}

static void many(void)
{
    OK(steps_of(forwards, 1, 0, 0) <= 3, "in order: hardly a step");
    OK(steps_of(backwards, 1, 0, 0) <= 8, "in reverse order of tag");
    OK(steps_of(backwards, 100, 1, 0) <= 8, "by source and tag");
    OK(steps_of(everywhere, 100, 0, -1) <= 8, "here and there, of any context");
}

/* All messages of one tag but the last: the list of that tag is long, finding its first is not. */
static void long_lists(void)
{
    for (int i = 0; i < MANY; i++)
        push(i % 10, i == MANY - 1, i % 3, 0);
    int wrong = 0;
    struct msg *last = queue_find(&queue, -1, 1, -1);
    wrong += !last || last->tag != 1;
    const uint64_t before = queue.steps;
    for (int i = 0; i < MANY / 3; i++) {
        struct msg *msg = queue_find(&queue, -1, -1, 2);
        wrong += !msg || msg->context != 2;
        if (!msg)
            break;
        queue_take(&queue, msg);
        mem_free(msg);
    }
    EQUAL(wrong, 0, "the messages of one context");
    OK((double)(queue.steps - before) / MANY < 8, "come without looking at the others");
    const uint64_t polls = queue.steps;
    for (int i = 0; i < 1000; i++)
        wrong += queue_find(&queue, 3, 5, 1) != NULL;
    EQUAL(wrong, 0, "what is not there is not found");
    OK(queue.steps - polls < 1000 * 8 + 2 * MANY, "nor looked for everywhere");
    empty_queue();
}

/* What is never received must not make everything after it dear, nor the index grow. */
static void old_ones_stay(void)
{
    for (int i = 0; i < 4; i++)
        push(9, 9, 9, 0);
    for (int i = 0; i < 1000; i++)
        push(1, i, 0, 0);
    for (int i = 999; i >= 0; i--) {
        struct msg *msg = queue_find(&queue, 1, i, 0);
        queue_take(&queue, msg);
        mem_free(msg);
    }
    OK(!queue.index, "the index is given up when few are left");
    const uint64_t before = queue.steps;
    for (int i = 0; i < 1000; i++) {
        struct msg *msg = push(1, 5, 0, 0);
        queue_find(&queue, 1, 5, 0);
        queue_take(&queue, msg);
        mem_free(msg);
    }
    OK(queue.steps - before <= 5 * 1000 && !queue.index, "and those after pass by the old ones");
    empty_queue();
}

/* Messages come and go, their number stays: so does the memory. */
static void steady(void)
{
    int wrong = 0;
    for (int i = 0; i < 100; i++)
        push(1, i, 0, 0);
    wrong += queue_find(&queue, 1, 99, -1) == NULL || queue_find(&queue, -1, 99, 0) == NULL;
    for (int i = 100; i < 20000; i++) {
        struct msg *msg = make(1, i, 0, 0);
        if (i > 200)
            mem_fail_at(1, 1);
        queue_push(&queue, msg);
        msg = queue_find(&queue, -1, i - 50, 0);
        mem_fail_at(0, 0);
        wrong += !msg || !queue.index;
        if (!msg)
            break;
        queue_take(&queue, msg);
        mem_free(msg);
    }
    EQUAL(wrong, 0, "a queue of steady length needs no more memory");
    empty_queue();
}

enum { SOME = 3 * QUEUE_WALK_MAX };

/* Some messages through the queue, by way of several shapes. Returns what went wrong. */
static int some_pass(struct msg *messages[SOME])
{
    int wrong = 0;
    for (int i = 0; i < 2 * QUEUE_WALK_MAX; i++)
        queue_push(&queue, messages[i]);
    for (int i = 2 * QUEUE_WALK_MAX - 1; i >= QUEUE_WALK_MAX; i--)
        wrong += queue_find(&queue, -1, i, -1) != messages[i] ||
                 queue_find(&queue, i % 3, i, -1) != messages[i] ||
                 queue_find(&queue, i % 3, i, i % 2) != messages[i];
    for (int i = 2 * QUEUE_WALK_MAX; i < SOME; i++)
        queue_push(&queue, messages[i]);
    for (int i = SOME - 1; i >= 0; i--) {
        wrong += queue_find(&queue, -1, i, -1) != messages[i];
        queue_take(&queue, messages[i]);
    }
    return wrong + (queue.count != 0 || queue.index != NULL);
}

/* Each allocation fails, once or from then on: nothing is lost. */
static void each_allocation(void)
{
    struct msg *messages[SOME];
    int wrong = 0, allocations = 0;
    for (int i = 0; i < SOME; i++)
        messages[i] = make(i % 3, i, i % 2, 0);
    for (bool is_reached = true; is_reached && allocations < 1000; allocations++) {
        mem_fail_at((uint64_t)allocations + 1, 0);
        wrong += some_pass(messages);
        mem_fail_at((uint64_t)allocations + 1, 1);
        wrong += some_pass(messages);
        void *probe = mem_alloc(1);
        is_reached = !probe;
        mem_free(probe);
        mem_fail_at(0, 0);
    }
    EQUAL(wrong, 0, "whatever allocation fails, every message is found");
    OK(allocations > 10 && allocations < 1000, "and there were some");
    for (int i = 0; i < SOME; i++)
        mem_free(messages[i]);
}

int main(void)
{
    queue_init(&queue);
    TEST(as_a_list_would);
    TEST(without_memory);
    TEST(by_time);
    TEST(held_back);
    TEST(late_in_index);
    TEST(many);
    TEST(long_lists);
    TEST(old_ones_stay);
    TEST(steady);
    TEST(each_allocation);
    return tap_done();
}
