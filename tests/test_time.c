/*
 * The ways to write times: every known one found, read and written back, wrong cells and patterns refused,
 * and random instants against the C library.
 */
#define _XOPEN_SOURCE 700 /* strptime */

#include "time_support.h"

#include <time.h>

#define MANY 300000

/* ---- ways ---- */

/* Each column is found, read to the same times and written back byte by byte; `first` is its first time, as
 * ISO. */
static const struct {
    const char *cells, *first, *format;
    norn_time_form form;
    bool named;
} ways[] = {
    {"0|-17|1700", "0", "integer", NORN_FORM_INTEGER, false},
    {"1700|1701", "1700", "integer", NORN_FORM_INTEGER, true},
    {"9223372036854775807", "9223372036854775807", "integer", NORN_FORM_INTEGER, false},
    {"20200131|20200201", "2020-01-31 00:00:00", "%Y%m%d", NORN_FORM_DATE, false},
    {"199001|199002|199012", "1990-01-01 00:00:00", "%Y%m", NORN_FORM_MONTH, true},
    {"199001|199002|199012", "199001", "integer", NORN_FORM_INTEGER, false},
    {"199001|199002|199013", "199001", "integer", NORN_FORM_INTEGER, true},
    {"2020013104|2020013105", "2020-01-31 04:00:00", "%Y%m%d%H", NORN_FORM_CLOCK, true},
    {"202001311304|202001311305", "2020-01-31 13:04:00", "%Y%m%d%H%M", NORN_FORM_CLOCK, true},
    {"20200131130405|20200131130406", "2020-01-31 13:04:05", "%Y%m%d%H%M%S", NORN_FORM_CLOCK, true},
    {"1580475845|1580475846", "2020-01-31 13:04:05", "epoch-s", NORN_FORM_CLOCK, true},
    {"1580475845|1580475846", "1580475845", "integer", NORN_FORM_INTEGER, false},
    {"1580475845000|1580475846000", "2020-01-31 13:04:05", "epoch-ms", NORN_FORM_CLOCK, true},
    {"1580475845000000|1580475845000001", "2020-01-31 13:04:05", "epoch-us", NORN_FORM_CLOCK, true},
    {"2020-01-31|1999-12-01", "2020-01-31 00:00:00", "%Y-%m-%d", NORN_FORM_DATE, false},
    {"2020-1-31|1999-12-1", "2020-01-31 00:00:00", "%Y-%m-%d", NORN_FORM_DATE, false},
    {"0000-01-01|9999-12-31", "0000-01-01 00:00:00", "%Y-%m-%d", NORN_FORM_DATE, false},
    {"2020/01/31|1999/12/01", "2020-01-31 00:00:00", "%Y/%m/%d", NORN_FORM_DATE, false},
    {"2020.01.31|1999.12.01", "2020-01-31 00:00:00", "%Y.%m.%d", NORN_FORM_DATE, false},
    {"2020-01-31 13:04|2020-01-31 13:05", "2020-01-31 13:04:00", "%Y-%m-%d %H:%M", NORN_FORM_CLOCK, false},
    {"2020-01-31 9:04|2020-01-31 13:05", "2020-01-31 09:04:00", "%Y-%m-%d %H:%M", NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04|2020-01-31T13:05", "2020-01-31 13:04:00", "%Y-%m-%dT%H:%M", NORN_FORM_CLOCK, false},
    {"2020-01-31 13:04:05|2020-01-31 13:04:06", "2020-01-31 13:04:05", "%Y-%m-%d %H:%M:%S", NORN_FORM_CLOCK,
     false},
    {"2020-01-31T13:04:05|2020-01-31T13:04:06", "2020-01-31 13:04:05", "%Y-%m-%dT%H:%M:%S", NORN_FORM_CLOCK,
     false},
    {"2020-01-31 13:04:05.25|2020-01-31 13:04:05.50", "2020-01-31 13:04:05.250000", "%Y-%m-%d %H:%M:%S.%f",
     NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04:05.123456|2020-01-31T13:04:05.123457", "2020-01-31 13:04:05.123456",
     "%Y-%m-%dT%H:%M:%S.%f", NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04:05.123456000", "2020-01-31 13:04:05.123456", "%Y-%m-%dT%H:%M:%S.%f", NORN_FORM_CLOCK,
     false},
    {"2020-01-31 13:04:05,250", "2020-01-31 13:04:05.250000", "%Y-%m-%d %H:%M:%S,%f", NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04:05Z|2020-01-31T13:04:06Z", "2020-01-31 13:04:05", "%Y-%m-%dT%H:%M:%S%z",
     NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04Z", "2020-01-31 13:04:00", "%Y-%m-%dT%H:%M%z", NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04:05+01:00|2020-01-31T13:04:06+01:00", "2020-01-31 12:04:05", "%Y-%m-%dT%H:%M:%S%z",
     NORN_FORM_CLOCK, false},
    {"2020-01-31T13:04:05.5-05:30", "2020-01-31 18:34:05.500000", "%Y-%m-%dT%H:%M:%S.%f%z", NORN_FORM_CLOCK,
     false},
    {"2020-01-31 13:04:05-0530", "2020-01-31 18:34:05", "%Y-%m-%d %H:%M:%S%z", NORN_FORM_CLOCK, false},
    {"2020-01-31 13:04+08", "2020-01-31 05:04:00", "%Y-%m-%d %H:%M%z", NORN_FORM_CLOCK, false},
    {"2020-01-31 13:04:05 +0100", "2020-01-31 12:04:05", "%Y-%m-%d %H:%M:%S %z", NORN_FORM_CLOCK, false},
    {"2020-01-31 13:04:05 UTC", "2020-01-31 13:04:05", "%Y-%m-%d %H:%M:%S %Z", NORN_FORM_CLOCK, false},
    {"2020/01/31 13:04:05|2020/01/31 13:04:06", "2020-01-31 13:04:05", "%Y/%m/%d %H:%M:%S", NORN_FORM_CLOCK,
     false},
    {"2020/1/31 3:04", "2020-01-31 03:04:00", "%Y/%m/%d %H:%M", NORN_FORM_CLOCK, false},
    {"2020.01.31 13:04:05Z", "2020-01-31 13:04:05", "%Y.%m.%d %H:%M:%S%z", NORN_FORM_CLOCK, false},
    {"20200131T1304", "2020-01-31 13:04:00", "%Y%m%dT%H%M", NORN_FORM_CLOCK, false},
    {"20200131T130405", "2020-01-31 13:04:05", "%Y%m%dT%H%M%S", NORN_FORM_CLOCK, false},
    {"20200131T130405Z", "2020-01-31 13:04:05", "%Y%m%dT%H%M%S%z", NORN_FORM_CLOCK, false},
    {"20200131 13:04", "2020-01-31 13:04:00", "%Y%m%d %H:%M", NORN_FORM_CLOCK, false},
    {"20200131 13:04:05", "2020-01-31 13:04:05", "%Y%m%d %H:%M:%S", NORN_FORM_CLOCK, false},
    {"20200131 1304", "2020-01-31 13:04:00", "%Y%m%d %H%M", NORN_FORM_CLOCK, false},
    {"2020-01|2020-12", "2020-01-01 00:00:00", "%Y-%m", NORN_FORM_MONTH, false},
    {"2020/01|2020/12", "2020-01-01 00:00:00", "%Y/%m", NORN_FORM_MONTH, false},
    {"1990M01|1990M12", "1990-01-01 00:00:00", "%YM%m", NORN_FORM_MONTH, false},
    {"1990m1|1990m12", "1990-01-01 00:00:00", "%Ym%m", NORN_FORM_MONTH, false},
    {"Jan-1990|May-1990", "1990-01-01 00:00:00", "%b-%Y", NORN_FORM_MONTH, false},
    {"Jan 1990|May 1990", "1990-01-01 00:00:00", "%b %Y", NORN_FORM_MONTH, false},
    {"JAN 1990|MAY 1990", "1990-01-01 00:00:00", "%b %Y", NORN_FORM_MONTH, false},
    {"jan 1990|may 1990", "1990-01-01 00:00:00", "%b %Y", NORN_FORM_MONTH, false},
    {"January 1990|May 1990", "1990-01-01 00:00:00", "%b %Y", NORN_FORM_MONTH, false},
    {"1990 Jan|1990 May", "1990-01-01 00:00:00", "%Y %b", NORN_FORM_MONTH, false},
    {"01/1990|12/1990", "1990-01-01 00:00:00", "%m/%Y", NORN_FORM_MONTH, false},
    {"1990-Q1|1990-Q4", "1990-01-01 00:00:00", "%Y-Q%q", NORN_FORM_QUARTER, false},
    {"1990Q3|1990Q4", "1990-07-01 00:00:00", "%YQ%q", NORN_FORM_QUARTER, false},
    {"1990 Q2|1990 Q4", "1990-04-01 00:00:00", "%Y Q%q", NORN_FORM_QUARTER, false},
    {"Q4 1990|Q1 1991", "1990-10-01 00:00:00", "Q%q %Y", NORN_FORM_QUARTER, false},
    {"2020-W01|2020-W53", "2019-12-30 00:00:00", "%G-W%V", NORN_FORM_WEEK, false},
    {"2020W05|2020W53", "2020-01-27 00:00:00", "%GW%V", NORN_FORM_WEEK, false},
    {"2020-W05-5|2020-W53-7", "2020-01-31 00:00:00", "%G-W%V-%u", NORN_FORM_DATE, false},
    {"01/31/2020|12/01/1999", "2020-01-31 00:00:00", "%m/%d/%Y", NORN_FORM_DATE, false},
    {"1/31/2020|12/1/1999", "2020-01-31 00:00:00", "%m/%d/%Y", NORN_FORM_DATE, false},
    {"31/01/2020|01/12/1999", "2020-01-31 00:00:00", "%d/%m/%Y", NORN_FORM_DATE, false},
    {"1-31-2020|12-1-1999", "2020-01-31 00:00:00", "%m-%d-%Y", NORN_FORM_DATE, false},
    {"31-01-2020|01-12-1999", "2020-01-31 00:00:00", "%d-%m-%Y", NORN_FORM_DATE, false},
    {"01.02.2020|02.02.2020", "2020-02-01 00:00:00", "%d.%m.%Y", NORN_FORM_DATE, false},
    {"31.1.2020 13:04", "2020-01-31 13:04:00", "%d.%m.%Y %H:%M", NORN_FORM_CLOCK, false},
    {"1/31/2020 13:04", "2020-01-31 13:04:00", "%m/%d/%Y %H:%M", NORN_FORM_CLOCK, false},
    {"31/1/2020 13:04:05", "2020-01-31 13:04:05", "%d/%m/%Y %H:%M:%S", NORN_FORM_CLOCK, false},
    {"1/31/2020 3:04 PM|1/31/2020 11:04 AM", "2020-01-31 15:04:00", "%m/%d/%Y %I:%M %p", NORN_FORM_CLOCK,
     false},
    {"01/31/2020 03:04:05 pm", "2020-01-31 15:04:05", "%m/%d/%Y %I:%M:%S %p", NORN_FORM_CLOCK, false},
    {"1/31/2020 12:00 AM|1/31/2020 12:00 PM", "2020-01-31 00:00:00", "%m/%d/%Y %I:%M %p", NORN_FORM_CLOCK,
     false},
    {"31/01/2020 3:04 a.m.|31/01/2020 3:04 p.m.", "2020-01-31 03:04:00", "%d/%m/%Y %I:%M %p", NORN_FORM_CLOCK,
     false},
    {"1/31/2020 3:04PM", "2020-01-31 15:04:00", "%m/%d/%Y %I:%M%p", NORN_FORM_CLOCK, false},
    {"31-Jan-2020|01-Dec-1999", "2020-01-31 00:00:00", "%d-%b-%Y", NORN_FORM_DATE, false},
    {"31-JAN-2020|01-DEC-1999", "2020-01-31 00:00:00", "%d-%b-%Y", NORN_FORM_DATE, false},
    {"31 Jan 2020|1 Dec 1999", "2020-01-31 00:00:00", "%d %b %Y", NORN_FORM_DATE, false},
    {"31 January 2020 13:04", "2020-01-31 13:04:00", "%d %b %Y %H:%M", NORN_FORM_CLOCK, false},
    {"31JAN2020|01DEC1999", "2020-01-31 00:00:00", "%d%b%Y", NORN_FORM_DATE, false},
    {"Jan 31, 2020|Dec 1, 1999", "2020-01-31 00:00:00", "%b %d, %Y", NORN_FORM_DATE, false},
    {"January 31, 2020|May 1, 1999", "2020-01-31 00:00:00", "%b %d, %Y", NORN_FORM_DATE, false},
    {"January 31 2020|December 1 1999", "2020-01-31 00:00:00", "%b %d %Y", NORN_FORM_DATE, false},
    {"Fri, 31 Jan 2020|Wed, 01 Dec 1999", "2020-01-31 00:00:00", "%a, %d %b %Y", NORN_FORM_DATE, false},
    {"Fri, 31 Jan 2020 13:04:05 GMT", "2020-01-31 13:04:05", "%a, %d %b %Y %H:%M:%S %Z", NORN_FORM_CLOCK,
     false},
    {"Fri, 31 Jan 2020 13:04:05 +0000", "2020-01-31 13:04:05", "%a, %d %b %Y %H:%M:%S %z", NORN_FORM_CLOCK,
     false},
    {"Friday, January 31, 2020", "2020-01-31 00:00:00", "%a, %b %d, %Y", NORN_FORM_DATE, false},
    {"Fri Jan 31 13:04:05 2020|Wed Dec  1 13:04:05 1999", "2020-01-31 13:04:05", "%a %b %e %H:%M:%S %Y",
     NORN_FORM_CLOCK, false},
    {"1990-01-01 00-00-00|1990-01-31 13-04-05", "1990-01-01 00:00:00", "%Y-%m-%d %H-%M-%S", NORN_FORM_CLOCK,
     false},
};

static void every_way_is_found_read_and_written_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(ways); i++) {
        column c = column_of(ways[i].cells);
        norn_time_style style;
        norn_error err = NORN_ERROR_INIT;
        int64_t times[64];
        size_t bad_row;
        char text[NORN_TIME_TEXT], format[NORN_TIME_FORMAT];
        const norn_status status = read_column(&c, NULL, ways[i].named, &style, times, &bad_row, &err);
        if (status != NORN_OK) fail_msg("%s is not read: %s", ways[i].cells, err.message);
        if (style.form != ways[i].form) fail_msg("%s is of form %d", ways[i].cells, (int)style.form);
        assert_string_equal(norn_time_style_format(&style, format, sizeof format), ways[i].format);
        norn_time_style iso = norn_time_style_iso(NORN_FORM_CLOCK, strchr(ways[i].first, '.') ? 6 : 0);
        if (style.form == NORN_FORM_INTEGER) iso = style;
        assert_string_equal(norn_time_write(&iso, times[0], text), ways[i].first);
        for (size_t k = 0; k < c.count; k++) {
            (void)norn_time_write(&style, times[k], text);
            if (strlen(text) != c.lengths[k] || memcmp(text, c.cells[k], c.lengths[k]) != 0)
                fail_msg("%.*s of %s is written %s", (int)c.lengths[k], c.cells[k], ways[i].cells, text);
        }
    }
}

