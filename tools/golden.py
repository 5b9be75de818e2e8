#!/usr/bin/env python3
"""Golden values of LSTM networks and of recurrent cells, computed by PyTorch in float64 and written to
tests/golden/lstm.h and tests/golden/cells.h.

Run by hand when a case is added; needs PyTorch, which nothing else of Norn does:

    python3 tools/golden.py

Inputs and parameters are drawn on a grid of 1/256, so that float kernels see the very same numbers and the file stays
small: they are stored as whole numbers of 1/256. Results have 17 digits. Each gate has a level of its own in its
weights and biases, so that no two gates can be swapped unseen.

Parameters and their gradients stand in the order of norn_reference_layout (src/nn/reference.h): for each layer
weight_ih [4H][I], weight_hh [4H][H], bias [4H], then the head's weight [O][H] and bias [O]. bias is the sum of PyTorch's
two; both are non-zero here and have the same gradient.
"""

import os
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

GRID = 256
HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "tests", "golden", "lstm.h")
CELLS = os.path.join(HERE, "..", "tests", "golden", "cells.h")
GATE_SHIFT = {"weight": (0.0, 0.125, -0.1875, 0.25), "bias": (0.375, 0.75, -0.25, -0.5)}


class Draw:
    """Random numbers on the grid, one generator a case."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, *shape, scale=1.0):
        value = (torch.rand(*shape, generator=self.generator) * 2 - 1) * scale
        return torch.round(value * GRID) / GRID

    def keep(self, *shape, p):
        return (torch.rand(*shape, generator=self.generator) >= p).double() / (1 - p)

    def gates(self, *shape, kind, scale):
        """[4H] or [4H][K] with a level of its own for each of i, f, g, o."""
        value = self.uniform(*shape, scale=scale)
        rows = shape[0] // 4
        # A weight's shift is shared out over the columns, else the sums of wide layers saturate.
        share = 2 / shape[1] ** 0.5 if kind == "weight" else 1.0
        for gate, shift in enumerate(GATE_SHIFT[kind]):
            value[gate * rows : (gate + 1) * rows] += round(shift * share * GRID) / GRID
        return value


def fill_lstm(draw, lstm):
    """Draws every parameter of an nn.LSTM."""
    scale = 1.25 / lstm.hidden_size**0.5
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            kind = "weight" if "weight" in name else "bias"
            value = draw.gates(*parameter.shape, kind=kind, scale=scale)
            if "bias_hh" in name:  # the levels are in bias_ih
                value = draw.uniform(*parameter.shape, scale=scale)
            parameter.copy_(value)


def layer_parameters(lstm, suffix):
    """weight_ih, weight_hh, bias of one layer (suffix "l0", "l0_reverse"), flat."""
    get = lambda name: getattr(lstm, f"{name}_{suffix}").detach()
    return torch.cat([get("weight_ih").flatten(), get("weight_hh").flatten(), get("bias_ih") + get("bias_hh")])


def layer_gradients(lstm, suffix):
    get = lambda name: getattr(lstm, f"{name}_{suffix}").grad
    assert torch.allclose(get("bias_ih"), get("bias_hh"), rtol=1e-13, atol=1e-15)  # summed in another order
    return torch.cat([get("weight_ih").flatten(), get("weight_hh").flatten(), get("bias_ih")])


# ---- writing C ------------------------------------------------------------------------------------------------


def lines(items):
    out, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 108:
            out.append(line)
            line = "   "
        line += " " + item + ","
    return "\n".join(out + [line])


def on_grid(name, tensor):
    scaled = tensor.detach().flatten() * GRID
    assert torch.equal(scaled, torch.round(scaled)), name
    return f"static const short {name}[] = {{\n{lines(str(int(v)) for v in scaled.tolist())}\n}};\n"


def bytes_of(name, tensor):
    return f"static const unsigned char {name}[] = {{\n{lines(str(int(v)) for v in tensor.flatten().tolist())}\n}};\n"


def number(v):
    return "NAN" if v != v else "%.17g" % v


def doubles(name, tensor):
    items = [number(v) for v in tensor.detach().flatten().tolist()]
    items = [i if i == "NAN" or "." in i or "e" in i else i + ".0" for i in items]
    return f"static const double {name}[] = {{\n{lines(items)}\n}};\n"


# ---- whole networks -------------------------------------------------------------------------------------------


def masked_loss(kind, prediction, target, weight):
    """Sum over the targets that exist in rows of weight 1, over (number of these rows) * O."""
    rows = weight.bool()
    there = ~torch.isnan(target) & rows[:, None]
    function = {
        "MSE": torch.nn.functional.mse_loss,
        "MAE": torch.nn.functional.l1_loss,
        "HUBER": lambda a, b, reduction: torch.nn.functional.huber_loss(a, b, reduction=reduction, delta=1.0),
    }[kind]
    return function(prediction[there], target[there], reduction="sum") / (rows.sum() * target.shape[1])


def network_case(name, seed, shape, loss, dropout=0.0, missing=False, target_scale=2.0):
    T, B, F, H, L, O = shape
    draw = Draw(seed)
    x = draw.uniform(T, B, F, scale=1.5).requires_grad_()
    target = draw.uniform(B, O, scale=target_scale)
    weight = torch.ones(B)
    if missing:  # one target missing in a row that counts, one row that does not count
        target[0, O - 1] = float("nan")
        weight[B - 1] = 0
    head = torch.nn.Linear(H, O)
    with torch.no_grad():
        head.weight.copy_(draw.uniform(O, H, scale=0.75))
        head.bias.copy_(draw.uniform(O, scale=0.5))

    if dropout:
        # nn.LSTM draws its own masks; single layers with given multipliers between them are the same network.
        layers = [torch.nn.LSTM(F if l == 0 else H, H) for l in range(L)]
        for layer in layers:
            fill_lstm(draw, layer)
        keep = draw.keep(L - 1, T, B, H, p=dropout)
        fed = x
        for l, layer in enumerate(layers):
            output, _ = layer(fed)
            fed = output * keep[l] if l + 1 < L else output
        parts = [(layer, "l0") for layer in layers]
    else:
        lstm = torch.nn.LSTM(F, H, num_layers=L)
        fill_lstm(draw, lstm)
        output, _ = lstm(x)
        keep = None
        parts = [(lstm, f"l{l}") for l in range(L)]

    prediction = head(output[-1])
    value = masked_loss(loss, prediction, target, weight)
    value.backward()
    if loss == "HUBER":  # both of its pieces must be in use
        size = (prediction - target).abs()
        assert (size < 1).any() and (size > 1).any()

    parameters = torch.cat([layer_parameters(*p) for p in parts] + [head.weight.flatten(), head.bias]).detach()
    gradients = torch.cat([layer_gradients(*p) for p in parts] + [head.weight.grad.flatten(), head.bias.grad])
    assert gradients.abs().max() > 0.01
    text = on_grid(f"{name}_x", x) + on_grid(f"{name}_parameters", parameters)
    if keep is not None:
        text += on_grid(f"{name}_dropout", keep)
    text += doubles(f"{name}_target", target) + bytes_of(f"{name}_weight", weight)
    text += doubles(f"{name}_output", output) + doubles(f"{name}_prediction", prediction)
    text += doubles(f"{name}_gradients", gradients) + doubles(f"{name}_dx", x.grad)
    names = f"{name}_" + f", {name}_".join("target weight output prediction".split())
    return text, (
        f'    {{"{name}", {T}, {B}, {F}, {H}, {L}, {O}, NORN_LOSS_{loss}, {name}_x, {name}_parameters,\n'
        f'     {name + "_dropout" if keep is not None else "NULL"}, {names},\n'
        f"     {number(value.item())}, {name}_gradients, {name}_dx}},\n"
    )


# ---- a layer in both directions, with initial states ----------------------------------------------------------


def directions_case(name, seed, shape, lengths=None):
    """nn.LSTM(bidirectional=True); with lengths as a packed sequence, whose rows end early."""
    T, B, I, H = shape
    draw = Draw(seed)
    lstm = torch.nn.LSTM(I, H, bidirectional=True)
    fill_lstm(draw, lstm)
    x = draw.uniform(T, B, I, scale=1.5).requires_grad_()
    h0 = draw.uniform(2, B, H, scale=0.75).requires_grad_()
    c0 = draw.uniform(2, B, H).requires_grad_()
    dh, dh_last, dc_last = draw.uniform(T, B, 2, H), draw.uniform(2, B, H), draw.uniform(2, B, H)
    mask = torch.ones(T, B)
    if lengths:
        for b, length in enumerate(lengths):
            mask[length:, b] = 0
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        output, (h_last, c_last) = lstm(packed, (h0, c0))
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, total_length=T)
    else:
        output, (h_last, c_last) = lstm(x, (h0, c0))
    output = output.reshape(T, B, 2, H)
    dh = dh * mask[:, :, None, None]  # nothing flows back from a step that is not there
    ((output * dh).sum() + (h_last * dh_last).sum() + (c_last * dc_last).sum()).backward()

    text = on_grid(f"{name}_x", x) + bytes_of(f"{name}_mask", mask)
    entries = ""
    for d, suffix in enumerate(("l0", "l0_reverse")):
        p = f"{name}_{suffix}"
        text += on_grid(f"{p}_parameters", layer_parameters(lstm, suffix))
        text += on_grid(f"{p}_h0", h0[d]) + on_grid(f"{p}_c0", c0[d]) + on_grid(f"{p}_dh", dh[:, :, d])
        text += on_grid(f"{p}_dh_last", dh_last[d]) + on_grid(f"{p}_dc_last", dc_last[d])
        text += doubles(f"{p}_output", output[:, :, d])
        text += doubles(f"{p}_h_last", h_last[d]) + doubles(f"{p}_c_last", c_last[d])
        text += doubles(f"{p}_gradients", layer_gradients(lstm, suffix))
        text += doubles(f"{p}_dh0", h0.grad[d]) + doubles(f"{p}_dc0", c0.grad[d])
        fields = "parameters h0 c0 dh dh_last dc_last output h_last c_last gradients dh0 dc0".split()
        entries += "    {\n" + lines(f"{p}_{field}" for field in fields) + "\n    },\n"
    text += doubles(f"{name}_dx", x.grad)
    entry = f'    {{"{name}", {T}, {B}, {I}, {H}, {name}_x, {name}_mask, {name}_dx, {{\n{entries}    }}}},\n'
    return text, entry


# ---- Adam with clipping ---------------------------------------------------------------------------------------


def adam_case(name, seed, shape, steps, rate, max_norm):
    """Trains on one batch. bias_hh stays 0: Adam moves each of PyTorch's two biases by itself, ours is one."""
    T, B, F, H, L, O = shape
    draw = Draw(seed)
    lstm, head = torch.nn.LSTM(F, H), torch.nn.Linear(H, O)
    fill_lstm(draw, lstm)
    x, target = draw.uniform(T, B, F, scale=1.5), draw.uniform(B, O, scale=0.75)
    with torch.no_grad():
        lstm.bias_hh_l0.zero_()
        head.weight.copy_(draw.uniform(O, H, scale=0.75))
        head.bias.copy_(draw.uniform(O, scale=0.5))
    lstm.bias_hh_l0.requires_grad_(False)
    trained = [p for p in [*lstm.parameters(), *head.parameters()] if p.requires_grad]
    everything = lambda: torch.cat([p.detach().flatten() for p in trained]).clone()
    optimiser = torch.optim.Adam(trained, lr=rate)

    start, after, norms, values = everything(), [], [], []
    for _ in range(steps):
        optimiser.zero_grad()
        output, _ = lstm(x)
        value = torch.nn.functional.mse_loss(head(output[-1]), target)
        value.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained, max_norm))
        optimiser.step()
        after.append(everything())
        values.append(value.detach())
    assert any(n > max_norm for n in norms) and any(n < max_norm for n in norms), norms

    text = on_grid(f"{name}_x", x) + doubles(f"{name}_target", target) + on_grid(f"{name}_start", start)
    text += doubles(f"{name}_losses", torch.stack(values)) + doubles(f"{name}_norms", torch.stack(norms))
    text += doubles(f"{name}_after", torch.stack(after))
    return text, (
        f'    "{name}", {T}, {B}, {F}, {H}, {L}, {O}, {steps}, {rate!r}, {max_norm!r}, {name}_x, {name}_target,\n'
        f"    {name}_start, {name}_losses, {name}_norms, {name}_after,\n"
    )


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


