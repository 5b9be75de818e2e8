/*
 * Exponential smoothing as forecasters: forms of ETS that have names of their own, and the automatic choice.
 * Where a series has too few values for a form, or values it cannot have, the next simpler one is taken. See
 * ets.h for the equations.
 */
#include "forecast/ets.h"

#include <math.h>

static size_t state_size(const norn_forecaster_setup *setup)
{
    return norn_ets_size(setup->season);
}

/* A fit's, and a forecast's: a copy of the state and the deviations. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    const size_t fit = norn_ets_work(setup), forecast = norn_ets_size(setup->season) + 2 * setup->horizon;
    return fit > forecast ? fit : forecast;
}

static size_t least_of(size_t form, size_t m)
{
    return norn_ets_numbers(&norn_ets_forms[form], m) + 1;
}

static size_t least(const norn_forecaster_setup *setup)
{
    (void)setup;
    return least_of(NORN_ETS_ANN, 1); /* what all end in */
}

/* The first of the forms, the last of which is ANN, that can be fitted. */
static void fit_first(const size_t *forms, const norn_forecaster_setup *setup, norn_view train, double *state,
                      double *work)
{
    while (!norn_ets_fit((norn_ets *)state, *forms, true, setup, train, work) && *forms != NORN_ETS_ANN)
        forms++;
}

static void fit_ses(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    static const size_t forms[] = {NORN_ETS_ANN};
    fit_first(forms, setup, train, state, work);
}

static void fit_holt(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    static const size_t forms[] = {NORN_ETS_AAN, NORN_ETS_ANN};
    fit_first(forms, setup, train, state, work);
}

static void fit_damped(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    static const size_t forms[] = {NORN_ETS_AADN, NORN_ETS_ANN};
    fit_first(forms, setup, train, state, work);
}

static void fit_additive(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    static const size_t forms[] = {NORN_ETS_AAA, NORN_ETS_AAN, NORN_ETS_ANN};
    fit_first(forms, setup, train, state, work);
}

static void fit_multiplicative(const norn_forecaster_setup *setup, norn_view train, double *state,
                               double *work)
{
    static const size_t forms[] = {NORN_ETS_MAM, NORN_ETS_AAA, NORN_ETS_AAN, NORN_ETS_ANN};
    fit_first(forms, setup, train, state, work);
}

/* With too few values for AICc of any form: SES, where that can be had. */
static void fit_automatic(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    if (!norn_ets_choose((norn_ets *)state, setup, train, work)) fit_ses(setup, train, state, work);
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    norn_ets_forecast((const norn_ets *)state, setup, past, out, work);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    double *const mean = work, *const deviation = mean + setup->horizon;
    norn_ets_deviation((const norn_ets *)state, setup, past, mean, deviation, deviation + setup->horizon);
    norn_normal_interval(mean, deviation, setup->horizon, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    norn_ets_explain((const norn_ets *)state, setup, out);
}

#define ETS_MODEL                                                                                            \
    .least = least, .state = state_size, .work = work_size, .forecast = forecast, .interval = interval,      \
    .explain = explain

const norn_forecaster norn_model_ses = {.name = "SES",
                                        .word = "ses",
                                        .text = "simple exponential smoothing, ETS(A,N,N)",
                                        .paper = "Brown (1956)",
                                        .fit = fit_ses,
                                        ETS_MODEL};
const norn_forecaster norn_model_holt = {.name = "Holt",
                                         .word = "holt",
                                         .text = "exponential smoothing with a trend, ETS(A,A,N)",
                                         .paper = "Holt (1957)",
                                         .fit = fit_holt,
                                         ETS_MODEL};
const norn_forecaster norn_model_damped_holt = {.name = "DampedHolt",
                                                .word = "damped-holt",
                                                .text =
                                                    "exponential smoothing with a damped trend, ETS(A,Ad,N)",
                                                .paper = "Gardner and McKenzie (1985)",
                                                .fit = fit_damped,
                                                ETS_MODEL};
const norn_forecaster norn_model_holt_winters = {
    .name = "HoltWinters",
    .word = "holt-winters",
    .text = "exponential smoothing with trend and an added season, ETS(A,A,A)",
    .paper = "Winters (1960)",
    .seasonal = true,
    .fit = fit_additive,
    ETS_MODEL};
const norn_forecaster norn_model_holt_winters_multiplicative = {
    .name = "HoltWintersMultiplicative",
    .word = "holt-winters-multiplicative",
    .text = "exponential smoothing with trend and a season that multiplies, ETS(M,A,M)",
    .paper = "Winters (1960); Ord, Koehler and Snyder (1997)",
    .seasonal = true,
    .fit = fit_multiplicative,
    ETS_MODEL};
const norn_forecaster norn_model_ets = {
    .name = "ETS",
    .word = "ets",
    .text = "exponential smoothing, its form chosen by AICc",
    .paper = "Hyndman, Koehler, Snyder and Grose (2002); Hyndman, Koehler, Ord and Snyder (2008)",
    .fit = fit_automatic,
    ETS_MODEL};
