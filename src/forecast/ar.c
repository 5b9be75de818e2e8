/*
 * Autoregressions y_t = c + phi_1 y_{t-1} + ... + phi_p y_{t-p} + e_t, the order p from 0 to 10 log10 n by
 * AICc, all orders judged on the same rows.
 *
 *   AR      by least squares with a constant. Each row of the regression is rotated into a triangle
 * (Gentleman 1974), from whose last column the sums of squares of all orders can be read at once. ARBurg  by
 * Burg's recursion (1975): the reflection coefficient of each order makes the squares of forward and backward
 * errors small. It is always stationary, and the better one on few rows.
 *
 * Missing values: rows of the regression, and pairs of errors, with one of them are left out. A forecast
 * takes for a missing value what the model expected there.
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double most_operations = 2e9; /* of the rotations; older rows are left out beyond */

/* What a fit finds: these and phi [lags]. */
enum { ORDER, CONSTANT, VARIANCE, AICC, ROWS, PHI };

/* R's ar() goes as far. */
static size_t lags(size_t rows)
{
    return rows > 2 ? (size_t)(10.0 * log10((double)rows)) : 1;
}

static size_t state_size(const norn_forecaster_setup *setup)
{
    return PHI + lags(setup->rows);
}

/* A row and the triangle, or two series of errors and phi twice; and in forecasts the values with those to
 * come. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    const size_t p = lags(setup->rows), columns = p + 2, fit = columns * (columns + 1);
    const size_t burg = 2 * setup->rows + 2 * p, later = setup->rows + 3 * setup->horizon;
    const size_t most = fit > burg ? fit : burg;
    return most > later ? most : later;
}

static double aicc(double squares, double rows, double parameters)
{
    if (rows - parameters - 1.0 <= 0.0) return INFINITY;
    return rows * log(squares / rows) + 2.0 * parameters * rows / (rows - parameters - 1.0);
}

/* ---- least squares ---- */

/* Rotates x [columns] into the triangle r [columns][columns]; x is used up. */
static void rotate_in(double *r, double *x, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        if (x[i] == 0.0) continue;
        double *const row = r + i * columns;
        const double length = hypot(row[i], x[i]), c = row[i] / length, s = x[i] / length;
        for (size_t j = i; j < columns; j++) {
            const double kept = row[j];
            row[j] = c * kept + s * x[j];
            x[j] = c * x[j] - s * kept;
        }
    }
}

/* The triangle of the regression on a constant and p lags, with y in the last column; returns its rows. */
static size_t regress(norn_view v, size_t p, double shift, double *r, double *x)
{
    const size_t columns = p + 2;
    const double most = most_operations / (double)(columns * columns);
    const size_t from = (double)(v.n - p) > most ? v.n - (size_t)most : p;
    size_t rows = 0;
    memset(r, 0, columns * columns * sizeof *r);
    for (size_t t = from; t < v.n; t++) {
        bool whole = true;
        x[0] = 1.0;
        for (size_t k = 0; k <= p && whole; k++) {
            whole = isfinite(v.y[t - k]);
            x[k == 0 ? p + 1 : k] = v.y[t - k] - shift;
        }
        if (!whole) continue;
        rotate_in(r, x, columns);
        rows++;
    }
    return rows;
}

/* How many of the first columns do not follow from those before them. */
static size_t independent(const double *r, size_t columns)
{
    for (size_t i = 0; i + 1 < columns; i++) {
        double squares = 0.0;
        for (size_t j = 0; j <= i; j++) squares += r[j * columns + i] * r[j * columns + i];
        if (!(fabs(r[i * columns + i]) > 1e-10 * sqrt(squares))) return i;
    }
    return columns - 1;
}

/* phi and constant of order p from its triangle. */
static void solve(const double *r, size_t p, double *constant, double *phi)
{
    const size_t columns = p + 2;
    const double *const right = r + columns - 1;
    for (size_t i = p + 1; i-- > 0;) {
        double sum = right[i * columns];
        for (size_t j = i + 1; j <= p; j++) sum -= r[i * columns + j] * phi[j - 1];
        if (i > 0)
            phi[i - 1] = sum / r[i * columns + i];
        else
            *constant = sum / r[0];
    }
}

