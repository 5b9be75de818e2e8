/*
 * The interpreter of cells, and the cells that come with the library: values and gradients against PyTorch
 * where it has the cell, every gradient against finite differences, a hundred random formulas too, and wrong
 * formulas that must not pass for right ones.
 */
#include "support.h"

#include "cell/cell.h"
#include "cell_random.h"
#include "golden/cells.h"
#include "nn/reference.h"

static norn_cell *read_text(const char *text)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    if (norn_cell_read(&cell, text, strlen(text), "text", NULL, &err) != NORN_OK)
        fail_msg("%llu:%llu: %s\n%s", (unsigned long long)err.line, (unsigned long long)err.column,
                 err.message, text);
    return cell;
}

static norn_cell *read_builtin(const char *name)
{
    const char *text = norn_cell_builtin_text(name);
    assert_non_null(text);
    return read_text(text);
}

/* The builtin's text with `from` changed to `to`, which must stand in it. */
static norn_cell *read_changed(const char *name, const char *from, const char *to)
{
    const char *text = norn_cell_builtin_text(name);
    assert_non_null(text);
    const char *at = strstr(text, from);
    if (!at) fail_msg("%s has no \"%s\"", name, from);
    const size_t size = strlen(text) + strlen(to) + 1;
    char *changed = malloc(size);
    assert_non_null(changed);
    (void)snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    norn_cell *cell = read_text(changed);
    free(changed);
    return cell;
}

/* ---- PyTorch ---------------------------------------------------------------------------------------------
 */

static double *from_grid(const short *grid, size_t count)
{
    double *all = calloc(count ? count : 1, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) all[i] = grid[i] / 256.0;
    return all;
}

static double largest_error(const double *got, const double *want, size_t count)
{
    double scale = 1.0, worst = 0.0;
    for (size_t i = 0; i < count; i++)
        if (fabs(want[i]) > scale) scale = fabs(want[i]);
    for (size_t i = 0; i < count; i++) {
        const double error = fabs(got[i] - want[i]) / scale;
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

/* How far the cell is off a golden case: in its outputs and last states, and in its gradients. */
static void golden_error(const norn_cell *cell, const struct golden_cell *g, double *values,
                         double *gradients)
{
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_bind(&shape, cell, g->inputs, g->hidden, 0, &err), &err);
    const size_t tb = g->steps * g->rows, row = g->rows * shape.states;
    double *x = from_grid(g->x, tb * g->inputs), *parameters = from_grid(g->parameters, shape.parameters);
    double *initial = from_grid(g->initial, row), *dout = from_grid(g->dout, tb * shape.outputs);
    double *dlast = from_grid(g->dlast, row);
    double *out = calloc(tb * shape.outputs, sizeof *out), *dx = calloc(tb * g->inputs, sizeof *dx);
    double *states = calloc((tb + g->rows) * shape.states, sizeof *states);
    double *dparameters = calloc(shape.parameters, sizeof *dparameters);
    double *dinitial = calloc(row, sizeof *dinitial);
    assert_true(out && dx && states && dparameters && dinitial);
    norn_cell_layer layer = {.shape = &shape,
                             .steps = g->steps,
                             .rows = g->rows,
                             .x = x,
                             .parameters = parameters,
                             .initial = initial,
                             .out = out,
                             .states = states,
                             .dout = dout,
                             .dlast = dlast,
                             .dparameters = dparameters,
                             .dx = dx,
                             .dinitial = dinitial};
    assert_ok(norn_cell_run(&layer, &err), &err);
    *values = largest_error(out, g->out, tb * shape.outputs);
    *values = fmax(*values, largest_error(states + tb * shape.states, g->last, row));
    *gradients = largest_error(dparameters, g->gradients, shape.parameters);
    *gradients = fmax(*gradients, largest_error(dx, g->dx, tb * g->inputs));
    *gradients = fmax(*gradients, largest_error(dinitial, g->dinitial, row));
    free(x);
    free(parameters);
    free(initial);
    free(dout);
    free(dlast);
    free(out);
    free(dx);
    free(states);
    free(dparameters);
    free(dinitial);
}

static void values_and_gradients_are_those_of_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(golden_cells); i++) {
        double values, gradients;
        norn_cell *cell = read_builtin(golden_cells[i].name);
        golden_error(cell, &golden_cells[i], &values, &gradients);
        if (!(values < 1e-13 && gradients < 1e-12))
            fail_msg("%s, case %zu: off by %g, gradients %g", golden_cells[i].name, i, values, gradients);
        norn_cell_free(cell);
    }
}

