/*
 * norn report FILE: a report on a backtest that was saved, by norn backtest -o or by another tool: one HTML
 * file, Markdown, or the summary that norn backtest prints.
 */
#include "cli/backtest.h"
#include "cli/report_page.h"

#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct report_flags {
    norn_saved_options saved;
    const char *html, *output, *metrics;
    int compat;
    bool markdown, quiet;
} report_flags;

static const char *const compat_words[] = {[NORN_COMPAT_NORN] = "norn",
                                           [NORN_COMPAT_NIXTLA] = "nixtla",
                                           [NORN_COMPAT_GLUONTS] = "gluonts",
                                           [NORN_COMPAT_DARTS] = "darts",
                                           NULL};

#define AT(field) offsetof(report_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "html", 0, AT(html), 0, 0, NULL, "FILE",
     "All of it as one HTML file to read or to send, whole or not at all"},
    {CLI_FLAG, "markdown", 0, AT(markdown), 0, 0, NULL, NULL,
     "Markdown for an issue or a wiki, in place of the summary"},
    {CLI_TEXT, "output", 'o', AT(output), 0, 0, NULL, "FILE",
     "Where the summary or the Markdown goes. Default: standard output, or nowhere with --html"},
    {CLI_TEXT, "metrics", 0, AT(metrics), 0, 0, NULL, "FILE",
     "Every metric of every model: JSON if the name ends in .json, else CSV"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL, "Nothing on standard error but errors"},

    {CLI_GROUP, "Columns:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "id", 0, AT(saved.id), 0, 0, NULL, "NAME",
     "Which series a row belongs to; \"\" for none. Default: unique_id, where there is one"},
    {CLI_TEXT, "time", 0, AT(saved.time), 0, 0, NULL, "NAME", "The time that was forecast. Default: ds"},
    {CLI_TEXT, "cutoff", 0, AT(saved.cutoff), 0, 0, NULL, "NAME",
     "The last time the forecast was made from. Default: cutoff"},
    {CLI_TEXT, "target", 0, AT(saved.target), 0, 0, NULL, "NAME",
     "The truth. Default: y. All other columns of numbers are forecasts, or NAME-lo-95 and NAME-hi-95 bands"},

    {CLI_GROUP, "Metrics:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_SIZE, "season", 0, AT(saved.season), 1, 1e9, NULL, "ROWS",
     "Rows of one period; 1: none. Default: by the step (12 for months, 24 for hours)"},
    {CLI_WORD, "compat", 0, AT(compat), 0, 0, compat_words, "norn|nixtla|gluonts|darts",
     "Whose definitions of metrics hold where they differ. Default: norn"},
    {CLI_INT64, "bootstrap", 0, AT(saved.bootstrap), 0, 1e6, NULL, "N",
     "Replicates of the 95 % intervals; 0: none. Default: 1000, fewer for very many folds"},
    {CLI_UINT64, "seed", 0, AT(saved.seed), 0, 0, NULL, "N", "Of the bootstrap. Default: 1"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

static bool is_stream(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

static bool is_json(const char *path)
{
    const size_t length = strlen(path);
    return length >= 5 && strcmp(path + length - 5, ".json") == 0;
}

static size_t read_file(void *user, void *buffer, size_t size)
{
    FILE *const file = user;
    const size_t got = fread(buffer, 1, size, file);
    return got == 0 && ferror(file) ? (size_t)-1 : got;
}

static int read_saved(cli_state *cli, const char *input, const norn_saved_options *saved,
                      norn_backtest **backtest, norn_table **table)
{
    const bool stream = strcmp(input, "-") == 0;
    FILE *const file = stream ? stdin : fopen(input, "rb");
    if (!file) {
        (void)norn_fail_at(&cli->err, NORN_ERR_INPUT, input, 0, 0, "cannot open: %s", strerror(errno));
        return cli_fail(cli);
    }
    const norn_status status = norn_backtest_read(backtest, table, read_file, file, stream ? "stdin" : input,
                                                  saved, &cli->host, &cli->err);
    if (!stream) (void)fclose(file);
    return status == NORN_OK ? EXIT_FINE : cli_fail(cli);
}

/* The summary or the Markdown, where either is wanted. */
static int write_text(cli_state *cli, const report_flags *given, const norn_table *table,
                      const norn_backtest *backtest, const cli_page *page)
{
    const bool wanted = given->markdown || given->output || !(given->html || given->metrics);
    if (!wanted) return EXIT_FINE;
    if (given->markdown) return cli_page_write(cli, given->output, true, table, backtest, page);
    cli_text text = {NULL, 0, 0, false};
    const cli_screen screen = cli_screen_of(is_stream(given->output) ? 1 : -1);
    cli_backtest_report(&screen, &text, table, backtest);
    const int code = cli_output_write(given->output, &text);
    cli_text_free(&text);
    return code;
}

static int write_metrics(const char *path, const norn_table *table, const norn_backtest *backtest)
{
    cli_text text = {NULL, 0, 0, false};
    if (!path) return EXIT_FINE;
    if (is_json(path))
        cli_backtest_metrics_json(&text, table, backtest);
    else
        cli_backtest_metrics_csv(&text, table, backtest);
    const int code = cli_output_write(path, &text);
    cli_text_free(&text);
    return code;
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    report_flags given = {.saved = NORN_SAVED_OPTIONS_INIT};
    cli_arguments arguments;
    cli_text notes = {NULL, 0, 0, false};
    norn_table *table = NULL;
    norn_backtest *backtest = NULL;
    size_t count = 0;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    if (arguments.operand_count != 1) {
        cli_error("expected one file, found %zu (norn report --help)", arguments.operand_count);
        code = EXIT_USAGE;
        goto done;
    }
    const char *const input = arguments.operands[0];
    given.saved.compat = (norn_compat)given.compat;
    cli->quiet = given.quiet;
    const cli_named_file files[] = {
        {"-o", given.output}, {"--html", given.html}, {"--metrics", given.metrics}};
    if ((code = cli_files_check(input, files, NORN_COUNT(files))) != EXIT_FINE) goto done;
    if ((code = read_saved(cli, input, &given.saved, &backtest, &table)) != EXIT_FINE) goto done;
    cli_progress_clear(cli);
    if (!cli->quiet) {
        const norn_decision *decisions = norn_backtest_decisions(backtest, &count);
        cli_report_decisions(&cli->screen, &notes, decisions, count);
        if (notes.length) (void)fwrite(notes.bytes, 1, notes.length, stderr);
    }
    const cli_page page = {
        .command = "report", .argc = argc, .argv = argv, .input = input, .forecasts = input};
    if (given.html) code = cli_page_write(cli, given.html, false, table, backtest, &page);
    if (code == EXIT_FINE) code = write_metrics(given.metrics, table, backtest);
    if (code == EXIT_FINE) code = write_text(cli, &given, table, backtest, &page);

done:
    cli_text_free(&notes);
    norn_backtest_free(backtest);
    norn_table_free(table);
    cli_arguments_free(&arguments);
    return code;
}

const cli_command cli_report_command = {
    .name = "report",
    .summary = "a report on a saved backtest, of norn or of another tool",
    .operands = "FILE",
    .before = "Reads the forecasts of a cross-validation from a CSV file (- is standard input),\n"
              "unique_id,ds,cutoff,<model>...,y as norn backtest, statsforecast and NeuralForecast\n"
              "write it, and says how good each model was, whether the difference is real, and\n"
              "where it fails: as a page with --html, as Markdown, or in short.\n\n",
    .after = "\nExamples:\n"
             "  norn report cv.csv\n"
             "  norn report cv.csv --html report.html\n"
             "  norn report cv.csv --markdown -o report.md\n",
    .options = options,
    .run = run,
};
