/*
 * Buffers, programs and launches of a network: see network.h. Where parameters stand is layout.c's matter.
 */
#include "nn/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NORM_PARTS = 64, PART = 64, SCHEDULE_WORDS = 8 };

static size_t round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

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

/* ---- memory ---- */

typedef struct want {
    norn_buffer *buffer;
    double floats;
    const char *what;
} want;

/* A network of this many numbers or fewer ends its steps in one launch of one group: dividing the work of a
 * few microseconds among the cores costs more than it saves. */
enum { SMALL = 16384 };

enum { WANT_GRADIENT = 5, WANT_BATCH = 10, WANT_FORECAST = 27, WANTED = 38 }; /* first of each kind; all */

/* What CLBlast needs beside a product at most: its three matrices again, in whole tiles. */
static double scratch_of(double m, double n, double k)
{
    enum { TILE = 128 };
    const double a = ceil(m / TILE) * TILE, b = ceil(n / TILE) * TILE, c = ceil(k / TILE) * TILE;
    return a * c + c * b + a * b;
}

/* Every buffer with the slots, shards, steps and inference rows that the network has at the moment. Sizes are
 * double: what is planned may be beyond any memory. */
static void list_buffers(norn_network *n, size_t columns, want out[WANTED])
{
    const norn_network_shape *s = &n->shape;
    const double members = (double)s->members, slots = (double)s->slots, layers = (double)s->layers,
                 hp = (double)n->hp, t = (double)s->window, p = (double)n->parameters, kx = (double)n->kx,
                 op = (double)n->op, ub = (double)(n->map.local_size * n->map.vector_width),
                 rows = (double)n->held * (double)n->shard_rows, batch = slots * rows,
                 steps = (double)s->chunk * slots, irows = slots * (double)n->ibp, gates = (double)n->gates,
                 carries = (double)n->carries, kept = (double)n->kept_numbers;
    const bool drop = s->dropout > 0.0, stage = s->path == NORN_PATH_STAGE, one = n->splits == 1;
    const double plane = (t + 1.0) * batch * hp, units = t * batch * hp;
    const double apart = stage && n->held > 1 ? t * (double)n->shard_rows : 0.0; /* rows of a shard */
    const double dx_planes = layers > 2.0 ? 2.0 : layers - 1.0, infer_planes = stage ? t + 1.0 : 2.0;
    const want all[WANTED] = {
        {&n->values, members * p, "the parameters"},
        {&n->best, members * p, "the best parameters"},
        {&n->first_moment, members * p, "the first moments"},
        {&n->second_moment, members * p, "the second moments"},
        {&n->back, members * (double)n->back_size, "the backward weights"},
        {&n->gradient, slots * (double)n->splits * p, "the gradients"},
        {&n->chain, one && !stage && n->shards > 1 ? slots * p : 0.0, "the gradient of a shard"},
        {&n->norm_partial, slots * NORM_PARTS * ub, "partial norms"},
        {&n->norm_parts, slots * NORM_PARTS, "norms"},
        {&n->filled, n->holes ? p : 0.0, "the places of parameters"},
        {&n->x, t * batch * kx, "the inputs of a batch"},
        {&n->h, layers * plane, "the hidden states of a batch"},
        {&n->carry, layers * carries * plane, "the cell states of a batch"},
        {&n->kept, layers * t * batch * kept * hp, "the gates of a batch"},
        {&n->dropped, drop ? (layers - 1.0) * units : 0.0, "the dropped states of a batch"},
        {&n->dx, dx_planes * units, "the input gradients of a batch"},
        {&n->dh, batch * hp, "a state gradient"},
        {&n->dcarry, (carries + (double)n->scratch) * batch * hp, "a cell gradient"},
        {&n->y, batch * op, "the outputs of a batch"},
        {&n->partial, batch * ub, "partial losses"},
        {&n->sums, batch / (double)n->map.rows * layers * (double)norn_network_layer_sums(n),
         "the sums of groups"},
        {&n->shard_kept, apart * kept * hp, "the gates of a shard"},
        {&n->shard_values, apart * (hp > kx ? hp : kx), "the states of a shard"},
        {&n->windows, steps * (double)n->bp * 2.0, "the windows of a chunk"},
        {&n->schedule, steps * SCHEDULE_WORDS, "the schedule of a chunk"},
        {&n->loss, steps * (double)n->bp, "the losses of a chunk"},
        {&n->scaling, members * (double)columns * 2.0, "the scalings"},
        {&n->infer_x, t * irows * kx, "the inputs of a forecast"},
        {&n->infer_h, layers * infer_planes * irows * hp, "the states of a forecast"},
        {&n->infer_carry, (layers * carries * infer_planes + (n->stages && !stage ? kept : 0.0)) * irows * hp,
         "the cell states of a forecast"},
        {&n->infer_gates, stage ? layers * t * irows * kept * hp : 0.0, "the gates of a forecast"},
        {&n->infer_y, irows * op, "the outputs of a forecast"},
        {&n->infer_partial, irows * ub, "partial losses of a forecast"},
        {&n->infer_loss, irows, "the losses of a forecast"},
        {&n->infer_windows, irows * 2.0, "the windows of a forecast"},
        {&n->infer_schedule, (slots > members ? slots : members) * SCHEDULE_WORDS,
         "the schedule of a forecast"},
        {&n->keys, members * 2.0, "the dropout keys"},
        {NULL, stage ? scratch_of(t * batch, gates * hp, hp > kx ? hp : kx) : 0.0,
         "the temporary buffer of products"},
    };
    memcpy(out, all, sizeof all);
}

