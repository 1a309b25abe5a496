/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Levelled log lines to a sink that the program supplies. No clock and no file here: the sink adds
 * time and place. One line per event, subject first: `host "node7": removed, no answer for 5.0 s`.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/check.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE
};

enum { LOG_LINE_BYTES_MAX = 1024 };

struct log_sink {
    void (*write)(void *context, enum log_level level, const char *line);
    void *context;
    enum log_level level; /* lines above this level are not even formatted */
};

/* |sink| may be NULL: nothing is logged. The line carries no newline. */
void log_line(const struct log_sink *sink, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* "error", "warn", ...; and back: returns 0 or -1. */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *name, enum log_level *level);

#endif
