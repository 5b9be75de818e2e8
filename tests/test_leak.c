/*
 * norn/leak.h: the proof finds what looks ahead, and nothing where nothing does; the lesson of the smoother
 * is that of its arithmetic. Leaks are planted through the internal interface: in a forecaster, by a row, and
 * in what is shared. No OpenCL here.
 */
#include "backtest_support.h"

#include "backtest/leak.h"

enum { FOLDS = 4, H = 6 };

static norn_backtest_options plan(void)
{
    norn_backtest_options o = NORN_BACKTEST_OPTIONS_INIT;
    o.horizon = H;
    o.folds = FOLDS;
    o.step = 3;
    o.window = 9;
    o.season = 12;
    o.models = "all";
    return o;
}

static norn_leak *must_prove(norn_table *table, const norn_backtest_options *options, const norn_joint *joint)
{
    norn_leak *leak = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_leak_run_with(&leak, NULL, table, options, joint, joint ? 1 : 0, NULL, &err), &err);
    return leak;
}

/* ---- nothing ahead ---- */

static void nothing_moves_and_the_table_is_as_it_was(void **state)
{
    (void)state;
    norn_table *table = three_series(), *same = three_series();
    const norn_backtest_options o = plan();
    norn_leak *leak = must_prove(table, &o, NULL);
    const size_t models = norn_backtest_model_count(norn_leak_backtest(leak));
    assert_int_equal(norn_leak_count(leak), models + 1);
    assert_string_equal(norn_leak_name(leak, models), "scales");
    for (size_t m = 0; m < models; m++) {
        const norn_moved all = norn_leak_total(leak, m);
        assert_int_equal(all.moved, 0);
        assert_int_equal(all.bits, 0);
        /* three series; a cutoff and those before it; two poisons */
        assert_int_equal(all.compared, 3 * (1 + 2 + 3 + 4) * H * NORN_POISONS);
    }
    assert_int_equal(norn_leak_total(leak, models + 1).moved, 0);
    for (size_t s = 0; s < 3; s++)
        assert_memory_equal(norn_table_target(table, s), norn_table_target(same, s),
                            norn_table_rows(table, s) * sizeof(double));
    norn_leak_free(leak);
    norn_table_free(table);
    norn_table_free(same);
}

static void every_row_after_a_cutoff_is_poisoned_and_counted(void **state)
{
    (void)state;
    norn_table *table = three_series();
    norn_backtest_options o = plan();
    o.models = "naive";
    norn_leak *leak = must_prove(table, &o, NULL);
    for (size_t k = 0; k < FOLDS; k++) {
        const size_t after = H + (FOLDS - 1 - k) * 3;
        assert_int_equal(norn_leak_rows(leak, k), 3 * after);
        assert_int_equal(norn_leak_poisoned(leak, k), 3 * after); /* one target a row, nothing beside it */
    }
    norn_leak_free(leak);
    norn_table_free(table);
}

/* ---- planted ---- */

/* What a plant says of one series at one cutoff; it is given the whole table. */
typedef double (*plant)(const norn_table *table, size_t series, size_t cutoff, size_t horizon);

static norn_status run_plant(void *user, const norn_folds *folds, double *out, double seconds[2],
                             const norn_host *host, norn_error *err)
{
    const plant *says = user;
    (void)host;
    (void)err;
    seconds[0] = seconds[1] = 0.0;
    for (size_t i = 0; i < folds->count; i++)
        for (size_t k = 0; k < folds->options.folds; k++)
            for (size_t j = 0; j < folds->options.horizon; j++)
                *out++ = (*says)(folds->table, folds->series[i], norn_folds_cutoff(folds, i, k),
                                 folds->options.horizon);
    return NORN_OK;
}

static double a_row_ahead(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    (void)horizon;
    return norn_table_target(table, series)[cutoff + 1];
}

/* Only the last row of all: what a scaler or a choice made at the end of the file sees. */
static double the_end(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    (void)horizon;
    return norn_table_target(table, series)[cutoff] +
           1e-12 * norn_table_target(table, series)[norn_table_rows(table, series) - 1];
}

/* Whether a value of the future is there, not what it is. */
static double whether_it_is_there(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    (void)horizon;
    return isnan(norn_table_target(table, series)[cutoff + 2]) ? 1.0 : 2.0;
}

/* A covariate that is known up to the cutoff, a row late. */
static double a_covariate_ahead(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    (void)horizon;
    return norn_table_past(table, series, 0)[cutoff + 1];
}

