/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The primitives of link/seal.h from OpenSSL's libcrypto. The only folder that includes OpenSSL.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "link/seal.h"

/* The table with the cipher that is fast on this CPU: AES-256-GCM where it has AES
 * instructions, else ChaCha20-Poly1305 (then |alternative| is the other one). It lives as long
 * as the process; NULL when libcrypto refuses one of the algorithms. Not for use by several
 * threads at once. */
const struct seal_crypto *crypto_openssl(void);
/* The same with a given cipher: "AESGCM" or "ChaChaPoly". */
const struct seal_crypto *crypto_openssl_with(const char *cipher_name);

#endif
