/*
 * Cells made from formulas, on the device: kernels/sequence.cl with what the emitter wrote, against the
 * interpreter. Values, every gradient, paddings, masks, both directions, time in chunks. And the LSTM made
 * from its formula against the one written by hand, bit by bit.
 */
#include "cell_device.h"
#include "cell_random.h"

extern const norn_kernel_text norn_by_hand_texts[]; /* tools/lstm_by_hand.cl */

/* ---- a cell and its kernels ------------------------------------------------------------------------------
 */

typedef struct made {
    norn_cell *cell;
    norn_cell_plan *plan;
    norn_cell_places places;
    norn_cell_text text;
} made;

static made make_cell(const char *formula)
{
    made m = {.cell = NULL};
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&m.cell, formula, strlen(formula), "text", NULL, &err), &err);
    assert_ok(norn_cell_plan_new(&m.plan, m.cell, &err), &err);
    m.places = norn_cell_places_of(m.plan);
    if (!norn_cell_obstacle(m.plan)) assert_ok(norn_cell_emit(m.plan, &m.text, &err), &err);
    return m;
}

static void free_cell(made *m)
{
    norn_cell_text_free(&m->cell->host, &m->text);
    norn_cell_plan_free(m->plan);
    norn_cell_free(m->cell);
}

typedef struct results {
    float *h, *carry, *kept, *dkept, *dh, *dcarry, *dx; /* as the kernels left them */
    double *dvectors;                                   /* [vectors][H] */
    size_t sw, hp, nj, kx, bp, gates, gs, h_size, kept_size, dh_size;
} results;

/* The weight of gate q, unit u, for input or unit k; 0 where the gate has no such product. */
static double weight_of(const made *m, const layer *l, size_t gate, bool recurrent, size_t u, size_t k)
{
    const norn_cell_gate *g = &m->plan->gates[gate];
    for (size_t i = 0; i < g->matrix_count; i++) {
        const norn_cell_matrix *matrix = &m->cell->matrices[g->matrices[i]];
        const norn_cell_tensor *w = &l->shape.matrix[g->matrices[i]];
        if ((m->cell->nodes[m->cell->nodes[matrix->product].a].op == NORN_CELL_STATE) != recurrent) continue;
        const size_t rows = w->rows / w->heads, columns = w->columns / w->heads;
        return u / rows == k / columns ? l->parameters[w->offset + u * columns + k % columns] : 0.0;
    }
    return 0.0;
}

static float *pack_weights(const made *m, const layer *l, const results *g)
{
    float *all = take_floats(g->nj * (g->kx + g->hp) * g->gs);
    for (size_t unit = 0; unit < g->hp; unit++)
        for (size_t k = 0; k < g->kx + g->hp; k++)
            for (size_t q = 0; q < g->gates; q++) {
                const bool recurrent = k >= g->kx;
                const size_t column = recurrent ? k - g->kx : k;
                float value = unit >= l->at.hidden ? junk : 0.0f;
                if (unit < l->at.hidden && column < (recurrent ? l->at.hidden : l->at.inputs))
                    value = (float)weight_of(m, l, q, recurrent, unit, column);
                const size_t place = (size_t)m->places.gate[q];
                all[(unit / g->sw * (g->kx + g->hp) + k) * g->gs + place * g->sw + unit % g->sw] = value;
            }
    return all;
}

static float *pack_bias(const made *m, const layer *l, const results *g)
{
    const size_t numbers = (g->gates + m->places.vectors) * g->sw;
    float *all = take_floats(g->nj * numbers);
    for (size_t unit = 0; unit < g->hp; unit++) {
        float *to = all + unit / g->sw * numbers + unit % g->sw;
        const bool real = unit < l->at.hidden;
        for (size_t q = 0; q < g->gates; q++) {
            const int bias = m->plan->gates[q].bias;
            to[(size_t)m->places.gate[q] * g->sw] =
                !real      ? junk
                : bias < 0 ? 0.0f
                           : (float)l->parameters[l->shape.vector[bias].offset + unit];
        }
        for (size_t v = 0; v < m->cell->vector_count; v++)
            if (m->places.vector[v] >= 0)
                to[(g->gates + (size_t)m->places.vector[v]) * g->sw] =
                    real ? (float)l->parameters[l->shape.vector[v].offset + unit] : junk;
    }
    return all;
}

