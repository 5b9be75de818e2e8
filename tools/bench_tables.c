/* Kernels, products, training steps, forward passes and members beside their references: see bench_tables.h.
 */
#include "bench_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KERNELS = 32 };

norn_context *bench_context(const bench_mapping *mapping, const char *device, norn_profile *profile)
{
    norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
    norn_host host = NORN_HOST_INIT;
    norn_context *context = NULL;
    host.profile = profile;
    options.device = device;
    options.local_size = mapping->local;
    options.vector_width = mapping->vector;
    options.rows = mapping->rows;
    bench_need(norn_context_new(&context, &options, &host, &bench_err));
    return context;
}

void bench_open(bench *b, bool as_gpu)
{
    bench_mapping mapping = {0, 0, 0};
    norn_device_info *devices = NULL;
    size_t count = 0;
    char device[32];
    const char *named = getenv("NORN_DEVICE"), *told = getenv("NORN_BENCH_MAPPING");
    b->device = "cpu";
    if (as_gpu) {
        bench_need(norn_devices_list(&devices, &count, NULL, &bench_err));
        for (size_t i = 0; i < count && !b->gpu; i++)
            if (devices[i].type == NORN_DEVICE_GPU && devices[i].usable) {
                b->gpu = true;
                b->device = "cuda";
                (void)snprintf(device, sizeof device, "%d:%d", devices[i].platform, devices[i].device);
                if (!named || !*named) named = device;
            }
        norn_devices_free(devices, count, NULL);
        if (!b->gpu) mapping = (bench_mapping){4, 1, 2}; /* as a CPU's driver compiles within reason */
    }
    if (told) (void)sscanf(told, "%u,%u,%u", &mapping.local, &mapping.vector, &mapping.rows);
    b->context = bench_context(&mapping, named && *named ? named : NULL, NULL);
}

void bench_put_ratio(bench *b, const char *of, const bench_spread *s, double bar)
{
    char verdict[32] = "";
    if (isnan(s->median)) {
        (void)printf(" %22s %-12s", "-", "");
        return;
    }
    if (bar > 0.0) {
        const bool met = s->median >= bar;
        (void)snprintf(verdict, sizeof verdict, "(%g %s)", bar, met ? "met" : "missed");
        b->bars++;
        b->bars_met += met;
    }
    for (size_t i = 0; i < NORN_COUNT(b->ranges); i++) {
        struct bench_range *range = &b->ranges[i];
        if (!range->what) *range = (struct bench_range){of, s->median, s->median};
        if (strcmp(range->what, of) != 0) continue;
        range->least = fmin(range->least, s->median);
        range->most = fmax(range->most, s->median);
        break;
    }
    (void)printf(" %7.2f %7.2f +-%5.2f %-12s", s->best, s->median, s->half, verdict);
}

void bench_put_times(const bench_spread *s)
{
    if (isnan(s->median))
        (void)printf(" %9s %9s %8s", "-", "-", "");
    else
        (void)printf(" %9.3f %9.3f +-%6.3f", s->best, s->median, s->half);
}

/* " 40.26 /2": milliseconds of PyTorch or the like, and the threads it was fastest with. */
static void put_other(const bench_spread *s, unsigned threads)
{
    if (isnan(s->median))
        (void)printf(" %12s", "-");
    else
        (void)printf(" %9.2f /%u", s->median, threads);
}

/* What the best SGEMM at hand makes of 1024^3, GF/s: OpenBLAS's, on a GPU PyTorch's there. */
static double reference_gemm(bench *b)
{
    return b->gpu ? bench_torch_ask(&b->torch, "gemm", NULL, b->device, 0, 1, &(norn_network_shape){0})
                  : bench_openblas_rate(4);
}

static double reference_copy(const bench *b)
{
    return b->gpu ? bench_device_copy_rate(b->context, (size_t)256 << 20) : bench_copy_rate((size_t)64 << 20);
}

/* ---- training and forward passes ---- */

typedef struct bar_row {
    bench_shape shape;
    double of_sgemm, of_torch, of_infer; /* bars; 0: none */
} bar_row;

