/*
 * Memory of the device: what is planned stays within a limit, a batch that has no room whole is taken in
 * pieces of its shards, members that have none beside each other in turns, and none of it changes a bit. What
 * can never fit is refused before anything is made, with the sum.
 */
#include "device.h"

#include "nn/train.h"

enum { MIB = 1 << 20, INPUTS = 2, ROWS_OF_A_TRACK = 400, HORIZON = 3, STEPS = 3 };

static double wave(const void *user, size_t row)
{
    const double *level = user;
    return *level + sin(0.7 * (double)row + *level) + 0.2 * sin(2.9 * (double)(row * row));
}

static norn_series *make_series(norn_context *context)
{
    static const size_t rows[INPUTS] = {ROWS_OF_A_TRACK, ROWS_OF_A_TRACK};
    static const int of[INPUTS] = {0, 1};
    static const double levels[INPUTS] = {3.0, 1.0};
    norn_series *series = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_series_new(&series, context, 1, INPUTS, INPUTS, rows, of, &err), &err);
    for (size_t c = 0; c < INPUTS; c++) assert_ok(norn_series_put(series, c, wave, &levels[c], &err), &err);
    return series;
}

/* What a few steps and a forecast leave, to the bit; taken. */
typedef struct result {
    size_t held, pieces, slots, parameters, rows;
    double operations; /* of a step, as a profile counts them */
    float *values, *gradient, *loss, *y;
    uint64_t planned;
} result;

/* Runs STEPS steps of one member, the last of them ragged, within so many bytes (0: all there are). */
static result run_within(norn_context *context, const norn_network_shape *wanted, uint64_t limit)
{
    static const float pairs[INPUTS][2] = {{0.0f, 1.0f}, {0.1f, 1.25f}};
    norn_error err = NORN_ERROR_INIT;
    norn_network *n = NULL;
    const uint64_t all = context->memory_limit;
    norn_series *series = make_series(context);
    const uint64_t before = context->memory_used;
    if (limit) context->memory_limit = limit;
    assert_ok(norn_network_new(&n, context, wanted, series, &err), &err);
    assert_true(context->memory_used <= context->memory_limit);
    const size_t pieces = (n->shards + n->held - 1) / n->held;
    result out = {.held = n->held,
                  .pieces = pieces,
                  .operations =
                      (double)pieces * (n->train.cost.operations + n->weight_gradient.cost.operations),
                  .slots = n->shape.slots,
                  .parameters = n->parameters,
                  .rows = n->shape.batch,
                  .planned = context->memory_used - before};
    assert_ok(norn_network_initialise(n, 0, 5, 6, &err), &err);
    assert_ok(norn_network_scale(n, 0, &pairs[0][0], INPUTS, &err), &err);
    out.loss = take_floats(STEPS * n->bp);
    for (size_t step = 0; step < STEPS; step++) {
        const size_t rows = step + 1 < STEPS ? n->shape.batch : (2 * n->shape.batch + 2) / 3;
        norn_window *windows = take(n->bp, sizeof *windows);
        for (size_t b = 0; b < n->bp; b++) /* nobody may look at those of padding */
            windows[b] = b < rows ? (norn_window){0, (int32_t)((17 * b + 5 * step) % 150)}
                                  : (norn_window){INT32_MAX / 2, INT32_MAX / 2};
        const norn_schedule plan = {.rows = (int32_t)rows,
                                    .optimiser_step = (int32_t)step + 1,
                                    .rate = 1e-2f,
                                    .c1 = (float)(1.0 / (1.0 - pow(0.9, (double)step + 1.0))),
                                    .c2 = (float)(1.0 / (1.0 - pow(0.999, (double)step + 1.0))),
                                    .factor = 1.0f / ((float)rows * HORIZON)};
        assert_ok(norn_network_train(n, series, windows, &plan, 1, 1, out.loss + step * n->bp, &err), &err);
    }
    out.values = take_floats(n->parameters);
    out.gradient = take_floats(n->parameters);
    out.y = take_floats(n->shape.batch * HORIZON);
    const size_t bytes = n->parameters * sizeof(float), member = 0;
    assert_ok(norn_buffer_read(context, &n->values, 0, out.values, bytes, &err), &err);
    assert_ok(norn_buffer_read(context, &n->gradient, 0, out.gradient, bytes, &err), &err);
    for (size_t from = 0; from < n->shape.batch; from += n->ibp) {
        const size_t rows = n->shape.batch - from < n->ibp ? n->shape.batch - from : n->ibp;
        norn_window *windows = take(n->ibp, sizeof *windows);
        float *y = take_floats(n->ibp * HORIZON);
        for (size_t b = 0; b < rows; b++) windows[b] = (norn_window){0, (int32_t)((from + b) % 150)};
        assert_ok(norn_network_infer(n, series, windows, &rows, &member, 1, NULL, y, &err), &err);
        memcpy(out.y + from * HORIZON, y, rows * HORIZON * sizeof *y);
    }
    norn_network_free(n);
    norn_series_free(series);
    norn_buffer_free(&context->gemm_scratch); /* stays from training to training */
    assert_int_equal(context->memory_used, 0);
    context->memory_limit = all;
    return out;
}

