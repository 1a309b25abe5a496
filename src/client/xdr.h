/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of items between memory and XDR (RFC 4506): big-endian, integers and floats in 4 bytes,
 * doubles in 8. Loops without branches over whole runs, so that the compiler makes vector code of
 * them.
 */
#ifndef CLIENT_XDR_H
#define CLIENT_XDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* |count| items; |wire| has no alignment. False: an item does not fit (the wire bytes are then
 * useless). */
typedef bool (*xdr_put_f)(uint8_t *wire, const void *items, size_t count);
typedef void (*xdr_get_f)(void *items, const uint8_t *wire, size_t count);

bool xdr_put_short(uint8_t *wire, const void *items, size_t count);
bool xdr_put_32(uint8_t *wire, const void *items, size_t count);
bool xdr_put_64(uint8_t *wire, const void *items, size_t count);
bool xdr_put_long(uint8_t *wire, const void *items, size_t count);
bool xdr_put_ulong(uint8_t *wire, const void *items, size_t count);
void xdr_get_short(void *items, const uint8_t *wire, size_t count);
void xdr_get_32(void *items, const uint8_t *wire, size_t count);
void xdr_get_64(void *items, const uint8_t *wire, size_t count);
void xdr_get_long(void *items, const uint8_t *wire, size_t count);
void xdr_get_ulong(void *items, const uint8_t *wire, size_t count);

#endif
