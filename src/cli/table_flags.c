/*
 * Options of reading a file; see table_flags.h. The words of an option stand in the order of its enum in
 * norn/table.h, so that the place of a word is its value; "" stands for a value that no word gives.
 */
#include "cli/table_flags.h"

#include "base/base.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const layout_words[] = {[NORN_LAYOUT_FOUND] = "",
                                           [NORN_LAYOUT_COLUMNS] = "columns",
                                           [NORN_LAYOUT_ROWS] = "rows",
                                           [NORN_LAYOUT_TSF] = "tsf",
                                           NULL};
static const char *const header_words[] = {
    [NORN_HEADER_FOUND] = "", [NORN_HEADER_YES] = "yes", [NORN_HEADER_NO] = "no", NULL};
static const char *const missing_words[] = {[NORN_MISSING_DEFAULT] = "",  [NORN_MISSING_ERROR] = "error",
                                            [NORN_MISSING_SKIP] = "skip", [NORN_MISSING_FFILL] = "ffill",
                                            [NORN_MISSING_MEAN] = "mean", [NORN_MISSING_ZERO] = "zero",
                                            [NORN_MISSING_MASK] = "mask", NULL};
static const char *const missing_input_words[] = {
    [NORN_MISSING_DEFAULT] = "",  [NORN_MISSING_ERROR] = "error",
    [NORN_MISSING_SKIP] = "",     [NORN_MISSING_FFILL] = "ffill",
    [NORN_MISSING_MEAN] = "mean", [NORN_MISSING_ZERO] = "zero",
    [NORN_MISSING_MASK] = "mask", NULL};
static const char *const gap_words[] = {[NORN_GAP_KEEP] = "keep",
                                        [NORN_GAP_ERROR] = "error",
                                        [NORN_GAP_FILL] = "fill",
                                        [NORN_GAP_SPLIT] = "split",
                                        NULL};
static const char *const duplicate_words[] = {[NORN_DUPLICATE_ERROR] = "error",
                                              [NORN_DUPLICATE_FIRST] = "first",
                                              [NORN_DUPLICATE_LAST] = "last",
                                              [NORN_DUPLICATE_MEAN] = "mean",
                                              NULL};
static const char *const unsorted_words[] = {
    [NORN_UNSORTED_ERROR] = "error", [NORN_UNSORTED_SORT] = "sort", NULL};
static const char *const ragged_words[] = {
    [NORN_RAGGED_ERROR] = "error", [NORN_RAGGED_SKIP] = "skip", [NORN_RAGGED_PAD] = "pad", NULL};
static const char *const ambiguous_words[] = {
    [NORN_AMBIGUOUS_RAISE] = "raise", [NORN_AMBIGUOUS_INFER] = "infer", [NORN_AMBIGUOUS_NAT] = "NaT", NULL};
static const char *const nonexistent_words[] = {[NORN_NONEXISTENT_RAISE] = "raise",
                                                [NORN_NONEXISTENT_SHIFT_FORWARD] = "shift_forward",
                                                [NORN_NONEXISTENT_SHIFT_BACKWARD] = "shift_backward",
                                                [NORN_NONEXISTENT_NAT] = "NaT",
                                                NULL};

/* CLI_WORD writes an int into these. */
static_assert(sizeof(norn_layout) == sizeof(int) && sizeof(norn_on_missing) == sizeof(int),
              "enums of the options are as large as int");

#define AT(field) offsetof(cli_table_flags, options.field)
#define GROUP(title)                                                                                         \
    {                                                                                                        \
        CLI_GROUP, title, 0, 0, 0, 0, NULL, NULL, NULL                                                       \
    }
#define TEXT(...) TEXT_(__VA_ARGS__)
#define TEXT_(name, field, argument, help)                                                                   \
    {                                                                                                        \
        CLI_TEXT, name, 0, AT(field), 0, 0, NULL, argument, help                                             \
    }
#define CHARACTER(name, field, help)                                                                         \
    {                                                                                                        \
        CLI_CHARACTER, name, 0, AT(field), 0, 0, NULL, "CHARACTER", help                                     \
    }
#define WORD(name, field, words, argument, help)                                                             \
    {                                                                                                        \
        CLI_WORD, name, 0, AT(field), 0, 0, words, argument, help                                            \
    }

