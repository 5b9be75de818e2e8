/*
 * Series of every kind come out as what they are: constant, seasonal without noise, of two values, at a high
 * level, in any unit, beside others, with covariates that help and that do not.
 *
 * One program of kernels serves all tests: 16 units in one layer.
 */
#include "forecast_support.h"

enum { ROWS = 120, TARGETS = 3 };

static norn_table *table_of(double y[][ROWS], size_t targets, double x[][ROWS], size_t past)
{
    const double *rows[TARGETS] = {NULL}, *covariates[TARGETS] = {NULL};
    for (size_t i = 0; i < targets; i++) rows[i] = y[i];
    for (size_t i = 0; i < past; i++) covariates[i] = x[i];
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_from_arrays(&table, ROWS, targets, rows, past, covariates, NULL,
                                     (norn_step){NORN_STEP_INTEGER, 1}, NULL, &err),
              &err);
    return table;
}

static norn_forecast_options brief(size_t horizon, size_t season)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.horizon = horizon;
    o.season = season;
    return o;
}

static norn_forecast *forecast_of(norn_context *context, double y[][ROWS], size_t targets,
                                  const norn_forecast_options *o)
{
    norn_table *table = table_of(y, targets, NULL, 0);
    norn_forecast *forecast = must_run(context, table, o);
    norn_table_free(table);
    return forecast;
}

static void a_constant_series_is_forecast_as_constant(void **state)
{
    static const double levels[] = {0.0, 5.0, -1e-6, 3e12, 0.1};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        double y[1][ROWS];
        for (size_t r = 0; r < ROWS; r++) y[0][r] = levels[i];
        const norn_forecast_options o = brief(6, i % 2 ? 1 : 4);
        norn_forecast *forecast = forecast_of(*state, y, 1, &o);
        for (size_t k = 0; k < 6; k++) {
            assert_true(norn_forecast_values(forecast, 0)[k] == levels[i]);
            assert_true(norn_forecast_held_back(forecast, 0, 0)[k] == levels[i]);
        }
        const norn_score *lstm = score_of(forecast, "LSTM");
        assert_true(lstm->mae == 0.0 && lstm->rmse == 0.0 && isnan(lstm->mase));
        assert_true(levels[i] == 0.0 ? isnan(lstm->mape) : lstm->mape == 0.0);
        norn_forecast_free(forecast);
    }
}

static void a_season_without_noise_is_repeated_exactly(void **state)
{
    double y[1][ROWS];
    for (size_t r = 0; r < ROWS; r++) y[0][r] = (double)(r % 7 * (r % 7)) - 3.0;
    const norn_forecast_options o = brief(10, 7);
    norn_forecast *forecast = forecast_of(*state, y, 1, &o);
    for (size_t k = 0; k < 10; k++) {
        const size_t next = (ROWS + k) % 7, held = (ROWS - 10 + k) % 7;
        assert_true(norn_forecast_values(forecast, 0)[k] == (double)(next * next) - 3.0);
        assert_true(norn_forecast_held_back(forecast, 0, 0)[k] == (double)(held * held) - 3.0);
    }
    norn_forecast_free(forecast);
}

static void series_of_two_values_of_zeros_and_below_zero_are_forecast_within_reason(void **state)
{
    uint64_t seed = 4;
    for (size_t kind = 0; kind < 4; kind++) {
        double y[1][ROWS];
        for (size_t r = 0; r < ROWS; r++) {
            const double u = draw(&seed);
            y[0][r] = kind == 0   ? (double)(u > 0.0)          /* two values */
                      : kind == 1 ? (u > 0.8 ? 10.0 * u : 0.0) /* mostly zero */
                      : kind == 2 ? -100.0 + u                 /* below zero */
                                  : (double)(r == ROWS - 1);   /* zero up to its last row */
        }
        const double least = kind == 2 ? -101.0 : 0.0, most = kind == 2 ? -99.0 : kind == 1 ? 10.0 : 1.0;
        const norn_forecast_options o = brief(5, 1);
        norn_forecast *forecast = forecast_of(*state, y, 1, &o);
        assert_string_equal(decision(forecast, "transform"), "");
        for (size_t k = 0; k < 5; k++) {
            const double value = norn_forecast_values(forecast, 0)[k],
                         held = norn_forecast_held_back(forecast, 0, 0)[k];
            assert_true(value > least - (most - least) && value < most + (most - least));
            assert_true(held > least - (most - least) && held < most + (most - least));
        }
        norn_forecast_free(forecast);
    }
}

