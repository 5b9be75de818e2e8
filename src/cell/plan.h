/*
 * From a graph to what a kernel computes in one step. Products that are only added up become gates, one
 * accumulator each; gates are ordered into stages; the rest is two element-wise graphs, one forward and one
 * backward, which the emitter writes down.
 *
 * What is kept for the backward pass: one number a gate and unit, which the backward pass overwrites with the
 * gate's gradient, every state of every step, and the operands of products that are made within a step. A
 * gate that is used by one sigmoid, tanh, relu or exp alone is kept activated, since their slopes follow from
 * their value; any other is kept as the sum it is. Everything else is computed again.
 */
#ifndef NORN_SRC_CELL_PLAN_H
#define NORN_SRC_CELL_PLAN_H

#include "cell/cell.h"

/* Nodes of the element-wise graphs: the operations of formulas, and these. */
enum {
    NORN_STEP_GATE = NORN_CELL_OPS, /* accumulator `index` */
    NORN_STEP_KEPT,                 /* what was kept of gate `index` */
    NORN_STEP_BEFORE,               /* state `index` before the step */
    NORN_STEP_AFTER,                /* ... and after it */
    NORN_STEP_SEED,           /* dL/d(state `index` after the step); state_count: dL/d(output), where it is no
                                 state */
    NORN_STEP_BACK,           /* dL/d(operand `index`), summed up by the product's backward pass */
    NORN_STEP_OPERAND,        /* operand `index`, kept */
    NORN_STEP_X,              /* the input, unit by unit */
    NORN_STEP_WHERE_GREATER,  /* c where a > b, else 0 */
    NORN_STEP_WHERE_NOT_LESS, /* c where a >= b, else 0 */
    NORN_STEP_GRADIENT,       /* of slices only (stages.h): dL/d(gate `index`), made before */
    NORN_STEP_ADJOINT         /* ... dL/d(operand `index`) with all that follows from it */
};

enum { NORN_STEP_NODES = 8 * NORN_CELL_NODES };

typedef struct norn_step_node {
    int op;
    int a, b, c; /* operands, -1: none */
    int index;
    double value;
    int uses; /* by live nodes and results */
} norn_step_node;

typedef struct norn_step_graph {
    norn_step_node *nodes; /* [NORN_STEP_NODES] */
    size_t count;
} norn_step_graph;

enum { NORN_CELL_TERMS = NORN_CELL_MATRICES + 1 };

typedef struct norn_cell_gate {
    int matrices[NORN_CELL_TERMS];
    size_t matrix_count;
    int bias;  /* vector that is added in the accumulator, or -1 */
    int stage; /* from 0 */
    int root;  /* node of the formula that has the whole sum */
    int kept;  /* node whose value is kept: root, or its activation */
} norn_cell_gate;

typedef struct norn_cell_plan {
    const norn_cell *cell;
    norn_cell_gate gates[NORN_CELL_TERMS];
    size_t gate_count, stage_count;
    int operands[NORN_CELL_TERMS]; /* nodes that are made within a step and multiplied by a matrix */
    size_t operand_count;
    norn_step_graph forward, backward;
    /* places in the forward graph */
    int keep[NORN_CELL_TERMS], after[NORN_CELL_STATES], operand[NORN_CELL_TERMS], out;
    /* places in the backward graph; -1: zero */
    int dgate[NORN_CELL_TERMS], dstate[NORN_CELL_STATES], dvector[NORN_CELL_VECTORS], dx;
    int doperand[NORN_CELL_TERMS]; /* no result: where the gradient of an operand is complete */
    size_t kept_numbers;           /* a unit, row and step: gates, states, operands */
    size_t forward_operations, backward_operations; /* element-wise, a unit, row and step */
} norn_cell_plan;

/* NORN_ERR_MEMORY. The cell is borrowed. */
norn_status norn_cell_plan_new(norn_cell_plan **out, const norn_cell *cell, norn_error *err);
void norn_cell_plan_free(norn_cell_plan *plan);

/* ---- emit.c ---- */

/* Text that grows; NUL-terminated. */
typedef struct norn_cell_text {
    char *bytes;
    size_t length, capacity;
    bool failed;
} norn_cell_text;

void norn_cell_put(const norn_host *host, norn_cell_text *text, const char *format, ...) NORN_PRINTF(3, 4);
void norn_cell_text_free(const norn_host *host, norn_cell_text *text);

/* Why the step of kernels/sequence.cl, which has one stage, cannot run this cell, or NULL when it can. Every
 * cell with a product runs in that of kernels/stages.cl (stages.h). */
const char *norn_cell_obstacle(const norn_cell_plan *plan);

/* Where the skeleton has gates and vectors: gates of the input alone first, those of h alone last, so that
 * each operand's gates are neighbours; else in the order of the formula. */
typedef struct norn_cell_places {
    int gate[NORN_CELL_TERMS];     /* place of each gate of the plan */
    int vector[NORN_CELL_VECTORS]; /* place of a vector that is used unit by unit, or -1 */
    size_t x_gates, h_first;       /* gates [0, x_gates) have a product of x, from h_first on one of h */
    size_t vectors;
    bool uses_h; /* the way back uses h unit by unit */
} norn_cell_places;

norn_cell_places norn_cell_places_of(const norn_cell_plan *plan);

/* The cell's part of kernels/sequence.cl: how many gates and carries it has, and two functions. Added to
 * text. */
norn_status norn_cell_emit(const norn_cell_plan *plan, norn_cell_text *text, norn_error *err);
/* The same of a cell that comes with the library, by its name. */
norn_status norn_cell_emit_builtin(const char *name, const norn_host *host, norn_cell_text *text,
                                   norn_error *err);

/* A person's view: formula, stages, parameters, kept bytes, operations and bytes a step. */
norn_status norn_cell_describe(const norn_cell_plan *plan, const norn_cell_shape *shape, norn_cell_text *text,
                               norn_error *err);

#endif
