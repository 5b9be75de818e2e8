/*
 * Sizes and recipes, chosen from the rows that the judge sees: see run.h for the words and recipe.h for what
 * is chosen for each series. docs/decisions.md tells where the numbers are from.
 */
#include "forecast/run.h"

#include "data/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The numbers of the recipe, by regime: fewer than 1000 training windows, or more. docs/decisions.md. What is
 * known ahead is worth the longer training, and worth believing: with future covariates the second regime
 * holds for few windows too, and no correction is damped. */
static const norn_regime regimes[] = {{"short", 16, 32, 5, 40, 12, 4}, {"long", 64, 64, 30, 40, 10, 2}};
static const size_t long_from = 1000;

void norn_choose(norn_choices *choices, const char *what, const char *flag, const char *format, ...)
{
    if (choices->count == NORN_MOST_CHOICES) return;
    char *text = choices->texts[choices->count];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, NORN_CHOICE_TEXT, format, arguments);
    va_end(arguments);
    choices->list[choices->count++] = (norn_decision){what, text, flag, NULL};
}

/* ---- rows ---- */

size_t norn_run_visible(const norn_run *r, const norn_fold *fold, size_t s)
{
    const size_t rows = norn_table_rows(r->table, s), behind = r->ended[s] ? 0 : fold->behind;
    return rows > behind ? rows - behind : 0;
}

/* A piece lies before a cutoff as a whole, or is not seen: the row that decides is the last that the fold may
 * learn from, of the series that it is a piece of. Pieces stand before the one that goes on. */
static bool sees_piece(const norn_run *r, const norn_fold *fold, size_t s)
{
    const size_t apart = r->table->targets;
    size_t whole = s;
    while (whole < r->series && r->ended[whole]) whole += apart;
    for (size_t k = s; whole >= r->series; k -= apart) { /* none behind it: the last before it */
        if (!r->ended[k]) whole = k;
        if (k < apart) break;
    }
    if (whole >= r->series) return true; /* no cutoff at all */
    const size_t n = norn_run_visible(r, fold, whole);
    if (n <= fold->gap) return false;
    return norn_table_times(r->table, s)[norn_table_rows(r->table, s) - 1] <=
           norn_table_times(r->table, whole)[n - fold->gap - 1];
}

size_t norn_run_rows(const norn_run *r, const norn_fold *view, size_t s, size_t *from)
{
    const size_t n = norn_run_visible(r, view, s), gap = r->ended[s] ? 0 : view->gap;
    const size_t end = r->ended[s] && !sees_piece(r, view, s) ? 0 : n > gap ? n - gap : 0;
    *from = view->rows && !r->ended[s] && end > view->rows ? end - view->rows : 0;
    return end;
}

size_t norn_run_shortest(const norn_run *r)
{
    size_t found = SIZE_MAX;
    for (size_t s = 0; s < r->series; s++)
        if (!r->ended[s] &&
            (found == SIZE_MAX || norn_table_rows(r->table, s) < norn_table_rows(r->table, found)))
            found = s;
    return found;
}

/* The quoted name of a series for a message. */
static const char *name_of(const norn_run *r, size_t s, char out[160])
{
    const char *id = norn_table_id(r->table, s);
    return norn_quote(out, 160, id, strlen(id), 60);
}

const char *norn_run_name_short(const norn_run *r, size_t needed, char out[320])
{
    size_t first = SIZE_MAX, count = 0;
    for (size_t s = 0; s < r->series; s++) {
        if (r->ended[s] || norn_table_rows(r->table, s) >= needed) continue;
        if (!count++) first = s;
    }
    if (first == SIZE_MAX) first = norn_run_shortest(r);
    char name[160], others[64] = "";
    if (count > 1) (void)snprintf(others, sizeof others, " (and %zu more series are too short)", count - 1);
    (void)snprintf(out, 320, "series \"%s\" has %zu row%s%s", name_of(r, first, name),
                   norn_table_rows(r->table, first), norn_table_rows(r->table, first) == 1 ? "" : "s",
                   others);
    return out;
}

/* ---- sizes ---- */

