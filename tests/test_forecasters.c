/*
 * The forecasters that need no device, each beside golden values of another implementation or numbers that
 * can be checked by hand, with missing values and with rows that must not be seen. No OpenCL here.
 */
#include "support.h"

#include "baseline_reference.h"

#include "forecast/forecaster.h"
#include "golden/backtest.h"

enum { MOST = 64 };

/* Fitted on y[0, n), forecast from y[0, to); out [h]. */
static void two_cutoffs(const norn_forecaster *kind, const double *y, size_t n, size_t to, size_t m, size_t w,
                        size_t h, double *out)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {.horizon = h, .season = m, .window = w, .rows = n > to ? n : to};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, to, 0}, out);
    norn_fitted_free(fitted);
}

static void once(const norn_forecaster *kind, const double *y, size_t n, size_t m, size_t w, size_t h,
                 double *out)
{
    two_cutoffs(kind, y, n, n, m, w, h, out);
}

static void assert_all_near(const double *got, const double *want, size_t count, double relative)
{
    for (size_t i = 0; i < count; i++) assert_near_at(got[i], want[i], relative, 0, i, __FILE__, __LINE__);
}

/* ---- the simple ones ---- */

static void naive_is_the_last_value_that_is_there(void **state)
{
    (void)state;
    const double y[] = {1, 2, 7, NAN, NAN};
    double out[3];
    once(&norn_model_naive, y, 3, 1, 1, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == 7);
    once(&norn_model_naive, y, 5, 1, 1, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == 7);
    once(&norn_model_naive, y + 3, 2, 1, 1, 3, out);
    assert_true(isnan(out[0]));
}

static void seasonal_naive_repeats_the_last_season_and_looks_further_back_for_missing_values(void **state)
{
    (void)state;
    const double y[] = {1, 2, 3, 4, NAN, 6, 7, NAN};
    const double whole[] = {1, 2, 3, 4, 5, 6, 7, 8};
    double out[7], other[7];
    once(&norn_model_seasonal_naive, whole, 8, 3, 1, 7, out);
    seasonal_naive_reference(whole, 8, 3, 7, other);
    assert_memory_equal(out, other, sizeof out);
    once(&norn_model_seasonal_naive, y, 8, 3, 1, 7, out);
    const double want[] = {6, 7, 2, 6, 7, 2, 6}; /* of the places of rows 5, 6, 7: row 7 and 4 are missing */
    for (size_t i = 0; i < 7; i++) assert_true(out[i] == want[i]);
    once(&norn_model_seasonal_naive, y, 2, 5, 1, 4, out); /* two rows of a season of five */
    const double few[] = {2, 2, 2, 1};
    for (size_t i = 0; i < 4; i++) assert_true(out[i] == few[i]);
    once(&norn_model_seasonal_naive, y, 8, 1, 1, 2, out);
    assert_true(out[0] == 7 && out[1] == 7);
}

static void drift_goes_on_along_the_line_from_the_first_to_the_last_value(void **state)
{
    (void)state;
    const double y[] = {3, 9, 5, 9, 20, NAN};
    double out[2];
    once(&norn_model_drift, y, 4, 1, 1, 2, out);
    assert_near(out[0], 11, 1e-15, 0);
    assert_near(out[1], 13, 1e-15, 0);
    two_cutoffs(&norn_model_drift, y, 4, 5, 1, 1, 2,
                out); /* the slope of the fit from the row of the cutoff */
    assert_near(out[0], 22, 1e-15, 0);
    two_cutoffs(&norn_model_drift, y, 4, 6, 1, 1, 2, out); /* whose value is missing: a row later */
    assert_near(out[0], 24, 1e-15, 0);
    once(&norn_model_drift, y, 1, 1, 1, 2, out);
    assert_true(out[1] == 3);
}

static void window_average_is_the_mean_of_the_window_without_missing_values(void **state)
{
    (void)state;
    const double y[] = {100, 1, NAN, 6, 5};
    double out[2];
    once(&norn_model_window_average, y, 5, 1, 4, 2, out);
    assert_near(out[0], 4, 1e-15, 0);
    assert_true(out[1] == out[0]);
    once(&norn_model_window_average, y, 3, 1, 1, 2, out); /* the window holds nothing: a row more */
    assert_near(out[0], 1, 1e-15, 0);
    once(&norn_model_window_average, y, 2, 1, 40, 2, out);
    assert_near(out[0], 50.5, 1e-15, 0);
}

