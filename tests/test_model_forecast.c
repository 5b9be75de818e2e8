/*
 * Forecasts by trained models (norn/model.h): those of the training to the bit, straight and through a file;
 * known and unknown series; what a table must have, and what is said of what it has too much of.
 */
#include "counting_host.h"
#include "forecast_support.h"

#include "nn/model.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static norn_forecast_options small(void)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = 4;
    o.window = 8;
    o.season = 1;
    o.hidden = 4;
    o.batch = 8;
    o.epochs = 3;
    o.steps_per_epoch = 5;
    return o;
}

static const char *path_of(char out[256])
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(out, 256, "%s/norn_model_forecast_%ld.safetensors", folder ? folder : "/tmp",
                   (long)getpid());
    return out;
}

static norn_model *must_train(norn_context *context, norn_table *table, const norn_forecast_options *o,
                              norn_forecast **forecast)
{
    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_train(&model, forecast, context, table, o, NULL, &err), &err);
    return model;
}

static norn_forecast *must_forecast(norn_context *context, const norn_model *model, norn_table *table)
{
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_forecast(&forecast, context, model, table, NULL, &err), &err);
    return forecast;
}

static norn_model *through_a_file(const norn_model *model)
{
    char path[256];
    norn_model *read = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_write(model, path_of(path), &err), &err);
    assert_ok(norn_model_read(&read, path, NULL, &err), &err);
    (void)remove(path);
    return read;
}

/* ---- the same bits --------------------------------------------------------------------------------------
 */

static norn_table *two_targets(void)
{
    enum { ROWS = 80 };
    double columns[3][ROWS];
    const double *targets[] = {columns[0], columns[1]}, *past[] = {columns[2]};
    uint64_t seed = 3;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t c = 0; c < 3; c++)
            columns[c][i] = 1000.0 * (double)c + draw(&seed) + sin(0.5 * (double)i);
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_from_arrays(&table, ROWS, 2, targets, 1, past, NULL,
                                     (norn_step){NORN_STEP_INTEGER, 1}, NULL, &err),
              &err);
    return table;
}

/* Grows from year to year, with a season that grows along: the logarithm, a season as base, and damping. */
static norn_table *growing(void)
{
    norn_table *table = driven(96, 0, 0, 0.0, 1);
    double *y = norn_table_target_mutable(table, 0);
    uint64_t seed = 5;
    for (size_t i = 0; i < 96; i++)
        y[i] =
            exp(0.02 * (double)i) * (100.0 + 30.0 * sin(0.5235987755982988 * (double)i) + 3.0 * draw(&seed));
    return table;
}

static void a_model_forecasts_what_its_training_printed(void **state)
{
    const struct {
        const char *name;
        norn_table *table;
        size_t season;
        unsigned layers, members;
        double dropout;
    } cases[] = {{"a series", driven(90, 0, 0, 1.0, 7), 1, 1, 1, 0.0},
                 {"two layers with dropout", driven(90, 0, 0, 1.0, 7), 1, 2, 1, 0.3},
                 {"three members", driven(90, 0, 0, 1.0, 7), 1, 1, 3, 0.0},
                 {"a logarithm and a season", growing(), 12, 1, 2, 0.0},
                 {"known ahead", driven(90, 4, 1, 1.0, 7), 1, 1, 1, 0.0},
                 {"all kinds of inputs with holes", all_kinds(4, true), 1, 1, 2, 0.0},
                 {"all kinds of inputs", all_kinds(4, false), 1, 1, 1, 0.0},
                 {"two targets that share a covariate", two_targets(), 1, 1, 1, 0.0}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_forecast_options o = small();
        o.season = cases[i].season;
        o.layers = cases[i].layers;
        o.members = cases[i].members;
        o.dropout = cases[i].dropout;
        norn_table *table = cases[i].table;
        norn_forecast *printed = NULL;
        norn_model *model = must_train(*state, table, &o, &printed), *read = through_a_file(model);
        norn_forecast *straight = must_forecast(*state, model, table),
                      *filed = must_forecast(*state, read, table);
        for (size_t s = 0; s < norn_table_series_count(table); s++) {
            const double *want = norn_forecast_values(printed, s);
            assert_int_equal(norn_forecast_values(straight, s) == NULL, want == NULL);
            for (size_t j = 0; want && j < o.horizon; j++) {
                if (memcmp(&norn_forecast_values(straight, s)[j], &want[j], sizeof *want) != 0 ||
                    memcmp(&norn_forecast_values(filed, s)[j], &want[j], sizeof *want) != 0)
                    fail_msg("%s, series %zu, step %zu: %.17g, %.17g and %.17g", cases[i].name, s, j, want[j],
                             norn_forecast_values(straight, s)[j], norn_forecast_values(filed, s)[j]);
                assert_true(norn_forecast_least(filed, s)[j] == norn_forecast_least(printed, s)[j]);
            }
        }
        assert_int_equal(norn_forecast_holdout(filed), 0);
        assert_string_equal(decision(filed, "scaling"), "");
        norn_forecast_free(printed);
        norn_forecast_free(straight);
        norn_forecast_free(filed);
        norn_model_free(model);
        norn_model_free(read);
        norn_table_free(table);
    }
}

