/* A trained model in memory: see model.h. */
#include "nn/model.h"

#include "data/csv.h"
#include "nn/model_slices.h"

#include <stdlib.h>
#include <string.h>

static norn_network_shape shape_of(const norn_model *model)
{
    return (norn_network_shape){.inputs = model->inputs,
                                .hidden = model->hidden,
                                .layers = model->layers,
                                .window = model->window,
                                .horizon = model->horizon,
                                .cell = model->cell};
}

size_t norn_model_plain_size(const norn_model *model)
{
    const norn_network_shape shape = shape_of(model);
    return norn_network_plain_size(&shape);
}

/* ---- memory ---- */

static size_t covariates_of(const norn_model *model)
{
    return model->members * model->series * (model->inputs - 1);
}

static norn_status copy_cell(norn_cell **out, const norn_cell *cell, const norn_host *host, norn_error *err)
{
    char *text = norn_text_copy(host, cell->text, cell->length);
    if (!text) return norn_fail_memory(err, "a model");
    const bool sound = norn_utf8_valid(text, cell->length) == cell->length;
    for (size_t i = 0; i < cell->length; i++)
        if (!text[i] || (!sound && (unsigned char)text[i] >= 0x80)) text[i] = '?';
    const norn_status status = norn_cell_read(out, text, cell->length, "formula", host, err);
    norn_text_delete(host, text);
    return status;
}

norn_status norn_model_new(norn_model **out, size_t inputs, size_t hidden, size_t layers, size_t window,
                           size_t horizon, size_t members, size_t series, size_t columns,
                           const norn_host *services, norn_error *err)
{
    return norn_model_new_of(out, NULL, inputs, hidden, layers, window, horizon, members, series, columns,
                             services, err);
}

norn_status norn_model_new_of(norn_model **out, const norn_cell *cell, size_t inputs, size_t hidden,
                              size_t layers, size_t window, size_t horizon, size_t members, size_t series,
                              size_t columns, const norn_host *services, norn_error *err)
{
    const norn_host host = norn_host_copy(services);
    /* The network's own bounds (network.c), so that no product below can overflow. */
    const struct {
        const char *what;
        size_t value, most;
    } bounds[] = {{"inputs", inputs, 1 << 16},
                  {"hidden units", hidden, 65536},
                  {"layers", layers, 64},
                  {"rows of a window", window, 1 << 24},
                  {"rows forecast", horizon, 1 << 20},
                  {"members", members, 1 << 20},
                  {"series", series, 1u << 31},
                  {"columns", columns, 1 << 20}};
    for (size_t i = 0; i < NORN_COUNT(bounds); i++)
        if (bounds[i].value < 1 || bounds[i].value > bounds[i].most)
            return norn_fail(err, NORN_ERR_USAGE, "a model of %zu %s, which must be between 1 and %zu",
                             bounds[i].value, bounds[i].what, bounds[i].most);
    norn_model *model = norn_new(&host, 1, sizeof *model);
    if (!model) return norn_fail_memory(err, "a model");
    *model = (norn_model){.host = host,
                          .inputs = inputs,
                          .hidden = hidden,
                          .layers = layers,
                          .window = window,
                          .horizon = horizon,
                          .members = members,
                          .series = series,
                          .columns = columns,
                          .layout = norn_model_layout_of(cell),
                          .season = 1,
                          .step = {NORN_STEP_INTEGER, 1},
                          .correction = 1.0};
    memcpy(model->library, NORN_VERSION, sizeof NORN_VERSION);
    norn_status status = cell ? copy_cell(&model->cell, cell, &host, err) : NORN_OK;
    const size_t plain = status == NORN_OK ? norn_model_plain_size(model) : 0;
    if (status == NORN_OK && !plain) { /* for the words of what is wrong */
        norn_cell_shape bound;
        status = norn_cell_bind(&bound, cell, inputs, hidden, 0, err);
        if (status == NORN_OK) status = norn_cell_bind(&bound, cell, hidden, hidden, 0, err);
    }
    if (status != NORN_OK) {
        norn_model_free(model);
        return status;
    }
    const bool fits =
        members <= SIZE_MAX / plain && members <= SIZE_MAX / series && members * series <= SIZE_MAX / inputs;
    if (fits) {
        model->column = norn_new(&host, columns, sizeof *model->column);
        model->input = norn_new(&host, inputs, sizeof *model->input);
        model->member = norn_new(&host, members, sizeof *model->member);
        model->parameters = norn_new(&host, members * plain, sizeof *model->parameters);
        model->ids = norn_new(&host, series, sizeof *model->ids);
        model->by_id = norn_new(&host, series, sizeof *model->by_id);
        model->scaling = norn_new(&host, members * series, sizeof *model->scaling);
        if (inputs > 1) model->covariate = norn_new(&host, covariates_of(model), sizeof *model->covariate);
    }
    if (!fits || !model->column || !model->input || !model->member || !model->parameters || !model->ids ||
        !model->by_id || !model->scaling || (inputs > 1 && !model->covariate)) {
        norn_model_free(model);
        return norn_fail_memory(err, "a model");
    }
    *out = model;
    return NORN_OK;
}

