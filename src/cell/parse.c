/*
 * Text -> graph. One pass of recursive descent (the grammar is in docs/cells.md), building nodes as it reads:
 * a value must be given before it is used, so nodes come out in an order in which they can be computed.
 */
#include "cell/ops.h"
#include "cell/parser.h"

#include <string.h>

static const char *const symbols[NORN_CELL_SYMBOLS] = {
    [NORN_CELL_UNITS] = "units",
    [NORN_CELL_UNIT] = "unit",
    [NORN_CELL_HEAD_UNITS] = "head_units",
    [NORN_CELL_HEAD_UNIT] = "head_unit",
    [NORN_CELL_HEADS] = "heads",
    [NORN_CELL_INPUTS] = "I",
    [NORN_CELL_HIDDEN] = "H",
};

/* ---- expressions -----------------------------------------------------------------------------------------
 */

static norn_status sum(parser *p, int *out);
static norn_status signed_factor(parser *p, int *out);

static norn_status call(parser *p, norn_token name, norn_cell_op op, int *out)
{
    int a = -1, b = -1;
    norn_status status = norn_parser_next(p);
    if (status == NORN_OK) status = norn_parser_need(p, "(", "\"(\" after the function");
    if (status == NORN_OK) status = sum(p, &a);
    if (status == NORN_OK && norn_cell_operands(op) == 2) {
        status = norn_parser_need(p, ",", "\",\" and a second argument");
        if (status == NORN_OK) status = sum(p, &b);
    }
    if (status == NORN_OK) status = norn_parser_need(p, ")", "an operation or \")\"");
    return status == NORN_OK ? norn_parser_operation(p, &name, op, a, b, out) : status;
}

/* A matrix takes the factor behind it. */
static norn_status matrix_factor(parser *p, norn_token name, named *known, int *out)
{
    int operand = -1;
    norn_cell_matrix *m = &p->cell->matrices[known->index];
    norn_status status = norn_parser_next(p);
    if (status == NORN_OK) status = norn_parser_need(p, "*", "\"*\" after a matrix");
    if (status != NORN_OK) return status;
    if (m->product >= 0)
        return FAIL(p, name, "the matrix \"%s\" stands in a product already (one matrix, one product)",
                    m->name);
    known->used = true;
    m->product = (int)NORN_CELL_NODES; /* taken, so that it cannot stand in its own operand */
    const norn_token at = p->token;
    status = signed_factor(p, &operand);
    if (status != NORN_OK) return status;
    const norn_cell_op op = p->cell->nodes[operand].op;
    if (op == NORN_CELL_CONSTANT || op == NORN_CELL_VECTOR)
        return FAIL(p, at, "expected a value that changes from step to step behind the matrix \"%s\"",
                    m->name);
    status = norn_parser_product(p, &name, known->index, operand, out);
    if (status == NORN_OK && (norn_parser_is_word(&p->token, "*") || norn_parser_is_word(&p->token, "/")))
        return FAIL(p, p->token,
                    "what \"%s\" multiplies is not clear (write %s*(...) or (%s*...) with parentheses)",
                    m->name, m->name, m->name);
    return status;
}

static norn_status value_name(parser *p, int *out)
{
    const norn_token name = p->token;
    norn_cell *cell = p->cell;
    named *known = norn_parser_find(p, &name);
    char quoted[96];
    (void)norn_quote(quoted, sizeof quoted, name.text, name.length, 40);
    if (name.kind == NORN_TOKEN_PRIMED) {
        if (!known || known->kind != A_STATE) return norn_parser_expected(p, "a value");
        const int node = cell->states[known->index].next;
        if (node < 0) return FAIL(p, name, "\"%s'\" is used before it is given", quoted);
        *out = node;
        return norn_parser_next(p);
    }
    if (norn_parser_is_word(&name, "x")) {
        norn_cell_node node = norn_parser_node_at(&name, NORN_CELL_INPUT, -1, -1);
        node.size = NORN_CELL_SIZE_INPUTS;
        const norn_status status = norn_parser_add(p, node, &p->x);
        *out = p->x;
        return status == NORN_OK ? norn_parser_next(p) : status;
    }
    if (norn_parser_is_reserved(&name)) return norn_parser_expected(p, "a value");
    if (!known)
        return FAIL(p, name, "nothing is called \"%s\" so far (give it in a line before, or declare it)",
                    quoted);
    if (known->kind == A_MATRIX) return matrix_factor(p, name, known, out);
    known->used = true;
    norn_status status = NORN_OK;
    if (known->kind == A_VALUE) {
        *out = known->index;
    } else if (known->kind == A_STATE || known->kind == A_VECTOR) {
        norn_cell_node node =
            norn_parser_node_at(&name, known->kind == A_STATE ? NORN_CELL_STATE : NORN_CELL_VECTOR, -1, -1);
        node.index = known->index;
        node.size =
            known->kind == A_STATE ? cell->states[known->index].size : cell->vectors[known->index].size;
        status = norn_parser_add(p, node, out);
    } else {
        return norn_parser_expected(p, "a value");
    }
    return status == NORN_OK ? norn_parser_next(p) : status;
}

