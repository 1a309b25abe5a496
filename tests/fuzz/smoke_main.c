/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over the files named, and over each of them cut short at every length: the
 * smoke test of builds without a fuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 65536, CUTS_MAX = 64 };

static int run_file(const char *name)
{
    static uint8_t bytes[INPUT_BYTES_MAX];
    FILE *file = fopen(name, "rb");
    if (!file)
        return -1;
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    for (size_t i = 0; i < CUTS_MAX; i++) {
        /* A copy of the exact size, so that a sanitizer sees a read behind it. */
        size_t cut = size * i / CUTS_MAX;
        uint8_t *copy = malloc(cut ? cut : 1);
        for (size_t j = 0; copy && j < cut; j++)
            copy[j] = bytes[j];
        if (copy)
            LLVMFuzzerTestOneInput(copy, cut);
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int failed = run_file(argv[i]);
        printf("%sok %d - %s\n", failed ? "not " : "", i, argv[i]);
        if (failed)
            return 1;
    }
    printf("1..%d\n", argc - 1);
    return 0;
}
