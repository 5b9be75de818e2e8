/*
 * The table as an object: what norn_table is made of inside, shared by the code that fills it (read.c) and
 * the code that answers for it (table.c).
 *
 * Rows of a series stand together and in time order. In long format every id is a group of rows; in wide
 * format there is one group. A series is a target column of a group, so there are groups * targets of them,
 * the targets of a group side by side: series s is target s % targets of group s / targets.
 */
#ifndef NORN_DATA_TABLE_H
#define NORN_DATA_TABLE_H

#include "base/base.h"
#include "data/calendar.h"
#include "norn/table.h"

#define NORN_TABLE_DECISIONS 24

/* A column of cells that grows. */
typedef struct norn_column {
    double *cells; /* [capacity]; NULL once dropped */
    size_t capacity;
} norn_column;

/* What was decided, in order; texts are owned. */
typedef struct norn_notes {
    norn_decision items[NORN_TABLE_DECISIONS];
    size_t count;
} norn_notes;

struct norn_table {
    norn_host host;
    size_t rows;          /* of all groups */
    size_t groups;        /* G >= 1 */
    size_t targets, past; /* columns of values: the targets first, then the past covariates */
    size_t *first;        /* [G + 1] the row where each group begins, and the number of rows */
    char **ids;           /* [G * targets] name of each series */
    char **names;         /* [targets + past] of the columns */
    char *time_name;      /* "" when rows are numbered */
    int64_t *times;       /* [rows] */
    size_t times_capacity;
    norn_column *columns; /* [targets + past] */
    norn_time_style style;
    norn_step step;
    norn_notes notes;
};

/* An empty table for so many columns of values. NULL: out of memory. */
norn_table *norn_table_new(size_t targets, size_t past, const norn_host *host);

/* Adds a decision; what and flag are literals. Errors: NORN_ERR_MEMORY. */
norn_status norn_notes_add(norn_notes *notes, const norn_host *host, norn_error *err, const char *what,
                           const char *flag, const char *format, ...) NORN_PRINTF(6, 7);
void norn_notes_clear(norn_notes *notes, const norn_host *host);

/* 8759 as "8,759". Returns out. */
#define NORN_COUNT_TEXT 28
const char *norn_count_text(uint64_t count, char out[NORN_COUNT_TEXT]);

/* ---- for tests, and for programs that have their data in memory ---- */

/* A wide table: `targets` series over the same rows, past covariates, times (NULL: 1, 2, ...) in the style of
 * the step. Everything is copied. Names are y1, y2, ... and x1, x2, .... Errors: NORN_ERR_USAGE (no rows or
 * no target, a value that is not finite, times that do not increase), NORN_ERR_MEMORY. */
norn_status norn_table_from_arrays(norn_table **out, size_t rows, size_t targets, const double *const *target,
                                   size_t past, const double *const *covariates, const int64_t *times,
                                   norn_step step, const norn_host *host, norn_error *err);

/* The cells themselves, to be changed: what the test with a poisoned future does. */
double *norn_table_target_mutable(norn_table *table, size_t series);
double *norn_table_past_mutable(norn_table *table, size_t series, size_t past);

#endif
