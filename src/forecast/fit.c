/*
 * Training and forecasting of a run: see run.h. All members of all folds that are trained are members of one
 * training, as many at a time as memory allows; who is trained beside whom changes no bit.
 */
#include "forecast/run.h"

#include "data/table.h"
#include "forecast/range.h"
#include "forecast/units.h"
#include "nn/checkpoint.h"
#include "nn/checksum.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* On a short seasonal series the network's correction counts for this much, and the last yearly change for
 * that much. */
static const double short_correction = 0.3, short_change = 0.2;
/* Plain gradients are far smaller than Adam's normalised steps. */
static const double default_rate = 5e-3, default_rate_of_sgd = 5e-2, default_clip = 1.0;

/* The default budget: 60 s at 5e10 operations a second, in operations so that no clock decides about results.
 */
static const double budget = 3e12;

/* Of the windows that a member of --members-on rows is trained on: as many different ones as a bootstrap of
 * all draws, 1 - 1/e (Breiman 1996). */
static const double sampled_share = 0.632;

/* ---- inputs ---- */

/* The marked columns of a kind by their names, for a decision; how many there are. */
static size_t list_names(const norn_run *r, norn_input_kind kind, const bool *marked, char *out, size_t size)
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

static void say_inputs(norn_run *r)
{
    static const struct {
        norn_input_kind kind;
        const char *what, *flag, *says;
    } idle[] = {
        {NORN_INPUT_PAST, "past", "--past", "in the training rows"},
        {NORN_INPUT_FUTURE, "future", "--future", "in the training rows"},
        {NORN_INPUT_STATIC, "static", "--static", "over the series"},
    };
    char names[120];
    if (norn_inputs_columns(&r->inputs, NORN_INPUT_FUTURE))
        norn_choose(r->choices, "future", "--future",
                    "seen %zu row%s ahead by the network; the simple forecasts go without", r->horizon,
                    r->horizon == 1 ? "" : "s");
    for (size_t i = 0; i < NORN_COUNT(idle); i++)
        if (norn_inputs_columns(&r->inputs, idle[i].kind) &&
            list_names(r, idle[i].kind, r->inputs.constant[idle[i].kind], names, sizeof names))
            norn_choose(r->choices, idle[i].what, idle[i].flag, "%s without effect: constant or missing %s",
                        names, idle[i].says);
    for (norn_input_kind kind = NORN_INPUT_TARGET; kind < NORN_INPUT_STATIC; kind++) {
        const bool target = kind == NORN_INPUT_TARGET;
        if (!norn_inputs_columns(&r->inputs, kind) ||
            !list_names(r, kind, r->inputs.masked[kind], names, sizeof names))
            continue;
        norn_choose(r->choices, "missing", target ? "--on-missing" : "--on-missing-input",
                    "%s%s: the network sees a mask of the missing values", target ? "target " : "", names);
    }
}

static norn_status make_series(norn_run *r, norn_error *err)
{
    r->inputs = (norn_inputs){.table = r->table,
                              .host = r->host,
                              .recipes = r->recipes,
                              .views = r->view_count,
                              .series = r->series,
                              .window = r->window,
                              .horizon = r->horizon,
                              .relative = r->options->loss == NORN_LOSS_MAPE,
                              .weight = r->options->weight};
    norn_status status = norn_range_check(&r->inputs, err);
    if (status == NORN_OK) status = norn_inputs_plan(&r->inputs, err);
    if (status == NORN_OK)
        status = norn_inputs_put(&r->inputs, r->context, r->options->consume_past, &r->device, err);
    if (status == NORN_OK) say_inputs(r);
    return status;
}

/* ---- the plan ---- */

/* Training windows of a view, and how many of them a member is trained on. */
static size_t windows_of(const norn_run *r, size_t view)
{
    size_t windows = 0;
    for (size_t s = 0; s < r->series; s++) windows += r->train[view * r->series + s].count;
    return windows;
}
static size_t sampled_of(const norn_run *r, size_t view)
{
    const double share = (double)windows_of(r, view) * sampled_share;
    return r->options->members_on == NORN_MEMBERS_ON_ROWS ? norn_at_least((size_t)share, 1) : 0;
}

