/*
 * The two element-wise graphs of a plan of one stage as OpenCL C: the cell's part of the skeleton in
 * kernels/sequence.cl.
 */
#include "cell/emitter.h"

#include <string.h>

/* ---- what the skeleton asks for --------------------------------------------------------------------------
 */

static bool has_product_of(const norn_cell_plan *plan, size_t gate, norn_cell_op op)
{
    for (size_t m = 0; m < plan->gates[gate].matrix_count; m++) {
        const norn_cell_matrix *matrix = &plan->cell->matrices[plan->gates[gate].matrices[m]];
        if (plan->cell->nodes[plan->cell->nodes[matrix->product].a].op == op) return true;
    }
    return false;
}

const char *norn_cell_obstacle(const norn_cell_plan *plan)
{
    const norn_cell *cell = plan->cell;
    if (plan->gate_count == 0) return "it has no product";
    if (plan->stage_count > 1) return "it has products that wait for others within a step";
    if (cell->out != cell->states[0].next) return "its output is not the first state";
    for (size_t i = 0; i < cell->state_count; i++) {
        if (cell->states[i].size != NORN_CELL_SIZE_HIDDEN) return "a state has another size than H";
        if (cell->nodes[cell->states[i].next].size == NORN_CELL_SCALAR) return "a state is a constant";
    }
    for (size_t i = 0; i < cell->matrix_count; i++) {
        const norn_cell_matrix *m = &cell->matrices[i];
        const norn_cell_node *operand = &cell->nodes[cell->nodes[m->product].a];
        if (m->projection) return "it uses the input unit by unit";
        if (m->rows != NORN_CELL_SIZE_HIDDEN) return "a product has another size than H";
        if (operand->op == NORN_CELL_STATE && operand->index != 0)
            return "a matrix multiplies a state that is not the first";
    }
    for (size_t k = 0; k < plan->gate_count; k++) {
        const bool x = has_product_of(plan, k, NORN_CELL_INPUT), h = has_product_of(plan, k, NORN_CELL_STATE);
        if (plan->gates[k].matrix_count != (size_t)x + (size_t)h)
            return "a gate has two products of one operand";
    }
    return NULL;
}

static bool uses_leaf(const norn_step_graph *graph, int op, int index)
{
    for (size_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].uses && graph->nodes[i].op == op && graph->nodes[i].index == index) return true;
    return false;
}

norn_cell_places norn_cell_places_of(const norn_cell_plan *plan)
{
    norn_cell_places places = {0};
    int slot = 0;
    for (int kind = 0; kind < 3; kind++)
        for (size_t k = 0; k < plan->gate_count; k++) {
            const bool x = has_product_of(plan, k, NORN_CELL_INPUT),
                       h = has_product_of(plan, k, NORN_CELL_STATE);
            if ((x && h ? 1 : x ? 0 : 2) != kind) continue;
            places.gate[k] = slot++;
            places.x_gates += x;
            places.h_first += !h;
        }
    for (size_t i = 0; i < plan->cell->vector_count; i++) {
        const bool used = uses_leaf(&plan->forward, NORN_CELL_VECTOR, (int)i) ||
                          uses_leaf(&plan->backward, NORN_CELL_VECTOR, (int)i) || plan->dvector[i] >= 0;
        places.vector[i] = used ? (int)places.vectors++ : -1;
    }
    places.uses_h = plan->dstate[0] >= 0 || uses_leaf(&plan->backward, NORN_STEP_BEFORE, 0) ||
                    uses_leaf(&plan->backward, NORN_STEP_AFTER, 0);
    return places;
}

/* ---- the file --------------------------------------------------------------------------------------------
 */

static void result(emitter *e, const char *format, size_t place, int node)
{
    PUT(e, "    ");
    PUT(e, format, place);
    if (node < 0)
        PUT(e, "(vf)0.0f");
    else
        norn_emit_vector(e, node);
    PUT(e, ";\n");
}

/* `const vf NAME = ...` for the leaves of one kind that are used. */
static void leaves(emitter *e, const norn_step_graph *graph, int op, const char *format)
{
    for (size_t i = 0; i < graph->count; i++) {
        const norn_step_node *n = &graph->nodes[i];
        if (!n->uses || n->op != op) continue;
        if ((op == NORN_STEP_BEFORE || op == NORN_STEP_AFTER) && n->index == 0) continue; /* h, h_after */
        PUT(e, "    const vf ");
        (void)norn_emit_leaf(e, n);
        int place = n->index;
        if (op == NORN_STEP_GATE || op == NORN_STEP_KEPT) place = e->gate_at[n->index];
        if (op == NORN_CELL_VECTOR) place = e->vector_at[n->index];
        if (op == NORN_STEP_BEFORE || op == NORN_STEP_AFTER) place = n->index - 1;
        PUT(e, format, place);
    }
}

