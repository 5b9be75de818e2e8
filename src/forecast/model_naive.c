/*
 * Naive: the last value, h times. The best forecast of a random walk, and what MASE is measured by. As a walk
 * it has a variance that grows with the rows ahead: sigma^2 h, sigma from the steps seen (Hyndman and
 * Athanasopoulos, "Forecasting: Principles and Practice", 5.5).
 */
#include "forecast/forecaster.h"

#include <math.h>

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)setup;
    (void)work;
    state[0] = norn_walk_deviation(train, 0.0, 0);
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    const double last = norn_view_last(past);
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon, late = norn_view_late(past);
    double *const mean = work, *const deviation = mean + h;
    forecast(setup, state, past, mean, NULL);
    for (size_t j = 0; j < h; j++) deviation[j] = state[0] * sqrt((double)(j + 1 + late));
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    norn_explain(out, "sigma", "deviation of a step, from row to row", "%.6g", state[0]);
}

const norn_forecaster norn_model_naive = {.name = "Naive",
                                          .word = "naive",
                                          .text = "the last value",
                                          .state = norn_one_number,
                                          .work = norn_two_rows_ahead,
                                          .fit = fit,
                                          .forecast = forecast,
                                          .interval = interval,
                                          .explain = explain};