/* One that is known ahead, beyond the rows that are forecast. */
static double beyond_what_is_known(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    return norn_table_future(table, series, 0)[cutoff + horizon + 1];
}

static double honest_with_what_is_known(const norn_table *table, size_t series, size_t cutoff, size_t horizon)
{
    return norn_table_target(table, series)[cutoff] + norn_table_past(table, series, 0)[cutoff] +
           norn_table_future(table, series, 0)[cutoff + horizon];
}

/* Two series over the same rows, the second of which ends earlier, with covariates they share. */
static norn_table *with_covariates(void)
{
    enum { ROWS = 80, AHEAD = 8 };
    static double y[2][ROWS], x[ROWS], f[ROWS + AHEAD];
    for (size_t t = 0; t < ROWS + AHEAD; t++) {
        if (t < ROWS) {
            y[0][t] = (double)(t * 7 % 11);
            y[1][t] = t < ROWS - 10 ? (double)(t * 5 % 13) : (double)NAN;
            x[t] = 100.0 + (double)t;
        }
        f[t] = 1000.0 + (double)t;
    }
    const double *targets[] = {y[0], y[1]}, *past[] = {x}, *future[] = {f};
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_table_arrays arrays = {.rows = ROWS,
                                      .ahead = AHEAD,
                                      .targets = 2,
                                      .target = targets,
                                      .past = 1,
                                      .covariates = past,
                                      .future = 1,
                                      .known = future,
                                      .step = {NORN_STEP_INTEGER, 1}};
    assert_ok(norn_table_from(&table, &arrays, NULL, &err), &err);
    return table;
}

/* How many forecasts of a plant moved. */
static norn_moved moved_by(plant says)
{
    norn_table *table = with_covariates();
    norn_backtest_options o = plan();
    o.models = "naive";
    o.season = 1;
    norn_joint joint = {"Plant", run_plant, &says};
    norn_leak *leak = must_prove(table, &o, &joint);
    const norn_moved out = norn_leak_total(leak, 0);
    assert_string_equal(norn_leak_name(leak, 0), "Plant");
    for (size_t m = 1; m < norn_leak_count(leak); m++) /* the others are not to blame */
        assert_int_equal(norn_leak_total(leak, m).moved, 0);
    assert_int_equal(norn_leak_total(leak, norn_leak_count(leak)).moved, out.moved);
    norn_leak_free(leak);
    norn_table_free(table);
    return out;
}

static void a_planted_look_ahead_is_found(void **state)
{
    (void)state;
    static const plant plants[] = {a_row_ahead, the_end, whether_it_is_there, a_covariate_ahead,
                                   beyond_what_is_known};
    for (size_t i = 0; i < NORN_COUNT(plants); i++) {
        const norn_moved moved = moved_by(plants[i]);
        if (!moved.moved || !moved.bits) fail_msg("plant %zu went unseen", i);
    }
    assert_int_equal(moved_by(honest_with_what_is_known).moved, 0);
}

/* A forecaster of the interface that reads one value behind what it may see. */
static void peek(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                 double *work)
{
    (void)state;
    (void)work;
    for (size_t j = 0; j < setup->horizon; j++) out[j] = past.y[past.n];
}

static norn_status run_peek(void *user, const norn_folds *folds, double *out, double seconds[2],
                            const norn_host *host, norn_error *err)
{
    static const norn_forecaster kind = {.name = "Peek", .word = "peek", .text = "", .forecast = peek};
    const norn_forecaster_setup setup = {.horizon = folds->options.horizon,
                                         .season = folds->options.season,
                                         .window = folds->options.window,
                                         .rows = folds->longest};
    norn_fitted *fitted = NULL;
    (void)user;
    norn_status status = norn_fitted_new(&fitted, &kind, &setup, host, err);
    seconds[0] = seconds[1] = 0.0;
    for (size_t i = 0; i < folds->count && status == NORN_OK; i++)
        for (size_t k = 0; k < folds->options.folds; k++) {
            norn_fitted_forecast(fitted, norn_folds_past(folds, i, k), out);
            out += folds->options.horizon;
        }
    norn_fitted_free(fitted);
    return status;
}

