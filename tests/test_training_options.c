/*
 * Options of training, through whole forecasts: every one of them moves the result, those that say the
 * default leave its bits; losses by name make small what they name; initial parameters are what their names
 * promise.
 */
#include "forecast_support.h"

#include "nn/initial.h"

#include <math.h>

static norn_forecast_options small(void)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = 3;
    o.window = 8;
    o.season = 1;
    o.holdout = 0;
    o.hidden = 4;
    o.batch = 8;
    o.epochs = 6;
    o.steps_per_epoch = 10;
    return o;
}

/* One series, larger than 0, with a wave and some noise. */
static norn_table *waves(size_t rows, double level)
{
    norn_table *table = driven(rows, 0, 0, 0.0, 1);
    double *y = norn_table_target_mutable(table, 0);
    uint64_t seed = 9;
    for (size_t i = 0; i < rows; i++) y[i] = level + 3.0 * sin(0.7 * (double)i) + draw(&seed);
    return table;
}

typedef void (*change_fn)(norn_forecast_options *o);
#define CHANGE(name, ...)                                                                                    \
    static void name(norn_forecast_options *o)                                                               \
    {                                                                                                        \
        __VA_ARGS__;                                                                                         \
    }
CHANGE(nothing, (void)o)
CHANGE(adamw, o->optimiser = NORN_OPTIMISER_ADAMW; o->weight_decay = 0.1)
CHANGE(decay, o->weight_decay = 0.1)
CHANGE(sgd, o->optimiser = NORN_OPTIMISER_SGD)
CHANGE(momentum, o->optimiser = NORN_OPTIMISER_SGD; o->momentum = 0.9)
CHANGE(nesterov, o->optimiser = NORN_OPTIMISER_SGD; o->momentum = 0.9; o->nesterov = 1)
CHANGE(rmsprop, o->optimiser = NORN_OPTIMISER_RMSPROP)
CHANGE(rate, o->learning_rate = 0.02)
CHANGE(clip_norm, o->clip_norm = 0.01; o->optimiser = NORN_OPTIMISER_SGD)
CHANGE(clip_value, o->clip_value = 0.001; o->optimiser = NORN_OPTIMISER_SGD)
CHANGE(constant, o->schedule = NORN_RATE_CONSTANT)
CHANGE(steps, o->schedule = NORN_RATE_STEP; o->rate_every = 1)
CHANGE(gentle_steps, o->schedule = NORN_RATE_STEP; o->rate_every = 1; o->rate_factor = 0.7)
CHANGE(rare_steps, o->schedule = NORN_RATE_STEP; o->rate_every = 2)
CHANGE(exponential, o->schedule = NORN_RATE_EXPONENTIAL)
CHANGE(one_cycle, o->schedule = NORN_RATE_ONE_CYCLE)
CHANGE(warmup, o->warmup = 5)
CHANGE(mae, o->loss = NORN_LOSS_MAE)
CHANGE(huber, o->loss = NORN_LOSS_HUBER)
CHANGE(mape, o->loss = NORN_LOSS_MAPE)
CHANGE(low, o->loss = NORN_LOSS_PINBALL; o->quantile = 0.1)
CHANGE(high, o->loss = NORN_LOSS_PINBALL; o->quantile = 0.9)
CHANGE(xavier, o->init = NORN_INIT_XAVIER)
CHANGE(orthogonal, o->init = NORN_INIT_ORTHOGONAL)
CHANGE(forget, o->forget_bias = 1.0)
CHANGE(truncated, o->bptt = 2)
CHANGE(less_truncated, o->bptt = 7)

static void every_option_of_training_moves_the_forecast(void **state)
{
    static const struct {
        const char *name;
        change_fn change;
    } cases[] = {{"nothing", nothing},
                 {"adamw", adamw},
                 {"weight decay", decay},
                 {"sgd", sgd},
                 {"momentum", momentum},
                 {"nesterov", nesterov},
                 {"rmsprop", rmsprop},
                 {"rate", rate},
                 {"norm", clip_norm},
                 {"value", clip_value},
                 {"constant", constant},
                 {"step", steps},
                 {"gentle steps", gentle_steps},
                 {"rare steps", rare_steps},
                 {"exponential", exponential},
                 {"one-cycle", one_cycle},
                 {"warm-up", warmup},
                 {"mae", mae},
                 {"huber", huber},
                 {"mape", mape},
                 {"low", low},
                 {"high", high},
                 {"xavier", xavier},
                 {"orthogonal", orthogonal},
                 {"forget", forget},
                 {"truncated", truncated},
                 {"less truncated", less_truncated}};
    norn_table *table = waves(90, 10.0);
    norn_forecast *got[NORN_COUNT(cases)];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_forecast_options o = small();
        cases[i].change(&o);
        got[i] = must_run(*state, table, &o);
        for (size_t k = 0; k < i; k++)
            if (same_values(got[i], got[k], 1)) fail_msg("%s is as %s", cases[i].name, cases[k].name);
    }
    for (size_t i = 0; i < NORN_COUNT(cases); i++) norn_forecast_free(got[i]);
    norn_table_free(table);
}

