/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fixed number of processes that send each other messages: what patterns.c is written against, so
 * that PVM (world_pvm.c) and MPI (world_mpi.c) are measured by the same code. A failure of a call
 * says so and ends the process.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stddef.h>

enum { WORLD_ANY = -1, WORLD_MAX = 4096 };

/*
 * Becomes one of |size| processes and returns its rank; rank 0 is the one the user started. All of
 * them get the same arguments. |mode| is how PVM sends: psend, xdr, raw or inplace.
 */
int world_open(int argc, char **argv, int size, const char *mode);
void world_close(void);

/* |bytes| is aligned for int and |size| a multiple of 4. */
void world_put(int to, int tag, const void *bytes, size_t size);
/* From one rank or WORLD_ANY; returns the sender's rank. */
int world_get(int from, int tag, void *bytes, size_t size);

/* |count| messages of the same bytes, the fastest way the library offers. */
void world_put_many(int to, int tag, const void *bytes, size_t size, int count);
void world_get_many(int from, int tag, void *bytes, size_t size, int count);

#endif
