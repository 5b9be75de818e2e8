/*
 * All that a page draws, as one JSON value. Figures keep ten digits, so that the page rounds them as the
 * sentences do; rows of series and forecasts keep five digits of their series' spread. Text is printable
 * UTF-8 by now, whatever the file said.
 */
#include "report/report.h"

#include "data/calendar.h"
#include "data/table.h"
#include "nn/checksum.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the drawing of a whole series, and of the list of series with their errors. */
enum { OVERVIEW_POINTS = 1200, LISTED_SERIES = 2000 };

/* ---- values ---- */

json_t *norn_report_real(double value, int digits)
{
    char text[40];
    if (!isfinite(value)) return json_null();
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    const double rounded = strtod(text, NULL);
    if (rounded == floor(rounded) && fabs(rounded) < 1e15) return json_integer((json_int_t)rounded);
    return json_real(rounded);
}

static json_t *real(double value)
{
    return norn_report_real(value, 10);
}

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *index_or_null(size_t value, size_t none)
{
    return value == none ? json_null() : count(value);
}

json_t *norn_report_name(const char *name)
{
    char out[NORN_NAME_ROOM];
    return json_string(norn_text_name(out, name ? name : ""));
}

static json_t *text_or_null(const char *text)
{
    return text ? norn_report_name(text) : json_null();
}

/* A value rounded to so many places behind the point. */
static json_t *placed(double value, double places)
{
    if (!isfinite(value)) return json_null();
    const double rounded = round(value * places) / places;
    return norn_report_real(isfinite(rounded) ? rounded : value, 12);
}

/* 10^d, so that the spread of a series has five digits. */
static double places_of(const double *y, size_t rows)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        if (y[i] < low) low = y[i];
        if (y[i] > high) high = y[i];
    }
    const double spread = high > low ? high - low : fabs(high);
    if (!(spread > 0.0) || !isfinite(spread)) return 1e6;
    const double power = 4.0 - floor(log10(spread));
    return pow(10.0, power < -9.0 ? -9.0 : power > 12.0 ? 12.0 : power);
}

/* Milliseconds of the clock on the wall, as if it stood in UTC; integers as they are. */
static double wall(const norn_findings *r, int64_t time)
{
    const norn_time_style *const style = &r->table->style;
    if (style->form == NORN_FORM_INTEGER || style->form == NORN_FORM_NONE) return (double)time;
    const norn_moment moment = norn_time_local(style, time);
    return (double)moment.days * 86400000.0 + (double)moment.rest / 1000.0;
}

/* ---- figures of scopes ---- */

static json_t *all_json(const norn_findings *r)
{
    json_t *out = json_object();
    for (int i = 0; i < NORN_METRICS; i++) {
        json_t *each = json_object(), *value = json_array(), *low = json_array(), *high = json_array(),
               *undefined = json_array();
        for (size_t m = 0; m < r->models; m++) {
            const norn_estimate e = norn_backtest_metric(r->backtest, m, NORN_SCOPE_ALL, 0, (norn_metric)i);
            json_array_append_new(value, real(e.value));
            json_array_append_new(low, real(e.low));
            json_array_append_new(high, real(e.high));
            json_array_append_new(undefined, count(e.undefined));
        }
        json_object_set_new(each, "v", value);
        json_object_set_new(each, "lo", low);
        json_object_set_new(each, "hi", high);
        json_object_set_new(each, "u", undefined);
        json_object_set_new(
            out, norn_metric_describe(r->backtest->folds.options.compat, (norn_metric)i)->word, each);
    }
    return out;
}

/* Scales of a saved backtest are those of its own rows. */
static json_t *formula_json(const norn_findings *r, const norn_metric_info *info)
{
    static const char before[] = " up to the cutoff";
    const char *const at = r->backtest->saved ? strstr(info->formula, before) : NULL;
    if (!at) return json_string(info->formula);
    return json_sprintf("%.*s over the truths in the file%s", (int)(at - info->formula), info->formula,
                        at + sizeof before - 1);
}

static json_t *metrics_json(const norn_findings *r)
{
    json_t *out = json_array();
    for (int i = 0; i < NORN_METRICS; i++) {
        const norn_metric_info *info =
            norn_metric_describe(r->backtest->folds.options.compat, (norn_metric)i);
        json_t *each = json_object();
        json_object_set_new(each, "word", json_string(info->word));
        json_object_set_new(each, "title", json_string(info->title));
        json_object_set_new(each, "unit", json_string(info->unit));
        json_object_set_new(each, "formula", formula_json(r, info));
        json_object_set_new(each, "source", json_string(info->source));
        json_object_set_new(each, "better", json_integer(info->better));
        json_array_append_new(out, each);
    }
    return out;
}

