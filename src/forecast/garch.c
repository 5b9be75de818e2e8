/* GARCH(1,1): see garch.h. And a forecaster of prices by it: a walk in logarithms with changing volatility.
 */
#include "forecast/garch.h"

#include "forecast/forecaster.h"
#include "forecast/minimise.h"

#include <math.h>
#include <string.h>

static const double log_2_pi = 1.8378770664093454836;

/* Mean and variance of the returns that are there; how many. */
static size_t moments(const double *r, size_t n, double *mean, double *variance)
{
    size_t count = 0;
    *mean = *variance = 0.0;
    for (size_t t = 0; t < n; t++)
        if (isfinite(r[t])) {
            *mean += r[t];
            count++;
        }
    *mean /= (double)(count ? count : 1);
    for (size_t t = 0; t < n; t++)
        if (isfinite(r[t])) *variance += (r[t] - *mean) * (r[t] - *mean);
    *variance /= (double)(count ? count : 1);
    return count;
}

/* What stands before the first row; around the mean of all returns, so that it does not move with the fit. */
static double before_first(const double *r, size_t n, double mean)
{
    double sum = 0.0, all = 0.0, weight = 1.0;
    for (size_t t = 0, used = 0; t < n && used < 75; t++) {
        if (!isfinite(r[t])) continue;
        sum += weight * (r[t] - mean) * (r[t] - mean);
        all += weight;
        weight *= 0.94;
        used++;
    }
    return all > 0.0 ? sum / all : 0.0;
}

static double likelihood_from(norn_garch *g, const double *r, size_t n, double first)
{
    double v = g->omega + (g->alpha + g->beta) * first, sum = 0.0;
    for (size_t t = 0; t < n; t++) {
        double square = v;
        if (isfinite(r[t])) {
            square = (r[t] - g->mean) * (r[t] - g->mean);
            sum -= 0.5 * (log_2_pi + log(v) + square / v);
        }
        v = g->omega + g->alpha * square + g->beta * v;
    }
    g->next = v;
    return sum;
}

double norn_garch_likelihood(norn_garch *g, const double *r, size_t n)
{
    double mean, variance;
    (void)moments(r, n, &mean, &variance);
    g->likelihood = likelihood_from(g, r, n, before_first(r, n, mean));
    return g->likelihood;
}

typedef struct problem {
    const double *r;
    size_t n;
    double mean, variance, first;
    const norn_cancel *cancel;
} problem;

/* x: the mean in deviations, the logarithm of the long variance over that of the sample, and the logits of
 * alpha + beta and of alpha's share of it. */
static norn_garch read_variables(const problem *f, const double *x)
{
    const double persistence = 1.0 / (1.0 + exp(-x[2])), share = 1.0 / (1.0 + exp(-x[3]));
    norn_garch g = {.mean = f->mean + sqrt(f->variance) * x[0]};
    g.omega = f->variance * exp(x[1]) * (1.0 - persistence);
    g.alpha = persistence * share;
    g.beta = persistence * (1.0 - share);
    return g;
}

static double minus_likelihood(void *user, const double *x, double *gradient)
{
    const problem *const f = user;
    norn_garch g = read_variables(f, x);
    (void)gradient;
    return norn_cancel_raised(f->cancel) ? NAN : -likelihood_from(&g, f->r, f->n, f->first);
}

bool norn_garch_fit(norn_garch *g, const double *r, size_t n, const norn_cancel *cancel, double *work)
{
    /* logits of alpha + beta, and of alpha's share */
    static const double starts[][2] = {{3.0, -2.2}, {1.0, -1.0}, {5.0, -3.0}};
    double least = INFINITY;
    problem f = {.r = r, .n = n, .cancel = cancel};
    *g = (norn_garch){0};
    if (moments(r, n, &f.mean, &f.variance) < 10 || !(f.variance > 0.0) || !isfinite(f.variance))
        return false;
    f.first = before_first(r, n, f.mean);
    const norn_objective objective = {.n = 4, .value = minus_likelihood, .user = &f, .differences = true};
    for (size_t k = 0; k < NORN_COUNT(starts); k++) {
        double x[4] = {0.0, 0.0, starts[k][0], starts[k][1]};
        const double found = norn_minimise(&objective, x, 200, 1e-7, work);
        if (!(found < least)) continue;
        least = found;
        *g = read_variables(&f, x);
    }
    if (!isfinite(least)) return false;
    g->likelihood = likelihood_from(g, r, n, f.first);
    return true;
}

void norn_garch_variances(const norn_garch *g, size_t h, double *v)
{
    for (size_t j = 0; j < h; j++) v[j] = j == 0 ? g->next : g->omega + (g->alpha + g->beta) * v[j - 1];
}

/* ---- the forecaster ---- */

enum { FITTED, LOGARITHMS, MEAN, OMEGA, ALPHA, BETA, LIKELIHOOD, DOUBLES };

