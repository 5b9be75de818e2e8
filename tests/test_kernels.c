/*
 * The skeleton of recurrent layers by itself (kernels/sequence.cl with the LSTM made from its formula)
 * against the reference in double precision: every mapping, odd shapes, initial states given, zero and
 * learned, masks, both directions, time in chunks, projections fused and made beforehand. And the cell's
 * elementary functions over their whole range.
 *
 * Layouts are packed here from the words of sequence.cl, by formulas of this file's own: what network.c
 * believes of them is not asked. Paddings hold numbers that would be seen if a kernel took them for more than
 * padding: canaries (NaN) where nothing may be read, junk where the product with a padded 0 must take it
 * away.
 */
#include "device.h"

#include "cell/plan.h"

#include "nn/reference.h"

enum { GATES = 4 };
static const float junk = 3.0f;

/* ---- one layer on the host --------------------------------------------------------------------------------
 */

typedef struct layer_case {
    size_t steps, rows, inputs, hidden; /* T, B, I, H */
    bool strips_in;                     /* the input comes in strips as a layer below leaves it (I = H) */
    bool reverse, given, masked, above; /* given: initial states; above: a gradient at every output */
    bool tiny;                          /* small enough for an interpreter */
} layer_case;

static const layer_case cases[] = {
    /* T  B   I   H  strips  reverse given  masked above  tiny */
    {1, 1, 1, 1, false, false, false, false, false, true},
    {5, 3, 1, 1, false, true, true, true, true, false},
    {2, 3, 3, 5, false, false, true, false, true, true},
    {3, 2, 9, 9, true, true, true, true, true, true},
    {2, 3, 3, 17, false, false, true, false, true, false},
    {3, 2, 17, 17, true, true, true, true, true, false},
    {7, 5, 5, 17, false, true, false, true, false, false},
    {11, 13, 2, 17, false, false, true, true, true, false},
    {4, 6, 17, 17, true, false, true, true, true, false},
    {3, 4, 7, 64, false, false, true, false, true, false},
    {2, 7, 64, 64, true, true, false, true, true, false},
    {5, 2, 67, 67, true, false, true, true, true, false},
    {2, 9, 4, 67, false, true, true, false, true, false},
};

typedef struct layer {
    layer_case at;
    double *x, *w_ih, *w_hh, *bias, *h0, *c0, *dh, *dh_last, *dc_last; /* all exact as floats */
    unsigned char *mask;
    double *h, *c, *gates, *dgates, *dx, *dh0, *dc0; /* the reference's results */
} layer;

/* Runs the reference on what the layer holds. */
static void solve(layer *l)
{
    const size_t b = l->at.rows, i = l->at.inputs, n = l->at.hidden, t = l->at.steps;
    const norn_reference_lstm forward = {.steps = t,
                                         .rows = b,
                                         .inputs = i,
                                         .hidden = n,
                                         .reverse = l->at.reverse,
                                         .x = l->x,
                                         .w_ih = l->w_ih,
                                         .w_hh = l->w_hh,
                                         .bias = l->bias,
                                         .h0 = l->h0,
                                         .c0 = l->c0,
                                         .mask = l->mask,
                                         .h = l->h,
                                         .c = l->c,
                                         .gates = l->gates};
    const norn_reference_lstm_gradients backward = {.dh = l->dh,
                                                    .dh_last = l->dh_last,
                                                    .dc_last = l->dc_last,
                                                    .dgates = l->dgates,
                                                    .dx = l->dx,
                                                    .dw_ih = take_doubles(GATES * n * i),
                                                    .dw_hh = take_doubles(GATES * n * n),
                                                    .dbias = take_doubles(GATES * n),
                                                    .dh0 = l->dh0,
                                                    .dc0 = l->dc0};
    norn_reference_lstm_forward(&forward, 0, t);
    norn_reference_lstm_backward(&forward, &backward, 0, t);
}

