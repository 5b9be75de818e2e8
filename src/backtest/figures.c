/*
 * From forecasts to figures: every metric of every model for each scope, intervals by the bootstrap, pairs of
 * models compared, and the errors looked at as a series of their own.
 *
 * The bootstrap draws series and cutoffs, both with replacement, and keeps the rows of a forecast together
 * (the pigeonhole bootstrap of Owen 2007 for two crossed factors): errors of one series at one cutoff, and of
 * all series at one cutoff, are not independent. The interval runs from the 2.5th to the 97.5th percentile of
 * the replicates. All models see the same draws.
 */
#include "backtest/run.h"
#include "backtest/significance.h"
#include "nn/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* [h] */
static const double *block_truth(const norn_backtest *b, size_t i, size_t fold)
{
    const norn_backtest_options *const o = &b->folds.options;
    if (b->saved) return b->saved->truth + (i * o->folds + fold) * o->horizon;
    return norn_table_target(b->folds.table, b->folds.series[i]) + norn_folds_cutoff(&b->folds, i, fold) + 1;
}

norn_block norn_backtest_block(const norn_backtest *b, size_t model, size_t i, size_t fold)
{
    const norn_backtest_options *const o = &b->folds.options;
    const norn_known *known = &b->known[i * o->folds + fold];
    return (norn_block){.truth = block_truth(b, i, fold),
                        .forecast = b->models[model].forecasts + (i * o->folds + fold) * o->horizon,
                        .before = known->before,
                        .scale = known->scale,
                        .square_scale = known->square_scale,
                        .reference = b->reference[i]};
}

/* What the metrics need to know of each series at each cutoff, from rows up to it. Of a saved backtest that
 * is known already. */
static void know(norn_backtest *b)
{
    const norn_folds *const f = &b->folds;
    const size_t folds = f->options.folds, h = f->options.horizon;
    const size_t m = norn_compat_season(f->options.compat, f->options.season);
    for (size_t i = 0; i < f->count; i++) {
        const double *y = norn_table_target(f->table, f->series[i]);
        norn_scale_sums sums = {0};
        double level = 0.0;
        size_t rows = 0;
        for (size_t k = 0; k < folds; k++) {
            norn_known *known = &b->known[i * folds + k];
            if (b->saved) {
                *known = b->saved->known[i * folds + k];
            } else {
                const size_t cutoff = norn_folds_cutoff(f, i, k);
                known->before = norn_view_last((norn_view){y, cutoff + 1, 0});
                norn_scales_of(&sums, y, cutoff + 1, m, &known->scale, &known->square_scale);
            }
            const double *const truth = block_truth(b, i, k);
            for (size_t j = 0; j < h; j++) {
                if (isfinite(truth[j])) {
                    level += truth[j];
                    rows++;
                } else if (!b->saved || b->saved->rows[(i * folds + k) * h + j] != SIZE_MAX) {
                    b->missing++;
                }
            }
        }
        b->rows += rows;
        b->reference[i] = rows && isfinite(level) ? level / (double)rows : 0.0;
    }
}

/* ---- scopes ---- */

static size_t index_of(const norn_backtest *b, norn_scope scope, size_t index)
{
    const norn_backtest_options *const o = &b->folds.options;
    switch (scope) {
    case NORN_SCOPE_ALL:
        return index == 0 ? 0 : SIZE_MAX;
    case NORN_SCOPE_STEP:
        return index < o->horizon ? 1 + index : SIZE_MAX;
    case NORN_SCOPE_CUTOFF:
        return index < o->folds ? 1 + o->horizon + index : SIZE_MAX;
    case NORN_SCOPE_SERIES:
        if (!norn_backtest_includes(b, index)) return SIZE_MAX;
        return 1 + o->horizon + o->folds + b->folds.place[index];
    }
    return SIZE_MAX;
}

