/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol by which a process finds out who has published something, and sleeps without missing
 * it (shm/inbox.h), in every possible order on both memories. The programs below are the protocol:
 * who changes shm/inbox.c changes them first. Then each of the mutations, a line left out or at
 * the wrong place, must be found to break it.
 *
 * Why each fence is there: two sides that each write one variable and then read the other's may
 * both miss the other unless each has a full fence in between (Dekker). There are four such pairs:
 *
 *   sender writes   | sender then reads | owner writes    | owner then reads
 *   the slot        | the inbox bit     | the bit (clear) | the slot           cooling
 *   the slot        | sleeping          | sleeping        | the slot           a hot pair
 *   the inbox bit   | sleeping          | sleeping        | the inbox bit      a pair not hot
 *   the inbox bit   | the summary       | the summary     | the inbox bit      listening
 *
 * The fence after publishing serves the first two. The third needs another one when the bit had to
 * be set; with RMWs that are full fences it is part of them. The fourth needs none: the summary is
 * only changed by RMWs, never looked at before.
 */
#include "explore.h"

#include "base/check.h"
#include "tap.h"

enum { OWNER, SENDER, SENDERS = 2 };
enum { SLOT, WORD = SLOT + SENDERS, SUMMARY = WORD + SENDERS, SLEEPING, BELL, VARS };

#define MUTATIONS(M)                                                                               \
    M(NONE, "the protocol as it is")                                                               \
    M(NO_FENCE_AFTER_SLOT, "no fence after publishing")                                            \
    M(NO_FENCE_AFTER_BIT, "no fence after setting the bit")                                        \
    M(BIT_BEFORE_SLOT, "the bit is set before publishing")                                         \
    M(SUMMARY_BEFORE_WORD, "the summary is set before the bit")                                    \
    M(SUMMARY_UNLESS_SET, "the summary is set only when it looks unset")                           \
    M(NO_BELL, "nobody rings")                                                                     \
    M(SLEEPING_READ_EARLY, "the sender looks at sleeping before publishing")                       \
    M(NO_FENCE_AFTER_COOLING, "no fence after clearing a bit")                                     \
    M(NO_LOOK_AFTER_COOLING, "a bit is cleared and the ring not looked at again")                  \
    M(COOL_AFTER_LOOKING, "the bit is cleared after the last look, not before it")                 \
    M(WORD_BEFORE_SUMMARY, "the bits are read before the summary is cleared")                      \
    M(NO_FENCE_BEFORE_SLEEP, "no fence after saying sleeping")                                     \
    M(NO_LOOK_BEFORE_SLEEP, "sleeps without a last look")                                          \
    M(HOT_ONLY_BEFORE_SLEEP, "the last look does not listen")                                      \
    M(LISTEN_ONLY_BEFORE_SLEEP, "the last look only listens")                                      \
    M(BELL_EMPTIED_LATE, "the bell is emptied after the last look")                                \
    M(NO_DRAIN, "a dead sender's ring is not looked at again")

#define MUTATION_ENUM(name, words) name,
#define MUTATION_WORDS(name, words) words,
static enum mutation { MUTATIONS(MUTATION_ENUM) MUTATION_COUNT } mutation;
static const char *const mutation_words[] = {MUTATIONS(MUTATION_WORDS)};
/* Full fences come with every RMW on x86: there nothing shows. */
static const bool only_weak[MUTATION_COUNT] = {
    [NO_FENCE_AFTER_BIT] = true, [SUMMARY_UNLESS_SET] = true, [NO_FENCE_AFTER_COOLING] = true};

/* What is tried. Bounds on how often the owner sleeps and cools keep the histories of the weak
 * memory finite; without bounds on TSO, where there are none. */
static struct scenario {
    const char *name;
    enum memory memory;
    uint8_t messages[SENDERS];
    uint8_t sleeps_max, cools_max; /* UNBOUNDED: any number */
    bool has_two_words;            /* each sender's bit lies in a word of its own */
    unsigned mortal;
} scenario;
enum { UNBOUNDED = 255 };

