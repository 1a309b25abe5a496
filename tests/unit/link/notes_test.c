/* SPDX-License-Identifier: BSD-3-Clause */
/* Notes and tombstones: what is said once, and what is said after death. */
#include "net.h"
#include "tap.h"

#include "link/link.h"

static struct net net;

static void start_pair(uint64_t seed)
{
    net_init(&net, 2, seed);
    net_start_all(&net);
    net_join(&net, 0, 1);
}

static int note(unsigned from, unsigned to, const char *text)
{
    return mesh_send_note(net.nodes[from].mesh, net_id(to), text, strlen(text), net.now_ns);
}

static struct live *live_of(unsigned index)
{
    return ((struct link *)net.nodes[index].mesh->links.entries[0].value)->live;
}

static char heard[8][MESH_NOTE_BYTES_MAX + 1];
static unsigned heard_count;

static void listen(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    if (event->kind != MESH_NOTE || heard_count >= ARRAY_LEN(heard))
        return;
    memcpy(heard[heard_count], event->payload.data, event->payload.length);
    heard[heard_count++][event->payload.length] = 0;
}

static void one_note(void)
{
    start_pair(1);
    heard_count = 0;
    net.on_event = listen;
    OK(note(0, 1, "are you there") == 0, "a note is taken");
    OK(net_await(&net, &net.nodes[1].notes, 1, SECOND), "and arrives, after a handshake");
    SAME_TEXT(heard[0], "are you there", "as it was");
    net_run(&net, SECOND);
    uint64_t sent = net.sent;
    note(1, 0, "I am");
    OK(net_await(&net, &net.nodes[0].notes, 1, MS), "the answer takes half a round trip");
    net_run(&net, 50 * SECOND);
    EQUAL(net.sent - sent, 1, "one datagram: nothing is acknowledged, nothing said again");
    EQUAL(live_of(1)->loss.in_flight_count, 0, "nothing is remembered");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

static void lengths(void)
{
    char text[MESH_NOTE_BYTES_MAX + 1] = {0};
    start_pair(2);
    EQUAL(mesh_send_note(net.nodes[0].mesh, 2, text, 0, net.now_ns), -1, "an empty note is none");
    EQUAL(mesh_send_note(net.nodes[0].mesh, 2, text, sizeof(text), net.now_ns), -1, "too long");
    EQUAL(mesh_send_note(net.nodes[0].mesh, 9, text, 1, net.now_ns), -1, "unknown peer");
    mesh_send_note(net.nodes[0].mesh, 2, text, MESH_NOTE_BYTES_MAX, net.now_ns);
    OK(net_await(&net, &net.nodes[1].notes, 1, SECOND), "the longest arrives");
    EQUAL(net.nodes[1].last_note_length, MESH_NOTE_BYTES_MAX, "whole");
    net_fini(&net);
    net_init(&net, 2, 3);
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_config config = net_config(&net, i);
        config.datagram_bytes_max = MESH_DATAGRAM_BYTES_MIN;
        net_start(&net, i, &config);
    }
    net_join(&net, 0, 1);
    mesh_send_note(net.nodes[0].mesh, 2, text, MESH_NOTE_BYTES_MAX, net.now_ns);
    OK(net_await(&net, &net.nodes[1].notes, 1, SECOND), "in the smallest datagrams too");
    net_fini(&net);
}

/* Four of six waited; they come in order. */
static void waiting_notes(void)
{
    start_pair(4);
    heard_count = 0;
    net.on_event = listen;
    for (char c = 'a'; c <= 'f'; c++)
        note(0, 1, (char[]){c, 0});
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].notes, MESH_NOTES_WAITING, "without a session the last ones stay");
    SAME_TEXT(heard[0], "c", "the oldest two went");
    SAME_TEXT(heard[3], "f", "the newest is there");
    net_fini(&net);
}

/* Bulk fills all windows; a note goes ahead of it. */
static void under_no_window(void)
{
    start_pair(5);
    net.delay_ns = 50 * MS;
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    for (unsigned i = 0; i < 8; i++)
        net_write(&net, 0, 1, 1, 128 * 1024, i);
    net_run(&net, 30 * MS);
    OK(live_of(0)->loss.in_flight_bytes + 1200 > live_of(0)->congestion.window_bytes,
       "the window is full");
    uint64_t start_ns = net.now_ns;
    note(0, 1, "now");
    OK(net_await(&net, &net.nodes[1].notes, 1, SECOND) && net.now_ns - start_ns <= 51 * MS,
       "a note is not held back");
    net_fini(&net);
}

static bool lose_all(struct net *net_, struct net_packet *packet)
{
    return false;
}

