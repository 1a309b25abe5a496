/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assertions that stay on in release builds, and the few macros every layer uses.
 *
 * CHECK() is for our own mistakes only. What comes from outside (bytes of a peer, a full disk, no
 * memory) is a value that the caller handles, never an assertion.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

/* Ends the process by abort() when |cond| is false; the handler below may say where first. */
#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))

/* Called once before abort(): programs set it to print; the pure layers print nothing. */
typedef void (*check_handler_f)(const char *condition, const char *file, int line);
void check_set_handler(check_handler_f handler);

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void check_failed(const char *condition, const char *file, int line);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of |type| whose field |member| is at |ptr|. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#if defined(__GNUC__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PRINTF_LIKE(fmt, args)
#endif

#endif