/* Years of months whose season grows with the level, on a grid so fine that adding a level is exact. */
static void make_growing(double *y, uint64_t seed)
{
    for (size_t r = 0; r < ROWS; r++) {
        const double level = 100.0 * exp(0.012 * (double)r);
        y[r] = level * (1.0 + 0.2 * sin((double)(r % 12) * 0.5235987755982988) + 0.02 * draw(&seed));
        y[r] = floor(y[r] * 1024.0) / 1024.0;
    }
}

static void a_zero_that_only_the_printing_member_sees_leaves_its_logarithm_finite(void **state)
{
    double y[1][ROWS];
    make_growing(y[0], 6);
    const norn_forecast_options o = brief(12, 12);
    norn_forecast *sound = forecast_of(*state, y, 1, &o);
    assert_non_null(strstr(decision(sound, "transform"), "logarithm"));
    y[0][ROWS - 1] = y[0][ROWS - 7] = 0.0;
    norn_forecast *with_zeros = forecast_of(*state, y, 1, &o);
    assert_true(same_held_back(sound, with_zeros, 1, true));
    for (size_t k = 0; k < 12; k++) {
        const double value = norn_forecast_values(with_zeros, 0)[k];
        assert_true(value > 0.5 * norn_forecast_values(sound, 0)[k] &&
                    value < 1.5 * norn_forecast_values(sound, 0)[k]);
    }
    y[0][ROWS - 20] = 0.0; /* a row that both see, to stop by: no logarithm */
    norn_forecast *without = forecast_of(*state, y, 1, &o);
    assert_string_equal(decision(without, "transform"), "");
    for (size_t k = 0; k < 12; k++) assert_true(isfinite(norn_forecast_values(without, 0)[k]));
    norn_forecast_free(sound);
    norn_forecast_free(with_zeros);
    norn_forecast_free(without);
}

/* The device holds differences: 2^30 added to every value changes nothing but the level of what comes out. */
static void a_high_level_costs_no_accuracy(void **state)
{
    const double level = 1073741824.0;
    for (size_t season = 1; season <= 12; season += 11) {
        double low[1][ROWS], high[1][ROWS];
        make_growing(low[0], 3);
        for (size_t r = 0; r < ROWS; r++) {
            low[0][r] -= 200.0; /* below zero here and there: no logarithm */
            high[0][r] = low[0][r] + level;
        }
        const norn_forecast_options o = brief(6, season);
        norn_forecast *a = forecast_of(*state, low, 1, &o), *b = forecast_of(*state, high, 1, &o);
        assert_same_decisions(a, b);
        size_t models;
        (void)norn_forecast_scores(a, &models);
        for (size_t i = 0; i < 6; i++) {
            assert_near(norn_forecast_values(b, 0)[i] - level, norn_forecast_values(a, 0)[i], 0.0, 2e-6);
            for (size_t k = 0; k < models; k++)
                assert_near(norn_forecast_held_back(b, k, 0)[i] - level, norn_forecast_held_back(a, k, 0)[i],
                            0.0, 2e-6);
        }
        norn_forecast_free(a);
        norn_forecast_free(b);
    }
}

static void the_unit_of_a_series_changes_nothing_but_the_unit(void **state)
{
    double y[1][ROWS], z[1][ROWS];
    make_growing(y[0], 8);
    for (size_t r = 0; r < ROWS; r++) y[0][r] -= 200.0; /* below zero here and there: no logarithm */
    static const double units[] = {0x1p-40, 0x1p30};
    for (size_t u = 0; u < 2; u++) {
        for (size_t r = 0; r < ROWS; r++) z[0][r] = y[0][r] * units[u];
        const norn_forecast_options o = brief(6, 12);
        norn_forecast *a = forecast_of(*state, y, 1, &o), *b = forecast_of(*state, z, 1, &o);
        for (size_t i = 0; i < 6; i++) {
            assert_true(norn_forecast_values(a, 0)[i] * units[u] == norn_forecast_values(b, 0)[i]);
            for (size_t k = 0; k < 4; k++)
                assert_true(norn_forecast_held_back(a, k, 0)[i] * units[u] ==
                            norn_forecast_held_back(b, k, 0)[i]);
        }
        norn_forecast_free(a);
        norn_forecast_free(b);
    }
}

