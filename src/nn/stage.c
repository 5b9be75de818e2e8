/*
 * The stage path: products between the unit kernels of kernels/stage.cl, for cells of any number of stages
 * (src/cell/stages.h). One strip of HP units makes weights, kept values and states plain matrices, and each
 * vector that a stage multiplies has one matrix for all of the stage's gates:
 *
 *     all stages: kept [T*B][gates of the stage] = X W             one product for all times
 *     for each t, stage by stage: gates_t += v U, then its kernel  a product for each v: states, operands
 *     backwards: its kernel, then dv = dgates_t U^T                the same
 *     dX = dgates W^T, dW = X^T dgates, dU = v^T dgates            for all times
 *
 * Rows of a batch are in time-major order, so that a step is one product. Gradients of parameters are sums
 * over the shards of a batch in their order (kernels/step.cl), so that a batch that is too large for memory
 * goes through in pieces with the same bits: the rows of each shard are taken together for its products.
 * Members take turns: their weights differ, and at these sizes one member fills the machine.
 */
#include "nn/network.h"

enum {
    GATHER,
    HEAD,
    HEAD_BACKWARD,
    DROPOUT,
    BIAS_GRADIENT,
    HEAD_GRADIENT,
    ADD,                                       /* of cells that add the input itself */
    TAKE,                                      /* of networks whose shards share a launch */
    BEGIN,                                     /* of cells whose states do not begin at 0 */
    SUM_BEGUN,                                 /* of cells that learn where they begin */
    UNITS_GRADIENT,                            /* of these, and of those that use parameters unit by unit */
    FORWARD,                                   /* what is before the first stage, then each stage */
    BACKWARD = FORWARD + NORN_CELL_STAGES + 1, /* what is behind the first stage, then each stage */
    KERNELS = BACKWARD + NORN_CELL_STAGES + 1
};
_Static_assert((int)KERNELS == (int)NORN_STAGE_KERNELS, "a network has a place for each kernel");

/* ---- kernels ---------------------------------------------------------------------------------------------
 */

norn_status norn_stage_build(norn_network *network, norn_program *program, norn_error *err)
{
    static const char *const names[FORWARD] = {[GATHER] = "stage_gather",
                                               [HEAD] = "stage_head",
                                               [HEAD_BACKWARD] = "stage_head_backward",
                                               [DROPOUT] = "stage_dropout",
                                               [BIAS_GRADIENT] = "stage_bias_gradient",
                                               [HEAD_GRADIENT] = "stage_head_gradient",
                                               [ADD] = "stage_add",
                                               [TAKE] = "stage_take",
                                               [BEGIN] = "stage_begin",
                                               [SUM_BEGUN] = "stage_sum_begun",
                                               [UNITS_GRADIENT] = "stage_units_gradient"};
    static const char *const forward[] = {"stage_forward_begin", "stage_forward_0", "stage_forward_1",
                                          "stage_forward_2",     "stage_forward_3", "stage_forward_4",
                                          "stage_forward_5",     "stage_forward_6", "stage_forward_7"};
    static const char *const backward[] = {"stage_backward_end", "stage_backward_0", "stage_backward_1",
                                           "stage_backward_2",   "stage_backward_3", "stage_backward_4",
                                           "stage_backward_5",   "stage_backward_6", "stage_backward_7"};
    const norn_cell_stages *cell = network->stages;
    const bool absent[FORWARD] = {[ADD] = cell->direct < 0,
                                  [TAKE] = network->held == 1,
                                  [BEGIN] = !network->begins,
                                  [SUM_BEGUN] = !network->learned,
                                  [UNITS_GRADIENT] = norn_network_layer_sums(network) == 0};
    norn_status status = NORN_OK;
    for (size_t i = 0; i < FORWARD && status == NORN_OK; i++)
        if (!absent[i])
            status = norn_kernel_new(network->context, &network->stage[i], program, names[i], err);
    for (size_t k = 0; k <= cell->stage_count && status == NORN_OK; k++) {
        if (k || cell->begins)
            status =
                norn_kernel_new(network->context, &network->stage[FORWARD + k], program, forward[k], err);
        if (status == NORN_OK && (k || cell->ends))
            status =
                norn_kernel_new(network->context, &network->stage[BACKWARD + k], program, backward[k], err);
    }
    return status;
}

