/*
 * What parse.c builds with: the state of a reading, its words, sizes, names and nodes (build.c).
 */
#ifndef NORN_SRC_CELL_PARSER_H
#define NORN_SRC_CELL_PARSER_H

#include "cell/cell.h"
#include "cell/lexer.h"

typedef enum name_kind { A_VALUE, A_SIZE, A_STATE, A_MATRIX, A_VECTOR } name_kind;

typedef struct named {
    char name[NORN_CELL_NAME];
    name_kind kind;
    int index; /* of the node, size, state, ... */
    bool used;
    int line, column;
} named;

enum { VARIABLES = NORN_CELL_SIZES + 2 * (NORN_CELL_MATRICES + 1) + NORN_CELL_VECTORS };

typedef struct parser {
    norn_lexer lexer;
    norn_token token; /* the one to be read next */
    norn_cell *cell;
    named names[NORN_CELL_NODES];
    size_t name_count;
    /* sizes: variable i < NORN_CELL_SIZES is the size i itself */
    int parent[VARIABLES], variable_count;
    bool in_initial; /* within an initial value: symbols in place of values */
    int depth;
    int x, projected; /* nodes of the input, by itself and projected to H; -1: not asked for yet */
    int projection;   /* its matrix */
    norn_error *err;
} parser;

#define FAIL(p, token, ...) norn_parser_fail_at(p, (token).line, (token).column, __VA_ARGS__)

/* NORN_ERR_DATA at a place of the formula. */
norn_status norn_parser_fail_at(parser *p, int line, int column, const char *format, ...) NORN_PRINTF(4, 5);
/* "expected WHAT, found ..." at the token that stands next. */
norn_status norn_parser_expected(parser *p, const char *what);

/* Words: the next token; is it this word; take it if it is; it must be it, else "expected WHAT". */
norn_status norn_parser_next(parser *p);
bool norn_parser_is_word(const norn_token *token, const char *word);
bool norn_parser_take(parser *p, const char *word, norn_status *status);
norn_status norn_parser_need(parser *p, const char *word, const char *what);

/* Sizes: which variable stands for this one; a new one; make two one (false: they are two different sizes).
 */
int norn_parser_root_of(parser *p, int variable);
int norn_parser_new_variable(parser *p);
bool norn_parser_unify(parser *p, int a, int b);
const char *norn_parser_size_name(parser *p, int variable);

/* Names: the one of a token, or NULL; whether it means something already; a new one, its text to name_out
 * too. */
named *norn_parser_find(parser *p, const norn_token *token);
bool norn_parser_is_reserved(const norn_token *token);
norn_status norn_parser_enter(parser *p, const norn_token *token, name_kind kind, int index, char *name_out);

/* Nodes. add finds one that is the same; units puts the projection of the input in its place where it is used
 * unit by unit. */
norn_cell_node norn_parser_node_at(const norn_token *token, norn_cell_op op, int a, int b);
norn_status norn_parser_add(parser *p, norn_cell_node node, int *out);
norn_status norn_parser_product(parser *p, const norn_token *at, int matrix, int operand, int *out);
norn_status norn_parser_units(parser *p, const norn_token *at, int *node);
norn_status norn_parser_operation(parser *p, const norn_token *at, norn_cell_op op, int a, int b, int *out);

#endif
