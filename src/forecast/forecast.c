/*
 * A forecast: a run (see run.h) of two folds, what came out of it, and its scores beside simple forecasts.
 * See norn/forecast.h for what is promised.
 *
 * Fold 0 sees all rows and prints. Fold 1, if there is a holdout, sees all but the last horizon and is scored
 * on it; it is the judge, from whose rows the choices of both are made.
 */
#include "norn/forecast.h"

#include "data/table.h"
#include "forecast/result.h"
#include "norn/profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FOLDS = 2 };

/* ---- sizes ---- */

/* In this order: each needs those before it. */
norn_status norn_forecast_sizes(norn_forecast *f, norn_run *r, norn_error *err)
{
    const norn_forecast_options *o = r->options;
    const size_t shortest = norn_run_shortest(r);
    char text[320];
    if (shortest == SIZE_MAX)
        return norn_fail(err, NORN_ERR_USAGE,
                         "no series goes on after its last row: there is nothing to forecast");
    const size_t rows = norn_table_rows(r->table, shortest);
    norn_status status = norn_run_season(r, rows, err);
    if (status != NORN_OK) return status;
    norn_run_horizon(r, rows);
    status = norn_run_check_ahead(r, 0, err);
    if (status != NORN_OK) return status;
    const size_t h = f->horizon = r->horizon;
    if (o->holdout > 0 && (size_t)o->holdout != h)
        return norn_fail(err, NORN_ERR_USAGE, "--holdout is 0 for no scoring, or the horizon (%zu), not %lld",
                         h, (long long)o->holdout);
    f->season = r->season;
    f->holdout = o->holdout == 0 ? 0 : h;
    f->folds = f->holdout ? 2 : 1;
    if (h >= rows || f->holdout >= rows - h)
        return norn_fail(err, NORN_ERR_USAGE,
                         "%s: too few for a horizon of %zu%s; a smaller --horizon is needed",
                         norn_run_name_short(r, h < SIZE_MAX / 2 ? h + f->holdout + 1 : SIZE_MAX, text), h,
                         f->holdout ? " with as many rows held back (--holdout 0 holds none)" : "");
    const size_t seen = rows - f->holdout;
    if (f->season > 1 && seen < f->season)
        return norn_fail(err, NORN_ERR_USAGE, "--season %zu is more than the %zu rows that may be seen",
                         f->season, seen);
    if (o->window >= seen)
        return norn_fail(
            err, NORN_ERR_USAGE, "--window %zu is too long: %s%s", o->window,
            norn_run_name_short(r, o->window < SIZE_MAX / 2 ? o->window + f->holdout + 1 : SIZE_MAX, text),
            f->holdout ? ", those held back included" : "");
    f->window = r->window = norn_run_window(r, seen);
    norn_run_say_window(r);
    return NORN_OK;
}

/* ---- members ---- */

/* Members that diverged are left out, and named; without any left there is no forecast, or no score. */
static norn_status gather(norn_forecast *f, const norn_run *r, norn_error *err)
{
    const size_t n = f->members, size = n * f->series * f->horizon;
    char names[80], where[140];
    for (size_t k = 0; k < f->folds; k++) {
        const norn_training *training = f->training + k * n;
        const size_t there = norn_run_median(r, f->each + k * size, training, k ? f->held[0] : f->values,
                                             k ? NULL : f->least, k ? NULL : f->greatest);
        const size_t diverged = norn_run_diverged(r, training, names, sizeof names);
        (void)norn_run_where(&training[0], where);
        if (!there && k == 0 && n == 1)
            return norn_fail(err, NORN_ERR_NUMERIC,
                             "training diverged in %s (try a smaller --lr, or --clip-norm)", where);
        if (!there && k == 0)
            return norn_fail(
                err, NORN_ERR_NUMERIC,
                "training of all %zu members diverged, of the first in %s (try a smaller --lr, or "
                "--clip-norm)",
                n, where);
        f->unscored |= !there;
        if (!there && n == 1)
            norn_choose(&f->choices, "score", "--lr",
                        "none of the network: without the rows held back it diverged in %s", where);
        else if (!there)
            norn_choose(&f->choices, "score", "--lr",
                        "none of the network: without the rows held back all members diverged");
        else if (diverged)
            norn_choose(&f->choices, "members", "--lr", "%s diverged%s and %s left out: the median is of %zu",
                        names, k ? " without the rows held back" : "", diverged == 1 ? "is" : "are", there);
    }
    return NORN_OK;
}

static void say_members(norn_forecast *f, const norn_forecast_options *o)
{
    const bool rows = o->members_on == NORN_MEMBERS_ON_ROWS;
    if (f->members > 1)
        norn_choose(&f->choices, "members", "--members, --members-on", "the median of %zu%s", f->members,
                    rows ? ", each trained on a sample of the windows" : ", differently seeded");
    else if (rows)
        norn_choose(&f->choices, "members", "--members, --members-on",
                    "1, trained on a sample of the windows");
}

