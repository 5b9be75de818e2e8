/*
 * Every cell on the device, as kernels/stages.cl runs it, against the interpreter: values, every gradient,
 * paddings, masks, both directions, time in chunks, on every mapping. Cells of one stage run here too, and
 * formulas made at random.
 */
#include "cell_device.h"
#include "cell_random.h"

static const layer_case cases[] = {
    /* T B  I   H  heads upper reverse masked own */
    {4, 5, 3, 17, 0, false, false, true, false}, {3, 6, 17, 17, 0, true, true, true, false},
    {3, 2, 32, 32, 4, true, false, false, true}, {2, 3, 5, 5, 0, false, false, false, false},
    {2, 1, 1, 1, 0, true, false, false, false},
};

/* ---- a cell, a layer of it, its kernels ------------------------------------------------------------------
 */

typedef struct made {
    norn_cell *cell;
    norn_cell_plan *plan;
    norn_cell_stages *stages;
} made;

static made make_cell(const char *formula)
{
    made m = {.cell = NULL};
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&m.cell, formula, strlen(formula), "text", NULL, &err), &err);
    assert_ok(norn_cell_plan_new(&m.plan, m.cell, &err), &err);
    assert_ok(norn_cell_stages_new(&m.stages, m.plan, &err), &err);
    return m;
}

static void free_cell(made *m)
{
    norn_cell_stages_free(m->stages);
    norn_cell_plan_free(m->plan);
    norn_cell_free(m->cell);
}

/* ---- a run on the device ---------------------------------------------------------------------------------
 */

typedef struct results {
    norn_cell_paddings pad;
    float *planes, *dplanes, *kept, *dx; /* kept: operands and gate gradients */
    double *dvectors;                    /* [vectors][HP] */
    size_t bp, gs, plane, dplane;        /* rows; row of kept; floats of a plane, of its gradient */
} results;

/* Element (row, unit) of an array of `rows` rows in strips. */
static size_t in_strips(const results *g, size_t rows, size_t row, size_t unit)
{
    return (unit / g->pad.sw * rows + row) * g->pad.sw + unit % g->pad.sw;
}

/* The matrix without its blocks: 0 outside of them. */
static double weight_of(const layer *l, size_t matrix, size_t u, size_t k)
{
    const norn_cell_tensor *w = &l->shape.matrix[matrix];
    const size_t rows = w->rows / w->heads, columns = w->columns / w->heads;
    if (!w->count) return 0.0; /* the kernels add the input itself */
    return u / rows == k / columns ? l->parameters[w->offset + u * columns + k % columns] : 0.0;
}

static float *pack_weights(const made *m, const layer *l, const results *g, bool back)
{
    const size_t floats =
        back ? norn_cell_back_weights(m->stages, &g->pad) : norn_cell_weights(m->stages, &g->pad);
    float *all = take_floats(floats);
    for (size_t matrix = 0; matrix < m->cell->matrix_count; matrix++) {
        const norn_cell_tensor *w = &l->shape.matrix[matrix];
        const bool input =
            m->cell->nodes[m->cell->nodes[m->cell->matrices[matrix].product].a].op == NORN_CELL_INPUT;
        for (size_t u = 0; u < g->pad.hp; u++)
            for (size_t k = 0; k < (input ? g->pad.kx : g->pad.hp); k++) {
                const size_t at = back ? norn_cell_back_at(m->stages, &g->pad, matrix, u, k)
                                       : norn_cell_weight_at(m->stages, &g->pad, matrix, u, k);
                if (at == SIZE_MAX) continue;
                assert_true(at < floats);
                if (u < w->rows && k < w->columns)
                    all[at] = (float)weight_of(l, matrix, u, k);
                else if (back ? k < w->columns : u >= w->rows) /* where a gradient or a value is 0 */
                    all[at] = junk;
            }
    }
    return all;
}

