/*
 * Programs and launches of a network: see network.h. How much it does at once and its buffers are the matter
 * of network_memory.c, parameters in and out of network_parameters.c, where they stand of layout.c.
 */
#include "nn/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PART = 64 }; /* rows of weights in a block of the gradient, as kernels/gradient.cl has it */

/* ---- making one ---- */

static norn_status check_shape(const norn_network_shape *shape, norn_error *err)
{
    const struct {
        const char *flag;
        size_t value, most;
    } bounds[] = {{"--hidden", shape->hidden, 65536},   {"--layers", shape->layers, 64},
                  {"--window", shape->window, 1 << 24}, {"--horizon", shape->horizon, 1 << 20},
                  {"--batch", shape->batch, 1 << 20},   {"--past", shape->inputs, 1 << 16},
                  {"members", shape->members, 1 << 20}};
    for (size_t i = 0; i < NORN_COUNT(bounds); i++)
        if (bounds[i].value < 1 || bounds[i].value > bounds[i].most)
            return norn_fail(err, NORN_ERR_USAGE, "%s: %zu is not between 1 and %zu", bounds[i].flag,
                             bounds[i].value, bounds[i].most);
    if (!(shape->dropout >= 0.0 && shape->dropout < 1.0))
        return norn_fail(err, NORN_ERR_USAGE, "--dropout: %g is not in [0, 1)", shape->dropout);
    if ((size_t)shape->loss >= NORN_LOSS_COUNT)
        return norn_fail(err, NORN_ERR_USAGE, "--loss: there is none of number %d", (int)shape->loss);
    if (shape->loss == NORN_LOSS_PINBALL && !(shape->quantile > 0.0 && shape->quantile < 1.0))
        return norn_fail(err, NORN_ERR_USAGE, "--quantile: %g is not between 0 and 1", shape->quantile);
    if ((unsigned)shape->init > NORN_INIT_ORTHOGONAL)
        return norn_fail(err, NORN_ERR_USAGE, "--init must be uniform, xavier or orthogonal");
    if (!(fabs(shape->forget_bias) <= 1000.0))
        return norn_fail(err, NORN_ERR_USAGE, "--forget-bias must be between -1000 and 1000");
    return norn_optimiser_check(&shape->optimiser, err);
}

/* Layers of a network are one kernel: a size that depends on the inputs would be another one in each. */
static norn_status check_layers(const norn_network *n, norn_error *err)
{
    const norn_cell *cell = n->plan->cell;
    for (size_t i = NORN_CELL_SIZE_HIDDEN; i < cell->size_count && n->shape.layers > 1; i++)
        if (n->bound[0].size[i] != n->bound[1].size[i])
            return norn_fail(
                err, NORN_ERR_USAGE,
                "cell %s: the size %s depends on the number of inputs, which is another one in the "
                "second layer (--layers 1)",
                cell->name, cell->sizes[i].name);
    return NORN_OK;
}

/* The path, and where gates, vectors and states stand on it. */
static norn_status prepare_places(norn_network *n, norn_error *err)
{
    const norn_cell *cell = n->plan->cell;
    norn_status status = check_layers(n, err);
    n->outputs = n->bound[0].outputs;
    n->gates = n->kept_numbers = n->plan->gate_count;
    n->carries = cell->state_count - 1;
    for (int s = 0; s <= NORN_CELL_STATES; s++) n->plane_of[s] = s;
    /* Cells of several stages are not what rules were measured with. */
    const bool several = norn_cell_obstacle(n->plan) != NULL;
    n->map = norn_context_mapping(n->context, several ? 0 : (unsigned)n->gates, n->shape.hidden);
    if (n->shape.path == NORN_PATH_AUTO)
        n->shape.path = n->map.stage && !n->shape.by_hand ? NORN_PATH_STAGE : NORN_PATH_SEQUENCE;
    if (status == NORN_OK && (n->shape.path == NORN_PATH_STAGE || several)) {
        status = norn_cell_stages_new(&n->stages, n->plan, err);
        if (status != NORN_OK) return status;
        n->carries = n->stages->plane_count - 1;
        n->kept_numbers = n->gates + n->plan->operand_count;
        n->scratch = n->stages->scratch_count;
        memcpy(n->plane_of, n->stages->plane_of, sizeof n->plane_of);
        memcpy(n->places.gate, n->stages->gate_at, sizeof n->places.gate);
        memcpy(n->places.vector, n->stages->vector_at, sizeof n->places.vector);
        n->places.vectors = n->stages->vector_count;
    } else if (status == NORN_OK) {
        n->places = norn_cell_places_of(n->plan);
    }
    if (status != NORN_OK) return status;
    norn_network_find_beginnings(n);
    n->holes = norn_network_has_holes(n);
    return NORN_OK;
}

