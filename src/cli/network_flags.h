/*
 * The options of networks and their training, shared by the commands that train: tables of cli_option rows
 * (cli_command.shared). norn forecast and norn train take both; norn backtest has sizes of its own.
 */
#ifndef NORN_SRC_CLI_NETWORK_FLAGS_H
#define NORN_SRC_CLI_NETWORK_FLAGS_H

#include "cli/cli.h"

/* Part of a command's struct of values, at the place that its list of shared tables says. */
typedef struct cli_network_flags {
    norn_forecast_options options;
    norn_context_options context;
    bool nesterov, resume;
    const char *tuning; /* --tuning, or NULL */
} cli_network_flags;

#define CLI_NETWORK_FLAGS_INIT                                                                               \
    {                                                                                                        \
        .options = NORN_FORECAST_OPTIONS_INIT, .context = NORN_CONTEXT_OPTIONS_INIT                          \
    }

/* Offsets are of cli_network_flags: horizon, window, season and holdout; network and training; checkpoints.
 */
extern const cli_option cli_size_rows[], cli_network_rows[], cli_checkpoint_rows[];

/* After parsing, once: what the options of the library have in another type, and whether a checkpoint can be
 * made. A cli_exit, with the error printed. */
int cli_network_settle(cli_network_flags *flags);

#endif
