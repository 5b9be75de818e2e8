/*
 * From a stream to records, on two cores: bytes are read (and unpacked), cut at ends of records into pieces
 * of about a megabyte, and run through the CSV reader of csv.h by worker threads, while the calling thread
 * reads on and takes what they found in the order of the file.
 *
 * How a piece is cut: in a file libcsv accepts under its strict rules, a newline ends a record exactly when
 * the number of quotes before it is even. In a file it does not accept, the first error in the order of the
 * file is the same for any cut, since nothing before it depends on what follows. A record longer than a piece
 * is handed on in parts to the same worker, whose reader goes on where it stood.
 *
 * What threads may do: workers call field() and row(), which must not allocate, ask the host for anything, or
 * touch what another worker touches: everything they find goes into buffers of their slot. Only the calling
 * thread calls prepare() and drain(), reads the stream, and uses the host. Without threads the calling thread
 * does the workers' part too; what is found is the same to the bit.
 */
#ifndef NORN_DATA_SCAN_H
#define NORN_DATA_SCAN_H

#include "base/base.h"
#include "norn/table.h"

#define NORN_SCAN_SLOTS ((size_t)4)       /* pieces under way at once, at most */
#define NORN_SCAN_PIECE ((size_t)1 << 20) /* bytes of a piece, at most */

typedef struct norn_scan_events {
    void *user;
    /* Calling thread, before a piece of at most `bytes` bytes goes to a slot: make its buffers ready and
     * empty. `first`: the piece begins a record (else the record under way goes on; the state of the slot
     * stays). */
    norn_status (*prepare)(void *user, size_t slot, size_t bytes, bool first);
    /* Worker. As in norn_csv_events, but line counts from the beginning of the piece, from 0: drain adds the
     * rest. A status other than NORN_OK ends the piece there; it is handed to drain. */
    norn_status (*field)(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                         size_t length);
    norn_status (*row)(void *user, size_t slot, uint64_t line, size_t columns);
    /* Calling thread, in the order of the file: `base` is what to add to the lines of the piece (its first
     * line is line base, from 1). `defect`: what the CSV reader itself found wrong at the end of what it gave
     * (status NORN_OK: nothing), with its line complete. `status`: what field or row returned. A status other
     * than NORN_OK ends the scan with it. */
    norn_status (*drain)(void *user, size_t slot, uint64_t base, norn_status status,
                         const norn_error *defect);
} norn_scan_events;

/* What a scan found out about the text on its way. */
typedef struct norn_scan_facts {
    uint64_t bytes;        /* unpacked, with a byte order mark */
    uint64_t lines;        /* physical */
    uint64_t lf, crlf, cr; /* newlines outside of quotes by kind */
    uint64_t comments;     /* lines left out */
    bool high;             /* there are bytes beyond ASCII; all valid UTF-8 */
    bool compressed;       /* gzip */
} norn_scan_facts;

/*
 * The stream. open reads the beginning (up to NORN_SAMPLE_BYTES of text; *whole: that is all), tells gzip by
 * its magic and unpacks it (several members, as gzip itself does; a damaged or cut-off file is refused),
 * takes off a byte order mark, refuses by name what is not UTF-8 text (norn_csv_check_encoding), and takes
 * out comment lines: lines that begin, outside of quotes, with the byte `comment`; the newline that ends them
 * stays, so that lines keep their numbers.
 */
typedef struct norn_scan norn_scan;

norn_status norn_scan_open(norn_scan **out, norn_read_fn read, void *user, const char *name, char comment,
                           const norn_host *host, norn_error *err);
/* The beginning, borrowed until the scan runs. */
const char *norn_scan_sample(const norn_scan *scan, size_t *size, bool *whole);
/* Runs all of the file through the CSV reader. `total`: bytes of the stream for the progress, 0: not known.
 * `skip`: bytes at the beginning that are not CSV (whole lines: "sep=;"); `line`: the number of the first
 * line after them. Everything else the scan finds wrong (reading failed, damaged gzip, a field too long, bad
 * UTF-8, a stray quote) comes to drain as `defect` at its place in the order of the file, or, where it has
 * none, is returned. Errors: also NORN_ERR_MEMORY, NORN_ERR_CANCELLED. */
norn_status norn_scan_run(norn_scan *scan, char delimiter, size_t skip, uint64_t line, uint64_t total,
                          const norn_scan_events *events, norn_error *err);
const norn_scan_facts *norn_scan_facts_of(const norn_scan *scan);
void norn_scan_free(norn_scan *scan);

#endif
