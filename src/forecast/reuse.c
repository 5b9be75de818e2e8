/*
 * A forecast from a trained model: see norn/model.h for what is promised. Only the rows of one window, and
 * those known ahead, are brought to the device, a window a series; base and scale are put back on the host.
 * The members come one after another through networks of as many as share the same rows
 * (norn_model_scaling.log is theirs, and a track holds either values or logarithms).
 */
#include "data/step.h"
#include "data/table.h"
#include "forecast/result.h"
#include "forecast/units.h"
#include "nn/model.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How an input of the network is found in the table. */
typedef struct source {
    norn_input_kind kind;
    size_t column; /* of its kind; SIZE_MAX: a text that does not occur, 0 everywhere */
    bool mask;
    size_t advance, own; /* own: the first input of the same column and mask, whose track it is a view of */
} source;

/* What a member sees of a series. */
typedef struct sight {
    norn_units units;
    norn_model_covariate *covariates; /* [F-1], of `covariates` below */
} sight;

typedef struct reuse {
    const norn_model *model;
    norn_context *context;
    norn_table *table;
    norn_forecast *out;
    const norn_host *host;
    source *sources;                  /* [F] */
    size_t *known;                    /* [S] of the table: the model's series; SIZE_MAX: none */
    sight *sights;                    /* [M][S] */
    norn_model_covariate *covariates; /* [M][S][F-1] */
    size_t tracks;                    /* of a series */
    norn_track_plan *plan;            /* [S][tracks] */
    int *of;                          /* [S][F] */
    float *pairs;                     /* [S][tracks][2] */
} reuse;

/* ---- columns ---------------------------------------------------------------------------------------------
 */

typedef struct columns_of {
    size_t (*count)(const norn_table *table);
    const char *(*name)(const norn_table *table, size_t column);
    const char *what, *flag;
} columns_of;

static const columns_of kinds[NORN_INPUT_KINDS] = {
    [NORN_INPUT_PAST] = {norn_table_past_count, norn_table_past_name, "past covariate", "--past"},
    [NORN_INPUT_FUTURE] = {norn_table_future_count, norn_table_future_name, "future covariate", "--future"},
    [NORN_INPUT_STATIC] = {norn_table_static_count, norn_table_static_name, "static covariate", "--static"},
};

static norn_input_kind kind_of(norn_column_role role)
{
    return role == NORN_ROLE_PAST     ? NORN_INPUT_PAST
           : role == NORN_ROLE_FUTURE ? NORN_INPUT_FUTURE
           : role == NORN_ROLE_STATIC ? NORN_INPUT_STATIC
                                      : NORN_INPUT_TARGET;
}

/* A column of texts became one of 0 and 1 for each text, called column=text. A text that the file does not
 * have is 0 everywhere, as long as the file has the column, with another text. */
static bool has_texts(const norn_table *table, const columns_of *kind, const char *name)
{
    const char *equals = strchr(name, '=');
    for (size_t c = 0; equals && c < kind->count(table); c++)
        if (strncmp(kind->name(table, c), name, (size_t)(equals - name) + 1) == 0) return true;
    return false;
}

static norn_status find_column(const reuse *u, const norn_model_column *wanted, source *at, norn_error *err)
{
    const columns_of *kind = &kinds[at->kind];
    for (at->column = 0; at->column < kind->count(u->table); at->column++)
        if (strcmp(kind->name(u->table, at->column), wanted->name) == 0) return NORN_OK;
    at->column = SIZE_MAX;
    if (has_texts(u->table, kind, wanted->name)) return NORN_OK;
    char name[160];
    return norn_fail(err, NORN_ERR_USAGE, "the model sees the %s \"%s\", which the table does not have (%s)",
                     kind->what, norn_quote(name, sizeof name, wanted->name, strlen(wanted->name), 60),
                     kind->flag);
}

