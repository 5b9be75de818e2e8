/*
 * Devices as commands open them: with the tuning of the user, or of --tuning, and the folder of built
 * programs.
 */
#ifndef NORN_SRC_CLI_TUNING_H
#define NORN_SRC_CLI_TUNING_H

#include "cli/cli.h"

/* A row of a command's table, for a const char * at `offset`. */
#define CLI_TUNING_ROW(offset)                                                                               \
    {                                                                                                        \
        CLI_TEXT, "tuning", 0, offset, 0, 0, NULL, "FILE|none",                                              \
            "What norn tune found of the device; none: go without. Default: its file in the user's "         \
            "configuration folder, if there is one"                                                          \
    }

/* Where norn tune puts what it finds of a device, "" where neither XDG_CONFIG_HOME nor HOME says. */
enum { CLI_PATH = 4096 };
const char *cli_tuning_path(const norn_device_info *device, char out[CLI_PATH]);

/*
 * norn_context_new, and the tuning: that of `tuning`, which is --tuning, else of NORN_TUNING, else the
 * device's own in the user's folder. One that was named must be good; one that was found and is broken or of
 * another device is left out, with a warning. used: its path, or "". A cli_exit, with the error printed.
 */
int cli_context_open(cli_state *cli, norn_context **out, const norn_context_options *options,
                     const char *tuning, char used[CLI_PATH]);

#endif
