/*
 * The season of series whose season is known, and of those that have none.
 */
#include "counting_host.h"
#include "support.h"

#include "data/season.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 20000 };
static double series[MOST];
static const double pi = 3.14159265358979323846;

/* A normal number of the sequence that `seed` begins: Box and Muller over splitmix64. */
static double noise(uint64_t *seed)
{
    double uniform[2];
    for (int i = 0; i < 2; i++) {
        uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        uniform[i] = ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
    }
    return sqrt(-2.0 * log(uniform[0])) * cos(2.0 * pi * uniform[1]);
}

static double wave(size_t row, double season)
{
    return sin(2.0 * pi * (double)row / season);
}

/* Column `column` of a data set; NaN where it holds no number. */
static size_t load(const char *name, int column)
{
    char path[512], line[512];
    const char *folder = getenv("NORN_DATASETS");
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "datasets", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t rows = 0;
    assert_non_null(fgets(line, sizeof line, file)); /* the header */
    while (rows < MOST && fgets(line, sizeof line, file)) {
        const char *at = line;
        for (int i = 0; i < column; i++) at = strchr(at, ',') + 1;
        char *end = NULL;
        series[rows] = strtod(at, &end);
        if (end == at) series[rows] = NAN;
        rows++;
    }
    (void)fclose(file);
    return rows;
}

typedef struct found {
    size_t season;
    double strength;
} found;

static found find(size_t rows, size_t suggested)
{
    found out = {77, -77.0};
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(norn_season_find(&out.season, &out.strength, series, rows, suggested, NULL, &err),
                     NORN_OK);
    assert_true(out.season >= 1 && out.season <= (rows > 3 ? rows / 3 : 1));
    assert_true(out.strength >= 0.0 && out.strength <= 1.0);
    return out;
}

static void months_of_passengers_repeat_after_a_year_told_or_not(void **state)
{
    (void)state;
    const size_t rows = load("air_passengers.csv", 1);
    assert_int_equal(rows, 144);
    for (size_t suggested = 1; suggested <= 12; suggested += 11) {
        const found f = find(rows, suggested);
        assert_int_equal(f.season, 12);
        assert_true(f.strength > 0.7);
    }
}

/* The same by numpy: moving average 2 x 12, means of the months, 1 - var(remainder) / var(detrended). */
static void strength_is_that_of_the_classical_decomposition(void **state)
{
    (void)state;
    const found f = find(load("air_passengers.csv", 1), 12);
    assert_near(f.strength, 0.7787219427520644, 1e-12, 0.0);
}

static void sunspots_come_back_after_eleven_years_weakly(void **state)
{
    (void)state;
    const found f = find(load("sunspots_yearly.csv", 1), 1);
    assert_int_equal(f.season, 11);
    assert_true(f.strength > 0.2 && f.strength < 0.5);
}

static void hours_of_load_repeat_after_a_day(void **state)
{
    (void)state;
    const found f = find(load("hourly_load.csv", 2), 24);
    assert_int_equal(f.season, 24);
    assert_true(f.strength > 0.8);
}

/* Lynx come in cycles of nine and two thirds years: three of them are 29 years, to the row. */
static void a_cycle_that_is_no_whole_number_of_rows_is_the_nearest_one_and_no_multiple(void **state)
{
    (void)state;
    assert_int_equal(find(load("lynx.csv", 1), 1).season, 10);
}

static void the_flow_of_the_nile_and_prices_have_no_season(void **state)
{
    (void)state;
    assert_int_equal(find(load("nile.csv", 1), 1).season, 1);
    const found f = find(load("business_prices.csv", 1), 5);
    assert_int_equal(f.season, 1);
    assert_true(f.strength == 0.0);
}

static void noise_has_no_season(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int trial = 0; trial < 40; trial++) {
        const size_t rows = 60 + 40 * (size_t)trial;
        for (size_t i = 0; i < rows; i++) series[i] = noise(&seed);
        assert_int_equal(find(rows, trial % 2 ? 12 : 1).season, 1);
    }
}

