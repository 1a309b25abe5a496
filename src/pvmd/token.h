/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Join tokens (decision D6): how a host is started by something that carries no answer back, as a
 * batch job that just runs. The master writes a file; whoever gets it starts `pvmd -J FILE` with
 * it, anywhere, once, before it expires.
 *
 * The file holds what a starter would put on the command line (core/answer.h), and a private key
 * made for this one start. By that key the new daemon calls the master and delivers its answer
 * (DM_ARRIVED) with a key pair of its own, which alone is used from then on: then the token opens
 * nothing any more. Lines: "pvmd-join-token 1", options as for a new host, "id HEX", "key HEX",
 * "expires SECONDS" since 1970.
 */
#ifndef PVMD_TOKEN_H
#define PVMD_TOKEN_H

#include "core/effect.h"
#include "os/dir.h"

#include <stddef.h>
#include <stdint.h>

enum { TOKEN_BYTES_MAX = 8192, TOKEN_ERROR_BYTES = 512 };
#define TOKEN_ANSWER_S 10

/* ---- at the master ---- */

/* A name of a file in |dir|, which dir_remove_token() knows by |ticket|. */
void token_path(const struct host_dir *dir, uint64_t ticket, const char *name,
                char path[DIR_PATH_BYTES_MAX]);
/* Makes a key pair and the file, 0600; |options| are lines. 0 with the public key, or -1 with words
 * and no file. */
int token_write(const char *path, const struct host_start *start, const char *options,
                uint8_t public_key[WIRE_KEY_BYTES], char error[TOKEN_ERROR_BYTES]);

/* ---- at the new daemon ---- */

struct token {
    uint64_t id; /* what the master calls who has it */
    uint8_t private_key[WIRE_KEY_BYTES];
    uint64_t expires_s;
};

/* The bytes of a file that nobody else may read, or of stdin ("-"), at |text|, which is as long as
 * TOKEN_BYTES_MAX + 1. 0 or -1 with words. */
int token_load(const char *path, char *text, char error[TOKEN_ERROR_BYTES]);
/* Reads the lines that are the token's own; |option| is called with each other one, 0 or -1. 0; -1
 * with words, unless |option| failed, which has its own. Changes |text|. */
int token_parse(char *text, struct token *token,
                int (*option)(void *context, char *line), void *context,
                char error[TOKEN_ERROR_BYTES]);

#endif
