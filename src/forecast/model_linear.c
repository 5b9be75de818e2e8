/*
 * NLinear and DLinear (Zeng et al. 2023) in closed form: each step of the horizon is a linear function of the
 * last W values, fitted by ridge regression over all windows of the series.
 *
 *   NLinear  the window's last value is taken from all its values and from the targets, and added again
 *   DLinear  the window is split into a moving average of 25 values (its ends repeated) and the rest, each
 *            with weights of its own and a ridge on both; one constant
 *
 * Both need sums over windows of products y[i+a] y[i+b], a and b below D = W + h. Neighbours on a diagonal
 * share all windows but one at either end, so the first row of that matrix, D sums over the series, gives all
 * of it: n D operations in place of n D^2. Values are taken relative to the mean of the training rows, which
 * changes nothing but rounding.
 *
 * DLinear's weights u of the rest and v of the average act as b = (I - M)'u + M'v for the averaging matrix M,
 * and the ridge |u|^2 + |v|^2 on both is the ridge b' K^-1 b with K = (I - M)'(I - M) + M'M: with K = U'U it
 * is plain ridge regression on U x.
 *
 * A missing value is taken to be the one a season before it, or without a season the last one, in training as
 * in forecasting: a window is too long to be left out for every value it lacks, and estimates from the pairs
 * that are there alone were three times as far off where rows of the window depend on each other. With fewer
 * than two windows, or where nothing varies, the forecast is the naive one.
 *
 * Bounds are those of a regression: with the sum of squares S over N windows and p numbers estimated for a
 * step, the variance of a row ahead is S / (N - p) (1 + p / N), Akaike's (1969) final prediction error, and
 * errors are taken to be normal. A ridge estimates fewer than p, and windows overlap, which both are not
 * counted: the first makes bounds wide, the second narrow. With no more windows than p there are none.
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <string.h>

enum { MOST_LAGS = 1024, KERNEL = 25 };
static const double most_operations = 1e9; /* of the sums over windows; older rows are left out beyond */
static const double ridge = 1e-3;          /* relative to the mean of the diagonal */

static size_t lags(const norn_forecaster_setup *setup)
{
    return setup->window < MOST_LAGS ? setup->window : MOST_LAGS;
}

/* state: whether it is fitted, the mean, constants [h], weights [W][h], deviations [h]. */
static size_t state_size(const norn_forecaster_setup *setup)
{
    return 2 + (lags(setup) + 2) * setup->horizon;
}

static size_t deviations_at(const norn_forecaster_setup *setup)
{
    return 2 + (lags(setup) + 1) * setup->horizon;
}

/* work: filled rows [rows], products [D][D], sums [D], and for the solution [W][W], [W][W], [W][h]. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    const size_t w = lags(setup), d = w + setup->horizon;
    return setup->rows + d * d + d + 2 * w * w + w * setup->horizon + w + 2 * setup->horizon;
}

typedef struct sums {
    double *a; /* [D][D] a <= b: sum over windows of y[i+a] y[i+b] */
    double *s; /* [D] sum over windows of y[i+a] */
    size_t d;
    double windows;
} sums;

/* ---- linear algebra ---- */

/* In place, upper triangle: A = U'U. False when A is not positive definite. */
static bool cholesky(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double *const pivot = a + j * n;
        if (!(pivot[j] > 0.0) || !isfinite(pivot[j])) return false;
        const double root = sqrt(pivot[j]);
        for (size_t c = j; c < n; c++) pivot[c] /= root;
        for (size_t i = j + 1; i < n; i++)
            for (size_t c = i; c < n; c++) a[i * n + c] -= pivot[i] * pivot[c];
    }
    return true;
}

/* Solves U'U x = b for the columns of b [n][columns], in place. */
static void solve(const double *u, size_t n, double *b, size_t columns)
{
    for (size_t k = 0; k < n; k++) {
        double *const row = b + k * columns;
        for (size_t c = 0; c < columns; c++) row[c] /= u[k * n + k];
        for (size_t i = k + 1; i < n; i++)
            for (size_t c = 0; c < columns; c++) b[i * columns + c] -= u[k * n + i] * row[c];
    }
    for (size_t i = n; i-- > 0;) {
        double *const row = b + i * columns;
        for (size_t k = i + 1; k < n; k++)
            for (size_t c = 0; c < columns; c++) row[c] -= u[i * n + k] * b[k * columns + c];
        for (size_t c = 0; c < columns; c++) row[c] /= u[i * n + i];
    }
}

