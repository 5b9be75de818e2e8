/*
 * The stage path: products between the unit kernels of kernels/stage.cl. One strip of HP units makes weights,
 * gates and states plain matrices:
 *
 *     gates [T*B][GH] = X [T*B][I] W                       one product, G gates
 *     for each t: gates_t += h_{t-1} U, then the cell       T products, T kernels
 *     backwards: cell, then dh_{t-1} = dgates_t U^T         T kernels, T products
 *     dX = dgates W^T, dW = X^T dgates, dU = h^T dgates     three products
 *
 * Gates without a product of h stand first and those without one of the input last, so that the gates of a
 * product stand side by side. Members take turns: their weights differ, and at these sizes one member fills
 * the machine.
 */
#include "nn/network.h"

enum {
    GATHER,
    FORWARD,
    BACKWARD,
    HEAD,
    HEAD_BACKWARD,
    DROPOUT,
    BIAS_GRADIENT,
    HEAD_GRADIENT,
    BEGIN,          /* of cells whose states do not begin at 0 */
    SUM_BEGUN,      /* of cells that learn where they begin */
    UNITS_GRADIENT, /* of these, and of those that use parameters unit by unit */
    KERNELS
};

norn_status norn_stage_build(norn_network *network, norn_program *program, norn_error *err)
{
    static const char *const names[] = {[GATHER] = "stage_gather",
                                        [FORWARD] = "stage_forward",
                                        [BACKWARD] = "stage_backward",
                                        [HEAD] = "stage_head",
                                        [HEAD_BACKWARD] = "stage_head_backward",
                                        [DROPOUT] = "stage_dropout",
                                        [BIAS_GRADIENT] = "stage_bias_gradient",
                                        [HEAD_GRADIENT] = "stage_head_gradient",
                                        [BEGIN] = "stage_begin",
                                        [SUM_BEGUN] = "stage_sum_begun",
                                        [UNITS_GRADIENT] = "stage_units_gradient"};
    const bool absent[KERNELS] = {[BEGIN] = !network->begins,
                                  [SUM_BEGUN] = !network->learned,
                                  [UNITS_GRADIENT] = norn_network_layer_sums(network) == 0};
    norn_status status = NORN_OK;
    for (size_t i = 0; i < NORN_COUNT(names) && status == NORN_OK; i++)
        if (!absent[i])
            status = norn_kernel_new(network->context, &network->stage[i], program, names[i], err);
    return status;
}

static norn_matrix matrix(const norn_buffer *buffer, size_t offset, size_t stride)
{
    return (norn_matrix){buffer, offset, stride};
}

/* Where the arrays of a pass lie: a training step keeps everything, a forecast has its own buffers of other
 * size. */
typedef struct pass {
    const norn_buffer *x, *h, *carry, *gates, *y, *partial, *loss, *windows;
    size_t bp, window_at, loss_at, member, rows;
    int optimiser_step; /* 0: no dropout */
} pass;

/* Input of a layer from row `skipped` of [T * BP] on: the gathered windows, the layer below, or its dropped
 * copy. */
static norn_matrix layer_input(const norn_network *n, const pass *p, size_t layer, size_t skipped)
{
    const size_t plane = (n->shape.window + 1) * p->bp * n->hp;
    if (layer == 0) return matrix(p->x, skipped * n->kx, n->kx);
    if (p->optimiser_step && n->shape.dropout > 0.0)
        return matrix(&n->dropped, ((layer - 1) * n->shape.window * p->bp + skipped) * n->hp, n->hp);
    return matrix(p->h, (layer - 1) * plane + (p->bp + skipped) * n->hp, n->hp);
}

static norn_status drop(norn_network *n, const pass *p, size_t layer, const norn_buffer *from, size_t from_at,
                        const norn_buffer *to, size_t to_at, norn_error *err)
{
    const norn_key key = n->dropout_keys[p->member];
    const unsigned threshold = (unsigned)((1.0 - n->shape.dropout) * 4294967295.0);
    norn_kernel *kernel = &n->stage[DROPOUT];
    norn_status status =
        norn_kernel_set(kernel, err, 0, "uuiiufiiblbl", key.word[0], key.word[1], (int)layer,
                        p->optimiser_step, threshold, 1.0 / (1.0 - n->shape.dropout), (int)n->shape.window,
                        (int)p->bp, from, (int64_t)from_at, to, (int64_t)to_at);
    return status == NORN_OK ? norn_launch(n->context, kernel, n->map.local_size, p->bp / n->map.rows, 1, err)
                             : status;
}

