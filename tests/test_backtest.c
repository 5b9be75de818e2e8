/*
 * Backtests as a whole: where the folds lie, what is counted, that a fold is what it is alone, and that
 * figures, intervals and comparisons are made of the right rows. No OpenCL here.
 */
#include "backtest_support.h"

#include "backtest/significance.h"
#include "counting_host.h"
#include "golden/backtest.h"

static void assert_same_forecasts(const norn_backtest *a, size_t fold_a, const norn_backtest *b,
                                  size_t fold_b, size_t series)
{
    const size_t h = norn_backtest_settings(a)->horizon;
    assert_int_equal(norn_backtest_model_count(a), norn_backtest_model_count(b));
    for (size_t m = 0; m < norn_backtest_model_count(a); m++) {
        const double *x = norn_backtest_forecast(a, m, series, fold_a);
        const double *y = norn_backtest_forecast(b, m, series, fold_b);
        assert_true(x && y);
        if (memcmp(x, y, h * sizeof *x) != 0) fail_msg("%s differs", norn_backtest_model(a, m));
    }
}

/* The last `less` rows cut off. */
static norn_table *shortened(const norn_table *table, size_t series, size_t less)
{
    const double *column = norn_table_target(table, series);
    return table_of(norn_table_rows(table, series) - less, 1, &column);
}

/* ---- folds ---- */

