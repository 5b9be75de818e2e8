/*
 * Bytes to CSV records: a thin, strict layer over libcsv that adds what libcsv does not have: physical line
 * numbers, positions of errors, a limit on the size of a field, and a refusal of what is not text in UTF-8.
 *
 * libcsv is run strictly (a stray quote is an error, never a field that swallows the file) and strips
 * nothing. Every field goes to a callback as it is closed; nothing is kept of a record but its position, so a
 * file of any number of rows passes through in the memory of one field.
 */
#ifndef NORN_DATA_CSV_H
#define NORN_DATA_CSV_H

#include "base/base.h"

#include <csv.h>

#define NORN_CSV_FIELD_LIMIT ((size_t)1 << 20) /* bytes of the largest field */

/* What a record is made of. A callback that does not return NORN_OK stops the reading with its status. */
typedef struct norn_csv_events {
    void *user;
    /* One field. column counts from 0 in its record, line is where the field begins. text is NULL for an
     * empty field without quotes; otherwise it ends in NUL and is gone after the call. */
    norn_status (*field)(void *user, size_t column, uint64_t line, const char *text, size_t length);
    /* The end of a record of `columns` fields that began at `line`; columns 0: a blank line. */
    norn_status (*row)(void *user, uint64_t line, size_t columns);
} norn_csv_events;

/* What the reader itself finds wrong. Kept as it is, since a reader that begins in the middle of a file
 * learns its lines later. */
typedef enum norn_csv_defect {
    NORN_CSV_SOUND = 0,
    NORN_CSV_TOO_LONG,     /* a field over the limit */
    NORN_CSV_NUL,          /* a NUL byte */
    NORN_CSV_NOT_UTF8,     /* a byte that is none of UTF-8 */
    NORN_CSV_STRAY_QUOTE,  /* a quote inside a field without quotes */
    NORN_CSV_BEHIND_QUOTE, /* something behind the closing quote */
    NORN_CSV_NEVER_CLOSED  /* a quote that is open at the end of the file */
} norn_csv_defect;

typedef struct norn_csv {
    struct csv_parser parser;
    norn_host host;
    norn_csv_events events;
    const char *name;      /* of the file, for messages; borrowed */
    char *field;           /* the field being read, lent to libcsv */
    uint64_t line;         /* physical line of the next byte that is not inside a field */
    uint64_t row_line;     /* where the current record began */
    size_t columns;        /* fields of the current record so far */
    bool after_cr;         /* the byte before was a CR that ended a record: a LF now belongs to it */
    bool nul, high, quote; /* a NUL, a byte beyond ASCII, a quote has been seen: look for it in every field */
    uint64_t lf, crlf, cr; /* newlines outside of quotes, by kind */
    norn_status status;    /* what stopped the reading */
    norn_csv_defect defect;
    uint64_t defect_line, defect_column; /* the column from 1 */
    uint64_t defect_end;                 /* BEHIND_QUOTE: the line of the byte behind the quote */
    unsigned char defect_byte;           /* NOT_UTF8, BEHIND_QUOTE */
} norn_csv;

/* name and what events.user points to must outlive the reader. Errors: NORN_ERR_MEMORY. */
norn_status norn_csv_open(norn_csv *csv, char delimiter, const norn_csv_events *events, const char *name,
                          const norn_host *host, norn_error *err);

/* Begins anew, at the beginning of a record that stands in this line. */
void norn_csv_restart(norn_csv *csv, uint64_t line);

/* Reads the next bytes of the file, in blocks of any size. Errors: NORN_ERR_DATA with line and column, and
 * whatever a callback returned. After an error nothing more may be fed. err may be NULL: see
 * norn_csv_describe. */
norn_status norn_csv_feed(norn_csv *csv, const char *bytes, size_t size, norn_error *err);

/* Instead of feeding the newline (CR, or LF without a CR before it) of a line that was taken out, between
 * records: the line counts, but is no blank line. The LF of a CRLF is fed. */
void norn_csv_skip_line(norn_csv *csv, char newline);

/* The file has ended: the last record needs no newline, but a quote that is open is an error. */
norn_status norn_csv_finish(norn_csv *csv, norn_error *err);

/* The defect as an error, with `base` added to its lines; the status of the reading when there is none. */
norn_status norn_csv_describe(const norn_csv *csv, uint64_t base, norn_error *err);

/* Bytes of the field that is not yet closed. */
size_t norn_csv_pending(const norn_csv *csv);

void norn_csv_close(norn_csv *csv);

/* How many of the bytes, from the first, are whole characters of UTF-8 (without surrogates and overlong
 * forms). */
size_t norn_utf8_valid(const char *text, size_t length);

/*
 * Looks at the beginning of a file. *skip becomes the bytes of a UTF-8 byte order mark. Refuses by name what
 * is not text in UTF-8 or a kin of it: UTF-16, UTF-32, and the archives and formats people take for CSV.
 */
norn_status norn_csv_check_encoding(const char *bytes, size_t size, const char *name, size_t *skip,
                                    norn_error *err);

#endif
