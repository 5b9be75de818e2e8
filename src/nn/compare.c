/* The device's network against the reference: see compare.h. */
#include "nn/compare.h"

#include "nn/reference.h"

#include <math.h>
#include <string.h>

enum { SERIES = 2, EXTRA_ROWS = 9, STEPS = 3 };

typedef struct job {
    norn_context *context;
    const norn_network_shape *shape;
    size_t rows, track_rows, plain;
    norn_key key;
    uint32_t drawn;
    norn_series *series;
    norn_network *network;
    norn_reference_network *reference;
    float *tracks;  /* [SERIES][F][track_rows] as the device holds them */
    float *scaling; /* [SERIES * F][2] */
    norn_window *windows;
    float *loss, *y;
    double *x, *target, *importance, *dropout, *values, *gradient, *m, *v;
    double *want, *forecast; /* the reference's gradients and predictions */
    unsigned char *weight, *bias;
} job;

static double draw(job *j) /* in [-1, 1) */
{
    return 2.0 * norn_random_unit(norn_random(j->key, j->drawn++, 0, 0, 7).word[0]) - 1.0;
}

static void larger(double *most, double value)
{
    if (!(value <= *most)) *most = value; /* NaN counts as largest */
}

typedef struct column {
    const float *values;
} column;

static double column_value(const void *user, size_t row)
{
    const column *c = user;
    return (double)c->values[row];
}

/* Columns of a series: inputs, and weights where there are any. */
static size_t width(const norn_network_shape *shape)
{
    return shape->inputs + (shape->weighted ? 1 : 0);
}

static norn_status make_series(job *j, norn_error *err)
{
    const size_t f = width(j->shape), columns = SERIES * f;
    size_t rows[64];
    int of[64];
    if (columns > NORN_COUNT(rows)) return norn_fail(err, NORN_ERR_USAGE, "at most 32 inputs are compared");
    for (size_t c = 0; c < columns; c++) {
        rows[c] = j->track_rows;
        of[c] = (int)c;
    }
    norn_status status = norn_series_new(&j->series, j->context, SERIES, f, columns, rows, of, err);
    for (size_t c = 0; c < columns && status == NORN_OK; c++) {
        float *track = j->tracks + c * j->track_rows;
        double level = 0.0;
        for (size_t r = 0; r < j->track_rows; r++) {
            level += 0.5 * draw(j);
            track[r] = r && draw(j) > 0.9 ? NAN : (float)level;
        }
        const float first = track[0];
        for (size_t r = 0; r < j->track_rows; r++) track[r] = (float)((double)track[r] - (double)first);
        const column source = {track};
        status = norn_series_put(j->series, c, column_value, &source, err);
        /* Covariates: a shift. Targets: a season for the second series, within every window's reach. */
        j->scaling[2 * c] = c % f ? (float)(0.1 * draw(j)) : c / f ? (float)(j->shape->window % 5) : 0.0f;
        j->scaling[2 * c + 1] = (float)(1.0 + 0.5 * draw(j));
        if (c % f == j->shape->inputs) j->scaling[2 * c] = -1.5f; /* weights: most of them above 0 */
    }
    return status;
}

