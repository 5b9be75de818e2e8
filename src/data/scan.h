/*
 * From a stream to records, on two cores: bytes are read (and unpacked), cut at ends of records into pieces
 * of about a megabyte, and run through the CSV reader of csv.h by worker threads, while the calling thread
 * reads on and takes what they found in the order of the file.
 *
 * How a piece is cut: in a file libcsv accepts under its strict rules, a newline ends a record exactly when
 * the number of quotes before it is even. In a file it does not accept, the first error in the order of the
 * file is the same for any cut, since nothing before it depends on what follows. A record longer than a piece
 * is handed on in parts to the same slot, whose reader goes on where it stood. (A quote that is never closed
 * makes the rest of the file such a record; the limit of a field ends it.)
 *
 * What threads may do: workers call field() and row(), which must not allocate, ask the host for anything, or
 * touch what another worker touches: everything they find goes into buffers of their slot. Only the calling
 * thread calls prepare() and drain(), reads the stream, and uses the host. It does a worker's part too when
 * it would wait; without threads it does all of it. What is found is the same to the bit. Workers take no
 * signals and are gone at the return.
 */
#ifndef NORN_DATA_SCAN_H
#define NORN_DATA_SCAN_H

#include "base/base.h"
#include "norn/table.h"

#define NORN_SCAN_SLOTS ((size_t)4)       /* pieces under way at once, at most */
#define NORN_SCAN_PIECE ((size_t)1 << 20) /* bytes of a piece, at most */

typedef struct norn_scan_events {
    void *user;
    /* Calling thread, before a piece goes to a slot: make its buffers ready and empty. All fields of the
     * piece together have at most `bytes` bytes (one that began in the part before is counted in), and there
     * are at most bytes + 1 fields and bytes + 1 rows. `first`: the piece begins a record (else the record
     * under way goes on; the state of the slot stays). A status other than NORN_OK ends the scan with it. */
    norn_status (*prepare)(void *user, size_t slot, size_t bytes, bool first);
    /* Worker. As in norn_csv_events, but line counts from the beginning of the piece, from 0: drain adds the
     * rest. (In the parts of a long record it counts on from the first part, whose base drain gives for all
     * of them.) A comment line is no record and no blank line: nothing is called for it. A status other than
     * NORN_OK ends the piece there; it is handed to drain. */
    norn_status (*field)(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                         size_t length);
    norn_status (*row)(void *user, size_t slot, uint64_t line, size_t columns);
    /* Calling thread, in the order of the file: `base` is what to add to the lines of the piece (its first
     * line is line base, from 1). `defect`, never NULL: what the CSV reader or the stream found wrong behind
     * what the piece gave (status NORN_OK: nothing), with its line complete. `status`: what field or row
     * returned; one of the two is NORN_OK. A status other than NORN_OK ends the scan with it; after a defect
     * or a status the scan ends in any case, with that if drain has no other. */
    norn_status (*drain)(void *user, size_t slot, uint64_t base, norn_status status,
                         const norn_error *defect);
} norn_scan_events;

/* What a scan found out about the text on its way. */
typedef struct norn_scan_facts {
    uint64_t bytes;        /* unpacked, with a byte order mark and comments */
    uint64_t lines;        /* physical; the last one needs no newline */
    uint64_t lf, crlf, cr; /* newlines outside of quotes by kind, behind the skipped lines */
    uint64_t comments;     /* lines left out */
    bool high;             /* there are bytes beyond ASCII (comments aside); all valid UTF-8 */
    bool mark;             /* there was a byte order mark */
    bool compressed;       /* gzip */
} norn_scan_facts;

/*
 * The stream. open reads the beginning (up to NORN_SAMPLE_BYTES of text; *whole: that is all), tells gzip by
 * its magic and unpacks it (several members, as gzip itself does; a damaged or cut-off file is refused),
 * takes off a byte order mark, refuses by name what is not UTF-8 text (norn_csv_check_encoding), and takes
 * out comment lines: lines that begin, outside of quotes, with the byte `comment` (0: none); the newline that
 * ends them stays, so that lines keep their numbers.
 */
typedef struct norn_scan norn_scan;

/* Borrows name and user. Errors: NORN_ERR_INPUT, NORN_ERR_DATA, NORN_ERR_MEMORY. Where the stream breaks off
 * behind some text (reading failed, gzip damaged), that text is the sample, not whole, and the error comes in
 * the run. */
norn_status norn_scan_open(norn_scan **out, norn_read_fn read, void *user, const char *name, char comment,
                           const norn_host *host, norn_error *err);

/* The beginning, borrowed until the scan runs. */
const char *norn_scan_sample(const norn_scan *scan, size_t *size, bool *whole);

/* Runs all of the file through the CSV reader, once. `total`: bytes of the stream for the progress, 0: not
 * known. `skip`: bytes at the beginning that are not CSV (whole lines of the sample: "sep=;"); `line`: the
 * number of the first line after them (1: nothing is skipped). Everything else the scan finds wrong (reading
 * failed, damaged gzip, a field too long, bad UTF-8, a stray quote) comes to drain as `defect` at its place
 * in the order of the file, and is put into err unless drain has put its own there. Errors: also
 * NORN_ERR_MEMORY, NORN_ERR_CANCELLED. */
norn_status norn_scan_run(norn_scan *scan, char delimiter, size_t skip, uint64_t line, uint64_t total,
                          const norn_scan_events *events, norn_error *err);

/* Complete after a run that returned NORN_OK. */
const norn_scan_facts *norn_scan_facts_of(const norn_scan *scan);

void norn_scan_free(norn_scan *scan); /* NULL: nothing */

/* For tests, before the run: how many threads do workers' parts, the calling one included (0: as many as
 * there are processors, at most NORN_SCAN_SLOTS), and how many bytes a piece has (0: NORN_SCAN_PIECE, which
 * is also the most). */
void norn_scan_tune(norn_scan *scan, size_t threads, size_t piece);

#endif
