/*
 * The operations of formulas. Each is written so that it neither overflows nor loses digits where the plain
 * formula would: these are the numbers that kernels are compared with.
 */
#include "cell/ops.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    int operands;
    bool function; /* written name(a, b) */
} ops[NORN_CELL_OPS] = {
    [NORN_CELL_CONSTANT] = {"constant", 0, false},
    [NORN_CELL_INPUT] = {"x", 0, false},
    [NORN_CELL_STATE] = {"state", 0, false},
    [NORN_CELL_VECTOR] = {"vector", 0, false},
    [NORN_CELL_SYMBOL] = {"symbol", 0, false},
    [NORN_CELL_PRODUCT] = {"product", 1, false},
    [NORN_CELL_NEGATE] = {"negate", 1, false},
    [NORN_CELL_SIGMOID] = {"sigmoid", 1, true},
    [NORN_CELL_TANH] = {"tanh", 1, true},
    [NORN_CELL_RELU] = {"relu", 1, true},
    [NORN_CELL_EXP] = {"exp", 1, true},
    [NORN_CELL_LOG] = {"log", 1, true},
    [NORN_CELL_SOFTPLUS] = {"softplus", 1, true},
    [NORN_CELL_SILU] = {"silu", 1, true},
    [NORN_CELL_ABS] = {"abs", 1, true},
    [NORN_CELL_STOP] = {"stop", 1, true},
    [NORN_CELL_ADD] = {"+", 2, false},
    [NORN_CELL_SUBTRACT] = {"-", 2, false},
    [NORN_CELL_MULTIPLY] = {"*", 2, false},
    [NORN_CELL_DIVIDE] = {"/", 2, false},
    [NORN_CELL_MIN] = {"min", 2, true},
    [NORN_CELL_MAX] = {"max", 2, true},
    [NORN_CELL_POWER] = {"^", 2, false},
};

const char *norn_cell_op_name(norn_cell_op op)
{
    return ops[op].name;
}

int norn_cell_operands(norn_cell_op op)
{
    return ops[op].operands;
}

norn_cell_op norn_cell_function(const char *name, size_t length)
{
    for (size_t i = 0; i < NORN_CELL_OPS; i++)
        if (ops[i].function && strlen(ops[i].name) == length && memcmp(ops[i].name, name, length) == 0)
            return (norn_cell_op)i;
    return NORN_CELL_OPS;
}

static double sigmoid(double a)
{
    const double e = exp(-fabs(a));
    return a >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

double norn_cell_apply(norn_cell_op op, double a, double b)
{
    switch (op) {
    case NORN_CELL_NEGATE:
        return -a;
    case NORN_CELL_SIGMOID:
        return sigmoid(a);
    case NORN_CELL_TANH:
        return tanh(a);
    case NORN_CELL_RELU:
        return a > 0.0 ? a : a == a ? 0.0 : a; /* NaN stays NaN */
    case NORN_CELL_EXP:
        return exp(a);
    case NORN_CELL_LOG:
        return log(a);
    case NORN_CELL_SOFTPLUS:
        return (a > 0.0 ? a : 0.0) + log1p(exp(-fabs(a)));
    case NORN_CELL_SILU:
        return a * sigmoid(a);
    case NORN_CELL_ABS:
        return fabs(a);
    case NORN_CELL_STOP:
        return a;
    case NORN_CELL_ADD:
        return a + b;
    case NORN_CELL_SUBTRACT:
        return a - b;
    case NORN_CELL_MULTIPLY:
        return a * b;
    case NORN_CELL_DIVIDE:
        return a / b;
    case NORN_CELL_MIN:
        return b < a ? b : a;
    case NORN_CELL_MAX:
        return b > a ? b : a;
    case NORN_CELL_POWER:
        return pow(a, b);
    default:
        return NAN;
    }
}
