/*
 * Which stage each value and each gradient belongs to, which gates stand beside each other, and the slices of
 * the two graphs: see stages.h.
 */
#include "cell/stages.h"

#include <string.h>

static int greater(int a, int b)
{
    return a > b ? a : b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* ---- sources ---------------------------------------------------------------------------------------------
 */

static int operand_node(const norn_cell *cell, int matrix)
{
    return cell->nodes[cell->matrices[matrix].product].a;
}

static int operand_index(const norn_cell_plan *plan, int node)
{
    for (size_t k = 0; k < plan->operand_count; k++)
        if (plan->operands[k] == node) return (int)k;
    return -1;
}

/* The source that a matrix multiplies, with no gates yet. */
static norn_cell_source source_of(const norn_cell_stages *s, int matrix)
{
    const norn_cell *cell = s->plan->cell;
    const int node = operand_node(cell, matrix);
    const norn_cell_node *n = &cell->nodes[node];
    norn_cell_source source = {.from = NORN_FROM_OPERAND, .size = cell->matrices[matrix].columns};
    if (n->op == NORN_CELL_INPUT) {
        source.from = NORN_FROM_INPUT;
    } else if (n->op == NORN_CELL_STATE) {
        source.from = NORN_FROM_PLANE;
        source.index = s->plane_of[n->index];
    } else {
        source.index = operand_index(s->plan, node);
    }
    for (size_t g = 0; g < NORN_CELL_TERMS; g++) source.matrix[g] = -1;
    return source;
}

static bool goes_before(const norn_cell_source *a, const norn_cell_source *b)
{
    return a->from != b->from ? a->from < b->from : a->index < b->index;
}

/* Puts a matrix to the source of its operand where its gate has none yet, else to a new one. */
static void add_matrix(norn_cell_stages *s, norn_cell_stage *stage, int gate, int matrix)
{
    const norn_cell_source made = source_of(s, matrix);
    size_t at = stage->source;
    const size_t end = stage->source + stage->source_count;
    while (at < end && !goes_before(&made, &s->sources[at]) &&
           (goes_before(&s->sources[at], &made) || s->sources[at].matrix[gate] >= 0))
        at++;
    const bool same = at < end && !goes_before(&made, &s->sources[at]);
    if (!same) {
        memmove(&s->sources[at + 1], &s->sources[at], (end - at) * sizeof s->sources[0]);
        s->sources[at] = made;
        stage->source_count++;
        stage->input_count += made.from == NORN_FROM_INPUT;
        s->source_count++;
    }
    s->sources[at].matrix[gate] = matrix;
}

/* How many vectors a gate has products of, and whether the input is one. */
static void count_operands(const norn_cell_plan *plan, size_t gate, size_t *count, bool *input)
{
    *count = plan->gates[gate].matrix_count;
    *input = false;
    for (size_t m = 0; m < *count; m++)
        *input |=
            plan->cell->nodes[operand_node(plan->cell, plan->gates[gate].matrices[m])].op == NORN_CELL_INPUT;
}

/* Gates of a stage beside each other: those of the input with few products first, those without the input
 * last, so that the gates of most sources are neighbours. */
static void place_gates(norn_cell_stages *s)
{
    const norn_cell_plan *plan = s->plan;
    size_t place = 0;
    for (size_t k = 0; k < s->stage_count; k++) {
        s->stage[k].first = place;
        for (size_t kind = 0; kind < 2 * NORN_CELL_TERMS + 2; kind++)
            for (size_t g = 0; g < plan->gate_count; g++) {
                size_t count;
                bool input;
                if (plan->gates[g].stage != (int)k) continue;
                count_operands(plan, g, &count, &input);
                if ((input ? count : 2 * NORN_CELL_TERMS + 1 - count) != kind) continue;
                s->gate_at[g] = (int)place;
                s->gate_of[place++] = (int)g;
            }
        s->stage[k].gates = place - s->stage[k].first;
    }
}

static void find_sources(norn_cell_stages *s)
{
    const norn_cell_plan *plan = s->plan;
    s->direct = -1;
    for (size_t k = 0; k < s->stage_count; k++) {
        norn_cell_stage *stage = &s->stage[k];
        stage->source = s->source_count;
        stage->inputs_before = s->input_columns;
        stage->units_before = s->unit_columns;
        for (size_t g = 0; g < stage->gates; g++) {
            const norn_cell_gate *gate = &plan->gates[s->gate_of[stage->first + g]];
            for (size_t m = 0; m < gate->matrix_count; m++) {
                add_matrix(s, stage, (int)g, gate->matrices[m]);
                if (plan->cell->matrices[gate->matrices[m]].projection) s->direct = (int)(stage->first + g);
            }
        }
        for (size_t i = 0; i < stage->source_count; i++) {
            norn_cell_source *source = &s->sources[stage->source + i];
            source->first = (int)stage->gates;
            for (int g = 0; g < (int)stage->gates; g++) {
                if (source->matrix[g] < 0) continue;
                source->first = least(source->first, g);
                source->last = g + 1;
            }
        }
        s->input_columns += stage->input_count * stage->gates;
        s->unit_columns += (stage->source_count - stage->input_count) * stage->gates;
    }
    /* On the way back the last stage comes first. Planes begin with what has no product. */
    for (size_t i = 0; i < s->source_count; i++) {
        norn_cell_source *source = &s->sources[i];
        source->adds = source->from == NORN_FROM_PLANE;
    }
    for (size_t k = s->stage_count; k-- > 0;)
        for (size_t i = s->stage[k].source; i < s->stage[k].source + s->stage[k].source_count; i++)
            for (size_t j = 0; j < s->source_count; j++) {
                const bool later =
                    j >= s->stage[k].source + s->stage[k].source_count || (j >= s->stage[k].source && j < i);
                if (later && s->sources[j].from == s->sources[i].from &&
                    s->sources[j].index == s->sources[i].index)
                    s->sources[i].adds = true;
            }
}

/* ---- planes and vectors ----------------------------------------------------------------------------------
 */

static void find_planes(norn_cell_stages *s)
{
    const norn_cell *cell = s->plan->cell;
    int first = -1; /* the state that is the output */
    for (size_t k = cell->state_count; k-- > 0;)
        if (cell->states[k].next == cell->out) first = (int)k;
    s->state_of[0] = first;
    const int size = cell->nodes[cell->out].size;
    s->plane_size[0] = first >= 0                 ? cell->states[first].size
                       : size == NORN_CELL_SCALAR ? NORN_CELL_SIZE_HIDDEN
                                                  : size;
    s->plane_count = 1;
    for (size_t k = 0; k < cell->state_count; k++) {
        if ((int)k == first) continue;
        s->state_of[s->plane_count] = (int)k;
        s->plane_size[s->plane_count] = cell->states[k].size;
        s->plane_of[k] = (int)s->plane_count++;
    }
    if (first >= 0) s->plane_of[first] = 0;
    s->plane_of[cell->state_count] = 0;
}

static bool uses_vector(const norn_step_graph *g, size_t vector)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->nodes[i].uses && g->nodes[i].op == NORN_CELL_VECTOR && g->nodes[i].index == (int)vector)
            return true;
    return false;
}

