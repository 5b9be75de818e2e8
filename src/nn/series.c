/* The series on the device: see series.h. */
#include "nn/series.h"

#include <math.h>

enum { PUT_ROWS = 1 << 16 }; /* floats converted at a time */

norn_status norn_series_new(norn_series **out, norn_context *context, size_t count, size_t inputs,
                            size_t columns, const size_t *column_rows, const int *of, norn_error *err)
{
    norn_track_plan *plan = norn_new(&context->host, columns, sizeof *plan);
    if (!plan) return norn_fail_memory(err, "the series");
    for (size_t c = 0; c < columns; c++) plan[c] = (norn_track_plan){column_rows[c], NORN_TRACK_OWN, 0};
    const norn_status status = norn_series_new_tracks(out, context, count, inputs, columns, plan, of, err);
    norn_delete(&context->host, plan, columns, sizeof *plan);
    return status;
}

norn_status norn_series_new_tracks(norn_series **out, norn_context *context, size_t count, size_t inputs,
                                   size_t columns, const norn_track_plan *plan, const int *of,
                                   norn_error *err)
{
    const norn_host *host = &context->host;
    norn_status status = NORN_OK;
    int64_t *starts = norn_new(host, columns, sizeof *starts);
    norn_series *series = norn_new(host, 1, sizeof *series);
    if (series) {
        series->context = context;
        series->count = count;
        series->inputs = inputs;
        series->columns = columns;
        series->tracks = norn_new(host, columns, sizeof *series->tracks);
        series->of = norn_new(host, count * inputs, sizeof *series->of);
    }
    if (!starts || !series || !series->tracks || !series->of) {
        status = norn_fail_memory(err, "the series");
        goto done;
    }
    for (size_t c = 0; c < columns; c++) {
        const norn_track *own = plan[c].of == NORN_TRACK_OWN ? NULL : &series->tracks[plan[c].of];
        series->tracks[c] = own ? (norn_track){0.0, own->start + (int64_t)plan[c].advance,
                                               own->rows > plan[c].advance ? own->rows - plan[c].advance : 0}
                                : (norn_track){0.0, series->floats, plan[c].rows};
        starts[c] = series->tracks[c].start;
        if (!own) series->floats += (int64_t)plan[c].rows;
    }
    for (size_t i = 0; i < count * inputs; i++) series->of[i] = of[i];
    if ((status = norn_buffer_new(context, &series->values, (size_t)series->floats * sizeof(float), NULL,
                                  "the series on the device", err)) != NORN_OK ||
        (status = norn_buffer_new(context, &series->starts, columns * sizeof *starts, starts, "track starts",
                                  err)) != NORN_OK ||
        (status = norn_buffer_new(context, &series->index, count * inputs * sizeof *of, of, "track index",
                                  err)) != NORN_OK)
        goto done;
done:
    norn_delete(host, starts, columns, sizeof *starts);
    if (status == NORN_OK)
        *out = series;
    else
        norn_series_free(series);
    return status;
}

norn_status norn_series_put(norn_series *series, size_t column, double (*value)(const void *user, size_t row),
                            const void *user, norn_error *err)
{
    const size_t rows = series->tracks[column].rows;
    size_t row = 0;
    while (row < rows && !isfinite(value(user, row))) row++;
    return norn_series_put_less(series, column, row < rows ? value(user, row) : 0.0, value, user, err);
}

norn_status norn_series_put_less(norn_series *series, size_t column, double first,
                                 double (*value)(const void *user, size_t row), const void *user,
                                 norn_error *err)
{
    norn_track *track = &series->tracks[column];
    const norn_host *host = &series->context->host;
    const size_t most = track->rows < PUT_ROWS ? track->rows : PUT_ROWS;
    float *some = norn_new(host, most, sizeof *some);
    if (!some) return norn_fail_memory(err, "a column on its way to the device");
    norn_status status = NORN_OK;
    track->first = first;
    for (size_t from = 0; from < track->rows && status == NORN_OK; from += PUT_ROWS) {
        const size_t n = track->rows - from < PUT_ROWS ? track->rows - from : PUT_ROWS;
        for (size_t i = 0; i < n; i++) {
            const double x = value(user, from + i);
            some[i] = isfinite(x) ? (float)(x - track->first) : NAN;
        }
        status = norn_buffer_write(series->context, &series->values,
                                   ((size_t)track->start + from) * sizeof *some, some, n * sizeof *some, err);
    }
    norn_delete(host, some, most, sizeof *some);
    return status;
}

void norn_series_free(norn_series *series)
{
    if (!series) return;
    const norn_host *host = &series->context->host;
    norn_buffer_free(&series->values);
    norn_buffer_free(&series->starts);
    norn_buffer_free(&series->index);
    norn_delete(host, series->tracks, series->columns, sizeof *series->tracks);
    norn_delete(host, series->of, series->count * series->inputs, sizeof *series->of);
    norn_delete(host, series, 1, sizeof *series);
}
