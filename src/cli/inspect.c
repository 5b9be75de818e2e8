/*
 * norn inspect FILE: what a file was understood as, without training anything.
 *
 * It reads as `norn forecast` does, but goes on where that would stop: missing cells stay missing, of rows
 * with the same time the last counts, rows are sorted, short lines are filled up; a flag says otherwise. The
 * command line printed at the end says again what was found and, for each of these defects that the file has,
 * the policy under which `norn forecast` takes it too. All numeric columns are read as inputs, so that they
 * can be drawn, but only --past makes them such.
 */
#include "cli/inspect.h"

#include "base/base.h"
#include "data/season.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN = 20 }; /* series listed without --all */

typedef struct inspect_flags {
    cli_table_flags data;
    const char *series;
    bool json, all, debug;
} inspect_flags;

#define AT(field) offsetof(inspect_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_FLAG, "json", 0, AT(json), 0, 0, NULL, NULL, "One JSON object, numbers in full"},
    {CLI_FLAG, "all", 0, AT(all), 0, 0, NULL, NULL, "All series and columns. Default: the first 20 of each"},
    {CLI_TEXT, "series", 0, AT(series), 0, 0, NULL, "ID", "Only this series, and a larger chart of it"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL, "What the library logs"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

const char *const inspect_roles[] = {
    [NORN_ROLE_NONE] = "none",     [NORN_ROLE_TIME] = "time",    [NORN_ROLE_ID] = "id",
    [NORN_ROLE_TARGET] = "target", [NORN_ROLE_PAST] = "past",    [NORN_ROLE_FUTURE] = "future",
    [NORN_ROLE_STATIC] = "static", [NORN_ROLE_IGNORE] = "ignore"};
const char *const inspect_types[] = {[NORN_TYPE_EMPTY] = "empty",
                                     [NORN_TYPE_INTEGER] = "integer",
                                     [NORN_TYPE_NUMBER] = "number",
                                     [NORN_TYPE_TIME] = "time",
                                     [NORN_TYPE_TEXT] = "text"};
const char *const inspect_layouts[] = {[NORN_LAYOUT_FOUND] = "",
                                       [NORN_LAYOUT_COLUMNS] = "columns",
                                       [NORN_LAYOUT_ROWS] = "rows",
                                       [NORN_LAYOUT_TSF] = "tsf"};

norn_column_role inspect_role(const inspection *found, const norn_column_facts *column)
{
    return column->role == NORN_ROLE_PAST && !found->inputs_told ? NORN_ROLE_NONE : column->role;
}

const double *inspect_values(const inspection *found, const norn_column_facts *column, size_t series,
                             size_t *rows)
{
    const norn_table *table = found->table;
    *rows = norn_table_rows(table, series);
    if (column->role == NORN_ROLE_TARGET && strcmp(norn_table_target_name(table, series), column->name) == 0)
        return norn_table_target(table, series);
    for (size_t i = 0; column->role == NORN_ROLE_PAST && i < norn_table_past_count(table); i++)
        if (strcmp(norn_table_past_name(table, i), column->name) == 0)
            return norn_table_past(table, series, i);
    for (size_t i = 0; column->role == NORN_ROLE_FUTURE && i < norn_table_future_count(table); i++)
        if (strcmp(norn_table_future_name(table, i), column->name) == 0) {
            *rows += norn_table_ahead(table, series);
            return norn_table_future(table, series, i);
        }
    return NULL;
}

size_t inspect_missing(const norn_table *table, size_t series)
{
    const double *target = norn_table_target(table, series);
    size_t missing = 0;
    for (size_t i = 0; i < norn_table_rows(table, series); i++) missing += isnan(target[i]) != 0;
    return missing;
}

void inspect_span(const norn_table *table, int64_t *first, int64_t *last)
{
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const int64_t *times = norn_table_times(table, s);
        const int64_t end = times[norn_table_rows(table, s) - 1];
        if (s == 0 || times[0] < *first) *first = times[0];
        if (s == 0 || end > *last) *last = end;
    }
}

/* ---- the command line that reproduces what was found ------------------------------------------------------
 */

/* Options are parted by newlines: who prints them breaks the line there or not. */
static void put_option(cli_text *out, const char *flag, const char *value)
{
    cli_text_format(out, "\n%s%s", flag, value[0] == '-' ? "=" : " ");
    cli_text_word(out, value);
}

/* What inspect goes on with where forecast stops, and how it is told that the file has it. */
typedef struct tolerance {
    const char *flag, *value;
    bool needed;
} tolerance;

