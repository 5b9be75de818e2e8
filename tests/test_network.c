/*
 * Whole networks on the device: outputs, losses, gradients and optimiser steps against the double-precision
 * reference, on both paths and every mapping; then, number by number, what windows, losses, ragged batches,
 * members, clipping and Adam promise.
 *
 * A program is compiled anew for each (path, mapping, H, L, dropout or none), seconds each; B, T, F, O are
 * arguments. So few programs, chosen for their paddings and tiles, run many shapes each.
 */
#include "device.h"

#include "nn/compare.h"

/* ---- against the reference --------------------------------------------------------------------------------
 */

typedef struct program_case {
    norn_path path;
    unsigned mapping;
    size_t hidden, layers;
    bool dropout;
    bool tiny; /* for an interpreter only, see device.h */
} program_case;

/* Strips of 16, 64, 8 and 4 units: H below, at and above a strip; backward tiles of 4, 2 and 1 strips in all
 * sums. */
static const program_case programs[] = {
    {NORN_PATH_SEQUENCE, WIDE, 16, 1, false, false},
    {NORN_PATH_SEQUENCE, WIDE, 33, 2, false, false},
    {NORN_PATH_SEQUENCE, WIDE, 20, 3, true, false},
    {NORN_PATH_SEQUENCE, MANY_ITEMS, 1, 1, false, false},
    {NORN_PATH_SEQUENCE, MANY_ITEMS, 64, 2, true, false},
    {NORN_PATH_SEQUENCE, MANY_ITEMS, 80, 3, false, false},
    {NORN_PATH_SEQUENCE, HALF, 24, 2, true, false},
    {NORN_PATH_SEQUENCE, NARROW, 25, 2, false, false},
    {NORN_PATH_SEQUENCE, NARROW, 3, 1, false, true},
    {NORN_PATH_SEQUENCE, FEW_ITEMS, 5, 2, true, true},
    {NORN_PATH_STAGE, WIDE, 33, 2, true, false},
    {NORN_PATH_STAGE, MANY_ITEMS, 20, 3, false, false},
    {NORN_PATH_STAGE, FEW_ITEMS, 5, 2, true, true},
};

typedef struct shape_case {
    size_t inputs, window, horizon, batch, rows;
    double dropout; /* where the program has any */
    norn_loss loss;
    double clip;
    bool tiny;
} shape_case;

static const shape_case shapes[] = {
    /* F  T   O   B  rows  p  loss  clip  tiny */
    {1, 1, 1, 1, 1, 0.5, NORN_LOSS_MSE, 0.0, false},    {1, 5, 3, 5, 5, 0.1, NORN_LOSS_MSE, 1.0, false},
    {3, 4, 17, 4, 3, 0.25, NORN_LOSS_MAE, 0.1, false},  {7, 7, 5, 9, 7, 0.5, NORN_LOSS_HUBER, 1.0, false},
    {5, 2, 70, 3, 2, 0.3, NORN_LOSS_HUBER, 0.0, false}, {2, 2, 3, 3, 2, 0.25, NORN_LOSS_MSE, 0.5, true},
    {1, 53, 2, 9, 9, 0.2, NORN_LOSS_MSE, 1.0, false}, /* more rows than a block of the weight gradient takes
                                                       */
};

static norn_network_shape shape_of(const program_case *p, const shape_case *c)
{
    return (norn_network_shape){.inputs = c->inputs,
                                .hidden = p->hidden,
                                .layers = p->layers,
                                .window = c->window,
                                .horizon = c->horizon,
                                .batch = c->batch,
                                .members = 1,
                                .dropout = p->dropout ? c->dropout : 0.0,
                                .loss = c->loss,
                                .clip = c->clip,
                                .path = p->path};
}