static float *pack_back(const made *m, const layer *l, const results *g)
{
    const size_t columns = (l->at.upper ? 2 : 1) * g->nj;
    float *all = take_floats(columns * g->sw * g->gates * g->hp), *to = all;
    size_t at_place[NORN_CELL_TERMS];
    for (size_t q = 0; q < g->gates; q++) at_place[m->places.gate[q]] = q;
    for (size_t first = 0, width = 0; first < columns; first += width) {
        width = columns - first >= 4 ? 4 : columns - first >= 2 ? 2 : 1;
        for (size_t strip = 0; strip < g->nj; strip++)
            for (size_t q = 0; q < g->gates; q++)
                for (size_t lane = 0; lane < g->sw; lane++)
                    for (size_t column = first * g->sw; column < (first + width) * g->sw; column++) {
                        const size_t unit = strip * g->sw + lane;
                        const bool is_input = l->at.upper && column < g->hp;
                        const size_t k = column - (l->at.upper && !is_input ? g->hp : 0);
                        *to++ = unit < l->at.hidden && k < (is_input ? l->at.inputs : l->at.hidden)
                                    ? (float)weight_of(m, l, at_place[q], !is_input, unit, k)
                                : k < l->at.hidden ? junk
                                                   : 0.0f;
                    }
    }
    return all;
}

