/*
 * Files of a backtest; see backtest.h. Forecasts have the decimals of norn forecast, truths are as they were
 * read, metrics have ten digits. No file but that of the durations changes from run to run.
 */
#include "cli/backtest.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int decimals_of(const double *y, size_t rows)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        if (y[i] < low) low = y[i];
        if (y[i] > high) high = y[i];
    }
    return cli_decimals(high - low, fabs(low) > fabs(high) ? low : high);
}

/* The shortest text that reads back as the same number; nothing for NaN. */
static void put_exact(cli_text *out, double value)
{
    char digits[64];
    if (!isfinite(value)) return;
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    cli_text_put(out, digits);
}

void cli_backtest_csv(cli_text *out, const norn_table *table, const norn_backtest *backtest)
{
    const norn_backtest_options *const o = norn_backtest_settings(backtest);
    const size_t models = norn_backtest_model_count(backtest);
    char time[NORN_TIME_TEXT], cutoff_time[NORN_TIME_TEXT];
    cli_text_put(out, "unique_id,ds,cutoff,");
    for (size_t m = 0; m < models; m++) {
        cli_text_csv(out, norn_backtest_model(backtest, m));
        cli_text_put(out, ",");
    }
    cli_text_put(out, "y\n");
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_backtest_includes(backtest, s)) continue;
        const double *y = norn_table_target(table, s);
        const int64_t *times = norn_table_times(table, s);
        const int decimals = decimals_of(y, norn_table_rows(table, s));
        for (size_t k = 0; k < o->folds; k++) {
            const size_t cutoff = norn_backtest_cutoff(backtest, s, k);
            (void)norn_table_time_text(table, times[cutoff], cutoff_time);
            for (size_t j = 0; j < o->horizon; j++) {
                cli_text_csv(out, norn_table_id(table, s));
                cli_text_put(out, ",");
                cli_text_csv(out, norn_table_time_text(table, times[cutoff + 1 + j], time));
                cli_text_put(out, ",");
                cli_text_csv(out, cutoff_time);
                cli_text_put(out, ",");
                for (size_t m = 0; m < models; m++) {
                    const double value = norn_backtest_forecast(backtest, m, s, k)[j];
                    if (isfinite(value)) cli_text_number(out, value, decimals);
                    cli_text_put(out, ",");
                }
                put_exact(out, y[cutoff + 1 + j]);
                cli_text_put(out, "\n");
            }
        }
    }
}

const char *cli_cutoff_text(const norn_table *table, const norn_backtest *backtest, size_t fold,
                            char out[NORN_TIME_TEXT])
{
    int64_t time = 0;
    bool any = false;
    out[0] = '\0';
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_backtest_includes(backtest, s)) continue;
        const size_t row = norn_backtest_cutoff(backtest, s, fold);
        if (row == SIZE_MAX) continue;
        const int64_t own = norn_table_times(table, s)[row];
        if (any && own != time) return out;
        time = own;
        any = true;
    }
    return any ? norn_table_time_text(table, time, out) : out;
}

/* ---- metrics ---------------------------------------------------------------------------------------------
 */

typedef enum part { PART_VALUE, PART_LOW, PART_HIGH, PART_UNDEFINED } part;

static void put_line(cli_text *out, const norn_backtest *backtest, const char *name, const char *label,
                     size_t model, norn_scope scope, size_t index, part of)
{
    cli_text_format(out, "%s,", name);
    cli_text_csv(out, label);
    cli_text_put(out, ",");
    cli_text_csv(out, norn_backtest_model(backtest, model));
    for (int i = 0; i < NORN_METRICS; i++) {
        const norn_estimate e = norn_backtest_metric(backtest, model, scope, index, (norn_metric)i);
        const double value = of == PART_LOW ? e.low : of == PART_HIGH ? e.high : e.value;
        cli_text_put(out, ",");
        if (of == PART_UNDEFINED)
            cli_text_format(out, "%zu", e.undefined);
        else if (isfinite(value))
            cli_text_format(out, "%.10g", value);
    }
    cli_text_put(out, "\n");
}

