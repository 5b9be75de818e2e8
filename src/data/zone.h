/*
 * Time zones: what a clock on the wall shows at a moment, and which moments a clock shows.
 *
 * Zones come from the system's compiled files (TZif, RFC 8536) in /usr/share/zoneinfo, /usr/lib/zoneinfo or
 * /usr/share/lib/zoneinfo; neither TZ nor TZDIR is asked. Behind the last change of the table the rule of the
 * file's footer holds. UTC and offsets like +02:00 need no file. A zone does not change once it is there: any
 * number of threads may ask it.
 */
#ifndef NORN_DATA_ZONE_H
#define NORN_DATA_ZONE_H

#include "base/base.h"

typedef struct norn_zone norn_zone;

/* "Europe/Amsterdam", "UTC", "+02:00". Errors: NORN_ERR_USAGE (no such zone, no database, a file that is
 * none), naming --tz; NORN_ERR_MEMORY. */
norn_status norn_zone_open(norn_zone **out, const char *name, const norn_host *host, norn_error *err);

/* The same from the content of a TZif file, which may be anything. */
norn_status norn_zone_parse(norn_zone **out, const char *name, const void *bytes, size_t size,
                            const norn_host *host, norn_error *err);

void norn_zone_free(norn_zone *zone); /* NULL: nothing */

const char *norn_zone_name(const norn_zone *zone); /* as it was opened */

/* Seconds east of UTC at a moment (microseconds since 1970 UTC). */
int32_t norn_zone_offset(const norn_zone *zone, int64_t time_us);

/*
 * The moments at which the clock shows local_us (microseconds since 1970-01-01 00:00 of that clock): 1, or 2
 * with the earlier one first, or 0 where the clock jumps over it; utc[0] is then the moment of the jump, at
 * which the clock first shows something later. utc[1] is written only with 2.
 */
int norn_zone_of_local(const norn_zone *zone, int64_t local_us, int64_t utc[2]);

#endif
