/* See sha256.h. Letters are those of FIPS 180-4, sections 4.1.2, 5.3.3 and 6.2. */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void take_block(norn_sha256 *sha)
{
    uint32_t w[64], s[8];
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)sha->block[4 * t] << 24 | (uint32_t)sha->block[4 * t + 1] << 16 |
               (uint32_t)sha->block[4 * t + 2] << 8 | (uint32_t)sha->block[4 * t + 3];
    for (size_t t = 16; t < 64; t++) {
        const uint32_t a = w[t - 15], b = w[t - 2];
        w[t] = w[t - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[t - 7] +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, sha->state, sizeof s);
    for (size_t t = 0; t < 64; t++) {
        const uint32_t a = s[0], e = s[4];
        const uint32_t first =
            s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + k[t] + w[t];
        const uint32_t second =
            (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (size_t i = 0; i < 8; i++) sha->state[i] += s[i];
}

void norn_sha256_begin(norn_sha256 *sha)
{
    *sha = (norn_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                                   0x1f83d9ab, 0x5be0cd19}};
}

void norn_sha256_add(norn_sha256 *sha, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size) {
        const size_t used = (size_t)(sha->length % 64), room = 64 - used, now = size < room ? size : room;
        memcpy(sha->block + used, from, now);
        sha->length += now;
        from += now;
        size -= now;
        if (used + now == 64) take_block(sha);
    }
}

void norn_sha256_end(norn_sha256 *sha, unsigned char out[NORN_SHA256_BYTES])
{
    static const unsigned char padding[64] = {0x80};
    const uint64_t bits = sha->length * 8;
    const size_t used = (size_t)(sha->length % 64);
    unsigned char length[8];
    for (size_t i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    norn_sha256_add(sha, padding, used < 56 ? 56 - used : 120 - used);
    norn_sha256_add(sha, length, sizeof length);
    for (size_t i = 0; i < NORN_SHA256_BYTES; i++)
        out[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

const char *norn_sha256_hex(const unsigned char hash[NORN_SHA256_BYTES], char out[NORN_SHA256_HEX])
{
    for (size_t i = 0; i < NORN_SHA256_BYTES; i++) (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return out;
}

const char *norn_sha256_base64(const unsigned char hash[NORN_SHA256_BYTES], char out[NORN_SHA256_BASE64])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t to = 0;
    for (size_t i = 0; i < NORN_SHA256_BYTES; i += 3) {
        const size_t have = NORN_SHA256_BYTES - i < 3 ? NORN_SHA256_BYTES - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) bits = bits << 8 | (j < have ? hash[i + j] : 0u);
        for (size_t j = 0; j < 4; j++) out[to++] = j <= have ? digits[bits >> (18 - 6 * j) & 63] : '=';
    }
    out[to] = '\0';
    return out;
}