/* Each differs from what PyTorch computes, in a way that is easily written. */
static void wrong_gate_orders_and_resets_are_seen(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *from, *to;
    } cases[] = {
        {"lstm", "W_i, U_i, W_f, U_f", "W_f, U_f, W_i, U_i"},
        {"lstm", "W_f, U_f, W_g, U_g", "W_g, U_g, W_f, U_f"},
        {"lstm", "W_g, U_g, W_o, U_o", "W_o, U_o, W_g, U_g"},
        {"lstm", "W_i, U_i", "U_i, W_i"},
        {"lstm", "b_i, b_f", "b_f, b_i"},
        {"lstm", "b_g, b_o", "b_o, b_g"},
        {"lstm", "f*c + i*g", "i*c + f*g"},
        {"lstm", "o*tanh(c')", "o*tanh(c)"},
        {"lstm", "o*tanh(c')", "o*c'"},
        {"lstm", "state h, c", "state c, h"},
        {"gru", "(1 - z)*n + z*h", "z*n + (1 - z)*h"},
        {"gru", "W_r, U_r, W_z, U_z", "W_z, U_z, W_r, U_r"},
        {"gru", "W_z, U_z, W_n, U_n", "W_n, U_n, W_z, U_z"},
        {"gru", "b_n, d_n", "d_n, b_n"},
        {"gru", "r*(U_n*h + d_n)", "U_n*(r*h) + d_n"},
        {"gru", "r*(U_n*h + d_n)", "(1 - r)*(U_n*h + d_n)"},
        {"gru", "r*(U_n*h + d_n)", "r*(U_n*h) + d_n"},
        {"elman", "tanh(", "relu("},
        {"elman_relu", "relu(", "tanh("},
        {"lstm_projection", "V*(o*tanh(c'))", "V*(o*c')"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_cell *cell = read_changed(cases[i].cell, cases[i].from, cases[i].to);
        size_t tried = 0;
        for (size_t k = 0; k < NORN_COUNT(golden_cells); k++) {
            if (strcmp(golden_cells[k].name, cases[i].cell) != 0) continue;
            if (golden_cells[k].inputs == golden_cells[k].hidden || golden_cells[k].hidden < 5) continue;
            double values, gradients;
            golden_error(cell, &golden_cells[k], &values, &gradients);
            if (values < 1e-6 || gradients < 1e-6)
                fail_msg("%s with \"%s\" passes for right (%g, %g)", cases[i].cell, cases[i].to, values,
                         gradients);
            tried++;
        }
        assert_true(tried > 0);
        norn_cell_free(cell);
    }
}

static void the_reset_before_the_product_makes_a_second_stage(void **state)
{
    (void)state;
    norn_cell *before = read_builtin("gru_reset_before"), *after = read_builtin("gru");
    assert_int_equal(before->matrix_count, after->matrix_count);
    int before_level = 0, after_level = 0;
    for (size_t i = 0; i < before->node_count; i++)
        if (before->nodes[i].level > before_level) before_level = before->nodes[i].level;
    for (size_t i = 0; i < after->node_count; i++)
        if (after->nodes[i].level > after_level) after_level = after->nodes[i].level;
    assert_int_equal(before_level, 2);
    assert_int_equal(after_level, 1);
    norn_cell_free(before);
    norn_cell_free(after);
}

/* ---- one step written out by hand ------------------------------------------------------------------------
 */

static double sigma(double a)
{
    return 1.0 / (1.0 + exp(-a));
}

/* The output and the states of a cell of one unit and one input after two steps. */
static void two_steps(const norn_cell *cell, const double *parameters, double out[2], double *last)
{
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_bind(&shape, cell, 1, 1, 0, &err), &err);
    const double x[2] = {0.75, -0.5};
    double states[3 * NORN_CELL_STATES];
    norn_cell_layer layer = {.shape = &shape,
                             .steps = 2,
                             .rows = 1,
                             .x = x,
                             .parameters = parameters,
                             .out = out,
                             .states = states};
    assert_ok(norn_cell_run(&layer, &err), &err);
    memcpy(last, states + 2 * shape.states, shape.states * sizeof *last);
}

