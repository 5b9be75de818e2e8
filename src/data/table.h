/*
 * The table as an object: what norn_table is made of inside, shared by the code that fills it (read.c and its
 * kin) and the code that answers for it (table.c).
 *
 * Rows of a group stand together and in time order. In long format every id is a group of rows; in wide
 * format there is one group. A series is a target column of a group, so there are groups * targets of them,
 * the targets of a group side by side: series s is target s % targets of group s / targets. A series may
 * begin later and end earlier than its group (span): where its target begins and ends. Rows of the group
 * behind that hold future covariates.
 */
#ifndef NORN_DATA_TABLE_H
#define NORN_DATA_TABLE_H

#include "base/base.h"
#include "data/step.h"
#include "norn/table.h"

#define NORN_TABLE_DECISIONS 64

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

/* Rows of a series, counted over all rows of the table. */
typedef struct norn_rows {
    size_t from, count, ahead;
} norn_rows;

struct norn_table {
    norn_host host;
    size_t rows;   /* of all groups */
    size_t groups; /* G >= 1 */
    size_t targets, past, future, statics;
    size_t values;    /* targets + past + future: columns of cells, in this order */
    size_t *first;    /* [G + 1] the row where each group begins, and the number of rows */
    norn_rows *spans; /* [G * targets] */
    bool *ended;      /* [G] a piece that another piece follows; NULL: none is */
    char **ids;       /* [G * targets] name of each series */
    char **names;     /* [values + statics] of the columns */
    double *fixed;    /* [statics][G] */
    char *time_name;  /* "" when rows are numbered */
    char *id_name;    /* of the column of ids; NULL: none */
    int64_t *times;   /* [rows] */
    size_t times_capacity;
    norn_column *columns; /* [values] */
    norn_time_style style;
    norn_zone *zone; /* of the style; owned; NULL: none */
    norn_step step;
    norn_notes notes;
    norn_table_facts facts;
    norn_column_facts *described; /* [column_count]; name and first are owned */
    size_t column_count;
};

/* An empty table for so many columns. NULL: out of memory. */
norn_table *norn_table_new(size_t targets, size_t past, size_t future, size_t statics, const norn_host *host);

/* The rows from..end of a target without the missing ones at both ends; `ahead`: those behind it count. */
norn_rows norn_rows_of(const double *cells, size_t from, size_t end, bool ahead);

/* Adds a decision; what and flag are literals, value may be NULL. Errors: NORN_ERR_MEMORY. */
norn_status norn_notes_add(norn_notes *notes, const norn_host *host, norn_error *err, const char *what,
                           const char *flag, const char *format, ...) NORN_PRINTF(6, 7);
/* Gives the last decision the value its flag takes. */
norn_status norn_notes_value(norn_notes *notes, const norn_host *host, norn_error *err, const char *value);
void norn_notes_clear(norn_notes *notes, const norn_host *host);

/* 8759 as "8,759". Returns out. */
#define NORN_COUNT_TEXT 28
const char *norn_count_text(uint64_t count, char out[NORN_COUNT_TEXT]);

/* ---- for tests, and for programs that have their data in memory ---- */

/* norn_table_read_stream with so many threads and bytes a piece, as norn_scan_tune takes them: what is read
 * depends on neither. */
norn_status norn_table_read_tuned(norn_table **out, norn_read_fn read, void *user, const char *name,
                                  const norn_table_options *options, size_t threads, size_t piece,
                                  const norn_host *host, norn_error *err);

/* A wide table: `targets` series over the same rows. NaN is missing; a series begins and ends with its first
 * and last target that is there. */
typedef struct norn_table_arrays {
    size_t rows, ahead; /* the future columns have rows + ahead */
    size_t targets, past, future, statics;
    const double *const *target, *const *covariates, *const *known; /* [targets], [past], [future] columns */
    const double *fixed;                                            /* [statics] the same for every series */
    const int64_t *times;                                           /* [rows + ahead]; NULL: 1, 2, ... */
    norn_step step;                                                 /* with times */
} norn_table_arrays;

/* Everything is copied. Names are y1, y2, ..., x1, ..., f1, ..., s1, .... Errors: NORN_ERR_USAGE (no rows or
 * no target, an infinite value, a target that is missing everywhere, times that do not increase),
 * NORN_ERR_MEMORY. */
norn_status norn_table_from(norn_table **out, const norn_table_arrays *arrays, const norn_host *host,
                            norn_error *err);

/* The same without anything missing, ahead or static: NORN_ERR_USAGE for a value that is not finite. */
norn_status norn_table_from_arrays(norn_table **out, size_t rows, size_t targets, const double *const *target,
                                   size_t past, const double *const *covariates, const int64_t *times,
                                   norn_step step, const norn_host *host, norn_error *err);

/* The cells themselves, to be changed: what the test with a poisoned future does. */
double *norn_table_target_mutable(norn_table *table, size_t series);
double *norn_table_past_mutable(norn_table *table, size_t series, size_t past);
double *norn_table_future_mutable(norn_table *table, size_t series, size_t future);

#endif
