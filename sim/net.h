/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated datagram network: paths between places that lose, delay, reorder, duplicate or are
 * cut, and at each daemon's socket a receive buffer that overflows as the kernel's does.
 *
 * A place is a machine, named by the host's name: a host that leaves and comes back under its name
 * is in the same place, with another port. Paths are directed. Whether something passes from one
 * place to another is decided by the path (cut, clogged), by the sides of a partition that both are
 * on, and by whether one of them is cut off from everybody.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "base/list.h"
#include "base/map.h"
#include "link/mesh.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_host;
struct sim_world;

/* One direction between two places. */
struct sim_path {
    bool cut;
    uint64_t cut_until_ns;     /* so long nothing passes, */
    uint64_t clogged_until_ns; /* so long nothing arrives, then everything */
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;  /* so many arrive with a bit or two changed */
    uint32_t burst_ppm;    /* this part of the time, in pieces of |burst_ns|, loses everything */
    uint64_t burst_ns;
    uint32_t reorder_ppm;  /* so many datagrams come |reorder_ns| later than they should */
    uint64_t reorder_ns;
    uint64_t delay_ns;
    uint64_t jitter_ns;    /* uniform, added to the delay */
};

struct sim_net_counters {
    uint64_t sent, lost, cut, duplicated, reordered, corrupted, overflowed, nowhere, received;
    uint64_t sent_bytes;
};

/* A machine, as the network sees it. */
struct sim_place {
    uint32_t number;
    uint32_t side;        /* of a partition; 0 = of none */
    bool isolated;
    uint64_t dark_until_ns; /* isolated until then */
    uint16_t port_last;
    char name[64];
};

struct sim_net {
    struct sim_path standard;   /* of every path without settings of its own */
    struct map paths;           /* (from place, to place) -> struct sim_path, owned */
    struct map sockets;         /* address -> struct sim_host */
    struct map places;          /* hash of the name -> struct sim_place, owned; in the order of
                                   their numbers */
    uint32_t sides;             /* of the partition there is; 0 = none */
    uint16_t port_next;
    uint64_t changed_ns;        /* when a way was cut or given back last */
    struct sim_net_counters counters;
};

/* What Linux charges a receive buffer for a datagram (skb->truesize): the sk_buff, and headers,
 * bytes and shared info rounded up to the slab they are in. */
size_t sim_datagram_charge(size_t length);

/* The kernel's buffer of one UDP socket. */
struct sim_socket {
    struct list datagrams;
    size_t used_bytes;
    size_t count;
    uint64_t overflowed;
    uint64_t sent;     /* datagrams of its own, */
    uint64_t received; /* and those it read */
    size_t used_bytes_max;
};

void sim_net_init(struct sim_net *net);
void sim_net_fini(struct sim_net *net);
/* The number of the place called |name| (1..), made when it is new. Without memory 0. */
uint32_t sim_net_place(struct sim_net *net, const char *name);
/* 10.x.y.z of a place, as a mapped IPv6 address. */
void sim_net_address(uint32_t place, uint8_t ip[16]);
/* The settings of a path for changing, made when it has none of its own; NULL without memory. */
struct sim_path *sim_net_path(struct sim_net *net, uint32_t from, uint32_t to);
/* The place of that number. */
struct sim_place *sim_net_place_of(const struct sim_net *net, uint32_t number);
/* All paths are as the standard one again, and that loses nothing. */
void sim_net_heal(struct sim_net *net, uint64_t now_ns);
/* Something sent from one place now may arrive at the other. */
bool sim_net_passes(const struct sim_net *net, uint32_t from, uint32_t to, uint64_t now_ns);
/* A port for a new daemon at that address: the last one there had, or a fresh one. */
uint16_t sim_net_port(struct sim_net *net, const uint8_t ip[16], bool same_again);
/* From now on |host| is seen under another port, and under another address if |moves|; it does not
 * know. 0, -1 without memory. */
int sim_net_rebind(struct sim_world *world, struct sim_host *host, bool moves);

int sim_net_bind(struct sim_net *net, const struct mesh_address *address, struct sim_host *host);
void sim_net_unbind(struct sim_net *net, const struct mesh_address *address);
/* Sends a copy of the datagram on its way. */
void sim_net_send(struct sim_world *world, struct sim_host *from, const struct mesh_address *to,
                  const uint8_t *bytes, size_t length);

/* The receiving end: the oldest datagram in the buffer goes to |receive|. False when it is
 * empty. */
bool sim_socket_read(struct sim_world *world, struct sim_host *host);
void sim_socket_init(struct sim_socket *socket);
void sim_socket_fini(struct sim_socket *socket);

#endif