static void lost_notes(void)
{
    start_pair(6);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.on_packet = lose_all;
    for (unsigned i = 0; i < 10; i++) {
        note(0, 1, "anybody");
        net_run(&net, SECOND);
    }
    EQUAL(net.nodes[1].notes, 0, "lost notes are lost");
    EQUAL(net.nodes[0].downs, 0, "and no sign that the link is down");
    EQUAL(mesh_counters(net.nodes[0].mesh)->probe_timeouts, 0, "nor asked after");
    net_fini(&net);
}

/* ---- tombstones ---- */

struct tomb {
    struct mesh_address to;
    uint8_t bytes[MESH_TOMBSTONE_BYTES_MAX];
    size_t length;
};

static struct tomb tomb_of(unsigned index)
{
    struct tomb tomb;
    tomb.length = mesh_tombstone(net.nodes[index].mesh, net_id(1 - index), &tomb.to, tomb.bytes);
    return tomb;
}

static void bury(unsigned at, const struct tomb *tomb)
{
    mesh_receive(net.nodes[at].mesh, &net.nodes[1 - at].address, tomb->bytes, tomb->length,
                 net.now_ns);
    net_run(&net, 0);
}

static void tombstone(void)
{
    start_pair(10);
    struct mesh_address to;
    uint8_t bytes[MESH_TOMBSTONE_BYTES_MAX];
    EQUAL(mesh_tombstone(net.nodes[0].mesh, 2, &to, bytes), 0, "no session, no tombstone");
    EQUAL(mesh_tombstone(net.nodes[0].mesh, 7, &to, bytes), 0, "no peer, no tombstone");
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    EQUAL(net.nodes[0].sessions, 1, "a session is told");
    struct tomb tomb = tomb_of(0), twice = tomb_of(0);
    OK(tomb.length > 0 && tomb.length <= MESH_TOMBSTONE_BYTES_MAX, "a tombstone is made");
    OK(tomb.length == twice.length && memcmp(tomb.bytes, twice.bytes, tomb.length) == 0,
       "made again it is the same: its nonce seals one text only");
    OK(memcmp(&tomb.to, &net.nodes[1].address, sizeof(tomb.to)) == 0, "to where the peer is");
    /* Life goes on until it is used. */
    for (unsigned i = 0; i < 100; i++)
        net_write(&net, 0, 1, 1, 10000, i);
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].frames, 100, "the daemon lives on");
    for (unsigned at = 0; at < tomb.length; at++) {
        struct tomb bad = tomb;
        bad.bytes[at] ^= 4;
        bury(1, &bad);
    }
    EQUAL(net.nodes[1].tombstones, 0, "a changed one is not believed");
    net_say(&net, 1, 0, "on its way");
    bury(1, &tomb);
    EQUAL(net.nodes[1].tombstones, 1, "the genuine one is");
    OK(!mesh_peer_is_up(net.nodes[1].mesh, 1), "the link is down");
    EQUAL(mesh_counters(net.nodes[1].mesh)->held_bytes, 0, "nothing is held for the dead");
    bury(1, &tomb);
    EQUAL(net.nodes[1].tombstones, 1, "it counts once");
    net_fini(&net);
}

static void nothing_revives(void)
{
    start_pair(11);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    struct tomb tomb = tomb_of(0);
    bury(1, &tomb);
    uint64_t sent = net.sent;
    net_say(&net, 1, 0, "hello?");
    note(1, 0, "hello?");
    net_write(&net, 1, 0, 1, 100, 1);
    net_run(&net, 10 * SECOND);
    EQUAL(net.sent, sent, "nothing is sent to the dead");
    EQUAL(mesh_deadline(net.nodes[1].mesh), UINT64_MAX, "and no timer runs");
    mesh_peer_remove(net.nodes[0].mesh, 2, false, net.now_ns);
    net_introduce(&net, 0, 1, true);
    net_say(&net, 0, 1, "not dead at all");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 1, "nor is it heard");
    mesh_peer_remove(net.nodes[1].mesh, 1, false, net.now_ns);
    net_introduce(&net, 1, 0, true);
    OK(net_await(&net, &net.nodes[1].controls, 2, 5 * SECOND), "until the peer was removed");
    net_fini(&net);
}

/* What arrived before is delivered before. */
static unsigned order_seen;
static bool data_first;
static void order(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    if (event->kind == MESH_CONTROL)
        order_seen = 1;
    if (event->kind == MESH_TOMBSTONE)
        data_first = order_seen == 1;
}

static void data_before_death(void)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address to;
    size_t length;
    start_pair(12);
    note(0, 1, "x");
    net_run(&net, SECOND);
    net_say(&net, 0, 1, "last words");
    net.on_event = order;
    struct tomb tomb = tomb_of(0);
    while ((length = mesh_pull(net.nodes[0].mesh, &to, bytes, net.now_ns)))
        mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, bytes, length, net.now_ns);
    bury(1, &tomb);
    OK(data_first, "last words are heard before the death");
    net_fini(&net);
}