static norn_network_shape shape_of(const norn_run *r)
{
    const norn_forecast_options *o = r->options;
    const norn_regime *by = r->regime;
    return (norn_network_shape){.inputs = r->inputs.seen,
                                .cell = r->cell,
                                .hidden = o->hidden ? o->hidden : by->hidden,
                                .layers = o->layers ? o->layers : 1,
                                .window = r->window,
                                .horizon = r->horizon,
                                .batch = o->batch ? o->batch : by->batch,
                                .slots = r->slots,
                                .infer_batch = o->eval_batch,
                                .dropout = o->dropout >= 0.0 ? o->dropout : 0.0,
                                .loss = o->loss == NORN_LOSS_MAPE ? NORN_LOSS_MAE : o->loss,
                                .quantile = o->quantile > 0.0 ? o->quantile : 0.5,
                                .bptt = o->bptt,
                                .weighted = r->inputs.seen < r->inputs.count,
                                .clip = o->clip_norm >= 0.0 ? o->clip_norm : default_clip,
                                .init = o->init,
                                .forget_bias = o->forget_bias,
                                .optimiser = {.kind = o->optimiser,
                                              .decay = o->weight_decay,
                                              .momentum = o->momentum,
                                              .clip_value = o->clip_value,
                                              .nesterov = o->nesterov != 0}};
}

/* The budget is divided among the folds that share it and not among members: what one of them does must not
 * depend on how many there are. */
static norn_train_plan plan_of(const norn_run *r, const norn_network_shape *shape, bool *cut)
{
    const norn_forecast_options *o = r->options;
    const norn_regime *by = r->regime;
    norn_train_plan plan = {0};
    /* Told how many epochs but not of how many steps, an epoch is every window once. */
    plan.steps_per_epoch = o->steps_per_epoch ? o->steps_per_epoch : o->epochs ? 0 : by->steps_per_epoch;
    plan.epochs = o->epochs ? o->epochs : by->epochs;
    plan.patience = o->patience ? o->patience : o->epochs ? norn_at_least(o->epochs / 3, 1) : by->patience;
    plan.settle = o->epochs ? norn_at_least(o->epochs / 10, 1) : by->settle;
    plan.most_valid = 2048;
    plan.rate = o->learning_rate > 0.0               ? o->learning_rate
                : o->optimiser == NORN_OPTIMISER_SGD ? default_rate_of_sgd
                                                     : default_rate;
    plan.schedule = (norn_rate_plan){o->schedule, o->warmup, o->rate_factor, o->rate_every};
    plan.time_limit = o->time_limit;
    plan.seed = o->seed;
    *cut = false;
    if (o->epochs) return plan;
    const double affordable = budget / (norn_network_operations(shape) * r->shares);
    const double steps = (double)plan.steps_per_epoch, epochs = (double)plan.epochs;
    if (steps * epochs <= affordable) return plan;
    *cut = true;
    if (!o->steps_per_epoch && affordable / epochs < steps)
        plan.steps_per_epoch = norn_at_least((size_t)(affordable / epochs), 1);
    else
        plan.epochs = norn_at_least((size_t)(affordable / steps), 1);
    return plan;
}

