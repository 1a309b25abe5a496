/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about mailboxes: names, put, reset. Layout: CON-18, CON-20. */
#include "console/cmds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pvmreset(int mytid, int kill_tasks, char *class_name, int index);

/* Numbers are read as the original does: up to what is none, cut to an int. */
static int number_of(const char *word)
{
    return (int)strtol(word, NULL, 10);
}

int command_names(struct console *console, int argc, char **argv)
{
    struct pvmmboxinfo *classes;
    int count;
    (void)console;
    if (pvm_getmboxinfo(argc > 1 ? argv[1] : NULL, &count, &classes) < 0)
        return 1;
    for (int i = 0; i < count; i++) {
        const struct pvmmboxinfo *class = &classes[i];
        printf("<%s>:\n", class->mi_name);
        for (int k = 0; k < class->mi_nentries; k++)
            printf("\tindex=%d owner=0x%x/%d flags=0x%x\n", class->mi_indices[k],
                   (unsigned)class->mi_owners[k], class->mi_owners[k],
                   (unsigned)class->mi_flags[k]);
        printf("\n");
    }
    return 0;
}

/* The entry holds one number. */
int command_put(struct console *console, int argc, char **argv)
{
    (void)console;
    (void)argc;
    int value = number_of(argv[3]);
    const int mid = pvm_mkbuf(PvmDataDefault);
    const int previous = pvm_setsbuf(mid);
    int status = pvm_pkint(&value, 1, 1);
    pvm_setsbuf(previous);
    if (status == 0)
        status = pvm_putinfo(argv[1], mid, number_of(argv[2]));
    if (status < 0)
        printf("%s\n", pvm_strerror());
    pvm_freebuf(mid);
    return status < 0;
}

int command_reset(struct console *console, int argc, char **argv)
{
    if (argc == 1)
        return pvmreset(console->tid, 1, NULL, -1) < 0;
    if (strcmp(argv[1], "info") != 0) {
        printf("\"%s\" arg to reset not valid\n", argv[1]);
        return 1;
    }
    char *class = argc > 2 ? argv[2] : NULL;
    return pvmreset(console->tid, 0, class, argc > 3 ? number_of(argv[3]) : -1) < 0;
}
