/*
 * Tunings: which rule a network gets, what is written and read, every kind of broken file with its place, and
 * what a tuning may and may not change. The mapping of a network is looked at from outside: by what it
 * computes, and by the program it is built as.
 */
#include "counting_host.h"
#include "device.h"

#include "compute/tuning.h"
#include "nn/compare.h"
#include "norn/tune.h"

#include <unistd.h>

static const norn_device_info some_device = {.size = sizeof(norn_device_info),
                                             .platform_name = "Some platform",
                                             .platform_version = "OpenCL 1.2 of some day",
                                             .name = "Some  Device (tm) 3",
                                             .driver = "1.2.3",
                                             .type = NORN_DEVICE_CPU,
                                             .vector_width = 8,
                                             .largest_group = 256};

static const char head[] =
    "norn-tuning 1\nplatform: Some platform\nplatform-version: OpenCL 1.2 of some day\n"
    "device: Some  Device (tm) 3\ndriver: 1.2.3\n";

static norn_tuning *made(const norn_device_info *device)
{
    norn_tuning *tuning = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_tuning_new(&tuning, device, NULL, &err), &err);
    return tuning;
}

static void add(norn_tuning *tuning, unsigned gates, size_t hidden, norn_mapping how)
{
    norn_error err = NORN_ERROR_INIT;
    const norn_tuning_rule rule = {gates, hidden, how};
    assert_ok(norn_tuning_add(tuning, &rule, &err), &err);
}

static bool same(norn_mapping a, norn_mapping b)
{
    return a.local_size == b.local_size && a.vector_width == b.vector_width && a.rows == b.rows &&
           a.stage == b.stage;
}

/* ---- rules ---- */

static void a_rule_is_found_by_gates_and_units_alone(void **state)
{
    (void)state;
    norn_tuning *t = made(&some_device);
    const norn_mapping narrow = {1, 4, 2, 0}, wide = {1, 8, 6, 0}, other = {4, 4, 1, 1};
    add(t, 4, 64, wide);
    add(t, 4, 16, narrow);
    add(t, 1, 32, other);
    const struct {
        unsigned gates;
        size_t hidden;
        const norn_mapping *want;
    } cases[] = {{4, 1, &narrow}, {4, 16, &narrow}, {4, 17, &wide}, {4, 64, &wide}, {4, 65, NULL},
                 {1, 16, &other}, {1, 33, NULL},    {3, 16, NULL},  {0, 1, NULL}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_mapping *got = norn_tuning_find(t, cases[i].gates, cases[i].hidden);
        if (!got != !cases[i].want || (got && !same(*got, *cases[i].want))) fail_msg("case %zu", i);
    }
    assert_null(norn_tuning_find(NULL, 4, 16));
    add(t, 4, 16, wide); /* in its place */
    size_t count = 0;
    (void)norn_tuning_rules(t, &count);
    assert_int_equal(count, 3);
    assert_true(same(*norn_tuning_find(t, 4, 16), wide));
    norn_tuning_free(t);
    norn_tuning_free(NULL);
}

static void a_mapping_that_no_kernel_has_is_refused(void **state)
{
    (void)state;
    static const norn_tuning_rule wrong[] = {
        {4, 16, {1, 16, 9, 0}}, {4, 16, {1, 16, 0, 0}},  {4, 16, {1, 2, 4, 0}},   {4, 16, {1, 1, 4, 0}},
        {4, 16, {3, 4, 4, 0}},  {4, 16, {512, 1, 4, 0}}, {4, 16, {0, 16, 4, 0}},  {4, 16, {1, 16, 4, 2}},
        {0, 16, {1, 16, 4, 0}}, {4, 0, {1, 16, 4, 0}},   {65, 16, {1, 16, 4, 0}}, {4, 65537, {1, 16, 4, 0}}};
    norn_tuning *t = made(&some_device);
    for (size_t i = 0; i < NORN_COUNT(wrong); i++) {
        norn_error err = NORN_ERROR_INIT;
        if (norn_tuning_add(t, &wrong[i], &err) != NORN_ERR_USAGE) fail_msg("case %zu", i);
    }
    for (size_t h = 1; h <= NORN_TUNING_RULES; h++) add(t, 4, h, (norn_mapping){1, 16, 4, 0});
    norn_error err = NORN_ERROR_INIT;
    const norn_tuning_rule one_more = {4, 100, {1, 16, 4, 0}};
    assert_int_equal(norn_tuning_add(t, &one_more, &err), NORN_ERR_USAGE);
    size_t beyond[NORN_TUNING_PARAMETERS] = {0};
    beyond[3] = 1025;
    assert_int_equal(norn_tuning_set_product(t, beyond, NULL), NORN_ERR_USAGE);
    assert_null(norn_tuning_product(t));
    norn_tuning_free(t);
}

