/*
 * All folds of all models. Models that need no device go series by series, on all cores: the memory of one
 * fit for each of them, and the folds it serves at once. See norn/backtest.h for what is promised.
 */
#include "backtest/run.h"

#include "backtest/network.h"
#include "base/parallel.h"
#include "forecast/decompose.h"
#include "norn/profile.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- models ---- */

static bool has_model(const norn_backtest *b, const norn_forecaster *kind, norn_decompose decompose)
{
    for (size_t i = 0; i < b->model_count; i++)
        if (b->models[i].kind == kind && b->models[i].decompose == decompose) return true;
    return false;
}

/* A model that lives by the season would be the naive one on a series without: it stays as it is. */
static void add_model(norn_backtest *b, const norn_forecaster *kind, norn_decompose decompose)
{
    if (kind->seasonal) decompose = NORN_DECOMPOSE_NONE;
    if (has_model(b, kind, decompose) || b->model_count == NORN_BACKTEST_MODELS) return;
    if (kind->seasonal && b->folds.options.season < 2) return;
    norn_model *const model = &b->models[b->model_count++];
    *model = (norn_model){.name = kind->name, .kind = kind, .decompose = decompose};
    if (decompose == NORN_DECOMPOSE_NONE) return;
    (void)snprintf(model->label, sizeof model->label, "%s+%s", norn_decompose_name(decompose), kind->name);
    model->name = model->label;
}