/* ---- where things are ------------------------------------------------------------------------------------
 */

static norn_matrix matrix(const norn_buffer *buffer, size_t offset, size_t stride)
{
    return (norn_matrix){buffer, offset, stride};
}

/* Where the arrays of a pass lie: a training step keeps everything, a forecast has its own buffers of other
 * size. */
typedef struct pass {
    const norn_buffer *x, *h, *carry, *kept, *y, *partial, *loss, *windows;
    size_t bp;          /* rows of this pass, */
    size_t row;         /* which begin here in the batch, */
    size_t rows;        /* so many of them real */
    size_t place;       /* of the batch in windows and losses */
    size_t first_shard; /* of the pass */
    size_t member;
    int optimiser_step; /* 0: no dropout */
} pass;

static size_t groups_of(const norn_network *n, const pass *p)
{
    return p->bp / n->map.rows;
}

static size_t plane_of(const norn_network *n, const pass *p)
{
    return (n->shape.window + 1) * p->bp * n->hp;
}

static size_t wide_of(const norn_network *n) /* floats of a row of what is kept */
{
    return n->kept_numbers * n->hp;
}

static size_t inputs_of(const norn_network *n, size_t layer)
{
    return layer ? n->hp : n->kx;
}

static bool drops(const norn_network *n, const pass *p)
{
    return p->optimiser_step && n->shape.dropout > 0.0;
}

/* Input of a layer from row `skipped` of [T * BP] on: the gathered windows, the layer below, or its dropped
 * copy. */
static norn_matrix layer_input(const norn_network *n, const pass *p, size_t layer, size_t skipped)
{
    if (layer == 0) return matrix(p->x, skipped * n->kx, n->kx);
    if (drops(n, p))
        return matrix(&n->dropped, ((layer - 1) * n->shape.window * p->bp + skipped) * n->hp, n->hp);
    return matrix(p->h, (layer - 1) * plane_of(n, p) + (p->bp + skipped) * n->hp, n->hp);
}

/* What a source multiplies, from row `row` of [T * BP] on. */
static norn_matrix source_values(const norn_network *n, const pass *p, const norn_cell_source *source,
                                 size_t layer, size_t row)
{
    const size_t plane = plane_of(n, p), wide = wide_of(n);
    if (source->from == NORN_FROM_INPUT) return layer_input(n, p, layer, row);
    if (source->from == NORN_FROM_OPERAND)
        return matrix(p->kept,
                      (layer * n->shape.window * p->bp + row) * wide +
                          (n->gates + (size_t)source->index) * n->hp,
                      wide);
    if (source->index == 0) return matrix(p->h, layer * plane + row * n->hp, n->hp);
    return matrix(p->carry, (layer * n->carries + (size_t)source->index - 1) * plane + row * n->hp, n->hp);
}

/* Numbers of it that are there, in whole vectors. */
static size_t source_units(const norn_network *n, const norn_cell_source *source, size_t layer)
{
    const size_t ub = (size_t)n->map.local_size * n->map.vector_width;
    if (source->from == NORN_FROM_INPUT) return inputs_of(n, layer);
    return (n->bound[layer > 0].size[source->size] + ub - 1) / ub * ub;
}

/* Where the weights of a stage's source number i begin in a layer's: rows of the stage's gates. */
static size_t source_weights(const norn_network *n, const norn_cell_stage *stage, size_t i, size_t layer)
{
    const size_t inputs = inputs_of(n, layer), units = i < stage->input_count ? 0 : i - stage->input_count;
    const size_t rows = (i - units) * inputs + units * n->hp;
    return n->hp * (stage->inputs_before * inputs + stage->units_before * n->hp + rows * stage->gates);
}

