/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting one process so that a failing exec is known to the caller, and finding its file
 * (API-30).
 */
#ifndef OS_SPAWN_H
#define OS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn_plan {
    const char *path;         /* file to execute, no search */
    char *const *argv;        /* argv[0] included, NULL-terminated */
    char *const *environment; /* whole environment, NULL-terminated */
    const char *directory;    /* NULL = ours; one that cannot be entered is silently not entered */
    int stdin_fd;             /* -1 = /dev/null; else above 2 */
    int stdout_fd;            /* -1 = /dev/null */
    int stderr_fd;
    bool new_session; /* setsid(): no terminal */
    /* A file that cannot be executed is no failure of the start: the process says why on its stderr
     * and ends with 127. */
    bool exec_failure_is_exit;
};

/* 0 and *pid, or an errno value. Given descriptors are above 2, and our own 0, 1, 2 open. Every
 * descriptor but 0, 1, 2 is closed in the child; signals are as a program expects them (which we
 * ignore is looked up at the first start); the limit of files is what the daemon was given. One
 * thread starts processes. */
int spawn_process(const struct spawn_plan *plan, pid_t *pid);

/* A pipe whose ends are close-on-exec; the read end non-blocking. 0 or errno. */
int spawn_pipe(int *read_fd, int *write_fd);

/* The path of |file|: with a '/' itself, made absolute from the working directory; else the first
 * place in the ':'-separated |search| where it is a regular file that its owner may execute. 0, or
 * -1: nowhere. */
int spawn_find(const char *file, const char *search, char *path, size_t size_bytes);

/* A new environment: |base| with each NAME=value of the |count| lists added or replacing, without
 * those named in |without| (NULL-terminated; may be NULL). The array is freed by mem_free(); the
 * strings are the ones given. NULL without memory. */
char **spawn_environment(char *const *base, const char *const *const *lists, size_t count,
                         const char *const *without);

#endif
