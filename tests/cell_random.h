/* Random formulas for the tests of cells: every operation occurs, and none is led out of its domain. */
#ifndef NORN_TESTS_CELL_RANDOM_H
#define NORN_TESTS_CELL_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* In [0, 1): SplitMix64. */
static inline double cell_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

typedef struct random_text {
    char *text;
    size_t size, used;
    uint64_t seed;
    int matrices, vectors, values; /* so far */
    int states;
    int plain; /* every product is of x or of the first state, and x is used in products only */
} random_text;

static inline unsigned pick(random_text *r, unsigned count)
{
    return (unsigned)(cell_random(&r->seed) * count);
}

static inline void put(random_text *r, const char *text)
{
    const size_t length = strlen(text);
    if (r->used + length + 1 > r->size) return;
    memcpy(r->text + r->used, text, length + 1);
    r->used += length;
}

static inline void put_numbered(random_text *r, const char *name, int number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%s%d", name, number);
    put(r, text);
}

static inline void random_value(random_text *r, int depth)
{
    /* %s: a value. log, exp and / are kept where their slopes are moderate. */
    static const char *const forms[] = {
        "sigmoid(%)",   "tanh(%)",   "relu(%)",    "silu(%)",          "softplus(%)",
        "abs(%)",       "stop(%)",   "-%",         "(% + %)",          "(% - %)",
        "%*%",          "max(%, %)", "min(%, %)",  "%/(1.5 + abs(%))", "log(1 + softplus(%))",
        "exp(-abs(%))", "0.5*%",     "(% + 0.25)",
    };
    enum { FORMS = sizeof forms / sizeof forms[0], MATRICES = 10, VECTORS = 6 };
    const unsigned leaf = pick(r, 10);
    if (depth <= 0 || leaf < 2) {
        if (leaf < 4 && r->values)
            put_numbered(r, "v", (int)pick(r, (unsigned)r->values));
        else if (leaf < 5 && !r->plain)
            put(r, "x");
        else if (leaf < 6 && r->vectors < VECTORS)
            put_numbered(r, "b", r->vectors++);
        else
            put_numbered(r, "s", (int)pick(r, (unsigned)r->states));
        return;
    }
    if (leaf < 5 && r->matrices < MATRICES) {
        put_numbered(r, "(W", r->matrices++);
        if (pick(r, 2)) {
            put(r, "*x)");
        } else if (r->plain) {
            put(r, "*s0)");
        } else {
            put(r, "*(");
            put_numbered(r, "s", (int)pick(r, (unsigned)r->states));
            put(r, "*");
            random_value(r, 0);
            put(r, "))");
        }
        return;
    }
    const char *form = forms[pick(r, FORMS)];
    for (; *form; form++) {
        const char letter[2] = {*form, '\0'};
        if (*form == '%')
            random_value(r, depth - 1);
        else
            put(r, letter);
    }
}

/* Writes a formula. Its matrices and vectors are declared behind the fact: the body is made first. */
static inline void random_cell(char *text, size_t size, uint64_t seed, int plain)
{
    char body[3072] = "";
    random_text r = {.text = body, .size = sizeof body, .seed = seed, .plain = plain};
    r.states = 1 + (int)pick(&r, 3);
    const int values = 1 + (int)pick(&r, 4);
    for (int i = 0; i < values; i++) {
        put_numbered(&r, "v", i);
        if (plain)
            put_numbered(&r, " = W", r.matrices++);
        else
            put(&r, " = x");
        put(&r, plain ? "*x + " : " + "); /* a value, not a constant */
        random_value(&r, 3);
        put(&r, "\n");
        r.values++;
    }
    for (int i = 0; i < r.states; i++) {
        put_numbered(&r, "s", i);
        put(&r, "' = tanh(");
        for (int k = 0; i == 0 && k < values; k++) { /* every value is used */
            put_numbered(&r, "v", k);
            put(&r, " + ");
        }
        random_value(&r, 3);
        put(&r, ")\n");
    }
    size_t used = (size_t)snprintf(text, size, "cell random\nstate ");
    for (int i = 0; i < r.states; i++)
        used += (size_t)snprintf(text + used, size - used, "%ss%d", i ? ", " : "", i);
    for (int i = 0; i < r.matrices; i++)
        used += (size_t)snprintf(text + used, size - used, "%sW%d", i ? ", " : "\nmatrix ", i);
    for (int i = 0; i < r.vectors; i++)
        used += (size_t)snprintf(text + used, size - used, "%sb%d", i ? ", " : "\nbias ", i);
    (void)snprintf(text + used, size - used, "\n%s", body);
}

#endif
