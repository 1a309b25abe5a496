/* SPDX-License-Identifier: BSD-3-Clause */
/* Levelled log lines: see the header. */
#include "base/log.h"

#include "base/str.h"

#include <stdarg.h>

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

void log_line(const struct log_sink *sink, enum log_level level, const char *format, ...)
{
    if (!sink || !sink->write || level > sink->level)
        return;
    char line[LOG_LINE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    str_format_args(line, sizeof(line), format, args);
    va_end(args);
    sink->write(sink->context, level, line);
}

const char *log_level_name(enum log_level level)
{
    CHECK((size_t)level < ARRAY_LEN(level_names));
    return level_names[level];
}

int log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_equal(name, level_names[i])) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}
