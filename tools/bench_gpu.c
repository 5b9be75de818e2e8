/*
 * Everything on a GPU in one run: what it is, products and copies, the mapping of the sequence kernels tried
 * over group sizes and rows, training steps, forward passes and fifty members beside PyTorch with cuDNN (TF32
 * off and on), kernels one by one, and what is copied within an epoch.
 *
 * Without a GPU the same runs on the CPU driver with a GPU's mapping (LS > 1) and small shapes: a dry run,
 * whose rates mean nothing, but which shows that all of it is there and right. PyTorch stands beside it where
 * it finds a CUDA device.
 */
#include "bench_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *device_name(const bench *b, char *out, size_t size)
{
    (void)snprintf(out, size, "%d:%d", b->context->info.platform, b->context->info.device);
    return out;
}

static void print_device(bench *b, bool dry)
{
    const norn_device_info *d = norn_context_device(b->context);
    const size_t bytes = (size_t)(dry ? 8 : 256) << 20;
    const double torch_gemm =
                     bench_torch_ask(&b->torch, "gemm", NULL, "cuda", 0, 1, &(norn_network_shape){0}),
                 torch_copy =
                     bench_torch_ask(&b->torch, "copy", NULL, "cuda", 0, 1, &(norn_network_shape){0});
    (void)printf(
        "\n%s\n",
        dry ? "No GPU is here: a dry run with a GPU's mapping and small shapes; its rates mean nothing"
            : "On a GPU");
    (void)printf("Vendor       %s; %.1f GiB, largest buffer %.1f GiB, groups of %zu at most\n", d->vendor,
                 (double)d->memory / 1073741824.0, (double)d->largest_buffer / 1073741824.0,
                 d->largest_group);
    (void)printf("Copy         %.1f GB/s on the device", bench_device_copy_rate(b->context, bytes));
    if (!isnan(torch_copy))
        (void)printf("; PyTorch on it %.1f GB/s, its SGEMM of 1024^3 %.1f GF/s", torch_copy, torch_gemm);
    (void)printf("\n");
}

/* ---- the mapping ---- */

static double mapped_ms(const bench *b, const bench_mapping *mapping, const bench_shape *shape)
{
    char name[32];
    norn_context *context = bench_context(mapping, device_name(b, name, sizeof name), NULL);
    bench_network n = bench_prepare(context, shape, NORN_PATH_SEQUENCE, 0.05);
    double best = INFINITY;
    (void)bench_train_ms(&n);
    for (size_t r = 0; r < b->rounds; r++) best = fmin(best, bench_train_ms(&n));
    bench_check_work(&n);
    bench_release(&n);
    norn_context_free(context);
    return best;
}

static void print_mappings(const bench *b, bool dry)
{
    static const unsigned locals[] = {32, 64, 128, 256}, few[] = {4}, rows[] = {1, 2, 4, 8};
    static const bench_shape shapes[] = {{64, 96, 7, 32, 2, 1, NULL},
                                         {64, 96, 7, 64, 2, 1, NULL},
                                         {64, 96, 7, 128, 2, 1, NULL},
                                         {64, 96, 7, 256, 2, 1, NULL}};
    static const bench_shape small = {4, 3, 3, 20, 2, 1, NULL};
    const unsigned *sizes = dry ? few : locals;
    const size_t local_count = dry ? NORN_COUNT(few) : NORN_COUNT(locals),
                 row_count = dry ? 2 : NORN_COUNT(rows);
    (void)printf("\nThe sequence kernels by mapping, whole step, best ms of %zu\n%-16s %6s", b->rounds,
                 "(B,T,F,H,L)", "ROWS");
    for (size_t l = 0; l < local_count; l++) (void)printf("     LS=%-4u", sizes[l]);
    (void)printf("\n");
    for (size_t i = 0; i < (dry ? 1 : NORN_COUNT(shapes)); i++)
        for (size_t r = 0; r < row_count; r++) {
            char name[64];
            bench_name(dry ? &small : &shapes[i], name, sizeof name);
            (void)printf("%-16s %6u", r ? "" : name, rows[r]);
            for (size_t l = 0; l < local_count; l++) {
                const bench_mapping mapping = {sizes[l], 1, rows[r]};
                if (sizes[l] > b->context->info.largest_group)
                    (void)printf(" %11s", "-");
                else
                    (void)printf(" %11.3f", mapped_ms(b, &mapping, dry ? &small : &shapes[i]));
                (void)fflush(stdout);
            }
            (void)printf("\n");
        }
}

/* ---- beside cuDNN ---- */

typedef struct gpu_row {
    bench_shape shape;
    double train_bar; /* times cuDNN with TF32 off; 0: none */
} gpu_row;

/* What is measured of a network, and what PyTorch calls it. */
typedef struct act {
    const char *title, *request;
    double (*ms)(bench_network *n);
} act;

static double infer_ms(bench_network *n)
{
    return bench_infer_ms(n, 0.25);
}

