/*
 * The two element-wise graphs of a plan as OpenCL C: the cell's part of the skeleton in kernels/sequence.cl.
 * Every identifier and literal here is made from numbers of the plan; no byte of the formula is copied.
 *
 * A value that is used once stands where it is used, any other gets a name. Sigmoids and tanhs of one step
 * that do not wait for each other share their divisions, four or two at a time: a division costs more than
 * the three products that save it.
 */
#include "cell/ops.h"
#include "cell/plan.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 12 }; /* operations within each other before one gets a name, for readers and compilers */

typedef struct emitter {
    const norn_cell_plan *plan;
    const norn_host *host;
    const norn_step_graph *graph;
    norn_cell_text *text;
    norn_cell_places places;
    int depth[NORN_STEP_NODES];  /* of the expression that stands for a node */
    bool named[NORN_STEP_NODES]; /* it has a name: v7 */
} emitter;

#define PUT(e, ...) norn_cell_put((e)->host, (e)->text, __VA_ARGS__)

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

/* ---- expressions -----------------------------------------------------------------------------------------
 */

/* A float literal without a decimal point that a locale could change, short where it can be. */
static void literal(emitter *e, double value)
{
    const double held = value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : value;
    const float number = (float)held;
    long scale = 1;
    for (int digits = 0; digits <= 6; digits++, scale *= 10) {
        const double whole = nearbyint(fabs((double)number) * (double)scale);
        if (whole > 1e9 || (float)(whole / (double)scale) != fabsf(number)) continue;
        PUT(e, "%s%ld.%0*ldf", number < 0.0f ? "-" : "", (long)whole / scale, digits ? digits : 1,
            (long)whole % scale);
        return;
    }
    int exponent = 0;
    const double mantissa = frexp(fabs((double)number), &exponent);
    PUT(e, "%s0x%lxp%df", number < 0.0f ? "-" : "", (unsigned long)ldexp(mantissa, 24), exponent - 24);
}

static void expression(emitter *e, int node);

/* Every leaf was given a name where the function begins. */
static bool leaf_name(emitter *e, const norn_step_node *n)
{
    switch (n->op) {
    case NORN_STEP_GATE:
        PUT(e, "a%d", e->places.gate[n->index]);
        return true;
    case NORN_STEP_KEPT:
        PUT(e, "k%d", e->places.gate[n->index]);
        return true;
    case NORN_STEP_BEFORE:
        PUT(e, n->index ? "s%d" : "h", n->index);
        return true;
    case NORN_STEP_AFTER:
        PUT(e, n->index ? "n%d" : "h_after", n->index);
        return true;
    case NORN_STEP_SEED:
        PUT(e, "d%d", n->index);
        return true;
    case NORN_CELL_VECTOR:
        PUT(e, "p%d", e->places.vector[n->index]);
        return true;
    case NORN_CELL_CONSTANT:
        literal(e, n->value);
        return true;
    default:
        return false;
    }
}

static bool is_inline_product(const emitter *e, int node)
{
    return e->graph->nodes[node].op == NORN_CELL_MULTIPLY && !e->named[node];
}

static void call(emitter *e, const char *function, int a, const char *end)
{
    PUT(e, "%s(", function);
    expression(e, a);
    PUT(e, ")%s", end);
}

/* As an argument, where a bare constant would be a scalar. */
static void as_vector(emitter *e, int node)
{
    const bool constant = e->graph->nodes[node].op == NORN_CELL_CONSTANT;
    PUT(e, constant ? "(vf)(" : "");
    expression(e, node);
    PUT(e, constant ? ")" : "");
}

/* It is written as a name, or as a call. */
static bool is_closed(const emitter *e, int node)
{
    const norn_step_node *n = &e->graph->nodes[node];
    if (e->named[node] || n->a < 0) return true;
    if (n->op == NORN_CELL_ADD) return is_inline_product(e, n->a) || is_inline_product(e, n->b);
    return n->op != NORN_CELL_SUBTRACT && n->op != NORN_CELL_MULTIPLY && n->op != NORN_CELL_DIVIDE &&
           n->op != NORN_CELL_NEGATE;
}

