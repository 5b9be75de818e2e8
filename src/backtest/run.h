/*
 * A backtest as an object, and the way in for forecasters that are trained on all series and all folds at
 * once.
 */
#ifndef NORN_SRC_BACKTEST_RUN_H
#define NORN_SRC_BACKTEST_RUN_H

#include "backtest/folds.h"
#include "backtest/saved.h"
#include "backtest/scores.h"
#include "cell/cell.h"

enum { NORN_BACKTEST_MODELS = 64 };

/*
 * A forecaster of all folds: it fits as often as folds->fits says, on norn_folds_train of every series, and
 * fills out [S][K][h] from norn_folds_past. NaN where it has no forecast. seconds: of fits and forecasts.
 */
typedef struct norn_joint {
    const char *name; /* of its column; must stay */
    norn_status (*run)(void *user, const norn_folds *folds, double *out, double seconds[2],
                       const norn_host *host, norn_error *err);
    void *user;
} norn_joint;

/*
 * The forecasts of norn_backtest_run alone, made from the table as it is now: norn_backtest_score makes the
 * rest of them. With joint forecasters these come first, and options->models names no network. options may
 * be NULL; context may be NULL where no model is a network. Of folds after `last` (SIZE_MAX: none) only the
 * joint forecasters make forecasts: those of the others are 0.
 */
norn_status norn_backtest_make(norn_backtest **out, norn_context *context, norn_table *table,
                               const norn_backtest_options *options, const norn_joint *joints,
                               size_t joint_count, size_t last, const norn_host *host, norn_error *err);

/* norn_backtest_run with joint forecasters, which come first. */
norn_status norn_backtest_run_with(norn_backtest **out, const norn_table *table,
                                   const norn_backtest_options *options, const norn_joint *joints,
                                   size_t joint_count, const norn_host *host, norn_error *err);

typedef struct norn_figure {
    double value;
    size_t undefined;
} norn_figure;

typedef struct norn_model {
    const char *name;
    const norn_forecaster *kind; /* NULL: a joint one */
    norn_decompose decompose;    /* in front of it */
    char label[40];              /* its name with that, where it has one */
    double *forecasts;           /* [S][K][h] */
    double seconds[2];           /* of fits and forecasts */
    uint64_t unforecast;         /* rows with a truth and without a forecast */
} norn_model;

/* What a network was, and how each fold of it was trained; K folds, N members. */
typedef struct norn_story {
    char name[NORN_CELL_TITLE]; /* of its column */
    size_t inputs, layers, hidden, window, parameters;
    size_t folds, members;
    norn_training *training; /* [K][N]; all zero of a fold that an earlier fit served */
    norn_epoch *epochs;      /* [epoch_room] of them epoch_count, as they came; only with options.curves */
    size_t epoch_count, epoch_room;
} norn_story;
void norn_story_free(norn_story *story, const norn_host *host);

struct norn_backtest {
    norn_host host;
    norn_folds folds;
    norn_model models[NORN_BACKTEST_MODELS];
    size_t model_count;   /* M */
    norn_known *known;    /* [S][K] */
    double *reference;    /* [S] mean of the scored truths */
    norn_figure *figures; /* [1 + h + K + S][M][NORN_METRICS] scope by scope */
    size_t figure_count;
    double low[NORN_BACKTEST_MODELS][NORN_METRICS], high[NORN_BACKTEST_MODELS][NORN_METRICS];
    uint64_t rows, missing;
    size_t last;       /* fold that is forecast; SIZE_MAX: all are */
    norn_saved *saved; /* NULL: made here */
    norn_story stories[NORN_BACKTEST_MODELS];
    size_t story_count;
};

/* From the forecasts: known, figures and intervals. Errors: NORN_ERR_MEMORY, NORN_ERR_CANCELLED,
 * NORN_ERR_INTERNAL (rows scored are not those that must be). */
norn_status norn_backtest_score(norn_backtest *backtest, norn_error *err);

/* Tells the host of `done` of `total` things since `begin`, but not again soon; *told is the time of the last
 * telling. */
void norn_backtest_tell(const norn_backtest *backtest, const char *what, double begin, double *told,
                        size_t done, size_t total);

/* Truth and forecast of one model, series (by place) and fold. */
norn_block norn_backtest_block(const norn_backtest *backtest, size_t model, size_t i, size_t fold);

#endif
