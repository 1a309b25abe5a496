/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's log: see the header. */
#include "os/logfile.h"

#include "base/str.h"
#include "os/clock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Writes all, or says why not; a partial line counts as failed. */
static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

static void say_on_stderr(const char *text, size_t length)
{
    (void)!write_all(STDERR_FILENO, text, length); /* nobody is left to be told */
}

static void logfile_put(struct logfile *logfile, const char *line, size_t length)
{
    if (write_all(logfile->fd, line, length) == 0) {
        logfile->bytes += length;
        logfile->failing = false;
        return;
    }
    logfile->lines_lost++;
    if (logfile->failing)
        return;
    logfile->failing = true;
    char text[256];
    size_t text_length = str_format(text, sizeof(text),
                                    "pvmd: cannot write the log: %s; going on without it\n",
                                    strerror(errno));
    say_on_stderr(text, text_length);
}

static size_t line_format(const struct logfile *logfile, char *line, size_t size_bytes,
                          const char *text)
{
    char stamp[32];
    clock_stamp(stamp, sizeof(stamp));
    size_t length = str_format(line, size_bytes - 1, "[%s] %s %s", logfile->who, stamp, text);
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\n') /* one event is one line, whatever a task or a network said */
            line[i] = ' ';
    line[length++] = '\n';
    return length;
}

static void logfile_write(void *context, enum log_level level, const char *text)
{
    struct logfile *logfile = context;
    char line[LOG_LINE_BYTES_MAX + 64];
    size_t length = line_format(logfile, line, sizeof(line), text);
    if (logfile->echo && level <= LOG_LEVEL_WARN)
        say_on_stderr(line, length);
    if (logfile->fd < 0 || logfile->truncated) {
        logfile->lines_lost++;
        return;
    }
    if (logfile->bytes + length > logfile->bytes_max) {
        logfile->truncated = true;
        length = line_format(logfile, line, sizeof(line),
                             "log: size limit reached (PVMDLOGMAX), nothing more is written");
    }
    logfile_put(logfile, line, length);
}

void logfile_init(struct logfile *logfile, enum log_level level, uint64_t bytes_max, bool echo)
{
    *logfile = (struct logfile){.fd = -1, .bytes_max = bytes_max, .echo = echo};
    logfile->sink = (struct log_sink){.write = logfile_write, .context = logfile, .level = level};
    str_format(logfile->who, sizeof(logfile->who), "pvmd pid%ld", (long)getpid());
}

void logfile_attach(struct logfile *logfile, int fd)
{
    logfile->fd = fd;
}

void logfile_set_tid(struct logfile *logfile, uint32_t tid)
{
    str_format(logfile->who, sizeof(logfile->who), "t%x", tid);
}

void logfile_fini(struct logfile *logfile)
{
    if (logfile->fd >= 0)
        close(logfile->fd);
    logfile->fd = -1;
}
