/*
 * What a person reads about a forecast, on stderr: the decisions with the flags that overrule them, how the
 * network was trained, and its scores on the rows held back beside simple forecasts, ending in one plain
 * sentence that is as ready to say that the network lost.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <math.h>
#include <string.h>

/* "  target   "Passengers", the last numeric column   (--target)" */
void cli_report_decisions(const cli_screen *screen, cli_text *out, const norn_decision *decisions,
                          size_t count)
{
    /* Flags line up within a block, and mostly between blocks; a very long text pushes only its own flag. */
    enum { WHAT = 10, USUAL = 46, WIDEST = 58 };
    int widest = USUAL;
    for (size_t i = 0; i < count; i++) {
        const int columns = cli_columns(decisions[i].text);
        if (columns <= WIDEST && columns > widest) widest = columns;
    }
    for (size_t i = 0; i < count; i++) {
        cli_text_put(out, "  ");
        cli_text_put(out, cli_paint_on(screen, PAINT_BOLD));
        cli_text_pad(out, decisions[i].what, -WHAT);
        cli_text_put(out, cli_paint_off(screen));
        cli_text_put(out, " ");
        if (decisions[i].flag && decisions[i].flag[0]) {
            cli_text_pad(out, decisions[i].text, -widest);
            cli_text_format(out, "  %s(%s)%s", cli_paint_on(screen, PAINT_DIM), decisions[i].flag,
                            cli_paint_off(screen));
        } else {
            cli_text_put(out, decisions[i].text);
        }
        cli_text_put(out, "\n");
    }
}

/* "40", or of several members "12 to 40", and how many diverged. */
static void put_epochs(cli_text *text, const norn_training *training, size_t members, const char *unit)
{
    unsigned least = training[0].epochs, most = training[0].epochs;
    size_t diverged = 0;
    for (size_t m = 0; m < members; m++) {
        if (training[m].epochs < least) least = training[m].epochs;
        if (training[m].epochs > most) most = training[m].epochs;
        diverged += training[m].best_epoch == 0;
    }
    cli_text_format(text, "%u", least);
    if (most > least) cli_text_format(text, " to %u", most);
    cli_text_put(text, unit);
    if (members == 1 && !diverged)
        cli_text_format(text, " (best %u)", training[0].best_epoch);
    else if (members == 1)
        cli_text_put(text, " (diverged)");
    else if (diverged)
        cli_text_format(text, " (%zu diverged)", diverged);
}

void cli_report_training(const cli_screen *screen, cli_text *out, const norn_forecast *forecast,
                         double seconds)
{
    static const char *const rows[] = {"", ", without the rows held back "};
    size_t count = 0;
    const norn_training *training = norn_forecast_training(forecast, &count);
    const size_t members = norn_forecast_members(forecast);
    cli_text text = {NULL, 0, 0, false};
    cli_text_format(&text, "in %.1f s, ", seconds);
    if (members > 1) cli_text_format(&text, "%zu members, ", members);
    for (size_t i = 0; i < count / members && i < NORN_COUNT(rows); i++) {
        cli_text_put(&text, rows[i]);
        put_epochs(&text, training + i * members, members, i ? "" : " epochs");
    }
    if (text.failed) out->failed = true;
    if (!text.failed) {
        const norn_decision line = {"trained", text.bytes, "", NULL};
        cli_report_decisions(screen, out, &line, 1);
    }
    cli_text_free(&text);
}

/* How far the members lie apart, as a share of the forecast: the mean over a series of greatest minus least,
 * by the mean size of its values; and where that is most. Averages over the series that have a size. */
void cli_report_spread(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast)
{
    const size_t h = norn_forecast_horizon(forecast);
    double mean = 0.0, most = 0.0;
    size_t series = 0;
    if (norn_forecast_members(forecast) < 2) return;
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const double *values = norn_forecast_values(forecast, s);
        double sum = 0.0, size = 0.0, widest = 0.0;
        for (size_t k = 0; values && k < h; k++) {
            const double apart = norn_forecast_greatest(forecast, s)[k] - norn_forecast_least(forecast, s)[k];
            sum += apart;
            size += fabs(values[k]);
            if (apart > widest) widest = apart;
        }
        if (!values || !(size > 0.0) || !isfinite(sum / size)) continue;
        mean += sum / size;
        most += widest / (size / (double)h);
        series++;
    }
    if (!series) return;
    char text[120];
    (void)snprintf(text, sizeof text, "members %.2g %% apart on average, %.2g %% where most",
                   100.0 * mean / (double)series, 100.0 * most / (double)series);
    const norn_decision line = {"spread", text, "", NULL};
    cli_report_decisions(screen, out, &line, 1);
}

