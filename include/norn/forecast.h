/*
 * From a table to a forecast: plans the split, trains recurrent networks on the device, scores them on the
 * last horizon beside simple baselines, and forecasts the rows after the last.
 *
 * Words: horizon h, rows forecast; window W, rows the network sees; season m, rows of one period; cutoff, the
 * last row a forecast may see. For a series of N rows: the scored member sees rows up to N-1-holdout, the
 * member that prints sees all; each sets its own last rows aside to know when to stop.
 *
 * The network sees the series, past covariates up to the cutoff, future covariates up to the last row it
 * forecasts, and static ones; beside each that misses values a mask. The baselines see the series alone. A
 * piece of a split series (norn_table_goes_on) is trained on, and neither scored nor forecast.
 *
 * Metrics (e = y - f over all scored rows of all series; rows whose y is missing are left out)
 *   MAE   mean |e|
 *   RMSE  sqrt(mean e^2)
 *   MAPE  100 * mean |e / y|, rows with y = 0 left out; NaN when none is left
 *   MASE  mean over series of  mean |e| / mean |y_t - y_{t-m}| over the rows up to the cutoff
 *         (Hyndman and Koehler 2006); series whose scale is 0 are left out
 * What was left out is counted in norn_score.
 */
#ifndef NORN_FORECAST_H
#define NORN_FORECAST_H

#include "norn/base.h"
#include "norn/context.h"
#include "norn/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What training makes small, of e = forecast - truth in scaled units (differences to the base of the
 * forecast, divided by their root mean square). */
typedef enum norn_loss {
    NORN_LOSS_MSE = 0, /* e^2 */
    NORN_LOSS_MAE,     /* |e| */
    NORN_LOSS_HUBER,   /* e^2 / 2 where |e| <= 1, |e| - 1/2 beyond (in scaled units) */
    NORN_LOSS_PINBALL, /* -q e below the truth, (1 - q) e above, for the quantile q (Koenker and Bassett
                          1978); the forecast then is that quantile, and nothing of it is damped */
    NORN_LOSS_MAPE /* |e| times the target's scale / |truth|, where a truth counts as at least a hundredth of
                      the mean size in the training rows, and one of 0 not at all. Where the logarithm is
                      forecast, |e| times the scale: to first order the same */
} norn_loss;

/* How parameters are moved: see nn/optimiser.h for the rules, which are PyTorch's. */
typedef enum norn_optimiser_kind {
    NORN_OPTIMISER_ADAM = 0,
    NORN_OPTIMISER_ADAMW,
    NORN_OPTIMISER_SGD,
    NORN_OPTIMISER_RMSPROP
} norn_optimiser_kind;

/* How the learning rate goes from step to step. */
typedef enum norn_rate_kind {
    NORN_RATE_COSINE = 0,  /* half a cosine from the rate to 0 (Loshchilov and Hutter 2017) */
    NORN_RATE_CONSTANT,    /* */
    NORN_RATE_STEP,        /* times `factor` after every `every` epochs */
    NORN_RATE_EXPONENTIAL, /* times `factor` after every epoch */
    NORN_RATE_ONE_CYCLE /* up from rate / 25 in the first 0.3 of all steps, then down to rate / 250000, both
                           by cosines (Smith and Topin 2018) */
} norn_rate_kind;

/* What matrices of a layer begin with, whose cell does not say so itself; the head begins with 0. */
typedef enum norn_init {
    NORN_INIT_UNIFORM = 0, /* everything uniform in +-1 / sqrt(H), as PyTorch has it */
    NORN_INIT_XAVIER,      /* uniform in +-sqrt(6 / (rows + columns)) gate by gate (Glorot and Bengio 2010),
                              biases 0 */
    NORN_INIT_ORTHOGONAL   /* the same, and recurrent matrices orthogonal gate by gate (Saxe et al. 2014) */
} norn_init;

#define NORN_MOST_MEMBERS 1000
#define NORN_MOST_LEVELS  16

