/*
 * Services shared by all rooms: recording errors, memory that counts its own overflow, log and progress
 * through the host, texts in messages. Nothing here knows of forecasting.
 */
#ifndef NORN_SRC_BASE_H
#define NORN_SRC_BASE_H

#include "norn/base.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NORN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- errors: each returns its status, so that `return norn_fail(err, ...)` reads as one sentence --------
 */

norn_status norn_fail(norn_error *err, norn_status status, const char *format, ...) NORN_PRINTF(3, 4);

/* The same at a place in an input file; line and column 0: not known. file may be NULL. */
norn_status norn_fail_at(norn_error *err, norn_status status, const char *file, uint64_t line,
                         uint64_t column, const char *format, ...) NORN_PRINTF(6, 7);

/* Host memory is exhausted while making `what` ("the table's columns"). */
norn_status norn_fail_memory(norn_error *err, const char *what);

/* ---- what the caller says ------------------------------------------------------------------------------ */

/* Fills *out, `known` bytes of defaults, from an option struct of the caller (NULL: none), which may be that
 * of an older or a newer library: both begin with their size. One of size 0 was never begun, and what it says
 * would be lost: NORN_ERR_USAGE. */
norn_status norn_options_take(void *out, size_t known, const void *given, norn_error *err);

/* ---- memory ------------------------------------------------------------------------------------------- */

/* Every block is freed with the size it was asked for: hosts that count need it, and so do our tests. */

/* Copies host, or makes the default one from NULL. A struct of an older library is filled up with defaults.
 */
norn_host norn_host_copy(const norn_host *host);

/* count * size bytes, zeroed; NULL on overflow, on count or size 0, or when memory is exhausted. */
void *norn_new(const norn_host *host, size_t count, size_t size);
/* Changes *array from old_count to new_count elements of `size` bytes, keeping the contents; new elements are
 * not zeroed. False and *array unchanged when it cannot be had. */
bool norn_resize(const norn_host *host, void **array, size_t old_count, size_t new_count, size_t size);
void norn_delete(const norn_host *host, void *ptr, size_t count, size_t size); /* ptr NULL: nothing */

char *norn_text_copy(const norn_host *host, const char *text, size_t length); /* NUL-terminated; free with: */
void norn_text_delete(const norn_host *host, char *text);                     /* NULL: nothing */

/* ---- log, progress, cancelling --------------------------------------------------------------------------
 */

void norn_log(const norn_host *host, norn_log_level level, const char *format, ...) NORN_PRINTF(3, 4);
void norn_report(const norn_host *host, norn_progress progress);
bool norn_is_cancelled(const norn_host *host);
norn_status norn_fail_cancelled(norn_error *err);

/* Monotonic seconds, for progress and durations only: never for a decision about results. */
double norn_seconds(void);

/* ---- text -----------------------------------------------------------------------------------------------
 */

/*
 * Copies text into out[size] for a message: control bytes, bytes that are not printable ASCII or valid UTF-8,
 * and characters that steer a terminal or turn the direction of text become \xNN; more than `limit` bytes end
 * in "...". Returns out.
 */
const char *norn_quote(char *out, size_t size, const char *text, size_t length, size_t limit);

/* The entry of `names` (ends with NULL) that is most like a mistyped `text`, or NULL. */
const char *norn_closest(const char *text, const char *const *names);

#endif
