/* The table of metrics, and how they are made from sums: see scores.h. */
#include "backtest/scores.h"

#include <math.h>
#include <string.h>

/* ---- rows ---- */

static double sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
}

void norn_block_add(double sums[NORN_SUMS], const norn_block *block, size_t from, size_t to)
{
    for (size_t j = from; j < to; j++) {
        const double y = block->truth[j], f = block->forecast[j], e = y - f;
        if (!isfinite(y) || !isfinite(f)) continue;
        const double before = j ? block->truth[j - 1] : block->before;
        const double level = y - block->reference, both = fabs(y) + fabs(f);
        sums[NORN_SUM_ROWS] += 1.0;
        sums[NORN_SUM_ABSOLUTE] += fabs(e);
        sums[NORN_SUM_SQUARED] += e * e;
        sums[NORN_SUM_ABOVE] -= e;
        sums[NORN_SUM_TRUTH] += fabs(y);
        sums[NORN_SUM_LEVEL] += level;
        sums[NORN_SUM_LEVEL_SQUARED] += level * level;
        sums[NORN_SUM_TRUTH_SQUARED] += y * y;
        sums[NORN_SUM_FORECAST_SQUARED] += f * f;
        if (y != 0.0) {
            sums[NORN_SUM_PERCENTAGE] += fabs(e / y);
            sums[NORN_SUM_PERCENTAGE_ROWS] += 1.0;
        }
        if (both > 0.0) {
            sums[NORN_SUM_SYMMETRIC] += fabs(e) / both;
            sums[NORN_SUM_SYMMETRIC_ROWS] += 1.0;
        }
        if (block->scale > 0.0) {
            sums[NORN_SUM_SCALED] += fabs(e) / block->scale;
            sums[NORN_SUM_SCALED_ROWS] += 1.0;
        }
        if (block->square_scale > 0.0) {
            sums[NORN_SUM_SCALED_SQUARED] += e * e / block->square_scale;
            sums[NORN_SUM_SCALED_SQUARED_ROWS] += 1.0;
        }
        if (isfinite(before) && before != 0.0) {
            sums[NORN_SUM_CHANGE_ERROR] += (e / before) * (e / before);
            sums[NORN_SUM_CHANGE] += (y - before) / before * ((y - before) / before);
            sums[NORN_SUM_CHANGE_ROWS] += 1.0;
        }
        if (isfinite(block->before) && y != block->before) {
            const double went = sign(y - block->before), said = sign(f - block->before);
            sums[NORN_SUM_DIRECTION] += said == 0.0 ? 0.5 : said == went ? 1.0 : 0.0;
            sums[NORN_SUM_DIRECTION_ROWS] += 1.0;
        }
    }
}

void norn_scales_of(norn_scale_sums *sums, const double *y, size_t n, size_t m, double *scale,
                    double *square_scale)
{
    for (size_t t = sums->rows > m ? sums->rows : m; t < n; t++) {
        const double d = y[t] - y[t - m];
        if (!isfinite(d)) continue;
        sums->sum += fabs(d);
        sums->squares += d * d;
        sums->pairs++;
    }
    if (sums->rows < n) sums->rows = n;
    *scale = sums->pairs ? sums->sum / (double)sums->pairs : 0.0;
    *square_scale = sums->pairs ? sums->squares / (double)sums->pairs : 0.0;
}

/* ---- metrics of sums; NaN where undefined ---- */

static double ratio(double a, double b)
{
    return b > 0.0 ? a / b : NAN;
}