static void say_plan(norn_run *r, const norn_network_shape *shape, const norn_train_plan *plan, bool cut)
{
    char epoch[48], each[48] = "", cell[NORN_CELL_TITLE];
    r->parameters = norn_network_plain_size(shape);
    norn_cell_title(shape->cell, cell);
    norn_choose(r->choices, "network", "--cell, --layers, --hidden",
                "%s, %zu layer%s of %zu units, %zu parameters", cell, shape->layers,
                shape->layers == 1 ? "" : "s", shape->hidden, r->parameters);
    const size_t view = r->skips ? r->view_count - 1 : 0;
    const size_t windows = sampled_of(r, view) ? sampled_of(r, view) : windows_of(r, view);
    if (plan->steps_per_epoch)
        (void)snprintf(epoch, sizeof epoch, "%zu steps", plan->steps_per_epoch);
    else
        (void)snprintf(epoch, sizeof epoch, "all %zu windows", windows);
    if (r->members > 1) (void)snprintf(each, sizeof each, " for each member");
    norn_choose(r->choices, "training", "--epochs, --steps-per-epoch, --batch",
                "at most %zu epochs of %s, %zu windows a step%s%s", plan->epochs, epoch, shape->batch,
                cut ? ", cut to the budget of 60 s" : "", cut ? each : "");
    if (r->options->optimiser != NORN_OPTIMISER_ADAM || r->options->schedule != NORN_RATE_COSINE)
        norn_choose(r->choices, "steps", "--optimiser, --schedule, --lr",
                    "%s, a rate of %g by the schedule %s%s", norn_optimiser_words[r->options->optimiser],
                    plan->rate, norn_rate_words[r->options->schedule],
                    plan->schedule.warmup ? " after a warm-up" : "");
}

/* How many members find room at once: their parameters, gradients' moments, best states and scalings in a
 * quarter of the memory (the rest is for activations), each kind in one buffer. */
static size_t room_for(const norn_run *r, const norn_network_shape *shape)
{
    const norn_context *context = r->context;
    const double parameters = 4.0 * norn_network_padded_size(context, shape),
                 scaling = 8.0 * (double)r->inputs.columns;
    const double by_memory = 0.25 * (double)norn_memory_left(context) / (5.0 * parameters + scaling);
    const double by_buffer =
        (double)context->info.largest_buffer / (parameters > scaling ? parameters : scaling);
    const double fit = by_memory < by_buffer ? by_memory : by_buffer;
    return fit < 1.0 ? 1 : fit > 65536.0 ? 65536 : (size_t)fit;
}

/* ---- forecasting ---- */

void norn_run_damping(const norn_run *r, double *correction, double *change)
{
    *correction = r->shrink ? short_correction : 1.0;
    *change = r->shrink ? short_change : 0.0;
}

uint64_t norn_run_identity(const norn_run *r, size_t fold, size_t member)
{
    const uint64_t number = (uint64_t)r->options->first_member + member;
    return r->folds[fold].identity + (number << 32);
}

/* How a view's recipe puts a forecast back into the units of the file. */
static norn_units units_of(const norn_run *r, size_t view, size_t s)
{
    const norn_recipe_series *one = &r->recipes[view * r->series + s];
    norn_units units = {.log = one->log, .season = one->season, .scale = one->scale};
    norn_run_damping(r, &units.correction, &units.change);
    return units;
}

/* Forecasts of one member from the rows of one fold: out [S][h]; series that are not in it are left alone.
 * *finite becomes false where the network's own numbers are too large: its weights are finite, but no use. */
static norn_status predict(norn_run *r, norn_network *n, size_t member, size_t fold, double *out,
                           bool *finite, norn_error *err)
{
    const size_t ibp = n->ibp, h = r->horizon, view = r->view_of[fold];
    norn_window *windows = norn_new(r->host, ibp, sizeof *windows);
    float *y = norn_new(r->host, ibp * h, sizeof *y);
    norn_status status = windows && y ? NORN_OK : norn_fail_memory(err, "a forecast");
    for (size_t next = 0; next < r->series && status == NORN_OK;) {
        size_t rows = 0;
        for (; next < r->series && rows < ibp; next++)
            if (!r->ended[next] && r->recipes[view * r->series + next].seen)
                windows[rows++] = (norn_window){
                    (int32_t)next, (int32_t)(norn_run_visible(r, &r->folds[fold], next) - r->window)};
        if (rows) status = norn_network_infer(n, r->device, windows, &rows, &member, 1, NULL, y, err);
        for (size_t i = 0; i < rows && status == NORN_OK; i++) {
            const size_t s = (size_t)windows[i].series;
            const norn_units units = units_of(r, view, s);
            norn_units_forecast(&units, norn_table_target(r->table, s),
                                norn_run_visible(r, &r->folds[fold], s), y + i * h, h, out + s * h);
            *finite &= norn_units_finite(y + i * h, out + s * h, h);
        }
    }
    norn_delete(r->host, windows, ibp, sizeof *windows);
    norn_delete(r->host, y, ibp * h, sizeof *y);
    return status;
}

