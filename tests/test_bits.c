/*
 * The same bits whatever is beside a member and however often a training is interrupted (invariant 6), seen
 * at parameters and forecasts of whole trainings. What takes another process is tests/bits.sh; the same of
 * the pieces is in test_members.c, test_checkpoint.c and test_memory.c.
 */
#include "forecast_support.h"

#include "nn/model.h"

#include <stdlib.h>
#include <unistd.h>

static norn_forecast_options small(void)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = 4;
    o.window = 12;
    o.season = 1;
    o.hidden = 16;
    o.layers = 2;
    o.dropout = 0.2;
    o.batch = 24;
    o.epochs = 5;
    o.steps_per_epoch = 4;
    o.patience = 5;
    return o;
}

static norn_model *must_train(norn_context *context, norn_table *table, const norn_forecast_options *o,
                              norn_forecast **forecast)
{
    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_train(&model, forecast, context, table, o, NULL, &err), &err);
    return model;
}

static void assert_same_member(const norn_model *a, size_t m, const norn_model *b, size_t k, const char *what)
{
    const size_t p = norn_model_plain_size(a);
    if (memcmp(norn_model_parameters(a, m), norn_model_parameters(b, k), p * sizeof(float)) != 0)
        fail_msg("%s: other parameters", what);
    const norn_training *x = norn_model_training(a, m), *y = norn_model_training(b, k);
    assert_int_equal(x->best_epoch, y->best_epoch);
    assert_memory_equal(&x->valid_loss, &y->valid_loss, sizeof x->valid_loss);
    assert_int_equal(a->member[m].identity, b->member[k].identity);
}

static void member_three_of_five_is_member_three_alone(void **state)
{
    norn_table *table = driven(120, 0, 0, 1.0, 7);
    norn_forecast_options o = small();
    norn_forecast *all = NULL, *alone = NULL;
    o.members = 5;
    norn_model *five = must_train(*state, table, &o, &all);
    for (unsigned k = 0; k < 5; k++) {
        o.members = 1;
        o.first_member = k;
        norn_model *one = must_train(*state, table, &o, &alone);
        assert_same_member(five, k, one, 0, "a member alone");
        assert_memory_equal(norn_forecast_member(all, k, 0), norn_forecast_values(alone, 0),
                            o.horizon * sizeof(double));
        if (k) assert_memory_not_equal(norn_model_parameters(five, k), norn_model_parameters(five, 0), 64);
        norn_forecast_free(alone);
        norn_model_free(one);
    }
    norn_forecast_free(all);
    norn_model_free(five);
    norn_table_free(table);
}

static void five_at_once_are_five_in_turns(void **state)
{
    norn_table *table = driven(120, 0, 0, 1.0, 7);
    norn_forecast_options o = small();
    o.members = 5;
    norn_forecast *all = NULL;
    norn_model *five = must_train(*state, table, &o, &all);
    static const uint64_t limits[] = {4 << 20, 1 << 20, 700 << 10, 512 << 10};
    for (size_t i = 0; i < NORN_COUNT(limits); i++) {
        norn_context_options less = NORN_CONTEXT_OPTIONS_INIT;
        less.memory_limit = limits[i];
        norn_context *context = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_context_new(&context, &less, NULL, &err), &err);
        norn_forecast *some = NULL;
        norn_model *model = must_train(context, table, &o, &some);
        for (size_t m = 0; m < 5; m++) assert_same_member(five, m, model, m, "in turns");
        assert_true(same_values(all, some, 1));
        assert_true(same_held_back(all, some, 1, true));
        norn_forecast_free(some);
        norn_model_free(model);
        norn_context_free(context);
    }
    norn_forecast_free(all);
    norn_model_free(five);
    norn_table_free(table);
}

/* ---- inference -------------------------------------------------------------------------------------------
 */

static norn_table *many(size_t first, size_t count)
{
    groups g = {.count = count};
    for (size_t s = 0; s < count; s++) g.rows[s] = 60;
    norn_table *table = table_of_groups(&g);
    for (size_t s = 0; s < count; s++) {
        uint64_t seed = first + s;
        for (size_t i = 0; i < 60; i++) norn_table_target_mutable(table, s)[i] = 10.0 + draw(&seed);
        norn_text_delete(&table->host, table->ids[s]);
        name_column(table, &table->ids[s], 's', first + s);
    }
    return table;
}

static void a_series_is_forecast_alone_as_among_others(void **state)
{
    norn_table *table = many(0, MOST_GROUPS);
    const norn_forecast_options o = small();
    norn_forecast *trained = NULL;
    norn_model *model = must_train(*state, table, &o, &trained);
    norn_error err = NORN_ERROR_INIT;
    for (size_t s = 0; s < MOST_GROUPS; s++) {
        norn_table *one = many(s, 1);
        norn_forecast *alone = NULL;
        assert_ok(norn_model_forecast(&alone, *state, model, one, NULL, &err), &err);
        assert_memory_equal(norn_forecast_values(alone, 0), norn_forecast_values(trained, s),
                            o.horizon * sizeof(double));
        norn_forecast_free(alone);
        norn_table_free(one);
    }
    norn_forecast_free(trained);
    norn_model_free(model);
    norn_table_free(table);
}

static double value_at(const void *user, size_t row)
{
    return ((const double *)user)[row];
}