/* ---- the whole ---- */

norn_status norn_forecast_make_room(norn_forecast *f, norn_error *err)
{
    const size_t all = f->series * f->horizon, trained = f->folds * f->members;
    f->each = norn_new(&f->host, trained * all, sizeof *f->each);
    f->values = norn_new(&f->host, all, sizeof *f->values);
    f->least = norn_new(&f->host, all, sizeof *f->least);
    f->greatest = norn_new(&f->host, all, sizeof *f->greatest);
    f->training = norn_new(&f->host, trained, sizeof *f->training);
    if (!f->each || !f->values || !f->least || !f->greatest || !f->training)
        return norn_fail_memory(err, "a forecast");
    for (size_t k = 0; k < NORN_MODELS && f->holdout; k++)
        if (!(f->held[k] = norn_new(&f->host, f->series * f->holdout, sizeof *f->held[k])))
            return norn_fail_memory(err, "the scored forecasts");
    return NORN_OK;
}

norn_status norn_forecast_train(norn_forecast **out, norn_model **model, norn_context *context,
                                norn_table *table, const norn_forecast_options *options,
                                const norn_host *host, norn_error *err)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    norn_status status = norn_options_take(&o, sizeof o, options, err);
    if (status == NORN_OK) status = norn_run_check_options(&o, err);
    if (status != NORN_OK) return status;
    if (o.model && strcmp(o.model, "lstm") != 0) {
        if (model) return norn_fail(err, NORN_ERR_USAGE, "--model-type: only networks are kept in files");
        return norn_forecast_simple(out, table, &o, host ? host : context ? &context->host : NULL, err);
    }
    const norn_host services = norn_host_copy(host ? host : &context->host);
    norn_forecast *f = norn_new(&services, 1, sizeof *f);
    if (!f) return norn_fail_memory(err, "a forecast");
    f->host = services;
    f->series = norn_table_series_count(table);
    f->members = norn_at_least(o.members, 1);
    norn_fold folds[FOLDS] = {{.served_by = 0, .identity = 0}, {.served_by = 1, .identity = 1}};
    norn_run r = {.context = context,
                  .table = table,
                  .options = &o,
                  .host = &f->host,
                  .choices = &f->choices,
                  .folds = folds,
                  .fold_count = FOLDS,
                  .members = f->members,
                  .keeps = model != NULL};
    norn_model *kept = NULL;
    status = norn_run_begin(&r, err);
    if (status == NORN_OK && !(f->ended = norn_new(r.host, f->series, sizeof *f->ended)))
        status = norn_fail_memory(err, "a forecast");
    if (status == NORN_OK) memcpy(f->ended, r.ended, f->series * sizeof *f->ended);
    if (status == NORN_OK) status = norn_forecast_sizes(f, &r, err);
    if (status == NORN_OK) {
        folds[1].behind = f->holdout;
        r.shares = (double)f->folds;
        r.fold_count = f->folds;
        r.judge = folds[f->folds - 1];
        status = norn_forecast_make_room(f, err);
    }
    if (status == NORN_OK) status = norn_run_recipes(&r, err);
    if (status == NORN_OK) status = norn_run_fit(&r, f->each, f->training, err);
    if (status == NORN_OK) {
        f->parameters = r.parameters;
        norn_cell_title(r.cell, f->cell);
        say_members(f, &o);
        status = gather(f, &r, err);
    }
    norn_profile_enter(f->host.profile, "scoring");
    if (status == NORN_OK && f->holdout) status = norn_forecast_score(f, &r, &folds[1], err);
    norn_profile_leave(f->host.profile);
    if (status == NORN_ERR_CANCELLED && r.stands && err)
        (void)snprintf(err->file, sizeof err->file, "%s", o.checkpoint);
    if (status == NORN_OK && model) status = norn_run_keep(&kept, &r, f->training, err);
    norn_run_end(&r);
    if (status == NORN_OK) {
        *out = f;
        if (model) *model = kept;
    } else {
        norn_forecast_free(f);
    }
    return status;
}

norn_status norn_forecast_run(norn_forecast **out, norn_context *context, norn_table *table,
                              const norn_forecast_options *options, const norn_host *host, norn_error *err)
{
    return norn_forecast_train(out, NULL, context, table, options, host, err);
}

