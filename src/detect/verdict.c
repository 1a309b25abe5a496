/* SPDX-License-Identifier: BSD-3-Clause */
/* Inquiries of the leader: see the header; why a verdict is safe: detect/lease.h. */
#include "detect/verdict.h"

#include "base/mem.h"
#include "detect/lease.h"
#include "detect/watch.h"

enum {
    EARLY_TRIES = 3 /* how often an early question is repeated */
};

struct answer {
    uint64_t id;
    bool has_come;
    uint64_t until_ns; /* the last sign of life it knows of, by our clock; not too early */
};

struct inquiry {
    struct list node;
    struct member *about;
    uint32_t round;      /* of the question under way */
    uint64_t asked_ns;   /* T0: when it went out first */
    uint64_t next_ns;    /* when to do something */
    uint64_t final_ns;   /* when a verdict may be had, as far as known */
    bool is_open;        /* the question is under way */
    unsigned tries;
    struct answer *answers;
    size_t answer_count;
    size_t answer_capacity;
};

/* ---- opening and closing ---- */

void verdict_drop(struct detect *detect, struct member *member)
{
    (void)detect;
    struct inquiry *inquiry = member->inquiry;
    if (!inquiry)
        return;
    list_remove(&inquiry->node);
    mem_free(inquiry->answers);
    mem_free(inquiry);
    member->inquiry = NULL;
}

void verdict_drop_all(struct detect *detect)
{
    LIST_EACH(pos, following, &detect->inquiries)
        verdict_drop(detect, LIST_ENTRY(pos, struct inquiry, node)->about);
}

static void inquiry_plan(struct detect *detect, struct inquiry *inquiry, uint64_t at_ns)
{
    inquiry->next_ns = at_ns;
    detect->inquiry_ns = MIN_OF(detect->inquiry_ns, at_ns);
}

void verdict_open(struct detect *detect, struct member *member)
{
    if (member->inquiry || member->is_condemned || member == detect->me || !detect->voters_count ||
        member_silence(detect, member) < share(detect, TIME_FRESH))
        return;
    struct inquiry *inquiry = mem_calloc(1, sizeof(*inquiry));
    if (!inquiry)
        return; /* whoever suspects tells us again */
    inquiry->about = member;
    list_push_back(&detect->inquiries, &inquiry->node);
    member->inquiry = inquiry;
    inquiry_plan(detect, inquiry, detect->now_ns);
}

void verdict_heard(struct detect *detect, struct member *member)
{
    verdict_drop(detect, member);
}

void verdict_condemn(struct detect *detect, struct member *member)
{
    verdict_drop(detect, member);
    member->is_condemned = true;
    member->reminded_ns = detect->now_ns;
    member_news(detect, member, NEWS_REMOVE);
    detect->inquiry_ns = MIN_OF(detect->inquiry_ns, detect->now_ns + share(detect, TIME_REMIND));
}

/* ---- asking ---- */

static struct answer *answer_find(struct inquiry *inquiry, uint64_t id)
{
    for (size_t i = 0; i < inquiry->answer_count; i++) {
        if (inquiry->answers[i].id == id)
            return &inquiry->answers[i];
    }
    return NULL;
}

/* All whose answers matter: who votes, now or in a configuration that is not outdated. 0, -1. */
static int answers_prepare(struct detect *detect, struct inquiry *inquiry)
{
    inquiry->answer_count = 0;
    for (size_t i = voters_needed_from(detect, inquiry->about->voters_index);
         i < detect->voters_count; i++) {
        const struct voters *voters = &detect->voters[i];
        if (mem_grow((void **)&inquiry->answers, &inquiry->answer_capacity,
                     inquiry->answer_count + voters->count, sizeof(*inquiry->answers)))
            return -1;
        for (size_t j = 0; j < voters->count; j++) {
            if (!answer_find(inquiry, voters->list[j].id))
                inquiry->answers[inquiry->answer_count++] =
                    (struct answer){.id = voters->list[j].id};
        }
    }
    struct answer *own = answer_find(inquiry, detect->self);
    if (own) {
        own->has_come = true;
        own->until_ns = detect->now_ns - member_silence(detect, inquiry->about);
    }
    return 0;
}

