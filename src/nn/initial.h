/*
 * What the parameters of a member are before the first step. Matrices are made gate by gate, since a gate is
 * a layer of its own that only happens to be stored beside the others; every number is a function of the
 * member's key and of its place among the plain parameters (random.h), never of what was drawn before.
 *
 *     uniform     +-1 / sqrt(H), biases too: PyTorch's
 *     xavier      +-sqrt(6 / (rows + columns)), biases 0                  (Glorot and Bengio 2010)
 *     orthogonal  as xavier; recurrent matrices orthogonal, from a normal one by Gram and Schmidt, twice over
 *                                                                                      (Saxe et al. 2014)
 */
#ifndef NORN_SRC_NN_INITIAL_H
#define NORN_SRC_NN_INITIAL_H

#include "base/base.h"
#include "nn/random.h"
#include "norn/forecast.h"

extern const char *const norn_init_words[]; /* in the order of norn_init, ends with NULL */

typedef enum norn_initial_part {
    NORN_INITIAL_INPUT = 0,
    NORN_INITIAL_RECURRENT,
    NORN_INITIAL_BIAS
} norn_initial_part;

/* Fills out [rows][columns], one gate's part of a layer of `hidden` units, whose first number is the place-th
 * of the member's plain parameters. */
void norn_initial_fill(norn_init init, norn_initial_part part, norn_key key, size_t place, size_t rows,
                       size_t columns, size_t hidden, double *out);

#endif