static const bar_row shapes[] = {
    {{32, 24, 1, 32, 1, 1, NULL}, 0.45, 8.0, 1.5},  {{64, 96, 7, 64, 2, 1, NULL}, 0.9, 3.0, 1.5},
    {{64, 96, 7, 128, 2, 1, NULL}, 0.9, 1.5, 1.5},  {{256, 96, 7, 128, 2, 1, NULL}, 0.9, 1.5, 1.5},
    {{64, 336, 7, 128, 2, 1, NULL}, 0.9, 1.5, 1.5}, {{64, 96, 7, 256, 2, 1, NULL}, 0.0, 1.5, 0.0}};

/* The next of the words; NULL: no more. */
static const char *next_word(const char **words, char *out, size_t size)
{
    size_t length = 0;
    *words += strspn(*words, " ");
    while ((*words)[length] && (*words)[length] != ' ') length++;
    if (!length || length >= size) return NULL;
    memcpy(out, *words, length);
    out[length] = '\0';
    *words += length;
    return out;
}

static const char *cells_of(const char *words)
{
    return *words ? words : "lstm gru elman";
}

static bool torch_knows(const char *cell)
{
    return strcmp(cell, "lstm") == 0 || strcmp(cell, "gru") == 0 || strcmp(cell, "elman") == 0;
}

/* PyTorch with one thread and with two: those of the faster median count, on a machine of so many cores. */
static const double *faster(const double *one, const double *two, size_t rounds, unsigned *threads)
{
    const bench_spread a = bench_spread_of_times(one, rounds), b = bench_spread_of_times(two, rounds);
    *threads = b.median < a.median ? 2 : 1;
    return *threads == 2 ? two : one;
}

static void train_row(bench *b, const bar_row *row, const char *cell)
{
    const bool ours = strcmp(cell, "lstm") == 0;
    bench_shape of = row->shape;
    double ms[MOST_ROUNDS], share[MOST_ROUNDS], one[MOST_ROUNDS], two[MOST_ROUNDS], ahead[MOST_ROUNDS];
    char name[64];
    unsigned threads = 0;
    of.cell = cell;
    bench_network n = bench_prepare(b->context, &of, NORN_PATH_AUTO, 0.5);
    const norn_network_shape asked = bench_shape_of(&of, NORN_PATH_AUTO);
    const double gf = n.operations * (double)of.members * 1e-6, members = (double)of.members;
    (void)bench_train_ms(&n);
    for (size_t r = 0; r < b->rounds; r++) {
        ms[r] = bench_train_ms(&n);
        share[r] = gf / ms[r] / bench_openblas_rate(24);
        bench_rest();
        one[r] = torch_knows(cell) ? members * bench_torch_ask(&b->torch, "train", cell, "cpu", 0, 1, &asked)
                                   : NAN;
        bench_rest();
        two[r] = torch_knows(cell) ? members * bench_torch_ask(&b->torch, "train", cell, "cpu", 0, 2, &asked)
                                   : NAN;
        bench_rest();
    }
    bench_check_work(&n);
    const double *theirs = faster(one, two, b->rounds, &threads);
    for (size_t r = 0; r < b->rounds; r++) ahead[r] = theirs[r] / ms[r];
    const bench_spread s = bench_spread_of_times(ms, b->rounds), t = bench_spread_of_times(theirs, b->rounds),
                       q = bench_spread_of_rates(share, b->rounds),
                       a = bench_spread_of_rates(ahead, b->rounds);
    bench_name(&of, name, sizeof name);
    (void)printf("%-16s %-6s", name, cell);
    bench_put_times(&s);
    (void)printf(" %7.1f", gf / s.median);
    bench_put_ratio(b, "of OpenBLAS", &q, ours ? row->of_sgemm : 0.0);
    put_other(&t, threads);
    bench_put_ratio(b, "times PyTorch", &a, row->of_torch);
    (void)printf("\n");
    if (of.members > 1)
        (void)printf("%-16s %zu of %zu members in a launch\n", "", n.network->shape.slots, of.members);
    (void)fflush(stdout);
    bench_release(&n);
}

static void train_head(const char *title)
{
    (void)printf("\n%s\n%-16s %-6s %9s %9s %8s %7s %7s %7s %-20s %12s %7s %7s\n", title, "(B,T,F,H,L)",
                 "cell", "best ms", "median", "", "GF/s", "best", "median", "of OpenBLAS SGEMM",
                 "PyTorch ms/n", "best", "median times as fast");
}

