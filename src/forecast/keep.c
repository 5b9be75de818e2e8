/*
 * What a run leaves behind: its networks as a model (norn/model.h), with all that a forecast of new rows
 * needs to know. Members that diverged are left out, and so are pieces of split series, which no forecast
 * goes on from.
 */
#include "data/table.h"
#include "forecast/result.h"
#include "nn/model.h"

#include <string.h>

/* ---- columns ---------------------------------------------------------------------------------------------
 */

/* The columns in the order time, id, targets, past, future, static: the first of each kind. */
typedef struct places {
    size_t time, id, of[NORN_INPUT_KINDS], count;
} places;

static places places_of(const norn_table *table)
{
    places at = {.time = SIZE_MAX, .id = SIZE_MAX};
    if (table->time_name[0]) at.time = at.count++;
    if (table->id_name) at.id = at.count++;
    const size_t counts[NORN_INPUT_KINDS] = {[NORN_INPUT_TARGET] = table->targets,
                                             [NORN_INPUT_PAST] = table->past,
                                             [NORN_INPUT_FUTURE] = table->future,
                                             [NORN_INPUT_STATIC] = table->statics};
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_KINDS; kind++) {
        at.of[kind] = at.count;
        at.count += counts[kind];
    }
    return at;
}

static norn_status set_columns(norn_model *model, const norn_table *table, const places *at, norn_error *err)
{
    static const norn_column_role roles[NORN_INPUT_KINDS] = {[NORN_INPUT_TARGET] = NORN_ROLE_TARGET,
                                                             [NORN_INPUT_PAST] = NORN_ROLE_PAST,
                                                             [NORN_INPUT_FUTURE] = NORN_ROLE_FUTURE,
                                                             [NORN_INPUT_STATIC] = NORN_ROLE_STATIC};
    norn_status status = NORN_OK;
    if (at->time != SIZE_MAX)
        status = norn_model_set_column(model, at->time, table->time_name, NORN_ROLE_TIME, err);
    if (at->id != SIZE_MAX && status == NORN_OK)
        status = norn_model_set_column(model, at->id, table->id_name, NORN_ROLE_ID, err);
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_KINDS; kind++) {
        const size_t end = kind + 1 < NORN_INPUT_KINDS ? at->of[kind + 1] : at->count;
        for (size_t c = at->of[kind]; c < end && status == NORN_OK; c++) {
            /* names [values + statics]: in the same order as here */
            const char *name = table->names[c - at->of[NORN_INPUT_TARGET]];
            status = norn_model_set_column(model, c, name, roles[kind], err);
        }
    }
    return status;
}

/* ---- scalings --------------------------------------------------------------------------------------------
 */

/* As docs/model-file.md has it: (value - first - shift) * factor. */
static norn_model_covariate covariate_of(const norn_run *r, size_t s, size_t index)
{
    const norn_inputs *in = &r->inputs;
    const norn_input *input = &in->list[index];
    if (input->mask) return (norn_model_covariate){0.0, 0.0f, 1.0f};
    if (input->kind == NORN_INPUT_STATIC)
        return (norn_model_covariate){in->centre[input->column], 0.0f,
                                      norn_inputs_static_factor(in, input->column)};
    const size_t track = (size_t)in->of[s * in->count + index];
    const size_t own = in->plan[track].of == NORN_TRACK_OWN ? track : in->plan[track].of;
    const float *pair = in->pairs + 2 * (r->view_of[0] * in->columns + track);
    return (norn_model_covariate){r->device->tracks[own].first, pair[0], pair[1]};
}

static bool is_kept(const norn_run *r, size_t s)
{
    return !r->ended[s] && r->recipes[r->view_of[0] * r->series + s].seen > 0;
}

