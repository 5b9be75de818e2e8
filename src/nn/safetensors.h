/*
 * The safetensors format: named tensors and texts in one file, which cannot carry code.
 *
 *     8 bytes       N, the length of the header, little-endian
 *     N bytes       JSON in UTF-8: {"__metadata__":{"key":"text",...},
 *                                   "name":{"dtype":"F32","shape":[2,3],"data_offsets":[begin,end]},...}
 *     the rest      the tensors' numbers, little-endian, the last index runs fastest; offsets count from here
 *
 * The reader takes what the format's own reader takes and refuses what that refuses (huggingface/safetensors,
 * src/tensor.rs): tensors must cover the file to its last byte without hole or overlap, every size is checked
 * against every other before anything is allocated by it. Beyond that it has limits of its own, below, and
 * refuses names given twice. It needs memory for the header only; numbers are read where they are wanted.
 *
 * The writer sorts: tensors by alignment of their type, then by name; texts by key. The same content gives
 * the same bytes.
 */
#ifndef NORN_SRC_NN_SAFETENSORS_H
#define NORN_SRC_NN_SAFETENSORS_H

#include "base/file.h"

enum {
    NORN_TENSOR_RANK = 8,
    NORN_TENSOR_NAME = 1024,       /* bytes of a name or key, at most */
    NORN_TENSOR_HEADER = 16 << 20, /* bytes */
    NORN_TENSORS = 100000,
    NORN_TENSOR_TEXTS = 10000
};

typedef enum norn_dtype {
    NORN_DTYPE_BOOL = 0,
    NORN_DTYPE_F4,
    NORN_DTYPE_F6_E2M3,
    NORN_DTYPE_F6_E3M2,
    NORN_DTYPE_U8,
    NORN_DTYPE_I8,
    NORN_DTYPE_F8_E5M2,
    NORN_DTYPE_F8_E4M3,
    NORN_DTYPE_F8_E8M0,
    NORN_DTYPE_I16,
    NORN_DTYPE_U16,
    NORN_DTYPE_F16,
    NORN_DTYPE_BF16,
    NORN_DTYPE_I32,
    NORN_DTYPE_U32,
    NORN_DTYPE_F32,
    NORN_DTYPE_C64,
    NORN_DTYPE_F64,
    NORN_DTYPE_I64,
    NORN_DTYPE_U64
} norn_dtype;

const char *norn_dtype_name(norn_dtype dtype); /* "F32" */
unsigned norn_dtype_bits(norn_dtype dtype);

typedef struct norn_tensor {
    const char *name;
    norn_dtype dtype;
    size_t rank;                      /* 0: one number */
    uint64_t shape[NORN_TENSOR_RANK]; /* [rank] */
    uint64_t begin, end;              /* bytes, counted from the end of the header */
} norn_tensor;

uint64_t norn_tensor_count(const norn_tensor *tensor); /* product of the shape */

/* Turns numbers from this machine's order of bytes to the file's, or back. */
void norn_tensor_swap(norn_dtype dtype, void *numbers, size_t bytes);

/* ---- reading ---------------------------------------------------------------------------------------------
 */

typedef struct norn_safetensors norn_safetensors;

/* Errors: NORN_ERR_INPUT (cannot be opened or read, no regular file), NORN_ERR_DATA (not what the format
 * asks for), NORN_ERR_MEMORY; err->file is the path. */
norn_status norn_safetensors_open(norn_safetensors **out, const char *path, const norn_host *host,
                                  norn_error *err);
/* The same of bytes in memory, borrowed until the reader is freed; name stands in messages. */
norn_status norn_safetensors_open_bytes(norn_safetensors **out, const void *bytes, size_t size,
                                        const char *name, const norn_host *host, norn_error *err);
void norn_safetensors_free(norn_safetensors *file); /* NULL: nothing */

size_t norn_safetensors_count(const norn_safetensors *file);
const norn_tensor *norn_safetensors_tensor(const norn_safetensors *file, size_t index);   /* by name */
const norn_tensor *norn_safetensors_find(const norn_safetensors *file, const char *name); /* NULL: none */
const char *norn_safetensors_text(const norn_safetensors *file, const char *key);         /* NULL: none */
const char *norn_safetensors_path(const norn_safetensors *file);

/* `bytes` bytes of a tensor from its byte `offset` on, as this machine stores numbers: both are multiples of
 * the number's size. */
norn_status norn_safetensors_read(norn_safetensors *file, const norn_tensor *tensor, uint64_t offset,
                                  void *out, size_t bytes, norn_error *err);

/* ---- writing ---------------------------------------------------------------------------------------------
 */

typedef struct norn_tensor_source {
    norn_tensor tensor; /* begin and end are not read */
    const void *data;   /* the numbers as this machine stores them; NULL: */
    norn_status (*fill)(void *user, uint64_t offset, void *out, size_t bytes, norn_error *err);
    void *user; /* for fill, which is asked for the bytes in ascending order */
} norn_tensor_source;

typedef struct norn_tensor_text {
    const char *key, *text;
} norn_tensor_text;

/* Writes a file whole or not at all. The order of both arrays is changed. Whole bytes a number only. Errors:
 * NORN_ERR_OUTPUT, NORN_ERR_MEMORY, what fill returns; NORN_ERR_INTERNAL for what the reader would refuse. */
norn_status norn_safetensors_write(const char *path, norn_tensor_source *tensors, size_t count,
                                   norn_tensor_text *texts, size_t text_count, const norn_file_system *system,
                                   const norn_host *host, norn_error *err);

#endif
