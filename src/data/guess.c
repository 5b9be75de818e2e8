/*
 * Finding the way in which a column's times are written, as declared in calendar.h.
 *
 * All known ways are a table: ways to write a day times ways to write the clock behind it, and the coarser
 * ones. The one that reads the most cells of the sample wins, the earlier of two that read the same. Whole
 * numbers stand apart: they are numbers first, and times only where their size says so.
 */
#include "data/pattern.h"

#include <stdio.h>
#include <string.h>

/* ---- the table ---- */

enum {                    /* clocks that may stand behind a day */
       CLOCK_BLANK = 1,   /* a blank and hh:mm */
       CLOCK_T = 2,       /* T and hh:mm */
       CLOCK_HALVES = 4,  /* 12 hours */
       CLOCK_COMPACT = 8, /* hhmm */
       CLOCK_TSF = 16,    /* hh-mm-ss */
       CLOCK_LAST = 32    /* the clock alone says the day as well: ctime */
};

static const struct {
    const char *format;
    norn_width width;
    uint8_t family; /* beside ALL */
    uint8_t clocks;
} days[] = {
    {"%Y-%m-%d", NORN_WIDTH_CLOCK, NORN_FAMILY_ISO, CLOCK_BLANK | CLOCK_T | CLOCK_HALVES | CLOCK_TSF},
    {"%Y/%m/%d", NORN_WIDTH_CLOCK, NORN_FAMILY_ISO, CLOCK_BLANK | CLOCK_T | CLOCK_HALVES},
    {"%Y.%m.%d", NORN_WIDTH_CLOCK, NORN_FAMILY_ISO, CLOCK_BLANK | CLOCK_T | CLOCK_HALVES},
    {"%1/%2/%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_MDY, CLOCK_BLANK | CLOCK_HALVES},
    {"%1-%2-%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_MDY, CLOCK_BLANK | CLOCK_HALVES},
    {"%d.%m.%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_DMY, CLOCK_BLANK | CLOCK_HALVES},
    {"%m.%d.%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_MDY, CLOCK_BLANK | CLOCK_HALVES},
    {"%Y%m%d", NORN_WIDTH_FULL, NORN_FAMILY_ISO, CLOCK_BLANK | CLOCK_T | CLOCK_COMPACT},
    {"%d-%b-%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%d %b %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%d/%b/%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%d%b%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0}, /* SAS */
    {"%b %d, %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%b %d %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%b-%d-%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%Y-%b-%d", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK},
    {"%Y %b %d", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK},
    {"%a, %d %b %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%a %d %b %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%a, %b %d, %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_BLANK | CLOCK_HALVES},
    {"%a %b %e", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, CLOCK_LAST},
    {"%G-W%V-%u", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%GW%V%u", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Y-%m", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Y/%m", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%YM%m", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Y-M%m", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Ym%m", NORN_WIDTH_CLOCK, NORN_FAMILY_ISO, 0}, /* Stata: 1990m1 */
    {"%m/%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%m-%Y", NORN_WIDTH_FULL, NORN_FAMILY_ALL, 0},
    {"%b-%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%b %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%b, %Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%b/%Y", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%Y %b", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%Y-%b", NORN_WIDTH_CLOCK, NORN_FAMILY_ALL, 0},
    {"%Y-Q%q", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%YQ%q", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Y Q%q", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Y/Q%q", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Yq%q", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0}, /* Stata */
    {"Q%q %Y", NORN_WIDTH_FULL, NORN_FAMILY_ALL, 0},
    {"Q%q-%Y", NORN_WIDTH_FULL, NORN_FAMILY_ALL, 0},
    {"Q%q/%Y", NORN_WIDTH_FULL, NORN_FAMILY_ALL, 0},
    {"%G-W%V", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%GW%V", NORN_WIDTH_FULL, NORN_FAMILY_ISO, 0},
    {"%Gw%V", NORN_WIDTH_CLOCK, NORN_FAMILY_ISO, 0}, /* Stata */
};

static const struct {
    const char *format;
    uint8_t clocks;
} clocks[] = {
    {"", 0},
    {" %H:%M:%S.%f", CLOCK_BLANK},
    {" %H:%M", CLOCK_BLANK},
    {"T%H:%M:%S.%f", CLOCK_T},
    {"T%H:%M", CLOCK_T},
    {" %H:%M:%S.%f%z", CLOCK_BLANK},
    {" %H:%M%z", CLOCK_BLANK},
    {"T%H:%M:%S.%f%z", CLOCK_T},
    {"T%H:%M%z", CLOCK_T},
    {" %H:%M:%S.%f %z", CLOCK_BLANK},
    {" %H:%M %z", CLOCK_BLANK},
    {" %H:%M:%S.%f %Z", CLOCK_BLANK},
    {" %H:%M %Z", CLOCK_BLANK},
    {" %H:%M:%S,%f", CLOCK_T}, /* Python's log */
    {" %I:%M %p", CLOCK_HALVES},
    {" %I:%M:%S.%f %p", CLOCK_HALVES},
    {" %I:%M%p", CLOCK_HALVES},
    {" %I:%M:%S%p", CLOCK_HALVES},
    {" %I %p", CLOCK_HALVES},
    {"T%H%M", CLOCK_COMPACT},
    {"T%H%M%S", CLOCK_COMPACT},
    {"T%H%M%z", CLOCK_COMPACT},
    {"T%H%M%S%z", CLOCK_COMPACT},
    {" %H%M", CLOCK_COMPACT},
    {" %H%M%S", CLOCK_COMPACT},
    {"-%H:%M", CLOCK_COMPACT},
    {"-%H:%M:%S", CLOCK_COMPACT},
    {" %H-%M-%S", CLOCK_TSF},
    {" %H:%M:%S %Y", CLOCK_LAST},
    {" %H:%M:%S %Z %Y", CLOCK_LAST}, /* date */
};

/* Whole numbers that are times, where `digits` of them lie between least and most; the first that holds is
 * it. */
static const struct {
    const char *format;
    size_t digits;
    bool named; /* only where the column is called like a time */
    bool all;   /* only where every cell is one */
    int64_t least, most;
} numbers[] = {
    {"%Y%m%d", 8, false, false, 15000000, 22999999},
    {"%Y%m", 6, true, true, 150001, 229912},
    {"%Y%m%d%H", 10, true, true, 1500010100, 2299123123},
    {"%Y%m%d%H%M", 12, true, true, 150001010000, 229912312359},
    {"%Y%m%d%H%M%S", 14, true, true, 15000101000000, 22991231235959},
    {"epoch-s", 10, true, false, 1000000000, 2999999999},
    {"epoch-ms", 13, true, false, 1000000000000, 2999999999999},
    {"epoch-us", 16, true, false, 1000000000000000, 2999999999999999},
};

/* ---- trying ---- */

typedef struct sample {
    const char *const *cells;
    const size_t *lengths;
    size_t count;
} sample;

/* Cells, spread over the sample, one of which a way must read to be tried on all of them. */
#define PROBES 32

static size_t probes_of(const sample *s)
{
    return s->count < PROBES ? s->count : PROBES;
}

static size_t probe(const sample *s, size_t i)
{
    return i * s->count / probes_of(s);
}

static bool reads_any_probe(const norn_time_style *style, const sample *s)
{
    norn_time_seen seen = {0};
    int64_t raw;
    for (size_t i = 0; i < probes_of(s); i++) {
        const size_t cell = probe(s, i);
        if (norn_time_parse(style, s->cells[cell], s->lengths[cell], 0, &seen, &raw)) return true;
    }
    return false;
}

/* How many cells the style reads, and what is seen of them. */
static size_t reads(const norn_time_style *style, const sample *s, norn_time_seen *seen)
{
    size_t fits = 0;
    *seen = (norn_time_seen){0};
    for (size_t i = 0; i < s->count; i++) {
        int64_t raw;
        fits += norn_time_parse(style, s->cells[i], s->lengths[i], i, seen, &raw);
    }
    return fits;
}

typedef struct best {
    norn_time_style style;
    size_t fits;
} best;

static void consider(best *b, const norn_time_style *style, const sample *s)
{
    norn_time_seen seen;
    if (!reads_any_probe(style, s)) return;
    const size_t fits = reads(style, s, &seen);
    if (fits <= b->fits) return;
    b->fits = fits;
    b->style = *style;
    norn_pattern_take_seen(&b->style, &seen);
}

/* Digits, with a sign, a point or an exponent: no way of the table reads one. */
static bool is_number(const char *text, size_t length)
{
    size_t points = 0;
    for (size_t i = 0; i < length; i++) {
        const char byte = text[i];
        points += byte == '.';
        const bool sign =
            (byte == '-' || byte == '+') && (i == 0 || text[i - 1] == 'e' || text[i - 1] == 'E');
        if ((byte < '0' || byte > '9') && byte != '.' && byte != 'e' && byte != 'E' && !sign) return false;
    }
    return points < 2;
}

static bool all_probes_are_numbers(const sample *s)
{
    for (size_t i = 0; i < probes_of(s); i++)
        if (!is_number(s->cells[probe(s, i)], s->lengths[probe(s, i)])) return false;
    return true;
}

static void consider_ways(best *b, const norn_time_style *told, const sample *s)
{
    for (size_t d = 0; d < NORN_COUNT(days); d++) {
        /* an open order is as good for days that come first; points alone are always d.m.Y */
        const bool open = strstr(days[d].format, "%1") != NULL;
        const bool points = days[d].family == NORN_FAMILY_MDY && !open;
        if (told->family == NORN_FAMILY_ALL
                ? points
                : days[d].family != told->family && !(open && told->family == NORN_FAMILY_DMY))
            continue;
        for (size_t c = 0; c < NORN_COUNT(clocks); c++) {
            if (!(c == 0 ? !(days[d].clocks & CLOCK_LAST) : days[d].clocks & clocks[c].clocks)) continue;
            char format[NORN_TIME_FORMAT];
            norn_time_style style = {.zone = told->zone, .family = told->family};
            (void)snprintf(format, sizeof format, "%s%s", days[d].format, clocks[c].format);
            /* a clock behind T or without colons is never shortened */
            const bool full = clocks[c].clocks & (CLOCK_T | CLOCK_COMPACT | CLOCK_TSF) && c != 0;
            if (norn_pattern_compile(&style, format, full ? NORN_WIDTH_FULL : days[d].width, NULL) != NORN_OK)
                continue;
            if (open && told->family != NORN_FAMILY_ALL) norn_pattern_set_order(&style, told->order);
            consider(b, &style, s);
        }
    }
}

/* The integers among the cells as times, where they are. */
static void consider_numbers(best *b, const norn_time_style *told, const sample *s, bool named_time)
{
    norn_time_style integer = {.form = NORN_FORM_NONE};
    best whole = {.fits = 0};
    if (told->family == NORN_FAMILY_MDY || told->family == NORN_FAMILY_DMY) return;
    (void)norn_time_style_compile(&integer, "integer", NULL);
    if (told->family == NORN_FAMILY_ALL) consider(&whole, &integer, s);
    for (size_t i = 0; i < NORN_COUNT(numbers); i++) {
        if (numbers[i].named && !named_time) continue;
        if (told->family == NORN_FAMILY_ISO && numbers[i].format[0] != '%') continue;
        size_t fits = 0;
        norn_time_style style = {.form = NORN_FORM_NONE};
        if (norn_time_style_compile(&style, numbers[i].format, NULL) != NORN_OK) continue;
        for (size_t k = 0; k < s->count; k++) {
            int64_t value, raw;
            norn_time_seen seen = {0};
            fits += s->lengths[k] == numbers[i].digits &&
                    norn_parse_integer(s->cells[k], s->lengths[k], &value) && value >= numbers[i].least &&
                    value <= numbers[i].most &&
                    norn_time_parse(&style, s->cells[k], s->lengths[k], 0, &seen, &raw);
        }
        if (2 * fits <= s->count || (numbers[i].all && fits < s->count)) continue;
        style.zone = told->zone;
        style.family = told->family;
        whole = (best){style, fits};
        break;
    }
    if (whole.fits > b->fits) *b = whole;
}

void norn_time_style_guess(norn_time_style *style, const char *const *cells, const size_t *lengths,
                           size_t count, bool named_time, size_t *fits)
{
    const norn_time_style none = {.zone = style->zone, .family = style->family, .order = style->order};
    const sample s = {cells, lengths, count};
    best b = {none, 0};
    *fits = 0;
    if (count == 0) {
        *style = none;
        return;
    }
    consider_numbers(&b, &none, &s, named_time);
    if (2 * b.fits <= count && !all_probes_are_numbers(&s)) consider_ways(&b, &none, &s);
    if (2 * b.fits <= count) b = (best){none, b.fits};
    b.style.zone = none.zone;
    *style = b.style;
    *fits = b.fits;
}
