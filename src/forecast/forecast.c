/*
 * From a table to a forecast: sizes, members, training, scores. See norn/forecast.h for what is promised and
 * recipe.h for what is chosen from the data.
 *
 * Member 0 sees all rows and prints. Member 1, if there is a holdout, sees all but the last horizon and is
 * scored on it. Choices that both share (log, sizes, network) are made from what member 1 may see.
 */
#include "norn/forecast.h"

#include "data/table.h"
#include "forecast/baseline.h"
#include "forecast/inputs.h"
#include "forecast/metrics.h"
#include "nn/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DECISIONS = 16, DECISION_TEXT = 200, MODELS = 4, MOST_MEMBERS = 2 };

/* The numbers of the recipe, by regime: fewer than 1000 training windows, or more. docs/decisions.md. What is
 * known ahead is worth the longer training, and worth believing: with future covariates the second regime
 * holds for few windows too, and no correction is damped. */
typedef struct regime {
    const char *name;
    unsigned hidden, batch, steps_per_epoch, epochs, patience, settle;
} regime;
static const regime regimes[] = {{"short", 16, 32, 5, 40, 12, 4}, {"long", 64, 64, 30, 40, 10, 2}};
static const size_t long_from = 1000;

/* On a short seasonal series the network's correction counts for this much, and the last yearly change for
 * that much. */
static const double short_correction = 0.3, short_change = 0.2;
static const double default_rate = 5e-3, default_clip = 1.0;

/* The default budget: 60 s at 5e10 operations a second, in operations so that no clock decides about results.
 */
static const double budget = 3e12;

struct norn_forecast {
    norn_host host;
    size_t series, horizon, window, season, holdout, members, models;
    bool *ended;          /* [S] a piece of a split series, which is neither scored nor forecast */
    double *values;       /* [S][h] */
    double *held[MODELS]; /* [S][holdout] of each scored model */
    bool unscored;        /* the scored member diverged */
    norn_score scores[MODELS];
    norn_training training[MOST_MEMBERS];
    size_t parameters;
    norn_decision decisions[MOST_DECISIONS];
    char texts[MOST_DECISIONS][DECISION_TEXT];
    size_t decided;
};

typedef struct run {
    norn_forecast *f;
    norn_context *context;
    norn_table *table;
    const norn_forecast_options *options;
    const norn_host *services;
    const norn_host *host;
    norn_recipe_series *recipes; /* [M][S] */
    norn_span *train, *valid;    /* [M][S] */
    norn_inputs inputs;
    norn_series *series;
    norn_network *network;
    const regime *regime;
    bool shrink; /* few windows and nothing known ahead: season bases take the damped recipe */
} run;

static void decide(norn_forecast *f, const char *what, const char *flag, const char *format, ...)
    NORN_PRINTF(4, 5);
static void decide(norn_forecast *f, const char *what, const char *flag, const char *format, ...)
{
    if (f->decided == MOST_DECISIONS) return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(f->texts[f->decided], DECISION_TEXT, format, arguments);
    va_end(arguments);
    f->decisions[f->decided] = (norn_decision){what, f->texts[f->decided], flag, NULL};
    f->decided++;
}

static size_t at_least(size_t value, size_t least)
{
    return value > least ? value : least;
}
static size_t at_most(size_t value, size_t most)
{
    return value < most ? value : most;
}

/* Rows of a series that a member may see: a piece lies before the cutoff as a whole. */
static size_t visible(const run *r, size_t member, size_t s)
{
    return norn_table_rows(r->table, s) - (member && !r->f->ended[s] ? r->f->holdout : 0);
}

/* The first of the shortest series that go on; SIZE_MAX: none goes on. */
static size_t shortest(const run *r)
{
    size_t found = SIZE_MAX;
    for (size_t s = 0; s < r->f->series; s++)
        if (!r->f->ended[s] &&
            (found == SIZE_MAX || norn_table_rows(r->table, s) < norn_table_rows(r->table, found)))
            found = s;
    return found;
}

/* The quoted name of a series for a message. */
static const char *name_of(const run *r, size_t s, char out[160])
{
    const char *id = norn_table_id(r->table, s);
    return norn_quote(out, 160, id, strlen(id), 60);
}

