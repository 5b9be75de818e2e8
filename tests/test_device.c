/*
 * What goes wrong before and between kernels is told in words: no platform, no such device, a buffer beyond
 * the device, kernels that do not build. And contexts come and go, side by side and one after another,
 * without a trace.
 *
 * What a process finds of OpenCL is decided before its first call, so tests of broken machines run in
 * processes of their own: this program with an argument.
 */
#include "counting_host.h"
#include "forecast_support.h"

#include "compute/compute.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char *program; /* argv[0] */

/* ---- broken machines ------------------------------------------------------------------------------------
 */

typedef struct broken { /* settings of a machine, what a context says there, and how many devices are listed
                         */
    const char *name, *settings[3];
    const char *words[3];
} broken;

static const broken machines[] = {
    {"no platform", {"OCL_ICD_VENDORS=/nonexistent/folder"}, {"no OpenCL platform", "pocl-opencl-icd"}},
    {"an unwritable kernel cache",
     {"POCL_CACHE_DIR=/proc/nowhere"},
     {"no usable OpenCL device", "POCL_CACHE_DIR"}},
};

/* In the child: 0 when the machine is described as it should be. */
static int try_machine(const char *number)
{
    const broken *m = &machines[strtoul(number, NULL, 10) % (sizeof machines / sizeof *machines)];
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_error err = NORN_ERROR_INIT;
    norn_context *context = NULL;
    norn_device_info *infos = NULL;
    size_t count = 99;
    const norn_status listed = norn_devices_list(&infos, &count, &host, &err);
    if (listed != NORN_OK || count != 0) {
        (void)fprintf(stderr, "%s: listing gave %s, %zu devices\n", m->name, norn_status_name(listed), count);
        return 1;
    }
    norn_devices_free(infos, count, &host);
    const norn_status status = norn_context_new(&context, NULL, &host, &err);
    bool right = status == NORN_ERR_DEVICE && err.status == status && !context && !counter.blocks;
    for (size_t i = 0; i < 3 && m->words[i]; i++) right &= strstr(err.message, m->words[i]) != NULL;
    if (!right) (void)fprintf(stderr, "%s: %s \"%s\"\n", m->name, norn_status_name(status), err.message);
    return right ? 0 : 1;
}

static void a_machine_without_a_device_is_told_what_mends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        size_t count = 0, kept = 0;
        while (environ[count]) count++;
        char **changed = calloc(count + 4, sizeof *changed), setting[3][128], number[16], name[1024];
        assert_non_null(changed);
        for (size_t e = 0; e < count; e++) {
            bool replaced = false;
            for (size_t k = 0; k < 3 && machines[i].settings[k]; k++) {
                const char *to = machines[i].settings[k];
                replaced |= strncmp(environ[e], to, (size_t)(strchr(to, '=') - to) + 1) == 0;
            }
            if (!replaced) changed[kept++] = environ[e];
        }
        for (size_t k = 0; k < 3 && machines[i].settings[k]; k++) {
            (void)snprintf(setting[k], sizeof setting[k], "%s", machines[i].settings[k]);
            changed[kept++] = setting[k];
        }
        (void)snprintf(number, sizeof number, "%zu", i);
        (void)snprintf(name, sizeof name, "%s", program);
        char *const arguments[] = {name, number, NULL};
        pid_t child;
        int status = -1;
        assert_int_equal(posix_spawn(&child, name, NULL, NULL, arguments, changed), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("%s", machines[i].name);
        free(changed);
    }
}

/* ---- devices and contexts -------------------------------------------------------------------------------
 */

