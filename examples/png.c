/* SPDX-License-Identifier: BSD-3-Clause */
/* A PNG of stored blocks: see the header. Chunks: RFC 2083 section 3; stored deflate blocks: RFC
 * 1951 section 3.2.4, within a zlib stream, RFC 1950. */
#include "png.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MAX = 65535 };

struct chunk {
    FILE *file;
    uint32_t crc;
};

static uint32_t crc_add(uint32_t crc, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? UINT32_C(0xedb88320) ^ (crc >> 1) : crc >> 1;
    }
    return crc;
}

static void write_u32(FILE *file, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 8), (unsigned char)value};
    fwrite(bytes, 1, 4, file);
}

static void chunk_add(struct chunk *chunk, const void *bytes, size_t length)
{
    fwrite(bytes, 1, length, chunk->file);
    chunk->crc = crc_add(chunk->crc, bytes, length);
}

static struct chunk chunk_begin(FILE *file, const char *type, size_t length)
{
    struct chunk chunk = {file, UINT32_C(0xffffffff)};
    write_u32(file, (uint32_t)length);
    chunk_add(&chunk, type, 4);
    return chunk;
}

static void chunk_end(struct chunk *chunk)
{
    write_u32(chunk->file, ~chunk->crc);
}

static void write_header(FILE *file, int width, int height)
{
    unsigned char header[13] = {0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0}; /* 8 bits, RGB */
    for (int i = 0; i < 4; i++) {
        header[i] = (unsigned char)(width >> (24 - 8 * i));
        header[4 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
    struct chunk chunk = chunk_begin(file, "IHDR", sizeof(header));
    chunk_add(&chunk, header, sizeof(header));
    chunk_end(&chunk);
}

/* The rows, each after its filter byte 0 ("none"). */
static unsigned char *filtered_rows(int width, int height, const unsigned char *rgb)
{
    size_t row_bytes = (size_t)width * 3;
    unsigned char *rows = malloc((row_bytes + 1) * (size_t)height);
    for (int y = 0; rows && y < height; y++) {
        rows[(size_t)y * (row_bytes + 1)] = 0;
        memcpy(rows + (size_t)y * (row_bytes + 1) + 1, rgb + (size_t)y * row_bytes, row_bytes);
    }
    return rows;
}

static uint32_t adler(const unsigned char *bytes, size_t length)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < length; i++) {
        a = (a + bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void write_rows(FILE *file, const unsigned char *rows, size_t length)
{
    size_t blocks = (length + BLOCK_BYTES_MAX - 1) / BLOCK_BYTES_MAX;
    struct chunk chunk = chunk_begin(file, "IDAT", 2 + blocks * 5 + length + 4);
    chunk_add(&chunk, "\x78\x01", 2);
    for (size_t at = 0; at < length;) {
        size_t part = length - at < BLOCK_BYTES_MAX ? length - at : BLOCK_BYTES_MAX;
        unsigned char head[5] = {at + part == length, (unsigned char)part,
                                 (unsigned char)(part >> 8), (unsigned char)~part,
                                 (unsigned char)(~part >> 8)};
        chunk_add(&chunk, head, sizeof(head));
        chunk_add(&chunk, rows + at, part);
        at += part;
    }
    uint32_t sum = adler(rows, length);
    unsigned char tail[4] = {(unsigned char)(sum >> 24), (unsigned char)(sum >> 16),
                             (unsigned char)(sum >> 8), (unsigned char)sum};
    chunk_add(&chunk, tail, sizeof(tail));
    chunk_end(&chunk);
}

int png_write(const char *name, int width, int height, const unsigned char *rgb)
{
    FILE *file = fopen(name, "wb");
    if (!file)
        return -1;
    unsigned char *rows = filtered_rows(width, height, rgb);
    if (!rows) {
        fclose(file);
        return -1;
    }
    write_header(file, width, height);
    write_rows(file, rows, ((size_t)width * 3 + 1) * (size_t)height);
    struct chunk end = chunk_begin(file, "IEND", 0);
    chunk_end(&end);
    free(rows);
    int failed = ferror(file);
    return fclose(file) != 0 || failed ? -1 : 0;
}