/* What norn_time_style_format says reads the same times again, and is said again. */
static void the_format_that_is_said_reads_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(ways); i++) {
        column c = column_of(ways[i].cells), again = c;
        norn_time_style style, told;
        norn_error err = NORN_ERROR_INIT;
        int64_t times[64], same[64];
        size_t bad_row;
        char format[NORN_TIME_FORMAT], twice[NORN_TIME_FORMAT], text[2][NORN_TIME_TEXT];
        assert_ok(read_column(&c, NULL, ways[i].named, &style, times, &bad_row, &err), &err);
        (void)norn_time_style_format(&style, format, sizeof format);
        if (read_column(&again, format, false, &told, same, &bad_row, &err) != NORN_OK)
            fail_msg("%s does not read %s", format, ways[i].cells);
        assert_string_equal(norn_time_style_format(&told, twice, sizeof twice), format);
        assert_int_equal(told.form, style.form);
        for (size_t k = 0; k < c.count; k++) {
            assert_int_equal(times[k], same[k]);
            assert_string_equal(norn_time_write(&told, same[k], text[0]),
                                norn_time_write(&style, times[k], text[1]));
        }
    }
}

static void what_a_format_tells_is_read_and_written_back(void **state)
{
    (void)state;
    static const struct {
        const char *format, *cell;
        int year, month, day, hour, minute, second;
    } cases[] = {
        {"%m/%d/%y", "04/30/21", 2021, 4, 30, 0, 0, 0},
        {"%d.%m.%y", "30.04.68", 2068, 4, 30, 0, 0, 0},
        {"%d.%m.%y", "30.04.69", 1969, 4, 30, 0, 0, 0},
        {"%Y", "1700", 1700, 1, 1, 0, 0, 0},
        {"%Y-%j", "2020-366", 2020, 12, 31, 0, 0, 0},
        {"%Y%j", "2021001", 2021, 1, 1, 0, 0, 0},
        {"%F %T", "2020-01-31 13:04:05", 2020, 1, 31, 13, 4, 5},
        {"%F %R", "2020-01-31 13:04", 2020, 1, 31, 13, 4, 0},
        {"%D", "01/31/20", 2020, 1, 31, 0, 0, 0},
        {"%A, %d. %B %Y", "Friday, 31. January 2020", 2020, 1, 31, 0, 0, 0},
        {"%a %b %e %Y", "Sat Feb  1 2020", 2020, 2, 1, 0, 0, 0},
        {"%I %p on %d/%m/%Y", "12 AM on 31/01/2020", 2020, 1, 31, 0, 0, 0},
        {"%I%p %Y-%m-%d", "12PM 2020-01-31", 2020, 1, 31, 12, 0, 0},
        {"%%%Y%%", "%1999%", 1999, 1, 1, 0, 0, 0},
        {"%G week %V", "2020 week 53", 2020, 12, 28, 0, 0, 0},
        {"%q. Quartal %Y", "3. Quartal 1999", 1999, 7, 1, 0, 0, 0},
        {"%H:%M:%S %Y-%m-%d", "13:04:05 2020-01-31", 2020, 1, 31, 13, 4, 5},
        {"%H:%M:%S%z %Y-%m-%d", "13:04:05+01:00 2020-01-31", 2020, 1, 31, 12, 4, 5},
        {"%H:%M:%S %Z %Y-%m-%d", "13:04:05 GMT 2020-01-31", 2020, 1, 31, 13, 4, 5},
        {"t=%s", "t=1580475845", 2020, 1, 31, 13, 4, 5},
        {"epoch-s", "-1", 1969, 12, 31, 23, 59, 59},
        {"excel", "43861", 2020, 1, 31, 0, 0, 0},
        {"excel", "1", 1900, 1, 1, 0, 0, 0},
        {"excel", "59", 1900, 2, 28, 0, 0, 0},
        {"excel", "61", 1900, 3, 1, 0, 0, 0},
        {"excel", "43861.5445023148", 2020, 1, 31, 13, 4, 5},
        {"excel", "43861.0416666667", 2020, 1, 31, 1, 0, 0},
        {"excel", "43861.25", 2020, 1, 31, 6, 0, 0},
        {"matlab", "737821", 2020, 1, 31, 0, 0, 0},
        {"matlab", "733590", 2008, 7, 1, 0, 0, 0},
        {"matlab", "737821.544502315", 2020, 1, 31, 13, 4, 5},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        column c = column_of(cases[i].cell);
        norn_time_style style;
        norn_error err = NORN_ERROR_INIT;
        int64_t times[64];
        size_t bad_row;
        char text[NORN_TIME_TEXT];
        if (read_column(&c, cases[i].format, false, &style, times, &bad_row, &err) != NORN_OK)
            fail_msg("%s does not read %s", cases[i].format, cases[i].cell);
        const int64_t want =
            at(cases[i].year, cases[i].month, cases[i].day, cases[i].hour, cases[i].minute, cases[i].second);
        if (times[0] != want)
            fail_msg("%s: %lld, not %lld", cases[i].cell, (long long)times[0], (long long)want);
        assert_string_equal(norn_time_write(&style, times[0], text), cases[i].cell);
        /* what is said to read the same does */
        char format[NORN_TIME_FORMAT];
        column again = column_of(cases[i].cell);
        int64_t same[64];
        (void)norn_time_style_format(&style, format, sizeof format);
        if (read_column(&again, format, false, &style, same, &bad_row, &err) != NORN_OK ||
            same[0] != times[0])
            fail_msg("%s does not read %s", format, cases[i].cell);
    }
}