/* Bytes of those from first up to last; each begins where the device likes it. */
static double bytes_of(const want *all, size_t first, size_t last)
{
    double sum = 0.0;
    for (size_t i = first; i < last; i++)
        if (all[i].buffer || all[i].floats > 0.0) sum += norn_buffer_bytes(all[i].floats * sizeof(float));
    return sum;
}

/* Do they fit? *refused is the first that no buffer of the device can hold, if any. */
static bool fits(norn_network *n, size_t columns, const want **refused, want all[WANTED])
{
    list_buffers(n, columns, all);
    *refused = NULL;
    for (size_t i = 0; i < WANTED && !*refused; i++)
        if (all[i].floats * sizeof(float) > (double)n->context->info.largest_buffer) *refused = &all[i];
    return !*refused && bytes_of(all, 0, WANTED) <= (double)norn_memory_left(n->context);
}

static void choose_chunk(norn_network *n, size_t given)
{
    norn_network_shape *s = &n->shape;
    /* about 2e10 operations: a second or less between two looks */
    const double steps = 2e10 / (norn_network_operations(s) * (double)s->slots);
    s->chunk = given ? given : steps < 1.0 ? 1 : steps > 256.0 ? 256 : (size_t)steps;
}

/* Members in one launch, if there were no end of memory. A GPU takes all of them. On a CPU the activations of
 * one launch are read by the next: as many as stay in its caches, and one a core at the least. Measured with
 * tools/bench backtest: 20 members of 0.4 MiB are 1.7 times as fast in one launch as alone; of 2.5 MiB, two
 * in a launch are 10 % faster than 20. */
static size_t slots_in_cache(norn_network *n, size_t columns)
{
    static const double cached = 3.0 * 1048576.0; /* a core */
    want all[WANTED];
    if (n->context->info.type != NORN_DEVICE_CPU) return n->shape.members;
    n->held = n->shards;
    const size_t chunk = n->shape.chunk;
    n->shape.slots = n->shape.chunk = 1;
    list_buffers(n, columns, all);
    n->shape.slots = 0;
    n->shape.chunk = chunk;
    const double cores = (double)n->context->info.compute_units,
                 slots = cached * cores / bytes_of(all, WANT_GRADIENT, WANT_FORECAST);
    return (size_t)(slots > cores ? slots : cores);
}

