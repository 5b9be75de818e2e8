/*
 * The options of a backtest, shared by the commands that make one: a table of cli_option rows (cli_shared),
 * and what the library has in another type.
 */
#ifndef NORN_SRC_CLI_BACKTEST_FLAGS_H
#define NORN_SRC_CLI_BACKTEST_FLAGS_H

#include "cli/network_flags.h"

/* Part of a command's struct of values, at the place that its list of shared tables says. */
typedef struct cli_backtest_flags {
    norn_backtest_options options;
    const char *train_rows, *seasons;
    int compat, refit, decompose; /* places in the tables of words */
} cli_backtest_flags;

#define CLI_BACKTEST_FLAGS_INIT                                                                              \
    {                                                                                                        \
        .options = NORN_BACKTEST_OPTIONS_INIT                                                                \
    }

/* Folds, models and metrics. Offsets are of cli_backtest_flags. */
extern const cli_option cli_backtest_rows[];

/* After parsing, once; network is settled too, and becomes the options' network. A cli_exit, with the error
 * printed. */
int cli_backtest_settle(const cli_command *command, const cli_arguments *arguments, cli_backtest_flags *flags,
                        cli_network_flags *network);

/* --seasons 24,168: ascending numbers of rows; NULL: nothing is written. A cli_exit, with the error printed.
 */
int cli_read_seasons(const char *text, size_t seasons[NORN_MOST_SEASONS]);

/* A device is opened only where something is computed on it. */
bool cli_backtest_wants_device(const cli_backtest_flags *flags);

#endif
