/*
 * norn forecast FILE: reads series, trains a network or fits a model, scores it, and prints the rows after
 * the last.
 *
 * stdout (or -o) gets the forecast alone, as CSV or JSON; what was decided, how the training went and how
 * good it is go to stderr.
 */
#include "cli/backtest_flags.h"
#include "cli/forecast_fitted.h"
#include "cli/network_run.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct forecast_flags {
    cli_table_flags data;
    cli_network_flags network;
    const char *output, *model, *levels, *seasons, *states;
    int decompose;
    double level[NORN_MOST_LEVELS];
    bool plot, json, explain, quiet, debug;
} forecast_flags;

#define AT(field) offsetof(forecast_flags, field)

static const char *const decompose_words[] = {
    [NORN_DECOMPOSE_NONE] = "none", [NORN_DECOMPOSE_STL] = "stl", [NORN_DECOMPOSE_MSTL] = "mstl", NULL};

static const cli_option options[] = {
    {CLI_GROUP, "Without training:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "model", 0, AT(model), 0, 0, NULL, "FILE",
     "Forecast by a model that `norn train` saved; nothing is trained. Columns are those of the model"},
    {CLI_TEXT, "model-type", 0, AT(network.options.model), 0, 0, NULL, "NAME",
     "A model that needs no device in place of the network: ets, theta, holt-winters, naive and all others "
     "that norn-backtest(1) lists. Default: lstm"},
    {CLI_WORD, "decompose", 0, AT(decompose), 0, 0, decompose_words, "none|stl|mstl",
     "Takes the season off before --model-type sees a series, and lays it on the forecast: one season, or "
     "with "
     "mstl also the one above it. Default: none"},
    {CLI_TEXT, "seasons", 0, AT(seasons), 0, 0, NULL, "ROWS,ROWS...",
     "The seasons that --decompose mstl takes off, the shorter first: 24,168. Default: that of --season and "
     "what "
     "usually stands above it"},
    {CLI_TEXT, "levels", 0, AT(levels), 0, 0, NULL, "PERCENT",
     "Prediction intervals of --model-type, separated by commas, where the model has them; none. Default: "
     "95"},
    {CLI_FLAG, "explain", 0, AT(explain), 0, 0, NULL, NULL,
     "What --model-type found on each series, parameter by parameter, on standard error, or in the JSON"},
    {CLI_TEXT, "states", 0, AT(states), 0, 0, NULL, "FILE",
     "Level, slope and season of every row, smoothed, with standard errors, as CSV: of --model-type "
     "local-level, local-trend and structural"},

    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "output", 'o', AT(output), 0, 0, NULL, "FILE",
     "Where the forecast goes, whole or not at all. Default: standard output"},
    {CLI_FLAG, "json", 0, AT(json), 0, 0, NULL, NULL, "One JSON object with decisions, scores and forecast"},
    {CLI_FLAG, "plot", 0, AT(plot), 0, 0, NULL, NULL,
     "Draw history and forecast in the terminal, on standard error"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL,
     "Nothing on standard error but errors, and what --plot and --explain ask for"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL,
     "What the library logs, and whole build logs of kernels"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

/* ---- results ---------------------------------------------------------------------------------------------
 */

/* Decimals for one series: see output.c. */
static int decimals_of(const norn_table *table, size_t series)
{
    const double *target = norn_table_target(table, series);
    double low = target[0], high = target[0];
    for (size_t i = 1; i < norn_table_rows(table, series); i++) {
        if (target[i] < low) low = target[i];
        if (target[i] > high) high = target[i];
    }
    return cli_decimals(high - low, fabs(low) > fabs(high) ? low : high);
}

/* "ETS-lo-95" */
static const char *bound_name(char out[80], const char *model, const char *side, double level)
{
    (void)snprintf(out, 80, "%s-%s-%.10g", model, side, 100.0 * level);
    return out;
}

static void put_bound(cli_text *out, double value, int decimals)
{
    cli_text_put(out, ",");
    if (isfinite(value)) cli_text_number(out, value, decimals);
}

static void write_csv(cli_text *out, const norn_table *table, const norn_forecast *forecast)
{
    char time[NORN_TIME_TEXT];
    cli_text_put(out, "unique_id,ds,");
    cli_text_csv(out, norn_forecast_model(forecast));
    size_t levels = 0;
    const double *level = norn_forecast_levels(forecast, &levels);
    for (size_t i = 0; i < levels; i++) {
        char low[80], high[80];
        cli_text_put(out, ",");
        cli_text_csv(out, bound_name(low, norn_forecast_model(forecast), "lo", level[i]));
        cli_text_put(out, ",");
        cli_text_csv(out, bound_name(high, norn_forecast_model(forecast), "hi", level[i]));
    }
    cli_text_put(out, "\n");
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const double *values = norn_forecast_values(forecast, s); /* NULL: a piece that another one follows */
        const int decimals = values ? decimals_of(table, s) : 0;
        for (size_t k = 0; values && k < norn_forecast_horizon(forecast); k++) {
            cli_text_csv(out, norn_table_id(table, s));
            cli_text_put(out, ",");
            cli_text_csv(out, norn_table_time_text(table, norn_table_future_time(table, s, k + 1), time));
            cli_text_put(out, ",");
            cli_text_number(out, values[k], decimals);
            for (size_t i = 0; i < levels; i++) {
                put_bound(out, norn_forecast_lower(forecast, i, s)[k], decimals);
                put_bound(out, norn_forecast_upper(forecast, i, s)[k], decimals);
            }
            cli_text_put(out, "\n");
        }
    }
}

