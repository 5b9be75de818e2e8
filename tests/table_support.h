/*
 * What the tests of the data room share: files that are read out of memory, in blocks of any size, and the
 * decisions of a table.
 */
#ifndef NORN_TESTS_TABLE_SUPPORT_H
#define NORN_TESTS_TABLE_SUPPORT_H

#include "support.h"

#include "data/table.h"

typedef struct memory_stream {
    const char *bytes;
    size_t size, at, block; /* at most `block` bytes a call */
    size_t fail_at;         /* where reading fails; 0: never */
} memory_stream;

static inline size_t read_memory(void *user, void *buffer, size_t size)
{
    memory_stream *s = user;
    if (s->fail_at && s->at >= s->fail_at) return (size_t)-1;
    size_t n = s->size - s->at;
    if (n > size) n = size;
    if (n > s->block) n = s->block;
    memcpy(buffer, s->bytes + s->at, n);
    s->at += n;
    return n;
}

static inline norn_status read_text(norn_table **out, const char *text, const norn_table_options *options,
                                    norn_error *err)
{
    memory_stream s = {text, strlen(text), 0, SIZE_MAX, 0};
    return norn_table_read_stream(out, read_memory, &s, "f.csv", options, NULL, err);
}

static inline norn_table *must_read(const char *text, const norn_table_options *options)
{
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(read_text(&table, text, options, &err), &err);
    return table;
}

static inline const char *decision(const norn_table *table, const char *what)
{
    size_t count;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(decisions[i].what, what) == 0) return decisions[i].text;
    return "";
}

#endif