static size_t state_size(const norn_forecaster_setup *setup)
{
    (void)setup;
    return DOUBLES;
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    return setup->rows + NORN_GARCH_WORK + 2 * setup->horizon;
}

/* Returns from value to value that is there, a missing one for every row between. Returns how many. */
static size_t returns(norn_view v, bool logarithms, double *r)
{
    double last = NAN;
    size_t count = 0;
    for (size_t t = 0; t < v.n; t++) {
        if (!isfinite(v.y[t])) {
            if (isfinite(last)) r[count++] = NAN;
            continue;
        }
        const double now = logarithms ? log(v.y[t]) : v.y[t];
        if (isfinite(last)) r[count++] = now - last;
        last = now;
    }
    return count;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    norn_garch g;
    bool positive = true;
    for (size_t t = 0; t < train.n; t++)
        if (isfinite(train.y[t]) && !(train.y[t] > 0.0)) positive = false;
    const size_t count = returns(train, positive, work + NORN_GARCH_WORK);
    const bool fitted = norn_garch_fit(&g, work + NORN_GARCH_WORK, count, setup->cancel, work);
    const double found[DOUBLES] = {fitted, positive, g.mean, g.omega, g.alpha, g.beta, g.likelihood};
    memcpy(state, found, sizeof found);
}

/* Fills mean [h] and deviation [h] of what is added to the last value, or to its logarithm; false where
 * nothing was fitted or the past has a value without one. */
static bool steps(const norn_forecaster_setup *setup, const double *state, norn_view past, double *mean,
                  double *deviation, double *work)
{
    norn_garch g = {.mean = state[MEAN], .omega = state[OMEGA], .alpha = state[ALPHA], .beta = state[BETA]};
    const double last = norn_view_last(past);
    if (state[FITTED] == 0.0 || !isfinite(last) || (state[LOGARITHMS] != 0.0 && !(last > 0.0))) return false;
    const size_t count = returns(past, state[LOGARITHMS] != 0.0, work);
    (void)norn_garch_likelihood(&g, work, count);
    size_t late = 0;
    while (!isfinite(past.y[past.n - 1 - late])) late++;
    /* with the last values missing the sum begins behind the last that is there */
    double sum = (double)late * g.next;
    norn_garch_variances(&g, setup->horizon, deviation);
    for (size_t j = 0; j < setup->horizon; j++) {
        sum += deviation[j];
        deviation[j] = sqrt(sum);
        mean[j] = (double)(j + 1 + late) * g.mean;
    }
    return true;
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const size_t h = setup->horizon;
    const double last = norn_view_last(past);
    double *const mean = work, *const deviation = mean + h;
    const bool known = steps(setup, state, past, mean, deviation, deviation + h);
    for (size_t j = 0; j < h; j++) {
        out[j] = !known ? last : state[LOGARITHMS] != 0.0 ? last * exp(mean[j]) : last + mean[j];
        if (!isfinite(out[j])) out[j] = last;
    }
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon;
    const double last = norn_view_last(past);
    double *const mean = work, *const deviation = mean + h;
    if (!steps(setup, state, past, mean, deviation, deviation + h)) return;
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
    for (size_t i = 0; i < levels * h; i++) {
        lower[i] = state[LOGARITHMS] != 0.0 ? last * exp(lower[i]) : last + lower[i];
        upper[i] = state[LOGARITHMS] != 0.0 ? last * exp(upper[i]) : last + upper[i];
    }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    if (state[FITTED] == 0.0) {
        norn_explain(out, "model", "fewer than ten returns, or they do not vary", "naive");
        return;
    }
    const double persistence = state[ALPHA] + state[BETA];
    norn_explain(out, "model", "what the returns are", "GARCH(1,1) of %s",
                 state[LOGARITHMS] != 0.0 ? "log returns" : "differences");
    norn_explain(out, "mean", "of the returns", "%.6g", state[MEAN]);
    norn_explain(out, "omega", "variance that is always there", "%.6g", state[OMEGA]);
    norn_explain(out, "alpha", "what the last square adds to the variance", "%.6g", state[ALPHA]);
    norn_explain(out, "beta", "what stays of the last variance", "%.6g", state[BETA]);
    norn_explain(out, "volatility", "long-run standard deviation of a return", "%.6g",
                 sqrt(state[OMEGA] / (1.0 - persistence)));
    norn_explain(out, "half life", "rows until half of a shock to the variance is gone", "%.4g",
                 persistence > 0.0 ? log(0.5) / log(persistence) : 0.0);
    norn_explain(out, "log likelihood", "of the returns", "%.6g", state[LIKELIHOOD]);
}

const norn_forecaster norn_model_garch = {
    .name = "GARCH",
    .word = "garch",
    .text = "a walk with the mean of past returns, its interval by GARCH(1,1)",
    .paper = "Bollerslev (1986)",
    .state = state_size,
    .work = work_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
