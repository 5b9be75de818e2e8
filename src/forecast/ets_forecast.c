/*
 * What a fitted exponential smoothing says of the rows to come: its mean, its variance and its parameters.
 *
 * Variances are exact where errors are normal (Hyndman et al. 2008, chapter 6). With c_j = alpha + beta (phi
 * +
 * ... + phi^j), the weight that an error has on the level j rows later, and sigma that of e:
 *
 *   error A, season N, A   v_h = sigma^2 (1 + sum_{j<h} (c_j + gamma [m divides j])^2)
 *   error M, season N, A   theta_1 = f_1^2, theta_h = f_h^2 + sigma^2 sum_{j<h} c_j^2 theta_{h-j},
 *                          v_h = (1 + sigma^2) theta_h - f_h^2          (c_j with gamma as above)
 *   error M, season M      level and figure are multiplied by 1 + .. e of the same errors: second moments of
 *                          (l, b) together with the figure's square, row by row, see product_variance
 *
 * Intervals are those of a normal distribution of that variance around the forecast.
 */
#include "forecast/ets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A copy in `work` that has seen all of `past`; NULL: no form, or the past is not one it can have. */
static norn_ets *followed(const norn_ets *ets, size_t m, norn_view past, double *work)
{
    norn_ets *const copy = (norn_ets *)work;
    memcpy(copy, ets, norn_ets_size(m) * sizeof(double));
    return ets->form >= 0.0 && norn_ets_follow(copy, m, past) ? copy : NULL;
}

static void means(norn_ets *ets, const norn_forecaster_setup *setup, double *out)
{
    const norn_ets_form *const form = &norn_ets_forms[(size_t)ets->form];
    const double *const season = norn_ets_season(ets);
    double level = ets->level, trend = ets->trend;
    for (size_t j = 0; j < setup->horizon; j++) {
        const double s = season[((size_t)ets->end + j) % setup->season];
        trend *= ets->phi;
        level += trend;
        out[j] = form->season == NORN_ETS_NONE       ? level
                 : form->season == NORN_ETS_ADDITIVE ? level + s
                                                     : level * s;
    }
}

void norn_ets_forecast(const norn_ets *ets, const norn_forecaster_setup *setup, norn_view past, double *out,
                       double *work)
{
    norn_ets *const at = followed(ets, setup->season, past, work);
    const double last = norn_view_last(past);
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
    if (at) means(at, setup, out);
    for (size_t j = 0; j < setup->horizon; j++)
        if (!isfinite(out[j])) out[j] = last;
}

/* ---- variance ---- */

/* c_j: the weight of an error on the row j >= 1 later, figure included where the season is added. */
static double weight(const norn_ets *ets, const norn_ets_form *form, size_t m, size_t j)
{
    const double phi = ets->phi, power = pow(phi, (double)j);
    const double damp = form->damped ? phi * (1.0 - power) / (1.0 - phi) : (double)j;
    const double figure = form->season == NORN_ETS_ADDITIVE && j % m == 0 ? ets->gamma : 0.0;
    return ets->alpha + ets->beta * damp + figure;
}

/*
 * Error and season multiplicative. z = (l, b), F = [1 phi; 0 phi], w = (1, phi), g = (alpha, beta); row i of
 * the future has q = w'z, z <- F z + g q e and y = q s (1 + e). The figure of row h was multiplied by
 * 1 + gamma e at rows h - m, h - 2m, ... of the future, so that with P the moments of z times those factors
 * squared, and u the mean of z times those factors,
 *
 *   other rows:  P <- F P F' + sigma^2 g g' w'Pw                    u <- F u
 *   such rows:   P <- F P F' (1 + gamma^2 sigma^2) + 2 gamma sigma^2 (F P w g' + g w'P F')
 *                     + g g' w'Pw (sigma^2 + 3 gamma^2 sigma^4)     u <- F u + g w'u gamma sigma^2
 *   variance     s^2 ((1 + sigma^2) w'Pw - (w'u)^2)
 */
