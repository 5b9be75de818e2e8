/* See folds.h. */
#include "backtest/folds.h"

#include <stdarg.h>
#include <stdio.h>

static size_t at_least(size_t value, size_t least)
{
    return value > least ? value : least;
}
static size_t at_most(size_t value, size_t most)
{
    return value < most ? value : most;
}

void norn_folds_decide(norn_folds *folds, const char *what, const char *flag, const char *format, ...)
{
    if (folds->decided == NORN_BACKTEST_DECISIONS) return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(folds->texts[folds->decided], NORN_BACKTEST_TEXT, format, arguments);
    va_end(arguments);
    folds->decisions[folds->decided] = (norn_decision){what, folds->texts[folds->decided], flag, NULL};
    folds->decided++;
}

static norn_status check(const norn_backtest_options *o, norn_error *err)
{
    /* far above any use, and low enough that no sum of rows overflows */
    const size_t most = SIZE_MAX >> 24;
    const struct {
        bool wrong;
        const char *message;
    } checks[] = {
        {o->horizon > most, "--horizon is too large"},
        {o->folds > 1000000, "--folds must be at most 1000000"},
        {o->step > most, "--step is too large"},
        {o->gap > most, "--gap is too large"},
        {o->train_rows > most, "--train-rows is too large"},
        {o->season > most, "--season is too large"},
        {o->window > most, "--window is too large"},
        {(unsigned)o->compat > NORN_COMPAT_DARTS, "--compat must be norn, nixtla, gluonts or darts"},
        {o->bootstrap > 1000000, "--bootstrap must be at most 1000000"},
        {o->train_rows == 1, "--train-rows must be at least 2"},
    };
    for (size_t i = 0; i < NORN_COUNT(checks); i++)
        if (checks[i].wrong) return norn_fail(err, NORN_ERR_USAGE, "%s", checks[i].message);
    return NORN_OK;
}

static const char *s_if(size_t count)
{
    return count == 1 ? "" : "s";
}

enum { MOST_FOLDS = 5 }; /* by default */

/* What a fit must see: with a season, one pair of rows for the scale of MASE. */
static size_t least_rows(const norn_backtest_options *o)
{
    return o->train_rows ? o->train_rows : at_least(o->season + 1, 2);
}

/* Sizes by the longest series: a short one is left out, it does not change what the others are asked. */
static void choose_sizes(norn_folds *f, const norn_backtest_options *asked, size_t longest)
{
    norn_backtest_options *const o = &f->options;
    const size_t suggested = norn_table_season(f->table);
    if (asked->season) {
        norn_folds_decide(f, "season", "--season", asked->season > 1 ? "%zu rows, as told" : "none, as told",
                          o->season);
    } else if (suggested > 1 && longest / 3 < suggested) {
        o->season = 1;
        norn_folds_decide(f, "season", "--season", "none: %zu rows hold fewer than three seasons of %zu",
                          longest, suggested);
    } else {
        o->season = at_least(suggested, 1);
        norn_folds_decide(f, "season", "--season",
                          o->season > 1 ? "%zu rows, by the step" : "none known for this step", o->season);
    }
    if (!o->horizon) o->horizon = o->season > 1 ? o->season : at_least(at_most(24, longest / 10), 1);
    norn_folds_decide(f, "horizon", "--horizon", "%zu row%s%s", o->horizon, s_if(o->horizon),
                      asked->horizon  ? ", as told"
                      : o->season > 1 ? ", one season"
                                      : ", a tenth of the rows or 24");
    if (!o->step) o->step = o->horizon;
    if (!o->folds) {
        const size_t one = least_rows(o) + o->gap + o->horizon;
        o->folds = longest > one ? 1 + at_most(MOST_FOLDS - 1, (longest - one) / o->step) : 1;
    }
    norn_folds_decide(f, "cutoffs", "--folds, --step", "%zu, %zu row%s apart%s", o->folds, o->step,
                      s_if(o->step),
                      !asked->folds && o->folds < MOST_FOLDS ? ": there are no rows for more" : "");
}

static void say_training(norn_folds *f)
{
    const norn_backtest_options *const o = &f->options;
    char rows[64] = "all rows before", gap[64] = "", refit[64];
    if (o->train_rows) (void)snprintf(rows, sizeof rows, "the last %zu rows", o->train_rows);
    if (o->gap) (void)snprintf(gap, sizeof gap, " but the last %zu", o->gap);
    if (o->refit_every == 0)
        (void)snprintf(refit, sizeof refit, "once, at the first cutoff");
    else if (o->refit_every == 1)
        (void)snprintf(refit, sizeof refit, "at every cutoff");
    else
        (void)snprintf(refit, sizeof refit, "at every %zu cutoffs", o->refit_every);
    norn_folds_decide(f, "fitted", "--refit, --train-rows", "%s, on %s%s", refit, rows, gap);
}

