/*
 * Random tables, written in a random dialect and read back: the same to the bit, whatever the ids contain,
 * and however many threads there are and wherever the pieces end. And the memory of the reading: every
 * request that fails is reported, and nothing is left.
 */
#include "counting_host.h"
#include "files.h"

enum { MOST_SERIES = 9, MOST_ROWS = 40, MOST_PAST = 3 };

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13; /* xorshift64 (Marsaglia 2003) */
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(next_random(seed) >> 11) % n;
}

/* Any finite double, mostly of a common size. */
static double random_value(uint64_t *seed)
{
    double value;
    const uint64_t bits = next_random(seed);
    if (below(seed, 3)) return (double)(int64_t)bits * 1e-12;
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 0.1;
}

typedef struct random_table {
    size_t series, past;
    size_t rows[MOST_SERIES];
    char id[MOST_SERIES][64];
    int64_t start[MOST_SERIES];
    double target[MOST_SERIES][MOST_ROWS], past_cell[MOST_SERIES][MOST_PAST][MOST_ROWS]; /* NaN: missing */
} random_table;

static void random_id(uint64_t *seed, size_t number, char out[64])
{
    static const char *const parts[] = {"a",
                                        "\"",
                                        ",",
                                        ";",
                                        "\t",
                                        "|",
                                        "\n",
                                        "\r\n",
                                        "\r",
                                        "'",
                                        "\xc3\xa9",
                                        "\xe6\xbc\xa2",
                                        "\xf0\x9f\x98\x80",
                                        "#",
                                        "x y",
                                        "=1"};
    size_t used = (size_t)snprintf(out, 64, "%zu", number); /* ids differ, and do not begin with a blank */
    for (size_t n = below(seed, 6); n; n--)
        used +=
            (size_t)snprintf(out + used, 64 - used, "%s", parts[below(seed, sizeof parts / sizeof parts[0])]);
    (void)snprintf(out + used, 64 - used, "z");
}

static void make_table(random_table *t, uint64_t *seed)
{
    t->series = 1 + below(seed, MOST_SERIES);
    t->past = below(seed, MOST_PAST + 1);
    for (size_t s = 0; s < t->series; s++) {
        t->rows[s] = 2 + below(seed, MOST_ROWS - 2);
        t->start[s] = (int64_t)below(seed, 30000);
        random_id(seed, s, t->id[s]);
        for (size_t i = 0; i < t->rows[s]; i++) {
            const bool end = i == 0 || i + 1 == t->rows[s];
            t->target[s][i] = !end && below(seed, 9) == 0 ? (double)NAN : random_value(seed);
            for (size_t k = 0; k < t->past; k++)
                t->past_cell[s][k][i] = below(seed, 9) == 0 ? (double)NAN : random_value(seed);
        }
    }
}

typedef struct dialect {
    char delimiter;
    const char *newline;
    bool quotes, mark, decimal_comma, blanks;
} dialect;

static void put_field(text *to, const dialect *d, const char *field)
{
    const bool must = strpbrk(field, "\"\n\r,;\t|") != NULL;
    if (!must && !d->quotes) {
        put(to, "%s", field);
        return;
    }
    put(to, "\"");
    for (const char *at = field; *at; at++) put_bytes(to, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    put(to, "\"");
}

static void put_number(text *to, const dialect *d, double value, uint64_t *seed)
{
    static const char *const missing[] = {"", "NA", "NaN", "null", "#N/A"};
    char number[64];
    (void)snprintf(number, sizeof number, "%.17g", value);
    if (isnan(value)) (void)snprintf(number, sizeof number, "%s", missing[below(seed, 5)]);
    for (char *at = number; *at && d->decimal_comma; at++)
        if (*at == '.') *at = ',';
    put(to, "%c%s", d->delimiter, d->blanks ? " " : "");
    if (d->blanks)
        put(to, "%s ", number);
    else
        put_field(to, d, number);
}

/* Rows of the series take turns at random; each keeps its own order. */
static void write_table(text *to, const random_table *t, const dialect *d, uint64_t *seed)
{
    const norn_time_style style = norn_time_style_iso(NORN_FORM_DATE, 0);
    size_t at[MOST_SERIES] = {0}, left = 0;
    char day[NORN_TIME_TEXT];
    for (size_t s = 0; s < t->series; s++) left += t->rows[s];
    if (d->mark) put(to, "\xef\xbb\xbf");
    put_field(to, d, "unique_id");
    put(to, "%cds%cy", d->delimiter, d->delimiter);
    for (size_t k = 0; k < t->past; k++) put(to, "%cx%zu", d->delimiter, k);
    for (size_t s = 0; left; left--) {
        /* the first row of each in order, so that the series come out in theirs */
        size_t began = 0;
        while (began < t->series && at[began]) began++;
        if (began < t->series && below(seed, 3) == 0) {
            s = began;
        } else {
            do s = below(seed, began ? began : 1);
            while (at[s] == t->rows[s] && began == t->series);
            if (at[s] == t->rows[s]) s = began;
        }
        const size_t i = at[s]++;
        put(to, "%s", d->newline);
        put_field(to, d, t->id[s]);
        (void)norn_time_write(&style, (t->start[s] + (int64_t)i) * NORN_DAY, day);
        put(to, "%c", d->delimiter);
        put_field(to, d, day);
        put_number(to, d, t->target[s][i], seed);
        for (size_t k = 0; k < t->past; k++) put_number(to, d, t->past_cell[s][k][i], seed);
    }
    if (below(seed, 2)) put(to, "%s", d->newline);
}

static bool same_cells(const double *got, const double *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(want[i]) ? !isnan(got[i]) : memcmp(&got[i], &want[i], sizeof *got) != 0) return false;
    return true;
}

