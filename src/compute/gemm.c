/*
 * Products of matrices: CLBlast with parameters that fit the device, and a kernel of ours for small shapes.
 *
 * CLBlast has no entry for PoCL on most CPUs and then runs an untuned kernel at a twentieth of what the
 * machine can do (docs/performance.md). CLBlastOverrideParameters mends that. It is process-wide: every other
 * user of CLBlast in the process gets the same parameters for that device. CLBlast fills its tables on first
 * use without a lock, so that two threads may crash; every call of ours is made under one mutex of the
 * process.
 */
#include "compute/compute.h"
#include "compute/tuning.h"

#include <clblast_c.h>
#include <limits.h>
#include <pthread.h>

static pthread_mutex_t clblast_lock = PTHREAD_MUTEX_INITIALIZER;

/* Below this many multiplications (128^3) our kernel is done before CLBlast has transposed its operands. */
static const double clblast_from = 128.0 * 128.0 * 128.0;

/* Those of the tuning, else those that ship with Norn. */
static norn_status set_parameters(norn_context *context, norn_error *err)
{
    const char *routine_names[] = {"XGEMM_MIN_INDIRECT_SIZE"}, *names[NORN_TUNING_PARAMETERS];
    static const size_t routine_values[] = {0};
    const size_t *values = norn_tuning_product(context->tuning);
    if (!values) values = norn_shipped_product(&context->info);
    if (!values) return NORN_OK; /* CLBlast knows GPUs by itself */
    for (size_t i = 0; i < NORN_TUNING_PARAMETERS; i++) names[i] = norn_tuning_parameter_name(i);
    int code = CLBlastOverrideParameters(context->device, "GemmRoutine", CLBlastPrecisionSingle,
                                         NORN_COUNT(routine_names), routine_names, routine_values);
    if (code == CLBlastSuccess)
        code = CLBlastOverrideParameters(context->device, "Xgemm", CLBlastPrecisionSingle, NORN_COUNT(names),
                                         names, values);
    return code == CLBlastSuccess
               ? NORN_OK
               : norn_fail_cl(err, "CLBlastOverrideParameters", code, "on %s", context->info.name);
}

static norn_status product_clblast(norn_context *context, bool transpose_a, bool transpose_b, size_t m,
                                   size_t n, size_t k, norn_matrix a, norn_matrix b, norn_matrix c, bool add,
                                   norn_error *err)
{
    const CLBlastTranspose ta = transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose tb = transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    norn_status status = NORN_OK;
    size_t scratch = 0;
    (void)pthread_mutex_lock(&clblast_lock);
    if (!context->gemm_ready) status = set_parameters(context, err);
    if (status != NORN_OK) goto done;
    context->gemm_ready = true;
    int code = CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, ta, tb, m, n, k, a.offset, a.stride,
                                          b.offset, b.stride, c.offset, c.stride, &context->queue, &scratch);
    if (code != CLBlastSuccess) {
        status = norn_fail_cl(err, "CLBlastSGemmTempBufferSize", code, "for %zu x %zu x %zu", m, n, k);
        goto done;
    }
    if (scratch > context->gemm_scratch.bytes) {
        status = norn_finish(context, err); /* the old one may be in use */
        if (status != NORN_OK) goto done;
        norn_buffer_free(&context->gemm_scratch);
        status = norn_buffer_new(context, &context->gemm_scratch, scratch, NULL,
                                 "the temporary buffer of a product", err);
        if (status != NORN_OK) goto done;
    }
    cl_event *const event =
        norn_timing_event(context, "CLBlast Sgemm", 2.0 * (double)m * (double)n * (double)k,
                          4.0 * ((double)m * (double)k + (double)k * (double)n + (double)m * (double)n));
    code = CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1.0f, a.buffer->mem, a.offset,
                                      a.stride, b.buffer->mem, b.offset, b.stride, add ? 1.0f : 0.0f,
                                      c.buffer->mem, c.offset, c.stride, &context->queue, event,
                                      scratch ? context->gemm_scratch.mem : NULL);
    if (code != CLBlastSuccess)
        status = norn_fail_cl(err, "CLBlastSgemmWithTempBuffer", code, "for %zu x %zu x %zu", m, n, k);
