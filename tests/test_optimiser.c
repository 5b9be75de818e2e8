/*
 * How parameters are moved: the double-precision rules and the schedules against PyTorch's numbers, the
 * kernels against the double-precision rules, on weights and on biases; losses and weights of targets on the
 * device against the reference.
 */
#include "device.h"

#include "nn/compare.h"
#include "nn/reference.h"
#include "nn/train.h"

#include "golden/optimiser.h"

enum { ALL = GOLDEN_STEPS * GOLDEN_EPOCHS, COUNT = GOLDEN_WEIGHTS + GOLDEN_BIASES };

/* ---- against PyTorch --------------------------------------------------------------------------------------
 */

static void the_rules_take_the_steps_of_pytorch(void **state)
{
    (void)state;
    unsigned char bias[COUNT] = {0};
    memset(bias + GOLDEN_WEIGHTS, 1, GOLDEN_BIASES);
    for (size_t c = 0; c < NORN_COUNT(golden_rules); c++) {
        const struct golden_rule *g = &golden_rules[c];
        double p[COUNT], m[COUNT] = {0}, v[COUNT] = {0};
        for (size_t i = 0; i < COUNT; i++) p[i] = g->start[i] * GOLDEN_RULE_GRID;
        for (size_t step = 0; step < ALL; step++) {
            double gradient[COUNT];
            for (size_t i = 0; i < COUNT; i++)
                gradient[i] = g->gradients[step * COUNT + i] * GOLDEN_RULE_GRID;
            if (g->max_norm > 0.0) (void)norn_reference_clip(COUNT, gradient, g->max_norm);
            norn_reference_update(&g->optimiser, g->rate, COUNT, step + 1, bias, gradient, p, m, v);
            for (size_t i = 0; i < COUNT; i++)
                assert_near_at(p[i], g->after[step * COUNT + i], 1e-12, 1e-13, i, g->name, (int)step);
        }
    }
}

static void the_schedules_give_the_rates_of_pytorch(void **state)
{
    (void)state;
    for (size_t c = 0; c < NORN_COUNT(golden_rates); c++)
        for (size_t step = 0; step < ALL; step++)
            assert_near_at(norn_rate_at(&golden_rates[c].plan, 0.25, step, GOLDEN_STEPS, GOLDEN_EPOCHS),
                           golden_rates[c].rates[step], 1e-12, 1e-15, step, golden_rates[c].name, (int)step);
}

static void every_schedule_stays_between_nothing_and_its_rate(void **state)
{
    (void)state;
    static const size_t warmups[] = {0, 1, 2, 7, 1000}, counts[] = {1, 2, 3, 40};
    for (int kind = 0; kind <= NORN_RATE_ONE_CYCLE; kind++)
        for (size_t w = 0; w < NORN_COUNT(warmups); w++)
            for (size_t s = 0; s < NORN_COUNT(counts); s++)
                for (size_t e = 0; e < NORN_COUNT(counts); e++)
                    for (size_t step = 0; step < counts[s] * counts[e]; step++) {
                        const norn_rate_plan plan = {.kind = (norn_rate_kind)kind, .warmup = warmups[w]};
                        const double rate = norn_rate_at(&plan, 0.5, step, counts[s], counts[e]);
                        assert_true(rate > 0.0 && rate <= 0.5);
                        if (step + 1 < warmups[w] && step + 1 < counts[s] * counts[e])
                            assert_true(rate < 0.5);
                    }
}

static void what_makes_no_sense_is_refused_with_its_flag(void **state)
{
    (void)state;
    static const struct {
        norn_optimiser optimiser;
        const char *flag;
    } rules[] = {
        {{.kind = (norn_optimiser_kind)4}, "--optimiser"},
        {{.decay = -1.0}, "--weight-decay"},
        {{.decay = NAN}, "--weight-decay"},
        {{.momentum = 0.5}, "--momentum"},
        {{.kind = NORN_OPTIMISER_SGD, .momentum = 1.0}, "--momentum"},
        {{.kind = NORN_OPTIMISER_RMSPROP, .alpha = 1.0}, "rmsprop"},
        {{.clip_value = -1.0}, "--clip-value"},
        {{.clip_value = INFINITY}, "--clip-value"},
        {{.kind = NORN_OPTIMISER_SGD, .nesterov = true}, "--nesterov"},
        {{.kind = NORN_OPTIMISER_RMSPROP, .momentum = 0.5, .nesterov = true}, "--nesterov"},
    };
    for (size_t i = 0; i < NORN_COUNT(rules); i++) {
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_optimiser_check(&rules[i].optimiser, &err), NORN_ERR_USAGE);
        assert_non_null(strstr(err.message, rules[i].flag));
    }
    static const norn_rate_plan rates[] = {
        {.kind = (norn_rate_kind)5}, {.factor = 1.5}, {.factor = NAN}, {.warmup = SIZE_MAX}};
    for (size_t i = 0; i < NORN_COUNT(rates); i++)
        assert_int_equal(norn_rate_check(&rates[i], NULL), NORN_ERR_USAGE);
    for (size_t i = 0; i < NORN_COUNT(golden_rules); i++)
        assert_int_equal(norn_optimiser_check(&golden_rules[i].optimiser, NULL), NORN_OK);
    for (size_t i = 0; i < NORN_COUNT(golden_rates); i++)
        assert_int_equal(norn_rate_check(&golden_rates[i].plan, NULL), NORN_OK);

    if (is_tiny()) return;
    norn_network_shape shape = {
        .inputs = 1, .hidden = 4, .layers = 1, .window = 2, .horizon = 1, .batch = 1, .members = 1};
    norn_network_comparison got;
    static const double quantiles[] = {0.0, 1.0, -0.5, NAN};
    shape.loss = NORN_LOSS_PINBALL;
    for (size_t i = 0; i < NORN_COUNT(quantiles); i++) {
        shape.quantile = quantiles[i];
        assert_int_equal(norn_compare_network(context_of(WIDE), &shape, 1, 1, &got, NULL), NORN_ERR_USAGE);
    }
}

