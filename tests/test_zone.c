/*
 * Time zones: against the C library over random instants, hours shown twice or never under every policy, the
 * rule of the footer, and files that are no time zones. What needs the system's database is passed over where
 * there is none.
 */
#define _DEFAULT_SOURCE /* tm_gmtoff */

#include "counting_host.h"

#include "data/calendar.h"

#include <time.h>

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static norn_zone *open_zone(const char *name)
{
    norn_zone *zone = NULL;
    norn_error err = NORN_ERROR_INIT;
    if (norn_zone_open(&zone, name, NULL, &err) == NORN_OK) return zone;
    if (!strstr(err.message, "install tzdata")) print_message("%s\n", err.message);
    skip();
    return NULL;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return norn_days_from_civil(year, month, day) * NORN_DAY + hour * NORN_HOUR + minute * NORN_MINUTE;
}

/* ---- files made here ---- */

typedef struct blob {
    unsigned char bytes[4096];
    size_t size;
} blob;

static void put(blob *b, uint64_t value, size_t width)
{
    for (size_t i = width; i-- > 0;) b->bytes[b->size++] = (unsigned char)(value >> (8 * i));
}

static void put_header(blob *b, char version, size_t times, size_t types, size_t leaps)
{
    memcpy(b->bytes + b->size, "TZif", 4);
    b->size += 4;
    put(b, (unsigned char)version, 1);
    for (int i = 0; i < 15; i++) put(b, 0, 1);
    put(b, 0, 4);
    put(b, 0, 4);
    put(b, leaps, 4);
    put(b, times, 4);
    put(b, types, 4);
    put(b, 4, 4);
}

/* Changes times[n] to offsets[n]; before them `first`. An empty v1 block stands in front where version is 2
 * or more. */
static blob make_file(char version, int32_t first, const int64_t *times, const int32_t *offsets, size_t n,
                      const char *rule)
{
    blob b = {.size = 0};
    const size_t width = version ? 8 : 4;
    if (version) {
        put_header(&b, version, 0, 1, 0);
        for (int i = 0; i < 6 + 4; i++) put(&b, 0, 1);
    }
    put_header(&b, version, n, n + 1, 0);
    for (size_t i = 0; i < n; i++) put(&b, (uint64_t)times[i], width);
    for (size_t i = 0; i < n; i++) put(&b, i + 1, 1);
    put(&b, (uint32_t)first, 4);
    put(&b, 0, 2);
    for (size_t i = 0; i < n; i++) {
        put(&b, (uint32_t)offsets[i], 4);
        put(&b, 0, 2);
    }
    memcpy(b.bytes + b.size, "ABC", 4);
    b.size += 4;
    if (version) {
        b.bytes[b.size++] = '\n';
        memcpy(b.bytes + b.size, rule, strlen(rule));
        b.size += strlen(rule);
        b.bytes[b.size++] = '\n';
    }
    return b;
}

static norn_zone *parse_blob(const blob *b)
{
    norn_zone *zone = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_zone_parse(&zone, "Test/Made", b->bytes, b->size, NULL, &err), &err);
    return zone;
}

static norn_zone *zone_of_rule(const char *rule)
{
    const blob b = make_file('3', 0, NULL, NULL, 0, rule);
    return parse_blob(&b);
}

/* ---- against the C library ---- */

static const char *const names[] = {
    "Europe/Amsterdam", "America/New_York",  "Asia/Kolkata",      "Australia/Lord_Howe", "Africa/Casablanca",
    "Europe/Dublin",    "America/Sao_Paulo", "Pacific/Apia",      "Asia/Tehran",         "Antarctica/Troll",
    "America/Godthab",  "Africa/Monrovia",   "Pacific/Kwajalein", "Asia/Gaza",           "Etc/UTC",
};

/* Offsets at random instants up to 2100 and, by the rule, far behind; and the same backwards: the instants
 * found for a local time are those that show it. */
