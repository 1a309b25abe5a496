/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss detection, round trip, congestion, pacing and path size, each on its own. */
#include "base/mem.h"
#include "link/congestion.h"
#include "link/loss.h"
#include "link/mtu.h"
#include "link/pacer.h"
#include "tap.h"

#define MS UINT64_C(1000000)

static void send_one(struct loss *loss, uint64_t now_ns)
{
    struct sent_packet *packet = mem_calloc(1, sizeof(*packet));
    packet->sent_ns = now_ns;
    packet->bytes = 1000;
    packet->charge = 2000;
    loss_reserve(loss);
    loss_sent(loss, packet);
}

/* Acknowledges [first, last]; returns how many packets that were not known before. */
static unsigned acknowledge(struct loss *loss, struct rtt *rtt, uint64_t first, uint64_t last,
                            uint64_t now_ns, unsigned *late)
{
    struct frame_ack ack = {.largest = last, .first_length = last - first};
    struct list acked;
    unsigned count = 0;
    *late = 0;
    list_init(&acked);
    loss_acknowledge(loss, &ack, rtt, now_ns, &acked);
    LIST_EACH(node, next, &acked)
    {
        struct sent_packet *packet = LIST_ENTRY(node, struct sent_packet, node);
        *late += packet->is_lost;
        list_remove(node);
        mem_free(packet);
        count++;
    }
    return count;
}

static unsigned detect(struct loss *loss, const struct rtt *rtt, uint64_t now_ns, bool *collapse)
{
    struct list lost;
    unsigned count = 0;
    list_init(&lost);
    *collapse = loss_detect(loss, rtt, now_ns, &lost);
    LIST_EACH(node, next, &lost)
    {
        list_remove(node);
        count++;
    }
    return count;
}

static void finish(struct loss *loss)
{
    struct sent_packet *packet;
    while ((packet = loss_take(loss, 0, true)))
        mem_free(packet);
    loss_fini(loss);
}

static void by_packets_and_time(void)
{
    struct loss loss;
    struct rtt rtt;
    unsigned late;
    bool collapse;
    loss_init(&loss);
    rtt_init(&rtt);
    for (unsigned i = 0; i < 8; i++)
        send_one(&loss, 100 * MS);
    EQUAL(loss.in_flight_bytes, 8000, "eight in flight");
    EQUAL(acknowledge(&loss, &rtt, 3, 4, 110 * MS, &late), 2, "two arrived");
    EQUAL(rtt.smoothed_ns, 10 * MS, "which gives the round trip");
    EQUAL(detect(&loss, &rtt, 110 * MS, &collapse), 2, "0 and 1 are three behind: lost");
    EQUAL(loss.in_flight_charge, 4 * 2000, "four are in flight");
    OK(loss_deadline_ns(&loss, &rtt, UINT64_MAX) == 100 * MS + 10 * MS * 9 / 8,
       "the third is given an eighth more than the round trip");
    EQUAL(detect(&loss, &rtt, 112 * MS, &collapse), 1, "then it is lost");
    EQUAL(acknowledge(&loss, &rtt, 0, 1, 113 * MS, &late), 2, "what was late is noticed");
    EQUAL(late, 2, "as such");
    OK(loss.packet_threshold > 3 && loss.time_threshold_eighths > 9, "and taken into account");
    EQUAL(acknowledge(&loss, &rtt, 0, 1, 113 * MS, &late), 0, "once");
    finish(&loss);
}

static void timeouts_and_collapse(void)
{
    struct loss loss;
    struct rtt rtt;
    unsigned late;
    bool collapse;
    loss_init(&loss);
    rtt_init(&rtt);
    EQUAL(loss_deadline_ns(&loss, &rtt, UINT64_MAX), UINT64_MAX, "nothing in flight, no timer");
    send_one(&loss, 10 * MS);
    acknowledge(&loss, &rtt, 0, 0, 20 * MS, &late);
    for (unsigned i = 0; i < 20; i++)
        send_one(&loss, (30 + 20 * i) * MS);
    uint64_t first_ns = loss_deadline_ns(&loss, &rtt, UINT64_MAX);
    loss.probe_count = 2;
    uint64_t last_ns = (30 + 20 * 19) * MS;
    EQUAL(loss_deadline_ns(&loss, &rtt, UINT64_MAX) - last_ns, 4 * (first_ns - last_ns),
          "each timeout doubles the next");
    EQUAL(loss_deadline_ns(&loss, &rtt, 5 * MS), last_ns + 5 * MS, "up to a bound");
    OK(loss_oldest(&loss)->number == 1, "the oldest is the one to send again");
    acknowledge(&loss, &rtt, 20, 20, 420 * MS, &late);
    EQUAL(detect(&loss, &rtt, 420 * MS, &collapse), 19, "all before are lost");
    OK(collapse, "for so long that it is persistent congestion");
    finish(&loss);
}

