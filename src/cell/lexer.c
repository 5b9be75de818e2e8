/*
 * Words of a formula. Blanks and comments (# to the end of the line) separate; the end of a line ends a
 * statement, except within parentheses. Names are ASCII letters, digits and _, with a prime at most;
 * everything else that is not ASCII may stand in comments only, so that no two names look alike.
 */
#include "cell/lexer.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static norn_status fail(const norn_lexer *lexer, const char *at, const char *what, size_t length)
{
    char quoted[96];
    (void)norn_quote(quoted, sizeof quoted, at, length, 40);
    return norn_fail_at(lexer->err, NORN_ERR_DATA, lexer->file, (uint64_t)lexer->line,
                        (uint64_t)(at - lexer->line_begin) + 1, "%s, found \"%s\"", what, quoted);
}

/* Blanks, comments, and ends of lines that mean nothing. True when a line ended that had something on it. */
static bool skip(norn_lexer *lexer)
{
    bool ended = false;
    while (lexer->at < lexer->end) {
        const char c = *lexer->at;
        if (c == '#') {
            while (lexer->at < lexer->end && *lexer->at != '\n' && *lexer->at != '\0') lexer->at++;
        } else if (c == '\n') {
            if (!lexer->fresh && lexer->open == 0) {
                ended = true;
                break;
            }
            lexer->at++;
            lexer->line++;
            lexer->line_begin = lexer->at;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            lexer->at++;
        } else {
            break;
        }
    }
    return ended;
}

static norn_status number(norn_lexer *lexer, norn_token *out)
{
    const char *at = lexer->at;
    while (at < lexer->end && (is_digit(*at) || *at == '.')) at++;
    if (at < lexer->end && (*at == 'e' || *at == 'E')) {
        const char *digits = at + 1;
        if (digits < lexer->end && (*digits == '+' || *digits == '-')) digits++;
        if (digits < lexer->end && is_digit(*digits)) {
            at = digits;
            while (at < lexer->end && is_digit(*at)) at++;
        }
    }
    while (at < lexer->end && is_letter(*at)) at++; /* 3x is no number and no product */
    out->kind = NORN_TOKEN_NUMBER;
    out->length = (size_t)(at - lexer->at);
    if (!norn_number_parse(lexer->numbers, lexer->at, out->length, &out->value))
        return fail(lexer, lexer->at, "expected a number", out->length);
    lexer->at = at;
    return NORN_OK;
}

norn_status norn_lexer_next(norn_lexer *lexer, norn_token *out)
{
    const bool ended = skip(lexer);
    *out = (norn_token){
        .text = lexer->at, .line = lexer->line, .column = (int)(lexer->at - lexer->line_begin) + 1};
    if (ended || (lexer->at == lexer->end && !lexer->fresh)) {
        out->kind = NORN_TOKEN_LINE;
        lexer->fresh = true;
        return NORN_OK;
    }
    if (lexer->at == lexer->end) {
        out->kind = NORN_TOKEN_END;
        return NORN_OK;
    }
    lexer->fresh = false;
    const char c = *lexer->at;
    if (is_digit(c) || c == '.') return number(lexer, out);
    if (is_letter(c)) {
        while (lexer->at < lexer->end && (is_letter(*lexer->at) || is_digit(*lexer->at))) lexer->at++;
        out->length = (size_t)(lexer->at - out->text);
        out->kind = NORN_TOKEN_NAME;
        if (lexer->at < lexer->end && *lexer->at == '\'') {
            out->kind = NORN_TOKEN_PRIMED;
            lexer->at++;
        }
        return NORN_OK;
    }
    if (c == '\0' || !strchr("+-*/^()[],=", c)) {
        const unsigned char *bytes = (const unsigned char *)lexer->at;
        size_t length = 1; /* of the whole character, where it is UTF-8 */
        while (bytes[0] >= 0xc0 && length < 4 && lexer->at + length < lexer->end &&
               (bytes[length] & 0xc0) == 0x80)
            length++;
        return fail(lexer, lexer->at, "expected a name, a number or a sign", length);
    }
    if (c == '(') lexer->open++;
    if (c == ')' && lexer->open > 0) lexer->open--;
    out->kind = NORN_TOKEN_SIGN;
    out->length = 1;
    lexer->at++;
    return NORN_OK;
}
