/*
 * Errors, words, sizes, names and nodes of a formula that is being read: what the grammar in parse.c builds
 * with.
 *
 * Sizes are found on the way. Every vector, and the rows of every matrix, has a size that is not known at
 * first;
 * + and its like make two of them one (union-find), a state or a bracket names one. What stays unknown is H.
 */
#include "cell/ops.h"
#include "cell/parser.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const reserved[] = {"cell", "size", "state", "matrix", "bias",    "diagonal", "out",
                                       "x",    "I",    "H",     "heads",  "learned", "uniform",  "normal"};

/* ---- errors ----------------------------------------------------------------------------------------------
 */

norn_status norn_parser_fail_at(parser *p, int line, int column, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return norn_fail_at(p->err, NORN_ERR_DATA, p->lexer.file, (uint64_t)line, (uint64_t)column, "%s",
                        message);
}

/* "expected WHAT, found ..." at the token that stands next. */
norn_status norn_parser_expected(parser *p, const char *what)
{
    char quoted[96];
    if (p->token.kind == NORN_TOKEN_END) return FAIL(p, p->token, "expected %s, found the end", what);
    if (p->token.kind == NORN_TOKEN_LINE)
        return FAIL(p, p->token, "expected %s, found the end of the line", what);
    (void)norn_quote(quoted, sizeof quoted, p->token.text, p->token.length, 40);
    return FAIL(p, p->token, "expected %s, found \"%s%s\"", what, quoted,
                p->token.kind == NORN_TOKEN_PRIMED ? "'" : "");
}

/* ---- words -----------------------------------------------------------------------------------------------
 */

norn_status norn_parser_next(parser *p)
{
    return norn_lexer_next(&p->lexer, &p->token);
}

bool norn_parser_is_word(const norn_token *token, const char *word)
{
    return (token->kind == NORN_TOKEN_NAME || token->kind == NORN_TOKEN_SIGN) &&
           strlen(word) == token->length && memcmp(word, token->text, token->length) == 0;
}

/* Takes the sign or word if it stands next. */
bool norn_parser_take(parser *p, const char *word, norn_status *status)
{
    if (*status != NORN_OK || !norn_parser_is_word(&p->token, word)) return false;
    *status = norn_parser_next(p);
    return *status == NORN_OK;
}

norn_status norn_parser_need(parser *p, const char *word, const char *what)
{
    norn_status status = NORN_OK;
    if (norn_parser_take(p, word, &status)) return NORN_OK;
    return status == NORN_OK ? norn_parser_expected(p, what) : status;
}

/* ---- sizes -----------------------------------------------------------------------------------------------
 */

int norn_parser_root_of(parser *p, int variable)
{
    if (variable < 0) return variable;
    while (p->parent[variable] != variable) {
        p->parent[variable] = p->parent[p->parent[variable]];
        variable = p->parent[variable];
    }
    return variable;
}

int norn_parser_new_variable(parser *p)
{
    const int variable = p->variable_count++;
    p->parent[variable] = variable;
    return variable;
}

/* Makes two sizes one; false when they are two different ones. Of two roots the lower stays: it may be a
 * size. */
bool norn_parser_unify(parser *p, int a, int b)
{
    a = norn_parser_root_of(p, a);
    b = norn_parser_root_of(p, b);
    if (a == b || a < 0 || b < 0) return true;
    if (a < NORN_CELL_SIZES && b < NORN_CELL_SIZES) return false;
    if (a < b)
        p->parent[b] = a;
    else
        p->parent[a] = b;
    return true;
}

const char *norn_parser_size_name(parser *p, int variable)
{
    const int root = norn_parser_root_of(p, variable);
    return root >= 0 && root < NORN_CELL_SIZES ? p->cell->sizes[root].name : "?";
}

/* ---- names -----------------------------------------------------------------------------------------------
 */

named *norn_parser_find(parser *p, const norn_token *token)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (strlen(p->names[i].name) == token->length &&
            memcmp(p->names[i].name, token->text, token->length) == 0)
            return &p->names[i];
    return NULL;
}

bool norn_parser_is_reserved(const norn_token *token)
{
    for (size_t i = 0; i < NORN_COUNT(reserved); i++)
        if (strlen(reserved[i]) == token->length && memcmp(reserved[i], token->text, token->length) == 0)
            return true;
    return norn_cell_function(token->text, token->length) != NORN_CELL_OPS;
}

/* Enters a new name. The name's text goes to name_out as well, unless that is NULL. */
norn_status norn_parser_enter(parser *p, const norn_token *token, name_kind kind, int index, char *name_out)
{
    char quoted[96];
    (void)norn_quote(quoted, sizeof quoted, token->text, token->length, 40);
    if (token->length >= NORN_CELL_NAME)
        return FAIL(p, *token, "the name \"%s\" has more than %d letters", quoted, NORN_CELL_NAME - 1);
    if (norn_parser_is_reserved(token))
        return FAIL(p, *token, "\"%s\" means something already (take another name)", quoted);
    const named *old = norn_parser_find(p, token);
    if (old)
        return FAIL(p, *token, "\"%s\" was given in line %d already (take another name)", quoted, old->line);
    if (p->name_count == NORN_COUNT(p->names))
        return FAIL(p, *token, "more than %d names", (int)NORN_COUNT(p->names));
    named *name = &p->names[p->name_count++];
    *name = (named){.kind = kind, .index = index, .line = token->line, .column = token->column};
    memcpy(name->name, token->text, token->length);
    if (name_out) memcpy(name_out, name->name, NORN_CELL_NAME);
    return NORN_OK;
}

