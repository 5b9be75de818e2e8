/*
 * WindowAverage: the mean of the last W rows, missing ones left out; of all rows where W has none. Its theory
 * is a level with noise around it: every row ahead has the variance sigma^2 (1 + 1 / W), which is estimated
 * as a whole, by the errors of the same average over the rows seen.
 */
#include "forecast/forecaster.h"

#include <math.h>

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    double sum = 0.0, squares = 0.0,
           base = NAN; /* the sum of the window's values less the first, for its digits */
    size_t count = 0, errors = 0;
    (void)work;
    for (size_t i = 0; i < train.n; i++) {
        const double y = train.y[i] - (isfinite(base) ? base : 0.0);
        if (i > setup->window && isfinite(train.y[i - setup->window - 1])) {
            sum -= train.y[i - setup->window - 1] - base;
            count--;
        }
        if (!isfinite(y)) continue;
        if (count) {
            const double off = y - sum / (double)count;
            squares += off * off;
            errors++;
        }
        if (!isfinite(base)) base = y;
        sum += train.y[i] - base;
        count++;
    }
    state[0] = errors ? sqrt(squares / (double)errors) : NAN;
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    double sum = 0.0;
    size_t count = 0;
    for (size_t i = past.n; i-- > 0 && (past.n - i <= setup->window || !count);)
        if (isfinite(past.y[i])) {
            sum += past.y[i];
            count++;
        }
    const double mean = count ? sum / (double)count : NAN;
    for (size_t j = 0; j < setup->horizon; j++) out[j] = mean;
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon;
    double *const mean = work, *const deviation = mean + h;
    forecast(setup, state, past, mean, NULL);
    for (size_t j = 0; j < h; j++) deviation[j] = state[0];
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    norn_explain(out, "window", "rows that the mean is of", "%zu", setup->window);
    norn_explain(out, "sigma", "deviation of a row from the mean of the window before it", "%.6g", state[0]);
}

const norn_forecaster norn_model_window_average = {.name = "WindowAverage",
                                                   .word = "window-average",
                                                   .text = "the mean of the last window",
                                                   .state = norn_one_number,
                                                   .work = norn_two_rows_ahead,
                                                   .fit = fit,
                                                   .forecast = forecast,
                                                   .interval = interval,
                                                   .explain = explain};