/* What members of one network differ in. */
typedef enum norn_members_on {
    NORN_MEMBERS_ON_SEEDS = 0, /* their random numbers */
    NORN_MEMBERS_ON_ROWS /* and each is trained on its own 63.2 % of the training windows, as many different
                            ones as a bootstrap draws (bagging, Breiman 1996) */
} norn_members_on;

/* What is taken off a series before a model sees it, and laid on its forecasts again. */
typedef enum norn_decompose {
    NORN_DECOMPOSE_NONE = 0,
    NORN_DECOMPOSE_STL, /* the season, by robust local regression; forecast as its last period */
    NORN_DECOMPOSE_MSTL /* the same for several: a season of a day and that of the week, a week and the year
                         */
} norn_decompose;

#define NORN_MOST_SEASONS 4

/* An epoch of a member that is over. */
typedef struct norn_epoch {
    size_t size;
    size_t fold;                   /* 0: the network that prints, 1: the scored one */
    size_t member;                 /* from 0 */
    unsigned epoch;                /* from 1 */
    double rate;                   /* of its last step */
    double train_loss, valid_loss; /* in scaled units */
    double gradient_norm;          /* of its last step, before clipping */
} norn_epoch;

typedef struct norn_forecast_options {
    size_t size;
    size_t horizon; /* h; 0: the season if above 1 and at most N/4, else min(24, N/10); with future covariates
                       the rows they cover, if these are fewer, or no more than N/5 */
    size_t window;  /* W; 0: 2 h, between 8 and N/4 */
    size_t season;  /* m; 0: by the step; 1: none */
    int64_t holdout;          /* rows held back to score; -1: the horizon; 0: no scoring; else the horizon */
    unsigned layers;          /* L; 0: default */
    unsigned hidden;          /* H; 0: default */
    double dropout;           /* between layers, 0 <= p < 1; negative: default */
    unsigned epochs;          /* at most; 0: 40, fewer where they would exceed 3e12 operations */
    unsigned steps_per_epoch; /* 0: all windows once if epochs is given, else 5 or 30 by their number */
    unsigned batch;           /* B, windows a step; 0: default */
    double learning_rate;     /* 0: default, 0.005; with SGD 0.05 */
    norn_loss loss;
    unsigned patience; /* epochs without a better validation loss before a member stops; 0: default */
    double time_limit; /* seconds of training by the clock; 0: none. A limit that is reached makes results
                          depend on the machine's speed. */
    uint64_t seed;
    int consume_past; /* 1: the table's covariates may be dropped once they are on the device */
    unsigned members; /* N differently seeded networks, whose median is the forecast; 0: 1 */
    unsigned
        first_member; /* the number of the first, from 0: member k has the same bits whoever is beside it */
    norn_members_on members_on;

    const char *cell; /* name of a recurrent cell, or the file of its formula; NULL: "lstm" */
    norn_init init;
    double forget_bias; /* added to the initial bias of the forget gate; 0: nothing */
    double quantile;    /* of NORN_LOSS_PINBALL, 0 < q < 1, rounded to millionths; 0: 1/2 */
    norn_optimiser_kind optimiser;
    double momentum;     /* of SGD and RMSprop, 0 <= momentum < 1 */
    int nesterov;        /* 1: SGD looks ahead by its momentum */
    double weight_decay; /* not on biases; 0: none */
    double clip_norm;    /* largest norm of a gradient; 0: no clipping; negative: 1 */
    double clip_value;   /* largest size of one number of a gradient; 0: no clipping */
    norn_rate_kind schedule;
    unsigned warmup;     /* steps in which the rate grows to its full size */
    double rate_factor;  /* of the schedules STEP and EXPONENTIAL, 0 < factor <= 1; 0: 0.1 and 0.9 */
    unsigned rate_every; /* epochs; of the schedule STEP; 0: a third of the epochs */

    /* Where a training stands, so that one that was interrupted goes on and ends with the same bits. Networks
     * that memory does not hold at once are trained in turns: those of turn k > 1 have a file of their own,
     * "checkpoint.k". */
    const char *checkpoint; /* file; NULL: none. Written when cancelled, and in between */
    unsigned every;         /* epochs between two; 0: 1 */
    int resume;             /* 1: goes on from the checkpoint, or from the start where there is none yet */

    const char *model; /* a model that needs no device, as `norn backtest --models` calls it ("ets"): nothing
                          of the network then has a meaning; NULL or "lstm": the network */
    const double *levels; /* [level_count] of prediction intervals, in (0, 1); for models that have them */
    size_t level_count;
    size_t eval_batch; /* windows of a launch that forecasts or validates; 0: 64, or B. Changes no bit */

    void (*on_epoch)(void *user, const norn_epoch *epoch); /* of every member; NULL: none */
    void *epoch_user;

    /* A past covariate of the table that is no input: how much each row counts as a target, 0 or more. A
     * missing weight counts as 0. The mean over the rows that are trained on is made 1. NULL: all the same */
    const char *weight;

    norn_decompose
        decompose; /* before `model`, which then is called "STL+ETS"; it must have no season of its own */

    unsigned bptt; /* truncated backpropagation: gradients run back through the last so many of the W steps
                      (Williams and Peng 1990); 0, or W and more: through all */

    int explain; /* 1: what `model` found on all rows of each series is kept: norn_forecast_explained */
    int states; /* 1: the smoothed states of each series are kept: norn_forecast_state. Of a structural model,
                   without `decompose` */
    size_t seasons[NORN_MOST_SEASONS]; /* that MSTL takes off, ascending, each at least 2, ended by 0 or the
                                          room; [0] 0: the season and what usually stands above it */
} norn_forecast_options;