static norn_status unknown_model(const char *word, size_t length, norn_error *err)
{
    char quoted[80], known[512] = "";
    size_t count, used = 0;
    const norn_forecaster *const *all = norn_forecasters(&count);
    for (size_t i = 0; i < count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", all[i]->word);
    return norn_fail(
        err, NORN_ERR_USAGE,
        "--models: no model is called \"%s\" (%s; all; lstm, gru and the other cells of norn cell list)",
        norn_quote(quoted, sizeof quoted, word, length, 40), known);
}

static bool is_word(const char *at, size_t length, const char *word)
{
    return length == strlen(word) && strncmp(at, word, length) == 0;
}

/* The next of the words of --models: its forecaster, or NULL for "all" and for networks, which do not go
 * series by series. *word becomes NULL after the last. */
static norn_status next_model(const char **word, const norn_forecaster **kind, norn_error *err)
{
    const char *const at = *word;
    const size_t length = strcspn(at, ",");
    *kind = norn_forecaster_find(at, length);
    *word = at[length] ? at + length + 1 : NULL;
    if (*kind || is_word(at, length, "all") || norn_backtest_is_network(at, length)) return NORN_OK;
    return unknown_model(at, length, err);
}

/* Before any work. */
static norn_status check_models(const char *words, norn_error *err)
{
    const norn_forecaster *kind;
    norn_status status = NORN_OK;
    while (words && status == NORN_OK) status = next_model(&words, &kind, err);
    return status;
}

/* Those asked for, then the baselines that stand in every backtest. */
static void choose_models(norn_backtest *b)
{
    static const norn_forecaster *const always[] = {&norn_model_naive, &norn_model_seasonal_naive,
                                                    &norn_model_naive2, &norn_model_nlinear};
    size_t count;
    const norn_forecaster *kind, *const *all = norn_forecasters(&count);
    for (const char *words = b->folds.options.models; words;) {
        const bool everything = is_word(words, strcspn(words, ","), "all");
        if (next_model(&words, &kind, NULL) != NORN_OK) break;
        if (kind) add_model(b, kind, b->folds.options.decompose);
        /* those that fit several of the others again are there when named */
        for (size_t i = 0; everything && i < count; i++)
            if (all[i] != &norn_model_ensemble && all[i] != &norn_model_ensemble_weighted)
                add_model(b, all[i], b->folds.options.decompose);
    }
    for (size_t i = 0; i < NORN_COUNT(always); i++) add_model(b, always[i], NORN_DECOMPOSE_NONE);

    char text[NORN_BACKTEST_TEXT] = "";
    size_t used = 0;
    for (size_t i = 0; i < b->model_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", b->models[i].name);
    norn_folds_decide(&b->folds, "models", "--models", "%s", text);
}

/* ---- running ---- */

/* How often a host is told, in seconds: hosts draw, and a forecast may take a microsecond. */
static const double told_every = 0.05;

void norn_backtest_tell(const norn_backtest *b, const char *what, double begin, double *told, size_t done,
                        size_t total)
{
    const double now = norn_seconds(), spent = now - begin;
    if (now - *told < told_every) return;
    *told = now;
    const double rate = spent > 0.0 ? (double)done / spent : 0.0;
    norn_report(&b->host, (norn_progress){.stage = "backtest",
                                          .what = what,
                                          .done = done,
                                          .total = total,
                                          .rate = rate,
                                          .seconds_left = rate > 0.0 ? (double)(total - done) / rate : -1.0});
}

/* One model over all series. A piece is a fit with the folds it serves; each worker has memory of its own,
 * and what a piece gives does not depend on who takes it. */
typedef struct one_kind {
    const norn_backtest *b;
    norn_model *model;
    norn_fitted *fitted[NORN_MOST_WORKERS];
    double seconds[NORN_MOST_WORKERS][2];
    atomic_size_t next, done; /* piece; and how many are through */
    size_t pieces, block;
    double begin, told;
} one_kind;

static void run_piece(one_kind *kind, size_t worker, size_t piece)
{
    const norn_folds *const f = &kind->b->folds;
    const size_t h = f->options.horizon, folds = f->options.folds, i = piece / f->fits, fit = piece % f->fits;
    norn_fitted *const fitted = kind->fitted[worker];
    double *const seconds = kind->seconds[worker], begin = norn_seconds();
    if (norn_folds_first_of(f, fit) > kind->b->last) return;
    norn_fitted_fit(fitted, norn_folds_train(f, i, fit));
    const double between = norn_seconds();
    for (size_t k = norn_folds_first_of(f, fit); k < folds && norn_folds_fit_of(f, k) == fit; k++)
        norn_fitted_forecast(fitted, norn_folds_past(f, i, k), kind->model->forecasts + (i * folds + k) * h);
    seconds[0] += between - begin;
    seconds[1] += norn_seconds() - between;
}

static void run_pieces(void *user, size_t worker)
{
    one_kind *const kind = user;
    for (size_t from; (from = atomic_fetch_add(&kind->next, kind->block)) < kind->pieces;)
        for (size_t piece = from; piece < from + kind->block && piece < kind->pieces; piece++) {
            if (norn_is_cancelled(&kind->b->host)) return;
            run_piece(kind, worker, piece);
            const size_t done = atomic_fetch_add(&kind->done, 1) + 1;
            if (worker == 0) /* the thread that called the library */
                norn_backtest_tell(kind->b, kind->model->name, kind->begin, &kind->told, done, kind->pieces);
        }
}

/* Wall time is that of all workers together, divided between fits and forecasts as their own times are. */
static void share_seconds(one_kind *kind, size_t workers, double wall)
{
    double sum[2] = {0.0, 0.0};
    for (size_t w = 0; w < workers; w++)
        for (size_t i = 0; i < 2; i++) sum[i] += kind->seconds[w][i];
    for (size_t i = 0; i < 2 && sum[0] + sum[1] > 0.0; i++)
        kind->model->seconds[i] = wall * sum[i] / (sum[0] + sum[1]);
}

static norn_status run_kind(norn_backtest *b, norn_model *model, norn_error *err)
{
    enum { BLOCKS = 8 }; /* that a worker takes: enough that none waits long for the last */
    const norn_folds *const f = &b->folds;
    const norn_forecaster_setup setup = {.horizon = f->options.horizon,
                                         .season = f->options.season,
                                         .window = f->options.window,
                                         .rows = f->longest,
                                         .seed = f->options.seed,
                                         .cancel = b->host.cancel,
                                         .decompose = model->decompose,
                                         .seasons = f->options.seasons};
    one_kind kind = {.b = b, .model = model, .pieces = f->count * f->fits};
    size_t workers = 0, wanted = f->options.threads ? f->options.threads : norn_cores();
    if (wanted > kind.pieces) wanted = kind.pieces;
    if (wanted > NORN_MOST_WORKERS) wanted = NORN_MOST_WORKERS;
    kind.block = kind.pieces / (wanted * BLOCKS) + 1;
    atomic_init(&kind.next, 0);
    atomic_init(&kind.done, 0);
    norn_status status = NORN_OK;
    for (; workers < wanted && status == NORN_OK; workers++)
        status = norn_fitted_new(&kind.fitted[workers], model->kind, &setup, &b->host, err);
    const double begin = norn_seconds();
    kind.begin = kind.told = begin;
    norn_profile_enter(b->host.profile, model->name);
    if (status == NORN_OK) norn_parallel(workers, run_pieces, &kind);
    norn_profile_leave(b->host.profile);
    if (status == NORN_OK && norn_is_cancelled(&b->host)) status = norn_fail_cancelled(err);
    share_seconds(&kind, workers, norn_seconds() - begin);
    for (size_t w = 0; w < workers; w++) norn_fitted_free(kind.fitted[w]);
    return status;
}

static size_t values_of(const norn_backtest *b)
{
    return b->folds.count * b->folds.options.folds * b->folds.options.horizon;
}

/* A decomposition has a season to take off, and a model to stand before. */
static norn_status check_decompose(norn_folds *f, norn_error *err)
{
    const norn_backtest_options *const o = &f->options;
    size_t periods[NORN_MOST_SEASONS];
    char text[96] = "";
    const norn_status status = norn_decompose_check(o->decompose, o->seasons, err);
    if (status != NORN_OK || o->decompose == NORN_DECOMPOSE_NONE) return status;
    if (o->decompose < NORN_DECOMPOSE_NONE || o->decompose > NORN_DECOMPOSE_MSTL)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: no decomposition has the number %d",
                         (int)o->decompose);
    if (!o->models)
        return norn_fail(err, NORN_ERR_USAGE,
                         "--decompose: there is no model to put it in front of (--models)");
    const size_t count = norn_decompose_seasons(o->decompose, o->season, o->seasons, periods);
    if (!count)
        return norn_fail(err, NORN_ERR_USAGE, "--decompose: the rows have no season to take off (--season)");
    for (size_t i = 0, used = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu", i ? " and " : "", periods[i]);
    norn_folds_decide(f, "season taken off",
                      o->decompose == NORN_DECOMPOSE_MSTL ? "--decompose, --seasons" : "--decompose",
                      "%s of %s rows, before models that need none", norn_decompose_name(o->decompose), text);
    return NORN_OK;
}

/* The name is the model's own from here on. */
static void name_joint(norn_model *model, const char *name)
{
    *model = (norn_model){.name = NULL};
    (void)snprintf(model->label, sizeof model->label, "%s", name);
    model->name = model->label;
}

/* The forecasts of all models; no scores. */
static norn_status forecast_all(norn_backtest **out, const norn_table *table,
                                const norn_backtest_options *asked, const norn_joint *joints,
                                size_t joint_count, size_t last, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    size_t kinds;
    (void)norn_forecasters(&kinds);
    if (joint_count + kinds > NORN_BACKTEST_MODELS)
        return norn_fail(err, NORN_ERR_USAGE, "a backtest has at most %d models", (int)NORN_BACKTEST_MODELS);
    norn_backtest *b = norn_new(&services, 1, sizeof *b);
    if (!b) return norn_fail_memory(err, "a backtest");
    b->host = services;
    b->last = last;

    norn_status status = check_models(asked->models, err);
    if (status == NORN_OK) status = norn_folds_plan(&b->folds, table, asked, &b->host, err);
    if (status == NORN_OK) status = check_decompose(&b->folds, err);
    for (size_t i = 0; i < joint_count && status == NORN_OK; i++)
        name_joint(&b->models[b->model_count++], joints[i].name);
    if (status == NORN_OK) choose_models(b);
    b->folds.options.models = NULL;
    for (size_t m = 0; m < b->model_count && status == NORN_OK; m++) {
        norn_model *const model = &b->models[m];
        if (!(model->forecasts = norn_new(&b->host, values_of(b), sizeof *model->forecasts)))
            status = norn_fail_memory(err, "the forecasts of a backtest");
        else if (model->kind)
            status = run_kind(b, model, err);
        else
            status =
                joints[m].run(joints[m].user, &b->folds, model->forecasts, model->seconds, &b->host, err);
    }
    if (status == NORN_OK)
        *out = b;
    else
        norn_backtest_free(b);
    return status;
}

/* The networks that the list of models names, in its order, no two of one name; their number, or where
 * `networks` is NULL the number of words. */
static norn_status find_networks(const char *words, norn_backtest_network *networks, size_t *count,
                                 const norn_host *host, norn_error *err)
{
    norn_status status = NORN_OK;
    *count = 0;
    for (; words && status == NORN_OK;
         words = words[strcspn(words, ",")] ? words + strcspn(words, ",") + 1 : NULL) {
        const size_t length = strcspn(words, ",");
        if (norn_forecaster_find(words, length) || !norn_backtest_is_network(words, length)) continue;
        size_t at = (*count)++;
        if (!networks) continue;
        status = norn_backtest_network_name(&networks[at], words, length, host, err);
        for (size_t i = 0; i < at && status == NORN_OK; i++)
            if (strcmp(networks[i].name, networks[at].name) == 0) at = --*count;
    }
    return status;
}

int norn_backtest_needs_device(const norn_backtest_options *options)
{
    size_t count = 0;
    (void)find_networks(options->models, NULL, &count, NULL, NULL);
    return count > 0;
}

static norn_status take_options(norn_backtest_options *out, const norn_backtest_options *options,
                                norn_error *err)
{
    *out = (norn_backtest_options)NORN_BACKTEST_OPTIONS_INIT;
    const norn_status status = norn_options_take(out, sizeof *out, options, err);
    out->size = sizeof *out;
    return status;
}

norn_status norn_backtest_make(norn_backtest **out, norn_context *context, norn_table *table,
                               const norn_backtest_options *options, const norn_joint *joints,
                               size_t joint_count, size_t last, const norn_host *host, norn_error *err)
{
    norn_backtest_options asked;
    const norn_status taken = take_options(&asked, options, err);
    if (taken != NORN_OK) return taken;
    const norn_forecast_options *told = asked.network;
    asked.network = NULL;
    size_t count = 0;
    (void)find_networks(asked.models, NULL, &count, host, NULL);
    if (joint_count || !count) return forecast_all(out, table, &asked, joints, joint_count, last, host, err);
    if (!context) return norn_fail(err, NORN_ERR_USAGE, "a network of --models needs a device");
    const norn_host services = norn_host_copy(host);
    const size_t room = count;
    norn_backtest_network *networks = norn_new(&services, room, sizeof *networks);
    norn_joint *made = norn_new(&services, room, sizeof *made);
    norn_status status = networks && made ? NORN_OK : norn_fail_memory(err, "the networks of a backtest");
    for (size_t i = 0; i < room && status == NORN_OK; i++) {
        networks[i] = (norn_backtest_network){.context = context,
                                              .table = table,
                                              .options = NORN_FORECAST_OPTIONS_INIT,
                                              .curves = asked.curves != 0};
        status = norn_options_take(&networks[i].options, sizeof networks[i].options, told, err);
        /* The table's covariates are there for the last one, too. */
        if (i + 1 < room) networks[i].options.consume_past = 0;
    }
    if (status == NORN_OK) status = find_networks(asked.models, networks, &count, host, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++) made[i] = norn_joint_network(&networks[i]);
    if (status == NORN_OK) status = forecast_all(out, table, &asked, made, count, last, host, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++) {
        norn_joint_network_tell(&networks[i], &(*out)->folds);
        (*out)->stories[(*out)->story_count++] = networks[i].story;
        networks[i].story = (norn_story){.training = NULL}; /* the backtest's */
    }
    for (size_t i = 0; networks && i < room; i++) norn_story_free(&networks[i].story, &services);
    norn_delete(&services, networks, room, sizeof *networks);
    norn_delete(&services, made, room, sizeof *made);
    return status;
}

/* Scores what was made, or frees it. */
static norn_status finish(norn_backtest **out, norn_backtest *made, norn_status status, norn_error *err)
{
    if (status == NORN_OK) {
        norn_profile_enter(made->host.profile, "scoring");
        status = norn_backtest_score(made, err);
        norn_profile_leave(made->host.profile);
    }
    if (status == NORN_OK)
        *out = made;
    else
        norn_backtest_free(made);
    return status;
}

norn_status norn_backtest_run_with(norn_backtest **out, const norn_table *table,
                                   const norn_backtest_options *options, const norn_joint *joints,
                                   size_t joint_count, const norn_host *host, norn_error *err)
{
    norn_backtest *made = NULL;
    norn_backtest_options asked;
    norn_status status = take_options(&asked, options, err);
    if (status != NORN_OK) return status;
    asked.network = NULL;
    status = forecast_all(&made, table, &asked, joints, joint_count, SIZE_MAX, host, err);
    return finish(out, made, status, err);
}

norn_status norn_backtest_run(norn_backtest **out, norn_context *context, norn_table *table,
                              const norn_backtest_options *options, const norn_host *host, norn_error *err)
{
    norn_backtest *made = NULL;
    const norn_status status =
        norn_backtest_make(&made, context, table, options, NULL, 0, SIZE_MAX, host, err);
    return finish(out, made, status, err);
}

void norn_backtest_free(norn_backtest *b)
{
    if (!b) return;
    const norn_host host = b->host;
    const size_t series = b->folds.count;
    for (size_t m = 0; m < b->model_count; m++)
        norn_delete(&host, b->models[m].forecasts, values_of(b), sizeof *b->models[m].forecasts);
    norn_delete(&host, b->known, series * b->folds.options.folds, sizeof *b->known);
    norn_delete(&host, b->reference, series, sizeof *b->reference);
    norn_delete(&host, b->figures, b->figure_count, sizeof *b->figures);
    norn_saved_free(b->saved, &host);
    for (size_t i = 0; i < b->story_count; i++) norn_story_free(&b->stories[i], &host);
    norn_folds_clear(&b->folds, &host);
    norn_delete(&host, b, 1, sizeof *b);
}

/* ---- what was done ---- */

const norn_backtest_options *norn_backtest_settings(const norn_backtest *b)
{
    return &b->folds.options;
}

const norn_decision *norn_backtest_decisions(const norn_backtest *b, size_t *count)
{
    *count = b->folds.decided;
    return b->folds.decisions;
}

size_t norn_backtest_model_count(const norn_backtest *b)
{
    return b->model_count;
}

const char *norn_backtest_model(const norn_backtest *b, size_t model)
{
    return model < b->model_count ? b->models[model].name : "";
}

void norn_backtest_durations(const norn_backtest *b, size_t model, double *fit, double *forecast)
{
    *fit = model < b->model_count ? b->models[model].seconds[0] : 0.0;
    *forecast = model < b->model_count ? b->models[model].seconds[1] : 0.0;
}

size_t norn_backtest_needed(const norn_backtest *b)
{
    return b->folds.needed;
}

size_t norn_backtest_skipped(const norn_backtest *b)
{
    return b->folds.all - b->folds.pieces - b->folds.count;
}

size_t norn_backtest_pieces(const norn_backtest *b)
{
    return b->folds.pieces;
}

int norn_backtest_includes(const norn_backtest *b, size_t series)
{
    return series < b->folds.all && b->folds.place[series] != SIZE_MAX;
}

uint64_t norn_backtest_rows(const norn_backtest *b)
{
    return b->rows;
}

uint64_t norn_backtest_missing(const norn_backtest *b)
{
    return b->missing;
}

uint64_t norn_backtest_unforecast(const norn_backtest *b, size_t model)
{
    return model < b->model_count ? b->models[model].unforecast : 0;
}

size_t norn_backtest_cutoff(const norn_backtest *b, size_t series, size_t fold)
{
    if (!norn_backtest_includes(b, series) || fold >= b->folds.options.folds) return 0;
    if (b->saved) return b->saved->cutoffs[b->folds.place[series] * b->folds.options.folds + fold];
    return norn_folds_cutoff(&b->folds, b->folds.place[series], fold);
}

const double *norn_backtest_forecast(const norn_backtest *b, size_t model, size_t series, size_t fold)
{
    const norn_backtest_options *const o = &b->folds.options;
    if (!norn_backtest_includes(b, series) || fold >= o->folds || model >= b->model_count) return NULL;
    return b->models[model].forecasts + (b->folds.place[series] * o->folds + fold) * o->horizon;
}
