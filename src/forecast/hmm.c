/*
 * The hidden Markov model: see hmm.h. Forward and backward variables are scaled row by row (Rabiner 1989);
 * the density of a row is taken relative to its greatest, so that nothing underflows however far off a value
 * lies.
 */
#include "forecast/hmm.h"

#include "forecast/forecaster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = NORN_HMM_STATES, MOST_ROUNDS = 500 };

/* forward and densities [n][K], and the values in order. */
size_t norn_hmm_work(size_t rows)
{
    const size_t n = rows < NORN_HMM_ROWS ? rows : NORN_HMM_ROWS;
    return (2 * K + 1) * n;
}

/* Densities of the regimes over the greatest, whose logarithm is returned. */
static double densities(const norn_hmm *m, double y, double *out)
{
    double most = -INFINITY;
    for (size_t i = 0; i < m->k; i++) {
        const double off = y - m->mean[i];
        out[i] = isfinite(y)
                     ? -0.5 * (1.8378770664093454836 + log(m->variance[i]) + off * off / m->variance[i])
                     : 0.0;
        most = fmax(most, out[i]);
    }
    for (size_t i = 0; i < m->k; i++) out[i] = exp(out[i] - most);
    return most;
}

/* p [k] a row on. */
static void propagate(const norn_hmm *m, double *p)
{
    double next[K] = {0.0};
    for (size_t i = 0; i < m->k; i++)
        for (size_t j = 0; j < m->k; j++) next[j] += p[i] * m->transition[i][j];
    memcpy(p, next, m->k * sizeof *p);
}

/* By the value of its row; returns the logarithm of its likelihood. */
static double condition(const norn_hmm *m, double *p, double most, const double *density)
{
    double sum = 0.0;
    for (size_t i = 0; i < m->k; i++) sum += p[i] *= density[i];
    if (!(sum > 0.0)) return -INFINITY;
    for (size_t i = 0; i < m->k; i++) p[i] /= sum;
    return most + log(sum);
}

double norn_hmm_likelihood(const norn_hmm *m, const double *y, size_t n, double *next)
{
    double p[K], density[K], sum = 0.0;
    memcpy(p, m->start, sizeof p);
    for (size_t t = 0; t < n; t++) {
        const double most = densities(m, y[t], density);
        sum += condition(m, p, most, density);
        propagate(m, p);
    }
    if (next) memcpy(next, p, m->k * sizeof *p);
    return isnan(sum) ? -INFINITY : sum;
}

