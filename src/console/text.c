/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small conversions between PVM's numbers and what a person reads or types; declared in console.h.
 */
#include "console/console.h"

#include <stdlib.h>
#include <string.h>

/* Part of the library's binary interface, though pvm3.h does not declare it. */
extern int pvm_errno;

const char *pvm_text(int result)
{
    const int before = pvm_errno;
    pvm_errno = result;
    const char *text = pvm_strerror();
    pvm_errno = before;
    return text;
}

int tid_parse(const char *text)
{
    if (text[0] == 't' || text[0] == 'T')
        text++;
    else if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    const size_t length = strlen(text);
    if (length == 0 || length > 8 || strspn(text, "0123456789abcdefABCDEF") != length)
        return -1;
    const unsigned long tid = strtoul(text, NULL, 16);
    return tid == 0 || tid >= 0x80000000ul ? -1 : (int)tid;
}

const char *host_name(const struct pvmhostinfo *hosts, int count, int host_tid)
{
    for (int i = 0; i < count; i++) {
        if (hosts[i].hi_tid == host_tid)
            return hosts[i].hi_name;
    }
    return "-";
}
