/*
 * What norn tune tries. Mappings are tried along one axis at a time, from the best so far on: their costs
 * hardly depend on each other, and a grid of all would compile for an hour. The sets of CLBlast's parameters
 * are a few of the thousands that its own tuner goes through, those that have been best for some device.
 */
#include "compute/tuning.h"

#include <string.h>

/* From here on the path of products and kernels may pay. Below, a step's launches alone take longer; on a CPU
 * nothing has been seen to pay yet (docs/performance.md). */
enum { STAGE_FROM = 128, STAGE_FROM_ON_CPU = 512 };

static bool same(const norn_mapping *a, const norn_mapping *b)
{
    return a->local_size == b->local_size && a->vector_width == b->vector_width && a->rows == b->rows &&
           a->stage == b->stage;
}

size_t norn_tune_candidates(norn_mapping out[NORN_TUNE_MOST], const norn_device_info *device, size_t hidden,
                            const norn_mapping *now, size_t axis)
{
    static const unsigned widths[][2] = {{1, 16}, {1, 8}, {1, 4}},
                          items[][2] = {{32, 1}, {64, 1}, {128, 1}, {256, 1}, {32, 4}, {64, 4}},
                          rows[] = {1, 2, 3, 4, 6, 8};
    const bool cpu = device->type == NORN_DEVICE_CPU;
    const size_t strips = cpu ? NORN_COUNT(widths) : NORN_COUNT(items);
    const unsigned(*const strip)[2] = cpu ? widths : items;
    size_t count = 0;
    for (size_t i = 0; i < (axis == 0 ? strips : axis == 1 ? NORN_COUNT(rows) : 1); i++) {
        norn_mapping m = *now;
        if (axis == 0) {
            m.local_size = strip[i][0];
            m.vector_width = strip[i][1];
            const size_t units = (size_t)m.local_size * m.vector_width;
            /* wider than the hardware is slower, and so is a strip that is mostly padding */
            if (cpu && m.vector_width > norn_shipped_mapping(device, hidden).vector_width) continue;
            if (!cpu && (m.local_size > device->largest_group || (units > 32 && units >= 2 * hidden)))
                continue;
        } else if (axis == 1) {
            m.rows = rows[i];
        } else if (hidden >= (size_t)(cpu ? STAGE_FROM_ON_CPU : STAGE_FROM)) {
            m.stage = !now->stage;
        }
        if (!same(&m, now) && count < NORN_TUNE_MOST) out[count++] = m;
    }
    return count;
}

/* In the order of norn_tuning_parameter_name: GEMMK KREG KWG KWI MDIMA MDIMC MWG NDIMB NDIMC NWG SA SB STRM
 * STRN VWM VWN. GEMMK=1 is left alone: CLBlast 1.5.3 computes it wrong where MWG is not NWG. */
const size_t *norn_tune_product(const norn_device_info *device, size_t index)
{
    static const size_t of_cpus[][NORN_TUNING_PARAMETERS] = {
        {0, 1, 32, 1, 4, 4, 128, 2, 2, 32, 0, 0, 0, 0, 16, 2},
        {0, 1, 32, 1, 4, 4, 64, 2, 2, 32, 0, 0, 0, 0, 16, 2},
        {0, 1, 32, 1, 2, 2, 64, 2, 2, 16, 0, 0, 0, 0, 16, 2},
        {0, 1, 32, 1, 4, 4, 128, 4, 4, 32, 0, 0, 0, 0, 8, 2},
        {0, 1, 32, 1, 8, 8, 128, 2, 2, 32, 0, 0, 0, 0, 16, 4},
        {0, 1, 64, 1, 4, 4, 128, 2, 2, 16, 0, 0, 0, 0, 16, 2},
    };
    static const size_t of_gpus[][NORN_TUNING_PARAMETERS] = {
        {0, 1, 32, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4},
        {0, 1, 16, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 2, 2},
        {0, 1, 32, 2, 16, 16, 64, 8, 8, 64, 1, 1, 0, 0, 2, 2},
        {0, 1, 16, 2, 16, 16, 128, 8, 8, 64, 1, 1, 0, 0, 4, 4},
        {0, 1, 16, 2, 16, 16, 128, 16, 16, 128, 1, 1, 0, 0, 4, 4},
        {0, 1, 32, 2, 16, 16, 32, 16, 16, 32, 1, 1, 0, 0, 1, 1},
    };
    const bool cpu = device->type == NORN_DEVICE_CPU;
    if (index >= (cpu ? NORN_COUNT(of_cpus) : NORN_COUNT(of_gpus))) return NULL;
    return cpu ? of_cpus[index] : of_gpus[index];
}