static void put_command(inspection *found, const cli_arguments *arguments)
{
    const norn_table_facts *facts = found->facts;
    const tolerance tolerances[] = {
        {"--on-missing", "mask", facts->missing > 0},
        {"--on-duplicate", "last", facts->duplicates > 0},
        {"--on-unsorted", "sort", facts->sorted != 0},
        {"--on-ragged", "pad", facts->ragged > 0},
    };
    cli_text *out = &found->command;
    size_t count = 0;
    const norn_decision *decisions = norn_table_decisions(found->table, &count);
    cli_text_put(out, "norn forecast ");
    if (found->input[0] == '-' && found->input[1]) cli_text_put(out, "./"); /* no option */
    cli_text_word(out, found->input);

    for (const cli_option *row = cli_table_rows; row->kind != CLI_END; row++) {
        const char *given = cli_table_tells(row) ? cli_table_given(arguments, row->name) : NULL;
        char flag[64];
        (void)snprintf(flag, sizeof flag, "--%s", row->name);
        if (given) put_option(out, flag, given);
    }
    for (size_t i = 0; i < count; i++) {
        const norn_decision *each = &decisions[i];
        bool skip = !each->value || !each->flag || strncmp(each->flag, "--", 2) != 0 ||
                    cli_table_given(arguments, each->flag + 2) || strcmp(each->flag, "--past") == 0;
        for (size_t k = 0; !skip && k < NORN_COUNT(tolerances); k++)
            skip = strcmp(tolerances[k].flag, each->flag) == 0;
        for (size_t k = 0; !skip && k < i; k++) /* said twice */
            skip = decisions[k].value && decisions[k].flag && strcmp(decisions[k].flag, each->flag) == 0;
        if (!skip) put_option(out, each->flag, each->value);
    }
    for (size_t k = 0; k < NORN_COUNT(tolerances); k++)
        if (tolerances[k].needed && !cli_table_given(arguments, tolerances[k].flag + 2))
            put_option(out, tolerances[k].flag, tolerances[k].value);
}

/* ---- the command -----------------------------------------------------------------------------------------
 */

/* A policy that is not given becomes one under which reading goes on. */
static void tolerate(norn_table_options *how, const cli_arguments *arguments)
{
    how->describe = 1;
    if (how->on_missing == NORN_MISSING_DEFAULT) how->on_missing = NORN_MISSING_MASK;
    if (!cli_table_given(arguments, "on-duplicate")) how->on_duplicate = NORN_DUPLICATE_LAST;
    if (!cli_table_given(arguments, "on-unsorted")) how->on_unsorted = NORN_UNSORTED_SORT;
    if (!cli_table_given(arguments, "on-ragged")) how->on_ragged = NORN_RAGGED_PAD;
}

/*
 * Reads the file, at first with all numeric columns as inputs. A column that forecast would not look at must
 * not stop it: where one of them has text in it after all, the file is read again without, and *refused says
 * why. Only regular files can be read twice, and those with a line a series have no columns to choose. A
 * cli_exit, with the error printed.
 */
static int read_file(cli_state *cli, norn_table **table, const inspect_flags *given, const char *input,
                     norn_error *refused)
{
    norn_table_options all = given->data.options;
    const bool lines_are_series = all.layout == NORN_LAYOUT_ROWS || all.layout == NORN_LAYOUT_TSF;
    struct stat file;
    if (!all.past && !lines_are_series && strcmp(input, "-") != 0 && stat(input, &file) == 0 &&
        S_ISREG(file.st_mode)) {
        cli_problems none;
        all.past = "*";
        const norn_status status = norn_table_read(table, input, &all, &cli->host, refused);
        const bool again = status == NORN_ERR_DATA || status == NORN_ERR_USAGE;
        if (!again) { /* read; or another try would help nothing */
            cli_progress_clear(cli);
            if (status != NORN_OK) cli->err = *refused;
            cli_problems_watch(&none, given->data.errors, &all);
            return cli_problems_end(&none, cli, status);
        }
    }
    return cli_table_read(cli, table, input, &given->data);
}

