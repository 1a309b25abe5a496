/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network addresses: the shape the os layer uses, the addresses of this machine, names looked up.
 */
#ifndef OS_NETIF_H
#define OS_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct sockaddr_storage;

/* IPv6, or IPv4 mapped into it (RFC 4291 section 2.5.5.2). */
struct net_address {
    uint8_t ip[16];
    uint16_t port; /* host byte order */
    uint32_t scope_id;
};

/* 0, or -1 when it is neither IPv4 nor IPv6. */
int net_address_from_socket(struct net_address *address, const struct sockaddr *from);
/* Fills a sockaddr of |family| (AF_INET6, or AF_INET for mapped ones); returns its length, 0 when
 * the address does not fit the family. */
size_t net_address_to_socket(const struct net_address *address, int family,
                             struct sockaddr_storage *to);
bool net_address_is_loopback(const struct net_address *address);
bool net_address_is_mapped(const struct net_address *address);
/* "10.0.0.7", "fe80::1": for messages. */
void net_address_text(const struct net_address *address, char *text, size_t size_bytes);

/* Addresses of interfaces that are up, port 0: real ones first (IPv4 before IPv6), loopback last;
 * link-local ones are left out, since they mean nothing to another host. Returns how many, at most
 * |count_max|. */
size_t netif_list(struct net_address *addresses, size_t count_max);
/* Is this one of our own addresses (any 127.x included)? */
bool netif_is_own(const struct net_address *address);

#endif
