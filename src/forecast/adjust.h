/*
 * Seasonal adjustment as the M4 competition's code made it (its benchmarks in R). An adjustment is made where
 * the series passes a test at 90 %:
 *
 *   |r_m| > 1.645 sqrt((1 + 2 (r_1^2 + ... + r_{m-1}^2)) / n),   n >= 3 m
 *
 * with r the autocorrelation, of which R computes no lag above 10 log10 n: a longer season is never found.
 * The seasonal figure is that of classical multiplicative decomposition (R's decompose): y over a centred
 * moving average of m rows (with half weights at both ends where m is even), averaged by place in the season,
 * divided by the mean of the figure.
 *
 * Missing values: pairs and averages with one are left out. Where a place of the figure cannot be had, or is
 * not above 0, there is no adjustment.
 */
#ifndef NORN_SRC_FORECAST_ADJUST_H
#define NORN_SRC_FORECAST_ADJUST_H

#include "forecast/forecaster.h"

/* Does the view pass the test? */
bool norn_is_seasonal(norn_view v, size_t m);

/* figure [m] by (row of the series) mod m, all 1 without an adjustment, which false says; counts [m] is
 * written over. */
bool norn_season_figure(norn_view v, size_t m, double *figure, double *counts);

/* The same with another test, of the steps from row to row, where a trend can neither hide a season nor look
 * like one: |r_m| > 1.645 / sqrt(n) of the n steps. steps [v.n] is written over. */
bool norn_season_figure_by_steps(norn_view v, size_t m, double *figure, double *counts, double *steps);

/* A line for each place of the figure; one alone where there is no adjustment. */
void norn_explain_figure(norn_explanation *out, const double *figure, size_t m);

#endif
