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
 *
 * How it is kept fast: what most blocks do not contain (NUL, bytes beyond ASCII, quotes, blanks at the ends
 * of fields) is looked for in the block as a whole, which costs next to nothing, and in single fields only
 * after it was seen.
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
    unsigned char any = 0; /* without a branch, for the fields that have none */
    for (size_t i = 0; i < length; i++) any = (unsigned char)(any | (text[i] == '\n') | (text[i] == '\r'));
    if (!any) return 0;
    uint64_t lines = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n' || (text[i] == '\r' && !(i + 1 < length && text[i + 1] == '\n'))) lines++;
    return lines;
}

/* Stops in the field under way; `line` is where. */
static void stop(norn_csv *csv, norn_csv_defect defect, uint64_t line, unsigned char byte)
{
    csv->status = NORN_ERR_DATA;
    csv->defect = defect;
    csv->defect_line = line;
    csv->defect_column = csv->columns + 1;
    csv->defect_byte = byte;
}

/* ---- UTF-8 ---- */

size_t norn_utf8_valid(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;
    while (i < length) {
        const unsigned char lead = bytes[i];
        if (lead < 0x80) {
            i++;
            continue;
        }
        /* The second byte's range shuts out overlong forms, surrogates and what is beyond U+10FFFF (Unicode,
         * table 3-7). */
        const size_t more = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : 3;
        const unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        const unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (lead < 0xc2 || lead > 0xf4 || length - i <= more) return i;
        if (bytes[i + 1] < least || bytes[i + 1] > most) return i;
        for (size_t k = 2; k <= more; k++)
            if ((bytes[i + k] & 0xc0) != 0x80) return i;
        i += more + 1;
    }
    return length;
}

/* ---- what libcsv calls: it cannot be stopped from here, so both pass once there is an error ---- */

static void on_field(void *text, size_t length, void *user)
{
    norn_csv *csv = user;
    if (csv->status != NORN_OK) return;
    csv->after_cr = false;
    if (csv->columns == 0) csv->row_line = csv->line;
    if (csv->nul && text) {
        const char *nul = memchr(text, 0, length);
        if (nul) {
            stop(csv, NORN_CSV_NUL, csv->line + count_newlines(text, (size_t)(nul - (const char *)text)), 0);
            return;
        }
    }
    if (length > NORN_CSV_FIELD_LIMIT) {
        stop(csv, NORN_CSV_TOO_LONG, csv->line, 0);
        return;
    }
    if (csv->high && text) {
        const size_t valid = norn_utf8_valid(text, length);
        if (valid < length) {
            stop(csv, NORN_CSV_NOT_UTF8, csv->line + count_newlines(text, valid),
                 ((const unsigned char *)text)[valid]);
            return;
        }
    }
    csv->status = csv->events.field(csv->events.user, csv->columns, csv->line, text, length);
    csv->columns++;
    if (csv->quote && text) csv->line += count_newlines(text, length);
}

static void on_row(int terminator, void *user)
{
    norn_csv *csv = user;
    if (csv->status != NORN_OK) return;
    const bool second_half = csv->after_cr && terminator == '\n';
    csv->after_cr = terminator == '\r';
    if (second_half) {
        csv->cr--;
        csv->crlf++;
        return;
    }
    csv->cr += terminator == '\r';
    csv->lf += terminator == '\n';
    csv->status = csv->events.row(csv->events.user, csv->columns ? csv->row_line : csv->line, csv->columns);
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
    csv->field = host->resize(host->user, NULL, 0, FIELD_BUFFER); /* not zeroed: see above */
    if (!csv->field) return norn_fail_memory(err, "a field of the file");
    csv->parser.delim_char = (unsigned char)delimiter;
    norn_csv_restart(csv, 1);
    return NORN_OK;
}

void norn_csv_restart(norn_csv *csv, uint64_t line)
{
    const unsigned char delimiter = csv->parser.delim_char;
    (void)csv_init(&csv->parser,
                   CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL | CSV_EMPTY_IS_NULL | CSV_APPEND_NULL);
    csv_set_delim(&csv->parser, delimiter);
    csv_set_realloc_func(&csv->parser, never_grow);
    csv_set_free_func(&csv->parser, never_free);
    csv->parser.entry_buf = (unsigned char *)csv->field;
    csv->parser.entry_size = FIELD_BUFFER;
    csv->line = line;
    csv->columns = 0;
    csv->after_cr = csv->nul = csv->high = csv->quote = false;
    csv->lf = csv->crlf = csv->cr = 0;
    csv->status = NORN_OK;
    csv->defect = NORN_CSV_SOUND;
}

