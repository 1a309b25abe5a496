/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one UDP socket of a daemon: wildcard, IPv6 with mapped IPv4 (IPv4 alone where the machine has
 * no IPv6). Datagrams go and come in batches, many per system call where the platform can.
 *
 * Sending: ask for a place (udp_place), fill it, udp_add; udp_flush gives the batch to the system.
 * What the system does not take now stays and goes first next time.
 */
#ifndef OS_UDP_H
#define OS_UDP_H

#include "os/loop.h"
#include "os/netif.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UDP_DATAGRAM_BYTES_MAX = 65507,
    UDP_BATCH_MAX = 32,
    UDP_BUFFER_BYTES_WANTED = 8 * 1024 * 1024
};

struct udp_config {
    uint16_t first_port; /* 0 = any; else this, or the next that is free (PVMNETSOCKPORT, ENV-2) */
    bool loopback_only;
};

struct udp;

/* What comes out of the socket. |datagram| may be changed by the callee (decrypted in place). */
struct udp_handler {
    void *context;
    void (*datagram)(void *context, const struct net_address *from, uint8_t *bytes, size_t length);
    void (*unreachable)(void *context, const struct net_address *to);
};

/* NULL with words at |error|. */
struct udp *udp_open(const struct udp_config *config, char *error, size_t error_bytes);
void udp_close(struct udp *udp);
/* Reports datagrams as they come while |loop| runs. 0 or -1. |on_ready| runs once after each batch,
 * and when the socket takes datagrams again. */
int udp_start(struct udp *udp, struct loop *loop, const struct udp_handler *handler,
              void (*on_ready)(void *context));
int udp_fd(const struct udp *udp);
uint16_t udp_port(const struct udp *udp);
/* SO_RCVBUF as the system really gave it. */
size_t udp_receive_buffer_bytes(const struct udp *udp);

/* Room for one datagram, or NULL when the batch is full (flush first) or the socket is blocked. */
uint8_t *udp_place(struct udp *udp);
/* The datagram written to the place goes |to|. */
void udp_add(struct udp *udp, const struct net_address *to, size_t length);
/* True when all is out; false: the system takes no more for now, on_ready will come. */
bool udp_flush(struct udp *udp);

#endif
