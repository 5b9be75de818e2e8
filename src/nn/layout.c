/*
 * Where the parameters of a network stand. There are two orders: the plain one, in which numbers go in and
 * out (network.h), and the padded one of the kernels: strips of units, gates side by side, and places that
 * belong to no parameter, since a gate may lack a product or a bias and a unit may be padding. Sizes and
 * offsets repeat the macros of kernels/step.cl; tests/test_network.c would notice if they parted.
 */
#include "nn/network.h"

#include "nn/initial.h"

#include <math.h>
#include <string.h>

enum { LSTM_GATES = 4 };

/* ---- the plain order --------------------------------------------------------------------------------------
 */

/* Does this matrix multiply the input? */
static bool is_of_input(const norn_cell *cell, size_t matrix)
{
    return cell->nodes[cell->nodes[cell->matrices[matrix].product].a].op == NORN_CELL_INPUT;
}

size_t norn_plain_tensors(const norn_cell_shape *shape, norn_plain_tensor out[NORN_PLAIN_TENSORS])
{
    const norn_cell *cell = shape->cell;
    size_t count = 0, numbers = 0;
    for (int of_input = 1; of_input >= 0; of_input--)
        for (size_t i = 0; i < cell->matrix_count; i++)
            if (is_of_input(cell, i) == (of_input == 1) && shape->matrix[i].count)
                out[count++] = (norn_plain_tensor){.index = i, .of_input = of_input, .at = shape->matrix[i]};
    for (size_t i = 0; i < cell->vector_count; i++)
        out[count++] = (norn_plain_tensor){.vector = true, .index = i, .at = shape->vector[i]};
    for (size_t i = 0; i < count; i++) {
        out[i].at.offset = numbers;
        numbers += out[i].at.count;
    }
    return count;
}

/* Where a plain tensor begins among the declared ones. */
static size_t declared_at(const norn_cell_shape *shape, const norn_plain_tensor *tensor)
{
    return tensor->vector ? shape->vector[tensor->index].offset : shape->matrix[tensor->index].offset;
}

void norn_plain_to_declared(const norn_cell_shape *shape, const double *plain, double *declared)
{
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    const size_t count = norn_plain_tensors(shape, tensors);
    for (size_t i = 0; i < count; i++)
        memcpy(declared + declared_at(shape, &tensors[i]), plain + tensors[i].at.offset,
               tensors[i].at.count * sizeof *plain);
}

void norn_plain_from_declared(const norn_cell_shape *shape, const double *declared, double *plain)
{
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    const size_t count = norn_plain_tensors(shape, tensors);
    for (size_t i = 0; i < count; i++)
        memcpy(plain + tensors[i].at.offset, declared + declared_at(shape, &tensors[i]),
               tensors[i].at.count * sizeof *plain);
}

size_t norn_layer_outputs(const norn_cell *cell, size_t inputs, size_t hidden)
{
    norn_cell_shape bound;
    if (!cell) return hidden;
    return norn_cell_bind(&bound, cell, inputs, hidden, 0, NULL) == NORN_OK ? bound.outputs : 0;
}

static size_t inputs_of(const norn_network_shape *shape, size_t layer)
{
    return layer ? norn_layer_outputs(shape->cell, shape->inputs, shape->hidden) : shape->inputs;
}

norn_status norn_network_bind(norn_cell_shape *out, const norn_network_shape *shape, const norn_cell *cell,
                              size_t layer, norn_error *err)
{
    return norn_cell_bind(out, cell, inputs_of(shape, layer), shape->hidden, 0, err);
}

/* What a layer has: numbers in all, and numbers in matrices. 0: the cell has no such size. */
typedef struct layer_counts {
    size_t all, products;
} layer_counts;

static layer_counts counts_of(const norn_network_shape *shape, size_t layer)
{
    const size_t inputs = inputs_of(shape, layer), hidden = shape->hidden;
    if (!shape->cell) {
        const size_t products = LSTM_GATES * hidden * (inputs + hidden);
        return (layer_counts){products + LSTM_GATES * hidden, products};
    }
    norn_cell_shape bound;
    if (norn_network_bind(&bound, shape, shape->cell, layer, NULL) != NORN_OK) return (layer_counts){0, 0};
    layer_counts counts = {bound.parameters, 0};
    for (size_t i = 0; i < shape->cell->matrix_count; i++) counts.products += bound.matrix[i].count;
    return counts;
}

size_t norn_network_plain_size(const norn_network_shape *shape)
{
    const size_t first = counts_of(shape, 0).all, upper = shape->layers > 1 ? counts_of(shape, 1).all : 0;
    if (!first || (shape->layers > 1 && !upper)) return 0;
    return first + (shape->layers - 1) * upper + (inputs_of(shape, 1) + 1) * shape->horizon;
}

