/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A detector among others that send it any messages at any times, and whose members, voters and
 * leaders change: it must not break, must keep its promises about itself (a lease that was lost
 * stays lost, may_act only under one), and all it sends must be messages.
 *
 * Input: steps of one byte what and a few bytes of operands.
 */
#include "base/check.h"
#include "base/rng.h"
#include "detect/detect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS = 10, STEP_NS = 5000000 };

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static uint8_t byte(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static void answers_take(struct detect *detect, uint64_t now_ns, bool *is_lost)
{
    struct arena arena;
    struct message message, again;
    struct detect_news news;
    uint64_t to;
    arena_init(&arena);
    while (detect_pull(detect, &arena, &to, &message)) {
        struct wr wr;
        wr_init(&wr);
        message_encode(&wr, &message);
        CHECK(!wr.bad && wr.length < 512 && to != 1 && !*is_lost);
        CHECK(message_decode(wr.bytes, wr.length, &arena, &again) == 0);
        wr_fini(&wr);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    while (detect_next(detect, &news)) {
        CHECK(!*is_lost);
        *is_lost = news.kind == DETECT_LEASE_LOST;
        CHECK(!*is_lost || detect_lease_until(detect) <= now_ns);
    }
    CHECK(!*is_lost || !detect_may_act(detect));
    CHECK(detect_local_health(detect) <= DETECT_HEALTH_MAX);
}

static void voters_change(struct detect *detect, struct input *in, uint64_t now_ns)
{
    struct detect_voter voters[DETECT_VOTERS_MAX];
    size_t count = byte(in) % DETECT_VOTERS_MAX;
    for (size_t i = 0; i < count; i++) {
        uint8_t weights = byte(in);
        voters[i] = (struct detect_voter){i + 1, weights % 4u, weights / 4u % 4u};
    }
    detect_set_voters(detect, voters, count, byte(in), now_ns);
}

static void message_arrives(struct detect *detect, struct input *in, uint64_t now_ns)
{
    struct arena arena;
    struct message message = {.type = (enum message_type)(DM_TRAIN + byte(in) % 7)};
    struct wire_voter stops[16];
    struct wire_rider riders[16];
    uint64_t from = byte(in) % MEMBERS;
    arena_init(&arena);
    if (message.type == DM_TRAIN) {
        message.dm_train = (struct wire_dm_train){.hops = byte(in) % 32, .next = byte(in) % 16,
                                                  .leader = byte(in) % 16, .follows = byte(in),
                                                  .term = byte(in) % 4,
                                                  .voters_index = byte(in)};
        message.dm_train.stops.count = byte(in) % 16;
        message.dm_train.riders.count = byte(in) % 16;
        for (size_t i = 0; i < 16; i++) {
            stops[i].id = byte(in) % MEMBERS;
            riders[i] = (struct wire_rider){byte(in) % 16, byte(in), byte(in)};
        }
        message.dm_train.stops.items = stops;
        message.dm_train.riders.items = riders;
    } else { /* all others begin with |about| */
        uint64_t about = byte(in) % MEMBERS, second = byte(in) % MEMBERS;
        if (message.type == DM_PROBE)
            message.dm_probe = (struct wire_dm_probe){about, second, byte(in)};
        else if (message.type == DM_PROBED)
            message.dm_probed = (struct wire_dm_probed){about, second, byte(in)};
        else if (message.type == DM_LAST_HEARD)
            message.dm_last_heard = (struct wire_dm_last_heard){
                about, (uint32_t)second, (uint64_t)byte(in) << (byte(in) % 60), byte(in)};
        else if (message.type == DM_ASK_HEARD)
            message.dm_ask_heard = (struct wire_dm_ask_heard){about, byte(in)};
        else if (message.type == DM_SUSPECTED)
            message.dm_suspected = (struct wire_dm_suspected){about, second};
        else
            message.dm_dead = (struct wire_dm_dead){about};
    }
    detect_receive(detect, from, &message, now_ns);
    arena_fini(&arena);
}

static void step(struct detect *detect, struct input *in, uint64_t *now_ns)
{
    uint64_t ids[MEMBERS];
    size_t count = 0;
    uint8_t what = byte(in);
    switch (what % 8) {
    case 0:
        for (uint8_t i = 0, bits = byte(in); i < 8; i++)
            if (bits >> i & 1)
                ids[count++] = i + 1u;
        detect_set_members(detect, ids, count, *now_ns);
        break;
    case 1:
        voters_change(detect, in, *now_ns);
        break;
    case 2:
        detect_set_leader(detect, byte(in) % MEMBERS, byte(in), *now_ns);
        break;
    case 3:
        detect_heard(detect, byte(in) % MEMBERS, *now_ns);
        break;
    case 4:
        detect_dead(detect, byte(in) % MEMBERS, *now_ns);
        break;
    case 5:
        *now_ns += (uint64_t)byte(in) * STEP_NS;
        detect_expire(detect, *now_ns);
        break;
    default:
        message_arrives(detect, in, *now_ns);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    uint64_t now_ns = 1000000000;
    const uint64_t members[] = {1, 2, 3, 4, 5};
    const struct detect_voter voters[] = {{1, 3, 0}, {2, 2, 0}, {3, 2, 0}};
    const struct detect_config config = {.self = 1, .dead_after_ns = 1000000000, .seed = 1};
    struct detect *detect = detect_create(&config, now_ns);
    bool is_lost = false;
    CHECK(detect);
    if (size && data[0] & 1) {
        detect_set_members(detect, members, 5, now_ns);
        detect_set_voters(detect, voters, 3, 1, now_ns);
    }
    while (in.at < in.end) {
        step(detect, &in, &now_ns);
        answers_take(detect, now_ns, &is_lost);
    }
    detect_destroy(detect);
    return 0;
}
