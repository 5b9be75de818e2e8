/*
 * The forecasts every other one must beat. Each sees y[0..n) of one series, nothing later and nothing beside
 * it, and writes h values. Values may be missing (NaN), the first one excepted.
 */
#ifndef NORN_SRC_FORECAST_BASELINE_H
#define NORN_SRC_FORECAST_BASELINE_H

#include "base/base.h"

/* The last value that is there, h times. */
void norn_naive(const double *y, size_t n, size_t h, double *out);

/* The value one season (m rows) before, of the last season seen; where that is missing, the nearest one whole
 * seasons earlier, and the last value where none is there; n >= m. */
void norn_seasonal_naive(const double *y, size_t n, size_t m, size_t h, double *out);

/*
 * A linear model of the last `window` values, all with the window's last value subtracted (NLinear of Zeng et
 * al. 2023): ridge regression in closed form, one for each step of the horizon, B = (X'X + lambda I)^-1 X'Y,
 * lambda = 1e-3 * mean of the diagonal of X'X over all windows of y[0..n) (evenly spread ones when all would
 * cost more than some 1e9 operations, but two for each value of the window where there are as many). Of a
 * window of more than 1024 values the last 1024 are taken: the cost grows with their cube. Falls back to the
 * naive forecast when there are fewer than two windows.
 *
 * A value that is missing is taken to be the one a season (m rows) before it, or without a season the last
 * one: a window is too long to be left out for every value it lacks, and estimates from the pairs that are
 * there alone were three times as far off where rows of the window depend on each other.
 */
norn_status norn_linear(const double *y, size_t n, size_t window, size_t m, size_t h, double *out,
                        const norn_host *host, norn_error *err);

#endif
