/* The writer of safetensors.h, and the order of bytes in a number. */
#include "nn/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 }; /* bytes written at a time */

/* Turns numbers between this machine's order of bytes and the file's: nothing to do on most. */
void norn_tensor_swap(norn_dtype dtype, void *numbers, size_t bytes)
{
    const uint16_t probe = 1;
    unsigned char *at = numbers, first;
    memcpy(&first, &probe, 1);
    const unsigned bits = dtype == NORN_DTYPE_C64 ? 32 : norn_dtype_bits(dtype); /* two floats */
    const size_t size = bits / 8;
    if (first == 1 || size < 2) return;
    for (size_t i = 0; i + size <= bytes; i += size)
        for (size_t k = 0; k < size / 2; k++) {
            const unsigned char kept = at[i + k];
            at[i + k] = at[i + size - 1 - k];
            at[i + size - 1 - k] = kept;
        }
}

/* ---- the header's text, counted first and written then ---- */

typedef struct text {
    char *bytes; /* NULL: only counted */
    size_t length;
} text;

static void put(text *t, const char *bytes, size_t length)
{
    if (t->bytes) memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
}

static void put_text(text *t, const char *string)
{
    put(t, string, strlen(string));
}

static void put_string(text *t, const char *string)
{
    put(t, "\"", 1);
    for (const char *at = string; *at; at++) {
        const unsigned char byte = (unsigned char)*at;
        char escape[8];
        if (byte == '"' || byte == '\\')
            (void)snprintf(escape, sizeof escape, "\\%c", byte);
        else if (byte < 0x20)
            (void)snprintf(escape, sizeof escape, "\\u%04x", byte);
        else
            (void)snprintf(escape, sizeof escape, "%c", byte);
        put_text(t, escape);
    }
    put(t, "\"", 1);
}

static void put_whole(text *t, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_text(t, digits);
}

static void put_header(text *t, const norn_tensor_source *tensors, size_t count,
                       const norn_tensor_text *texts, size_t text_count)
{
    const char *between = "";
    put_text(t, "{");
    if (text_count) {
        put_text(t, "\"__metadata__\":{");
        for (size_t i = 0; i < text_count; i++) {
            put_text(t, i ? "," : "");
            put_string(t, texts[i].key);
            put_text(t, ":");
            put_string(t, texts[i].text);
        }
        put_text(t, "}");
        between = ",";
    }
    for (size_t i = 0; i < count; i++) {
        const norn_tensor *one = &tensors[i].tensor;
        put_text(t, between);
        between = ",";
        put_string(t, one->name);
        put_text(t, ":{\"dtype\":\"");
        put_text(t, norn_dtype_name(one->dtype));
        put_text(t, "\",\"shape\":[");
        for (size_t d = 0; d < one->rank; d++) {
            put_text(t, d ? "," : "");
            put_whole(t, one->shape[d]);
        }
        put_text(t, "],\"data_offsets\":[");
        put_whole(t, one->begin);
        put_text(t, ",");
        put_whole(t, one->end);
        put_text(t, "]}");
    }
    put_text(t, "}");
    while (t->length % 8) put_text(t, " ");
}

/* ---- order and offsets ---- */

static int by_alignment(const void *a, const void *b)
{
    const norn_tensor *x = &((const norn_tensor_source *)a)->tensor,
                      *y = &((const norn_tensor_source *)b)->tensor;
    if (x->dtype != y->dtype) return x->dtype > y->dtype ? -1 : 1; /* the types are listed by alignment */
    return strcmp(x->name, y->name);
}
static int by_key(const void *a, const void *b)
{
    return strcmp(((const norn_tensor_text *)a)->key, ((const norn_tensor_text *)b)->key);
}

static norn_status plan(norn_tensor_source *tensors, size_t count, norn_error *err)
{
    uint64_t at = 0;
    if (count) qsort(tensors, count, sizeof *tensors, by_alignment);
    for (size_t i = 0; i < count; i++) {
        norn_tensor *one = &tensors[i].tensor;
        uint64_t bytes = norn_dtype_bits(one->dtype) / 8;
        bool fits = norn_dtype_bits(one->dtype) % 8 == 0 && one->rank <= NORN_TENSOR_RANK &&
                    strlen(one->name) <= NORN_TENSOR_NAME && strcmp(one->name, "__metadata__") != 0;
        for (size_t d = 0; d < one->rank && fits; d++) {
            fits = !one->shape[d] || bytes <= UINT64_MAX / 2 / one->shape[d];
            bytes *= one->shape[d];
        }
        if (!fits || bytes > UINT64_MAX / 2 - at)
            return norn_fail(err, NORN_ERR_INTERNAL, "a tensor that cannot be written");
        one->begin = at;
        one->end = at += bytes;
    }
    return NORN_OK;
}

static norn_status write_numbers(norn_file *file, const norn_tensor_source *source, unsigned char *block,
                                 norn_error *err)
{
    const uint64_t size = source->tensor.end - source->tensor.begin;
    norn_status status = NORN_OK;
    for (uint64_t from = 0; from < size && status == NORN_OK; from += BLOCK) {
        const size_t n = size - from < BLOCK ? (size_t)(size - from) : BLOCK;
        if (source->data)
            memcpy(block, (const unsigned char *)source->data + from, n);
        else
            status = source->fill(source->user, from, block, n, err);
        if (status != NORN_OK) break;
        norn_tensor_swap(source->tensor.dtype, block, n);
        status = norn_file_write(file, block, n, err);
    }
    return status;
}

norn_status norn_safetensors_write(const char *path, norn_tensor_source *tensors, size_t count,
                                   norn_tensor_text *texts, size_t text_count, const norn_file_system *system,
                                   const norn_host *services, norn_error *err)
{
    const norn_host host = norn_host_copy(services);
    unsigned char length[8], *block = NULL;
    text header = {NULL, 0};
    norn_file *file = NULL;
    if (text_count) qsort(texts, text_count, sizeof *texts, by_key);
    norn_status status = plan(tensors, count, err);
    if (status != NORN_OK) return status;
    put_header(&header, tensors, count, texts, text_count);
    const size_t size = header.length;
    header = (text){norn_new(&host, size, 1), 0};
    block = norn_new(&host, BLOCK, 1);
    if (!header.bytes || !block) {
        status = norn_fail_memory(err, "a model's header");
        goto done;
    }
    put_header(&header, tensors, count, texts, text_count);
    if (size > NORN_TENSOR_HEADER || count > NORN_TENSORS || text_count > NORN_TENSOR_TEXTS) {
        status = norn_fail(err, NORN_ERR_OUTPUT,
                           "the model cannot be written: its header would be %zu bytes, more than %d", size,
                           NORN_TENSOR_HEADER);
        goto done;
    }
    for (size_t i = 0; i < sizeof length; i++) length[i] = (unsigned char)((uint64_t)size >> (8 * i));
    status = norn_file_create(&file, path, system, &host, err);
    if (status == NORN_OK) status = norn_file_write(file, length, sizeof length, err);
    if (status == NORN_OK) status = norn_file_write(file, header.bytes, size, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        status = write_numbers(file, &tensors[i], block, err);
    if (status == NORN_OK) status = norn_file_finish(file, err);
done:
    norn_file_free(file);
    norn_delete(&host, block, BLOCK, 1);
    norn_delete(&host, header.bytes, size, 1);
    return status;
}