static void window(void)
{
    struct congestion congestion;
    congestion_init(&congestion, 1000);
    EQUAL(congestion.window_bytes, 10000, "ten datagrams to start with");
    congestion_acked(&congestion, 10000, 1, true);
    EQUAL(congestion.window_bytes, 20000, "slow start doubles");
    congestion_acked(&congestion, 10000, 1, false);
    EQUAL(congestion.window_bytes, 20000, "but not when the window was not used");
    congestion_lost(&congestion, 50, 100);
    EQUAL(congestion.window_bytes, 10000, "a loss halves");
    congestion_lost(&congestion, 60, 110);
    EQUAL(congestion.window_bytes, 10000, "once for all sent before");
    congestion_acked(&congestion, 10000, 90, true);
    EQUAL(congestion.window_bytes, 10000, "no growth in recovery");
    congestion_acked(&congestion, 10000, 120, true);
    EQUAL(congestion.window_bytes, 11000, "then one datagram a round trip");
    congestion_spurious(&congestion, 50);
    EQUAL(congestion.window_bytes, 11000, "one of two was only late");
    congestion_spurious(&congestion, 60);
    EQUAL(congestion.window_bytes, 20000, "both were: the reduction is undone");
    congestion_collapse(&congestion);
    EQUAL(congestion.window_bytes, 2000, "persistent congestion");
    congestion_set_datagram(&congestion, 5000);
    EQUAL(congestion.window_bytes, 10000, "never less than two datagrams");
}

static void pacing(void)
{
    struct pacer pacer;
    uint64_t sent = 0, now_ns = 0;
    pacer_init(&pacer, 0);
    while (now_ns < 1000 * MS) {
        uint64_t wait_ns = pacer_wait_ns(&pacer, 100000, 100 * MS, 1000, now_ns);
        if (wait_ns == 0) {
            pacer_sent(&pacer, 1000);
            sent += 1000;
        }
        now_ns += wait_ns;
    }
    OK(sent > 1900000 && sent < 2150000, "twice the window per round trip");
    now_ns += 10000 * MS;
    for (sent = 0; pacer_wait_ns(&pacer, 100000, 100 * MS, 1000, now_ns) == 0; sent++)
        pacer_sent(&pacer, 1000);
    OK(sent >= 10 && sent <= 20, "after a pause a burst, but a bounded one");
}

static void path_size(void)
{
    struct mtu mtu;
    mtu_init(&mtu, MTU_BASE, 65507);
    EQUAL(mtu.current, MTU_BASE, "1200 to begin with");
    EQUAL(mtu_probe_size(&mtu, 65507, 0), 1452, "one step");
    EQUAL(mtu_probe_size(&mtu, 1300, 0), 0, "not beyond what is allowed");
    mtu_probe_sent(&mtu, 1452);
    EQUAL(mtu_probe_size(&mtu, 65507, 0), 0, "one probe at a time");
    mtu_probe_acked(&mtu, 1452);
    EQUAL(mtu.current, 1452, "it arrived");
    for (unsigned i = 0; i < 3; i++) {
        EQUAL(mtu_probe_size(&mtu, 65507, 0), 4000, "the next step");
        mtu_probe_sent(&mtu, 4000);
        mtu_probe_lost(&mtu, 0);
    }
    EQUAL(mtu_probe_size(&mtu, 65507, 0), 0, "three lost: enough for now");
    for (unsigned i = 0; i < 7; i++)
        OK(!mtu_lost(&mtu, 1452, 0), "large packets may be lost");
    mtu_acked(&mtu, 1452);
    for (unsigned i = 0; i < 7; i++)
        mtu_lost(&mtu, 1452, 0);
    OK(!mtu_lost(&mtu, 1000, 0), "small ones do not count");
    OK(mtu_lost(&mtu, 1452, 0) && mtu.current == MTU_BASE, "eight in a row: a black hole");
    mtu_init(&mtu, MTU_BASE, 1300);
    EQUAL(mtu_probe_size(&mtu, 65507, 0), 1300, "a limit between two steps is reached too");
}

int main(void)
{
    TEST(by_packets_and_time);
    TEST(timeouts_and_collapse);
    TEST(window);
    TEST(pacing);
    TEST(path_size);
    return tap_done();
}
