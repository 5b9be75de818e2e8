/*
 * A file of cross-validation as records: one for each line, with the numbers of all models beside it. See
 * saved.h for what is made of them.
 */
#ifndef NORN_SRC_BACKTEST_SAVED_FILE_H
#define NORN_SRC_BACKTEST_SAVED_FILE_H

#include "norn/backtest.h"

#include "data/groups.h"

#define NORN_NO_COLUMN SIZE_MAX

typedef enum norn_saved_role {
    NORN_SAVED_IGNORED = 0,
    NORN_SAVED_ID,
    NORN_SAVED_TIME,
    NORN_SAVED_CUTOFF,
    NORN_SAVED_TARGET,
    NORN_SAVED_MODEL,
    NORN_SAVED_LOW, /* the lower end of a band of a model */
    NORN_SAVED_HIGH
} norn_saved_role;

typedef struct norn_saved_column {
    char *name; /* of a band: of its model */
    norn_saved_role role;
    double level; /* of a band, in percent */
    size_t value; /* where its numbers stand in a record; NORN_NO_COLUMN: nowhere */
    bool seen;    /* a cell that is not missing */
} norn_saved_column;

typedef struct norn_saved_record {
    size_t id;           /* number of its series */
    size_t time, cutoff; /* numbers of times: of an id and a text together */
    uint64_t line;
} norn_saved_record;

typedef struct norn_saved_file {
    norn_host host;
    norn_saved_column *columns; /* [column_count] */
    size_t column_count;
    size_t width;               /* W numbers of a record, the truth first */
    norn_groups ids;            /* texts of series */
    norn_groups keys;           /* id, the byte 31 and a time's text */
    norn_saved_record *records; /* [count] */
    double *values;             /* [count][W] */
    size_t count, capacity, values_capacity;
    uint64_t bytes;
} norn_saved_file;

/* Errors: those of norn_backtest_read that concern lines. What it allocated is freed by the second, also on
 * failure. */
norn_status norn_saved_file_read(norn_saved_file *file, norn_read_fn read, void *user, const char *name,
                                 const norn_saved_options *options, const norn_host *host, norn_error *err);
void norn_saved_file_free(norn_saved_file *file);

#endif