/* One round of Baum and Welch; returns the log likelihood of the model it began with. */
static double improve(norn_hmm *m, const double *y, size_t n, double floor, double *forward, double *density)
{
    const size_t k = m->k;
    double sum = 0.0, p[K], back[K], moves[K][K] = {{0.0}}, weight[K] = {0.0}, first[K] = {0.0},
           second[K] = {0.0};
    memcpy(p, m->start, sizeof p);
    for (size_t t = 0; t < n; t++) {
        const double most = densities(m, y[t], density + t * K);
        sum += condition(m, p, most, density + t * K);
        memcpy(forward + t * K, p, k * sizeof *p);
        propagate(m, p);
    }
    if (!isfinite(sum)) return -INFINITY;
    for (size_t i = 0; i < k; i++) back[i] = 1.0;
    for (size_t t = n; t-- > 0;) {
        double *const f = forward + t * K, all = 0.0;
        if (t + 1 < n) { /* back becomes that of this row; the pairs of this row and the next go with it */
            double pair[K][K], pairs = 0.0, now[K] = {0.0}, scale = 0.0;
            for (size_t i = 0; i < k; i++)
                for (size_t j = 0; j < k; j++) {
                    const double ahead = m->transition[i][j] * density[(t + 1) * K + j] * back[j];
                    now[i] += ahead;
                    pairs += pair[i][j] = f[i] * ahead;
                }
            for (size_t i = 0; i < k; i++)
                for (size_t j = 0; j < k; j++) moves[i][j] += pair[i][j] / pairs;
            for (size_t i = 0; i < k; i++) scale += now[i];
            for (size_t i = 0; i < k; i++) back[i] = now[i] / scale;
        }
        for (size_t i = 0; i < k; i++) all += f[i] *= back[i]; /* the regime given all rows */
        for (size_t i = 0; i < k; i++) {
            f[i] /= all;
            if (!isfinite(y[t])) continue;
            weight[i] += f[i];
            first[i] += f[i] * y[t];
        }
    }
    for (size_t i = 0; i < k; i++) {
        double rows = 0.0;
        for (size_t j = 0; j < k; j++) rows += moves[i][j];
        for (size_t j = 0; j < k && rows > 0.0; j++) m->transition[i][j] = moves[i][j] / rows;
        m->start[i] = forward[i];
        if (weight[i] > 1e-8) m->mean[i] = first[i] / weight[i];
    }
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < k && isfinite(y[t]); i++)
            second[i] += forward[t * K + i] * (y[t] - m->mean[i]) * (y[t] - m->mean[i]);
    for (size_t i = 0; i < k; i++)
        m->variance[i] = fmax(floor, weight[i] > 1e-8 ? second[i] / weight[i] : 0.0);
    return sum;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool norn_hmm_fit(norn_hmm *m, const double *y, size_t n, const norn_cancel *cancel, double *work)
{
    const size_t k = m->k;
    if (n > NORN_HMM_ROWS) {
        y += n - NORN_HMM_ROWS;
        n = NORN_HMM_ROWS;
    }
    double *const forward = work, *const density = forward + K * n, *const sorted = density + K * n;
    double mean = 0.0, variance = 0.0, before = -INFINITY;
    size_t count = 0;
    for (size_t t = 0; t < n; t++)
        if (isfinite(y[t])) sorted[count++] = y[t];
    for (size_t i = 0; i < count; i++) mean += sorted[i] / (double)count;
    for (size_t i = 0; i < count; i++) variance += (sorted[i] - mean) * (sorted[i] - mean) / (double)count;
    if (count < 5 * k || !(variance > 0.0) || !isfinite(variance)) return false;
    qsort(sorted, count, sizeof *sorted, ascending);
    for (size_t i = 0; i < k; i++) { /* regimes begin as slices of the values */
        const size_t from = i * count / k, to = (i + 1) * count / k;
        m->mean[i] = 0.0;
        for (size_t j = from; j < to; j++) m->mean[i] += sorted[j] / (double)(to - from);
        m->variance[i] = variance / (double)(k * k);
        m->start[i] = 1.0 / (double)k;
        for (size_t j = 0; j < k; j++)
            m->transition[i][j] = i == j ? (k > 1 ? 0.9 : 1.0) : 0.1 / (double)(k - 1);
    }
    /* a regime of one value would be infinitely likely */
    const double floor = 1e-4 * variance;
    for (size_t round = 0; round < MOST_ROUNDS && !norn_cancel_raised(cancel); round++) {
        const double now = improve(m, y, n, floor, forward, density);
        if (!isfinite(now)) return false;
        if (now - before < 1e-7 * (double)count) break;
        before = now;
    }
    m->likelihood = norn_hmm_likelihood(m, y, n, NULL);
    /* k - 1 of the start, k (k - 1) transitions, k means and variances */
    const double parameters = (double)(k - 1 + k * (k - 1) + 2 * k);
    m->bic = -2.0 * m->likelihood + parameters * log((double)count);
    return isfinite(m->likelihood);
}

/* ---- the forecaster ---- */

static size_t state_size(const norn_forecaster_setup *setup)
{
    (void)setup;
    return (sizeof(norn_hmm) + sizeof(double) - 1) / sizeof(double);
}

static size_t work_size(const norn_forecaster_setup *setup)
{
    return norn_hmm_work(setup->rows);
}