static norn_status symbol_name(parser *p, int *out)
{
    for (size_t i = 0; i < NORN_CELL_SYMBOLS; i++) {
        if (!norn_parser_is_word(&p->token, symbols[i])) continue;
        norn_cell_node node = norn_parser_node_at(&p->token, NORN_CELL_SYMBOL, -1, -1);
        node.index = (int)i;
        const norn_status status = norn_parser_add(p, node, out);
        return status == NORN_OK ? norn_parser_next(p) : status;
    }
    return norn_parser_expected(p, "a number, unit, units, head_unit, head_units, heads, I or H");
}

static norn_status factor(parser *p, int *out)
{
    const norn_token token = p->token;
    norn_status status = NORN_OK;
    if (token.kind == NORN_TOKEN_NUMBER) {
        norn_cell_node node = norn_parser_node_at(&token, NORN_CELL_CONSTANT, -1, -1);
        node.value = token.value;
        status = norn_parser_add(p, node, out);
        return status == NORN_OK ? norn_parser_next(p) : status;
    }
    if (token.kind == NORN_TOKEN_NAME) {
        const norn_cell_op function = norn_cell_function(token.text, token.length);
        if (function != NORN_CELL_OPS && !(p->in_initial && function == NORN_CELL_STOP))
            return call(p, token, function, out);
    }
    if (token.kind == NORN_TOKEN_NAME || token.kind == NORN_TOKEN_PRIMED)
        return p->in_initial ? symbol_name(p, out) : value_name(p, out);
    if (norn_parser_take(p, "(", &status)) {
        status = sum(p, out);
        return status == NORN_OK ? norn_parser_need(p, ")", "an operation or \")\"") : status;
    }
    return status == NORN_OK ? norn_parser_expected(p, "a value") : status;
}

static norn_status signed_factor(parser *p, int *out)
{
    const norn_token at = p->token;
    norn_status status = NORN_OK;
    int a = -1, b = -1;
    if (++p->depth > NORN_CELL_DEPTH)
        return FAIL(p, at, "more than %d operations within each other", NORN_CELL_DEPTH);
    if (norn_parser_take(p, "-", &status)) {
        status = signed_factor(p, &a);
        if (status == NORN_OK) status = norn_parser_operation(p, &at, NORN_CELL_NEGATE, a, -1, out);
    } else if (status == NORN_OK) {
        status = factor(p, out);
        const norn_token power = p->token;
        if (status == NORN_OK && norn_parser_is_word(&power, "^") && !p->in_initial)
            return FAIL(p, power, "\"^\" is for initial values only (write a*a)");
        if (norn_parser_take(p, "^", &status)) {
            status = signed_factor(p, &b);
            if (status == NORN_OK) status = norn_parser_operation(p, &power, NORN_CELL_POWER, *out, b, out);
        }
    }
    p->depth--;
    return status;
}

/* factor { sign factor }, for * and / or + and -. */
static norn_status chain(parser *p, bool products, int *out)
{
    norn_status status = products ? signed_factor(p, out) : chain(p, true, out);
    while (status == NORN_OK) {
        const norn_token at = p->token;
        const bool first = norn_parser_is_word(&at, products ? "*" : "+");
        if (!first && !norn_parser_is_word(&at, products ? "/" : "-")) break;
        int b = -1;
        status = norn_parser_next(p);
        if (status == NORN_OK) status = products ? signed_factor(p, &b) : chain(p, true, &b);
        const norn_cell_op op = products ? (first ? NORN_CELL_MULTIPLY : NORN_CELL_DIVIDE)
                                         : (first ? NORN_CELL_ADD : NORN_CELL_SUBTRACT);
        if (status == NORN_OK) status = norn_parser_operation(p, &at, op, *out, b, out);
    }
    return status;
}

