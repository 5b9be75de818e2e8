/*
 * The series on the device, once: every column is a track of floats, the value minus the first of its column
 * (so that 1.0e9 + small changes keeps the changes). Windows are offsets into it; see kernels/windows.cl for
 * the layout.
 */
#ifndef NORN_SRC_NN_SERIES_H
#define NORN_SRC_NN_SERIES_H

#include "compute/compute.h"

typedef struct norn_track {
    double first; /* what was subtracted */
    int64_t start;
    size_t rows;
} norn_track;

typedef struct norn_series {
    norn_context *context;
    size_t count;                      /* S series */
    size_t inputs;                     /* F columns of a series: the target, then covariates */
    size_t columns;                    /* C tracks; series of one wide file share their covariates' */
    norn_track *tracks;                /* [C] */
    int *of;                           /* [S][F] tracks of a series, the target first */
    int64_t floats;                    /* of all tracks */
    norn_buffer values, starts, index; /* tracks, track_start, series_tracks of windows.cl */
} norn_series;

/*
 * A track with values of its own, or a view: the values of an earlier track, from row `advance` on. Views
 * cost no memory. A track that is advanced by h rows shows a window what is known h rows ahead; a track that
 * many series share may have a scaling for each of them. Rows that windows reach must be there: the rows of
 * a view are those of its track less the advance.
 */
typedef struct norn_track_plan {
    size_t rows;    /* of its own values; a view: not looked at */
    size_t of;      /* the track it is a view of, with values of its own; NORN_TRACK_OWN: none */
    size_t advance; /* of a view */
} norn_track_plan;
#define NORN_TRACK_OWN SIZE_MAX

/*
 * Describes first, fills then: `of` and the plan of every track are copied from the arguments; the values
 * come by norn_series_put, column by column and for no view, so that the host need not hold all of them
 * twice.
 */
norn_status norn_series_new_tracks(norn_series **out, norn_context *context, size_t count, size_t inputs,
                                   size_t columns, const norn_track_plan *plan, const int *of,
                                   norn_error *err);
/* The same without views. */
norn_status norn_series_new(norn_series **out, norn_context *context, size_t count, size_t inputs,
                            size_t columns, const size_t *column_rows, const int *of, norn_error *err);
/* value(user, row) for all rows of a track; not finite: missing. */
norn_status norn_series_put(norn_series *series, size_t column, double (*value)(const void *user, size_t row),
                            const void *user, norn_error *err);
/* The same, `first` given: what is subtracted. */
norn_status norn_series_put_less(norn_series *series, size_t column, double first,
                                 double (*value)(const void *user, size_t row), const void *user,
                                 norn_error *err);
void norn_series_free(norn_series *series);

#endif