static json_t *training_json(const norn_forecast *forecast)
{
    size_t count = 0;
    const norn_training *training = norn_forecast_training(forecast, &count);
    const size_t members = norn_forecast_members(forecast);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *each = json_object();
        json_object_set_new(each, "rows", json_string(i < members ? "all" : "without those held back"));
        if (members > 1) json_object_set_new(each, "member", json_integer((json_int_t)(i % members) + 1));
        json_object_set_new(each, "windows", json_integer((json_int_t)training[i].windows));
        json_object_set_new(each, "validation_windows",
                            json_integer((json_int_t)training[i].validation_windows));
        json_object_set_new(each, "epochs", json_integer(training[i].epochs));
        json_object_set_new(each, "best_epoch", json_integer(training[i].best_epoch));
        json_object_set_new(each, "train_loss", cli_json_real(training[i].train_loss));
        json_object_set_new(each, "valid_loss", cli_json_real(training[i].valid_loss));
        json_array_append_new(array, each);
    }
    return array;
}

static json_t *scores_json(const norn_score *scores, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *each = json_object();
        json_object_set_new(each, "model", cli_json_text(scores[i].model));
        json_object_set_new(each, "mae", cli_json_real(scores[i].mae));
        json_object_set_new(each, "rmse", cli_json_real(scores[i].rmse));
        json_object_set_new(each, "mape", cli_json_real(scores[i].mape));
        json_object_set_new(each, "mase", cli_json_real(scores[i].mase));
        json_object_set_new(each, "rows", json_integer((json_int_t)scores[i].rows));
        json_object_set_new(each, "missing_rows", json_integer((json_int_t)scores[i].missing_rows));
        json_object_set_new(each, "zero_rows", json_integer((json_int_t)scores[i].zero_rows));
        json_object_set_new(each, "unscaled_series", json_integer((json_int_t)scores[i].unscaled_series));
        json_array_append_new(array, each);
    }
    return array;
}

/* One row of results: its series, its time, and what the caller adds. */
static json_t *row_json(const norn_table *table, size_t series, int64_t time)
{
    char text[NORN_TIME_TEXT];
    json_t *row = json_object();
    json_object_set_new(row, "unique_id", cli_json_text(norn_table_id(table, series)));
    json_object_set_new(row, "ds", cli_json_text(norn_table_time_text(table, time, text)));
    return row;
}

static json_t *held_back_json(const norn_table *table, const norn_forecast *forecast)
{
    json_t *array = json_array();
    size_t models = 0;
    const norn_score *scores = norn_forecast_scores(forecast, &models);
    const size_t holdout = norn_forecast_holdout(forecast);
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_forecast_values(forecast, s)) continue; /* neither scored nor forecast */
        const size_t first = norn_table_rows(table, s) - holdout;
        for (size_t k = 0; k < holdout; k++) {
            json_t *row = row_json(table, s, norn_table_times(table, s)[first + k]);
            json_object_set_new(row, "y", cli_json_real(norn_table_target(table, s)[first + k]));
            for (size_t m = 0; m < models; m++) {
                const double *values = norn_forecast_held_back(forecast, m, s);
                json_object_set_new(row, scores[m].model, values ? cli_json_real(values[k]) : json_null());
            }
            json_array_append_new(array, row);
        }
    }
    return array;
}

