/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Primitives for simulations: fast, repeatable by seed, and protecting nothing.
 *
 * They behave like real ones where the protocol can tell: a wrong key, nonce, header or a changed
 * bit does not open; both sides of a key exchange agree; different private keys give different
 * public keys. Never use them on a network.
 */
#ifndef LINK_TOYCRYPTO_H
#define LINK_TOYCRYPTO_H

#include "link/seal.h"

/* A table whose random bytes follow from |seed|; NULL without memory. Tables of different seeds
 * work together. The tables must outlive the ciphers made with them. */
const struct seal_crypto *toycrypto_create(uint64_t seed);
void toycrypto_destroy(const struct seal_crypto *crypto);

#endif
