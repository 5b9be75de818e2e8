/*
 * For the rooms that are measured. See norn/profile.h.
 */
#ifndef NORN_SRC_BASE_PROFILE_H
#define NORN_SRC_BASE_PROFILE_H

#include "base/base.h"
#include "norn/profile.h"

/* One launch of a kernel, by any thread. */
void norn_profile_kernel(norn_profile *profile, const char *name, double seconds, double operations,
                         double bytes);

#endif