static json_t *forecast_json(const norn_table *table, const norn_forecast *forecast)
{
    json_t *array = json_array();
    for (size_t s = 0; s < norn_table_series_count(table); s++)
        for (size_t k = 0; norn_forecast_values(forecast, s) && k < norn_forecast_horizon(forecast); k++) {
            json_t *row = row_json(table, s, norn_table_future_time(table, s, k + 1));
            const char *model = norn_forecast_model(forecast);
            json_object_set_new(row, model, cli_json_real(norn_forecast_values(forecast, s)[k]));
            size_t levels = 0;
            const double *level = norn_forecast_levels(forecast, &levels);
            for (size_t i = 0; i < levels; i++) {
                char name[80];
                json_object_set_new(row, bound_name(name, model, "lo", level[i]),
                                    cli_json_real(norn_forecast_lower(forecast, i, s)[k]));
                json_object_set_new(row, bound_name(name, model, "hi", level[i]),
                                    cli_json_real(norn_forecast_upper(forecast, i, s)[k]));
            }
            if (norn_forecast_members(forecast) > 1) {
                char name[80];
                (void)snprintf(name, sizeof name, "%s-min", model);
                json_object_set_new(row, name, cli_json_real(norn_forecast_least(forecast, s)[k]));
                (void)snprintf(name, sizeof name, "%s-max", model);
                json_object_set_new(row, name, cli_json_real(norn_forecast_greatest(forecast, s)[k]));
            }
            json_array_append_new(array, row);
        }
    return array;
}

static void write_json(cli_text *out, const norn_table *table, const norn_forecast *forecast,
                       const norn_device_info *device, bool explained)
{
    size_t count = 0;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    json_t *root = json_object(), *all = json_array();
    cli_json_add_decisions(all, decisions, count);
    decisions = norn_forecast_decisions(forecast, &count);
    cli_json_add_decisions(all, decisions, count);
    const norn_score *scores = norn_forecast_scores(forecast, &count);

    json_object_set_new(root, "norn", json_string(norn_version()));
    json_object_set_new(root, "device", device ? cli_json_text(device->name) : json_null());
    json_object_set_new(root, "decisions", all);
    json_object_set_new(root, "model", cli_json_text(norn_forecast_model(forecast)));
    json_object_set_new(root, "parameters", json_integer((json_int_t)norn_forecast_parameters(forecast)));
    if (norn_forecast_members(forecast) > 1)
        json_object_set_new(root, "members", json_integer((json_int_t)norn_forecast_members(forecast)));
    json_object_set_new(root, "training", training_json(forecast));
    json_object_set_new(root, "series", json_integer((json_int_t)cli_forecast_series(table, forecast)));
    json_object_set_new(root, "horizon", json_integer((json_int_t)norn_forecast_horizon(forecast)));
    json_object_set_new(root, "holdout", json_integer((json_int_t)norn_forecast_holdout(forecast)));
    json_object_set_new(root, "scores", scores_json(scores, count));
    json_object_set_new(root, "held_back", held_back_json(table, forecast));
    json_object_set_new(root, "forecast", forecast_json(table, forecast));
    if (explained) json_object_set_new(root, "fitted", cli_fitted_json(table, forecast));

    cli_text_put_json(out, root, 0);
}

/* ---- the command -----------------------------------------------------------------------------------------
 */

static void report_plots(cli_state *cli, cli_text *out, const norn_table *table,
                         const norn_forecast *forecast)
{
    enum { MOST = 3 };
    size_t series = 0, drawn = 0;
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        if (!norn_forecast_values(forecast, s)) continue; /* a piece that another one follows */
        if (series++ >= MOST) continue;
        drawn++;
        cli_text_put(out, "\n");
        cli_plot(&cli->screen, out, table, forecast, s);
    }
    if (drawn < series) cli_text_format(out, "\nThe first %zu of %zu series are drawn.\n", drawn, series);
}

