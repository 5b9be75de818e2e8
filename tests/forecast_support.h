/*
 * What the tests of whole forecasts share: a context for all of a file's tests, forecasts that must succeed,
 * tables with covariates of all kinds, and comparisons to the bit.
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

/* ---- tables of many groups, as long files give them -----------------------------------------------------
 */

enum { MOST_GROUPS = 12 };

typedef struct groups {
    size_t count, rows[MOST_GROUPS], ahead[MOST_GROUPS], past, future, statics;
    bool ended[MOST_GROUPS];
} groups;

static inline void name_column(norn_table *table, char **to, char letter, size_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%c%zu", letter, number + 1);
    assert_non_null(*to = norn_text_copy(&table->host, text, strlen(text)));
}

/* A target and its covariates, all 0. Series are s1, s2, ...; columns by their place: y1, x2, f3, c4. */
static inline norn_table *table_of_groups(const groups *g)
{
    const norn_host host = norn_host_copy(NULL);
    norn_table *t = norn_table_new(1, g->past, g->future, g->statics, &host);
    assert_non_null(t);
    t->groups = g->count;
    for (size_t k = 0; k < g->count; k++) t->rows += g->rows[k] + g->ahead[k];
    t->step = (norn_step){NORN_STEP_INTEGER, 1};
    t->first = norn_new(&host, g->count + 1, sizeof *t->first);
    t->ids = norn_new(&host, g->count, sizeof *t->ids);
    t->spans = norn_new(&host, g->count, sizeof *t->spans);
    t->ended = norn_new(&host, g->count, sizeof *t->ended);
    t->times = norn_new(&host, t->rows, sizeof *t->times);
    t->times_capacity = t->rows;
    t->time_name = norn_text_copy(&host, "", 0);
    if (g->statics) t->fixed = norn_new(&host, g->statics * g->count, sizeof *t->fixed);
    assert_true(t->first && t->ids && t->spans && t->ended && t->times && t->time_name);
    for (size_t k = 0, row = 0; k < g->count; k++) {
        t->spans[k] = (norn_rows){row, g->rows[k], g->ahead[k]};
        t->ended[k] = g->ended[k];
        name_column(t, &t->ids[k], 's', k);
        for (size_t i = 0; i < g->rows[k] + g->ahead[k]; i++) t->times[row++] = (int64_t)i + 1;
        t->first[k + 1] = row;
    }
    for (size_t c = 0; c < t->values; c++) {
        t->columns[c].cells = norn_new(&host, t->rows, sizeof(double));
        t->columns[c].capacity = t->rows;
        assert_non_null(t->columns[c].cells);
    }
    for (size_t c = 0; c < t->values + g->statics; c++)
        name_column(t, &t->names[c], c == 0 ? 'y' : c <= g->past ? 'x' : c < t->values ? 'f' : 'c', c);
    return t;
}

/* y follows a column that nothing foretells. */
static inline norn_table *driven(size_t rows, size_t ahead, size_t future, double noise, uint64_t seed)
{
    const groups g = {.count = 1, .rows = {rows}, .ahead = {future ? ahead : 0}, .future = future};
    norn_table *table = table_of_groups(&g);
    for (size_t i = 0; i < rows + ahead; i++) {
        const double x = draw(&seed), e = draw(&seed);
        if (future) norn_table_future_mutable(table, 0, 0)[i] = 20.0 + 3.0 * x;
        if (i < rows) norn_table_target_mutable(table, 0)[i] = 50.0 + 5.0 * x + noise * e;
    }
    return table;
}

/* Two series, with holes everywhere or nowhere, and a piece that ended; all kinds of inputs. */
static inline norn_table *all_kinds(size_t ahead, bool holes)
{
    const groups g = {.count = 3,
                      .rows = {90, 70, 30},
                      .ahead = {ahead, ahead, 0},
                      .past = 1,
                      .future = 1,
                      .statics = 1,
                      .ended = {false, false, true}};
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 77;
    for (size_t s = 0; s < 3; s++) {
        double *y = norn_table_target_mutable(table, s), *x = norn_table_past_mutable(table, s, 0),
               *f = norn_table_future_mutable(table, s, 0);
        const size_t n = g.rows[s];
        for (size_t i = 0; i < n + g.ahead[s]; i++) {
            f[i] = holes && i % 11 == 3 ? NAN : draw(&seed);
            if (i >= n) continue;
            x[i] = holes && i % 7 == 5 ? NAN : 1e6 + draw(&seed);
            y[i] = holes && i % 9 == 4 && i + 1 < n ? NAN : 10.0 + draw(&seed) + (isnan(f[i]) ? 0.0 : f[i]);
        }
        table->fixed[s] = (double)s;
    }
    return table;
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
