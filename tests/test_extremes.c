/*
 * Numbers at the edge of what can be forecast: constant series, columns that are constant but for one row,
 * series of few rows, values of 1e30 and 1e-30, and of 1e300 and 1e-300, which no float of a device holds.
 * Each is forecast right, or refused with words that say what it is about.
 */
#include "forecast_support.h"

#include "compute/compute.h"

enum { ROWS = 40, HORIZON = 2, WINDOW = 8 };

static double curve(size_t i)
{
    return (sin(0.7 * (double)i) + 0.3 * sin(2.1 * (double)i) + 3.0) / 5.0;
}

typedef struct extreme {
    const char *name;
    double unit; /* of the curve; 0: constant at `level` */
    double level;
    size_t odd;        /* the row that is other, by 1 or, in a curve, to 1e300; 0: none */
    size_t rows;       /* 0: ROWS */
    bool alternating;  /* in sign */
    bool covariate;    /* it is that, past and future; the target is the curve */
    const char *words; /* of the refusal; NULL: it is forecast */
} extreme;

static const extreme extremes[] = {
    {"the curve", 1.0, 0.0, 0, 0, false, false, NULL},
    {"constant", 0.0, 5.0, 0, 0, false, false, NULL},
    {"zero", 0.0, 0.0, 0, 0, false, false, NULL},
    {"constant 1e30", 0.0, 1e30, 0, 0, false, false, NULL},
    {"constant 1e300", 0.0, 1e300, 0, 0, false, false, NULL},
    {"constant 1e-300", 0.0, 1e-300, 0, 0, false, false, NULL},
    {"constant but for a row", 0.0, 5.0, 20, 0, false, false, NULL},
    {"constant but for the first row that is scored", 0.0, 5.0, ROWS - HORIZON, 0, false, false, NULL},
    {"constant but for the last row", 0.0, 5.0, ROWS - 1, 0, false, false, NULL},
    {"1e30", 1e30, 0.0, 0, 0, false, false, NULL},
    {"1e36", 1e36, 0.0, 0, 0, false, false, NULL},
    {"1e-30", 1e-30, 0.0, 0, 0, false, false, NULL},
    {"1e15 and the curve", 1.0, 1e15, 0, 0, false, false, NULL},
    {"1e300", 1e300, 0.0, 0, 0, false, false, "further apart than 1e+37"},
    {"1e-300", 1e-300, 0.0, 0, 0, false, false, "closer together than 1e-36"},
    {"the least doubles", 5e-324, 0.0, 0, 0, false, false, "closer together"},
    {"+-1e308", 1e308, 0.0, 0, 0, true, false, "further apart"},
    {"one row of 1e300", 1.0, 0.0, 20, 0, false, false, "further apart"},
    {"no row but one", 1.0, 0.0, 0, 1, false, false, "has 1 row: too few"},
    {"fewer rows than a window", 1.0, 0.0, 0, WINDOW - 1, false, false, "--window 8 is too long"},
    {"one row less than it takes", 1.0, 0.0, 0, WINDOW + 3 * HORIZON - 1, false, false, "are needed"},
    {"a constant covariate", 0.0, 7.0, 0, 0, false, true, NULL},
    {"a covariate that is constant but for a row", 0.0, 7.0, 20, 0, false, true, NULL},
    {"a covariate that is constant but for the last row", 0.0, 7.0, ROWS - 1, 0, false, true, NULL},
    {"a covariate of 1e30", 1e30, 0.0, 0, 0, false, true, NULL},
    {"a covariate of 1e-30", 1e-30, 0.0, 0, 0, false, true, NULL},
    {"a covariate of 1e300", 1e300, 0.0, 0, 0, false, true, "further apart"},
    {"a covariate of 1e-300", 1e-300, 0.0, 0, 0, false, true, "closer together"},
    {"a covariate of +-1e308", 1e308, 0.0, 0, 0, true, true, "further apart"},
};

static double value_of(const extreme *e, size_t i)
{
    const bool odd = e->odd && i == e->odd;
    const double x =
        e->unit > 0.0 ? (odd ? 1e300 : e->level + e->unit * curve(i)) : e->level + (odd ? 1.0 : 0.0);
    return e->alternating && i % 2 ? -x : x;
}

static norn_table *table_of(const extreme *e, bool future)
{
    const size_t rows = e->rows ? e->rows : ROWS;
    const groups g = {.count = 1,
                      .rows = {rows},
                      .ahead = {e->covariate && future ? HORIZON : 0},
                      .past = e->covariate && !future,
                      .future = e->covariate && future};
    norn_table *table = table_of_groups(&g);
    for (size_t i = 0; i < rows + g.ahead[0]; i++) {
        if (i < rows) norn_table_target_mutable(table, 0)[i] = e->covariate ? curve(i) : value_of(e, i);
        if (g.past) norn_table_past_mutable(table, 0, 0)[i] = value_of(e, i);
        if (g.future) norn_table_future_mutable(table, 0, 0)[i] = value_of(e, i);
    }
    return table;
}

static norn_forecast_options options_of(const extreme *e)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = HORIZON;
    o.window = e->rows == 1 ? 0 : WINDOW;
    o.season = 1;
    o.hidden = 4;
    o.batch = 16;
    o.epochs = 3;
    return o;
}

