/* The operations of formulas: their names, and what they do to numbers. */
#ifndef NORN_SRC_CELL_OPS_H
#define NORN_SRC_CELL_OPS_H

#include "cell/cell.h"

/* Operands of an op: 0, 1 or 2. */
int norn_cell_operands(norn_cell_op op);

/* The function of this name ("sigmoid", "max"), or NORN_CELL_OPS. */
norn_cell_op norn_cell_function(const char *name, size_t length);

/* What an op other than a leaf or a product makes of numbers; b is not read where there is one operand. */
double norn_cell_apply(norn_cell_op op, double a, double b);

#endif
