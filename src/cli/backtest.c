/*
 * norn backtest FILE: what the forecasts of several models would have been worth, made at earlier rows.
 *
 * stdout (or -o) gets the forecasts of all folds as CSV; --metrics and --timings name further files; what was
 * decided and the summary go to stderr.
 */
#include "cli/backtest.h"

#include "cli/backtest_flags.h"
#include "cli/report_page.h"
#include "cli/table_flags.h"
#include "cli/tuning.h"

#include "base/base.h"

#include <string.h>

typedef struct backtest_flags {
    cli_table_flags data;
    cli_backtest_flags backtest;
    cli_network_flags network;
    const char *output, *metrics, *timings, *report;
    bool with_times, quiet, debug;
} backtest_flags;

#define AT(field) offsetof(backtest_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "output", 'o', AT(output), 0, 0, NULL, "FILE",
     "Where the forecasts go, whole or not at all. Default: standard output"},
    {CLI_TEXT, "metrics", 0, AT(metrics), 0, 0, NULL, "FILE",
     "Every metric of every model, pooled, by step, cutoff and series: JSON if the name ends in .json, else "
     "CSV"},
    {CLI_TEXT, "report", 0, AT(report), 0, 0, NULL, "FILE.html",
     "All of it as one HTML file to read or to send; Markdown if the name ends in .md"},
    {CLI_FLAG, "with-times", 0, AT(with_times), 0, 0, NULL, NULL,
     "How long each model took in the report too, which then is never the same twice"},
    {CLI_TEXT, "timings", 0, AT(timings), 0, 0, NULL, "FILE", "How long each model took, as CSV"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL, "Nothing on standard error but errors"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL, "What the library logs"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

static bool is_stream(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

static bool ends_in(const char *path, const char *end)
{
    const size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

/* ---- the command ----------------------------------------------------------------------------------------
 */

/* Prints what was gathered for the reader, and empties it. */
static void tell(cli_text *text)
{
    if (text->length) (void)fwrite(text->bytes, 1, text->length, stderr);
    cli_text_free(text);
}

static int write_files(const backtest_flags *given, const norn_table *table, const norn_backtest *backtest)
{
    cli_text text = {NULL, 0, 0, false};
    int code = EXIT_FINE;
    cli_backtest_csv(&text, table, backtest);
    code = cli_output_write(given->output, &text);
    cli_text_free(&text);
    if (code == EXIT_FINE && given->metrics) {
        if (ends_in(given->metrics, ".json"))
            cli_backtest_metrics_json(&text, table, backtest);
        else
            cli_backtest_metrics_csv(&text, table, backtest);
        code = cli_output_write(given->metrics, &text);
        cli_text_free(&text);
    }
    if (code == EXIT_FINE && given->timings) {
        cli_backtest_timings_csv(&text, backtest);
        code = cli_output_write(given->timings, &text);
        cli_text_free(&text);
    }
    return code;
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    backtest_flags given = {
        .data = CLI_TABLE_FLAGS_INIT, .backtest = CLI_BACKTEST_FLAGS_INIT, .network = CLI_NETWORK_FLAGS_INIT};
    cli_arguments arguments;
    cli_text notes = {NULL, 0, 0, false};
    norn_table *table = NULL;
    norn_backtest *backtest = NULL;
    norn_context *context = NULL;
    const char *input = NULL;
    size_t count = 0;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    if ((code = cli_table_check(command, &arguments, &given.data, given.output, &input)) != EXIT_FINE)
        goto done;
    code = cli_backtest_settle(command, &arguments, &given.backtest, &given.network);
    if (code != EXIT_FINE) goto done;
    cli->quiet = given.quiet;
    cli->debug |= given.debug;
    const cli_named_file files[] = {{"-o", given.output ? given.output : "-"},
                                    {"--metrics", given.metrics},
                                    {"--timings", given.timings},
                                    {"--report", given.report}};
    if ((code = cli_files_check(input, files, NORN_COUNT(files))) != EXIT_FINE) goto done;

    if ((code = cli_table_read(cli, &table, input, &given.data)) != EXIT_FINE) goto done;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    cli_report_decisions(&cli->screen, &notes, decisions, count);
    if (cli->quiet) cli_text_free(&notes);
    tell(&notes);
    if (cli_backtest_wants_device(&given.backtest)) {
        char tuning[CLI_PATH];
        code = cli_context_open(cli, &context, &given.network.context, given.network.tuning, tuning);
        if (code != EXIT_FINE) goto done;
    }
    given.backtest.options.curves = given.report != NULL;
    if (norn_backtest_run(&backtest, context, table, &given.backtest.options, &cli->host, &cli->err) !=
        NORN_OK) {
        code = cli_fail(cli);
        goto done;
    }
    cli_progress_clear(cli);
    if (!cli->quiet) {
        decisions = norn_backtest_decisions(backtest, &count);
        cli_report_decisions(&cli->screen, &notes, decisions, count);
        cli_backtest_report(&cli->screen, &notes, table, backtest);
        tell(&notes);
    }
    code = write_files(&given, table, backtest);
    if (code == EXIT_FINE && given.report) {
        const cli_page page = {.command = "backtest",
                               .argc = argc,
                               .argv = argv,
                               .input = input,
                               .forecasts = is_stream(given.output) ? NULL : given.output,
                               .context = context,
                               .with_times = given.with_times};
        code = cli_page_write(cli, given.report, ends_in(given.report, ".md"), table, backtest, &page);
    }

done:
    cli_text_free(&notes);
    norn_backtest_free(backtest);
    norn_table_free(table);
    norn_context_free(context);
    cli_arguments_free(&arguments);
    return code;
}

static const cli_shared shared[] = {{cli_table_rows, AT(data)},
                                    {cli_backtest_rows, AT(backtest)},
                                    {cli_network_rows, AT(network)},
                                    {NULL, 0}};

const cli_command cli_backtest_command = {
    .name = "backtest",
    .summary = "score models on earlier rows of a CSV file, cutoff by cutoff",
    .operands = "FILE",
    .before = "Forecasts the rows after several earlier cutoffs of a CSV file (- is standard\n"
              "input), each from the rows before it alone, and says how good each model was,\n"
              "whether the difference is real, and where it fails. The forecasts go to standard\n"
              "output as CSV, the summary to standard error.\n\n",
    .after = "\nExamples:\n"
             "  norn backtest sales.csv -o folds.csv\n"
             "  norn backtest sales.csv --folds 20 --step 1 -n 12 --models all --metrics m.json\n"
             "  norn backtest sales.csv --models lstm --folds 10\n"
             "  norn backtest load.csv --train-rows 2000 --refit never --gap 24 --metrics m.csv\n",
    .options = options,
    .shared = shared,
    .run = run,
};