/* `series "a" has 5 rows (as have 2 more too few)`: the first series of fewer than `needed` rows, and how
 * many there are beside it. */
static const char *name_short(const run *r, size_t needed, char out[320])
{
    size_t first = SIZE_MAX, count = 0;
    for (size_t s = 0; s < r->f->series; s++) {
        if (r->f->ended[s] || norn_table_rows(r->table, s) >= needed) continue;
        if (!count++) first = s;
    }
    if (first == SIZE_MAX) first = shortest(r);
    char name[160], others[64] = "";
    if (count > 1) (void)snprintf(others, sizeof others, " (and %zu more series are too short)", count - 1);
    (void)snprintf(out, 320, "series \"%s\" has %zu row%s%s", name_of(r, first, name),
                   norn_table_rows(r->table, first), norn_table_rows(r->table, first) == 1 ? "" : "s",
                   others);
    return out;
}

/* ---- sizes ---- */

static norn_status check_options(const norn_forecast_options *o, norn_error *err)
{
    const struct {
        bool wrong;
        const char *message;
    } checks[] = {
        {o->holdout < -1, "--holdout is 0 for no scoring, or the horizon"},
        {!(o->dropout < 1.0), "--dropout must be at least 0 and below 1"},
        {!(o->learning_rate >= 0.0 && o->learning_rate <= 100.0), "--lr must be above 0 and at most 100"},
        {!(o->time_limit >= 0.0), "--time-limit must not be negative"},
        {(unsigned)o->loss > NORN_LOSS_HUBER, "--loss must be mse, mae or huber"},
        {o->epochs > 1000000, "--epochs must be at most 1000000"},
        {o->steps_per_epoch > 100000000, "--steps-per-epoch must be at most 100000000"},
    };
    for (size_t i = 0; i < NORN_COUNT(checks); i++)
        if (checks[i].wrong) return norn_fail(err, NORN_ERR_USAGE, "%s", checks[i].message);
    return NORN_OK;
}

/* The rows that future covariates cover after the last, of the first series that has fewest of them. */
static size_t least_ahead(const run *r, size_t *series)
{
    size_t least = SIZE_MAX;
    for (size_t s = 0; s < r->f->series; s++)
        if (!r->f->ended[s] && norn_table_ahead(r->table, s) < least) {
            least = norn_table_ahead(r->table, s);
            *series = s;
        }
    return least;
}

static norn_status choose_horizon(run *r, size_t rows, norn_error *err)
{
    norn_forecast *f = r->f;
    const norn_forecast_options *o = r->options;
    const bool future = norn_table_future_count(r->table) > 0;
    size_t first = 0;
    const size_t ahead = future ? least_ahead(r, &first) : SIZE_MAX;
    /* A season is held back, one to stop by and one to train on: fewer than four leave nothing to see. */
    const bool seasons = f->season > 1 && (rows / 4 >= f->season || o->season);
    const char *why = o->horizon      ? ", as told"
                      : seasons       ? ", one season"
                      : f->season > 1 ? ", a tenth of the series: it has fewer than four seasons"
                                      : ", a tenth of the series or 24";
    f->horizon = o->horizon ? o->horizon : seasons ? f->season : at_least(at_most(24, rows / 10), 1);
    if (!o->horizon && ahead && ahead != SIZE_MAX && (ahead < f->horizon || ahead <= rows / 5)) {
        f->horizon = ahead;
        why = ", as far as the future covariates go";
    }
    decide(f, "horizon", "--horizon", "%zu row%s%s", f->horizon, f->horizon == 1 ? "" : "s", why);
    if (ahead >= f->horizon) return NORN_OK;
    size_t wanting = 0;
    first = 0;
    for (size_t s = 0; s < f->series; s++)
        wanting += !f->ended[s] && norn_table_ahead(r->table, s) < f->horizon ? 1 : 0;
    while (f->ended[first] || norn_table_ahead(r->table, first) >= f->horizon) first++;
    char name[160], others[64] = "";
    if (wanting > 1)
        (void)snprintf(others, sizeof others, " (and %zu more series have too few)", wanting - 1);
    return norn_fail(
        err, NORN_ERR_USAGE,
        "series \"%s\" has %zu rows of future covariates after its last value, and a horizon of "
        "%zu needs as many%s: add such rows to the file, or take %s--past for columns that are not "
        "known ahead",
        name_of(r, first, name), norn_table_ahead(r->table, first), f->horizon, others,
        ahead ? "a smaller --horizon, or " : "");
}

