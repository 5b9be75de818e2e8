/*
 * The double-precision reference, which all kernels are measured with, is itself measured here: against
 * PyTorch's golden values, against finite differences, and against what must hold by itself (a masked tail is
 * a shorter sequence, reverse is forward on the flipped input, chunks make the whole).
 *
 * Tolerances. Against PyTorch both sides are double and sum some hundred terms: 1e-12 of a tensor's largest
 * value. Central differences with a step of 1e-5 err by step^2 times a third derivative, 1e-10, and by
 * rounding, 1e-16 / 1e-5; 1e-9 of the largest gradient plus 1e-7 of the value leaves them room and no
 * mistake.
 */
#include "golden/lstm.h"
#include "nn/reference.h"
#include "support.h"

#define PYTORCH 1e-12

/* ---- helpers ---- */

/* Arrays of a test, freed together. */
typedef struct arena {
    void *blocks[64];
    size_t used;
} arena;

static double *take(arena *a, size_t count)
{
    assert_true(a->used < NORN_COUNT(a->blocks));
    double *block = calloc(count, sizeof *block);
    assert_non_null(block);
    a->blocks[a->used++] = block;
    return block;
}

static double *take_grid(arena *a, const short *grid, size_t count)
{
    double *block = take(a, count);
    for (size_t i = 0; i < count; i++) block[i] = grid[i] * GOLDEN_GRID;
    return block;
}

/* Uniform in [-1, 1), by splitmix64. */
static double *take_random(arena *a, size_t count, uint64_t seed)
{
    double *block = take(a, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        block[i] = (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
    }
    return block;
}

/* For results: whoever does not write them hands NaN on. */
static void poison(double *x, size_t count)
{
    for (size_t i = 0; i < count; i++) x[i] = NAN;
}

static double *take_poison(arena *a, size_t count)
{
    double *block = take(a, count);
    poison(block, count);
    return block;
}

static void drop(arena *a)
{
    while (a->used) free(a->blocks[--a->used]);
}

/* Largest absolute value; NaN if there is one, which then no tolerance passes. */
static double largest(const double *x, size_t count)
{
    double most = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(x[i])) return NAN;
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

/* Largest difference, as a part of the largest value wanted. */
static double distance(const double *got, const double *want, size_t count)
{
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(got[i] - want[i]));
    return most / largest(want, count);
}

/* Every value within `part` of the largest one. */
static void assert_close_at(const double *got, const double *want, size_t count, double part,
                            const char *file, int line)
{
    const double most = largest(want, count);
    for (size_t i = 0; i < count; i++) assert_near_at(got[i], want[i], 0.0, part * most, i, file, line);
}
#define assert_close(got, want, count, part) assert_close_at(got, want, count, part, __FILE__, __LINE__)

static norn_reference_network *network_of(norn_reference_shape shape)
{
    norn_error err = NORN_ERROR_INIT;
    norn_reference_network *network = NULL;
    assert_ok(norn_reference_network_new(&network, &shape, NULL, &err), &err);
    return network;
}

static norn_reference_network *golden_network(const struct golden_network *g, norn_reference_batch *batch,
                                              arena *a)
{
    norn_reference_network *network =
        network_of((norn_reference_shape){g->steps, g->rows, g->inputs, g->hidden, g->layers, g->outputs});
    const size_t count = norn_reference_layout_of(&network->shape, 0).count;
    for (size_t i = 0; i < count; i++) network->parameters[i] = g->parameters[i] * GOLDEN_GRID;
    const size_t between = (g->layers - 1) * g->steps * g->rows * g->hidden;
    *batch = (norn_reference_batch){
        .x = take_grid(a, g->x, g->steps * g->rows * g->inputs),
        .dropout = g->dropout ? take_grid(a, g->dropout, between) : NULL,
        .target = g->target,
        .weight = g->weight,
        .loss = g->loss,
    };
    return network;
}

/* A layer with its gradients, all arrays its own. */
typedef struct layer {
    norn_reference_lstm f;
    norn_reference_lstm_gradients b;
    size_t states; /* B*H */
} layer;

static layer take_layer(arena *a, size_t steps, size_t rows, size_t inputs, size_t hidden)
{
    const size_t sequence = steps * rows, gates = 4 * hidden;
    return (layer){
        .f = {.steps = steps,
              .rows = rows,
              .inputs = inputs,
              .hidden = hidden,
              .x = take_random(a, sequence * inputs, 1),
              .w_ih = take_random(a, gates * inputs, 2),
              .w_hh = take_random(a, gates * hidden, 3),
              .bias = take_random(a, gates, 4),
              .h0 = take_random(a, rows * hidden, 5),
              .c0 = take_random(a, rows * hidden, 6),
              .h = take_poison(a, sequence * hidden),
              .c = take_poison(a, sequence * hidden),
              .gates = take_poison(a, sequence * gates)},
        .b = {.dh = take_random(a, sequence * hidden, 7),
              .dh_last = take_random(a, rows * hidden, 8),
              .dc_last = take_random(a, rows * hidden, 9),
              .dgates = take_poison(a, sequence * gates),
              .dx = take_poison(a, sequence * inputs),
              .dw_ih = take(a, gates * inputs),
              .dw_hh = take(a, gates * hidden),
              .dbias = take(a, gates),
              .dh0 = take_poison(a, rows * hidden),
              .dc0 = take_poison(a, rows * hidden)},
        .states = rows * hidden,
    };
}

