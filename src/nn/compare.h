/*
 * A network on the device beside the double-precision reference: same parameters, windows, masks and dropout.
 * What `norn devices --test` and the tests of the network have in common.
 */
#ifndef NORN_SRC_NN_COMPARE_H
#define NORN_SRC_NN_COMPARE_H

#include "nn/network.h"

/* Largest differences, each relative to the largest value of its tensor (parameters: of the learning rate).
 */
typedef struct norn_network_comparison {
    double output;   /* forecasts of norn_network_infer */
    double loss;     /* sum of losses of the training step's rows, and of the inference's */
    double gradient; /* of every parameter */
    double update;   /* parameters after three steps of clipping and the optimiser, from the device's own
                        gradients */
} norn_network_comparison;

/*
 * Builds a network of this shape (members 1), feeds it `rows` <= batch windows of random series with some
 * missing values, and compares. Random numbers depend on seed alone.
 */
norn_status norn_compare_network(norn_context *context, const norn_network_shape *shape, size_t rows,
                                 uint64_t seed, norn_network_comparison *out, norn_error *err);

/*
 * The skeleton's own kernels (sequence_forward, sequence_backward, initial_state and its gradient) on one
 * layer against the reference: learned initial states, masked steps, against time when reverse. The larger of
 * the relative errors of h, the gate gradients and the gradient of the learned state.
 */
norn_status norn_compare_sequence(norn_context *context, bool reverse, uint64_t seed, double *error,
                                  norn_error *err);

#endif
