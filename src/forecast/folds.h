/*
 * Many folds of a table trained at once: what a backtest asks of a network. All folds that are trained are
 * members of one training (times the members of each), with rows, scaling, early stopping and best state of
 * their own; which folds stand beside a fold changes none of its bits, as long as judge and shares are the
 * same. See run.h for the words.
 *
 * For a series of N rows and K folds a step apart, fold k has behind = h + (K-1-k) * step: its cutoff is
 * c_k = N-1-behind, and the rows c_k+1 .. c_k+h are forecast. No training or validation target lies after
 * c_k - gap, and inputs of the forecast run to c_k. The rows behind a cutoff need not reach to the end of the
 * forecast: then it goes beyond the table.
 *
 *     enum { K = 5 };
 *     norn_fold folds[K];
 *     for (size_t k = 0; k < K; k++) folds[k] = (norn_fold){.behind = h + (K-1-k) * step, .served_by = k};
 *     norn_folds_out out = {.values = values, .training = training, .choices = &choices};
 *     status = norn_folds_run(&out, context, table, &(norn_folds_options){.forecast = &options}, folds, K,
 *                             host, err);
 */
#ifndef NORN_SRC_FORECAST_FOLDS_H
#define NORN_SRC_FORECAST_FOLDS_H

#include "forecast/run.h"

typedef struct norn_folds_options {
    const norn_forecast_options *forecast; /* with a horizon; its holdout is not looked at, its members, seed
                                              and first_member are those of every fold */
    const norn_fold *judge; /* whose rows season, window, network, transforms and inputs are chosen from;
                               NULL: the earliest fold that is trained. No trained fold may see less. A fold
                               run alone gives the bits it has among others when it is given their judge */
    size_t shares; /* trainings that the default budget of operations is divided among; 0: each has all
                      of it. For the same reason never taken from the number of folds */
    size_t slots,
        at_once; /* members in a launch, and in a training; 0: as memory allows. They change no bit */
} norn_folds_options;

typedef struct norn_folds_out {
    double *values; /* [K][S][h] median of the members, in the units of the file. NaN: the series does
                       not go on, is too short for the fold (or for the one that serves it), or all
                       members of the fold diverged */
    double *least, *greatest; /* [K][S][h] of the members; NULL: not wanted */
    norn_training *training;  /* [K][N]; of a fold that another one serves all zero; best_epoch 0 after epochs
                                 above 0: that member diverged and is left out */
    norn_choices *choices;    /* what was decided is added; NULL: not wanted */
    size_t season, window, parameters; /* what was chosen */
    size_t inputs, layers, hidden;     /* F, L, H of the network */
} norn_folds_out;

/*
 * Trains and forecasts. Errors: those of norn_forecast_run; NORN_ERR_USAGE where no series is long enough for
 * a fold. That all members of a fold diverged is none, unless it is so for every fold: NORN_ERR_NUMERIC.
 */
norn_status norn_folds_run(norn_folds_out *out, norn_context *context, norn_table *table,
                           const norn_folds_options *options, const norn_fold *folds, size_t count,
                           const norn_host *host, norn_error *err);

/* The horizon that norn forecast would take: with an option as told, else by the rows of the shortest series
 * and the season of the step. `choices` gets both, unless NULL. */
norn_status norn_folds_horizon(size_t *horizon, norn_table *table, const norn_forecast_options *options,
                               norn_choices *choices, const norn_host *host, norn_error *err);

#endif