static void random_walks_have_a_season_once_in_ten_at_most(void **state)
{
    (void)state;
    uint64_t seed = 2;
    int seasons = 0;
    for (int trial = 0; trial < 100; trial++) {
        const size_t rows = 200 + 20 * (size_t)trial;
        series[0] = 0.0;
        for (size_t i = 1; i < rows; i++) series[i] = series[i - 1] + noise(&seed);
        seasons += find(rows, 7).season > 1;
    }
    assert_true(seasons <= 10);
}

static void a_trend_alone_is_no_season(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < 500; i++) {
            const double t = (double)i;
            series[i] = kind == 0 ? 1e6 + 0.1 * t : kind == 1 ? t * t : exp(0.01 * t);
        }
        assert_int_equal(find(500, 12).season, 1);
        assert_int_equal(find(500, 1).season, 1);
    }
}

static void a_season_under_a_steep_trend_is_found(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t i = 0; i < 300; i++)
        series[i] = exp(0.02 * (double)i) + 5.0 * wave(i, 9.0) + 0.5 * noise(&seed);
    assert_int_equal(find(300, 1).season, 9);
}

/* A day within a week: 24 rows and 168. */
static void of_two_seasons_the_stronger_is_found(void **state)
{
    (void)state;
    for (int stronger = 0; stronger < 2; stronger++) {
        uint64_t seed = 4;
        for (size_t i = 0; i < 3000; i++)
            series[i] = (stronger ? 1.0 : 2.0) * wave(i, 24.0) + (stronger ? 2.0 : 1.0) * wave(i, 168.0) +
                        0.5 * noise(&seed);
        assert_int_equal(find(3000, 24).season, stronger ? 168 : 24);
    }
}

static void one_season_is_not_taken_for_its_multiples(void **state)
{
    (void)state;
    for (size_t season = 3; season < 60; season += 4) {
        uint64_t seed = season;
        for (size_t i = 0; i < 2000; i++)
            series[i] = 3.0 * wave(i, (double)season) + (i % season == 0 ? 2.0 : 0.0) + noise(&seed);
        assert_int_equal(find(2000, 1).season, season);
    }
}

static void a_fast_wave_within_the_season_is_not_taken_for_it(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t i = 0; i < 2000; i++) series[i] = wave(i, 24.0) + 1.2 * wave(i, 12.0) + 0.3 * noise(&seed);
    assert_int_equal(find(2000, 24).season, 24);
}

/* Over three rows the trend takes more out than over twelve, and what is left looks the more like a season.
 */
static void a_part_of_the_suggested_season_must_stand_for_all_of_it(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        uint64_t seed = 7;
        double level = 0.0;
        for (size_t i = 0; i < 400; i++) {
            level += 0.5 * noise(&seed);
            series[i] = level + 2.0 * wave(i, 3.0) + (whole ? 1.5 * wave(i, 12.0) : 0.0) + 0.3 * noise(&seed);
        }
        assert_int_equal(find(400, 12).season, whole ? 12 : 3);
    }
}

static void missing_values_do_not_hide_the_season(void **state)
{
    (void)state;
    const size_t rows = load("air_passengers.csv", 1);
    for (size_t i = 0; i < rows; i++)
        if (i % 7 == 3 || (i > 60 && i < 70)) series[i] = NAN;
    const found f = find(rows, 1);
    assert_int_equal(f.season, 12);
    assert_true(f.strength > 0.7);
    for (size_t i = 0; i < rows; i++) series[i] = NAN;
    assert_int_equal(find(rows, 12).season, 1);
    series[5] = 1.0;
    assert_int_equal(find(rows, 12).season, 1);
}

static void a_constant_has_no_season(void **state)
{
    (void)state;
    static const double levels[] = {0.0, 7.5, -1e300, 1e-300};
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < 100; i++) series[i] = levels[k];
        const found f = find(100, 12);
        assert_int_equal(f.season, 1);
        assert_true(f.strength == 0.0);
    }
}

static void a_few_rows_have_no_season(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++) series[i] = (double)(i % 2);
    for (size_t rows = 0; rows <= 6; rows++) assert_int_equal(find(rows, 2).season, 1);
}

