/*
 * The CSV reader and single cells: what arrives for which bytes, at which line, whatever the size of the
 * blocks, and which files are refused where.
 */
#include "support.h"

#include "data/cell.h"
#include "data/csv.h"

#include <locale.h>

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
        {"\xc3\xa9,\xff\n", "1:[\xc3\xa9|\xff]", ','},
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

static void a_nul_byte_is_refused_with_its_position(void **state)
{
    (void)state;
    static const char bytes[] = "a,b\n1,2\n3,4\0005\n";
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
        {"PAR1", 4, "Parquet"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
        {"\xfd"
         "7zXZ",
         5, "xz"},
    };
    size_t skip;
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

/* ---- cells ---- */

static void only_plain_finite_numbers_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"-0", -0.0},
        {"1", 1},
        {"+1", 1},
        {"1.5", 1.5},
        {".5", .5},
        {"5.", 5},
        {"-.25e2", -25},
        {"1e3", 1000},
        {"1E-3", 1e-3},
        {"1e+3", 1000},
        {"0001.50", 1.5},
        {"1e-400", 0},
        {"4.9e-324", 4.9406564584124654e-324},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740992", 9007199254740992.0},
        {"0.1", 0.1},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    static const char *const bad[] = {"",      "-",    "+",        ".",   "e5",        "1e",    "1e+",
                                      "0x10",  "inf",  "nan",      "1,5", "1 2",       "1.2.3", "--1",
                                      "1e999", "1d",   "1_000",    "+-1", "-inf",      "NaN",   "1e1.5",
                                      "١",     "1.5f", "Infinity", "1-2", "2024-01-01"};
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, NULL), NULL);
    double value = -7;
    for (size_t i = 0; i < NORN_COUNT(good); i++) {
        if (!norn_number_parse(&numbers, good[i].text, strlen(good[i].text), &value))
            fail_msg("%s", good[i].text);
        if (memcmp(&value, &good[i].value, sizeof value) != 0)
            fail_msg("%s read as %.17g", good[i].text, value);
    }
    value = -7;
    for (size_t i = 0; i < NORN_COUNT(bad); i++)
        if (norn_number_parse(&numbers, bad[i], strlen(bad[i]), &value)) fail_msg("%s", bad[i]);
    assert_true(value == -7);
    assert_false(norn_number_parse(&numbers, "1\0002", 3, &value));
    norn_numbers_close(&numbers);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void every_number_is_the_nearest_double(void **state)
{
    (void)state;
    static const char *const formats[] = {"%.17g", "%.15g", "%.6f", "%.3e", "%.0f", "%.22e"};
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, NULL), NULL);
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < 300000; i++) {
        uint64_t bits = next_random(&seed);
        double number;
        if (i % 2)
            number = (double)(int64_t)(bits >> 20) / 1e4;
        else
            memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) continue;
        char text[400];
        const int length = snprintf(text, sizeof text, formats[i % NORN_COUNT(formats)], number);
        const double want = strtod(text, NULL); /* the C locale: no setlocale yet */
        double got = 0;
        if (!norn_number_parse(&numbers, text, (size_t)length, &got) || memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s read as %.17g", text, got);
    }
    norn_numbers_close(&numbers);
}

static void the_locale_of_the_host_changes_no_number(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    bool found = false;
    for (size_t i = 0; i < NORN_COUNT(locales) && !found; i++) found = setlocale(LC_ALL, locales[i]) != NULL;
    if (!found) {
        print_message("no locale with a decimal comma is installed: not tried\n");
        skip();
    }
    norn_numbers numbers;
    double value = 0;
    assert_ok(norn_numbers_open(&numbers, NULL), NULL);
    assert_true(
        norn_number_parse(&numbers, "0.12345678901234567", 19, &value)); /* takes the way through strtod */
    assert_true(value == 0.12345678901234567);
    norn_numbers_close(&numbers);
    (void)setlocale(LC_ALL, "C");
}

static void missing_texts_are_the_usual_ones_and_those_told(void **state)
{
    (void)state;
    const norn_missing usual = norn_missing_init(NULL), told = norn_missing_init("., -999 ,none");
    static const char *const always[] = {"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
    static const char *const never[] = {"na", "0", "NAN", "-", "none.", "Null"};
    static const char *const if_told[] = {".", "-999", "none"};
    for (size_t i = 0; i < NORN_COUNT(always); i++) {
        assert_true(norn_is_missing(&usual, always[i], strlen(always[i])));
        assert_true(norn_is_missing(&told, always[i], strlen(always[i])));
    }
    for (size_t i = 0; i < NORN_COUNT(never); i++)
        assert_false(norn_is_missing(&told, never[i], strlen(never[i])));
    for (size_t i = 0; i < NORN_COUNT(if_told); i++) {
        assert_false(norn_is_missing(&usual, if_told[i], strlen(if_told[i])));
        assert_true(norn_is_missing(&told, if_told[i], strlen(if_told[i])));
    }
    assert_true(norn_is_missing(&usual, NULL, 0));
    assert_true(told.numeric);
    assert_false(usual.numeric);
    assert_false(norn_missing_init("none,missing").numeric);
}

static void blanks_are_trimmed_from_both_ends(void **state)
{
    (void)state;
    size_t length = 8;
    const char *text = norn_trim(" \t a b\r\n", &length);
    assert_int_equal(length, 3);
    assert_memory_equal(text, "a b", 3);
    length = 3;
    (void)norn_trim(" \t ", &length);
    assert_int_equal(length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_with_their_lines_in_blocks_of_any_size),
        cmocka_unit_test(a_field_knows_the_line_it_begins_at),
        cmocka_unit_test(syntax_errors_have_line_and_column),
        cmocka_unit_test(a_nul_byte_is_refused_with_its_position),
        cmocka_unit_test(a_field_may_have_a_mebibyte_and_no_byte_more),
        cmocka_unit_test(the_status_of_a_callback_ends_the_reading),
        cmocka_unit_test(files_that_are_not_text_are_refused_by_name),
        cmocka_unit_test(only_plain_finite_numbers_are_numbers),
        cmocka_unit_test(every_number_is_the_nearest_double),
        cmocka_unit_test(the_locale_of_the_host_changes_no_number),
        cmocka_unit_test(missing_texts_are_the_usual_ones_and_those_told),
        cmocka_unit_test(blanks_are_trimmed_from_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