/* Windows, and what the reference sees of them: the same float arithmetic as kernels/windows.cl. */
static void make_batch(job *j)
{
    const norn_network_shape *s = j->shape;
    const size_t f = s->inputs, t_count = s->window, b_count = s->batch, o_count = s->horizon;
    for (size_t b = 0; b < b_count; b++) {
        norn_window *w = &j->windows[b];
        w->series = (int32_t)(b % SERIES);
        w->row = (int32_t)(b % (EXTRA_ROWS + 1));
        j->weight[b] = b < j->rows;
        for (size_t i = 0; i < f; i++) {
            const size_t c = (size_t)w->series * width(s) + i;
            const float *from = j->tracks + c * j->track_rows + w->row;
            float shift = j->scaling[2 * c];
            if (i == 0) {
                size_t last = t_count;
                while (last > 0 && isnan(from[last - 1])) last--;
                const size_t season = (size_t)j->scaling[2 * c];
                shift = last ? from[last - 1] : NAN;
                for (size_t o = 0; o < o_count; o++) {
                    const float base = season ? from[t_count - season + o % season] : shift;
                    j->target[b * o_count + o] = (double)((from[t_count + o] - base) * j->scaling[2 * c + 1]);
                }
            }
            for (size_t t = 0; t < t_count; t++) {
                const float z = (from[t] - shift) * j->scaling[2 * c + 1];
                j->x[(t * b_count + b) * f + i] = isnan(z) ? 0.0 : (double)z;
            }
        }
    }
    for (size_t b = 0; b < b_count && s->weighted; b++) {
        const norn_window w = j->windows[b];
        const size_t c = (size_t)w.series * width(s) + f;
        const float *from = j->tracks + c * j->track_rows + w.row + t_count;
        for (size_t o = 0; o < o_count; o++)
            j->importance[b * o_count + o] = (double)((from[o] - j->scaling[2 * c]) * j->scaling[2 * c + 1]);
    }
    if (s->dropout > 0.0) {
        const size_t units = j->network->outputs;
        const uint32_t threshold = (uint32_t)((1.0 - s->dropout) * 4294967295.0);
        for (size_t l = 1; l < s->layers; l++)
            for (size_t t = 0; t < t_count; t++)
                for (size_t b = 0; b < b_count; b++)
                    for (size_t u = 0; u < units; u++)
                        j->dropout[(((l - 1) * t_count + t) * b_count + b) * units + u] =
                            norn_random(j->network->dropout_keys[0], (uint32_t)(l * 65536 + u), (uint32_t)t,
                                        (uint32_t)b, 1)
                                        .word[0] < threshold
                                ? (double)(float)(1.0 / (1.0 - s->dropout))
                                : 0.0;
    }
}

/* Largest |got - want| of one tensor, relative to its largest |want| (at least `floor`). */
static double tensor_error(const double *got, const double *want, size_t count, double floor)
{
    double largest = floor, error = 0.0;
    for (size_t i = 0; i < count; i++) larger(&largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++) larger(&error, fabs(got[i] - want[i]));
    return error / largest;
}

/* The LSTM has a reference of its own, any other cell the interpreter. */
static norn_status run_reference(job *j, const norn_reference_batch *batch, const double *parameters,
                                 bool backward, double *loss, norn_error *err)
{
    const norn_network_shape *s = j->shape;
    norn_reference_network *lstm = j->reference;
    const norn_reference_cells cells = {
        .cell = s->cell,
        .shape = {s->window, s->batch, s->inputs, s->hidden, s->layers, s->horizon},
        .parameters = parameters,
        .gradients = backward ? j->want : NULL,
        .prediction = j->forecast};
    if (s->cell) return norn_reference_cells_run(&cells, batch, loss, err);
    memcpy(lstm->parameters, parameters, j->plain * sizeof *parameters);
    *loss = norn_reference_network_forward(lstm, batch);
    memcpy(j->forecast, lstm->prediction, s->batch * s->horizon * sizeof *j->forecast);
    if (!backward) return NORN_OK;
    norn_reference_network_backward(lstm, batch);
    memcpy(j->want, lstm->gradients, j->plain * sizeof *j->want);
    return NORN_OK;
}

/* Calls back with every tensor of the plain order: where it begins, how many numbers, is it a matrix. */
static void for_tensors(const job *j,
                        void (*each)(const job *j, size_t at, size_t count, bool matrix, void *), void *user)
{
    const norn_network_shape *s = j->shape;
    norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
    size_t at = 0;
    for (size_t l = 0; l < s->layers; l++) {
        const size_t count = norn_plain_tensors(&j->network->bound[l > 0], tensors);
        for (size_t i = 0; i < count; at += tensors[i++].at.count)
            each(j, at, tensors[i].at.count, !tensors[i].vector, user);
    }
    each(j, at, s->horizon * j->network->outputs, true, user);
    each(j, at + s->horizon * j->network->outputs, s->horizon, false, user);
}