static void ask_missing(struct detect *detect, struct inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->answer_count; i++) {
        const struct answer *answer = &inquiry->answers[i];
        if (answer->has_come || answer->id == inquiry->about->id ||
            !member_find(detect, answer->id))
            continue;
        struct letter *letter = post(detect, answer->id, DM_ASK_HEARD);
        if (!letter)
            continue;
        letter->about = inquiry->about->id;
        letter->round = inquiry->round;
    }
    inquiry->tries++;
}

/* ---- judging ---- */

/* A voter of before that went confirms nothing from then on. */
static bool is_gone_for_long(const struct detect *detect, uint64_t id, uint64_t asked_ns)
{
    if (member_find(detect, id))
        return false;
    for (size_t i = 0; i < GONE_KEPT; i++) {
        if (detect->gone[i].id == id && detect->gone[i].at_ns)
            return detect->gone[i].at_ns + share(detect, TIME_REMOVE) <= asked_ns;
    }
    return false;
}

struct silence {
    const struct detect *detect;
    struct inquiry *inquiry;
};

static bool is_silent(const void *context, uint64_t id)
{
    const struct silence *silence = context;
    const struct answer *answer = answer_find(silence->inquiry, id);
    return (answer && answer->has_come) ||
           is_gone_for_long(silence->detect, id, silence->inquiry->asked_ns);
}

static bool has_majorities(const struct detect *detect, struct inquiry *inquiry)
{
    const struct silence silence = {detect, inquiry};
    for (size_t i = voters_needed_from(detect, inquiry->about->voters_index);
         i < detect->voters_count; i++) {
        if (!voters_majority(&detect->voters[i], is_silent, &silence))
            return false;
    }
    return true;
}

/* The youngest sign of life that anybody told of. */
static uint64_t newest_sign(const struct inquiry *inquiry)
{
    uint64_t newest_ns = 0;
    for (size_t i = 0; i < inquiry->answer_count; i++) {
        if (inquiry->answers[i].has_come)
            newest_ns = MAX_OF(newest_ns, inquiry->answers[i].until_ns);
    }
    return newest_ns;
}

/* A voter that lives has not answered. */
static bool is_missed(const struct detect *detect, const struct inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->answer_count; i++) {
        const struct answer *answer = &inquiry->answers[i];
        const struct member *voter = member_find(detect, answer->id);
        if (!answer->has_come && voter && voter != inquiry->about && !voter->is_dead &&
            member_votes(voter) && member_silence(detect, voter) < share(detect, TIME_REMOVE))
            return true;
    }
    return false;
}

/* The question is answered as far as it will be: what now? */
static void inquiry_conclude(struct detect *detect, struct inquiry *inquiry)
{
    uint64_t newest_ns = newest_sign(inquiry);
    inquiry->is_open = false;
    if (inquiry->asked_ns - MIN_OF(newest_ns, inquiry->asked_ns) < share(detect, TIME_FRESH)) {
        verdict_drop(detect, inquiry->about);
        return;
    }
    inquiry->final_ns = newest_ns + share(detect, TIME_REMOVE);
    uint64_t early_ns = inquiry->asked_ns + share(detect, TIME_ASK_EARLY);
    inquiry_plan(detect, inquiry,
                 MAX_OF(detect->now_ns, MIN_OF(early_ns, inquiry->final_ns)));
}

/* True when |inquiry| is gone. */
static void inquiry_judge(struct detect *detect, struct inquiry *inquiry)
{
    uint64_t newest_ns = newest_sign(inquiry);
    bool all_silent = newest_ns + share(detect, TIME_REMOVE) <= inquiry->asked_ns;
    bool missed = is_missed(detect, inquiry);
    if (!all_silent) {
        if (!missed || inquiry->tries > EARLY_TRIES)
            inquiry_conclude(detect, inquiry);
        return;
    }
    bool is_enough = has_majorities(detect, inquiry);
    if (is_enough && (!missed || detect->now_ns >= newest_ns + share(detect, TIME_GIVE_UP))) {
        verdict_condemn(detect, inquiry->about);
    } else if (!is_enough && !missed) { /* who could tell is gone: ask anew, later */
        inquiry->is_open = false;
        inquiry_plan(detect, inquiry, detect->now_ns + share(detect, TIME_PROBE_REPLY));
    }
}

