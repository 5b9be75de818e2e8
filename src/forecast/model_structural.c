/* Structural models behind the interface of forecasters: structural.h in three sizes. */
#include "forecast/forecaster.h"
#include "forecast/structural.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* state: the model, and level, slope and season as expected behind the last row of the fit. */
static size_t model_doubles(void)
{
    return (sizeof(norn_structural) + sizeof(double) - 1) / sizeof(double);
}

static size_t season_of(const norn_forecaster_setup *setup)
{
    return setup->season <= NORN_STRUCTURAL_SEASON ? setup->season : 1;
}

static size_t state_size(const norn_forecaster_setup *setup)
{
    return model_doubles() + 2 + season_of(setup);
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    const size_t most = 2 + season_of(setup);
    return norn_structural_work(season_of(setup), setup->rows) + 2 * setup->horizon + most * (most + 1);
}

static norn_structural model_of(const double *state)
{
    norn_structural s;
    memcpy(&s, state, sizeof s);
    return s;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work,
                size_t slope, size_t season)
{
    norn_structural s = {.slope = slope, .season = season};
    double *const last = state + model_doubles();
    for (size_t i = 0; i < state_size(setup); i++) state[i] = 0.0;
    norn_structural_fit(&s, train.y, train.n, setup->cancel, work);
    if (!s.none) (void)norn_structural_likelihood(&s, train.y, train.n, last, NULL, work);
    memcpy(state, &s, sizeof s);
}

static void fit_level(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    fit(setup, train, state, work, 0, 1);
}

static void fit_trend(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    fit(setup, train, state, work, 1, 1);
}

static void fit_basic(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    fit(setup, train, state, work, 1, season_of(setup));
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const norn_structural s = model_of(state);
    norn_structural_forecast(&s, past.y, past.n, setup->horizon, out, NULL, work);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const norn_structural s = model_of(state);
    const size_t h = setup->horizon;
    double *const mean = work, *const deviation = mean + h;
    norn_structural_forecast(&s, past.y, past.n, h, mean, deviation, work + 2 * h);
    norn_normal_interval(mean, deviation, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    static const struct {
        const char *name, *meaning;
    } parts[] = {[NORN_IRREGULAR] = {"irregular", "variance of what a row has for itself"},
                 [NORN_LEVEL] = {"level", "variance of the level's steps; 0: it does not wander"},
                 [NORN_SLOPE] = {"slope", "variance of the slope's steps; 0: the trend is straight"},
                 [NORN_SEASON] = {"season", "variance of the season's steps; 0: each year is the same"}};
    const norn_structural s = model_of(state);
    const double *const last = state + model_doubles();
    char name[32];
    (void)setup;
    if (s.none) {
        norn_explain(out, "model", "too few rows", "naive");
        return;
    }
    norn_explain(out, "model", "what the series is the sum of", "level%s%s", s.slope ? ", slope" : "",
                 s.season > 1 ? ", season" : "");
    for (size_t i = 0; i < NORN_STRUCTURAL_PARTS; i++)
        if ((i != NORN_SLOPE || s.slope) && (i != NORN_SEASON || s.season > 1))
            norn_explain(out, parts[i].name, parts[i].meaning, "%.6g", s.variance[i]);
    norn_explain(out, "level next", "the level of the row after the last", "%.6g", last[0]);
    if (s.slope) norn_explain(out, "slope next", "what the level gains in a row", "%.6g", last[1]);
    /* the state has the newest first, and without the one that all add up to 0 with */
    const double *const season = last + 1 + s.slope;
    double sum = 0.0;
    for (size_t i = 0; i + 1 < s.season; i++) sum += season[i];
    for (size_t i = 0; i < s.season && s.season > 1; i++) {
        (void)snprintf(name, sizeof name, "season %zu", i + 1);
        norn_explain(out, name, "what the season adds, so many rows after the last", "%.6g",
                     i == 0   ? season[0]
                     : i == 1 ? -sum
                              : season[s.season - i]);
    }
    norn_explain(out, "log likelihood", "diffuse", "%.6g", s.likelihood);
}

static size_t smooth_work(const norn_forecaster_setup *setup)
{
    const norn_structural most = {.slope = 1, .season = season_of(setup)};
    return norn_structural_smooth_work(&most, setup->rows);
}

static bool smooth(const norn_forecaster_setup *setup, const double *state, norn_view past, double *parts,
                   double *errors, double *work)
{
    const norn_structural s = model_of(state);
    (void)setup;
    return !s.none && norn_structural_smooth(&s, past.y, past.n, NULL, parts, errors, work);
}

const norn_forecaster norn_model_local_level = {
    .name = "LocalLevel",
    .word = "local-level",
    .text = "a level that wanders, by the Kalman filter and maximum likelihood",
    .paper = "Harvey (1989)",
    .state = state_size,
    .work = work_size,
    .fit = fit_level,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
    .smooth_work = smooth_work,
    .smooth = smooth,
};
const norn_forecaster norn_model_local_trend = {
    .name = "LocalTrend",
    .word = "local-trend",
    .text = "a level and a slope that wander (local linear trend)",
    .paper = "Harvey (1989)",
    .state = state_size,
    .work = work_size,
    .fit = fit_trend,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
    .smooth_work = smooth_work,
    .smooth = smooth,
};
const norn_forecaster norn_model_structural = {
    .name = "Structural",
    .word = "structural",
    .text = "level, slope and season that wander (basic structural model)",
    .paper = "Harvey (1989)",
    .state = state_size,
    .work = work_size,
    .fit = fit_basic,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
    .smooth_work = smooth_work,
    .smooth = smooth,
};
