/*
 * Gradients of the interpreter against central differences. The function differentiated is a sum of all
 * outputs and last states with random weights. What passed stop() is held while a number is moved, since no
 * gradient goes through it; where a kink flips between the two sides there is no derivative to compare, and
 * the number is skipped.
 */
#include "cell/cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014): for test numbers only. */
static double draw(uint64_t *state, double low, double high)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return low + (high - low) * (double)(z >> 11) * 0x1p-53;
}

enum { X, PARAMETERS, INITIAL, OUT, STATES, DOUT, DLAST, DPARAMETERS, DX, DINITIAL, STOPPED, ARRAYS };

typedef struct trial {
    norn_cell_layer layer;
    double *array[ARRAYS];
    size_t size[ARRAYS];
} trial;

static norn_status value_of(trial *t, double *value, norn_error *err)
{
    const norn_cell_shape *shape = t->layer.shape;
    norn_cell_layer forward = t->layer;
    forward.dparameters = NULL;
    forward.held = true;
    const norn_status status = norn_cell_run(&forward, err);
    t->layer.branches = forward.branches;
    *value = 0.0;
    for (size_t i = 0; i < t->size[OUT]; i++) *value += t->array[OUT][i] * t->array[DOUT][i];
    const double *last = t->array[STATES] + t->layer.steps * t->layer.rows * shape->states;
    for (size_t i = 0; i < t->size[DLAST]; i++) *value += last[i] * t->array[DLAST][i];
    return status;
}

/* All numbers of one tensor. */
static norn_status compare(trial *t, double *numbers, const double *gradient, size_t count, const char *name,
                           norn_cell_verdict *verdict, norn_error *err)
{
    static const double step = 1e-5; /* the error is of the order of its square */
    double scale = 1.0;
    for (size_t i = 0; i < count; i++)
        if (fabs(gradient[i]) > scale) scale = fabs(gradient[i]);
    for (size_t i = 0; i < count; i++) {
        const double kept = numbers[i];
        double up = 0.0, down = 0.0;
        numbers[i] = kept + step;
        norn_status status = value_of(t, &up, err);
        const uint64_t branches = t->layer.branches;
        numbers[i] = kept - step;
        if (status == NORN_OK) status = value_of(t, &down, err);
        numbers[i] = kept;
        if (status != NORN_OK) return status;
        if (branches != t->layer.branches) {
            verdict->skipped++;
            continue;
        }
        double error = fabs((up - down) / (2.0 * step) - gradient[i]) / scale;
        if (!(error <= 1e300)) error = INFINITY; /* NaN too */
        verdict->compared++;
        if (error > verdict->worst || !verdict->where[0]) {
            verdict->worst = error;
            (void)snprintf(verdict->where, sizeof verdict->where, "%s", name);
        }
    }
    return NORN_OK;
}

static norn_status try_once(trial *t, bool given, norn_cell_verdict *verdict, norn_error *err)
{
    const norn_cell_shape *shape = t->layer.shape;
    const norn_cell *cell = shape->cell;
    t->layer.initial = given ? t->array[INITIAL] : NULL;
    t->layer.held = false;
    for (size_t i = 0; i < shape->parameters; i++) t->array[DPARAMETERS][i] = 0.0;
    norn_status status = norn_cell_run(&t->layer, err);
    if (status != NORN_OK) return status;
    for (size_t i = 0; i < cell->matrix_count && status == NORN_OK; i++) {
        const norn_cell_tensor *w = &shape->matrix[i];
        status = compare(t, t->array[PARAMETERS] + w->offset, t->array[DPARAMETERS] + w->offset, w->count,
                         cell->matrices[i].name, verdict, err);
    }
    for (size_t i = 0; i < cell->vector_count && status == NORN_OK; i++) {
        const norn_cell_tensor *w = &shape->vector[i];
        status = compare(t, t->array[PARAMETERS] + w->offset, t->array[DPARAMETERS] + w->offset, w->count,
                         cell->vectors[i].name, verdict, err);
    }
    if (status == NORN_OK) status = compare(t, t->array[X], t->array[DX], t->size[X], "x", verdict, err);
    if (status == NORN_OK && given)
        status = compare(t, t->array[INITIAL], t->array[DINITIAL], t->size[INITIAL], "initial states",
                         verdict, err);
    return status;
}

norn_status norn_cell_check(norn_cell_verdict *out, const norn_cell_shape *shape, size_t steps, size_t rows,
                            uint64_t seed, norn_error *err)
{
    const norn_host *host = &shape->cell->host;
    norn_cell_verdict verdict = {0};
    norn_status status = NORN_OK;
    const size_t tb = steps * rows;
    trial t = {.size = {[X] = tb * shape->inputs,
                        [PARAMETERS] = shape->parameters,
                        [INITIAL] = rows * shape->states,
                        [OUT] = tb * shape->outputs,
                        [STATES] = (tb + rows) * shape->states,
                        [DOUT] = tb * shape->outputs,
                        [DLAST] = rows * shape->states,
                        [DPARAMETERS] = shape->parameters,
                        [DX] = tb * shape->inputs,
                        [DINITIAL] = rows * shape->states,
                        [STOPPED] = tb * norn_cell_stops(shape)}};
    unsigned char *mask = norn_new(host, tb, 1);
    bool made = mask != NULL;
    for (int k = 0; k < ARRAYS; k++) {
        if (t.size[k] == 0) continue;
        t.array[k] = norn_new(host, t.size[k], sizeof(double));
        made = made && t.array[k];
    }
    if (!made) {
        status = norn_fail_memory(err, "the check of a cell");
        goto done;
    }
    static const int drawn[] = {X, PARAMETERS, DOUT, DLAST};
    for (size_t k = 0; k < NORN_COUNT(drawn); k++)
        for (size_t i = 0; i < t.size[drawn[k]]; i++) t.array[drawn[k]][i] = draw(&seed, -1.0, 1.0);
    /* Some cells divide by a state that is positive by its formula. */
    for (size_t i = 0; i < t.size[INITIAL]; i++) t.array[INITIAL][i] = draw(&seed, 0.25, 1.0);
    for (size_t i = 0; i < tb; i++) mask[i] = draw(&seed, 0.0, 1.0) < 0.8;
    for (size_t row = 0; row < rows; row++) mask[tb - 1 - row] = 1; /* every row does a step */
    t.layer = (norn_cell_layer){.shape = shape,
                                .steps = steps,
                                .rows = rows,
                                .x = t.array[X],
                                .parameters = t.array[PARAMETERS],
                                .mask = mask,
                                .out = t.array[OUT],
                                .states = t.array[STATES],
                                .dout = t.array[DOUT],
                                .dlast = t.array[DLAST],
                                .dparameters = t.array[DPARAMETERS],
                                .dx = t.array[DX],
                                .dinitial = t.array[DINITIAL],
                                .stopped = t.array[STOPPED]};
    status = try_once(&t, true, &verdict, err);
    if (status == NORN_OK) status = try_once(&t, false, &verdict, err);
    if (status == NORN_OK) *out = verdict;
done:
    for (int k = 0; k < ARRAYS; k++) norn_delete(host, t.array[k], t.size[k], sizeof(double));
    norn_delete(host, mask, tb, 1);
    return status;
}
