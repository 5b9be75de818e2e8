/*
 * How fast Norn computes on this machine, beside what else it could use: run by tools/bench.
 *
 * A machine may change its speed by two within minutes, so that only ratios of one run mean anything: every
 * round runs the training step, OpenBLAS and PyTorch one after the other, with a pause for spinning threads
 * between, and what is printed are medians over the rounds and their spread (half the distance between the
 * quartiles). Operations of a training step are counted as 3 * sum over layers of 2 * B * T * 4H * (I + H),
 * forward once and backward twice.
 */
#include "compute/compute.h"
#include "nn/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef NORN_WITH_OPENBLAS
#include <cblas.h>
#endif

enum { MOST_ROUNDS = 64, ROWS = 4096 };

static norn_error err = NORN_ERROR_INIT;

static void need(norn_status status)
{
    if (status == NORN_OK) return;
    (void)fprintf(stderr, "bench: %s\n%s\n", err.message, err.log);
    exit(1);
}

static void *claim(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) exit(1);
    return p;
}

static void rest(void)
{
    const struct timespec pause = {0, 100000000};
    (void)nanosleep(&pause, NULL);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct spread {
    double median, half;
} spread;

static spread spread_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    return (spread){values[n / 2], 0.5 * (values[3 * n / 4] - values[n / 4])};
}

/* ---- OpenBLAS ---- */

