/*
 * Forecasters of the interface (forecaster.h) in a forecast: as the model itself, in place of a network and
 * without a device, and as the simple forecasts that every model is scored beside. Series are divided among
 * all cores; what comes out does not depend on their number.
 */
#include "forecast/decompose.h"
#include "forecast/forecaster.h"
#include "forecast/metrics.h"
#include "forecast/result.h"

#include "base/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- one forecaster over all series ---- */

typedef struct simple {
    const norn_forecast *f;
    const norn_run *run;
    const norn_fold *fold; /* what is seen */
    double *out;           /* [S][h] */
    double *lower, *upper; /* [levels][S][h]; NULL: not wanted */
    norn_fitted *fitted[NORN_MOST_WORKERS];
    double *bounds[NORN_MOST_WORKERS]; /* [2][levels][h] of one series */
    atomic_size_t next;
} simple;

static void forecast_one(simple *all, size_t worker, size_t s)
{
    const norn_forecast *f = all->f;
    const size_t h = f->horizon, levels = f->level_count, series = f->series;
    const norn_view seen = {norn_table_target(all->run->table, s), norn_run_visible(all->run, all->fold, s),
                            0};
    norn_fitted *const fitted = all->fitted[worker];
    norn_fitted_fit(fitted, seen);
    norn_fitted_forecast(fitted, seen, all->out + s * h);
    if (!all->lower || !levels) return;
    double *const lower = all->bounds[worker], *const upper = lower + levels * h;
    (void)norn_fitted_interval(fitted, seen, f->levels, levels, lower, upper);
    for (size_t i = 0; i < levels; i++) {
        memcpy(all->lower + (i * series + s) * h, lower + i * h, h * sizeof *lower);
        memcpy(all->upper + (i * series + s) * h, upper + i * h, h * sizeof *upper);
    }
}

static void forecast_some(void *user, size_t worker)
{
    simple *const all = user;
    for (size_t s; (s = atomic_fetch_add(&all->next, 1)) < all->f->series;) {
        if (norn_is_cancelled(all->run->host)) return;
        if (!all->f->ended[s]) forecast_one(all, worker, s);
    }
}

static norn_forecaster_setup setup_of(const norn_forecast *f, const norn_run *r, const norn_forecaster *kind)
{
    size_t rows = 1;
    for (size_t s = 0; s < f->series; s++) rows = norn_at_least(norn_table_rows(r->table, s), rows);
    return (norn_forecaster_setup){.horizon = f->horizon,
                                   .season = f->season,
                                   .window = f->window,
                                   .rows = rows,
                                   .seed = r->options->seed,
                                   .cancel = r->host->cancel,
                                   .decompose =
                                       kind == f->kind ? r->options->decompose : NORN_DECOMPOSE_NONE};
}

/* The rows after the cutoff of a fold, of every series that goes on. */
static norn_status forecast_all(const norn_forecast *f, const norn_run *r, const norn_forecaster *kind,
                                const norn_fold *fold, double *out, double *lower, double *upper,
                                norn_error *err)
{
    const norn_forecaster_setup setup = setup_of(f, r, kind);
    const size_t bounds = lower ? 2 * f->level_count * f->horizon : 0;
    simple all = {.f = f, .run = r, .fold = fold, .out = out, .lower = lower, .upper = upper};
    size_t workers = 0, wanted = norn_at_most(norn_at_most(norn_cores(), f->series), NORN_MOST_WORKERS);
    norn_status status = NORN_OK;
    atomic_init(&all.next, 0);
    for (; workers < wanted && status == NORN_OK; workers++) {
        if (bounds && !(all.bounds[workers] = norn_new(r->host, bounds, sizeof(double))))
            status = norn_fail_memory(err, "the intervals");
        if (status == NORN_OK) status = norn_fitted_new(&all.fitted[workers], kind, &setup, r->host, err);
    }
    if (status == NORN_OK) norn_parallel(workers, forecast_some, &all);
    if (status == NORN_OK && norn_is_cancelled(r->host)) status = norn_fail_cancelled(err);
    for (size_t w = 0; w < workers; w++) {
        norn_fitted_free(all.fitted[w]);
        norn_delete(r->host, all.bounds[w], bounds, sizeof(double));
    }
    return status;
}

/* ---- scores ---- */

