// The stage path of a layer, for hidden sizes whose weights no longer fit the caches: per step one large product (CLBlast)
// and one kernel over units. Here are the kernels; src/nn/stage.c puts the products between them. SW = HP: one strip, so
// that weights are [KX + HP][G * HP], gates [T * BP][G * HP] and states [(T + 1) * BP][HP], plain matrices all.
//
// One member at a time. Arguments that end in _at are offsets in floats (windows: in windows) from their buffer's begin:
// the layer's or the member's part. Grid of the unit kernels: BP / ROWS groups by HP / UB blocks of units.
#define BLOCK ((int)get_group_id(1) * UB)
#define PLANE ((size_t)(T + 1) * BP * HP)

KERNEL void stage_gather(DATA_ARGUMENTS, const long window_at, const long scale_at, const int rows, const int F, const int KX, const int T, const int BP, FLOATS x)
{
    gather(tracks, track_start, series_tracks, scaling + scale_at, windows + window_at, F, KX, T, T, BP, rows, x,
           (int)get_group_id(0) * ROWS);
}

// gates: x W + h U of step t, without bias; activated in place. Slot t of h and carry before, slot t + 1 after. bias: with
// the parameters used unit by unit behind the biases, [G + CELL_VECTORS][HP].
KERNEL void stage_forward(const int t, const int T, const int BP, CONST_FLOATS bias, const long bias_at, FLOATS gates,
                          const long gates_at, FLOATS h, const long h_at, FLOATS carry, const long carry_at)
{
    bias += bias_at;
    gates += gates_at;
    h += h_at;
    carry += carry_at;
    const int unit = BLOCK + LANE;
    const vi real = (IOTA + (vi)(unit)) < (vi)H;
    vf vectors[VECTORS];
#pragma unroll
    for (int q = 0; q < CELL_VECTORS; q++) vectors[q] = VLOAD(bias + (G + q) * HP + unit);
    for (int i = 0; i < ROWS; i++) {
        const size_t row = (size_t)t * BP + get_group_id(0) * ROWS + i;
        __global float *k = gates + row * G * HP + unit;
        vf pre[G], state[CARRIES];
#pragma unroll
        for (int q = 0; q < G; q++) pre[q] = VLOAD(k + q * HP) + VLOAD(bias + q * HP + unit);
#pragma unroll
        for (int q = 0; q < CELL_CARRIES; q++) state[q] = VLOAD(carry + q * PLANE + row * HP + unit);
        const vf out = cell_forward(pre, VLOAD(h + row * HP + unit), state, vectors);
        VSTORE(CHOOSE(real, out, (vf)0.0f), h + (row + BP) * HP + unit);
#pragma unroll
        for (int q = 0; q < CELL_CARRIES; q++)
            VSTORE(CHOOSE(real, state[q], (vf)0.0f), carry + q * PLANE + (row + BP) * HP + unit);
#pragma unroll
        for (int q = 0; q < G; q++) VSTORE(pre[q], k + q * HP);
    }
}

