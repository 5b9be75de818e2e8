/*
 * A file as series: the host side of the data, from bytes to rows in time order.
 *
 * norn_table_read streams a file, finds out what its columns are (or is told), refuses what it cannot read
 * with line and column, and keeps only the columns that have a role:
 *
 *   time     labels the rows and names the rows of the future; row order is time
 *   id       which series a row belongs to (long format: unique_id, ds, y)
 *   target   what is forecast; several targets (wide format) are several series over the same rows
 *   past     covariates known up to the cutoff, an input of every series of their rows
 *   future   covariates known ahead: the file may go on with rows that have no target, only these
 *   static   covariates that do not change within a series
 *   ignore   not looked at
 *
 * Text that repeats serves as a covariate too: each of its values becomes a column of 0 and 1 called
 * NAME=VALUE.
 *
 * Files are CSV with a column a series (wide), an id column (long) or a line a series (rows), or the .tsf
 * files of the Monash archive; gzip is unpacked on the way. Text is UTF-8. Every choice made without being
 * told is kept as a norn_decision, for the user to see and overrule.
 *
 * A file that cannot be read as it stands is refused; a policy (norn_on_...) says what to do instead, and
 * what was done is counted in norn_table_facts and said among the decisions. Filling looks at earlier rows
 * only.
 */
#ifndef NORN_TABLE_H
#define NORN_TABLE_H

#include "norn/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was decided without being told: "step" is "1 month (143 of 143 steps)", overruled by "--frequency". */
typedef struct norn_decision {
    const char *what;  /* one word: delimiter, header, time, target, id, past, step, season, horizon, ... */
    const char *text;  /* the choice and why */
    const char *flag;  /* the flag of the command norn that overrules it, or "" */
    const char *value; /* what the flag takes to say the same again, or NULL */
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

#define NORN_TIME_TEXT 80 /* bytes that hold any time as text, with its end */

/* ---- reading ------------------------------------------------------------------------------------------ */

typedef struct norn_table norn_table;

typedef enum norn_layout {
    NORN_LAYOUT_FOUND = 0, /* .tsf by its header, else columns */
    NORN_LAYOUT_COLUMNS,   /* a line a time */
    NORN_LAYOUT_ROWS,      /* a line a series: its id, then its values; lines may end early */
    NORN_LAYOUT_TSF        /* the Monash archive's format */
} norn_layout;

typedef enum norn_header { NORN_HEADER_FOUND = 0, NORN_HEADER_YES, NORN_HEADER_NO } norn_header;

typedef enum norn_on_missing {
    NORN_MISSING_DEFAULT = 0, /* targets: ERROR; covariates: MASK */
    NORN_MISSING_ERROR,       /* refused with its position */
    NORN_MISSING_SKIP,        /* the row is left out (one target only; not for covariates) */
    NORN_MISSING_FFILL,       /* takes the last value before it in its series */
    NORN_MISSING_MEAN,        /* takes the mean of all values before it in its series */
    NORN_MISSING_ZERO,        /* becomes 0 */
    NORN_MISSING_MASK         /* stays missing (NaN): networks see a mask, metrics leave the row out */
} norn_on_missing;

typedef enum norn_on_gap {
    NORN_GAP_KEEP = 0, /* rows follow each other as they stand; gaps are counted and said */
    NORN_GAP_ERROR,    /* refused with its position */
    NORN_GAP_FILL,     /* rows are added, their cells missing: see norn_on_missing */
    NORN_GAP_SPLIT /* what lies before is a series of its own: ID#1, ID#2, ...; the last keeps ID and goes on
                    */
} norn_on_gap;

typedef enum norn_on_duplicate { /* rows of one series with the same time */
                                 NORN_DUPLICATE_ERROR = 0,
                                 NORN_DUPLICATE_FIRST,
                                 NORN_DUPLICATE_LAST,
                                 NORN_DUPLICATE_MEAN
} norn_on_duplicate;

typedef enum norn_on_unsorted { /* newest-first files are turned in any case */
                                NORN_UNSORTED_ERROR = 0,
                                NORN_UNSORTED_SORT
} norn_on_unsorted;

typedef enum norn_on_ragged { /* records with another number of fields than the header */
                              NORN_RAGGED_ERROR = 0,
                              NORN_RAGGED_SKIP, /* the record is left out */
                              NORN_RAGGED_PAD   /* a short one ends in missing cells; a long one is still
                                                   refused */
} norn_on_ragged;

/* Local times that the clock shows twice, or never; the names are those of pandas' tz_localize. */
typedef enum norn_ambiguous {
    NORN_AMBIGUOUS_RAISE = 0,
    NORN_AMBIGUOUS_INFER, /* by the order of the rows: the first run of the hour is daylight time */
    NORN_AMBIGUOUS_NAT    /* the row is left out */
} norn_ambiguous;

typedef enum norn_nonexistent {
    NORN_NONEXISTENT_RAISE = 0,
    NORN_NONEXISTENT_SHIFT_FORWARD,  /* to the first moment that exists */
    NORN_NONEXISTENT_SHIFT_BACKWARD, /* to the last one */
    NORN_NONEXISTENT_NAT             /* the row is left out */
} norn_nonexistent;

/* One thing wrong with the file. Texts are gone after the call. */
typedef struct norn_problem {
    const char *file;
    uint64_t line, column; /* as in norn_error; 0: none */
    const char *name;      /* of the column, or "" */
    const char *text;      /* of the cell, cut to 200 bytes and made printable, or "" */
    const char *message;   /* one line, as in norn_error: what is wrong and what mends it */
} norn_problem;

typedef struct norn_table_options {
    size_t size;

    /* roles: columns by name, by number from 1, or by pattern (* and ?), separated by commas */
    const char *time;   /* one column, or several that are parts of a date (year,month,day,hour); NULL: found;
                           "": none, rows are numbered */
    const char *target; /* NULL: found */
    const char *id;     /* one column; NULL: unique_id or a column that tells series apart; "": none */
    const char *past;   /* "*": every numeric column that has no other role; NULL: none */
    const char *future; /* NULL: none */
    const char *statics; /* NULL: none, or a .tsf file's numeric attributes */
    const char *ignore;  /* never taken for anything; NULL: none */

    /* how cells are written */
    norn_layout layout;
    norn_header header;
    char delimiter; /* 0: found among , ; tab | */
    char decimal;   /* 0: '.'; or ',' */
    char thousands; /* 0: none; stands between groups of three digits, which must be whole */
    char comment;   /* lines that begin with it are left out; 0: none */
    const char *na; /* texts that mean missing, separated by commas, beside the usual ones (empty, NA, N/A,
                       NaN, nan, null, NULL, #N/A); NULL: none */
    const char
        *time_format; /* NULL: found; "mdy", "dmy", "integer", "epoch-s", "epoch-ms", "epoch-us", "excel",
                         "matlab", or a pattern of strptime's letters ("%d %b %Y"); see data/calendar.h */
    const char *zone; /* of times without an offset, as Europe/Amsterdam; NULL: UTC */
    const char *frequency; /* the step, as "1 hour", "15 min", "month", "business day"; NULL: found */

    /* policies */
    norn_on_missing on_missing;       /* of targets */
    norn_on_missing on_missing_input; /* of covariates */
    norn_on_gap on_gap;
    norn_on_duplicate on_duplicate;
    norn_on_unsorted on_unsorted;
    norn_on_ragged on_ragged;
    norn_ambiguous ambiguous;
    norn_nonexistent nonexistent;

    int describe; /* 1: count and sum up the cells of every column, for norn_table_column */

    /* Called, in the order of the file, for everything wrong with it; the first is in the norn_error too.
     * After the first one reading goes on to the end of the file, but gives no table. NULL: it stops at the
     * first. */
    void (*on_problem)(void *user, const norn_problem *problem);
    void *user;
} norn_table_options;

/* All found, all policies at their defaults. */
#define NORN_TABLE_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        .size = sizeof(norn_table_options)                                                                   \
    }

