/*
 * One candidate, compared with the reference and timed.
 *
 * Machines swing by two within minutes, so a time by itself says nothing: steps of the candidate and of what
 * it is measured beside take turns, a few hundredths of a second each, and the median of the rounds' ratios
 * is what counts. Both have had their first step before, in which a driver compiles.
 */
#include "compute/tuning.h"
#include "nn/compare.h"
#include "nn/reference.h"
#include "norn/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 256, LEAST_ROUNDS = 5, MOST_STEPS = 64, ROWS = 4096, MOST_INPUTS = 32 };

static const double turn = 0.03; /* seconds */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

/* What is timed: `work` does so many units of one side, waited for. */
typedef struct pair {
    norn_status (*work)(void *side, size_t units, norn_error *err);
    void *sides[2]; /* the candidate, and what it is beside */
    const norn_host *host;
    double seconds; /* at least, together */
} pair;

static norn_status time_pair(const pair *p, norn_tune_result *out, norn_error *err)
{
    double ratios[MOST_ROUNDS], times[2][MOST_ROUNDS];
    size_t units[2] = {1, 1}, rounds = 0;
    const double begin = norn_seconds();
    while (rounds < MOST_ROUNDS && (rounds < LEAST_ROUNDS || norn_seconds() - begin < p->seconds)) {
        for (int side = 0; side < 2; side++) {
            if (norn_is_cancelled(p->host)) return norn_fail_cancelled(err);
            const double from = norn_seconds();
            const norn_status status = p->work(p->sides[side], units[side], err);
            if (status != NORN_OK) return status;
            times[side][rounds] = (norn_seconds() - from) / (double)units[side];
            if (rounds == 0) { /* how many make a turn */
                const double wanted = turn / fmax(times[side][0], 1e-9);
                units[side] = wanted < 1.0 ? 1 : wanted > MOST_STEPS ? MOST_STEPS : (size_t)wanted;
            }
        }
        ratios[rounds] = times[0][rounds] / fmax(times[1][rounds], 1e-12);
        rounds++;
    }
    out->seconds = median(times[0], rounds);
    out->beside = median(times[1], rounds);
    out->ratio = median(ratios, rounds);
    return NORN_OK;
}

/* ---- training steps --------------------------------------------------------------------------------------
 */

static norn_network_shape shape_of(const norn_tune_shape *s, const norn_cell *cell, bool stage)
{
    return (norn_network_shape){.inputs = s->inputs,
                                .hidden = s->hidden,
                                .layers = s->layers,
                                .window = s->window,
                                .horizon = s->horizon,
                                .batch = s->batch,
                                .members = 1,
                                .loss = NORN_LOSS_MSE,
                                .clip = 1.0,
                                .chunk = MOST_STEPS,
                                .path = stage ? NORN_PATH_STAGE : NORN_PATH_SEQUENCE,
                                .cell = cell};
}

/* The cell of a shape (NULL: the LSTM, which has a reference of its own) and its gates. */
static norn_status open_cell(norn_cell **out, unsigned *gates, const norn_tune_shape *shape,
                             const norn_host *host, norn_error *err)
{
    norn_cell *cell = NULL;
    norn_cell_plan *plan = NULL;
    norn_status status = norn_cell_named(&cell, shape->cell, host, err);
    if (status == NORN_OK) status = norn_cell_plan_new(&plan, cell, err);
    if (status == NORN_OK && norn_cell_obstacle(plan))
        status = norn_fail(err, NORN_ERR_USAGE,
                           "cell %s: a cell with products of what it made in the same step is not tuned",
                           cell->name);
    if (status == NORN_OK) *gates = (unsigned)plan->gate_count;
    norn_cell_plan_free(plan);
    if (status != NORN_OK || strcmp(shape->cell, "lstm") == 0) {
        norn_cell_free(cell);
        cell = NULL;
    }
    if (status == NORN_OK) *out = cell;
    return status;
}

norn_status norn_tune_default(norn_mapping *out, unsigned *gates, const norn_device_info *device,
                              const norn_tune_shape *shape, norn_error *err)
{
    const norn_host host = norn_host_copy(NULL);
    norn_cell *cell = NULL;
    const norn_status status = open_cell(&cell, gates, shape, &host, err);
    if (status != NORN_OK) return status;
    norn_cell_free(cell);
    *out = norn_shipped_mapping(device, shape->hidden);
    return NORN_OK;
}

