/*
 * A CSV file as series: the host side of the data, from bytes to rows in time order.
 *
 * norn_table_read streams a file through libcsv, finds out what its columns are (or is told), refuses what it
 * cannot read with line and column, and keeps only the columns that have a role:
 *
 *   time    labels the rows and names the rows of the future; row order is time (no rows are invented)
 *   id      which series a row belongs to (long format: unique_id, ds, y)
 *   target  what is forecast; several targets (wide format) are several series over the same rows
 *   past    numeric covariates known up to the cutoff, an input of every series of their rows
 *
 * Every choice made without being told is kept as a norn_decision, for the user to see and overrule.
 */
#ifndef NORN_TABLE_H
#define NORN_TABLE_H

#include "norn/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was decided without being told: "step" is "1 month (143 of 143 steps)", overruled by "--time". */
typedef struct norn_decision {
    const char *what; /* one word: delimiter, header, time, target, id, past, step, season, horizon, ... */
    const char *text; /* the choice and why */
    const char *flag; /* the flag of the command norn that overrules it, or "" */
} norn_decision;

/* ---- the calendar ------------------------------------------------------------------------------------- */

typedef enum norn_step_unit {
    NORN_STEP_INTEGER = 0,   /* times are plain integers (years too: 1700, 1701, ...) */
    NORN_STEP_MICROSECONDS,  /* a fixed span of time; weeks and days are of this kind */
    NORN_STEP_BUSINESS_DAYS, /* days without Saturdays and Sundays */
    NORN_STEP_MONTHS         /* calendar months; quarters are 3, years of dates 12 */
} norn_step_unit;

typedef struct norn_step {
    norn_step_unit unit;
    int64_t count; /* of units from a row to the next; at least 1 */
} norn_step;

#define NORN_TIME_TEXT 40 /* bytes that hold any time as text, with its end */

/* ---- reading ------------------------------------------------------------------------------------------ */

typedef struct norn_table norn_table;

typedef enum norn_on_missing {
    NORN_MISSING_ERROR = 0, /* a missing target or covariate cell is an error with its position */
    NORN_MISSING_FFILL      /* takes the last value before it in its series, counted and reported; a missing
                               first value of a series stays an error */
} norn_on_missing;

typedef struct norn_table_options {
    size_t size;
    const char *time;   /* column by name, or by number from 1; NULL: found; "": none, rows are numbered */
    const char *target; /* columns, separated by commas; NULL: found */
    const char *id;     /* NULL: unique_id or a column that tells series apart; "": none */
    const char *past;   /* columns, separated by commas; "*": every numeric column that has no other
                           role; NULL: none */
    const char *na;     /* texts that mean missing, separated by commas, beside the usual ones (empty,
                           NA, N/A, NaN, nan, null, NULL); NULL: none */
    norn_on_missing on_missing; /* what to do with missing cells */
    char delimiter;             /* 0: found among , ; tab | */
} norn_table_options;

#define NORN_TABLE_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(norn_table_options), NULL, NULL, NULL, NULL, NULL, NORN_MISSING_ERROR, 0                      \
    }

/* Reads up to `size` bytes into buffer; returns how many, 0 at the end, (size_t)-1 on a read error. */
typedef size_t (*norn_read_fn)(void *user, void *buffer, size_t size);

/*
 * Reads a whole CSV file. Errors: NORN_ERR_INPUT (cannot be opened or read), NORN_ERR_DATA (with file, line,
 * column), NORN_ERR_USAGE (a column that does not exist or cannot have its role), NORN_ERR_MEMORY,
 * NORN_ERR_CANCELLED. options NULL: all found; host NULL: defaults.
 */
norn_status norn_table_read(norn_table **out, const char *path, const norn_table_options *options,
                            const norn_host *host, norn_error *err);

/* The same from any stream; name stands for the file in messages ("stdin"). */
norn_status norn_table_read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                                   const norn_table_options *options, const norn_host *host, norn_error *err);

void norn_table_free(norn_table *table);

/* ---- what was read --------------------------------------------------------------------------------------
 */

size_t norn_table_series_count(const norn_table *table);           /* S >= 1 */
size_t norn_table_rows(const norn_table *table, size_t series);    /* N of this series, >= 1 */
const char *norn_table_id(const norn_table *table, size_t series); /* id, or the target column's name */
const int64_t *norn_table_times(const norn_table *table,
                                size_t series); /* [N] microseconds since 1970 UTC, or integers */
const double *norn_table_target(const norn_table *table, size_t series); /* [N] finite */
size_t norn_table_past_count(const norn_table *table);                   /* P */
const char *norn_table_past_name(const norn_table *table, size_t past);
/* [N] finite; NULL after norn_table_drop_past. Series of one wide file share the same column. */
const double *norn_table_past(const norn_table *table, size_t series, size_t past);
const char *norn_table_target_name(const norn_table *table, size_t series); /* the target's column */
const char *norn_table_time_name(const norn_table *table);                  /* "" when rows are numbered */
norn_step norn_table_step(const norn_table *table);
/* Rows of one period as the step suggests (12 for months, 24 for hours, 7 for days, 5 for business days,
 * ...); 1 when it suggests none. */
size_t norn_table_season(const norn_table *table);

/* Releases the memory of one covariate of all series, once it lives on the device. */
void norn_table_drop_past(norn_table *table, size_t past);

/* The time `ahead` steps after the last row of a series (ahead >= 1), and any time as text in the style of
 * the file: "1961-01" where the file has months, "2018-06-26 20:00:00" where it has seconds. */
int64_t norn_table_future_time(const norn_table *table, size_t series, size_t ahead);
const char *norn_table_time_text(const norn_table *table, int64_t time, char out[NORN_TIME_TEXT]);

/* What was decided while reading, in order; *count of them. Borrowed. */
const norn_decision *norn_table_decisions(const norn_table *table, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