static void compare(bench *b, const act *what, const gpu_row *row, const char *cell)
{
    bench_shape of = row->shape;
    double ms[MOST_ROUNDS], theirs[2][MOST_ROUNDS], ahead[MOST_ROUNDS];
    char name[64];
    of.cell = cell;
    bench_network n = bench_prepare(b->context, &of, NORN_PATH_AUTO, 0.25);
    const norn_network_shape asked = bench_shape_of(&of, NORN_PATH_AUTO);
    const bool trains = what->ms == bench_train_ms;
    const double members = (double)of.members, gf = n.operations * members * 1e-6 / (trains ? 1.0 : 3.0);
    (void)what->ms(&n);
    for (size_t r = 0; r < b->rounds; r++) {
        ms[r] = what->ms(&n);
        for (int tf32 = 0; tf32 < 2; tf32++)
            theirs[tf32][r] =
                members * bench_torch_ask(&b->torch, what->request, cell, "cuda", tf32, 1, &asked);
    }
    bench_check_work(&n);
    const bench_spread s = bench_spread_of_times(ms, b->rounds);
    bench_name(&of, name, sizeof name);
    (void)printf("%-16s x%-3zu %-5s", name, of.members, cell);
    bench_put_times(&s);
    (void)printf(" %8.1f", gf / s.median);
    for (int tf32 = 0; tf32 < 2; tf32++) {
        for (size_t r = 0; r < b->rounds; r++) ahead[r] = theirs[tf32][r] / ms[r];
        const bench_spread t = bench_spread_of_times(theirs[tf32], b->rounds),
                           a = bench_spread_of_rates(ahead, b->rounds);
        if (isnan(t.median))
            (void)printf("  %9s", "-");
        else
            (void)printf("  %9.3f", t.median);
        bench_put_ratio(b, tf32 ? "times cuDNN with TF32" : "times cuDNN", &a,
                        tf32 || !trains ? 0.0 : row->train_bar);
    }
    (void)printf("\n");
    (void)fflush(stdout);
    bench_release(&n);
}

static void compare_all(bench *b, const act *what, const gpu_row *rows, size_t count)
{
    static const char *const cells[] = {"lstm", "gru"};
    (void)printf("\n%s\n%-16s %4s %-5s %9s %9s %8s %8s  %9s %7s %7s %20s  %9s\n", what->title, "(B,T,F,H,L)",
                 "", "cell", "best ms", "median", "", "GF/s", "cuDNN ms", "best", "median",
                 "times; with TF32:", "ms");
    for (size_t c = 0; c < NORN_COUNT(cells); c++)
        for (size_t i = 0; i < count; i++) compare(b, what, &rows[i], cells[c]);
}

/* ---- what is copied ---- */

static void print_copies(const bench *b, const bench_shape *shape)
{
    static const char part[] = "copying to the device";
    const bench_mapping mapping = {b->context->local, b->context->vector, b->context->rows};
    char name[32];
    norn_profile *profile = NULL;
    bench_need(norn_profile_new(&profile, NULL, &bench_err));
    norn_context *context = bench_context(&mapping, device_name(b, name, sizeof name), profile);
    bench_network n = bench_prepare(context, shape, NORN_PATH_AUTO, 0.02);
    uint64_t copies[2] = {0, 0};
    (void)bench_train_ms(&n);
    for (int after = 0; after < 2; after++) {
        size_t count = 0;
        const norn_profile_row *rows = norn_profile_rows(profile, &count);
        for (size_t i = 0; i < count; i++)
            if (rows[i].kind == NORN_PROFILE_PART && strcmp(rows[i].name, part) == 0)
                copies[after] = rows[i].calls;
        if (!after) (void)bench_train_ms(&n);
    }
    (void)printf("\nCopied to the device in two epochs, of 2 and %zu steps: %llu times, before their first "
                 "steps (windows and schedule)\n",
                 n.steps, (unsigned long long)(copies[1] - copies[0]));
    bench_release(&n);
    norn_context_free(context);
    norn_profile_free(profile);
}

void bench_gpu(bench *b, const char *words)
{
    static const gpu_row rows[] = {
        {{64, 96, 7, 32, 2, 1, NULL}, 1.0},   {{64, 96, 7, 64, 2, 1, NULL}, 1.0},
        {{64, 96, 7, 128, 2, 1, NULL}, 0.5},  {{64, 96, 7, 256, 2, 1, NULL}, 0.5},
        {{256, 96, 7, 128, 2, 1, NULL}, 0.5}, {{64, 336, 7, 128, 2, 1, NULL}, 0.5},
        {{32, 24, 1, 32, 1, 1, NULL}, 0.0},   {{32, 24, 1, 32, 1, 50, NULL}, 10.0}};
    static const gpu_row dry_rows[] = {{{4, 5, 3, 20, 2, 1, NULL}, 0.0}, {{4, 5, 3, 20, 2, 3, NULL}, 0.0}};
    static const act acts[] = {
        {"Whole training step, beside PyTorch with cuDNN; many members: fifty times one of PyTorch's",
         "train", bench_train_ms},
        {"Forward pass, outputs on the host, beside PyTorch with cuDNN", "infer", infer_ms}};
    const bool dry = !b->gpu;
    const gpu_row *all = dry ? dry_rows : rows;
    const size_t count = dry ? NORN_COUNT(dry_rows) : NORN_COUNT(rows);
    (void)words;
    print_device(b, dry);
    bench_gemm(b, "");
    print_mappings(b, dry);
    compare_all(b, &acts[0], all, count);
    compare_all(b, &acts[1], all, count - 1);
    bench_kernels(b, "");
    print_copies(b, &all[0].shape);
}