/* A network of random series in training. */
typedef struct trainee {
    norn_context *context;
    norn_series *series;
    norn_network *network;
    norn_window *windows;    /* [MOST_STEPS][bp] */
    norn_schedule *schedule; /* [MOST_STEPS] */
    float *loss;             /* [MOST_STEPS][bp] */
    norn_host host;
    size_t bp;
} trainee;

static double wave(const void *user, size_t row)
{
    return sin(0.26 * (double)row + *(const double *)user) + 0.1 * sin(2.1 * (double)row);
}

static norn_status open_context(norn_context **out, const norn_context_options *options,
                                const norn_mapping *mapping, const size_t *product, const norn_host *host,
                                norn_error *err)
{
    norn_tuning *tuning = NULL;
    norn_context_options with = *options;
    with.local_size = mapping->local_size;
    with.vector_width = mapping->vector_width;
    with.rows = mapping->rows;
    norn_status status = norn_context_new(out, &with, host, err);
    if (status == NORN_OK &&
        ((*out)->local != mapping->local_size || (*out)->vector != mapping->vector_width)) {
        status = norn_fail(err, NORN_ERR_USAGE, "groups of %u work-items of %u floats are more than %s has",
                           mapping->local_size, mapping->vector_width, (*out)->info.name);
    }
    if (status == NORN_OK && product) status = norn_tuning_new(&tuning, &(*out)->info, host, err);
    if (status == NORN_OK && product) status = norn_tuning_set_product(tuning, product, err);
    if (status == NORN_OK && product) status = norn_context_tune(*out, tuning, err);
    norn_tuning_free(tuning);
    if (status != NORN_OK) {
        norn_context_free(*out);
        *out = NULL;
    }
    return status;
}

static void close_trainee(trainee *t)
{
    norn_delete(&t->host, t->windows, MOST_STEPS * t->bp, sizeof *t->windows);
    norn_delete(&t->host, t->loss, MOST_STEPS * t->bp, sizeof *t->loss);
    norn_delete(&t->host, t->schedule, MOST_STEPS, sizeof *t->schedule);
    norn_network_free(t->network);
    norn_series_free(t->series);
    norn_context_free(t->context);
}

static norn_status open_trainee(trainee *t, const norn_context_options *options,
                                const norn_network_shape *shape, const norn_mapping *mapping,
                                const size_t *product, const norn_host *host, norn_error *err)
{
    size_t rows[MOST_INPUTS];
    int of[MOST_INPUTS];
    float pairs[2 * MOST_INPUTS];
    for (size_t i = 0; i < shape->inputs; i++) {
        rows[i] = ROWS + shape->window + shape->horizon;
        of[i] = (int)i;
        pairs[2 * i] = 0.0f;
        pairs[2 * i + 1] = 1.0f;
    }
    t->host = *host;
    norn_status status = open_context(&t->context, options, mapping, product, host, err);
    if (status == NORN_OK)
        status = norn_series_new(&t->series, t->context, 1, shape->inputs, shape->inputs, rows, of, err);
    for (size_t i = 0; i < shape->inputs && status == NORN_OK; i++) {
        const double phase = (double)i;
        status = norn_series_put(t->series, i, wave, &phase, err);
    }
    if (status == NORN_OK) status = norn_network_new(&t->network, t->context, shape, t->series, err);
    if (status != NORN_OK) return status;
    t->bp = t->network->bp;
    t->windows = norn_new(host, MOST_STEPS * t->bp, sizeof *t->windows);
    t->loss = norn_new(host, MOST_STEPS * t->bp, sizeof *t->loss);
    t->schedule = norn_new(host, MOST_STEPS, sizeof *t->schedule);
    if (!t->windows || !t->loss || !t->schedule) return norn_fail_memory(err, "the windows to tune with");
    for (size_t i = 0; i < MOST_STEPS * t->bp; i++)
        t->windows[i] = (norn_window){0, (int32_t)(i * 2654435761u % ROWS)};
    for (size_t i = 0; i < MOST_STEPS; i++)
        t->schedule[i] = (norn_schedule){.rows = (int32_t)shape->batch,
                                         .optimiser_step = 1,
                                         .rate = 1e-3f,
                                         .c1 = 1.0f,
                                         .c2 = 1.0f,
                                         .factor = (float)(1.0 / (double)(shape->batch * shape->horizon))};
    status = norn_network_scale(t->network, 0, pairs, shape->inputs, err);
    if (status == NORN_OK) status = norn_network_initialise(t->network, 0, 1, 0, err);
    return status;
}

