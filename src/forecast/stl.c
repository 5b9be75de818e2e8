/*
 * STL and MSTL: see stl.h for what they are.
 *
 * One inner pass, with y less the present trend:
 *
 *   1  the values of one place in the season, year by year, are smoothed by loess, a year beyond either end
 *   2  that is smoothed again by moving averages of m, m and 3 rows and by loess: what trend got into it
 *   3  season = 1 less 2
 *   4  trend = loess of y less season
 *
 * Loess at x is the value there of a line fitted to the q nearest rows, weighted by the tricube
 * (1 - (d/h)^3)^3 of their distance d over that of the farthest, h (Cleveland 1979). An outer pass gives each
 * row the bisquare weight (1 - (r/s)^2)^2 of its remainder r, s six times the median of |r|.
 */
#include "forecast/stl.h"

#include <math.h>
#include <string.h>

/* ---- widths ---- */

static size_t next_odd(double x)
{
    const size_t up = (size_t)ceil(x);
    return up % 2 ? up : up + 1;
}

norn_stl_setup norn_stl_with_width(size_t period, size_t seasonal, bool robust)
{
    const double m = (double)period;
    norn_stl_setup s = {.period = period, .seasonal = seasonal};
    s.trend = next_odd(1.5 * m / (1.0 - 1.5 / (double)seasonal)); /* the paper's (3.2) */
    s.low_pass = next_odd(m);
    s.seasonal_jump = (s.seasonal + 9) / 10;
    s.trend_jump = (s.trend + 9) / 10;
    s.low_pass_jump = (s.low_pass + 9) / 10;
    s.inner = robust ? 1 : 2;
    s.outer = robust ? 15 : 0;
    return s;
}

norn_stl_setup norn_stl_defaults(size_t period, bool robust)
{
    return norn_stl_with_width(period, 11, robust);
}

/* ---- loess ---- */

/* A series with weights; rows of weight 0 are not looked at. */
typedef struct points {
    const double *y, *weight; /* [n] */
    size_t n;
} points;

static double cube(double x)
{
    return x * x * x;
}

/* The local line at x (which may lie a row beyond either end) from rows left .. right; false when no row
 * there has weight. q is the width asked for, which may exceed n: then all rows count, and h is the wider. */
static bool local_line(points p, size_t q, double x, size_t left, size_t right, double *out)
{
    const double to_left = x - (double)left, to_right = (double)right - x;
    double h = to_left > to_right ? to_left : to_right;
    double sum = 0.0, mean = 0.0, level = 0.0, squares = 0.0, slope = 0.0;
    if (q > p.n) h += (double)((q - p.n) / 2);
    const double far = 0.999 * h, near = 0.001 * h, by = h > 0.0 ? 1.0 / h : 0.0;
    for (size_t j = left; j <= right; j++) {
        const double from = (double)j - x, d = fabs(from);
        if (d > far || p.weight[j] == 0.0) continue;
        const double w = p.weight[j] * (d <= near ? 1.0 : cube(1.0 - cube(d * by)));
        /* moments about x: their sums hold no large numbers however long the series is */
        sum += w;
        mean += w * from;
        squares += w * from * from;
        level += w * p.y[j];
        slope += w * from * p.y[j];
    }
    if (!(sum > 0.0)) return false;
    mean /= sum;
    level /= sum;
    const double variance = squares / sum - mean * mean;
    *out = level;
    /* with the rows all but in one place, there is no line through them */
    if (h > 0.0 && variance > 0.0 && sqrt(variance) > 0.001 * (double)(p.n - 1))
        *out -= mean * (slope / sum - mean * level) / variance;
    return true;
}

/* The same where it must have a value: rows without weight make way for ones farther off. */
static double line_at(points p, size_t q, double x, size_t left, size_t right)
{
    double value = 0.0;
    while (!local_line(p, q, x, left, right, &value) && (left > 0 || right + 1 < p.n)) {
        const size_t more = right - left + 1;
        left = left > more ? left - more : 0;
        right = p.n - 1 - right > more ? right + more : p.n - 1;
        q = right - left + 1;
    }
    return value;
}

