/*
 * The calendar: days and weeks against the C library, day and month told apart, times in several columns, and
 * the mark that changes of the clock leave.
 */
#include "time_support.h"

#include <time.h>

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

static void weeks_agree_with_the_system(void **state)
{
    (void)state;
    for (int64_t days = norn_days_from_civil(1900, 1, 1); days < norn_days_from_civil(2101, 1, 1); days++) {
        const time_t seconds = (time_t)(days * 86400);
        struct tm parts;
        char want[16], got[16];
        int64_t year;
        int week;
        assert_non_null(gmtime_r(&seconds, &parts));
        assert_true(strftime(want, sizeof want, "%G-%V", &parts) > 0);
        norn_week_from_days(days, &year, &week);
        (void)snprintf(got, sizeof got, "%d-%02d", (int)year, week);
        assert_string_equal(got, want);
        assert_int_equal(norn_days_from_week(year, week) + norn_weekday(days), days);
        assert_true(week <= norn_weeks_in_year(year));
    }
}

/* ---- day and month ---- */

static void day_and_month_are_told_apart_by_the_whole_column(void **state)
{
    (void)state;
    static const struct {
        const char *cells, *told, *times; /* as ISO dates, or what the error says */
        size_t bad_row;
    } cases[] = {
        {"01/02/2020|01/13/2020", NULL, "2020-01-02|2020-01-13", 0},
        {"01/02/2020|13/02/2020", NULL, "2020-02-01|2020-02-13", 0},
        {"13/02/2020|01/03/2020|02/12/2019", NULL, "2020-02-13|2020-03-01|2019-12-02", 0},
        {"01/02/2020|01/13/2020|13/01/2020", NULL, "here the day comes first", 2},
        {"13/01/2020|01/02/2020|01/13/2020", NULL, "here the month comes first", 2},
        /* 2 January to 4 February rises, 1 February to 2 April does not */
        {"01/02/2020|01/09/2020|02/04/2020", NULL, "2020-01-02|2020-01-09|2020-02-04", 0},
        {"09/11/2020|10/11/2020|01/12/2020", NULL, "2020-11-09|2020-11-10|2020-12-01", 0},
        {"02/04/2020|01/09/2020|01/02/2020", NULL, "2020-02-04|2020-01-09|2020-01-02", 0},
        /* both rise */
        {"01/02/2020|01/03/2020|01/04/2020", NULL, "01/02/2020 is 2020-01-02 or 2020-02-01", SIZE_MAX},
        {"1/1/2020|2/1/2020", NULL, "2/1/2020 is 2020-02-01 or 2020-01-02", SIZE_MAX},
        /* neither does */
        {"01/02/2020|05/06/2020|03/04/2020", NULL, "--time-format mdy", SIZE_MAX},
        {"01/02/2020", NULL, "--time-format dmy", SIZE_MAX},
        /* no difference */
        {"01/01/2020|02/02/2020", NULL, "2020-01-01|2020-02-02", 0},
        /* told */
        {"01/02/2020|01/03/2020", "mdy", "2020-01-02|2020-01-03", 0},
        {"01/02/2020|01/03/2020", "dmy", "2020-02-01|2020-03-01", 0},
        {"01.02.2020|01.03.2020", "mdy", "2020-01-02|2020-01-03", 0},
        {"01.02.2020|01.03.2020", "dmy", "2020-02-01|2020-03-01", 0},
        {"1-2-2020 3:04 PM|1-3-2020 3:04 PM", "dmy", "2020-02-01|2020-03-01", 0},
        {"01/02/2020|01/02/2020|13/02/2020", "mdy", "", 2}, /* a cell that is not read */
        {"2020-02-01|2020-02-02", "iso", "2020-02-01|2020-02-02", 0},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        column c = column_of(cases[i].cells), want = column_of(cases[i].times);
        norn_time_style style;
        norn_error err = NORN_ERROR_INIT;
        int64_t times[64];
        size_t bad_row = 0;
        const norn_status status = read_column(&c, cases[i].told, false, &style, times, &bad_row, &err);
        cut(&want);
        if (status != NORN_OK) {
            if (bad_row != cases[i].bad_row || !strstr(err.message, cases[i].times))
                fail_msg("%s: row %zu, %s", cases[i].cells, bad_row, err.message);
            continue;
        }
        const norn_time_style iso = norn_time_style_iso(NORN_FORM_DATE, 0);
        if (want.count != c.count) fail_msg("%s is read", cases[i].cells);
        for (size_t k = 0; k < c.count; k++) {
            char text[NORN_TIME_TEXT];
            (void)norn_time_write(&iso, times[k], text);
            if (strncmp(text, want.cells[k], want.lengths[k]) != 0) fail_msg("%s: %s", cases[i].cells, text);
            (void)norn_time_write(&style, times[k], text);
            if (strncmp(text, c.cells[k], c.lengths[k]) != 0)
                fail_msg("%s: written %s", cases[i].cells, text);
        }
    }
}