/* The values of a model by kind among values [M][NORN_METRICS], or NULL. */
static const double *values_of_kind(const norn_backtest *b, const double *values, const norn_forecaster *kind)
{
    for (size_t m = 0; m < b->model_count; m++)
        if (b->models[m].kind == kind && b->models[m].decompose == NORN_DECOMPOSE_NONE)
            return values + m * NORN_METRICS;
    return NULL;
}

/* Completes values [M][NORN_METRICS] by those that compare models. Without a season Naive2 is Naive. */
static void set_beside(const norn_backtest *b, double *values)
{
    const double *naive = values_of_kind(b, values, &norn_model_naive);
    const double *naive2 = values_of_kind(b, values, &norn_model_naive2);
    for (size_t m = 0; m < b->model_count; m++)
        norn_metrics_beside(values + m * NORN_METRICS, naive2 || b->folds.options.season > 1 ? naive2 : naive,
                            naive, values_of_kind(b, values, &norn_model_seasonal_naive),
                            values_of_kind(b, values, &norn_model_nlinear));
}

typedef struct ranges {
    size_t series[2], folds[2], steps[2]; /* from, to */
} ranges;

/* Figures of one scope's index from sums of its own: a step's, or all steps' blocks [M][S][K]. */
static void set_figures(norn_backtest *b, size_t at, const ranges *r, const double *blocks, double *values)
{
    const size_t folds = b->folds.options.folds, models = b->model_count;
    norn_figure *figures = b->figures + at * models * NORN_METRICS;
    for (size_t m = 0; m < models; m++) {
        norn_gather gather;
        size_t undefined[NORN_OWN_METRICS];
        norn_gather_begin(&gather, b->folds.options.compat);
        for (size_t i = r->series[0]; i < r->series[1]; i++) {
            for (size_t k = r->folds[0]; k < r->folds[1]; k++) {
                double own[NORN_SUMS] = {0};
                const double *sums = own;
                if (blocks) {
                    sums = blocks + ((m * b->folds.count + i) * folds + k) * NORN_SUMS;
                } else {
                    const norn_block block = norn_backtest_block(b, m, i, k);
                    norn_block_add(own, &block, r->steps[0], r->steps[1]);
                }
                norn_gather_block(&gather, sums, 1.0, 1.0);
            }
            norn_gather_series(&gather, 1.0);
        }
        norn_gather_end(&gather, values + m * NORN_METRICS, undefined);
        for (size_t i = 0; i < NORN_OWN_METRICS; i++) figures[m * NORN_METRICS + i].undefined = undefined[i];
    }
    set_beside(b, values);
    for (size_t m = 0; m < models; m++)
        for (size_t i = 0; i < NORN_METRICS; i++) {
            norn_figure *figure = &figures[m * NORN_METRICS + i];
            figure->value = values[m * NORN_METRICS + i];
            if (i >= NORN_OWN_METRICS && isnan(figure->value)) figure->undefined = 1;
        }
}

/* Sums of all blocks, and the proof that no row was lost: those scored, those without a truth and those
 * without a forecast are folds * horizon of every series. */
static norn_status set_blocks(norn_backtest *b, double *blocks, norn_error *err)
{
    const norn_backtest_options *const o = &b->folds.options;
    for (size_t m = 0; m < b->model_count; m++) {
        double scored = 0.0;
        uint64_t unforecast = 0;
        for (size_t i = 0; i < b->folds.count; i++)
            for (size_t k = 0; k < o->folds; k++) {
                double *sums = blocks + ((m * b->folds.count + i) * o->folds + k) * NORN_SUMS;
                const norn_block block = norn_backtest_block(b, m, i, k);
                norn_block_add(sums, &block, 0, o->horizon);
                scored += sums[NORN_SUM_ROWS];
                for (size_t j = 0; j < o->horizon; j++)
                    unforecast += isfinite(block.truth[j]) && !isfinite(block.forecast[j]);
            }
        b->models[m].unforecast = unforecast;
        if ((uint64_t)scored + unforecast != b->rows)
            return norn_fail(err, NORN_ERR_INTERNAL, "%s was scored on %.0f rows instead of %llu",
                             b->models[m].name, scored, (unsigned long long)(b->rows - unforecast));
    }
    return NORN_OK;
}

