/*
 * Numbers and missing texts, as declared in cell.h.
 *
 * A number is an integer of decimal digits times a power of ten. Three ways lead to the nearest double, the
 * fast ones first:
 *   - at most 15 digits and a power within 10^22: both are exact doubles, so that one multiplication or
 * division rounds correctly (Clinger 1990);
 *   - at most 19 digits and a power within 10^27: the integer times or over 5^27 < 2^63 is exact in 128 bits,
 * or a quotient of 63 bits with a remainder, which is all that rounding needs. More digits lie between two
 * such integers, which mostly round to the same double;
 *   - all others: strtod, in a C locale of our own, on digits and exponent without a point.
 */
#define _GNU_SOURCE /* strtod_l */
#include "data/cell.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *norn_trim(const char *text, size_t *length)
{
    size_t n = *length;
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    while (n && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')) {
        text++;
        n--;
    }
    *length = n;
    return text;
}

/* ---- numbers: opening ---- */

norn_status norn_numbers_open(norn_numbers *numbers, char decimal, char thousands, norn_error *err)
{
    memset(numbers, 0, sizeof *numbers);
    numbers->decimal = decimal ? decimal : '.';
    numbers->thousands = thousands;
    if (numbers->decimal != '.' && numbers->decimal != ',')
        return norn_fail(err, NORN_ERR_USAGE, "--decimal: numbers are written with . or with ,");
    if (thousands && !strchr(".,' ", thousands))
        return norn_fail(err, NORN_ERR_USAGE,
                         "--thousands: groups of digits are separated by , or . or ' or a blank");
    if (thousands == numbers->decimal)
        return norn_fail(err, NORN_ERR_USAGE,
                         "--thousands: \"%c\" separates the fraction already (say --decimal %c too)",
                         thousands, thousands == ',' ? '.' : ',');
    numbers->locale = (void *)newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return numbers->locale ? NORN_OK : norn_fail_memory(err, "reading numbers");
}

void norn_numbers_close(norn_numbers *numbers)
{
    if (numbers->locale) freelocale((locale_t)numbers->locale);
    numbers->locale = NULL;
}

/* ---- numbers: rounding ---- */

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

#ifdef __SIZEOF_INT128__
#define EXACT_POWER 27 /* 5^27 < 2^63 */

__extension__ typedef unsigned __int128 wide;

static int leading_zeros(uint64_t bits) /* bits > 0 */
{
    return __builtin_clzll(bits);
}

/* bits * 2^exponent rounded to nearest, ties to even, for a result that is a normal double. bits has its
 * highest bit or the one below it set; `more`: the true number is a little larger. */
static double round_bits(uint64_t bits, bool more, int exponent)
{
    const int zeros = leading_zeros(bits);
    bits <<= zeros;
    exponent -= zeros;
    const uint64_t rest = bits & 0x7ff, half = 0x400;
    uint64_t fraction = bits >> 11; /* 53 bits */
    fraction += rest > half || (rest == half && (more || (fraction & 1)));
    /* The highest bit of fraction is the hidden one: it adds 1 to the exponent, and so does a carry to 2^53.
     */
    const uint64_t image = ((uint64_t)(exponent + 11 + 52 + 1022) << 52) + fraction;
    double value;
    memcpy(&value, &image, sizeof value);
    return value;
}

/* digits * 10^scale, digits > 0, |scale| <= EXACT_POWER. */
static double scale_exactly(uint64_t digits, int64_t scale)
{
    static const uint64_t fives[EXACT_POWER + 1] = {
        UINT64_C(1),
        UINT64_C(5),
        UINT64_C(25),
        UINT64_C(125),
        UINT64_C(625),
        UINT64_C(3125),
        UINT64_C(15625),
        UINT64_C(78125),
        UINT64_C(390625),
        UINT64_C(1953125),
        UINT64_C(9765625),
        UINT64_C(48828125),
        UINT64_C(244140625),
        UINT64_C(1220703125),
        UINT64_C(6103515625),
        UINT64_C(30517578125),
        UINT64_C(152587890625),
        UINT64_C(762939453125),
        UINT64_C(3814697265625),
        UINT64_C(19073486328125),
        UINT64_C(95367431640625),
        UINT64_C(476837158203125),
        UINT64_C(2384185791015625),
        UINT64_C(11920928955078125),
        UINT64_C(59604644775390625),
        UINT64_C(298023223876953125),
        UINT64_C(1490116119384765625),
        UINT64_C(7450580596923828125),
    };
    const int zeros = leading_zeros(digits), power = (int)scale;
    digits <<= zeros;
    if (power >= 0) {
        const wide product = (wide)digits * fives[power];
        uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
        const int up = high ? leading_zeros(high) : 64;
        if (up == 64) {
            high = low;
            low = 0;
        } else if (up) {
            high = high << up | low >> (64 - up);
            low <<= up;
        }
        return round_bits(high, low != 0, 64 - up - zeros + power);
    }
    /* Both with their highest bit set, so that the quotient has 63 or 64 bits. */
    const int five_zeros = leading_zeros(fives[-power]);
    const uint64_t divisor = fives[-power] << five_zeros;
    const wide dividend = (wide)digits << 63;
    const uint64_t quotient = (uint64_t)(dividend / divisor);
    const bool more = (uint64_t)dividend != quotient * divisor; /* the remainder, modulo 2^64 */
    return round_bits(quotient, more, five_zeros - zeros - 63 + power);
}
#endif