static void assert_same(const norn_table *got, const random_table *want, const text *bytes)
{
    bool same = norn_table_series_count(got) == want->series && norn_table_past_count(got) == want->past;
    for (size_t s = 0; s < want->series && same; s++) {
        const size_t n = want->rows[s];
        same = norn_table_rows(got, s) == n && strcmp(norn_table_id(got, s), want->id[s]) == 0 &&
               same_cells(norn_table_target(got, s), want->target[s], n);
        for (size_t i = 0; i < n && same; i++)
            same = norn_table_times(got, s)[i] == (want->start[s] + (int64_t)i) * NORN_DAY;
        for (size_t k = 0; k < want->past && same; k++)
            same = same_cells(norn_table_past(got, s, k), want->past_cell[s][k], n);
    }
    if (!same) fail_msg("another table is read from\n%.1500s", bytes->bytes);
}

static void what_was_written_is_read_to_the_bit(void **state)
{
    static random_table t;
    static const size_t pieces[] = {0, 16, 33, 100, 1000};
    (void)state;
    uint64_t seed = 20241121;
    for (int round = 0; round < 400; round++) {
        text bytes = {NULL, 0, 0};
        make_table(&t, &seed);
        dialect d = {",;\t|"[below(&seed, 4)],
                     below(&seed, 2)   ? "\n"
                     : below(&seed, 2) ? "\r\n"
                                       : "\r",
                     below(&seed, 2) == 0,
                     below(&seed, 3) == 0,
                     false,
                     false};
        d.decimal_comma = d.delimiter != ',' && below(&seed, 2);
        d.blanks = d.delimiter != '\t' && below(&seed, 2);
        write_table(&bytes, &t, &d, &seed);
        norn_table_options o = NORN_TABLE_OPTIONS_INIT;
        o.delimiter = d.delimiter; /* told: what is found of ids like these may be another */
        o.decimal = d.decimal_comma ? ',' : '.';
        o.target = "y";
        o.past = t.past ? "x*" : NULL;
        o.on_missing = NORN_MISSING_MASK;
        o.describe = round % 2;
        memory_stream s = {bytes.bytes, bytes.size, 0, below(&seed, 2) ? SIZE_MAX : 1 + below(&seed, 50), 0};
        norn_table *table = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_table_read_tuned(
            &table, read_memory, &s, "random", &o, 1 + below(&seed, 4), pieces[below(&seed, 5)], NULL, &err);
        if (status != NORN_OK) print_error("%.1500s\n", bytes.bytes);
        assert_ok(status, &err);
        assert_same(table, &t, &bytes);
        norn_table_free(table);
        free(bytes.bytes);
    }
}

/* Long enough for pieces of full size on several threads. */
static void a_file_of_many_pieces_is_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    enum { LINES = 90000 };
    text bytes = {NULL, 0, 0};
    put(&bytes, "id,t,note,x,y\n");
    for (int i = 0; i < LINES; i++)
        put(&bytes,
            i % 1000 == 7 ? "s%d,%d,\"two\nlines\",%d.25,%d\n" : "s%d,%d,a note of some length,%d.25,%d\n",
            i % 7, i / 7, i % 13, i);
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.past = "x";
    o.describe = 1;
    for (size_t threads = 1; threads <= 4; threads++) {
        memory_stream s = {bytes.bytes, bytes.size, 0, SIZE_MAX, 0};
        norn_table *t = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_table_read_tuned(&t, read_memory, &s, "many", &o, threads, 0, NULL, &err), &err);
        assert_int_equal(norn_table_series_count(t), 7);
        size_t rows = 0;
        for (size_t k = 0; k < 7; k++) {
            for (size_t i = 0; i < norn_table_rows(t, k); i++) {
                assert_true(norn_table_target(t, k)[i] == (double)(7 * i + k));
                assert_true(norn_table_past(t, k, 0)[i] == (double)((7 * i + k) % 13) + 0.25);
            }
            rows += norn_table_rows(t, k);
        }
        assert_int_equal(rows, LINES);
        assert_true(norn_table_column(t, 4)->sum == (double)(LINES - 1) * LINES / 2);
        norn_table_free(t);
    }
    free(bytes.bytes);
}