double norn_network_padded_size(const norn_context *context, const norn_network_shape *shape)
{
    const norn_cell *cell = shape->cell;
    const size_t ub = norn_context_widest(context); /* a multiple of any other */
    const double kx = (double)((shape->inputs + 3) / 4 * 4),
                 hp = (double)((shape->hidden + ub - 1) / ub * ub),
                 op = (double)((shape->horizon + ub - 1) / ub * ub), layers = (double)shape->layers;
    /* A gate has a matrix at least. */
    const double gates = cell ? (double)cell->matrix_count : LSTM_GATES,
                 vectors = cell ? (double)(cell->vector_count + cell->state_count) : 0.0;
    return hp * (gates * (kx + hp + 1.0) + (layers - 1.0) * gates * (2.0 * hp + 1.0) + layers * vectors) +
           (hp + 1.0) * op;
}

double norn_network_operations(const norn_network_shape *shape)
{
    const double first = (double)counts_of(shape, 0).products,
                 upper = shape->layers > 1 ? (double)counts_of(shape, 1).products : 0.0;
    return 3.0 * 2.0 * (double)shape->batch * (double)shape->window *
           (first + (double)(shape->layers - 1) * upper);
}

/* ---- the padded order -------------------------------------------------------------------------------------
 */

static size_t layer_inputs(const norn_network *network, size_t layer)
{
    return layer ? network->hp : network->kx;
}

static size_t beginnings(const norn_network *network)
{
    return network->begins ? 1 + network->carries : 0;
}

static norn_cell_paddings paddings(const norn_network *network, size_t layer)
{
    return (norn_cell_paddings){layer_inputs(network, layer), network->hp, network->strip, layer > 0};
}

static size_t layer_weights(const norn_network *network, size_t layer)
{
    const norn_cell_paddings at = paddings(network, layer);
    return network->stages ? norn_cell_weights(network->stages, &at)
                           : (at.kx + at.hp) * network->gates * at.hp;
}

static size_t layer_size(const norn_network *network, size_t layer)
{
    return layer_weights(network, layer) +
           (network->gates + network->places.vectors + beginnings(network)) * network->hp;
}

size_t norn_network_layer_start(const norn_network *network, size_t layer)
{
    return layer ? layer_size(network, 0) + (layer - 1) * layer_size(network, 1) : 0;
}

size_t norn_network_layer_bias(const norn_network *network, size_t layer)
{
    return norn_network_layer_start(network, layer) + layer_weights(network, layer);
}

size_t norn_network_layer_initial(const norn_network *network, size_t layer)
{
    return norn_network_layer_bias(network, layer) + (network->gates + network->places.vectors) * network->hp;
}

size_t norn_network_layer_sums(const norn_network *network)
{
    return (network->places.vectors + (network->learned ? 1 + network->carries : 0)) * network->hp;
}

size_t norn_network_back_start(const norn_network *network, size_t layer)
{
    const norn_cell_paddings first = paddings(network, 0), upper = paddings(network, 1);
    if (network->shape.path == NORN_PATH_STAGE) return 0; /* its products take the weights as they are */
    if (!layer || !network->stages)
        return layer ? (2 * layer - 1) * network->gates * network->hp * network->hp : 0;
    return norn_cell_back_weights(network->stages, &first) +
           (layer - 1) * norn_cell_back_weights(network->stages, &upper);
}

size_t norn_network_head_bias(const norn_network *network)
{
    return norn_network_layer_start(network, network->shape.layers) + network->hp * network->op;
}

/* ---- from one to the other --------------------------------------------------------------------------------
 */

/* The gate in whose sum a matrix or a bias stands; SIZE_MAX: none. */
static size_t gate_of_matrix(const norn_cell_plan *plan, size_t matrix)
{
    for (size_t k = 0; k < plan->gate_count; k++)
        for (size_t m = 0; m < plan->gates[k].matrix_count; m++)
            if (plan->gates[k].matrices[m] == (int)matrix) return k;
    return SIZE_MAX;
}

static size_t gate_of_bias(const norn_cell_plan *plan, size_t vector)
{
    for (size_t k = 0; k < plan->gate_count; k++)
        if (plan->gates[k].bias == (int)vector) return k;
    return SIZE_MAX;
}