void norn_model_free(norn_model *model)
{
    if (!model) return;
    const norn_host host = model->host;
    for (size_t c = 0; c < model->columns && model->column; c++)
        norn_text_delete(&host, model->column[c].name);
    for (size_t s = 0; s < model->series && model->ids; s++) norn_text_delete(&host, model->ids[s]);
    const size_t plain = model->parameters ? norn_model_plain_size(model) : 0;
    norn_delete(&host, model->column, model->columns, sizeof *model->column);
    norn_delete(&host, model->input, model->inputs, sizeof *model->input);
    norn_delete(&host, model->member, model->members, sizeof *model->member);
    norn_delete(&host, model->parameters, model->members * plain, sizeof *model->parameters);
    norn_cell_free(model->cell);
    norn_delete(&host, model->ids, model->series, sizeof *model->ids);
    norn_delete(&host, model->by_id, model->series, sizeof *model->by_id);
    norn_delete(&host, model->scaling, model->members * model->series, sizeof *model->scaling);
    norn_delete(&host, model->covariate, covariates_of(model), sizeof *model->covariate);
    norn_delete(&host, model, 1, sizeof *model);
}

static norn_status set_text(norn_model *model, char **at, const char *text, norn_error *err)
{
    char *copy = norn_text_copy(&model->host, text, strlen(text));
    if (!copy) return norn_fail_memory(err, "a model's names");
    norn_text_delete(&model->host, *at);
    *at = copy;
    return NORN_OK;
}

norn_status norn_model_set_id(norn_model *model, size_t series, const char *id, norn_error *err)
{
    return set_text(model, &model->ids[series], id, err);
}

norn_status norn_model_set_column(norn_model *model, size_t column, const char *name, norn_column_role role,
                                  norn_error *err)
{
    model->column[column].role = role;
    return set_text(model, &model->column[column].name, name, err);
}

/* ---- ids ---- */

typedef struct entry {
    const char *id;
    size_t series;
} entry;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->id, ((const entry *)b)->id);
}

norn_status norn_model_sort(norn_model *model, norn_error *err)
{
    norn_status status = NORN_OK;
    entry *entries = norn_new(&model->host, model->series, sizeof *entries);
    if (!entries) return norn_fail_memory(err, "a model's names");
    for (size_t s = 0; s < model->series && status == NORN_OK; s++) {
        entries[s] = (entry){model->ids[s], s};
        if (!model->ids[s]) status = norn_fail(err, NORN_ERR_INTERNAL, "a series without an id");
    }
    if (status == NORN_OK) qsort(entries, model->series, sizeof *entries, by_id);
    for (size_t s = 0; s < model->series && status == NORN_OK; s++) {
        model->by_id[s] = entries[s].series;
        if (s && by_id(&entries[s - 1], &entries[s]) == 0)
            status = norn_fail(err, NORN_ERR_INTERNAL, "two series of the same id");
    }
    norn_delete(&model->host, entries, model->series, sizeof *entries);
    return status;
}

size_t norn_model_find(const norn_model *model, const char *id)
{
    size_t low = 0, high = model->series;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(id, model->ids[model->by_id[middle]]);
        if (order == 0) return model->by_id[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

/* ---- parameters ---- */

static norn_status same_shape(const norn_model *model, const norn_network *network, norn_error *err)
{
    const norn_network_shape *s = &network->shape;
    if (s->inputs == model->inputs && s->hidden == model->hidden && s->layers == model->layers &&
        s->horizon == model->horizon && norn_network_plain_size(s) == norn_model_plain_size(model) &&
        !s->cell == !model->cell)
        return NORN_OK;
    return norn_fail(err, NORN_ERR_INTERNAL, "a model and a network of other shapes");
}

norn_status norn_model_take(norn_model *model, size_t member, norn_network *network, size_t from,
                            norn_error *err)
{
    const size_t plain = norn_model_plain_size(model);
    norn_status status = same_shape(model, network, err);
    if (status != NORN_OK) return status;
    double *values = norn_new(&model->host, plain, sizeof *values);
    if (!values) return norn_fail_memory(err, "parameters");
    status = norn_network_get(network, from, values, err);
    for (size_t i = 0; i < plain && status == NORN_OK; i++)
        model->parameters[member * plain + i] = (float)values[i]; /* they were floats */
    norn_delete(&model->host, values, plain, sizeof *values);
    return status;
}

norn_status norn_model_give(const norn_model *model, size_t member, norn_network *network, size_t to,
                            norn_error *err)
{
    const size_t plain = norn_model_plain_size(model);
    norn_status status = same_shape(model, network, err);
    if (status != NORN_OK) return status;
    double *values = norn_new(&model->host, plain, sizeof *values);
    if (!values) return norn_fail_memory(err, "parameters");
    for (size_t i = 0; i < plain; i++) values[i] = (double)model->parameters[member * plain + i];
    status = norn_network_put(network, to, values, err);
    norn_delete(&model->host, values, plain, sizeof *values);
    return status;
}
