/*
 * Recurrent cells beside the LSTM: whole training steps of networks made from formulas, and of the LSTM whose
 * kernels were written by hand. Run by tools/bench cells.
 *
 * A machine changes its speed within minutes, so the networks of a shape take turns, and of each the best of
 * all turns counts. Operations are those of the products, three times what a forward pass has
 * (norn_network_operations): a GRU has three quarters of an LSTM's.
 *
 * A cell without a recurrent product is no matter of operations but of bytes: it is measured as a network of
 * one layer, and its bytes, what its kernels must read and write at least once (src/nn/cost.c), are compared
 * with what copying a buffer reads and writes.
 */
#include "cell/plan.h"
#include "compute/compute.h"
#include "compute/kernels.h"
#include "nn/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const norn_kernel_text norn_by_hand_texts[]; /* tools/lstm_by_hand.cl */

enum { ROWS = 4096, INPUTS = 7, MOST = 40 };

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

typedef struct contestant {
    const char *name;
    norn_cell *cell; /* NULL: the LSTM by hand */
    norn_network *network;
    norn_window *windows;
    norn_schedule *schedule;
    float *loss;
    size_t steps;
    double operations, bytes, best; /* of a step; milliseconds */
    bool recurrent;                 /* has a product of something else than the input */
    double first;                   /* seconds until the first step was through */
} contestant;

static double wave(const void *user, size_t row)
{
    return sin(0.26 * (double)row + *(const double *)user);
}

static norn_series *make_series(norn_context *context)
{
    norn_series *series = NULL;
    size_t rows[INPUTS];
    int of[INPUTS];
    for (int f = 0; f < INPUTS; f++) {
        rows[f] = ROWS;
        of[f] = f;
    }
    need(norn_series_new(&series, context, 1, INPUTS, INPUTS, rows, of, &err));
    for (size_t f = 0; f < INPUTS; f++) {
        const double phase = (double)f;
        need(norn_series_put(series, f, wave, &phase, &err));
    }
    return series;
}

static double step_ms(contestant *c, const norn_series *series)
{
    const double begin = norn_seconds();
    need(norn_network_train(c->network, series, c->windows, c->schedule, c->steps, 1, c->loss, &err));
    return 1e3 * (norn_seconds() - begin) / (double)c->steps;
}

static void prepare(contestant *c, norn_context *context, const norn_series *series, norn_network_shape shape,
                    const char *by_hand)
{
    float pairs[2 * INPUTS];
    shape.cell = c->cell;
    shape.by_hand = c->cell ? NULL : by_hand;
    if (c->cell && !c->recurrent) shape.layers = 1;
    c->operations = norn_network_operations(&shape);
    c->steps = (size_t)(2e10 / c->operations) + 1;
    shape.chunk = c->steps;
    const double begin = norn_seconds();
    need(norn_network_new(&c->network, context, &shape, series, &err));
    c->bytes = c->network->train.cost.bytes + c->network->weight_gradient.cost.bytes +
               c->network->norm.cost.bytes + c->network->update.cost.bytes + c->network->pack.cost.bytes;
    const size_t bp = c->network->bp;
    c->windows = claim(c->steps * bp, sizeof *c->windows);
    c->schedule = claim(c->steps, sizeof *c->schedule);
    c->loss = claim(c->steps * bp, sizeof *c->loss);
    for (size_t f = 0; f < INPUTS; f++) {
        pairs[2 * f] = 0.0f;
        pairs[2 * f + 1] = 1.0f;
    }
    need(norn_network_scale(c->network, 0, pairs, INPUTS, &err));
    need(norn_network_initialise(c->network, 0, 1, 0, &err));
    for (size_t i = 0; i < c->steps * bp; i++)
        c->windows[i] = (norn_window){0, rand() % (int)(ROWS - shape.window - shape.horizon)};
    for (size_t i = 0; i < c->steps; i++)
        c->schedule[i] = (norn_schedule){.rows = (int32_t)shape.batch,
                                         .optimiser_step = 1,
                                         .rate = 1e-3f,
                                         .c1 = 1.0f,
                                         .c2 = 1.0f,
                                         .factor = (float)(1.0 / (double)(shape.batch * shape.horizon))};
    need(norn_network_train(c->network, series, c->windows, c->schedule, 1, 1, c->loss, &err));
    c->first = norn_seconds() - begin;
    c->best = INFINITY;
}