/* ---- training ---- */

/* Of the networks in order, fold by fold and member by member: fold and number of the member. */
typedef struct one_network {
    size_t fold, member;
} one_network;

const char *norn_run_where(const norn_training *training, char out[140])
{
    const char *more = training->trouble;
    (void)snprintf(out, 140, "epoch %u%s%s", training->epochs, more[0] ? ", " : "", more);
    return out;
}

static void warn_diverged(const norn_run *r, const norn_member *member, size_t number)
{
    char name[40] = "", where[140];
    if (r->members > 1) (void)snprintf(name, sizeof name, " of member %zu", number + 1);
    if (member->diverged && member->training.best_epoch)
        norn_log(r->host, NORN_LOG_WARNING,
                 "training%s diverged in %s; the state of epoch %u is used (a smaller --lr may help)", name,
                 norn_run_where(&member->training, where), member->training.best_epoch);
}

/* The parameters of one that is through: their checksum, and a copy where the model is kept. */
static norn_status take_network(const norn_run *r, norn_network *network, size_t index, float *kept,
                                uint32_t *checksum, norn_error *err)
{
    double *plain = norn_new(r->host, r->parameters, sizeof *plain);
    if (!plain) return norn_fail_memory(err, "the model");
    const norn_status status = norn_network_get(network, index, plain, err);
    *checksum = 0;
    for (size_t i = 0; i < r->parameters && status == NORN_OK; i++) {
        const float value = (float)plain[i]; /* it was one */
        *checksum = norn_checksum_add(*checksum, &value, sizeof value);
        if (kept) kept[i] = value;
    }
    norn_delete(r->host, plain, r->parameters, sizeof *plain);
    return status;
}

/* One network that is through: what its training was like, and the forecasts of all folds it serves. */
static norn_status harvest(norn_run *r, norn_network *network, size_t index, const norn_member *member,
                           one_network of, double *values, norn_training *training, norn_error *err)
{
    norn_status status = NORN_OK;
    const size_t n = r->members;
    norn_training *of_it = &training[of.fold * n + of.member];
    bool finite = true;
    *of_it = member->training;
    warn_diverged(r, member, r->options->first_member + of.member);
    if (member->training.best_epoch)
        status = take_network(r, network, index,
                              r->keeps && of.fold == 0 ? r->kept + of.member * r->parameters : NULL,
                              &of_it->checksum, err);
    for (size_t k = 0; k < r->fold_count && member->training.best_epoch && status == NORN_OK; k++)
        if (r->folds[k].served_by == of.fold)
            status = predict(r, network, index, k, values + (k * n + of.member) * r->series * r->horizon,
                             &finite, err);
    if (status == NORN_OK && !finite) { /* as one that never had a good state */
        of_it->best_epoch = 0;
        (void)snprintf(of_it->trouble, sizeof of_it->trouble, "its end: the forecast is not finite");
    }
    return status;
}

/* The checkpoint of a turn, of those that networks are trained in. NULL: none is wanted, or no memory. */
static char *checkpoint_of(const norn_run *r, size_t turn)
{
    const char *name = r->options->checkpoint;
    char number[32] = "";
    if (!name) return NULL;
    if (turn) (void)snprintf(number, sizeof number, ".%zu", turn + 1);
    const size_t length = strlen(name);
    char *path = norn_new(r->host, length + sizeof number, 1);
    if (path) (void)snprintf(path, length + sizeof number, "%s%s", name, number);
    return path;
}

static void drop_path(const norn_run *r, char *path)
{
    if (path) norn_delete(r->host, path, strlen(r->options->checkpoint) + 32, 1);
}

/* Is there a file to go on from? One that is there and cannot be read is for the reader to name. */
static bool is_there(const char *path)
{
    errno = 0;
    FILE *file = fopen(path, "rb");
    if (file) (void)fclose(file);
    return file || errno != ENOENT;
}