void norn_forecast_free(norn_forecast *f)
{
    if (!f) return;
    const norn_host host = f->host;
    const size_t all = f->series * f->horizon, trained = f->folds * f->members;
    norn_delete(&host, f->each, trained * all, sizeof *f->each);
    norn_delete(&host, f->values, all, sizeof *f->values);
    norn_delete(&host, f->least, all, sizeof *f->least);
    norn_delete(&host, f->greatest, all, sizeof *f->greatest);
    norn_delete(&host, f->training, trained, sizeof *f->training);
    norn_delete(&host, f->lower, f->level_count * all, sizeof *f->lower);
    norn_delete(&host, f->upper, f->level_count * all, sizeof *f->upper);
    for (size_t k = 0; k < NORN_MODELS; k++)
        norn_delete(&host, f->held[k], f->series * f->holdout, sizeof *f->held[k]);
    for (size_t s = 0; f->explained && s < f->series; s++)
        norn_delete(&host, f->explained[s], f->explained_count[s], sizeof *f->explained[s]);
    for (size_t s = 0; f->states && s < f->series; s++)
        norn_delete(&host, f->states[s], 2 * NORN_STATES * f->state_rows[s], sizeof(double));
    norn_delete(&host, f->explained, f->series, sizeof *f->explained);
    norn_delete(&host, f->explained_count, f->series, sizeof *f->explained_count);
    norn_delete(&host, f->states, f->series, sizeof *f->states);
    norn_delete(&host, f->state_rows, f->series, sizeof *f->state_rows);
    norn_delete(&host, f->smoothed, f->series, sizeof *f->smoothed);
    norn_delete(&host, f->ended, f->series, sizeof *f->ended);
    norn_delete(&host, f, 1, sizeof *f);
}

/* ---- what came out ---- */

size_t norn_forecast_horizon(const norn_forecast *f)
{
    return f->horizon;
}
static const double *of_series(const norn_forecast *f, const double *values, size_t series)
{
    return f->ended[series] ? NULL : values + series * f->horizon;
}
const double *norn_forecast_values(const norn_forecast *f, size_t series)
{
    return of_series(f, f->values, series);
}
const double *norn_forecast_least(const norn_forecast *f, size_t series)
{
    return of_series(f, f->least, series);
}
const double *norn_forecast_greatest(const norn_forecast *f, size_t series)
{
    return of_series(f, f->greatest, series);
}
size_t norn_forecast_members(const norn_forecast *f)
{
    return f->members;
}
const double *norn_forecast_member(const norn_forecast *f, size_t member, size_t series)
{
    const bool there = member < f->members && f->training[member].best_epoch;
    return there ? of_series(f, f->each + member * f->series * f->horizon, series) : NULL;
}

const char *norn_forecast_model(const norn_forecast *f)
{
    return f->cell;
}

const double *norn_forecast_levels(const norn_forecast *f, size_t *count)
{
    *count = f->level_count;
    return f->levels;
}
const double *norn_forecast_lower(const norn_forecast *f, size_t level, size_t series)
{
    return level < f->level_count ? of_series(f, f->lower + level * f->series * f->horizon, series) : NULL;
}
const double *norn_forecast_upper(const norn_forecast *f, size_t level, size_t series)
{
    return level < f->level_count ? of_series(f, f->upper + level * f->series * f->horizon, series) : NULL;
}

const char *norn_forecast_method(const norn_forecast *f)
{
    return f->kind ? f->kind->text : NULL;
}
const char *norn_forecast_paper(const norn_forecast *f)
{
    return f->kind ? f->kind->paper : NULL;
}

const norn_explained *norn_forecast_explained(const norn_forecast *f, size_t series, size_t *count)
{
    *count = f->explained ? f->explained_count[series] : 0;
    return *count ? f->explained[series] : NULL;
}

/* side 0: what is expected; 1: its standard error. A part that is not in the model is NaN all over. */
static const double *state_of(const norn_forecast *f, norn_state part, size_t series, size_t side)
{
    if (!f->states || (unsigned)part >= NORN_STATES || !f->smoothed[series]) return NULL;
    const double *const values = f->states[series] + (side * NORN_STATES + part) * f->state_rows[series];
    return isnan(values[0]) ? NULL : values;
}
const double *norn_forecast_state(const norn_forecast *f, norn_state part, size_t series)
{
    return state_of(f, part, series, 0);
}
const double *norn_forecast_state_error(const norn_forecast *f, norn_state part, size_t series)
{
    return state_of(f, part, series, 1);
}

const norn_score *norn_forecast_scores(const norn_forecast *f, size_t *count)
{
    *count = f->models;
    return f->scores;
}

const double *norn_forecast_held_back(const norn_forecast *f, size_t model, size_t series)
{
    const bool there = model < f->models && !(model == 0 && f->unscored) && !f->ended[series];
    return there ? f->held[model] + series * f->holdout : NULL;
}

size_t norn_forecast_holdout(const norn_forecast *f)
{
    return f->holdout;
}

const norn_training *norn_forecast_training(const norn_forecast *f, size_t *count)
{
    *count = f->kind ? 0 : f->folds * f->members;
    return f->training;
}

size_t norn_forecast_parameters(const norn_forecast *f)
{
    return f->parameters;
}

const norn_decision *norn_forecast_decisions(const norn_forecast *f, size_t *count)
{
    *count = f->choices.count;
    return f->choices.list;
}
