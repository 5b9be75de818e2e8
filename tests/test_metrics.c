/*
 * Scores, baselines and the choices of the recipe, on numbers that can be checked by hand or by brute force.
 * No OpenCL here.
 */
#include "support.h"

#include "data/table.h"
#include "forecast/forecaster.h"
#include "forecast/metrics.h"
#include "forecast/recipe.h"

/* Uniform in [-1, 1), by splitmix64. */
static double draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
}

/* ---- metrics ---- */

static void scores_follow_their_formulas(void **state)
{
    (void)state;
    const double truth[] = {1, 2, 4, -8}, forecast[] = {2, 2, 1, -5}; /* e = -1, 0, 3, -3 */
    norn_metrics metrics = {0};
    norn_metrics_add(&metrics, truth, forecast, 4, 2.0);
    norn_score score = norn_metrics_score(&metrics, "M");
    assert_string_equal(score.model, "M");
    assert_int_equal(score.rows, 4);
    assert_near(score.mae, 7.0 / 4, 1e-15, 0);
    assert_near(score.rmse, sqrt(19.0 / 4), 1e-15, 0);
    assert_near(score.mape, 100 * (1.0 + 0.0 + 0.75 + 0.375) / 4, 1e-15, 0);
    assert_near(score.mase, 7.0 / 4 / 2, 1e-15, 0);

    /* A second series of other length and scale: rows count alike in all but MASE, where series do. */
    const double truth_2[] = {10, 20}, forecast_2[] = {9, 22};
    norn_metrics_add(&metrics, truth_2, forecast_2, 2, 0.5);
    score = norn_metrics_score(&metrics, "M");
    assert_int_equal(score.rows, 6);
    assert_near(score.mae, 10.0 / 6, 1e-15, 0);
    assert_near(score.rmse, sqrt(24.0 / 6), 1e-15, 0);
    assert_near(score.mape, 100 * (2.125 + 0.1 + 0.1) / 6, 1e-15, 0);
    assert_near(score.mase, (0.875 + 3.0) / 2, 1e-15, 0);
}

static void a_truth_of_zero_is_left_out_of_the_percentage_only(void **state)
{
    (void)state;
    const double truth[] = {0, 4}, forecast[] = {3, 5};
    norn_metrics metrics = {0};
    norn_metrics_add(&metrics, truth, forecast, 2, 1.0);
    norn_score score = norn_metrics_score(&metrics, "M");
    assert_near(score.mape, 25.0, 1e-15, 0);
    assert_near(score.mae, 2.0, 1e-15, 0);
    assert_int_equal(metrics.percentage_rows, 1);

    const double zeros[] = {0, 0};
    metrics = (norn_metrics){0};
    norn_metrics_add(&metrics, zeros, forecast, 2, 1.0);
    score = norn_metrics_score(&metrics, "M");
    assert_true(isnan(score.mape));
    assert_near(score.mae, 4.0, 1e-15, 0);
}

static void what_is_missing_is_left_out_and_everything_left_out_is_counted(void **state)
{
    (void)state;
    const double truth[] = {NAN, 4, 0, NAN, 10}, forecast[] = {7, 5, 3, NAN, 8}; /* e = -1, -3, 2 */
    norn_metrics metrics = {0};
    norn_metrics_add(&metrics, truth, forecast, 5, 4.0);
    norn_score score = norn_metrics_score(&metrics, "M");
    assert_int_equal(score.rows, 3);
    assert_int_equal(score.missing_rows, 2);
    assert_int_equal(score.zero_rows, 1);
    assert_int_equal(score.unscaled_series, 0);
    assert_near(score.mae, 2.0, 1e-15, 0);
    assert_near(score.rmse, sqrt(14.0 / 3), 1e-15, 0);
    assert_near(score.mape, 100 * (0.25 + 0.2) / 2, 1e-15, 0);
    assert_near(score.mase, 0.5, 1e-15, 0);

    norn_metrics_add(&metrics, truth, forecast, 1, 4.0); /* nothing there: no MASE, whatever the scale */
    norn_metrics_add(&metrics, truth + 1, forecast + 1, 1, 0.0);
    score = norn_metrics_score(&metrics, "M");
    assert_int_equal(score.rows, 4);
    assert_int_equal(score.missing_rows, 3);
    assert_int_equal(score.unscaled_series, 2);
    assert_near(score.mase, 0.5, 1e-15, 0);
}

