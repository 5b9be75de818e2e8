/*
 * A Markov chain over quantised values (Markov 1906): values fall into k bins with as many rows each, the
 * transitions between bins are counted, with one row spread evenly over each bin's successors, and the
 * distribution of the last value's bin is propagated row by row. The forecast is the mean under it, a bin
 * being the mean of its values; bounds are its quantiles, a bin being the span of its values, evenly filled.
 *
 * k = rows / 20, from 2 to 12, and never more than there are different values. A row without a value passes
 * the distribution on.
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BINS = 12 };

/* state: how many bins, then of each its low and high end and mean, then the transitions [k][k]. */
enum { BINS, SPANS, TRANSITIONS = SPANS + 3 * MOST_BINS, DOUBLES = TRANSITIONS + MOST_BINS * MOST_BINS };

static size_t state_size(const norn_forecaster_setup *setup)
{
    (void)setup;
    return DOUBLES;
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    return setup->rows;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The bin of a value; those beyond the ends are in the first and the last. */
static size_t bin_of(const double *state, double value)
{
    size_t k = 0;
    while (k + 1 < (size_t)state[BINS] && value > state[SPANS + 3 * k + 1]) k++;
    return k;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    size_t count = 0, bins, before = SIZE_MAX;
    (void)setup;
    memset(state, 0, DOUBLES * sizeof *state);
    for (size_t t = 0; t < train.n; t++)
        if (isfinite(train.y[t])) work[count++] = train.y[t];
    if (count == 0) return;
    qsort(work, count, sizeof *work, ascending);
    bins = count / 20 < 2 ? 2 : count / 20 > MOST_BINS ? MOST_BINS : count / 20;
    size_t made = 0, from = 0;
    for (size_t k = 0; k < bins && from < count; k++) {
        size_t to = (k + 1) * count / bins; /* equal values stay together */
        if (to <= from) continue;
        while (to < count && work[to] == work[to - 1]) to++;
        double *const span = state + SPANS + 3 * made++;
        span[0] = work[from];
        span[1] = work[to - 1];
        for (size_t i = from; i < to; i++) span[2] += work[i] / (double)(to - from);
        from = to;
    }
    state[BINS] = (double)made;
    double *const to = state + TRANSITIONS;
    for (size_t t = 0; t < train.n; t++) {
        const size_t now = isfinite(train.y[t]) ? bin_of(state, train.y[t]) : SIZE_MAX;
        if (now != SIZE_MAX && before != SIZE_MAX) to[before * made + now] += 1.0;
        before = now;
    }
    for (size_t i = 0; i < made; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < made; j++) sum += to[i * made + j] += 1.0 / (double)made;
        for (size_t j = 0; j < made; j++) to[i * made + j] /= sum;
    }
}

static void propagate(const double *state, double *p)
{
    const size_t k = (size_t)state[BINS];
    double next[MOST_BINS] = {0.0};
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) next[j] += p[i] * state[TRANSITIONS + i * k + j];
    memcpy(p, next, k * sizeof *p);
}

/* Behind the last row: the bin of the last value, as many rows on as there are without one. */
static void begin(const double *state, norn_view past, double *p)
{
    size_t late = 0;
    while (late + 1 < past.n && !isfinite(past.y[past.n - 1 - late])) late++;
    for (size_t i = 0; i < (size_t)state[BINS]; i++) p[i] = 0.0;
    p[bin_of(state, past.y[past.n - 1 - late])] = 1.0;
    for (; late > 0; late--) propagate(state, p);
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const double last = norn_view_last(past);
    const size_t k = (size_t)state[BINS];
    double p[MOST_BINS];
    (void)work;
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
    if (k == 0 || !isfinite(last)) return;
    begin(state, past, p);
    for (size_t j = 0; j < setup->horizon; j++) {
        propagate(state, p);
        out[j] = 0.0;
        for (size_t i = 0; i < k; i++) out[j] += p[i] * state[SPANS + 3 * i + 2];
    }
}

static double quantile(const double *state, const double *p, double share)
{
    const size_t k = (size_t)state[BINS];
    for (size_t i = 0; i < k; i++) {
        const double *const span = state + SPANS + 3 * i;
        if (share <= p[i] || i + 1 == k) {
            const double part = p[i] > 0.0 ? share / p[i] : 0.0;
            return span[0] + (part < 1.0 ? part : 1.0) * (span[1] - span[0]);
        }
        share -= p[i];
    }
    return NAN;
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon;
    double p[MOST_BINS];
    (void)work;
    if (state[BINS] == 0.0 || !isfinite(norn_view_last(past))) return;
    begin(state, past, p);
    for (size_t j = 0; j < h; j++) {
        propagate(state, p);
        for (size_t i = 0; i < levels; i++) {
            lower[i * h + j] = quantile(state, p, 0.5 - 0.5 * level[i]);
            upper[i * h + j] = quantile(state, p, 0.5 + 0.5 * level[i]);
        }
    }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const size_t k = (size_t)state[BINS];
    (void)setup;
    norn_explain(out, "bins", "that values fall into, with as many rows each", "%zu", k);
    for (size_t i = 0; i < k; i++) {
        const double *const span = state + SPANS + 3 * i;
        norn_explain(out, "bin", "its span, and the share of rows that stay in it", "%.6g to %.6g, %.2f",
                     span[0], span[1], state[TRANSITIONS + i * k + i]);
    }
}

const norn_forecaster norn_model_markov = {
    .name = "MarkovChain",
    .word = "markov",
    .text = "transitions between bins of values, the distribution propagated",
    .paper = "Markov (1906)",
    .state = state_size,
    .work = work_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
