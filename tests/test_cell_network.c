/*
 * Whole networks of cells made from formulas, on the device: forecasts, losses, gradients of every parameter
 * and optimiser steps against the interpreter in double precision, on both paths and several mappings.
 */
#include "device.h"

#include "cell/plan.h"
#include "nn/compare.h"

#define LEARNED                                                                                              \
    "cell learned\nstate h = learned, c = learned, m = 0.5 - unit/H\nmatrix W, U, V\nbias b\ndiagonal p\n"   \
    "a = sigmoid(W*x + U*h + b)\ng = tanh(V*x + p*c)\nc' = a*c + (1 - a)*g\nm' = 0.5*m + 0.25*c\n"           \
    "h' = tanh(c' + m)*a\n"

/* What no cell of the literature has all of: blocks, gates without a bias, of x alone and of h alone, an
 * initial value for each unit. */
#define HEADS                                                                                                \
    "cell blocks\nsize heads = 3\nstate h, c = 0.1 + 0.01*unit\nmatrix W, U[heads], R[heads], X\nbias b\n"   \
    "diagonal p, q\na = sigmoid(W*x + U*h + b)\nd = R*h\ne = X*x\nc' = a*tanh(d + p*c) + (1 - a)*c\n"        \
    "h' = tanh(c' + q*e)\n"

static const char no_recurrence[] =
    "cell still\nstate h\nmatrix W, V\nbias b\nh' = tanh(W*x + b)*sigmoid(V*x)\n";
/* Two stages, an output that is not the first state and narrower than the rest, initial states of both kinds,
 * a matrix in blocks that multiplies a product's gate. */
static const char of_all_kinds[] =
    "cell kinds\nsize heads = 3\nsize P = H/2\nstate c = 0.25, h[P] = learned, w[P]\nmatrix W, U, V, "
    "R[heads], X\n"
    "bias b, d = 0.5\ndiagonal p\na = sigmoid(W*x + U*h + b)\ne = tanh(R*(a*c) + p*c)\n"
    "c' = a*c + (1 - a)*e + d\nh' = tanh(V*c' + X*x) + 0.5*w\nw' = h\nout = h'\n";

static const char elementwise_only[] =
    "cell decays\nstate h\nmatrix W\ndiagonal a\nh' = sigmoid(a)*h + (1 - sigmoid(a))*(W*x)\n";

static norn_cell *cell_of(const char *formula)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&cell, formula, strlen(formula), "text", NULL, &err), &err);
    return cell;
}

/* ---- against the interpreter ------------------------------------------------------------------------------
 */

typedef struct one_case {
    norn_path path;
    unsigned mapping;
    norn_network_shape shape;
    size_t rows;
} one_case;

/* A cell's programs are compiled anew for each (path, mapping, H, L, dropout): few of them, odd in every
 * size. */
static const one_case every_cell[] = {
    {NORN_PATH_SEQUENCE,
     WIDE,
     {.inputs = 3, .hidden = 18, .layers = 2, .window = 6, .horizon = 5, .batch = 7, .clip = 1.0},
     5},
    {NORN_PATH_STAGE,
     WIDE,
     {.inputs = 2, .hidden = 18, .layers = 2, .window = 5, .horizon = 3, .batch = 6, .dropout = 0.3},
     6},
};
/* Of these, two a cell: compiling takes the time. */
static const one_case other_mappings[] = {
    {NORN_PATH_SEQUENCE,
     MANY_ITEMS,
     {.inputs = 1, .hidden = 66, .layers = 2, .window = 4, .horizon = 2, .batch = 5, .dropout = 0.25},
     4},
    {NORN_PATH_SEQUENCE,
     HALF,
     {.inputs = 6, .hidden = 33, .layers = 1, .window = 7, .horizon = 9, .batch = 4, .loss = NORN_LOSS_HUBER},
     4},
    {NORN_PATH_SEQUENCE,
     NARROW,
     {.inputs = 3, .hidden = 9, .layers = 3, .window = 3, .horizon = 4, .batch = 3, .loss = NORN_LOSS_MAE},
     2},
    {NORN_PATH_STAGE,
     MANY_ITEMS,
     {.inputs = 3, .hidden = 21, .layers = 3, .window = 4, .horizon = 2, .batch = 5},
     3},
};
static const one_case tiny[] = {
    {NORN_PATH_SEQUENCE,
     FEW_ITEMS,
     {.inputs = 3, .hidden = 6, .layers = 2, .window = 2, .horizon = 3, .batch = 3},
     2},
    {NORN_PATH_STAGE,
     FEW_ITEMS,
     {.inputs = 3, .hidden = 6, .layers = 2, .window = 2, .horizon = 3, .batch = 3},
     2},
};