static void a_blank_is_one_or_more(void **state)
{
    (void)state;
    const norn_time_style style = compile(" %d %b  %Y ");
    norn_time_seen seen = {0};
    int64_t time;
    assert_true(parse(&style, "31 Jan 2020", &seen, &time));
    assert_true(parse(&style, "31   Jan \t2020", &seen, &time));
    assert_int_equal(time, at(2020, 1, 31, 0, 0, 0));
    assert_false(parse(&style, "31Jan 2020", &seen, &time));
}

/* A figure with a leading zero in some cells is written with one in all. */
static void zeros_that_some_cells_have_are_written(void **state)
{
    (void)state;
    column c = column_of("1/2/2020|01/13/2020");
    norn_time_style style;
    norn_error err = NORN_ERROR_INIT;
    int64_t times[64];
    size_t bad_row;
    char text[NORN_TIME_TEXT];
    assert_ok(read_column(&c, NULL, false, &style, times, &bad_row, &err), &err);
    assert_string_equal(norn_time_write(&style, times[0], text), "01/2/2020");
}

static void what_is_no_time_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        const char *cells; /* none of which is one */
    } cases[] = {
        {"integer", "|-|+|1.5|1e3|9223372036854775808|-9223372036854775808|12 34| 1|1 "},
        {"%Y-%m-%d",
         "|2021-13-01|2021-00-01|2021-02-29|1900-02-29|2021-04-31|2021-04-00|2021-04-30T|2021-04-30 |"
         "10000-01-01|21-04-30|2021-004-30|2021/04/30|2021-04|-2021-04-30|2021-04-3O|+021-04-30"},
        {"%Y-%m-%dT%H:%M:%S",
         "2021-04-30T24:00:01|2021-04-30T24:01:00|2021-04-30T25:00:00|9999-12-31T24:00:00|"
         "2021-04-30T23:60:00|2021-04-30T23:59:60|2021-04-30T23:59|"
         "2021-04-30T23:59:59Z|2021-04-30 23:59:59|2021-04-30t23:59:59|2021-04-30T23:59:59.5|"
         "2021-04-30T-1:00:00|2021-04-31T00:00:00|2021-13-30T00:00:00|2021-04-30T23:59:5a"},
        {"%Y-%m-%d %H:%M:%S.%f", "2021-04-30 01:00:00.|2021-04-30 01:00:00.1234567890|2021-04-30 01:00:00,5|"
                                 "2021-04-30 01:00.5"},
        {"%Y-%m-%d %H:%M%z",
         "2021-04-30 01:00|2021-04-30 01:00 Z|2021-04-30 01:00z|2021-04-30 01:00ZZ|"
         "2021-04-30 01:00+|2021-04-30 01:00+1|2021-04-30 01:00+16:00|2021-04-30 01:00+01:60|"
         "2021-04-30 01:00+01:|2021-04-30 01:00+010"},
        {"%Y-%m-%d %H:%M %Z", "2021-04-30 01:00 EST|2021-04-30 01:00 CET|2021-04-30 01:00 "},
        {"%m/%d/%Y", "13/01/2020|02/30/2020|1/1/20|//2020|1//2020|01/01/2020 "},
        {"%I:%M %p %F",
         "0:30 AM 2020-01-01|13:30 PM 2020-01-01|1:30 XM 2020-01-01|1:30 A 2020-01-01|1:30 A.M 2020-01-01"},
        {"%b %Y", "Ja 2020|Janu 2020|Januaryy 2020|Foo 2020|Jan2020|Jan-2020|2020"},
        {"%Y-Q%q", "2020-Q0|2020-Q5|2020-q1|2020-Q12|2020Q1"},
        {"%G-W%V", "2021-W53|2020-W54|2020-W00|2020-W"},
        {"%G-W%V-%u", "2020-W01-0|2020-W01-8"},
        {"%Y-%j", "2021-366|2020-367|2020-000|2020-0"},
        {"excel", "60|-1|60.5|2958466|1.|.5|1e5|43861,5"},
        {"matlab", "-1|3652426|x"},
        {"epoch-s", "9223372036854|1e9||-|1.|99999999999999999999"},
        {"%Y%m%d", "20240532|2024053|202405310|2024-5-1|20241301"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        column c = column_of(cases[i].cells);
        const norn_time_style style = compile(cases[i].format);
        cut(&c);
        for (size_t k = 0; k < c.count; k++) {
            norn_time_seen seen, before;
            memset(&seen, 0, sizeof seen);
            before = seen;
            int64_t raw = 42;
            if (norn_time_parse(&style, c.cells[k], c.lengths[k], k, &seen, &raw))
                fail_msg("%s reads \"%.*s\" as %lld", cases[i].format, (int)c.lengths[k], c.cells[k],
                         (long long)raw);
            assert_int_equal(raw, 42);
            assert_memory_equal(&seen, &before, sizeof seen);
        }
    }
}

