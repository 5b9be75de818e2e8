/*
 * The test and the figure of the season by which Naive2, Theta and Comb adjust a series: see adjust.h. The
 * test stands in the M4 competition's benchmarks (SeasonalityTest), the figure is that of R's decompose.
 */
#include "forecast/adjust.h"

#include <math.h>
#include <stdio.h>

static double autocorrelation(norn_view v, double mean, double squares, size_t lag)
{
    double sum = 0.0;
    for (size_t i = lag; i < v.n; i++) {
        const double product = (v.y[i] - mean) * (v.y[i - lag] - mean);
        if (isfinite(product)) sum += product;
    }
    return sum / squares;
}

/* The test; `lags`: the limit grows with the autocorrelations below m (Bartlett), else it is that of white
 * noise. */
static bool test(norn_view v, size_t m, bool lags)
{
    double sum = 0.0, squares = 0.0, before = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < v.n; i++)
        if (isfinite(v.y[i])) {
            sum += v.y[i];
            count++;
        }
    if (m < 2 || v.n / 3 < m || (double)m > floor(10.0 * log10((double)v.n)) || m >= v.n) return false;
    const double mean = sum / (double)count;
    for (size_t i = 0; i < v.n; i++)
        if (isfinite(v.y[i])) squares += (v.y[i] - mean) * (v.y[i] - mean);
    if (!(squares > 0.0)) return false;
    for (size_t lag = 1; lags && lag < m; lag++) {
        const double r = autocorrelation(v, mean, squares, lag);
        before += r * r;
    }
    const double limit = 1.645 / sqrt((double)count) * sqrt(1.0 + 2.0 * before);
    return fabs(autocorrelation(v, mean, squares, m)) > limit;
}

bool norn_is_seasonal(norn_view v, size_t m)
{
    return test(v, m, true);
}

/* The moving average around row i: rows i - m/2 .. i + m/2; NaN where one is missing. */
static double level(norn_view v, size_t i, size_t m)
{
    const size_t half = m / 2;
    double sum = 0.0;
    for (size_t k = i - half; k <= i + half; k++)
        sum += m % 2 == 0 && (k == i - half || k == i + half) ? 0.5 * v.y[k] : v.y[k];
    return sum / (double)m;
}

/* The figure of v's season, where it `adjusts`. */
static bool figure_where(bool adjusts, norn_view v, size_t m, double *figure, double *counts)
{
    double mean = 0.0;
    for (size_t p = 0; p < m; p++) figure[p] = counts[p] = 0.0;
    for (size_t i = m / 2; adjusts && i + m / 2 < v.n; i++) {
        const double ratio = v.y[i] / level(v, i, m);
        if (!isfinite(ratio)) continue;
        figure[(v.first + i) % m] += ratio;
        counts[(v.first + i) % m] += 1.0;
    }
    for (size_t p = 0; adjusts && p < m; p++) {
        figure[p] /= counts[p];
        mean += figure[p] / (double)m;
    }
    for (size_t p = 0; adjusts && p < m; p++) {
        figure[p] /= mean;
        if (!(isfinite(figure[p]) && figure[p] > 0.0)) adjusts = false;
    }
    for (size_t p = 0; !adjusts && p < m; p++) figure[p] = 1.0;
    return adjusts;
}

bool norn_season_figure(norn_view v, size_t m, double *figure, double *counts)
{
    return figure_where(norn_is_seasonal(v, m), v, m, figure, counts);
}

bool norn_season_figure_by_steps(norn_view v, size_t m, double *figure, double *counts, double *steps)
{
    for (size_t i = 1; i < v.n; i++) steps[i - 1] = v.y[i] - v.y[i - 1];
    const bool adjusts = v.n / 3 >= m && test((norn_view){steps, v.n - 1, v.first + 1}, m, false);
    return figure_where(adjusts, v, m, figure, counts);
}

void norn_explain_figure(norn_explanation *out, const double *figure, size_t m)
{
    bool flat = true;
    for (size_t p = 0; p < m; p++) flat = flat && figure[p] == 1.0;
    if (flat) norn_explain(out, "season", "what the values are adjusted for", "none found");
    for (size_t p = 0; p < m && !flat; p++) {
        char name[32];
        (void)snprintf(name, sizeof name, "season %zu", p + 1);
        norn_explain(out, name, "values are divided by it at this place of the season, rows counted from 1",
                     "%.6g", figure[p]);
    }
}
