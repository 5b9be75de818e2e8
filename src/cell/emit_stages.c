/*
 * A cell of any number of stages as OpenCL C: the cell's part of kernels/stages.cl. Tables say which sums a
 * stage has and what its matrices multiply; a function a stage and direction computes what is no product,
 * reading and writing memory by the macros that stand above it.
 */
#include "cell/emitter.h"
#include "cell/stages.h"

typedef struct stage_emitter {
    emitter e;
    const norn_cell_stages *stages;
    const norn_cell_shape *shape;
    norn_cell_slice slice;
} stage_emitter;

/* ---- tables ----------------------------------------------------------------------------------------------
 */

/* Units of a vector, as the kernels count them. */
static void put_size(stage_emitter *s, int size)
{
    if (size == NORN_CELL_SIZE_HIDDEN || size == NORN_CELL_SCALAR)
        PUT(&s->e, "H");
    else
        PUT(&s->e, "%zu", s->shape->size[size]);
}

/* The sources of a stage as one table: of the input (first, last), or of units. */
static void sources(stage_emitter *s, size_t stage, bool inputs)
{
    const norn_cell_stage *st = &s->stages->stage[stage];
    for (size_t i = st->source; i < st->source + st->source_count; i++) {
        const norn_cell_source *source = &s->stages->sources[i];
        if ((source->from == NORN_FROM_INPUT) != inputs) continue;
        PUT(&s->e, " EACH(");
        if (!inputs) {
            PUT(&s->e, "%s, %d, ", source->from == NORN_FROM_PLANE ? "PLANE" : "OPERAND", source->index);
            put_size(s, source->size);
            PUT(&s->e, ", ");
        }
        PUT(&s->e, "%d, %d, %d)", source->first, source->last, source->adds ? 1 : 0);
    }
    PUT(&s->e, "\n");
}

static void tables(stage_emitter *s)
{
    const norn_cell_stages *st = s->stages;
    const norn_cell_plan *plan = st->plan;
    emitter *e = &s->e;
    const size_t widest = norn_cell_widest(s->shape), outputs = s->shape->size[st->plane_size[0]];
    PUT(e,
        "// A cell made from its formula, in stages: what kernels/stages.cl knows of it.\n"
        "#define CELL_STAGES %zu\n"
        "#define CELL_GATES %zu     // sums of products a unit, of all stages\n"
        "#define CELL_OPERANDS %zu  // values of a unit that are made within a step and multiplied by a "
        "matrix\n"
        "#define CELL_CARRIES %zu   // states beside h, which is the output\n"
        "#define CELL_VECTORS %zu   // parameters used unit by unit\n"
        "#define CELL_SCRATCH %zu   // numbers of a unit that the way back holds within a step\n"
        "#define CELL_BEGINS %d    // something is computed before the first stage\n"
        "#define CELL_ENDS %d      // ... and on the way back behind it\n",
        st->stage_count, plan->gate_count, plan->operand_count, st->plane_count - 1, st->vector_count,
        st->scratch_count, st->begins, st->ends);
    if (st->direct >= 0) {
        const norn_cell *cell = plan->cell;
        size_t rows = 0;
        for (size_t i = 0; i < cell->matrix_count; i++)
            if (cell->matrices[i].projection) rows = s->shape->size[cell->matrices[i].rows];
        PUT(e,
            "#define CELL_DIRECT(upper) ((upper) ? %d : %d) // the input itself is added to a sum, for it "
            "has as "
            "many units\n"
            "#define CELL_DIRECT_GATE %d\n",
            outputs == rows, s->shape->inputs == rows, st->direct);
    } else {
        PUT(e, "#define CELL_DIRECT(upper) 0\n#define CELL_DIRECT_GATE 0\n");
    }
    PUT(e, "#define CELL_WIDEST ");
    if (widest == s->shape->hidden)
        PUT(e, "H");
    else
        PUT(e, "%zu", widest);
    PUT(e,
        "    // units that every array is padded from\n"
        "#define CELL_INPUT_COLUMNS %zu // of all stages: gates times vectors that they multiply\n"
        "#define CELL_UNIT_COLUMNS %zu\n\n"
        "// Of each stage: its gates, from which one on; where its weights begin. What they multiply: the "
        "gates "
        "from one up\n// to another, and whether the way back adds to what is there.\n",
        st->input_columns, st->unit_columns);
    for (size_t k = 0; k < st->stage_count; k++) {
        const norn_cell_stage *stage = &st->stage[k];
        PUT(e,
            "#define STAGE_%zu_FIRST %zu\n"
            "#define STAGE_%zu_GATES %zu\n"
            "#define STAGE_%zu_COLUMNS(inputs, units) ((size_t)(inputs) * %zu + (size_t)(units) * %zu)\n"
            "#define STAGE_%zu_BEFORE(inputs, units) ((size_t)(inputs) * %zu + (size_t)(units) * %zu)\n",
            k, stage->first, k, stage->gates, k, stage->input_count, stage->source_count - stage->input_count,
            k, stage->inputs_before, stage->units_before);
        PUT(e, "#define STAGE_%zu_INPUTS(EACH)", k);
        sources(s, k, true);
        PUT(e, "#define STAGE_%zu_UNITS(EACH)", k);
        sources(s, k, false);
    }
    PUT(e, "#define FOR_STAGES(EACH)");
    for (size_t k = 0; k < st->stage_count; k++) PUT(e, " EACH(%zu)", k);
    PUT(e, "\n#define FOR_STAGES_BACK(EACH)");
    for (size_t k = st->stage_count; k-- > 0;) PUT(e, " EACH(%zu)", k);
    PUT(e, "\n\n// Memory of one row, at the item's units.\n"
           "#define HP ((CELL_WIDEST + UB - 1) / UB * UB)\n"
           "#define KEPT_AT(q) (kept + (q) * SW)\n"
           "#define OPERAND_AT(o) (kept + (CELL_GATES + (o)) * SW)\n"
           "#define BEFORE_AT(p) ((p) ? carry_old + (size_t)((p) - 1) * carry_size : h_old)\n"
           "#define AFTER_AT(p) ((p) ? carry_new + (size_t)((p) - 1) * carry_size : h_new)\n"
           "#define GRADIENT_AT(p) ((p) ? dcarry + (size_t)((p) - 1) * dcarry_size : dh)\n"
           "#define SCRATCH_AT(i) (dcarry + (size_t)(CELL_CARRIES + (i)) * dcarry_size)\n"
           "#define SEED(p) ((p) || !above ? VLOAD(GRADIENT_AT(p)) : VLOAD(GRADIENT_AT(p)) + VLOAD(above))\n"
           "#define REAL(v, n) ((n) == HP ? (v) : CHOOSE((IOTA + (vi)(unit)) < (vi)(n), (v), (vf)0.0f))\n\n");
}

