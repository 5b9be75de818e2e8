/*
 * Text that grows, and the ways a value goes into it: escaped for HTML, quoted for Markdown, or as a number
 * that a person reads. What comes from a file (names of columns, ids) passes norn_text_name first, which
 * makes it printable and short; the escapes here are the second line.
 */
#ifndef NORN_SRC_REPORT_TEXT_H
#define NORN_SRC_REPORT_TEXT_H

#include "base/base.h"

typedef struct norn_text {
    norn_host host;
    char *bytes; /* ends in NUL once anything was added */
    size_t length, capacity;
    bool failed; /* memory is exhausted; what is added later is lost */
} norn_text;

norn_text norn_text_new(const norn_host *host);
void norn_text_free(norn_text *text);
void norn_text_add(norn_text *text, const char *bytes, size_t length);
void norn_text_put(norn_text *text, const char *string);
void norn_text_format(norn_text *text, const char *format, ...) NORN_PRINTF(2, 3);
/* & < > " ' as entities: between tags and within a quoted attribute. */
void norn_text_html(norn_text *text, const char *string);
/* What Markdown or the HTML within it would take for markup stands behind a backslash or is an entity. */
void norn_text_markdown(norn_text *text, const char *string);
/* For a shell: as it is where that is safe, else in single quotes. */
void norn_text_shell(norn_text *text, const char *string);

enum { NORN_NAME_LIMIT = 100, NORN_NAME_ROOM = 4 * NORN_NAME_LIMIT + 8 };
/* A name out of a file, printable and cut. Returns out. */
const char *norn_text_name(char out[NORN_NAME_ROOM], const char *name);

enum { NORN_NUMBER_ROOM = 40 };
/* Four digits and thousands apart: 2,909 and 0.4400; "-" where it is undefined. The page's script writes
 * numbers in the same way. Returns out. */
const char *norn_text_number(char out[NORN_NUMBER_ROOM], double value);
const char *norn_text_count(char out[NORN_NUMBER_ROOM], uint64_t value);
/* 0.185 as "18.5 %". */
const char *norn_text_percent(char out[NORN_NUMBER_ROOM], double share);
/* "p = 0.034", "p < 0.001". */
const char *norn_text_p(char out[NORN_NUMBER_ROOM], double p);

#endif
