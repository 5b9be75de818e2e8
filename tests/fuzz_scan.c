/*
 * Fuzz target of the byte layer: any bytes through the scan in small pieces, by one thread or two, packed or
 * not. What arrives must be what the CSV reader finds in all of it at once, or, with comments and gzip, what
 * pieces of another size give; a cell that is read as a number must be the one strtod reads.
 *
 * The first eight bytes choose how; see LLVMFuzzerTestOneInput.
 */
#include "data/cell.h"
#include "data/csv.h"
#include "data/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- a reading as a number ---- */

#define EVENTS 20000 /* of an input, at most */

typedef struct event {
    uint64_t kind, line, hash;
} event;

typedef struct reading {
    uint64_t hash;          /* of all events in their order */
    event (*slots)[EVENTS]; /* [NORN_SCAN_SLOTS] */
    size_t used[NORN_SCAN_SLOTS];
    const norn_numbers *numbers;
} reading;

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

static void check_number(const norn_numbers *numbers, const char *text, size_t length)
{
    double value = 0.0;
    char *end;
    if (length == 0 || length > 2000) return;
    const bool number = norn_number_parse(numbers, text, length, &value);
    if (!number && strspn(text, "0123456789+-.eE") != length) return;
    const double want = strtod(text, &end);
    check(number == (end == text + length && isfinite(want)),
          "a number that is none, or the other way round");
    check(!number || memcmp(&value, &want, sizeof value) == 0, "a number that is not the nearest");
}

static norn_status put(reading *r, size_t slot, uint64_t kind, uint64_t line, const char *text, size_t length)
{
    check(r->used[slot] < EVENTS, "more fields and rows than bytes");
    const event e = {kind, line, text ? mix(UINT64_C(14695981039346656037), text, length) : 0};
    r->slots[slot][r->used[slot]++] = e;
    return NORN_OK;
}

static norn_status on_prepare(void *user, size_t slot, size_t bytes, bool first)
{
    reading *r = user;
    (void)bytes;
    (void)first;
    check(r->used[slot] == 0, "a slot that was not drained");
    return NORN_OK;
}

static norn_status on_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                            size_t length)
{
    const reading *r = user;
    if (text) check_number(r->numbers, text, length);
    return put(user, slot, 2 * column, line, text, length);
}

static norn_status on_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    return put(user, slot, 2 * columns + 1, line, NULL, 0);
}

static norn_status on_drain(void *user, size_t slot, uint64_t base, norn_status status,
                            const norn_error *defect)
{
    reading *r = user;
    (void)defect;
    check(status == NORN_OK, "a status from nowhere");
    for (size_t i = 0; i < r->used[slot]; i++) {
        event e = r->slots[slot][i];
        e.line += base;
        r->hash = mix(r->hash, &e, sizeof e);
    }
    r->used[slot] = 0;
    return NORN_OK;
}

static norn_status all_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    return on_field(user, 0, column, line, text, length);
}

static norn_status all_row(void *user, uint64_t line, size_t columns)
{
    return on_row(user, 0, line, columns);
}

/* ---- the ways ---- */

typedef struct input {
    const uint8_t *bytes;
    size_t size, block;
} input;

static size_t read_input(void *user, void *buffer, size_t size)
{
    input *in = user;
    size_t n = in->size < size ? in->size : size;
    if (n > in->block) n = in->block;
    memcpy(buffer, in->bytes, n);
    in->bytes += n;
    in->size -= n;
    return n;
}

static norn_status scan(reading *r, input in, char delimiter, char comment, size_t threads, size_t piece,
                        norn_error *err)
{
    const norn_scan_events events = {r, on_prepare, on_field, on_row, on_drain};
    norn_scan *s = NULL;
    norn_status status = norn_scan_open(&s, read_input, &in, "fuzz", comment, NULL, err);
    if (status != NORN_OK) return status;
    norn_scan_tune(s, threads, piece);
    status = norn_scan_run(s, delimiter, 0, 1, 0, &events, err);
    norn_scan_free(s);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static event slots[NORN_SCAN_SLOTS][EVENTS];
    static const char delimiters[] = {',', ',', ';', '\t', ' ', '|', '1', '\xa7'};
    if (size < 8 || size > 8192) return 0;
    const size_t piece = 1 + bytes[0] % 100, threads = bytes[1] % 32 ? 1 : 2;
    const char comment = bytes[2] % 2 ? '#' : 0, delimiter = delimiters[bytes[3] % 8];
    const bool packed = bytes[4] % 16 == 0; /* as if it were gzip */
    const input in = {bytes + 8, size - 8, bytes[5] % 2 ? 1 + (size_t)bytes[5] : SIZE_MAX};
    static const uint8_t magic[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    uint8_t behind_magic[8192 + sizeof magic];
    input with_magic = in;
    memcpy(behind_magic, magic, sizeof magic);
    memcpy(behind_magic + sizeof magic, in.bytes, in.size);
    with_magic.bytes = behind_magic;
    with_magic.size = in.size + sizeof magic;

    norn_numbers numbers;
    norn_error err = NORN_ERROR_INIT, err_again = NORN_ERROR_INIT;
    reading first, again;
    check(norn_numbers_open(&numbers, 0, 0, NULL) == NORN_OK, "no locale");
    memset(&first, 0, sizeof first);
    memset(&again, 0, sizeof again);
    first.numbers = again.numbers = &numbers;
    first.slots = again.slots = slots;
    const norn_status status =
        scan(&first, packed ? with_magic : in, delimiter, comment, threads, piece, &err);

    norn_status status_again;
    size_t skip;
    const bool gzip = packed || (in.size >= 2 && in.bytes[0] == 0x1f && in.bytes[1] == 0x8b);
    if (comment || gzip) {
        status_again = scan(&again, packed ? with_magic : in, delimiter, comment, 1, 700, &err_again);
    } else {
        const char *text = (const char *)in.bytes;
        status_again = norn_csv_check_encoding(text, in.size, "fuzz", &skip, &err_again);
        if (status_again == NORN_OK) {
            const norn_host host = norn_host_copy(NULL);
            const norn_csv_events events = {&again, all_field, all_row};
            norn_csv csv;
            check(norn_csv_open(&csv, delimiter, &events, "fuzz", &host, NULL) == NORN_OK, "no memory");
            status_again = norn_csv_feed(&csv, text + skip, in.size - skip, &err_again);
            if (status_again == NORN_OK) status_again = norn_csv_finish(&csv, &err_again);
            norn_csv_close(&csv);
            (void)on_drain(&again, 0, 0, NORN_OK, &err_again);
        }
    }
    check(status == status_again && err.line == err_again.line && err.column == err_again.column &&
              strcmp(err.message, err_again.message) == 0,
          "another error");
    check(first.hash == again.hash, "other records");
    check(status == NORN_OK || status == NORN_ERR_DATA, "an error of another kind");
    check(status == NORN_OK || (err.message[0] && !strpbrk(err.message, "\n\r")),
          "a message of several lines");
    norn_numbers_close(&numbers);
    return 0;
}
