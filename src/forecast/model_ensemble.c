/*
 * Ensembles of the univariate models that win competitions: ETS, ARIMA, dynamic optimised Theta and Comb.
 *
 *   Ensemble          the median of their forecasts, step by step, as of their bounds: hard to beat and never
 *                     led astray by one (Petropoulos and Svetunkov 2020, whose members are much the same)
 *   EnsembleWeighted  their mean with weights 1 / MSE over past folds: fits on the rows up to one, two and
 * three horizons before the end, each scored on the horizon after it (Bates and Granger 1969); alike where
 * the rows do not suffice for a fold
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS = 4, FOLDS = 3 };

static const norn_forecaster *const members[MEMBERS] = {
    &norn_model_ets, &norn_model_arima, &norn_model_dynamic_optimised_theta, &norn_model_comb};

static size_t doubles(size_t (*size)(const norn_forecaster_setup *), const norn_forecaster_setup *setup)
{
    return size ? size(setup) : 0;
}

/* state: weights [MEMBERS], then the members' own. */
static size_t state_size(const norn_forecaster_setup *setup)
{
    size_t sum = MEMBERS;
    for (size_t i = 0; i < MEMBERS; i++) sum += doubles(members[i]->state, setup);
    return sum;
}

/* work: what the members forecast [MEMBERS][h], or their bounds, lower and upper, one level at a time; what
 * comes of it [h]; and the memory of the greediest. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    size_t most = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        const size_t size = doubles(members[i]->work, setup);
        if (size > most) most = size;
    }
    return (2 * MEMBERS + 1) * setup->horizon + most;
}

static double *rest_of(const norn_forecaster_setup *setup, double *work)
{
    return work + (2 * MEMBERS + 1) * setup->horizon;
}

static void fit_members(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    double *at = state + MEMBERS;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i]->fit) members[i]->fit(setup, train, at, rest_of(setup, work));
        at += doubles(members[i]->state, setup);
    }
}

/* values [MEMBERS][h] */
static void forecast_members(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             double *values, double *work)
{
    const double *at = state + MEMBERS;
    for (size_t i = 0; i < MEMBERS; i++) {
        members[i]->forecast(setup, at, past, values + i * setup->horizon, rest_of(setup, work));
        at += doubles(members[i]->state, setup);
    }
}

static void fit_median(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    for (size_t i = 0; i < MEMBERS; i++) state[i] = 0.0;
    fit_members(setup, train, state, work);
}

static void fit_weighted(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    const size_t h = setup->horizon, least = 3 * setup->season > 8 ? 3 * setup->season : 8;
    double squares[MEMBERS] = {0.0}, sum = 0.0;
    size_t scored = 0;
    for (size_t fold = 1; fold <= FOLDS; fold++) {
        if (train.n < fold * h || train.n - fold * h < least) break;
        const norn_view before = {train.y, train.n - fold * h, train.first};
        fit_members(setup, before, state, work);
        forecast_members(setup, state, before, work, work);
        for (size_t j = 0; j < h; j++) {
            if (!isfinite(train.y[before.n + j])) continue;
            scored++;
            for (size_t i = 0; i < MEMBERS; i++) {
                const double off = work[i * h + j] - train.y[before.n + j];
                squares[i] += off * off;
            }
        }
    }
    double least_square = INFINITY;
    for (size_t i = 0; i < MEMBERS; i++)
        least_square = fmin(least_square, isfinite(squares[i]) ? squares[i] : INFINITY);
    for (size_t i = 0; i < MEMBERS; i++) {
        /* relative to the best; one without any error takes all, with those that have none either */
        state[i] = !scored || !isfinite(least_square) ? 1.0
                   : !isfinite(squares[i])            ? 0.0
                   : squares[i] > 0.0                 ? least_square / squares[i]
                                                      : 1.0;
        sum += state[i];
    }
    for (size_t i = 0; i < MEMBERS; i++) state[i] /= sum;
    fit_members(setup, train, state, work);
}

