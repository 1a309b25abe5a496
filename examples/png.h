/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a picture as PNG (RFC 2083) without compressing it, so that it needs no library. */
#ifndef EXAMPLES_PNG_H
#define EXAMPLES_PNG_H

/* |rgb|: 3 bytes a pixel, rows from the top. 0, or -1 with the reason in errno. */
int png_write(const char *name, int width, int height, const unsigned char *rgb);

#endif