/* Each series rises or falls by itself, and rows left out say nothing. */
static void the_order_of_each_series_counts(void **state)
{
    (void)state;
    column c = column_of("01/02/2020|01/09/2020|02/04/2020|01/02/2020|01/09/2020|02/04/2020");
    norn_time_style style = {.form = NORN_FORM_NONE};
    norn_time_seen seen = {0};
    norn_error err = NORN_ERROR_INIT;
    const size_t firsts[] = {0, 3}, one[] = {0};
    int64_t raw[6], times[7];
    size_t fits, bad_row;
    cut(&c);
    norn_time_style_guess(&style, c.cells, c.lengths, c.count, false, &fits);
    for (size_t i = 0; i < 6; i++)
        assert_true(norn_time_parse(&style, c.cells[i], c.lengths[i], i, &seen, &raw[i]));
    norn_time_style copy = style;
    memcpy(times, raw, sizeof raw);
    assert_int_equal(norn_time_settle_order(&copy, &seen, times, 6, one, 1, &bad_row, &err), NORN_ERR_DATA);
    copy = style;
    memcpy(times, raw, sizeof raw);
    times[6] = times[5];
    times[4] = INT64_MIN;
    err = (norn_error)NORN_ERROR_INIT;
    assert_ok(norn_time_settle_order(&copy, &seen, times, 7, firsts, 2, &bad_row, &err), &err);
    assert_int_equal(copy.order, NORN_ORDER_MDY);
    assert_int_equal(times[4], INT64_MIN);
    assert_int_equal(times[5], at(2020, 2, 4, 0, 0, 0));
}

/* In any order of threads the row is the first of the file. */
static void what_parts_saw_is_joined(void **state)
{
    (void)state;
    static const char *const cells[] = {"1/2/2020 1:00", "2/28/2020 1:00", "1/2/2020 1:00", "03/29/2020 1:00",
                                        "4/14/2020 1:00"};
    norn_time_style open = {.form = NORN_FORM_NONE};
    size_t lengths[5], fits;
    for (size_t i = 0; i < 5; i++) lengths[i] = strlen(cells[i]);
    norn_time_style_guess(&open, cells, lengths, 5, false, &fits);
    assert_int_equal(open.order, NORN_ORDER_OPEN);
    norn_time_seen all = {0}, part[5] = {{0}};
    int64_t raw;
    for (size_t i = 0; i < 5; i++) {
        assert_true(norn_time_parse(&open, cells[i], lengths[i], i, &part[i], &raw));
        assert_true(norn_time_seen_join(&all, &part[i]));
    }
    assert_int_equal(all.second_over_12, 2);
    assert_int_equal(all.first_over_12, 0);
    assert_true(all.short_items & 1 && all.full_items & 1);
    norn_time_seen zoned = {0}, other = {0};
    const norn_time_style with = compile("%F %T%z");
    assert_true(parse(&with, "2020-01-01 00:00:00+01:00", &zoned, &raw));
    assert_false(norn_time_seen_join(&all, &zoned));
    const norn_time_style fine = compile("%F %T.%f%z");
    assert_true(parse(&fine, "2020-01-01 00:00:00.25+02:00", &other, &raw));
    assert_true(norn_time_seen_join(&zoned, &other));
    assert_true(zoned.offset_varies);
    assert_int_equal(zoned.fraction, 2);
    assert_true(norn_time_seen_join(&zoned, &(norn_time_seen){0})); /* a part without rows */
}

/* With offsets that differ, UTC is the only one that is right for a time of the future. */
static void offsets_that_differ_are_written_as_utc(void **state)
{
    (void)state;
    column c = column_of("2024-03-31T00:00:00+01:00|2024-03-31T04:00:00+02:00|2024-03-31T05:00:00+02:00");
    norn_time_style style;
    norn_error err = NORN_ERROR_INIT;
    int64_t times[64];
    size_t bad_row;
    char text[NORN_TIME_TEXT];
    assert_ok(read_column(&c, NULL, false, &style, times, &bad_row, &err), &err);
    assert_string_equal(norn_time_write(&style, times[2], text), "2024-03-31T03:00:00+00:00");
}