static void the_hour_24_ends_a_day(void **state)
{
    (void)state;
    static const struct {
        const char *cells, *first, *format; /* the first is the only one of hour 24 */
    } cases[] = {
        {"2021-02-28 24:00|2021-03-01 01:00", "2021-03-01 00:00:00", "%Y-%m-%d %H:%M"},
        {"2020-02-28T24:00:00|2020-02-29T01:00:00", "2020-02-29 00:00:00", "%Y-%m-%dT%H:%M:%S"},
        {"2020-12-31 24:00:00+02:00|2021-01-01 01:00:00+02:00", "2020-12-31 22:00:00", "%Y-%m-%d %H:%M:%S%z"},
        {"12/31/2020 24:00|01/01/2021 01:00", "2021-01-01 00:00:00", "%m/%d/%Y %H:%M"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        column c = column_of(cases[i].cells);
        norn_time_style style;
        norn_error err = NORN_ERROR_INIT;
        int64_t times[64];
        size_t bad_row;
        char text[NORN_TIME_TEXT], format[NORN_TIME_FORMAT];
        assert_ok(read_column(&c, NULL, false, &style, times, &bad_row, &err), &err);
        assert_string_equal(norn_time_style_format(&style, format, sizeof format), cases[i].format);
        const norn_time_style iso = norn_time_style_iso(NORN_FORM_CLOCK, 0);
        assert_string_equal(norn_time_write(&iso, times[0], text), cases[i].first);
        assert_true(times[0] + NORN_HOUR == times[1]);
    }
}

static void what_is_no_way_is_not_guessed(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "a|b|c",
        "1.5|2.5",
        "1e3|2e3",
        "04/30/21|05/30/21",
        "30.04.21|31.05.21",
        "10:30|10:45",
        "2021-04-30T1:00",
        "2021-4",
        "2021-04-30 1:0",
        "31/31/2020",
        "2020-01-31|x|y",
        "EUR 2020|USD 2020",
        "20-01-31",
        "2021-02-30|2021-02-31",
        "1.2.3",
        "192.168.0.1",
        "",
    };
    for (size_t i = 0; i < NORN_COUNT(columns); i++) {
        column c = column_of(columns[i]);
        norn_time_style style = {.form = NORN_FORM_NONE};
        size_t fits;
        cut(&c);
        norn_time_style_guess(&style, c.cells, c.lengths, c.count, true, &fits);
        if (style.form != NORN_FORM_NONE) fail_msg("%s is taken for form %d", columns[i], (int)style.form);
    }
}