static void devices_are_listed_with_one_that_is_chosen(void **state)
{
    (void)state;
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_error err = NORN_ERROR_INIT;
    norn_device_info *infos = NULL;
    size_t count = 0, chosen = 0;
    assert_ok(norn_devices_list(&infos, &count, &host, &err), &err);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const norn_device_info *d = &infos[i];
        assert_true(d->size == sizeof *d && d->name[0] && d->platform_name[0] && d->driver[0]);
        assert_true(d->compute_units > 0 && d->memory > 0 && d->largest_buffer > 0 && d->largest_group > 0);
        assert_true(d->reason[0] || (d->usable && !d->chosen));
        chosen += d->chosen != 0;
        if (d->usable) { /* by numbers, and by a part of its name in any case */
            char wish[64];
            for (size_t way = 0; way < 2; way++) {
                (void)snprintf(wish, sizeof wish, "%d:%d", d->platform, d->device);
                if (way) {
                    (void)snprintf(wish, sizeof wish, "%.8s", d->name);
                    for (char *c = wish; *c; c++)
                        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
                }
                norn_context_options o = NORN_CONTEXT_OPTIONS_INIT;
                norn_context *context = NULL;
                o.device = wish;
                assert_ok(norn_context_new(&context, &o, &host, &err), &err);
                if (!way) assert_string_equal(norn_context_device(context)->name, d->name);
                norn_context_free(context);
            }
        }
    }
    assert_int_equal(chosen, 1);
    norn_devices_free(infos, count, &host);
    norn_context_free(NULL);
    assert_all_returned(&counter);
}

static void a_device_or_mapping_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    static const struct {
        norn_context_options o;
        norn_status status;
        const char *words;
    } cases[] = {
#define WITH(...) {.size = sizeof(norn_context_options), __VA_ARGS__}
        {WITH(.device = "no such thing"), NORN_ERR_DEVICE, "\"no such thing\"; `norn devices` lists them"},
        {WITH(.device = "99:0"), NORN_ERR_DEVICE, "99:0"},
        {WITH(.device = "0:99"), NORN_ERR_DEVICE, "0:99"},
        {WITH(.device = "-1:0"), NORN_ERR_DEVICE, "-1:0"},
        {WITH(.device = "0:0x"), NORN_ERR_DEVICE, "0:0x"},
        {WITH(.device = "bell\a"), NORN_ERR_DEVICE, "bell\\x07"},
        {WITH(.vector_width = 3), NORN_ERR_USAGE, "3 floats"},
        {WITH(.vector_width = 32), NORN_ERR_USAGE, "32 floats"},
        {WITH(.local_size = 48), NORN_ERR_USAGE, "48 work-items"},
        {WITH(.local_size = 512, .vector_width = 1), NORN_ERR_USAGE, "512 work-items"},
        {WITH(.rows = 9), NORN_ERR_USAGE, "9 rows"},
#undef WITH
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_context *context = NULL;
        const norn_status status = norn_context_new(&context, &cases[i].o, &host, &err);
        if (status != cases[i].status || !strstr(err.message, cases[i].words))
            fail_msg("case %zu: %s \"%s\"", i, norn_status_name(status), err.message);
        assert_null(context);
        assert_all_returned(&counter);
    }
}

static void an_allocation_that_fails_while_a_context_is_made_leaks_nothing(void **state)
{
    (void)state;
    size_t point = 1;
    for (bool reached = true; reached; point++) {
        counting_host counter = {.fail_at = point};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_context *context = NULL;
        const norn_status status = norn_context_new(&context, NULL, &host, &err);
        reached = counter.asked >= point;
        assert_int_equal(status, reached ? NORN_ERR_MEMORY : NORN_OK);
        assert_int_equal(err.status, status);
        norn_context_free(context);
        assert_all_returned(&counter);
    }
    assert_true(point > 2);
}

