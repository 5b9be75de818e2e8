/*
 * Minimising a smooth function of a few variables: BFGS with a line search that meets the weak Wolfe
 * conditions. The gradient is the caller's, or by central differences. Nothing is drawn and no clock is
 * looked at: the same function gives the same minimum, to the bit.
 */
#ifndef NORN_SRC_FORECAST_MINIMISE_H
#define NORN_SRC_FORECAST_MINIMISE_H

#include "base/base.h"

typedef struct norn_objective {
    size_t n; /* variables */
    /* The function at x [n], and with gradient not NULL its gradient [n]. Anything not finite: x is outside
     * of where the function is. */
    double (*value)(void *user, const double *x, double *gradient);
    void *user;
    bool differences; /* value gives no gradient: it is always called with NULL */
} norn_objective;

/* Doubles of memory that norn_minimise writes over. */
size_t norn_minimise_work(size_t n);

/*
 * From x [n], which must be inside, to a minimum near it, in place; returns the value there. It ends where a
 * step promises less than `tolerance`, or after `steps` steps. A bounded variable is best a sine of one
 * without bounds (norn_within). Where x is outside at the start it stays, and the value is INFINITY.
 */
double norn_minimise(const norn_objective *objective, double *x, size_t steps, double tolerance,
                     double *work);

/*
 * low + (high - low) (1 + sin z) / 2 runs between the bounds and reaches them: a minimum on a bound is an
 * ordinary one of z. The derivative by z comes with it. And the z in [-pi/2, pi/2] of a value within.
 */
double norn_within(double z, double low, double high, double *derivative);
double norn_within_of(double value, double low, double high);

/* The minimum of a function of one variable on [low, high]: the best of `grid` >= 3 evenly spread points,
 * then golden sections around it down to `width`. */
double norn_minimise_line(double (*value)(void *user, double x), void *user, double low, double high,
                          size_t grid, double width);

#endif