/* ---- memory ---- */

typedef struct memory_case {
    const char *name, *bytes, *flags[16];
} memory_case;

static const memory_case memory_cases[] = {
    {"wide",
     "ds,a,b,c,w\n2024-01-03,1,,3,u\n2024-01-02,2,5,6,v\n2024-01-01,3,8,,u\n",
     {"--target", "a,b", "--past", "c,w", "--on-missing", "ffill", "--on-missing-input", "mean"}},
    {"long",
     "unique_id,ds,s,k,f,y\nA,2024-01-01,1,p,5,1\nB,2024-01-01,2,q,6,2\nA,2024-01-03,1,p,5,3\nB,2024-01-02,2,"
     "q,6,\n"
     "A,2024-01-02,1,p,5,4\nA,2024-01-02,1,p,5,4\nB,2024-01-05,2,q,7,5\nA,2024-01-04,1,p,5,\n",
     {"--static", "s,k", "--future", "f", "--on-unsorted", "sort", "--on-duplicate", "mean", "--on-gap",
      "fill", "--on-missing", "skip"}},
    {"split",
     "unique_id,ds,s,y\nA,2024-01-01 00:00,1,1\nB,2024-10-27 02:00,2,2\nA,2024-01-01 01:00,1,3\nA,2024-01-01 "
     "05:00,1,4\n",
     {"--static", "s", "--on-gap", "split", "--tz", "Europe/Amsterdam", "--ambiguous", "nat"}},
    {"rows",
     "id,size,2001,2002,2003,2005\nA,5,1,2,3,4\nB,6,1,,3\nC,7,,5\n",
     {"--layout", "rows", "--static", "size", "--on-missing", "mean", "--on-gap", "fill"}},
    {"tsf",
     "@relation x\n@attribute name string\n@attribute size numeric\n@attribute start date\n@frequency "
     "daily\n@data\n"
     "A:1:2020-01-01 00-00-00:1,2,?,4\nB:2:2020-01-01 00-00-00:1,2\n",
     {"--on-missing", "zero"}},
    {"parts",
     "year,month,day,y\n2024,1,1,5\n2024,1,2,6\n2024,1,4,8\n",
     {"--on-gap", "fill", "--on-missing", "mask"}},
    {"one column", "v\n1\n\n2\n# x\n3\n\n", {"--on-missing", "ffill", "--comment", "#"}},
    {"polluted", "unique_id,t,y\nB,1,1\nA,1,1\nA,2,\nB,2,\nB,3,3\nA,3,3\n", {"--on-gap", "error"}},
    {"polluted cells",
     "ds,x,y\n2024-01-01,1,a\nbad,2,b\n2024-01-04,2\n,2,4\n2024-01-06,2,5\n",
     {"--past", "x"}},
    {"defect at the beginning", "ds,y\n2024-01-01,\"1\n", {NULL}},
};

static void ignore_problem(void *user, const norn_problem *problem)
{
    (void)user;
    (void)problem;
}

static void every_request_for_memory_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memory_cases / sizeof memory_cases[0]; i++) {
        const memory_case *c = &memory_cases[i];
        norn_table_options o = NORN_TABLE_OPTIONS_INIT;
        for (size_t f = 0; c->flags[f]; f += 2) assert_true(take_flag(&o, c->flags[f], c->flags[f + 1]));
        o.describe = 1;
        o.on_problem = ignore_problem;
        norn_status sound = NORN_OK;
        for (size_t fail_at = 0;; fail_at++) { /* 0: none, to know how it ends */
            counting_host counter = {.fail_at = fail_at};
            const norn_host host = counting_host_of(&counter);
            memory_stream s = {c->bytes, strlen(c->bytes), 0, 11, 0};
            norn_table *t = NULL;
            norn_error err = NORN_ERROR_INIT;
            const norn_status status =
                norn_table_read_tuned(&t, read_memory, &s, "f.csv", &o, 2, 16, &host, &err);
            if (status == NORN_OK) norn_table_free(t);
            if (fail_at == 0) sound = status;
            assert_all_returned(&counter);
            const bool failed = fail_at && counter.asked >= fail_at;
            /* what is given up (a smaller block that cannot be had) may not be noticed */
            if (failed ? status != NORN_ERR_MEMORY && status != sound : status != sound)
                fail_msg("%s: request %zu: %s %s", c->name, fail_at, norn_status_name(status), err.message);
            if (status == NORN_ERR_MEMORY) assert_non_null(strstr(err.message, "out of memory"));
            if (fail_at && !failed) break;
        }
        print_message("%s: ends with %s\n", c->name, norn_status_name(sound));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_to_the_bit),
        cmocka_unit_test(a_file_of_many_pieces_is_the_same_on_any_number_of_threads),
        cmocka_unit_test(every_request_for_memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
