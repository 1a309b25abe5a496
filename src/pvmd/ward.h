/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What daemon and guardian share, and the guardian's process. For guardian.c and ward.c alone.
 */
#ifndef PVMD_WARD_H
#define PVMD_WARD_H

#include "pvmd/guardian.h"

#include <stdatomic.h>

struct tombstone_set {
    uint32_t count;
    struct guardian_tombstone items[GUARDIAN_TOMBSTONES_MAX];
};

/* Written by the daemon alone, which may stop between any two instructions: so each of these is
 * whole at any moment. Only pages that were used take memory. */
struct guardian_shared {
    _Atomic uint64_t lease_until_ns;
    _Atomic uint32_t in_order;      /* the daemon removed its files itself */
    _Atomic uint32_t set_in_use;    /* the other one is being written */
    struct tombstone_set sets[2];
    _Atomic uint32_t pid_count;
    _Atomic int32_t pids[GUARDIAN_PIDS_MAX]; /* 0 = a hole */
};

struct ward {
    struct guardian_shared *shared;
    const struct host_dir *dir;
    bool keep_log;
    pid_t daemon;
};

/* The guardian's life: |fd| ends when the daemon does, and a byte comes when the lease has to be
 * looked at again. */
_Noreturn void ward_run(const struct ward *ward, int fd);

#endif
