/*
 * Can the device hold it? A value there is a float, the difference to the first of its column. Where the
 * values of a column lie further apart than floats reach, or so close that no float tells them apart, a
 * network would be trained on infinities or on zeros: such a column is refused before it begins.
 */
#ifndef NORN_SRC_FORECAST_RANGE_H
#define NORN_SRC_FORECAST_RANGE_H

#include "forecast/inputs.h"

/* Looks at the rows that some view sees (those of future covariates up to a horizon later). Errors:
 * NORN_ERR_USAGE, with series and column. */
norn_status norn_range_check(const norn_inputs *inputs, norn_error *err);

#endif
