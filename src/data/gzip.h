/*
 * gzip as a stream: packed bytes in from a read callback, text out in blocks of any size, in the memory of
 * zlib's window and one buffer, however much a small file unpacks to.
 *
 * What is a gzip file is what gzip itself unpacks without a word: one member or several, zeros behind the
 * last (tapes and blocks leave them). A checksum or a length that does not hold, a file that ends in the
 * middle and anything else behind a member are refused with the number of packed bytes before it.
 */
#ifndef NORN_DATA_GZIP_H
#define NORN_DATA_GZIP_H

#include "base/base.h"
#include "norn/table.h"

typedef struct norn_gzip norn_gzip;

/* Do these bytes begin like gzip? */
bool norn_gzip_is(const char *bytes, size_t size);

/* head[0..size), at most NORN_GZIP_HEAD bytes: what was read of the stream already (ended: to its end);
 * copied. name is borrowed. Errors: NORN_ERR_MEMORY. */
#define NORN_GZIP_HEAD ((size_t)64 << 10)
norn_status norn_gzip_open(norn_gzip **out, const char *head, size_t size, bool ended, norn_read_fn read,
                           void *user, const char *name, const norn_host *host, norn_error *err);

/* Unpacks until out is full or the end: *got < size. What comes out before an error does not depend on how
 * the stream hands out its bytes, and *got says how much it is. Errors: NORN_ERR_DATA, NORN_ERR_INPUT
 * (reading failed), NORN_ERR_MEMORY; after one, or after the end, nothing more may be asked for. */
norn_status norn_gzip_read(norn_gzip *gzip, char *out, size_t size, size_t *got, norn_error *err);

/* Packed bytes read so far, head included. */
uint64_t norn_gzip_taken(const norn_gzip *gzip);

void norn_gzip_free(norn_gzip *gzip); /* NULL: nothing */

#endif
