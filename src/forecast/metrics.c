/* See metrics.h. Sums in double, in row order. */
#include "forecast/metrics.h"

#include <math.h>

void norn_metrics_add(norn_metrics *metrics, const double *truth, const double *forecast, size_t h,
                      double scale)
{
    double absolute = 0.0;
    size_t rows = 0;
    for (size_t i = 0; i < h; i++) {
        if (isnan(truth[i])) continue;
        const double e = truth[i] - forecast[i];
        rows++;
        absolute += fabs(e);
        metrics->squared += e * e;
        if (truth[i] != 0.0) {
            metrics->percentage += fabs(e / truth[i]);
            metrics->percentage_rows++;
        }
    }
    metrics->absolute += absolute;
    metrics->rows += rows;
    metrics->missing_rows += h - rows;
    if (rows && scale > 0.0) {
        metrics->scaled += absolute / (double)rows / scale;
        metrics->scaled_series++;
    } else {
        metrics->unscaled_series++;
    }
}

double norn_metrics_scale(const double *y, size_t n, size_t m)
{
    double sum = 0.0;
    size_t pairs = 0;
    for (size_t t = m; t < n; t++) {
        const double step = fabs(y[t] - y[t - m]);
        if (isnan(step)) continue;
        sum += step;
        pairs++;
    }
    return pairs ? sum / (double)pairs : 0.0;
}

norn_score norn_metrics_score(const norn_metrics *metrics, const char *model)
{
    const double rows = (double)metrics->rows;
    return (norn_score){
        .model = model,
        .mae = metrics->rows ? metrics->absolute / rows : NAN,
        .rmse = metrics->rows ? sqrt(metrics->squared / rows) : NAN,
        .mape =
            metrics->percentage_rows ? 100.0 * metrics->percentage / (double)metrics->percentage_rows : NAN,
        .mase = metrics->scaled_series ? metrics->scaled / (double)metrics->scaled_series : NAN,
        .rows = metrics->rows,
        .missing_rows = metrics->missing_rows,
        .zero_rows = metrics->rows - metrics->percentage_rows,
        .unscaled_series = metrics->unscaled_series};
}
