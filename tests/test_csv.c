/*
 * The CSV reader: what arrives for which bytes, at which line, whatever the size of the blocks, and which
 * files are refused where.
 */
#include "support.h"

#include "data/csv.h"
#include "data/sample.h"

/* ---- a reading written down as text ---- */

/* Records as "2:[a|b]" (line, fields), blank lines as "2:[]", empty fields without quotes as "-". */
typedef struct written {
    char text[4096];
    size_t used;
    char row[2048];
    size_t row_used;
    uint64_t last_line; /* of the last field */
    size_t stop_after;  /* records until the callback refuses; 0: never */
} written;

static norn_status write_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    written *w = user;
    w->last_line = line;
    if (text) assert_int_equal(text[length], 0);
    if (column == 0) w->row_used = 0;
    w->row_used +=
        (size_t)snprintf(w->row + w->row_used, sizeof w->row - w->row_used, "%s%.*s", column ? "|" : "",
                         text ? (int)(length < 100 ? length : 100) : 1, text ? text : "-");
    return NORN_OK;
}

static norn_status write_row(void *user, uint64_t line, size_t columns)
{
    written *w = user;
    w->used += (size_t)snprintf(w->text + w->used, sizeof w->text - w->used, "%d:[%s]", (int)line,
                                columns ? w->row : "");
    if (w->stop_after && --w->stop_after == 0) return NORN_ERR_CANCELLED;
    return NORN_OK;
}

static norn_status read_bytes(written *w, const char *bytes, size_t size, char delimiter, size_t block,
                              norn_error *err)
{
    const norn_host host = norn_host_copy(NULL);
    const norn_csv_events events = {w, write_field, write_row};
    norn_csv csv;
    norn_status status = norn_csv_open(&csv, delimiter, &events, "f.csv", &host, err);
    for (size_t at = 0; at < size && status == NORN_OK; at += block)
        status = norn_csv_feed(&csv, bytes + at, size - at < block ? size - at : block, err);
    if (status == NORN_OK) status = norn_csv_finish(&csv, err);
    norn_csv_close(&csv);
    return status;
}

/* ---- records ---- */

static void records_arrive_with_their_lines_in_blocks_of_any_size(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *want;
        char delimiter;
    } cases[] = {
        {"", "", ','},
        {"a", "1:[a]", ','},
        {"a,b\n1,2\n", "1:[a|b]2:[1|2]", ','},
        {"a,b\r\n1,2\r\n", "1:[a|b]2:[1|2]", ','},
        {"a,b\r1,2\r", "1:[a|b]2:[1|2]", ','},
        {"a,b\n1,2", "1:[a|b]2:[1|2]", ','},
        {"a,\n,b\n,\n", "1:[a|-]2:[-|b]3:[-|-]", ','},
        {"\"\",b\n", "1:[|b]", ','},
        {"\n\na\n\nb\n", "1:[]2:[]3:[a]4:[]5:[b]", ','},
        {"a\r\n\r\nb\r\n", "1:[a]2:[]3:[b]", ','},
        {"a\r\rb", "1:[a]2:[]3:[b]", ','},
        {"a\rb\nc\r\nd\n", "1:[a]2:[b]3:[c]4:[d]", ','},
        {"a\n\r\nb", "1:[a]2:[]3:[b]", ','},
        {"\"a\nb\",c\nd,e\n", "1:[a\nb|c]3:[d|e]", ','},
        {"\"a\r\nb\r\nc\",d\r\ne,f\r\n", "1:[a\r\nb\r\nc|d]4:[e|f]", ','},
        {"\"a\rb\",c\nd,e\n", "1:[a\rb|c]3:[d|e]", ','},
        {"\"\n\n\n\",c\nd,e\n", "1:[\n\n\n|c]5:[d|e]", ','},
        {"\"say \"\"x\"\"\",b\n", "1:[say \"x\"|b]", ','},
        {" a , b \n", "1:[ a | b ]", ','},
        {"a;b,c\n", "1:[a|b,c]", ';'},
        {"a\tb\n\t\n", "1:[a|b]2:[-|-]", '\t'},
        {"a|b\n", "1:[a|b]", '|'},
        {"\"a,b\",\"c\"\n", "1:[a,b|c]", ','},
        {"\xc3\xa9,\xf0\x9f\x98\x80\n", "1:[\xc3\xa9|\xf0\x9f\x98\x80]", ','},
        {"a \n", "1:[a ]", ','},
        {" a\n", "1:[ a]", ','},
        {"a\t,\tb\n", "1:[a\t|\tb]", ','},
        {" \n", "1:[ ]", ','},
        {"a b,c\td\n", "1:[a b|c\td]", ','},
        {"a b \t\n", "1:[a b |-]", '\t'},
        {"\" a \",\"\t\"\n", "1:[ a |\t]", ','},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        for (size_t block = 1; block <= 64; block = block < 8 ? block + 1 : block * 8) {
            written w = {"", 0, "", 0, 0, 0};
            norn_error err = NORN_ERROR_INIT;
            assert_ok(read_bytes(&w, cases[i].bytes, strlen(cases[i].bytes), cases[i].delimiter, block, &err),
                      &err);
            if (strcmp(w.text, cases[i].want) != 0) {
                char shown[400];
                fail_msg("case %zu, blocks of %zu: got %s", i, block,
                         norn_quote(shown, sizeof shown, w.text, strlen(w.text), 90));
            }
        }
}

