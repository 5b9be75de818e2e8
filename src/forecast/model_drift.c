/*
 * Drift: a line through the first and the last value seen by the fit, laid on the last value seen by the
 * forecast. With T rows that is y_T + j (y_T - y_1) / (T - 1), a random walk with drift.
 */
#include "forecast/forecaster.h"

#include <math.h>

static size_t one(const norn_forecaster_setup *setup)
{
    (void)setup;
    return 1;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)setup;
    (void)work;
    size_t from = 0, to = train.n;
    while (from < train.n && !isfinite(train.y[from])) from++;
    while (to > from && !isfinite(train.y[to - 1])) to--;
    state[0] = to > from + 1 ? (train.y[to - 1] - train.y[from]) / (double)(to - 1 - from) : 0.0;
}

/* A missing last row is a row further from the last value. */
static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)work;
    size_t rows = past.n;
    while (rows > 1 && !isfinite(past.y[rows - 1])) rows--;
    const double last = past.y[rows - 1], late = (double)(past.n - rows);
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last + ((double)(j + 1) + late) * state[0];
}

const norn_forecaster norn_model_drift = {.name = "Drift",
                                          .word = "drift",
                                          .text = "the line from the first value to the last",
                                          .state = one,
                                          .fit = fit,
                                          .forecast = forecast};
