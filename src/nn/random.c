/* Philox by counter and the keyed permutation of training windows: see random.h. */
#include "nn/random.h"

#include <Random123/philox.h>

norn_random_words norn_random(norn_key key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3)
{
    const philox4x32_ctr_t counter = {{c0, c1, c2, c3}};
    const philox4x32_key_t keys = {{key.word[0], key.word[1]}};
    const philox4x32_ctr_t out = philox4x32(counter, keys);
    return (norn_random_words){{out.v[0], out.v[1], out.v[2], out.v[3]}};
}

norn_key norn_random_key(uint64_t seed, uint64_t identity, norn_purpose purpose)
{
    const norn_key from_seed = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const norn_random_words words = norn_random(from_seed, (uint32_t)identity, (uint32_t)(identity >> 32),
                                                (uint32_t)purpose, 0x6e6f726eu);
    return (norn_key){{words.word[0], words.word[1]}};
}

double norn_random_unit(uint32_t word)
{
    return (double)(word >> 8) * 0x1p-24;
}

uint64_t norn_random_permute(norn_key key, uint32_t round, uint64_t index, uint64_t n)
{
    unsigned half = 1; /* bits of each half */
    while (half < 31 && (UINT64_C(1) << (2 * half)) < n) half++;
    const uint32_t mask = (uint32_t)((UINT64_C(1) << half) - 1);
    uint64_t at = index;
    do {
        uint32_t left = (uint32_t)(at >> half) & mask, right = (uint32_t)at & mask;
        for (uint32_t feistel = 0; feistel < 4; feistel++) {
            const philox2x32_ctr_t counter = {{right, (round << 3) ^ feistel ^ (key.word[1] << 16)}};
            const philox2x32_key_t word = {{key.word[0] ^ (key.word[1] >> 16)}};
            const philox2x32_ctr_t mixed = philox2x32_R(7, counter, word);
            const uint32_t next = left ^ (mixed.v[0] & mask);
            left = right;
            right = next;
        }
        at = ((uint64_t)left << half) | right;
    } while (at >= n);
    return at;
}
