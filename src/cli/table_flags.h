/*
 * The options that say how a file is read, shared by every command that reads one: a table of cli_option rows
 * (cli_command.shared) and the call that reads by them, prints what is wrong, and writes the list of
 * --errors.
 */
#ifndef NORN_SRC_CLI_TABLE_FLAGS_H
#define NORN_SRC_CLI_TABLE_FLAGS_H

#include "cli/cli.h"

/* Part of a command's struct of values; cli_command.shared_offset is its place. */
typedef struct cli_table_flags {
    norn_table_options options; /* every field but describe, on_problem and user is a flag's */
    const char *errors;         /* where the list of all problems goes, or NULL */
} cli_table_flags;

#define CLI_TABLE_FLAGS_INIT                                                                                 \
    {                                                                                                        \
        .options = NORN_TABLE_OPTIONS_INIT                                                                   \
    }

/* Offsets are of cli_table_flags. */
extern const cli_option cli_table_rows[];

/*
 * Before any work: one operand, which is neither `output` (NULL or "-": none) nor the list of --errors, and a
 * list that can be made. Sets *input. A cli_exit, with the error printed.
 */
int cli_table_check(const cli_command *command, const cli_arguments *arguments, const cli_table_flags *flags,
                    const char *output, const char **input);

/* Reads the file ("-": standard input). A cli_exit: with the first problems printed and the list of --errors
 * written. */
int cli_table_read(cli_state *cli, norn_table **out, const char *input, const cli_table_flags *flags);

/* The text given for an option of cli_table_rows ("on-missing"), or NULL. */
const char *cli_table_given(const cli_arguments *arguments, const char *name);

/* Does a row tell how the file is understood, so that saying it again gives the same table? Not --errors. */
bool cli_table_tells(const cli_option *row);

#endif