static void the_largest_numbers_have_a_season(void **state)
{
    (void)state;
    for (size_t i = 0; i < 120; i++) series[i] = 1.7e308 * (i % 12 < 6 ? 1.0 : -1.0);
    assert_int_equal(find(120, 1).season, 12);
    for (size_t i = 0; i < 120; i++) series[i] = 4e-320 * (double)(i % 12);
    assert_int_equal(find(120, 1).season, 12);
}

static void scale_and_level_change_nothing(void **state)
{
    (void)state;
    const size_t rows = load("air_passengers.csv", 1);
    const found before = find(rows, 12);
    for (size_t i = 0; i < rows; i++) series[i] = 1e9 + 1e-3 * series[i];
    const found after = find(rows, 12);
    assert_int_equal(after.season, before.season);
    assert_true(fabs(after.strength - before.strength) < 1e-4);
}

/* Of a ratio, so that it holds under a checker too: a quarter of the rows takes half the time (only the last
 * half a million are looked at), and what grows with the square would take a quarter of that. */
static void a_million_rows_take_little_longer_than_a_quarter_of_them(void **state)
{
    (void)state;
    enum { ROWS = 1000000 };
    double *values = malloc(ROWS * sizeof *values), strength = 0.0, seconds[2];
    assert_non_null(values);
    uint64_t seed = 6;
    size_t season = 0;
    for (size_t i = 0; i < ROWS; i++) values[i] = wave(i, 1440.0) + noise(&seed);
    for (size_t k = 0; k < 2; k++) {
        const double begin = norn_seconds();
        assert_int_equal(norn_season_find(&season, &strength, values, k ? ROWS : ROWS / 4, 60, NULL, NULL),
                         NORN_OK);
        seconds[k] = norn_seconds() - begin;
        assert_int_equal(season, 1440);
    }
    free(values);
    assert_true(seconds[1] < 6.0 * seconds[0]);
}

static void memory_that_fails_is_an_error_and_comes_back(void **state)
{
    (void)state;
    const size_t rows = load("air_passengers.csv", 1);
    size_t requests = 0;
    for (size_t fail_at = 1; fail_at <= requests + 1; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        size_t season = 77;
        double strength = -77.0;
        const norn_status status = norn_season_find(&season, &strength, series, rows, 12, &host, &err);
        assert_all_returned(&counter);
        if (status == NORN_OK) { /* the request that fails is beyond the last */
            assert_true(fail_at > 5);
            return;
        }
        assert_int_equal(status, NORN_ERR_MEMORY);
        assert_int_equal(err.status, NORN_ERR_MEMORY);
        assert_int_equal(season, 77);
        assert_true(strength < 0.0);
        requests = fail_at;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_of_passengers_repeat_after_a_year_told_or_not),
        cmocka_unit_test(strength_is_that_of_the_classical_decomposition),
        cmocka_unit_test(sunspots_come_back_after_eleven_years_weakly),
        cmocka_unit_test(hours_of_load_repeat_after_a_day),
        cmocka_unit_test(a_cycle_that_is_no_whole_number_of_rows_is_the_nearest_one_and_no_multiple),
        cmocka_unit_test(the_flow_of_the_nile_and_prices_have_no_season),
        cmocka_unit_test(noise_has_no_season),
        cmocka_unit_test(random_walks_have_a_season_once_in_ten_at_most),
        cmocka_unit_test(a_trend_alone_is_no_season),
        cmocka_unit_test(a_season_under_a_steep_trend_is_found),
        cmocka_unit_test(of_two_seasons_the_stronger_is_found),
        cmocka_unit_test(one_season_is_not_taken_for_its_multiples),
        cmocka_unit_test(a_fast_wave_within_the_season_is_not_taken_for_it),
        cmocka_unit_test(a_part_of_the_suggested_season_must_stand_for_all_of_it),
        cmocka_unit_test(missing_values_do_not_hide_the_season),
        cmocka_unit_test(a_constant_has_no_season),
        cmocka_unit_test(a_few_rows_have_no_season),
        cmocka_unit_test(the_largest_numbers_have_a_season),
        cmocka_unit_test(scale_and_level_change_nothing),
        cmocka_unit_test(a_million_rows_take_little_longer_than_a_quarter_of_them),
        cmocka_unit_test(memory_that_fails_is_an_error_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