CHANGE(as_told, o->cell = "lstm"; o->clip_norm = 1.0; o->learning_rate = 0.005; o->members = 1; o->bptt = 8)

static void options_that_say_the_default_leave_its_bits(void **state)
{
    norn_table *table = waves(90, 10.0);
    norn_forecast_options o = small();
    norn_forecast *a = must_run(*state, table, &o);
    as_told(&o);
    norn_forecast *b = must_run(*state, table, &o);
    assert_true(same_values(a, b, 1));
    norn_forecast_free(a);
    norn_forecast_free(b);
    norn_table_free(table);
}

/* ---- losses ----------------------------------------------------------------------------------------------
 */

/* Twelve series of noise; the mean forecast of them all. */
static double mean_forecast(norn_context *context, double (*noise)(uint64_t *seed), norn_loss loss,
                            double quantile)
{
    enum { ROWS = 150 };
    groups g = {.count = MOST_GROUPS};
    for (size_t s = 0; s < MOST_GROUPS; s++) g.rows[s] = ROWS;
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 4;
    for (size_t s = 0; s < MOST_GROUPS; s++)
        for (size_t i = 0; i < ROWS; i++) norn_table_target_mutable(table, s)[i] = noise(&seed);
    norn_forecast_options o = small();
    o.hidden = 8;
    o.batch = 32;
    o.epochs = 40;
    o.steps_per_epoch = 20;
    o.loss = loss;
    o.quantile = quantile;
    norn_forecast *forecast = must_run(context, table, &o);
    double sum = 0.0;
    for (size_t s = 0; s < MOST_GROUPS; s++)
        for (size_t j = 0; j < 3; j++) sum += norn_forecast_values(forecast, s)[j];
    norn_forecast_free(forecast);
    norn_table_free(table);
    return sum / (3.0 * MOST_GROUPS);
}

static double even(uint64_t *seed)
{
    return 100.0 + 10.0 * draw(seed); /* uniform, 90 to 110 */
}

/* Of noise around a level the best forecast of a quantile is the quantile of the noise. */
static void pinball_forecasts_the_quantile_it_is_told(void **state)
{
    const double low = mean_forecast(*state, even, NORN_LOSS_PINBALL, 0.1),
                 high = mean_forecast(*state, even, NORN_LOSS_PINBALL, 0.9);
    if (!(fabs(low - 92.0) < 2.0 && fabs(high - 108.0) < 2.0)) fail_msg("%g and %g", low, high);
}

static double of_two(uint64_t *seed)
{
    return draw(seed) < -0.3 ? 1.0 : 100.0; /* 35 of 100 are 1 */
}

/* Among values of 1 and of 100 the forecast with the least absolute error is large, that with the least
 * relative error is small. */
static void mape_forecasts_what_is_near_in_relation(void **state)
{
    const double absolute = mean_forecast(*state, of_two, NORN_LOSS_MAE, 0.0),
                 relative = mean_forecast(*state, of_two, NORN_LOSS_MAPE, 0.0);
    if (!(absolute > 70.0 && relative < 30.0)) fail_msg("%g and %g", absolute, relative);
}

static void a_truth_of_zero_has_no_relative_error(void **state)
{
    norn_table *table = waves(90, 10.0);
    norn_table_target_mutable(table, 0)[20] = 0.0;
    norn_table_target_mutable(table, 0)[40] = 1e-300;
    norn_forecast_options o = small();
    o.loss = NORN_LOSS_MAPE;
    norn_forecast *forecast = must_run(*state, table, &o);
    for (size_t j = 0; j < 3; j++) assert_true(isfinite(norn_forecast_values(forecast, 0)[j]));
    norn_forecast_free(forecast);
    norn_table_free(table);
}

/* ---- weights of rows -------------------------------------------------------------------------------------
 */

typedef double (*weigh_fn)(double y, size_t row);
static double one(double y, size_t row)
{
    (void)y;
    (void)row;
    return 1.0;
}
static double four(double y, size_t row)
{
    (void)y;
    (void)row;
    return 4.0;
}
static double nothing_early(double y, size_t row)
{
    (void)y;
    return row < 40 ? 0.0 : 2.0;
}
static double missing_early(double y, size_t row)
{
    (void)y;
    return row < 40 ? (double)NAN : 2.0;
}
static double small_ones(double y, size_t row)
{
    (void)row;
    return y < 50.0 ? 1.0 : 0.0;
}
static double none(double y, size_t row)
{
    (void)y;
    (void)row;
    return 0.0;
}
static double negative(double y, size_t row)
{
    (void)y;
    return row == 30 ? -1.0 : 1.0;
}