/* Columns of the table that the network does not see, for a decision. */
static void say_idle(const reuse *u)
{
    for (norn_input_kind kind = NORN_INPUT_PAST; kind < NORN_INPUT_KINDS; kind++) {
        char list[200] = "", name[80];
        size_t idle = 0, length = 0;
        for (size_t c = 0; c < kinds[kind].count(u->table); c++) {
            bool seen = false;
            for (size_t i = 1; i < u->model->inputs; i++)
                seen |= u->sources[i].kind == kind && u->sources[i].column == c;
            if (seen) continue;
            const char *text = kinds[kind].name(u->table, c);
            (void)norn_quote(name, sizeof name, text, strlen(text), 40);
            if (idle++ < 3)
                length += (size_t)snprintf(list + length, sizeof list - length, "%s\"%s\"",
                                           idle > 1 ? ", " : "", name);
        }
        if (idle > 3) (void)snprintf(list + length, sizeof list - length, " and %zu more", idle - 3);
        if (idle)
            norn_choose(&u->out->choices, "inputs", kinds[kind].flag,
                        "%s without effect: the model does not see %s", list, idle == 1 ? "it" : "them");
    }
}

static norn_status find_sources(reuse *u, norn_error *err)
{
    const norn_model *m = u->model;
    norn_status status = NORN_OK;
    for (size_t i = 0; i < m->inputs && status == NORN_OK; i++) {
        const norn_model_input *input = &m->input[i];
        source *at = &u->sources[i];
        *at = (source){.kind = kind_of(m->column[input->column].role),
                       .mask = input->mask,
                       .advance = input->advance,
                       .own = i};
        if (at->kind != NORN_INPUT_TARGET) status = find_column(u, &m->column[input->column], at, err);
        if (i ? input->advance && at->kind != NORN_INPUT_FUTURE
              : at->kind != NORN_INPUT_TARGET || input->mask || input->advance)
            return norn_fail(err, NORN_ERR_USAGE, "the model's input %zu is none that a forecast could have",
                             i + 1);
        for (size_t k = i; k-- > 0;)
            if (!u->sources[k].advance && u->sources[k].kind == at->kind &&
                u->sources[k].column == at->column && u->sources[k].mask == at->mask)
                at->own = k;
    }
    if (status == NORN_OK) say_idle(u);
    return status;
}

static const double *values_of(const reuse *u, size_t s, const source *at)
{
    return at->kind == NORN_INPUT_TARGET   ? norn_table_target(u->table, s)
           : at->kind == NORN_INPUT_PAST   ? norn_table_past(u->table, s, at->column)
           : at->kind == NORN_INPUT_FUTURE ? norn_table_future(u->table, s, at->column)
                                           : NULL;
}

/* ---- series ----------------------------------------------------------------------------------------------
 */

static const char *name_of(const reuse *u, size_t s, char out[160])
{
    const char *id = norn_table_id(u->table, s);
    return norn_quote(out, 160, id, strlen(id), 60);
}

static norn_status check_step(const reuse *u, norn_error *err)
{
    const norn_step own = norn_table_step(u->table), wanted = u->model->step;
    char has[80], needs[80];
    if (own.unit == wanted.unit && own.count == wanted.count) return NORN_OK;
    return norn_fail(err, NORN_ERR_USAGE,
                     "the model was trained on steps of %s, and the table has steps of %s (--frequency)",
                     norn_step_text(wanted, needs, sizeof needs), norn_step_text(own, has, sizeof has));
}

