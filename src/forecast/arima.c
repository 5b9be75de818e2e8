/*
 * Likelihood and forecasts of an ARIMA model: see arima.h.
 *
 * With phi and theta multiplied out to r coefficients the model is a state space of r states (Harvey 1981):
 *
 *   w_t = mean + s_0,   s' = T s + (1, theta_1, ..., theta_{r-1}) e,   (T s)_i = phi_{i+1} s_0 + s_{i+1}
 *
 * Gardner (1980) starts the filter with the variance of s in equilibrium. It follows from the
 * autocovariances, those of the autoregressive part by Levinson's recursion; only its first row is needed,
 * because without missing values the recursions of Morf, Sidhu and Kailath (1974, "Chandrasekhar") carry the
 * change of the variance as one vector in place of the variance as a matrix: r operations a row instead of
 * r^2. With missing values the matrix is carried.
 */
#include "forecast/arima.h"

#include <math.h>
#include <string.h>

/* ---- polynomials ---- */

enum { MOST_TERMS = (NORN_ARIMA_LAGS + 1) * (NORN_ARIMA_SEASONS + 1) };

/* What is not 0 of one multiplied out, without its 1. */
typedef struct terms {
    size_t lag[MOST_TERMS];
    double weight[MOST_TERMS];
    size_t count, degree;
} terms;

/* (1 + sign x_1 B + ...)(1 + sign z_1 B^m + ...), less 1, times sign. */
static terms multiply(const double *x, size_t nx, const double *z, size_t nz, size_t m, double sign)
{
    terms out = {.count = 0, .degree = nx + m * nz};
    for (size_t i = 0; i <= nx; i++)
        for (size_t j = 0; j <= nz; j++) {
            if (i + j == 0) continue;
            const double a = i ? sign * x[i - 1] : 1.0, b = j ? sign * z[j - 1] : 1.0;
            out.lag[out.count] = i + m * j;
            out.weight[out.count++] = sign * a * b;
        }
    return out;
}

static terms autoregressive(const norn_arima *a)
{
    return multiply(a->phi, a->p, a->sphi, a->sp, a->season, -1.0);
}

static terms moving(const norn_arima *a)
{
    return multiply(a->theta, a->q, a->stheta, a->sq, a->season, 1.0);
}

static void spread(const terms *t, double *dense, size_t r)
{
    memset(dense, 0, r * sizeof *dense);
    for (size_t k = 0; k < t->count; k++) dense[t->lag[k] - 1] += t->weight[k];
}

size_t norn_arima_parameters(const norn_arima *a)
{
    return a->p + a->q + a->sp + a->sq + a->constant + 1;
}

size_t norn_arima_lost(const norn_arima *a)
{
    return a->d + a->season * a->sd;
}

/* Most states of a model with this season. */
static size_t most_states(size_t season)
{
    return NORN_ARIMA_LAGS + 1 +
           (season > 1 && season <= NORN_ARIMA_SEASON ? NORN_ARIMA_SEASONS * season : 0);
}

/* What a filter needs (see begin), and beyond it the most that forecasts, fits and choices do: the rows of
 * STL, of w and of the two that stand beside it, and the memory of the minimiser. */
size_t norn_arima_work(size_t season, size_t rows, size_t horizon)
{
    const size_t r = most_states(season);
    return 10 * r + 8 + r * r + 13 * (rows + horizon) + 6 * (season > rows ? rows : season) + 16 * 24;
}

size_t norn_arima_difference(const norn_arima *a, const double *y, size_t n, double *w)
{
    const size_t lost = norn_arima_lost(a), seasonal = a->season * a->sd;
    if (n <= lost) return 0;
    size_t count = n - seasonal;
    for (size_t i = 0; i < count; i++) {
        w[i] = seasonal ? y[i + seasonal] - y[i] : y[i];
        if (!isfinite(w[i])) w[i] = NAN;
    }
    for (size_t k = 0; k < a->d; k++, count--)
        for (size_t i = 0; i + 1 < count; i++) w[i] = w[i + 1] - w[i];
    return count;
}

/* ---- where the filter starts ---- */