static void peepholes_see_the_old_cell_for_i_and_f_and_the_new_one_for_o(void **state)
{
    (void)state;
    /* W, U of i, f, g, o; biases of i, f, g, o; p_i, p_f, p_o */
    const double p[15] = {0.3, -0.4, 0.6, 0.2, 0.9, -0.7, 0.5, 0.1, 0.25, -0.3, 0.4, 0.15, 0.8, -0.6, 1.1};
    const double x[2] = {0.75, -0.5};
    double out[2], last[2], h = 0.0, c = 0.0;
    norn_cell *right = read_builtin("lstm_peephole");
    two_steps(right, p, out, last);
    for (int t = 0; t < 2; t++) {
        const double i = sigma(p[0] * x[t] + p[1] * h + p[8] + p[12] * c);
        const double f = sigma(p[2] * x[t] + p[3] * h + p[9] + p[13] * c);
        const double g = tanh(p[4] * x[t] + p[5] * h + p[10]);
        c = f * c + i * g;
        const double o = sigma(p[6] * x[t] + p[7] * h + p[11] + p[14] * c);
        h = o * tanh(c);
        assert_near(out[t], h, 1e-14, 0.0);
    }
    assert_near(last[1], c, 1e-14, 0.0);
    norn_cell_free(right);

    static const char *const wrong[][2] = {
        {"diagonal p_i, p_f, p_o", "diagonal p_f, p_i, p_o"},
        {"diagonal p_i, p_f, p_o", "diagonal p_i, p_o, p_f"},
        {"p_o*c'", "p_o*c"},
        {"p_i*c", "p_i*h"},
    };
    for (size_t k = 0; k < NORN_COUNT(wrong); k++) {
        norn_cell *cell = read_changed("lstm_peephole", wrong[k][0], wrong[k][1]);
        double other[2];
        two_steps(cell, p, other, last);
        if (fabs(other[1] - out[1]) < 1e-4) fail_msg("%s passes for right", wrong[k][1]);
        norn_cell_free(cell);
    }
}

static void the_stabiliser_of_slstm_changes_no_value(void **state)
{
    (void)state;
    const double p[12] = {0.3, -0.4, 0.6, 0.2, 0.9, -0.7, 0.5, 0.1, 0.25, 1.3, 0.4, 0.15};
    const double x[2] = {0.75, -0.5};
    double out[2], last[4], h = 0.0, c = 0.0, n = 0.0;
    norn_cell *cell = read_builtin("slstm");
    two_steps(cell, p, out, last);
    for (int t = 0; t < 2; t++) { /* without it */
        const double i = exp(p[0] * x[t] + p[1] * h + p[8]), f = sigma(p[2] * x[t] + p[3] * h + p[9]);
        const double z = tanh(p[4] * x[t] + p[5] * h + p[10]), o = sigma(p[6] * x[t] + p[7] * h + p[11]);
        c = f * c + i * z;
        n = f * n + i;
        h = o * c / n;
        assert_near(out[t], h, 1e-13, 0.0);
    }
    norn_cell_free(cell);
}

static void the_forget_bias_of_slstm_falls_from_5_to_minus_7(void **state)
{
    (void)state;
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_builtin("slstm");
    assert_ok(norn_cell_bind(&shape, cell, 3, 8, 2, &err), &err);
    const norn_cell_init init = cell->vectors[1].init;
    assert_string_equal(cell->vectors[1].name, "b_f");
    for (size_t unit = 0; unit < 8; unit += 4) {
        assert_near(norn_cell_initial(&shape, init, 8, unit), 5.0, 0.0, 0.0);
        assert_near(norn_cell_initial(&shape, init, 8, unit + 3), -7.0, 0.0, 0.0);
        assert_near(norn_cell_initial(&shape, init, 8, unit + 1), 5.0 - 12.0 * pow(1.0 / 3.0, 0.3), 1e-15,
                    0.0);
    }
    norn_cell_free(cell);
}

/* ---- against the network's reference, which is older and by another hand ---------------------------------
 */

