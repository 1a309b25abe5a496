/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of the spawn command (CON-21), read into what pvm_spawn() wants. Pure: opening the
 * file of `->file` and starting anything is the command's work (cmds_spawn.c).
 */
#ifndef CONSOLE_SPAWNOPTS_H
#define CONSOLE_SPAWNOPTS_H

enum {
    SPAWN_WHERE_BYTES_MAX = 4096,
    SPAWN_ERROR_BYTES_MAX = 256,
    SPAWN_COUNT_MAX = 1 << 20 /* four full hosts; what a daemon takes is less */
};

enum spawn_output {
    SPAWN_OUTPUT_NONE,    /* no option: output goes where the daemon puts it, the master's log */
    SPAWN_OUTPUT_CONSOLE, /* ->       */
    SPAWN_OUTPUT_FILE,    /* ->file   a file of that name is written anew */
    SPAWN_OUTPUT_APPEND   /* ->>file  */
};

struct spawn_options {
    int count;
    int flags;                         /* PvmTaskHost and so on */
    char where[SPAWN_WHERE_BYTES_MAX]; /* [host or ARCH][:directory] */
    enum spawn_output output;
    const char *output_file; /* points into |argv|; NULL unless FILE or APPEND */
    int first;               /* argv[first] is the program; argc when there is none */
};

/* Reads argv[1..]. 0; -1 with one line of words at |error| (SPAWN_ERROR_BYTES_MAX). */
int spawn_options_parse(int argc, char *const *argv, struct spawn_options *options, char *error);

#endif
