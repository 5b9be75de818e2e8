/* Rounds, references and networks of the benches: see bench_kit.h. */
#include "bench_kit.h"

#include "base/parallel.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef NORN_WITH_OPENBLAS
#include <cblas.h>
#endif

norn_error bench_err = NORN_ERROR_INIT;

void bench_need(norn_status status)
{
    if (status == NORN_OK) return;
    (void)fprintf(stderr, "bench: %s\n%s\n", bench_err.message, bench_err.log);
    exit(EXIT_FAILURE);
}

void bench_refuse(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, list);
    (void)fputc('\n', stderr);
    va_end(list);
    exit(EXIT_FAILURE);
}

void *bench_claim(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) bench_refuse("out of memory");
    return p;
}

void bench_rest(void)
{
    const struct timespec pause = {0, 100000000};
    (void)nanosleep(&pause, NULL);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bench_spread bench_spread_of_times(const double *values, size_t n)
{
    double sorted[MOST_ROUNDS];
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i])) return (bench_spread){NAN, NAN, NAN};
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, ascending);
    return (bench_spread){sorted[0], sorted[n / 2], 0.5 * (sorted[3 * n / 4] - sorted[n / 4])};
}

bench_spread bench_spread_of_rates(const double *values, size_t n)
{
    bench_spread s = bench_spread_of_times(values, n);
    for (size_t i = 0; i < n && !isnan(s.best); i++) s.best = fmax(s.best, values[i]);
    return s;
}

/* ---- OpenBLAS and copies ---- */

bool bench_has_openblas(void)
{
#ifdef NORN_WITH_OPENBLAS
    return true;
#else
    return false;
#endif
}

void bench_openblas(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, const float *b, float *c)
{
#ifdef NORN_WITH_OPENBLAS
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,
                (int)k, 1.0f, a, (int)(ta ? m : k), b, (int)(tb ? k : n), 0.0f, c, (int)n);
#else
    (void)ta, (void)tb, (void)m, (void)n, (void)k, (void)a, (void)b, (void)c;
#endif
}

double bench_openblas_rate(size_t rounds)
{
    enum { SIZE = 1024 };
    static float *a, *b, *c; /* kept: made in every round otherwise */
    if (!bench_has_openblas()) return NAN;
    if (!a) {
        a = bench_claim((size_t)SIZE * SIZE, sizeof *a);
        b = bench_claim((size_t)SIZE * SIZE, sizeof *b);
        c = bench_claim((size_t)SIZE * SIZE, sizeof *c);
        for (size_t i = 0; i < (size_t)SIZE * SIZE; i++) a[i] = b[i] = (float)(rand() % 1000) * 0.001f - 0.5f;
    }
    for (size_t i = 0; i < 2; i++) bench_openblas(false, false, SIZE, SIZE, SIZE, a, b, c);
    const double begin = norn_seconds();
    for (size_t i = 0; i < rounds; i++) bench_openblas(false, false, SIZE, SIZE, SIZE, a, b, c);
    return 2e-9 * SIZE * SIZE * SIZE * (double)rounds / (norn_seconds() - begin);
}

void bench_print_openblas(void)
{
#ifdef NORN_WITH_OPENBLAS
    (void)printf("OpenBLAS     %s, %d threads, SGEMM of 1024^3 %.1f GF/s\n", openblas_get_config(),
                 openblas_get_num_threads(), bench_openblas_rate(8));
    bench_rest();
#else
    (void)printf("OpenBLAS     none (libopenblas-dev)\n");
#endif
}

typedef struct copying {
    char *from, *to;
    size_t bytes, workers;
} copying;

static void copy_part(void *user, size_t worker)
{
    const copying *job = user;
    const size_t each = job->bytes / job->workers;
    memcpy(job->to + worker * each, job->from + worker * each, each);
}

double bench_copy_rate(size_t bytes)
{
    copying job = {bench_claim(bytes, 1), bench_claim(bytes, 1), bytes, norn_cores()};
    memset(job.from, 1, bytes); /* pages of their own, not the one zero page */
    memset(job.to, 2, bytes);
    double best = INFINITY;
    for (int i = 0; i < 4; i++) {
        const double begin = norn_seconds();
        norn_parallel(job.workers, copy_part, &job);
        best = fmin(best, norn_seconds() - begin);
    }
    free(job.from);
    free(job.to);
    return 2e-9 * (double)bytes / best;
}

