/*
 * Backtests: what the forecasts of several models would have been worth, had they been made at earlier rows.
 *
 * Rolling origin. For a series of N rows, K folds and a horizon h the cutoffs are
 *
 *   c_k = N - 1 - h - (K - 1 - k) step,   k = 0 .. K-1
 *
 * and the scored rows of fold k are c_k + 1 .. c_k + h. A model is fitted on rows up to c_k - gap, all of
 * them or the last train_rows, and forecasts from rows up to c_k, from the first of its fit on. Nothing later
 * is looked at: neither by a fit, nor by a scale of a metric, nor by a choice that is made for a fold. A
 * series with too few rows for all folds is left out and listed, and so is a piece that another one follows.
 *
 * Naive, with a season SeasonalNaive and Naive2, and NLinear stand in every backtest, whatever else does.
 *
 * Rows whose truth is missing are not scored. A metric that is undefined (a truth or a scale of 0) is
 * missing and counted, never infinite. norn_metric_describe has the formula of each.
 */
#ifndef NORN_BACKTEST_H
#define NORN_BACKTEST_H

#include "norn/base.h"
#include "norn/context.h"
#include "norn/forecast.h"
#include "norn/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- metrics ------------------------------------------------------------------------------------------- */

/* Whose definitions hold where they differ. */
typedef enum norn_compat {
    NORN_COMPAT_NORN = 0, /* percentages to 100, sMAPE to 200 as in M4, MASE scaled by the season */
    NORN_COMPAT_NIXTLA,   /* utilsforecast: fractions, sMAPE to 1; each series and cutoff, then their mean */
    NORN_COMPAT_GLUONTS,  /* fractions, sMAPE to 2; ND and RMSE over all rows, the rest as nixtla */
    NORN_COMPAT_DARTS     /* percentages, sMAPE to 200, bias y - f, scales with a season of 1; as nixtla */
} norn_compat;

typedef enum norn_metric {
    NORN_METRIC_MAE = 0,
    NORN_METRIC_MSE,
    NORN_METRIC_RMSE,
    NORN_METRIC_BIAS,
    NORN_METRIC_MAPE,
    NORN_METRIC_SMAPE,
    NORN_METRIC_WAPE,
    NORN_METRIC_MASE,
    NORN_METRIC_RMSSE,
    NORN_METRIC_R2,
    NORN_METRIC_U1,
    NORN_METRIC_U2,
    NORN_METRIC_DIRECTION,
    NORN_METRIC_OWA,
    NORN_METRIC_SKILL_NAIVE,
    NORN_METRIC_SKILL_SEASONAL_NAIVE,
    NORN_METRIC_SKILL_LINEAR,
    NORN_METRICS
} norn_metric;

typedef struct norn_metric_info {
    const char *word;    /* "smape": in files */
    const char *title;   /* "sMAPE" */
    const char *unit;    /* "%", "y" (that of the target), "y^2", or "" */
    const char *formula; /* with e = y - f; y truth, f forecast, c the cutoff, q a scale */
    const char *source;
    int better; /* -1: smaller is better, 1: larger, 0: nearer to 0 */
} norn_metric_info;

const norn_metric_info *norn_metric_describe(norn_compat compat, norn_metric metric);

/* What the rows of a figure have in common. */
typedef enum norn_scope {
    NORN_SCOPE_ALL = 0, /* pooled */
    NORN_SCOPE_STEP,    /* index 0 .. h-1: so many rows after the cutoff, less one */
    NORN_SCOPE_CUTOFF,  /* index 0 .. K-1, the oldest first */
    NORN_SCOPE_SERIES   /* index: series of the table */
} norn_scope;

typedef struct norn_estimate {
    double value;     /* NaN: undefined */
    double low, high; /* 95 % interval by the bootstrap; NaN: none (only pooled figures have one) */
    size_t undefined; /* rows, series or forecasts (by the formula's mean) that had to be left out */
} norn_estimate;

/* ---- a backtest ---------------------------------------------------------------------------------------- */