static void forward(emitter *e)
{
    const norn_cell_plan *plan = e->plan;
    const norn_step_graph *g = &plan->forward;
    PUT(e, "// In: pre, the sums of the gates; h and carry, the states before the step. Out: pre, what is "
           "kept of each\n"
           "// gate; carry, the states after it; returns h after it.\n"
           "INLINE vf cell_forward(vf *pre, const vf h, vf *carry, const vf *vectors)\n{\n");
    leaves(e, g, NORN_STEP_GATE, " = pre[%d];\n");
    leaves(e, g, NORN_STEP_BEFORE, " = carry[%d];\n");
    leaves(e, g, NORN_CELL_VECTOR, " = vectors[%d];\n");
    norn_emit_statements(e, g, true);
    for (size_t k = 0; k < plan->gate_count; k++)
        result(e, "pre[%zu] = ", (size_t)e->gate_at[k], plan->keep[k]);
    for (size_t k = 1; k < plan->cell->state_count; k++) result(e, "carry[%zu] = ", k - 1, plan->after[k]);
    PUT(e, "    return ");
    norn_emit_vector(e, plan->after[0]);
    PUT(e, ";\n}\n\n");
}

static void backward(emitter *e)
{
    const norn_cell_plan *plan = e->plan;
    const norn_step_graph *g = &plan->backward;
    PUT(e, "// In: kept of each gate; the states before and after the step; dh and dcarry, dL/d(states after "
           "it). Out:\n"
           "// kept, dL/d(sum of the gate); dh, the part of dL/d(h before) that no product has; dcarry, "
           "dL/d(carry before);\n"
           "// dvectors is added to.\n"
           "INLINE void cell_backward(vf *kept, const vf h, const vf *before, const vf h_after, const vf "
           "*after, vf *dh,\n"
           "                          vf *dcarry, const vf *vectors, vf *dvectors)\n{\n");
    leaves(e, g, NORN_STEP_KEPT, " = kept[%d];\n");
    leaves(e, g, NORN_STEP_BEFORE, " = before[%d];\n");
    leaves(e, g, NORN_STEP_AFTER, " = after[%d];\n");
    leaves(e, g, NORN_CELL_VECTOR, " = vectors[%d];\n");
    for (size_t k = 0; k < plan->cell->state_count; k++) {
        if (!uses_leaf(g, NORN_STEP_SEED, (int)k)) continue;
        if (k)
            PUT(e, "    const vf d%zu = dcarry[%zu];\n", k, k - 1);
        else
            PUT(e, "    const vf d0 = *dh;\n");
    }
    norn_emit_statements(e, g, false);
    for (size_t k = 0; k < plan->gate_count; k++)
        result(e, "kept[%zu] = ", (size_t)e->gate_at[k], plan->dgate[k]);
    result(e, "*dh = ", 0, plan->dstate[0]);
    for (size_t k = 1; k < plan->cell->state_count; k++) result(e, "dcarry[%zu] = ", k - 1, plan->dstate[k]);
    for (size_t k = 0; k < plan->cell->vector_count; k++)
        if (plan->dvector[k] >= 0) result(e, "dvectors[%zu] += ", (size_t)e->vector_at[k], plan->dvector[k]);
    PUT(e, "}\n");
}

norn_status norn_cell_emit(const norn_cell_plan *plan, norn_cell_text *text, norn_error *err)
{
    const norn_host *host = &plan->cell->host;
    const char *obstacle = norn_cell_obstacle(plan);
    if (obstacle)
        return norn_fail(err, NORN_ERR_USAGE, "cell %s cannot be made a kernel of one stage: %s",
                         plan->cell->name, obstacle);
    const norn_cell_places places = norn_cell_places_of(plan);
    int plane_of[NORN_CELL_STATES + 1];
    for (int i = 0; i <= NORN_CELL_STATES; i++) plane_of[i] = i;
    emitter *e = norn_new(host, 1, sizeof *e);
    if (!e) return norn_fail_memory(err, "the kernel of a cell");
    *e = (emitter){.plan = plan,
                   .host = host,
                   .text = text,
                   .gate_at = places.gate,
                   .vector_at = places.vector,
                   .plane_of = plane_of};
    PUT(e,
        "// A cell made from its formula: what the skeleton (sequence.cl) knows of it.\n"
        "#define CELL_GATES %zu    // sums of products a unit\n"
        "#define CELL_X_GATES %zu  // the first of them have a product of the input\n"
        "#define CELL_H_FIRST %zu  // from this one on they have a product of h\n"
        "#define CELL_CARRIES %zu  // states beside h\n"
        "#define CELL_VECTORS %zu  // parameters used unit by unit\n"
        "#define CELL_USES_H %d   // the way back uses h unit by unit\n\n",
        plan->gate_count, places.x_gates, places.h_first, plan->cell->state_count - 1, places.vectors,
        places.uses_h);
    norn_emit_helpers(e);
    forward(e);
    backward(e);
    norn_delete(host, e, 1, sizeof *e);
    return text->failed ? norn_fail_memory(err, "the kernel of a cell") : NORN_OK;
}

norn_status norn_cell_emit_builtin(const char *name, const norn_host *host, norn_cell_text *text,
                                   norn_error *err)
{
    const char *formula = norn_cell_builtin_text(name);
    norn_cell *cell = NULL;
    norn_cell_plan *plan = NULL;
    norn_status status =
        formula ? norn_cell_read(&cell, formula, strlen(formula), name, host, err)
                : norn_fail(err, NORN_ERR_USAGE, "no cell is called \"%s\" (norn cell list)", name);
    if (status == NORN_OK) status = norn_cell_plan_new(&plan, cell, err);
    if (status == NORN_OK) status = norn_cell_emit(plan, text, err);
    norn_cell_plan_free(plan);
    norn_cell_free(cell);
    return status;
}