/* Gather and all layers forward. */
static norn_status forward(norn_network *n, const norn_series *series, const pass *p, norn_error *err)
{
    norn_context *context = n->context;
    const size_t t_count = n->shape.window, bp = p->bp, hp = n->hp, wide = n->gates * hp,
                 groups = bp / n->map.rows;
    const size_t plane = (t_count + 1) * bp * hp, base = p->member * n->parameters;
    const size_t blocks = hp / ((size_t)n->map.local_size * n->map.vector_width);
    const size_t first = n->places.h_first * hp; /* of the columns with a product of h */
    norn_kernel *gather = &n->stage[GATHER], *cell = &n->stage[FORWARD], *begin = &n->stage[BEGIN];
    norn_status status = norn_kernel_set(gather, err, 0, "bbbbblliiiiib", &series->values, &series->starts,
                                         &series->index, &n->scaling, p->windows, (int64_t)p->window_at,
                                         (int64_t)(p->member * series->columns), (int)p->rows,
                                         (int)n->shape.inputs, (int)n->kx, (int)t_count, (int)bp, p->x);
    if (status == NORN_OK) status = norn_launch(context, gather, n->map.local_size, groups, 1, err);
    for (size_t l = 0; l < n->shape.layers && status == NORN_OK; l++) {
        const size_t inputs = l ? hp : n->kx, gates_at = l * t_count * bp * wide, h_at = l * plane,
                     carry_at = n->carries * h_at;
        const size_t w_at = base + norn_network_layer_start(n, l), u_at = w_at + inputs * wide;
        if (l && p->optimiser_step && n->shape.dropout > 0.0)
            status =
                drop(n, p, l, p->h, (l - 1) * plane + bp * hp, &n->dropped, (l - 1) * t_count * bp * hp, err);
        if (status == NORN_OK && n->begins)
            status = norn_kernel_set(begin, err, 0, "iiblblbl", (int)t_count, (int)bp, &n->values,
                                     (int64_t)(base + norn_network_layer_initial(n, l)), p->h, (int64_t)h_at,
                                     p->carry, (int64_t)carry_at);
        if (status == NORN_OK && n->begins)
            status = norn_launch(context, begin, n->map.local_size, groups, 1, err);
        /* Gates without a product of the input have zeros among the weights, and so get a 0 to start from. */
        if (status == NORN_OK)
            status = norn_gemm(context, NORN_GEMM_AUTO, false, false, t_count * bp, wide, inputs,
                               layer_input(n, p, l, 0), matrix(&n->values, w_at, wide),
                               matrix(p->gates, gates_at, wide), false, err);
        for (size_t t = 0; t < t_count && status == NORN_OK; t++) {
            if (first < wide)
                status =
                    norn_gemm(context, NORN_GEMM_AUTO, false, false, bp, wide - first, hp,
                              matrix(p->h, h_at + t * bp * hp, hp), matrix(&n->values, u_at + first, wide),
                              matrix(p->gates, gates_at + t * bp * wide + first, wide), true, err);
            if (status == NORN_OK)
                status =
                    norn_kernel_set(cell, err, 0, "iiiblblblbl", (int)t, (int)t_count, (int)bp, &n->values,
                                    (int64_t)(base + norn_network_layer_bias(n, l)), p->gates,
                                    (int64_t)gates_at, p->h, (int64_t)h_at, p->carry, (int64_t)carry_at);
            if (status == NORN_OK)
                status = norn_launch(context, cell, n->map.local_size, groups, blocks, err);
        }
    }
    return status;
}

static norn_status head(norn_network *n, const norn_series *series, const pass *p, bool with_targets,
                        double factor, norn_error *err)
{
    norn_context *context = n->context;
    const size_t plane = (n->shape.window + 1) * p->bp * n->hp, layers = n->shape.layers;
    norn_kernel *kernel = &n->stage[HEAD];
    norn_status status = norn_kernel_set(
        kernel, err, 0, "bbbbblliiiiiiiifblblbbbl", &series->values, &series->starts, &series->index,
        &n->scaling, p->windows, (int64_t)p->window_at, (int64_t)(p->member * series->columns),
        with_targets ? 1 : 0, (int)p->rows, (int)n->shape.inputs, (int)n->shape.window, (int)p->bp,
        (int)n->shape.horizon, (int)n->op, (int)n->shape.loss, factor, &n->values,
        (int64_t)(p->member * n->parameters + norn_network_layer_start(n, layers)), p->h,
        (int64_t)((layers - 1) * plane + n->shape.window * p->bp * n->hp), p->y, p->partial, p->loss,
        (int64_t)p->loss_at);
    return status == NORN_OK ? norn_launch(context, kernel, n->map.local_size, p->bp / n->map.rows, 1, err)
                             : status;
}

