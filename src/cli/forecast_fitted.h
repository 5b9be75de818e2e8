/*
 * What `norn forecast --model-type` found on a series, for --explain and --states: the parameters of the fit
 * on all rows, and the smoothed states of structural models.
 */
#ifndef NORN_SRC_CLI_FORECAST_FITTED_H
#define NORN_SRC_CLI_FORECAST_FITTED_H

#include "cli/cli.h"

/* A block a series: name, value and meaning of each parameter; above them the model and its paper. */
void cli_report_fitted(const cli_screen *screen, cli_text *out, const norn_table *table,
                       const norn_forecast *forecast);

/* {"model", "method", "paper", "series": [{"unique_id", "parameters": [{"name", "value", "meaning"}]}]} */
json_t *cli_fitted_json(const norn_table *table, const norn_forecast *forecast);

/*
 * unique_id,ds,y, then for each part that some series has PART,PART-se, and `filled`: y, and where it is
 * missing the signal. A row for each row of the series that are forecast.
 */
void cli_states_csv(cli_text *out, const norn_table *table, const norn_forecast *forecast);

#endif
