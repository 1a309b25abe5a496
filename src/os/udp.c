/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's UDP socket: see the header. How batches go in and out: udp_batch.c. */
#include "os/udp_batch.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECEIVE_ROUNDS_MAX = 4 /* batches per wake-up, so that tasks are served too */ };

static int bind_port(const struct udp *udp, uint16_t port, bool loopback_only)
{
    struct sockaddr_storage address;
    memset(&address, 0, sizeof(address));
    size_t length;
    if (udp->family == AF_INET6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        in6.sin6_addr = in6addr_any;
        memcpy(&address, &in6, length = sizeof(in6));
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        in.sin_addr.s_addr = htonl(loopback_only ? INADDR_LOOPBACK : INADDR_ANY);
        memcpy(&address, &in, length = sizeof(in));
    }
    return bind(udp->fd, (struct sockaddr *)&address, (socklen_t)length);
}

/* ENV-2: from the port asked for upwards to the last. */
static int bind_first_free(const struct udp *udp, const struct udp_config *config)
{
    for (uint32_t port = config->first_port; port <= UINT16_MAX; port++) {
        if (bind_port(udp, (uint16_t)port, config->loopback_only) == 0)
            return 0;
        if (config->first_port == 0 || (errno != EADDRINUSE && errno != EACCES))
            return -1;
    }
    return -1;
}

static int open_family(struct udp *udp, int family, const struct udp_config *config)
{
    int off = 0;
    udp->family = family;
    udp->fd = socket(family, SOCK_DGRAM, 0);
    if (udp->fd < 0)
        return -1;
    fcntl(udp->fd, F_SETFD, FD_CLOEXEC);
    fcntl(udp->fd, F_SETFL, O_NONBLOCK);
    if (family == AF_INET6 && setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        goto err_close;
    if (bind_first_free(udp, config) < 0)
        goto err_close;
    return 0;

err_close : {
    int saved = errno;
    close(udp->fd);
    udp->fd = -1;
    errno = saved;
    return -1;
}
}

static void raise_buffers(struct udp *udp)
{
    /* The system cuts to its limit (net.core.rmem_max); what it really gave is asked back. */
    int wanted = UDP_BUFFER_BYTES_WANTED;
    setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
    setsockopt(udp->fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage address;
    struct net_address parsed;
    socklen_t length = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
        net_address_from_socket(&parsed, (struct sockaddr *)&address) < 0)
        return 0;
    return parsed.port;
}

struct udp *udp_open(const struct udp_config *config, char *error, size_t error_bytes)
{
    struct udp *udp = mem_calloc(1, sizeof(*udp));
    if (!udp || udp_batch_init(udp) < 0) {
        str_copy(error, error_bytes, "no memory for the network socket");
        mem_free(udp);
        return NULL;
    }
    int first_family = config->loopback_only ? AF_INET : AF_INET6;
    if (open_family(udp, first_family, config) < 0 &&
        (first_family == AF_INET || open_family(udp, AF_INET, config) < 0)) {
        str_format(error, error_bytes, "cannot open a UDP socket%s: %s",
                   config->first_port ? " (PVMNETSOCKPORT)" : "", strerror(errno));
        udp_batch_fini(udp);
        mem_free(udp);
        return NULL;
    }
    raise_buffers(udp);
    udp_batch_prepare_socket(udp);
    udp->port = bound_port(udp->fd);
    return udp;
}

void udp_close(struct udp *udp)
{
    if (!udp)
        return;
    loop_watch_close(udp->watch);
    close(udp->fd);
    udp_batch_fini(udp);
    mem_free(udp);
}

static void ready(void *context, int events)
{
    struct udp *udp = context;
    if (events & LOOP_READABLE)
        for (int round = 0; round < RECEIVE_ROUNDS_MAX && udp_batch_receive(udp); round++)
            continue;
    if (events & LOOP_WRITABLE) {
        udp->blocked = false;
        udp_flush(udp);
    }
    udp->on_ready(udp->handler.context);
}

int udp_start(struct udp *udp, struct loop *loop, const struct udp_handler *handler,
              void (*on_ready)(void *context))
{
    udp->handler = *handler;
    udp->on_ready = on_ready;
    udp->watch = loop_watch_open(loop, udp->fd, ready, udp);
    if (!udp->watch)
        return -1;
    loop_watch_set(udp->watch, LOOP_READABLE);
    return 0;
}

int udp_fd(const struct udp *udp)
{
    return udp->fd;
}

uint16_t udp_port(const struct udp *udp)
{
    return udp->port;
}

size_t udp_receive_buffer_bytes(const struct udp *udp)
{
    int bytes = 0;
    socklen_t length = sizeof(bytes);
    if (getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length) < 0 || bytes <= 0)
        return 64 * 1024;
    return (size_t)bytes;
}

uint8_t *udp_place(struct udp *udp)
{
    if (udp->blocked || udp->out_count == UDP_BATCH_MAX)
        return NULL;
    return udp->out_bytes + (size_t)udp->out_count * UDP_SLOT_BYTES;
}

void udp_add(struct udp *udp, const struct net_address *to, size_t length)
{
    CHECK(udp->out_count < UDP_BATCH_MAX && length <= UDP_DATAGRAM_BYTES_MAX);
    struct udp_out *out = &udp->out[udp->out_count];
    out->address_length = net_address_to_socket(to, udp->family, &out->address);
    out->length = length;
    if (out->address_length != 0) /* an IPv6 address on a machine without: nothing to try */
        udp->out_count++;
}

bool udp_flush(struct udp *udp)
{
    if (udp->blocked)
        return false;
    if (udp->out_count > 0)
        udp_batch_send(udp);
    if (udp->watch)
        loop_watch_set(udp->watch, LOOP_READABLE | (udp->blocked ? LOOP_WRITABLE : 0));
    return !udp->blocked;
}
