/*
 * Random numbers by counter: Philox against the known answers of its authors, on the host and on the device;
 * streams that do not meet; the keyed permutation.
 */
#include "device.h"

#include "cell/stages.h"
#include "nn/network.h"

/* ---- Philox
 * ------------------------------------------------------------------------------------------------ */

/* Known answers of Philox4x32-10: zeros, all ones, the digits of pi (Random123's published test vectors). */
static void philox_gives_its_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
        {{0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu},
         {0xffffffffu, 0xffffffffu},
         {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
        {{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
         {0xa4093822u, 0x299f31d0u},
         {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}},
    };
    for (size_t i = 0; i < NORN_COUNT(known); i++) {
        const uint32_t *c = known[i].counter;
        const norn_key key = {{known[i].key[0], known[i].key[1]}};
        const norn_random_words got = norn_random(key, c[0], c[1], c[2], c[3]);
        for (size_t w = 0; w < 4; w++) assert_int_equal(got.word[w], known[i].want[w]);
    }
}

static void keys_of_different_streams_differ(void **state)
{
    (void)state;
    enum { SEEDS = 4, IDENTITIES = 4, PURPOSES = 3 };
    static const uint64_t seeds[SEEDS] = {0, 1, UINT64_C(1) << 32, UINT64_MAX},
                          identities[IDENTITIES] = {0, 1, UINT64_C(1) << 32, UINT64_MAX};
    static const norn_purpose purposes[PURPOSES] = {NORN_PURPOSE_INITIAL, NORN_PURPOSE_ORDER,
                                                    NORN_PURPOSE_DROPOUT};
    norn_key keys[SEEDS * IDENTITIES * PURPOSES];
    for (size_t i = 0; i < NORN_COUNT(keys); i++) {
        keys[i] = norn_random_key(seeds[i / (IDENTITIES * PURPOSES)], identities[i / PURPOSES % IDENTITIES],
                                  purposes[i % PURPOSES]);
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(&keys[i], &keys[k], sizeof *keys);
    }
}

static void a_unit_number_is_in_0_to_1_and_exact_as_a_float(void **state)
{
    (void)state;
    static const uint32_t words[] = {0, 255, 256, 0x7fffffffu, 0x80000000u, 0xfffffeffu, 0xffffffffu};
    static const double want[] = {0.0, 0.0, 0x1p-24, 0.5 - 0x1p-24, 0.5, 1.0 - 0x1p-23, 1.0 - 0x1p-24};
    for (size_t i = 0; i < NORN_COUNT(words); i++) {
        const double got = norn_random_unit(words[i]);
        assert_near(got, want[i], 0.0, 0.0);
        assert_near((float)got, got, 0.0, 0.0);
        assert_true(got >= 0.0 && (float)got < 1.0f);
    }
}

/* What the path of large products, whose dropout is a kernel of its own, is built with: some cell. */
static norn_cell_text stages_of_an_lstm(size_t hidden)
{
    norn_error err = NORN_ERROR_INIT;
    const norn_host host = norn_host_copy(NULL);
    const norn_network_shape shape = {.inputs = 1, .hidden = hidden, .layers = 2};
    const char *formula = norn_cell_builtin_text("lstm");
    norn_cell *cell = NULL;
    norn_cell_plan *plan = NULL;
    norn_cell_stages *stages = NULL;
    norn_cell_shape bound;
    norn_cell_text text = {0};
    assert_ok(norn_cell_read(&cell, formula, strlen(formula), "lstm", &host, &err), &err);
    assert_ok(norn_network_bind(&bound, &shape, cell, 1, &err), &err);
    assert_ok(norn_cell_plan_new(&plan, cell, &err), &err);
    assert_ok(norn_cell_stages_new(&stages, plan, &err), &err);
    assert_ok(norn_cell_emit_stages(stages, &bound, &text, &err), &err);
    norn_cell_stages_free(stages);
    norn_cell_plan_free(plan);
    norn_cell_free(cell);
    return text;
}

/*
 * The device's words, seen through the only thing it does with them: a unit stays when its word is below a
 * threshold. With the host's word as threshold it must go, with one more it must stay: that pins all 32 bits.
 */
static void the_device_draws_the_words_of_the_host(void **state)
{
    (void)state;
    enum { H = 33, T = 3, B = 5, LAYER = 2, STEP = 77, PROBES = 24 };
    static const char *const files[] = {"stages", "sequence",  "windows", "head", "dropout",
                                        "step",   "optimiser", "stage",   NULL};
    static const unsigned chosen[] = {WIDE, MANY_ITEMS};
    const norn_key key = {{0xa4093822u, 0x299f31d0u}};
    for (size_t m = 0; m < NORN_COUNT(chosen); m++) {
        norn_context *context = context_of(chosen[m]);
        const size_t ub = (size_t)context->local * context->vector, hp = (H + ub - 1) / ub * ub,
                     bp = (B + context->rows - 1) / context->rows * context->rows, count = T * bp * hp,
                     at = 5;
        norn_error err = NORN_ERROR_INIT;
        norn_program *program = NULL;
        norn_kernel kernel = {.cl = NULL};
        norn_cell_text text = stages_of_an_lstm(H);
        assert_ok(norn_program_get_with(context, &program, NULL, text.bytes, files,
                                        "-DH=33 -DL=2 -DDROPOUT=1 -DSTAGE", &err),
                  &err);
        norn_cell_text_free(&context->host, &text);
        assert_ok(norn_kernel_new(context, &kernel, program, "stage_dropout", &err), &err);
        float *ones = take_floats(at + count);
        for (size_t i = 0; i < at + count; i++) ones[i] = 1.0f;
        const guarded *from = guard(context, at + count, ones, "from"),
                      *to = guard(context, at + count, NULL, "to");
        for (size_t probe = 0; probe < PROBES; probe++) {
            const uint32_t u = (uint32_t)(probe * 7 % H), t = (uint32_t)(probe % T),
                           b = (uint32_t)(probe * 3 % B);
            const uint32_t word = norn_random(key, LAYER * 65536 + u, t, b, STEP).word[0];
            for (uint32_t more = 0; more < 2; more++) {
                assert_ok(norn_kernel_set(&kernel, &err, 0, "uuiiufiiiblbl", key.word[0], key.word[1], LAYER,
                                          STEP, word + more, 2.0, T, (int)bp, 0, &from->buffer, (int64_t)at,
                                          &to->buffer, (int64_t)at),
                          &err);
                assert_ok(norn_launch(context, &kernel, context->local, bp / context->rows, 1, &err), &err);
                const float *got = floats_of(context, to);
                assert_true(got[at + (t * bp + b) * hp + u] == (more ? 2.0f : 0.0f));
                for (uint32_t i = 0; i < count && probe == 0; i++) { /* and all the others once */
                    const uint32_t other = norn_random(key, LAYER * 65536 + (uint32_t)(i % hp),
                                                       (uint32_t)(i / hp / bp), (uint32_t)(i / hp % bp), STEP)
                                               .word[0];
                    assert_true(got[at + i] == (other < word + more ? 2.0f : 0.0f));
                }
                for (size_t i = 0; i < at; i++)
                    assert_memory_equal(&got[i], &(uint32_t){CANARY}, sizeof(float));
            }
        }
        assert_canaries(context);
        norn_kernel_free(&kernel);
    }
}

/* ---- the permutation
 * --------------------------------------------------------------------------------------- */

static void assert_bijection(norn_key key, uint32_t round, uint64_t n)
{
    unsigned char *seen = take((size_t)n, 1);
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t to = norn_random_permute(key, round, i, n);
        if (to >= n || seen[to])
            fail_msg("n %llu: %llu goes to %llu", (unsigned long long)n, (unsigned long long)i,
                     (unsigned long long)to);
        seen[to] = 1;
    }
}