/* Autocovariances [count] of 1 / phi(B) e, count > r; false where it is not stationary. row, step [r]. */
static bool autocovariances(const terms *phi, size_t degree, double *out, size_t count, double *row,
                            double *step)
{
    spread(phi, row, degree);
    double variance = 1.0;
    for (size_t k = degree; k > 0; k--) { /* down to the partial autocorrelations, kept in their places */
        const double reflection = row[k - 1], rest = 1.0 - reflection * reflection;
        if (!(rest > 1e-12)) return false;
        variance /= rest;
        for (size_t i = 0; i + 1 < k; i++) step[i] = (row[i] + reflection * row[k - 2 - i]) / rest;
        memcpy(row, step, (k - 1) * sizeof *row);
    }
    /* and up again: at order k row has its coefficients in front of the reflections that are left */
    out[0] = variance;
    for (size_t k = 1; k <= degree; k++) {
        const double reflection = row[k - 1];
        for (size_t i = 0; i + 1 < k; i++) step[i] = row[i] - reflection * row[k - 2 - i];
        memcpy(row, step, (k - 1) * sizeof *row);
        out[k] = 0.0;
        for (size_t i = 0; i < k; i++) out[k] += row[i] * out[k - 1 - i];
    }
    for (size_t k = degree + 1; k < count; k++) {
        out[k] = 0.0;
        for (size_t i = 0; i < phi->count; i++) out[k] += phi->weight[i] * out[k - phi->lag[i]];
    }
    return isfinite(variance);
}

typedef struct filter {
    size_t r;
    terms ar, ma;
    double *phi, *theta; /* [r] theta_0 = 1 stands at 0, phi_1 at 0 */
    double *first;       /* [r] of the variance: its first row */
    double *state, *gain, *direction, *next;
    double *variance, *spare; /* [r][r], [r] */
} filter;

static bool begin(filter *f, const norn_arima *a, double *work)
{
    f->ar = autoregressive(a);
    f->ma = moving(a);
    f->r = f->ar.degree > f->ma.degree + 1 ? f->ar.degree : f->ma.degree + 1;
    const size_t r = f->r, count = 2 * r + 1;
    f->phi = work;
    f->theta = f->phi + r;
    f->first = f->theta + r;
    f->state = f->first + r;
    f->gain = f->state + r;
    f->direction = f->gain + r;
    f->next = f->direction + r;
    double *const plain = f->next + r; /* [2r + 1] */
    f->spare = plain + count;
    f->variance = f->spare + r;
    if (!autocovariances(&f->ar, f->ar.degree, plain, count, f->gain, f->direction)) return false;
    spread(&f->ar, f->phi, r);
    f->theta[0] = 1.0;
    spread(&f->ma, f->theta + 1, r - 1);
    /* psi, and the autocovariances of theta(B) times that: gamma_k = sum theta_i theta_j plain_{k+i-j} */
    double *const psi = f->gain, *const gamma = f->direction; /* gamma [r + 1] runs on into next */
    for (size_t k = 0; k < r; k++) {
        psi[k] = f->theta[k];
        for (size_t i = 0; i < f->ar.count; i++)
            if (f->ar.lag[i] <= k) psi[k] += f->ar.weight[i] * psi[k - f->ar.lag[i]];
    }
    for (size_t k = 0; k <= r; k++) {
        double sum = plain[k];
        for (size_t i = 0; i < f->ma.count; i++) {
            const size_t lag = f->ma.lag[i];
            sum += f->ma.weight[i] * (plain[k + lag] + plain[k > lag ? k - lag : lag - k]);
            for (size_t j = 0; j < f->ma.count; j++) {
                const size_t up = k + lag, down = f->ma.lag[j];
                sum += f->ma.weight[i] * f->ma.weight[j] * plain[up > down ? up - down : down - up];
            }
        }
        gamma[k] = sum;
    }
    /* s_j = sum over k >= j of phi_{k+1} x_{t-1-(k-j)} + theta_k e_{t-(k-j)} */
    for (size_t j = 0; j < r; j++) {
        double sum = 0.0;
        for (size_t k = j; k < r; k++) sum += f->phi[k] * gamma[1 + k - j] + f->theta[k] * psi[k - j];
        f->first[j] = sum;
    }
    memset(f->state, 0, r * sizeof *f->state);
    return isfinite(f->first[0]) && f->first[0] > 0.0;
}

/* out = T in. */
static void advance(const filter *f, const double *in, double *out)
{
    const size_t r = f->r;
    const double head = in[0];
    for (size_t i = 0; i + 1 < r; i++) out[i] = f->phi[i] * head + in[i + 1];
    out[r - 1] = f->phi[r - 1] * head;
}

static void swap(double **a, double **b)
{
    double *const kept = *a;
    *a = *b;
    *b = kept;
}

typedef struct sums {
    double squares, logs;
    size_t rows;
} sums;