static void names_stand_in_the_order_of_what_they_name(void **state)
{
    (void)state;
    assert_string_equal(norn_optimiser_words[NORN_OPTIMISER_ADAM], "adam");
    assert_string_equal(norn_optimiser_words[NORN_OPTIMISER_ADAMW], "adamw");
    assert_string_equal(norn_optimiser_words[NORN_OPTIMISER_SGD], "sgd");
    assert_string_equal(norn_optimiser_words[NORN_OPTIMISER_RMSPROP], "rmsprop");
    assert_null(norn_optimiser_words[NORN_OPTIMISER_RMSPROP + 1]);
    assert_string_equal(norn_rate_words[NORN_RATE_COSINE], "cosine");
    assert_string_equal(norn_rate_words[NORN_RATE_STEP], "step");
    assert_string_equal(norn_rate_words[NORN_RATE_ONE_CYCLE], "one-cycle");
    assert_null(norn_rate_words[NORN_RATE_ONE_CYCLE + 1]);
    assert_string_equal(norn_loss_words[NORN_LOSS_MSE], "mse");
    assert_string_equal(norn_loss_words[NORN_LOSS_PINBALL], "pinball");
    assert_string_equal(norn_loss_words[NORN_LOSS_MAPE], "mape");
    assert_null(norn_loss_words[NORN_LOSS_MAPE + 1]);
}

/* ---- on the device ----------------------------------------------------------------------------------------
 */

typedef struct program_case {
    norn_path path;
    unsigned mapping;
    size_t hidden, layers;
    bool losses; /* tried with each of them too */
    bool tiny;   /* for an interpreter only, see device.h */
} program_case;

/* One layer and several; padded units and none; both mappings of strips. */
static const program_case programs[] = {
    {NORN_PATH_SEQUENCE, WIDE, 16, 1, true, false},       {NORN_PATH_SEQUENCE, WIDE, 20, 3, false, false},
    {NORN_PATH_SEQUENCE, MANY_ITEMS, 70, 2, true, false}, {NORN_PATH_STAGE, WIDE, 33, 2, true, false},
    {NORN_PATH_SEQUENCE, FEW_ITEMS, 5, 2, true, true},
};

static norn_network_shape shape_of(const program_case *p)
{
    return (norn_network_shape){.inputs = 3,
                                .hidden = p->hidden,
                                .layers = p->layers,
                                .window = 5,
                                .horizon = 19,
                                .batch = 6,
                                .members = 1,
                                .clip = 0.5,
                                .path = p->path};
}

static norn_network_comparison compare(const program_case *p, const norn_network_shape *shape, uint64_t seed)
{
    norn_network_comparison got;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_compare_network(context_of(p->mapping), shape, 5, seed, &got, &err), &err);
    return got;
}

/* Three steps each. Large decays, so that a decayed bias, or a weight that is not, is far off. */
static void every_rule_moves_weights_and_biases_as_the_reference_does(void **state)
{
    (void)state;
    static const struct {
        norn_optimiser optimiser;
        double bound; /* in learning rates; Adam and RMSprop divide by the size of gradients near 0 */
    } rules[] = {
        {{.kind = NORN_OPTIMISER_ADAM}, 1e-3},
        {{.kind = NORN_OPTIMISER_ADAM, .decay = 0.5}, 1e-3},
        {{.kind = NORN_OPTIMISER_ADAMW, .decay = 10.0}, 1e-3},
        {{.kind = NORN_OPTIMISER_SGD}, 1e-4},
        {{.kind = NORN_OPTIMISER_SGD, .momentum = 0.9, .decay = 0.5}, 1e-4},
        {{.kind = NORN_OPTIMISER_SGD, .momentum = 0.9, .nesterov = true, .clip_value = 0.01}, 1e-4},
        {{.kind = NORN_OPTIMISER_RMSPROP}, 1e-2},
        {{.kind = NORN_OPTIMISER_RMSPROP, .momentum = 0.9, .alpha = 0.5, .decay = 0.5, .clip_value = 0.1},
         1e-3},
    };
    for (size_t k = 0; k < NORN_COUNT(programs); k++)
        for (size_t i = 0; i < NORN_COUNT(rules); i++) {
            if (programs[k].tiny != is_tiny()) continue;
            norn_network_shape shape = shape_of(&programs[k]);
            shape.optimiser = rules[i].optimiser;
            const norn_network_comparison got = compare(&programs[k], &shape, 21 + i);
            if (got.gradient < 1e-4 && got.update < rules[i].bound) continue;
            print_error("program %zu, rule %zu: gradient %.2e update %.2e\n", k, i, got.gradient, got.update);
            fail();
        }
}