/* A number as it is read: what stands between its first and its last digit, and what it is worth. */
typedef struct decimal {
    const char *from, *to; /* its digits, with separators and decimal point */
    size_t count;          /* of its digits */
    uint64_t digits;       /* all of them as one integer, if count is at most 19 */
    int64_t scale;         /* the number is its digits * 10^scale */
} decimal;

/* Takes digits from left to right, without leading zeros: the first 19 as an integer, how many there are
 * behind them, and whether one of those is not 0. text (NULL: not wanted) gets the first `room` of them, and
 * a 1 for the others if they are not all 0; *used counts it. */
typedef struct digit_run {
    uint64_t leading;
    int64_t behind;
    bool more;
} digit_run;

static digit_run take_digits(const decimal *d, char *text, size_t room, size_t *used)
{
    digit_run run = {0, 0, false};
    size_t taken = 0;
    bool rest = false;
    for (const char *at = d->from; at < d->to; at++) {
        if (!is_digit(*at) || (taken == 0 && *at == '0')) continue;
        if (taken < 19) {
            run.leading = run.leading * 10 + (uint64_t)(*at - '0');
        } else {
            run.behind++;
            run.more = run.more || *at != '0';
        }
        if (text && taken < room)
            text[taken] = *at;
        else
            rest = rest || *at != '0';
        taken++;
    }
    if (!text) return run;
    *used = taken < room ? taken : room;
    if (taken > room)
        run.behind = (int64_t)(taken - room);
    else
        run.behind = 0;
    if (rest) {
        text[(*used)++] = '1';
        run.behind--;
    }
    return run;
}

/* A double has at most 767 digits to the middle between it and its neighbour; behind them it only matters
 * whether there is something. */
#define SLOW_DIGITS 770

static double read_slowly(const norn_numbers *numbers, const decimal *d)
{
    char text[SLOW_DIGITS + 1 + 32];
    size_t used;
    const digit_run run = take_digits(d, text, SLOW_DIGITS, &used);
    if (used == 0) return 0.0;
    int64_t exponent = d->scale + run.behind;
    if (exponent > 9999) exponent = 9999; /* infinite, or 0, in any case */
    if (exponent < -9999) exponent = -9999;
    (void)snprintf(text + used, sizeof text - used, "e%d", (int)exponent);
    return strtod_l(text, NULL, (locale_t)numbers->locale);
}

static double nearest(const norn_numbers *numbers, const decimal *d)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const bool fits = d->count <= 19;
    if (fits && d->digits == 0) return 0.0;
#if FLT_EVAL_METHOD == 0
    if (fits && d->digits <= UINT64_C(1) << 53 && d->scale >= -22 && d->scale <= 22) {
        const double whole = (double)d->digits;
        return d->scale < 0 ? whole / powers[-d->scale] : whole * powers[d->scale];
    }
#endif
#ifdef __SIZEOF_INT128__
    if (fits) {
        if (d->scale >= -EXACT_POWER && d->scale <= EXACT_POWER) return scale_exactly(d->digits, d->scale);
    } else {
        const digit_run run = take_digits(d, NULL, 0, NULL);
        const int64_t scale = d->scale + run.behind;
        if (run.leading && scale >= -EXACT_POWER && scale <= EXACT_POWER) {
            const double below = scale_exactly(run.leading, scale);
            if (!run.more || below == scale_exactly(run.leading + 1, scale)) return below;
        }
    }
#endif
    return read_slowly(numbers, d);
}

/* ---- numbers: reading ---- */

