/*
 * Croston's method (1972) for demand that is 0 in most rows: sizes of demands z and the rows from one to the
 * next p are smoothed apart, both at demands only, and the forecast of each row is z / p. Syntetos and Boylan
 * (2005) showed that this is too high by about 1 / (1 - alpha / 2) and take the factor away: CrostonSBA.
 *
 *   at a demand y, p' rows after the last:  z <- z + alpha (y - z),  p <- p + alpha (p' - p)
 *
 * alpha is 0.1, as Croston recommends and forecast::croston and statsforecast have it; z and p begin with the
 * first demand, whose p' is counted from the row before the first. Rows that are missing are not counted.
 * Without any demand the forecast is 0. There is no model of errors behind the method (Shenstone and Hyndman
 * 2005), hence no intervals from theory.
 */
#include "forecast/forecaster.h"

#include <math.h>

static const double alpha = 0.1;

typedef struct croston {
    double size, interval; /* z and p; p 0: no demand yet */
    double waiting;        /* rows since the last demand, or the beginning */
    double end;            /* rows of the series seen */
} croston;

static size_t state_size(const norn_forecaster_setup *setup)
{
    (void)setup;
    return sizeof(croston) / sizeof(double);
}

static void follow(croston *c, norn_view view)
{
    size_t row = (size_t)c->end > view.first ? (size_t)c->end : view.first;
    for (; row < view.first + view.n; row++) {
        const double y = view.y[row - view.first];
        if (!isfinite(y)) continue;
        c->waiting += 1.0;
        if (y == 0.0) continue;
        const double share = c->interval > 0.0 ? alpha : 1.0;
        c->size += share * (y - c->size);
        c->interval += share * (c->waiting - c->interval);
        c->waiting = 0.0;
    }
    c->end = (double)row;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    (void)setup;
    (void)work;
    croston *const c = (croston *)state;
    *c = (croston){.end = (double)train.first};
    follow(c, train);
}

static void forecast_by(const norn_forecaster_setup *setup, const double *state, norn_view past,
                        double factor, double *out)
{
    croston c = *(const croston *)state;
    const double last = norn_view_last(past);
    const bool before = past.first + past.n < (size_t)c.end; /* of the fit: nothing of it may be used */
    follow(&c, past);
    for (size_t j = 0; j < setup->horizon; j++)
        out[j] = before || isnan(last) ? last : c.interval > 0.0 ? factor * c.size / c.interval : 0.0;
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)work;
    forecast_by(setup, state, past, 1.0, out);
}

static void forecast_sba(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                         double *work)
{
    (void)work;
    forecast_by(setup, state, past, 1.0 - 0.5 * alpha, out);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    const croston *const c = (const croston *)state;
    norn_explain(out, "alpha", "how fast both follow; fixed", "%.2f", alpha);
    norn_explain(out, "size", "of a demand, smoothed", "%.6g", c->size);
    norn_explain(out, "interval", "rows from a demand to the next, smoothed; 0: no demand", "%.6g",
                 c->interval);
}

const norn_forecaster norn_model_croston = {
    .name = "Croston",
    .word = "croston",
    .text = "sizes of demands over the rows between them, for values that are mostly 0",
    .paper = "Croston (1972)",
    .state = state_size,
    .fit = fit,
    .forecast = forecast,
    .explain = explain};
const norn_forecaster norn_model_croston_sba = {.name = "CrostonSBA",
                                                .word = "croston-sba",
                                                .text = "Croston without its bias",
                                                .paper = "Syntetos and Boylan (2005)",
                                                .state = state_size,
                                                .fit = fit,
                                                .forecast = forecast_sba,
                                                .explain = explain};
