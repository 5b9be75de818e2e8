/*
 * One recurrent layer through the skeleton's own kernels, beside the reference: see compare.h. The strips are
 * laid out here once more, from the description at the head of kernels/sequence.cl.
 */
#include "cell/plan.h"
#include "nn/compare.h"
#include "nn/reference.h"

#include <math.h>
#include <stdio.h>

enum { T = 5, B = 3, I = 3, H = 19, KX = 4, GATES = 4 };

typedef struct layer {
    norn_context *context;
    size_t sw, hp, nj, bp;
    double x[T * B * I], w_ih[4 * H * I], w_hh[4 * H * H], bias[4 * H], state[2][H], initial[2][B * H];
    double h[T * B * H], c[T * B * H], gates[T * B * 4 * H], dh[T * B * H], dgates[T * B * 4 * H];
    double dx[T * B * I], dw_ih[4 * H * I], dw_hh[4 * H * H], dbias[4 * H], dh0[B * H], dc0[B * H];
    unsigned char mask[T * B];
} layer;

static void draw(double *to, size_t n, norn_key key, uint32_t stream)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (double)(float)(norn_random_unit(norn_random(key, (uint32_t)i, stream, 0, 0).word[0]) - 0.5);
}

static void reference(layer *l, bool reverse)
{
    for (size_t b = 0; b < B; b++)
        for (size_t u = 0; u < H; u++)
            for (size_t q = 0; q < 2; q++) l->initial[q][b * H + u] = l->state[q][u];
    const norn_reference_lstm one = {.steps = T,
                                     .rows = B,
                                     .inputs = I,
                                     .hidden = H,
                                     .reverse = reverse,
                                     .x = l->x,
                                     .w_ih = l->w_ih,
                                     .w_hh = l->w_hh,
                                     .bias = l->bias,
                                     .h0 = l->initial[0],
                                     .c0 = l->initial[1],
                                     .mask = l->mask,
                                     .h = l->h,
                                     .c = l->c,
                                     .gates = l->gates};
    const norn_reference_lstm_gradients gradients = {.dh = l->dh,
                                                     .dgates = l->dgates,
                                                     .dx = l->dx,
                                                     .dw_ih = l->dw_ih,
                                                     .dw_hh = l->dw_hh,
                                                     .dbias = l->dbias,
                                                     .dh0 = l->dh0,
                                                     .dc0 = l->dc0};
    norn_reference_lstm_forward(&one, 0, T);
    norn_reference_lstm_backward(&one, &gradients, 0, T);
}

/* Element (row, unit) of an array of `rows` rows with `wide` floats a unit strip. */
static size_t at(const layer *l, size_t rows, size_t row, size_t unit, size_t gate, size_t gates)
{
    return ((unit / l->sw * rows + row) * gates + gate) * l->sw + unit % l->sw;
}

/* The first column strip of the tile that holds `column`, and the tile's width: tiles of 4, 2 and 1. */
static size_t tile_of(size_t column, size_t columns, size_t *width)
{
    const size_t fours = columns / 4 * 4;
    if (column < fours) return *width = 4, column / 4 * 4;
    if (columns - fours >= 2 && column < fours + 2) return *width = 2, fours;
    return *width = 1, column;
}

static void worst(double *error, double largest, double off)
{
    if (!(off / largest <= *error)) *error = off / largest;
}

