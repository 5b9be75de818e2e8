/*
 * Device trouble: every call of OpenCL and CLBlast that the library makes fails once, at its first call, one
 * in the middle and its last, and with every code it may return. Each time the error names the call, nothing
 * is leaked on host or device, files are whole or not there, and the same work done again gives the bits of a
 * machine without trouble. With --all every single call fails once (a slow test), with --calls the functions
 * are listed, for the test that none is forgotten.
 */
#include "counting_host.h"
#include "trouble_shim.h"

#include "nn/checkpoint.h"
#include "nn/model.h"
#include "nn/safetensors.h"
#include "norn/norn.h"

#include <dirent.h>
#include <unistd.h>

/* ---- the work ---------------------------------------------------------------------------------------------
 */

enum { MOST_BITS = 4096 };

/* A host that counts and listens, one machine, and what came out. */
typedef struct scene {
    counting_host counter;
    norn_host host;
    norn_context *context; /* of the work; NULL: it makes its own */
    char heard[2048];      /* warnings */
    double bits[MOST_BITS];
    size_t count;
} scene;

static char folder[64], checkpoint[128], saved[128], programs[128];

static void listen(void *user, norn_log_level level, const char *text)
{
    scene *s = user; /* the counter comes first */
    const size_t length = strlen(s->heard);
    if (level == NORN_LOG_WARNING) (void)snprintf(s->heard + length, sizeof s->heard - length, "%s\n", text);
}

static void keep(scene *s, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(s->count < MOST_BITS);
        s->bits[s->count++] = values[i];
    }
}

static double wave(const void *user, size_t row)
{
    const double *level = user;
    return *level + sin(0.7 * (double)row + *level);
}

/* Two members trained beside each other with checkpoints between, forecasts, and a model file. */
static norn_status train_and_save(scene *s, norn_context *context, norn_error *err)
{
    enum { ROWS = 40, WINDOW = 4, HORIZON = 2, BATCH = 5, MEMBERS = 2, COLUMNS = 2 };
    static const size_t rows[COLUMNS] = {ROWS, ROWS};
    static const int of[COLUMNS] = {0, 1};
    static const double levels[COLUMNS] = {3.0, 1.0};
    static const float pairs[COLUMNS * 2] = {0.0f, 1.0f, 0.25f, 1.5f};
    static const norn_span train[MEMBERS] = {{0, 11}, {2, 9}}, valid = {20, 4};
    const norn_network_shape shape = {.inputs = COLUMNS,
                                      .hidden = 5,
                                      .layers = 2,
                                      .window = WINDOW,
                                      .horizon = HORIZON,
                                      .batch = BATCH,
                                      .members = MEMBERS,
                                      .dropout = 0.2,
                                      .clip = 1.0};
    const norn_train_plan plan = {.epochs = 3,
                                  .patience = 3,
                                  .settle = 1,
                                  .rate = 1e-2,
                                  .seed = 9,
                                  .checkpoint = checkpoint,
                                  .every = 1};
    norn_series *series = NULL;
    norn_network *network = NULL;
    norn_model *model = NULL;
    norn_member members[MEMBERS];
    memset(members, 0, sizeof members);
    norn_status status = norn_series_new(&series, context, 1, COLUMNS, COLUMNS, rows, of, err);
    for (size_t c = 0; c < COLUMNS && status == NORN_OK; c++)
        status = norn_series_put(series, c, wave, &levels[c], err);
    if (status == NORN_OK) status = norn_network_new(&network, context, &shape, series, err);
    for (size_t m = 0; m < MEMBERS && status == NORN_OK; m++) {
        members[m] = (norn_member){.identity = m, .train = &train[m], .valid = &valid};
        status = norn_network_scale(network, m, pairs, COLUMNS, err);
    }
    if (status == NORN_OK) status = norn_train(network, series, members, MEMBERS, &plan, &s->host, err);
    if (status == NORN_OK)
        status = norn_model_new(&model, COLUMNS, shape.hidden, shape.layers, WINDOW, HORIZON, MEMBERS, 1, 3,
                                &s->host, err);
    if (status == NORN_OK) status = norn_model_set_id(model, 0, "only", err);
    static const struct {
        const char *name;
        norn_column_role role;
    } columns[] = {{"ds", NORN_ROLE_TIME}, {"y", NORN_ROLE_TARGET}, {"x", NORN_ROLE_PAST}};
    for (size_t c = 0; c < NORN_COUNT(columns) && status == NORN_OK; c++)
        status = norn_model_set_column(model, c, columns[c].name, columns[c].role, err);
    if (status == NORN_OK) status = norn_model_sort(model, err);
    for (size_t m = 0; m < MEMBERS && status == NORN_OK; m++) {
        const size_t one = 1;
        float y[128 * HORIZON];
        norn_window windows[128] = {{0, 30}};
        assert_true(network->ibp <= NORN_COUNT(windows));
        status = norn_network_infer(network, series, windows, &one, &m, 1, NULL, y, err);
        for (size_t i = 0; i < HORIZON && status == NORN_OK; i++) keep(s, &(double){(double)y[i]}, 1);
        if (status == NORN_OK) status = norn_model_take(model, m, network, m, err);
    }
    if (status == NORN_OK) {
        model->input[0] = (norn_model_input){1, false, 0};
        model->input[1] = (norn_model_input){2, false, 0};
        model->step = (norn_step){NORN_STEP_INTEGER, 1};
        model->season = 1;
        model->correction = 1.0;
        model->batch = BATCH;
        model->rate = plan.rate;
        (void)strcpy(model->loss, "mse");
        (void)strcpy(model->optimiser, "adam");
        status = norn_model_save(model, saved, NULL, err);
    }
    norn_model_free(model);
    norn_network_free(network);
    norn_series_free(series);
    return status;
}

