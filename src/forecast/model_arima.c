/*
 * ARIMA with all orders chosen by the rows: arima.h behind the interface of forecasters. A season above
 * NORN_ARIMA_SEASON rows is not modelled; take it off first (--decompose).
 */
#include "forecast/arima.h"
#include "forecast/forecaster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t state_size(const norn_forecaster_setup *setup)
{
    (void)setup;
    return (sizeof(norn_arima) + sizeof(double) - 1) / sizeof(double);
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    return norn_arima_work(setup->season, setup->rows, setup->horizon) + 2 * setup->horizon;
}

static norn_arima model_of(const double *state)
{
    norn_arima a;
    memcpy(&a, state, sizeof a);
    return a;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    norn_arima a = {.season = setup->season};
    norn_arima_choose(&a, train.y, train.n, setup->cancel, work);
    memcpy(state, &a, sizeof a);
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const norn_arima a = model_of(state);
    norn_arima_forecast(&a, past.y, past.n, setup->horizon, out, NULL, work);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const norn_arima a = model_of(state);
    const size_t h = setup->horizon;
    double *const mean = work, *const deviation = mean + h;
    norn_arima_forecast(&a, past.y, past.n, h, mean, deviation, work + 2 * h);
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain_factor(norn_explanation *out, const char *name, const char *meaning, const double *x,
                           size_t n)
{
    for (size_t k = 0; k < n; k++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s %zu", name, k + 1);
        norn_explain(out, text, meaning, "%.6g", x[k]);
    }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const norn_arima a = model_of(state);
    char seasonal[24] = "";
    (void)setup;
    if (a.none) {
        norn_explain(out, "model", "too few rows", "naive");
        return;
    }
    if (a.season > 1)
        (void)snprintf(seasonal, sizeof seasonal, "(%u,%u,%u)[%u]", (unsigned)a.sp, (unsigned)a.sd,
                       (unsigned)a.sq, (unsigned)a.season);
    norn_explain(out, "model", "orders: remembered values, differences, remembered errors",
                 "ARIMA(%zu,%zu,%zu)%s%s", a.p, a.d, a.q, seasonal,
                 !a.constant      ? ""
                 : a.d + a.sd > 0 ? " with drift"
                                  : " with mean");
    explain_factor(out, "phi", "weight of a value so many rows before", a.phi, a.p);
    explain_factor(out, "theta", "weight of the error so many rows before", a.theta, a.q);
    explain_factor(out, "Phi", "weight of a value so many seasons before", a.sphi, a.sp);
    explain_factor(out, "Theta", "weight of the error so many seasons before", a.stheta, a.sq);
    if (a.constant) norn_explain(out, "mean", "of the values, differenced if they are", "%.6g", a.mean);
    norn_explain(out, "sigma^2", "variance of the error of a row", "%.6g", a.variance);
    norn_explain(out, "log likelihood", "exact, of the differenced rows", "%.6g", a.likelihood);
    norn_explain(out, "AICc", "what the orders were chosen by", "%.6g", a.aicc);
}

const norn_forecaster norn_model_arima = {
    .name = "AutoARIMA",
    .word = "arima",
    .text = "ARIMA with its season, all orders chosen by AICc, by exact likelihood",
    .paper = "Box and Jenkins (1970); choice: Hyndman and Khandakar (2008)",
    .state = state_size,
    .work = work_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
