/*
 * What a table makes of a file: roles that are found and told, series in rows, decisions, delimiters, and
 * real files.
 */
#include "table_support.h"

#include <sys/stat.h>

/* ---- roles ---- */

static void roles_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text, *time, *target, *series; /* names; series: its first id */
        int count, rows;
        double first, last; /* target of the first series */
    } cases[] = {
        {"ds,y\n2024-01-01,1\n2024-01-02,2\n", "ds", "y", "y", 1, 2, 1, 2},
        {"a,date,b\n1,2024-01-01,5\n2,2024-01-02,6\n", "date", "b", "b", 1, 2, 5, 6},
        {"month,y,z\n2024-01,1,3\n2024-02,2,4\n", "month", "y", "y", 1, 2, 1, 2},
        {"when,Close,volume\n2024-01-01,1,3\n2024-01-02,2,4\n", "when", "Close", "Close", 1, 2, 1, 2},
        {"when,VALUE,volume\n2024-01-01,1,3\n2024-01-02,2,4\n", "when", "VALUE", "VALUE", 1, 2, 1, 2},
        {"when,Target,y\n2024-01-01,1,3\n2024-01-02,2,4\n", "when", "y", "y", 1, 2, 3, 4},
        {"when,Close Price,volume\n2024-01-01,1,3\n2024-01-02,2,4\n", "when", "volume", "volume", 1, 2, 3, 4},
        {"when,price,note\n2024-01-01,1,p\n2024-01-02,2,q\n", "when", "price", "price", 1, 2, 1, 2},
        {"start,time,v\n2024-01-01,2024-01-02,1\n2024-01-02,2024-01-03,2\n", "time", "v", "v", 1, 2, 1, 2},
        {"year,flow\n1871,1120\n1872,1160\n1873,963\n", "year", "flow", "flow", 1, 3, 1120, 963},
        {"rownames,time,value\n1,1821,269\n2,1822,321\n", "time", "value", "value", 1, 2, 269, 321},
        {"No,year,month,pm\n1,2010,1,5\n2,2010,1,6\n3,2010,2,7\n", "No", "pm", "pm", 1, 3, 5, 7},
        {"k,v\n1,5\n2,6\n3,4\n", "k", "v", "v", 1, 3, 5, 4},
        {"k,v\n1,5\n3,6\n2,4\n", "", "v", "v", 1, 3, 5, 4},
        {"v\n5\n6\n", "", "v", "v", 1, 2, 5, 6},
        {"v\n1\n2\n3\n", "", "v", "v", 1, 3, 1, 3},
        {"t,v\n20240101,5\n20240102,6\n", "t", "v", "v", 1, 2, 5, 6},
        {"day,v\n20240101,5\n20240102,6\n", "day", "v", "v", 1, 2, 5, 6},
        {"n,v\n20240101,5\n20240102,6\n", "n", "v", "v", 1, 2, 5, 6},
        {"hour,v\n22,1\n23,2\n0,3\n1,4\n", "", "v", "v", 1, 4, 1, 4},
        {"ds,v\n99990101,5\n99990103,6\n", "ds", "v", "v", 1, 2, 5, 6},
        {"unique_id,ds,y\nA,2024-01-01,1\nB,2024-01-01,2\nA,2024-01-02,3\n", "ds", "y", "A", 2, 2, 1, 3},
        {"ID,ds,y\n7,2024-01-01,1\n7,2024-01-02,2\n9,2024-01-01,3\n", "ds", "y", "7", 2, 2, 1, 2},
        {"id,date,y\n1,2024-01-01,1\n2,2024-01-02,2\n", "date", "y", "y", 1, 2, 1, 2},
        {"item_id,t,y\nx,1,1\ny,1,2\nx,2,3\n", "t", "y", "x", 2, 2, 1, 3},
        {"country,date,v\nNL,2024-01,1\nNL,2024-02,2\nBE,2024-01,3\n", "date", "v", "NL", 2, 2, 1, 2},
        {"id,year,y\nA,2001,1\nB,2001,2\nA,2002,3\n", "year", "y", "A", 2, 2, 1, 3},
        {"2024-01-01,5\n2024-01-02,6\n", "c1", "c2", "c2", 1, 2, 5, 6},
        {"5,1\n6,2\n4,3\n", "", "c2", "c2", 1, 3, 1, 3},
        {"5\n", "", "c1", "c1", 1, 1, 5, 5},
        {"0,1,2\n.5,.6,.7\n.4,.3,.8\n", "", "2", "2", 1, 2, .7, .8},
        {"date,1,2\n2024-01-01,5,6\n2024-01-02,7,8\n", "date", "2", "2", 1, 2, 6, 8},
        {"a,b,2020\n1.5,2,3\n0.5,5,6\n", "", "2020", "2020", 1, 2, 3, 6},
        {",a,b\n0,5,6\n1,7,8\n2,9,9\n", "c1", "b", "b", 1, 3, 6, 9},
        {"ds,y\n2024-01-01,1\n", "ds", "y", "y", 1, 1, 1, 1},
        {"ds,y\n\n2024-01-01,1\n   \n2024-01-02,2\n\n\n", "ds", "y", "y", 1, 2, 1, 2},
        {"\n\nds,y\n2024-01-01,1\n2024-01-02,2", "ds", "y", "y", 1, 2, 1, 2},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table *t = NULL;
        norn_error err = NORN_ERROR_INIT;
        if (read_text(&t, cases[i].text, NULL, &err) != NORN_OK)
            fail_msg("%s: %d:%d %s", cases[i].text, (int)err.line, (int)err.column, err.message);
        const size_t n = norn_table_rows(t, 0);
        if (strcmp(norn_table_time_name(t), cases[i].time) != 0 ||
            strcmp(norn_table_target_name(t, 0), cases[i].target) != 0 ||
            strcmp(norn_table_id(t, 0), cases[i].series) != 0 ||
            norn_table_series_count(t) != (size_t)cases[i].count || n != (size_t)cases[i].rows)
            fail_msg("%s: time \"%s\", target \"%s\", %zu series, first \"%s\" of %zu rows", cases[i].text,
                     norn_table_time_name(t), norn_table_target_name(t, 0), norn_table_series_count(t),
                     norn_table_id(t, 0), n);
        if (norn_table_target(t, 0)[0] != cases[i].first || norn_table_target(t, 0)[n - 1] != cases[i].last)
            fail_msg("%s: from %g to %g", cases[i].text, norn_table_target(t, 0)[0],
                     norn_table_target(t, 0)[n - 1]);
        norn_table_free(t);
    }
}

