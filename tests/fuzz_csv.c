/*
 * libFuzzer target: any bytes as a file, under options taken from the first bytes. Whatever comes in, a table
 * with all its promises (finite cells, times that rise, futures after the last row, texts that end) or an
 * error of one line.
 */
#include "norn/table.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct input {
    const uint8_t *bytes;
    size_t size, block;
} input;

static size_t read_input(void *user, void *buffer, size_t size)
{
    input *in = user;
    size_t n = in->size < size ? in->size : size;
    if (n > in->block) n = in->block;
    memcpy(buffer, in->bytes, n);
    in->bytes += n;
    in->size -= n;
    return n;
}

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void check_table(norn_table *table)
{
    char text[NORN_TIME_TEXT];
    const size_t series = norn_table_series_count(table);
    check(series >= 1, "no series");
    check(norn_table_season(table) >= 1, "no season");
    check(norn_table_step(table).count >= 1, "no step");
    for (size_t s = 0; s < series; s++) {
        const size_t n = norn_table_rows(table, s);
        const int64_t *times = norn_table_times(table, s);
        check(n >= 1, "a series without rows");
        check(norn_table_id(table, s) != NULL, "a series without a name");
        for (size_t i = 0; i < n; i++) {
            check(isfinite(norn_table_target(table, s)[i]), "a target that is not finite");
            check(i == 0 || times[i] > times[i - 1], "times that do not rise");
            check(strlen(norn_table_time_text(table, times[i], text)) < NORN_TIME_TEXT, "a time too long");
            for (size_t k = 0; k < norn_table_past_count(table); k++)
                check(isfinite(norn_table_past(table, s, k)[i]), "a covariate that is not finite");
        }
        int64_t before = times[n - 1];
        for (size_t ahead = 1; ahead <= 24; ahead++) {
            const int64_t next = norn_table_future_time(table, s, ahead);
            check(next > before || next == INT64_MAX, "a future that is not after the past");
            (void)norn_table_time_text(table, next, text);
            before = next;
        }
    }
    size_t count;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    for (size_t i = 0; i < count; i++) check(!strchr(decisions[i].text, '\n'), "a decision of several lines");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {NULL, NULL, NULL, "",    "1",  "2",
                                        "y",  "ds", "*",  "2,3", "id", "-999,."};
    static const char delimiters[] = {0, 0, 0, ',', ';', '\t', '|', ' '};
    if (size < 8) return 0;
    norn_table_options options = NORN_TABLE_OPTIONS_INIT;
    options.time = names[bytes[0] % 12];
    options.target = names[bytes[1] % 12];
    options.id = names[bytes[2] % 12];
    options.past = names[bytes[3] % 12];
    options.na = names[bytes[4] % 12];
    options.on_missing = bytes[5] % 2 ? NORN_MISSING_FFILL : NORN_MISSING_ERROR;
    options.delimiter = delimiters[bytes[6] % 8];
    input in = {bytes + 8, size - 8, bytes[7] % 4 ? SIZE_MAX : 1 + (size_t)bytes[7]};

    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_table_read_stream(&table, read_input, &in, "fuzz", &options, NULL, &err);
    if (status == NORN_OK) {
        check_table(table);
        norn_table_free(table);
    } else {
        check(table == NULL, "a table in spite of an error");
        check(status == NORN_ERR_DATA || status == NORN_ERR_USAGE, "an error of another kind");
        check(err.message[0] && !strchr(err.message, '\n') && !strchr(err.message, '\r'),
              "a message of several lines");
    }
    return 0;
}
