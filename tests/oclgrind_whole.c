/*
 * Put before Oclgrind's OpenCL by oclgrind.sh: every fill, copy and write of a part becomes a write of the
 * whole buffer. Oclgrind 21.10 takes what was filled or copied for not initialised, and forgets about the
 * rest of a buffer whose part was written: thousands of false reports, among which a true one would be lost.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef cl_int (*write_fn)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint,
                           const cl_event *, cl_event *);

static write_fn next_write(void)
{
    write_fn next = NULL;
    void *symbol = dlsym(RTLD_NEXT, "clEnqueueWriteBuffer");
    memcpy(&next, &symbol, sizeof next); /* ISO C knows no cast from an object to a function */
    return next;
}

static cl_int size_of(cl_mem buffer, size_t *bytes)
{
    return clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof *bytes, bytes, NULL);
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                            size_t size, const void *from, cl_uint wait_count, const cl_event *wait,
                            cl_event *event)
{
    size_t bytes = 0;
    cl_int code = size_of(buffer, &bytes);
    if (code != CL_SUCCESS || size == bytes || offset > bytes || size > bytes - offset)
        return next_write()(queue, buffer, blocking, offset, size, from, wait_count, wait, event);
    char *all = malloc(bytes);
    if (!all) return CL_OUT_OF_HOST_MEMORY;
    code = clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, bytes, all, wait_count, wait, NULL);
    memcpy(all + offset, from, size);
    if (code == CL_SUCCESS) code = next_write()(queue, buffer, CL_TRUE, 0, bytes, all, 0, NULL, event);
    free(all);
    return code;
}

cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size,
                           size_t offset, size_t size, cl_uint wait_count, const cl_event *wait,
                           cl_event *event)
{
    char *all = malloc(size);
    if (!all) return CL_OUT_OF_HOST_MEMORY;
    for (size_t i = 0; i < size; i += pattern_size) memcpy(all + i, pattern, pattern_size);
    const cl_int code =
        clEnqueueWriteBuffer(queue, buffer, CL_TRUE, offset, size, all, wait_count, wait, event);
    free(all);
    return code;
}

cl_int clEnqueueCopyBuffer(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset,
                           size_t to_offset, size_t size, cl_uint wait_count, const cl_event *wait,
                           cl_event *event)
{
    char *all = malloc(size);
    if (!all) return CL_OUT_OF_HOST_MEMORY;
    cl_int code = clEnqueueReadBuffer(queue, from, CL_TRUE, from_offset, size, all, wait_count, wait, NULL);
    if (code == CL_SUCCESS)
        code = clEnqueueWriteBuffer(queue, to, CL_TRUE, to_offset, size, all, 0, NULL, event);
    free(all);
    return code;
}