static void a_known_series_keeps_its_scaling_when_rows_are_added(void **state)
{
    norn_table *table = driven(90, 0, 0, 1.0, 7), *later = driven(140, 0, 0, 1.0, 7);
    double *y = norn_table_target_mutable(later, 0);
    for (size_t i = 100; i < 140; i++) y[i] = 1e4 * y[i]; /* what a scaling by these rows would notice */
    const norn_forecast_options o = small();
    norn_model *model = must_train(*state, table, &o, NULL);
    norn_forecast *forecast = must_forecast(*state, model, later);
    assert_string_equal(decision(forecast, "scaling"), "");
    /* the correction of a network that learnt from values of some tens stays of that size times what it saw
     */
    const norn_model_series seen = norn_model_series_of(model, 0, 0);
    assert_true(seen.scale < 20.0);
    for (size_t j = 0; j < o.horizon; j++)
        assert_true(fabs(norn_forecast_values(forecast, 0)[j] - y[139]) < 100.0 * seen.scale);
    norn_forecast_free(forecast);
    norn_model_free(model);
    norn_table_free(table);
    norn_table_free(later);
}

static void an_unknown_series_is_scaled_by_its_own_rows_and_said(void **state)
{
    norn_table *table = driven(90, 0, 0, 1.0, 7), *other = driven(60, 0, 0, 1.0, 7);
    double *y = norn_table_target_mutable(other, 0);
    for (size_t i = 0; i < 60; i++) y[i] = 1e6 + 1e5 * y[i];
    norn_text_delete(&other->host, other->ids[0]);
    other->ids[0] = norn_text_copy(&other->host, "else", 4);
    const norn_forecast_options o = small();
    norn_model *model = must_train(*state, table, &o, NULL);
    norn_forecast *forecast = must_forecast(*state, model, other);
    assert_non_null(strstr(decision(forecast, "scaling"), "\"else\""));
    for (size_t j = 0; j < o.horizon; j++)
        assert_true(fabs(norn_forecast_values(forecast, 0)[j] - 6e6) < 1.5e6); /* 50 plus or minus 5 */
    norn_forecast_free(forecast);
    norn_model_free(model);
    norn_table_free(table);
    norn_table_free(other);
}

/* ---- what a table must have ------------------------------------------------------------------------------
 */

static void must_refuse(norn_context *context, const norn_model *model, norn_table *table, const char *words)
{
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_model_forecast(&forecast, context, model, table, &host, &err);
    if (status != NORN_ERR_USAGE || !strstr(err.message, words))
        fail_msg("%s: \"%s\" without \"%s\"", norn_status_name(status), err.message, words);
    assert_null(forecast);
    assert_all_returned(&counter);
    norn_table_free(table);
}

