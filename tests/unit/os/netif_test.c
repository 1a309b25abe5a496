/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of this machine. */
#include "os/netif.h"

#include "tap.h"

#include <netinet/in.h>
#include <sys/socket.h>

int main(void)
{
    struct net_address list[8], loopback = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    struct net_address far = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1}, .port = 5};
    size_t count = netif_list(list, 8);
    OK(count >= 1, "a machine has an address");
    OK(net_address_is_loopback(&list[count - 1]), "the last one is loopback");
    bool own = true, real_first = true;
    for (size_t i = 0; i < count; i++) {
        own = own && netif_is_own(&list[i]);
        if (i > 0 && net_address_is_loopback(&list[i - 1]) && !net_address_is_loopback(&list[i]))
            real_first = false;
    }
    OK(own, "each is our own");
    OK(real_first, "real ones come before loopback");
    EQUAL(netif_list(list, 1), 1, "a short list is filled and not overrun");
    OK(netif_is_own(&loopback), "127.0.0.1 is our own");
    OK(!netif_is_own(&far), "an address of the documentation is not");
    char text[64];
    net_address_text(&far, text, sizeof(text));
    SAME_TEXT(text, "192.0.2.1", "mapped addresses are shown as IPv4");

    struct sockaddr_storage socket_address;
    EQUAL(net_address_to_socket(&far, AF_INET, &socket_address), sizeof(struct sockaddr_in),
          "to an IPv4 socket");
    struct net_address back;
    EQUAL(net_address_from_socket(&back, (struct sockaddr *)&socket_address), 0, "and back");
    OK(memcmp(&back, &far, sizeof(far)) == 0, "unchanged");
    EQUAL(net_address_to_socket(&far, AF_INET6, &socket_address), sizeof(struct sockaddr_in6),
          "to an IPv6 socket");
    net_address_from_socket(&back, (struct sockaddr *)&socket_address);
    OK(memcmp(&back, &far, sizeof(far)) == 0, "and back unchanged");
    struct net_address six = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    EQUAL(net_address_to_socket(&six, AF_INET, &socket_address), 0,
          "an IPv6 address does not go through an IPv4 socket");
    socket_address.ss_family = AF_UNIX;
    EQUAL(net_address_from_socket(&back, (struct sockaddr *)&socket_address), -1,
          "other families are refused");
    return tap_done();
}
