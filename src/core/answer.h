/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line a new daemon prints for whoever starts it, and the command line it was started with: the
 * two texts that bind a host to the virtual machine (DMN-2, DMN-4, decision D6). Public keys only,
 * so that any hoster, ssh or hand may carry them.
 *
 *   ddpro<1> arch<LINUX64> dsig<4230209> key<64 hex digits> addr<[::ffff:10.0.0.7]:40123,...>
 *
 *   pvmd -s -nNAME -v VMID -j NUMBER:EPOCH -m EPOCH:KEY:ADDR[,ADDR...]
 */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

#include "base/str.h"
#include "core/effect.h"
#include "core/event.h"

enum { ANSWER_ADDRESSES_MAX = 8 };

/* Appends the answer line, without newline. */
void answer_write(struct strbuf *text, const struct host_answer *answer);
/* Finds the answer in |line|; the addresses point into |addresses|. 0; -1 when the line has none or
 * a damaged one; -2 when it is a literal error name such as PvmDupHost (then *status is its
 * code). */
int answer_parse(const char *line, struct host_answer *answer,
                 struct wire_address addresses[ANSWER_ADDRESSES_MAX],
                 uint8_t ips[ANSWER_ADDRESSES_MAX][16], int32_t *status);

/* What -j and -m say. */
struct join_args {
    uint32_t number;
    uint64_t epoch;
    uint64_t master_epoch;
    uint8_t master_key[WIRE_KEY_BYTES];
    struct wire_address master_addresses[ANSWER_ADDRESSES_MAX];
    uint8_t master_ips[ANSWER_ADDRESSES_MAX][16];
    size_t master_address_count;
};
/* Appends ` -j ... -m ...` for the start of a host. */
void join_args_write(struct strbuf *text, const struct host_start *start);
/* 0, or -1 with words at |error|. */
int join_args_parse(const char *j, const char *m, struct join_args *args, char *error,
                    uint32_t error_bytes);

/* "[::ffff:10.0.0.7]:40123" and back; 0 or -1. The ip of the result points to |ip|. */
void address_write(struct strbuf *text, const struct wire_address *address);
int address_parse(const char *text, size_t length, struct wire_address *address, uint8_t ip[16]);

#endif
