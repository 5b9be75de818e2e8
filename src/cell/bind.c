/*
 * Graph + sizes -> shapes: how long every vector is, and where every tensor stands in the one array of
 * parameters.
 */
#include "cell/ops.h"

#include <math.h>

enum { LARGEST = 1 << 20 };

/* An expression of initial values with its symbols put in. */
static double evaluate(const norn_cell *cell, int root, const double symbols[NORN_CELL_SYMBOLS])
{
    double values[NORN_CELL_NODES];
    for (int i = 0; i <= root; i++) {
        const norn_cell_node *n = &cell->initial[i];
        if (n->op == NORN_CELL_CONSTANT)
            values[i] = n->value;
        else if (n->op == NORN_CELL_SYMBOL)
            values[i] = symbols[n->index];
        else
            values[i] = norn_cell_apply(n->op, values[n->a], n->b < 0 ? 0.0 : values[n->b]);
    }
    return values[root];
}

double norn_cell_initial(const norn_cell_shape *shape, norn_cell_init init, size_t units, size_t unit)
{
    if (init.fill == NORN_CELL_FILL_DEFAULT) return 1.0 / sqrt((double)shape->hidden);
    if (init.root < 0) return 0.0;
    const size_t heads = shape->size[NORN_CELL_SIZE_HEADS];
    const size_t head_units = units % heads == 0 ? units / heads : units;
    const double symbols[NORN_CELL_SYMBOLS] = {
        [NORN_CELL_UNITS] = (double)units,           [NORN_CELL_UNIT] = (double)unit,
        [NORN_CELL_HEAD_UNITS] = (double)head_units, [NORN_CELL_HEAD_UNIT] = (double)(unit % head_units),
        [NORN_CELL_HEADS] = (double)heads,           [NORN_CELL_INPUTS] = (double)shape->inputs,
        [NORN_CELL_HIDDEN] = (double)shape->hidden,
    };
    return evaluate(shape->cell, init.root, symbols);
}

static norn_status size_of(norn_cell_shape *shape, size_t index, norn_error *err)
{
    const norn_cell_size *named = &shape->cell->sizes[index];
    /* Of the unit's place nothing is known here; heads are what was found before. */
    const double symbols[NORN_CELL_SYMBOLS] = {
        [NORN_CELL_UNITS] = (double)shape->hidden,
        [NORN_CELL_HEAD_UNITS] = (double)shape->hidden,
        [NORN_CELL_HEADS] = (double)shape->size[NORN_CELL_SIZE_HEADS],
        [NORN_CELL_INPUTS] = (double)shape->inputs,
        [NORN_CELL_HIDDEN] = (double)shape->hidden,
    };
    const double value = evaluate(shape->cell, named->root, symbols);
    /* H/2 of an odd H is rounded up, so that no size is 0. */
    if (!(value > 0.0) || value > (double)LARGEST)
        return norn_fail_at(err, NORN_ERR_USAGE, NULL, 0, 0,
                            "cell %s: the size %s is %g with H = %zu, expected 1 to %d", shape->cell->name,
                            named->name, value, shape->hidden, (int)LARGEST);
    shape->size[index] = (size_t)ceil(value);
    return NORN_OK;
}

static norn_status tensor(norn_cell_shape *shape, const norn_cell_matrix *matrix, norn_cell_tensor *out,
                          norn_error *err)
{
    const norn_cell *cell = shape->cell;
    const size_t heads = matrix->heads ? shape->size[NORN_CELL_SIZE_HEADS] : 1;
    *out = (norn_cell_tensor){.rows = shape->size[matrix->rows],
                              .columns = shape->size[matrix->columns],
                              .heads = heads,
                              .offset = shape->parameters};
    if (out->rows % heads || out->columns % heads)
        return norn_fail(err, NORN_ERR_USAGE,
                         "cell %s: the matrix %s of %zu by %zu cannot be divided into %zu heads", cell->name,
                         matrix->name, out->rows, out->columns, heads);
    if (!matrix->projection || out->rows != out->columns) out->count = out->rows * out->columns / heads;
    shape->parameters += out->count;
    return NORN_OK;
}

norn_status norn_cell_bind(norn_cell_shape *out, const norn_cell *cell, size_t inputs, size_t hidden,
                           size_t heads, norn_error *err)
{
    norn_cell_shape shape = {.cell = cell, .inputs = inputs, .hidden = hidden};
    norn_status status = NORN_OK;
    if (inputs < 1 || inputs > LARGEST || hidden < 1 || hidden > LARGEST || heads > LARGEST)
        return norn_fail(err, NORN_ERR_USAGE, "cell %s: inputs and hidden units are 1 to %d", cell->name,
                         (int)LARGEST);
    shape.size[NORN_CELL_SIZE_INPUTS] = inputs;
    shape.size[NORN_CELL_SIZE_HIDDEN] = hidden;
    shape.size[NORN_CELL_SIZE_HEADS] = heads ? heads : 1;
    if (!heads && cell->sizes[NORN_CELL_SIZE_HEADS].root >= 0)
        status = size_of(&shape, NORN_CELL_SIZE_HEADS, err);
    for (size_t i = NORN_CELL_SIZE_NAMED; i < cell->size_count && status == NORN_OK; i++)
        status = size_of(&shape, i, err);
    for (size_t i = 0; i < cell->matrix_count && status == NORN_OK; i++)
        status = tensor(&shape, &cell->matrices[i], &shape.matrix[i], err);
    if (status != NORN_OK) return status;
    for (size_t i = 0; i < cell->vector_count; i++) {
        const size_t length = shape.size[cell->vectors[i].size];
        shape.vector[i] = (norn_cell_tensor){length, 1, 1, shape.parameters, length};
        shape.parameters += length;
    }
    for (size_t i = 0; i < cell->state_count; i++) {
        shape.state_at[i] = shape.states;
        shape.states += shape.size[cell->states[i].size];
    }
    shape.outputs = shape.size[cell->nodes[cell->out].size];
    *out = shape;
    return NORN_OK;
}