static double openblas_rate(size_t size) /* GF/s of size^3, 0 without OpenBLAS */
{
#ifdef NORN_WITH_OPENBLAS
    static float *a, *b, *c;
    if (!a) {
        a = claim(size * size, sizeof *a);
        b = claim(size * size, sizeof *b);
        c = claim(size * size, sizeof *c);
        for (size_t i = 0; i < size * size; i++) a[i] = b[i] = (float)(rand() % 1000) * 0.001f - 0.5f;
    }
    const int n = (int)size, repeats = 8;
    const double begin = norn_seconds();
    for (int i = 0; i < repeats; i++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
    const double seconds = (norn_seconds() - begin) / repeats;
    return 2e-9 * (double)size * (double)size * (double)size / seconds;
#else
    (void)size;
    return 0.0;
#endif
}

/* ---- PyTorch: tools/bench_pytorch.py answers a line with the shape by a line with milliseconds ---- */

typedef struct torch {
    FILE *to, *from;
} torch;

static torch start_torch(const char *command)
{
    int in[2], out[2];
    if (pipe(in) || pipe(out)) return (torch){NULL, NULL};
    const pid_t child = fork(); /* before the first OpenCL call */
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
    torch worker = {fdopen(in[1], "w"), fdopen(out[0], "r")};
    char line[128];
    if (!fgets(line, sizeof line, worker.from) || strncmp(line, "ready", 5) != 0) return (torch){NULL, NULL};
    (void)printf("PyTorch      %s", line + 6);
    return worker;
}

static double torch_ms(torch worker, const norn_network_shape *s)
{
    if (!worker.to) return 0.0;
    char line[64];
    (void)fprintf(worker.to, "%zu %zu %zu %zu %zu %zu\n", s->batch, s->window, s->inputs, s->hidden,
                  s->layers, s->horizon);
    (void)fflush(worker.to);
    return fgets(line, sizeof line, worker.from) ? atof(line) : 0.0;
}

/* ---- our training step ---- */

typedef struct bench {
    norn_context *context;
    norn_series *series;
    norn_network *network;
    norn_window *windows;
    norn_schedule *schedule;
    float *loss;
    size_t steps;
    double operations;
} bench;

static double wave(const void *user, size_t row)
{
    const double phase = *(const double *)user;
    return sin(0.26 * (double)row + phase) + 0.3 * ((double)(rand() % 1000) * 0.001 - 0.5);
}

static bench prepare(norn_context *context, norn_network_shape shape, double seconds)
{
    bench b = {.context = context};
    size_t rows[64];
    int of[64];
    for (size_t f = 0; f < shape.inputs; f++) {
        rows[f] = ROWS;
        of[f] = (int)f;
    }
    need(norn_series_new(&b.series, context, 1, shape.inputs, shape.inputs, rows, of, &err));
    float pairs[128];
    for (size_t f = 0; f < shape.inputs; f++) {
        const double phase = (double)f;
        need(norn_series_put(b.series, f, wave, &phase, &err));
        pairs[2 * f] = 0.0f;
        pairs[2 * f + 1] = 1.0f;
    }
    b.operations = norn_network_operations(&shape);
    b.steps = (size_t)(seconds * 1.5e11 / (b.operations + 3e7)) + 1;
    if (b.steps > 400) b.steps = 400;
    shape.chunk = b.steps;
    need(norn_network_new(&b.network, context, &shape, b.series, &err));
    const size_t slots = b.network->shape.slots, bp = b.network->bp;
    b.windows = claim(b.steps * slots * bp, sizeof *b.windows);
    b.schedule = claim(b.steps * slots, sizeof *b.schedule);
    b.loss = claim(b.steps * slots * bp, sizeof *b.loss);
    for (size_t m = 0; m < shape.members; m++) {
        need(norn_network_scale(b.network, m, pairs, shape.inputs, &err));
        need(norn_network_initialise(b.network, m, 1, m, &err));
    }
    for (size_t i = 0; i < b.steps * slots * bp; i++)
        b.windows[i] = (norn_window){0, rand() % (int)(ROWS - shape.window - shape.horizon)};
    for (size_t i = 0; i < b.steps * slots; i++)
        b.schedule[i] = (norn_schedule){.rows = (int32_t)shape.batch,
                                        .optimiser_step = 1,
                                        .member = (int32_t)(i % slots),
                                        .rate = 1e-3f,
                                        .c1 = 1.0f,
                                        .c2 = 1.0f,
                                        .factor = (float)(1.0 / (double)(shape.batch * shape.horizon))};
    return b;
}

static double step_ms(bench *b)
{
    const double begin = norn_seconds();
    need(norn_network_train(b->network, b->series, b->windows, b->schedule, b->steps, b->network->shape.slots,
                            b->loss, &err));
    return 1e3 * (norn_seconds() - begin) / (double)b->steps;
}

/* Milliseconds of one kernel of the step, waited for; and of the forward pass of a batch. */
static double kernel_ms(bench *b, norn_kernel *kernel, size_t groups, unsigned step_argument)
{
    need(norn_kernel_set(kernel, &err, step_argument, "ii", 0, (int)b->network->shape.slots));
    const double begin = norn_seconds();
    double seconds = 0.0;
    size_t n = 0;
    for (; seconds < 0.2; n++) {
        need(norn_launch(b->context, kernel, b->context->local, groups, b->network->shape.slots, &err));
        need(norn_finish(b->context, &err));
        seconds = norn_seconds() - begin;
    }
    return 1e3 * seconds / (double)n;
}

static double infer_ms(bench *b)
{
    const norn_network *n = b->network;
    size_t rows[64], members[64];
    for (size_t s = 0; s < n->shape.slots; s++) {
        rows[s] = n->ibp;
        members[s] = s;
    }
    const double begin = norn_seconds();
    double seconds = 0.0;
    size_t calls = 0;
    for (; seconds < 0.2; calls++) {
        need(norn_network_infer(b->network, b->series, b->windows, rows, members, n->shape.slots, b->loss,
                                NULL, &err));
        seconds = norn_seconds() - begin;
    }
    return 1e3 * seconds / (double)calls;
}

static void release(bench *b)
{
    norn_network_free(b->network);
    norn_series_free(b->series);
    free(b->windows);
    free(b->schedule);
    free(b->loss);
}

typedef struct shape_row {
    size_t batch, window, inputs, hidden, layers, members;
} shape_row;

static norn_network_shape shape_of(const shape_row *row, norn_path path)
{
    return (norn_network_shape){.inputs = row->inputs,
                                .hidden = row->hidden,
                                .layers = row->layers,
                                .window = row->window,
                                .horizon = 24,
                                .batch = row->batch,
                                .infer_batch = row->batch,
                                .members = row->members,
                                .clip = 1.0,
                                .path = path};
}

/* least: shapes of fewer members are left out. PyTorch has one model at a time: many are a loop over them. */
static void bench_steps(norn_context *context, size_t rounds, const torch *workers, size_t least)
{
    static const shape_row shapes[] = {{32, 24, 1, 32, 1, 1},   {64, 96, 7, 64, 2, 1},
                                       {64, 96, 7, 128, 2, 1},  {256, 96, 7, 128, 2, 1},
                                       {64, 336, 7, 128, 2, 1}, {32, 24, 1, 32, 1, 50}};
    (void)printf("\nWhole training step, medians of %zu rounds (+- half the quartile distance)\n", rounds);
    (void)printf("%-22s %16s %8s %16s %16s %14s %9s\n", "(B,T,F,H,L) x members", "Norn ms", "GF/s",
                 "of OpenBLAS SGEMM", "PyTorch 1 thread", "2 threads ms", "faster");
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        const shape_row *row = &shapes[i];
        if (row->members < least) continue;
        const norn_network_shape shape = shape_of(row, NORN_PATH_SEQUENCE);
        bench b = prepare(context, shape, 0.25);
        double ms[MOST_ROUNDS], share[MOST_ROUNDS], one[MOST_ROUNDS], two[MOST_ROUNDS], ahead[MOST_ROUNDS];
        (void)step_ms(&b);
        for (size_t r = 0; r < rounds; r++) {
            ms[r] = step_ms(&b);
            const double blas = openblas_rate(1024);
            rest();
            const double gf = b.operations * (double)row->members / ms[r] * 1e-6;
            share[r] = blas > 0.0 ? gf / blas : NAN;
            one[r] = torch_ms(workers[0], &shape) * (double)row->members;
            rest();
            two[r] = torch_ms(workers[1], &shape) * (double)row->members;
            rest();
            ahead[r] = fmin(one[r], two[r]) / ms[r];
        }
        const double gf = b.operations * (double)row->members * 1e-6;
        const spread s = spread_of(ms, rounds), q = spread_of(share, rounds), a = spread_of(ahead, rounds);
        char name[64];
        (void)snprintf(name, sizeof name, "%zu,%zu,%zu,%zu,%zu x %zu", row->batch, row->window, row->inputs,
                       row->hidden, row->layers, row->members);
        (void)printf("%-22s %8.3f +-%5.3f %8.1f %9.2f +- %4.2f %16.2f %14.2f %8.1fx\n", name, s.median,
                     s.half, gf / s.median, q.median, q.half, spread_of(one, rounds).median,
                     spread_of(two, rounds).median, a.median);
        (void)fflush(stdout);
        release(&b);
    }
}

