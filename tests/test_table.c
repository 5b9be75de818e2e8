/*
 * Reading files that are not all well: missing cells, what is refused where and with which mend, and that
 * nothing depends on how a file is written, how it arrives and what the host's services do.
 */
#include "table_support.h"

#include <norn/norn.h>

#include <sys/stat.h>

/* ---- missing cells ---- */

static void missing_cells_take_the_value_before_when_told(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.on_missing = NORN_MISSING_FFILL;
    o.on_missing_input = NORN_MISSING_FFILL;
    o.past = "x";
    o.na = ".,-999";
    norn_table *t = must_read("id,t,x,y\nA,1,1,10\nB,1,2,20\nA,2,,11\nA,3,NA,.\nB,2,-999,-999\nA,4,NaN,\n"
                              "B,3,5,\nA,5,,12\nB,4,6,21\n",
                              &o);
    static const double y_a[] = {10, 11, 11, 11, 12}, x_a[] = {1, 1, 1, 1, 1}, y_b[] = {20, 20, 20, 21},
                        x_b[] = {2, 2, 5, 6};
    assert_memory_equal(norn_table_target(t, 0), y_a, sizeof y_a);
    assert_memory_equal(norn_table_past(t, 0, 0), x_a, sizeof x_a);
    assert_memory_equal(norn_table_target(t, 1), y_b, sizeof y_b);
    assert_memory_equal(norn_table_past(t, 1, 0), x_b, sizeof x_b);
    size_t count, said = 0;
    const norn_decision *d = norn_table_decisions(t, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(d[i].what, "missing") != 0) continue;
        assert_string_equal(d[i].text,
                            said == 0 ? "4 cells of \"y\" filled with the value before, at most 2 in a row"
                                      : "5 cells of \"x\" filled with the value before, at most 4 in a row");
        assert_string_equal(d[i].flag, said == 0 ? "--on-missing" : "--on-missing-input");
        said++;
    }
    assert_int_equal(said, 2);
    norn_table_free(t);

    o.past = NULL;
    t = must_read("id,t,y\nA,1,1\nA,2,\nB,1,5\n", &o);
    assert_int_equal(norn_table_series_count(t), 2);
    norn_table_free(t);
}

static void the_fills_of_many_columns_are_all_counted(void **state)
{
    (void)state;
    char text[2000];
    size_t used = (size_t)sprintf(text, "t");
    for (int k = 0; k < 40; k++) used += (size_t)sprintf(text + used, ",x%d", k);
    for (int r = 0; r < 4; r++) {
        used += (size_t)sprintf(text + used, "\n%d", r);
        for (int k = 0; k < 40; k++) used += (size_t)sprintf(text + used, r % 3 ? "," : ",1");
    }
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.on_missing = NORN_MISSING_FFILL;
    o.on_missing_input = NORN_MISSING_FFILL;
    o.past = "*";
    norn_table *t = must_read(text, &o);
    size_t count;
    const norn_decision *d = norn_table_decisions(t, &count);
    assert_string_equal(d[count - 1].text, "68 cells of 34 more columns likewise, at most 2 in a row");
    norn_table_free(t);
}

static void blank_lines_are_cells_only_where_there_is_one_column(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.on_missing = NORN_MISSING_FFILL;
    static const double want[] = {1, 1, 1, 2};
    norn_table *t = must_read("v\n\n1\n\n  \n2\n\n\n", &o);
    assert_int_equal(norn_table_rows(t, 0), 4);
    assert_memory_equal(norn_table_target(t, 0), want, sizeof want);
    norn_table_free(t);
    t = must_read("v\r\n1\r\n\r\n2\r\n", &o);
    assert_int_equal(norn_table_rows(t, 0), 3);
    norn_table_free(t);
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(read_text(&t, "v\n1\n2\n\n3\n", NULL, &err), NORN_ERR_DATA);
    assert_int_equal(err.line, 4);
    assert_int_equal(err.column, 1);
    assert_non_null(strstr(err.message, "missing value"));
}

/* ---- what is refused ---- */