static void compare_one(const program_case *p, const norn_network_shape *shape, size_t k, size_t i)
{
    norn_network_comparison got;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_compare_network(context_of(p->mapping), shape, shapes[i].rows, 11 + i, &got, &err), &err);
    if (got.output < 2e-5 && got.loss < 2e-5 && got.gradient < 1e-4 && got.update < 1e-3) return;
    print_error("program %zu, shape %zu, %zu steps back: output %.2e loss %.2e gradient %.2e update %.2e\n",
                k, i, shape->bptt, got.output, got.loss, got.gradient, got.update);
    fail();
}

static void compare_all(norn_path path, unsigned first_mapping, unsigned last_mapping)
{
    for (size_t k = 0; k < NORN_COUNT(programs); k++) {
        const program_case *p = &programs[k];
        if (p->path != path || p->mapping < first_mapping || p->mapping > last_mapping ||
            p->tiny != is_tiny())
            continue;
        for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
            if (is_tiny() && !shapes[i].tiny) continue;
            norn_network_shape shape = shape_of(p, &shapes[i]);
            compare_one(p, &shape, k, i);
            shape.bptt = 1 + shapes[i].window / 3; /* truncated, to one step where there are few */
            if (i % 2) compare_one(p, &shape, k, i);
        }
    }
}

static void the_sequence_path_equals_the_reference_with_one_item_a_group(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, WIDE, WIDE);
}

static void the_sequence_path_equals_the_reference_with_many_items_a_group(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, MANY_ITEMS, MANY_ITEMS);
}

static void the_sequence_path_equals_the_reference_with_other_vectors_and_rows(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, HALF, FEW_ITEMS);
}

static void the_stage_path_equals_the_reference(void **state)
{
    (void)state;
    compare_all(NORN_PATH_STAGE, WIDE, FEW_ITEMS);
}

/* ---- a network to look into -------------------------------------------------------------------------------
 */

enum { SERIES = 2, INPUTS = 2, WINDOW = 4, HORIZON = 5, TRACK_ROWS = 24 };

typedef struct rig {
    norn_context *context;
    norn_series *series;
    norn_network *network;
    float tracks[SERIES * INPUTS][TRACK_ROWS];
    float scaling[SERIES * INPUTS][2];
} rig;

enum { RIGS = 16 };
static rig *rigs[RIGS];
static size_t rig_count;

static int free_rigs(void **state)
{
    for (size_t i = 0; i < rig_count; i++) {
        norn_network_free(rigs[i]->network);
        norn_series_free(rigs[i]->series);
    }
    rig_count = 0;
    return free_taken(state);
}

static double track_value(const void *user, size_t row)
{
    const float *track = user;
    return (double)track[row];
}

/*
 * Two series of a target and a covariate with every kind of hole: single ones, one at a window's end, whole
 * windows, and one that reaches into the future. The first value is 0, so that the device holds just these
 * floats. The second series has a season, longer than the window.
 */
static rig *rig_of(const program_case *p, const norn_network_shape *wanted)
{
    rig *r = take(1, sizeof *r);
    const size_t columns = SERIES * INPUTS;
    size_t rows[SERIES * INPUTS];
    int of[SERIES * INPUTS];
    dice d = {5, 0};
    norn_error err = NORN_ERROR_INIT;
    assert_true(rig_count < RIGS);
    rigs[rig_count++] = r;
    r->context = context_of(p->mapping);
    for (size_t c = 0; c < columns; c++) {
        rows[c] = TRACK_ROWS;
        of[c] = (int)c;
        for (size_t i = 0; i < TRACK_ROWS; i++) r->tracks[c][i] = i ? (float)(3.0 * draw(&d)) : 0.0f;
        r->scaling[c][0] = c % INPUTS ? 0.25f : c ? 5.0f : 0.0f;
        r->scaling[c][1] = (float)(0.6 + 0.1 * (double)c);
    }
    for (size_t i = 6; i < 11; i++) r->tracks[0][i] = NAN;
    r->tracks[0][14] = r->tracks[1][3] = r->tracks[1][4] = r->tracks[2][7] = r->tracks[2][15] = NAN;
    for (size_t i = 8; i < 15; i++) r->tracks[3][i] = NAN;
    assert_ok(norn_series_new(&r->series, r->context, SERIES, INPUTS, columns, rows, of, &err), &err);
    for (size_t c = 0; c < columns; c++)
        assert_ok(norn_series_put(r->series, c, track_value, r->tracks[c], &err), &err);
    norn_network_shape shape = *wanted;
    shape.inputs = INPUTS;
    shape.window = WINDOW;
    shape.horizon = HORIZON;
    shape.hidden = p->hidden;
    shape.layers = p->layers;
    shape.path = p->path;
    shape.infer_batch = shape.batch;
    assert_ok(norn_network_new(&r->network, r->context, &shape, r->series, &err), &err);
    for (size_t m = 0; m < shape.members; m++) {
        assert_ok(norn_network_initialise(r->network, m, 3, m, &err), &err);
        assert_ok(norn_network_scale(r->network, m, &r->scaling[0][0], columns, &err), &err);
    }
    return r;
}

