/*
 * Patterns of times: --time-format compiled to items, and put into words again. Declared in calendar.h and
 * pattern.h.
 *
 * A pattern is checked as a whole before it reads anything: each part of a time at most once, nothing finer
 * without what is coarser, and no time so long that NORN_TIME_TEXT could not hold it.
 */
#include "data/pattern.h"

#include <stdio.h>
#include <string.h>

/* What a letter stands for. `most` digits; `room` bytes when written; `part`: letters of one part exclude
 * each other. */
typedef struct letter {
    char letter, kind, byte, part;
    uint8_t most, room;
} letter;

static const letter letters[] = {
    {'Y', 'Y', 0, 'Y', 4, 7},
    {'y', 'y', 0, 'Y', 2, 2},
    {'m', 'm', 0, 'm', 2, 2},
    {'b', 'b', 'b', 'm', 0, 9},
    {'B', 'b', 'B', 'm', 0, 9},
    {'h', 'b', 'b', 'm', 0, 9},
    {'d', 'd', 0, 'd', 2, 2},
    {'e', 'd', 'e', 'd', 2, 2},
    {'1', NORN_ITEM_FIRST, 0, 'm', 2, 2},
    {'2', NORN_ITEM_SECOND, 0, 'd', 2, 2},
    {'j', 'j', 0, 'j', 3, 3},
    {'q', 'q', 0, 'q', 1, 1},
    {'G', 'G', 0, 'G', 4, 7},
    {'V', 'V', 0, 'V', 2, 2},
    {'u', 'u', 0, 'u', 1, 1},
    {'H', 'H', 0, 'H', 2, 2},
    {'I', 'I', 0, 'H', 2, 2},
    {'p', 'p', 0, 'p', 0, 4},
    {'M', 'M', 0, 'M', 2, 2},
    {'S', 'S', 0, 'S', 2, 2},
    {'f', 'f', 0, 'f', 9, 9},
    {'z', 'z', 0, 'z', 0, 6},
    {'Z', 'Z', 0, 'z', 0, 6},
    {'a', 'a', 'a', 'a', 0, 9},
    {'A', 'a', 'A', 'a', 0, 9},
    {'s', NORN_ITEM_EPOCH, 's', 's', 0, 31},
};

static const struct {
    char letter;
    const char *format;
} short_forms[] = {{'F', "%Y-%m-%d"}, {'T', "%H:%M:%S"}, {'R', "%H:%M"}, {'D', "%m/%d/%y"}};

/* A name of --time-format that is one item. */
static const struct {
    const char *name;
    norn_time_form form;
    char kind, byte;
    const char *words;
} named[] = {
    {"integer", NORN_FORM_INTEGER, NORN_ITEM_INTEGER, 0, "whole numbers"},
    {"epoch-s", NORN_FORM_CLOCK, NORN_ITEM_EPOCH, 's', "seconds since 1970"},
    {"epoch-ms", NORN_FORM_CLOCK, NORN_ITEM_EPOCH, 'm', "milliseconds since 1970"},
    {"epoch-us", NORN_FORM_CLOCK, NORN_ITEM_EPOCH, 'u', "microseconds since 1970"},
    {"excel", NORN_FORM_CLOCK, NORN_ITEM_SERIAL, 'e', "day numbers of Excel"},
    {"matlab", NORN_FORM_CLOCK, NORN_ITEM_SERIAL, 'm', "day numbers of MATLAB"},
};

static const struct {
    const char *name;
    uint8_t family;
    norn_day_order order;
} families[] = {
    {"iso", NORN_FAMILY_ISO, NORN_ORDER_FIXED},
    {"mdy", NORN_FAMILY_MDY, NORN_ORDER_MDY},
    {"dmy", NORN_FAMILY_DMY, NORN_ORDER_DMY},
};

int norn_pattern_find(const norn_time_style *style, char kind)
{
    for (int i = 0; i < style->items; i++)
        if (style->item[i].kind == kind) return i;
    return -1;
}

static const letter *letter_of(char byte)
{
    for (size_t i = 0; i < NORN_COUNT(letters); i++)
        if (letters[i].letter == byte) return &letters[i];
    return NULL;
}

