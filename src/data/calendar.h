/*
 * Dates and times: the calendar, and how the times of a column are written, read and written again.
 *
 * A time is an int64: microseconds since 1970-01-01 00:00 UTC, or the integer itself where the file counts
 * rows or years. The calendar is the Gregorian one, carried backwards (proleptic), without leap seconds.
 * Nothing here asks the locale or TZ; names of months and days are English.
 *
 * A style is one way to write times, compiled to a list of items (a four-digit year, a hyphen, ...) that
 * reading and writing both walk over. The way of a column goes through four hands:
 *
 *   compile   --time-format, where it is given            style
 *   guess     a sample of the cells                       style, order perhaps still open
 *   parse     every cell, in any number of threads        raw times, and what was seen, joined in order
 *   settle    order of day and month, then the zone       times, and a style that writes what was read
 */
#ifndef NORN_DATA_CALENDAR_H
#define NORN_DATA_CALENDAR_H

#include "base/base.h"
#include "data/zone.h"
#include "norn/table.h"

/* ---- days ---- */

#define NORN_SECOND INT64_C(1000000) /* in microseconds */
#define NORN_MINUTE (60 * NORN_SECOND)
#define NORN_HOUR   (60 * NORN_MINUTE)
#define NORN_DAY    (24 * NORN_HOUR)

typedef struct norn_date {
    int64_t year;
    int month, day; /* from 1 */
} norn_date;

int64_t norn_days_from_civil(int64_t year, int month, int day); /* days since 1970-01-01 */
norn_date norn_civil_from_days(int64_t days);
int norn_days_in_month(int64_t year, int month);
int norn_weekday(int64_t days); /* 0 Monday .. 6 Sunday */

/* The Monday of an ISO week, and back: week 1 holds the year's first Thursday. */
int64_t norn_days_from_week(int64_t year, int week);
void norn_week_from_days(int64_t days, int64_t *year, int *week);
int norn_weeks_in_year(int64_t year); /* 52 or 53 */

/* A time as the calendar sees it, `offset` minutes east of UTC. */
typedef struct norn_moment {
    int64_t days; /* since 1970-01-01 */
    int64_t rest; /* microseconds of the day, 0 .. NORN_DAY - 1 */
} norn_moment;

norn_moment norn_moment_of(int64_t time, int offset);

/* ---- how times are written ---- */

typedef enum norn_time_form {                     /* what a time says, coarsely */
                              NORN_FORM_NONE = 0, /* not known */
                              NORN_FORM_INTEGER,  /* 1700; no calendar */
                              NORN_FORM_YEAR,     /* only through --time-format %Y: a date, 1 January */
                              NORN_FORM_QUARTER,  /* its first day */
                              NORN_FORM_MONTH,    /* its first day */
                              NORN_FORM_WEEK,     /* its Monday */
                              NORN_FORM_DATE,     /* all ways to write a day, 20240531 too */
                              NORN_FORM_CLOCK     /* day and time of day; epoch seconds and the like too */
} norn_time_form;

typedef enum norn_day_order {
    NORN_ORDER_FIXED = 0, /* the way itself says which is the day */
    NORN_ORDER_OPEN,      /* 1/2/2020: decided by norn_time_settle_order */
    NORN_ORDER_MDY,
    NORN_ORDER_DMY
} norn_day_order;

/* One element of a pattern: a letter of strptime or one of pattern.h's own, or a literal byte. */
typedef struct norn_time_item {
    char kind;
    char byte;           /* the literal, or what stands before a fraction */
    uint8_t least, most; /* digits */
    bool bare;           /* written without a leading zero */
} norn_time_item;

#define NORN_TIME_ITEMS  48 /* of a pattern, at most */
#define NORN_TIME_FORMAT 96 /* bytes that hold any pattern as text, with its end */

