/*
 * Gates, stages, and the two element-wise graphs of a step. The backward graph is made by reverse-mode
 * differentiation of the formula: adjoints are built as nodes, from the results to the leaves.
 */
#include "cell/plan.h"

#include "cell/ops.h"

#include <string.h>

typedef struct planner {
    norn_cell_plan *plan;
    const norn_cell *cell;
    int uses[NORN_CELL_NODES];
    int gate_of[NORN_CELL_NODES]; /* the gate whose root this node is, or -1 */
    bool inside[NORN_CELL_NODES]; /* part of an accumulator, and no value by itself */
    int operand_of[NORN_CELL_NODES];
    int value[NORN_CELL_NODES];   /* in the graph that is being built */
    int adjoint[NORN_CELL_NODES]; /* in the backward graph */
    bool full;                    /* more nodes than there is room for */
} planner;

/* ---- graphs ----------------------------------------------------------------------------------------------
 */

static bool is_constant(const norn_step_graph *g, int node, double value)
{
    return g->nodes[node].op == NORN_CELL_CONSTANT && g->nodes[node].value == value;
}

static int node(planner *p, norn_step_graph *g, int op, int a, int b, int c, int index, double value)
{
    /* What has a 0 or a 1 in it is simpler, or nothing. */
    if (op == NORN_CELL_MULTIPLY && is_constant(g, a, 1.0)) return b;
    if (op == NORN_CELL_MULTIPLY && is_constant(g, b, 1.0)) return a;
    if (op == NORN_CELL_DIVIDE && is_constant(g, b, 1.0)) return a;
    if (op == NORN_CELL_ADD && is_constant(g, a, 0.0)) return b;
    if ((op == NORN_CELL_ADD || op == NORN_CELL_SUBTRACT) && is_constant(g, b, 0.0)) return a;
    if (op == NORN_CELL_NEGATE && g->nodes[a].op == NORN_CELL_NEGATE) return g->nodes[a].a;
    for (size_t i = 0; i < g->count; i++) {
        const norn_step_node *n = &g->nodes[i];
        if (n->op == op && n->a == a && n->b == b && n->c == c && n->index == index &&
            memcmp(&n->value, &value, sizeof value) == 0)
            return (int)i;
    }
    if (g->count == NORN_STEP_NODES) {
        p->full = true;
        return 0;
    }
    g->nodes[g->count] = (norn_step_node){.op = op, .a = a, .b = b, .c = c, .index = index, .value = value};
    return (int)g->count++;
}

static int leaf(planner *p, norn_step_graph *g, int op, int index)
{
    return node(p, g, op, -1, -1, -1, index, 0.0);
}

static int constant(planner *p, norn_step_graph *g, double value)
{
    return node(p, g, NORN_CELL_CONSTANT, -1, -1, -1, -1, value);
}

static int two(planner *p, norn_step_graph *g, int op, int a, int b)
{
    return node(p, g, op, a, b, -1, -1, 0.0);
}

static int one(planner *p, norn_step_graph *g, int op, int a)
{
    return node(p, g, op, a, -1, -1, -1, 0.0);
}

/* Uses by what leads to a result; nodes with none are dead. */
static size_t count_uses(norn_step_graph *g, const int *const results[], const size_t counts[], size_t lists)
{
    size_t operations = 0;
    for (size_t i = 0; i < g->count; i++) g->nodes[i].uses = 0;
    for (size_t k = 0; k < lists; k++)
        for (size_t i = 0; i < counts[k]; i++)
            if (results[k][i] >= 0) g->nodes[results[k][i]].uses++;
    for (size_t i = g->count; i-- > 0;) {
        norn_step_node *n = &g->nodes[i];
        if (!n->uses) continue;
        if (n->a >= 0) g->nodes[n->a].uses++;
        if (n->b >= 0) g->nodes[n->b].uses++;
        if (n->c >= 0) g->nodes[n->c].uses++;
        operations += n->a >= 0;
    }
    return operations;
}

/* ---- gates -----------------------------------------------------------------------------------------------
 */

static bool is_sum(const planner *p, int i)
{
    return p->cell->nodes[i].op == NORN_CELL_ADD;
}