norn_status norn_run_check_options(const norn_forecast_options *o, norn_error *err)
{
    const struct {
        bool wrong;
        const char *message;
    } checks[] = {
        {o->holdout < -1, "--holdout is 0 for no scoring, or the horizon"},
        {!(o->dropout < 1.0), "--dropout must be at least 0 and below 1"},
        {!(o->learning_rate >= 0.0 && o->learning_rate <= 100.0), "--lr must be above 0 and at most 100"},
        {!(o->time_limit >= 0.0), "--time-limit must not be negative"},
        {(unsigned)o->loss > NORN_LOSS_MAPE, "--loss must be mse, mae, huber, pinball or mape"},
        {!(o->quantile >= 0.0 && o->quantile < 1.0), "--quantile must be above 0 and below 1"},
        {o->quantile > 0.0 && o->loss != NORN_LOSS_PINBALL, "--quantile is for --loss pinball"},
        {!(o->clip_norm <= 1e30), "--clip-norm must be at most 1e30"},
        {(unsigned)o->init > NORN_INIT_ORTHOGONAL, "--init must be uniform, xavier or orthogonal"},
        {!(fabs(o->forget_bias) <= 1000.0), "--forget-bias must be between -1000 and 1000"},
        {o->rate_factor != 0.0 && o->schedule != NORN_RATE_STEP && o->schedule != NORN_RATE_EXPONENTIAL,
         "--rate-factor is for --schedule step or exponential"},
        {o->rate_every && o->schedule != NORN_RATE_STEP, "--rate-every is for --schedule step"},
        {o->epochs > 1000000, "--epochs must be at most 1000000"},
        {o->steps_per_epoch > 100000000, "--steps-per-epoch must be at most 100000000"},
        {o->members > NORN_MOST_MEMBERS, "--members must be at most 1000"},
        {(unsigned)o->members_on > NORN_MEMBERS_ON_ROWS, "--members-on must be seeds or rows"},
    };
    for (size_t i = 0; i < NORN_COUNT(checks); i++)
        if (checks[i].wrong) return norn_fail(err, NORN_ERR_USAGE, "%s", checks[i].message);
    const norn_optimiser optimiser = {.kind = o->optimiser,
                                      .decay = o->weight_decay,
                                      .momentum = o->momentum,
                                      .clip_value = o->clip_value,
                                      .nesterov = o->nesterov != 0};
    const norn_rate_plan rate = {o->schedule, o->warmup, o->rate_factor, o->rate_every};
    const norn_status status = norn_optimiser_check(&optimiser, err);
    return status == NORN_OK ? norn_rate_check(&rate, err) : status;
}

norn_status norn_run_season(norn_run *r, size_t rows, norn_error *err)
{
    const norn_forecast_options *o = r->options;
    const size_t suggested = norn_table_season(r->table);
    char text[320];
    r->season = o->season ? o->season : suggested;
    if (o->season) {
        norn_choose(r->choices, "season", "--season", o->season > 1 ? "%zu rows, as told" : "none, as told",
                    r->season);
    } else if (suggested > 1 && rows / 3 < suggested) {
        r->season = 1;
        norn_choose(r->choices, "season", "--season", "none: %zu rows hold fewer than three seasons of %zu",
                    rows, suggested);
    } else {
        norn_choose(r->choices, "season", "--season",
                    r->season > 1 ? "%zu rows, by the step" : "none known for this step", r->season);
    }
    if (r->season >= rows && r->season > 1)
        return norn_fail(err, NORN_ERR_USAGE, "--season %zu is too long: %s", r->season,
                         norn_run_name_short(r, r->season, text));
    return NORN_OK;
}

/* The rows that future covariates cover after the last, of the first series that has fewest of them. */
static size_t least_ahead(const norn_run *r)
{
    size_t least = SIZE_MAX;
    for (size_t s = 0; s < r->series; s++)
        if (!r->ended[s]) least = norn_at_most(norn_table_ahead(r->table, s), least);
    return least;
}