static void masked_rows_keep_their_states_as_in_the_reference(void **state)
{
    (void)state;
    enum { T = 5, B = 3, I = 2, H = 4 };
    static const unsigned char mask[T * B] = {0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0};
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_builtin("lstm");
    assert_ok(norn_cell_bind(&shape, cell, I, H, 0, &err), &err);
    double x[T * B * I], w_ih[4 * H * I], w_hh[4 * H * H], bias[4 * H], h0[B * H], c0[B * H], dh[T * B * H];
    double dh_last[B * H], dc_last[B * H];
    double h[T * B * H], c[T * B * H], gates[T * B * 4 * H];
    double dgates[T * B * 4 * H], rdx[T * B * I], dw_ih[4 * H * I] = {0}, dw_hh[4 * H * H] = {0};
    double dbias[4 * H] = {0}, dh0[B * H], dc0[B * H];
    double *const arrays[] = {x, w_ih, w_hh, bias, h0, c0, dh, dh_last, dc_last};
    const size_t sizes[] = {T * B * I, 4 * H * I, 4 * H * H, 4 * H, B * H, B * H, T * B * H, B * H, B * H};
    uint64_t seed = 7;
    for (size_t k = 0; k < NORN_COUNT(arrays); k++)
        for (size_t i = 0; i < sizes[k]; i++) arrays[k][i] = cell_random(&seed) - 0.5;
    const norn_reference_lstm forward = {.steps = T,
                                         .rows = B,
                                         .inputs = I,
                                         .hidden = H,
                                         .x = x,
                                         .w_ih = w_ih,
                                         .w_hh = w_hh,
                                         .bias = bias,
                                         .h0 = h0,
                                         .c0 = c0,
                                         .mask = mask,
                                         .h = h,
                                         .c = c,
                                         .gates = gates};
    const norn_reference_lstm_gradients backward = {.dh = dh,
                                                    .dh_last = dh_last,
                                                    .dc_last = dc_last,
                                                    .dgates = dgates,
                                                    .dx = rdx,
                                                    .dw_ih = dw_ih,
                                                    .dw_hh = dw_hh,
                                                    .dbias = dbias,
                                                    .dh0 = dh0,
                                                    .dc0 = dc0};
    norn_reference_lstm_forward(&forward, 0, T);
    norn_reference_lstm_backward(&forward, &backward, 0, T);

    double parameters[4 * H * (I + H + 1)], dparameters[4 * H * (I + H + 1)] = {0}, initial[B * 2 * H];
    double dlast[B * 2 * H], out[T * B * H], dx[T * B * I], dinitial[B * 2 * H];
    for (size_t q = 0; q < 4; q++) {
        memcpy(parameters + shape.matrix[2 * q].offset, w_ih + q * H * I, H * I * sizeof(double));
        memcpy(parameters + shape.matrix[2 * q + 1].offset, w_hh + q * H * H, H * H * sizeof(double));
        memcpy(parameters + shape.vector[q].offset, bias + q * H, H * sizeof(double));
    }
    for (size_t b = 0; b < B; b++)
        for (size_t u = 0; u < H; u++) {
            initial[b * 2 * H + u] = h0[b * H + u];
            initial[b * 2 * H + H + u] = c0[b * H + u];
            dlast[b * 2 * H + u] = dh_last[b * H + u];
            dlast[b * 2 * H + H + u] = dc_last[b * H + u];
        }
    norn_cell_layer layer = {.shape = &shape,
                             .steps = T,
                             .rows = B,
                             .x = x,
                             .parameters = parameters,
                             .initial = initial,
                             .mask = mask,
                             .out = out,
                             .dout = dh,
                             .dlast = dlast,
                             .dparameters = dparameters,
                             .dx = dx,
                             .dinitial = dinitial};
    assert_ok(norn_cell_run(&layer, &err), &err);
    for (size_t i = 0; i < T * B * H; i++) assert_near(out[i], h[i], 1e-13, 1e-15);
    for (size_t i = 0; i < T * B * I; i++) assert_near(dx[i], rdx[i], 1e-12, 1e-15);
    for (size_t q = 0; q < 4; q++) {
        for (size_t i = 0; i < H * I; i++)
            assert_near(dparameters[shape.matrix[2 * q].offset + i], dw_ih[q * H * I + i], 1e-12, 1e-15);
        for (size_t i = 0; i < H * H; i++)
            assert_near(dparameters[shape.matrix[2 * q + 1].offset + i], dw_hh[q * H * H + i], 1e-12, 1e-15);
        for (size_t i = 0; i < H; i++)
            assert_near(dparameters[shape.vector[q].offset + i], dbias[q * H + i], 1e-12, 1e-15);
    }
    for (size_t b = 0; b < B; b++)
        for (size_t u = 0; u < H; u++) {
            assert_near(dinitial[b * 2 * H + u], dh0[b * H + u], 1e-12, 1e-15);
            assert_near(dinitial[b * 2 * H + H + u], dc0[b * H + u], 1e-12, 1e-15);
        }
    norn_cell_free(cell);
}

