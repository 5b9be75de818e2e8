/*
 * The checksum of our safetensors files: CRC-32 (zlib's), in eight hexadecimal digits, of a description
 * followed, for each tensor in the order of the bytes of its name, by name, NUL, type, NUL, shape ("64,3"),
 * NUL and numbers as they stand in the file. It stands in a text of the file beside the description.
 */
#ifndef NORN_SRC_NN_CHECKSUM_H
#define NORN_SRC_NN_CHECKSUM_H

#include "nn/safetensors.h"

enum { NORN_CHECKSUM_TEXT = 9 };

/* Of what is about to be written; sorts the sources, and asks each fill once. */
norn_status norn_checksum_of_sources(const char *description, norn_tensor_source *sources, size_t count,
                                     const norn_host *host, char out[NORN_CHECKSUM_TEXT], norn_error *err);

/* Compares a file with its text `key`; without one it is NORN_OK. NORN_ERR_DATA when they do not agree. */
norn_status norn_checksum_check(norn_safetensors *file, const char *description, const char *key,
                                const norn_host *host, norn_error *err);

/* A running one over any bytes; begins with 0. */
uint32_t norn_checksum_add(uint32_t sum, const void *bytes, size_t size);

#endif
