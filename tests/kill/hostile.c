/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live ring with a hostile peer: of three processes one scribbles over everything it can write,
 * its own segment and the inboxes of the others, while a victim reads from it and writes to it and
 * has honest traffic with the third. Random bytes, and garbage that is nearly right: slots that fit
 * the next position, MOVEs, lists of pieces, handles given back too early or twice, a consumed
 * count that goes back. Chance is seeded; what the processor makes of two running at once is not.
 *
 * The victim must not crash (hostile_asan is the same under the sanitizers), must end in time, and
 * the honest traffic must be whole, in order and complete. Of the hostile pair anything may come
 * but bytes from outside of its segment.
 *
 *   hostile [SECONDS]    8 by default
 */
#include "base/check.h"
#include "base/rng.h"
#include "peers.h"
#include "shm/pair_state.h"
#include "tap.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VICTIM, HOSTILE, HONEST, COUNT };
enum {
    MESSAGES = 400,     /* honest ones each way */
    WAITING_MAX = 20,   /* of the own messages to the honest peer before answers are waited for */
    HOSTILE_MAX = 2000, /* messages to the hostile peer */
    REPLIES_MAX = 4,    /* taken from one peer before the others have their turn */
    SLEEP_MS = 20,      /* a lost bit of the inbox costs so much */
    LIMIT_S = 20,
    AREAS_SCRIBBLED = 4
};

static uint64_t seed;
static struct shared {
    uint64_t hostile_taken, bad_pairs, honest_taken, scribbles; /* counted by all, roughly */
} * shared;

/* ---- the hostile one ---- */

struct scribbler {
    struct group *group;
    struct rng rng;
    struct shm_pair *pair; /* with the one it has in mind */
    struct peer *peer;
};

static uint64_t below(struct scribbler *scribbler, uint64_t bound)
{
    return rng_below(&scribbler->rng, bound);
}

/* Numbers that are likely to matter. */
static uint64_t any_number(struct scribbler *scribbler)
{
    const struct shm_pair *pair = scribbler->pair;
    const uint64_t size = scribbler->group->own.size_bytes;
    switch (below(scribbler, 8)) {
    case 0:
        return below(scribbler, 20);
    case 1:
        return pair->out_next + below(scribbler, 5) - 2;
    case 2:
        return size - below(scribbler, 300);
    case 3:
        return below(scribbler, size / SHM_SLOT_BYTES) * SHM_SLOT_BYTES;
    case 4:
        return shm_piece(below(scribbler, size), (uint32_t)below(scribbler, 100000));
    case 5:
        return shm_piece(below(scribbler, AREAS_SCRIBBLED * SHM_AREA_BYTES),
                         (uint32_t)below(scribbler, 300));
    case 6:
        return UINT64_MAX >> below(scribbler, 64);
    default:
        return rng_next(&scribbler->rng);
    }
}

/* A slot of the own ring, most often the next to be read. */
static struct shm_slot *any_slot(struct scribbler *scribbler)
{
    const struct shm_pair *pair = scribbler->pair;
    const uint64_t back = below(scribbler, 3) ? below(scribbler, 4) : below(scribbler, 600);
    return &pair->out_ring[(pair->out_next - back) & pair->out_mask];
}

static void scribble_slot(struct scribbler *scribbler)
{
    struct shm_slot *slot = any_slot(scribbler);
    uint64_t number = any_number(scribbler);
    switch (below(scribbler, 7)) {
    case 0:
        slot->kind = (uint8_t)below(scribbler, 8);
        break;
    case 1:
        slot->flags = (uint8_t)below(scribbler, 5);
        break;
    case 2:
        slot->count = (uint16_t)number;
        break;
    case 3:
        slot->handle = (uint32_t)number;
        break;
    case 4:
        slot->pieces = (uint32_t)number;
        break;
    case 5:
        memcpy(slot->payload + below(scribbler, 9) * 8, &number, 8);
        break;
    default:
        atomic_store(&slot->stamp, shm_stamp(number));
        break;
    }
}