/* By the network itself: launches of 1, 7 and 64 rows. */
static void the_batch_of_inference_changes_no_bit(void **state)
{
    enum { WINDOWS = 64, ROWS = 90, T = 12, O = 4 };
    static const size_t batches[] = {64, 7, 1};
    norn_context *context = *state;
    norn_error err = NORN_ERROR_INIT;
    norn_series *series = NULL;
    const size_t rows = ROWS;
    const int of = 0;
    double values[ROWS];
    uint64_t seed = 5;
    for (size_t i = 0; i < ROWS; i++) values[i] = draw(&seed);
    assert_ok(norn_series_new(&series, context, 1, 1, 1, &rows, &of, &err), &err);
    assert_ok(norn_series_put(series, 0, value_at, values, &err), &err);
    float got[NORN_COUNT(batches)][WINDOWS * O];
    for (size_t b = 0; b < NORN_COUNT(batches); b++) {
        const norn_network_shape shape = {.inputs = 1,
                                          .hidden = 16,
                                          .layers = 2,
                                          .window = T,
                                          .horizon = O,
                                          .batch = 1,
                                          .infer_batch = batches[b],
                                          .members = 1};
        norn_network *network = NULL;
        assert_ok(norn_network_new(&network, context, &shape, series, &err), &err);
        assert_ok(norn_network_initialise(network, 0, 3, 0, &err), &err);
        const size_t plain = norn_network_plain_size(&shape);
        double *parameters = norn_new(&context->host, plain, sizeof *parameters);
        assert_non_null(parameters);
        uint64_t draws = 11;
        for (size_t i = 0; i < plain; i++) parameters[i] = 0.3 * draw(&draws);
        assert_ok(norn_network_put(network, 0, parameters, &err), &err);
        norn_delete(&context->host, parameters, plain, sizeof *parameters);
        const float pair[2] = {0.0f, 1.0f};
        assert_ok(norn_network_scale(network, 0, pair, 1, &err), &err);
        norn_window *windows = norn_new(&context->host, network->ibp, sizeof *windows);
        float *y = norn_new(&context->host, network->ibp * O, sizeof *y);
        assert_true(windows && y);
        for (size_t from = 0; from < WINDOWS; from += batches[b]) {
            const size_t count = WINDOWS - from < batches[b] ? WINDOWS - from : batches[b], member = 0;
            for (size_t i = 0; i < count; i++) windows[i] = (norn_window){0, (int32_t)(from + i)};
            assert_ok(norn_network_infer(network, series, windows, &count, &member, 1, NULL, y, &err), &err);
            memcpy(got[b] + from * O, y, count * O * sizeof *y);
        }
        norn_delete(&context->host, windows, network->ibp, sizeof *windows);
        norn_delete(&context->host, y, network->ibp * O, sizeof *y);
        norn_network_free(network);
        assert_memory_equal(got[b], got[0], sizeof got[b]);
    }
    norn_series_free(series);
}

/* ---- interruptions ---------------------------------------------------------------------------------------
 */

typedef struct stopper {
    norn_cancel *cancel;
    unsigned after, seen; /* reports, which come after each round of epochs */
} stopper;

static void count_rounds(void *user, const norn_progress *progress)
{
    stopper *s = user;
    if (strcmp(progress->stage, "train") == 0 && ++s->seen == s->after) norn_cancel_raise(s->cancel);
}

static const char *checkpoint_path(char out[256])
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(out, 256, "%s/norn_bits_%ld.ck", folder ? folder : "/tmp", (long)getpid());
    return out;
}

static void a_training_stopped_after_any_epoch_ends_with_the_same_bits(void **state)
{
    char path[256];
    norn_table *table = driven(120, 0, 0, 1.0, 7);
    norn_forecast_options o = small();
    o.members = 2;
    norn_forecast *want = NULL;
    norn_model *whole = must_train(*state, table, &o, &want);
    o.checkpoint = checkpoint_path(path);
    unsigned stopped = 0;
    for (unsigned after = 1; after <= o.epochs; after++) {
        stopper s = {.after = after};
        assert_int_equal(norn_cancel_new(&s.cancel), NORN_OK);
        norn_host host = NORN_HOST_INIT;
        host.user = &s;
        host.progress = count_rounds;
        host.cancel = s.cancel;
        norn_model *model = NULL;
        norn_error err = NORN_ERROR_INIT;
        o.resume = 0;
        o.every = after % 2 ? 0 : 1000; /* what was written in between must not matter */
        const norn_status status = norn_model_train(&model, NULL, *state, table, &o, &host, &err);
        if (status == NORN_ERR_CANCELLED) {
            assert_string_equal(err.file, path);
            assert_null(model);
            stopped++;
        } else { /* the last report comes when training is through */
            assert_ok(status, &err);
            norn_model_free(model);
        }
        norn_cancel_free(s.cancel);
        norn_forecast *got = NULL;
        o.resume = 1;
        model = must_train(*state, table, &o, &got);
        for (size_t m = 0; m < 2; m++) assert_same_member(whole, m, model, m, "gone on");
        assert_true(same_values(want, got, 1));
        assert_true(same_held_back(want, got, 1, true));
        norn_forecast_free(got);
        norn_model_free(model);
        (void)remove(path);
    }
    assert_true(stopped >= o.epochs - 1);
    norn_forecast_free(want);
    norn_model_free(whole);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_three_of_five_is_member_three_alone),
        cmocka_unit_test(five_at_once_are_five_in_turns),
        cmocka_unit_test(a_series_is_forecast_alone_as_among_others),
        cmocka_unit_test(the_batch_of_inference_changes_no_bit),
        cmocka_unit_test(a_training_stopped_after_any_epoch_ends_with_the_same_bits),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
