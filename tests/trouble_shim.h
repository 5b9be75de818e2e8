/*
 * A shim between the library and OpenCL: every function that the library imports from OpenCL and CLBlast is
 * wrapped by the linker (--wrap, see extra.cmake, which reads the table below). It counts calls, makes the
 * n-th call of one function fail once with a code, and counts the objects that were made and not released.
 *
 * A function that fails does nothing, but for the releases: those release and say that they did not, for
 * drivers have no third way.
 */
#ifndef NORN_TESTS_TROUBLE_SHIM_H
#define NORN_TESTS_TROUBLE_SHIM_H

#include <CL/cl.h>
#include <clblast_c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Every function in a row of its own, with the codes that it may return (OpenCL 1.2, its page in the
 * specification; CLBlast, doc/api.md), those for wrong arguments to begin with. */
#define LOST CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY
#define FOR_CALLS(CALL)                                                                                      \
    CALL(clGetPlatformIDs, CL_INVALID_VALUE, CL_OUT_OF_HOST_MEMORY)                                          \
    CALL(clGetPlatformInfo, CL_INVALID_PLATFORM, CL_INVALID_VALUE, CL_OUT_OF_HOST_MEMORY)                    \
    CALL(clGetDeviceIDs, CL_INVALID_PLATFORM, CL_INVALID_DEVICE_TYPE, CL_INVALID_VALUE, CL_DEVICE_NOT_FOUND, \
         LOST)                                                                                               \
    CALL(clGetDeviceInfo, CL_INVALID_DEVICE, CL_INVALID_VALUE, LOST)                                         \
    CALL(clCreateContext, CL_INVALID_PLATFORM, CL_INVALID_VALUE, CL_INVALID_DEVICE, CL_DEVICE_NOT_AVAILABLE, \
         LOST)                                                                                               \
    CALL(clReleaseContext, CL_INVALID_CONTEXT, LOST)                                                         \
    CALL(clCreateCommandQueue, CL_INVALID_CONTEXT, CL_INVALID_DEVICE, CL_INVALID_VALUE,                      \
         CL_INVALID_QUEUE_PROPERTIES, LOST)                                                                  \
    CALL(clReleaseCommandQueue, CL_INVALID_COMMAND_QUEUE, LOST)                                              \
    CALL(clCreateBuffer, CL_INVALID_CONTEXT, CL_INVALID_VALUE, CL_INVALID_BUFFER_SIZE,                       \
         CL_MEM_OBJECT_ALLOCATION_FAILURE, LOST)                                                             \
    CALL(clReleaseMemObject, CL_INVALID_MEM_OBJECT, LOST)                                                    \
    CALL(clCreateProgramWithSource, CL_INVALID_CONTEXT, CL_INVALID_VALUE, LOST)                              \
    CALL(clCreateProgramWithBinary, CL_INVALID_CONTEXT, CL_INVALID_VALUE, CL_INVALID_DEVICE,                 \
         CL_INVALID_BINARY, LOST)                                                                            \
    CALL(clGetProgramInfo, CL_INVALID_VALUE, CL_INVALID_PROGRAM, CL_INVALID_PROGRAM_EXECUTABLE, LOST)        \
    CALL(clBuildProgram, CL_INVALID_PROGRAM, CL_INVALID_VALUE, CL_INVALID_DEVICE, CL_INVALID_BINARY,         \
         CL_INVALID_BUILD_OPTIONS, CL_INVALID_OPERATION, CL_COMPILER_NOT_AVAILABLE,                          \
         CL_BUILD_PROGRAM_FAILURE, LOST)                                                                     \
    CALL(clGetProgramBuildInfo, CL_INVALID_DEVICE, CL_INVALID_VALUE, CL_INVALID_PROGRAM, LOST)               \
    CALL(clReleaseProgram, CL_INVALID_PROGRAM, LOST)                                                         \
    CALL(clCreateKernel, CL_INVALID_PROGRAM, CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_KERNEL_NAME,          \
         CL_INVALID_KERNEL_DEFINITION, CL_INVALID_VALUE, LOST)                                               \
    CALL(clReleaseKernel, CL_INVALID_KERNEL, LOST)                                                           \
    CALL(clSetKernelArg, CL_INVALID_KERNEL, CL_INVALID_ARG_INDEX, CL_INVALID_ARG_VALUE,                      \
         CL_INVALID_MEM_OBJECT, CL_INVALID_SAMPLER, CL_INVALID_ARG_SIZE, LOST)                               \
    CALL(clEnqueueNDRangeKernel, CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_COMMAND_QUEUE, CL_INVALID_KERNEL, \
         CL_INVALID_CONTEXT, CL_INVALID_KERNEL_ARGS, CL_INVALID_WORK_DIMENSION, CL_INVALID_GLOBAL_WORK_SIZE, \
         CL_INVALID_GLOBAL_OFFSET, CL_INVALID_WORK_GROUP_SIZE, CL_INVALID_WORK_ITEM_SIZE,                    \
         CL_MISALIGNED_SUB_BUFFER_OFFSET, CL_INVALID_IMAGE_SIZE, CL_IMAGE_FORMAT_NOT_SUPPORTED,              \
         CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_INVALID_EVENT_WAIT_LIST, LOST)                                 \
    CALL(clEnqueueReadBuffer, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_MEM_OBJECT,           \
         CL_INVALID_VALUE, CL_INVALID_EVENT_WAIT_LIST, CL_MISALIGNED_SUB_BUFFER_OFFSET,                      \
         CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, CL_MEM_OBJECT_ALLOCATION_FAILURE,                     \
         CL_INVALID_OPERATION, LOST)                                                                         \
    CALL(clEnqueueWriteBuffer, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_MEM_OBJECT,          \
         CL_INVALID_VALUE, CL_INVALID_EVENT_WAIT_LIST, CL_MISALIGNED_SUB_BUFFER_OFFSET,                      \
         CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, CL_MEM_OBJECT_ALLOCATION_FAILURE,                     \
         CL_INVALID_OPERATION, LOST)                                                                         \
    CALL(clEnqueueCopyBuffer, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_MEM_OBJECT,           \
         CL_INVALID_VALUE, CL_INVALID_EVENT_WAIT_LIST, CL_MISALIGNED_SUB_BUFFER_OFFSET, CL_MEM_COPY_OVERLAP, \
         CL_MEM_OBJECT_ALLOCATION_FAILURE, LOST)                                                             \
    CALL(clEnqueueFillBuffer, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_MEM_OBJECT,           \
         CL_INVALID_VALUE, CL_MISALIGNED_SUB_BUFFER_OFFSET, CL_INVALID_EVENT_WAIT_LIST,                      \
         CL_MEM_OBJECT_ALLOCATION_FAILURE, LOST)                                                             \
    CALL(clFinish, CL_INVALID_COMMAND_QUEUE, LOST)                                                           \
    CALL(clGetEventProfilingInfo, CL_PROFILING_INFO_NOT_AVAILABLE, CL_INVALID_VALUE, CL_INVALID_EVENT, LOST) \
    CALL(clReleaseEvent, CL_INVALID_EVENT, LOST)                                                             \
    CALL(CLBlastOverrideParameters, CLBlastUnexpectedError, CLBlastDatabaseError, CLBlastUnknownError,       \
         CLBlastInvalidValue)                                                                                \
    CALL(CLBlastSGemmTempBufferSize, CLBlastInvalidDimension, CLBlastInvalidLeadDimA,                        \
         CLBlastInvalidLeadDimB, CLBlastInvalidLeadDimC, CLBlastUnexpectedError)                             \
    CALL(CLBlastSgemmWithTempBuffer, CLBlastInvalidMatrixA, CLBlastInvalidMatrixB, CLBlastInvalidMatrixC,    \
         CLBlastInsufficientMemoryA, CLBlastInsufficientMemoryB, CLBlastInsufficientMemoryC,                 \
         CLBlastInsufficientMemoryTemp, CLBlastInvalidLocalMemUsage, CLBlastOpenCLOutOfHostMemory,           \
         CLBlastOpenCLOutOfResources, CLBlastTempBufferAllocFailure, CLBlastOpenCLBuildProgramFailure,       \
         CLBlastInvalidBinary, CLBlastUnexpectedError)                                                       \
    CALL(CLBlastClearCache, CLBlastUnexpectedError, CLBlastUnknownError)

