/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounded strings. Every function ends its result with NUL and never writes past the size given.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Formats into |dst|; returns the length written (cut to fit, never negative). */
size_t str_format(char *dst, size_t size_bytes, const char *format, ...) PRINTF_LIKE(3, 4);
size_t str_format_args(char *dst, size_t size_bytes, const char *format, va_list args);
/* Copies; returns 0, or -1 when |src| did not fit (dst then holds the cut copy). */
int str_copy(char *dst, size_t size_bytes, const char *src);
int str_equal(const char *a, const char *b);
int str_has_prefix(const char *text, const char *prefix);
/* Whole decimal, 0x hex or 0 octal number. Returns 0, or -1 when |text| is anything else. */
int str_to_i64(const char *text, int64_t *value);
/* |size_bytes| bytes as lower-case hex; |dst| holds 2 * size_bytes + 1. */
void str_to_hex(char *dst, const uint8_t *bytes, size_t size_bytes);
/* Exactly |size_bytes| bytes from 2 * size_bytes hex digits at |text|; digits may be followed by
 * anything. Returns 0 or -1. */
int str_from_hex(uint8_t *bytes, size_t size_bytes, const char *text);

/* A string that grows. After a failed append |failed| stays set and the text is what came
 * before. */
struct strbuf {
    char *text; /* NUL-terminated once anything was appended; NULL before */
    size_t length;
    size_t capacity;
    int failed; /* no memory */
};

void strbuf_init(struct strbuf *sb);
void strbuf_fini(struct strbuf *sb);
void strbuf_add(struct strbuf *sb, const char *text, size_t length);
void strbuf_addf(struct strbuf *sb, const char *format, ...) PRINTF_LIKE(2, 3);
/* The text so far, "" when nothing was appended. Valid until the next change. */
const char *strbuf_text(const struct strbuf *sb);

#endif
