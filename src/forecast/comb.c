/*
 * Comb: the mean of simple, Holt's and damped exponential smoothing of the series adjusted for its season,
 * multiplied by the figure again. A benchmark of the M competitions (Makridakis and Hibon 2000), adjusted as
 * in the M4's code (adjust.h).
 *
 * Bounds. Each member has a theory of its errors. The deviation of a mean of three is at most the mean of the
 * three deviations (the triangle inequality), which it reaches where the errors go together; and they nearly
 * do, since what comes after the cutoff hits all three alike. So that is taken: under each member's own model
 * no too narrow.
 */
#include "forecast/adjust.h"
#include "forecast/ets.h"

#include <math.h>

enum { MEMBERS = 3 };
static const size_t forms[MEMBERS] = {NORN_ETS_ANN, NORN_ETS_AAN, NORN_ETS_AADN};

static norn_forecaster_setup without_season(const norn_forecaster_setup *setup)
{
    norn_forecaster_setup plain = *setup;
    plain.season = 1;
    return plain;
}

/* The members, then the figure [m]. */
static size_t state_size(const norn_forecaster_setup *setup)
{
    return MEMBERS * norn_ets_size(1) + setup->season;
}

/* Adjusted rows, counts of the figure, a member's forecast and deviation, the mean of both, and the
 * smoothing's. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    const norn_forecaster_setup plain = without_season(setup);
    return setup->rows + setup->season + 4 * setup->horizon + norn_ets_work(&plain);
}

static size_t least(const norn_forecaster_setup *setup)
{
    (void)setup;
    return norn_ets_numbers(&norn_ets_forms[NORN_ETS_ANN], 1) + 1;
}

static norn_view adjusted(const norn_forecaster_setup *setup, const double *state, norn_view view,
                          double *out)
{
    const double *const figure = state + MEMBERS * norn_ets_size(1);
    for (size_t i = 0; i < view.n; i++) out[i] = view.y[i] / figure[(view.first + i) % setup->season];
    return (norn_view){out, view.n, view.first};
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    const norn_forecaster_setup plain = without_season(setup);
    double *const rest = work + setup->rows + setup->season + 4 * setup->horizon;
    (void)norn_season_figure(train, setup->season, state + MEMBERS * norn_ets_size(1), work + setup->rows);
    const norn_view view = adjusted(setup, state, train, work);
    for (size_t k = 0; k < MEMBERS; k++)
        (void)norn_ets_fit((norn_ets *)(state + k * norn_ets_size(1)), forms[k], false, &plain, view, rest);
}

/* out [h] and deviation [h] (NULL: not wanted). A member without a fit, of too few values, is left out;
 * without any the forecast is the naive one, and has no deviation. */
static void combine(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                    double *deviation, double *work)
{
    const norn_forecaster_setup plain = without_season(setup);
    const size_t h = setup->horizon;
    const double *const figure = state + MEMBERS * norn_ets_size(1);
    double *const one = work + setup->rows + setup->season, *const wide = one + h, *const rest = one + 4 * h,
                  count = 0.0;
    const norn_view view = adjusted(setup, state, past, work);
    const double last = norn_view_last(past);
    for (size_t j = 0; j < h; j++) out[j] = 0.0;
    for (size_t j = 0; j < h && deviation; j++) deviation[j] = 0.0;
    for (size_t k = 0; k < MEMBERS; k++) {
        const norn_ets *const member = (const norn_ets *)(state + k * norn_ets_size(1));
        if (member->form < 0.0) continue;
        if (deviation)
            norn_ets_deviation(member, &plain, view, one, wide, rest);
        else
            norn_ets_forecast(member, &plain, view, one, rest);
        for (size_t j = 0; j < h; j++) out[j] += one[j];
        for (size_t j = 0; j < h && deviation; j++) deviation[j] += wide[j];
        count += 1.0;
    }
    for (size_t j = 0; j < h; j++) {
        const double share = figure[(past.first + past.n + j) % setup->season] / count;
        out[j] = out[j] * share;
        if (deviation) deviation[j] = isfinite(out[j]) ? deviation[j] * share : NAN;
        if (!isfinite(out[j])) out[j] = last;
    }
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    combine(setup, state, past, out, NULL, work);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    double *const mean = work + setup->rows + setup->season + 2 * setup->horizon, *const deviation =
                                                                                      mean + setup->horizon;
    combine(setup, state, past, mean, deviation, work);
    norn_normal_interval(mean, deviation, setup->horizon, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    static const char *const names[MEMBERS] = {"alpha, SES", "alpha, Holt", "alpha, DampedHolt"};
    for (size_t k = 0; k < MEMBERS; k++) {
        const norn_ets *const member = (const norn_ets *)(state + k * norn_ets_size(1));
        if (member->form >= 0.0)
            norn_explain(out, names[k], "how fast the level follows", "%.4f", member->alpha);
        else
            norn_explain(out, names[k], "how fast the level follows", "too few values");
    }
    norn_explain_figure(out, state + MEMBERS * norn_ets_size(1), setup->season);
}

const norn_forecaster norn_model_comb = {.name = "Comb",
                                         .word = "comb",
                                         .text = "the mean of SES, Holt and DampedHolt, seasonally adjusted",
                                         .paper = "Makridakis and Hibon (2000)",
                                         .least = least,
                                         .state = state_size,
                                         .work = work_size,
                                         .fit = fit,
                                         .forecast = forecast,
                                         .interval = interval,
                                         .explain = explain};
