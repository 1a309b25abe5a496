/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fuzzer without libFuzzer, so that every build runs the harnesses: feeds one of them made-up inputs
 * from a fixed seed, and the files given, whole and with bytes changed. TAP.
 *
 *   replay-NAME ROUNDS [FILE...]
 *
 * Made-up inputs are rows of small numbers more often than of any bytes: most lengths are small.
 */
#include "base/rng.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Feeds a copy that ends where its memory ends, so that sanitizers see every byte too many. */
static void feed(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void change(struct rng *rng, uint8_t *bytes, size_t size)
{
    size_t times = 1 + (size_t)rng_below(rng, 4);
    for (size_t i = 0; size && i < times; i++)
        bytes[rng_below(rng, size)] = (uint8_t)rng_next(rng);
}

static void feed_made_up(struct rng *rng)
{
    static uint8_t bytes[INPUT_BYTES_MAX];
    size_t size = (size_t)rng_below(rng, rng_below(rng, 8) ? 128 : sizeof(bytes));
    uint64_t small = rng_below(rng, 2);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(small && rng_below(rng, 4) ? rng_below(rng, 8) : rng_next(rng));
    feed(bytes, size);
}

static size_t feed_file(struct rng *rng, const char *name, long rounds)
{
    static uint8_t bytes[INPUT_BYTES_MAX], changed[INPUT_BYTES_MAX];
    FILE *file = fopen(name, "rb");
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    feed(bytes, size);
    for (long i = 0; i < rounds; i++) {
        memcpy(changed, bytes, size);
        change(rng, changed, size);
        feed(changed, size - (size_t)rng_below(rng, 2) * (size_t)rng_below(rng, size + 1));
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct rng rng;
    long rounds = argc > 1 ? atol(argv[1]) : 10000;
    size_t files = 0;
    rng_seed(&rng, 20);
    for (long i = 0; i < rounds; i++)
        feed_made_up(&rng);
    for (int i = 2; i < argc; i++)
        files += feed_file(&rng, argv[i], rounds / 10);
    printf("ok 1 - %ld made-up inputs, %zu files and changes of them\n1..1\n", rounds, files);
    return 0;
}