/* The gates of a stage that a source is multiplied for: as columns, from `first` on. */
typedef struct columns {
    size_t first, count;
} columns;

static columns columns_of(const norn_network *n, const norn_cell_source *source)
{
    return (columns){(size_t)source->first * n->hp, (size_t)(source->last - source->first) * n->hp};
}

/* ---- forward ---------------------------------------------------------------------------------------------
 */

static norn_status drop(norn_network *n, const pass *p, size_t layer, const norn_buffer *from, size_t from_at,
                        const norn_buffer *to, size_t to_at, norn_error *err)
{
    const norn_key key = n->dropout_keys[p->member];
    const unsigned threshold = (unsigned)((1.0 - n->shape.dropout) * 4294967295.0);
    norn_kernel *kernel = &n->stage[DROPOUT];
    const norn_status status =
        norn_kernel_set(kernel, err, 0, "uuiiufiiiblbl", key.word[0], key.word[1], (int)layer,
                        p->optimiser_step, threshold, 1.0 / (1.0 - n->shape.dropout), (int)n->shape.window,
                        (int)p->bp, (int)p->row, from, (int64_t)from_at, to, (int64_t)to_at);
    return status == NORN_OK ? norn_launch(n->context, kernel, n->map.local_size, groups_of(n, p), 1, err)
                             : status;
}

/* to += the first `count` columns of from, for all rows and times. */
static norn_status add(norn_network *n, const pass *p, size_t count, norn_matrix from, norn_matrix to,
                       norn_error *err)
{
    norn_kernel *kernel = &n->stage[ADD];
    const size_t blocks = n->hp / ((size_t)n->map.local_size * n->map.vector_width);
    const norn_status status =
        norn_kernel_set(kernel, err, 0, "iblibli", (int)count, from.buffer, (int64_t)from.offset,
                        (int)from.stride, to.buffer, (int64_t)to.offset, (int)to.stride);
    return status == NORN_OK ? norn_launch(n->context, kernel, n->map.local_size,
                                           n->shape.window * groups_of(n, p), blocks, err)
                             : status;
}

/* Is the input itself added to a sum of this layer? It is where it needs no projection. */
static bool is_direct(const norn_network *n, size_t layer)
{
    const norn_cell *cell = n->plan->cell;
    for (size_t i = 0; i < cell->matrix_count && n->stages->direct >= 0; i++)
        if (cell->matrices[i].projection) return n->bound[layer > 0].matrix[i].count == 0;
    return false;
}

static norn_matrix direct_sums(const norn_network *n, const pass *p, size_t layer)
{
    const size_t wide = wide_of(n);
    return matrix(p->kept, layer * n->shape.window * p->bp * wide + (size_t)n->stages->direct * n->hp, wide);
}

/* Products of the sources [first, last) of a stage for `rows` rows from row `row` of [T * BP] on. The first
 * of all gives every gate a number to begin with: gates without a product of it have zeros there. */
static norn_status sums_of(norn_network *n, const pass *p, size_t layer, const norn_cell_stage *stage,
                           size_t first, size_t last, size_t row, size_t rows, norn_error *err)
{
    const size_t wide = wide_of(n), gates = stage->gates * n->hp,
                 to = (layer * n->shape.window * p->bp + row) * wide + stage->first * n->hp,
                 weights = p->member * n->parameters + norn_network_layer_start(n, layer);
    norn_status status = NORN_OK;
    for (size_t i = first; i < last && status == NORN_OK; i++) {
        const norn_cell_source *source = &n->stages->sources[stage->source + i];
        const columns at = i ? columns_of(n, source) : (columns){0, gates};
        status = norn_gemm(n->context, NORN_GEMM_AUTO, false, false, rows, at.count,
                           source_units(n, source, layer), source_values(n, p, source, layer, row),
                           matrix(&n->values, weights + source_weights(n, stage, i, layer) + at.first, gates),
                           matrix(p->kept, to + at.first, wide), i > 0, err);
    }
    return status;
}