/* [M][n] of the metric that ranks. */
static json_t *scope_json(const norn_findings *r, norn_scope scope, size_t n)
{
    json_t *out = json_array();
    for (size_t m = 0; m < r->models; m++) {
        json_t *each = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(each, real(norn_report_error(r, m, scope, i)));
        json_array_append_new(out, each);
    }
    return out;
}

static json_t *cutoffs_json(const norn_findings *r)
{
    json_t *out = json_object(), *labels = json_array(), *times = json_array();
    bool known = true;
    char text[NORN_TIME_TEXT];
    for (size_t k = 0; k < r->folds; k++) {
        json_array_append_new(labels, json_string(norn_report_cutoff(r, k, text)));
        double time = NAN;
        bool same = true;
        for (size_t i = 0; i < r->series && same; i++) {
            const size_t row = norn_report_row(r, i, k, SIZE_MAX);
            if (row == SIZE_MAX) continue;
            const double own = wall(r, norn_table_times(r->table, r->backtest->folds.series[i])[row]);
            same = isnan(time) || own == time;
            time = own;
        }
        known &= same && isfinite(time);
        json_array_append_new(times, real(time));
    }
    json_object_set_new(out, "labels", labels);
    json_object_set_new(out, "times", known ? json_incref(times) : json_null());
    json_decref(times);
    return out;
}

/* Error by series, the largest of the best model first: all of them, or both ends of a long list. */
static json_t *series_json(const norn_findings *r)
{
    size_t *const order = norn_report_ranked(r);
    if (!order) return NULL;
    json_t *out = json_object(), *ids = json_array(), *rows = json_array(), *errors = json_array();
    const size_t shown[] = {r->best, r->beat == NORN_NO_MODEL || r->beat == r->best ? r->next : r->beat};
    const size_t models = shown[1] == NORN_NO_MODEL ? 1 : 2;
    for (size_t m = 0; m < models; m++) json_array_append_new(errors, json_array());
    for (size_t n = r->series; n-- > 0;) {
        if (r->series > LISTED_SERIES && n >= LISTED_SERIES / 2 && n < r->series - LISTED_SERIES / 2)
            continue;
        const size_t s = r->backtest->folds.series[order[n]];
        json_array_append_new(ids, norn_report_name(norn_table_id(r->table, s)));
        json_array_append_new(rows, count(norn_table_rows(r->table, s)));
        for (size_t m = 0; m < models; m++)
            json_array_append_new(json_array_get(errors, m),
                                  norn_report_real(norn_report_error(r, shown[m], NORN_SCOPE_SERIES, s),
                                                   r->series > 50 ? 6 : 10));
    }
    json_t *model = json_array();
    for (size_t m = 0; m < models; m++) json_array_append_new(model, count(shown[m]));
    json_object_set_new(out, "models", model);
    json_object_set_new(out, "ids", ids);
    json_object_set_new(out, "rows", rows);
    json_object_set_new(out, "e", errors);
    json_object_set_new(out, "of", count(r->series));
    norn_delete(&r->host, order, r->series, sizeof *order);
    return out;
}

static json_t *pairs_json(const norn_findings *r)
{
    json_t *out = json_object(), *p = json_array(), *statistic = json_array(), *difference = json_array();
    size_t cutoffs = 0, lags = 0;
    for (size_t a = 0; a < r->models; a++) {
        json_t *ps = json_array(), *statistics = json_array(), *differences = json_array();
        for (size_t b = 0; b < r->models; b++) {
            norn_comparison c = {.p = NAN, .statistic = NAN, .difference = NAN};
            if (a != b) c = norn_backtest_compare(r->backtest, a, b);
            if (c.cutoffs > cutoffs) cutoffs = c.cutoffs;
            if (c.lags > lags) lags = c.lags;
            json_array_append_new(ps, real(c.p));
            json_array_append_new(statistics, real(c.statistic));
            json_array_append_new(differences, real(c.difference));
        }
        json_array_append_new(p, ps);
        json_array_append_new(statistic, statistics);
        json_array_append_new(difference, differences);
    }
    json_object_set_new(out, "p", p);
    json_object_set_new(out, "statistic", statistic);
    json_object_set_new(out, "difference", difference);
    json_object_set_new(out, "cutoffs", count(cutoffs));
    json_object_set_new(out, "lags", count(lags));
    json_object_set_new(out, "least", count(NORN_COMPARISON_LEAST));
    return out;
}

