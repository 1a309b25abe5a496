/* SPDX-License-Identifier: BSD-3-Clause */
/* Architecture name and data signature. */
#include "pvmd/arch.h"

#include "tap.h"

int main(void)
{
#if defined(__linux__) && defined(__x86_64__) && defined(__LP64__)
    EQUAL(arch_signature(), 0x00408c41, "the signature of LINUX64 (CST-15)");
    SAME_TEXT(arch_name(), "LINUX64", "its name (ENV-6)");
#else
    OK(arch_signature() != 0, "a signature");
    OK(arch_name()[0] != '\0', "a name");
#endif
    return tap_done();
}
