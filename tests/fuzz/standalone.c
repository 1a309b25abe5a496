/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over the files named on the command line, and over a fixed number of made-up
 * inputs, where there is no libFuzzer: a smoke test that any compiler can build.
 */
#include "base/rng.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MADE_UP = 3000 };

static uint8_t bytes[1 << 16];

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, length);
    return 0;
}

int main(int argc, char **argv)
{
    struct rng rng;
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += run_file(argv[i]) < 0;
    printf("%sok 1 - %d inputs from files\n", failed ? "not " : "", argc - 1);
    rng_seed(&rng, 1);
    for (int i = 0; i < MADE_UP; i++) {
        size_t length = (size_t)rng_below(&rng, 400);
        for (size_t b = 0; b < length; b++)
            bytes[b] = (uint8_t)(rng_chance(&rng, 500000) ? rng_below(&rng, 36) : rng_next(&rng));
        LLVMFuzzerTestOneInput(bytes, length);
    }
    printf("ok 2 - %d made-up inputs\n1..2\n", MADE_UP);
    return failed ? 1 : 0;
}