/* Forward and backward with poisoned results; the loss. */
static double run_network(norn_reference_network *network, const norn_reference_batch *batch)
{
    const norn_reference_shape *s = &network->shape;
    const size_t sequence = s->steps * s->rows, states = s->layers * sequence * s->hidden;
    double *const by_states[] = {network->h, network->c, network->dh, network->gates, network->dgates};
    for (size_t i = 0; i < NORN_COUNT(by_states); i++) poison(by_states[i], i < 3 ? states : 4 * states);
    poison(network->gradients, norn_reference_layout_of(s, 0).count);
    poison(network->prediction, s->rows * s->outputs);
    poison(network->dx, sequence * s->inputs);
    const double value = norn_reference_network_forward(network, batch);
    norn_reference_network_backward(network, batch);
    return value;
}

static void run_layer(const layer *l)
{
    norn_reference_lstm_forward(&l->f, 0, l->f.steps);
    norn_reference_lstm_backward(&l->f, &l->b, 0, l->f.steps);
}

static void assert_same_parameter_gradients(const layer *got, const layer *want, double part)
{
    const size_t gates = 4 * want->f.hidden;
    assert_close(got->b.dw_ih, want->b.dw_ih, gates * want->f.inputs, part);
    assert_close(got->b.dw_hh, want->b.dw_hh, gates * want->f.hidden, part);
    assert_close(got->b.dbias, want->b.dbias, gates, part);
    assert_close(got->b.dh0, want->b.dh0, want->states, part);
    assert_close(got->b.dc0, want->b.dc0, want->states, part);
}

/* ---- against PyTorch ---- */

static void networks_give_the_values_and_gradients_of_pytorch(void **state)
{
    (void)state;
    for (size_t n = 0; n < NORN_COUNT(golden_networks); n++) {
        const struct golden_network *g = &golden_networks[n];
        arena a = {0};
        norn_reference_batch batch;
        norn_reference_network *network = golden_network(g, &batch, &a);
        const size_t sequence = g->steps * g->rows,
                     count = norn_reference_layout_of(&network->shape, 0).count;
        assert_near(run_network(network, &batch), g->value, PYTORCH, 0.0);
        assert_close(network->h + (g->layers - 1) * sequence * g->hidden, g->output, sequence * g->hidden,
                     PYTORCH);
        assert_close(network->prediction, g->prediction, g->rows * g->outputs, PYTORCH);
        assert_close(network->dx, g->dx, sequence * g->inputs, PYTORCH);
        assert_close(network->gradients, g->gradients, count, PYTORCH);
        /* Lower layers have small gradients: each tensor by itself as well. */
        for (size_t l = 0; l < g->layers; l++) {
            const norn_reference_layout at = norn_reference_layout_of(&network->shape, l);
            const size_t offsets[] = {at.w_ih, at.w_hh, at.bias, at.bias + 4 * g->hidden};
            for (size_t i = 0; i + 1 < NORN_COUNT(offsets); i++)
                assert_close(network->gradients + offsets[i], g->gradients + offsets[i],
                             offsets[i + 1] - offsets[i], PYTORCH);
        }
        norn_reference_network_free(network);
        drop(&a);
    }
}

static void layers_in_both_directions_give_the_values_and_gradients_of_pytorch(void **state)
{
    (void)state;
    for (size_t n = 0; n < NORN_COUNT(golden_layers); n++) {
        const struct golden_layer *g = &golden_layers[n];
        const size_t T = g->steps, B = g->rows, I = g->inputs, H = g->hidden;
        arena a = {0};
        double *dx = take(&a, T * B * I);
        for (size_t d = 0; d < 2; d++) {
            const struct golden_direction *want = &g->direction[d];
            layer l = take_layer(&a, T, B, I, H);
            const double *parameters = take_grid(&a, want->parameters, 4 * H * (I + H + 1));
            l.f.reverse = d == 1;
            l.f.x = take_grid(&a, g->x, T * B * I);
            l.f.w_ih = parameters;
            l.f.w_hh = parameters + 4 * H * I;
            l.f.bias = parameters + 4 * H * (I + H);
            l.f.mask = g->mask;
            l.f.h0 = take_grid(&a, want->h0, B * H);
            l.f.c0 = take_grid(&a, want->c0, B * H);
            l.b.dh = take_grid(&a, want->dh, T * B * H);
            l.b.dh_last = take_grid(&a, want->dh_last, B * H);
            l.b.dc_last = take_grid(&a, want->dc_last, B * H);
            run_layer(&l);
            for (size_t at = 0; at < T * B; at++) /* PyTorch writes 0 after the end of a row */
                if (g->mask[at]) assert_close(l.f.h + at * H, want->output + at * H, H, PYTORCH);
            const size_t last = d == 1 ? 0 : (T - 1) * B * H;
            assert_close(l.f.h + last, want->h_last, B * H, PYTORCH);
            assert_close(l.f.c + last, want->c_last, B * H, PYTORCH);
            assert_close(l.b.dw_ih, want->gradients, 4 * H * I, PYTORCH);
            assert_close(l.b.dw_hh, want->gradients + 4 * H * I, 4 * H * H, PYTORCH);
            assert_close(l.b.dbias, want->gradients + 4 * H * (I + H), 4 * H, PYTORCH);
            assert_close(l.b.dh0, want->dh0, B * H, PYTORCH);
            assert_close(l.b.dc0, want->dc0, B * H, PYTORCH);
            for (size_t i = 0; i < T * B * I; i++) dx[i] += l.b.dx[i];
        }
        assert_close(dx, g->dx, T * B * I, PYTORCH);
        drop(&a);
    }
}