static void every_loss_and_weight_is_that_of_the_reference(void **state)
{
    (void)state;
    static const struct {
        norn_loss loss;
        double quantile;
        bool weighted;
    } losses[] = {{NORN_LOSS_PINBALL, 0.9, false},
                  {NORN_LOSS_PINBALL, 0.1, true},
                  {NORN_LOSS_MSE, 0.0, true},
                  {NORN_LOSS_MAE, 0.0, true},
                  {NORN_LOSS_HUBER, 0.0, true}};
    for (size_t k = 0; k < NORN_COUNT(programs); k++)
        for (size_t i = 0; i < NORN_COUNT(losses); i++) {
            if (programs[k].tiny != is_tiny() || !programs[k].losses) continue;
            norn_network_shape shape = shape_of(&programs[k]);
            shape.loss = losses[i].loss;
            shape.quantile = losses[i].quantile;
            shape.weighted = losses[i].weighted;
            const norn_network_comparison got = compare(&programs[k], &shape, 31 + i);
            if (got.output < 2e-5 && got.loss < 2e-5 && got.gradient < 1e-4 && got.update < 2e-3) continue;
            print_error("program %zu, loss %zu: output %.2e loss %.2e gradient %.2e update %.2e\n", k, i,
                        got.output, got.loss, got.gradient, got.update);
            fail();
        }
}

/* ---- in a training ----------------------------------------------------------------------------------------
 */

static double wave(const void *user, size_t row)
{
    (void)user;
    return sin(0.7 * (double)row);
}

/* The last epoch's steps still stand in the network, as the kernels read them. */
static void a_training_follows_its_schedule(void **state)
{
    (void)state;
    enum { TRACK = 60, EPOCHS = 6 };
    const size_t rows[1] = {TRACK};
    const int of[1] = {0};
    const norn_span train = {0, 33}, valid = {45, 5};
    norn_context *context = context_of(is_tiny() ? FEW_ITEMS : WIDE);
    norn_series *series = NULL;
    norn_network *network = NULL;
    norn_error err = NORN_ERROR_INIT;
    const float pair[2] = {0.0f, 1.0f};
    const norn_network_shape shape = {.inputs = 1,
                                      .hidden = 5,
                                      .layers = 2,
                                      .window = 4,
                                      .horizon = 2,
                                      .batch = 10,
                                      .members = 1,
                                      .chunk = 8};
    if (is_tiny()) return;
    assert_ok(norn_series_new(&series, context, 1, 1, 1, rows, of, &err), &err);
    assert_ok(norn_series_put(series, 0, wave, NULL, &err), &err);
    assert_ok(norn_network_new(&network, context, &shape, series, &err), &err);
    assert_ok(norn_network_scale(network, 0, pair, 1, &err), &err);
    for (size_t c = 0; c < NORN_COUNT(golden_rates); c++)
        for (size_t steps = 4; steps <= 5; steps++) { /* 33 windows by 10 are 4 steps; a stream of 5 */
            norn_member member = {.identity = 1, .train = &train, .valid = &valid};
            const norn_train_plan plan = {.epochs = EPOCHS,
                                          .steps_per_epoch = steps == 4 ? 0 : steps,
                                          .patience = EPOCHS,
                                          .rate = 0.01,
                                          .schedule = golden_rates[c].plan};
            assert_ok(norn_train(network, series, &member, 1, &plan, NULL, &err), &err);
            assert_int_equal(member.training.epochs, EPOCHS);
            norn_schedule seen[5];
            assert_ok(norn_buffer_read(context, &network->schedule, 0, seen, steps * sizeof *seen, &err),
                      &err);
            for (size_t i = 0; i < steps; i++) {
                const size_t done = (EPOCHS - 1) * steps + i;
                assert_int_equal(seen[i].optimiser_step, done + 1);
                assert_true(seen[i].rate == (float)norn_rate_at(&plan.schedule, 0.01, done, steps, EPOCHS));
            }
        }
    norn_network_free(network);
    norn_series_free(series);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_taken)
    const struct CMUnitTest tests[] = {
        TEST(the_rules_take_the_steps_of_pytorch),
        TEST(the_schedules_give_the_rates_of_pytorch),
        TEST(every_schedule_stays_between_nothing_and_its_rate),
        TEST(what_makes_no_sense_is_refused_with_its_flag),
        TEST(names_stand_in_the_order_of_what_they_name),
        TEST(every_rule_moves_weights_and_biases_as_the_reference_does),
        TEST(every_loss_and_weight_is_that_of_the_reference),
        TEST(a_training_follows_its_schedule),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
