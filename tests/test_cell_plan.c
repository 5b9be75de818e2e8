/*
 * The plan of a cell, run as a kernel would run it, but here and in double precision: gates stage by stage,
 * the element-wise graphs in between, only what is kept for the way back. Values and gradients must be the
 * interpreter's, which differentiates in another way.
 */
#include "counting_host.h"

#include "cell/ops.h"
#include "cell/stages.h"
#include "cell_random.h"

enum { T = 3, B = 2, UNITS = 8 };

static norn_cell *read_text(const char *text)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_read(&cell, text, strlen(text), "text", NULL, &err), &err);
    return cell;
}

/* What a graph's leaves are. Vectors of UNITS numbers, those beyond a size are never looked at. */
typedef struct leaves {
    double gate[NORN_CELL_TERMS][UNITS], kept[NORN_CELL_TERMS][UNITS];
    double before[NORN_CELL_STATES][UNITS], after[NORN_CELL_STATES][UNITS], seed[NORN_CELL_STATES + 1][UNITS];
    double back[NORN_CELL_TERMS][UNITS], operand[NORN_CELL_TERMS][UNITS];
    double vector[NORN_CELL_VECTORS][UNITS], x[UNITS];
} leaves;

static double (*evaluate(const norn_step_graph *g, const leaves *in))[UNITS]
{
    double(*values)[UNITS] = calloc(g->count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < g->count; i++) {
        const norn_step_node *n = &g->nodes[i];
        for (size_t u = 0; u < UNITS; u++) {
            const double a = n->a < 0 ? 0.0 : values[n->a][u], b = n->b < 0 ? 0.0 : values[n->b][u];
            const double c = n->c < 0 ? 0.0 : values[n->c][u];
            double *to = &values[i][u];
            switch (n->op) {
            case NORN_CELL_CONSTANT:
                *to = n->value;
                break;
            case NORN_CELL_VECTOR:
                *to = in->vector[n->index][u];
                break;
            case NORN_STEP_GATE:
                *to = in->gate[n->index][u];
                break;
            case NORN_STEP_KEPT:
                *to = in->kept[n->index][u];
                break;
            case NORN_STEP_BEFORE:
                *to = in->before[n->index][u];
                break;
            case NORN_STEP_AFTER:
                *to = in->after[n->index][u];
                break;
            case NORN_STEP_SEED:
                *to = in->seed[n->index][u];
                break;
            case NORN_STEP_BACK:
                *to = in->back[n->index][u];
                break;
            case NORN_STEP_OPERAND:
                *to = in->operand[n->index][u];
                break;
            case NORN_STEP_X:
                *to = in->x[u];
                break;
            case NORN_STEP_WHERE_GREATER:
                *to = a > b ? c : 0.0;
                break;
            case NORN_STEP_WHERE_NOT_LESS:
                *to = a >= b ? c : 0.0;
                break;
            default:
                *to = norn_cell_apply((norn_cell_op)n->op, a, b);
            }
        }
    }
    return values;
}

typedef struct layer {
    norn_cell_shape shape;
    const norn_cell_plan *plan;
    double *parameters, *dparameters;
} layer;

/* Dense, whatever the heads: row r, column c of the matrix, or 0. */
static size_t place_of(const norn_cell_tensor *w, size_t r, size_t c, bool *there)
{
    const size_t rows = w->rows / w->heads, columns = w->columns / w->heads;
    *there = r / rows == c / columns;
    return w->offset + (r * columns + c % columns);
}

/* y += W v, or v += W^T y with the gradient of W += y v'. Absent projections pass on. */
static void product(const layer *l, int matrix, double *y, double *v, bool backward, const double *operand)
{
    const norn_cell_tensor *w = &l->shape.matrix[matrix];
    for (size_t r = 0; r < w->rows; r++)
        for (size_t c = 0; c < w->columns; c++) {
            bool there = r == c;
            const size_t place = w->count ? place_of(w, r, c, &there) : 0;
            if (!there) continue;
            const double weight = w->count ? l->parameters[place] : 1.0;
            if (backward) {
                v[c] += weight * y[r];
                if (w->count) l->dparameters[place] += y[r] * operand[c];
            } else {
                y[r] += weight * v[c];
            }
        }
}

