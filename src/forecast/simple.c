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
    norn_forecast *f;
    const norn_run *run;
    const norn_fold *fold; /* what is seen */
    double *out;           /* [S][h] */
    double *lower, *upper; /* [levels][S][h]; NULL: not wanted */
    bool tells;            /* what was found, and the states, of the fit on all rows */
    norn_fitted *fitted[NORN_MOST_WORKERS];
    double *bounds[NORN_MOST_WORKERS]; /* [2][levels][h] of one series */
    norn_explained *lines;             /* [block][most] of the series from `from` on */
    size_t most, from, to;
    atomic_size_t next;
} simple;

/* Lines of one explanation: parameters, and a figure for each place of a season, of an ensemble's members
 * too. */
static size_t most_lines(const norn_forecast *f)
{
    return 256 + 4 * f->season;
}

static void tell_one(simple *all, norn_fitted *fitted, norn_view seen, size_t s)
{
    norn_forecast *f = all->f;
    if (all->lines) {
        norn_explanation found = {.lines = all->lines + (s - all->from) * all->most, .most = all->most};
        norn_fitted_explain(fitted, &found);
        f->explained_count[s] = norn_at_most(found.count, found.most);
    }
    if (f->states && f->states[s])
        f->smoothed[s] = norn_fitted_smooth(fitted, seen, f->states[s], f->states[s] + NORN_STATES * seen.n);
}

static void forecast_one(simple *all, size_t worker, size_t s)
{
    const norn_forecast *f = all->f;
    const size_t h = f->horizon, levels = f->level_count, series = f->series;
    const norn_view seen = {norn_table_target(all->run->table, s), norn_run_visible(all->run, all->fold, s),
                            0};
    norn_fitted *const fitted = all->fitted[worker];
    norn_fitted_fit(fitted, seen);
    norn_fitted_forecast(fitted, seen, all->out + s * h);
    if (all->lower && levels) {
        double *const lower = all->bounds[worker], *const upper = lower + levels * h;
        (void)norn_fitted_interval(fitted, seen, f->levels, levels, lower, upper);
        for (size_t i = 0; i < levels; i++) {
            memcpy(all->lower + (i * series + s) * h, lower + i * h, h * sizeof *lower);
            memcpy(all->upper + (i * series + s) * h, upper + i * h, h * sizeof *upper);
        }
    }
    if (all->tells) tell_one(all, fitted, seen, s);
}

static void forecast_some(void *user, size_t worker)
{
    simple *const all = user;
    for (size_t s; (s = atomic_fetch_add(&all->next, 1)) < all->to;) {
        if (norn_is_cancelled(all->run->host)) return;
        if (!all->f->ended[s]) forecast_one(all, worker, s);
    }
}

static norn_forecaster_setup setup_of(const norn_forecast *f, const norn_run *r, const norn_forecaster *kind)
{
    const bool own = kind == f->kind;
    size_t rows = 1;
    for (size_t s = 0; s < f->series; s++) rows = norn_at_least(norn_table_rows(r->table, s), rows);
    return (norn_forecaster_setup){.horizon = f->horizon,
                                   .season = f->season,
                                   .window = f->window,
                                   .rows = rows,
                                   .seed = r->options->seed,
                                   .cancel = r->host->cancel,
                                   .decompose = own ? r->options->decompose : NORN_DECOMPOSE_NONE,
                                   .seasons = r->options->seasons,
                                   .states = own && r->options->states};
}

/* The lines of a block of series to where they stay: memory is not for the workers. */
static norn_status keep_lines(simple *all, norn_error *err)
{
    norn_forecast *const f = all->f;
    for (size_t s = all->from; s < all->to; s++) {
        const size_t count = f->explained_count[s];
        if (!count) continue;
        if (!(f->explained[s] = norn_new(&f->host, count, sizeof *f->explained[s]))) {
            f->explained_count[s] = 0;
            return norn_fail_memory(err, "explanations");
        }
        memcpy(f->explained[s], all->lines + (s - all->from) * all->most, count * sizeof *f->explained[s]);
    }
    return NORN_OK;
}

/* The rows after the cutoff of a fold, of every series that goes on; what is wanted of them stands in *all.
 */
static norn_status forecast_all(simple *all, const norn_forecaster *kind, norn_error *err)
{
    enum { LINES = 1 << 15 }; /* kept for a block of series, more where the cores need them */
    norn_forecast *const f = all->f;
    const norn_run *r = all->run;
    const norn_forecaster_setup setup = setup_of(f, r, kind);
    const size_t bounds = all->lower ? 2 * f->level_count * f->horizon : 0;
    const size_t wanted = norn_at_most(norn_at_most(norn_cores(), f->series), NORN_MOST_WORKERS);
    size_t workers = 0, block = f->series;
    norn_status status = NORN_OK;
    if (all->tells && f->explained) {
        all->most = most_lines(f);
        block = norn_at_most(norn_at_least(LINES / all->most, 4 * wanted), f->series);
        if (!(all->lines = norn_new(r->host, block * all->most, sizeof *all->lines)))
            status = norn_fail_memory(err, "explanations");
    }
    for (; workers < wanted && status == NORN_OK; workers++) {
        if (bounds && !(all->bounds[workers] = norn_new(r->host, bounds, sizeof(double))))
            status = norn_fail_memory(err, "the intervals");
        if (status == NORN_OK) status = norn_fitted_new(&all->fitted[workers], kind, &setup, r->host, err);
    }
    for (all->from = 0; all->from < f->series && status == NORN_OK; all->from = all->to) {
        all->to = norn_at_most(all->from + block, f->series);
        atomic_init(&all->next, all->from);
        norn_parallel(workers, forecast_some, all);
        if (norn_is_cancelled(r->host)) status = norn_fail_cancelled(err);
        if (status == NORN_OK && all->lines) status = keep_lines(all, err);
    }
    for (size_t w = 0; w < workers; w++) {
        norn_fitted_free(all->fitted[w]);
        norn_delete(r->host, all->bounds[w], bounds, sizeof(double));
    }
    norn_delete(r->host, all->lines, block * all->most, sizeof *all->lines);
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
        simple all = {.f = f, .run = r, .fold = fold, .out = f->held[f->models]};
        status = forecast_all(&all, beside[i].kind, err);
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
    if (f->level_count) memcpy(f->levels, o->levels, f->level_count * sizeof *f->levels);
    return NORN_OK;
}

