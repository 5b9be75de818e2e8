/*
 * Whole forecasts: nothing looks ahead, the same seed gives the same bits, what makes no sense is refused by
 * the flag's name. Series of every kind: test_kinds.c.
 *
 * Two programs of kernels serve all tests: 16 units in one layer, and in two with dropout. Called with
 * arguments, the program prints one forecast as bits; that is how it asks itself for the same with other
 * numbers of threads.
 */
#include "counting_host.h"
#include "forecast_support.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char *program; /* argv[0] */

typedef struct plan { /* a file, what it is read as, and how it is forecast */
    const char *name, *file, *target, *past;
    unsigned layers;
    double dropout;
    unsigned epochs, steps; /* 0: the default recipe */
    size_t horizon;
} plan;

static const plan plans[] = {
    {"the default recipe on months", "air_passengers.csv", NULL, NULL, 0, -1.0, 0, 0, 0},
    {"business days without a logarithm", "business_prices.csv", NULL, NULL, 0, -1.0, 0, 0, 20},
    {"a long file of three series", "shop_sales.csv", NULL, NULL, 1, 0.0, 3, 6, 0},
    {"a wide file of two targets", "hourly_load.csv", "load,temperature", NULL, 1, 0.0, 3, 6, 0},
    {"a covariate", "hourly_load.csv", "load", "temperature", 1, 0.0, 3, 6, 0},
    {"two layers with dropout", "hourly_load.csv", "load", "temperature", 2, 0.2, 2, 5, 12},
};

static norn_forecast_options options_of(const plan *p)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.layers = p->layers;
    o.hidden = 16;
    o.dropout = p->dropout;
    o.epochs = p->epochs;
    o.steps_per_epoch = p->steps;
    o.horizon = p->horizon;
    return o;
}

static norn_table *read_plan(const plan *p)
{
    const char *folder = getenv("NORN_DATASETS");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "datasets", p->file);
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.target = p->target;
    o.past = p->past;
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&table, path, &o, NULL, &err), &err);
    return table;
}

/* ---- nothing looks ahead --------------------------------------------------------------------------------
 */

static void poison_future(norn_table *table, size_t rows_kept_back, double poison)
{
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const size_t n = norn_table_rows(table, s);
        for (size_t r = n - rows_kept_back; r < n; r++) {
            norn_table_target_mutable(table, s)[r] = poison;
            for (size_t p = 0; p < norn_table_past_count(table); p++)
                norn_table_past_mutable(table, s, p)[r] = poison;
        }
    }
}

static void nothing_after_the_cutoff_reaches_a_scored_forecast(void **state)
{
    norn_context *context = *state;
    static const double poisons[] = {1e30, NAN, -1e30, 0.0};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        norn_forecast_options o = options_of(&plans[i]);
        o.loss = NORN_LOSS_MAE; /* the square of 1e30 is no float, and the member that prints would diverge */
        norn_table *clean = read_plan(&plans[i]);
        const size_t series = norn_table_series_count(clean);
        norn_forecast *want = must_run(context, clean, &o);
        const size_t h = norn_forecast_holdout(want);
        assert_true(h > 0);
        for (size_t p = 0; p < sizeof poisons / sizeof *poisons; p++) {
            norn_table *table = read_plan(&plans[i]);
            poison_future(table, h, poisons[p]);
            norn_forecast *got = must_run(context, table, &o);
            if (!same_held_back(want, got, series, true))
                fail_msg("%s, poison %g", plans[i].name, poisons[p]);
            assert_same_decisions(want, got);
            size_t members;
            const norn_training *x = norn_forecast_training(want, &members),
                                *y = norn_forecast_training(got, &members);
            assert_int_equal(members, 2);
            assert_memory_equal(&x[1].valid_loss, &y[1].valid_loss, sizeof x[1].valid_loss);
            assert_int_equal(x[1].epochs, y[1].epochs);
            /* The poison is there: the member that may see it forecasts something else. */
            assert_false(same_values(want, got, series));
            norn_forecast_free(got);
            norn_table_free(table);
        }
        norn_forecast_free(want);
        norn_table_free(clean);
    }
}