// Gate gradients of step t in place; dh and dcarry [BP][HP]; above [T * BP][HP]. Where CELL_USES_H, what dL/dh has beside
// products is left in dh. sums: the layer's, see SUMS in step.cl; those of vectors are added to.
KERNEL void stage_backward(const int t, const int T, const int BP, FLOATS gates, const long gates_at, CONST_FLOATS carry,
                           const long carry_at, const int with_above, __global const float *above, const long above_at,
                           FLOATS dh, FLOATS dcarry, CONST_FLOATS h, const long h_at, CONST_FLOATS bias,
                           const long bias_at, FLOATS sums)
{
    gates += gates_at;
    carry += carry_at;
    above += above_at;
    h += h_at;
    bias += bias_at;
    sums += (size_t)get_group_id(0) * LAYER_SUMS;
    const int unit = BLOCK + LANE;
    const vi real = (IOTA + (vi)(unit)) < (vi)H;
    vf vectors[VECTORS], dv[VECTORS];
#pragma unroll
    for (int q = 0; q < CELL_VECTORS; q++) {
        vectors[q] = VLOAD(bias + (G + q) * HP + unit);
        dv[q] = VLOAD(sums + (size_t)q * HP + unit);
    }
    for (int i = 0; i < ROWS; i++) {
        const size_t r = get_group_id(0) * ROWS + i, row = (size_t)t * BP + r;
        __global float *k = gates + row * G * HP + unit;
        vf kept[G], before[CARRIES], after[CARRIES], dc[CARRIES], step_dv[VECTORS], old = (vf)0.0f, next = (vf)0.0f;
#pragma unroll
        for (int q = 0; q < G; q++) kept[q] = VLOAD(k + q * HP);
#pragma unroll
        for (int q = 0; q < CELL_CARRIES; q++) {
            before[q] = VLOAD(carry + q * PLANE + row * HP + unit);
            after[q] = VLOAD(carry + q * PLANE + (row + BP) * HP + unit);
            dc[q] = VLOAD(dcarry + (size_t)q * BP * HP + r * HP + unit);
        }
        if (CELL_USES_H) {
            old = VLOAD(h + row * HP + unit);
            next = VLOAD(h + (row + BP) * HP + unit);
        }
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++) step_dv[q] = (vf)0.0f;
        vf d = VLOAD(dh + r * HP + unit);
        if (with_above) d += VLOAD(above + row * HP + unit);
        cell_backward(kept, old, before, next, after, &d, dc, vectors, step_dv);
        if (CELL_USES_H) VSTORE(CHOOSE(real, d, (vf)0.0f), dh + r * HP + unit);
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++) dv[q] += CHOOSE(real, step_dv[q], (vf)0.0f);
#pragma unroll
        for (int q = 0; q < G; q++) VSTORE(CHOOSE(real, kept[q], (vf)0.0f), k + q * HP);
#pragma unroll
        for (int q = 0; q < CELL_CARRIES; q++)
            VSTORE(CHOOSE(real, dc[q], (vf)0.0f), dcarry + (size_t)q * BP * HP + r * HP + unit);
    }
#pragma unroll
    for (int q = 0; q < CELL_VECTORS; q++) VSTORE(dv[q], sums + (size_t)q * HP + unit);
}

#if CELL_INITIAL
// The states that all rows begin from, into slot 0. Grid: BP / ROWS groups by 1.
KERNEL void stage_begin(const int T, const int BP, CONST_FLOATS initial, const long initial_at, FLOATS h, const long h_at,
                        FLOATS carry, const long carry_at)
{
    for (int block = 0; block < HP / UB; block++)
        for (int q = 0; q < STATES; q++) {
            const vf v = VLOAD(initial + initial_at + (size_t)q * HP + block * UB + LANE);
            __global float *to = (q ? carry + carry_at + (q - 1) * PLANE : h + h_at) + block * UB + LANE;
            for (int i = 0; i < ROWS; i++) VSTORE(v, to + (get_group_id(0) * ROWS + i) * HP);
        }
}
#endif

#if CELL_LEARNED
// Their gradient as sums over a group's rows below `rows`, behind the layer's sums of vectors. Grid: BP / ROWS groups by 1.
KERNEL void stage_sum_begun(const int BP, const int rows, CONST_FLOATS dh, CONST_FLOATS dcarry, FLOATS sums)
{
    const int r0 = (int)get_group_id(0) * ROWS;
    sums += (size_t)get_group_id(0) * LAYER_SUMS + CELL_VECTORS * HP;
    for (int block = 0; block < HP / UB; block++)
        for (int q = 0; q < STATES; q++) {
            __global const float *from = (q ? dcarry + (size_t)(q - 1) * BP * HP : dh) + block * UB + LANE;
            vf sum = (vf)0.0f;
            for (int r = r0; r < min(r0 + ROWS, rows); r++) sum += VLOAD(from + (size_t)r * HP);
            VSTORE(sum, sums + (size_t)q * HP + block * UB + LANE);
        }
}
#endif

