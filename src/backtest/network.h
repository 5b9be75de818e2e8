/*
 * The network of norn forecast as a forecaster of a backtest: all folds that are trained are members of one
 * training, see forecast/folds.h.
 */
#ifndef NORN_SRC_BACKTEST_NETWORK_H
#define NORN_SRC_BACKTEST_NETWORK_H

#include "backtest/run.h"
#include "cell/cell.h"

typedef struct norn_backtest_network {
    norn_context *context;
    norn_table *table;
    norn_forecast_options options; /* of the training; what concerns rows is the backtest's */
    char name[NORN_CELL_TITLE];    /* of its column: the cell's */
    char word[256];                /* of --models, where it names a cell */

    /* how it went */
    size_t parameters, window, trained, diverged; /* trained: networks */
    size_t least, most;                           /* epochs */
    norn_story story;
    bool curves;    /* asked for */
    norn_host host; /* of what is kept of them */
} norn_backtest_network;

/* Is this word of --models a network: "lstm", another cell, or the file of one? */
bool norn_backtest_is_network(const char *word, size_t length);
/* Takes the cell that the word names, or for "lstm" the one of options.cell: its name, and whether it can be
 * read. */
norn_status norn_backtest_network_name(norn_backtest_network *network, const char *word, size_t length,
                                       const norn_host *host, norn_error *err);
/* The joint forecaster of that name; network must stay. */
norn_joint norn_joint_network(norn_backtest_network *network);
/* How it went, as decisions of the backtest. */
void norn_joint_network_tell(const norn_backtest_network *network, norn_folds *folds);

#endif
