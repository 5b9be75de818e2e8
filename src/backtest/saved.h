/*
 * A backtest that was made elsewhere and read from a file of cross-validation: what the file says that a
 * backtest of our own finds in its table. Letters: S series, K folds, h horizon.
 *
 * Its table holds the rows of the file alone, each series from its first cutoff on, whose own value the file
 * does not have: that row is missing. Scales of errors are those of the truths in the file, since it has no
 * row before them.
 */
#ifndef NORN_SRC_BACKTEST_SAVED_H
#define NORN_SRC_BACKTEST_SAVED_H

#include "base/base.h"

/* What is known of a series at a cutoff, for its metrics. */
typedef struct norn_known {
    double before, scale, square_scale;
} norn_known;

/* Between low and high a truth was to lie so often. */
typedef struct norn_band {
    size_t model;
    double level;       /* in percent */
    double *low, *high; /* [S][K][h] */
} norn_band;

typedef struct norn_saved {
    size_t values;     /* S * K * h */
    size_t places;     /* S * K */
    double *truth;     /* [S][K][h] NaN: none */
    norn_known *known; /* [S][K] */
    size_t *rows;      /* [S][K][h] of the series in its table; SIZE_MAX: the file has no such row */
    size_t *cutoffs;   /* [S][K] likewise; SIZE_MAX: the series has no such fold */
    char *names[64];   /* of the models, which borrow them; NULL behind the last */
    norn_band *bands;  /* [band_count] by model, the widest first */
    size_t band_count;
} norn_saved;

void norn_saved_free(norn_saved *saved, const norn_host *host); /* NULL: nothing */

#endif