/* Publishes a slot of any kind in the order of the ring. */
static void publish_garbage(struct scribbler *scribbler)
{
    struct shm_pair *pair = scribbler->pair;
    if (shm_ring_room(pair) != SHM_OK)
        return;
    struct shm_slot *slot = pair->out_slot;
    slot->kind = (uint8_t)(below(scribbler, 12) ? 1 + below(scribbler, 5) : below(scribbler, 256));
    slot->flags = (uint8_t)(below(scribbler, 4) ? 0 : below(scribbler, 4));
    slot->count = (uint16_t)below(scribbler, below(scribbler, 4) ? 10 : 80);
    slot->pieces = (uint32_t)below(scribbler, 100);
    slot->handle = (uint32_t)below(scribbler, 50);
    for (size_t i = 0; i < SHM_INLINE_BYTES_MAX / 8; i++) {
        const uint64_t number = any_number(scribbler);
        memcpy(slot->payload + i * 8, &number, 8);
    }
    if (slot->kind == SHM_MOVE) { /* to where it could be */
        const uint64_t offset = below(scribbler, 4 * SHM_AREA_BYTES) & ~(uint64_t)127;
        const uint32_t slots = UINT32_C(1) << below(scribbler, 12);
        memcpy(slot->payload, &offset, 8);
        memcpy(slot->payload + 8, &slots, 4);
    }
    shm_ring_publish(pair, slot);
}

static void scribble_memory(struct scribbler *scribbler)
{
    uint8_t *base = shm_heap_base(scribbler->group->own.heap);
    const uint64_t at = below(scribbler, 3)
                            ? below(scribbler, 65536)
                            : below(scribbler, AREAS_SCRIBBLED * (uint64_t)SHM_AREA_BYTES - 64);
    const uint64_t number = any_number(scribbler);
    memcpy(base + at, &number, below(scribbler, 9));
}

static void scribble_inbox(struct scribbler *scribbler)
{
    struct shm_inbox *inbox = scribbler->peer->share.inbox;
    const uint64_t number = below(scribbler, 2) ? 0 : rng_next(&scribbler->rng);
    if (below(scribbler, 3))
        atomic_store(&inbox->words[below(scribbler, SHM_INBOX_WORDS)], number);
    else if (below(scribbler, 2))
        atomic_store(&inbox->summary, number);
    else
        atomic_store(&inbox->words[0], number);
}

static void send_honestly(struct scribbler *scribbler)
{
    static const uint8_t bytes[5000];
    const struct parcel parcel = {.bytes = bytes,
                                  .length = below(scribbler, 3) ? below(scribbler, 73)
                                                                : below(scribbler, sizeof(bytes))};
    shm_pair_send(scribbler->pair, &parcel);
}

static void take_something(struct scribbler *scribbler)
{
    struct parcel parcel;
    for (uint64_t i = below(scribbler, 8); i > 0; i--)
        if (shm_pair_receive(scribbler->pair, &parcel) == SHM_OK)
            shm_pair_taken(scribbler->pair);
    shm_pair_release(scribbler->pair);
}

static int hostile_main(struct group *group)
{
    struct scribbler scribbler = {.group = group};
    struct shm_back *back;
    rng_seed(&scribbler.rng, seed);
    const uint64_t wildness = 1 + below(&scribbler, 40); /* how rarely it does wrong */
    while (!group->peers[VICTIM].is_gone) {
        group_hear(group);
        const int other = below(&scribbler, 8) ? VICTIM : HONEST;
        scribbler.peer = &group->peers[other];
        scribbler.pair = scribbler.peer->pair;
        if (!scribbler.peer->is_attached)
            return 0;
        back = scribbler.pair->in_back;
        switch (below(&scribbler, wildness) ? 6 + below(&scribbler, 3) : below(&scribbler, 6)) {
        case 0:
            scribble_slot(&scribbler);
            break;
        case 1:
            publish_garbage(&scribbler);
            break;
        case 2:
            if (below(&scribbler, 20) == 0)
                scribble_memory(&scribbler);
            break;
        case 3:
            scribble_inbox(&scribbler);
            break;
        case 4:
            if (below(&scribbler, 20) == 0)
                atomic_store(&back->consumed, scribbler.pair->in_next + below(&scribbler, 9) - 4);
            break;
        case 5:
            if (below(&scribbler, 100) == 0)
                atomic_store(&back->consumed, any_number(&scribbler));
            else
                share_bell(scribbler.peer->share.bell);
            break;
        case 6:
            take_something(&scribbler);
            break;
        default:
            send_honestly(&scribbler);
            break;
        }
        group_ring(group, other);
        shared->scribbles++;
        if (below(&scribbler, 50) == 0)
            sched_yield();
    }
    return 0;
}

