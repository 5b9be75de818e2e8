/*
 * SeasonalNaive: the value one season before, of the last season seen. A value that is missing is taken from
 * the season before it, and so on; where a place of the season has never been seen, the last value serves.
 */
#include "forecast/forecaster.h"

#include <math.h>

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    const size_t m = setup->season;
    const double last = norn_view_last(past);
    for (size_t j = 0; j < setup->horizon; j++) {
        size_t back = m - j % m; /* rows from the end of the view */
        while (back <= past.n && !isfinite(past.y[past.n - back])) back += m;
        out[j] = back <= past.n ? past.y[past.n - back] : last;
    }
}

const norn_forecaster norn_model_seasonal_naive = {.name = "SeasonalNaive",
                                                   .word = "seasonal-naive",
                                                   .text = "the value one season before",
                                                   .seasonal = true,
                                                   .forecast = forecast};
