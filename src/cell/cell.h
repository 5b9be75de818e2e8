/*
 * Recurrent cells as formulas. A text of some ten lines says what one step of a cell computes; reading it
 * gives a graph in which every node is one operation and stands behind the nodes it uses. docs/cells.md is
 * the language; kernels/cells/ holds the cells of the literature.
 *
 *     norn_cell_read     text -> graph              (lexer.c, parse.c, build.c)
 *     norn_cell_bind     graph + sizes -> shapes    (bind.c)
 *     norn_cell_run      the reference: one layer over time in double precision, and its gradients
 * (interpret.c) norn_cell_check    these gradients against finite differences (check.c)
 *
 * A formula is data of unknown origin: every table here has a fixed length, and a text that needs more is
 * refused.
 *
 * Letters: T steps, B rows of a batch, I inputs, H units.
 */
#ifndef NORN_SRC_CELL_CELL_H
#define NORN_SRC_CELL_CELL_H

#include "base/base.h"

enum {
    NORN_CELL_TEXT = 64 * 1024, /* bytes of a formula */
    NORN_CELL_DEPTH = 64,       /* operations within each other */
    NORN_CELL_MATRICES = 32,    /* and the input's projection */
    NORN_CELL_VECTORS = 64,     /* biases, diagonals, learned initial states */
    NORN_CELL_STATES = 8,
    NORN_CELL_STAGES = 8,
    NORN_CELL_SIZES = 8,
    NORN_CELL_NODES = 1024,
    NORN_CELL_NAME = 32 /* bytes of a name with its end */
};

typedef enum norn_cell_op {
    /* leaves */
    NORN_CELL_CONSTANT,
    NORN_CELL_INPUT,  /* x */
    NORN_CELL_STATE,  /* before the step */
    NORN_CELL_VECTOR, /* a bias or a diagonal */
    NORN_CELL_SYMBOL, /* of initial values only: norn_cell_symbol */
    /* of one operand */
    NORN_CELL_PRODUCT, /* matrix * a */
    NORN_CELL_NEGATE,
    NORN_CELL_SIGMOID,
    NORN_CELL_TANH,
    NORN_CELL_RELU,
    NORN_CELL_EXP,
    NORN_CELL_LOG,
    NORN_CELL_SOFTPLUS,
    NORN_CELL_SILU,
    NORN_CELL_ABS,
    NORN_CELL_STOP, /* a, with no gradient through it */
    /* of two */
    NORN_CELL_ADD,
    NORN_CELL_SUBTRACT,
    NORN_CELL_MULTIPLY,
    NORN_CELL_DIVIDE,
    NORN_CELL_MIN, /* of equals the first */
    NORN_CELL_MAX,
    NORN_CELL_POWER, /* of initial values only */
    NORN_CELL_OPS
} norn_cell_op;

/* What initial values and sizes may be computed from. */
typedef enum norn_cell_symbol {
    NORN_CELL_UNITS,      /* length of the vector, or rows of the matrix */
    NORN_CELL_UNIT,       /* place in it, from 0 */
    NORN_CELL_HEAD_UNITS, /* units of a head */
    NORN_CELL_HEAD_UNIT,  /* place in its head, from 0 */
    NORN_CELL_HEADS,
    NORN_CELL_INPUTS, /* I */
    NORN_CELL_HIDDEN, /* H */
    NORN_CELL_SYMBOLS
} norn_cell_symbol;

enum { NORN_CELL_SCALAR = -1 }; /* the size of a constant: goes with any other */

typedef struct norn_cell_node {
    norn_cell_op op;
    int a, b;     /* operands, nodes before this one; -1: none */
    int index;    /* which state, vector, matrix or symbol */
    int size;     /* place in norn_cell.sizes, or NORN_CELL_SCALAR */
    int level;    /* products one after the other that must be done before the value is there */
    double value; /* of a CONSTANT */
    int line, column;
} norn_cell_node;

