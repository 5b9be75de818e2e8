/*
 * What a network is trained on: sizes, transform, base and scale, chosen from the rows a member may see and
 * from nothing else. docs/decisions.md tells how the numbers were found.
 *
 * Of a series with n visible rows: V validation rows at the end, max(h, n/10) of a series that is forecast.
 * Training windows have their targets before the validation rows, validation windows inside them.
 *
 *   log    values are modelled as log y where the spread within seasons grows with their level: y > 0, at
 *          least 4 blocks of a season, correlation of block mean and deviation above 1/2, and the deviation
 *          relative to the mean varies less than 0.6 times as much as the deviation itself
 *   base   of the forecast: the last value, or the value one season before where that leaves less variance
 *          (summed over the steps of the horizon, mean of each step removed) in the training windows
 *   scale  root mean square of target - base over the training windows
 *
 * Missing values (NaN) are left out of all of it: the last value of a window is the last that is there, a
 * target or season base that is missing makes no pair, and both bases are compared over the targets that
 * have both.
 */
#ifndef NORN_SRC_FORECAST_RECIPE_H
#define NORN_SRC_FORECAST_RECIPE_H

#include "base/base.h"
#include "nn/train.h"

/* One series as a member sees it. */
typedef struct norn_recipe_series {
    bool log;
    size_t season; /* base: 0 the last value, else the value this many rows before */
    double scale;
    norn_span train, valid;
    size_t seen;         /* rows the member may see */
    size_t from, learnt; /* the rows from..learnt are those it learns from: no validation target is in them */
} norn_recipe_series;

/* Whether y[0..n) is better modelled by its logarithm; m: season, 1 for none. Blocks of which less than half
 * is there do not count. */
bool norn_recipe_log(const double *y, size_t n, size_t m);

/* Fills everything but log, which is given: z = log y or y (missing where y has no logarithm), n rows
 * visible, all of them to learn from. A scale of 0 says that the base was never off in the training windows:
 * there is nothing to correct. valid_rows 0: all windows are there to train on. False when n leaves no
 * training window, or no validation window of valid_rows > 0. Spans in which no target is there with its base
 * come out empty. */
bool norn_recipe_fit(norn_recipe_series *out, const double *y, size_t n, bool log, size_t window,
                     size_t horizon, size_t valid_rows, size_t season);

#endif
