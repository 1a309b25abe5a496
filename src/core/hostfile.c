/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole hostfiles: see the header. */
#include "core/hostfile.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#include <string.h>

enum { ERROR_BYTES = 256 };

/* Where the reader is. */
struct place {
    const char *name;
    unsigned line;
    const struct log_sink *log;
};

void hostfile_init(struct hostfile *hostfile)
{
    *hostfile = (struct hostfile){0};
    host_spec_init(&hostfile->defaults);
}

void hostfile_fini(struct hostfile *hostfile)
{
    for (size_t i = 0; i < hostfile->count; i++)
        host_spec_fini(&hostfile->specs[i]);
    mem_free(hostfile->specs);
    host_spec_fini(&hostfile->defaults);
    hostfile_init(hostfile);
}

static void leave_out(struct hostfile *hostfile, const struct place *place, const char *why)
{
    hostfile->errors++;
    log_line(place->log, LOG_LEVEL_WARN, "%s:%u: %s", place->name, place->line, why);
}

/* Takes over |spec|. */
static int take_spec(struct hostfile *hostfile, const struct place *place, struct host_spec *spec)
{
    if (str_equal(spec->name, "*")) {
        host_spec_fini(&hostfile->defaults);
        hostfile->defaults = *spec;
        return 0;
    }
    if (hostfile->count >= HOSTFILE_HOSTS_MAX || hostfile_find(hostfile, spec->name)) {
        bool is_full = hostfile->count >= HOSTFILE_HOSTS_MAX;
        if (is_full || !spec->local_count) {
            leave_out(hostfile, place, is_full ? "too many hosts" : "this host is named above");
            host_spec_fini(spec);
            return 0;
        }
    }
    if (host_spec_inherit(spec, &hostfile->defaults) < 0 ||
        mem_grow((void **)&hostfile->specs, &hostfile->capacity, hostfile->count + 1,
                 sizeof(*hostfile->specs)) < 0) {
        host_spec_fini(spec);
        return -1;
    }
    hostfile->specs[hostfile->count++] = *spec;
    return 0;
}

static int read_line(struct hostfile *hostfile, const struct place *place, const char *text,
                     size_t length)
{
    char line[HOST_LINE_BYTES_MAX + 2];
    char error[ERROR_BYTES];
    struct host_spec spec;
    if (length > HOST_LINE_BYTES_MAX || memchr(text, '\0', length)) {
        str_format(error, sizeof(error), "longer than %d bytes", HOST_LINE_BYTES_MAX);
        leave_out(hostfile, place, error);
        return 0;
    }
    str_format(line, sizeof(line), "%.*s", (int)length, text);
    const char *first = line + strspn(line, " \t\r\v\f");
    if (*first == '\0' || *first == '#')
        return 0;
    if (host_spec_parse(line, true, &spec, error, sizeof(error)) < 0) {
        leave_out(hostfile, place, error);
        return 0;
    }
    return take_spec(hostfile, place, &spec);
}

int hostfile_read(struct hostfile *hostfile, const char *name, const char *text,
                  const struct log_sink *log)
{
    struct place place = {.name = name && *name ? name : "hostfile", .line = 1, .log = log};
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (place.line > HOSTFILE_LINES_MAX) {
            leave_out(hostfile, &place, "too many lines: the rest is left out");
            break;
        }
        if (read_line(hostfile, &place, text, length) < 0) {
            hostfile_fini(hostfile);
            return -1;
        }
        text += length + (text[length] == '\n');
        place.line++;
    }
    return 0;
}

const struct host_spec *hostfile_find(const struct hostfile *hostfile, const char *name)
{
    for (size_t i = 0; i < hostfile->count; i++) {
        if (str_equal(hostfile->specs[i].name, name))
            return &hostfile->specs[i];
    }
    return NULL;
}

int hostfile_complete(const struct hostfile *hostfile, struct host_spec *spec)
{
    const struct host_spec *known = hostfile_find(hostfile, spec->name);
    if (known)
        spec->duplicate_allowed |= known->duplicate_allowed;
    return host_spec_inherit(spec, known ? known : &hostfile->defaults);
}

const struct host_spec *hostfile_own(const struct hostfile *hostfile, const char *name)
{
    const struct host_spec *own = hostfile_find(hostfile, name);
    return own ? own : &hostfile->defaults;
}