static float *pack_bias(const made *m, const layer *l, const results *g)
{
    const norn_cell_stages *s = m->stages;
    const size_t numbers = (m->plan->gate_count + s->vector_count) * g->pad.sw;
    float *all = take_floats(g->pad.hp / g->pad.sw * numbers);
    for (size_t v = 0; v < m->cell->vector_count; v++) {
        size_t place = m->plan->gate_count + (size_t)(s->vector_at[v] < 0 ? 0 : s->vector_at[v]);
        for (size_t q = 0; q < m->plan->gate_count; q++)
            if (m->plan->gates[q].bias == (int)v) place = (size_t)s->gate_at[q];
        for (size_t u = 0; u < g->pad.hp; u++)
            all[u / g->pad.sw * numbers + place * g->pad.sw + u % g->pad.sw] =
                u < l->shape.vector[v].count ? (float)l->parameters[l->shape.vector[v].offset + u] : junk;
    }
    return all;
}

static results run(const made *m, const layer *l, unsigned mapping_index, size_t chunk)
{
    norn_context *context = context_of(mapping_index);
    const mapping *map = &mappings[mapping_index];
    const layer_case *at = &l->at;
    const norn_cell_stages *s = m->stages;
    norn_error err = NORN_ERROR_INIT;
    const size_t t = at->steps, b = at->rows, planes = s->plane_count, inputs = at->inputs;
    const size_t outputs = l->shape.outputs, sw = (size_t)map->local * map->vector;
    results g = {.pad = {.sw = sw, .upper = at->upper}};
    g.pad.hp = (norn_cell_widest(&l->shape) + sw - 1) / sw * sw;
    g.pad.kx = at->upper ? g.pad.hp : (inputs + 3) / 4 * 4;
    g.bp = (b + map->rows - 1) / map->rows * map->rows;
    g.gs = (m->plan->gate_count + m->plan->operand_count) * sw;
    g.plane = (t + 1) * g.bp * g.pad.hp;
    g.dplane = g.bp * g.pad.hp;
    const size_t groups = g.bp / map->rows, strips = g.pad.hp / sw, hp = g.pad.hp, kx = g.pad.kx;
    const size_t scratch = planes + s->scratch_count, kept_size = t * g.bp * g.gs * strips;
    if (!chunk) chunk = t;

    float *x = take_floats(t * g.bp * kx), *before = take_floats(planes * g.plane);
    float *above = take_floats(t * g.bp * hp), *dplanes = take_floats(scratch * g.dplane);
    unsigned char *mask = take((t * g.bp + 3) / 4 * 4, 1);
    memset(mask, 1, t * g.bp);
    for (size_t i = 0; i < planes * g.plane; i++) before[i] = canary();
    for (size_t i = planes * g.dplane; i < scratch * g.dplane; i++) dplanes[i] = canary();
    for (size_t p = 0; p < planes; p++)
        for (size_t r = 0; r < g.bp; r++)
            for (size_t u = 0; u < hp; u++) {
                const size_t slot = (at->reverse ? t : 0) * g.bp + r;
                const bool real = r < b && s->state_of[p] >= 0 && u < l->shape.size[s->plane_size[p]];
                const size_t from =
                    real ? r * l->shape.states + l->shape.state_at[s->state_of[p]] + u : SIZE_MAX;
                before[p * g.plane + in_strips(&g, (t + 1) * g.bp, slot, u)] =
                    real ? (float)l->initial[from] : 0.0f;
                dplanes[p * g.dplane + in_strips(&g, g.bp, r, u)] = real ? (float)l->dlast[from] : 0.0f;
            }
    for (size_t step = 0; step < t; step++)
        for (size_t r = 0; r < g.bp; r++) {
            const size_t row = time_of(l, step) * g.bp + r;
            for (size_t k = 0; k < kx; k++) {
                const float value = r < b && k < inputs ? (float)l->x[(step * b + r) * inputs + k] : 0.0f;
                x[at->upper ? in_strips(&g, t * g.bp, row, k) : row * kx + k] =
                    at->upper || k < inputs ? value : canary();
            }
            for (size_t u = 0; u < hp; u++)
                above[in_strips(&g, t * g.bp, row, u)] =
                    r < b && u < outputs ? (float)l->dout[(step * b + r) * outputs + u] : 0.0f;
            if (l->mask && r < b) mask[row] = l->mask[step * b + r];
        }

    const size_t carries = planes > 1 ? (planes - 1) * g.plane : 1;
    const size_t others = scratch > 1 ? (scratch - 1) * g.dplane : 1;
    const size_t sums = strips * (s->vector_count ? s->vector_count : 1) * sw;
    float *nothing = take_floats(others > carries ? others : carries);
    const guarded *x_at = guard(context, t * g.bp * kx, x, "x"),
                  *weights =
                      guard(context, norn_cell_weights(s, &g.pad), pack_weights(m, l, &g, false), "weights"),
                  *bias = guard(context, strips * (m->plan->gate_count + s->vector_count) * sw,
                                pack_bias(m, l, &g), "bias"),
                  *h = guard(context, g.plane, before, "h"),
                  *carry = guard(context, carries, planes > 1 ? before + g.plane : nothing, "carry"),
                  *kept = guard(context, kept_size, NULL, "kept"),
                  *masks = guard(context, (t * g.bp + 3) / 4, NULL, "mask"),
                  *above_at = guard(context, t * g.bp * hp, above, "above"),
                  *dh = guard(context, g.dplane, dplanes, "dh"),
                  *dcarry = guard(context, others, scratch > 1 ? dplanes + g.dplane : nothing, "dcarry"),
                  *dx = guard(context, t * g.bp * hp, NULL, "dx"),
                  *dvectors = guard(context, groups * sums, take_floats(groups * sums), "dvectors"),
                  *back = guard(context, norn_cell_back_weights(s, &g.pad) + 1, NULL, "back");
    guarded masks_in_use = *masks, back_in_use = *back;
    assert_ok(norn_buffer_write(context, &masks_in_use.buffer, 0, mask, t * g.bp, &err), &err);
    assert_ok(norn_buffer_write(context, &back_in_use.buffer, 0, pack_weights(m, l, &g, true),
                                norn_cell_back_weights(s, &g.pad) * sizeof(float), &err),
              &err);
    const norn_buffer *mask_buffer = l->mask ? &masks->buffer : NULL;
    norn_cell_text text = {0};
    assert_ok(norn_cell_emit_stages(s, &l->shape, &text, &err), &err);
    cl_program program = build(context, text.bytes, l->shape.hidden);
    norn_cell_text_free(&m->cell->host, &text);
    for (size_t from = 0; from < t; from += chunk) {
        norn_kernel kernel = kernel_of(program, "sequence_forward");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiiiiblbbbbibb", at->upper ? 1 : 0,
                                  at->reverse ? 1 : 0, (int)t, (int)g.bp, (int)from,
                                  (int)(from + chunk < t ? from + chunk : t), (int)kx, (int)inputs,
                                  &x_at->buffer, (int64_t)(t * g.bp * sw), &weights->buffer, &bias->buffer,
                                  &h->buffer, &carry->buffer, 0, &kept->buffer, mask_buffer),
                  &err);
        launch(context, &kernel, groups);
    }
    for (size_t end = t; end > 0;) {
        const size_t from = (end - 1) / chunk * chunk;
        norn_kernel kernel = kernel_of(program, "sequence_backward_units");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiibbbbbbbbbbb", at->upper ? 1 : 0,
                                  at->reverse ? 1 : 0, (int)t, (int)g.bp, (int)from, (int)end, &kept->buffer,
                                  &back->buffer, &carry->buffer, &above_at->buffer,
                                  at->upper ? &dx->buffer : NULL, &dh->buffer, &dcarry->buffer, mask_buffer,
                                  &h->buffer, &bias->buffer, &dvectors->buffer),
                  &err);
        launch(context, &kernel, groups);
        end = from;
    }
    assert_canaries(context);
    g.planes = take_floats(planes * g.plane);
    g.dplanes = take_floats(planes * g.dplane);
    memcpy(g.planes, floats_of(context, h), g.plane * sizeof(float));
    memcpy(g.dplanes, floats_of(context, dh), g.dplane * sizeof(float));
    if (planes > 1) {
        memcpy(g.planes + g.plane, floats_of(context, carry), (planes - 1) * g.plane * sizeof(float));
        memcpy(g.dplanes + g.dplane, floats_of(context, dcarry), (planes - 1) * g.dplane * sizeof(float));
    }
    g.kept = floats_of(context, kept);
    g.dx = floats_of(context, dx);
    const float *by_group = floats_of(context, dvectors);
    g.dvectors = take_doubles((s->vector_count + 1) * hp);
    for (size_t group = 0; group < groups; group++)
        for (size_t v = 0; v < s->vector_count; v++)
            for (size_t u = 0; u < hp; u++)
                g.dvectors[v * hp + u] +=
                    (double)by_group[group * sums + (u / sw * s->vector_count + v) * sw + u % sw];
    return g;
}