/* Step t of a layer: stage by stage. */
static norn_status step_forward(norn_network *n, const pass *p, size_t l, size_t t, norn_error *err)
{
    norn_context *context = n->context;
    const norn_cell_stages *cell = n->stages;
    const size_t blocks = n->hp / ((size_t)n->map.local_size * n->map.vector_width);
    norn_status status = NORN_OK;
    for (size_t k = cell->begins ? 0 : 1; k <= cell->stage_count && status == NORN_OK; k++) {
        norn_kernel *kernel = &n->stage[FORWARD + k];
        const norn_cell_stage *stage = k ? &cell->stage[k - 1] : NULL;
        if (stage)
            status = sums_of(n, p, l, stage, stage->input_count, stage->source_count, t * p->bp, p->bp, err);
        if (status == NORN_OK)
            status = norn_kernel_set(
                kernel, err, 0, "iiiblblblbl", (int)t, (int)n->shape.window, (int)p->bp, &n->values,
                (int64_t)(p->member * n->parameters + norn_network_layer_bias(n, l)), p->kept,
                (int64_t)(l * n->shape.window * p->bp * wide_of(n)), p->h, (int64_t)(l * plane_of(n, p)),
                p->carry, (int64_t)(n->carries * l * plane_of(n, p)));
        if (status == NORN_OK)
            status = norn_launch(context, kernel, n->map.local_size, groups_of(n, p), blocks, err);
    }
    return status;
}

/* Gather and all layers forward. */
static norn_status forward(norn_network *n, const norn_series *series, const pass *p, norn_error *err)
{
    norn_context *context = n->context;
    const size_t t_count = n->shape.window, bp = p->bp, plane = plane_of(n, p), groups = groups_of(n, p);
    norn_kernel *gather = &n->stage[GATHER], *begin = &n->stage[BEGIN];
    norn_status status = norn_kernel_set(
        gather, err, 0, "bbbbblliiiiib", &series->values, &series->starts, &series->index, &n->scaling,
        p->windows, (int64_t)(p->place + p->row), (int64_t)(p->member * series->columns), (int)p->rows,
        (int)n->shape.inputs, (int)n->kx, (int)t_count, (int)bp, p->x);
    if (status == NORN_OK) status = norn_launch(context, gather, n->map.local_size, groups, 1, err);
    for (size_t l = 0; l < n->shape.layers && status == NORN_OK; l++) {
        if (l && drops(n, p))
            status = drop(n, p, l, p->h, (l - 1) * plane + bp * n->hp, &n->dropped,
                          (l - 1) * t_count * bp * n->hp, err);
        if (status == NORN_OK && n->begins)
            status = norn_kernel_set(begin, err, 0, "iiblblbl", (int)t_count, (int)bp, &n->values,
                                     (int64_t)(p->member * n->parameters + norn_network_layer_initial(n, l)),
                                     p->h, (int64_t)(l * plane), p->carry, (int64_t)(n->carries * l * plane));
        if (status == NORN_OK && n->begins)
            status = norn_launch(context, begin, n->map.local_size, groups, 1, err);
        for (size_t k = 0; k < n->stages->stage_count && status == NORN_OK; k++) {
            const norn_cell_stage *stage = &n->stages->stage[k];
            status = sums_of(n, p, l, stage, 0, stage->input_count, 0, t_count * bp, err);
        }
        if (status == NORN_OK && is_direct(n, l))
            status =
                add(n, p, l ? n->hp : n->shape.inputs, layer_input(n, p, l, 0), direct_sums(n, p, l), err);
        for (size_t t = 0; t < t_count && status == NORN_OK; t++) status = step_forward(n, p, l, t, err);
    }
    return status;
}