#define NORN_FORECAST_OPTIONS_INIT                                                                           \
    {                                                                                                        \
        .size = sizeof(norn_forecast_options), .holdout = -1, .dropout = -1.0, .seed = 1, .members = 1,      \
        .clip_norm = -1.0                                                                                    \
    }

typedef struct norn_forecast norn_forecast;

/*
 * Trains and forecasts; context may be NULL with a model that needs no device. The table stays the caller's
 * and is unchanged unless consume_past is set. Errors: NORN_ERR_USAGE (series too short for horizon and
 * window, future covariates that end before the horizon, an option out of range; the message names the flag),
 * NORN_ERR_NUMERIC (training of the member that prints diverged; where only the scored one did, the network
 * is not scored), NORN_ERR_CANCELLED (err->file is the checkpoint that was written, or ""), NORN_ERR_OPENCL,
 * NORN_ERR_BUILD, NORN_ERR_MEMORY.
 */
norn_status norn_forecast_run(norn_forecast **out, norn_context *context, norn_table *table,
                              const norn_forecast_options *options, const norn_host *host, norn_error *err);
void norn_forecast_free(norn_forecast *forecast);

/* Rows of the future: [h] values of one series, in the units of the file; NULL for a series that does not go
 * on. */
size_t norn_forecast_horizon(const norn_forecast *forecast);
const double *norn_forecast_values(const norn_forecast *forecast, size_t series);
const char *norn_forecast_model(
    const norn_forecast *forecast); /* "LSTM", the cell's: the name of the forecast's column */

/* Prediction intervals: levels in (0, 1), none (*count 0) where the model has no theory of them. [h] each;
 * NULL where the values are, and for a level that is not there; NaN where the model fell back to the naive
 * one. */
const double *norn_forecast_levels(const norn_forecast *forecast, size_t *count);
const double *norn_forecast_lower(const norn_forecast *forecast, size_t level, size_t series);
const double *norn_forecast_upper(const norn_forecast *forecast, size_t level, size_t series);

/*
 * Of several members (N > 1) the forecast is the median, of the printing network and of the one that is
 * scored alike. A member whose training diverged is left out of it: only when all did it is an error.
 */
size_t norn_forecast_members(const norn_forecast *forecast); /* N as asked for */
/* The least and the greatest of the members' forecasts, [h] each; NULL where the values are. Of one member
 * both are the forecast. */
