/*
 * Single cells: which texts are numbers and which double each of them is, which texts mean missing.
 */
#include "support.h"

#include "data/cell.h"

#include <locale.h>

/* ---- numbers ---- */

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
        {"0e99999999999999999999", 0},
        {"-0.000e-99999999999999999999", -0.0},
        {"1e-99999999999999999999", 0},
        {"0.00000000000000000000000000000000000000001e40", 0.1},
        {"10000000000000000000000000000000000000000e-40", 1},
        {"2.4703282292062327208e-324", 0}, /* just below half of the smallest */
        {"2.4703282292062328e-324", 4.9406564584124654e-324},
        {"1.7976931348623158079e308", 1.7976931348623157e308}, /* just below what rounds to infinity */
    };
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      ".",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "0x10",
                                      "inf",
                                      "nan",
                                      "1,5",
                                      "1 2",
                                      "1.2.3",
                                      "--1",
                                      "1e999",
                                      "1.7976931348623159e308",
                                      "1e99999999999999999999",
                                      "1d",
                                      "1_000",
                                      "+-1",
                                      "-inf",
                                      "NaN",
                                      "1e1.5",
                                      "١",
                                      "1.5f",
                                      "Infinity",
                                      "1-2",
                                      "2024-01-01"};
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
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

/* Must be read as strtod reads it: the C locale, no setlocale yet. Infinite ones must be refused. */
static void check_nearest(const norn_numbers *numbers, const char *text)
{
    const double want = strtod(text, NULL);
    double got = 0.5;
    const bool read = norn_number_parse(numbers, text, strlen(text), &got);
    if (read != (bool)isfinite(want) || (read && memcmp(&got, &want, sizeof got) != 0))
        fail_msg("%.60s (%zu bytes) read as %.17g, not %.17g", text, strlen(text), got, want);
}

static double random_double(uint64_t *seed)
{
    double number;
    do {
        const uint64_t bits = next_random(seed);
        memcpy(&number, &bits, sizeof number);
    } while (!isfinite(number));
    return number;
}

static void every_number_is_the_nearest_double(void **state)
{
    (void)state;
    static const char *const formats[] = {"%.17g", "%.15g", "%.6f",  "%.3e", "%.0f",
                                          "%.22e", "%.16g", "%.18e", "%.40e"};
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < 900000; i++) {
        double number = random_double(&seed);
        if (i % 2) number = (double)(int64_t)(next_random(&seed) >> 20) / 1e4;
        if (i % 4 == 3)
            number = ldexp(1.0 + (double)(next_random(&seed) >> 12) * 0x1p-52,
                           (int)(next_random(&seed) % 120) - 60);
        char text[400];
        (void)snprintf(text, sizeof text, formats[i % NORN_COUNT(formats)], number);
        check_nearest(&numbers, text);
    }
    norn_numbers_close(&numbers);
}

/* Digits at random, with the point anywhere: what no printing of a double gives. */
static void random_digits_of_any_number_are_rounded_correctly(void **state)
{
    (void)state;
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    uint64_t seed = 2463534242u * 3;
    for (size_t i = 0; i < 1000000; i++) {
        char text[840];
        const size_t most = i % 500 == 0 ? 800 : i % 10 == 0 ? 40 : 20;
        const size_t digits = 1 + next_random(&seed) % most;
        const size_t point = next_random(&seed) % (digits + 1);
        const bool zeros = next_random(&seed) % 8 == 0; /* many of them */
        size_t used = 0;
        for (size_t k = 0; k < digits; k++) {
            if (k == point) text[used++] = '.';
            const uint64_t digit = next_random(&seed) >> 8;
            text[used++] = (char)('0' + (zeros && digit % 16 ? 0 : digit % 10));
        }
        text[used] = '\0';
        if (i % 3) (void)snprintf(text + used, 8, "e%d", (int)(next_random(&seed) % 60) - 30);
        if (i % 31 == 0) (void)snprintf(text + used, 8, "e%d", (int)(next_random(&seed) % 700) - 350);
        check_nearest(&numbers, text);
    }
    norn_numbers_close(&numbers);
}

#define FRACTION 1080 /* digits behind the point of any middle between two doubles: at most 1075 */

/* The middle between a double and the next one, exactly: the mean of two decimals. */
static void middle_text(char *text, double number)
{
    char next[FRACTION + 400];
    int length = snprintf(next, sizeof next, "%.*f", FRACTION, nextafter(number, INFINITY));
    (void)snprintf(text, sizeof next, "%0*.*f", length, FRACTION, number);
    int carry = 0, rest;
    for (int i = length - 1; i >= 0; i--) {
        if (text[i] == '.') continue;
        const int sum = (text[i] - '0') + (next[i] - '0') + carry;
        text[i] = (char)('0' + sum % 10);
        carry = sum / 10;
    }
    rest = carry;
    for (int i = 0; i < length; i++) {
        if (text[i] == '.') continue;
        const int twice = 10 * rest + (text[i] - '0');
        text[i] = (char)('0' + twice / 2);
        rest = twice % 2;
    }
    assert_int_equal(rest, 0);
}