/* Visits the leaves of the sum at i in their order. A node used elsewhere too is a leaf. */
static void gather(planner *p, int root, int i, norn_cell_gate *gate)
{
    const norn_cell_node *n = &p->cell->nodes[i];
    if (is_sum(p, i) && (i == root || p->uses[i] == 1)) {
        gather(p, root, n->a, gate);
        gather(p, root, n->b, gate);
        if (i != root) p->inside[i] = true;
    } else if (n->op == NORN_CELL_PRODUCT && (i == root || p->uses[i] == 1)) {
        gate->matrices[gate->matrix_count++] = n->index;
        if (i != root) p->inside[i] = true;
    } else if (n->op == NORN_CELL_VECTOR && gate->bias < 0 && p->uses[i] == 1 &&
               p->cell->vectors[n->index].role == NORN_CELL_BIAS) {
        gate->bias = n->index;
        p->inside[i] = true;
    }
}

static bool leads_to_product(const planner *p, int root, int i)
{
    const norn_cell_node *n = &p->cell->nodes[i];
    if (n->op == NORN_CELL_PRODUCT) return i == root || p->uses[i] == 1;
    return is_sum(p, i) && (i == root || p->uses[i] == 1) &&
           (leads_to_product(p, root, n->a) || leads_to_product(p, root, n->b));
}

static void find_gates(planner *p)
{
    const norn_cell *cell = p->cell;
    norn_cell_plan *plan = p->plan;
    for (size_t i = 0; i < cell->node_count; i++) {
        const norn_cell_node *n = &cell->nodes[i];
        if (n->a >= 0) p->uses[n->a]++;
        if (n->b >= 0) p->uses[n->b]++;
        p->gate_of[i] = p->operand_of[i] = -1;
    }
    for (size_t i = 0; i < cell->state_count; i++) p->uses[cell->states[i].next]++;
    p->uses[cell->out]++;

    /* From the end, so that the largest sum comes first. */
    int roots[NORN_CELL_TERMS];
    size_t count = 0;
    for (int i = (int)cell->node_count; i-- > 0;) {
        if (p->inside[i] || !leads_to_product(p, i, i)) continue;
        norn_cell_gate gate = {.bias = -1};
        gather(p, i, i, &gate);
        roots[count++] = i;
    }
    /* In the order of the formula. */
    for (size_t k = 0; k < count; k++) {
        const int root = roots[count - 1 - k];
        norn_cell_gate *gate = &plan->gates[plan->gate_count];
        *gate =
            (norn_cell_gate){.bias = -1, .root = root, .kept = root, .stage = cell->nodes[root].level - 1};
        gather(p, root, root, gate);
        p->gate_of[root] = (int)plan->gate_count++;
        /* The stage is that of its last product, not of what else is added. */
        gate->stage = 0;
        for (size_t m = 0; m < gate->matrix_count; m++) {
            const int level = cell->nodes[cell->matrices[gate->matrices[m]].product].level;
            if (level - 1 > gate->stage) gate->stage = level - 1;
        }
        if ((size_t)gate->stage + 1 > plan->stage_count) plan->stage_count = (size_t)gate->stage + 1;
    }
    for (size_t k = 0; k < plan->gate_count; k++) {
        norn_cell_gate *gate = &plan->gates[k];
        if (p->uses[gate->root] != 1) continue;
        for (size_t i = (size_t)gate->root + 1; i < cell->node_count; i++) {
            const norn_cell_op op = cell->nodes[i].op;
            if (cell->nodes[i].a == gate->root && (op == NORN_CELL_SIGMOID || op == NORN_CELL_TANH ||
                                                   op == NORN_CELL_RELU || op == NORN_CELL_EXP))
                gate->kept = (int)i;
        }
    }
    for (size_t m = 0; m < cell->matrix_count; m++) {
        const int a = cell->nodes[cell->matrices[m].product].a;
        const norn_cell_op op = cell->nodes[a].op;
        if (op == NORN_CELL_STATE || op == NORN_CELL_INPUT || p->operand_of[a] >= 0) continue;
        p->operand_of[a] = (int)plan->operand_count;
        plan->operands[plan->operand_count++] = a;
    }
}

/* Adds what the accumulator does not have: leaves of the sum at i that are values by themselves. */
static int rest(planner *p, norn_step_graph *g, int root, int i, int sum)
{
    const norn_cell_node *n = &p->cell->nodes[i];
    if (is_sum(p, i) && (i == root || p->inside[i])) {
        sum = rest(p, g, root, n->a, sum);
        return rest(p, g, root, n->b, sum);
    }
    if (p->inside[i] || i == root) return sum;
    return two(p, g, NORN_CELL_ADD, sum, p->value[i]);
}

