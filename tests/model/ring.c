/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of a pair (shm/pair.h) in every possible order on both memories: slots published
 * by their stamp, a full ring that goes on in a larger one (MOVE), the old ring's memory used again
 * for something else, bodies lent and given back, and the death of either side between any two
 * steps. The programs below are the protocol; the mutations, each one line of it done wrong, must
 * be found.
 *
 * The rings are tiny: two slots, then three, then the memory of the first again. What is freed is
 * overwritten at once by bytes that are as bad as can be: a stamp that fits every position. So is
 * what a new ring finds in its memory.
 *
 * What must hold: the receiver takes every message that was published, in order, once and whole;
 * it reads no memory that is not its message's; in the end the sender has every body back and no
 * old ring. Also when the other side died: then the survivor ends alone, and the receiver has taken
 * what the dead sender had published.
 */
#include "explore.h"

#include "base/check.h"
#include "tap.h"

enum { SENDER, RECEIVER, PROCESSES };
enum { SMALL_SLOTS = 2, LARGE_SLOTS = 3, SLOTS = SMALL_SLOTS + LARGE_SLOTS };
/* CONSUMED is the receiver's, as is RELEASED, its own direction: how many bodies it gave back. */
enum { STAMP, PAYLOAD = STAMP + SLOTS, CONSUMED = PAYLOAD + SLOTS, RELEASED, BODY, VARS };
/* Payloads: a message's number, from 1; LENT says that it lies in the body; MOVE is no message. */
enum { LENT = 32, MOVE = 64, ANY = 255 };

#define MUTATIONS(M)                                                                               \
    M(NONE, "the protocol as it is")                                                               \
    M(STAMP_FIRST, "the stamp is stored before the payload")                                       \
    M(STAMP_RELAXED, "the stamp is stored without release")                                        \
    M(STAMP_READ_RELAXED, "the stamp is read without acquire")                                     \
    M(BODY_LATE, "the body is written after the slot is published")                                \
    M(ONE_SLOT_TOO_MANY, "the last slot is used before there is room")                             \
    M(CONSUMED_FIRST, "a slot is given back before its payload is read")                           \
    M(CONSUMED_RELAXED, "a slot is given back without release")                                    \
    M(FREED_AT_MOVE, "the old ring is freed when MOVE is published")                               \
    M(FREED_ONE_EARLY, "the old ring is freed when all but MOVE was taken")                        \
    M(NOT_CLEARED, "the new ring's stamps are not cleared")                                        \
    M(CLEARED_LATE, "the new ring's stamps are cleared after MOVE")                                \
    M(RELEASED_EARLY, "a body is given back before it is read")                                    \
    M(RELEASED_RELAXED, "a body is given back without release")                                    \
    M(BODY_REUSED, "a body is used again before it came back")                                     \
    M(NO_DRAIN, "what a dead sender had published is not read")                                    \
    M(LENT_TO_DEAD, "what was lent to a dead receiver stays lent")

#define MUTATION_ENUM(name, words) name,
#define MUTATION_WORDS(name, words) words,
static enum mutation { MUTATIONS(MUTATION_ENUM) MUTATION_COUNT } mutation;
static const char *const mutation_words[] = {MUTATIONS(MUTATION_WORDS)};
/* On TSO every store is a release, every load an acquire. */
static const bool only_weak[MUTATION_COUNT] = {[STAMP_RELAXED] = true,
                                               [STAMP_READ_RELAXED] = true,
                                               [CONSUMED_RELAXED] = true,
                                               [RELEASED_RELAXED] = true};

static struct scenario {
    const char *name;
    enum memory memory;
    uint8_t messages;
    uint8_t lent; /* bit i: message i is lent */
    unsigned mortal;
} scenario;

#define STEPS_OF_ALL(S)                                                                            \
    S(BEGIN)                                                                                       \
    S(ROOM)                                                                                        \
    S(FILL_BODY)                                                                                   \
    S(FILL_PAYLOAD)                                                                                \
    S(PUBLISH)                                                                                     \
    S(LATE_BODY)                                                                                   \
    S(CLEAR)                                                                                       \
    S(FILL_MOVE) S(PUBLISH_MOVE) S(CLEAR_LATE) S(COLLECT) S(SPOIL_RING) S(SPOIL_BODY) S(LOOK)      \
        S(READ_PAYLOAD) S(GIVE_SLOT_BACK) S(UNDERSTAND) S(READ_BODY) S(GIVE_BODY_BACK)             \
            S(CHECK_BODY)
