/*
 * The picture of a forecast: the last rows of a series, what the scored network said of the rows held back,
 * and the future. What is known is a line, broken where values are missing, what the network said then is
 * dots over it, what it says now is a thick line.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

/* Rows of history to show: some horizons, enough to see a shape, no more than there are. */
static size_t rows_to_show(size_t rows, size_t horizon, size_t holdout)
{
    enum { HORIZONS = 4, LEAST = 30 };
    size_t shown = HORIZONS * horizon;
    if (shown < holdout + 2 * horizon) shown = holdout + 2 * horizon;
    if (shown < LEAST) shown = LEAST;
    return shown < rows ? shown : rows;
}

void cli_plot(const cli_screen *screen, cli_text *out, const norn_table *table, const norn_forecast *forecast,
              size_t series)
{
    enum { ROWS = 16, BETWEEN = 8 };
    const size_t rows = norn_table_rows(table, series), horizon = norn_forecast_horizon(forecast);
    const size_t holdout = norn_forecast_holdout(forecast), shown = rows_to_show(rows, horizon, holdout);
    const double *history = norn_table_target(table, series) + (rows - shown);
    const double *held_back = holdout ? norn_forecast_held_back(forecast, 0, series) : NULL;
    const int64_t *times = norn_table_times(table, series);
    const long now = (long)shown - 1; /* place of the last known row */

    double *future = malloc((horizon + 1) * sizeof *future); /* joined to the last known row */
    if (!future) {
        out->failed = true;
        return;
    }
    future[0] = history[shown - 1];
    memcpy(future + 1, norn_forecast_values(forecast, series), horizon * sizeof *future);

    char held_back_name[96], future_name[96], title[256], id[160];
    const char *model = norn_forecast_model(forecast);
    (void)snprintf(held_back_name, sizeof held_back_name, "%s for the %zu rows held back", model, holdout);
    (void)snprintf(future_name, sizeof future_name, "%s, %zu rows ahead", model, horizon);
    (void)snprintf(
        title, sizeof title, "%s, the last %zu of %zu rows",
        norn_quote(id, sizeof id, norn_table_id(table, series), strlen(norn_table_id(table, series)), 60),
        shown, rows);

    chart_series drawn[3] = {{"history", history, shown, 0, CHART_LINE}};
    size_t count = 1;
    if (held_back)
        drawn[count++] =
            (chart_series){held_back_name, held_back, holdout, now + 1 - (long)holdout, CHART_DOTS};
    else
        drawn[count++] = (chart_series){NULL, NULL, 0, 0, CHART_DOTS}; /* keeps the future's colour */
    drawn[count++] = (chart_series){future_name, future, horizon + 1, now, CHART_THICK};

    /* Labels by importance: the last known row, both ends, the cutoff of the score, then whatever fits
     * between. */
    chart_label labels[4 + BETWEEN];
    size_t label_count = 0;
    const long end = now + (long)horizon;
    long places[4 + BETWEEN];
    size_t place_count = 0;
    places[place_count++] = now;
    places[place_count++] = end;
    places[place_count++] = 0;
    if (held_back) places[place_count++] = now - (long)holdout;
    for (long i = 1; i < BETWEEN; i++) places[place_count++] = i * now / BETWEEN;
    for (size_t i = 0; i < place_count; i++) {
        const long place = places[i];
        if (place < 0) continue;
        const int64_t time = place <= now ? times[rows - shown + (size_t)place]
                                          : norn_table_future_time(table, series, (size_t)(place - now));
        labels[label_count].at = place;
        (void)norn_table_time_text(table, time, labels[label_count].text);
        label_count++;
    }
    const long rules[] = {now, now - (long)holdout};
    const cli_chart chart = {.title = title,
                             .series = drawn,
                             .series_count = count,
                             .labels = labels,
                             .label_count = label_count,
                             .rules = rules,
                             .rule_count = held_back && rules[1] >= 0 ? 2 : 1,
                             .rows = ROWS};
    chart_draw(screen, out, &chart);
    free(future);
}