/* Rows enough for a window and for the base, and what is known ahead for every row of the horizon. */
static norn_status check_rows(const reuse *u, norn_error *err)
{
    const norn_model *m = u->model;
    bool ahead = false, any = false;
    char name[160];
    for (size_t i = 0; i < m->inputs; i++) ahead |= u->sources[i].kind == NORN_INPUT_FUTURE;
    for (size_t s = 0; s < u->out->series; s++) {
        if (u->out->ended[s]) continue;
        any = true;
        const size_t n = norn_table_rows(u->table, s), k = u->known[s];
        size_t needed = m->window;
        for (size_t member = 0; member < m->members && k != SIZE_MAX; member++)
            needed = norn_at_least(m->scaling[member * m->series + k].season, needed);
        if (k == SIZE_MAX) needed = m->window + m->horizon;
        if (n < needed)
            return norn_fail(
                err, NORN_ERR_USAGE, "series \"%s\" has %zu rows, and the model needs %zu%s",
                name_of(u, s, name), n, needed,
                k == SIZE_MAX ? " to scale a series that it does not know: a window and a horizon" : "");
        if (ahead && norn_table_ahead(u->table, s) < m->horizon)
            return norn_fail(err, NORN_ERR_USAGE,
                             "series \"%s\" has %zu rows of future covariates after its last value, and the "
                             "model needs %zu: add such rows to the file",
                             name_of(u, s, name), norn_table_ahead(u->table, s), m->horizon);
    }
    if (any) return NORN_OK;
    return norn_fail(err, NORN_ERR_USAGE,
                     "no series goes on after its last row: there is nothing to forecast");
}

/* Of a series the model does not know: the recipe of training, on all rows there are. */
static norn_status fit_series(const reuse *u, size_t s, sight *to, norn_error *err)
{
    const norn_model *m = u->model;
    const double *y = norn_table_target(u->table, s);
    const size_t n = norn_table_rows(u->table, s);
    bool positive = true;
    for (size_t i = 0; i < n; i++) positive &= !(y[i] <= 0.0);
    norn_recipe_series one = {0};
    const bool log_of = positive && norn_recipe_log(y, n, m->season);
    char name[160];
    if (!norn_recipe_fit(&one, y, n, log_of, m->window, m->horizon, 0, m->season))
        return norn_fail(err, NORN_ERR_USAGE, "series \"%s\" has too few rows to be scaled (%zu)",
                         name_of(u, s, name), n);
    to->units = (norn_units){one.log, one.season, one.scale, m->correction, m->change};
    for (size_t i = 1; i < m->inputs; i++) {
        const source *at = &u->sources[i];
        norn_model_covariate *c = &to->covariates[i - 1];
        *c = (norn_model_covariate){0.0, 0.0f, 1.0f};
        if (at->mask || at->column == SIZE_MAX) continue;
        if (at->kind == NORN_INPUT_STATIC) { /* the same for all series that were trained on */
            *c = m->covariate[i - 1];
            continue;
        }
        const double *x = values_of(u, s, at);
        if (at->kind == NORN_INPUT_TARGET) continue;
        float pair[2];
        size_t first = 0;
        while (first < n && isnan(x[first])) first++;
        norn_inputs_scale(x, 0, n, pair);
        *c = (norn_model_covariate){first < n ? x[first] : 0.0, pair[0], pair[1]};
    }
    return NORN_OK;
}

/* For every member, how it sees each series that goes on. */
static norn_status look(reuse *u, norn_error *err)
{
    const norn_model *m = u->model;
    const size_t covariates = m->inputs - 1;
    size_t unknown = 0, known = 0, first = SIZE_MAX;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < u->out->series && status == NORN_OK; s++) {
        if (u->out->ended[s]) continue;
        const size_t k = u->known[s];
        known += k != SIZE_MAX;
        if (k == SIZE_MAX && !unknown++) first = s;
        for (size_t member = 0; member < m->members && status == NORN_OK; member++) {
            const size_t at = member * u->out->series + s;
            sight *to = &u->sights[at];
            to->covariates = covariates ? u->covariates + at * covariates : NULL;
            if (k == SIZE_MAX) {
                status = fit_series(u, s, to, err);
                continue;
            }
            const norn_model_scaling *from = &m->scaling[member * m->series + k];
            to->units = (norn_units){from->log, from->season, from->scale, m->correction, m->change};
            if (covariates)
                memcpy(to->covariates, m->covariate + (member * m->series + k) * covariates,
                       covariates * sizeof *to->covariates);
        }
    }
    if (status != NORN_OK || !unknown) return status;
    char name[160], others[64] = "";
    if (unknown > 1) (void)snprintf(others, sizeof others, " and %zu more", unknown - 1);
    norn_choose(&u->out->choices, "scaling", "", "of \"%s\"%s by the rows given: %s", name_of(u, first, name),
                others, known ? "the model does not know them" : "the model knows no such series");
    return NORN_OK;
}

