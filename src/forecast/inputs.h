/*
 * What the network sees of a table: its inputs, and the tracks on the device that they are read from.
 *
 *   target  the series itself, as a difference to the last value of the window
 *   past    a covariate, standardised by the training rows of the series that a view has
 *   future  the same as a past covariate, and again advanced by h rows, so that the window ends with the last
 *           row that is forecast, and by h - k, h - 2 k, ... above 0. k is 1: the last row of the window then
 *           holds every row of the horizon, and the network need not remember them (measured, a sixth of the
 *           error of h alone). Where that would be more than 64 inputs k is larger, but never larger than the
 *           window, which so sees every row of the horizon
 *   static  a constant, standardised over the series; one that is the same for all series is left out
 *   mask    1 where a value of one of the others is missing, for each that misses one
 *   weight  none of the network's inputs, but behind them in the list where there is one: how much a row
 * counts as a target. Relative weights are 1 / |y|, a truth below a hundredth of the mean size counted as
 * that and one of 0 not at all; 1 where the logarithm is forecast. The mean over the training rows of a view,
 * in which the differences it sees are scaled, is 1
 *
 * Missing values enter as 0, the mean of what is standardised. A view is what a fold may see
 * (forecast/run.h). Which inputs there are follows from the rows of the last view, which sees least; what
 * only others see changes nothing.
 */
#ifndef NORN_SRC_FORECAST_INPUTS_H
#define NORN_SRC_FORECAST_INPUTS_H

#include "forecast/recipe.h"
#include "nn/series.h"
#include "norn/table.h"

typedef enum norn_input_kind {
    NORN_INPUT_TARGET = 0,
    NORN_INPUT_PAST,
    NORN_INPUT_FUTURE,
    NORN_INPUT_STATIC,
    NORN_INPUT_KINDS,
    NORN_INPUT_WEIGHT = NORN_INPUT_KINDS
} norn_input_kind;

typedef struct norn_input {
    norn_input_kind kind;
    bool mask;
    size_t column;  /* of its kind */
    size_t advance; /* rows that it is seen ahead */
} norn_input;

typedef struct norn_inputs {
    norn_table *table;
    const norn_host *host;
    const norn_recipe_series *recipes; /* [V][S]; seen 0: the series is not in the view */
    size_t views, series, window, horizon;
    bool relative;      /* targets weigh 1 / |y| */
    const char *weight; /* and as much as this past covariate says, which is no input; NULL: none */

    norn_input *list; /* [count] the target, the others, the weight if there is one */
    size_t count, capacity;
    bool *masked[NORN_INPUT_KINDS];   /* [columns of the kind] has a mask */
    bool *constant[NORN_INPUT_KINDS]; /* [columns of the kind] says nothing in the training rows of the last
                                         view; known after norn_inputs_put */
    bool *used;                       /* [S] the series is in any view */
    double *centre, *spread;          /* [statics] */

    size_t heavy;          /* the past covariate that weighs; SIZE_MAX: none */
    size_t seen;           /* F of them that the network sees: all but the weight */
    size_t columns;        /* C tracks */
    size_t zeros;          /* the one that is 0 everywhere; SIZE_MAX: none */
    norn_track_plan *plan; /* [C] */
    int *of;               /* [S][F] */
    float *pairs;          /* [V][C][2] scaling: see kernels/windows.cl */
} norn_inputs;

/* How many columns of a kind the table has; targets are one. */
size_t norn_inputs_columns(const norn_inputs *inputs, norn_input_kind kind);
const char *norn_inputs_name(const norn_inputs *inputs, norn_input_kind kind, size_t column);

/* Chooses the inputs and plans the tracks of what stands in the first part of the struct. Errors:
 * NORN_ERR_USAGE (more inputs or tracks than a network takes), NORN_ERR_MEMORY. */
norn_status norn_inputs_plan(norn_inputs *inputs, norn_error *err);

/* Brings the series to the device and fills `pairs`. consume_past: the table's past covariates are dropped
 * one by one as they arrive. */
norn_status norn_inputs_put(norn_inputs *inputs, norn_context *context, bool consume_past, norn_series **out,
                            norn_error *err);

/* The target's row in the units of the network: its value, or its logarithm; NaN where there is none. */
double norn_inputs_target(const double *y, size_t row, bool log_of);

/* (shift, factor) of a covariate from the rows from..n, those a view learns from: standard scores, shifted by
 * the first value that is there, as its track is. Factor 0: constant, or all missing. */
void norn_inputs_scale(const double *x, size_t from, size_t n, float pair[2]);
/* A static covariate enters as (float)(x - centre) times this. */
float norn_inputs_static_factor(const norn_inputs *inputs, size_t column);

void norn_inputs_free(norn_inputs *inputs);

#endif