static void random_instants_show_what_the_system_shows(void **state)
{
    (void)state;
    uint64_t seed = 11;
    norn_zone_free(open_zone("Europe/Amsterdam"));
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        norn_zone *zone = open_zone(names[i]);
        assert_string_equal(norn_zone_name(zone), names[i]);
        assert_int_equal(setenv("TZ", names[i], 1), 0);
        tzset();
        for (int k = 0; k < 20000; k++) {
            const int64_t years = k % 10 == 0 ? 600 : 200; /* from 1900 */
            const int64_t seconds = (int64_t)(next_random(&seed) % (uint64_t)(years * 31556952)) - 2208988800;
            const time_t moment = (time_t)seconds;
            struct tm parts;
            assert_non_null(localtime_r(&moment, &parts));
            const int32_t offset = norn_zone_offset(zone, seconds * NORN_SECOND + 17);
            if (offset != parts.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)seconds, offset, parts.tm_gmtoff);

            const int64_t local = (seconds + offset) * NORN_SECOND;
            int64_t utc[2] = {0, 0};
            const int moments = norn_zone_of_local(zone, local, utc);
            if (moments < 1 ||
                (utc[0] != seconds * NORN_SECOND && (moments < 2 || utc[1] != seconds * NORN_SECOND)))
                fail_msg("%s: local time of %lld is not found", names[i], (long long)seconds);
            for (int m = 0; m < moments; m++)
                assert_int_equal(utc[m] + norn_zone_offset(zone, utc[m]) * NORN_SECOND, local);
            assert_true(moments < 2 || utc[0] < utc[1]);
        }
        norn_zone_free(zone);
    }
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    tzset();
}

/* Around every change of the clock, to the second. */
static void moments_around_changes_are_counted_right(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe",
                                        "Pacific/Apia"};
    for (size_t i = 0; i < NORN_COUNT(zones); i++) {
        norn_zone *zone = open_zone(zones[i]);
        for (int64_t hour = at(1990, 1, 1, 0, 0); hour < at(2060, 1, 1, 0, 0); hour += NORN_HOUR / 2) {
            const int64_t before = norn_zone_offset(zone, hour - NORN_SECOND),
                          after = norn_zone_offset(zone, hour);
            if (before == after) continue;
            const int64_t low = hour + (before < after ? before : after) * NORN_SECOND;
            const int64_t high = hour + (before < after ? after : before) * NORN_SECOND;
            const int64_t tries[] = {low - 1,  low,  low + NORN_SECOND, high - NORN_SECOND,
                                     high - 1, high, high + 1};
            for (size_t k = 0; k < NORN_COUNT(tries); k++) {
                int64_t utc[2];
                const bool within = tries[k] >= low && tries[k] < high;
                const int want = !within ? 1 : before < after ? 0 : 2;
                if (norn_zone_of_local(zone, tries[k], utc) != want)
                    fail_msg("%s, %lld, try %zu", zones[i], (long long)hour, k);
                if (want == 0) assert_int_equal(utc[0], hour);
            }
        }
        norn_zone_free(zone);
    }
}

/* ---- rules and offsets ---- */