/* The number of i, f, g, o orders is 24; number 0 is the right one. order[r]: which block stands where block
 * r should. */
static void gate_order(size_t number, size_t order[4])
{
    size_t left[4] = {0, 1, 2, 3};
    const size_t blocks[4] = {6, 2, 1, 1};
    for (size_t r = 0; r < 4; r++) {
        const size_t pick = number / blocks[r];
        number %= blocks[r];
        order[r] = left[pick];
        memmove(left + pick, left + pick + 1, (3 - pick) * sizeof *left);
    }
}

/* Moves gate blocks of every layer: out block r = in block order[r], or with `back` out block order[r] = in
 * block r. */
static void permute_gates(const norn_reference_shape *shape, const size_t order[4], bool back,
                          const double *in, double *out)
{
    const size_t count = norn_reference_layout_of(shape, 0).count, H = shape->hidden;
    memcpy(out, in, count * sizeof *out);
    for (size_t l = 0; l < shape->layers; l++) {
        const norn_reference_layout at = norn_reference_layout_of(shape, l);
        const size_t starts[] = {at.w_ih, at.w_hh, at.bias}, blocks[] = {H * at.inputs, H * H, H};
        for (size_t i = 0; i < NORN_COUNT(starts); i++)
            for (size_t r = 0; r < 4; r++)
                memcpy(out + starts[i] + (back ? order[r] : r) * blocks[i],
                       in + starts[i] + (back ? r : order[r]) * blocks[i], blocks[i] * sizeof *out);
    }
}

/* What a reader of PyTorch's parameters with another order of gates would compute must be far from the golden
 * values, in values and in gradients: else they could not tell a wrong order from the right one. */
static void every_wrong_order_of_gates_is_told_from_the_right_one(void **state)
{
    (void)state;
    for (size_t n = 0; n < NORN_COUNT(golden_networks); n++) {
        const struct golden_network *g = &golden_networks[n];
        arena a = {0};
        norn_reference_batch batch;
        norn_reference_network *network = golden_network(g, &batch, &a);
        const size_t count = norn_reference_layout_of(&network->shape, 0).count,
                     outputs = g->rows * g->outputs;
        double *right = take(&a, count), *gradients = take(&a, count);
        memcpy(right, network->parameters, count * sizeof *right);
        for (size_t number = 0; number < 24; number++) {
            size_t order[4];
            gate_order(number, order);
            permute_gates(&network->shape, order, false, right, network->parameters);
            (void)run_network(network, &batch);
            permute_gates(&network->shape, order, true, network->gradients, gradients);
            const double values_off = distance(network->prediction, g->prediction, outputs);
            const double gradients_off = distance(gradients, g->gradients, count);
            if (number == 0) {
                assert_true(values_off < PYTORCH && gradients_off < PYTORCH);
            } else if (!(values_off > 1e-3 && gradients_off > 1e-3)) {
                fail_msg("%s: order %zu%zu%zu%zu is off by %g and %g only", g->name, order[0], order[1],
                         order[2], order[3], values_off, gradients_off);
            }
        }
        norn_reference_network_free(network);
        drop(&a);
    }
}

static void adam_with_clipping_takes_the_steps_of_pytorch(void **state)
{
    (void)state;
    const struct golden_adam *g = &golden_adam;
    arena a = {0};
    norn_reference_network *network =
        network_of((norn_reference_shape){g->steps, g->rows, g->inputs, g->hidden, g->layers, g->outputs});
    const size_t count = norn_reference_layout_of(&network->shape, 0).count;
    for (size_t i = 0; i < count; i++) network->parameters[i] = g->start[i] * GOLDEN_GRID;
    const norn_reference_batch batch = {
        .x = take_grid(&a, g->x, g->steps * g->rows * g->inputs), .target = g->target, .loss = NORN_LOSS_MSE};
    double *m = take(&a, count), *v = take(&a, count);
    norn_reference_adam adam = NORN_REFERENCE_ADAM_INIT;
    adam.learning_rate = g->learning_rate;
    for (size_t update = 0; update < g->updates; update++) {
        assert_near(run_network(network, &batch), g->losses[update], PYTORCH, 0.0);
        assert_near(norn_reference_clip(count, network->gradients, g->max_norm), g->norms[update], PYTORCH,
                    0.0);
        norn_reference_adam_step(&adam, count, update + 1, network->gradients, network->parameters, m, v);
        assert_close(network->parameters, g->after + update * count, count, PYTORCH);
    }
    norn_reference_network_free(network);
    drop(&a);
}