static void a_series_without_a_scale_is_left_out_of_mase_only(void **state)
{
    (void)state;
    const double truth[] = {1, 1}, forecast[] = {2, 2};
    norn_metrics metrics = {0};
    norn_metrics_add(&metrics, truth, forecast, 2, 0.0);
    assert_true(isnan(norn_metrics_score(&metrics, "M").mase));
    norn_metrics_add(&metrics, truth, forecast, 2, 4.0);
    norn_metrics_add(&metrics, truth, forecast, 2, NAN);
    assert_near(norn_metrics_score(&metrics, "M").mase, 0.25, 1e-15, 0);
    assert_near(norn_metrics_score(&metrics, "M").mae, 1.0, 1e-15, 0);
    assert_int_equal(metrics.scaled_series, 1);

    const norn_metrics nothing = {0};
    const norn_score score = norn_metrics_score(&nothing, "M");
    assert_true(isnan(score.mae) && isnan(score.rmse) && isnan(score.mape) && isnan(score.mase));
}

static void the_scale_is_the_mean_step_over_a_season(void **state)
{
    (void)state;
    const double y[] = {1, 3, 6, 4, 11};
    assert_near(norn_metrics_scale(y, 5, 1), (2 + 3 + 2 + 7) / 4.0, 1e-15, 0);
    assert_near(norn_metrics_scale(y, 5, 2), (5 + 1 + 5) / 3.0, 1e-15, 0);
    assert_near(norn_metrics_scale(y, 5, 4), 10.0, 1e-15, 0);
    assert_true(norn_metrics_scale(y, 5, 5) == 0.0);
    assert_true(norn_metrics_scale(y, 3, 12) == 0.0);
    const double holes[] = {1, NAN, 6, 4, 11}; /* pairs that are there: 6-4, 4-11; two apart: 1-6, 6-11 */
    assert_near(norn_metrics_scale(holes, 5, 1), (2 + 7) / 2.0, 1e-15, 0);
    assert_near(norn_metrics_scale(holes, 5, 2), (5 + 5) / 2.0, 1e-15, 0);
    assert_true(norn_metrics_scale(holes, 2, 1) == 0.0);
}

/* ---- baselines, as norn forecast scores them beside a model ---- */

