/*
 * Products of matrices through norn_gemm: the kernel of ours on every mapping, and CLBlast, against a chain
 * of fma on the host, to the bit. That every dot product is one such chain is what the promise of equal bits
 * stands on (docs, "same seed, same bits"): an fma left out, a sum in parts or in another order fails here.
 *
 * CLBlast compiles for seconds per tiling; the number of tilings here is small for that reason.
 */
#include "device.h"

#include "nn/reference.h"

#include <clblast_c.h>

/* One product: op(A) [m][k] by op(B) [k][n] into C [m][n], each matrix at an offset, with rows longer than
 * it. */
typedef struct product {
    size_t m, n, k;
    bool transpose_a, transpose_b, add;
    size_t offset[3], slack[3]; /* of A, B, C */
} product;

static const size_t sizes[][3] = {{1, 1, 1},    {2, 3, 5},     {17, 31, 13},
                                  {64, 48, 96}, {33, 129, 65}, {131, 67, 257}};

typedef struct operand {
    size_t rows, columns, stride, offset, floats;
    float *host; /* the matrix among canaries */
} operand;

static operand operand_of(dice *d, size_t rows, size_t columns, size_t offset, size_t slack)
{
    operand o = {rows, columns, columns + slack, offset, offset + rows * (columns + slack) + 3, NULL};
    o.host = take_floats(o.floats);
    for (size_t i = 0; i < o.floats; i++) o.host[i] = canary();
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) o.host[offset + r * o.stride + c] = (float)draw(d);
    return o;
}

/* Runs the product and compares all of C's buffer, what lies between and around its rows included. */
static void check(norn_context *context, norn_gemm_path path, const product *p)
{
    dice d = {(uint32_t)(p->m * 31 + p->n * 7 + p->k), 0};
    const operand a = operand_of(&d, p->transpose_a ? p->k : p->m, p->transpose_a ? p->m : p->k, p->offset[0],
                                 p->slack[0]),
                  b = operand_of(&d, p->transpose_b ? p->n : p->k, p->transpose_b ? p->k : p->n, p->offset[1],
                                 p->slack[1]),
                  c = operand_of(&d, p->m, p->n, p->offset[2], p->slack[2]);
    const guarded *da = guard(context, a.floats, a.host, "A"), *db = guard(context, b.floats, b.host, "B"),
                  *dc = guard(context, c.floats, c.host, "C");
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_gemm(context, path, p->transpose_a, p->transpose_b, p->m, p->n, p->k,
                        (norn_matrix){&da->buffer, a.offset, a.stride},
                        (norn_matrix){&db->buffer, b.offset, b.stride},
                        (norn_matrix){&dc->buffer, c.offset, c.stride}, p->add, &err),
              &err);
    const float *got = floats_of(context, dc);
    const size_t a_row = p->transpose_a ? 1 : a.stride, a_column = p->transpose_a ? a.stride : 1,
                 b_row = p->transpose_b ? 1 : b.stride, b_column = p->transpose_b ? b.stride : 1;
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            float *at = &c.host[c.offset + i * c.stride + j];
            const float chain = norn_reference_fma_chain(p->k, a.host + a.offset + i * a_row, a_column,
                                                         b.host + b.offset + j * b_column, b_row, 0.0f);
            *at = p->add ? *at + chain : chain;
        }
    assert_bits("C", got, c.host, c.floats);
    assert_canaries(context);
}

/* Every size in every combination of transposes, with and without what was there, in changing places. */
static void check_all(norn_context *context, norn_gemm_path path)
{
    for (size_t s = 0; s < NORN_COUNT(sizes); s++) {
        for (unsigned flags = 0; flags < 8; flags++) {
            const product p = {sizes[s][0],
                               sizes[s][1],
                               sizes[s][2],
                               flags & 1,
                               flags & 2,
                               flags & 4,
                               {flags, 3 * (flags & 2), 5 * (flags & 1) + s},
                               {flags & 2 ? 3 : 0, flags & 1 ? 5 : 0, flags & 4 ? 0 : 7}};
            check(context, path, &p);
            (void)free_taken(NULL);
        }
        if (is_tiny() && s == 2) break;
    }
}

static void our_product_is_a_chain_of_fma_on_every_mapping(void **state)
{
    (void)state;
    for (unsigned m = 0; m < MAPPINGS; m++) {
        if (is_tiny() ? m != MANY_ITEMS && m != NARROW : m == FEW_ITEMS) continue;
        check_all(context_of(m), NORN_GEMM_OWN);
    }
}

static void clblast_as_it_is_set_is_a_chain_of_fma(void **state)
{
    (void)state;
    if (is_tiny()) skip();
    check_all(context_of(WIDE), NORN_GEMM_CLBLAST);
}

