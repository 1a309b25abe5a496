/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of os/udp.h: many datagrams per system call. Not for users of the socket.
 */
#ifndef OS_UDP_BATCH_H
#define OS_UDP_BATCH_H

#include "os/udp.h"

#include "base/check.h"

#include <sys/socket.h>

enum { UDP_SLOT_BYTES = 64 * 1024 };

struct udp_out {
    struct sockaddr_storage address;
    size_t address_length;
    size_t length;
};

struct udp {
    int fd;
    int family;
    uint16_t port;
    bool blocked;     /* the last send would have blocked */
    bool no_segments; /* UDP_SEGMENT is not there or was refused */
    struct loop_watch *watch;
    struct udp_handler handler;
    void (*on_ready)(void *context);
    size_t out_count;
    struct udp_out out[UDP_BATCH_MAX];
    uint8_t *out_bytes; /* UDP_BATCH_MAX slots */
    uint8_t *in_bytes;  /* UDP_BATCH_MAX slots */
};

/* 0, or -1 without memory. */
int udp_batch_init(struct udp *udp);
void udp_batch_fini(struct udp *udp);
/* Switches on what the platform has: errors of the network, segmentation. */
void udp_batch_prepare_socket(struct udp *udp);
/* Receives one batch into the handler; true when there may be more. */
bool udp_batch_receive(struct udp *udp);
/* Sends what is queued; keeps the rest and sets |blocked| when the socket is full. */
void udp_batch_send(struct udp *udp);

#endif