static void assert_same(const result *got, const result *want)
{
    assert_bits("loss", got->loss, want->loss, got->rows); /* of the first step, and of all after it by: */
    assert_bits("gradient", got->gradient, want->gradient, want->parameters);
    assert_bits("parameters", got->values, want->values, want->parameters);
    assert_bits("forecast", got->y, want->y, want->rows * HORIZON);
}

static norn_network_shape shape_of(size_t hidden, size_t layers, size_t window, size_t batch, double dropout)
{
    return (norn_network_shape){.inputs = INPUTS,
                                .hidden = hidden,
                                .layers = layers,
                                .window = window,
                                .horizon = HORIZON,
                                .batch = batch,
                                .members = 1,
                                .dropout = dropout,
                                .clip = 1.0};
}

/* ---- pieces of a batch ------------------------------------------------------------------------------------
 */

/* Two stages, so that gates are beside operands in memory, a learned state, a parameter used unit by unit. */
static const char pieced[] =
    "cell pieced\nstate h = learned, c\nmatrix W, U, V\nbias b\ndiagonal p\nr = sigmoid(W*x + U*h + b)\n"
    "c' = tanh(V*(r*h) + p*c) + 0.5*c\nh' = r*c'\n";

static norn_cell *cell_of(const char *formula)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&cell, formula, strlen(formula), "text", NULL, &err), &err);
    return cell;
}

/* Full shards and ragged ones, fewer shards than eight, shards of more rows than a block of the weight
 * gradient takes (384). */
static const struct {
    unsigned mapping;
    size_t hidden, layers, window, batch;
    double dropout;
    const char *cell; /* NULL: the LSTM */
    norn_path path;
    size_t bptt;
} cases[] = {
    {WIDE, 20, 3, 7, 64, 0.25, NULL, NORN_PATH_SEQUENCE, 0},
    {WIDE, 20, 3, 5, 33, 0.25, NULL, NORN_PATH_SEQUENCE, 0},
    {WIDE, 33, 2, 120, 60, 0.0, NULL, NORN_PATH_SEQUENCE, 0},
    {WIDE, 33, 2, 3, 5, 0.0, NULL, NORN_PATH_SEQUENCE, 0},
    {MANY_ITEMS, 5, 2, 9, 21, 0.5, NULL, NORN_PATH_SEQUENCE, 0},
    {NARROW, 3, 1, 200, 19, 0.0, NULL, NORN_PATH_SEQUENCE, 0},
    {HALF, 24, 2, 40, 100, 0.0, NULL, NORN_PATH_SEQUENCE, 0},
    {WIDE, 33, 2, 6, 45, 0.25, NULL, NORN_PATH_STAGE, 0},
    {FEW_ITEMS, 6, 3, 5, 33, 0.0, pieced, NORN_PATH_STAGE, 3},
};