static void rules_of_the_footer_are_followed(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int year, month, day, hour; /* UTC */
        int32_t offset;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2500, 3, 28, 0, 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2500, 3, 28, 1, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2500, 10, 31, 0, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2500, 10, 31, 1, 3600},
        {"EST5EDT,M3.2.0,M11.1.0", 2024, 3, 10, 6, -5 * 3600},
        {"EST5EDT,M3.2.0,M11.1.0", 2024, 3, 10, 7, -4 * 3600},
        {"EST5EDT,M3.2.0,M11.1.0", 2024, 11, 3, 5, -4 * 3600},
        {"EST5EDT,M3.2.0,M11.1.0", 2024, 11, 3, 6, -5 * 3600},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2024, 4, 6, 14, 11 * 3600},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2024, 4, 6, 15, 10 * 3600 + 1800},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2024, 12, 31, 23, 11 * 3600},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2024, 1, 15, 0, 0}, /* Dublin: winter is the exception */
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2024, 7, 15, 0, 3600},
        {"IST-2IDT,M3.4.4/26,M10.5.0", 2024, 3, 28, 23, 7200}, /* the day after the fourth Thursday */
        {"IST-2IDT,M3.4.4/26,M10.5.0", 2024, 3, 29, 0, 10800},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2024, 3, 31, 0, -7200}, /* an hour before the Sunday */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2024, 3, 31, 1, -3600},
        {"AAA0BBB,J60/0,J300/0", 2024, 2, 29, 23, 0}, /* J60 is 1 March in any year */
        {"AAA0BBB,J60/0,J300/0", 2024, 3, 1, 0, 3600},
        {"AAA0BBB,J60/0,J300/0", 2023, 3, 1, 0, 3600},
        {"AAA0BBB,59/0,300/0", 2024, 2, 29, 0, 3600}, /* 59 is 29 February where there is one */
        {"AAA0BBB,59/0,300/0", 2024, 2, 28, 23, 0},
        {"XXX3EDT4,0/0,J365/23", 2024, 1, 1, 3, -4 * 3600}, /* all the year (RFC 8536) */
        {"XXX3EDT4,0/0,J365/23", 2024, 7, 1, 0, -4 * 3600},
        {"XXX3EDT4,0/0,J365/23", 2024, 12, 31, 23, -4 * 3600},
        {"JST-9", 2500, 1, 1, 0, 9 * 3600},
        {"NPT-5:45", 1900, 1, 1, 0, 5 * 3600 + 45 * 60},
        {"LMT+0:19:32", 1900, 1, 1, 0, -(19 * 60 + 32)},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_zone *zone = zone_of_rule(cases[i].rule);
        const int64_t time = at(cases[i].year, cases[i].month, cases[i].day, cases[i].hour, 0);
        const int32_t offset = norn_zone_offset(zone, time);
        if (offset != cases[i].offset) fail_msg("case %zu, %s: %d", i, cases[i].rule, offset);
        norn_zone_free(zone);
    }
}

/* The table ends where the rule begins, in files of all versions. */
static void the_table_comes_before_the_rule(void **state)
{
    (void)state;
    static const int64_t times[] = {-1000, 0, 1000};
    static const int32_t offsets[] = {60, -120, 180};
    for (char version = '1'; version <= '4'; version++) {
        const blob b =
            make_file(version == '1' ? 0 : version, 7, times, offsets, 3, version == '3' ? "" : "AAA-1");
        norn_zone *zone = parse_blob(&b);
        assert_int_equal(norn_zone_offset(zone, INT64_MIN), 7);
        assert_int_equal(norn_zone_offset(zone, -1000 * NORN_SECOND - 1), 7);
        assert_int_equal(norn_zone_offset(zone, -1000 * NORN_SECOND), 60);
        assert_int_equal(norn_zone_offset(zone, -1), 60);
        assert_int_equal(norn_zone_offset(zone, 0), -120);
        assert_int_equal(norn_zone_offset(zone, 1000 * NORN_SECOND - 1), -120);
        const int32_t last = version == '2' || version == '4' ? 3600 : 180;
        assert_int_equal(norn_zone_offset(zone, 1000 * NORN_SECOND), last);
        assert_int_equal(norn_zone_offset(zone, INT64_MAX), last);
        norn_zone_free(zone);
    }
}

