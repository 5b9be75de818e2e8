/*
 * Several members of a forecast: each has the bits it has alone, the forecast is their median, one that
 * diverges leaves alone and is named, and members on rows are trained on samples of their own.
 *
 * One program of kernels serves all tests: 16 units in one layer.
 */
#include "forecast_support.h"

#include "nn/train.h"

enum { H = 5, N = 5 };

static norn_forecast_options brief(unsigned members, norn_members_on on)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.horizon = H;
    o.epochs = 3;
    o.batch = 8;
    o.members = members;
    o.members_on = on;
    return o;
}

/* ---- the bits of each -----------------------------------------------------------------------------------
 */

static void a_member_of_five_has_the_bits_it_has_alone(void **state)
{
    norn_context *context = *state;
    for (norn_members_on on = NORN_MEMBERS_ON_SEEDS; on <= NORN_MEMBERS_ON_ROWS; on++) {
        norn_forecast_options o = brief(N, on);
        norn_table *table = all_kinds(H, true);
        norn_forecast *five = must_run(context, table, &o);
        size_t count = 0;
        const norn_training *together = norn_forecast_training(five, &count);
        assert_int_equal(count, 2 * N);
        assert_int_equal(norn_forecast_members(five), N);
        o.members = 1;
        for (unsigned k = 0; k < N; k++) {
            o.first_member = k;
            norn_forecast *alone = must_run(context, table, &o);
            const norn_training *one = norn_forecast_training(alone, &count);
            assert_int_equal(count, 2);
            assert_memory_equal(&one[0], &together[k], sizeof *one);
            assert_memory_equal(&one[1], &together[N + k], sizeof *one);
            for (size_t s = 0; s < 2; s++) {
                const double *values = norn_forecast_values(alone, s);
                assert_memory_equal(values, norn_forecast_member(five, k, s), H * sizeof(double));
                assert_memory_equal(values, norn_forecast_least(alone, s), H * sizeof(double));
                assert_memory_equal(values, norn_forecast_greatest(alone, s), H * sizeof(double));
            }
            assert_true(one->checksum != 0);
            for (unsigned i = 0; i < k; i++) /* and they differ */
                assert_true(together[i].checksum != one->checksum);
            for (unsigned i = 0; i < k; i++)
                assert_true(memcmp(norn_forecast_member(five, i, 0), norn_forecast_member(five, k, 0),
                                   H * sizeof(double)) != 0);
            norn_forecast_free(alone);
        }
        assert_null(norn_forecast_member(five, N, 0));
        assert_null(norn_forecast_member(five, 0, 2)); /* a piece */
        norn_forecast_free(five);
        norn_table_free(table);
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_size);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2.0;
}

static void the_forecast_is_the_median_of_its_members_and_so_is_the_scored_one(void **state)
{
    norn_context *context = *state;
    norn_table *table = all_kinds(H, false);
    norn_forecast *alone[N];
    for (unsigned k = 0; k < N; k++) {
        norn_forecast_options o = brief(1, NORN_MEMBERS_ON_SEEDS);
        o.first_member = k;
        alone[k] = must_run(context, table, &o);
    }
    for (unsigned n = 1; n <= N; n++) {
        const norn_forecast_options o = brief(n, NORN_MEMBERS_ON_SEEDS);
        norn_forecast *f = must_run(context, table, &o);
        for (size_t s = 0; s < 2; s++)
            for (size_t i = 0; i < H; i++) {
                double printed[N], scored[N];
                for (size_t k = 0; k < n; k++) {
                    printed[k] = norn_forecast_values(alone[k], s)[i];
                    scored[k] = norn_forecast_held_back(alone[k], 0, s)[i];
                }
                /* of an odd number one of them, of an even one their mean, which rounds */
                const double rounding = n % 2 ? 0.0 : 1e-14;
                assert_near(norn_forecast_values(f, s)[i], median(printed, n), rounding, 0.0);
                assert_near(norn_forecast_held_back(f, 0, s)[i], median(scored, n), rounding, 0.0);
                assert_true(norn_forecast_least(f, s)[i] == printed[0]);
                assert_true(norn_forecast_greatest(f, s)[i] == printed[n - 1]);
            }
        norn_forecast_free(f);
    }
    for (size_t k = 0; k < N; k++) norn_forecast_free(alone[k]);
    norn_table_free(table);
}

