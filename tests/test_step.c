/*
 * The step between rows: found, named, read from --frequency, and taken into the future, with and without a
 * zone.
 */
#include "support.h"

#include "data/step.h"

/* ---- helpers ---- */

typedef struct rows {
    int64_t times[256];
    size_t count;
    norn_time_style style;
} rows;

/* Times separated by blanks ('_' stands for a blank inside a time), in a zone or, NULL, none. Integers of
 * eight digits are dates. */
static rows read_rows(const char *list, const norn_zone *zone)
{
    rows r = {.count = 0};
    char text[4096];
    const char *cells[256];
    size_t lengths[256], fits, bad_row;
    const size_t group = 0;
    norn_time_seen seen = {0};
    norn_error err = NORN_ERROR_INIT;
    uint64_t left_out = 0, shifted = 0;
    (void)snprintf(text, sizeof text, "%s", list);
    for (char *at = strtok(text, " "); at; at = strtok(NULL, " ")) {
        cells[r.count] = at;
        lengths[r.count++] = strlen(at);
        for (; *at; at++)
            if (*at == '_') *at = ' ';
    }
    r.style.zone = zone;
    norn_time_style_guess(&r.style, cells, lengths, r.count, false, &fits);
    for (size_t i = 0; i < r.count; i++)
        if (!norn_time_parse(&r.style, cells[i], lengths[i], i, &seen, &r.times[i])) fail_msg("%s", cells[i]);
    assert_ok(norn_time_settle_order(&r.style, &seen, r.times, r.count, &group, 1, &bad_row, &err), &err);
    assert_ok(norn_time_settle_zone(&r.style, NORN_AMBIGUOUS_INFER, NORN_NONEXISTENT_SHIFT_FORWARD, r.times,
                                    r.count, &left_out, &shifted, &bad_row, &err),
              &err);
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

/* A step by the name that --frequency takes. */
static norn_step step_of(const char *name)
{
    norn_step step;
    if (!norn_step_parse(name, &step)) fail_msg("%s is no step", name);
    return step;
}

static norn_zone *amsterdam(void)
{
    norn_zone *zone = NULL;
    if (norn_zone_open(&zone, "Europe/Amsterdam", NULL, NULL) != NORN_OK) skip();
    return zone;
}

/* ---- finding, naming, continuing ---- */

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
    {"2024-05-30 2024-05-31 2024-06-03 2024-06-04 2024-06-05 2024-06-06 2024-06-07 2024-06-08", "1 day", 6, 7,
     7, "2024-06-09"},
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
    {"2016-07-01_00:00:00.00 2016-07-01_00:00:00.25", "250 milliseconds", 1, 1, 1, "2016-07-01_00:00:00.50"},
    /* a month by local time: in UTC these are 22:00 and 23:00 of the day before */
    {"2024-05-01T00:00+02:00 2024-06-01T00:00+02:00 2024-07-01T00:00+02:00", "1 month", 2, 2, 12,
     "2024-08-01T00:00+02:00"},
    {"1990-Q1 1990-Q2 1990-Q3", "1 quarter", 2, 2, 4, "1990-Q4 1991-Q1"},
    {"1990-Q1", "1 quarter", 0, 0, 4, "1990-Q2"},
    {"1990-Q4 1991-Q4", "1 year", 1, 1, 1, "1992-Q4"},
    {"Dec-1990 Jan-1991", "1 month", 1, 1, 12, "Feb-1991"},
    {"2020-W52 2020-W53 2021-W01", "1 week", 2, 2, 52, "2021-W02 2021-W03"},
    {"2020-W53", "1 week", 0, 0, 52, "2021-W01"},
    {"31/01/2020 29/02/2020 31/03/2020", "1 month", 2, 2, 12, "30/04/2020 31/05/2020"},
    {"1/31/2020_3:00_PM 1/31/2020_4:00_PM 1/31/2020_5:00_PM", "1 hour", 2, 2, 24, "1/31/2020_6:00_PM"},
    /* Good Friday and Easter Monday */
    {"2024-03-27 2024-03-28 2024-04-02 2024-04-03 2024-04-04 2024-04-05 2024-04-08 2024-04-09",
     "1 business day", 6, 7, 5, "2024-04-10 2024-04-11 2024-04-12 2024-04-15"},
};