typedef struct rest {
    const char *text;
    size_t length;
} rest;

static size_t read_rest(void *user, void *buffer, size_t size)
{
    rest *r = user;
    const size_t n = r->length < size ? r->length : size;
    memcpy(buffer, r->text, n);
    r->text += n;
    r->length -= n;
    return n;
}

/* From a table to a forecast, as a caller of the library has it. */
static norn_status forecast(scene *s, norn_context *context, norn_error *err)
{
    static const char text[] = "ds,y\n2020-01-01,1\n2020-01-02,3\n2020-01-03,2\n2020-01-04,5\n2020-01-05,4\n"
                               "2020-01-06,6\n2020-01-07,5\n2020-01-08,8\n2020-01-09,6\n2020-01-10,9\n"
                               "2020-01-11,8\n2020-01-12,9\n2020-01-13,7\n2020-01-14,8\n2020-01-15,9\n"
                               "2020-01-16,8\n2020-01-17,6\n2020-01-18,9\n2020-01-19,8\n2020-01-20,9\n";
    norn_forecast_options options = NORN_FORECAST_OPTIONS_INIT;
    norn_table *table = NULL;
    norn_forecast *made = NULL;
    options.horizon = 2;
    options.window = 4;
    options.season = 1;
    options.holdout = 0;
    options.hidden = 4;
    options.batch = 4;
    options.epochs = 2;
    options.steps_per_epoch = 2;
    rest from = {text, sizeof text - 1};
    norn_status status = norn_table_read_stream(&table, read_rest, &from, "text", NULL, &s->host, err);
    if (status == NORN_OK) status = norn_forecast_run(&made, context, table, &options, &s->host, err);
    if (status == NORN_OK) keep(s, norn_forecast_values(made, 0), 2);
    norn_forecast_free(made);
    norn_table_free(table);
    return status;
}

/* Products by a kernel of ours, and by CLBlast with a buffer that has to grow. */
static norn_status products(scene *s, norn_context *context, norn_error *err)
{
    enum { MOST = 160 };
    static const struct {
        norn_gemm_path path;
        size_t size;
    } wanted[] = {{NORN_GEMM_OWN, 20}, {NORN_GEMM_CLBLAST, 64}, {NORN_GEMM_CLBLAST, MOST}};
    norn_buffer a = {NULL, 0, NULL}, b = {NULL, 0, NULL};
    float *c = norn_new(&s->host, (size_t)MOST * MOST, sizeof *c);
    norn_status status = c ? NORN_OK : norn_fail_memory(err, "a product");
    for (size_t i = 0; c && i < (size_t)MOST * MOST; i++) c[i] = (float)(i % 7) - 3.0f;
    if (status == NORN_OK)
        status = norn_buffer_new(context, &a, (size_t)MOST * MOST * sizeof *c, c, "a matrix", err);
    if (status == NORN_OK)
        status = norn_buffer_new(context, &b, (size_t)MOST * MOST * sizeof *c, NULL, "a product", err);
    for (size_t i = 0; i < NORN_COUNT(wanted) && status == NORN_OK; i++) {
        const size_t n = wanted[i].size;
        const norn_matrix in = {&a, 0, n}, out = {&b, 0, n};
        status = norn_gemm(context, wanted[i].path, false, true, n, n, n, in, in, out, false, err);
        if (status == NORN_OK) status = norn_buffer_read(context, &b, 0, c, n * n * sizeof *c, err);
        for (size_t k = 0; k < n && status == NORN_OK; k++) keep(s, &(double){(double)c[k * n + k / 2]}, 1);
    }
    norn_buffer_free(&a);
    norn_buffer_free(&b);
    norn_delete(&s->host, c, (size_t)MOST * MOST, sizeof *c);
    return status;
}

