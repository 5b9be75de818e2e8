/*
 * The network once more, in plain double precision on the host: the truth that kernels are compared with, by
 * `norn devices --test` and by the tests. Clear before fast, no OpenCL, same result on every machine.
 *
 * Letters: T steps, B rows of a batch, I inputs of a layer, F inputs of the network, H hidden, L layers,
 * O outputs. All arrays are dense and row-major, the last index runs fastest; weights and the order of the
 * gates (i, f, g, o) are PyTorch's, except that its two biases, which only ever act as a sum, are one.
 *
 * Nothing here checks its arguments beyond assert, except norn_reference_network_new.
 */
#ifndef NORN_SRC_NN_REFERENCE_H
#define NORN_SRC_NN_REFERENCE_H

#include "base/base.h"
#include "cell/cell.h"
#include "nn/optimiser.h"
#include "norn/forecast.h"

/* ---- products --------------------------------------------------------------------------------------------
 */

/* sum over i < n of a[i * a_stride] * b[i * b_stride], ascending i. */
double norn_reference_dot(size_t n, const double *a, size_t a_stride, const double *b, size_t b_stride);

/* C = alpha * op(A) op(B) + beta * C with op(A) [m][k], op(B) [k][n], C [m][n]; op transposes where the flag
 * says so (A is then stored [k][m], B [n][k]). lda, ldb, ldc: elements from one stored row to the next. beta
 * 0: C is not read, as in BLAS. */
void norn_reference_gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha,
                         const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                         size_t ldc);

/* start, then fmaf(a[i * a_stride], b[i * b_stride], .) for ascending i < k: what every dot product on a
 * device must give to the bit. */
float norn_reference_fma_chain(size_t k, const float *a, size_t a_stride, const float *b, size_t b_stride,
                               float start);

/* ---- one LSTM layer --------------------------------------------------------------------------------------
 */

/*
 * A layer over T steps for B rows, in time or against it. Results stand at the time index of their step,
 * whichever way the steps run.
 *
 * A call works on the times [t0, t1) only: in ascending order, or with `reverse` from t1-1 down to t0. The
 * whole sequence is [0, T). Where a sequence is cut into chunks, h0 and c0 are the state before the chunk's
 * first step: for a later chunk h + (t0-1)*B*H, or h + t1*B*H with reverse.
 */
typedef struct norn_reference_lstm {
    size_t steps, rows, inputs, hidden; /* T, B, I, H */
    bool reverse;                       /* the steps run from late to early */
    const double *x;                    /* [T][B][I] */
    const double *w_ih;                 /* [4H][I] */
    const double *w_hh;                 /* [4H][H] */
    const double *bias;                 /* [4H] bias_ih + bias_hh */
    const double *h0, *c0;              /* [B][H] state before the first step of the call; NULL: zero */
    const unsigned char *mask;          /* [T][B] 0: the row skips the step, its state and output stay the old
                                           ones and its x is not read; NULL: no step is skipped */
    double *h;                          /* [T][B][H] out: outputs */
    double *c;                          /* [T][B][H] out: cell states */
    double *gates;                      /* [T][B][4H] out: activated i, f, g, o; 0 at a skipped step */
} norn_reference_lstm;

typedef struct norn_reference_lstm_gradients {
    const double *dh;                /* [T][B][H] gradient at each output, without what later steps add;
                                        NULL: zero */
    const double *dh_last, *dc_last; /* [B][H] gradient at the state after the last step of the call, from the
                                        chunk that follows; NULL: zero; may be dh0 and dc0 themselves */
    double *dgates;                  /* [T][B][4H] out: at the pre-activations; 0 at a skipped step */
    double *dx;                      /* [T][B][I] out; 0 at a skipped step; NULL: not wanted */
    double *dw_ih;                   /* [4H][I] added to */
    double *dw_hh;                   /* [4H][H] added to */
    double *dbias;                   /* [4H] added to; each of PyTorch's two biases has this gradient */
    double *dh0, *dc0;               /* [B][H] out: at the state before the first step of the call */
} norn_reference_lstm_gradients;

void norn_reference_lstm_forward(const norn_reference_lstm *layer, size_t t0, size_t t1);
/* Needs what the forward call on the same times left in h, c and gates. Chunks are called last one first. */
void norn_reference_lstm_backward(const norn_reference_lstm *layer, const norn_reference_lstm_gradients *grad,
                                  size_t t0, size_t t1);

/* ---- head and loss ---------------------------------------------------------------------------------------
 */

/* prediction [B][O] = h [B][H] weight^T + bias, with weight [O][H] and bias [O]. */
void norn_reference_head_forward(size_t rows, size_t hidden, size_t outputs, const double *h,
                                 const double *weight, const double *bias, double *prediction);
/* dh [B][H] is written, dweight [O][H] and dbias [O] are added to. */
void norn_reference_head_backward(size_t rows, size_t hidden, size_t outputs, const double *h,
                                  const double *weight, const double *dprediction, double *dh,
                                  double *dweight, double *dbias);

/*
 * Sum of the loss of e = prediction - target over the rows of weight 1, divided by (number of these rows) *
 * O. A target that is NaN adds nothing but counts in the divisor. No row of weight 1: 0. weight [B] of 0 and
 * 1, NULL: all 1. gradient [B][O], NULL: not wanted. The slope of |e| at 0 is 0.
 */
double norn_reference_loss(norn_loss loss, size_t rows, size_t outputs, const double *prediction,
                           const double *target, const unsigned char *weight, double *gradient);