/* ---- rows ---- */

/* Times as the first and then [difference, how often] after one another. */
static json_t *times_json(const norn_findings *r, const int64_t *times, size_t rows)
{
    json_t *out = json_array();
    double before = 0.0, step = NAN;
    size_t run = 0;
    for (size_t i = 0; i < rows; i++) {
        const double now = wall(r, times[i]);
        if (i == 0) {
            json_array_append_new(out, norn_report_real(now, 17));
        } else if (run && now - before == step) {
            run++;
        } else {
            if (run) {
                json_array_append_new(out, norn_report_real(step, 17));
                json_array_append_new(out, count(run));
            }
            step = now - before;
            run = 1;
        }
        before = now;
    }
    if (run) {
        json_array_append_new(out, norn_report_real(step, 17));
        json_array_append_new(out, count(run));
    }
    return out;
}

static const char *const standings[] = {
    [NORN_STANDING_ALL] = "", [NORN_WORST] = "worst", [NORN_TYPICAL] = "typical", [NORN_BEST] = "best"};

/* The rows of a fold in the table, from..to; from == to: none. */
static void fold_rows(const norn_findings *r, size_t i, size_t fold, size_t *from, size_t *to)
{
    *from = *to = 0;
    for (size_t j = 0; j < r->horizon; j++) {
        const size_t row = norn_report_row(r, i, fold, j);
        if (row == SIZE_MAX) continue;
        if (*from == *to) *from = row;
        *to = row + 1;
    }
}

/* values [K][h] of series i as one list, fold after fold, a value for each of its rows. */
static json_t *values_json(const norn_findings *r, const norn_carried *carried, size_t i,
                           const double *values, double places)
{
    json_t *out = json_array();
    for (size_t k = carried->first_fold; k < r->folds; k++) {
        size_t from, to, j = 0;
        fold_rows(r, i, k, &from, &to);
        for (size_t row = from; row < to; row++) {
            while (j < r->horizon && norn_report_row(r, i, k, j) != row &&
                   (norn_report_row(r, i, k, j) == SIZE_MAX || norn_report_row(r, i, k, j) < row))
                j++;
            const bool here = j < r->horizon && norn_report_row(r, i, k, j) == row;
            json_array_append_new(out, placed(here ? values[k * r->horizon + j] : NAN, places));
        }
    }
    return out;
}

static json_t *one_series(const norn_findings *r, const norn_carried *carried, size_t at)
{
    const size_t i = carried->place[at], s = r->backtest->folds.series[i], block = r->folds * r->horizon;
    const size_t rows = norn_table_rows(r->table, s);
    const double *const y = norn_table_target(r->table, s), places = places_of(y, rows);
    const int64_t *const times = norn_table_times(r->table, s);
    size_t first = rows;
    for (size_t k = carried->first_fold; k < r->folds; k++) {
        const size_t cutoff = norn_report_row(r, i, k, SIZE_MAX);
        if (cutoff < first) first = cutoff;
    }
    if (first == rows) first = 0;
    size_t before = 2 * r->horizon > 48 ? 2 * r->horizon : 48; /* rows of history to see where it came from */
    if (before > 500) before = 500;
    first = first > before ? first - before : 0;

    json_t *out = json_object(), *values = json_array(), *starts = json_array(), *lengths = json_array(),
           *cutoffs = json_array(), *forecasts = json_array(), *bands = json_array();
    json_object_set_new(out, "id", norn_report_name(norn_table_id(r->table, s)));
    json_object_set_new(out, "standing", json_string(standings[carried->standing[at]]));
    json_object_set_new(out, "error", real(norn_report_error(r, r->best, NORN_SCOPE_SERIES, s)));
    json_object_set_new(out, "first", count(first));
    json_object_set_new(out, "t", times_json(r, times + first, rows - first));
    for (size_t t = first; t < rows; t++) json_array_append_new(values, placed(y[t], places));
    for (size_t k = carried->first_fold; k < r->folds; k++) {
        size_t from, to;
        fold_rows(r, i, k, &from, &to);
        const size_t cutoff = norn_report_row(r, i, k, SIZE_MAX);
        json_array_append_new(starts, count(from < to ? from - first : 0));
        json_array_append_new(lengths, count(to - from));
        json_array_append_new(cutoffs, cutoff == SIZE_MAX ? json_null() : count(cutoff - first));
    }
    for (size_t m = 0; m < carried->models; m++)
        json_array_append_new(
            forecasts,
            values_json(r, carried, i, r->backtest->models[carried->model[m]].forecasts + i * block, places));
    const norn_saved *const saved = r->backtest->saved;
    for (size_t b = 0; saved && b < saved->band_count; b++) {
        json_t *each = json_object();
        json_object_set_new(each, "model", count(saved->bands[b].model));
        json_object_set_new(each, "level", norn_report_real(saved->bands[b].level, 6));
        json_object_set_new(each, "lo", values_json(r, carried, i, saved->bands[b].low + i * block, places));
        json_object_set_new(each, "hi", values_json(r, carried, i, saved->bands[b].high + i * block, places));
        json_array_append_new(bands, each);
    }
    json_object_set_new(out, "y", values);
    json_object_set_new(out, "at", starts);
    json_object_set_new(out, "n", lengths);
    json_object_set_new(out, "c", cutoffs);
    json_object_set_new(out, "f", forecasts);
    json_object_set_new(out, "bands", bands);
    return out;
}