HEAD = """\
/*
 * Golden values of LSTM networks: made by tools/golden.py with PyTorch %s in float64. Do not edit.
 *
 * Arrays of short hold whole numbers of 1/256, which are exact in float too. Parameters and gradients stand
 * in the order of norn_reference_layout (src/nn/reference.h), gates in PyTorch's: i, f, g, o.
 */
// clang-format off
#ifndef NORN_TESTS_GOLDEN_LSTM_H
#define NORN_TESTS_GOLDEN_LSTM_H

#include <math.h>
#include <stddef.h>

#include "norn/forecast.h"

#define GOLDEN_GRID (1.0 / 256.0)

"""

TYPES = """\
/* Whole networks from zero states. */
static const struct golden_network {
    const char *name;
    size_t steps, rows, inputs, hidden, layers, outputs; /* T, B, F, H, L, O */
    norn_loss loss;
    const short *x;              /* [T][B][F] grid */
    const short *parameters;     /* grid */
    const short *dropout;        /* [L-1][T][B][H] multipliers, grid; NULL: none */
    const double *target;        /* [B][O] NAN: missing */
    const unsigned char *weight; /* [B] */
    const double *output;        /* [T][B][H] of the top layer */
    const double *prediction;    /* [B][O] */
    double value;                /* of the loss */
    const double *gradients;     /* of every parameter */
    const double *dx;            /* [T][B][F] */
} golden_networks[] = {
%s};

/* One layer in both directions from given states; rows may end early. The loss is
 * sum output * dh + sum h_last * dh_last + sum c_last * dc_last over both directions. */
static const struct golden_layer {
    const char *name;
    size_t steps, rows, inputs, hidden; /* T, B, I, H */
    const short *x;                     /* [T][B][I] grid */
    const unsigned char *mask;          /* [T][B] 0: after the row's end */
    const double *dx;                   /* [T][B][I] of both directions together */
    struct golden_direction {
        const short *parameters;         /* w_ih, w_hh, bias, grid */
        const short *h0, *c0;            /* [B][H] grid */
        const short *dh;                 /* [T][B][H] grid */
        const short *dh_last, *dc_last;  /* [B][H] grid */
        const double *output;            /* [T][B][H] 0 after a row's end */
        const double *h_last, *c_last;   /* [B][H] after the direction's last step */
        const double *gradients;         /* of w_ih, w_hh, bias */
        const double *dh0, *dc0;         /* [B][H] */
    } direction[2]; /* in time, against it */
} golden_layers[] = {
%s};

/* Steps of Adam (0.9, 0.999, 1e-8) on one batch with MSE, gradients clipped by norm in some of them. */
static const struct golden_adam {
    const char *name;
    size_t steps, rows, inputs, hidden, layers, outputs; /* T, B, F, H, L, O */
    size_t updates;
    double learning_rate, max_norm;
    const short *x;       /* [T][B][F] grid */
    const double *target; /* [B][O] */
    const short *start;   /* parameters before the first update, grid */
    const double *losses; /* [updates] before each */
    const double *norms;  /* [updates] of the gradients before clipping */
    const double *after;  /* [updates][parameters] */
} golden_adam = {
%s};

#endif
"""