static norn_status list(scene *s, norn_context *context, norn_error *err)
{
    (void)context;
    norn_device_info *infos = NULL;
    size_t count = 0;
    const norn_status status = norn_devices_list(&infos, &count, &s->host, err);
    for (size_t i = 0; i < count; i++)
        if (infos[i].reason[0] && !infos[i].usable) /* as a warning, so that it is found where others are */
            (void)snprintf(s->heard, sizeof s->heard, "%s", infos[i].reason);
    norn_devices_free(infos, count, &s->host);
    return status;
}

static void remove_programs(void)
{
    DIR *all = opendir(programs);
    for (struct dirent *each; all && (each = readdir(all));) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/%s", programs, each->d_name);
        if (each->d_name[0] != '.') (void)unlink(path);
    }
    if (all) (void)closedir(all);
    (void)rmdir(programs);
}

/* A program built and kept by one context, and taken by the next. */
static norn_status kept_programs(scene *s, norn_context *unused, norn_error *err)
{
    enum { SIZE = 8 };
    float values[SIZE * SIZE];
    norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    norn_status status = NORN_OK;
    (void)unused;
    options.programs = programs;
    options.programs_always = 1;
    remove_programs();
    for (size_t i = 0; i < NORN_COUNT(values); i++) values[i] = (float)i / 8.0f;
    for (int round = 0; round < 2 && status == NORN_OK; round++) {
        norn_context *context = NULL;
        norn_buffer in = {NULL, 0, NULL}, out = {NULL, 0, NULL};
        float made[SIZE * SIZE];
        status = norn_context_new(&context, &options, &s->host, err);
        if (status == NORN_OK) status = norn_buffer_new(context, &in, sizeof values, values, "a matrix", err);
        if (status == NORN_OK) status = norn_buffer_new(context, &out, sizeof values, NULL, "a product", err);
        const norn_matrix from = {&in, 0, SIZE}, to = {&out, 0, SIZE};
        if (status == NORN_OK)
            status =
                norn_gemm(context, NORN_GEMM_OWN, false, false, SIZE, SIZE, SIZE, from, from, to, false, err);
        if (status == NORN_OK) status = norn_buffer_read(context, &out, 0, made, sizeof made, err);
        for (size_t i = 0; i < SIZE && status == NORN_OK; i++)
            keep(s, &(double){(double)made[i * SIZE + i]}, 1);
        norn_buffer_free(&in);
        norn_buffer_free(&out);
        norn_context_free(context);
    }
    remove_programs();
    return status;
}

typedef norn_status (*work_fn)(scene *, norn_context *, norn_error *);
static const struct {
    const char *name;
    work_fn run;
} works[] = {{"train and save", train_and_save},
             {"forecast", forecast},
             {"products", products},
             {"forecast with a profile", forecast},
             {"programs kept on disk", kept_programs},
             {"list", list}};
enum { WORKS = sizeof works / sizeof works[0], PROFILED = 3, KEPT = 4 };

static norn_status work(scene *s, size_t which, norn_error *err)
{
    norn_status status = NORN_OK;
    s->count = 0;
    s->heard[0] = '\0';
    if (!s->host.profile && which == PROFILED) status = norn_profile_new(&s->host.profile, &s->host, err);
    if (status == NORN_OK && !s->context) status = norn_context_new(&s->context, NULL, &s->host, err);
    return status == NORN_OK ? works[which].run(s, s->context, err) : status;
}

static void open_scene(scene *s)
{
    memset(s, 0, sizeof *s);
    s->host = counting_host_of(&s->counter);
    s->host.log = listen;
}

/* ---- judging ----------------------------------------------------------------------------------------------
 */

/* Every file in the folder is whole, and there is no other. */
static void assert_files_whole(const scene *s)
{
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *each; (each = readdir(all));) {
        char path[400];
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        if (each->d_name[0] == '.' && (!each->d_name[1] || each->d_name[1] == '.')) continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, each->d_name);
        if (strcmp(path, checkpoint) != 0 && strcmp(path, saved) != 0) fail_msg("%s was left", path);
        assert_ok(norn_safetensors_open(&file, path, &s->host, &err), &err);
        norn_safetensors_free(file);
        (void)unlink(path);
    }
    (void)closedir(all);
}