static void compare_gradient(const job *j, size_t at, size_t count, bool matrix, void *user)
{
    (void)matrix;
    larger(user, tensor_error(j->gradient + at, j->want + at, count, 1e-4));
}

/* What knows no decay. */
static void mark_bias(const job *j, size_t at, size_t count, bool matrix, void *user)
{
    (void)j;
    memset((unsigned char *)user + at, !matrix, count);
}

static norn_status compare_training(job *j, norn_network_comparison *out, norn_error *err)
{
    norn_network *n = j->network;
    const norn_network_shape *s = j->shape;
    const norn_reference_batch batch = {.x = j->x,
                                        .dropout = s->dropout > 0.0 ? j->dropout : NULL,
                                        .target = j->target,
                                        .weight = j->weight,
                                        .loss = s->loss,
                                        .quantile = s->quantile,
                                        .importance = s->weighted ? j->importance : NULL,
                                        .begin = norn_network_first_step(s)};
    const double rate = 1e-2;
    for (uint64_t step = 1; step <= STEPS; step++) {
        norn_status status = norn_network_get(n, 0, j->values, err);
        if (status != NORN_OK) return status;
        const norn_schedule plan = {.rows = (int32_t)j->rows,
                                    .optimiser_step = 1,
                                    .rate = (float)rate,
                                    .c1 = (float)(1.0 / (1.0 - pow(0.9, (double)step))),
                                    .c2 = (float)(1.0 / (1.0 - pow(0.999, (double)step))),
                                    .factor = (float)(1.0 / ((double)j->rows * (double)s->horizon))};
        double want_loss = 0.0;
        if ((status = run_reference(j, &batch, j->values, true, &want_loss, err)) != NORN_OK ||
            (status = norn_network_train(n, j->series, j->windows, &plan, 1, 1, j->loss, err)) != NORN_OK ||
            (status = norn_network_get_gradient(n, 0, j->gradient, err)) != NORN_OK)
            return status;
        double loss = 0.0;
        for (size_t b = 0; b < j->rows; b++) loss += (double)j->loss[b];
        loss /= (double)j->rows * (double)s->horizon;
        larger(&out->loss, fabs(loss - want_loss) / fmax(fabs(want_loss), 1e-6));
        for_tensors(j, compare_gradient, &out->gradient);
        if (s->clip > 0.0) (void)norn_reference_clip(j->plain, j->gradient, s->clip);
        norn_reference_update(&s->optimiser, rate, j->plain, step, j->bias, j->gradient, j->values, j->m,
                              j->v);
        if ((status = norn_network_get(n, 0, j->gradient, err)) != NORN_OK) return status;
        for (size_t i = 0; i < j->plain; i++)
            larger(&out->update, fabs(j->gradient[i] - j->values[i]) / rate);
    }
    return NORN_OK;
}

static norn_status compare_inference(job *j, norn_network_comparison *out, norn_error *err)
{
    const norn_network_shape *s = j->shape;
    const norn_reference_batch batch = {.x = j->x,
                                        .target = j->target,
                                        .weight = j->weight,
                                        .loss = s->loss,
                                        .quantile = s->quantile,
                                        .importance = s->weighted ? j->importance : NULL};
    double want_loss = 0.0;
    norn_status status = norn_network_get(j->network, 0, j->values, err);
    if (status == NORN_OK) status = run_reference(j, &batch, j->values, false, &want_loss, err);
    if (status != NORN_OK) return status;
    const size_t member = 0;
    status = norn_network_infer(j->network, j->series, j->windows, &j->rows, &member, 1, j->loss, NULL, err);
    if (status != NORN_OK) return status;
    double loss = 0.0, largest = 1e-3, error = 0.0;
    for (size_t b = 0; b < j->rows; b++) loss += (double)j->loss[b];
    loss /= (double)j->rows * (double)s->horizon;
    larger(&out->loss, fabs(loss - want_loss) / fmax(fabs(want_loss), 1e-6));
    status = norn_network_infer(j->network, j->series, j->windows, &j->rows, &member, 1, NULL, j->y, err);
    for (size_t i = 0; i < j->rows * s->horizon; i++) {
        larger(&largest, fabs(j->forecast[i]));
        larger(&error, fabs((double)j->y[i] - j->forecast[i]));
    }
    larger(&out->output, error / largest);
    return status;
}