/* ---- comparison ------------------------------------------------------------------------------------------
 */

/* Gradients of all parameters from those of the gates and from the operands as they were kept. */
static float *gradients_of(const made *m, const layer *l, const results *g)
{
    const norn_cell_stages *s = m->stages;
    const size_t b = l->at.rows, gates = m->plan->gate_count;
    double *all = take_doubles(l->shape.parameters);
    for (size_t step = 0; step < l->at.steps; step++)
        for (size_t r = 0; r < b; r++) {
            const size_t row = time_of(l, step) * g->bp + r, rows = l->at.steps * g->bp;
#define KEPT(place, unit)                                                                                    \
    ((double)g->kept[((unit) / g->pad.sw * rows + row) * g->gs + (place)*g->pad.sw + (unit) % g->pad.sw])
            for (size_t i = 0; i < m->cell->matrix_count; i++) {
                const norn_cell_tensor *w = &l->shape.matrix[i];
                const norn_cell_spot spot = norn_cell_spot_of(s, i);
                const norn_cell_source *source = &s->sources[spot.source];
                const size_t blocks = w->rows / w->heads, columns = w->columns / w->heads;
                for (size_t u = 0; u < w->rows && w->count; u++)
                    for (size_t k = 0; k < columns; k++) {
                        const size_t from = u / blocks * columns + k;
                        const int state = source->from == NORN_FROM_PLANE ? s->state_of[source->index] : 0;
                        const double value =
                            source->from == NORN_FROM_INPUT   ? l->x[(step * b + r) * l->at.inputs + from]
                            : source->from == NORN_FROM_PLANE ? l->states[(step * b + r) * l->shape.states +
                                                                          l->shape.state_at[state] + from]
                                                              : KEPT(gates + (size_t)source->index, from);
                        all[w->offset + u * columns + k] += KEPT(spot.gate, u) * value;
                    }
            }
            for (size_t q = 0; q < gates; q++)
                for (size_t u = 0; u < g->pad.hp; u++) {
                    const int bias = m->plan->gates[s->gate_of[q]].bias;
                    const int size = m->cell->nodes[m->plan->gates[s->gate_of[q]].root].size;
                    if (u >= l->shape.size[size] && KEPT(q, u) != 0.0)
                        fail_msg("gate %zu: padded unit %zu has a gradient", q, u);
                    if (bias >= 0 && u < l->shape.vector[bias].count)
                        all[l->shape.vector[bias].offset + u] += KEPT(q, u);
                }
#undef KEPT
        }
    for (size_t v = 0; v < m->cell->vector_count; v++)
        for (size_t u = 0; u < l->shape.vector[v].count && s->vector_at[v] >= 0; u++)
            all[l->shape.vector[v].offset + u] += g->dvectors[(size_t)s->vector_at[v] * g->pad.hp + u];
    float *rounded = take_floats(l->shape.parameters);
    for (size_t i = 0; i < l->shape.parameters; i++) rounded[i] = (float)all[i];
    return rounded;
}