/* ---- forward ---------------------------------------------------------------------------------------------
 */

static int leaf_of(planner *p, norn_step_graph *g, const norn_cell_node *n)
{
    switch (n->op) {
    case NORN_CELL_CONSTANT:
        return constant(p, g, n->value);
    case NORN_CELL_INPUT:
        return leaf(p, g, NORN_STEP_X, -1);
    case NORN_CELL_STATE:
        return leaf(p, g, NORN_STEP_BEFORE, n->index);
    default:
        return leaf(p, g, NORN_CELL_VECTOR, n->index);
    }
}

static void build_forward(planner *p)
{
    norn_cell_plan *plan = p->plan;
    norn_step_graph *g = &plan->forward;
    for (size_t i = 0; i < p->cell->node_count; i++) {
        const norn_cell_node *n = &p->cell->nodes[i];
        p->value[i] = -1;
        if (p->inside[i]) continue;
        if (p->gate_of[i] >= 0)
            p->value[i] = rest(p, g, (int)i, (int)i, leaf(p, g, NORN_STEP_GATE, p->gate_of[i]));
        else if (norn_cell_operands(n->op) == 0)
            p->value[i] = leaf_of(p, g, n);
        else if (n->op == NORN_CELL_STOP)
            p->value[i] = p->value[n->a];
        else
            p->value[i] = norn_cell_operands(n->op) == 1
                              ? one(p, g, (int)n->op, p->value[n->a])
                              : two(p, g, (int)n->op, p->value[n->a], p->value[n->b]);
    }
    for (size_t k = 0; k < plan->gate_count; k++) plan->keep[k] = p->value[plan->gates[k].kept];
    for (size_t k = 0; k < p->cell->state_count; k++) plan->after[k] = p->value[p->cell->states[k].next];
    for (size_t k = 0; k < plan->operand_count; k++) plan->operand[k] = p->value[plan->operands[k]];
    plan->out = p->value[p->cell->out];
}

/* ---- backward --------------------------------------------------------------------------------------------
 */

/* The values that slopes need, from what is there after the step. A value that cannot be had, and is not
 * needed, is -1. */
static void build_values(planner *p)
{
    norn_cell_plan *plan = p->plan;
    norn_step_graph *g = &plan->backward;
    int kept_of[NORN_CELL_NODES], state_of[NORN_CELL_NODES];
    for (size_t i = 0; i < p->cell->node_count; i++) kept_of[i] = state_of[i] = -1;
    for (size_t k = 0; k < plan->gate_count; k++) kept_of[plan->gates[k].kept] = (int)k;
    for (size_t k = p->cell->state_count; k-- > 0;) state_of[p->cell->states[k].next] = (int)k;
    for (size_t i = 0; i < p->cell->node_count; i++) {
        const norn_cell_node *n = &p->cell->nodes[i];
        const int a = n->a < 0 ? -1 : p->value[n->a], b = n->b < 0 ? -1 : p->value[n->b];
        p->value[i] = -1;
        if (kept_of[i] >= 0)
            p->value[i] = leaf(p, g, NORN_STEP_KEPT, kept_of[i]);
        else if (norn_cell_operands(n->op) == 0)
            p->value[i] = leaf_of(p, g, n);
        else if (state_of[i] >= 0)
            p->value[i] = leaf(p, g, NORN_STEP_AFTER, state_of[i]);
        else if (p->operand_of[i] >= 0)
            p->value[i] = leaf(p, g, NORN_STEP_OPERAND, p->operand_of[i]);
        else if (p->inside[i] || p->gate_of[i] >= 0 || a < 0)
            continue;
        else if (n->op == NORN_CELL_STOP)
            p->value[i] = a;
        else if (norn_cell_operands(n->op) == 1)
            p->value[i] = one(p, g, (int)n->op, a);
        else if (b >= 0)
            p->value[i] = two(p, g, (int)n->op, a, b);
    }
}

static void contribute(planner *p, int to, int gradient)
{
    norn_step_graph *g = &p->plan->backward;
    if (p->cell->nodes[to].op == NORN_CELL_CONSTANT) return;
    p->adjoint[to] = p->adjoint[to] < 0 ? gradient : two(p, g, NORN_CELL_ADD, p->adjoint[to], gradient);
}

