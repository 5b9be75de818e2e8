/*
 * From what a network gives back to the units of the file: a forecast is a base (the last value, or the value
 * a season before), corrected by the network's output times the scale of the series. Where few windows were
 * seen and the base is a season, the correction is damped, and the last yearly change counts a little. See
 * recipe.h.
 */
#ifndef NORN_SRC_FORECAST_UNITS_H
#define NORN_SRC_FORECAST_UNITS_H

#include "base/base.h"

typedef struct norn_units {
    bool log;
    size_t season; /* base: 0 the last value, else the value this many rows before */
    double scale;
    double correction,
        change; /* what they count for where the base is a season; 1 and 0: in full, not at all */
} norn_units;

/* The h rows after the first `seen` rows of y, given [h] by the network: out [h]. A missing value that a
 * forecast starts from is the one a season before, and where there is none the last one before it that is
 * there. */
void norn_units_forecast(const norn_units *units, const double *y, size_t seen, const float *given,
                         size_t horizon, double *out);

/* What the network gave is finite, and so are the numbers in the units of the file; a missing one is not its
 * fault. */
bool norn_units_finite(const float *given, const double *out, size_t horizon);

#endif
