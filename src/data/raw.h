/*
 * The rows of a file as they stand in it: what the reading of records (intake.c, series.c) fills and the
 * assembling (assemble.c, missing.c) turns into a table. And the problems met on the way.
 */
#ifndef NORN_DATA_RAW_H
#define NORN_DATA_RAW_H

#include "base/base.h"
#include "data/calendar.h"
#include "data/groups.h"
#include "data/roles.h"
#include "data/scan.h"
#include "data/table.h"

/* Rows and the physical lines they begin on. Nearly always one row a line: kept as runs, until rows are moved
 * about. */
typedef struct norn_line_run {
    size_t row;    /* the first of the run */
    uint64_t line; /* of that row; each further row is on the line after */
} norn_line_run;

typedef struct norn_lines {
    norn_line_run *runs;
    size_t count, capacity;
    uint64_t *each; /* [rows] once rows were moved; 0: a row that was added */
    size_t each_count;
    bool flat;           /* with a line a series: all rows of a run stand on its line */
    size_t value_column; /* and the first one in this column */
} norn_lines;

typedef struct norn_raw {
    norn_host host;
    const char *file;
    const norn_table_options *options;
    const norn_plan *plan;
    norn_table *table;    /* being filled: columns, times, notes, facts, described */
    size_t kept;          /* columns of cells: plan->values without statics, and the statics behind them */
    size_t celled;        /* of them with a cell a row: all, but for the statics of a line a series */
    size_t rows;          /* so far; table->rows at the end */
    size_t capacity;      /* rows there is room for in every column */
    norn_column *columns; /* [kept] in the order of plan->values; words as their number in `words` */
    int64_t *times;       /* [capacity] as norn_time_parse gave them */
    size_t times_capacity;
    uint32_t
        *group_of; /* [capacity] the group of each row; NULL: rows of a group stand together as they are */
    size_t group_of_capacity;
    norn_groups groups; /* the ids; rows counts their rows */
    norn_groups *words; /* [kept] the different texts of a column of words */
    norn_time_seen seen;
    norn_lines lines;
    bool clock_starts; /* a line a series: some begin within a day */
    uint64_t problems; /* met so far */
    norn_error *first; /* of them; err is for what else may fail */
    norn_error *err;
} norn_raw;

/* ---- making and freeing ---- */

/* Takes the notes over. Errors: NORN_ERR_MEMORY. raw must be zeroed but for host, file, options, plan and
 * err; it is to be freed in any case. */
norn_status norn_raw_open(norn_raw *raw, norn_notes *notes);
void norn_raw_free(norn_raw *raw);
/* Room for `more` rows in every column. Errors: NORN_ERR_MEMORY. */
norn_status norn_raw_reserve(norn_raw *raw, size_t more);

/* ---- lines ---- */

norn_status norn_lines_add(norn_raw *raw, size_t row, uint64_t line); /* rows in order */
norn_status norn_lines_spread(norn_raw *raw);                         /* makes `each` */
uint64_t norn_lines_of(const norn_raw *raw, size_t row);   /* of a row as it lies now; 0: not known */
uint64_t norn_lines_read(const norn_raw *raw, size_t row); /* of a row by its place in the file */
size_t norn_lines_first(const norn_raw *raw, size_t row);  /* where the run of such a row begins */

/* ---- problems ---- */

/* Something wrong with the file at line and column (from 0; NORN_NO_COLUMN: none). NORN_OK where reading goes
 * on to find more, else NORN_ERR_DATA. The table will not be given out either way. text: of the cell, may be
 * NULL. */
norn_status norn_raw_problem(norn_raw *raw, uint64_t line, size_t column, const char *text,
                             const char *format, ...) NORN_PRINTF(5, 6);
/* A defect found elsewhere, with its place. */
norn_status norn_raw_defect(norn_raw *raw, const norn_error *defect);

#define NORN_SHOWN 200 /* bytes of a text in a message, at most 40 of the file */
const char *norn_show(char out[NORN_SHOWN], const char *text, size_t length);
const char *norn_raw_name(const norn_raw *raw, size_t column, char out[NORN_SHOWN]);

/* ---- the two ways in, and the way on ---- */

/* Each runs the scan to the end of the file. */
norn_status norn_intake_columns(norn_raw *raw, norn_scan *scan, uint64_t total); /* intake.c */
norn_status norn_intake_series(norn_raw *raw, norn_scan *scan,
                               uint64_t total); /* series.c: rows layout and .tsf */

/* Groups, orders, completes and names the rows; then raw->table is whole. */
norn_status norn_assemble(norn_raw *raw);
/* assemble.c: row i of the table becomes row source[i] as it was; SIZE_MAX: a new row, all missing, whose
 * time is times[i]. Groups must have been recounted by the caller. */
norn_status norn_raw_rearrange(norn_raw *raw, const size_t *source, const int64_t *times, size_t rows);
/* Leaves rows out; series that lose all of theirs are none any more. dropped[rows]. Errors: NORN_ERR_DATA (no
 * row is left), NORN_ERR_MEMORY. */
norn_status norn_raw_drop(norn_raw *raw, const bool *dropped);
/* Calls check for every row in the order of the file, rows that were added last; for what is reported. */
typedef norn_status (*norn_row_check)(norn_raw *raw, size_t group, size_t row, void *user);
norn_status norn_raw_each_row(norn_raw *raw, norn_row_check check, void *user);
/* sum and scaled, the sum of the same values times 2^-64, as a mean that is finite where the values are. */
#define NORN_SCALED 0x1p-64
double norn_raw_mean(double sum, double scaled, size_t count);
/* missing.c: the policies for missing cells, by series; and words become columns of 0 and 1. */
norn_status norn_raw_complete(norn_raw *raw);
norn_status norn_raw_encode(norn_raw *raw);

#endif
