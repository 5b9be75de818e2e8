/*
 * Columns of times as the tests write them, and what the library makes of them.
 */
#ifndef NORN_TESTS_TIME_SUPPORT_H
#define NORN_TESTS_TIME_SUPPORT_H

#include "support.h"

#include "data/calendar.h"

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 (Marsaglia 2003) */
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static inline norn_time_style compile(const char *format)
{
    norn_time_style style;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_time_style_compile(&style, format, &err), &err);
    return style;
}

static inline bool parse(const norn_time_style *style, const char *text, norn_time_seen *seen, int64_t *raw)
{
    return norn_time_parse(style, text, strlen(text), 0, seen, raw);
}

/* A column of cells, separated by '|'. */
typedef struct column {
    char text[1024];
    const char *cells[64];
    size_t lengths[64], count;
} column;

static inline column column_of(const char *list)
{
    column c = {.count = 0};
    (void)snprintf(c.text, sizeof c.text, "%s", list);
    return c;
}

/* The pointers are set here, as a column moves when it is returned. */
static inline void cut(column *c)
{
    c->count = 0;
    for (char *at = c->text; at;) {
        char *bar = strchr(at, '|');
        c->cells[c->count] = at;
        c->lengths[c->count++] = bar ? (size_t)(bar - at) : strlen(at);
        at = bar ? bar + 1 : NULL;
    }
}

/* Finds the style of a column and reads it, settling the order; the times go to times[64]. */
static inline norn_status read_column(column *c, const char *told, bool named, norn_time_style *style,
                                      int64_t *times, size_t *bad_row, norn_error *err)
{
    size_t fits;
    const size_t group = 0;
    norn_time_seen seen = {0};
    cut(c);
    *style = told ? compile(told) : (norn_time_style){.form = NORN_FORM_NONE};
    if (style->form == NORN_FORM_NONE)
        norn_time_style_guess(style, c->cells, c->lengths, c->count, named, &fits);
    for (size_t i = 0; i < c->count; i++)
        if (!norn_time_parse(style, c->cells[i], c->lengths[i], i, &seen, &times[i])) {
            *bad_row = i;
            return NORN_ERR_INTERNAL; /* stands for: a cell is not read */
        }
    return norn_time_settle_order(style, &seen, times, c->count, &group, 1, bad_row, err);
}

/* 2020-01-31 13:04:05 or what of it a case says, in microseconds. */
static inline int64_t at(int year, int month, int day, int hour, int minute, int second)
{
    return norn_days_from_civil(year, month, day) * NORN_DAY + hour * NORN_HOUR + minute * NORN_MINUTE +
           second * NORN_SECOND;
}

#endif
