/*
 * The answer: which model is best, what simple forecast it must beat, whether it does, where it does not, and
 * the sentences that say so. Every number of a sentence stands in a table of the report, written alike.
 *
 * One series is ranked by MAE, in the unit of the target; several by MASE, which weighs them alike. The
 * forecast to beat is the best of Naive, SeasonalNaive and Naive2: what costs nothing and needs no model.
 */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double norn_report_error(const norn_findings *r, size_t model, norn_scope scope, size_t index)
{
    return norn_backtest_metric(r->backtest, model, scope, index, r->by).value;
}

static double whole(const norn_findings *r, size_t model)
{
    return norn_report_error(r, model, NORN_SCOPE_ALL, 0);
}

const char *norn_report_title(const norn_findings *r, norn_metric metric)
{
    return norn_metric_describe(r->backtest->folds.options.compat, metric)->title;
}

const char *norn_report_model(const norn_findings *r, size_t model, char out[NORN_NAME_ROOM])
{
    return norn_text_name(out, norn_backtest_model(r->backtest, model));
}

bool norn_report_simple(const norn_findings *r, size_t model)
{
    const norn_forecaster *const kind = r->backtest->models[model].kind;
    return kind == &norn_model_naive || kind == &norn_model_seasonal_naive || kind == &norn_model_naive2;
}

const char *norn_report_spoken(const norn_findings *r, size_t model, char out[NORN_NAME_ROOM])
{
    const norn_forecaster *const kind = r->backtest->models[model].kind;
    if (kind == &norn_model_naive)
        (void)snprintf(out, NORN_NAME_ROOM, "the naive forecast");
    else if (kind == &norn_model_seasonal_naive)
        (void)snprintf(out, NORN_NAME_ROOM, "the seasonal naive forecast");
    else
        (void)norn_report_model(r, model, out);
    return out;
}

size_t norn_report_row(const norn_findings *r, size_t i, size_t fold, size_t j)
{
    const norn_saved *const saved = r->backtest->saved;
    if (saved && j == SIZE_MAX) return saved->cutoffs[i * r->folds + fold];
    if (saved) return saved->rows[(i * r->folds + fold) * r->horizon + j];
    const size_t cutoff = norn_folds_cutoff(&r->backtest->folds, i, fold);
    return j == SIZE_MAX ? cutoff : cutoff + 1 + j;
}

const char *norn_report_cutoff(const norn_findings *r, size_t fold, char out[NORN_TIME_TEXT])
{
    int64_t time = 0;
    bool any = false, same = true;
    for (size_t i = 0; i < r->series && same; i++) {
        const size_t row = norn_report_row(r, i, fold, SIZE_MAX);
        if (row == SIZE_MAX) continue;
        const int64_t own = norn_table_times(r->table, r->backtest->folds.series[i])[row];
        same = !any || own == time;
        time = own;
        any = true;
    }
    if (any && same) return norn_table_time_text(r->table, time, out);
    (void)snprintf(out, NORN_TIME_TEXT, "cutoff %zu of %zu", fold + 1, r->folds);
    return out;
}

/* ---- order ---- */

static void rank(norn_findings *r)
{
    for (size_t m = 0; m < r->models; m++) {
        const double own = whole(r, m);
        size_t at = m;
        for (; at > 0; at--) { /* models without a value come last; equal ones stay in their order */
            const double before = whole(r, r->order[at - 1]);
            if (!(own < before || (isfinite(own) && !isfinite(before)))) break;
            r->order[at] = r->order[at - 1];
        }
        r->order[at] = m;
    }
    r->best = r->order[0];
    r->next = r->models > 1 ? r->order[1] : NORN_NO_MODEL;
    r->beat = NORN_NO_MODEL;
    for (size_t i = r->models; i-- > 0;)
        if (norn_report_simple(r, r->order[i]) && isfinite(whole(r, r->order[i]))) r->beat = r->order[i];
}

static void count_wins(const norn_findings *r, norn_scope scope, size_t count, size_t *wins, size_t *of)
{
    *wins = *of = 0;
    for (size_t i = 0; i < count; i++) {
        const double own = norn_report_error(r, r->best, scope, i),
                     other = norn_report_error(r, r->beat, scope, i);
        if (!isfinite(own) || !isfinite(other)) continue;
        *wins += own < other;
        ++*of;
    }
}

