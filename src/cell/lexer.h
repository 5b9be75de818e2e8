/* Words of a formula, one at a time, each with its place. */
#ifndef NORN_SRC_CELL_LEXER_H
#define NORN_SRC_CELL_LEXER_H

#include "base/base.h"
#include "data/cell.h"

typedef enum norn_token_kind {
    NORN_TOKEN_END,
    NORN_TOKEN_LINE, /* the end of a line; none within parentheses, never two in a row */
    NORN_TOKEN_NAME,
    NORN_TOKEN_PRIMED, /* a name with ' behind it; the text is without */
    NORN_TOKEN_NUMBER,
    NORN_TOKEN_SIGN /* one character: + - * / ^ ( ) [ ] , = */
} norn_token_kind;

typedef struct norn_token {
    norn_token_kind kind;
    const char *text; /* in the formula */
    size_t length;
    double value; /* of a NUMBER */
    int line, column;
} norn_token;

typedef struct norn_lexer {
    const char *at, *end, *line_begin, *file;
    int line;
    int open;   /* parentheses that wait for their end */
    bool fresh; /* nothing stands on this line yet */
    const norn_numbers *numbers;
    norn_error *err;
} norn_lexer;

/* NORN_ERR_DATA for a character that no formula has, or a number that is none. */
norn_status norn_lexer_next(norn_lexer *lexer, norn_token *out);

#endif
