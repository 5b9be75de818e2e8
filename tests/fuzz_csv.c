/*
 * libFuzzer target: any bytes as a file of any layout, under options taken from the first bytes.
 */
#include "fuzz_table.h"

#define OPTION_BYTES 20

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {NULL, NULL, NULL, NULL,  "",   "1",      "2",  "3",
                                        "y",  "ds", "*",  "2,3", "id", "-999,.", "c*", "?"};
    static const char delimiters[] = {0, 0, 0, ',', ';', '\t', '|', ' '};
    static const char *const formats[] = {NULL,      NULL,          NULL,      NULL,    "mdy",    "dmy",
                                          "integer", "iso",         "epoch-s", "excel", "matlab", "%d %b %y",
                                          "%Y-%m",   "%H:%M %j %Y", "%q%Y",    "%G%V"};
    static const char *const zones[] = {
        NULL, NULL, NULL, "Europe/Amsterdam", "America/New_York", "UTC", "Asia/Kolkata", "Lord_Howe"};
    static const char *const steps[] = {NULL, NULL, NULL, "hour", "month", "business day", "3", "week"};
    if (size < OPTION_BYTES) return 0;
    const uint8_t *b = bytes;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.time = names[*b++ % 16];
    o.target = names[*b++ % 16];
    o.id = names[*b++ % 16];
    o.past = names[*b++ % 16];
    o.future = names[*b++ % 16];
    o.statics = names[*b++ % 16];
    o.ignore = names[*b++ % 16];
    o.na = names[*b++ % 16];
    o.time_format = formats[*b++ % 16];
    o.zone = zones[*b % 8];
    o.frequency = steps[*b++ / 8 % 8];
    o.layout = *b % 8 == 1 ? NORN_LAYOUT_ROWS : *b % 8 == 2 ? NORN_LAYOUT_COLUMNS : NORN_LAYOUT_FOUND;
    o.header = (norn_header)(*b++ / 8 % 3);
    o.delimiter = delimiters[*b % 8];
    o.decimal = ".,"[*b++ / 8 % 2];
    o.thousands = "\0\0.,' "[*b % 6];
    o.comment = *b++ / 8 % 2 ? '#' : 0;
    o.on_missing = (norn_on_missing)(*b % 7);
    o.on_missing_input = (norn_on_missing)(*b++ / 7 % 7);
    o.on_gap = (norn_on_gap)(*b % 4);
    o.on_duplicate = (norn_on_duplicate)(*b++ / 4 % 4);
    o.on_unsorted = (norn_on_unsorted)(*b % 2);
    o.on_ragged = (norn_on_ragged)(*b++ / 2 % 3);
    o.ambiguous = (norn_ambiguous)(*b % 3);
    o.nonexistent = (norn_nonexistent)(*b++ / 3 % 4);
    o.describe = *b % 2;
    o.on_problem = *b++ / 2 % 2 ? check_problem : NULL;
    const size_t block = *b % 4 ? SIZE_MAX : 1 + (size_t)*b, piece = *b % 3 ? 0 : 16 + (size_t)*b;
    b++;
    const size_t threads = 1 + (size_t)(*b % 3);
    try_input((input){bytes + OPTION_BYTES, size - OPTION_BYTES, block}, &o, threads, piece);
    return 0;
}
