/* Errors of a forecast over rows of many series, gathered series by series: the formulas of norn/forecast.h.
 */
#ifndef NORN_SRC_FORECAST_METRICS_H
#define NORN_SRC_FORECAST_METRICS_H

#include "norn/forecast.h"

typedef struct norn_metrics {
    double absolute, squared; /* sums over rows */
    size_t rows;
    double percentage; /* sum of |e / y| over rows with y other than 0 */
    size_t percentage_rows;
    size_t missing_rows; /* left out: no truth */
    double scaled;       /* sum over series of their MASE */
    size_t scaled_series, unscaled_series;
} norn_metrics;

/* Adds the rows of one series: truth and forecast [h]; scale: norn_metrics_scale of the rows up to the
 * cutoff. Rows whose truth is missing (NaN) are left out and counted. */
void norn_metrics_add(norn_metrics *metrics, const double *truth, const double *forecast, size_t h,
                      double scale);

/* mean |y_t - y_{t-m}| over the pairs of y[0..n) that are there; 0 when there is none (Hyndman and Koehler
 * 2006). */
double norn_metrics_scale(const double *y, size_t n, size_t m);

norn_score norn_metrics_score(const norn_metrics *metrics, const char *model);

#endif