/* ---- against finite differences ---- */

/* Compares gradients with central differences of the loss by each of the values. */
static void assert_gradients(norn_reference_network *network, const norn_reference_batch *batch,
                             double *values, const double *gradients, size_t count)
{
    const double step = 1e-5, most = largest(gradients, count);
    assert_true(most > 0.0);
    for (size_t i = 0; i < count; i++) {
        const double kept = values[i];
        values[i] = kept + step;
        const double above = norn_reference_network_forward(network, batch);
        values[i] = kept - step;
        const double below = norn_reference_network_forward(network, batch);
        values[i] = kept;
        assert_near_at(gradients[i], (above - below) / (2.0 * step), 1e-7, 1e-9 * fmax(most, 1.0), i,
                       __FILE__, __LINE__);
    }
}

/* Everything at once: dropout, rows that skip steps, a missing target, a row of weight 0; every loss. */
static void gradients_of_the_whole_network_agree_with_finite_differences(void **state)
{
    (void)state;
    enum { T = 5, B = 4, F = 3, H = 5, L = 3, O = 2, BETWEEN = (L - 1) * T * B * H };
    static const unsigned char mask[T * B] = {1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1};
    static const unsigned char weight[B] = {1, 1, 1, 0};
    static const norn_loss losses[] = {NORN_LOSS_MSE, NORN_LOSS_MAE, NORN_LOSS_HUBER};
    for (size_t i = 0; i < NORN_COUNT(losses); i++) {
        arena a = {0};
        norn_reference_network *network = network_of((norn_reference_shape){T, B, F, H, L, O});
        const size_t count = norn_reference_layout_of(&network->shape, 0).count;
        double *x = take_random(&a, T * B * F, 20), *dropout = take_random(&a, BETWEEN, 21);
        double *target = take_random(&a, B * O, 22), *draw = take_random(&a, count, 23);
        double *gradients = take(&a, count);
        for (size_t p = 0; p < count; p++) network->parameters[p] = 0.7 * draw[p];
        for (size_t u = 0; u < BETWEEN; u++) dropout[u] = dropout[u] < -0.4 ? 0.0 : 1.0 / 0.7;
        for (size_t u = 0; u < B * O; u++) target[u] *= 3.0; /* both pieces of Huber's loss */
        target[3] = NAN;
        const norn_reference_batch batch = {
            .x = x, .mask = mask, .dropout = dropout, .target = target, .weight = weight, .loss = losses[i]};
        (void)run_network(network, &batch);
        memcpy(gradients, network->gradients, count * sizeof *gradients);
        assert_gradients(network, &batch, network->parameters, gradients, count);
        assert_gradients(network, &batch, x, network->dx, T * B * F);
        norn_reference_network_free(network);
        drop(&a);
    }
}

static void losses_have_the_values_of_their_formulas(void **state)
{
    (void)state;
    /* e = 0.5, 3, missing, -1, and a row that does not count: divided by 2 rows * 2 */
    static const double prediction[] = {1.0, 1.0, 5.0, -1.0, 9.0, 9.0},
                        target[] = {0.5, -2.0, NAN, 0.0, 0.0, 0.0};
    static const unsigned char weight[] = {1, 1, 0}, none[] = {0, 0, 0};
    static const struct {
        norn_loss loss;
        double value, gradient[6];
    } cases[] = {
        {NORN_LOSS_MSE, 10.25 / 4, {0.25, 1.5, 0.0, -0.5, 0.0, 0.0}},
        {NORN_LOSS_MAE, 4.5 / 4, {0.25, 0.25, 0.0, -0.25, 0.0, 0.0}},
        {NORN_LOSS_HUBER, (0.125 + 2.5 + 0.5) / 4, {0.125, 0.25, 0.0, -0.25, 0.0, 0.0}},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        double gradient[6];
        assert_near(norn_reference_loss(cases[i].loss, 3, 2, prediction, target, weight, gradient),
                    cases[i].value, 0.0, 0.0);
        for (size_t at = 0; at < 6; at++)
            assert_near_at(gradient[at], cases[i].gradient[at], 0.0, 0.0, at, __FILE__, __LINE__);
        assert_near(norn_reference_loss(cases[i].loss, 3, 2, prediction, target, none, gradient), 0.0, 0.0,
                    0.0);
        assert_near(largest(gradient, 6), 0.0, 0.0, 0.0);
        /* at e = 0 every loss is flat */
        assert_near(norn_reference_loss(cases[i].loss, 1, 2, prediction, prediction, NULL, gradient), 0.0,
                    0.0, 0.0);
        assert_near(largest(gradient, 2), 0.0, 0.0, 0.0);
    }
}