static double mean_of(norn_view v)
{
    double sum = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < v.n; i++)
        if (isfinite(v.y[i])) {
            sum += v.y[i];
            count++;
        }
    return count ? sum / (double)count : NAN;
}

/* The mean, and nothing after it: what is left where no order can be had. */
static void fit_nothing(norn_view train, double *state, size_t p)
{
    for (size_t i = 0; i < PHI + p; i++) state[i] = 0.0;
    state[CONSTANT] = norn_view_last(train);
    state[ORDER] = -1.0; /* the naive forecast */
}

static void fit_squares(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    size_t most = lags(setup->rows);
    fit_nothing(train, state, most);
    const double shift = mean_of(train); /* which changes nothing but rounding */
    size_t best = SIZE_MAX, rows = 0;
    double least = INFINITY;
    if (train.n < 4 || !isfinite(shift)) return;
    if (most > lags(train.n)) most = lags(train.n);
    /* as many lags as leave two rows a parameter */
    for (;; most /= 2) {
        double *const x = work, *const r = work + most + 2;
        rows = most < train.n ? regress(train, most, shift, r, x) : 0;
        if (rows >= 2 * (most + 2) || most == 0) break;
    }
    const size_t columns = most + 2;
    double *const x = work, *r = work + columns;
    double squares = 0.0, all = 0.0;
    if (rows < 3) return;
    const size_t usable = independent(r, columns);
    for (size_t p = 1; p < columns; p++) all += r[p * columns + most + 1] * r[p * columns + most + 1];
    for (size_t p = columns - 1; p > 0; p--) { /* the first p columns explain y but for the rows from p on */
        squares += r[p * columns + most + 1] * r[p * columns + most + 1];
        /* what is left by rounding is nothing */
        const double score = aicc(squares > 1e-24 * all ? squares : 0.0, (double)rows, (double)(p - 1) + 2.0);
        if (p > usable || !(score <= least)) continue;
        least = score;
        best = p - 1;
    }
    if (best == SIZE_MAX) return;
    double constant;
    r = work + best + 2;
    rows = regress(train, best, shift, r, x);
    if (rows <= best + 1 || independent(r, best + 2) <= best) return;
    solve(r, best, &constant, state + PHI);
    const double rest = r[(best + 1) * (best + 2) + best + 1];
    double sum = 0.0;
    for (size_t k = 0; k < best; k++) sum += state[PHI + k];
    state[ORDER] = (double)best;
    state[CONSTANT] = constant + shift * (1.0 - sum);
    state[VARIANCE] = rest * rest / (double)(rows - best - 1);
    state[AICC] = least;
    state[ROWS] = (double)rows;
}

/* ---- Burg ---- */

static void fit_burg(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    size_t most = lags(setup->rows), rows = 0;
    double *const ahead = work, *const back = ahead + setup->rows;
    double *const phi = back + setup->rows, *const before = phi + most;
    fit_nothing(train, state, most);
    const double mean = mean_of(train);
    double variance = 0.0, least = INFINITY;
    if (most > lags(train.n)) most = lags(train.n);
    for (size_t t = 0; t < train.n; t++) {
        ahead[t] = back[t] = train.y[t] - mean; /* NaN where missing, and so are all errors it is part of */
        if (!isfinite(ahead[t])) continue;
        variance += ahead[t] * ahead[t];
        rows++;
    }
    if (rows < 4) return;
    variance /= (double)rows;
    for (size_t p = 0; p <= most && variance > 0.0; p++) {
        if (p > 0) {
            double both = 0.0, squares = 0.0;
            for (size_t t = train.n; t-- > p;) {
                const double f = ahead[t], b = back[t - 1];
                if (!isfinite(f + b)) continue;
                both += f * b;
                squares += f * f + b * b;
            }
            if (!(squares > 0.0)) break;
            const double k = 2.0 * both / squares;
            for (size_t t = train.n; t-- > p;) {
                const double f = ahead[t], b = back[t - 1];
                ahead[t] = f - k * b;
                back[t] = b - k * f;
            }
            memcpy(before, phi, p * sizeof *phi);
            for (size_t i = 0; i + 1 < p; i++) phi[i] = before[i] - k * before[p - 2 - i];
            phi[p - 1] = k;
            variance *= 1.0 - k * k;
        }
        const double score = aicc(variance * (double)rows, (double)rows, (double)p + 2.0);
        if (!(score < least)) continue;
        least = score;
        double sum = 0.0;
        for (size_t i = 0; i < p; i++) sum += phi[i];
        memcpy(state + PHI, phi, p * sizeof *phi);
        state[ORDER] = (double)p;
        state[CONSTANT] = mean * (1.0 - sum);
        state[VARIANCE] = variance;
        state[AICC] = score;
        state[ROWS] = (double)rows;
    }
}