static void assert_interpreter(const char *name, const made *m, const layer *l, const results *g)
{
    const norn_cell_stages *s = m->stages;
    const size_t b = l->at.rows, t = l->at.steps, states = l->shape.states, outputs = l->shape.outputs;
    float *values = take_floats((t + 1) * b * states), *dstates = take_floats(b * states);
    float *out = take_floats(t * b * outputs), *dx = take_floats(t * b * l->at.inputs);
    for (size_t p = 0; p < s->plane_count; p++)
        for (size_t u = 0; u < g->pad.hp; u++)
            for (size_t slot = 0; slot <= t; slot++)
                for (size_t r = 0; r < g->bp; r++) {
                    const size_t step = l->at.reverse ? t - slot : slot;
                    const float value =
                        g->planes[p * g->plane + in_strips(g, (t + 1) * g->bp, slot * g->bp + r, u)];
                    const bool real = u < l->shape.size[s->plane_size[p]];
                    if (!real && value != 0.0f)
                        fail_msg("%s: padded unit %zu of plane %zu holds %g", name, u, p, (double)value);
                    if (!real || r >= b) continue;
                    if (s->state_of[p] >= 0)
                        values[(step * b + r) * states + l->shape.state_at[s->state_of[p]] + u] = value;
                    if (p == 0 && step > 0) out[((step - 1) * b + r) * outputs + u] = value;
                }
    assert_tensor(name, values, l->states, (t + 1) * b * states, forward_bound);
    /* The first output is that before the first step where a row has skipped all so far. */
    if (!l->mask) assert_tensor(name, out, l->out, t * b * outputs, forward_bound);
    assert_tensor(name, gradients_of(m, l, g), l->dparameters, l->shape.parameters, backward_bound);
    for (size_t p = 0; p < s->plane_count; p++)
        for (size_t u = 0; u < l->shape.size[s->plane_size[p]] && s->state_of[p] >= 0; u++)
            for (size_t r = 0; r < b; r++)
                dstates[r * states + l->shape.state_at[s->state_of[p]] + u] =
                    g->dplanes[p * g->dplane + in_strips(g, g->bp, r, u)];
    assert_tensor(name, dstates, l->dinitial, b * states, backward_bound);
    if (!l->at.upper) return;
    for (size_t step = 0; step < t; step++)
        for (size_t r = 0; r < b; r++)
            for (size_t u = 0; u < l->at.inputs; u++)
                dx[(step * b + r) * l->at.inputs + u] =
                    g->dx[in_strips(g, t * g->bp, time_of(l, step) * g->bp + r, u)];
    assert_tensor(name, dx, l->dx, t * b * l->at.inputs, backward_bound);
}