static norn_status sum(parser *p, int *out)
{
    return chain(p, false, out);
}

/* ---- declarations ----------------------------------------------------------------------------------------
 */

static norn_status initial(parser *p, norn_cell_init *init)
{
    static const struct {
        const char *word;
        norn_cell_fill fill;
    } kinds[] = {{"uniform", NORN_CELL_FILL_UNIFORM}, {"normal", NORN_CELL_FILL_NORMAL}};
    norn_status status = NORN_OK;
    bool drawn = false;
    init->fill = NORN_CELL_FILL_VALUE;
    for (size_t i = 0; i < NORN_COUNT(kinds) && !drawn; i++)
        if (norn_parser_take(p, kinds[i].word, &status)) {
            drawn = true;
            init->fill = kinds[i].fill;
            status = norn_parser_need(p, "(", "\"(\"");
        }
    p->in_initial = true;
    if (status == NORN_OK) status = sum(p, &init->root);
    p->in_initial = false;
    if (status == NORN_OK && drawn) status = norn_parser_need(p, ")", "an operation or \")\"");
    return status;
}

/* [NAME] of a size, if it stands there. */
static norn_status bracket(parser *p, int *size, bool *heads)
{
    norn_status status = NORN_OK;
    if (!norn_parser_take(p, "[", &status)) return status;
    if (heads) {
        *heads = norn_parser_is_word(&p->token, "heads");
        if (!*heads) return norn_parser_expected(p, "heads, for a block a head");
        status = norn_parser_next(p);
    } else {
        const int hidden = NORN_CELL_SIZE_HIDDEN;
        named *known = p->token.kind == NORN_TOKEN_NAME ? norn_parser_find(p, &p->token) : NULL;
        if (norn_parser_is_word(&p->token, "H"))
            *size = hidden;
        else if (known && known->kind == A_SIZE)
            *size = known->index;
        else
            return norn_parser_expected(p, "H or the name of a size");
        if (known) known->used = true;
        status = norn_parser_next(p);
    }
    return status == NORN_OK ? norn_parser_need(p, "]", "\"]\"") : status;
}

static norn_status one_state(parser *p, norn_token name)
{
    norn_cell *cell = p->cell;
    if (cell->state_count == NORN_CELL_STATES) return FAIL(p, name, "more than %d states", NORN_CELL_STATES);
    norn_cell_state *s = &cell->states[cell->state_count];
    *s = (norn_cell_state){.size = NORN_CELL_SIZE_HIDDEN,
                           .init = {NORN_CELL_FILL_DEFAULT, -1},
                           .learned = -1,
                           .next = -1,
                           .line = name.line,
                           .column = name.column};
    norn_status status = norn_parser_enter(p, &name, A_STATE, (int)cell->state_count, s->name);
    if (status == NORN_OK) status = norn_parser_next(p);
    if (status == NORN_OK) status = bracket(p, &s->size, NULL);
    if (status != NORN_OK) return status;
    cell->state_count++;
    if (!norn_parser_take(p, "=", &status)) return status;
    if (!norn_parser_take(p, "learned", &status)) {
        if (status == NORN_OK) status = initial(p, &s->init);
        if (status == NORN_OK && s->init.fill != NORN_CELL_FILL_VALUE)
            return FAIL(p, name, "a state begins with a value or is learned, it is not drawn");
        return status;
    }
    if (cell->vector_count == NORN_CELL_VECTORS)
        return FAIL(p, name, "more than %d vectors", NORN_CELL_VECTORS);
    s->learned = (int)cell->vector_count;
    norn_cell_vector *v = &cell->vectors[cell->vector_count++];
    *v = (norn_cell_vector){.role = NORN_CELL_INITIAL,
                            .size = s->size,
                            .init = {NORN_CELL_FILL_VALUE, -1}, /* 0 */
                            .line = name.line,
                            .column = name.column};
    memcpy(v->name, s->name, sizeof v->name);
    return status;
}