norn_status norn_compare_sequence(norn_context *context, bool reverse, uint64_t seed, double *error,
                                  norn_error *err)
{
    static const char *const files[] = {"sequence", NULL};
    static const char *const names[] = {"sequence_forward", "sequence_backward", "initial_state",
                                        "initial_state_gradient"};
    const norn_host *host = &context->host;
    const size_t sw = (size_t)context->local * context->vector, hp = (H + sw - 1) / sw * sw, nj = hp / sw;
    const size_t bp = (B + context->rows - 1) / context->rows * context->rows;
    const size_t sizes[] = {T * bp * KX,
                            (KX + hp) * GATES * hp,
                            GATES * hp,
                            GATES * hp * hp,
                            (T + 1) * bp * hp,
                            (T + 1) * bp * hp,
                            T * bp * GATES * hp,
                            T * bp * hp,
                            bp * hp,
                            bp * hp,
                            hp,
                            hp,
                            hp};
    enum { X, W, BIAS, BACK, STATE, CARRY, KEPT, ABOVE, DH, DCARRY, H0, C0, DSTATE, ARRAYS };
    float *arrays[ARRAYS] = {NULL};
    norn_buffer buffers[ARRAYS] = {{NULL, 0, NULL}}, mask = {NULL, 0, NULL};
    norn_kernel kernels[NORN_COUNT(names)] = {{.cl = NULL}};
    norn_program *program = NULL;
    norn_cell_text text = {0};
    norn_status status = NORN_OK;
    unsigned char *steps = norn_new(host, T * bp, 1);
    layer *l = norn_new(host, 1, sizeof *l);
    if (!l || !steps) status = norn_fail_memory(err, "a comparison");
    for (size_t i = 0; i < ARRAYS && status == NORN_OK; i++)
        if (!(arrays[i] = norn_new(host, sizes[i], sizeof(float))))
            status = norn_fail_memory(err, "a comparison");
    if (status != NORN_OK) goto done;

    *l = (layer){.context = context, .sw = sw, .hp = hp, .nj = nj, .bp = bp};
    const norn_key key = norn_random_key(seed, 0, NORN_PURPOSE_ORDER);
    struct {
        double *to;
        size_t n;
    } drawn[] = {{l->x, T * B * I}, {l->w_ih, 4 * H * I}, {l->w_hh, 4 * H * H}, {l->bias, 4 * H},
                 {l->state[0], H},  {l->state[1], H},     {l->dh, T * B * H}};
    for (size_t i = 0; i < NORN_COUNT(drawn); i++) draw(drawn[i].to, drawn[i].n, key, (uint32_t)i);
    for (size_t i = 0; i < T * B; i++) l->mask[i] = i % 4 != 1;
    reference(l, reverse);

    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++) {
            steps[t * bp + b] = l->mask[t * B + b];
            for (size_t k = 0; k < I; k++)
                arrays[X][(t * bp + b) * KX + k] = (float)l->x[(t * B + b) * I + k];
            for (size_t u = 0; u < H; u++)
                arrays[ABOVE][at(l, T * bp, t * bp + b, u, 0, 1)] = (float)l->dh[(t * B + b) * H + u];
        }
    for (size_t u = 0; u < H; u++) {
        arrays[H0][u] = (float)l->state[0][u];
        arrays[C0][u] = (float)l->state[1][u];
        for (size_t q = 0; q < GATES; q++) {
            arrays[BIAS][at(l, 1, 0, u, q, GATES)] = (float)l->bias[q * H + u];
            for (size_t k = 0; k < I; k++)
                arrays[W][at(l, KX + hp, k, u, q, GATES)] = (float)l->w_ih[(q * H + u) * I + k];
            for (size_t k = 0; k < H; k++) {
                size_t width = 0;
                const size_t first = tile_of(k / sw, nj, &width), n = (u / sw * GATES + q) * sw + u % sw;
                const float w = (float)l->w_hh[(q * H + u) * H + k];
                arrays[W][at(l, KX + hp, KX + k, u, q, GATES)] = w;
                arrays[BACK][first * sw * GATES * hp + n * width * sw + (k / sw - first) * sw + k % sw] = w;
            }
        }
    }
    char options[64];
    (void)snprintf(options, sizeof options, "-DH=%d -DSEQUENCE_KERNELS", H);
    status = norn_cell_emit_builtin("lstm", host, &text, err);
    if (status == NORN_OK)
        status = norn_program_get_with(context, &program, NULL, text.bytes, files, options, err);
    for (size_t i = 0; i < NORN_COUNT(names) && status == NORN_OK; i++)
        status = norn_kernel_new(context, &kernels[i], program, names[i], err);
    for (size_t i = 0; i < ARRAYS && status == NORN_OK; i++)
        status =
            norn_buffer_new(context, &buffers[i], sizes[i] * sizeof(float), arrays[i], "a comparison", err);
    if (status == NORN_OK) status = norn_buffer_new(context, &mask, T * bp, steps, "a mask", err);

    const int64_t strip = (int64_t)((T + 1) * bp * sw), slot = reverse ? (int64_t)(T * bp) : 0;
    const size_t local = context->local, groups = bp / context->rows;
    for (size_t q = 0; q < 2 && status == NORN_OK; q++) {
        status = norn_kernel_set(&kernels[2], err, 0, "bblli", &buffers[q ? C0 : H0],
                                 &buffers[q ? CARRY : STATE], strip, slot, (int)B);
        if (status == NORN_OK) status = norn_launch(context, &kernels[2], local, nj, 1, err);
    }
    if (status == NORN_OK)
        status = norn_kernel_set(&kernels[0], err, 0, "iiiiiiiiblbbbbibb", 0, reverse ? 1 : 0, (int)T,
                                 (int)bp, 0, (int)T, (int)KX, (int)I, &buffers[X], (int64_t)0, &buffers[W],
                                 &buffers[BIAS], &buffers[STATE], &buffers[CARRY], 0, &buffers[KEPT], &mask);
    if (status == NORN_OK) status = norn_launch(context, &kernels[0], local, groups, 1, err);
    if (status == NORN_OK)
        status = norn_kernel_set(&kernels[1], err, 0, "iiiiiibbbbbbbb", 0, reverse ? 1 : 0, (int)T, (int)bp,
                                 0, (int)T, &buffers[KEPT], &buffers[BACK], &buffers[CARRY], &buffers[ABOVE],
                                 (norn_buffer *)NULL, &buffers[DH], &buffers[DCARRY], &mask);
    if (status == NORN_OK) status = norn_launch(context, &kernels[1], local, groups, 1, err);
    if (status == NORN_OK)
        status =
            norn_kernel_set(&kernels[3], err, 0, "biib", &buffers[DH], (int)bp, (int)B, &buffers[DSTATE]);
    if (status == NORN_OK) status = norn_launch(context, &kernels[3], local, nj, 1, err);
    const size_t results[] = {STATE, KEPT, DSTATE};
    for (size_t i = 0; i < NORN_COUNT(results) && status == NORN_OK; i++)
        status = norn_buffer_read(context, &buffers[results[i]], 0, arrays[results[i]],
                                  sizes[results[i]] * sizeof(float), err);
    if (status != NORN_OK) goto done;

    double largest_gate = 1e-6, largest_state = 1e-6;
    *error = 0.0;
    for (size_t i = 0; i < T * B * 4 * H; i++) largest_gate = fmax(largest_gate, fabs(l->dgates[i]));
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++)
            for (size_t u = 0; u < H; u++) {
                const size_t row = (t + !reverse) * bp + b;
                const double got = (double)arrays[STATE][at(l, (T + 1) * bp, row, u, 0, 1)];
                worst(error, 1.0, fabs(got - l->h[(t * B + b) * H + u]));
                for (size_t q = 0; q < GATES; q++)
                    worst(error, largest_gate,
                          fabs((double)arrays[KEPT][at(l, T * bp, t * bp + b, u, q, GATES)] -
                               l->dgates[((t * B + b) * 4 + q) * H + u]));
            }
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t u = 0; u < H; u++) {
            double sum = 0.0;
            for (size_t b = 0; b < B; b++) sum += l->dh0[b * H + u];
            if (pass)
                worst(error, largest_state, fabs((double)arrays[DSTATE][u] - sum));
            else
                largest_state = fmax(largest_state, fabs(sum));
        }
done:
    for (size_t i = 0; i < NORN_COUNT(kernels); i++) norn_kernel_free(&kernels[i]);
    for (size_t i = 0; i < ARRAYS; i++) {
        norn_buffer_free(&buffers[i]);
        norn_delete(host, arrays[i], sizes[i], sizeof(float));
    }
    norn_cell_text_free(host, &text);
    norn_buffer_free(&mask);
    norn_delete(host, steps, T * bp, 1);
    norn_delete(host, l, 1, sizeof *l);
    return status;
}