static void what_is_told_overrules_what_is_found(void **state)
{
    (void)state;
    const char *text = "ds,other,a,b,y,2,Y2,\"p,q\"\n"
                       "2024-01-01,2030-01,1,2,3,4,5,6\n2024-01-02,2030-02,7,8,9,10,11,12\n";
    static const struct {
        const char *time, *target, *past, *want_time, *want_targets, *want_past;
    } cases[] = {
        {NULL, NULL, NULL, "ds", "y", ""},
        {"other", NULL, NULL, "other", "y", ""},
        {"OTHER", "B", NULL, "other", "b", ""},
        {"", "a,b", NULL, "", "a b", ""},
        {NULL, " b , a ", NULL, "ds", "b a", ""},
        {NULL, "3", NULL, "ds", "a", ""},
        {NULL, "2", NULL, "ds", "2", ""},
        {"1", "8", NULL, "ds", "p,q", ""},
        {NULL, "p,q", NULL, "ds", "p,q", ""},
        {NULL, "y", "a,b", "ds", "y", "a b"},
        {NULL, "y", "*", "ds", "y", "a b 2 Y2 p,q"},
        {NULL, "y,a", "*", "ds", "y a", "b 2 Y2 p,q"},
        {NULL, "y", "", "ds", "y", ""},
        {NULL, NULL, "y2", "ds", "y", "Y2"},
        {NULL, NULL, "a,y", "ds", "p,q", "a y"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table_options o = NORN_TABLE_OPTIONS_INIT;
        o.time = cases[i].time;
        o.target = cases[i].target;
        o.past = cases[i].past;
        norn_table *t = must_read(text, &o);
        char targets[200] = "", past[200] = "";
        for (size_t k = 0; k < norn_table_series_count(t); k++) {
            if (k) strcat(targets, " ");
            strcat(targets, norn_table_target_name(t, k));
            assert_string_equal(norn_table_id(t, k), norn_table_target_name(t, k));
        }
        for (size_t k = 0; k < norn_table_past_count(t); k++) {
            if (k) strcat(past, " ");
            strcat(past, norn_table_past_name(t, k));
        }
        if (strcmp(norn_table_time_name(t), cases[i].want_time) != 0 ||
            strcmp(targets, cases[i].want_targets) != 0 || strcmp(past, cases[i].want_past) != 0)
            fail_msg("case %zu: time %s, targets %s, past %s", i, norn_table_time_name(t), targets, past);
        norn_table_free(t);
    }
}

static void a_column_that_is_told_is_not_found_for_something_else(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.target = "year";
    norn_table *t = must_read("year,v\n2001,5\n2002,6\n2003,4\n", &o);
    assert_string_equal(norn_table_target_name(t, 0), "year");
    assert_string_equal(norn_table_time_name(t), "");
    norn_table_free(t);
    o.target = "X";
    t = must_read("x,X\n1,5\n2,6\n", &o);
    assert_true(norn_table_target(t, 0)[0] == 5);
    norn_table_free(t);
    o.target = NULL;
    o.past = "id";
    t = must_read("id,t,y\n1,1,5\n1,2,6\n", &o);
    assert_int_equal(norn_table_series_count(t), 1);
    assert_true(norn_table_past(t, 0, 0)[1] == 1);
    norn_table_free(t);
}

static void covariates_stand_beside_every_series_of_their_rows(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.target = "a,b";
    o.past = "x";
    norn_table *wide = must_read("a,b,x\n1,2,3\n4,5,6\n", &o);
    assert_int_equal(norn_table_series_count(wide), 2);
    assert_true(norn_table_past(wide, 0, 0) == norn_table_past(wide, 1, 0));
    assert_true(norn_table_past(wide, 1, 0)[1] == 6);
    assert_true(norn_table_target(wide, 1)[1] == 5);
    norn_table_drop_past(wide, 0);
    assert_null(norn_table_past(wide, 0, 0));
    norn_table_drop_past(wide, 0);
    norn_table_free(wide);

    /* both at once: series are ids times targets */
    norn_table *both = must_read("id,t,a,b,x\nP,1,1,2,3\nQ,1,4,5,6\nP,2,7,8,9\n", &o);
    assert_int_equal(norn_table_series_count(both), 4);
    static const char *const ids[] = {"P/a", "P/b", "Q/a", "Q/b"};
    static const size_t rows[] = {2, 2, 1, 1};
    static const double last[] = {7, 8, 4, 5}, last_past[] = {9, 9, 6, 6};
    for (size_t s = 0; s < 4; s++) {
        assert_string_equal(norn_table_id(both, s), ids[s]);
        assert_int_equal(norn_table_rows(both, s), rows[s]);
        assert_true(norn_table_target(both, s)[rows[s] - 1] == last[s]);
        assert_true(norn_table_past(both, s, 0)[rows[s] - 1] == last_past[s]);
        assert_int_equal(norn_table_times(both, s)[rows[s] - 1], (int64_t)rows[s]);
    }
    norn_table_free(both);
}

static void interleaved_series_are_sorted_apart_in_the_order_they_appear(void **state)
{
    (void)state;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/interleaved.csv", getenv("NORN_TEST_DATA"));
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&t, path, NULL, NULL, &err), &err);
    static const double north[] = {1, 2, 3, 4}, south[] = {10, 20, 30};
    assert_int_equal(norn_table_series_count(t), 2);
    assert_string_equal(norn_table_id(t, 0), "north");
    assert_string_equal(norn_table_id(t, 1), "south");
    assert_int_equal(norn_table_rows(t, 0), 4);
    assert_int_equal(norn_table_rows(t, 1), 3);
    assert_memory_equal(norn_table_target(t, 0), north, sizeof north);
    assert_memory_equal(norn_table_target(t, 1), south, sizeof south);
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < norn_table_rows(t, s); i++)
            assert_int_equal(norn_table_times(t, s)[i],
                             (norn_days_from_civil(2024, 1, 1) + (int64_t)i) * NORN_DAY);
    assert_string_equal(decision(t, "step"), "1 day (5 of 5 steps)");
    assert_string_equal(decision(t, "rows"), "7 rows in 2 series of 3 to 4 rows");
    char text[NORN_TIME_TEXT];
    assert_string_equal(norn_table_time_text(t, norn_table_future_time(t, 1, 1), text), "2024-01-04");
    norn_table_free(t);
}

