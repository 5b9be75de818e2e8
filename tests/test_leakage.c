/*
 * Nothing looks ahead. For every way of laying folds, every value after a cutoff is replaced by 1e30 and by
 * NaN: forecasts made at that cutoff and before, and what their metrics know, stay the same to the bit. The
 * proof is itself tested with forecasters that cheat in the ways backtests are known to: each must be caught.
 * No OpenCL here.
 */
#include "backtest_support.h"

static const struct plan {
    size_t step, gap, train_rows, refit_every, season;
    norn_compat compat;
} plans[] = {
    {0, 0, 0, 1, 12, NORN_COMPAT_NORN},  {1, 0, 0, 1, 12, NORN_COMPAT_NIXTLA},
    {3, 2, 0, 1, 12, NORN_COMPAT_DARTS}, {6, 0, 25, 1, 12, NORN_COMPAT_GLUONTS},
    {2, 1, 30, 1, 5, NORN_COMPAT_NORN},  {4, 0, 0, 2, 12, NORN_COMPAT_NORN},
    {5, 1, 20, 0, 7, NORN_COMPAT_NORN},  {2, 0, 0, 0, 1, NORN_COMPAT_DARTS},
};
static const double poisons[] = {1e30, NAN};

enum { FOLDS = 4, H = 6, SERIES = 3 };

/* The three series, some rows of them missing: a filling must take earlier rows. */
static norn_table *with_holes(void)
{
    norn_table *table = three_series();
    for (size_t s = 0; s < SERIES; s++) {
        const size_t n = norn_table_rows(table, s);
        for (size_t back = 3; back < n - 1; back += 5)
            norn_table_target_mutable(table, s)[n - 1 - back] = NAN;
    }
    return table;
}

static norn_backtest *run_plan(const norn_table *table, const struct plan *plan, const norn_joint *joint)
{
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = H;
    options.folds = FOLDS;
    options.window = 9;
    options.models = "all";
    options.bootstrap = 0;
    options.step = plan->step;
    options.gap = plan->gap;
    options.train_rows = plan->train_rows;
    options.refit_every = plan->refit_every;
    options.season = plan->season;
    options.compat = plan->compat;
    return must_backtest(table, &options, joint, joint ? 1 : 0);
}

/* The first model that a poisoned future moves, "the metrics" where it moves what they know, or NULL. */
static const char *moved_by(const struct plan *plan, bool holes, double poison, const norn_joint *joint)
{
    norn_table *table = holes ? with_holes() : three_series();
    norn_backtest *clean = run_plan(table, plan, joint);
    static char name[64]; /* it outlives the backtest */
    const char *moved = NULL;
    for (size_t k = 0; k < FOLDS && !moved; k++) {
        norn_table *poisoned = holes ? with_holes() : three_series();
        for (size_t s = 0; s < SERIES; s++)
            for (size_t t = norn_backtest_cutoff(clean, s, k) + 1; t < norn_table_rows(table, s); t++)
                if (norn_backtest_includes(clean, s)) norn_table_target_mutable(poisoned, s)[t] = poison;
        norn_backtest *other = run_plan(poisoned, plan, joint);
        assert_int_equal(norn_backtest_model_count(other), norn_backtest_model_count(clean));
        for (size_t i = 0; i < clean->folds.count && !moved; i++)
            for (size_t j = 0; j <= k && !moved; j++) {
                for (size_t m = 0; m < norn_backtest_model_count(clean) && !moved; m++) {
                    const size_t s = clean->folds.series[i];
                    const double *x = norn_backtest_forecast(clean, m, s, j);
                    const double *y = norn_backtest_forecast(other, m, s, j);
                    if (memcmp(x, y, H * sizeof *x) == 0) continue;
                    (void)snprintf(name, sizeof name, "%s", norn_backtest_model(clean, m));
                    moved = name;
                }
                if (!moved && memcmp(&clean->known[i * FOLDS + j], &other->known[i * FOLDS + j],
                                     sizeof *clean->known) != 0)
                    moved = "the metrics";
            }
        norn_backtest_free(other);
        norn_table_free(poisoned);
    }
    norn_backtest_free(clean);
    norn_table_free(table);
    return moved;
}

static void a_poisoned_future_moves_no_forecast_and_no_scale(void **state)
{
    (void)state;
    for (size_t p = 0; p < NORN_COUNT(plans); p++)
        for (size_t q = 0; q < NORN_COUNT(poisons); q++)
            for (int holes = 0; holes < 2; holes++) {
                const char *moved = moved_by(&plans[p], holes, poisons[q], NULL);
                if (moved) fail_msg("%s moved in plan %zu with %g", moved, p, poisons[q]);
            }
}

/* ---- cheats ---------------------------------------------------------------------------------------------
 */

/* What a cheat says of one series at one cutoff; it is given the whole series. */
typedef double (*cheat)(const double *y, size_t rows, size_t cutoff);

typedef struct cheater {
    cheat says;
} cheater;

static norn_status run_cheat(void *user, const norn_folds *folds, double *out, double seconds[2],
                             const norn_host *host, norn_error *err)
{
    const cheater *by = user;
    (void)host;
    (void)err;
    seconds[0] = seconds[1] = 0.0;
    for (size_t i = 0; i < folds->count; i++) {
        const size_t s = folds->series[i], rows = norn_table_rows(folds->table, s);
        for (size_t k = 0; k < folds->options.folds; k++)
            for (size_t j = 0; j < folds->options.horizon; j++)
                *out++ = by->says(norn_table_target(folds->table, s), rows, norn_folds_cutoff(folds, i, k));
    }
    return NORN_OK;
}