/* ---- forecasts ---- */

/* values [n + h]: the past, what was expected where it is missing, and what is expected after it. */
static void go_on(const double *state, norn_view past, size_t h, double *values)
{
    const size_t p = (size_t)state[ORDER];
    double sum = 0.0;
    for (size_t k = 0; k < p; k++) sum += state[PHI + k];
    /* where the model has a mean it is what stands before the first value; a walk begins with the first */
    const double mean = fabs(1.0 - sum) > 1e-6 ? state[CONSTANT] / (1.0 - sum) : mean_of(past);
    for (size_t t = 0; t < past.n + h; t++) {
        if (t < past.n && isfinite(past.y[t])) {
            values[t] = past.y[t];
            continue;
        }
        double expected = t < p ? mean : state[CONSTANT];
        for (size_t k = 0; k < p && t >= p; k++) expected += state[PHI + k] * values[t - 1 - k];
        values[t] = expected;
    }
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const size_t h = setup->horizon;
    const double last = norn_view_last(past);
    for (size_t j = 0; j < h; j++) out[j] = last;
    if (state[ORDER] < 0.0 || !isfinite(last)) return;
    go_on(state, past, h, work);
    for (size_t j = 0; j < h; j++)
        if (isfinite(work[past.n + j])) out[j] = work[past.n + j];
}

/* The variance j rows on is that of one row times 1 + psi_1^2 + ... + psi_{j-1}^2 (Box and Jenkins 1970), j
 * counted from the last value that is there. */
static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const size_t h = setup->horizon;
    size_t late = 0;
    while (late < past.n && !isfinite(past.y[past.n - 1 - late])) late++;
    if (state[ORDER] < 0.0 || late == past.n) return;
    const size_t p = (size_t)state[ORDER];
    double *const mean = work + setup->rows + h, *const psi = work;
    double *const sd = mean + h, sum = 0.0;
    forecast(setup, state, past, mean, work);
    for (size_t j = 0; j < late + h; j++) {
        psi[j] = j == 0 ? 1.0 : 0.0;
        for (size_t k = 0; k < p && k < j; k++) psi[j] += state[PHI + k] * psi[j - 1 - k];
        sum += psi[j] * psi[j];
        if (j >= late) sd[j - late] = sqrt(state[VARIANCE] * sum);
    }
    norn_normal_interval(mean, sd, h, level, levels, lower, upper);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    (void)setup;
    if (state[ORDER] < 0.0) {
        norn_explain(out, "model", "too few rows, or they do not vary", "naive");
        return;
    }
    const size_t p = (size_t)state[ORDER];
    norn_explain(out, "model", "how many values it remembers, by AICc", "AR(%zu)", p);
    norn_explain(out, "constant", "what is added at each row", "%.6g", state[CONSTANT]);
    for (size_t k = 0; k < p; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "phi %zu", k + 1);
        norn_explain(out, name, "weight of the value so many rows before", "%.6g", state[PHI + k]);
    }
    norn_explain(out, "sigma^2", "variance of what is left of a row", "%.6g", state[VARIANCE]);
    norn_explain(out, "AICc", "n log sigma^2, and what the parameters cost", "%.6g", state[AICC]);
    norn_explain(out, "rows", "that it was fitted on", "%.0f", state[ROWS]);
}

const norn_forecaster norn_model_ar = {
    .name = "AR",
    .word = "ar",
    .text = "autoregression by least squares, its order by AICc",
    .paper = "Yule (1927); order: Hurvich and Tsai (1989)",
    .state = state_size,
    .work = work_size,
    .fit = fit_squares,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
const norn_forecaster norn_model_ar_burg = {
    .name = "ARBurg",
    .word = "ar-burg",
    .text = "stationary autoregression by Burg's recursion, its order by AICc",
    .paper = "Burg (1975), Maximum Entropy Spectral Analysis",
    .state = state_size,
    .work = work_size,
    .fit = fit_burg,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