static void many_interleaved_ids_keep_their_rows(void **state)
{
    (void)state;
    enum { IDS = 700, ROWS = 5 };
    char *text = malloc(IDS * ROWS * 40 + 100);
    assert_non_null(text);
    size_t used = (size_t)sprintf(text, "unique_id,t,y\n");
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < IDS; k++) {
            const int id = r % 2 ? IDS - 1 - k : k;
            used += (size_t)sprintf(text + used, "s%d,%d,%d\n", id, r, id * 10 + r);
        }
    norn_table *t = must_read(text, NULL);
    free(text);
    assert_int_equal(norn_table_series_count(t), IDS);
    for (size_t s = 0; s < IDS; s++) {
        assert_int_equal(norn_table_rows(t, s), ROWS);
        for (size_t i = 0; i < ROWS; i++) assert_true(norn_table_target(t, s)[i] == (double)(s * 10 + i));
    }
    norn_table_free(t);
}

static void a_file_of_a_spreadsheet_is_read(void **state)
{
    (void)state;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/spreadsheet.csv", getenv("NORN_TEST_DATA"));
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&t, path, NULL, NULL, &err), &err);
    assert_string_equal(norn_table_time_name(t), "Date");
    assert_string_equal(norn_table_target_name(t, 0), "Close");
    assert_string_equal(decision(t, "delimiter"), "semicolon");
    assert_string_equal(decision(t, "step"), "1 month (2 of 2 steps)");
    char text[NORN_TIME_TEXT];
    assert_string_equal(norn_table_time_text(t, norn_table_future_time(t, 0, 1), text), "2024-04-30");
    norn_table_free(t);

    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.target = "open \"first\"";
    assert_int_equal(norn_table_read(&t, path, &o, NULL, &err), NORN_ERR_DATA);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 2);
    assert_string_equal(err.file, path);
    assert_string_equal(
        err.message,
        "column \"Open \"first\"\": expected a number, found \"1,5\" (read it with --decimal ,)");
}