/* libcsv stopped inside the field that begins at csv->line: `byte` is what it would not take. */
static void stop_at(norn_csv *csv, unsigned char byte)
{
    if (csv_error(&csv->parser) != CSV_EPARSE) {
        stop(csv, NORN_CSV_TOO_LONG, csv->line, 0);
        return;
    }
    const uint64_t here =
        csv->line + count_newlines((const char *)csv->parser.entry_buf, csv->parser.entry_pos);
    if (!csv->parser.quoted) {
        stop(csv, NORN_CSV_STRAY_QUOTE, here, byte);
        return;
    }
    stop(csv, NORN_CSV_BEHIND_QUOTE, csv->line, byte);
    csv->defect_end = here;
}

/* What a block contains anywhere, each 0 or not. */
typedef struct block_look {
    unsigned char nul, high, quote;
    unsigned char blank; /* a blank at an end of a field, or of the block */
} block_look;

/* Compilers do not find their way to vectors from bytes and conditions, so they are led: comparing vectors
 * gives 0 or 255 for each byte. BLANK and EDGE are the same for vectors and for bytes. */
#define BLANK(b) (((b) == ' ') | ((b) == tab))
#define EDGE(b)  (((b) == (unsigned char)delimiter) | ((b) == '\n') | ((b) == '\r') | ((b) == '"'))

static block_look look_over(const char *bytes, size_t size, char delimiter)
{
    const unsigned char tab = delimiter == '\t' ? ' ' : '\t';
    block_look found = {0, 0, 0, 0};
    size_t i = 0;
#ifdef __GNUC__
    typedef unsigned char vector __attribute__((vector_size(16)));
    vector nul = {0}, high = {0}, quote = {0}, blank = {0};
    for (; i + sizeof(vector) < size; i += sizeof(vector)) {
        vector here, next;
        memcpy(&here, bytes + i, sizeof here);
        memcpy(&next, bytes + i + 1, sizeof next);
        nul |= (vector)(here == 0);
        high |= here;
        quote |= (vector)(here == '"');
        blank |= (vector)((BLANK(here) & EDGE(next)) | (EDGE(here) & BLANK(next)));
    }
    for (size_t k = 0; k < sizeof(vector); k++) {
        found.nul |= nul[k];
        found.high |= high[k] & 0x80;
        found.quote |= quote[k];
        found.blank |= blank[k];
    }
#endif
    /* From here on byte by byte; what precedes the first and follows the last one is not known. */
    unsigned char before = i ? (unsigned char)bytes[i - 1] : '\n';
    for (; i < size; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        found.nul |= byte == 0;
        found.high |= byte & 0x80;
        found.quote |= byte == '"';
        found.blank |= (BLANK(before) & EDGE(byte)) | (EDGE(before) & BLANK(byte));
        before = byte;
    }
    found.blank |= BLANK((unsigned char)bytes[0]) | BLANK(before);
    return found;
}

norn_status norn_csv_feed(norn_csv *csv, const char *bytes, size_t size, norn_error *err)
{
    if (csv->status != NORN_OK || size == 0) return csv->status;
    const block_look found = look_over(bytes, size, (char)csv->parser.delim_char);
    csv->nul = csv->nul || found.nul;
    csv->high = csv->high || found.high;
    csv->quote = csv->quote || found.quote;
    /* libcsv's own rules strip blanks at the ends of fields; where there are none, they run a quarter faster
     * than a function that is asked at every byte. */
    csv_set_space_func(&csv->parser, found.blank ? no_space : NULL);
    const size_t taken = csv_parse(&csv->parser, bytes, size, on_field, on_row, csv);
    if (csv->status == NORN_OK && taken < size) stop_at(csv, (unsigned char)bytes[taken]);
    return norn_csv_describe(csv, 0, err);
}

void norn_csv_skip_line(norn_csv *csv, char newline)
{
    if (csv->status != NORN_OK) return;
    csv->after_cr = newline == '\r';
    csv->cr += newline == '\r';
    csv->lf += newline == '\n';
    csv->line++;
}

norn_status norn_csv_finish(norn_csv *csv, norn_error *err)
{
    if (csv->status != NORN_OK) return csv->status;
    csv_set_space_func(&csv->parser, no_space);
    if (csv_fini(&csv->parser, on_field, on_row, csv) != 0 && csv->status == NORN_OK)
        stop(csv, NORN_CSV_NEVER_CLOSED, csv->line, 0);
    return norn_csv_describe(csv, 0, err);
}

size_t norn_csv_pending(const norn_csv *csv)
{
    return csv->parser.entry_pos;
}

void norn_csv_close(norn_csv *csv)
{
    norn_delete(&csv->host, csv->field, FIELD_BUFFER, 1);
    memset(csv, 0, sizeof *csv);
}

/* ---- what was wrong ---- */

