/* The SHA-256 of a file, by which a report names the bytes it was made of. */
#include "norn/report.h"

#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(NORN_REPORT_HASH == NORN_SHA256_HEX, "a hash as text");

norn_status norn_report_hash_file(char out[NORN_REPORT_HASH], const char *path, norn_error *err)
{
    enum { PIECE = 16384 };
    unsigned char piece[PIECE], hash[NORN_SHA256_BYTES];
    FILE *const file = fopen(path, "rb");
    norn_sha256 sha;
    size_t got;
    if (!file) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot open: %s", strerror(errno));
    norn_sha256_begin(&sha);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) norn_sha256_add(&sha, piece, got);
    const bool failed = ferror(file) != 0;
    const int reason = errno;
    (void)fclose(file);
    if (failed) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot read: %s", strerror(reason));
    norn_sha256_end(&sha, hash);
    (void)norn_sha256_hex(hash, out);
    return NORN_OK;
}
