/*
 * How parameters are moved: rules of the step, schedules of the learning rate, and the losses by name.
 *
 * Everything zero is Adam without decay under half a cosine. Rules and schedules are PyTorch's where it has
 * them, tests/golden/optimiser.h holds its numbers; decay is for weights, never for biases. A gradient is
 * clipped by its norm first, then by value, then decay is added.
 *
 *     adam     m = 0.9 m + 0.1 g     v = 0.999 v + 0.001 g^2     p -= rate * m' / (sqrt(v') + 1e-8)
 *              where m' and v' are divided by 1 - 0.9^step and 1 - 0.999^step    (Kingma and Ba 2015)
 *     adamw    p -= rate * decay * p, then as adam without decay           (Loshchilov and Hutter 2019)
 *     sgd      m = momentum m + g    p -= rate * m;  with nesterov  p -= rate * (g + momentum m)
 *     rmsprop  v = alpha v + (1 - alpha) g^2    m = momentum m + g / (sqrt(v) + 1e-8)    p -= rate * m
 */
#ifndef NORN_SRC_NN_OPTIMISER_H
#define NORN_SRC_NN_OPTIMISER_H

#include "base/base.h"
#include "norn/forecast.h"

/* ---- losses ----------------------------------------------------------------------------------------------
 */

/* Those that a network computes. NORN_LOSS_MAPE is none of them: it is the MAE of targets that weigh more or
 * less (inputs.h). */
#define NORN_LOSS_COUNT ((size_t)NORN_LOSS_PINBALL + 1)

/* As people call them, in the order of the enums; each ends with NULL. */
extern const char *const norn_loss_words[], *const norn_optimiser_words[], *const norn_rate_words[];

/* ---- rules -----------------------------------------------------------------------------------------------
 */

typedef struct norn_optimiser {
    norn_optimiser_kind kind;
    double decay;      /* of weights; 0: none. As a share of the rate with adamw, else added to the gradient
                          as decay * p */
    double momentum;   /* of sgd and rmsprop, 0 <= momentum < 1 */
    double alpha;      /* of rmsprop, 0 < alpha < 1; 0: 0.99 */
    double clip_value; /* largest size of one number of a gradient; 0: no clipping */
    bool nesterov;     /* sgd; needs a momentum */
} norn_optimiser;

/* NORN_ERR_USAGE with the flag that mends it. */
norn_status norn_optimiser_check(const norn_optimiser *optimiser, norn_error *err);

/* ---- schedules -------------------------------------------------------------------------------------------
 */

typedef struct norn_rate_plan {
    norn_rate_kind kind;
    size_t warmup; /* steps in which the rate grows from rate / warmup to itself; the schedule begins after
                      them, and is as much shorter */
    double factor; /* STEP, EXPONENTIAL: 0 < factor <= 1; 0: 0.1 and 0.9 */
    size_t every;  /* STEP; 0: a third of the epochs, at least 1 */
} norn_rate_plan;

norn_status norn_rate_check(const norn_rate_plan *plan, norn_error *err);

/* The rate of step `done` (from 0) of `epochs` epochs of `steps` each; `rate`: the largest, or the first. */
double norn_rate_at(const norn_rate_plan *plan, double rate, size_t done, size_t steps, size_t epochs);

#endif