static layer *layer_of(const layer_case *at, uint32_t stream)
{
    layer *l = take(1, sizeof *l);
    dice d = {stream, 0};
    const size_t b = at->rows, i = at->inputs, n = at->hidden, t = at->steps;
    const double scale = 1.0 / sqrt((double)(n < 4 ? 1 : n / 4)); /* gates that spread, but do not saturate */
    l->at = *at;
    l->x = draw_many(&d, t * b * i, 1.0);
    l->w_ih = draw_many(&d, GATES * n * i, scale);
    l->w_hh = draw_many(&d, GATES * n * n, scale);
    l->bias = draw_many(&d, GATES * n, 0.5);
    if (at->given) {
        l->h0 = draw_many(&d, b * n, 1.0);
        l->c0 = draw_many(&d, b * n, 1.0);
    }
    if (at->above) l->dh = draw_many(&d, t * b * n, 1.0);
    l->dh_last = draw_many(&d, b * n, 1.0);
    l->dc_last = draw_many(&d, b * n, 1.0);
    if (at->masked) {
        l->mask = take(t * b, 1);
        for (size_t k = 0; k < t * b; k++) l->mask[k] = draw(&d) < 0.3;
    }
    l->h = take_doubles(t * b * n);
    l->c = take_doubles(t * b * n);
    l->gates = take_doubles(t * b * GATES * n);
    l->dgates = take_doubles(t * b * GATES * n);
    l->dx = take_doubles(t * b * i);
    l->dh0 = take_doubles(b * n);
    l->dc0 = take_doubles(b * n);
    solve(l);
    return l;
}

/* ---- the same layer on the device -------------------------------------------------------------------------
 */

typedef struct manner {
    unsigned mapping;
    size_t chunk;   /* steps a launch; 0: all */
    bool projected; /* the input's product is made beforehand */
    bool inference; /* nothing is kept, no backward pass */
    bool learned;   /* one initial state for all rows, set by a kernel, and its gradient */
} manner;

/* Dense, without padding: the shapes of struct layer. */
typedef struct results {
    float *h, *c, *gates, *dgates, *dx, *dh0, *dc0;
    float *dlearned_h, *dlearned_c; /* [H] */
} results;

typedef struct geometry {
    size_t sw, hp, nj, kx, bp, gs;
} geometry;

static geometry geometry_of(const layer_case *at, const mapping *map)
{
    geometry g;
    g.sw = (size_t)map->local * map->vector;
    g.hp = (at->hidden + g.sw - 1) / g.sw * g.sw;
    g.nj = g.hp / g.sw;
    g.kx = at->strips_in ? g.hp : (at->inputs + 3) / 4 * 4;
    g.bp = (at->rows + map->rows - 1) / map->rows * map->rows;
    g.gs = GATES * g.sw;
    return g;
}

/* weights [strip][k < KX + HP][G][SW]. Input rows that no input has are never read in a plain input; in
 * strips they meet padded units, which are 0. Padded units of the gates get junk: they must come out as 0 all
 * the same. */
static float *pack_weights(const layer *l, const geometry *g)
{
    const size_t n = l->at.hidden, inputs = l->at.inputs;
    float *all = take_floats(g->nj * (g->kx + g->hp) * g->gs);
    for (size_t unit = 0; unit < g->hp; unit++)
        for (size_t k = 0; k < g->kx + g->hp; k++)
            for (size_t q = 0; q < GATES; q++) {
                const bool recurrent = k >= g->kx;
                const size_t column = recurrent ? k - g->kx : k;
                float value = junk;
                if (!recurrent && !l->at.strips_in && k >= inputs)
                    value = canary();
                else if (unit < n && column < (recurrent ? n : inputs))
                    value = (float)(recurrent ? l->w_hh[(q * n + unit) * n + column]
                                              : l->w_ih[(q * n + unit) * inputs + column]);
                all[(unit / g->sw * (g->kx + g->hp) + k) * g->gs + q * g->sw + unit % g->sw] = value;
            }
    return all;
}

static float *pack_bias(const layer *l, const geometry *g)
{
    float *all = take_floats(g->nj * g->gs);
    for (size_t unit = 0; unit < g->hp; unit++)
        for (size_t q = 0; q < GATES; q++)
            all[unit / g->sw * g->gs + q * g->sw + unit % g->sw] =
                unit < l->at.hidden ? (float)l->bias[q * l->at.hidden + unit] : junk;
    return all;
}

/* back: tiles of 4, 2 and 1 column strips, [tile][n < G*HP][strip of the tile][SW], n = (strip, gate, lane).
 * Rows of padded units meet gate gradients that are 0, so they hold junk. */
