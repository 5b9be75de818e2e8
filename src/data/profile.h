/*
 * What the columns of a file look like by themselves, from its beginning: how many cells are numbers, in
 * which way they are times, whether these rise. The roles are given by it (roles.c).
 */
#ifndef NORN_DATA_PROFILE_H
#define NORN_DATA_PROFILE_H

#include "base/base.h"
#include "data/calendar.h"
#include "data/cell.h"
#include "data/sample.h"

#define NORN_NO_TIME INT64_MIN

/* One column of the sample. Counts are of cells that are not missing. */
typedef struct norn_profile {
    size_t present, numbers;
    size_t dateish;        /* not readable as a time, yet digits with separators: 1/2/86 */
    bool numeric;          /* most cells are numbers */
    norn_time_style style; /* of most cells; form NONE: they are no times */
    int64_t *times;  /* [records] of each record, NORN_NO_TIME where it has none; NULL without a style */
    size_t up, down; /* steps from one record's time to the next */
} norn_profile;

/* What columns of times are called. A whole number under a certain name is a time wherever it stands; under a
 * rising name if it rises (nine in ten rows, so that a defect is reported and not stepped around); under a
 * cyclic one only if it never comes round: most months are numbers from 1 to 12. */
typedef enum norn_time_name {
    NORN_NAME_OTHER,
    NORN_NAME_PART,
    NORN_NAME_CYCLIC,
    NORN_NAME_RISING,
    NORN_NAME_CERTAIN
} norn_time_name;
norn_time_name norn_time_name_of(const char *name);

/* Looks at the records from `from` on. told: the style of the times, or NULL: guessed. Errors:
 * NORN_ERR_MEMORY. */
norn_status norn_profile_column(norn_profile *profile, const norn_sample *sample, size_t column, size_t from,
                                bool named_time, const norn_time_style *told, const norn_numbers *numbers,
                                const norn_missing *missing, norn_error *err);
void norn_profile_clear(norn_profile *profile, const norn_sample *sample);

/* Equal but for the case of ASCII letters, where any_case is set. */
bool norn_same_text(const char *a, size_t length, const char *b, bool any_case);
/* A pattern of * (any bytes) and ? (any one byte). */
bool norn_matches(const char *pattern, size_t length, const char *text);

#endif