static size_t visit_matrix(const norn_network *n, size_t layer, const norn_plain_tensor *tensor, size_t plain,
                           norn_network_visit each, void *user)
{
    const size_t sw = n->strip, gs = n->gates * sw, kx = layer_inputs(n, layer),
                 start = norn_network_layer_start(n, layer);
    const size_t rows = tensor->at.rows / tensor->at.heads, columns = tensor->at.columns / tensor->at.heads;
    if (n->stages) {
        const norn_cell_paddings at = paddings(n, layer);
        const size_t first = norn_cell_weight_at(n->stages, &at, tensor->index, 0, 0),
                     strip = norn_cell_weight_at(n->stages, &at, tensor->index, sw, 0) - first,
                     next = norn_cell_weight_at(n->stages, &at, tensor->index, 0, 1) - first;
        for (size_t u = 0; u < tensor->at.rows; u++)
            for (size_t k = 0; k < columns; k++)
                each(user, plain++,
                     start + first + u / sw * strip + (u / rows * columns + k) * next + u % sw);
        return plain;
    }
    const size_t place = (size_t)n->places.gate[gate_of_matrix(n->plan, tensor->index)];
    for (size_t u = 0; u < tensor->at.rows; u++)
        for (size_t k = 0; k < columns; k++) {
            const size_t column = (tensor->of_input ? 0 : kx) + u / rows * columns + k;
            each(user, plain++, start + (u / sw * (kx + n->hp) + column) * gs + place * sw + u % sw);
        }
    return plain;
}

static size_t visit_vector(const norn_network *n, size_t layer, const norn_plain_tensor *tensor, size_t plain,
                           norn_network_visit each, void *user)
{
    const norn_cell *cell = n->plan->cell;
    const size_t sw = n->strip, wide = (n->gates + n->places.vectors) * sw,
                 gate = gate_of_bias(n->plan, tensor->index);
    if (cell->vectors[tensor->index].role == NORN_CELL_INITIAL) {
        size_t state = 0;
        while (cell->states[state].learned != (int)tensor->index) state++;
        const size_t start = norn_network_layer_initial(n, layer) + (size_t)n->plane_of[state] * n->hp;
        for (size_t u = 0; u < tensor->at.count; u++) each(user, plain++, start + u);
        return plain;
    }
    const size_t place =
        gate != SIZE_MAX ? (size_t)n->places.gate[gate] : n->gates + (size_t)n->places.vector[tensor->index];
    for (size_t u = 0; u < tensor->at.count; u++)
        each(user, plain++, norn_network_layer_bias(n, layer) + u / sw * wide + place * sw + u % sw);
    return plain;
}

void norn_network_visit_all(const norn_network *network, norn_network_visit each, void *user)
{
    const norn_network_shape *shape = &network->shape;
    const size_t ub = (size_t)network->map.local_size * network->map.vector_width;
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    size_t plain = 0;
    for (size_t l = 0; l < shape->layers; l++) {
        const size_t count = norn_plain_tensors(&network->bound[l > 0], tensors);
        for (size_t i = 0; i < count; i++)
            plain = tensors[i].vector ? visit_vector(network, l, &tensors[i], plain, each, user)
                                      : visit_matrix(network, l, &tensors[i], plain, each, user);
    }
    const size_t head = norn_network_layer_start(network, shape->layers);
    for (size_t o = 0; o < shape->horizon; o++)
        for (size_t k = 0; k < network->outputs; k++)
            each(user, plain++, head + ((o / ub) * network->hp + k) * ub + o % ub);
    for (size_t o = 0; o < shape->horizon; o++) each(user, plain++, norn_network_head_bias(network) + o);
}

/* ---- what is no parameter ---------------------------------------------------------------------------------
 */

/* The value a state begins with that is not trained. */
static double beginning_of(const norn_cell_shape *bound, size_t state, size_t unit)
{
    const norn_cell_state *s = &bound->cell->states[state];
    if (s->learned >= 0 || s->init.fill != NORN_CELL_FILL_VALUE) return 0.0;
    return norn_cell_initial(bound, s->init, bound->size[s->size], unit);
}

void norn_network_find_beginnings(norn_network *network)
{
    const norn_cell *cell = network->plan->cell;
    network->learned = 0;
    network->begins = false;
    for (size_t s = 0; s < cell->state_count; s++) {
        if (cell->states[s].learned >= 0) network->learned |= 1u << network->plane_of[s];
        for (size_t l = 0; l < 2; l++)
            for (size_t u = 0; u < network->bound[l].size[cell->states[s].size]; u++)
                network->begins = network->begins || beginning_of(&network->bound[l], s, u) != 0.0;
    }
    network->begins = network->begins || network->learned;
}