static norn_status head(norn_network *n, const norn_series *series, const pass *p, bool with_targets,
                        double factor, norn_error *err)
{
    norn_context *context = n->context;
    const size_t layers = n->shape.layers;
    norn_kernel *kernel = &n->stage[HEAD];
    norn_status status = norn_kernel_set(
        kernel, err, 0, "bbbbblliiiiiiiifblblbbbl", &series->values, &series->starts, &series->index,
        &n->scaling, p->windows, (int64_t)(p->place + p->row), (int64_t)(p->member * series->columns),
        with_targets ? 1 : 0, (int)p->rows, (int)n->shape.inputs, (int)n->shape.window, (int)p->bp,
        (int)n->shape.horizon, (int)n->op, (int)n->shape.loss, factor, &n->values,
        (int64_t)(p->member * n->parameters + norn_network_layer_start(n, layers)), p->h,
        (int64_t)((layers - 1) * plane_of(n, p) + n->shape.window * p->bp * n->hp), p->y, p->partial, p->loss,
        (int64_t)(p->place + p->row));
    return status == NORN_OK ? norn_launch(context, kernel, n->map.local_size, groups_of(n, p), 1, err)
                             : status;
}

/* ---- backward --------------------------------------------------------------------------------------------
 */

/* What the gate gradients of a stage at time t give to what it multiplied then: states before the step, where
 * anything is to be had of them, and operands. */
static norn_status back_through(norn_network *n, const pass *p, size_t l, size_t t,
                                const norn_cell_stage *stage, bool states, norn_error *err)
{
    const size_t hp = n->hp, wide = wide_of(n), gates = stage->gates * hp,
                 from = (l * n->shape.window + t) * p->bp * wide + stage->first * hp,
                 weights = p->member * n->parameters + norn_network_layer_start(n, l);
    norn_status status = NORN_OK;
    for (size_t i = stage->input_count; i < stage->source_count && status == NORN_OK; i++) {
        const norn_cell_source *source = &n->stages->sources[stage->source + i];
        const columns at = columns_of(n, source);
        const bool plane = source->from == NORN_FROM_PLANE;
        const size_t place = plane ? (size_t)source->index - 1 : n->carries + (size_t)source->index;
        if (plane && !states) continue;
        status = norn_gemm(n->context, NORN_GEMM_AUTO, false, true, p->bp, source_units(n, source, l),
                           at.count, matrix(p->kept, from + at.first, wide),
                           matrix(&n->values, weights + source_weights(n, stage, i, l) + at.first, gates),
                           plane && source->index == 0 ? matrix(&n->dh, 0, hp)
                                                       : matrix(&n->dcarry, place * p->bp * hp, hp),
                           source->adds, err);
    }
    return status;
}

/* Step t of a layer backwards. above_at: where dL/dh from the layer above begins, SIZE_MAX: there is none. */
static norn_status step_backward(norn_network *n, const pass *p, size_t l, size_t t, size_t above_at,
                                 norn_error *err)
{
    norn_context *context = n->context;
    const norn_cell_stages *cell = n->stages;
    const size_t blocks = n->hp / ((size_t)n->map.local_size * n->map.vector_width);
    const bool top = above_at == SIZE_MAX, states = t > norn_network_first_step(&n->shape) || n->learned != 0;
    norn_status status = NORN_OK;
    for (size_t k = cell->stage_count + 1; k-- > (cell->ends ? 0 : 1) && status == NORN_OK;) {
        norn_kernel *kernel = &n->stage[BACKWARD + k];
        status = norn_kernel_set(
            kernel, err, 0, "iiiblbliblbbblblb", (int)t, (int)n->shape.window, (int)p->bp, p->kept,
            (int64_t)(l * n->shape.window * p->bp * wide_of(n)), p->carry,
            (int64_t)(n->carries * l * plane_of(n, p)), top ? 0 : 1, &n->dx, (int64_t)(top ? 0 : above_at),
            &n->dh, &n->dcarry, p->h, (int64_t)(l * plane_of(n, p)), &n->values,
            (int64_t)(p->member * n->parameters + norn_network_layer_bias(n, l)), &n->sums);
        if (status == NORN_OK)
            status = norn_launch(context, kernel, n->map.local_size, groups_of(n, p), blocks, err);
        if (status == NORN_OK && k) status = back_through(n, p, l, t, &cell->stage[k - 1], states, err);
    }
    return status;
}

