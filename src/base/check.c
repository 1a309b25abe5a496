/* SPDX-License-Identifier: BSD-3-Clause */
/* Assertions that stay on: see the header. */
#include "base/check.h"

#include <stdlib.h>

static check_handler_f check_handler;

void check_set_handler(check_handler_f handler)
{
    check_handler = handler;
}

void check_failed(const char *condition, const char *file, int line)
{
    if (check_handler)
        check_handler(condition, file, line);
    abort();
}
