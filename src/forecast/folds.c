/* Many folds at once: see folds.h. The work is that of a run (run.h); here sizes are chosen for it. */
#include "forecast/folds.h"

#include <stdio.h>
#include <string.h>

/* Sees a less than b? */
static bool earlier(const norn_fold *a, const norn_fold *b)
{
    return a->behind != b->behind ? a->behind > b->behind : a->gap > b->gap;
}

/* The earliest fold that is trained, or the one that was given, which must not see more than any of them. */
static norn_status choose_judge(norn_run *r, const norn_fold *given, norn_error *err)
{
    const norn_fold *judge = given;
    for (size_t k = 0; k < r->fold_count && !given; k++)
        if (r->folds[k].served_by == k && (!judge || earlier(&r->folds[k], judge))) judge = &r->folds[k];
    if (!judge) return norn_fail(err, NORN_ERR_USAGE, "no fold is trained");
    for (size_t k = 0; k < r->fold_count; k++) {
        const norn_fold *fold = &r->folds[k];
        if (fold->served_by == k &&
            (fold->behind > judge->behind ||
             (fold->gap > judge->gap && fold->gap - judge->gap > judge->behind - fold->behind)))
            return norn_fail(err, NORN_ERR_USAGE,
                             "fold %zu sees less than the one that choices are made from", k);
    }
    r->judge = *judge;
    return NORN_OK;
}

/* Season and window by the shortest series that has a window, a horizon and rows to stop by before the
 * judge's cutoff: shorter ones are left out and should not decide for the others. */
static norn_status choose_sizes(norn_run *r, norn_error *err)
{
    size_t shortest = 0, longest = 0;
    for (size_t s = 0; s < r->series; s++) {
        size_t from = 0;
        const size_t end = norn_run_rows(r, &r->judge, s, &from), n = end - from;
        if (r->ended[s]) continue;
        longest = norn_at_least(n, longest);
        const size_t window = norn_run_window(r, n), valid = norn_run_validation(r, n);
        if (window > n || r->horizon > n - window || valid > n - window - r->horizon) continue;
        if (!shortest || n < shortest) shortest = n;
    }
    if (!shortest)
        return norn_fail(
            err, NORN_ERR_USAGE,
            "no series is long enough: %zu rows up to the first cutoff are too few for a window of "
            "%zu, a horizon of %zu and %zu rows to stop by; a smaller --folds, --step, --horizon "
            "or --window is needed",
            longest, norn_run_window(r, longest), r->horizon, norn_run_validation(r, longest));
    const norn_status status = norn_run_season(r, shortest, err);
    if (status != NORN_OK) return status;
    r->window = norn_run_window(r, shortest);
    norn_run_say_window(r);
    return NORN_OK;
}

/* The medians of all folds, and who is left out of them. */
static norn_status gather(norn_folds_out *out, norn_run *r, const double *each, norn_error *err)
{
    const size_t size = r->series * r->horizon;
    size_t folds = 0, there = 0;
    char names[80] = "";
    for (size_t k = 0; k < r->fold_count; k++) {
        const norn_training *training = out->training + r->folds[k].served_by * r->members;
        const size_t good = norn_run_median(r, each + k * r->members * size, training, out->values + k * size,
                                            out->least ? out->least + k * size : NULL,
                                            out->greatest ? out->greatest + k * size : NULL);
        if (r->folds[k].served_by != k) continue;
        there += good > 0;
        const size_t diverged = norn_run_diverged(r, training, names, sizeof names);
        if (!diverged || folds++) continue;
        if (r->members == 1)
            (void)snprintf(names, sizeof names, "fold %zu diverged in epoch %u", k + 1, training[0].epochs);
        else {
            char some[40];
            (void)snprintf(some, sizeof some, "%.39s", names);
            (void)snprintf(names, sizeof names, "%s of fold %zu diverged", some, k + 1);
        }
    }
    if (!there)
        return norn_fail(err, NORN_ERR_NUMERIC,
                         "training diverged in every fold (a loss is not finite): try a smaller --lr");
    char more[48] = "";
    if (folds > 1) (void)snprintf(more, sizeof more, " (and some of %zu more folds)", folds - 1);
    if (folds) norn_choose(r->choices, "members", "--lr", "%s%s: left out", names, more);
    return NORN_OK;
}

norn_status norn_folds_run(norn_folds_out *out, norn_context *context, norn_table *table,
                           const norn_folds_options *options, const norn_fold *folds, size_t count,
                           const norn_host *host, norn_error *err)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    norn_status status = norn_options_take(&o, sizeof o, options->forecast, err);
    o.holdout = 0;
    if (status == NORN_OK) status = norn_run_check_options(&o, err);
    if (status != NORN_OK) return status;
    if (!o.horizon || !count) return norn_fail(err, NORN_ERR_USAGE, "folds need a --horizon");
    const norn_host services = norn_host_copy(host ? host : &context->host);
    norn_choices unheard = {.count = 0};
    norn_run r = {.context = context,
                  .table = table,
                  .options = &o,
                  .host = &services,
                  .choices = out->choices ? out->choices : &unheard,
                  .folds = folds,
                  .fold_count = count,
                  .skips = true,
                  .shares = (double)norn_at_least(options->shares, 1),
                  .members = norn_at_least(o.members, 1),
                  .slots = options->slots,
                  .at_once = options->at_once,
                  .horizon = o.horizon};
    double *each = NULL;
    size_t room = 0, latest = SIZE_MAX;
    for (size_t k = 0; k < count; k++) latest = norn_at_most(folds[k].behind, latest);
    status = norn_run_begin(&r, err);
    if (status == NORN_OK) status = choose_judge(&r, options->judge, err);
    if (status == NORN_OK) status = norn_run_check_ahead(&r, latest, err);
    if (status == NORN_OK) status = choose_sizes(&r, err);
    if (status == NORN_OK) status = norn_run_recipes(&r, err);
    if (status == NORN_OK) {
        room = count * r.members * r.series * r.horizon;
        if (!(each = norn_new(r.host, room, sizeof *each))) status = norn_fail_memory(err, "the forecasts");
    }
    if (status == NORN_OK) status = norn_run_fit(&r, each, out->training, err);
    if (status == NORN_OK) status = gather(out, &r, each, err);
    out->season = r.season;
    out->window = r.window;
    out->parameters = r.parameters;
    out->inputs = r.shape.inputs;
    out->layers = r.shape.layers;
    out->hidden = r.shape.hidden;
    norn_delete(r.host, each, room, sizeof *each);
    norn_run_end(&r);
    return status;
}

norn_status norn_folds_horizon(size_t *horizon, norn_table *table, const norn_forecast_options *options,
                               norn_choices *choices, const norn_host *host, norn_error *err)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    norn_status status = norn_options_take(&o, sizeof o, options, err);
    if (status != NORN_OK) return status;
    const norn_host services = norn_host_copy(host);
    norn_choices unheard = {.count = 0};
    norn_run r = {.table = table, .options = &o, .host = &services, .choices = choices ? choices : &unheard};
    status = norn_run_begin(&r, err);
    const size_t shortest = status == NORN_OK ? norn_run_shortest(&r) : 0;
    if (status == NORN_OK && shortest == SIZE_MAX)
        status = norn_fail(err, NORN_ERR_USAGE,
                           "no series goes on after its last row: there is nothing to forecast");
    if (status == NORN_OK) status = norn_run_season(&r, norn_table_rows(table, shortest), err);
    if (status == NORN_OK) {
        norn_run_horizon(&r, norn_table_rows(table, shortest));
        *horizon = r.horizon;
    }
    norn_run_end(&r);
    return status;
}
