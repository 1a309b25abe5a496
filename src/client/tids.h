/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Task ids (CST-1), contexts (CST-12) and the tags the library itself uses (CST-17).
 */
#ifndef CLIENT_TIDS_H
#define CLIENT_TIDS_H

#include <stdbool.h>
#include <stdint.h>

#define TID_DAEMON 0x80000000u /* S bit; alone: "my daemon" */
#define TID_GROUP 0x40000000u  /* G bit */
#define TID_HOST 0x3ffc0000u
#define TID_LOCAL 0x0003ffffu

enum {
    TID_CONTEXT_SYSTEM_MIN = 0x7fff6,
    TID_CONTEXT_CONTROL = 0x7ffff /* TC: messages between libraries, output of tasks */
};

#define TAG_CONTROL_FIRST ((int)0x80030001u)
#define TAG_CONTROL_TASKEXIT (TAG_CONTROL_FIRST + 2)
#define TAG_CONTROL_NOOP (TAG_CONTROL_FIRST + 3)
#define TAG_CONTROL_OUTPUT (TAG_CONTROL_FIRST + 4)
#define TAG_CONTROL_SIBLINGS (TAG_CONTROL_FIRST + 11)
#define TAG_CONTROL_LAST (TAG_CONTROL_FIRST + 11)

/* A task: neither S nor G, and a local part. */
static inline bool tid_is_task(int tid)
{
    const uint32_t bits = (uint32_t)tid;
    return !(bits & (TID_DAEMON | TID_GROUP)) && (bits & TID_LOCAL) != 0;
}

#endif