static void a_batch_in_pieces_has_the_bits_of_a_whole_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_context *context = context_of(cases[i].mapping);
        norn_cell *cell = cases[i].cell ? cell_of(cases[i].cell) : NULL;
        norn_network_shape shape =
            shape_of(cases[i].hidden, cases[i].layers, cases[i].window, cases[i].batch, cases[i].dropout);
        shape.cell = cell;
        shape.path = cases[i].path;
        shape.bptt = cases[i].bptt;
        const result whole = run_within(context, &shape, 0);
        const uint64_t beside = context->memory_used;
        size_t held = whole.held, pieces = 0;
        assert_int_equal(beside, 0);
        /* The series lies there, too. From what the whole takes downwards until nothing is left to give up.
         */
        norn_series *series = make_series(context);
        const uint64_t with_series = context->memory_used;
        norn_series_free(series);
        for (uint64_t limit = whole.planned + with_series; held > 1; limit -= limit / 64) {
            const result part = run_within(context, &shape, limit);
            assert_true(part.held <= held);
            /* The stage path reckons with what CLBlast needs beside. */
            if (limit == whole.planned + with_series && shape.path == NORN_PATH_SEQUENCE)
                assert_int_equal(part.held, whole.held);
            if (part.held == held && pieces) continue; /* seen */
            pieces += part.held < whole.held;
            held = part.held;
            assert_same(&part, &whole);
        }
        assert_true(whole.held == 1 || pieces >= 1);
        (void)free_taken(NULL);
        norn_cell_free(cell);
    }
}

/* On a CPU whose cores are few, and whose last cache is thereby small. */
static void a_large_batch_is_taken_in_pieces_that_stay_in_the_cache(void **state)
{
    (void)state;
    norn_context *context = context_of(WIDE);
    const norn_network_shape shape = shape_of(33, 3, 150, 62, 0.0);
    const unsigned cores = context->info.compute_units;
    if (context->info.type != NORN_DEVICE_CPU) skip();
    context->info.compute_units = 1000; /* which have not two groups each, whatever is done */
    const result whole = run_within(context, &shape, 0);
    context->info.compute_units = 1;
    const result pieces = run_within(context, &shape, 0);
    context->info.compute_units = 2;
    const result fed = run_within(context, &shape, 0);
    context->info.compute_units = cores;
    assert_int_equal(whole.pieces, 1);
    assert_int_equal(whole.held, NORN_SHARDS);
    assert_true(pieces.pieces > 1 && pieces.planned < whole.planned / 2);
    assert_int_equal(fed.held, 2); /* of two groups each, four for two cores, larger than the cache or not */
    assert_same(&pieces, &whole);
    assert_same(&fed, &whole);
    assert_true(fabs(pieces.operations - whole.operations) < 1e-6 * whole.operations);
    assert_true(fabs(fed.operations - whole.operations) < 1e-6 * whole.operations);
}

/* A GPU has a gradient for each shard, a CPU one that grows. */
static void a_gradient_for_each_shard_gives_the_same_sums(void **state)
{
    (void)state;
    norn_context *context = context_of(HALF);
    const norn_network_shape shape = shape_of(24, 2, 40, 100, 0.0);
    const norn_device_type type = context->info.type;
    const result one = run_within(context, &shape, 0);
    context->info.type = NORN_DEVICE_GPU;
    const result each = run_within(context, &shape, 0);
    assert_true(each.planned > one.planned);
    assert_same(&each, &one);
    for (uint64_t limit = each.planned; each.held > 1; limit -= limit / 16) {
        const result part = run_within(context, &shape, limit);
        if (part.held == each.held) continue;
        assert_same(&part, &one);
        break;
    }
    context->info.type = type;
}

/* The order is that of the design: the sums of 8 shards, one after the other. Each shard trained as a batch
 * of its own gives its sum. */
