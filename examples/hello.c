/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first PVM program to type in: starts another one somewhere, and prints what it answers.
 *
 * Start a virtual machine (`pvm`), then run this from a shell or with `spawn -> hello` in the
 * console. The other half is hello_other.c.
 */
#include <pvm3.h>

#include <stdio.h>

enum { TAG_GREETING = 1 };

int main(void)
{
    int other;
    char greeting[100];

    printf("I am task t%x\n", pvm_mytid());
    if (pvm_spawn("hello_other", NULL, PvmTaskDefault, "", 1, &other) != 1) {
        printf("hello_other did not start (code %d)\n", other);
        pvm_exit();
        return 1;
    }
    pvm_recv(other, TAG_GREETING); /* waits until it comes */
    pvm_upkstr(greeting);
    printf("from task t%x: %s\n", other, greeting);
    pvm_exit();
    return 0;
}