double bench_device_copy_rate(norn_context *context, size_t bytes)
{
    norn_buffer from = {NULL, 0, NULL}, to = {NULL, 0, NULL};
    double best = INFINITY;
    bench_need(norn_buffer_new(context, &from, bytes, NULL, "a copy", &bench_err));
    bench_need(norn_buffer_new(context, &to, bytes, NULL, "a copy", &bench_err));
    for (int i = 0; i < 5; i++) {
        const double begin = norn_seconds();
        bench_need(norn_buffer_copy(context, &from, 0, &to, 0, bytes, &bench_err));
        bench_need(norn_finish(context, &bench_err));
        best = fmin(best, norn_seconds() - begin);
    }
    norn_buffer_free(&from);
    norn_buffer_free(&to);
    return 2e-9 * (double)bytes / best;
}

double bench_peak_rate(norn_context *context)
{
    enum { CHAINS = 16, TURNS = 1 << 16 };
    static const char text[] = "KERNEL void peak(CONST_FLOATS in, FLOATS out, const int turns)\n"
                               "{\n"
                               "    const vf v = VLOAD(in + LANE), w = VLOAD(in + UB + LANE);\n"
                               "    vf a[16], sum = (vf)0.0f;\n"
                               "#pragma unroll\n"
                               "    for (int i = 0; i < 16; i++) a[i] = v;\n"
                               "    for (int n = 0; n < turns; n++)\n"
                               "#pragma unroll\n"
                               "        for (int i = 0; i < 16; i++) a[i] = fma(a[i], v, w);\n"
                               "#pragma unroll\n"
                               "    for (int i = 0; i < 16; i++) sum += a[i] * (float)i;\n"
                               "    VSTORE(sum, out + get_group_id(0) * UB + LANE);\n"
                               "}\n";
    static const char *const none[] = {NULL};
    const size_t items = (size_t)context->local * context->vector,
                 groups = (size_t)context->info.compute_units * (context->local > 1 ? 32 : 4);
    float *const start = bench_claim(2 * items, sizeof *start);
    norn_program *program = NULL;
    norn_kernel kernel = {.cl = NULL};
    norn_buffer in = {NULL, 0, NULL}, out = {NULL, 0, NULL};
    double best = INFINITY;
    for (size_t i = 0; i < items; i++) start[i] = start[items + i] = 0.5f; /* a chain stays at 1 */
    bench_need(norn_program_get_with(context, &program, NULL, text, none, "", &bench_err));
    bench_need(norn_kernel_new(context, &kernel, program, "peak", &bench_err));
    bench_need(norn_buffer_new(context, &in, 2 * items * sizeof *start, start, "numbers", &bench_err));
    bench_need(norn_buffer_new(context, &out, groups * items * sizeof *start, NULL, "sums", &bench_err));
    bench_need(norn_kernel_set(&kernel, &bench_err, 0, "bbi", &in, &out, (int)TURNS));
    for (int i = 0; i < 8; i++) {
        const double begin = norn_seconds();
        bench_need(norn_launch(context, &kernel, context->local, groups, 1, &bench_err));
        bench_need(norn_finish(context, &bench_err));
        best = fmin(best, norn_seconds() - begin);
    }
    norn_kernel_free(&kernel);
    norn_buffer_free(&in);
    norn_buffer_free(&out);
    free(start);
    return 2e-9 * CHAINS * TURNS * (double)(groups * items) / best;
}

/* ---- PyTorch ---- */

bench_torch bench_torch_start(const char *command)
{
    bench_torch worker = {NULL, NULL, ""};
    int in[2], out[2];
    char line[256];
    if (!command || pipe(in) || pipe(out)) return worker;
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    worker.to = fdopen(in[1], "w");
    worker.from = fdopen(out[0], "r");
    if (!worker.to || !worker.from || !fgets(line, sizeof line, worker.from) ||
        strncmp(line, "ready ", 6) != 0) {
        bench_torch_end(&worker);
        return worker;
    }
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(worker.versions, sizeof worker.versions, "%s", line + 6);
    return worker;
}

void bench_torch_end(bench_torch *worker)
{
    if (worker->to) (void)fclose(worker->to); /* it ends with its input */
    if (worker->from) (void)fclose(worker->from);
    if (worker->to) (void)wait(NULL);
    worker->to = worker->from = NULL;
}

double bench_torch_ask(bench_torch *worker, const char *what, const char *cell, const char *device, int tf32,
                       unsigned threads, const norn_network_shape *s)
{
    char line[64];
    if (!worker || !worker->to) return NAN;
    (void)fprintf(worker->to, "%s %s %s %d %u %zu %zu %zu %zu %zu %zu\n", what, cell ? cell : "lstm", device,
                  tf32, threads, s->batch, s->window, s->inputs, s->hidden, s->layers, s->horizon);
    (void)fflush(worker->to);
    if (!fgets(line, sizeof line, worker->from)) return NAN;
    const double value = atof(line);
    return value < 0.0 ? NAN : value;
}

