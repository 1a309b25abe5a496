/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands that start a daemon on another host by ssh (or PVM_RSH), and on this one.
 */
#ifndef OS_STARTER_SSH_H
#define OS_STARTER_SSH_H

#include "base/str.h"

struct starter_target {
    const char *address;  /* where to log in */
    const char *login;    /* NULL = as here */
    const char *daemon;   /* dx= or PVM_DPATH: a command for the remote shell; NULL = look for it */
    const char *own_path; /* absolute path of this daemon's program */
    const char *arguments; /* of the new daemon, quoted for a shell, starting with a blank */
};

/* argv of the ssh, or of |rsh| (PVM_RSH: words separated by blanks; NULL or "" = ssh), freed by
 * word_list_free(). NULL without memory. */
char **starter_ssh_argv(const struct starter_target *target, const char *rsh);
/* The command for the remote shell alone: what a person would type (so=ms). */
void starter_remote_command(struct strbuf *text, const struct starter_target *target);
/* argv that starts another daemon on this machine from the same program. */
char **starter_local_argv(const struct starter_target *target);
/* Appends |word| so that a shell (sh or csh) reads it as one word. */
void shell_quote(struct strbuf *text, const char *word);

#endif