/* out [n], by lines of width q at every jump-th row and straight between them. */
static void loess(points p, size_t q, size_t jump, double *out)
{
    const size_t n = p.n, half = (q + 1) / 2;
    if (n == 1) {
        out[0] = p.weight[0] > 0.0 ? p.y[0] : 0.0;
        return;
    }
    if (jump > n - 1) jump = n - 1;
    size_t last = 0, left = 0, right = q < n ? q - 1 : n - 1;
    for (size_t i = 0; i < n; i += jump) {
        if (q < n) {
            left = i + 1 < half ? 0 : i + half >= n ? n - q : i + 1 - half;
            right = left + q - 1;
        }
        out[i] = line_at(p, q, (double)i, left, right);
        for (size_t k = last + 1; k < i; k++)
            out[k] = out[last] + (out[i] - out[last]) * (double)(k - last) / (double)(i - last);
        last = i;
    }
    if (last == n - 1) return;
    out[n - 1] = line_at(p, q, (double)(n - 1), left, right);
    for (size_t k = last + 1; k < n - 1; k++)
        out[k] = out[last] + (out[n - 1] - out[last]) * (double)(k - last) / (double)(n - 1 - last);
}

/* ---- the passes ---- */

/* Of n values the n - width + 1 means of width neighbours. */
static size_t moving_average(const double *x, size_t n, size_t width, double *out)
{
    double sum = 0.0;
    for (size_t i = 0; i < width; i++) sum += x[i];
    for (size_t i = 0; i + width <= n; i++) {
        out[i] = sum / (double)width;
        if (i + width < n) sum += x[i + width] - x[i];
    }
    return n - width + 1;
}

/* What norn_stl works in. */
typedef struct memory {
    double *cycle;        /* [n + 2m] places of the season smoothed, a year beyond either end */
    double *a, *b;        /* [n + 2m] */
    double *place;        /* [n] the values of one place */
    double *place_weight; /* [n] */
    double *ones;         /* [n] */
} memory;

size_t norn_stl_work(size_t n, size_t period)
{
    return 3 * (n + 2 * period) + 3 * n;
}

static memory parts(double *work, size_t n, size_t m)
{
    memory p = {.cycle = work};
    p.a = p.cycle + n + 2 * m;
    p.b = p.a + n + 2 * m;
    p.place = p.b + n + 2 * m;
    p.place_weight = p.place + n;
    p.ones = p.place_weight + n;
    return p;
}

/* Step 1: detrended [n] -> cycle [n + 2m]. */
static void smooth_places(const norn_stl_setup *s, const memory *at, const double *detrended,
                          const double *weight, size_t n)
{
    const size_t m = s->period, q = s->seasonal;
    for (size_t place = 0; place < m; place++) {
        const size_t years = (n - place - 1) / m + 1;
        const points p = {at->place, at->place_weight, years};
        double *const smooth = at->b;
        for (size_t k = 0; k < years; k++) {
            at->place[k] = detrended[k * m + place];
            at->place_weight[k] = weight[k * m + place];
        }
        loess(p, q, s->seasonal_jump, smooth);
        const size_t reach = q < years ? q - 1 : years - 1;
        double before = smooth[0], after = smooth[years - 1];
        if (!local_line(p, q, -1.0, 0, reach, &before)) before = smooth[0];
        if (!local_line(p, q, (double)years, years - 1 - reach, years - 1, &after)) after = smooth[years - 1];
        at->cycle[place] = before;
        for (size_t k = 0; k < years; k++) at->cycle[(k + 1) * m + place] = smooth[k];
        at->cycle[(years + 1) * m + place] = after;
    }
}