static json_t *carried_json(const norn_findings *r, const norn_carried *carried)
{
    json_t *out = json_object(), *models = json_array(), *list = json_array();
    for (size_t m = 0; m < carried->models; m++) json_array_append_new(models, count(carried->model[m]));
    for (size_t i = 0; i < carried->count; i++) json_array_append_new(list, one_series(r, carried, i));
    json_object_set_new(out, "models", models);
    json_object_set_new(out, "firstFold", count(carried->first_fold));
    json_object_set_new(out, "series", list);
    return out;
}

/* A whole series in at most so many points: of each stretch the least and the greatest value, in the order in
 * which they came. */
static json_t *overview_json(const norn_findings *r, size_t i)
{
    const size_t s = r->backtest->folds.series[i], rows = norn_table_rows(r->table, s);
    const double *const y = norn_table_target(r->table, s), places = places_of(y, rows);
    const int64_t *const times = norn_table_times(r->table, s);
    const size_t stretch = rows > OVERVIEW_POINTS ? (2 * rows + OVERVIEW_POINTS - 1) / OVERVIEW_POINTS : 1;
    json_t *out = json_object(), *t = json_array(), *v = json_array(), *cutoffs = json_array();
    char text[NORN_TIME_TEXT];
    for (size_t from = 0; from < rows; from += stretch) {
        size_t low = SIZE_MAX, high = SIZE_MAX;
        for (size_t at = from; at < rows && at < from + stretch; at++) {
            if (!isfinite(y[at])) continue;
            if (low == SIZE_MAX || y[at] < y[low]) low = at;
            if (high == SIZE_MAX || y[at] > y[high]) high = at;
        }
        const size_t pair[] = {low < high ? low : high, low < high ? high : low};
        for (size_t p = 0; p < 2; p++) {
            if (p == 1 && pair[0] == pair[1]) break;
            const size_t at = pair[p] == SIZE_MAX ? from : pair[p];
            json_array_append_new(t, norn_report_real(wall(r, times[at]), 17));
            json_array_append_new(v, placed(y[at], places));
        }
    }
    for (size_t k = 0; k < r->folds; k++)
        json_array_append_new(cutoffs, index_or_null(norn_report_row(r, i, k, SIZE_MAX), SIZE_MAX));
    json_object_set_new(out, "id", norn_report_name(norn_table_id(r->table, s)));
    json_object_set_new(out, "rows", count(rows));
    json_object_set_new(out, "from", json_string(norn_table_time_text(r->table, times[0], text)));
    json_object_set_new(out, "to", json_string(norn_table_time_text(r->table, times[rows - 1], text)));
    json_object_set_new(out, "t", t);
    json_object_set_new(out, "y", v);
    json_object_set_new(out, "cutoffs", cutoffs);
    return out;
}

/* ---- words ---- */