/* Bytes of the separator of thousands that stands here; 0: none does. */
static size_t separator_here(char thousands, const char *at, const char *end)
{
    static const struct {
        char told;
        size_t length;
        const char *text;
    } also[] = {
        {' ', 2, "\xc2\xa0"},     /* U+00A0, no-break space */
        {' ', 3, "\xe2\x80\xaf"}, /* U+202F, narrow no-break space */
        {'\'', 3, "\xe2\x80\x99"} /* U+2019, right single quotation mark */
    };
    if (at < end && *at == thousands) return 1;
    for (size_t i = 0; i < NORN_COUNT(also); i++)
        if (also[i].told == thousands && (size_t)(end - at) >= also[i].length &&
            memcmp(at, also[i].text, also[i].length) == 0)
            return also[i].length;
    return 0;
}

/* The whole part of a number with separators; false when its groups are not whole. */
static bool read_groups(char thousands, const char **at, const char *end, decimal *d)
{
    size_t group = 0, separators = 0;
    const char *const begin = *at;
    for (;;) {
        if (*at < end && is_digit(**at)) {
            d->digits = d->digits * 10 + (uint64_t)(**at - '0');
            d->count++;
            group++;
            (*at)++;
            continue;
        }
        const size_t bytes = separator_here(thousands, *at, end);
        if (bytes == 0) break;
        const bool whole = separators ? group == 3 : group >= 1 && group <= 3 && *begin != '0';
        if (!whole) return false;
        separators++;
        group = 0;
        *at += bytes;
    }
    return separators == 0 || group == 3;
}

bool norn_number_parse(const norn_numbers *numbers, const char *text, size_t length, double *value)
{
    const char *at = text, *const end = text + length;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;

    decimal d = {at, NULL, 0, 0, 0};
    if (numbers->thousands) {
        if (!read_groups(numbers->thousands, &at, end, &d)) return false;
    } else {
        for (; at < end && is_digit(*at); at++) d.digits = d.digits * 10 + (uint64_t)(*at - '0');
        d.count = (size_t)(at - d.from);
    }
    if (at < end && *at == numbers->decimal) {
        const char *const fraction = ++at;
        for (; at < end && is_digit(*at); at++) d.digits = d.digits * 10 + (uint64_t)(*at - '0');
        d.count += (size_t)(at - fraction);
        d.scale = -(int64_t)(at - fraction);
    }
    d.to = at;
    if (d.count == 0) return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        const bool down = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) at++;
        if (at == end) return false;
        int64_t exponent = 0; /* a field is too short for the digits that would make up for the limit */
        for (; at < end && is_digit(*at); at++)
            if (exponent < INT64_C(100000000)) exponent = exponent * 10 + (*at - '0');
        d.scale += down ? -exponent : exponent;
    }
    if (at != end) return false;

    const double size = nearest(numbers, &d);
    if (!isfinite(size)) return false;
    *value = negative ? -size : size;
    return true;
}

/* ---- missing ---- */

/* The next text of a list, trimmed; false at its end. */
static bool next_text(const char **list, const char **text, size_t *length)
{
    if (!*list) return false;
    const char *comma = strchr(*list, ',');
    *length = comma ? (size_t)(comma - *list) : strlen(*list);
    *text = norn_trim(*list, length);
    *list = comma ? comma + 1 : NULL;
    return true;
}

norn_missing norn_missing_init(const char *extra)
{
    norn_missing missing = {extra && *extra ? extra : NULL, false, {0, 0, 0, 0}};
    const char *list = missing.extra, *text;
    size_t length;
    while (next_text(&list, &text, &length)) {
        if (length == 0) continue;
        const unsigned char byte = (unsigned char)*text;
        missing.first[byte / 64] |= UINT64_C(1) << byte % 64;
        if (is_digit(*text) || *text == '-' || *text == '+' || *text == '.') missing.numeric = true;
    }
    return missing;
}

/* Is it one of the texts that mean missing in every file? Most cells are not, which their first byte tells.
 */
static bool is_usual(const char *text, size_t length)
{
    static const char usual[][5] = {"NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL"};
    if ((*text != 'N' && *text != 'n' && *text != '#') || length < 2 || length > 4) return false;
    for (size_t i = 0; i < NORN_COUNT(usual); i++)
        if (memcmp(usual[i], text, length) == 0 && usual[i][length] == '\0') return true;
    return false;
}

bool norn_is_missing(const norn_missing *missing, const char *text, size_t length)
{
    if (!text || length == 0 || is_usual(text, length)) return true;
    const unsigned char byte = (unsigned char)*text;
    if (!(missing->first[byte / 64] >> byte % 64 & 1)) return false;
    const char *list = missing->extra, *item;
    size_t item_length;
    while (next_text(&list, &item, &item_length))
        if (item_length == length && memcmp(item, text, length) == 0) return true;
    return false;
}