/* ---- the others ---- */

static size_t length_of(int message)
{
    static const size_t lengths[] = {8, 0, 60, 3000, 24, 72, 100, 40000};
    return lengths[(size_t)message % ARRAY_LEN(lengths)];
}

static uint8_t byte_of(int from, int message, size_t at)
{
    return (uint8_t)(from * 101 + message * 31 + (int)(at % 251) * 7);
}

static int fail(const struct group *group, const char *words)
{
    printf("# process %d: %s\n", group->self, words);
    fflush(stdout);
    _exit(1);
}

static void send_next(struct group *group, int to)
{
    struct peer *peer = &group->peers[to];
    const size_t length = length_of(peer->sent);
    struct buf *buf = shm_heap_get(group->own.heap, length);
    CHECK(buf);
    for (size_t i = 0; i < length; i++)
        buf->data[i] = byte_of(group->self, peer->sent, i);
    const struct slice piece = {.buf = buf, .data = buf->data, .length = length};
    const struct parcel parcel = {.tag = peer->sent,
                                  .sequence = (uint64_t)peer->sent,
                                  .pieces = &piece,
                                  .piece_count = 1,
                                  .length = length};
    const enum shm_result result = shm_pair_send(peer->pair, &parcel);
    buf_drop(buf);
    if (result != SHM_OK && to == HOSTILE)
        return;
    if (result != SHM_OK)
        fail(group, "the honest pair cannot send");
    peer->sent++;
    group_ring(group, to);
}

static void check_honest(const struct group *group, const struct peer *peer, int from,
                         const struct parcel *parcel)
{
    const struct slice whole = {.data = parcel->bytes, .length = parcel->length};
    const struct slice *pieces = parcel->pieces ? parcel->pieces : &whole;
    const size_t count = parcel->pieces ? parcel->piece_count : 1;
    size_t at = 0;
    if (parcel->tag != peer->taken || parcel->length != length_of(peer->taken))
        fail(group, "an honest message lost, doubled or torn");
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < pieces[i].length; k++, at++)
            if (pieces[i].data[k] != byte_of(from, parcel->tag, at))
                fail(group, "an honest body torn");
}

/* Reads as a program might: everything, once. */
static void read_hostile(const struct group *group, const struct peer *peer,
                         const struct parcel *parcel)
{
    static volatile uint8_t sum;
    const uint8_t *base = peer->share.view.base;
    size_t length = 0;
    for (size_t i = 0; parcel->bytes && i < parcel->length; i++)
        sum = (uint8_t)(sum + parcel->bytes[i]);
    for (size_t i = 0; parcel->pieces && i < parcel->piece_count; i++) {
        const struct slice *piece = &parcel->pieces[i];
        if (piece->data < base || piece->data + piece->length > base + peer->share.view.size_bytes)
            fail(group, "a piece outside of the segment");
        sum = (uint8_t)(sum + piece->data[0] + piece->data[piece->length - 1]);
        length += piece->length;
    }
    if (parcel->pieces && length != parcel->length)
        fail(group, "pieces that are not the length");
}

static bool take(struct group *group, int from)
{
    struct peer *peer = &group->peers[from];
    struct parcel parcel;
    const enum shm_result result = shm_pair_receive(peer->pair, &parcel);
    if (result == SHM_BAD && from == HOSTILE) {
        shared->bad_pairs++;
        slice_drop(&peer->held);
        group_close(group, from);
        return true;
    }
    if (result == SHM_NONE)
        return false;
    if (result != SHM_OK)
        fail(group, "the honest pair is said to be bad");
    if (from == HOSTILE)
        read_hostile(group, peer, &parcel);
    else
        check_honest(group, peer, from, &parcel);
    if (parcel.pieces && peer->taken % 3 == 0) {
        slice_drop(&peer->held);
        peer->held = slice_hold(parcel.pieces[parcel.piece_count / 2]);
    }
    peer->taken++;
    *(from == HOSTILE ? &shared->hostile_taken : &shared->honest_taken) += 1;
    shm_pair_taken(peer->pair);
    return true;
}

