/*
 * The season of a series: after how many rows it repeats itself, and how strongly. See season.c for how it is
 * found.
 */
#ifndef NORN_SRC_SEASON_H
#define NORN_SRC_SEASON_H

#include "base/base.h"

/*
 * Finds the season of values[rows], in order of time; NaN is missing, every other value finite. `suggested`
 * is the season that the step suggests, or 1; it is one candidate among others.
 *
 * *season is the rows of one period, 1 where there is none: a season must come round at least three times and
 * tell more about rows it was not made from than chance does. Where several are there, it is the stronger
 * one. *strength is from 0 to 1 the share of what is left without the trend that the season explains (0 for
 * season 1), as Wang, Smith and Hyndman (2006), "Characteristic-based clustering for time series data", have
 * it:
 *
 *     max(0, 1 - variance(remainder) / variance(season + remainder))
 *
 * Looks at the last half a million rows at most, in O(n log n). Errors: NORN_ERR_MEMORY.
 */
norn_status norn_season_find(size_t *season, double *strength, const double *values, size_t rows,
                             size_t suggested, const norn_host *host, norn_error *err);

#endif
