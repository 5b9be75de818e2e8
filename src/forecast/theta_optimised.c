/*
 * The optimised Theta models of Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler (2016): one source of
 * error, theta >= 1 estimated with the smoothing. With w = 1 - 1 / theta and q = 1 - alpha, for row t = 1, 2,
 * ... of the series adjusted for its season (adjust.h),
 *
 *   f_t = l + w (q^(t-1) A + (1 - q^t) / alpha B)        l <- alpha y_t + q l
 *
 * A + B t is the least-squares line: of all rows of the fit (OptimizedTheta), or at each row that of the rows
 * before it (DynamicOptimizedTheta), which goes on over the forecasts as if they were values.
 *
 * Given alpha, f is linear in the first level and in w: both follow by least squares, w held in [0, 1], and
 * what is left is a search over alpha in [0.1, 0.99], the paper's bounds. Squares are counted from the third
 * row on, before which a line through the rows before is none. Everything being linear in the values, an
 * error's effect on later rows is that of a unit impulse, and the variance a sum of squares of those.
 *
 * A missing value changes neither level nor line; rows are counted all the same.
 */
#include "forecast/adjust.h"
#include "forecast/minimise.h"

#include <math.h>
#include <string.h>

enum { FIRST_COUNTED = 3 };
static const double alpha_low = 0.1, alpha_high = 0.99;

/* The sums a least-squares line is made of. */
typedef struct sums {
    double count, x, xx, y, xy;
} sums;

/* A forecaster's state: doubles; behind it the figure [m]. */
typedef struct otm {
    double fitted; /* 0: too few values */
    double alpha, weight, first_level, sigma;
    double center; /* mean of the adjusted values: the rest is of values less it */
    double a, b;   /* the line of the fit */
    double level, begin, end;
    sums line; /* of the rows seen */
} otm;

static double *figure_of(double *state)
{
    return state + sizeof(otm) / sizeof(double);
}

static size_t state_size(const norn_forecaster_setup *setup)
{
    return sizeof(otm) / sizeof(double) + setup->season;
}

/* Adjusted rows, counts of the figure, forecast and deviation. */
static size_t work_size(const norn_forecaster_setup *setup)
{
    return setup->rows + setup->season + 2 * setup->horizon;
}

static size_t least(const norn_forecaster_setup *setup)
{
    (void)setup;
    return FIRST_COUNTED + 3;
}

static void add(sums *s, double x, double y)
{
    s->count += 1.0;
    s->x += x;
    s->xx += x * x;
    s->y += y;
    s->xy += x * y;
}

/* Without a second row the line is level. */
static void line_of(const sums *s, double *a, double *b)
{
    const double spread = s->count * s->xx - s->x * s->x;
    *b = spread > 0.0 ? (s->count * s->xy - s->x * s->y) / spread : 0.0;
    *a = s->count > 0.0 ? (s->y - *b * s->x) / s->count : 0.0;
}

/* q^(t-1) A + (1 - q^t) / alpha B, with power = q^(t-1) */
static double bend(double alpha, double power, double a, double b)
{
    return power * a + (1.0 - power * (1.0 - alpha)) / alpha * b;
}

/* ---- fitting ---- */

typedef struct fitting {
    const double *y; /* adjusted, from the first value on */
    size_t n;
    bool dynamic;
    double a, b;
    double first_level, weight, squares, counted; /* at the alpha asked last */
} fitting;

/* Sum of squares at alpha, first level and weight at their best. */
static double squares_at(void *user, double alpha)
{
    fitting *const f = user;
    sums line = {0};
    /* y - s = p l + w d: s the level without a first one, p what is left of it, d the bend */
    double s = 0.0, p = 1.0, power = 1.0, pp = 0.0, pd = 0.0, dd = 0.0, pr = 0.0, dr = 0.0, rr = 0.0,
           counted = 0.0;
    for (size_t i = 0; i < f->n; i++, power *= 1.0 - alpha) {
        const double y = f->y[i];
        if (!isfinite(y)) continue;
        double a = f->a, b = f->b;
        if (f->dynamic) line_of(&line, &a, &b);
        if (i + 1 >= FIRST_COUNTED) {
            const double d = bend(alpha, power, a, b), r = y - s;
            pp += p * p;
            pd += p * d;
            dd += d * d;
            pr += p * r;
            dr += d * r;
            rr += r * r;
            counted += 1.0;
        }
        add(&line, (double)(i + 1), y);
        s = alpha * y + (1.0 - alpha) * s;
        p *= 1.0 - alpha;
    }
    const double determinant = pp * dd - pd * pd;
    f->weight = determinant > 1e-12 * pp * dd ? (pp * dr - pd * pr) / determinant : 0.5;
    f->weight = fmin(fmax(f->weight, 0.0), 1.0);
    f->first_level = pp > 0.0 ? (pr - f->weight * pd) / pp : 0.0;
    const double l = f->first_level, w = f->weight;
    f->squares = rr - 2.0 * l * pr - 2.0 * w * dr + l * l * pp + 2.0 * l * w * pd + w * w * dd;
    f->counted = counted;
    return f->squares;
}

