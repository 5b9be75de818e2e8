/* Choices made from the visible rows of a series: see recipe.h. */
#include "forecast/recipe.h"

#include <math.h>

enum { MOST_WINDOWS = 8192 }; /* evenly spread windows that the base and the scale are judged by */

typedef struct moments {
    double mean, deviation;
} moments;

/* Of the values that are there; *present of them. */
static moments moments_of(const double *x, size_t n, size_t *present)
{
    double sum = 0.0, squares = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) sum += x[i], count++;
    const double mean = sum / (double)count;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) squares += (x[i] - mean) * (x[i] - mean);
    *present = count;
    return (moments){mean, sqrt(squares / (double)count)};
}

/* Running sums over blocks, so that any number of them needs no memory. */
typedef struct pair_sums {
    double n, a, b, aa, bb, ab;
} pair_sums;

static void pair_add(pair_sums *s, double a, double b)
{
    s->n += 1.0;
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
}

static double variance(double n, double sum, double squares)
{
    const double v = squares / n - (sum / n) * (sum / n);
    return v > 0.0 ? v : 0.0;
}

bool norn_recipe_log(const double *y, size_t n, size_t m)
{
    const size_t block = m >= 4 ? m : 12, blocks = n / block;
    if (blocks < 4) return false;
    for (size_t i = 0; i < n; i++)
        if (y[i] <= 0.0) return false;
    pair_sums levels = {0}, ratios = {0};
    for (size_t k = 0; k < blocks; k++) {
        size_t present;
        const moments one = moments_of(y + (n - (blocks - k) * block), block, &present);
        if (2 * present < block) continue;
        pair_add(&levels, one.mean, one.deviation);
        pair_add(&ratios, one.deviation / one.mean, 0.0);
    }
    if (levels.n < 4.0) return false;
    const double count = levels.n;
    const double mean_spread = sqrt(variance(count, levels.a, levels.aa));
    const double deviation_spread = sqrt(variance(count, levels.b, levels.bb));
    if (!(mean_spread > 0.0) || !(deviation_spread > 0.0)) return false;
    const double covariance = levels.ab / count - levels.a / count * (levels.b / count);
    const double correlation = covariance / (mean_spread * deviation_spread);
    const double deviation_varies = deviation_spread / (levels.b / count);
    const double ratio_varies = sqrt(variance(count, ratios.a, ratios.aa)) / (ratios.a / count);
    return correlation > 0.5 && ratio_varies < 0.6 * deviation_varies;
}

static double value(const double *y, size_t row, bool log_of)
{
    return log_of ? (y[row] > 0.0 ? log(y[row]) : (double)NAN) : y[row];
}

/* The last value of the window before row a that is there; NaN when none is. */
static double last_value(const double *y, size_t a, size_t window, bool log_of)
{
    double last = value(y, a - 1, log_of);
    for (size_t k = 2; k <= window && isnan(last); k++) last = value(y, a - k, log_of);
    return last;
}

/* Of both bases over the training windows whose first targets are the rows from..end; pairs: targets that
 * are there with both bases, or with the last value alone where there is no season. */
typedef struct residuals {
    double last_variance, season_variance, last_squares, season_squares, pairs;
} residuals;

static residuals residuals_of(const double *y, size_t from, size_t end, size_t window, size_t horizon,
                              size_t season, bool log_of)
{
    const size_t count = end - from + 1, used = count < MOST_WINDOWS ? count : MOST_WINDOWS;
    residuals r = {0};
    for (size_t j = 0; j < horizon; j++) {
        double sum_a = 0.0, squares_a = 0.0, sum_b = 0.0, squares_b = 0.0, pairs = 0.0;
        for (size_t i = 0; i < used; i++) {
            const size_t a =
                used < 2 ? from : from + (size_t)((double)i * (double)(count - 1) / (double)(used - 1));
            const double z = value(y, a + j, log_of), ra = z - last_value(y, a, window, log_of);
            const double rb = season ? z - value(y, a - season + j % season, log_of) : 0.0;
            if (isnan(ra) || isnan(rb)) continue;
            pairs += 1.0;
            sum_a += ra;
            squares_a += ra * ra;
            sum_b += rb;
            squares_b += rb * rb;
        }
        if (pairs == 0.0) continue;
        r.last_variance += variance(pairs, sum_a, squares_a);
        r.season_variance += variance(pairs, sum_b, squares_b);
        r.last_squares += squares_a;
        r.season_squares += squares_b;
        r.pairs += pairs;
    }
    return r;
}

/* Is there a target with its base among the windows whose first targets are the rows from..end? */
static bool any_pair(const double *y, size_t from, size_t end, size_t window, size_t horizon, size_t season,
                     bool log_of)
{
    for (size_t a = end + 1; a-- > from;) {
        const bool based = season || !isnan(last_value(y, a, window, log_of));
        for (size_t j = 0; j < horizon && based; j++)
            if (!isnan(value(y, a + j, log_of)) &&
                !(season && isnan(value(y, a - season + j % season, log_of))))
                return true;
    }
    return false;
}

bool norn_recipe_fit(norn_recipe_series *out, const double *y, size_t n, bool log_of, size_t window,
                     size_t horizon, size_t valid_rows, size_t season)
{
    /* a: row of a window's first target. Training: first <= a <= n - V - h; validation: n - V <= a <= n - h.
     */
    if (window > n || horizon > n - window || valid_rows > n - window - horizon) return false;
    const size_t last_train = n - valid_rows - horizon, last_valid = n - horizon;
    size_t first_valid = n - valid_rows;
    if (last_train < window || (valid_rows && last_valid < first_valid)) return false;

    /* Both bases are compared over the same windows. */
    const size_t first = season > window ? season : window;
    bool seasonal = season > 1 && last_train > first;
    residuals r = {0};
    if (seasonal) {
        r = residuals_of(y, first, last_train, window, horizon, season, log_of);
        seasonal = r.pairs > 0.0;
    }
    if (!seasonal) r = residuals_of(y, window, last_train, window, horizon, 0, log_of);
    seasonal = seasonal && r.season_variance < r.last_variance;
    const double squares = seasonal ? r.season_squares : r.last_squares;
    const double scale = r.pairs > 0.0 ? sqrt(squares / r.pairs) : 0.0;
    const size_t start = seasonal ? first : window; /* smallest a whose base can be read */
    if (first_valid < start) first_valid = start;
    if (valid_rows && last_valid < first_valid) return false;
    *out = (norn_recipe_series){.log = log_of,
                                .season = seasonal ? season : 0,
                                .scale = isfinite(scale) ? scale : 1.0,
                                .seen = n,
                                .learnt = n - valid_rows};
    if (r.pairs > 0.0) out->train = (norn_span){start - window, last_train - start + 1};
    if (valid_rows && any_pair(y, first_valid, last_valid, window, horizon, seasonal ? season : 0, log_of))
        out->valid = (norn_span){first_valid - window, last_valid - first_valid + 1};
    return true;
}
