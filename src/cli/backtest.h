/*
 * What the files of `norn backtest` share: the forecasts of all folds and the metrics as files, and the
 * summary that a person reads.
 */
#ifndef NORN_SRC_CLI_BACKTEST_H
#define NORN_SRC_CLI_BACKTEST_H

#include "cli/cli.h"

/* unique_id,ds,cutoff,<model>...,y: a line a scored row. */
void cli_backtest_csv(cli_text *out, const norn_table *table, const norn_backtest *backtest);
/* scope,index,model,<metric>...: a line a model and scope; of all rows also the interval and what was left
 * out. Empty: undefined. */
void cli_backtest_metrics_csv(cli_text *out, const norn_table *table, const norn_backtest *backtest);
/* The same and all else that is known but durations, as one object. */
void cli_backtest_metrics_json(cli_text *out, const norn_table *table, const norn_backtest *backtest);
/* model,fit_seconds,forecast_seconds. */
void cli_backtest_timings_csv(cli_text *out, const norn_backtest *backtest);

/* How good, against what, is it real, and where does it fail. */
void cli_backtest_report(const cli_screen *screen, cli_text *out, const norn_table *table,
                         const norn_backtest *backtest);

/* "1960-12" where the fold's cutoff is the same in all series, else "". */
const char *cli_cutoff_text(const norn_table *table, const norn_backtest *backtest, size_t fold,
                            char out[NORN_TIME_TEXT]);

#endif