static void find_vectors(norn_cell_stages *s)
{
    const norn_cell_plan *plan = s->plan;
    for (size_t i = 0; i < plan->cell->vector_count; i++) {
        const bool used =
            uses_vector(&plan->forward, i) || uses_vector(&plan->backward, i) || plan->dvector[i] >= 0;
        s->vector_at[i] = used ? (int)s->vector_count++ : -1;
    }
}

/* ---- when what is there ----------------------------------------------------------------------------------
 */

static void time_forward(norn_cell_stages *s, int *ready)
{
    const norn_cell_plan *plan = s->plan;
    const norn_step_graph *g = &plan->forward;
    for (size_t i = 0; i < g->count; i++) {
        const norn_step_node *n = &g->nodes[i];
        const int operands[] = {n->a, n->b, n->c};
        ready[i] = n->op == NORN_STEP_GATE ? plan->gates[n->index].stage : -1;
        for (int k = 0; k < 3; k++)
            if (operands[k] >= 0) ready[i] = greater(ready[i], ready[operands[k]]);
    }
    for (size_t k = 0; k < plan->gate_count; k++)
        s->kept_in[k] = greater(plan->gates[k].stage, ready[plan->keep[k]]);
    for (size_t k = 0; k < plan->operand_count; k++) {
        s->operand_in[k] = ready[plan->operand[k]];
        s->begins |= s->operand_in[k] < 0;
    }
    for (size_t p = 0; p < s->plane_count; p++)
        s->plane_in[p] = greater(0, ready[s->state_of[p] < 0 ? plan->out : plan->after[s->state_of[p]]]);
}