static void assert_nothing_is_left(scene *s)
{
    static const char *const kinds[KINDS] = {"contexts", "queues",  "buffers",
                                             "programs", "kernels", "events"};
    assert_files_whole(s);
    if (s->context) { /* a product's temporary buffer stays */
        norn_gemm_forget(s->context);
        assert_int_equal(s->context->memory_used, 0);
    }
    norn_context_free(s->context);
    s->context = NULL;
    norn_profile_free(s->host.profile);
    s->host.profile = NULL;
    for (size_t k = 0; k < KINDS; k++)
        if (shim.live[k]) fail_msg("%ld %s were made and not released", shim.live[k], kinds[k]);
    assert_all_returned(&s->counter);
}

/* What may fail without an error: keeping a program and taking it again, which is then built from its source;
 * a release, whose object is gone either way; a name or version of a machine;
 * the time of a launch, which the profile is then without;
 * the compiler's words after a build that failed, which is the error;
 * the wait before a network is given back, whose numbers have all been read by then. */
static bool may_pass(size_t which, int call)
{
    static const int some[] = {
        CALL_clReleaseContext,  CALL_clReleaseCommandQueue,    CALL_clReleaseMemObject,
        CALL_clReleaseProgram,  CALL_clReleaseKernel,          CALL_CLBlastClearCache,
        CALL_clGetPlatformInfo, CALL_clReleaseEvent,           CALL_clGetEventProfilingInfo,
        CALL_clGetProgramInfo,  CALL_clCreateProgramWithBinary};
    /* of a binary; of the end of a context */
    if (which == KEPT && (call == CALL_clBuildProgram || call == CALL_clFinish)) return true;
    for (size_t i = 0; i < NORN_COUNT(some); i++)
        if (some[i] == call) return true;
    return call == CALL_clFinish && shim.after == CALL_clReleaseKernel;
}

/* One fault in one work, and the same work again, by the same context if there is one. */
static void try_fault(size_t which, int call, size_t at, int code, const scene *good)
{
    static scene s;
    norn_error err = NORN_ERROR_INIT;
    open_scene(&s);
    memset(shim.seen, 0, sizeof shim.seen);
    shim.fails = call;
    shim.at = at;
    shim.code = code;
    shim.failed = false;
    shim.after = CALLS;
    const norn_status status = work(&s, which, &err);
    if (!shim.failed) { /* it is one of those when the context is freed, which has no error to give */
        assert_ok(status, &err);
        assert_nothing_is_left(&s);
        if (!shim.failed) fail_msg("%s has no call %zu of %s", works[which].name, at, calls[call].name);
        shim.fails = CALLS;
        return;
    }
    shim.fails = CALLS;
    const char *name = calls[call].name;
    const bool told = status != NORN_OK ? strstr(err.message, name) || strcmp(err.call, name) == 0
                                        : strstr(s.heard, name) != NULL;
    const bool absent = status == NORN_ERR_DEVICE && code == CL_DEVICE_NOT_FOUND;
    if (!told && !absent && !(status == NORN_OK && may_pass(which, call)))
        fail_msg("%s, call %zu of %s gives %d: %s \"%s\" %s", works[which].name, at, name, code,
                 norn_status_name(status), err.message, s.heard);
    if (status != NORN_OK && strcmp(err.call, name) == 0) assert_int_equal(err.code, code);
    if (status != NORN_OK) {
        assert_files_whole(&s);
        err = (norn_error)NORN_ERROR_INIT;
        assert_ok(work(&s, which, &err), &err);
    }
    if (s.count != good->count || memcmp(s.bits, good->bits, s.count * sizeof *s.bits) != 0)
        fail_msg("%s, after call %zu of %s gave %d: other bits", works[which].name, at, name, code);
    assert_nothing_is_left(&s);
}

static scene good[WORKS];
static size_t seen[WORKS][CALLS];

