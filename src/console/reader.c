/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line buffer over read(2); see reader.h.
 */
#include "console/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void reader_init(struct reader *reader, int fd)
{
    reader->fd = fd;
    reader->at_end = reader->skipping = false;
    reader->start = reader->end = 0;
}

static enum reader_result line_end(struct reader *reader, char *start, char *newline, char **line)
{
    *newline = '\0';
    reader->start = (size_t)(newline - reader->bytes) + 1;
    if (reader->start > reader->end)
        reader->start = reader->end; /* the last line had no newline */
    if (reader->skipping) {
        reader->skipping = false;
        return READER_TOO_LONG;
    }
    *line = start;
    return READER_LINE;
}

enum reader_result reader_next(struct reader *reader, char **line)
{
    char *start = reader->bytes + reader->start;
    const size_t length = reader->end - reader->start;
    char *newline = memchr(start, '\n', length);
    if (newline)
        return line_end(reader, start, newline, line);
    if (reader->at_end)
        return length > 0 || reader->skipping ? line_end(reader, start, start + length, line)
                                              : READER_END;
    if (length > LINE_BYTES_MAX) {
        reader->skipping = true;
        reader->start = reader->end = 0;
    }
    return READER_MORE;
}

void reader_fill(struct reader *reader)
{
    if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    const size_t room = sizeof(reader->bytes) - 1 - reader->end;
    const ssize_t count = read(reader->fd, reader->bytes + reader->end, room);
    if (count > 0)
        reader->end += (size_t)count;
    else if (count == 0 || errno != EINTR)
        reader->at_end = true;
}