/* h = (1, 2), (3, 4); weight = (5, 6); by hand. */
static void the_head_overwrites_predictions_and_adds_to_its_gradients(void **state)
{
    (void)state;
    static const double h[] = {1.0, 2.0, 3.0, 4.0}, weight[] = {5.0, 6.0}, bias[] = {0.5}, d[] = {1.0, -2.0};
    double prediction[] = {NAN, NAN}, dh[] = {NAN, NAN, NAN, NAN}, dweight[] = {100.0, 200.0},
           dbias[] = {300.0};
    norn_reference_head_forward(2, 2, 1, h, weight, bias, prediction);
    norn_reference_head_backward(2, 2, 1, h, weight, d, dh, dweight, dbias);
    assert_close(prediction, ((const double[]){17.5, 39.5}), 2, 0.0);
    assert_close(dh, ((const double[]){5.0, 6.0, -10.0, -12.0}), 4, 0.0);
    assert_close(dweight, ((const double[]){95.0, 194.0}), 2, 0.0);
    assert_close(dbias, ((const double[]){299.0}), 1, 0.0);
}

/* ---- what must hold by itself ---- */

/* A row that skips steps is the same row without them. Its x there is NaN: nobody may read it. */
static void skipped_steps_equal_a_shorter_sequence(void **state)
{
    (void)state;
    enum { T = 6, B = 2, I = 3, H = 5, KEPT = 3 };
    static const struct {
        size_t kept[KEPT]; /* the steps that are not skipped; each row skips the same */
    } cases[] = {{{0, 1, 2}}, {{3, 4, 5}}, {{0, 2, 5}}};
    for (size_t n = 0; n < NORN_COUNT(cases); n++) {
        for (int reverse = 0; reverse < 2; reverse++) {
            arena a = {0};
            layer masked = take_layer(&a, T, B, I, H), whole = take_layer(&a, KEPT, B, I, H);
            unsigned char mask[T * B] = {0};
            double *x = take(&a, T * B * I), *dh = take(&a, T * B * H);
            for (size_t i = 0; i < T * B * I; i++) x[i] = NAN;
            for (size_t t = 0; t < KEPT; t++) {
                memset(mask + cases[n].kept[t] * B, 1, B);
                memcpy(x + cases[n].kept[t] * B * I, whole.f.x + t * B * I, B * I * sizeof *x);
                memcpy(dh + cases[n].kept[t] * B * H, whole.b.dh + t * B * H, B * H * sizeof *dh);
            }
            masked.f.x = x;
            masked.b.dh = dh;
            masked.f.mask = mask;
            masked.f.reverse = whole.f.reverse = reverse;
            run_layer(&masked);
            run_layer(&whole);
            const size_t last = reverse ? 0 : T - 1, whole_last = reverse ? 0 : KEPT - 1;
            assert_close(masked.f.h + last * B * H, whole.f.h + whole_last * B * H, B * H, 0.0);
            assert_close(masked.f.c + last * B * H, whole.f.c + whole_last * B * H, B * H, 0.0);
            for (size_t t = 0; t < KEPT; t++) {
                const size_t at = cases[n].kept[t];
                assert_close(masked.f.h + at * B * H, whole.f.h + t * B * H, B * H, 0.0);
                assert_close(masked.b.dx + at * B * I, whole.b.dx + t * B * I, B * I, 0.0);
            }
            for (size_t t = 0; t < T; t++) {
                if (mask[t * B]) continue;
                assert_near(largest(masked.f.gates + t * B * 4 * H, B * 4 * H), 0.0, 0.0, 0.0);
                assert_near(largest(masked.b.dgates + t * B * 4 * H, B * 4 * H), 0.0, 0.0, 0.0);
                assert_near(largest(masked.b.dx + t * B * I, B * I), 0.0, 0.0, 0.0);
            }
            assert_same_parameter_gradients(&masked, &whole, 0.0);
            drop(&a);
        }
    }
}

/* A window that begins late has its first steps masked in all layers. */
static void a_network_skips_masked_steps_in_every_layer(void **state)
{
    (void)state;
    enum { T = 5, LATE = 2, B = 2, F = 2, H = 3, L = 3, O = 2 };
    arena a = {0};
    norn_reference_network *late = network_of((norn_reference_shape){T, B, F, H, L, O});
    norn_reference_network *shorter = network_of((norn_reference_shape){T - LATE, B, F, H, L, O});
    const size_t count = norn_reference_layout_of(&late->shape, 0).count;
    const double *parameters = take_random(&a, count, 40), *target = take_random(&a, B * O, 41);
    double *x = take_random(&a, T * B * F, 42);
    unsigned char mask[T * B];
    poison(x, LATE * B * F);
    memset(mask, 1, sizeof mask);
    memset(mask, 0, LATE * B);
    memcpy(late->parameters, parameters, count * sizeof *parameters);
    memcpy(shorter->parameters, parameters, count * sizeof *parameters);
    const norn_reference_batch masked = {.x = x, .mask = mask, .target = target};
    const norn_reference_batch plain = {.x = x + LATE * B * F, .target = target};
    assert_near(run_network(late, &masked), run_network(shorter, &plain), 0.0, 0.0);
    assert_close(late->prediction, shorter->prediction, B * O, 0.0);
    assert_close(late->gradients, shorter->gradients, count, 0.0);
    assert_near(largest(late->dx, LATE * B * F), 0.0, 0.0, 0.0);
    assert_close(late->dx + LATE * B * F, shorter->dx, (T - LATE) * B * F, 0.0);
    norn_reference_network_free(late);
    norn_reference_network_free(shorter);
    drop(&a);
}