static void the_last_row_that_may_be_seen_reaches_every_forecast(void **state)
{
    norn_context *context = *state;
    const plan *p = &plans[0];
    const norn_forecast_options o = options_of(p);
    norn_table *table = read_plan(p);
    norn_forecast *before = must_run(context, table, &o);
    const size_t h = norn_forecast_holdout(before), n = norn_table_rows(table, 0);
    norn_table_target_mutable(table, 0)[n - h - 1] *= 1.5;
    norn_forecast *after = must_run(context, table, &o);
    for (size_t k = 0; k < 4; k++)
        assert_true(memcmp(norn_forecast_held_back(before, k, 0), norn_forecast_held_back(after, k, 0),
                           h * sizeof(double)) != 0);
    norn_forecast_free(before);
    norn_forecast_free(after);
    norn_table_free(table);
}

/* ---- bits that stay and bits that differ ----------------------------------------------------------------
 */

static void the_same_seed_gives_the_same_bits_and_another_gives_others(void **state)
{
    norn_context *context = *state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        norn_forecast_options o = options_of(&plans[i]);
        norn_table *table = read_plan(&plans[i]);
        const size_t series = norn_table_series_count(table);
        norn_forecast *first = must_run(context, table, &o), *again = must_run(context, table, &o);
        if (!same_held_back(first, again, series, true) || !same_values(first, again, series))
            fail_msg("%s", plans[i].name);
        norn_forecast_free(again);
        o.seed = 2;
        norn_forecast *other = must_run(context, table, &o);
        assert_false(same_held_back(first, other, series, false));
        assert_false(same_values(first, other, series));
        norn_forecast_free(first);
        norn_forecast_free(other);
        norn_table_free(table);
    }
}

/* The two members are trained as if each were alone, so where the choices agree the scored one changes
 * nothing. */
static void holding_rows_back_changes_no_bit_of_what_is_printed(void **state)
{
    norn_context *context = *state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        norn_forecast_options o = options_of(&plans[i]);
        o.window = 24; /* the default window depends on the rows that the scored member may see */
        norn_table *table = read_plan(&plans[i]);
        norn_forecast *with = must_run(context, table, &o);
        o.holdout = 0;
        norn_forecast *without = must_run(context, table, &o);
        assert_same_decisions(with, without);
        if (!same_values(with, without, norn_table_series_count(table))) fail_msg("%s", plans[i].name);

        size_t count, members;
        (void)norn_forecast_scores(without, &count);
        (void)norn_forecast_training(without, &members);
        assert_int_equal(count, 0);
        assert_int_equal(members, 1);
        assert_int_equal(norn_forecast_holdout(without), 0);
        assert_null(norn_forecast_held_back(without, 0, 0));
        norn_forecast_free(with);
        norn_forecast_free(without);
        norn_table_free(table);
    }
}

/* All numbers of a forecast as bits in hexadecimal. */
static char *bits_of(const norn_forecast *forecast, size_t series)
{
    size_t models, used = 0;
    (void)norn_forecast_scores(forecast, &models);
    const size_t h = norn_forecast_horizon(forecast), capacity = (models + 1) * series * h * 17 + 1;
    char *text = calloc(capacity, 1);
    for (size_t k = 0; text && k <= models; k++)
        for (size_t s = 0; s < series; s++)
            for (size_t i = 0; i < h; i++) {
                uint64_t bits;
                memcpy(&bits,
                       (k ? norn_forecast_held_back(forecast, k - 1, s) : norn_forecast_values(forecast, s)) +
                           i,
                       sizeof bits);
                used += (size_t)snprintf(text + used, capacity - used, "%016llx\n", (unsigned long long)bits);
            }
    return text;
}