static norn_status choose_sizes(run *r, norn_error *err)
{
    norn_forecast *f = r->f;
    const norn_forecast_options *o = r->options;
    const size_t suggested = norn_table_season(r->table), least = shortest(r);
    char text[320];
    if (least == SIZE_MAX)
        return norn_fail(err, NORN_ERR_USAGE,
                         "no series goes on after its last row: there is nothing to forecast");
    const size_t rows = norn_table_rows(r->table, least);
    f->season = o->season ? o->season : suggested;
    if (o->season) {
        decide(f, "season", "--season", o->season > 1 ? "%zu rows, as told" : "none, as told", f->season);
    } else if (suggested > 1 && rows / 3 < suggested) {
        f->season = 1;
        decide(f, "season", "--season", "none: %zu rows hold fewer than three seasons of %zu", rows,
               suggested);
    } else {
        decide(f, "season", "--season", f->season > 1 ? "%zu rows, by the step" : "none known for this step",
               f->season);
    }
    if (f->season >= rows && f->season > 1)
        return norn_fail(err, NORN_ERR_USAGE, "--season %zu is too long: %s", f->season,
                         name_short(r, f->season, text));
    const norn_status status = choose_horizon(r, rows, err);
    if (status != NORN_OK) return status;
    if (o->holdout > 0 && (size_t)o->holdout != f->horizon)
        return norn_fail(err, NORN_ERR_USAGE, "--holdout is 0 for no scoring, or the horizon (%zu), not %lld",
                         f->horizon, (long long)o->holdout);
    f->holdout = o->holdout == 0 ? 0 : f->horizon;
    f->members = f->holdout ? 2 : 1;
    if (f->horizon >= rows || f->holdout >= rows - f->horizon)
        return norn_fail(
            err, NORN_ERR_USAGE, "%s: too few for a horizon of %zu%s; a smaller --horizon is needed",
            name_short(r, f->horizon < SIZE_MAX / 2 ? f->horizon + f->holdout + 1 : SIZE_MAX, text),
            f->horizon, f->holdout ? " with as many rows held back (--holdout 0 holds none)" : "");
    const size_t seen = rows - f->holdout;
    if (f->season > 1 && seen < f->season)
        return norn_fail(err, NORN_ERR_USAGE, "--season %zu is more than the %zu rows that may be seen",
                         f->season, seen);
    if (o->window >= seen)
        return norn_fail(
            err, NORN_ERR_USAGE, "--window %zu is too long: %s%s", o->window,
            name_short(r, o->window < SIZE_MAX / 2 ? o->window + f->holdout + 1 : SIZE_MAX, text),
            f->holdout ? ", those held back included" : "");
    f->window = o->window ? o->window : at_least(at_most(2 * f->horizon, seen / 4), 8);
    decide(f, "window", "--window", "%zu rows%s", f->window,
           o->window                     ? ", as told"
           : f->window == 2 * f->horizon ? ", two horizons"
           : f->window == 8              ? ", the least"
                                         : ", a quarter of the series");
    return NORN_OK;
}

/* Validation rows of a series of n visible rows. */
static size_t validation_rows(const run *r, size_t n)
{
    return at_least(r->f->horizon, n / 10);
}

/* Of the values that are there. */
static bool all_positive(const double *y, size_t n)
{
    size_t i = 0;
    while (i < n && !(y[i] <= 0.0)) i++;
    return i == n;
}