static void operand(emitter *e, int node, bool bare)
{
    PUT(e, bare ? "" : "(");
    expression(e, node);
    PUT(e, bare ? "" : ")");
}

static void multiply_add(emitter *e, int product, int summand)
{
    PUT(e, "fma(");
    as_vector(e, e->graph->nodes[product].a);
    PUT(e, ", ");
    as_vector(e, e->graph->nodes[product].b);
    PUT(e, ", ");
    as_vector(e, summand);
    PUT(e, ")");
}

static void where(emitter *e, int a, const char *sign, int b, int yes, int no)
{
    PUT(e, "CHOOSE(");
    as_vector(e, a);
    PUT(e, " %s ", sign);
    as_vector(e, b);
    PUT(e, ", ");
    expression(e, yes);
    PUT(e, ", ");
    if (no < 0)
        PUT(e, "0.0f");
    else
        expression(e, no);
    PUT(e, ")");
}

/* The operation of a node, its operands as expressions. */
static void operation(emitter *e, int node)
{
    static const char *const functions[NORN_CELL_OPS] = {
        [NORN_CELL_SIGMOID] = "sigmoid",   [NORN_CELL_TANH] = "hyperbolic_tangent",
        [NORN_CELL_RELU] = "rectified",    [NORN_CELL_EXP] = "exponential",
        [NORN_CELL_LOG] = "log",           [NORN_CELL_SOFTPLUS] = "softplus",
        [NORN_CELL_SILU] = "sigmoid_unit", [NORN_CELL_ABS] = "fabs",
    };
    static const char *const signs[NORN_CELL_OPS] = {[NORN_CELL_ADD] = "+",
                                                     [NORN_CELL_SUBTRACT] = "-",
                                                     [NORN_CELL_MULTIPLY] = "*",
                                                     [NORN_CELL_DIVIDE] = "/"};
    const norn_step_node *n = &e->graph->nodes[node];
    if (n->op < NORN_CELL_OPS && functions[n->op]) {
        call(e, functions[n->op], n->a, "");
    } else if (n->op == NORN_CELL_NEGATE) {
        call(e, "-", n->a, "");
    } else if (n->op == NORN_CELL_ADD && is_inline_product(e, n->a)) {
        multiply_add(e, n->a, n->b);
    } else if (n->op == NORN_CELL_ADD && is_inline_product(e, n->b)) {
        multiply_add(e, n->b, n->a);
    } else if (n->op < NORN_CELL_OPS && signs[n->op]) {
        /* a * b * c needs no parentheses: it binds to the left as the graph does */
        const bool product = n->op == NORN_CELL_MULTIPLY && e->graph->nodes[n->a].op == NORN_CELL_MULTIPLY;
        operand(e, n->a, product || is_closed(e, n->a));
        PUT(e, " %s ", signs[n->op]);
        operand(e, n->b, is_closed(e, n->b));
    } else if (n->op == NORN_CELL_MAX) {
        where(e, n->b, ">", n->a, n->b, n->a);
    } else if (n->op == NORN_CELL_MIN) {
        where(e, n->b, "<", n->a, n->b, n->a);
    } else {
        where(e, n->a, n->op == NORN_STEP_WHERE_GREATER ? ">" : ">=", n->b, n->c, -1);
    }
}

static void expression(emitter *e, int node)
{
    if (e->named[node])
        PUT(e, "v%d", node);
    else if (!leaf_name(e, &e->graph->nodes[node]))
        operation(e, node);
}

/* ---- statements ------------------------------------------------------------------------------------------
 */

static int deepest(const emitter *e, const norn_step_node *n)
{
    int depth = 0;
    const int operands[] = {n->a, n->b, n->c};
    for (int k = 0; k < 3; k++)
        if (operands[k] >= 0 && !e->named[operands[k]] && e->depth[operands[k]] > depth)
            depth = e->depth[operands[k]];
    return depth;
}

