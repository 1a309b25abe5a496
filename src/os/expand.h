/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * $NAME and ${NAME} in the ep=, wd= and bx= options of a host (item HF-5).
 */
#ifndef OS_EXPAND_H
#define OS_EXPAND_H

/* A new string (mem_free) with each known variable replaced; names the environment lacks stay as
 * they stand. |lookup| is getenv() in life. NULL without memory. */
char *expand_variables(const char *text, char *(*lookup)(const char *name));

#endif
