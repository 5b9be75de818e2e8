/*
 * The targets of norn_bench: each prints a table to standard output, with the ratio to its reference, and
 * counts the bars it was measured against.
 */
#ifndef NORN_TOOLS_BENCH_TABLES_H
#define NORN_TOOLS_BENCH_TABLES_H

#include "bench_kit.h"

#include "norn/profile.h"

/* LS, VW, ROWS; 0: as the device has it. */
typedef struct bench_mapping {
    unsigned local, vector, rows;
} bench_mapping;

typedef struct bench {
    const char *program; /* to run itself anew, with other settings of the driver */
    size_t rounds;
    norn_context *context;
    norn_profile *profile; /* of a context that `kernels` opens for itself; NULL: none */
    bench_torch torch;
    const char *device; /* where PyTorch computes: cpu or cuda */
    bool gpu;           /* the context is on one; else `gpu` is a dry run with its mapping */
    size_t bars, bars_met;
    struct bench_range {
        const char *what;   /* "of OpenBLAS" */
        double least, most; /* medians */
    } ranges[8];
} bench;

/* Opens the context: for a GPU where there is one, else with a GPU's mapping. NORN_BENCH_MAPPING "LS,VW,ROWS"
 * overrules. */
void bench_open(bench *b, bool as_gpu);
norn_context *bench_context(const bench_mapping *mapping, const char *device, norn_profile *profile);

/* "  0.95   0.92 +-0.02 (0.9 met)": best, median and spread of a ratio to what it names, and whether a bar
 * above 0 is met, which counts. */
void bench_put_ratio(bench *b, const char *of, const bench_spread *s, double bar);
void bench_put_times(const bench_spread *s); /* "   1.234     1.300 +- 0.020" */

void bench_kernels(bench *b, const char *words);       /* kernels of a step, beside SGEMM and a copy */
void bench_gemm(bench *b, const char *words);          /* CLBlast and our own product, beside OpenBLAS */
void bench_paths(bench *b, const char *words);         /* sequence and stage path of a layer */
void bench_train(bench *b, const char *words);         /* words: cells; "": lstm gru elman */
void bench_infer(bench *b, const char *words);         /* the same */
void bench_members(bench *b, const char *words);       /* fifty small networks */
void bench_sweep(bench *b, const char *words);         /* words: FILE.svg for the chart; "": none */
void bench_sweep_threads(bench *b, const char *words); /* one number, for the sweep over threads */
void bench_gpu(bench *b, const char *words);

#endif