static float *pack_back(const layer *l, const geometry *g, bool input_gradient)
{
    const size_t n_units = l->at.hidden, inputs = l->at.inputs, columns = (input_gradient ? 2 : 1) * g->nj;
    float *all = take_floats(columns * g->sw * GATES * g->hp), *to = all;
    for (size_t first = 0, width = 0; first < columns; first += width) {
        width = columns - first >= 4 ? 4 : columns - first >= 2 ? 2 : 1;
        for (size_t strip = 0; strip < g->nj; strip++)
            for (size_t q = 0; q < GATES; q++)
                for (size_t lane = 0; lane < g->sw; lane++)
                    for (size_t column = first * g->sw; column < (first + width) * g->sw; column++) {
                        const size_t unit = strip * g->sw + lane;
                        const bool is_input = input_gradient && column < g->hp;
                        const size_t k = column - (input_gradient && !is_input ? g->hp : 0);
                        const size_t real = is_input ? inputs : n_units;
                        float value = k < real ? junk : 0.0f;
                        if (unit < n_units && k < real)
                            value = (float)(is_input ? l->w_ih[(q * n_units + unit) * inputs + k]
                                                     : l->w_hh[(q * n_units + unit) * n_units + k]);
                        *to++ = value;
                    }
    }
    return all;
}

/* Dense [times][B][units] into strips of all_rows rows at slot `first` on; padded rows and units become 0. */
static void to_strips(const geometry *g, const double *dense, size_t times, size_t rows, size_t units,
                      float *strips, size_t all_rows, size_t first)
{
    for (size_t t = 0; t < times; t++)
        for (size_t r = 0; r < g->bp; r++)
            for (size_t u = 0; u < g->hp; u++)
                strips[(u / g->sw * all_rows + (first + t) * g->bp + r) * g->sw + u % g->sw] =
                    dense && r < rows && u < units ? (float)dense[(t * rows + r) * units + u] : 0.0f;
}

/* The other way: strips of `per` numbers a unit (1 or the gates); dense [times][B][per][units], taken. */
static float *from_strips(const geometry *g, const float *strips, size_t times, size_t rows, size_t units,
                          size_t per, size_t all_rows, size_t first)
{
    float *dense = take_floats(times * rows * per * units);
    for (size_t t = 0; t < times; t++)
        for (size_t r = 0; r < rows; r++)
            for (size_t q = 0; q < per; q++)
                for (size_t u = 0; u < units; u++)
                    dense[((t * rows + r) * per + q) * units + u] =
                        strips[((u / g->sw * all_rows + (first + t) * g->bp + r) * per + q) * g->sw +
                               u % g->sw];
    return dense;
}

/* Padded units are 0 in all rows of the slots, padded rows included. */
static void assert_padding_is_zero(const char *what, const geometry *g, const float *strips, size_t units,
                                   size_t per, size_t all_rows)
{
    for (size_t row = 0; row < all_rows; row++)
        for (size_t q = 0; q < per; q++)
            for (size_t u = units; u < g->hp; u++) {
                const float value = strips[((u / g->sw * all_rows + row) * per + q) * g->sw + u % g->sw];
                if (value == 0.0f) continue;
                print_error("%s: padded unit %zu of row %zu holds %g\n", what, u, row, (double)value);
                fail();
            }
}

static norn_kernel kernel_of(norn_context *context, size_t hidden, const char *name)
{
    static const char *const files[] = {"sequence", NULL};
    norn_error err = NORN_ERROR_INIT;
    norn_cell_text text = {0};
    norn_program *program = NULL;
    norn_kernel kernel = {.cl = NULL};
    char options[80];
    (void)snprintf(options, sizeof options, "-DH=%zu -DSEQUENCE_KERNELS", hidden);
    assert_ok(norn_cell_emit_builtin("lstm", &context->host, &text, &err), &err);
    assert_ok(norn_program_get_with(context, &program, NULL, text.bytes, files, options, &err), &err);
    norn_cell_text_free(&context->host, &text);
    assert_ok(norn_kernel_new(context, &kernel, program, name, &err), &err);
    return kernel;
}

/* All arguments are set: launch, and forget the kernel. */
static void launch(norn_context *context, norn_kernel *kernel, size_t groups)
{
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_launch(context, kernel, context->local, groups, 1, &err), &err);
    assert_ok(norn_finish(context, &err), &err);
    norn_kernel_free(kernel);
}

/* The product of the input with its weights, strip by strip, where the gates will stand. */
static void project(norn_context *context, const layer *l, const geometry *g, const guarded *x,
                    const guarded *weights, const guarded *kept)
{
    const size_t rows = l->at.steps * g->bp;
    norn_error err = NORN_ERROR_INIT;
    for (size_t j = 0; j < g->nj; j++)
        assert_ok(norn_gemm(context, NORN_GEMM_OWN, false, false, rows, g->gs, l->at.inputs,
                            (norn_matrix){&x->buffer, 0, g->kx},
                            (norn_matrix){&weights->buffer, j * (g->kx + g->hp) * g->gs, g->gs},
                            (norn_matrix){&kept->buffer, j * rows * g->gs, g->gs}, false, &err),
                  &err);
}

