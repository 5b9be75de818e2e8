/*
 * The reference for networks of any cell: layers by the interpreter (src/cell/interpret.c), which knows
 * nothing of gates, stages or kernels, then head and loss as for the LSTM. See reference.h.
 */
#include "nn/layout.h"
#include "nn/reference.h"

#include <string.h>

typedef struct cell_layer {
    norn_cell_shape bound;
    norn_cell_layer run;
    double *declared, *gradient; /* [parameters] in the order of declaration */
    double *out, *dout, *states; /* [T][B][outputs] twice, [T + 1][B][states] */
    double *fed;                 /* [T][B][inputs] what it reads: the layer below after dropout */
    size_t plain;                /* where its numbers begin */
} cell_layer;

typedef struct job {
    const norn_reference_cells *network;
    const norn_reference_batch *batch;
    cell_layer *layer; /* [L] */
    double *dprediction;
    size_t head; /* where its numbers begin */
    norn_error *err;
} job;

/* Every array of a layer with its length. */
enum { ARRAYS = 6 };
typedef struct array {
    double **at;
    size_t count;
} array;

static void list_arrays(const norn_reference_shape *s, cell_layer *l, array out[ARRAYS])
{
    const size_t tb = s->steps * s->rows;
    const array all[ARRAYS] = {{&l->declared, l->bound.parameters},
                               {&l->gradient, l->bound.parameters},
                               {&l->out, tb * l->bound.outputs},
                               {&l->dout, tb * l->bound.outputs},
                               {&l->states, (tb + s->rows) * l->bound.states},
                               {&l->fed, tb * l->bound.inputs}};
    memcpy(out, all, sizeof all);
}

static norn_status make_layers(job *j)
{
    const norn_reference_shape *s = &j->network->shape;
    const norn_host *host = &j->network->cell->host;
    norn_status status = NORN_OK;
    size_t inputs = s->inputs;
    for (size_t l = 0; l < s->layers && status == NORN_OK; l++) {
        cell_layer *one = &j->layer[l];
        array arrays[ARRAYS];
        status = norn_cell_bind(&one->bound, j->network->cell, inputs, s->hidden, 0, j->err);
        if (status != NORN_OK) break;
        inputs = one->bound.outputs;
        one->plain = j->head;
        j->head += one->bound.parameters;
        list_arrays(s, one, arrays);
        for (size_t i = 0; i < ARRAYS; i++)
            if (!(*arrays[i].at = norn_new(host, arrays[i].count, sizeof(double))))
                return norn_fail_memory(j->err, "the reference");
        norn_plain_to_declared(&one->bound, j->network->parameters + one->plain, one->declared);
        one->run = (norn_cell_layer){.shape = &one->bound,
                                     .steps = s->steps,
                                     .rows = s->rows,
                                     .x = one->fed,
                                     .parameters = one->declared,
                                     .mask = j->batch->mask,
                                     .out = one->out,
                                     .states = one->states};
    }
    return status;
}

static norn_status forward(job *j, double *loss)
{
    const norn_reference_shape *s = &j->network->shape;
    const size_t tb = s->steps * s->rows;
    norn_status status = NORN_OK;
    for (size_t l = 0; l < s->layers && status == NORN_OK; l++) {
        cell_layer *one = &j->layer[l];
        const double *below = l ? j->layer[l - 1].out : j->batch->x,
                     *dropout =
                         l && j->batch->dropout ? j->batch->dropout + (l - 1) * tb * one->bound.inputs : NULL;
        for (size_t i = 0; i < tb * one->bound.inputs; i++)
            one->fed[i] = below[i] * (dropout ? dropout[i] : 1.0);
        status = norn_cell_run(&one->run, j->err);
    }
    if (status != NORN_OK) return status;
    const cell_layer *top = &j->layer[s->layers - 1];
    const size_t units = top->bound.outputs;
    const double *weight = j->network->parameters + j->head, *bias = weight + s->outputs * units;
    norn_reference_head_forward(s->rows, units, s->outputs, top->out + (tb - s->rows) * units, weight, bias,
                                j->network->prediction);
    *loss = norn_reference_weighted_loss(j->batch->loss, j->batch->quantile, s->rows, s->outputs,
                                         j->network->prediction, j->batch->target, j->batch->weight,
                                         j->batch->importance, j->dprediction);
    return NORN_OK;
}

