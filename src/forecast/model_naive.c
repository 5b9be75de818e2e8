/* Naive: the last value, h times. The best forecast of a random walk, and what MASE is measured by. */
#include "forecast/forecaster.h"

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    (void)state;
    (void)work;
    const double last = norn_view_last(past);
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
}

const norn_forecaster norn_model_naive = {
    .name = "Naive", .word = "naive", .text = "the last value", .forecast = forecast};
