/*
 * Days, and reading and writing times, as declared in calendar.h. Steps are in step.c.
 *
 * Days are counted in eras of 400 years, 146097 days each, with years that begin in March so that the leap
 * day comes last (H. Hinnant, "chrono-compatible low-level date algorithms").
 */
#include "data/calendar.h"

#include <string.h>

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
} /* b > 0 */

int64_t norn_days_from_civil(int64_t year, int month, int day)
{
    const int64_t march_year = year - (month <= 2);
    const int64_t era = floor_divide(march_year, 400);
    const int64_t year_of_era = march_year - era * 400;                                   /* 0 .. 399 */
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1; /* 0 .. 365 */
    const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468; /* 1970-01-01 is day 719468 after 0000-03-01 */
}

norn_date norn_civil_from_days(int64_t days)
{
    const int64_t shifted = days + 719468;
    const int64_t era = floor_divide(shifted, 146097);
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int from_march = (int)((5 * day_of_year + 2) / 153); /* 0 March .. 11 February */
    norn_date date;
    date.day = (int)(day_of_year - (153 * from_march + 2) / 5) + 1;
    date.month = from_march < 10 ? from_march + 3 : from_march - 9;
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

int norn_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

int norn_weekday(int64_t days) /* 1970-01-01 was a Thursday */
{
    return (int)(days + 3 - 7 * floor_divide(days + 3, 7));
}

norn_moment norn_moment_of(int64_t time, int offset)
{
    norn_moment moment = {floor_divide(time, NORN_DAY), time % NORN_DAY};
    if (moment.rest < 0) moment.rest += NORN_DAY;
    moment.rest += offset * NORN_MINUTE; /* an offset is less than a day */
    const int64_t over = floor_divide(moment.rest, NORN_DAY);
    moment.days += over;
    moment.rest -= over * NORN_DAY;
    return moment;
}

/* ---- reading ---- */

/* A place in a text; the readers below move it on success. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Exactly `count` digits. */
static bool take_digits(cursor *c, int count, int *value)
{
    if (c->end - c->at < count) return false;
    int sum = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(c->at[i])) return false;
        sum = sum * 10 + (c->at[i] - '0');
    }
    c->at += count;
    *value = sum;
    return true;
}

static bool take(cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte) return false;
    c->at++;
    return true;
}

static bool valid_date(int year, int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= norn_days_in_month(year, month);
}

static bool parse_integer(const char *text, size_t length, int64_t *value)
{
    size_t i = 0;
    const bool negative = length && text[0] == '-';
    if (length && (text[0] == '-' || text[0] == '+')) i = 1;
    if (i == length) return false;
    uint64_t sum = 0;
    for (; i < length; i++) {
        if (!is_digit(text[i])) return false;
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (sum > ((uint64_t)INT64_MAX - digit) / 10) return false;
        sum = sum * 10 + digit;
    }
    *value = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}