/* One fit and one forecast of y[0..n). */
static void by(const norn_forecaster *kind, const double *y, size_t n, size_t season, size_t window, size_t h,
               double *out)
{
    const norn_forecaster_setup setup = {.horizon = h, .season = season, .window = window, .rows = n};
    const norn_host host = norn_host_copy(NULL);
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    assert_ok(norn_fitted_new(&fitted, kind, &setup, &host, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    norn_fitted_free(fitted);
}

static void the_naive_forecasts_repeat_the_last_value_and_the_last_season(void **state)
{
    (void)state;
    const double y[] = {1, 2, 3, 4, 5, 6, 7};
    double out[8];
    by(&norn_model_naive, y, 7, 1, 1, 8, out);
    for (size_t i = 0; i < 8; i++) assert_true(out[i] == 7);
    by(&norn_model_seasonal_naive, y, 7, 3, 1, 8, out);
    const double want[] = {5, 6, 7, 5, 6, 7, 5, 6};
    for (size_t i = 0; i < 8; i++) assert_true(out[i] == want[i]);
    by(&norn_model_seasonal_naive, y, 7, 7, 1, 2, out);
    assert_true(out[0] == 1 && out[1] == 2);
}

static void the_naive_forecasts_step_back_over_missing_values(void **state)
{
    (void)state;
    const double y[] = {1, 2, 3, 4, 5, NAN, 7, NAN, NAN};
    double out[3];
    by(&norn_model_naive, y, 9, 1, 1, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == 7);
    by(&norn_model_seasonal_naive, y, 9, 3, 1, 3,
       out); /* 7; a season before its missing neighbours 5, and two before 3 */
    assert_true(out[0] == 7 && out[1] == 5 && out[2] == 3);
    const double sparse[] = {8, NAN, NAN, NAN, 6, NAN};
    by(&norn_model_seasonal_naive, sparse, 6, 3, 1, 3, out); /* no season has its third row */
    assert_true(out[0] == 8 && out[1] == 6 && out[2] == 6);
    by(&norn_model_naive, sparse, 1, 1, 1, 1, out);
    assert_true(out[0] == 8);
}

static void linear(const double *y, size_t n, size_t window, size_t h, double *out)
{
    by(&norn_model_nlinear, y, n, 1, window, h, out);
}

static void the_linear_model_continues_a_line_exactly(void **state)
{
    (void)state;
    double y[60], out[9];
    for (size_t i = 0; i < 60; i++) y[i] = 1e6 - 2.5 * (double)i;
    linear(y, 60, 7, 9, out);
    for (size_t i = 0; i < 9; i++) assert_near(out[i], 1e6 - 2.5 * (double)(60 + i), 0, 1e-6);
}

static void the_linear_model_continues_a_season_up_to_its_ridge(void **state)
{
    (void)state;
    double y[240], out[24];
    for (size_t i = 0; i < 240; i++) y[i] = 50.0 + 10.0 * sin((double)(i % 12) * 0.5235987755982988);
    linear(y, 228, 24, 12, out);
    for (size_t i = 0; i < 12; i++)
        assert_near(out[i], y[228 + i], 0, 0.02); /* lambda is 1e-3 of the diagonal */
    linear(y, 200, 24, 24, out);
    for (size_t i = 0; i < 24; i++) assert_near(out[i], y[200 + i], 0, 0.02);
}

/* With a window of two the model has one slope and a constant for each step: two equations, solved by
 * Cramer's rule. */
static void the_linear_model_takes_a_missing_value_from_the_season_before(void **state)
{
    (void)state;
    enum { N = 240, M = 12, H = 12 };
    double y[N], filled[N], want[H], out[H];
    uint64_t seed = 17;
    for (size_t i = 0; i < N; i++) {
        y[i] = 50.0 + 10.0 * sin((double)(i % M) * 0.5235987755982988) + draw(&seed);
        if (i && draw(&seed) < -0.8) y[i] = NAN;
    }
    y[N - 1] = y[20] = y[20 + M] = NAN;
    for (size_t season = 1; season <= M; season += M - 1) {
        for (size_t i = 0; i < N; i++) {
            size_t from = i;
            while (isnan(y[from])) from -= from >= season ? season : 1;
            filled[i] = y[from];
        }
        by(&norn_model_nlinear, filled, N, season, 24, H, want);
        by(&norn_model_nlinear, y, N, season, 24, H, out);
        assert_memory_equal(out, want, sizeof out);
    }
    for (size_t i = 0; i < H; i++)
        assert_near(out[i], 50.0 + 10.0 * sin((double)(i % M) * 0.5235987755982988), 0, 2.5);
}

static void the_linear_model_is_ridge_regression_on_differences_to_the_last_value(void **state)
{
    (void)state;
    enum { N = 40, H = 3 };
    uint64_t seed = 5;
    double y[N], out[H];
    for (size_t i = 0; i < N; i++) y[i] = 3.0 + draw(&seed) + (i ? 0.5 * y[i - 1] : 0.0);
    linear(y, N, 2, H, out);
    for (size_t j = 0; j < H; j++) {
        double sxx = 0, sx = 0, sxy = 0, sy = 0, n = 0;
        for (size_t a = 2; a + H <= N; a++) {
            const double x = y[a - 2] - y[a - 1], t = y[a + j] - y[a - 1];
            sxx += x * x, sx += x, sxy += x * t, sy += t, n += 1;
        }
        sxx *= 1.001;
        const double determinant = sxx * n - sx * sx, slope = (sxy * n - sx * sy) / determinant,
                     constant = (sxx * sy - sx * sxy) / determinant;
        assert_near(out[j], y[N - 1] + slope * (y[N - 2] - y[N - 1]) + constant, 1e-12, 0);
    }
}

static void the_linear_model_without_windows_or_change_is_the_naive_forecast(void **state)
{
    (void)state;
    const double y[] = {4, 8, 1, 9, 2, 6};
    double out[3];
    linear(y, 6, 4, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == 6);
    linear(y, 6, 1, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == 6);
    double constant[30];
    for (size_t i = 0; i < 30; i++) constant[i] = -7.25;
    linear(constant, 30, 5, 3, out);
    for (size_t i = 0; i < 3; i++) assert_true(out[i] == -7.25);
}

static void the_linear_model_of_a_wide_window_stays_affordable(void **state)
{
    (void)state;
    enum { N = 40000, W = 16000, H = 24 };
    double *y = malloc(N * sizeof *y), out[H];
    assert_non_null(y);
    uint64_t seed = 8;
    for (size_t i = 0; i < N; i++) y[i] = sin((double)i * 0.1) + 0.01 * draw(&seed);
    const double begun = norn_seconds();
    linear(y, N, W, H, out);
    assert_true(norn_seconds() - begun < 60.0); /* seconds where it is bounded, hours where it is not */
    for (size_t i = 0; i < H; i++) assert_near(out[i], sin((double)(N + i) * 0.1), 0, 0.1);
    free(y);
}

/* ---- recipe: the logarithm ---- */

enum { SEASONAL_ROWS = 120 };

/* Ten years of months. multiplicative: the season and the noise grow with the level. */
static void make_months(double *y, bool multiplicative, double noise, uint64_t seed)
{
    for (size_t i = 0; i < SEASONAL_ROWS; i++) {
        const double level = 100.0 * exp(0.01 * (double)i),
                     swing = 0.2 * sin((double)(i % 12) * 0.5235987755982988);
        const double part = swing + noise * draw(&seed);
        y[i] = multiplicative ? level * (1.0 + part) : level + 100.0 * part;
    }
}

static void the_logarithm_is_taken_where_the_spread_grows_with_the_level(void **state)
{
    (void)state;
    double y[SEASONAL_ROWS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        make_months(y, true, 0.05, seed);
        assert_true(norn_recipe_log(y, SEASONAL_ROWS, 12));
        make_months(y, false, 0.05, seed);
        assert_false(norn_recipe_log(y, SEASONAL_ROWS, 12));
    }
    /* A spread that grows much faster than its level is not made even by a logarithm. */
    for (size_t i = 0; i < SEASONAL_ROWS; i++)
        y[i] = 100.0 + (double)(i / 12) +
               0.05 * (double)(i / 12 + 1) * sin((double)(i % 12) * 0.5235987755982988);
    assert_false(norn_recipe_log(y, SEASONAL_ROWS, 12));
    const char *folder = getenv("NORN_DATASETS");
    if (!folder) skip();
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/air_passengers.csv", folder);
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&table, path, NULL, NULL, &err), &err);
    assert_true(norn_recipe_log(norn_table_target(table, 0), 120, 12));
    norn_table_free(table);
}

