/*
 * A backtest as a page or as Markdown, written whole or not at all, with what the command line knows of where
 * it comes from.
 */
#ifndef NORN_SRC_CLI_REPORT_PAGE_H
#define NORN_SRC_CLI_REPORT_PAGE_H

#include "cli/cli.h"

typedef struct cli_page {
    const char *command; /* "backtest" */
    int argc;
    const char **argv;           /* of the command; argv[0] is not looked at */
    const char *input;           /* the file that was read; "-": standard input */
    const char *forecasts;       /* of -o, or NULL */
    const norn_context *context; /* where networks were trained, or NULL */
    bool with_times;
} cli_page;

/* A cli_exit, with the error printed. */
int cli_page_write(cli_state *cli, const char *path, bool markdown, const norn_table *table,
                   const norn_backtest *backtest, const cli_page *page);

#endif