/* Numbers that lie in the middle between two doubles, and a hair beside it. */
static void halfway_cases_go_to_the_even_neighbour(void **state)
{
    (void)state;
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    uint64_t seed = 362436069u;
    char text[FRACTION + 400];
    for (size_t i = 0; i < 300000; i++) {
        /* An odd integer of 54 bits times a power of two, written with a power of ten: through 128 bits both
         * ways. */
        const uint64_t odd = (next_random(&seed) >> 11) | UINT64_C(1) << 53 | 1;
        uint64_t five = 1;
        const int k = (int)(next_random(&seed) % 5);
        for (int j = 0; j < k; j++) five *= 5;
        const uint64_t beside[] = {odd * five, odd * five - 1, odd * five + 1};
        for (size_t j = 0; j < 3; j++) {
            (void)snprintf(text, sizeof text, "%llue-%d", (unsigned long long)beside[j], k);
            check_nearest(&numbers, text);
        }
        uint64_t divided = next_random(&seed) >> 33 | 1; /* times 5^10: up to 54 bits */
        divided <<= next_random(&seed) % 34;
        for (uint64_t j = divided - 1; j <= divided + 1; j++) {
            (void)snprintf(text, sizeof text, "%llue10", (unsigned long long)j);
            check_nearest(&numbers, text);
        }
    }
    for (size_t i = 0; i < 10000; i++) {
        double number = fabs(random_double(&seed));
        if (i % 4 == 0) number = ldexp(number, -1100); /* many are subnormal then */
        if (i % 3 == 0)
            number = ldexp(1.0 + (double)(next_random(&seed) >> 12) * 0x1p-52, (int)(i % 80) - 40);
        if (!isfinite(nextafter(number, INFINITY))) continue;
        middle_text(text, number);
        check_nearest(&numbers, text);
        const size_t length = strlen(text);
        (void)strcpy(text + length, "1"); /* a little above */
        check_nearest(&numbers, text);
        text[length - next_random(&seed) % 900] = '\0'; /* a little below, if not the same */
        check_nearest(&numbers, text);
    }
    norn_numbers_close(&numbers);
}

/* A long number may have its last digit that matters behind any number of others. */
static void a_digit_far_behind_still_counts(void **state)
{
    (void)state;
    norn_numbers numbers;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    const size_t zeros = 5000;
    char *text = malloc(zeros + 64);
    assert_non_null(text);
    for (int tail = 0; tail <= 1; tail++) {
        size_t used = (size_t)snprintf(text, 32, "9007199254740993."); /* 2^53 + 1 */
        memset(text + used, '0', zeros);
        text[used + zeros] = tail ? '1' : '\0';
        text[used + zeros + 1] = '\0';
        double value = 0;
        assert_true(norn_number_parse(&numbers, text, strlen(text), &value));
        assert_true(value == (tail ? 9007199254740994.0 : 9007199254740992.0));
    }
    memset(text, '0', zeros);
    memcpy(text, "0.", 2);
    (void)snprintf(text + zeros, 64, "123456789012345678901234567890123e%zu", zeros);
    double value = 0;
    assert_true(norn_number_parse(&numbers, text, strlen(text), &value));
    assert_true(value == 12.3456789012345678901234567890123);
    free(text);
    norn_numbers_close(&numbers);
}