static norn_status set_series(norn_model *model, const norn_run *r, norn_error *err)
{
    norn_status status = NORN_OK;
    const size_t f = model->inputs;
    for (size_t s = 0, kept = 0; s < r->series && status == NORN_OK; s++) {
        if (!is_kept(r, s)) continue;
        const norn_recipe_series *one = &r->recipes[r->view_of[0] * r->series + s];
        status = norn_model_set_id(model, kept, norn_table_id(r->table, s), err);
        for (size_t m = 0; m < model->members; m++) {
            const size_t at = m * model->series + kept;
            model->scaling[at] = (norn_model_scaling){one->log, one->season, one->scale};
            for (size_t i = 1; i < f; i++) model->covariate[at * (f - 1) + i - 1] = covariate_of(r, s, i);
        }
        kept++;
    }
    return status == NORN_OK ? norn_model_sort(model, err) : status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

norn_status norn_run_keep(norn_model **out, const norn_run *r, const norn_training *training, norn_error *err)
{
    const norn_network_shape *shape = &r->shape;
    const places at = places_of(r->table);
    size_t members = 0, series = 0;
    for (size_t m = 0; m < r->members; m++) members += training[m].best_epoch > 0;
    for (size_t s = 0; s < r->series; s++) series += is_kept(r, s);
    norn_model *model = NULL;
    norn_status status = norn_model_new_of(&model, shape->cell, shape->inputs, shape->hidden, shape->layers,
                                           r->window, r->horizon, members, series, at.count, r->host, err);
    if (status != NORN_OK) return status;
    status = set_columns(model, r->table, &at, err);
    for (size_t i = 0; i < model->inputs; i++) {
        const norn_input *input = &r->inputs.list[i];
        model->input[i] = (norn_model_input){at.of[input->kind] + input->column, input->mask, input->advance};
    }
    model->step = norn_table_step(r->table);
    model->season = r->season;
    norn_run_damping(r, &model->correction, &model->change);
    model->seed = r->plan.seed;
    model->batch = shape->batch;
    model->dropout = shape->dropout;
    model->rate = r->plan.rate;
    (void)strcpy(model->loss, norn_loss_words[r->options->loss]);
    (void)strcpy(model->optimiser, norn_optimiser_words[r->options->optimiser]);
    (void)strcpy(model->tuning, norn_context_tuning(r->context));
    for (size_t m = 0, kept = 0; m < r->members; m++) {
        if (!training[m].best_epoch) continue;
        model->member[kept] = (norn_model_member){norn_run_identity(r, 0, m), training[m]};
        memcpy(model->parameters + kept * r->parameters, r->kept + m * r->parameters,
               r->parameters * sizeof *r->kept);
        kept++;
    }
    if (status == NORN_OK) status = set_series(model, r, err);
    if (status == NORN_OK)
        *out = model;
    else
        norn_model_free(model);
    return status;
}

norn_status norn_model_train(norn_model **out, norn_forecast **forecast, norn_context *context,
                             norn_table *table, const norn_forecast_options *options, const norn_host *host,
                             norn_error *err)
{
    norn_forecast *made = NULL;
    const norn_status status = norn_forecast_train(&made, out, context, table, options, host, err);
    if (status == NORN_OK && forecast)
        *forecast = made;
    else
        norn_forecast_free(made);
    return status;
}

norn_status norn_model_write(const norn_model *model, const char *path, norn_error *err)
{
    return norn_model_save(model, path, NULL, err);
}

norn_status norn_model_read(norn_model **out, const char *path, const norn_host *host, norn_error *err)
{
    return norn_model_load(out, path, host, err);
}

/* ---- what is in it ---------------------------------------------------------------------------------------
 */

norn_model_facts norn_model_facts_of(const norn_model *m)
{
    return (norn_model_facts){.size = sizeof(norn_model_facts),
                              .library = m->library,
                              .cell = m->cell ? m->cell->name : "lstm",
                              .inputs = m->inputs,
                              .hidden = m->hidden,
                              .layers = m->layers,
                              .window = m->window,
                              .horizon = m->horizon,
                              .members = m->members,
                              .series = m->series,
                              .columns = m->columns,
                              .parameters = norn_model_plain_size(m),
                              .step = m->step,
                              .season = m->season,
                              .correction = m->correction,
                              .change = m->change,
                              .seed = m->seed,
                              .batch = m->batch,
                              .dropout = m->dropout,
                              .learning_rate = m->rate,
                              .loss = m->loss,
                              .optimiser = m->optimiser,
                              .tuning = m->tuning};
}

const char *norn_model_column_name(const norn_model *model, size_t column)
{
    return model->column[column].name;
}
norn_column_role norn_model_column_role(const norn_model *model, size_t column)
{
    return model->column[column].role;
}
norn_model_sees norn_model_input_of(const norn_model *model, size_t input)
{
    const norn_model_input *one = &model->input[input];
    return (norn_model_sees){one->column, one->mask, one->advance};
}
size_t norn_model_layer_parameters(const norn_model *m, size_t layer)
{
    norn_network_shape shape = {.inputs = m->inputs,
                                .hidden = m->hidden,
                                .layers = 1,
                                .window = m->window,
                                .horizon = m->horizon,
                                .cell = m->cell};
    const size_t head = (m->hidden + 1) * m->horizon, one = norn_network_plain_size(&shape);
    return layer == m->layers ? head
           : layer == 0       ? one - head
                              : (norn_model_plain_size(m) - one) / (m->layers - 1);
}
const char *norn_model_id(const norn_model *model, size_t series)
{
    return model->ids[series];
}
norn_model_series norn_model_series_of(const norn_model *model, size_t member, size_t series)
{
    const norn_model_scaling *one = &model->scaling[member * model->series + series];
    return (norn_model_series){one->log, one->season, one->scale};
}
const norn_training *norn_model_training(const norn_model *model, size_t member)
{
    return &model->member[member].training;
}
const float *norn_model_parameters(const norn_model *model, size_t member)
{
    return model->parameters + member * norn_model_plain_size(model);
}