/* Without missing values. */
static sums filter_whole(filter *f, const double *w, size_t n, double mean, double *expected)
{
    const size_t r = f->r;
    double fall = f->first[0];
    sums out = {0.0, 0.0, n};
    advance(f, f->first, f->gain);
    memcpy(f->direction, f->gain, r * sizeof *f->gain);
    double weight = -1.0 / fall;
    bool moves = true; /* until the variance stands still */
    for (size_t t = 0; t < n; t++) {
        const double v = w[t] - mean - f->state[0];
        if (expected) expected[t] = mean + f->state[0];
        out.squares += v * v / fall;
        out.logs += log(fall);
        advance(f, f->state, f->next);
        const double by = v / fall;
        for (size_t i = 0; i < r; i++) f->next[i] += f->gain[i] * by;
        swap(&f->state, &f->next);
        if (!moves) continue;
        /* with the change of the variance L M L': L = direction, M = weight */
        const double s = f->direction[0], change = weight * s * s, ratio = s / fall, ms = weight * s;
        advance(f, f->direction, f->next);
        for (size_t i = 0; i < r; i++) {
            const double moved = f->next[i], old = f->gain[i];
            f->gain[i] = old + moved * ms;
            f->direction[i] = moved - old * ratio;
        }
        const double now = fall + change;
        if (!(now > 0.0)) return (sums){NAN, NAN, n};
        weight *= fall / now;
        fall = now;
        if (fall - 1.0 < 1e-13) moves = false;
    }
    return out;
}

/* A value's part in row i of P: from its diagonal on, old being the first row. */
static void take_off(double *restrict row, const double *restrict old, double by, size_t i, size_t r)
{
    for (size_t j = i; j < r; j++) row[j] -= by * old[j];
}

/* Row i of T P T' + R R', from its diagonal on; under is row i + 1 of P, NULL for the last. */
static void move_row(double *restrict row, const double *restrict under, const double *restrict old,
                     const double *restrict phi, const double *restrict theta, size_t i, size_t r)
{
    const double own = phi[i], noise = theta[i], above = under ? old[i + 1] : 0.0;
    for (size_t j = i; j + 1 < r; j++)
        row[j] = own * (phi[j] * old[0] + old[j + 1]) + phi[j] * above + noise * theta[j] + under[j + 1];
    row[r - 1] = own * phi[r - 1] * old[0] + phi[r - 1] * above + noise * theta[r - 1];
}

/* With them: the variance P itself, of which the upper triangle is kept. */
static sums filter_holes(filter *f, const double *w, size_t n, double mean, double *expected)
{
    const size_t r = f->r;
    double *const p = f->variance, *const old = f->spare;
    sums out = {0.0, 0.0, 0};
    /* P = T P T' + R R' runs down the diagonals from the first row */
    memcpy(p, f->first, r * sizeof *p);
    for (size_t i = 0; i + 1 < r; i++)
        for (size_t j = i; j + 1 < r; j++) {
            const double change = f->phi[i] * f->phi[j] * f->first[0] + f->phi[i] * f->first[j + 1] +
                                  f->phi[j] * f->first[i + 1] + f->theta[i] * f->theta[j];
            p[(i + 1) * r + j + 1] = p[i * r + j] - change;
        }
    for (size_t t = 0; t < n; t++) {
        const double fall = p[0];
        if (expected) expected[t] = mean + f->state[0];
        if (!(fall > 0.0)) return (sums){NAN, NAN, n};
        if (isfinite(w[t])) {
            const double v = w[t] - mean - f->state[0];
            out.squares += v * v / fall;
            out.logs += log(fall);
            out.rows++;
            memcpy(old, p, r * sizeof *old);
            for (size_t i = 0; i < r; i++) {
                const double by = old[i] / fall;
                f->state[i] += by * v;
                take_off(p + i * r, old, by, i, r);
            }
        }
        advance(f, f->state, f->next);
        swap(&f->state, &f->next);
        memcpy(old, p, r * sizeof *old);
        for (size_t i = 0; i < r; i++)
            move_row(p + i * r, i + 1 < r ? p + (i + 1) * r : NULL, old, f->phi, f->theta, i, r);
    }
    return out;
}

static double log_likelihood(sums s, double *variance)
{
    static const double log_2_pi = 1.8378770664093454836;
    const double rows = (double)s.rows;
    *variance = rows > 0.0 ? s.squares / rows : NAN;
    const double value = -0.5 * (rows * (log_2_pi + 1.0 + log(*variance)) + s.logs);
    return isnan(value) ? -INFINITY : value;
}