void norn_network_put_beginnings(const norn_network *network, float *padded)
{
    const norn_cell *cell = network->plan->cell;
    for (size_t l = 0; l < network->shape.layers && network->begins; l++)
        for (size_t s = 0; s < cell->state_count; s++) {
            const norn_cell_shape *bound = &network->bound[l > 0];
            float *to =
                padded + norn_network_layer_initial(network, l) + (size_t)network->plane_of[s] * network->hp;
            for (size_t u = 0; u < bound->size[cell->states[s].size] && cell->states[s].learned < 0; u++)
                to[u] = (float)beginning_of(bound, s, u);
        }
}

bool norn_network_has_holes(const norn_network *network)
{
    const norn_cell_plan *plan = network->plan;
    const norn_cell_stages *stages = network->stages;
    /* Gates of a stage that lack a product may stand between others that have it. */
    for (size_t i = 0; stages && i < stages->source_count; i++)
        for (int g = stages->sources[i].first; g < stages->sources[i].last; g++)
            if (stages->sources[i].matrix[g] < 0) return true;
    for (size_t k = 0; k < plan->gate_count; k++)
        if (plan->gates[k].bias < 0) return true;
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < plan->cell->matrix_count; i++)
            if (network->bound[l].matrix[i].heads > 1 || network->bound[l].matrix[i].count == 0) return true;
    return false;
}

/* What formulas call the bias of the gate that keeps a state. */
static const char forget_gate[] = "b_f";

/* ---- initial parameters -----------------------------------------------------------------------------------
 */

/* Number i of the plain ones: the same random number whatever the formula makes of it. */
static double drawn(norn_cell_fill fill, double size, norn_key key, uint64_t i)
{
    if (fill == NORN_CELL_FILL_VALUE) return size;
    if (fill ==
        NORN_CELL_FILL_NORMAL) { /* Box and Muller 1958; the unit is below 1, never the logarithm of 0 */
        const norn_random_words words = norn_random(key, (uint32_t)i, (uint32_t)(i >> 32), 1, 0);
        const double radius = sqrt(-2.0 * log(1.0 - norn_random_unit(words.word[0])));
        return size * radius * cos(6.283185307179586 * norn_random_unit(words.word[1]));
    }
    const norn_random_words words = norn_random(key, (uint32_t)(i / 4), (uint32_t)(i / 4 >> 32), 0, 0);
    return size * (2.0 * norn_random_unit(words.word[i % 4]) - 1.0);
}

/* Adds to the bias of the forget gate, in all layers. */
static void open_gates(const norn_network *network, double *plain)
{
    const norn_cell *cell = network->plan->cell;
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    for (size_t l = 0; l < network->shape.layers; l++) {
        const norn_cell_shape *bound = &network->bound[l > 0];
        const size_t count = norn_plain_tensors(bound, tensors);
        for (size_t t = 0; t < count; t++)
            if (tensors[t].vector && strcmp(cell->vectors[tensors[t].index].name, forget_gate) == 0)
                for (size_t u = 0; u < tensors[t].at.count; u++)
                    plain[tensors[t].at.offset + u] += network->shape.forget_bias;
        plain += bound->parameters;
    }
}

bool norn_network_forgets(const norn_cell *cell)
{
    for (size_t i = 0; i < cell->vector_count; i++)
        if (strcmp(cell->vectors[i].name, forget_gate) == 0) return true;
    return false;
}

void norn_network_draw(const norn_network *network, norn_key key, double *plain)
{
    const norn_cell *cell = network->plan->cell;
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    uint64_t i = 0;
    for (size_t l = 0; l < network->shape.layers; l++) {
        const norn_cell_shape *bound = &network->bound[l > 0];
        const size_t count = norn_plain_tensors(bound, tensors);
        for (size_t t = 0; t < count; t++) {
            const norn_plain_tensor *tensor = &tensors[t];
            const norn_cell_init init =
                tensor->vector ? cell->vectors[tensor->index].init : cell->matrices[tensor->index].init;
            const size_t rows = tensor->at.rows, each = tensor->at.count / rows;
            if (init.fill == NORN_CELL_FILL_DEFAULT && network->shape.init != NORN_INIT_UNIFORM) {
                norn_initial_fill(network->shape.init,
                                  tensor->vector     ? NORN_INITIAL_BIAS
                                  : tensor->of_input ? NORN_INITIAL_INPUT
                                                     : NORN_INITIAL_RECURRENT,
                                  key, i, rows, each, network->shape.hidden, plain + i);
                i += tensor->at.count;
                continue;
            }
            for (size_t u = 0; u < rows; u++) {
                const double size = norn_cell_initial(bound, init, rows, u);
                for (size_t k = 0; k < each; k++, i++) plain[i] = drawn(init.fill, size, key, i);
            }
        }
    }
    if (network->shape.forget_bias != 0.0) open_gates(network, plain);
}
