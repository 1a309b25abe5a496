/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's log: `[t80040000] MM/DD HH:MM:SS text`, one line per event (DMN-10).
 *
 * A log never stops a daemon. When lines cannot be written (full disk) one message goes to stderr
 * and work goes on; writing is tried again with the next line. At the size limit one line says so
 * and the rest is dropped.
 */
#ifndef OS_LOGFILE_H
#define OS_LOGFILE_H

#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOGFILE_BYTES_MAX_DEFAULT = 1024 * 1024 };

struct logfile {
    int fd;         /* -1: not open, lines go to stderr only */
    char who[32];   /* "t80040000", or "pvmd pid1234" before the tid is known */
    uint64_t bytes; /* written so far */
    uint64_t bytes_max;
    uint64_t lines_lost;  /* could not be written, or over the limit */
    bool truncated;       /* the limit was reached and said */
    bool failing;         /* a write failed and was said; cleared by the next that works */
    bool echo;            /* errors and warnings to stderr too */
    struct log_sink sink; /* give &logfile.sink to whoever logs */
};

/* Not open yet: what is logged until logfile_open() goes to stderr if |echo|. */
void logfile_init(struct logfile *logfile, enum log_level level, uint64_t bytes_max, bool echo);
/* Takes over |fd|. */
void logfile_attach(struct logfile *logfile, int fd);
void logfile_set_tid(struct logfile *logfile, uint32_t tid);
void logfile_fini(struct logfile *logfile);

#endif