typedef struct moment { /* what stays of a step for the way back */
    leaves in;
} moment;

/* The operand of a product, and where its gradient goes. */
static double *operand_of(const layer *l, leaves *in, int matrix, leaves *gradients, double **gradient)
{
    const norn_cell *cell = l->plan->cell;
    const int node = cell->nodes[cell->matrices[matrix].product].a;
    const norn_cell_node *n = &cell->nodes[node];
    if (n->op == NORN_CELL_INPUT) {
        *gradient = gradients->x;
        return in->x;
    }
    if (n->op == NORN_CELL_STATE) {
        *gradient = gradients->before[n->index];
        return in->before[n->index];
    }
    for (size_t k = 0; k < l->plan->operand_count; k++)
        if (l->plan->operands[k] == node) {
            *gradient = gradients->back[k];
            return in->operand[k];
        }
    *gradient = NULL;
    fail_msg("a product of nothing");
    return NULL;
}

static void take(double (*to)[UNITS], double (*values)[UNITS], const int *places, size_t count)
{
    for (size_t k = 0; k < count; k++)
        for (size_t u = 0; u < UNITS; u++) to[k][u] = places[k] < 0 ? 0.0 : values[places[k]][u];
}

static void step_forward(const layer *l, leaves *in, double *out)
{
    const norn_cell_plan *plan = l->plan;
    leaves unused;
    double *nowhere;
    for (size_t s = 0; s <= plan->stage_count; s++) {
        double(*values)[UNITS] = evaluate(&plan->forward, in);
        take(in->operand, values, plan->operand, plan->operand_count);
        if (s == plan->stage_count) {
            take(in->kept, values, plan->keep, plan->gate_count);
            take(in->after, values, plan->after, plan->cell->state_count);
            for (size_t u = 0; u < UNITS; u++) out[u] = values[plan->out][u];
        }
        free(values);
        for (size_t k = 0; k < plan->gate_count; k++) {
            const norn_cell_gate *gate = &plan->gates[k];
            if (gate->stage != (int)s) continue;
            for (size_t u = 0; u < UNITS; u++)
                in->gate[k][u] = gate->bias < 0 ? 0.0 : in->vector[gate->bias][u];
            for (size_t m = 0; m < gate->matrix_count; m++)
                product(l, gate->matrices[m], in->gate[k],
                        operand_of(l, in, gate->matrices[m], &unused, &nowhere), false, NULL);
        }
    }
}

/* in: after, kept, operands, seeds. Gradients of the states before come back in g->before, of x in g->x. */
static void step_backward(const layer *l, leaves *in, leaves *g)
{
    const norn_cell_plan *plan = l->plan;
    const norn_cell *cell = plan->cell;
    memset(g, 0, sizeof *g);
    memset(in->back, 0, sizeof in->back);
    memset(in->gate, 0xff, sizeof in->gate); /* NaN: the sums of gates are gone */
    for (size_t s = plan->stage_count; s-- > 0;) {
        double(*values)[UNITS] = evaluate(&plan->backward, in);
        for (size_t k = 0; k < plan->gate_count; k++) {
            const norn_cell_gate *gate = &plan->gates[k];
            if (gate->stage != (int)s || plan->dgate[k] < 0) continue;
            double *d = values[plan->dgate[k]];
            for (size_t m = 0; m < gate->matrix_count; m++) {
                double *to, *operand = operand_of(l, in, gate->matrices[m], g, &to);
                product(l, gate->matrices[m], d, to, true, operand);
            }
            if (gate->bias >= 0)
                for (size_t u = 0; u < l->shape.vector[gate->bias].count; u++)
                    l->dparameters[l->shape.vector[gate->bias].offset + u] += d[u];
        }
        memcpy(in->back, g->back, sizeof in->back);
        free(values);
    }
    double(*values)[UNITS] = evaluate(&plan->backward, in);
    for (size_t k = 0; k < cell->state_count; k++)
        for (size_t u = 0; u < UNITS && plan->dstate[k] >= 0; u++)
            g->before[k][u] += values[plan->dstate[k]][u];
    for (size_t u = 0; u < UNITS && plan->dx >= 0; u++) g->x[u] += values[plan->dx][u];
    for (size_t k = 0; k < cell->vector_count; k++)
        for (size_t u = 0; u < l->shape.vector[k].count && plan->dvector[k] >= 0; u++)
            l->dparameters[l->shape.vector[k].offset + u] += values[plan->dvector[k]][u];
    free(values);
}