/* ---- decisions ---- */

static void decisions_say_what_was_found_and_the_flag_that_overrules_it(void **state)
{
    (void)state;
    static const norn_decision want[] = {
        {"delimiter", "semicolon", "--delimiter", ";"},
        {"header", "the first line: month, a, passengers", "--header", "yes"},
        {"time", "\"month\", such as 1949-01 (%Y-%m)", "--time", "month"},
        {"target", "\"passengers\", the last numeric column", "--target", "passengers"},
        {"past", "none; \"a\" may be an input too", "--past", NULL},
        {"step", "1 month (1 of 2 steps)", "--frequency", "1 month"},
        {"gaps", "1, 1 row absent, at most 1 in a row", "--on-gap", NULL},
        {"rows", "3 rows, 1949-01 to 1949-04", "", NULL},
    };
    norn_table *t = must_read("month;a;passengers\n1949-01;1;112\n1949-02;2;118\n1949-04;3;132\n", NULL);
    size_t count;
    const norn_decision *got = norn_table_decisions(t, &count);
    assert_int_equal(count, NORN_COUNT(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(got[i].what, want[i].what);
        assert_string_equal(got[i].text, want[i].text);
        assert_string_equal(got[i].flag, want[i].flag);
        assert_string_equal(got[i].value ? got[i].value : "", want[i].value ? want[i].value : "");
    }
    norn_table_free(t);

    t = must_read("1.5\n2.5\n", NULL);
    assert_string_equal(decision(t, "delimiter"), "none: the file has one column");
    assert_string_equal(decision(t, "header"), "none: the column is called c1");
    assert_string_equal(decision(t, "time"), "none found: rows are numbered from 1");
    assert_string_equal(decision(t, "step"), "");
    norn_table_free(t);

    t = must_read("ds,v\n99990101,5\n99990103,6\n", NULL); /* eight digits, but of no age of ours */
    assert_string_equal(decision(t, "step"), "2 (1 of 1 steps)");
    norn_table_free(t);

    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.time = "";
    o.target = "2";
    o.delimiter = ',';
    t = must_read("1.5,2,3\n2.5,3,4\n", &o);
    assert_string_equal(decision(t, "delimiter"), "");
    assert_string_equal(decision(t, "time"), "");
    assert_string_equal(decision(t, "target"), "");
    assert_string_equal(decision(t, "header"), "none: the columns are called c1 to c3");
    assert_string_equal(norn_table_target_name(t, 0), "c2");
    norn_table_free(t);
}

static void a_name_of_any_bytes_is_shown_as_plain_text(void **state)
{
    (void)state;
    norn_table *t = must_read("ds,\"a\x1b[31m\xc3\xa9\"\n2024-01-01,1\n2024-01-02,2\n", NULL);
    assert_string_equal(decision(t, "target"), "\"a\\x1b[31m\xc3\xa9\", the only numeric column");
    assert_string_equal(norn_table_target_name(t, 0), "a\x1b[31m\xc3\xa9");
    norn_table_free(t);
}

/* ---- delimiters ---- */

static void the_delimiter_is_found_or_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char told;
        const char *decision, *target;
    } cases[] = {
        {"ds,y\n2024-01-01,1\n2024-01-02,2\n", 0, "comma", "y"},
        {"ds;y\n2024-01-01;1\n2024-01-02;2\n", 0, "semicolon", "y"},
        {"ds\ty\n2024-01-01\t1\n2024-01-02\t2\n", 0, "tab", "y"},
        {"ds|y\n2024-01-01|1\n2024-01-02|2\n", 0, "vertical bar", "y"},
        /* commas in quotes and in text that is not everywhere */
        {"ds;note;y\n2024-01-01;\"a,b\";1\n2024-01-02;c, d;2\n2024-01-03;;3\n", 0, "semicolon", "y"},
        {"ds;\"a,b\"\n2024-01-01;1\n2024-01-02;2\n", 0, "semicolon", "a,b"},
        /* of two that cut evenly the one that gives more fields, unless quotes speak against it */
        {"t;a,b;y\n1;2,3;4\n2;3,4;5\n", 0, "semicolon", "y"},
        {"k,l,m;y\n1,2,3;4\n2,3,4;5\n3,4,5;\"6\"\n", 0, "semicolon", "y"},
        {"ds:y\n1:1\n2:2\n3:4\n", ':', "", "y"},
        {"ds;x,y\n1;2,3\n2;3,4\n3;3,5\n", ',', "", "y"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table_options o = NORN_TABLE_OPTIONS_INIT;
        o.delimiter = cases[i].told;
        norn_table *t = must_read(cases[i].text, &o);
        assert_string_equal(decision(t, "delimiter"), cases[i].decision);
        assert_string_equal(norn_table_target_name(t, 0), cases[i].target);
        norn_table_free(t);
    }
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    norn_table *t = NULL;
    for (size_t i = 0; i < 3; i++) {
        o.delimiter = "\"\n\r"[i];
        assert_int_equal(read_text(&t, "a\n1\n", &o, NULL), NORN_ERR_USAGE);
    }
}

