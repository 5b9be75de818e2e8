/*
 * A run: networks of one shape trained side by side on one table, each on the rows before a cutoff of its
 * own, and the forecasts they make. norn forecast is a run of two folds (all rows, and all but those held
 * back), a backtest one of many; choose.c decides sizes and recipes, fit.c trains and forecasts.
 *
 * Words: a fold is one cutoff with its training; a view is what the training of a fold may see. The last view
 * is the judge: it sees least, and all choices that folds share (season, window, network, the logarithm of a
 * series, which inputs there are and which have a mask) are made from its rows. Letters: K folds, V views, N
 * members of a fold, S series, h horizon.
 */
#ifndef NORN_SRC_FORECAST_RUN_H
#define NORN_SRC_FORECAST_RUN_H

#include "forecast/inputs.h"
#include "nn/train.h"
#include "norn/model.h"

/* ---- what was decided ------------------------------------------------------------------------------------
 */

enum { NORN_MOST_CHOICES = 24, NORN_CHOICE_TEXT = 240 };

/* In order. The list points into the texts: never copied. */
typedef struct norn_choices {
    norn_decision list[NORN_MOST_CHOICES];
    char texts[NORN_MOST_CHOICES][NORN_CHOICE_TEXT];
    size_t count;
} norn_choices;

/* what and flag are literals. What is beyond the room is left out. */
void norn_choose(norn_choices *choices, const char *what, const char *flag, const char *format, ...)
    NORN_PRINTF(4, 5);

/* ---- folds -----------------------------------------------------------------------------------------------
 */

typedef struct norn_fold {
    size_t behind;     /* rows after its cutoff, of every series that goes on */
    size_t gap;        /* rows up to the cutoff that no target of training or validation lies in */
    size_t rows;       /* most rows it is trained and validated on, the last ones; 0: all */
    size_t served_by;  /* its own number: it is trained. Else a fold that is trained and whose cutoff is not
                          later: its parameters and scalings make the forecast from this fold's rows */
    uint64_t identity; /* of its first member's random numbers; member k has k << 32 more */
} norn_fold;

/* The numbers of the recipe, by regime: see choose.c. */
typedef struct norn_regime {
    const char *name;
    unsigned hidden, batch, steps_per_epoch, epochs, patience, settle;
} norn_regime;

typedef struct norn_run {
    norn_context *context;
    norn_table *table;
    const norn_forecast_options *options;
    const norn_host *host;
    norn_choices *choices;

    const norn_fold *folds; /* [K] */
    size_t fold_count;
    norn_fold judge; /* of the last view */
    bool skips;      /* a series too short for a fold is left out of it; else it is an error */
    double shares;   /* trainings the budget is for */
    size_t members;  /* N */
    size_t slots;    /* members in one launch; 0: as caches and memory allow */
    size_t at_once;  /* members in one training; 0: as memory allows */

    size_t series, horizon, window, season;
    bool *ended;      /* [S] a piece of a split series, which is trained on and not forecast */
    norn_fold *views; /* [V]; the room is for K + 1 */
    size_t *view_of;  /* [K] */
    size_t room;      /* K at the beginning, when there was room made */
    size_t view_count;
    norn_recipe_series *recipes; /* [V][S]; seen 0: the series is not in the view */
    norn_span *train, *valid;    /* [V][S] */
    const norn_regime *regime;
    bool shrink; /* few windows and nothing known ahead: season bases take the damped recipe */
    norn_inputs inputs;
    norn_series *device;
    size_t parameters;        /* numbers in one member's network, unpadded */
    norn_cell *cell;          /* of the options; NULL: the LSTM */
    norn_network_shape shape; /* of its networks, and how they are trained: once they are */
    norn_train_plan plan;
    bool stands; /* a checkpoint of it was written, or could have been */
    bool keeps;  /* the networks of the first fold are wanted */
    float *kept; /* [N][parameters] of them; nothing for a member that diverged */
} norn_run;