/* The cell as the kernels and layouts see it. */
static norn_status prepare_cell(norn_network *n, norn_error *err)
{
    const norn_cell *cell = n->shape.cell;
    norn_status status = NORN_OK;
    if (!cell) {
        const char *formula = norn_cell_builtin_text("lstm");
        status = norn_cell_read(&n->lstm, formula, strlen(formula), "lstm", &n->context->host, err);
        cell = n->lstm;
    }
    for (size_t l = 0; l < 2 && status == NORN_OK; l++)
        status = norn_network_bind(&n->bound[l], &n->shape, cell, l, err);
    if (status == NORN_OK) status = norn_cell_plan_new(&n->plan, cell, err);
    if (status != NORN_OK) return status;
    if (n->shape.forget_bias != 0.0 && !norn_network_forgets(cell))
        return norn_fail(err, NORN_ERR_USAGE, "--forget-bias: cell %s has no forget gate with a bias b_f",
                         cell->name);
    return prepare_places(n, err);
}

static norn_status build(norn_network *network, norn_error *err)
{
    static const char *const rules[][2] = {[NORN_OPTIMISER_ADAM] = {"adam", "adam_whole"},
                                           [NORN_OPTIMISER_ADAMW] = {"adam", "adam_whole"},
                                           [NORN_OPTIMISER_SGD] = {"sgd", "sgd_whole"},
                                           [NORN_OPTIMISER_RMSPROP] = {"rmsprop", "rmsprop_whole"}};
    static const char *const sequence_files[] = {"stages", "sequence", "windows",   "head", "dropout",
                                                 "step",   "gradient", "optimiser", NULL};
    static const char *const stage_files[] = {"stages", "sequence",  "windows", "head", "dropout",
                                              "step",   "optimiser", "stage",   NULL};
    const bool stage = network->shape.path == NORN_PATH_STAGE;
    const norn_network_shape *s = &network->shape;
    const norn_host *host = &network->context->host;
    char options[200], quantile[40] = "", beginnings[48] = "";
    if (s->loss == NORN_LOSS_PINBALL) /* a decimal point would be a comma in some locales */
        (void)snprintf(quantile, sizeof quantile, " -DQUANTILE_MILLIONTHS=%ld", lround(s->quantile * 1e6));
    if (network->begins)
        (void)snprintf(beginnings, sizeof beginnings, " -DCELL_INITIAL=1 -DCELL_LEARNED=%u",
                       network->learned);
    (void)snprintf(options, sizeof options, "-DH=%zu -DL=%zu -DDROPOUT=%d%s%s%s%s%s%s", s->hidden, s->layers,
                   s->dropout > 0.0 ? 1 : 0, stage ? " -DSTAGE" : "", s->weighted ? " -DWEIGHTED" : "",
                   quantile, beginnings, network->holes ? " -DCELL_HOLES=1" : "",
                   network->shard_gradients ? " -DSHARD_GRADIENTS" : "");
    norn_program *program = NULL;
    norn_cell_text text = {0};
    norn_status status = s->by_hand ? NORN_OK
                         : network->stages
                             ? norn_cell_emit_stages(network->stages, &network->bound[0], &text, err)
                             : norn_cell_emit(network->plan, &text, err);
    if (status == NORN_OK)
        status = norn_program_get_with(network->context, &program, &network->map,
                                       s->by_hand ? s->by_hand : text.bytes,
                                       stage ? stage_files : sequence_files, options, err);
    norn_cell_text_free(host, &text);
    const struct {
        norn_kernel *kernel;
        const char *name;
        bool wanted;
    } kernels[] = {{&network->train, "train_rows", !stage},
                   {&network->weight_gradient, "weight_gradient", !stage && !network->shard_gradients},
                   {&network->infer, "infer_rows", !stage},
                   {&network->norm, "gradient_norm", !network->whole_end},
                   {&network->update, rules[s->optimiser.kind][network->whole_end], true},
                   {&network->pack, "pack_backward", true}};
    for (size_t i = 0; i < NORN_COUNT(kernels) && status == NORN_OK; i++)
        if (kernels[i].wanted)
            status = norn_kernel_new(network->context, kernels[i].kernel, program, kernels[i].name, err);
    if (status == NORN_OK && stage) status = norn_stage_build(network, program, err);
    return status;
}