/* ---- rows on the device ----------------------------------------------------------------------------------
 */

typedef struct rows {
    const double *values; /* NULL: `constant` everywhere */
    size_t from;
    double constant;
    bool log, mask;
} rows;

static double row_value(const void *user, size_t row)
{
    const rows *r = user;
    if (!r->values) return r->constant;
    const size_t at = r->from + row;
    if (r->mask) return isnan(r->values[at]) ? 1.0 : 0.0;
    return norn_inputs_target(r->values, at, r->log);
}

/* What a track is made of, and what is subtracted from it: as in training, so that the bits are. */
static rows rows_of(const reuse *u, size_t s, size_t i, const sight *by, double *first)
{
    const source *at = &u->sources[i];
    const size_t n = norn_table_rows(u->table, s);
    rows r = {.values = values_of(u, s, at), .from = n - u->model->window + at->advance, .mask = at->mask};
    if (at->column == SIZE_MAX) r.values = NULL;
    *first = i ? by->covariates[i - 1].first : 0.0;
    if (i == 0) {
        r.log = by->units.log;
        for (size_t row = 0; row < n; row++) {
            const double z = norn_inputs_target(r.values, row, r.log);
            if (!isfinite(z)) continue;
            *first = z;
            break;
        }
    } else if (at->kind == NORN_INPUT_STATIC && at->column != SIZE_MAX) {
        const double x = norn_table_static(u->table, s, at->column);
        r.constant = !at->mask ? x : isnan(x) ? 1.0 : 0.0;
    }
    return r;
}

/* Tracks of one series: its own ones by place; views behind them. */
static void plan_series(reuse *u, size_t s)
{
    const norn_model *m = u->model;
    const size_t base = s * u->tracks;
    for (size_t i = 0; i < m->inputs; i++) {
        const source *at = &u->sources[i];
        const size_t more = at->kind == NORN_INPUT_FUTURE ? m->horizon : 0;
        u->of[s * m->inputs + i] = (int)(base + i);
        u->plan[base + i] = at->own == i
                                ? (norn_track_plan){m->window + more - at->advance, NORN_TRACK_OWN, 0}
                                : (norn_track_plan){0, base + at->own, at->advance};
    }
}

static norn_status put_series(reuse *u, norn_series *series, size_t s, const sight *by, norn_error *err)
{
    const norn_model *m = u->model;
    norn_status status = NORN_OK;
    for (size_t i = 0; i < m->inputs && status == NORN_OK; i++) {
        const size_t track = s * u->tracks + i;
        float *pair = u->pairs + 2 * track;
        if (i == 0) {
            pair[0] = (float)by->units.season;
            pair[1] = by->units.scale > 0.0 ? (float)(1.0 / by->units.scale) : 0.0f;
        } else {
            pair[0] = by->covariates[i - 1].shift;
            pair[1] = by->covariates[i - 1].factor;
        }
        if (u->plan[track].of != NORN_TRACK_OWN) continue;
        double first = 0.0;
        const rows from = rows_of(u, s, i, by, &first);
        status = norn_series_put_less(series, track, first, row_value, &from, err);
    }
    return status;
}

/* ---- forecasting -----------------------------------------------------------------------------------------
 */

/* Do two members see the same rows on the device? Scales may differ. */
static bool same_rows(const reuse *u, size_t a, size_t b)
{
    const size_t series = u->out->series;
    for (size_t s = 0; s < series; s++) {
        if (u->out->ended[s]) continue;
        const sight *x = &u->sights[a * series + s], *y = &u->sights[b * series + s];
        if (x->units.log != y->units.log || x->units.season != y->units.season ||
            x->units.scale != y->units.scale ||
            (u->model->inputs > 1 &&
             memcmp(x->covariates, y->covariates, (u->model->inputs - 1) * sizeof *x->covariates) != 0))
            return false;
    }
    return true;
}