void bench_train(bench *b, const char *words)
{
    char cell[64];
    words = cells_of(words);
    train_head("Whole training step; PyTorch with the faster of n = 1 and 2 threads");
    while (next_word(&words, cell, sizeof cell))
        for (size_t i = 0; i < NORN_COUNT(shapes); i++) train_row(b, &shapes[i], cell);
}

void bench_members(bench *b, const char *words)
{
    static const bar_row fifty = {{32, 24, 1, 32, 1, 50, NULL}, 0.6, 0.0, 0.0};
    char cell[64];
    if (!*words) words = "lstm";
    train_head("A training step of fifty networks, all of them; PyTorch: fifty times the step of one");
    while (next_word(&words, cell, sizeof cell)) train_row(b, &fifty, cell);
}

static void infer_row(bench *b, const bar_row *row, const char *cell)
{
    double ms[MOST_ROUNDS], share[MOST_ROUNDS], theirs[2][2][MOST_ROUNDS], ahead[MOST_ROUNDS];
    static const char *const kinds[] = {"infer", "onnx"};
    bench_shape of = row->shape;
    char name[64];
    of.cell = cell;
    bench_network n = bench_prepare(b->context, &of, NORN_PATH_AUTO, 0.0);
    const norn_network_shape asked = bench_shape_of(&of, NORN_PATH_AUTO);
    const double gf = n.operations / 3.0 * 1e-6;
    (void)bench_infer_ms(&n, 0.0);
    for (size_t r = 0; r < b->rounds; r++) {
        ms[r] = bench_infer_ms(&n, 0.5);
        share[r] = gf / ms[r] / bench_openblas_rate(24);
        for (int kind = 0; kind < 2; kind++)
            for (unsigned threads = 1; threads <= 2; threads++) {
                bench_rest();
                theirs[kind][threads - 1][r] =
                    torch_knows(cell)
                        ? bench_torch_ask(&b->torch, kinds[kind], cell, "cpu", 0, threads, &asked)
                        : NAN;
            }
        bench_rest();
    }
    const bench_spread s = bench_spread_of_times(ms, b->rounds), q = bench_spread_of_rates(share, b->rounds);
    bench_name(&of, name, sizeof name);
    (void)printf("%-16s %-6s", name, cell);
    bench_put_times(&s);
    (void)printf(" %7.1f %7.2f", gf / s.median, q.median);
    for (int kind = 0; kind < 2; kind++) {
        unsigned threads = 0;
        const double *best = faster(theirs[kind][0], theirs[kind][1], b->rounds, &threads);
        for (size_t r = 0; r < b->rounds; r++) ahead[r] = best[r] / ms[r];
        const bench_spread t = bench_spread_of_times(best, b->rounds),
                           a = bench_spread_of_rates(ahead, b->rounds);
        put_other(&t, threads);
        bench_put_ratio(b, kind ? "times ONNX Runtime" : "times PyTorch", &a, row->of_infer);
    }
    (void)printf("\n");
    (void)fflush(stdout);
    bench_release(&n);
}

void bench_infer(bench *b, const char *words)
{
    char cell[64];
    words = cells_of(words);
    (void)printf(
        "\nForward pass, outputs on the host; PyTorch and ONNX Runtime with the faster of n = 1 and 2 "
        "threads\n%-16s %-6s %9s %9s %8s %7s %7s %12s %7s %7s %20s %12s %7s %7s\n",
        "(B,T,F,H,L)", "cell", "best ms", "median", "", "GF/s", "of BLAS", "PyTorch ms/n", "best",
        "median times as fast", "", "ONNX ms/n", "best", "median times as fast");
    while (next_word(&words, cell, sizeof cell))
        for (size_t i = 0; i < NORN_COUNT(shapes); i++)
            if (shapes[i].of_infer > 0.0) infer_row(b, &shapes[i], cell);
}

/* ---- kernels of a step ---- */

typedef struct kernel_times {
    const char *name;
    uint64_t calls;
    double ms[MOST_ROUNDS], rate[MOST_ROUNDS],
        share[MOST_ROUNDS]; /* of a step's launches; GF/s or GB/s; of the reference */
    bool computes;
} kernel_times;

/* What the profile counted since `before` was filled by the same: a round's launches of every kernel. */
static size_t kernel_rows(norn_profile *profile, norn_profile_row out[MOST_KERNELS])
{
    size_t count = 0, kept = 0;
    const norn_profile_row *rows = norn_profile_rows(profile, &count);
    for (size_t i = 0; i < count && kept < MOST_KERNELS; i++)
        if (rows[i].kind == NORN_PROFILE_KERNEL) out[kept++] = rows[i];
    return kept;
}