/* Is a model asked for that needs no device? */
static bool is_simple(const forecast_flags *given)
{
    return given->network.options.model && strcmp(given->network.options.model, "lstm") != 0;
}

static int read_levels(forecast_flags *given)
{
    const char *at = given->levels ? given->levels : "95";
    char quoted[96];
    size_t count = 0;
    while (*at && strcmp(at, "none") != 0) {
        char *end = NULL;
        const double percent = at[0] >= '0' && at[0] <= '9' ? strtod(at, &end) : 0.0;
        if (!end || (*end && *end != ',') || !(percent > 0.0 && percent < 100.0) ||
            count == NORN_MOST_LEVELS) {
            cli_error("--levels: expected up to %d numbers between 0 and 100, separated by commas, or none, "
                      "found \"%s\"",
                      NORN_MOST_LEVELS, norn_quote(quoted, sizeof quoted, at, strlen(at), 48));
            return EXIT_USAGE;
        }
        given->level[count++] = percent / 100.0;
        at = *end ? end + 1 : end;
    }
    given->network.options.levels = given->level;
    given->network.options.level_count = count;
    return EXIT_FINE;
}

/* What a model without a device has no use for. */
static int check_simple(const cli_command *command, const cli_arguments *arguments, forecast_flags *given)
{
    if (!is_simple(given)) {
        if (given->explain) {
            cli_error("--explain: a network has no parameters to read (--model-type ets, theta and others)");
            return EXIT_USAGE;
        }
        if (given->states) {
            cli_error("--states: a network has no states to smooth (--model-type local-level, local-trend or "
                      "structural)");
            return EXIT_USAGE;
        }
        if (given->seasons) {
            cli_error("--seasons: the network sees the series as it is (--decompose mstl with --model-type)");
            return EXIT_USAGE;
        }
        if (given->decompose) {
            cli_error(
                "--decompose: the network sees the series as it is (--model-type ets, theta and others)");
            return EXIT_USAGE;
        }
        if (!given->levels) return EXIT_FINE;
        cli_error("--levels: the network has no intervals (--model-type ets, theta and others have)");
        return EXIT_USAGE;
    }
    if (given->model) {
        cli_error("--model and --model-type exclude each other");
        return EXIT_USAGE;
    }
    for (const cli_option *row = cli_network_rows; row->kind != CLI_END; row++)
        if (row->kind != CLI_GROUP && strcmp(row->name, "seed") != 0 &&
            cli_given(command, arguments, row->name)) {
            cli_error("--%s is of networks: of no use with --model-type %s", row->name,
                      given->network.options.model);
            return EXIT_USAGE;
        }
    norn_forecast_options *const asked = &given->network.options;
    asked->decompose = (norn_decompose)given->decompose;
    asked->explain = given->explain;
    asked->states = given->states != NULL;
    const int code = cli_read_seasons(given->seasons, asked->seasons);
    return code == EXIT_FINE ? read_levels(given) : code;
}