/* The output of a skipped step is the old one, and so its gradient belongs to the step that made it. */
static void the_gradient_at_a_skipped_output_reaches_the_step_that_made_it(void **state)
{
    (void)state;
    enum { T = 3, B = 1, I = 2, H = 3 };
    static const unsigned char mask[T * B] = {1, 0, 0};
    arena a = {0};
    layer skipping = take_layer(&a, T, B, I, H), single = take_layer(&a, 1, B, I, H);
    double *dh = take(&a, H);
    for (size_t t = 0; t < T; t++)
        for (size_t j = 0; j < H; j++) dh[j] += skipping.b.dh[t * H + j];
    skipping.f.mask = mask;
    single.b.dh = dh;
    run_layer(&skipping);
    run_layer(&single);
    for (size_t t = 0; t < T; t++) assert_close(skipping.f.h + t * H, single.f.h, H, 0.0);
    assert_same_parameter_gradients(&skipping, &single, 1e-15);
    drop(&a);
}

static void reverse_equals_forward_on_the_flipped_input(void **state)
{
    (void)state;
    enum { T = 5, B = 3, I = 2, H = 4 };
    arena a = {0};
    layer back = take_layer(&a, T, B, I, H), flipped = take_layer(&a, T, B, I, H);
    double *x = take(&a, T * B * I), *dh = take(&a, T * B * H);
    for (size_t t = 0; t < T; t++) {
        memcpy(x + t * B * I, back.f.x + (T - 1 - t) * B * I, B * I * sizeof *x);
        memcpy(dh + t * B * H, back.b.dh + (T - 1 - t) * B * H, B * H * sizeof *dh);
    }
    back.f.reverse = true;
    flipped.f.x = x;
    flipped.b.dh = dh;
    run_layer(&back);
    run_layer(&flipped);
    for (size_t t = 0; t < T; t++) {
        assert_close(back.f.h + t * B * H, flipped.f.h + (T - 1 - t) * B * H, B * H, 0.0);
        assert_close(back.b.dx + t * B * I, flipped.b.dx + (T - 1 - t) * B * I, B * I, 0.0);
    }
    assert_same_parameter_gradients(&back, &flipped, 0.0);
    drop(&a);
}

/* Chunks by any cut, with the state and the gradients carried over, give the bits of the whole. */
static void chunks_with_carried_states_equal_the_whole(void **state)
{
    (void)state;
    enum { T = 7, B = 3, I = 2, H = 4 };
    static const unsigned char mask[T * B] = {1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0};
    static const size_t cuts[][4] = {{0, 3, 7, 7}, {0, 1, 2, 7}, {0, 6, 7, 7}, {0, 2, 5, 7}};
    for (size_t n = 0; n < NORN_COUNT(cuts); n++) {
        for (int reverse = 0; reverse < 2; reverse++) {
            arena a = {0};
            layer whole = take_layer(&a, T, B, I, H), cut = take_layer(&a, T, B, I, H);
            const double *h0 = cut.f.h0, *c0 = cut.f.c0;
            whole.f.mask = cut.f.mask = mask;
            whole.f.reverse = cut.f.reverse = reverse;
            run_layer(&whole);
            for (size_t pass = 0; pass < 2; pass++) { /* forward, then backward */
                for (size_t step = 0; step < 3; step++) {
                    /* chunks in the order of their steps, or for the backward pass against it */
                    const size_t chunk = reverse == (int)pass ? step : 2 - step;
                    const size_t t0 = cuts[n][chunk], t1 = cuts[n][chunk + 1];
                    const bool starts = reverse ? t1 == T : t0 == 0;
                    const size_t before = reverse ? t1 : t0 - 1;
                    cut.f.h0 = starts ? h0 : cut.f.h + before * B * H;
                    cut.f.c0 = starts ? c0 : cut.f.c + before * B * H;
                    if (pass == 0) {
                        norn_reference_lstm_forward(&cut.f, t0, t1);
                    } else {
                        norn_reference_lstm_backward(&cut.f, &cut.b, t0, t1);
                        cut.b.dh_last = cut.b.dh0;
                        cut.b.dc_last = cut.b.dc0;
                    }
                }
            }
            assert_close(cut.f.h, whole.f.h, T * B * H, 0.0);
            assert_close(cut.f.c, whole.f.c, T * B * H, 0.0);
            assert_close(cut.f.gates, whole.f.gates, T * B * 4 * H, 0.0);
            assert_close(cut.b.dgates, whole.b.dgates, T * B * 4 * H, 0.0);
            assert_close(cut.b.dx, whole.b.dx, T * B * I, 0.0);
            assert_same_parameter_gradients(&cut, &whole, 0.0);
            drop(&a);
        }
    }
}

