/*
 * What the benches share: rounds and their spread, what is measured beside Norn (OpenBLAS, a memory copy,
 * PyTorch and ONNX Runtime), and networks on made-up series.
 *
 * A machine may change its speed by two within minutes, so that only ratios of one run mean anything: every
 * round runs what is compared one after the other, with a pause for spinning threads between, each warmed up
 * by two steps (products, passes) that are not timed. A ratio is
 * formed in each round; what is printed is the best, the median and the spread (half the distance between the
 * quartiles).
 */
#ifndef NORN_TOOLS_BENCH_KIT_H
#define NORN_TOOLS_BENCH_KIT_H

#include "compute/compute.h"
#include "nn/network.h"

#include <stdio.h>

enum { MOST_ROUNDS = 64, SERIES_ROWS = 4096, FORECAST = 24 };

/* ---- trouble, memory, time ---- */

extern norn_error bench_err;
void bench_need(norn_status status); /* ends the program with the message */
void bench_refuse(const char *format, ...) NORN_PRINTF(1, 2);
void *bench_claim(size_t count, size_t size); /* zeroed; ends the program */
void bench_rest(void);

typedef struct bench_spread {
    double best, median, half; /* best: the smallest of times, the largest of rates */
} bench_spread;

bench_spread bench_spread_of_times(const double *values, size_t n);
bench_spread bench_spread_of_rates(const double *values, size_t n);

/* ---- what is measured beside ---- */

bool bench_has_openblas(void);
void bench_print_openblas(void);           /* its line of the head; nothing without it */
double bench_openblas_rate(size_t rounds); /* GF/s of 1024^3; NAN without */
void bench_openblas(bool ta, bool tb, size_t m, size_t n, size_t k, const float *a, const float *b, float *c);
double bench_copy_rate(size_t bytes); /* GB/s read and written by all cores, each its part */
double
bench_peak_rate(norn_context *context); /* GF/s of chains of fma in registers: what no kernel exceeds */
double bench_device_copy_rate(norn_context *context, size_t bytes); /* GB/s of a copy on the device */

/* tools/bench_pytorch.py, asked over pipes. Started before the first OpenCL call. */
typedef struct bench_torch {
    FILE *to, *from;
    char versions[256];
} bench_torch;

bench_torch bench_torch_start(const char *command); /* NULL: none */
void bench_torch_end(bench_torch *worker);
/* "train lstm cpu 0 2 64 96 7 64 2 24": see the script. Negative, or without a worker NAN, is none. */
double bench_torch_ask(bench_torch *worker, const char *what, const char *cell, const char *device, int tf32,
                       unsigned threads, const norn_network_shape *shape);

/* ---- networks ---- */

typedef struct bench_shape {
    size_t batch, window, inputs, hidden, layers, members;
    const char *cell; /* NULL: the LSTM */
} bench_shape;

typedef struct bench_network {
    norn_context *context;
    norn_cell *cell;
    norn_series *series;
    norn_network *network;
    norn_window *windows;
    norn_schedule *schedule;
    float *loss, *norms, *y;
    double *before;      /* [members][plain] parameters when it was prepared */
    size_t steps, plain; /* of one call of train; numbers of a member */
    double operations;   /* of one step of one member */
    uint64_t *done;      /* [members] rows that were trained on */
    uint64_t asked;      /* rows that every member was to be trained on so far */
} bench_network;

norn_network_shape bench_shape_of(const bench_shape *shape, norn_path path);
void bench_name(const bench_shape *shape, char *out, size_t size); /* "64,96,7,128,2" */
/* seconds: about how long one call of bench_train_ms should take. */
bench_network bench_prepare(norn_context *context, const bench_shape *shape, norn_path path, double seconds);
/* Milliseconds of a training step of all members: those that share launches together, the others in turn. */
double bench_train_ms(bench_network *b);
/* Milliseconds of a forward pass with its outputs on the host: the median over about so many seconds. */
double bench_infer_ms(bench_network *b, double seconds);
/* Ends the program unless every member has made all the steps that were counted: a loss for every row, a
 * gradient for every step, and other parameters than before. */
void bench_check_work(bench_network *b);
void bench_release(bench_network *b);

#endif