static void defects_are_refused_with_position_and_mend(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        norn_table_options options;
        norn_status status;
        int line, column;
        const char *message; /* a part of it */
    } cases[] = {
#define TOLD(...) {sizeof(norn_table_options), .delimiter = 0, __VA_ARGS__}
#define FOUND                                                                                                \
    {                                                                                                        \
        sizeof(norn_table_options), .delimiter = 0                                                           \
    }
        {"ds,price\n2024-01-01,1\n2024-01-02,n/a\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 3, 2,
         "column \"price\": expected a number, found \"n/a\" "
         "(treat it as missing with --na n/a and --on-missing POLICY)"},
        {"ds,y\n2024-01-01,1\n2024-01-02,no data\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 3, 2,
         "with --na 'no data' and --on-missing POLICY)"},
        {"ds,y\n2024-01-01,1\n2024-01-02,\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 3, 2,
         "column \"y\": missing value (--on-missing skip, ffill, mean, zero or mask says what to do)"},
        {"ds,y\n2024-01-01,1\n2024-01-02,null\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 3, 2, "missing value"},
        {"ds,x,y\n2024-01-01,,1\n2024-01-02,5,1\n", TOLD(.past = "x", .on_missing_input = NORN_MISSING_ERROR),
         NORN_ERR_DATA, 2, 2,
         "column \"x\": missing value (--on-missing-input ffill, mean, zero or mask says what to do)"},
        {"ds,y\n2024-01-01,\n2024-01-02,1\n", FOUND, NORN_ERR_DATA, 2, 2,
         "column \"y\": missing value before the first of its series (--on-missing"},
        {"id,t,y\nA,1,1\nA,2,2\nB,1,\nB,2,3\n", FOUND, NORN_ERR_DATA, 4, 3, "before the first of its series"},
        {"id,t,y\nA,1,1\nA,2,2\nB,1,\n", FOUND, NORN_ERR_DATA, 4, 3,
         "series \"B\" has no value at all (--on-missing skip leaves it out)"},
        {"ds,y\n2024-01-01,1\n2024-01-02,inf\n", FOUND, NORN_ERR_DATA, 3, 2,
         "expected a number, found \"inf\""},
        {"ds,y\n2024-01-01,1\n2024-01-02,0x10\n", FOUND, NORN_ERR_DATA, 3, 2,
         "expected a number, found \"0x10\""},
        {"ds,y\n2024-01-01,1\n2024-01-02,\"1,234.5\"\n", FOUND, NORN_ERR_DATA, 3, 2,
         "found \"1,234.5\" (read it with --thousands ,)"},
        {"ds,y\n2024-01-01,1\n2024-01-02,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", FOUND,
         NORN_ERR_DATA, 3, 2, "found \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\""},
        {"ds,note,y\n2024-01-01,\"a\nb\",1\n2024-01-02,\"c\n\nd\",x\n", FOUND, NORN_ERR_DATA, 6, 3,
         "found \"x\""},
        {"ds,note,y\r\n2024-01-01,\"a\r\nb\",1\r\n2024-01-02,c,x\r\n", FOUND, NORN_ERR_DATA, 4, 3,
         "found \"x\""},
        {"\n\nds,y\n\n2024-01-01,1\n\n2024-01-02,x\n", FOUND, NORN_ERR_DATA, 7, 2, "found \"x\""},

        {"ds,y\n2024-01-01,1\n2024-01-02,2,3\n", FOUND, NORN_ERR_DATA, 3, 3,
         "the row has 3 fields, the header has 2"},
        {"ds,x,y\n2024-01-01,5,1\n2024-01-02,2\n", FOUND, NORN_ERR_DATA, 3, 3,
         "the row has 2 fields, the header has 3"},
        {"2024-01-01,1\n2024-01-02\n", FOUND, NORN_ERR_DATA, 2, 2,
         "the row has 1 field, the first row has 2"},
        /* the wrong number of fields is the cause, the text among the numbers its effect */
        {"ds,x,y\n2024-01-01,5,1\n5,2024-01-02,x,7\n", FOUND, NORN_ERR_DATA, 3, 4, "the row has 4 fields"},
        {"ds,y\n2024-01-01,1\n2024-01-02,\"2\n2024-01-03,3\n", FOUND, NORN_ERR_DATA, 3, 2, "never closed"},
        {"ds,y\n2024-01-01,1\n2024-01-02,2\"\n", FOUND, NORN_ERR_DATA, 3, 2, "a quote inside a field"},
        {"\"ds,y\n", FOUND, NORN_ERR_DATA, 1, 1, "never closed"},

        {"ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-02,3\n", FOUND, NORN_ERR_DATA, 4, 1,
         "column \"ds\": the time \"2024-01-02\" stands at line 3 already (--on-duplicate first, last or "
         "mean says "
         "which row counts; if the file holds several series, name the column that tells them apart with "
         "--id)"},
        {"ds,y\n2024-01-01,1\n2024-01-03,2\n2024-01-02,3\n", FOUND, NORN_ERR_DATA, 4, 1,
         "the time \"2024-01-02\" is before the row above it, at line 3 (--on-unsorted sort puts the rows in "
         "order; "
         "if the file holds several series, name the column that tells them apart with --id)"},
        /* newest first, but for one row */
        {"ds,y\n2024-01-04,1\n2024-01-02,2\n2024-01-03,2\n2024-01-01,3\n", FOUND, NORN_ERR_DATA, 3, 1,
         "the time \"2024-01-02\" is before the row above it, at line 2 (--on-unsorted sort"},
        {"t,y\n1,1\n2,2\n2,3\n", FOUND, NORN_ERR_DATA, 4, 1,
         "if the column holds no times, number the rows with --time ''"},
        {"id,t,y\nA,1,1\nB,1,2\nA,2,2\nB,1,3\n", FOUND, NORN_ERR_DATA, 5, 2,
         "the time \"1\" of series \"B\" stands at line 3 already (--on-duplicate first, last or mean says "
         "which "
         "row counts)"},
        {"id,t,y\nA,5,1\nB,1,2\nA,7,2\nA,6,3\n", FOUND, NORN_ERR_DATA, 5, 2,
         "the time \"6\" of series \"A\" is before the row above it, at line 4 (--on-unsorted sort puts the "
         "rows in "
         "order)"},

        {"ds,y\n2024-01-01,1\n,2\n", FOUND, NORN_ERR_DATA, 3, 1, "column \"ds\": missing time"},
        {"ds,y\n2024-01-01,1\n2024-01-02 00:00,2\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 3, 1,
         "column \"ds\": expected dates like 2021-04-30 as in most rows, found \"2024-01-02 00:00\" "
         "(--time-format "
         "says how times are written)"},
        {"ds,y\n2024-01,1\n2024-01-02,2\n2024-01-03,2\n", FOUND, NORN_ERR_DATA, 2, 1,
         "expected dates like 2021-04-30 as in most rows, found \"2024-01\""},
        /* text that does not put the times in order is no id */
        {"colour,date,v\nred,2024-01,1\nred,2024-02,2\nblue,2024-02,3\nred,2024-02,4\n", FOUND, NORN_ERR_DATA,
         4, 2, "the time \"2024-02\" stands at line 3 already"},
        {"ds,y\n2024-02-30,1\n2024-03-01,2\n2024-03-02,2\n", FOUND, NORN_ERR_DATA, 2, 1,
         "found \"2024-02-30\""},
        {"Week,y\n04.30.21,1\n04.23.21,2\n", FOUND, NORN_ERR_DATA, 2, 1,
         "expected a time such as 2024-05-31, 2024-05-31 13:00:00, 05/31/2024, 31.05.2024, 20240531, "
         "2024-05, "
         "2024-Q2, 31-May-2024 or an integer, found \"04.30.21\" (say how times are "
         "written with --time-format, as in '%m/%d/%y %H:%M')"},
        {"when,y\n30.04.21,1\n01.05.21,2\n", FOUND, NORN_ERR_DATA, 2, 1, "found \"30.04.21\""},
        {"date,y\nJan,1\nFeb,2\n", FOUND, NORN_ERR_DATA, 2, 1, "found \"Jan\""},
        {"t,y\n1,1\n2,2\n3.5,3\n", FOUND, NORN_ERR_DATA, 4, 1,
         "expected whole numbers as in most rows, found \"3.5\""},
        {"ds,y\n20240130,1\n20240131,2\n20240132,3\n20240201,3\n", FOUND, NORN_ERR_DATA, 4, 1,
         "expected dates like 20210430 as in most rows, found \"20240132\""},
        {"id,t,y\nA,1,1\n,1,2\nA,2,3\n", FOUND, NORN_ERR_DATA, 3, 1, "column \"id\": missing id"},

        {"", FOUND, NORN_ERR_DATA, 0, 0, "the file is empty"},
        {"\n\n  \n", FOUND, NORN_ERR_DATA, 0, 0, "the file is empty"},
        {"\xef\xbb\xbf", FOUND, NORN_ERR_DATA, 0, 0, "the file is empty"},
        {"ds,y\n", FOUND, NORN_ERR_DATA, 0, 0, "a header and no rows"},
        {"ds,name\n2024-01-01,a\n2024-01-02,b\n", FOUND, NORN_ERR_DATA, 0, 0,
         "no column of numbers is left to forecast among ds, name"},
        {"ds\n2024-01-01\n2024-01-02\n", FOUND, NORN_ERR_DATA, 0, 0, "no column of numbers"},
        {"ds,y\n2024-01-01,1\n2024-01-02,2\0", FOUND, NORN_OK, 0, 0, ""},

        {"ds,y\n2024-01-01,1\n", TOLD(.target = "z"), NORN_ERR_USAGE, 0, 0,
         "--target: there is no column \"z\"; the file has ds, y"},
        {"a,b,c,d,e,f,g,h,i,j\n1,2,3,4,5,6,7,8,9,10\n", TOLD(.time = "z"), NORN_ERR_USAGE, 0, 0,
         "--time: there is no column \"z\"; the file has a, b, c, d, e, f, g and 3 more"},
        {"ds,load\n2024-01-01,1\n", TOLD(.target = "laod"), NORN_ERR_USAGE, 0, 0,
         "--target: there is no column \"laod\" (did you mean \"load\"?); the file has ds, load"},
        {"ds,y\n2024-01-01,1\n", TOLD(.id = "3"), NORN_ERR_USAGE, 0, 0, "--id: there is no column \"3\""},
        {"ds,y\n2024-01-01,1\n", TOLD(.past = "y"), NORN_ERR_USAGE, 0, 0,
         "no column of numbers is left to forecast among ds, y"},
        {"ds,y\n2024-01-01,1\n", TOLD(.target = "y,y"), NORN_ERR_USAGE, 0, 0,
         "--target: column \"y\" has a role already"},
        {"ds,y\n2024-01-01,1\n", TOLD(.target = "y", .past = "y"), NORN_ERR_USAGE, 0, 0,
         "--past: column \"y\" has a role already"},
        {"ds,y\n2024-01-01,1\n", TOLD(.target = "y,"), NORN_ERR_USAGE, 0, 0, "there is no column \"\""},
        {"ds,y\n2024-01-01,1\n", TOLD(.time = "ds", .target = "ds"), NORN_ERR_USAGE, 0, 0,
         "--target: column \"ds\" has a role already"},
        {"ds,y\n2024-01-01,1\n", TOLD(.time = "y", .id = "y"), NORN_ERR_USAGE, 0, 0, "has a role already"},
        {"ds,y,y\n2024-01-01,1,2\n", TOLD(.target = "y"), NORN_ERR_USAGE, 0, 0,
         "2 columns are called \"y\": name it to --target by its number, as in --target 2"},
        {"ds,name,y\n2024-01-01,a,1\n", TOLD(.target = "name"), NORN_ERR_DATA, 2, 2, "found \"a\""},
        {"ds,name,y\n2024-01-01,a,1\n", TOLD(.time = "name"), NORN_ERR_DATA, 2, 2, "expected a time such as"},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table *t = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = read_text(&t, cases[i].text, &cases[i].options, &err);
        if (status == NORN_OK)
            norn_table_free(t);
        else if (t)
            fail_msg("case %zu: a table in spite of the error", i);
        if (status != cases[i].status || err.line != (uint64_t)cases[i].line ||
            err.column != (uint64_t)cases[i].column || !strstr(err.message, cases[i].message))
            print_error("case %zu: %s: %s %d:%d: %s\n", i, cases[i].text, norn_status_name(status),
                        (int)err.line, (int)err.column, err.message),
                wrong++;
        if (status != NORN_OK) assert_string_equal(err.file, "f.csv");
    }
    assert_int_equal(wrong, 0);
}