/* The summands of a gate that are values by themselves have the gate's gradient. */
static void pass_to_rest(planner *p, int root, int i, int gradient)
{
    const norn_cell_node *n = &p->cell->nodes[i];
    if (is_sum(p, i) && (i == root || p->inside[i])) {
        pass_to_rest(p, root, n->a, gradient);
        pass_to_rest(p, root, n->b, gradient);
    } else if (!p->inside[i] && i != root) {
        contribute(p, i, gradient);
    }
}

/* The rule of each operation: from the gradient d of y = op(a, b) to those of a and b. */
static void differentiate(planner *p, int i, int d)
{
    norn_step_graph *g = &p->plan->backward;
    const norn_cell_node *n = &p->cell->nodes[i];
    const int a = n->a < 0 ? -1 : p->value[n->a], b = n->b < 0 ? -1 : p->value[n->b], y = p->value[i];
    const int nil = constant(p, g, 0.0), unit = constant(p, g, 1.0);
#define MUL(u, v)       two(p, g, NORN_CELL_MULTIPLY, u, v)
#define SUB(u, v)       two(p, g, NORN_CELL_SUBTRACT, u, v)
#define WHERE(op, u, v) node(p, g, op, u, v, d, -1, 0.0)
    switch (n->op) {
    case NORN_CELL_NEGATE:
        contribute(p, n->a, one(p, g, NORN_CELL_NEGATE, d));
        break;
    case NORN_CELL_SIGMOID:
        contribute(p, n->a, MUL(MUL(d, y), SUB(unit, y)));
        break;
    case NORN_CELL_TANH:
        contribute(p, n->a, MUL(d, SUB(unit, MUL(y, y))));
        break;
    case NORN_CELL_RELU: /* y > 0 where a > 0 */
        contribute(p, n->a, WHERE(NORN_STEP_WHERE_GREATER, y, nil));
        break;
    case NORN_CELL_EXP:
        contribute(p, n->a, MUL(d, y));
        break;
    case NORN_CELL_LOG:
        contribute(p, n->a, two(p, g, NORN_CELL_DIVIDE, d, a));
        break;
    case NORN_CELL_SOFTPLUS:
        contribute(p, n->a, MUL(d, one(p, g, NORN_CELL_SIGMOID, a)));
        break;
    case NORN_CELL_SILU: { /* s + a s (1 - s) */
        const int s = one(p, g, NORN_CELL_SIGMOID, a);
        contribute(p, n->a, MUL(MUL(d, s), two(p, g, NORN_CELL_ADD, unit, MUL(a, SUB(unit, s)))));
        break;
    }
    case NORN_CELL_ABS:
        contribute(p, n->a,
                   SUB(WHERE(NORN_STEP_WHERE_GREATER, a, nil), WHERE(NORN_STEP_WHERE_GREATER, nil, a)));
        break;
    case NORN_CELL_ADD:
        contribute(p, n->a, d);
        contribute(p, n->b, d);
        break;
    case NORN_CELL_SUBTRACT:
        contribute(p, n->a, d);
        contribute(p, n->b, one(p, g, NORN_CELL_NEGATE, d));
        break;
    case NORN_CELL_MULTIPLY:
        contribute(p, n->a, MUL(d, b));
        contribute(p, n->b, MUL(d, a));
        break;
    case NORN_CELL_DIVIDE: {
        const int da = two(p, g, NORN_CELL_DIVIDE, d, b);
        contribute(p, n->a, da);
        contribute(p, n->b, one(p, g, NORN_CELL_NEGATE, MUL(da, y)));
        break;
    }
    case NORN_CELL_MAX:
        contribute(p, n->a, WHERE(NORN_STEP_WHERE_NOT_LESS, a, b));
        contribute(p, n->b, WHERE(NORN_STEP_WHERE_GREATER, b, a));
        break;
    case NORN_CELL_MIN:
        contribute(p, n->a, WHERE(NORN_STEP_WHERE_NOT_LESS, b, a));
        contribute(p, n->b, WHERE(NORN_STEP_WHERE_GREATER, a, b));
        break;
    default: /* STOP, and leaves */
        break;
    }
#undef MUL
#undef SUB
#undef WHERE
}

