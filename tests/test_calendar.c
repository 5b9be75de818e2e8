/*
 * The calendar: days, reading and writing times, the step between rows and the rows of the future.
 */
#include "support.h"

#include "data/calendar.h"

#include <time.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* ---- days ---- */

static void every_day_of_ten_thousand_years_has_one_number(void **state)
{
    (void)state;
    int64_t days = norn_days_from_civil(0, 1, 1);
    assert_int_equal(days, -719528);
    for (int64_t year = 0; year < 10000; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= norn_days_in_month(year, month); day++, days++) {
                const norn_date date = norn_civil_from_days(days);
                if (norn_days_from_civil(year, month, day) != days || date.year != year ||
                    date.month != month || date.day != day)
                    fail_msg("%lld-%d-%d", (long long)year, month, day);
            }
    assert_int_equal(days, norn_days_from_civil(10000, 1, 1));
}

static void days_agree_with_the_system(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        const int64_t days = (int64_t)(next_random(&seed) % 2000000) - 700000;
        const time_t seconds = (time_t)(days * 86400);
        struct tm parts;
        assert_non_null(gmtime_r(&seconds, &parts));
        const norn_date date = norn_civil_from_days(days);
        assert_int_equal(date.year, parts.tm_year + 1900);
        assert_int_equal(date.month, parts.tm_mon + 1);
        assert_int_equal(date.day, parts.tm_mday);
        assert_int_equal(norn_weekday(days), (parts.tm_wday + 6) % 7);
    }
}

/* ---- reading ---- */

static bool parse(const char *text, bool compact, int64_t *time, norn_time_style *style)
{
    return norn_time_parse(text, strlen(text), compact, time, style);
}

static void times_are_read_and_written_back_as_they_were(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        norn_time_form form;
        int64_t time;
    } cases[] = {
        {"0", NORN_FORM_INTEGER, 0},
        {"-17", NORN_FORM_INTEGER, -17},
        {"1700", NORN_FORM_INTEGER, 1700},
        {"9223372036854775807", NORN_FORM_INTEGER, INT64_MAX},
        {"1970-01", NORN_FORM_MONTH, 0},
        {"1949-01", NORN_FORM_MONTH, INT64_C(-662688000000000)},
        {"1970-01-02", NORN_FORM_DATE, INT64_C(86400000000)},
        {"1969-12-31", NORN_FORM_DATE, INT64_C(-86400000000)},
        {"2000-02-29", NORN_FORM_DATE, INT64_C(951782400000000)},
        {"0000-01-01", NORN_FORM_DATE, INT64_C(-719528) * NORN_DAY},
        {"9999-12-31", NORN_FORM_DATE, INT64_C(2932896) * NORN_DAY},
        {"20000229", NORN_FORM_COMPACT, INT64_C(951782400000000)},
        {"2014-07-01 00:30:00", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-07-01T00:30:00", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-07-01T00:30", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-07-01T00:30:00Z", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-07-01T00:30Z", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-07-01T02:30:00+02:00", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-06-30 19:00:00-0530", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"2014-06-30 16:30:00-08", NORN_FORM_CLOCK, INT64_C(1404174600000000)},
        {"1970-01-01 00:00:00.5", NORN_FORM_CLOCK, 500000},
        {"1970-01-01 00:00:00.000001", NORN_FORM_CLOCK, 1},
        {"1969-12-31 23:59:59.999999", NORN_FORM_CLOCK, -1},
        {"1970-01-01 00:00:00.123456000", NORN_FORM_CLOCK, 123456},
        {"1970-01-01 23:59:59.9", NORN_FORM_CLOCK, 86399900000},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        int64_t time = 0;
        norn_time_style style;
        char text[NORN_TIME_TEXT];
        if (!parse(cases[i].text, true, &time, &style)) fail_msg("%s is not read", cases[i].text);
        if (time != cases[i].time || style.form != cases[i].form)
            fail_msg("%s: %lld in form %d", cases[i].text, (long long)time, (int)style.form);
        assert_string_equal(norn_time_write(&style, time, text), cases[i].text);
    }
}