static int word_of(int sender)
{
    return WORD + (scenario.has_two_words ? sender : 0);
}

static uint8_t bit_of(int sender)
{
    return (uint8_t)(1 << sender);
}

static uint8_t summary_of(int sender)
{
    return scenario.has_two_words ? bit_of(sender) : 1;
}

#define STEPS_OF_ALL(S)                                                                            \
    S(BEGIN)                                                                                       \
    S(PUBLISH)                                                                                     \
    S(FENCE)                                                                                       \
    S(LOOK_AT_BIT)                                                                                 \
    S(SET_BIT)                                                                                     \
    S(LOOK_AT_SUMMARY)                                                                             \
    S(SET_SUMMARY)                                                                                 \
    S(FENCE_AGAIN)                                                                                 \
    S(LOOK_AT_SLEEPING)                                                                            \
    S(RING) S(LISTEN) S(CLEAR_SUMMARY) S(TAKE_WORD) S(LOOK) S(NOTHING) S(COOL) S(COOL_FENCE)       \
        S(COOL_LOOK) S(WARM) S(DRAIN) S(SAY_SLEEPING) S(SLEEP_FENCE) S(SLEEP) S(EMPTY_BELL)        \
            S(SAY_AWAKE)
#define STEP_ENUM(name) name,
#define STEP_WORDS(name) #name,
enum { STEPS_OF_ALL(STEP_ENUM) };
static const char *const step_names[] = {STEPS_OF_ALL(STEP_WORDS)};

/* ---- the sender ---- */

enum { SENT, SAW_SLEEPING };

static void sender_next(struct step *step)
{
    if (model_local(step)[SENT] == scenario.messages[step->self - SENDER])
        model_end(step);
    else
        model_go(step, mutation == BIT_BEFORE_SLOT       ? LOOK_AT_BIT
                       : mutation == SLEEPING_READ_EARLY ? LOOK_AT_SLEEPING
                                                         : PUBLISH);
}

static void sender_rings(struct step *step)
{
    if (model_local(step)[SAW_SLEEPING] && mutation != NO_BELL)
        model_go(step, RING);
    else
        sender_next(step);
}

/* Behind the bit. */
static void sender_then(struct step *step)
{
    if (mutation == SLEEPING_READ_EARLY)
        sender_rings(step);
    else
        model_go(step, mutation == BIT_BEFORE_SLOT ? PUBLISH : LOOK_AT_SLEEPING);
}

static void sender(struct step *step)
{
    uint8_t *local = model_local(step);
    int me = step->self - SENDER;
    switch (step->machine->process[step->self].step) {
    case BEGIN:
        sender_next(step);
        break;
    case PUBLISH:
        model_store(step, SLOT + me, ++local[SENT], ORDERED);
        model_go(step, mutation == NO_FENCE_AFTER_SLOT ? LOOK_AT_BIT : FENCE);
        break;
    case FENCE:
        model_fence(step);
        model_go(step, mutation == BIT_BEFORE_SLOT ? LOOK_AT_SLEEPING : LOOK_AT_BIT);
        break;
    case LOOK_AT_BIT:
        if (model_load(step, word_of(me), RELAXED) & bit_of(me))
            sender_then(step);
        else
            model_go(step, mutation == SUMMARY_BEFORE_WORD ? SET_SUMMARY : SET_BIT);
        break;
    case SET_BIT:
        model_change(step, word_of(me), 0xff, bit_of(me));
        model_go(step, mutation == SUMMARY_BEFORE_WORD  ? FENCE_AGAIN
                       : mutation == SUMMARY_UNLESS_SET ? LOOK_AT_SUMMARY
                                                        : SET_SUMMARY);
        break;
    case LOOK_AT_SUMMARY: /* only by mutation */
        if (model_load(step, SUMMARY, RELAXED) & summary_of(me))
            model_go(step, FENCE_AGAIN);
        else
            model_go(step, SET_SUMMARY);
        break;
    case SET_SUMMARY:
        model_change(step, SUMMARY, 0xff, summary_of(me));
        model_go(step, mutation == SUMMARY_BEFORE_WORD ? SET_BIT : FENCE_AGAIN);
        break;
    case FENCE_AGAIN:
        if (mutation != NO_FENCE_AFTER_BIT)
            model_fence(step);
        sender_then(step);
        break;
    case LOOK_AT_SLEEPING:
        local[SAW_SLEEPING] = model_load(step, SLEEPING, RELAXED);
        if (mutation == SLEEPING_READ_EARLY)
            model_go(step, PUBLISH);
        else
            sender_rings(step);
        break;
    case RING:
        model_change(step, BELL, 0, 1);
        local[SAW_SLEEPING] = 0;
        sender_next(step);
        break;
    }
}

