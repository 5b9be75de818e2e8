/* Options of a backtest; see backtest_flags.h. */
#include "cli/backtest_flags.h"

#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum refit { REFIT_EVERY, REFIT_NEVER } refit;

static const char *const compat_words[] = {[NORN_COMPAT_NORN] = "norn",
                                           [NORN_COMPAT_NIXTLA] = "nixtla",
                                           [NORN_COMPAT_GLUONTS] = "gluonts",
                                           [NORN_COMPAT_DARTS] = "darts",
                                           NULL};
static const char *const decompose_words[] = {
    [NORN_DECOMPOSE_NONE] = "none", [NORN_DECOMPOSE_STL] = "stl", [NORN_DECOMPOSE_MSTL] = "mstl", NULL};
static const char *const refit_words[] = {[REFIT_EVERY] = "every", [REFIT_NEVER] = "never", NULL};

#define AT(field) offsetof(cli_backtest_flags, field)

const cli_option cli_backtest_rows[] = {
    {CLI_GROUP, "Folds:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_SIZE, "horizon", 'n', AT(options.horizon), 1, 1e9, NULL, "ROWS",
     "Rows to forecast after each cutoff. Default: the season, else a tenth of the rows, at most 24"},
    {CLI_SIZE, "folds", 0, AT(options.folds), 1, 1e6, NULL, "K",
     "Cutoffs, the last of them a horizon before the end. Default: 5, or what the rows allow"},
    {CLI_SIZE, "step", 0, AT(options.step), 1, 1e9, NULL, "ROWS",
     "Rows from a cutoff to the next. Default: the horizon"},
    {CLI_SIZE, "gap", 0, AT(options.gap), 0, 1e9, NULL, "ROWS",
     "Last rows before a cutoff that no fit sees. Default: 0"},
    {CLI_TEXT, "train-rows", 0, AT(train_rows), 0, 0, NULL, "expanding|ROWS",
     "What a fit sees: all rows before, or so many. Default: expanding"},
    {CLI_WORD, "refit", 0, AT(refit), 0, 0, refit_words, "every|never",
     "Fit at every cutoff, or once before the first. Default: every"},
    {CLI_SIZE, "refit-every", 0, AT(options.refit_every), 1, 1e6, NULL, "N", "Fit at every so many cutoffs"},

    {CLI_GROUP, "Models and metrics:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "models", 0, AT(options.models), 0, 0, NULL, "NAMES",
     "Separated by commas: drift, dlinear, ses, holt, holt-winters, ets, comb, theta, croston, ar and all "
     "others "
     "that norn-backtest(1) lists, or all of them; and networks by their cell, lstm, gru or another of `norn "
     "cell list`, or the file of a formula, each with all folds trained side by side. naive, seasonal-naive, "
     "naive2 and nlinear are always there"},
    {CLI_WORD, "decompose", 0, AT(decompose), 0, 0, decompose_words, "none|stl|mstl",
     "Takes the season off before --models that need none, and lays it on their forecasts: one season, or "
     "with "
     "mstl also the week above days and the like. Default: none"},
    {CLI_TEXT, "seasons", 0, AT(seasons), 0, 0, NULL, "ROWS,ROWS...",
     "The seasons that --decompose mstl takes off, the shorter first: 24,168. Default: that of --season and "
     "what "
     "usually stands above it"},
    {CLI_SIZE, "season", 0, AT(options.season), 1, 1e9, NULL, "ROWS",
     "Rows of one period; 1: none. Default: by the step (12 for months, 24 for hours)"},
    {CLI_SIZE, "window", 'w', AT(options.window), 1, 1e9, NULL, "ROWS",
     "Rows that linear models and averages see. Default: two horizons, between 8 and a quarter of the rows"},
    {CLI_WORD, "compat", 0, AT(compat), 0, 0, compat_words, "norn|nixtla|gluonts|darts",
     "Whose definitions of metrics hold where they differ. Default: norn"},
    {CLI_INT64, "bootstrap", 0, AT(options.bootstrap), 0, 1e6, NULL, "N",
     "Replicates of the 95 % intervals; 0: none. Default: 1000, fewer for very many folds"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

static int read_train_rows(const char *text, size_t *rows)
{
    char quoted[96], *end = NULL;
    *rows = 0;
    if (!text || strcmp(text, "expanding") == 0) return EXIT_FINE;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < 2 || value > 1000000000) {
        cli_error("--train-rows: expected expanding or a whole number from 2 to 1000000000, found \"%s\"",
                  norn_quote(quoted, sizeof quoted, text, strlen(text), 48));
        return EXIT_USAGE;
    }
    *rows = (size_t)value;
    return EXIT_FINE;
}

int cli_read_seasons(const char *text, size_t seasons[NORN_MOST_SEASONS])
{
    size_t count = 0;
    for (const char *at = text; at && *at;) {
        char quoted[96], *end = NULL;
        errno = 0;
        const unsigned long long rows = at[0] >= '0' && at[0] <= '9' ? strtoull(at, &end, 10) : 0;
        const bool read = end && !errno && (!*end || (*end == ',' && end[1])) && rows <= 1000000000;
        if (!read || count == NORN_MOST_SEASONS || rows < 2 || (count && rows <= seasons[count - 1])) {
            cli_error(
                "--seasons: expected up to %d numbers of rows, 2 or more, the shorter first, separated by "
                "commas, found \"%s\"",
                NORN_MOST_SEASONS, norn_quote(quoted, sizeof quoted, text, strlen(text), 48));
            return EXIT_USAGE;
        }
        seasons[count++] = (size_t)rows;
        at = *end ? end + 1 : end;
    }
    return EXIT_FINE;
}

int cli_backtest_settle(const cli_command *command, const cli_arguments *arguments, cli_backtest_flags *flags,
                        cli_network_flags *network)
{
    norn_backtest_options *const options = &flags->options;
    int code = read_train_rows(flags->train_rows, &options->train_rows);
    if (code != EXIT_FINE) return code;
    if (flags->refit == REFIT_NEVER && cli_given(command, arguments, "refit-every")) {
        cli_error("--refit never and --refit-every exclude each other");
        return EXIT_USAGE;
    }
    if (flags->refit == REFIT_NEVER) options->refit_every = 0;
    options->compat = (norn_compat)flags->compat;
    options->decompose = (norn_decompose)flags->decompose;
    if ((code = cli_read_seasons(flags->seasons, options->seasons)) != EXIT_FINE) return code;
    if ((code = cli_network_settle(network)) != EXIT_FINE) return code;
    options->seed = network->options.seed;
    options->network = &network->options;
    return EXIT_FINE;
}

bool cli_backtest_wants_device(const cli_backtest_flags *flags)
{
    return norn_backtest_needs_device(&flags->options) != 0;
}
