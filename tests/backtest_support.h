/*
 * What the tests of backtests share: tables made of numbers, and joint forecasters whose forecasts are made
 * by a function of a test.
 */
#ifndef NORN_TESTS_BACKTEST_SUPPORT_H
#define NORN_TESTS_BACKTEST_SUPPORT_H

#include "support.h"

#include "backtest/run.h"
#include "data/table.h"

/* A table of series that all end at the same row: values [rows][series of them], NaN in front of the short
 * ones. */
static inline norn_table *table_of(size_t rows, size_t series, const double *const *columns)
{
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_table_arrays arrays = {
        .rows = rows, .targets = series, .target = columns, .step = {NORN_STEP_INTEGER, 1}};
    assert_ok(norn_table_from(&table, &arrays, NULL, &err), &err);
    return table;
}

/* Three seasonal series of 120, 100 and 40 rows with noise, deterministic. */
enum { THREE_ROWS = 120 };
static inline norn_table *three_series(void)
{
    static double columns[3][THREE_ROWS];
    static const size_t from[3] = {0, 20, 80};
    const double *pointers[3] = {columns[0], columns[1], columns[2]};
    uint64_t state = 7;
    for (size_t s = 0; s < 3; s++)
        for (size_t t = 0; t < THREE_ROWS; t++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const double noise = (double)(state >> 40) / 16777216.0 - 0.5;
            const double season = 1.0 + 0.3 * sin(0.5235987755982988 * (double)t);
            columns[s][t] =
                t < from[s] ? NAN : (double)(s + 1) * (20.0 + 0.2 * (double)t) * season + 4.0 * noise;
        }
    return table_of(THREE_ROWS, 3, pointers);
}

static inline norn_backtest *must_backtest(const norn_table *table, const norn_backtest_options *options,
                                           const norn_joint *joints, size_t count)
{
    norn_backtest *backtest = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_backtest_run_with(&backtest, table, options, joints, count, NULL, &err), &err);
    return backtest;
}

static inline size_t model_called(const norn_backtest *backtest, const char *name)
{
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++)
        if (strcmp(norn_backtest_model(backtest, m), name) == 0) return m;
    fail_msg("no model %s", name);
    return 0;
}

static inline double metric_of(const norn_backtest *backtest, const char *model, norn_metric metric)
{
    return norn_backtest_metric(backtest, model_called(backtest, model), NORN_SCOPE_ALL, 0, metric).value;
}

/* A joint forecaster that repeats numbers of the test: [S][K][h]. */
static inline norn_status repeat_numbers(void *user, const norn_folds *folds, double *out, double seconds[2],
                                         const norn_host *host, norn_error *err)
{
    (void)host;
    (void)err;
    seconds[0] = seconds[1] = 0.0;
    memcpy(out, user, folds->count * folds->options.folds * folds->options.horizon * sizeof *out);
    return NORN_OK;
}

static inline norn_joint joint_of(const char *name, const double *numbers)
{
    return (norn_joint){name, repeat_numbers, (void *)(uintptr_t)numbers};
}

#endif