/* ---- finite differences ----------------------------------------------------------------------------------
 */

static const double bound = 1e-7; /* the differences' own error is some 1e-10 times third derivatives */

static norn_cell_verdict check_cell(const norn_cell *cell, size_t inputs, size_t hidden, size_t heads,
                                    uint64_t seed)
{
    norn_cell_shape shape;
    norn_cell_verdict verdict;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_bind(&shape, cell, inputs, hidden, heads, &err), &err);
    assert_ok(norn_cell_check(&verdict, &shape, 4, 2, seed, &err), &err);
    return verdict;
}

static void gradients_of_every_cell_are_those_of_finite_differences(void **state)
{
    (void)state;
    assert_true(norn_cell_builtin_count() >= 23);
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        const char *name = norn_cell_builtin_name(i);
        norn_cell *cell = read_builtin(name);
        assert_string_equal(cell->name, name);
        const size_t shapes[][3] = {{3, 4, 0}, {4, 4, 2}, {1, 2, 0}};
        for (size_t k = 0; k < NORN_COUNT(shapes); k++) {
            const norn_cell_verdict v = check_cell(cell, shapes[k][0], shapes[k][1], shapes[k][2], 1 + k);
            if (!(v.worst < bound) || v.compared < 20 || v.skipped > v.compared / 20)
                fail_msg("%s (I=%zu, H=%zu): %s off by %g, %zu compared, %zu skipped", name, shapes[k][0],
                         shapes[k][1], v.where, v.worst, v.compared, v.skipped);
        }
        norn_cell_free(cell);
    }
}

static void gradients_of_random_formulas_are_those_of_finite_differences(void **state)
{
    (void)state;
    const char *given = getenv("NORN_SEED");
    const uint64_t first = given ? strtoull(given, NULL, 10) : 20260;
    print_message("seeds %llu to %llu\n", (unsigned long long)first, (unsigned long long)first + 99);
    size_t compared = 0, skipped = 0;
    for (uint64_t seed = first; seed < first + 100; seed++) {
        char text[4096];
        random_cell(text, sizeof text, seed, 0);
        norn_cell *cell = read_text(text);
        const norn_cell_verdict v = check_cell(cell, 2, 3, 0, seed);
        if (!(v.worst < 1e-6))
            fail_msg("seed %llu: %s off by %g\n%s", (unsigned long long)seed, v.where, v.worst, text);
        compared += v.compared;
        skipped += v.skipped;
        norn_cell_free(cell);
    }
    print_message("%zu compared, %zu skipped\n", compared, skipped);
    assert_true(compared > 1000 && skipped < compared / 20);
}

static void learned_initial_states_have_gradients_only_where_they_are_taken(void **state)
{
    (void)state;
    norn_cell *cell = read_text("size P = H/2\nstate h = learned, r[P] = learned\nmatrix W, U, R\n"
                                "h' = tanh(W*x + U*r)*h\nr' = R*h' + 0.5*r");
    const norn_cell_verdict v = check_cell(cell, 2, 3, 0, 5);
    assert_true(v.worst < bound && v.compared > 60 && v.skipped == 0);
    norn_cell_free(cell);
}