/* ---- the owner ---- */

/* AT: a sender. TAKEN and DRAINED: one for each. */
enum { HOT, SUMMARY_SEEN, AT, SLEEPY, SLEEPS, COOLS, TAKEN, DRAINED = TAKEN + SENDERS };

static bool has_all(const uint8_t *local)
{
    for (int i = 0; i < SENDERS; i++)
        if (local[TAKEN + i] < scenario.messages[i] && !local[DRAINED + i])
            return false;
    return true;
}

/* Looks at the ring of sender local[AT]. True: it took something. */
static bool owner_look(struct step *step)
{
    uint8_t *local = model_local(step);
    uint8_t *taken = &local[TAKEN + local[AT]];
    if (model_load(step, SLOT + local[AT], ORDERED) <= *taken)
        return false;
    ++*taken;
    return true;
}

static void owner_after_look(struct step *step)
{
    uint8_t *local = model_local(step);
    local[AT] = 0;
    if (!has_all(local)) {
        model_go(step, local[SLEEPY] ? SAY_AWAKE : LISTEN);
        return;
    }
    for (int i = 0; i < SENDERS; i++)
        if (local[TAKEN + i] != step->machine->process[SENDER + i].local[SENT])
            model_wrong(step, "a message is lost");
    model_end(step);
}

/* Counts in |*spent|; true: the bound is reached. */
static bool is_spent(uint8_t *spent, uint8_t bound)
{
    if (bound == UNBOUNDED)
        return false;
    return (*spent)++ == bound;
}

/* The next hot sender's ring, or else NOTHING. */
static void owner_next(struct step *step)
{
    uint8_t *local = model_local(step);
    while (local[AT] < SENDERS && !(local[HOT] & bit_of(local[AT])))
        local[AT]++;
    if (local[AT] < SENDERS) {
        model_go(step, LOOK);
        return;
    }
    local[AT] = 0;
    model_go(step, !local[SLEEPY] ? NOTHING : mutation == BELL_EMPTIED_LATE ? EMPTY_BELL : SLEEP);
}

static void owner_listens(struct step *step)
{
    uint8_t *local = model_local(step);
    switch (step->machine->process[step->self].step) {
    case LISTEN:
        local[SUMMARY_SEEN] = model_load(step, SUMMARY, RELAXED);
        if (local[SUMMARY_SEEN])
            model_go(step, mutation == WORD_BEFORE_SUMMARY ? TAKE_WORD : CLEAR_SUMMARY);
        else if (mutation == LISTEN_ONLY_BEFORE_SLEEP && local[SLEEPY])
            model_go(step, SLEEP);
        else
            owner_next(step);
        break;
    case CLEAR_SUMMARY:
        local[SUMMARY_SEEN] |= model_change(step, SUMMARY, 0, 0);
        if (mutation == WORD_BEFORE_SUMMARY)
            local[SUMMARY_SEEN] = 0;
        if (mutation == WORD_BEFORE_SUMMARY)
            owner_next(step);
        else
            model_go(step, TAKE_WORD);
        break;
    case TAKE_WORD: /* what is set stays set until cooled */
        if (local[SUMMARY_SEEN] >> local[AT] & 1)
            local[HOT] |= model_load(step, WORD + local[AT], RELAXED);
        if (++local[AT] < SENDERS)
            break;
        local[AT] = local[SUMMARY_SEEN] = 0;
        if (mutation == WORD_BEFORE_SUMMARY)
            model_go(step, CLEAR_SUMMARY);
        else
            owner_next(step);
        break;
    case LOOK:
        if (owner_look(step)) {
            owner_after_look(step);
        } else {
            local[AT]++;
            owner_next(step);
        }
        break;
    }
}