static void what_ships_with_norn_is_a_mapping_that_every_device_can_run(void **state)
{
    (void)state;
    static const char *const vendors[] = {"NVIDIA Corporation", "Intel(R) Corporation",
                                          "Advanced Micro Devices, Inc.", "", "x"};
    for (int type = NORN_DEVICE_CPU; type <= NORN_DEVICE_ACCELERATOR; type++)
        for (size_t v = 0; v < NORN_COUNT(vendors); v++)
            for (unsigned width = 0; width <= 32; width = width ? 2 * width : 1)
                for (size_t group = 1; group <= 1024; group *= 2)
                    for (size_t hidden = 1; hidden <= 4096; hidden = 3 * hidden / 2 + 1) {
                        norn_device_info d = some_device;
                        d.type = (norn_device_type)type;
                        d.vector_width = width;
                        d.largest_group = group;
                        (void)snprintf(d.vendor, sizeof d.vendor, "%s", vendors[v]);
                        const norn_mapping m = norn_shipped_mapping(&d, hidden);
                        if (*norn_mapping_fault(&m) || m.local_size > group)
                            fail_msg("%d %s %u %zu %zu", type, vendors[v], width, group, hidden);
                        assert_true(type != NORN_DEVICE_CPU || (m.local_size == 1 && !m.stage));
                    }
    norn_device_info gpu = some_device;
    gpu.type = NORN_DEVICE_GPU;
    (void)strcpy(gpu.vendor, "NVIDIA Corporation");
    assert_int_equal(norn_shipped_mapping(&gpu, 32).local_size, 32);
    assert_int_equal(norn_shipped_mapping(&gpu, 33).local_size, 64);
    assert_int_equal(norn_shipped_mapping(&gpu, 511).stage, 0);
    assert_int_equal(norn_shipped_mapping(&gpu, 512).stage, 1);
    assert_null(norn_shipped_product(&gpu));
    assert_non_null(norn_shipped_product(&some_device));
}

/* ---- the file ---- */

static void what_was_written_is_read_again_to_the_byte(void **state)
{
    (void)state;
    char path[] = "/tmp/norn_tuning_XXXXXX", name[NORN_TUNING_NAME], *text = NULL, *again = NULL;
    const int file = mkstemp(path);
    assert_true(file >= 0);
    (void)close(file);
    norn_error err = NORN_ERROR_INIT;
    norn_tuning *t = made(&some_device), *read = NULL;
    size_t values[NORN_TUNING_PARAMETERS], length = 0, same_length = 0;
    for (size_t i = 0; i < NORN_TUNING_PARAMETERS; i++) values[i] = 1024 - i;
    add(t, 4, 64, (norn_mapping){1, 8, 6, 0});
    add(t, 1, 32, (norn_mapping){256, 1, 1, 1});
    assert_ok(norn_tuning_set_product(t, values, &err), &err);
    assert_ok(norn_tuning_write(t, path, &err), &err);
    assert_ok(norn_tuning_read(&read, path, NULL, &err), &err);
    assert_true(norn_tuning_fits(read, &some_device));
    assert_memory_equal(norn_tuning_product(read), values, sizeof values);
    assert_string_equal(norn_tuning_hash(read), norn_tuning_hash(t));
    assert_ok(norn_tuning_text(t, &text, &length, &err), &err);
    assert_ok(norn_tuning_text(read, &again, &same_length, &err), &err);
    assert_int_equal(length, same_length);
    assert_memory_equal(text, again, length);
    static const char rules[] = "rule gates=1 hidden=32 local=256 vector=1 rows=1 path=stage\n"
                                "rule gates=4 hidden=64 local=1 vector=8 rows=6 path=sequence\n"
                                "product GEMMK=1024 KREG=1023 ";
    assert_memory_equal(text, head, sizeof head - 1);
    assert_memory_equal(text + sizeof head - 1, rules, sizeof rules - 1);
    /* printf ... | sha256sum says so, too */
    assert_string_equal(norn_tuning_file_name(&some_device, name), "some_device_tm_3-9e028d0b.tuning");
    norn_tuning_text_free(text, length, NULL);
    norn_tuning_text_free(again, same_length, NULL);
    norn_tuning_free(read);
    norn_tuning_free(t);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(norn_tuning_read(&read, path, NULL, &err), NORN_ERR_INPUT);
}