static norn_status train(void *side, size_t units, norn_error *err)
{
    trainee *t = side;
    const size_t chunk = t->network->shape.chunk; /* less than was asked for where memory is short */
    norn_status status = NORN_OK;
    for (size_t done = 0; done < units && status == NORN_OK; done += chunk)
        status = norn_network_train(t->network, t->series, t->windows, t->schedule,
                                    units - done < chunk ? units - done : chunk, 1, t->loss, err);
    return status;
}

/* How far a mapping is off, relative to what is allowed: the bounds are those of the self-test. */
static norn_status check_mapping(double *error, norn_context *context, const norn_network_shape *shape,
                                 norn_error *err)
{
    norn_network_shape small = *shape; /* the same program, for it knows units and layers alone */
    norn_network_comparison got;
    small.window = small.window < 5 ? small.window : 5;
    small.horizon = small.horizon < 7 ? small.horizon : 7;
    small.batch = 11;
    const norn_status status = norn_compare_network(context, &small, 10, 5, &got, err);
    if (status != NORN_OK) return status;
    const double parts[] = {got.output / 2e-5, got.loss / 2e-5, got.gradient / 1e-4, got.update / 1e-3};
    *error = 0.0;
    for (size_t i = 0; i < NORN_COUNT(parts); i++)
        if (!(parts[i] <= *error)) *error = parts[i]; /* NaN stays */
    return NORN_OK;
}

static norn_status check_shape(const norn_tune_shape *s, norn_error *err)
{
    const bool good = s->cell && s->hidden >= 1 && s->layers >= 1 && s->inputs >= 1 &&
                      s->inputs <= MOST_INPUTS && s->window >= 1 && s->horizon >= 1 && s->batch >= 1 &&
                      s->seconds >= 0.0;
    return good ? NORN_OK
                : norn_fail(err, NORN_ERR_USAGE,
                            "no such shape to tune: 1 to %d inputs, all sizes 1 at least", (int)MOST_INPUTS);
}

norn_status norn_tune_try(norn_tune_result *out, const norn_context_options *options,
                          const norn_tune_shape *shape, const norn_mapping *candidate,
                          const norn_mapping *beside, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_tune_result result = {.size = sizeof result};
    trainee sides[2];
    memset(sides, 0, sizeof sides);
    norn_cell *cell = NULL;
    const double begin = norn_seconds();
    norn_status status = check_shape(shape, err);
    if (status == NORN_OK) status = open_cell(&cell, &result.gates, shape, &services, err);
    if (status != NORN_OK) return status;
    const norn_mapping *const maps[] = {candidate, beside};
    for (int i = 0; i < 2 && status == NORN_OK; i++) {
        const norn_network_shape wanted = shape_of(shape, cell, maps[i]->stage);
        status = open_trainee(&sides[i], options, &wanted, maps[i], shape->product, &services, err);
        if (status == NORN_OK && i == 0)
            status = check_mapping(&result.error, sides[0].context, &wanted, err);
        if (status == NORN_OK) status = train(&sides[i], 1, err);
        if (i == 0) result.build = norn_seconds() - begin;
    }
    const pair both = {train, {&sides[0], &sides[1]}, &services, shape->seconds};
    if (status == NORN_OK) status = time_pair(&both, &result, err);
    for (int i = 0; i < 2; i++) close_trainee(&sides[i]);
    norn_cell_free(cell);
    if (status == NORN_OK) *out = result;
    return status;
}

/* ---- products --------------------------------------------------------------------------------------------
 */

enum { PRODUCTS = 3, CHECKED = 160 }; /* CHECKED: more than any side of the product that is checked */

typedef struct product {
    size_t m, n, k;
    bool transpose_a, transpose_b;
} product;

typedef struct products {
    norn_context *context;
    norn_gemm_path path;
    product list[PRODUCTS];
    norn_buffer a, b, c;
} products;

static norn_status multiply(const products *p, const product *one, norn_error *err)
{
    return norn_gemm(p->context, p->path, one->transpose_a, one->transpose_b, one->m, one->n, one->k,
                     (norn_matrix){&p->a, 0, one->transpose_a ? one->m : one->k},
                     (norn_matrix){&p->b, 0, one->transpose_b ? one->k : one->n},
                     (norn_matrix){&p->c, 0, one->n}, false, err);
}

static norn_status multiply_all(void *side, size_t units, norn_error *err)
{
    products *p = side;
    norn_status status = NORN_OK;
    for (size_t u = 0; u < units && status == NORN_OK; u++)
        for (size_t i = 0; i < PRODUCTS && status == NORN_OK; i++) status = multiply(p, &p->list[i], err);
    return status == NORN_OK ? norn_finish(p->context, err) : status;
}

