/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Quiet links: nothing is sent, nearly nothing is kept, and everything goes on where it stopped.
 * And a machine that slept for hours.
 */
#include "net.h"
#include "tap.h"

#include "link/link.h"

#include <malloc.h>

enum { PEERS = 1000, REST_BYTES_MAX = 1500 };

static struct net net;

static void start_pair(uint64_t seed)
{
    net_init(&net, 2, seed);
    net_start_all(&net);
    net_join(&net, 0, 1);
}

static struct link *link_of(unsigned index)
{
    return net.nodes[index].mesh->links.entries[0].value;
}

static bool is_at_rest(unsigned index)
{
    return !link_of(index)->live && link_of(index)->rest &&
           net.nodes[index].mesh->sessions.count == 0 &&
           mesh_deadline(net.nodes[index].mesh) == UINT64_MAX;
}

static void quiet(void)
{
    start_pair(1);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    uint64_t sent = net.sent;
    uint64_t rtt_ns = mesh_peer_rtt_ns(net.nodes[0].mesh, 2);
    net_run(&net, 3600 * SECOND);
    EQUAL(net.sent, sent, "a quiet link stays quiet");
    EQUAL(net.nodes[0].downs, 0, "silence is no fault");
    OK(mesh_peer_is_up(net.nodes[0].mesh, 2), "it is up");
    OK(is_at_rest(0) && is_at_rest(1), "both sides went to rest");
    EQUAL(mesh_peer_rtt_ns(net.nodes[0].mesh, 2), rtt_ns, "the round trip is remembered");
    net.nodes[1].cut = true;
    net_run(&net, 3600 * SECOND);
    EQUAL(net.nodes[0].downs, 0, "nobody asks whether the peer lives");
    net.nodes[1].cut = false;
    net_say(&net, 1, 0, "y");
    uint64_t start_ns = net.now_ns;
    OK(net_await(&net, &net.nodes[0].controls, 1, SECOND), "the next word is heard");
    OK(net.now_ns - start_ns <= 2 * MS, "after a handshake");
    net_run(&net, SECOND);
    EQUAL(net.nodes[0].sessions + net.nodes[1].sessions, 4, "new keys: told as MESH_SESSION");
    EQUAL(net.nodes[0].ups + net.nodes[1].ups, 2, "and as nothing else");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "nor as a MESH_DOWN");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* Flows of both directions, before and after. */
static void flows_go_on(void)
{
    start_pair(2);
    uint64_t frames = 0;
    for (unsigned round = 0; round < 4; round++) {
        for (uint32_t flow = 0; flow < 40; flow++) {
            net_write(&net, 0, 1, flow, 30000, round);
            net_write(&net, 1, 0, flow, 3000, round);
        }
        net_say(&net, 0, 1, "and a word");
        frames += 40;
        OK(net_await(&net, &net.nodes[1].frames, frames, 5 * SECOND) &&
               net_await(&net, &net.nodes[0].frames, frames, 5 * SECOND),
           "both ways");
        net_run(&net, 5 * SECOND);
        uint64_t sent = net.sent;
        net_run(&net, 300 * SECOND);
        OK(is_at_rest(0) && is_at_rest(1), "drained flows are ended, both sides rest");
        OK(net.sent - sent <= 30, "with few packets");
        EQUAL(mesh_counters(net.nodes[0].mesh)->flows, 0, "no flow is left");
    }
    EQUAL(net.nodes[1].controls, 4, "all words were heard");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "the link was never down");
    net_fini(&net);
}

/* Who has not read what came cannot rest, nor can the sender. */
static void unread_data(void)
{
    start_pair(3);
    net.consume = false;
    net_write(&net, 0, 1, 1, 30000, 1);
    net_run(&net, SECOND);
    uint64_t sent = net.sent;
    net_run(&net, 1000 * SECOND);
    OK(link_of(1)->live && link_of(0)->live, "unread data keep the link awake");
    OK(net.sent - sent <= 4, "but quiet");
    mesh_flow_consume(net.nodes[1].mesh, 1, 1, 2, 30000, net.now_ns);
    net_run(&net, 1000 * SECOND);
    OK(is_at_rest(0) && is_at_rest(1), "read, it goes to rest");
    net_fini(&net);
}

