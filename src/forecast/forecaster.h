/*
 * The forecasters that need no device, behind one interface: each is a row of one table and a file model_*.c
 * of its own. They look at one series at a time.
 *
 * A forecaster is fitted on rows up to a cutoff, and forecasts the h rows after a cutoff, the same one or a
 * later one. It sees a norn_view: what lies behind the view's last row is not there for it. Values may be
 * missing (NaN); a forecast is missing only where the view holds no value at all. Fitting and forecasting
 * neither fail nor allocate: the size of everything follows from the setup, and where the rows do not suffice
 * for a method it gives the naive forecast.
 */
#ifndef NORN_SRC_FORECAST_FORECASTER_H
#define NORN_SRC_FORECAST_FORECASTER_H

#include "norn/forecast.h"

#include "base/base.h"

/* Rows of one series that may be seen. */
typedef struct norn_view {
    const double *y; /* [n] NaN: missing */
    size_t n;
    size_t first; /* row of y[0] in its series: what the phase of a season is counted from */
} norn_view;

typedef struct norn_forecaster_setup {
    size_t horizon;            /* h >= 1 */
    size_t season;             /* m >= 1; 1: none */
    size_t window;             /* W >= 1: rows that WindowAverage and the linear models look at */
    size_t rows;               /* the most rows that any view has */
    uint64_t seed;             /* of intervals that are simulated, the same for every series */
    const norn_cancel *cancel; /* raised, a long fit may end where it is: what it found is not used. NULL:
                                  never */
    norn_decompose decompose;  /* what is taken off and laid on again around the forecaster (decompose.h),
                                  which  then sees no season */
    const size_t *seasons;     /* of it, ascending and ended by 0; NULL: by rule (decompose.h) */
    bool states;               /* there is room wanted for norn_fitted_smooth */
} norn_forecaster_setup;

/* Lines of what a fit found. Those beyond `most` are counted and not written. */
typedef struct norn_explanation {
    norn_explained *lines; /* [most] NULL where most is 0 */
    size_t most, count;
} norn_explanation;

typedef struct norn_forecaster {
    const char *name;  /* the column of its forecasts: "SeasonalNaive" */
    const char *word;  /* what a command line calls it: "seasonal-naive" */
    const char *text;  /* what it does, in one line */
    const char *paper; /* where it comes from: "Holt (1957)"; NULL: common knowledge */
    bool seasonal;     /* without a season it is the naive forecast, or another model */
    /* Rows with a value that its method needs; with fewer it gives the naive forecast. NULL: one. */
    size_t (*least)(const norn_forecaster_setup *setup);
    /* Doubles of what a fit finds, and doubles of memory that both calls may write over. NULL: none. */
    size_t (*state)(const norn_forecaster_setup *setup);
    size_t (*work)(const norn_forecaster_setup *setup);
    /* NULL: there is nothing to fit. state [state(setup)] is written whole. */
    void (*fit)(const norn_forecaster_setup *setup, norn_view train, double *state, double *work);
    /* out [h]: the rows after the last of `past`. */
    void (*forecast)(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work);
    /* lower, upper [levels][h]: under the model the row lies between them with the probability level[i], in
     * (0, 1). Called after the forecast of the same `past`; NaN where there is none. NULL: it has none. */
    void (*interval)(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work);
    void (*explain)(const norn_forecaster_setup *setup, const double *state, norn_explanation *out);
    /* Smoothed states of the rows of `past` by norn_state, parts and errors [NORN_STATES][past.n], NaN where
     * a part is not in the model; false: too few values. NULL: it has none. */
    size_t (*smooth_work)(const norn_forecaster_setup *setup);
    bool (*smooth)(const norn_forecaster_setup *setup, const double *state, norn_view past, double *parts,
                   double *errors, double *work);
} norn_forecaster;

