/*
 * Figures that are drawn and are not among the metrics: errors by hour, weekday and month, how they are
 * distributed, how they hang together over time, and how often bands held what they promised.
 *
 * Errors of several series are divided by the scale of MASE, as they are for every comparison between series.
 */
#include "report/report.h"

#include "backtest/significance.h"
#include "data/calendar.h"
#include "data/table.h"

#include <math.h>
#include <stdlib.h>

/* What an error of this block is divided by. */
static double unit_of(const norn_findings *r, const norn_block *block)
{
    return r->series < 2 ? 1.0 : block->scale > 0.0 ? block->scale : NAN;
}

/* ---- by hour, weekday and month ---- */

enum { KINDS = 3, MOST_CLASSES = 24, DAYS_OF_WEEKS = 14, DAYS_OF_YEAR = 300 };

typedef enum kind { KIND_HOUR, KIND_WEEKDAY, KIND_MONTH } kind;

static const char *const kind_names[KINDS] = {"hour", "weekday", "month"};
static const size_t kind_classes[KINDS] = {24, 7, 12};
static const char *const weekday_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static size_t class_of(kind k, norn_moment moment)
{
    if (k == KIND_HOUR) return (size_t)(moment.rest / NORN_HOUR);
    if (k == KIND_WEEKDAY) return (size_t)norn_weekday(moment.days);
    return (size_t)norn_civil_from_days(moment.days).month - 1;
}

static json_t *class_label(kind k, size_t at)
{
    return k == KIND_WEEKDAY ? json_string(weekday_names[at])
           : k == KIND_MONTH ? json_string(month_names[at])
                             : json_sprintf("%02zu", at);
}

typedef struct classes {
    double sum[KINDS][MOST_CLASSES];
    size_t rows[KINDS][MOST_CLASSES];
    int64_t first, last; /* days of scored rows */
} classes;

static void add_classes(const norn_findings *r, size_t model, classes *out)
{
    const norn_time_style *const style = &r->table->style;
    out->first = INT64_MAX;
    out->last = INT64_MIN;
    for (size_t i = 0; i < r->series; i++) {
        const int64_t *const times = norn_table_times(r->table, r->backtest->folds.series[i]);
        for (size_t k = 0; k < r->folds; k++) {
            const norn_block block = norn_backtest_block(r->backtest, model, i, k);
            const double unit = unit_of(r, &block);
            for (size_t j = 0; j < r->horizon; j++) {
                const double e = fabs(block.truth[j] - block.forecast[j]) / unit;
                const size_t row = norn_report_row(r, i, k, j);
                if (!isfinite(e) || row == SIZE_MAX) continue;
                const norn_moment moment = norn_time_local(style, times[row]);
                for (size_t c = 0; c < KINDS; c++) {
                    const size_t at = class_of((kind)c, moment);
                    out->sum[c][at] += e;
                    out->rows[c][at]++;
                }
                if (moment.days < out->first) out->first = moment.days;
                if (moment.days > out->last) out->last = moment.days;
            }
        }
    }
}

/* Is it worth drawing? The step must be finer than a class, and the rows must have seen enough of them. */
static bool has_kind(const norn_findings *r, const classes *c, kind k)
{
    const norn_step step = norn_table_step(r->table);
    const norn_time_form form = r->table->style.form;
    size_t seen = 0;
    for (size_t i = 0; i < kind_classes[k]; i++) seen += c->rows[k][i] > 0;
    if (form == NORN_FORM_INTEGER || form == NORN_FORM_NONE || seen < 2 || c->last < c->first) return false;
    const int64_t days = c->last - c->first;
    const bool micro = step.unit == NORN_STEP_MICROSECONDS;
    if (k == KIND_HOUR) return form == NORN_FORM_CLOCK && micro && step.count < NORN_DAY;
    if (k == KIND_WEEKDAY)
        return days >= 6 && ((micro && step.count <= NORN_DAY) || step.unit == NORN_STEP_BUSINESS_DAYS);
    return days >= DAYS_OF_YEAR && (step.unit != NORN_STEP_MONTHS || step.count < 12);
}

json_t *norn_report_calendar(const norn_findings *r)
{
    json_t *out = json_array();
    classes *all = norn_new(&r->host, r->models, sizeof *all);
    if (!all) {
        json_decref(out);
        return NULL;
    }
    for (size_t m = 0; m < r->models; m++) add_classes(r, m, &all[m]);
    for (size_t c = 0; c < KINDS; c++) {
        const classes *const rows = &all[r->best];
        if (!has_kind(r, rows, (kind)c)) continue;
        json_t *each = json_object(), *labels = json_array(), *counts = json_array(), *errors = json_array();
        for (size_t m = 0; m < r->models; m++) json_array_append_new(errors, json_array());
        for (size_t i = 0; i < kind_classes[c]; i++) {
            if (!rows->rows[c][i]) continue;
            json_array_append_new(labels, class_label((kind)c, i));
            json_array_append_new(counts, json_integer((json_int_t)rows->rows[c][i]));
            for (size_t m = 0; m < r->models; m++)
                json_array_append_new(
                    json_array_get(errors, m),
                    norn_report_real(all[m].rows[c][i] ? all[m].sum[c][i] / (double)all[m].rows[c][i] : NAN,
                                     7));
        }
        json_object_set_new(each, "kind", json_string(kind_names[c]));
        json_object_set_new(each, "labels", labels);
        json_object_set_new(each, "rows", counts);
        json_object_set_new(each, "e", errors);
        json_array_append_new(out, each);
    }
    norn_delete(&r->host, all, r->models, sizeof *all);
    return out;
}

