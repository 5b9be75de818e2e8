/*
 * Measuring candidates: which there are, that a wrong one is told from a right one, and that what comes back
 * are times of what was asked. Nothing here depends on how fast the machine is.
 */
#include "counting_host.h"
#include "device.h"

#include "compute/tuning.h"
#include "norn/norn.h"

#include <math.h>

static norn_device_info device_of(norn_device_type type, unsigned width, size_t group)
{
    return (norn_device_info){.size = sizeof(norn_device_info),
                              .type = type,
                              .vector_width = width,
                              .largest_group = group,
                              .vendor = "NVIDIA Corporation"};
}

static void candidates_are_layouts_that_the_device_has_and_none_twice(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 8, 16, 32, 33, 64, 128, 256, 512, 4096};
    for (int type = NORN_DEVICE_CPU; type <= NORN_DEVICE_GPU; type++)
        for (unsigned width = 1; width <= 16; width *= 2)
            for (size_t group = 32; group <= 1024; group *= 4)
                for (size_t i = 0; i < NORN_COUNT(sizes); i++)
                    for (size_t axis = 0; axis <= NORN_TUNE_AXES; axis++) {
                        const norn_device_info d = device_of((norn_device_type)type, width, group);
                        const norn_mapping now = norn_shipped_mapping(&d, sizes[i]);
                        norn_mapping list[NORN_TUNE_MOST + 1];
                        memset(list, 0x5a, sizeof list);
                        const norn_mapping canary = list[NORN_TUNE_MOST];
                        const size_t count = norn_tune_candidates(list, &d, sizes[i], &now, axis);
                        assert_true(count <= NORN_TUNE_MOST);
                        assert_memory_equal(&list[NORN_TUNE_MOST], &canary, sizeof canary);
                        for (size_t k = 0; k < count; k++) {
                            assert_string_equal(norn_mapping_fault(&list[k]), "");
                            assert_true(list[k].local_size <= group);
                            assert_true(type != NORN_DEVICE_CPU || list[k].local_size == 1);
                            assert_true(memcmp(&list[k], &now, sizeof now) != 0);
                            for (size_t l = 0; l < k; l++)
                                assert_true(memcmp(&list[k], &list[l], sizeof now) != 0);
                        }
                        if (axis == 1) assert_int_equal(count, 5); /* 1, 2, 3, 6 and 8 rows */
                    }
}

static void sets_of_parameters_keep_the_rules_of_clblast(void **state)
{
    (void)state;
    enum { GEMMK, KREG, KWG, KWI, MDIMA, MDIMC, MWG, NDIMB, NDIMC, NWG, SA, SB, STRM, STRN, VWM, VWN };
    for (int type = NORN_DEVICE_CPU; type <= NORN_DEVICE_GPU; type++) {
        const norn_device_info d = device_of((norn_device_type)type, 16, 256);
        size_t count = 0;
        for (const size_t *v; (v = norn_tune_product(&d, count)); count++) {
            assert_int_equal(v[GEMMK], 0);
            assert_int_equal(v[KWG] % v[KWI], 0);
            assert_int_equal(v[MWG] % (v[MDIMC] * v[VWM]), 0);
            assert_int_equal(v[NWG] % (v[NDIMC] * v[VWN]), 0);
            assert_int_equal(v[MWG] % (v[MDIMA] * v[VWM]), 0);
            assert_int_equal(v[NWG] % (v[NDIMB] * v[VWN]), 0);
            assert_int_equal(v[KWG] % (v[MDIMC] * v[NDIMC] / v[MDIMA]), 0);
            assert_int_equal(v[KWG] % (v[MDIMC] * v[NDIMC] / v[NDIMB]), 0);
            assert_true(v[MDIMC] * v[NDIMC] <= 256);
        }
        assert_true(count >= 4);
    }
}

static norn_tune_shape small_shape(void)
{
    norn_tune_shape shape = NORN_TUNE_SHAPE_INIT;
    shape.hidden = 9;
    shape.window = 6;
    shape.horizon = 2;
    shape.batch = 5;
    shape.inputs = 2;
    shape.seconds = 0.0;
    return shape;
}

static void a_candidate_is_compared_and_timed_beside_another(void **state)
{
    (void)state;
    const norn_tune_shape shape = small_shape();
    const norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    const norn_mapping usual = {1, 8, 3, 0}, candidates[] = {{1, 8, 3, 0}, {4, 1, 2, 0}};
    for (size_t i = 0; i < NORN_COUNT(candidates); i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_tune_result r;
        assert_ok(norn_tune_try(&r, &options, &shape, &candidates[i], &usual, &host, &err), &err);
        assert_int_equal(r.gates, 4);
        assert_true(r.error > 0.0 && r.error <= 1.0); /* never quite the reference in double precision */
        assert_true(r.seconds > 0.0 && r.beside > 0.0 && r.ratio > 0.0 && r.build > 0.0);
        assert_true(isfinite(r.ratio));
        assert_all_returned(&counter);
    }
}

static void a_shape_or_layout_that_there_is_not_is_refused_and_a_cancelled_one_ends(void **state)
{
    (void)state;
    const norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    const norn_mapping usual = {1, 8, 3, 0}, none = {1, 8, 9, 0};
    norn_tune_shape shapes[5];
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) shapes[i] = small_shape();
    shapes[0].cell = "no_such_cell";
    shapes[1].cell = "gru_reset_before"; /* of several stages */
    shapes[2].inputs = 33;
    shapes[3].batch = 0;
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_tune_result r;
        const norn_status status =
            norn_tune_try(&r, &options, &shapes[i], i < 4 ? &usual : &none, &usual, &host, &err);
        if (status != NORN_ERR_USAGE) fail_msg("case %zu: %s %s", i, norn_status_name(status), err.message);
        assert_all_returned(&counter);
    }
    norn_cancel *cancel = NULL;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_cancel_raise(cancel);
    norn_host host = NORN_HOST_INIT;
    host.cancel = cancel;
    norn_error err = NORN_ERROR_INIT;
    norn_tune_result r;
    assert_int_equal(norn_tune_try(&r, &options, &shapes[4], &usual, &usual, &host, &err),
                     NORN_ERR_CANCELLED);
    norn_cancel_free(cancel);
}

/* KWG=3 is shared by 2 rows of items: not every number of a tile is loaded. A CLBlast may refuse it, but
 * never make a product of it. */
static void a_wrong_product_is_told_from_a_right_one(void **state)
{
    (void)state;
    static const size_t wrong[NORN_TUNING_PARAMETERS] = {0, 1, 3, 1, 4, 4, 32, 2, 2, 8, 1, 0, 0, 0, 4, 2};
    const norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    const norn_tune_shape shape = small_shape();
    norn_error err = NORN_ERROR_INIT;
    norn_tune_result r = {.error = 9.0};
    assert_ok(norn_tune_try_product(&r, &options, &shape, NULL, NULL, &err), &err);
    assert_true(r.error == 0.0 && r.seconds > 0.0 && r.beside > 0.0);
    if (norn_tune_try_product(&r, &options, &shape, wrong, NULL, &err) == NORN_OK) assert_true(r.error > 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_are_layouts_that_the_device_has_and_none_twice),
        cmocka_unit_test(sets_of_parameters_keep_the_rules_of_clblast),
        cmocka_unit_test(a_candidate_is_compared_and_timed_beside_another),
        cmocka_unit_test(a_shape_or_layout_that_there_is_not_is_refused_and_a_cancelled_one_ends),
        cmocka_unit_test(a_wrong_product_is_told_from_a_right_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
