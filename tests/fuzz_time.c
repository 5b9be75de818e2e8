/*
 * libFuzzer target for times: the first byte says as what the rest is taken: a pattern of --time-format with
 * cells to read, a column whose way is to be found, the content of a time zone's file, or a step. Whatever
 * comes in, what is read is written back to the same time, texts end, the future lies ahead, and a clock
 * shows what it is said to show.
 */
#include "data/step.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 256

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void check_message(norn_status status, const norn_error *err)
{
    check(status == NORN_ERR_DATA || status == NORN_ERR_USAGE, "an error of another kind");
    check(err->message[0] && !strchr(err->message, '\n') && !strchr(err->message, '\r'),
          "a message of none or several lines");
}

/* Cuts text at its line ends; returns how many cells there are. */
static size_t cut(const char *text, size_t size, const char **cells, size_t *lengths)
{
    size_t count = 0;
    const char *at = text, *const end = text + size;
    while (at < end && count < CELLS) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        if (!line) line = end;
        cells[count] = at;
        lengths[count++] = (size_t)(line - at);
        at = line + (line < end);
    }
    return count;
}

/* A name and a time without its point: what a program writes as a double comes back near, not the same. */
static bool is_exact(const norn_time_style *style)
{
    char format[NORN_TIME_FORMAT];
    (void)norn_time_style_format(style, format, sizeof format);
    return strcmp(format, "excel") != 0 && strcmp(format, "matlab") != 0;
}

static void check_time(const norn_time_style *style, int64_t time)
{
    char text[NORN_TIME_TEXT], again[NORN_TIME_TEXT];
    norn_time_seen seen = {0};
    int64_t same;
    (void)norn_time_write(style, time, text);
    check(strlen(text) < NORN_TIME_TEXT, "a time too long");
    if (style->zone || !is_exact(style)) return;
    const char *trimmed = text + (text[0] == ' '); /* %e at the beginning */
    check(norn_time_parse(style, trimmed, strlen(trimmed), 0, &seen, &same), "what is written is not read");
    check(same == time, "what is written is another time");
    check(strcmp(norn_time_write(style, same, again), text) == 0, "what is written changes");
}

/* Rows in order, as the table has them: their step, the gaps and the future. */
static void check_steps(const norn_time_style *style, const int64_t *times, size_t n)
{
    const norn_host host = norn_host_copy(NULL);
    norn_step_finder *finder = norn_step_finder_new(style, &host);
    if (!finder) return;
    for (size_t i = 1; i < n; i++)
        if (times[i] > times[i - 1]) norn_step_finder_add(finder, times[i - 1], times[i]);
    uint64_t regular, total;
    char text[64];
    const norn_step step = norn_step_find(finder, &regular, &total);
    norn_step again;
    norn_step_finder_free(finder);
    check(step.count >= 1 && regular <= total, "no step");
    check(norn_step_parse(norn_step_text(step, text, sizeof text), &again), "a step whose name is none");
    check(again.unit == step.unit && again.count == step.count, "a step whose name is another");
    check(norn_step_season(step) >= 1, "no season");
    for (size_t i = 1; i < n; i++) {
        const uint64_t absent = norn_step_absent(style, step, times[i - 1], times[i]);
        check(absent == 0 || times[i] > times[i - 1], "rows absent in no time");
    }
    int64_t before = times[n - 1];
    for (size_t ahead = 1; ahead <= 24; ahead++) {
        char future[NORN_TIME_TEXT];
        const int64_t next = norn_time_ahead(style, step, times, n, ahead);
        check(next > before || next == INT64_MAX, "a future that is not after the past");
        (void)norn_time_write(style, next, future);
        before = next;
    }
    (void)norn_looks_like_clock_change(style, times, n);
}