static void add_decisions(json_t *out, const norn_decision *decisions, size_t n)
{
    enum { ROOM = 1200, LIMIT = 260 };
    char text[ROOM];
    for (size_t i = 0; i < n; i++) {
        json_t *each = json_array();
        json_array_append_new(each, json_string(decisions[i].what));
        json_array_append_new(each, json_string(norn_quote(text, sizeof text, decisions[i].text,
                                                           strlen(decisions[i].text), LIMIT)));
        json_array_append_new(each, json_string(decisions[i].flag));
        json_array_append_new(out, each);
    }
}

static json_t *decisions_json(const norn_findings *r)
{
    json_t *out = json_array();
    size_t n;
    const norn_decision *list = norn_table_decisions(r->table, &n);
    add_decisions(out, list, n);
    list = norn_backtest_decisions(r->backtest, &n);
    add_decisions(out, list, n);
    return out;
}

static json_t *settings_json(const norn_findings *r)
{
    const norn_backtest_options *const o = &r->backtest->folds.options;
    json_t *out = json_object();
    json_object_set_new(out, "horizon", count(o->horizon));
    json_object_set_new(out, "folds", count(o->folds));
    json_object_set_new(out, "step", count(o->step));
    json_object_set_new(out, "gap", count(o->gap));
    json_object_set_new(out, "trainRows", count(o->train_rows));
    json_object_set_new(out, "refit", count(o->refit_every));
    json_object_set_new(out, "season", count(o->season));
    json_object_set_new(out, "window", count(o->window));
    json_object_set_new(out, "bootstrap", json_integer((json_int_t)o->bootstrap));
    json_object_set_new(out, "saved", json_boolean(r->backtest->saved != NULL));
    return out;
}

static json_t *facts_json(const norn_findings *r)
{
    const norn_table_facts *const f = norn_table_facts_of(r->table);
    json_t *out = json_object();
    uint64_t rows = 0;
    for (size_t s = 0; s < norn_table_series_count(r->table); s++) rows += norn_table_rows(r->table, s);
    json_object_set_new(out, "series", count(norn_table_series_count(r->table)));
    json_object_set_new(out, "included", count(r->series));
    json_object_set_new(out, "needed", count(norn_backtest_needed(r->backtest)));
    json_object_set_new(out, "rows", count(rows));
    json_object_set_new(out, "scored", count(norn_backtest_rows(r->backtest)));
    json_object_set_new(out, "unscored", count(norn_backtest_missing(r->backtest)));
    json_object_set_new(out, "bytes", count(f->bytes));
    json_object_set_new(out, "missing", count(f->missing));
    json_object_set_new(out, "filled", count(f->filled));
    json_object_set_new(out, "duplicates", count(f->duplicates));
    json_object_set_new(out, "gaps", count(f->gaps));
    json_object_set_new(out, "absent", count(f->absent));
    json_object_set_new(out, "longestGap", count(f->longest_gap));
    json_object_set_new(out, "leftOut", count(f->left_out));
    json_object_set_new(out, "ragged", count(f->ragged));
    json_t *unforecast = json_array();
    for (size_t m = 0; m < r->models; m++)
        json_array_append_new(unforecast, count(norn_backtest_unforecast(r->backtest, m)));
    json_object_set_new(out, "unforecast", unforecast);
    return out;
}

static json_t *answer_json(const norn_findings *r)
{
    static const char *const words[] = {[NORN_ANSWER_YES] = "yes",
                                        [NORN_ANSWER_UNPROVEN] = "unproven",
                                        [NORN_ANSWER_UNTESTED] = "untested",
                                        [NORN_ANSWER_NO] = "no",
                                        [NORN_ANSWER_NO_BASELINE] = "none"};
    json_t *out = json_object(), *sentences = json_array(), *wins = json_object();
    json_object_set_new(out, "word", json_string(words[r->answer]));
    json_object_set_new(out, "headline", json_string(r->headline.bytes ? r->headline.bytes : ""));
    for (size_t i = 0; i < r->sentence_count; i++) {
        json_t *each = json_array();
        json_array_append_new(each, json_string(r->sentences[i].topic));
        json_array_append_new(each, json_string(r->sentences[i].text.bytes));
        json_array_append_new(sentences, each);
    }
    const struct {
        const char *name;
        size_t wins, of;
    } rows[] = {{"steps", r->wins.steps, r->wins.of_steps},
                {"cutoffs", r->wins.cutoffs, r->wins.of_cutoffs},
                {"series", r->wins.series, r->wins.of_series}};
    for (size_t i = 0; i < NORN_COUNT(rows); i++)
        json_object_set_new(wins, rows[i].name,
                            json_pack("[I,I]", (json_int_t)rows[i].wins, (json_int_t)rows[i].of));
    json_object_set_new(out, "sentences", sentences);
    json_object_set_new(out, "wins", wins);
    json_object_set_new(out, "gain", real(r->gain));
    json_object_set_new(out, "gainLow", real(r->gain_low));
    json_object_set_new(out, "gainHigh", real(r->gain_high));
    json_object_set_new(out, "p", real(r->beat == NORN_NO_MODEL || r->beat == r->best ? NAN : r->test.p));
    json_object_set_new(out, "worstCutoff", index_or_null(r->worst_cutoff, SIZE_MAX));
    json_object_set_new(out, "worstSeries",
                        r->worst_series == SIZE_MAX
                            ? json_null()
                            : norn_report_name(norn_table_id(r->table, r->worst_series)));
    return out;
}