/* ---- real files ---- */

typedef struct real_file {
    const char *path;
    norn_on_missing on_missing;
    const char *time, *target, *step;
    size_t series, rows, season;
    double first, last;
    const char *last_time, *next_time;
} real_file;

static bool is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static void check_file(const char *folder, const real_file *want)
{
    char path[4096], text[NORN_TIME_TEXT];
    (void)snprintf(path, sizeof path, "%s/%s", folder, want->path);
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.on_missing = want->on_missing;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&t, path, &o, NULL, &err), &err);
    const size_t n = norn_table_rows(t, 0);
    assert_string_equal(norn_table_time_name(t), want->time);
    assert_string_equal(norn_table_target_name(t, 0), want->target);
    assert_string_equal(decision(t, "step"), want->step);
    assert_int_equal(norn_table_series_count(t), want->series);
    assert_int_equal(n, want->rows);
    assert_int_equal(norn_table_season(t), want->season);
    assert_true(norn_table_target(t, 0)[0] == want->first);
    assert_true(norn_table_target(t, 0)[n - 1] == want->last);
    assert_string_equal(norn_table_time_text(t, norn_table_times(t, 0)[n - 1], text), want->last_time);
    assert_string_equal(norn_table_time_text(t, norn_table_future_time(t, 0, 1), text), want->next_time);
    norn_table_free(t);
}

