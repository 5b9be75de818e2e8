/*
 * What the columns of a file are for: found from its beginning, or as told, before the whole is read.
 *
 * The plan names the layout, the delimiter, the header, the columns and their roles, and the style of the
 * times. All of it is decided from the sample, so that the rows themselves can pass in one stream; what only
 * the whole file can tell (the order of day and month, the step, which way the file runs) is left to
 * assemble.c.
 */
#ifndef NORN_DATA_ROLES_H
#define NORN_DATA_ROLES_H

#include "base/base.h"
#include "data/cell.h"
#include "data/step.h"
#include "data/table.h"

#define NORN_NO_COLUMN  SIZE_MAX
#define NORN_TIME_PARTS 6 /* year, month, day, hour, minute, second */

typedef struct norn_plan_column {
    char *name; /* from the header, or c1, c2, ... */
    norn_column_role role;
    bool words;     /* its cells are texts, not numbers */
    bool time;      /* its cells are times, whatever its role */
    bool value;     /* rows layout: a value of the series, with the time below if the header has times */
    int64_t header; /* rows layout: the time that names the column, as norn_time_parse gives it */
} norn_plan_column;

typedef struct norn_plan {
    norn_host host;
    norn_layout layout;
    char delimiter; /* ',' in a file of one column */
    bool one_column;
    bool header;    /* the first record names the columns */
    size_t skip;    /* bytes before the first record: "sep=;", the header of a .tsf file */
    uint64_t line;  /* the line of the first record */
    size_t columns; /* N >= 1; rows layout without header: those of the longest record of the sample */
    norn_plan_column *column; /* [N] */
    size_t *values;           /* [targets + past + future + statics] columns, in this order */
    size_t targets, past, future, statics;
    size_t id;                    /* a column, or NORN_NO_COLUMN */
    size_t time[NORN_TIME_PARTS]; /* columns; rows layout: where a series begins */
    size_t time_columns;          /* 0: rows are numbered; 1: in the style below; more: year, month, ... */
    norn_time_parts parts;        /* of several columns */
    norn_time_style style;        /* form NONE: nothing in the sample could be read as a time */
    norn_zone *zone;              /* of the style; the table's once it has taken it */
    bool header_times;            /* rows layout: the names of the columns are times */
    bool perhaps_rows;            /* read with a line a time, but perhaps a line is a series */
    bool has_step;                /* told by the file (.tsf) or by --frequency */
    norn_step step;
} norn_plan;

/*
 * Decides from the beginning of a file; `whole`: bytes are all of it. Decisions that were not told go to
 * notes. Errors: NORN_ERR_DATA (an empty file, no rows, no numeric column, ...), NORN_ERR_USAGE (a column
 * that does not exist or has two roles, a --time-format that makes no sense), NORN_ERR_MEMORY.
 */
norn_status norn_plan_make(norn_plan *plan, const char *bytes, size_t size, bool whole, const char *name,
                           const norn_table_options *options, norn_notes *notes, const norn_host *host,
                           norn_error *err);
void norn_plan_free(norn_plan *plan);

/* The header of a .tsf file (tsf.c), which must lie in the sample: its attributes become the columns. False
 * in *is_tsf, and nothing changed, for a file that is none. Errors: NORN_ERR_DATA, NORN_ERR_MEMORY. */
norn_status norn_plan_tsf(norn_plan *plan, bool *is_tsf, const char *bytes, size_t size, const char *name,
                          const norn_table_options *options, norn_notes *notes, norn_error *err);

#endif
