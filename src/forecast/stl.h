/*
 * STL, the decomposition of a series into season, trend and remainder by local regression, after Cleveland,
 * Cleveland, McRae and Terpenning (1990), "STL: A Seasonal-Trend Decomposition Procedure Based on Loess",
 * Journal of Official Statistics 6; and MSTL, the same for several seasons, one inside the other, after
 * Bandara, Hyndman and Bergmeir (2021).
 *
 * A missing value has no weight in any regression. Season and trend are there at its row all the same.
 */
#ifndef NORN_SRC_FORECAST_STL_H
#define NORN_SRC_FORECAST_STL_H

#include "base/base.h"

typedef struct norn_stl_setup {
    size_t period; /* rows of a season, >= 2 */
    /* Widths q of the three regressions, odd: over the years of one place in the season, over the trend, and
     * over what of the trend got into the season. */
    size_t seasonal, trend, low_pass;
    size_t seasonal_jump, trend_jump, low_pass_jump; /* fitted at every so many rows, lines between */
    size_t inner;                                    /* passes with the same weights */
    size_t outer;                                    /* times that outlying rows lose weight; 0: not robust */
} norn_stl_setup;

/* A seasonal width of 11, trend and low pass by the paper's rule, jumps of a tenth of a width as in R;
 * robust: 15 outer passes with one inner, else none with two. */
norn_stl_setup norn_stl_defaults(size_t period, bool robust);

size_t norn_stl_work(size_t n, size_t period); /* doubles of work */

/*
 * y [n] -> season [n], trend [n], weight [n] (of the last pass; 0 where y is missing). n >= 2 period. What is
 * left, y - season - trend, is the remainder. work [norn_stl_work(n, period)].
 */
void norn_stl(const norn_stl_setup *setup, const double *y, size_t n, double *season, double *trend,
              double *weight, double *work);

/*
 * y [n] -> seasons [count][n], trend [n]. periods ascend, each at least 2 and at most n / 2; the seasonal
 * width of the k-th is 11 + 4 k, and with more than one all are gone through twice.
 * work [norn_mstl_work(n, periods[count - 1])].
 */
size_t norn_mstl_work(size_t n, size_t longest);
void norn_mstl(const size_t *periods, size_t count, bool robust, const double *y, size_t n, double *seasons,
               double *trend, double *work);

/* The standard setup with another seasonal width: the trend's follows from it. */
norn_stl_setup norn_stl_with_width(size_t period, size_t seasonal, bool robust);

#endif
