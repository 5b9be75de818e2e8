/*
 * The reference: a formula run over time in double precision, and its gradients by reverse-mode
 * differentiation. It walks the graph forwards for values and backwards for adjoints, one row of the batch
 * after the other, keeping every value of every step. Slow, plain, and independent of the compiler: kernels
 * are compared with it.
 */
#include "cell/ops.h"

#include <math.h>
#include <string.h>

typedef struct run {
    norn_cell_layer *layer;
    const norn_cell_shape *shape;
    const norn_cell *cell;
    size_t at[NORN_CELL_NODES], size[NORN_CELL_NODES]; /* of a node in a step's values */
    size_t values;                                     /* numbers of a step */
    size_t stops;
    int out_state;   /* the state whose new value is the output, or -1 */
    double *tape;    /* [T][values] of one row */
    double *adjoint; /* [values] of one step */
    double *state;   /* [states] of the row */
    double *dstate;  /* [states] */
    double *pending; /* [outputs] gradient of outputs that were given again by masked steps */
} run;

size_t norn_cell_stops(const norn_cell_shape *shape)
{
    size_t stops = 0;
    for (size_t i = 0; i < shape->cell->node_count; i++)
        if (shape->cell->nodes[i].op == NORN_CELL_STOP) stops += shape->size[shape->cell->nodes[i].size];
    return stops;
}

/* y += W v, or with `transposed` y += W^T v; W may be block-diagonal. */
static void multiply(const norn_cell_tensor *tensor, const double *w, bool transposed, const double *v,
                     double *y)
{
    const size_t rows = tensor->rows / tensor->heads, columns = tensor->columns / tensor->heads;
    for (size_t head = 0; head < tensor->heads; head++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++) {
                const double weight = w[(head * rows + r) * columns + c];
                if (transposed)
                    y[head * columns + c] += weight * v[head * rows + r];
                else
                    y[head * rows + r] += weight * v[head * columns + c];
            }
}