#define STEP_ENUM(name) name,
#define STEP_WORDS(name) #name,
enum { STEPS_OF_ALL(STEP_ENUM) };
static const char *const step_names[] = {STEPS_OF_ALL(STEP_WORDS)};

static int slots_of(int ring)
{
    return ring == 0 ? SMALL_SLOTS : LARGE_SLOTS;
}

/* The slot of the |offset|-th position of a ring. */
static int slot_at(int ring, int offset)
{
    return (ring == 0 ? 0 : SMALL_SLOTS) + offset % slots_of(ring);
}

/* Never 0, for fresh rings are filled with zeros; positions go on across rings. */
static uint8_t stamp_of(int position)
{
    return (uint8_t)(position + 1);
}

/* ---- the sender ---- */

/* OLD_END: the old ring is free when so many slots are consumed; 0 = there is none. */
enum { HEAD, SENT, RING, RING_BEGIN, SEEN, OLD_END, IS_LENT, LENT_COUNT, AT };

static int sender_free_slots(const uint8_t *local)
{
    int waiting = local[HEAD] - MAX_OF(local[SEEN], local[RING_BEGIN]);
    return slots_of(local[RING]) - waiting + (mutation == ONE_SLOT_TOO_MANY);
}

static bool is_to_be_lent(const uint8_t *local)
{
    return scenario.lent >> local[SENT] & 1;
}

/* The receiver is gone: everything is the sender's again. */
static void sender_closes(struct step *step)
{
    uint8_t *local = model_local(step);
    if (mutation != LENT_TO_DEAD)
        local[IS_LENT] = 0;
    if (local[IS_LENT])
        model_wrong(step, "a body never came back");
    model_end(step);
}

/* Between messages: what next. */
static void sender_begins(struct step *step)
{
    uint8_t *local = model_local(step);
    bool has_sent_all = local[SENT] == scenario.messages;
    bool lacks_body = !has_sent_all && is_to_be_lent(local) && local[IS_LENT];
    if (model_is_gone(step, RECEIVER)) {
        sender_closes(step);
    } else if (has_sent_all && !local[OLD_END] && !local[IS_LENT]) {
        model_end(step);
    } else if (lacks_body && mutation != BODY_REUSED) {
        model_go(step, COLLECT);
    } else if (has_sent_all) { /* the last old ring, the last body */
        model_go(step, model_pick(step, 2) ? COLLECT : ROOM);
    } else if (sender_free_slots(local) < 2) {
        model_go(step, ROOM);
    } else {
        model_go(step, is_to_be_lent(local) && mutation != BODY_LATE ? FILL_BODY : FILL_PAYLOAD);
    }
}

/* Looks how far the receiver is. A ring still full goes on elsewhere. */
static void sender_looks_for_room(struct step *step)
{
    uint8_t *local = model_local(step);
    local[SEEN] = model_load(step, CONSUMED, ORDERED);
    local[AT] = 0;
    if (local[OLD_END] && local[SEEN] + (mutation == FREED_ONE_EARLY) >= local[OLD_END])
        model_go(step, SPOIL_RING);
    else if (local[SENT] < scenario.messages && sender_free_slots(local) < 2 && !local[OLD_END])
        model_go(step, mutation == NOT_CLEARED || mutation == CLEARED_LATE ? FILL_MOVE : CLEAR);
    else
        model_go(step, BEGIN);
}

static void sender_fills(struct step *step)
{
    uint8_t *local = model_local(step);
    int slot = slot_at(local[RING], local[HEAD] - local[RING_BEGIN]);
    uint8_t number = (uint8_t)(local[SENT] + 1);
    bool is_lent = is_to_be_lent(local);
    switch (step->machine->process[SENDER].step) {
    case FILL_BODY:
        model_store(step, BODY, number, RELAXED);
        model_go(step, mutation == STAMP_FIRST ? PUBLISH : FILL_PAYLOAD);
        break;
    case FILL_PAYLOAD:
        model_store(step, PAYLOAD + slot, is_lent ? LENT | number : number, RELAXED);
        model_go(step, PUBLISH);
        break;
    case PUBLISH:
        model_store(step, STAMP + slot, stamp_of(local[HEAD]),
                    mutation == STAMP_RELAXED ? RELAXED : ORDERED);
        if (is_lent) {
            local[IS_LENT] = 1;
            local[LENT_COUNT]++;
        }
        local[HEAD]++;
        local[SENT]++;
        model_go(step, is_lent && mutation == BODY_LATE ? LATE_BODY : BEGIN);
        break;
    case LATE_BODY: /* only by mutation */
        model_store(step, BODY, local[SENT], RELAXED);
        model_go(step, BEGIN);
        break;
    }
}

