/*
 * The network of norn forecast as a forecaster of a backtest: all folds that are trained are members of one
 * training, see forecast/folds.h.
 */
#ifndef NORN_SRC_BACKTEST_NETWORK_H
#define NORN_SRC_BACKTEST_NETWORK_H

#include "backtest/run.h"

typedef struct norn_backtest_network {
    norn_context *context;
    norn_table *table;
    norn_forecast_options options; /* of the training; what concerns rows is the backtest's */

    /* how it went */
    size_t parameters, window, trained, diverged; /* trained: networks */
    size_t least, most;                           /* epochs */
} norn_backtest_network;

/* The joint forecaster "LSTM"; network must stay. */
norn_joint norn_joint_network(norn_backtest_network *network);
/* How it went, as decisions of the backtest. */
void norn_joint_network_tell(const norn_backtest_network *network, norn_folds *folds);

#endif