/* The place of the series called `id`. A cli_exit, with the error printed. */
static int find_series(const norn_table *table, const char *id, size_t *place)
{
    enum { TRIED = 1000 }; /* names that a mistyped one is compared with */
    const size_t count = norn_table_series_count(table);
    for (size_t s = 0; s < count; s++)
        if (strcmp(norn_table_id(table, s), id) == 0) {
            *place = s;
            return EXIT_FINE;
        }
    const char *names[TRIED + 1] = {NULL};
    for (size_t s = 0; s < count && s < TRIED; s++) names[s] = norn_table_id(table, s);
    const char *closest = norn_closest(id, names);
    char quoted[96], meant[96];
    (void)norn_quote(quoted, sizeof quoted, id, strlen(id), 48);
    if (closest)
        cli_error("no series is called \"%s\"; did you mean \"%s\"? (--series)", quoted,
                  norn_quote(meant, sizeof meant, closest, strlen(closest), 48));
    else
        cli_error("none of the %zu series is called \"%s\" (--series)", count, quoted);
    return EXIT_USAGE;
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    inspect_flags given = {.data = CLI_TABLE_FLAGS_INIT};
    cli_arguments arguments;
    cli_text results = {NULL, 0, 0, false};
    inspection found = {.all = false};
    inspect_season *seasons = NULL;
    norn_table *table = NULL;
    norn_error refused = NORN_ERROR_INIT;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    code = cli_table_check(command, &arguments, &given.data, NULL, &found.input);
    if (code != EXIT_FINE) goto done;
    cli->debug |= given.debug;
    if (inspect_is_model(found.input)) {
        const cli_screen screen = cli_screen_of(STDOUT_FILENO);
        code = inspect_model(cli, found.input, given.json, given.all, &screen);
        goto done;
    }
    found.inputs_told = given.data.options.past != NULL;
    tolerate(&given.data.options, &arguments);
    if ((code = read_file(cli, &table, &given, found.input, &refused)) != EXIT_FINE) goto done;

    found.table = table;
    if (refused.status != NORN_OK) found.refused = &refused;
    found.facts = norn_table_facts_of(table);
    found.all = given.all;
    found.shown = norn_table_series_count(table);
    if (!given.all && found.shown > SHOWN) found.shown = SHOWN;
    if (given.series) {
        if ((code = find_series(table, given.series, &found.first)) != EXIT_FINE) goto done;
        found.shown = 1;
        found.one = true;
    }
    seasons = calloc(found.shown, sizeof *seasons);
    if (!seasons) {
        cli_error("out of memory for the seasons of %zu series", found.shown);
        code = EXIT_MEMORY;
        goto done;
    }
    for (size_t i = 0; i < found.shown; i++) {
        const size_t s = found.first + i;
        if (norn_is_cancelled(&cli->host)) (void)norn_fail_cancelled(&cli->err);
        if (cli->err.status != NORN_OK ||
            norn_season_find(&seasons[i].rows, &seasons[i].strength, norn_table_target(table, s),
                             norn_table_rows(table, s), norn_table_season(table), &cli->host,
                             &cli->err) != NORN_OK) {
            code = cli_fail(cli);
            goto done;
        }
    }
    found.seasons = seasons;
    put_command(&found, &arguments);
    if (found.command.failed) {
        results.failed = true;
    } else if (given.json) {
        inspect_json(&found, &results);
    } else {
        const cli_screen screen = cli_screen_of(STDOUT_FILENO);
        inspect_print(&found, &screen, &results);
        if (given.series) inspect_chart(&found, &screen, &results);
    }
    code = cli_output_write(NULL, &results);

done:
    cli_text_free(&found.command);
    cli_text_free(&results);
    free(seasons);
    norn_table_free(table);
    cli_arguments_free(&arguments);
    return code;
}

static const cli_shared shared[] = {{cli_table_rows, AT(data)}, {NULL, 0}};

const cli_command cli_inspect_command = {
    .name = "inspect",
    .summary = "say what a CSV file is understood as, or what is in a trained model",
    .operands = "FILE",
    .before = "Says what a CSV file (- is standard input) is understood as: its columns and their\n"
              "roles, the step of time, gaps, duplicates, missing cells, series, seasons; and the\n"
              "command line that says all of it again. Defects are shown, not refused, wherever\n"
              "reading can go on. Of a model that norn train saved: the network, its shapes,\n"
              "how it was trained, what it sees of which columns, the scaling of each series.\n\n",
    .after = "\nExamples:\n"
             "  norn inspect sales.csv\n"
             "  norn inspect sales.safetensors                 a trained model\n"
             "  norn inspect long.csv --series north            one series, with a chart\n"
             "  norn inspect export.csv --decimal comma --errors errors.jsonl\n"
             "  zcat big.csv.gz | norn inspect - --json | jq '.columns[].name'\n",
    .options = options,
    .shared = shared,
    .run = run,
};