static norn_status one_matrix(parser *p, norn_token name)
{
    norn_cell *cell = p->cell;
    if (cell->matrix_count == NORN_CELL_MATRICES)
        return FAIL(p, name, "more than %d matrices", NORN_CELL_MATRICES);
    norn_cell_matrix *m = &cell->matrices[cell->matrix_count];
    *m = (norn_cell_matrix){.rows = norn_parser_new_variable(p),
                            .columns = -1,
                            .product = -1,
                            .init = {NORN_CELL_FILL_DEFAULT, -1},
                            .line = name.line,
                            .column = name.column};
    norn_status status = norn_parser_enter(p, &name, A_MATRIX, (int)cell->matrix_count, m->name);
    if (status == NORN_OK) status = norn_parser_next(p);
    if (status == NORN_OK) status = bracket(p, NULL, &m->heads);
    if (status != NORN_OK) return status;
    cell->matrix_count++;
    return norn_parser_take(p, "=", &status) ? initial(p, &m->init) : status;
}

static norn_status one_vector(parser *p, norn_token name, norn_cell_role role)
{
    norn_cell *cell = p->cell;
    if (cell->vector_count == NORN_CELL_VECTORS)
        return FAIL(p, name, "more than %d vectors", NORN_CELL_VECTORS);
    norn_cell_vector *v = &cell->vectors[cell->vector_count];
    *v = (norn_cell_vector){.role = role,
                            .size = -1,
                            .init = {NORN_CELL_FILL_DEFAULT, -1},
                            .line = name.line,
                            .column = name.column};
    norn_status status = norn_parser_enter(p, &name, A_VECTOR, (int)cell->vector_count, v->name);
    if (status == NORN_OK) status = norn_parser_next(p);
    if (status == NORN_OK) status = bracket(p, &v->size, NULL);
    if (status != NORN_OK) return status;
    if (v->size < 0) v->size = norn_parser_new_variable(p);
    cell->vector_count++;
    return norn_parser_take(p, "=", &status) ? initial(p, &v->init) : status;
}

static norn_status one_size(parser *p, norn_token name)
{
    norn_cell *cell = p->cell;
    const bool heads = norn_parser_is_word(&name, "heads");
    norn_cell_init init = {NORN_CELL_FILL_VALUE, -1};
    int index = NORN_CELL_SIZE_HEADS;
    norn_status status = NORN_OK;
    if (!heads) {
        if (cell->size_count == NORN_CELL_SIZES)
            return FAIL(p, name, "more than %d sizes", NORN_CELL_SIZES - NORN_CELL_SIZE_NAMED);
        index = (int)cell->size_count;
        status = norn_parser_enter(p, &name, A_SIZE, index, cell->sizes[index].name);
        if (status != NORN_OK) return status;
        cell->size_count++;
    } else if (cell->sizes[index].root >= 0) {
        return FAIL(p, name, "\"heads\" was given in line %d already", cell->sizes[index].line);
    }
    cell->sizes[index].line = name.line;
    cell->sizes[index].column = name.column;
    status = norn_parser_next(p);
    if (status == NORN_OK) status = norn_parser_need(p, "=", "\"=\" and the size");
    if (status == NORN_OK) status = initial(p, &init);
    if (status == NORN_OK && init.fill != NORN_CELL_FILL_VALUE)
        return FAIL(p, name, "a size is a value, it is not drawn");
    cell->sizes[index].root = init.root;
    return status;
}

static norn_status one_bias(parser *p, norn_token name)
{
    return one_vector(p, name, NORN_CELL_BIAS);
}

static norn_status one_diagonal(parser *p, norn_token name)
{
    return one_vector(p, name, NORN_CELL_DIAGONAL);
}

static const struct {
    const char *word;
    norn_status (*one)(parser *, norn_token);
} declarations[] = {{"size", one_size},
                    {"state", one_state},
                    {"matrix", one_matrix},
                    {"bias", one_bias},
                    {"diagonal", one_diagonal}};

/* ---- statements ------------------------------------------------------------------------------------------
 */

