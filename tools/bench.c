/*
 * How fast Norn computes on this machine, beside what else it could use: run by tools/bench.
 *
 *     norn_bench TARGET ROUNDS WORKER [WORDS]      WORKER: the command of tools/bench_pytorch.py, or ""
 *
 * Targets: kernels, gemm, paths, train, infer, members, sweep, gpu. Every figure is of rounds in which Norn
 * and its reference take turns (bench_kit.h). Operations of a training step are counted as 3 * sum over
 * layers of 2 * B * T * 4H * (I + H), forward once and backward twice; of a forward pass as a third of it.
 * The bars that stand beside ratios are what the project promises; a last line counts those that are met.
 */
#include "bench_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_head(const bench *b)
{
    const norn_device_info *device = norn_context_device(b->context);
    const time_t now = time(NULL);
    char date[32], load[64] = "";
    (void)strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
    FILE *file = fopen("/proc/loadavg", "r");
    if (file) {
        if (!fgets(load, sizeof load, file)) load[0] = '\0';
        load[strcspn(load, " \n")] = '\0';
        (void)fclose(file);
    }
    (void)printf("Norn %s, %s, %zu rounds%s%s\n", norn_version(), date, b->rounds,
                 *load ? ", load before it " : "", load);
    (void)printf("Device       %s, %u compute units, %s %s\n", device->name, device->compute_units,
                 device->platform_version, device->driver);
    (void)printf("Mapping      LS=%u VW=%u ROWS=%u\n", b->context->local, b->context->vector,
                 b->context->rows);
    (void)printf("Peak         %.1f GF/s of fma in registers\n", bench_peak_rate(b->context));
    bench_print_openblas();
    if (b->torch.to) (void)printf("Beside       %s\n", b->torch.versions);
}

/* One line, which tools/bench_append keeps of a run when a newer one takes its place. */
static void print_short(const bench *b)
{
    const char *between = "\nin short:";
    if (b->bars) {
        (void)printf("%s %zu of %zu bars met", between, b->bars_met, b->bars);
        between = ";";
    }
    for (size_t i = 0; i < NORN_COUNT(b->ranges) && b->ranges[i].what; i++) {
        const struct bench_range *range = &b->ranges[i];
        (void)printf("%s %.2f to %.2f %s", between, range->least, range->most, range->what);
        between = ",";
    }
    if (b->bars || b->ranges[0].what) (void)printf("\n");
}

static const struct {
    const char *name;
    void (*run)(bench *b, const char *words);
} targets[] = {{"kernels", bench_kernels}, {"gemm", bench_gemm},
               {"paths", bench_paths},     {"train", bench_train},
               {"infer", bench_infer},     {"members", bench_members},
               {"sweep", bench_sweep},     {"sweep-threads", bench_sweep_threads},
               {"gpu", bench_gpu}};

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: norn_bench TARGET ROUNDS WORKER [WORDS]\n");
        return EXIT_FAILURE;
    }
    const char *target = argv[1], *words = argc > 4 ? argv[4] : "";
    const int told = atoi(argv[2]);
    bench b = {.program = argv[0], .rounds = told < 1 ? 1 : told > MOST_ROUNDS ? MOST_ROUNDS : (size_t)told};
    for (size_t i = 0; i < NORN_COUNT(targets); i++) {
        if (strcmp(target, targets[i].name) != 0) continue;
        if (*argv[3]) b.torch = bench_torch_start(argv[3]);
        bench_open(&b, strcmp(target, "gpu") == 0);
        if (strcmp(target, "sweep-threads") != 0) print_head(&b);
        targets[i].run(&b, words);
        print_short(&b);
        norn_context_free(b.context);
        norn_profile_free(b.profile);
        bench_torch_end(&b.torch);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "bench: no target is called \"%s\"\n", target);
    return EXIT_FAILURE;
}