static void outer(const norn_cell_tensor *tensor, const double *dy, const double *v, double *dw)
{
    const size_t rows = tensor->rows / tensor->heads, columns = tensor->columns / tensor->heads;
    for (size_t head = 0; head < tensor->heads; head++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                dw[(head * rows + r) * columns + c] += dy[head * rows + r] * v[head * columns + c];
}

/* Which side of a kink was taken, ties apart. */
static void branch(norn_cell_layer *layer, double a, double b)
{
    layer->branches = (layer->branches ^ (uint64_t)(a > b ? 1 : a < b ? 2 : 3)) * UINT64_C(0x100000001b3);
}

static bool has_kink(norn_cell_op op)
{
    return op == NORN_CELL_RELU || op == NORN_CELL_ABS || op == NORN_CELL_MIN || op == NORN_CELL_MAX;
}

/* ---- forward ---------------------------------------------------------------------------------------------
 */

static void step_forward(run *r, size_t t, size_t row, double *values)
{
    norn_cell_layer *layer = r->layer;
    const norn_cell_shape *shape = r->shape;
    size_t stop = (t * layer->rows + row) * r->stops;
    for (size_t i = 0; i < r->cell->node_count; i++) {
        const norn_cell_node *n = &r->cell->nodes[i];
        double *y = values + r->at[i];
        const size_t size = r->size[i];
        switch (n->op) {
        case NORN_CELL_CONSTANT:
            y[0] = n->value;
            break;
        case NORN_CELL_INPUT:
            memcpy(y, layer->x + (t * layer->rows + row) * shape->inputs, size * sizeof *y);
            break;
        case NORN_CELL_STATE:
            memcpy(y, r->state + shape->state_at[n->index], size * sizeof *y);
            break;
        case NORN_CELL_VECTOR:
            memcpy(y, layer->parameters + shape->vector[n->index].offset, size * sizeof *y);
            break;
        case NORN_CELL_PRODUCT: {
            const norn_cell_tensor *w = &shape->matrix[n->index];
            const double *v = values + r->at[n->a];
            for (size_t u = 0; u < size; u++) y[u] = w->count ? 0.0 : v[u];
            if (w->count) multiply(w, layer->parameters + w->offset, false, v, y);
            break;
        }
        default: {
            const double *a = values + r->at[n->a], *b = n->b < 0 ? a : values + r->at[n->b];
            const size_t a_step = r->cell->nodes[n->a].size != NORN_CELL_SCALAR,
                         b_step = n->b >= 0 && r->cell->nodes[n->b].size != NORN_CELL_SCALAR;
            for (size_t u = 0; u < size; u++) {
                y[u] = norn_cell_apply(n->op, a[u * a_step], b[u * b_step]);
                if (has_kink(n->op)) branch(layer, a[u * a_step], n->b < 0 ? 0.0 : b[u * b_step]);
            }
            if (n->op == NORN_CELL_STOP && layer->stopped) {
                double *kept = layer->stopped + stop;
                memcpy(layer->held ? y : kept, layer->held ? kept : y, size * sizeof *y);
                stop += size;
            }
        }
        }
    }
}

static void row_forward(run *r, size_t row)
{
    norn_cell_layer *layer = r->layer;
    const norn_cell_shape *shape = r->shape;
    const size_t outputs = shape->outputs, stride = layer->rows * outputs;
    for (size_t i = 0; i < r->cell->state_count; i++) {
        const norn_cell_state *s = &r->cell->states[i];
        const size_t size = shape->size[s->size];
        for (size_t u = 0; u < size; u++) {
            double *to = &r->state[shape->state_at[i] + u];
            if (layer->initial)
                *to = layer->initial[row * shape->states + shape->state_at[i] + u];
            else if (s->learned >= 0)
                *to = layer->parameters[shape->vector[s->learned].offset + u];
            else
                *to = s->init.fill == NORN_CELL_FILL_VALUE ? norn_cell_initial(shape, s->init, size, u) : 0.0;
        }
    }
    if (layer->states)
        memcpy(layer->states + row * shape->states, r->state, shape->states * sizeof *r->state);
    for (size_t t = 0; t < layer->steps; t++) {
        double *values = r->tape + t * r->values;
        double *out = layer->out + t * stride + row * outputs;
        if (layer->mask && !layer->mask[t * layer->rows + row]) {
            const double *again = t                   ? out - stride
                                  : r->out_state >= 0 ? r->state + shape->state_at[r->out_state]
                                                      : NULL;
            for (size_t u = 0; u < outputs; u++) out[u] = again ? again[u] : 0.0;
        } else {
            step_forward(r, t, row, values);
            for (size_t i = 0; i < r->cell->state_count; i++) {
                const int next = r->cell->states[i].next;
                const bool scalar = r->cell->nodes[next].size == NORN_CELL_SCALAR;
                for (size_t u = 0; u < shape->size[r->cell->states[i].size]; u++)
                    r->state[shape->state_at[i] + u] = values[r->at[next] + (scalar ? 0 : u)];
            }
            memcpy(out, values + r->at[r->cell->out], outputs * sizeof *out);
        }
        if (layer->states)
            memcpy(layer->states + ((t + 1) * layer->rows + row) * shape->states, r->state,
                   shape->states * sizeof *r->state);
    }
}

/* ---- backward --------------------------------------------------------------------------------------------
 */

/* d(op)/da and d(op)/db, given the operands and the result. The slope of relu and abs at 0 is 0; of equals
 * min and max take the first. */
static void slopes(norn_cell_op op, double a, double b, double y, double *da, double *db)
{
    *da = *db = 0.0;
    switch (op) {
    case NORN_CELL_NEGATE:
        *da = -1.0;
        break;
    case NORN_CELL_SIGMOID:
        *da = y * (1.0 - y);
        break;
    case NORN_CELL_TANH:
        *da = 1.0 - y * y;
        break;
    case NORN_CELL_RELU:
        *da = a > 0.0 ? 1.0 : 0.0;
        break;
    case NORN_CELL_EXP:
        *da = y;
        break;
    case NORN_CELL_LOG:
        *da = 1.0 / a;
        break;
    case NORN_CELL_SOFTPLUS:
        *da = norn_cell_apply(NORN_CELL_SIGMOID, a, 0.0);
        break;
    case NORN_CELL_SILU: {
        const double s = norn_cell_apply(NORN_CELL_SIGMOID, a, 0.0);
        *da = s * (1.0 + a * (1.0 - s));
        break;
    }
    case NORN_CELL_ABS:
        *da = a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : 0.0;
        break;
    case NORN_CELL_ADD:
        *da = *db = 1.0;
        break;
    case NORN_CELL_SUBTRACT:
        *da = 1.0;
        *db = -1.0;
        break;
    case NORN_CELL_MULTIPLY:
        *da = b;
        *db = a;
        break;
    case NORN_CELL_DIVIDE:
        *da = 1.0 / b;
        *db = -y / b;
        break;
    case NORN_CELL_MIN:
        *da = b < a ? 0.0 : 1.0;
        *db = 1.0 - *da;
        break;
    case NORN_CELL_MAX:
        *da = b > a ? 0.0 : 1.0;
        *db = 1.0 - *da;
        break;
    default: /* STOP, and leaves */
        break;
    }
}

static void step_backward(run *r, size_t t, size_t row, const double *values)
{
    norn_cell_layer *layer = r->layer;
    const norn_cell_shape *shape = r->shape;
    for (size_t i = r->cell->node_count; i-- > 0;) {
        const norn_cell_node *n = &r->cell->nodes[i];
        const double *dy = r->adjoint + r->at[i];
        const size_t size = r->size[i];
        double *to = NULL;
        switch (n->op) {
        case NORN_CELL_CONSTANT:
            break;
        case NORN_CELL_INPUT:
            to = layer->dx ? layer->dx + (t * layer->rows + row) * shape->inputs : NULL;
            break;
        case NORN_CELL_STATE:
            to = r->dstate + shape->state_at[n->index];
            break;
        case NORN_CELL_VECTOR:
            to = layer->dparameters + shape->vector[n->index].offset;
            break;
        case NORN_CELL_PRODUCT: {
            const norn_cell_tensor *w = &shape->matrix[n->index];
            double *da = r->adjoint + r->at[n->a];
            if (w->count) {
                multiply(w, layer->parameters + w->offset, true, dy, da);
                outer(w, dy, values + r->at[n->a], layer->dparameters + w->offset);
            } else {
                for (size_t u = 0; u < size; u++) da[u] += dy[u];
            }
            break;
        }
        default: {
            const double *a = values + r->at[n->a], *b = n->b < 0 ? a : values + r->at[n->b];
            const size_t a_step = r->cell->nodes[n->a].size != NORN_CELL_SCALAR,
                         b_step = n->b >= 0 && r->cell->nodes[n->b].size != NORN_CELL_SCALAR;
            for (size_t u = 0; u < size; u++) {
                double da, db;
                slopes(n->op, a[u * a_step], b[u * b_step], values[r->at[i] + u], &da, &db);
                /* What no gradient reaches gets none, be its slope infinite. */
                if (dy[u] == 0.0) continue;
                r->adjoint[r->at[n->a] + u * a_step] += dy[u] * da;
                if (n->b >= 0) r->adjoint[r->at[n->b] + u * b_step] += dy[u] * db;
            }
        }
        }
        for (size_t u = 0; to && u < size; u++) to[u] += dy[u];
    }
}

static void row_backward(run *r, size_t row)
{
    norn_cell_layer *layer = r->layer;
    const norn_cell_shape *shape = r->shape;
    const norn_cell *cell = r->cell;
    const size_t outputs = shape->outputs, stride = layer->rows * outputs;
    for (size_t k = 0; k < shape->states; k++)
        r->dstate[k] = layer->dlast ? layer->dlast[row * shape->states + k] : 0.0;
    for (size_t u = 0; u < outputs; u++) r->pending[u] = 0.0;
    for (size_t t = layer->steps; t-- > 0;) {
        const double *values = r->tape + t * r->values;
        for (size_t u = 0; u < outputs; u++)
            r->pending[u] += layer->dout ? layer->dout[t * stride + row * outputs + u] : 0.0;
        if (layer->mask && !layer->mask[t * layer->rows + row]) continue;
        memset(r->adjoint, 0, r->values * sizeof *r->adjoint);
        for (size_t u = 0; u < outputs; u++) {
            r->adjoint[r->at[cell->out] + u] += r->pending[u];
            r->pending[u] = 0.0;
        }
        for (size_t i = 0; i < cell->state_count; i++) {
            const int next = cell->states[i].next;
            const bool scalar = cell->nodes[next].size == NORN_CELL_SCALAR;
            for (size_t u = 0; u < shape->size[cell->states[i].size]; u++)
                r->adjoint[r->at[next] + (scalar ? 0 : u)] += r->dstate[shape->state_at[i] + u];
        }
        memset(r->dstate, 0, shape->states * sizeof *r->dstate);
        step_backward(r, t, row, values);
    }
    /* Outputs given again before the first step are the initial state. */
    for (size_t u = 0; r->out_state >= 0 && u < outputs; u++)
        r->dstate[shape->state_at[r->out_state] + u] += r->pending[u];
    for (size_t i = 0; i < cell->state_count; i++) {
        const int learned = cell->states[i].learned;
        for (size_t u = 0; u < shape->size[cell->states[i].size]; u++) {
            const size_t k = shape->state_at[i] + u;
            if (!layer->initial && learned >= 0)
                layer->dparameters[shape->vector[learned].offset + u] += r->dstate[k];
            if (layer->dinitial)
                layer->dinitial[row * shape->states + k] = layer->initial ? r->dstate[k] : 0.0;
        }
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

norn_status norn_cell_run(norn_cell_layer *layer, norn_error *err)
{
    const norn_cell_shape *shape = layer->shape;
    const norn_host *host = &shape->cell->host;
    norn_status status = NORN_OK;
    run *r = norn_new(host, 1, sizeof *r);
    if (!r) return norn_fail_memory(err, "a cell's values");
    r->layer = layer;
    r->shape = shape;
    r->cell = shape->cell;
    r->out_state = -1;
    for (size_t i = 0; i < r->cell->node_count; i++) {
        const int size = r->cell->nodes[i].size;
        r->at[i] = r->values;
        r->size[i] = size == NORN_CELL_SCALAR ? 1 : shape->size[size];
        r->values += r->size[i];
    }
    for (size_t i = r->cell->state_count; i-- > 0;)
        if (r->cell->states[i].next == r->cell->out) r->out_state = (int)i;
    r->stops = norn_cell_stops(shape);
    r->tape = norn_new(host, layer->steps, r->values * sizeof(double));
    r->adjoint = norn_new(host, r->values, sizeof(double));
    r->state = norn_new(host, shape->states, sizeof(double));
    r->dstate = norn_new(host, shape->states, sizeof(double));
    r->pending = norn_new(host, shape->outputs, sizeof(double));
    if (!r->tape || !r->adjoint || !r->state || !r->dstate || !r->pending) {
        status = norn_fail_memory(err, "a cell's values");
        goto done;
    }
    layer->branches = UINT64_C(0xcbf29ce484222325);
    if (layer->dparameters && layer->dx)
        memset(layer->dx, 0, layer->steps * layer->rows * shape->inputs * sizeof(double));
    for (size_t row = 0; row < layer->rows; row++) {
        row_forward(r, row);
        if (layer->dparameters) row_backward(r, row);
    }
done:
    norn_delete(host, r->tape, layer->steps, r->values * sizeof(double));
    norn_delete(host, r->adjoint, r->values, sizeof(double));
    norn_delete(host, r->state, shape->states, sizeof(double));
    norn_delete(host, r->dstate, shape->states, sizeof(double));
    norn_delete(host, r->pending, shape->outputs, sizeof(double));
    norn_delete(host, r, 1, sizeof *r);
    return status;
}