/* TM_GONE of some sender is there: its ring is drained. */
static bool owner_is_told(struct step *step, int sender)
{
    uint8_t *local = model_local(step);
    if (local[DRAINED + sender] || !model_is_gone(step, SENDER + sender))
        return false;
    local[AT] = (uint8_t)sender;
    local[DRAINED + sender] = 1;
    if (mutation == NO_DRAIN)
        owner_after_look(step);
    else
        model_go(step, DRAIN);
    return true;
}

/* Looks again, cools a hot pair, hears of a death, or sleeps: the protocol must hold whatever it
 * chooses. */
static void owner_nothing(struct step *step)
{
    uint8_t *local = model_local(step);
    int pick = model_pick(step, 2 + 2 * SENDERS);
    int who = (pick - 2) % SENDERS;
    if (pick == 0) {
        model_go(step, LISTEN);
    } else if (pick == 1) {
        step->is_blocked = is_spent(&local[SLEEPS], scenario.sleeps_max);
        local[SLEEPY] = 1;
        model_go(step, SAY_SLEEPING);
    } else if (pick < 2 + SENDERS) {
        step->is_blocked = !(local[HOT] & bit_of(who)) ||
                           is_spent(&local[COOLS], scenario.cools_max);
        local[AT] = (uint8_t)who;
        model_go(step, mutation == COOL_AFTER_LOOKING ? COOL_LOOK : COOL);
    } else {
        step->is_blocked = !owner_is_told(step, who);
    }
}

static void owner_cools(struct step *step)
{
    uint8_t *local = model_local(step);
    switch (step->machine->process[step->self].step) {
    case COOL:
        model_change(step, word_of(local[AT]), (uint8_t)~bit_of(local[AT]), 0);
        local[HOT] &= (uint8_t)~bit_of(local[AT]);
        model_go(step, COOL_FENCE);
        break;
    case COOL_FENCE:
        if (mutation != NO_FENCE_AFTER_COOLING)
            model_fence(step);
        if (mutation == NO_LOOK_AFTER_COOLING || mutation == COOL_AFTER_LOOKING)
            owner_after_look(step);
        else
            model_go(step, COOL_LOOK);
        break;
    case COOL_LOOK:
        if (owner_look(step))
            model_go(step, WARM);
        else if (mutation == COOL_AFTER_LOOKING)
            model_go(step, COOL);
        else
            owner_after_look(step);
        break;
    case WARM: /* the bit too, which spares the sender from setting it */
        model_change(step, word_of(local[AT]), 0xff, bit_of(local[AT]));
        local[HOT] |= bit_of(local[AT]);
        owner_after_look(step);
        break;
    case DRAIN:
        if (owner_look(step))
            break;
        owner_after_look(step);
        break;
    }
}

