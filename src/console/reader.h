/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines from a descriptor, without ever blocking between the parts of one: the caller waits, then
 * fills.
 */
#ifndef CONSOLE_READER_H
#define CONSOLE_READER_H

#include "console/line.h"

#include <stdbool.h>
#include <stddef.h>

struct reader {
    int fd;
    bool at_end;
    bool skipping; /* inside a line that was too long */
    size_t start;
    size_t end;
    char bytes[LINE_BYTES_MAX + 2]; /* with newline and the final NUL */
};

enum reader_result {
    READER_LINE,
    READER_MORE,     /* nothing whole is there: wait until |fd| is readable, then reader_fill() */
    READER_TOO_LONG, /* a line over LINE_BYTES_MAX was dropped */
    READER_END
};

void reader_init(struct reader *reader, int fd);
/* READER_LINE sets *line: without its newline, valid until the next call. A last line needs no
 * newline. */
enum reader_result reader_next(struct reader *reader, char **line);
/* One read(2). An error counts as the end. */
void reader_fill(struct reader *reader);

#endif