/* Where a step's numbers stand in time. */
static results run(const made *m, const layer *l, unsigned mapping_index, size_t chunk, const char *cell_text,
                   bool by_units)
{
    norn_context *context = context_of(mapping_index);
    const mapping *map = &mappings[mapping_index];
    const layer_case *at = &l->at;
    norn_error err = NORN_ERROR_INIT;
    const size_t n = at->hidden, t = at->steps, b = at->rows, carries = m->cell->state_count - 1;
    results g = {.gates = m->plan->gate_count};
    g.sw = (size_t)map->local * map->vector;
    g.hp = (n + g.sw - 1) / g.sw * g.sw;
    g.nj = g.hp / g.sw;
    g.kx = at->upper ? g.hp : (at->inputs + 3) / 4 * 4;
    g.bp = (b + map->rows - 1) / map->rows * map->rows;
    g.gs = g.gates * g.sw;
    g.h_size = (t + 1) * g.bp * g.hp;
    g.kept_size = t * g.bp * g.gates * g.hp;
    g.dh_size = g.bp * g.hp;
    const size_t groups = g.bp / map->rows;
    if (!chunk) chunk = t;

    float *x = take_floats(t * g.bp * g.kx), *h = take_floats(g.h_size);
    float *carry = take_floats(g.h_size * (carries ? carries : 1)), *above = take_floats(t * g.bp * g.hp);
    float *dh = take_floats(g.dh_size), *dcarry = take_floats(g.dh_size * (carries ? carries : 1));
    unsigned char *mask = take((t * g.bp + 3) / 4 * 4, 1);
    memset(mask, 1, t * g.bp);
    for (size_t i = 0; i < g.h_size; i++) h[i] = canary();
    for (size_t i = 0; i < g.h_size * (carries ? carries : 1); i++) carry[i] = canary();
    const size_t start = at->reverse ? t : 0;
    for (size_t r = 0; r < g.bp; r++)
        for (size_t u = 0; u < g.hp; u++) {
            const size_t place = (u / g.sw * (t + 1) + start) * g.bp * g.sw + r * g.sw + u % g.sw;
            const size_t last = (u / g.sw * g.bp + r) * g.sw + u % g.sw;
            const bool real = r < b && u < n;
            const double *from = l->initial + (real ? r * l->shape.states + u : 0);
            const double *dfrom = l->dlast + (real ? r * l->shape.states + u : 0);
            h[place] = real ? (float)from[0] : 0.0f;
            dh[last] = real ? (float)dfrom[0] : 0.0f;
            for (size_t c = 0; c < carries; c++) {
                carry[c * g.h_size + place] = real ? (float)from[(c + 1) * n] : 0.0f;
                dcarry[c * g.dh_size + last] = real ? (float)dfrom[(c + 1) * n] : 0.0f;
            }
        }
    for (size_t step = 0; step < t; step++)
        for (size_t r = 0; r < g.bp; r++) {
            const size_t row = time_of(l, step) * g.bp + r;
            for (size_t k = 0; k < g.kx; k++) {
                const float value =
                    r < b && k < at->inputs ? (float)l->x[(step * b + r) * at->inputs + k] : 0.0f;
                if (at->upper)
                    x[(k / g.sw * t * g.bp + row) * g.sw + k % g.sw] = value;
                else
                    x[row * g.kx + k] = k < at->inputs ? value : canary();
            }
            for (size_t u = 0; u < g.hp; u++)
                above[(u / g.sw * t * g.bp + row) * g.sw + u % g.sw] =
                    r < b && u < n ? (float)l->dout[(step * b + r) * n + u] : 0.0f;
            if (l->mask && r < b) mask[row] = l->mask[step * b + r];
        }

    const guarded *x_at = guard(context, t * g.bp * g.kx, x, "x"),
                  *weights = guard(context, g.nj * (g.kx + g.hp) * g.gs, pack_weights(m, l, &g), "weights"),
                  *bias = guard(context, g.nj * (g.gates + m->places.vectors) * g.sw, pack_bias(m, l, &g),
                                "bias"),
                  *h_at = guard(context, g.h_size, h, "h"),
                  *carry_at = guard(context, g.h_size * (carries ? carries : 1), carry, "carry"),
                  *kept = guard(context, g.kept_size, NULL, "kept"),
                  *masks = guard(context, (t * g.bp + 3) / 4, NULL, "mask");
    guarded masks_in_use = *masks;
    assert_ok(norn_buffer_write(context, &masks_in_use.buffer, 0, mask, t * g.bp, &err), &err);
    const norn_buffer *mask_buffer = l->mask ? &masks->buffer : NULL;
    cl_program program = build(context, cell_text, n);
    for (size_t from = 0; from < t; from += chunk) {
        norn_kernel kernel = kernel_of(program, "sequence_forward");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiiiiblbbbbibb", at->upper ? 1 : 0,
                                  at->reverse ? 1 : 0, (int)t, (int)g.bp, (int)from,
                                  (int)(from + chunk < t ? from + chunk : t), (int)g.kx, (int)at->inputs,
                                  &x_at->buffer, (int64_t)(t * g.bp * g.sw), &weights->buffer, &bias->buffer,
                                  &h_at->buffer, &carry_at->buffer, 0, &kept->buffer, mask_buffer),
                  &err);
        launch(context, &kernel, groups);
    }
    g.h = floats_of(context, h_at);
    g.carry = floats_of(context, carry_at);
    g.kept = floats_of(context, kept);

    const size_t vectors = m->places.vectors, partial = g.nj * (vectors ? vectors : 1) * g.sw;
    const guarded *above_at = guard(context, t * g.bp * g.hp, above, "above"),
                  *dh_at = guard(context, g.dh_size, dh, "dh"),
                  *dcarry_at = guard(context, g.dh_size * (carries ? carries : 1), dcarry, "dcarry"),
                  *dx = guard(context, t * g.bp * g.hp, NULL, "dx"),
                  *dvectors = guard(context, groups * partial, take_floats(groups * partial), "dvectors"),
                  *back = guard(context, (size_t)(at->upper ? 2 : 1) * g.gates * g.hp * g.hp,
                                pack_back(m, l, &g), "back");
    for (size_t end = t; end > 0;) {
        const size_t from = (end - 1) / chunk * chunk;
        norn_kernel kernel = kernel_of(program, by_units ? "sequence_backward_units" : "sequence_backward");
        assert_ok(norn_kernel_set(&kernel, &err, 0, "iiiiiibbbbbbbb", at->upper ? 1 : 0, at->reverse ? 1 : 0,
                                  (int)t, (int)g.bp, (int)from, (int)end, &kept->buffer, &back->buffer,
                                  &carry_at->buffer, &above_at->buffer, at->upper ? &dx->buffer : NULL,
                                  &dh_at->buffer, &dcarry_at->buffer, mask_buffer),
                  &err);
        if (by_units)
            assert_ok(
                norn_kernel_set(&kernel, &err, 14, "bbb", &h_at->buffer, &bias->buffer, &dvectors->buffer),
                &err);
        launch(context, &kernel, groups);
        end = from;
    }
    assert_canaries(context);
    g.dkept = floats_of(context, kept);
    g.dh = floats_of(context, dh_at);
    g.dcarry = floats_of(context, dcarry_at);
    g.dx = floats_of(context, dx);
    const float *sums = floats_of(context, dvectors);
    g.dvectors = take_doubles((vectors ? vectors : 1) * n);
    for (size_t group = 0; group < groups; group++)
        for (size_t v = 0; v < vectors; v++)
            for (size_t u = 0; u < n; u++)
                g.dvectors[v * n + u] +=
                    (double)sums[group * partial + (u / g.sw * vectors + v) * g.sw + u % g.sw];
    return g;
}

