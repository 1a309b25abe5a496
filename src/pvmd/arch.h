/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this machine is in PVM's terms: its architecture name and its data signature.
 */
#ifndef PVMD_ARCH_H
#define PVMD_ARCH_H

#include <stdint.h>

/* "LINUX64" and so on (item ENV-6). */
const char *arch_name(void);
/* Sizes and byte orders of short, int, long, float and double (item CST-15). */
uint32_t arch_signature(void);

#endif
