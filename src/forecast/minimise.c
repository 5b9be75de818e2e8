/*
 * BFGS (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 6.1) with the bracketing line search
 * of Lewis and Overton (2013): a step too long for Armijo's condition closes the bracket from above, one too
 * short for the curvature from below. The inverse Hessian is kept dense; it is begun anew when it no longer
 * points downhill.
 */
#include "forecast/minimise.h"

#include <math.h>
#include <string.h>

static const double armijo = 1e-4, curvature = 0.9;

/* x, gradient, its successor, direction, trial [n] each, and the inverse Hessian [n][n]. */
size_t norn_minimise_work(size_t n)
{
    return n * n + 6 * n;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double largest(const double *a, size_t n)
{
    double most = 0.0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
    return most;
}

/* The value, and the gradient where it comes with it; INFINITY wherever they are not finite. */
static double evaluate(const norn_objective *o, const double *x, double *gradient)
{
    const double f = o->value(o->user, x, o->differences ? NULL : gradient);
    return isfinite(f) && (o->differences || isfinite(largest(gradient, o->n))) ? f : INFINITY;
}

/* The gradient at x, whose value is f, where it does not come with it: only of points that are gone to. f, or
 * INFINITY where it is not finite. */
static double differentiate(const norn_objective *o, double *x, double f, double *gradient)
{
    if (!o->differences || !isfinite(f)) return f;
    for (size_t i = 0; i < o->n; i++) {
        /* the cube root of the precision balances truncation and rounding of a central difference */
        const double at = x[i], step = 6e-6 * (fabs(at) > 1.0 ? fabs(at) : 1.0);
        x[i] = at + step;
        const double above = o->value(o->user, x, NULL), high = x[i];
        x[i] = at - step;
        const double below = o->value(o->user, x, NULL), low = x[i];
        x[i] = at;
        gradient[i] = isfinite(above) && isfinite(below) ? (above - below) / (high - low)
                      : isfinite(above)                  ? (above - f) / (high - at)
                                                         : (f - below) / (at - low);
    }
    return isfinite(largest(gradient, o->n)) ? f : INFINITY;
}

static void forget(double *inverse, size_t n, double scale)
{
    memset(inverse, 0, n * n * sizeof *inverse);
    for (size_t i = 0; i < n; i++) inverse[i * n + i] = scale;
}

/* H += ((s'y + y'Hy) ss' / s'y - Hys' - s(Hy)') / s'y; s the step, y the change of the gradient. */
static void update(double *inverse, size_t n, const double *s, const double *y, double sy, double *hy)
{
    for (size_t i = 0; i < n; i++) hy[i] = dot(inverse + i * n, y, n);
    const double factor = (sy + dot(y, hy, n)) / (sy * sy);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
}

double norn_minimise(const norn_objective *o, double *x, size_t steps, double tolerance, double *work)
{
    enum { TRIALS = 40 };
    const size_t n = o->n;
    double *const gradient = work, *const next = gradient + n, *const direction = next + n,
                  *const trial = direction + n, *const best = trial + n, *const spare = best + n,
                  *const inverse = spare + n;
    double f = differentiate(o, x, evaluate(o, x, gradient), gradient);
    bool fresh = true; /* the inverse Hessian knows nothing yet */
    size_t idle = 0;   /* steps in a row that gained nothing */
    forget(inverse, n, 1.0);
    for (size_t step = 0; step < steps && isfinite(f); step++) {
        for (size_t i = 0; i < n; i++) direction[i] = -dot(inverse + i * n, gradient, n);
        double slope = dot(direction, gradient, n);
        if (!(slope < 0.0)) {
            if (fresh) break;
            forget(inverse, n, 1.0);
            fresh = true;
            continue;
        }
        if (-slope < tolerance && !fresh) break;
        /* without a Hessian the gradient says nothing about how far to go */
        const double far = largest(direction, n), most = fresh ? 0.25 : 2.0;
        if (far > most) {
            for (size_t i = 0; i < n; i++) direction[i] *= most / far;
            slope *= most / far;
        }
        double low = 0.0, high = INFINITY, t = 1.0, reached = INFINITY;
        for (size_t k = 0; k < TRIALS; k++) {
            for (size_t i = 0; i < n; i++) trial[i] = x[i] + t * direction[i];
            double value = evaluate(o, trial, next);
            if (value <= f + armijo * t * slope) value = differentiate(o, trial, value, next);
            if (!(value <= f + armijo * t * slope)) {
                high = t;
                /* the parabola through both values and the slope, kept away from both ends */
                const double fall = value - f - t * slope, lowest = -0.5 * slope * t * t / fall;
                t = isfinite(value) && fall > 0.0 && low == 0.0 ? fmin(fmax(lowest, 0.1 * t), 0.5 * t)
                                                                : 0.5 * (low + high);
                if (isfinite(reached) && high - low < 1e-3 * high) break;
                continue;
            }
            memcpy(best, trial, n * sizeof *best);
            reached = value;
            low = t;
            if (dot(next, direction, n) >= curvature * slope) break;
            t = isfinite(high) ? 0.5 * (low + high) : 2.0 * low;
        }
        if (!isfinite(reached)) { /* nothing downhill that way: once more along the gradient, then the end */
            if (fresh) break;
            forget(inverse, n, 1.0);
            fresh = true;
            continue;
        }
        if (memcmp(best, trial, n * sizeof *best) != 0)
            (void)differentiate(o, best, evaluate(o, best, next), next);
        for (size_t i = 0; i < n; i++) {
            direction[i] = best[i] - x[i]; /* s */
            trial[i] = next[i] - gradient[i];
        }
        memcpy(x, best, n * sizeof *x);
        memcpy(gradient, next, n * sizeof *gradient);
        const double sy = dot(direction, trial, n), yy = dot(trial, trial, n);
        if (sy > 1e-12 * sqrt(yy * dot(direction, direction, n))) {
            if (fresh) forget(inverse, n, sy / yy);
            update(inverse, n, direction, trial, sy, spare);
            fresh = false;
        }
        idle = f - reached < tolerance ? idle + 1 : 0;
        f = reached;
        if (idle == 3) break;
    }
    return f;
}

double norn_within(double z, double low, double high, double *derivative)
{
    *derivative = 0.5 * (high - low) * cos(z);
    return low + 0.5 * (high - low) * (1.0 + sin(z));
}

double norn_within_of(double value, double low, double high)
{
    const double share = high > low ? 2.0 * (value - low) / (high - low) - 1.0 : 0.0;
    return asin(fmin(fmax(share, -1.0), 1.0));
}

double norn_minimise_line(double (*value)(void *user, double x), void *user, double low, double high,
                          size_t grid, double width)
{
    static const double golden = 0.61803398874989484820;
    const double apart = (high - low) / (double)(grid - 1);
    double best = low, least = INFINITY;
    for (size_t i = 0; i < grid; i++) {
        const double x = i + 1 < grid ? low + apart * (double)i : high, f = value(user, x);
        if (!(f < least)) continue;
        least = f;
        best = x;
    }
    double a = fmax(low, best - apart), b = fmin(high, best + apart);
    double left = b - golden * (b - a), right = a + golden * (b - a);
    double at_left = value(user, left), at_right = value(user, right);
    while (b - a > width) {
        if (at_left <= at_right) {
            b = right;
            right = left;
            at_right = at_left;
            left = b - golden * (b - a);
            at_left = value(user, left);
        } else {
            a = left;
            left = right;
            at_left = at_right;
            right = a + golden * (b - a);
            at_right = value(user, right);
        }
    }
    const double middle = at_left <= at_right ? left : right, f = fmin(at_left, at_right);
    return f < least ? middle : best;
}