/* The same where each target counts for importance [B][O] (NaN: as a missing target; NULL: 1), with the
 * quantile of the pinball loss. The divisor stays. */
double norn_reference_weighted_loss(norn_loss loss, double quantile, size_t rows, size_t outputs,
                                    const double *prediction, const double *target,
                                    const unsigned char *weight, const double *importance, double *gradient);

/* ---- the whole network -----------------------------------------------------------------------------------
 */

typedef struct norn_reference_shape {
    size_t steps, rows, inputs, hidden, layers, outputs; /* T, B, F, H, L, O; all at least 1 */
} norn_reference_shape;

/* Where things stand in the one array of parameters (and of gradients):
 * for each layer w_ih [4H][I], w_hh [4H][H], bias [4H]; then the head's weight [O][H] and bias [O]. */
typedef struct norn_reference_layout {
    size_t inputs;                 /* I of this layer: F for layer 0, H above */
    size_t w_ih, w_hh, bias;       /* offsets of this layer */
    size_t head_weight, head_bias; /* offsets of the head, the same for every layer */
    size_t count;                  /* numbers in all */
} norn_reference_layout;

norn_reference_layout norn_reference_layout_of(const norn_reference_shape *shape, size_t layer);

/* What a network computes on. All borrowed. */
typedef struct norn_reference_batch {
    const double *x;           /* [T][B][F] */
    const unsigned char *mask; /* [T][B] steps that exist, the same for every layer; NULL: all */
    const double *dropout; /* [L-1][T][B][H] multiplier of each layer's output but the last's: 0 or 1/(1-p);
                              NULL: no dropout */
    const double *target;  /* [B][O] NaN: missing */
    const unsigned char *weight; /* [B] 0: the row is no part of the loss; NULL: all are */
    norn_loss loss;
    double quantile;          /* of the pinball loss */
    const double *importance; /* [B][O] what a target counts for; NULL: 1 */
    size_t begin; /* truncated backpropagation: the first step that gradients reach; 0: they reach all */
} norn_reference_batch;

/* L stacked layers that start from zero states, and the head on the last output of the top one. The caller
 * fills parameters; all other arrays are results, open to be compared tensor by tensor. */
typedef struct norn_reference_network {
    norn_host host;
    norn_reference_shape shape;
    double *parameters; /* [count], see norn_reference_layout */
    double *gradients;  /* [count] */
    double *h, *c;      /* [L][T][B][H] */
    double *gates;      /* [L][T][B][4H] */
    double *fed; /* [L-1][T][B][H] outputs after dropout: inputs of the next layer; NULL with one layer */
    double *prediction;  /* [B][O] */
    double *dprediction; /* [B][O] gradient at the predictions */
    double *dh;          /* [L][T][B][H] gradient at each layer's outputs, before dropout */
    double *dgates;      /* [L][T][B][4H] gradient at the pre-activations */
    double *dx;          /* [T][B][F] */
    double *dh0, *dc0;   /* [L][B][H] gradient at the initial states */
} norn_reference_network;

/* NORN_ERR_USAGE for a shape with a 0 in it, NORN_ERR_MEMORY. host NULL: malloc. */
norn_status norn_reference_network_new(norn_reference_network **out, const norn_reference_shape *shape,
                                       const norn_host *host, norn_error *err);
void norn_reference_network_free(norn_reference_network *network);

/* Fills h, c, gates, fed, prediction and dprediction; returns the loss. */
double norn_reference_network_forward(norn_reference_network *network, const norn_reference_batch *batch);
/* After a forward call on the same batch: overwrites gradients, dh, dgates, dx, dh0 and dc0. */
void norn_reference_network_backward(norn_reference_network *network, const norn_reference_batch *batch);

/* ---- a network of any cell (reference_cells.c) ------------------------------------------------------------
 */

typedef struct norn_reference_cells {
    const norn_cell *cell;
    norn_reference_shape shape;
    const double *parameters; /* in the plain order: layers (layout.h), the head's weight and bias */
    double *gradients;        /* the same, overwritten; NULL: forward only */
    double *prediction;       /* [B][O] result */
} norn_reference_cells;

/* Layers by the interpreter, from the states that the formula begins with. NORN_ERR_MEMORY, and the errors of
 * norn_cell_bind. */
norn_status norn_reference_cells_run(const norn_reference_cells *network, const norn_reference_batch *batch,
                                     double *loss, norn_error *err);

/* ---- optimiser -------------------------------------------------------------------------------------------
 */

/* Multiplies the gradients by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does;
 * returns the norm before. A norm that is not a number makes all gradients so. */
double norn_reference_clip(size_t count, double *gradients, double max_norm);

typedef struct norn_reference_adam {
    double learning_rate, beta1, beta2, epsilon;
} norn_reference_adam;

#define NORN_REFERENCE_ADAM_INIT                                                                             \
    {                                                                                                        \
        1e-3, 0.9, 0.999, 1e-8                                                                               \
    } /* as torch.optim.Adam */

/* One step of Adam (Kingma and Ba 2015, algorithm 1). step counts from 1; m and v [count] are 0 before it. */
void norn_reference_adam_step(const norn_reference_adam *adam, size_t count, uint64_t step,
                              const double *gradients, double *parameters, double *m, double *v);

/* One step of a rule of optimiser.h, after clipping by norm. step counts from 1; m and v [count] are 0 before
 * it; bias [count] is not 0 for what knows no decay, NULL: all do. */
void norn_reference_update(const norn_optimiser *optimiser, double rate, size_t count, uint64_t step,
                           const unsigned char *bias, const double *gradients, double *parameters, double *m,
                           double *v);

#endif