static bool is_state(const norn_cell *cell, int node)
{
    for (size_t k = 0; k < cell->state_count; k++)
        if (cell->states[k].next == node) return true;
    return false;
}

static void build_backward(planner *p)
{
    norn_cell_plan *plan = p->plan;
    const norn_cell *cell = p->cell;
    norn_step_graph *g = &plan->backward;
    build_values(p);
    for (size_t i = 0; i < cell->node_count; i++) p->adjoint[i] = -1;
    for (size_t k = 0; k < cell->vector_count; k++) plan->dvector[k] = -1;
    for (size_t k = 0; k < cell->state_count; k++) plan->dstate[k] = -1;
    plan->dx = -1;
    for (size_t k = 0; k < cell->state_count; k++)
        contribute(p, cell->states[k].next, leaf(p, g, NORN_STEP_SEED, (int)k));
    if (!is_state(cell, cell->out))
        contribute(p, cell->out, leaf(p, g, NORN_STEP_SEED, (int)cell->state_count));
    for (int i = (int)cell->node_count; i-- > 0;) {
        const norn_cell_node *n = &cell->nodes[i];
        if (p->inside[i]) continue;
        if (p->operand_of[i] >= 0) contribute(p, i, leaf(p, g, NORN_STEP_BACK, p->operand_of[i]));
        const int d = p->adjoint[i], gate = p->gate_of[i];
        if (p->operand_of[i] >= 0) plan->doperand[p->operand_of[i]] = d;
        if (gate >= 0) plan->dgate[gate] = d;
        if (d < 0) continue;
        if (gate >= 0)
            pass_to_rest(p, i, i, d);
        else if (n->op == NORN_CELL_STATE)
            plan->dstate[n->index] = d;
        else if (n->op == NORN_CELL_VECTOR)
            plan->dvector[n->index] = d;
        else if (n->op == NORN_CELL_INPUT)
            plan->dx = d;
        else
            differentiate(p, i, d);
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

norn_status norn_cell_plan_new(norn_cell_plan **out, const norn_cell *cell, norn_error *err)
{
    const norn_host *host = &cell->host;
    norn_status status = NORN_OK;
    norn_cell_plan *plan = norn_new(host, 1, sizeof *plan);
    planner *p = norn_new(host, 1, sizeof *p);
    if (plan) {
        plan->cell = cell;
        plan->forward.nodes = norn_new(host, NORN_STEP_NODES, sizeof *plan->forward.nodes);
        plan->backward.nodes = norn_new(host, NORN_STEP_NODES, sizeof *plan->backward.nodes);
    }
    if (!plan || !p || !plan->forward.nodes || !plan->backward.nodes) {
        status = norn_fail_memory(err, "the plan of a cell");
        goto done;
    }
    p->plan = plan;
    p->cell = cell;
    find_gates(p);
    build_forward(p);
    build_backward(p);
    if (p->full) {
        status = norn_fail(err, NORN_ERR_DATA, "cell %s: its gradient has more than %d operations",
                           cell->name, NORN_STEP_NODES);
        goto done;
    }
    const int *const forward[] = {plan->keep, plan->after, plan->operand, &plan->out};
    const size_t forward_counts[] = {plan->gate_count, cell->state_count, plan->operand_count, 1};
    plan->forward_operations = count_uses(&plan->forward, forward, forward_counts, 4);
    const int *const backward[] = {plan->dgate, plan->dstate, plan->dvector, &plan->dx};
    const size_t backward_counts[] = {plan->gate_count, cell->state_count, cell->vector_count, 1};
    plan->backward_operations = count_uses(&plan->backward, backward, backward_counts, 4);
    plan->kept_numbers = plan->gate_count + cell->state_count + plan->operand_count;
    *out = plan;
    plan = NULL;
done:
    norn_delete(host, p, 1, sizeof *p);
    norn_cell_plan_free(plan);
    return status;
}

void norn_cell_plan_free(norn_cell_plan *plan)
{
    if (!plan) return;
    const norn_host *host = &plan->cell->host;
    norn_delete(host, plan->forward.nodes, NORN_STEP_NODES, sizeof *plan->forward.nodes);
    norn_delete(host, plan->backward.nodes, NORN_STEP_NODES, sizeof *plan->backward.nodes);
    norn_delete(host, plan, 1, sizeof *plan);
}
