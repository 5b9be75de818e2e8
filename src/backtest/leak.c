/*
 * Poisons the future of every cutoff and looks whether a forecast moves: see norn/leak.h.
 *
 * A cell is poisoned for a fold unless some series may see it there: the columns of covariates are shared by
 * the targets of a wide file, whose cutoffs differ where they end at different rows. So every cell after a
 * cutoff is poisoned first, and then those that any series may see are put back.
 *
 * The pieces of a series that was split at its gaps have no cutoffs: they are the past of the piece that goes
 * on, and stay as they are.
 */
#include "backtest/leak.h"

#include "data/table.h"
#include "forecast/forecaster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    double value;
} poisons[NORN_POISONS] = {[NORN_POISON_HUGE] = {"1e30", 1e30}, [NORN_POISON_MISSING] = {"missing", NAN}};

const char *norn_poison_name(norn_poison poison)
{
    return (unsigned)poison < NORN_POISONS ? poisons[poison].name : "";
}

struct norn_leak {
    norn_host host;
    norn_backtest *clean;
    size_t count, folds;       /* models and scales; cutoffs */
    norn_moved *moved;         /* [count][K][NORN_POISONS] */
    uint64_t *poisoned, *rows; /* [K] */
};

/* ---- cells -----------------------------------------------------------------------------------------------
 */

/* Every number of a table that changes with time, to be put back. */
typedef struct cell_copy {
    const norn_host *host;
    norn_table *table;
    double *kept; /* [columns][rows] */
} cell_copy;

static norn_status keep(cell_copy *c, norn_error *err)
{
    const norn_table *t = c->table;
    c->kept = norn_new(c->host, t->values * t->rows, sizeof *c->kept);
    if (!c->kept) return norn_fail_memory(err, "a copy of the table");
    for (size_t v = 0; v < t->values; v++)
        if (t->columns[v].cells)
            memcpy(c->kept + v * t->rows, t->columns[v].cells, t->rows * sizeof *c->kept);
    return NORN_OK;
}

static void put_back(const cell_copy *c)
{
    const norn_table *t = c->table;
    for (size_t v = 0; v < t->values && c->kept; v++)
        if (t->columns[v].cells)
            memcpy(t->columns[v].cells, c->kept + v * t->rows, t->rows * sizeof *c->kept);
}

static void let_go(cell_copy *c)
{
    put_back(c);
    norn_delete(c->host, c->kept, c->table->values * c->table->rows, sizeof *c->kept);
}

/* The rows of a column that series s may see of a fold: from..end of the table; past it, to `last`, they are
 * its future. */
typedef struct sight {
    size_t from, end, last;
} sight;

static sight sight_of(const norn_backtest *b, const norn_table *t, size_t s, size_t column, size_t fold)
{
    const norn_rows *span = &t->spans[s];
    const bool ahead = column >= t->targets + t->past;
    const size_t seen = norn_backtest_cutoff(b, s, fold) + 1 + (ahead ? b->folds.options.horizon : 0);
    const size_t all = span->count + (ahead ? span->ahead : 0);
    return (sight){span->from, span->from + (seen < all ? seen : all), span->from + all};
}

/* Is a column one of this series, and the series in the backtest? */
static bool concerns(const norn_backtest *b, const norn_table *t, size_t s, size_t column)
{
    return norn_backtest_includes(b, s) && (column >= t->targets || column == s % t->targets);
}

/* Replaces the future of a fold; how many numbers that were. */
static uint64_t poison_fold(const cell_copy *c, const norn_backtest *b, size_t fold, double poison)
{
    const norn_table *t = c->table;
    uint64_t replaced = 0;
    for (size_t v = 0; v < t->values; v++) {
        double *column = t->columns[v].cells;
        const double *kept = c->kept + v * t->rows;
        if (!column) continue;
        for (size_t s = 0; s < norn_table_series_count(t); s++) {
            if (!concerns(b, t, s, v)) continue;
            const sight own = sight_of(b, t, s, v, fold);
            for (size_t row = own.end; row < own.last; row++) column[row] = poison;
        }
        for (size_t s = 0; s < norn_table_series_count(t); s++) {
            if (!concerns(b, t, s, v)) continue;
            const sight own = sight_of(b, t, s, v, fold);
            memcpy(column + own.from, kept + own.from, (own.end - own.from) * sizeof *column);
        }
        for (size_t row = 0; row < t->rows; row++)
            replaced += !isnan(kept[row]) && memcmp(&column[row], &kept[row], sizeof *column) != 0;
    }
    return replaced;
}