/* What can be done without any member beside a member, which is the least, did not fit. */
static norn_status refuse(const norn_network *n, const want *refused, const want all[WANTED], norn_error *err)
{
    const norn_context *context = n->context;
    const norn_network_shape *s = &n->shape;
    const double mib = 1048576.0;
    static const char mend[] = "a smaller --batch, --window, --hidden or --layers takes less";
    if (refused)
        return norn_fail(err, NORN_ERR_MEMORY,
                         "%s would take %.2f MiB; the largest buffer of %s is %.2f MiB (%s)", refused->what,
                         refused->floats * sizeof(float) / mib, context->info.name,
                         (double)context->info.largest_buffer / mib, mend);
    return norn_fail(
        err, NORN_ERR_MEMORY,
        "training needs %.2f MiB at least: parameters and moments %.2f, gradients %.2f, %zu of %zu "
        "rows of a batch %.2f, a forecast %.2f; beside %.2f in use, %.2f of %.2f MiB are left (%s; "
        "--memory-limit says how much there is)",
        bytes_of(all, 0, WANTED) / mib, bytes_of(all, 0, WANT_GRADIENT) / mib,
        bytes_of(all, WANT_GRADIENT, WANT_BATCH) / mib, n->held * n->shard_rows, s->batch,
        bytes_of(all, WANT_BATCH, WANT_FORECAST) / mib, bytes_of(all, WANT_FORECAST, WANTED) / mib,
        (double)context->memory_used / mib, (double)norn_memory_left(context) / mib,
        (double)context->memory_limit / mib, mend);
}

/*
 * How much is done at once: all that is asked for, if there is room. Else fewer members; where one alone is
 * too large, its batch in pieces of 4, 2 and 1 shards and forecasts of no more rows; none of it changes a
 * bit.
 */
static norn_status plan_memory(norn_network *n, size_t columns, norn_error *err)
{
    norn_network_shape *s = &n->shape;
    const size_t given_chunk = s->chunk, wanted = s->path == NORN_PATH_STAGE ? 1 : s->slots,
                 row_group = n->map.rows;
    want all[WANTED];
    const want *refused = NULL;
    n->held = n->shards;
    s->slots = 1;
    choose_chunk(n, given_chunk);
    while (!fits(n, columns, &refused, all)) {
        if (n->held > 1) {
            n->held = (n->held + 1) / 2;
            if (n->ibp > n->held * n->shard_rows) n->ibp = n->held * n->shard_rows;
        } else if (n->ibp > row_group) {
            n->ibp = round_up(n->ibp / 2, row_group);
        } else if (s->chunk > 1) {
            s->chunk = 1;
        } else {
            return refuse(n, refused, all, err);
        }
    }
    size_t most = wanted; /* 1 fits */
    while (most > s->slots) {
        const size_t fit = s->slots, chunk = s->chunk;
        s->slots = fit + (most - fit + 1) / 2;
        choose_chunk(n, given_chunk);
        if (!fits(n, columns, &refused, all)) {
            most = s->slots - 1;
            s->slots = fit;
            s->chunk = chunk;
        }
    }
    return NORN_OK;
}

static norn_status plan(norn_network *network, size_t columns, norn_error *err)
{
    norn_context *context = network->context;
    norn_network_shape *s = &network->shape;
    const size_t ub = (size_t)network->map.local_size * network->map.vector_width,
                 row_group = network->map.rows;
    network->hp = round_up(norn_cell_widest(&network->bound[0]), ub);
    network->kx = round_up(s->inputs, 4);
    network->op = round_up(s->horizon, ub);
    network->shard_rows = round_up((s->batch + NORN_SHARDS - 1) / NORN_SHARDS, row_group);
    network->shards = (s->batch + network->shard_rows - 1) / network->shard_rows;
    network->bp = network->shards * network->shard_rows;
    if (!s->infer_batch) s->infer_batch = s->batch > 64 ? s->batch : 64;
    network->ibp = round_up(s->infer_batch, row_group);
    network->strip = s->path == NORN_PATH_STAGE ? network->hp : ub;
    network->parameters = norn_network_head_bias(network) + network->op;
    network->back_size = norn_network_back_start(network, s->layers) + network->hp * network->op;
    /* A GPU has more groups to feed than there are tiles. Either way the sums are the same. */
    const size_t rows = s->window * network->bp;
    const bool cpu = context->info.type == NORN_DEVICE_CPU;
    network->whole_end = cpu && network->parameters <= SMALL;
    network->shard_gradients = cpu && network->parameters <= SMALL && s->path == NORN_PATH_SEQUENCE &&
                               network->shards > 1 && network->shard_rows == row_group;
    const bool stage = s->path == NORN_PATH_STAGE, gpu_splits = !cpu && !stage && rows >= 2048;
    network->splits = network->shard_gradients || gpu_splits ? network->shards : 1;
    if ((double)rows * (double)(stage ? network->kept_numbers : network->gates) * (double)network->hp >
        2147483647.0)
        return norn_fail(
            err, NORN_ERR_USAGE,
            "a batch of %zu windows of %zu rows with %zu hidden units is beyond 2^31 numbers: a smaller "
            "--batch, --window or --hidden is needed",
            s->batch, s->window, s->hidden);
    if (!s->slots) s->slots = slots_in_cache(network, columns);
    if (s->slots > s->members) s->slots = s->members;
    return plan_memory(network, columns, err);
}

