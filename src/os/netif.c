/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of this machine: see the header. getifaddrs(3) is on every system we know. */
#include "os/netif.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int net_address_from_socket(struct net_address *address, const struct sockaddr *from)
{
    *address = (struct net_address){0};
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
        memcpy(address->ip, mapped_prefix, sizeof(mapped_prefix));
        memcpy(address->ip + 12, &in->sin_addr, 4);
        address->port = ntohs(in->sin_port);
        return 0;
    }
    if (from->sa_family != AF_INET6)
        return -1;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
    memcpy(address->ip, &in6->sin6_addr, 16);
    address->port = ntohs(in6->sin6_port);
    address->scope_id = in6->sin6_scope_id;
    return 0;
}

size_t net_address_to_socket(const struct net_address *address, int family,
                             struct sockaddr_storage *to)
{
    if (family == AF_INET6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(address->port),
                                   .sin6_scope_id = address->scope_id};
        memcpy(&in6.sin6_addr, address->ip, 16);
        memcpy(to, &in6, sizeof(in6));
        return sizeof(in6);
    }
    if (!net_address_is_mapped(address))
        return 0;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&in.sin_addr, address->ip + 12, 4);
    memcpy(to, &in, sizeof(in));
    return sizeof(in);
}

bool net_address_is_mapped(const struct net_address *address)
{
    return memcmp(address->ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool net_address_is_loopback(const struct net_address *address)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return (net_address_is_mapped(address) && address->ip[12] == 127) ||
           memcmp(address->ip, loopback6, 16) == 0;
}

static bool is_link_local(const struct net_address *address)
{
    if (net_address_is_mapped(address))
        return address->ip[12] == 169 && address->ip[13] == 254;
    return address->ip[0] == 0xfe && (address->ip[1] & 0xc0) == 0x80;
}

void net_address_text(const struct net_address *address, char *text, size_t size_bytes)
{
    bool mapped = net_address_is_mapped(address);
    const void *ip = mapped ? address->ip + 12 : address->ip;
    if (!inet_ntop(mapped ? AF_INET : AF_INET6, ip, text, (socklen_t)size_bytes))
        str_copy(text, size_bytes, "?");
}

/* Order of preference; -1 = not to be offered. */
static int rank_of(const struct net_address *address)
{
    if (net_address_is_loopback(address))
        return net_address_is_mapped(address) ? 2 : 3;
    if (is_link_local(address))
        return -1;
    return net_address_is_mapped(address) ? 0 : 1;
}

static size_t collect_rank(const struct ifaddrs *list, int rank, struct net_address *addresses,
                           size_t count, size_t count_max)
{
    for (const struct ifaddrs *at = list; at && count < count_max; at = at->ifa_next) {
        struct net_address address;
        if (!at->ifa_addr || !(at->ifa_flags & IFF_UP) ||
            net_address_from_socket(&address, at->ifa_addr) < 0 || rank_of(&address) != rank)
            continue;
        address.port = 0;
        address.scope_id = 0;
        addresses[count++] = address;
    }
    return count;
}

size_t netif_list(struct net_address *addresses, size_t count_max)
{
    struct ifaddrs *list;
    size_t count = 0;
    if (getifaddrs(&list) < 0)
        return 0;
    for (int rank = 0; rank <= 3; rank++) {
        /* One place is kept for loopback: two daemons of one machine always have that. */
        size_t limit = rank < 2 && count_max > 1 ? count_max - 1 : count_max;
        count = collect_rank(list, rank, addresses, count, limit);
    }
    freeifaddrs(list);
    return count;
}

bool netif_is_own(const struct net_address *address)
{
    if (net_address_is_loopback(address))
        return true;
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
        struct net_address own;
        found = at->ifa_addr && net_address_from_socket(&own, at->ifa_addr) == 0 &&
                memcmp(own.ip, address->ip, 16) == 0;
    }
    freeifaddrs(list);
    return found;
}
