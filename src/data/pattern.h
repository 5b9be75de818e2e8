/*
 * The items of a time style: what the parts of the calendar that compile, read, write and guess share. Nobody
 * else looks into a style.
 */
#ifndef NORN_DATA_PATTERN_H
#define NORN_DATA_PATTERN_H

#include "data/calendar.h"

/* Kinds of items: letters of strptime stand for themselves (%B is b, %A is a, %e is d, with the letter in
 * `byte`), beside them: */
#define NORN_ITEM_LITERAL  'L'
#define NORN_ITEM_BLANK    '_' /* one or more */
#define NORN_ITEM_FRACTION '.' /* after %S: `byte` and digits, or nothing */
#define NORN_ITEM_FIRST    '1' /* day or month, the order being open */
#define NORN_ITEM_SECOND   '2'
#define NORN_ITEM_INTEGER  'i'
#define NORN_ITEM_EPOCH    's' /* `byte`: s, m or u, the unit */
#define NORN_ITEM_SERIAL   'x' /* a day number with a fraction; `byte`: e of Excel, m of MATLAB */

/* Families of ways, which --time-format may name. */
enum { NORN_FAMILY_ALL = 0, NORN_FAMILY_ISO, NORN_FAMILY_MDY, NORN_FAMILY_DMY };

/* How an offset was written; numbers are bits of norn_time_seen.zone_texts. */
enum {
    NORN_ZONE_TEXT_Z = 0,
    NORN_ZONE_TEXT_HH,
    NORN_ZONE_TEXT_HHMM,
    NORN_ZONE_TEXT_HH_MM,
    NORN_ZONE_TEXT_UTC,
    NORN_ZONE_TEXT_GMT
};

/* How names were written: bits of norn_time_seen.names. */
enum {
    NORN_NAME_SHORT = 1, /* of months; May says nothing */
    NORN_NAME_LONG = 2,
    NORN_NAME_DAY_SHORT = 4, /* of weekdays */
    NORN_NAME_DAY_LONG = 8,
    NORN_NAME_CAPITAL = 16,    /* Jan or JAN */
    NORN_NAME_SMALL = 32,      /* jan */
    NORN_NAME_REST_UPPER = 64, /* JAN */
    NORN_NAME_REST_LOWER = 128,
    NORN_NAME_AM_UPPER = 256,
    NORN_NAME_AM_LOWER = 512,
    NORN_NAME_AM_POINTS = 1024 /* a.m. */
};

/* How strict figures are. */
typedef enum norn_width {
    NORN_WIDTH_FREE = 0, /* no leading zeros needed */
    NORN_WIDTH_CLOCK,    /* minutes and seconds have two digits */
    NORN_WIDTH_FULL      /* all figures have their full width */
} norn_width;

/* norn_time_style_compile for patterns alone; also knows %1 and %2, the figures of an open order. `width` and
 * the zone of style are kept. */
norn_status norn_pattern_compile(norn_time_style *style, const char *format, norn_width width,
                                 norn_error *err);

/* The item of a kind, or -1. */
int norn_pattern_find(const norn_time_style *style, char kind);

/* Makes an open order MDY or DMY. */
void norn_pattern_set_order(norn_time_style *style, norn_day_order order);

/* Makes the style write what was seen. */
void norn_pattern_take_seen(norn_time_style *style, const norn_time_seen *seen);

/* All of text as an integer with an optional sign. */
bool norn_parse_integer(const char *text, size_t length, int64_t *value);

/* A raw time of an open order, and the two days it can mean. */
int64_t norn_open_raw(int year, int first, int second, int64_t rest);
int64_t norn_open_settle(int64_t raw, norn_day_order order);

extern const char *const norn_month_names[12];
extern const char *const norn_weekday_names[7];

/* a / b rounded down; b > 0. */
static inline int64_t norn_floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

#endif