void norn_run_horizon(norn_run *r, size_t rows)
{
    const norn_forecast_options *o = r->options;
    const size_t ahead = norn_table_future_count(r->table) > 0 ? least_ahead(r) : SIZE_MAX;
    /* A season is held back, one to stop by and one to train on: fewer than four leave nothing to see. */
    const bool seasons = r->season > 1 && (rows / 4 >= r->season || o->season);
    const char *why = o->horizon      ? ", as told"
                      : seasons       ? ", one season"
                      : r->season > 1 ? ", a tenth of the series: it has fewer than four seasons"
                                      : ", a tenth of the series or 24";
    r->horizon = o->horizon ? o->horizon
                 : seasons  ? r->season
                            : norn_at_least(norn_at_most(24, rows / 10), 1);
    if (!o->horizon && ahead && ahead != SIZE_MAX && (ahead < r->horizon || ahead <= rows / 5)) {
        r->horizon = ahead;
        why = ", as far as the future covariates go";
    }
    norn_choose(r->choices, "horizon", "--horizon", "%zu row%s%s", r->horizon, r->horizon == 1 ? "" : "s",
                why);
}

norn_status norn_run_check_ahead(const norn_run *r, size_t behind, norn_error *err)
{
    const size_t needed = r->horizon > behind ? r->horizon - behind : 0;
    if (!norn_table_future_count(r->table) || least_ahead(r) >= needed) return NORN_OK;
    size_t first = 0, wanting = 0;
    for (size_t s = 0; s < r->series; s++)
        wanting += !r->ended[s] && norn_table_ahead(r->table, s) < needed ? 1 : 0;
    while (r->ended[first] || norn_table_ahead(r->table, first) >= needed) first++;
    char name[160], others[64] = "";
    if (wanting > 1)
        (void)snprintf(others, sizeof others, " (and %zu more series have too few)", wanting - 1);
    return norn_fail(
        err, NORN_ERR_USAGE,
        "series \"%s\" has %zu rows of future covariates after its last value, and a horizon of "
        "%zu needs as many%s: add such rows to the file, or take %s--past for columns that are not "
        "known ahead",
        name_of(r, first, name), norn_table_ahead(r->table, first), r->horizon, others,
        least_ahead(r) ? "a smaller --horizon, or " : "");
}

size_t norn_run_window(const norn_run *r, size_t seen)
{
    return r->options->window ? r->options->window : norn_at_least(norn_at_most(2 * r->horizon, seen / 4), 8);
}

void norn_run_say_window(norn_run *r)
{
    norn_choose(r->choices, "window", "--window", "%zu rows%s", r->window,
                r->options->window            ? ", as told"
                : r->window == 2 * r->horizon ? ", two horizons"
                : r->window == 8              ? ", the least"
                                              : ", a quarter of the series");
}

size_t norn_run_validation(const norn_run *r, size_t n)
{
    return norn_at_least(r->horizon, n / 10);
}

/* ---- recipes ---- */

/* Of the values that are there. */
static bool all_positive(const double *y, size_t n)
{
    size_t i = 0;
    while (i < n && !(y[i] <= 0.0)) i++;
    return i == n;
}

/* Why a series that goes on has no recipe. */
static norn_status fail_short(const norn_run *r, size_t s, size_t view, size_t others, norn_error *err)
{
    const size_t n = norn_run_visible(r, &r->views[view], s), v = norn_run_validation(r, n);
    char name[160], more[64] = "";
    if (others) (void)snprintf(more, sizeof more, " (and %zu more series are too short)", others);
    return norn_fail(err, NORN_ERR_USAGE,
                     "series \"%s\" has %zu rows%s: too few for a window of %zu, a horizon of %zu and %zu "
                     "rows to stop by (%zu are needed)%s; a smaller --window or --horizon is needed%s",
                     name_of(r, s, name), n, view ? " without those held back" : "", r->window, r->horizon, v,
                     r->window + r->horizon + v, more, r->view_count > 1 ? ", or --holdout 0" : "");
}

/* Every view needs targets to train on and to stop by, whichever series they are of. */
static norn_status check_windows(const norn_run *r, norn_error *err)
{
    for (size_t v = 0; v < r->view_count; v++) {
        bool train = false, valid = false, any = false;
        for (size_t s = 0; s < r->series; s++) {
            any |= !r->ended[s] && r->recipes[v * r->series + s].seen > 0;
            train |= r->train[v * r->series + s].count > 0;
            valid |= r->valid[v * r->series + s].count > 0;
        }
        char where[80] = "";
        if (r->skips)
            (void)snprintf(where, sizeof where, " before the cutoff %zu rows from the end",
                           r->views[v].behind);
        if (!any)
            return norn_fail(err, NORN_ERR_USAGE,
                             "no series has rows enough%s for a window of %zu, a horizon of %zu and as many "
                             "rows to stop by: a smaller --folds, --step, --window or --horizon is needed",
                             where, r->window, r->horizon);
        if (!train || !valid)
            return norn_fail(err, NORN_ERR_USAGE,
                             "so many targets are missing that none is left to %s%s: they must be filled "
                             "(--on-missing)",
                             train ? "stop by" : "train on",
                             r->skips ? where
                             : v      ? " without the rows held back"
                                      : "");
    }
    return NORN_OK;
}