const cli_option cli_table_rows[] = {
    GROUP("Columns (by name, number from 1 or pattern with * and ?; several by commas):"),
    TEXT("time", time, "COLUMNS",
         "What labels the rows; several are parts of a date (year,month,day,hour); \"\": none, rows are "
         "numbered. Default: found"),
    TEXT("target", target, "COLUMNS",
         "What to forecast; several share one network. Default: y, target, close or value, else the last "
         "numeric column"),
    TEXT(
        "id", id, "COLUMN",
        "Which series a row belongs to; \"\": none. Default: unique_id, or a column that tells series apart"),
    TEXT("past", past, "COLUMNS",
         "Inputs of the network that are known up to now; \"*\": all numeric columns without another role. "
         "Default: none"),
    TEXT("future", future, "COLUMNS",
         "Inputs known ahead, as prices or holidays: the file goes on with rows that have only these. "
         "Default: none"),
    TEXT("static", statics, "COLUMNS",
         "Inputs that stay the same within a series. Default: none, or what a .tsf file has"),
    TEXT("ignore", ignore, "COLUMNS", "Never taken for anything. Default: none"),

    GROUP("How cells are written:"),
    WORD("layout", layout, layout_words, "columns|rows|tsf",
         "A line a time; a line a series, as an id and its values; or the Monash archive's format. Default: "
         "tsf by its header, else columns"),
    WORD("header", header, header_words, "yes|no", "Does the first line name the columns? Default: found"),
    CHARACTER("delimiter", delimiter,
              "What separates fields: a character, or comma, semicolon, tab, pipe, space. Default: found"),
    CHARACTER("decimal", decimal, "What stands before decimals: point or comma. Default: point"),
    CHARACTER(
        "thousands", thousands,
        "What stands between groups of three digits: comma, point, space, apostrophe. Default: nothing"),
    CHARACTER("comment", comment, "Lines that begin with it are left out. Default: none"),
    TEXT("na", na, "TEXTS",
         "Texts that mean a missing cell, beside the empty one, NA, N/A, NaN and null; separated by commas"),
    TEXT("time-format", time_format, "FORMAT",
         "mdy, dmy, integer, epoch-s, epoch-ms, epoch-us, excel, matlab, or a pattern as \"%d %b %Y\". "
         "Default: found"),
    TEXT("tz", zone, "ZONE", "Zone of times without an offset, as Europe/Amsterdam. Default: UTC"),
    TEXT("frequency", frequency, "STEP",
         "From a row to the next: \"1 hour\", \"15 min\", month, \"business day\". Default: found"),

    GROUP("What to do with defects:"),
    WORD("on-missing", on_missing, missing_words, "POLICY",
         "Missing targets: error; skip (the row); ffill (the last value before); mean (of all before); zero; "
         "mask (stays missing). Default: error"),
    WORD("on-missing-input", on_missing_input, missing_input_words, "POLICY",
         "Missing inputs: error, ffill, mean, zero, mask. Default: mask"),
    WORD("on-gap", on_gap, gap_words, "POLICY",
         "Absent rows: keep (as it is), error, fill (add them), split (into series). Default: keep"),
    WORD("on-duplicate", on_duplicate, duplicate_words, "POLICY",
         "Rows with the same time: error, first, last, mean. Default: error"),
    WORD("on-unsorted", on_unsorted, unsorted_words, "error|sort",
         "Rows not in the order of time; newest first is turned in any case. Default: error"),
    WORD(
        "on-ragged", on_ragged, ragged_words, "POLICY",
        "Lines with another number of fields: error, skip (left out), pad (short ones end in missing cells). "
        "Default: error"),
    WORD("ambiguous", ambiguous, ambiguous_words, "POLICY",
         "Local times that the clock shows twice: raise (an error), infer (by the order of rows), NaT (left "
         "out). Default: raise"),
    WORD("nonexistent", nonexistent, nonexistent_words, "POLICY",
         "Local times that the clock skips: raise, shift_forward, shift_backward, NaT. Default: raise"),
    {CLI_TEXT, "errors", 0, offsetof(cli_table_flags, errors), 0, 0, NULL, "FILE",
     "Write everything wrong with the file there, a JSON object a line"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

const char *cli_table_given(const cli_arguments *arguments, const char *name)
{
    for (size_t i = 0; cli_table_rows[i].kind != CLI_END; i++) /* the shared rows come first */
        if (cli_table_rows[i].kind != CLI_GROUP && strcmp(cli_table_rows[i].name, name) == 0)
            return arguments->given[i];
    return NULL;
}

bool cli_table_tells(const cli_option *row)
{
    return row->kind != CLI_GROUP && row->kind != CLI_END && row->offset != offsetof(cli_table_flags, errors);
}

int cli_table_check(const cli_command *command, const cli_arguments *arguments, const cli_table_flags *flags,
                    const char *output, const char **input)
{
    if (arguments->operand_count == 0) {
        cli_error("no file given; - is standard input (norn %s --help)", command->name);
        return EXIT_USAGE;
    }
    if (arguments->operand_count > 1) {
        cli_error("one file at a time, found %zu (norn %s --help)", arguments->operand_count, command->name);
        return EXIT_USAGE;
    }
    *input = arguments->operands[0];
    if (output && cli_same_file(*input, output)) {
        cli_error("-o: the %s would replace the file it is made from", command->name);
        return EXIT_USAGE;
    }
    return cli_problems_check(flags->errors, *input, output);
}

/* read(2) and not stdio, which would go on after a signal. */
static size_t read_stdin(void *user, void *buffer, size_t size)
{
    (void)user;
    for (;;) {
        const ssize_t got = read(STDIN_FILENO, buffer, size);
        if (got >= 0) return (size_t)got;
        if (errno != EINTR || cli_signal_caught()) return (size_t)-1;
    }
}

int cli_table_read(cli_state *cli, norn_table **out, const char *input, const cli_table_flags *flags)
{
    norn_table_options options = flags->options;
    cli_problems problems;
    norn_status status;
    cli_problems_watch(&problems, flags->errors, &options);
    if (strcmp(input, "-") != 0) {
        status = norn_table_read(out, input, &options, &cli->host, &cli->err);
    } else {
        if (!cli->quiet && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
            (void)fputs("norn: reading CSV from the terminal; Ctrl-D ends it\n", stderr);
        status = norn_table_read_stream(out, read_stdin, NULL, "stdin", &options, &cli->host, &cli->err);
    }
    cli_progress_clear(cli);
    const int code = cli_problems_end(&problems, cli, status);
    if (code != EXIT_FINE && status == NORN_OK) { /* read, but the list could not be written */
        norn_table_free(*out);
        *out = NULL;
    }
    return code;
}