static void a_defect_behind_the_sample_is_found_where_it_is(void **state)
{
    (void)state;
    const size_t rows = 60000;
    char *text = malloc(rows * 40);
    assert_non_null(text);
    size_t used = (size_t)sprintf(text, "t,x,y\n");
    for (size_t i = 0; i < rows; i++)
        used += (size_t)sprintf(text + used, i == rows - 5 ? "%zu,\"a\nb\",bad%zu\n" : "%zu,1234567890,%zu\n",
                                i, i);
    norn_error err = NORN_ERROR_INIT;
    norn_table *t = NULL;
    assert_true(used > NORN_COUNT_TEXT + (1u << 20)); /* behind the first megabyte */
    assert_int_equal(read_text(&t, text, NULL, &err), NORN_ERR_DATA);
    assert_int_equal(err.line, rows - 5 + 3);
    assert_int_equal(err.column, 3);
    free(text);
}

static void an_input_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_table_read(&t, "/nowhere/at/all.csv", NULL, NULL, &err), NORN_ERR_INPUT);
    assert_string_equal(err.message, "cannot be opened: No such file or directory");
    assert_string_equal(err.file, "/nowhere/at/all.csv");
    err.status = NORN_OK;
    assert_int_equal(norn_table_read(&t, "/", NULL, NULL, &err), NORN_ERR_INPUT);
    assert_string_equal(err.message, "cannot be read: Is a directory");
    static const char text[] = "ds,y\n1,1\n2,2\n";
    memory_stream s = {text, sizeof text - 1, 0, 5, 5};
    err.status = NORN_OK;
    assert_int_equal(norn_table_read_stream(&t, read_memory, &s, "stdin", NULL, NULL, &err), NORN_ERR_INPUT);
    assert_string_equal(err.file, "stdin");
    assert_int_equal(norn_table_read(&t, "/nowhere", NULL, NULL, NULL), NORN_ERR_INPUT);
}