done:
    (void)pthread_mutex_unlock(&clblast_lock);
    return status;
}

static norn_status product_own(norn_context *context, bool transpose_a, bool transpose_b, size_t m, size_t n,
                               size_t k, norn_matrix a, norn_matrix b, norn_matrix c, bool add,
                               norn_error *err)
{
    static const char *const files[] = {"gemm", NULL};
    norn_program *program = NULL;
    norn_kernel kernel = {.cl = NULL};
    norn_status status = norn_program_get(context, &program, files, "", err);
    if (status == NORN_OK) status = norn_kernel_new(context, &kernel, program, "gemm_small", err);
    if (status == NORN_OK)
        status = norn_kernel_set(&kernel, err, 0, "iiibliibliiblii", (int)m, (int)n, (int)k, a.buffer,
                                 (int64_t)a.offset, transpose_a ? 1 : (int)a.stride,
                                 transpose_a ? (int)a.stride : 1, b.buffer, (int64_t)b.offset,
                                 transpose_b ? 1 : (int)b.stride, transpose_b ? (int)b.stride : 1, c.buffer,
                                 (int64_t)c.offset, (int)c.stride, add ? 1 : 0);
    const size_t columns = (size_t)context->local * context->vector;
    const size_t groups_y = (m + context->rows - 1) / context->rows;
    const double each = 1.0 / (double)groups_y,
                 sizes = (double)m * (double)k + (double)k * (double)n + (double)m * (double)n;
    kernel.cost = (norn_cost){2.0 * (double)m * (double)n * (double)k * each, 4.0 * sizes * each};
    if (status == NORN_OK)
        status = norn_launch(context, &kernel, context->local, (n + columns - 1) / columns, groups_y, err);
    norn_kernel_free(&kernel);
    return status;
}

norn_status norn_gemm(norn_context *context, norn_gemm_path path, bool transpose_a, bool transpose_b,
                      size_t m, size_t n, size_t k, norn_matrix a, norn_matrix b, norn_matrix c, bool add,
                      norn_error *err)
{
    /* CLBlast's kernels index with int; so do ours, but for the offset. Since both give the same bits, ours
     * takes what lies too far behind for CLBlast. */
    const double most = (double)INT_MAX;
    const double size_a = (double)a.stride * (double)(transpose_a ? k : m),
                 size_b = (double)b.stride * (double)(transpose_b ? n : k),
                 size_c = (double)c.stride * (double)m;
    const bool far = (double)a.offset + size_a > most || (double)b.offset + size_b > most ||
                     (double)c.offset + size_c > most;
    if ((double)m * (double)n > most || (double)m * (double)k > most || (double)n * (double)k > most ||
        size_a > most || size_b > most || size_c > most || (far && path == NORN_GEMM_CLBLAST))
        return norn_fail(
            err, NORN_ERR_USAGE,
            "a product of %zu x %zu x %zu is beyond 2^31 elements: a smaller --batch, --window or --hidden "
            "is needed",
            m, n, k);
    if (path == NORN_GEMM_AUTO)
        path = (double)m * (double)n * (double)k >= clblast_from && !far ? NORN_GEMM_CLBLAST : NORN_GEMM_OWN;
    return (path == NORN_GEMM_CLBLAST ? product_clblast : product_own)(context, transpose_a, transpose_b, m,
                                                                       n, k, a, b, c, add, err);
}

void norn_gemm_forget(norn_context *context)
{
    norn_buffer_free(&context->gemm_scratch);
    if (!context->gemm_ready) return;
    /* CLBlast keeps programs of contexts that are gone and then fails on a new one. Only what was used is
     * cached. */
    (void)pthread_mutex_lock(&clblast_lock);
    (void)CLBlastClearCache();
    (void)pthread_mutex_unlock(&clblast_lock);
}
