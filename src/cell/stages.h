/*
 * A plan cut into what a kernel does one after the other. On the way there, for each stage: sums of products,
 * then the part of the element-wise graph that can be had from them. On the way back, last stage first: the
 * part of the backward graph that can be had, then the products of the gates' gradients with the matrices.
 *
 * Memory of a layer, for each row and unit. Planes: the output and the states, of every step. Kept: the sums
 * or values of all gates and the operands of products, of every step; the way back puts the gradients of the
 * gates in the place of the gates, so that the weight gradients find both factors there. Scratch: what the
 * way back holds within a step, since a gate's value may be needed after its gradient has taken its place.
 */
#ifndef NORN_SRC_CELL_STAGES_H
#define NORN_SRC_CELL_STAGES_H

#include "cell/plan.h"

enum { NORN_CELL_PLANES = NORN_CELL_STATES + 1 };

typedef enum norn_cell_from { NORN_FROM_INPUT, NORN_FROM_PLANE, NORN_FROM_OPERAND } norn_cell_from;

/* What the matrices of a stage multiply: the inputs first, then planes, then operands. A gate with two
 * products of one vector has two sources of it. */
typedef struct norn_cell_source {
    norn_cell_from from;
    int index;       /* of the plane or operand */
    int size;        /* place in norn_cell.sizes */
    int first, last; /* gates of the stage, counted from its first: those with a product lie here */
    int matrix[NORN_CELL_TERMS]; /* of each gate of the stage, or -1 */
    bool adds;                   /* way back: a later stage has begun the sum */
} norn_cell_source;

typedef struct norn_cell_stage {
    size_t first, gates; /* places */
    size_t source, source_count, input_count;
    size_t inputs_before,
        units_before; /* columns times gates of the stages before: where its weights begin */
} norn_cell_stage;

/* What one slice of a graph leaves in memory. */
typedef enum norn_cell_target {
    NORN_TO_KEPT,      /* forward: gate; backward: its gradient */
    NORN_TO_PLANE,     /* forward: a plane after the step; backward: the gradient of it before the step */
    NORN_TO_OPERAND,   /* forward: an operand */
    NORN_TO_VECTOR,    /* backward: a parameter's gradient, added up */
    NORN_TO_GATE_COPY, /* backward: a gate's value, before its gradient takes its place */
    NORN_TO_SEED_COPY, /* backward: a plane's gradient after the step */
    NORN_TO_ADJOINT    /* backward: an operand's gradient, complete */
} norn_cell_target;

typedef struct norn_cell_result {
    norn_cell_target target;
    int index; /* place of a gate, plane, operand, vector (of the plan) */
    int node;  /* in the slice's graph; -1: zero */
} norn_cell_result;

enum { NORN_CELL_RESULTS = 3 * NORN_CELL_TERMS + 3 * NORN_CELL_PLANES + NORN_CELL_VECTORS };

typedef struct norn_cell_slice {
    norn_step_graph graph; /* the plan's with leaves in place of what is in memory; uses are the slice's */
    norn_cell_result results[NORN_CELL_RESULTS];
    size_t result_count;
    bool any; /* a graph node or a result */
} norn_cell_slice;