/* Why a series that goes on has no recipe. */
static norn_status fail_short(const run *r, size_t s, size_t member, size_t others, norn_error *err)
{
    const norn_forecast *f = r->f;
    const size_t n = visible(r, member, s), v = validation_rows(r, n);
    char name[160], more[64] = "";
    if (others) (void)snprintf(more, sizeof more, " (and %zu more series are too short)", others);
    return norn_fail(err, NORN_ERR_USAGE,
                     "series \"%s\" has %zu rows%s: too few for a window of %zu, a horizon of %zu and %zu "
                     "rows to stop by (%zu are needed)%s; a smaller --window or --horizon is needed%s",
                     name_of(r, s, name), n, member ? " without those held back" : "", f->window, f->horizon,
                     v, f->window + f->horizon + v, more, f->holdout ? ", or --holdout 0" : "");
}

/* Every member needs targets to train on and to stop by, whichever series they are of. */
static norn_status check_windows(const run *r, norn_error *err)
{
    const norn_forecast *f = r->f;
    for (size_t m = 0; m < f->members; m++) {
        bool train = false, valid = false;
        for (size_t s = 0; s < f->series; s++) {
            train |= r->train[m * f->series + s].count > 0;
            valid |= r->valid[m * f->series + s].count > 0;
        }
        if (!train || !valid)
            return norn_fail(err, NORN_ERR_USAGE,
                             "so many targets are missing that none is left to %s%s: they must be filled "
                             "(--on-missing)",
                             train ? "stop by" : "train on", m ? " without the rows held back" : "");
    }
    return NORN_OK;
}

/* The recipes of one series, for all members. False when it leaves no window to one of them. */
static bool choose_recipe(run *r, size_t s, size_t *failing)
{
    const norn_forecast *f = r->f;
    const bool piece = f->ended[s]; /* of which no rows are set aside: others say when to stop */
    const double *y = norn_table_target(r->table, s);
    const size_t least = visible(r, f->members - 1, s), v = piece ? 0 : validation_rows(r, least);
    /* Judged by the training rows, but no row that every member sees may be without a logarithm. */
    const bool log_of = least > v && norn_recipe_log(y, least - v, f->season) && all_positive(y, least);
    for (size_t m = 0; m < f->members; m++) {
        const size_t n = visible(r, m, s);
        norn_recipe_series *one = &r->recipes[m * f->series + s];
        /* A value of 0 or less among the rows that only member 0 sees, none of them a training row, has no
         * logarithm: it is missing there. */
        *failing = m;
        if (!norn_recipe_fit(one, y, n, log_of, f->window, f->horizon, piece ? 0 : validation_rows(r, n),
                             f->season))
            return false;
        r->train[m * f->series + s] = one->train;
        r->valid[m * f->series + s] = one->valid;
    }
    return true;
}

static norn_status choose_recipes(run *r, norn_error *err)
{
    norn_forecast *f = r->f;
    size_t logs = 0, seasonal = 0, windows = 0, pieces = 0, left_out = 0, failures = 0;
    size_t first = 0, failing = 0;
    const size_t last = f->members - 1; /* the member that sees least */
    for (size_t s = 0; s < f->series; s++) {
        size_t member = 0;
        pieces += f->ended[s];
        if (!choose_recipe(r, s, &member)) {
            if (f->ended[s]) {
                left_out++;
            } else if (!failures++) {
                first = s;
                failing = member;
            }
            continue;
        }
        const norn_recipe_series *one = &r->recipes[last * f->series + s];
        logs += one->log;
        seasonal += one->season > 0;
        windows += one->train.count;
    }
    if (failures) return fail_short(r, first, failing, failures - 1, err);
    const norn_status status = check_windows(r, err);
    if (status != NORN_OK) return status;
    const size_t used = f->series - left_out;
    const bool longer = windows >= long_from || norn_table_future_count(r->table) > 0;
    r->regime = &regimes[longer];
    r->shrink = !longer;
    if (left_out)
        decide(f, "pieces", "--on-gap",
               "%zu of %zu before a gap are too short for a window and a horizon: left out", left_out,
               pieces);
    if (logs)
        decide(f, "transform", "",
               logs == used ? "logarithm: the spread grows with the level"
                            : "logarithm of %zu of %zu series, whose spread grows with the level",
               logs, used);
    if (seasonal == used)
        decide(f, "base", "--season", "one season before, corrected by the network%s",
               r->shrink ? ", damped" : "");
    else if (seasonal == 0)
        decide(f, "base", "--season", "the last value, corrected by the network");
    else
        decide(f, "base", "--season", "one season before for %zu series, the last value for %zu", seasonal,
               used - seasonal);
    return NORN_OK;
}

