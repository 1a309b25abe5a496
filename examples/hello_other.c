/* SPDX-License-Identifier: BSD-3-Clause */
/* The other half of hello.c: says to its parent where it runs. */
#include <pvm3.h>

#include <stdio.h>
#include <unistd.h>

enum { TAG_GREETING = 1 };

int main(void)
{
    char name[64] = "?", greeting[100];

    gethostname(name, sizeof(name) - 1);
    snprintf(greeting, sizeof(greeting), "hello, world, from %s", name);
    pvm_initsend(PvmDataDefault); /* a new message: any host can read it */
    pvm_pkstr(greeting);
    pvm_send(pvm_parent(), TAG_GREETING);
    pvm_exit();
    return 0;
}