/* Dropout keeps a unit when a random word is below this; 0 stands for no dropout. */
static unsigned dropout_threshold(const norn_network *network)
{
    return network->shape.dropout > 0.0 ? (unsigned)((1.0 - network->shape.dropout) * 4294967295.0) : 0u;
}

static norn_status set_rule(norn_network *n, norn_error *err)
{
    const norn_optimiser *o = &n->shape.optimiser;
    const int slots = (int)n->shape.slots, splits = (int)n->splits, kx = (int)n->kx, op = (int)n->op;
    const double alpha = o->alpha > 0.0 ? o->alpha : 0.99;
    const bool adam = o->kind == NORN_OPTIMISER_ADAM || o->kind == NORN_OPTIMISER_ADAMW;
    norn_kernel *rule = &n->update;
    norn_status status = norn_kernel_set(rule, err, 0, "biiilfbbbbiiff", &n->schedule, 0, slots, splits,
                                         (int64_t)n->parameters, n->shape.clip, &n->gradient, &n->norm_parts,
                                         &n->values, &n->first_moment, kx, op, o->clip_value,
                                         o->kind == NORN_OPTIMISER_ADAMW ? 0.0 : o->decay);
    const unsigned at = 14, end = at + (o->kind == NORN_OPTIMISER_RMSPROP ? 3 : 2); /* the rule's own */
    if (status != NORN_OK) return status;
    if (adam)
        status = norn_kernel_set(rule, err, at, "bf", &n->second_moment,
                                 o->kind == NORN_OPTIMISER_ADAMW ? o->decay : 0.0);
    else if (o->kind == NORN_OPTIMISER_SGD)
        status = norn_kernel_set(rule, err, at, "fi", o->momentum, o->nesterov ? 1 : 0);
    else
        status = norn_kernel_set(rule, err, at, "bff", &n->second_moment, o->momentum, alpha);
    if (status == NORN_OK && n->whole_end)
        status = norn_kernel_set(rule, err, end, "bbb", &n->norm_partial, &n->filled, &n->back);
    return status;
}

static norn_status set_arguments(norn_network *n, const norn_series *series, norn_error *err)
{
    const norn_network_shape *s = &n->shape;
    const int columns = (int)series->columns, f = (int)s->inputs, kx = (int)n->kx, t = (int)s->window,
              bp = (int)n->shard_rows;
    const int o = (int)s->horizon, op = (int)n->op, slots = (int)s->slots, splits = (int)n->splits,
              loss = (int)s->loss, begin = (int)norn_network_first_step(s);
    const double keep = 1.0 / (1.0 - s->dropout);
    norn_status status = NORN_OK;
    if (s->path == NORN_PATH_SEQUENCE) {
        status = norn_kernel_set(&n->train, err, 0, "bbbbbbbiiiiiiiiiiiiiufibbbbbbbbbbbbbb", &series->values,
                                 &series->starts, &series->index, &n->scaling, &n->windows, &n->schedule,
                                 &n->keys, 0, slots, 0, (int)n->shards, (int)n->held, columns, f, kx, t, bp,
                                 o, op, loss, dropout_threshold(n), keep, begin, &n->values, &n->back, &n->x,
                                 &n->h, &n->carry, &n->kept, &n->dropped, &n->dx, &n->dh, &n->dcarry, &n->y,
                                 &n->partial, &n->loss, &n->sums);
        if (status == NORN_OK && n->shard_gradients)
            status = norn_kernel_set(&n->train, err, 37, "b", &n->gradient);
        if (status == NORN_OK && !n->shard_gradients)
            status = norn_kernel_set(&n->weight_gradient, err, 0, "biiiiiiiiiiiibbbbbbbbb", &n->schedule, 0,
                                     slots, 0, (int)n->held, (int)n->held, splits, kx, t, bp, op,
                                     s->dropout > 0.0 ? 1 : 0, begin, &n->x, &n->h, &n->kept, &n->dropped,
                                     &n->y, &n->gradient, &n->chain, &n->sums, &n->carry);
        if (status == NORN_OK)
            status =
                norn_kernel_set(&n->infer, err, 0, "bbbbbbiiiiiiiiibbbbbbb", &series->values, &series->starts,
                                &series->index, &n->scaling, &n->infer_windows, &n->infer_schedule, columns,
                                f, kx, t, (int)n->ibp, o, op, loss, 0, &n->values, &n->infer_x, &n->infer_h,
                                &n->infer_carry, &n->infer_y, &n->infer_partial, &n->infer_loss);
    }
    if (status == NORN_OK && !n->whole_end)
        status = norn_kernel_set(&n->norm, err, 0, "biiilbbbb", &n->schedule, 0, slots, splits,
                                 (int64_t)n->parameters, &n->gradient, &n->norm_partial, &n->norm_parts,
                                 &n->filled);
    if (status == NORN_OK) status = set_rule(n, err);
    if (status == NORN_OK)
        status = norn_kernel_set(&n->pack, err, 0, "biiiibb", &n->schedule, 0, slots, kx, op, &n->values,
                                 &n->back);
    return status;
}