/* The worst error over outputs and gradients. */
static double plan_error(const norn_cell *cell, size_t inputs, size_t hidden, size_t heads, uint64_t seed)
{
    static const double huge = 1e300;
    norn_error err = NORN_ERROR_INIT;
    norn_cell_plan *plan = NULL;
    layer l = {.plan = NULL};
    assert_ok(norn_cell_bind(&l.shape, cell, inputs, hidden, heads, &err), &err);
    assert_ok(norn_cell_plan_new(&plan, cell, &err), &err);
    l.plan = plan;
    const norn_cell_shape *s = &l.shape;
    const size_t p = s->parameters + 1, n = s->states, o = s->outputs;
    double *numbers = calloc(3 * p + 2 * T * B * inputs + 3 * B * n + 2 * T * B * o, sizeof *numbers);
    assert_non_null(numbers);
    double *at = numbers, *dreference, *x, *dx, *initial, *dlast, *dinitial, *out, *dout;
#define PART(name, count) name = at, at += (count)
    PART(l.parameters, p);
    PART(x, T * B * inputs);
    PART(dlast, B * n);
    PART(dout, T * B * o);
    for (double *k = numbers; k < at; k++) *k = 2.0 * cell_random(&seed) - 1.0;
    PART(initial, B * n);
    for (size_t k = 0; k < B * n; k++) initial[k] = 0.25 + 0.75 * cell_random(&seed);
    PART(l.dparameters, p);
    PART(dreference, p);
    PART(dx, T * B * inputs);
    PART(dinitial, B * n);
    PART(out, T * B * o);
#undef PART
    norn_cell_layer reference = {.shape = s,
                                 .steps = T,
                                 .rows = B,
                                 .x = x,
                                 .parameters = l.parameters,
                                 .initial = initial,
                                 .out = out,
                                 .dout = dout,
                                 .dlast = dlast,
                                 .dparameters = dreference,
                                 .dx = dx,
                                 .dinitial = dinitial};
    assert_ok(norn_cell_run(&reference, &err), &err);

    double worst = 0.0;
#define COMPARE(got, want)                                                                                   \
    do {                                                                                                     \
        const double off = fabs((got) - (want)) / fmax(1.0, fabs(want));                                     \
        if (!(off <= worst)) worst = off == off ? off : huge;                                                \
    } while (0)
    for (size_t b = 0; b < B; b++) {
        static leaves steps[T];
        leaves g;
        memset(steps, 0, sizeof steps);
        for (size_t t = 0; t < T; t++) {
            leaves *in = &steps[t];
            double result[UNITS];
            for (size_t k = 0; k < cell->vector_count; k++)
                for (size_t u = 0; u < s->vector[k].count; u++)
                    in->vector[k][u] = l.parameters[s->vector[k].offset + u];
            for (size_t u = 0; u < inputs; u++) in->x[u] = x[(t * B + b) * inputs + u];
            for (size_t k = 0; k < cell->state_count; k++)
                for (size_t u = 0; u < s->size[cell->states[k].size]; u++)
                    in->before[k][u] = t ? steps[t - 1].after[k][u] : initial[b * n + s->state_at[k] + u];
            step_forward(&l, in, result);
            for (size_t u = 0; u < o; u++) COMPARE(result[u], out[(t * B + b) * o + u]);
        }
        for (size_t k = 0; k < cell->state_count; k++)
            for (size_t u = 0; u < s->size[cell->states[k].size]; u++)
                steps[T - 1].seed[k][u] = dlast[b * n + s->state_at[k] + u];
        for (size_t t = T; t-- > 0;) {
            size_t k = 0; /* behind the states: an output that is none */
            while (k < cell->state_count && cell->states[k].next != cell->out) k++;
            for (size_t u = 0; u < o; u++) steps[t].seed[k][u] += dout[(t * B + b) * o + u];
            step_backward(&l, &steps[t], &g);
            for (size_t u = 0; u < inputs; u++) COMPARE(g.x[u], dx[(t * B + b) * inputs + u]);
            for (k = 0; k < cell->state_count; k++)
                for (size_t u = 0; u < s->size[cell->states[k].size]; u++) {
                    if (t) steps[t - 1].seed[k][u] = g.before[k][u];
                    if (!t) COMPARE(g.before[k][u], dinitial[b * n + s->state_at[k] + u]);
                }
        }
    }
    for (size_t k = 0; k < s->parameters; k++) COMPARE(l.dparameters[k], dreference[k]);
#undef COMPARE
    free(numbers);
    norn_cell_plan_free(plan);
    return worst;
}