/* dL/dh of the step before, from the gate gradients of step t, beside what the cell itself left there. */
static norn_status back_in_time(norn_network *n, const pass *p, size_t gates_at, size_t u_at, norn_error *err)
{
    const size_t bp = p->bp, hp = n->hp, wide = n->gates * hp, first = n->places.h_first * hp;
    if (first < wide)
        return norn_gemm(n->context, NORN_GEMM_AUTO, false, true, bp, hp, wide - first,
                         matrix(p->gates, gates_at + first, wide), matrix(&n->values, u_at + first, wide),
                         matrix(&n->dh, 0, hp), n->places.uses_h, err);
    return n->places.uses_h ? NORN_OK : norn_buffer_zero(n->context, &n->dh, 0, bp * hp * sizeof(float), err);
}

/* Gradients of a layer's parameters: products over all rows, sums of the gates, sums of the groups' sums. */
static norn_status parameter_gradients(norn_network *n, const pass *p, size_t l, norn_error *err)
{
    norn_context *context = n->context;
    const size_t bp = p->bp, hp = n->hp, wide = n->gates * hp,
                 skipped = norn_network_first_step(&n->shape) * bp, rows = n->shape.window * bp - skipped;
    const size_t plane = (n->shape.window + 1) * bp * hp,
                 ub = (size_t)n->map.local_size * n->map.vector_width;
    const size_t inputs = l ? hp : n->kx, gates_at = (l * n->shape.window * bp + skipped) * wide,
                 start = norn_network_layer_start(n, l);
    const size_t of_input = n->places.x_gates * hp, first = n->places.h_first * hp,
                 sums = norn_network_layer_sums(n);
    const int64_t bias_at = (int64_t)norn_network_layer_bias(n, l);
    norn_kernel *bias = &n->stage[BIAS_GRADIENT], *units = &n->stage[UNITS_GRADIENT];
    norn_status status = NORN_OK;
    if (of_input)
        status = norn_gemm(context, NORN_GEMM_AUTO, true, false, inputs, of_input, rows,
                           layer_input(n, p, l, skipped), matrix(p->gates, gates_at, wide),
                           matrix(&n->gradient, start, wide), false, err);
    if (status == NORN_OK && first < wide)
        status =
            norn_gemm(context, NORN_GEMM_AUTO, true, false, hp, wide - first, rows,
                      matrix(p->h, l * plane + skipped * hp, hp), matrix(p->gates, gates_at + first, wide),
                      matrix(&n->gradient, start + inputs * wide + first, wide), false, err);
    if (status == NORN_OK)
        status = norn_kernel_set(bias, err, 0, "iblbl", (int)rows, p->gates, (int64_t)gates_at, &n->gradient,
                                 bias_at);
    if (status == NORN_OK) status = norn_launch(context, bias, n->map.local_size, wide / ub, 1, err);
    if (status == NORN_OK && sums)
        status =
            norn_kernel_set(units, err, 0, "ibbl", (int)(bp / n->map.rows), &n->sums, &n->gradient, bias_at);
    if (status == NORN_OK && sums) status = norn_launch(context, units, n->map.local_size, sums / ub, 1, err);
    return status;
}