static void the_permutation_reaches_every_index_once(void **state)
{
    (void)state;
    static const uint64_t primes[] = {257, 509, 1021, 4093, 9973, 65537, 100003};
    const norn_key key = norn_random_key(1, 2, NORN_PURPOSE_ORDER);
    for (uint64_t n = 1; n <= 200; n++) assert_bijection(key, (uint32_t)n, n);
    for (size_t i = 0; i < NORN_COUNT(primes); i++) assert_bijection(key, 3, primes[i]);
    for (unsigned k = 8; k <= 17; k++)
        for (uint64_t n = (UINT64_C(1) << k) - 1; n <= (UINT64_C(1) << k) + 1; n++)
            assert_bijection(key, k, n);
}

/* Up to 2^62, where no table would do: images stay below n and do not meet. */
static void the_permutation_holds_for_huge_ranges(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static const uint64_t sizes[] = {UINT64_C(1) << 62, (UINT64_C(1) << 61) + 1, UINT64_C(10000000019),
                                     UINT64_C(1) << 32};
    const norn_key key = norn_random_key(1, 2, NORN_PURPOSE_ORDER);
    uint64_t *images = take(COUNT, sizeof *images);
    for (size_t s = 0; s < NORN_COUNT(sizes); s++)
        for (size_t i = 0; i < COUNT; i++) {
            images[i] = norn_random_permute(key, 0, i < COUNT / 2 ? i : sizes[s] - i, sizes[s]);
            assert_true(images[i] < sizes[s]);
            for (size_t k = 0; k < i; k++) assert_true(images[k] != images[i]);
        }
}

/* Positions of index 0 .. n-1 over many rounds: every image about as often (chi-square with 15 x 16 cells).
 */
static void the_permutation_depends_on_key_and_round_and_prefers_nothing(void **state)
{
    (void)state;
    enum { N = 16, ROUNDS = 4096 };
    const norn_key key = norn_random_key(1, 2, NORN_PURPOSE_ORDER),
                   other = norn_random_key(1, 3, NORN_PURPOSE_ORDER);
    size_t counts[N][N] = {{0}}, same_round = 0, same_key = 0;
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint64_t i = 0; i < N; i++) {
            const uint64_t to = norn_random_permute(key, round, i, N);
            counts[i][to]++;
            same_round += norn_random_permute(key, round + 1, i, N) == to;
            same_key += norn_random_permute(other, round, i, N) == to;
        }
    double chi = 0.0;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++) {
            const double expected = (double)ROUNDS / N, off = (double)counts[i][k] - expected;
            chi += off * off / expected;
        }
    /* 225 degrees of freedom: mean 225, deviation 21. One in N images agrees by chance, 4096 +- 62. */
    assert_true(chi > 120.0 && chi < 350.0);
    assert_true(same_round > 3700 && same_round < 4500);
    assert_true(same_key > 3700 && same_key < 4500);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_taken)
    const struct CMUnitTest tests[] = {
        TEST(philox_gives_its_known_answers),
        TEST(keys_of_different_streams_differ),
        TEST(a_unit_number_is_in_0_to_1_and_exact_as_a_float),
        TEST(the_device_draws_the_words_of_the_host),
        TEST(the_permutation_reaches_every_index_once),
        TEST(the_permutation_holds_for_huge_ranges),
        TEST(the_permutation_depends_on_key_and_round_and_prefers_nothing),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
