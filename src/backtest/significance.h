/*
 * Tests of significance and the two distributions they need. Formulas are of the papers named; numbers agree
 * with SciPy and statsmodels (tools/golden_backtest.py).
 */
#ifndef NORN_SRC_BACKTEST_SIGNIFICANCE_H
#define NORN_SRC_BACKTEST_SIGNIFICANCE_H

#include "norn/backtest.h"

#include "base/base.h"

/* P(|T| >= |t|) of Student's t. */
double norn_student_tails(double t, double degrees);
/* P(X >= x) of chi-square. */
double norn_chi_square_tail(double x, double degrees);

/* Of the loss differentials of n cutoffs: see norn_comparison. */
norn_comparison norn_diebold_mariano(const double *d, size_t n, size_t lags);

/* Sums of (e_t - mean)(e_{t-k} - mean) for k = 0 .. lags. Missing values (NaN) pair with nothing. Returns how
 * many values there are. */
size_t norn_autocovariance(const double *e, size_t n, size_t lags, double *out);
/* Ljung and Box (1978): n (n + 2) sum_k r_k^2 / (n - k), from autocovariances of n values. */
double norn_ljung_box(const double *covariance, size_t n, size_t lags);

/* Mean, deviation (n - 1), skewness and excess kurtosis of the values that are not missing. */
void norn_moments_of(const double *e, size_t n, norn_residuals *out);

#endif
