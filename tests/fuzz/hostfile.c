/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes the reader of hostfiles: every line is a host, an error with its place, or nothing.
 */
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/hostfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines_logged;

static void count_line(void *context, enum log_level level, const char *line)
{
    (void)context;
    (void)level;
    CHECK(str_has_prefix(line, "file:"));
    lines_logged++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct log_sink sink = {count_line, NULL, LOG_LEVEL_WARN};
    struct hostfile hostfile;
    struct host_spec spec;
    char error[256];
    char *text = mem_strndup((const char *)data, size);
    lines_logged = 0;
    hostfile_init(&hostfile);
    CHECK(hostfile_read(&hostfile, "file", text, &sink) == 0);
    CHECK(lines_logged == hostfile.errors);
    for (size_t i = 0; i < hostfile.count; i++)
        CHECK(hostfile.specs[i].name && *hostfile.specs[i].name);
    hostfile_fini(&hostfile);
    if (host_spec_parse(text, false, &spec, error, sizeof(error)) == 0) {
        CHECK(!spec.deferred && !spec.duplicate_allowed);
        host_spec_fini(&spec);
    }
    mem_free(text);
    return 0;
}