static void try_one(const char *name, const made *m, const layer_case *at, unsigned mapping_index,
                    uint32_t stream)
{
    const layer *l = layer_of(m->cell, at, stream);
    const results got = run(m, l, mapping_index, 0);
    assert_interpreter(name, m, l, &got);
    (void)free_taken(NULL);
}

/* ---- tests -----------------------------------------------------------------------------------------------
 */

/* Compiling takes the time: cells that sequence.cl's own step cannot run are tried on the first two cases,
 * which share a program, and in turn on one of the others; the other cells, which have tests of their own, on
 * one. */
static void every_cell_is_the_cell_interpreted(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        const char *name = norn_cell_builtin_name(i);
        made m = make_cell(norn_cell_builtin_text(name));
        const bool other = norn_cell_obstacle(m.plan) != NULL;
        for (size_t k = 0; k < NORN_COUNT(cases); k++)
            if (is_tiny() ? k >= 3 && other
                : other   ? k < 2 || k == 2 + tried % 3
                          : k == i % NORN_COUNT(cases))
                try_one(name, &m, &cases[k], is_tiny() ? NARROW : WIDE, (uint32_t)(10 * i + k));
        tried += other;
        free_cell(&m);
    }
    assert_true(tried >= 6);
}

/* Values that pass between items of a group, and tiles of one, two and four strips. */
static void every_mapping_is_the_cell_interpreted(void **state)
{
    (void)state;
    static const char *const names[] = {"enas", "lstm_full_gate_recurrence", "lstm_projection", "mut3"};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        made m = make_cell(norn_cell_builtin_text(names[i]));
        for (unsigned map = 0; map < MAPPINGS; map++) {
            if (is_tiny() ? map != FEW_ITEMS : map == WIDE || map == FEW_ITEMS || (map + i) % 2) continue;
            try_one(names[i], &m, &cases[is_tiny() ? 3 : 1], map, (uint32_t)(300 + i));
        }
        free_cell(&m);
    }
}