static bool look_at(struct group *group, int other)
{
    struct peer *peer = &group->peers[other];
    bool found = false;
    for (int i = 0; i < REPLIES_MAX && peer->pair && take(group, other); i++)
        found = true;
    if (!peer->pair)
        return found;
    const bool may_send = other == HOSTILE
                              ? peer->sent < HOSTILE_MAX &&
                                    shm_pair_lent_bytes(peer->pair) < SHM_AREA_BYTES
                              : peer->sent < MESSAGES && peer->sent <= peer->taken + WAITING_MAX;
    if (may_send && !peer->pair->is_bad) {
        send_next(group, other);
        found |= other != HOSTILE;
    }
    return found;
}

static void rest(struct group *group)
{
    bool found = false;
    for (int i = 0; i < COUNT; i++)
        if (group->peers[i].pair && shm_pair_release(group->peers[i].pair) == SHM_OK)
            group_ring(group, i);
    shm_ears_sleep(&group->ears);
    shm_ears_listen(&group->ears);
    for (int i = 0; i < COUNT; i++)
        if (shm_ears_next(&group->ears, i) == i && group->peers[i].pair) {
            found |= shm_pair_has_news(group->peers[i].pair);
            shm_ears_cool(&group->ears, (uint32_t)i);
            found |= shm_pair_has_news(group->peers[i].pair);
        }
    if (!found)
        group_sleep(group, SLEEP_MS);
    shm_ears_awake(&group->ears);
}

static bool is_done(const struct group *group)
{
    const struct peer *honest = &group->peers[group->self == VICTIM ? HONEST : VICTIM];
    return honest->taken == MESSAGES && honest->sent == MESSAGES &&
           shm_pair_lent_bytes(honest->pair) == 0;
}

/* The victim and the honest one do the same. */
static int honest_main(struct group *group)
{
    const int honest = group->self == VICTIM ? HONEST : VICTIM;
    while (!is_done(group)) {
        const bool found = look_at(group, honest);
        if ((!group->peers[HOSTILE].pair || !look_at(group, HOSTILE)) && !found)
            rest(group);
        if (group->peers[honest].taken == MESSAGES)
            slice_drop(&group->peers[honest].held);
        if (group->peers[honest].is_gone && !is_done(group))
            while (take(group, honest))
                ;
    }
    if (shm_pair_release(group->peers[honest].pair) == SHM_OK)
        group_ring(group, honest);
    for (int i = 0; i < COUNT; i++) {
        slice_drop(&group->peers[i].held);
        if (group->peers[i].pair)
            group_close(group, i);
    }
    if (shm_heap_stats(group->own.heap).used_bytes != 0)
        fail(group, "blocks are missing");
    share_own_close(&group->own);
    return buf_live_count() ? fail(group, "buffers are left") : 0;
}

static int process_main(struct group *group)
{
    if (!group_attach(group))
        return 77;
    return group->self == HOSTILE ? hostile_main(group) : honest_main(group);
}

/* ---- the parent ---- */

/* One run: words that say what is wrong, or NULL. What becomes of the hostile one is its affair. */
static const char *run(void)
{
    int status[PEERS_MAX];
    if (!group_run(COUNT, process_main, status, LIMIT_S))
        return "somebody waits for ever";
    for (int i = 0; i < COUNT; i++)
        if (i != HOSTILE && WIFSIGNALED(status[i]))
            return "a crash";
    if (WEXITSTATUS(status[VICTIM]) == 77)
        return "no shared memory";
    return WEXITSTATUS(status[VICTIM]) || WEXITSTATUS(status[HONEST]) ? "harm was done" : NULL;
}

int main(int argc, char **argv)
{
    const time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 8);
    const char *wrong = NULL;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    for (seed = argc > 2 ? (uint64_t)atoi(argv[2]) : 1; time(NULL) < end && !wrong; seed++)
        wrong = run();
    if (wrong && strcmp(wrong, "no shared memory") == 0) {
        printf("1..0 # skip no shared memory here\n");
        return 0;
    }
    printf(
        "# up to seed %llu: %llu acts, %llu messages of the hostile peer read, %llu honest ones, "
        "%llu pairs found bad\n",
        (unsigned long long)seed - 1, (unsigned long long)shared->scribbles,
        (unsigned long long)shared->hostile_taken, (unsigned long long)shared->honest_taken,
        (unsigned long long)shared->bad_pairs);
    if (wrong)
        printf("# %s\n", wrong);
    OK(!wrong, "a hostile peer harms nobody");
    OK(shared->bad_pairs > 0 && shared->hostile_taken > 0, "both ends of the pair were seen");
    return tap_done();
}