static void steps_are_found_named_and_continued(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const rows r = read_rows(cases[i].rows, NULL), future = read_rows(cases[i].future, NULL);
        uint64_t regular, total, counted = 0;
        const norn_step step = find(&r, &regular, &total);
        char text[48], got[NORN_TIME_TEXT], want[NORN_TIME_TEXT];
        if (strcmp(norn_step_text(step, text, sizeof text), cases[i].step) != 0)
            fail_msg("%s: step %s", cases[i].rows, text);
        if (regular != (uint64_t)cases[i].regular || total != (uint64_t)cases[i].total)
            fail_msg("%s: %d of %d", cases[i].rows, (int)regular, (int)total);
        for (size_t k = 1; k < r.count; k++)
            counted += norn_step_is_regular(&r.style, step, r.times[k - 1], r.times[k]);
        if (counted != regular) fail_msg("%s: %d are regular", cases[i].rows, (int)counted);
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

static bool is_holiday(int64_t day)
{
    return norn_weekday(day) <= 4 && (day - norn_days_from_civil(2021, 1, 1)) % 37 == 0;
}

/* Weekdays of a year without some holidays, and `sundays` rows on Sundays. */
static rows trading_days(size_t sundays)
{
    rows r = {.count = 0, .style = norn_time_style_iso(NORN_FORM_DATE, 0)};
    const int64_t start = norn_days_from_civil(2021, 1, 1);
    for (int64_t day = start; r.count < 256; day++) {
        const bool sunday = norn_weekday(day) == 6 && sundays > 0 && day > start + 30;
        if (sunday) sundays--;
        if (!sunday && (norn_weekday(day) > 4 || is_holiday(day))) continue;
        r.times[r.count++] = day * NORN_DAY;
    }
    return r;
}

static void business_days_survive_holidays_and_stray_sundays(void **state)
{
    (void)state;
    static const struct {
        size_t sundays;
        const char *step;
    } few[] = {
        {0, "1 business day"}, {1, "1 business day"}, {5, "1 business day"}, {6, "1 day"}, {20, "1 day"}};
    for (size_t i = 0; i < NORN_COUNT(few); i++) {
        const rows r = trading_days(few[i].sundays);
        uint64_t regular, total;
        char text[48];
        const norn_step step = find(&r, &regular, &total);
        if (strcmp(norn_step_text(step, text, sizeof text), few[i].step) != 0)
            fail_msg("%zu Sundays: %s", few[i].sundays, text);
        assert_int_equal(total, 255);
        if (few[i].sundays == 0) {
            uint64_t absent = 0, off = 0;
            for (size_t k = 1; k < r.count; k++)
                absent += norn_step_absent(&r.style, step, r.times[k - 1], r.times[k]);
            for (int64_t day = r.times[0] / NORN_DAY; day < r.times[r.count - 1] / NORN_DAY; day++)
                off += is_holiday(day);
            assert_int_equal(absent, off);
        }
    }
}

static void months_far_ahead_keep_their_day(void **state)
{
    (void)state;
    const rows r = read_rows("2023-10-31 2023-11-30 2023-12-31", NULL);
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
    rows r = read_rows("2024-05-27", NULL);
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
    static const norn_step steps[] = {
        {NORN_STEP_INTEGER, INT64_MAX},       {NORN_STEP_MICROSECONDS, INT64_MAX},
        {NORN_STEP_MICROSECONDS, NORN_DAY},   {NORN_STEP_MICROSECONDS, INT64_MAX / NORN_DAY * NORN_DAY},
        {NORN_STEP_MONTHS, INT64_MAX},        {NORN_STEP_MONTHS, 1},
        {NORN_STEP_BUSINESS_DAYS, INT64_MAX}, {NORN_STEP_BUSINESS_DAYS, 1}};
    static const int64_t lasts[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    norn_time_style style = norn_time_style_iso(NORN_FORM_CLOCK, 0);
    style.offset = -90;
    for (size_t i = 0; i < NORN_COUNT(steps); i++)
        for (size_t k = 0; k < NORN_COUNT(lasts); k++) {
            static const size_t aheads[] = {1, 1000, SIZE_MAX};
            for (size_t a = 0; a < NORN_COUNT(aheads); a++) {
                const int64_t next = norn_time_ahead(&style, steps[i], &lasts[k], 1, aheads[a]);
                assert_true(next > lasts[k] || next == INT64_MAX);
            }
            for (size_t j = 0; j < NORN_COUNT(lasts); j++) {
                (void)norn_step_absent(&style, steps[i], lasts[k], lasts[j]);
                (void)norn_step_is_regular(&style, steps[i], lasts[k], lasts[j]);
            }
        }
}

static void a_step_is_found_among_more_steps_than_are_told_apart(void **state)
{
    (void)state;
    const norn_host host = norn_host_copy(NULL);
    const norn_time_style style = norn_time_style_iso(NORN_FORM_INTEGER, 0);
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

/* ---- rows that are absent ---- */

static void absent_rows_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *step, *rows;
        uint64_t absent;
    } gaps[] = {
        {"1", "1 2", 0},
        {"1", "1 5", 3},
        {"2", "1 5", 1},
        {"2", "1 4", 0}, /* not a whole row */
        {"hour", "2024-01-01_00:00 2024-01-01_01:00", 0},
        {"hour", "2024-01-01_00:00 2024-01-01_04:00", 3},
        {"hour", "2024-01-01_00:00 2024-01-01_01:59", 0},
        {"hour", "2024-01-01_00:00 2024-01-01_02:00", 1},
        {"15min", "2024-01-01_00:00 2024-01-02_00:00", 95},
        {"day", "2024-02-28 2024-03-01", 1},
        {"day", "2024-02-28 2024-02-28", 0},
        {"day", "2024-02-28 2024-02-27", 0},
        {"week", "2024-01-01 2024-01-29", 3},
        {"month", "2024-01-31 2024-02-29", 0},
        {"month", "2024-01-31 2024-03-31", 1},
        {"month", "2024-01-31 2024-03-30", 0},
        {"month", "2024-01 2025-01", 11},
        {"quarter", "2024-Q1 2024-Q4", 2},
        {"year", "2020-06-30 2024-06-30", 3},
        {"business day", "2024-05-31 2024-06-03", 0},
        {"business day", "2024-05-31 2024-06-04", 1},
        {"business day", "2024-05-24 2024-06-03", 5},
        {"business day", "2024-05-31 2024-06-02", 0}, /* a stray Sunday, and away from it */
        {"business day", "2024-06-02 2024-06-03", 0},
        {"business day", "2024-06-02 2024-06-04", 1},
        {"business day", "2024-06-03_17:30 2024-06-05_09:00", 0}, /* a day and a half */
        {"business day", "2024-06-03_17:30 2024-06-05_17:30", 1},
    };
    for (size_t i = 0; i < NORN_COUNT(gaps); i++) {
        const rows r = read_rows(gaps[i].rows, NULL);
        const uint64_t absent = norn_step_absent(&r.style, step_of(gaps[i].step), r.times[0], r.times[1]);
        if (absent != gaps[i].absent) fail_msg("%s, %s: %d", gaps[i].rows, gaps[i].step, (int)absent);
    }
}

/* What is absent can be made: as many rows ahead of the one before the gap meet the one behind it. */
static void absent_rows_fill_their_gap(void **state)
{
    (void)state;
    static const char *const names[] = {"7",     "hour",    "15min", "day",          "week",
                                        "month", "quarter", "year",  "business day", "3 days"};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        const norn_step step = step_of(names[i]);
        const norn_time_style style = norn_step_style(step);
        const int64_t start = norn_days_from_civil(2024, 1, 31) * NORN_DAY;
        for (size_t ahead = 1; ahead < 200; ahead++) {
            const int64_t then = norn_time_ahead(&style, step, &start, 1, ahead);
            const uint64_t absent = norn_step_absent(&style, step, start, then);
            if (absent != ahead - 1) fail_msg("%s: %d of %d", names[i], (int)absent, (int)ahead - 1);
            assert_int_equal(norn_step_is_regular(&style, step, start, then), ahead == 1);
        }
    }
}

