/*
 * SHA-256 (FIPS 180-4): what a browser compares a page's scripts and styles with before it runs them, and
 * what names the bytes of a file that a report was made of, as sha256sum prints it.
 */
#ifndef NORN_SRC_BASE_SHA256_H
#define NORN_SRC_BASE_SHA256_H

#include "base/base.h"

enum { NORN_SHA256_BYTES = 32, NORN_SHA256_HEX = 65, NORN_SHA256_BASE64 = 45 };

typedef struct norn_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} norn_sha256;

void norn_sha256_begin(norn_sha256 *sha);
void norn_sha256_add(norn_sha256 *sha, const void *bytes, size_t size);
void norn_sha256_end(norn_sha256 *sha, unsigned char out[NORN_SHA256_BYTES]);

const char *norn_sha256_hex(const unsigned char hash[NORN_SHA256_BYTES], char out[NORN_SHA256_HEX]);
const char *norn_sha256_base64(const unsigned char hash[NORN_SHA256_BYTES], char out[NORN_SHA256_BASE64]);

#endif