static void absent_states_and_gradients_stand_for_zeros(void **state)
{
    (void)state;
    enum { T = 3, B = 2, I = 2, H = 3 };
    arena a = {0};
    layer absent = take_layer(&a, T, B, I, H), zeros = take_layer(&a, T, B, I, H);
    absent.f.h0 = absent.f.c0 = absent.b.dh_last = absent.b.dc_last = NULL;
    zeros.f.h0 = zeros.f.c0 = zeros.b.dh_last = zeros.b.dc_last = take(&a, B * H);
    run_layer(&absent);
    run_layer(&zeros);
    assert_close(absent.f.h, zeros.f.h, T * B * H, 0.0);
    assert_same_parameter_gradients(&absent, &zeros, 0.0);

    /* No gradient at the outputs, none wanted at the inputs: only what the later chunk hands over. */
    layer last = take_layer(&a, T, B, I, H);
    last.b.dh = NULL;
    last.b.dx = NULL;
    run_layer(&last);
    assert_true(largest(last.b.dw_hh, 4 * H * H) > 0.0);
    drop(&a);
}

/* ---- products, optimiser, memory ---- */

static void gemm_multiplies_every_way_of_lying(void **state)
{
    (void)state;
    enum { M = 3, N = 4, K = 5, WIDE = 7 };
    arena a = {0};
    double *A = take_random(&a, M * K, 30), *B = take_random(&a, K * N, 31), *C = take_random(&a, M * N, 32);
    for (int way = 0; way < 4; way++) {
        const bool at = way & 1, bt = way & 2;
        double *lying_a = take_random(&a, WIDE * WIDE, 33), *lying_b = take_random(&a, WIDE * WIDE, 34);
        double *c = take_random(&a, M * WIDE, 35), *kept = take_random(&a, M * WIDE, 35);
        double *fresh = take(&a, M * WIDE);
        for (size_t i = 0; i < M; i++)
            for (size_t k = 0; k < K; k++) lying_a[at ? k * WIDE + i : i * WIDE + k] = A[i * K + k];
        for (size_t k = 0; k < K; k++)
            for (size_t j = 0; j < N; j++) lying_b[bt ? j * WIDE + k : k * WIDE + j] = B[k * N + j];
        for (size_t i = 0; i < M * WIDE; i++) fresh[i] = NAN;
        for (size_t i = 0; i < M; i++) memcpy(c + i * WIDE, C + i * N, N * sizeof *c);
        norn_reference_gemm(at, bt, M, N, K, 1.5, lying_a, WIDE, lying_b, WIDE, -0.5, c, WIDE);
        norn_reference_gemm(at, bt, M, N, K, 1.0, lying_a, WIDE, lying_b, WIDE, 0.0, fresh, WIDE);
        for (size_t i = 0; i < M; i++) {
            for (size_t j = 0; j < WIDE; j++) {
                double sum = 0.0;
                for (size_t k = 0; k < K && j < N; k++) sum += A[i * K + k] * B[k * N + j];
                assert_near(c[i * WIDE + j], j < N ? 1.5 * sum - 0.5 * C[i * N + j] : kept[i * WIDE + j],
                            1e-14, 1e-15);
                if (j < N) assert_near(fresh[i * WIDE + j], sum, 1e-14, 1e-15);
                if (j >= N) assert_true(isnan(fresh[i * WIDE + j])); /* nothing written beside C */
            }
        }
    }
    drop(&a);
}

static void the_fma_chain_ascends_and_rounds_once_a_term(void **state)
{
    (void)state;
    /* (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: rounding the product first would lose the last term. */
    const float a = 1.0f + 0x1p-12f;
    assert_near(norn_reference_fma_chain(1, &a, 1, &a, 1, -1.0f), 0x1p-11 + 0x1p-24, 0.0, 0.0);

    /* Ascending: 2^24 + 1 - 2^24 is 0 in floats, any order that cancels first gives 1. Strides 2 and 3. */
    const float terms[] = {0x1p24f, 5.0f, 1.0f, 5.0f, -0x1p24f},
                ones[] = {1.0f, 9.0f, 9.0f, 1.0f, 9.0f, 9.0f, 1.0f};
    assert_near(norn_reference_fma_chain(3, terms, 2, ones, 3, 0.0f), 0.0, 0.0, 0.0);
    assert_near(norn_reference_fma_chain(2, terms + 2, 2, ones, 3, 0x1p24f), 0.0, 0.0, 0.0);
    assert_near(norn_reference_fma_chain(0, terms, 1, ones, 1, 2.5f), 2.5, 0.0, 0.0);
}