/* ---- changes of the clock ---- */

static void days_of_another_length_are_days(void **state)
{
    (void)state;
    norn_zone *zone = amsterdam();
    static const struct {
        const char *rows, *step;
        int regular;
        const char *future;
    } clocks[] = {
        {"2025-03-28_12:00 2025-03-29_12:00 2025-03-30_12:00 2025-03-31_12:00", "1 day", 3,
         "2025-04-01_12:00"},
        {"2025-03-28_12:00 2025-03-29_12:00", "1 day", 1, "2025-03-30_12:00 2025-03-31_12:00"},
        {"2024-10-25_00:00 2024-10-26_00:00", "1 day", 1, "2024-10-27_00:00 2024-10-28_00:00"},
        {"2025-03-16_08:00 2025-03-23_08:00", "1 week", 1, "2025-03-30_08:00 2025-04-06_08:00"},
        {"2025-03-26_17:30 2025-03-27_17:30 2025-03-28_17:30 2025-03-31_17:30", "1 business day", 3,
         "2025-04-01_17:30"},
        {"2025-01-31_06:00 2025-02-28_06:00", "1 month", 1, "2025-03-31_06:00 2025-04-30_06:00"},
        /* hours are spans of time */
        {"2025-03-29_23:00 2025-03-30_00:00 2025-03-30_01:00 2025-03-30_03:00", "1 hour", 3,
         "2025-03-30_04:00"},
        {"2025-03-30_00:00 2025-03-30_01:00", "1 hour", 1, "2025-03-30_03:00 2025-03-30_04:00"},
        {"2024-10-27_01:00 2024-10-27_02:00 2024-10-27_02:00 2024-10-27_03:00", "1 hour", 3,
         "2024-10-27_04:00"},
        {"2025-03-29_12:00 2025-03-30_00:00", "12 hours", 1, "2025-03-30_13:00"},
        /* a day's time that is never shown, or twice */
        {"2025-03-28_02:30 2025-03-29_02:30", "1 day", 1, "2025-03-30_03:00 2025-03-31_02:30"},
        {"2024-10-25_02:30 2024-10-26_02:30", "1 day", 1, "2024-10-27_02:30 2024-10-28_02:30"},
    };
    for (size_t i = 0; i < NORN_COUNT(clocks); i++) {
        const rows r = read_rows(clocks[i].rows, zone);
        uint64_t regular, total;
        char text[48], got[NORN_TIME_TEXT], list[256] = "";
        const norn_step step = find(&r, &regular, &total);
        assert_string_equal(norn_step_text(step, text, sizeof text), clocks[i].step);
        if (regular != (uint64_t)clocks[i].regular || regular != total)
            fail_msg("%s: %d", clocks[i].rows, (int)regular);
        for (size_t k = 1; strlen(list) < strlen(clocks[i].future); k++) {
            (void)norn_time_write(&r.style, norn_time_ahead(&r.style, step, r.times, r.count, k), got);
            *strchr(got, ' ') = '_';
            if (k > 1) (void)strcat(list, " ");
            (void)strcat(list, got);
        }
        assert_string_equal(list, clocks[i].future);
    }
    /* a day absent over the change is one row, not 23 hours of one */
    const rows r = read_rows("2025-03-29_12:00 2025-03-31_12:00 2025-03-30_00:00 2025-03-31_00:00", zone);
    assert_int_equal(norn_step_absent(&r.style, step_of("day"), r.times[0], r.times[1]), 1);
    assert_int_equal(norn_step_absent(&r.style, step_of("day"), r.times[2], r.times[3]), 0);
    assert_int_equal(norn_step_absent(&r.style, step_of("hour"), r.times[2], r.times[3]), 22);
    norn_zone_free(zone);
}