/* MAX and MIN write their operands twice. */
static bool is_operand_of_choice(const norn_step_graph *g, int node)
{
    for (size_t i = (size_t)node + 1; i < g->count; i++) {
        const norn_step_node *n = &g->nodes[i];
        if (n->uses && (n->op == NORN_CELL_MAX || n->op == NORN_CELL_MIN) && (n->a == node || n->b == node))
            return true;
    }
    return false;
}

static bool is_gate_function(const norn_step_graph *g, size_t i)
{
    const norn_step_node *n = &g->nodes[i];
    return n->uses && (n->op == NORN_CELL_SIGMOID || n->op == NORN_CELL_TANH) &&
           g->nodes[n->a].op == NORN_STEP_GATE;
}

/* 1/(1 + e^-a) and the like of `count` (4 or 2) nodes by one division: of the product of all denominators. */
static void shared_division(emitter *e, const int *nodes, int count)
{
    const int id = nodes[0];
    for (int k = 0; k < count; k++) {
        const norn_step_node *n = &e->graph->nodes[nodes[k]];
        PUT(e, "    const vf e%d = 1.0f + exp_negative%s(", nodes[k],
            n->op == NORN_CELL_TANH ? "_twice" : "");
        expression(e, n->a);
        PUT(e, ");\n");
    }
    if (count == 4) {
        PUT(e, "    const vf l%d = e%d * e%d, r%d = e%d * e%d, q%d = 1.0f / (l%d * r%d);\n", id, nodes[0],
            nodes[1], id, nodes[2], nodes[3], id, id, id);
        PUT(e, "    const vf one_l%d = q%d * r%d, one_r%d = q%d * l%d;\n", id, id, id, id, id, id);
    } else {
        PUT(e, "    const vf one_l%d = 1.0f / (e%d * e%d);\n", id, nodes[0], nodes[1]);
    }
    for (int k = 0; k < count; k++) {
        const bool tanh = e->graph->nodes[nodes[k]].op == NORN_CELL_TANH;
        PUT(e, "    const vf v%d = %sone_%s%d * e%d%s;\n", nodes[k], tanh ? "2.0f * (" : "",
            k < 2 ? "l" : "r", id, nodes[k ^ 1], tanh ? ") - 1.0f" : "");
        e->named[nodes[k]] = true;
    }
}

/* Names for what is used twice, in order. */
static void statements(emitter *e, const norn_step_graph *graph, bool share)
{
    int waiting[4], count = 0;
    e->graph = graph;
    memset(e->named, 0, sizeof e->named);
    for (size_t i = 0; i < graph->count && share; i++) {
        if (!is_gate_function(graph, i)) continue;
        waiting[count++] = (int)i;
        if (count == 4) {
            shared_division(e, waiting, 4);
            count = 0;
        }
    }
    if (count >= 2) shared_division(e, waiting, 2);
    for (size_t i = 0; i < graph->count; i++) {
        const norn_step_node *n = &graph->nodes[i];
        e->depth[i] = n->a < 0 ? 0 : 1 + deepest(e, n);
        if (!n->uses || n->a < 0 || e->named[i]) continue;
        if (n->uses == 1 && e->depth[i] < DEEPEST && !is_operand_of_choice(graph, (int)i)) continue;
        PUT(e, "    const vf v%zu = ", i);
        operation(e, (int)i);
        PUT(e, ";\n");
        e->named[i] = true;
    }
}

static void result(emitter *e, const char *format, size_t place, int node)
{
    PUT(e, "    ");
    PUT(e, format, place);
    if (node < 0)
        PUT(e, "(vf)0.0f");
    else
        as_vector(e, node);
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
        (void)leaf_name(e, n);
        int place = n->index;
        if (op == NORN_STEP_GATE || op == NORN_STEP_KEPT) place = e->places.gate[n->index];
        if (op == NORN_CELL_VECTOR) place = e->places.vector[n->index];
        if (op == NORN_STEP_BEFORE || op == NORN_STEP_AFTER) place = n->index - 1;
        PUT(e, format, place);
    }
}