static void bench_parts(norn_context *context)
{
    static const shape_row shapes[] = {{64, 96, 7, 64, 2, 1}, {64, 96, 7, 128, 2, 1}, {64, 96, 7, 256, 2, 1}};
    (void)printf("\nParts of the step, waited for one by one\n%-18s %12s %12s %20s %20s %14s\n",
                 "(B,T,F,H,L)", "forward ms", "GF/s", "forward+backward ms", "GF/s", "weight gradient");
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        const norn_network_shape shape = shape_of(&shapes[i], NORN_PATH_SEQUENCE);
        bench b = prepare(context, shape, 0.1);
        norn_network *n = b.network;
        (void)step_ms(&b);
        const size_t nj = n->hp / n->strip, ub = (size_t)context->local * context->vector;
        const size_t blocks =
            (shape.layers - 1) * nj * ((2 * n->hp + 63) / 64) + nj * ((n->kx + n->hp + 63) / 64) + n->op / ub;
        const double third = b.operations / 3.0 * 1e-6;
        (void)infer_ms(&b);
        const double forward = infer_ms(&b);
        const double rows = kernel_ms(&b, &n->train, n->bp / context->rows, 7);
        const double weights = kernel_ms(&b, &n->weight_gradient, blocks * n->splits, 1);
        char name[64];
        (void)snprintf(name, sizeof name, "%zu,%zu,%zu,%zu,%zu", shape.batch, shape.window, shape.inputs,
                       shape.hidden, shape.layers);
        (void)printf("%-18s %12.3f %12.1f %20.3f %20.1f %7.3f ms %.1f GF/s\n", name, forward, third / forward,
                     rows, 2.0 * third / rows, weights, third / weights);
        release(&b);
    }
}

