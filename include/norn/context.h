/*
 * Devices and contexts: where Norn computes. A context is one OpenCL device with one in-order queue, used by
 * one thread at a time; contexts are independent of each other.
 */
#ifndef NORN_CONTEXT_H
#define NORN_CONTEXT_H

#include "norn/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum norn_device_type {
    NORN_DEVICE_CPU = 0,
    NORN_DEVICE_GPU,
    NORN_DEVICE_ACCELERATOR
} norn_device_type;

typedef struct norn_device_info {
    size_t size;
    int platform, device;   /* numbers for --device P:D */
    char platform_name[96]; /* "Portable Computing Language" */
    char platform_version[96];
    char name[128];
    char vendor[96];
    char driver[96]; /* driver version */
    norn_device_type type;
    unsigned compute_units;
    uint64_t memory;         /* bytes of global memory */
    uint64_t largest_buffer; /* bytes of the largest allocation */
    size_t largest_group;    /* work-items */
    unsigned vector_width;   /* native floats in a vector */
    int usable;              /* 1, or 0 with the reason */
    int chosen;              /* 1 for the device a context takes when none is named */
    char reason[160];        /* why it is chosen or not usable */
} norn_device_info;

/* All devices of all platforms. *count may be 0 without an error when there is no platform at all.
 * *out is freed with norn_devices_free. */
norn_status norn_devices_list(norn_device_info **out, size_t *count, const norn_host *host, norn_error *err);
void norn_devices_free(norn_device_info *devices, size_t count, const norn_host *host);

typedef struct norn_context norn_context;
typedef struct norn_tuning norn_tuning; /* norn/tune.h */

typedef struct norn_context_options {
    size_t size;
    const char *device;    /* "P:D" as in norn_devices_list, or part of a device's or platform's name in any
                              case;    NULL: a GPU before an accelerator before a CPU */
    unsigned local_size;   /* work-items a group, LS; 0: by tuning and device (CPU 1, GPU 64) */
    unsigned vector_width; /* floats in a vector, VW: 1, 4, 8 or 16; 0: by tuning and device */
    unsigned rows;         /* batch rows a group, ROWS: 1 to 8; 0: by tuning and device */
    uint64_t memory_limit; /* bytes of the device's memory that buffers may take, the kernels' own not
                              counted; 0: three quarters of it. Changes no bit of a result. */
    const char *programs;  /* a folder that keeps built programs for the next process, made where it is
                              missing; copied; NULL: none. What is broken there is built anew, and what
                              cannot be written is no error. Changes no bit. */
    int programs_always;   /* 0: not where the driver keeps them by itself, as PoCL and NVIDIA's do; 1: there,
                              too */
} norn_context_options;

#define NORN_CONTEXT_OPTIONS_INIT                                                                            \
    {                                                                                                        \
        sizeof(norn_context_options), NULL, 0, 0, 0, 0, NULL, 0                                              \
    }

/* Errors: NORN_ERR_DEVICE (no platform, no device, none of that name; the message says what mends it),
 * NORN_ERR_OPENCL, NORN_ERR_MEMORY. */
norn_status norn_context_new(norn_context **out, const norn_context_options *options, const norn_host *host,
                             norn_error *err);
void norn_context_free(norn_context *context);
const norn_device_info *norn_context_device(const norn_context *context);

/* One line of the self-test: what was compared, how far it was off, and whether that is within its bound. */
typedef void (*norn_self_test_fn)(void *user, const char *what, double error, double bound, int passed);

/*
 * Builds every kernel for this device and compares each with the plain double-precision reference on the
 * host; compares CLBlast's product and our own with a chain of fma. Calls `each` for every comparison.
 * NORN_OK when all passed; NORN_ERR_NUMERIC when one did not; otherwise the error that stopped it.
 */
norn_status norn_self_test(norn_context *context, norn_self_test_fn each, void *user, norn_error *err);

#ifdef __cplusplus
}
#endif
#endif