static bool uses_op(const norn_cell_plan *plan, int op)
{
    const norn_step_graph *const graphs[] = {&plan->forward, &plan->backward};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < graphs[k]->count; i++)
            if (graphs[k]->nodes[i].uses && graphs[k]->nodes[i].op == op) return true;
    return false;
}

/* ---- the file --------------------------------------------------------------------------------------------
 */

static void helpers(emitter *e)
{
    static const struct {
        int op;
        const char *text;
    } all[] = {
        {NORN_CELL_RELU, "// NaN stays NaN\n"
                         "INLINE vf rectified(const vf x) { return CHOOSE(x <= 0.0f, 0.0f, x); }\n"},
        {NORN_CELL_EXP, "INLINE vf exponential(const vf x) { return exp2_scaled(x, LOG2_E, 126.0f); }\n"},
        {NORN_CELL_SOFTPLUS, "INLINE vf softplus(const vf x)\n"
                             "{\n"
                             "    return CHOOSE(x > 0.0f, x, 0.0f) + log(1.0f + exp_negative(fabs(x)));\n"
                             "}\n"},
        {NORN_CELL_SILU, "INLINE vf sigmoid_unit(const vf x) { return x * sigmoid(x); }\n"},
    };
    bool any = false;
    for (size_t i = 0; i < NORN_COUNT(all); i++)
        if (uses_op(e->plan, all[i].op)) {
            PUT(e, "%s", all[i].text);
            any = true;
        }
    if (any) PUT(e, "\n");
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
    statements(e, g, true);
    for (size_t k = 0; k < plan->gate_count; k++)
        result(e, "pre[%zu] = ", (size_t)e->places.gate[k], plan->keep[k]);
    for (size_t k = 1; k < plan->cell->state_count; k++) result(e, "carry[%zu] = ", k - 1, plan->after[k]);
    PUT(e, "    return ");
    as_vector(e, plan->after[0]);
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
    statements(e, g, false);
    for (size_t k = 0; k < plan->gate_count; k++)
        result(e, "kept[%zu] = ", (size_t)e->places.gate[k], plan->dgate[k]);
    result(e, "*dh = ", 0, plan->dstate[0]);
    for (size_t k = 1; k < plan->cell->state_count; k++) result(e, "dcarry[%zu] = ", k - 1, plan->dstate[k]);
    for (size_t k = 0; k < plan->cell->vector_count; k++)
        if (plan->dvector[k] >= 0)
            result(e, "dvectors[%zu] += ", (size_t)e->places.vector[k], plan->dvector[k]);
    PUT(e, "}\n");
}

norn_status norn_cell_emit(const norn_cell_plan *plan, norn_cell_text *text, norn_error *err)
{
    const norn_host *host = &plan->cell->host;
    const char *obstacle = norn_cell_obstacle(plan);
    if (obstacle)
        return norn_fail(err, NORN_ERR_USAGE, "cell %s cannot be made a kernel yet: %s", plan->cell->name,
                         obstacle);
    emitter *e = norn_new(host, 1, sizeof *e);
    if (!e) return norn_fail_memory(err, "the kernel of a cell");
    e->plan = plan;
    e->host = host;
    e->text = text;
    e->places = norn_cell_places_of(plan);
    PUT(e,
        "// A cell made from its formula: what the skeleton (sequence.cl) knows of it.\n"
        "#define CELL_GATES %zu    // sums of products a unit\n"
        "#define CELL_X_GATES %zu  // the first of them have a product of the input\n"
        "#define CELL_H_FIRST %zu  // from this one on they have a product of h\n"
        "#define CELL_CARRIES %zu  // states beside h\n"
        "#define CELL_VECTORS %zu  // parameters used unit by unit\n"
        "#define CELL_USES_H %d   // the way back uses h unit by unit\n\n",
        plan->gate_count, e->places.x_gates, e->places.h_first, plan->cell->state_count - 1,
        e->places.vectors, e->places.uses_h);
    helpers(e);
    forward(e);
    backward(e);
    norn_delete(host, e, 1, sizeof *e);
    return text->failed ? norn_fail_memory(err, "the kernel of a cell") : NORN_OK;
}
