/*
 * How fast a backtest refits a network: all folds side by side, as norn backtest trains them, beside the same
 * folds one after another and, with a command for it, another toolkit's refits. Run by tools/bench backtest.
 *
 *     norn_bench_backtest FILE STEPS ROUNDS [OTHER]
 *
 * 20 folds of a two-layer LSTM (32 units, window 48, horizon 48, 32 windows a step), STEPS steps each. The
 * ways take turns, since a machine may change its speed within minutes; medians over the rounds are printed,
 * and whether both ways gave the same bits. OTHER is a command that is given FILE and STEPS and prints
 * seconds. Reading the file and building kernels (or importing packages) is not counted on either side.
 */
#include "compute/compute.h"
#include "forecast/folds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS = 20, H = 48, W = 48, LEAST_EPOCH = 100, MOST_ROUNDS = 25 };

static norn_error err = NORN_ERROR_INIT;

static void need(norn_status status)
{
    if (status == NORN_OK) return;
    (void)fprintf(stderr, "bench: %s\n%s\n", err.message, err.log);
    exit(EXIT_FAILURE);
}

static void *claim(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) exit(EXIT_FAILURE);
    return p;
}

static norn_forecast_options options_of(unsigned steps)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = H;
    o.window = W;
    o.layers = 2;
    o.hidden = 32;
    o.batch = 32;
    o.steps_per_epoch = steps < LEAST_EPOCH ? steps : LEAST_EPOCH;
    o.epochs = (steps + LEAST_EPOCH - 1) / LEAST_EPOCH;
    o.patience = 1000000; /* every fold makes all its steps */
    return o;
}

/* The folds from .. to-1 of all: seconds. values [K][S][h] */
static double run(norn_context *context, norn_table *table, unsigned steps, size_t from, size_t to,
                  size_t slots, double *values)
{
    const size_t series = norn_table_series_count(table), h = H;
    const norn_forecast_options o = options_of(steps);
    const norn_fold judge = {.behind = FOLDS * h};
    norn_fold folds[FOLDS];
    for (size_t k = from; k < to; k++)
        folds[k - from] = (norn_fold){.behind = (FOLDS - k) * h, .served_by = k - from, .identity = k};
    norn_training *training = claim(FOLDS, sizeof *training);
    norn_folds_out out = {.values = values + from * series * h, .training = training};
    const norn_folds_options how = {.forecast = &o, .judge = &judge, .slots = slots};
    const double begin = norn_seconds();
    need(norn_folds_run(&out, context, table, &how, folds, to - from, NULL, &err));
    const double seconds = norn_seconds() - begin;
    free(training);
    return seconds;
}

static double run_other(const char *command, const char *path, unsigned steps)
{
    char line[2048];
    double seconds = -1.0;
    if (snprintf(line, sizeof line, "%s '%s' %u", command, path, steps) >= (int)sizeof line) return seconds;
    FILE *end = popen(line, "r");
    if (!end) return seconds;
    if (fscanf(end, "%lf", &seconds) != 1) seconds = -1.0;
    (void)pclose(end);
    return seconds;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double print_line(const char *name, double *seconds, size_t rounds, double against)
{
    qsort(seconds, rounds, sizeof *seconds, ascending);
    const double median = seconds[rounds / 2];
    (void)printf("  %-26s %8.2f %8.2f %8.2f %8.2f\n", name, seconds[0], median, seconds[rounds - 1],
                 against > 0.0 ? median / against : 1.0);
    return median;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: norn_bench_backtest FILE STEPS ROUNDS [OTHER]\n");
        return EXIT_FAILURE;
    }
    const char *path = argv[1], *other = argc > 4 ? argv[4] : NULL;
    const unsigned steps = atoi(argv[2]) > 0 ? (unsigned)atoi(argv[2]) : 100;
    const size_t told = atoi(argv[3]) > 0 ? (size_t)atoi(argv[3]) : 3;
    const size_t rounds = told > MOST_ROUNDS ? MOST_ROUNDS : told;
    const char *slots_text = getenv("NORN_BENCH_SLOTS"); /* members in a launch */
    const size_t slots = slots_text && atoi(slots_text) > 0 ? (size_t)atoi(slots_text) : 0;
    double together[MOST_ROUNDS], one_by_one[MOST_ROUNDS], theirs[MOST_ROUNDS];
    norn_table *table = NULL;
    norn_context *context = NULL;
    need(norn_context_new(&context, NULL, NULL, &err));
    need(norn_table_read(&table, path, NULL, NULL, &err));
    const size_t count = (size_t)FOLDS * norn_table_series_count(table) * H;
    double *side = claim(count, sizeof *side), *after = claim(count, sizeof *after);

    (void)run(context, table, 1, 0, FOLDS, slots, side); /* builds the kernels */
    (void)run(context, table, 1, 0, 1, slots, side);
    for (size_t r = 0; r < rounds; r++) {
        together[r] = run(context, table, steps, 0, FOLDS, slots, side);
        one_by_one[r] = 0.0;
        for (size_t k = 0; k < FOLDS; k++) one_by_one[r] += run(context, table, steps, k, k + 1, 0, after);
        theirs[r] = other ? run_other(other, path, steps) : -1.0;
        if (other && theirs[r] < 0.0) {
            (void)fprintf(stderr, "bench: \"%s\" failed: measured without it\n", other);
            other = NULL;
        }
    }
    (void)printf("%s\n%d refits of a two-layer LSTM, %d units, window %d, horizon %d, %u steps of 32 windows "
                 "each; %zu round%s\n\n",
                 norn_context_device(context)->name, (int)FOLDS, 32, (int)W, (int)H, steps, rounds,
                 rounds == 1 ? "" : "s");
    (void)printf("  %-26s %8s %8s %8s %8s\n", "", "best s", "median s", "worst s", "of norn");
    const double own = print_line("norn, side by side", together, rounds, 0.0);
    (void)print_line("norn, one after another", one_by_one, rounds, own);
    if (other) (void)print_line("other", theirs, rounds, own);
    (void)printf("\nforecasts of both ways: %s\n",
                 memcmp(side, after, count * sizeof *side) == 0 ? "the same to the bit" : "NOT the same");
    free(side);
    free(after);
    norn_table_free(table);
    norn_context_free(context);
    return EXIT_SUCCESS;
}