/* ---- comparing -------------------------------------------------------------------------------------------
 */

static uint64_t differing_bits(double a, double b)
{
    uint64_t x, y, bits = 0;
    if (isnan(a) && isnan(b)) return 0;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    for (x ^= y; x; x &= x - 1) bits++;
    return bits;
}

static void compare(norn_moved *moved, double clean, double poisoned, size_t series, size_t fold, size_t step)
{
    const uint64_t bits = differing_bits(clean, poisoned);
    moved->compared++;
    if (!bits) return;
    if (!moved->moved++) {
        moved->series = series;
        moved->fold = fold;
        moved->step = step;
    }
    moved->bits += bits;
}

/* What moved in folds 0 .. fold, model by model, when the future of `fold` was replaced. */
static void compare_all(norn_leak *leak, const norn_backtest *poisoned, size_t fold, norn_poison poison)
{
    const norn_backtest *clean = leak->clean;
    const size_t h = clean->folds.options.horizon, models = clean->model_count;
    for (size_t m = 0; m < leak->count; m++) {
        norn_moved *moved = &leak->moved[(m * leak->folds + fold) * NORN_POISONS + (size_t)poison];
        for (size_t i = 0; i < clean->folds.count; i++) {
            const size_t s = clean->folds.series[i];
            for (size_t k = 0; k <= fold; k++) {
                if (m < models) {
                    const double *x = norn_backtest_forecast(clean, m, s, k),
                                 *y = norn_backtest_forecast(poisoned, m, s, k);
                    for (size_t j = 0; j < h; j++) compare(moved, x[j], y[j], s, k, j);
                } else {
                    const norn_known *x = &clean->known[i * leak->folds + k],
                                     *y = &poisoned->known[i * leak->folds + k];
                    compare(moved, x->before, y->before, s, k, 0);
                    compare(moved, x->scale, y->scale, s, k, 0);
                    compare(moved, x->square_scale, y->square_scale, s, k, 0);
                }
            }
        }
    }
}

/* Rows of all series after the cutoff of a fold. */
static uint64_t rows_after(const norn_backtest *b, size_t fold)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < b->folds.count; i++) {
        const size_t s = b->folds.series[i];
        rows += norn_table_rows(b->folds.table, s) - 1 - norn_folds_cutoff(&b->folds, i, fold);
    }
    return rows;
}

/* ---- running ---------------------------------------------------------------------------------------------
 */

/* The options with what a proof needs: no intervals, and covariates that stay for the next run. */
typedef struct asked {
    norn_backtest_options backtest;
    norn_forecast_options network;
    char *models; /* [room] of backtest.models; NULL: they are the caller's */
    size_t room;
} asked;

static norn_status take_options(asked *out, const norn_backtest_options *options, norn_error *err)
{
    out->backtest = (norn_backtest_options)NORN_BACKTEST_OPTIONS_INIT;
    out->network = (norn_forecast_options)NORN_FORECAST_OPTIONS_INIT;
    out->models = NULL;
    out->room = 0;
    norn_backtest_options *b = &out->backtest;
    norn_forecast_options *n = &out->network;
    norn_status status = norn_options_take(b, sizeof *b, options, err);
    if (status == NORN_OK) status = norn_options_take(n, sizeof *n, b->network, err);
    b->size = sizeof *b;
    n->size = sizeof *n;
    n->consume_past = 0;
    b->network = n;
    return status;
}

