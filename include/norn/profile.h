/*
 * Where the time of a job goes: parts of the host's work, and kernels on the device.
 *
 *     norn_profile_new(&profile, NULL, &err);
 *     host.profile = profile;                    before the host is given to any other call
 *     ... read, train, forecast ...
 *     rows = norn_profile_rows(profile, &count);
 *     norn_profile_free(profile);                after all objects made with the host
 *
 * Parts. The thread that made the profile is always in one part: the innermost that was entered and not left
 * again, or none. Their times exclude each other and add up, with what is in none, to norn_profile_seconds.
 * What other threads do is not measured: a part in which threads help takes the time it is waited for.
 *
 * Kernels. With a profile the queue of a context keeps times, and every launch counts with the device's own
 * clock. Kernels run while the host is in some part, most of all "waiting": their times are no part of that
 * sum. Operations are multiplications and additions of matrices, as the design counts them; bytes are those
 * that must be moved to and from global memory at least once. Both are 0 where nobody counted.
 *
 * Without a profile nothing is measured, and nothing costs anything.
 */
#ifndef NORN_PROFILE_H
#define NORN_PROFILE_H

#include "norn/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum norn_profile_kind { NORN_PROFILE_PART = 0, NORN_PROFILE_KERNEL } norn_profile_kind;

typedef struct norn_profile_row {
    norn_profile_kind kind;
    const char *name; /* "building kernels"; of a kernel its name in kernels/ */
    uint64_t calls;
    double seconds;
    double operations, bytes; /* over all calls */
} norn_profile_row;

/* Begins to measure. NORN_ERR_MEMORY. */
norn_status norn_profile_new(norn_profile **out, const norn_host *host, norn_error *err);
void norn_profile_free(norn_profile *profile); /* NULL: nothing */

/* A part of the caller's own; name must outlive the profile. profile NULL, or another thread than the one
 * that made it: nothing. Parts nest up to 16 deep; deeper ones count for the sixteenth. */
void norn_profile_enter(norn_profile *profile, const char *name);
void norn_profile_leave(norn_profile *profile);

/* Parts, then kernels, each the longest first. Borrowed until the next call or the end. */
const norn_profile_row *norn_profile_rows(norn_profile *profile, size_t *count);
double norn_profile_seconds(const norn_profile *profile); /* since it was made */

#ifdef __cplusplus
}
#endif
#endif