/* What this program prints for a plan in a process of its own, whose device has so many threads. */
static char *bits_from_process(size_t index, const char *threads)
{
    static char setting[64];
    (void)snprintf(setting, sizeof setting, "POCL_MAX_PTHREAD_COUNT=%s", threads);
    size_t count = 0;
    while (environ[count]) count++;
    char **changed = calloc(count + 2, sizeof *changed);
    assert_non_null(changed);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "POCL_MAX_PTHREAD_COUNT=", 23) != 0) changed[kept++] = environ[i];
    changed[kept] = setting;

    int ends[2];
    pid_t child;
    char number[16], name[1024], *text = NULL;
    (void)snprintf(number, sizeof number, "%zu", index);
    (void)snprintf(name, sizeof name, "%s", program);
    char *const arguments[] = {name, number, NULL};
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
    assert_int_equal(posix_spawn(&child, name, &actions, NULL, arguments, changed), 0);
    (void)close(ends[1]);
    size_t used = 0;
    for (ssize_t got = 1; got > 0; used += got > 0 ? (size_t)got : 0) {
        text = realloc(text, used + 4097);
        assert_non_null(text);
        got = read(ends[0], text + used, 4096);
    }
    text[used] = '\0';
    (void)close(ends[0]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(changed);
    return text;
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    norn_context *context = *state;
    static const size_t which[] = {0, 5};
    for (size_t i = 0; i < 2; i++) {
        const plan *p = &plans[which[i]];
        const norn_forecast_options o = options_of(p);
        norn_table *table = read_plan(p);
        norn_forecast *forecast = must_run(context, table, &o);
        char *here = bits_of(forecast, 1), *one = bits_from_process(which[i], "1"),
             *two = bits_from_process(which[i], "2"), *three = bits_from_process(which[i], "3");
        assert_true(strlen(here) > 100);
        assert_string_equal(one, two);
        assert_string_equal(one, three);
        assert_string_equal(one, here);
        free(here);
        free(one);
        free(two);
        free(three);
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
}

/* The other half of bits_from_process. */
static int print_bits(const char *number)
{
    const plan *p = &plans[strtoul(number, NULL, 10) % (sizeof plans / sizeof *plans)];
    norn_context *context = NULL;
    norn_error err = NORN_ERROR_INIT;
    if (norn_context_new(&context, NULL, NULL, &err) != NORN_OK) return 1;
    const norn_forecast_options o = options_of(p);
    norn_table *table = read_plan(p);
    norn_forecast *forecast = must_run(context, table, &o);
    char *text = bits_of(forecast, norn_table_series_count(table));
    const bool written = text && fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    free(text);
    norn_forecast_free(forecast);
    norn_table_free(table);
    norn_context_free(context);
    return written ? 0 : 1;
}

/* ---- what is refused ------------------------------------------------------------------------------------
 */

static void what_makes_no_sense_is_refused_by_the_name_of_its_flag(void **state)
{
    norn_context *context = *state;
    norn_table *table = read_plan(&plans[0]); /* 144 rows */
    static const struct {
        const char *flag;
        norn_forecast_options o;
    } cases[] = {
#define WITH(...) {.size = sizeof(norn_forecast_options), __VA_ARGS__}
        {"--horizon", WITH(.horizon = 144)},
        {"--horizon", WITH(.horizon = 72)},
        {"--holdout 0", WITH(.horizon = 72, .holdout = -1)},
        {"--horizon", WITH(.horizon = 100)},
        {"--horizon", WITH(.horizon = SIZE_MAX, .holdout = -1)},
        {"--horizon", WITH(.horizon = SIZE_MAX / 2 + 1, .holdout = -1)},
        {"--window", WITH(.window = 144)},
        {"--window", WITH(.window = 132, .holdout = -1)},
        {"--window", WITH(.window = 110, .holdout = -1)},
        {"--window", WITH(.window = SIZE_MAX)},
        {"--window", WITH(.window = SIZE_MAX - 25, .holdout = -1)},
        {"--season", WITH(.season = 144)},
        {"--season", WITH(.season = 135, .horizon = 12, .holdout = -1)},
        {"--season", WITH(.season = SIZE_MAX)},
        {"--season", WITH(.season = SIZE_MAX, .horizon = 12, .holdout = -1)},
        {"--holdout", WITH(.holdout = 5)},
        {"--holdout", WITH(.holdout = -2)},
        {"--holdout", WITH(.holdout = INT64_MAX)},
        {"--layers", WITH(.layers = 65)},
        {"--hidden", WITH(.hidden = 70000)},
        {"--batch", WITH(.batch = 2000000)},
        {"--dropout", WITH(.dropout = 1.0)},
        {"--dropout", WITH(.dropout = NAN)},
        {"--lr", WITH(.learning_rate = -1.0)},
        {"--lr", WITH(.learning_rate = NAN)},
        {"--lr", WITH(.learning_rate = INFINITY)},
        {"--loss", WITH(.loss = (norn_loss)5)},
        {"--quantile", WITH(.loss = NORN_LOSS_PINBALL, .quantile = 1.0)},
        {"--quantile", WITH(.loss = NORN_LOSS_PINBALL, .quantile = NAN)},
        {"--loss pinball", WITH(.loss = NORN_LOSS_MAE, .quantile = 0.5)},
        {"--optimiser", WITH(.optimiser = (norn_optimiser_kind)4)},
        {"--optimiser sgd", WITH(.momentum = 0.5)},
        {"--momentum", WITH(.optimiser = NORN_OPTIMISER_SGD, .momentum = 1.0)},
        {"--nesterov", WITH(.optimiser = NORN_OPTIMISER_SGD, .nesterov = 1)},
        {"--weight-decay", WITH(.weight_decay = -1.0)},
        {"--clip-norm", WITH(.clip_norm = NAN)},
        {"--clip-value", WITH(.clip_value = -1.0)},
        {"--schedule", WITH(.schedule = (norn_rate_kind)5)},
        {"--rate-factor", WITH(.schedule = NORN_RATE_STEP, .rate_factor = 1.5)},
        {"--rate-factor", WITH(.rate_factor = 0.5)},
        {"--rate-every", WITH(.schedule = NORN_RATE_EXPONENTIAL, .rate_every = 2)},
        {"--init", WITH(.init = (norn_init)3)},
        {"--forget-bias", WITH(.forget_bias = NAN)},
        {"--cell", WITH(.cell = "no_such_cell")},
        {"--time-limit", WITH(.time_limit = -1.0)},
        {"--time-limit", WITH(.time_limit = NAN)},
        {"--epochs", WITH(.epochs = 2000000)},
        {"--steps-per-epoch", WITH(.steps_per_epoch = 200000000)},
#undef WITH
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_forecast *forecast = NULL;
        const norn_status status = norn_forecast_run(&forecast, context, table, &cases[i].o, &host, &err);
        if (status != NORN_ERR_USAGE || err.status != status || !strstr(err.message, cases[i].flag))
            fail_msg("case %zu, %s: %s \"%s\"", i, cases[i].flag, norn_status_name(status), err.message);
        assert_null(forecast);
        assert_all_returned(&counter);
    }
    norn_table_free(table);
}

static void a_network_beyond_the_device_is_refused_with_its_size(void **state)
{
    norn_context *context = *state;
    norn_table *table = read_plan(&plans[0]);
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    o.hidden = 1008;
    o.batch = 8192;
    o.layers = 64;
    assert_int_equal(norn_forecast_run(&forecast, context, table, &o, NULL, &err), NORN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "MiB"));
    assert_non_null(strstr(err.message, "--batch"));
    err = (norn_error)NORN_ERROR_INIT;
    o.batch = 1 << 19;
    assert_int_equal(norn_forecast_run(&forecast, context, table, &o, NULL, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "2^31"));
    assert_null(forecast);
    norn_table_free(table);
}