norn_status norn_forecast_score(norn_forecast *f, const norn_run *r, const norn_fold *fold, norn_error *err)
{
    const struct {
        const norn_forecaster *kind;
        const char *name;
    } beside[] = {{&norn_model_naive, "Naive"},
                  {f->season > 1 ? &norn_model_seasonal_naive : NULL, "SeasonalNaive"},
                  {&norn_model_nlinear, "Linear"}};
    const size_t h = f->holdout;
    const char *names[NORN_MODELS] = {norn_forecast_model(f)};
    norn_metrics metrics[NORN_MODELS];
    memset(metrics, 0, sizeof metrics);
    norn_status status = NORN_OK;
    f->models = 1;
    for (size_t i = 0; i < NORN_COUNT(beside) && status == NORN_OK; i++) {
        if (!beside[i].kind || (beside[i].kind == f->kind && r->options->decompose == NORN_DECOMPOSE_NONE))
            continue;
        names[f->models] = beside[i].name;
        status = forecast_all(f, r, beside[i].kind, fold, f->held[f->models], NULL, NULL, err);
        f->models++;
    }
    for (size_t s = 0; s < f->series && status == NORN_OK; s++) {
        if (f->ended[s]) continue;
        const double *y = norn_table_target(r->table, s);
        const size_t n = norn_run_visible(r, fold, s);
        const double scale = norn_metrics_scale(y, n, f->season);
        for (size_t k = f->unscored ? 1 : 0; k < f->models; k++)
            norn_metrics_add(&metrics[k], y + n, f->held[k] + s * h, h, scale);
    }
    for (size_t k = 0; k < f->models; k++) f->scores[k] = norn_metrics_score(&metrics[k], names[k]);
    return status;
}

/* ---- a forecast without a network ---- */