/* 0, or 2 where one number of a product with ragged edges is not the host's chain of fma. */
static norn_status check_product(double *error, const products *p, const float *numbers, norn_error *err)
{
    enum { M = 131, N = 67, K = 150 };
    const norn_host *host = &p->context->host;
    float *got = norn_new(host, (size_t)M * N, sizeof *got);
    if (!got) return norn_fail_memory(err, "a product");
    norn_status status = NORN_OK;
    *error = 0.0;
    for (int kind = 0; kind < 3 && status == NORN_OK; kind++) {
        const bool ta = kind == 2, tb = kind == 1;
        const product one = {M, N, K, ta, tb};
        status = multiply(p, &one, err);
        if (status == NORN_OK)
            status = norn_buffer_read(p->context, &p->c, 0, got, (size_t)M * N * sizeof *got, err);
        for (size_t i = 0; i < M && status == NORN_OK; i++)
            for (size_t j = 0; j < N; j++) {
                const float chain = norn_reference_fma_chain(K, numbers + (ta ? i : i * K), ta ? M : 1,
                                                             numbers + (tb ? j * K : j), tb ? 1 : N, 0.0f);
                if (memcmp(&got[i * N + j], &chain, sizeof chain) != 0) *error = 2.0;
            }
    }
    norn_delete(host, got, (size_t)M * N, sizeof *got);
    return status;
}

norn_status norn_tune_try_product(norn_tune_result *out, const norn_context_options *options,
                                  const norn_tune_shape *shape, const size_t values[NORN_TUNING_PARAMETERS],
                                  const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_tune_result result = {.size = sizeof result};
    norn_tuning *tuning = NULL;
    norn_cell *cell = NULL;
    norn_context *context = NULL;
    products sides[2];
    float *numbers = NULL;
    memset(sides, 0, sizeof sides);
    const double begin = norn_seconds();
    norn_status status = check_shape(shape, err);
    if (status == NORN_OK) status = open_cell(&cell, &result.gates, shape, &services, err);
    if (status != NORN_OK) return status;
    norn_cell_free(cell);
    /* Forward over a step's rows, back through its weights, and the weights' gradient. */
    const size_t rows = shape->batch * shape->window, h = shape->hidden, wide = result.gates * h,
                 wide_or_checked = wide > CHECKED ? wide : CHECKED,
                 largest = rows > wide_or_checked ? rows : wide_or_checked, count = largest * wide_or_checked;
    const product list[PRODUCTS] = {
        {rows, wide, h, false, false}, {rows, h, wide, false, true}, {h, wide, rows, true, false}};
    status = norn_context_new(&context, options, &services, err);
    if (status == NORN_OK) status = norn_tuning_new(&tuning, &context->info, &services, err);
    if (status == NORN_OK) status = norn_tuning_set_product(tuning, values, err);
    if (status == NORN_OK) status = norn_context_tune(context, tuning, err);
    if (status == NORN_OK && !(numbers = norn_new(&services, count, sizeof *numbers)))
        status = norn_fail_memory(err, "a product");
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        numbers[i] = (float)(i * 2654435761u % 1024u) / 512.0f - 1.0f;
    norn_buffer buffers[3] = {{NULL, 0, NULL}, {NULL, 0, NULL}, {NULL, 0, NULL}};
    for (int i = 0; i < 3 && status == NORN_OK; i++)
        status = norn_buffer_new(context, &buffers[i], count * sizeof *numbers, numbers, "a matrix", err);
    for (int i = 0; i < 2; i++) {
        sides[i] = (products){context,
                              i ? NORN_GEMM_OWN : NORN_GEMM_CLBLAST,
                              {{0, 0, 0, false, false}},
                              buffers[0],
                              buffers[1],
                              buffers[2]};
        memcpy(sides[i].list, list, sizeof list);
    }
    if (status == NORN_OK) status = check_product(&result.error, &sides[0], numbers, err);
    for (int i = 0; i < 2 && status == NORN_OK; i++) {
        status = multiply_all(&sides[i], 1, err);
        if (i == 0) result.build = norn_seconds() - begin;
    }
    const pair both = {multiply_all, {&sides[0], &sides[1]}, &services, shape->seconds};
    if (status == NORN_OK) status = time_pair(&both, &result, err);
    for (int i = 0; i < 3; i++) norn_buffer_free(&buffers[i]);
    norn_delete(&services, numbers, count, sizeof *numbers);
    norn_context_free(context);
    norn_tuning_free(tuning);
    if (status == NORN_OK) *out = result;
    return status;
}