/* One number for all networks of a model: the CRC-32 of their checksums in order. */
static uint32_t story_checksum(const norn_story *story)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < story->folds * story->members; i++)
        sum = norn_checksum_add(sum, &story->training[i].checksum, sizeof story->training[i].checksum);
    return sum;
}

static json_t *provenance_json(const norn_findings *r)
{
    json_t *out = json_array();
    char seed[NORN_NUMBER_ROOM];
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->backtest->folds.options.seed);
    const struct {
        const char *what, *text;
    } rows[] = {{"made with", "norn " NORN_VERSION},
                {"command", r->options.command},
                {"file", r->options.source},
                {"SHA-256 of the file", r->options.hash},
                {"device", r->options.device},
                {"forecasts", r->options.forecasts},
                {"seed", r->backtest->saved ? NULL : seed}};
    enum { LIMIT = 2000, ROOM = 4 * LIMIT + 8 };
    char *const text = norn_new(&r->host, ROOM, 1);
    for (size_t i = 0; text && i < NORN_COUNT(rows); i++) {
        if (!rows[i].text) continue;
        json_t *each = json_array();
        json_array_append_new(each, json_string(rows[i].what));
        json_array_append_new(each,
                              json_string(norn_quote(text, ROOM, rows[i].text, strlen(rows[i].text), LIMIT)));
        json_array_append_new(out, each);
    }
    norn_delete(&r->host, text, ROOM, 1);
    for (size_t i = 0; i < r->backtest->story_count; i++) {
        const norn_story *const story = &r->backtest->stories[i];
        char what[NORN_CELL_TITLE + 40], sum[16];
        (void)snprintf(what, sizeof what, "CRC-32 of the parameters of %s", story->name);
        (void)snprintf(sum, sizeof sum, "%08lx", (unsigned long)story_checksum(story));
        json_t *each = json_array();
        json_array_append_new(each, norn_report_name(what));
        json_array_append_new(each, json_string(sum));
        json_array_append_new(out, each);
    }
    return out;
}

static json_t *times_taken_json(const norn_findings *r)
{
    json_t *out = json_array();
    for (size_t m = 0; m < r->models; m++) {
        double fit, forecast;
        norn_backtest_durations(r->backtest, m, &fit, &forecast);
        json_array_append_new(out, json_pack("[f,f]", fit, forecast));
    }
    return out;
}

/* Losses of the first member of each fold by epoch: [fold, [train, ...], [validation, ...]]. */
static json_t *curves_json(const norn_story *story)
{
    json_t *out = json_array();
    for (size_t k = 0; k < story->folds; k++) {
        json_t *train = json_array(), *valid = json_array();
        for (size_t e = 0; e < story->epoch_count; e++) {
            const norn_epoch *const epoch = &story->epochs[e];
            if (epoch->fold != k || epoch->member != 0) continue;
            json_array_append_new(train, norn_report_real(epoch->train_loss, 5));
            json_array_append_new(valid, norn_report_real(epoch->valid_loss, 5));
        }
        if (json_array_size(train)) {
            json_array_append_new(out, json_pack("[I,o,o]", (json_int_t)k, train, valid));
        } else {
            json_decref(train);
            json_decref(valid);
        }
    }
    return out;
}

