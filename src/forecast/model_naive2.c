/*
 * Naive2: the naive forecast of the seasonally adjusted series, as the M4 competition's code made it (its
 * benchmarks in R), which OWA is measured by. An adjustment is made where the series passes a test at 90 %:
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
#include "forecast/forecaster.h"

#include <math.h>

/* state: [m] the figure by (row of the series) mod m; all 1 without an adjustment. */
static size_t state_size(const norn_forecaster_setup *setup)
{
    return setup->season;
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    return setup->season;
}

static double autocorrelation(norn_view v, double mean, double squares, size_t lag)
{
    double sum = 0.0;
    for (size_t i = lag; i < v.n; i++) {
        const double product = (v.y[i] - mean) * (v.y[i - lag] - mean);
        if (isfinite(product)) sum += product;
    }
    return sum / squares;
}

static bool is_seasonal(norn_view v, size_t m)
{
    double sum = 0.0, squares = 0.0, before = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < v.n; i++)
        if (isfinite(v.y[i])) {
            sum += v.y[i];
            count++;
        }
    if (m < 2 || v.n / 3 < m || (double)m > floor(10.0 * log10((double)v.n)) || m >= v.n) return false;
    const double mean = sum / (double)count;
    for (size_t i = 0; i < v.n; i++)
        if (isfinite(v.y[i])) squares += (v.y[i] - mean) * (v.y[i] - mean);
    if (!(squares > 0.0)) return false;
    for (size_t lag = 1; lag < m; lag++) {
        const double r = autocorrelation(v, mean, squares, lag);
        before += r * r;
    }
    const double limit = 1.645 / sqrt((double)count) * sqrt(1.0 + 2.0 * before);
    return fabs(autocorrelation(v, mean, squares, m)) > limit;
}

/* The moving average around row i: rows i - m/2 .. i + m/2; NaN where one is missing. */
static double level(norn_view v, size_t i, size_t m)
{
    const size_t half = m / 2;
    double sum = 0.0;
    for (size_t k = i - half; k <= i + half; k++)
        sum += m % 2 == 0 && (k == i - half || k == i + half) ? 0.5 * v.y[k] : v.y[k];
    return sum / (double)m;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    const size_t m = setup->season;
    double mean = 0.0;
    bool adjusts = is_seasonal(train, m);
    for (size_t p = 0; p < m; p++) state[p] = work[p] = 0.0;
    for (size_t i = m / 2; adjusts && i + m / 2 < train.n; i++) {
        const double ratio = train.y[i] / level(train, i, m);
        if (!isfinite(ratio)) continue;
        state[(train.first + i) % m] += ratio;
        work[(train.first + i) % m] += 1.0;
    }
    for (size_t p = 0; adjusts && p < m; p++) {
        state[p] /= work[p];
        mean += state[p] / (double)m;
    }
    for (size_t p = 0; adjusts && p < m; p++) {
        state[p] /= mean;
        if (!(isfinite(state[p]) && state[p] > 0.0)) adjusts = false;
    }
    for (size_t p = 0; !adjusts && p < m; p++) state[p] = 1.0;
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)work;
    const size_t m = setup->season, next = past.first + past.n;
    size_t last = past.n;
    while (last > 1 && !isfinite(past.y[last - 1])) last--;
    const double adjusted = past.y[last - 1] / state[(past.first + last - 1) % m];
    for (size_t j = 0; j < setup->horizon; j++) out[j] = adjusted * state[(next + j) % m];
}

const norn_forecaster norn_model_naive2 = {.name = "Naive2",
                                           .word = "naive2",
                                           .text = "the last value, seasonally adjusted as in M4",
                                           .seasonal = true,
                                           .state = state_size,
                                           .work = work_size,
                                           .fit = fit,
                                           .forecast = forecast};
