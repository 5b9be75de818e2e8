/*
 * The ids of a file in long format, in the order of their first rows, and what is known of each series while
 * its rows come in. Ids are compared byte by byte.
 */
#ifndef NORN_DATA_GROUPS_H
#define NORN_DATA_GROUPS_H

#include "base/base.h"

typedef struct norn_group {
    uint64_t hash; /* of its id */
    char *id;      /* ends in NUL */
    size_t id_length;
    size_t rows;        /* so far */
    int64_t last_time;  /* of its last row */
    uint64_t last_line; /* of the file */
} norn_group;

typedef struct norn_groups {
    norn_host host;    /* set by the owner; all else starts as zeros */
    norn_group *items; /* [capacity] */
    size_t count, capacity;
    uint32_t *buckets;   /* [bucket_count] open addressing: number of a group from 1, or 0 */
    size_t bucket_count; /* a power of two, at least twice count */
    size_t last;         /* found before: most files keep the rows of a series together */
} norn_groups;

/* The number of an id, which becomes a new group if it is not known. Errors: NORN_ERR_MEMORY. */
norn_status norn_groups_find(norn_groups *groups, const char *id, size_t length, size_t *found,
                             norn_error *err);
void norn_groups_free(norn_groups *groups);

#endif