/* A plain value, zeroed where nothing is known; copied freely, compared by nobody. */
typedef struct norn_time_style {
    norn_time_form form;
    norn_day_order order;
    const norn_zone *zone; /* borrowed, of times without an offset; NULL: UTC. Set by the caller before
                              settling; dates without a time of day stay what they are */

    /* private: pattern.h */
    uint8_t family;    /* all ways, or those that a name of --time-format leaves */
    uint8_t fast;      /* items of a shape that is read in one go */
    uint8_t items;     /* how many */
    uint8_t fraction;  /* digits of it that are written */
    uint8_t zone_text; /* how an offset is written */
    uint16_t names;    /* how names are written */
    bool has_offset;   /* cells say their offset from UTC, or are counted from 1970 UTC: nothing to settle */
    bool offset_varies;
    int offset; /* minutes east of UTC in which times are written, where all cells had the same */
    norn_time_item item[NORN_TIME_ITEMS];
} norn_time_style;

/* What a message says is accepted. */
#define NORN_TIME_EXAMPLES                                                                                   \
    "2024-05-31, 2024-05-31 13:00:00, 05/31/2024, 31.05.2024, 20240531, 2024-05, 2024-Q2, "                  \
    "31-May-2024 or an integer"

/*
 * Compiles --time-format: a name ("iso", "mdy", "dmy", "integer", "epoch-s", "epoch-ms", "epoch-us", "excel",
 * "matlab") or a pattern of strptime's letters
 *
 *   %Y %y year   %m %b %B month   %d %e day   %j day of the year   %q quarter   %G %V %u ISO year, week,
 * weekday %H %I %p %M %S %f clock       %z %Z offset (%Z: UTC or GMT)    %a %A weekday's name, not compared
 *   %s seconds since 1970         %F %T %R %D as in strftime       %% a percent sign
 *
 * and literals, where a blank matches one or more. Figures may lack leading zeros unless they touch others.
 * After %S, ".%f" may be absent from a cell.
 *
 * "iso", "mdy" and "dmy" are families: the style comes out with form NONE and is completed by
 * norn_time_style_guess. Errors: NORN_ERR_USAGE naming --time-format and the place.
 */
norn_status norn_time_style_compile(norn_time_style *style, const char *format, norn_error *err);

/*
 * Finds the way most of the cells are written; *fits: how many cells it reads. `cells` are a sample, trimmed,
 * missing ones taken out. style comes in zeroed, or as norn_time_style_compile left it for "iso", "mdy" or
 * "dmy", whose ways alone are then tried; zone is kept. It goes out with form NONE when nothing reads more
 * than half.
 *
 * Whole numbers are INTEGER; those of eight digits that are dates of 1500 to 2299 are %Y%m%d. Only where
 * named_time says that the column is called like a time they are also found to be %Y%m, %Y%m%d%H, %Y%m%d%H%M,
 * %Y%m%d%H%M%S or, with 10, 13 or 16 digits, seconds, milliseconds or microseconds since 1970. Two-digit
 * years are never guessed.
 */
void norn_time_style_guess(norn_time_style *style, const char *const *cells, const size_t *lengths,
                           size_t count, bool named_time, size_t *fits);

/* The ISO style of a form ("2024-05-31"; CLOCK: with seconds and, where a time has one, a fraction). */
norn_time_style norn_time_style_iso(norn_time_form form, int fraction);

/* ---- reading ---- */

/* What was seen of a column's cells: zeroed, one a thread, joined in the order of the file. */
typedef struct norn_time_seen {
    int fraction;                     /* most digits */
    bool any;                         /* any cell at all */
    bool offset_given, offset_varies; /* cells with an offset; with different ones */
    int offset;                       /* of the first, minutes east of UTC */
    uint64_t first_over_12,
        second_over_12;  /* the caller's row number + 1 of the first cell whose first, second figure
                            cannot be a month, where the order is open; 0: none */
    bool figures_differ; /* day and month were not the same number everywhere */
    uint8_t zone_texts;  /* private: ways an offset was written, a bit each */
    uint16_t names;      /* private: likewise of names of months, days, AM and PM */
    uint64_t short_items, full_items; /* private: items written without, with a leading zero or blank */
} norn_time_seen;

/*
 * Reads all of text[0..length) (trimmed). *raw is the time but for what settling does: with the order open it
 * holds both figures, and with a zone it is the clock's time. Thread-safe. `row` goes into seen. False: not a
 * time in this style; *raw and seen are then as they were.
 */