static void what_is_no_time_is_not_read(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "-",
        "+",
        "1.5",
        "1e3",
        "04/30/2021",
        "2021/04/30",
        "30.04.2021",
        "2021-4-30",
        "2021-04-3",
        "2021-13",
        "2021-00",
        "2021-02-29",
        "1900-02-29",
        "2021-04-31",
        "2021-04-00",
        "2021-04-30T",
        "2021-04-30T24:00",
        "2021-04-30T23:60",
        "2021-04-30T23:59:60",
        "2021-04-30T1:00",
        "2021-04-30T01:00:",
        "2021-04-30T01:00:00.",
        "2021-04-30T01:00:00.1234567890",
        "2021-04-30T01:00:00,5",
        "2021-04-30  01:00:00",
        "2021-04-30t01:00:00",
        "2021-04-30 01:00:00 Z",
        "2021-04-30 01:00:00z",
        "2021-04-30 01:00:00ZZ",
        "2021-04-30 01:00:00+",
        "2021-04-30 01:00:00+1",
        "2021-04-30 01:00:00+16:00",
        "2021-04-30 01:00:00+01:60",
        "2021-04-30 01:00:00+01:",
        "2021-04-30 01:00:00+010",
        "2021-04-30 01:00 AM",
        "2021-Q1",
        "Jan 2021",
        "9223372036854775808",
        "-9223372036854775808",
        "10000-01-01",
        "12 34",
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        int64_t time;
        norn_time_style style;
        if (parse(cases[i], true, &time, &style))
            fail_msg("\"%s\" is read as %lld", cases[i], (long long)time);
    }
}

static void eight_digits_are_a_date_only_where_asked_and_possible(void **state)
{
    (void)state;
    int64_t time;
    norn_time_style style;
    assert_true(parse("20240531", false, &time, &style));
    assert_int_equal(style.form, NORN_FORM_INTEGER);
    assert_int_equal(time, 20240531);
    assert_true(parse("20240532", true, &time, &style));
    assert_int_equal(style.form, NORN_FORM_INTEGER);
}

static void times_of_one_column_are_of_one_style(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool joins;
    } cases[] = {
        {"2024-01-01", "2024-01-02", true},
        {"2024-01-01", "2024-01", false},
        {"2024-01-01", "20240102", false},
        {"2024-01-01", "1", false},
        {"2024-01-01", "2024-01-02 00:00", false},
        {"2024-01-01 00:00", "2024-01-01T01:00", false},
        {"2024-01-01 00:00", "2024-01-01 01:00:00", false},
        {"2024-01-01 00:00:00", "2024-01-01 01:00:00.25", true},
        {"2024-01-01 00:00:00Z", "2024-01-01 01:00:00", false},
        {"2024-01-01 00:00:00Z", "2024-01-01 01:00:00+00:00", false},
        {"2024-01-01 00:00:00+01:00", "2024-07-01 00:00:00+02:00", true},
        {"2024-01-01 00:00:00+01:00", "2024-07-01 00:00:00+0200", false},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_time_style column = {NORN_FORM_NONE, 0, false, 0, NORN_ZONE_NONE, 0, false}, cell;
        int64_t time;
        assert_true(parse(cases[i].first, true, &time, &cell));
        assert_true(norn_time_style_join(&column, &cell));
        assert_true(parse(cases[i].second, true, &time, &cell));
        if (norn_time_style_join(&column, &cell) != cases[i].joins) fail_msg("case %zu", i);
    }
}

/* With offsets that differ, UTC is the only one that is right for a time of the future. */
static void offsets_that_differ_are_written_as_utc(void **state)
{
    (void)state;
    norn_time_style column = {NORN_FORM_NONE, 0, false, 0, NORN_ZONE_NONE, 0, false}, cell;
    int64_t time;
    char text[NORN_TIME_TEXT];
    static const char *const rows[] = {"2024-03-31T00:00:00+01:00", "2024-03-31T04:00:00+02:00",
                                       "2024-03-31T05:00:00+02:00"};
    for (size_t i = 0; i < NORN_COUNT(rows); i++) {
        assert_true(parse(rows[i], true, &time, &cell));
        assert_true(norn_time_style_join(&column, &cell));
    }
    assert_string_equal(norn_time_write(&column, time, text), "2024-03-31T03:00:00+00:00");
}

static void any_time_can_be_written(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (int form = NORN_FORM_NONE; form <= NORN_FORM_CLOCK; form++)
        for (size_t i = 0; i < NORN_COUNT(times); i++)
            for (int offset = -959; offset <= 959; offset += 959) {
                const norn_time_style style = {(norn_time_form)form, 'T',    true, 9,
                                               NORN_ZONE_HH_MM,      offset, false};
                char text[NORN_TIME_TEXT];
                (void)norn_time_write(&style, times[i], text);
                assert_true(strlen(text) < NORN_TIME_TEXT);
            }
}