static void a_table_that_does_not_fit_the_model_is_refused(void **state)
{
    norn_forecast_options o = small();
    norn_table *table = all_kinds(4, false);
    norn_model *model = must_train(*state, table, &o, NULL);

    groups g = {.count = 1, .rows = {7}, .ahead = {4}, .past = 1, .future = 1, .statics = 1};
    must_refuse(*state, model, table_of_groups(&g), "\"s1\" has 7 rows, and the model needs 8");
    g.rows[0] = 8;
    g.ahead[0] = 3;
    must_refuse(*state, model, table_of_groups(&g), "has 3 rows of future covariates");
    g.ahead[0] = 4;
    g.past = 0;
    must_refuse(*state, model, table_of_groups(&g), "(--past)");
    g.past = 1;
    g.statics = 0;
    must_refuse(*state, model, table_of_groups(&g), "(--static)");
    g.statics = 1;
    norn_table *months = table_of_groups(&g);
    months->step = (norn_step){NORN_STEP_MONTHS, 1};
    must_refuse(*state, model, months, "(--frequency)");
    norn_table *unknown = table_of_groups(&g);
    unknown->ids[0][0] = 'u';
    must_refuse(*state, model, unknown, "the model needs 12 to scale a series that it does not know");
    norn_table *ended = table_of_groups(&g);
    ended->ended[0] = true;
    must_refuse(*state, model, ended, "nothing to forecast");
    norn_model_free(model);
    norn_table_free(table);
}

static void a_column_the_model_does_not_know_has_no_effect(void **state)
{
    norn_table *table = driven(90, 0, 0, 1.0, 7);
    const norn_forecast_options o = small();
    norn_forecast *printed = NULL;
    norn_model *model = must_train(*state, table, &o, &printed);
    const groups g = {.count = 1, .rows = {90}, .past = 1};
    norn_table *wider = table_of_groups(&g);
    uint64_t seed = 1;
    for (size_t i = 0; i < 90; i++) {
        norn_table_target_mutable(wider, 0)[i] = norn_table_target(table, 0)[i];
        norn_table_past_mutable(wider, 0, 0)[i] = draw(&seed);
    }
    norn_forecast *forecast = must_forecast(*state, model, wider);
    assert_non_null(strstr(decision(forecast, "inputs"), "\"x2\" without effect"));
    assert_true(same_values(forecast, printed, 1));
    norn_forecast_free(forecast);
    norn_forecast_free(printed);
    norn_model_free(model);
    norn_table_free(table);
    norn_table_free(wider);
}

static void rename_past(norn_table *table, size_t past, const char *name)
{
    norn_text_delete(&table->host, table->names[1 + past]);
    table->names[1 + past] = norn_text_copy(&table->host, name, strlen(name));
}

/* Texts are columns of 0 and 1 called column=text. */
static void a_text_that_does_not_occur_is_zero(void **state)
{
    const groups two = {.count = 1, .rows = {90}, .past = 2}, one = {.count = 1, .rows = {90}, .past = 1};
    norn_table *both = table_of_groups(&two), *zeros = table_of_groups(&two), *north = table_of_groups(&one);
    uint64_t seed = 1;
    for (size_t i = 0; i < 90; i++) {
        const double y = draw(&seed);
        const bool is = draw(&seed) > 0.0;
        norn_table_target_mutable(both, 0)[i] = y + (is ? 2.0 : 0.0);
        norn_table_past_mutable(both, 0, 0)[i] = is;
        norn_table_past_mutable(both, 0, 1)[i] = !is;
        norn_table_target_mutable(zeros, 0)[i] = norn_table_target_mutable(north, 0)[i] = y;
        norn_table_past_mutable(zeros, 0, 0)[i] = norn_table_past_mutable(north, 0, 0)[i] = 1.0;
    }
    rename_past(both, 0, "shop=north");
    rename_past(both, 1, "shop=south");
    rename_past(zeros, 0, "shop=north");
    rename_past(zeros, 1, "shop=south");
    rename_past(north, 0, "shop=north");
    const norn_forecast_options o = small();
    norn_model *model = must_train(*state, both, &o, NULL);
    norn_forecast *a = must_forecast(*state, model, zeros), *b = must_forecast(*state, model, north);
    assert_true(same_values(a, b, 1));
    rename_past(north, 0, "shop");
    must_refuse(*state, model, north, "\"shop=north\"");
    norn_forecast_free(a);
    norn_forecast_free(b);
    norn_model_free(model);
    norn_table_free(both);
    norn_table_free(zeros);
}