static void say_model(norn_forecast *f)
{
    char text[NORN_CHOICE_TEXT];
    const size_t used = (size_t)snprintf(text, sizeof text, "%s: %s", f->kind->name, f->kind->text);
    if (f->kind->paper && used < sizeof text)
        (void)snprintf(text + used, sizeof text - used, " (%s)", f->kind->paper);
    norn_choose(&f->choices, "model", "--model-type", "%s", text);
}

/* What the fit on all rows found, in short, where there is one series. */
static void say_found(norn_forecast *f)
{
    enum { LINES = 8 };
    char text[NORN_CHOICE_TEXT];
    const norn_explained *const lines = f->explained ? f->explained[0] : NULL;
    size_t used = 0;
    if (f->series != 1 || !lines) return;
    for (size_t i = 0; i < f->explained_count[0] && i < LINES && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", i ? ", " : "", lines[i].name,
                                 lines[i].value);
    norn_choose(&f->choices, "fitted", "--explain", "%s", text);
}

/* Room for what the fit on all rows found, and for states. */
static norn_status make_findings(norn_forecast *f, const norn_run *r, norn_error *err)
{
    const norn_forecast_options *o = r->options;
    if (o->states && !f->kind->smooth)
        return norn_fail(err, NORN_ERR_USAGE,
                         "--states: %s has no states to smooth (--model-type local-level, local-trend or "
                         "structural)",
                         f->kind->name);
    if (o->states && o->decompose != NORN_DECOMPOSE_NONE)
        return norn_fail(err, NORN_ERR_USAGE,
                         "--states: the model does not see the season that is taken off (--model-type "
                         "structural has one)");
    if (o->explain || f->series == 1) {
        f->explained = norn_new(&f->host, f->series, sizeof *f->explained);
        f->explained_count = norn_new(&f->host, f->series, sizeof *f->explained_count);
        if (!f->explained || !f->explained_count) return norn_fail_memory(err, "explanations");
    }
    if (!o->states) return NORN_OK;
    f->states = norn_new(&f->host, f->series, sizeof *f->states);
    f->state_rows = norn_new(&f->host, f->series, sizeof *f->state_rows);
    f->smoothed = norn_new(&f->host, f->series, sizeof *f->smoothed);
    if (!f->states || !f->state_rows || !f->smoothed) return norn_fail_memory(err, "the states");
    for (size_t s = 0; s < f->series; s++) {
        if (f->ended[s]) continue;
        f->state_rows[s] = norn_table_rows(r->table, s);
        f->states[s] = norn_new(&f->host, 2 * NORN_STATES * f->state_rows[s], sizeof(double));
        if (!f->states[s]) return norn_fail_memory(err, "the states");
    }
    return NORN_OK;
}

/* The season that is taken off before the model sees a series; its forecasts are named after both. */
static norn_status take_season_off(norn_forecast *f, const norn_run *r, norn_error *err)
{
    const norn_decompose how = r->options->decompose;
    size_t periods[NORN_MOST_SEASONS], used = 0;
    char text[64] = "";
    (void)snprintf(f->cell, sizeof f->cell, "%s", f->kind->name);
    const norn_status status = norn_decompose_check(how, r->options->seasons, err);
    if (status != NORN_OK) return status;
    if (how == NORN_DECOMPOSE_NONE) return NORN_OK;
    if ((unsigned)how > NORN_DECOMPOSE_MSTL)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: no decomposition has the number %d", (int)how);
    if (f->kind->seasonal)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: %s has a season of its own", f->kind->name);
    const size_t count = norn_decompose_seasons(how, f->season, r->options->seasons, periods);
    if (!count)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: the rows have no season to take off (--season)");
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu", i ? " and " : "", periods[i]);
    (void)snprintf(f->cell, sizeof f->cell, "%s+%s", norn_decompose_name(how), f->kind->name);
    norn_choose(&f->choices, "season taken off",
                how == NORN_DECOMPOSE_MSTL ? "--decompose, --seasons" : "--decompose", "%s of %s rows",
                norn_decompose_name(how), text);
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
    if (status == NORN_OK) status = make_findings(f, &r, err);
    if (status == NORN_OK) say_model(f);
    if (status == NORN_OK && norn_table_past_count(table) + norn_table_future_count(table))
        norn_choose(&f->choices, "inputs", "--past, --future", "not seen: %s looks at the target alone",
                    f->kind->name);
    folds[1].behind = f->holdout;
    if (status == NORN_OK) {
        simple all = {.f = f, .run = &r, .fold = &folds[0], .out = f->values};
        all.lower = f->lower;
        all.upper = f->upper;
        all.tells = true;
        status = forecast_all(&all, f->kind, err);
    }
    if (status == NORN_OK) say_found(f);
    if (status == NORN_OK && f->holdout) {
        simple all = {.f = f, .run = &r, .fold = &folds[1], .out = f->held[0]};
        status = forecast_all(&all, f->kind, err);
    }
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