static void clipping_scales_to_the_norm_and_leaves_short_gradients_alone(void **state)
{
    (void)state;
    double long_one[] = {3.0, -4.0}, short_one[] = {0.3, -0.4}, broken[] = {NAN, 1.0};
    assert_near(norn_reference_clip(2, long_one, 1.0), 5.0, 0.0, 0.0);
    assert_near(long_one[0], 3.0 / (5.0 + 1e-6), 1e-15, 0.0);
    assert_near(long_one[1], -4.0 / (5.0 + 1e-6), 1e-15, 0.0);
    assert_near(norn_reference_clip(2, short_one, 1.0), 0.5, 1e-15, 0.0);
    assert_near(short_one[0], 0.3, 0.0, 0.0);
    assert_near(short_one[1], -0.4, 0.0, 0.0);
    assert_true(isnan(norn_reference_clip(2, broken, 1.0)));
    assert_true(isnan(broken[0]) && isnan(broken[1]));
}

static void the_layout_has_no_holes(void **state)
{
    (void)state;
    const norn_reference_shape shape = {7, 2, 3, 5, 4, 6};
    size_t next = 0;
    for (size_t l = 0; l < shape.layers; l++) {
        const norn_reference_layout at = norn_reference_layout_of(&shape, l);
        assert_int_equal(at.inputs, l ? 5 : 3);
        assert_int_equal(at.w_ih, next);
        assert_int_equal(at.w_hh, next += 20 * at.inputs);
        assert_int_equal(at.bias, next += 20 * 5);
        next += 20;
    }
    const norn_reference_layout at = norn_reference_layout_of(&shape, 0);
    assert_int_equal(at.head_weight, next);
    assert_int_equal(at.head_bias, next + 6 * 5);
    assert_int_equal(at.count, next + 6 * 5 + 6);
}

static void a_shape_with_a_zero_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        size_t sizes[6] = {2, 2, 2, 2, 2, 2};
        sizes[i] = 0;
        const norn_reference_shape shape = {sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]};
        norn_error err = NORN_ERROR_INIT;
        norn_reference_network *network = NULL;
        assert_int_equal(norn_reference_network_new(&network, &shape, NULL, &err), NORN_ERR_USAGE);
        assert_int_equal(err.status, NORN_ERR_USAGE);
        assert_null(network);
    }
}

/* A host whose memory ends after some blocks, and that counts the bytes it still has out. */
typedef struct poor_host {
    size_t blocks_left, bytes_out;
} poor_host;

static void *poor_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    poor_host *host = user;
    if (new_size == 0) {
        host->bytes_out -= old_size;
        free(ptr);
        return NULL;
    }
    if (host->blocks_left == 0) return NULL;
    host->blocks_left--;
    host->bytes_out += new_size - old_size;
    return realloc(ptr, new_size);
}

static void exhausted_memory_is_reported_and_nothing_is_lost(void **state)
{
    (void)state;
    const norn_reference_shape shape = {2, 2, 1, 2, 2, 1};
    norn_status status = NORN_ERR_MEMORY;
    size_t blocks = 0;
    for (; status != NORN_OK; blocks++) {
        assert_true(blocks < 100);
        poor_host poor = {blocks, 0};
        const norn_host host = {.size = sizeof host, .user = &poor, .resize = poor_resize};
        norn_error err = NORN_ERROR_INIT;
        norn_reference_network *network = NULL;
        status = norn_reference_network_new(&network, &shape, &host, &err);
        assert_int_equal(err.status, status);
        if (status != NORN_OK) assert_int_equal(status, NORN_ERR_MEMORY);
        norn_reference_network_free(network);
        assert_int_equal(poor.bytes_out, 0);
    }
    assert_true(blocks > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_give_the_values_and_gradients_of_pytorch),
        cmocka_unit_test(layers_in_both_directions_give_the_values_and_gradients_of_pytorch),
        cmocka_unit_test(every_wrong_order_of_gates_is_told_from_the_right_one),
        cmocka_unit_test(adam_with_clipping_takes_the_steps_of_pytorch),
        cmocka_unit_test(gradients_of_the_whole_network_agree_with_finite_differences),
        cmocka_unit_test(the_head_overwrites_predictions_and_adds_to_its_gradients),
        cmocka_unit_test(losses_have_the_values_of_their_formulas),
        cmocka_unit_test(skipped_steps_equal_a_shorter_sequence),
        cmocka_unit_test(a_network_skips_masked_steps_in_every_layer),
        cmocka_unit_test(the_gradient_at_a_skipped_output_reaches_the_step_that_made_it),
        cmocka_unit_test(reverse_equals_forward_on_the_flipped_input),
        cmocka_unit_test(chunks_with_carried_states_equal_the_whole),
        cmocka_unit_test(absent_states_and_gradients_stand_for_zeros),
        cmocka_unit_test(gemm_multiplies_every_way_of_lying),
        cmocka_unit_test(the_fma_chain_ascends_and_rounds_once_a_term),
        cmocka_unit_test(clipping_scales_to_the_norm_and_leaves_short_gradients_alone),
        cmocka_unit_test(the_layout_has_no_holes),
        cmocka_unit_test(a_shape_with_a_zero_is_refused),
        cmocka_unit_test(exhausted_memory_is_reported_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