static int look_first(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/norn_trouble_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", folder);
    (void)snprintf(saved, sizeof saved, "%s/model.safetensors", folder);
    (void)snprintf(programs, sizeof programs, "%s.programs", folder);
    for (size_t w = 0; w < WORKS; w++) {
        norn_error err = NORN_ERROR_INIT;
        open_scene(&good[w]);
        memset(shim.seen, 0, sizeof shim.seen);
        assert_ok(work(&good[w], w, &err), &err);
        assert_true(w == WORKS - 1 || good[w].count > 0);
        assert_nothing_is_left(&good[w]);
        memcpy(seen[w], shim.seen, sizeof shim.seen);
    }
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* ---- tests ------------------------------------------------------------------------------------------------
 */

static void every_function_is_called_by_the_work(void **state)
{
    (void)state;
    for (int c = 0; c < CALLS; c++) {
        size_t sum = 0;
        for (size_t w = 0; w < WORKS; w++) sum += seen[w][c];
        if (!sum && c != CALL_clGetProgramBuildInfo) fail_msg("%s is never called", calls[c].name);
    }
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int c = 0; c < CALLS; c++)
        for (size_t k = 0; k < MOST_CODES && calls[c].codes[k]; k++)
            assert_string_not_equal(norn_cl_code_name(calls[c].codes[k]), "unknown code");
}

static void every_call_may_fail_once_with_every_code(void **state)
{
    (void)state;
    for (int c = 0; c < CALLS; c++) {
        bool coded = false;
        for (size_t w = 0; w < WORKS; w++) {
            const size_t n = seen[w][c], places[] = {1, (n + 1) / 2, n};
            for (size_t p = 0; p < 3; p++) {
                if (n < p + 1) continue;
                for (size_t k = 0; k < MOST_CODES && calls[c].codes[k]; k++) {
                    /* All codes at the first call of one work; elsewhere one, another each time. */
                    const size_t codes = 24, first = (w + p) % codes;
                    size_t count = 0;
                    while (count < codes && calls[c].codes[count]) count++;
                    if ((coded || p) && k != first % count) continue;
                    try_fault(w, c, places[p], calls[c].codes[k], &good[w]);
                }
            }
            coded |= n > 0;
        }
    }
}

static void a_build_that_fails_without_words_is_an_error_all_the_same(void **state)
{
    (void)state;
    static const int codes[] = {CL_INVALID_DEVICE, CL_INVALID_VALUE, CL_INVALID_PROGRAM, CL_OUT_OF_RESOURCES,
                                CL_OUT_OF_HOST_MEMORY};
    for (size_t i = 0; i < NORN_COUNT(codes); i++)
        for (size_t at = 1; at <= 3; at++) { /* its length, its words, none */
            static scene s;
            norn_error err = NORN_ERROR_INIT;
            open_scene(&s);
            memset(shim.seen, 0, sizeof shim.seen);
            shim.fails = CALL_clGetProgramBuildInfo;
            shim.at = at;
            shim.code = codes[i];
            shim.build_code = CL_BUILD_PROGRAM_FAILURE;
            const norn_status status = work(&s, 1, &err);
            shim.build_code = 0;
            shim.fails = CALLS;
            assert_int_equal(status, NORN_ERR_BUILD);
            assert_string_equal(err.call, "clBuildProgram");
            assert_int_equal(err.code, CL_BUILD_PROGRAM_FAILURE);
            assert_non_null(strstr(err.message, "CL_BUILD_PROGRAM_FAILURE"));
            err = (norn_error)NORN_ERROR_INIT;
            assert_ok(work(&s, 1, &err), &err);
            assert_memory_equal(s.bits, good[1].bits, s.count * sizeof *s.bits);
            assert_nothing_is_left(&s);
        }
}

static void every_single_call_may_fail(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORKS; w++)
        for (int c = 0; c < CALLS; c++) {
            size_t codes = 0;
            while (codes < MOST_CODES && calls[c].codes[codes]) codes++;
            for (size_t at = 1; at <= seen[w][c]; at++)
                try_fault(w, c, at, calls[c].codes[at % codes], &good[w]);
            if (seen[w][c]) print_message("%s: %zu calls of %s\n", works[w].name, seen[w][c], calls[c].name);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest some[] = {
        cmocka_unit_test(every_function_is_called_by_the_work),
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(every_call_may_fail_once_with_every_code),
        cmocka_unit_test(a_build_that_fails_without_words_is_an_error_all_the_same),
    };
    const struct CMUnitTest all[] = {cmocka_unit_test(every_single_call_may_fail)};
    if (argc > 1 && strcmp(argv[1], "--calls") == 0) {
        for (int c = 0; c < CALLS; c++) (void)printf("%s\n", calls[c].name);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--all") == 0) return cmocka_run_group_tests(all, look_first, clean_up);
    return cmocka_run_group_tests(some, look_first, clean_up);
}