static void every_cell_planned_is_the_cell_interpreted(void **state)
{
    (void)state;
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        norn_cell *cell = read_text(norn_cell_builtin_text(norn_cell_builtin_name(i)));
        const size_t shapes[][3] = {{3, 4, 0}, {4, 4, 2}, {1, 1, 0}, {2, 8, 4}};
        for (size_t k = 0; k < NORN_COUNT(shapes); k++) {
            const double error = plan_error(cell, shapes[k][0], shapes[k][1], shapes[k][2], k);
            if (!(error < 1e-12)) fail_msg("%s: off by %g", norn_cell_builtin_name(i), error);
        }
        norn_cell_free(cell);
    }
}

static void random_formulas_planned_are_the_formulas_interpreted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        char text[4096];
        random_cell(text, sizeof text, seed, 0);
        norn_cell *cell = read_text(text);
        const double error = plan_error(cell, 2, 3, 0, seed);
        if (!(error < 1e-11)) fail_msg("seed %d: off by %g\n%s", (int)seed, error, text);
        norn_cell_free(cell);
    }
}

static void gates_take_what_is_only_added_up_and_are_kept_activated_where_they_may(void **state)
{
    (void)state;
    static const struct {
        const char *cell;
        size_t gates, stages, operands, kept; /* kept: numbers a unit, row and step */
    } cases[] = {
        {"lstm", 4, 1, 0, 6},  {"gru", 4, 1, 0, 5}, {"gru_reset_before", 3, 2, 1, 5}, {"elman", 1, 1, 0, 2},
        {"slstm", 4, 1, 0, 8}, {"mgu", 2, 2, 1, 4}, {"lstm_projection", 5, 2, 1, 8},  {"nas", 9, 1, 0, 11},
        {"mut1", 4, 2, 1, 6}, /* the projection of x is a gate */
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_cell *cell = read_text(norn_cell_builtin_text(cases[i].cell));
        norn_cell_plan *plan = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_cell_plan_new(&plan, cell, &err), &err);
        if (plan->gate_count != cases[i].gates || plan->stage_count != cases[i].stages ||
            plan->operand_count != cases[i].operands || plan->kept_numbers != cases[i].kept)
            fail_msg("%s: %zu gates, %zu stages, %zu operands, %zu kept", cases[i].cell, plan->gate_count,
                     plan->stage_count, plan->operand_count, plan->kept_numbers);
        norn_cell_plan_free(plan);
        norn_cell_free(cell);
    }
    /* A gate used twice is kept as it is. */
    norn_cell *cell = read_text("state h\nmatrix W, U\na = W*x + U*h\nh' = sigmoid(a)*tanh(a)");
    norn_cell_plan *plan = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_plan_new(&plan, cell, &err), &err);
    assert_int_equal(plan->gate_count, 1);
    assert_int_equal(plan->gates[0].kept, plan->gates[0].root);
    norn_cell_plan_free(plan);
    norn_cell_free(cell);
}