/* Bytes this process holds, or 0 where nobody tells. */
static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    (void)fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void contexts_come_and_go_without_growth(void **state)
{
    (void)state;
    static const char *const files[] = {"gemm", NULL};
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    size_t before = 0;
    for (size_t i = 0; i < 24; i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_context *context = NULL;
        norn_program *built = NULL, *again = NULL;
        norn_buffer buffer = {NULL, 0, NULL};
        static float numbers[1 << 18];
        assert_ok(norn_context_new(&context, NULL, &host, &err), &err);
        assert_ok(norn_buffer_new(context, &buffer, sizeof numbers, numbers, "a buffer", &err), &err);
        assert_ok(norn_program_get(context, &built, files, "", &err), &err);
        assert_ok(norn_program_get(context, &again, files, "", &err), &err);
        assert_ptr_equal(built, again); /* built once */
        norn_buffer_free(&buffer);
        norn_context_free(context);
        assert_all_returned(&counter);
        if (i == 3) before = resident_bytes(); /* the compiler and the loader have settled */
    }
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NORN_COUNTS_FREED_MEMORY
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) &&                                                                        \
    !defined(NORN_COUNTS_FREED_MEMORY) /* a sanitizer keeps what was freed */
    const size_t after = resident_bytes();
    if (after > before + (4u << 20)) /* twenty buffers alone would be 20 MiB */
        fail_msg("twenty contexts took %zu KiB", (after - before) >> 10);
#else
    (void)before;
#endif
}

/* ---- buffers and programs -------------------------------------------------------------------------------
 */

static void a_buffer_beyond_the_device_is_refused_with_both_sizes(void **state)
{
    norn_context *context = *state;
    norn_error err = NORN_ERROR_INIT;
    norn_buffer buffer = {NULL, 0, NULL};
    const size_t largest = (size_t)norn_context_device(context)->largest_buffer;
    char sizes[2][64];
    assert_int_equal(norn_buffer_new(context, &buffer, largest + (1u << 20), NULL, "the hidden states", &err),
                     NORN_ERR_MEMORY);
    (void)snprintf(sizes[0], sizeof sizes[0], "the hidden states would take %.1f MiB",
                   (double)(largest >> 10) / 1024 + 1);
    (void)snprintf(sizes[1], sizeof sizes[1], "is %.1f MiB", (double)largest / 1048576);
    assert_non_null(strstr(err.message, sizes[0]));
    assert_non_null(strstr(err.message, sizes[1]));
    assert_non_null(strstr(err.message, "--batch"));
    assert_null(buffer.mem);
    err = (norn_error)NORN_ERROR_INIT;
    assert_int_equal(norn_buffer_new(context, &buffer, SIZE_MAX, NULL, "all", &err), NORN_ERR_MEMORY);
    assert_null(buffer.mem);
}

static void a_new_buffer_is_zero_and_what_is_written_comes_back(void **state)
{
    norn_context *context = *state;
    norn_error err = NORN_ERROR_INIT;
    static const size_t sizes[] = {1, 4, 63, 64, 65, 4097, 100003};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i];
        unsigned char *bytes = malloc(n), *back = malloc(n);
        assert_true(bytes && back);
        for (size_t k = 0; k < n; k++) bytes[k] = (unsigned char)(k * 31 + 1);
        norn_buffer a = {NULL, 0, NULL}, b = {NULL, 0, NULL};
        assert_ok(norn_buffer_new(context, &a, n, NULL, "zeros", &err), &err);
        assert_ok(norn_buffer_read(context, &a, 0, back, n, &err), &err);
        for (size_t k = 0; k < n; k++) assert_true(back[k] == 0);
        assert_ok(norn_buffer_new(context, &b, n, bytes, "bytes", &err), &err);
        assert_ok(norn_buffer_copy(context, &b, n / 2, &a, 0, n - n / 2, &err), &err);
        assert_ok(norn_buffer_read(context, &a, 0, back, n - n / 2, &err), &err);
        assert_memory_equal(back, bytes + n / 2, n - n / 2);
        assert_ok(norn_buffer_zero(context, &b, n / 2, n - n / 2, &err), &err);
        assert_ok(norn_buffer_read(context, &b, 0, back, n, &err), &err);
        assert_memory_equal(back, bytes, n / 2);
        for (size_t k = n / 2; k < n; k++) assert_true(back[k] == 0);
        norn_buffer_free(&a);
        norn_buffer_free(&b);
        norn_buffer_free(&b); /* an empty one is fine */
        free(bytes);
        free(back);
    }
}