static void a_broken_file_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* behind the head where it begins with '+' */
        uint64_t line, column;
        const char *words;
    } cases[] = {
        {"", 1, 1, "empty"},
        {"\n", 1, 1, "not a tuning"},
        {"{\"a\":1}\n", 1, 1, "not a tuning"},
        {"# a comment first\n", 1, 1, "not a tuning"},
        {"norn-tuning 2\n", 1, 13, "format 2"},
        {"norn-tuning 999999999999999999999999\n", 1, 13, "of format"},
        {"norn-tuning 0\n", 1, 13, "expected the format"},
        {"norn-tuning 1 \n", 1, 13, "expected the format"},
        {"norn-tuning 01\n", 1, 13, "expected the format"},
        {"norn-tuning 1\n", 2, 1, "before it names its device"},
        {"norn-tuning 1\ndevice: x\n", 2, 1, "expected \"platform: \", found \"device:\""},
        {"norn-tuning 1\nplatform: \n", 2, 11, "expected a name"},
        {"+rule\n", 6, 5, "expected \" gates=\", found the end of the line"},
        {"+rule gates=4 hidden=16 local=1 vector=16 rows=4 path=sequence \n", 6, 62, "end of the line"},
        {"+rule gates=4 hidden=16 local=1 vector=16 rows=4 path=x\n", 6, 48, "found \"path=x\""},
        {"+rule gates=4 hidden=16 local=1 vector=16 rows=9 path=stage\n", 6, 47,
         "rows: expected a number from 1 to 8"},
        {"+rule gates=4 hidden=016 local=1 vector=16 rows=4 path=stage\n", 6, 21, "hidden"},
        {"+rule gates=4 hidden=99999999999999999999999 local=1 vector=16 rows=4 path=stage\n", 6, 21,
         "hidden"},
        {"+rule gates=-4 hidden=16 local=1 vector=16 rows=4 path=stage\n", 6, 12, "gates"},
        {"+rule gates=4 hidden=16 local=1 vector=3 rows=4 path=stage\n", 6, 1, "1, 4, 8 or 16"},
        {"+rule gates=4 hidden=16 local=1 vector=4 rows=4 path=stage\n\n#\nrule gates=4 hidden=16 local=1 "
         "vector=8 "
         "rows=4 path=stage\n",
         9, 1, "second rule"},
        {"+product GEMMK=0\n", 6, 16, "expected \" KREG=\""},
        {"+product GEMMK=0 KREG=1025\n", 6, 22, "KREG"},
        {"+Rule\n", 6, 1, "found \"Rule\""},
        {"+driver: 1.2.3\n", 6, 1, "expected a \"rule\""},
        {"+rule\r\n", 6, 5, "gates"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char bytes[1024];
        const bool behind = cases[i].bytes[0] == '+';
        (void)snprintf(bytes, sizeof bytes, "%s%s", behind ? head : "", cases[i].bytes + behind);
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_tuning *t = NULL;
        const norn_status status = norn_tuning_parse(&t, bytes, strlen(bytes), "f.tuning", &host, &err);
        if (status != NORN_ERR_DATA || t || strcmp(err.file, "f.tuning") != 0 || err.line != cases[i].line ||
            err.column != cases[i].column || !strstr(err.message, cases[i].words))
            fail_msg("case %zu: %s %llu:%llu %s", i, norn_status_name(status), (unsigned long long)err.line,
                     (unsigned long long)err.column, err.message);
        assert_all_returned(&counter);
    }
}

static void a_file_cut_off_or_changed_anywhere_is_read_or_refused_and_never_worse(void **state)
{
    (void)state;
    norn_tuning *t = made(&some_device);
    norn_error err = NORN_ERROR_INIT;
    char *text = NULL;
    size_t length = 0;
    add(t, 4, 64, (norn_mapping){1, 8, 6, 0});
    assert_ok(norn_tuning_set_product(t, norn_shipped_product(&some_device), &err), &err);
    assert_ok(norn_tuning_text(t, &text, &length, &err), &err);
    static const char bytes[] = {'\0', '\n', '#', '9', ' ', '=', '\xff'};
    for (size_t at = 0; at < length; at++)
        for (size_t b = 0; b <= NORN_COUNT(bytes); b++) {
            char *copy = malloc(length + 1); /* so that a byte too far is seen */
            assert_non_null(copy);
            const size_t n = b < NORN_COUNT(bytes) ? length : at;
            memcpy(copy, text, n);
            if (n == length) copy[at] = bytes[b];
            char *tight = realloc(copy, n ? n : 1);
            norn_tuning *read = NULL;
            const norn_status status = norn_tuning_parse(&read, tight, n, "f", NULL, NULL);
            assert_true(status == NORN_OK || status == NORN_ERR_DATA);
            if (status == NORN_OK && n == length && tight[at] != text[at])
                assert_string_not_equal(norn_tuning_hash(read), norn_tuning_hash(t));
            norn_tuning_free(read);
            free(tight);
        }
    norn_tuning_text_free(text, length, NULL);
    norn_tuning_free(t);
}