/* b = U b for b [n][columns], in place: row i needs the rows from i on. */
static void multiply(const double *u, size_t n, double *b, size_t columns)
{
    for (size_t i = 0; i < n; i++) {
        double *const row = b + i * columns;
        for (size_t c = 0; c < columns; c++) row[c] *= u[i * n + i];
        for (size_t k = i + 1; k < n; k++)
            for (size_t c = 0; c < columns; c++) row[c] += u[i * n + k] * b[k * columns + c];
    }
}

/* Adds `ridge` of the mean of the diagonal's first n entries to them; a is [size][size]. False when it is 0.
 */
static bool add_ridge(double *a, size_t n, size_t size)
{
    double trace = 0.0;
    for (size_t k = 0; k < n; k++) trace += a[k * size + k];
    const double lambda = ridge * trace / (double)n;
    for (size_t k = 0; k < n; k++) a[k * size + k] += lambda;
    return lambda > 0.0 && isfinite(lambda);
}

/* ---- sums over windows ---- */

/* Fills *t from the training rows, with the mean they are relative to; false with fewer than two windows. */
static bool sum_windows(sums *t, const norn_forecaster_setup *setup, norn_view train, double *filled,
                        double *mean)
{
    const size_t d = t->d;
    size_t from = norn_view_fill(train, setup->season, filled);
    if (train.n < d || from + 1 > train.n - d) return false;
    const double rows = most_operations / (double)d;
    if (rows < (double)(train.n - from)) {
        const size_t kept = rows > 4.0 * (double)d ? (size_t)rows : 4 * d;
        if (kept < train.n - from) from = train.n - kept;
    }
    const double count = (double)(train.n - from);
    *mean = 0.0;
    for (size_t i = from; i < train.n; i++) *mean += filled[i] / count;
    for (size_t i = from; i < train.n; i++) filled[i] -= *mean;
    memset(t->a, 0, d * d * sizeof *t->a);
    memset(t->s, 0, d * sizeof *t->s);
    /* the first row of products over the windows that begin at from .. n - d, then what each diagonal loses
     * at the first window and gains behind the last */
    const double *const first = filled + from, *const after = filled + (train.n - d + 1);
    for (const double *y = first; y < after; y++) {
        for (size_t b = 0; b < d; b++) t->a[b] += y[0] * y[b];
        t->s[0] += y[0];
    }
    for (size_t a = 0; a + 1 < d; a++) {
        const double *const above = t->a + a * d;
        double *const row = t->a + (a + 1) * d;
        for (size_t b = a; b + 1 < d; b++) row[b + 1] = above[b] + after[a] * after[b] - first[a] * first[b];
        t->s[a + 1] = t->s[a] + after[a] - first[a];
    }
    t->windows = (double)(after - first);
    return true;
}

static double product(const sums *t, size_t a, size_t b)
{
    return a <= b ? t->a[a * t->d + b] : t->a[b * t->d + a];
}

typedef struct memory {
    sums t;
    double *filled, *gram, *other, *right, *vector;
} memory;

static memory parts(const norn_forecaster_setup *setup, double *work)
{
    const size_t w = lags(setup), d = w + setup->horizon;
    memory m = {.t = {.d = d}, .filled = work};
    m.t.a = m.filled + setup->rows;
    m.t.s = m.t.a + d * d;
    m.gram = m.t.s + d;
    m.other = m.gram + w * w;
    m.right = m.other + w * w;
    m.vector = m.right + w * setup->horizon;
    return m;
}

/*
 * Deviations of the rows ahead: an error is a linear function of the D values of its window, so that the sum
 * of their squares is a form of the sums over windows. estimated: numbers a step.
 */
static void estimate_errors(const norn_forecaster_setup *setup, memory *m, bool differences, double estimated,
                            double *state)
{
    const size_t w = lags(setup), h = setup->horizon;
    const sums *const t = &m->t;
    double *const form = m->vector, *const out = state + deviations_at(setup);
    const double *const weights = state + 2 + h;
    for (size_t j = 0; j < h; j++) {
        const double constant = state[2 + j], windows = t->windows;
        double squares =
            product(t, w + j, w + j) - 2.0 * constant * t->s[w + j] + windows * constant * constant;
        double kept = 1.0;
        for (size_t k = 0; k < w; k++) {
            form[k] = weights[k * h + j];
            kept -= form[k];
        }
        if (differences) form[w - 1] += kept; /* the last value is laid on again */
        for (size_t a = 0; a < w; a++) {
            const double *const row = t->a + a * t->d;
            double others = 0.0;
            for (size_t b = a + 1; b < w; b++) others += form[b] * row[b];
            squares +=
                form[a] * (form[a] * row[a] + 2.0 * others - 2.0 * row[w + j] + 2.0 * constant * t->s[a]);
        }
        out[j] = windows > estimated
                     ? sqrt(fmax(0.0, squares) / (windows - estimated) * (1.0 + estimated / windows))
                     : NAN;
    }
}

