/*
 * What the tests of kernels share: contexts of every mapping, buffers between canaries, memory that a failed
 * test does not lose, random values, comparisons of whole tensors.
 *
 * NORN_TINY=1 in the environment leaves only what an interpreter of kernels gets through (oclgrind.sh).
 * Buffers then stand alone, without canaries, so that the interpreter sees every access beyond their ends,
 * reads too.
 */
#ifndef NORN_TESTS_DEVICE_H
#define NORN_TESTS_DEVICE_H

#include "support.h"

#include "compute/compute.h"
#include "nn/random.h"

static inline bool is_tiny(void)
{
    const char *tiny = getenv("NORN_TINY");
    return tiny && *tiny == '1';
}

/* ---- contexts: made when first asked for, kept until the end, so that every program is built once ---------
 */

typedef struct mapping {
    unsigned local, vector, rows; /* LS, VW, ROWS */
} mapping;

enum { WIDE, MANY_ITEMS, HALF, NARROW, FEW_ITEMS, MAPPINGS };
static const mapping mappings[MAPPINGS] = {
    [WIDE] = {1, 16, 4},       /* a CPU with 512-bit vectors */
    [MANY_ITEMS] = {64, 1, 2}, /* a GPU */
    [HALF] = {1, 8, 3},        [NARROW] = {1, 4, 1},
    [FEW_ITEMS] = {4, 1, 2}, /* a GPU as an interpreter can afford it */
};
static norn_context *contexts[MAPPINGS];

static inline norn_context *context_of(unsigned index)
{
    if (contexts[index]) return contexts[index];
    norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    options.local_size = mappings[index].local;
    options.vector_width = mappings[index].vector;
    options.rows = mappings[index].rows;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_context_new(&contexts[index], &options, NULL, &err), &err);
    return contexts[index];
}

static inline int free_contexts(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAPPINGS; i++) {
        norn_context_free(contexts[i]);
        contexts[i] = NULL;
    }
    return 0;
}

/* ---- memory and buffers that live until the end of a test, passed or failed -------------------------------
 */

#define CANARY 0x7fc0de00u /* a NaN: whoever reads it, shows it */
#define CANARY_COUNT                                                                                         \
    ((size_t)1024) /* floats before and behind; 4096 bytes satisfy every device's alignment */

typedef struct guarded {
    norn_buffer buffer; /* what kernels get */
    cl_mem whole;       /* the same with its canaries; NULL when there are none */
    norn_context *context;
    size_t floats;
    const char *what;
} guarded;

enum { TAKEN_MOST = 4096 };
static void *taken[TAKEN_MOST];
static size_t taken_count;
static guarded *guards[TAKEN_MOST];
static size_t guard_count;

/* Zeroed; freed by free_taken. */
static inline void *take(size_t count, size_t size)
{
    assert_true(taken_count < TAKEN_MOST);
    void *memory = calloc(count ? count : 1, size);
    assert_non_null(memory);
    taken[taken_count++] = memory;
    return memory;
}
static inline float *take_floats(size_t count)
{
    return take(count, sizeof(float));
}
static inline double *take_doubles(size_t count)
{
    return take(count, sizeof(double));
}

/* A teardown for every test that takes. */
static inline int free_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < guard_count; i++) {
        norn_buffer_free(&guards[i]->buffer);
        if (guards[i]->whole) (void)clReleaseMemObject(guards[i]->whole);
    }
    guard_count = 0;
    for (size_t i = 0; i < taken_count; i++) free(taken[i]);
    taken_count = 0;
    return 0;
}