static norn_status predict(const reuse *u, norn_network *n, const norn_series *series, size_t slot,
                           size_t member, norn_error *err)
{
    const norn_model *m = u->model;
    const size_t ibp = n->ibp, h = m->horizon, all = u->out->series;
    norn_window *windows = norn_new(u->host, ibp, sizeof *windows);
    float *y = norn_new(u->host, ibp * h, sizeof *y);
    norn_status status = windows && y ? NORN_OK : norn_fail_memory(err, "a forecast");
    for (size_t next = 0; next < all && status == NORN_OK;) {
        size_t count = 0;
        if (norn_is_cancelled(u->host)) status = norn_fail_cancelled(err);
        for (; next < all && count < ibp; next++)
            if (!u->out->ended[next]) windows[count++] = (norn_window){(int32_t)next, 0};
        if (count && status == NORN_OK)
            status = norn_network_infer(n, series, windows, &count, &slot, 1, NULL, y, err);
        for (size_t i = 0; i < count && status == NORN_OK; i++) {
            const size_t s = (size_t)windows[i].series;
            double *out = u->out->each + (member * all + s) * h;
            norn_units_forecast(&u->sights[member * all + s].units, norn_table_target(u->table, s),
                                norn_table_rows(u->table, s), y + i * h, h, out);
            if (!norn_units_finite(y + i * h, out, h)) {
                char name[160];
                status =
                    norn_fail(err, NORN_ERR_NUMERIC,
                              "the model's forecast of series \"%s\" is not finite: its rows are far from "
                              "what the model was trained on (a model trained on them, by norn train)",
                              name_of(u, s, name));
            }
        }
    }
    norn_delete(u->host, windows, ibp, sizeof *windows);
    norn_delete(u->host, y, ibp * h, sizeof *y);
    return status;
}

/* The members first..end, which see the same rows. */
static norn_status forecast_some(reuse *u, size_t first, size_t end, norn_error *err)
{
    const norn_model *m = u->model;
    const size_t columns = u->out->series * u->tracks;
    norn_series *series = NULL;
    norn_network *network = NULL;
    /* of a training step only the least is asked for */
    const norn_network_shape shape = {.inputs = m->inputs,
                                      .cell = m->cell,
                                      .hidden = m->hidden,
                                      .layers = m->layers,
                                      .window = m->window,
                                      .horizon = m->horizon,
                                      .batch = 1,
                                      .members = end - first,
                                      .slots = 1,
                                      .chunk = 1};
    norn_status status =
        norn_series_new_tracks(&series, u->context, u->out->series, m->inputs, columns, u->plan, u->of, err);
    for (size_t s = 0; s < u->out->series && status == NORN_OK; s++)
        if (!u->out->ended[s]) status = put_series(u, series, s, &u->sights[first * u->out->series + s], err);
    if (status == NORN_OK) status = norn_network_new(&network, u->context, &shape, series, err);
    for (size_t member = first; member < end && status == NORN_OK; member++) {
        status = norn_model_give(m, member, network, member - first, err);
        if (status == NORN_OK) status = norn_network_scale(network, member - first, u->pairs, columns, err);
        if (status == NORN_OK) status = predict(u, network, series, member - first, member, err);
    }
    norn_network_free(network);
    norn_series_free(series);
    return status;
}

static norn_status forecast_all(reuse *u, norn_error *err)
{
    const norn_model *m = u->model;
    norn_forecast *f = u->out;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < f->series; s++) plan_series(u, s);
    for (size_t i = 0; i < f->members * f->series * f->horizon; i++) f->each[i] = NAN;
    for (size_t first = 0, end = 0; first < m->members && status == NORN_OK; first = end) {
        for (end = first + 1; end < m->members && same_rows(u, first, end);) end++;
        status = forecast_some(u, first, end, err);
    }
    for (size_t k = 0; k < m->members; k++) f->training[k] = m->member[k].training;
    const norn_run r = {.members = f->members, .series = f->series, .horizon = f->horizon};
    if (status == NORN_OK) (void)norn_run_median(&r, f->each, f->training, f->values, f->least, f->greatest);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static void say_model(const reuse *u)
{
    const norn_model *m = u->model;
    norn_choose(&u->out->choices, "model", "--model",
                "%s, %zu layer%s of %zu units, %zu parameters, trained by Norn %s", u->out->cell, m->layers,
                m->layers == 1 ? "" : "s", m->hidden, norn_model_plain_size(m), m->library);
    norn_choose(&u->out->choices, "horizon", "--model", "%zu row%s, from a window of %zu", m->horizon,
                m->horizon == 1 ? "" : "s", m->window);
    if (m->members > 1) norn_choose(&u->out->choices, "members", "--model", "the median of %zu", m->members);
}