static void learned_state(norn_context *context, const layer *l, const geometry *g, const double *state,
                          const guarded *array, size_t slot)
{
    float *strips = take_floats(g->hp);
    for (size_t u = 0; u < l->at.hidden; u++) strips[u] = (float)state[u];
    const guarded *given = guard(context, g->hp, strips, "state");
    norn_kernel kernel = kernel_of(context, l->at.hidden, "initial_state");
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_kernel_set(&kernel, &err, 0, "bblli", &given->buffer, &array->buffer,
                              (int64_t)((l->at.steps + 1) * g->bp * g->sw), (int64_t)(slot * g->bp),
                              (int)l->at.rows),
              &err);
    launch(context, &kernel, g->nj);
}

static float *learned_gradient(norn_context *context, const layer *l, const geometry *g,
                               const guarded *dstate)
{
    const guarded *gradient = guard(context, g->hp, NULL, "gradient of the learned state");
    norn_kernel kernel = kernel_of(context, l->at.hidden, "initial_state_gradient");
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_kernel_set(&kernel, &err, 0, "biib", &dstate->buffer, (int)g->bp, (int)l->at.rows,
                              &gradient->buffer),
              &err);
    launch(context, &kernel, g->nj);
    return floats_of(context, gradient);
}

static results run(const layer *l, const manner *how)
{
    norn_context *context = context_of(how->mapping);
    const geometry g = geometry_of(&l->at, &mappings[how->mapping]);
    const size_t t = l->at.steps, b = l->at.rows, n = l->at.hidden, all = t * g.bp;
    const size_t groups = g.bp / mappings[how->mapping].rows, chunk = how->chunk ? how->chunk : t;
    const int reverse = l->at.reverse ? 1 : 0, strips_in = l->at.strips_in ? 1 : 0;
    const size_t start = l->at.reverse ? t : 0; /* the slot that holds the state before the first step */
    norn_error err = NORN_ERROR_INIT;
    results out = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

    float *x = take_floats(all * g.kx);
    if (l->at.strips_in)
        to_strips(&g, l->x, t, b, l->at.inputs, x, all, 0);
    else
        for (size_t row = 0; row < all; row++)
            for (size_t k = 0; k < g.kx; k++) {
                const size_t r = row % g.bp;
                x[row * g.kx + k] = k >= l->at.inputs ? canary()
                                    : r < b           ? (float)l->x[(row / g.bp * b + r) * l->at.inputs + k]
                                                      : 0.0f;
            }
    unsigned char *mask = take((all + 3) / 4 * 4, 1);
    for (size_t row = 0; row < all; row++)
        mask[row] = !l->mask || row % g.bp >= b || l->mask[row / g.bp * b + row % g.bp];
    float *h = take_floats((t + 1) * g.bp * g.hp), *c = take_floats((t + 1) * g.bp * g.hp);
    for (size_t i = 0; i < (t + 1) * g.bp * g.hp; i++) h[i] = c[i] = canary();
    to_strips(&g, how->learned ? NULL : l->h0, 1, b, n, h, (t + 1) * g.bp, start);
    to_strips(&g, how->learned ? NULL : l->c0, 1, b, n, c, (t + 1) * g.bp, start);

    const guarded *dx_in = guard(context, all * g.kx, x, "x"),
                  *weights = guard(context, g.nj * (g.kx + g.hp) * g.gs, pack_weights(l, &g), "weights"),
                  *bias = guard(context, g.nj * g.gs, pack_bias(l, &g), "bias"),
                  *dh_at = guard(context, (t + 1) * g.bp * g.hp, h, "h"),
                  *dc_at = guard(context, (t + 1) * g.bp * g.hp, c, "carry"),
                  *kept = guard(context, all * GATES * g.hp, NULL, "kept"),
                  *masks = guard(context, (all + 3) / 4, NULL, "mask");
    guarded masks_in_use = *masks;
    assert_ok(norn_buffer_write(context, &masks_in_use.buffer, 0, mask, all, &err), &err);
    const norn_buffer *mask_buffer = l->mask ? &masks->buffer : NULL;
    if (how->learned) {
        learned_state(context, l, &g, l->h0, dh_at, start);
        learned_state(context, l, &g, l->c0, dc_at, start);
    }
    if (how->projected) project(context, l, &g, dx_in, weights, kept);
    for (size_t from = 0; from < t; from += chunk) {
        norn_kernel kernel = kernel_of(context, n, "sequence_forward");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiiiiblbbbbibb", strips_in, reverse, (int)t,
                                  (int)g.bp, (int)from, (int)(from + chunk < t ? from + chunk : t), (int)g.kx,
                                  (int)l->at.inputs, &dx_in->buffer, (int64_t)(all * g.sw), &weights->buffer,
                                  &bias->buffer, &dh_at->buffer, &dc_at->buffer, how->projected ? 1 : 0,
                                  how->inference ? NULL : &kept->buffer, mask_buffer),
                  &err);
        launch(context, &kernel, groups);
    }
    assert_canaries(context);
    const float *h_all = floats_of(context, dh_at), *c_all = floats_of(context, dc_at);
    assert_padding_is_zero("h", &g, h_all, n, 1, (t + 1) * g.bp);
    assert_padding_is_zero("carry", &g, c_all, n, 1, (t + 1) * g.bp);
    out.h = from_strips(&g, h_all, t, b, n, 1, (t + 1) * g.bp, l->at.reverse ? 0 : 1);
    out.c = from_strips(&g, c_all, t, b, n, 1, (t + 1) * g.bp, l->at.reverse ? 0 : 1);
    const float *kept_all = floats_of(context, kept);
    out.gates = from_strips(&g, kept_all, t, b, n, GATES, all, 0);
    if (how->inference) return out;

    const bool input_gradient = l->at.strips_in;
    float *above = take_floats(all * g.hp), *dh = take_floats(g.bp * g.hp), *dc = take_floats(g.bp * g.hp);
    to_strips(&g, l->dh, t, b, n, above, all, 0);
    to_strips(&g, l->dh_last, 1, b, n, dh, g.bp, 0);
    to_strips(&g, l->dc_last, 1, b, n, dc, g.bp, 0);
    const guarded *above_at = guard(context, all * g.hp, above, "above"),
                  *dstate = guard(context, g.bp * g.hp, dh, "dh"),
                  *dcarry = guard(context, g.bp * g.hp, dc, "dcarry"),
                  *dx = guard(context, all * g.hp, NULL, "dx"),
                  *back = guard(context, (size_t)(input_gradient ? 2 : 1) * GATES * g.hp * g.hp,
                                pack_back(l, &g, input_gradient), "back");
    for (size_t end = t; end > 0;) {
        const size_t from = (end - 1) / chunk * chunk;
        norn_kernel kernel = kernel_of(context, n, "sequence_backward");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiibbbbbbbb", input_gradient ? 1 : 0, reverse, (int)t,
                                  (int)g.bp, (int)from, (int)end, &kept->buffer, &back->buffer,
                                  &dc_at->buffer, l->dh ? &above_at->buffer : NULL,
                                  input_gradient ? &dx->buffer : NULL, &dstate->buffer, &dcarry->buffer,
                                  mask_buffer),
                  &err);
        launch(context, &kernel, groups);
        end = from;
    }
    if (how->learned) {
        out.dlearned_h = learned_gradient(context, l, &g, dstate);
        out.dlearned_c = learned_gradient(context, l, &g, dcarry);
    }
    assert_canaries(context);
    const float *dgates = floats_of(context, kept), *dc_all = floats_of(context, dcarry);
    assert_padding_is_zero("gate gradients", &g, dgates, n, GATES, all);
    assert_padding_is_zero("dcarry", &g, dc_all, n, 1, g.bp);
    out.dgates = from_strips(&g, dgates, t, b, n, GATES, all, 0);
    if (input_gradient) out.dx = from_strips(&g, floats_of(context, dx), t, b, l->at.inputs, 1, all, 0);
    out.dh0 = from_strips(&g, floats_of(context, dstate), 1, b, n, 1, g.bp, 0);
    out.dc0 = from_strips(&g, dc_all, 1, b, n, 1, g.bp, 0);
    return out;
}