/* ---- comparison ------------------------------------------------------------------------------------------
 */

/* Gradients of all parameters from the gate gradients, as the weight gradient's kernel would sum them. */
static float *gradients_of(const made *m, const layer *l, const results *g)
{
    const size_t n = l->at.hidden, b = l->at.rows;
    double *all = take_doubles(l->shape.parameters);
    for (size_t q = 0; q < g->gates; q++) {
        const norn_cell_gate *gate = &m->plan->gates[q];
        for (size_t step = 0; step < l->at.steps; step++)
            for (size_t r = 0; r < b; r++)
                for (size_t u = 0; u < n; u++) {
                    const size_t row = time_of(l, step) * g->bp + r;
                    const double d = (double)g->dkept[(u / g->sw * l->at.steps * g->bp + row) * g->gs +
                                                      (size_t)m->places.gate[q] * g->sw + u % g->sw];
                    if (gate->bias >= 0) all[l->shape.vector[gate->bias].offset + u] += d;
                    for (size_t i = 0; i < gate->matrix_count; i++) {
                        const norn_cell_tensor *w = &l->shape.matrix[gate->matrices[i]];
                        const norn_cell_matrix *matrix = &m->cell->matrices[gate->matrices[i]];
                        const bool state =
                            m->cell->nodes[m->cell->nodes[matrix->product].a].op == NORN_CELL_STATE;
                        const double *v = state ? l->states + (step * b + r) * l->shape.states
                                                : l->x + (step * b + r) * l->at.inputs;
                        const size_t rows = w->rows / w->heads, columns = w->columns / w->heads;
                        for (size_t k = 0; k < columns; k++)
                            all[w->offset + u * columns + k] += d * v[u / rows * columns + k];
                    }
                }
    }
    for (size_t v = 0; v < m->cell->vector_count; v++)
        for (size_t u = 0; u < n && m->places.vector[v] >= 0; u++)
            all[l->shape.vector[v].offset + u] += g->dvectors[(size_t)m->places.vector[v] * n + u];
    float *rounded = take_floats(l->shape.parameters);
    for (size_t i = 0; i < l->shape.parameters; i++) rounded[i] = (float)all[i];
    return rounded;
}