/* Forecast, and no further from the rows than they lie apart; or refused. */
static void try_extreme(norn_context *context, const extreme *e, bool future, double out[HORIZON])
{
    norn_table *table = table_of(e, future);
    const norn_forecast_options options = options_of(e);
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_forecast_run(&forecast, context, table, &options, NULL, &err);
    if (e->words) {
        if (status != NORN_ERR_USAGE || !strstr(err.message, e->words))
            fail_msg("%s: %s \"%s\"", e->name, norn_status_name(status), err.message);
        assert_null(forecast);
        assert_int_equal(context->memory_used, 0);
    } else {
        double low = INFINITY, high = -INFINITY;
        if (status != NORN_OK) fail_msg("%s: %s", e->name, err.message);
        const size_t rows = norn_table_rows(table, 0);
        for (size_t i = 0; i < rows; i++) {
            low = fmin(low, norn_table_target(table, 0)[i]);
            high = fmax(high, norn_table_target(table, 0)[i]);
        }
        const double *y = norn_forecast_values(forecast, 0);
        for (size_t i = 0; i < HORIZON; i++) {
            const double slack = (high - low) + 1e-9 * fmax(fabs(high), fabs(low));
            if (!(y[i] >= low - slack && y[i] <= high + slack)) fail_msg("%s: %g is forecast", e->name, y[i]);
            out[i] = y[i];
        }
        if (low == high)
            for (size_t i = 0; i < HORIZON; i++) assert_near(y[i], low, 1e-12, 0.0);
        size_t count;
        const norn_score *scores = norn_forecast_scores(forecast, &count);
        for (size_t k = 0; k < count; k++) assert_true(isfinite(scores[k].mae) && isfinite(scores[k].rmse));
    }
    norn_forecast_free(forecast);
    norn_table_free(table);
}

static void every_extreme_is_forecast_right_or_refused(void **state)
{
    for (size_t i = 0; i < NORN_COUNT(extremes); i++) {
        double y[HORIZON];
        try_extreme(*state, &extremes[i], false, y);
        if (extremes[i].covariate) try_extreme(*state, &extremes[i], true, y);
    }
}

/* The size of a unit is nothing a forecast should know of: the same curve in units of 1e30 and 1e-30. */
static void forecasts_do_not_depend_on_the_unit(void **state)
{
    static const char *const same[] = {"1e30", "1e-30", "1e36"};
    double base[HORIZON], y[HORIZON];
    try_extreme(*state, &extremes[0], false, base);
    for (size_t k = 0; k < NORN_COUNT(same); k++)
        for (size_t i = 0; i < NORN_COUNT(extremes); i++) {
            if (strcmp(extremes[i].name, same[k]) != 0) continue;
            try_extreme(*state, &extremes[i], false, y);
            for (size_t j = 0; j < HORIZON; j++) assert_near(y[j] / extremes[i].unit, base[j], 1e-5, 0.0);
        }
    const extreme *level = NULL;
    for (size_t i = 0; i < NORN_COUNT(extremes); i++)
        if (strcmp(extremes[i].name, "1e15 and the curve") == 0) level = &extremes[i];
    assert_non_null(level);
    try_extreme(*state, level, false, y);
    for (size_t j = 0; j < HORIZON; j++) /* doubles of 1e15 know eighths */
        assert_near(y[j] - level->level, base[j], 0.0, 0.3);
}

/* What lies behind the rows a fold sees is no reason to refuse it: that would be to look ahead. */
static void rows_that_no_training_sees_are_not_looked_at(void **state)
{
    enum { N = 80, FOLDS = 2 };
    norn_forecast_options network = options_of(&extremes[0]);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = HORIZON;
    options.folds = FOLDS;
    options.models = "lstm";
    options.window = WINDOW;
    options.season = 1;
    options.bootstrap = 0;
    options.network = &network;
    double kept[FOLDS][HORIZON];
    for (size_t h = 0; h < 3; h++) { /* as it is; a row that is scored only; one that the last fold sees */
        norn_table *table = driven(N, 0, 0, 1.0, 7);
        norn_backtest *backtest = NULL;
        norn_error err = NORN_ERROR_INIT;
        if (h) norn_table_target_mutable(table, 0)[h == 1 ? N - 1 : N - 1 - HORIZON] = 1e300;
        const norn_status status = norn_backtest_run(&backtest, *state, table, &options, NULL, &err);
        if (h < 2) assert_ok(status, &err);
        if (h == 2) {
            assert_int_equal(status, NORN_ERR_USAGE);
            assert_non_null(strstr(err.message, "further apart"));
        }
        for (size_t k = 0; k < FOLDS && h < 2; k++) {
            const double *y = norn_backtest_forecast(backtest, 0, 0, k);
            if (h == 0) memcpy(kept[k], y, sizeof kept[k]);
            assert_memory_equal(kept[k], y, sizeof kept[k]);
        }
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_extreme_is_forecast_right_or_refused),
        cmocka_unit_test(forecasts_do_not_depend_on_the_unit),
        cmocka_unit_test(rows_that_no_training_sees_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
