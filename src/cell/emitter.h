/*
 * What writes element-wise graphs as OpenCL C (write.c), for cells of one stage (emit.c) and of several
 * (emit_stages.c). Every identifier and literal is made from numbers of the plan; no byte of the formula is
 * copied.
 */
#ifndef NORN_SRC_CELL_EMITTER_H
#define NORN_SRC_CELL_EMITTER_H

#include "cell/plan.h"

typedef struct emitter {
    const norn_cell_plan *plan;
    const norn_host *host;
    const norn_step_graph *graph;
    norn_cell_text *text;
    const int *gate_at, *vector_at, *plane_of; /* places that names are made from */
    int depth[NORN_STEP_NODES];                /* of the expression that stands for a node */
    bool named[NORN_STEP_NODES];               /* it has a name: v7 */
} emitter;

#define PUT(e, ...) norn_cell_put((e)->host, (e)->text, __VA_ARGS__)

/* The name of a leaf; false for what is none. */
bool norn_emit_leaf(emitter *e, const norn_step_node *n);
/* An expression for a node, as an argument, where a bare constant would be a scalar. */
void norn_emit_vector(emitter *e, int node);
/* Names for what is used twice, in order. share: sigmoids and tanhs of gates share divisions. */
void norn_emit_statements(emitter *e, const norn_step_graph *graph, bool share);
/* Functions that the plan's graphs call and common.cl does not have. */
void norn_emit_helpers(emitter *e);

#endif
