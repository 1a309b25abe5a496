/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small ray tracer: see the header. Follows one ray from the eye through mirrors to a light that
 * is a disc, so that shadows are soft; chance comes from a generator seeded by the pixel.
 */
#include "scene.h"

#include <math.h>
#include <stdint.h>

#define BALLS ((int)(sizeof(balls) / sizeof(balls[0])))
enum { BOUNCES_MAX = 6 };
static const double FAR_AWAY = 1e30;
static const double NEAR = 1e-6;

struct vec {
    double x, y, z;
};

struct ball {
    struct vec centre;
    double radius;
    struct vec colour;
    double mirror; /* share of the light that is reflected */
};

static const struct ball balls[] = {
    {{0.0, 1.0, 0.0}, 1.0, {0.95, 0.95, 0.97}, 0.75},
    {{-2.1, 0.8, 0.9}, 0.8, {0.90, 0.25, 0.20}, 0.20},
    {{2.0, 0.7, 0.7}, 0.7, {0.20, 0.45, 0.90}, 0.25},
    {{0.8, 0.35, 1.9}, 0.35, {0.95, 0.75, 0.20}, 0.35},
    {{-0.8, 0.3, 2.0}, 0.3, {0.30, 0.80, 0.35}, 0.15},
    {{-0.1, 0.22, 2.6}, 0.22, {0.85, 0.35, 0.80}, 0.45},
    {{3.6, 1.3, -2.4}, 1.3, {0.60, 0.85, 0.80}, 0.55},
    {{-4.0, 1.5, -2.6}, 1.5, {0.95, 0.90, 0.60}, 0.40},
};
static const struct vec light_centre = {-4.0, 7.0, 5.0};
static const double LIGHT_RADIUS = 1.3;
static const struct vec eye = {0.0, 1.9, 6.5};

static struct vec add(struct vec a, struct vec b)
{
    return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static struct vec subtract(struct vec a, struct vec b)
{
    return (struct vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static struct vec scale(struct vec a, double s)
{
    return (struct vec){a.x * s, a.y * s, a.z * s};
}

static struct vec multiply(struct vec a, struct vec b)
{
    return (struct vec){a.x * b.x, a.y * b.y, a.z * b.z};
}

static double dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct vec unit(struct vec a)
{
    return scale(a, 1.0 / sqrt(dot(a, a)));
}

/* Chance in [0, 1): xorshift64* (Vigna 2014). */
static double chance(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* Distance from |from| along |way| to the ball, or FAR_AWAY. */
static double hit_ball(const struct ball *ball, struct vec from, struct vec way)
{
    struct vec to_centre = subtract(ball->centre, from);
    double along = dot(to_centre, way);
    double rest = ball->radius * ball->radius - (dot(to_centre, to_centre) - along * along);
    if (rest < 0)
        return FAR_AWAY;
    double half = sqrt(rest);
    if (along - half > NEAR)
        return along - half;
    return along + half > NEAR ? along + half : FAR_AWAY;
}

/* The nearest thing on the way: a ball's index, BALLS for the floor, -1 for the sky. */
static int nearest(struct vec from, struct vec way, double *distance)
{
    int found = -1;
    *distance = FAR_AWAY;
    for (int i = 0; i < BALLS; i++) {
        double d = hit_ball(&balls[i], from, way);
        if (d < *distance) {
            *distance = d;
            found = i;
        }
    }
    double floor_distance = way.y < 0 ? -from.y / way.y : FAR_AWAY;
    if (floor_distance > NEAR && floor_distance < *distance) {
        *distance = floor_distance;
        found = BALLS;
    }
    return found;
}

static struct vec sky(struct vec way)
{
    double up = way.y > 0 ? way.y : 0;
    struct vec low = {0.93, 0.90, 0.84};
    struct vec high = {0.25, 0.47, 0.80};
    double share = sqrt(up);
    return add(scale(low, 1 - share), scale(high, share));
}

static struct vec floor_colour(struct vec at)
{
    int odd = ((int)floor(at.x) + (int)floor(at.z)) & 1;
    struct vec light_square = {0.86, 0.84, 0.80};
    struct vec dark_square = {0.20, 0.22, 0.26};
    return odd ? dark_square : light_square;
}

/* How much of the light reaches |at|: one ray to a random point of the disc. */
static double lit(struct vec at, struct vec normal, uint64_t *state)
{
    double angle = 6.283185307179586 * chance(state);
    double out = LIGHT_RADIUS * sqrt(chance(state));
    struct vec goal = add(light_centre, (struct vec){out * cos(angle), 0, out * sin(angle)});
    struct vec way = unit(subtract(goal, at));
    double facing = dot(way, normal);
    if (facing <= 0)
        return 0;
    double distance;
    nearest(add(at, scale(normal, 1e-4)), way, &distance);
    return distance < FAR_AWAY ? 0 : facing;
}

static struct vec trace(struct vec from, struct vec way, uint64_t *state)
{
    struct vec sum = {0, 0, 0};
    struct vec weight = {1, 1, 1};
    for (int bounce = 0; bounce < BOUNCES_MAX; bounce++) {
        double distance;
        int thing = nearest(from, way, &distance);
        if (thing < 0)
            return add(sum, multiply(weight, sky(way)));
        struct vec at = add(from, scale(way, distance));
        int is_floor = thing == BALLS;
        struct vec normal = {0, 1, 0};
        if (!is_floor)
            normal = unit(subtract(at, balls[thing].centre));
        struct vec colour = is_floor ? floor_colour(at) : balls[thing].colour;
        double mirror = is_floor ? 0.08 : balls[thing].mirror;
        double brightness = 0.18 + 0.95 * lit(at, normal, state);
        sum = add(sum, multiply(weight, scale(colour, (1 - mirror) * brightness)));
        weight = scale(multiply(weight, is_floor ? (struct vec){1, 1, 1} : colour), mirror);
        way = unit(subtract(way, scale(normal, 2 * dot(way, normal))));
        from = add(at, scale(normal, 1e-4));
    }
    return sum;
}

static struct vec pixel(int width, int height, int samples, int x, int y)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(y * width + x + 1);
    struct vec sum = {0, 0, 0};
    for (int i = 0; i < samples; i++) {
        double right = (x + chance(&state) - 0.5 * width) / height;
        double up = (0.5 * height - y - chance(&state)) / height;
        struct vec way = unit((struct vec){right, up - 0.12, -1.1});
        sum = add(sum, trace(eye, way, &state));
    }
    return scale(sum, 1.0 / samples);
}

static unsigned char to_byte(double value)
{
    double bright = pow(value < 0 ? 0 : value > 1 ? 1 : value, 1 / 2.2);
    return (unsigned char)(255 * bright + 0.5);
}

void scene_render(int width, int height, int samples, struct tile tile, unsigned char *rgb)
{
    for (int y = tile.y; y < tile.y + tile.height; y++) {
        for (int x = tile.x; x < tile.x + tile.width; x++) {
            struct vec colour = pixel(width, height, samples, x, y);
            *rgb++ = to_byte(colour.x);
            *rgb++ = to_byte(colour.y);
            *rgb++ = to_byte(colour.z);
        }
    }
}
