/*
 * How much a network does at once, and the buffers for it: members in a launch, shards of a batch, steps
 * between two looks of the host. See network.h; none of it changes a bit of what is computed.
 */
#include "nn/network.h"

#include <math.h>
#include <string.h>

enum { SCHEDULE_WORDS = sizeof(norn_schedule) / sizeof(int32_t) };

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
        {&n->norm_partial, slots * NORN_NORM_PARTS * ub, "partial norms"},
        {&n->norm_parts, slots * NORN_NORM_PARTS, "norms"},
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

/* Shards of a batch at once, if there were no end of memory. On a CPU what two layers or more keep of a large
 * batch goes out to memory and comes back, for the backward pass and for the weight gradient; a piece stays
 * in the last cache. A piece has two groups a core at the least, so that a slow one has company. Measured
 * with tools/bench train: up to 5 % of a step from 128 units on, nothing below. */
static size_t shards_in_cache(norn_network *n, size_t columns)
{
    static const double cached = 8.0 * 1048576.0; /* a core */
    const double cores = (double)n->context->info.compute_units;
    want all[WANTED];
    if (n->context->info.type != NORN_DEVICE_CPU || n->shape.path == NORN_PATH_STAGE || n->splits > 1)
        return n->shards;
    for (n->held = n->shards; n->held > 1; n->held = (n->held + 1) / 2) {
        list_buffers(n, columns, all);
        const size_t groups = (n->held + 1) / 2 * (n->shard_rows / n->map.rows);
        if (bytes_of(all, WANT_BATCH, WANT_FORECAST) <= cached * cores || (double)groups < 2.0 * cores) break;
    }
    return n->held;
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
    s->slots = 1;
    choose_chunk(n, given_chunk);
    n->held = shards_in_cache(n, columns);
    while (!fits(n, columns, &refused, all)) {
        if (n->held > 1) {
            n->held = (n->held + 1) / 2;
            if (n->ibp > n->held * n->shard_rows) n->ibp = n->held * n->shard_rows;
        } else if (n->ibp > row_group) {
            n->ibp = norn_round_up(n->ibp / 2, row_group);
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

norn_status norn_network_plan(norn_network *network, size_t columns, norn_error *err)
{
    norn_context *context = network->context;
    norn_network_shape *s = &network->shape;
    const size_t ub = (size_t)network->map.local_size * network->map.vector_width,
                 row_group = network->map.rows;
    network->hp = norn_round_up(norn_cell_widest(&network->bound[0]), ub);
    network->kx = norn_round_up(s->inputs, 4);
    network->op = norn_round_up(s->horizon, ub);
    network->shard_rows = norn_round_up((s->batch + NORN_SHARDS - 1) / NORN_SHARDS, row_group);
    network->shards = (s->batch + network->shard_rows - 1) / network->shard_rows;
    network->bp = network->shards * network->shard_rows;
    if (!s->infer_batch) s->infer_batch = s->batch > 64 ? s->batch : 64;
    network->ibp = norn_round_up(s->infer_batch, row_group);
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

norn_status norn_network_allocate(norn_network *network, size_t columns, norn_error *err)
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

void norn_network_free_buffers(norn_network *network)
{
    want all[WANTED];
    list_buffers(network, 0, all);
    for (size_t i = 0; i < WANTED; i++)
        if (all[i].buffer) norn_buffer_free(all[i].buffer);
}