static void bench_paths(norn_context *context, size_t rounds)
{
    static const shape_row shapes[] = {{64, 48, 7, 256, 1, 1},
                                       {64, 24, 7, 512, 1, 1},
                                       {64, 12, 7, 1024, 1, 1},
                                       {64, 6, 7, 2048, 1, 1},
                                       {64, 3, 7, 4096, 1, 1}};
    (void)printf("\nThe two paths of a layer, whole step\n%-18s %14s %8s %14s %8s\n", "(B,T,F,H,L)",
                 "sequence ms", "GF/s", "stage ms", "GF/s");
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        double result[2];
        bench both[2];
        for (int p = 0; p < 2; p++) {
            both[p] = prepare(context, shape_of(&shapes[i], p ? NORN_PATH_STAGE : NORN_PATH_SEQUENCE), 0.3);
            (void)step_ms(&both[p]);
        }
        double ms[2][MOST_ROUNDS];
        for (size_t r = 0; r < rounds; r++)
            for (int p = 0; p < 2; p++) ms[p][r] = step_ms(&both[p]);
        for (int p = 0; p < 2; p++) {
            result[p] = spread_of(ms[p], rounds).median;
            release(&both[p]);
        }
        const norn_network_shape shape = shape_of(&shapes[i], NORN_PATH_SEQUENCE);
        const double gf = norn_network_operations(&shape) * 1e-6;
        char name[64];
        (void)snprintf(name, sizeof name, "%zu,%zu,%zu,%zu,%zu", shape.batch, shape.window, shape.inputs,
                       shape.hidden, shape.layers);
        (void)printf("%-18s %14.3f %8.1f %14.3f %8.1f\n", name, result[0], gf / result[0], result[1],
                     gf / result[1]);
    }
}

