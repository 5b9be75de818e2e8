/*
 * Drift: a line through the first and the last value seen by the fit, laid on the last value seen by the
 * forecast. With T rows that is y_T + j (y_T - y_1) / (T - 1), a random walk with drift. The variance of row
 * j is sigma^2 j (1 + j / (T - 1)): of the steps ahead, and of the slope, which was estimated from T - 1 of
 * them (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 5.5).
 */
#include "forecast/forecaster.h"

#include <math.h>

/* state: the slope, sigma, and the steps from the first value to the last. */
enum { SLOPE, SIGMA, STEPS, DOUBLES };

static size_t doubles(const norn_forecaster_setup *setup)
{
    (void)setup;
    return DOUBLES;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)setup;
    (void)work;
    size_t from = 0, to = train.n;
    while (from < train.n && !isfinite(train.y[from])) from++;
    while (to > from && !isfinite(train.y[to - 1])) to--;
    state[STEPS] = to > from ? (double)(to - 1 - from) : 0.0;
    state[SLOPE] = to > from + 1 ? (train.y[to - 1] - train.y[from]) / state[STEPS] : 0.0;
    state[SIGMA] = norn_walk_deviation(train, state[SLOPE], 1);
}

/* A missing last row is a row further from the last value. */
static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)work;
    size_t rows = past.n;
    while (rows > 1 && !isfinite(past.y[rows - 1])) rows--;
    const double last = past.y[rows - 1], late = (double)(past.n - rows);
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last + ((double)(j + 1) + late) * state[SLOPE];
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon, late = norn_view_late(past);
    double *const mean = work, *const deviation = mean + h;
    forecast(setup, state, past, mean, NULL);
    for (size_t j = 0; j < h; j++) {
        const double ahead = (double)(j + 1 + late);
        deviation[j] = state[SIGMA] * sqrt(ahead * (1.0 + ahead / state[STEPS]));
    }
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    norn_explain(out, "slope", "of the line from the first value to the last, per row", "%.6g", state[SLOPE]);
    norn_explain(out, "sigma", "deviation of a step around it", "%.6g", state[SIGMA]);
}

const norn_forecaster norn_model_drift = {.name = "Drift",
                                          .word = "drift",
                                          .text = "the line from the first value to the last",
                                          .state = doubles,
                                          .work = norn_two_rows_ahead,
                                          .fit = fit,
                                          .forecast = forecast,
                                          .interval = interval,
                                          .explain = explain};