/* dL/d(input) of a layer at the times that gradients reach. */
static norn_status input_gradient(norn_network *n, const pass *p, size_t l, size_t below_at, norn_error *err)
{
    const size_t hp = n->hp, wide = wide_of(n), skipped = norn_network_first_step(&n->shape) * p->bp,
                 rows = n->shape.window * p->bp - skipped,
                 from = (l * n->shape.window * p->bp + skipped) * wide,
                 weights = p->member * n->parameters + norn_network_layer_start(n, l);
    bool any = false;
    norn_status status = NORN_OK;
    for (size_t k = 0; k < n->stages->stage_count && status == NORN_OK; k++) {
        const norn_cell_stage *stage = &n->stages->stage[k];
        for (size_t i = 0; i < stage->input_count && status == NORN_OK; i++) {
            const columns at = columns_of(n, &n->stages->sources[stage->source + i]);
            status = norn_gemm(
                n->context, NORN_GEMM_AUTO, false, true, rows, hp, at.count,
                matrix(p->kept, from + stage->first * hp + at.first, wide),
                matrix(&n->values, weights + source_weights(n, stage, i, l) + at.first, stage->gates * hp),
                matrix(&n->dx, below_at + skipped * hp, hp), any, err);
            any = true;
        }
    }
    if (status == NORN_OK && !any)
        status = norn_buffer_zero(n->context, &n->dx, below_at * sizeof(float),
                                  n->shape.window * p->bp * hp * sizeof(float), err);
    if (status == NORN_OK && is_direct(n, l))
        status = add(n, p, hp, direct_sums(n, p, l), matrix(&n->dx, below_at, hp), err);
    return status;
}

/* The rows of a shard of what `from` has of all of a pass, from time `begin` on, as [T - begin][R]. Alone in
 * a pass they are there already. */
static norn_status take_shard(norn_network *n, const pass *p, size_t place, size_t width, size_t begin,
                              norn_matrix *from, const norn_buffer *to, norn_error *err)
{
    norn_kernel *kernel = &n->stage[TAKE];
    const size_t times = n->shape.window - begin;
    if (p->bp == n->shard_rows) return NORN_OK;
    const norn_status status =
        norn_kernel_set(kernel, err, 0, "iiiiblb", (int)p->bp, (int)n->shard_rows,
                        (int)(place * n->shard_rows), (int)width, from->buffer, (int64_t)from->offset, to);
    *from = matrix(to, 0, width);
    return status == NORN_OK ? norn_launch(n->context, kernel, n->map.local_size,
                                           times * n->shard_rows / n->map.rows, 1, err)
                             : status;
}

/* A shard's part of the gradients of a layer's parameters: products over its rows, sums of the gates, sums of
 * its groups' sums. */