static void training_that_diverges_is_an_error_of_its_own(void **state)
{
    norn_context *context = *state;
    norn_forecast_options o = options_of(&plans[1]);
    norn_table *table = read_plan(&plans[1]);
    poison_future(table, 20, 1e30);
    norn_forecast *forecast = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_forecast_run(&forecast, context, table, &o, NULL, &err), NORN_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "diverged"));
    assert_non_null(strstr(err.message, "--lr"));
    assert_null(forecast);
    norn_table_free(table);
}

/* ---- the host's services --------------------------------------------------------------------------------
 */

typedef struct stopper {
    counting_host counter; /* first: the same user serves both callbacks */
    norn_cancel *cancel;
    size_t calls, stop_at;
} stopper;

static void stop(void *user, const norn_progress *progress)
{
    stopper *s = user;
    assert_string_equal(progress->stage, "train");
    if (++s->calls == s->stop_at) norn_cancel_raise(s->cancel);
}

static void a_cancelled_forecast_ends_at_once_and_leaves_nothing(void **state)
{
    norn_context *context = *state;
    norn_table *table = read_plan(&plans[0]);
    const norn_forecast_options o = options_of(&plans[0]);
    for (size_t stop_at = 0; stop_at <= 6; stop_at += 3) {
        stopper s = {.stop_at = stop_at};
        assert_int_equal(norn_cancel_new(&s.cancel), NORN_OK);
        if (stop_at == 0) norn_cancel_raise(s.cancel);
        norn_host host = counting_host_of(&s.counter);
        host.user = &s;
        host.progress = stop;
        host.cancel = s.cancel;
        norn_error err = NORN_ERROR_INIT;
        norn_forecast *forecast = NULL;
        assert_int_equal(norn_forecast_run(&forecast, context, table, &o, &host, &err), NORN_ERR_CANCELLED);
        assert_int_equal(err.status, NORN_ERR_CANCELLED);
        assert_int_equal(s.calls, stop_at);
        assert_null(forecast);
        assert_all_returned(&s.counter);
        norn_cancel_free(s.cancel);
    }
    norn_table_free(table);
}