/* Truncated backpropagation is the whole one of the steps from `begin` on, which start from given states. */
static void truncate_run(cell_layer *layer, size_t rows, size_t begin)
{
    const size_t skipped = begin * rows;
    norn_cell_layer *run = &layer->run;
    if (!begin) return;
    run->steps -= begin;
    run->x += skipped * layer->bound.inputs;
    run->initial = layer->states + skipped * layer->bound.states;
    if (run->mask) run->mask += skipped;
    run->out += skipped * layer->bound.outputs; /* the same numbers again */
    run->states = NULL;
    run->dout += skipped * layer->bound.outputs;
    if (run->dx) run->dx += skipped * layer->bound.inputs;
}

static norn_status backward(job *j)
{
    const norn_reference_shape *s = &j->network->shape;
    const size_t tb = s->steps * s->rows;
    cell_layer *top = &j->layer[s->layers - 1];
    const size_t units = top->bound.outputs, last = (tb - s->rows) * units;
    double *to = j->network->gradients;
    norn_status status = NORN_OK;
    memset(to, 0, (j->head + (units + 1) * s->outputs) * sizeof *to);
    norn_reference_head_backward(s->rows, units, s->outputs, top->out + last,
                                 j->network->parameters + j->head, j->dprediction, top->dout + last,
                                 to + j->head, to + j->head + s->outputs * units);
    for (size_t l = s->layers; l-- > 0 && status == NORN_OK;) {
        cell_layer *one = &j->layer[l];
        one->run.dout = one->dout;
        one->run.dparameters = one->gradient;
        one->run.dx = l ? j->layer[l - 1].dout : NULL;
        truncate_run(one, s->rows, j->batch->begin);
        status = norn_cell_run(&one->run, j->err);
        double *const below = l ? j->layer[l - 1].dout : NULL;
        for (size_t i = 0; i < tb * one->bound.inputs && l && j->batch->dropout; i++)
            below[i] *= j->batch->dropout[(l - 1) * tb * one->bound.inputs + i];
        norn_plain_from_declared(&one->bound, one->gradient, to + one->plain);
    }
    return status;
}

norn_status norn_reference_cells_run(const norn_reference_cells *network, const norn_reference_batch *batch,
                                     double *loss, norn_error *err)
{
    const norn_reference_shape *s = &network->shape;
    const norn_host *host = &network->cell->host;
    job j = {.network = network, .batch = batch, .err = err};
    norn_status status = NORN_OK;
    j.layer = norn_new(host, s->layers, sizeof *j.layer);
    j.dprediction = norn_new(host, s->rows * s->outputs, sizeof *j.dprediction);
    if (!j.layer || !j.dprediction) status = norn_fail_memory(err, "the reference");
    if (status == NORN_OK) status = make_layers(&j);
    if (status == NORN_OK) status = forward(&j, loss);
    if (status == NORN_OK && network->gradients) status = backward(&j);
    for (size_t l = 0; l < s->layers && j.layer; l++) {
        array arrays[ARRAYS];
        list_arrays(s, &j.layer[l], arrays);
        for (size_t i = 0; i < ARRAYS; i++) norn_delete(host, *arrays[i].at, arrays[i].count, sizeof(double));
    }
    norn_delete(host, j.dprediction, s->rows * s->outputs, sizeof *j.dprediction);
    norn_delete(host, j.layer, s->layers, sizeof *j.layer);
    return status;
}