/* ---- inputs ---- */

/* The marked columns of a kind by their names, for a decision; how many there are. */
static size_t list_names(const run *r, norn_input_kind kind, const bool *marked, char *out, size_t size)
{
    size_t count = 0, named = 0, length = 0;
    for (size_t c = 0; c < norn_inputs_columns(&r->inputs, kind); c++) {
        if (!marked[c]) continue;
        const char *name = norn_inputs_name(&r->inputs, kind, c);
        char quoted[80];
        (void)norn_quote(quoted, sizeof quoted, name, strlen(name), 40);
        if (count++ == named && length + strlen(quoted) + 24 < size) {
            length += (size_t)snprintf(out + length, size - length, "%s\"%s\"", named ? ", " : "", quoted);
            named++;
        }
    }
    if (named < count) (void)snprintf(out + length, size - length, " and %zu more", count - named);
    return count;
}

static void tell_inputs(run *r)
{
    static const struct {
        norn_input_kind kind;
        const char *what, *flag, *says;
    } idle[] = {
        {NORN_INPUT_PAST, "past", "--past", "in the training rows"},
        {NORN_INPUT_FUTURE, "future", "--future", "in the training rows"},
        {NORN_INPUT_STATIC, "static", "--static", "over the series"},
    };
    norn_forecast *f = r->f;
    char names[120];
    if (norn_inputs_columns(&r->inputs, NORN_INPUT_FUTURE))
        decide(f, "future", "--future",
               "seen %zu row%s ahead by the network; the simple forecasts go without", f->horizon,
               f->horizon == 1 ? "" : "s");
    for (size_t i = 0; i < NORN_COUNT(idle); i++)
        if (norn_inputs_columns(&r->inputs, idle[i].kind) &&
            list_names(r, idle[i].kind, r->inputs.constant[idle[i].kind], names, sizeof names))
            decide(f, idle[i].what, idle[i].flag, "%s without effect: constant or missing %s", names,
                   idle[i].says);
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_STATIC; kind++) {
        const bool target = kind == NORN_INPUT_TARGET;
        if (!norn_inputs_columns(&r->inputs, kind) ||
            !list_names(r, kind, r->inputs.masked[kind], names, sizeof names))
            continue;
        decide(f, "missing", target ? "--on-missing" : "--on-missing-input",
               "%s%s: the network sees a mask of the missing values", target ? "target " : "", names);
    }
}

static norn_status make_series(run *r, norn_error *err)
{
    norn_forecast *f = r->f;
    r->inputs = (norn_inputs){.table = r->table,
                              .host = r->host,
                              .recipes = r->recipes,
                              .members = f->members,
                              .series = f->series,
                              .window = f->window,
                              .horizon = f->horizon};
    norn_status status = norn_inputs_plan(&r->inputs, err);
    if (status == NORN_OK)
        status = norn_inputs_put(&r->inputs, r->context, r->options->consume_past, &r->series, err);
    if (status == NORN_OK) tell_inputs(r);
    return status;
}

/* The target's row where a forecast starts from it: a missing value is the one `step` rows before, and where
 * there is none the last one before it that is there. */
static double base_value(const double *y, bool log_of, size_t row, size_t step)
{
    const size_t from = row;
    double x = norn_inputs_target(y, row, log_of);
    while (isnan(x) && row >= step) x = norn_inputs_target(y, row -= step, log_of);
    for (row = from; isnan(x) && row > 0;) x = norn_inputs_target(y, --row, log_of);
    return x;
}

/* ---- training ---- */