static const letter *letter_of_item(norn_time_item item)
{
    for (size_t i = 0; i < NORN_COUNT(letters); i++)
        if (letters[i].kind == item.kind && (item.kind != 'd' || letters[i].byte == item.byte))
            return &letters[i];
    return NULL;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Figures: an item that reads digits, of a number of them that may vary. */
static bool is_figure(norn_time_item item)
{
    return item.most > 0 || (item.kind == NORN_ITEM_LITERAL && is_digit(item.byte)) ||
           item.kind == NORN_ITEM_EPOCH;
}

/* ---- from text to items ---- */

typedef struct compiler {
    norn_time_style *style;
    const char *format; /* as given, for messages */
    size_t room;        /* bytes of a time when written */
    char parts[64];     /* of the letters so far */
    bool guessing;      /* %1 and %2 are letters */
    norn_error *err;
} compiler;

static norn_status refuse(const compiler *c, size_t at, const char *what)
{
    char text[4 * NORN_TIME_FORMAT];
    return norn_fail(c->err, NORN_ERR_USAGE, "--time-format \"%s\", byte %zu: %s",
                     norn_quote(text, sizeof text, c->format, strlen(c->format), 60), at + 1, what);
}

static norn_status add_item(compiler *c, norn_time_item item, size_t room, size_t at)
{
    norn_time_style *style = c->style;
    if (style->items == NORN_TIME_ITEMS) return refuse(c, at, "the pattern is too long");
    c->room += room;
    if (c->room >= NORN_TIME_TEXT) return refuse(c, at, "times of this pattern are too long");
    style->item[style->items++] = item;
    return NORN_OK;
}

static bool has_part(const compiler *c, char part)
{
    return strchr(c->parts, part) != NULL;
}

static norn_status add_literal(compiler *c, char byte, size_t at)
{
    const norn_time_style *style = c->style;
    const bool blank = byte == ' ' || byte == '\t';
    if ((unsigned char)byte < ' ' && !blank) return refuse(c, at, "a control byte");
    if (blank && style->items && style->item[style->items - 1].kind == NORN_ITEM_BLANK) return NORN_OK;
    return add_item(
        c, (norn_time_item){.kind = blank ? NORN_ITEM_BLANK : NORN_ITEM_LITERAL, .byte = blank ? ' ' : byte},
        1, at);
}

/* Adds what stands at *p, a percent sign and its letter, and moves *p to the letter. */
static norn_status add_letter(compiler *c, const char **p, size_t at)
{
    const char byte = *++*p;
    if (byte == '\0') return refuse(c, at, "a percent sign without a letter (%% stands for itself)");
    if (byte == '%') return add_literal(c, '%', at);
    for (size_t i = 0; i < NORN_COUNT(short_forms); i++) {
        if (short_forms[i].letter != byte) continue;
        norn_status status = NORN_OK;
        for (const char *q = short_forms[i].format; *q && status == NORN_OK; q++)
            status = *q == '%' ? add_letter(c, &q, at) : add_literal(c, *q, at);
        return status;
    }
    const letter *l = letter_of(byte);
    char what[96];
    if (!l || (is_digit(byte) && !c->guessing)) {
        (void)snprintf(what, sizeof what, "%%%c is no part of a time",
                       (unsigned char)byte > ' ' && (unsigned char)byte < 127 ? byte : '?');
        return refuse(c, at, what);
    }
    if (has_part(c, l->part)) {
        (void)snprintf(what, sizeof what, "%%%c says again what was said before it", byte);
        return refuse(c, at, what);
    }
    c->parts[strlen(c->parts)] = l->part;
    norn_time_style *style = c->style;
    norn_time_item *last = style->items ? &style->item[style->items - 1] : NULL;
    if (byte == 'f' && last && last->kind == NORN_ITEM_LITERAL && (last->byte == '.' || last->byte == ',') &&
        style->items > 1 && style->item[style->items - 2].kind == 'S') {
        c->room += l->room;
        last->kind = NORN_ITEM_FRACTION;
        return NORN_OK;
    }
    if (l->byte == 'B') style->names |= NORN_NAME_LONG;
    if (l->byte == 'A') style->names |= NORN_NAME_DAY_LONG;
    if (byte == 'z') style->zone_text = NORN_ZONE_TEXT_HHMM;
    if (byte == 'Z') style->zone_text = NORN_ZONE_TEXT_UTC;
    if (byte == 'f') style->fraction = 6;
    style->has_offset = style->has_offset || l->part == 'z' || l->part == 's';
    const uint8_t least = strchr("YG", byte) ? l->most : l->most > 0;
    return add_item(c, (norn_time_item){l->kind, l->byte, least, l->most, false}, l->room, at);
}

/* What is said without what it belongs to, or twice. */
static norn_status check_parts(const compiler *c)
{
    static const struct {
        char part;
        char needs;
        const char *what;
    } rules[] = {
        {'d', 'm', "a day without a month (%m or %b)"},
        {'m', 'Y', "a month without a year (%Y)"},
        {'j', 'Y', "a day of the year without a year (%Y)"},
        {'q', 'Y', "a quarter without a year (%Y)"},
        {'V', 'G', "a week without its year (%G)"},
        {'G', 'V', "the year of weeks (%G) without a week (%V)"},
        {'u', 'V', "a day of the week without a week (%V)"},
        {'M', 'H', "minutes without hours (%H)"},
        {'S', 'M', "seconds without minutes (%M)"},
        {'f', 'S', "a fraction without seconds (%S)"},
        {'z', 'H', "an offset without a time of day (%H)"},
    };
    /* Ways to say the day: no two of them together. */
    static const struct {
        char a, b;
        const char *what;
    } clashes[] = {{'j', 'm', "a month and a day of the year"},
                   {'q', 'm', "a quarter and a month"},
                   {'q', 'j', "a quarter and a day of the year"},
                   {'G', 'Y', "a year of weeks (%G) and a year (%Y)"},
                   {'s', 'Y', "seconds since 1970 (%s) and a year"},
                   {'s', 'G', "seconds since 1970 (%s) and a year"},
                   {'s', 'H', "seconds since 1970 (%s) and a time of day"}};
    const size_t end = strlen(c->format);
    for (size_t i = 0; i < NORN_COUNT(rules); i++)
        if (has_part(c, rules[i].part) && !has_part(c, rules[i].needs)) return refuse(c, end, rules[i].what);
    for (size_t i = 0; i < NORN_COUNT(clashes); i++)
        if (has_part(c, clashes[i].a) && has_part(c, clashes[i].b)) return refuse(c, end, clashes[i].what);
    if (!has_part(c, 'Y') && !has_part(c, 'G') && !has_part(c, 's'))
        return refuse(c, end, "no year (%Y, %y, %G or %s)");
    const bool twelve = norn_pattern_find(c->style, 'I') >= 0;
    if (twelve != has_part(c, 'p'))
        return refuse(c, end, twelve ? "a 12-hour clock (%I) without %p" : "%p without a 12-hour clock (%I)");
    if (has_part(c, 'H') && !has_part(c, 'd') && !has_part(c, 'j') && !has_part(c, 'u'))
        return refuse(c, end, "a time of day without a day (%d, %j or %u)");
    return NORN_OK;
}

/* Figures that touch have their full width, the rest as `width` says. */
static void set_widths(norn_time_style *style, norn_width width)
{
    for (size_t i = 0; i < style->items; i++) {
        norn_time_item *item = &style->item[i];
        if (item->most == 0) continue;
        const bool before = i > 0 && is_figure(style->item[i - 1]);
        const bool behind = i + 1 < style->items && is_figure(style->item[i + 1]);
        const bool full = width == NORN_WIDTH_FULL ||
                          (width == NORN_WIDTH_CLOCK && (item->kind == 'M' || item->kind == 'S'));
        if (item->kind == 'f') {
            if (behind) item->least = item->most = 6; /* it would have no end */
        } else if (before || behind || full) {
            item->least = item->most;
        }
    }
}

/* The items of Y-m-d[ H:M[:S]] with any literals between, and nothing but a fraction behind; 0: another
 * pattern. */
static uint8_t fast_items(const norn_time_style *style)
{
    static const char shape[] = "YLmLd?HLMLS";
    uint8_t fast = 0;
    for (uint8_t i = 0; i < sizeof shape - 1 && i < style->items; i++) {
        const char kind = style->item[i].kind;
        if (shape[i] == '?' ? kind != NORN_ITEM_LITERAL && kind != NORN_ITEM_BLANK : kind != shape[i]) break;
        if (i == 4 || i == 8 || i == 10) fast = (uint8_t)(i + 1);
    }
    const bool whole = fast == style->items ||
                       (fast == 11 && style->items == 12 && style->item[11].kind == NORN_ITEM_FRACTION);
    return whole ? fast : 0;
}

static norn_time_form form_of(const compiler *c)
{
    if (has_part(c, 's') || has_part(c, 'H')) return NORN_FORM_CLOCK;
    if (has_part(c, 'd') || has_part(c, 'j') || has_part(c, 'u')) return NORN_FORM_DATE;
    if (has_part(c, 'V')) return NORN_FORM_WEEK;
    if (has_part(c, 'q')) return NORN_FORM_QUARTER;
    return has_part(c, 'm') ? NORN_FORM_MONTH : NORN_FORM_YEAR;
}

norn_status norn_pattern_compile(norn_time_style *style, const char *format, norn_width width,
                                 norn_error *err)
{
    norn_time_style made = {.zone = style->zone, .family = style->family};
    compiler c = {.style = &made, .format = format, .guessing = width != NORN_WIDTH_FREE, .err = err};
    norn_status status = NORN_OK;
    for (const char *p = format; status == NORN_OK && *p; p++) { /* in this order: a letter may be absent */
        const size_t at = (size_t)(p - format);
        status = *p == '%' ? add_letter(&c, &p, at) : add_literal(&c, *p, at);
    }
    if (status == NORN_OK) status = check_parts(&c);
    if (status != NORN_OK) return status;
    /* blanks around a cell are not part of it */
    while (made.items && made.item[made.items - 1].kind == NORN_ITEM_BLANK) made.items--;
    while (made.item[0].kind == NORN_ITEM_BLANK)
        memmove(made.item, made.item + 1, --made.items * sizeof made.item[0]);
    set_widths(&made, width);
    made.form = form_of(&c);
    made.fast = fast_items(&made);
    if (norn_pattern_find(&made, NORN_ITEM_FIRST) >= 0) made.order = NORN_ORDER_OPEN;
    *style = made;
    return NORN_OK;
}

norn_status norn_time_style_compile(norn_time_style *style, const char *format, norn_error *err)
{
    for (size_t i = 0; i < NORN_COUNT(families); i++)
        if (strcmp(format, families[i].name) == 0) {
            *style = (norn_time_style){.family = families[i].family, .order = families[i].order};
            return NORN_OK;
        }
    for (size_t i = 0; i < NORN_COUNT(named); i++)
        if (strcmp(format, named[i].name) == 0) {
            *style = (norn_time_style){
                .form = named[i].form, .items = 1, .has_offset = named[i].kind == NORN_ITEM_EPOCH};
            style->item[0] = (norn_time_item){.kind = named[i].kind, .byte = named[i].byte};
            return NORN_OK;
        }
    if (!strchr(format, '%')) {
        char text[4 * NORN_TIME_FORMAT];
        return norn_fail(
            err, NORN_ERR_USAGE,
            "--time-format \"%s\" is neither a pattern like %%Y-%%m-%%d nor one of iso, mdy, dmy, integer, "
            "epoch-s, epoch-ms, epoch-us, excel, matlab",
            norn_quote(text, sizeof text, format, strlen(format), 60));
    }
    norn_time_style made = {.form = NORN_FORM_NONE};
    const norn_status status = norn_pattern_compile(&made, format, NORN_WIDTH_FREE, err);
    if (status == NORN_OK) *style = made;
    return status;
}

norn_time_style norn_time_style_iso(norn_time_form form, int fraction)
{
    static const char *const formats[] = {
        [NORN_FORM_YEAR] = "%Y",       [NORN_FORM_QUARTER] = "%Y-Q%q",
        [NORN_FORM_MONTH] = "%Y-%m",   [NORN_FORM_WEEK] = "%G-W%V",
        [NORN_FORM_DATE] = "%Y-%m-%d", [NORN_FORM_CLOCK] = "%Y-%m-%d %H:%M:%S.%f",
    };
    norn_time_style style = {.form = NORN_FORM_NONE};
    (void)norn_time_style_compile(&style, form <= NORN_FORM_INTEGER ? "integer" : formats[form], NULL);
    style.fraction = (uint8_t)(fraction < 0 ? 0 : fraction > 9 ? 9 : fraction);
    return style;
}

/* ---- and back ---- */

void norn_pattern_set_order(norn_time_style *style, norn_day_order order)
{
    for (size_t i = 0; i < style->items; i++) {
        const bool first = style->item[i].kind == NORN_ITEM_FIRST;
        if (!first && style->item[i].kind != NORN_ITEM_SECOND) continue;
        style->item[i].kind = first == (order == NORN_ORDER_MDY) ? 'm' : 'd';
    }
    style->order = order;
}

/* Appends as much as there is room for. */
static size_t append(char *out, size_t size, size_t length, const char *text)
{
    while (*text && length + 1 < size) out[length++] = *text++;
    if (size) out[length] = '\0';
    return length;
}

const char *norn_time_style_format(const norn_time_style *style, char *out, size_t size)
{
    size_t length = append(out, size, 0, "");
    if (style->form == NORN_FORM_NONE || style->order == NORN_ORDER_OPEN) return out;
    for (size_t i = 0; i < NORN_COUNT(named); i++)
        if (style->items == 1 && style->item[0].kind == named[i].kind &&
            style->item[0].byte == named[i].byte) {
            (void)append(out, size, length, named[i].name);
            return out;
        }
    for (size_t i = 0; i < style->items; i++) {
        const norn_time_item item = style->item[i];
        const letter *l = letter_of_item(item);
        char text[4] = {item.byte, '\0'};
        if (item.kind == NORN_ITEM_FRACTION) {
            if (style->fraction) {
                length = append(out, size, length, text);
                length = append(out, size, length, "%f");
            }
        } else if (item.kind == NORN_ITEM_LITERAL || item.kind == NORN_ITEM_BLANK) {
            if (item.byte == '%') length = append(out, size, length, "%");
            length = append(out, size, length, text);
        } else if (l) {
            text[0] = '%';
            text[1] = l->letter;
            text[2] = '\0';
            length = append(out, size, length, text);
        }
    }
    return out;
}

/* "day/month/year" for figures alone, where it is not the year that comes first. */
static const char *order_in_words(const norn_time_style *style)
{
    const int year =
        norn_pattern_find(style, 'Y') >= 0 ? norn_pattern_find(style, 'Y') : norn_pattern_find(style, 'y');
    const int month = norn_pattern_find(style, 'm'), day = norn_pattern_find(style, 'd');
    if (year < 0 || month < 0 || day < 0) return NULL;
    if (year < month && year < day)
        return norn_pattern_find(style, 'y') < 0 ? NULL : month < day ? "year/month/day" : "year/day/month";
    return month < day ? "month/day/year" : "day/month/year";
}

const char *norn_time_style_words(const norn_time_style *style, char *out, size_t size)
{
    static const char *const nouns[] = {
        [NORN_FORM_YEAR] = "years", [NORN_FORM_QUARTER] = "quarters", [NORN_FORM_MONTH] = "months",
        [NORN_FORM_WEEK] = "weeks", [NORN_FORM_DATE] = "dates",       [NORN_FORM_CLOCK] = "times",
    };
    /* an afternoon of a day that is no month, so that every part of a pattern shows which it is */
    const int64_t example = norn_days_from_civil(2021, 4, 30) * NORN_DAY + 13 * NORN_HOUR + 5 * NORN_MINUTE;
    for (size_t i = 0; i < NORN_COUNT(named); i++)
        if (style->items == 1 && style->item[0].kind == named[i].kind &&
            style->item[0].byte == named[i].byte) {
            (void)append(out, size, 0, named[i].words);
            return out;
        }
    if (style->form <= NORN_FORM_INTEGER) {
        (void)append(out, size, 0, style->form == NORN_FORM_NONE ? "no times" : "whole numbers");
        return out;
    }
    norn_time_style copy = *style;
    copy.zone = NULL;
    char text[NORN_TIME_TEXT], other[NORN_TIME_TEXT];
    if (style->order == NORN_ORDER_OPEN) {
        norn_time_style turned = *style;
        turned.zone = NULL;
        norn_pattern_set_order(&copy, NORN_ORDER_MDY);
        norn_pattern_set_order(&turned, NORN_ORDER_DMY);
        (void)snprintf(out, size, "%s like %s or %s", nouns[style->form],
                       norn_time_write(&copy, example, text), norn_time_write(&turned, example, other));
        return out;
    }
    const char *order = order_in_words(style);
    (void)snprintf(out, size, "%s like %s%s%s%s", nouns[style->form], norn_time_write(&copy, example, text),
                   order ? " (" : "", order ? order : "", order ? ")" : "");
    return out;
}
