/*
 * Put before Oclgrind's OpenCL by oclgrind.sh: a fill made as a write. Oclgrind 21.10 takes what was filled for not
 * initialised, which would hide what really is not in thousands of false reports.
 */
#include <CL/cl.h>
#include <stdlib.h>
#include <string.h>

cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset,
                           size_t size, cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    char *all = malloc(size);
    if (!all) return CL_OUT_OF_HOST_MEMORY;
    for (size_t i = 0; i < size; i += pattern_size) memcpy(all + i, pattern, pattern_size);
    const cl_int code =
        clEnqueueWriteBuffer(queue, buffer, CL_TRUE, offset, size, all, wait_count, wait, event);
    free(all);
    return code;
}