/* Without a zone the same rows are not regular: 23 hours of the clock stand between two of them. */
static void without_a_zone_a_clock_change_is_a_gap(void **state)
{
    (void)state;
    const rows r = read_rows("2025-03-29_23:00 2025-03-30_00:00 2025-03-30_01:00 2025-03-30_03:00", NULL);
    uint64_t regular, total;
    (void)find(&r, &regular, &total);
    assert_int_equal(regular, 2);
    assert_int_equal(total, 3);
    assert_true(norn_looks_like_clock_change(&r.style, r.times, r.count));
}

/* Offsets that vary and a zone: the zone says which offset comes next. */
static void a_zone_knows_the_offset_of_the_future(void **state)
{
    (void)state;
    norn_zone *zone = amsterdam();
    const rows r = read_rows("2025-03-29T12:00+01:00 2025-03-30T12:00+02:00", zone);
    char text[NORN_TIME_TEXT];
    (void)norn_time_write(&r.style, norn_time_ahead(&r.style, step_of("month"), r.times, r.count, 8), text);
    assert_string_equal(text, "2025-11-30T12:00+01:00");
    assert_true(norn_step_is_regular(&r.style, step_of("day"), r.times[0], r.times[1]));
    norn_zone_free(zone);
}

/* ---- names ---- */