/* ---- steps ---- */

typedef struct rows {
    int64_t times[256];
    size_t count;
    norn_time_style style;
} rows;

/* Times separated by blanks ('_' stands for a blank inside a time). */
static rows read_rows(const char *list)
{
    rows r = {{0}, 0, {NORN_FORM_NONE, 0, false, 0, NORN_ZONE_NONE, 0, false}};
    while (*list) {
        char text[64];
        size_t length = 0;
        while (*list && *list != ' ') text[length++] = *list++;
        while (*list == ' ') list++;
        for (size_t i = 0; i < length; i++)
            if (text[i] == '_') text[i] = ' ';
        norn_time_style style;
        assert_true(norn_time_parse(text, length, true, &r.times[r.count++], &style));
        assert_true(norn_time_style_join(&r.style, &style));
    }
    return r;
}

static norn_step find(const rows *r, uint64_t *regular, uint64_t *total)
{
    const norn_host host = norn_host_copy(NULL);
    norn_step_finder *finder = norn_step_finder_new(&r->style, &host);
    assert_non_null(finder);
    for (size_t i = 1; i < r->count; i++) norn_step_finder_add(finder, r->times[i - 1], r->times[i]);
    const norn_step step = norn_step_find(finder, regular, total);
    norn_step_finder_free(finder);
    return step;
}