static void assert_interpreter(const char *name, const made *m, const layer *l, const results *g)
{
    const size_t n = l->at.hidden, b = l->at.rows, t = l->at.steps, states = l->shape.states;
    float *values = take_floats((t + 1) * b * states), *dstates = take_floats(b * states);
    float *dx = take_floats(t * b * l->at.inputs);
    for (size_t k = 0; k < m->cell->state_count; k++)
        for (size_t u = 0; u < g->hp; u++)
            for (size_t slot = 0; slot <= t; slot++) {
                const size_t step = l->at.reverse ? t - slot : slot;
                const float *array = k ? g->carry + (k - 1) * g->h_size : g->h;
                for (size_t r = 0; r < g->bp; r++) {
                    const float value = array[((u / g->sw * (t + 1) + slot) * g->bp + r) * g->sw + u % g->sw];
                    if (u >= n && value != 0.0f)
                        fail_msg("%s: padded unit %zu holds %g", name, u, (double)value);
                    if (u < n && r < b) values[(step * b + r) * states + k * n + u] = value;
                }
            }
    assert_tensor(name, values, l->states, (t + 1) * b * states, forward_bound);
    assert_tensor(name, gradients_of(m, l, g), l->dparameters, l->shape.parameters, backward_bound);
    for (size_t k = 0; k < m->cell->state_count; k++)
        for (size_t u = 0; u < n; u++)
            for (size_t r = 0; r < b; r++) {
                const float *array = k ? g->dcarry + (k - 1) * g->dh_size : g->dh;
                dstates[r * states + k * n + u] = array[(u / g->sw * g->bp + r) * g->sw + u % g->sw];
            }
    assert_tensor(name, dstates, l->dinitial, b * states, backward_bound);
    if (!l->at.upper) return;
    for (size_t step = 0; step < t; step++)
        for (size_t r = 0; r < b; r++)
            for (size_t u = 0; u < n; u++)
                dx[(step * b + r) * n + u] =
                    g->dx[(u / g->sw * t * g->bp + time_of(l, step) * g->bp + r) * g->sw + u % g->sw];
    assert_tensor(name, dx, l->dx, t * b * n, backward_bound);
}

/* ---- tests -----------------------------------------------------------------------------------------------
 */

static const layer_case cases[] = {
    /* T B  I   H  heads strips reverse masked own */
    {4, 5, 3, 17, 0, false, false, true, false},
    {3, 6, 17, 17, 0, true, true, true, false},
    {3, 2, 32, 32, 4, true, false, false, true},
};

static void every_cell_of_one_stage_is_the_cell_interpreted(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        const char *name = norn_cell_builtin_name(i);
        made m = make_cell(norn_cell_builtin_text(name));
        const bool third = i % 3 == 0 || strcmp(name, "slstm") == 0;   /* which has heads */
        for (size_t k = 0; k < (third ? 3 : 2) && m.text.bytes; k++) { /* the first two share a program */
            const layer *l = layer_of(m.cell, &cases[k], (uint32_t)(10 * i + k));
            const results got = run(&m, l, WIDE, 0, m.text.bytes, true);
            assert_interpreter(name, &m, l, &got);
            (void)free_taken(NULL);
            tried++;
        }
        free_cell(&m);
    }
    print_message("%zu cells and shapes\n", tried);
    assert_true(tried >= 14 * 2 + 14 / 3);
}

static void every_mapping_is_the_cell_interpreted(void **state)
{
    (void)state;
    static const char *const names[] = {"gru", "lstm_peephole", "slstm"};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        made m = make_cell(norn_cell_builtin_text(names[i]));
        for (unsigned map = 0; map < MAPPINGS; map++) {
            if (map == WIDE || map == FEW_ITEMS) continue; /* tried above; like MANY_ITEMS */
            const layer *l = layer_of(m.cell, &cases[1], (uint32_t)(100 + i));
            const results got = run(&m, l, map, 0, m.text.bytes, true);
            assert_interpreter(names[i], &m, l, &got);
            (void)free_taken(NULL);
        }
        free_cell(&m);
    }
}

static void chunks_of_time_give_the_bits_of_the_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"gru", "lstm_peephole"};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        made m = make_cell(norn_cell_builtin_text(names[i]));
        const layer *l = layer_of(m.cell, &cases[1], (uint32_t)(200 + i));
        const results whole = run(&m, l, WIDE, 0, m.text.bytes, true),
                      cut = run(&m, l, WIDE, 1, m.text.bytes, true);
        assert_bits("h", cut.h, whole.h, whole.h_size);
        assert_bits("gate gradients", cut.dkept, whole.dkept, whole.kept_size);
        assert_bits("dh", cut.dh, whole.dh, whole.dh_size);
        (void)free_taken(NULL);
        free_cell(&m);
    }
}