static void compare(norn_findings *r)
{
    const double own = whole(r, r->best);
    r->gain = r->gain_low = r->gain_high = NAN;
    r->skill = NORN_METRICS;
    if (r->beat == NORN_NO_MODEL) {
        r->answer = NORN_ANSWER_NO_BASELINE;
        return;
    }
    if (r->best == r->beat) {
        r->answer = NORN_ANSWER_NO;
        return;
    }
    const double other = whole(r, r->beat);
    if (other > 0.0) r->gain = 1.0 - own / other;
    const norn_forecaster *const kind = r->backtest->models[r->beat].kind;
    r->skill = r->by != NORN_METRIC_MAE             ? NORN_METRICS
               : kind == &norn_model_naive          ? NORN_METRIC_SKILL_NAIVE
               : kind == &norn_model_seasonal_naive ? NORN_METRIC_SKILL_SEASONAL_NAIVE
                                                    : NORN_METRICS;
    if (r->skill != NORN_METRICS) {
        const norn_estimate e = norn_backtest_metric(r->backtest, r->best, NORN_SCOPE_ALL, 0, r->skill);
        r->gain_low = e.low;
        r->gain_high = e.high;
    }
    r->test = norn_backtest_compare(r->backtest, r->best, r->beat);
    count_wins(r, NORN_SCOPE_STEP, r->horizon, &r->wins.steps, &r->wins.of_steps);
    count_wins(r, NORN_SCOPE_CUTOFF, r->folds, &r->wins.cutoffs, &r->wins.of_cutoffs);
    count_wins(r, NORN_SCOPE_SERIES, norn_table_series_count(r->table), &r->wins.series, &r->wins.of_series);
    r->answer = !(own < other)          ? NORN_ANSWER_NO
                : !isfinite(r->test.p)  ? NORN_ANSWER_UNTESTED
                : r->test.p >= 0.05     ? NORN_ANSWER_UNPROVEN
                : r->test.statistic > 0 ? NORN_ANSWER_UNPROVEN /* cutoffs weigh alike there, rows here */
                                        : NORN_ANSWER_YES;
}

/* The index of a scope at which the best model's error is largest. */
static size_t find_worst(const norn_findings *r, norn_scope scope, size_t count)
{
    size_t worst = SIZE_MAX;
    double most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        const double own = norn_report_error(r, r->best, scope, i);
        if (isfinite(own) && own > most) {
            most = own;
            worst = i;
        }
    }
    return worst;
}

/* ---- sentences ---- */

/* NULL: no room for more. */
static norn_text *begin(norn_findings *r, const char *topic)
{
    if (r->sentence_count == NORN_SENTENCES) return NULL;
    norn_sentence *const s = &r->sentences[r->sentence_count++];
    *s = (norn_sentence){topic, norn_text_new(&r->host)};
    return &s->text;
}

static void say_headline(norn_findings *r)
{
    char best[NORN_NAME_ROOM], other[NORN_NAME_ROOM];
    norn_text *const t = &r->headline;
    if (!isfinite(whole(r, r->best))) {
        norn_text_put(t, "Nothing could be scored.");
        return;
    }
    (void)norn_report_spoken(r, r->best, best);
    if (r->beat != NORN_NO_MODEL) (void)norn_report_spoken(r, r->beat, other);
    switch (r->answer) {
    case NORN_ANSWER_YES:
        norn_text_format(t, "Yes: %s is better than %s, by %s.", best, other,
                         norn_text_percent((char[NORN_NUMBER_ROOM]){0}, r->gain));
        break;
    case NORN_ANSWER_UNPROVEN:
        norn_text_format(t, "Not proven: %s did better than %s, but that may be chance.", best, other);
        break;
    case NORN_ANSWER_UNTESTED:
        norn_text_format(t, "Perhaps: %s did better than %s, on too few cutoffs to rule out chance.", best,
                         other);
        if (r->test.cutoffs >= NORN_COMPARISON_LEAST) {
            t->length = 0;
            norn_text_format(t, "Perhaps: %s did better than %s, by the same at every cutoff.", best, other);
        }
        break;
    case NORN_ANSWER_NO:
        norn_text_format(t, "No: nothing beat %s.", other);
        break;
    case NORN_ANSWER_NO_BASELINE:
        if (r->models == 1)
            norn_text_format(t, "%s stands alone: there is no simple forecast to beat.", best);
        else
            norn_text_format(t, "%s is the best of %zu, with no simple forecast to beat.", best, r->models);
        break;
    }
}

static void say_test(norn_text *t, const norn_comparison *c)
{
    char p[NORN_NUMBER_ROOM];
    if (c->cutoffs < NORN_COMPARISON_LEAST)
        norn_text_format(t, " With %zu cutoff%s no test can be made; it takes %d.", c->cutoffs,
                         c->cutoffs == 1 ? "" : "s", (int)NORN_COMPARISON_LEAST);
    else if (isfinite(c->p))
        norn_text_format(t, " %s (%s, Diebold-Mariano over %zu cutoffs).",
                         c->p < 0.05 ? "That is more than chance" : "That may well be chance",
                         norn_text_p(p, c->p), c->cutoffs);
}