/* ---- Naive2 ---- */

static void naive2_is_that_of_the_m4_code(void **state)
{
    (void)state;
    double out[15];
    once(&norn_model_naive2, naive2_even_y, NORN_COUNT(naive2_even_y), 12, 1, 15, out);
    assert_all_near(out, naive2_even, 15, 1e-13);
    once(&norn_model_naive2, naive2_odd_y, NORN_COUNT(naive2_odd_y), 7, 1, 15, out);
    assert_all_near(out, naive2_odd, 15, 1e-13);
    once(&norn_model_naive2, naive2_flat_y, NORN_COUNT(naive2_flat_y), 12, 1, 15, out);
    assert_all_near(out, naive2_flat, 15, 0); /* the test finds no season */
}

static void naive2_asks_for_three_seasons(void **state)
{
    (void)state;
    double y[21], out[7];
    for (size_t i = 0; i < 21; i++) y[i] = i % 7 == 3 ? 15.0 : 10.0;
    once(&norn_model_naive2, y, 20, 7, 1, 7, out);
    for (size_t i = 0; i < 7; i++) assert_true(out[i] == 10.0);
    once(&norn_model_naive2, y, 21, 7, 1, 7, out);
    for (size_t i = 0; i < 7; i++) assert_near(out[i], y[i], 0.02, 0);
}

static void naive2_finds_a_season_from_the_limit_of_90_percent_on(void **state)
{
    (void)state;
    double out[15];
    once(&norn_model_naive2, naive2_below_y, NORN_COUNT(naive2_below_y), 6, 1, 15, out);
    assert_all_near(out, naive2_below, 15, 0);
    assert_true(out[0] == out[1]);
    once(&norn_model_naive2, naive2_above_y, NORN_COUNT(naive2_above_y), 6, 1, 15, out);
    assert_all_near(out, naive2_above, 15, 1e-13);
    assert_true(out[0] != out[1]);
}

/* R's acf computes no lag above 10 log10 n, so that a season of 30 is first found with 1000 rows. */
static void naive2_finds_no_season_beyond_the_lags_of_r(void **state)
{
    (void)state;
    double y[1020], out[1];
    for (size_t i = 0; i < 1020; i++) y[i] = 10.0 + (double)(i % 30);
    once(&norn_model_naive2, y, 990, 30, 1, 1, out);
    assert_true(out[0] == y[989]);
    once(&norn_model_naive2, y, 1019, 30, 1, 1, out);
    assert_true(fabs(out[0] - y[1018]) > 0.5);
}

/* The same from its definition: on random walks of weak seasons it adjusts where |r_12| of the steps is above
 * the limit. */
static void naive2_of_steps_finds_the_season_that_a_trend_hides(void **state)
{
    (void)state;
    enum { ROWS = 61, M = 12 };
    double y[ROWS], out[1];
    size_t adjusted = 0, otherwise = 0;
    uint64_t random = 1;
    for (size_t k = 0; k < 300; k++) {
        double mean = 0.0, squares = 0.0, lagged = 0.0, plain[1];
        y[0] = 1000.0;
        for (size_t i = 1; i < ROWS; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            y[i] = y[i - 1] + 3.0 + (i % M == 5 ? 0.5 : 0.0) + (double)(random >> 40) / 16777216.0;
            mean += (y[i] - y[i - 1]) / (ROWS - 1);
        }
        for (size_t i = 1; i < ROWS; i++) {
            const double step = y[i] - y[i - 1] - mean;
            squares += step * step;
            if (i > M) lagged += step * (y[i - M] - y[i - M - 1] - mean);
        }
        const bool wanted = fabs(lagged / squares) > 1.645 / sqrt(ROWS - 1.0);
        once(&norn_model_naive2_steps, y, ROWS, M, 1, 1, out);
        assert_int_equal(out[0] != y[ROWS - 1], wanted);
        once(&norn_model_naive2, y, ROWS, M, 1, 1, plain);
        if (wanted && plain[0] == y[ROWS - 1]) otherwise++; /* the trend hides it from the values */
        adjusted += wanted;
    }
    assert_true(adjusted > 20 && adjusted < 280 && otherwise > 20);
}

