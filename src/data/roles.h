/*
 * What the columns of a file are for: found from its beginning, or as told, before the whole is read.
 *
 * The plan names the delimiter, the header, the columns and their roles, and the style of the times. All of
 * it is decided from the sample, so that the rows themselves can pass in one stream.
 */
#ifndef NORN_DATA_ROLES_H
#define NORN_DATA_ROLES_H

#include "base/base.h"
#include "data/calendar.h"
#include "data/cell.h"
#include "data/sample.h"
#include "data/table.h"

#define NORN_NO_COLUMN SIZE_MAX

typedef struct norn_plan {
    norn_host host;
    char delimiter;
    bool header;     /* the first record names the columns */
    size_t columns;  /* N >= 1 */
    char **names;    /* [N] from the header, or c1 .. cN */
    size_t time, id; /* columns, or NORN_NO_COLUMN */
    size_t *values;  /* [targets + past] columns, the targets first */
    size_t targets, past;
    norn_time_form form; /* of the times; NONE when nothing in the sample could be read as one */
    bool newest_first;   /* the times of the sample run backwards */
} norn_plan;

/*
 * Decides from the beginning of a file; `whole`: bytes are all of it. Decisions that were not told go to
 * notes. Errors: NORN_ERR_DATA (an empty file, no rows, no numeric column, ...), NORN_ERR_USAGE (a column
 * that does not exist or has two roles), NORN_ERR_MEMORY.
 */
norn_status norn_plan_make(norn_plan *plan, const char *bytes, size_t size, bool whole, const char *name,
                           const norn_table_options *options, norn_notes *notes, const norn_host *host,
                           norn_error *err);
void norn_plan_free(norn_plan *plan);

#endif