/* ---- what is in it ---------------------------------------------------------------------------------------
 */

static void a_model_says_what_is_in_it(void **state)
{
    norn_forecast_options o = small();
    o.members = 2;
    o.loss = NORN_LOSS_HUBER;
    o.optimiser = NORN_OPTIMISER_ADAMW;
    o.learning_rate = 0.01;
    o.seed = 77;
    norn_table *table = all_kinds(4, true);
    norn_forecast *printed = NULL;
    norn_model *trained = must_train(*state, table, &o, &printed), *model = through_a_file(trained);
    const norn_model_facts facts = norn_model_facts_of(model);
    assert_string_equal(facts.cell, "lstm");
    assert_string_equal(facts.library, norn_version());
    assert_string_equal(facts.loss, "huber");
    assert_string_equal(facts.optimiser, "adamw");
    assert_int_equal(facts.hidden, 4);
    assert_int_equal(facts.layers, 1);
    assert_int_equal(facts.window, 8);
    assert_int_equal(facts.horizon, 4);
    assert_int_equal(facts.members, 2);
    assert_int_equal(facts.series, 2); /* the piece that ended is none */
    assert_int_equal(facts.parameters, norn_forecast_parameters(printed));
    assert_int_equal(facts.seed, 77);
    assert_true(facts.learning_rate == 0.01);
    assert_string_equal(norn_model_id(model, 0), "s1");
    assert_int_equal(norn_model_column_role(model, norn_model_input_of(model, 0).column), NORN_ROLE_TARGET);
    bool past = false, mask = false, ahead = false, fixed = false;
    for (size_t i = 0; i < facts.inputs; i++) {
        const norn_model_sees one = norn_model_input_of(model, i);
        past |= norn_model_column_role(model, one.column) == NORN_ROLE_PAST;
        fixed |= norn_model_column_role(model, one.column) == NORN_ROLE_STATIC;
        ahead |= one.advance == 4;
        mask |= one.mask != 0;
    }
    assert_true(past && mask && ahead && fixed);
    size_t count = 0;
    const norn_training *training = norn_forecast_training(printed, &count);
    for (size_t m = 0; m < 2; m++)
        assert_int_equal(norn_model_training(model, m)->best_epoch, training[m].best_epoch);
    assert_true(isfinite(norn_model_parameters(model, 1)[facts.parameters - 1]));
    norn_forecast_free(printed);
    norn_model_free(trained);
    norn_model_free(model);
    norn_table_free(table);
}

static void everything_is_given_back(void **state)
{
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_table *table = all_kinds(4, true);
    const norn_forecast_options o = small();
    norn_forecast *forecast = NULL;
    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_train(&model, NULL, *state, table, &o, &host, &err), &err);
    assert_ok(norn_model_forecast(&forecast, *state, model, table, &host, &err), &err);
    norn_forecast_free(forecast);
    norn_model_free(model);
    assert_all_returned(&counter);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_forecasts_what_its_training_printed),
        cmocka_unit_test(a_known_series_keeps_its_scaling_when_rows_are_added),
        cmocka_unit_test(an_unknown_series_is_scaled_by_its_own_rows_and_said),
        cmocka_unit_test(a_table_that_does_not_fit_the_model_is_refused),
        cmocka_unit_test(a_column_the_model_does_not_know_has_no_effect),
        cmocka_unit_test(a_text_that_does_not_occur_is_zero),
        cmocka_unit_test(a_model_says_what_is_in_it),
        cmocka_unit_test(everything_is_given_back),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