static void mark(void *user, size_t plain, size_t padded)
{
    (void)plain;
    ((float *)user)[padded] = 1.0f;
}

/* Tells the device where parameters stand. */
static norn_status fill_places(norn_network *n, norn_error *err)
{
    const norn_host *host = &n->context->host;
    float *places = norn_new(host, n->parameters, sizeof *places);
    if (!places) return norn_fail_memory(err, "parameters");
    norn_network_visit_all(n, mark, places);
    const norn_status status =
        norn_buffer_write(n->context, &n->filled, 0, places, n->parameters * sizeof *places, err);
    norn_delete(host, places, n->parameters, sizeof *places);
    return status;
}

norn_status norn_network_new(norn_network **out, norn_context *context, const norn_network_shape *shape,
                             const norn_series *series, norn_error *err)
{
    norn_status status = check_shape(shape, err);
    if (status != NORN_OK) return status;
    norn_network *network = norn_new(&context->host, 1, sizeof *network);
    if (!network) return norn_fail_memory(err, "a network");
    norn_profile_enter(context->host.profile, "preparing the network");
    network->context = context;
    network->shape = *shape;
    network->dropout_keys = norn_new(&context->host, shape->members, sizeof *network->dropout_keys);
    if (!network->dropout_keys) status = norn_fail_memory(err, "a network");
    if (status == NORN_OK) status = prepare_cell(network, err);
    if (status == NORN_OK) status = norn_network_plan(network, series->columns, err);
    if (status == NORN_OK) status = build(network, err);
    if (status == NORN_OK) status = norn_network_allocate(network, series->columns, err);
    if (status == NORN_OK && network->holes) status = fill_places(network, err);
    if (status == NORN_OK) status = set_arguments(network, series, err);
    if (status == NORN_OK) norn_network_count_costs(network);
    norn_profile_leave(context->host.profile);
    if (status == NORN_OK)
        *out = network;
    else
        norn_network_free(network);
    return status;
}

void norn_network_free(norn_network *network)
{
    if (!network) return;
    norn_context *context = network->context;
    (void)norn_finish(context, NULL);
    norn_kernel *const kernels[] = {&network->train, &network->weight_gradient,
                                    &network->norm,  &network->update,
                                    &network->pack,  &network->infer};
    for (size_t i = 0; i < NORN_COUNT(kernels); i++) norn_kernel_free(kernels[i]);
    for (size_t i = 0; i < NORN_COUNT(network->stage); i++) norn_kernel_free(&network->stage[i]);
    norn_network_free_buffers(network);
    norn_cell_stages_free(network->stages);
    norn_cell_plan_free(network->plan);
    norn_cell_free(network->lstm);
    norn_delete(&context->host, network->dropout_keys, network->shape.members, sizeof *network->dropout_keys);
    norn_delete(&context->host, network, 1, sizeof *network);
}

/* ---- running ---- */