static void the_lstm_made_from_its_formula_gives_the_bits_of_the_one_by_hand(void **state)
{
    (void)state;
    made m = make_cell(norn_cell_builtin_text("lstm"));
    static const unsigned maps[] = {WIDE, HALF, MANY_ITEMS};
    for (size_t k = 0; k < NORN_COUNT(cases); k++)
        for (size_t i = 0; i < NORN_COUNT(maps); i++) {
            const layer *l = layer_of(m.cell, &cases[k], (uint32_t)(300 + k));
            const results formula = run(&m, l, maps[i], 0, m.text.bytes, false),
                          hand = run(&m, l, maps[i], 0, norn_by_hand_texts[0].text, false);
            assert_bits("h", formula.h, hand.h, hand.h_size);
            assert_bits("c", formula.carry, hand.carry, hand.h_size);
            assert_bits("gates", formula.kept, hand.kept, hand.kept_size);
            assert_bits("gate gradients", formula.dkept, hand.dkept, hand.kept_size);
            assert_bits("dh", formula.dh, hand.dh, hand.dh_size);
            assert_bits("dc", formula.dcarry, hand.dcarry, hand.dh_size);
            (void)free_taken(NULL);
        }
    free_cell(&m);
}

/* Formulas of the emitter's every expression, as the skeleton can run them. */
static void every_operation_is_the_operation_interpreted(void **state)
{
    (void)state;
    static const char head[] =
        "state h, c\nmatrix W, U, V\nbias b\ndiagonal p, q\na = W*x + U*h + b\nd = V*h\n";
    static const char *const bodies[] = {
        "h' = sigmoid(a)*tanh(d)\nc' = relu(a - d) + p*c*q",
        "h' = tanh(a) + exp(-abs(d))\nc' = 0.5*c + log(1 + softplus(p*a))/q",
        "h' = silu(a)/(1.5 + abs(d))\nc' = min(p*c, a) - max(q*d, c)",
        "h' = 0.25*h + softplus(a)*d\nc' = stop(h')*p + c/(2 + q*q)",
        "h' = max(a, d)*min(a, 0.1)*p\nc' = tanh(h' + c)*h*q",
        "h' = -a*-(d - 1000.5) - 1.25e-7*p\nc' = exp(tanh(a))*1e-30 + q*h'",
    };
    for (size_t i = 0; i < NORN_COUNT(bodies); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s", head, bodies[i]);
        made m = make_cell(text);
        assert_non_null(m.text.bytes);
        for (size_t k = 0; k < 2; k++) {
            const layer *l = layer_of(m.cell, &cases[k], (uint32_t)(400 + i));
            const results got = run(&m, l, i % 2 ? HALF : WIDE, 0, m.text.bytes, true);
            assert_interpreter(bodies[i], &m, l, &got);
            (void)free_taken(NULL);
        }
        free_cell(&m);
    }
}

/* The first ten formulas from a seed on that the skeleton can run. */
static void random_formulas_are_the_formulas_interpreted(void **state)
{
    (void)state;
    const char *given = getenv("NORN_SEED");
    const uint64_t first = given ? strtoull(given, NULL, 10) : 1;
    size_t tried = 0;
    for (uint64_t seed = first; tried < 10 && seed < first + 500; seed++) {
        char text[4096];
        random_cell(text, sizeof text, seed, 1);
        made m = make_cell(text);
        if (m.text.bytes) {
            const layer *l = layer_of(m.cell, &cases[tried % 2], (uint32_t)seed);
            const results got = run(&m, l, WIDE, 0, m.text.bytes, true);
            char name[64];
            (void)snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
            assert_interpreter(name, &m, l, &got);
            (void)free_taken(NULL);
            tried++;
        }
        free_cell(&m);
    }
    print_message("from seed %llu\n", (unsigned long long)first);
    assert_int_equal(tried, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_cell_of_one_stage_is_the_cell_interpreted, free_taken),
        cmocka_unit_test_teardown(every_mapping_is_the_cell_interpreted, free_taken),
        cmocka_unit_test_teardown(chunks_of_time_give_the_bits_of_the_whole, free_taken),
        cmocka_unit_test_teardown(the_lstm_made_from_its_formula_gives_the_bits_of_the_one_by_hand,
                                  free_taken),
        cmocka_unit_test_teardown(random_formulas_are_the_formulas_interpreted, free_taken),
        cmocka_unit_test_teardown(every_operation_is_the_operation_interpreted, free_taken),
    };
    return cmocka_run_group_tests(tests, NULL, free_programs_and_contexts);
}