static void new_keys(void)
{
    start_pair(13);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    struct tomb before = tomb_of(0);
    uint8_t psk[SEAL_KEY_BYTES] = {42};
    mesh_peer_set_psk(net.nodes[0].mesh, 2, psk, 2, net.now_ns);
    mesh_peer_set_psk(net.nodes[1].mesh, 1, psk, 2, net.now_ns);
    net_run(&net, 5 * SECOND);
    EQUAL(net.nodes[0].sessions, 2, "new keys are told");
    struct tomb after = tomb_of(0);
    OK(memcmp(before.bytes, after.bytes, before.length) != 0, "a new session, a new tombstone");
    bury(1, &before);
    EQUAL(net.nodes[1].tombstones, 0, "that of the old keys is worth nothing");
    bury(1, &after);
    EQUAL(net.nodes[1].tombstones, 1, "that of the new ones is");
    net_fini(&net);
}

/* The daemon dies with new keys just agreed, before its guardian has the new tombstone. */
static void death_at_rekey(void)
{
    start_pair(14);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    struct tomb before = tomb_of(0);
    uint8_t psk[SEAL_KEY_BYTES] = {43};
    mesh_peer_set_psk(net.nodes[1].mesh, 1, psk, 2, net.now_ns);
    mesh_peer_set_psk(net.nodes[0].mesh, 2, psk, 2, net.now_ns);
    OK(net_await(&net, &net.nodes[1].sessions, 2, SECOND), "new keys stand");
    net_run(&net, 100 * MS);
    bury(1, &before);
    EQUAL(net.nodes[1].tombstones, 1, "the old tombstone counts a little longer");
    net_fini(&net);
}

/* Tombstone frames elsewhere, and other frames under its number, are not taken. */
static void only_as_it_is(void)
{
    static uint8_t packet[200];
    start_pair(15);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    struct live *live = live_of(0);
    packet[PACKET_SEALED_HEADER_BYTES] = FRAME_TOMBSTONE;
    size_t length = session_seal(live->current, loss_next_number(&live->loss), packet, 1);
    mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, packet, length, net.now_ns);
    packet[PACKET_SEALED_HEADER_BYTES] = FRAME_PING;
    length = session_seal(live->current, PACKET_NUMBER_TOMBSTONE, packet, 1);
    mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, packet, length, net.now_ns);
    net_run(&net, 0);
    EQUAL(net.nodes[1].tombstones, 0, "neither is a tombstone");
    EQUAL(mesh_counters(net.nodes[1].mesh)->dropped_malformed, 2, "both count as malformed");
    net_say(&net, 0, 1, "y");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 2, "and the link works");
    net_fini(&net);
}

/* Notes and tombstones with the n-th allocation failing: lost at worst. */
static bool story(uint64_t nth, int repeat)
{
    bool fine = true;
    start_pair(16);
    mem_fail_at(nth, repeat);
    for (unsigned i = 0; i < 8; i++) {
        note(0, 1, "hello");
        net_run(&net, 100 * MS);
        note(1, 0, "hello yourself");
        net_run(&net, 100 * MS);
    }
    mem_fail_at(0, 0);
    uint64_t before = net.nodes[1].notes;
    note(0, 1, "memory is back");
    fine &= net_await(&net, &net.nodes[1].notes, before + 1, 3 * SECOND);
    net_run(&net, SECOND);
    struct tomb tomb = tomb_of(0);
    mem_fail_at(1, 1);
    mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, tomb.bytes, tomb.length, net.now_ns);
    mem_fail_at(0, 0);
    net_run(&net, 0);
    fine &= net.nodes[1].tombstones == 1;
    net_fini(&net);
    return fine && buf_live_count() == 0;
}

static void failing_memory(void)
{
    unsigned bad = 0;
    for (uint64_t nth = 1; nth < 100; nth++) {
        for (int repeat = 0; repeat < 2; repeat++) {
            if (!story(nth, repeat) && bad++ < 3)
                printf("# allocation %llu, %d\n", (unsigned long long)nth, repeat);
        }
    }
    EQUAL(bad, 0, "each allocation may fail; a tombstone needs none");
}

int main(void)
{
    TEST(one_note);
    TEST(lengths);
    TEST(waiting_notes);
    TEST(under_no_window);
    TEST(lost_notes);
    TEST(tombstone);
    TEST(nothing_revives);
    TEST(data_before_death);
    TEST(new_keys);
    TEST(death_at_rekey);
    TEST(only_as_it_is);
    TEST(failing_memory);
    return tap_done();
}
