/*
 * Times of parts and kernels. The parts of one thread exclude each other: entering one stops the clock of the
 * one around it. Rows are few and found by a walk.
 */
#include "base/profile.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 64, DEEPEST = 16, NO_ROW = -1 };

struct norn_profile {
    norn_host host;
    pthread_t thread;
    pthread_mutex_t lock; /* of the rows: kernels may be told by any thread */
    double begin, since;  /* when it was made; when the present part began to count */
    norn_profile_row rows[MOST_ROWS], sorted[MOST_ROWS];
    size_t count;
    int part[DEEPEST];
    size_t depth;
};

norn_status norn_profile_new(norn_profile **out, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_profile *profile = norn_new(&services, 1, sizeof *profile);
    if (!profile) return norn_fail_memory(err, "a profile");
    if (pthread_mutex_init(&profile->lock, NULL) != 0) {
        norn_delete(&services, profile, 1, sizeof *profile);
        return norn_fail(err, NORN_ERR_MEMORY, "a profile's lock cannot be made");
    }
    profile->host = services;
    profile->thread = pthread_self();
    profile->begin = profile->since = norn_seconds();
    *out = profile;
    return NORN_OK;
}

void norn_profile_free(norn_profile *profile)
{
    if (!profile) return;
    const norn_host host = profile->host;
    (void)pthread_mutex_destroy(&profile->lock);
    norn_delete(&host, profile, 1, sizeof *profile);
}

/* Its place, a new one at the first call; NO_ROW when all places are taken: then it counts for none. */
static int row_of(norn_profile *profile, norn_profile_kind kind, const char *name)
{
    for (size_t i = 0; i < profile->count; i++)
        if (profile->rows[i].kind == kind && strcmp(profile->rows[i].name, name) == 0) return (int)i;
    if (profile->count == MOST_ROWS) return NO_ROW;
    profile->rows[profile->count] = (norn_profile_row){.kind = kind, .name = name};
    return (int)profile->count++;
}

/* Gives the time since the last change to the part that it was spent in. */
static void count_time(norn_profile *profile)
{
    const double now = norn_seconds();
    const size_t at = profile->depth < DEEPEST ? profile->depth : DEEPEST;
    if (at && profile->part[at - 1] != NO_ROW)
        profile->rows[profile->part[at - 1]].seconds += now - profile->since;
    profile->since = now;
}

void norn_profile_enter(norn_profile *profile, const char *name)
{
    if (!profile || !pthread_equal(profile->thread, pthread_self())) return;
    (void)pthread_mutex_lock(&profile->lock);
    count_time(profile);
    if (profile->depth < DEEPEST) {
        const int row = row_of(profile, NORN_PROFILE_PART, name);
        profile->part[profile->depth] = row;
        if (row != NO_ROW) profile->rows[row].calls++;
    }
    profile->depth++;
    (void)pthread_mutex_unlock(&profile->lock);
}

void norn_profile_leave(norn_profile *profile)
{
    if (!profile || !pthread_equal(profile->thread, pthread_self())) return;
    (void)pthread_mutex_lock(&profile->lock);
    count_time(profile);
    if (profile->depth) profile->depth--;
    (void)pthread_mutex_unlock(&profile->lock);
}

void norn_profile_kernel(norn_profile *profile, const char *name, double seconds, double operations,
                         double bytes)
{
    (void)pthread_mutex_lock(&profile->lock);
    const int at = row_of(profile, NORN_PROFILE_KERNEL, name);
    if (at != NO_ROW) {
        norn_profile_row *row = &profile->rows[at];
        row->calls++;
        row->seconds += seconds;
        row->operations += operations;
        row->bytes += bytes;
    }
    (void)pthread_mutex_unlock(&profile->lock);
}

static int longest_first(const void *a, const void *b)
{
    const norn_profile_row *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->seconds != y->seconds) return x->seconds > y->seconds ? -1 : 1;
    return strcmp(x->name, y->name);
}

const norn_profile_row *norn_profile_rows(norn_profile *profile, size_t *count)
{
    (void)pthread_mutex_lock(&profile->lock);
    if (pthread_equal(profile->thread, pthread_self())) count_time(profile);
    memcpy(profile->sorted, profile->rows, sizeof profile->rows);
    *count = profile->count;
    (void)pthread_mutex_unlock(&profile->lock);
    qsort(profile->sorted, *count, sizeof *profile->sorted, longest_first);
    return profile->sorted;
}

double norn_profile_seconds(const norn_profile *profile)
{
    return norn_seconds() - profile->begin;
}