/* "all" here is all indeed: the models of a backtest leave ensembles out, for the time they take. */
static norn_status take_ensembles(asked *out, const norn_host *host, norn_error *err)
{
    const char *const models = out->backtest.models, *at = models;
    while (at && !(strncmp(at, "all", 3) == 0 && (at[3] == ',' || !at[3])))
        at = (at = strchr(at, ',')) ? at + 1 : NULL;
    if (!at) return NORN_OK;
    out->room = strlen(models) + 64;
    if (!(out->models = norn_new(host, out->room, sizeof *out->models)))
        return norn_fail_memory(err, "the proof");
    (void)snprintf(out->models, out->room, "%s,%s,%s", models, norn_model_ensemble.word,
                   norn_model_ensemble_weighted.word);
    out->backtest.models = out->models;
    return NORN_OK;
}

static norn_status make(norn_leak *leak, size_t folds, norn_error *err)
{
    leak->count = leak->clean->model_count + 1;
    leak->folds = folds;
    leak->moved = norn_new(&leak->host, leak->count * folds * NORN_POISONS, sizeof *leak->moved);
    leak->poisoned = norn_new(&leak->host, folds, sizeof *leak->poisoned);
    leak->rows = norn_new(&leak->host, folds, sizeof *leak->rows);
    return leak->moved && leak->poisoned && leak->rows ? NORN_OK : norn_fail_memory(err, "the proof");
}

norn_status norn_leak_run_with(norn_leak **out, norn_context *context, norn_table *table,
                               const norn_backtest_options *options, const norn_joint *joints,
                               size_t joint_count, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_host silent = services; /* one run in many has no progress of its own */
    silent.progress = NULL;
    silent.log = NULL;
    asked told;
    const norn_status taken = take_options(&told, options, err);
    if (taken != NORN_OK) return taken;
    told.backtest.bootstrap = 0;
    cell_copy cells = {&services, table, NULL};
    norn_leak *leak = norn_new(&services, 1, sizeof *leak);
    if (!leak) return norn_fail_memory(err, "the proof");
    leak->host = services;
    const double begin = norn_seconds();
    norn_status status = take_ensembles(&told, &services, err);
    if (status == NORN_OK)
        status = norn_backtest_make(&leak->clean, context, table, &told.backtest, joints, joint_count,
                                    SIZE_MAX, host, err);
    if (status == NORN_OK) status = norn_backtest_score(leak->clean, err);
    if (status == NORN_OK) status = make(leak, leak->clean->folds.options.folds, err);
    if (status == NORN_OK) status = keep(&cells, err);
    const size_t runs = leak->folds * NORN_POISONS;
    for (size_t i = 0; i < runs && status == NORN_OK; i++) {
        const size_t fold = i / NORN_POISONS;
        norn_backtest *poisoned = NULL;
        const double spent = norn_seconds() - begin, each = spent / (double)(i + 1);
        norn_report(&services, (norn_progress){.stage = "leak",
                                               .what = "poisoned futures",
                                               .done = i,
                                               .total = runs,
                                               .seconds_left = each * (double)(runs - i)});
        leak->poisoned[fold] = poison_fold(&cells, leak->clean, fold, poisons[i % NORN_POISONS].value);
        leak->rows[fold] = rows_after(leak->clean, fold);
        status = norn_backtest_make(&poisoned, context, table, &told.backtest, joints, joint_count, fold,
                                    &silent, err);
        if (status == NORN_OK) status = norn_backtest_score(poisoned, err);
        if (status == NORN_OK) compare_all(leak, poisoned, fold, (norn_poison)(i % NORN_POISONS));
        norn_backtest_free(poisoned);
        put_back(&cells);
        if (status == NORN_OK && norn_is_cancelled(&services)) status = norn_fail_cancelled(err);
    }
    let_go(&cells);
    norn_delete(&services, told.models, told.room, sizeof *told.models);
    if (status == NORN_OK)
        *out = leak;
    else
        norn_leak_free(leak);
    return status;
}

norn_status norn_leak_run(norn_leak **out, norn_context *context, norn_table *table,
                          const norn_backtest_options *options, const norn_host *host, norn_error *err)
{
    return norn_leak_run_with(out, context, table, options, NULL, 0, host, err);
}

