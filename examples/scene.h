/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The picture that the workers of picture.c compute: glass-like balls over a chequered floor, by
 * ray tracing. Nothing of PVM in here: a tile is a function of its place, so any worker may compute
 * it, and computing it twice gives the same bytes.
 */
#ifndef EXAMPLES_SCENE_H
#define EXAMPLES_SCENE_H

struct tile {
    int x, y, width, height;
};

/* Fills |rgb| (3 bytes a pixel, rows from the top) with this part of a picture of |width| by
 * |height|. Each pixel is the mean of |samples| rays; the time is proportional to it. */
void scene_render(int width, int height, int samples, struct tile tile, unsigned char *rgb);

#endif