enum {
#define CALL(name, ...) CALL_##name,
    FOR_CALLS(CALL)
#undef CALL
        CALLS
};

enum { MOST_CODES = 24 };

static const struct {
    const char *name;
    int codes[MOST_CODES]; /* 0 ends them */
} calls[CALLS] = {
#define CALL(name, ...) {#name, {__VA_ARGS__}},
    FOR_CALLS(CALL)
#undef CALL
};

enum { KIND_CONTEXT, KIND_QUEUE, KIND_BUFFER, KIND_PROGRAM, KIND_KERNEL, KIND_EVENT, KINDS };

static struct {
    size_t seen[CALLS];
    long live[KINDS];
    int fails;      /* the function that is to fail; CALLS: none */
    size_t at;      /* at its call of this number, from 1 */
    int code;       /* with this */
    int build_code; /* beside that, every build fails with this; 0: none */
    bool failed;    /* it did */
    int after;      /* what was called next, but for the times of launches; CALLS: nothing yet */
} shim = {.fails = CALLS};

static inline int fault(int call)
{
    shim.seen[call]++;
    if (shim.failed && shim.after == CALLS && call != CALL_clGetEventProfilingInfo &&
        call != CALL_clReleaseEvent)
        shim.after = call;
    if (call == CALL_clBuildProgram && shim.build_code) return shim.build_code;
    if (call != shim.fails || shim.seen[call] != shim.at) return 0;
    shim.failed = true;
    return shim.code;
}