/* Other tilings, set behind norn_gemm's back: the bits do not hang on how a product is cut up. */
static void clblast_is_a_chain_of_fma_in_other_tilings_too(void **state)
{
    (void)state;
    static const char *names[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                  "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
    static const size_t tilings[][NORN_COUNT(names)] = {{0, 1, 32, 2, 4, 4, 32, 4, 4, 32, 0, 0, 0, 0, 4, 4},
                                                        {0, 1, 16, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 2, 1}};
    if (is_tiny()) skip();
    norn_context *context = context_of(WIDE);
    if (context->info.type != NORN_DEVICE_CPU) skip(); /* tilings that any CPU takes */
    const product one = {33, 65, 100, false, true, false, {0, 0, 0}, {0, 1, 0}};
    check(context, NORN_GEMM_CLBLAST, &one); /* norn_gemm has set its own by now, and will not again */
    for (size_t t = 0; t < NORN_COUNT(tilings); t++) {
        assert_int_equal(CLBlastOverrideParameters(context->device, "Xgemm", CLBlastPrecisionSingle,
                                                   NORN_COUNT(names), names, tilings[t]),
                         CLBlastSuccess);
        check_all(context, NORN_GEMM_CLBLAST);
    }
    /* A context set up anew sets the parameters anew. */
    norn_context_free(contexts[WIDE]);
    contexts[WIDE] = NULL;
}

static void the_shape_alone_chooses_between_the_two(void **state)
{
    (void)state;
    static const struct {
        size_t m, n, k;
        bool ours;
    } shapes[] = {{127, 128, 128, true}, {128, 128, 128, false}, {1, 128, 16384, false}, {1, 1, 2000, true}};
    if (is_tiny()) skip();
    norn_context *context = context_of(WIDE);
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        const product p = {shapes[i].m, shapes[i].n, shapes[i].k, false, false, false, {0, 0, 0}, {0, 0, 0}};
        const uint64_t launches = context->launches;
        check(context, NORN_GEMM_AUTO, &p);
        assert_int_equal(context->launches - launches, shapes[i].ours ? 1 : 0);
        (void)free_taken(NULL);
    }
}

/* Kernels index with int: what goes beyond is refused before anything is touched. */
static void a_product_beyond_two_to_the_31_is_refused(void **state)
{
    (void)state;
    enum { HUGE_SIDE = 1 << 16 };
    static const size_t half = HUGE_SIDE / 2, beyond = (size_t)INT32_MAX + 1;
    static const struct {
        size_t m, n, k, strides[3], offsets[3];
        bool transpose_a, transpose_b;
        norn_gemm_path path;
    } refused[] = {
        {HUGE_SIDE, half, 1, {1, half, half}, {0, 0, 0}, false, false, NORN_GEMM_AUTO}, /* C by its elements
                                                                                         */
        {HUGE_SIDE, 1, half, {half, 1, 1}, {0, 0, 0}, false, false, NORN_GEMM_OWN},     /* A */
        {1, HUGE_SIDE, half, {half, HUGE_SIDE, HUGE_SIDE}, {0, 0, 0}, false, false, NORN_GEMM_CLBLAST}, /* B
                                                                                                         */
        {2, 1, 1, {beyond / 2, 1, 1}, {0, 0, 0}, false, false, NORN_GEMM_OWN}, /* A by its stride */
        {1, 1, 2, {beyond / 2, 1, 1}, {0, 0, 0}, true, false, NORN_GEMM_OWN},  /* A transposed */
        {1, 1, 2, {2, beyond / 2, 1}, {0, 0, 0}, false, false, NORN_GEMM_OWN}, /* B */
        {1, 2, 1, {1, beyond / 2, 2}, {0, 0, 0}, false, true, NORN_GEMM_OWN},  /* B transposed */
        {2, 1, 1, {1, 1, beyond / 2}, {0, 0, 0}, false, false, NORN_GEMM_OWN}, /* C */
        {1, 1, 1, {1, 1, 1}, {beyond, 0, 0}, false, false, NORN_GEMM_CLBLAST}, /* CLBlast's offsets are int
                                                                                  too */
        {1, 1, 1, {1, 1, 1}, {0, beyond, 0}, false, false, NORN_GEMM_CLBLAST},
        {1, 1, 1, {1, 1, 1}, {0, 0, beyond}, false, false, NORN_GEMM_CLBLAST},
    };
    norn_context *context = context_of(NARROW);
    const guarded *small = guard(context, 4, NULL, "a matrix");
    for (size_t i = 0; i < NORN_COUNT(refused); i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_matrix matrices[3];
        const uint64_t launches = context->launches;
        for (size_t o = 0; o < 3; o++)
            matrices[o] = (norn_matrix){&small->buffer, refused[i].offsets[o], refused[i].strides[o]};
        const norn_status status =
            norn_gemm(context, refused[i].path, refused[i].transpose_a, refused[i].transpose_b, refused[i].m,
                      refused[i].n, refused[i].k, matrices[0], matrices[1], matrices[2], false, &err);
        if (status != NORN_ERR_USAGE) fail_msg("case %zu: %s", i, norn_status_name(status));
        assert_non_null(strstr(err.message, "2^31"));
        assert_int_equal(context->launches, launches);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_taken)
    const struct CMUnitTest tests[] = {
        TEST(our_product_is_a_chain_of_fma_on_every_mapping), TEST(clblast_as_it_is_set_is_a_chain_of_fma),
        TEST(clblast_is_a_chain_of_fma_in_other_tilings_too), TEST(the_shape_alone_chooses_between_the_two),
        TEST(a_product_beyond_two_to_the_31_is_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