/* What earlier runs may have left of later turns would be gone on from. */
static void forget_turns(const norn_run *r, size_t turns)
{
    for (size_t turn = 1; turn < turns && r->options->checkpoint && !r->options->resume; turn++) {
        char *path = checkpoint_of(r, turn);
        if (path) (void)remove(path);
        drop_path(r, path);
    }
}

/* Whose epochs are told of. */
typedef struct listener {
    const norn_forecast_options *options;
    const one_network *list;
} listener;

static void on_epoch(void *user, size_t member, const norn_epoch *epoch)
{
    const listener *to = user;
    norn_epoch told = *epoch;
    told.fold = to->list[member].fold;
    told.member = to->options->first_member + to->list[member].member;
    to->options->on_epoch(to->options->epoch_user, &told);
}

/* norn_train, from where a checkpoint has it. */
static norn_status train_turn(norn_run *r, norn_network *network, norn_member *members,
                              const one_network *list, size_t count, const norn_train_plan *plan, size_t turn,
                              norn_error *err)
{
    norn_train_plan own = *plan;
    listener to = {r->options, list};
    if (r->options->on_epoch) {
        own.on_epoch = on_epoch;
        own.epoch_user = &to;
    }
    char *path = checkpoint_of(r, turn);
    if (r->options->checkpoint && !path) return norn_fail_memory(err, "a checkpoint's name");
    if (path) {
        own.checkpoint = path;
        own.every = r->options->every ? r->options->every : 1;
        if (r->options->resume && is_there(path)) own.resume = path;
        if (r->options->resume && turn == 0)
            norn_choose(r->choices, "resume", "--resume, --checkpoint",
                        own.resume ? "from the checkpoint" : "from the start: there is no checkpoint yet");
        if (!r->options->resume && turn == 0 && norn_checkpoint_members(path, r->host))
            norn_log(r->host, NORN_LOG_WARNING,
                     "%s holds where an earlier training stands, and this one replaces it (--resume goes on "
                     "from it)",
                     path);
        r->stands = true;
    }
    const norn_status status = norn_train(network, r->device, members, count, &own, r->host, err);
    drop_path(r, path);
    return status;
}