static void owner_sleeps(struct step *step)
{
    uint8_t *local = model_local(step);
    int pick;
    switch (step->machine->process[step->self].step) {
    case SAY_SLEEPING:
        model_store(step, SLEEPING, 1, RELAXED);
        model_go(step, mutation == NO_FENCE_BEFORE_SLEEP  ? LISTEN
                       : mutation == NO_LOOK_BEFORE_SLEEP ? SLEEP
                                                          : SLEEP_FENCE);
        break;
    case SLEEP_FENCE:
        model_fence(step);
        if (mutation == HOT_ONLY_BEFORE_SLEEP)
            owner_next(step);
        else
            model_go(step, LISTEN);
        break;
    case SLEEP: /* epoll on bell and socket, and the read of the eventfd: the kernel orders them */
        pick = model_pick(step, 1 + SENDERS);
        if (pick > 0) {
            step->is_blocked = !owner_is_told(step, pick - 1);
            break;
        }
        step->is_blocked = model_change(step, BELL, 0, 0) == 0 || step->is_blocked;
        model_go(step, SAY_AWAKE);
        break;
    case EMPTY_BELL: /* only by mutation */
        model_change(step, BELL, 0, 0);
        model_go(step, SLEEP);
        break;
    case SAY_AWAKE:
        model_store(step, SLEEPING, 0, RELAXED);
        local[SLEEPY] = 0;
        model_go(step, LISTEN);
        break;
    }
}

static void owner(struct step *step)
{
    switch (step->machine->process[step->self].step) {
    case BEGIN:
        model_go(step, LISTEN);
        break;
    case LISTEN:
    case CLEAR_SUMMARY:
    case TAKE_WORD:
    case LOOK:
        owner_listens(step);
        break;
    case NOTHING:
        owner_nothing(step);
        break;
    case COOL:
    case COOL_FENCE:
    case COOL_LOOK:
    case WARM:
    case DRAIN:
        owner_cools(step);
        break;
    default:
        owner_sleeps(step);
        break;
    }
}

/* ---- the test ---- */

static bool is_done(const struct machine *machine)
{
    if (machine->process[OWNER].life != ENDED)
        return false;
    for (int i = 0; i < SENDERS; i++)
        if (machine->process[SENDER + i].life == RUNS)
            return false;
    return true;
}

enum { STATES_MAX = 6000000 };

static const struct scenario scenarios[] = {
    {"TSO, bits in one word", TSO, {2, 2}, UNBOUNDED, UNBOUNDED, false, 0},
    {"TSO, bits in two words", TSO, {2, 2}, UNBOUNDED, UNBOUNDED, true, 0},
    {"TSO, senders may die", TSO, {2, 1}, UNBOUNDED, UNBOUNDED, false, 6},
    {"weak, bits in one word", WEAK, {2, 1}, 1, 1, false, 0},
    {"weak, bits in two words", WEAK, {2, 1}, 1, 1, true, 0},
    {"weak, senders may die", WEAK, {1, 1}, 1, 1, false, 6},
};

static struct finding run(const struct scenario *of, FILE *story)
{
    static const uint8_t first[VARS];
    static const char *const names[] = {"owner", "sender 0", "sender 1"};
    const struct protocol protocol = {
        .vars = VARS,
        .processes = 1 + SENDERS,
        .first = first,
        .process_names = names,
        .step_names = step_names,
        .program = {owner, sender, sender},
        .is_done = is_done,
        .mortal = of->mortal,
    };
    scenario = *of;
    struct finding finding = explore(&protocol, of->memory, STATES_MAX, story);
    printf("# %s: %llu states, %llu transitions%s%s\n", of->name,
           (unsigned long long)finding.states, (unsigned long long)finding.transitions,
           finding.wrong ? ": " : "", finding.wrong ? finding.wrong : "");
    return finding;
}

static void protocol_holds(void)
{
    mutation = NONE;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        OK(!run(&scenarios[i], stdout).wrong, scenarios[i].name);
}

/* Found on the memory on which it must be, by one of the scenarios. */
static bool is_found(enum memory memory)
{
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        if (scenarios[i].memory != memory)
            continue;
        const char *wrong = run(&scenarios[i], NULL).wrong;
        if (wrong && wrong != EXPLORE_NOT_BOUNDED)
            return true;
    }
    return false;
}

static void mutations_are_found(void)
{
    for (int i = NONE + 1; i < MUTATION_COUNT; i++) {
        mutation = (enum mutation)i;
        OK(is_found(only_weak[i] ? WEAK : TSO), mutation_words[i]);
    }
}

int main(void)
{
    TEST(protocol_holds);
    TEST(mutations_are_found);
    return tap_done();
}