static void bench_gemm(norn_context *context, size_t rounds)
{
    static const struct {
        size_t m, n, k;
        bool ta, tb;
    } products[] = {{6144, 512, 128, false, true},
                    {6144, 128, 512, false, false},
                    {512, 128, 6144, true, false},
                    {1024, 1024, 1024, false, false}};
    (void)printf("\nProducts, GF/s\n%-32s %10s %10s\n", "M, N, K (row-major)", "CLBlast", "OpenBLAS");
    for (size_t i = 0; i < NORN_COUNT(products); i++) {
        const size_t m = products[i].m, n = products[i].n, k = products[i].k;
        const bool ta = products[i].ta, tb = products[i].tb;
        float *a = claim(m * k, sizeof *a), *b = claim(n * k, sizeof *b), *c = claim(m * n, sizeof *c);
        for (size_t x = 0; x < m * k; x++) a[x] = (float)(rand() % 1000) * 0.001f;
        for (size_t x = 0; x < n * k; x++) b[x] = (float)(rand() % 1000) * 0.001f;
        norn_buffer da = {NULL, 0, NULL}, db = {NULL, 0, NULL}, dc = {NULL, 0, NULL};
        need(norn_buffer_new(context, &da, m * k * 4, a, "a matrix", &err));
        need(norn_buffer_new(context, &db, n * k * 4, b, "a matrix", &err));
        need(norn_buffer_new(context, &dc, m * n * 4, NULL, "a matrix", &err));
        double ours[MOST_ROUNDS], theirs[MOST_ROUNDS];
        const double gf = 2e-9 * (double)m * (double)n * (double)k;
        for (size_t r = 0; r <= rounds; r++) { /* round 0 warms up */
            double begin = norn_seconds();
            for (int x = 0; x < 4; x++)
                need(norn_gemm(context, NORN_GEMM_CLBLAST, ta, tb, m, n, k, (norn_matrix){&da, 0, ta ? m : k},
                               (norn_matrix){&db, 0, tb ? k : n}, (norn_matrix){&dc, 0, n}, false, &err));
            need(norn_finish(context, &err));
            if (r) ours[r - 1] = 4.0 * gf / (norn_seconds() - begin);
            begin = norn_seconds();
#ifdef NORN_WITH_OPENBLAS
            for (int x = 0; x < 4; x++)
                cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                            (int)m, (int)n, (int)k, 1.0f, a, (int)(ta ? m : k), b, (int)(tb ? k : n), 0.0f, c,
                            (int)n);
#endif
            if (r) theirs[r - 1] = 4.0 * gf / (norn_seconds() - begin);
            rest();
        }
        char name[64];
        (void)snprintf(name, sizeof name, "%zu, %zu, %zu%s%s", m, n, k, ta ? ", A transposed" : "",
                       tb ? ", B transposed" : "");
        (void)printf("%-32s %10.1f ", name, spread_of(ours, rounds).median);
#ifdef NORN_WITH_OPENBLAS
        (void)printf("%10.1f\n", spread_of(theirs, rounds).median);
#else
        (void)theirs;
        (void)printf("%10s\n", "-");
#endif
        norn_buffer_free(&da);
        norn_buffer_free(&db);
        norn_buffer_free(&dc);
        free(a);
        free(b);
        free(c);
    }
}

/* Usage: norn_bench WHAT ROUNDS [PYTORCH1 PYTORCH2], WHAT any of the letters s(teps) p(arts) g(emm) t(wo
 * paths). */
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "spgt";
    const size_t rounds =
        argc > 2 && atoi(argv[2]) > 0 && atoi(argv[2]) <= MOST_ROUNDS ? (size_t)atoi(argv[2]) : 7;
    torch workers[2] = {{NULL, NULL}, {NULL, NULL}};
    for (int i = 0; i < 2 && argc > 3 + i; i++) workers[i] = start_torch(argv[3 + i]);
    norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    const char *mapping = getenv("NORN_BENCH_MAPPING"); /* "LS,VW,ROWS" */
    if (mapping) (void)sscanf(mapping, "%u,%u,%u", &options.local_size, &options.vector_width, &options.rows);
    norn_context *context = NULL;
    need(norn_context_new(&context, &options, NULL, &err));
    const norn_device_info *device = norn_context_device(context);
    const time_t now = time(NULL);
    char date[32];
    (void)strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    (void)printf("Norn %s, %s\nDevice       %s, %u compute units, %s %s\nMapping      LS=%u VW=%u ROWS=%u\n",
                 norn_version(), date, device->name, device->compute_units, device->platform_version,
                 device->driver, context->local, context->vector, context->rows);
#ifdef NORN_WITH_OPENBLAS
    (void)printf("OpenBLAS     %s, %d threads, SGEMM of 1024^3 %.1f GF/s\n", openblas_get_config(),
                 openblas_get_num_threads(), openblas_rate(1024));
    rest();
#endif
    if (strchr(what, 's')) bench_steps(context, rounds, workers, 1);
    if (strchr(what, 'm')) bench_steps(context, rounds, workers, 2);
    if (strchr(what, 'p')) bench_parts(context);
    if (strchr(what, 'g')) bench_gemm(context, rounds);
    if (strchr(what, 't')) bench_paths(context, rounds);
    norn_context_free(context);
    for (int i = 0; i < 2; i++)
        if (workers[i].to) (void)fclose(workers[i].to);
    return 0;
}
