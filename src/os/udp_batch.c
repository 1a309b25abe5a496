/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches of datagrams: recvmmsg(2), sendmmsg(2), UDP segmentation and the error queue on Linux;
 * one call per datagram elsewhere.
 */
#include "os/udp_batch.h"

#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#ifdef PLATFORM_LINUX
#include <linux/errqueue.h>
#include <netinet/udp.h>
#endif

int udp_batch_init(struct udp *udp)
{
    udp->out_bytes = mem_alloc((size_t)UDP_BATCH_MAX * UDP_SLOT_BYTES);
    udp->in_bytes = mem_alloc((size_t)UDP_BATCH_MAX * UDP_SLOT_BYTES);
    if (udp->out_bytes && udp->in_bytes)
        return 0;
    udp_batch_fini(udp);
    return -1;
}

void udp_batch_fini(struct udp *udp)
{
    mem_free(udp->out_bytes);
    mem_free(udp->in_bytes);
    udp->out_bytes = udp->in_bytes = NULL;
}

static void hand_in(struct udp *udp, const struct sockaddr_storage *from, uint8_t *bytes,
                    size_t length)
{
    struct net_address address;
    if (net_address_from_socket(&address, (const struct sockaddr *)from) == 0)
        udp->handler.datagram(udp->handler.context, &address, bytes, length);
}

/* Forgets the first |count| of the batch. */
static void out_shift(struct udp *udp, size_t count)
{
    size_t rest = udp->out_count - count;
    if (count > 0 && rest > 0) {
        memmove(udp->out, udp->out + count, rest * sizeof(udp->out[0]));
        for (size_t i = 0; i < rest; i++) /* slots do not overlap: each is moved whole, downwards */
            memcpy(udp->out_bytes + i * UDP_SLOT_BYTES,
                   udp->out_bytes + (i + count) * UDP_SLOT_BYTES, udp->out[i].length);
    }
    udp->out_count = rest;
}

static bool is_full(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

#ifdef PLATFORM_LINUX

enum { ERRORS_MAX = 1024 /* more than the queue of a socket holds */ };

void udp_batch_prepare_socket(struct udp *udp)
{
    int on = 1;
    int probe4 = IP_PMTUDISC_PROBE, probe6 = IPV6_PMTUDISC_PROBE;
    /* Refusals come from sandboxes; every one of these only makes things faster or earlier known.
     */
    setsockopt(udp->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
    /* The link layer finds path sizes by probes of its own: do not fragment, and do not let the
     * kernel hold back what it believes too large. ip(7). */
    setsockopt(udp->fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe4, sizeof(probe4));
    if (udp->family == AF_INET6) {
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe6, sizeof(probe6));
    }
#ifdef UDP_SEGMENT
    int segment = 0;
    socklen_t length = sizeof(segment);
    udp->no_segments = getsockopt(udp->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &length) < 0;
#else
    udp->no_segments = true;
#endif
}

/* The error queue: which destination could not be reached. As long as anything is in it the socket
 * counts as ready, though nothing can be received (udp(7), IP_RECVERR in ip(7)). */
static void drain_errors(struct udp *udp)
{
    for (int i = 0; i < ERRORS_MAX; i++) {
        struct sockaddr_storage to;
        uint8_t control[512];
        struct msghdr message = {.msg_name = &to,
                                 .msg_namelen = sizeof(to),
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        if (recvmsg(udp->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        struct net_address address;
        bool is_too_big = false;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!is_error)
                continue;
            struct sock_extended_err what;
            memcpy(&what, CMSG_DATA(c), sizeof(what));
            is_too_big = what.ee_errno == EMSGSIZE; /* the answer to a size probe, no dead host */
        }
        if (!is_too_big && message.msg_namelen > 0 &&
            net_address_from_socket(&address, (const struct sockaddr *)&to) == 0)
            udp->handler.unreachable(udp->handler.context, &address);
    }
}

bool udp_batch_receive(struct udp *udp)
{
    struct mmsghdr messages[UDP_BATCH_MAX];
    struct iovec parts[UDP_BATCH_MAX];
    struct sockaddr_storage from[UDP_BATCH_MAX];
    memset(messages, 0, sizeof(messages));
    for (size_t i = 0; i < UDP_BATCH_MAX; i++) {
        parts[i] = (struct iovec){udp->in_bytes + i * UDP_SLOT_BYTES, UDP_SLOT_BYTES};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
    }
    int got = recvmmsg(udp->fd, messages, UDP_BATCH_MAX, MSG_DONTWAIT, NULL);
    if (got < 0) {
        if (errno == EINTR)
            return true;
        bool is_empty = errno == EAGAIN || errno == EWOULDBLOCK;
        drain_errors(udp); /* also when nothing is there: then this is what it woke for */
        return !is_empty;
    }
    for (int i = 0; i < got; i++)
        if (!(messages[i].msg_hdr.msg_flags & MSG_TRUNC))
            hand_in(udp, &from[i], parts[i].iov_base, messages[i].msg_len);
    return got == UDP_BATCH_MAX;
}

enum { SEGMENTS_MAX = UDP_BATCH_MAX, CONTROL_BYTES = 64 };

/* How many datagrams from |first| on can go as one call's segments: same place, same length but for
 * the last, which may be shorter; all together below the limit of one datagram. udp(7). */
static size_t run_length(const struct udp *udp, size_t first)
{
    const struct udp_out *head = &udp->out[first];
    size_t total = head->length, count = 1;
    while (!udp->no_segments && first + count < udp->out_count) {
        const struct udp_out *next = &udp->out[first + count];
        if (next->length > head->length || total + next->length > UDP_DATAGRAM_BYTES_MAX ||
            next->address_length != head->address_length ||
            memcmp(&next->address, &head->address, head->address_length) != 0)
            break;
        total += next->length;
        count++;
        if (next->length < head->length)
            break;
    }
    return count;
}

struct out_call {
    struct mmsghdr messages[UDP_BATCH_MAX];
    struct iovec parts[UDP_BATCH_MAX];
    size_t datagrams[UDP_BATCH_MAX]; /* in each message */
    struct {
        _Alignas(max_align_t) uint8_t bytes[CONTROL_BYTES];
    } control[UDP_BATCH_MAX];
    size_t message_count;
};

static void call_add_segments(struct out_call *call, size_t index, size_t segment_bytes)
{
#ifdef UDP_SEGMENT
    struct msghdr *message = &call->messages[index].msg_hdr;
    uint16_t size = (uint16_t)segment_bytes;
    message->msg_control = call->control[index].bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(size));
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(size));
    memcpy(CMSG_DATA(c), &size, sizeof(size));
#else
    (void)call;
    (void)index;
    (void)segment_bytes;
#endif
}

