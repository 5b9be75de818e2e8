/*
 * The network in a backtest: its folds stand beside the other models, nothing after a cutoff reaches the
 * forecast from it, in none of the ways folds can lie, and what it is asked for is what it does.
 *
 * That folds side by side have the bits of folds alone is test_folds.c's.
 */
#include "forecast_support.h"

#include "backtest_support.h"

enum { FOLDS = 3, H = 4 };

static norn_forecast_options brief(void)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.epochs = 2;
    o.steps_per_epoch = 3;
    o.batch = 8;
    o.loss = NORN_LOSS_MAE; /* the square of 1e30 is no float */
    return o;
}

static norn_backtest_options plan_of(const norn_forecast_options *network)
{
    norn_backtest_options o = NORN_BACKTEST_OPTIONS_INIT;
    o.horizon = H;
    o.folds = FOLDS;
    o.models = "lstm";
    o.window = 12;
    o.season = 1;
    o.bootstrap = 0;
    o.network = network;
    return o;
}

static norn_backtest *must_have(norn_context *context, norn_table *table,
                                const norn_backtest_options *options)
{
    norn_backtest *b = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_backtest_run(&b, context, table, options, NULL, &err), &err);
    return b;
}

static void a_network_stands_beside_the_other_models(void **state)
{
    norn_forecast_options network = brief();
    const norn_backtest_options o = plan_of(&network);
    norn_table *table = three_series();
    norn_backtest *b = must_have(*state, table, &o);
    assert_string_equal(norn_backtest_model(b, 0), "LSTM");
    assert_true(norn_backtest_model_count(b) >= 3);
    assert_int_equal(norn_backtest_unforecast(b, 0), 0);
    bool differs = false; /* from the naive forecast it corrects */
    for (size_t s = 0; s < 3; s++)
        for (size_t k = 0; k < FOLDS && norn_backtest_includes(b, s); k++) {
            const double *f = norn_backtest_forecast(b, 0, s, k);
            const double *naive = norn_backtest_forecast(b, model_called(b, "Naive"), s, k);
            for (size_t j = 0; j < H; j++) {
                assert_true(isfinite(f[j]));
                differs = differs || f[j] != naive[j];
            }
        }
    assert_true(differs);
    norn_backtest_free(b);
    norn_table_free(table);
}

/* Every value after the cutoff of a fold is replaced: the fold's forecast, and those before, stay to the bit.
 */
static void nothing_after_a_cutoff_reaches_its_forecast(void **state)
{
    const struct {
        size_t refit_every, gap, step, train_rows;
    } ways[] = {{1, 0, 0, 0}, {0, 0, 0, 0}, {2, 3, 2, 0}, {1, 0, 0, 30}};
    const double poisons[] = {1e30, (double)NAN};
    norn_forecast_options network = brief();
    for (size_t w = 0; w < NORN_COUNT(ways); w++)
        for (size_t p = 0; p < NORN_COUNT(poisons); p++)
            for (size_t fold = 0; fold < FOLDS; fold++) {
                norn_backtest_options o = plan_of(&network);
                o.refit_every = ways[w].refit_every;
                o.gap = ways[w].gap;
                o.step = ways[w].step;
                o.train_rows = ways[w].train_rows;
                norn_table *clean = three_series(), *spoilt = three_series();
                norn_backtest *a = must_have(*state, clean, &o);
                for (size_t s = 0; s < 2; s++) { /* the third is too short */
                    double *y = norn_table_target_mutable(spoilt, s);
                    for (size_t i = norn_backtest_cutoff(a, s, fold) + 1; i < norn_table_rows(spoilt, s); i++)
                        y[i] = poisons[p];
                }
                norn_backtest *b = NULL;
                norn_error err = NORN_ERROR_INIT;
                assert_ok(norn_backtest_run(&b, *state, spoilt, &o, NULL, &err), &err);
                for (size_t s = 0; s < 2; s++)
                    for (size_t k = 0; k <= fold; k++)
                        assert_memory_equal(norn_backtest_forecast(a, 0, s, k),
                                            norn_backtest_forecast(b, 0, s, k), H * sizeof(double));
                norn_backtest_free(a);
                norn_backtest_free(b);
                norn_table_free(clean);
                norn_table_free(spoilt);
            }
}

/* Windows of a launch that validates or forecasts: one of a few series, more than there are, and the default.
 */
static void the_evaluation_batch_changes_no_bit(void **state)
{
    static const size_t batches[] = {1, 3, 500};
    norn_forecast_options network = brief();
    const norn_backtest_options o = plan_of(&network);
    norn_table *table = three_series();
    norn_backtest *usual = must_have(*state, table, &o);
    for (size_t i = 0; i < NORN_COUNT(batches); i++) {
        network.eval_batch = batches[i];
        norn_backtest *other = must_have(*state, table, &o);
        for (size_t s = 0; s < 3; s++)
            for (size_t k = 0; k < FOLDS && norn_backtest_includes(usual, s); k++)
                assert_memory_equal(norn_backtest_forecast(other, 0, s, k),
                                    norn_backtest_forecast(usual, 0, s, k), H * sizeof(double));
        norn_backtest_free(other);
    }
    norn_backtest_free(usual);
    norn_table_free(table);
}

static void options_of_the_network_and_of_the_folds_are_heard(void **state)
{
    norn_forecast_options network = brief(), wider = brief();
    wider.hidden = 32;
    norn_backtest_options o = plan_of(&network);
    norn_table *table = three_series();
    norn_backtest *every = must_have(*state, table, &o);
    o.refit_every = 0;
    norn_backtest *never = must_have(*state, table, &o);
    o.refit_every = 1;
    o.network = &wider;
    norn_backtest *wide = must_have(*state, table, &o);
    const size_t bytes = H * sizeof(double);
    /* The first fold is trained either way; later ones only with a fit at every cutoff. */
    assert_memory_equal(norn_backtest_forecast(every, 0, 0, 0), norn_backtest_forecast(never, 0, 0, 0),
                        bytes);
    assert_memory_not_equal(norn_backtest_forecast(every, 0, 0, 1), norn_backtest_forecast(never, 0, 0, 1),
                            bytes);
    assert_memory_not_equal(norn_backtest_forecast(every, 0, 0, 0), norn_backtest_forecast(wide, 0, 0, 0),
                            bytes);
    norn_backtest_free(every);
    norn_backtest_free(never);
    norn_backtest_free(wide);
    norn_table_free(table);
}

static void a_network_without_a_device_is_refused(void **state)
{
    (void)state;
    const norn_backtest_options o = plan_of(NULL);
    norn_table *table = three_series();
    norn_backtest *b = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_backtest_run(&b, NULL, table, &o, NULL, &err), NORN_ERR_USAGE);
    assert_null(b);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_stands_beside_the_other_models),
        cmocka_unit_test(nothing_after_a_cutoff_reaches_its_forecast),
        cmocka_unit_test(the_evaluation_batch_changes_no_bit),
        cmocka_unit_test(options_of_the_network_and_of_the_folds_are_heard),
        cmocka_unit_test(a_network_without_a_device_is_refused),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