static void a_failed_call_is_told_with_its_name_and_code(void **state)
{
    norn_context *context = *state;
    norn_error err = NORN_ERROR_INIT;
    norn_buffer buffer = {NULL, 0, NULL};
    assert_ok(norn_buffer_new(context, &buffer, 64, NULL, "a buffer", &err), &err);
    char bytes[256] = {0};
    assert_int_equal(norn_buffer_write(context, &buffer, 0, bytes, sizeof bytes, &err), NORN_ERR_OPENCL);
    assert_string_equal(err.call, "clEnqueueWriteBuffer");
    assert_int_equal(err.code, CL_INVALID_VALUE);
    assert_non_null(strstr(err.message, "CL_INVALID_VALUE (-30)"));

    /* The first error stays. */
    assert_int_equal(norn_buffer_read(context, &buffer, 0, bytes, sizeof bytes, &err), NORN_ERR_OPENCL);
    assert_string_equal(err.call, "clEnqueueWriteBuffer");
    assert_int_equal(norn_buffer_read(context, &buffer, 0, bytes, sizeof bytes, NULL), NORN_ERR_OPENCL);

    static const char *const files[] = {"gemm", NULL};
    norn_program *built = NULL;
    norn_kernel kernel = {.cl = NULL};
    err = (norn_error)NORN_ERROR_INIT;
    assert_ok(norn_program_get(context, &built, files, "", &err), &err);
    assert_int_equal(norn_kernel_new(context, &kernel, built, "no_such_kernel", &err), NORN_ERR_OPENCL);
    assert_string_equal(err.call, "clCreateKernel");
    assert_int_equal(err.code, CL_INVALID_KERNEL_NAME);
    assert_non_null(strstr(err.message, "no_such_kernel"));
    norn_buffer_free(&buffer);
}

static void a_program_that_does_not_build_shows_the_compiler_s_words(void **state)
{
    norn_context *context = *state;
    static const char *const files[] = {"sequence", NULL};
    norn_error err = NORN_ERROR_INIT;
    norn_program *built = NULL;
    assert_int_equal(norn_program_get(context, &built, files, "-DH=nonsense", &err), NORN_ERR_BUILD);
    assert_int_equal(err.status, NORN_ERR_BUILD);
    assert_string_equal(err.call, "clBuildProgram");
    assert_int_equal(err.code, CL_BUILD_PROGRAM_FAILURE);
    assert_true(strlen(err.log) > 20);
    assert_non_null(strstr(err.log, "error"));
    assert_non_null(strstr(err.message, "kernels/sequence.cl"));
    assert_non_null(strstr(err.message, "-DH=nonsense"));
    assert_null(built);
    /* It failed for good, and what follows is none the worse. */
    norn_error again = NORN_ERROR_INIT;
    assert_int_equal(norn_program_get(context, &built, files, "-DH=nonsense", &again), NORN_ERR_BUILD);
    static const char *const sound[] = {"gemm", NULL}, *const unknown[] = {"nothing", NULL};
    err = (norn_error)NORN_ERROR_INIT;
    assert_ok(norn_program_get(context, &built, sound, "", &err), &err);
    built = NULL;
    assert_int_equal(norn_program_get(context, &built, unknown, "", &err), NORN_ERR_INTERNAL);
    assert_null(built);
}

/* ---- side by side ---------------------------------------------------------------------------------------
 */

enum { N = 90, RUNS = 3 };

typedef struct worker {
    double y[N];
    norn_status status;
    norn_error err;
    norn_forecast *forecasts[RUNS];
} worker;