/* What one view makes of a series; false when it leaves no window. A value of 0 or less has no logarithm:
 * where the judge did not see it, it is missing. */
static bool fit_recipe(norn_run *r, size_t view, size_t s, bool log_of)
{
    size_t from = 0;
    const size_t end = norn_run_rows(r, &r->views[view], s, &from), n = end - from;
    const size_t v = r->ended[s] ? 0 : norn_run_validation(r, n); /* others than a piece say when to stop */
    const double *y = norn_table_target(r->table, s);
    norn_recipe_series *one = &r->recipes[view * r->series + s];
    const bool fits = n > 0 && norn_recipe_fit(one, y + from, n, log_of, r->window, r->horizon, v, r->season);
    if (!fits) *one = (norn_recipe_series){.log = log_of};
    one->from = from;
    one->learnt = end > v ? end - v : 0;
    one->seen = fits ? norn_run_visible(r, &r->views[view], s) : 0;
    if (one->train.count) one->train.first += from;
    if (one->valid.count) one->valid.first += from;
    r->train[view * r->series + s] = one->train;
    r->valid[view * r->series + s] = one->valid;
    return fits;
}

/* The recipes of one series, for all views. False when it leaves no window to one of them: the first. */
static bool choose_recipe(norn_run *r, size_t s, size_t *failing)
{
    const double *y = norn_table_target(r->table, s);
    size_t from = 0;
    const size_t end = norn_run_rows(r, &r->judge, s, &from), n = end - from;
    const size_t v = r->ended[s] ? 0 : norn_run_validation(r, n);
    /* Judged by the training rows, but no row that every fold sees may be without a logarithm. */
    const bool log_of = n > v && norn_recipe_log(y + from, n - v, r->season) && all_positive(y + from, n);
    bool fits = true;
    for (size_t view = 0; view < r->view_count; view++) {
        if (fit_recipe(r, view, s, log_of)) continue;
        if (fits) *failing = view;
        fits = false;
    }
    return fits;
}

/* The views of the folds that are trained, and the judge behind them unless it is the last of them. */
static norn_status make_views(norn_run *r, norn_error *err)
{
    for (size_t k = 0; k < r->fold_count; k++)
        if (r->folds[k].served_by == k) {
            r->view_of[k] = r->view_count;
            r->views[r->view_count++] = r->folds[k];
        }
    for (size_t k = 0; k < r->fold_count; k++)
        if (r->folds[k].served_by != k) {
            const size_t by = r->folds[k].served_by;
            if (by >= r->fold_count || r->folds[by].served_by != by ||
                r->folds[by].behind < r->folds[k].behind)
                return norn_fail(err, NORN_ERR_USAGE, "fold %zu is served by one that is not before it", k);
            r->view_of[k] = r->view_of[by];
        }
    const norn_fold *last = r->view_count ? &r->views[r->view_count - 1] : NULL;
    if (!last || last->behind != r->judge.behind || last->gap != r->judge.gap || last->rows != r->judge.rows)
        r->views[r->view_count++] = r->judge;
    return NORN_OK;
}

