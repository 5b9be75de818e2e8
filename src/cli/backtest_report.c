/*
 * What a person reads about a backtest, on stderr: the models in the order of their error, each with its
 * interval; the error by step as a chart; the worst series and cutoffs; and plain sentences, as ready to say
 * that nothing beat the simple forecast, or that it cannot be told.
 *
 * One series is ranked by MAE, in the unit of the target; several by MASE, which weighs them alike.
 */
#include "cli/backtest.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct report {
    const cli_screen *screen;
    cli_text *out;
    const norn_table *table;
    const norn_backtest *backtest;
    const norn_backtest_options *options;
    norn_metric by; /* what models are ranked by */
    size_t models, series;
    size_t *order;    /* [models] best first */
    size_t reference; /* the forecast a practitioner would have made without any model */
} report;

static double value_of(const report *r, size_t model, norn_metric metric)
{
    return norn_backtest_metric(r->backtest, model, NORN_SCOPE_ALL, 0, metric).value;
}

static const char *title(const report *r, norn_metric metric)
{
    return norn_metric_describe(r->options->compat, metric)->title;
}

/* What a model is called within a sentence. */
static const char *spoken(const report *r, size_t model)
{
    static const struct {
        const char *model, *spoken;
    } names[] = {{"Naive", "the naive"}, {"SeasonalNaive", "the seasonal naive"}};
    const char *name = norn_backtest_model(r->backtest, model);
    for (size_t i = 0; i < NORN_COUNT(names); i++)
        if (strcmp(names[i].model, name) == 0) return names[i].spoken;
    return name;
}

/* 1234567 as "1,234,567". */
static const char *count_text(char out[32], uint64_t count)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}
#define COUNT(count) count_text((char[32]){0}, count)

/* Adds a paragraph, broken between words where a terminal would break it anywhere. */
static void put_paragraph(const report *r, cli_text *text)
{
    if (text->failed) r->out->failed = true;
    int used = 0;
    for (char *word = text->bytes; !text->failed && word && *word;) {
        char *end = word + strcspn(word, " ");
        const bool more = *end != '\0';
        *end = '\0';
        const int columns = cli_columns(word);
        if (used && r->screen->live && used + 1 + columns >= r->screen->columns) {
            cli_text_put(r->out, "\n");
            used = 0;
        } else if (used) {
            cli_text_put(r->out, " ");
            used++;
        }
        cli_text_put(r->out, word);
        used += columns;
        word = more ? end + 1 : end;
    }
    cli_text_put(r->out, "\n");
    cli_text_free(text);
}

/* Four digits; "-" where it is undefined. */
static void number(char out[32], double value)
{
    if (!isfinite(value)) {
        (void)snprintf(out, 32, "-");
        return;
    }
    const double size = fabs(value);
    int decimals = size >= 1000.0 ? 1 : size >= 100.0 ? 2 : size >= 10.0 ? 3 : 4;
    if (size >= 1e7 || (size > 0.0 && size < 1e-3))
        (void)snprintf(out, 32, "%.4g", value);
    else
        (void)snprintf(out, 32, "%.*f", decimals, value);
}

/* ---- the table -------------------------------------------------------------------------------------------
 */

static void rank(report *r)
{
    for (size_t m = 0; m < r->models; m++) {
        const double own = value_of(r, m, r->by);
        size_t at = m;
        for (; at > 0; at--) { /* models without a value come last; equal ones stay in their order */
            const double before = value_of(r, r->order[at - 1], r->by);
            if (!(own < before || (isfinite(own) && !isfinite(before)))) break;
            r->order[at] = r->order[at - 1];
        }
        r->order[at] = m;
    }
}

/* Which columns the table has: what does not fit beside each other goes in the order of `drops`. */
typedef enum table_column {
    HAS_MAE,
    HAS_RMSE,
    HAS_SMAPE,
    HAS_MASE,
    HAS_OWA,
    HAS_INTERVAL,
    HAS_P
} table_column;
enum { TABLE_COLUMNS = HAS_P + 1, METRIC_COLUMNS = HAS_OWA + 1 };

