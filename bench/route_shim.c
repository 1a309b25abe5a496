/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into NPpvm, which asks for direct routes, where the way through the daemons is what is
 * measured: it makes that request, its only option, go nowhere, for either PVM alike.
 */
enum { ALLOW_DIRECT = 2 }; /* what the option was before, and stays */

int pvm_setopt(int what, int value);

int pvm_setopt(int what, int value)
{
    (void)what;
    (void)value;
    return ALLOW_DIRECT;
}