/* The way of the most cells wins, and the others are errors that the caller sees. */
static void most_of_the_cells_decide(void **state)
{
    (void)state;
    static const struct {
        const char *cells;
        norn_time_form form;
        size_t fits;
    } cases[] = {
        {"2020-01-01|2020-01-02|2020/01/03", NORN_FORM_DATE, 2},
        {"2020-01-01|2020-01-02|5", NORN_FORM_DATE, 2},
        {"2020-01-01|2020-01-02 00:00|2020-01-02 01:00", NORN_FORM_CLOCK, 2},
        {"20240531|20240532|20240601", NORN_FORM_DATE, 2},
        {"20240531|20240532|20240533", NORN_FORM_INTEGER, 3},
        {"15000000|19000000|22000000", NORN_FORM_INTEGER, 3},
        {"1|2|x", NORN_FORM_INTEGER, 2},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        column c = column_of(cases[i].cells);
        norn_time_style style = {.form = NORN_FORM_NONE};
        size_t fits;
        cut(&c);
        norn_time_style_guess(&style, c.cells, c.lengths, c.count, false, &fits);
        if (style.form != cases[i].form || fits != cases[i].fits)
            fail_msg("%s: form %d, %zu fit", cases[i].cells, (int)style.form, fits);
    }
}

static void patterns_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *format, *says;
    } cases[] = {
        {"", "neither a pattern"},
        {"ISO", "neither a pattern"},
        {"YYYY-MM-DD", "neither a pattern"},
        {"%", "byte 1: a percent sign without a letter"},
        {"%Y-%m-%", "byte 7: a percent sign without a letter"},
        {"%Y-%K", "byte 4: %K is no part of a time"},
        {"%1/%2/%Y", "byte 1: %1 is no part of a time"},
        {"%Y-%Y", "byte 4: %Y says again"},
        {"%Y-%m-%b", "byte 7: %b says again"},
        {"%H:%I", "says again"},
        {"%m-%d", "a month without a year"},
        {"%Y-%d", "a day without a month"},
        {"%d", "a day without a month"},
        {"%V", "a week without its year"},
        {"%Y-%V", "a week without its year"},
        {"%G", "without a week"},
        {"%G-%V-%Y", "a year of weeks"},
        {"%Y-%j-%m", "a month and a day of the year"},
        {"%Y-%m-%q", "a quarter and a month"},
        {"%Y-%m-%d %M", "minutes without hours"},
        {"%Y-%m-%d %H:%S", "seconds without minutes"},
        {"%Y-%m-%d %H:%M.%f", "a fraction without seconds"},
        {"%Y-%m-%d %I:%M", "without %p"},
        {"%Y-%m-%d %H:%M %p", "without a 12-hour clock"},
        {"%Y-%m %H:%M", "a time of day without a day"},
        {"%Y-%m-%d %z", "an offset without a time of day"},
        {"%s %Y", "seconds since 1970"},
        {"x%%", "no year"},
        {"%A %B %Y %d %H:%M:%S.%f %z 123456789012345678901234", "times of this pattern are too long"},
        {"%Y\n", "byte 3: a control byte"},
        {"%Yaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "too long"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_time_style style;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_time_style_compile(&style, cases[i].format, &err), NORN_ERR_USAGE);
        if (!strstr(err.message, "--time-format") || !strstr(err.message, cases[i].says))
            fail_msg("%s: %s", cases[i].format, err.message);
    }
}

