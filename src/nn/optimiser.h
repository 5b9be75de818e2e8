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

/* Of e = prediction - target: -q e below the target, (1 - q) e above, for the quantile q (Koenker and Bassett
 * 1978). Beyond what norn/forecast.h names; it will when the command does. */
#define NORN_LOSS_PINBALL ((norn_loss)(NORN_LOSS_HUBER + 1))
#define NORN_LOSS_COUNT   ((size_t)NORN_LOSS_PINBALL + 1)

/* A loss as people call it. MAPE is |e| / |y|: the MAE of targets that weigh 1 / |y| each (a y of 0: 0). */
typedef struct norn_loss_name {
    const char *name;
    norn_loss loss;
    bool relative; /* targets weigh 1 / |y| */
} norn_loss_name;
extern const norn_loss_name norn_loss_names[]; /* ends with a name of NULL */

/* ---- rules -----------------------------------------------------------------------------------------------
 */

typedef enum norn_optimiser_kind {
    NORN_OPTIMISER_ADAM = 0,
    NORN_OPTIMISER_ADAMW,
    NORN_OPTIMISER_SGD,
    NORN_OPTIMISER_RMSPROP
} norn_optimiser_kind;
extern const char *const norn_optimiser_words[]; /* in this order, ends with NULL */

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

typedef enum norn_rate_kind {
    NORN_RATE_COSINE = 0,  /* half a cosine from the rate to 0 (Loshchilov and Hutter 2017) */
    NORN_RATE_CONSTANT,    /* */
    NORN_RATE_STEP,        /* times `factor` after every `every` epochs */
    NORN_RATE_EXPONENTIAL, /* times `factor` after every epoch */
    NORN_RATE_ONE_CYCLE /* up from rate / 25 in the first 0.3 of all steps, then down to rate / 250000, both
                           by cosines (Smith and Topin 2018) */
} norn_rate_kind;
extern const char *const norn_rate_words[]; /* in this order, ends with NULL */

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