norn_status norn_csv_describe(const norn_csv *csv, uint64_t base, norn_error *err)
{
    const uint64_t line = base + csv->defect_line, column = csv->defect_column;
    const char byte = (char)csv->defect_byte;
    char found[16];
    switch (csv->defect) {
    case NORN_CSV_SOUND:
        return csv->status;
    case NORN_CSV_TOO_LONG:
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "a field longer than 1 MiB: is there a quote that is never closed?");
    case NORN_CSV_NUL:
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "a NUL byte: the file is damaged or is not text");
    case NORN_CSV_NOT_UTF8: /* what Windows-1252 has beyond Latin-1 is no text there */
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "byte 0x%02X is not UTF-8 (is the file %s? recode it with iconv -f %s -t UTF-8)",
                            csv->defect_byte, csv->defect_byte < 0xa0 ? "Windows-1252" : "Latin-1",
                            csv->defect_byte < 0xa0 ? "CP1252" : "LATIN1");
    case NORN_CSV_STRAY_QUOTE:
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "a quote inside a field that does not begin with one (write the field in quotes "
                            "and double the quotes inside)");
    case NORN_CSV_NEVER_CLOSED:
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "the field in quotes that begins here is never closed");
    case NORN_CSV_BEHIND_QUOTE:
        break;
    }
    norn_quote(found, sizeof found, &byte, 1, 1);
    if (csv->defect_end == csv->defect_line)
        return norn_fail_at(err, NORN_ERR_DATA, csv->name, line, column,
                            "\"%s\" behind the closing quote of a field (a quote inside a field in quotes is "
                            "written twice)",
                            found);
    return norn_fail_at(
        err, NORN_ERR_DATA, csv->name, line, column,
        "the field in quotes that begins here ends at line %llu before \"%s\": its closing quote "
        "is missing, or a quote inside it is not written twice",
        (unsigned long long)(base + csv->defect_end), found);
}

/* ---- what is not CSV ---- */

norn_status norn_csv_check_encoding(const char *bytes, size_t size, const char *name, size_t *skip,
                                    norn_error *err)
{
    static const struct {
        const char *magic;
        size_t length, at;
        const char *what;
    } known[] = {
        {"\xff\xfe\0\0", 4, 0, "is UTF-32: recode it, as with iconv -f UTF-32 -t UTF-8"},
        {"\0\0\xfe\xff", 4, 0, "is UTF-32: recode it, as with iconv -f UTF-32 -t UTF-8"},
        {"\xff\xfe", 2, 0, "is UTF-16: recode it, as with iconv -f UTF-16 -t UTF-8"},
        {"\xfe\xff", 2, 0, "is UTF-16: recode it, as with iconv -f UTF-16 -t UTF-8"},
        {"\x1f\x8b", 2, 0, "is packed with gzip: unpack it, as with gunzip -c"},
        {"\x28\xb5\x2f\xfd", 4, 0, "is packed with zstd: unpack it, as with zstd -dc"},
        {"\xfd\x37\x7a\x58\x5a", 5, 0, "is packed with xz: unpack it, as with xz -dc"},
        {"1AY&SY", 6, 4, "is packed with bzip2: unpack it, as with bunzip2 -c"},
        {"ustar", 5, 257, "is a tar archive: take the CSV file out of it, as with tar -x"},
        {"PK\x03\x04", 4, 0, "is a zip archive or a spreadsheet (xlsx, ods): save the sheet as CSV"},
        {"\xd0\xcf\x11\xe0", 4, 0, "is a spreadsheet (xls): save the sheet as CSV"},
        {"PAR1\x15", 5, 0, "is Parquet: write it out as CSV"}, /* PAR1 alone may be a column's name */
        {"ARROW1\0", 7, 0, "is Arrow (Feather): write it out as CSV"},
        {"\x89HDF", 4, 0, "is HDF5: write it out as CSV"},
        {"CDF\x01", 4, 0, "is NetCDF: write it out as CSV"},
        {"CDF\x02", 4, 0, "is NetCDF: write it out as CSV"},
        {"\x93NUMPY", 6, 0, "is an array of NumPy: write it out as CSV, as with numpy.savetxt"},
        {"SQLite format 3", 15, 0, "is a database of SQLite: write a table out as CSV"},
        {"%PDF-", 5, 0, "is PDF: it holds no table that can be read"},
        {"<!DOCTYPE html", 14, 0, "is a web page: download the CSV file itself"},
        {"<!doctype html", 14, 0, "is a web page: download the CSV file itself"},
        {"<html", 5, 0, "is a web page: download the CSV file itself"},
    };
    *skip = 0;
    for (size_t i = 0; i < NORN_COUNT(known); i++)
        if (size >= known[i].at + known[i].length &&
            memcmp(bytes + known[i].at, known[i].magic, known[i].length) == 0)
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