static void say_gain(norn_findings *r)
{
    char best[NORN_NAME_ROOM], other[NORN_NAME_ROOM], n[5][NORN_NUMBER_ROOM];
    const double own = whole(r, r->best);
    if (!isfinite(own)) return;
    norn_text *const t = begin(r, "gain");
    if (!t) return;
    const char *const title = norn_report_title(r, r->by);
    if (r->answer == NORN_ANSWER_NO || r->answer == NORN_ANSWER_NO_BASELINE) {
        const size_t m = r->best == r->beat || r->beat == NORN_NO_MODEL ? r->next : r->best;
        norn_text_format(t, "The %s of %s is %s", title, norn_report_spoken(r, r->best, best),
                         norn_text_number(n[0], own));
        if (m == NORN_NO_MODEL || !isfinite(whole(r, m)) || !(own > 0.0)) {
            norn_text_put(t, ".");
            return;
        }
        const norn_comparison c = norn_backtest_compare(r->backtest, r->best, m);
        norn_text_format(t, "; next comes %s with %s.", norn_report_spoken(r, m, other),
                         norn_text_number(n[1], whole(r, m)));
        say_test(t, &c);
        return;
    }
    norn_text_format(t, "Its %s is %s, against %s: %s less", title, norn_text_number(n[0], own),
                     norn_text_number(n[1], whole(r, r->beat)), norn_text_percent(n[2], r->gain));
    if (isfinite(r->gain_low))
        norn_text_format(t, " (95 %% interval %s to %s)", norn_text_percent(n[3], r->gain_low),
                         norn_text_percent(n[4], r->gain_high));
    norn_text_put(t, ".");
    say_test(t, &r->test);
}

/* The runner-up, where it is not the simple forecast that was spoken of already. */
static void say_next(norn_findings *r)
{
    char next[NORN_NAME_ROOM], n[NORN_NUMBER_ROOM];
    if (r->next == NORN_NO_MODEL || r->next == r->beat || r->best == r->beat || r->beat == NORN_NO_MODEL)
        return;
    if (r->answer == NORN_ANSWER_NO || !isfinite(whole(r, r->next))) return;
    norn_text *const t = begin(r, "next");
    if (!t) return;
    const norn_comparison c = norn_backtest_compare(r->backtest, r->best, r->next);
    norn_text_format(t, "Next comes %s with %s", norn_report_spoken(r, r->next, next),
                     norn_text_number(n, whole(r, r->next)));
    if (isfinite(c.p))
        norn_text_format(t, "; that it is behind %s (%s)",
                         c.p < 0.05 ? "is more than chance" : "may well be chance", norn_text_p(n, c.p));
    norn_text_put(t, ".");
}

static void say_wins(norn_findings *r)
{
    const norn_wins *const w = &r->wins;
    char other[NORN_NAME_ROOM];
    if (r->beat == NORN_NO_MODEL || r->best == r->beat || !w->of_cutoffs) return;
    norn_text *const t = begin(r, "wins");
    if (!t) return;
    norn_text_format(t, "It beats %s ", norn_report_spoken(r, r->beat, other));
    if (w->of_steps > 1)
        norn_text_format(t, "at %zu of %zu steps%s", w->steps, w->of_steps,
                         w->of_series > 1 ? ", " : " and ");
    norn_text_format(t, "after %s%zu of %zu cutoffs", 2 * w->cutoffs < w->of_cutoffs ? "only " : "",
                     w->cutoffs, w->of_cutoffs);
    if (w->of_series > 1) norn_text_format(t, " and in %zu of %zu series", w->series, w->of_series);
    norn_text_put(t, ".");
}

/* How the error grows: the first row of the horizon, and the last. */
static void say_horizon(norn_findings *r)
{
    char n[3][NORN_NUMBER_ROOM];
    const size_t h = r->horizon;
    if (h < 2) return;
    const double first = norn_report_error(r, r->best, NORN_SCOPE_STEP, 0),
                 last = norn_report_error(r, r->best, NORN_SCOPE_STEP, h - 1);
    if (!isfinite(first) || !isfinite(last)) return;
    norn_text *const t = begin(r, "horizon");
    if (!t) return;
    norn_text_format(t, "Its %s %s from %s one row ahead to %s at row %zu", norn_report_title(r, r->by),
                     last > first ? "grows" : "goes", norn_text_number(n[0], first),
                     norn_text_number(n[1], last), h);
    size_t from = h; /* the simple forecast is better from here to the end */
    while (r->beat != NORN_NO_MODEL && r->beat != r->best && from > 0 &&
           norn_report_error(r, r->beat, NORN_SCOPE_STEP, from - 1) <
               norn_report_error(r, r->best, NORN_SCOPE_STEP, from - 1))
        from--;
    if (from < h && from > 0)
        norn_text_format(t, "; from row %zu on it is no better than %s", from + 1,
                         norn_report_spoken(r, r->beat, (char[NORN_NAME_ROOM]){0}));
    norn_text_put(t, ".");
}