static double last_until(const double *y, size_t row)
{
    while (row > 0 && !isfinite(y[row])) row--;
    return y[row];
}

static double honest(const double *y, size_t rows, size_t cutoff)
{
    (void)rows;
    return last_until(y, cutoff);
}

/* A fold that is a row off. */
static double shifted(const double *y, size_t rows, size_t cutoff)
{
    (void)rows;
    return last_until(y, cutoff + 1);
}

/* A scaler fitted on all rows: a forecast that leans to their mean. */
static double scaled(const double *y, size_t rows, size_t cutoff)
{
    double sum = 0.0, count = 0.0;
    for (size_t t = 0; t < rows; t++)
        if (isfinite(y[t])) {
            sum += y[t];
            count += 1.0;
        }
    const double mean = sum / count;
    return 0.9 * (last_until(y, cutoff) - mean) + mean;
}

/* A missing value that is filled with the next one. */
static double filled_from_behind(const double *y, size_t rows, size_t cutoff)
{
    while (cutoff + 1 < rows && !isfinite(y[cutoff])) cutoff++;
    return last_until(y, cutoff);
}

/* A choice made by looking at how the folds come out. */
static double chosen_by_the_end(const double *y, size_t rows, size_t cutoff)
{
    const bool rises = last_until(y, rows - 1) > last_until(y, rows / 2);
    return last_until(y, cutoff) + (rises ? 1.0 : -1.0);
}

/* A smoother that is not causal in front. */
static double smoothed(const double *y, size_t rows, size_t cutoff)
{
    (void)rows;
    return (last_until(y, cutoff - 1) + last_until(y, cutoff) + last_until(y, cutoff + 1)) / 3.0;
}

/* Whether any plan and poison catches it. */
static bool is_caught(cheat says)
{
    cheater by = {says};
    const norn_joint joint = {"Cheat", run_cheat, &by};
    for (size_t p = 0; p < NORN_COUNT(plans); p++)
        for (size_t q = 0; q < NORN_COUNT(poisons); q++) {
            const char *moved = moved_by(&plans[p], true, poisons[q], &joint);
            if (!moved) continue;
            assert_string_equal(moved, "Cheat");
            return true;
        }
    return false;
}

static void forecasters_that_look_ahead_are_caught(void **state)
{
    (void)state;
    static const cheat cheats[] = {shifted, scaled, filled_from_behind, chosen_by_the_end, smoothed};
    for (size_t i = 0; i < NORN_COUNT(cheats); i++)
        if (!is_caught(cheats[i])) fail_msg("cheat %zu went unseen", i);
    assert_false(is_caught(honest));
}

/* ---- the gap, the rows scored ---------------------------------------------------------------------------
 */

/* Drift's steps are what its fit found. */
static void the_gap_has_no_part_in_a_fit(void **state)
{
    (void)state;
    const struct plan gap = {3, 4, 0, 1, 1, NORN_COMPAT_NORN};
    double slopes[3];
    for (size_t i = 0; i < 3; i++) {
        norn_table *table = three_series();
        const size_t cutoff = norn_table_rows(table, 0) - 1 - H; /* of the last fold */
        double *y = norn_table_target_mutable(table, 0);
        if (i == 1)
            for (size_t t = cutoff - 3; t <= cutoff; t++) y[t] = 5.0; /* the gap */
        if (i == 2) y[cutoff - 4] = 5.0;                              /* the last row of the fit */
        norn_backtest *backtest = run_plan(table, &gap, NULL);
        const double *f = norn_backtest_forecast(backtest, model_called(backtest, "Drift"), 0, FOLDS - 1);
        slopes[i] = (f[5] - f[0]) / 5.0;
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
    assert_near(slopes[1], slopes[0], 1e-12, 0);
    assert_true(fabs(slopes[2] - slopes[0]) > 1e-3);
}

/* What a loader that drops its last batch does: the last series' last fold has no forecast. */
static norn_status drop_the_last(void *user, const norn_folds *folds, double *out, double seconds[2],
                                 const norn_host *host, norn_error *err)
{
    const size_t h = folds->options.horizon, all = folds->count * folds->options.folds * h;
    (void)user;
    (void)host;
    (void)err;
    seconds[0] = seconds[1] = 0.0;
    for (size_t i = 0; i < all; i++) out[i] = i < all - h ? 1.0 : NAN;
    return NORN_OK;
}

static void a_dropped_last_batch_is_seen_in_the_rows(void **state)
{
    (void)state;
    norn_table *table = three_series();
    const norn_joint joint = {"Drops", drop_the_last, NULL};
    norn_backtest *backtest = run_plan(table, &plans[0], &joint);
    const uint64_t scored = norn_backtest_rows(backtest);
    assert_int_equal(scored, (SERIES - norn_backtest_skipped(backtest)) * FOLDS * H);
    assert_int_equal(norn_backtest_unforecast(backtest, 0), H);
    for (size_t m = 1; m < norn_backtest_model_count(backtest); m++)
        assert_int_equal(norn_backtest_unforecast(backtest, m), 0);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poisoned_future_moves_no_forecast_and_no_scale),
        cmocka_unit_test(forecasters_that_look_ahead_are_caught),
        cmocka_unit_test(the_gap_has_no_part_in_a_fit),
        cmocka_unit_test(a_dropped_last_batch_is_seen_in_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