/* A table that the rule carries on shows what the rule alone shows, from its last change on. */
static void a_table_goes_on_by_its_rule(void **state)
{
    (void)state;
    static const char *const rules[] = {"CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                        "XXX3EDT4,0/0,J365/23", "IST-1GMT0,M10.5.0,M3.5.0/1"};
    static const int64_t starts[] = {INT64_MIN,  -6000000000, -2208988800, 0,
                                     1719828000, 4102444799,  4102444800,  INT64_MAX};
    static const int32_t offset = -77;
    static const int years[] = {1970, 1971, 2024, 2099, 2100};
    for (size_t i = 0; i < NORN_COUNT(rules); i++)
        for (size_t k = 0; k < NORN_COUNT(starts); k++) {
            const blob b = make_file('3', 55, &starts[k], &offset, 1, rules[i]);
            norn_zone *zone = parse_blob(&b), *rule = zone_of_rule(rules[i]);
            for (size_t y = 0; y < NORN_COUNT(years); y++)
                for (int64_t half = 0; half < 366 * 96; half++) {
                    const int64_t time = at(years[y], 1, 1, 0, 0) / NORN_SECOND + half / 2 * 1800 - half % 2;
                    const int32_t want = time < starts[k] ? 55 : norn_zone_offset(rule, time * NORN_SECOND);
                    if (norn_zone_offset(zone, time * NORN_SECOND) != want)
                        fail_msg("%s from %lld at %lld", rules[i], (long long)starts[k], (long long)time);
                }
            if (starts[k] == 0 || starts[k] == 1719828000)
                assert_int_equal(norn_zone_offset(zone, starts[k] * NORN_SECOND),
                                 norn_zone_offset(rule, starts[k] * NORN_SECOND));
            norn_zone_free(zone);
            norn_zone_free(rule);
        }
}

static void offsets_and_utc_need_no_file(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t offset;
    } cases[] = {{"UTC", 0},    {"+02:00", 7200}, {"-0530", -(5 * 3600 + 1800)},
                 {"+02", 7200}, {"+00:00", 0},    {"-15:59", -(15 * 3600 + 59 * 60)}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_zone *zone = NULL;
        norn_error err = NORN_ERROR_INIT;
        int64_t utc[2];
        assert_ok(norn_zone_open(&zone, cases[i].name, NULL, &err), &err);
        assert_int_equal(norn_zone_offset(zone, 5), cases[i].offset);
        assert_int_equal(norn_zone_of_local(zone, 5, utc), 1);
        assert_int_equal(utc[0], 5 - cases[i].offset * NORN_SECOND);
        norn_zone_free(zone);
    }
}

static void what_is_no_zone_is_refused(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "Europe/Amsterdan",
                                       "Europe",
                                       "../../../etc/passwd",
                                       "/etc/passwd",
                                       "Europe/../UTC",
                                       "Europe//Paris",
                                       "tzdata.zi",
                                       "zone.tab",
                                       "leapseconds",
                                       "+2",
                                       "+2:00",
                                       "+02:0",
                                       "+16:00",
                                       "+02:60",
                                       "02:00",
                                       "CET\n",
                                       "Europe/",
                                       "right/UTC",
                                       "+020",
                                       "+02:000",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < NORN_COUNT(none); i++) {
        norn_zone *zone = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_zone_open(&zone, none[i], NULL, &err), NORN_ERR_USAGE);
        assert_null(zone);
        if (!strstr(err.message, "--tz") || strchr(err.message, '\n'))
            fail_msg("%s: %s", none[i], err.message);
    }
}

/* ---- files of others ---- */