static norn_status make_network(run *r, norn_train_plan *plan, norn_error *err)
{
    norn_forecast *f = r->f;
    const norn_forecast_options *o = r->options;
    const regime *by = r->regime;
    const norn_network_shape shape = {.inputs = r->inputs.count,
                                      .hidden = o->hidden ? o->hidden : by->hidden,
                                      .layers = o->layers ? o->layers : 1,
                                      .window = f->window,
                                      .horizon = f->horizon,
                                      .batch = o->batch ? o->batch : by->batch,
                                      .members = f->members,
                                      .dropout = o->dropout >= 0.0 ? o->dropout : 0.0,
                                      .loss = o->loss,
                                      .clip = default_clip};
    size_t windows = 0;
    for (size_t s = 0; s < f->series; s++) windows += r->train[s].count;
    /* Told how many epochs but not of how many steps, an epoch is every window once. */
    plan->steps_per_epoch = o->steps_per_epoch ? o->steps_per_epoch : o->epochs ? 0 : by->steps_per_epoch;
    plan->epochs = o->epochs ? o->epochs : by->epochs;
    plan->patience = o->patience ? o->patience : o->epochs ? at_least(o->epochs / 3, 1) : by->patience;
    plan->settle = o->epochs ? at_least(o->epochs / 10, 1) : by->settle;
    plan->most_valid = 2048;
    plan->rate = o->learning_rate > 0.0 ? o->learning_rate : default_rate;
    plan->time_limit = o->time_limit;
    plan->seed = o->seed;

    const double per_step = norn_network_operations(&shape) * (double)f->members;
    const size_t steps =
        plan->steps_per_epoch ? plan->steps_per_epoch : (windows + shape.batch - 1) / shape.batch;
    const double affordable = budget / per_step;
    bool cut = false;
    if (!o->epochs && (double)steps * (double)plan->epochs > affordable) {
        cut = true;
        if (!o->steps_per_epoch && affordable / (double)plan->epochs < (double)steps)
            plan->steps_per_epoch = at_least((size_t)(affordable / (double)plan->epochs), 1);
        else
            plan->epochs = at_least((size_t)(affordable / (double)steps), 1);
    }
    norn_status status = norn_network_new(&r->network, r->context, &shape, r->series, err);
    if (status != NORN_OK) return status;
    f->parameters = norn_network_plain_size(&shape);
    decide(f, "network", "--layers, --hidden", "LSTM, %zu layer%s of %zu units, %zu parameters", shape.layers,
           shape.layers == 1 ? "" : "s", shape.hidden, f->parameters);
    char epoch[48];
    if (plan->steps_per_epoch)
        (void)snprintf(epoch, sizeof epoch, "%zu steps", plan->steps_per_epoch);
    else
        (void)snprintf(epoch, sizeof epoch, "all %zu windows", windows);
    decide(f, "training", "--epochs, --steps-per-epoch, --batch",
           "at most %zu epochs of %s, %zu windows a step%s", plan->epochs, epoch, shape.batch,
           cut ? ", cut to the budget of 60 s" : "");
    return NORN_OK;
}

/* The forecast of one series from what the network gave for it, y [h], in the units of the file. */
static void finish_series(const run *r, size_t member, size_t s, const float *y, double *out)
{
    const norn_recipe_series *one = &r->recipes[member * r->f->series + s];
    const double *target = norn_table_target(r->table, s);
    const bool damped = r->shrink && one->season;
    const size_t seen = one->seen, step = one->season ? one->season : 1;
    double change = 0.0; /* of the last two rows against a season before */
    for (size_t k = 1; k <= 2 && damped && seen >= step + 2; k++) {
        const double now = norn_inputs_target(target, seen - k, one->log),
                     before = norn_inputs_target(target, seen - k - step, one->log);
        if (!isnan(now - before)) change += 0.5 * (now - before);
    }
    for (size_t j = 0; j < r->f->horizon; j++) {
        const double base = base_value(target, one->log, seen - step + j % step, step);
        const double correction = (double)y[j] * one->scale;
        const double value =
            damped ? base + short_correction * correction + short_change * change : base + correction;
        out[j] = one->log ? exp(value) : value;
    }
}

