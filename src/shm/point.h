/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marked points: the instants in the life of shared memory between which another process can see a
 * difference. A program that is not a test has no code at them. A test build (-DSHM_POINTS) calls
 * shm_point_hook, which kills the process, or hands over to the other side of an interleaving.
 */
#ifndef SHM_POINT_H
#define SHM_POINT_H

#ifdef SHM_POINTS
extern void (*shm_point_hook)(const char *name);
#define SHM_POINT(name)                                                                            \
    do {                                                                                           \
        if (shm_point_hook)                                                                        \
            shm_point_hook(name);                                                                  \
    } while (0)
#else
#define SHM_POINT(name) ((void)0)
#endif

#endif
