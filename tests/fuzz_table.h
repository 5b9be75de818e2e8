/*
 * What the fuzz targets of files share: a stream over bytes, and the promises that every table keeps (cells
 * finite or missing, targets there at both ends, times that rise, futures after the last row, texts that
 * end), and every refusal (one line, of a kind that files can have).
 */
#ifndef NORN_TESTS_FUZZ_TABLE_H
#define NORN_TESTS_FUZZ_TABLE_H

#include "data/table.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MEMORY ((size_t)1 << 28) /* bytes that an input of some kilobytes may ask for */

typedef struct input {
    const uint8_t *bytes;
    size_t size, block;
} input;

static inline size_t read_input(void *user, void *buffer, size_t size)
{
    input *in = user;
    size_t n = in->size < size ? in->size : size;
    if (n > in->block) n = in->block;
    memcpy(buffer, in->bytes, n);
    in->bytes += n;
    in->size -= n;
    return n;
}

static inline void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

typedef struct memory {
    size_t out, most;
} memory;

static inline void *count_memory(void *user, void *ptr, size_t old_size, size_t new_size)
{
    memory *m = user;
    m->out = m->out - old_size + new_size;
    if (m->out > m->most) m->most = m->out;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

static inline void check_line(const char *text, const char *what)
{
    check(text && *text && !strchr(text, '\n') && !strchr(text, '\r'), what);
}

static inline void check_cells(const double *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) check(!isinf(cells[i]), "an infinite value");
}

static inline void check_series(const norn_table *table, size_t s)
{
    char text[NORN_TIME_TEXT];
    const size_t n = norn_table_rows(table, s), ahead = norn_table_ahead(table, s);
    const int64_t *times = norn_table_times(table, s);
    const double *target = norn_table_target(table, s);
    check(n >= 1, "a series without rows");
    check(norn_table_id(table, s) != NULL, "a series without a name");
    check(isfinite(target[0]) && isfinite(target[n - 1]),
          "a series that begins or ends with a missing value");
    check_cells(target, n);
    for (size_t i = 0; i < n + ahead; i++) {
        check(i == 0 || times[i] > times[i - 1], "times that do not rise");
        check(strlen(norn_table_time_text(table, times[i], text)) < NORN_TIME_TEXT, "a time too long");
    }
    for (size_t k = 0; k < norn_table_past_count(table); k++) check_cells(norn_table_past(table, s, k), n);
    for (size_t k = 0; k < norn_table_future_count(table); k++)
        check_cells(norn_table_future(table, s, k), n + ahead);
    for (size_t k = 0; k < norn_table_static_count(table); k++)
        check(!isinf(norn_table_static(table, s, k)), "an infinite static");
    int64_t before = times[n - 1];
    for (size_t step = 1; step <= 24; step++) {
        const int64_t next = norn_table_future_time(table, s, step);
        check(next > before || next == INT64_MAX, "a future that is not after the past");
        (void)norn_table_time_text(table, next, text);
        before = next;
    }
}

static inline void check_table(const norn_table *table)
{
    size_t count;
    check(norn_table_series_count(table) >= 1, "no series");
    check(norn_table_season(table) >= 1, "no season");
    check(norn_table_step(table).count >= 1, "no step");
    for (size_t s = 0; s < norn_table_series_count(table); s++) check_series(table, s);
    const norn_decision *decisions = norn_table_decisions(table, &count);
    for (size_t i = 0; i < count; i++) check_line(decisions[i].text, "a decision of several lines");
    const norn_table_facts *f = norn_table_facts_of(table);
    check(f->steps >= f->regular, "more regular steps than steps");
    for (size_t c = 0; c < norn_table_column_count(table); c++) {
        const norn_column_facts *column = norn_table_column(table, c);
        check(column->cells >= column->missing && column->name && column->first, "facts that cannot be");
    }
}

static inline void check_problem(void *user, const norn_problem *problem)
{
    uint64_t *count = user;
    ++*count;
    check_line(problem->message, "a problem of several lines");
    check(problem->name && problem->text && problem->file, "a problem without its texts");
}

/* Reads the bytes and holds what comes out against the promises. */
static inline void try_input(input in, norn_table_options *options, size_t threads, size_t piece)
{
    uint64_t problems = 0;
    memory used = {0, 0};
    norn_host host = NORN_HOST_INIT;
    host.user = &used;
    host.resize = count_memory;
    if (options->on_problem) options->user = &problems;
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status =
        norn_table_read_tuned(&table, read_input, &in, "fuzz", options, threads, piece, &host, &err);
    if (status == NORN_OK) {
        check(problems == 0, "a table in spite of a problem");
        check_table(table);
        norn_table_free(table);
    } else {
        check(table == NULL, "a table in spite of an error");
        check(status == NORN_ERR_DATA || status == NORN_ERR_USAGE, "an error of another kind");
        check(err.status == status, "an error that says another kind");
        check_line(err.message, "a message of several lines");
    }
    check(used.out == 0, "memory that was not given back, or not by its size");
    check(used.most < FUZZ_MEMORY, "too much memory");
}

#endif