/* ---- functions -------------------------------------------------------------------------------------------
 */

static void put_name(stage_emitter *s, size_t node)
{
    PUT(&s->e, "    const vf ");
    (void)norn_emit_leaf(&s->e, &s->slice.graph.nodes[node]);
    PUT(&s->e, " = ");
}

/* Loads of what the slice uses, a name each. */
static void forward_leaves(stage_emitter *s, int stage)
{
    const norn_cell_stages *st = s->stages;
    emitter *e = &s->e;
    for (size_t i = 0; i < s->slice.graph.count; i++) {
        const norn_step_node *n = &s->slice.graph.nodes[i];
        if (!n->uses || n->a >= 0 || n->op == NORN_CELL_CONSTANT) continue;
        put_name(s, i);
        if (n->op == NORN_STEP_GATE && st->plan->gates[n->index].stage == stage)
            PUT(e, "sum[%d];\n", st->gate_at[n->index] - (int)st->stage[stage].first);
        else if (n->op == NORN_STEP_GATE || n->op == NORN_STEP_KEPT)
            PUT(e, "VLOAD(KEPT_AT(%d));\n", st->gate_at[n->index]);
        else if (n->op == NORN_STEP_OPERAND)
            PUT(e, "VLOAD(OPERAND_AT(%d));\n", n->index);
        else if (n->op == NORN_STEP_BEFORE)
            PUT(e, "VLOAD(BEFORE_AT(%d));\n", st->plane_of[n->index]);
        else
            PUT(e, "vectors[%d];\n", st->vector_at[n->index]);
    }
}

