/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How every public call begins and ends: the lock round it (libpvm/lock.h), and its result, which
 * is reported when the lock is free again, since reporting may end the program.
 *
 *     lock_enter();
 *     return api_leave("pvm_send", send_message(tid, tag));
 */
#ifndef LIBPVM_API_H
#define LIBPVM_API_H

#include "libpvm/error.h"
#include "libpvm/lock.h"
#include "libpvm/task.h"

/* Leaves the lock and reports |status|; returns it. */
static inline int api_leave(const char *call, int status)
{
    lock_leave();
    return result(call, status);
}

/* Memory of a call's result, empty, valid until the same thread's next call of it (CONV-11). */
struct arena *api_memory(enum lock_result result);

/* The body of a call that needs no daemon, and may be the first one of the program. |expression|
 * uses |client|. */
#define API_CLIENT_CALL(call, expression)                                                          \
    lock_enter();                                                                                  \
    struct client *client = task_client();                                                         \
    return api_leave(call, client ? (expression) : PvmNoMem)

#endif