/* Windows of the two series in turn; rows from `rows` on are wild, for nobody may look at them. */
static norn_window *windows_of(const rig *r, size_t slots, size_t rows, size_t first)
{
    const size_t bp = r->network->bp;
    norn_window *all = take(slots * bp, sizeof *all);
    for (size_t i = 0; i < slots * bp; i++) {
        const size_t b = i % bp;
        all[i].series = b < rows ? (int32_t)(b % SERIES) : INT32_MAX / 2;
        /* From row 1 on, so that the season of 5 reaches no row before the series. */
        all[i].row =
            b < rows ? (int32_t)(1 + (first + 3 * b) % (TRACK_ROWS - WINDOW - HORIZON)) : INT32_MAX / 2;
    }
    return all;
}

static norn_schedule plan_of(size_t rows, size_t member, int step)
{
    return (norn_schedule){.rows = (int32_t)rows,
                           .optimiser_step = step,
                           .member = (int32_t)member,
                           .rate = 1e-2f,
                           .c1 = (float)(1.0 / (1.0 - pow(0.9, step))),
                           .c2 = (float)(1.0 / (1.0 - pow(0.999, step))),
                           .factor = rows ? 1.0f / ((float)rows * HORIZON) : 0.0f};
}

/* Trains one step of the slots given; returns the losses [slots][bp], taken. */
static float *train(rig *r, const norn_window *windows, const norn_schedule *plans, size_t slots)
{
    float *loss = take_floats(slots * r->network->bp);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_network_train(r->network, r->series, windows, plans, 1, slots, loss, &err), &err);
    return loss;
}

static float *read_floats(rig *r, const norn_buffer *buffer, size_t offset, size_t count)
{
    float *all = take_floats(count);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_buffer_read(r->context, buffer, offset * sizeof(float), all, count * sizeof(float), &err),
              &err);
    return all;
}

static float *gradient_of(rig *r, size_t slot)
{
    const size_t p = r->network->parameters;
    return read_floats(r, &r->network->gradient, slot * r->network->splits * p, p);
}

static float *values_of(rig *r, size_t member)
{
    const size_t p = r->network->parameters;
    return read_floats(r, &r->network->values, member * p, p);
}

/* Calls `check` with a program of each path and each mapping that matters, none of which is compiled for it
 * alone. */
static void for_programs(void (*check)(const program_case *p))
{
    static const size_t chosen[] = {2, 5, 11}, tiny[] = {8};
    for (size_t i = 0; i < (is_tiny() ? NORN_COUNT(tiny) : NORN_COUNT(chosen)); i++) {
        program_case p = programs[is_tiny() ? tiny[i] : chosen[i]];
        check(&p);
        (void)free_rigs(NULL);
    }
}

/* ---- windows and losses -----------------------------------------------------------------------------------
 */

/* The last value at or before the window's end that is there. */
static float last_of(const float *from)
{
    for (size_t t = WINDOW; t-- > 0;)
        if (!isnan(from[t])) return from[t];
    return NAN;
}

