/*
 * From kernel texts to kernels. A program is common.cl, a text of the caller's where there is one (a cell
 * made from its formula), and a list of kernel files, built with the mapping
 * of a network or the context (VW, LS, ROWS) and the options of the caller. Built programs stay with the
 * context: PoCL keeps what it loaded for the life of the process, so that building the same program twice
 * would only cost memory. Where the driver keeps nothing for the next process, binary.c does.
 */
#include "compute/compute.h"
#include "compute/kernels.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FILES = 12, OPTIONS_SIZE = 640 };

struct norn_program {
    norn_program *next;
    cl_program cl;
    char *text; /* between common.cl and the files; NULL: nothing */
    const char *const *files;
    char options[OPTIONS_SIZE];
};

static const char *kernel_text(const char *name)
{
    for (const norn_kernel_text *each = norn_kernel_texts; each->name; each++)
        if (strcmp(each->name, name) == 0) return each->text;
    return NULL;
}

static bool same_files(const char *const *a, const char *const *b)
{
    while (*a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static norn_status build(norn_context *context, norn_program *program, norn_error *err)
{
    const char *texts[MAX_FILES + 2];
    cl_uint count = 0;
    texts[count++] = kernel_text("common");
    if (program->text) texts[count++] = program->text;
    for (const char *const *name = program->files; *name; name++) {
        const char *text = kernel_text(*name);
        if (!text || count > MAX_FILES + 1)
            return norn_fail(err, NORN_ERR_INTERNAL, "no kernel file is called \"%s\"", *name);
        texts[count++] = text;
    }
    program->cl = norn_binary_load(context, texts, count, program->options);
    if (program->cl) return NORN_OK;
    cl_int code = CL_SUCCESS;
    program->cl = clCreateProgramWithSource(context->cl, count, texts, NULL, &code);
    if (code != CL_SUCCESS)
        return norn_fail_cl(err, "clCreateProgramWithSource", code, "for %s", program->files[0]);
    code = clBuildProgram(program->cl, 1, &context->device, program->options, NULL, NULL);
    if (code == CL_SUCCESS) {
        norn_binary_keep(context, program->cl, texts, count, program->options);
        return NORN_OK;
    }

    const bool fresh = err && err->status == NORN_OK;
    (void)norn_fail(err, NORN_ERR_BUILD, "kernels/%s.cl did not build on %s: %s (%d), options %s",
                    program->files[0], context->info.name, norn_cl_code_name(code), code, program->options);
    if (fresh) {
        (void)snprintf(err->call, sizeof err->call, "clBuildProgram");
        err->code = code;
        size_t length = 0;
        (void)clGetProgramBuildInfo(program->cl, context->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &length);
        char *log = length ? norn_new(&context->host, length + 1, 1) : NULL;
        if (log) {
            (void)clGetProgramBuildInfo(program->cl, context->device, CL_PROGRAM_BUILD_LOG, length, log,
                                        NULL);
            (void)snprintf(err->log, sizeof err->log, "%s", log);
            norn_delete(&context->host, log, length + 1, 1);
        }
    }
    return NORN_ERR_BUILD;
}

static void free_program(norn_context *context, norn_program *program)
{
    if (program->cl) (void)clReleaseProgram(program->cl);
    norn_text_delete(&context->host, program->text);
    norn_delete(&context->host, program, 1, sizeof *program);
}

norn_status norn_program_get(norn_context *context, norn_program **out, const char *const *files,
                             const char *options, norn_error *err)
{
    return norn_program_get_with(context, out, NULL, NULL, files, options, err);
}

norn_status norn_program_get_with(norn_context *context, norn_program **out, const norn_mapping *mapping,
                                  const char *text, const char *const *files, const char *options,
                                  norn_error *err)
{
    char full[OPTIONS_SIZE];
    const norn_mapping usual = {context->local, context->vector, context->rows, 0};
    if (!mapping) mapping = &usual;
    const int length = snprintf(full, sizeof full, "-cl-std=CL1.2 -DVW=%u -DLS=%u -DROWS=%u %s",
                                mapping->vector_width, mapping->local_size, mapping->rows, options);
    if (length < 0 || (size_t)length >= sizeof full)
        return norn_fail(err, NORN_ERR_INTERNAL, "the build options of %s are too long", files[0]);
    for (norn_program *each = context->programs; each; each = each->next) {
        const bool same_text = text && each->text ? strcmp(text, each->text) == 0 : text == each->text;
        if (same_text && same_files(each->files, files) && strcmp(each->options, full) == 0) {
            *out = each;
            return NORN_OK;
        }
    }
    norn_program *program = norn_new(&context->host, 1, sizeof *program);
    if (!program) return norn_fail_memory(err, "a program");
    program->files = files;
    memcpy(program->options, full, (size_t)length + 1);
    norn_status status = NORN_OK;
    if (text && !(program->text = norn_text_copy(&context->host, text, strlen(text))))
        status = norn_fail_memory(err, "a program");
    norn_profile_enter(context->host.profile, "building kernels");
    if (status == NORN_OK) status = build(context, program, err);
    norn_profile_leave(context->host.profile);
    if (status != NORN_OK) {
        free_program(context, program);
        return status;
    }
    program->next = context->programs;
    context->programs = program;
    *out = program;
    return NORN_OK;
}

void norn_context_free_programs(norn_context *context)
{
    while (context->programs) {
        norn_program *program = context->programs;
        context->programs = program->next;
        free_program(context, program);
    }
}

norn_status norn_kernel_new(norn_context *context, norn_kernel *out, norn_program *program, const char *name,
                            norn_error *err)
{
    (void)context;
    cl_int code = CL_SUCCESS;
    cl_kernel kernel = clCreateKernel(program->cl, name, &code);
    if (code != CL_SUCCESS) return norn_fail_cl(err, "clCreateKernel", code, "for kernel %s", name);
    *out = (norn_kernel){.cl = kernel, .name = name};
    return NORN_OK;
}

void norn_kernel_free(norn_kernel *kernel)
{
    if (kernel->cl) (void)clReleaseKernel(kernel->cl);
    *kernel = (norn_kernel){.cl = NULL};
}

norn_status norn_kernel_set(norn_kernel *kernel, norn_error *err, unsigned first, const char *types, ...)
{
    cl_int code = CL_SUCCESS;
    unsigned index = first;
    va_list arguments;
    va_start(arguments, types);
    for (const char *type = types; *type && code == CL_SUCCESS; type++, index++) {
        switch (*type) {
        case 'b': {
            const norn_buffer *buffer = va_arg(arguments, const norn_buffer *);
            cl_mem mem = buffer ? buffer->mem : NULL;
            code = clSetKernelArg(kernel->cl, index, sizeof mem, &mem);
            break;
        }
        case 'i': {
            const cl_int value = va_arg(arguments, int);
            code = clSetKernelArg(kernel->cl, index, sizeof value, &value);
            break;
        }
        case 'u': {
            const cl_uint value = va_arg(arguments, unsigned);
            code = clSetKernelArg(kernel->cl, index, sizeof value, &value);
            break;
        }
        case 'l': {
            const cl_long value = va_arg(arguments, int64_t);
            code = clSetKernelArg(kernel->cl, index, sizeof value, &value);
            break;
        }
        case 'f': {
            const cl_float value = (cl_float)va_arg(arguments, double);
            code = clSetKernelArg(kernel->cl, index, sizeof value, &value);
            break;
        }
        default:
            code = CL_INVALID_ARG_VALUE;
        }
    }
    va_end(arguments);
    if (code == CL_SUCCESS) return NORN_OK;
    return norn_fail_cl(err, "clSetKernelArg", code, "for argument %u of kernel %s", index - 1, kernel->name);
}

norn_status norn_launch(norn_context *context, norn_kernel *kernel, size_t local, size_t groups_x,
                        size_t groups_y, norn_error *err)
{
    if (groups_x == 0 || groups_y == 0) return NORN_OK;
    const size_t global[2] = {groups_x * local, groups_y};
    const size_t group[2] = {local, 1};
    const double times = (double)groups_y;
    cl_event *const event =
        norn_timing_event(context, kernel->name, times * kernel->cost.operations, times * kernel->cost.bytes);
    const cl_int code =
        clEnqueueNDRangeKernel(context->queue, kernel->cl, 2, NULL, global, group, 0, NULL, event);
    context->launches++;
    if (code == CL_SUCCESS) return NORN_OK;
    return norn_fail_cl(err, "clEnqueueNDRangeKernel", code, "in kernel %s (%zu x %zu groups of %zu)",
                        kernel->name, groups_x, groups_y, local);
}
