/*
 * ARIMA(p,d,q)(P,D,Q)m: with B y_t = y_{t-1} and w_t = (1 - B)^d (1 - B^m)^D y_t,
 *
 *   phi(B) Phi(B^m) (w_t - mean) = theta(B) Theta(B^m) e_t,   phi(B) = 1 - phi_1 B - ...,  theta(B) = 1 + ...
 *
 * (Box and Jenkins 1970). The likelihood is the exact one of w, by a filter whose start is the stationary
 * distribution; the automatic choice is that of Hyndman and Khandakar (2008). Missing values of w are skipped
 * by the filter.
 */
#ifndef NORN_SRC_FORECAST_ARIMA_H
#define NORN_SRC_FORECAST_ARIMA_H

#include "norn/base.h"

#include "base/base.h"

enum {
    NORN_ARIMA_LAGS = 5,     /* most p and q */
    NORN_ARIMA_SEASONS = 2,  /* most P and Q */
    NORN_ARIMA_SEASON = 366, /* a longer season is not modelled */
    NORN_ARIMA_ROWS = 20000  /* that a fit looks at; older ones are left out beyond */
};

typedef struct norn_arima {
    size_t p, d, q, sp, sd, sq; /* p, d, q, P, D, Q */
    size_t season;              /* m; 1: none, and P = D = Q = 0 */
    size_t constant;            /* 1: the mean is fitted, 0: it is 0 */
    double phi[NORN_ARIMA_LAGS], theta[NORN_ARIMA_LAGS];
    double sphi[NORN_ARIMA_SEASONS], stheta[NORN_ARIMA_SEASONS];
    double mean, variance; /* of w; of e, with its degrees of freedom */
    double likelihood;     /* log */
    double aicc;
    size_t rows; /* values of w it was fitted on */
    size_t none; /* 1: there was nothing to fit; the forecast is the naive one */
} norn_arima;

/* Of parameters that are fitted, the variance among them. */
size_t norn_arima_parameters(const norn_arima *a);
/* Rows at the beginning that have no w: d + m D. */
size_t norn_arima_lost(const norn_arima *a);

/* w [n - lost] from y [n]; NaN where a value is missing. Returns how many. */
size_t norn_arima_difference(const norn_arima *a, const double *y, size_t n, double *w);

/* Doubles of work for the functions below, with a season and views of at most `rows` rows. */
size_t norn_arima_work(size_t season, size_t rows, size_t horizon);

/*
 * The exact log likelihood of w [n] with the variance that makes it largest, which goes to *variance.
 * expected [n]: what each row was expected to be, and [n, n + h) the rows after; NULL: not wanted. -INFINITY
 * where the model is not stationary.
 */
double norn_arima_likelihood(const norn_arima *a, const double *w, size_t n, double *variance,
                             double *expected, size_t h, double *work);
/* The same by conditional sum of squares: the first rows are taken as they are. */
double norn_arima_conditional(const norn_arima *a, const double *w, size_t n, double *variance, double *work);

/* Fits all that is not an order: *a has the orders and comes back with the rest. y [n]. exact false: by
 * conditional sum of squares. False where it cannot be had. work [norn_arima_work]. */
bool norn_arima_fit(norn_arima *a, const double *y, size_t n, bool exact, const norn_cancel *cancel,
                    double *work);

/* Orders and all else. a->season has the season. */
void norn_arima_choose(norn_arima *a, const double *y, size_t n, const norn_cancel *cancel, double *work);

/* out [h]: the rows after y [n]. deviation [h]: their standard deviations; NULL: not wanted. */
void norn_arima_forecast(const norn_arima *a, const double *y, size_t n, size_t h, double *out,
                         double *deviation, double *work);

#endif
