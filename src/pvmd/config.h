/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a daemon is told: command line (DMN-1, DMN-2, core/answer.h) and environment (ENV-1, ENV-2).
 *
 *   pvmd [-dMASK] [-nNAME] [-t] [hostfile]                                   a master
 *   pvmd -s|-S [-f] [-w] [-dMASK] -nNAME [-v VMID] [-e MODE] [-a SECONDS] -j ... -m ...
 *                                                                            a new host
 *   pvmd -J FILE|- [-f]                                      a new host with a token: pvmd/token.h
 */
#ifndef PVMD_CONFIG_H
#define PVMD_CONFIG_H

#include "base/log.h"
#include "core/answer.h"
#include "link/seal.h"
#include "pvmd/token.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_ERROR_BYTES = 1024, CONFIG_HOSTFILE_BYTES_MAX = 4 * 1024 * 1024 };

#define CONFIG_DEAD_AFTER_S 5.0
#define CONFIG_DEAD_AFTER_MIN_S 0.25
#define CONFIG_DEAD_AFTER_MAX_S 3600.0

struct config {
    bool is_new_host; /* -s, -S */
    bool stay;        /* -f: do not go to the background */
    bool is_held;     /* -w: whoever started this holds its stdout until it is a host; when that is
                         closed before, nobody wants it any more */
    bool show;        /* -t */
    uint32_t debug_mask;
    const char *name; /* -n; NULL = the machine's own */
    const char *vmid; /* -v or PVM_VMID; NULL = none */
    const char *hostfile_name;
    char *hostfile_text;   /* owned; NULL = none */
    const char *seal_name; /* as given; NULL = default */
    enum seal_mode seal;
    bool loopback_only; /* nothing seals the packets, so they stay on this machine */
    uint16_t first_port;
    uint64_t log_bytes_max;
    uint32_t tasks_max;
    uint64_t dead_after_ns; /* -a, PVM_DEAD_AFTER: a silent host is given up within this */
    struct join_args join;
    char *token_text; /* of -J: owned, name and so on lead into it; NULL = no |token| */
    struct token token;
};

/* Reads both. 0; -1 with one line of words at |error|. Strings point into argv and the environment.
 */
int config_read(struct config *config, int argc, char **argv, char error[CONFIG_ERROR_BYTES]);
void config_fini(struct config *config);
enum log_level config_log_level(const struct config *config);

#endif
