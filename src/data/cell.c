/*
 * Numbers and missing texts, as declared in cell.h.
 *
 * Most numbers in files have at most 15 digits: they are an integer below 2^53 times or over a power of ten
 * below 10^23, both exact doubles, so one multiplication or division rounds correctly (Clinger 1990). All
 * others go through strtod in a C locale of our own.
 */
#define _GNU_SOURCE /* strtod_l */
#include "data/cell.h"

#include <locale.h>
#include <math.h>
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

norn_status norn_numbers_open(norn_numbers *numbers, norn_error *err)
{
    numbers->locale = (void *)newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return numbers->locale ? NORN_OK : norn_fail_memory(err, "reading numbers");
}

void norn_numbers_close(norn_numbers *numbers)
{
    if (numbers->locale) freelocale((locale_t)numbers->locale);
    numbers->locale = NULL;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool norn_number_parse(const norn_numbers *numbers, const char *text, size_t length, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = text, *const end = text + length;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;

    uint64_t digits = 0; /* all digits as one integer, while they fit */
    bool fits = true;    /* they still do */
    size_t any = 0;      /* digits read */
    int64_t scale = 0;   /* the number is digits * 10^scale */
    for (bool fraction = false; at < end; at++) {
        if (*at == '.') {
            if (fraction) return false;
            fraction = true;
            continue;
        }
        if (!is_digit(*at)) break;
        any++;
        if (digits > (UINT64_C(1) << 53) / 10) fits = false;
        if (fits) digits = digits * 10 + (uint64_t)(*at - '0');
        if (fraction) scale--;
    }
    if (any == 0) return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        const bool down = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) at++;
        if (at == end) return false;
        int64_t exponent = 0;
        for (; at < end && is_digit(*at); at++)
            if (exponent < 100000) exponent = exponent * 10 + (*at - '0');
        scale += down ? -exponent : exponent;
    }
    if (at != end) return false;

    if (fits && digits <= (UINT64_C(1) << 53) && scale >= -22 && scale <= 22) {
        const double whole = (double)digits;
        const double size = scale < 0 ? whole / powers[-scale] : whole * powers[scale];
        *value = negative ? -size : size;
        return true;
    }
    const double slow = strtod_l(text, NULL, (locale_t)numbers->locale);
    if (!isfinite(slow)) return false;
    *value = slow;
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
    norn_missing missing = {extra && *extra ? extra : NULL, false};
    const char *list = missing.extra, *text;
    size_t length;
    while (next_text(&list, &text, &length))
        if (length && (is_digit(*text) || *text == '-' || *text == '+' || *text == '.'))
            missing.numeric = true;
    return missing;
}

bool norn_is_missing(const norn_missing *missing, const char *text, size_t length)
{
    static const char *const usual[] = {"NA", "N/A", "NaN", "nan", "null", "NULL"};
    if (!text || length == 0) return true;
    for (size_t i = 0; i < NORN_COUNT(usual); i++)
        if (strlen(usual[i]) == length && memcmp(usual[i], text, length) == 0) return true;
    const char *list = missing->extra, *item;
    size_t item_length;
    while (next_text(&list, &item, &item_length))
        if (item_length == length && memcmp(item, text, length) == 0) return true;
    return false;
}