static void the_data_sets_are_read_right(void **state)
{
    (void)state;
    static const real_file files[] = {
        {"air_passengers.csv", 0, "month", "passengers", "1 month (143 of 143 steps)", 1, 144, 12, 112, 432,
         "1960-12", "1961-01"},
        {"business_prices.csv", 0, "date", "close", "1 business day (779 of 779 steps)", 1, 780, 5, 100.98,
         134.23, "2024-12-27", "2024-12-30"},
        {"hourly_load.csv", 0, "timestamp", "load", "1 hour (1,679 of 1,679 steps)", 1, 1680, 24, 44.24,
         47.84, "2024-03-10 23:00", "2024-03-11 00:00"},
        {"shop_sales.csv", 0, "ds", "y", "1 day (2,187 of 2,187 steps)", 3, 730, 7, 165, 216, "2024-12-30",
         "2024-12-31"},
        {"lynx.csv", 0, "year", "trapped", "1 (113 of 113 steps)", 1, 114, 1, 269, 3396, "1934", "1935"},
        {"nile.csv", 0, "year", "flow", "1 (99 of 99 steps)", 1, 100, 1, 1120, 740, "1970", "1971"},
        {"sunspots_yearly.csv", 0, "year", "sunspots", "1 (308 of 308 steps)", 1, 309, 1, 5, 2.9, "2008",
         "2009"},
    };
    const char *folder = getenv("NORN_DATASETS");
    assert_non_null(folder);
    for (size_t i = 0; i < NORN_COUNT(files); i++) check_file(folder, &files[i]);
}