/* ---- tests of the skeleton --------------------------------------------------------------------------------
 */

/* Single precision against double; measured 3e-7 forward, 8e-7 backward. */
static const double forward_bound = 2e-6, backward_bound = 5e-6;

static void assert_forward(const layer *l, const results *got)
{
    const size_t rows = l->at.steps * l->at.rows, n = l->at.hidden;
    assert_tensor("h", got->h, l->h, rows * n, forward_bound);
    assert_tensor("c", got->c, l->c, rows * n, forward_bound);
    for (size_t row = 0; row < rows; row++) /* the gates of a step that was skipped mean nothing */
        if (!l->mask || l->mask[row])
            assert_tensor("gates", got->gates + row * GATES * n, l->gates + row * GATES * n, GATES * n,
                          forward_bound);
}

static void assert_backward(const layer *l, const results *got)
{
    const size_t rows = l->at.steps * l->at.rows, n = l->at.hidden;
    assert_tensor("gate gradients", got->dgates, l->dgates, rows * GATES * n, backward_bound);
    if (got->dx) assert_tensor("dx", got->dx, l->dx, rows * l->at.inputs, backward_bound);
    assert_tensor("dh0", got->dh0, l->dh0, l->at.rows * n, backward_bound);
    assert_tensor("dc0", got->dc0, l->dc0, l->at.rows * n, backward_bound);
}