/* Z, +hh:mm, +hhmm, +hh or nothing, up to the end. */
static bool take_zone(cursor *c, norn_time_style *style)
{
    style->zone = NORN_ZONE_NONE;
    if (c->at == c->end) return true;
    if (take(c, 'Z')) {
        style->zone = NORN_ZONE_Z;
        return c->at == c->end;
    }
    const bool west = *c->at == '-';
    int hours = 0, minutes = 0;
    if (!take(c, '+') && !take(c, '-')) return false;
    if (!take_digits(c, 2, &hours)) return false;
    if (c->at == c->end)
        style->zone = NORN_ZONE_HH;
    else if (take(c, ':'))
        style->zone = NORN_ZONE_HH_MM;
    else
        style->zone = NORN_ZONE_HHMM;
    if (style->zone != NORN_ZONE_HH && !take_digits(c, 2, &minutes)) return false;
    if (hours > 15 || minutes > 59 || c->at != c->end) return false;
    style->offset = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

/* What follows a date: [T ]hh:mm[:ss[.fraction]][zone]. */
static bool take_clock(cursor *c, int64_t *microseconds, norn_time_style *style)
{
    int hours, minutes, seconds = 0;
    int64_t fraction = 0;
    style->form = NORN_FORM_CLOCK;
    style->separator = *c->at;
    if (!take(c, 'T') && !take(c, ' ')) return false;
    if (!take_digits(c, 2, &hours) || !take(c, ':') || !take_digits(c, 2, &minutes)) return false;
    if (take(c, ':')) {
        style->seconds = true;
        if (!take_digits(c, 2, &seconds)) return false;
        if (take(c, '.')) {
            int64_t unit = NORN_SECOND / 10;
            while (c->at < c->end && is_digit(*c->at) && style->fraction < 9) {
                fraction += unit * (*c->at++ - '0'); /* digits beyond the microsecond weigh nothing */
                unit /= 10;
                style->fraction++;
            }
            if (style->fraction == 0) return false;
        }
    }
    if (hours > 23 || minutes > 59 || seconds > 59 || !take_zone(c, style)) return false;
    *microseconds = hours * NORN_HOUR + minutes * NORN_MINUTE + seconds * NORN_SECOND + fraction -
                    style->offset * NORN_MINUTE;
    return true;
}

bool norn_time_parse(const char *text, size_t length, bool compact, int64_t *time, norn_time_style *style)
{
    cursor c = {text, text + length};
    norn_time_style read = {NORN_FORM_NONE, 0, false, 0, NORN_ZONE_NONE, 0, false};
    int year, month, day;
    int64_t value = 0;
    if (compact && length == 8 && take_digits(&c, 4, &year) && take_digits(&c, 2, &month) &&
        take_digits(&c, 2, &day) && valid_date(year, month, day)) {
        read.form = NORN_FORM_COMPACT;
        value = norn_days_from_civil(year, month, day) * NORN_DAY;
    } else if (parse_integer(text, length, &value)) {
        read.form = NORN_FORM_INTEGER;
    } else {
        c.at = text;
        if (!take_digits(&c, 4, &year) || !take(&c, '-') || !take_digits(&c, 2, &month)) return false;
        if (c.at == c.end) {
            read.form = NORN_FORM_MONTH;
            day = 1;
        } else if (!take(&c, '-') || !take_digits(&c, 2, &day)) {
            return false;
        } else if (c.at == c.end) {
            read.form = NORN_FORM_DATE;
        } else if (!take_clock(&c, &value, &read)) {
            return false;
        }
        if (!valid_date(year, month, day)) return false;
        value += norn_days_from_civil(year, month, day) * NORN_DAY;
    }
    *time = value;
    *style = read;
    return true;
}

bool norn_time_style_join(norn_time_style *column, const norn_time_style *cell)
{
    if (column->form == NORN_FORM_NONE) {
        *column = *cell;
        return true;
    }
    if (column->form != cell->form || column->separator != cell->separator ||
        column->seconds != cell->seconds || column->zone != cell->zone)
        return false;
    if (column->fraction < cell->fraction) column->fraction = cell->fraction;
    if (column->offset != cell->offset || cell->offset_varies) column->offset_varies = true;
    if (column->offset_varies) column->offset = 0;
    return true;
}

/* ---- writing ---- */

/* At least `width` digits. */
static char *put_digits(char *out, uint64_t value, int width)
{
    char digits[20];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n < width) digits[n++] = '0';
    while (n) *out++ = digits[--n];
    return out;
}

static char *put_signed(char *out, int64_t value, int width)
{
    if (value < 0) *out++ = '-';
    return put_digits(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, width);
}

const char *norn_time_write(const norn_time_style *style, int64_t time, char out[NORN_TIME_TEXT])
{
    char *end = out;
    if (style->form == NORN_FORM_INTEGER || style->form == NORN_FORM_NONE) {
        *put_signed(end, time, 1) = '\0';
        return out;
    }
    const norn_moment moment = norn_moment_of(time, style->offset);
    const norn_date date = norn_civil_from_days(moment.days);
    const uint64_t rest = (uint64_t)moment.rest;
    const bool compact = style->form == NORN_FORM_COMPACT;

    end = put_signed(end, date.year, 4);
    if (!compact) *end++ = '-';
    end = put_digits(end, (uint64_t)date.month, 2);
    if (style->form != NORN_FORM_MONTH) {
        if (!compact) *end++ = '-';
        end = put_digits(end, (uint64_t)date.day, 2);
    }
    if (style->form == NORN_FORM_CLOCK) {
        *end++ = style->separator;
        end = put_digits(end, rest / NORN_HOUR, 2);
        *end++ = ':';
        end = put_digits(end, rest / NORN_MINUTE % 60, 2);
        if (style->seconds) {
            *end++ = ':';
            end = put_digits(end, rest / NORN_SECOND % 60, 2);
        }
        if (style->fraction) {
            char nine[20];
            (void)put_digits(nine, rest % NORN_SECOND * 1000, 9);
            *end++ = '.';
            memcpy(end, nine, (size_t)style->fraction);
            end += style->fraction;
        }
        if (style->zone == NORN_ZONE_Z) *end++ = 'Z';
        if (style->zone >= NORN_ZONE_HH) {
            const int minutes = style->offset < 0 ? -style->offset : style->offset;
            *end++ = style->offset < 0 ? '-' : '+';
            end = put_digits(end, (uint64_t)minutes / 60, 2);
            if (style->zone == NORN_ZONE_HH_MM) *end++ = ':';
            if (style->zone != NORN_ZONE_HH || minutes % 60) end = put_digits(end, (uint64_t)minutes % 60, 2);
        }
    }
    *end = '\0';
    return out;
}
