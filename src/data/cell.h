/*
 * One cell of a table: blanks trimmed, numbers read exactly and without regard to the locale, and the texts
 * that mean "missing".
 *
 * A number is [+-]digits[.digits][e[+-]digits], with digits on at least one side of the point, and finite.
 * Hex, inf, nan, thousands separators and decimal commas are not numbers.
 */
#ifndef NORN_DATA_CELL_H
#define NORN_DATA_CELL_H

#include "base/base.h"

/* Takes blanks (space, tab, newlines) off both ends. *length in and out; returns where the text begins now.
 */
const char *norn_trim(const char *text, size_t *length);

/* How numbers are read; one for each reading, since it owns a locale. */
typedef struct norn_numbers {
    void *locale; /* the C locale, as newlocale made it */
} norn_numbers;

norn_status norn_numbers_open(norn_numbers *numbers, norn_error *err);
void norn_numbers_close(norn_numbers *numbers);

/* Reads all of text[0..length) as one number, rounded to the nearest double. The byte behind it must be one
 * that no number goes on with: the NUL of libcsv, or a blank that was trimmed. False when it is none, or not
 * finite. */
bool norn_number_parse(const norn_numbers *numbers, const char *text, size_t length, double *value);

/* The texts that mean missing. */
typedef struct norn_missing {
    const char *extra; /* separated by commas; NULL: none; borrowed */
    bool numeric;      /* one of them looks like a number (-999): ask before reading numbers */
} norn_missing;

norn_missing norn_missing_init(const char *extra);

/* text is trimmed; NULL or length 0 is missing. */
bool norn_is_missing(const norn_missing *missing, const char *text, size_t length);

#endif