static void sum_of_shards(norn_path path)
{
    enum { WINDOW = 9, SHARD = 4, BATCH = NORN_SHARDS * SHARD };
    static const float pairs[INPUTS][2] = {{0.0f, 1.0f}, {0.1f, 1.25f}};
    norn_context *context = context_of(WIDE);
    norn_series *series = make_series(context);
    norn_error err = NORN_ERROR_INIT;
    float *sum = NULL, *whole = NULL;
    size_t parameters = 0;
    for (size_t shard = 0; shard <= NORN_SHARDS; shard++) { /* the last time, all */
        const bool all = shard == NORN_SHARDS;
        norn_network_shape shape = shape_of(20, 1, WINDOW, all ? BATCH : SHARD, 0.0);
        shape.path = path;
        norn_network *n = NULL;
        norn_window windows[BATCH];
        float loss[BATCH];
        assert_ok(norn_network_new(&n, context, &shape, series, &err), &err);
        assert_ok(norn_network_initialise(n, 0, 5, 6, &err), &err);
        double *plain = take_doubles(norn_network_plain_size(&shape));
        dice d = {3, 0}; /* a head that is not 0, so that everything has a gradient */
        for (size_t i = 0; i < norn_network_plain_size(&shape); i++) plain[i] = 0.3 * draw(&d);
        assert_ok(norn_network_put(n, 0, plain, &err), &err);
        assert_ok(norn_network_scale(n, 0, &pairs[0][0], INPUTS, &err), &err);
        const size_t first = all ? 0 : shard * SHARD, rows = shape.batch;
        for (size_t b = 0; b < rows; b++) windows[b] = (norn_window){0, (int32_t)(7 * (first + b))};
        const norn_schedule plan = {
            .rows = (int32_t)rows, .optimiser_step = 1, .c1 = 1.0f, .c2 = 1.0f, .factor = 1.0f / BATCH};
        assert_ok(norn_network_train(n, series, windows, &plan, 1, 1, loss, &err), &err);
        parameters = n->parameters;
        float *one = take_floats(parameters);
        assert_ok(norn_buffer_read(context, &n->gradient, 0, one, parameters * sizeof *one, &err), &err);
        for (size_t i = 0; sum && !all && i < parameters; i++) sum[i] += one[i];
        if (!sum) sum = one;
        whole = one;
        norn_network_free(n);
    }
    norn_series_free(series);
    assert_bits("gradient", whole, sum, parameters);
}

static void a_gradient_is_the_sum_of_the_shards_in_their_order(void **state)
{
    (void)state;
    sum_of_shards(NORN_PATH_SEQUENCE);
    sum_of_shards(NORN_PATH_STAGE);
}

/* ---- members ----------------------------------------------------------------------------------------------
 */

static void members_that_have_no_room_together_take_turns(void **state)
{
    (void)state;
    enum { MEMBERS = 6 };
    norn_context *context = context_of(WIDE);
    const uint64_t all = context->memory_limit;
    norn_series *series = make_series(context);
    norn_network_shape shape = shape_of(20, 1, 9, 16, 0.0);
    shape.members = MEMBERS;
    norn_error err = NORN_ERROR_INIT;
    size_t last = 0, seen = 0;
    norn_network *n = NULL;
    assert_ok(norn_network_new(&n, context, &shape, series, &err), &err);
    assert_int_equal(n->shape.slots, MEMBERS);
    uint64_t limit = context->memory_used;
    norn_network_free(n);
    for (last = MEMBERS; last > 1; limit -= 1024) {
        context->memory_limit = limit;
        assert_ok(norn_network_new(&n, context, &shape, series, &err), &err);
        assert_true(n->shape.slots == last || n->shape.slots == last - 1); /* as many as there is room for */
        assert_int_equal(n->held, n->shards);                              /* and batches stay whole */
        assert_true(context->memory_used <= limit);
        seen += n->shape.slots != last;
        last = n->shape.slots;
        norn_network_free(n);
    }
    assert_int_equal(seen, MEMBERS - 1);
    context->memory_limit = all;
    norn_series_free(series);
}