static void members_that_make_no_sense_are_refused(void **state)
{
    norn_context *context = *state;
    norn_table *table = all_kinds(H, false);
    for (size_t i = 0; i < 2; i++) {
        norn_forecast_options o = brief(i ? 2 : NORN_MOST_MEMBERS + 1, NORN_MEMBERS_ON_SEEDS);
        if (i) o.members_on = (norn_members_on)2;
        norn_forecast *forecast = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_forecast_run(&forecast, context, table, &o, NULL, &err), NORN_ERR_USAGE);
        assert_non_null(strstr(err.message, i ? "--members-on" : "--members "));
        assert_null(forecast);
    }
    norn_table_free(table);
}

/* ---- one that diverges ----------------------------------------------------------------------------------
 */

/* A value of 1e30 in a training row so that no window the scale is found by has it: who draws one that has
 * diverges, and the others know nothing of it. */
static norn_table *with_an_outlier(void)
{
    enum { ROWS = 33000 };
    const groups g = {.count = 1, .rows = {ROWS}};
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 8;
    double *y = norn_table_target_mutable(table, 0);
    for (size_t i = 0; i < ROWS; i++) y[i] = sin(0.3 * (double)i) + 0.1 * draw(&seed);
    y[12003] = 1e30;
    return table;
}

static norn_forecast_options one_pass(unsigned members)
{
    norn_forecast_options o = brief(members, NORN_MEMBERS_ON_SEEDS);
    o.horizon = 1;
    o.window = 8;
    o.season = 1;
    o.holdout = 0;
    o.epochs = 1;
    o.steps_per_epoch = 30;
    o.batch = 64;
    return o;
}

static void a_member_that_diverges_leaves_alone_and_is_named(void **state)
{
    norn_context *context = *state;
    norn_table *table = with_an_outlier();
    norn_forecast_options o = one_pass(N + 1);
    norn_forecast *f = must_run(context, table, &o);
    size_t count = 0, lost = 0, left = 0;
    const norn_training *training = norn_forecast_training(f, &count);
    double values[N + 1];
    o.members = 1;
    for (unsigned k = 0; k <= N; k++) {
        const double *own = norn_forecast_member(f, k, 0);
        assert_true((own == NULL) == (training[k].best_epoch == 0));
        norn_forecast *alone = NULL;
        norn_error err = NORN_ERROR_INIT;
        o.first_member = k;
        const norn_status status = norn_forecast_run(&alone, context, table, &o, NULL, &err);
        assert_int_equal(status, own ? NORN_OK : NORN_ERR_NUMERIC);
        if (own) {
            assert_true(isfinite(own[0]) && own[0] == norn_forecast_values(alone, 0)[0]);
            values[left++] = own[0];
        } else if (!lost++) {
            char number[24];
            (void)snprintf(number, sizeof number, "%u", k + 1);
            bool named = false;
            const norn_decision *all = norn_forecast_decisions(f, &count);
            for (size_t i = 0; i < count; i++)
                named |= strstr(all[i].text, "diverged") && strncmp(all[i].text, number, strlen(number)) == 0;
            assert_true(named);
        }
        norn_forecast_free(alone);
    }
    assert_true(lost > 0 && left > 0);
    assert_near(norn_forecast_values(f, 0)[0], median(values, left), left % 2 ? 0.0 : 1e-14, 0.0);
    assert_true(norn_forecast_least(f, 0)[0] == values[0]);
    assert_true(norn_forecast_greatest(f, 0)[0] == values[left - 1]);
    norn_forecast_free(f);
    norn_table_free(table);
}

static void only_when_all_members_diverge_is_there_no_forecast(void **state)
{
    norn_context *context = *state;
    norn_table *table = all_kinds(H, false);
    const size_t n = norn_table_rows(table, 0);
    for (size_t i = 1; i < H; i++) norn_table_target_mutable(table, 0)[n - i] = 1e30; /* rows to stop by */
    norn_forecast_options o = brief(3, NORN_MEMBERS_ON_SEEDS);
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_forecast_run(&forecast, context, table, &o, NULL, &err), NORN_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "all 3 members"));
    assert_non_null(strstr(err.message, "--lr"));
    assert_null(forecast);
    norn_table_free(table);
}

/* ---- samples --------------------------------------------------------------------------------------------
 */

enum { SERIES = 30, SAMPLED = 19, WINDOW = 6, ROWS = 12 };

typedef struct waves {
    double raw[SERIES + 1][ROWS]; /* the last is to stop by */
} waves;

static double raw_value(const void *user, size_t row)
{
    return ((const double *)user)[row];
}