/* The next row; NaN: missing. */
static void step(otm *t, double y)
{
    t->end += 1.0;
    if (!isfinite(y)) return;
    add(&t->line, t->end - t->begin, y);
    t->level = t->alpha * y + (1.0 - t->alpha) * t->level;
}

static double next_of(const otm *t, bool dynamic)
{
    double a = t->a, b = t->b;
    if (dynamic) line_of(&t->line, &a, &b);
    return t->level + t->weight * bend(t->alpha, pow(1.0 - t->alpha, t->end - t->begin), a, b);
}

static void fit_kind(const norn_forecaster_setup *setup, norn_view train, double *state, double *work,
                     bool dynamic)
{
    otm *const t = (otm *)state;
    double *const figure = figure_of(state), *const adjusted = work;
    size_t from = 0, count = 0;
    memset(t, 0, sizeof *t);
    while (from < train.n && !isfinite(train.y[from])) from++;
    (void)norn_season_figure(train, setup->season, figure, work + setup->rows);
    double mean = 0.0;
    for (size_t i = from; i < train.n; i++) {
        adjusted[i - from] = train.y[i] / figure[(train.first + i) % setup->season];
        if (!isfinite(train.y[i])) continue;
        mean += adjusted[i - from];
        count++;
    }
    t->begin = (double)(train.first + from);
    t->end = t->begin;
    if (count < least(setup)) return;
    /* less the mean, so that sums of squares keep their digits: a model of y - c is one of y, with a first
     * level of (1 - w) c more */
    mean /= (double)count;
    for (size_t i = from; i < train.n; i++) adjusted[i - from] -= mean;
    sums line = {0};
    for (size_t i = 0; i < train.n - from; i++)
        if (isfinite(adjusted[i])) add(&line, (double)(i + 1), adjusted[i]);
    fitting f = {.y = adjusted, .n = train.n - from, .dynamic = dynamic};
    line_of(&line, &f.a, &f.b);
    t->center = mean;
    t->alpha = norn_minimise_line(squares_at, &f, alpha_low, alpha_high, 24, 1e-7);
    (void)squares_at(&f, t->alpha);
    t->weight = f.weight;
    t->first_level = f.first_level;
    t->sigma = sqrt(fmax(f.squares, 0.0) / fmax(f.counted - 3.0, 1.0));
    t->a = f.a;
    t->b = f.b;
    t->level = t->first_level;
    for (size_t i = 0; i < f.n; i++) step(t, adjusted[i]);
    t->fitted = 1.0;
}

static void fit_static(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    fit_kind(setup, train, state, work, false);
}

static void fit_dynamic(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    fit_kind(setup, train, state, work, true);
}

/* ---- forecasting ---- */

/* The states behind the last row of `past`; false where the past is before the fit's end. */
static bool follow(const norn_forecaster_setup *setup, otm *t, const double *figure, norn_view past)
{
    const size_t last = past.first + past.n;
    if (t->fitted == 0.0 || last < (size_t)t->end) return false;
    for (size_t row = (size_t)t->end; row < last; row++)
        step(t, row < past.first ? NAN : past.y[row - past.first] / figure[row % setup->season] - t->center);
    return true;
}

static void forecast_kind(const norn_forecaster_setup *setup, const double *state, norn_view past,
                          double *out, bool dynamic)
{
    const double *const figure = state + sizeof(otm) / sizeof(double), last = norn_view_last(past);
    otm t = *(const otm *)state;
    const bool can = follow(setup, &t, figure, past);
    for (size_t j = 0; j < setup->horizon; j++) {
        const size_t row = past.first + past.n + j;
        const double next = can ? next_of(&t, dynamic) : NAN;
        out[j] = (next + t.center) * figure[row % setup->season];
        if (!isfinite(out[j])) out[j] = last;
        if (can) step(&t, next);
    }
}