static void a_forecaster_that_reads_a_row_too_many_is_found_where_it_happens(void **state)
{
    (void)state;
    norn_table *table = three_series();
    const norn_backtest_options o = plan();
    const norn_joint joint = {"Peek", run_peek, NULL};
    norn_leak *leak = must_prove(table, &o, &joint);
    for (size_t k = 0; k < FOLDS; k++)
        for (size_t p = 0; p < NORN_POISONS; p++) {
            const norn_moved moved = norn_leak_moved(leak, 0, k, (norn_poison)p);
            assert_int_equal(moved.moved, 3 * H); /* of that cutoff, and of none before: theirs lie earlier */
            assert_int_equal(moved.fold, k);
            assert_int_equal(moved.series, 0);
            assert_int_equal(moved.step, 0);
        }
    norn_leak_free(leak);
    norn_table_free(table);
}

/* ---- the lesson ---- */

static norn_table *random_walk(size_t rows)
{
    double *y = calloc(rows, sizeof *y);
    uint64_t x = 3;
    assert_non_null(y);
    y[0] = 1000.0;
    for (size_t t = 1; t < rows; t++) {
        double step = 0.0;
        for (int i = 0; i < 12; i++) { /* nearly normal */
            x = x * 6364136223846793005u + 1442695040888963407u;
            step += (double)(x >> 40) / 16777216.0 - 0.5;
        }
        y[t] = y[t - 1] + step;
    }
    const double *columns[] = {y};
    norn_table *table = table_of(rows, 1, columns);
    free(y);
    return table;
}

static void on_a_random_walk_a_smoother_knows_three_directions_of_four(void **state)
{
    (void)state;
    enum { ROWS = 5000, CUTOFFS = 4000 };
    norn_table *table = random_walk(ROWS), *same = random_walk(ROWS);
    norn_backtest_options o = NORN_BACKTEST_OPTIONS_INIT;
    norn_backtest *honest = NULL, *ahead = NULL;
    norn_error err = NORN_ERROR_INIT;
    o.horizon = 1;
    o.folds = CUTOFFS;
    o.step = 1;
    o.refit_every = 0;
    o.season = 1;
    o.bootstrap = 0;
    assert_ok(norn_leak_teach(&honest, &ahead, NULL, table, &o, NULL, &err), &err);
    assert_near(metric_of(honest, "Naive", NORN_METRIC_DIRECTION), 50.0, 1e-9, 0);
    /* sd of a share of 4000: 0.7 points */
    assert_near(metric_of(ahead, "Naive", NORN_METRIC_DIRECTION), 75.0, 3.0, 0);
    assert_near(metric_of(honest, "NLinear", NORN_METRIC_DIRECTION), 50.0, 4.0, 0);
    assert_true(metric_of(ahead, "NLinear", NORN_METRIC_DIRECTION) > 70.0);
    assert_memory_equal(norn_table_target(table, 0), norn_table_target(same, 0), ROWS * sizeof(double));
    norn_backtest_free(honest);
    norn_backtest_free(ahead);
    norn_table_free(table);
    norn_table_free(same);
}

static void a_failure_leaves_the_table_as_it_was(void **state)
{
    (void)state;
    norn_table *table = three_series(), *same = three_series();
    norn_cancel *cancel = NULL;
    norn_error err = NORN_ERROR_INIT;
    norn_leak *leak = NULL;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_cancel_raise(cancel);
    norn_host host = NORN_HOST_INIT;
    host.cancel = cancel;
    const norn_backtest_options o = plan();
    assert_int_equal(norn_leak_run(&leak, NULL, table, &o, &host, &err), NORN_ERR_CANCELLED);
    assert_null(leak);
    norn_backtest_options wrong = plan();
    wrong.models = "prophet";
    assert_int_equal(norn_leak_run(&leak, NULL, table, &wrong, NULL, &err), NORN_ERR_USAGE);
    for (size_t s = 0; s < 3; s++)
        assert_memory_equal(norn_table_target(table, s), norn_table_target(same, s),
                            norn_table_rows(table, s) * sizeof(double));
    norn_cancel_free(cancel);
    norn_table_free(table);
    norn_table_free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_moves_and_the_table_is_as_it_was),
        cmocka_unit_test(every_row_after_a_cutoff_is_poisoned_and_counted),
        cmocka_unit_test(a_planted_look_ahead_is_found),
        cmocka_unit_test(a_forecaster_that_reads_a_row_too_many_is_found_where_it_happens),
        cmocka_unit_test(on_a_random_walk_a_smoother_knows_three_directions_of_four),
        cmocka_unit_test(a_failure_leaves_the_table_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