void cli_backtest_metrics_csv(cli_text *out, const norn_table *table, const norn_backtest *backtest)
{
    static const char *const parts[] = {[PART_VALUE] = "all",
                                        [PART_LOW] = "all-lo-95",
                                        [PART_HIGH] = "all-hi-95",
                                        [PART_UNDEFINED] = "all-undefined"};
    const norn_backtest_options *const o = norn_backtest_settings(backtest);
    const size_t models = norn_backtest_model_count(backtest);
    char label[NORN_TIME_TEXT];
    cli_text_put(out, "scope,index,model");
    for (int i = 0; i < NORN_METRICS; i++)
        cli_text_format(out, ",%s", norn_metric_describe(o->compat, (norn_metric)i)->word);
    cli_text_put(out, "\n");
    for (size_t p = 0; p < NORN_COUNT(parts); p++)
        for (size_t m = 0; m < models; m++)
            put_line(out, backtest, parts[p], "", m, NORN_SCOPE_ALL, 0, (part)p);
    for (size_t j = 0; j < o->horizon; j++) {
        (void)snprintf(label, sizeof label, "%zu", j + 1);
        for (size_t m = 0; m < models; m++)
            put_line(out, backtest, "step", label, m, NORN_SCOPE_STEP, j, PART_VALUE);
    }
    for (size_t k = 0; k < o->folds; k++) {
        if (!cli_cutoff_text(table, backtest, k, label)[0]) (void)snprintf(label, sizeof label, "%zu", k + 1);
        for (size_t m = 0; m < models; m++)
            put_line(out, backtest, "cutoff", label, m, NORN_SCOPE_CUTOFF, k, PART_VALUE);
    }
    for (size_t s = 0; s < norn_table_series_count(table); s++)
        for (size_t m = 0; m < models && norn_backtest_includes(backtest, s); m++)
            put_line(out, backtest, "series", norn_table_id(table, s), m, NORN_SCOPE_SERIES, s, PART_VALUE);
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (norn_backtest_includes(backtest, s)) continue;
        cli_text_put(out, "left-out,");
        cli_text_csv(out, norn_table_id(table, s));
        cli_text_put(out, ",");
        for (int i = 0; i < NORN_METRICS; i++) cli_text_put(out, ",");
        cli_text_put(out, "\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static json_t *count_json(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *settings_json(const norn_backtest_options *o)
{
    static const char *const compat[] = {[NORN_COMPAT_NORN] = "norn",
                                         [NORN_COMPAT_NIXTLA] = "nixtla",
                                         [NORN_COMPAT_GLUONTS] = "gluonts",
                                         [NORN_COMPAT_DARTS] = "darts"};
    const struct {
        const char *name;
        size_t value;
    } sizes[] = {{"horizon", o->horizon},
                 {"folds", o->folds},
                 {"step", o->step},
                 {"gap", o->gap},
                 {"season", o->season},
                 {"window", o->window},
                 {"refit_every", o->refit_every}};
    json_t *out = json_object();
    for (size_t i = 0; i < NORN_COUNT(sizes); i++)
        json_object_set_new(out, sizes[i].name, count_json(sizes[i].value));
    json_object_set_new(out, "train_rows", o->train_rows ? count_json(o->train_rows) : json_null());
    json_object_set_new(out, "compat", json_string(compat[o->compat]));
    json_object_set_new(out, "bootstrap", count_json((uint64_t)o->bootstrap));
    json_object_set_new(out, "seed", count_json(o->seed));
    return out;
}

static json_t *decisions_json(const norn_table *table, const norn_backtest *backtest)
{
    json_t *out = json_array();
    size_t count = 0;
    const norn_decision *list = norn_table_decisions(table, &count);
    cli_json_add_decisions(out, list, count);
    list = norn_backtest_decisions(backtest, &count);
    cli_json_add_decisions(out, list, count);
    return out;
}

static json_t *models_json(const norn_backtest *backtest)
{
    json_t *out = json_array();
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++) {
        json_t *each = json_object();
        json_object_set_new(each, "model", cli_json_text(norn_backtest_model(backtest, m)));
        json_object_set_new(each, "rows_without_forecast", count_json(norn_backtest_unforecast(backtest, m)));
        json_array_append_new(out, each);
    }
    return out;
}

static json_t *formulas_json(norn_compat compat)
{
    static const char *const better[] = {"smaller", "nearer to 0", "larger"};
    json_t *out = json_object();
    for (int i = 0; i < NORN_METRICS; i++) {
        const norn_metric_info *info = norn_metric_describe(compat, (norn_metric)i);
        json_t *each = json_object();
        json_object_set_new(each, "title", json_string(info->title));
        json_object_set_new(each, "unit", json_string(info->unit));
        json_object_set_new(each, "formula", json_string(info->formula));
        json_object_set_new(each, "source", json_string(info->source));
        json_object_set_new(each, "better", json_string(better[info->better + 1]));
        json_object_set_new(out, info->word, each);
    }
    return out;
}

/* {"Naive": {"mae": 1.5, ...}, ...}; of all rows each is {"value", "low", "high", "undefined"}. */
static json_t *scope_json(const norn_backtest *backtest, norn_scope scope, size_t index)
{
    const norn_compat compat = norn_backtest_settings(backtest)->compat;
    json_t *out = json_object();
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++) {
        json_t *model = json_object();
        for (int i = 0; i < NORN_METRICS; i++) {
            const norn_estimate e = norn_backtest_metric(backtest, m, scope, index, (norn_metric)i);
            json_t *value = cli_json_real(e.value);
            if (scope == NORN_SCOPE_ALL) {
                json_t *whole = json_object();
                json_object_set_new(whole, "value", value);
                json_object_set_new(whole, "low", cli_json_real(e.low));
                json_object_set_new(whole, "high", cli_json_real(e.high));
                json_object_set_new(whole, "undefined", count_json(e.undefined));
                value = whole;
            }
            json_object_set_new(model, norn_metric_describe(compat, (norn_metric)i)->word, value);
        }
        json_object_set_new(out, norn_backtest_model(backtest, m), model);
    }
    return out;
}

