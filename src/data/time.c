/*
 * Reading and writing times: one walk over the items of a style each, as declared in calendar.h.
 *
 * Reading collects the parts of a time, then makes them one number; writing takes the number apart again.
 * What a cell shows beside its time (leading zeros, the case of names, digits of a fraction) goes into
 * norn_time_seen, only once the whole cell has been read.
 */
#include "data/pattern.h"

#include <string.h>

/* A place in a text; the readers below move it on success. */
typedef struct cursor {
    const char *at, *end;
} cursor;

/* What a cell says. */
typedef struct fields {
    int year, month, day;     /* of 0: not said */
    int day_of_year, quarter; /* likewise */
    int week, weekday;        /* likewise; the year is then that of weeks */
    int hour, minute, second;
    int half;      /* 1 AM, 2 PM, 0 a clock of 24 hours */
    int64_t micro; /* of the second; with an epoch or a serial number the whole time */
    bool whole;    /* micro is the whole time */
    int offset;    /* minutes */
    bool has_offset;
    int fraction; /* digits */
    uint8_t zone_texts;
    uint16_t names;
    uint64_t short_items, full_items;
} fields;

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

static bool is_letter(char byte)
{
    return lower(byte) >= 'a' && lower(byte) <= 'z';
}

/* From `least` to `most` digits. */
static bool take_digits(cursor *c, int least, int most, int *value)
{
    int sum = 0, count = 0;
    while (count < most && c->at + count < c->end && is_digit(c->at[count]))
        sum = sum * 10 + (c->at[count++] - '0');
    if (count < least) return false;
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

bool norn_parse_integer(const char *text, size_t length, int64_t *value)
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

/* ---- the items of text ---- */

/* 1 to 9 digits; those beyond the microsecond weigh nothing. */
static bool take_fraction(cursor *c, int least, int most, fields *f)
{
    int64_t unit = NORN_SECOND / 10;
    int count = 0;
    f->micro = 0;
    while (count < most && c->at < c->end && is_digit(*c->at)) {
        f->micro += unit * (*c->at++ - '0');
        unit /= 10;
        count++;
    }
    f->fraction = count;
    return count >= least;
}

/* Z, +hh:mm, +hhmm or +hh. */
static bool take_offset(cursor *c, fields *f)
{
    f->has_offset = true;
    if (take(c, 'Z')) {
        f->zone_texts = 1 << NORN_ZONE_TEXT_Z;
        return true;
    }
    const bool west = c->at < c->end && *c->at == '-';
    int hours = 0, minutes = 0, text = NORN_ZONE_TEXT_HH;
    if (!take(c, '+') && !take(c, '-')) return false;
    if (!take_digits(c, 2, 2, &hours)) return false;
    if (take(c, ':'))
        text = NORN_ZONE_TEXT_HH_MM;
    else if (c->at < c->end && is_digit(*c->at))
        text = NORN_ZONE_TEXT_HHMM;
    if (text != NORN_ZONE_TEXT_HH && !take_digits(c, 2, 2, &minutes)) return false;
    if (hours > 15 || minutes > 59) return false;
    f->zone_texts = (uint8_t)(1 << text);
    f->offset = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

/* UTC, GMT or Z: what other letters mean depends on who wrote them. */
static bool take_zone_name(cursor *c, fields *f)
{
    f->has_offset = true;
    const size_t left = (size_t)(c->end - c->at);
    if (left >= 3 && memcmp(c->at, "UTC", 3) == 0)
        f->zone_texts = 1 << NORN_ZONE_TEXT_UTC;
    else if (left >= 3 && memcmp(c->at, "GMT", 3) == 0)
        f->zone_texts = 1 << NORN_ZONE_TEXT_GMT;
    else if (take(c, 'Z'))
        f->zone_texts = 1 << NORN_ZONE_TEXT_Z;
    else
        return false;
    if (f->zone_texts != 1 << NORN_ZONE_TEXT_Z) c->at += 3;
    return true;
}

/* A name in full or its first three letters, in any case: which of them, from 0, or -1. */
static int take_name(cursor *c, const char *const *names, int count, uint16_t short_bit, uint16_t long_bit,
                     uint16_t *bits)
{
    const char *word = c->at;
    size_t length = 0;
    while (word + length < c->end && is_letter(word[length])) length++;
    if (length < 3) return -1;
    for (int i = 0; i < count; i++) {
        size_t same = 0;
        while (same < length && names[i][same] && lower(word[same]) == lower(names[i][same])) same++;
        const bool full = names[i][same] == '\0';
        if (same != length || (same != 3 && !full && !(same == 4 && lower(names[i][0]) == 's')))
            continue; /* Sept */
        if (!full)
            *bits |= short_bit;
        else if (length > 3)
            *bits |= long_bit;
        *bits |= is_letter(word[0]) && word[0] == lower(word[0]) ? NORN_NAME_SMALL : NORN_NAME_CAPITAL;
        *bits |= word[1] == lower(word[1]) ? NORN_NAME_REST_LOWER : NORN_NAME_REST_UPPER;
        c->at += length;
        return i;
    }
    return -1;
}

/* AM, PM, a.m., p.m. */
static bool take_half(cursor *c, fields *f)
{
    if (c->end - c->at < 2) return false;
    const char letter = lower(c->at[0]);
    if (letter != 'a' && letter != 'p') return false;
    f->names |= c->at[0] == letter ? NORN_NAME_AM_LOWER : NORN_NAME_AM_UPPER;
    f->half = letter == 'a' ? 1 : 2;
    if (lower(c->at[1]) == 'm') {
        c->at += 2;
        return true;
    }
    if (c->end - c->at < 4 || c->at[1] != '.' || lower(c->at[2]) != 'm' || c->at[3] != '.') return false;
    f->names |= NORN_NAME_AM_POINTS;
    c->at += 4;
    return true;
}

/* Digits before and behind a point: the whole ones, and the first 18 behind it as a fraction of 10^digits. */
static bool take_decimal(cursor *c, bool *negative, int64_t *whole, int64_t *part, int *digits)
{
    const char *from = c->at;
    *negative = from < c->end && *from == '-';
    if (*negative) from++;
    const char *to = from;
    while (to < c->end && is_digit(*to)) to++;
    if (to == from || to - from > 18 || !norn_parse_integer(from, (size_t)(to - from), whole)) return false;
    *part = 0;
    *digits = 0;
    if (to < c->end && *to == '.') {
        for (to++; to < c->end && is_digit(*to); to++)
            if (*digits < 18) {
                *part = *part * 10 + (*to - '0');
                ++*digits;
            }
        if (*digits == 0) return false;
    }
    c->at = to;
    return true;
}

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

static int64_t epoch_unit(char byte)
{
    return byte == 's' ? NORN_SECOND : byte == 'm' ? 1000 : 1;
}

static bool take_epoch(cursor *c, char byte, fields *f)
{
    const int64_t unit = epoch_unit(byte);
    bool negative;
    int64_t whole, part;
    int digits;
    if (!take_decimal(c, &negative, &whole, &part, &digits)) return false;
    if (digits > 9 || whole > (INT64_MAX - unit) / unit) return false;
    f->fraction = digits;
    /* digits beyond the microsecond weigh nothing */
    const int64_t behind = (int64_t)((double)part * (double)unit / (double)power_of_ten(digits) + 1e-6);
    f->micro = whole * unit + (behind < unit ? behind : unit - 1);
    if (negative) f->micro = -f->micro;
    return f->whole = true;
}

/* Excel counts days from 30 December 1899, but calls 1 January 1900 day 1 and has a 29 February in that year;
 * MATLAB from the last day of the year -1. Both are doubles: the digits of a fraction show the time to the
 * millisecond, fewer than eight to the second. */
#define EXCEL_ZERO  INT64_C(-25569)
#define EXCEL_LEAP  60
#define MATLAB_ZERO INT64_C(-719529)

static bool take_serial(cursor *c, char byte, fields *f)
{
    bool negative;
    int64_t days, part;
    int digits;
    if (!take_decimal(c, &negative, &days, &part, &digits) || negative) return false;
    if (byte == 'e') {
        if (days == EXCEL_LEAP || days > 2958465) return false; /* the last is 9999-12-31 */
        days += EXCEL_ZERO + (days < EXCEL_LEAP);
    } else {
        days += MATLAB_ZERO;
        if (days > INT64_C(2932896)) return false;
    }
    f->fraction = digits;
    const int64_t grain = digits >= 8 ? 1000 : NORN_SECOND;
    const double micro = (double)part / (double)power_of_ten(digits) * (double)NORN_DAY;
    f->micro = days * NORN_DAY + (int64_t)(micro / (double)grain + 0.5) * grain;
    return f->whole = true;
}

/* A figure of one or two digits and the like; notes whether it lacked or had a leading zero. */
static bool take_figure(cursor *c, size_t index, norn_time_item item, fields *f, int *value)
{
    const char *from = c->at;
    bool padded = false;
    if (item.byte == 'e') {
        /* a blank in the place of the zero, perhaps taken by the blank before the item */
        padded = take(c, ' ') || (index >= 2 && from[-1] == ' ' && from[-2] == ' ');
        from = c->at;
    }
    if (!take_digits(c, item.least, item.most, value)) return false;
    if (item.least < item.most) {
        if (*from == '0' || padded)
            f->full_items |= UINT64_C(1) << index;
        else if (c->at - from < item.most)
            f->short_items |= UINT64_C(1) << index;
    }
    return true;
}

/* ---- a whole cell ---- */

static bool take_item(cursor *c, size_t index, norn_time_item item, fields *f)
{
    int name;
    switch (item.kind) {
    case NORN_ITEM_LITERAL:
        return take(c, item.byte);
    case NORN_ITEM_BLANK:
        if (!take(c, ' ') && !take(c, '\t')) return false;
        while (take(c, ' ') || take(c, '\t')) continue;
        return true;
    case NORN_ITEM_FRACTION:
        return !take(c, item.byte) || take_fraction(c, 1, 9, f);
    case 'Y':
    case 'G':
        return take_digits(c, 4, 4, &f->year);
    case 'y':
        if (!take_figure(c, index, item, f, &f->year)) return false;
        f->year += f->year < 69 ? 2000 : 1900; /* as POSIX has it */
        return true;
    case 'm':
    case NORN_ITEM_FIRST:
        return take_figure(c, index, item, f, &f->month);
    case 'd':
    case NORN_ITEM_SECOND:
        return take_figure(c, index, item, f, &f->day);
    case 'b':
        name = take_name(c, norn_month_names, 12, NORN_NAME_SHORT, NORN_NAME_LONG, &f->names);
        f->month = name + 1;
        return name >= 0;
    case 'a':
        return take_name(c, norn_weekday_names, 7, NORN_NAME_DAY_SHORT, NORN_NAME_DAY_LONG, &f->names) >= 0;
    case 'j':
        return take_figure(c, index, item, f, &f->day_of_year) && f->day_of_year > 0;
    case 'q':
        return take_figure(c, index, item, f, &f->quarter) && f->quarter > 0;
    case 'V':
        return take_figure(c, index, item, f, &f->week) && f->week > 0;
    case 'u':
        return take_figure(c, index, item, f, &f->weekday) && f->weekday > 0;
    case 'H':
    case 'I':
        return take_figure(c, index, item, f, &f->hour);
    case 'M':
        return take_figure(c, index, item, f, &f->minute);
    case 'S':
        return take_figure(c, index, item, f, &f->second);
    case 'f':
        return take_fraction(c, item.least, item.most, f);
    case 'p':
        return take_half(c, f);
    case 'z':
        return take_offset(c, f);
    case 'Z':
        return take_zone_name(c, f);
    case NORN_ITEM_EPOCH:
        return take_epoch(c, item.byte, f);
    case NORN_ITEM_SERIAL:
        return take_serial(c, item.byte, f);
    default:
        return false;
    }
}

static bool is_day(int year, int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= norn_days_in_month(year, month);
}

/* The days since 1970 of what was read. */
static bool days_of(const fields *f, int64_t *days)
{
    if (f->week) {
        if (f->week > norn_weeks_in_year(f->year) || f->weekday > 7) return false;
        *days = norn_days_from_week(f->year, f->week) + (f->weekday ? f->weekday - 1 : 0);
        return true;
    }
    if (f->day_of_year) {
        *days = norn_days_from_civil(f->year, 1, 1) + f->day_of_year - 1;
        return f->day_of_year <= 337 + norn_days_in_month(f->year, 2);
    }
    if (f->quarter > 4) return false;
    const int month = f->quarter ? 3 * f->quarter - 2 : f->month, day = f->day;
    if (!is_day(f->year, month, day)) return false;
    *days = norn_days_from_civil(f->year, month, day);
    return true;
}

/* Raw times of an open order lie four days apart, so that a clock with its offset fits between. */
int64_t norn_open_raw(int year, int first, int second, int64_t rest)
{
    return (((int64_t)year * 32 + first) * 32 + second) * 4 * NORN_DAY + NORN_DAY + rest;
}

int64_t norn_open_settle(int64_t raw, norn_day_order order)
{
    const int64_t figures = raw / (4 * NORN_DAY), rest = raw % (4 * NORN_DAY) - NORN_DAY;
    const int second = (int)(figures % 32), first = (int)(figures / 32 % 32);
    const bool mdy = order == NORN_ORDER_MDY;
    return norn_days_from_civil(figures / 1024, mdy ? first : second, mdy ? second : first) * NORN_DAY + rest;
}

static int two_digits(const char *text, unsigned *bad)
{
    const unsigned tens = (unsigned char)(text[0] - '0'), ones = (unsigned char)(text[1] - '0');
    *bad |= (tens > 9) | (ones > 9);
    return (int)(tens * 10 + ones);
}

/* norn_days_from_civil for years that have four digits, in 32 bits; 1 March of the year 0 is day 60 of that
 * year. */
static int64_t days_of_four_digits(int year, int month, int day)
{
    const unsigned y = (unsigned)year + 400 - (month <= 2), m = (unsigned)(month + (month > 2 ? -3 : 9));
    const unsigned days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + (unsigned)day;
    return (int64_t)days - (146097 + 719469);
}

/*
 * A cell of full width, Y-m-d[ H:M[:S]] with nothing behind it, byte by byte at fixed places: the shape of
 * most files. False: it is left to the items.
 */
static bool parse_fast(const norn_time_style *style, const char *t, size_t length, norn_time_seen *seen,
                       int64_t *raw)
{
    static const uint8_t widths[] = {[5] = 10, [9] = 16, [11] = 19};
    static const uint8_t places[] = {4, 7, 10, 13, 16}; /* of the literals */
    if (length != widths[style->fast]) return false;
    unsigned bad = 0;
    int hour = 0, minute = 0, second = 0;
    for (unsigned i = 0; 2 * i + 1 < style->fast; i++) bad |= t[places[i]] != style->item[2 * i + 1].byte;
    const int year = two_digits(t, &bad) * 100 + two_digits(t + 2, &bad);
    const int month = two_digits(t + 5, &bad), day = two_digits(t + 8, &bad);
    uint64_t full = (uint64_t)(t[5] == '0') << 2 | (uint64_t)(t[8] == '0') << 4;
    if (length >= 16) {
        hour = two_digits(t + 11, &bad);
        minute = two_digits(t + 14, &bad);
        full |= (uint64_t)(t[11] == '0') << 6 | (uint64_t)(t[14] == '0') << 8;
    }
    if (length == 19) {
        second = two_digits(t + 17, &bad);
        full |= (uint64_t)(t[17] == '0') << 10;
    }
    if (bad || hour > 23 || minute > 59 || second > 59 || !is_day(year, month, day)) return false;
    *raw =
        days_of_four_digits(year, month, day) * NORN_DAY + (hour * 3600 + minute * 60 + second) * NORN_SECOND;
    seen->full_items |= full;
    seen->any = true;
    return true;
}

static void note(norn_time_seen *seen, const fields *f, bool open, uint64_t row)
{
    if (seen->fraction < f->fraction) seen->fraction = f->fraction;
    if (f->has_offset) {
        if (seen->any && seen->offset != f->offset) seen->offset_varies = true;
        if (!seen->any) seen->offset = f->offset;
        seen->offset_given = true;
    }
    if (open) {
        if (f->month > 12 && !seen->first_over_12) seen->first_over_12 = row + 1;
        if (f->day > 12 && !seen->second_over_12) seen->second_over_12 = row + 1;
        if (f->month != f->day) seen->figures_differ = true;
    }
    seen->zone_texts |= f->zone_texts;
    seen->names |= f->names;
    seen->short_items |= f->short_items;
    seen->full_items |= f->full_items;
    seen->any = true;
}

bool norn_time_parse(const norn_time_style *style, const char *text, size_t length, uint64_t row,
                     norn_time_seen *seen, int64_t *raw)
{
    if (style->form == NORN_FORM_INTEGER) {
        if (!norn_parse_integer(text, length, raw)) return false;
        seen->any = true;
        return true;
    }
    if (style->fast && parse_fast(style, text, length, seen, raw)) return true;
    cursor c = {text, text + length};
    fields f = {.month = 1, .day = 1};
    if (style->items == 0) return false;
    for (size_t index = 0; index < style->items; index++)
        if (!take_item(&c, index, style->item[index], &f)) return false;
    if (c.at != c.end) return false;

    if (f.whole) {
        *raw = f.micro;
    } else {
        if (f.half) {
            if (f.hour < 1 || f.hour > 12) return false;
            f.hour = f.hour % 12 + (f.half == 2 ? 12 : 0);
        }
        if (f.hour > 24 || f.minute > 59 || f.second > 59) return false;
        /* 24:00 is ISO 8601's end of a day, which the next one begins with. */
        if (f.hour == 24 && (f.minute || f.second || f.micro || f.year > 9998)) return false;
        const int64_t rest = f.hour * NORN_HOUR + f.minute * NORN_MINUTE + f.second * NORN_SECOND + f.micro -
                             f.offset * NORN_MINUTE;
        if (style->order == NORN_ORDER_OPEN) {
            if (!is_day(f.year, f.month, f.day) && !is_day(f.year, f.day, f.month)) return false;
            *raw = norn_open_raw(f.year, f.month, f.day, rest);
        } else {
            int64_t days;
            if (!days_of(&f, &days)) return false;
            *raw = days * NORN_DAY + rest;
        }
    }
    note(seen, &f, style->order == NORN_ORDER_OPEN, row);
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

static char *put_text(char *out, const char *text)
{
    while (*text) *out++ = *text++;
    return out;
}

/* One or two digits as the cells had them; a blank for the zero of %e. */
static char *put_figure(char *out, norn_time_item item, int value)
{
    const bool blank = item.byte == 'e' && item.least < item.most;
    if (value < 10 && blank && !item.bare) *out++ = ' ';
    return put_digits(out, (uint64_t)value, item.bare || blank ? 1 : item.most);
}

static char *put_name(char *out, const char *name, uint16_t names, uint16_t short_bit, uint16_t long_bit)
{
    const bool full = names & long_bit && !(names & short_bit);
    const bool upper = names & NORN_NAME_REST_UPPER && !(names & NORN_NAME_REST_LOWER);
    const bool small = names & NORN_NAME_SMALL && !(names & NORN_NAME_CAPITAL);
    for (int i = 0; name[i] && (full || i < 3); i++) {
        const bool raise = upper && name[i] >= 'a';
        *out++ = raise ? (char)(name[i] - ('a' - 'A')) : small ? lower(name[i]) : name[i];
    }
    return out;
}

static char *put_half(char *out, int hour, uint16_t names)
{
    const bool small = names & NORN_NAME_AM_LOWER && !(names & NORN_NAME_AM_UPPER);
    const char *text = names & NORN_NAME_AM_POINTS ? (hour < 12 ? "A.M." : "P.M.") : hour < 12 ? "AM" : "PM";
    for (; *text; text++) *out++ = small ? lower(*text) : *text;
    return out;
}

static char *put_fraction(char *out, int64_t micro, int digits)
{
    for (int i = 0; i < digits; i++) {
        micro *= 10; /* 0 behind the microsecond */
        *out++ = (char)('0' + micro / NORN_SECOND % 10);
        micro %= NORN_SECOND;
    }
    return out;
}

static char *put_offset(char *out, int minutes, int text)
{
    if (text == NORN_ZONE_TEXT_UTC) return put_text(out, "UTC");
    if (text == NORN_ZONE_TEXT_GMT) return put_text(out, "GMT");
    if (text == NORN_ZONE_TEXT_Z && minutes == 0) return put_text(out, "Z");
    const unsigned distance = minutes < 0 ? 0U - (unsigned)minutes : (unsigned)minutes;
    *out++ = minutes < 0 ? '-' : '+';
    out = put_digits(out, distance / 60, 2);
    if (text == NORN_ZONE_TEXT_HH_MM || text == NORN_ZONE_TEXT_Z) *out++ = ':';
    if (text != NORN_ZONE_TEXT_HH || distance % 60) out = put_digits(out, distance % 60, 2);
    return out;
}

static char *put_epoch(char *out, int64_t time, char byte, int fraction)
{
    const int64_t unit = epoch_unit(byte);
    uint64_t distance = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    if (time < 0 && (distance / (uint64_t)unit || fraction)) *out++ = '-';
    out = put_digits(out, distance / (uint64_t)unit, 1);
    if (fraction) *out++ = '.';
    for (int i = 0; i < fraction; i++) {
        distance = distance % (uint64_t)unit * 10;
        *out++ = (char)('0' + distance / (uint64_t)unit);
    }
    return out;
}

/* As many digits of the day as the file has, without zeros at the end, as programs write a double. */
static char *put_serial(char *out, norn_moment local, char byte, int fraction)
{
    const int digits = fraction < 12 ? fraction : 12;
    int64_t days = local.days - (byte == 'e' ? EXCEL_ZERO : MATLAB_ZERO), rest = local.rest;
    char behind[12];
    for (int i = 0; i < digits; i++) {
        rest *= 10;
        behind[i] = (char)('0' + rest / NORN_DAY);
        rest %= NORN_DAY;
    }
    if (2 * rest >= NORN_DAY) { /* rounded up, as far as it carries */
        int i = digits - 1;
        while (i >= 0 && behind[i] == '9') behind[i--] = '0';
        if (i >= 0)
            behind[i]++;
        else
            days++;
    }
    if (byte == 'e' && days <= EXCEL_LEAP) days--;
    out = put_signed(out, days, 1);
    int used = digits;
    while (used > 0 && behind[used - 1] == '0') used--;
    if (used) *out++ = '.';
    for (int i = 0; i < used; i++) *out++ = behind[i];
    return out;
}

static char *put_item(char *out, const norn_time_style *style, size_t index, int64_t time, norn_moment local,
                      norn_date date)
{
    const norn_time_item item = style->item[index];
    const int hour = (int)(local.rest / NORN_HOUR);
    int64_t year;
    int week;
    switch (item.kind) {
    case NORN_ITEM_LITERAL:
    case NORN_ITEM_BLANK:
        *out = item.byte;
        return out + 1;
    case NORN_ITEM_FRACTION:
        if (style->fraction == 0) return out;
        *out++ = item.byte;
        return put_fraction(out, local.rest % NORN_SECOND, style->fraction);
    case 'f':
        return put_fraction(out, local.rest % NORN_SECOND,
                            item.least == item.most ? item.most : style->fraction);
    case 'Y':
        return put_signed(out, date.year, 4);
    case 'y':
        return put_figure(out, item, (int)(date.year - norn_floor_divide(date.year, 100) * 100));
    case 'm':
    case NORN_ITEM_FIRST:
        return put_figure(out, item, date.month);
    case 'd':
    case NORN_ITEM_SECOND:
        return put_figure(out, item, date.day);
    case 'b':
        return put_name(out, norn_month_names[date.month - 1], style->names, NORN_NAME_SHORT, NORN_NAME_LONG);
    case 'a':
        return put_name(out, norn_weekday_names[norn_weekday(local.days)], style->names, NORN_NAME_DAY_SHORT,
                        NORN_NAME_DAY_LONG);
    case 'j':
        return put_figure(out, item, (int)(local.days - norn_days_from_civil(date.year, 1, 1)) + 1);
    case 'q':
        return put_figure(out, item, (date.month + 2) / 3);
    case 'G':
        norn_week_from_days(local.days, &year, &week);
        return put_signed(out, year, 4);
    case 'V':
        norn_week_from_days(local.days, &year, &week);
        return put_figure(out, item, week);
    case 'u':
        return put_figure(out, item, norn_weekday(local.days) + 1);
    case 'H':
        return put_figure(out, item, hour);
    case 'I':
        return put_figure(out, item, (hour + 11) % 12 + 1);
    case 'M':
        return put_figure(out, item, (int)(local.rest / NORN_MINUTE % 60));
    case 'S':
        return put_figure(out, item, (int)(local.rest / NORN_SECOND % 60));
    case 'p':
        return put_half(out, hour, style->names);
    case NORN_ITEM_EPOCH:
        return put_epoch(out, time, item.byte, style->fraction);
    case NORN_ITEM_SERIAL:
        return put_serial(out, local, item.byte, style->fraction);
    default: /* what is left is an offset, which norn_time_write knows */
        return out;
    }
}

const char *norn_time_write(const norn_time_style *style, int64_t time, char out[NORN_TIME_TEXT])
{
    char *end = out;
    if (style->form <= NORN_FORM_INTEGER || style->items == 0) {
        *put_signed(end, time, 1) = '\0';
        return out;
    }
    norn_moment local = norn_time_local(style, time);
    /* Offsets are written in minutes; one of more than that (before 1900) is rounded, and the clock with it.
     */
    const norn_moment utc = norn_moment_of(time, 0);
    const int64_t east = (local.days - utc.days) * NORN_DAY + local.rest - utc.rest;
    const int minutes = (int)norn_floor_divide(east + NORN_MINUTE / 2, NORN_MINUTE);
    if (style->has_offset) local = norn_moment_of(time, minutes);
    const norn_date date = norn_civil_from_days(local.days);
    for (size_t i = 0; i < style->items; i++) {
        const char kind = style->item[i].kind;
        if (kind == 'z' || kind == 'Z')
            end = put_offset(end, minutes,
                             minutes && style->zone_text > NORN_ZONE_TEXT_HH_MM ? NORN_ZONE_TEXT_HHMM
                                                                                : style->zone_text);
        else
            end = put_item(end, style, i, time, local, date);
    }
    *end = '\0';
    return out;
}
