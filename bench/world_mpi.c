/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h by MPI calls, compiled by the wrapper of whichever MPI is measured. Streams of messages
 * are posted as a window and waited for together, as MPI programs do it that want the rate.
 */
#include "world.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_MAX = 1024 };

int world_open(int argc, char **argv, int size, const char *mode)
{
    int rank, present;
    (void)mode;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &present);
    if (present != size) {
        fprintf(stderr, "%d processes, not %d\n", present, size);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return rank;
}

void world_close(void)
{
    MPI_Finalize();
}

void world_put(int to, int tag, const void *bytes, size_t size)
{
    MPI_Send(bytes, (int)size, MPI_BYTE, to, tag, MPI_COMM_WORLD);
}

int world_get(int from, int tag, void *bytes, size_t size)
{
    MPI_Status status;
    MPI_Recv(bytes, (int)size, MPI_BYTE, from == WORLD_ANY ? MPI_ANY_SOURCE : from, tag,
             MPI_COMM_WORLD, &status);
    return status.MPI_SOURCE;
}

void world_put_many(int to, int tag, const void *bytes, size_t size, int count)
{
    static MPI_Request requests[WINDOW_MAX];
    for (int i = 0; i < count; i++)
        MPI_Isend(bytes, (int)size, MPI_BYTE, to, tag, MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
}

void world_get_many(int from, int tag, void *bytes, size_t size, int count)
{
    static MPI_Request requests[WINDOW_MAX];
    for (int i = 0; i < count; i++)
        MPI_Irecv((char *)bytes, (int)size, MPI_BYTE, from, tag, MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
}
