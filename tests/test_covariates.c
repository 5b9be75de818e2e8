/*
 * Inputs beside the series and series with holes: future and static covariates, masks of missing values,
 * series that begin late or go on no more, and that nothing after a cutoff comes in through any of them.
 *
 * One program of kernels serves all tests: 16 units in one layer.
 */
#include "forecast_support.h"

static norn_forecast_options brief(size_t horizon)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.horizon = horizon;
    o.season = 1;
    return o;
}

static norn_status try_run(norn_context *context, norn_table *table, const norn_forecast_options *o,
                           norn_error *err)
{
    norn_forecast *forecast = NULL;
    *err = (norn_error)NORN_ERROR_INIT;
    const norn_status status = norn_forecast_run(&forecast, context, table, o, NULL, err);
    norn_forecast_free(forecast);
    return status;
}

/* ---- future covariates ----------------------------------------------------------------------------------
 */

static void a_series_that_follows_a_future_covariate_is_forecast_by_it(void **state)
{
    norn_context *context = *state;
    norn_forecast_options o = brief(6);
    double mae[2];
    for (size_t future = 0; future < 2; future++) {
        norn_table *table = driven(240, 6, future, 0.1, 31);
        norn_forecast *forecast = must_run(context, table, &o);
        mae[future] = score_of(forecast, "LSTM")->mae;
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
    assert_true(mae[0] > 1.5);
    assert_true(mae[1] < 0.25 * mae[0]);
}

static void missing_rows_of_the_future_are_refused_with_what_mends_it(void **state)
{
    norn_context *context = *state;
    const groups g = {.count = 3, .rows = {80, 80, 80}, .ahead = {9, 4, 3}, .future = 1};
    norn_table *table = table_of_groups(&g);
    norn_forecast_options o = brief(9);
    norn_error err;
    assert_int_equal(try_run(context, table, &o, &err), NORN_ERR_USAGE);
    static const char *const says[] = {"\"s2\"", " 4 rows", "1 more series", "--horizon", "--past"};
    for (size_t i = 0; i < NORN_COUNT(says); i++) assert_non_null(strstr(err.message, says[i]));
    o.holdout = 0;
    assert_int_equal(try_run(context, table, &o, &err), NORN_ERR_USAGE);
    norn_table_free(table);

    const groups none = {.count = 1, .rows = {80}, .future = 1};
    table = table_of_groups(&none);
    assert_int_equal(try_run(context, table, &o, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "--past"));
    assert_null(strstr(err.message, "--horizon")); /* there is no horizon that small */
    norn_table_free(table);
}

static void the_horizon_is_as_long_as_the_future_that_is_known(void **state)
{
    norn_context *context = *state;
    static const struct {
        size_t ahead, told, want;
    } cases[] = {{9, 0, 9}, {3, 0, 3}, {9, 5, 5}, {70, 0, 8}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table *table = driven(80, cases[i].ahead, 1, 0.1, 5);
        norn_forecast_options o = brief(cases[i].told);
        o.epochs = 1;
        norn_forecast *forecast = must_run(context, table, &o);
        assert_int_equal(norn_forecast_horizon(forecast), cases[i].want);
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
}

/* ---- nothing looks ahead --------------------------------------------------------------------------------
 */

static void poison_all_kinds(norn_context *context, bool holes)
{
    enum { H = 6 };
    static const double poisons[] = {1e30, NAN, -1e30, 0.0};
    norn_forecast_options o = brief(H);
    o.loss = NORN_LOSS_MAE; /* the square of 1e30 is no float */
    o.epochs = 3;
    norn_table *clean = all_kinds(H, holes);
    norn_forecast *want = must_run(context, clean, &o);
    assert_true((strstr(decision(want, "missing"), "y1") != NULL) == holes);
    enum { TARGET, PAST, FUTURE, ALL, SCORED_FUTURE };
    for (size_t what = TARGET; what <= SCORED_FUTURE; what++)
        for (size_t p = 0; p < NORN_COUNT(poisons); p++) {
            norn_table *table = all_kinds(H, holes);
            for (size_t s = 0; s < 2; s++) {
                const size_t n = norn_table_rows(table, s);
                for (size_t i = 0; i < H; i++) {
                    if (what == TARGET || what == ALL)
                        norn_table_target_mutable(table, s)[n - H + i] = poisons[p];
                    if (what == PAST || what == ALL)
                        norn_table_past_mutable(table, s, 0)[n - H + i] = poisons[p];
                    if (what == FUTURE || what == ALL)
                        norn_table_future_mutable(table, s, 0)[n + i] = poisons[p];
                    if (what == SCORED_FUTURE) norn_table_future_mutable(table, s, 0)[n - H + i] = poisons[p];
                }
            }
            norn_forecast *got = must_run(context, table, &o);
            /* What is known ahead reaches the forecast that is scored on its rows, and nothing else does. */
            for (size_t s = 0; s < 2; s++) {
                const bool same = memcmp(norn_forecast_held_back(want, 0, s),
                                         norn_forecast_held_back(got, 0, s), H * sizeof(double)) == 0;
                if (same != (what != SCORED_FUTURE)) fail_msg("column %zu, poison %g", what, poisons[p]);
            }
            if (what != SCORED_FUTURE) {
                assert_true(same_held_back(want, got, 2, true));
                assert_same_decisions(want, got);
            }
            assert_false(same_values(want, got, 2)); /* the poison is there */
            norn_forecast_free(got);
            norn_table_free(table);
        }
    norn_forecast_free(want);
    norn_table_free(clean);
}

static void nothing_after_the_cutoff_comes_in_through_any_input(void **state)
{
    poison_all_kinds(*state, true);
}

static void nothing_missing_after_the_cutoff_makes_a_mask(void **state)
{
    poison_all_kinds(*state, false);
}

/* ---- missing values -------------------------------------------------------------------------------------
 */

static void a_series_with_holes_is_forecast_and_scored_on_what_is_there(void **state)
{
    norn_context *context = *state;
    enum { N = 240, H = 10 };
    const groups g = {.count = 1, .rows = {N}};
    norn_table *table = table_of_groups(&g);
    double *y = norn_table_target_mutable(table, 0), truth[N];
    uint64_t seed = 8;
    for (size_t i = 0; i < N; i++) {
        truth[i] = 20.0 + 4.0 * sin((double)i * 0.7) + 0.1 * draw(&seed);
        y[i] = i && i + 1 < N && draw(&seed) < -0.8 ? NAN : truth[i]; /* one in ten */
    }
    y[N - H - 1] = y[N - 4] = y[N - 3] = NAN; /* the last row before the cutoff too */
    norn_forecast_options o = brief(H);
    o.epochs = 40;
    o.steps_per_epoch = 20;
    norn_forecast *forecast = must_run(context, table, &o);
    assert_non_null(strstr(decision(forecast, "missing"), "mask"));
    size_t count, there = 0;
    for (size_t i = N - H; i < N; i++) there += isnan(y[i]) ? 0 : 1;
    assert_true(there <= H - 2);
    const norn_score *scores = norn_forecast_scores(forecast, &count);
    for (size_t k = 0; k < count; k++) {
        const double *f = norn_forecast_held_back(forecast, k, 0);
        double absolute = 0.0;
        for (size_t i = 0; i < H; i++) {
            assert_true(isfinite(f[i]));
            if (!isnan(y[N - H + i])) absolute += fabs(f[i] - y[N - H + i]);
        }
        assert_int_equal(scores[k].rows, there);
        assert_int_equal(scores[k].missing_rows, H - there);
        assert_near(scores[k].mae, absolute / (double)there, 1e-12, 0.0);
    }
    size_t before = N - H - 2; /* the last value that is there */
    while (isnan(y[before])) before--;
    assert_true(norn_forecast_held_back(forecast, 1, 0)[0] == y[before]);
    assert_true(score_of(forecast, "LSTM")->mae < 0.5 * score_of(forecast, "Naive")->mae);
    assert_true(score_of(forecast, "Linear")->mae < 0.5 * score_of(forecast, "Naive")->mae);
    for (size_t i = 0; i < H; i++)
        assert_near(norn_forecast_values(forecast, 0)[i], 20.0 + 4.0 * sin((double)(N + i) * 0.7), 0.0, 3.0);
    norn_forecast_free(forecast);
    norn_table_free(table);
}

/* Every fourth row is missing, always the same of the season: its forecast starts from the row before.
 * So is one of the last two rows, whose change against the season before corrects the others. */
static void a_row_of_the_season_that_is_never_there_is_forecast_all_the_same(void **state)
{
    norn_context *context = *state;
    const groups g = {.count = 1, .rows = {120}};
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 12;
    for (size_t i = 0; i < 120; i++)
        norn_table_target_mutable(table, 0)[i] =
            i % 4 == 2 ? NAN : 9.0 + 5.0 * (double)(i % 4) + 0.01 * draw(&seed);
    norn_forecast_options o = brief(8);
    o.season = 4;
    norn_forecast *forecast = must_run(context, table, &o);
    assert_non_null(strstr(decision(forecast, "base"), "one season before"));
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 8; i++) {
            const double want = 9.0 + 5.0 * (double)((112 + i) % 4 == 2 ? 1 : (112 + i) % 4);
            const double got = norn_forecast_held_back(forecast, k, 0)[i];
            if (k == 0) assert_near(got, want, 0.0, 1.0);
            assert_true(isfinite(got));
        }
    norn_forecast_free(forecast);
    norn_table_free(table);
}

/* A column of ones that has nothing to say but where it is missing. */
static void a_hole_is_seen_as_a_hole(void **state)
{
    norn_context *context = *state;
    double mae[2];
    for (size_t masked = 0; masked < 2; masked++) {
        const groups g = {.count = 1, .rows = {240}, .ahead = {5}, .future = 1};
        norn_table *table = table_of_groups(&g);
        uint64_t seed = 15;
        for (size_t i = 0; i < 245; i++) {
            const bool hole = draw(&seed) > 0.0;
            norn_table_future_mutable(table, 0, 0)[i] = hole && masked ? NAN : 1.0;
            if (i < 240) norn_table_target_mutable(table, 0)[i] = 7.0 + (hole ? 3.0 : 0.0);
        }
        norn_forecast_options o = brief(5);
        norn_forecast *forecast = must_run(context, table, &o);
        assert_true(!*decision(forecast, "missing") == !masked);
        mae[masked] = score_of(forecast, "LSTM")->mae;
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
    assert_true(mae[0] > 0.8);
    assert_true(mae[1] < 0.25 * mae[0]);
}

static void a_series_without_a_target_to_learn_from_is_refused_or_carried_by_others(void **state)
{
    norn_context *context = *state;
    for (size_t count = 1; count <= 2; count++) {
        const groups g = {.count = count, .rows = {80, 80}};
        norn_table *table = table_of_groups(&g);
        uint64_t seed = 4;
        for (size_t s = 0; s < count; s++)
            for (size_t i = 0; i < 80; i++)
                norn_table_target_mutable(table, s)[i] = s == 0 && i > 0 && i < 79 ? NAN : 3.0 + draw(&seed);
        norn_forecast_options o = brief(4);
        norn_error err;
        if (count == 1) {
            assert_int_equal(try_run(context, table, &o, &err), NORN_ERR_USAGE);
            assert_non_null(strstr(err.message, "missing"));
            assert_non_null(strstr(err.message, "--on-missing"));
        } else {
            norn_forecast *forecast = must_run(context, table, &o);
            for (size_t i = 0; i < 4; i++) /* nothing known but its first value, and its last */
                assert_true(norn_forecast_held_back(forecast, 0, 0)[i] == norn_table_target(table, 0)[0] &&
                            norn_forecast_values(forecast, 0)[i] == norn_table_target(table, 0)[79]);
            norn_forecast_free(forecast);
        }
        norn_table_free(table);
    }
}

/* ---- covariates that say nothing, and constants that do -------------------------------------------------
 */

static void a_covariate_that_says_nothing_changes_no_bit_and_is_named(void **state)
{
    norn_context *context = *state;
    static const double levels[] = {5.0, -1e9, NAN};
    const norn_forecast_options o = brief(5);
    norn_forecast *forecasts[3];
    for (size_t i = 0; i < 3; i++) {
        const groups g = {.count = 2, .rows = {60, 70}, .ahead = {5, 5}, .past = 2, .future = 1};
        norn_table *table = table_of_groups(&g);
        uint64_t seed = 6;
        for (size_t s = 0; s < 2; s++)
            for (size_t r = 0; r < g.rows[s] + 5; r++) {
                norn_table_future_mutable(table, s, 0)[r] = levels[i];
                if (r >= g.rows[s]) continue;
                norn_table_target_mutable(table, s)[r] = draw(&seed);
                norn_table_past_mutable(table, s, 0)[r] = levels[i];
                norn_table_past_mutable(table, s, 1)[r] = draw(&seed);
            }
        forecasts[i] = must_run(context, table, &o);
        assert_non_null(strstr(decision(forecasts[i], "past"), "\"x2\""));
        assert_null(strstr(decision(forecasts[i], "past"), "\"x3\""));
        assert_string_equal(decision(forecasts[i], "missing"), "");
        assert_true(same_held_back(forecasts[0], forecasts[i], 2, true));
        assert_true(same_values(forecasts[0], forecasts[i], 2));
        norn_table_free(table);
    }
    for (size_t i = 0; i < 3; i++) norn_forecast_free(forecasts[i]);
}

/* 0 1 0 2 0 1 0 2 or 0 1 0 -2: which of them 0 1 0 does not tell. */
static void a_static_covariate_tells_series_apart(void **state)
{
    norn_context *context = *state;
    norn_forecast_options o = brief(1);
    o.window = 3;
    o.epochs = 60;
    o.steps_per_epoch = 20;
    double mae[3];
    size_t parameters[3];
    for (size_t kind = 0; kind < 3; kind++) { /* none, one that tells, one that is the same for all */
        groups g = {.count = 8, .statics = kind > 0};
        for (size_t s = 0; s < 8; s++) g.rows[s] = 60;
        norn_table *table = table_of_groups(&g);
        for (size_t s = 0; s < 8; s++) {
            const double sign = s % 2 ? 1.0 : -1.0;
            for (size_t i = 0; i < 60; i++)
                norn_table_target_mutable(table, s)[i] = 100.0 + (i % 4 == 1   ? 1.0
                                                                  : i % 4 == 3 ? 2.0 * sign
                                                                               : 0.0);
            if (kind) table->fixed[s] = kind == 1 ? 1e7 + sign : 3.0;
        }
        norn_forecast *forecast = must_run(context, table, &o);
        assert_true((strstr(decision(forecast, "static"), "\"c2\"") != NULL) == (kind == 2));
        mae[kind] = score_of(forecast, "LSTM")->mae;
        parameters[kind] = norn_forecast_parameters(forecast);
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
    assert_true(mae[0] > 1.0);
    assert_true(mae[1] < 0.2 * mae[0]);
    assert_int_equal(parameters[2], parameters[0]); /* left out */
    assert_int_equal(parameters[1], parameters[0] + 4 * 16);
}

/* ---- series that begin late, and pieces -----------------------------------------------------------------
 */

static void a_series_that_begins_late_and_ends_early_is_the_one_between(void **state)
{
    norn_context *context = *state;
    enum { N = 150, FROM = 31, END = 129, H = 6 };
    double y[2][N], x[N], f[N + H];
    uint64_t seed = 10;
    for (size_t i = 0; i < N + H; i++) {
        f[i] = draw(&seed);
        if (i >= N) continue;
        x[i] = draw(&seed);
        y[0][i] = i < FROM || i >= END ? NAN : 4.0 + draw(&seed) + f[i];
        y[1][i] = 1.0 + draw(&seed);
    }
    const double *const whole[] = {y[0], y[1]}, *const cut[] = {y[0] + FROM}, *const past[] = {x},
                        *const past_cut[] = {x + FROM}, *const future[] = {f},
                        *const future_cut[] = {f + FROM};
    norn_table_arrays arrays = {.rows = N,
                                .ahead = H,
                                .targets = 1,
                                .past = 1,
                                .future = 1,
                                .target = whole,
                                .covariates = past,
                                .known = future,
                                .step = {NORN_STEP_INTEGER, 1}};
    norn_table *wide = NULL, *alone = NULL, *both = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_from(&wide, &arrays, NULL, &err), &err);
    arrays.targets = 2;
    assert_ok(norn_table_from(&both, &arrays, NULL, &err), &err);
    arrays.targets = 1;
    arrays.rows = END - FROM;
    arrays.target = cut;
    arrays.covariates = past_cut;
    arrays.known = future_cut;
    assert_ok(norn_table_from(&alone, &arrays, NULL, &err), &err);
    norn_forecast_options o = brief(H);
    o.epochs = 3;
    norn_forecast *a = must_run(context, wide, &o), *b = must_run(context, alone, &o);
    assert_true(same_held_back(a, b, 1, true) && same_values(a, b, 1));
    norn_forecast_free(a);
    norn_forecast_free(b);

    /* Beside another that has other rows: each is held back at its own end. */
    a = must_run(context, both, &o);
    assert_int_equal(score_of(a, "Naive")->rows, 2 * H);
    assert_true(norn_forecast_held_back(a, 1, 0)[0] == y[0][END - H - 1]);
    assert_true(norn_forecast_held_back(a, 1, 1)[0] == y[1][N - H - 1]);
    norn_forecast_free(a);
    norn_table_free(wide);
    norn_table_free(alone);
    norn_table_free(both);
}

static void pieces_before_a_gap_are_trained_on_and_no_more(void **state)
{
    norn_context *context = *state;
    const groups g = {.count = 4, .rows = {40, 6, 60, 11}, .ended = {true, true, false, true}};
    norn_forecast_options o = brief(4);
    o.window = 8;
    o.epochs = 2;
    norn_forecast *forecasts[2];
    for (size_t changed = 0; changed < 2; changed++) {
        norn_table *table = table_of_groups(&g);
        uint64_t seed = 2;
        for (size_t s = 0; s < 4; s++)
            for (size_t i = 0; i < g.rows[s]; i++) norn_table_target_mutable(table, s)[i] = draw(&seed);
        if (changed) norn_table_target_mutable(table, 0)[39] += 1.0; /* the last row of a piece */
        norn_forecast *forecast = must_run(context, table, &o);
        size_t members;
        const norn_training *training = norn_forecast_training(forecast, &members);
        assert_int_equal(training[0].windows, 29 + 43); /* 40-8-4+1, and 60-8-4-6+1 */
        assert_int_equal(training[1].windows, 29 + 40); /* 56-8-4-5+1 */
        assert_int_equal(training[0].validation_windows, 3);
        assert_int_equal(score_of(forecast, "LSTM")->rows, 4);
        assert_non_null(strstr(decision(forecast, "pieces"), "2 of 3"));
        for (size_t s = 0; s < 4; s++) {
            assert_true(!norn_forecast_values(forecast, s) == (s != 2));
            assert_true(!norn_forecast_held_back(forecast, 0, s) == (s != 2));
        }
        forecasts[changed] = forecast;
        norn_table_free(table);
    }
    assert_true(norn_forecast_held_back(forecasts[0], 0, 2)[0] !=
                norn_forecast_held_back(forecasts[1], 0, 2)[0]);
    norn_forecast_free(forecasts[0]);
    norn_forecast_free(forecasts[1]);
}

static void series_that_are_too_short_are_counted_and_the_first_is_named(void **state)
{
    norn_context *context = *state;
    static const struct {
        size_t horizon, window;
    } cases[] = {{4, 0}, {20, 0}, {4, 24}};
    const groups g = {.count = 5, .rows = {90, 25, 10, 90, 20}, .ended = {false, false, true}};
    norn_table *table = table_of_groups(&g);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_forecast_options o = brief(cases[i].horizon);
        o.window = cases[i].window;
        norn_error err;
        if (i == 0) o.window = 14; /* fits the rows, but leaves none to stop by */
        assert_int_equal(try_run(context, table, &o, &err), NORN_ERR_USAGE);
        if (!strstr(err.message, "\"s2\" has 2") || !strstr(err.message, "(and 1 more series"))
            fail_msg("case %zu: %s", i, err.message);
    }
    norn_table_free(table);
}

/* ---- members --------------------------------------------------------------------------------------------
 */

/* 1e36 stands where the scored member stops by it and the other one learns its scale from it. */
static void a_scored_member_that_diverges_costs_its_score_alone(void **state)
{
    norn_context *context = *state;
    enum { N = 200, H = 5 };
    const groups g = {.count = 1, .rows = {N}};
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 3;
    for (size_t i = 0; i < N; i++) norn_table_target_mutable(table, 0)[i] = draw(&seed);
    norn_table_target_mutable(table, 0)[178] = 1e36;
    norn_forecast_options o = brief(H);
    o.epochs = 2;
    norn_forecast *forecast = must_run(context, table, &o);
    size_t count, members;
    const norn_score *scores = norn_forecast_scores(forecast, &count);
    const norn_training *training = norn_forecast_training(forecast, &members);
    assert_true(training[0].best_epoch > 0 && training[1].best_epoch == 0);
    assert_string_equal(scores[0].model, "LSTM");
    assert_true(isnan(scores[0].mae) && scores[0].rows == 0);
    assert_null(norn_forecast_held_back(forecast, 0, 0));
    assert_true(scores[1].rows == H && isfinite(scores[1].mae));
    assert_non_null(norn_forecast_held_back(forecast, 1, 0));
    assert_non_null(strstr(decision(forecast, "score"), "diverged"));
    assert_true(isfinite(norn_forecast_values(forecast, 0)[0]));
    norn_forecast_free(forecast);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_that_follows_a_future_covariate_is_forecast_by_it),
        cmocka_unit_test(missing_rows_of_the_future_are_refused_with_what_mends_it),
        cmocka_unit_test(the_horizon_is_as_long_as_the_future_that_is_known),
        cmocka_unit_test(nothing_after_the_cutoff_comes_in_through_any_input),
        cmocka_unit_test(nothing_missing_after_the_cutoff_makes_a_mask),
        cmocka_unit_test(a_series_with_holes_is_forecast_and_scored_on_what_is_there),
        cmocka_unit_test(a_row_of_the_season_that_is_never_there_is_forecast_all_the_same),
        cmocka_unit_test(a_hole_is_seen_as_a_hole),
        cmocka_unit_test(a_series_without_a_target_to_learn_from_is_refused_or_carried_by_others),
        cmocka_unit_test(a_covariate_that_says_nothing_changes_no_bit_and_is_named),
        cmocka_unit_test(a_static_covariate_tells_series_apart),
        cmocka_unit_test(a_series_that_begins_late_and_ends_early_is_the_one_between),
        cmocka_unit_test(pieces_before_a_gap_are_trained_on_and_no_more),
        cmocka_unit_test(series_that_are_too_short_are_counted_and_the_first_is_named),
        cmocka_unit_test(a_scored_member_that_diverges_costs_its_score_alone),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