/* The last free slot of a ring says where it goes on. */
static void sender_moves(struct step *step)
{
    uint8_t *local = model_local(step);
    int slot = slot_at(local[RING], local[HEAD] - local[RING_BEGIN]);
    int other = !local[RING];
    switch (step->machine->process[SENDER].step) {
    case CLEAR:
        model_store(step, STAMP + slot_at(other, local[AT]), 0, RELAXED);
        if (++local[AT] == slots_of(other))
            model_go(step, FILL_MOVE);
        break;
    case FILL_MOVE:
        model_store(step, PAYLOAD + slot, MOVE, RELAXED);
        model_go(step, PUBLISH_MOVE);
        break;
    case PUBLISH_MOVE:
        model_store(step, STAMP + slot, stamp_of(local[HEAD]), ORDERED);
        local[AT] = 0;
        local[HEAD]++;
        local[RING] = (uint8_t)other;
        local[RING_BEGIN] = local[HEAD];
        local[OLD_END] = local[HEAD];
        model_go(step, mutation == FREED_AT_MOVE  ? SPOIL_RING
                       : mutation == CLEARED_LATE ? CLEAR_LATE
                                                  : BEGIN);
        break;
    case CLEAR_LATE: /* only by mutation */
        model_store(step, STAMP + slot_at(local[RING], local[AT]), 0, RELAXED);
        if (++local[AT] == slots_of(local[RING]))
            model_go(step, BEGIN);
        break;
    }
}

/* Memory that came back is used for something else. */
static void sender_spoils(struct step *step)
{
    uint8_t *local = model_local(step);
    int old = !local[RING];
    int slots = slots_of(old);
    switch (step->machine->process[SENDER].step) {
    case COLLECT:
        if (model_load(step, RELEASED, ORDERED) == local[LENT_COUNT] && local[IS_LENT])
            model_go(step, SPOIL_BODY);
        else
            model_go(step, BEGIN);
        break;
    case SPOIL_BODY:
        model_store(step, BODY, ANY, RELAXED);
        local[IS_LENT] = 0;
        model_go(step, BEGIN);
        break;
    case SPOIL_RING:
        model_store(step, (local[AT] < slots ? PAYLOAD : STAMP) + slot_at(old, local[AT] % slots),
                    ANY, RELAXED);
        if (++local[AT] == 2 * slots) {
            local[OLD_END] = 0;
            model_go(step, BEGIN);
        }
        break;
    }
}

static void sender(struct step *step)
{
    switch (step->machine->process[SENDER].step) {
    case BEGIN:
        sender_begins(step);
        break;
    case ROOM:
        sender_looks_for_room(step);
        break;
    case FILL_BODY:
    case FILL_PAYLOAD:
    case PUBLISH:
    case LATE_BODY:
        sender_fills(step);
        break;
    case CLEAR:
    case FILL_MOVE:
    case PUBLISH_MOVE:
    case CLEAR_LATE:
        sender_moves(step);
        break;
    default:
        sender_spoils(step);
        break;
    }
}

/* ---- the receiver ---- */

/* Ring and position as the sender has them; TAKEN counts messages. HELD: the message whose body is
 * lent and not given back. */
enum { NEXT, TAKEN, IN_RING, IN_RING_BEGIN, GOT, GOT_BODY, HELD, GAVE_BACK, IS_CLOSING };

static int receiver_slot(const uint8_t *local)
{
    return slot_at(local[IN_RING], local[NEXT] - local[IN_RING_BEGIN]);
}

static void receiver_ends(struct step *step)
{
    const uint8_t *local = model_local(step);
    if (local[TAKEN] != step->machine->process[SENDER].local[SENT])
        model_wrong(step, "a published message is lost");
    model_end(step);
}

/* Between messages. A body that is held may be read now or later. */
static void receiver_begins(struct step *step)
{
    uint8_t *local = model_local(step);
    bool has_all = local[TAKEN] == scenario.messages;
    bool is_gone = !local[IS_CLOSING] && model_is_gone(step, SENDER);
    if (local[HELD] && (has_all || model_pick(step, 2))) {
        model_go(step, mutation == RELEASED_EARLY ? GIVE_BODY_BACK : READ_BODY);
    } else if (has_all) {
        receiver_ends(step);
    } else if (is_gone && mutation == NO_DRAIN) {
        receiver_ends(step);
    } else {
        local[IS_CLOSING] |= is_gone;
        model_go(step, LOOK);
    }
}