norn_status norn_folds_plan(norn_folds *f, const norn_table *table, const norn_backtest_options *asked,
                            const norn_host *host, norn_error *err)
{
    *f = (norn_folds){.table = table, .options = *asked, .all = norn_table_series_count(table)};
    norn_backtest_options *const o = &f->options;
    size_t longest = 0;
    norn_status status = check(asked, err);
    if (status != NORN_OK) return status;
    for (size_t s = 0; s < f->all; s++)
        if (norn_table_goes_on(table, s)) longest = at_least(longest, norn_table_rows(table, s));
    choose_sizes(f, asked, longest);
    f->fits = o->refit_every ? (o->folds + o->refit_every - 1) / o->refit_every : 1;

    const size_t least = least_rows(o), most = SIZE_MAX >> 1;
    if (o->folds > 1 && o->step > most / o->folds)
        return norn_fail(err, NORN_ERR_USAGE, "--folds %zu of --step %zu are too many rows", o->folds,
                         o->step);
    f->needed = least + o->gap + (o->folds - 1) * o->step + o->horizon;
    f->series = norn_new(host, f->all, sizeof *f->series);
    f->place = norn_new(host, f->all, sizeof *f->place);
    if (!f->series || !f->place) return norn_fail_memory(err, "the plan of a backtest");
    for (size_t s = 0; s < f->all; s++) {
        const size_t rows = norn_table_rows(table, s);
        f->place[s] = SIZE_MAX;
        f->pieces += !norn_table_goes_on(table, s);
        if (rows < f->needed || !norn_table_goes_on(table, s)) continue;
        f->longest = at_least(f->longest, rows);
        f->place[s] = f->count;
        f->series[f->count++] = s;
    }
    if (!f->count)
        return norn_fail(
            err, NORN_ERR_USAGE,
            "the longest series has %zu row%s, %zu are needed: %zu to fit on%s, and %zu cutoff%s "
            "%zu apart with a horizon of %zu (fewer --folds, or a smaller %s--step or --horizon)",
            longest, s_if(longest), f->needed, least, o->gap ? " before the gap" : "", o->folds,
            s_if(o->folds), o->step, o->horizon,
            o->train_rows && o->gap ? "--train-rows, --gap, "
            : o->train_rows         ? "--train-rows, "
            : o->gap                ? "--gap, "
                                    : "");
    if (!o->window) o->window = at_least(at_most(2 * o->horizon, (f->longest - f->needed + least) / 4), 8);
    norn_folds_decide(f, "window", "--window", "%zu row%s%s", o->window, s_if(o->window),
                      asked->window                 ? ", as told"
                      : o->window == 2 * o->horizon ? ", two horizons"
                      : o->window == 8              ? ", the least"
                                                    : ", a quarter of what the first fit sees");
    say_training(f);
    const size_t whole = f->all - f->pieces;
    if (f->count < whole)
        norn_folds_decide(f, "left out", "--folds", "%zu of %zu series have fewer than the %zu rows needed",
                          whole - f->count, whole, f->needed);
    if (f->pieces)
        norn_folds_decide(f, "pieces", "--on-gap",
                          "%zu before a gap: networks learn from them, none is scored", f->pieces);
    return NORN_OK;
}

void norn_folds_clear(norn_folds *f, const norn_host *host)
{
    norn_delete(host, f->series, f->all, sizeof *f->series);
    norn_delete(host, f->place, f->all, sizeof *f->place);
    f->series = f->place = NULL;
}

/* ---- rows ---- */

size_t norn_folds_cutoff(const norn_folds *f, size_t i, size_t fold)
{
    const norn_backtest_options *const o = &f->options;
    return norn_table_rows(f->table, f->series[i]) - 1 - o->horizon - (o->folds - 1 - fold) * o->step;
}

size_t norn_folds_fit_of(const norn_folds *f, size_t fold)
{
    return f->options.refit_every ? fold / f->options.refit_every : 0;
}

size_t norn_folds_first_of(const norn_folds *f, size_t fit)
{
    return fit * f->options.refit_every;
}

norn_view norn_folds_train(const norn_folds *f, size_t i, size_t fit)
{
    const size_t end = norn_folds_cutoff(f, i, norn_folds_first_of(f, fit)) + 1 - f->options.gap;
    const size_t rows = f->options.train_rows ? f->options.train_rows : end;
    return (norn_view){norn_table_target(f->table, f->series[i]) + (end - rows), rows, end - rows};
}

norn_view norn_folds_past(const norn_folds *f, size_t i, size_t fold)
{
    const norn_view train = norn_folds_train(f, i, norn_folds_fit_of(f, fold));
    return (norn_view){train.y, norn_folds_cutoff(f, i, fold) + 1 - train.first, train.first};
}
