/* WindowAverage: the mean of the last W rows, missing ones left out; of all rows where W has none. */
#include "forecast/forecaster.h"

#include <math.h>

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    double sum = 0.0;
    size_t count = 0;
    for (size_t i = past.n; i-- > 0 && (past.n - i <= setup->window || !count);)
        if (isfinite(past.y[i])) {
            sum += past.y[i];
            count++;
        }
    const double mean = count ? sum / (double)count : NAN;
    for (size_t j = 0; j < setup->horizon; j++) out[j] = mean;
}

const norn_forecaster norn_model_window_average = {.name = "WindowAverage",
                                                   .word = "window-average",
                                                   .text = "the mean of the last window",
                                                   .forecast = forecast};
