/*
 * Element-wise graphs as OpenCL C: expressions, statements, and the functions they call.
 *
 * A value that is used once stands where it is used, any other gets a name. Sigmoids and tanhs of one step
 * that do not wait for each other share their divisions, four or two at a time: a division costs more than
 * the three products that save it.
 */
#include "cell/emitter.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { DEEPEST = 12 }; /* operations within each other before one gets a name, for readers and compilers */

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

static void put_plane(emitter *e, int state, const char *first, char letter)
{
    const int plane = e->plane_of[state];
    if (plane)
        PUT(e, "%c%d", letter, plane);
    else
        PUT(e, "%s", first);
}

/* Every leaf was given a name where the function begins. */
bool norn_emit_leaf(emitter *e, const norn_step_node *n)
{
    switch (n->op) {
    case NORN_STEP_GATE:
        PUT(e, "a%d", e->gate_at[n->index]);
        return true;
    case NORN_STEP_KEPT:
        PUT(e, "k%d", e->gate_at[n->index]);
        return true;
    case NORN_STEP_BEFORE:
        put_plane(e, n->index, "h", 's');
        return true;
    case NORN_STEP_AFTER:
        put_plane(e, n->index, "h_after", 'n');
        return true;
    case NORN_STEP_SEED:
        PUT(e, "d%d", e->plane_of[n->index]);
        return true;
    case NORN_STEP_BACK:
    case NORN_STEP_ADJOINT:
        PUT(e, "b%d", n->index);
        return true;
    case NORN_STEP_OPERAND:
        PUT(e, "o%d", n->index);
        return true;
    case NORN_STEP_GRADIENT:
        PUT(e, "g%d", e->gate_at[n->index]);
        return true;
    case NORN_CELL_VECTOR:
        PUT(e, "p%d", e->vector_at[n->index]);
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
void norn_emit_vector(emitter *e, int node)
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
    norn_emit_vector(e, e->graph->nodes[product].a);
    PUT(e, ", ");
    norn_emit_vector(e, e->graph->nodes[product].b);
    PUT(e, ", ");
    norn_emit_vector(e, summand);
    PUT(e, ")");
}

static void where(emitter *e, int a, const char *sign, int b, int yes, int no)
{
    PUT(e, "CHOOSE(");
    norn_emit_vector(e, a);
    PUT(e, " %s ", sign);
    norn_emit_vector(e, b);
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
    else if (!norn_emit_leaf(e, &e->graph->nodes[node]))
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
void norn_emit_statements(emitter *e, const norn_step_graph *graph, bool share)
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

/* ---- functions -------------------------------------------------------------------------------------------
 */

static bool uses_op(const norn_cell_plan *plan, int op)
{
    const norn_step_graph *const graphs[] = {&plan->forward, &plan->backward};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < graphs[k]->count; i++)
            if (graphs[k]->nodes[i].uses && graphs[k]->nodes[i].op == op) return true;
    return false;
}

void norn_emit_helpers(emitter *e)
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
