/*
 * The variances of structural models by maximum likelihood: see structural.h.
 *
 * Without missing values the likelihood that is searched is that of w, the series with all differences taken
 * that make it stationary: (1 - B) for the level, once more for a slope, 1 + B + ... + B^(m-1) for a season.
 * What is unknown of the first states is gone from w, so that its likelihood is the diffuse one of the series
 * but for a constant. w is a moving average of at most m + 1 rows, and its autocovariances are linear in the
 * variances: the factor of its covariance comes from Schur's algorithm (Kailath and Sayed 1995) in some 6 m
 * operations a row, where the Kalman filter takes 6 m^2. With missing values, and where the two do not agree
 * at the end, it is the filter's that is searched.
 */
#include "forecast/structural.h"

#include "forecast/minimise.h"

#include <math.h>
#include <string.h>

static const double log_2_pi = 1.8378770664093454836;

enum { MOST_LAG = NORN_STRUCTURAL_SEASON + 1, LAGS = MOST_LAG + 1 };

static size_t most_states(size_t season)
{
    return 2 + (season > 1 && season <= NORN_STRUCTURAL_SEASON ? season - 1 : 0);
}

size_t norn_structural_work(size_t season, size_t rows)
{
    const size_t k = most_states(season);
    return 3 * k * k + 8 * k + 64 + (NORN_STRUCTURAL_PARTS + 3) * LAGS +
           3 * (rows < NORN_STRUCTURAL_ROWS ? rows : NORN_STRUCTURAL_ROWS);
}

/* ---- the likelihood of the differences ---- */

typedef struct differences {
    size_t lag;          /* q: autocovariances of w beyond are 0 */
    size_t rows;         /* N of w */
    const double *w;     /* [N] */
    const double *units; /* [parts][LAGS] autocovariances by lag of a part of variance 1 */
    double *spare;       /* [N + 3 LAGS] */
} differences;

/* c [*length] times 1 - B, or 1 + B + ... + B^(m-1), in place. */
static void times_difference(double *c, size_t *length)
{
    c[*length] = 0.0;
    for (size_t i = (*length)++; i > 0; i--) c[i] -= c[i - 1];
}
static void times_sum(double *c, size_t *length, size_t m)
{
    double sum = 0.0, out[LAGS + 1];
    const size_t longer = *length + m - 1;
    for (size_t i = 0; i < longer; i++) {
        if (i < *length) sum += c[i];
        if (i >= m) sum -= c[i - m];
        out[i] = sum;
    }
    memcpy(c, out, longer * sizeof *c);
    *length = longer;
}

/* What a part's noise looks like in w: all differences but those that it has itself. */
static size_t noise_of(const norn_structural *s, size_t part, double c[LAGS + 1])
{
    static const size_t own[] = {[NORN_IRREGULAR] = 0, [NORN_LEVEL] = 1, [NORN_SLOPE] = 2, [NORN_SEASON] = 0};
    size_t length = 1;
    c[0] = 1.0;
    for (size_t i = own[part]; i < 1 + s->slope; i++) times_difference(c, &length);
    if (s->season > 1 && part != NORN_SEASON) times_sum(c, &length, s->season);
    return length;
}

/* y [n] becomes w, in place; units [parts][LAGS]. */
static void take_differences(differences *d, const norn_structural *s, double *y, size_t n, double *units)
{
    double c[LAGS + 1];
    d->lag = 0;
    memset(units, 0, NORN_STRUCTURAL_PARTS * LAGS * sizeof *units);
    for (size_t part = 0; part < NORN_STRUCTURAL_PARTS; part++) {
        if ((part == NORN_SLOPE && !s->slope) || (part == NORN_SEASON && s->season < 2)) continue;
        const size_t length = noise_of(s, part, c);
        for (size_t lag = 0; lag < length; lag++)
            for (size_t i = lag; i < length; i++) units[part * LAGS + lag] += c[i] * c[i - lag];
        if (length - 1 > d->lag) d->lag = length - 1;
    }
    /* y - y_{t-1}, or of y_{t-m} for level and season at once, then again for the slope */
    const size_t far = s->season > 1 ? s->season : 1;
    for (size_t t = n; t-- > far;) y[t] -= y[t - far];
    for (size_t t = n; s->slope && t-- > far + 1;) y[t] -= y[t - 1];
    d->w = y + far + s->slope;
    d->rows = n - far - s->slope;
    d->units = units;
}

