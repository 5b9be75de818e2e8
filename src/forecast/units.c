/* The network's output in the units of the file: see units.h. */
#include "forecast/units.h"

#include "forecast/inputs.h"

#include <math.h>

static double base_value(const double *y, bool log_of, size_t row, size_t step)
{
    const size_t from = row;
    double x = norn_inputs_target(y, row, log_of);
    while (isnan(x) && row >= step) x = norn_inputs_target(y, row -= step, log_of);
    for (row = from; isnan(x) && row > 0;) x = norn_inputs_target(y, --row, log_of);
    return x;
}

void norn_units_forecast(const norn_units *units, const double *y, size_t seen, const float *given,
                         size_t horizon, double *out)
{
    const bool damped = units->season && (units->correction != 1.0 || units->change != 0.0);
    const size_t step = units->season ? units->season : 1;
    double change = 0.0; /* of the last two rows against a season before */
    for (size_t k = 1; k <= 2 && damped && seen >= step + 2; k++) {
        const double now = norn_inputs_target(y, seen - k, units->log),
                     before = norn_inputs_target(y, seen - k - step, units->log);
        if (!isnan(now - before)) change += 0.5 * (now - before);
    }
    for (size_t j = 0; j < horizon; j++) {
        const double base = base_value(y, units->log, seen - step + j % step, step);
        const double correction = (double)given[j] * units->scale;
        const double value =
            damped ? base + units->correction * correction + units->change * change : base + correction;
        out[j] = units->log ? exp(value) : value;
    }
}

bool norn_units_finite(const float *given, const double *out, size_t horizon)
{
    bool all = true;
    for (size_t j = 0; j < horizon; j++) all &= isfinite(given[j]) && !isinf(out[j]);
    return all;
}