static void steps_are_found_named_and_continued(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *step;
        int regular, total, season;
        const char *future; /* the next rows, as in rows */
    } cases[] = {
        {"1700 1701 1702", "1", 2, 2, 1, "1703 1704"},
        {"0 5 10 20 25", "5", 3, 4, 1, "30 35"},
        {"7", "1", 0, 0, 1, "8 9"},
        {"1949-01 1949-02 1949-03", "1 month", 2, 2, 12, "1949-04 1949-05"},
        {"1949-11 1949-12", "1 month", 1, 1, 12, "1950-01 1950-02"},
        {"1949-01", "1 month", 0, 0, 12, "1949-02"},
        {"1949-01 1949-04 1949-07", "1 quarter", 2, 2, 4, "1949-10 1950-01"},
        {"2020-01-01 2020-02-01 2020-03-01 2020-04-01", "1 month", 3, 3, 12, "2020-05-01 2020-06-01"},
        {"2021-02-01 2021-03-01", "1 month", 1, 1, 12, "2021-04-01"},
        {"2020-01-31 2020-02-29 2020-03-31 2020-04-30", "1 month", 3, 3, 12, "2020-05-31 2020-06-30"},
        {"2020-11-30 2020-12-31 2021-01-31", "1 month", 2, 2, 12, "2021-02-28 2021-03-31 2021-04-30"},
        {"2023-12-30 2024-01-30 2024-02-29 2024-03-30", "1 month", 3, 3, 12, "2024-04-30 2024-05-30"},
        {"2023-01-30 2023-02-28", "1 month", 1, 1, 12, "2023-03-30 2023-04-30"},
        {"2023-01-28 2023-02-28", "1 month", 1, 1, 12, "2023-03-28"},
        {"2021-02-28 2021-04-30", "2 months", 1, 1, 6, "2021-06-30 2021-08-31"},
        {"2020-03-31 2020-06-30 2020-09-30 2020-12-31", "1 quarter", 3, 3, 4, "2021-03-31 2021-06-30"},
        {"2019-06-30 2020-06-30 2021-06-30", "1 year", 2, 2, 1, "2022-06-30 2023-06-30"},
        {"2020-02-29 2021-02-28 2022-02-28", "1 year", 2, 2, 1, "2023-02-28 2024-02-29"},
        {"2019-01-01 2020-01-01 2021-01-01", "1 year", 2, 2, 1, "2022-01-01"},
        {"2019-01-15 2019-07-15 2020-01-15", "6 months", 2, 2, 2, "2020-07-15"},
        {"2020-01-01_06:00 2020-02-01_06:00 2020-03-01_06:00", "1 month", 2, 2, 12, "2020-04-01_06:00"},
        {"2020-01-01 2020-02-01 2020-04-01 2020-05-01", "1 month", 2, 3, 12, "2020-06-01"},
        {"1981-01-01 1981-01-02 1981-01-03", "1 day", 2, 2, 7, "1981-01-04 1981-01-05"},
        {"1981-01-01", "1 day", 0, 0, 7, "1981-01-02"},
        {"19580329 19580405 19580412", "1 week", 2, 2, 52, "19580419"},
        {"2020-01-01 2020-01-15 2020-01-29", "2 weeks", 2, 2, 1, "2020-02-12"},
        {"2020-01-01 2020-01-04 2020-01-07", "3 days", 2, 2, 1, "2020-01-10"},
        /* Thursday, Friday, Monday: business days */
        {"2024-05-30 2024-05-31 2024-06-03", "1 business day", 2, 2, 5,
         "2024-06-04 2024-06-05 2024-06-06 2024-06-07 2024-06-10"},
        {"20240527 20240528 20240529 20240530 20240531 20240603 20240605", "1 business day", 5, 6, 5,
         "20240606 20240607 20240610"},
        {"2024-05-31 2024-06-03", "1 business day", 1, 1, 5, "2024-06-04"},
        /* Friday, Saturday, Monday: a shop that closes on Sundays has a weekend in its file */
        {"2024-05-30 2024-05-31 2024-06-01 2024-06-03 2024-06-04", "1 day", 3, 4, 7, "2024-06-05"},
        /* it also holds for the last row */
        {"2024-05-30 2024-05-31 2024-06-03 2024-06-04 2024-06-05 2024-06-06 2024-06-07 2024-06-08", "1 day",
         6, 7, 7, "2024-06-09"},
        /* a week without its weekend seen */
        {"2024-05-27 2024-05-28 2024-05-29", "1 day", 2, 2, 7, "2024-05-30"},
        /* Mondays */
        {"2024-05-06 2024-05-13 2024-05-20", "1 week", 2, 2, 52, "2024-05-27"},
        {"2016-07-01_00:00:00 2016-07-01_01:00:00 2016-07-01_02:00:00", "1 hour", 2, 2, 24,
         "2016-07-01_03:00:00"},
        {"2016-07-01_00:00 2016-07-01_00:15 2016-07-01_00:30", "15 minutes", 2, 2, 96, "2016-07-01_00:45"},
        {"2016-07-01T23:30Z 2016-07-02T00:00Z", "30 minutes", 1, 1, 48, "2016-07-02T00:30Z"},
        {"2016-07-01_00:00 2016-07-01_00:10", "10 minutes", 1, 1, 144, "2016-07-01_00:20"},
        {"2016-07-01_00:00 2016-07-01_00:05", "5 minutes", 1, 1, 288, "2016-07-01_00:10"},
        {"2016-07-01_00:00 2016-07-01_00:01", "1 minute", 1, 1, 60, "2016-07-01_00:02"},
        {"2016-07-01_00:00 2016-07-01_04:00", "4 hours", 1, 1, 6, "2016-07-01_08:00"},
        {"2016-07-01_00:00 2016-07-01_05:00", "5 hours", 1, 1, 1, "2016-07-01_10:00"},
        {"2016-07-01_00:00 2016-07-01_12:00", "12 hours", 1, 1, 2, "2016-07-02_00:00"},
        {"2016-07-01_00:00:00 2016-07-01_00:00:01", "1 second", 1, 1, 60, "2016-07-01_00:00:02"},
        {"2016-07-01_00:00:00 2016-07-01_00:00:30", "30 seconds", 1, 1, 1, "2016-07-01_00:01:00"},
        {"2016-07-01_00:00:00.00 2016-07-01_00:00:00.25", "250 milliseconds", 1, 1, 1,
         "2016-07-01_00:00:00.50"},
        /* a month by local time: in UTC these are 22:00 and 23:00 of the day before */
        {"2024-05-01T00:00+02:00 2024-06-01T00:00+02:00 2024-07-01T00:00+02:00", "1 month", 2, 2, 12,
         "2024-08-01T00:00+02:00"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const rows r = read_rows(cases[i].rows), future = read_rows(cases[i].future);
        uint64_t regular, total;
        const norn_step step = find(&r, &regular, &total);
        char text[48], got[NORN_TIME_TEXT], want[NORN_TIME_TEXT];
        if (strcmp(norn_step_text(step, text, sizeof text), cases[i].step) != 0)
            fail_msg("%s: step %s", cases[i].rows, text);
        if (regular != (uint64_t)cases[i].regular || total != (uint64_t)cases[i].total)
            fail_msg("%s: %d of %d", cases[i].rows, (int)regular, (int)total);
        if (norn_step_season(step) != (size_t)cases[i].season)
            fail_msg("%s: season %zu", cases[i].rows, norn_step_season(step));
        for (size_t k = 0; k < future.count; k++) {
            (void)norn_time_write(&r.style, norn_time_ahead(&r.style, step, r.times, r.count, k + 1), got);
            (void)norn_time_write(&r.style, future.times[k], want);
            if (strcmp(got, want) != 0)
                fail_msg("%s: %zu ahead is %s, not %s", cases[i].rows, k + 1, got, want);
        }
    }
}

