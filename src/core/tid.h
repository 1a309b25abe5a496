/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Task ids (CST-1): bit 31 a daemon, bit 30 a group, 12 bits host number, 18 bits local number.
 */
#ifndef CORE_TID_H
#define CORE_TID_H

#include <stdbool.h>
#include <stdint.h>

#define TID_DAEMON UINT32_C(0x80000000)
#define TID_GROUP UINT32_C(0x40000000)
#define TID_HOST_MASK UINT32_C(0x3ffc0000)
#define TID_LOCAL_MASK UINT32_C(0x0003ffff)

enum { TID_HOST_SHIFT = 18, HOST_NUMBER_MAX = 4095 };

static inline bool tid_is_task(uint32_t tid)
{
    return !(tid & (TID_DAEMON | TID_GROUP)) && (tid & TID_HOST_MASK) && (tid & TID_LOCAL_MASK);
}

static inline uint32_t tid_host_number(uint32_t tid)
{
    return (tid & TID_HOST_MASK) >> TID_HOST_SHIFT;
}

/* The tid of a host: what pvm_config() calls hi_tid. */
static inline uint32_t tid_of_host(uint32_t number)
{
    return number << TID_HOST_SHIFT;
}

static inline uint32_t tid_of_daemon(uint32_t number)
{
    return TID_DAEMON | tid_of_host(number);
}

#endif