static void check_gather(const program_case *p)
{
    enum { ROWS = 7, BATCH = 9 };
    rig *r =
        rig_of(p, &(norn_network_shape){.batch = BATCH, .members = 1, .dropout = p->dropout ? 0.1 : 0.0});
    const size_t bp = r->network->bp, kx = r->network->kx,
                 own = p->path == NORN_PATH_STAGE ? bp : r->network->shard_rows; /* side by side in time */
    for (size_t first = 0; first < TRACK_ROWS - WINDOW - HORIZON; first++) {
        const norn_window *windows = windows_of(r, 1, ROWS, first);
        const norn_schedule plan = plan_of(ROWS, 0, 1);
        (void)train(r, windows, &plan, 1);
        const float *x = read_floats(r, &r->network->x, 0, WINDOW * bp * kx);
        for (size_t t = 0; t < WINDOW; t++)
            for (size_t b = 0; b < bp; b++)
                for (size_t f = 0; f < kx; f++) {
                    float want = 0.0f;
                    if (b < ROWS && f < INPUTS) {
                        const size_t c = (size_t)windows[b].series * INPUTS + f;
                        const float *from = r->tracks[c] + windows[b].row;
                        const float shift = f ? r->scaling[c][0] : last_of(from);
                        want = (from[t] - shift) * r->scaling[c][1];
                        if (isnan(want)) want = 0.0f;
                    }
                    assert_near(x[((b / own * WINDOW + t) * own + b % own) * kx + f], want, 2e-7, 0.0);
                }
        if (is_tiny() && first == 1) break;
    }
}

static void a_window_is_shifted_by_its_last_value_that_is_there(void **state)
{
    (void)state;
    for_programs(check_gather);
}

/* What a row adds to the loss, and its slope at every output, from the network's own outputs. */
static double loss_of(const rig *r, norn_loss kind, const norn_window *window, const float *y, double *slope)
{
    const size_t c = (size_t)window->series * INPUTS;
    const float *from = r->tracks[c] + window->row;
    const size_t season = (size_t)r->scaling[c][0];
    double sum = 0.0;
    for (size_t o = 0; o < HORIZON; o++) {
        const float base =
            season ? r->tracks[c][(size_t)window->row + WINDOW - season + o % season] : last_of(from);
        const float target = (from[WINDOW + o] - base) * r->scaling[c][1];
        const double e = (double)y[o] - (double)target;
        slope[o] = 0.0;
        if (isnan(e)) continue;
        const double size = fabs(e);
        const double losses[] = {e * e, size, size <= 1.0 ? 0.5 * e * e : size - 0.5};
        const double slopes[] = {2.0 * e, e > 0.0 ? 1.0 : -1.0, fmax(-1.0, fmin(1.0, e))};
        sum += losses[kind];
        slope[o] = slopes[kind];
    }
    return sum;
}