static const norn_profile_row *row_named(const norn_profile_row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    return NULL;
}

/* Kernels that a step may launch several times, each for a piece of the batch. */
static bool in_pieces(const char *name)
{
    return strcmp(name, "train_rows") == 0 || strcmp(name, "weight_gradient") == 0;
}

/* Steps of training: one launch of adam each. */
static double steps_between(const norn_profile_row *before, size_t had, const norn_profile_row *after,
                            size_t has)
{
    static const char *const names[] = {"adam", "adam_whole"};
    double steps = 0.0;
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        const norn_profile_row *then = row_named(before, had, names[i]),
                               *now = row_named(after, has, names[i]);
        steps += (double)((now ? now->calls : 0) - (then ? then->calls : 0));
    }
    return steps;
}

static void kernels_of(bench *b, norn_context *context, norn_profile *profile, const bench_shape *of)
{
    kernel_times all[MOST_KERNELS];
    norn_profile_row before[MOST_KERNELS], after[MOST_KERNELS];
    size_t kernels = 0;
    char name[64];
    bench_network n = bench_prepare(context, of, NORN_PATH_AUTO, 0.1);
    (void)bench_train_ms(&n);
    (void)bench_infer_ms(&n, 0.0);
    for (size_t r = 0; r < b->rounds; r++) {
        const size_t had = kernel_rows(profile, before);
        (void)bench_train_ms(&n);
        (void)bench_infer_ms(&n, 0.05);
        const size_t has = kernel_rows(profile, after);
        const double blas = reference_gemm(b), copy = reference_copy(b),
                     steps = steps_between(before, had, after, has);
        bench_rest();
        for (size_t i = 0; i < has; i++) {
            const norn_profile_row *now = &after[i], *then = row_named(before, had, now->name);
            const norn_profile_row none = {.name = now->name};
            if (!then) then = &none;
            const double calls = (double)(now->calls - then->calls), seconds = now->seconds - then->seconds,
                         operations = now->operations - then->operations, bytes = now->bytes - then->bytes;
            kernel_times *k = all;
            if (calls < 1.0 || seconds <= 0.0) continue;
            while (k < all + kernels && strcmp(k->name, now->name) != 0) k++;
            if (k == all + kernels) {
                if (r) continue; /* seen by no earlier round: cannot be */
                *k = (kernel_times){.name = now->name, .computes = operations > 4.0 * bytes};
                kernels++;
            }
            k->calls = (uint64_t)calls;
            k->ms[r] = 1e3 * seconds / (in_pieces(now->name) ? steps : calls);
            k->rate[r] = 1e-9 * (k->computes ? operations : bytes) / seconds;
            k->share[r] = k->rate[r] / (k->computes ? blas : copy);
        }
    }
    bench_name(of, name, sizeof name);
    for (size_t i = 0; i < kernels; i++) {
        const bench_spread s = bench_spread_of_times(all[i].ms, b->rounds),
                           v = bench_spread_of_rates(all[i].rate, b->rounds),
                           q = bench_spread_of_rates(all[i].share, b->rounds);
        (void)printf("%-16s %-16s", i ? "" : name, all[i].name);
        bench_put_times(&s);
        (void)printf(" %8.1f %-12s", v.median, all[i].computes ? "GF/s, SGEMM" : "GB/s, copy");
        bench_put_ratio(b,
                        !all[i].computes ? "of a copy"
                        : b->gpu         ? "of PyTorch's SGEMM"
                                         : "of OpenBLAS",
                        &q, 0.0);
        (void)printf("\n");
    }
    (void)fflush(stdout);
    bench_check_work(&n);
    bench_release(&n);
}