static void the_logarithm_is_not_taken_of_what_has_none_or_too_few_seasons(void **state)
{
    (void)state;
    double y[SEASONAL_ROWS];
    make_months(y, true, 0.0, 1);
    assert_true(norn_recipe_log(y, 48, 12));
    assert_false(norn_recipe_log(y, 47, 12));
    const double kept = y[17];
    const double wrong[] = {0.0, -1.0};
    for (size_t i = 0; i < NORN_COUNT(wrong); i++) {
        y[17] = wrong[i];
        assert_false(norn_recipe_log(y, SEASONAL_ROWS, 12));
    }
    y[17] = kept;
    assert_true(norn_recipe_log(y, SEASONAL_ROWS, 12));
    for (size_t i = 0; i < SEASONAL_ROWS; i++) y[i] = 5.0;
    assert_false(norn_recipe_log(y, SEASONAL_ROWS, 12));
    uint64_t seed = 3;
    for (size_t i = 0; i < SEASONAL_ROWS; i++) y[i] = 1e9 + draw(&seed);
    assert_false(norn_recipe_log(y, SEASONAL_ROWS, 12));
}

static void the_logarithm_is_judged_by_the_values_that_are_there(void **state)
{
    (void)state;
    double y[SEASONAL_ROWS];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t holes = seed;
        for (int multiplicative = 0; multiplicative < 2; multiplicative++) {
            make_months(y, multiplicative, 0.05, seed);
            for (size_t i = 1; i + 1 < SEASONAL_ROWS; i++)
                if (draw(&holes) < -0.8) y[i] = NAN;
            assert_int_equal(norn_recipe_log(y, SEASONAL_ROWS, 12), multiplicative);
        }
    }
    make_months(y, true, 0.0, 1); /* four years, of one of which less than half is there */
    for (size_t i = 0; i < 6; i++) y[2 * i + 12] = NAN;
    assert_true(norn_recipe_log(y, 48, 12));
    y[13] = NAN;
    assert_false(norn_recipe_log(y, 48, 12));
}