/* ---- networks ---- */

norn_network_shape bench_shape_of(const bench_shape *s, norn_path path)
{
    return (norn_network_shape){.inputs = s->inputs,
                                .hidden = s->hidden,
                                .layers = s->layers,
                                .window = s->window,
                                .horizon = FORECAST,
                                .batch = s->batch,
                                .infer_batch = s->batch,
                                .members = s->members,
                                .clip = 1.0,
                                .path = path};
}

void bench_name(const bench_shape *s, char *out, size_t size)
{
    (void)snprintf(out, size, "%zu,%zu,%zu,%zu,%zu", s->batch, s->window, s->inputs, s->hidden, s->layers);
}

static double wave(const void *user, size_t row)
{
    const double phase = *(const double *)user;
    return sin(0.26 * (double)row + phase) + 0.3 * ((double)(rand() % 1000) * 0.001 - 0.5);
}

static norn_series *make_series(norn_context *context, size_t inputs)
{
    norn_series *series = NULL;
    size_t *rows = bench_claim(inputs, sizeof *rows);
    int *of = bench_claim(inputs, sizeof *of);
    for (size_t f = 0; f < inputs; f++) {
        rows[f] = SERIES_ROWS;
        of[f] = (int)f;
    }
    bench_need(norn_series_new(&series, context, 1, inputs, inputs, rows, of, &bench_err));
    for (size_t f = 0; f < inputs; f++) {
        const double phase = (double)f;
        bench_need(norn_series_put(series, f, wave, &phase, &bench_err));
    }
    free(rows);
    free(of);
    return series;
}

bench_network bench_prepare(norn_context *context, const bench_shape *of, norn_path path, double seconds)
{
    bench_network b = {.context = context, .series = make_series(context, of->inputs)};
    norn_network_shape shape = bench_shape_of(of, path);
    if (of->cell && strcmp(of->cell, "lstm") != 0) {
        const char *text = norn_cell_builtin_text(of->cell);
        if (!text) bench_refuse("no cell is called \"%s\" (norn cell list)", of->cell);
        bench_need(norn_cell_read(&b.cell, text, strlen(text), of->cell, NULL, &bench_err));
        shape.cell = b.cell;
    }
    b.operations = norn_network_operations(&shape);
    b.steps = (size_t)(seconds * 1.5e11 / (b.operations * (double)of->members + 3e7)) + 1;
    if (b.steps > 400) b.steps = 400;
    shape.chunk = b.steps;
    const char *slots_text = getenv("NORN_BENCH_SLOTS"); /* members in a launch */
    if (slots_text && atoi(slots_text) > 0) shape.slots = (size_t)atoi(slots_text);
    bench_need(norn_network_new(&b.network, context, &shape, b.series, &bench_err));
    const size_t slots = b.network->shape.slots, bp = b.network->bp, launched = b.steps * slots,
                 ibp = b.network->ibp > bp ? b.network->ibp : bp;
    float *pairs = bench_claim(2 * of->inputs, sizeof *pairs);
    for (size_t f = 0; f < of->inputs; f++) pairs[2 * f + 1] = 1.0f;
    b.windows = bench_claim(launched * bp + slots * ibp, sizeof *b.windows);
    b.schedule = bench_claim(launched, sizeof *b.schedule);
    b.loss = bench_claim(launched * bp + slots * ibp, sizeof *b.loss);
    b.norms = bench_claim(launched, sizeof *b.norms);
    b.y = bench_claim(slots * ibp * FORECAST, sizeof *b.y);
    b.plain = norn_network_plain_size(&shape);
    b.before = bench_claim(of->members * b.plain, sizeof *b.before);
    b.done = bench_claim(of->members, sizeof *b.done);
    for (size_t m = 0; m < of->members; m++) {
        bench_need(norn_network_scale(b.network, m, pairs, of->inputs, &bench_err));
        bench_need(norn_network_initialise(b.network, m, 1, m, &bench_err));
        bench_need(norn_network_get(b.network, m, b.before + m * b.plain, &bench_err));
    }
    for (size_t i = 0; i < launched * bp + slots * ibp; i++)
        b.windows[i] = (norn_window){0, rand() % (int)(SERIES_ROWS - of->window - FORECAST)};
    free(pairs);
    return b;
}

