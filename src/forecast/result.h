/*
 * What comes out of a forecast: the struct behind norn/forecast.h, filled by a run (forecast.c) or by a
 * trained model (reuse.c).
 */
#ifndef NORN_SRC_FORECAST_RESULT_H
#define NORN_SRC_FORECAST_RESULT_H

#include "forecast/run.h"

enum { NORN_MODELS = 4 }; /* that are scored, at most */

struct norn_forecast {
    norn_host host;
    size_t series, horizon, window, season, holdout, members, folds, models;
    bool *ended;               /* [S] a piece of a split series, which is neither scored nor forecast */
    double *each;              /* [folds][N][S][h] of every member */
    double *values;            /* [S][h] their median */
    double *least, *greatest;  /* [S][h] */
    double *held[NORN_MODELS]; /* [S][holdout] of each scored model */
    bool unscored;             /* all members of the scored fold diverged */
    norn_score scores[NORN_MODELS];
    norn_training *training; /* [folds][N] */
    size_t parameters;
    norn_choices choices;
    char cell[NORN_CELL_TITLE]; /* of the network */
};

/* Room for what comes out, once the sizes in the first line are known. Errors: NORN_ERR_MEMORY. */
norn_status norn_forecast_make_room(norn_forecast *forecast, norn_error *err);

/* norn_forecast_run, and the trained networks unless model is NULL. */
norn_status norn_forecast_train(norn_forecast **out, norn_model **model, norn_context *context,
                                norn_table *table, const norn_forecast_options *options,
                                const norn_host *host, norn_error *err);

#endif
