/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-66
 * needs: own-vm
 * Parts of names, stars, and stars that are meant.
 */
#include "conf_mbox.h"

static void run(void)
{
    static const char *const names[] = {"abc", "st*r", "*lead", "trail*", "back\\sl", "a*b*c",
                                        "x", "aXbXc", "abcabc", "**", "\\*"};
    static const char *const patterns[] = {
        "abc", "a*c", "t\\*", "\\*r", "*\\*r", "\\*", "\\*lead", "l\\*", "trail\\*", "k\\s",
        "k\\\\s", "\\", "\\\\", "a*b*c", "a\\*b", "a**c", "**", "***", "*a*", "a*X", "ab*ab",
        "b*b", "c*", "*c", "s*r*", "c*a", "r\\*", "\\**", "x\\", "a*b", "X*X", "bca", "*st",
        "t\\*r*", "* ", "", "*"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        box_put(names[i], 1, 0);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        int count = 0;
        struct pvmmboxinfo *classes;
        CODE(pvm_getmboxinfo((char *)patterns[i], &count, &classes));
        printf("%s:", patterns[i]);
        for (int k = 0; k < count; k++)
            printf(" %s", classes[k].mi_name);
        printf("\n");
    }
    box_halt();
}

CONF_MAIN(run)