static void frequencies_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        norn_step step;
    } names[] = {
        {"1 hour", {NORN_STEP_MICROSECONDS, NORN_HOUR}},
        {"hour", {NORN_STEP_MICROSECONDS, NORN_HOUR}},
        {"h", {NORN_STEP_MICROSECONDS, NORN_HOUR}},
        {"H", {NORN_STEP_MICROSECONDS, NORN_HOUR}},
        {"Hourly", {NORN_STEP_MICROSECONDS, NORN_HOUR}},
        {"4 hours", {NORN_STEP_MICROSECONDS, 4 * NORN_HOUR}},
        {"15min", {NORN_STEP_MICROSECONDS, 15 * NORN_MINUTE}},
        {"15 minutes", {NORN_STEP_MICROSECONDS, 15 * NORN_MINUTE}},
        {"15T", {NORN_STEP_MICROSECONDS, 15 * NORN_MINUTE}},
        {"10_minutes", {NORN_STEP_MICROSECONDS, 10 * NORN_MINUTE}},
        {"half_hourly", {NORN_STEP_MICROSECONDS, 30 * NORN_MINUTE}},
        {"4_seconds", {NORN_STEP_MICROSECONDS, 4 * NORN_SECOND}},
        {"30s", {NORN_STEP_MICROSECONDS, 30 * NORN_SECOND}},
        {"250 ms", {NORN_STEP_MICROSECONDS, 250000}},
        {"100us", {NORN_STEP_MICROSECONDS, 100}},
        {"D", {NORN_STEP_MICROSECONDS, NORN_DAY}},
        {"daily", {NORN_STEP_MICROSECONDS, NORN_DAY}},
        {"W", {NORN_STEP_MICROSECONDS, 7 * NORN_DAY}},
        {"W-SUN", {NORN_STEP_MICROSECONDS, 7 * NORN_DAY}},
        {"2 weeks", {NORN_STEP_MICROSECONDS, 14 * NORN_DAY}},
        {"M", {NORN_STEP_MONTHS, 1}},
        {"MS", {NORN_STEP_MONTHS, 1}},
        {"ME", {NORN_STEP_MONTHS, 1}},
        {"month", {NORN_STEP_MONTHS, 1}},
        {"monthly", {NORN_STEP_MONTHS, 1}},
        {"MONTH", {NORN_STEP_MONTHS, 1}},
        {"Q", {NORN_STEP_MONTHS, 3}},
        {"QS-OCT", {NORN_STEP_MONTHS, 3}},
        {"quarter", {NORN_STEP_MONTHS, 3}},
        {"year", {NORN_STEP_MONTHS, 12}},
        {"2YE", {NORN_STEP_MONTHS, 24}},
        {"A-DEC", {NORN_STEP_MONTHS, 12}},
        {"yearly", {NORN_STEP_MONTHS, 12}},
        {"B", {NORN_STEP_BUSINESS_DAYS, 1}},
        {"business day", {NORN_STEP_BUSINESS_DAYS, 1}},
        {"Business_Days", {NORN_STEP_BUSINESS_DAYS, 1}},
        {"5 business days", {NORN_STEP_BUSINESS_DAYS, 5}},
        {"10", {NORN_STEP_INTEGER, 10}},
        {"9223372036854775807", {NORN_STEP_INTEGER, INT64_MAX}},
        {" 1  day ", {NORN_STEP_MICROSECONDS, NORN_DAY}},
    };
    static const char *const none[] = {"",
                                       " ",
                                       "0",
                                       "0 days",
                                       "-1 day",
                                       "m",
                                       "5m",
                                       "1.5 hours",
                                       "dayly",
                                       "hourss",
                                       "W-sun",
                                       "W-",
                                       "D-SUN",
                                       "W-SUNX",
                                       "2 daily",
                                       "3 hourly",
                                       "one day",
                                       "1 day 2",
                                       "x",
                                       "min utes",
                                       "99999999999999999999",
                                       "9223372036854775808",
                                       "999999999999999999 days",
                                       "day 1",
                                       "s s",
                                       "a name that is so long that it fits nothing at all"};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        const norn_step step = step_of(names[i].text);
        if (step.unit != names[i].step.unit || step.count != names[i].step.count)
            fail_msg("%s: %lld", names[i].text, (long long)step.count);
    }
    for (size_t i = 0; i < NORN_COUNT(none); i++) {
        norn_step step;
        if (norn_step_parse(none[i], &step)) fail_msg("%s is taken", none[i]);
    }
}