static void compare_one(const char *name, const one_case *c, const norn_network_shape *shape, size_t i)
{
    norn_network_comparison got;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_compare_network(context_of(c->mapping), shape, c->rows, 17 + i, &got, &err), &err);
    if (got.output < 2e-5 && got.loss < 2e-5 && got.gradient < 1e-4 && got.update < 1e-3) return;
    fail_msg("%s, case %zu, %zu steps back: output %.2e loss %.2e gradient %.2e update %.2e", name, i,
             shape->bptt, got.output, got.loss, got.gradient, got.update);
}

static void compare(const char *name, const norn_cell *cell, const one_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        norn_network_shape shape = cases[i].shape;
        shape.path = cases[i].path;
        shape.cell = cell;
        shape.members = 1;
        compare_one(name, &cases[i], &shape, i);
        shape.bptt = (shape.window + 1) / 2; /* truncated */
        if (i < 2) compare_one(name, &cases[i], &shape, i);
    }
}

static void networks_of_every_cell_are_the_cells_interpreted(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        const char *name = norn_cell_builtin_name(i);
        if (is_tiny() && strcmp(name, "gru") != 0 && strcmp(name, "slstm") != 0 && strcmp(name, "mut3") != 0)
            continue;
        norn_cell *cell = cell_of(norn_cell_builtin_text(name));
        if (is_tiny())
            compare(name, cell, tiny, NORN_COUNT(tiny));
        else
            compare(name, cell, every_cell, NORN_COUNT(every_cell));
        tried++;
        norn_cell_free(cell);
    }
    print_message("%zu cells\n", tried);
    assert_int_equal(tried, is_tiny() ? 3 : norn_cell_builtin_count());
}

static void networks_of_other_mappings_are_the_cells_interpreted(void **state)
{
    (void)state;
    static const char *const names[] = {"gru", "lstm_peephole", "slstm"};
    for (size_t i = 0; i < NORN_COUNT(names) && !is_tiny(); i++) {
        norn_cell *cell = cell_of(norn_cell_builtin_text(names[i]));
        compare(names[i], cell, other_mappings + i % 2 * 2, 2);
        norn_cell_free(cell);
    }
}

static void learned_states_blocks_and_missing_products_are_the_formulas_interpreted(void **state)
{
    (void)state;
    static const char *const formulas[] = {LEARNED, HEADS, of_all_kinds, no_recurrence, elementwise_only};
    for (size_t i = 0; i < NORN_COUNT(formulas); i++) {
        norn_cell *cell = cell_of(formulas[i]);
        if (is_tiny()) {
            compare(formulas[i], cell, tiny, NORN_COUNT(tiny));
        } else {
            compare(formulas[i], cell, every_cell, NORN_COUNT(every_cell));
            if (i < 3) compare(formulas[i], cell, other_mappings + (i + 1) % 2 * 2, 2);
        }
        norn_cell_free(cell);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(networks_of_every_cell_are_the_cells_interpreted, free_taken),
        cmocka_unit_test_teardown(learned_states_blocks_and_missing_products_are_the_formulas_interpreted,
                                  free_taken),
        cmocka_unit_test_teardown(networks_of_other_mappings_are_the_cells_interpreted, free_taken),
    };
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