size_t cli_forecast_series(const norn_table *table, const norn_forecast *forecast)
{
    size_t count = 0;
    for (size_t s = 0; s < norn_table_series_count(table); s++)
        count += norn_forecast_values(forecast, s) ? 1 : 0;
    return count;
}

const char *cli_held_back_range(const norn_table *table, const norn_forecast *forecast,
                                char out[2 * NORN_TIME_TEXT + 8])
{
    const size_t holdout = norn_forecast_holdout(forecast);
    int64_t first = 0, last = 0;
    bool any = false;
    out[0] = '\0';
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const size_t rows = norn_table_rows(table, s);
        if (!norn_forecast_values(forecast, s)) continue;
        if (holdout == 0 || rows < holdout) return out;
        const int64_t *times = norn_table_times(table, s);
        if (any && (first != times[rows - holdout] || last != times[rows - 1])) return out;
        any = true;
        first = times[rows - holdout];
        last = times[rows - 1];
    }
    if (!any) return out;
    char from[NORN_TIME_TEXT], to[NORN_TIME_TEXT];
    (void)snprintf(out, 2 * NORN_TIME_TEXT + 8, "%s to %s", norn_table_time_text(table, first, from),
                   norn_table_time_text(table, last, to));
    return out;
}

/* ---- scores ----------------------------------------------------------------------------------------------
 */

/* What a model is called within a sentence. */
static const char *spoken(const char *model)
{
    static const struct {
        const char *model, *spoken;
    } names[] = {
        {"Naive", "the naive"}, {"SeasonalNaive", "the seasonal naive"}, {"Linear", "the linear model"}};
    for (size_t i = 0; i < NORN_COUNT(names); i++)
        if (strcmp(names[i].model, model) == 0) return names[i].spoken;
    return model;
}

static size_t best_of(const norn_score *scores, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (scores[i].mae < scores[best].mae || !isfinite(scores[best].mae)) best = i;
    return best;
}

/* Adds a sentence, broken between words where a terminal would break it anywhere. */
static void wrap(const cli_screen *screen, cli_text *to, const cli_text *sentence)
{
    if (sentence->failed) to->failed = true;
    if (sentence->failed || sentence->length == 0) return;
    char *word = sentence->bytes;
    int used = 0;
    while (*word) {
        char *end = word + strcspn(word, " ");
        const char after = *end;
        *end = '\0';
        const int columns = cli_columns(word);
        if (screen->live && used && used + 1 + columns >= screen->columns) {
            cli_text_put(to, "\n");
            used = 0;
        } else if (used) {
            cli_text_put(to, " ");
            used++;
        }
        cli_text_put(to, word);
        used += columns;
        *end = after;
        word = after ? end + 1 : end;
    }
}

/* How a is beside b: "40 % below", "4.2 times", "as large as". */
static const char *beside(char *out, size_t size, double a, double b)
{
    const double percent = 100.0 * (a - b) / b;
    if (fabs(percent) < 0.05 || a == b)
        (void)snprintf(out, size, "equal to");
    else if (b == 0.0 || percent > 200.0)
        (void)snprintf(out, size, b == 0.0 ? "above" : percent < 1e8 ? "%.1f times" : "%.2g times", a / b);
    else
        (void)snprintf(out, size, "%.*f %% %s", fabs(percent) < 9.95 ? 1 : 0, fabs(percent),
                       percent < 0.0 ? "below" : "above");
    return out;
}

/* The network against the forecast a practitioner would have made without it: the seasonal naive where there
 * is a season, else the naive; and against the best of all. */
static void verdict(const cli_screen *screen, cli_text *to, const norn_table *table,
                    const norn_forecast *forecast, const norn_score *scores, size_t count)
{
    size_t reference = 0;
    for (size_t i = 1; i < count; i++)
        if (strcmp(scores[i].model, "SeasonalNaive") == 0 ||
            (!reference && strcmp(scores[i].model, "Naive") == 0))
            reference = i;
    const size_t best = best_of(scores, count), series = cli_forecast_series(table, forecast);
    const double own = scores[0].mae;
    if (!reference || !isfinite(own) || !isfinite(scores[reference].mae)) return;

    cli_text text = {NULL, 0, 0, false}, *const out = &text;

    char range[2 * NORN_TIME_TEXT + 8], how[48];
    cli_held_back_range(table, forecast, range);
    cli_text_format(out, "On the %zu rows held back", norn_forecast_holdout(forecast));
    if (range[0]) cli_text_format(out, " (%s)", range);
    if (series > 1) cli_text_format(out, " of each of %zu series", series);
    const char *name = spoken(scores[reference].model);
    cli_text_format(out, " the %s's MAE is %s %s's", scores[0].model,
                    beside(how, sizeof how, own, scores[reference].mae), name);
    if (best == 0) {
        cli_text_put(out, own < scores[reference].mae ? ", and the smallest of all.\n" : ".\n");
    } else if (own >= scores[reference].mae) {
        cli_text_format(out, "; %s was %s here: prefer it.\n", spoken(scores[best].model),
                        best == reference ? "better" : "the best");
    } else {
        cli_text_format(out, ", but %s was better still, by %.*f %%.\n", spoken(scores[best].model),
                        own < 1.0995 * scores[best].mae ? 1 : 0, 100.0 * (own - scores[best].mae) / own);
    }
    wrap(screen, to, &text);
    cli_text_free(&text);
}

