/*
 * The only room that calls OpenCL or CLBlast. A context is one device with one in-order queue; buffers,
 * programs and kernels belong to it. Everything is checked: a failed call becomes an error with the call's
 * name and code.
 *
 * Mapping. One kernel source serves two machines through three numbers (kernels/common.cl):
 *     vector  VW    floats in a vector: CPU its native width, GPU 1
 *     local   LS    work-items a group: CPU 1, GPU 64 and more
 *     rows    ROWS  batch rows a group
 * LS * VW units stand side by side in memory: the strip. A network has a mapping of its own, by its cell's
 * gates and its units (norn_context_mapping); what else runs has the context's.
 */
#ifndef NORN_SRC_COMPUTE_COMPUTE_H
#define NORN_SRC_COMPUTE_COMPUTE_H

#include "base/base.h"
#include "base/profile.h"
#include "norn/context.h"
#include "norn/tune.h"

#include <CL/cl.h>

/* Device memory; see below. */
typedef struct norn_buffer {
    cl_mem mem;
    size_t bytes;
    norn_context *context; /* whose memory it counts as; NULL: nobody's */
} norn_buffer;

struct norn_context {
    norn_host host;
    norn_device_info info;
    cl_platform_id platform;
    cl_device_id device;
    cl_context cl;
    cl_command_queue queue;
    unsigned local, vector, rows; /* LS, VW, ROWS of kernels that are of no network */
    bool mapped;                  /* somebody gave them: networks have them, too */
    norn_tuning *tuning;          /* NULL: none */
    char *programs_folder;        /* where built programs are kept; NULL: nowhere */
    norn_buffer gemm_scratch;     /* temporary buffer of CLBlast's products, grown between trainings only */
    uint64_t memory_limit, memory_used; /* bytes of buffers: at most, and at the moment */
    struct norn_program *programs;      /* all that were built, newest first */
    bool gemm_ready;                    /* CLBlast's parameters are set for this device */
    uint64_t launches;                  /* kernels enqueued so far */
    struct norn_timing *timing;         /* [timing_room] of launches not yet waited for; see timing.c */
    size_t timings, timing_room;
};

/* The name of an OpenCL or CLBlast return code, "CL_OUT_OF_RESOURCES"; "unknown code" for any other. */
const char *norn_cl_code_name(int code);

/* Records a failed call: "clEnqueueNDRangeKernel failed: CL_OUT_OF_RESOURCES (-5) in kernel train_rows". */
norn_status norn_fail_cl(norn_error *err, const char *call, int code, const char *format, ...)
    NORN_PRINTF(4, 5);

/* ---- buffers --------------------------------------------------------------------------------------------
 */

/* What a buffer counts as: a little more than its bytes. Sizes are double where they are only planned. */
double norn_buffer_bytes(double bytes);
/* What buffers may yet be made of. */
uint64_t norn_memory_left(const norn_context *context);

/* `bytes` of device memory, zeroed, or a copy of init when that is not NULL. Refuses more than the device's
 * largest allocation and more than the context's memory, with the sizes in the message; what names the buffer
 * there. */
norn_status norn_buffer_new(norn_context *context, norn_buffer *out, size_t bytes, const void *init,
                            const char *what, norn_error *err);
void norn_buffer_free(norn_buffer *buffer); /* an empty buffer is fine */
norn_status norn_buffer_write(norn_context *context, norn_buffer *buffer, size_t offset, const void *from,
                              size_t bytes, norn_error *err); /* blocking */
/* The same without waiting: `from` must stay as it is until the queue was waited for. */
norn_status norn_buffer_send(norn_context *context, norn_buffer *buffer, size_t offset, const void *from,
                             size_t bytes, norn_error *err);
norn_status norn_buffer_read(norn_context *context, const norn_buffer *buffer, size_t offset, void *to,
                             size_t bytes, norn_error *err); /* waits for all launches before it */
norn_status norn_buffer_copy(norn_context *context, const norn_buffer *from, size_t from_offset,
                             norn_buffer *to, size_t to_offset, size_t bytes, norn_error *err);
norn_status norn_buffer_zero(norn_context *context, norn_buffer *buffer, size_t offset, size_t bytes,
                             norn_error *err);
norn_status norn_finish(norn_context *context, norn_error *err);

/* ---- programs and kernels -------------------------------------------------------------------------------
 */