static norn_status allocate(norn_network *network, size_t columns, norn_error *err)
{
    want all[WANTED];
    list_buffers(network, columns, all);
    norn_status status = NORN_OK;
    for (size_t i = 0; i < WANTED && status == NORN_OK; i++)
        if (all[i].buffer)
            status = norn_buffer_new(network->context, all[i].buffer, (size_t)all[i].floats * sizeof(float),
                                     NULL, all[i].what, err);
    return status;
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
    if (status == NORN_OK) status = plan(network, series->columns, err);
    if (status == NORN_OK) status = build(network, err);
    if (status == NORN_OK) status = allocate(network, series->columns, err);
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
    norn_buffer *const buffers[] = {&network->values,
                                    &network->best,
                                    &network->first_moment,
                                    &network->second_moment,
                                    &network->back,
                                    &network->gradient,
                                    &network->chain,
                                    &network->norm_partial,
                                    &network->norm_parts,
                                    &network->x,
                                    &network->h,
                                    &network->carry,
                                    &network->kept,
                                    &network->dropped,
                                    &network->dx,
                                    &network->dh,
                                    &network->dcarry,
                                    &network->y,
                                    &network->partial,
                                    &network->windows,
                                    &network->schedule,
                                    &network->loss,
                                    &network->infer_x,
                                    &network->infer_h,
                                    &network->infer_carry,
                                    &network->infer_gates,
                                    &network->infer_y,
                                    &network->infer_partial,
                                    &network->infer_loss,
                                    &network->infer_windows,
                                    &network->infer_schedule,
                                    &network->scaling,
                                    &network->keys,
                                    &network->sums,
                                    &network->shard_kept,
                                    &network->shard_values,
                                    &network->filled};
    for (size_t i = 0; i < NORN_COUNT(buffers); i++) norn_buffer_free(buffers[i]);
    norn_cell_stages_free(network->stages);
    norn_cell_plan_free(network->plan);
    norn_cell_free(network->lstm);
    norn_delete(&context->host, network->dropout_keys, network->shape.members, sizeof *network->dropout_keys);
    norn_delete(&context->host, network, 1, sizeof *network);
}

/* ---- parameters in and out ---- */

typedef struct copying {
    const double *plain;
    double *plain_out;
    float *padded;
} copying;

static void copy_in(void *user, size_t plain, size_t padded)
{
    const copying *job = user;
    job->padded[padded] = (float)job->plain[plain];
}

static void copy_out(void *user, size_t plain, size_t padded)
{
    const copying *job = user;
    job->plain_out[plain] = (double)job->padded[padded];
}

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

/* Renews the backward copy of one member's weights. */
static norn_status pack_member(norn_network *network, size_t member, norn_error *err)
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

static norn_buffer *part_of(norn_network *network, norn_network_part part)
{
    norn_buffer *const parts[NORN_PARTS] = {[NORN_PART_VALUES] = &network->values,
                                            [NORN_PART_BEST] = &network->best,
                                            [NORN_PART_FIRST_MOMENT] = &network->first_moment,
                                            [NORN_PART_SECOND_MOMENT] = &network->second_moment};
    return parts[part];
}

norn_status norn_network_put_part(norn_network *network, norn_network_part part, size_t member,
                                  const double *plain, norn_error *err)
{
    const norn_host *host = &network->context->host;
    copying job = {plain, NULL, norn_new(host, network->parameters, sizeof(float))};
    if (!job.padded) return norn_fail_memory(err, "parameters");
    norn_network_visit_all(network, copy_in, &job);
    if (part == NORN_PART_VALUES || part == NORN_PART_BEST) norn_network_put_beginnings(network, job.padded);
    const size_t bytes = network->parameters * sizeof(float);
    norn_status status =
        norn_buffer_write(network->context, part_of(network, part), member * bytes, job.padded, bytes, err);
    if (status == NORN_OK && part == NORN_PART_VALUES) status = pack_member(network, member, err);
    norn_delete(host, job.padded, network->parameters, sizeof(float));
    return status;
}