static void broken_files_are_refused(void **state)
{
    (void)state;
    static const int64_t times[] = {-1000, 0, 1000}, falling[] = {0, -1000, 1000}, twice[] = {0, 0, 1000};
    static const int32_t offsets[] = {60, -120, 180}, far_east[] = {60, 93600, 0},
                         far_west[] = {60, -90000, 0};
    static const char *const rules[] = {
        "A-1",
        "CET",
        "CET-25",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J1,J366",
        "CET-1CEST,1,366",
        "<CET-1",
        "CET-1:60",
        "CET-1CEST,M3.5.0,M10.5.0x",
        "CET-1 ",
        "CET-24CEST-26,M3.5.0,M10.5.0",
        ",",
        "CET-1,M3.5.0,M10.5.0",
        "CET--1",
    };
    blob good = make_file('2', 0, times, offsets, 3, "CET-1CEST,M3.5.0,M10.5.0/3"), b;
    norn_error err = NORN_ERROR_INIT;
    norn_zone *zone = NULL;
    norn_zone_free(parse_blob(&good));
    for (size_t size = 0; size < good.size; size++) { /* cut off anywhere */
        err = (norn_error)NORN_ERROR_INIT;
        if (norn_zone_parse(&zone, "Test/Cut", good.bytes, size, NULL, &err) != NORN_ERR_USAGE)
            fail_msg("%zu bytes", size);
        assert_non_null(strstr(err.message, "--tz"));
    }
    for (size_t i = 0; i < NORN_COUNT(rules); i++) {
        b = make_file('3', 0, times, offsets, 3, rules[i]);
        if (norn_zone_parse(&zone, "Test/Rule", b.bytes, b.size, NULL, NULL) != NORN_ERR_USAGE)
            fail_msg("%s", rules[i]);
    }
    b = make_file('2', 0, falling, offsets, 3, "");
    assert_int_equal(norn_zone_parse(&zone, "Test/Falling", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b = make_file('2', 0, twice, offsets, 3, "");
    assert_int_equal(norn_zone_parse(&zone, "Test/Twice", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b = make_file('2', 0, times, far_east, 3, "");
    assert_int_equal(norn_zone_parse(&zone, "Test/East", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b = make_file('2', 0, times, far_west, 3, "");
    assert_int_equal(norn_zone_parse(&zone, "Test/West", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b = good;
    b.bytes[54 + 44 + 24] = 4; /* the kind of the first change: there are four, 0 to 3 */
    assert_int_equal(norn_zone_parse(&zone, "Test/Kind", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b = good;
    b.bytes[54 + 39] = 0; /* no types */
    assert_int_equal(norn_zone_parse(&zone, "Test/Types", b.bytes, b.size, NULL, NULL), NORN_ERR_USAGE);
    b.size = 0;
    put_header(&b, 0, 0, 1, 1);
    for (int i = 0; i < 6 + 4 + 8; i++) put(&b, 0, 1);
    err = (norn_error)NORN_ERROR_INIT;
    assert_int_equal(norn_zone_parse(&zone, "Test/Leap", b.bytes, b.size, NULL, &err), NORN_ERR_USAGE);
    assert_non_null(strstr(err.message, "leap seconds"));
    assert_null(zone);
}

/* Behind a number that no zone has, only somebody else's patience would be asked for. */
static void a_file_of_too_many_changes_is_refused(void **state)
{
    (void)state;
    for (size_t times = 8192; times <= 8193; times++) {
        static unsigned char bytes[44 + 8193 * 5 + 6 + 4];
        blob b = {.size = 0};
        norn_zone *zone = NULL;
        put_header(&b, 0, times, 1, 0);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, b.bytes, b.size);
        for (size_t i = 0; i < times; i++)
            for (size_t k = 0; k < 4; k++) bytes[44 + 4 * i + k] = (unsigned char)(i >> (8 * (3 - k)));
        const norn_status status =
            norn_zone_parse(&zone, "Test/Many", bytes, 44 + times * 5 + 6 + 4, NULL, NULL);
        assert_int_equal(status, times == 8192 ? NORN_OK : NORN_ERR_USAGE);
        norn_zone_free(zone);
    }
}

static void memory_that_runs_out_is_said_and_given_back(void **state)
{
    (void)state;
    static const int64_t times[] = {0};
    static const int32_t offsets[] = {60};
    const blob b = make_file('2', 0, times, offsets, 1, "CET-1");
    for (size_t fail_at = 1;; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_zone *zone = NULL;
        const norn_status status = norn_zone_parse(&zone, "Test/Made", b.bytes, b.size, &host, NULL);
        norn_zone_free(zone);
        assert_all_returned(&counter);
        if (status == NORN_OK) break;
        assert_int_equal(status, NORN_ERR_MEMORY);
        assert_null(zone);
    }
    norn_zone_free(NULL);
}

/* ---- clocks of a column ---- */

typedef struct settled {
    norn_status status;
    int64_t times[16];
    uint64_t left_out, shifted;
    size_t bad_row;
    norn_error err;
} settled;

/* Reads times separated by '|' ("-": left out already) and settles them. */
static settled settle(const norn_time_style *style, const char *list, norn_ambiguous ambiguous,
                      norn_nonexistent nonexistent, size_t *n)
{
    settled s = {.status = NORN_OK, .bad_row = SIZE_MAX};
    norn_time_style copy = *style;
    norn_time_seen seen = {0};
    size_t row = 0;
    *n = 0;
    while (*list) {
        const size_t length = strcspn(list, "|");
        s.times[*n] = INT64_MIN;
        if (length > 1) assert_true(norn_time_parse(style, list, length, *n, &seen, &s.times[*n]));
        ++*n;
        list += length + (list[length] == '|');
    }
    assert_ok(norn_time_settle_order(&copy, &seen, s.times, *n, &row, 1, &s.bad_row, &s.err), &s.err);
    s.status = norn_time_settle_zone(&copy, ambiguous, nonexistent, s.times, *n, &s.left_out, &s.shifted,
                                     &s.bad_row, &s.err);
    return s;
}

static void hours_shown_twice_or_never_follow_the_policies(void **state)
{
    (void)state;
#define RAISE   NORN_AMBIGUOUS_RAISE, NORN_NONEXISTENT_RAISE
#define INFER   NORN_AMBIGUOUS_INFER, NORN_NONEXISTENT_RAISE
#define NAT     NORN_AMBIGUOUS_NAT, NORN_NONEXISTENT_NAT
#define FORWARD NORN_AMBIGUOUS_RAISE, NORN_NONEXISTENT_SHIFT_FORWARD
#define BACK    NORN_AMBIGUOUS_RAISE, NORN_NONEXISTENT_SHIFT_BACKWARD
    static const struct {
        const char *zone, *clock;
        norn_ambiguous ambiguous;
        norn_nonexistent nonexistent;
        const char *utc; /* or what the error says */
        size_t bad_row;
        uint64_t left_out, shifted;
    } cases[] = {
        {"Europe/Amsterdam", "2025-03-30 01:30|2025-03-30 03:30", RAISE, "2025-03-30 00:30|2025-03-30 01:30",
         0, 0, 0},
        {"Europe/Amsterdam", "2025-03-30 01:30|2025-03-30 02:30|2025-03-30 03:30", RAISE,
         "the clock of Europe/Amsterdam never shows 2025-03-30 02:30 (move it with --nonexistent "
         "shift_forward",
         1, 0, 0},
        {"Europe/Amsterdam", "2025-03-30 02:30|2025-03-30 03:30", FORWARD,
         "2025-03-30 01:00|2025-03-30 01:30", 0, 0, 1},
        {"Europe/Amsterdam", "2025-03-30 01:30|2025-03-30 02:30", BACK, "2025-03-30 00:30|2025-03-30 00:59",
         0, 0, 1},
        {"Europe/Amsterdam", "2025-03-30 02:00|2025-03-30 02:30|2025-03-30 03:00", NAT,
         "-|-|2025-03-30 01:00", 0, 2, 0},
        {"Europe/Amsterdam", "2024-10-27 01:30|2024-10-27 02:30|2024-10-27 02:30|2024-10-27 03:30", RAISE,
         "the clock of Europe/Amsterdam shows 2024-10-27 02:30 twice (take the first run of rows for the "
         "first with "
         "--ambiguous infer",
         1, 0, 0},
        {"Europe/Amsterdam", "2024-10-27 01:30|2024-10-27 02:30|2024-10-27 02:30|2024-10-27 03:30", INFER,
         "2024-10-26 23:30|2024-10-27 00:30|2024-10-27 01:30|2024-10-27 02:30", 0, 0, 0},
        {"Europe/Amsterdam",
         "2024-10-27 02:00|2024-10-27 02:30|2024-10-27 02:00|2024-10-27 02:30|2024-10-27 03:00", INFER,
         "2024-10-27 00:00|2024-10-27 00:30|2024-10-27 01:00|2024-10-27 01:30|2024-10-27 02:00", 0, 0, 0},
        /* newest first */
        {"Europe/Amsterdam",
         "2024-10-27 03:00|2024-10-27 02:30|2024-10-27 02:00|2024-10-27 02:30|2024-10-27 02:00", INFER,
         "2024-10-27 02:00|2024-10-27 01:30|2024-10-27 01:00|2024-10-27 00:30|2024-10-27 00:00", 0, 0, 0},
        /* rows that are absent between, and one left out before */
        {"Europe/Amsterdam", "2024-10-27 02:45|-|2024-10-27 02:15|2024-10-27 04:00", INFER,
         "2024-10-27 00:45|-|2024-10-27 01:15|2024-10-27 03:00", 0, 0, 0},
        {"Europe/Amsterdam", "2024-10-27 01:30|2024-10-27 02:30|2024-10-27 03:30", INFER,
         "the rows do not tell", 1, 0, 0},
        {"Europe/Amsterdam", "2024-10-27 02:30|2024-10-27 02:30|2024-10-27 02:30", INFER,
         "the rows do not tell", 2, 0, 0},
        {"Europe/Amsterdam", "2024-10-27 01:30|2024-10-27 02:30|2024-10-27 02:30|2024-10-27 03:30", NAT,
         "2024-10-26 23:30|-|-|2024-10-27 02:30", 0, 2, 0},
        /* two years in a row are two hours */
        {"Europe/Amsterdam", "2023-10-29 02:30|2023-10-29 02:30|2024-10-27 02:30|2024-10-27 02:30", INFER,
         "2023-10-29 00:30|2023-10-29 01:30|2024-10-27 00:30|2024-10-27 01:30", 0, 0, 0},
        {"America/New_York", "2024-03-10 02:30", RAISE, "never shows 2024-03-10 02:30", 0, 0, 0},
        {"America/New_York", "2024-11-03 01:00|2024-11-03 01:00|2024-11-03 02:00", INFER,
         "2024-11-03 05:00|2024-11-03 06:00|2024-11-03 07:00", 0, 0, 0},
        {"Asia/Kolkata", "2024-03-10 02:30|2024-11-03 01:00", RAISE, "2024-03-09 21:00|2024-11-02 19:30", 0,
         0, 0},
        /* half an hour */
        {"Australia/Lord_Howe",
         "2024-04-07 01:30|2024-04-07 01:45|2024-04-07 01:30|2024-04-07 01:45|2024-04-07 02:00", INFER,
         "2024-04-06 14:30|2024-04-06 14:45|2024-04-06 15:00|2024-04-06 15:15|2024-04-06 15:30", 0, 0, 0},
        {"Australia/Lord_Howe", "2024-10-06 02:00|2024-10-06 02:29|2024-10-06 02:30", FORWARD,
         "2024-10-05 15:30|2024-10-05 15:30|2024-10-05 15:30", 0, 0, 2},
        /* Ramadan */
        {"Africa/Casablanca", "2025-02-23 02:00|2025-02-23 02:00|2025-04-06 03:00", INFER,
         "2025-02-23 01:00|2025-02-23 02:00|2025-04-06 02:00", 0, 0, 0},
        {"Africa/Casablanca", "2025-04-06 02:30", RAISE, "never shows", 0, 0, 0},
        /* by the rule */
        {"Europe/Amsterdam", "2400-03-26 02:30", FORWARD, "2400-03-26 01:00", 0, 0, 1},
        {"Europe/Amsterdam", "2400-10-29 02:30|2400-10-29 02:30", INFER, "2400-10-29 00:30|2400-10-29 01:30",
         0, 0, 0},
        /* a whole day */
        {"Pacific/Apia", "2011-12-30 12:00", FORWARD, "2011-12-30 10:00", 0, 0, 1},
        {"+02:00", "2025-03-30 02:30", RAISE, "2025-03-30 00:30", 0, 0, 0},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_zone *zone = open_zone(cases[i].zone);
        norn_time_style style;
        size_t n;
        assert_ok(norn_time_style_compile(&style, "%Y-%m-%d %H:%M", NULL), &(norn_error)NORN_ERROR_INIT);
        style.zone = zone;
        settled s = settle(&style, cases[i].clock, cases[i].ambiguous, cases[i].nonexistent, &n);
        if (s.status != NORN_OK) {
            if (s.status != NORN_ERR_DATA || !strstr(s.err.message, cases[i].utc) ||
                s.bad_row != cases[i].bad_row)
                fail_msg("case %zu, row %zu: %s", i, s.bad_row, s.err.message);
        } else {
            char got[512] = "", text[NORN_TIME_TEXT];
            norn_time_style utc = style;
            utc.zone = NULL;
            for (size_t k = 0; k < n; k++) {
                if (k) (void)strcat(got, "|");
                (void)strcat(got, s.times[k] == INT64_MIN ? "-" : norn_time_write(&utc, s.times[k], text));
            }
            if (strcmp(got, cases[i].utc) != 0) fail_msg("case %zu: %s", i, got);
            assert_int_equal(s.left_out, cases[i].left_out);
            assert_int_equal(s.shifted, cases[i].shifted);
        }
        norn_zone_free(zone);
    }
}

/* What is read with a zone is written on its clock; a date or an offset has nothing to settle. */
static void times_are_written_on_the_clock_of_their_zone(void **state)
{
    (void)state;
    norn_zone *zone = open_zone("Europe/Amsterdam");
    static const struct {
        const char *format, *cells, *utc, *written;
    } cases[] = {
        {"%Y-%m-%d %H:%M", "2024-07-01 12:00", "2024-07-01 10:00", "2024-07-01 12:00"},
        {"%Y-%m-%d", "2024-07-01", "2024-07-01 00:00", "2024-07-01"},
        {"%Y-%m", "2024-07", "2024-07-01 00:00", "2024-07"},
        {"%Y-%m-%d %H:%M%z", "2024-07-01 12:00+05:00", "2024-07-01 07:00", "2024-07-01 12:00+05:00"},
        {"%Y-%m-%d %H:%M%z", "2024-07-01 12:00Z", "2024-07-01 12:00", "2024-07-01 12:00Z"},
        {"%Y-%m-%d %H:%M%z", "2024-07-01 12:00+02:00|2024-12-01 12:00+01:00", "2024-07-01 10:00",
         "2024-07-01 12:00+02:00"},
        {"epoch-s", "1719828000", "2024-07-01 10:00", "1719828000"},
        {"excel", "45474.5", "2024-07-01 10:00", "45474.5"},
        {"integer", "5", NULL, "5"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_time_style style, iso;
        norn_error err = NORN_ERROR_INIT;
        norn_time_seen seen = {0};
        int64_t times[2];
        size_t n = 0, group = 0, bad_row;
        uint64_t left_out = 0, shifted = 0;
        char text[NORN_TIME_TEXT];
        assert_ok(norn_time_style_compile(&style, cases[i].format, &err), &err);
        style.zone = zone;
        for (const char *cell = cases[i].cells; *cell; n++) {
            const size_t length = strcspn(cell, "|");
            assert_true(norn_time_parse(&style, cell, length, n, &seen, &times[n]));
            cell += length + (cell[length] == '|');
        }
        assert_ok(norn_time_settle_order(&style, &seen, times, n, &group, 1, &bad_row, &err), &err);
        assert_ok(norn_time_settle_zone(&style, RAISE, times, n, &left_out, &shifted, &bad_row, &err), &err);
        assert_string_equal(norn_time_write(&style, times[0], text), cases[i].written);
        assert_ok(norn_time_style_compile(&iso, "%Y-%m-%d %H:%M", &err), &err);
        if (cases[i].utc) assert_string_equal(norn_time_write(&iso, times[0], text), cases[i].utc);
    }
    norn_zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_instants_show_what_the_system_shows),
        cmocka_unit_test(moments_around_changes_are_counted_right),
        cmocka_unit_test(rules_of_the_footer_are_followed),
        cmocka_unit_test(the_table_comes_before_the_rule),
        cmocka_unit_test(a_table_goes_on_by_its_rule),
        cmocka_unit_test(offsets_and_utc_need_no_file),
        cmocka_unit_test(what_is_no_zone_is_refused),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(a_file_of_too_many_changes_is_refused),
        cmocka_unit_test(memory_that_runs_out_is_said_and_given_back),
        cmocka_unit_test(hours_shown_twice_or_never_follow_the_policies),
        cmocka_unit_test(times_are_written_on_the_clock_of_their_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