static void naive2_keeps_the_phase_of_the_season_when_older_rows_are_left_out(void **state)
{
    (void)state;
    const size_t n = NORN_COUNT(naive2_even_y);
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    double out[15], want[15];
    const norn_forecaster_setup setup = {.horizon = 15, .season = 12, .window = 1, .rows = n};
    assert_ok(norn_fitted_new(&fitted, &norn_model_naive2, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){naive2_even_y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){naive2_even_y, n, 0}, want);
    norn_fitted_forecast(fitted, (norn_view){naive2_even_y + 31, n - 31, 31}, out);
    assert_memory_equal(out, want, sizeof out);

    /* fitted on later rows too: the figure is counted from the row's place in the series */
    norn_fitted_fit(fitted, (norn_view){naive2_even_y + 5, n - 5, 0});
    norn_fitted_forecast(fitted, (norn_view){naive2_even_y + 5, n - 5, 0}, want);
    norn_fitted_fit(fitted, (norn_view){naive2_even_y + 5, n - 5, 5});
    norn_fitted_forecast(fitted, (norn_view){naive2_even_y + 5, n - 5, 5}, out);
    assert_all_near(out, want, 15, 1e-13);
    norn_fitted_free(fitted);
}

/* ---- linear models ---- */

static void nlinear_is_the_linear_model_of_its_definition(void **state)
{
    (void)state;
    const norn_host host = norn_host_copy(NULL);
    norn_error err = NORN_ERROR_INIT;
    double out[14], want[14];
    const size_t n = NORN_COUNT(linear_y), windows[] = {2, 3, 10, 36};
    for (size_t i = 0; i < NORN_COUNT(windows); i++) {
        once(&norn_model_nlinear, linear_y, n, 1, windows[i], 14, out);
        assert_ok(linear_reference(linear_y, n, windows[i], 1, 14, want, &host, &err), &err);
        assert_all_near(out, want, 14, 1e-10);
        assert_true(out[0] != linear_y[n - 1]);
    }
}

static void dlinear_is_ridge_regression_on_the_average_and_the_rest(void **state)
{
    (void)state;
    double out[14];
    once(&norn_model_dlinear, linear_y, NORN_COUNT(linear_y), 1, 36, 6, out);
    assert_all_near(out, dlinear_36, 6, 1e-9);
    once(&norn_model_dlinear, linear_y, NORN_COUNT(linear_y), 1, 10, 14, out);
    assert_all_near(out, dlinear_10, 14, 1e-9);
}

static const norn_forecaster *const linear_models[] = {&norn_model_nlinear, &norn_model_dlinear};

static void linear_models_give_the_naive_forecast_where_nothing_can_be_learnt(void **state)
{
    (void)state;
    double flat[40], out[3];
    for (size_t i = 0; i < 40; i++) flat[i] = 7.25;
    for (size_t k = 0; k < 2; k++) {
        once(linear_models[k], flat, 40, 1, 8, 3, out);
        for (size_t i = 0; i < 3; i++) assert_true(out[i] == 7.25);
        once(linear_models[k], linear_y, 11, 1, 8, 3, out); /* one window */
        for (size_t i = 0; i < 3; i++) assert_true(out[i] == linear_y[10]);
        once(linear_models[k], linear_y, 12, 1, 8, 3, out); /* two */
        assert_true(out[0] != linear_y[11]);
        once(linear_models[k], linear_y, 100, 1, 1, 3, out);
        for (size_t i = 0; i < 3; i++) assert_true(out[i] == linear_y[99]);
    }
}

/* The last value and a whole season among the missing ones. */
static void nlinear_takes_missing_values_from_the_season_before_as_its_definition_does(void **state)
{
    (void)state;
    const norn_host host = norn_host_copy(NULL);
    norn_error err = NORN_ERROR_INIT;
    double y[150], out[14], want[14];
    static const size_t seasons[] = {1, 12};
    for (size_t i = 0; i < 2; i++) {
        memcpy(y, linear_y, sizeof y);
        for (size_t t = 4; t < 150; t += 5) y[t] = NAN;
        for (size_t t = 60; t < 75; t++) y[t] = NAN;
        once(&norn_model_nlinear, y, 150, seasons[i], 20, 14, out);
        assert_ok(linear_reference(y, 150, 20, seasons[i], 14, want, &host, &err), &err);
        assert_all_near(out, want, 14, 1e-10);
    }
}

