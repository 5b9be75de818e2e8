/*
 * Dates and times: reading them, writing them in the style they were read in, and finding the step between
 * them.
 *
 * A time is an int64: microseconds since 1970-01-01 00:00 UTC, or the integer itself where the file counts
 * rows or years. The calendar is the Gregorian one, carried backwards (proleptic); there are no leap seconds
 * and, times with an offset being taken back to UTC, no time zones. Nothing here asks the locale or TZ.
 *
 * What is read: 2024-05-31; 2024-05; 20240531; 2024-05-31T13:00, with T or a space, seconds, up to 9 digits
 * of a fraction (kept to the microsecond) and Z or +hh:mm, +hhmm, +hh; integers. All of a column are of one
 * style.
 */
#ifndef NORN_DATA_CALENDAR_H
#define NORN_DATA_CALENDAR_H

#include "base/base.h"
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

/* A time as the calendar sees it, `offset` minutes east of UTC. */
typedef struct norn_moment {
    int64_t days; /* since 1970-01-01 */
    int64_t rest; /* microseconds of the day */
} norn_moment;

norn_moment norn_moment_of(int64_t time, int offset);

/* ---- reading and writing times ---- */

typedef enum norn_time_form {
    NORN_FORM_NONE = 0, /* not known yet */
    NORN_FORM_INTEGER,  /* 1700 */
    NORN_FORM_MONTH,    /* 2024-05 */
    NORN_FORM_DATE,     /* 2024-05-31 */
    NORN_FORM_COMPACT,  /* 20240531 */
    NORN_FORM_CLOCK     /* 2024-05-31 13:00:00 */
} norn_time_form;

typedef enum norn_zone {
    NORN_ZONE_NONE = 0,
    NORN_ZONE_Z,
    NORN_ZONE_HH,
    NORN_ZONE_HHMM,
    NORN_ZONE_HH_MM
} norn_zone;

typedef struct norn_time_style {
    norn_time_form form;
    char separator; /* CLOCK: 'T' or ' ' */
    bool seconds;   /* CLOCK: hh:mm:ss, not hh:mm */
    int fraction;   /* CLOCK: digits behind the seconds, the most of any row */
    norn_zone zone; /* CLOCK */
    int offset;     /* CLOCK: minutes east of UTC; 0 once rows differ */
    bool offset_varies;
} norn_time_style;

/* What a message says is accepted. */
#define NORN_TIME_EXAMPLES "2024-05-31, 2024-05-31 13:00:00, 2024-05, 20240531 or an integer"

/*
 * Reads all of text[0..length) (trimmed) as a time and says in which style it is written. Eight digits are a
 * date where `compact` is set and they can be one, otherwise an integer. False when it is no time.
 */
bool norn_time_parse(const char *text, size_t length, bool compact, int64_t *time, norn_time_style *style);

/* Adds a cell's style to its column's (form NONE: the column takes it). False when the two differ: in form,
 * separator, seconds or zone. The number of digits of a fraction and the offset itself may differ. */
bool norn_time_style_join(norn_time_style *column, const norn_time_style *cell);

/* Writes a time in a style; for times from year 0 to 9999 what was read comes out. Returns out. */
const char *norn_time_write(const norn_time_style *style, int64_t time, char out[NORN_TIME_TEXT]);

/* ---- the step from row to row ---- */

typedef struct norn_step_finder norn_step_finder;

/* Counts the differences of consecutive times, over any number of series. NULL: out of memory. */
norn_step_finder *norn_step_finder_new(const norn_time_style *style, const norn_host *host);
void norn_step_finder_add(norn_step_finder *finder, int64_t before, int64_t after); /* before < after */
void norn_step_finder_free(norn_step_finder *finder);

/* The most frequent step; *regular of *total differences are it. With no difference at all: one unit of the
 * finest thing the style writes. */
norn_step norn_step_find(const norn_step_finder *finder, uint64_t *regular, uint64_t *total);

/* Rows of one period: 12 for months, 24 for hours, 5 for business days, ...; 1: the step suggests none. */
size_t norn_step_season(norn_step step);

/* "1 hour", "15 minutes", "1 quarter", "1 business day". Returns out. */
const char *norn_step_text(norn_step step, char *out, size_t size);

/*
 * The time `ahead` steps after the last of times[n] (n, ahead >= 1). Months end where the last rows end:
 * after 31 January and 28 February comes 31 March. Business days skip Saturdays and Sundays. Saturates.
 */
int64_t norn_time_ahead(const norn_time_style *style, norn_step step, const int64_t *times, size_t n,
                        size_t ahead);

#endif