static void time_backward(norn_cell_stages *s, int *ready)
{
    const norn_cell_plan *plan = s->plan;
    const norn_step_graph *g = &plan->backward;
    const int last = (int)s->stage_count - 1;
    int used_in[NORN_CELL_TERMS]; /* the first stage that multiplies an operand */
    for (size_t k = 0; k < NORN_CELL_TERMS; k++) used_in[k] = last;
    for (size_t k = s->stage_count; k-- > 0;)
        for (size_t i = s->stage[k].source; i < s->stage[k].source + s->stage[k].source_count; i++)
            if (s->sources[i].from == NORN_FROM_OPERAND) used_in[s->sources[i].index] = (int)k;
    for (size_t i = 0; i < g->count; i++) {
        const norn_step_node *n = &g->nodes[i];
        const int operands[] = {n->a, n->b, n->c};
        ready[i] = n->op == NORN_STEP_BACK ? used_in[n->index] - 1 : last;
        for (int k = 0; k < 3; k++)
            if (operands[k] >= 0) ready[i] = least(ready[i], ready[operands[k]]);
    }
    for (size_t k = 0; k < plan->gate_count; k++)
        s->gradient_in[k] = plan->dgate[k] < 0 ? last : ready[plan->dgate[k]];
    for (size_t p = 0; p < s->plane_count; p++) {
        const int node = s->state_of[p] < 0 ? -1 : plan->dstate[s->state_of[p]];
        s->dplane_in[p] = node < 0 ? last : ready[node];
        s->ends |= s->dplane_in[p] < 0;
    }
    for (size_t k = 0; k < plan->cell->vector_count; k++) {
        s->dvector_in[k] = plan->dvector[k] < 0 ? last : ready[plan->dvector[k]];
        s->ends |= s->dvector_in[k] < 0;
    }
    for (size_t k = 0; k < plan->operand_count; k++)
        s->adjoint_in[k] = plan->doperand[k] < 0 ? last : ready[plan->doperand[k]];
}

/* ---- slices ----------------------------------------------------------------------------------------------
 */

static norn_status begin_slice(norn_cell_slice *slice, const norn_cell_stages *s,
                               const norn_step_graph *graph, norn_error *err)
{
    if (!slice->graph.nodes)
        slice->graph.nodes = norn_new(&s->plan->cell->host, NORN_STEP_NODES, sizeof *slice->graph.nodes);
    if (!slice->graph.nodes) return norn_fail_memory(err, "a stage of a cell");
    memcpy(slice->graph.nodes, graph->nodes, graph->count * sizeof *graph->nodes);
    slice->graph.count = graph->count;
    slice->result_count = 0;
    return NORN_OK;
}

/* Reads it from memory in place of computing it. What is a leaf already stays one. */
static void cut(norn_cell_slice *slice, int node, int op, int index)
{
    norn_step_node *n = node < 0 ? NULL : &slice->graph.nodes[node];
    if (n && n->a >= 0) *n = (norn_step_node){.op = op, .a = -1, .b = -1, .c = -1, .index = index};
}

static void add_result(norn_cell_slice *slice, norn_cell_target target, int index, int node)
{
    slice->results[slice->result_count++] = (norn_cell_result){target, index, node};
}

static void count_uses(norn_cell_slice *slice)
{
    norn_step_graph *g = &slice->graph;
    for (size_t i = 0; i < g->count; i++) g->nodes[i].uses = 0;
    for (size_t i = 0; i < slice->result_count; i++)
        if (slice->results[i].node >= 0) g->nodes[slice->results[i].node].uses++;
    for (size_t i = g->count; i-- > 0;) {
        norn_step_node *n = &g->nodes[i];
        if (!n->uses) continue;
        if (n->a >= 0) g->nodes[n->a].uses++;
        if (n->b >= 0) g->nodes[n->b].uses++;
        if (n->c >= 0) g->nodes[n->c].uses++;
    }
}

