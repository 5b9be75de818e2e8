// The LSTM cell (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates in PyTorch's order:
//
//     i = sigmoid(W_i x + U_i h + b_i)    f = sigmoid(W_f x + U_f h + b_f)
//     g = tanh   (W_g x + U_g h + b_g)    o = sigmoid(W_o x + U_o h + b_o)
//     c' = f * c + i * g                  h' = o * tanh(c')
//
// The cell by hand, which no network runs: tools/bench cells and a test hold what the formula becomes against it. This
// file is all that the skeleton (sequence.cl) knows of a cell: how many pre-activations it has, how many
// states it carries beside h, and the two functions below. Products, time, rows, masks and layouts are not its matter.
#define CELL_GATES 4   // pre-activations a unit; they are kept activated for the backward pass
#define CELL_CARRIES 1 // states beside h: c

// In: pre[4], carry[0] = c. Out: pre = activated i, f, g, o; carry[0] = c'; returns h'.
// The four quotients share one division: with A = 1 + e^-i ... D, 1/A = (1/(AB CD)) * (B * CD), and so on.
INLINE vf cell_forward(vf *pre, const vf h, vf *carry, const vf *vectors)
{
    (void)h, (void)vectors; // nothing is used unit by unit but c
    const vf a = 1.0f + exp_negative(pre[0]), b = 1.0f + exp_negative(pre[1]);
    const vf c = 1.0f + exp_negative_twice(pre[2]), d = 1.0f + exp_negative(pre[3]);
    const vf ab = a * b, cd = c * d, q = 1.0f / (ab * cd);
    const vf one_ab = q * cd, one_cd = q * ab;
    pre[0] = one_ab * b;
    pre[1] = one_ab * a;
    pre[2] = 2.0f * (one_cd * d) - 1.0f;
    pre[3] = one_cd * c;
    carry[0] = fma(pre[1], carry[0], pre[0] * pre[2]);
    return pre[3] * hyperbolic_tangent(carry[0]);
}

// In: kept[4] = activated i, f, g, o; before[0] = c, after[0] = c'; *d_h = dL/dh'; dcarry[0] = dL/dc' from the step after.
// Out: kept = dL/d(pre-activation) of i, f, g, o; dcarry[0] = dL/dc.
INLINE void cell_backward(vf *kept, const vf h, const vf *before, const vf h_after, const vf *after, vf *d_h, vf *dcarry,
                          const vf *vectors, vf *dvectors)
{
    (void)h, (void)h_after, (void)vectors, (void)dvectors;
    const vf dh = *d_h;
    const vf i = kept[0], f = kept[1], g = kept[2], o = kept[3];
    const vf tanh_c = hyperbolic_tangent(after[0]);
    const vf dc = fma(dh * o, 1.0f - tanh_c * tanh_c, dcarry[0]);
    kept[0] = dc * g * i * (1.0f - i);
    kept[1] = dc * before[0] * f * (1.0f - f);
    kept[2] = dc * i * (1.0f - g * g);
    kept[3] = dh * tanh_c * o * (1.0f - o);
    dcarry[0] = dc * f;
}