/* Reads up to `size` bytes into buffer; returns how many, 0 at the end, (size_t)-1 on a read error. */
typedef size_t (*norn_read_fn)(void *user, void *buffer, size_t size);

/*
 * Reads a whole file. Errors: NORN_ERR_INPUT (cannot be opened or read), NORN_ERR_DATA (with file, line,
 * column), NORN_ERR_USAGE (a column that does not exist or cannot have its role, an option that makes no
 * sense), NORN_ERR_MEMORY, NORN_ERR_CANCELLED. options NULL: all found; host NULL: defaults.
 *
 * Cells are parsed by a second thread, where the system gives one; what is read does not depend on it.
 */
norn_status norn_table_read(norn_table **out, const char *path, const norn_table_options *options,
                            const norn_host *host, norn_error *err);

/* The same from any stream; name stands for the file in messages ("stdin"). read is called by this thread
 * only. */
norn_status norn_table_read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                                   const norn_table_options *options, const norn_host *host, norn_error *err);

void norn_table_free(norn_table *table);

/* ---- the series -----------------------------------------------------------------------------------------
 * Pointers are borrowed. A value is finite, or NaN where it is missing and the policy is MASK. The first and
 * the last target of a series are never missing. */

size_t norn_table_series_count(const norn_table *table);           /* S >= 1 */
size_t norn_table_rows(const norn_table *table, size_t series);    /* N of this series, >= 1 */
size_t norn_table_ahead(const norn_table *table, size_t series);   /* A: rows after the last that future
                                                                      covariates   cover; 0 without them */
const char *norn_table_id(const norn_table *table, size_t series); /* id, or the target column's name */
const int64_t *norn_table_times(const norn_table *table,
                                size_t series); /* [N] microseconds since 1970 UTC, or integers */