static void check_column(norn_time_style *style, const char *const *cells, const size_t *lengths,
                         size_t count, unsigned policies)
{
    static const size_t group = 0;
    norn_time_seen seen = {0};
    norn_error err = NORN_ERROR_INIT;
    int64_t times[CELLS];
    size_t n = 0, bad_row = 0;
    uint64_t left_out = 0, shifted = 0;
    for (size_t i = 0; i < count; i++)
        if (norn_time_parse(style, cells[i], lengths[i], i, &seen, &times[n])) n++;
    if (n == 0) return;
    char text[256], format[NORN_TIME_FORMAT];
    (void)norn_time_style_words(style, text, sizeof text);
    norn_status status = norn_time_settle_order(style, &seen, times, n, &group, 1, &bad_row, &err);
    if (status != NORN_OK) {
        check_message(status, &err);
        return;
    }
    norn_time_style told;
    check(norn_time_style_compile(&told, norn_time_style_format(style, format, sizeof format), &err) ==
              NORN_OK,
          "a format that is none");
    for (size_t i = 0; i < n; i++) check_time(style, times[i]);
    status =
        norn_time_settle_zone(style, (norn_ambiguous)(policies % 3), (norn_nonexistent)(policies / 3 % 4),
                              times, n, &left_out, &shifted, &bad_row, &err);
    if (status != NORN_OK) {
        check_message(status, &err);
        check(bad_row < n, "an error in no row");
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (times[i] != INT64_MIN) times[kept++] = times[i];
    if (kept) check_steps(style, times, kept);
}

static void check_zone(const norn_zone *zone, int64_t seed)
{
    int64_t time = seed;
    for (int i = 0; i < 64; i++) {
        const int32_t offset = norn_zone_offset(zone, time);
        int64_t utc[2] = {0, 0};
        check(offset >= -89999 && offset <= 93599, "an offset of more than a day");
        const int moments = norn_zone_of_local(zone, time, utc);
        check(moments >= 0 && moments <= 2 && (moments < 2 || utc[0] < utc[1]), "moments out of order");
        for (int k = 0; k < moments && time > INT64_MIN / 2 && time < INT64_MAX / 2; k++)
            check(utc[k] + norn_zone_offset(zone, utc[k]) * NORN_SECOND == time,
                  "a clock that shows another time");
        time = (int64_t)((uint64_t)time * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407)) >>
               (i % 16);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 3 || size > 65536) return 0;
    const char *text = (const char *)bytes + 2, *cells[CELLS];
    size_t lengths[CELLS];
    const size_t length = size - 2, count = cut(text, length, cells, lengths);
    norn_time_style style = {.form = NORN_FORM_NONE};
    norn_error err = NORN_ERROR_INIT;
    norn_zone *zone = NULL;
    char line[128];
    if (bytes[0] % 4 < 2 && bytes[1] & 128) (void)norn_zone_open(&zone, "Europe/Amsterdam", NULL, NULL);
    if (count == 0) goto done;
    (void)snprintf(line, sizeof line, "%.*s", (int)(lengths[0] < 127 ? lengths[0] : 127), cells[0]);
    switch (bytes[0] % 4) {
    case 0: {
        const norn_status status = norn_time_style_compile(&style, line, &err);
        style.zone = zone;
        if (status != NORN_OK)
            check_message(status, &err);
        else if (style.form != NORN_FORM_NONE)
            check_column(&style, cells + 1, lengths + 1, count - 1, bytes[1]);
        break;
    }
    case 1: {
        static const char *const families[] = {"iso", "mdy", "dmy"};
        size_t fits;
        if (bytes[1] % 8 > 4) (void)norn_time_style_compile(&style, families[bytes[1] % 8 - 5], &err);
        style.zone = zone;
        norn_time_style_guess(&style, cells, lengths, count, bytes[1] & 64, &fits);
        check(fits <= count && (style.form == NORN_FORM_NONE || 2 * fits > count), "a way that does not fit");
        check_column(&style, cells, lengths, count, bytes[1]);
        break;
    }
    case 2: {
        const norn_status status = norn_zone_parse(&zone, "Test/Fuzz", text, length, NULL, &err);
        if (status == NORN_OK)
            check_zone(zone, (int64_t)bytes[1] << 46);
        else
            check_message(status, &err);
        break;
    }
    default: {
        norn_step step, again;
        if (!norn_step_parse(line, &step)) break;
        char name[64];
        check(step.count >= 1, "a step of nothing");
        check(norn_step_parse(norn_step_text(step, name, sizeof name), &again), "a step whose name is none");
        check(again.unit == step.unit && again.count == step.count, "a step whose name is another");
        break;
    }
    }
done:
    norn_zone_free(zone);
    return 0;
}