static void dlinear_takes_missing_values_from_the_season_before(void **state)
{
    (void)state;
    double y[150], filled[150], out[6], want[6];
    for (size_t t = 0; t < 150; t++) {
        y[t] = t > 11 && t % 7 == 2 ? NAN : linear_y[t];
        filled[t] = isnan(y[t]) ? filled[t - 12] : y[t];
    }
    once(&norn_model_dlinear, y, 150, 12, 20, 6, out);
    once(&norn_model_dlinear, filled, 150, 12, 20, 6, want);
    assert_memory_equal(out, want, sizeof out);
}

static void linear_models_begin_at_the_first_value(void **state)
{
    (void)state;
    double y[150], out[2], want[2];
    for (size_t k = 0; k < 2; k++) {
        memcpy(y, linear_y, sizeof y);
        for (size_t i = 0; i < 40; i++) y[i] = NAN;
        y[45] = NAN; /* no season after the first value: the last one */
        once(linear_models[k], y, 150, 12, 8, 2, out);
        once(linear_models[k], y + 40, 110, 12, 8, 2, want);
        assert_memory_equal(out, want, sizeof out);

        /* a forecast from fewer values than a window is the naive one, whatever was fitted */
        norn_error err = NORN_ERROR_INIT;
        norn_fitted *fitted = NULL;
        const norn_forecaster_setup setup = {.horizon = 2, .season = 12, .window = 8, .rows = 150};
        assert_ok(norn_fitted_new(&fitted, linear_models[k], &setup, NULL, &err), &err);
        norn_fitted_fit(fitted, (norn_view){linear_y, 150, 0});
        norn_fitted_forecast(fitted, (norn_view){y, 44, 0}, out);
        assert_true(out[0] == y[43] && out[1] == y[43]);
        norn_fitted_forecast(fitted, (norn_view){y, 48, 0}, out);
        assert_true(out[0] != y[47]);
        norn_fitted_free(fitted);
    }
}

/* ---- all of them ---- */

static void no_forecaster_reads_behind_its_view(void **state)
{
    (void)state;
    static const double poisons[] = {1e30, NAN, -INFINITY};
    size_t count;
    const norn_forecaster *const *all = norn_forecasters(&count);
    double y[150], out[MOST], want[MOST];
    for (size_t k = 0; k < count; k++) {
        two_cutoffs(all[k], linear_y, 90, 110, 12, 24, 9, want);
        for (size_t p = 0; p < NORN_COUNT(poisons); p++) {
            memcpy(y, linear_y, sizeof y);
            for (size_t i = 110; i < 150; i++) y[i] = poisons[p];
            two_cutoffs(all[k], y, 90, 110, 12, 24, 9, out);
            assert_memory_equal(out, want, 9 * sizeof *out);
        }
        /* the fit sees less than the forecast */
        double *const fitted_only = malloc(90 * sizeof *fitted_only);
        memcpy(fitted_only, linear_y, 90 * sizeof *fitted_only);
        once(all[k], fitted_only, 90, 12, 24, 9, out);
        once(all[k], linear_y, 90, 12, 24, 9, want);
        assert_memory_equal(out, want, 9 * sizeof *out);
        free(fitted_only);
    }
}

static void missing_values_leave_every_forecast_finite(void **state)
{
    (void)state;
    size_t count;
    const norn_forecaster *const *all = norn_forecasters(&count);
    double y[150], out[MOST];
    for (size_t k = 0; k < count; k++)
        for (size_t every = 2; every < 30; every += 3)
            for (size_t n = 1; n <= 150; n += 7) {
                memcpy(y, linear_y, sizeof y);
                for (size_t i = 1; i < 150; i++)
                    if (i * 7 % every == 0) y[i] = NAN;
                once(all[k], y, n, 12, 24, 9, out);
                for (size_t i = 0; i < 9; i++) assert_true(isfinite(out[i]));
            }
}