/* The median of the finite ones of x [MEMBERS], which is sorted. */
static double median(double *x)
{
    size_t count = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!isfinite(x[i])) continue;
        const double value = x[i];
        size_t at = count++;
        for (; at > 0 && x[at - 1] > value; at--) x[at] = x[at - 1];
        x[at] = value;
    }
    return count == 0 ? NAN : count % 2 ? x[count / 2] : 0.5 * (x[count / 2 - 1] + x[count / 2]);
}

static double mean(const double *weights, const double *x)
{
    double sum = 0.0, all = 0.0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!isfinite(x[i])) continue;
        sum += weights[i] * x[i];
        all += weights[i];
    }
    return all > 0.0 ? sum / all : NAN;
}

/* values [MEMBERS][h] -> out [h] */
static void combine(const double *weights, bool weighted, const double *values, size_t h, double *out)
{
    for (size_t j = 0; j < h; j++) {
        double x[MEMBERS];
        for (size_t i = 0; i < MEMBERS; i++) x[i] = values[i * h + j];
        out[j] = weighted ? mean(weights, x) : median(x);
    }
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const double naive = norn_view_last(past);
    forecast_members(setup, state, past, work, work);
    /* weights add up to 1; the median has none */
    combine(state, state[0] + state[1] + state[2] + state[3] > 0.0, work, setup->horizon, out);
    for (size_t j = 0; j < setup->horizon; j++)
        if (!isfinite(out[j])) out[j] = naive;
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon;
    const bool weighted = state[0] + state[1] + state[2] + state[3] > 0.0;
    double *const low = work, *const high = low + MEMBERS * h, *const middle = high + MEMBERS * h,
                  *const rest = rest_of(setup, work);
    forecast(setup, state, past, middle, work);
    for (size_t k = 0; k < levels; k++) {
        const double *at = state + MEMBERS;
        for (size_t i = 0; i < MEMBERS; i++) {
            for (size_t j = 0; j < h; j++) low[i * h + j] = high[i * h + j] = NAN;
            /* some need what the forecast of the same rows left behind */
            members[i]->forecast(setup, at, past, low + i * h, rest);
            for (size_t j = 0; j < h; j++) low[i * h + j] = NAN;
            if (members[i]->interval)
                members[i]->interval(setup, at, past, level + k, 1, low + i * h, high + i * h, rest);
            at += doubles(members[i]->state, setup);
        }
        combine(state, weighted, low, h, lower + k * h);
        combine(state, weighted, high, h, upper + k * h);
        for (size_t j = 0; j < h; j++) { /* members without bounds have a say in the forecast all the same */
            if (lower[k * h + j] > middle[j]) lower[k * h + j] = middle[j];
            if (upper[k * h + j] < middle[j]) upper[k * h + j] = middle[j];
        }
    }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const double *at = state + MEMBERS;
    const bool weighted = state[0] + state[1] + state[2] + state[3] > 0.0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (weighted)
            norn_explain(out, members[i]->name, "weight, by its errors on past folds", "%.4f", state[i]);
        else
            norn_explain(out, members[i]->name, "one of those whose median is taken", "member");
        if (members[i]->explain) members[i]->explain(setup, at, out);
        at += doubles(members[i]->state, setup);
    }
}

const norn_forecaster norn_model_ensemble = {
    .name = "Ensemble",
    .word = "ensemble",
    .text = "the median of ETS, ARIMA, dynamic optimised Theta and Comb",
    .paper = "Petropoulos and Svetunkov (2020)",
    .state = state_size,
    .work = work_size,
    .fit = fit_median,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
const norn_forecaster norn_model_ensemble_weighted = {
    .name = "EnsembleWeighted",
    .word = "ensemble-weighted",
    .text = "the mean of the same, weighted by their errors on past folds",
    .paper = "Bates and Granger (1969)",
    .state = state_size,
    .work = work_size,
    .fit = fit_weighted,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
