/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole hostfile (items HF-1..HF-8 of the surface): which hosts to start, what to remember of
 * others, and the defaults for all that is not in it. One line: core/hostspec.h.
 */
#ifndef CORE_HOSTFILE_H
#define CORE_HOSTFILE_H

#include "base/log.h"
#include "core/hostspec.h"

#include <stddef.h>

enum {
    HOSTFILE_LINES_MAX = 65536,
    HOSTFILE_HOSTS_MAX = 4095,
    HOSTFILE_BYTES_MAX = 4 * 1024 * 1024
};

struct hostfile {
    struct host_spec *specs; /* in the order of the file, each with the defaults that held there */
    size_t count;
    size_t capacity;
    struct host_spec defaults; /* of the last line with a `*` */
    size_t errors;             /* lines left out */
};

void hostfile_init(struct hostfile *hostfile);
void hostfile_fini(struct hostfile *hostfile);
/* Reads |text|; a line that cannot be is left out and logged as `name:line: why`. 0, or -1 without
 * memory (then |hostfile| is empty). */
int hostfile_read(struct hostfile *hostfile, const char *name, const char *text,
                  const struct log_sink *log);
/* What the file says of |name|, or NULL. */
const struct host_spec *hostfile_find(const struct hostfile *hostfile, const char *name);
/* Completes a host that is added later: from its line when it has one, else from the defaults
 * (HF-3, HF-4). 0, or -1 without memory. */
int hostfile_complete(const struct hostfile *hostfile, struct host_spec *spec);
/* The settings of the master itself: its own line, else the defaults (HF-6). */
const struct host_spec *hostfile_own(const struct hostfile *hostfile, const char *name);

#endif