static const norn_metric metric_of[METRIC_COLUMNS] = {NORN_METRIC_MAE, NORN_METRIC_RMSE, NORN_METRIC_SMAPE,
                                                      NORN_METRIC_MASE, NORN_METRIC_OWA};

static void choose_columns(const report *r, int names, bool has[TABLE_COLUMNS])
{
    enum { MARK = 4, METRIC = 12, INTERVAL = 23, P = 9 };
    static const table_column drops[] = {HAS_OWA, HAS_RMSE, HAS_SMAPE, HAS_INTERVAL,
                                         HAS_P,   HAS_MASE, HAS_MAE};
    int width = MARK + names;
    for (int c = 0; c < TABLE_COLUMNS; c++) has[c] = true;
    has[HAS_INTERVAL] = r->options->bootstrap > 0;
    has[HAS_P] = r->options->folds >= NORN_COMPARISON_LEAST;
    for (int c = 0; c < METRIC_COLUMNS; c++) width += METRIC;
    width += (has[HAS_INTERVAL] ? INTERVAL : 0) + (has[HAS_P] ? P : 0);
    for (size_t i = 0; i < NORN_COUNT(drops) && r->screen->live && width >= r->screen->columns; i++) {
        const table_column drop = drops[i];
        if (!has[drop] || (drop <= HAS_OWA && metric_of[drop] == r->by)) continue;
        has[drop] = false;
        width -= drop == HAS_INTERVAL ? INTERVAL : drop == HAS_P ? P : METRIC;
    }
}

static void put_heading(const report *r, int names, const bool has[TABLE_COLUMNS])
{
    char text[96];
    cli_text_put(r->out, "\n    ");
    cli_text_pad(r->out, "model", -names);
    for (int c = 0; c < METRIC_COLUMNS; c++) {
        const norn_metric_info *info = norn_metric_describe(r->options->compat, metric_of[c]);
        (void)snprintf(text, sizeof text, "%s%s", info->title, strcmp(info->unit, "%") == 0 ? " %" : "");
        if (has[c]) cli_text_pad(r->out, text, 12);
    }
    (void)snprintf(text, sizeof text, "%s, 95 %%", title(r, r->by));
    if (has[HAS_INTERVAL]) {
        cli_text_put(r->out, "   ");
        cli_text_pad(r->out, text, has[HAS_P] ? -20 : 0);
    }
    if (has[HAS_P]) cli_text_pad(r->out, "p", 9);
    cli_text_put(r->out, "\n");
}

/* Of a difference to the best model: "0.031"; "-" where it cannot be told. */
static void p_text(char out[32], double p)
{
    (void)snprintf(out, 32, !isfinite(p) ? "-" : p < 0.001 ? "<0.001" : "%.3f", p);
}

static void put_leaderboard(const report *r)
{
    char text[96], low[32], high[32];
    bool has[TABLE_COLUMNS];
    int names = 5;
    for (size_t m = 0; m < r->models; m++) {
        const int length = cli_columns(norn_backtest_model(r->backtest, m));
        if (length > names) names = length;
    }
    choose_columns(r, names, has);
    put_heading(r, names, has);
    for (size_t i = 0; i < r->models; i++) {
        const size_t m = r->order[i];
        const norn_estimate ranked = norn_backtest_metric(r->backtest, m, NORN_SCOPE_ALL, 0, r->by);
        const bool best = i == 0 && isfinite(ranked.value);
        cli_text_put(r->out, best ? cli_paint_on(r->screen, PAINT_GOOD) : "");
        cli_text_put(r->out, best ? "  * " : "    ");
        cli_text_pad(r->out, norn_backtest_model(r->backtest, m), -names);
        for (int c = 0; c < METRIC_COLUMNS; c++) {
            number(text, value_of(r, m, metric_of[c]));
            if (has[c]) cli_text_pad(r->out, text, 12);
        }
        if (has[HAS_INTERVAL]) {
            number(low, ranked.low);
            number(high, ranked.high);
            (void)snprintf(text, sizeof text, isfinite(ranked.low) ? "%s to %s" : "-", low, high);
            cli_text_put(r->out, "   ");
            cli_text_pad(r->out, text, has[HAS_P] && i ? -20 : 0);
        }
        if (has[HAS_P] && i) {
            p_text(text, norn_backtest_compare(r->backtest, r->order[0], m).p);
            cli_text_pad(r->out, text, 9);
        }
        cli_text_put(r->out, best ? cli_paint_off(r->screen) : "");
        cli_text_put(r->out, "\n");
    }
    if (has[HAS_P])
        cli_text_put(r->out, r->screen->live && r->screen->columns < 80
                                 ? "    p: of the difference to * (Diebold-Mariano)\n"
                                 : "    p: of the difference to the best (*), Diebold-Mariano\n");
}

