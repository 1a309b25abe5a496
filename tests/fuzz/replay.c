/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fuzzer without libFuzzer, so that every build runs the harnesses: feeds one of them the files
 * given, whole, cut short and with bytes changed, and made-up inputs from a fixed seed. TAP, a
 * point for each file.
 *
 *   replay_NAME ROUNDS [FILE...]
 *
 * Made-up inputs are rows of small numbers more often than of any bytes: most lengths are small.
 */
#include "base/rng.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 65536, MADE_UP_BYTES_MAX = 2048, CUTS = 64, CHANGES = 64 };

static uint8_t input[INPUT_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feeds a copy that ends where its memory ends, so that a sanitizer sees a read behind it. */
static void feed(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_changed(struct rng *rng, size_t size)
{
    static uint8_t changed[INPUT_BYTES_MAX];
    memcpy(changed, input, size);
    for (uint64_t i = rng_below(rng, 4) + 1; size && i > 0; i--)
        changed[rng_below(rng, size)] = (uint8_t)rng_next(rng);
    feed(changed, size);
}

static int feed_file(struct rng *rng, const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file)
        return -1;
    size_t size = fread(input, 1, sizeof(input), file);
    fclose(file);
    feed(input, size);
    for (size_t i = 0; i < CUTS; i++)
        feed(input, size * i / CUTS);
    for (int i = 0; i < CHANGES; i++)
        feed_changed(rng, size);
    return 0;
}

static void feed_made_up(struct rng *rng)
{
    size_t size = (size_t)rng_below(rng, rng_below(rng, 8) ? 128 : MADE_UP_BYTES_MAX);
    uint64_t small = rng_below(rng, 2);
    for (size_t i = 0; i < size; i++)
        input[i] = (uint8_t)(small && rng_below(rng, 4) ? rng_below(rng, 8) : rng_next(rng));
    feed(input, size);
}

int main(int argc, char **argv)
{
    struct rng rng;
    long rounds = argc > 1 ? atol(argv[1]) : 0;
    int failed = 0;
    rng_seed(&rng, 20);
    for (int i = 2; i < argc; i++) {
        int bad = feed_file(&rng, argv[i]) < 0;
        failed |= bad;
        printf("%sok %d - %s\n", bad ? "not " : "", i - 1, argv[i]);
    }
    for (long i = 0; i < rounds; i++)
        feed_made_up(&rng);
    printf("ok %d - %ld made-up inputs\n1..%d\n", argc > 1 ? argc - 1 : 1, rounds,
           argc > 1 ? argc - 1 : 1);
    return failed;
}
