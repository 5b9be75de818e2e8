/*
 * What comes out of a forecast: the struct behind norn/forecast.h, filled by a run (forecast.c) or by a
 * trained model (reuse.c).
 */
#ifndef NORN_SRC_FORECAST_RESULT_H
#define NORN_SRC_FORECAST_RESULT_H

#include "forecast/forecaster.h"
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
    norn_training *training;     /* [folds][N] */
    const norn_forecaster *kind; /* in place of a network; NULL: it is one */
    double levels[NORN_MOST_LEVELS];
    size_t level_count;
    double *lower, *upper;      /* [levels][S][h] */
    norn_explained **explained; /* [S] each [explained_count]; NULL: not wanted */
    size_t *explained_count;    /* [S] */
    double **states;            /* [S] each [2][NORN_STATES][state_rows]: parts, errors; NULL: not wanted */
    size_t *state_rows;         /* [S] */
    bool *smoothed;             /* [S] they are there */
    size_t parameters;
    norn_choices choices;
    char cell[NORN_CELL_TITLE]; /* of the network, or the name of `kind` and what stands before it */
};

/* Room for what comes out, once the sizes in the first line are known. Errors: NORN_ERR_MEMORY. */
norn_status norn_forecast_make_room(norn_forecast *forecast, norn_error *err);

/* Season, horizon, holdout, folds and window, from the options and the rows there are. */
norn_status norn_forecast_sizes(norn_forecast *forecast, norn_run *run, norn_error *err);
/* Scores held[0], and the simple forecasts beside it, on the rows after the cutoff of a fold. */
norn_status norn_forecast_score(norn_forecast *forecast, const norn_run *run, const norn_fold *fold,
                                norn_error *err);
/* norn_forecast_run by a forecaster that needs no device: options->model names it. */
norn_status norn_forecast_simple(norn_forecast **out, norn_table *table, const norn_forecast_options *options,
                                 const norn_host *host, norn_error *err);

/* norn_forecast_run, and the trained networks unless model is NULL. */
norn_status norn_forecast_train(norn_forecast **out, norn_model **model, norn_context *context,
                                norn_table *table, const norn_forecast_options *options,
                                const norn_host *host, norn_error *err);

#endif
