/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and hash of a run: see the header. */
#include "sim/trace.h"

#include "base/check.h"

#include <string.h>

enum { LINE_BYTES_MAX = 4096, STORY_BYTES_MAX = 64 * 1024 * 1024 };

static const char *const class_names[SIM_TRACE_CLASSES] = {
#define SIM_TRACE_NAME(name, text) text,
    SIM_TRACE_TABLE(SIM_TRACE_NAME)
#undef SIM_TRACE_NAME
};

void sim_trace_init(struct sim_trace *trace)
{
    *trace = (struct sim_trace){.hash = UINT64_C(14695981039346656037)};
    strbuf_init(&trace->story);
}

void sim_trace_fini(struct sim_trace *trace)
{
    strbuf_fini(&trace->story);
}

void sim_trace_mix(struct sim_trace *trace, uint64_t a, uint64_t b)
{
    /* The finaliser of splitmix64 over the running hash: every bit of the input reaches all
     * others. */
    uint64_t x = trace->hash ^ (a * UINT64_C(0x9e3779b97f4a7c15)) ^
                 (b + UINT64_C(0x632be59bd9b4e019));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    trace->hash = x ^ (x >> 31);
}

void sim_trace_mix_bytes(struct sim_trace *trace, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    uint64_t hash = trace->hash;
    for (; length >= 8; from += 8, length -= 8) {
        uint64_t word = 0; /* of the same value whatever the order of bytes here */
        for (int i = 7; i >= 0; i--)
            word = word << 8 | from[i];
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; length; from++, length--)
        hash = (hash ^ *from) * UINT64_C(1099511628211); /* FNV-1a */
    trace->hash = hash;
}

void sim_trace_line(struct sim_trace *trace, enum sim_trace_class class, uint64_t now_ns,
                    const char *actor, const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    if (!sim_trace_is_hashed(class) && !sim_trace_is_shown(trace, class))
        return;
    size_t length = str_format(line, sizeof(line), "[%6llu.%03u] %-6s ",
                               (unsigned long long)(now_ns / 1000000),
                               (unsigned)(now_ns / 1000 % 1000), actor);
    va_list args;
    va_start(args, format);
    length += str_format_args(line + length, sizeof(line) - length, format, args);
    va_end(args);
    if (sim_trace_is_hashed(class))
        sim_trace_mix_bytes(trace, line, length);
    if (!sim_trace_is_shown(trace, class))
        return;
    if (trace->write) {
        trace->write(trace->context, line);
    } else if (trace->story.length < STORY_BYTES_MAX) {
        strbuf_add(&trace->story, line, length);
        strbuf_add(&trace->story, "\n", 1);
    }
}

void sim_trace_forget(struct sim_trace *trace)
{
    strbuf_fini(&trace->story);
    strbuf_init(&trace->story);
}

int sim_trace_parse(const char *text, uint32_t *shown)
{
    uint32_t bits = 0;
    while (*text) {
        size_t length = strcspn(text, ", ");
        int class = 0;
        while (class < SIM_TRACE_CLASSES && (strlen(class_names[class]) != length ||
                                             memcmp(class_names[class], text, length) != 0))
            class++;
        if (class < SIM_TRACE_CLASSES)
            bits |= UINT32_C(1) << class;
        else if (length == 3 && memcmp(text, "all", 3) == 0)
            bits = (UINT32_C(1) << SIM_TRACE_CLASSES) - 1;
        else if (!(length == 4 && memcmp(text, "none", 4) == 0))
            return -1;
        text += length;
        text += strspn(text, ", ");
    }
    *shown = bits;
    return 0;
}
