/* The tensors of a model's file: see model_slices.h. */
#include "nn/model_slices.h"

#include <stdio.h>
#include <string.h>

/* PyTorch's modules: which cell is the same formula, and how its tensors are stacked. */
static const struct {
    const char *name, *cells[2];
    size_t stacked; /* matrices of the input, and as many of the state */
    size_t folded;  /* of the second bias, in units: what only acts in a sum with the first */
} layouts[NORN_LAYOUTS] = {
    [NORN_LAYOUT_FORMULA] = {"formula", {NULL, NULL}, 0, 0},
    [NORN_LAYOUT_LSTM] = {"LSTM", {"lstm", NULL}, 4, 4},
    [NORN_LAYOUT_GRU] = {"GRU", {"gru", NULL}, 3, 2},
    [NORN_LAYOUT_RNN] = {"RNN", {"elman", "elman_relu"}, 1, 1},
};

norn_model_layout norn_model_layout_of(const norn_cell *cell)
{
    if (!cell) return NORN_LAYOUT_LSTM;
    for (int i = 0; i < NORN_LAYOUTS; i++)
        for (size_t k = 0; k < 2 && layouts[i].cells[k]; k++) {
            const char *text = norn_cell_builtin_text(layouts[i].cells[k]);
            if (text && strcmp(text, cell->text) == 0) return (norn_model_layout)i;
        }
    return NORN_LAYOUT_FORMULA;
}

norn_model_layout norn_model_layout_called(const char *name)
{
    int i = 0;
    while (i < NORN_LAYOUTS && strcmp(layouts[i].name, name) != 0) i++;
    return (norn_model_layout)i;
}

const char *norn_model_layout_name(norn_model_layout layout)
{
    return layouts[layout].name;
}

/* ---- a layer ---------------------------------------------------------------------------------------------
 */

typedef struct cutter {
    const norn_model *model;
    norn_slice *out;
    size_t used, layer;
    size_t begin; /* of the layer's plain numbers */
} cutter;

static norn_slice *add(cutter *c, const char *name, size_t at, size_t rows, size_t columns)
{
    norn_slice *one = &c->out[c->used++];
    *one = (norn_slice){.rank = columns ? 2 : 1,
                        .shape = {rows, columns},
                        .at = c->begin + at,
                        .count = columns ? rows * columns : rows};
    (void)snprintf(one->name, sizeof one->name, "rnn.%s_l%zu", name, c->layer);
    return one;
}

/* PyTorch's four: what is stacked there stands side by side in the plain order, too. */
static void cut_stacked(cutter *c, size_t inputs)
{
    const norn_model *m = c->model;
    const size_t h = m->hidden, wide = layouts[m->layout].stacked * h, bias = wide * (inputs + h);
    (void)add(c, "weight_ih", 0, wide, inputs);
    (void)add(c, "weight_hh", wide * inputs, wide, h);
    (void)add(c, "bias_ih", bias, wide, 0);
    norn_slice *second = add(c, "bias_hh", bias + wide, wide, 0);
    second->folded = layouts[m->layout].folded * h;
    second->fold_at = c->begin + bias;
}

static void cut_declared(cutter *c, const norn_cell_shape *bound, const norn_plain_tensor *tensors,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const norn_plain_tensor *t = &tensors[i];
        const norn_cell_matrix *matrix = t->vector ? NULL : &bound->cell->matrices[t->index];
        /* The input's projection has no name of its own; x can be no other's. */
        const char *name = t->vector            ? bound->cell->vectors[t->index].name
                           : matrix->projection ? "x"
                                                : matrix->name;
        norn_slice *one = add(c, name, t->at.offset, t->at.rows, t->vector ? 0 : t->at.columns);
        if (t->vector || t->at.heads == 1) continue;
        one->rank = 3;
        one->shape[0] = t->at.heads;
        one->shape[1] = t->at.rows / t->at.heads;
        one->shape[2] = t->at.columns / t->at.heads;
        one->count = t->at.count;
    }
}

/* Has the cell what is stacked? As many matrices [H][I], as many [H][H], and the vectors. */
static bool can_be_stacked(const norn_model *m, const norn_cell_shape *bound,
                           const norn_plain_tensor *tensors, size_t count)
{
    const size_t each = layouts[m->layout].stacked, vectors = 2 * each - layouts[m->layout].folded;
    size_t good = 0;
    if (count != 2 * each + vectors) return false;
    for (size_t i = 0; i < count; i++) {
        const norn_plain_tensor *t = &tensors[i];
        const size_t columns = i < each ? bound->inputs : i < 2 * each ? m->hidden : 1;
        good += t->vector == (i >= 2 * each) && t->of_input == (i < each) && t->at.rows == m->hidden &&
                t->at.columns == columns && t->at.heads == 1;
    }
    return good == count;
}

/* ---- a member --------------------------------------------------------------------------------------------
 */

static norn_status cut(cutter *c, norn_error *err)
{
    const norn_model *m = c->model;
    const size_t wide = layouts[m->layout].stacked * m->hidden,
                 units = norn_layer_outputs(m->cell, m->inputs, m->hidden);
    for (c->layer = 0; c->layer < m->layers; c->layer++) {
        const size_t inputs = c->layer ? units : m->inputs;
        norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
        norn_cell_shape bound;
        size_t count = 0, numbers = wide * (inputs + m->hidden + 1);
        if (m->cell) {
            const norn_status status = norn_cell_bind(&bound, m->cell, inputs, m->hidden, 0, err);
            if (status != NORN_OK) return status;
            count = norn_plain_tensors(&bound, tensors);
            numbers = bound.parameters;
            if (m->layout != NORN_LAYOUT_FORMULA && !can_be_stacked(m, &bound, tensors, count))
                return norn_fail(err, NORN_ERR_USAGE, "the cell %s has not the parameters of PyTorch's %s",
                                 m->cell->name, layouts[m->layout].name);
        }
        if (m->layout == NORN_LAYOUT_FORMULA)
            cut_declared(c, &bound, tensors, count);
        else
            cut_stacked(c, inputs);
        c->begin += numbers;
    }
    for (int bias = 0; bias < 2; bias++) {
        norn_slice *one = add(c, "", bias ? units * m->horizon : 0, m->horizon, bias ? 0 : units);
        (void)snprintf(one->name, sizeof one->name, "head.%s", bias ? "bias" : "weight");
    }
    return NORN_OK;
}

norn_status norn_model_slices(const norn_model *model, norn_slice **out, size_t *count, norn_error *err)
{
    const size_t each = model->cell ? model->cell->matrix_count + model->cell->vector_count : 4,
                 room = model->layers * (each > 4 ? each : 4) + 2;
    cutter c = {.model = model, .out = norn_new(&model->host, room, sizeof *c.out)};
    norn_status status = c.out ? cut(&c, err) : norn_fail_memory(err, "a model's tensors");
    /* What sizes leave out is not there: no more memory than slices, so that their number frees it. */
    if (status == NORN_OK && c.used < room &&
        !norn_resize(&model->host, (void **)&c.out, room, c.used, sizeof *c.out))
        status = norn_fail_memory(err, "a model's tensors");
    if (status != NORN_OK) {
        norn_delete(&model->host, c.out, room, sizeof *c.out);
        return status;
    }
    *out = c.out;
    *count = c.used;
    return NORN_OK;
}