static void release(contestant *c)
{
    norn_network_free(c->network);
    norn_cell_free(c->cell);
    free(c->windows);
    free(c->schedule);
    free(c->loss);
}

static bool is_recurrent(const norn_cell *cell)
{
    for (size_t i = 0; i < cell->matrix_count; i++)
        if (cell->nodes[cell->nodes[cell->matrices[i].product].a].op != NORN_CELL_INPUT) return true;
    return false;
}

/* Bytes a second that copying a buffer reads and writes, the best of a few times. */
static double copying(norn_context *context)
{
    enum { MIB = 64, TIMES = 5 };
    const size_t bytes = (size_t)MIB << 20;
    norn_buffer from = {.mem = NULL}, to = {.mem = NULL};
    double best = INFINITY;
    need(norn_buffer_new(context, &from, bytes, NULL, "a copy", &err));
    need(norn_buffer_new(context, &to, bytes, NULL, "a copy", &err));
    for (int i = 0; i < TIMES; i++) {
        const double begin = norn_seconds();
        need(norn_buffer_copy(context, &from, 0, &to, 0, bytes, &err));
        need(norn_finish(context, &err));
        best = fmin(best, norn_seconds() - begin);
    }
    norn_buffer_free(&from);
    norn_buffer_free(&to);
    return 2.0 * (double)bytes / best;
}

/* The first two are the LSTM, from its formula and by hand: what all others are compared with. */
static size_t enter(contestant *all, char **names, int count)
{
    static const char *const usual[] = {"gru", "elman", "lstm_peephole", "slstm", "nas"};
    const size_t more = count ? (size_t)count : NORN_COUNT(usual);
    all[0] = (contestant){.name = "lstm"};
    all[1] = (contestant){.name = "lstm, by hand"};
    for (size_t i = 0; i < more && i + 2 < MOST; i++)
        all[2 + i] = (contestant){.name = count ? names[i] : usual[i]};
    for (size_t i = 0; i < more + 2; i++) {
        all[i].recurrent = true;
        if (i == 1) continue;
        need(norn_cell_named(&all[i].cell, all[i].name, NULL, &err));
        all[i].recurrent = is_recurrent(all[i].cell);
    }
    return more + 2;
}

static void compare(norn_context *context, const norn_series *series, size_t hidden, size_t rounds,
                    char **names, int count, const char *by_hand)
{
    const norn_network_shape shape = {.inputs = INPUTS,
                                      .hidden = hidden,
                                      .layers = 2,
                                      .window = 96,
                                      .horizon = 24,
                                      .batch = 64,
                                      .members = 1,
                                      .clip = 1.0};
    contestant all[MOST];
    const size_t entered = enter(all, names, count);
    for (size_t i = 0; i < entered; i++) prepare(&all[i], context, series, shape, by_hand);
    double copied = 0.0;
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < entered; i++) {
            const double ms = step_ms(&all[i], series);
            if (ms < all[i].best) all[i].best = ms;
        }
        copied = fmax(copied, copying(context));
    }
    const double lstm = all[0].operations / all[0].best;
    (void)printf("\nH = %zu (B 64, T 96, F 7, L 2), best of %zu, in turn\n", hidden, rounds);
    (void)printf("%-28s %10s %10s %16s %20s\n", "cell", "step ms", "GF/s", "of the LSTM's",
                 "first step after s");
    for (size_t i = 0; i < entered; i++) {
        const double rate = all[i].operations / all[i].best;
        (void)printf("%-28s %10.3f %10.1f %16.3f %20.2f\n", all[i].name, all[i].best, 1e-6 * rate,
                     rate / lstm, all[i].first);
        if (!all[i].recurrent)
            (void)printf("    one layer, no recurrent product: %.1f GB/s, %.3f of the %.1f of a copy\n",
                         1e-6 * all[i].bytes / all[i].best, 1e3 * all[i].bytes / all[i].best / copied,
                         1e-9 * copied);
        release(&all[i]);
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 128};
    const size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;
    norn_context *context = NULL;
    need(norn_context_new(&context, NULL, NULL, &err));
    norn_series *series = make_series(context);
    for (size_t i = 0; i < NORN_COUNT(sizes); i++)
        compare(context, series, sizes[i], rounds, argv + 2, argc > 2 ? argc - 2 : 0,
                norn_by_hand_texts[0].text);
    norn_series_free(series);
    norn_context_free(context);
    return 0;
}