#if SUMS_OF_GROUPS
// Gradients that are sums over groups, ascending: of parameters used unit by unit, and of states begun from. gradient_at:
// the layer's biases; what is summed stands behind them in the order of the sums. Grid: SUMS * HP / UB groups by 1.
KERNEL void stage_units_gradient(const int groups, CONST_FLOATS sums, FLOATS gradient, const long gradient_at)
{
    const size_t at = (size_t)get_group_id(0) * UB + LANE;
    const int begun = (int)(get_group_id(0) * UB / HP) - CELL_VECTORS; // which state; below 0: a vector
    const int wanted = begun < 0 || (CELL_LEARNED >> max(begun, 0) & 1);
    vf sum = (vf)0.0f;
    for (int g = 0; g < (wanted ? groups : 0); g++) sum += VLOAD(sums + (size_t)g * LAYER_SUMS + at);
    VSTORE(sum, gradient + gradient_at + (size_t)G * HP + at);
}
#endif

// Head and loss. Grid: BP / ROWS groups by 1.
KERNEL void stage_head(DATA_ARGUMENTS, const long window_at, const long scale_at, const int with_targets, const int rows,
                       const int F, const int T, const int BP, const int OUT, const int OP, const int loss_kind,
                       const float factor, CONST_FLOATS parameters, const long head_at, CONST_FLOATS h, const long h_at,
                       FLOATS y, FLOATS partial, FLOATS loss, const long loss_at)
{
    const int r0 = (int)get_group_id(0) * ROWS;
    head_forward(parameters + head_at, parameters + head_at + (size_t)HP * OP, h + h_at + (size_t)r0 * HP, 0, BP, OP, y, r0);
    head_loss(tracks, track_start, series_tracks, scaling + scale_at, windows + window_at, F, T, OUT, OP, BP, rows,
              with_targets, loss_kind, factor, y, partial, loss + loss_at, r0);
}

// The gradient of the last hidden state. Grid: BP / ROWS groups by 1.
KERNEL void stage_head_backward(const int BP, const int OP, CONST_FLOATS back, const long back_at, CONST_FLOATS y, FLOATS dh)
{
    head_backward(back + back_at, y, BP, OP, dh, (int)get_group_id(0) * ROWS);
}

KERNEL void stage_dropout(const uint key_low, const uint key_high, const int layer, const int step, const uint threshold,
                          const float keep, const int T, const int BP, __global const float *from, const long from_at,
                          __global float *to, const long to_at)
{
    const uint2 key = (uint2)(key_low, key_high);
    dropout_rows(key, layer, step, threshold, keep, T, BP, from + from_at, 0, to + to_at, 0,
                 (int)get_group_id(0) * ROWS, 0);
}

// Sums of the gate gradients over all rows, ascending. Grid: G * HP / UB groups by 1.
KERNEL void stage_bias_gradient(const int n, CONST_FLOATS gates, const long gates_at, FLOATS gradient,
                                const long gradient_at)
{
    gates += gates_at;
    const int column = (int)get_group_id(0) * UB + LANE;
    vf sum = (vf)0.0f;
    for (int i = 0; i < n; i++) sum += VLOAD(gates + (size_t)i * G * HP + column);
    VSTORE(sum, gradient + gradient_at + column);
}

// Grid: OP / UB groups by 1.
KERNEL void stage_head_gradient(const int rows, const int BP, CONST_FLOATS h, const long h_at, CONST_FLOATS dy,
                                const int OP, FLOATS gradient, const long head_at)
{
    head_weight_gradient(h + h_at, 0, dy, BP, rows, (int)get_group_id(0), gradient + head_at,
                         gradient + head_at + (size_t)HP * OP, 1);
}
