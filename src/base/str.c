/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounded strings: see the header. */
#include "base/str.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t str_format_args(char *dst, size_t size_bytes, const char *format, va_list args)
{
    CHECK(size_bytes > 0);
    int wanted = vsnprintf(dst, size_bytes, format, args);
    if (wanted < 0) {
        dst[0] = '\0';
        return 0;
    }
    return MIN_OF((size_t)wanted, size_bytes - 1);
}

size_t str_format(char *dst, size_t size_bytes, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t length = str_format_args(dst, size_bytes, format, args);
    va_end(args);
    return length;
}

int str_copy(char *dst, size_t size_bytes, const char *src)
{
    size_t length = strlen(src);
    size_t fits = MIN_OF(length, size_bytes - 1);
    memcpy(dst, src, fits);
    dst[fits] = '\0';
    return fits == length ? 0 : -1;
}

int str_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

int str_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int str_to_i64(const char *text, int64_t *value)
{
    if (text[0] == '\0' || text[0] == ' ')
        return -1;
    char *end;
    long long parsed = strtoll(text, &end, 0);
    if (*end != '\0' || end == text)
        return -1;
    *value = parsed;
    return 0;
}

void str_to_hex(char *dst, const uint8_t *bytes, size_t size_bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size_bytes; i++) {
        dst[2 * i] = digits[bytes[i] >> 4];
        dst[2 * i + 1] = digits[bytes[i] & 15];
    }
    dst[2 * size_bytes] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int str_from_hex(uint8_t *bytes, size_t size_bytes, const char *text)
{
    for (size_t i = 0; i < size_bytes; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return -1;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return 0;
}

void strbuf_init(struct strbuf *sb)
{
    *sb = (struct strbuf){0};
}

void strbuf_fini(struct strbuf *sb)
{
    mem_free(sb->text);
    strbuf_init(sb);
}

void strbuf_add(struct strbuf *sb, const char *text, size_t length)
{
    if (sb->failed || mem_grow((void **)&sb->text, &sb->capacity, sb->length + length + 1, 1) < 0) {
        sb->failed = 1;
        return;
    }
    memcpy(sb->text + sb->length, text, length);
    sb->length += length;
    sb->text[sb->length] = '\0';
}

void strbuf_addf(struct strbuf *sb, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0 || sb->failed ||
        mem_grow((void **)&sb->text, &sb->capacity, sb->length + (size_t)wanted + 1, 1) < 0) {
        sb->failed = 1;
    } else {
        vsnprintf(sb->text + sb->length, (size_t)wanted + 1, format, again);
        sb->length += (size_t)wanted;
    }
    va_end(again);
}

const char *strbuf_text(const struct strbuf *sb)
{
    return sb->text ? sb->text : "";
}