/*
 * Schur's algorithm: the covariance T less itself shifted by a row and column is u u' - v v'. A rotation that
 * makes the first of v 0 leaves in u the next column of T's triangular factor; both are [q + 1] from the row
 * at hand on.
 */
static double likelihood_of_differences(const differences *d, const norn_structural *s)
{
    const size_t q = d->lag, n = d->rows;
    double *const rest = d->spare, *const u = rest + n, *const v = u + LAGS, sum = 0.0, determinant = 1.0;
    memset(u, 0, 2 * LAGS * sizeof *u);
    for (size_t part = 0; part < NORN_STRUCTURAL_PARTS; part++)
        for (size_t j = 0; j <= q; j++) u[j] += s->variance[part] * d->units[part * LAGS + j];
    const double first = sqrt(u[0]);
    if (!(first > 0.0) || !isfinite(first)) return -INFINITY;
    for (size_t j = 0; j <= q; j++) u[j] /= first;
    for (size_t j = 0; j < q; j++) v[j] = u[j + 1];
    memcpy(rest, d->w, n * sizeof *rest);
    bool still = false; /* the factor's columns no longer change */
    for (size_t t = 0; t < n; t++) {
        const double z = rest[t] / u[0];
        const size_t ahead = q < n - 1 - t ? q : n - 1 - t;
        for (size_t j = 1; j <= ahead; j++) rest[t + j] -= u[j] * z;
        sum += z * z;
        determinant *= u[0];
        if (!(determinant > 1e-250 && determinant < 1e250)) { /* a logarithm now and then, not of every row */
            sum += 2.0 * log(determinant);
            determinant = 1.0;
        }
        if (still) continue;
        const double rho = v[0] / u[0], root = sqrt(1.0 - rho * rho);
        if (!(root > 0.0)) return -INFINITY;
        const double by = 1.0 / root;
        double gone = 0.0;
        for (size_t j = 0; j <= q; j++) {
            u[j] = by * (u[j] - rho * v[j]);
            v[j] = root * v[j] - rho * u[j];
            gone += v[j] * v[j];
        }
        for (size_t j = 0; j < q; j++) v[j] = v[j + 1];
        v[q] = 0.0;
        still = gone <= 1e-30 * u[0] * u[0];
    }
    return -0.5 * (sum + 2.0 * log(determinant) + (double)n * log_2_pi);
}

double norn_structural_differences(const norn_structural *s, const double *y, size_t n, double *work)
{
    double *const taken = work, *const units = taken + n;
    differences d = {.spare = units + NORN_STRUCTURAL_PARTS * LAGS};
    memcpy(taken, y, n * sizeof *taken);
    take_differences(&d, s, taken, n, units);
    return likelihood_of_differences(&d, s);
}

/* ---- fitting ---- */

typedef struct problem {
    norn_structural *model;
    const differences *differences; /* NULL: by the filter */
    const double *y;
    size_t n;
    double *work;
    const norn_cancel *cancel;
} problem;

/* Variables are standard deviations: a variance of 0 is an ordinary minimum. */
static void read_variables(norn_structural *s, const double *x)
{
    s->variance[NORN_IRREGULAR] = *x * *x;
    x++;
    s->variance[NORN_LEVEL] = *x * *x;
    x++;
    s->variance[NORN_SLOPE] = s->slope ? *x * *x : 0.0;
    x += s->slope;
    s->variance[NORN_SEASON] = s->season > 1 ? *x * *x : 0.0;
}

static double minus_likelihood(void *user, const double *x, double *gradient)
{
    const problem *const f = user;
    (void)gradient;
    if (norn_cancel_raised(f->cancel)) return NAN;
    read_variables(f->model, x);
    if (f->differences) return -likelihood_of_differences(f->differences, f->model);
    return -norn_structural_likelihood(f->model, f->y, f->n, NULL, NULL, f->work);
}