static void chunks_of_time_give_the_bits_of_the_whole(void **state)
{
    (void)state;
    if (is_tiny()) skip();
    made m = make_cell(norn_cell_builtin_text("mut3"));
    const layer *l = layer_of(m.cell, &cases[1], 400);
    const results whole = run(&m, l, WIDE, 0), cut = run(&m, l, WIDE, 1);
    assert_bits("h", cut.planes, whole.planes, whole.plane);
    assert_bits("gate gradients", cut.kept, whole.kept, l->at.steps * whole.bp * whole.gs);
    assert_bits("dh", cut.dplanes, whole.dplanes, whole.dplane);
    free_cell(&m);
}

/* What none of the cells that come with the library has. */
static void formulas_of_every_shape_are_the_formulas_interpreted(void **state)
{
    (void)state;
    static const char *const formulas[] = {
        /* an output that is no state, from a later state, of another size */
        "state h, c\nmatrix W, U, V\nbias b\nc' = tanh(W*x + U*h + b)\nh' = 0.5*h + c'*c\nout = "
        "sigmoid(V*c') + h'",
        /* the output is the second state; a product of the new one, and of both states */
        "state a, h\nmatrix W, U, V, R\na' = tanh(W*x + U*h + R*a)\nh' = tanh(V*a' + a)\nout = h'",
        /* two products of one vector in a sum; a learned peephole on the third stage */
        "size P = H + 3\nsize Q = H/3\nstate h, s[P]\nmatrix W, V, U, R, S, Y, Z\nbias b[Q], d\ndiagonal p\n"
        "q = relu(W*x + V*x + U*h + b)\ns' = tanh(R*q + Y*s)\nh' = tanh(S*s' + p*(Z*q) + d)",
        /* operands that need no product: a vector, a function of the state; division and logarithm, which
         * padded units must not feel */
        "state h = 0.5, c\nmatrix W, U, V\nbias b, d\nz = W*x + U*log(0.01 + h*h) + b\n"
        "c' = tanh(z)/(c*c + 0.1)*0.1\nh' = tanh(c'*sigmoid(z) + V*(d/(0.1 + c*c)))",
        /* a state that only waits, and one that is a number */
        "state h, w, n = 2\nmatrix W, U\nw' = h\nn' = 1\nh' = tanh(W*x + U*(w*n))",
        /* the input in the sum of a later stage, and unit by unit */
        "state h\nmatrix W, U, V\nr = sigmoid(U*h)\nh' = tanh(W*x + V*(r*h) + x)*x",
    };
    for (size_t i = 0; i < NORN_COUNT(formulas); i++) {
        made m = make_cell(formulas[i]);
        for (size_t k = 0; k < 2; k++)
            if (!is_tiny() || k == 0)
                try_one(formulas[i], &m, &cases[is_tiny() ? 3 : k], is_tiny() ? NARROW : WIDE,
                        (uint32_t)(500 + i));
        free_cell(&m);
    }
}

/* NORN_FORMULAS of them (10), from NORN_SEED (1) on. */
static void random_formulas_are_the_formulas_interpreted(void **state)
{
    (void)state;
    if (is_tiny()) skip();
    const char *given = getenv("NORN_SEED"), *wanted = getenv("NORN_FORMULAS");
    const uint64_t first = given ? strtoull(given, NULL, 10) : 1;
    const uint64_t count = wanted ? strtoull(wanted, NULL, 10) : 10;
    print_message("%llu formulas from seed %llu\n", (unsigned long long)count, (unsigned long long)first);
    for (uint64_t seed = first; seed < first + count; seed++) {
        char text[4096], name[64];
        random_cell(text, sizeof text, seed, 0);
        (void)snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        made m = make_cell(text);
        try_one(name, &m, &cases[seed % 2], WIDE, (uint32_t)seed);
        free_cell(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_cell_is_the_cell_interpreted, free_taken),
        cmocka_unit_test_teardown(every_mapping_is_the_cell_interpreted, free_taken),
        cmocka_unit_test_teardown(chunks_of_time_give_the_bits_of_the_whole, free_taken),
        cmocka_unit_test_teardown(formulas_of_every_shape_are_the_formulas_interpreted, free_taken),
        cmocka_unit_test_teardown(random_formulas_are_the_formulas_interpreted, free_taken),
    };
    return cmocka_run_group_tests(tests, NULL, free_programs_and_contexts);
}
