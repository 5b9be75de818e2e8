/*
 * The reference declared in reference.h: every equation of the network, in doubles, in the order a textbook
 * gives them. Each forward function stands beside its backward one.
 *
 * A backward function receives the gradient at what the forward one wrote and returns the gradient at what it
 * read. "d" before a name means the derivative of the loss by it.
 */
#include "nn/reference.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- products ---- */

double norn_reference_dot(size_t n, const double *a, size_t a_stride, const double *b, size_t b_stride)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i * a_stride] * b[i * b_stride];
    return sum;
}

void norn_reference_gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha,
                         const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                         size_t ldc)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            const double *row = a + (a_transposed ? i : i * lda);
            const double *column = b + (b_transposed ? j * ldb : j);
            const double product =
                alpha * norn_reference_dot(k, row, a_transposed ? lda : 1, column, b_transposed ? 1 : ldb);
            c[i * ldc + j] = product + (beta != 0.0 ? beta * c[i * ldc + j] : 0.0);
        }
    }
}

float norn_reference_fma_chain(size_t k, const float *a, size_t a_stride, const float *b, size_t b_stride,
                               float start)
{
    float sum = start;
    for (size_t i = 0; i < k; i++) sum = fmaf(a[i * a_stride], b[i * b_stride], sum);
    return sum;
}

/* y [n] += factor * x [n] */
static void add_scaled(size_t n, double factor, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) y[i] += factor * x[i];
}

static void zero(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = 0.0;
}

/* ---- one LSTM layer ---- */

enum { GATES = 4 }; /* i, f, g, o */

/* exp overflows to infinity for a large negative z, and 1/(1+inf) is the 0 that is right. */
static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

/* The time of the n-th step of a call on [t0, t1). */
static size_t time_of(const norn_reference_lstm *layer, size_t t0, size_t t1, size_t n)
{
    return layer->reverse ? t1 - 1 - n : t0 + n;
}

/* State [B][H] that the n-th step of a call starts from: that of the step before, or the one given. NULL:
 * zero. */
static const double *state_before(const norn_reference_lstm *layer, size_t t0, size_t t1, size_t n,
                                  const double *states, const double *initial)
{
    return n ? states + time_of(layer, t0, t1, n - 1) * layer->rows * layer->hidden : initial;
}

/* Unit j of row b of a state that may be NULL. */
static double unit(const double *state, size_t hidden, size_t b, size_t j)
{
    return state ? state[b * hidden + j] : 0.0;
}

static bool skipped(const norn_reference_lstm *layer, size_t t, size_t b)
{
    return layer->mask && !layer->mask[t * layer->rows + b];
}

/*
 * One step of one row (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000):
 *
 *     z   = W_ih x + bias + W_hh h_before                  [4H], blocks i, f, g, o
 *     i   = sigmoid(z_i)   f = sigmoid(z_f)   g = tanh(z_g)   o = sigmoid(z_o)
 *     c   = f * c_before + i * g
 *     h   = o * tanh(c)
 */
static void step_forward(const norn_reference_lstm *layer, size_t t, size_t b, const double *h_before,
                         const double *c_before)
{
    const size_t H = layer->hidden, I = layer->inputs, at = t * layer->rows + b;
    const double *x = layer->x + at * I;
    double *h = layer->h + at * H, *c = layer->c + at * H, *gates = layer->gates + at * GATES * H;

    if (skipped(layer, t, b)) {
        for (size_t j = 0; j < H; j++) {
            h[j] = unit(h_before, H, b, j);
            c[j] = unit(c_before, H, b, j);
        }
        zero(gates, GATES * H);
        return;
    }
    for (size_t r = 0; r < GATES * H; r++) {
        double z = norn_reference_dot(I, layer->w_ih + r * I, 1, x, 1) + layer->bias[r];
        if (h_before) z += norn_reference_dot(H, layer->w_hh + r * H, 1, h_before + b * H, 1);
        gates[r] = r / H == 2 ? tanh(z) : sigmoid(z);
    }
    for (size_t j = 0; j < H; j++) {
        const double i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
        c[j] = f * unit(c_before, H, b, j) + i * g;
        h[j] = o * tanh(c[j]);
    }
}

