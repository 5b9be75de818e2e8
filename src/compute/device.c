/*
 * Platforms and devices: listing them, choosing one, making a context.
 *
 * Choice: a GPU before an accelerator before a CPU, more compute units before fewer, the lower number on a
 * tie; or what the user names. What can go wrong before the first kernel is told in words that mend it: no
 * loader entry, no device, a PoCL whose kernel cache cannot be written (it then reports no device and says
 * nothing).
 */
#include "compute/compute.h"
#include "compute/tuning.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLATFORMS = 32, MAX_DEVICES = 64 };

#ifndef CL_PLATFORM_NOT_FOUND_KHR
#define CL_PLATFORM_NOT_FOUND_KHR -1001
#endif

static const char no_platform[] = "no OpenCL platform found: install a driver (the GPU vendor's, or PoCL for "
                                  "the CPU: pocl-opencl-icd on Debian and "
                                  "Ubuntu)";
static const char no_device[] = "no usable OpenCL device found. PoCL shows none when its kernel cache cannot "
                                "be written: POCL_CACHE_DIR or HOME "
                                "must name a writable folder (POCL_DEBUG=err tells more)";

typedef struct found {
    cl_platform_id platform;
    cl_device_id device;
} found;

static void platform_text(cl_platform_id platform, cl_platform_info what, char *out, size_t size)
{
    out[0] = '\0';
    size_t length = 0;
    char text[512];
    if (clGetPlatformInfo(platform, what, sizeof text, text, &length) != CL_SUCCESS || length == 0) {
        (void)snprintf(out, size, "unnamed");
        return;
    }
    text[sizeof text - 1] = '\0';
    (void)norn_quote(out, size, text, strlen(text), size - 8);
}

/* One fact about a device. What the driver does not answer makes it unusable, with the call as the reason. */
static size_t ask(cl_device_id device, cl_device_info what, size_t size, void *out, norn_device_info *info)
{
    size_t length = 0;
    const cl_int code = clGetDeviceInfo(device, what, size, out, &length);
    if (code == CL_SUCCESS) return length;
    if (!info->reason[0])
        (void)snprintf(info->reason, sizeof info->reason, "clGetDeviceInfo failed: %s (%d)",
                       norn_cl_code_name(code), code);
    return 0;
}

static void ask_text(cl_device_id device, cl_device_info what, char *out, size_t size, norn_device_info *info)
{
    char text[512];
    const size_t length = ask(device, what, sizeof text, text, info);
    (void)snprintf(out, size, "unnamed");
    if (length == 0) return;
    text[sizeof text - 1] = '\0';
    const char *start = text;
    while (*start == ' ') start++;
    (void)norn_quote(out, size, start, strlen(start), size - 8);
}

static void describe(norn_device_info *info, const found *at, int platform, int device)
{
    *info = (norn_device_info){.size = sizeof *info, .platform = platform, .device = device};
    platform_text(at->platform, CL_PLATFORM_NAME, info->platform_name, sizeof info->platform_name);
    platform_text(at->platform, CL_PLATFORM_VERSION, info->platform_version, sizeof info->platform_version);
    ask_text(at->device, CL_DEVICE_NAME, info->name, sizeof info->name, info);
    ask_text(at->device, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor, info);
    ask_text(at->device, CL_DRIVER_VERSION, info->driver, sizeof info->driver, info);

    cl_device_type type = 0;
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little = CL_FALSE;
    cl_uint units = 0, width = 0;
    cl_ulong memory = 0, largest = 0;
    size_t group = 0;
    const struct {
        cl_device_info what;
        size_t size;
        void *out;
    } facts[] = {{CL_DEVICE_TYPE, sizeof type, &type},
                 {CL_DEVICE_AVAILABLE, sizeof available, &available},
                 {CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler},
                 {CL_DEVICE_ENDIAN_LITTLE, sizeof little, &little},
                 {CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units},
                 {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width},
                 {CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory},
                 {CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest},
                 {CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof group, &group}};
    for (size_t i = 0; i < NORN_COUNT(facts); i++)
        (void)ask(at->device, facts[i].what, facts[i].size, facts[i].out, info);
    info->type = (type & CL_DEVICE_TYPE_GPU)           ? NORN_DEVICE_GPU
                 : (type & CL_DEVICE_TYPE_ACCELERATOR) ? NORN_DEVICE_ACCELERATOR
                                                       : NORN_DEVICE_CPU;
    info->compute_units = units;
    info->memory = memory;
    info->largest_buffer = largest;
    info->largest_group = group;
    info->vector_width = width;

    const char *reason = !available  ? "the driver says it is not available"
                         : !compiler ? "it has no compiler for kernels"
                         : !little   ? "it is big-endian"
                                     : "";
    if (!info->reason[0]) (void)snprintf(info->reason, sizeof info->reason, "%s", reason);
    info->usable = info->reason[0] == '\0';
}

