/*
 * Croston's method (1972) for demand that is 0 in most rows: sizes of demands z and the rows from one to the
 * next p are smoothed apart, both at demands only, and the forecast of each row is z / p. Syntetos and Boylan
 * (2005) showed that this is too high by about 1 / (1 - alpha / 2) and take the factor away: CrostonSBA.
 *
 *   at a demand y, p' rows after the last:  z <- z + alpha (y - z),  p <- p + alpha (p' - p)
 *
 * alpha is 0.1, as Croston recommends and forecast::croston and statsforecast have it; z and p begin with the
 * first demand, whose p' is counted from the row before the first. Rows that are missing are not counted.
 * Without any demand the forecast is 0.
 *
 * Bounds. No model has Croston's method for its best forecast (Shenstone and Hyndman 2005). What he derived
 * it for is taken: a row has a demand with the probability 1 / p, whatever came before, and its size is
 * normal around z; with the deviation that the sizes had from the z before them, so that z's own error is in
 * it. Bounds are quantiles of that mixture of a 0 and a normal distribution, never below 0 unless a demand
 * was: the lower one mostly 0, the upper one the size of a demand. The forecast is the mean of rows, and may
 * lie outside. That p and the deviation are estimates is not in them; with fewer than three demands there are
 * none.
 */
#include "forecast/forecaster.h"

#include <math.h>

static const double alpha = 0.1;

typedef struct croston {
    double size, interval; /* z and p; p 0: no demand yet */
    double waiting;        /* rows since the last demand, or the beginning */
    double end;            /* rows of the series seen */
    double squares, sizes; /* of demands from the z before them, and how many */
    double least;          /* demand; 0: none was below */
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
        if (c->interval > 0.0) {
            c->squares += (y - c->size) * (y - c->size);
            c->sizes += 1.0;
        }
        c->least = fmin(c->least, y);
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

/* Of the mixture at p in (0, 1): what is below 0, the 0, what is above. */
static double quantile(const croston *c, double p)
{
    const double share = fmin(1.0, 1.0 / c->interval), deviation = sqrt(c->squares / c->sizes);
    const double below = deviation > 0.0 ? 0.5 * share * erfc(c->size / (sqrt(2.0) * deviation))
                         : c->size < 0.0 ? share
                                         : 0.0;
    const double x = p < below ? c->size + deviation * norn_normal_quantile(p / share)
                     : p <= below + 1.0 - share
                         ? 0.0
                         : c->size + deviation * norn_normal_quantile((p - 1.0 + share) / share);
    return c->least < 0.0 ? x : fmax(0.0, x);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    croston c = *(const croston *)state;
    const bool before = past.first + past.n < (size_t)c.end;
    (void)work;
    follow(&c, past);
    for (size_t i = 0; i < levels && !before && c.sizes >= 2.0; i++)
        for (size_t j = 0; j < setup->horizon; j++) {
            lower[i * setup->horizon + j] = quantile(&c, 0.5 - 0.5 * level[i]);
            upper[i * setup->horizon + j] = quantile(&c, 0.5 + 0.5 * level[i]);
        }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    const croston *const c = (const croston *)state;
    norn_explain(out, "alpha", "how fast both follow; fixed", "%.2f", alpha);
    norn_explain(out, "size", "of a demand, smoothed", "%.6g", c->size);
    norn_explain(out, "interval", "rows from a demand to the next, smoothed; 0: no demand", "%.6g",
                 c->interval);
    if (c->sizes >= 2.0)
        norn_explain(out, "sigma", "deviation of demands from the size expected", "%.6g",
                     sqrt(c->squares / c->sizes));
}

const norn_forecaster norn_model_croston = {
    .name = "Croston",
    .word = "croston",
    .text = "sizes of demands over the rows between them, for values that are mostly 0",
    .paper = "Croston (1972)",
    .state = state_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain};
const norn_forecaster norn_model_croston_sba = {.name = "CrostonSBA",
                                                .word = "croston-sba",
                                                .text = "Croston without its bias",
                                                .paper = "Syntetos and Boylan (2005)",
                                                .state = state_size,
                                                .fit = fit,
                                                .forecast = forecast_sba,
                                                .interval = interval,
                                                .explain = explain};
