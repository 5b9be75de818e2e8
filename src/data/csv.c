/*
 * The strict CSV reader declared in csv.h.
 *
 * How lines are counted: libcsv reports CR and LF outside of fields one by one (CSV_REPALL_NL), so a line
 * ends at every LF and at every CR that no LF follows; newlines inside a quoted field are counted when the
 * field arrives.
 *
 * How a field is limited: libcsv grows its buffer through a hook that knows neither parser nor host. So the
 * buffer of the largest field is lent to it ready-made, out of the host's memory, and the hook refuses to
 * grow it. Pages of it that no field reaches are never touched.
 */
#include "data/csv.h"

#include <string.h>

/* A closing quote stands in libcsv's buffer until the byte behind it shows that it is one, libcsv asks for
 * room before it looks at that byte, and then there is the NUL. */
#define FIELD_BUFFER (NORN_CSV_FIELD_LIMIT + 3)

static void *never_grow(void *ptr, size_t size)
{
    (void)ptr;
    (void)size;
    return NULL;
}

static void never_free(void *ptr)
{
    (void)ptr;
}

/* No blank is special to us outside of numbers: a field arrives as it stands. */
static int no_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

/* Lines that end inside these bytes: LF, and CR without a LF behind it. */
static uint64_t count_newlines(const char *text, size_t length)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n' || (text[i] == '\r' && !(i + 1 < length && text[i + 1] == '\n'))) lines++;
    return lines;
}

static norn_status fail_too_long(norn_csv *csv, norn_error *err)
{
    return norn_fail_at(err, NORN_ERR_DATA, csv->name, csv->line, csv->columns + 1,
                        "a field longer than 1 MiB: is there a quote that is never closed?");
}

static void stop(norn_csv *csv, norn_status status)
{
    if (csv->status == NORN_OK) csv->status = status;
}

/* ---- what libcsv calls: it cannot be stopped from here, so both pass once there is an error ---- */

static void on_field(void *text, size_t length, void *user)
{
    norn_csv *csv = user;
    if (csv->status != NORN_OK) return;
    csv->after_cr = false;
    if (csv->columns == 0) csv->row_line = csv->line;
    if (csv->nul && text && memchr(text, 0, length)) {
        stop(csv, norn_fail_at(csv->err, NORN_ERR_DATA, csv->name, csv->line, csv->columns + 1,
                               "a NUL byte: the file is damaged or is not text"));
        return;
    }
    if (length > NORN_CSV_FIELD_LIMIT) {
        stop(csv, fail_too_long(csv, csv->err));
        return;
    }
    stop(csv, csv->events.field(csv->events.user, csv->columns, csv->line, text, length));
    csv->columns++;
    if (text) csv->line += count_newlines(text, length);
}

static void on_row(int terminator, void *user)
{
    norn_csv *csv = user;
    if (csv->status != NORN_OK) return;
    const bool second_half = csv->after_cr && terminator == '\n';
    csv->after_cr = terminator == '\r';
    if (second_half) return;
    stop(csv, csv->events.row(csv->events.user, csv->columns ? csv->row_line : csv->line, csv->columns));
    csv->columns = 0;
    csv->line++;
}

/* ---- reading ---- */

norn_status norn_csv_open(norn_csv *csv, char delimiter, const norn_csv_events *events, const char *name,
                          const norn_host *host, norn_error *err)
{
    memset(csv, 0, sizeof *csv);
    csv->host = *host;
    csv->events = *events;
    csv->name = name;
    csv->line = 1;
    csv->field = host->resize(host->user, NULL, 0, FIELD_BUFFER); /* not zeroed: see above */
    if (!csv->field) return norn_fail_memory(err, "a field of the file");
    (void)csv_init(&csv->parser,
                   CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL | CSV_EMPTY_IS_NULL | CSV_APPEND_NULL);
    csv_set_delim(&csv->parser, (unsigned char)delimiter);
    csv_set_space_func(&csv->parser, no_space);
    csv_set_realloc_func(&csv->parser, never_grow);
    csv_set_free_func(&csv->parser, never_free);
    csv->parser.entry_buf = (unsigned char *)csv->field;
    csv->parser.entry_size = FIELD_BUFFER;
    return NORN_OK;
}

