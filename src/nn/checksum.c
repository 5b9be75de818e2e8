/* CRC-32 of descriptions and tensors: see checksum.h. */
#include "nn/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 1 << 16 };

uint32_t norn_checksum_add(uint32_t sum, const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(sum, bytes, size);
}

/* Name, type and shape, each ended with a NUL. */
static uint32_t add_tensor(uint32_t sum, const norn_tensor *tensor)
{
    char shape[NORN_TENSOR_RANK * 24] = "";
    size_t used = 0;
    for (size_t d = 0; d < tensor->rank; d++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%llu", d ? "," : "",
                                 (unsigned long long)tensor->shape[d]);
    sum = norn_checksum_add(sum, tensor->name, strlen(tensor->name) + 1);
    sum = norn_checksum_add(sum, norn_dtype_name(tensor->dtype), strlen(norn_dtype_name(tensor->dtype)) + 1);
    return norn_checksum_add(sum, shape, used + 1);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const norn_tensor_source *)a)->tensor.name, ((const norn_tensor_source *)b)->tensor.name);
}

static void spell(uint32_t sum, char out[NORN_CHECKSUM_TEXT])
{
    (void)snprintf(out, NORN_CHECKSUM_TEXT, "%08lx", (unsigned long)sum);
}

norn_status norn_checksum_of_sources(const char *description, norn_tensor_source *sources, size_t count,
                                     const norn_host *host, char out[NORN_CHECKSUM_TEXT], norn_error *err)
{
    norn_status status = NORN_OK;
    uint32_t sum = norn_checksum_add(0, description, strlen(description));
    unsigned char *block = norn_new(host, BLOCK, 1);
    if (!block) return norn_fail_memory(err, "a checksum");
    if (count) qsort(sources, count, sizeof *sources, by_name);
    for (size_t i = 0; i < count && status == NORN_OK; i++) {
        const norn_tensor *one = &sources[i].tensor;
        const uint64_t size = norn_tensor_count(one) * norn_dtype_bits(one->dtype) / 8;
        sum = add_tensor(sum, one);
        for (uint64_t from = 0; from < size && status == NORN_OK; from += BLOCK) {
            const size_t n = size - from < BLOCK ? (size_t)(size - from) : BLOCK;
            if (sources[i].data)
                memcpy(block, (const unsigned char *)sources[i].data + from, n);
            else
                status = sources[i].fill(sources[i].user, from, block, n, err);
            norn_tensor_swap(one->dtype, block, n);
            sum = norn_checksum_add(sum, block, n);
        }
    }
    norn_delete(host, block, BLOCK, 1);
    spell(sum, out);
    return status;
}

norn_status norn_checksum_check(norn_safetensors *file, const char *description, const char *key,
                                const norn_host *host, norn_error *err)
{
    const char *given = norn_safetensors_text(file, key);
    char text[NORN_CHECKSUM_TEXT];
    if (!given) return NORN_OK; /* written again by another program, which keeps no such text */
    norn_status status = NORN_OK;
    uint32_t sum = norn_checksum_add(0, description, strlen(description));
    unsigned char *block = norn_new(host, BLOCK, 1);
    if (!block) return norn_fail_memory(err, "a checksum");
    for (size_t i = 0; i < norn_safetensors_count(file) && status == NORN_OK; i++) {
        const norn_tensor *one = norn_safetensors_tensor(file, i);
        const uint64_t size = one->end - one->begin;
        sum = add_tensor(sum, one);
        for (uint64_t from = 0; from < size && status == NORN_OK; from += BLOCK) {
            const size_t n = size - from < BLOCK ? (size_t)(size - from) : BLOCK;
            status = norn_safetensors_read(file, one, from, block, n, err);
            norn_tensor_swap(one->dtype, block, n);
            sum = norn_checksum_add(sum, block, n);
        }
    }
    norn_delete(host, block, BLOCK, 1);
    spell(sum, text);
    if (status == NORN_OK && strcmp(given, text) != 0)
        status = norn_fail_at(err, NORN_ERR_DATA, norn_safetensors_path(file), 0, 0,
                              "the file is damaged: its checksum does not agree with its content");
    return status;
}