/* ---- recipe: windows, base and scale ---- */

typedef struct truth { /* what norn_recipe_fit should find, by trying every row */
    bool any;
    double last_variance, season_variance, last_square, season_square;
    size_t trains, valids, season_trains,
        season_valids; /* windows whose base is the last value, or a season before */
    size_t first_train, last_train, season_first_train;
} truth;

static truth try_all(const double *y, size_t n, size_t window, size_t h, size_t v, size_t season)
{
    truth t = {0};
    const size_t from = season > window ? season : window; /* both bases are compared over the same windows */
    for (size_t a = 0; a < n; a++) {                       /* a: row of the first target */
        const bool fits = a >= window && a + h <= n, train = fits && a + h <= n - v,
                   valid = fits && a >= n - v;
        const bool reaches = a >= from;
        if (train && !t.trains++) t.first_train = a;
        if (train) t.last_train = a;
        if (train && reaches && !t.season_trains++) t.season_first_train = a;
        t.valids += valid;
        t.season_valids += valid && reaches;
    }
    t.any = t.trains > 0 && t.valids > 0;
    if (!t.any) return t;
    const bool seasonal = season > 1 && t.season_trains >= 2;
    for (size_t j = 0; j < h; j++) {
        double a[2] = {0, 0}, aa[2] = {0, 0}, count = 0;
        for (size_t at = seasonal ? from : window; at + h <= n - v; at++, count++) {
            const double r[2] = {y[at + j] - y[at - 1],
                                 seasonal ? y[at + j] - y[at - season + j % season] : 0.0};
            for (size_t k = 0; k < 2; k++) a[k] += r[k], aa[k] += r[k] * r[k];
        }
        t.last_variance += aa[0] / count - (a[0] / count) * (a[0] / count);
        t.season_variance += aa[1] / count - (a[1] / count) * (a[1] / count);
        t.last_square += aa[0] / (count * (double)h);
        t.season_square += aa[1] / (count * (double)h);
    }
    if (!seasonal) t.season_variance = INFINITY;
    return t;
}