/*
 * The same step backwards. dh and dc [H] come in as the gradient at the state after the step and leave as
 * that at the state before it:
 *
 *     do  = dh * tanh(c)            dc += dh * o * (1 - tanh(c)^2)
 *     di  = dc * g    dg = dc * i   df  = dc * c_before
 *     dz  = (di, df, do) * s (1 - s) for a sigmoid s,  dg * (1 - g^2) for the tanh
 *     dc_before = dc * f            dh_before = W_hh^T dz
 *     dx  = W_ih^T dz    dW_ih += dz x^T    dW_hh += dz h_before^T    dbias += dz
 *
 * A skipped step hands dh and dc on as they are.
 */
static void step_backward(const norn_reference_lstm *layer, const norn_reference_lstm_gradients *grad,
                          size_t t, size_t b, const double *h_before, const double *c_before)
{
    const size_t H = layer->hidden, I = layer->inputs, at = t * layer->rows + b;
    const double *x = layer->x + at * I, *c = layer->c + at * H, *gates = layer->gates + at * GATES * H;
    double *dz = grad->dgates + at * GATES * H, *dx = grad->dx ? grad->dx + at * I : NULL;
    double *dh = grad->dh0 + b * H, *dc = grad->dc0 + b * H;

    if (grad->dh) add_scaled(H, 1.0, grad->dh + at * H, dh);
    if (dx) zero(dx, I);
    if (skipped(layer, t, b)) {
        zero(dz, GATES * H);
        return;
    }
    for (size_t j = 0; j < H; j++) {
        const double i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
        const double tanh_c = tanh(c[j]);
        const double dc_all = dc[j] + dh[j] * o * (1.0 - tanh_c * tanh_c);
        dz[j] = dc_all * g * i * (1.0 - i);
        dz[H + j] = dc_all * unit(c_before, H, b, j) * f * (1.0 - f);
        dz[2 * H + j] = dc_all * i * (1.0 - g * g);
        dz[3 * H + j] = dh[j] * tanh_c * o * (1.0 - o);
        dc[j] = dc_all * f;
    }
    zero(dh, H);
    for (size_t r = 0; r < GATES * H; r++) {
        add_scaled(H, dz[r], layer->w_hh + r * H, dh);
        if (dx) add_scaled(I, dz[r], layer->w_ih + r * I, dx);
        if (h_before) add_scaled(H, dz[r], h_before + b * H, grad->dw_hh + r * H);
        add_scaled(I, dz[r], x, grad->dw_ih + r * I);
        grad->dbias[r] += dz[r];
    }
}

void norn_reference_lstm_forward(const norn_reference_lstm *layer, size_t t0, size_t t1)
{
    assert(t0 <= t1 && t1 <= layer->steps);
    for (size_t n = 0; n < t1 - t0; n++) {
        const double *h_before = state_before(layer, t0, t1, n, layer->h, layer->h0);
        const double *c_before = state_before(layer, t0, t1, n, layer->c, layer->c0);
        for (size_t b = 0; b < layer->rows; b++)
            step_forward(layer, time_of(layer, t0, t1, n), b, h_before, c_before);
    }
}