static norn_hmm model_of(const double *state)
{
    norn_hmm m;
    memcpy(&m, state, sizeof m);
    return m;
}

static void fit(const norn_forecaster_setup *setup, norn_view train, double *state, double *work)
{
    norn_hmm best = {.bic = INFINITY}, m;
    for (size_t k = 1; k <= K; k++) {
        m = (norn_hmm){.k = k};
        if (norn_hmm_fit(&m, train.y, train.n, setup->cancel, work) && m.bic < best.bic) best = m;
    }
    memcpy(state, &best, sizeof best);
}

static void forecast(const norn_forecaster_setup *setup, const double *state, norn_view past, double *out,
                     double *work)
{
    const norn_hmm m = model_of(state);
    const double last = norn_view_last(past);
    double p[K];
    (void)work;
    for (size_t j = 0; j < setup->horizon; j++) out[j] = last;
    if (m.k == 0 || !isfinite(last)) return;
    if (!isfinite(norn_hmm_likelihood(&m, past.y, past.n, p))) return;
    for (size_t j = 0; j < setup->horizon; j++) {
        out[j] = 0.0;
        for (size_t i = 0; i < m.k; i++) out[j] += p[i] * m.mean[i];
        propagate(&m, p);
    }
}

/* Of the mixture, by halving between bounds that hold it. */
static double quantile(const norn_hmm *m, const double *p, double share)
{
    const double far = norn_normal_quantile(0.5 + 0.5 * fabs(2.0 * share - 1.0));
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < m->k; i++) {
        low = fmin(low, m->mean[i] - far * sqrt(m->variance[i]));
        high = fmax(high, m->mean[i] + far * sqrt(m->variance[i]));
    }
    for (int step = 0; step < 80; step++) {
        const double middle = 0.5 * (low + high);
        double below = 0.0;
        for (size_t i = 0; i < m->k; i++)
            below += p[i] * 0.5 * erfc((m->mean[i] - middle) / sqrt(2.0 * m->variance[i]));
        if (below < share)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

static void interval(const norn_forecaster_setup *setup, const double *state, norn_view past,
                     const double *level, size_t levels, double *lower, double *upper, double *work)
{
    const norn_hmm m = model_of(state);
    const size_t h = setup->horizon;
    double p[K];
    (void)work;
    if (m.k == 0 || !isfinite(norn_hmm_likelihood(&m, past.y, past.n, p))) return;
    for (size_t j = 0; j < h; j++) {
        for (size_t i = 0; i < levels; i++) {
            lower[i * h + j] = quantile(&m, p, 0.5 - 0.5 * level[i]);
            upper[i * h + j] = quantile(&m, p, 0.5 + 0.5 * level[i]);
        }
        propagate(&m, p);
    }
}

static void explain(const norn_forecaster_setup *setup, const double *state, norn_explanation *out)
{
    const norn_hmm m = model_of(state);
    (void)setup;
    if (m.k == 0) {
        norn_explain(out, "model", "too few rows, or they do not vary", "naive");
        return;
    }
    norn_explain(out, "regimes", "their number, by BIC", "%zu", m.k);
    for (size_t i = 0; i < m.k; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "regime %zu", i + 1);
        norn_explain(out, name, "mean, standard deviation, and the share of rows that stay in it",
                     "%.6g, %.6g, %.3f", m.mean[i], sqrt(m.variance[i]), m.transition[i][i]);
    }
    norn_explain(out, "log likelihood", "of the rows", "%.6g", m.likelihood);
    norn_explain(out, "BIC", "what their number was chosen by", "%.6g", m.bic);
}

const norn_forecaster norn_model_hmm = {
    .name = "HMM",
    .word = "hmm",
    .text = "regimes with a mean and a variance each, their number by BIC",
    .paper = "Baum, Petrie, Soules and Weiss (1970)",
    .state = state_size,
    .work = work_size,
    .fit = fit,
    .forecast = forecast,
    .interval = interval,
    .explain = explain,
};
