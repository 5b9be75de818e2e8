/*
 * One cell of a table: blanks trimmed, numbers read exactly and without regard to the locale, and the texts
 * that mean "missing".
 *
 * A number is [+-]digits[.digits][e[+-]digits], with digits on at least one side of the point, and finite. A
 * decimal comma and thousands separators are read only when told. Hex, inf and nan are not numbers.
 */
#ifndef NORN_DATA_CELL_H
#define NORN_DATA_CELL_H

#include "base/base.h"

/* Takes blanks (space, tab, newlines) off both ends. *length in and out; returns where the text begins now.
 */
const char *norn_trim(const char *text, size_t *length);

/* How numbers are read; one for each reading, since it owns a locale. Any number of threads may read with it.
 */
typedef struct norn_numbers {
    void *locale;   /* the C locale, as newlocale made it */
    char decimal;   /* '.' or ',' */
    char thousands; /* 0: none */
} norn_numbers;

/*
 * decimal: '.' or ',' (0: '.'). thousands: 0 (none), '.', ',', ' ' or '\'', other than decimal: it may stand
 * between groups of digits of the whole part, which then must be complete: 1,234,567.5, but neither 12,34 nor
 * 1234,567. The first group does not begin with 0, so that 0,123 is not taken for 123. ' ' stands for the
 * no-break spaces too (U+00A0 and U+202F), '\'' for the typographic apostrophe (U+2019). Errors:
 * NORN_ERR_USAGE, NORN_ERR_MEMORY.
 */
norn_status norn_numbers_open(norn_numbers *numbers, char decimal, char thousands, norn_error *err);
void norn_numbers_close(norn_numbers *numbers);

/* Reads all of text[0..length) as one number, correctly rounded to the nearest double; what stands behind it
 * does not matter. False when it is none, or not finite. */
bool norn_number_parse(const norn_numbers *numbers, const char *text, size_t length, double *value);

/* The texts that mean missing: NA, N/A, #N/A, NaN, nan, null, NULL, and those told. */
typedef struct norn_missing {
    const char *extra; /* separated by commas; NULL: none; borrowed */
    bool numeric;      /* one of them looks like a number (-999): ask before reading numbers */
    uint64_t first[4]; /* a bit for each byte that one of them begins with */
} norn_missing;

norn_missing norn_missing_init(const char *extra);

/* text is trimmed; NULL or length 0 is missing. */
bool norn_is_missing(const norn_missing *missing, const char *text, size_t length);

#endif