/* ---- where -----------------------------------------------------------------------------------------------
 */

/* Error by step of the best model and of the reference. */
static void put_chart(const report *r)
{
    enum { ROWS = 8, LABELS = 9, LEAST = 3 };
    const size_t h = r->options->horizon, best = r->order[0];
    const size_t drawn_models[] = {r->reference, best}, count = best == r->reference ? 1 : 2;
    if (h < LEAST) return;
    double *values = calloc(2 * h, sizeof *values);
    if (!values) {
        r->out->failed = true;
        return;
    }
    chart_series drawn[2];
    chart_label labels[LABELS];
    char text[64];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < h; j++)
            values[i * h + j] =
                norn_backtest_metric(r->backtest, drawn_models[i], NORN_SCOPE_STEP, j, r->by).value;
        drawn[i] = (chart_series){norn_backtest_model(r->backtest, drawn_models[i]), values + i * h, h, 1,
                                  i == 0 && count == 2 ? CHART_LINE : CHART_THICK};
    }
    /* the ends first: what does not fit beside them is left out */
    for (long i = 0; i < LABELS; i++) {
        const long place[] = {1, (long)h};
        labels[i].at = i < 2 ? place[i] : 1 + ((long)h - 1) * (i - 1) / (LABELS - 1);
        (void)snprintf(labels[i].text, sizeof labels[i].text, "%ld", labels[i].at);
    }
    (void)snprintf(text, sizeof text, "%s by step of the horizon", title(r, r->by));
    const cli_chart chart = {.title = text,
                             .series = drawn,
                             .series_count = count,
                             .labels = labels,
                             .label_count = LABELS,
                             .rows = ROWS};
    cli_text_put(r->out, "\n");
    chart_draw(r->screen, r->out, &chart);
    free(values);
}

/* The three largest errors of the best model in a scope, as "H1 (MASE 3.4), H7 (2.2)". */
static void put_worst(const report *r, norn_scope scope, size_t count, const char *what)
{
    enum { SHOWN = 3 };
    size_t worst[SHOWN], found = 0;
    const size_t best = r->order[0];
    for (size_t i = 0; i < count; i++) {
        const double own = norn_backtest_metric(r->backtest, best, scope, i, r->by).value;
        size_t at = found < SHOWN ? found : SHOWN;
        if (!isfinite(own)) continue;
        while (at > 0 && own > norn_backtest_metric(r->backtest, best, scope, worst[at - 1], r->by).value) {
            if (at < SHOWN) worst[at] = worst[at - 1];
            at--;
        }
        if (at < SHOWN) worst[at] = i;
        if (found < SHOWN) found++;
    }
    cli_text_format(r->out, "  %-14s", what);
    for (size_t i = 0; i < found; i++) {
        char text[32], label[NORN_TIME_TEXT], id[160];
        const char *name = label;
        number(text, norn_backtest_metric(r->backtest, best, scope, worst[i], r->by).value);
        if (scope == NORN_SCOPE_SERIES) {
            name = norn_table_id(r->table, worst[i]);
            name = norn_quote(id, sizeof id, name, strlen(name), 40);
        } else if (!cli_cutoff_text(r->table, r->backtest, worst[i], label)[0]) {
            (void)snprintf(label, sizeof label, "cutoff %zu of %zu", worst[i] + 1, count);
        }
        cli_text_format(r->out, "%s%s (%s%s%s)", i ? ", " : "", name, i ? "" : title(r, r->by), i ? "" : " ",
                        text);
    }
    cli_text_put(r->out, "\n");
}