/* ---- what must not matter ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13; /* xorshift64 (Marsaglia 2003) */
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* A clean table in a random dialect: delimiter, quotes, ends of lines, mark, blanks, a text column full of
 * traps. */
static size_t write_dialect(char *out, uint64_t *seed, size_t rows, size_t columns, const double *values,
                            int64_t first_day)
{
    static const char *const traps[] = {"plain", "\"say \"\"hi\"\"\"", "\"a,b;c\td|e\"", "\"two\nlines\"", "",
                                        "\"\"",  "\"crlf\r\nhere\""};
    const char delimiter = ",;\t|"[next_random(seed) % 4];
    const char *end = next_random(seed) % 2 ? "\r\n" : "\n";
    const bool quotes = next_random(seed) % 2, blanks = next_random(seed) % 2 && delimiter != '\t';
    const bool blank_lines = next_random(seed) % 3 == 0, final = next_random(seed) % 2;
    const norn_time_style style = norn_time_style_iso(NORN_FORM_DATE, 0);
    size_t used = 0;
    if (next_random(seed) % 2) used += (size_t)sprintf(out, "\xef\xbb\xbf");
    const char *q = quotes ? "\"" : "";
    used += (size_t)sprintf(out + used, "%sds%s%c%snote%s", q, q, delimiter, q, q);
    for (size_t k = 0; k < columns; k++)
        used += (size_t)sprintf(out + used, "%c%sv%zu%s", delimiter, q, k, q);
    for (size_t i = 0; i < rows; i++) {
        char day[NORN_TIME_TEXT];
        (void)norn_time_write(&style, (first_day + (int64_t)i) * NORN_DAY, day);
        used += (size_t)sprintf(out + used, "%s", end);
        if (blank_lines && next_random(seed) % 4 == 0) used += (size_t)sprintf(out + used, "%s", end);
        used += (size_t)sprintf(out + used, "%s%s%s%c%s", q, day, q, delimiter, traps[next_random(seed) % 7]);
        for (size_t k = 0; k < columns; k++)
            used += (size_t)sprintf(out + used, "%c%s%s%.17g%s%s", delimiter, q, blanks ? "  " : "",
                                    values[k * rows + i], blanks ? " " : "", q);
    }
    if (final) used += (size_t)sprintf(out + used, "%s", end);
    return used;
}