void bench_kernels(bench *b, const char *words)
{
    static const bench_shape of[] = {{32, 24, 1, 32, 1, 1, NULL},   {64, 96, 7, 64, 2, 1, NULL},
                                     {64, 96, 7, 128, 2, 1, NULL},  {256, 96, 7, 128, 2, 1, NULL},
                                     {64, 336, 7, 128, 2, 1, NULL}, {64, 96, 7, 256, 2, 1, NULL}};
    static const bench_shape dry[] = {{8, 6, 3, 20, 2, 1, NULL}};
    const bench_mapping mapping = {b->context->local, b->context->vector, b->context->rows};
    char device[32], word[64];
    norn_profile *profile = NULL;
    (void)snprintf(device, sizeof device, "%d:%d", b->context->info.platform, b->context->info.device);
    bench_need(norn_profile_new(&profile, NULL, &bench_err));
    norn_context *context = bench_context(&mapping, device, profile);
    (void)printf("\nKernels of a step and of a forward pass, by the device's clock, beside %s or a copy %s, "
                 "%.1f GB/s\n"
                 "%-16s %-16s %9s %9s %8s %8s %-12s %7s %7s\n",
                 b->gpu ? "PyTorch's SGEMM" : "OpenBLAS's SGEMM", b->gpu ? "on the device" : "by all cores",
                 reference_copy(b), "(B,T,F,H,L)", "kernel", "best ms", "median", "", "rate", "and beside",
                 "best", "median of it");
    const bool tiny = context->local > 1 && !b->gpu;
    for (size_t i = 0; !*words && i < (tiny ? NORN_COUNT(dry) : NORN_COUNT(of)); i++)
        kernels_of(b, context, profile, tiny ? &dry[i] : &of[i]);
    while (next_word(&words, word, sizeof word)) {
        bench_shape asked = {.members = 1};
        int end = 0;
        if (sscanf(word, "%zu,%zu,%zu,%zu,%zu%n", &asked.batch, &asked.window, &asked.inputs, &asked.hidden,
                   &asked.layers, &end) != 5 ||
            (word[end] && word[end] != ','))
            bench_refuse("%s: not a shape, as 64,96,7,128,2 or 64,96,7,128,2,gru", word);
        if (word[end]) asked.cell = word + end + 1;
        kernels_of(b, context, profile, &asked);
    }
    norn_context_free(context);
    norn_profile_free(profile);
}

/* ---- paths and products ---- */

void bench_paths(bench *b, const char *words)
{
    static const bench_shape of[] = {{64, 48, 7, 256, 1, 1, NULL},
                                     {64, 24, 7, 512, 1, 1, NULL},
                                     {64, 12, 7, 1024, 1, 1, NULL},
                                     {64, 6, 7, 2048, 1, 1, NULL},
                                     {64, 3, 7, 4096, 1, 1, NULL}};
    (void)words;
    (void)printf("\nThe two paths of a layer, whole step\n%-16s %9s %9s %8s %9s %9s %8s %7s %7s\n",
                 "(B,T,F,H,L)", "sequence", "median", "", "stage ms", "median", "", "best",
                 "median times as fast");
    for (size_t i = 0; i < NORN_COUNT(of); i++) {
        static const norn_path paths[] = {NORN_PATH_SEQUENCE, NORN_PATH_STAGE};
        bench_network both[2];
        double ms[2][MOST_ROUNDS], ahead[MOST_ROUNDS];
        char name[64];
        for (int p = 0; p < 2; p++) {
            both[p] = bench_prepare(b->context, &of[i], paths[p], 0.3);
            (void)bench_train_ms(&both[p]);
        }
        for (size_t r = 0; r < b->rounds; r++) {
            for (int p = 0; p < 2; p++) ms[p][r] = bench_train_ms(&both[p]);
            ahead[r] = ms[1][r] / ms[0][r];
        }
        bench_name(&of[i], name, sizeof name);
        (void)printf("%-16s", name);
        for (int p = 0; p < 2; p++) {
            const bench_spread s = bench_spread_of_times(ms[p], b->rounds);
            bench_put_times(&s);
            bench_check_work(&both[p]);
            bench_release(&both[p]);
        }
        const bench_spread a = bench_spread_of_rates(ahead, b->rounds);
        bench_put_ratio(b, "times the stage path", &a, 0.0);
        (void)printf("\n");
        (void)fflush(stdout);
    }
}

typedef struct product {
    size_t m, n, k;
    bool ta, tb;
    norn_gemm_path path;
} product;

