/*
 * A cell in words and numbers: what `norn cell show` prints.
 */
#include "cell/ops.h"
#include "cell/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void norn_cell_put(const norn_host *host, norn_cell_text *text, const char *format, ...)
{
    va_list arguments, again;
    if (text->failed) return;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int need = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    const size_t length = need < 0 ? 0 : (size_t)need;
    if (text->length + length + 1 > text->capacity) {
        const size_t capacity = 2 * text->capacity + length + 256;
        text->failed = !norn_resize(host, (void **)&text->bytes, text->capacity, capacity, 1);
        if (!text->failed) text->capacity = capacity;
    }
    if (!text->failed) {
        (void)vsnprintf(text->bytes + text->length, length + 1, format, again);
        text->length += length;
    }
    va_end(again);
}

void norn_cell_text_free(const norn_host *host, norn_cell_text *text)
{
    norn_delete(host, text->bytes, text->capacity, 1);
    *text = (norn_cell_text){0};
}

static const char *operand_name(const norn_cell_plan *plan, int node, char out[32])
{
    const norn_cell *cell = plan->cell;
    const norn_cell_node *n = &cell->nodes[node];
    if (n->op == NORN_CELL_INPUT) return "x";
    if (n->op == NORN_CELL_STATE) return cell->states[n->index].name;
    for (size_t i = 0; i < cell->state_count; i++)
        if (cell->states[i].next == node) {
            (void)snprintf(out, 32, "%.29s'", cell->states[i].name);
            return out;
        }
    (void)snprintf(out, 32, "(line %d)", n->line);
    return out;
}

static size_t multiplications(const norn_cell_shape *shape)
{
    size_t sum = 0;
    for (size_t i = 0; i < shape->cell->matrix_count; i++) sum += shape->matrix[i].count;
    return sum;
}

norn_status norn_cell_describe(const norn_cell_plan *plan, const norn_cell_shape *shape, norn_cell_text *text,
                               norn_error *err)
{
    const norn_cell *cell = plan->cell;
    const norn_host *host = &cell->host;
    const size_t products = multiplications(shape);
    char name[32];
    norn_cell_put(host, text, "States:");
    for (size_t i = 0; i < cell->state_count; i++)
        norn_cell_put(host, text, "%s %s[%zu]", i ? "," : "", cell->states[i].name,
                      shape->size[cell->states[i].size]);
    norn_cell_put(host, text,
                  "\n\nStages and gates, an accumulator each; kept activated where the name says so:\n");
    for (size_t s = 0; s < plan->stage_count; s++)
        for (size_t k = 0; k < plan->gate_count; k++) {
            const norn_cell_gate *gate = &plan->gates[k];
            if (gate->stage != (int)s) continue;
            norn_cell_put(host, text, "  %zu  ", s + 1);
            for (size_t m = 0; m < gate->matrix_count; m++) {
                const norn_cell_matrix *matrix = &cell->matrices[gate->matrices[m]];
                norn_cell_put(host, text, "%s%s*%s", m ? " + " : "", matrix->projection ? "X" : matrix->name,
                              operand_name(plan, cell->nodes[matrix->product].a, name));
            }
            if (gate->bias >= 0) norn_cell_put(host, text, " + %s", cell->vectors[gate->bias].name);
            if (gate->kept != gate->root)
                norn_cell_put(host, text, "    (%s)", norn_cell_op_name(cell->nodes[gate->kept].op));
            norn_cell_put(host, text, "\n");
        }
    norn_cell_put(host, text, "\nWith I = %zu inputs, H = %zu units", shape->inputs, shape->hidden);
    if (shape->size[NORN_CELL_SIZE_HEADS] > 1)
        norn_cell_put(host, text, ", %zu heads", shape->size[NORN_CELL_SIZE_HEADS]);
    norn_cell_put(host, text, ", in float32:\n  parameters          %zu (%zu in matrices, %zu in vectors)\n",
                  shape->parameters, products, shape->parameters - products);
    size_t kept = shape->states;
    for (size_t k = 0; k < plan->gate_count; k++) {
        const int size = cell->nodes[plan->gates[k].root].size;
        kept += shape->size[size];
    }
    for (size_t k = 0; k < plan->operand_count; k++) kept += shape->size[cell->nodes[plan->operands[k]].size];
    norn_cell_put(host, text, "  kept a row and step %zu bytes, for the backward pass\n", 4 * kept);
    norn_cell_put(
        host, text,
        "  operations          %zu a row and step forward, %zu backward, of these %zu and %zu in products\n",
        2 * products + plan->forward_operations * shape->hidden,
        4 * products + plan->backward_operations * shape->hidden, 2 * products, 4 * products);
    norn_cell_put(
        host, text,
        "  bytes               %zu of weights a step for all rows of a group; %zu a row and step forward, "
        "%zu backward\n",
        4 * shape->parameters, 4 * (kept + shape->inputs + shape->states),
        4 * (2 * kept + shape->inputs + 2 * shape->states));
    return text->failed ? norn_fail_memory(err, "the description of a cell") : NORN_OK;
}