static void assert_same_forward(const layer *l, const results *got, const results *want)
{
    const size_t rows = l->at.steps * l->at.rows, n = l->at.hidden;
    assert_bits("h", got->h, want->h, rows * n);
    assert_bits("c", got->c, want->c, rows * n);
    for (size_t row = 0; row < rows; row++)
        if (!l->mask || l->mask[row])
            assert_bits("gates", got->gates + row * GATES * n, want->gates + row * GATES * n, GATES * n);
}

static void assert_same_backward(const layer *l, const results *got, const results *want)
{
    const size_t rows = l->at.steps * l->at.rows, n = l->at.hidden;
    assert_bits("gate gradients", got->dgates, want->dgates, rows * GATES * n);
    if (got->dx) assert_bits("dx", got->dx, want->dx, rows * l->at.inputs);
    assert_bits("dh0", got->dh0, want->dh0, l->at.rows * n);
    assert_bits("dc0", got->dc0, want->dc0, l->at.rows * n);
}

/* Calls for every case that is wanted, each with memory of its own. */
static void for_each_case(void (*check)(const layer *l))
{
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        if (is_tiny() ? !cases[i].tiny : cases[i].tiny && cases[i].rows > 1) continue;
        check(layer_of(&cases[i], (uint32_t)i + 1));
        (void)free_taken(NULL);
    }
}

/* The narrower vectors take part at one hidden size, which makes them all paddings there are. An interpreter
 * gets groups of one and of few items, and a single step of a group of 64. */
static bool takes_part(const layer *l, unsigned index)
{
    if (is_tiny()) return index == FEW_ITEMS || index == NARROW;
    return index == WIDE || index == MANY_ITEMS || (index != FEW_ITEMS && l->at.hidden == 17);
}

static void check_reference(const layer *l)
{
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m) && !(m == MANY_ITEMS && l->at.rows == 1)) continue;
        const results got = run(l, &(manner){.mapping = m});
        assert_forward(l, &got);
        assert_backward(l, &got);
    }
}

static void forward_and_backward_equal_the_reference(void **state)
{
    (void)state;
    for_each_case(check_reference);
}

static void check_mappings(const layer *l)
{
    const results one = run(l, &(manner){.mapping = is_tiny() ? FEW_ITEMS : MANY_ITEMS});
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results other = run(l, &(manner){.mapping = m});
        assert_same_forward(l, &other, &one);
    }
}

static void every_mapping_gives_the_same_bits_forward(void **state)
{
    (void)state;
    for_each_case(check_mappings);
}

static void check_chunks(const layer *l)
{
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results whole = run(l, &(manner){.mapping = m});
        for (size_t chunk = 1; chunk < l->at.steps; chunk += 2) {
            const results cut = run(l, &(manner){.mapping = m, .chunk = chunk});
            assert_same_forward(l, &cut, &whole);
            assert_same_backward(l, &cut, &whole);
        }
    }
}

static void chunks_of_time_give_the_bits_of_the_whole(void **state)
{
    (void)state;
    for_each_case(check_chunks);
}

static void check_projection(const layer *l)
{
    if (l->at.strips_in) return; /* one chain over all inputs needs them in one matrix */
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results fused = run(l, &(manner){.mapping = m}),
                      made = run(l, &(manner){.mapping = m, .projected = true});
        assert_same_forward(l, &made, &fused);
        assert_same_backward(l, &made, &fused);
    }
}

static void a_projection_made_beforehand_gives_the_bits_of_the_fused_one(void **state)
{
    (void)state;
    for_each_case(check_projection);
}

static void check_inference(const layer *l)
{
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results kept = run(l, &(manner){.mapping = m}),
                      none = run(l, &(manner){.mapping = m, .inference = true});
        assert_bits("h", none.h, kept.h, l->at.steps * l->at.rows * l->at.hidden);
        assert_bits("c", none.c, kept.c, l->at.steps * l->at.rows * l->at.hidden);
    }
}

