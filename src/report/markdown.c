/*
 * A report as Markdown, for an issue or a wiki: the answer and its sentences, the leaderboard, errors by
 * step, cutoff and series, and where it comes from. Tables are those of GitHub and GitLab.
 */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Lines of a table, at most; what lies between is left out and said. */
enum { MOST_STEPS = 12, MOST_CUTOFFS = 20, MOST_SERIES = 8 };

static void put_model(norn_text *t, const norn_findings *r, size_t model)
{
    char text[NORN_NAME_ROOM];
    norn_text_markdown(t, norn_report_model(r, model, text));
}

static void put_number(norn_text *t, double value)
{
    char text[NORN_NUMBER_ROOM];
    norn_text_format(t, " %s |", norn_text_number(text, value));
}

/* | first | model... | and the line under it */
static void put_head(norn_text *t, const norn_findings *r, const char *first)
{
    norn_text_format(t, "\n| %s |", first);
    for (size_t i = 0; i < r->models; i++) {
        norn_text_put(t, " ");
        put_model(t, r, r->order[i]);
        norn_text_put(t, " |");
    }
    norn_text_put(t, "\n|---|");
    for (size_t i = 0; i < r->models; i++) norn_text_put(t, "---:|");
    norn_text_put(t, "\n");
}

static void put_errors(norn_text *t, const norn_findings *r, norn_scope scope, size_t index)
{
    for (size_t i = 0; i < r->models; i++) put_number(t, norn_report_error(r, r->order[i], scope, index));
    norn_text_put(t, "\n");
}

static void put_leaderboard(norn_text *t, const norn_findings *r)
{
    static const norn_metric columns[] = {NORN_METRIC_MAE, NORN_METRIC_RMSE, NORN_METRIC_SMAPE,
                                          NORN_METRIC_MASE, NORN_METRIC_BIAS};
    const double base = r->beat == NORN_NO_MODEL ? NAN : norn_report_error(r, r->beat, NORN_SCOPE_ALL, 0);
    char text[NORN_NUMBER_ROOM], low[NORN_NUMBER_ROOM];
    norn_text_put(t, "\n## Models\n\n| Model |");
    for (size_t c = 0; c < NORN_COUNT(columns); c++) {
        const norn_metric_info *info = norn_metric_describe(r->backtest->folds.options.compat, columns[c]);
        norn_text_format(t, " %s%s |", info->title, strcmp(info->unit, "%") == 0 ? " %" : "");
    }
    norn_text_format(t, " %s, 95 %% |", norn_report_title(r, r->by));
    if (isfinite(base)) {
        norn_text_format(t, " less %s than ", norn_report_title(r, r->by));
        put_model(t, r, r->beat);
        norn_text_put(t, " | p |");
    }
    norn_text_put(t, "\n|---|");
    for (size_t c = 0; c < NORN_COUNT(columns) + (isfinite(base) ? 3 : 1); c++) norn_text_put(t, "---:|");
    norn_text_put(t, "\n");
    for (size_t i = 0; i < r->models; i++) {
        const size_t m = r->order[i];
        const norn_estimate by = norn_backtest_metric(r->backtest, m, NORN_SCOPE_ALL, 0, r->by);
        norn_text_put(t, i == 0 ? "| **" : "| ");
        put_model(t, r, m);
        norn_text_put(t, i == 0 ? "** |" : " |");
        for (size_t c = 0; c < NORN_COUNT(columns); c++)
            put_number(t, norn_backtest_metric(r->backtest, m, NORN_SCOPE_ALL, 0, columns[c]).value);
        if (isfinite(by.low))
            norn_text_format(t, " %s to %s |", norn_text_number(low, by.low),
                             norn_text_number(text, by.high));
        else
            norn_text_put(t, " - |");
        if (isfinite(base)) {
            const norn_comparison c = norn_backtest_compare(r->backtest, m, r->beat);
            norn_text_format(t, " %s |", m == r->beat ? "-" : norn_text_percent(text, 1.0 - by.value / base));
            norn_text_format(t, " %s |", m == r->beat || !isfinite(c.p) ? "-" : norn_text_p(text, c.p));
        }
        norn_text_put(t, "\n");
    }
}

static void put_steps(norn_text *t, const norn_findings *r)
{
    if (r->horizon < 2) return;
    norn_text_format(t, "\n## %s by step\n", norn_report_title(r, r->by));
    put_head(t, r, "row after the cutoff");
    const size_t shown = r->horizon < MOST_STEPS ? r->horizon : MOST_STEPS;
    for (size_t i = 0; i < shown; i++) {
        const size_t j = shown < 2 ? 0 : i * (r->horizon - 1) / (shown - 1);
        norn_text_format(t, "| %zu |", j + 1);
        put_errors(t, r, NORN_SCOPE_STEP, j);
    }
}

