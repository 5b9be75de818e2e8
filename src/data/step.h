/*
 * The step from row to row: found, named, read from --frequency, and taken into the future.
 *
 * A step is a number of microseconds, of calendar months, of business days or of integers. Days and weeks are
 * counted on the calendar of the style's zone, so that a day of 23 hours is one day; hours and what is finer
 * are spans of time.
 */
#ifndef NORN_DATA_STEP_H
#define NORN_DATA_STEP_H

#include "data/calendar.h"

typedef struct norn_step_finder norn_step_finder;

/* Counts the differences of consecutive times, over any number of series. NULL: out of memory. The style's
 * zone must live as long. */
norn_step_finder *norn_step_finder_new(const norn_time_style *style, const norn_host *host);
void norn_step_finder_add(norn_step_finder *finder, int64_t before, int64_t after); /* before < after */
void norn_step_finder_free(norn_step_finder *finder);

/* The most frequent step; *regular of *total differences are it. With no difference at all: one unit of the
 * finest thing the style's form says. Business days may have holidays and, in less than 2 of 100 rows, a
 * weekend. */
norn_step norn_step_find(const norn_step_finder *finder, uint64_t *regular, uint64_t *total);

/* Is the way from one row to the next just one step? (What the finder counts as regular.) */
bool norn_step_is_regular(const norn_time_style *style, norn_step step, int64_t before, int64_t after);

/* Whole rows absent between two rows; 0: none. */
uint64_t norn_step_absent(const norn_time_style *style, norn_step step, int64_t before, int64_t after);

/*
 * --frequency: "1 hour", "15min", "h", "D", "W", "month", "quarter", "year", "business day", "B", "MS", "10"
 * (of integers), the other aliases of pandas, and the words of .tsf headers ("half_hourly", "10_minutes").
 * Words may be written in any case; M is a month, min a minute, and m alone is neither. False: no step.
 */
bool norn_step_parse(const char *text, norn_step *step);

/* Rows of one period: 12 for months, 24 for hours, 5 for business days, ...; 1: the step suggests none. */
size_t norn_step_season(norn_step step);

/* "1 hour", "15 minutes", "1 quarter", "1 business day"; norn_step_parse reads it. Returns out. */
const char *norn_step_text(norn_step step, char *out, size_t size);

/* The style in which times are written that come from no file: ISO, as fine as the step. */
norn_time_style norn_step_style(norn_step step);

/*
 * The time `ahead` steps after the last of times[n] (n, ahead >= 1). Months end where the last rows end:
 * after 31 January and 28 February comes 31 March. Business days skip Saturdays and Sundays. Saturates.
 */
int64_t norn_time_ahead(const norn_time_style *style, norn_step step, const int64_t *times, size_t n,
                        size_t ahead);

#endif