/* The line where a field opens, for fields behind a newline in quotes. */
static void a_field_knows_the_line_it_begins_at(void **state)
{
    (void)state;
    written w = {"", 0, "", 0, 0, 0};
    norn_error err = NORN_ERROR_INIT;
    const char *bytes = "a,b\n\"x\ny\r\nz\",\"p\nq\"";
    assert_ok(read_bytes(&w, bytes, strlen(bytes), ',', 5, &err), &err);
    assert_int_equal(w.last_line, 4);
}

static void syntax_errors_have_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int line, column;
        const char *message;
    } cases[] = {
        {"a,b\n1,x\"y\n", 2, 2, "a quote inside a field that does not begin with one"},
        {"a,b\n1,\"x\" y\n", 2, 2, "\" \" behind the closing quote"},
        {"a,b\n\"x\"y,1\n", 2, 1, "\"y\" behind the closing quote"},
        {"a,b\n1,2\n\"x,3\n4,5\n", 3, 1, "the field in quotes that begins here is never closed"},
        {"a,b\r\n1,\"", 2, 2, "never closed"},
        {"a,b\n1,\"x\n2,y\"z\n", 2, 2, "the field in quotes that begins here ends at line 3 before \"z\""},
        {"a,\"b\nc\",d\n1,2\"\n", 3, 2, "a quote inside a field"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        for (size_t block = 1; block <= 64; block *= 4) {
            written w = {"", 0, "", 0, 0, 0};
            norn_error err = NORN_ERROR_INIT;
            assert_int_equal(read_bytes(&w, cases[i].bytes, strlen(cases[i].bytes), ',', block, &err),
                             NORN_ERR_DATA);
            if (err.line != (uint64_t)cases[i].line || err.column != (uint64_t)cases[i].column ||
                !strstr(err.message, cases[i].message))
                fail_msg("case %zu: %d:%d: %s", i, (int)err.line, (int)err.column, err.message);
            assert_string_equal(err.file, "f.csv");
        }
}

/* libcsv as it is, asking about blanks at every byte: what the reader must give in any blocks, whatever
 * libcsv's own rules for blanks are. */
typedef struct plain {
    written w;
    size_t columns;
    uint64_t rows;
    bool after_cr;
} plain;

static void plain_field(void *text, size_t length, void *user)
{
    plain *p = user;
    p->after_cr = false;
    (void)write_field(&p->w, p->columns++, 0, text, length);
}

static void plain_row(int terminator, void *user)
{
    plain *p = user;
    const bool second_half = p->after_cr && terminator == '\n';
    p->after_cr = terminator == '\r';
    if (second_half) return;
    (void)write_row(&p->w, 0, p->columns);
    p->columns = 0;
    p->rows++;
}

static int never_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

static norn_status write_row_without_line(void *user, uint64_t line, size_t columns)
{
    (void)line;
    return write_row(user, 0, columns);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void blanks_stay_where_they_stand_in_any_text(void **state)
{
    (void)state;
    static const char alphabet[] = "  \t\t,,;\"\"\n\n\rabc";
    static const char delimiters[] = {',', ';', '\t', ' '};
    const norn_host host = norn_host_copy(NULL);
    uint64_t seed = 11400714819323198485u;
    size_t sound = 0;
    for (size_t i = 0; i < 20000; i++) {
        char bytes[48];
        const size_t size = 1 + next_random(&seed) % (sizeof bytes - 1);
        for (size_t k = 0; k < size; k++) bytes[k] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        const char delimiter = delimiters[i % NORN_COUNT(delimiters)];

        plain want;
        memset(&want, 0, sizeof want);
        struct csv_parser parser;
        assert_int_equal(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL | CSV_EMPTY_IS_NULL |
                                               CSV_APPEND_NULL),
                         0);
        csv_set_delim(&parser, (unsigned char)delimiter);
        csv_set_space_func(&parser, never_space);
        bool good = csv_parse(&parser, bytes, size, plain_field, plain_row, &want) == size;
        good = good && csv_fini(&parser, plain_field, plain_row, &want) == 0;
        csv_free(&parser);
        sound += good;

        for (size_t block = 1; block <= size; block = block * 3 + 1) {
            written w;
            memset(&w, 0, sizeof w);
            norn_csv csv;
            const norn_csv_events events = {&w, write_field, write_row_without_line};
            assert_ok(norn_csv_open(&csv, delimiter, &events, "f", &host, NULL), NULL);
            norn_status status = NORN_OK;
            for (size_t at = 0; at < size && status == NORN_OK; at += block)
                status = norn_csv_feed(&csv, bytes + at, size - at < block ? size - at : block, NULL);
            if (status == NORN_OK) status = norn_csv_finish(&csv, NULL);
            assert_int_equal(status, good ? NORN_OK : NORN_ERR_DATA);
            assert_string_equal(w.text, want.w.text);
            if (good) assert_true(csv.lf + csv.crlf + csv.cr <= csv.line - 1);
            norn_csv_close(&csv);
        }
    }
    assert_true(sound > 1000); /* the texts are not all refused */
}

static void what_is_not_utf8_is_refused_with_its_byte(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int line, column;
        const char *message;
    } cases[] = {
        {"a,caf\xe9\n", 1, 2,
         "byte 0xE9 is not UTF-8 (is the file Latin-1? recode it with iconv -f LATIN1 -t UTF-8)"},
        {"a,b\n1,\"x\ny\r\nz\xb0\"\n", 4, 2, "byte 0xB0 is not UTF-8"},
        {"a\n\x93quoted\x94\n", 2, 1,
         "byte 0x93 is not UTF-8 (is the file Windows-1252? recode it with iconv -f CP1252"},
        {"\xc3\xa9,\xc3", 1, 2, "byte 0xC3"},
        {"\xc0\xaf\n", 1, 1, "byte 0xC0"},         /* overlong */
        {"\xe0\x9f\xbf\n", 1, 1, "byte 0xE0"},     /* overlong */
        {"\xf0\x8f\xbf\xbf\n", 1, 1, "byte 0xF0"}, /* overlong */
        {"\xed\xa0\x80\n", 1, 1, "byte 0xED"},     /* a surrogate */
        {"\xf4\x90\x80\x80\n", 1, 1, "byte 0xF4"}, /* beyond U+10FFFF */
        {"a,\xe2\x82\n", 1, 2, "byte 0xE2"},       /* cut short */
        {"a,\xe2\x82,\xac\n", 1, 2, "byte 0xE2"},  /* by the delimiter */
        {"ok\nok,\xff\xfe\n", 2, 2, "byte 0xFF"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        for (size_t block = 1; block <= 200; block = block * 2 + 1)
            for (int lines = 0; lines <= 2; lines++) { /* in front and behind, of more than a vector */
                static const char longer[] = "0123456789,0123456789\n0123456789,0123456789\n";
                char bytes[200];
                norn_error err = NORN_ERROR_INIT;
                written w = {"", 0, "", 0, 0, 0};
                (void)snprintf(bytes, sizeof bytes, "%.*s%s\n%s", 22 * lines, longer, cases[i].bytes, longer);
                assert_int_equal(read_bytes(&w, bytes, strlen(bytes), ',', block, &err), NORN_ERR_DATA);
                if (err.line != (uint64_t)(cases[i].line + lines) ||
                    err.column != (uint64_t)cases[i].column ||
                    strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
                    fail_msg("case %zu: %d:%d: %s", i, (int)err.line, (int)err.column, err.message);
            }
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "a\xc3\xa9z"};
    for (size_t i = 0; i < NORN_COUNT(good); i++)
        assert_int_equal(norn_utf8_valid(good[i], strlen(good[i])), strlen(good[i]));
}

static void newlines_are_counted_by_kind_and_not_in_quotes(void **state)
{
    (void)state;
    static const char bytes[] = "a\nb\r\nc\rd\r\n\"x\ny\r\nz\r\",\n\r\n\re";
    const norn_host host = norn_host_copy(NULL);
    for (size_t block = 1; block <= sizeof bytes; block++) {
        written w = {"", 0, "", 0, 0, 0};
        const norn_csv_events events = {&w, write_field, write_row};
        norn_csv csv;
        assert_ok(norn_csv_open(&csv, ',', &events, "f", &host, NULL), NULL);
        for (size_t at = 0; at < sizeof bytes - 1; at += block)
            assert_ok(norn_csv_feed(&csv, bytes + at,
                                    sizeof bytes - 1 - at < block ? sizeof bytes - 1 - at : block, NULL),
                      NULL);
        assert_ok(norn_csv_finish(&csv, NULL), NULL);
        assert_int_equal(csv.lf, 2);
        assert_int_equal(csv.crlf, 3);
        assert_int_equal(csv.cr, 2);
        norn_csv_close(&csv);
    }
}

/* Between records: the line counts, nothing is called for it, and its CR takes the LF behind it along. */
static void a_line_left_out_counts_and_is_no_blank_line(void **state)
{
    (void)state;
    written w = {"", 0, "", 0, 0, 0};
    const norn_host host = norn_host_copy(NULL);
    const norn_csv_events events = {&w, write_field, write_row};
    norn_csv csv;
    assert_ok(norn_csv_open(&csv, ',', &events, "f", &host, NULL), NULL);
    norn_csv_skip_line(&csv, '\n');
    assert_ok(norn_csv_feed(&csv, "a\r", 2, NULL), NULL);
    norn_csv_skip_line(&csv, '\n'); /* a line of its own, not the second half of the CR */
    assert_ok(norn_csv_feed(&csv, "\n", 1, NULL), NULL);
    norn_csv_skip_line(&csv, '\r');
    assert_ok(norn_csv_feed(&csv, "\n\nb\n", 4, NULL), NULL);
    norn_csv_restart(&csv, 7);
    assert_ok(norn_csv_feed(&csv, "c", 1, NULL), NULL);
    assert_ok(norn_csv_finish(&csv, NULL), NULL);
    assert_string_equal(w.text, "2:[a]4:[]6:[]7:[b]7:[c]");
    norn_csv_close(&csv);
}

static void a_nul_byte_is_refused_with_its_position(void **state)
{
    (void)state;
    static const char bytes[] = "a,b\n1,2\n3,4\0005\n678901234567,89012345678901234567890\n";
    for (size_t block = 1; block <= 64; block *= 2) {
        written w = {"", 0, "", 0, 0, 0};
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(read_bytes(&w, bytes, sizeof bytes - 1, ',', block, &err), NORN_ERR_DATA);
        assert_int_equal(err.line, 3);
        assert_int_equal(err.column, 2);
        assert_non_null(strstr(err.message, "NUL"));
    }
}

static void a_field_may_have_a_mebibyte_and_no_byte_more(void **state)
{
    (void)state;
    const size_t limit = NORN_CSV_FIELD_LIMIT;
    char *bytes = malloc(limit + 16);
    assert_non_null(bytes);
    for (int more = 0; more <= 1; more++)
        for (int quoted = 0; quoted <= 1; quoted++) {
            size_t size = 0;
            memcpy(bytes, "a\nb,", 4);
            size = 4;
            if (quoted) bytes[size++] = '"';
            memset(bytes + size, 'x', limit + (size_t)more);
            size += limit + (size_t)more;
            if (quoted) bytes[size++] = '"';
            bytes[size++] = '\n';
            written w = {"", 0, "", 0, 0, 0};
            norn_error err = NORN_ERROR_INIT;
            const norn_status status = read_bytes(&w, bytes, size, ',', 65536, &err);
            assert_int_equal(status, more ? NORN_ERR_DATA : NORN_OK);
            if (!more) continue;
            assert_int_equal(err.line, 2);
            assert_int_equal(err.column, 2);
            assert_non_null(strstr(err.message, "longer than 1 MiB"));
        }
    free(bytes);
}

static void the_status_of_a_callback_ends_the_reading(void **state)
{
    (void)state;
    written w = {"", 0, "", 0, 0, 2};
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(read_bytes(&w, "a\nb\nc\nd\n", 8, ',', 8, &err), NORN_ERR_CANCELLED);
    assert_string_equal(w.text, "1:[a]2:[b]");
}

static void files_that_are_not_text_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"\xff\xfe"
         "a\0,\0",
         6, "is UTF-16"},
        {"\xfe\xff\0a\0,", 6, "is UTF-16"},
        {"\xff\xfe\0\0a\0\0\0", 8, "is UTF-32"},
        {"a\0,\0b\0\n\0", 8, "UTF-16LE"},
        {"\0a\0,\0b\0\n", 8, "UTF-16BE"},
        {"\x1f\x8b\x08\0", 4, "gunzip"},
        {"PK\x03\x04", 4, "xlsx"},
        {"PAR1\x15\x04", 6, "Parquet"},
        {"\0\0\xfe\xff\0\0\0a", 8, "is UTF-32"},
        {"BZh91AY&SY", 10, "bzip2"},
        {"%PDF-1.4", 8, "PDF"},
        {"\x89HDF\r\n", 6, "HDF5"},
        {"<!DOCTYPE html>", 15, "web page"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
        {"\xfd"
         "7zXZ",
         5, "xz"},
    };
    static const char *const csv[] = {"PAR1,PAR2\n1,2\n", "PK,b\n", "CDF,a\n", "ustar\n"};
    size_t skip;
    for (size_t i = 0; i < NORN_COUNT(csv); i++)
        assert_int_equal(norn_csv_check_encoding(csv[i], strlen(csv[i]), "f", &skip, NULL), NORN_OK);
    char tar[512] = "values.csv";
    memcpy(tar + 257, "ustar", 5);
    assert_int_equal(norn_csv_check_encoding(tar, sizeof tar, "f", &skip, NULL), NORN_ERR_DATA);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_csv_check_encoding(cases[i].bytes, cases[i].size, "f", &skip, &err),
                         NORN_ERR_DATA);
        if (!strstr(err.message, cases[i].message)) fail_msg("case %zu: %s", i, err.message);
    }
    assert_int_equal(norn_csv_check_encoding("\xef\xbb\xbf"
                                             "a",
                                             4, "f", &skip, NULL),
                     NORN_OK);
    assert_int_equal(skip, 3);
    assert_int_equal(norn_csv_check_encoding("a,b\n", 4, "f", &skip, NULL), NORN_OK);
    assert_int_equal(skip, 0);
    assert_int_equal(norn_csv_check_encoding("", 0, "f", &skip, NULL), NORN_OK);
}