static void cutoffs_are_where_the_formula_says(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 6;
    options.folds = 4;
    options.step = 5;
    options.season = 12;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    for (size_t s = 0; s < 3; s++)
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(norn_backtest_cutoff(backtest, s, k),
                             norn_table_rows(table, s) - 1 - 6 - (3 - k) * 5);
    /* the last row scored is the last row */
    assert_int_equal(norn_backtest_cutoff(backtest, 0, 3) + 6, norn_table_rows(table, 0) - 1);
    /* and naive says the value of the cutoff's row */
    const size_t naive = model_called(backtest, "Naive");
    for (size_t k = 0; k < 4; k++) {
        const double *f = norn_backtest_forecast(backtest, naive, 1, k);
        assert_true(f[0] == norn_table_target(table, 1)[norn_backtest_cutoff(backtest, 1, k)] &&
                    f[5] == f[0]);
    }
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void sizes_that_are_not_given_follow_from_the_rows(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest *backtest = must_backtest(table, NULL, NULL, 0);
    const norn_backtest_options *held = norn_backtest_settings(backtest);
    assert_int_equal(held->horizon, 12); /* a tenth of 120 rows */
    assert_int_equal(held->folds, 5);
    assert_int_equal(held->step, 12);
    assert_int_equal(held->season, 1);
    assert_int_equal(held->refit_every, 1);
    assert_int_equal(held->window, 15); /* a quarter of the 60 rows up to the first cutoff */
    assert_int_equal(norn_backtest_model_count(backtest), 2); /* without a season no model of seasons */
    norn_backtest_free(backtest);

    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.season = 30;
    backtest = must_backtest(table, &options, NULL, 0);
    held = norn_backtest_settings(backtest);
    assert_int_equal(held->horizon, 30);
    assert_int_equal(held->folds, 2); /* 31 rows to fit on and three horizons would be 121 */
    assert_int_equal(norn_backtest_model_count(backtest), 4);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void views_end_at_the_cutoff_and_leave_the_gap_to_the_fit(void **state)
{
    (void)state;
    norn_table *table = three_series();
    const norn_host host = norn_host_copy(NULL);
    norn_error err = NORN_ERROR_INIT;
    norn_folds f;
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 4;
    options.folds = 5;
    options.step = 3;
    options.gap = 2;
    options.refit_every = 2;
    assert_ok(norn_folds_plan(&f, table, &options, &host, &err), &err);
    assert_int_equal(f.fits, 3);
    const size_t last = norn_table_rows(table, 0) - 5;
    for (size_t k = 0; k < 5; k++) {
        const size_t cutoff = last - (4 - k) * 3, fitted = last - (4 - k / 2 * 2) * 3;
        const norn_view train = norn_folds_train(&f, 0, norn_folds_fit_of(&f, k));
        const norn_view past = norn_folds_past(&f, 0, k);
        assert_int_equal(train.first + train.n - 1, fitted - 2);
        assert_int_equal(past.first + past.n - 1, cutoff);
        assert_int_equal(train.first, 0);
        assert_ptr_equal(past.y, norn_table_target(table, 0));
    }
    norn_folds_clear(&f, &host);

    options.train_rows = 20;
    options.refit_every = 0;
    assert_ok(norn_folds_plan(&f, table, &options, &host, &err), &err);
    assert_int_equal(f.fits, 1);
    const norn_view train = norn_folds_train(&f, 0, 0), past = norn_folds_past(&f, 0, 4);
    assert_int_equal(train.n, 20);
    assert_int_equal(train.first + 19, last - 12 - 2);
    assert_ptr_equal(train.y, norn_table_target(table, 0) + train.first);
    assert_int_equal(past.first, train.first);
    assert_int_equal(past.first + past.n - 1, last);
    norn_folds_clear(&f, &host);
    norn_table_free(table);
}

static void series_too_short_are_left_out_and_listed(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 8;
    options.folds = 5;
    options.season = 7;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    assert_int_equal(norn_backtest_needed(backtest), 8 + 4 * 8 + 8); /* a season and a row to fit on */
    assert_int_equal(norn_backtest_skipped(backtest), 1);            /* of 40 rows */
    assert_true(norn_backtest_includes(backtest, 0) && norn_backtest_includes(backtest, 1));
    assert_false(norn_backtest_includes(backtest, 2) || norn_backtest_includes(backtest, 3));
    assert_null(norn_backtest_forecast(backtest, 0, 2, 0));
    assert_true(isnan(norn_backtest_metric(backtest, 0, NORN_SCOPE_SERIES, 2, NORN_METRIC_MAE).value));
    assert_int_equal(norn_backtest_rows(backtest), 2 * 5 * 8);
    norn_backtest_free(backtest);

    options.folds = 4; /* 40 rows are just enough */
    backtest = must_backtest(table, &options, NULL, 0);
    assert_int_equal(norn_backtest_skipped(backtest), 0);
    assert_int_equal(norn_backtest_cutoff(backtest, 2, 0) + 1, 8);
    assert_int_equal(norn_backtest_rows(backtest), 3 * 4 * 8);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void what_makes_no_sense_is_refused_with_the_flag_that_mends_it(void **state)
{
    (void)state;
    norn_table *table = three_series();
    const struct {
        size_t horizon, folds, train_rows;
        const char *models, *says;
    } cases[] = {
        {20, 6, 0, NULL, "the longest series has 120 rows, 122 are needed"},
        {6, 5, 91, NULL, "(fewer --folds, or a smaller --train-rows, --step or --horizon)"},
        {6, 5, 1, NULL, "--train-rows must be at least 2"},
        {6, 2000000, 0, NULL, "--folds"},
        {6, 5, 0, "naive,lstmm",
         "no model is called \"lstmm\" (naive, seasonal-naive, naive2, naive2-steps, drift"},
        {6, 5, 0, "naive,,drift", "no model is called \"\""},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
        norn_backtest *backtest = NULL;
        norn_error err = NORN_ERROR_INIT;
        options.horizon = cases[i].horizon;
        options.folds = cases[i].folds;
        options.train_rows = cases[i].train_rows;
        options.models = cases[i].models;
        assert_int_equal(norn_backtest_run(&backtest, NULL, table, &options, NULL, &err), NORN_ERR_USAGE);
        if (!strstr(err.message, cases[i].says)) fail_msg("%s", err.message);
        assert_null(backtest);
    }
    norn_table_free(table);
}

/* ---- each fold alone ---- */

static const struct plan {
    size_t step, gap, train_rows, refit_every;
} plans[] = {{0, 0, 0, 1},  {1, 0, 0, 1}, {3, 2, 0, 1}, {6, 0, 25, 1},
             {2, 1, 30, 1}, {4, 0, 0, 2}, {5, 1, 20, 0}};

static norn_backtest_options options_of(const struct plan *plan)
{
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 6;
    options.folds = 4;
    options.season = 12;
    options.window = 13;
    options.models = "all";
    options.bootstrap = 0;
    options.step = plan->step;
    options.gap = plan->gap;
    options.train_rows = plan->train_rows;
    options.refit_every = plan->refit_every;
    return options;
}

static void each_fold_is_to_the_bit_what_it_is_alone(void **state)
{
    (void)state;
    norn_table *table = three_series();
    for (size_t p = 0; p < NORN_COUNT(plans); p++) {
        norn_backtest_options options = options_of(&plans[p]);
        if (options.refit_every != 1) continue; /* their fits are those of other folds */
        norn_backtest *all = must_backtest(table, &options, NULL, 0);
        const size_t step = norn_backtest_settings(all)->step;
        for (size_t k = 0; k < 4; k++)
            for (size_t s = 0; s < 2; s++) {
                norn_table *cut = shortened(table, s, (3 - k) * step);
                norn_backtest_options alone = options;
                alone.folds = 1;
                norn_backtest *one = must_backtest(cut, &alone, NULL, 0);
                const size_t h = options.horizon;
                for (size_t m = 0; m < norn_backtest_model_count(all); m++)
                    assert_memory_equal(norn_backtest_forecast(all, m, s, k),
                                        norn_backtest_forecast(one, m, 0, 0), h * sizeof(double));
                norn_backtest_free(one);
                norn_table_free(cut);
            }
        norn_backtest_free(all);
    }
    norn_table_free(table);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    static const size_t threads[] = {2, 3, 40, 1000};
    norn_table *table = three_series();
    for (size_t p = 0; p < NORN_COUNT(plans); p++) {
        norn_backtest_options options = options_of(&plans[p]);
        options.threads = 1;
        norn_backtest *one = must_backtest(table, &options, NULL, 0);
        for (size_t t = 0; t < NORN_COUNT(threads); t++) {
            options.threads = threads[t];
            norn_backtest *many = must_backtest(table, &options, NULL, 0);
            for (size_t s = 0; s < 3; s++)
                for (size_t k = 0; norn_backtest_includes(one, s) && k < 4; k++)
                    assert_same_forecasts(one, k, many, k, s);
            norn_backtest_free(many);
        }
        norn_backtest_free(one);
    }
    norn_table_free(table);
}

static void without_refits_the_first_fit_serves_all(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options options = options_of(&plans[0]);
    norn_backtest *every = must_backtest(table, &options, NULL, 0);
    options.refit_every = 0;
    norn_backtest *never = must_backtest(table, &options, NULL, 0);
    options.refit_every = 2;
    norn_backtest *second = must_backtest(table, &options, NULL, 0);
    assert_same_forecasts(every, 0, never, 0, 0);
    assert_same_forecasts(every, 0, second, 0, 0);
    assert_same_forecasts(never, 1, second, 1, 0); /* both by the first fit */
    assert_same_forecasts(every, 2, second, 2, 0);
    const size_t m = model_called(every, "NLinear"), h = options.horizon;
    assert_true(memcmp(norn_backtest_forecast(every, m, 0, 3), norn_backtest_forecast(never, m, 0, 3),
                       h * sizeof(double)) != 0);
    assert_true(memcmp(norn_backtest_forecast(second, m, 0, 3), norn_backtest_forecast(never, m, 0, 3),
                       h * sizeof(double)) != 0);
    norn_backtest_free(every);
    norn_backtest_free(never);
    norn_backtest_free(second);
    norn_table_free(table);
}

/* ---- figures ---- */

/* The two series of the golden metrics, with their forecasts. */
static norn_backtest *golden_backtest(norn_table **table, norn_compat compat)
{
    static double second[NORN_COUNT(metric_y0)];
    const size_t behind = NORN_COUNT(metric_y0) - NORN_COUNT(metric_y1);
    for (size_t t = 0; t < NORN_COUNT(second); t++) second[t] = t < behind ? NAN : metric_y1[t - behind];
    const double *const columns[] = {metric_y0, second};
    *table = table_of(NORN_COUNT(metric_y0), 2, columns);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 4;
    options.folds = 3;
    options.step = 2;
    options.season = 3;
    options.compat = compat;
    const norn_joint joint = joint_of("Given", metric_f);
    return must_backtest(*table, &options, &joint, 1);
}

static void assert_figures(const norn_backtest *b, norn_scope scope, size_t index, const double *want)
{
    for (size_t i = 0; i < NORN_OWN_METRICS; i++)
        assert_near_at(norn_backtest_metric(b, 0, scope, index, (norn_metric)i).value, want[i], 1e-12, 0, i,
                       __FILE__, __LINE__);
}

static void figures_of_every_scope_are_those_of_other_implementations(void **state)
{
    (void)state;
    norn_table *table;
    norn_backtest *backtest = golden_backtest(&table, NORN_COMPAT_NORN);
    assert_figures(backtest, NORN_SCOPE_ALL, 0, metric_pooled);
    assert_figures(backtest, NORN_SCOPE_SERIES, 1, metric_series1);
    assert_figures(backtest, NORN_SCOPE_CUTOFF, 0, metric_fold0);
    assert_figures(backtest, NORN_SCOPE_STEP, 2, metric_step2);
    assert_int_equal(norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAPE).undefined, 2);
    assert_true(isnan(norn_backtest_metric(backtest, 0, NORN_SCOPE_STEP, 4, NORN_METRIC_MAE).value));
    assert_true(isnan(norn_backtest_metric(backtest, 0, NORN_SCOPE_CUTOFF, 3, NORN_METRIC_MAE).value));
    assert_true(isnan(norn_backtest_metric(backtest, 99, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE).value));
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void models_are_measured_by_the_baselines(void **state)
{
    (void)state;
    norn_table *table;
    norn_backtest *backtest = golden_backtest(&table, NORN_COMPAT_NORN);
    const double mae = metric_of(backtest, "Given", NORN_METRIC_MAE);
    assert_near(metric_of(backtest, "Given", NORN_METRIC_SKILL_NAIVE),
                1 - mae / metric_of(backtest, "Naive", NORN_METRIC_MAE), 1e-14, 0);
    assert_near(metric_of(backtest, "Given", NORN_METRIC_SKILL_SEASONAL_NAIVE),
                1 - mae / metric_of(backtest, "SeasonalNaive", NORN_METRIC_MAE), 1e-14, 0);
    assert_near(metric_of(backtest, "Given", NORN_METRIC_SKILL_LINEAR),
                1 - mae / metric_of(backtest, "NLinear", NORN_METRIC_MAE), 1e-14, 0);
    assert_near(metric_of(backtest, "Given", NORN_METRIC_OWA),
                0.5 * (metric_of(backtest, "Given", NORN_METRIC_MASE) /
                           metric_of(backtest, "Naive2", NORN_METRIC_MASE) +
                       metric_of(backtest, "Given", NORN_METRIC_SMAPE) /
                           metric_of(backtest, "Naive2", NORN_METRIC_SMAPE)),
                1e-14, 0);
    assert_true(metric_of(backtest, "Naive2", NORN_METRIC_OWA) == 1.0);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void darts_scales_by_a_season_of_one(void **state)
{
    (void)state;
    norn_table *table;
    norn_backtest *backtest = golden_backtest(&table, NORN_COMPAT_DARTS);
    double want = 0.0;
    for (size_t s = 0; s < 2; s++)
        for (size_t k = 0; k < 3; k++) {
            const double *y = norn_table_target(table, s), *f = norn_backtest_forecast(backtest, 0, s, k);
            const size_t cutoff = norn_backtest_cutoff(backtest, s, k);
            double scale = 0.0, error = 0.0;
            for (size_t t = 1; t <= cutoff; t++) scale += fabs(y[t] - y[t - 1]) / (double)cutoff;
            for (size_t j = 0; j < 4; j++) error += fabs(y[cutoff + 1 + j] - f[j]) / 4;
            want += error / scale / 6;
        }
    assert_near(metric_of(backtest, "Given", NORN_METRIC_MASE), want, 1e-13, 0);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void rows_without_a_truth_or_a_forecast_are_counted(void **state)
{
    (void)state;
    norn_table *table = three_series();
    const size_t n = norn_table_rows(table, 0), other = norn_table_rows(table, 1);
    norn_table_target_mutable(table, 0)[n - 3] = NAN;
    norn_table_target_mutable(table, 1)[other - 8] = NAN;
    norn_table_target_mutable(table, 0)[5] = NAN; /* never scored */
    static double given[3 * 2 * 5];
    for (size_t i = 0; i < NORN_COUNT(given); i++) given[i] = 1.0;
    given[2] = NAN;          /* series 0, fold 0 */
    given[1 * 5 + 2] = NAN;  /* series 0, fold 1: there the truth is missing too */
    given[2 * 5] = INFINITY; /* series 1 */
    const norn_joint joint = joint_of("Given", given);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 5;
    options.folds = 2;
    norn_backtest *backtest = must_backtest(table, &options, &joint, 1);
    assert_int_equal(norn_backtest_missing(backtest), 2);
    assert_int_equal(norn_backtest_rows(backtest), 3 * 2 * 5 - 2);
    assert_int_equal(norn_backtest_unforecast(backtest, 0), 2);
    for (size_t m = 1; m < norn_backtest_model_count(backtest); m++)
        assert_int_equal(norn_backtest_unforecast(backtest, m), 0);
    for (int i = 0; i < NORN_METRICS; i++)
        assert_true(
            !(fabs(norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, (norn_metric)i).value) > 1e300));
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* ---- intervals ---- */

/* One series, K folds of a horizon of 1: truths 0, forecasts e. */
static norn_backtest *errors_of_one(norn_table **table, const double *e, size_t folds, uint64_t seed,
                                    int64_t bootstrap)
{
    double *y = calloc(folds + 4, sizeof *y);
    for (size_t i = 0; i < 4; i++) y[i] = i % 2 ? 0.0 : 1.0;
    *table = table_of(folds + 4, 1, (const double *const[]){y});
    free(y);
    const norn_joint joint = joint_of("Given", e);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 1;
    options.folds = folds;
    options.season = 1;
    options.seed = seed;
    options.bootstrap = bootstrap;
    return must_backtest(*table, &options, &joint, 1);
}

static void intervals_are_as_wide_as_theory_says_and_the_same_for_the_same_seed(void **state)
{
    (void)state;
    enum { K = 200 };
    double e[K], mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < K; i++) {
        e[i] = 1.0 + 0.005 * (double)i; /* no two parts of it are alike */
        mean += e[i] / K;
    }
    for (size_t i = 0; i < K; i++) squares += (e[i] - mean) * (e[i] - mean);
    const double half = 1.96 * sqrt(squares / K / K);
    norn_estimate of[3];
    for (size_t i = 0; i < 3; i++) {
        norn_table *table;
        norn_backtest *backtest = errors_of_one(&table, e, K, i == 2 ? 9 : 4, -1);
        assert_int_equal(norn_backtest_settings(backtest)->bootstrap, 1000);
        of[i] = norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE);
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
    assert_near(of[0].value, mean, 1e-14, 0);
    assert_near(of[0].low, mean - half, 0, 0.12 * half);
    assert_near(of[0].high, mean + half, 0, 0.12 * half);
    assert_memory_equal(&of[0], &of[1], sizeof of[0]);
    assert_true(of[0].low != of[2].low);
}

/* The errors of a cutoff come together: with three series that err alike, intervals are as wide as with one.
 */
static void intervals_know_that_errors_of_a_cutoff_belong_together(void **state)
{
    (void)state;
    enum { K = 40, S = 3 };
    static double y[S][K + 6], given[S * K];
    const double *columns[S];
    for (size_t s = 0; s < S; s++) {
        columns[s] = y[s];
        for (size_t t = 0; t < K + 6; t++) y[s][t] = t % 2 ? 1.0 : 2.0;
        for (size_t k = 0; k < K; k++) given[s * K + k] = y[s][K + 6 - K + k] + 1.0 + (double)(k * 7 % 10);
    }
    norn_estimate of[2];
    for (size_t i = 0; i < 2; i++) {
        norn_table *table = table_of(K + 6, i ? S : 1, columns);
        const norn_joint joint = joint_of("Given", given);
        norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
        options.horizon = 1;
        options.folds = K;
        options.season = 1;
        norn_backtest *backtest = must_backtest(table, &options, &joint, 1);
        of[i] = norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE);
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
    const double alone = of[0].high - of[0].low, together = of[1].high - of[1].low;
    assert_true(together > 0.85 * alone && together < 1.15 * alone);
}

/* One cutoff, series that err differently: what is drawn are the series. */
static void intervals_draw_series_too(void **state)
{
    (void)state;
    enum { S = 120 };
    static double y[S][8], given[S];
    const double *columns[S];
    double mean = 0.0, squares = 0.0;
    for (size_t s = 0; s < S; s++) {
        columns[s] = y[s];
        for (size_t t = 0; t < 8; t++) y[s][t] = t % 2 ? 1.0 : 2.0;
        given[s] = y[s][7] + 1.0 + 0.01 * (double)s;
        mean += (1.0 + 0.01 * (double)s) / S;
    }
    for (size_t s = 0; s < S; s++) squares += (given[s] - y[s][7] - mean) * (given[s] - y[s][7] - mean);
    const double half = 1.96 * sqrt(squares / S / S);
    norn_table *table = table_of(8, S, columns);
    const norn_joint joint = joint_of("Given", given);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 1;
    options.folds = 1;
    options.season = 1;
    norn_backtest *backtest = must_backtest(table, &options, &joint, 1);
    const norn_estimate of = norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE);
    assert_near(of.value, mean, 1e-13, 0);
    assert_near(of.low, mean - half, 0, 0.12 * half);
    assert_near(of.high, mean + half, 0, 0.12 * half);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void without_anything_to_draw_there_is_no_interval(void **state)
{
    (void)state;
    const double e[3] = {1, 2, 3};
    for (size_t i = 0; i < 2; i++) {
        norn_table *table;
        norn_backtest *backtest = errors_of_one(&table, e, i ? 3 : 1, 1, i ? 0 : 500);
        const norn_estimate of = norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE);
        assert_true(isfinite(of.value) && isnan(of.low) && isnan(of.high));
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
}

/* ---- comparisons and residuals ---- */

static void a_comparison_is_of_the_mean_losses_of_cutoffs(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 4;
    options.folds = 9;
    options.step = 2;
    options.season = 5;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    const size_t a = model_called(backtest, "NLinear"), b = model_called(backtest, "Naive");
    double d[9] = {0};
    for (size_t k = 0; k < 9; k++)
        for (size_t s = 0; s < 3; s++) {
            const double *y = norn_table_target(table, s);
            const size_t cutoff = norn_backtest_cutoff(backtest, s, k);
            double scale = 0.0;
            for (size_t t = 5; t <= cutoff; t++) scale += fabs(y[t] - y[t - 5]) / (double)(cutoff - 4);
            for (size_t j = 0; j < 4; j++)
                d[k] += (fabs(y[cutoff + 1 + j] - norn_backtest_forecast(backtest, a, s, k)[j]) -
                         fabs(y[cutoff + 1 + j] - norn_backtest_forecast(backtest, b, s, k)[j])) /
                        scale / 12;
        }
    const norn_comparison want = norn_diebold_mariano(d, 9, 1); /* ceil(4 / 2) - 1 */
    const norn_comparison got = norn_backtest_compare(backtest, a, b);
    assert_int_equal(got.cutoffs, 9);
    assert_int_equal(got.lags, 1);
    assert_near(got.difference, want.difference, 1e-10, 0);
    assert_near(got.p, want.p, 1e-9, 0);
    assert_true(norn_backtest_compare(backtest, b, a).statistic == -got.statistic);
    assert_true(isnan(norn_backtest_compare(backtest, a, a).p));
    assert_true(isnan(norn_backtest_compare(backtest, a, 99).p));
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* Folds of 5 steps, 2 rows apart: each row by the last fold that reaches it first. */
static void residuals_take_each_row_by_its_latest_forecast(void **state)
{
    (void)state;
    enum { K = 20, H = 5 };
    double y[64] = {0}, given[K * H], want[(K - 1) * 2 + H];
    for (size_t t = 0; t < 64; t++) y[t] = (double)(t * 13 % 7);
    const size_t rows = 64;
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < H; j++) {
            const size_t cutoff = rows - 1 - H - (K - 1 - k) * 2;
            given[k * H + j] = y[cutoff + 1 + j] - sin((double)(k * 10 + j));
            if (j < 2 || k == K - 1) want[k * 2 + j] = sin((double)(k * 10 + j));
        }
    norn_table *table = table_of(rows, 1, (const double *const[]){y});
    const norn_joint joint = joint_of("Given", given);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = H;
    options.folds = K;
    options.step = 2;
    options.season = 1;
    norn_backtest *backtest = must_backtest(table, &options, &joint, 1);
    const norn_residuals got = norn_backtest_residuals(backtest, 0);
    double c[10];
    const size_t n = norn_autocovariance(want, NORN_COUNT(want), 8, c);
    assert_int_equal(got.rows, n);
    assert_int_equal(got.lags, n / 5);
    for (size_t k = 0; k <= 8; k++)
        assert_near_at(got.autocorrelation[k], c[k] / c[0], 1e-9, 1e-12, k, __FILE__, __LINE__);
    assert_near(got.ljung_box, norn_ljung_box(c, n, 8), 1e-9, 0);
    assert_near(got.p, norn_chi_square_tail(got.ljung_box, 8), 1e-12, 0);
    assert_int_equal(got.tested, 1);
    assert_int_equal(got.not_white, got.p < 0.05);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* ---- the host ---- */

static void every_allocation_may_fail_and_all_is_returned(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 3;
    options.folds = 2;
    options.models = "all";
    options.bootstrap = 20;
    counting_host counter = {0};
    bool failed = true;
    for (size_t fail_at = 1; failed; fail_at++) {
        counter = (counting_host){.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_backtest *backtest = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_backtest_run(&backtest, NULL, table, &options, &host, &err);
        failed = counter.asked >= fail_at;
        assert_int_equal(status, failed ? NORN_ERR_MEMORY : NORN_OK);
        norn_backtest_free(backtest);
        assert_all_returned(&counter);
    }
    assert_true(counter.asked > 20);
    norn_backtest_free(NULL);
    norn_table_free(table);
}

static void a_raised_flag_ends_it(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_cancel *cancel = NULL;
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest = NULL;
    norn_host host = NORN_HOST_INIT;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_cancel_raise(cancel);
    host.cancel = cancel;
    assert_int_equal(norn_backtest_run(&backtest, NULL, table, NULL, &host, &err), NORN_ERR_CANCELLED);
    assert_null(backtest);
    norn_cancel_free(cancel);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutoffs_are_where_the_formula_says),
        cmocka_unit_test(sizes_that_are_not_given_follow_from_the_rows),
        cmocka_unit_test(views_end_at_the_cutoff_and_leave_the_gap_to_the_fit),
        cmocka_unit_test(series_too_short_are_left_out_and_listed),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_the_flag_that_mends_it),
        cmocka_unit_test(each_fold_is_to_the_bit_what_it_is_alone),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(without_refits_the_first_fit_serves_all),
        cmocka_unit_test(figures_of_every_scope_are_those_of_other_implementations),
        cmocka_unit_test(models_are_measured_by_the_baselines),
        cmocka_unit_test(darts_scales_by_a_season_of_one),
        cmocka_unit_test(rows_without_a_truth_or_a_forecast_are_counted),
        cmocka_unit_test(intervals_are_as_wide_as_theory_says_and_the_same_for_the_same_seed),
        cmocka_unit_test(intervals_know_that_errors_of_a_cutoff_belong_together),
        cmocka_unit_test(intervals_draw_series_too),
        cmocka_unit_test(without_anything_to_draw_there_is_no_interval),
        cmocka_unit_test(a_comparison_is_of_the_mean_losses_of_cutoffs),
        cmocka_unit_test(residuals_take_each_row_by_its_latest_forecast),
        cmocka_unit_test(every_allocation_may_fail_and_all_is_returned),
        cmocka_unit_test(a_raised_flag_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