static json_t *comparisons_json(const norn_backtest *backtest)
{
    const size_t models = norn_backtest_model_count(backtest);
    json_t *out = json_array();
    for (size_t a = 0; a < models; a++)
        for (size_t b = a + 1; b < models; b++) {
            const norn_comparison c = norn_backtest_compare(backtest, a, b);
            json_t *each = json_object();
            json_object_set_new(each, "a", cli_json_text(norn_backtest_model(backtest, a)));
            json_object_set_new(each, "b", cli_json_text(norn_backtest_model(backtest, b)));
            json_object_set_new(each, "cutoffs", count_json(c.cutoffs));
            json_object_set_new(each, "lags", count_json(c.no_lags ? 0 : c.lags));
            json_object_set_new(each, "too_few", json_boolean(c.cutoffs < NORN_COMPARISON_LEAST));
            json_object_set_new(each, "difference", cli_json_real(c.difference));
            json_object_set_new(each, "statistic", cli_json_real(c.statistic));
            json_object_set_new(each, "p", cli_json_real(c.p));
            json_array_append_new(out, each);
        }
    return out;
}

static json_t *residuals_json(const norn_backtest *backtest)
{
    json_t *out = json_object();
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++) {
        const norn_residuals r = norn_backtest_residuals(backtest, m);
        json_t *each = json_object(), *lags = json_array();
        for (size_t k = 0; k <= r.lags; k++) json_array_append_new(lags, cli_json_real(r.autocorrelation[k]));
        json_object_set_new(each, "rows", count_json(r.rows));
        json_object_set_new(each, "mean", cli_json_real(r.mean));
        json_object_set_new(each, "deviation", cli_json_real(r.deviation));
        json_object_set_new(each, "skewness", cli_json_real(r.skewness));
        json_object_set_new(each, "excess_kurtosis", cli_json_real(r.kurtosis));
        json_object_set_new(each, "autocorrelation", lags);
        json_object_set_new(each, "ljung_box", cli_json_real(r.ljung_box));
        json_object_set_new(each, "p", cli_json_real(r.p));
        json_object_set_new(each, "series_tested", count_json(r.tested));
        json_object_set_new(each, "series_not_white", count_json(r.not_white));
        json_object_set_new(out, norn_backtest_model(backtest, m), each);
    }
    return out;
}

