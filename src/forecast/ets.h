/*
 * Exponential smoothing as state-space models with one source of error (Hyndman, Koehler, Ord and Snyder
 * 2008): ETS(error, trend, season).
 *
 *   q_t = l + phi b                       one step ahead without the season; trend N: b = 0, undamped: phi =
 * 1 f_t = q_t,  q_t + s,  q_t s           season N, A, M; s the figure of the row's place in the season e_t =
 * y_t - f_t  or  (y_t - f_t) / f_t             error A or M, independent with deviation sigma d_t = y_t -
 * q_t,  y_t - s - q_t,  y_t / s - q_t    season N, A, M: what the level did not know l <- q_t + alpha d_t b
 * <- phi b + beta d_t    s <- s + gamma (y_t - q_t - s)  or  s + gamma (y_t / q_t - s)
 *
 * A missing value leaves the states as they would be without an error: l <- q_t, b <- phi b. Figures are kept
 * by (row of the series) mod m, so that phases hold when rows are left out.
 *
 * Forms: error A or M, trend N, A or Ad, season N, A or M, without A with season M, whose variance has no
 * bound: the forms of forecast::ets with its default restrictions. Multiplicative trends are left out, as by
 * its default. M as error or season needs values that are all above 0.
 */
#ifndef NORN_SRC_FORECAST_ETS_H
#define NORN_SRC_FORECAST_ETS_H

#include "forecast/forecaster.h"

typedef enum norn_ets_part { NORN_ETS_NONE = 0, NORN_ETS_ADDITIVE, NORN_ETS_MULTIPLICATIVE } norn_ets_part;

typedef struct norn_ets_form {
    const char *name; /* "ETS(M,Ad,N)" */
    norn_ets_part error, trend, season;
    bool damped;
} norn_ets_form;

/* Places in the table of forms that stand for models of their own. */
enum {
    NORN_ETS_ANN = 0,
    NORN_ETS_AAN = 1,
    NORN_ETS_AADN = 2,
    NORN_ETS_AAA = 4,
    NORN_ETS_MAM = 13,
    NORN_ETS_FORMS = 15
};
extern const norn_ets_form norn_ets_forms[NORN_ETS_FORMS];

/* What a fit finds: doubles alone, a forecaster's state. Behind it stand the figures of the season, [m] as
 * they are at `end` and [m] as they were at `begin`. */
typedef struct norn_ets {
    double form; /* place in the table; -1: none, the forecast is the naive one */
    double alpha, beta, gamma, phi;
    double level, trend;             /* as they are before row `end` */
    double first_level, first_trend; /* before row `begin` */
    double begin, end;               /* rows of the series */
    double count;                    /* values between them */
    double sigma;                    /* deviation of e: its squares over count less the numbers estimated */
    double likelihood;               /* log, with its constants */
    double aicc;                     /* INFINITY: too few values */
} norn_ets;

size_t norn_ets_size(size_t m);                               /* doubles of norn_ets with its figures */
double *norn_ets_season(norn_ets *ets);                       /* [m] at `end` */
double *norn_ets_first_season(norn_ets *ets, size_t m);       /* [m] at `begin` */
size_t norn_ets_numbers(const norn_ets_form *form, size_t m); /* estimated, sigma among them: of AICc */

/*
 * From form, the smoothing parameters and the first states, the rest: the states behind the view, count,
 * sigma, likelihood and AICc. view.first becomes `begin`.
 */
void norn_ets_filter(norn_ets *ets, size_t m, norn_view view);

/* Goes on from `end` over the rows of the view behind it. False where the view ends before `end`. */
bool norn_ets_follow(norn_ets *ets, size_t m, norn_view view);

/* Are the parameters such that what was long ago is forgotten: within the usual bounds, and are the roots of
 * the characteristic equation of the forecast within the unit circle? */
bool norn_ets_admissible(const norn_ets_form *form, size_t m, double alpha, double beta, double gamma,
                         double phi);

/*
 * The objective of fits, for tests too: count log(sum of e^2 + floor) + 2 sum log f (error M), which is -2
 * log likelihood but for a constant; INFINITY where a multiplicative form leaves the positive numbers. With
 * gradient [6 + m]: by alpha, beta, gamma, phi, level, trend and the figures. tape: 3 n doubles.
 */
typedef struct norn_ets_point {
    double alpha, beta, gamma, phi, level, trend;
    double *season; /* [m] figures; changed to those behind the last row */
} norn_ets_point;
double norn_ets_objective(const norn_ets_form *form, size_t m, norn_view view, double floor,
                          norn_ets_point *point, double *gradient, double *tape);

/* ---- fitting ---- */

/* Doubles of memory that a fit writes over. */
size_t norn_ets_work(const norn_forecaster_setup *setup);
/* Maximum likelihood of one form; `further`: looked for from several starts. False: too few values for the
 * form, or values that it cannot have; *ets has form -1 then. */
bool norn_ets_fit(norn_ets *ets, size_t form, bool further, const norn_forecaster_setup *setup,
                  norn_view train, double *work);
/* The form of least AICc. */
bool norn_ets_choose(norn_ets *ets, const norn_forecaster_setup *setup, norn_view train, double *work);

/* ---- forecasting, of the rows behind `past` ---- */

/* ets is not changed: its figures are followed in work [norn_ets_size(m)]. */
void norn_ets_forecast(const norn_ets *ets, const norn_forecaster_setup *setup, norn_view past, double *out,
                       double *work);
/* deviation [h] of the rows around their forecast, out [h]. */
void norn_ets_deviation(const norn_ets *ets, const norn_forecaster_setup *setup, norn_view past, double *out,
                        double *deviation, double *work);
void norn_ets_explain(const norn_ets *ets, const norn_forecaster_setup *setup, norn_explanation *out);

#endif