static void put_where(const report *r)
{
    const size_t all = norn_table_series_count(r->table);
    if (r->series < 2 && r->options->folds < 2) return;
    cli_text_format(r->out, "\nLargest errors of %s:\n", norn_backtest_model(r->backtest, r->order[0]));
    if (r->series > 1) put_worst(r, NORN_SCOPE_SERIES, all, "series");
    if (r->options->folds > 1) put_worst(r, NORN_SCOPE_CUTOFF, r->options->folds, "after");
}

/* ---- sentences -------------------------------------------------------------------------------------------
 */

static void say_rows(const report *r)
{
    enum { NAMED = 5 };
    const norn_backtest *const b = r->backtest;
    cli_text text = {NULL, 0, 0, false};
    const uint64_t missing = norn_backtest_missing(b);
    cli_text_format(&text, "Scored on %s rows: %s series, %s cutoff%s, %s row%s after each",
                    COUNT(norn_backtest_rows(b)), COUNT(r->series), COUNT(r->options->folds),
                    r->options->folds == 1 ? "" : "s", COUNT(r->options->horizon),
                    r->options->horizon == 1 ? "" : "s");
    if (missing) cli_text_format(&text, ", less %s whose truth is missing", COUNT(missing));
    cli_text_put(&text, ".");
    for (size_t m = 0; m < r->models; m++) {
        const uint64_t rows = norn_backtest_unforecast(b, m);
        if (rows)
            cli_text_format(&text, " %s has no forecast of %s of them and is not scored there.",
                            norn_backtest_model(b, m), COUNT(rows));
    }
    if (norn_backtest_skipped(b)) {
        size_t named = 0;
        cli_text_format(&text, " Left out, with fewer than %zu rows: ", norn_backtest_needed(b));
        for (size_t s = 0; s < norn_table_series_count(r->table) && named < NAMED; s++) {
            char id[160];
            const char *name = norn_table_id(r->table, s);
            if (norn_backtest_includes(b, s) || !norn_table_goes_on(r->table, s)) continue;
            cli_text_format(&text, "%s%s (%zu)", named++ ? ", " : "",
                            norn_quote(id, sizeof id, name, strlen(name), 40), norn_table_rows(r->table, s));
        }
        if (named < norn_backtest_skipped(b))
            cli_text_format(&text, " and %s more (--metrics lists all)",
                            COUNT(norn_backtest_skipped(b) - named));
        cli_text_put(&text, ".");
    }
    put_paragraph(r, &text);
}

static void put_p(cli_text *text, double p)
{
    if (p < 0.001)
        cli_text_put(text, "p < 0.001");
    else
        cli_text_format(text, "p = %.*f", p < 0.1 ? 3 : 2, p);
}

/* Is a model's difference to another real? */
static void say_whether_real(const report *r, cli_text *text, size_t a, size_t b)
{
    const norn_comparison c = norn_backtest_compare(r->backtest, a, b);
    if (c.cutoffs < NORN_COMPARISON_LEAST) {
        cli_text_format(text,
                        " Whether that is more than chance cannot be told from %zu cutoff%s: it takes %d "
                        "(--folds %d).",
                        c.cutoffs, c.cutoffs == 1 ? "" : "s", (int)NORN_COMPARISON_LEAST,
                        (int)NORN_COMPARISON_LEAST);
    } else if (!isfinite(c.p)) {
        cli_text_put(text, " The difference is the same at every cutoff, so that there is nothing to test.");
    } else {
        cli_text_put(text, c.p < 0.05 ? " That is more than chance (" : " That may well be chance (");
        put_p(text, c.p);
        cli_text_format(text, ", Diebold-Mariano over %zu cutoffs).", c.cutoffs);
    }
}