static norn_status shard_gradients(norn_network *n, const pass *p, size_t l, size_t place, norn_error *err)
{
    norn_context *context = n->context;
    const size_t hp = n->hp, wide = wide_of(n), begin = norn_network_first_step(&n->shape),
                 skipped = begin * p->bp, rows = (n->shape.window - begin) * n->shard_rows,
                 ub = (size_t)n->map.local_size * n->map.vector_width, start = norn_network_layer_start(n, l),
                 groups = n->shard_rows / n->map.rows, sums = norn_network_layer_sums(n);
    const bool fresh = p->first_shard + place == 0;
    const int64_t bias_at = (int64_t)norn_network_layer_bias(n, l);
    norn_kernel *bias = &n->stage[BIAS_GRADIENT], *units = &n->stage[UNITS_GRADIENT];
    norn_matrix kept = matrix(p->kept, (l * n->shape.window * p->bp + skipped) * wide, wide);
    norn_status status = take_shard(n, p, place, wide, begin, &kept, &n->shard_kept, err);
    for (size_t k = 0; k < n->stages->stage_count && status == NORN_OK; k++) {
        const norn_cell_stage *stage = &n->stages->stage[k];
        for (size_t i = 0; i < stage->source_count && status == NORN_OK; i++) {
            const norn_cell_source *source = &n->stages->sources[stage->source + i];
            const columns at = columns_of(n, source);
            norn_matrix values = source_values(n, p, source, l, skipped);
            if (source->from == NORN_FROM_OPERAND) /* beside the gates */
                values = matrix(kept.buffer, kept.offset + (n->gates + (size_t)source->index) * hp, wide);
            else
                status = take_shard(n, p, place, values.stride, begin, &values, &n->shard_values, err);
            if (status == NORN_OK)
                status = norn_gemm(context, NORN_GEMM_AUTO, true, false, source_units(n, source, l), at.count,
                                   rows, values,
                                   matrix(kept.buffer, kept.offset + stage->first * hp + at.first, wide),
                                   matrix(&n->gradient, start + source_weights(n, stage, i, l) + at.first,
                                          stage->gates * hp),
                                   !fresh, err);
        }
    }
    if (status == NORN_OK)
        status = norn_kernel_set(bias, err, 0, "iiblbl", (int)rows, fresh ? 1 : 0, kept.buffer,
                                 (int64_t)kept.offset, &n->gradient, bias_at);
    if (status == NORN_OK) status = norn_launch(context, bias, n->map.local_size, n->gates * hp / ub, 1, err);
    if (status == NORN_OK && sums)
        status = norn_kernel_set(units, err, 0, "iiibbl", (int)(place * groups), (int)groups, fresh ? 1 : 0,
                                 &n->sums, &n->gradient, bias_at);
    if (status == NORN_OK && sums) status = norn_launch(context, units, n->map.local_size, sums / ub, 1, err);
    return status;
}

/* A layer backwards: through time, to the layer below, to its parameters. */
static norn_status layer_backward(norn_network *n, const pass *p, size_t l, norn_error *err)
{
    norn_context *context = n->context;
    const size_t hp = n->hp, units = n->shape.window * p->bp * hp, layers = n->shape.layers,
                 begin = norn_network_first_step(&n->shape);
    const bool top = l == layers - 1;
    const size_t above_at = top          ? SIZE_MAX
                            : layers > 2 ? (l & 1) * units
                                         : 0,
                 below_at = layers > 2 ? (~l & 1) * units : 0;
    norn_kernel *begun = &n->stage[SUM_BEGUN];
    norn_status status =
        norn_buffer_zero(context, &n->dcarry, 0, n->carries * p->bp * hp * sizeof(float), err);
    if (!top && status == NORN_OK)
        status = norn_buffer_zero(context, &n->dh, 0, p->bp * hp * sizeof(float), err);
    if (status == NORN_OK && n->places.vectors)
        status = norn_buffer_zero(context, &n->sums, 0,
                                  groups_of(n, p) * norn_network_layer_sums(n) * sizeof(float), err);
    for (size_t t = n->shape.window; t-- > begin && status == NORN_OK;)
        status = step_backward(n, p, l, t, above_at, err);
    if (status == NORN_OK && n->learned)
        status = norn_kernel_set(begun, err, 0, "iibbb", (int)p->bp, begin ? 0 : (int)p->rows, &n->dh,
                                 &n->dcarry, &n->sums);
    if (status == NORN_OK && n->learned)
        status = norn_launch(context, begun, n->map.local_size, groups_of(n, p), 1, err);
    if (status == NORN_OK && l) status = input_gradient(n, p, l, below_at, err);
    if (status == NORN_OK && l && drops(n, p))
        status = drop(n, p, l, &n->dx, below_at, &n->dx, below_at, err);
    for (size_t place = 0; place < p->bp / n->shard_rows && status == NORN_OK; place++)
        status = shard_gradients(n, p, l, place, err);
    return status;
}