static void put_cutoffs(norn_text *t, const norn_findings *r)
{
    char when[NORN_TIME_TEXT];
    const size_t from = r->folds > MOST_CUTOFFS ? r->folds - MOST_CUTOFFS : 0;
    if (r->folds < 2) return;
    norn_text_format(t, "\n## %s by cutoff\n", norn_report_title(r, r->by));
    put_head(t, r, "after");
    for (size_t k = 0; k < r->folds; k++) {
        if (k < from && k != r->worst_cutoff) continue;
        norn_text_put(t, "| ");
        norn_text_markdown(t, norn_report_cutoff(r, k, when));
        norn_text_put(t, " |");
        put_errors(t, r, NORN_SCOPE_CUTOFF, k);
    }
    if (from) norn_text_format(t, "\n%zu earlier cutoffs are left out.\n", from);
}

static norn_status put_series(norn_text *t, const norn_findings *r, norn_error *err)
{
    if (r->series < 2) return NORN_OK;
    size_t *const order = norn_report_ranked(r);
    if (!order) return norn_fail_memory(err, "a report");
    norn_text_format(t, "\n## %s by series\n", norn_report_title(r, r->by));
    put_head(t, r, "series");
    for (size_t n = r->series; n-- > 0;) {
        const size_t s = r->backtest->folds.series[order[n]];
        char id[NORN_NAME_ROOM];
        if (n >= MOST_SERIES && n < r->series - MOST_SERIES) {
            if (n == MOST_SERIES)
                norn_text_format(t, "| *%zu more* |\n", r->series - (size_t)2 * MOST_SERIES);
            continue;
        }
        norn_text_put(t, "| ");
        norn_text_markdown(t, norn_text_name(id, norn_table_id(r->table, s)));
        norn_text_put(t, " |");
        put_errors(t, r, NORN_SCOPE_SERIES, s);
    }
    norn_delete(&r->host, order, r->series, sizeof *order);
    return NORN_OK;
}

static void put_provenance(norn_text *t, const norn_findings *r)
{
    const struct {
        const char *what, *text;
    } rows[] = {{"command", r->options.command},
                {"file", r->options.source},
                {"SHA-256", r->options.hash},
                {"device", r->options.device}};
    enum { LIMIT = 1000, ROOM = 4 * LIMIT + 8 };
    char text[ROOM];
    norn_text_put(t, "\n---\n\nMade with norn " NORN_VERSION ".");
    for (size_t i = 0; i < NORN_COUNT(rows); i++) {
        if (!rows[i].text) continue;
        norn_text_format(t, " %s: ", rows[i].what);
        norn_text_markdown(t, norn_quote(text, sizeof text, rows[i].text, strlen(rows[i].text), LIMIT));
        norn_text_put(t, ".");
    }
    norn_text_put(t, "\n");
}

norn_status norn_report_markdown(char **out, size_t *length, const norn_table *table,
                                 const norn_backtest *backtest, const norn_report_options *options,
                                 const norn_host *host, norn_error *err)
{
    norn_findings r;
    char name[NORN_NAME_ROOM];
    norn_status status = norn_report_find(&r, table, backtest, options, host, err);
    if (status != NORN_OK) return status;
    norn_text text = norn_text_new(&r.host);
    const char *const title = r.options.title ? r.options.title : r.options.source;
    norn_text_put(&text, "# Backtest of ");
    norn_text_markdown(&text, title ? norn_text_name(name, title) : "a file");
    norn_text_put(&text, "\n\n**");
    norn_text_markdown(&text, r.headline.bytes);
    norn_text_put(&text, "**\n\n");
    for (size_t i = 0; i < r.sentence_count; i++) {
        norn_text_put(&text, i ? " " : "");
        norn_text_markdown(&text, r.sentences[i].text.bytes);
    }
    norn_text_format(&text, "\n\n%zu series, %zu cutoff%s, %zu row%s after each, %llu rows scored.\n",
                     r.series, r.folds, r.folds == 1 ? "" : "s", r.horizon, r.horizon == 1 ? "" : "s",
                     (unsigned long long)norn_backtest_rows(backtest));
    put_leaderboard(&text, &r);
    put_steps(&text, &r);
    put_cutoffs(&text, &r);
    status = put_series(&text, &r, err);
    put_provenance(&text, &r);
    if (status == NORN_OK) status = norn_report_hand_over(out, length, &text, err);
    norn_text_free(&text);
    norn_report_end(&r);
    return status;
}