/* ---- NLinear: W - 1 differences to the last value and a constant ---- */

static void fit_nlinear(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    const size_t w = lags(setup), h = setup->horizon, last = w - 1;
    memory m = parts(setup, work);
    const sums *const t = &m.t;
    state[0] = 0.0;
    if (w < 2 || !sum_windows(&m.t, setup, train, m.filled, &state[1])) return;
    const double square = product(t, last, last);
    for (size_t a = 0; a < last; a++) {
        const double with_last = product(t, a, last), *const from = t->a + a * t->d;
        for (size_t b = a; b < last; b++)
            m.gram[a * w + b] = from[b] - with_last - product(t, b, last) + square;
        for (size_t j = 0; j < h; j++)
            m.right[a * h + j] = from[w + j] - with_last - product(t, last, w + j) + square;
        m.gram[a * w + last] = t->s[a] - t->s[last];
    }
    m.gram[last * w + last] = t->windows;
    for (size_t j = 0; j < h; j++) m.right[last * h + j] = t->s[w + j] - t->s[last];
    if (!add_ridge(m.gram, last, w) || !cholesky(m.gram, w)) return;
    solve(m.gram, w, m.right, h);
    memcpy(state + 2, m.right + last * h, h * sizeof *state);
    memcpy(state + 2 + h, m.right, last * h * sizeof *state);
    memset(state + 2 + h + last * h, 0, h * sizeof *state);
    estimate_errors(setup, &m, true, (double)w, state);
    state[0] = 1.0;
}

static void forecast_linear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                            double *out, double *work, bool differences)
{
    const size_t w = lags(setup), h = setup->horizon;
    const double naive = norn_view_last(past);
    const size_t from = norn_view_fill(past, setup->season, work);
    for (size_t j = 0; j < h; j++) out[j] = naive;
    if (state[0] == 0.0 || past.n - from < w) return;
    const double *const window = work + (past.n - w), *const weights = state + 2 + h;
    const double shift = differences ? window[w - 1] : state[1];
    for (size_t j = 0; j < h; j++) out[j] = shift + state[2 + j];
    for (size_t k = 0; k < w; k++)
        for (size_t j = 0; j < h; j++) out[j] += (window[k] - shift) * weights[k * h + j];
    for (size_t j = 0; j < h; j++)
        if (!isfinite(out[j])) out[j] = naive;
}

static void forecast_nlinear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             double *out, double *work)
{
    forecast_linear(setup, state, past, out, work, true);
}

/* ---- DLinear ---- */

/* K = (I - M)'(I - M) + M'M = I - M - M' + 2 M'M, upper triangle; row k of M averages values k - q .. k + q,
 * those beyond the window's ends being the end's. */
static void average_prior(double *k, size_t w, double *row)
{
    const size_t q = (w < KERNEL ? (w - 1) / 2 : KERNEL / 2);
    const double share = 1.0 / (double)(2 * q + 1);
    memset(k, 0, w * w * sizeof *k);
    for (size_t at = 0; at < w; at++) {
        const size_t from = at > q ? at - q : 0, to = at + q < w ? at + q : w - 1;
        for (size_t c = from; c <= to; c++) row[c] = share;
        if (at < q) row[0] += (double)(q - at) * share;
        if (at + q >= w) row[w - 1] += (double)(at + q + 1 - w) * share;
        for (size_t a = from; a <= to; a++) {
            for (size_t b = a; b <= to; b++) k[a * w + b] += 2.0 * row[a] * row[b];
            const size_t low = a < at ? a : at, high = a < at ? at : a;
            k[low * w + high] -= low == high ? 2.0 * row[a] : row[a];
        }
        k[at * w + at] += 1.0;
    }
}

