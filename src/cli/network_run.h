/*
 * What commands that train have in common around the training: reading, the device, what is said before and
 * after, and how a run that was interrupted goes on.
 */
#ifndef NORN_SRC_CLI_NETWORK_RUN_H
#define NORN_SRC_CLI_NETWORK_RUN_H

#include "cli/network_flags.h"
#include "cli/table_flags.h"

/* The tables of options of a command that trains; `flags` is its struct of values, with a cli_table_flags
 * data and a cli_network_flags network. */
#define CLI_NETWORK_SHARED(flags)                                                                            \
    {                                                                                                        \
        {cli_table_rows, offsetof(flags, data)}, {cli_size_rows, offsetof(flags, network)},                  \
            {cli_network_rows, offsetof(flags, network)}, {cli_checkpoint_rows, offsetof(flags, network)},   \
        {                                                                                                    \
            NULL, 0                                                                                          \
        }                                                                                                    \
    }

/* Prints what was gathered for the reader, and empties it. */
void cli_tell(cli_text *text);

/* Reads the file and opens the device; says what was decided unless quiet. The column of --weight is read
 * beside those of --past. A cli_exit, the error printed. */
int cli_network_open(cli_state *cli, norn_table **table, norn_context **context, const char *input,
                     const cli_table_flags *data, const cli_network_flags *network);

/* Decisions, training, spread and scores. */
void cli_network_report(const cli_state *cli, cli_text *out, const norn_table *table,
                        const norn_forecast *forecast, double seconds);

/* cli_fail; an interrupted training that left a checkpoint says the command that goes on, and one
 * that had none how to have one. argv as the command
 * had it. */
int cli_network_fail(cli_state *cli, const norn_forecast_options *options, const cli_command *command,
                     int argc, const char **argv);

/* Texts of table options that a model gave. */
typedef struct cli_model_flags {
    cli_text texts[5];
} cli_model_flags;

/* Loads a model and fills up the roles of columns that were not told with its own; options of training beside
 * it are refused. A cli_exit, the error printed. */
int cli_model_open(cli_state *cli, norn_model **out, const char *path, const cli_command *command,
                   const cli_arguments *arguments, cli_table_flags *data, cli_model_flags *texts);
void cli_model_flags_free(cli_model_flags *texts);

/* ---- epochs: --log and the curve of --plot ---------------------------------------------------------------
 */

typedef struct cli_epochs {
    norn_epoch *list;
    size_t count, capacity;
    bool failed; /* memory is exhausted */
} cli_epochs;

/* norn_forecast_options.on_epoch; user is a cli_epochs. */
void cli_epochs_add(void *user, const norn_epoch *epoch);
/* network,member,epoch,rate,train_loss,valid_loss,gradient_norm: a line an epoch, network by network. */
void cli_epochs_csv(cli_text *out, cli_epochs *epochs);
/* The losses of the first network that prints. */
void cli_epochs_plot(const cli_screen *screen, cli_text *out, cli_epochs *epochs);
void cli_epochs_free(cli_epochs *epochs);

#endif