/* Forecasts of one member after its last visible row: out [S][h]. */
static norn_status predict(run *r, size_t member, double *out, norn_error *err)
{
    norn_forecast *f = r->f;
    norn_network *n = r->network;
    const size_t ibp = n->ibp, h = f->horizon;
    norn_window *windows = norn_new(r->host, ibp, sizeof *windows);
    float *y = norn_new(r->host, ibp * h, sizeof *y);
    norn_status status = windows && y ? NORN_OK : norn_fail_memory(err, "a forecast");
    for (size_t next = 0; next < f->series && status == NORN_OK;) {
        size_t rows = 0;
        for (; next < f->series && rows < ibp; next++)
            if (!f->ended[next])
                windows[rows++] =
                    (norn_window){(int32_t)next, (int32_t)(visible(r, member, next) - f->window)};
        if (rows) status = norn_network_infer(n, r->series, windows, &rows, &member, 1, NULL, y, err);
        for (size_t i = 0; i < rows && status == NORN_OK; i++)
            finish_series(r, member, (size_t)windows[i].series, y + i * h,
                          out + (size_t)windows[i].series * h);
    }
    norn_delete(r->host, windows, ibp, sizeof *windows);
    norn_delete(r->host, y, ibp * h, sizeof *y);
    return status;
}

static norn_status train(run *r, norn_error *err)
{
    norn_forecast *f = r->f;
    norn_train_plan plan = {0};
    norn_member members[MOST_MEMBERS];
    memset(members, 0, sizeof members);
    norn_status status = make_network(r, &plan, err);
    for (size_t m = 0; m < f->members && status == NORN_OK; m++) {
        members[m] = (norn_member){
            .identity = m, .train = r->train + m * f->series, .valid = r->valid + m * f->series};
        status = norn_network_scale(r->network, m, r->inputs.pairs + 2 * m * r->inputs.columns,
                                    r->inputs.columns, err);
    }
    if (status == NORN_OK)
        status = norn_train(r->network, r->series, members, f->members, &plan, r->services, err);
    for (size_t m = 0; m < f->members && status == NORN_OK; m++) {
        f->training[m] = members[m].training;
        if (members[m].diverged && !members[m].training.best_epoch && m == 0)
            return norn_fail(err, NORN_ERR_NUMERIC,
                             "training diverged in epoch %u (a loss is not finite): try a smaller --lr",
                             members[m].training.epochs);
        if (members[m].diverged && !members[m].training.best_epoch) {
            f->unscored = true;
            decide(f, "score", "--lr",
                   "none of the network: without the rows held back it diverged in epoch %u",
                   members[m].training.epochs);
            continue;
        }
        if (members[m].diverged)
            norn_log(r->services, NORN_LOG_WARNING,
                     "training diverged in epoch %u; the state of epoch %u is used (a smaller --lr may help)",
                     members[m].training.epochs, members[m].training.best_epoch);
        status = predict(r, m, m ? f->held[0] : f->values, err);
    }
    return status;
}

/* ---- scores ---- */

static norn_status score(run *r, norn_error *err)
{
    norn_forecast *f = r->f;
    const size_t h = f->holdout;
    const char *const names[MODELS] = {"LSTM", "Naive", f->season > 1 ? "SeasonalNaive" : "Linear", "Linear"};
    const bool seasonal = f->season > 1;
    norn_metrics metrics[MODELS];
    memset(metrics, 0, sizeof metrics);
    f->models = seasonal ? 4 : 3;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < f->series && status == NORN_OK; s++) {
        if (f->ended[s]) continue;
        const double *y = norn_table_target(r->table, s);
        const size_t n = visible(r, 1, s);
        const double scale = norn_metrics_scale(y, n, f->season);
        if (norn_is_cancelled(r->services)) return norn_fail_cancelled(err);
        norn_naive(y, n, h, f->held[1] + s * h);
        if (seasonal) norn_seasonal_naive(y, n, f->season, h, f->held[2] + s * h);
        status = norn_linear(y, n, f->window, f->season, h, f->held[f->models - 1] + s * h, r->host, err);
        for (size_t k = f->unscored ? 1 : 0; k < f->models; k++)
            norn_metrics_add(&metrics[k], y + n, f->held[k] + s * h, h, scale);
    }
    for (size_t k = 0; k < f->models; k++) f->scores[k] = norn_metrics_score(&metrics[k], names[k]);
    return status;
}