static void a_fit_replaces_the_one_before(void **state)
{
    (void)state;
    size_t count;
    const norn_forecaster *const *all = norn_forecasters(&count);
    for (size_t k = 0; k < count; k++) {
        norn_error err = NORN_ERROR_INIT;
        norn_fitted *fitted = NULL;
        double out[9], want[9];
        const norn_forecaster_setup setup = {.horizon = 9, .season = 12, .window = 24, .rows = 150};
        assert_ok(norn_fitted_new(&fitted, all[k], &setup, NULL, &err), &err);
        norn_fitted_fit(fitted, (norn_view){linear_y, 80, 0});
        norn_fitted_forecast(fitted, (norn_view){linear_y, 80, 0}, want);
        norn_fitted_fit(fitted, (norn_view){linear_y, 150, 0});
        norn_fitted_forecast(fitted, (norn_view){linear_y, 150, 0}, out);
        assert_true(memcmp(out, want, sizeof out) != 0);
        norn_fitted_fit(fitted, (norn_view){linear_y, 80, 0});
        norn_fitted_forecast(fitted, (norn_view){linear_y, 80, 0}, out);
        assert_memory_equal(out, want, sizeof out);
        norn_fitted_free(fitted);
    }
}

static void forecasters_are_found_by_name_and_word(void **state)
{
    (void)state;
    assert_ptr_equal(norn_forecaster_find("seasonal-naive", 14), &norn_model_seasonal_naive);
    assert_ptr_equal(norn_forecaster_find("SeasonalNaive", 13), &norn_model_seasonal_naive);
    assert_ptr_equal(norn_forecaster_find("NAIVE2,drift", 6), &norn_model_naive2);
    assert_ptr_equal(norn_forecaster_find("linear", 6), &norn_model_nlinear);
    assert_null(norn_forecaster_find("naive3", 6));
    assert_null(norn_forecaster_find("", 0));
}

/* ---- shared by them ---- */

static void quantiles_of_the_normal_distribution_are_those_of_tables(void **state)
{
    (void)state;
    assert_near(norn_normal_quantile(0.975), 1.9599639845400542, 1e-15, 0);
    assert_near(norn_normal_quantile(0.995), 2.5758293035489004, 1e-15, 0);
    assert_near(norn_normal_quantile(0.75), 0.67448975019608174, 1e-15, 0);
    assert_near(norn_normal_quantile(1e-10), -6.3613409024040557, 1e-14, 0);
    assert_near(norn_normal_quantile(1e-300), -37.0470962993612, 1e-14, 0);
    assert_true(norn_normal_quantile(0.5) == 0.0);
    assert_true(norn_normal_quantile(0.0) == -INFINITY && norn_normal_quantile(1.0) == INFINITY);
    assert_true(isnan(norn_normal_quantile(-0.1)) && isnan(norn_normal_quantile(NAN)));
    for (double p = 0.001; p < 0.5; p += 0.001)
        assert_near(norn_normal_quantile(1.0 - p), -norn_normal_quantile(p), 1e-12, 1e-12);
}

/* Every kind: they hold the forecast, the wider level the narrower one, and a fit is explained in lines that
 * are whole. */
static void intervals_hold_the_forecast_and_grow_with_their_level(void **state)
{
    (void)state;
    size_t count, with = 0;
    const norn_forecaster *const *all = norn_forecasters(&count);
    const double level[] = {0.5, 0.8, 0.95};
    double out[9], lower[27], upper[27];
    for (size_t k = 0; k < count; k++) {
        norn_error err = NORN_ERROR_INIT;
        norn_fitted *fitted = NULL;
        const norn_forecaster_setup setup = {
            .horizon = 9, .season = 12, .window = 24, .rows = 150, .seed = 1};
        assert_ok(norn_fitted_new(&fitted, all[k], &setup, NULL, &err), &err);
        norn_fitted_fit(fitted, (norn_view){linear_y, 120, 0});
        norn_fitted_forecast(fitted, (norn_view){linear_y, 130, 0}, out);
        const bool has = norn_fitted_interval(fitted, (norn_view){linear_y, 130, 0}, level, 3, lower, upper);
        with += has;
        assert_true(has == (all[k]->interval != NULL));
        for (size_t i = 0; i < 27; i++) {
            assert_true(has ? lower[i] < upper[i] : isnan(lower[i]) && isnan(upper[i]));
            if (has && i >= 9) assert_true(lower[i] < lower[i - 9] && upper[i] > upper[i - 9]);
            if (has) assert_true(lower[i] < out[i % 9] && out[i % 9] < upper[i]);
        }
        norn_explained lines[64];
        norn_explanation text = {lines, 2, 0}, whole = {lines, 64, 0};
        norn_fitted_explain(fitted, &text);
        norn_fitted_explain(fitted, &whole);
        assert_int_equal(text.count, whole.count);
        assert_true(whole.count <= 64 && (whole.count > 0) == (all[k]->explain != NULL));
        for (size_t i = 0; i < whole.count; i++)
            assert_true(lines[i].name[0] && lines[i].value[0] && lines[i].meaning[0]);
        norn_fitted_free(fitted);
    }
    assert_int_equal(with, count);
}