static void styles_are_put_into_words(void **state)
{
    (void)state;
    static const struct {
        const char *format, *words;
    } cases[] = {
        {"%m/%d/%Y", "dates like 04/30/2021 (month/day/year)"},
        {"%d.%m.%Y", "dates like 30.04.2021 (day/month/year)"},
        {"%Y-%m-%d", "dates like 2021-04-30"},
        {"%y-%m-%d", "dates like 21-04-30 (year/month/day)"},
        {"%Y-%m-%d %H:%M", "times like 2021-04-30 13:05"},
        {"%d %b %Y %I:%M %p", "times like 30 Apr 2021 01:05 PM"},
        {"%Y-%m", "months like 2021-04"},
        {"%Y-Q%q", "quarters like 2021-Q2"},
        {"%G-W%V", "weeks like 2021-W17"},
        {"%Y", "years like 2021"},
        {"integer", "whole numbers"},
        {"epoch-ms", "milliseconds since 1970"},
        {"excel", "day numbers of Excel"},
        {"mdy", "no times"},
    };
    char text[128];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_time_style style = compile(cases[i].format);
        assert_string_equal(norn_time_style_words(&style, text, sizeof text), cases[i].words);
    }
    column c = column_of("1/2/2020|1/3/2020");
    norn_time_style style = {.form = NORN_FORM_NONE};
    size_t fits;
    cut(&c);
    norn_time_style_guess(&style, c.cells, c.lengths, c.count, false, &fits);
    assert_int_equal(style.order, NORN_ORDER_OPEN);
    assert_string_equal(norn_time_style_words(&style, text, sizeof text),
                        "dates like 4/30/2021 or 30/4/2021");
    assert_string_equal(norn_time_style_format(&style, text, sizeof text), "");
}