static void every_window_is_used_and_none_sees_what_it_must_not(void **state)
{
    (void)state;
    enum { MOST = 64 };
    double y[MOST];
    size_t fits = 0, seasons = 0;
    uint64_t seed = 1;
    for (size_t n = 1; n <= MOST; n += n < 20 ? 1 : 11)
        for (size_t window = 1; window <= 13; window += 3)
            for (size_t h = 1; h <= 9; h += 2)
                for (size_t v = h; v <= h + 8; v += 4)
                    for (size_t season = 1; season <= 21; season += season < 5 ? 1 : 8) {
                        for (size_t i = 0; i < n; i++)
                            y[i] = draw(&seed) + 3.0 * sin((double)(i % season)) + 0.05 * (double)i;
                        const truth want = try_all(y, n, window, h, v, season);
                        norn_recipe_series got;
                        const bool found = norn_recipe_fit(&got, y, n, false, window, h, v, season);
                        if (v > n || !want.any) {
                            assert_false(found);
                            continue;
                        }
                        if (fabs(want.season_variance - want.last_variance) < 1e-9 * want.last_variance)
                            continue;
                        const bool seasonal = want.season_variance < want.last_variance;
                        /* A season base may leave no validation window that reaches back far enough. */
                        if (seasonal && !want.season_valids) {
                            assert_false(found);
                            continue;
                        }
                        assert_true(found);
                        fits++;
                        seasons += seasonal;
                        assert_int_equal(got.season, seasonal ? season : 0);
                        const size_t first = seasonal ? want.season_first_train : want.first_train;
                        assert_int_equal(got.train.first, first - window);
                        assert_int_equal(got.train.count, seasonal ? want.season_trains : want.trains);
                        assert_int_equal(got.valid.count, seasonal ? want.season_valids : want.valids);
                        assert_near(got.scale, sqrt(seasonal ? want.season_square : want.last_square), 1e-9,
                                    0);
                        /* Said once more in words: bases exist, no training target is a validation row, no
                         * validation target lies beyond the end, and all rows to stop by are ones. */
                        assert_true(got.train.first + window >= got.season);
                        assert_true(got.train.first + got.train.count - 1 + window + h <= n - v);
                        assert_true(got.valid.first + window >= n - v);
                        assert_int_equal(got.valid.first + got.valid.count - 1 + window + h, n);
                    }
    assert_true(fits > 1000 && seasons > 100);
}

static void base_and_scale_do_not_see_the_validation_rows(void **state)
{
    (void)state;
    enum { N = SEASONAL_ROWS, V = 15 };
    double y[N];
    make_months(y, true, 0.1, 4);
    norn_recipe_series clean, poisoned;
    assert_true(norn_recipe_fit(&clean, y, N, true, 14, 7, V, 12));
    const double poison[] = {1e30, NAN, -1.0};
    for (size_t p = 0; p < NORN_COUNT(poison); p++) {
        for (size_t i = N - V; i < N; i++) y[i] = poison[p];
        assert_true(norn_recipe_fit(&poisoned, y, N, true, 14, 7, V, 12));
        assert_memory_equal(&clean.scale, &poisoned.scale, sizeof clean.scale);
        assert_int_equal(clean.season, poisoned.season);
    }
}