/* One side has forgotten the keys, the other not yet: whatever the time of the next word. */
static void one_sided(void)
{
    start_pair(4);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    uint64_t words = 1, timeouts = 0;
    for (unsigned seconds = 40; seconds <= 70; seconds++) {
        net_run(&net, seconds * SECOND);
        net_say(&net, seconds % 2, 1 - seconds % 2, "y");
        words++;
        uint64_t start_ns = net.now_ns;
        net_run(&net, SECOND);
        timeouts += mesh_counters(net.nodes[0].mesh)->probe_timeouts;
        OK(net.nodes[0].controls + net.nodes[1].controls == words && net.now_ns > start_ns,
           "a word between 40 and 70 s later");
    }
    EQUAL(timeouts, 0, "none of them was sent in vain");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "the link was never down");
    net_fini(&net);
}

/* The network was cut in the middle of a word for so long that one side rests. */
static void cut_for_long(void)
{
    start_pair(5);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.nodes[1].cut = true;
    net_say(&net, 0, 1, "cut off");
    net_run(&net, 200 * SECOND);
    OK(is_at_rest(1), "the side that hears nothing rests");
    EQUAL(net.nodes[0].downs, 1, "the other is told");
    net.nodes[1].cut = false;
    OK(net_await(&net, &net.nodes[1].controls, 2, 30 * SECOND), "the word arrives in the end");
    net_run(&net, SECOND);
    OK(net.nodes[0].ups == 2 && net.nodes[1].downs == 0, "and the link is up");
    net_fini(&net);
}

/* Notes one way only: the speaker never hears the peer. */
static void one_way_notes(void)
{
    start_pair(6);
    for (unsigned i = 0; i < 600; i++) {
        mesh_send_note(net.nodes[0].mesh, 2, "here", 4, net.now_ns);
        net_run(&net, SECOND);
    }
    EQUAL(net.nodes[1].notes, 600, "each of ten minutes' notes is heard");
    OK(net.sent < 600 + 60, "nearly one datagram each");
    net_fini(&net);
}

static void note_to_nobody(void)
{
    start_pair(7);
    net.nodes[1].cut = true;
    mesh_send_note(net.nodes[0].mesh, 2, "hello", 5, net.now_ns);
    net_run(&net, 20 * SECOND);
    uint64_t sent = net.sent;
    OK(sent > 0 && sent < 20, "a note that nobody takes makes a few calls");
    net_run(&net, 100 * SECOND);
    EQUAL(net.sent, sent, "and no more");
    EQUAL(net.nodes[0].downs, 0, "it is no reason for MESH_DOWN");
    OK(!link_of(0)->live, "nothing of it is kept");
    net.nodes[1].cut = false;
    mesh_send_note(net.nodes[0].mesh, 2, "hello", 5, net.now_ns);
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].notes, 1, "only the new one is heard later");
    net_fini(&net);
}

/* ---- memory ---- */

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