static void inference_keeps_nothing_and_gives_the_same_bits(void **state)
{
    (void)state;
    for_each_case(check_inference);
}

/* A state learned is one for all rows; its gradient is the sum of theirs, in their order. */
static void check_learned(const layer *l)
{
    const size_t n = l->at.hidden, b = l->at.rows;
    if (!l->h0) return;
    for (size_t r = 1; r < b; r++) {
        memcpy(l->h0 + r * n, l->h0, n * sizeof(double));
        memcpy(l->c0 + r * n, l->c0, n * sizeof(double));
    }
    layer same = *l;
    solve(&same);
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results given = run(&same, &(manner){.mapping = m}),
                      got = run(&same, &(manner){.mapping = m, .learned = true});
        assert_forward(&same, &got);
        assert_same_forward(&same, &got, &given);
        assert_same_backward(&same, &got, &given);
        for (size_t u = 0; u < n; u++) {
            float dh = 0.0f, dc = 0.0f;
            for (size_t r = 0; r < b; r++) {
                dh += given.dh0[r * n + u];
                dc += given.dc0[r * n + u];
            }
            assert_bits("gradient of h0", got.dlearned_h + u, &dh, 1);
            assert_bits("gradient of c0", got.dlearned_c + u, &dc, 1);
        }
    }
}

static void a_learned_state_stands_in_every_row_and_gathers_their_gradients(void **state)
{
    (void)state;
    for_each_case(check_learned);
}

/* Rows of which every step is skipped: the state passes through untouched, and so does its gradient. */
static void a_row_without_steps_hands_its_state_and_its_gradient_on(void **state)
{
    (void)state;
    const layer_case at = {3, 5, 2, is_tiny() ? 5 : 17, false, false, true, true, false, true};
    layer *l = layer_of(&at, 99);
    memset(l->mask, 0, at.steps * at.rows);
    float *h0 = take_floats(at.rows * at.hidden), *dh0 = take_floats(at.rows * at.hidden),
          *dc0 = take_floats(at.rows * at.hidden);
    for (size_t i = 0; i < at.rows * at.hidden; i++) {
        h0[i] = (float)l->h0[i];
        dh0[i] = (float)l->dh_last[i];
        dc0[i] = (float)l->dc_last[i];
    }
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!takes_part(l, m)) continue;
        const results got = run(l, &(manner){.mapping = m});
        for (size_t t = 0; t < at.steps; t++)
            assert_bits("h", got.h + t * at.rows * at.hidden, h0, at.rows * at.hidden);
        assert_bits("dh0", got.dh0, dh0, at.rows * at.hidden);
        assert_bits("dc0", got.dc0, dc0, at.rows * at.hidden);
        for (size_t i = 0; i < at.steps * at.rows * GATES * at.hidden; i++)
            assert_true(got.dgates[i] == 0.0f);
    }
}

/* ---- the elementary functions, seen through a cell of one unit --------------------------------------------
 */

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static bool computes_cells(unsigned index)
{
    return is_tiny() ? index == NARROW : index != FEW_ITEMS;
}

/* One step of one unit, each of whose gates sees the input of the row. */
static results cell(unsigned index, const double *x, size_t count, const double *c0)
{
    layer *l = take(1, sizeof *l);
    l->at = (layer_case){1, count, 1, 1, false, false, c0 != NULL, false, false, true};
    l->x = take_doubles(count);
    l->w_ih = take_doubles(GATES);
    l->w_hh = take_doubles(GATES);
    l->bias = take_doubles(GATES);
    l->h0 = take_doubles(count);
    l->c0 = take_doubles(count);
    for (size_t i = 0; i < count; i++) {
        l->x[i] = x[i];
        if (c0) l->c0[i] = c0[i];
    }
    for (size_t q = 0; q < GATES; q++) l->w_ih[q] = 1.0;
    return run(l, &(manner){.mapping = index});
}

/*
 * Exponents are held to +-30, so that a sigmoid never falls below 2^-30 and four denominators stay finite:
 * that is the absolute part of the bound. The relative part is the polynomial's 1.3e-7 and two roundings; a
 * hyperbolic tangent is 2 q - 1 with the rounding of numbers near 2, hence its absolute 5e-7.
 */