/* A context of its own for each forecast: building, training and freeing overlap with the other thread's. */
static void *work(void *argument)
{
    worker *w = argument;
    const double *targets[] = {w->y};
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.horizon = 6;
    for (size_t i = 0; i < RUNS && w->status == NORN_OK; i++) {
        norn_table *table = NULL;
        norn_context *context = NULL;
        w->status = norn_table_from_arrays(&table, N, 1, targets, 0, NULL, NULL,
                                           (norn_step){NORN_STEP_INTEGER, 1}, NULL, &w->err);
        if (w->status == NORN_OK) w->status = norn_context_new(&context, NULL, NULL, &w->err);
        if (w->status == NORN_OK)
            w->status = norn_forecast_run(&w->forecasts[i], context, table, &o, NULL, &w->err);
        norn_context_free(context);
        norn_table_free(table);
    }
    return NULL;
}

static void two_contexts_in_two_threads_give_the_bits_of_one_alone(void **state)
{
    (void)state;
    static worker alone[2], together[2];
    uint64_t seed = 31;
    for (size_t i = 0; i < 2; i++) {
        alone[i] = together[i] = (worker){.err = NORN_ERROR_INIT};
        for (size_t r = 0; r < N; r++) alone[i].y[r] = sin(0.4 * (double)r) + 0.2 * draw(&seed);
        memcpy(together[i].y, alone[i].y, sizeof alone[i].y);
        (void)work(&alone[i]);
    }
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &together[i]), 0);
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(alone[i].status, &alone[i].err);
        assert_ok(together[i].status, &together[i].err);
        for (size_t k = 0; k < RUNS; k++) {
            assert_true(same_values(alone[i].forecasts[0], together[i].forecasts[k], 1));
            assert_true(same_held_back(alone[i].forecasts[0], together[i].forecasts[k], 1, true));
        }
    }
    assert_false(same_values(alone[0].forecasts[0], alone[1].forecasts[0], 1));
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < RUNS; k++) {
            norn_forecast_free(alone[i].forecasts[k]);
            norn_forecast_free(together[i].forecasts[k]);
        }
}

/* ---- self-test ------------------------------------------------------------------------------------------
 */

typedef struct lines {
    size_t count, failed;
} lines;

static void count_line(void *user, const char *what, double error, double bound, int passed)
{
    lines *l = user;
    l->count++;
    l->failed += !passed;
    if (!passed || !(error <= bound)) print_error("%s: %g, bound %g\n", what, error, bound);
}

static void the_self_test_passes_on_both_mappings(void **state)
{
    (void)state;
    static const unsigned items[] = {1, 64};
    for (size_t i = 0; i < 2; i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_context_options o = NORN_CONTEXT_OPTIONS_INIT;
        o.local_size = items[i];
        o.vector_width = items[i] > 1 ? 1 : 0;
        norn_error err = NORN_ERROR_INIT;
        norn_context *context = NULL;
        lines l = {0, 0};
        assert_ok(norn_context_new(&context, &o, &host, &err), &err);
        assert_ok(norn_self_test(context, count_line, &l, &err), &err);
        assert_true(l.count >= 10 && l.failed == 0);
        norn_context_free(context);
        assert_all_returned(&counter);
    }
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc > 1) return try_machine(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_without_a_device_is_told_what_mends_it),
        cmocka_unit_test(devices_are_listed_with_one_that_is_chosen),
        cmocka_unit_test(a_device_or_mapping_that_does_not_exist_is_refused),
        cmocka_unit_test(an_allocation_that_fails_while_a_context_is_made_leaks_nothing),
        cmocka_unit_test(contexts_come_and_go_without_growth),
        cmocka_unit_test(a_buffer_beyond_the_device_is_refused_with_both_sizes),
        cmocka_unit_test(a_new_buffer_is_zero_and_what_is_written_comes_back),
        cmocka_unit_test(a_failed_call_is_told_with_its_name_and_code),
        cmocka_unit_test(a_program_that_does_not_build_shows_the_compiler_s_words),
        cmocka_unit_test(two_contexts_in_two_threads_give_the_bits_of_one_alone),
        cmocka_unit_test(the_self_test_passes_on_both_mappings),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