static void receiver_looks(struct step *step)
{
    uint8_t *local = model_local(step);
    uint8_t stamp = model_load(step, STAMP + receiver_slot(local),
                               mutation == STAMP_READ_RELAXED ? RELAXED : ORDERED);
    if (stamp == stamp_of(local[NEXT]) || stamp == ANY)
        model_go(step, mutation == CONSUMED_FIRST ? GIVE_SLOT_BACK : READ_PAYLOAD);
    else if (local[IS_CLOSING] && !local[HELD])
        receiver_ends(step);
    else
        model_go(step, BEGIN);
}

static void receiver_understands(struct step *step)
{
    uint8_t *local = model_local(step);
    uint8_t got = local[GOT];
    model_ready(step);
    local[GOT] = 0;
    local[NEXT]++;
    if (got == MOVE) {
        local[IN_RING] = !local[IN_RING];
        local[IN_RING_BEGIN] = local[NEXT];
    } else if ((got & ~LENT) != local[TAKEN] + 1) {
        model_wrong(step, "took what is no message, or another's");
    } else {
        local[TAKEN]++;
        local[HELD] = got & LENT ? local[TAKEN] : local[HELD];
    }
    model_go(step, BEGIN);
}

static void receiver_takes(struct step *step)
{
    uint8_t *local = model_local(step);
    switch (step->machine->process[RECEIVER].step) {
    case LOOK:
        receiver_looks(step);
        break;
    case READ_PAYLOAD:
        model_late_load(step, PAYLOAD + receiver_slot(local), GOT);
        model_go(step, mutation == CONSUMED_FIRST ? UNDERSTAND : GIVE_SLOT_BACK);
        break;
    case GIVE_SLOT_BACK:
        model_store(step, CONSUMED, (uint8_t)(local[NEXT] + 1),
                    mutation == CONSUMED_RELAXED ? RELAXED : ORDERED);
        model_go(step, mutation == CONSUMED_FIRST ? READ_PAYLOAD : UNDERSTAND);
        break;
    case UNDERSTAND:
        receiver_understands(step);
        break;
    }
}

static void receiver_reads_body(struct step *step)
{
    uint8_t *local = model_local(step);
    switch (step->machine->process[RECEIVER].step) {
    case READ_BODY:
        model_late_load(step, BODY, GOT_BODY);
        model_go(step, mutation == RELEASED_EARLY ? CHECK_BODY : GIVE_BODY_BACK);
        break;
    case GIVE_BODY_BACK:
        model_store(step, RELEASED, ++local[GAVE_BACK],
                    mutation == RELEASED_RELAXED ? RELAXED : ORDERED);
        model_go(step, mutation == RELEASED_EARLY ? READ_BODY : CHECK_BODY);
        break;
    case CHECK_BODY:
        model_ready(step);
        if (local[GOT_BODY] != local[HELD] && !step->is_blocked)
            model_wrong(step, "a body is torn, or not this message's");
        local[HELD] = local[GOT_BODY] = 0;
        model_go(step, BEGIN);
        break;
    }
}

static void receiver(struct step *step)
{
    switch (step->machine->process[RECEIVER].step) {
    case BEGIN:
        receiver_begins(step);
        break;
    case LOOK:
    case READ_PAYLOAD:
    case GIVE_SLOT_BACK:
    case UNDERSTAND:
        receiver_takes(step);
        break;
    default:
        receiver_reads_body(step);
        break;
    }
}

/* ---- the test ---- */

static bool is_done(const struct machine *machine)
{
    return machine->process[SENDER].life != RUNS && machine->process[RECEIVER].life != RUNS;
}

enum { STATES_MAX = 6000000 };

static const struct scenario scenarios[] = {
    {"TSO", TSO, 6, 0x15, 0},
    {"TSO, either may die", TSO, 5, 0x05, 3},
    {"weak", WEAK, 6, 0x15, 0},
    {"weak, either may die", WEAK, 5, 0x05, 3},
};

static struct finding run(const struct scenario *of, FILE *story)
{
    uint8_t first[VARS] = {0};
    static const char *const names[] = {"sender", "receiver"};
    for (int i = 0; i < LARGE_SLOTS; i++)
        first[STAMP + SMALL_SLOTS + i] = first[PAYLOAD + SMALL_SLOTS + i] = ANY;
    first[BODY] = ANY;
    const struct protocol protocol = {
        .vars = VARS,
        .processes = PROCESSES,
        .first = first,
        .process_names = names,
        .step_names = step_names,
        .program = {sender, receiver},
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