/* What the measures leave out, where they do: the same for all models that were scored. */
static void left_out(const cli_screen *screen, cli_text *to, const norn_score *score)
{
    cli_text text = {NULL, 0, 0, false}, *const out = &text;
    const struct {
        size_t count;
        const char *one, *many;
    } parts[] = {
        {score->missing_rows, "%zu row held back is missing and not scored",
         "%zu rows held back are missing and not scored"},
        {score->zero_rows, "MAPE leaves out %zu row that is 0", "MAPE leaves out %zu rows that are 0"},
        {score->unscaled_series, "MASE leaves out %zu series without a scale",
         "MASE leaves out %zu series without a scale"},
    };
    bool any = false;
    for (size_t i = 0; i < NORN_COUNT(parts); i++) {
        if (!parts[i].count) continue;
        char part[96];
        (void)snprintf(part, sizeof part, parts[i].count == 1 ? parts[i].one : parts[i].many, parts[i].count);
        cli_text_format(out, "%s%s", any ? "; " : "", part);
        any = true;
    }
    if (any) cli_text_put(out, ".\n");
    wrap(screen, to, out);
    cli_text_free(out);
}

/* A measure with the decimals of its column, shorter where it is too large for that; "-" where it is
 * undefined. */
static void cell(cli_text *out, double value, int decimals, int columns)
{
    char text[48];
    if (!isfinite(value))
        (void)snprintf(text, sizeof text, "-");
    else if (decimals < 0)
        (void)snprintf(text, sizeof text, "%.4g", value);
    else
        (void)snprintf(text, sizeof text, "%.*f", decimals, value);
    if (isfinite(value) && strlen(text) >= (size_t)columns) /* at least one blank before it */
        (void)snprintf(text, sizeof text, "%.4g", value);
    cli_text_pad(out, text, columns);
}

void cli_report_scores(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast)
{
    size_t count = 0;
    const norn_score *scores = norn_forecast_scores(forecast, &count);
    if (count == 0) return;

    /* MAE and RMSE share a unit and the decimals: four digits of the smallest MAE, one decimal more than a
     * sentence would need, none where they are in the thousands. */
    int decimals = 4, wide = 5;
    const size_t best = best_of(scores, count);
    const double smallest = scores[best].mae;
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(scores[i].rmse) && scores[i].rmse > largest) largest = scores[i].rmse;
    if (isfinite(smallest) && smallest > 0.0) decimals = 3 - (int)floor(log10(smallest));
    if (decimals > 8 || largest >= 1e9) decimals = -1;
    if (decimals < -1) decimals = 0;
    for (size_t i = 0; i < count; i++)
        if ((int)strlen(scores[i].model) > wide) wide = (int)strlen(scores[i].model);
    const int digits = largest >= 1.0 ? (int)floor(log10(largest)) + 1 : 1;
    const int column = decimals < 0 ? 12 : (digits + 1 + decimals < 7 ? 7 : digits + 1 + decimals) + 3;

    cli_text_format(out, "\n    %-*s%*s%*s%10s%10s\n", wide, "model", column, "MAE", column, "RMSE", "MAPE %",
                    "MASE");
    for (size_t i = 0; i < count; i++) {
        const bool wins = i == best && isfinite(scores[i].mae);
        cli_text_put(out, wins ? cli_paint_on(screen, PAINT_GOOD) : "");
        cli_text_put(out, wins ? "  * " : "    ");
        cli_text_pad(out, scores[i].model, -wide);
        cell(out, scores[i].mae, decimals, column);
        cell(out, scores[i].rmse, decimals, column);
        cell(out, scores[i].mape, 2, 10);
        cell(out, scores[i].mase, 3, 10);
        cli_text_put(out, wins ? "  best" : "");
        cli_text_put(out, wins ? cli_paint_off(screen) : "");
        cli_text_put(out, "\n");
    }
    cli_text_put(out, "\n");
    left_out(screen, out, &scores[count - 1]); /* a simple forecast: never without a score */
    verdict(screen, out, table, forecast, scores, count);
}
