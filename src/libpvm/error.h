/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a public call reports: the code is returned, kept, and printed as the option PvmAutoErr says
 * (surface CONV-3, CONV-4). It is kept for the thread that made the call: the main thread's is
 * pvm_errno, which programs read and write; pvm_perror() and pvm_strerror() speak of the caller's.
 */
#ifndef LIBPVM_ERROR_H
#define LIBPVM_ERROR_H

#include "base/check.h"

/* An error |code| of |call| is kept and printed. Returns it; or does not return, as PvmAutoErr
 * says, so no call does this with the lock held. Exported by the original. */
int lpvmerr(const char *call, int code);
/* |status| as it is when 0 or positive; an error is kept and printed with the name of the call. */
static inline int result(const char *call, int status)
{
    return status < 0 ? lpvmerr(call, status) : status;
}
/* An error is kept but not printed (CONV-5). */
int result_quiet(int status);
/* One line to stderr about a step that failed, whatever PvmAutoErr says (CONV-7). */
void note(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