norn_status norn_forecast_run(norn_forecast **out, norn_context *context, norn_table *table,
                              const norn_forecast_options *options, const norn_host *host, norn_error *err)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    if (options) memcpy(&o, options, at_most(options->size, sizeof o));
    norn_status status = check_options(&o, err);
    if (status != NORN_OK) return status;
    const norn_host services = norn_host_copy(host ? host : &context->host);
    norn_forecast *f = norn_new(&services, 1, sizeof *f);
    if (!f) return norn_fail_memory(err, "a forecast");
    f->host = services;
    f->series = norn_table_series_count(table);
    run r = {
        .f = f, .context = context, .table = table, .options = &o, .services = &f->host, .host = &f->host};
    f->ended = norn_new(r.host, f->series, sizeof *f->ended);
    if (!f->ended) status = norn_fail_memory(err, "a forecast");
    for (size_t s = 0; s < f->series && status == NORN_OK; s++) f->ended[s] = !norn_table_goes_on(table, s);
    for (size_t p = 0; p < norn_table_past_count(table) && status == NORN_OK; p++)
        if (!norn_table_past(table, 0, p))
            status =
                norn_fail(err, NORN_ERR_USAGE, "the covariate \"%s\" is gone: consumed by a forecast before",
                          norn_table_past_name(table, p));
    if (status == NORN_OK) status = choose_sizes(&r, err);
    const size_t all = f->members * f->series;
    const struct {
        void **array;
        size_t count, size;
    } arrays[] = {{(void **)&r.recipes, all, sizeof *r.recipes},
                  {(void **)&r.train, all, sizeof *r.train},
                  {(void **)&r.valid, all, sizeof *r.valid}};
    for (size_t i = 0; i < NORN_COUNT(arrays) && status == NORN_OK; i++)
        if (!(*arrays[i].array = norn_new(r.host, arrays[i].count, arrays[i].size)))
            status = norn_fail_memory(err, "the plan of a forecast");
    if (status == NORN_OK && !(f->values = norn_new(r.host, f->series * f->horizon, sizeof *f->values)))
        status = norn_fail_memory(err, "a forecast");
    for (size_t k = 0; k < MODELS && f->holdout && status == NORN_OK; k++)
        if (!(f->held[k] = norn_new(r.host, f->series * f->holdout, sizeof *f->held[k])))
            status = norn_fail_memory(err, "the scored forecasts");
    if (status == NORN_OK) status = choose_recipes(&r, err);
    if (status == NORN_OK) status = make_series(&r, err);
    if (status == NORN_OK) status = train(&r, err);
    if (status == NORN_OK && f->holdout) status = score(&r, err);

    norn_network_free(r.network);
    norn_series_free(r.series);
    norn_inputs_free(&r.inputs);
    for (size_t i = 0; i < NORN_COUNT(arrays); i++)
        norn_delete(r.host, *arrays[i].array, arrays[i].count, arrays[i].size);
    if (status == NORN_OK)
        *out = f;
    else
        norn_forecast_free(f);
    return status;
}

void norn_forecast_free(norn_forecast *f)
{
    if (!f) return;
    const norn_host host = f->host;
    norn_delete(&host, f->values, f->series * f->horizon, sizeof *f->values);
    for (size_t k = 0; k < MODELS; k++)
        norn_delete(&host, f->held[k], f->series * f->holdout, sizeof *f->held[k]);
    norn_delete(&host, f->ended, f->series, sizeof *f->ended);
    norn_delete(&host, f, 1, sizeof *f);
}

/* ---- what came out ---- */

size_t norn_forecast_horizon(const norn_forecast *f)
{
    return f->horizon;
}
const double *norn_forecast_values(const norn_forecast *f, size_t series)
{
    return f->ended[series] ? NULL : f->values + series * f->horizon;
}

const char *norn_forecast_model(const norn_forecast *f)
{
    (void)f;
    return "LSTM";
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

const norn_training *norn_forecast_training(const norn_forecast *f, size_t *members)
{
    *members = f->members;
    return f->training;
}

size_t norn_forecast_parameters(const norn_forecast *f)
{
    return f->parameters;
}

const norn_decision *norn_forecast_decisions(const norn_forecast *f, size_t *count)
{
    *count = f->decided;
    return f->decisions;
}