static int rank(const norn_device_info *info)
{
    static const int by_type[] = {
        [NORN_DEVICE_CPU] = 0, [NORN_DEVICE_ACCELERATOR] = 1, [NORN_DEVICE_GPU] = 2};
    return info->usable ? by_type[info->type] : -1;
}

static norn_status enumerate(norn_device_info *infos, found *ids, size_t *count, norn_error *err)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    cl_int refused = CL_SUCCESS; /* of a platform that does not tell its devices; others may */
    *count = 0;
    const cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count);
    if (code == CL_PLATFORM_NOT_FOUND_KHR) return NORN_OK;
    if (code != CL_SUCCESS) return norn_fail_cl(err, "clGetPlatformIDs", code, "while looking for devices");
    if (platform_count > MAX_PLATFORMS) platform_count = MAX_PLATFORMS;

    for (cl_uint p = 0; p < platform_count; p++) {
        cl_device_id devices[MAX_DEVICES];
        cl_uint device_count = 0;
        const cl_int listed =
            clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &device_count);
        if (listed != CL_SUCCESS) {
            if (listed != CL_DEVICE_NOT_FOUND && !refused) refused = listed;
            continue;
        }
        for (cl_uint d = 0; d < device_count && d < MAX_DEVICES && *count < MAX_DEVICES; d++) {
            ids[*count] = (found){platforms[p], devices[d]};
            describe(&infos[*count], &ids[*count], (int)p, (int)d);
            ++*count;
        }
    }

    if (refused && *count == 0)
        return norn_fail_cl(err, "clGetDeviceIDs", refused, "while looking for devices");
    norn_device_info *best = NULL;
    for (size_t i = 0; i < *count; i++) {
        norn_device_info *each = &infos[i];
        if (!each->usable) continue;
        if (!best || rank(each) > rank(best) ||
            (rank(each) == rank(best) && each->compute_units > best->compute_units))
            best = each;
    }
    static const char *const why[] = {"the only kind of device here is a CPU", "a GPU is preferred",
                                      "an accelerator is preferred to a CPU"};
    if (best) {
        best->chosen = 1;
        (void)snprintf(best->reason, sizeof best->reason, "%s", why[best->type]);
    }
    return NORN_OK;
}

norn_status norn_devices_list(norn_device_info **out, size_t *count, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    static const size_t capacity = MAX_DEVICES;
    found ids[MAX_DEVICES];
    size_t n = 0;
    norn_device_info *infos = norn_new(&services, capacity, sizeof *infos);
    if (!infos) return norn_fail_memory(err, "the list of devices");
    const norn_status status = enumerate(infos, ids, &n, err);
    if (status != NORN_OK) {
        norn_delete(&services, infos, capacity, sizeof *infos);
        return status;
    }
    *out = infos;
    *count = n;
    return NORN_OK;
}

void norn_devices_free(norn_device_info *devices, size_t count, const norn_host *host)
{
    (void)count;
    const norn_host services = norn_host_copy(host);
    norn_delete(&services, devices, MAX_DEVICES, sizeof *devices);
}

static bool contains(const char *text, const char *part)
{
    const size_t length = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < length && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == length) return true;
    }
    return length == 0;
}