static norn_status find_kind(const norn_forecaster **kind, const char *word, norn_error *err)
{
    char quoted[80], known[512] = "";
    size_t count, used = 0;
    *kind = norn_forecaster_find(word, strlen(word));
    if (*kind) return NORN_OK;
    const norn_forecaster *const *all = norn_forecasters(&count);
    for (size_t i = 0; i < count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s, ", all[i]->word);
    return norn_fail(err, NORN_ERR_USAGE, "--model-type: no model is called \"%s\" (%slstm)",
                     norn_quote(quoted, sizeof quoted, word, strlen(word), 40), known);
}

static norn_status take_levels(norn_forecast *f, const norn_forecast_options *o, norn_error *err)
{
    if (o->level_count > NORN_MOST_LEVELS)
        return norn_fail(err, NORN_ERR_USAGE, "--levels: at most %d", (int)NORN_MOST_LEVELS);
    for (size_t i = 0; i < o->level_count; i++)
        if (!(o->levels[i] > 0.0 && o->levels[i] < 1.0))
            return norn_fail(err, NORN_ERR_USAGE, "--levels: %g %% is not between 0 and 100",
                             100.0 * o->levels[i]);
    if (!f->kind->interval) return NORN_OK;
    f->level_count = o->level_count;
    memcpy(f->levels, o->levels, f->level_count * sizeof *f->levels);
    return NORN_OK;
}

/* What the fit on all rows found, where there is one series. */
static norn_status explain(norn_forecast *f, const norn_run *r, norn_error *err)
{
    enum { LINES = 8 };
    norn_explained lines[LINES];
    norn_explanation found = {.lines = lines, .most = LINES};
    char text[NORN_CHOICE_TEXT];
    const norn_forecaster_setup setup = setup_of(f, r, f->kind);
    norn_fitted *fitted = NULL;
    size_t used = (size_t)snprintf(text, sizeof text, "%s: %s", f->kind->name, f->kind->text);
    if (f->kind->paper && used < sizeof text)
        (void)snprintf(text + used, sizeof text - used, " (%s)", f->kind->paper);
    norn_choose(&f->choices, "model", "--model-type", "%s", text);
    if (!f->kind->explain || f->series != 1) return NORN_OK;
    const norn_status status = norn_fitted_new(&fitted, f->kind, &setup, r->host, err);
    if (status != NORN_OK) return status;
    norn_fitted_fit(fitted, (norn_view){norn_table_target(r->table, 0), norn_table_rows(r->table, 0), 0});
    norn_fitted_explain(fitted, &found);
    used = 0;
    for (size_t i = 0; i < found.count && i < LINES && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", i ? ", " : "", lines[i].name,
                                 lines[i].value);
    if (found.count) norn_choose(&f->choices, "fitted", "", "%s", text);
    norn_fitted_free(fitted);
    return NORN_OK;
}

/* The season that is taken off before the model sees a series; its forecasts are named after both. */
static norn_status take_season_off(norn_forecast *f, const norn_run *r, norn_error *err)
{
    const norn_decompose how = r->options->decompose;
    size_t periods[NORN_MOST_SEASONS], used = 0;
    char text[64] = "";
    (void)snprintf(f->cell, sizeof f->cell, "%s", f->kind->name);
    if (how == NORN_DECOMPOSE_NONE) return NORN_OK;
    if ((unsigned)how > NORN_DECOMPOSE_MSTL)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: no decomposition has the number %d", (int)how);
    if (f->kind->seasonal)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: %s has a season of its own", f->kind->name);
    if (f->season < 2)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: the rows have no season to take off (--season)");
    const size_t count = norn_decompose_seasons(how, f->season, periods);
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu", i ? " and " : "", periods[i]);
    (void)snprintf(f->cell, sizeof f->cell, "%s+%s", norn_decompose_name(how), f->kind->name);
    norn_choose(&f->choices, "season taken off", "--decompose", "%s of %s rows", norn_decompose_name(how),
                text);
    return NORN_OK;
}

static norn_status make_bounds(norn_forecast *f, norn_error *err)
{
    const size_t all = f->level_count * f->series * f->horizon;
    if (!all) return NORN_OK;
    f->lower = norn_new(&f->host, all, sizeof *f->lower);
    f->upper = norn_new(&f->host, all, sizeof *f->upper);
    return f->lower && f->upper ? NORN_OK : norn_fail_memory(err, "the intervals");
}

norn_status norn_forecast_simple(norn_forecast **out, norn_table *table, const norn_forecast_options *o,
                                 const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_forecast *f = norn_new(&services, 1, sizeof *f);
    if (!f) return norn_fail_memory(err, "a forecast");
    f->host = services;
    f->series = norn_table_series_count(table);
    f->members = 1;
    norn_fold folds[2] = {{.served_by = 0}, {.served_by = 1, .identity = 1}};
    norn_run r = {.table = table,
                  .options = o,
                  .host = &f->host,
                  .choices = &f->choices,
                  .folds = folds,
                  .fold_count = 2,
                  .members = 1};
    norn_status status = find_kind(&f->kind, o->model, err);
    if (status == NORN_OK) status = take_levels(f, o, err);
    if (status == NORN_OK) status = norn_run_begin(&r, err);
    if (status == NORN_OK && !(f->ended = norn_new(r.host, f->series, sizeof *f->ended)))
        status = norn_fail_memory(err, "a forecast");
    if (status == NORN_OK) memcpy(f->ended, r.ended, f->series * sizeof *f->ended);
    if (status == NORN_OK) status = norn_forecast_sizes(f, &r, err);
    if (status == NORN_OK) status = take_season_off(f, &r, err);
    if (status == NORN_OK) status = norn_forecast_make_room(f, err);
    if (status == NORN_OK) status = make_bounds(f, err);
    if (status == NORN_OK) status = explain(f, &r, err);
    if (status == NORN_OK && norn_table_past_count(table) + norn_table_future_count(table))
        norn_choose(&f->choices, "inputs", "--past, --future", "not seen: %s looks at the target alone",
                    f->kind->name);
    folds[1].behind = f->holdout;
    if (status == NORN_OK)
        status = forecast_all(f, &r, f->kind, &folds[0], f->values, f->lower, f->upper, err);
    if (status == NORN_OK && f->holdout)
        status = forecast_all(f, &r, f->kind, &folds[1], f->held[0], NULL, NULL, err);
    if (status == NORN_OK && f->holdout) status = norn_forecast_score(f, &r, &folds[1], err);
    if (status == NORN_OK) {
        memcpy(f->least, f->values, f->series * f->horizon * sizeof *f->least);
        memcpy(f->greatest, f->values, f->series * f->horizon * sizeof *f->greatest);
    }
    norn_run_end(&r);
    if (status == NORN_OK)
        *out = f;
    else
        norn_forecast_free(f);
    return status;
}
