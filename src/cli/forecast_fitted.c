/*
 * Parameters and states of models that need no device: see forecast_fitted.h.
 *
 * States are as many as the rows, and read by machines or drawn: they go to a file. Parameters are few, and
 * read by people: they go to standard error beside what else is said, and into the JSON.
 */
#include "cli/forecast_fitted.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters ------------------------------------------------------------------------------------------
 */

static bool is_number(const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    return end != text && !*end && isfinite(value);
}

static void report_series(const cli_screen *screen, cli_text *out, const norn_explained *lines, size_t count)
{
    int name = 0, value = 0;
    for (size_t i = 0; i < count; i++) {
        const int columns = cli_columns(lines[i].name), more = cli_columns(lines[i].value);
        name = columns > name ? columns : name;
        value = more > value ? more : value;
    }
    for (size_t i = 0; i < count; i++) {
        cli_text_put(out, "  ");
        cli_text_pad(out, lines[i].name, -name);
        cli_text_put(out, "  ");
        cli_text_pad(out, lines[i].value, is_number(lines[i].value) ? value : -value);
        cli_text_format(out, "  %s%s%s\n", cli_paint_on(screen, PAINT_DIM), lines[i].meaning,
                        cli_paint_off(screen));
    }
}

void cli_report_fitted(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast)
{
    const char *paper = norn_forecast_paper(forecast);
    const bool several = cli_forecast_series(table, forecast) > 1;
    cli_text_format(out, "\n%s%s%s: %s%s%s%s\n", cli_paint_on(screen, PAINT_BOLD),
                    norn_forecast_model(forecast), cli_paint_off(screen), norn_forecast_method(forecast),
                    paper ? " (" : "", paper ? paper : "", paper ? ")" : "");
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_forecast_values(forecast, s)) continue; /* a piece that another one follows */
        const char *id = norn_table_id(table, s);
        char quoted[160];
        size_t count = 0;
        const norn_explained *lines = norn_forecast_explained(forecast, s, &count);
        if (several) cli_text_format(out, "\n%s\n", norn_quote(quoted, sizeof quoted, id, strlen(id), 120));
        report_series(screen, out, lines, count);
        if (!count) cli_text_put(out, "  nothing: it has no parameters\n");
    }
}

static json_t *text_or_null(const char *text)
{
    return text ? cli_json_text(text) : json_null();
}

json_t *cli_fitted_json(const norn_table *table, const norn_forecast *forecast)
{
    json_t *root = json_object(), *series = json_array();
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_forecast_values(forecast, s)) continue;
        json_t *one = json_object(), *parameters = json_array();
        size_t count = 0;
        const norn_explained *lines = norn_forecast_explained(forecast, s, &count);
        for (size_t i = 0; i < count; i++) {
            json_t *line = json_object();
            json_object_set_new(line, "name", cli_json_text(lines[i].name));
            json_object_set_new(line, "value",
                                is_number(lines[i].value) ? cli_json_real(strtod(lines[i].value, NULL))
                                                          : cli_json_text(lines[i].value));
            json_object_set_new(line, "meaning", cli_json_text(lines[i].meaning));
            json_array_append_new(parameters, line);
        }
        json_object_set_new(one, "unique_id", cli_json_text(norn_table_id(table, s)));
        json_object_set_new(one, "parameters", parameters);
        json_array_append_new(series, one);
    }
    json_object_set_new(root, "model", cli_json_text(norn_forecast_model(forecast)));
    json_object_set_new(root, "method", text_or_null(norn_forecast_method(forecast)));
    json_object_set_new(root, "paper", text_or_null(norn_forecast_paper(forecast)));
    json_object_set_new(root, "series", series);
    return root;
}

/* ---- states ----------------------------------------------------------------------------------------------
 */

static const char *const part_names[NORN_STATES] = {[NORN_STATE_LEVEL] = "level",
                                                    [NORN_STATE_SLOPE] = "slope",
                                                    [NORN_STATE_SEASON] = "season",
                                                    [NORN_STATE_SIGNAL] = "signal"};

static void put_value(cli_text *out, double value)
{
    if (isfinite(value))
        cli_text_format(out, ",%.10g", value);
    else
        cli_text_put(out, ",");
}

void cli_states_csv(cli_text *out, const norn_table *table, const norn_forecast *forecast)
{
    bool has[NORN_STATES] = {false};
    char time[NORN_TIME_TEXT];
    const size_t series = norn_table_series_count(table);
    cli_text_put(out, "unique_id,ds,y");
    for (size_t part = 0; part < NORN_STATES; part++) {
        for (size_t s = 0; s < series; s++)
            has[part] = has[part] || norn_forecast_state(forecast, (norn_state)part, s);
        if (has[part]) cli_text_format(out, ",%s,%s-se", part_names[part], part_names[part]);
    }
    cli_text_put(out, ",filled\n");
    for (size_t s = 0; s < series; s++) {
        if (!norn_forecast_values(forecast, s)) continue;
        const double *y = norn_table_target(table, s),
                     *const values[NORN_STATES] = {norn_forecast_state(forecast, NORN_STATE_LEVEL, s),
                                                   norn_forecast_state(forecast, NORN_STATE_SLOPE, s),
                                                   norn_forecast_state(forecast, NORN_STATE_SEASON, s),
                                                   norn_forecast_state(forecast, NORN_STATE_SIGNAL, s)};
        const double *const signal = values[NORN_STATE_SIGNAL];
        for (size_t row = 0; row < norn_table_rows(table, s); row++) {
            cli_text_csv(out, norn_table_id(table, s));
            cli_text_put(out, ",");
            cli_text_csv(out, norn_table_time_text(table, norn_table_times(table, s)[row], time));
            put_value(out, y[row]);
            for (size_t part = 0; part < NORN_STATES; part++) {
                if (!has[part]) continue;
                const double *error = norn_forecast_state_error(forecast, (norn_state)part, s);
                put_value(out, values[part] ? values[part][row] : NAN);
                put_value(out, error ? error[row] : NAN);
            }
            put_value(out, isfinite(y[row]) ? y[row] : signal ? signal[row] : NAN);
            cli_text_put(out, "\n");
        }
    }
}
