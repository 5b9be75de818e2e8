/* See significance.h. */
#include "backtest/significance.h"

#include <float.h>
#include <math.h>

/* ---- distributions ---- */

enum { MOST_TERMS = 200000 }; /* some 10 sqrt(degrees) are needed */

/* The upper regularised incomplete gamma function Q(a, x): its power series below a + 1, Legendre's continued
 * fraction above, by Lentz's method (Abramowitz and Stegun 6.5.29 and 6.5.31). */
static double gamma_tail(double a, double x)
{
    const double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1.0) {
        double term = 1.0 / a, sum = term;
        for (int i = 1; i < MOST_TERMS && term > sum * DBL_EPSILON / 4.0; i++) {
            term *= x / (a + i);
            sum += term;
        }
        return 1.0 - front * sum;
    }
    double b = x + 1.0 - a, c = 1.0 / DBL_MIN, d = 1.0 / b, fraction = d;
    for (int i = 1; i < MOST_TERMS; i++) {
        const double an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= d * c;
        if (fabs(d * c - 1.0) < DBL_EPSILON) break;
    }
    return front * fraction;
}

/* The regularised incomplete beta function I_x(a, b), by its continued fraction (26.5.8) where that is
 * quick. */
static double beta_part(double a, double b, double x)
{
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    if (x > (a + 1.0) / (a + b + 2.0)) return 1.0 - beta_part(b, a, 1.0 - x);
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a;
    double c = 1.0, d = 1.0 / (1.0 - (a + b) * x / (a + 1.0)), fraction = d;
    for (int i = 1; i < MOST_TERMS; i++) {
        const double m = i;
        const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / (1.0 + even * d);
        c = 1.0 + even / c;
        fraction *= d * c;
        d = 1.0 / (1.0 + odd * d);
        c = 1.0 + odd / c;
        fraction *= d * c;
        if (fabs(d * c - 1.0) < DBL_EPSILON) break;
    }
    return front * fraction;
}

double norn_student_tails(double t, double degrees)
{
    if (isnan(t) || !(degrees > 0.0)) return NAN;
    return beta_part(degrees / 2.0, 0.5, degrees / (degrees + t * t));
}

double norn_chi_square_tail(double x, double degrees)
{
    if (isnan(x) || !(degrees > 0.0)) return NAN;
    return x > 0.0 ? gamma_tail(degrees / 2.0, x / 2.0) : 1.0;
}

/* ---- Diebold and Mariano ---- */

norn_comparison norn_diebold_mariano(const double *d, size_t n, size_t lags)
{
    norn_comparison out = {
        .cutoffs = n, .lags = lags, .difference = NAN, .statistic = NAN, .p = NAN, .no_lags = 0};
    const double count = (double)n;
    double mean = 0.0, variance = 0.0, alone = 0.0;
    for (size_t i = 0; i < n; i++) mean += d[i] / count;
    if (n) out.difference = mean;
    if (n < NORN_COMPARISON_LEAST) return out;
    for (size_t k = 0; k <= lags && k < n; k++) {
        double sum = 0.0;
        for (size_t i = k; i < n; i++) sum += (d[i] - mean) * (d[i - k] - mean);
        variance += (k ? 2.0 : 1.0) * sum / count;
        if (k == 0) alone = variance;
    }
    /* Differentials that are all the same up to rounding have no variance to judge by. */
    if (!(alone > mean * mean * DBL_EPSILON * DBL_EPSILON * 64.0)) return out;
    double ahead = (double)lags + 1.0; /* steps of the forecast, in cutoffs */
    double factor = (count + 1.0 - 2.0 * ahead + ahead * (ahead - 1.0) / count) / count;
    /* The estimate is not bound to be positive; without lags it is (as R's dm.test does). */
    if (!(variance > 0.0) || !(factor > 0.0)) {
        out.no_lags = 1;
        variance = alone;
        factor = (count - 1.0) / count;
    }
    out.statistic = sqrt(factor) * mean / sqrt(variance / count);
    out.p = norn_student_tails(out.statistic, count - 1.0);
    return out;
}

/* ---- residuals ---- */

size_t norn_autocovariance(const double *e, size_t n, size_t lags, double *out)
{
    double mean = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(e[i])) {
            mean += e[i];
            count++;
        }
    mean = count ? mean / (double)count : 0.0;
    for (size_t k = 0; k <= lags; k++) {
        out[k] = 0.0;
        for (size_t i = k; i < n; i++)
            if (isfinite(e[i]) && isfinite(e[i - k])) out[k] += (e[i] - mean) * (e[i - k] - mean);
    }
    return count;
}

double norn_ljung_box(const double *covariance, size_t n, size_t lags)
{
    const double count = (double)n;
    double sum = 0.0;
    if (!(covariance[0] > 0.0)) return NAN;
    for (size_t k = 1; k <= lags; k++) {
        const double r = covariance[k] / covariance[0];
        sum += r * r / (count - (double)k);
    }
    return count * (count + 2.0) * sum;
}

void norn_moments_of(const double *e, size_t n, norn_residuals *out)
{
    double sum = 0.0, second = 0.0, third = 0.0, fourth = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(e[i])) {
            sum += e[i];
            count++;
        }
    const double rows = (double)count, mean = sum / rows;
    for (size_t i = 0; i < n; i++)
        if (isfinite(e[i])) {
            const double c = e[i] - mean, square = c * c;
            second += square;
            third += square * c;
            fourth += square * square;
        }
    const double variance = second / rows;
    out->rows = count;
    out->mean = count ? mean : NAN;
    out->deviation = count > 1 ? sqrt(second / (rows - 1.0)) : NAN;
    out->skewness = variance > 0.0 ? third / rows / (variance * sqrt(variance)) : NAN;
    out->kurtosis = variance > 0.0 ? fourth / rows / (variance * variance) - 3.0 : NAN;
}