static void forecast_static(const norn_forecaster_setup *setup, const double *state, norn_view past,
                            double *out, double *work)
{
    (void)work;
    forecast_kind(setup, state, past, out, false);
}

static void forecast_dynamic(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             double *out, double *work)
{
    (void)work;
    forecast_kind(setup, state, past, out, true);
}

/* The variance of each row: an error of row i moves row j as a unit impulse at i does, everything else 0. */
static void deviations(const norn_forecaster_setup *setup, const otm *at, bool dynamic, double *out)
{
    for (size_t j = 0; j < setup->horizon; j++) out[j] = 1.0;
    for (size_t i = 0; i + 1 < setup->horizon; i++) {
        otm t = *at;
        t.level = t.a = t.b = 0.0;
        t.line.y = t.line.xy = 0.0;
        for (size_t j = 0; j < setup->horizon; j++) {
            const double moved = j < i ? 0.0 : j == i ? 1.0 : next_of(&t, dynamic);
            if (j > i) out[j] += moved * moved;
            step(&t, moved);
        }
    }
    for (size_t j = 0; j < setup->horizon; j++) out[j] = at->sigma * sqrt(out[j]);
}

static void interval_kind(const norn_forecaster_setup *setup, const double *state, norn_view past,
                          const double *level, size_t levels, double *lower, double *upper, double *work,
                          bool dynamic)
{
    const double *const figure = state + sizeof(otm) / sizeof(double);
    double *const out = work, *const deviation = work + setup->horizon;
    otm t = *(const otm *)state;
    forecast_kind(setup, state, past, out, dynamic);
    if (!follow(setup, &t, figure, past)) return;
    deviations(setup, &t, dynamic, deviation);
    for (size_t j = 0; j < setup->horizon; j++)
        deviation[j] *= figure[(past.first + past.n + j) % setup->season];
    norn_normal_interval(out, deviation, setup->horizon, level, levels, lower, upper);
}

static void interval_static(const norn_forecaster_setup *setup, const double *state, norn_view past,
                            const double *level, size_t levels, double *lower, double *upper, double *work)
{
    interval_kind(setup, state, past, level, levels, lower, upper, work, false);
}

static void interval_dynamic(const norn_forecaster_setup *setup, const double *state, norn_view past,
                             const double *level, size_t levels, double *lower, double *upper, double *work)
{
    interval_kind(setup, state, past, level, levels, lower, upper, work, true);
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const otm *const t = (const otm *)state;
    if (t->fitted == 0.0) {
        norn_explain(out, "model", "too few values: the forecast is the last one", "Naive");
        return;
    }
    norn_explain(out, "alpha", "how fast the level follows", "%.4f", t->alpha);
    norn_explain(out, "theta", "how much the curvature is enlarged; 1: no line at all", "%.4f",
                 1.0 / (1.0 - t->weight));
    norn_explain(out, "first level", "before the first row, of adjusted values", "%.6g",
                 t->first_level + (1.0 - t->weight) * t->center);
    norn_explain(out, "level", "at the last row of the fit, of adjusted values", "%.6g",
                 t->level + t->center);
    norn_explain(out, "slope", "of the line through the adjusted values, per row", "%.6g", t->b);
    norn_explain_figure(out, state + sizeof(otm) / sizeof(double), setup->season);
    norn_explain(out, "sigma", "deviation of the errors, of adjusted values", "%.6g", t->sigma);
}

#define PAPER "Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler (2016)"

const norn_forecaster norn_model_optimised_theta = {.name = "OptimizedTheta",
                                                    .word = "optimized-theta",
                                                    .text = "Theta with its theta estimated",
                                                    .paper = PAPER,
                                                    .least = least,
                                                    .state = state_size,
                                                    .work = work_size,
                                                    .fit = fit_static,
                                                    .forecast = forecast_static,
                                                    .interval = interval_static,
                                                    .explain = explain};
const norn_forecaster norn_model_dynamic_optimised_theta = {
    .name = "DynamicOptimizedTheta",
    .word = "dynamic-optimized-theta",
    .text = "the same with a line that is drawn anew at each row",
    .paper = PAPER,
    .least = least,
    .state = state_size,
    .work = work_size,
    .fit = fit_dynamic,
    .forecast = forecast_dynamic,
    .interval = interval_dynamic,
    .explain = explain};