/* ---- intervals of the simple ones, by hand ---- */

static void bounds_of(const norn_forecaster *kind, const double *y, size_t n, size_t m, size_t h,
                      double *lower, double *upper)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const double level = 0.6826894921370859; /* one deviation to either side */
    double out[MOST];
    const norn_forecaster_setup setup = {.horizon = h, .season = m, .window = 4, .rows = n};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    assert_true(norn_fitted_interval(fitted, (norn_view){y, n, 0}, &level, 1, lower, upper));
    for (size_t j = 0; j < h; j++)
        if (!isnan(lower[j])) assert_near(0.5 * (lower[j] + upper[j]), out[j], 1e-13, 1e-13);
    norn_fitted_free(fitted);
}

static void assert_deviation(const double *lower, const double *upper, size_t j, double want)
{
    assert_near_at(0.5 * (upper[j] - lower[j]), want, 1e-12, 0, j, __FILE__, __LINE__);
}

static void bounds_of_walks_grow_with_the_root_of_the_rows_ahead(void **state)
{
    (void)state;
    const double y[] = {1, 3, 2, 6}, gap[] = {1, 3, NAN, 6, NAN}, seasons[] = {1, 5, 2, 9, 4, NAN};
    double lower[5], upper[5];
    bounds_of(&norn_model_naive, y, 4, 1, 3, lower, upper); /* steps 2, -1, 4 */
    for (size_t j = 0; j < 3; j++) assert_deviation(lower, upper, j, sqrt(7.0 * (double)(j + 1)));
    bounds_of(&norn_model_naive, gap, 5, 1, 2, lower,
              upper); /* 2 and, over two rows, 3; the last is missing */
    assert_deviation(lower, upper, 0, sqrt((4.0 + 4.5) / 2.0 * 2.0));
    assert_deviation(lower, upper, 1, sqrt((4.0 + 4.5) / 2.0 * 3.0));
    bounds_of(&norn_model_seasonal_naive, seasons, 6, 2, 5, lower, upper); /* 1, 4, 2; 9 is two rows older */
    assert_deviation(lower, upper, 0, sqrt(7.0));
    assert_deviation(lower, upper, 1, sqrt(14.0));
    assert_deviation(lower, upper, 2, sqrt(14.0));
    assert_deviation(lower, upper, 4, sqrt(21.0));
    bounds_of(&norn_model_seasonal_naive, seasons, 3, 5, 3, lower, upper); /* no season has gone by */
    for (size_t j = 0; j < 3; j++) assert_true(isnan(lower[j]) && isnan(upper[j]));
    bounds_of(&norn_model_drift, y, 4, 1, 2, lower, upper); /* slope 5/3: off by 1/3, -8/3, 7/3 */
    assert_deviation(lower, upper, 0, sqrt((1.0 + 64.0 + 49.0) / 9.0 / 2.0 * (1.0 + 1.0 / 3.0)));
    assert_deviation(lower, upper, 1, sqrt((1.0 + 64.0 + 49.0) / 9.0 / 2.0 * 2.0 * (1.0 + 2.0 / 3.0)));
    bounds_of(&norn_model_naive, y, 1, 1, 1, lower, upper);
    assert_true(isnan(lower[0]));
}

static void bounds_of_an_average_are_its_errors_so_far(void **state)
{
    (void)state;
    /* the window is of 4: errors 2, 0, 1/3 (of 1, 3, 2), 7 of the 1, 3, 2, 5/3 before it */
    const double y[] = {1, 3, 2, 7.0 / 3.0, 9}, means[] = {1, 2, 2, 25.0 / 12.0};
    double lower[2], upper[2], squares = 0.0;
    bounds_of(&norn_model_window_average, y, 5, 1, 2, lower, upper);
    for (size_t i = 0; i < 4; i++) squares += (y[i + 1] - means[i]) * (y[i + 1] - means[i]);
    assert_deviation(lower, upper, 0, sqrt(squares / 4.0));
    assert_deviation(lower, upper, 1, sqrt(squares / 4.0));
    /* a row more: the first has left the window, nothing else changes */
    const double more[] = {1, 3, 2, 7.0 / 3.0, 9, 4};
    bounds_of(&norn_model_window_average, more, 6, 1, 1, lower, upper);
    const double mean = (3.0 + 2.0 + 7.0 / 3.0 + 9.0) / 4.0;
    assert_deviation(lower, upper, 0, sqrt((squares + (4.0 - mean) * (4.0 - mean)) / 5.0));
}