static void the_dialect_of_a_file_changes_no_bit(void **state)
{
    (void)state;
    uint64_t seed = 20240531;
    static double values[8 * 60];
    static char text[120000];
    for (int round = 0; round < 400; round++) {
        const size_t rows = 2 + next_random(&seed) % 58, columns = 1 + next_random(&seed) % 8;
        for (size_t i = 0; i < rows * columns; i++)
            values[i] = (double)(int64_t)next_random(&seed) * (next_random(&seed) % 2 ? 1e-15 : 1e3);
        const size_t size =
            write_dialect(text, &seed, rows, columns, values, (int64_t)(next_random(&seed) % 20000));
        assert_true(size < sizeof text);
        memory_stream s = {text, size, 0, 1 + next_random(&seed) % 97, 0};
        norn_table_options o = NORN_TABLE_OPTIONS_INIT;
        o.target = "v0";
        o.past = "*";
        norn_table *t = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_table_read_stream(&t, read_memory, &s, "dialect", &o, NULL, &err), &err);
        assert_int_equal(norn_table_rows(t, 0), rows);
        assert_int_equal(norn_table_past_count(t), columns - 1);
        assert_string_equal(norn_table_time_name(t), "ds");
        assert_memory_equal(norn_table_target(t, 0), values, rows * sizeof(double));
        for (size_t k = 1; k < columns; k++)
            assert_memory_equal(norn_table_past(t, 0, k - 1), values + k * rows, rows * sizeof(double));
        norn_table_free(t);
    }
}