static void check_losses(const program_case *p)
{
    enum { ROWS = 7, BATCH = 9 };
    static const norn_loss kinds[] = {NORN_LOSS_MSE, NORN_LOSS_MAE, NORN_LOSS_HUBER};
    for (size_t k = 0; k < NORN_COUNT(kinds); k++) {
        rig *r = rig_of(
            p, &(norn_network_shape){
                   .batch = BATCH, .members = 1, .dropout = p->dropout ? 1e-9 : 0.0, .loss = kinds[k]});
        const size_t bp = r->network->bp, ub = (size_t)r->context->local * r->context->vector, rows = ROWS,
                     member = 0, own = r->network->shard_rows, op = r->network->op;
        size_t missing = 0;
        for (size_t first = 0; first < TRACK_ROWS - WINDOW - HORIZON; first += is_tiny() ? 20 : 1) {
            const norn_window *windows = windows_of(r, 1, ROWS, first);
            const norn_schedule plan = plan_of(ROWS, 0, 1);
            norn_error err = NORN_ERROR_INIT;
            float *y = take_floats(bp * HORIZON), *inferred = take_floats(bp);
            assert_ok(norn_network_infer(r->network, r->series, windows, &rows, &member, 1, NULL, y, &err),
                      &err);
            assert_ok(
                norn_network_infer(r->network, r->series, windows, &rows, &member, 1, inferred, NULL, &err),
                &err);
            const float *trained = train(r, windows, &plan, 1),
                        *dy = read_floats(r, &r->network->y, 0, bp * r->network->op);
            for (size_t b = 0; b < bp; b++) {
                double slope[HORIZON] = {0.0, 0.0, 0.0, 0.0, 0.0}, want = 0.0;
                if (b < ROWS) want = loss_of(r, kinds[k], &windows[b], y + b * HORIZON, slope);
                missing += b < ROWS && want == 0.0;
                assert_near(trained[b], want, 2e-5, want == 0.0 ? 0.0 : 1e-6);
                assert_near(inferred[b], want, 2e-5, want == 0.0 ? 0.0 : 1e-6);
                for (size_t o = 0; o < r->network->op; o++)
                    assert_near(dy[b / own * own * op + (o / ub * own + b % own) * ub + o % ub],
                                o < HORIZON ? slope[o] * (double)plan.factor : 0.0, 1e-5,
                                o < HORIZON && slope[o] != 0.0 ? 1e-6 : 0.0);
            }
        }
        /* Windows without any value occurred, and added nothing. */
        if (!is_tiny()) assert_true(missing > 0);
        (void)free_rigs(NULL);
    }
}

static void missing_targets_bases_and_rows_carry_no_loss(void **state)
{
    (void)state;
    for_programs(check_losses);
}

/* ---- batches and members ----------------------------------------------------------------------------------
 */

/* Nine rows in a batch of twelve, whose shards have as many rows as those of a batch of nine: same losses,
 * gradients and parameters after. */
static void check_ragged(const program_case *p)
{
    enum { ROWS = 9 };
    const norn_schedule plan = plan_of(ROWS, 0, 1);
    float *loss[2], *gradient[2], *after[2];
    size_t parameters = 0;
    for (size_t i = 0; i < 2; i++) {
        rig *r = rig_of(
            p, &(norn_network_shape){
                   .batch = i ? 12 : ROWS, .members = 1, .clip = 0.1, .dropout = p->dropout ? 0.3 : 0.0});
        loss[i] = train(r, windows_of(r, 1, ROWS, 2), &plan, 1);
        gradient[i] = gradient_of(r, 0);
        after[i] = values_of(r, 0);
        parameters = r->network->parameters;
        for (size_t b = ROWS; b < r->network->bp; b++) assert_true(loss[i][b] == 0.0f);
    }
    assert_bits("loss", loss[1], loss[0], ROWS);
    for (size_t i = 0; i < parameters; i++)
        if (!(gradient[1][i] == gradient[0][i])) /* 0 and -0 are the same gradient */
            fail_msg("gradient[%zu]: %a and %a", i, (double)gradient[1][i], (double)gradient[0][i]);
    assert_bits("parameters", after[1], after[0], parameters);
}

static void a_ragged_batch_gives_the_bits_of_a_smaller_one(void **state)
{
    (void)state;
    for_programs(check_ragged);
}