/* ---- nodes -----------------------------------------------------------------------------------------------
 */

/* Adds a node, or finds one that is the same. A node of constants is a constant. */
norn_status norn_parser_add(parser *p, norn_cell_node node, int *out)
{
    norn_cell *cell = p->cell;
    norn_cell_node *nodes = p->in_initial ? cell->initial : cell->nodes;
    size_t *count = p->in_initial ? &cell->initial_count : &cell->node_count;
    int operands = norn_cell_operands(node.op);
    if (operands < 2) node.b = -1;
    if (operands < 1) node.a = -1;
    if (operands && node.op != NORN_CELL_PRODUCT && nodes[node.a].op == NORN_CELL_CONSTANT &&
        (operands < 2 || nodes[node.b].op == NORN_CELL_CONSTANT)) {
        node.value = norn_cell_apply(node.op, nodes[node.a].value, operands > 1 ? nodes[node.b].value : 0.0);
        node.op = NORN_CELL_CONSTANT;
        node.a = node.b = -1;
        node.size = NORN_CELL_SCALAR;
        operands = 0;
    }
    if (node.op == NORN_CELL_CONSTANT && !isfinite(node.value))
        return norn_parser_fail_at(p, node.line, node.column, "this constant is not a finite number");
    for (size_t i = 0; i < *count; i++) {
        const norn_cell_node *old = &nodes[i];
        if (old->op == node.op && old->a == node.a && old->b == node.b && old->index == node.index &&
            old->op != NORN_CELL_PRODUCT && memcmp(&old->value, &node.value, sizeof node.value) == 0) {
            *out = (int)i;
            return NORN_OK;
        }
    }
    if (*count == NORN_CELL_NODES)
        return norn_parser_fail_at(p, node.line, node.column, "more than %d operations", NORN_CELL_NODES);
    node.level = 0;
    for (int k = 0; k < operands; k++) {
        const int level = nodes[k ? node.b : node.a].level;
        if (level > node.level) node.level = level;
    }
    if (node.op == NORN_CELL_PRODUCT && ++node.level > NORN_CELL_STAGES)
        return norn_parser_fail_at(p, node.line, node.column,
                                   "more than %d products that wait for each other within a step",
                                   NORN_CELL_STAGES);
    nodes[*count] = node;
    *out = (int)(*count)++;
    return NORN_OK;
}

norn_cell_node norn_parser_node_at(const norn_token *token, norn_cell_op op, int a, int b)
{
    return (norn_cell_node){.op = op,
                            .a = a,
                            .b = b,
                            .index = -1,
                            .size = NORN_CELL_SCALAR,
                            .line = token->line,
                            .column = token->column};
}

norn_status norn_parser_product(parser *p, const norn_token *at, int matrix, int operand, int *out)
{
    norn_cell_matrix *m = &p->cell->matrices[matrix];
    norn_cell_node node = norn_parser_node_at(at, NORN_CELL_PRODUCT, operand, -1);
    node.index = matrix;
    node.size = m->rows;
    const norn_status status = norn_parser_add(p, node, out);
    if (status != NORN_OK) return status;
    m->product = *out;
    m->columns = p->cell->nodes[operand].size;
    return NORN_OK;
}

/* The input where it is used unit by unit: through a projection to H, which is absent where I = H. */
norn_status norn_parser_units(parser *p, const norn_token *at, int *node)
{
    if (*node < 0 || *node != p->x || p->in_initial) return NORN_OK;
    if (p->projected < 0) {
        norn_cell *cell = p->cell;
        p->projection = (int)cell->matrix_count++;
        norn_cell_matrix *m = &cell->matrices[p->projection];
        *m = (norn_cell_matrix){.name = "x",
                                .rows = NORN_CELL_SIZE_HIDDEN,
                                .projection = true,
                                .init = {NORN_CELL_FILL_DEFAULT, -1},
                                .line = at->line,
                                .column = at->column};
        const norn_status status = norn_parser_product(p, at, p->projection, p->x, &p->projected);
        if (status != NORN_OK) return status;
    }
    *node = p->projected;
    return NORN_OK;
}

norn_status norn_parser_operation(parser *p, const norn_token *at, norn_cell_op op, int a, int b, int *out)
{
    norn_status status = norn_parser_units(p, at, &a);
    if (status == NORN_OK) status = norn_parser_units(p, at, &b);
    if (status != NORN_OK) return status;
    const norn_cell_node *nodes = p->in_initial ? p->cell->initial : p->cell->nodes;
    norn_cell_node node = norn_parser_node_at(at, op, a, b);
    node.size = nodes[a].size;
    if (b >= 0) {
        if (!norn_parser_unify(p, nodes[a].size, nodes[b].size))
            return FAIL(p, *at, "the two sides of \"%s\" have different sizes, %s and %s",
                        norn_cell_op_name(op), norn_parser_size_name(p, nodes[a].size),
                        norn_parser_size_name(p, nodes[b].size));
        if (node.size == NORN_CELL_SCALAR) node.size = nodes[b].size;
    }
    return norn_parser_add(p, node, out);
}