typedef struct norn_backtest_options {
    size_t size;
    size_t horizon;     /* h; 0: the season if above 1, else a tenth of the rows, at most 24 */
    size_t folds;       /* K; 0: 5, fewer where the longest series has no rows for them */
    size_t step;        /* rows between cutoffs; 0: the horizon */
    size_t gap;         /* last rows before a cutoff that no fit sees */
    size_t train_rows;  /* rows that a fit sees; 0: all before */
    size_t refit_every; /* cutoffs served by one fit; 0: the first fit serves all */
    size_t season;      /* m; 0: by the step of the table; 1: none */
    size_t window;      /* W of WindowAverage, linear models and networks; 0: 2 h, between 8 and N/4 */
    const char *models; /* words separated by commas; NULL: those that stand in every backtest; "all": all
                           that need no training but ensembles; the name of a cell ("lstm": network->cell
                           where it is given) or the file of one: the network of norn_forecast_run, all folds
                           trained as members of one training */
    norn_compat compat;
    int64_t bootstrap; /* replicates of the intervals; -1: 1000, fewer for very many folds; 0: no intervals */
    uint64_t seed;     /* of the bootstrap */
    const norn_forecast_options *network; /* of networks: its horizon, window, season and holdout are not
                                             looked at; NULL: defaults. Not kept */
    size_t threads; /* that models without training run on; 0: one a core. Changes no result */
    norn_decompose
        decompose; /* in front of those of `models` that need no season themselves, which are called
                      "STL+Drift" then; not of networks, nor of what stands in every backtest */
    int curves;    /* 1: the losses of every epoch of networks are kept, for a report */
    size_t seasons[NORN_MOST_SEASONS]; /* that MSTL takes off, as in norn_forecast_options */
} norn_backtest_options;

#define NORN_BACKTEST_OPTIONS_INIT                                                                           \
    {                                                                                                        \
        .size = sizeof(norn_backtest_options), .refit_every = 1, .bootstrap = -1, .seed = 1                  \
    }

typedef struct norn_backtest norn_backtest;

/* Does a model of options->models train a network, for which norn_backtest_run needs a context? 1 or 0. */
int norn_backtest_needs_device(const norn_backtest_options *options);

/*
 * Runs all folds of all models. context may be NULL where no model is a network. The table must stay until
 * norn_backtest_free; it is changed only where network->consume_past is set. Errors: NORN_ERR_USAGE (an
 * option out of range, an unknown model, no series with rows enough; the message names the flag),
 * NORN_ERR_CANCELLED, NORN_ERR_MEMORY; with a network those of norn_forecast_run.
 */
norn_status norn_backtest_run(norn_backtest **out, norn_context *context, norn_table *table,
                              const norn_backtest_options *options, const norn_host *host, norn_error *err);
void norn_backtest_free(norn_backtest *backtest); /* NULL: nothing */

/* ---- a backtest that was made elsewhere ---------------------------------------------------------------- */

/* Columns by their names; NULL: as Nixtla's tools write them. */
typedef struct norn_saved_options {
    size_t size;
    const char *id;     /* unique_id, where there is one; "": none, the file is of one series */
    const char *time;   /* ds */
    const char *cutoff; /* cutoff */
    const char *target; /* y */
    size_t season;      /* m; 0: by the step of the times; 1: none */
    norn_compat compat;
    int64_t bootstrap; /* as in norn_backtest_options */
    uint64_t seed;
} norn_saved_options;

#define NORN_SAVED_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        .size = sizeof(norn_saved_options), .bootstrap = -1, .seed = 1                                       \
    }

/*
 * Reads the forecasts of a cross-validation, unique_id,ds,cutoff,<model>...,y, and scores them. Columns
 * MODEL-lo-95 and MODEL-hi-95 are a band of MODEL; a row index and columns of text are passed over. *table,
 * the caller's and to be freed after *out, has the rows of the file as series, from the first cutoff on.
 *
 * The rows before are not there. So the scales of MASE and RMSSE are those of the rows of the file, the same
 * for all models, and not those of the rows a model was fitted on; and what needs the value at a cutoff is
 * undefined where no earlier fold has it. Models called Naive, SeasonalNaive, Naive2 and NLinear are what
 * others are compared with. Errors: NORN_ERR_DATA (with file, line, column), NORN_ERR_USAGE (a column that
 * does not exist), NORN_ERR_INPUT, NORN_ERR_MEMORY, NORN_ERR_CANCELLED.
 */