/* From the head down, and the gradients of all parameters. */
static norn_status backward(norn_network *n, const pass *p, norn_error *err)
{
    norn_context *context = n->context;
    const size_t ub = (size_t)n->map.local_size * n->map.vector_width, layers = n->shape.layers;
    norn_kernel *first = &n->stage[HEAD_BACKWARD], *last = &n->stage[HEAD_GRADIENT];
    norn_status status = norn_kernel_set(
        first, err, 0, "iiblbb", (int)p->bp, (int)n->op, &n->back,
        (int64_t)(p->member * n->back_size + norn_network_back_start(n, layers)), p->y, &n->dh);
    if (status == NORN_OK) status = norn_launch(context, first, n->map.local_size, groups_of(n, p), 1, err);
    for (size_t l = layers; l-- > 0 && status == NORN_OK;) status = layer_backward(n, p, l, err);
    for (size_t place = 0; place < p->bp / n->shard_rows && status == NORN_OK; place++) {
        const size_t begin = place * n->shard_rows, left = p->rows > begin ? p->rows - begin : 0,
                     rows = left < n->shard_rows ? left : n->shard_rows;
        status =
            norn_kernel_set(last, err, 0, "iiiiblbibl", (int)begin, (int)rows, (int)p->bp,
                            p->first_shard + place == 0 ? 1 : 0, p->h,
                            (int64_t)((layers - 1) * plane_of(n, p) + n->shape.window * p->bp * n->hp), p->y,
                            (int)n->op, &n->gradient, (int64_t)norn_network_layer_start(n, layers));
        if (status == NORN_OK) status = norn_launch(context, last, n->map.local_size, n->op / ub, 1, err);
    }
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

norn_status norn_stage_rows(norn_network *n, const norn_series *series, const norn_schedule *schedule,
                            size_t step, size_t slots, norn_error *err)
{
    const norn_schedule *one = &schedule[step * slots];
    const size_t real = (size_t)one->rows;
    norn_status status = NORN_OK;
    if (one->rows == 0) return NORN_OK;
    for (size_t first = 0; first < n->shards && status == NORN_OK; first += n->held) {
        const size_t count = n->shards - first < n->held ? n->shards - first : n->held,
                     row = first * n->shard_rows;
        const pass p = {.x = &n->x,
                        .h = &n->h,
                        .carry = &n->carry,
                        .kept = &n->kept,
                        .y = &n->y,
                        .partial = &n->partial,
                        .loss = &n->loss,
                        .windows = &n->windows,
                        .bp = count * n->shard_rows,
                        .row = row,
                        .rows = real > row ? real - row : 0,
                        .place = step * slots * n->bp,
                        .first_shard = first,
                        .member = (size_t)one->member,
                        .optimiser_step = one->optimiser_step};
        status = forward(n, series, &p, err);
        if (status == NORN_OK) status = head(n, series, &p, true, one->factor, err);
        if (status == NORN_OK) status = backward(n, &p, err);
    }
    return status;
}

norn_status norn_stage_infer(norn_network *n, const norn_series *series, size_t rows, size_t member,
                             bool with_targets, norn_error *err)
{
    const pass p = {.x = &n->infer_x,
                    .h = &n->infer_h,
                    .carry = &n->infer_carry,
                    .kept = &n->infer_gates,
                    .y = &n->infer_y,
                    .partial = &n->infer_partial,
                    .loss = &n->infer_loss,
                    .windows = &n->infer_windows,
                    .bp = n->ibp,
                    .rows = rows,
                    .member = member};
    norn_status status = forward(n, series, &p, err);
    if (status == NORN_OK) status = head(n, series, &p, with_targets, 1.0, err);
    return status;
}