static void backward_leaves(stage_emitter *s, int stage)
{
    const norn_cell_stages *st = s->stages;
    emitter *e = &s->e;
    const int copies = (int)st->stage_count - 1;
    for (size_t i = 0; i < s->slice.graph.count; i++) {
        const norn_step_node *n = &s->slice.graph.nodes[i];
        if (!n->uses || n->a >= 0 || n->op == NORN_CELL_CONSTANT) continue;
        put_name(s, i);
        switch (n->op) {
        case NORN_STEP_KEPT:
            if (st->gradient_in[n->index] > stage)
                PUT(e, "VLOAD(SCRATCH_AT(%d));\n", st->gate_copy[n->index]);
            else
                PUT(e, "VLOAD(KEPT_AT(%d));\n", st->gate_at[n->index]);
            break;
        case NORN_STEP_GRADIENT:
            PUT(e, "VLOAD(KEPT_AT(%d));\n", st->gate_at[n->index]);
            break;
        case NORN_STEP_OPERAND:
            PUT(e, "VLOAD(OPERAND_AT(%d));\n", n->index);
            break;
        case NORN_STEP_BACK:
        case NORN_STEP_ADJOINT:
            PUT(e, "VLOAD(SCRATCH_AT(%d));\n", n->index);
            break;
        case NORN_STEP_BEFORE:
            PUT(e, "VLOAD(BEFORE_AT(%d));\n", st->plane_of[n->index]);
            break;
        case NORN_STEP_AFTER:
            PUT(e, "VLOAD(AFTER_AT(%d));\n", st->plane_of[n->index]);
            break;
        case NORN_STEP_SEED:
            if (stage == copies)
                PUT(e, "SEED(%d);\n", st->plane_of[n->index]);
            else
                PUT(e, "VLOAD(SCRATCH_AT(%d));\n", st->seed_copy[st->plane_of[n->index]]);
            break;
        default:
            PUT(e, "vectors[%d];\n", st->vector_at[n->index]);
        }
    }
}

static void put_value(stage_emitter *s, int node)
{
    if (node < 0)
        PUT(&s->e, "(vf)0.0f");
    else
        norn_emit_vector(&s->e, node);
}

static void put_real(stage_emitter *s, int node, int size)
{
    PUT(&s->e, "REAL(");
    put_value(s, node);
    PUT(&s->e, ", ");
    put_size(s, size);
    PUT(&s->e, ")");
}

static void forward_results(stage_emitter *s)
{
    const norn_cell_stages *st = s->stages;
    const norn_cell *cell = st->plan->cell;
    emitter *e = &s->e;
    for (size_t i = 0; i < s->slice.result_count; i++) {
        const norn_cell_result *r = &s->slice.results[i];
        PUT(e, "    VSTORE(");
        switch (r->target) {
        case NORN_TO_KEPT:
            put_value(s, r->node);
            PUT(e, ", KEPT_AT(%d));\n", r->index);
            break;
        case NORN_TO_OPERAND:
            put_real(s, r->node, cell->nodes[st->plan->operands[r->index]].size);
            PUT(e, ", OPERAND_AT(%d));\n", r->index);
            break;
        default:
            PUT(e, "held ? VLOAD(BEFORE_AT(%d)) : ", r->index);
            put_real(s, r->node, st->plane_size[r->index]);
            PUT(e, ", AFTER_AT(%d));\n", r->index);
        }
    }
}

static void backward_results(stage_emitter *s, int stage)
{
    const norn_cell_stages *st = s->stages;
    const norn_cell *cell = st->plan->cell;
    emitter *e = &s->e;
    for (size_t i = 0; i < s->slice.result_count; i++) {
        const norn_cell_result *r = &s->slice.results[i];
        const int gate =
            r->target == NORN_TO_KEPT || r->target == NORN_TO_GATE_COPY ? st->gate_of[r->index] : 0;
        PUT(e, r->target == NORN_TO_VECTOR ? "    " : "    VSTORE(");
        switch (r->target) {
        case NORN_TO_GATE_COPY:
            PUT(e, "VLOAD(KEPT_AT(%d)), SCRATCH_AT(%d));\n", r->index, st->gate_copy[gate]);
            break;
        case NORN_TO_SEED_COPY:
            PUT(e, "SEED(%d), SCRATCH_AT(%d));\n", r->index, st->seed_copy[r->index]);
            break;
        case NORN_TO_KEPT:
            put_real(s, r->node, cell->nodes[st->plan->gates[gate].root].size);
            PUT(e, ", KEPT_AT(%d));\n", r->index);
            break;
        case NORN_TO_ADJOINT:
            put_real(s, r->node, cell->nodes[st->plan->operands[r->index]].size);
            PUT(e, ", SCRATCH_AT(%d));\n", r->index);
            break;
        case NORN_TO_VECTOR:
            PUT(e, "dvectors[%d] += ", st->vector_at[r->index]);
            put_real(s, r->node, cell->vectors[r->index].size);
            PUT(e, ";\n");
            break;
        default:
            if (stage < (int)st->stage_count - 1) PUT(e, "VLOAD(GRADIENT_AT(%d)) + ", r->index);
            put_real(s, r->node, st->plane_size[r->index]);
            PUT(e, ", GRADIENT_AT(%d));\n", r->index);
        }
    }
}