void norn_leak_free(norn_leak *leak)
{
    if (!leak) return;
    const norn_host host = leak->host;
    norn_backtest_free(leak->clean);
    norn_delete(&host, leak->moved, leak->count * leak->folds * NORN_POISONS, sizeof *leak->moved);
    norn_delete(&host, leak->poisoned, leak->folds, sizeof *leak->poisoned);
    norn_delete(&host, leak->rows, leak->folds, sizeof *leak->rows);
    norn_delete(&host, leak, 1, sizeof *leak);
}

/* ---- what came out ---------------------------------------------------------------------------------------
 */

const norn_backtest *norn_leak_backtest(const norn_leak *leak)
{
    return leak->clean;
}

size_t norn_leak_count(const norn_leak *leak)
{
    return leak->count;
}

const char *norn_leak_name(const norn_leak *leak, size_t model)
{
    return model + 1 == leak->count ? "scales" : norn_backtest_model(leak->clean, model);
}

uint64_t norn_leak_poisoned(const norn_leak *leak, size_t fold)
{
    return fold < leak->folds ? leak->poisoned[fold] : 0;
}

uint64_t norn_leak_rows(const norn_leak *leak, size_t fold)
{
    return fold < leak->folds ? leak->rows[fold] : 0;
}

norn_moved norn_leak_moved(const norn_leak *leak, size_t model, size_t fold, norn_poison poison)
{
    if (model >= leak->count || fold >= leak->folds || (unsigned)poison >= NORN_POISONS)
        return (norn_moved){0};
    return leak->moved[(model * leak->folds + fold) * NORN_POISONS + (size_t)poison];
}

norn_moved norn_leak_total(const norn_leak *leak, size_t model)
{
    const size_t first = model < leak->count ? model : 0, each = leak->folds * NORN_POISONS;
    const size_t end = model < leak->count ? model + 1 : model == leak->count ? leak->count : 0;
    norn_moved out = {0};
    for (size_t i = first * each; i < end * each; i++) {
        const norn_moved *one = &leak->moved[i];
        if (!out.moved && one->moved) {
            out.series = one->series;
            out.fold = one->fold;
            out.step = one->step;
        }
        out.compared += one->compared;
        out.moved += one->moved;
        out.bits += one->bits;
    }
    return out;
}

/* ---- what a look ahead would have earned -----------------------------------------------------------------
 */

/* Every target of a series becomes the mean of the value before, itself and the one after, as far as they are
 * there. */
static void smooth(const cell_copy *c, size_t s)
{
    const norn_table *t = c->table;
    const norn_rows *span = &t->spans[s];
    const size_t column = s % t->targets;
    const double *y = c->kept + column * t->rows + span->from;
    double *out = t->columns[column].cells + span->from;
    for (size_t i = 0; i < span->count; i++) {
        double sum = 0.0, count = 0.0;
        if (isnan(y[i])) continue;
        for (size_t j = i ? i - 1 : 0; j <= i + 1 && j < span->count; j++)
            if (!isnan(y[j])) {
                sum += y[j];
                count += 1.0;
            }
        out[i] = sum / count;
    }
}

norn_status norn_leak_teach(norn_backtest **honest, norn_backtest **ahead, norn_context *context,
                            norn_table *table, const norn_backtest_options *options, const norn_host *host,
                            norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    asked told;
    const norn_status taken = take_options(&told, options, err);
    if (taken != NORN_OK) return taken;
    cell_copy cells = {&services, table, NULL};
    norn_backtest *without = NULL, *with = NULL;
    norn_status status = norn_backtest_run(&without, context, table, &told.backtest, host, err);
    if (status == NORN_OK) status = keep(&cells, err);
    if (status == NORN_OK) {
        for (size_t s = 0; s < norn_table_series_count(table); s++) smooth(&cells, s);
        status = norn_backtest_make(&with, context, table, &told.backtest, NULL, 0, SIZE_MAX, host, err);
    }
    let_go(&cells); /* before the scores: they are against the values of the file */
    if (status == NORN_OK) status = norn_backtest_score(with, err);
    if (status == NORN_OK) {
        *honest = without;
        *ahead = with;
    } else {
        norn_backtest_free(without);
        norn_backtest_free(with);
    }
    return status;
}
