/*
 * norn_forecast_run by a forecaster of the interface: what comes out is what the forecaster gives of the same
 * rows, for every one there is; the rows held back are not seen by what is scored on them; intervals are the
 * forecaster's own. No OpenCL here, and no context.
 */
#include "backtest_support.h"

#include "forecast/forecaster.h"
#include "norn/forecast.h"

enum { H = 5, SERIES = 3, SEASON = 12, WINDOW = 9 };

static norn_forecast_options options_of(const char *model)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.model = model;
    o.horizon = H;
    o.season = SEASON;
    o.window = WINDOW;
    return o;
}

static norn_forecast *must_forecast(norn_table *table, const norn_forecast_options *options)
{
    norn_forecast *f = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_forecast_run(&f, NULL, table, options, NULL, &err), &err);
    return f;
}

/* The forecaster alone, on the first n rows of a series; its interval at 90 % in lower and upper. */
static bool alone(const norn_forecaster *kind, const norn_table *table, size_t series, size_t n, double *out,
                  double *lower, double *upper)
{
    const norn_forecaster_setup setup = {
        .horizon = H, .season = SEASON, .window = WINDOW, .rows = THREE_ROWS, .seed = 1};
    const norn_host host = norn_host_copy(NULL);
    const norn_view view = {norn_table_target(table, series), n, 0};
    const double level = 0.9;
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    assert_ok(norn_fitted_new(&fitted, kind, &setup, &host, &err), &err);
    norn_fitted_fit(fitted, view);
    norn_fitted_forecast(fitted, view, out);
    const bool has = norn_fitted_interval(fitted, view, &level, 1, lower, upper);
    norn_fitted_free(fitted);
    return has;
}

static void every_forecaster_gives_what_it_gives_alone(void **state)
{
    (void)state;
    size_t count, levels, scores;
    const norn_forecaster *const *all = norn_forecasters(&count);
    norn_table *table = three_series();
    const double level = 0.9;
    for (size_t i = 0; i < count; i++) {
        norn_forecast_options o = options_of(all[i]->word);
        o.levels = &level;
        o.level_count = 1;
        norn_forecast *f = must_forecast(table, &o);
        assert_string_equal(norn_forecast_model(f), all[i]->name);
        assert_string_equal(norn_forecast_scores(f, &scores)[0].model, all[i]->name);
        (void)norn_forecast_levels(f, &levels);
        assert_int_equal(levels, all[i]->interval ? 1 : 0);
        for (size_t s = 0; s < SERIES; s++) {
            const size_t rows = norn_table_rows(table, s);
            double want[H], lower[H], upper[H];
            const bool has = alone(all[i], table, s, rows - H, want, lower, upper);
            assert_memory_equal(norn_forecast_held_back(f, 0, s), want, sizeof want);
            assert_true(alone(all[i], table, s, rows, want, lower, upper) == has);
            assert_memory_equal(norn_forecast_values(f, s), want, sizeof want);
            for (size_t j = 0; j < H && levels; j++) {
                assert_memory_equal(norn_forecast_lower(f, 0, s) + j, &lower[j], sizeof(double));
                assert_memory_equal(norn_forecast_upper(f, 0, s) + j, &upper[j], sizeof(double));
                assert_false(lower[j] > want[j] || upper[j] < want[j]);
            }
        }
        assert_null(norn_forecast_lower(f, levels, 0));
        norn_forecast_free(f);
    }
    norn_table_free(table);
}

static void what_is_scored_does_not_see_the_rows_held_back(void **state)
{
    (void)state;
    static const char *const words[] = {"ets", "nlinear", "theta"};
    for (size_t i = 0; i < NORN_COUNT(words); i++) {
        const norn_forecast_options o = options_of(words[i]);
        norn_table *clean = three_series(), *spoilt = three_series();
        norn_forecast *a = must_forecast(clean, &o);
        for (size_t s = 0; s < SERIES; s++)
            for (size_t j = 1; j <= H; j++)
                norn_table_target_mutable(spoilt, s)[norn_table_rows(spoilt, s) - j] = 1e30;
        norn_forecast *b = must_forecast(spoilt, &o);
        size_t models;
        (void)norn_forecast_scores(a, &models);
        assert_true(models >= 3);
        for (size_t m = 0; m < models; m++)
            for (size_t s = 0; s < SERIES; s++)
                assert_memory_equal(norn_forecast_held_back(a, m, s), norn_forecast_held_back(b, m, s),
                                    H * sizeof(double));
        norn_forecast_free(a);
        norn_forecast_free(b);
        norn_table_free(clean);
        norn_table_free(spoilt);
    }
}

static void a_model_is_not_scored_beside_itself(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        size_t models;
    } cases[] = {{"drift", 4}, {"naive", 3}, {"seasonal-naive", 3}, {"nlinear", 3}};
    norn_table *table = three_series();
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_forecast_options o = options_of(cases[i].word);
        norn_forecast *f = must_forecast(table, &o);
        size_t count, trainings;
        const norn_score *scores = norn_forecast_scores(f, &count);
        assert_int_equal(count, cases[i].models);
        for (size_t a = 0; a < count; a++) {
            assert_int_equal(scores[a].rows, SERIES * H);
            for (size_t b = a + 1; b < count; b++) assert_string_not_equal(scores[a].model, scores[b].model);
        }
        (void)norn_forecast_training(f, &trainings);
        assert_int_equal(trainings, 0);
        norn_forecast_free(f);
    }
    norn_table_free(table);
}

static void wrong_models_and_levels_are_refused(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_forecast *f = NULL;
    norn_error err = NORN_ERROR_INIT;
    norn_forecast_options o = options_of("prophet");
    assert_int_equal(norn_forecast_run(&f, NULL, table, &o, NULL, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "--model-type: no model is called \"prophet\" (naive, "));
    const double levels[] = {0.5, 1.0};
    err = (norn_error)NORN_ERROR_INIT;
    o = options_of("ets");
    o.levels = levels;
    o.level_count = 2;
    assert_int_equal(norn_forecast_run(&f, NULL, table, &o, NULL, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "--levels: 100 % is not between 0 and 100"));
    norn_cancel *cancel = NULL;
    norn_host host = NORN_HOST_INIT;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_cancel_raise(cancel);
    host.cancel = cancel;
    o = options_of("ets");
    assert_int_equal(norn_forecast_run(&f, NULL, table, &o, &host, &err), NORN_ERR_CANCELLED);
    assert_null(f);
    norn_cancel_free(cancel);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_forecaster_gives_what_it_gives_alone),
        cmocka_unit_test(what_is_scored_does_not_see_the_rows_held_back),
        cmocka_unit_test(a_model_is_not_scored_beside_itself),
        cmocka_unit_test(wrong_models_and_levels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
