/*
 * Device memory, and the names of OpenCL's codes. Buffers start out as zeros, so that padding never holds
 * what a former owner left there.
 */
#include "compute/compute.h"

#include <clblast_c.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Parts of a profile. */
static const char waiting[] = "waiting for the device", copying[] = "copying to the device";

const char *norn_cl_code_name(int code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
#define CODE(x) {x, #x}
        CODE(CL_SUCCESS),
        CODE(CL_DEVICE_NOT_FOUND),
        CODE(CL_DEVICE_NOT_AVAILABLE),
        CODE(CL_COMPILER_NOT_AVAILABLE),
        CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE),
        CODE(CL_OUT_OF_RESOURCES),
        CODE(CL_OUT_OF_HOST_MEMORY),
        CODE(CL_MEM_COPY_OVERLAP),
        CODE(CL_BUILD_PROGRAM_FAILURE),
        CODE(CL_MAP_FAILURE),
        CODE(CL_IMAGE_FORMAT_NOT_SUPPORTED),
        CODE(CL_MISALIGNED_SUB_BUFFER_OFFSET),
        CODE(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
        CODE(CL_COMPILE_PROGRAM_FAILURE),
        CODE(CL_LINKER_NOT_AVAILABLE),
        CODE(CL_LINK_PROGRAM_FAILURE),
        CODE(CL_PROFILING_INFO_NOT_AVAILABLE),
        CODE(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
        CODE(CL_INVALID_VALUE),
        CODE(CL_INVALID_DEVICE_TYPE),
        CODE(CL_INVALID_PLATFORM),
        CODE(CL_INVALID_DEVICE),
        CODE(CL_INVALID_CONTEXT),
        CODE(CL_INVALID_QUEUE_PROPERTIES),
        CODE(CL_INVALID_COMMAND_QUEUE),
        CODE(CL_INVALID_MEM_OBJECT),
        CODE(CL_INVALID_IMAGE_SIZE),
        CODE(CL_INVALID_SAMPLER),
        CODE(CL_INVALID_BINARY),
        CODE(CL_INVALID_BUILD_OPTIONS),
        CODE(CL_INVALID_PROGRAM),
        CODE(CL_INVALID_PROGRAM_EXECUTABLE),
        CODE(CL_INVALID_KERNEL_NAME),
        CODE(CL_INVALID_KERNEL_DEFINITION),
        CODE(CL_INVALID_KERNEL),
        CODE(CL_INVALID_ARG_INDEX),
        CODE(CL_INVALID_ARG_VALUE),
        CODE(CL_INVALID_ARG_SIZE),
        CODE(CL_INVALID_KERNEL_ARGS),
        CODE(CL_INVALID_WORK_DIMENSION),
        CODE(CL_INVALID_WORK_GROUP_SIZE),
        CODE(CL_INVALID_WORK_ITEM_SIZE),
        CODE(CL_INVALID_GLOBAL_OFFSET),
        CODE(CL_INVALID_EVENT_WAIT_LIST),
        CODE(CL_INVALID_EVENT),
        CODE(CL_INVALID_OPERATION),
        CODE(CL_INVALID_BUFFER_SIZE),
        CODE(CL_INVALID_GLOBAL_WORK_SIZE),
        CODE(CLBlastNotImplemented),
        CODE(CLBlastInvalidMatrixA),
        CODE(CLBlastInvalidMatrixB),
        CODE(CLBlastInvalidMatrixC),
        CODE(CLBlastInvalidOverrideKernel),
        CODE(CLBlastMissingOverrideParameter),
        CODE(CLBlastInsufficientMemoryTemp),
        CODE(CLBlastInvalidLocalMemUsage),
        CODE(CLBlastNoHalfPrecision),
        CODE(CLBlastNoDoublePrecision),
        CODE(CLBlastDatabaseError),
        CODE(CLBlastUnknownError),
        CODE(CLBlastUnexpectedError),
        CODE(CLBlastInvalidDimension),
        CODE(CLBlastInvalidLeadDimA),
        CODE(CLBlastInvalidLeadDimB),
        CODE(CLBlastInvalidLeadDimC),
        CODE(CLBlastInsufficientMemoryA),
        CODE(CLBlastInsufficientMemoryB),
        CODE(CLBlastInsufficientMemoryC),
        {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
#undef CODE
    };
    for (size_t i = 0; i < NORN_COUNT(names); i++)
        if (names[i].code == code) return names[i].name;
    return "unknown code";
}

norn_status norn_fail_cl(norn_error *err, const char *call, int code, const char *format, ...)
{
    char detail[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    const bool fresh = err && err->status == NORN_OK;
    const norn_status status =
        norn_fail(err, NORN_ERR_OPENCL, "%s failed: %s (%d) %s", call, norn_cl_code_name(code), code, detail);
    if (fresh) {
        (void)snprintf(err->call, sizeof err->call, "%s", call);
        err->code = code;
    }
    return status;
}

double norn_buffer_bytes(double bytes)
{
    enum { UNIT = 256 }; /* no device gives less than its alignment */
    return bytes > 0.0 ? ceil(bytes / UNIT) * UNIT : UNIT;
}

uint64_t norn_memory_left(const norn_context *context)
{
    return context->memory_limit > context->memory_used ? context->memory_limit - context->memory_used : 0;
}

norn_status norn_buffer_new(norn_context *context, norn_buffer *out, size_t bytes, const void *init,
                            const char *what, norn_error *err)
{
    const size_t size = bytes ? bytes : 64; /* OpenCL knows no empty buffer */
    if (size > context->info.largest_buffer)
        return norn_fail(
            err, NORN_ERR_MEMORY,
            "%s would take %.1f MiB; the largest buffer of %s is %.1f MiB (a smaller --batch, --window or "
            "--hidden takes less)",
            what, (double)size / 1048576.0, context->info.name,
            (double)context->info.largest_buffer / 1048576.0);
    const uint64_t counted = (uint64_t)norn_buffer_bytes((double)size), left = norn_memory_left(context);
    if (counted > left)
        return norn_fail(
            err, NORN_ERR_MEMORY,
            "%s would take %.1f MiB; of %.1f MiB of device memory %.1f are left (a larger --memory-limit, if "
            "the device has it; a smaller --batch, --window or --hidden takes less)",
            what, (double)size / 1048576.0, (double)context->memory_limit / 1048576.0,
            (double)left / 1048576.0);
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, size, NULL, &code);
    if (code != CL_SUCCESS)
        return norn_fail_cl(err, "clCreateBuffer", code, "making %s of %.1f MiB", what,
                            (double)size / 1048576.0);
    norn_buffer made = {mem, bytes, context};
    context->memory_used += counted;
    const norn_status status = init && bytes ? norn_buffer_write(context, &made, 0, init, bytes, err)
                                             : norn_buffer_zero(context, &made, 0, size, err);
    if (status != NORN_OK) {
        norn_buffer_free(&made);
        return status;
    }
    *out = made;
    return NORN_OK;
}

void norn_buffer_free(norn_buffer *buffer)
{
    if (buffer->mem) (void)clReleaseMemObject(buffer->mem);
    if (buffer->mem && buffer->context)
        buffer->context->memory_used -= (uint64_t)norn_buffer_bytes((double)buffer->bytes);
    *buffer = (norn_buffer){NULL, 0, NULL};
}

static norn_status write_buffer(norn_context *context, norn_buffer *buffer, size_t offset, const void *from,
                                size_t bytes, cl_bool wait, norn_error *err)
{
    if (!bytes) return NORN_OK;
    norn_profile_enter(context->host.profile, copying);
    const cl_int code =
        clEnqueueWriteBuffer(context->queue, buffer->mem, wait, offset, bytes, from, 0, NULL, NULL);
    norn_profile_leave(context->host.profile);
    return code == CL_SUCCESS ? NORN_OK
                              : norn_fail_cl(err, "clEnqueueWriteBuffer", code, "of %zu bytes", bytes);
}

norn_status norn_buffer_write(norn_context *context, norn_buffer *buffer, size_t offset, const void *from,
                              size_t bytes, norn_error *err)
{
    return write_buffer(context, buffer, offset, from, bytes, CL_TRUE, err);
}

norn_status norn_buffer_send(norn_context *context, norn_buffer *buffer, size_t offset, const void *from,
                             size_t bytes, norn_error *err)
{
    return write_buffer(context, buffer, offset, from, bytes, CL_FALSE, err);
}

norn_status norn_buffer_read(norn_context *context, const norn_buffer *buffer, size_t offset, void *to,
                             size_t bytes, norn_error *err)
{
    if (!bytes) return NORN_OK;
    norn_profile_enter(context->host.profile, waiting);
    const cl_int code =
        clEnqueueReadBuffer(context->queue, buffer->mem, CL_TRUE, offset, bytes, to, 0, NULL, NULL);
    norn_profile_leave(context->host.profile);
    norn_timing_collect(context); /* the queue is in order */
    return code == CL_SUCCESS ? NORN_OK
                              : norn_fail_cl(err, "clEnqueueReadBuffer", code, "of %zu bytes", bytes);
}

norn_status norn_buffer_copy(norn_context *context, const norn_buffer *from, size_t from_offset,
                             norn_buffer *to, size_t to_offset, size_t bytes, norn_error *err)
{
    if (!bytes) return NORN_OK;
    const cl_int code =
        clEnqueueCopyBuffer(context->queue, from->mem, to->mem, from_offset, to_offset, bytes, 0, NULL, NULL);
    return code == CL_SUCCESS ? NORN_OK
                              : norn_fail_cl(err, "clEnqueueCopyBuffer", code, "of %zu bytes", bytes);
}

norn_status norn_buffer_zero(norn_context *context, norn_buffer *buffer, size_t offset, size_t bytes,
                             norn_error *err)
{
    if (!bytes) return NORN_OK;
    const cl_uchar zero = 0;
    const cl_int code =
        clEnqueueFillBuffer(context->queue, buffer->mem, &zero, 1, offset, bytes, 0, NULL, NULL);
    return code == CL_SUCCESS ? NORN_OK
                              : norn_fail_cl(err, "clEnqueueFillBuffer", code, "of %zu bytes", bytes);
}

norn_status norn_finish(norn_context *context, norn_error *err)
{
    norn_profile_enter(context->host.profile, waiting);
    const cl_int code = clFinish(context->queue);
    norn_profile_leave(context->host.profile);
    norn_timing_collect(context);
    return code == CL_SUCCESS ? NORN_OK
                              : norn_fail_cl(err, "clFinish", code, "waiting for %s", context->info.name);
}