norn_status norn_network_put(norn_network *network, size_t member, const double *plain, norn_error *err)
{
    return norn_network_put_part(network, NORN_PART_VALUES, member, plain, err);
}

static norn_status get(norn_network *network, const norn_buffer *from, size_t offset, double *plain,
                       norn_error *err)
{
    const norn_host *host = &network->context->host;
    copying job = {NULL, plain, norn_new(host, network->parameters, sizeof(float))};
    if (!job.padded) return norn_fail_memory(err, "parameters");
    const norn_status status = norn_buffer_read(network->context, from, offset, job.padded,
                                                network->parameters * sizeof(float), err);
    if (status == NORN_OK) norn_network_visit_all(network, copy_out, &job);
    norn_delete(host, job.padded, network->parameters, sizeof(float));
    return status;
}

norn_status norn_network_get(norn_network *network, size_t member, double *plain, norn_error *err)
{
    return norn_network_get_part(network, NORN_PART_VALUES, member, plain, err);
}

norn_status norn_network_get_part(norn_network *network, norn_network_part part, size_t member, double *plain,
                                  norn_error *err)
{
    return get(network, part_of(network, part), member * network->parameters * sizeof(float), plain, err);
}

norn_status norn_network_get_gradient(norn_network *network, size_t slot, double *plain, norn_error *err)
{
    return get(network, &network->gradient, slot * network->splits * network->parameters * sizeof(float),
               plain, err);
}

norn_status norn_network_initialise(norn_network *network, size_t member, uint64_t seed, uint64_t identity,
                                    norn_error *err)
{
    const norn_host *host = &network->context->host;
    const size_t count = norn_network_plain_size(&network->shape);
    double *plain = norn_new(host, count, sizeof *plain);
    if (!plain) return norn_fail_memory(err, "initial parameters");
    /* The head stays 0: the first forecast is the base. */
    norn_network_draw(network, norn_random_key(seed, identity, NORN_PURPOSE_INITIAL), plain);
    norn_status status = norn_network_put(network, member, plain, err);
    norn_delete(host, plain, count, sizeof *plain);

    network->dropout_keys[member] = norn_random_key(seed, identity, NORN_PURPOSE_DROPOUT);
    if (status == NORN_OK)
        status = norn_buffer_write(network->context, &network->keys, member * sizeof(norn_key),
                                   &network->dropout_keys[member], sizeof(norn_key), err);
    const size_t bytes = network->parameters * sizeof(float);
    if (status == NORN_OK)
        status = norn_buffer_zero(network->context, &network->first_moment, member * bytes, bytes, err);
    if (status == NORN_OK)
        status = norn_buffer_zero(network->context, &network->second_moment, member * bytes, bytes, err);
    if (status == NORN_OK) status = norn_network_keep(network, member, err);
    return status;
}

norn_status norn_network_scale(norn_network *network, size_t member, const float *pairs, size_t columns,
                               norn_error *err)
{
    const size_t bytes = columns * 2 * sizeof(float);
    return norn_buffer_write(network->context, &network->scaling, member * bytes, pairs, bytes, err);
}

norn_status norn_network_keep(norn_network *network, size_t member, norn_error *err)
{
    const size_t bytes = network->parameters * sizeof(float);
    return norn_buffer_copy(network->context, &network->values, member * bytes, &network->best,
                            member * bytes, bytes, err);
}

norn_status norn_network_restore(norn_network *network, size_t member, norn_error *err)
{
    const size_t bytes = network->parameters * sizeof(float);
    const norn_status status = norn_buffer_copy(network->context, &network->best, member * bytes,
                                                &network->values, member * bytes, bytes, err);
    return status == NORN_OK ? pack_member(network, member, err) : status;
}

/* ---- running ---- */

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
                n->held == n->shards ? round_up(n->shape.batch, row_group) : count * n->shard_rows;
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
    const size_t sizes[] = {NORM_PARTS, n->whole_end ? 1 : groups, pack_blocks(n)};
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
