/*
 * The beginning of a file, held in memory to look at before the whole is read: up to a megabyte or a thousand
 * records, cell by cell, under a delimiter that is given or found.
 */
#ifndef NORN_DATA_SAMPLE_H
#define NORN_DATA_SAMPLE_H

#include "base/base.h"

#define NORN_SAMPLE_BYTES   ((size_t)1 << 20)
#define NORN_SAMPLE_RECORDS 1000

typedef struct norn_sample {
    norn_host host;
    char *text; /* all cells, each with its NUL */
    size_t text_used, text_capacity;
    size_t *cell; /* where each cell begins in text, and where the next would */
    size_t cells, cell_capacity;
    size_t *record; /* [NORN_SAMPLE_RECORDS + 1] the first cell of each record, and the end */
    size_t records;
} norn_sample;

/* Tells the delimiter among , ; tab | by how evenly it cuts the first 100 records: the one under which the
 * most records (and at least half of them) have the same number of fields, two or more; of equals the one
 * that gives more fields. 0 when there is none: the file has one column. `decimal`: that of numbers, which
 * does not separate fields (0: '.'). `whole`: bytes are all of the file. Errors: NORN_ERR_MEMORY. */
norn_status norn_sample_delimiter(char *delimiter, char decimal, const char *bytes, size_t size, bool whole,
                                  const char *name, const norn_host *host, norn_error *err);

/* Reads the records of bytes[0..size); blank lines are left out, and so is a last record that is not
 * complete. A defect of the file ends the sample; it is an error only when there is no record before it. */
norn_status norn_sample_read(norn_sample *sample, char delimiter, const char *bytes, size_t size, bool whole,
                             const char *name, const norn_host *host, norn_error *err);
void norn_sample_free(norn_sample *sample);

size_t norn_sample_columns(const norn_sample *sample, size_t record);
/* A cell without the blanks around it; "" where the record has none. */
const char *norn_sample_cell(const norn_sample *sample, size_t record, size_t column, size_t *length);

#endif
