/* See metrics.h. Sums in double, in row order. */
#include "forecast/metrics.h"

#include <math.h>

void norn_metrics_add(norn_metrics *metrics, const double *truth, const double *forecast, size_t h,
                      double scale)
{
    double absolute = 0.0;
    for (size_t i = 0; i < h; i++) {
        const double e = truth[i] - forecast[i];
        absolute += fabs(e);
        metrics->squared += e * e;
        if (truth[i] != 0.0) {
            metrics->percentage += fabs(e / truth[i]);
            metrics->percentage_rows++;
        }
    }
    metrics->absolute += absolute;
    metrics->rows += h;
    if (scale > 0.0) {
        metrics->scaled += absolute / (double)h / scale;
        metrics->scaled_series++;
    }
}

double norn_metrics_scale(const double *y, size_t n, size_t m)
{
    if (n <= m) return 0.0;
    double sum = 0.0;
    for (size_t t = m; t < n; t++) sum += fabs(y[t] - y[t - m]);
    return sum / (double)(n - m);
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
        .rows = metrics->rows};
}