/* Pairs of a target and its base that are there, by trying every row. */
static void base_and_scale_are_of_the_pairs_that_are_there(void **state)
{
    (void)state;
    enum { N = 90, W = 8, H = 5, V = 9, M = 7 };
    double y[N];
    size_t seasons = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t holes = seed;
        for (size_t i = 0; i < N; i++) {
            y[i] = draw(&holes) + (seed % 2 ? 3.0 : 0.3) * sin((double)(i % M));
            if (i && draw(&holes) < -0.4) y[i] = NAN;
        }
        double variance_of[2] = {0, 0}, squares[2] = {0, 0}, pairs = 0;
        for (size_t j = 0; j < H; j++) {
            double sum[2] = {0, 0}, square[2] = {0, 0}, count = 0;
            for (size_t a = W; a + H <= N - V; a++) {
                size_t last = a - 1;
                while (last > a - W && isnan(y[last])) last--;
                const double r[2] = {y[a + j] - y[last], y[a + j] - y[a - M + j % M]};
                if (isnan(r[0]) || isnan(r[1])) continue;
                count += 1;
                for (size_t k = 0; k < 2; k++) sum[k] += r[k], square[k] += r[k] * r[k];
            }
            for (size_t k = 0; k < 2; k++) {
                variance_of[k] += square[k] / count - (sum[k] / count) * (sum[k] / count);
                squares[k] += square[k];
            }
            pairs += count;
        }
        const bool seasonal = variance_of[1] < variance_of[0];
        norn_recipe_series got;
        assert_true(norn_recipe_fit(&got, y, N, false, W, H, V, M));
        assert_int_equal(got.season, seasonal ? M : 0);
        assert_near(got.scale, sqrt(squares[seasonal] / pairs), 1e-9, 0);
        assert_int_equal(got.seen, N);
        assert_int_equal(got.learnt, N - V);
        seasons += seasonal;
    }
    assert_true(seasons > 10 && seasons < 50);
}

static void spans_without_a_target_come_out_empty(void **state)
{
    (void)state;
    enum { N = 60, W = 8, H = 4, V = 6 };
    double y[N];
    norn_recipe_series got;
    uint64_t seed = 5;
    for (size_t i = 0; i < N; i++) y[i] = i >= N - V ? NAN : draw(&seed);
    assert_true(norn_recipe_fit(&got, y, N, false, W, H, V, 1));
    assert_int_equal(got.train.count, N - V - W - H + 1);
    assert_int_equal(got.valid.count, 0);
    y[N - 1] = 1.0; /* one is enough, whose window has values */
    assert_true(norn_recipe_fit(&got, y, N, false, W, H, V, 1));
    assert_int_equal(got.valid.count, V - H + 1);
    for (size_t i = 1; i < N - V; i++) y[i] = NAN;
    assert_true(norn_recipe_fit(&got, y, N, false, W, H, V, 1));
    assert_int_equal(got.train.count, 0);
    assert_int_equal(got.valid.count, 0);
    assert_true(got.scale == 0.0);
}

static void a_series_that_is_only_trained_on_sets_no_rows_aside(void **state)
{
    (void)state;
    double y[20];
    norn_recipe_series got;
    uint64_t seed = 5;
    for (size_t i = 0; i < 20; i++) y[i] = draw(&seed);
    assert_true(norn_recipe_fit(&got, y, 20, false, 8, 4, 0, 1));
    assert_int_equal(got.train.first, 0);
    assert_int_equal(got.train.count, 9);
    assert_int_equal(got.valid.count, 0);
    assert_true(norn_recipe_fit(&got, y, 12, false, 8, 4, 0, 1));
    assert_int_equal(got.train.count, 1);
    assert_false(norn_recipe_fit(&got, y, 11, false, 8, 4, 0, 1));
}

static void the_scale_of_a_series_that_its_base_foretells_is_zero(void **state)
{
    (void)state;
    double y[60];
    norn_recipe_series got;
    for (size_t i = 0; i < 60; i++) y[i] = 3.5;
    assert_true(norn_recipe_fit(&got, y, 60, false, 8, 4, 6, 1));
    assert_true(got.scale == 0.0);
    assert_int_equal(got.season, 0);
    for (size_t i = 0; i < 60; i++) y[i] = (double)(i % 7 * i % 7);
    assert_true(norn_recipe_fit(&got, y, 60, false, 8, 4, 6, 7));
    assert_true(got.scale == 0.0);
    assert_int_equal(got.season, 7);
}

