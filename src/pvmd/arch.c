/* SPDX-License-Identifier: BSD-3-Clause */
/* Architecture name and data signature: see the header. */
#include "pvmd/arch.h"

#include <string.h>

#if defined(__linux__) && defined(__x86_64__) && defined(__LP64__)
#define ARCH_NAME "LINUX64"
#elif defined(__linux__) && defined(__i386__)
#define ARCH_NAME "LINUX"
#elif defined(__linux__) && defined(__aarch64__)
#define ARCH_NAME "LINUXARM64"
#elif defined(__linux__) && defined(__arm__)
#define ARCH_NAME "LINUXARM"
#elif defined(__linux__) && defined(__powerpc64__)
#define ARCH_NAME "LINUXPPC64"
#elif defined(__linux__) && defined(__powerpc__)
#define ARCH_NAME "LINUXPPC"
#elif defined(__linux__) && defined(__s390x__)
#define ARCH_NAME "LINUXS390X"
#elif defined(__linux__) && defined(__s390__)
#define ARCH_NAME "LINUXS390"
#elif defined(__linux__) && defined(__alpha__)
#define ARCH_NAME "LINUXALPHA"
#elif defined(__linux__) && defined(__ia64__)
#define ARCH_NAME "LINUXIA64"
#elif defined(__linux__) && defined(__sparc__)
#define ARCH_NAME "LINUXSPARC"
#elif defined(__linux__) && defined(__hppa__)
#define ARCH_NAME "LINUXHPPA"
#elif defined(__linux__) && defined(__riscv)
#define ARCH_NAME "LINUXRISCV64"
#elif defined(__linux__)
#define ARCH_NAME "LINUX"
#elif defined(__FreeBSD__)
#define ARCH_NAME "FREEBSD"
#elif defined(__NetBSD__)
#define ARCH_NAME "NETBSD"
#elif defined(__APPLE__)
#define ARCH_NAME "DARWIN"
#elif defined(__CYGWIN__)
#define ARCH_NAME "CYGWIN"
#else
#define ARCH_NAME "UNIX"
#endif

const char *arch_name(void)
{
    return ARCH_NAME;
}

enum { ORDER_LITTLE = 0, ORDER_BIG = 3, FORMAT_IEEE_SINGLE = 1, FORMAT_IEEE_DOUBLE = 2 };

/* IEEE formats follow the integers' order on every machine the compiler knows today. */
static uint32_t byte_order(void)
{
    const uint32_t probe = 1;
    uint8_t first;
    memcpy(&first, &probe, 1);
    return first == 1 ? ORDER_LITTLE : ORDER_BIG;
}

static uint32_t integer_bits(size_t size_bytes)
{
    uint32_t log2 = 0;
    while (((size_t)1 << log2) < size_bytes)
        log2++;
    return log2 | byte_order() << 3;
}

uint32_t arch_signature(void)
{
    return integer_bits(sizeof(short)) | integer_bits(sizeof(int)) << 5 |
           integer_bits(sizeof(long)) << 10 | (FORMAT_IEEE_SINGLE | byte_order() << 4) << 15 |
           (FORMAT_IEEE_DOUBLE | byte_order() << 4) << 21;
}