static void fit_dlinear(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    const size_t w = lags(setup), h = setup->horizon;
    memory m = parts(setup, work);
    const sums *const t = &m.t;
    double *const prior = m.other, *const weights = state + 2 + h;
    state[0] = 0.0;
    if (w < 2 || !sum_windows(&m.t, setup, train, m.filled, &state[1])) return;
    average_prior(prior, w, m.vector);
    if (!cholesky(prior, w)) return;
    /* U G U' and U times the products with the targets, values relative to their mean over the windows */
    for (size_t a = 0; a < w; a++) {
        const double mean = t->s[a] / t->windows, *const from = t->a + a * t->d;
        for (size_t b = a; b < w; b++) m.gram[a * w + b] = m.gram[b * w + a] = from[b] - mean * t->s[b];
        for (size_t j = 0; j < h; j++) m.right[a * h + j] = from[w + j] - mean * t->s[w + j];
    }
    multiply(prior, w, m.gram, w);
    for (size_t a = 0; a < w; a++)
        for (size_t b = 0; b < a; b++) {
            const double other = m.gram[a * w + b];
            m.gram[a * w + b] = m.gram[b * w + a];
            m.gram[b * w + a] = other;
        }
    multiply(prior, w, m.gram, w);
    multiply(prior, w, m.right, h);
    if (!add_ridge(m.gram, w, w) || !cholesky(m.gram, w)) return;
    solve(m.gram, w, m.right, h);
    memset(weights, 0, w * h * sizeof *weights);
    for (size_t a = 0; a < w; a++) /* U' of the solution */
        for (size_t k = a; k < w; k++)
            for (size_t j = 0; j < h; j++) weights[k * h + j] += prior[a * w + k] * m.right[a * h + j];
    memcpy(state + 2, t->s + w, h * sizeof *state);
    for (size_t k = 0; k < w; k++)
        for (size_t j = 0; j < h; j++) state[2 + j] -= weights[k * h + j] * t->s[k];
    for (size_t j = 0; j < h; j++) state[2 + j] /= t->windows;
    estimate_errors(setup, &m, false, (double)(w + 1), state);
    state[0] = 1.0;
}

static void forecast_dlinear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             double *out, double *work)
{
    forecast_linear(setup, state, past, out, work, false);
}

static void interval_linear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                            const double *level, size_t levels, double *lower, double *upper, double *work,
                            bool differences)
{
    const size_t h = setup->horizon, from = norn_view_fill(past, setup->season, work);
    double *const mean = work + work_size(setup) - h;
    if (state[0] == 0.0 || past.n - from < lags(setup)) return;
    forecast_linear(setup, state, past, mean, work, differences);
    norn_normal_interval(mean, state + deviations_at(setup), h, level, levels, lower, upper);
}

static void interval_nlinear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             const double *level, size_t levels, double *lower, double *upper, double *work)
{
    interval_linear(setup, state, past, level, levels, lower, upper, work, true);
}

static void interval_dlinear(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             const double *level, size_t levels, double *lower, double *upper, double *work)
{
    interval_linear(setup, state, past, level, levels, lower, upper, work, false);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const double *const deviation = state + deviations_at(setup);
    if (state[0] == 0.0) {
        norn_explain(out, "model", "fewer than two windows, or nothing varies", "naive");
        return;
    }
    norn_explain(out, "window", "rows that each step is a linear function of", "%zu", lags(setup));
    norn_explain(out, "sigma, first step", "deviation of the errors of the first row ahead", "%.6g",
                 deviation[0]);
    norn_explain(out, "sigma, last step", "the same of the last row", "%.6g", deviation[setup->horizon - 1]);
}

const norn_forecaster norn_model_nlinear = {.name = "NLinear",
                                            .word = "nlinear",
                                            .text = "linear in the window, relative to its last value",
                                            .paper = "Zeng, Chen, Zhang and Xu (2023)",
                                            .state = state_size,
                                            .work = work_size,
                                            .fit = fit_nlinear,
                                            .forecast = forecast_nlinear,
                                            .interval = interval_nlinear,
                                            .explain = explain};
const norn_forecaster norn_model_dlinear = {.name = "DLinear",
                                            .word = "dlinear",
                                            .text = "linear in the window's moving average and the rest",
                                            .paper = "Zeng, Chen, Zhang and Xu (2023)",
                                            .state = state_size,
                                            .work = work_size,
                                            .fit = fit_dlinear,
                                            .forecast = forecast_dlinear,
                                            .interval = interval_dlinear,
                                            .explain = explain};