void norn_reference_lstm_backward(const norn_reference_lstm *layer, const norn_reference_lstm_gradients *grad,
                                  size_t t0, size_t t1)
{
    assert(t0 <= t1 && t1 <= layer->steps);
    /* dh0 and dc0 carry the gradient from step to step and hold the result after the first one. */
    for (size_t j = 0; j < layer->rows * layer->hidden; j++) {
        grad->dh0[j] = grad->dh_last ? grad->dh_last[j] : 0.0;
        grad->dc0[j] = grad->dc_last ? grad->dc_last[j] : 0.0;
    }
    for (size_t n = t1 - t0; n-- > 0;) {
        const double *h_before = state_before(layer, t0, t1, n, layer->h, layer->h0);
        const double *c_before = state_before(layer, t0, t1, n, layer->c, layer->c0);
        for (size_t b = 0; b < layer->rows; b++)
            step_backward(layer, grad, time_of(layer, t0, t1, n), b, h_before, c_before);
    }
}

/* ---- head ---- */

/* prediction = h weight^T + bias */
void norn_reference_head_forward(size_t rows, size_t hidden, size_t outputs, const double *h,
                                 const double *weight, const double *bias, double *prediction)
{
    for (size_t b = 0; b < rows; b++)
        for (size_t o = 0; o < outputs; o++)
            prediction[b * outputs + o] =
                norn_reference_dot(hidden, h + b * hidden, 1, weight + o * hidden, 1) + bias[o];
}

/* dh = dprediction weight    dweight += dprediction^T h    dbias += sum over rows of dprediction */
void norn_reference_head_backward(size_t rows, size_t hidden, size_t outputs, const double *h,
                                  const double *weight, const double *dprediction, double *dh,
                                  double *dweight, double *dbias)
{
    zero(dh, rows * hidden);
    for (size_t b = 0; b < rows; b++) {
        for (size_t o = 0; o < outputs; o++) {
            const double d = dprediction[b * outputs + o];
            add_scaled(hidden, d, weight + o * hidden, dh + b * hidden);
            add_scaled(hidden, d, h + b * hidden, dweight + o * hidden);
            dbias[o] += d;
        }
    }
}

/* ---- loss ---- */

static double sign(double e)
{
    return (double)((e > 0.0) - (e < 0.0));
}

static double square_value(double e, double q)
{
    (void)q;
    return e * e;
}
static double square_slope(double e, double q)
{
    (void)q;
    return 2.0 * e;
}
static double absolute_value(double e, double q)
{
    (void)q;
    return fabs(e);
}
static double absolute_slope(double e, double q)
{
    (void)q;
    return sign(e);
}
/* Huber 1964 with its threshold at 1: a parabola inside, lines of slope 1 outside. */
static double huber_value(double e, double q)
{
    (void)q;
    return fabs(e) <= 1.0 ? 0.5 * e * e : fabs(e) - 0.5;
}
static double huber_slope(double e, double q)
{
    (void)q;
    return fabs(e) <= 1.0 ? e : sign(e);
}

static double pinball_value(double e, double q)
{
    return e < 0.0 ? -q * e : (1.0 - q) * e;
}
static double pinball_slope(double e, double q)
{
    return e < 0.0 ? -q : e > 0.0 ? 1.0 - q : 0.0;
}

static const struct {
    double (*value)(double e, double q), (*slope)(double e, double q);
} losses[NORN_LOSS_COUNT] = {
    [NORN_LOSS_MSE] = {square_value, square_slope},
    [NORN_LOSS_MAE] = {absolute_value, absolute_slope},
    [NORN_LOSS_HUBER] = {huber_value, huber_slope},
    [NORN_LOSS_PINBALL] = {pinball_value, pinball_slope},
};

double norn_reference_loss(norn_loss loss, size_t rows, size_t outputs, const double *prediction,
                           const double *target, const unsigned char *weight, double *gradient)
{
    return norn_reference_weighted_loss(loss, 0.5, rows, outputs, prediction, target, weight, NULL, gradient);
}