static void kinks_that_flip_are_skipped_and_counted(void **state)
{
    (void)state;
    /* The operand of each is 0 as long as nothing moves. */
    static const char *const formulas[] = {
        "state h\nmatrix V\ny = V*x\nh' = y + relu(y - stop(y))",
        "state h\nmatrix V\ny = V*x\nh' = y + abs(y - stop(y))",
        "state h\nmatrix V\ny = V*x\nh' = y + max(y, stop(y))",
        "state h\nmatrix V\ny = V*x\nh' = y + min(y, stop(y))",
    };
    for (size_t i = 0; i < NORN_COUNT(formulas); i++) {
        norn_cell *cell = read_text(formulas[i]);
        const norn_cell_verdict v = check_cell(cell, 1, 1, 0, 3);
        assert_true(v.skipped > 0);
        assert_true(v.worst < bound); /* of what is left: the initial states */
        norn_cell_free(cell);
    }
}

/* d(output)/dx of a cell of one unit, for one step. */
static double slope_of(const char *formula, double x)
{
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = read_text(formula);
    assert_ok(norn_cell_bind(&shape, cell, 1, 1, 0, &err), &err);
    double out = 0.0, one = 1.0, dx = 0.0, parameters[4] = {0}, dparameters[4] = {0};
    norn_cell_layer layer = {.shape = &shape,
                             .steps = 1,
                             .rows = 1,
                             .x = &x,
                             .parameters = parameters,
                             .out = &out,
                             .dout = &one,
                             .dparameters = dparameters,
                             .dx = &dx};
    assert_ok(norn_cell_run(&layer, &err), &err);
    norn_cell_free(cell);
    return dx;
}

static void slopes_at_kinks_are_as_written_down(void **state)
{
    (void)state;
    static const struct {
        const char *formula;
        double x, slope;
    } cases[] = {
        {"state h\nh' = relu(x)", 0.0, 0.0},       {"state h\nh' = relu(x)", 0.5, 1.0},
        {"state h\nh' = relu(x)", -0.5, 0.0},      {"state h\nh' = abs(x)", 0.0, 0.0},
        {"state h\nh' = abs(x)", -0.5, -1.0},      {"state h\nh' = max(3*x, 2*x)", 0.0, 3.0},
        {"state h\nh' = max(2*x, 3*x)", 0.0, 2.0}, {"state h\nh' = max(2*x, 3*x)", 1.0, 3.0},
        {"state h\nh' = min(3*x, 2*x)", 0.0, 3.0}, {"state h\nh' = min(3*x, 2*x)", 1.0, 2.0},
        {"state h\nh' = x*stop(x)", 2.0, 2.0},     {"state h\nh' = x/stop(x)", 2.0, 0.5},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_near(slope_of(cases[i].formula, cases[i].x), cases[i].slope, 0.0, 0.0);
}

/* Large arguments neither overflow nor lose the slope. */
static void elementary_functions_hold_far_from_zero(void **state)
{
    (void)state;
    static const struct {
        const char *formula;
        double x, slope;
    } cases[] = {
        {"state h\nh' = softplus(x)", 800.0, 1.0}, {"state h\nh' = softplus(x)", -800.0, 0.0},
        {"state h\nh' = silu(x)", 800.0, 1.0},     {"state h\nh' = silu(x)", -800.0, 0.0},
        {"state h\nh' = sigmoid(x)", -800.0, 0.0}, {"state h\nh' = tanh(x)", 800.0, 0.0},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_near(slope_of(cases[i].formula, cases[i].x), cases[i].slope, 0.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients_are_those_of_pytorch),
        cmocka_unit_test(wrong_gate_orders_and_resets_are_seen),
        cmocka_unit_test(the_reset_before_the_product_makes_a_second_stage),
        cmocka_unit_test(peepholes_see_the_old_cell_for_i_and_f_and_the_new_one_for_o),
        cmocka_unit_test(the_stabiliser_of_slstm_changes_no_value),
        cmocka_unit_test(the_forget_bias_of_slstm_falls_from_5_to_minus_7),
        cmocka_unit_test(masked_rows_keep_their_states_as_in_the_reference),
        cmocka_unit_test(gradients_of_every_cell_are_those_of_finite_differences),
        cmocka_unit_test(gradients_of_random_formulas_are_those_of_finite_differences),
        cmocka_unit_test(learned_initial_states_have_gradients_only_where_they_are_taken),
        cmocka_unit_test(kinks_that_flip_are_skipped_and_counted),
        cmocka_unit_test(slopes_at_kinks_are_as_written_down),
        cmocka_unit_test(elementary_functions_hold_far_from_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