/* libcsv stopped inside the field that begins at csv->line: `at` is the byte it would not take. */
static norn_status fail_syntax(norn_csv *csv, const char *at, norn_error *err)
{
    const uint64_t column = csv->columns + 1;
    const uint64_t here =
        csv->line + count_newlines((const char *)csv->parser.entry_buf, csv->parser.entry_pos);
    char found[16];
    if (csv_error(&csv->parser) != CSV_EPARSE) return fail_too_long(csv, err);
    if (!csv->parser.quoted)
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, here, column,
                            "a quote inside a field that does not begin with one (write the field in quotes "
                            "and double the quotes inside)");
    norn_quote(found, sizeof found, at, 1, 1);
    if (here == csv->line)
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, csv->line, column,
                            "\"%s\" behind the closing quote of a field (a quote inside a field in quotes is "
                            "written twice)",
                            found);
    return norn_fail_at(
        err, NORN_ERR_DATA, csv->name, csv->line, column,
        "the field in quotes that begins here ends at line %llu before \"%s\": its closing quote "
        "is missing, or a quote inside it is not written twice",
        (unsigned long long)here, found);
}

norn_status norn_csv_feed(norn_csv *csv, const char *bytes, size_t size, norn_error *err)
{
    if (csv->status != NORN_OK || size == 0) return csv->status;
    csv->err = err;
    if (!csv->nul && memchr(bytes, 0, size)) csv->nul = true;
    const size_t taken = csv_parse(&csv->parser, bytes, size, on_field, on_row, csv);
    if (csv->status == NORN_OK && taken < size) stop(csv, fail_syntax(csv, bytes + taken, err));
    csv->err = NULL;
    return csv->status;
}

norn_status norn_csv_finish(norn_csv *csv, norn_error *err)
{
    if (csv->status != NORN_OK) return csv->status;
    csv->err = err;
    if (csv_fini(&csv->parser, on_field, on_row, csv) != 0 && csv->status == NORN_OK)
        stop(csv, norn_fail_at(err, NORN_ERR_DATA, csv->name, csv->line, csv->columns + 1,
                               "the field in quotes that begins here is never closed"));
    csv->err = NULL;
    return csv->status;
}

void norn_csv_close(norn_csv *csv)
{
    norn_delete(&csv->host, csv->field, FIELD_BUFFER, 1);
    memset(csv, 0, sizeof *csv);
}

/* ---- what is not CSV ---- */

norn_status norn_csv_check_encoding(const char *bytes, size_t size, const char *name, size_t *skip,
                                    norn_error *err)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *what;
    } known[] = {
        {"\xff\xfe\0\0", 4, "is UTF-32: recode it, as with iconv -f UTF-32 -t UTF-8"},
        {"\xff\xfe", 2, "is UTF-16: recode it, as with iconv -f UTF-16 -t UTF-8"},
        {"\xfe\xff", 2, "is UTF-16: recode it, as with iconv -f UTF-16 -t UTF-8"},
        {"\x1f\x8b", 2, "is packed with gzip: unpack it, as with gunzip -c"},
        {"\x28\xb5\x2f\xfd", 4, "is packed with zstd: unpack it, as with zstd -dc"},
        {"\xfd\x37\x7a\x58\x5a", 5, "is packed with xz: unpack it, as with xz -dc"},
        {"PK\x03\x04", 4, "is a zip archive or a spreadsheet (xlsx, ods): save the sheet as CSV"},
        {"\xd0\xcf\x11\xe0", 4, "is a spreadsheet (xls): save the sheet as CSV"},
        {"PAR1", 4, "is Parquet: write it out as CSV"},
    };
    *skip = 0;
    for (size_t i = 0; i < NORN_COUNT(known); i++)
        if (size >= known[i].length && memcmp(bytes, known[i].magic, known[i].length) == 0)
            return norn_fail_at(err, NORN_ERR_DATA, name, 0, 0, "the file %s", known[i].what);

    /* UTF-16 without its mark: plain characters have a NUL in every other byte. */
    const size_t pairs = (size < 64 ? size : 64) / 2;
    size_t even = 0, odd = 0;
    for (size_t i = 0; i < pairs; i++) {
        even += bytes[2 * i] == 0;
        odd += bytes[2 * i + 1] == 0;
    }
    if (pairs >= 2 && (even == pairs || odd == pairs) && even != odd)
        return norn_fail_at(err, NORN_ERR_DATA, name, 0, 0,
                            "the file is UTF-16: recode it, as with iconv -f UTF-16%s -t UTF-8",
                            even ? "BE" : "LE");
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) *skip = 3;
    return NORN_OK;
}