static void gemm_row(bench *b, const product *p)
{
    const size_t m = p->m, n = p->n, k = p->k;
    const double gf = 2e-9 * (double)m * (double)n * (double)k;
    const size_t wanted = (size_t)(0.02 * 150.0 / gf) + 1, repeats = wanted > 200 ? 200 : wanted;
    float *x = bench_claim(m * k, sizeof *x), *y = bench_claim(n * k, sizeof *y),
          *z = bench_claim(m * n, sizeof *z);
    double ours[MOST_ROUNDS], theirs[MOST_ROUNDS], share[MOST_ROUNDS];
    norn_buffer dx = {NULL, 0, NULL}, dy = {NULL, 0, NULL}, dz = {NULL, 0, NULL};
    norn_context *context = b->context;
    char name[64];
    for (size_t i = 0; i < m * k; i++) x[i] = (float)(rand() % 1000) * 0.001f;
    for (size_t i = 0; i < n * k; i++) y[i] = (float)(rand() % 1000) * 0.001f;
    bench_need(norn_buffer_new(context, &dx, m * k * sizeof *x, x, "a matrix", &bench_err));
    bench_need(norn_buffer_new(context, &dy, n * k * sizeof *y, y, "a matrix", &bench_err));
    bench_need(norn_buffer_new(context, &dz, m * n * sizeof *z, NULL, "a matrix", &bench_err));
    for (size_t r = 0; r <= b->rounds; r++) { /* round 0 warms up */
        double begin = norn_seconds();
        for (size_t i = 0; i < repeats; i++)
            bench_need(norn_gemm(context, p->path, p->ta, p->tb, m, n, k,
                                 (norn_matrix){&dx, 0, p->ta ? m : k}, (norn_matrix){&dy, 0, p->tb ? k : n},
                                 (norn_matrix){&dz, 0, n}, false, &bench_err));
        bench_need(norn_finish(context, &bench_err));
        const double own = (double)repeats * gf / (norn_seconds() - begin);
        begin = norn_seconds();
        for (size_t i = 0; i < repeats && !b->gpu; i++) bench_openblas(p->ta, p->tb, m, n, k, x, y, z);
        const double blas = b->gpu                 ? reference_gemm(b) /* of 1024^3, whatever the shape */
                            : bench_has_openblas() ? (double)repeats * gf / (norn_seconds() - begin)
                                                   : NAN;
        bench_rest();
        if (!r) continue;
        ours[r - 1] = own;
        theirs[r - 1] = blas;
        share[r - 1] = own / blas;
    }
    const bench_spread s = bench_spread_of_rates(ours, b->rounds),
                       t = bench_spread_of_rates(theirs, b->rounds),
                       q = bench_spread_of_rates(share, b->rounds);
    (void)snprintf(name, sizeof name, "%zu, %zu, %zu%s%s", m, n, k, p->ta ? ", A transposed" : "",
                   p->tb ? ", B transposed" : "");
    (void)printf("%-30s %-8s %8.1f %8.1f +-%5.1f %9.1f", name, p->path == NORN_GEMM_OWN ? "own" : "CLBlast",
                 s.best, s.median, s.half, t.median);
    bench_put_ratio(b, b->gpu ? "of PyTorch's SGEMM" : "of OpenBLAS", &q, 0.0);
    (void)printf("\n");
    (void)fflush(stdout);
    norn_buffer_free(&dx);
    norn_buffer_free(&dy);
    norn_buffer_free(&dz);
    free(x);
    free(y);
    free(z);
}

void bench_gemm(bench *b, const char *words)
{
    static const product products[] = {
        {6144, 512, 128, false, true, NORN_GEMM_CLBLAST}, {6144, 128, 512, false, false, NORN_GEMM_CLBLAST},
        {512, 128, 6144, true, false, NORN_GEMM_CLBLAST}, {1024, 1024, 1024, false, false, NORN_GEMM_CLBLAST},
        {64, 128, 64, false, true, NORN_GEMM_OWN},        {64, 512, 128, false, true, NORN_GEMM_OWN}};
    static const product dry[] = {{64, 64, 64, false, true, NORN_GEMM_CLBLAST},
                                  {32, 32, 16, false, true, NORN_GEMM_OWN}};
    const bool tiny = b->context->local > 1 && !b->gpu;
    (void)words;
    (void)printf("\nProducts, GF/s\n%-30s %-8s %8s %8s %7s %9s %7s %7s\n", "M, N, K (row-major)", "by",
                 "best", "median", "", b->gpu ? "PyTorch's" : "OpenBLAS", "best", "median of it");
    for (size_t i = 0; i < (tiny ? NORN_COUNT(dry) : NORN_COUNT(products)); i++)
        gemm_row(b, tiny ? &dry[i] : &products[i]);
}
