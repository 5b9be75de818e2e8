/*
 * The plan of a backtest: which rows of which series each fit and each forecast may see. Everything here
 * follows from numbers of rows and from options, never from values.
 *
 * Fit g serves the folds from g * refit_every on, and is made at the cutoff of the first of them. With
 * refit_every = 0 there is one fit.
 */
#ifndef NORN_SRC_BACKTEST_FOLDS_H
#define NORN_SRC_BACKTEST_FOLDS_H

#include "norn/backtest.h"

#include "base/base.h"
#include "forecast/forecaster.h"

enum { NORN_BACKTEST_DECISIONS = 12, NORN_BACKTEST_TEXT = 256 };

typedef struct norn_folds {
    const norn_table *table;
    norn_backtest_options options; /* as they hold */
    size_t fits;                   /* G */
    size_t needed;                 /* rows of a series that is in */
    size_t all, count;             /* series of the table, and of them those that are in: S */
    size_t pieces;                 /* of the table, that another piece follows: none is in */
    size_t *series;                /* [S] of the table */
    size_t *place;                 /* [all] among those that are in; SIZE_MAX: left out */
    size_t longest;                /* rows of the longest series that is in */
    norn_decision decisions[NORN_BACKTEST_DECISIONS];
    char texts[NORN_BACKTEST_DECISIONS][NORN_BACKTEST_TEXT];
    size_t decided;
} norn_folds;

/* Errors: NORN_ERR_USAGE, NORN_ERR_MEMORY. What it allocated is freed by norn_folds_clear, also on failure.
 */
norn_status norn_folds_plan(norn_folds *folds, const norn_table *table, const norn_backtest_options *options,
                            const norn_host *host, norn_error *err);
void norn_folds_clear(norn_folds *folds, const norn_host *host);

void norn_folds_decide(norn_folds *folds, const char *what, const char *flag, const char *format, ...)
    NORN_PRINTF(4, 5);

/* i: place of the series among those that are in. */
size_t norn_folds_cutoff(const norn_folds *folds, size_t i, size_t fold);
size_t norn_folds_fit_of(const norn_folds *folds, size_t fold);
size_t norn_folds_first_of(const norn_folds *folds, size_t fit); /* the fold it is made for */
/* Rows that a fit may see, and those that a forecast of the fold may see. */
norn_view norn_folds_train(const norn_folds *folds, size_t i, size_t fit);
norn_view norn_folds_past(const norn_folds *folds, size_t i, size_t fold);

#endif
