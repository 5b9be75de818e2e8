/*
 * What Norn knows of devices without a tuning: the mapping of a network's kernels by kind of device and units
 * of a layer, and CLBlast's parameters. The first row that fits is taken.
 *
 * The row of CPUs with AVX-512 is measured (docs/performance.md), the two below it follow from it: one
 * work-item a group, since PoCL runs the items of a group one after another, vectors of the native width,
 * four rows, for four gates make 16 accumulators of them. Rows of GPUs come from arithmetic alone, and nobody
 * has measured them yet: as many items as a warp or wavefront has, fewer where a layer's units would not fill
 * them; the weights of 512 units and more, 4 MB, leave the caches that a group of few rows walks with, so
 * that products of a whole batch are the better path.
 */
#include "compute/tuning.h"

#include <ctype.h>
#include <string.h>

typedef struct shipped {
    norn_device_type type;
    const char *vendor; /* part of the vendor's name, in lower case; "": any */
    unsigned width;     /* native floats in a vector, at least */
    size_t hidden;      /* units of a layer, at most */
    norn_mapping mapping;
} shipped;

static const shipped rows[] = {
    {NORN_DEVICE_CPU, "", 16, SIZE_MAX, {1, 16, 4, 0}}, /* AVX-512 */
    {NORN_DEVICE_CPU, "", 8, SIZE_MAX, {1, 8, 4, 0}},   /* AVX2 */
    {NORN_DEVICE_CPU, "", 0, SIZE_MAX, {1, 4, 4, 0}},   /* SSE, NEON */
    {NORN_DEVICE_GPU, "nvidia", 0, 32, {32, 1, 4, 0}},  /* a warp */
    {NORN_DEVICE_GPU, "intel", 0, 32, {32, 1, 4, 0}},
    {NORN_DEVICE_GPU, "", 0, 511, {64, 1, 4, 0}}, /* a wavefront, two warps */
    {NORN_DEVICE_GPU, "", 0, SIZE_MAX, {64, 1, 4, 1}},
    {NORN_DEVICE_ACCELERATOR, "", 0, 511, {64, 1, 4, 0}},
    {NORN_DEVICE_ACCELERATOR, "", 0, SIZE_MAX, {64, 1, 4, 1}},
};

/* Has `text`, in any case, this part? */
static bool has(const char *text, const char *part)
{
    const size_t length = strlen(part);
    for (; strlen(text) >= length; text++) {
        size_t i = 0;
        while (i < length && tolower((unsigned char)text[i]) == part[i]) i++;
        if (i == length) return true;
    }
    return false;
}

norn_mapping norn_shipped_mapping(const norn_device_info *device, size_t hidden)
{
    norn_mapping mapping = {1, 4, 4, 0};
    for (size_t i = 0; i < NORN_COUNT(rows); i++) {
        const shipped *row = &rows[i];
        if (row->type != device->type || device->vector_width < row->width || hidden > row->hidden ||
            !has(device->vendor, row->vendor))
            continue;
        mapping = row->mapping;
        break;
    }
    while (mapping.local_size > 1 && mapping.local_size > device->largest_group) mapping.local_size /= 2;
    if (mapping.local_size * mapping.vector_width < 4) mapping.vector_width = 4;
    return mapping;
}

/* Measured on PoCL 3.1 over the shapes of a training step. VWM and VWN divide the tiles. In the order of
 * norn_tuning_parameter_name. */
static const size_t products[][NORN_TUNING_PARAMETERS] = {
    {0, 1, 128, 1, 4, 4, 128, 2, 2, 32, 0, 0, 0, 0, 8, 2},
    {0, 1, 128, 1, 4, 4, 128, 2, 2, 32, 0, 0, 0, 0, 16, 2},
};

const size_t *norn_shipped_product(const norn_device_info *device)
{
    return device->type == NORN_DEVICE_CPU ? products[device->vector_width >= 16] : NULL;
}