/* ---- the delimiter ---- */

static void a_decimal_comma_does_not_separate_fields(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        char decimal, want;
    } cases[] = {
        {"1,5;2,5\n3,5;4,5\n", ',', ';'}, {"1,5\t2,5\n3\t4,5\n", ',', '\t'}, {"1,5\n2,5\n", ',', 0},
        {"1,5\n2,5\n", 0, ','},           {"1.5,2.5\n3.5,4.5\n", '.', ','},
    };
    const norn_host host = norn_host_copy(NULL);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char got = '?';
        assert_ok(norn_sample_delimiter(&got, cases[i].decimal, cases[i].bytes, strlen(cases[i].bytes), true,
                                        "f", &host, NULL),
                  NULL);
        if (got != cases[i].want) fail_msg("case %zu: '%c'", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_with_their_lines_in_blocks_of_any_size),
        cmocka_unit_test(a_field_knows_the_line_it_begins_at),
        cmocka_unit_test(syntax_errors_have_line_and_column),
        cmocka_unit_test(blanks_stay_where_they_stand_in_any_text),
        cmocka_unit_test(what_is_not_utf8_is_refused_with_its_byte),
        cmocka_unit_test(newlines_are_counted_by_kind_and_not_in_quotes),
        cmocka_unit_test(a_line_left_out_counts_and_is_no_blank_line),
        cmocka_unit_test(a_nul_byte_is_refused_with_its_position),
        cmocka_unit_test(a_field_may_have_a_mebibyte_and_no_byte_more),
        cmocka_unit_test(the_status_of_a_callback_ends_the_reading),
        cmocka_unit_test(files_that_are_not_text_are_refused_by_name),
        cmocka_unit_test(a_decimal_comma_does_not_separate_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