/* Of the linear models the sum of squares is a form of sums over windows: beside errors made one by one. */
static void bounds_of_linear_models_are_those_of_a_regression(void **state)
{
    (void)state;
    enum { W = 6, H = 3, N = 90 };
    static const norn_forecaster *const kinds[] = {&norn_model_nlinear, &norn_model_dlinear};
    for (size_t k = 0; k < 2; k++) {
        norn_error err = NORN_ERROR_INIT;
        norn_fitted *fitted = NULL;
        const norn_forecaster_setup setup = {.horizon = H, .season = 1, .window = W, .rows = N};
        const double level = 0.6826894921370859, estimated = k ? W + 1 : W;
        double out[H], lower[H], upper[H], squares[H] = {0.0}, windows = 0.0;
        assert_ok(norn_fitted_new(&fitted, kinds[k], &setup, NULL, &err), &err);
        norn_fitted_fit(fitted, (norn_view){linear_y, N, 0});
        for (size_t end = W; end + H <= N; end++) {
            norn_fitted_forecast(fitted, (norn_view){linear_y, end, 0}, out);
            for (size_t j = 0; j < H; j++)
                squares[j] += (linear_y[end + j] - out[j]) * (linear_y[end + j] - out[j]);
            windows += 1.0;
        }
        assert_true(norn_fitted_interval(fitted, (norn_view){linear_y, N, 0}, &level, 1, lower, upper));
        for (size_t j = 0; j < H; j++)
            assert_near_at(0.5 * (upper[j] - lower[j]),
                           sqrt(squares[j] / (windows - estimated) * (1.0 + estimated / windows)), 1e-8, 0, j,
                           __FILE__, __LINE__);
        norn_fitted_free(fitted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naive_is_the_last_value_that_is_there),
        cmocka_unit_test(seasonal_naive_repeats_the_last_season_and_looks_further_back_for_missing_values),
        cmocka_unit_test(drift_goes_on_along_the_line_from_the_first_to_the_last_value),
        cmocka_unit_test(window_average_is_the_mean_of_the_window_without_missing_values),
        cmocka_unit_test(naive2_is_that_of_the_m4_code),
        cmocka_unit_test(naive2_asks_for_three_seasons),
        cmocka_unit_test(naive2_finds_a_season_from_the_limit_of_90_percent_on),
        cmocka_unit_test(naive2_finds_no_season_beyond_the_lags_of_r),
        cmocka_unit_test(naive2_of_steps_finds_the_season_that_a_trend_hides),
        cmocka_unit_test(naive2_keeps_the_phase_of_the_season_when_older_rows_are_left_out),
        cmocka_unit_test(nlinear_is_the_linear_model_of_its_definition),
        cmocka_unit_test(dlinear_is_ridge_regression_on_the_average_and_the_rest),
        cmocka_unit_test(linear_models_give_the_naive_forecast_where_nothing_can_be_learnt),
        cmocka_unit_test(nlinear_takes_missing_values_from_the_season_before_as_its_definition_does),
        cmocka_unit_test(dlinear_takes_missing_values_from_the_season_before),
        cmocka_unit_test(linear_models_begin_at_the_first_value),
        cmocka_unit_test(no_forecaster_reads_behind_its_view),
        cmocka_unit_test(missing_values_leave_every_forecast_finite),
        cmocka_unit_test(a_fit_replaces_the_one_before),
        cmocka_unit_test(forecasters_are_found_by_name_and_word),
        cmocka_unit_test(quantiles_of_the_normal_distribution_are_those_of_tables),
        cmocka_unit_test(intervals_hold_the_forecast_and_grow_with_their_level),
        cmocka_unit_test(bounds_of_walks_grow_with_the_root_of_the_rows_ahead),
        cmocka_unit_test(bounds_of_an_average_are_its_errors_so_far),
        cmocka_unit_test(bounds_of_linear_models_are_those_of_a_regression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