norn_status norn_compare_network(norn_context *context, const norn_network_shape *shape, size_t rows,
                                 uint64_t seed, norn_network_comparison *out, norn_error *err)
{
    const norn_host *host = &context->host;
    const size_t f = shape->inputs, b = shape->batch, t = shape->window, o = shape->horizon;
    job j = {.context = context,
             .shape = shape,
             .rows = rows,
             .track_rows = t + o + EXTRA_ROWS,
             .plain = norn_network_plain_size(shape),
             .key = norn_random_key(seed, 0, NORN_PURPOSE_ORDER)};
    const size_t padded = b + 64;
    const norn_reference_shape reference_shape = {t, b, f, shape->hidden, shape->layers, o};
    const size_t dropped =
        shape->layers > 1 ? (shape->layers - 1) * t * b * norn_layer_outputs(shape->cell, f, shape->hidden)
                          : 1;
    const struct {
        void **array;
        size_t count, size;
    } arrays[] = {{(void **)&j.tracks, SERIES * width(shape) * j.track_rows, sizeof(float)},
                  {(void **)&j.scaling, SERIES * width(shape) * 2, sizeof(float)},
                  {(void **)&j.windows, padded, sizeof(norn_window)},
                  {(void **)&j.loss, padded, sizeof(float)},
                  {(void **)&j.y, padded * o, sizeof(float)},
                  {(void **)&j.x, t * b * f, sizeof(double)},
                  {(void **)&j.target, b * o, sizeof(double)},
                  {(void **)&j.importance, b * o, sizeof(double)},
                  {(void **)&j.dropout, dropped, sizeof(double)},
                  {(void **)&j.values, j.plain, sizeof(double)},
                  {(void **)&j.gradient, j.plain, sizeof(double)},
                  {(void **)&j.m, j.plain, sizeof(double)},
                  {(void **)&j.v, j.plain, sizeof(double)},
                  {(void **)&j.want, j.plain, sizeof(double)},
                  {(void **)&j.forecast, b * o, sizeof(double)},
                  {(void **)&j.weight, b, 1},
                  {(void **)&j.bias, j.plain, 1}};
    norn_status status = NORN_OK;
    *out = (norn_network_comparison){0.0, 0.0, 0.0, 0.0};
    for (size_t i = 0; i < NORN_COUNT(arrays); i++)
        if (!(*arrays[i].array = norn_new(host, arrays[i].count, arrays[i].size)))
            status = norn_fail_memory(err, "a comparison");
    norn_network_shape wanted = *shape;
    wanted.infer_batch = b;
    wanted.members = 1;
    if (status == NORN_OK) status = make_series(&j, err);
    if (status == NORN_OK) status = norn_network_new(&j.network, context, &wanted, j.series, err);
    if (status == NORN_OK && !shape->cell)
        status = norn_reference_network_new(&j.reference, &reference_shape, host, err);
    if (status == NORN_OK) status = norn_network_scale(j.network, 0, j.scaling, SERIES * width(shape), err);
    if (status == NORN_OK) status = norn_network_initialise(j.network, 0, seed, 0, err);
    if (status == NORN_OK) { /* a head of 0 would hide the layers' gradients */
        const double bound = 1.0 / sqrt((double)shape->hidden);
        for (size_t i = 0; i < j.plain; i++) j.values[i] = bound * draw(&j);
        status = norn_network_put(j.network, 0, j.values, err);
    }
    if (status == NORN_OK) {
        for_tensors(&j, mark_bias, j.bias);
        make_batch(&j);
        status = compare_training(&j, out, err);
    }
    if (status == NORN_OK) status = compare_inference(&j, out, err);
    norn_reference_network_free(j.reference);
    norn_network_free(j.network);
    norn_series_free(j.series);
    for (size_t i = 0; i < NORN_COUNT(arrays); i++)
        norn_delete(host, *arrays[i].array, arrays[i].count, arrays[i].size);
    return status;
}
