/*
 * A hidden Markov model with normal emissions: the row's regime is one of k that follow a Markov chain, and
 * the value is normal with the regime's mean and variance. Fitted by the algorithm of Baum and Welch (1970),
 * k from 1 to NORN_HMM_STATES by BIC. A missing value says nothing of its row's regime.
 */
#ifndef NORN_SRC_FORECAST_HMM_H
#define NORN_SRC_FORECAST_HMM_H

#include "norn/base.h"

#include "base/base.h"

enum { NORN_HMM_STATES = 4, NORN_HMM_ROWS = 20000 };

typedef struct norn_hmm {
    size_t k;
    double start[NORN_HMM_STATES];                       /* of the first row */
    double transition[NORN_HMM_STATES][NORN_HMM_STATES]; /* [from][to] */
    double mean[NORN_HMM_STATES], variance[NORN_HMM_STATES];
    double likelihood, bic;
} norn_hmm;

size_t norn_hmm_work(size_t rows);

/* The log likelihood of y [n]; next [k], not NULL: the distribution of the regime behind the last row. */
double norn_hmm_likelihood(const norn_hmm *m, const double *y, size_t n, double *next);
/* k regimes from m->k; false with fewer than 5 k values, or where they do not vary. work [norn_hmm_work(n)].
 */
bool norn_hmm_fit(norn_hmm *m, const double *y, size_t n, const norn_cancel *cancel, double *work);

#endif
