/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The codes that requests end with: numbers of the interface (surface CST-2), by what they mean
 * here.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

enum {
    STATUS_OK = 0,
    STATUS_BAD_PARAM = -2,
    STATUS_NO_HOST = -6,
    STATUS_NO_FILE = -7,
    STATUS_DENIED = -8,
    STATUS_NO_MEM = -10,
    STATUS_SYS_ERR = -14,
    STATUS_HOST_FAIL = -22,
    STATUS_NO_PARENT = -23,
    STATUS_NOT_IMPL = -24,
    STATUS_DSYS_ERR = -25,
    STATUS_BAD_VERSION = -26,
    STATUS_OUT_OF_RES = -27,
    STATUS_DUP_HOST = -28,
    STATUS_CANT_START = -29,
    STATUS_ALREADY = -30,
    STATUS_NO_TASK = -31,
    STATUS_NOT_FOUND = -32,
    STATUS_PARENT_NOT_SET = -35
};

#endif
