/*
 * Naive2: the naive forecast of the seasonally adjusted series, as the M4 competition's code made it (its
 * benchmarks in R), which OWA is measured by. See adjust.h for the adjustment and for missing values.
 */
#include "forecast/adjust.h"

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

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)norn_season_figure(train, setup->season, state, work);
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
