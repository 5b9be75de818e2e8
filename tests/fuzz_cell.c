/*
 * libFuzzer target: any bytes as the formula of a cell. Whatever comes in, a graph with all its promises
 * (operands before their users, sizes known, every state goes on) that binds and runs, or an error of one
 * line with its place.
 */
#include "cell/stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void check_graph(const norn_cell *cell)
{
    const int count = (int)cell->node_count;
    for (int i = 0; i < count; i++) {
        const norn_cell_node *n = &cell->nodes[i];
        check(n->a < i && n->b < i, "an operand behind its user");
        check(n->size >= NORN_CELL_SCALAR && n->size < (int)cell->size_count, "a size that is none");
        check(n->level >= 0 && n->level <= NORN_CELL_STAGES, "too many stages");
    }
    check(cell->state_count >= 1, "no state");
    for (size_t i = 0; i < cell->state_count; i++)
        check(cell->states[i].next >= 0 && cell->states[i].next < count, "a state that ends");
    for (size_t i = 0; i < cell->matrix_count; i++) {
        const norn_cell_matrix *m = &cell->matrices[i];
        check(m->product >= 0 && m->product < count && cell->nodes[m->product].index == (int)i,
              "a matrix without its product");
    }
    check(cell->out >= 0 && cell->out < count, "no output");
}

static void check_run(const norn_cell *cell)
{
    norn_cell_shape shape;
    norn_error err = NORN_ERROR_INIT;
    if (norn_cell_bind(&shape, cell, 2, 4, 0, &err) != NORN_OK) return;
    if (shape.parameters > 20000 || shape.states > 2000 || shape.outputs > 2000) return;
    for (size_t i = 0; i < cell->size_count; i++)
        if (shape.size[i] > 100) return;
    double *numbers = calloc(3 * shape.parameters + 4 * shape.outputs + 8, sizeof *numbers);
    check(numbers != NULL, "out of memory");
    for (size_t i = 0; i < shape.parameters; i++) numbers[i] = 0.1 * (double)(i % 7) - 0.3;
    double x[4] = {0.5, -1.0, 0.25, 2.0};
    norn_cell_layer layer = {.shape = &shape,
                             .steps = 2,
                             .rows = 1,
                             .x = x,
                             .parameters = numbers,
                             .dparameters = numbers + shape.parameters,
                             .out = numbers + 2 * shape.parameters,
                             .dout = numbers + 2 * shape.parameters};
    check(norn_cell_run(&layer, &err) == NORN_OK, "a cell that does not run");
    free(numbers);
}

/* Both kinds of kernel, where there are two. */
static void check_kernel(const norn_cell_plan *plan, const norn_cell_shape *shape)
{
    const norn_cell *cell = plan->cell;
    norn_cell_stages *stages = NULL;
    norn_cell_text text = {0};
    norn_error err = NORN_ERROR_INIT;
    check(norn_cell_stages_new(&stages, plan, &err) == NORN_OK, "stages that cannot be made");
    check(stages->scratch_count <= 2 * NORN_CELL_TERMS + NORN_CELL_PLANES,
          "more scratch than there is to hold");
    check(norn_cell_emit_stages(stages, shape, &text, &err) == NORN_OK, "a kernel that cannot be written");
    if (!norn_cell_obstacle(plan))
        check(norn_cell_emit(plan, &text, &err) == NORN_OK, "a kernel of one stage that cannot be written");
    for (size_t i = 0; i < cell->matrix_count; i++)
        check(strlen(cell->matrices[i].name) < 16 || !strstr(text.bytes, cell->matrices[i].name),
              "a name of the formula in a kernel");
    norn_cell_text_free(&cell->host, &text);
    norn_cell_stages_free(stages);
}

static void check_plan(const norn_cell *cell)
{
    norn_cell_plan *plan = NULL;
    norn_cell_shape shape;
    norn_cell_text text = {0};
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_cell_plan_new(&plan, cell, &err);
    check(status == NORN_OK || status == NORN_ERR_DATA, "a cell that cannot be planned");
    if (status != NORN_OK) return;
    const bool bound = norn_cell_bind(&shape, cell, 2, 4, 0, &err) == NORN_OK;
    if (bound && plan->gate_count) check_kernel(plan, &shape);
    if (bound)
        check(norn_cell_describe(plan, &shape, &text, &err) == NORN_OK, "a cell that cannot be described");
    norn_cell_text_free(&cell->host, &text);
    norn_cell_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    norn_cell *cell = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_cell_read(&cell, (const char *)bytes, size, "fuzz", NULL, &err);
    if (status == NORN_OK) {
        check_graph(cell);
        check_run(cell);
        check_plan(cell);
        norn_cell_free(cell);
    } else {
        check(cell == NULL, "a cell in spite of an error");
        check(status == NORN_ERR_DATA, "an error of another kind");
        check(err.message[0] && !strchr(err.message, '\n') && !strchr(err.message, '\r'),
              "a message of several lines");
        check(size > NORN_CELL_TEXT || (err.line >= 1 && err.column >= 1), "an error without its place");
    }
    return 0;
}