/* Both kinds of kernel of a formula, one after the other; freed by the caller. */
static char *kernels_of(const char *formula)
{
    norn_cell *cell = read_text(formula);
    norn_cell_plan *plan = NULL;
    norn_cell_stages *stages = NULL;
    norn_cell_shape shape;
    norn_cell_text text = {0};
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_cell_bind(&shape, cell, 2, 6, 0, &err), &err);
    assert_ok(norn_cell_plan_new(&plan, cell, &err), &err);
    assert_ok(norn_cell_stages_new(&stages, plan, &err), &err);
    if (!norn_cell_obstacle(plan)) assert_ok(norn_cell_emit(plan, &text, &err), &err);
    assert_ok(norn_cell_emit_stages(stages, &shape, &text, &err), &err);
    char *kernels = malloc(text.length + 1);
    assert_non_null(kernels);
    memcpy(kernels, text.bytes, text.length + 1);
    norn_cell_text_free(&cell->host, &text);
    norn_cell_stages_free(stages);
    norn_cell_plan_free(plan);
    norn_cell_free(cell);
    return kernels;
}

/* Names that OpenCL C or the kernel files have, and comments and blanks that would end one or begin another:
 * the kernels are to the byte those of a formula with plain names. */
static void nothing_of_a_formula_s_text_reaches_its_kernels(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"state h, c\nmatrix W, U, V\nbias b\ndiagonal p\na = sigmoid(W*x + U*h + b)\n"
         "c' = a*c + tanh(V*h + p*c)\nh' = a*c'\n",
         "cell __kernel # */ #define vf int\nstate barrier, VLOAD # \\\nmatrix fma, return, HP\n"
         "bias restrict #/*\ndiagonal asm\nvf = sigmoid(fma*x + return*barrier + restrict)\n"
         "VLOAD' = vf*VLOAD + tanh(HP*barrier + asm*VLOAD) # \"\n\nbarrier' = vf*VLOAD' # ?\n"},
        {"size P = H/2\nstate h, w[P]\nmatrix W, U, V\nr = sigmoid(W*x + U*w)\nw' = V*(r*h)\nh' = r + h\n",
         "cell main\nsize get_group_id = H/2\nstate kept, sum[get_group_id]\nmatrix v0, a0, __global\n"
         "k0 = sigmoid(v0*x + a0*sum)\nsum' = __global*(k0*kept)\nkept' = k0 + kept\n"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char *plain = kernels_of(cases[i][0]), *hostile = kernels_of(cases[i][1]);
        assert_true(strlen(plain) > 1000);
        assert_string_equal(hostile, plain);
        free(plain);
        free(hostile);
    }
}

static void memory_that_runs_out_anywhere_is_reported_and_given_back(void **state)
{
    (void)state;
    for (size_t at = 0;; at++) {
        counting_host counter = {.fail_at = at};
        const norn_host host = counting_host_of(&counter);
        norn_cell *cell = NULL;
        norn_cell_plan *plan = NULL;
        norn_cell_shape shape;
        norn_cell_text text = {0};
        norn_error err = NORN_ERROR_INIT;
        const char *formula = norn_cell_builtin_text("mut3");
        norn_status status = norn_cell_read(&cell, formula, strlen(formula), "mut3", &host, &err);
        if (status == NORN_OK) status = norn_cell_bind(&shape, cell, 1, 4, 0, &err);
        if (status == NORN_OK) status = norn_cell_plan_new(&plan, cell, &err);
        if (status == NORN_OK) status = norn_cell_emit_either(plan, &shape, &text, &err);
        if (status == NORN_OK) status = norn_cell_describe(plan, &shape, &text, &err);
        assert_int_equal(status, at && at <= counter.asked ? NORN_ERR_MEMORY : NORN_OK);
        norn_cell_text_free(&host, &text);
        norn_cell_plan_free(plan);
        norn_cell_free(cell);
        assert_all_returned(&counter);
        if (at && status == NORN_OK) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_planned_is_the_cell_interpreted),
        cmocka_unit_test(random_formulas_planned_are_the_formulas_interpreted),
        cmocka_unit_test(gates_take_what_is_only_added_up_and_are_kept_activated_where_they_may),
        cmocka_unit_test(nothing_of_a_formula_s_text_reaches_its_kernels),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_reported_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