/* Initial values. */
typedef enum norn_cell_fill {
    NORN_CELL_FILL_DEFAULT, /* uniform in +-1/sqrt(H), as PyTorch has it; a state: 0 */
    NORN_CELL_FILL_VALUE,   /* an expression, computed for each unit */
    NORN_CELL_FILL_UNIFORM, /* uniform in +-expression */
    NORN_CELL_FILL_NORMAL   /* normal with this deviation */
} norn_cell_fill;

typedef struct norn_cell_init {
    norn_cell_fill fill;
    int root; /* in norn_cell.initial, or -1 */
} norn_cell_init;

typedef struct norn_cell_size {
    char name[NORN_CELL_NAME];
    int root; /* its value, in norn_cell.initial; -1: given from outside */
    int line, column;
} norn_cell_size;

enum { NORN_CELL_SIZE_INPUTS, NORN_CELL_SIZE_HIDDEN, NORN_CELL_SIZE_HEADS, NORN_CELL_SIZE_NAMED };

typedef struct norn_cell_state {
    char name[NORN_CELL_NAME];
    int size;            /* place in sizes */
    norn_cell_init init; /* the same for all rows */
    int learned;         /* the vector that holds the initial state, or -1 */
    int next;            /* node of its new value */
    int line, column;
} norn_cell_state;

typedef struct norn_cell_matrix {
    char name[NORN_CELL_NAME];
    int rows, columns; /* places in sizes */
    bool heads;        /* block-diagonal, a block a head */
    bool projection;   /* of the input, made by the compiler; absent where I is the size asked for */
    int product;       /* the node it stands in */
    norn_cell_init init;
    int line, column;
} norn_cell_matrix;

typedef enum norn_cell_role { NORN_CELL_BIAS, NORN_CELL_DIAGONAL, NORN_CELL_INITIAL } norn_cell_role;

typedef struct norn_cell_vector {
    char name[NORN_CELL_NAME];
    norn_cell_role role;
    int size; /* place in sizes */
    norn_cell_init init;
    int line, column;
} norn_cell_vector;

typedef struct norn_cell {
    norn_host host;
    char name[NORN_CELL_NAME];
    char *text;    /* as it was read; for model files */
    size_t length; /* of text */
    norn_cell_size sizes[NORN_CELL_SIZES];
    norn_cell_state states[NORN_CELL_STATES];
    norn_cell_matrix matrices[NORN_CELL_MATRICES + 1];
    norn_cell_vector vectors[NORN_CELL_VECTORS];
    norn_cell_node *nodes, *initial; /* [NORN_CELL_NODES] each */
    size_t size_count, state_count, matrix_count, vector_count, node_count, initial_count;
    int out; /* node of the layer's output */
} norn_cell;

/*
 * Reads a formula. `file` names it in errors. NORN_ERR_DATA with line, column (in bytes, from 1) and what was
 * expected; NORN_ERR_MEMORY. text need not end in 0 and is copied.
 */
norn_status norn_cell_read(norn_cell **out, const char *text, size_t length, const char *file,
                           const norn_host *host, norn_error *err);
void norn_cell_free(norn_cell *cell);

const char *norn_cell_op_name(norn_cell_op op); /* "sigmoid", "+", ... as the language has them */

/* ---- the cells that come with the library (builtin.c) ----------------------------------------------------
 */

size_t norn_cell_builtin_count(void);
const char *norn_cell_builtin_name(size_t index);     /* in alphabetical order */
const char *norn_cell_builtin_text(const char *name); /* NULL: there is none of that name */

/* ---- cells by a word (named.c) ---------------------------------------------------------------------------
 */

enum { NORN_CELL_TITLE = NORN_CELL_NAME + 8 };

/* The cell of that name, else of the file of that name. NORN_ERR_USAGE: there is neither; NORN_ERR_INPUT: the
 * file cannot be read; and the errors of norn_cell_read. */
norn_status norn_cell_named(norn_cell **out, const char *word, const norn_host *host, norn_error *err);
/* Is the word no name, but looks like a file (it has a dot or a slash)? */
bool norn_cell_is_file(const char *word);
/* What a column or a title calls it: "GRU", "LSTM_peephole"; a user's own as it calls itself, else "cell".
 * NULL: the LSTM. */