double norn_reference_weighted_loss(norn_loss loss, double quantile, size_t rows, size_t outputs,
                                    const double *prediction, const double *target,
                                    const unsigned char *weight, const double *importance, double *gradient)
{
    assert((size_t)loss < NORN_LOSS_COUNT);
    size_t counted = 0;
    for (size_t b = 0; b < rows; b++) counted += !weight || weight[b];
    const double scale = counted ? 1.0 / (double)(counted * outputs) : 0.0;

    double sum = 0.0;
    for (size_t at = 0; at < rows * outputs; at++) {
        const double counts_for = importance ? importance[at] : 1.0;
        const bool counts = (!weight || weight[at / outputs]) && !isnan(target[at]) && !isnan(counts_for);
        const double e = counts ? prediction[at] - target[at] : 0.0;
        if (counts) sum += counts_for * losses[loss].value(e, quantile);
        if (gradient) gradient[at] = counts ? scale * counts_for * losses[loss].slope(e, quantile) : 0.0;
    }
    return scale * sum;
}

/* ---- the whole network ---- */

norn_reference_layout norn_reference_layout_of(const norn_reference_shape *shape, size_t layer)
{
    const size_t H = shape->hidden, first = GATES * H * (shape->inputs + H + 1),
                 other = GATES * H * (H + H + 1);
    norn_reference_layout layout;
    layout.inputs = layer ? H : shape->inputs;
    layout.w_ih = layer ? first + (layer - 1) * other : 0;
    layout.w_hh = layout.w_ih + GATES * H * layout.inputs;
    layout.bias = layout.w_hh + GATES * H * H;
    layout.head_weight = first + (shape->layers - 1) * other;
    layout.head_bias = layout.head_weight + shape->outputs * H;
    layout.count = layout.head_bias + shape->outputs;
    return layout;
}

/* One array of a network and its length; the table that allocating and freeing share. */
typedef struct slot {
    double **array;
    size_t count; /* 0: not needed */
} slot;

enum { SLOTS = 13 };

static void list_slots(norn_reference_network *network, slot slots[SLOTS])
{
    const norn_reference_shape *s = &network->shape;
    const size_t parameters = norn_reference_layout_of(s, 0).count, sequence = s->steps * s->rows;
    const slot list[SLOTS] = {
        {&network->parameters, parameters},
        {&network->gradients, parameters},
        {&network->h, s->layers * sequence * s->hidden},
        {&network->c, s->layers * sequence * s->hidden},
        {&network->gates, s->layers * sequence * GATES * s->hidden},
        {&network->fed, (s->layers - 1) * sequence * s->hidden},
        {&network->prediction, s->rows * s->outputs},
        {&network->dprediction, s->rows * s->outputs},
        {&network->dh, s->layers * sequence * s->hidden},
        {&network->dgates, s->layers * sequence * GATES * s->hidden},
        {&network->dx, sequence * s->inputs},
        {&network->dh0, s->layers * s->rows * s->hidden},
        {&network->dc0, s->layers * s->rows * s->hidden},
    };
    memcpy(slots, list, sizeof list);
}

norn_status norn_reference_network_new(norn_reference_network **out, const norn_reference_shape *shape,
                                       const norn_host *host, norn_error *err)
{
    /* Below 2^14 each no product of four sizes, times four gates and eight bytes, leaves 64 bits. */
    enum { LARGEST = 1 << 14 };
    const size_t sizes[] = {shape->steps,  shape->rows,   shape->inputs,
                            shape->hidden, shape->layers, shape->outputs};
    for (size_t i = 0; i < NORN_COUNT(sizes); i++)
        if (sizes[i] == 0 || sizes[i] > LARGEST)
            return norn_fail(err, NORN_ERR_USAGE, "a reference network has sizes from 1 to %d, not %zu",
                             LARGEST, sizes[i]);

    const norn_host services = norn_host_copy(host);
    norn_reference_network *network = norn_new(&services, 1, sizeof *network);
    if (!network) return norn_fail_memory(err, "the reference network");
    network->host = services;
    network->shape = *shape;

    slot slots[SLOTS];
    list_slots(network, slots);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].count == 0) continue;
        *slots[i].array = norn_new(&services, slots[i].count, sizeof(double));
        if (!*slots[i].array) {
            norn_reference_network_free(network);
            return norn_fail_memory(err, "the reference network");
        }
    }
    *out = network;
    return NORN_OK;
}

