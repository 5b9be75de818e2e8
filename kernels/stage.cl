// The stage path of a layer, for hidden sizes whose weights no longer fit the caches: for each stage of a step one large
// product (CLBlast) of each vector that its matrices multiply, and one kernel over units. Here are the kernels, made of the
// functions that stages.cl has of the cell; src/nn/stage.c puts the products between them. SW = HP: one strip, so that the
// weights of a stage are [rows of all it multiplies][its gates * HP], what is kept [T * BP][(G + CELL_OPERANDS) * HP] and
// states [(T + 1) * BP][HP], plain matrices all.
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

// What one stage computes in step t from its sums without bias. kept [T * BP][G + CELL_OPERANDS][HP]; slot t of h and carry
// before, slot t + 1 after. bias: with the parameters used unit by unit behind the biases, [G + CELL_VECTORS][HP].
#define FORWARD_KERNEL(stage, first, gates)                                                                          \
    KERNEL void stage_forward_##stage(const int t, const int T, const int BP, CONST_FLOATS bias, const long bias_at, \
                                      FLOATS kept, const long kept_at, FLOATS h, const long h_at, FLOATS carry,      \
                                      const long carry_at)                                                           \
    {                                                                                                                \
        const int unit = BLOCK + LANE;                                                                               \
        CONST_FLOATS b = bias + bias_at + unit;                                                                      \
        vf vectors[VECTORS], own[(gates) ? (gates) : 1];                                                             \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++) vectors[q] = VLOAD(b + (G + q) * HP);               \
        _Pragma("unroll") for (int q = 0; q < (gates); q++) own[q] = VLOAD(b + ((first) + q) * HP);                  \
        for (int i = 0; i < ROWS; i++) {                                                                             \
            const size_t row = (size_t)t * BP + get_group_id(0) * ROWS + i;                                          \
            __global float *k = kept + kept_at + row * GS + unit;                                                    \
            __global float *h_old = h + h_at + row * HP + unit, *carry_old = carry + carry_at + row * HP + unit;     \
            vf sum[(gates) ? (gates) : 1];                                                                           \
            _Pragma("unroll") for (int q = 0; q < (gates); q++) sum[q] = VLOAD(k + ((first) + q) * HP) + own[q];     \
            cell_forward_##stage(sum, k, h_old, h_old + (size_t)BP * HP, carry_old, carry_old + (size_t)BP * HP,     \
                                 PLANE, vectors, unit, 0);                                                           \
        }                                                                                                            \
    }
#define FORWARD_STAGE_KERNEL(stage) FORWARD_KERNEL(stage, STAGE_##stage##_FIRST, STAGE_##stage##_GATES)
FOR_STAGES(FORWARD_STAGE_KERNEL)
#if CELL_BEGINS
FORWARD_KERNEL(begin, 0, 0)
#endif

// Gate gradients of a stage in place, and what dL/d(states before) has beside products in dh and dcarry, [BP][HP] a plane;
// above [T * BP][HP]. sums: the layer's, see SUMS in step.cl; those of vectors are added to.
#define BACKWARD_KERNEL(stage)                                                                                       \
    KERNEL void stage_backward_##stage(const int t, const int T, const int BP, FLOATS kept, const long kept_at,      \
                                       CONST_FLOATS carry, const long carry_at, const int with_above,                \
                                       __global const float *above, const long above_at, FLOATS dh, FLOATS dcarry,   \
                                       CONST_FLOATS h, const long h_at, CONST_FLOATS bias, const long bias_at,       \
                                       FLOATS sums)                                                                  \
    {                                                                                                                \
        const int unit = BLOCK + LANE;                                                                               \
        CONST_FLOATS b = bias + bias_at + unit;                                                                      \
        FLOATS to = sums + (size_t)get_group_id(0) * LAYER_SUMS + unit;                                              \
        vf vectors[VECTORS], dv[VECTORS];                                                                            \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++)                                                     \
        {                                                                                                            \
            vectors[q] = VLOAD(b + (G + q) * HP);                                                                    \
            dv[q] = VLOAD(to + (size_t)q * HP);                                                                      \
        }                                                                                                            \
        for (int i = 0; i < ROWS; i++) {                                                                             \
            const size_t r = get_group_id(0) * ROWS + i, row = (size_t)t * BP + r;                                   \
            CONST_FLOATS h_old = h + h_at + row * HP + unit;                                                         \
            CONST_FLOATS carry_old = carry + carry_at + row * HP + unit;                                             \
            cell_backward_##stage(kept + kept_at + row * GS + unit, h_old, h_old + (size_t)BP * HP, carry_old,       \
                                  carry_old + (size_t)BP * HP, PLANE,                                                \
                                  with_above ? above + above_at + row * HP + unit : 0, dh + r * HP + unit,           \
                                  dcarry + r * HP + unit, (size_t)BP * HP, vectors, dv, unit);                       \
        }                                                                                                            \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++) VSTORE(dv[q], to + (size_t)q * HP);                 \
    }