/* Trains `count` networks beside each other and forecasts by them. */
static norn_status fit_some(norn_run *r, const norn_network_shape *shape, const norn_train_plan *plan,
                            const one_network *list, size_t count, size_t turn, double *values,
                            norn_training *training, norn_error *err)
{
    norn_network *network = NULL;
    norn_network_shape own = *shape;
    own.members = count;
    norn_member *members = norn_new(r->host, count, sizeof *members);
    norn_status status = members ? NORN_OK : norn_fail_memory(err, "the members");
    if (status == NORN_OK) status = norn_network_new(&network, r->context, &own, r->device, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++) {
        const size_t view = r->view_of[list[i].fold];
        members[i] = (norn_member){.identity = norn_run_identity(r, list[i].fold, list[i].member),
                                   .sampled = sampled_of(r, view),
                                   .train = r->train + view * r->series,
                                   .valid = r->valid + view * r->series};
        status = norn_network_scale(network, i, r->inputs.pairs + 2 * view * r->inputs.columns,
                                    r->inputs.columns, err);
    }
    if (status == NORN_OK) status = train_turn(r, network, members, list, count, plan, turn, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        status = harvest(r, network, i, &members[i], list[i], values, training, err);
    norn_network_free(network);
    norn_delete(r->host, members, count, sizeof *members);
    return status;
}

/* How many networks of `count` are trained in a turn. A training that goes on keeps the turns of its
 * checkpoints: another limit of memory, which changes no bit, must not make them of another training. */
static size_t at_once(const norn_run *r, const norn_network_shape *shape, size_t count)
{
    const norn_forecast_options *o = r->options;
    const size_t before = o->resume && o->checkpoint ? norn_checkpoint_members(o->checkpoint, r->host) : 0;
    const size_t now = r->at_once ? r->at_once : room_for(r, shape);
    if (!before) return now;
    if (norn_at_most(before, count) > now)
        norn_log(r->host, NORN_LOG_WARNING,
                 "the checkpoint is of %zu networks side by side, and this memory is for %zu: it may be too "
                 "little to go on (--memory-limit)",
                 before, now);
    return norn_at_most(before, count);
}

norn_status norn_run_fit(norn_run *r, double *values, norn_training *training, norn_error *err)
{
    const size_t n = r->members, folds = r->fold_count;
    for (size_t i = 0; i < folds * n * r->series * r->horizon; i++) values[i] = NAN;
    memset(training, 0, folds * n * sizeof *training);
    one_network *list = norn_new(r->host, folds * n, sizeof *list);
    if (!list) return norn_fail_memory(err, "the members");
    size_t count = 0;
    for (size_t k = 0; k < folds; k++)
        for (size_t m = 0; m < n && r->folds[k].served_by == k; m++) list[count++] = (one_network){k, m};
    norn_status status = make_series(r, err);
    if (status == NORN_OK) {
        bool cut = false;
        const norn_network_shape shape = shape_of(r);
        const norn_train_plan plan = plan_of(r, &shape, &cut);
        const size_t room = at_once(r, &shape, count);
        say_plan(r, &shape, &plan, cut);
        r->shape = shape;
        r->plan = plan;
        if (r->keeps && !(r->kept = norn_new(r->host, n * r->parameters, sizeof *r->kept)))
            status = norn_fail_memory(err, "the model");
        forget_turns(r, (count + room - 1) / room);
        for (size_t from = 0; from < count && status == NORN_OK; from += room)
            status = fit_some(r, &shape, &plan, list + from, norn_at_most(room, count - from), from / room,
                              values, training, err);
    }
    norn_delete(r->host, list, folds * n, sizeof *list);
    return status;
}

/* ---- members ---- */

/* Of few numbers, sorted in place; NaN comes last and is not one of them. */
static double median_of(double *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) continue;
        const double one = x[i];
        size_t at = count++;
        for (; at > 0 && x[at - 1] > one; at--) x[at] = x[at - 1];
        x[at] = one;
    }
    if (!count) return NAN;
    if (count % 2) return x[count / 2];
    const double low = x[count / 2 - 1], high = x[count / 2];
    return low == high ? low : 0.5 * low + 0.5 * high;
}

size_t norn_run_median(const norn_run *r, const double *values, const norn_training *training, double *out,
                       double *least, double *greatest)
{
    double sorted[NORN_MOST_MEMBERS];
    const size_t all = r->series * r->horizon;
    size_t there = 0;
    for (size_t m = 0; m < r->members; m++) there += training[m].best_epoch > 0;
    for (size_t i = 0; i < all; i++) {
        double low = NAN, high = NAN;
        for (size_t m = 0; m < r->members; m++) {
            const double x = training[m].best_epoch ? values[m * all + i] : (double)NAN;
            sorted[m] = x;
            if (!(x >= low)) low = isnan(x) ? low : x;
            if (!(x <= high)) high = isnan(x) ? high : x;
        }
        out[i] = median_of(sorted, r->members);
        if (least) least[i] = low;
        if (greatest) greatest[i] = high;
    }
    return there;
}

size_t norn_run_diverged(const norn_run *r, const norn_training *training, char *out, size_t size)
{
    enum { NAMED = 3 };
    size_t count = 0, seen = 0, length = 0;
    for (size_t m = 0; m < r->members; m++) count += training[m].best_epoch == 0;
    out[0] = '\0';
    for (size_t m = 0; m < r->members && seen < NAMED; m++) {
        if (training[m].best_epoch) continue;
        const char *between = seen == 0 ? "" : seen + 1 == count ? " and " : ", ";
        length +=
            (size_t)snprintf(out + length, size - length, "%s%zu", between, r->options->first_member + m + 1);
        if (length >= size) return count;
        seen++;
    }
    if (count > NAMED) (void)snprintf(out + length, size - length, " and %zu more", count - NAMED);
    return count;
}