double norn_arima_likelihood(const norn_arima *a, const double *w, size_t n, double *variance,
                             double *expected, size_t h, double *work)
{
    filter f;
    bool whole = true;
    *variance = NAN;
    if (!begin(&f, a, work)) return -INFINITY;
    for (size_t t = 0; t < n && whole; t++) whole = isfinite(w[t]);
    const sums s = (whole ? filter_whole : filter_holes)(&f, w, n, a->mean, expected);
    for (size_t j = 0; j < h && expected; j++) {
        expected[n + j] = a->mean + f.state[0];
        advance(&f, f.state, f.next);
        swap(&f.state, &f.next);
    }
    return log_likelihood(s, variance);
}

double norn_arima_conditional(const norn_arima *a, const double *w, size_t n, double *variance, double *work)
{
    const terms ar = autoregressive(a), ma = moving(a);
    double *const x = work, *const e = work + n;
    sums s = {0.0, 0.0, 0};
    for (size_t t = 0; t < n; t++) {
        double expected = 0.0;
        e[t] = 0.0;
        x[t] = isfinite(w[t]) ? w[t] - a->mean : 0.0;
        if (t < ar.degree) continue;
        for (size_t k = 0; k < ar.count; k++) expected += ar.weight[k] * x[t - ar.lag[k]];
        for (size_t k = 0; k < ma.count; k++)
            if (ma.lag[k] <= t) expected += ma.weight[k] * e[t - ma.lag[k]];
        if (!isfinite(w[t])) {
            x[t] = expected;
            continue;
        }
        e[t] = x[t] - expected;
        s.squares += e[t] * e[t];
        s.rows++;
    }
    return log_likelihood(s, variance);
}

/* ---- forecasts ---- */

/* (1 - B)^d (1 - B^m)^D, less 1, times -1: what y is beyond w. */
static terms integrating(const norn_arima *a)
{
    static const double once[2] = {1.0, 0.0}, twice[2] = {2.0, -1.0};
    const double *const plain = a->d == 2 ? twice : once;
    return multiply(plain, a->d, once, a->sd, a->season, -1.0);
}

/* With y expected where it is missing. late: rows after the last value. */
void norn_arima_forecast(const norn_arima *a, const double *y, size_t n, size_t h, double *out,
                         double *deviation, double *work)
{
    const size_t lost = norn_arima_lost(a);
    size_t late = 0;
    double last = NAN, unused;
    for (; late < n && !isfinite(y[n - 1 - late]); late++) continue;
    if (late < n) last = y[n - 1 - late];
    for (size_t j = 0; j < h; j++) out[j] = last;
    for (size_t j = 0; j < h && deviation; j++) deviation[j] = NAN;
    if (a->none || late == n || n <= lost) return;
    const terms sum = integrating(a);
    double *const w = work, *const expected = w + n, *const values = expected + n + h,
                  *const rest = values + n + h;
    const size_t count = norn_arima_difference(a, y, n, w);
    if (norn_arima_likelihood(a, w, count, &unused, expected, h, rest) == -INFINITY) return;
    for (size_t t = 0; t < n + h; t++) {
        if (t < n && isfinite(y[t])) {
            values[t] = y[t];
            continue;
        }
        if (t < lost) { /* before the model says anything */
            values[t] = t ? values[t - 1] : last;
            for (size_t k = t; k < n && t == 0; k++)
                if (isfinite(y[k])) {
                    values[t] = y[k];
                    break;
                }
            continue;
        }
        values[t] = expected[t - lost];
        for (size_t k = 0; k < sum.count; k++) values[t] += sum.weight[k] * values[t - sum.lag[k]];
    }
    for (size_t j = 0; j < h; j++)
        if (isfinite(values[n + j])) out[j] = values[n + j];
    if (!deviation) return;
    /* psi of phi(B) (1 - B)^d (1 - B^m)^D y = theta(B) e, by taking the factors one after the other */
    const terms ar = autoregressive(a), ma = moving(a);
    double *const psi = values, *const plain = values + n + h;
    double total = 0.0;
    for (size_t j = 0; j < late + h; j++) {
        plain[j] = j == 0 ? 1.0 : 0.0;
        for (size_t k = 0; k < ma.count; k++) plain[j] += ma.lag[k] == j ? ma.weight[k] : 0.0;
        for (size_t k = 0; k < ar.count; k++)
            if (ar.lag[k] <= j) plain[j] += ar.weight[k] * plain[j - ar.lag[k]];
        psi[j] = plain[j];
        for (size_t k = 0; k < sum.count; k++)
            if (sum.lag[k] <= j) psi[j] += sum.weight[k] * psi[j - sum.lag[k]];
        total += psi[j] * psi[j];
        if (j >= late) deviation[j - late] = sqrt(a->variance * total);
    }
}