static void series_that_share_a_network_keep_their_own_levels(void **state)
{
    double y[TARGETS][ROWS];
    uint64_t seed = 12;
    static const double levels[] = {1e6, -3.0, 0.001}, swings[] = {1e3, 0.1, 1e-5};
    for (size_t s = 0; s < TARGETS; s++)
        for (size_t r = 0; r < ROWS; r++)
            y[s][r] = levels[s] + swings[s] * (sin(0.5 * (double)r) + 0.1 * draw(&seed));
    const norn_forecast_options o = brief(5, 1);
    norn_forecast *all = forecast_of(*state, y, TARGETS, &o), *one = forecast_of(*state, y, 1, &o);
    assert_int_equal(norn_forecast_parameters(all), norn_forecast_parameters(one));
    for (size_t s = 0; s < TARGETS; s++)
        for (size_t k = 0; k < 5; k++) {
            assert_near(norn_forecast_values(all, s)[k], levels[s], 0.0, 2.0 * swings[s]);
            assert_near(norn_forecast_held_back(all, 0, s)[k], levels[s], 0.0, 2.0 * swings[s]);
        }
    assert_int_equal(score_of(all, "LSTM")->rows, 15);
    norn_forecast_free(all);
    norn_forecast_free(one);
}

/* Three series follow a covariate five rows later. A network that sees it knows the future; one whose
 * covariate stands in the row it should foretell knows nothing. */
static void a_covariate_is_seen_up_to_the_cutoff_and_no_further(void **state)
{
    enum { LEAD = 5 };
    norn_context *context = *state;
    double y[TARGETS][ROWS], leading[1][ROWS], same[1][ROWS], steady[1][ROWS], high[1][ROWS];
    uint64_t seed = 21;
    for (size_t r = 0; r < ROWS; r++) leading[0][r] = floor(1024.0 * draw(&seed)) / 1024.0;
    for (size_t r = 0; r < ROWS; r++) {
        same[0][r] = r >= LEAD ? leading[0][r - LEAD] : 0.0;
        steady[0][r] = 7.5;
        high[0][r] = leading[0][r] - 1048576.0; /* exact: only the level is another */
        for (size_t s = 0; s < TARGETS; s++) y[s][r] = 50.0 + (double)(s + 1) * same[0][r];
    }
    norn_forecast_options o = brief(LEAD, 1);
    o.epochs = 150;
    o.patience = 50;
    o.learning_rate = 2e-2;
    double(*const covariates[])[ROWS] = {leading, same, steady, high};
    double mase[4];
    for (size_t i = 0; i < 4; i++) {
        norn_table *table = table_of(y, TARGETS, covariates[i], 1);
        norn_forecast *forecast = must_run(context, table, &o);
        mase[i] = score_of(forecast, "LSTM")->mase;
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
    assert_true(mase[3] == mase[0]);
    assert_true(mase[0] < 0.25); /* here 0.16 */
    assert_true(mase[1] > 2.0 * mase[0] && mase[2] > 2.0 * mase[0] && isfinite(mase[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_series_is_forecast_as_constant),
        cmocka_unit_test(a_season_without_noise_is_repeated_exactly),
        cmocka_unit_test(series_of_two_values_of_zeros_and_below_zero_are_forecast_within_reason),
        cmocka_unit_test(a_zero_that_only_the_printing_member_sees_leaves_its_logarithm_finite),
        cmocka_unit_test(a_high_level_costs_no_accuracy),
        cmocka_unit_test(the_unit_of_a_series_changes_nothing_but_the_unit),
        cmocka_unit_test(series_that_share_a_network_keep_their_own_levels),
        cmocka_unit_test(a_covariate_is_seen_up_to_the_cutoff_and_no_further),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
