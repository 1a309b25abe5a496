/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a public call reports: the code is returned, kept in pvm_errno, and printed as the option
 * PvmAutoErr says (surface CONV-3, CONV-4).
 */
#ifndef LIBPVM_ERROR_H
#define LIBPVM_ERROR_H

#include "base/check.h"

/* |status| as it is when 0 or positive; an error is kept and printed with the name of the call. */
int result(const char *call, int status);
/* An error is kept but not printed (CONV-5). */
int result_quiet(int status);
/* One line to stderr about a step that failed, whatever PvmAutoErr says (CONV-7). */
void note(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
