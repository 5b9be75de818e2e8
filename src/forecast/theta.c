/*
 * The Theta method (Assimakopoulos and Nikolopoulos 2000), as it won the M3 and as the M4's code has it: the
 * series is adjusted for its season where it passes a test (adjust.h), and the forecast is the mean of two,
 *
 *   the least-squares line through the adjusted values            theta 0
 *   exponential smoothing of 2 y - line                           theta 2: its curvature doubled
 *
 * multiplied by the figure of the season. Half of the residual of the smoothed line is that of the method
 * (Hyndman and Billah 2003: it is smoothing with a drift of half the slope), so that the deviation j rows
 * later is sigma sqrt(1 + (j - 1) alpha^2).
 */
#include "forecast/adjust.h"
#include "forecast/ets.h"

#include <math.h>
#include <string.h>

/* Behind it a norn_ets without a season, of 2 y - line, and the figure [m]. */
typedef struct theta {
    double intercept, slope; /* of the line, by row of the series */
} theta;

static size_t ets_at(void)
{
    return sizeof(theta) / sizeof(double);
}

static size_t figure_at(void)
{
    return ets_at() + norn_ets_size(1);
}

static norn_forecaster_setup without_season(const norn_forecaster_setup *setup)
{
    norn_forecaster_setup plain = *setup;
    plain.season = 1;
    return plain;
}

static size_t state_size(const norn_forecaster_setup *setup)
{
    return figure_at() + setup->season;
}

/* The lines [rows], counts of the figure [m], out and deviation [h], and the smoothing's. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    const norn_forecaster_setup plain = without_season(setup);
    return setup->rows + setup->season + 2 * setup->horizon + norn_ets_work(&plain);
}

static size_t least(const norn_forecaster_setup *setup)
{
    (void)setup;
    return norn_ets_numbers(&norn_ets_forms[NORN_ETS_ANN], 1) + 1;
}

/* 2 y - line of the adjusted rows. */
static norn_view curved(const norn_forecaster_setup *setup, const double *state, norn_view view, double *out)
{
    const theta *const t = (const theta *)state;
    const double *const figure = state + figure_at();
    for (size_t i = 0; i < view.n; i++) {
        const size_t row = view.first + i;
        out[i] = 2.0 * view.y[i] / figure[row % setup->season] - t->intercept - t->slope * (double)row;
    }
    return (norn_view){out, view.n, view.first};
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    theta *const t = (theta *)state;
    double *const figure = state + figure_at(), *const lines = work, *const counts = lines + setup->rows;
    const norn_forecaster_setup plain = without_season(setup);
    double count = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    (void)norn_season_figure(train, setup->season, figure, counts);
    for (size_t i = 0; i < train.n; i++) {
        if (!isfinite(train.y[i])) continue;
        count += 1.0;
        x += (double)i;
        y += train.y[i] / figure[(train.first + i) % setup->season];
    }
    x /= count;
    y /= count;
    for (size_t i = 0; i < train.n; i++) {
        const double at = (double)i - x, value = train.y[i] / figure[(train.first + i) % setup->season] - y;
        if (!isfinite(value)) continue;
        xx += at * at;
        xy += at * value;
    }
    t->slope = xx > 0.0 ? xy / xx : 0.0;
    t->intercept = y - t->slope * (x + (double)train.first);
    (void)norn_ets_fit((norn_ets *)(state + ets_at()), NORN_ETS_ANN, true, &plain,
                       curved(setup, state, train, lines), counts + setup->season + 2 * setup->horizon);
}

/* Forecast and, unless NULL, deviation. */
static void future(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                   double *deviation, double *work)
{
    const theta *const t = (const theta *)state;
    const norn_ets *const smooth = (const norn_ets *)(state + ets_at());
    const double *const figure = state + figure_at(), last = norn_view_last(past);
    double *const rest = work + setup->rows + setup->season + 2 * setup->horizon;
    const norn_forecaster_setup plain = without_season(setup);
    const norn_view lines = curved(setup, state, past, work);
    if (smooth->form < 0.0)
        for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
    else if (deviation)
        norn_ets_deviation(smooth, &plain, lines, out, deviation, rest);
    else
        norn_ets_forecast(smooth, &plain, lines, out, rest);
    for (size_t j = 0; j < setup->horizon && smooth->form >= 0.0; j++) {
        const size_t row = past.first + past.n + j;
        const double season = figure[row % setup->season];
        out[j] = 0.5 * (out[j] + t->intercept + t->slope * (double)row) * season;
        if (deviation) deviation[j] *= 0.5 * season;
        if (!isfinite(out[j])) out[j] = last;
    }
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    future(setup, state, past, out, NULL, work);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    double *const out = work + setup->rows + setup->season, *const deviation = out + setup->horizon;
    for (size_t j = 0; j < setup->horizon; j++) deviation[j] = NAN;
    future(setup, state, past, out, deviation, work);
    norn_normal_interval(out, deviation, setup->horizon, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const theta *const t = (const theta *)state;
    const norn_ets *const smooth = (const norn_ets *)(state + ets_at());
    if (smooth->form < 0.0) {
        norn_explain(out, "model", "too few values: the forecast is the last one", "Naive");
        return;
    }
    norn_explain(out, "slope", "of the line through the adjusted values, per row", "%.6g", t->slope);
    norn_explain(out, "alpha", "how fast the level of twice the values less the line follows", "%.4f",
                 smooth->alpha);
    norn_explain(out, "level", "of twice the values less the line, at the last row of the fit", "%.6g",
                 smooth->level);
    norn_explain_figure(out, state + figure_at(), setup->season);
    norn_explain(out, "sigma", "deviation of the errors, of adjusted values", "%.6g", 0.5 * smooth->sigma);
}

const norn_forecaster norn_model_theta = {
    .name = "Theta",
    .word = "theta",
    .text = "the mean of a line and of smoothing with doubled curvature",
    .paper = "Assimakopoulos and Nikolopoulos (2000); Hyndman and Billah (2003)",
    .least = least,
    .state = state_size,
    .work = work_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain};
