/*
 * libFuzzer target: any bytes as a safetensors file. The first byte chooses whether the rest is the whole
 * file or its header, for which the length is put in front and as many bytes behind as the second says: most
 * of what is interesting lies behind a right length. What is taken must cover its bytes and name every tensor
 * once.
 */
#include "nn/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void check_file(norn_safetensors *file)
{
    static unsigned char numbers[1 << 16];
    norn_error err = NORN_ERROR_INIT;
    const size_t count = norn_safetensors_count(file);
    for (size_t i = 0; i < count; i++) {
        const norn_tensor *one = norn_safetensors_tensor(file, i);
        check(one->rank <= NORN_TENSOR_RANK, "a rank beyond the limit");
        check(i == 0 || strcmp(norn_safetensors_tensor(file, i - 1)->name, one->name) < 0, "a name twice");
        check(norn_safetensors_find(file, one->name) == one, "a name that is not found");
        check(one->begin <= one->end, "an end before its begin");
        check((one->end - one->begin) * 8 == norn_tensor_count(one) * norn_dtype_bits(one->dtype),
              "a size that does not agree");
        const uint64_t size = one->end - one->begin;
        const size_t some = size < sizeof numbers ? (size_t)size : sizeof numbers;
        check(norn_safetensors_read(file, one, size - some, numbers, some, &err) == NORN_OK,
              "numbers that are not there");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    const int is_header = bytes[0] % 4 != 0;
    const size_t length = size - 2, data = is_header ? bytes[1] : 0,
                 all = length + (is_header ? 8 + data : 0);
    unsigned char *copy = calloc(all + 1, 1);
    if (!copy) return 0;
    for (size_t i = 0; is_header && i < 8; i++) copy[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(copy + (is_header ? 8 : 0), bytes + 2, length);

    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_safetensors_open_bytes(&file, copy, all, "fuzz", NULL, &err);
    if (status == NORN_OK) {
        check_file(file);
        norn_safetensors_free(file);
    } else {
        check(file == NULL, "a reader in spite of an error");
        check(status == NORN_ERR_DATA, "an error of another kind");
        check(err.message[0] && !strchr(err.message, '\n') && !strchr(err.message, '\r'),
              "a message of several lines");
    }
    free(copy);
    return 0;
}