/* The waves, with a column of weights. */
static norn_table *weighed(weigh_fn weigh)
{
    enum { ROWS = 90 };
    const groups g = {.count = 1, .rows = {ROWS}, .past = 1};
    norn_table *table = table_of_groups(&g), *from = waves(ROWS, 10.0);
    for (size_t i = 0; i < ROWS; i++) {
        const double y = norn_table_target(from, 0)[i];
        norn_table_target_mutable(table, 0)[i] = y;
        norn_table_past_mutable(table, 0, 0)[i] = weigh(y, i);
    }
    norn_table_free(from);
    return table;
}

static norn_forecast *forecast_weighed(norn_context *context, weigh_fn weigh)
{
    norn_forecast_options o = small();
    norn_table *table = weighed(weigh);
    o.weight = "x2";
    norn_forecast *forecast = must_run(context, table, &o);
    norn_table_free(table);
    return forecast;
}

static void weights_that_are_all_the_same_change_nothing(void **state)
{
    const norn_forecast_options o = small();
    norn_table *table = waves(90, 10.0);
    norn_forecast *plain = must_run(*state, table, &o), *a = forecast_weighed(*state, one),
                  *b = forecast_weighed(*state, four), *c = forecast_weighed(*state, nothing_early),
                  *d = forecast_weighed(*state, missing_early);
    assert_true(same_values(a, plain, 1));
    assert_true(same_values(b, plain, 1));
    assert_false(same_values(c, plain, 1));
    assert_true(same_values(c, d, 1));
    norn_forecast_free(plain);
    norn_forecast_free(a);
    norn_forecast_free(b);
    norn_forecast_free(c);
    norn_forecast_free(d);
    norn_table_free(table);
}

/* Of values of 1 and of 100 only those of 1 count: the forecast is 1, though most are 100. */
static void rows_without_weight_are_not_learnt_from(void **state)
{
    enum { ROWS = 150 };
    groups g = {.count = MOST_GROUPS, .past = 1};
    for (size_t s = 0; s < MOST_GROUPS; s++) g.rows[s] = ROWS;
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 4;
    for (size_t s = 0; s < MOST_GROUPS; s++)
        for (size_t i = 0; i < ROWS; i++) {
            const double y = of_two(&seed);
            norn_table_target_mutable(table, s)[i] = y;
            norn_table_past_mutable(table, s, 0)[i] = small_ones(y, i);
        }
    norn_forecast_options o = small();
    o.hidden = 8;
    o.batch = 32;
    o.epochs = 40;
    o.steps_per_epoch = 20;
    o.loss = NORN_LOSS_MAE;
    o.weight = "x2";
    norn_forecast *forecast = must_run(*state, table, &o);
    double sum = 0.0;
    for (size_t s = 0; s < MOST_GROUPS; s++)
        for (size_t j = 0; j < 3; j++) sum += norn_forecast_values(forecast, s)[j];
    if (!(sum / (3.0 * MOST_GROUPS) < 20.0)) fail_msg("%g", sum / (3.0 * MOST_GROUPS));
    norn_forecast_free(forecast);
    norn_table_free(table);
}

static void weights_that_make_no_sense_are_refused(void **state)
{
    const struct {
        weigh_fn weigh;
        const char *name, *words;
    } cases[] = {{negative, "x2", "is -1 in row 31"}, {none, "x2", "weighs anything"}, {one, "x3", "\"x3\""}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_forecast_options o = small();
        norn_table *table = weighed(cases[i].weigh);
        norn_forecast *forecast = NULL;
        norn_error err = NORN_ERROR_INIT;
        o.weight = cases[i].name;
        assert_int_equal(norn_forecast_run(&forecast, *state, table, &o, NULL, &err), NORN_ERR_USAGE);
        if (!strstr(err.message, "--weight") || !strstr(err.message, cases[i].words))
            fail_msg("%s", err.message);
        norn_table_free(table);
    }
}

/* ---- epochs ----------------------------------------------------------------------------------------------
 */

typedef struct heard {
    norn_epoch list[64];
    size_t count;
} heard;

static void hear(void *user, const norn_epoch *epoch)
{
    heard *h = user;
    assert_true(h->count < 64);
    h->list[h->count++] = *epoch;
}