static inline float canary(void)
{
    const uint32_t bits = CANARY;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A buffer of `floats`, filled from init, or with canaries where init is NULL. */
static inline guarded *guard(norn_context *context, size_t floats, const float *init, const char *what)
{
    const uint32_t pattern = CANARY;
    guarded *g = take(1, sizeof *g);
    const size_t all = floats + 2 * CANARY_COUNT;
    cl_int code = CL_SUCCESS;
    norn_error err = NORN_ERROR_INIT;
    assert_true(guard_count < TAKEN_MOST);
    guards[guard_count++] = g;
    g->context = context;
    g->floats = floats;
    g->what = what;
    if (is_tiny()) {
        assert_ok(norn_buffer_new(context, &g->buffer, floats * sizeof(float), init, what, &err), &err);
        if (!init)
            assert_int_equal(clEnqueueFillBuffer(context->queue, g->buffer.mem, &pattern, sizeof pattern, 0,
                                                 floats * sizeof(float), 0, NULL, NULL),
                             CL_SUCCESS);
        return g;
    }
    g->whole = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, all * sizeof(float), NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clEnqueueFillBuffer(context->queue, g->whole, &pattern, sizeof pattern, 0,
                                         all * sizeof(float), 0, NULL, NULL),
                     CL_SUCCESS);
    assert_ok(norn_finish(context, &err), &err);
    const cl_buffer_region inside = {CANARY_COUNT * sizeof(float), floats * sizeof(float)};
    g->buffer.bytes = inside.size;
    g->buffer.mem =
        clCreateSubBuffer(g->whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &inside, &code);
    assert_int_equal(code, CL_SUCCESS);
    if (init) assert_ok(norn_buffer_write(context, &g->buffer, 0, init, inside.size, &err), &err);
    return g;
}

/* Fails when a canary of any buffer of this test and context changed. */
static inline void assert_canaries_at(norn_context *context, const char *file, int line)
{
    uint32_t seen[CANARY_COUNT];
    for (size_t i = 0; i < guard_count; i++) {
        const guarded *g = guards[i];
        if (!g->whole || g->context != context) continue;
        const size_t starts[] = {0, CANARY_COUNT + g->floats};
        for (size_t side = 0; side < 2; side++) {
            assert_int_equal(clEnqueueReadBuffer(context->queue, g->whole, CL_TRUE,
                                                 starts[side] * sizeof(float), sizeof seen, seen, 0, NULL,
                                                 NULL),
                             CL_SUCCESS);
            for (size_t k = 0; k < CANARY_COUNT; k++) {
                if (seen[k] == CANARY) continue;
                print_error("%s: overwritten %zu floats %s\n", g->what, side ? k + 1 : CANARY_COUNT - k,
                            side ? "behind its end" : "before its begin");
                _fail(file, line);
            }
        }
    }
}
#define assert_canaries(context) assert_canaries_at(context, __FILE__, __LINE__)

/* The buffer's floats, taken. */
static inline float *floats_of(norn_context *context, const guarded *g)
{
    float *all = take_floats(g->floats);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_buffer_read(context, &g->buffer, 0, all, g->floats * sizeof(float), &err), &err);
    return all;
}

/* ---- random values --------------------------------------------------------------------------------------
 */

typedef struct dice {
    uint32_t stream, drawn;
} dice;

static inline uint32_t draw_word(dice *d)
{
    static const norn_key key = {{17, 0}};
    return norn_random(key, d->drawn++, d->stream, 0, 0).word[0];
}

static inline double draw(dice *d) /* in [-1, 1), exact as a float */
{
    return 2.0 * norn_random_unit(draw_word(d)) - 1.0;
}

/* count numbers in [-scale, scale), exact as floats; taken. */
static inline double *draw_many(dice *d, size_t count, double scale)
{
    double *all = take_doubles(count);
    for (size_t i = 0; i < count; i++) all[i] = (double)(float)(scale * draw(d));
    return all;
}

/* ---- comparisons ----------------------------------------------------------------------------------------
 */

/* |got - want| <= bound * the largest |want| (at least `floor`) for every element. */
static inline void assert_tensor_at(const char *what, const float *got, const double *want, size_t count,
                                    double bound, double floor, const char *file, int line)
{
    double largest = floor;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++) {
        const double off = fabs((double)got[i] - want[i]);
        if (off <= bound * largest) continue; /* NaN is not */
        print_error("%s[%zu] of %zu: got %.9g, want %.9g (off by %.3g, largest %.3g)\n", what, i, count,
                    (double)got[i], want[i], off, largest);
        _fail(file, line);
    }
}
#define assert_tensor(what, got, want, count, bound)                                                         \
    assert_tensor_at(what, got, want, count, bound, 1e-3, __FILE__, __LINE__)

/* The same bits in both; a NaN is the same as itself only. */
static inline void assert_bits_at(const char *what, const float *got, const float *want, size_t count,
                                  const char *file, int line)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&got[i], &want[i], sizeof(float)) == 0) continue;
        print_error("%s[%zu] of %zu: got %a, want %a\n", what, i, count, (double)got[i], (double)want[i]);
        _fail(file, line);
    }
}
#define assert_bits(what, got, want, count) assert_bits_at(what, got, want, count, __FILE__, __LINE__)

#endif