norn_status norn_backtest_read(norn_backtest **out, norn_table **table, norn_read_fn read, void *user,
                               const char *name, const norn_saved_options *options, const norn_host *host,
                               norn_error *err);

/* ---- what was done ------------------------------------------------------------------------------------- */

/* The options as they held: every 0 and -1 that stood for a default replaced. models is NULL. */
const norn_backtest_options *norn_backtest_settings(const norn_backtest *backtest);
const norn_decision *norn_backtest_decisions(const norn_backtest *backtest, size_t *count);

size_t norn_backtest_model_count(const norn_backtest *backtest);
const char *norn_backtest_model(const norn_backtest *backtest, size_t model); /* name of its column */
/* Wall time that fits and forecasts of a model took, in seconds. Never the same twice. */
void norn_backtest_durations(const norn_backtest *backtest, size_t model, double *fit, double *forecast);

/* Series of the table that were left out because they are short, and the rows that a series needs. */
size_t norn_backtest_needed(const norn_backtest *backtest);
size_t norn_backtest_skipped(const norn_backtest *backtest);
/* Pieces that another piece follows (norn_table_goes_on): networks learn from them, but none is scored. */
size_t norn_backtest_pieces(const norn_backtest *backtest);
int norn_backtest_includes(const norn_backtest *backtest, size_t series);

/* Rows that should be and are scored: folds * horizon of each included series, less missing truths. */
uint64_t norn_backtest_rows(const norn_backtest *backtest);
uint64_t norn_backtest_missing(const norn_backtest *backtest);
/* Rows that a model gave no finite forecast for: it was not scored on them. 0 but for networks that diverged.
 */
uint64_t norn_backtest_unforecast(const norn_backtest *backtest, size_t model);

/* Row of the series that is fold k's cutoff, and what a model forecast there: [h]. Only of included series;
 * NULL otherwise. Of a backtest that was read the row is SIZE_MAX where the series has no such fold. */
size_t norn_backtest_cutoff(const norn_backtest *backtest, size_t series, size_t fold);
const double *norn_backtest_forecast(const norn_backtest *backtest, size_t model, size_t series, size_t fold);

/* ---- how good it was ----------------------------------------------------------------------------------- */

/* NaN and 0 for an index that is not there. */
norn_estimate norn_backtest_metric(const norn_backtest *backtest, size_t model, norn_scope scope,
                                   size_t index, norn_metric metric);

/*
 * Are two models equally good? Diebold and Mariano (1995), with the correction and Student's t of Harvey,
 * Leybourne and Newbold (1997). The differential of a cutoff is the mean over its rows of |e_a| - |e_b|, with
 * several series of the errors over their series' scale of MASE; lags = ceil(h / step) - 1. Below 0: a is
 * better.
 */
typedef struct norn_comparison {
    size_t cutoffs; /* that both have errors of */
    size_t lags;
    double difference, statistic, p; /* p two-sided; NaN with less than NORN_COMPARISON_LEAST cutoffs, or
                                        where the two never differ */
    int no_lags;                     /* 1: the variance with lags was not above 0; it is that without */
} norn_comparison;
enum { NORN_COMPARISON_LEAST = 8 };
norn_comparison norn_backtest_compare(const norn_backtest *backtest, size_t a, size_t b);

/*
 * What is left in the errors. They stand one after another in the order of time, each row by its latest
 * forecast, series after series; with several series over their scale of MASE. White ones leave nothing to be
 * learnt; the errors of a horizon above 1 are never white.
 */
enum { NORN_RESIDUAL_LAGS = 48 };
typedef struct norn_residuals {
    size_t rows;
    double mean, deviation, skewness, kurtosis; /* kurtosis is 0 for the normal distribution */
    size_t lags;                                /* at most NORN_RESIDUAL_LAGS; 0: too few rows */
    double autocorrelation[NORN_RESIDUAL_LAGS + 1];
    double ljung_box, p;      /* of one series; NaN with several */
    size_t tested, not_white; /* series, and those of them with p < 0.05 */
} norn_residuals;
norn_residuals norn_backtest_residuals(const norn_backtest *backtest, size_t model);

#ifdef __cplusplus
}
#endif
#endif