static void public_files_beside_the_project_are_read_right(void **state)
{
    (void)state;
    const norn_on_missing fill = NORN_MISSING_FFILL;
    const real_file files[] = {
        {"classic/airline-passengers.csv", 0, "Month", "Passengers", "1 month (143 of 143 steps)", 1, 144, 12,
         112, 432, "1960-12", "1961-01"},
        {"classic/daily-min-temperatures.csv", 0, "Date", "Temp", "1 day (3,647 of 3,649 steps)", 1, 3650, 7,
         20.7, 13.0, "1990-12-31", "1991-01-01"},
        {"classic/darts_monthly-milk.csv", 0, "Month", "Pounds per cow", "1 month (167 of 167 steps)", 1, 168,
         12, 589, 843, "1975-12", "1976-01"},
        {"classic/monthly-sunspots.csv", 0, "Month", "Sunspots", "1 month (2,819 of 2,819 steps)", 1, 2820,
         12, 58.0, 33.4, "1983-12", "1984-01"},
        {"classic/sunspots_yearly.csv", 0, "YEAR", "SUNACTIVITY", "1 (308 of 308 steps)", 1, 309, 1, 5, 2.9,
         "2008", "2009"},
        {"classic/lynx_rdatasets.csv", 0, "time", "value", "1 (113 of 113 steps)", 1, 114, 1, 269, 3396,
         "1934", "1935"},
        {"classic/co2_maunaloa_weekly.csv", fill, "date", "co2", "1 week (2,283 of 2,283 steps)", 1, 2284, 52,
         316.1, 371.5, "20011229", "20020105"},
        {"classic/darts_us_gasoline.csv", 0, "Week", "Gasoline", "1 week (1,577 of 1,577 steps)", 1, 1578, 52,
         6621, 8864, "04/30/2021", "05/7/2021"},
        {"ett_h1_m1/ETTh1.csv", 0, "date", "OT", "1 hour (17,419 of 17,419 steps)", 1, 17420, 24,
         30.5310001373291, 9.5670003890991193, "2018-06-26 19:00:00", "2018-06-26 20:00:00"},
        {"ett_h1_m1/ETTm1.csv", 0, "date", "OT", "15 minutes (69,679 of 69,679 steps)", 1, 69680, 96,
         30.5310001373291, 9.777999877929688, "2018-06-26 19:45:00", "2018-06-26 20:00:00"},
        {"nab_nyc_taxi/nyc_taxi.csv", 0, "timestamp", "value", "30 minutes (10,319 of 10,319 steps)", 1,
         10320, 48, 10844, 26288, "2015-01-31 23:30:00", "2015-02-01 00:00:00"},
        {"bao2017/CSI300_Index_Data.csv", 0, "Time", "WVAD", "1 business day (1,954 of 2,009 steps)", 1, 2010,
         5, -87262783.755611897, -48154529.813208699, "20160930", "20161003"},
        {"bao2017/HangSeng_Index_Data.csv", 0, "Ntime", "HIBOR", "1 business day (1,949 of 2,036 steps)", 1,
         2037, 5, 1.6, 0.16, "20160930", "20161003"},
        {"bao2017/SP500_Index_Data.csv", 0, "Ntime", "Federal Fund Rate",
         "1 business day (2,004 of 2,078 steps)", 1, 2079, 5, 2.11, 0.29, "20160930", "20161003"},
        /* nine of its rows are Sundays */
        {"bao2017/SP500_Index_Future_Data.csv", 0, "Date", "Close", "1 business day (1,503 of 1,548 steps)",
         1, 1549, 5, 1136.75, 2160.5, "20160930", "20161003"},
        {"bao2017/CSI300_Index_Future_Data.csv", 0, "Num_Time", "Close",
         "1 business day (1,418 of 1,459 steps)", 1, 1460, 5, 2953.4, 3246, "20160930", "20161003"},
        {"exchange_rate/exchange_rate_darts.csv", 0, "", "7", "", 1, 7588, 1, 0.525486, 0.690942, "7588",
         "7589"},
        {"beijing_pm25/pollution.csv", 0, "ds", "Ir", "1 hour (43,823 of 43,823 steps)", 1, 43824, 24, 0, 0,
         "2014-12-31 23:00", "2015-01-01 00:00"},
    };
    static const struct {
        const char *path;
        int line, column;
    } refused[] = {{"classic/co2_maunaloa_weekly.csv", 8, 2}, {"commodity_wti/wti.csv", 34, 2}};
    char folder[4096], path[4200];
    (void)snprintf(folder, sizeof folder, "%s/../../shared/data", getenv("NORN_DATASETS"));
    if (!is_there(folder)) {
        print_message("../shared/data is not there: its files are not tried\n");
        skip();
    }
    for (size_t i = 0; i < NORN_COUNT(files); i++) check_file(folder, &files[i]);
    for (size_t i = 0; i < NORN_COUNT(refused); i++) {
        norn_table *t = NULL;
        norn_error err = NORN_ERROR_INIT;
        (void)snprintf(path, sizeof path, "%s/%s", folder, refused[i].path);
        assert_int_equal(norn_table_read(&t, path, NULL, NULL, &err), NORN_ERR_DATA);
        assert_int_equal(err.line, refused[i].line);
        assert_int_equal(err.column, refused[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_found),
        cmocka_unit_test(what_is_told_overrules_what_is_found),
        cmocka_unit_test(a_column_that_is_told_is_not_found_for_something_else),
        cmocka_unit_test(covariates_stand_beside_every_series_of_their_rows),
        cmocka_unit_test(interleaved_series_are_sorted_apart_in_the_order_they_appear),
        cmocka_unit_test(many_interleaved_ids_keep_their_rows),
        cmocka_unit_test(a_file_of_a_spreadsheet_is_read),
        cmocka_unit_test(decisions_say_what_was_found_and_the_flag_that_overrules_it),
        cmocka_unit_test(a_name_of_any_bytes_is_shown_as_plain_text),
        cmocka_unit_test(the_delimiter_is_found_or_told),
        cmocka_unit_test(the_data_sets_are_read_right),
        cmocka_unit_test(public_files_beside_the_project_are_read_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