static void months_far_ahead_keep_their_day(void **state)
{
    (void)state;
    const rows r = read_rows("2023-10-31 2023-11-30 2023-12-31");
    const norn_step month = {NORN_STEP_MONTHS, 1};
    for (size_t ahead = 1; ahead <= 600; ahead++) {
        const norn_date date =
            norn_civil_from_days(norn_time_ahead(&r.style, month, r.times, 3, ahead) / NORN_DAY);
        assert_int_equal(date.year * 12 + date.month, 2023 * 12 + 12 + (int64_t)ahead);
        assert_int_equal(date.day, norn_days_in_month(date.year, date.month));
    }
}

static void business_days_far_ahead_are_the_next_weekday_each(void **state)
{
    (void)state;
    const norn_step step = {NORN_STEP_BUSINESS_DAYS, 1};
    rows r = read_rows("2024-05-27");
    for (int start = 0; start < 7; start++, r.times[0] += NORN_DAY) {
        int64_t day = r.times[0] / NORN_DAY;
        for (size_t ahead = 1; ahead <= 100; ahead++) {
            do day++;
            while (norn_weekday(day) > 4);
            assert_int_equal(norn_time_ahead(&r.style, step, r.times, 1, ahead), day * NORN_DAY);
        }
    }
}

static void the_end_of_time_saturates(void **state)
{
    (void)state;
    static const norn_step steps[] = {{NORN_STEP_INTEGER, INT64_MAX},
                                      {NORN_STEP_MICROSECONDS, INT64_MAX},
                                      {NORN_STEP_MONTHS, INT64_MAX},
                                      {NORN_STEP_MONTHS, 1},
                                      {NORN_STEP_BUSINESS_DAYS, 1}};
    static const int64_t lasts[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    const norn_time_style style = {NORN_FORM_CLOCK, 'T', true, 0, NORN_ZONE_HH_MM, -90, false};
    for (size_t i = 0; i < NORN_COUNT(steps); i++)
        for (size_t k = 0; k < NORN_COUNT(lasts); k++)
            assert_true(norn_time_ahead(&style, steps[i], &lasts[k], 1, SIZE_MAX) >= lasts[k] ||
                        norn_time_ahead(&style, steps[i], &lasts[k], 1, SIZE_MAX) == INT64_MAX);
}

static void a_step_is_found_among_more_steps_than_are_told_apart(void **state)
{
    (void)state;
    const norn_host host = norn_host_copy(NULL);
    const norn_time_style style = {NORN_FORM_INTEGER, 0, false, 0, NORN_ZONE_NONE, 0, false};
    norn_step_finder *finder = norn_step_finder_new(&style, &host);
    assert_non_null(finder);
    int64_t time = INT64_MIN;
    for (int64_t i = 1; i <= 5000; i++) {
        norn_step_finder_add(finder, time, time + 7);
        norn_step_finder_add(finder, time + 7, time + 7 + i * 1000);
        time += 7 + i * 1000;
    }
    norn_step_finder_add(finder, INT64_MIN, INT64_MAX);
    uint64_t regular, total;
    assert_int_equal(norn_step_find(finder, &regular, &total).count, 7);
    assert_int_equal(regular, 5000);
    assert_int_equal(total, 10001);
    norn_step_finder_free(finder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years_has_one_number),
        cmocka_unit_test(days_agree_with_the_system),
        cmocka_unit_test(times_are_read_and_written_back_as_they_were),
        cmocka_unit_test(what_is_no_time_is_not_read),
        cmocka_unit_test(eight_digits_are_a_date_only_where_asked_and_possible),
        cmocka_unit_test(times_of_one_column_are_of_one_style),
        cmocka_unit_test(offsets_that_differ_are_written_as_utc),
        cmocka_unit_test(any_time_can_be_written),
        cmocka_unit_test(steps_are_found_named_and_continued),
        cmocka_unit_test(months_far_ahead_keep_their_day),
        cmocka_unit_test(business_days_far_ahead_are_the_next_weekday_each),
        cmocka_unit_test(the_end_of_time_saturates),
        cmocka_unit_test(a_step_is_found_among_more_steps_than_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
