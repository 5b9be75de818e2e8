/*
 * Naive2: the naive forecast of the seasonally adjusted series, as the M4 competition's code made it (its
 * benchmarks in R), which OWA is measured by. See adjust.h for the adjustment and for missing values. Its
 * bounds are Naive's, of the adjusted series, times the figure of their row. And the same with its test for a
 * season on the steps from row to row: what the M3 competition published as Naive2 is that, as far as can be
 * told (docs/decisions.md).
 */
#include "forecast/adjust.h"

#include <math.h>

/* state: [m] the figure by (row of the series) mod m, all 1 without an adjustment; and sigma. */
static size_t state_size(const norn_forecaster_setup *setup)
{
    return setup->season + 1;
}

/* Adjusted rows, or bounds and what they are made of. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    return setup->rows + setup->season + 2 * setup->horizon;
}

static void take(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    for (size_t i = 0; i < train.n; i++) work[i] = train.y[i] / state[(train.first + i) % setup->season];
    state[setup->season] = norn_walk_deviation((norn_view){work, train.n, train.first}, 0.0, 0);
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)norn_season_figure(train, setup->season, state, work);
    take(setup, train, state, work);
}

static void fit_by_steps(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)norn_season_figure_by_steps(train, setup->season, state, work, work + setup->season);
    take(setup, train, state, work);
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

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon, late = norn_view_late(past), next = past.first + past.n;
    double *const mean = work, *const deviation = mean + h;
    forecast(setup, state, past, mean, NULL);
    for (size_t j = 0; j < h; j++)
        deviation[j] =
            state[setup->season] * sqrt((double)(j + 1 + late)) * state[(next + j) % setup->season];
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    norn_explain(out, "sigma", "deviation of a step of the adjusted series", "%.6g", state[setup->season]);
    norn_explain_figure(out, state, setup->season);
}

const norn_forecaster norn_model_naive2 = {.name = "Naive2",
                                           .word = "naive2",
                                           .text = "the last value, seasonally adjusted as in M4",
                                           .seasonal = true,
                                           .state = state_size,
                                           .work = work_size,
                                           .fit = fit,
                                           .forecast = forecast,
                                           .interval = interval,
                                           .explain = explain};

const norn_forecaster norn_model_naive2_steps = {
    .name = "Naive2Steps",
    .word = "naive2-steps",
    .text = "naive2, its test for a season made of the steps from row "
            "to row, as M3 probably did",
    .seasonal = true,
    .state = state_size,
    .work = work_size,
    .fit = fit_by_steps,
    .forecast = forecast,
    .interval = interval,
    .explain = explain};