/* Trained now, or by a model; with what is said of it. */
static norn_status make_forecast(cli_state *cli, norn_forecast **out, const forecast_flags *given,
                                 const norn_model *model, norn_context *context, norn_table *table,
                                 cli_text *notes)
{
    const double begin = norn_seconds();
    size_t count = 0;
    const norn_status status =
        model ? norn_model_forecast(out, context, model, table, &cli->host, &cli->err)
              : norn_forecast_run(out, context, table, &given->network.options, &cli->host, &cli->err);
    cli_progress_clear(cli);
    cli_signals_keep();
    if (status != NORN_OK) return status;
    if (cli_signal_caught()) return NORN_ERR_CANCELLED;
    if (cli->quiet) return NORN_OK;
    if (model || is_simple(given)) {
        const norn_decision *decisions = norn_forecast_decisions(*out, &count);
        cli_report_decisions(&cli->screen, notes, decisions, count);
        cli_report_spread(&cli->screen, notes, table, *out);
        cli_report_scores(&cli->screen, notes, table, *out);
    } else {
        cli_network_report(cli, notes, table, *out, norn_seconds() - begin);
    }
    cli_tell(notes);
    return NORN_OK;
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    forecast_flags given = {.data = CLI_TABLE_FLAGS_INIT, .network = CLI_NETWORK_FLAGS_INIT};
    cli_arguments arguments;
    cli_model_flags by_model = {0};
    cli_text notes = {NULL, 0, 0, false}, results = {NULL, 0, 0, false};
    norn_table *table = NULL;
    norn_context *context = NULL;
    norn_forecast *forecast = NULL;
    norn_model *model = NULL;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    const char *input = NULL;
    if ((code = cli_table_check(command, &arguments, &given.data, given.output, &input)) != EXIT_FINE)
        goto done;
    cli->quiet = given.quiet;
    cli->debug |= given.debug;
    if ((code = cli_network_settle(&given.network)) != EXIT_FINE) goto done;
    if ((code = check_simple(command, &arguments, &given)) != EXIT_FINE) goto done;
    /* a run of minutes must not end in an output that could never be made */
    const cli_named_file files[] = {{"-o", given.output ? given.output : "-"},
                                    {"--states", given.states},
                                    {"--checkpoint", given.network.options.checkpoint}};
    if ((code = cli_files_check(input, files, NORN_COUNT(files))) != EXIT_FINE) goto done;
    if (given.model && (code = cli_files_check(given.model, files, NORN_COUNT(files))) != EXIT_FINE)
        goto done;
    if (given.model) {
        code = cli_model_open(cli, &model, given.model, command, &arguments, &given.data, &by_model);
        if (code != EXIT_FINE) goto done;
    }
    code = is_simple(&given) ? cli_table_read(cli, &table, input, &given.data)
                             : cli_network_open(cli, &table, &context, input, &given.data, &given.network);
    if (code != EXIT_FINE) goto done;

    if (is_simple(&given) && !cli->quiet) {
        size_t count = 0;
        const norn_decision *decisions = norn_table_decisions(table, &count);
        cli_report_decisions(&cli->screen, &notes, decisions, count);
        cli_tell(&notes);
    }
    given.network.options.consume_past = 1;
    if (make_forecast(cli, &forecast, &given, model, context, table, &notes) != NORN_OK) {
        cli_text_free(&notes);
        code = cli_network_fail(cli, &given.network.options, command, argc, argv);
        goto done;
    }
    if (given.json)
        write_json(&results, table, forecast, context ? norn_context_device(context) : NULL, given.explain);
    else
        write_csv(&results, table, forecast);
    if ((code = cli_output_write(given.output, &results)) != EXIT_FINE) goto done;
    if (given.states) {
        cli_text_free(&results);
        cli_states_csv(&results, table, forecast);
        if ((code = cli_output_write(given.states, &results)) != EXIT_FINE) goto done;
    }
    if (given.explain && !given.json) {
        cli_report_fitted(&cli->screen, &notes, table, forecast);
        cli_tell(&notes);
    }
    if (given.plot) {
        report_plots(cli, &notes, table, forecast);
        cli_tell(&notes);
    }

done:
    cli_text_free(&notes);
    cli_text_free(&results);
    cli_model_flags_free(&by_model);
    norn_model_free(model);
    norn_forecast_free(forecast);
    norn_context_free(context);
    norn_table_free(table);
    cli_arguments_free(&arguments);
    return code;
}

static const cli_shared shared[] = CLI_NETWORK_SHARED(forecast_flags);

const cli_command cli_forecast_command = {
    .name = "forecast",
    .summary = "forecast the rows after the last one of a CSV file",
    .operands = "FILE",
    .before = "Forecasts the rows after the last one of a CSV file (- is standard input) with a\n"
              "recurrent network that it trains on them (an LSTM, or another --cell), or with a\n"
              "statistical model (--model-type), and scores it on the last rows beside simple\n"
              "forecasts. What is not given is found or chosen, and said on standard error.\n\n",
    .after = "\nExamples:\n"
             "  norn forecast sales.csv                        the next rows, as CSV\n"
             "  norn forecast sales.csv -n 24 --plot           24 rows, with a chart\n"
             "  norn forecast sales.csv --members 10           the median of ten networks\n"
             "  norn forecast later.csv --model sales.safetensors\n"
             "  norn forecast load.csv --target load --past '*' -o next.csv\n"
             "  norn forecast sales.csv --model-type ets --explain\n"
             "  zcat big.csv.gz | norn forecast - --json --quiet\n",
    .options = options,
    .shared = shared,
    .run = run,
};