typedef struct norn_program norn_program;

/* The mapping of a network with cells of so many gates, each with products of its own, and so many units:
 * what was given, else the tuning's rule, else what ships with Norn. */
norn_mapping norn_context_mapping(const norn_context *context, unsigned gates, size_t hidden);
/* Floats of the widest strip that any network of this context can have. */
size_t norn_context_widest(const norn_context *context);

/*
 * Builds the kernel files named in `files` (ends with NULL; common.cl comes first by itself) as one source
 * with the options given: "-DH=32 -DVW=16". Programs are kept by the context and given again for the same
 * files and options; they live as long as it does. *out is borrowed.
 */
norn_status norn_program_get(norn_context *context, norn_program **out, const char *const *files,
                             const char *options, norn_error *err);
/* The same with a text of the caller's between common.cl and the files; it is copied, and a part of what
 * makes a program the same. mapping NULL: the context's. */
norn_status norn_program_get_with(norn_context *context, norn_program **out, const norn_mapping *mapping,
                                  const char *text, const char *const *files, const char *options,
                                  norn_error *err);

/* Operations and bytes of a launch, for each of its groups_y, for a profile; 0: not counted. */
typedef struct norn_cost {
    double operations, bytes;
} norn_cost;

typedef struct norn_kernel {
    cl_kernel cl;
    const char *name;
    norn_cost cost;
} norn_kernel;

norn_status norn_kernel_new(norn_context *context, norn_kernel *out, norn_program *program, const char *name,
                            norn_error *err);
void norn_kernel_free(norn_kernel *kernel);

/*
 * Sets all arguments from the first on. types has a letter an argument:
 *   b  const norn_buffer * (NULL or empty: a null pointer)   i  int   u  unsigned   l  int64_t   f  double,
 * as float
 */
norn_status norn_kernel_set(norn_kernel *kernel, norn_error *err, unsigned first, const char *types, ...);

/* Enqueues groups_x by groups_y groups of `local` by 1 work-items. Does not wait. */
norn_status norn_launch(norn_context *context, norn_kernel *kernel, size_t local, size_t groups_x,
                        size_t groups_y, norn_error *err);

void norn_context_free_programs(norn_context *context); /* for norn_context_free */

/* ---- binary.c: programs that an earlier process built
 * --------------------------------------------------------
 */

/* Does the driver of this device keep what it built by itself? */
bool norn_driver_keeps_programs(const norn_device_info *device);
/* A program that is built, or NULL: of these texts and options there is none that this device takes. */
cl_program norn_binary_load(norn_context *context, const char *const *texts, size_t count,
                            const char *options);
/* Keeps a program that was just built. */
void norn_binary_keep(norn_context *context, cl_program program, const char *const *texts, size_t count,
                      const char *options);

/* ---- timing.c -------------------------------------------------------------------------------------------
 */

/* Where the event of the next call goes that enqueues a kernel; NULL, as that call takes it, without a
 * profile. Lost when that call fails. */
cl_event *norn_timing_event(norn_context *context, const char *name, double operations, double bytes);
void norn_timing_collect(norn_context *context); /* once all launches were waited for */
void norn_timing_free(norn_context *context);    /* for norn_context_free, after the queue is finished */

/* ---- products --------------------------------------------------------------------------------------------
 */

/* Where a matrix lies: row-major, element (r, c) at mem[offset + r * stride + c]. */
typedef struct norn_matrix {
    const norn_buffer *buffer;
    size_t offset, stride; /* floats */
} norn_matrix;

typedef enum norn_gemm_path { NORN_GEMM_AUTO = 0, NORN_GEMM_CLBLAST, NORN_GEMM_OWN } norn_gemm_path;

/*
 * C[m][n] = (A or A^T)[m][k] * (B or B^T)[k][n] + (add ? C : 0), each sum a chain of fma over ascending k
 * that starts at 0. AUTO takes CLBlast for large products and a kernel of ours for small ones, by shape only.
 * CLBlast calls of the whole process are made one at a time (its caches are not safe for threads on first
 * use).
 */
norn_status norn_gemm(norn_context *context, norn_gemm_path path, bool transpose_a, bool transpose_b,
                      size_t m, size_t n, size_t k, norn_matrix a, norn_matrix b, norn_matrix c, bool add,
                      norn_error *err);

void norn_gemm_forget(norn_context *context); /* for norn_context_free */

#endif