static void every_epoch_of_every_member_is_told(void **state)
{
    norn_forecast_options o = small();
    heard h = {.count = 0};
    o.members = 2;
    o.first_member = 3;
    o.holdout = -1;
    o.patience = 100;
    o.schedule = NORN_RATE_EXPONENTIAL;
    o.on_epoch = hear;
    o.epoch_user = &h;
    norn_table *table = waves(90, 10.0);
    norn_forecast *forecast = must_run(*state, table, &o);
    size_t count = 0;
    const norn_training *training = norn_forecast_training(forecast, &count);
    assert_int_equal(count, 4);
    assert_int_equal(h.count, 4 * o.epochs);
    for (size_t i = 0; i < h.count; i++) {
        const norn_epoch *e = &h.list[i];
        assert_true(e->fold < 2 && (e->member == 3 || e->member == 4));
        assert_true(e->epoch >= 1 && e->epoch <= o.epochs);
        assert_true(fabs(e->rate - 0.005 * pow(0.9, e->epoch - 1)) < 1e-12);
        assert_true(isfinite(e->gradient_norm) && e->gradient_norm > 0.0);
        const norn_training *t = &training[e->fold * 2 + e->member - 3];
        if (t->best_epoch == e->epoch) {
            assert_true(t->valid_loss == e->valid_loss);
            assert_true(t->train_loss == e->train_loss);
        }
        for (size_t k = 0; k < i; k++)
            assert_false(h.list[k].fold == e->fold && h.list[k].member == e->member &&
                         h.list[k].epoch == e->epoch);
    }
    o.on_epoch = NULL;
    norn_forecast *unheard = must_run(*state, table, &o);
    assert_true(same_values(forecast, unheard, 1));
    norn_forecast_free(forecast);
    norn_forecast_free(unheard);
    norn_table_free(table);
}

/* ---- initial parameters ----------------------------------------------------------------------------------
 */

static void orthogonal_matrices_are_orthogonal(void **state)
{
    (void)state;
    enum { H = 13 };
    double u[H * H];
    const norn_key key = norn_random_key(5, 1, NORN_PURPOSE_INITIAL);
    norn_initial_fill(NORN_INIT_ORTHOGONAL, NORN_INITIAL_RECURRENT, key, 77, H, H, H, u);
    for (size_t a = 0; a < H; a++)
        for (size_t b = 0; b < H; b++) {
            double sum = 0.0;
            for (size_t i = 0; i < H; i++) sum += u[a * H + i] * u[b * H + i];
            assert_true(fabs(sum - (a == b ? 1.0 : 0.0)) < 1e-12);
        }
}

static void initial_bounds_are_reached_and_kept(void **state)
{
    (void)state;
    enum { ROWS = 40, COLUMNS = 60 };
    double w[ROWS * COLUMNS];
    const norn_key key = norn_random_key(5, 1, NORN_PURPOSE_INITIAL);
    const struct {
        norn_init init;
        norn_initial_part part;
        double bound;
    } cases[] = {{NORN_INIT_UNIFORM, NORN_INITIAL_INPUT, 1.0 / sqrt(ROWS)},
                 {NORN_INIT_UNIFORM, NORN_INITIAL_BIAS, 1.0 / sqrt(ROWS)},
                 {NORN_INIT_XAVIER, NORN_INITIAL_INPUT, sqrt(6.0 / (ROWS + COLUMNS))},
                 {NORN_INIT_XAVIER, NORN_INITIAL_RECURRENT, sqrt(6.0 / (ROWS + COLUMNS))},
                 {NORN_INIT_ORTHOGONAL, NORN_INITIAL_INPUT, sqrt(6.0 / (ROWS + COLUMNS))},
                 {NORN_INIT_XAVIER, NORN_INITIAL_BIAS, 0.0}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        double most = 0.0, sum = 0.0;
        norn_initial_fill(cases[i].init, cases[i].part, key, 3, ROWS, COLUMNS, ROWS, w);
        for (size_t k = 0; k < ROWS * COLUMNS; k++) {
            most = fmax(most, fabs(w[k]));
            sum += w[k];
        }
        assert_true(most <= cases[i].bound && most >= 0.99 * cases[i].bound);
        assert_true(fabs(sum) <= 0.1 * cases[i].bound * ROWS * COLUMNS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orthogonal_matrices_are_orthogonal),
        cmocka_unit_test(initial_bounds_are_reached_and_kept),
        cmocka_unit_test(every_option_of_training_moves_the_forecast),
        cmocka_unit_test(options_that_say_the_default_leave_its_bits),
        cmocka_unit_test(pinball_forecasts_the_quantile_it_is_told),
        cmocka_unit_test(mape_forecasts_what_is_near_in_relation),
        cmocka_unit_test(a_truth_of_zero_has_no_relative_error),
        cmocka_unit_test(weights_that_are_all_the_same_change_nothing),
        cmocka_unit_test(rows_without_weight_are_not_learnt_from),
        cmocka_unit_test(weights_that_make_no_sense_are_refused),
        cmocka_unit_test(every_epoch_of_every_member_is_told),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
