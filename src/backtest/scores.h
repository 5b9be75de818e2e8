/*
 * Errors of forecasts as sums, and metrics as functions of sums.
 *
 * A block is what one model forecast for one series at one cutoff. Its rows become NORN_SUMS sums; sums of
 * blocks, weighted or not, are sums again, so that every scope and every replicate of the bootstrap is made
 * from the same numbers. A metric is a mean over the rows of its scope, over the series in it, or over the
 * blocks in it; the table in scores.c says which.
 */
#ifndef NORN_SRC_BACKTEST_SCORES_H
#define NORN_SRC_BACKTEST_SCORES_H

#include "norn/backtest.h"

#include "base/base.h"

enum { NORN_OWN_METRICS = NORN_METRIC_OWA }; /* those before OWA need no other model */

typedef enum norn_sum {
    NORN_SUM_ROWS = 0, /* scored */
    NORN_SUM_ABSOLUTE, /* |e| */
    NORN_SUM_SQUARED,
    NORN_SUM_ABOVE,      /* f - y */
    NORN_SUM_PERCENTAGE, /* |e / y| */
    NORN_SUM_PERCENTAGE_ROWS,
    NORN_SUM_SYMMETRIC, /* |e| / (|y| + |f|) */
    NORN_SUM_SYMMETRIC_ROWS,
    NORN_SUM_TRUTH,         /* |y| */
    NORN_SUM_LEVEL,         /* y - its series' reference */
    NORN_SUM_LEVEL_SQUARED, /* the square of that: no cancelling at high levels */
    NORN_SUM_TRUTH_SQUARED,
    NORN_SUM_FORECAST_SQUARED,
    NORN_SUM_SCALED, /* |e| / q */
    NORN_SUM_SCALED_ROWS,
    NORN_SUM_SCALED_SQUARED, /* e^2 / q_2 */
    NORN_SUM_SCALED_SQUARED_ROWS,
    NORN_SUM_CHANGE_ERROR, /* (e_t / y_{t-1})^2 */
    NORN_SUM_CHANGE,       /* ((y_t - y_{t-1}) / y_{t-1})^2 */
    NORN_SUM_CHANGE_ROWS,
    NORN_SUM_DIRECTION, /* rows that went where they were said to */
    NORN_SUM_DIRECTION_ROWS,
    NORN_SUMS
} norn_sum;

typedef struct norn_block {
    const double *truth, *forecast; /* [h] */
    double before;                  /* the last value at the cutoff */
    double scale, square_scale;     /* mean |y_t - y_{t-m}| and its square's mean over the rows up to the
                                       cutoff; 0: none */
    double reference;               /* any level of the series, the same in all its blocks */
} norn_block;

/* Adds the rows from .. to-1 of a block. Rows whose truth or forecast is not finite are left out. */
void norn_block_add(double sums[NORN_SUMS], const norn_block *block, size_t from, size_t to);

/* mean |y_t - y_{t-m}| and mean (y_t - y_{t-m})^2 over y[0, n), pairs with missing values left out; 0 where
 * there is none. With the sums of an earlier and shorter call (all 0 at first) only the rows between are
 * looked at. */
typedef struct norn_scale_sums {
    double sum, squares;
    size_t pairs, rows;
} norn_scale_sums;
void norn_scales_of(norn_scale_sums *sums, const double *y, size_t n, size_t m, double *scale,
                    double *square_scale);

/*
 * One scope: every block is added, series by series. Weights are how often the bootstrap drew a series or a
 * cutoff, else 1.
 *
 *   norn_gather_begin; for each series { for each block norn_gather_block; norn_gather_series; }
 * norn_gather_end
 */
typedef struct norn_gather {
    norn_compat compat;
    double series[NORN_SUMS], total[NORN_SUMS];
    double sum[NORN_OWN_METRICS], weight[NORN_OWN_METRICS]; /* of metrics that are means of values */
    size_t undefined[NORN_OWN_METRICS];
} norn_gather;

void norn_gather_begin(norn_gather *gather, norn_compat compat);
void norn_gather_block(norn_gather *gather, const double sums[NORN_SUMS], double series_weight,
                       double fold_weight);
void norn_gather_series(norn_gather *gather, double series_weight);
void norn_gather_end(const norn_gather *gather, double values[NORN_OWN_METRICS],
                     size_t undefined[NORN_OWN_METRICS]);

/* The season that scales are made with. */
size_t norn_compat_season(norn_compat compat, size_t season);

/* Metrics beside other models, from values of the same scope. values [NORN_METRICS] of a model is completed;
 * naive2, naive, seasonal_naive, linear: values of those models or NULL. */
void norn_metrics_beside(double *values, const double *naive2, const double *naive,
                         const double *seasonal_naive, const double *linear);

#endif