const double *norn_forecast_least(const norn_forecast *forecast, size_t series);
const double *norn_forecast_greatest(const norn_forecast *forecast, size_t series);
/* What member number `member` (0 to N-1) forecasts: [h]; NULL when it diverged. */
const double *norn_forecast_member(const norn_forecast *forecast, size_t member, size_t series);

/* One forecaster's score on the rows held back. Models come in the order network (or the model in its place),
 * Naive, SeasonalNaive (only where m > 1), Linear; one that is the model itself is not there twice. */
typedef struct norn_score {
    const char *model;
    double mae, rmse, mape, mase; /* NaN where undefined */
    size_t rows;                  /* scored rows, over all series */
    size_t missing_rows;          /* held back but not scored: y is missing */
    size_t zero_rows;             /* of the scored rows, those that MAPE leaves out: y is 0 */
    size_t unscaled_series;       /* that MASE leaves out: scale 0, or no row to score */
} norn_score;
const norn_score *norn_forecast_scores(const norn_forecast *forecast,
                                       size_t *count); /* *count 0: no holdout */
/* What model number `model` of the scores forecast for the rows held back: [holdout]; NULL without a holdout,
 * for a series that does not go on, and for a network that was not scored because its training diverged. */
const double *norn_forecast_held_back(const norn_forecast *forecast, size_t model, size_t series);
size_t norn_forecast_holdout(const norn_forecast *forecast); /* rows held back, 0: none */

/* How a member was trained. The first N print; N more, if there is a holdout, were scored. */
typedef struct norn_training {
    size_t windows; /* training windows of the member */
    size_t validation_windows;
    unsigned epochs, best_epoch;   /* run, and the one whose parameters were kept; best 0: diverged */
    double train_loss, valid_loss; /* at the best epoch, in scaled units */
    char trouble[92]; /* where it diverged in its last epoch: "step 7: the gradient of U_f of layer 1 is not
                         finite"; "": it did not, or nobody knows any more */
    uint32_t
        checksum; /* CRC-32 of its parameters, floats in the plain order as memory holds them; 0: diverged */
} norn_training;
const norn_training *norn_forecast_training(const norn_forecast *forecast, size_t *count); /* N or 2 N */
size_t
norn_forecast_parameters(const norn_forecast *forecast); /* numbers in one member's network, unpadded */

/* The method of a model that needs no device, in one line, and the paper it is from; NULL for a network, and
 * where it is common knowledge. */
const char *norn_forecast_method(const norn_forecast *forecast);
const char *norn_forecast_paper(const norn_forecast *forecast);

/* What a fit found, line by line: for people. */
typedef struct norn_explained {
    char name[32];       /* "alpha", "season 3" */
    char value[48];      /* "0.1234", "ETS(A,Ad,N)" */
    const char *meaning; /* "how fast the level follows" */
} norn_explained;

/* What the fit on all rows of a series found, with options.explain. *count 0: nothing, for a model without
 * parameters, a network, or a series that does not go on. Borrowed. */
const norn_explained *norn_forecast_explained(const norn_forecast *forecast, size_t series, size_t *count);

/* The parts of a structural model (Harvey 1989). */
typedef enum norn_state {
    NORN_STATE_LEVEL = 0,
    NORN_STATE_SLOPE,  /* what the level gains in a row */
    NORN_STATE_SEASON, /* what the season adds */
    NORN_STATE_SIGNAL, /* level and season: the series without what a row has for itself */
    NORN_STATES
} norn_state;

/*
 * Smoothed states, with options.states: what is expected of each row from all rows, before it and after, and
 * the standard errors of that, given the variances of the fit; [rows] in the units of the file. Rows whose
 * value is missing have them too: there the signal is what belongs in its place. NULL for a part that is not
 * in the model, where states were not asked for, and for a series that does not go on or has too few rows.
 */
const double *norn_forecast_state(const norn_forecast *forecast, norn_state part, size_t series);
const double *norn_forecast_state_error(const norn_forecast *forecast, norn_state part, size_t series);

/* What was decided: season, horizon, window, network, training, transform, members; in order. Borrowed. */
const norn_decision *norn_forecast_decisions(const norn_forecast *forecast, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