static void commas_and_groups_are_read_when_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char decimal, thousands;
        double value; /* NaN: no number */
    } cases[] = {
        {"1,5", ',', 0, 1.5},
        {"-,25", ',', 0, -.25},
        {"1,5e2", ',', 0, 150},
        {"1.5", ',', 0, NAN},
        {"1,234", 0, ',', 1234},
        {"1,234.5", 0, ',', 1234.5},
        {"-1,234,567.25", 0, ',', -1234567.25},
        {"1,234e3", 0, ',', 1234000},
        {"12,345,678,901,234,567,890.5", 0, ',', 12345678901234567890.5},
        {"123,456", 0, ',', 123456},
        {"1234567.5", 0, ',', 1234567.5},
        {"0.5", 0, ',', .5},
        {".5", 0, ',', .5},
        {"0", 0, ',', 0},
        {"007", 0, ',', 7},
        {"12,34", 0, ',', NAN},
        {"1234,567", 0, ',', NAN},
        {"1,234,56", 0, ',', NAN},
        {"1,2345", 0, ',', NAN},
        {"1,23,456", 0, ',', NAN},
        {"1,2,345", 0, ',', NAN},
        {",123", 0, ',', NAN},
        {"1,", 0, ',', NAN},
        {"1,,234", 0, ',', NAN},
        {"1,234,", 0, ',', NAN},
        {"1,234,.5", 0, ',', NAN},
        {"1.234,567", 0, ',', NAN},
        {"0,123", 0, ',', NAN}, /* more likely a fraction */
        {"1,234", 0, 0, NAN},
        {"1.234,5", ',', '.', 1234.5},
        {"1.234.567,5", ',', '.', 1234567.5},
        {"1.5", ',', '.', NAN},
        {"1 234,5", ',', ' ', 1234.5},
        {"1\xc2\xa0"
         "234,5",
         ',', ' ', 1234.5},
        {"1\xe2\x80\xaf"
         "234\xe2\x80\xaf"
         "567",
         ',', ' ', 1234567},
        {"1\xc2"
         "234",
         ',', ' ', NAN},
        {"1\xe2\x80", ',', ' ', NAN},
        {"1'234.5", 0, '\'', 1234.5},
        {"1\xe2\x80\x99"
         "234.5",
         0, '\'', 1234.5},
        {"1\xe2\x80\x99"
         "234.5",
         0, ' ', NAN},
        {"1 234", 0, '\'', NAN},
        {"0.12345678901234567", 0, ',', 0.12345678901234567},
        {"1,234.567890123456789012345", 0, ',', 1234.567890123456789012345},
        {"1.234,5678901234567890123451e-40", ',', '.', 1234.5678901234567890123451e-40},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_numbers numbers;
        assert_ok(norn_numbers_open(&numbers, cases[i].decimal, cases[i].thousands, NULL), NULL);
        double value = 0;
        const bool read = norn_number_parse(&numbers, cases[i].text, strlen(cases[i].text), &value);
        if (read == (bool)isnan(cases[i].value) || (read && value != cases[i].value))
            fail_msg("case %zu: %s read as %d, %.17g", i, cases[i].text, read, value);
        norn_numbers_close(&numbers);
    }
    static const struct {
        char decimal, thousands;
        const char *message;
    } refused[] = {{';', 0, "--decimal"},
                   {0, ';', "--thousands"},
                   {0, '.', "say --decimal , too"},
                   {',', ',', "say --decimal . too"},
                   {0, '5', "--thousands"}};
    for (size_t i = 0; i < NORN_COUNT(refused); i++) {
        norn_numbers numbers;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_numbers_open(&numbers, refused[i].decimal, refused[i].thousands, &err),
                         NORN_ERR_USAGE);
        assert_non_null(strstr(err.message, refused[i].message));
    }
}

/* What stands behind the text does not matter. */
static void a_number_ends_where_its_length_says(void **state)
{
    (void)state;
    norn_numbers numbers;
    double value = 0;
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    assert_true(norn_number_parse(&numbers, "0.123456789012345678901e5", 23, &value));
    assert_true(value == 0.123456789012345678901);
    assert_true(norn_number_parse(&numbers, "1234", 2, &value));
    assert_true(value == 12);
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
    assert_ok(norn_numbers_open(&numbers, 0, 0, NULL), NULL);
    assert_true(
        norn_number_parse(&numbers, "0.12345678901234567", 19, &value)); /* takes the way through strtod */
    assert_true(value == 0.12345678901234567);
    norn_numbers_close(&numbers);
    (void)setlocale(LC_ALL, "C");
}

static void missing_texts_are_the_usual_ones_and_those_told(void **state)
{
    (void)state;
    const norn_missing usual = norn_missing_init(NULL), told = norn_missing_init("., -999 ,none,N,,\xc3\xa9");
    static const char *const always[] = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "#N/A"};
    static const char *const never[] = {"na",  "n",   "NANA", "NUL", "nul", "#N/",   "#N/A!", "N/A N/A",
                                        "#NA", "NA ", "0",    "NAN", "-",   "none.", "Null",  ", "};
    static const char *const if_told[] = {".", "-999", "none", "N", "\xc3\xa9"};
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
        cmocka_unit_test(only_plain_finite_numbers_are_numbers),
        cmocka_unit_test(every_number_is_the_nearest_double),
        cmocka_unit_test(random_digits_of_any_number_are_rounded_correctly),
        cmocka_unit_test(halfway_cases_go_to_the_even_neighbour),
        cmocka_unit_test(a_digit_far_behind_still_counts),
        cmocka_unit_test(commas_and_groups_are_read_when_told),
        cmocka_unit_test(a_number_ends_where_its_length_says),
        cmocka_unit_test(the_locale_of_the_host_changes_no_number),
        cmocka_unit_test(missing_texts_are_the_usual_ones_and_those_told),
        cmocka_unit_test(blanks_are_trimmed_from_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
