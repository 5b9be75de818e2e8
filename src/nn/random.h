/*
 * Random numbers by counter: every number is a function of (seed, identity of the member, purpose, counter),
 * never of what was drawn before. So members, batches and interruptions do not disturb each other, and
 * nothing needs to be saved. Philox4x32-10 of Random123 (Salmon et al. 2011); the kernels compute the same
 * function (kernels/common.cl).
 */
#ifndef NORN_SRC_NN_RANDOM_H
#define NORN_SRC_NN_RANDOM_H

#include <stdint.h>

typedef enum norn_purpose {
    NORN_PURPOSE_INITIAL = 1,
    NORN_PURPOSE_ORDER = 2,
    NORN_PURPOSE_DROPOUT = 3,
    NORN_PURPOSE_SAMPLE = 4
} norn_purpose;

typedef struct norn_key {
    uint32_t word[2];
} norn_key;

/* The key of one stream: a member's numbers for one purpose. */
norn_key norn_random_key(uint64_t seed, uint64_t identity, norn_purpose purpose);

/* The four words of a counter. */
typedef struct norn_random_words {
    uint32_t word[4];
} norn_random_words;
norn_random_words norn_random(norn_key key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3);

/* A number in [0, 1) of 24 bits, exact in float. */
double norn_random_unit(uint32_t word);

/* Where index goes in the `round`-th keyed permutation of 0 .. n-1; n <= 2^62. Computed, never stored: a
 * Feistel network over the next power of four that walks on until it is back below n (cycle walking, Black
 * and Rogaway 2002). */
uint64_t norn_random_permute(norn_key key, uint32_t round, uint64_t index, uint64_t n);

#endif
