"""Golden values of recurrent cells, computed by PyTorch in float64 and written to tests/golden/cells.h.

    python3 tools/golden_cells.py     (beside tools/golden.py, whose numbers and formats it shares)
"""
import os

import torch

from golden import HERE, Draw, doubles, lines, on_grid

CELLS = os.path.join(HERE, "..", "tests", "golden", "cells.h")

# ---- cells as formulas ----------------------------------------------------------------------------------------

# PyTorch's blocks of rows by the names of kernels/cells/, each block with a matrix W of the input and U of the state.
BLOCKS = {"lstm": "ifgo", "lstm_projection": "ifgo", "gru": "rzn", "elman": " ", "elman_relu": " "}


def in_order(cell, layer, gradients):
    """Parameters, or their gradients, in the order of the formula: W, U of each block, V, biases."""
    get = lambda parameter: parameter.grad if gradients else parameter.detach()
    H, count = layer.hidden_size, len(BLOCKS[cell])
    block = lambda name, k: get(getattr(layer, name + "_l0"))[k * H : (k + 1) * H]
    parts = [block(name, k).flatten() for k in range(count) for name in ("weight_ih", "weight_hh")]
    if cell == "lstm_projection":
        parts.append(get(layer.weight_hr_l0).flatten())
    for k in range(count):
        alone = gradients or (cell == "gru" and k == 2)  # of a sum each has the whole gradient
        parts.append(block("bias_ih", k) + (0 if alone else block("bias_hh", k)))
    if cell == "gru":
        parts.append(block("bias_hh", 2))
    return torch.cat(parts)


def cell_case(cell, seed, shape):
    T, B, I, H = shape
    draw = Draw(seed)
    make = {
        "lstm": lambda: torch.nn.LSTM(I, H),
        "lstm_projection": lambda: torch.nn.LSTM(I, H, proj_size=(H + 1) // 2),
        "gru": lambda: torch.nn.GRU(I, H),
        "elman": lambda: torch.nn.RNN(I, H, nonlinearity="tanh"),
        "elman_relu": lambda: torch.nn.RNN(I, H, nonlinearity="relu"),
    }
    layer = make[cell]()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw.uniform(*parameter.shape, scale=1.25 / H**0.5 + 0.25))
    x = draw.uniform(T, B, I, scale=1.5).requires_grad_()
    widths = {"lstm": [H, H], "lstm_projection": [(H + 1) // 2, H]}.get(cell, [H])
    initial = [draw.uniform(1, B, width).requires_grad_() for width in widths]
    out, last = layer(x, tuple(initial) if len(initial) > 1 else initial[0])
    last = list(last) if len(initial) > 1 else [last]
    dout = draw.uniform(*out.shape)
    dlast = [draw.uniform(*state.shape) for state in last]
    (sum((a * b).sum() for a, b in zip(last, dlast)) + (out * dout).sum()).backward()
    row = lambda states: torch.cat([state[0].detach() for state in states], dim=1)  # [B][states]

    name = f"{cell}_{T}_{B}_{I}_{H}"
    text = on_grid(f"{name}_x", x) + on_grid(f"{name}_parameters", in_order(cell, layer, False))
    text += on_grid(f"{name}_initial", row(initial)) + on_grid(f"{name}_dout", dout)
    text += on_grid(f"{name}_dlast", row(dlast)) + doubles(f"{name}_out", out) + doubles(f"{name}_last", row(last))
    text += doubles(f"{name}_gradients", in_order(cell, layer, True)) + doubles(f"{name}_dx", x.grad)
    text += doubles(f"{name}_dinitial", row([state.grad for state in initial]))
    fields = "x parameters initial dout dlast out last gradients dx dinitial".split()
    return text, f'    {{"{cell}", {T}, {B}, {I}, {H},\n' + lines(f"{name}_{field}" for field in fields) + "},\n"


CELLS_HEAD = """\
/*
 * Golden values of recurrent cells: made by tools/golden.py with PyTorch %s in float64. Do not edit.
 *
 * Arrays of short hold whole numbers of 1/256. Parameters and gradients stand in the order of the formula in
 * kernels/cells/: matrices, then vectors.
 */
// clang-format off
#ifndef NORN_TESTS_GOLDEN_CELLS_H
#define NORN_TESTS_GOLDEN_CELLS_H

#include <stddef.h>

"""

CELLS_TYPES = """\
static const struct golden_cell {
    const char *name;
    size_t steps, rows, inputs, hidden; /* T, B, I, H */
    const short *x;                     /* [T][B][I] grid */
    const short *parameters;            /* grid */
    const short *initial;               /* [B][states] grid */
    const short *dout;                  /* [T][B][outputs] grid */
    const short *dlast;                 /* [B][states] grid */
    const double *out;                  /* [T][B][outputs] */
    const double *last;                 /* [B][states] */
    const double *gradients;            /* of every parameter */
    const double *dx;                   /* [T][B][I] */
    const double *dinitial;             /* [B][states] */
} golden_cells[] = {
%s};

#endif
"""


def write_cells():
    small = lambda cell: (1, 1, 1, 2 if cell == "lstm_projection" else 1)  # PyTorch refuses to project 1 unit
    cases = [cell_case(cell, 50 + k, small(cell)) for k, cell in enumerate(BLOCKS)]
    cases += [cell_case(cell, 60 + k, (3, 2, 3, 5)) for k, cell in enumerate(BLOCKS)]
    cases += [cell_case(cell, 90 + k, (33, 2, 3, 16)) for k, cell in enumerate(("lstm", "gru", "elman"))]
    text = CELLS_HEAD % torch.__version__.split("+")[0] + "\n".join(case[0] for case in cases) + "\n"
    text += CELLS_TYPES % "".join(case[1] for case in cases)
    with open(CELLS, "w", encoding="ascii") as out:
        out.write(text)
    print(f"{os.path.relpath(CELLS)}: {len(text)} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    write_cells()