/* How the networks were trained, fold by fold. */
static json_t *networks_json(const norn_findings *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->backtest->story_count; i++) {
        const norn_story *const story = &r->backtest->stories[i];
        json_t *each = json_object(), *folds = json_array();
        json_object_set_new(each, "name", norn_report_name(story->name));
        json_object_set_new(each, "inputs", count(story->inputs));
        json_object_set_new(each, "layers", count(story->layers));
        json_object_set_new(each, "hidden", count(story->hidden));
        json_object_set_new(each, "window", count(story->window));
        json_object_set_new(each, "parameters", count(story->parameters));
        json_object_set_new(each, "members", count(story->members));
        for (size_t k = 0; k < story->folds; k++)
            for (size_t n = 0; n < story->members; n++) {
                const norn_training *const t = &story->training[k * story->members + n];
                if (!t->epochs) continue;
                json_array_append_new(folds, json_pack("[I,I,I,I,I,o,o]", (json_int_t)k, (json_int_t)n,
                                                       (json_int_t)t->windows, (json_int_t)t->epochs,
                                                       (json_int_t)t->best_epoch, real(t->train_loss),
                                                       real(t->valid_loss)));
            }
        json_object_set_new(each, "folds", folds);
        json_object_set_new(each, "curves", curves_json(story));
        json_array_append_new(out, each);
    }
    return out;
}

/* ---- all ---- */

json_t *norn_report_data(const norn_findings *r, norn_error *err)
{
    const norn_time_style *const style = &r->table->style;
    norn_carried carried;
    size_t typical = 0;
    if (norn_report_choose(&carried, r, err) != NORN_OK) return NULL;
    for (size_t i = 0; i < carried.count; i++)
        if (carried.standing[i] == NORN_TYPICAL) {
            typical = carried.place[i];
            break;
        }
    json_t *out = json_object(), *models = json_array(), *simple = json_array(), *order = json_array();
    for (size_t m = 0; m < r->models; m++) {
        json_array_append_new(models, norn_report_name(norn_backtest_model(r->backtest, m)));
        json_array_append_new(simple, json_boolean(norn_report_simple(r, m)));
        json_array_append_new(order, count(r->order[m]));
    }
    const norn_metric_info *by = norn_metric_describe(r->backtest->folds.options.compat, r->by);
    const struct {
        const char *name;
        json_t *value;
    } parts[] = {
        {"title", text_or_null(r->options.title ? r->options.title : r->options.source)},
        {"source", text_or_null(r->options.source)},
        {"forecasts", text_or_null(r->options.forecasts)},
        {"target", norn_report_name(norn_table_target_name(r->table, r->backtest->folds.series[0]))},
        {"integers", json_boolean(style->form == NORN_FORM_INTEGER || style->form == NORN_FORM_NONE)},
        {"clock", json_boolean(style->form == NORN_FORM_CLOCK)},
        {"models", models},
        {"simple", simple},
        {"order", order},
        {"best", count(r->best)},
        {"beat", index_or_null(r->beat, NORN_NO_MODEL)},
        {"next", index_or_null(r->next, NORN_NO_MODEL)},
        {"by", json_string(by->word)},
        {"skill", r->skill == NORN_METRICS
                      ? json_null()
                      : json_string(norn_metric_describe(r->backtest->folds.options.compat, r->skill)->word)},
        {"answer", answer_json(r)},
        {"settings", settings_json(r)},
        {"facts", facts_json(r)},
        {"decisions", decisions_json(r)},
        {"metrics", metrics_json(r)},
        {"all", all_json(r)},
        {"steps", scope_json(r, NORN_SCOPE_STEP, r->horizon)},
        {"cutoffs", scope_json(r, NORN_SCOPE_CUTOFF, r->folds)},
        {"cutoff", cutoffs_json(r)},
        {"series", series_json(r)},
        {"pairs", pairs_json(r)},
        {"calendar", norn_report_calendar(r)},
        {"residuals", norn_report_residuals(r)},
        {"coverage", norn_report_coverage(r)},
        {"overview", overview_json(r, typical)},
        {"carried", carried_json(r, &carried)},
        {"networks", networks_json(r)},
        {"provenance", provenance_json(r)},
        {"times", r->options.with_times ? times_taken_json(r) : json_null()},
    };
    bool failed = out == NULL;
    for (size_t i = 0; i < NORN_COUNT(parts); i++)
        failed |= json_object_set_new(out, parts[i].name, parts[i].value) != 0;
    if (!failed) return out;
    json_decref(out);
    (void)norn_fail_memory(err, "the data of a report");
    return NULL;
}