norn_status norn_cell_slice_forward(norn_cell_slice *slice, const norn_cell_stages *s, int stage,
                                    norn_error *err)
{
    const norn_cell_plan *plan = s->plan;
    const norn_status status = begin_slice(slice, s, &plan->forward, err);
    if (status != NORN_OK) return status;
    for (size_t k = 0; k < plan->operand_count; k++)
        if (s->operand_in[k] < stage) cut(slice, plan->operand[k], NORN_STEP_OPERAND, (int)k);
    for (size_t k = 0; k < plan->gate_count; k++)
        if (s->kept_in[k] < stage) {
            cut(slice, plan->keep[k], NORN_STEP_KEPT, (int)k);
            /* kept as the sum it is: the same leaf, read from memory */
            if (slice->graph.nodes[plan->keep[k]].op == NORN_STEP_GATE)
                slice->graph.nodes[plan->keep[k]].op = NORN_STEP_KEPT;
        }
    for (size_t k = 0; k < plan->gate_count; k++) {
        if (s->kept_in[k] == stage) {
            add_result(slice, NORN_TO_KEPT, s->gate_at[k], plan->keep[k]);
        } else if (plan->gates[k].stage == stage) { /* the sum, until the value can be had */
            for (size_t i = 0; i < plan->forward.count; i++)
                if (plan->forward.nodes[i].op == NORN_STEP_GATE && plan->forward.nodes[i].index == (int)k)
                    add_result(slice, NORN_TO_KEPT, s->gate_at[k], (int)i);
        }
    }
    for (size_t k = 0; k < plan->operand_count; k++)
        if (s->operand_in[k] == stage) add_result(slice, NORN_TO_OPERAND, (int)k, plan->operand[k]);
    for (size_t p = 0; p < s->plane_count; p++)
        if (s->plane_in[p] == stage)
            add_result(slice, NORN_TO_PLANE, (int)p,
                       s->state_of[p] < 0 ? plan->out : plan->after[s->state_of[p]]);
    count_uses(slice);
    return NORN_OK;
}

norn_status norn_cell_slice_backward(norn_cell_slice *slice, const norn_cell_stages *s, int stage,
                                     norn_error *err)
{
    const norn_cell_plan *plan = s->plan;
    const int last = (int)s->stage_count - 1;
    const norn_status status = begin_slice(slice, s, &plan->backward, err);
    if (status != NORN_OK) return status;
    for (size_t k = 0; k < plan->operand_count; k++)
        if (s->adjoint_in[k] > stage) cut(slice, plan->doperand[k], NORN_STEP_ADJOINT, (int)k);
    for (size_t k = 0; k < plan->gate_count; k++)
        if (s->gradient_in[k] > stage) cut(slice, plan->dgate[k], NORN_STEP_GRADIENT, (int)k);
    /* Copies first: they read what the gradients overwrite. */
    for (size_t k = 0; k < plan->gate_count; k++)
        if (s->gate_copy[k] >= 0 && s->gradient_in[k] == stage)
            add_result(slice, NORN_TO_GATE_COPY, s->gate_at[k], -1);
    for (size_t p = 0; p < s->plane_count; p++)
        if (s->seed_copy[p] >= 0 && stage == last) add_result(slice, NORN_TO_SEED_COPY, (int)p, -1);
    for (size_t k = 0; k < plan->gate_count; k++)
        if (s->gradient_in[k] == stage) add_result(slice, NORN_TO_KEPT, s->gate_at[k], plan->dgate[k]);
    for (size_t k = 0; k < plan->operand_count; k++)
        if (s->adjoint_kept[k] && s->adjoint_in[k] == stage)
            add_result(slice, NORN_TO_ADJOINT, (int)k, plan->doperand[k]);
    for (size_t p = 0; p < s->plane_count; p++) {
        const int node = s->state_of[p] < 0 ? -1 : plan->dstate[s->state_of[p]];
        if (s->dplane_in[p] == stage)
            add_result(slice, NORN_TO_PLANE, (int)p, node);
        else if (stage == last) /* what the products begin to add to */
            add_result(slice, NORN_TO_PLANE, (int)p, -1);
    }
    for (size_t k = 0; k < plan->cell->vector_count; k++)
        if (plan->dvector[k] >= 0 && s->dvector_in[k] == stage)
            add_result(slice, NORN_TO_VECTOR, (int)k, plan->dvector[k]);
    count_uses(slice);
    return NORN_OK;
}