/* A table of two targets with covariates of all kinds and holes, a context, a forecast: everything, with a
 * host that counts. */
static norn_status everything(const norn_host *host, norn_error *err)
{
    enum { N = 60, H = 5 };
    double columns[5][N + H];
    uint64_t seed = 9;
    for (size_t c = 0; c < 5; c++)
        for (size_t r = 0; r < N + H; r++) columns[c][r] = c && r % 10 == c ? NAN : draw(&seed) + (double)r;
    const double *const targets[] = {columns[0], columns[1]}, *const covariates[] = {columns[2], columns[3]},
                        *const known[] = {columns[4]};
    const double fixed[] = {3.0};
    const norn_table_arrays arrays = {.rows = N,
                                      .ahead = H,
                                      .targets = 2,
                                      .past = 2,
                                      .future = 1,
                                      .statics = 1,
                                      .target = targets,
                                      .covariates = covariates,
                                      .known = known,
                                      .fixed = fixed,
                                      .step = {NORN_STEP_INTEGER, 1}};
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = H;
    o.epochs = 1;
    o.steps_per_epoch = 1;
    o.batch = 4;
    o.hidden = 16;
    norn_table *table = NULL;
    norn_context *context = NULL;
    norn_forecast *forecast = NULL;
    norn_status status = norn_table_from(&table, &arrays, host, err);
    if (status == NORN_OK) status = norn_context_new(&context, NULL, host, err);
    if (status == NORN_OK) status = norn_forecast_run(&forecast, context, table, &o, host, err);
    if (status == NORN_OK) assert_true(isfinite(norn_forecast_values(forecast, 1)[4]));
    norn_forecast_free(forecast);
    norn_context_free(context);
    norn_table_free(table);
    return status;
}

static void every_failing_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    size_t point = 1;
    for (bool reached = true; reached; point++) {
        counting_host counter = {.fail_at = point};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = everything(&host, &err);
        reached = counter.asked >= point;
        if (status != (reached ? NORN_ERR_MEMORY : NORN_OK) || err.status != status)
            fail_msg("allocation %zu failed: %s \"%s\"", point, norn_status_name(status), err.message);
        assert_all_returned(&counter);
    }
    assert_true(point > 40);
}