/* ---- against the C library ---- */

static void every_day_of_four_digits_is_read_and_written_back(void **state)
{
    (void)state;
    const norn_time_style style = compile("%Y-%m-%d");
    const int64_t first = norn_days_from_civil(0, 1, 1), end = norn_days_from_civil(10000, 1, 1);
    norn_time_seen seen = {0};
    for (int64_t days = first; days < end; days++) {
        char text[NORN_TIME_TEXT];
        int64_t time;
        (void)norn_time_write(&style, days * NORN_DAY, text);
        if (!parse(&style, text, &seen, &time) || time != days * NORN_DAY) fail_msg("%s", text);
    }
}

static void random_instants_are_written_and_read_as_the_system_does(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "%Y-%m-%d %H:%M:%S",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %I:%M:%S %p",
        "%a, %d %b %Y %H:%M:%S",
        "%A %d %B %Y",
        "%Y%m%d%H%M%S",
        "%Y-%j",
        "%G-W%V-%u",
        "%e %b %Y %T",
        "%s",
    };
    norn_time_style styles[NORN_COUNT(formats)];
    for (size_t i = 0; i < NORN_COUNT(formats); i++) styles[i] = compile(formats[i]);
    uint64_t seed = 7;
    for (int i = 0; i < MANY; i++) {
        const size_t k = (size_t)i % NORN_COUNT(formats);
        const time_t seconds =
            (time_t)((int64_t)(next_random(&seed) % 6342710400) - 2208988800); /* 1900 .. 2100 */
        struct tm parts, back;
        char want[128], got[NORN_TIME_TEXT];
        int64_t time = 0;
        norn_time_seen seen = {0};
        if (strcmp(formats[k], "%s") == 0)
            (void)snprintf(want, sizeof want, "%lld", (long long)seconds);
        else
            assert_true(gmtime_r(&seconds, &parts) && strftime(want, sizeof want, formats[k], &parts) > 0);
        const char *cell = want + (want[0] == ' '); /* %e at the beginning of a trimmed cell */
        if (!parse(&styles[k], cell, &seen, &time)) fail_msg("%s does not read %s", formats[k], cell);
        if (strchr(formats[k], 'S') || strchr(formats[k], 's'))
            assert_int_equal(time, (int64_t)seconds * NORN_SECOND);
        /* what the cell does not say is not in the time: the system's reader decides */
        memset(&back, 0, sizeof back);
        back.tm_mday = 1;
        if (!strchr(formats[k], 'G') && !strchr(formats[k], 'j') && !strchr(formats[k], 's')) {
            assert_non_null(strptime(cell, formats[k], &back));
            const int64_t days = norn_days_from_civil(back.tm_year + 1900, back.tm_mon + 1, back.tm_mday);
            assert_int_equal(time, days * NORN_DAY + back.tm_hour * NORN_HOUR + back.tm_min * NORN_MINUTE +
                                       back.tm_sec * NORN_SECOND);
        }
        assert_string_equal(norn_time_write(&styles[k], time, got) + (got[0] == ' '), cell);
    }
}