void norn_reference_network_free(norn_reference_network *network)
{
    if (!network) return;
    const norn_host host = network->host;
    slot slots[SLOTS];
    list_slots(network, slots);
    for (size_t i = 0; i < SLOTS; i++) norn_delete(&host, *slots[i].array, slots[i].count, sizeof(double));
    norn_delete(&host, network, 1, sizeof *network);
}

static norn_reference_lstm layer_of(const norn_reference_network *network, const norn_reference_batch *batch,
                                    size_t l)
{
    const norn_reference_shape *s = &network->shape;
    const norn_reference_layout at = norn_reference_layout_of(s, l);
    const size_t sequence = s->steps * s->rows * s->hidden;
    return (norn_reference_lstm){
        .steps = s->steps,
        .rows = s->rows,
        .inputs = at.inputs,
        .hidden = s->hidden,
        .x = l ? network->fed + (l - 1) * sequence : batch->x,
        .w_ih = network->parameters + at.w_ih,
        .w_hh = network->parameters + at.w_hh,
        .bias = network->parameters + at.bias,
        .mask = batch->mask,
        .h = network->h + l * sequence,
        .c = network->c + l * sequence,
        .gates = network->gates + l * GATES * sequence,
    };
}

/* x^0 = x,  h^l = lstm^l(x^l),  x^(l+1) = dropout^l * h^l,  prediction = head(h^(L-1) after the last step) */
double norn_reference_network_forward(norn_reference_network *network, const norn_reference_batch *batch)
{
    const norn_reference_shape *s = &network->shape;
    const norn_reference_layout at = norn_reference_layout_of(s, 0);
    const size_t sequence = s->steps * s->rows * s->hidden;
    for (size_t l = 0; l < s->layers; l++) {
        const norn_reference_lstm layer = layer_of(network, batch, l);
        norn_reference_lstm_forward(&layer, 0, s->steps);
        for (size_t i = 0; i < sequence && l + 1 < s->layers; i++)
            network->fed[l * sequence + i] =
                layer.h[i] * (batch->dropout ? batch->dropout[l * sequence + i] : 1.0);
    }
    const double *last = network->h + s->layers * sequence - s->rows * s->hidden;
    norn_reference_head_forward(s->rows, s->hidden, s->outputs, last, network->parameters + at.head_weight,
                                network->parameters + at.head_bias, network->prediction);
    return norn_reference_weighted_loss(batch->loss, batch->quantile, s->rows, s->outputs,
                                        network->prediction, batch->target, batch->weight, batch->importance,
                                        network->dprediction);
}

void norn_reference_network_backward(norn_reference_network *network, const norn_reference_batch *batch)
{
    const norn_reference_shape *s = &network->shape;
    const norn_reference_layout head = norn_reference_layout_of(s, 0);
    const size_t state = s->rows * s->hidden, sequence = s->steps * state;
    zero(network->gradients, head.count);
    zero(network->dh, s->layers * sequence);

    const size_t last = s->layers * sequence - state; /* the top layer's output after the last step */
    norn_reference_head_backward(s->rows, s->hidden, s->outputs, network->h + last,
                                 network->parameters + head.head_weight, network->dprediction,
                                 network->dh + last, network->gradients + head.head_weight,
                                 network->gradients + head.head_bias);
    for (size_t l = s->layers; l-- > 0;) {
        const norn_reference_layout at = norn_reference_layout_of(s, l);
        norn_reference_lstm layer = layer_of(network, batch, l);
        double *below =
            l ? network->dh + (l - 1) * sequence : network->dx; /* gradient at this layer's input */
        const norn_reference_lstm_gradients grad = {
            .dh = network->dh + l * sequence,
            .dgates = network->dgates + l * GATES * sequence,
            .dx = below,
            .dw_ih = network->gradients + at.w_ih,
            .dw_hh = network->gradients + at.w_hh,
            .dbias = network->gradients + at.bias,
            .dh0 = network->dh0 + l * state,
            .dc0 = network->dc0 + l * state,
        };
        if (batch->begin) { /* the state before the first step that gradients reach is given */
            layer.h0 = layer.h + (batch->begin - 1) * state;
            layer.c0 = layer.c + (batch->begin - 1) * state;
        }
        norn_reference_lstm_backward(&layer, &grad, batch->begin, s->steps);
        for (size_t i = 0; i < sequence && l && batch->dropout; i++)
            below[i] *= batch->dropout[(l - 1) * sequence + i];
    }
}