static void a_consumed_covariate_gives_the_same_bits_and_is_missed_next_time(void **state)
{
    norn_context *context = *state;
    norn_forecast_options o = options_of(&plans[4]);
    norn_table *kept = read_plan(&plans[4]), *consumed = read_plan(&plans[4]);
    norn_forecast *a = must_run(context, kept, &o);
    assert_non_null(norn_table_past(kept, 0, 0));
    o.consume_past = 1;
    norn_forecast *b = must_run(context, consumed, &o);
    assert_null(norn_table_past(consumed, 0, 0));
    assert_true(same_held_back(a, b, 1, true) && same_values(a, b, 1));
    norn_error err = NORN_ERROR_INIT;
    norn_forecast *again = NULL;
    assert_int_equal(norn_forecast_run(&again, context, consumed, &o, NULL, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "temperature"));
    norn_forecast_free(a);
    norn_forecast_free(b);
    norn_table_free(kept);
    norn_table_free(consumed);
}

static void scores_are_those_of_the_forecasts_held_back(void **state)
{
    norn_context *context = *state;
    norn_table *table = read_plan(&plans[2]); /* three series, season 7 */
    const norn_forecast_options o = options_of(&plans[2]);
    norn_forecast *forecast = must_run(context, table, &o);
    static const char *const models[] = {"LSTM", "Naive", "SeasonalNaive", "Linear"};
    size_t count;
    const norn_score *scores = norn_forecast_scores(forecast, &count);
    assert_int_equal(count, 4);
    assert_null(norn_forecast_held_back(forecast, 4, 0));
    const size_t h = norn_forecast_holdout(forecast), series = norn_table_series_count(table);
    for (size_t k = 0; k < 4; k++) {
        double absolute = 0.0, squared = 0.0, percent = 0.0, scaled = 0.0;
        for (size_t s = 0; s < series; s++) {
            const double *y = norn_table_target(table, s), *f = norn_forecast_held_back(forecast, k, s);
            const size_t n = norn_table_rows(table, s) - h;
            double scale = 0.0, mine = 0.0;
            for (size_t t = 7; t < n; t++) scale += fabs(y[t] - y[t - 7]) / (double)(n - 7);
            for (size_t i = 0; i < h; i++) {
                const double e = y[n + i] - f[i];
                mine += fabs(e);
                squared += e * e;
                percent += 100.0 * fabs(e / y[n + i]);
                if (k == 1) assert_true(f[i] == y[n - 1]);
                if (k == 2) assert_true(f[i] == y[n - 7 + i % 7]);
            }
            absolute += mine;
            scaled += mine / (double)h / scale;
        }
        const double rows = (double)(series * h);
        assert_string_equal(scores[k].model, models[k]);
        assert_int_equal(scores[k].rows, series * h);
        assert_near(scores[k].mae, absolute / rows, 1e-12, 0.0);
        assert_near(scores[k].rmse, sqrt(squared / rows), 1e-12, 0.0);
        assert_near(scores[k].mape, percent / rows, 1e-12, 0.0);
        assert_near(scores[k].mase, scaled / (double)series, 1e-12, 0.0);
    }
    assert_string_equal(norn_forecast_model(forecast), "LSTM");
    norn_forecast_free(forecast);
    norn_table_free(table);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1) return print_bits(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_after_the_cutoff_reaches_a_scored_forecast),
        cmocka_unit_test(the_last_row_that_may_be_seen_reaches_every_forecast),
        cmocka_unit_test(the_same_seed_gives_the_same_bits_and_another_gives_others),
        cmocka_unit_test(holding_rows_back_changes_no_bit_of_what_is_printed),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_the_name_of_its_flag),
        cmocka_unit_test(a_network_beyond_the_device_is_refused_with_its_size),
        cmocka_unit_test(training_that_diverges_is_an_error_of_its_own),
        cmocka_unit_test(a_cancelled_forecast_ends_at_once_and_leaves_nothing),
        cmocka_unit_test(every_failing_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(a_consumed_covariate_gives_the_same_bits_and_is_missed_next_time),
        cmocka_unit_test(scores_are_those_of_the_forecasts_held_back),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