/* Begins what stands in the first part of the struct, which but for horizon, window and season is all that is
 * set. Errors: NORN_ERR_MEMORY, NORN_ERR_USAGE (a covariate that was consumed before). */
norn_status norn_run_begin(norn_run *run, norn_error *err);
void norn_run_end(norn_run *run);

static inline size_t norn_at_least(size_t value, size_t least)
{
    return value > least ? value : least;
}
static inline size_t norn_at_most(size_t value, size_t most)
{
    return value < most ? value : most;
}

/* Rows of a series up to the cutoff of a fold; all of a piece. */
size_t norn_run_visible(const norn_run *run, const norn_fold *fold, size_t series);

/* Of these, the rows from..end that training may see; the end. */
size_t norn_run_rows(const norn_run *run, const norn_fold *fold, size_t series, size_t *from);

/* ---- choose.c --------------------------------------------------------------------------------------------
 */

norn_status norn_run_check_options(const norn_forecast_options *options, norn_error *err);
/* From how many rows there are: the season, by the rows of the shortest series, and the horizon. */
norn_status norn_run_season(norn_run *run, size_t rows, norn_error *err);
void norn_run_horizon(norn_run *run, size_t rows);
/* A horizon needs as many rows of future covariates after the rows of the table, less those that are there
 * after the latest cutoff. */
norn_status norn_run_check_ahead(const norn_run *run, size_t behind, norn_error *err);
/* The window, for a series of which so many rows are seen. */
size_t norn_run_window(const norn_run *run, size_t seen);
void norn_run_say_window(norn_run *run);
/* The first of the shortest series that go on; SIZE_MAX: none goes on. */
size_t norn_run_shortest(const norn_run *run);
/* `series "a" has 5 rows (and 2 more series are too short)`: the first series of fewer than `needed` rows. */
const char *norn_run_name_short(const norn_run *run, size_t needed, char out[320]);
/* Rows set aside to stop by, of n. */
size_t norn_run_validation(const norn_run *run, size_t n);
/* The folds in `folds`, the judge, horizon, window and season are known: views and recipes of all series. */
norn_status norn_run_recipes(norn_run *run, norn_error *err);

/* ---- fit.c -----------------------------------------------------------------------------------------------
 */

/*
 * Brings the table to the device, trains, and forecasts: values [K][N][S][h] in the units of the file, NaN
 * where a series is not in the fold, does not go on, or the member diverged; training [K][N], zero for a fold
 * that another one serves. A member that diverges stops alone: its best_epoch is 0.
 */
norn_status norn_run_fit(norn_run *run, double *values, norn_training *training, norn_error *err);

/* What random numbers a member of a fold depends on. */
uint64_t norn_run_identity(const norn_run *run, size_t fold, size_t member);
/* What the network's correction, and the last yearly change, count for where the base is a season. */
void norn_run_damping(const norn_run *run, double *correction, double *change);

/* ---- keep.c ----------------------------------------------------------------------------------------------
 */

/* The networks of the first fold, of a run with `keeps` that norn_run_fit is through with. Those that did not
 * diverge; there must be one. */
norn_status norn_run_keep(norn_model **out, const norn_run *run, const norn_training *training,
                          norn_error *err);

/* ---- fit.c again: members --------------------------------------------------------------------------------
 */

/* The median over the members of a fold that did not diverge (the mean of the two in the middle when they are
 * even), and the least and greatest unless NULL: values [N][S][h], training [N], out [S][h]. How many members
 * there were. */
size_t norn_run_median(const norn_run *run, const double *values, const norn_training *training, double *out,
                       double *least, double *greatest);

/* Where a member diverged, to stand behind "diverged in": `epoch 3, step 7: the gradient of U_f of layer 1 is
 * not finite`. Returns out. */
const char *norn_run_where(const norn_training *training, char out[140]);

/* "2" or "2 and 5" or "2, 5 and 7 more" of those members that diverged, counted from the first that the
 * options name; how many there are. */
size_t norn_run_diverged(const norn_run *run, const norn_training *training, char *out, size_t size);

#endif