static void any_time_can_be_written(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    static const char *const formats[] = {"integer",
                                          "%Y",
                                          "%Y-%m-%dT%H:%M:%S.%f%z",
                                          "%A, %d %B %Y %I:%M:%S.%f %p %z",
                                          "%G-W%V-%u",
                                          "%Y-%j",
                                          "%y%m%d",
                                          "Q%q %Y",
                                          "epoch-s",
                                          "epoch-us",
                                          "excel",
                                          "matlab"};
    for (size_t f = 0; f < NORN_COUNT(formats); f++)
        for (size_t i = 0; i < NORN_COUNT(times); i++)
            for (int offset = -959; offset <= 959; offset += 959) {
                norn_time_style style = compile(formats[f]);
                char text[NORN_TIME_TEXT];
                style.offset = offset;
                style.fraction = 9;
                (void)norn_time_write(&style, times[i], text);
                assert_true(strlen(text) < NORN_TIME_TEXT);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_found_read_and_written_back),
        cmocka_unit_test(the_format_that_is_said_reads_the_same),
        cmocka_unit_test(what_a_format_tells_is_read_and_written_back),
        cmocka_unit_test(a_blank_is_one_or_more),
        cmocka_unit_test(zeros_that_some_cells_have_are_written),
        cmocka_unit_test(the_hour_24_ends_a_day),
        cmocka_unit_test(what_is_no_time_is_not_read),
        cmocka_unit_test(what_is_no_way_is_not_guessed),
        cmocka_unit_test(most_of_the_cells_decide),
        cmocka_unit_test(patterns_that_make_no_sense_are_refused),
        cmocka_unit_test(styles_are_put_into_words),
        cmocka_unit_test(every_day_of_four_digits_is_read_and_written_back),
        cmocka_unit_test(random_instants_are_written_and_read_as_the_system_does),
        cmocka_unit_test(any_time_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
