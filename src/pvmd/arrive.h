/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A new daemon brings its answer to the master by itself, with a join token (pvmd/token.h): over a
 * link of the token's key, from a socket of its own, both gone when this returns. What a starter
 * does otherwise with the line that the daemon prints.
 */
#ifndef PVMD_ARRIVE_H
#define PVMD_ARRIVE_H

#include "base/log.h"
#include "pvmd/config.h"

/* Returns when the master took it, 0; or refused, or said nothing for TOKEN_ANSWER_S: -1 with
 * words. */
int arrive(const struct config *config, const struct host_answer *answer,
           const struct log_sink *log, char error[CONFIG_ERROR_BYTES]);

#endif