def main():
    networks = [
        network_case("narrow", 11, (3, 2, 3, 5, 1, 2), "MSE"),
        network_case("odd", 12, (5, 3, 1, 7, 2, 4), "HUBER", dropout=0.5, missing=True),
        network_case("wide", 13, (4, 1, 2, 16, 2, 3), "MAE"),
        network_case("deep", 14, (6, 2, 2, 3, 3, 1), "MSE"),
    ]
    layers = [
        directions_case("both", 21, (4, 2, 3, 5)),
        directions_case("ragged", 22, (5, 3, 2, 3), lengths=[3, 5, 1]),
    ]
    adam = adam_case("adam", 31, (2, 2, 1, 2, 1, 1), steps=5, rate=0.05, max_norm=0.375)
    text = HEAD % torch.__version__.split("+")[0]
    text += "\n".join(case[0] for case in [*networks, *layers, adam]) + "\n"
    text += TYPES % ("".join(c[1] for c in networks), "".join(c[1] for c in layers), adam[1])
    os.makedirs(os.path.dirname(TARGET), exist_ok=True)
    with open(TARGET, "w", encoding="ascii") as out:
        out.write(text)
    print(f"{os.path.relpath(TARGET)}: {len(text)} bytes, PyTorch {torch.__version__}")
    write_cells()


if __name__ == "__main__":
    main()
