/*
 * The season taken off a series before a forecaster sees it, and laid on its forecasts again: seasonal
 * adjustment by STL or MSTL, robust (see stl.h). The forecaster is left with a series without a season; the
 * season is forecast as its last period (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice",
 * 13.2).
 *
 * MSTL takes off the season of the setup and what usually stands above it, the week over hours of a day, the
 * year over days of a week; or the seasons it is given. A series with fewer than two periods of a season
 * keeps it.
 */
#ifndef NORN_SRC_FORECAST_DECOMPOSE_H
#define NORN_SRC_FORECAST_DECOMPOSE_H

#include "norn/forecast.h"

#include "base/base.h"
#include "forecast/forecaster.h"

/* "STL", "MSTL"; "" for none. */
const char *norn_decompose_name(norn_decompose kind);

/* The seasons that are taken off with a season of m rows, ascending; given (ended by 0 or its room; NULL or
 * [0] 0: none) is what MSTL takes off instead of those by rule. Returns how many. */
size_t norn_decompose_seasons(norn_decompose kind, size_t season, const size_t *given,
                              size_t periods[NORN_MOST_SEASONS]);
/* Are these seasons that MSTL can take off? Errors: NORN_ERR_USAGE. */
norn_status norn_decompose_check(norn_decompose kind, const size_t given[NORN_MOST_SEASONS], norn_error *err);

typedef struct norn_decomposer norn_decomposer;

norn_status norn_decomposer_new(norn_decomposer **out, norn_decompose kind, size_t season,
                                const size_t *given, size_t rows, const norn_host *host, norn_error *err);
/* The view without its seasons; stays until the next call. The same view again costs nothing. */
norn_view norn_decomposer_adjust(norn_decomposer *decomposer, norn_view view);
/* Lays the seasons on values of the rows after the last view: [count][h]. */
void norn_decomposer_restore(const norn_decomposer *decomposer, double *values, size_t count, size_t h);
void norn_decomposer_explain(const norn_decomposer *decomposer, norn_explanation *out);
void norn_decomposer_free(norn_decomposer *decomposer); /* NULL: nothing */

#endif