static double product_variance(const norn_ets *ets, size_t m, size_t h, double s)
{
    const double phi = ets->phi, g[2] = {ets->alpha, ets->beta}, gamma = ets->gamma,
                 variance = ets->sigma * ets->sigma;
    double u[2] = {ets->level, ets->trend};
    double p[3] = {u[0] * u[0], u[0] * u[1], u[1] * u[1]}; /* ll, lb, bb */
    for (size_t i = 1; i < h; i++) {
        const double plain = p[0] + 2.0 * phi * p[1] + phi * phi * p[2]; /* w'Pw */
        const double mean = u[0] + phi * u[1];
        const double cross[2] = {plain, phi * (p[1] + phi * p[2])}; /* F P w */
        const bool figure = (h - i) % m == 0;
        const double kept = figure ? 1.0 + gamma * gamma * variance : 1.0;
        const double mixed = figure ? 2.0 * gamma * variance : 0.0;
        const double fresh = variance + (figure ? 3.0 * gamma * gamma * variance * variance : 0.0);
        const double shift = figure ? mean * gamma * variance : 0.0;
        const double next[3] = {plain * kept + mixed * 2.0 * cross[0] * g[0] + fresh * plain * g[0] * g[0],
                                phi * (p[1] + phi * p[2]) * kept +
                                    mixed * (cross[0] * g[1] + cross[1] * g[0]) + fresh * plain * g[0] * g[1],
                                phi * phi * p[2] * kept + mixed * 2.0 * cross[1] * g[1] +
                                    fresh * plain * g[1] * g[1]};
        memcpy(p, next, sizeof p);
        u[1] = phi * u[1] + g[1] * shift;
        u[0] = mean + g[0] * shift;
    }
    const double mean = u[0] + phi * u[1], plain = p[0] + 2.0 * phi * p[1] + phi * phi * p[2];
    return s * s * ((1.0 + variance) * plain - mean * mean);
}

void norn_ets_deviation(const norn_ets *ets, const norn_forecaster_setup *setup, norn_view past, double *out,
                        double *deviation, double *work)
{
    const size_t h = setup->horizon, m = setup->season;
    norn_ets_forecast(ets, setup, past, out, work);
    const norn_ets *const at = (const norn_ets *)work;
    for (size_t j = 0; j < h; j++) deviation[j] = NAN;
    if (!(at->form >= 0.0) || (size_t)at->end != past.first + past.n) return;
    const norn_ets_form *const form = &norn_ets_forms[(size_t)at->form];
    /* rows missing at the end are a part of the way: the horizon counts from the last value */
    size_t late = 0;
    while (late < past.n && !isfinite(past.y[past.n - 1 - late])) late++;
    const double variance = at->sigma * at->sigma;
    if (form->season == NORN_ETS_MULTIPLICATIVE) {
        for (size_t j = 0; j < h; j++)
            deviation[j] = sqrt(
                product_variance(at, m, j + 1, norn_ets_season((norn_ets *)work)[((size_t)at->end + j) % m]));
        return;
    }
    double sum = 0.0;
    for (size_t i = 1; i <= late; i++) sum += pow(weight(at, form, m, i), 2.0);
    for (size_t j = 0; j < h && form->error == NORN_ETS_ADDITIVE; j++) {
        deviation[j] = sqrt(variance * (1.0 + sum));
        sum += pow(weight(at, form, m, late + j + 1), 2.0);
    }
    for (size_t j = 0; j < h && form->error == NORN_ETS_MULTIPLICATIVE; j++) {
        double theta = out[j] * out[j]; /* deviation holds theta until the end */
        for (size_t i = 1; i <= j; i++)
            theta += variance * pow(weight(at, form, m, i), 2.0) * deviation[j - i];
        deviation[j] = theta;
    }
    for (size_t j = 0; j < h && form->error == NORN_ETS_MULTIPLICATIVE; j++)
        deviation[j] = sqrt((1.0 + variance) * deviation[j] - out[j] * out[j]);
}

/* ---- in words ---- */

void norn_ets_explain(const norn_ets *ets, const norn_forecaster_setup *setup, norn_explanation *out)
{
    if (!(ets->form >= 0.0)) {
        norn_explain(out, "model", "too few values: the forecast is the last one", "Naive");
        return;
    }
    const norn_ets_form *const form = &norn_ets_forms[(size_t)ets->form];
    norn_explain(out, "model", "error, trend, season: Additive, Additive damped, Multiplicative, None", "%s",
                 form->name);
    norn_explain(out, "alpha", "how fast the level follows; 0: never, 1: at once", "%.4f", ets->alpha);
    if (form->trend) norn_explain(out, "beta", "how fast the trend follows", "%.4f", ets->beta);
    if (form->season) norn_explain(out, "gamma", "how fast the season follows", "%.4f", ets->gamma);
    if (form->damped) norn_explain(out, "phi", "what is left of the trend from row to row", "%.4f", ets->phi);
    norn_explain(out, "level", "at the last row of the fit", "%.6g", ets->level);
    if (form->trend) norn_explain(out, "trend", "per row, at the last row of the fit", "%.6g", ets->trend);
    const double *const season = norn_ets_season((norn_ets *)ets);
    for (size_t j = 0; j < setup->season && form->season; j++) {
        char name[32];
        (void)snprintf(name, sizeof name, "season %zu", j + 1);
        norn_explain(out, name, "figure of the j-th row behind the fit", "%.6g",
                     season[((size_t)ets->end + j) % setup->season]);
    }
    norn_explain(out, "sigma", "deviation of the errors, relative to the forecast where they multiply",
                 "%.6g", ets->sigma);
    norn_explain(out, "log-likelihood", "of the values", "%.4f", ets->likelihood);
    norn_explain(out, "AICc", "smaller is better, among models of the same values", "%.4f", ets->aicc);
}