static void sigmoid_and_tangent_follow_double_precision_from_minus_40_to_40(void **state)
{
    (void)state;
    enum { COUNT = 4001 };
    const size_t count = is_tiny() ? 9 : COUNT;
    double *x = take_doubles(count);
    for (size_t i = 0; i < count; i++) x[i] = (double)(float)(80.0 * (double)i / (double)(count - 1) - 40.0);
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!computes_cells(m)) continue;
        const results got = cell(m, x, count, NULL);
        for (size_t i = 0; i < count; i++) {
            const float *gates = got.gates + i * GATES;
            for (size_t q = 0; q < GATES; q++)
                if (q != 2) assert_near(gates[q], sigmoid(x[i]), 4e-7, 1.2e-9);
            assert_near(gates[2], tanh(x[i]), 0.0, 5e-7);
            assert_near(got.c[i], sigmoid(x[i]) * tanh(x[i]), 4e-7, 4e-7);
            assert_near(got.h[i], (double)gates[3] * tanh((double)got.c[i]), 2e-7, 5e-7);
        }
    }
}

static void the_ends_of_the_line_are_exact(void **state)
{
    (void)state;
    const double huge = 3e38, tiny = 1e-40,
                 x[] = {0.0, -0.0, tiny, -tiny, 100.0, -100.0, huge, -huge, INFINITY, -INFINITY};
    const double low = ldexp(1.0, -30); /* what a sigmoid ends at */
    const double want[] = {0.5, 0.5, 0.5, 0.5, 1.0, low, 1.0, low, 1.0, low};
    const double tangent[] = {0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0};
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!computes_cells(m)) continue;
        const results got = cell(m, x, NORN_COUNT(x), NULL);
        for (size_t i = 0; i < NORN_COUNT(x); i++) {
            assert_near(got.gates[i * GATES], want[i], 2e-7, 0.0);
            assert_near(got.gates[i * GATES + 2], tangent[i], 0.0, 0.0);
        }
    }
}

/* Carries of any size: tanh(c) of a state that never forgot. */
static void the_tangent_of_a_carry_saturates(void **state)
{
    (void)state;
    const double x[] = {50.0, 50.0, 50.0, 50.0, 50.0}, c0[] = {-1e30, -30.0, -1.0, 1e30, 3e38};
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!computes_cells(m)) continue;
        const results got = cell(m, x, NORN_COUNT(x), c0);
        for (size_t i = 0; i < NORN_COUNT(x); i++) {
            assert_near(got.c[i], c0[i] + 1.0, 2e-7, 0.0);
            assert_near(got.h[i], tanh(c0[i] + 1.0), 0.0, 5e-7);
        }
    }
}

/* Whatever bits a NaN has (devices make it as 0x7fc00000, 0xffc00000 or 0x7fffffff), it stays one. */
static void a_number_that_is_none_stays_none(void **state)
{
    (void)state;
    static const uint32_t patterns[] = {0x7fc00000u, 0xffc00000u, 0x7fffffffu, 0x7fc0deadu, 0xffffffffu};
    double x[NORN_COUNT(patterns)];
    for (size_t i = 0; i < NORN_COUNT(patterns); i++) {
        float value;
        memcpy(&value, &patterns[i], sizeof value);
        x[i] = (double)value; /* a quiet NaN keeps its bits both ways */
    }
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (!computes_cells(m)) continue;
        const results got = cell(m, x, NORN_COUNT(x), NULL);
        for (size_t i = 0; i < NORN_COUNT(x); i++) {
            for (size_t q = 0; q < GATES; q++)
                if (!isnan(got.gates[i * GATES + q]))
                    fail_msg("%08x became %g", patterns[i], (double)got.gates[i * GATES + q]);
            assert_true(isnan(got.c[i]) && isnan(got.h[i]));
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_taken)
    const struct CMUnitTest tests[] = {
        TEST(forward_and_backward_equal_the_reference),
        TEST(every_mapping_gives_the_same_bits_forward),
        TEST(chunks_of_time_give_the_bits_of_the_whole),
        TEST(a_projection_made_beforehand_gives_the_bits_of_the_fused_one),
        TEST(inference_keeps_nothing_and_gives_the_same_bits),
        TEST(a_learned_state_stands_in_every_row_and_gathers_their_gradients),
        TEST(a_row_without_steps_hands_its_state_and_its_gradient_on),
        TEST(sigmoid_and_tangent_follow_double_precision_from_minus_40_to_40),
        TEST(the_ends_of_the_line_are_exact),
        TEST(the_tangent_of_a_carry_saturates),
        TEST(a_number_that_is_none_stays_none),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