static double mae(const double *s)
{
    return ratio(s[NORN_SUM_ABSOLUTE], s[NORN_SUM_ROWS]);
}
static double mse(const double *s)
{
    return ratio(s[NORN_SUM_SQUARED], s[NORN_SUM_ROWS]);
}
static double rmse(const double *s)
{
    return sqrt(mse(s));
}
static double bias(const double *s)
{
    return ratio(s[NORN_SUM_ABOVE], s[NORN_SUM_ROWS]);
}
static double mape(const double *s)
{
    return ratio(s[NORN_SUM_PERCENTAGE], s[NORN_SUM_PERCENTAGE_ROWS]);
}
static double smape(const double *s)
{
    return ratio(s[NORN_SUM_SYMMETRIC], s[NORN_SUM_SYMMETRIC_ROWS]);
}
static double wape(const double *s)
{
    return ratio(s[NORN_SUM_ABSOLUTE], s[NORN_SUM_TRUTH]);
}
static double mase(const double *s)
{
    return ratio(s[NORN_SUM_SCALED], s[NORN_SUM_SCALED_ROWS]);
}
static double rmsse(const double *s)
{
    return sqrt(ratio(s[NORN_SUM_SCALED_SQUARED], s[NORN_SUM_SCALED_SQUARED_ROWS]));
}
static double r2(const double *s)
{
    const double spread =
        s[NORN_SUM_LEVEL_SQUARED] - s[NORN_SUM_LEVEL] * s[NORN_SUM_LEVEL] / s[NORN_SUM_ROWS];
    /* what rounding leaves of equal truths is no spread */
    return spread > 1e-12 * s[NORN_SUM_LEVEL_SQUARED] ? 1.0 - s[NORN_SUM_SQUARED] / spread : NAN;
}
static double u1(const double *s)
{
    const double rows = s[NORN_SUM_ROWS];
    return ratio(rmse(s), sqrt(ratio(s[NORN_SUM_TRUTH_SQUARED], rows)) +
                              sqrt(ratio(s[NORN_SUM_FORECAST_SQUARED], rows)));
}
static double u2(const double *s)
{
    return sqrt(ratio(s[NORN_SUM_CHANGE_ERROR], s[NORN_SUM_CHANGE]));
}
static double direction(const double *s)
{
    return ratio(s[NORN_SUM_DIRECTION], s[NORN_SUM_DIRECTION_ROWS]);
}

/* ---- the table ---- */

typedef enum mean_over { OVER_ROWS, OVER_SERIES, OVER_BLOCKS } mean_over;

typedef struct rule {
    norn_metric_info info;
    double (*value)(const double *sums); /* NULL: of other metrics */
    mean_over over;
    double factor;
    norn_sum needs; /* rows that have a part in it; the others are counted as undefined */
} rule;

#define RULE(word, title, unit, better, value, over, factor, needs, formula, source)                         \
    {                                                                                                        \
        {word, title, unit, formula, source, better}, value, over, factor, needs                             \
    }

static const char hyndman[] = "Hyndman and Koehler 2006";

static const rule rules[NORN_METRICS] = {
    [NORN_METRIC_MAE] = RULE("mae", "MAE", "y", -1, mae, OVER_ROWS, 1, NORN_SUM_ROWS, "mean |e|", hyndman),
    [NORN_METRIC_MSE] = RULE("mse", "MSE", "y^2", -1, mse, OVER_ROWS, 1, NORN_SUM_ROWS, "mean e^2", hyndman),
    [NORN_METRIC_RMSE] =
        RULE("rmse", "RMSE", "y", -1, rmse, OVER_ROWS, 1, NORN_SUM_ROWS, "sqrt(mean e^2)", hyndman),
    [NORN_METRIC_BIAS] = RULE("bias", "bias", "y", 0, bias, OVER_ROWS, 1, NORN_SUM_ROWS,
                              "mean (f - y); above 0: too high", "utilsforecast bias"),
    [NORN_METRIC_MAPE] = RULE("mape", "MAPE", "%", -1, mape, OVER_ROWS, 100, NORN_SUM_PERCENTAGE_ROWS,
                              "100 mean |e / y|, rows with y = 0 left out", hyndman),
    [NORN_METRIC_SMAPE] = RULE("smape", "sMAPE", "%", -1, smape, OVER_ROWS, 200, NORN_SUM_SYMMETRIC_ROWS,
                               "200 mean |e| / (|y| + |f|)", "M4 competition, Makridakis et al. 2020"),
    [NORN_METRIC_WAPE] = RULE("wape", "WAPE", "%", -1, wape, OVER_ROWS, 100, NORN_SUM_ROWS,
                              "100 sum |e| / sum |y|", "Kolassa and Schuetz 2007"),
    [NORN_METRIC_MASE] =
        RULE("mase", "MASE", "", -1, mase, OVER_SERIES, 1, NORN_SUM_SCALED_ROWS,
             "mean over series of mean |e| / q, q = mean |y_t - y_{t-m}| up to the cutoff", hyndman),
    [NORN_METRIC_RMSSE] =
        RULE("rmsse", "RMSSE", "", -1, rmsse, OVER_SERIES, 1, NORN_SUM_SCALED_SQUARED_ROWS,
             "mean over series of sqrt(mean e^2 / q), q = mean (y_t - y_{t-m})^2 up to the cutoff",
             "M5 competition, Makridakis et al. 2022"),
    [NORN_METRIC_R2] = RULE("r2", "R2", "", 1, r2, OVER_SERIES, 1, NORN_SUM_ROWS,
                            "mean over series of 1 - sum e^2 / sum (y - mean y)^2", "Theil 1961"),
    [NORN_METRIC_U1] =
        RULE("u1", "U1", "", -1, u1, OVER_SERIES, 1, NORN_SUM_ROWS,
             "mean over series of sqrt(mean e^2) / (sqrt(mean y^2) + sqrt(mean f^2))", "Theil 1961"),
    [NORN_METRIC_U2] =
        RULE("u2", "U2", "", -1, u2, OVER_SERIES, 1, NORN_SUM_CHANGE_ROWS,
             "mean over series of sqrt(sum (e_t / y_{t-1})^2 / sum ((y_t - y_{t-1}) / y_{t-1})^2)",
             "Theil 1966; R's accuracy()"),
    [NORN_METRIC_DIRECTION] =
        RULE("direction", "direction", "%", 1, direction, OVER_ROWS, 100, NORN_SUM_DIRECTION_ROWS,
             "100 mean [sign(f - y_c) = sign(y - y_c)], f = y_c counts 1/2, rows with y = y_c left out",
             "Blaskowitz and Herwartz 2011"),
    [NORN_METRIC_OWA] = RULE("owa", "OWA", "", -1, NULL, OVER_ROWS, 1, NORN_SUM_ROWS,
                             "(MASE / MASE of Naive2 + sMAPE / sMAPE of Naive2) / 2",
                             "M4 competition, Makridakis et al. 2020"),
    [NORN_METRIC_SKILL_NAIVE] = RULE("skill_naive", "skill", "", 1, NULL, OVER_ROWS, 1, NORN_SUM_ROWS,
                                     "1 - MAE / MAE of Naive", "Murphy 1988"),
    [NORN_METRIC_SKILL_SEASONAL_NAIVE] = RULE("skill_seasonal_naive", "skill", "", 1, NULL, OVER_ROWS, 1,
                                              NORN_SUM_ROWS, "1 - MAE / MAE of SeasonalNaive", "Murphy 1988"),
    [NORN_METRIC_SKILL_LINEAR] = RULE("skill_linear", "skill", "", 1, NULL, OVER_ROWS, 1, NORN_SUM_ROWS,
                                      "1 - MAE / MAE of NLinear", "Murphy 1988"),
};