void cli_backtest_metrics_json(cli_text *out, const norn_table *table, const norn_backtest *backtest)
{
    const norn_backtest_options *const o = norn_backtest_settings(backtest);
    json_t *root = json_object(), *steps = json_array(), *cutoffs = json_array(), *series = json_array();
    json_t *left_out = json_array();
    char label[NORN_TIME_TEXT];
    for (size_t j = 0; j < o->horizon; j++)
        json_array_append_new(steps, scope_json(backtest, NORN_SCOPE_STEP, j));
    for (size_t k = 0; k < o->folds; k++) {
        json_t *each = json_object();
        (void)cli_cutoff_text(table, backtest, k, label);
        json_object_set_new(each, "cutoff", label[0] ? cli_json_text(label) : json_null());
        json_object_set_new(each, "models", scope_json(backtest, NORN_SCOPE_CUTOFF, k));
        json_array_append_new(cutoffs, each);
    }
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        json_t *each = json_object();
        json_object_set_new(each, "unique_id", cli_json_text(norn_table_id(table, s)));
        if (norn_backtest_includes(backtest, s)) {
            json_object_set_new(each, "models", scope_json(backtest, NORN_SCOPE_SERIES, s));
            json_array_append_new(series, each);
        } else {
            json_object_set_new(each, "rows", count_json(norn_table_rows(table, s)));
            json_object_set_new(each, "because",
                                json_string(norn_table_goes_on(table, s) ? "short" : "a piece"));
            json_array_append_new(left_out, each);
        }
    }
    json_object_set_new(root, "norn", json_string(norn_version()));
    json_object_set_new(root, "settings", settings_json(o));
    json_object_set_new(root, "decisions", decisions_json(table, backtest));
    json_object_set_new(root, "models", models_json(backtest));
    json_object_set_new(root, "rows_scored", count_json(norn_backtest_rows(backtest)));
    json_object_set_new(root, "rows_without_truth", count_json(norn_backtest_missing(backtest)));
    json_object_set_new(root, "rows_needed", count_json(norn_backtest_needed(backtest)));
    json_object_set_new(root, "left_out", left_out);
    json_object_set_new(root, "metrics", formulas_json(o->compat));
    json_object_set_new(root, "all", scope_json(backtest, NORN_SCOPE_ALL, 0));
    json_object_set_new(root, "steps", steps);
    json_object_set_new(root, "cutoffs", cutoffs);
    json_object_set_new(root, "series", series);
    json_object_set_new(root, "diebold_mariano", comparisons_json(backtest));
    json_object_set_new(root, "residuals", residuals_json(backtest));
    cli_text_put_json(out, root, 10);
}

void cli_backtest_timings_csv(cli_text *out, const norn_backtest *backtest)
{
    cli_text_put(out, "model,fit_seconds,forecast_seconds\n");
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++) {
        double fit, forecast;
        norn_backtest_durations(backtest, m, &fit, &forecast);
        cli_text_csv(out, norn_backtest_model(backtest, m));
        cli_text_format(out, ",%.6f,%.6f\n", fit, forecast);
    }
}