static void memory_per_peer(void)
{
    net_init(&net, PEERS + 1, 8);
    net.consume = true;
    for (unsigned i = 0; i <= PEERS; i++) {
        struct mesh_config config = net_config(&net, i);
        net_start(&net, i, &config);
    }
    for (unsigned i = 1; i <= PEERS; i++)
        net_introduce(&net, i, 0, true);
    size_t before = in_use();
    for (unsigned i = 1; i <= PEERS; i++)
        net_introduce(&net, 0, i, true);
    size_t added = in_use() - before;
    struct live *first;
    for (unsigned i = 1; i <= PEERS; i++)
        net_say(&net, i, 0, "x");
    net_run(&net, 20 * SECOND);
    EQUAL(net.nodes[0].controls, PEERS, "a thousand peers say something");
    first = link_of(0)->live;
    OK(first != NULL, "each has a live part");
    size_t awake = in_use();
    net_run(&net, 200 * SECOND);
    size_t resting = in_use();
    unsigned live = 0;
    for (unsigned i = 0; i < PEERS; i++)
        live += ((struct link *)net.nodes[0].mesh->links.entries[i].value)->live != NULL;
    EQUAL(live, 0, "all went to rest");
    EQUAL(mesh_deadline(net.nodes[0].mesh), UINT64_MAX, "no timer is left");
    /* Both ends of each link are in this program. */
    size_t rest_bytes = (added + (MAX_OF(resting, before + added) - before - added) / 2) / PEERS;
    size_t live_bytes = (added + (awake - before - added) / 2) / PEERS;
    printf("# bytes per peer: %zu never spoken to, %zu in use (toy cipher), %zu idle\n",
           added / PEERS, live_bytes, rest_bytes);
    OK(rest_bytes <= REST_BYTES_MAX, "an idle peer costs little");
    OK(live_bytes >= 2 * rest_bytes, "much less than one in use");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* ---- sleep ---- */

/* The clock of one daemon, or of both, jumps by hours; the network's stands meanwhile. */
static void suspend(bool both, bool with_data, unsigned hours)
{
    start_pair(20 + hours + 2 * both + with_data);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    uint64_t handshakes = mesh_counters(net.nodes[0].mesh)->handshakes;
    if (with_data) {
        for (unsigned i = 0; i < 8; i++)
            net_write(&net, 0, 1, 1, 100000, i);
        net_run(&net, 2 * MS);
    }
    if (both) {
        net.now_ns += hours * 3600 * SECOND;
    } else {
        net.nodes[1].asleep = true;
        heap_set(&net.timers, &net.nodes[1].timer, UINT64_MAX);
        net_run(&net, hours * 3600 * SECOND);
        net.nodes[1].asleep = false;
    }
    net_say(&net, 0, 1, "good morning");
    net_say(&net, 1, 0, "and to you");
    OK(net_await(&net, &net.nodes[1].controls, 2, 30 * SECOND) &&
           net_await(&net, &net.nodes[0].controls, 1, 30 * SECOND),
       "after the sleep both are heard");
    if (with_data)
        OK(net_await(&net, &net.nodes[1].frames, 8, 30 * SECOND), "and the data arrive");
    OK(mesh_counters(net.nodes[0].mesh)->handshakes > handshakes, "with new keys");
    net_run(&net, 300 * SECOND);
    OK(is_at_rest(0) && is_at_rest(1), "then all is quiet again");
    OK(!both || net.nodes[0].downs + net.nodes[1].downs == 0,
       "who slept blames nobody for the silence");
    net_fini(&net);
}

static void sleep_for_hours(void)
{
    for (unsigned i = 0; i < 4; i++)
        for (unsigned hours = 2; hours <= 1000; hours *= 8)
            suspend(i & 1, i & 2, hours);
}

/* Going to rest and waking with the n-th allocation failing. */
static bool story(uint64_t nth, int repeat)
{
    start_pair(9);
    bool fine = true;
    for (unsigned round = 0; round < 3; round++) {
        if (round == 1)
            mem_fail_at(nth, repeat);
        if (net_write(&net, 0, 1, 1, 3000, round) < 0)
            net.nodes[1].frames++; /* refused: none to expect */
        net_run(&net, SECOND / 2);
        if (round == 1 && repeat)
            mem_fail_at(0, 0);
        fine &= net_await(&net, &net.nodes[1].frames, round + 1, 10 * SECOND);
        net_run(&net, 300 * SECOND);
    }
    mem_fail_at(0, 0);
    fine &= net.nodes[0].downs + net.nodes[1].downs == 0;
    net_fini(&net);
    return fine && buf_live_count() == 0;
}

static void failing_memory(void)
{
    unsigned bad = 0;
    for (uint64_t nth = 1; nth < 120; nth++) {
        for (int repeat = 0; repeat < 2; repeat++) {
            if (!story(nth, repeat) && bad++ < 3)
                printf("# allocation %llu, %d\n", (unsigned long long)nth, repeat);
        }
    }
    EQUAL(bad, 0, "each allocation may fail");
}

int main(void)
{
    TEST(quiet);
    TEST(flows_go_on);
    TEST(unread_data);
    TEST(one_sided);
    TEST(cut_for_long);
    TEST(one_way_notes);
    TEST(note_to_nobody);
    TEST(memory_per_peer);
    TEST(sleep_for_hours);
    TEST(failing_memory);
    return tap_done();
}