/* From each of the starts; the least of minus the log likelihood, and best [parts] where it is. */
static double search(problem *f, double *best, double *minimiser)
{
    /* the shares of irregular, level, slope and season that a search begins with */
    static const double starts[][NORN_STRUCTURAL_PARTS] = {
        {0.5, 0.3, 0.03, 0.1}, {0.1, 0.6, 0.1, 0.3}, {0.7, 0.1, 0.005, 0.02}};
    const norn_structural *s = f->model;
    double least = INFINITY, x[NORN_STRUCTURAL_PARTS];
    const norn_objective objective = {.n = 2 + s->slope + (s->season > 1 ? 1 : 0),
                                      .value = minus_likelihood,
                                      .user = f,
                                      .differences = true};
    for (size_t k = 0; k < NORN_COUNT(starts); k++) {
        size_t at = 0;
        for (size_t i = 0; i < NORN_STRUCTURAL_PARTS; i++)
            if ((i != NORN_SLOPE || s->slope) && (i != NORN_SEASON || s->season > 1)) x[at++] = starts[k][i];
        const double found = norn_minimise(&objective, x, 200, 1e-7, minimiser);
        if (!(found < least)) continue;
        least = found;
        memcpy(best, x, sizeof x);
    }
    return least;
}

void norn_structural_fit(norn_structural *s, const double *y, size_t n, const norn_cancel *cancel,
                         double *work)
{
    double low = INFINITY, high = -INFINITY, sum = 0.0, squares = 0.0, last = NAN;
    double best[NORN_STRUCTURAL_PARTS] = {0.0}, likelihood;
    size_t moves = 0;
    if (n > NORN_STRUCTURAL_ROWS) {
        y += n - NORN_STRUCTURAL_ROWS;
        n = NORN_STRUCTURAL_ROWS;
    }
    s->rows = 0;
    s->none = 0;
    s->likelihood = NAN;
    for (size_t i = 0; i < NORN_STRUCTURAL_PARTS; i++) s->variance[i] = 0.0;
    if (s->season > NORN_STRUCTURAL_SEASON) s->season = 1;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(y[i])) continue;
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
        sum += y[i];
        if (s->rows++) {
            squares += (y[i] - last) * (y[i] - last);
            moves++;
        }
        last = y[i];
    }
    if (s->season > 1 && s->rows < 2 * s->season + 2) s->season = 1;
    if (s->rows < 6) s->slope = 0;
    s->none = s->rows < 3;
    if (s->none) return;
    double *const scaled = work, *const minimiser = scaled + n, *const units = minimiser + 64,
                  *const spare = units + NORN_STRUCTURAL_PARTS * LAGS, *const taken = spare + n + 3 * LAGS,
                  *const filtering = taken + n;
    /* the scale is that of the steps from value to value, which no level changes */
    const double scale = sqrt(squares / (double)moves), mean = sum / (double)s->rows;
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high))) || !(scale > 0.0) || !isfinite(scale)) {
        s->slope = 0;
        s->season = 1;
        return; /* a constant: all variances are 0 */
    }
    for (size_t i = 0; i < n; i++) scaled[i] = isfinite(y[i]) ? (y[i] - mean) / scale : NAN;
    problem f = {.model = s, .y = scaled, .n = n, .work = filtering, .cancel = cancel};
    differences d = {.spare = spare};
    if (s->rows == n) {
        memcpy(taken, scaled, n * sizeof *taken);
        take_differences(&d, s, taken, n, units);
        f.differences = &d;
    }
    double least = search(&f, best, minimiser);
    read_variables(s, best);
    likelihood = norn_structural_likelihood(s, scaled, n, NULL, NULL, filtering);
    if (f.differences) {
        /* what the two differ by is the same for all variances: at the best, and at even shares */
        static const double even[NORN_STRUCTURAL_PARTS] = {0.5, 0.5, 0.5, 0.5};
        norn_structural other = *s;
        read_variables(&other, even);
        const double apart = norn_structural_likelihood(&other, scaled, n, NULL, NULL, filtering) -
                             likelihood_of_differences(&d, &other);
        if (!(fabs(likelihood + least - apart) < 1e-5 * (1.0 + fabs(apart)))) {
            f.differences = NULL;
            least = search(&f, best, minimiser);
            read_variables(s, best);
            likelihood = -least;
        }
    }
    if (!isfinite(likelihood)) {
        s->none = 1;
        return;
    }
    for (size_t i = 0; i < NORN_STRUCTURAL_PARTS; i++) s->variance[i] *= scale * scale;
    s->likelihood =
        likelihood - (double)s->rows * log(scale) + (double)norn_structural_states(s) * log(scale);
}
