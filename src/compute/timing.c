/*
 * Times of launches, for a context whose host has a profile: the events of launches are kept until the queue
 * has been waited for, and then read. A launch whose time cannot be had is left out.
 */
#include "compute/compute.h"

struct norn_timing {
    cl_event event;
    const char *name;
    double operations, bytes;
};

cl_event *norn_timing_event(norn_context *context, const char *name, double operations, double bytes)
{
    enum { FIRST_ROOM = 1024 };
    if (!context->host.profile) return NULL;
    if (context->timings == context->timing_room) {
        const size_t room = context->timing_room ? 2 * context->timing_room : FIRST_ROOM;
        void *grown = context->timing;
        if (!norn_resize(&context->host, &grown, context->timing_room, room, sizeof *context->timing))
            return NULL;
        context->timing = grown;
        context->timing_room = room;
    }
    struct norn_timing *timing = &context->timing[context->timings++];
    *timing = (struct norn_timing){.name = name, .operations = operations, .bytes = bytes};
    return &timing->event;
}

void norn_timing_collect(norn_context *context)
{
    for (size_t i = 0; i < context->timings; i++) {
        const struct norn_timing *timing = &context->timing[i];
        cl_ulong begin = 0, end = 0;
        if (!timing->event) continue; /* its launch failed */
        if (clGetEventProfilingInfo(timing->event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL) ==
                CL_SUCCESS &&
            clGetEventProfilingInfo(timing->event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ==
                CL_SUCCESS)
            norn_profile_kernel(context->host.profile, timing->name, 1e-9 * (double)(end - begin),
                                timing->operations, timing->bytes);
        (void)clReleaseEvent(timing->event);
    }
    context->timings = 0;
}

void norn_timing_free(norn_context *context)
{
    norn_timing_collect(context);
    norn_delete(&context->host, context->timing, context->timing_room, sizeof *context->timing);
    context->timing = NULL;
    context->timing_room = 0;
}