static void inquiry_run(struct detect *detect, struct inquiry *inquiry)
{
    if (!inquiry->is_open) {
        inquiry->round = ++detect->inquiry_round;
        inquiry->asked_ns = detect->now_ns;
        inquiry->tries = 0;
        inquiry->is_open = answers_prepare(detect, inquiry) == 0;
    }
    bool is_final = (inquiry->final_ns && detect->now_ns >= inquiry->final_ns) ||
                    member_silence(detect, inquiry->about) >= share(detect, TIME_REMOVE);
    inquiry_plan(detect, inquiry,
                 detect->now_ns + share(detect, is_final ? TIME_ASK : TIME_PROBE_REPLY));
    if (!inquiry->is_open)
        return;
    ask_missing(detect, inquiry);
    inquiry_judge(detect, inquiry);
}

static void reminders_run(struct detect *detect)
{
    for (size_t i = 0; i < detect->members.count; i++) {
        struct member *member = detect->members.entries[i].value;
        if (!member->is_condemned)
            continue;
        if (detect->now_ns >= member->reminded_ns + share(detect, TIME_REMIND)) {
            member->reminded_ns = detect->now_ns;
            member_news(detect, member, NEWS_REMOVE);
        }
        detect->inquiry_ns =
            MIN_OF(detect->inquiry_ns, member->reminded_ns + share(detect, TIME_REMIND));
    }
}

void verdict_run(struct detect *detect)
{
    if (detect->now_ns < detect->inquiry_ns)
        return;
    detect->inquiry_ns = UINT64_MAX;
    if (!is_leading(detect))
        return;
    LIST_EACH(pos, following, &detect->inquiries) {
        struct inquiry *inquiry = LIST_ENTRY(pos, struct inquiry, node);
        if (inquiry->next_ns <= detect->now_ns)
            inquiry_run(detect, inquiry);
        else
            detect->inquiry_ns = MIN_OF(detect->inquiry_ns, inquiry->next_ns);
    }
    reminders_run(detect);
}

uint64_t verdict_deadline(const struct detect *detect)
{
    return detect->inquiry_ns;
}

void verdict_postpone(struct detect *detect)
{
    if (detect->inquiry_ns == UINT64_MAX)
        return;
    uint64_t at_ns = detect->now_ns + share(detect, TIME_ASK);
    LIST_EACH(pos, following, &detect->inquiries) {
        struct inquiry *inquiry = LIST_ENTRY(pos, struct inquiry, node);
        inquiry->next_ns = MAX_OF(inquiry->next_ns, at_ns);
    }
    detect->inquiry_ns = MAX_OF(detect->inquiry_ns, at_ns);
}

/* ---- messages ---- */

void verdict_receive_suspected(struct detect *detect, const struct wire_dm_suspected *suspected)
{
    struct member *member = member_find(detect, suspected->about);
    if (member && !member->is_dead && is_leading(detect))
        verdict_open(detect, member);
}

void verdict_receive_ask(struct detect *detect, uint64_t from,
                         const struct wire_dm_ask_heard *asked)
{
    struct member *about = member_find(detect, asked->about);
    struct letter *letter =
        about != detect->me ? post(detect, from, DM_LAST_HEARD) : NULL;
    if (!letter)
        return;
    /* One who is not a member here was never confirmed anything, or is gone for good. */
    letter->about = asked->about;
    letter->round = asked->round;
    letter->silent_ns = about ? member_silence(detect, about) : UINT64_MAX;
    letter->voters_index = about ? about->voters_index : 0;
    if (about && letter->silent_ns >= share(detect, TIME_FRESH))
        watch_ask(detect, about);
}

void verdict_receive_last(struct detect *detect, uint64_t from,
                          const struct wire_dm_last_heard *last)
{
    struct member *about = member_find(detect, last->about);
    struct inquiry *inquiry = about ? about->inquiry : NULL;
    struct answer *answer =
        inquiry && inquiry->is_open && inquiry->round == last->round ? answer_find(inquiry, from)
                                                                     : NULL;
    if (!answer || !is_leading(detect))
        return;
    answer->has_come = true;
    answer->until_ns =
        detect->now_ns > last->ago_ns ? detect->now_ns - last->ago_ns : 0;
    about->voters_index = MAX_OF(about->voters_index, last->voters_index);
    inquiry_judge(detect, inquiry);
}