/* ---- residuals ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All errors of a model, sorted. Returns how many. */
static size_t sorted_errors(const norn_findings *r, size_t model, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < r->series; i++)
        for (size_t k = 0; k < r->folds; k++) {
            const norn_block block = norn_backtest_block(r->backtest, model, i, k);
            const double unit = unit_of(r, &block);
            for (size_t j = 0; j < r->horizon; j++) {
                const double e = (block.truth[j] - block.forecast[j]) / unit;
                if (isfinite(e)) out[count++] = e;
            }
        }
    qsort(out, count, sizeof *out, ascending);
    return count;
}

static double quantile(const double *sorted, size_t n, double share)
{
    const double at = share * (double)(n - 1);
    const size_t below = (size_t)at;
    return below + 1 < n ? sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below])
                         : sorted[n - 1];
}

/* Counts in equal bins over all but the outermost half percent at each end, which the end bins take in. */
static json_t *histogram(const double *sorted, size_t n)
{
    enum { BINS = 31 };
    const double low = quantile(sorted, n, 0.005), high = quantile(sorted, n, 0.995);
    size_t counts[BINS] = {0};
    if (!(high > low)) return json_null();
    for (size_t i = 0; i < n; i++) {
        const double at = (sorted[i] - low) / (high - low) * BINS;
        counts[at < 0.0 ? 0 : at >= BINS ? BINS - 1 : (size_t)at]++;
    }
    json_t *out = json_object(), *list = json_array();
    for (size_t i = 0; i < BINS; i++) json_array_append_new(list, json_integer((json_int_t)counts[i]));
    json_object_set_new(out, "low", norn_report_real(low, 6));
    json_object_set_new(out, "high", norn_report_real(high, 6));
    json_object_set_new(out, "n", list);
    return out;
}

/* Quantiles of the errors at the shares (i + 1/2) / n, which the page sets against those of the normal
 * distribution. */
static json_t *quantiles(const double *sorted, size_t n)
{
    enum { POINTS = 59 };
    json_t *out = json_array();
    for (size_t i = 0; i < POINTS; i++)
        json_array_append_new(out, norn_report_real(quantile(sorted, n, ((double)i + 0.5) / POINTS), 6));
    return out;
}

json_t *norn_report_residuals(const norn_findings *r)
{
    const size_t room = r->series * r->folds * r->horizon;
    double *errors = norn_new(&r->host, room, sizeof *errors);
    json_t *out = json_array();
    if (!errors) {
        json_decref(out);
        return NULL;
    }
    for (size_t m = 0; m < r->models; m++) {
        const norn_residuals left = norn_backtest_residuals(r->backtest, m);
        const size_t n = sorted_errors(r, m, errors);
        json_t *each = json_object(), *lags = json_array();
        for (size_t k = 1; k <= left.lags; k++)
            json_array_append_new(lags, norn_report_real(left.autocorrelation[k], 5));
        json_object_set_new(each, "rows", json_integer((json_int_t)left.rows));
        json_object_set_new(each, "mean", norn_report_real(left.mean, 10));
        json_object_set_new(each, "deviation", norn_report_real(left.deviation, 10));
        json_object_set_new(each, "skewness", norn_report_real(left.skewness, 10));
        json_object_set_new(each, "kurtosis", norn_report_real(left.kurtosis, 10));
        json_object_set_new(each, "acf", lags);
        json_object_set_new(each, "box", norn_report_real(left.ljung_box, 10));
        json_object_set_new(each, "p", norn_report_real(left.p, 10));
        json_object_set_new(each, "tested", json_integer((json_int_t)left.tested));
        json_object_set_new(each, "notWhite", json_integer((json_int_t)left.not_white));
        json_object_set_new(each, "histogram", n ? histogram(errors, n) : json_null());
        json_object_set_new(each, "quantiles", n ? quantiles(errors, n) : json_null());
        json_array_append_new(out, each);
    }
    norn_delete(&r->host, errors, room, sizeof *errors);
    return out;
}

/* ---- bands ---- */

double norn_report_held(const norn_findings *r, const norn_band *band, size_t *rows)
{
    const norn_saved *const saved = r->backtest->saved;
    size_t held = 0;
    *rows = 0;
    for (size_t i = 0; i < saved->values; i++) {
        if (!isfinite(saved->truth[i]) || !isfinite(band->low[i]) || !isfinite(band->high[i])) continue;
        ++*rows;
        held += saved->truth[i] >= band->low[i] && saved->truth[i] <= band->high[i];
    }
    return *rows ? (double)held / (double)*rows : NAN;
}

json_t *norn_report_coverage(const norn_findings *r)
{
    const norn_saved *const saved = r->backtest->saved;
    json_t *out = json_array();
    for (size_t b = 0; saved && b < saved->band_count; b++) {
        const norn_band *const band = &saved->bands[b];
        double width = 0.0;
        size_t rows, wide = 0;
        const double held = norn_report_held(r, band, &rows);
        for (size_t i = 0; i < saved->values; i++) {
            const double w = band->high[i] - band->low[i];
            if (!isfinite(w) || !isfinite(saved->truth[i])) continue;
            width += w;
            wide++;
        }
        json_t *each = json_object();
        json_object_set_new(each, "model", json_integer((json_int_t)band->model));
        json_object_set_new(each, "level", norn_report_real(band->level, 6));
        json_object_set_new(each, "held", norn_report_real(held, 10));
        json_object_set_new(each, "width", norn_report_real(wide ? width / (double)wide : NAN, 10));
        json_object_set_new(each, "rows", json_integer((json_int_t)rows));
        json_array_append_new(out, each);
    }
    return out;
}