typedef struct norn_cell_stages {
    const norn_cell_plan *plan;
    norn_cell_stage stage[NORN_CELL_STAGES];
    size_t stage_count;
    norn_cell_source sources[NORN_CELL_TERMS];
    size_t source_count;
    int gate_at[NORN_CELL_TERMS], gate_of[NORN_CELL_TERMS];       /* place of the plan's gate, and back */
    int plane_of[NORN_CELL_STATES + 1];                           /* of a state; of the output */
    int state_of[NORN_CELL_PLANES], plane_size[NORN_CELL_PLANES]; /* -1: the output, no state */
    size_t plane_count;
    int vector_at[NORN_CELL_VECTORS]; /* place of a vector used unit by unit, or -1 */
    size_t vector_count;
    int direct; /* place of the gate with the input's projection, or -1 */
    /* the stage behind which a value is there, -1: before the first */
    int kept_in[NORN_CELL_TERMS], operand_in[NORN_CELL_TERMS], plane_in[NORN_CELL_PLANES];
    /* the stage with which, on the way back, a gradient is there; -1: behind the first stage's products */
    int gradient_in[NORN_CELL_TERMS], dplane_in[NORN_CELL_PLANES], dvector_in[NORN_CELL_VECTORS],
        adjoint_in[NORN_CELL_TERMS];
    /* places of copies in scratch, behind one of each operand; -1: none is needed */
    int gate_copy[NORN_CELL_TERMS], seed_copy[NORN_CELL_PLANES];
    bool adjoint_kept[NORN_CELL_TERMS];
    size_t scratch_count;
    bool begins, ends; /* something is to be done before the first stage, or on the way back behind it */
    size_t input_columns, unit_columns; /* sources times gates: numbers of a layer's weights are
                                           HP * (input_columns * KX + unit_columns * HP) */
} norn_cell_stages;

/* NORN_ERR_USAGE for a cell without a product, NORN_ERR_MEMORY. The plan is borrowed. */
norn_status norn_cell_stages_new(norn_cell_stages **out, const norn_cell_plan *plan, norn_error *err);
void norn_cell_stages_free(norn_cell_stages *stages);

/* The slice of a stage; stage -1: what begins, or ends. The slice keeps its graph from call to call, begin
 * with {0}. */
norn_status norn_cell_slice_forward(norn_cell_slice *slice, const norn_cell_stages *stages, int stage,
                                    norn_error *err);
norn_status norn_cell_slice_backward(norn_cell_slice *slice, const norn_cell_stages *stages, int stage,
                                     norn_error *err);
void norn_cell_slice_free(const norn_host *host, norn_cell_slice *slice);

/* The cell's part of kernels/stages.cl, added to text. Sizes other than H stand there as numbers of the
 * shape. */
norn_status norn_cell_emit_stages(const norn_cell_stages *stages, const norn_cell_shape *shape,
                                  norn_cell_text *text, norn_error *err);

/* The cell's part of the kernel that is made for it, whichever it is: sequence.cl's where there is no
 * obstacle (plan.h), else stages.cl's. */
norn_status norn_cell_emit_either(const norn_cell_plan *plan, const norn_cell_shape *shape,
                                  norn_cell_text *text, norn_error *err);

/* The widest vector of a cell within a step: what the planes are padded to. */
size_t norn_cell_widest(const norn_cell_shape *shape);

/* ---- layout.c: where numbers stand in the memory of kernels/stages.cl -------------------------------------
 */

/* A layer on the device: KX, its inputs padded; HP, widest padded; SW, units of a strip. */
typedef struct norn_cell_paddings {
    size_t kx, hp, sw;
    bool upper; /* the input is the layer below's output: back has products with it */
} norn_cell_paddings;

/* Floats of a layer's weights, and of the copy for the way back. */
size_t norn_cell_weights(const norn_cell_stages *stages, const norn_cell_paddings *at);
size_t norn_cell_back_weights(const norn_cell_stages *stages, const norn_cell_paddings *at);

/* Where row u, column k of a matrix stands among them. back: SIZE_MAX for a matrix that is not there. */
size_t norn_cell_weight_at(const norn_cell_stages *stages, const norn_cell_paddings *at, size_t matrix,
                           size_t u, size_t k);
size_t norn_cell_back_at(const norn_cell_stages *stages, const norn_cell_paddings *at, size_t matrix,
                         size_t u, size_t k);

/* The stage, the source and the gate (a place) of a matrix. */
typedef struct norn_cell_spot {
    size_t stage, source, gate;
} norn_cell_spot;
norn_cell_spot norn_cell_spot_of(const norn_cell_stages *stages, size_t matrix);

#endif