/* ---- intervals ---- */

enum { PURPOSE_BOOTSTRAP = 64, LEAST_REPLICATES = 200, MOST_REPLICATES = 1000 };
static const double affordable = 2e9; /* sums added by all replicates together, by default */

static size_t replicates(const norn_backtest *b)
{
    const norn_backtest_options *const o = &b->folds.options;
    if (b->folds.count * o->folds < 2) return 0; /* nothing to draw */
    if (o->bootstrap >= 0) return (size_t)o->bootstrap;
    const double cost =
        (double)b->folds.count * (double)o->folds * (double)b->model_count * (double)NORN_SUMS;
    const double afford = affordable / cost;
    return afford > MOST_REPLICATES    ? MOST_REPLICATES
           : afford < LEAST_REPLICATES ? LEAST_REPLICATES
                                       : (size_t)afford;
}

/* weights [n]: how often each of n was drawn in n draws. */
static void draw(double *weights, size_t n, norn_key key, uint32_t replicate, uint32_t of)
{
    memset(weights, 0, n * sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        const norn_random_words words =
            norn_random(key, (uint32_t)i, (uint32_t)((uint64_t)i >> 32), replicate, of);
        const uint64_t word = (uint64_t)words.word[0] << 32 | words.word[1];
        /* the high half of word * n, n below 2^32: as even as 64 bits allow */
        const uint64_t high = (word >> 32) * n + ((word & UINT32_MAX) * n >> 32);
        weights[high >> 32] += 1.0;
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, size_t n, double share)
{
    const double at = share * (double)(n - 1);
    const size_t below = (size_t)at;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static norn_status set_intervals(norn_backtest *b, const double *blocks, norn_error *err)
{
    const size_t series = b->folds.count, folds = b->folds.options.folds, models = b->model_count;
    const size_t all = replicates(b), one = models * NORN_METRICS;
    const norn_key key = norn_random_key(b->folds.options.seed, 0, (norn_purpose)PURPOSE_BOOTSTRAP);
    for (size_t m = 0; m < models; m++)
        for (size_t i = 0; i < NORN_METRICS; i++) b->low[m][i] = b->high[m][i] = NAN;
    b->folds.options.bootstrap = (int64_t)all;
    if (!all) return NORN_OK;

    norn_status status = NORN_OK;
    double *values = norn_new(&b->host, all * one, sizeof *values);
    double *weights = norn_new(&b->host, series + folds, sizeof *weights);
    double *sorted = norn_new(&b->host, all, sizeof *sorted);
    if (!values || !weights || !sorted) {
        status = norn_fail_memory(err, "the bootstrap");
        goto done;
    }
    double *const of_folds = weights + series;
    const double begin = norn_seconds();
    double told = begin;
    for (size_t r = 0; r < all; r++) {
        draw(weights, series, key, (uint32_t)r, 0);
        draw(of_folds, folds, key, (uint32_t)r, 1);
        for (size_t m = 0; m < models; m++) {
            norn_gather gather;
            norn_gather_begin(&gather, b->folds.options.compat);
            for (size_t i = 0; i < series; i++) {
                if (weights[i] == 0.0) continue;
                for (size_t k = 0; k < folds; k++)
                    if (of_folds[k] > 0.0)
                        norn_gather_block(&gather, blocks + ((m * series + i) * folds + k) * NORN_SUMS,
                                          weights[i], of_folds[k]);
                norn_gather_series(&gather, weights[i]);
            }
            norn_gather_end(&gather, values + r * one + m * NORN_METRICS, NULL);
        }
        set_beside(b, values + r * one);
        norn_backtest_tell(b, "intervals", begin, &told, r + 1, all);
        if (norn_is_cancelled(&b->host)) {
            status = norn_fail_cancelled(err);
            goto done;
        }
    }
    for (size_t m = 0; m < models; m++)
        for (size_t i = 0; i < NORN_METRICS; i++) {
            size_t count = 0;
            for (size_t r = 0; r < all; r++) {
                const double value = values[r * one + m * NORN_METRICS + i];
                if (isfinite(value)) sorted[count++] = value;
            }
            /* a metric that most draws leave undefined has no interval */
            if (2 * count < all || count < 2) continue;
            qsort(sorted, count, sizeof *sorted, ascending);
            b->low[m][i] = percentile(sorted, count, 0.025);
            b->high[m][i] = percentile(sorted, count, 0.975);
        }
done:
    norn_delete(&b->host, values, all * one, sizeof *values);
    norn_delete(&b->host, weights, series + folds, sizeof *weights);
    norn_delete(&b->host, sorted, all, sizeof *sorted);
    return status;
}

norn_status norn_backtest_score(norn_backtest *b, norn_error *err)
{
    const size_t series = b->folds.count, folds = b->folds.options.folds, h = b->folds.options.horizon;
    const size_t models = b->model_count, scopes = 1 + h + folds + series;
    norn_status status = NORN_OK;
    double *blocks = norn_new(&b->host, models * series * folds, NORN_SUMS * sizeof *blocks);
    double *values = norn_new(&b->host, models * NORN_METRICS, sizeof *values);
    b->known = norn_new(&b->host, series * folds, sizeof *b->known);
    b->reference = norn_new(&b->host, series, sizeof *b->reference);
    b->figure_count = scopes * models * NORN_METRICS;
    b->figures = norn_new(&b->host, b->figure_count, sizeof *b->figures);
    if (!blocks || !values || !b->known || !b->reference || !b->figures) {
        status = norn_fail_memory(err, "the metrics");
        goto done;
    }
    know(b);
    if ((status = set_blocks(b, blocks, err)) != NORN_OK) goto done;

    const ranges whole = {{0, series}, {0, folds}, {0, h}};
    set_figures(b, 0, &whole, blocks, values);
    for (size_t j = 0; j < h; j++) {
        const ranges step = {{0, series}, {0, folds}, {j, j + 1}};
        set_figures(b, 1 + j, &step, NULL, values);
        if (norn_is_cancelled(&b->host)) {
            status = norn_fail_cancelled(err);
            goto done;
        }
    }
    for (size_t k = 0; k < folds; k++) {
        const ranges cutoff = {{0, series}, {k, k + 1}, {0, h}};
        set_figures(b, 1 + h + k, &cutoff, blocks, values);
    }
    for (size_t i = 0; i < series; i++) {
        const ranges own = {{i, i + 1}, {0, folds}, {0, h}};
        set_figures(b, 1 + h + folds + i, &own, blocks, values);
    }
    status = set_intervals(b, blocks, err);
done:
    norn_delete(&b->host, blocks, models * series * folds, NORN_SUMS * sizeof *blocks);
    norn_delete(&b->host, values, models * NORN_METRICS, sizeof *values);
    return status;
}

norn_estimate norn_backtest_metric(const norn_backtest *b, size_t model, norn_scope scope, size_t index,
                                   norn_metric metric)
{
    const size_t at = index_of(b, scope, index);
    norn_estimate out = {NAN, NAN, NAN, 0};
    if (at == SIZE_MAX || model >= b->model_count || (unsigned)metric >= NORN_METRICS) return out;
    const norn_figure *figure = &b->figures[(at * b->model_count + model) * NORN_METRICS + (size_t)metric];
    out.value = figure->value;
    out.undefined = figure->undefined;
    if (scope == NORN_SCOPE_ALL) {
        out.low = b->low[model][metric];
        out.high = b->high[model][metric];
    }
    return out;
}

/* ---- pairs of models ---- */

/* What errors are divided by to be comparable between series: 1 where there is only one; NaN: none. */
static double unit_of(const norn_backtest *b, const norn_block *block)
{
    return b->folds.count < 2 ? 1.0 : block->scale > 0.0 ? block->scale : NAN;
}

norn_comparison norn_backtest_compare(const norn_backtest *b, size_t x, size_t y)
{
    const norn_backtest_options *const o = &b->folds.options;
    const size_t lags = (o->horizon + o->step - 1) / o->step - 1;
    norn_comparison out = {.difference = NAN, .statistic = NAN, .p = NAN, .lags = lags};
    if (x >= b->model_count || y >= b->model_count) return out;
    double *d = norn_new(&b->host, o->folds, sizeof *d);
    size_t count = 0;
    if (!d) return out;
    for (size_t k = 0; k < o->folds; k++) {
        double sum = 0.0;
        size_t rows = 0;
        for (size_t i = 0; i < b->folds.count; i++) {
            const norn_block one = norn_backtest_block(b, x, i, k), other = norn_backtest_block(b, y, i, k);
            const double unit = unit_of(b, &one);
            for (size_t j = 0; j < o->horizon; j++) {
                const double difference =
                    (fabs(one.truth[j] - one.forecast[j]) - fabs(one.truth[j] - other.forecast[j])) / unit;
                if (!isfinite(difference)) continue;
                sum += difference;
                rows++;
            }
        }
        if (rows) d[count++] = sum / (double)rows;
    }
    out = norn_diebold_mariano(d, count, lags);
    norn_delete(&b->host, d, o->folds, sizeof *d);
    return out;
}

/* ---- residuals ---- */

/* Lags of the Ljung-Box test of n errors, as Hyndman and Athanasopoulos advise. */
static size_t lags_for(size_t n, size_t season)
{
    size_t lags = season > 1 ? 2 * season : 10;
    if (lags > n / 5) lags = n / 5;
    return lags < NORN_RESIDUAL_LAGS ? lags : NORN_RESIDUAL_LAGS;
}

norn_residuals norn_backtest_residuals(const norn_backtest *b, size_t model)
{
    const norn_backtest_options *const o = &b->folds.options;
    norn_residuals out = {
        .mean = NAN, .deviation = NAN, .skewness = NAN, .kurtosis = NAN, .ljung_box = NAN, .p = NAN};
    double pooled[NORN_RESIDUAL_LAGS + 1] = {0}, own[NORN_RESIDUAL_LAGS + 1];
    const size_t latest = o->step < o->horizon ? o->step : o->horizon; /* rows that no later fold forecasts */
    const size_t each = (o->folds - 1) * latest + o->horizon, all = each * b->folds.count;
    double *e = model < b->model_count ? norn_new(&b->host, all, sizeof *e) : NULL;
    if (!e) return out;
    for (size_t i = 0; i < b->folds.count; i++)
        for (size_t k = 0; k < o->folds; k++) {
            const norn_block block = norn_backtest_block(b, model, i, k);
            const double unit = unit_of(b, &block);
            const size_t rows = k + 1 < o->folds ? latest : o->horizon;
            for (size_t j = 0; j < rows; j++)
                e[i * each + k * latest + j] = (block.truth[j] - block.forecast[j]) / unit;
        }
    norn_moments_of(e, all, &out);
    out.lags = lags_for(each, o->season);
    for (size_t i = 0; i < b->folds.count && out.lags; i++) {
        const size_t n = norn_autocovariance(e + i * each, each, out.lags, own);
        const double box = n > out.lags + 1 ? norn_ljung_box(own, n, out.lags) : NAN;
        const double p = norn_chi_square_tail(box, (double)out.lags);
        for (size_t k = 0; k <= out.lags; k++) pooled[k] += own[k];
        if (isnan(p)) continue;
        out.tested++;
        out.not_white += p < 0.05;
        if (b->folds.count == 1) {
            out.ljung_box = box;
            out.p = p;
        }
    }
    for (size_t k = 0; k <= out.lags; k++)
        out.autocorrelation[k] = pooled[0] > 0.0 ? pooled[k] / pooled[0] : NAN;
    norn_delete(&b->host, e, all, sizeof *e);
    return out;
}