/* Three members beside each other, the slots in an order of their own, one at rest in the second step. */
static void check_members(const program_case *p)
{
    enum { MEMBERS = 3, ROWS = 4, STEPS = 2 };
    static const size_t member_of_slot[MEMBERS] = {2, 0, 1};
    if (p->path == NORN_PATH_STAGE) return; /* its members take turns */
    const double dropout = p->dropout ? 0.3 : 0.0;
    rig *all =
        rig_of(p, &(norn_network_shape){
                      .batch = ROWS, .members = MEMBERS, .slots = MEMBERS, .clip = 0.1, .dropout = dropout});
    const size_t parameters = all->network->parameters;
    float *losses[STEPS];
    assert_int_equal(all->network->shape.slots, MEMBERS);
    for (size_t step = 0; step < STEPS; step++) {
        norn_schedule plans[MEMBERS];
        norn_window *windows = take(MEMBERS * all->network->bp, sizeof *windows);
        for (size_t slot = 0; slot < MEMBERS; slot++) {
            const size_t member = member_of_slot[slot];
            plans[slot] = plan_of(step == 1 && member == 0 ? 0 : ROWS, member, (int)step + 1);
            memcpy(windows + slot * all->network->bp, windows_of(all, 1, ROWS, member + 2 * step),
                   all->network->bp * sizeof *windows);
        }
        losses[step] = train(all, windows, plans, MEMBERS);
    }
    for (size_t slot = 0; slot < MEMBERS; slot++) {
        const size_t member = member_of_slot[slot];
        rig *one =
            rig_of(p, &(norn_network_shape){.batch = ROWS, .members = 1, .clip = 0.1, .dropout = dropout});
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_network_initialise(one->network, 0, 3, member, &err), &err);
        for (size_t step = 0; step < (member ? STEPS : 1); step++) {
            const norn_schedule plan = plan_of(ROWS, 0, (int)step + 1);
            const float *loss = train(one, windows_of(one, 1, ROWS, member + 2 * step), &plan, 1);
            assert_bits("loss", losses[step] + slot * all->network->bp, loss, ROWS);
        }
        assert_bits("parameters", values_of(all, member), values_of(one, 0), parameters);
    }
}

static void a_member_computes_the_same_alone_and_beside_others(void **state)
{
    (void)state;
    for_programs(check_members);
}

/* ---- the optimiser ----------------------------------------------------------------------------------------
 */

/* Puts a gradient in the slot and runs norm, clipping and Adam on it, as a training step does. */
static void optimise(rig *r, const float *gradient, double clip, int step)
{
    norn_network *n = r->network;
    const norn_schedule plan = plan_of(1, 0, step);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_buffer_write(r->context, &n->gradient, 0, gradient, n->parameters * sizeof(float), &err),
              &err);
    assert_ok(norn_buffer_write(r->context, &n->schedule, 0, &plan, sizeof plan, &err), &err);
    assert_ok(norn_kernel_set(&n->norm, &err, 1, "ii", 0, 1), &err);
    assert_ok(norn_launch(r->context, &n->norm, r->context->local, 64, 1, &err), &err);
    assert_ok(norn_kernel_set(&n->update, &err, 1, "iiilf", 0, 1, 1, (int64_t)n->parameters, clip), &err);
    assert_ok(norn_launch(r->context, &n->update, r->context->local, 7, 1, &err), &err);
}

/* Gradients of a size far below, near and far above what is clipped; then none at all, when only momentum
 * moves. */