void norn_cell_title(const norn_cell *cell, char out[NORN_CELL_TITLE]);

/* ---- shapes ----------------------------------------------------------------------------------------------
 */

/* A tensor of the parameters: [rows][columns], or [heads][rows / heads][columns / heads]; a vector has one
 * column. All are parts of one array. */
typedef struct norn_cell_tensor {
    size_t rows, columns, heads; /* heads 1: dense */
    size_t offset, count;        /* count 0: absent (a projection that is not needed) */
} norn_cell_tensor;

typedef struct norn_cell_shape {
    const norn_cell *cell;        /* borrowed */
    size_t inputs, hidden;        /* I, H */
    size_t size[NORN_CELL_SIZES]; /* of every name */
    norn_cell_tensor matrix[NORN_CELL_MATRICES + 1], vector[NORN_CELL_VECTORS];
    size_t parameters;                 /* numbers in all: matrices, then vectors, in order of declaration */
    size_t state_at[NORN_CELL_STATES]; /* where a state begins in a row of all states */
    size_t states;                     /* numbers in that row */
    size_t outputs;                    /* width of the output */
} norn_cell_shape;

/* heads 0: what the formula says. NORN_ERR_USAGE when a size is not a whole number from 1 to 2^20, or cannot
 * be divided into heads. */
norn_status norn_cell_bind(norn_cell_shape *out, const norn_cell *cell, size_t inputs, size_t hidden,
                           size_t heads, norn_error *err);

/* The initial value at one place of a vector or state: FILL_VALUE's value, else its bound (0 where there is
 * none). units: length of the vector. */
double norn_cell_initial(const norn_cell_shape *shape, norn_cell_init init, size_t units, size_t unit);

/* ---- the interpreter -------------------------------------------------------------------------------------
 */

/*
 * One layer over T steps for B rows in double precision. A masked step keeps the states of its row and gives
 * its output again (0 before the first). Arrays marked NULL may be absent.
 */
typedef struct norn_cell_layer {
    const norn_cell_shape *shape;
    size_t steps, rows;        /* T, B */
    const double *x;           /* [T][B][I] */
    const double *parameters;  /* [parameters] */
    const double *initial;     /* [B][states] states before the first step; NULL: the formula's */
    const unsigned char *mask; /* [T][B] 0: the row skips the step; NULL: none does */
    double *out;               /* [T][B][outputs] result */
    double *states;            /* [T + 1][B][states] result, slot 0 the initial ones; NULL: not wanted */
    /* backward; all NULL: forward only */
    const double *dout;  /* [T][B][outputs] gradient at each output; NULL: zero */
    const double *dlast; /* [B][states] gradient at the last states; NULL: zero */
    double *dparameters; /* [parameters] added to; NULL: forward only */
    double *dx;          /* [T][B][I] result; NULL: not wanted */
    double *dinitial;    /* [B][states] result, 0 where the formula's states were taken; NULL: not wanted */
    /* for finite differences */
    double *stopped;   /* [T][B][stops] values that passed stop(); NULL: not wanted */
    bool held;         /* stop() gives the numbers of `stopped` in place of its operand's */
    uint64_t branches; /* result: a hash of which side of every kink was taken */
} norn_cell_layer;

size_t norn_cell_stops(const norn_cell_shape *shape); /* numbers that pass stop() in one step of a row */

/* NORN_ERR_MEMORY. */
norn_status norn_cell_run(norn_cell_layer *layer, norn_error *err);

typedef struct norn_cell_verdict {
    size_t compared, skipped; /* derivatives; skipped where a kink flips within the step */
    double worst;   /* largest |gradient - difference| over the largest gradient of its tensor, or 1 */
    char where[64]; /* the tensor it was in */
} norn_cell_verdict;

/* Compares the gradients of every parameter, input and initial state with central differences, on random
 * numbers from a seed. */
norn_status norn_cell_check(norn_cell_verdict *out, const norn_cell_shape *shape, size_t steps, size_t rows,
                            uint64_t seed, norn_error *err);

#endif