/* The value behind "=", given to a name, a new state or out. */
static norn_status assignment(parser *p, norn_token name)
{
    norn_cell *cell = p->cell;
    const bool is_out = norn_parser_is_word(&name, "out");
    char quoted[96];
    int node = -1;
    (void)norn_quote(quoted, sizeof quoted, name.text, name.length, 40);
    norn_status status = norn_parser_next(p);
    if (status == NORN_OK)
        status = norn_parser_need(p, "=", is_out ? "\"=\" after out" : "\"=\" after the name");
    if (status == NORN_OK) status = sum(p, &node);
    if (status == NORN_OK && (is_out || name.kind == NORN_TOKEN_PRIMED))
        status = norn_parser_units(p, &name, &node);
    if (status != NORN_OK) return status;
    if (is_out) {
        if (cell->out >= 0) return FAIL(p, name, "\"out\" was given already");
        if (cell->nodes[node].size == NORN_CELL_SCALAR)
            return FAIL(p, name, "\"out\" is a constant (an output has to follow from the states)");
        cell->out = node;
        return NORN_OK;
    }
    if (name.kind == NORN_TOKEN_NAME) return norn_parser_enter(p, &name, A_VALUE, node, NULL);

    named *known = norn_parser_find(p, &name);
    if (!known || known->kind != A_STATE)
        return FAIL(p, name, "\"%s\" is not a state (declare it: state %s)", quoted, quoted);
    norn_cell_state *s = &cell->states[known->index];
    if (s->next >= 0) return FAIL(p, name, "\"%s'\" was given already", quoted);
    if (!norn_parser_unify(p, cell->nodes[node].size, s->size))
        return FAIL(p, name, "the state \"%s\" has size %s, its new value %s", s->name,
                    norn_parser_size_name(p, s->size), norn_parser_size_name(p, cell->nodes[node].size));
    s->next = node;
    return NORN_OK;
}

static norn_status statement(parser *p)
{
    norn_status status = NORN_OK;
    const norn_token name = p->token;
    for (size_t i = 0; i < NORN_COUNT(declarations); i++) {
        if (!norn_parser_take(p, declarations[i].word, &status)) continue;
        do {
            if (status == NORN_OK && p->token.kind != NORN_TOKEN_NAME)
                return norn_parser_expected(p, "a name");
            if (status == NORN_OK) status = declarations[i].one(p, p->token);
        } while (norn_parser_take(p, ",", &status));
        return status;
    }
    if (status != NORN_OK) return status;
    if (norn_parser_take(p, "cell", &status)) {
        if (p->token.kind != NORN_TOKEN_NAME) return norn_parser_expected(p, "the cell's name");
        if (p->cell->name[0]) return FAIL(p, name, "the cell has a name already");
        if (p->token.length >= NORN_CELL_NAME)
            return FAIL(p, p->token, "the cell's name has more than %d letters", NORN_CELL_NAME - 1);
        memcpy(p->cell->name, p->token.text, p->token.length);
        return norn_parser_next(p);
    }
    if (status != NORN_OK) return status;
    if (name.kind != NORN_TOKEN_NAME && name.kind != NORN_TOKEN_PRIMED)
        return norn_parser_expected(p, "cell, size, state, matrix, bias, diagonal, out, or a name and \"=\"");
    return assignment(p, name);
}