typedef struct counted {
    size_t blocks, bytes;
    size_t calls, fail_from; /* allocations from this one on fail; 0: none */
    bool once;               /* only that one */
} counted;

/* Counts what is out; a block that comes back with another size than it went out with shows in bytes. */
static void *count_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    counted *c = user;
    if (new_size == 0) {
        free(ptr);
        c->bytes -= old_size;
        c->blocks--;
        return NULL;
    }
    c->calls++;
    if (c->fail_from && (c->once ? c->calls == c->fail_from : c->calls >= c->fail_from)) return NULL;
    void *block = realloc(ptr, new_size);
    if (!block) return NULL;
    c->bytes += new_size - (ptr ? old_size : 0);
    c->blocks += !ptr;
    return block;
}

static void every_failing_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    const char *text = "id,t,x,y\nA,1,1,1\nB,1,2,3\nA,2,3,3\nB,2,,4\nA,3,1,1\n";
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.past = "x";
    o.on_missing = NORN_MISSING_FFILL;
    for (int once = 0; once <= 1; once++)
        for (size_t n = 1;; n++) {
            counted c = {0, 0, 0, n, once};
            norn_host host = NORN_HOST_INIT;
            host.user = &c;
            host.resize = count_resize;
            memory_stream s = {text, strlen(text), 0, 7, 0};
            norn_table *t = NULL;
            norn_error err = NORN_ERROR_INIT;
            const norn_status status = norn_table_read_stream(&t, read_memory, &s, "f.csv", &o, &host, &err);
            if (status == NORN_OK) norn_table_free(t);
            assert_int_equal(c.blocks, 0);
            assert_int_equal(c.bytes, 0);
            if (c.calls < n) {
                assert_int_equal(status, NORN_OK);
                assert_true(n > 40);
                break;
            }
            assert_int_equal(status, NORN_ERR_MEMORY);
            assert_non_null(strstr(err.message, "out of memory"));
        }
}

static void a_cancelled_reading_stops(void **state)
{
    (void)state;
    norn_cancel *cancel = NULL;
    assert_ok(norn_cancel_new(&cancel), NULL);
    norn_host host = NORN_HOST_INIT;
    host.cancel = cancel;
    norn_cancel_raise(cancel);
    memory_stream s = {"a\n1\n2\n", 6, 0, SIZE_MAX, 0};
    norn_table *t = NULL;
    assert_int_equal(norn_table_read_stream(&t, read_memory, &s, "f", NULL, &host, NULL), NORN_ERR_CANCELLED);
    norn_cancel_free(cancel);
}

static void sum_progress(void *user, const norn_progress *progress)
{
    uint64_t *last = user;
    assert_int_equal(progress->size, sizeof *progress);
    assert_string_equal(progress->stage, "read");
    assert_true(progress->done >= *last);
    *last = progress->done;
}

static void progress_ends_with_all_bytes_read(void **state)
{
    (void)state;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/shop_sales.csv", getenv("NORN_DATASETS"));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    uint64_t last = 0;
    norn_host host = NORN_HOST_INIT;
    host.user = &last;
    host.progress = sum_progress;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&t, path, NULL, &host, &err), &err);
    assert_int_equal(last, info.st_size);
    norn_table_free(t);
}

/* An options struct of a caller that was built before later fields existed. */
static void a_shorter_options_struct_gets_defaults(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.size = offsetof(norn_table_options, target);
    o.target = "nonsense";
    norn_table *t = must_read("ds,y\n1,1\n2,2\n", &o);
    assert_string_equal(norn_table_target_name(t, 0), "y");
    norn_table_free(t);
}

/* ---- tables from memory ---- */