bool norn_time_parse(const norn_time_style *style, const char *text, size_t length, uint64_t row,
                     norn_time_seen *seen, int64_t *raw);

/* Adds what a later part saw. False: the two were not read in one style (an offset here, none there). */
bool norn_time_seen_join(norn_time_seen *all, const norn_time_seen *part);

/* A time in several columns, all whole numbers: year, month (or quarter), day, hour, minute, second. */
typedef struct norn_time_parts {
    size_t count; /* of the columns, 1 .. 6 */
    bool quarter; /* the second, then the last, is a quarter */
    bool hour_24; /* hours are 1 .. 24, the hour that ends; else 0 .. 23 */
} norn_time_parts;

/* parts[how->count]; false: not a time (years 0 to 9999). The raw time, naive as one without an offset. */
bool norn_time_join_parts(const norn_time_parts *how, const int64_t *parts, int64_t *raw);
norn_time_style norn_time_parts_style(const norn_time_parts *how); /* ISO */

/* ---- settling ---- */

/*
 * Once all rows are read: takes what was seen into the style and, where it is open, decides the order of day
 * and month and turns raw times into times. times[n] are all rows in the file's order within each series;
 * series g begins at group_first[g] and ends where the next begins, the last at n. Rows that are INT64_MIN
 * are passed over.
 *
 * The order is that of the cells whose figures allow one only; else the one that makes every series rise or
 * fall throughout. Errors: NORN_ERR_DATA when cells say both, with *bad_row the caller's row number (as given
 * to norn_time_parse) of the later of the first such two; or when nothing tells, *bad_row SIZE_MAX, asking
 * for
 * --time-format mdy or dmy. To be called for every column, once, before norn_time_settle_zone.
 */
norn_status norn_time_settle_order(norn_time_style *style, const norn_time_seen *seen, int64_t *times,
                                   size_t n, const size_t *group_first, size_t groups, size_t *bad_row,
                                   norn_error *err);

/*
 * Takes the times of one series, in order (rising or falling), from the clock of style->zone to UTC; does
 * nothing without a zone, for dates without a time of day, and where cells said their offset. Rows left out
 * (nat) become INT64_MIN and are counted in *left_out, moved ones in *shifted (both added to). Errors:
 * NORN_ERR_DATA naming
 * --ambiguous or --nonexistent, with *bad_row the index into times.
 */
norn_status norn_time_settle_zone(norn_time_style *style, norn_ambiguous ambiguous,
                                  norn_nonexistent nonexistent, int64_t *times, size_t n, uint64_t *left_out,
                                  uint64_t *shifted, size_t *bad_row, norn_error *err);

/* ---- writing ---- */

/* Writes a time; for times from year 0 to 9999 what was read comes out. Local where the style has a zone or
 * one offset. Returns out. */
const char *norn_time_write(const norn_time_style *style, int64_t time, char out[NORN_TIME_TEXT]);

/* What --time-format takes to read the same, "%m/%d/%Y" or "epoch-s"; "" for form NONE and an open order. */
const char *norn_time_style_format(const norn_time_style *style, char *out, size_t size);

/* "dates like 04/30/2021 (month/day/year)", for messages and decisions. */
const char *norn_time_style_words(const norn_time_style *style, char *out, size_t size);

/* The calendar's view of a time, in the zone or offset in which the style writes, and back: a time the clock
 * never shows becomes the moment of the jump, one shown twice the earlier. Saturates. Integers have no such
 * view. */
norn_moment norn_time_local(const norn_time_style *style, int64_t time);
int64_t norn_time_from_local(const norn_time_style *style, norn_moment local);

/*
 * Do times, read without a zone, look like those of a clock that is set forward and back? An hour is absent
 * or stands there twice in the night to a Sunday of the months in which that is done, more often than
 * elsewhere. times[n] of one series in the file's order. For the hint: --tz.
 */
bool norn_looks_like_clock_change(const norn_time_style *style, const int64_t *times, size_t n);

#endif