void norn_cell_slice_free(const norn_host *host, norn_cell_slice *slice)
{
    norn_delete(host, slice->graph.nodes, NORN_STEP_NODES, sizeof *slice->graph.nodes);
    slice->graph.nodes = NULL;
}

/* What a slice reads that will no longer be where it was. Keeping an adjoint may ask for more: until nothing
 * is new. */
static norn_status find_copies(norn_cell_stages *s, norn_error *err)
{
    const norn_host *host = &s->plan->cell->host;
    norn_cell_slice *slice = norn_new(host, 1, sizeof *slice);
    norn_status status = slice ? NORN_OK : norn_fail_memory(err, "a stage of a cell");
    bool again = true;
    for (size_t k = 0; k < NORN_CELL_TERMS; k++) s->gate_copy[k] = -1;
    for (size_t k = 0; k < NORN_CELL_PLANES; k++) s->seed_copy[k] = -1;
    while (again && status == NORN_OK) {
        again = false;
        for (int stage = (int)s->stage_count - 1; stage >= -1 && status == NORN_OK; stage--) {
            status = norn_cell_slice_backward(slice, s, stage, err);
            for (size_t i = 0; i < slice->graph.count && status == NORN_OK; i++) {
                const norn_step_node *n = &slice->graph.nodes[i];
                if (!n->uses) continue;
                int *copy = NULL;
                if (n->op == NORN_STEP_KEPT && s->gradient_in[n->index] > stage)
                    copy = &s->gate_copy[n->index];
                if (n->op == NORN_STEP_SEED && stage < (int)s->stage_count - 1)
                    copy = &s->seed_copy[s->plane_of[n->index]];
                if (copy && *copy < 0) {
                    *copy = (int)s->scratch_count++;
                    again = true;
                }
                if (n->op == NORN_STEP_ADJOINT && !s->adjoint_kept[n->index])
                    again = s->adjoint_kept[n->index] = true;
            }
        }
    }
    if (slice) norn_cell_slice_free(host, slice);
    norn_delete(host, slice, 1, sizeof *slice);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

norn_status norn_cell_stages_new(norn_cell_stages **out, const norn_cell_plan *plan, norn_error *err)
{
    const norn_host *host = &plan->cell->host;
    norn_status status = NORN_OK;
    if (plan->gate_count == 0)
        return norn_fail(err, NORN_ERR_USAGE, "cell %s cannot be made a kernel: it has no product",
                         plan->cell->name);
    norn_cell_stages *s = norn_new(host, 1, sizeof *s);
    int *ready = norn_new(host, NORN_STEP_NODES, sizeof *ready);
    if (s) s->plan = plan;
    if (!s || !ready) {
        status = norn_fail_memory(err, "the stages of a cell");
        goto done;
    }
    s->stage_count = plan->stage_count;
    s->scratch_count = plan->operand_count;
    find_planes(s);
    find_vectors(s);
    place_gates(s);
    find_sources(s);
    time_forward(s, ready);
    time_backward(s, ready);
    status = find_copies(s, err);
    if (status != NORN_OK) goto done;
    *out = s;
    s = NULL;
done:
    norn_delete(host, ready, NORN_STEP_NODES, sizeof *ready);
    norn_cell_stages_free(s);
    return status;
}

void norn_cell_stages_free(norn_cell_stages *stages)
{
    if (!stages) return;
    const norn_host host = stages->plan->cell->host;
    norn_delete(&host, stages, 1, sizeof *stages);
}

size_t norn_cell_widest(const norn_cell_shape *shape)
{
    const norn_cell *cell = shape->cell;
    size_t widest = shape->hidden;
    for (size_t i = 0; i < cell->state_count; i++)
        if (shape->size[cell->states[i].size] > widest) widest = shape->size[cell->states[i].size];
    for (size_t i = 0; i < cell->node_count; i++) {
        const norn_cell_node *n = &cell->nodes[i];
        if (n->size != NORN_CELL_SCALAR && n->op != NORN_CELL_INPUT && shape->size[n->size] > widest)
            widest = shape->size[n->size];
    }
    return widest;
}