static void call_build(struct udp *udp, struct out_call *call)
{
    memset(call->messages, 0, sizeof(call->messages));
    memset(call->control, 0, sizeof(call->control));
    call->message_count = 0;
    for (size_t first = 0; first < udp->out_count;) {
        size_t count = run_length(udp, first), index = call->message_count++;
        struct msghdr *message = &call->messages[index].msg_hdr;
        for (size_t i = first; i < first + count; i++)
            call->parts[i] = (struct iovec){udp->out_bytes + i * UDP_SLOT_BYTES,
                                            udp->out[i].length};
        message->msg_iov = &call->parts[first];
        message->msg_iovlen = count;
        message->msg_name = &udp->out[first].address;
        message->msg_namelen = (socklen_t)udp->out[first].address_length;
        if (count > 1)
            call_add_segments(call, index, udp->out[first].length);
        call->datagrams[index] = count;
        first += count;
    }
}

/* The first message of |call| could not be sent for |error|: what becomes of it. Returns how many
 * datagrams are given up. */
static size_t send_refused(struct udp *udp, const struct out_call *call, int error)
{
    if (is_full(error)) {
        udp->blocked = true;
        return 0;
    }
    if (error == EINTR)
        return 0;
    if (error ==
        ECONNREFUSED) { /* said of an earlier datagram, ip(7): this one was not even tried */
        drain_errors(udp);
        return 0;
    }
    if (call->datagrams[0] > 1 && !udp->no_segments && (error == EIO || error == EINVAL)) {
        udp->no_segments = true; /* no checksum offload on the way, udp(7): go on one by one */
        return 0;
    }
    /* Too large, no route, an error left by an earlier datagram: the link's own recovery repeats
     * what is needed, and a lost probe is the answer to a probe. */
    drain_errors(udp);
    return call->datagrams[0];
}

void udp_batch_send(struct udp *udp)
{
    struct out_call call;
    while (udp->out_count > 0 && !udp->blocked) {
        call_build(udp, &call);
        int sent = sendmmsg(udp->fd, call.messages, (unsigned)call.message_count, MSG_DONTWAIT);
        size_t done = 0;
        for (int i = 0; i < sent; i++)
            done += call.datagrams[i];
        if (sent < 0)
            done = send_refused(udp, &call, errno);
        out_shift(udp, done);
    }
}

#else

void udp_batch_prepare_socket(struct udp *udp)
{
    udp->no_segments = true;
}

bool udp_batch_receive(struct udp *udp)
{
    for (int i = 0; i < UDP_BATCH_MAX; i++) {
        struct sockaddr_storage from;
        socklen_t from_length = sizeof(from);
        ssize_t got = recvfrom(udp->fd, udp->in_bytes, UDP_SLOT_BYTES, 0, (struct sockaddr *)&from,
                               &from_length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        hand_in(udp, &from, udp->in_bytes, (size_t)got);
    }
    return true;
}

void udp_batch_send(struct udp *udp)
{
    size_t done = 0;
    while (done < udp->out_count) {
        const struct udp_out *out = &udp->out[done];
        ssize_t sent = sendto(udp->fd, udp->out_bytes + done * UDP_SLOT_BYTES, out->length, 0,
                              (const struct sockaddr *)&out->address,
                              (socklen_t)out->address_length);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && is_full(errno)) {
            udp->blocked = true;
            break;
        }
        done++; /* any other error: lost on the way, the link repeats it */
    }
    out_shift(udp, done);
}

#endif
