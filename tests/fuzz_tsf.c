/*
 * libFuzzer target: .tsf files. The input is what stands behind "@", so that the header is soon understood.
 */
#include "fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {NULL, NULL, NULL, "", "name", "kind", "kind,size", "*"};
    static uint8_t text[1 << 16];
    if (size < 4 || size > sizeof text) return 0;
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.statics = names[bytes[0] % 8];
    o.ignore = names[bytes[0] / 8 % 8];
    o.layout = bytes[1] % 2 ? NORN_LAYOUT_TSF : NORN_LAYOUT_FOUND;
    o.on_missing = (norn_on_missing)(bytes[1] / 2 % 7);
    o.on_problem = bytes[1] / 16 % 2 ? check_problem : NULL;
    o.frequency = bytes[2] % 4 == 0 ? "month" : NULL;
    o.na = bytes[2] / 4 % 2 ? "x" : NULL;
    o.id = bytes[2] / 8 % 4 == 0 ? "name" : NULL;
    text[0] = '@';
    memcpy(text + 1, bytes + 4, size - 4);
    const size_t piece = bytes[3] % 2 ? 0 : 16 + (size_t)bytes[3];
    try_input((input){text, size - 3, bytes[3] % 3 ? SIZE_MAX : 1}, &o, 1 + (size_t)(bytes[3] % 3), piece);
    return 0;
}