const double *norn_table_target(const norn_table *table, size_t series); /* [N] */
size_t norn_table_past_count(const norn_table *table);                   /* P */
const char *norn_table_past_name(const norn_table *table, size_t past);
/* [N]; NULL after norn_table_drop_past. Series of one wide file share the same column. */
const double *norn_table_past(const norn_table *table, size_t series, size_t past);
size_t norn_table_future_count(const norn_table *table); /* Q */
const char *norn_table_future_name(const norn_table *table, size_t future);
const double *norn_table_future(const norn_table *table, size_t series, size_t future); /* [N + A] */
size_t norn_table_static_count(const norn_table *table);
const char *norn_table_static_name(const norn_table *table, size_t index);
double norn_table_static(const norn_table *table, size_t series, size_t index);
const char *norn_table_target_name(const norn_table *table, size_t series); /* the target's column */
const char *norn_table_time_name(const norn_table *table);                  /* "" when rows are numbered */
norn_step norn_table_step(const norn_table *table);
/* Does the series go on after its last row? 0 for all but the last of the pieces of NORN_GAP_SPLIT. */
int norn_table_goes_on(const norn_table *table, size_t series);
/* Rows of one period as the step suggests (12 for months, 24 for hours, 7 for days, 5 for business days,
 * ...); 1 when it suggests none. */
size_t norn_table_season(const norn_table *table);

/* Releases the memory of one past covariate of all series, once it lives on the device. */
void norn_table_drop_past(norn_table *table, size_t past);

/* The time `ahead` steps after the last row of a series (ahead >= 1), and any time as text in the style of
 * the file: "1961-01" where the file has months, "2018-06-26 20:00:00" where it has seconds. */
int64_t norn_table_future_time(const norn_table *table, size_t series, size_t ahead);
const char *norn_table_time_text(const norn_table *table, int64_t time, char out[NORN_TIME_TEXT]);

/* What was decided while reading, in order; *count of them. */
const norn_decision *norn_table_decisions(const norn_table *table, size_t *count);

/* ---- what was found in the file -------------------------------------------------------------------------
 */

/* The file as a whole. Counts are over all series; texts are borrowed. */
typedef struct norn_table_facts {
    uint64_t bytes;                  /* of text, unpacked */
    int compressed;                  /* 1: gzip */
    const char *encoding;            /* "ASCII", "UTF-8", "UTF-8 with a byte order mark" */
    const char *newline;             /* "LF", "CRLF", "CR", "mixed", "none" */
    norn_layout layout;              /* never FOUND */
    char delimiter, decimal;         /* delimiter 0: one column */
    int header;                      /* 1: the first record names the columns */
    uint64_t records;                /* of data, blank ones and comments not counted */
    uint64_t blank, comments;        /* lines without text (or with nothing but delimiters), comment lines */
    uint64_t ragged;                 /* records left out or padded */
    uint64_t left_out;               /* rows left out by skip, first, last or NaT */
    uint64_t duplicates;             /* rows whose time stood in their series already */
    uint64_t missing;                /* cells of targets */
    uint64_t missing_inputs;         /* cells of covariates */
    uint64_t filled, longest_filled; /* cells that were given a value; the longest run of them */
    uint64_t steps, regular;         /* steps from row to row, and those that are the step */
    uint64_t gaps, absent;           /* places where rows are absent, and how many rows */
    uint64_t longest_gap;            /* absent rows in a row */
    uint64_t added;                  /* rows added by NORN_GAP_FILL */
    int turned, sorted;              /* 1: the file ran from newest to oldest; rows were sorted */
} norn_table_facts;

const norn_table_facts *norn_table_facts_of(const norn_table *table);

typedef enum norn_column_role {
    NORN_ROLE_NONE = 0, /* not used, but looked at */
    NORN_ROLE_TIME,
    NORN_ROLE_ID,
    NORN_ROLE_TARGET,
    NORN_ROLE_PAST,
    NORN_ROLE_FUTURE,
    NORN_ROLE_STATIC,
    NORN_ROLE_IGNORE
} norn_column_role;

typedef enum norn_column_type {
    NORN_TYPE_EMPTY = 0, /* every cell is missing */
    NORN_TYPE_INTEGER,
    NORN_TYPE_NUMBER,
    NORN_TYPE_TIME,
    NORN_TYPE_TEXT
} norn_column_type;

/* One column of the file as it stands there, before any policy. Needs norn_table_options.describe. */
typedef struct norn_column_facts {
    const char *name;
    norn_column_role role;
    norn_column_type type;
    uint64_t cells, missing;
    double least, most, mean, sum; /* of numbers; NaN where there are none */
    int constant;                  /* 1: all cells that are not missing are the same */
    uint64_t distinct;             /* texts and ids: how many different ones, counted up to 1,000 */
    const char *first;             /* the first cell that is not missing, cut to 60 bytes */
} norn_column_facts;

size_t norn_table_column_count(const norn_table *table); /* 0 unless described */
const norn_column_facts *norn_table_column(const norn_table *table, size_t column);

#ifdef __cplusplus
}
#endif
#endif