/* Members first .. first+count-1, so many steps: seconds. Counts the rows that have a loss in steps with a
 * gradient. */
static double train_some(bench_network *b, size_t first, size_t count, size_t steps)
{
    const norn_network_shape *s = &b->network->shape;
    const size_t bp = b->network->bp;
    for (size_t i = 0; i < steps * count; i++)
        b->schedule[i] = (norn_schedule){.rows = (int32_t)s->batch,
                                         .optimiser_step = 1,
                                         .member = (int32_t)(first + i % count),
                                         .rate = 1e-3f,
                                         .c1 = 1.0f,
                                         .c2 = 1.0f,
                                         .factor = (float)(1.0 / (double)(s->batch * s->horizon)),
                                         .steps = (int32_t)steps};
    const double begin = norn_seconds();
    bench_need(norn_network_train(b->network, b->series, b->windows, b->schedule, steps, count, b->loss,
                                  &bench_err));
    bench_need(norn_network_norms(b->network, steps, count, b->norms, &bench_err));
    const double seconds = norn_seconds() - begin;
    for (size_t i = 0; i < steps * count; i++) {
        const bool learned = isfinite(b->norms[i]) && b->norms[i] > 0.0f;
        for (size_t r = 0; r < s->batch; r++) {
            float *loss = &b->loss[i * bp + r];
            b->done[first + i % count] += learned && isfinite(*loss) && *loss > 0.0f;
            *loss = NAN; /* what the next call does not write is seen */
        }
    }
    return seconds;
}

double bench_train_ms(bench_network *b)
{
    const size_t members = b->network->shape.members, slots = b->network->shape.slots;
    const size_t warm = b->steps < 2 ? b->steps : 2; /* as many as tools/bench_pytorch.py */
    double seconds = 0.0;
    for (size_t first = 0; first < members; first += slots) {
        const size_t count = members - first < slots ? members - first : slots;
        (void)train_some(b, first, count, warm);
        seconds += train_some(b, first, count, b->steps);
    }
    b->asked += (warm + b->steps) * b->network->shape.batch;
    return 1e3 * seconds / (double)b->steps;
}

void bench_check_work(bench_network *b)
{
    double *after = bench_claim(b->plain, sizeof *after);
    for (size_t m = 0; m < b->network->shape.members; m++) {
        const double *before = b->before + m * b->plain;
        size_t changed = 0;
        if (b->done[m] != b->asked)
            bench_refuse("member %zu was trained on %llu of the %llu rows that are counted", m,
                         (unsigned long long)b->done[m], (unsigned long long)b->asked);
        bench_need(norn_network_get(b->network, m, after, &bench_err));
        for (size_t i = 0; i < b->plain; i++) changed += after[i] != before[i];
        if (b->asked && changed < b->plain / 2)
            bench_refuse("member %zu has %zu of %zu parameters as they began", m, b->plain - changed,
                         b->plain);
    }
    free(after);
}

double bench_infer_ms(bench_network *b, double seconds)
{
    const norn_network *n = b->network;
    enum { MOST_CALLS = 4096 };
    double *ms = bench_claim(MOST_CALLS, sizeof *ms);
    const size_t rows = n->shape.batch, member = 0;
    const size_t values = rows * FORECAST;
    for (int i = 0; i < 2; i++)
        bench_need(
            norn_network_infer(b->network, b->series, b->windows, &rows, &member, 1, NULL, b->y, &bench_err));
    const double begin = norn_seconds();
    size_t calls = 0;
    while (calls < 3 || (calls < MOST_CALLS && norn_seconds() - begin < seconds)) {
        for (size_t i = 0; i < values; i++) b->y[i] = NAN;
        const double start = norn_seconds();
        bench_need(
            norn_network_infer(b->network, b->series, b->windows, &rows, &member, 1, NULL, b->y, &bench_err));
        ms[calls++] = 1e3 * (norn_seconds() - start);
        for (size_t i = 0; i < values; i++)
            if (!isfinite(b->y[i])) bench_refuse("output %zu of %zu is missing", i, values);
    }
    qsort(ms, calls, sizeof *ms, ascending);
    const double median = ms[calls / 2];
    free(ms);
    return median;
}

void bench_release(bench_network *b)
{
    norn_network_free(b->network);
    norn_series_free(b->series);
    norn_cell_free(b->cell);
    free(b->windows);
    free(b->schedule);
    free(b->loss);
    free(b->norms);
    free(b->y);
    free(b->before);
    free(b->done);
}