/* What a step is called is what says it again. */
static void the_name_of_a_step_is_read_as_it(void **state)
{
    (void)state;
    static const int64_t spans[] = {
        1,           999,       1000,           1500,     NORN_SECOND,  90 * NORN_SECOND,
        NORN_MINUTE, NORN_HOUR, 36 * NORN_HOUR, NORN_DAY, 7 * NORN_DAY, 30 * NORN_DAY};
    for (int unit = NORN_STEP_INTEGER; unit <= NORN_STEP_MONTHS; unit++)
        for (size_t i = 0; i < NORN_COUNT(spans) + 30; i++) {
            const norn_step step = {(norn_step_unit)unit, i < 30 ? (int64_t)i + 1 : spans[i - 30]};
            char text[48];
            const norn_step again = step_of(norn_step_text(step, text, sizeof text));
            if (again.unit != step.unit || again.count != step.count) fail_msg("%s", text);
        }
}

static void times_without_a_file_are_written_as_fine_as_their_step(void **state)
{
    (void)state;
    static const struct {
        const char *step, *text;
    } texts[] = {
        {"1", "86400000000"},   {"month", "1970-01-02"},         {"business day", "1970-01-02"},
        {"week", "1970-01-02"}, {"hour", "1970-01-02 00:00:00"}, {"250 ms", "1970-01-02 00:00:00.000000"}};
    for (size_t i = 0; i < NORN_COUNT(texts); i++) {
        const norn_time_style style = norn_step_style(step_of(texts[i].step));
        char text[NORN_TIME_TEXT];
        assert_string_equal(norn_time_write(&style, NORN_DAY, text), texts[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_found_named_and_continued),
        cmocka_unit_test(business_days_survive_holidays_and_stray_sundays),
        cmocka_unit_test(months_far_ahead_keep_their_day),
        cmocka_unit_test(business_days_far_ahead_are_the_next_weekday_each),
        cmocka_unit_test(the_end_of_time_saturates),
        cmocka_unit_test(a_step_is_found_among_more_steps_than_are_told_apart),
        cmocka_unit_test(absent_rows_are_counted),
        cmocka_unit_test(absent_rows_fill_their_gap),
        cmocka_unit_test(days_of_another_length_are_days),
        cmocka_unit_test(without_a_zone_a_clock_change_is_a_gap),
        cmocka_unit_test(a_zone_knows_the_offset_of_the_future),
        cmocka_unit_test(frequencies_are_read),
        cmocka_unit_test(the_name_of_a_step_is_read_as_it),
        cmocka_unit_test(times_without_a_file_are_written_as_fine_as_their_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
