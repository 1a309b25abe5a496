/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One host as a user names it: a line of a hostfile, or a string given to pvm_addhosts() or the
 * console (items HF-1..HF-8 of the surface). Reading whole hostfiles: core/hostfile.h.
 */
#ifndef CORE_HOSTSPEC_H
#define CORE_HOSTSPEC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HOST_LINE_BYTES_MAX = 4096,
    HOST_WORDS_MAX = 64,
    HOST_NAME_BYTES_MAX = 255,
    HOST_LOCAL_MAX = 4094, /* N of local:N */
    HOST_TOKEN_LIFE_S = 300, /* of so=tk */
    HOST_TOKEN_LIFE_MAX_S = 86400
};

/* How a daemon is started on the host (D13). `so=ms` is manual; `so=tk` and
 * `so=tk:SECONDS` write a token for whoever starts it; the name `local` is another host on
 * this machine; everything else goes by ssh or PVM_RSH. */
enum host_starter { HOST_STARTER_SSH, HOST_STARTER_LOCAL, HOST_STARTER_MANUAL, HOST_STARTER_TOKEN };

struct host_spec {
    char *name;      /* as it stands in the host table */
    char *login;     /* lo=  */
    char *daemon;    /* dx=  */
    char *path;      /* ep=  */
    char *directory; /* wd=  */
    char *debugger;  /* bx=  */
    char *options;   /* so=  */
    char *address;   /* ip=: the name to resolve and to log in to, else NULL */
    char *vmid;      /* id=  */
    int32_t speed;   /* sp=, 1000 by default */
    bool speed_given;
    uint32_t local_count; /* local:N asks for N more hosts of this machine; 0 = an ordinary host */
    bool deferred;   /* & : remember, do not start */
    bool duplicate_allowed; /* $ : a second daemon on an address already in the machine */
};

/* Strings not given are NULL. */
void host_spec_init(struct host_spec *spec);
void host_spec_fini(struct host_spec *spec);
/* 0, or -1 without memory (then |copy| is empty). */
int host_spec_copy(struct host_spec *copy, const struct host_spec *spec);
/* Fills what |spec| does not say from |from|: options only, not the name. 0, or -1 without
 * memory. */
int host_spec_inherit(struct host_spec *spec, const struct host_spec *from);
enum host_starter host_spec_starter(const struct host_spec *spec);
/* How long a token of this host is good; 0 = it is started otherwise, or that is no life. */
uint32_t host_spec_token_life_s(const struct host_spec *spec);
/* Reads one line. |allow_prefixes|: & and $ are for files only. 0; -1 with one line of words at
 * |error| (unknown option "xx=": known are lo= dx= ...). */
int host_spec_parse(const char *line, bool allow_prefixes, struct host_spec *spec, char *error,
                    uint32_t error_bytes);

#endif