static norn_status statements(parser *p)
{
    norn_status status = norn_parser_next(p);
    while (status == NORN_OK && p->token.kind != NORN_TOKEN_END) {
        if (p->token.kind != NORN_TOKEN_LINE) status = statement(p);
        if (status == NORN_OK && p->token.kind != NORN_TOKEN_LINE)
            return norn_parser_expected(p, "an operation or the end of the line");
        if (status == NORN_OK) status = norn_parser_next(p);
    }
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

/* Everything declared is used, every state goes on, every size is known. */
static norn_status finish(parser *p)
{
    norn_cell *cell = p->cell;
    if (cell->state_count == 0)
        return norn_parser_fail_at(p, p->token.line, p->token.column,
                                   "the cell has no state (declare one: state h)");
    for (size_t i = 0; i < cell->state_count; i++) {
        const norn_cell_state *s = &cell->states[i];
        if (s->next < 0)
            return norn_parser_fail_at(p, s->line, s->column,
                                       "the state \"%s\" gets no new value (add a line %s' = ...)", s->name,
                                       s->name);
    }
    for (size_t i = 0; i < p->name_count; i++) {
        const named *name = &p->names[i];
        if (!name->used && name->kind != A_STATE)
            return norn_parser_fail_at(p, name->line, name->column, "\"%s\" is never used (take it out)",
                                       name->name);
    }
    if (p->x < 0)
        return norn_parser_fail_at(p, p->token.line, p->token.column, "the cell never reads its input, x");
    if (cell->out < 0) cell->out = cell->states[0].next;
    if (cell->nodes[cell->out].size == NORN_CELL_SCALAR)
        return norn_parser_fail_at(p, cell->states[0].line, cell->states[0].column,
                                   "the output is a constant (an output has to follow from the states)");

    /* Unknown sizes are H. */
    for (int v = NORN_CELL_SIZES; v < p->variable_count; v++)
        if (norn_parser_root_of(p, v) >= NORN_CELL_SIZES)
            (void)norn_parser_unify(p, v, NORN_CELL_SIZE_HIDDEN);
    for (size_t i = 0; i < cell->node_count; i++)
        cell->nodes[i].size = norn_parser_root_of(p, cell->nodes[i].size);
    for (size_t i = 0; i < cell->vector_count; i++)
        cell->vectors[i].size = norn_parser_root_of(p, cell->vectors[i].size);
    for (size_t i = 0; i < cell->matrix_count; i++) {
        norn_cell_matrix *m = &cell->matrices[i];
        m->rows = norn_parser_root_of(p, m->rows);
        m->columns = cell->nodes[cell->nodes[m->product].a].size;
    }
    return NORN_OK;
}

norn_status norn_cell_read(norn_cell **out, const char *text, size_t length, const char *file,
                           const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_numbers numbers = {0};
    norn_cell *cell = NULL;
    parser *p = NULL;
    norn_status status = norn_numbers_open(&numbers, '.', 0, err);
    if (status != NORN_OK) return status;

    if (length > NORN_CELL_TEXT) {
        status = norn_fail_at(err, NORN_ERR_DATA, file, 0, 0, "a formula has at most %d KiB, this one %zu",
                              NORN_CELL_TEXT / 1024, (length + 1023) / 1024);
        goto done;
    }
    cell = norn_new(&services, 1, sizeof *cell);
    p = norn_new(&services, 1, sizeof *p);
    if (cell) {
        cell->host = services;
        cell->length = length;
        cell->text = norn_text_copy(&services, text, length);
        cell->nodes = norn_new(&services, NORN_CELL_NODES, sizeof *cell->nodes);
        cell->initial = norn_new(&services, NORN_CELL_NODES, sizeof *cell->initial);
    }
    if (!cell || !p || !cell->text || !cell->nodes || !cell->initial) {
        status = norn_fail_memory(err, "a cell's formula");
        goto done;
    }
    cell->out = -1;
    static const char *const given[] = {"I", "H", "heads"};
    for (size_t i = 0; i < NORN_CELL_SIZES; i++) {
        cell->sizes[i].root = -1;
        if (i < NORN_COUNT(given)) memcpy(cell->sizes[i].name, given[i], strlen(given[i]) + 1);
    }
    cell->size_count = NORN_CELL_SIZE_NAMED;
    p->cell = cell;
    p->err = err;
    p->x = p->projected = p->projection = -1;
    for (int i = 0; i < NORN_CELL_SIZES; i++) (void)norn_parser_new_variable(p);
    p->lexer = (norn_lexer){.at = cell->text,
                            .end = cell->text + length,
                            .line_begin = cell->text,
                            .file = file,
                            .line = 1,
                            .fresh = true,
                            .numbers = &numbers,
                            .err = err};
    status = statements(p);
    if (status == NORN_OK) status = finish(p);
    if (status == NORN_OK) {
        *out = cell;
        cell = NULL;
    }
done:
    norn_delete(&services, p, 1, sizeof *p);
    norn_cell_free(cell);
    norn_numbers_close(&numbers);
    return status;
}

void norn_cell_free(norn_cell *cell)
{
    if (!cell) return;
    const norn_host host = cell->host;
    norn_delete(&host, cell->text, cell->length + 1, 1);
    norn_delete(&host, cell->nodes, NORN_CELL_NODES, sizeof *cell->nodes);
    norn_delete(&host, cell->initial, NORN_CELL_NODES, sizeof *cell->initial);
    norn_delete(&host, cell, 1, sizeof *cell);
}