/* What the recipes of the judge are, in words. */
static void say_recipes(norn_run *r, size_t skipped)
{
    size_t logs = 0, seasonal = 0, windows = 0, pieces = 0, left_out = 0, used = 0;
    for (size_t s = 0; s < r->series; s++) {
        const norn_recipe_series *one = &r->recipes[(r->view_count - 1) * r->series + s];
        pieces += r->ended[s];
        left_out += r->ended[s] && !one->seen;
        if (!one->seen) continue;
        used++;
        logs += one->log;
        seasonal += one->season > 0;
        windows += one->train.count;
    }
    const bool longer = windows >= long_from || norn_table_future_count(r->table) > 0;
    r->regime = &regimes[longer];
    /* A damped quantile would be none. */
    r->shrink = !longer && r->options->loss != NORN_LOSS_PINBALL;
    if (skipped)
        norn_choose(r->choices, "series", "--folds, --window, --horizon",
                    "%zu of %zu are too short for some folds: left out of these", skipped,
                    r->series - pieces);
    if (left_out)
        norn_choose(r->choices, "pieces", "--on-gap",
                    "%zu of %zu before a gap are too short for a window and a horizon: left out", left_out,
                    pieces);
    if (logs)
        norn_choose(r->choices, "transform", "",
                    logs == used ? "logarithm: the spread grows with the level"
                                 : "logarithm of %zu of %zu series, whose spread grows with the level",
                    logs, used);
    if (seasonal == used)
        norn_choose(r->choices, "base", "--season", "one season before, corrected by the network%s",
                    r->shrink ? ", damped" : "");
    else if (seasonal == 0)
        norn_choose(r->choices, "base", "--season", "the last value, corrected by the network");
    else
        norn_choose(r->choices, "base", "--season",
                    "one season before for %zu series, the last value for %zu", seasonal, used - seasonal);
}

norn_status norn_run_recipes(norn_run *r, norn_error *err)
{
    size_t failures = 0, first = 0, failing = 0;
    norn_status status = make_views(r, err);
    if (status != NORN_OK) return status;
    const size_t all = r->view_count * r->series;
    r->recipes = norn_new(r->host, all, sizeof *r->recipes);
    r->train = norn_new(r->host, all, sizeof *r->train);
    r->valid = norn_new(r->host, all, sizeof *r->valid);
    if (!r->recipes || !r->train || !r->valid) return norn_fail_memory(err, "the plan of a forecast");
    for (size_t s = 0; s < r->series; s++) {
        size_t view = 0;
        if (choose_recipe(r, s, &view) || r->ended[s] || failures++) continue;
        first = s;
        failing = view;
    }
    if (failures && !r->skips) return fail_short(r, first, failing, failures - 1, err);
    status = check_windows(r, err);
    if (status == NORN_OK) say_recipes(r, failures);
    return status;
}

/* ---- begin and end ---- */

static norn_status read_cell(norn_run *r, norn_error *err)
{
    const char *word = r->options->cell;
    if (!word || strcmp(word, "lstm") == 0) return NORN_OK;
    return norn_cell_named(&r->cell, word, r->host, err);
}

norn_status norn_run_begin(norn_run *r, norn_error *err)
{
    r->series = norn_table_series_count(r->table);
    r->room = r->fold_count;
    r->ended = norn_new(r->host, r->series, sizeof *r->ended);
    r->views = norn_new(r->host, r->room + 1, sizeof *r->views);
    r->view_of = norn_new(r->host, r->room + 1, sizeof *r->view_of);
    if (!r->ended || !r->views || !r->view_of) return norn_fail_memory(err, "a forecast");
    for (size_t s = 0; s < r->series; s++) r->ended[s] = !norn_table_goes_on(r->table, s);
    for (size_t p = 0; p < norn_table_past_count(r->table); p++)
        if (!norn_table_past(r->table, 0, p))
            return norn_fail(err, NORN_ERR_USAGE,
                             "the covariate \"%s\" is gone: consumed by a forecast before",
                             norn_table_past_name(r->table, p));
    return read_cell(r, err);
}

void norn_run_end(norn_run *r)
{
    norn_cell_free(r->cell);
    const size_t all = r->view_count * r->series;
    norn_series_free(r->device);
    norn_delete(r->host, r->kept, r->members * r->parameters, sizeof *r->kept);
    norn_inputs_free(&r->inputs);
    norn_delete(r->host, r->recipes, all, sizeof *r->recipes);
    norn_delete(r->host, r->train, all, sizeof *r->train);
    norn_delete(r->host, r->valid, all, sizeof *r->valid);
    norn_delete(r->host, r->views, r->room + 1, sizeof *r->views);
    norn_delete(r->host, r->view_of, r->room + 1, sizeof *r->view_of);
    norn_delete(r->host, r->ended, r->series, sizeof *r->ended);
}