static size_t pack_blocks(const norn_network *network)
{
    const size_t nj = network->hp / network->strip, upper = network->shape.layers - 1;
    if (network->shape.path == NORN_PATH_STAGE) return nj; /* the head alone */
    if (!network->stages) return nj * nj + upper * 2 * nj * nj + nj;
    const size_t all = network->stages->source_count;
    size_t inputs = 0;
    for (size_t k = 0; k < network->stages->stage_count; k++) inputs += network->stages->stage[k].input_count;
    return nj * nj * (all - inputs + upper * all) + nj;
}

norn_status norn_network_pack(norn_network *network, size_t member, norn_error *err)
{
    const norn_schedule one = {.member = (int32_t)member};
    norn_status status =
        norn_buffer_write(network->context, &network->infer_schedule, 0, &one, sizeof one, err);
    if (status == NORN_OK)
        status = norn_kernel_set(&network->pack, err, 0, "bi", &network->infer_schedule, -1);
    if (status == NORN_OK)
        status = norn_launch(network->context, &network->pack, network->map.local_size, pack_blocks(network),
                             1, err);
    if (status == NORN_OK) status = norn_finish(network->context, err); /* infer_schedule is free again */
    if (status == NORN_OK) status = norn_kernel_set(&network->pack, err, 0, "b", &network->schedule);
    return status;
}

/* Parts of the rows that a layer's weights have for a strip of gates. */
static size_t gradient_parts(const norn_network *n, size_t inputs)
{
    size_t parts = 0;
    if (!n->stages) return (inputs + n->hp + PART - 1) / PART;
    for (size_t k = 0; k < n->stages->stage_count; k++) {
        const norn_cell_stage *stage = &n->stages->stage[k];
        parts +=
            (stage->input_count * inputs + (stage->source_count - stage->input_count) * n->hp + PART - 1) /
            PART;
    }
    return parts;
}

static norn_status launch_step(norn_network *n, const norn_series *series, const norn_schedule *schedule,
                               size_t step, size_t slots, norn_error *err)
{
    norn_context *context = n->context;
    const size_t local = n->map.local_size, row_group = n->map.rows, nj = n->hp / n->strip,
                 layers = n->shape.layers;
    norn_status status = NORN_OK;
    if (n->shape.path == NORN_PATH_STAGE) {
        status = norn_stage_rows(n, series, schedule, step, slots, err);
    } else {
        const size_t ub = local * n->map.vector_width;
        const size_t blocks =
            (layers - 1) * nj * gradient_parts(n, n->hp) + nj * gradient_parts(n, n->kx) + n->op / ub;
        for (size_t first = 0; first < n->shards && status == NORN_OK; first += n->held) {
            const size_t count = n->shards - first < n->held ? n->shards - first : n->held;
            /* Where every shard has its own place, rows of padding only are nobody's. */
            const size_t rows =
                n->held == n->shards ? norn_round_up(n->shape.batch, row_group) : count * n->shard_rows;
            status = norn_kernel_set(&n->train, err, 7, "iii", (int)step, (int)slots, (int)first);
            if (status == NORN_OK)
                status = norn_launch(context, &n->train, local, rows / row_group, slots, err);
            if (n->shard_gradients) continue;
            if (status == NORN_OK)
                status = norn_kernel_set(&n->weight_gradient, err, 1, "iiii", (int)step, (int)slots,
                                         (int)first, (int)count);
            if (status == NORN_OK)
                status = norn_launch(context, &n->weight_gradient, local,
                                     blocks * (n->splits == 1 ? 1 : count), slots, err);
        }
    }
    /* A group of the optimiser takes 16 vectors or more. */
    const size_t vectors = n->parameters / (local * n->map.vector_width);
    const size_t groups = vectors / 16 > 256 ? 256 : vectors / 16 + 1;
    norn_kernel *const rest[] = {&n->norm, &n->update, &n->pack};
    const size_t sizes[] = {NORN_NORM_PARTS, n->whole_end ? 1 : groups, pack_blocks(n)};
    for (size_t i = 0; i < NORN_COUNT(rest) && status == NORN_OK; i++) {
        if (n->whole_end && rest[i] != &n->update) continue;
        status = norn_kernel_set(rest[i], err, 1, "ii", (int)step, (int)slots);
        if (status == NORN_OK) status = norn_launch(context, rest[i], local, sizes[i], slots, err);
    }
    return status;
}