/* cell_forward_0 and its like; the one before the first stage is cell_forward_begin. */
static void put_function(stage_emitter *s, const char *direction, int stage, const char *special,
                         const char *arguments)
{
    PUT(&s->e, "INLINE void cell_%s_", direction);
    if (stage < 0)
        PUT(&s->e, "%s", special);
    else
        PUT(&s->e, "%d", stage);
    PUT(&s->e, "(%s)\n{\n", arguments);
}

static norn_status forward(stage_emitter *s, norn_error *err)
{
    static const char arguments[] = "FORWARD_ARGUMENTS";
    norn_status status = NORN_OK;
    PUT(&s->e,
        "// A stage's values from its sums, what is kept and the states before. held: the row skips the "
        "step.\n"
        "#define FORWARD_ARGUMENTS \\\n"
        "    const vf *sum, __global float *kept, __global const float *h_old, __global float *h_new, \\\n"
        "        __global const float *carry_old, __global float *carry_new, const size_t carry_size, \\\n"
        "        const vf *vectors, const int unit, const int held\n\n");
    for (int stage = s->stages->begins ? -1 : 0; stage < (int)s->stages->stage_count; stage++) {
        status = norn_cell_slice_forward(&s->slice, s->stages, stage, err);
        if (status != NORN_OK) return status;
        put_function(s, "forward", stage, "begin", arguments);
        s->e.graph = &s->slice.graph;
        forward_leaves(s, stage);
        norn_emit_statements(&s->e, &s->slice.graph, true);
        forward_results(s);
        PUT(&s->e, "}\n\n");
    }
    return status;
}

static norn_status backward(stage_emitter *s, norn_error *err)
{
    static const char arguments[] = "BACKWARD_ARGUMENTS";
    norn_status status = NORN_OK;
    PUT(&s->e,
        "// Gradients that can be had once those of later stages have gone through their products: of gates "
        "in "
        "place of the\n// gates, of states in dh and dcarry.\n"
        "#define BACKWARD_ARGUMENTS \\\n"
        "    __global float *kept, __global const float *h_old, __global const float *h_new, \\\n"
        "        __global const float *carry_old, __global const float *carry_new, const size_t carry_size, "
        "\\\n"
        "        __global const float *above, __global float *dh, __global float *dcarry, \\\n"
        "        const size_t dcarry_size, const vf *vectors, vf *dvectors, const int unit\n\n");
    for (int stage = (int)s->stages->stage_count - 1; stage >= (s->stages->ends ? -1 : 0); stage--) {
        status = norn_cell_slice_backward(&s->slice, s->stages, stage, err);
        if (status != NORN_OK) return status;
        put_function(s, "backward", stage, "end", arguments);
        s->e.graph = &s->slice.graph;
        backward_leaves(s, stage);
        norn_emit_statements(&s->e, &s->slice.graph, false);
        backward_results(s, stage);
        PUT(&s->e, "}\n%s", stage > (s->stages->ends ? -1 : 0) ? "\n" : "");
    }
    return status;
}

norn_status norn_cell_emit_stages(const norn_cell_stages *stages, const norn_cell_shape *shape,
                                  norn_cell_text *text, norn_error *err)
{
    const norn_host *host = &stages->plan->cell->host;
    stage_emitter *s = norn_new(host, 1, sizeof *s);
    if (!s) return norn_fail_memory(err, "the kernel of a cell");
    s->e = (emitter){.plan = stages->plan,
                     .host = host,
                     .text = text,
                     .gate_at = stages->gate_at,
                     .vector_at = stages->vector_at,
                     .plane_of = stages->plane_of};
    s->stages = stages;
    s->shape = shape;
    tables(s);
    norn_emit_helpers(&s->e);
    norn_status status = forward(s, err);
    if (status == NORN_OK) status = backward(s, err);
    norn_cell_slice_free(host, &s->slice);
    norn_delete(host, s, 1, sizeof *s);
    if (status == NORN_OK && text->failed) status = norn_fail_memory(err, "the kernel of a cell");
    return status;
}

norn_status norn_cell_emit_either(const norn_cell_plan *plan, const norn_cell_shape *shape,
                                  norn_cell_text *text, norn_error *err)
{
    norn_cell_stages *stages = NULL;
    if (!norn_cell_obstacle(plan)) return norn_cell_emit(plan, text, err);
    norn_status status = norn_cell_stages_new(&stages, plan, err);
    if (status == NORN_OK) status = norn_cell_emit_stages(stages, shape, text, err);
    norn_cell_stages_free(stages);
    return status;
}