static void parts_in_columns_make_a_time(void **state)
{
    (void)state;
    static const struct {
        norn_time_parts how;
        int64_t parts[6];
        const char *text; /* NULL: none */
    } cases[] = {
        {{1, false, false}, {2020}, "2020"},
        {{2, false, false}, {2020, 12}, "2020-12"},
        {{2, true, false}, {2020, 4}, "2020-Q4"},
        {{3, false, false}, {2020, 2, 29}, "2020-02-29"},
        {{4, false, false}, {2020, 2, 29, 23}, "2020-02-29 23:00"},
        {{4, false, true}, {2020, 2, 29, 24}, "2020-03-01 00:00"},
        {{4, false, true}, {2020, 2, 29, 1}, "2020-02-29 01:00"},
        {{5, false, true}, {2020, 2, 29, 24, 0}, "2020-03-01 00:00"},
        {{5, false, true}, {2020, 2, 29, 24, 60}, NULL},
        {{5, false, false}, {2020, 2, 29, 23, 59}, "2020-02-29 23:59"},
        {{6, false, false}, {2020, 2, 29, 23, 59, 58}, "2020-02-29 23:59:58"},
        {{3, false, false}, {2021, 2, 29}, NULL},
        {{2, false, false}, {2020, 13}, NULL},
        {{2, true, false}, {2020, 5}, NULL},
        {{2, true, false}, {2020, 0}, NULL},
        {{1, false, false}, {10000}, NULL},
        {{1, false, false}, {-1}, NULL},
        {{4, false, false}, {2020, 1, 1, 24}, NULL},
        {{4, false, true}, {2020, 1, 1, 0}, NULL},
        {{4, false, true}, {2020, 1, 1, 25}, NULL},
        {{5, false, false}, {2020, 1, 1, 0, 60}, NULL},
        {{3, false, false}, {2020, INT64_MAX, INT64_MIN}, NULL},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_time_style style = norn_time_parts_style(&cases[i].how);
        int64_t time;
        char text[NORN_TIME_TEXT];
        if (norn_time_join_parts(&cases[i].how, cases[i].parts, &time) != (cases[i].text != NULL))
            fail_msg("case %zu", i);
        if (cases[i].text) assert_string_equal(norn_time_write(&style, time, text), cases[i].text);
    }
}

/* ---- changes of the clock ---- */

/* What befalls the clock: `absent` hours are jumped over, or `again` hours are shown once more, at `hour` of
 * a day. */
static size_t set_clock(int64_t *times, int64_t start, int64_t step, int64_t change, int absent, int again)
{
    size_t n = 0;
    for (int64_t t = start; n < 120; t += step) {
        if (t == change) t += absent * NORN_HOUR;
        times[n++] = t;
        for (int64_t back = t + step - again * NORN_HOUR;
             again && t + step == change + NORN_HOUR && back <= t; back += step)
            times[n++] = back;
    }
    return n;
}

static void a_clock_that_is_set_is_recognised(void **state)
{
    (void)state;
    static const struct {
        int year, month, day, hour, absent, again;
        bool looks;
    } changes[] = {
        {2024, 3, 31, 2, 1, 0, true},                                 /* the European Union */
        {2024, 10, 27, 2, 0, 1, true},  {2024, 3, 10, 2, 1, 0, true}, /* North America */
        {2024, 11, 3, 1, 0, 1, true},   {2024, 3, 31, 3, 1, 0, true}, /* Helsinki */
        {2024, 10, 6, 2, 1, 0, true},                                 /* Sydney */
        {2024, 4, 7, 2, 0, 1, true},    {2024, 4, 6, 23, 0, 1, true}, /* Santiago, before midnight */
        {2024, 3, 31, 2, 0, 0, false},                                /* nothing happens */
        {2024, 3, 31, 2, 2, 0, false},                                /* two hours */
        {2024, 3, 31, 4, 1, 0, false},                                /* in the morning */
        {2024, 3, 27, 2, 1, 0, false},                                /* on a Wednesday */
        {2024, 10, 30, 2, 0, 1, false}, {2024, 7, 7, 2, 1, 0, false}, /* in July */
    };
    const norn_time_style style = norn_time_style_iso(NORN_FORM_CLOCK, 0),
                          day = norn_time_style_iso(NORN_FORM_DATE, 0);
    for (size_t i = 0; i < NORN_COUNT(changes); i++)
        for (int turned = 0; turned < 4; turned++) {
            int64_t times[200];
            const int64_t midnight = at(changes[i].year, changes[i].month, changes[i].day, 0, 0, 0);
            size_t n = set_clock(times, midnight - NORN_DAY, turned & 2 ? NORN_HOUR / 2 : NORN_HOUR,
                                 midnight + changes[i].hour * NORN_HOUR, changes[i].absent, changes[i].again);
            for (size_t k = 0; turned & 1 && k < n / 2; k++) {
                const int64_t swap = times[k];
                times[k] = times[n - 1 - k];
                times[n - 1 - k] = swap;
            }
            if (norn_looks_like_clock_change(&style, times, n) != changes[i].looks)
                fail_msg("case %zu, %d", i, turned);
            assert_false(norn_looks_like_clock_change(&day, times, n));
            /* rows that are absent at any hour are not the clock's doing */
            for (size_t k = turned & 1 ? 0 : n - 5, gaps = 0; gaps < 2; gaps++, k += 2)
                for (size_t r = 0; r < n; r++) times[r] += (turned & 1 ? r <= k : r >= k) * NORN_HOUR;
            assert_false(norn_looks_like_clock_change(&style, times, n));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years_has_one_number),
        cmocka_unit_test(days_agree_with_the_system),
        cmocka_unit_test(weeks_agree_with_the_system),
        cmocka_unit_test(day_and_month_are_told_apart_by_the_whole_column),
        cmocka_unit_test(the_order_of_each_series_counts),
        cmocka_unit_test(what_parts_saw_is_joined),
        cmocka_unit_test(offsets_that_differ_are_written_as_utc),
        cmocka_unit_test(parts_in_columns_make_a_time),
        cmocka_unit_test(a_clock_that_is_set_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