extern const norn_forecaster norn_model_naive, norn_model_seasonal_naive, norn_model_drift,
    norn_model_window_average, norn_model_nlinear, norn_model_dlinear, norn_model_naive2,
    norn_model_naive2_steps, norn_model_ses, norn_model_holt, norn_model_damped_holt, norn_model_holt_winters,
    norn_model_holt_winters_multiplicative, norn_model_ets, norn_model_comb, norn_model_theta,
    norn_model_optimised_theta, norn_model_dynamic_optimised_theta, norn_model_croston,
    norn_model_croston_sba;
extern const norn_forecaster norn_model_ar, norn_model_ar_burg, norn_model_arima, norn_model_local_level,
    norn_model_local_trend, norn_model_structural, norn_model_hmm, norn_model_markov, norn_model_garch,
    norn_model_ensemble, norn_model_ensemble_weighted;

/* All of them, in the order of reports. */
const norn_forecaster *const *norn_forecasters(size_t *count);
/* By name or word, capitals and small letters alike; "linear" is NLinear. NULL: none. */
const norn_forecaster *norn_forecaster_find(const char *word, size_t length);

/* ---- one forecaster with its memory ---------------------------------------------------------------------
 */

typedef struct norn_fitted norn_fitted;

norn_status norn_fitted_new(norn_fitted **out, const norn_forecaster *kind,
                            const norn_forecaster_setup *setup, const norn_host *host, norn_error *err);
/* As often as wanted; a fit replaces the one before. train.n >= 1 and at most setup.rows. */
void norn_fitted_fit(norn_fitted *fitted, norn_view train);
/* After a fit. past.n >= 1 and at most setup.rows; out [h]. */
void norn_fitted_forecast(norn_fitted *fitted, norn_view past, double *out);
/* After the forecast of the same `past`; lower, upper [levels][h]. False, and all NaN, where the kind has
 * none. */
bool norn_fitted_interval(norn_fitted *fitted, norn_view past, const double *level, size_t levels,
                          double *lower, double *upper);
/* After a fit, appended to *out. A kind without parameters has no line. */
void norn_fitted_explain(const norn_fitted *fitted, norn_explanation *out);
/* After a fit, with setup.states: parts, errors [NORN_STATES][past.n]. False where the kind has no states, or
 * these rows too few values for them. */
bool norn_fitted_smooth(norn_fitted *fitted, norn_view past, double *parts, double *errors);
void norn_fitted_free(norn_fitted *fitted); /* NULL: nothing */

/* ---- shared by the models -------------------------------------------------------------------------------
 */

/* The last value that is not missing; NaN when all are. */
double norn_view_last(norn_view view);

/* Numbers of a state, or of work, that many have: one; a mean and a deviation of each row ahead. */
size_t norn_one_number(const norn_forecaster_setup *setup);
size_t norn_two_rows_ahead(const norn_forecaster_setup *setup);

/*
 * The view without missing values, filled [n]: one is the value a season before it, without a season or in
 * the first one the last value. Returns the row of the first value, below which nothing is written; n: none.
 */
size_t norn_view_fill(norn_view view, size_t season, double *filled);

/*
 * The deviation of a row's step, of a walk with that drift: root of the mean of (step - rows drift)^2 / rows
 * over the steps from value to value, `estimated` parameters taken off their number. NaN with no more steps
 * than these.
 */
double norn_walk_deviation(norn_view view, double drift, size_t estimated);
/* Rows behind the last value of the view; all of them where there is none. */
size_t norn_view_late(norn_view view);

/* One line of an explanation; value by a format. */
void norn_explain(norn_explanation *out, const char *name, const char *meaning, const char *format, ...)
    NORN_PRINTF(4, 5);

/* The quantile of the standard normal distribution at p, in (0, 1), to some 1e-15. */
double norn_normal_quantile(double p);
/* Around out[j] +- sd[j] z for each level: [levels][h]. */
void norn_normal_interval(const double *mean, const double *sd, size_t h, const double *level, size_t levels,
                          double *lower, double *upper);

#endif
