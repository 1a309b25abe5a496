/* SPDX-License-Identifier: BSD-3-Clause */
/* Names to addresses by libuv's threads: see the header. */
#include "os/resolve.h"

#include "base/mem.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

struct resolve {
    uv_getaddrinfo_t request;
    void (*done)(void *context, const struct net_address *addresses, size_t count,
                 const char *error);
    void *context;
};

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct resolve *resolve = request->data;
    struct net_address addresses[RESOLVE_ADDRESSES_MAX];
    size_t count = 0;
    for (const struct addrinfo *at = status == 0 ? list : NULL; at; at = at->ai_next)
        if (count < RESOLVE_ADDRESSES_MAX &&
            net_address_from_socket(&addresses[count], at->ai_addr) == 0)
            count++;
    const char *error = status < 0 ? uv_strerror(status) : count ? NULL : "has no address";
    resolve->done(resolve->context, addresses, count, error);
    uv_freeaddrinfo(list);
    mem_free(resolve);
}

int resolve_start(struct loop *loop, const char *name,
                  void (*done)(void *context, const struct net_address *addresses, size_t count,
                               const char *error),
                  void *context)
{
    struct resolve *resolve = mem_calloc(1, sizeof(*resolve));
    if (!resolve)
        return -1;
    resolve->request.data = resolve;
    resolve->done = done;
    resolve->context = context;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    /* Names of the loopback address must do on a machine without a network. */
    if (strcmp(name, "localhost") == 0)
        hints.ai_flags = 0;
    if (uv_getaddrinfo(loop_native(loop), &resolve->request, resolved, name, NULL, &hints) == 0)
        return 0;
    mem_free(resolve);
    return -1;
}