static void inner_pass(const norn_stl_setup *s, const memory *at, const double *y, size_t n,
                       const double *weight, double *season, double *trend)
{
    const size_t m = s->period;
    for (size_t i = 0; i < n; i++) at->a[i] = weight[i] > 0.0 ? y[i] - trend[i] : 0.0;
    smooth_places(s, at, at->a, weight, n);
    size_t rows = moving_average(at->cycle, n + 2 * m, m, at->a);
    rows = moving_average(at->a, rows, m, at->b);
    (void)moving_average(at->b, rows, 3, at->a);
    loess((points){at->a, at->ones, n}, s->low_pass, s->low_pass_jump, at->b);
    for (size_t i = 0; i < n; i++) season[i] = at->cycle[m + i] - at->b[i];
    for (size_t i = 0; i < n; i++) at->a[i] = weight[i] > 0.0 ? y[i] - season[i] : 0.0;
    loess((points){at->a, weight, n}, s->trend, s->trend_jump, trend);
}

/* The k-th smallest of x [n], which is put in some other order (Hoare's FIND). */
static double select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const double pivot = x[k];
        size_t i = low, end = high + 1; /* rows from `end` on are no smaller than the pivot */
        while (i < end) {
            while (x[i] < pivot) i++;
            while (pivot < x[end - 1]) end--;
            if (i >= end) break;
            const double swapped = x[i];
            x[i++] = x[end - 1];
            x[--end] = swapped;
        }
        if (k >= i)
            low = i;
        else if (k < end)
            high = end - 1;
        else /* between the two lies the pivot */
            break;
    }
    return x[k];
}

/* Bisquare weights from the remainders; missing rows keep none. */
static void robust_weights(const double *y, size_t n, const double *season, const double *trend,
                           double *weight, double *scratch)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) scratch[count++] = fabs(y[i] - season[i] - trend[i]);
    if (count == 0) return;
    const double upper = select_kth(scratch, count, count / 2);
    const double lower = count % 2 ? upper : select_kth(scratch, count, count / 2 - 1);
    const double s = 3.0 * (upper + lower);
    for (size_t i = 0; i < n; i++) {
        const double r = fabs(y[i] - season[i] - trend[i]);
        if (!isfinite(y[i]))
            weight[i] = 0.0;
        else if (r <= 0.001 * s)
            weight[i] = 1.0;
        else
            weight[i] = r <= 0.999 * s ? (1.0 - (r / s) * (r / s)) * (1.0 - (r / s) * (r / s)) : 0.0;
    }
}

void norn_stl(const norn_stl_setup *setup, const double *y, size_t n, double *season, double *trend,
              double *weight, double *work)
{
    const memory at = parts(work, n, setup->period);
    memset(trend, 0, n * sizeof *trend);
    for (size_t i = 0; i < n; i++) {
        weight[i] = isfinite(y[i]) ? 1.0 : 0.0;
        at.ones[i] = 1.0;
    }
    for (size_t outer = 0;; outer++) {
        for (size_t k = 0; k < setup->inner; k++) inner_pass(setup, &at, y, n, weight, season, trend);
        if (outer == setup->outer) break;
        robust_weights(y, n, season, trend, weight, at.a);
    }
}

/* ---- several seasons ---- */

size_t norn_mstl_work(size_t n, size_t longest)
{
    return 2 * n + norn_stl_work(n, longest);
}

void norn_mstl(const size_t *periods, size_t count, bool robust, const double *y, size_t n, double *seasons,
               double *trend, double *work)
{
    double *const adjusted = work, *const weight = adjusted + n, *const rest = weight + n;
    const size_t rounds = count > 1 ? 2 : 1;
    memcpy(adjusted, y, n * sizeof *adjusted);
    memset(seasons, 0, count * n * sizeof *seasons);
    for (size_t round = 0; round < rounds; round++)
        for (size_t k = 0; k < count; k++) {
            double *const season = seasons + k * n;
            const norn_stl_setup setup = norn_stl_with_width(periods[k], 11 + 4 * k, robust);
            for (size_t i = 0; i < n; i++) adjusted[i] += season[i];
            norn_stl(&setup, adjusted, n, season, trend, weight, rest);
            for (size_t i = 0; i < n; i++) adjusted[i] -= season[i];
        }
}