static void check_optimiser(const program_case *p)
{
    static const double scales[] = {1.0, 1e-3, 0.0, 30.0, 1e-12};
    static const double clips[] = {0.0, 1e9, 0.05};
    if (p->path == NORN_PATH_STAGE) return; /* the same kernels */
    rig *r = rig_of(p, &(norn_network_shape){.batch = 1, .members = 1, .dropout = p->dropout ? 0.3 : 0.0});
    norn_error err = NORN_ERROR_INIT;
    const size_t count = r->network->parameters;
    double *m = take_doubles(count), *v = take_doubles(count), *values = take_doubles(count);
    float *not_clipped = NULL;
    for (size_t c = 0; c < NORN_COUNT(clips); c++) {
        dice d = {8, 0};
        assert_ok(norn_network_initialise(r->network, 0, 3, 0, &err), &err); /* moments are 0 again */
        const float *before = values_of(r, 0);
        for (size_t i = 0; i < count; i++) {
            values[i] = (double)before[i];
            m[i] = v[i] = 0.0;
        }
        double largest = 0.0; /* of the gradients so far */
        for (size_t s = 0; s < NORN_COUNT(scales); s++) {
            float *gradient = take_floats(count);
            double norm = 0.0;
            for (size_t i = 0; i < count; i++) {
                gradient[i] = (float)(scales[s] * draw(&d));
                norm += (double)gradient[i] * (double)gradient[i];
            }
            norm = sqrt(norm);
            const double scale = clips[c] > 0.0 && norm > clips[c] ? clips[c] / (norm + 1e-6) : 1.0;
            largest = fmax(largest, scale * scales[s]);
            optimise(r, gradient, clips[c], (int)s + 1);
            const float *got_m = read_floats(r, &r->network->first_moment, 0, count),
                        *got_v = read_floats(r, &r->network->second_moment, 0, count),
                        *after = values_of(r, 0);
            const double c1 = 1.0 / (1.0 - pow(0.9, (double)s + 1.0)),
                         c2 = 1.0 / (1.0 - pow(0.999, (double)s + 1.0));
            for (size_t i = 0; i < count; i++) {
                const double g = (double)gradient[i] * scale;
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                values[i] -= 1e-2 * (m[i] * c1) / (sqrt(v[i] * c2) + 1e-8);
                /* 1 - 0.999f is 0.001 to 5e-5 only; sums of moments cancel, hence the absolute parts. */
                assert_near(got_m[i], m[i], 1e-5, 1e-6 * largest);
                assert_near(got_v[i], v[i], 1e-4, 1e-30);
                assert_near(after[i], values[i], 1e-6, 2e-6);
            }
        }
        if (c == 0)
            not_clipped = values_of(r, 0);
        else if (c == 1)
            assert_bits("parameters", values_of(r, 0), not_clipped, count);
    }
}

static void clipping_and_adam_follow_their_formulas(void **state)
{
    (void)state;
    for_programs(check_optimiser);
}

/* All targets missing: no loss, a gradient of exact zeros, and a first step that moves nothing. */
static void check_no_gradient(const program_case *p)
{
    enum { ROWS = 3 };
    rig *r = rig_of(p, &(norn_network_shape){
                           .batch = ROWS, .members = 1, .clip = 0.1, .dropout = p->dropout ? 0.3 : 0.0});
    const size_t count = r->network->parameters;
    const norn_schedule plan = plan_of(ROWS, 0, 1);
    norn_error err = NORN_ERROR_INIT;
    float empty[TRACK_ROWS];
    for (size_t i = 0; i < TRACK_ROWS; i++) empty[i] = NAN;
    for (size_t s = 0; s < SERIES; s++)
        assert_ok(norn_series_put(r->series, s * INPUTS, track_value, empty, &err), &err);
    const float *before = values_of(r, 0), *loss = train(r, windows_of(r, 1, ROWS, 0), &plan, 1),
                *gradient = gradient_of(r, 0);
    for (size_t b = 0; b < ROWS; b++) assert_true(loss[b] == 0.0f);
    for (size_t i = 0; i < count; i++) assert_true(gradient[i] == 0.0f);
    assert_bits("parameters", values_of(r, 0), before, count);
}

static void without_any_target_nothing_moves(void **state)
{
    (void)state;
    for_programs(check_no_gradient);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_rigs)
    const struct CMUnitTest tests[] = {
        TEST(the_sequence_path_equals_the_reference_with_one_item_a_group),
        TEST(the_sequence_path_equals_the_reference_with_many_items_a_group),
        TEST(the_sequence_path_equals_the_reference_with_other_vectors_and_rows),
        TEST(the_stage_path_equals_the_reference),
        TEST(a_window_is_shifted_by_its_last_value_that_is_there),
        TEST(missing_targets_bases_and_rows_carry_no_loss),
        TEST(a_ragged_batch_gives_the_bits_of_a_smaller_one),
        TEST(a_member_computes_the_same_alone_and_beside_others),
        TEST(clipping_and_adam_follow_their_formulas),
        TEST(without_any_target_nothing_moves),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