/* ---- the functions ----------------------------------------------------------------------------------------
 */

/* Names with two underscores are the linker's here. */
#define DECLARE(type, name, parameters)                                                                      \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters

/* Returns its code. */
#define WRAP(name, parameters, arguments)                                                                    \
    DECLARE(int, name, parameters)                                                                           \
    {                                                                                                        \
        const int code = fault(CALL_##name);                                                                 \
        return code ? code : (int)__real_##name arguments;                                                   \
    }

/* The same, and may make an event. */
#define WRAP_EVENT(name, parameters, arguments, event)                                                       \
    DECLARE(int, name, parameters)                                                                           \
    {                                                                                                        \
        const int code = fault(CALL_##name), made = code ? code : (int)__real_##name arguments;              \
        shim.live[KIND_EVENT] += made == CL_SUCCESS && (event);                                              \
        return made;                                                                                         \
    }

/* Returns an object, and its code by the last parameter. */
#define WRAP_NEW(type, kind, name, parameters, arguments)                                                    \
    DECLARE(type, name, parameters)                                                                          \
    {                                                                                                        \
        *code = fault(CALL_##name);                                                                          \
        if (*code) return NULL;                                                                              \
        type made = __real_##name arguments;                                                                 \
        shim.live[kind] += made != NULL;                                                                     \
        return made;                                                                                         \
    }

#define WRAP_RELEASE(type, kind, name)                                                                       \
    DECLARE(cl_int, name, (type object))                                                                     \
    {                                                                                                        \
        const int code = fault(CALL_##name);                                                                 \
        shim.live[kind]--;                                                                                   \
        const cl_int released = __real_##name(object);                                                       \
        return code ? code : released;                                                                       \
    }

#define EVENTS      cl_uint waits, const cl_event *before, cl_event *after
#define GIVE_EVENTS waits, before, after

WRAP(clGetPlatformIDs, (cl_uint n, cl_platform_id *ids, cl_uint *count), (n, ids, count))
WRAP(clGetPlatformInfo, (cl_platform_id id, cl_platform_info what, size_t size, void *out, size_t *length),
     (id, what, size, out, length))
WRAP(clGetDeviceIDs, (cl_platform_id id, cl_device_type type, cl_uint n, cl_device_id *ids, cl_uint *count),
     (id, type, n, ids, count))
WRAP(clGetDeviceInfo, (cl_device_id id, cl_device_info what, size_t size, void *out, size_t *length),
     (id, what, size, out, length))
WRAP_NEW(cl_context, KIND_CONTEXT, clCreateContext,
         (const cl_context_properties *properties, cl_uint n, const cl_device_id *ids,
          void(CL_CALLBACK *tell)(const char *, const void *, size_t, void *), void *user, cl_int *code),
         (properties, n, ids, tell, user, code))
WRAP_RELEASE(cl_context, KIND_CONTEXT, clReleaseContext)
WRAP_NEW(cl_command_queue, KIND_QUEUE, clCreateCommandQueue,
         (cl_context context, cl_device_id id, cl_command_queue_properties properties, cl_int *code),
         (context, id, properties, code))
WRAP_RELEASE(cl_command_queue, KIND_QUEUE, clReleaseCommandQueue)
WRAP_NEW(cl_mem, KIND_BUFFER, clCreateBuffer,
         (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code),
         (context, flags, size, host, code))
WRAP_RELEASE(cl_mem, KIND_BUFFER, clReleaseMemObject)
WRAP_NEW(cl_program, KIND_PROGRAM, clCreateProgramWithSource,
         (cl_context context, cl_uint n, const char **texts, const size_t *lengths, cl_int *code),
         (context, n, texts, lengths, code))
WRAP_NEW(cl_program, KIND_PROGRAM, clCreateProgramWithBinary,
         (cl_context context, cl_uint n, const cl_device_id *ids, const size_t *lengths,
          const unsigned char **binaries, cl_int *taken, cl_int *code),
         (context, n, ids, lengths, binaries, taken, code))
WRAP(clGetProgramInfo, (cl_program program, cl_program_info what, size_t size, void *out, size_t *length),
     (program, what, size, out, length))
WRAP(clBuildProgram,
     (cl_program program, cl_uint n, const cl_device_id *ids, const char *options,
      void(CL_CALLBACK *tell)(cl_program, void *), void *user),
     (program, n, ids, options, tell, user))
WRAP(clGetProgramBuildInfo,
     (cl_program program, cl_device_id id, cl_program_build_info what, size_t size, void *out,
      size_t *length),
     (program, id, what, size, out, length))
WRAP_RELEASE(cl_program, KIND_PROGRAM, clReleaseProgram)
WRAP_NEW(cl_kernel, KIND_KERNEL, clCreateKernel, (cl_program program, const char *name, cl_int *code),
         (program, name, code))
WRAP_RELEASE(cl_kernel, KIND_KERNEL, clReleaseKernel)
WRAP(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value),
     (kernel, index, size, value))
WRAP_EVENT(clEnqueueNDRangeKernel,
           (cl_command_queue queue, cl_kernel kernel, cl_uint n, const size_t *offset, const size_t *global,
            const size_t *local, EVENTS),
           (queue, kernel, n, offset, global, local, GIVE_EVENTS), after)
WRAP(clEnqueueReadBuffer,
     (cl_command_queue queue, cl_mem mem, cl_bool wait, size_t offset, size_t size, void *to, EVENTS),
     (queue, mem, wait, offset, size, to, GIVE_EVENTS))
WRAP(clEnqueueWriteBuffer,
     (cl_command_queue queue, cl_mem mem, cl_bool wait, size_t offset, size_t size, const void *from, EVENTS),
     (queue, mem, wait, offset, size, from, GIVE_EVENTS))
WRAP(clEnqueueCopyBuffer,
     (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size,
      EVENTS),
     (queue, from, to, from_offset, to_offset, size, GIVE_EVENTS))
WRAP(clEnqueueFillBuffer,
     (cl_command_queue queue, cl_mem mem, const void *pattern, size_t pattern_size, size_t offset,
      size_t size, EVENTS),
     (queue, mem, pattern, pattern_size, offset, size, GIVE_EVENTS))
WRAP(clGetEventProfilingInfo,
     (cl_event event, cl_profiling_info what, size_t size, void *out, size_t *length),
     (event, what, size, out, length))
WRAP_RELEASE(cl_event, KIND_EVENT, clReleaseEvent)
WRAP(clFinish, (cl_command_queue queue), (queue))
WRAP(CLBlastOverrideParameters,
     (const cl_device_id id, const char *kernel, const CLBlastPrecision precision, const size_t n,
      const char **names, const size_t *values),
     (id, kernel, precision, n, names, values))
WRAP(CLBlastSGemmTempBufferSize,
     (const CLBlastLayout layout, const CLBlastTranspose ta, const CLBlastTranspose tb, const size_t m,
      const size_t n, const size_t k, const size_t a_offset, const size_t a_ld, const size_t b_offset,
      const size_t b_ld, const size_t c_offset, const size_t c_ld, cl_command_queue *queue, size_t *size),
     (layout, ta, tb, m, n, k, a_offset, a_ld, b_offset, b_ld, c_offset, c_ld, queue, size))
WRAP_EVENT(CLBlastSgemmWithTempBuffer,
           (const CLBlastLayout layout, const CLBlastTranspose ta, const CLBlastTranspose tb, const size_t m,
            const size_t n, const size_t k, const float alpha, const cl_mem a, const size_t a_offset,
            const size_t a_ld, const cl_mem b, const size_t b_offset, const size_t b_ld, const float beta,
            cl_mem c, const size_t c_offset, const size_t c_ld, cl_command_queue *queue, cl_event *event,
            cl_mem temp),
           (layout, ta, tb, m, n, k, alpha, a, a_offset, a_ld, b, b_offset, b_ld, beta, c, c_offset, c_ld,
            queue, event, temp),
           event)
WRAP(CLBlastClearCache, (void), ())

#endif
