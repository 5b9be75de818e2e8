/*
 * GARCH(1,1), the volatility of returns (Bollerslev 1986):
 *
 *   r_t = mean + e_t,   e_t ~ N(0, v_t),   v_t = omega + alpha e_{t-1}^2 + beta v_{t-1}
 *
 * fitted by maximum likelihood. Before the first row stands the mean of the first 75 squares, with weights
 * that fall by 0.94 a row, as in the package arch.
 */
#ifndef NORN_SRC_FORECAST_GARCH_H
#define NORN_SRC_FORECAST_GARCH_H

#include "norn/base.h"

#include "base/base.h"

enum { NORN_GARCH_WORK = 128 }; /* doubles of work for a fit */

typedef struct norn_garch {
    double mean, omega, alpha, beta;
    double likelihood; /* log */
    double next;       /* v of the row after the last */
} norn_garch;

/* The log likelihood of returns r [n] (NaN: missing, their square is what was expected); fills g->next. */
double norn_garch_likelihood(norn_garch *g, const double *r, size_t n);
/* False where there are fewer than ten returns, or they do not vary. */
bool norn_garch_fit(norn_garch *g, const double *r, size_t n, const norn_cancel *cancel, double *work);
/* v [h] of the rows after the last. */
void norn_garch_variances(const norn_garch *g, size_t h, double *v);

#endif