/* ---- what it does ---- */

static void a_tuning_of_another_device_is_refused(void **state)
{
    (void)state;
    norn_context *context = context_of(WIDE);
    norn_error err = NORN_ERROR_INIT;
    const norn_device_info *here = norn_context_device(context);
    for (size_t i = 0; i < 6; i++) {
        norn_device_info other = *here;
        char *const names[] = {other.platform_name, other.platform_version, other.name, other.driver};
        if (i < NORN_COUNT(names)) names[i][0] ^= 1;
        if (i == 5) other.compute_units++; /* of no account */
        norn_tuning *t = made(&other);
        err = (norn_error)NORN_ERROR_INIT;
        const norn_status want = i < NORN_COUNT(names) ? NORN_ERR_USAGE : NORN_OK;
        assert_int_equal(norn_context_tune(context, t, &err), want);
        norn_tuning_free(t);
    }
    assert_string_not_equal(norn_context_tuning(context), "");
    assert_ok(norn_context_tune(context, NULL, &err), &err);
    assert_string_equal(norn_context_tuning(context), "");
}

/* The mapping that a network of so many units gets. */
static norn_mapping mapping_of(norn_context *context, size_t hidden, double *gradient)
{
    norn_error err = NORN_ERROR_INIT;
    norn_series *series = NULL;
    norn_network *network = NULL;
    norn_network_comparison found;
    const size_t rows[] = {40};
    const int of[] = {0};
    const norn_network_shape shape = {.inputs = 1,
                                      .hidden = hidden,
                                      .layers = 2,
                                      .window = 5,
                                      .horizon = 3,
                                      .batch = 7,
                                      .members = 1,
                                      .loss = NORN_LOSS_MSE};
    assert_ok(norn_series_new(&series, context, 1, 1, 1, rows, of, &err), &err);
    assert_ok(norn_network_new(&network, context, &shape, series, &err), &err);
    norn_mapping map = network->map;
    map.stage = network->shape.path == NORN_PATH_STAGE;
    norn_network_free(network);
    norn_series_free(series);
    assert_ok(norn_compare_network(context, &shape, 7, 3, &found, &err), &err);
    *gradient = found.gradient;
    return map;
}

static void networks_of_one_context_have_the_mapping_of_their_rule_and_compute_the_same(void **state)
{
    (void)state;
    norn_context *context = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_context_new(&context, NULL, NULL, &err), &err);
    norn_tuning *t = made(norn_context_device(context));
    const norn_mapping small = {1, 4, 3, 0}, items = {4, 1, 2, 0}, large = {1, 8, 2, 1};
    add(t, 4, 5, small);
    add(t, 4, 9, items);
    add(t, 4, 17, large);
    assert_ok(norn_context_tune(context, t, &err), &err);
    const struct {
        size_t hidden;
        norn_mapping want;
    } cases[] = {
        {5, small}, {9, items}, {17, large}, {18, norn_shipped_mapping(norn_context_device(context), 18)}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        double gradient = 1.0;
        if (!same(mapping_of(context, cases[i].hidden, &gradient), cases[i].want)) fail_msg("case %zu", i);
        if (!(gradient < 2e-5)) fail_msg("case %zu: the gradient is off by %g", i, gradient);
    }
    norn_context_free(context);

    /* What was given to a context holds for all its networks. */
    double gradient = 1.0;
    assert_ok(norn_context_tune(context_of(HALF), t, &err), &err);
    assert_true(same(mapping_of(context_of(HALF), 5, &gradient), (norn_mapping){1, 8, 3, 0}));
    assert_ok(norn_context_tune(context_of(HALF), NULL, &err), &err);
    norn_tuning_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_found_by_gates_and_units_alone),
        cmocka_unit_test(a_mapping_that_no_kernel_has_is_refused),
        cmocka_unit_test(what_ships_with_norn_is_a_mapping_that_every_device_can_run),
        cmocka_unit_test(what_was_written_is_read_again_to_the_byte),
        cmocka_unit_test(a_broken_file_is_refused_with_its_place),
        cmocka_unit_test(a_file_cut_off_or_changed_anywhere_is_read_or_refused_and_never_worse),
        cmocka_unit_test(a_tuning_of_another_device_is_refused),
        cmocka_unit_test(networks_of_one_context_have_the_mapping_of_their_rule_and_compute_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, free_contexts);
}