#define BLOCKS " of each series and cutoff, then the mean"

/* Where another toolkit's definition differs. Where none is given there, ours holds. */
static const struct other {
    norn_compat compat;
    norn_metric metric;
    rule rule;
} others[] = {
    {NORN_COMPAT_NIXTLA, NORN_METRIC_MAE,
     RULE("mae", "MAE", "y", -1, mae, OVER_BLOCKS, 1, NORN_SUM_ROWS, "mean |e|" BLOCKS, "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_MSE,
     RULE("mse", "MSE", "y^2", -1, mse, OVER_BLOCKS, 1, NORN_SUM_ROWS, "mean e^2" BLOCKS, "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_RMSE,
     RULE("rmse", "RMSE", "y", -1, rmse, OVER_BLOCKS, 1, NORN_SUM_ROWS, "sqrt(mean e^2)" BLOCKS,
          "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_BIAS,
     RULE("bias", "bias", "y", 0, bias, OVER_BLOCKS, 1, NORN_SUM_ROWS, "mean (f - y)" BLOCKS,
          "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_MAPE,
     RULE("mape", "MAPE", "", -1, mape, OVER_BLOCKS, 1, NORN_SUM_PERCENTAGE_ROWS, "mean |e / y|" BLOCKS,
          "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_SMAPE,
     RULE("smape", "sMAPE", "", -1, smape, OVER_BLOCKS, 1, NORN_SUM_SYMMETRIC_ROWS,
          "mean |e| / (|y| + |f|)" BLOCKS, "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_WAPE,
     RULE("wape", "WAPE", "", -1, wape, OVER_BLOCKS, 1, NORN_SUM_ROWS, "sum |e| / sum |y|" BLOCKS,
          "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_MASE,
     RULE("mase", "MASE", "", -1, mase, OVER_BLOCKS, 1, NORN_SUM_SCALED_ROWS,
          "mean |e| / q, q = mean |y_t - y_{t-m}| up to the cutoff," BLOCKS, "utilsforecast")},
    {NORN_COMPAT_NIXTLA, NORN_METRIC_RMSSE,
     RULE("rmsse", "RMSSE", "", -1, rmsse, OVER_BLOCKS, 1, NORN_SUM_SCALED_SQUARED_ROWS,
          "sqrt(mean e^2 / q), q = mean (y_t - y_{t-m})^2 up to the cutoff," BLOCKS, "utilsforecast")},

    {NORN_COMPAT_GLUONTS, NORN_METRIC_MAPE,
     RULE("mape", "MAPE", "", -1, mape, OVER_BLOCKS, 1, NORN_SUM_PERCENTAGE_ROWS, "mean |e / y|" BLOCKS,
          "GluonTS Evaluator")},
    {NORN_COMPAT_GLUONTS, NORN_METRIC_SMAPE,
     RULE("smape", "sMAPE", "", -1, smape, OVER_BLOCKS, 2, NORN_SUM_SYMMETRIC_ROWS,
          "2 mean |e| / (|y| + |f|)" BLOCKS, "GluonTS Evaluator")},
    {NORN_COMPAT_GLUONTS, NORN_METRIC_WAPE,
     RULE("wape", "ND", "", -1, wape, OVER_ROWS, 1, NORN_SUM_ROWS, "sum |e| / sum |y|", "GluonTS Evaluator")},
    {NORN_COMPAT_GLUONTS, NORN_METRIC_MASE,
     RULE("mase", "MASE", "", -1, mase, OVER_BLOCKS, 1, NORN_SUM_SCALED_ROWS,
          "mean |e| / q, q = mean |y_t - y_{t-m}| up to the cutoff," BLOCKS, "GluonTS Evaluator")},

    {NORN_COMPAT_DARTS, NORN_METRIC_MAE,
     RULE("mae", "MAE", "y", -1, mae, OVER_BLOCKS, 1, NORN_SUM_ROWS, "mean |e|" BLOCKS, "Darts metrics")},
    {NORN_COMPAT_DARTS, NORN_METRIC_MSE,
     RULE("mse", "MSE", "y^2", -1, mse, OVER_BLOCKS, 1, NORN_SUM_ROWS, "mean e^2" BLOCKS, "Darts metrics")},
    {NORN_COMPAT_DARTS, NORN_METRIC_RMSE,
     RULE("rmse", "RMSE", "y", -1, rmse, OVER_BLOCKS, 1, NORN_SUM_ROWS, "sqrt(mean e^2)" BLOCKS,
          "Darts metrics")},
    {NORN_COMPAT_DARTS, NORN_METRIC_BIAS,
     RULE("bias", "bias", "y", 0, bias, OVER_BLOCKS, -1, NORN_SUM_ROWS,
          "mean (y - f)" BLOCKS "; above 0: too low", "Darts merr")},
    {NORN_COMPAT_DARTS, NORN_METRIC_MAPE,
     RULE("mape", "MAPE", "%", -1, mape, OVER_BLOCKS, 100, NORN_SUM_PERCENTAGE_ROWS,
          "100 mean |e / y|" BLOCKS, "Darts metrics")},
    {NORN_COMPAT_DARTS, NORN_METRIC_SMAPE,
     RULE("smape", "sMAPE", "%", -1, smape, OVER_BLOCKS, 200, NORN_SUM_SYMMETRIC_ROWS,
          "200 mean |e| / (|y| + |f|)" BLOCKS, "Darts metrics")},
    {NORN_COMPAT_DARTS, NORN_METRIC_WAPE,
     RULE("wape", "WMAPE", "%", -1, wape, OVER_BLOCKS, 100, NORN_SUM_ROWS, "100 sum |e| / sum |y|" BLOCKS,
          "Darts wmape")},
    {NORN_COMPAT_DARTS, NORN_METRIC_MASE,
     RULE("mase", "MASE", "", -1, mase, OVER_BLOCKS, 1, NORN_SUM_SCALED_ROWS,
          "mean |e| / q, q = mean |y_t - y_{t-1}| up to the cutoff," BLOCKS, "Darts metrics, m = 1")},
    {NORN_COMPAT_DARTS, NORN_METRIC_RMSSE,
     RULE("rmsse", "RMSSE", "", -1, rmsse, OVER_BLOCKS, 1, NORN_SUM_SCALED_SQUARED_ROWS,
          "sqrt(mean e^2 / q), q = mean (y_t - y_{t-1})^2 up to the cutoff," BLOCKS, "Darts metrics, m = 1")},
    {NORN_COMPAT_DARTS, NORN_METRIC_R2,
     RULE("r2", "R2", "", 1, r2, OVER_BLOCKS, 1, NORN_SUM_ROWS, "1 - sum e^2 / sum (y - mean y)^2" BLOCKS,
          "Darts r2_score")},
};

static const rule *rule_of(norn_compat compat, norn_metric metric)
{
    for (size_t i = 0; compat != NORN_COMPAT_NORN && i < NORN_COUNT(others); i++)
        if (others[i].compat == compat && others[i].metric == metric) return &others[i].rule;
    return &rules[metric];
}

const norn_metric_info *norn_metric_describe(norn_compat compat, norn_metric metric)
{
    return &rule_of(compat, metric)->info;
}

size_t norn_compat_season(norn_compat compat, size_t season)
{
    return compat == NORN_COMPAT_DARTS ? 1 : season;
}

/* ---- scopes ---- */

void norn_gather_begin(norn_gather *gather, norn_compat compat)
{
    memset(gather, 0, sizeof *gather);
    gather->compat = compat;
}

static void add_value(norn_gather *gather, size_t metric, const rule *by, const double *sums, double weight)
{
    if (!(sums[NORN_SUM_ROWS] > 0.0) || !(weight > 0.0))
        return; /* nothing was scored: nothing is undefined */
    const double value = by->factor * by->value(sums);
    if (isfinite(value)) {
        gather->sum[metric] += weight * value;
        gather->weight[metric] += weight;
    } else {
        gather->undefined[metric]++;
    }
}

void norn_gather_block(norn_gather *gather, const double sums[NORN_SUMS], double series_weight,
                       double fold_weight)
{
    for (size_t i = 0; i < NORN_SUMS; i++) gather->series[i] += fold_weight * sums[i];
    if (gather->compat == NORN_COMPAT_NORN) return;
    for (size_t i = 0; i < NORN_OWN_METRICS; i++) {
        const rule *by = rule_of(gather->compat, (norn_metric)i);
        if (by->over == OVER_BLOCKS) add_value(gather, i, by, sums, series_weight * fold_weight);
    }
}

void norn_gather_series(norn_gather *gather, double series_weight)
{
    for (size_t i = 0; i < NORN_OWN_METRICS; i++) {
        const rule *by = rule_of(gather->compat, (norn_metric)i);
        if (by->over == OVER_SERIES) add_value(gather, i, by, gather->series, series_weight);
    }
    for (size_t i = 0; i < NORN_SUMS; i++) gather->total[i] += series_weight * gather->series[i];
    memset(gather->series, 0, sizeof gather->series);
}

void norn_gather_end(const norn_gather *gather, double values[NORN_OWN_METRICS],
                     size_t undefined[NORN_OWN_METRICS])
{
    for (size_t i = 0; i < NORN_OWN_METRICS; i++) {
        const rule *by = rule_of(gather->compat, (norn_metric)i);
        if (by->over == OVER_ROWS) {
            const double value = by->factor * by->value(gather->total);
            values[i] = isfinite(value) ? value : NAN;
            if (undefined)
                undefined[i] = (size_t)(gather->total[NORN_SUM_ROWS] - gather->total[by->needs] + 0.5);
        } else {
            values[i] = gather->weight[i] > 0.0 ? gather->sum[i] / gather->weight[i] : NAN;
            if (undefined) undefined[i] = gather->undefined[i];
        }
    }
}

/* ---- beside other models ---- */

static double skill(const double *own, const double *other)
{
    if (!other || !(other[NORN_METRIC_MAE] > 0.0)) return NAN;
    return 1.0 - own[NORN_METRIC_MAE] / other[NORN_METRIC_MAE];
}

void norn_metrics_beside(double *values, const double *naive2, const double *naive,
                         const double *seasonal_naive, const double *linear)
{
    values[NORN_METRIC_OWA] = NAN;
    if (naive2 && naive2[NORN_METRIC_MASE] > 0.0 && naive2[NORN_METRIC_SMAPE] > 0.0)
        values[NORN_METRIC_OWA] = 0.5 * (values[NORN_METRIC_MASE] / naive2[NORN_METRIC_MASE] +
                                         values[NORN_METRIC_SMAPE] / naive2[NORN_METRIC_SMAPE]);
    values[NORN_METRIC_SKILL_NAIVE] = skill(values, naive);
    values[NORN_METRIC_SKILL_SEASONAL_NAIVE] = skill(values, seasonal_naive);
    values[NORN_METRIC_SKILL_LINEAR] = skill(values, linear);
}