static void a_long_series_is_judged_by_windows_spread_over_all_of_it(void **state)
{
    (void)state;
    enum { N = 40000 };
    double *y = malloc(N * sizeof *y);
    assert_non_null(y);
    uint64_t seed = 2;
    for (size_t i = 0; i < N; i++) y[i] = (i < N / 2 ? 1.0 : 3.0) * draw(&seed); /* halves of unlike spread */
    norn_recipe_series got;
    assert_true(norn_recipe_fit(&got, y, N, false, 10, 4, N / 10, 1));
    double squares = 0.0, count = 0.0;
    for (size_t a = 10; a + 4 <= N - N / 10; a++)
        for (size_t j = 0; j < 4; j++, count++) squares += (y[a + j] - y[a - 1]) * (y[a + j] - y[a - 1]);
    assert_near(got.scale, sqrt(squares / count), 0.02, 0);
    free(y);
}

static void sizes_beyond_all_bounds_fit_nowhere(void **state)
{
    (void)state;
    double y[40];
    for (size_t i = 0; i < 40; i++) y[i] = (double)i;
    norn_recipe_series got;
    const size_t huge[] = {41, SIZE_MAX / 2, SIZE_MAX - 20, SIZE_MAX};
    for (size_t i = 0; i < NORN_COUNT(huge); i++) {
        assert_false(norn_recipe_fit(&got, y, 40, false, huge[i], 12, 12, 1));
        assert_false(norn_recipe_fit(&got, y, 40, false, 5, huge[i], 12, 1));
        assert_false(norn_recipe_fit(&got, y, 40, false, 5, 12, huge[i], 1));
        assert_true(norn_recipe_fit(&got, y, 40, false, 5, 12, 12, huge[i]));
        assert_int_equal(got.season, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_follow_their_formulas),
        cmocka_unit_test(a_truth_of_zero_is_left_out_of_the_percentage_only),
        cmocka_unit_test(what_is_missing_is_left_out_and_everything_left_out_is_counted),
        cmocka_unit_test(a_series_without_a_scale_is_left_out_of_mase_only),
        cmocka_unit_test(the_scale_is_the_mean_step_over_a_season),
        cmocka_unit_test(the_naive_forecasts_repeat_the_last_value_and_the_last_season),
        cmocka_unit_test(the_naive_forecasts_step_back_over_missing_values),
        cmocka_unit_test(the_linear_model_continues_a_line_exactly),
        cmocka_unit_test(the_linear_model_continues_a_season_up_to_its_ridge),
        cmocka_unit_test(the_linear_model_takes_a_missing_value_from_the_season_before),
        cmocka_unit_test(the_linear_model_is_ridge_regression_on_differences_to_the_last_value),
        cmocka_unit_test(the_linear_model_without_windows_or_change_is_the_naive_forecast),
        cmocka_unit_test(the_linear_model_of_a_wide_window_stays_affordable),
        cmocka_unit_test(the_logarithm_is_taken_where_the_spread_grows_with_the_level),
        cmocka_unit_test(the_logarithm_is_not_taken_of_what_has_none_or_too_few_seasons),
        cmocka_unit_test(the_logarithm_is_judged_by_the_values_that_are_there),
        cmocka_unit_test(every_window_is_used_and_none_sees_what_it_must_not),
        cmocka_unit_test(base_and_scale_do_not_see_the_validation_rows),
        cmocka_unit_test(base_and_scale_are_of_the_pairs_that_are_there),
        cmocka_unit_test(spans_without_a_target_come_out_empty),
        cmocka_unit_test(a_series_that_is_only_trained_on_sets_no_rows_aside),
        cmocka_unit_test(the_scale_of_a_series_that_its_base_foretells_is_zero),
        cmocka_unit_test(a_long_series_is_judged_by_windows_spread_over_all_of_it),
        cmocka_unit_test(sizes_beyond_all_bounds_fit_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