/* The index of the device that `wish` names, or -1. */
static int match(const norn_device_info *infos, size_t count, const char *wish)
{
    char *end = NULL;
    const long platform = strtol(wish, &end, 10);
    if (end != wish && *end == ':') {
        const char *second = end + 1;
        const long device = strtol(second, &end, 10);
        if (end != second && *end == '\0') {
            for (size_t i = 0; i < count; i++)
                if (infos[i].platform == platform && infos[i].device == device) return (int)i;
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (contains(infos[i].name, wish)) return (int)i;
    for (size_t i = 0; i < count; i++)
        if (contains(infos[i].platform_name, wish)) return (int)i;
    return -1;
}

/* What kernels have that are of no network, and networks where it was given. */
static norn_status choose_mapping(norn_context *context, const norn_context_options *options, norn_error *err)
{
    const norn_mapping usual = norn_shipped_mapping(&context->info, SIZE_MAX);
    context->mapped = options->local_size || options->vector_width || options->rows;
    context->local = options->local_size ? options->local_size : usual.local_size;
    context->vector = options->vector_width ? options->vector_width : usual.vector_width;
    context->rows = options->rows ? options->rows : usual.rows;
    while (context->local > 1 && context->local > context->info.largest_group) context->local /= 2;
    if (context->local == 1 && context->vector == 1) context->vector = 4;
    const norn_mapping mapping = {context->local, context->vector, context->rows, 0};
    const char *fault = norn_mapping_fault(&mapping);
    if (!*fault) return NORN_OK;
    return norn_fail(err, NORN_ERR_USAGE,
                     "no such mapping: %u floats in a vector, %u work-items, %u rows: %s", context->vector,
                     context->local, context->rows, fault);
}

norn_mapping norn_context_mapping(const norn_context *context, unsigned gates, size_t hidden)
{
    const norn_mapping shipped = norn_shipped_mapping(&context->info, hidden);
    const norn_mapping *rule = norn_tuning_find(context->tuning, gates, hidden);
    if (context->mapped) return (norn_mapping){context->local, context->vector, context->rows, shipped.stage};
    return rule ? *rule : shipped;
}

size_t norn_context_widest(const norn_context *context)
{
    size_t widest = (size_t)context->local * context->vector;
    for (size_t i = 0; context->tuning && i < context->tuning->rule_count; i++) {
        const norn_mapping *m = &context->tuning->rules[i].mapping;
        const size_t strip = (size_t)m->local_size * m->vector_width;
        if (!context->mapped && strip > widest) widest = strip;
    }
    return widest;
}

norn_status norn_context_tune(norn_context *context, const norn_tuning *tuning, norn_error *err)
{
    char name[80];
    norn_tuning *copy = NULL;
    if (tuning && !norn_tuning_fits(tuning, &context->info))
        return norn_fail(err, NORN_ERR_USAGE,
                         "the tuning is of %s with driver %s, not of %s with driver %s (norn tune makes "
                         "another; --tuning none goes without)",
                         norn_quote(name, sizeof name, tuning->device, strlen(tuning->device), 60),
                         tuning->driver, context->info.name, context->info.driver);
    for (size_t i = 0; tuning && i < tuning->rule_count; i++)
        if (tuning->rules[i].mapping.local_size > context->info.largest_group)
            return norn_fail(
                err, NORN_ERR_USAGE,
                "the tuning has groups of %u work-items, %s at most %zu (norn tune makes another; "
                "--tuning none goes without)",
                tuning->rules[i].mapping.local_size, context->info.name, context->info.largest_group);
    if (tuning) {
        const norn_status status = norn_tuning_new(&copy, NULL, &context->host, err);
        if (status != NORN_OK) return status;
        *copy = *tuning;
        copy->host = context->host;
    }
    norn_tuning_free(context->tuning);
    context->tuning = copy;
    return NORN_OK;
}

norn_status norn_context_new(norn_context **out, const norn_context_options *options, const norn_host *host,
                             norn_error *err)
{
    const norn_context_options defaults = NORN_CONTEXT_OPTIONS_INIT;
    /* A struct of an older library is shorter. */
    norn_context_options given = defaults;
    const norn_status taken = norn_options_take(&given, sizeof given, options, err);
    if (taken != NORN_OK) return taken;
    options = &given;
    const norn_host services = norn_host_copy(host);
    norn_context *context = norn_new(&services, 1, sizeof *context);
    norn_device_info *infos = norn_new(&services, MAX_DEVICES, sizeof *infos);
    norn_profile_enter(services.profile, "finding the device");
    if (context) context->host = services; /* norn_context_free needs it whatever fails below */
    found ids[MAX_DEVICES];
    size_t count = 0;
    cl_int code = CL_SUCCESS;
    norn_status status = NORN_OK;
    if (!context || !infos) {
        status = norn_fail_memory(err, "a context");
        goto done;
    }
    if ((status = enumerate(infos, ids, &count, err)) != NORN_OK) goto done;
    if (count == 0) {
        cl_uint platforms = 0;
        const bool none = clGetPlatformIDs(0, NULL, &platforms) != CL_SUCCESS || platforms == 0;
        status = norn_fail(err, NORN_ERR_DEVICE, "%s", none ? no_platform : no_device);
        goto done;
    }
    int at = -1;
    if (options->device && options->device[0]) {
        at = match(infos, count, options->device);
        if (at < 0) {
            char name[80];
            status = norn_fail(
                err, NORN_ERR_DEVICE,
                "no device is called \"%s\"; `norn devices` lists them, --device takes P:D or part of a "
                "name",
                norn_quote(name, sizeof name, options->device, strlen(options->device), 40));
            goto done;
        }
        if (!infos[at].usable) {
            status = norn_fail(err, NORN_ERR_DEVICE, "device %d:%d (%s) cannot be used: %s",
                               infos[at].platform, infos[at].device, infos[at].name, infos[at].reason);
            goto done;
        }
    } else {
        for (size_t i = 0; i < count; i++)
            if (infos[i].chosen) at = (int)i;
        if (at < 0) {
            status = norn_fail(err, NORN_ERR_DEVICE, "device %d:%d (%s) cannot be used: %s, nor any other",
                               infos[0].platform, infos[0].device, infos[0].name, infos[0].reason);
            goto done;
        }
    }
    context->info = infos[at];
    context->platform = ids[at].platform;
    context->device = ids[at].device;
    context->memory_limit = options->memory_limit ? options->memory_limit
                                                  : context->info.memory / 4 * 3; /* others need some, too */
    if ((status = choose_mapping(context, options, err)) != NORN_OK) goto done;
    if (options->programs && (options->programs_always || !norn_driver_keeps_programs(&context->info))) {
        context->programs_folder =
            norn_text_copy(&context->host, options->programs, strlen(options->programs));
        if (!context->programs_folder) {
            status = norn_fail_memory(err, "a context");
            goto done;
        }
    }

    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)context->platform,
                                                0};
    context->cl = clCreateContext(properties, 1, &context->device, NULL, NULL, &code);
    if (code != CL_SUCCESS) {
        status = norn_fail_cl(err, "clCreateContext", code, "on %s", context->info.name);
        goto done;
    }
    context->queue = clCreateCommandQueue(context->cl, context->device,
                                          services.profile ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    if (code != CL_SUCCESS)
        status = norn_fail_cl(err, "clCreateCommandQueue", code, "on %s", context->info.name);

done:
    norn_delete(&services, infos, MAX_DEVICES, sizeof *infos);
    if (status == NORN_OK)
        *out = context;
    else
        norn_context_free(context);
    norn_profile_leave(services.profile);
    return status;
}

void norn_context_free(norn_context *context)
{
    if (!context) return;
    const norn_host host = context->host;
    if (context->queue) (void)clFinish(context->queue);
    norn_timing_free(context);
    norn_gemm_forget(context);
    norn_context_free_programs(context);
    if (context->queue) (void)clReleaseCommandQueue(context->queue);
    if (context->cl) (void)clReleaseContext(context->cl);
    norn_tuning_free(context->tuning);
    norn_text_delete(&host, context->programs_folder);
    norn_delete(&host, context, 1, sizeof *context);
}

const norn_device_info *norn_context_device(const norn_context *context)
{
    return &context->info;
}
