/* Forecasters behind a seasonal adjustment, alone and in backtests. No OpenCL here. */
#include "backtest_support.h"

#include "forecast/decompose.h"
#include "forecast/forecaster.h"
#include "forecast/stl.h"

enum { ROWS = 96 };

/* A line with a season of 12 rows. */
static double value_at(size_t i)
{
    const double season = (double)(i * i % 12) - 3.0;
    return 50.0 + 0.25 * (double)i + season;
}

static void forecast_of(const norn_forecaster *kind, norn_decompose decompose, const double *y, size_t n,
                        size_t m, size_t h, double *out)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {
        .horizon = h, .season = m, .window = 24, .rows = n, .decompose = decompose};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    norn_fitted_free(fitted);
}

static void a_forecaster_behind_stl_sees_no_season_and_forecasts_one(void **state)
{
    (void)state;
    double y[ROWS], out[30];
    for (size_t i = 0; i < ROWS; i++) y[i] = value_at(i);
    forecast_of(&norn_model_drift, NORN_DECOMPOSE_STL, y, ROWS, 12, 30, out);
    for (size_t j = 0; j < 30; j++) assert_near_at(out[j], value_at(ROWS + j), 0, 0.2, j, __FILE__, __LINE__);
    y[40] = y[ROWS - 3] = y[ROWS - 1] = NAN; /* also where the season ends */
    forecast_of(&norn_model_drift, NORN_DECOMPOSE_STL, y, ROWS, 12, 30, out);
    for (size_t j = 0; j < 30; j++) assert_near_at(out[j], value_at(ROWS + j), 0, 0.3, j, __FILE__, __LINE__);
}

/* The forecast is that of the adjusted series, with the last period of the season on top: by hand. */
static void the_season_of_a_forecast_is_its_last_period(void **state)
{
    (void)state;
    double y[ROWS], season[ROWS], trend[ROWS], weight[ROWS], adjusted[ROWS], want[20], out[20];
    double *work = malloc(norn_stl_work(ROWS, 12) * sizeof *work);
    const norn_stl_setup setup = norn_stl_defaults(12, true);
    assert_non_null(work);
    for (size_t i = 0; i < ROWS; i++) y[i] = value_at(i) + (double)(i * i * i % 5);
    norn_stl(&setup, y, ROWS, season, trend, weight, work);
    for (size_t i = 0; i < ROWS; i++) adjusted[i] = y[i] - season[i];
    forecast_of(&norn_model_nlinear, NORN_DECOMPOSE_NONE, adjusted, ROWS, 1, 20, want);
    for (size_t j = 0; j < 20; j++) want[j] += season[ROWS - 12 + j % 12];
    forecast_of(&norn_model_nlinear, NORN_DECOMPOSE_STL, y, ROWS, 12, 20, out);
    for (size_t j = 0; j < 20; j++) assert_true(out[j] == want[j]);
    free(work);
}

static void mstl_takes_off_the_season_above_too(void **state)
{
    (void)state;
    enum { DAYS = 42, HOURS = 24 * DAYS };
    static double y[HOURS];
    double one[48], both[48], off_one = 0.0, off_both = 0.0;
    /* day and week: Saturday and Sunday are lower */
    for (size_t i = 0; i < HOURS; i++) y[i] = 100.0 + (double)(i % 24) - (i / 24 % 7 >= 5 ? 20.0 : 0.0);
    const size_t n = HOURS - 48; /* the weekend comes after */
    forecast_of(&norn_model_naive, NORN_DECOMPOSE_STL, y, n, 24, 48, one);
    forecast_of(&norn_model_naive, NORN_DECOMPOSE_MSTL, y, n, 24, 48, both);
    for (size_t j = 0; j < 48; j++) {
        off_one = fmax(off_one, fabs(one[j] - y[n + j]));
        off_both = fmax(off_both, fabs(both[j] - y[n + j]));
    }
    assert_true(off_one > 10.0);
    assert_true(off_both < 1.0);
}

static void seasons_are_those_of_the_setup_and_what_stands_above(void **state)
{
    (void)state;
    size_t periods[NORN_MOST_SEASONS];
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_STL, 24, NULL, periods), 1);
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_MSTL, 24, NULL, periods), 2);
    assert_int_equal(periods[1], 168);
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_MSTL, 60, NULL, periods), 3);
    assert_int_equal(periods[2], 10080);
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_MSTL, 12, NULL, periods), 1);
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_MSTL, 1, NULL, periods), 0);
    assert_int_equal(norn_decompose_seasons(NORN_DECOMPOSE_NONE, 12, NULL, periods), 0);
}

static void with_fewer_than_two_periods_nothing_is_taken_off(void **state)
{
    (void)state;
    double y[ROWS], plain[4], out[4];
    for (size_t i = 0; i < ROWS; i++) y[i] = value_at(i);
    for (size_t n = 1; n < 24; n++) {
        forecast_of(&norn_model_drift, NORN_DECOMPOSE_NONE, y, n, 1, 4, plain);
        forecast_of(&norn_model_drift, NORN_DECOMPOSE_MSTL, y, n, 12, 4, out);
        assert_memory_equal(out, plain, sizeof out);
    }
    forecast_of(&norn_model_drift, NORN_DECOMPOSE_NONE, y, 24, 1, 4, plain);
    forecast_of(&norn_model_drift, NORN_DECOMPOSE_STL, y, 24, 12, 4, out);
    assert_true(fabs(out[0] - plain[0]) > 0.1);
}

