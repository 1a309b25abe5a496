/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvm_catchout() (API-35): the daemons send the output of tasks as messages; here they become
 * lines.
 *
 * A message is (tid, length > 0, bytes), (tid, 0) at the end of the output, or (tid, -1 or -2,
 * spawner) when the task was started, from either end of the spawn; INT-11.
 */
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "libpvm/api.h"
#include "libpvm/internal.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <stdio.h>
#include <string.h>

/* pvm3.h says so only to those who included <stdio.h> before it. */
int pvm_catchout(FILE *file);

enum { OUTPUT_END = 0, OUTPUT_SPAWNED = -1, OUTPUT_NEW = -2 };

/* One task whose output comes here. */
struct source {
    int tid;
    bool has_begun;     /* BEGIN was written */
    bool is_spawned;    /* its spawner knows of it */
    bool has_ended;     /* the end of its output came */
    struct strbuf line; /* what has no newline yet */
};

static struct {
    struct map sources; /* by tid */
    FILE *file;         /* NULL until the first pvm_catchout() */
} output;

static struct source *source_get(int tid)
{
    struct source *source = map_get(&output.sources, (uint32_t)tid);
    if (source)
        return source;
    source = mem_calloc(1, sizeof(*source));
    if (!source)
        return NULL;
    source->tid = tid;
    strbuf_init(&source->line);
    if (map_put(&output.sources, (uint32_t)tid, source) < 0) {
        mem_free(source);
        return NULL;
    }
    return source;
}

static void source_destroy(struct source *source)
{
    if (!source)
        return;
    strbuf_fini(&source->line);
    mem_free(source);
}

void output_reset(void)
{
    for (size_t i = 0; i < output.sources.count; i++)
        source_destroy(output.sources.entries[i].value);
    map_fini(&output.sources);
    map_init(&output.sources);
}

bool output_is_expected(void)
{
    return output.sources.count > 0;
}

static void write_mark(const struct source *source, const char *mark)
{
    if (pvmshowtaskid)
        fprintf(output.file, "[t%x] %s\n", (unsigned)source->tid, mark);
}

static void write_line(struct source *source)
{
    if (pvmshowtaskid)
        fprintf(output.file, "[t%x] ", (unsigned)source->tid);
    fwrite(strbuf_text(&source->line), 1, source->line.length, output.file);
    fputc('\n', output.file);
    strbuf_fini(&source->line);
    strbuf_init(&source->line);
}

static void source_begin(struct source *source)
{
    if (!source->has_begun)
        write_mark(source, "BEGIN");
    source->has_begun = true;
}

/* Over when its output has ended and its spawner has said that it was its: the two come by
 * different ways, in any order. */
static void source_check_end(struct source *source)
{
    if (!source->has_ended || !source->is_spawned)
        return;
    write_mark(source, "EOF");
    map_remove(&output.sources, (uint32_t)source->tid);
    source_destroy(source);
}

/* Whole lines are written, the rest is kept for the next piece. */
static void source_text(struct source *source, const char *text, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        const size_t part = newline ? (size_t)(newline - text) : length;
        strbuf_add(&source->line, text, part);
        if (!newline)
            return;
        write_line(source);
        text += part + 1;
        length -= part + 1;
    }
}

static void output_bytes(struct client *client, struct source *source, int length)
{
    char piece[4096];
    while (length > 0) {
        const int part = MIN_OF(length, (int)sizeof(piece));
        if (client_unpack(client, CLIENT_BYTE, piece, part, 1) < 0)
            return;
        source_text(source, piece, (size_t)part);
        length -= part;
    }
}

void output_host_lost(int host)
{
    for (size_t i = output.sources.count; i > 0; i--) {
        struct source *source = output.sources.entries[i - 1].value;
        if ((source->tid & (int)TID_HOST) != host)
            continue;
        if (source->line.length)
            write_line(source);
        source->has_ended = source->is_spawned = true;
        source_check_end(source);
    }
    if (output.file)
        fflush(output.file);
}

void output_message(struct client *client)
{
    int head[2];
    if (!output.file || client_unpack(client, CLIENT_INT, head, 2, 1) < 0)
        return;
    struct source *source = source_get(head[0]);
    if (!source)
        return;
    if (head[1] > 0) {
        output_bytes(client, source, head[1]);
    } else if (head[1] == OUTPUT_END) {
        if (source->line.length)
            write_line(source);
        source->has_ended = true;
    } else {
        source_begin(source);
        if (head[1] == OUTPUT_SPAWNED)
            source->is_spawned = true;
    }
    source_check_end(source);
    fflush(output.file);
}

/* XDR pads each call's bytes to four: pieces of a multiple of four read on where the last ended. */
_Static_assert(4096 % 4 == 0, "see output_bytes()");

static void catch_output(FILE *file)
{
    struct client *client = task_client();
    if (!file) {
        client_setopt(client, PvmOutputTid, 0, NULL);
        return;
    }
    output.file = file;
    client_setopt(client, PvmOutputTid, task_tid(), NULL);
    client_setopt(client, PvmOutputContext, TID_CONTEXT_CONTROL, NULL);
    client_setopt(client, PvmOutputCode, TAG_CONTROL_OUTPUT, NULL);
    data_refresh();
}

/* Without a daemon nothing can be spawned, and so nothing needs to be collected: no error. */
int pvm_catchout(FILE *file)
{
    lock_enter();
    if (task_enrol() == 0)
        catch_output(file);
    lock_leave();
    return 0;
}