static void say_worst(norn_findings *r)
{
    char when[NORN_TIME_TEXT], id[NORN_NAME_ROOM], n[2][NORN_NUMBER_ROOM];
    const bool cutoff = r->worst_cutoff != SIZE_MAX && r->folds > 1;
    const bool series = r->worst_series != SIZE_MAX && r->series > 1;
    if (!cutoff && !series) return;
    norn_text *const t = begin(r, "worst");
    if (!t) return;
    norn_text_put(t, "It failed worst");
    if (series)
        norn_text_format(
            t, " in series %s (%s %s)", norn_text_name(id, norn_table_id(r->table, r->worst_series)),
            norn_report_title(r, r->by),
            norn_text_number(n[0], norn_report_error(r, r->best, NORN_SCOPE_SERIES, r->worst_series)));
    if (cutoff)
        norn_text_format(
            t, "%s after %s (%s %s)", series ? " and" : "", norn_report_cutoff(r, r->worst_cutoff, when),
            norn_report_title(r, r->by),
            norn_text_number(n[1], norn_report_error(r, r->best, NORN_SCOPE_CUTOFF, r->worst_cutoff)));
    norn_text_put(t, ".");
}

static void say_leaning(norn_findings *r)
{
    char n[NORN_NUMBER_ROOM];
    const norn_estimate bias =
        norn_backtest_metric(r->backtest, r->best, NORN_SCOPE_ALL, 0, NORN_METRIC_BIAS);
    const bool darts = r->backtest->folds.options.compat == NORN_COMPAT_DARTS;
    if (!isfinite(bias.low) || !(bias.low > 0.0 || bias.high < 0.0)) return;
    norn_text *const t = begin(r, "bias");
    if (!t) return;
    norn_text_format(t, "Its forecasts lean: they are too %s, by %s on average.",
                     (bias.value > 0.0) != darts ? "high" : "low", norn_text_number(n, fabs(bias.value)));
}

static void say_bands(norn_findings *r)
{
    enum { MISS = 4 }; /* percent by which a band may miss its level without a word */
    const norn_saved *const saved = r->backtest->saved;
    char n[NORN_NUMBER_ROOM];
    for (size_t i = 0; saved && i < saved->band_count; i++) {
        const norn_band *const band = &saved->bands[i];
        size_t rows;
        if (band->model != r->best) continue;
        const double held = norn_report_held(r, band, &rows);
        if (!isfinite(held)) continue;
        norn_text *const t = begin(r, "bands");
        if (!t) return;
        norn_text_format(t, "Its %g %% band held %s of the truths%s", band->level, norn_text_percent(n, held),
                         100.0 * held < band->level - MISS   ? ": it is too narrow."
                         : 100.0 * held > band->level + MISS ? ": it is wider than it need be."
                                                             : ".");
        return;
    }
}

norn_status norn_report_find(norn_findings *r, const norn_table *table, const norn_backtest *backtest,
                             const norn_report_options *options, const norn_host *host, norn_error *err)
{
    *r = (norn_findings){.host = norn_host_copy(host),
                         .table = table,
                         .backtest = backtest,
                         .options = NORN_REPORT_OPTIONS_INIT,
                         .models = backtest->model_count,
                         .folds = backtest->folds.options.folds,
                         .horizon = backtest->folds.options.horizon,
                         .series = backtest->folds.count};
    const norn_status taken = norn_options_take(&r->options, sizeof r->options, options, err);
    if (taken != NORN_OK) return taken;
    r->headline = norn_text_new(&r->host);
    r->by = r->series > 1 ? NORN_METRIC_MASE : NORN_METRIC_MAE;
    rank(r);
    compare(r);
    r->worst_cutoff = find_worst(r, NORN_SCOPE_CUTOFF, r->folds);
    r->worst_series = find_worst(r, NORN_SCOPE_SERIES, norn_table_series_count(table));
    say_headline(r);
    say_gain(r);
    say_wins(r);
    say_next(r);
    say_horizon(r);
    say_worst(r);
    say_bands(r);
    say_leaning(r);
    bool failed = r->headline.failed;
    for (size_t i = 0; i < r->sentence_count; i++) failed |= r->sentences[i].text.failed;
    if (!failed) return NORN_OK;
    norn_report_end(r);
    return norn_fail_memory(err, "a report");
}

void norn_report_end(norn_findings *r)
{
    norn_text_free(&r->headline);
    for (size_t i = 0; i < r->sentence_count; i++) norn_text_free(&r->sentences[i].text);
    r->sentence_count = 0;
}
