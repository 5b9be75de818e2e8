/*
 * The simple forecasts once more, straight from their definitions: what the forecasters of the library
 * (src/forecast/model_*.c), which are written for speed, are compared with. Each sees y[0..n) of one series
 * and writes h values; values may be missing (NaN), the first one excepted.
 */
#ifndef NORN_TESTS_BASELINE_REFERENCE_H
#define NORN_TESTS_BASELINE_REFERENCE_H

#include "base/base.h"

#include <math.h>
#include <string.h>

enum { MOST_LAGS = 1024 };

/* The last of y[0..n) that is there, n > 0. */
static double last_there(const double *y, size_t n)
{
    while (n > 1 && isnan(y[n - 1])) n--;
    return y[n - 1];
}

static void naive_reference(const double *y, size_t n, size_t h, double *out)
{
    const double last = last_there(y, n);
    for (size_t i = 0; i < h; i++) out[i] = last;
}

static inline void seasonal_naive_reference(const double *y, size_t n, size_t m, size_t h, double *out)
{
    for (size_t i = 0; i < h; i++) {
        size_t row = n - m + i % m;
        while (isnan(y[row]) && row >= m) row -= m;
        out[i] = isnan(y[row]) ? last_there(y, n) : y[row];
    }
}

/* In place, lower triangle: A = L L'. False when A is not positive definite. */
static bool cholesky(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double d = a[j * n + j];
        for (size_t k = 0; k < j; k++) d -= a[j * n + k] * a[j * n + k];
        if (!(d > 0.0)) return false;
        d = sqrt(d);
        a[j * n + j] = d;
        for (size_t i = j + 1; i < n; i++) {
            double s = a[i * n + j];
            for (size_t k = 0; k < j; k++) s -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = s / d;
        }
    }
    return true;
}

/* Solves L L' x = b for the columns of b [n][columns], in place. */
static void solve(const double *l, size_t n, double *b, size_t columns)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < columns; c++) {
            double s = b[i * columns + c];
            for (size_t k = 0; k < i; k++) s -= l[i * n + k] * b[k * columns + c];
            b[i * columns + c] = s / l[i * n + i];
        }
    for (size_t i = n; i-- > 0;)
        for (size_t c = 0; c < columns; c++) {
            double s = b[i * columns + c];
            for (size_t k = i + 1; k < n; k++) s -= l[k * n + i] * b[k * columns + c];
            b[i * columns + c] = s / l[i * n + i];
        }
}

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
static inline norn_status linear_reference(const double *y, size_t n, size_t window, size_t m, size_t h,
                                           double *out, const norn_host *host, norn_error *err)
{
    naive_reference(y, n, h, out);
    if (window > MOST_LAGS) window = MOST_LAGS;
    if (n < window + h + 1 || window < 2) return NORN_OK;
    const size_t p = window; /* window - 1 differences to the last value, and a constant */
    const size_t windows = n - window - h + 1;
    const double cost = (double)p * ((double)p + (double)h);
    const double affordable = 1e9 / cost;
    size_t used = affordable < (double)windows ? (size_t)affordable : windows;
    if (used < 2 * p && windows >= 2 * p) used = 2 * p;
    if (used < 2) used = windows < 2 ? windows : 2;

    norn_status status = NORN_OK;
    double *gram = norn_new(host, p * p, sizeof *gram), *right = norn_new(host, p * h, sizeof *right);
    double *row = norn_new(host, p, sizeof *row);
    double *filled = norn_new(host, n, sizeof *filled); /* y without missing values */
    if (!gram || !right || !row || !filled) {
        status = norn_fail_memory(err, "the linear model");
        goto done;
    }
    for (size_t i = 0; i < n; i++) filled[i] = i && isnan(y[i]) ? filled[i - (i >= m ? m : 1)] : y[i];
    for (size_t i = 0; i < used; i++) {
        const size_t first = used < 2 ? 0 : (size_t)((double)i * (double)(windows - 1) / (double)(used - 1));
        const double *const target = filled + first + window, last = target[-1];
        for (size_t k = 0; k + 1 < p; k++) row[k] = filled[first + k] - last;
        row[p - 1] = 1.0;
        for (size_t a = 0; a < p; a++) {
            for (size_t b = 0; b <= a; b++) gram[a * p + b] += row[a] * row[b];
            for (size_t j = 0; j < h; j++) right[a * h + j] += row[a] * (target[j] - last);
        }
    }
    double trace = 0.0;
    for (size_t k = 0; k + 1 < p; k++) trace += gram[k * p + k];
    const double lambda = 1e-3 * trace / (double)(p - 1);
    for (size_t k = 0; k + 1 < p; k++) gram[k * p + k] += lambda;
    if (!(lambda > 0.0) || !cholesky(gram, p)) goto done; /* a constant series: the naive forecast is right */
    solve(gram, p, right, h);
    for (size_t k = 0; k + 1 < p; k++) row[k] = filled[n - window + k] - filled[n - 1];
    row[p - 1] = 1.0;
    for (size_t j = 0; j < h; j++) out[j] = filled[n - 1];
    for (size_t j = 0; j < h; j++)
        for (size_t k = 0; k < p; k++) out[j] += row[k] * right[k * h + j];
done:
    norn_delete(host, gram, p * p, sizeof *gram);
    norn_delete(host, right, p * h, sizeof *right);
    norn_delete(host, row, p, sizeof *row);
    norn_delete(host, filled, n, sizeof *filled);
    return status;
}

#endif
