/*
 * SeasonalNaive: the value one season before, of the last season seen. A value that is missing is taken from
 * the season before it, and so on; where a place of the season has never been seen, the last value serves.
 *
 * Its bounds are those of a walk from season to season: sigma^2 times the seasons gone by (Hyndman and
 * Athanasopoulos, "Forecasting: Principles and Practice", 5.5); none where the last value serves.
 */
#include "forecast/forecaster.h"

#include <math.h>

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    double squares = 0.0;
    size_t count = 0;
    (void)work;
    for (size_t i = setup->season; i < train.n; i++) {
        const double off = train.y[i] - train.y[i - setup->season];
        if (!isfinite(off)) continue;
        squares += off * off;
        count++;
    }
    state[0] = count ? sqrt(squares / (double)count) : NAN;
}

/* Rows from the end of the view back to the value that serves row j; more than there are: none does. */
static size_t rows_back(norn_view past, size_t m, size_t j)
{
    size_t back = m - j % m;
    while (back <= past.n && !isfinite(past.y[past.n - back])) back += m;
    return back;
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    const size_t m = setup->season;
    const double last = norn_view_last(past);
    for (size_t j = 0; j < setup->horizon; j++) {
        const size_t back = rows_back(past, m, j);
        out[j] = back <= past.n ? past.y[past.n - back] : last;
    }
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon, m = setup->season;
    double *const mean = work, *const deviation = mean + h;
    forecast(setup, state, past, mean, NULL);
    for (size_t j = 0; j < h; j++) {
        const size_t back = rows_back(past, m, j);
        deviation[j] = back <= past.n ? state[0] * sqrt((double)((j + back) / m)) : NAN;
    }
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    norn_explain(out, "sigma", "deviation of a step, from season to season", "%.6g", state[0]);
}

const norn_forecaster norn_model_seasonal_naive = {.name = "SeasonalNaive",
                                                   .word = "seasonal-naive",
                                                   .text = "the value one season before",
                                                   .seasonal = true,
                                                   .state = norn_one_number,
                                                   .work = norn_two_rows_ahead,
                                                   .fit = fit,
                                                   .forecast = forecast,
                                                   .interval = interval,
                                                   .explain = explain};