FOR_STAGES(BACKWARD_KERNEL)
#if CELL_ENDS
BACKWARD_KERNEL(end)
#endif

// to[n][0 .. count) += from[n][0 .. count): the input where it stands in a sum itself, and its gradient. Grid: groups of
// ROWS rows by blocks of units; rows of `to` are whole strips, those of `from` need not be.
KERNEL void stage_add(const int count, CONST_FLOATS from, const long from_at, const int from_row, FLOATS to,
                      const long to_at, const int to_row)
{
    const int unit = BLOCK + LANE;
    for (int i = 0; i < ROWS; i++) {
        const size_t row = get_group_id(0) * ROWS + i;
        CONST_FLOATS a = from + from_at + row * from_row;
        __global float *b = to + to_at + row * to_row;
        for (int v = unit; v < min(unit + VW, count); v++) b[v] += a[v];
    }
}

// The rows of one shard at all times, from BP rows of which they begin at `first`: to [T * R][width]. Grid: groups of
// ROWS rows of `to` by 1.
KERNEL void stage_take(const int BP, const int R, const int first, const int width, CONST_FLOATS from, const long from_at,
                       FLOATS to)
{
    for (int i = 0; i < ROWS; i++) {
        const size_t row = get_group_id(0) * ROWS + i;
        CONST_FLOATS a = from + from_at + (row / R * BP + first + row % R) * width;
        for (int u = LS == 1 ? 0 : (int)get_local_id(0); u < width; u += LS) to[row * width + u] = a[u];
    }
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
// Gradients that are sums over the groups of a shard, ascending, from group `first` on: of parameters used unit by unit, and
// of states begun from. A fresh gradient becomes the sum, another one grows by it. gradient_at:
// the layer's biases; what is summed stands behind them in the order of the sums. Grid: SUMS * HP / UB groups by 1.
KERNEL void stage_units_gradient(const int first, const int groups, const int fresh, CONST_FLOATS sums, FLOATS gradient,
                                 const long gradient_at)
{
    const size_t at = (size_t)get_group_id(0) * UB + LANE;
    const int begun = (int)(get_group_id(0) * UB / HP) - CELL_VECTORS; // which state; below 0: a vector
    const int wanted = begun < 0 || (CELL_LEARNED >> max(begun, 0) & 1);
    vf sum = (vf)0.0f;
    for (int g = 0; g < (wanted ? groups : 0); g++) sum += VLOAD(sums + (size_t)(first + g) * LAYER_SUMS + at);
    FLOATS to = gradient + gradient_at + (size_t)G * HP + at;
    VSTORE(fresh ? sum : VLOAD(to) + sum, to);
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
                          const float keep, const int T, const int BP, const int row_0, __global const float *from,
                          const long from_at, __global float *to, const long to_at)
{
    const uint2 key = (uint2)(key_low, key_high);
    dropout_rows(key, layer, step, threshold, keep, T, BP, from + from_at, 0, to + to_at, 0,
                 (int)get_group_id(0) * ROWS, row_0);
}

// Sums of the gate gradients over all rows of a shard, ascending. Grid: G * HP / UB groups by 1.
KERNEL void stage_bias_gradient(const int n, const int fresh, CONST_FLOATS kept, const long kept_at, FLOATS gradient,
                                const long gradient_at)
{
    const size_t column = (size_t)get_group_id(0) * UB + LANE;
    CONST_FLOATS from = kept + kept_at + column;
    FLOATS to = gradient + gradient_at + column;
    vf sum = (vf)0.0f;
    for (int i = 0; i < n; i++) sum += VLOAD(from + (size_t)i * GS);
    VSTORE(fresh ? sum : VLOAD(to) + sum, to);
}

// Of a shard's rows, which begin at `first` of BP. Grid: OP / UB groups by 1.
KERNEL void stage_head_gradient(const int first, const int rows, const int BP, const int fresh, CONST_FLOATS h,
                                const long h_at, CONST_FLOATS dy, const int OP, FLOATS gradient, const long head_at)
{
    head_weight_gradient(h + h_at + (size_t)first * HP, 0, dy + (size_t)first * UB, BP, rows, (int)get_group_id(0),
                         gradient + head_at, gradient + head_at + (size_t)HP * OP, fresh);
}