/* A forecast that takes no model at all. */
static bool is_naive(const report *r, size_t model)
{
    const char *name = norn_backtest_model(r->backtest, model);
    return strcmp(name, "Naive") == 0 || strcmp(name, "SeasonalNaive") == 0;
}

static void say_verdict(const report *r)
{
    const size_t best = r->order[0];
    const double own = value_of(r, best, r->by), other = value_of(r, r->reference, r->by);
    cli_text text = {NULL, 0, 0, false};
    if (!isfinite(own) || !isfinite(other)) return;
    if (is_naive(r, best)) {
        const size_t second = r->models > 1 ? r->order[1] : best;
        cli_text_format(&text, "Nothing beat %s forecast", spoken(r, best));
        if (second != best && value_of(r, second, r->by) == own)
            cli_text_format(&text, "; %s's %s is the same.", spoken(r, second), title(r, r->by));
        else if (second != best && isfinite(value_of(r, second, r->by)) && own > 0.0)
            cli_text_format(&text, "; %s came next, its %s is %.1f %% above.", spoken(r, second),
                            title(r, r->by), 100.0 * (value_of(r, second, r->by) - own) / own);
        else
            cli_text_put(&text, ".");
        if (second != best) say_whether_real(r, &text, best, second);
    } else {
        cli_text_format(&text, "%s is best: its %s is ", norn_backtest_model(r->backtest, best),
                        title(r, r->by));
        if (own < other)
            cli_text_format(&text, "%.1f %% below %s's.", 100.0 * (other - own) / other,
                            spoken(r, r->reference));
        else
            cli_text_format(&text, "equal to %s's.", spoken(r, r->reference));
        say_whether_real(r, &text, best, r->reference);
    }
    put_paragraph(r, &text);
}

static void say_leaning(const report *r)
{
    const size_t best = r->order[0];
    const norn_estimate bias = norn_backtest_metric(r->backtest, best, NORN_SCOPE_ALL, 0, NORN_METRIC_BIAS);
    const norn_residuals left = norn_backtest_residuals(r->backtest, best);
    const bool darts = r->options->compat == NORN_COMPAT_DARTS;
    cli_text text = {NULL, 0, 0, false};
    char size[32];
    if (isfinite(bias.low) && (bias.low > 0.0 || bias.high < 0.0)) {
        number(size, fabs(bias.value));
        cli_text_format(&text, "%s's forecasts are too %s, by %s on average.",
                        norn_backtest_model(r->backtest, best), (bias.value > 0.0) != darts ? "high" : "low",
                        size);
    }
    if (r->options->horizon == 1 && isfinite(left.p)) { /* errors of longer horizons are never white */
        cli_text_format(&text, "%sIts errors %s (Ljung-Box, ", text.length ? " " : "",
                        left.p < 0.05 ? "are not white: something is left to be learnt" : "look white");
        put_p(&text, left.p);
        cli_text_put(&text, ").");
    }
    if (text.length) put_paragraph(r, &text);
}

void cli_backtest_report(const cli_screen *screen, cli_text *out, const norn_table *table,
                         const norn_backtest *backtest)
{
    report r = {.screen = screen,
                .out = out,
                .table = table,
                .backtest = backtest,
                .options = norn_backtest_settings(backtest),
                .models = norn_backtest_model_count(backtest),
                .series = norn_table_series_count(table) - norn_backtest_skipped(backtest) -
                          norn_backtest_pieces(backtest)};
    r.by = r.series > 1 ? NORN_METRIC_MASE : NORN_METRIC_MAE;
    r.order = calloc(r.models, sizeof *r.order);
    if (!r.order) {
        out->failed = true;
        return;
    }
    for (size_t m = 0; m < r.models; m++) {
        const char *name = norn_backtest_model(backtest, m);
        if (strcmp(name, r.options->season > 1 ? "SeasonalNaive" : "Naive") == 0) r.reference = m;
    }
    rank(&r);
    put_leaderboard(&r);
    put_chart(&r);
    put_where(&r);
    cli_text_put(out, "\n");
    say_rows(&r);
    say_verdict(&r);
    say_leaning(&r);
    free(r.order);
}