/* ---- what does not fit ------------------------------------------------------------------------------------
 */

static void what_can_never_fit_is_refused_with_the_sum_before_anything_is_made(void **state)
{
    (void)state;
    norn_context *context = context_of(WIDE);
    const uint64_t all = context->memory_limit;
    norn_series *series = make_series(context);
    const uint64_t used = context->memory_used;
    const norn_network_shape shape = shape_of(20, 1, 200, 64, 0.0);
    norn_network *n = NULL;
    norn_error err = NORN_ERROR_INIT;
    uint64_t limit = (uint64_t)16 * MIB, least = 0;
    while (true) { /* the least that it can be done in, to 4 KiB */
        context->memory_limit = limit;
        if (norn_network_new(&n, context, &shape, series, &err) != NORN_OK) break;
        assert_true(context->memory_used <= limit);
        least = context->memory_used;
        norn_network_free(n);
        limit = least - 4096;
    }
    assert_int_equal(err.status, NORN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "training needs "));
    assert_non_null(strstr(err.message, "8 of 64 rows of a batch"));
    assert_non_null(strstr(err.message, "--memory-limit"));
    assert_int_equal(context->memory_used, used);
    /* The sum in the message is the sum of its parts, and what did fit just above it. */
    double total = 0.0, parts[4], left = 0.0, mine = 0.0, of = 0.0;
    assert_int_equal(
        sscanf(err.message,
               "training needs %lf MiB at least: parameters and moments %lf, gradients %lf, 8 of "
               "64 rows of a batch %lf, a forecast %lf; beside %lf in use, %lf of %lf MiB are left",
               &total, &parts[0], &parts[1], &parts[2], &parts[3], &mine, &left, &of),
        8);
    assert_true(fabs(total - parts[0] - parts[1] - parts[2] - parts[3]) < 0.26);
    assert_true(fabs(total - (double)(least - used) / MIB) < 0.06);
    context->memory_limit = all;
    norn_series_free(series);
}

static void a_buffer_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    options.memory_limit = (uint64_t)1 * MIB;
    norn_context *context = NULL;
    norn_error err = NORN_ERROR_INIT;
    norn_buffer half = {NULL, 0, NULL}, more = {NULL, 0, NULL};
    assert_ok(norn_context_new(&context, &options, NULL, &err), &err);
    assert_ok(norn_buffer_new(context, &half, MIB / 2, NULL, "half", &err), &err);
    assert_int_equal(norn_buffer_new(context, &more, MIB / 2 + 1, NULL, "the rest", &err), NORN_ERR_MEMORY);
    assert_non_null(
        strstr(err.message, "the rest would take 0.5 MiB; of 1.0 MiB of device memory 0.5 are left"));
    assert_null(more.mem);
    err = (norn_error)NORN_ERROR_INIT;
    assert_ok(norn_buffer_new(context, &more, MIB / 2, NULL, "the rest", &err), &err);
    assert_int_equal(norn_memory_left(context), 0);
    norn_buffer_free(&half);
    norn_buffer_free(&more);
    assert_int_equal(norn_memory_left(context), MIB);
    norn_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_batch_in_pieces_has_the_bits_of_a_whole_one, free_taken),
        cmocka_unit_test_teardown(a_large_batch_is_taken_in_pieces_that_stay_in_the_cache, free_taken),
        cmocka_unit_test_teardown(a_gradient_for_each_shard_gives_the_same_sums, free_taken),
        cmocka_unit_test_teardown(a_gradient_is_the_sum_of_the_shards_in_their_order, free_taken),
        cmocka_unit_test_teardown(members_that_have_no_room_together_take_turns, free_taken),
        cmocka_unit_test_teardown(what_can_never_fit_is_refused_with_the_sum_before_anything_is_made,
                                  free_taken),
        cmocka_unit_test(a_buffer_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