/* What is kept from the last view is used for that view alone, though it stand in the same memory. */
static void a_decomposition_is_never_that_of_another_view(void **state)
{
    (void)state;
    double y[ROWS], first[6], second[6], want[6];
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {
        .horizon = 6, .season = 12, .window = 24, .rows = ROWS, .decompose = NORN_DECOMPOSE_STL};
    for (size_t i = 0; i < ROWS; i++) y[i] = value_at(i);
    assert_ok(norn_fitted_new(&fitted, &norn_model_naive, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, ROWS, 0});
    norn_fitted_forecast(fitted, (norn_view){y, ROWS, 0}, first);
    y[ROWS - 1] += 30.0;
    norn_fitted_forecast(fitted, (norn_view){y, ROWS, 0}, second);
    assert_true(fabs(second[0] - first[0]) > 1.0);
    forecast_of(&norn_model_naive, NORN_DECOMPOSE_STL, y, ROWS, 12, 6, want);
    assert_memory_equal(second, want, sizeof want);
    norn_fitted_free(fitted);
}

static void an_explanation_says_how_strong_season_and_trend_are(void **state)
{
    (void)state;
    double y[ROWS];
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    norn_explained lines[8];
    norn_explanation told = {lines, NORN_COUNT(lines), 0};
    const norn_forecaster_setup setup = {
        .horizon = 6, .season = 12, .window = 24, .rows = ROWS, .decompose = NORN_DECOMPOSE_STL};
    for (size_t i = 0; i < ROWS; i++) y[i] = value_at(i);
    assert_ok(norn_fitted_new(&fitted, &norn_model_naive, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, ROWS, 0});
    norn_fitted_explain(fitted, &told);
    assert_int_equal(told.count, 4); /* the model's own at the end */
    assert_string_equal(lines[3].name, "sigma");
    assert_string_equal(lines[0].value, "STL");
    assert_string_equal(lines[1].name, "season of 12");
    assert_true(strtod(lines[1].value, NULL) > 0.99);
    assert_true(strtod(lines[2].value, NULL) > 0.99);
    norn_fitted_free(fitted);
}

static void backtests_decompose_what_was_asked_for_and_nothing_else(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest = NULL, *plain;
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 6;
    options.folds = 3;
    options.season = 12;
    options.bootstrap = 0;
    options.models = "drift,naive,seasonal-naive";
    plain = must_backtest(table, &options, NULL, 0);
    options.decompose = NORN_DECOMPOSE_STL;
    backtest = must_backtest(table, &options, NULL, 0);
    static const char *const names[] = {"STL+Drift", "STL+Naive", "SeasonalNaive",
                                        "Naive",     "Naive2",    "NLinear"};
    assert_int_equal(norn_backtest_model_count(backtest), NORN_COUNT(names));
    for (size_t i = 0; i < NORN_COUNT(names); i++)
        assert_string_equal(norn_backtest_model(backtest, i), names[i]);
    for (size_t i = 2; i < NORN_COUNT(names); i++) /* also skill and OWA, which look for the plain ones */
        for (int metric = 0; metric < NORN_METRICS; metric++)
            assert_near(metric_of(backtest, names[i], (norn_metric)metric),
                        metric_of(plain, names[i], (norn_metric)metric), 0, 0);
    assert_true(metric_of(backtest, "STL+Drift", NORN_METRIC_MAE) <
                0.8 * metric_of(plain, "Drift", NORN_METRIC_MAE));
    norn_backtest_free(backtest);
    norn_backtest_free(plain);

    options.season = 1;
    assert_int_equal(norn_backtest_run_with(&backtest, table, &options, NULL, 0, NULL, &err), NORN_ERR_USAGE);
    assert_string_equal(err.message, "--decompose: the rows have no season to take off (--season)");
    options.season = 12;
    options.models = NULL;
    err = (norn_error)NORN_ERROR_INIT;
    assert_int_equal(norn_backtest_run_with(&backtest, table, &options, NULL, 0, NULL, &err), NORN_ERR_USAGE);
    assert_string_equal(err.message, "--decompose: there is no model to put it in front of (--models)");
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forecaster_behind_stl_sees_no_season_and_forecasts_one),
        cmocka_unit_test(the_season_of_a_forecast_is_its_last_period),
        cmocka_unit_test(mstl_takes_off_the_season_above_too),
        cmocka_unit_test(seasons_are_those_of_the_setup_and_what_stands_above),
        cmocka_unit_test(with_fewer_than_two_periods_nothing_is_taken_off),
        cmocka_unit_test(a_decomposition_is_never_that_of_another_view),
        cmocka_unit_test(an_explanation_says_how_strong_season_and_trend_are),
        cmocka_unit_test(backtests_decompose_what_was_asked_for_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