static norn_status make_room(reuse *u, norn_error *err)
{
    const norn_model *m = u->model;
    norn_forecast *f = u->out;
    const size_t columns = f->series * u->tracks;
    if (f->series > INT_MAX / u->tracks)
        return norn_fail(err, NORN_ERR_USAGE, "%zu series of %zu inputs are more than a device is told of",
                         f->series, u->tracks);
    u->sources = norn_new(u->host, m->inputs, sizeof *u->sources);
    u->known = norn_new(u->host, f->series, sizeof *u->known);
    u->sights = norn_new(u->host, m->members * f->series, sizeof *u->sights);
    u->plan = norn_new(u->host, columns, sizeof *u->plan);
    u->of = norn_new(u->host, columns, sizeof *u->of);
    u->pairs = norn_new(u->host, columns, 2 * sizeof *u->pairs);
    f->ended = norn_new(u->host, f->series, sizeof *f->ended);
    if (m->inputs > 1)
        u->covariates = norn_new(u->host, m->members * f->series * (m->inputs - 1), sizeof *u->covariates);
    if (!u->sources || !u->known || !u->sights || !u->plan || !u->of || !u->pairs || !f->ended ||
        (m->inputs > 1 && !u->covariates))
        return norn_fail_memory(err, "a forecast");
    return norn_forecast_make_room(f, err);
}

norn_status norn_model_forecast(norn_forecast **out, norn_context *context, const norn_model *model,
                                norn_table *table, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host ? host : &context->host);
    norn_forecast *f = norn_new(&services, 1, sizeof *f);
    if (!f) return norn_fail_memory(err, "a forecast");
    f->host = services;
    f->series = norn_table_series_count(table);
    f->horizon = model->horizon;
    f->window = model->window;
    f->season = model->season;
    f->members = model->members;
    f->folds = 1;
    f->parameters = norn_model_plain_size(model);
    norn_cell_title(model->cell, f->cell);
    reuse u = {.model = model,
               .context = context,
               .table = table,
               .out = f,
               .host = &f->host,
               .tracks = model->inputs};
    norn_status status = make_room(&u, err);
    for (size_t s = 0; s < f->series && status == NORN_OK; s++) {
        f->ended[s] = !norn_table_goes_on(table, s);
        u.known[s] = norn_model_find(model, norn_table_id(table, s));
    }
    if (status == NORN_OK) say_model(&u);
    if (status == NORN_OK) status = check_step(&u, err);
    if (status == NORN_OK) status = find_sources(&u, err);
    if (status == NORN_OK) status = check_rows(&u, err);
    if (status == NORN_OK) status = look(&u, err);
    if (status == NORN_OK) status = forecast_all(&u, err);
    const size_t columns = f->series * u.tracks;
    norn_delete(u.host, u.sources, model->inputs, sizeof *u.sources);
    norn_delete(u.host, u.known, f->series, sizeof *u.known);
    norn_delete(u.host, u.sights, model->members * f->series, sizeof *u.sights);
    norn_delete(u.host, u.covariates, model->members * f->series * (model->inputs - 1), sizeof *u.covariates);
    norn_delete(u.host, u.plan, columns, sizeof *u.plan);
    norn_delete(u.host, u.of, columns, sizeof *u.of);
    norn_delete(u.host, u.pairs, columns, 2 * sizeof *u.pairs);
    if (status == NORN_OK)
        *out = f;
    else
        norn_forecast_free(f);
    return status;
}