/* ---- optimiser ---- */

double norn_reference_clip(size_t count, double *gradients, double max_norm)
{
    const double norm = sqrt(norn_reference_dot(count, gradients, 1, gradients, 1));
    const double ratio = max_norm / (norm + 1e-6);   /* 1e-6: PyTorch's guard against a norm of 0 */
    const double factor = ratio > 1.0 ? 1.0 : ratio; /* so written that NaN stays NaN */
    for (size_t i = 0; i < count; i++) gradients[i] *= factor;
    return norm;
}

/*
 *     m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
 *     p = p - learning_rate * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)
 */
void norn_reference_adam_step(const norn_reference_adam *adam, size_t count, uint64_t step,
                              const double *gradients, double *parameters, double *m, double *v)
{
    assert(step >= 1);
    const double unbias1 = 1.0 / (1.0 - pow(adam->beta1, (double)step));
    const double unbias2 = 1.0 / (1.0 - pow(adam->beta2, (double)step));
    for (size_t i = 0; i < count; i++) {
        const double g = gradients[i];
        m[i] = adam->beta1 * m[i] + (1.0 - adam->beta1) * g;
        v[i] = adam->beta2 * v[i] + (1.0 - adam->beta2) * g * g;
        parameters[i] -= adam->learning_rate * (m[i] * unbias1) / (sqrt(v[i] * unbias2) + adam->epsilon);
    }
}

void norn_reference_update(const norn_optimiser *optimiser, double rate, size_t count, uint64_t step,
                           const unsigned char *bias, const double *gradients, double *parameters, double *m,
                           double *v)
{
    const norn_reference_adam adam = {rate, 0.9, 0.999, 1e-8};
    const double most = optimiser->clip_value, alpha = optimiser->alpha > 0.0 ? optimiser->alpha : 0.99,
                 momentum = optimiser->momentum;
    for (size_t i = 0; i < count; i++) {
        const double decay = bias && bias[i] ? 0.0 : optimiser->decay;
        double g = gradients[i];
        if (most > 0.0 && g > most) g = most;
        if (most > 0.0 && g < -most) g = -most;
        if (optimiser->kind == NORN_OPTIMISER_ADAMW)
            parameters[i] -= rate * decay * parameters[i];
        else
            g += decay * parameters[i];
        switch (optimiser->kind) {
        case NORN_OPTIMISER_SGD:
            m[i] = momentum * m[i] + g;
            parameters[i] -= rate * (optimiser->nesterov ? g + momentum * m[i] : m[i]);
            break;
        case NORN_OPTIMISER_RMSPROP:
            v[i] = alpha * v[i] + (1.0 - alpha) * g * g;
            m[i] = momentum * m[i] + g / (sqrt(v[i]) + 1e-8);
            parameters[i] -= rate * m[i];
            break;
        case NORN_OPTIMISER_ADAM:
        case NORN_OPTIMISER_ADAMW:
        default:
            norn_reference_adam_step(&adam, 1, step, &g, &parameters[i], &m[i], &v[i]);
        }
    }
}