static void a_table_can_be_made_of_arrays_and_changed(void **state)
{
    (void)state;
    static const double a[] = {1, 2, 3}, b[] = {4, 5, 6}, x[] = {7, 8, 9};
    static const double *const targets[] = {a, b};
    static const double *const past[] = {x};
    const int64_t times[] = {0, NORN_HOUR, 2 * NORN_HOUR};
    const norn_step hour = {NORN_STEP_MICROSECONDS, NORN_HOUR};
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_from_arrays(&t, 3, 2, targets, 1, past, times, hour, NULL, &err), &err);
    assert_int_equal(norn_table_series_count(t), 2);
    assert_int_equal(norn_table_season(t), 24);
    assert_memory_equal(norn_table_target(t, 1), b, sizeof b);
    assert_memory_equal(norn_table_past(t, 1, 0), x, sizeof x);
    char text[NORN_TIME_TEXT];
    assert_string_equal(norn_table_time_text(t, norn_table_future_time(t, 0, 1), text),
                        "1970-01-01 03:00:00");
    norn_table_target_mutable(t, 1)[2] = 1e30;
    norn_table_past_mutable(t, 0, 0)[0] = -1;
    assert_true(norn_table_target(t, 1)[2] == 1e30);
    assert_true(norn_table_target(t, 0)[2] == 3);
    assert_true(norn_table_past(t, 1, 0)[0] == -1);
    norn_table_free(t);

    assert_ok(norn_table_from_arrays(&t, 3, 1, targets, 0, NULL, NULL, hour, NULL, &err), &err);
    assert_int_equal(norn_table_future_time(t, 0, 2), 5);
    norn_table_free(t);

    const double bad[] = {1, NAN};
    const double *const bad_target[] = {bad};
    const int64_t bad_times[] = {1, 1};
    assert_int_equal(norn_table_from_arrays(&t, 2, 1, bad_target, 0, NULL, NULL, hour, NULL, NULL),
                     NORN_ERR_USAGE);
    assert_int_equal(norn_table_from_arrays(&t, 2, 1, targets, 0, NULL, bad_times, hour, NULL, NULL),
                     NORN_ERR_USAGE);
    assert_int_equal(norn_table_from_arrays(&t, 0, 1, targets, 0, NULL, NULL, hour, NULL, NULL),
                     NORN_ERR_USAGE);
}

static void options_that_were_never_begun_are_refused(void **state)
{
    (void)state;
    const norn_table_options zeroed = {.target = "y"};
    const norn_backtest_options folds = {.horizon = 1};
    const norn_forecast_options forecast = {.horizon = 1};
    const norn_context_options device = {.device = "0:0"};
    norn_error err = NORN_ERROR_INIT;
    norn_table *t = NULL;
    norn_context *context = NULL;
    norn_forecast *f = NULL;
    norn_backtest *b = NULL;
    assert_int_equal(read_text(&t, "x,y\n1,2\n3,4\n5,6\n", &zeroed, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "NORN_..._OPTIONS_INIT"));
    assert_null(t);
    err = (norn_error)NORN_ERROR_INIT;
    assert_ok(read_text(&t, "x,y\n1,2\n3,4\n5,6\n", NULL, &err), &err);
    assert_int_equal(norn_context_new(&context, &device, NULL, &err), NORN_ERR_USAGE);
    assert_int_equal(norn_forecast_run(&f, NULL, t, &forecast, NULL, NULL), NORN_ERR_USAGE);
    assert_int_equal(norn_backtest_run(&b, NULL, t, &folds, NULL, NULL), NORN_ERR_USAGE);
    assert_null(context);
    assert_null(f);
    assert_null(b);
    norn_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_were_never_begun_are_refused),
        cmocka_unit_test(missing_cells_take_the_value_before_when_told),
        cmocka_unit_test(the_fills_of_many_columns_are_all_counted),
        cmocka_unit_test(blank_lines_are_cells_only_where_there_is_one_column),
        cmocka_unit_test(defects_are_refused_with_position_and_mend),
        cmocka_unit_test(a_defect_behind_the_sample_is_found_where_it_is),
        cmocka_unit_test(an_input_that_cannot_be_read_is_refused),
        cmocka_unit_test(the_dialect_of_a_file_changes_no_bit),
        cmocka_unit_test(every_failing_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(a_cancelled_reading_stops),
        cmocka_unit_test(progress_ends_with_all_bytes_read),
        cmocka_unit_test(a_shorter_options_struct_gets_defaults),
        cmocka_unit_test(a_table_can_be_made_of_arrays_and_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
