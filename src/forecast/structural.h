/*
 * Structural time series (Harvey 1989): what is seen is the sum of parts that wander.
 *
 *   y_t = level_t + season_t + e_t                          e      ~ N(0, irregular)
 *   level_{t+1} = level_t + slope_t + u_t                   u      ~ N(0, level)
 *   slope_{t+1} = slope_t + z_t                             z      ~ N(0, slope)
 *   season_{t+1} = -(season_t + ... + season_{t-m+2}) + s_t  s     ~ N(0, season)
 *
 * Nothing is known of level, slope and season before the first row: the Kalman filter begins exactly diffuse
 * (Koopman 1997; Durbin and Koopman, "Time Series Analysis by State Space Methods", chapter 5), with one
 * variance matrix for what is unknown and one for the rest. A missing value is a row without an update.
 */
#ifndef NORN_SRC_FORECAST_STRUCTURAL_H
#define NORN_SRC_FORECAST_STRUCTURAL_H

#include "norn/forecast.h"

#include "base/base.h"

enum {
    NORN_STRUCTURAL_SEASON = 60,  /* a longer season is not modelled */
    NORN_STRUCTURAL_ROWS = 20000, /* that a fit looks at; older ones are left out beyond */
    NORN_STRUCTURAL_PARTS = 4
};

/* Variances by place; one that is not in the model is not looked at. */
enum { NORN_IRREGULAR, NORN_LEVEL, NORN_SLOPE, NORN_SEASON };

typedef struct norn_structural {
    size_t slope;  /* 1: it has one */
    size_t season; /* m; 1: none */
    double variance[NORN_STRUCTURAL_PARTS];
    double likelihood; /* log, diffuse */
    size_t rows;       /* values it was fitted on */
    size_t none;       /* 1: there was nothing to fit; the forecast is the naive one */
} norn_structural;

size_t norn_structural_states(const norn_structural *s); /* k: level, slope, m - 1 of the season */

/* Doubles of work of all but the smoother, for a season and views of at most so many rows. */
size_t norn_structural_work(size_t season, size_t rows);

/*
 * The diffuse log likelihood of y [n]; -INFINITY where fewer values are there than states. state [k] and
 * variance [k][k], as expected for row n; NULL: not wanted.
 */
double norn_structural_likelihood(const norn_structural *s, const double *y, size_t n, double *state,
                                  double *variance, double *work);

/* That of y [n] without missing values, all differences taken that make it stationary: the same but for a
 * constant that no variance changes. n more than there are states; work [norn_structural_work(s->season, n)].
 */
double norn_structural_differences(const norn_structural *s, const double *y, size_t n, double *work);

/* Finds the variances that make it largest. *s has slope and season, which it loses where there are too few
 * rows for them. */
void norn_structural_fit(norn_structural *s, const double *y, size_t n, const norn_cancel *cancel,
                         double *work);

/* out [h]: the rows after y [n]; deviation [h]: their standard deviations; NULL: not wanted. */
void norn_structural_forecast(const norn_structural *s, const double *y, size_t n, size_t h, double *out,
                              double *deviation, double *work);

/*
 * What is expected of every row from all rows, later ones too: states [n][k], and by norn_state parts
 * [NORN_STATES][n] and their standard errors [NORN_STATES][n], NaN for a part that is not in the model; NULL:
 * not wanted. The variances are taken for known, as in statsmodels. False with too few values. work
 * [norn_structural_smooth_work(s, n)]: some 4 sqrt(n) k^2 doubles.
 */
size_t norn_structural_smooth_work(const norn_structural *s, size_t n);
bool norn_structural_smooth(const norn_structural *s, const double *y, size_t n, double *states,
                            double *parts, double *errors, double *work);

#endif
