/*
 * Operations and bytes of a network's kernels, for a profile. Operations are those of the products with
 * weights, 2 a multiplication and addition; bytes are what a kernel must read and write at least once, with
 * weights that stay in a cache counted once a launch. Of the launches that take a batch in pieces each has
 * the mean of them.
 */
#include "nn/network.h"

#include <math.h>

enum { FLOAT = 4 }; /* bytes of a number */

void norn_network_count_costs(norn_network *n)
{
    const norn_network_shape *s = &n->shape;
    const double batch = (double)s->batch, steps = (double)s->window, hidden = (double)n->hp,
                 layers = (double)s->layers, parameters = (double)n->parameters;
    /* A third each forward, backward and in the gradient of the weights. */
    const double third = norn_network_operations(s) / 3.0,
                 head = 2.0 * batch * (double)n->outputs * (double)s->horizon;
    const double units = batch * steps * hidden * layers * FLOAT; /* h, or carry, of all layers and steps */
    const double inputs = batch * steps * (double)n->kx * FLOAT, weights = parameters * FLOAT;
    const double kept = (double)n->kept_numbers * units;

    const double share = 1.0 / ceil((double)n->shards / (double)n->held); /* of a piece */
    const double gradients = (double)n->splits * weights;

    n->train.cost = (norn_cost){share * 2.0 * (third + head),
                                2.0 * weights + share * (inputs + 2.0 * (2.0 * units + kept) + kept)};
    const norn_cost gradient = {share * (third + head), share * (kept + inputs + units) + gradients};
    if (n->shard_gradients)
        n->train.cost = (norn_cost){n->train.cost.operations + gradient.operations,
                                    n->train.cost.bytes + share * gradients};
    n->weight_gradient.cost = gradient;
    n->norm.cost = (norn_cost){2.0 * parameters, weights * (double)(n->splits + 1)};
    n->update.cost = (norn_cost){0.0, 7.0 * weights}; /* gradient; values and two moments, read and written */
    n->pack.cost = (norn_cost){0.0, 2.0 * weights};
    if (n->whole_end)
        n->update.cost = (norn_cost){n->norm.cost.operations,
                                     n->norm.cost.bytes + n->update.cost.bytes + n->pack.cost.bytes};
}

void norn_network_count_inference(norn_network *n, const size_t *rows, size_t slots)
{
    const norn_network_shape *s = &n->shape;
    double all = 0.0;
    for (size_t i = 0; i < slots; i++) all += (double)rows[i];
    const double steps = (double)s->window, each = slots ? all / (double)slots : 0.0;
    const double operations =
        norn_network_operations(s) / (3.0 * (double)s->batch) + 2.0 * (double)s->hidden * (double)s->horizon;
    n->infer.cost =
        (norn_cost){each * operations, (double)n->parameters * FLOAT + each * steps * (double)n->kx * FLOAT};
}
