/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host names to addresses without stopping the loop.
 */
#ifndef OS_RESOLVE_H
#define OS_RESOLVE_H

#include "os/loop.h"
#include "os/netif.h"

#include <stddef.h>

enum { RESOLVE_ADDRESSES_MAX = 8 };

/* Looks |name| up and calls |done| once, later: addresses with port 0, or count 0 and words. 0, or
 * -1 when it could not begin (then |done| does not come). */
int resolve_start(struct loop *loop, const char *name,
                  void (*done)(void *context, const struct net_address *addresses, size_t count,
                               const char *error),
                  void *context);

#endif
