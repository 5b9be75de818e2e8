/*
 * What the tests of whole forecasts share: a context for all of a file's tests, forecasts that must succeed,
 * and comparisons to the bit.
 */
#ifndef NORN_TESTS_FORECAST_SUPPORT_H
#define NORN_TESTS_FORECAST_SUPPORT_H

#include "support.h"

#include "data/table.h"
#include "norn/norn.h"

static inline norn_forecast *must_run(norn_context *context, norn_table *table,
                                      const norn_forecast_options *options)
{
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_forecast_run(&forecast, context, table, options, NULL, &err), &err);
    return forecast;
}

static inline int open_context(void **state)
{
    norn_error err = NORN_ERROR_INIT;
    norn_context *context = NULL;
    if (norn_context_new(&context, NULL, NULL, &err) != NORN_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    *state = context;
    return 0;
}

static inline int close_context(void **state)
{
    norn_context_free(*state);
    return 0;
}

/* Uniform in [-1, 1), by splitmix64. */
static inline double draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
}

static inline const char *decision(const norn_forecast *forecast, const char *what)
{
    size_t count;
    const norn_decision *decisions = norn_forecast_decisions(forecast, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(decisions[i].what, what) == 0) return decisions[i].text;
    return "";
}

static inline const norn_score *score_of(const norn_forecast *forecast, const char *model)
{
    size_t count;
    const norn_score *scores = norn_forecast_scores(forecast, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(scores[i].model, model) == 0) return &scores[i];
    fail_msg("no score of %s", model);
    return NULL;
}

/* ---- the same bits --------------------------------------------------------------------------------------
 */

static inline bool same_held_back(const norn_forecast *a, const norn_forecast *b, size_t series,
                                  bool complain)
{
    size_t models, other;
    (void)norn_forecast_scores(a, &models);
    (void)norn_forecast_scores(b, &other);
    const size_t h = norn_forecast_holdout(a);
    if (models != other || h != norn_forecast_holdout(b) || !models || !h) return false;
    for (size_t k = 0; k < models; k++)
        for (size_t s = 0; s < series; s++) {
            const double *x = norn_forecast_held_back(a, k, s), *y = norn_forecast_held_back(b, k, s);
            for (size_t i = 0; i < h; i++) {
                if (isfinite(x[i]) && memcmp(&x[i], &y[i], sizeof *x) == 0) continue;
                if (complain)
                    print_error("model %zu, series %zu, step %zu: %.17g and %.17g\n", k, s, i, x[i], y[i]);
                return false;
            }
        }
    return true;
}

static inline bool same_values(const norn_forecast *a, const norn_forecast *b, size_t series)
{
    const size_t h = norn_forecast_horizon(a);
    return h == norn_forecast_horizon(b) &&
           memcmp(norn_forecast_values(a, 0), norn_forecast_values(b, 0), series * h * sizeof(double)) == 0;
}

static inline void assert_same_decisions(const norn_forecast *a, const norn_forecast *b)
{
    size_t count, other;
    const norn_decision *x = norn_forecast_decisions(a, &count), *y = norn_forecast_decisions(b, &other);
    assert_int_equal(count, other);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(x[i].what, y[i].what);
        assert_string_equal(x[i].text, y[i].text);
    }
}

#endif