norn_status norn_network_train(norn_network *network, const norn_series *series, const norn_window *windows,
                               const norn_schedule *schedule, size_t steps, size_t slots, float *loss,
                               norn_error *err)
{
    norn_context *context = network->context;
    if (steps > network->shape.chunk || slots > network->shape.slots)
        return norn_fail(err, NORN_ERR_INTERNAL, "%zu steps of %zu slots do not fit the plan", steps, slots);
    norn_status status = norn_buffer_write(context, &network->windows, 0, windows,
                                           steps * slots * network->bp * sizeof *windows, err);
    if (status == NORN_OK)
        status = norn_buffer_write(context, &network->schedule, 0, schedule, steps * slots * sizeof *schedule,
                                   err);
    for (size_t step = 0; step < steps && status == NORN_OK; step++)
        status = launch_step(network, series, schedule, step, slots, err);
    if (status == NORN_OK)
        status = norn_buffer_read(context, &network->loss, 0, loss,
                                  steps * slots * network->bp * sizeof *loss, err);
    return status;
}

norn_status norn_network_norms(norn_network *network, size_t steps, size_t slots, float *norms,
                               norn_error *err)
{
    const norn_host *host = &network->context->host;
    const size_t count = steps * slots;
    norn_schedule *schedule = norn_new(host, count, sizeof *schedule);
    if (!schedule) return norn_fail_memory(err, "the norms of gradients");
    const norn_status status =
        norn_buffer_read(network->context, &network->schedule, 0, schedule, count * sizeof *schedule, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        memcpy(&norms[i], &schedule[i].steps, sizeof norms[i]);
    norn_delete(host, schedule, count, sizeof *schedule);
    return status;
}

norn_status norn_network_infer(norn_network *network, const norn_series *series, const norn_window *windows,
                               const size_t *rows, const size_t *members, size_t slots, float *loss, float *y,
                               norn_error *err)
{
    norn_context *context = network->context;
    const norn_host *host = &context->host;
    const size_t ibp = network->ibp, op = network->op,
                 ub = (size_t)network->map.local_size * network->map.vector_width;
    const size_t horizon = network->shape.horizon;
    norn_status status = NORN_OK;
    norn_schedule *schedule = norn_new(host, slots, sizeof *schedule);
    float *strips = y ? norn_new(host, slots * ibp * op, sizeof *strips) : NULL;
    if (!schedule || (y && !strips)) status = norn_fail_memory(err, "a forecast");
    for (size_t slot = 0; slot < slots && status == NORN_OK; slot++)
        schedule[slot] = (norn_schedule){.rows = (int32_t)rows[slot], .member = (int32_t)members[slot]};
    if (status == NORN_OK)
        status = norn_buffer_send(context, &network->infer_windows, 0, windows, slots * ibp * sizeof *windows,
                                  err);
    if (status == NORN_OK)
        status =
            norn_buffer_send(context, &network->infer_schedule, 0, schedule, slots * sizeof *schedule, err);
    if (network->shape.path == NORN_PATH_STAGE) {
        if (status == NORN_OK) status = norn_stage_infer(network, series, rows[0], members[0], loss, err);
    } else if (status == NORN_OK) {
        norn_network_count_inference(network, rows, slots);
        status = norn_kernel_set(&network->infer, err, 14, "i", loss ? 1 : 0);
        if (status == NORN_OK)
            status = norn_launch(context, &network->infer, network->map.local_size, ibp / network->map.rows,
                                 slots, err);
    }
    if (status == NORN_OK && loss)
        status = norn_buffer_read(context, &network->infer_loss, 0, loss, slots * ibp * sizeof *loss, err);
    if (status == NORN_OK && y) {
        status =
            norn_buffer_read(context, &network->infer_y, 0, strips, slots * ibp * op * sizeof *strips, err);
        for (size_t slot = 0; slot < slots && status == NORN_OK; slot++)
            for (size_t r = 0; r < rows[slot]; r++)
                for (size_t o = 0; o < horizon; o++)
                    y[(slot * ibp + r) * horizon + o] =
                        strips[slot * ibp * op + ((o / ub) * ibp + r) * ub + o % ub];
    }
    /* Nothing of ours, or of the caller's, is being read any more: what was read waited; else we do. */
    if (status != NORN_OK || (!loss && !y)) (void)norn_finish(context, NULL);
    norn_delete(host, strips, slots * ibp * op, sizeof *strips);
    norn_delete(host, schedule, slots, sizeof *schedule);
    return status;
}
