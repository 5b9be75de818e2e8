/*
 * Files that are too large in one place: a field of a gigabyte, a line of a gigabyte, a quote that is never
 * closed before a gigabyte, made up on the way by a generator. Each is read or refused in its line, and the
 * memory of the reading stays within bounds, whatever the file's size. Takes half a minute: ctest -C slow.
 */
#include "counting_host.h"
#include "table_support.h"

#include <sys/resource.h>

#define GIGABYTE ((uint64_t)1 << 30)
#define BOUND                                                                                                \
    ((size_t)256 << 20) /* asked for beside the values themselves: room for the worst a piece may hold, */
#define RESIDENT ((size_t)64 << 20) /* of which little is ever touched */

typedef struct giant {
    const char *head, *piece, *tail; /* the piece as often as fits between */
    uint64_t at, size;
} giant;

static size_t read_giant(void *user, void *buffer, size_t size)
{
    giant *g = user;
    char *out = buffer;
    const uint64_t head = strlen(g->head), piece = strlen(g->piece), tail = strlen(g->tail);
    const uint64_t body = (g->size - head - tail) / piece * piece;
    size_t n = 0;
    for (; n < size && g->at < head + body + tail; n++, g->at++)
        out[n] = g->at < head          ? g->head[g->at]
                 : g->at < head + body ? g->piece[(g->at - head) % piece]
                                       : g->tail[g->at - head - body];
    return n;
}

typedef struct peak {
    counting_host counter;
    size_t most;
} peak;

static void *peak_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    peak *p = user;
    void *block = counting_resize(&p->counter, ptr, old_size, new_size);
    if (p->counter.bytes > p->most) p->most = p->counter.bytes;
    return block;
}

static void assert_bounded(const peak *p)
{
    struct rusage usage;
    if (p->most > BOUND) fail_msg("%zu bytes asked for at once", p->most);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    if ((size_t)usage.ru_maxrss * 1024 > RESIDENT) fail_msg("%ld KiB in memory", usage.ru_maxrss);
}

static norn_status read_it(norn_table **t, giant g, const norn_table_options *o, peak *p, norn_error *err)
{
    norn_host host = NORN_HOST_INIT;
    host.user = p;
    host.resize = peak_resize;
    return norn_table_read_stream(t, read_giant, &g, "giant", o, &host, err);
}

static void refused(giant g, int line, int column, const char *message)
{
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    peak p = {.most = 0};
    assert_int_equal(read_it(&t, g, NULL, &p, &err), NORN_ERR_DATA);
    if (err.line != (uint64_t)line || err.column != (uint64_t)column || !strstr(err.message, message))
        fail_msg("%d:%d %s", (int)err.line, (int)err.column, err.message);
    assert_all_returned(&p.counter);
    assert_bounded(&p);
}

static void a_field_of_a_gigabyte_is_refused_in_its_line(void **state)
{
    (void)state;
    refused((giant){"ds,y\n1,1\n2,2\n3,", "7", "\n4,4\n", 0, GIGABYTE}, 4, 2, "a field longer than 1 MiB");
    refused((giant){"", "x", "", 0, GIGABYTE}, 1, 1, "a field longer than 1 MiB");
    refused((giant){"ds,y\n1,\"", "two\nlines\n", "\"\n4,4\n", 0, GIGABYTE}, 2, 2,
            "a field longer than 1 MiB");
}

static void a_line_of_a_gigabyte_is_refused_by_its_number_of_fields(void **state)
{
    (void)state;
    refused((giant){"ds,y\n1,1\n2,2\n3", ",7", "\n4,4\n", 0, GIGABYTE}, 4, 3, "the row has 5");
    refused((giant){"a", ",1", "\n4,4\n", 0, GIGABYTE}, 1, 0, "the first record is longer than 1 MiB");
}

static void blank_lines_of_a_gigabyte_cost_nothing(void **state)
{
    (void)state;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    peak p = {.most = 0};
    assert_ok(read_it(&t, (giant){"ds,y\n1,1\n2,2\n", "\n", "3,3\n", 0, GIGABYTE / 4}, NULL, &p, &err), &err);
    assert_int_equal(norn_table_rows(t, 0), 3);
    norn_table_free(t);
    assert_all_returned(&p.counter);
    assert_bounded(&p);
}

static void a_series_of_a_gigabyte_is_read_within_its_values(void **state)
{
    (void)state;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.layout = NORN_LAYOUT_ROWS;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    peak p = {.most = 0};
    const giant g = {"A,1,2,3\nB,4,5\nC", ",1234567.125", "\nD,1\n", 0, GIGABYTE / 4};
    assert_ok(read_it(&t, g, &o, &p, &err), &err);
    assert_int_equal(norn_table_series_count(t), 4);
    const size_t rows = norn_table_rows(t, 2);
    assert_true(rows > 20000000);
    assert_true(norn_table_target(t, 2)[rows - 1] == 1234567.125);
    /* values and times, each grown by half while they are read */
    if (p.most > 3 * 2 * 8 * rows + BOUND) fail_msg("%zu bytes at once for %zu rows", p.most, rows);
    norn_table_free(t);
    assert_all_returned(&p.counter);
}

static void count_problem(void *user, const norn_problem *problem)
{
    uint64_t *count = user;
    assert_true(problem->message[0] != '\0');
    ++*count;
}

static void problems_without_end_are_counted_and_bounded(void **state)
{
    (void)state;
    static char head[20000];
    size_t used = (size_t)sprintf(head, "ds,y\n");
    for (int i = 0; i < 1200; i++) used += (size_t)sprintf(head + used, "%d,%d\n", i, i);
    uint64_t problems = 0;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.on_problem = count_problem;
    o.user = &problems;
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    peak p = {.most = 0};
    assert_int_equal(read_it(&t, (giant){head, "x,y\n", "", 0, GIGABYTE / 16}, &o, &p, &err), NORN_ERR_DATA);
    assert_int_equal(err.line, 1202);
    assert_true(problems > 1000000);
    assert_bounded(&p);
    assert_all_returned(&p.counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_of_a_gigabyte_is_refused_in_its_line),
        cmocka_unit_test(a_line_of_a_gigabyte_is_refused_by_its_number_of_fields),
        cmocka_unit_test(blank_lines_of_a_gigabyte_cost_nothing),
        cmocka_unit_test(problems_without_end_are_counted_and_bounded),
        cmocka_unit_test(a_series_of_a_gigabyte_is_read_within_its_values), /* last: the most in memory */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