/* All layers backwards and the weight gradients. */
static norn_status backward(norn_network *n, const pass *p, norn_error *err)
{
    norn_context *context = n->context;
    const size_t t_count = n->shape.window, bp = p->bp, hp = n->hp, wide = n->gates * hp, rows = t_count * bp;
    const size_t plane = (t_count + 1) * bp * hp, units = rows * hp, base = p->member * n->parameters;
    const size_t ub = (size_t)n->map.local_size * n->map.vector_width, layers = n->shape.layers,
                 groups = bp / n->map.rows;
    const size_t begin = norn_network_first_step(&n->shape), skipped = begin * bp;
    norn_kernel *cell = &n->stage[BACKWARD], *first = &n->stage[HEAD_BACKWARD], *begun = &n->stage[SUM_BEGUN];
    norn_status status = norn_kernel_set(
        first, err, 0, "iiblbb", (int)bp, (int)n->op, &n->back,
        (int64_t)(p->member * n->back_size + norn_network_back_start(n, layers)), p->y, &n->dh);
    if (status == NORN_OK) status = norn_launch(context, first, n->map.local_size, groups, 1, err);
    for (size_t l = layers; l-- > 0 && status == NORN_OK;) {
        const size_t inputs = l ? hp : n->kx, gates_at = l * rows * wide, h_at = l * plane;
        const size_t w_at = base + norn_network_layer_start(n, l), u_at = w_at + inputs * wide;
        const bool top = l == layers - 1;
        const size_t above_at = layers > 2 ? (l & 1) * units : 0,
                     below_at = layers > 2 ? (~l & 1) * units : 0;
        status = norn_buffer_zero(context, &n->dcarry, 0, n->carries * bp * hp * sizeof(float), err);
        if (!top && status == NORN_OK)
            status = norn_buffer_zero(context, &n->dh, 0, bp * hp * sizeof(float), err);
        if (status == NORN_OK && n->places.vectors)
            status = norn_buffer_zero(context, &n->sums, 0,
                                      groups * norn_network_layer_sums(n) * sizeof(float), err);
        for (size_t t = t_count; t-- > begin && status == NORN_OK;) {
            status =
                norn_kernel_set(cell, err, 0, "iiiblbliblbbblblb", (int)t, (int)t_count, (int)bp, p->gates,
                                (int64_t)gates_at, p->carry, (int64_t)(n->carries * h_at), top ? 0 : 1,
                                &n->dx, (int64_t)above_at, &n->dh, &n->dcarry, p->h, (int64_t)h_at,
                                &n->values, (int64_t)(base + norn_network_layer_bias(n, l)), &n->sums);
            if (status == NORN_OK)
                status = norn_launch(context, cell, n->map.local_size, groups, hp / ub, err);
            if (status == NORN_OK && (t > begin || n->learned))
                status = back_in_time(n, p, gates_at + t * bp * wide, u_at, err);
        }
        if (status == NORN_OK && n->learned)
            status = norn_kernel_set(begun, err, 0, "iibbb", (int)bp, begin ? 0 : (int)p->rows, &n->dh,
                                     &n->dcarry, &n->sums);
        if (status == NORN_OK && n->learned)
            status = norn_launch(context, begun, n->map.local_size, groups, 1, err);
        if (status == NORN_OK && l) {
            status =
                norn_gemm(context, NORN_GEMM_AUTO, false, true, rows - skipped, hp, n->places.x_gates * hp,
                          matrix(p->gates, gates_at + skipped * wide, wide), matrix(&n->values, w_at, wide),
                          matrix(&n->dx, below_at + skipped * hp, hp), false, err);
            if (status == NORN_OK && n->shape.dropout > 0.0)
                status = drop(n, p, l, &n->dx, below_at, &n->dx, below_at, err);
        }
        if (status == NORN_OK) status = parameter_gradients(n, p, l, err);
    }
    norn_kernel *last = &n->stage[HEAD_GRADIENT];
    if (status == NORN_OK)
        status = norn_kernel_set(last, err, 0, "iiblbibl", (int)p->rows, (int)bp, p->h,
                                 (int64_t)((layers - 1) * plane + t_count * bp * hp), p->y, (int)n->op,
                                 &n->gradient, (int64_t)norn_network_layer_start(n, layers));
    return status == NORN_OK ? norn_launch(context, last, n->map.local_size, n->op / ub, 1, err) : status;
}

norn_status norn_stage_rows(norn_network *n, const norn_series *series, const norn_schedule *schedule,
                            size_t step, size_t slots, norn_error *err)
{
    const norn_schedule *one = &schedule[step * slots];
    if (one->rows == 0) return NORN_OK;
    const pass p = {&n->x,
                    &n->h,
                    &n->carry,
                    &n->kept,
                    &n->y,
                    &n->partial,
                    &n->loss,
                    &n->windows,
                    n->bp,
                    step * slots * n->bp,
                    step * slots * n->bp,
                    (size_t)one->member,
                    (size_t)one->rows,
                    one->optimiser_step};
    norn_status status = forward(n, series, &p, err);
    if (status == NORN_OK) status = head(n, series, &p, true, one->factor, err);
    if (status == NORN_OK) status = backward(n, &p, err);
    return status;
}

norn_status norn_stage_infer(norn_network *n, const norn_series *series, size_t rows, size_t member,
                             bool with_targets, norn_error *err)
{
    const pass p = {&n->infer_x,
                    &n->infer_h,
                    &n->infer_carry,
                    &n->infer_gates,
                    &n->infer_y,
                    &n->infer_partial,
                    &n->infer_loss,
                    &n->infer_windows,
                    n->ibp,
                    0,
                    0,
                    member,
                    rows,
                    0};
    norn_status status = forward(n, series, &p, err);
    if (status == NORN_OK) status = head(n, series, &p, with_targets, 1.0, err);
    return status;
}
