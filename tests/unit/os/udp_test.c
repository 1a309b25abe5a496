/* SPDX-License-Identifier: BSD-3-Clause */
/* The UDP socket: batches, sizes, errors of the network, ports. */
#include "os/udp.h"

#include "tap.h"
#include "until.h"

#include <sys/socket.h>

static struct loop *loop;

struct ear {
    size_t count;
    size_t bytes;
    size_t wanted;
    uint16_t from_port;
    bool intact;
    size_t unreachable;
    size_t turns;
    struct udp *speaker; /* flushed when it can go on */
};

static void got_datagram(void *context, const struct net_address *from, uint8_t *bytes,
                         size_t length)
{
    struct ear *ear = context;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != bytes[0])
            ear->intact = false;
    ear->count++;
    ear->bytes += length;
    ear->from_port = from->port;
}

static void got_unreachable(void *context, const struct net_address *to)
{
    (void)to;
    ((struct ear *)context)->unreachable++;
}

static void got_turn(void *context)
{
    ((struct ear *)context)->turns++;
}

static struct udp *open_udp(struct ear *ear, uint16_t port)
{
    char error[256] = "";
    struct udp_config config = {.first_port = port};
    struct udp *udp = udp_open(&config, error, sizeof(error));
    OK(udp != NULL, "a socket");
    struct udp_handler handler = {
        .context = ear, .datagram = got_datagram, .unreachable = got_unreachable};
    *ear = (struct ear){.intact = true};
    EQUAL(udp_start(udp, loop, &handler, got_turn), 0, "is watched");
    return udp;
}

static struct net_address local(uint16_t port)
{
    struct net_address to = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}, .port = port};
    return to;
}

static bool heard(void *context)
{
    struct ear *ear = context;
    return ear->count >= ear->wanted;
}

static bool was_unreachable(void *context)
{
    return ((struct ear *)context)->unreachable > 0;
}

static void send_one(struct udp *udp, uint16_t port, size_t length, uint8_t fill)
{
    struct net_address to = local(port);
    uint8_t *place = udp_place(udp);
    memset(place, fill, length);
    udp_add(udp, &to, length);
}

static void test_sizes(void)
{
    struct ear a, b;
    struct udp *one = open_udp(&a, 0), *two = open_udp(&b, 0);
    static const size_t sizes[] = {1, 1200, 1200, 1200, 700, 1472, 9000, UDP_DATAGRAM_BYTES_MAX, 3};
    size_t count = sizeof(sizes) / sizeof(sizes[0]), total = 0;
    for (size_t i = 0; i < count; i++) {
        send_one(one, udp_port(two), sizes[i], (uint8_t)i);
        total += sizes[i];
    }
    OK(udp_flush(one), "a batch of all sizes goes out");
    b.wanted = count;
    OK(until(loop, heard, &b), "each datagram arrives");
    EQUAL(b.bytes, total, "with its own length");
    OK(b.intact, "and contents");
    EQUAL(b.from_port, udp_port(one), "from its sender");
    OK(b.turns > 0, "the owner is told after a batch");
    OK(udp_receive_buffer_bytes(two) > 65536, "the receive buffer's real size is known");
    udp_close(one);
    udp_close(two);
}

static void test_full_batch(void)
{
    struct ear a, b;
    struct udp *one = open_udp(&a, 0), *two = open_udp(&b, 0);
    for (size_t i = 0; i < UDP_BATCH_MAX; i++)
        send_one(one, udp_port(two), 100, (uint8_t)i);
    OK(udp_place(one) == NULL, "a full batch has no place");
    OK(udp_flush(one), "it goes out");
    OK(udp_place(one) != NULL, "then there is place again");
    b.wanted = UDP_BATCH_MAX;
    OK(until(loop, heard, &b), "and all arrives");
    udp_close(one);
    udp_close(two);
}

static void test_nobody_there(void)
{
    struct ear a, b;
    struct udp *one = open_udp(&a, 0), *two = open_udp(&b, 0);
    uint16_t closed_port = udp_port(two);
    udp_close(two);
    send_one(one, closed_port, 100, 1);
    udp_flush(one);
#ifdef PLATFORM_LINUX
    OK(until(loop, was_unreachable, &a), "a refused datagram is reported");
#else
    (void)was_unreachable;
    SKIP("a refused datagram is reported", "needs the error queue of Linux");
#endif
    struct udp *three = open_udp(&b, 0);
    send_one(one, udp_port(three), 100, 1);
    OK(udp_flush(one), "and the socket works on");
    b.wanted = 1;
    OK(until(loop, heard, &b), "for others");
    udp_close(one);
    udp_close(three);
}

static void test_first_port(void)
{
    struct ear a, b;
    struct udp *one = open_udp(&a, 0);
    uint16_t port = udp_port(one);
    if (port == UINT16_MAX) {
        SKIP("the next free port", "the last port was taken");
    } else {
        struct udp *two = open_udp(&b, port);
        OK(udp_port(two) > port, "a port in use is passed over for the next free one (ENV-2)");
        udp_close(two);
    }
    udp_close(one);
}

static void test_loopback_only(void)
{
    char error[256] = "";
    struct udp_config config = {.loopback_only = true};
    struct udp *udp = udp_open(&config, error, sizeof(error));
    OK(udp != NULL && udp_port(udp) != 0, "a socket of this machine alone");
    udp_close(udp);
}

static bool has_passed(void *context)
{
    return clock_now_ns() >= *(const uint64_t *)context;
}

/* More refusals than are read at once must not keep the socket ready for ever. */
static void test_many_refusals(void)
{
#ifdef PLATFORM_LINUX
    struct ear a, b;
    struct udp *one = open_udp(&a, 0), *two = open_udp(&b, 0);
    uint16_t closed_port = udp_port(two);
    udp_close(two);
    for (size_t i = 0; i < 8 * UDP_BATCH_MAX; i++) {
        if (!udp_place(one))
            udp_flush(one);
        send_one(one, closed_port, 100, 1);
    }
    udp_flush(one);
    /* As a call that was told of one of them leaves it: no error is due, but the queue is full. */
    int error;
    socklen_t length = sizeof(error);
    getsockopt(udp_fd(one), SOL_SOCKET, SO_ERROR, &error, &length);
    OK(until(loop, was_unreachable, &a), "many refused datagrams are reported");
    uint64_t at_ns = clock_now_ns() + 50000000;
    struct loop_timer *timer = loop_timer_open(loop, until_timer, NULL);
    loop_timer_set(timer, at_ns);
    until(loop, has_passed, &at_ns);
    size_t turns = a.turns;
    at_ns = clock_now_ns() + 50000000;
    loop_timer_set(timer, at_ns);
    until(loop, has_passed, &at_ns);
    EQUAL(a.turns - turns, 0, "and then the socket is quiet");
    loop_timer_close(timer);
    udp_close(one);
#else
    SKIP("many refused datagrams are reported", "needs the error queue of Linux");
#endif
}

int main(void)
{
    loop = loop_create();
    TEST(test_sizes);
    TEST(test_full_batch);
    TEST(test_nobody_there);
    TEST(test_many_refusals);
    TEST(test_first_port);
    TEST(test_loopback_only);
    loop_destroy(loop);
    return tap_done();
}