/* A training of one member on series of one window each. */
static norn_training train_on(norn_context *context, const waves *w, uint64_t identity, size_t sampled,
                              size_t steps)
{
    size_t rows[SERIES + 1];
    int of[SERIES + 1];
    norn_span train[SERIES + 1], valid[SERIES + 1];
    float pairs[SERIES + 1][2];
    for (size_t s = 0; s <= SERIES; s++) {
        rows[s] = ROWS;
        of[s] = (int)s;
        train[s] = (norn_span){0, s < SERIES};
        valid[s] = (norn_span){0, s < SERIES ? 0 : ROWS - WINDOW};
        pairs[s][0] = 0.0f;
        pairs[s][1] = 1.0f;
    }
    norn_error err = NORN_ERROR_INIT;
    norn_series *series = NULL;
    norn_network *network = NULL;
    const norn_network_shape shape = {
        .inputs = 1, .hidden = 16, .layers = 1, .window = WINDOW, .horizon = 1, .batch = 4, .members = 1};
    const norn_train_plan plan = {
        .epochs = 4, .steps_per_epoch = steps, .patience = 9, .settle = 1, .rate = 1e-2, .seed = 3};
    norn_member member = {.identity = identity, .sampled = sampled, .train = train, .valid = valid};
    assert_ok(norn_series_new(&series, context, SERIES + 1, 1, SERIES + 1, rows, of, &err), &err);
    for (size_t s = 0; s <= SERIES; s++)
        assert_ok(norn_series_put(series, s, raw_value, w->raw[s], &err), &err);
    assert_ok(norn_network_new(&network, context, &shape, series, &err), &err);
    assert_ok(norn_network_scale(network, 0, &pairs[0][0], SERIES + 1, &err), &err);
    assert_ok(norn_train(network, series, &member, 1, &plan, &context->host, &err), &err);
    norn_network_free(network);
    norn_series_free(series);
    return member.training;
}

/* Through all epochs a member sees the windows of its sample, each as often as the others, and no other. */
static void a_sample_is_drawn_once_and_without_replacement(void **state)
{
    norn_context *context = *state;
    waves w;
    uint64_t seed = 2;
    for (size_t s = 0; s <= SERIES; s++)
        for (size_t i = 0; i < ROWS; i++) w.raw[s][i] = sin((double)(s + i)) + 0.2 * draw(&seed);
    bool drawn[2][SERIES];
    for (size_t m = 0; m < 2; m++) {
        const norn_training want = train_on(context, &w, m, SAMPLED, 0),
                            stream = train_on(context, &w, m, SAMPLED, 5);
        size_t count = 0;
        assert_int_equal(want.windows, SAMPLED);
        for (size_t s = 0; s < SERIES; s++) {
            waves other = w;
            other.raw[s][WINDOW] += 1.0; /* the target of its window */
            const norn_training got = train_on(context, &other, m, SAMPLED, 0),
                                got_stream = train_on(context, &other, m, SAMPLED, 5);
            drawn[m][s] = memcmp(&got, &want, sizeof got) != 0;
            assert_true((memcmp(&got_stream, &stream, sizeof got) != 0) == drawn[m][s]);
            count += drawn[m][s];
        }
        assert_int_equal(count, SAMPLED);
    }
    assert_true(memcmp(drawn[0], drawn[1], sizeof drawn[0]) != 0);
}

static void members_on_rows_learn_from_as_many_windows_as_a_bootstrap_draws(void **state)
{
    norn_context *context = *state;
    norn_table *table = all_kinds(H, false);
    norn_forecast_options o = brief(2, NORN_MEMBERS_ON_SEEDS);
    norn_forecast *seeds = must_run(context, table, &o);
    o.members_on = NORN_MEMBERS_ON_ROWS;
    norn_forecast *rows = must_run(context, table, &o);
    size_t count = 0;
    const norn_training *all = norn_forecast_training(seeds, &count),
                        *some = norn_forecast_training(rows, &count);
    for (size_t m = 0; m < count; m++) {
        assert_int_equal(some[m].windows, (size_t)(0.632 * (double)all[m].windows));
        assert_int_equal(some[m].validation_windows, all[m].validation_windows);
    }
    assert_non_null(strstr(decision(rows, "members"), "sample"));
    norn_forecast_free(seeds);
    norn_forecast_free(rows);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_of_five_has_the_bits_it_has_alone),
        cmocka_unit_test(the_forecast_is_the_median_of_its_members_and_so_is_the_scored_one),
        cmocka_unit_test(members_that_make_no_sense_are_refused),
        cmocka_unit_test(a_member_that_diverges_leaves_alone_and_is_named),
        cmocka_unit_test(only_when_all_members_diverge_is_there_no_forecast),
        cmocka_unit_test(a_sample_is_drawn_once_and_without_replacement),
        cmocka_unit_test(members_on_rows_learn_from_as_many_windows_as_a_bootstrap_draws),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
