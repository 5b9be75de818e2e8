// The skeleton of every recurrent layer: one work-group takes ROWS rows of a batch through time. A recurrence couples the
// units of a row, never the rows of a batch, so no group waits for another. The cell comes from the file before this one
// (CELL_GATES, CELL_CARRIES, cell_forward, cell_backward; where it differs from what is said here, CELL_X_GATES and so on).
//
// Letters: T steps, BP rows of the batch padded to whole groups, H units, HP = H padded to whole strips, KX inputs padded
// to 4 (the first layer) or HP (the others), NJ = HP / SW strips, G = CELL_GATES.
//
//   weights   [strip j][k < KX + HP][G][SW]   input rows first, then recurrent rows; one pass over k feeds all gates
//             (gates without a product of x or of h have zeros there)
//   bias      [strip j][G + CELL_VECTORS][SW], behind the biases the parameters that the cell uses unit by unit
//   back      the same numbers for the backward products: tiles of NV, 2 and 1 column strips,
//             [tile][n < G*HP][strip of the tile][SW], n running as (strip j, gate, lane) does; columns are the inputs
//             (layers above the first) and then the units h
//   h, carry  [strip][(T + 1) * BP][SW]   a step at time t turns the slot before it into the slot after it:
//             forward in time slots t and t + 1, backward in time (REVERSE) slots t + 1 and t
//   kept      [strip][T * BP][G][SW]      activated gates, turned into gate gradients by the backward pass
//   mask      [T * BP] or null: 0 keeps the old state of that row at that step
//
// Each pre-activation is one chain of fma: inputs in ascending k from 0, plus bias, then units in ascending k; so the
// fused projection and a product made beforehand give the same bits, and so do all mappings.
#ifndef H
#define H 32
#endif
#ifndef CELL_X_GATES
#define CELL_X_GATES CELL_GATES // the first of the gates have a product of the input
#define CELL_H_FIRST 0          // from this gate on they have a product of h
#define CELL_VECTORS 0          // parameters used unit by unit
#define CELL_USES_H 0           // the way back uses h unit by unit
#endif
#define NV 4                            // column strips a tile of the backward product
#ifndef CELL_STAGES // else stages.cl has these and the steps
#define VECTORS (CELL_VECTORS ? CELL_VECTORS : 1)
#define HP ((H + UB - 1) / UB * UB)
#define NJ (HP / SW)
#define G CELL_GATES
#define GS (G * SW)                     // floats of a strip of gates
#define LAYER_WEIGHTS(kx) ((size_t)((kx) + HP) * G * HP)
#define BACK_WEIGHTS(with_inputs) ((size_t)((with_inputs) ? 2 : 1) * G * HP * HP)
#define CELL_SCRATCH 0                  // planes of dcarry behind the carries
#define CARRIES (CELL_CARRIES ? CELL_CARRIES : 1)
#define UNITS_PADDED (HP != H)

// acc[gate][row] += value of the row * weights of the gate, for the gates from first up to last
#define MULTIPLY_ADD(acc, w, values, stride, first, last)                                                            \
    {                                                                                                                \
        vf wv[G];                                                                                                    \
        _Pragma("unroll") for (int q = first; q < last; q++) wv[q] = VLOAD((w) + q * SW);                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
        {                                                                                                            \
            const vf v = (vf)((values)[(size_t)r * (stride)]);                                                       \
            _Pragma("unroll") for (int q = first; q < last; q++) acc[q][r] = fma(v, wv[q], acc[q][r]);               \
        }                                                                                                            \
    }

// Sums of a group of units: over the strips of an array at h, ROWS rows from its row on; `w` moves on by HP rows.
#define MULTIPLY_STRIPS(acc, w, h, strip_size, first, last)                                                          \
    for (int s = 0; s < NJ; s++) {                                                                                   \
        CONST_FLOATS hv = (h) + (size_t)s * (strip_size);                                                            \
        for (int k = 0; k < SW; k++, w += GS) MULTIPLY_ADD(acc, w, hv + k, SW, first, last)                          \
    }

// One step of one layer for the group's rows. All pointers stand at the group's first row of their slot.
//   input    layer 0: [row][KX], inputs used: KU; else strips (strips_in 1) of size input_strip
//   pre      null: project the input here; else its projection stands there already (kept's slot, same layout)
//   kept     null: inference, nothing is kept
//   mask     null or the slot's first row
INLINE void step_forward(const int strips_in, const int KX, const int KU, CONST_FLOATS input, const size_t input_strip,
                         CONST_FLOATS weights, CONST_FLOATS bias, CONST_FLOATS h_before, FLOATS h_after,
                         const size_t h_strip, CONST_FLOATS carry_before, FLOATS carry_after, const size_t carry_strip,
                         const size_t carry_size, const int projected, __global float *kept, const size_t kept_strip,
                         __global const uchar *mask)
{
    for (int j = 0; j < NJ; j++) {
        vf acc[G][ROWS];
        CONST_FLOATS w = weights + (size_t)j * (KX + HP) * GS + LANE;
        CONST_FLOATS b = bias + (size_t)j * (G + CELL_VECTORS) * SW + LANE;
        vf vectors[VECTORS];
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++) vectors[q] = VLOAD(b + (G + q) * SW);
        if (projected) {
            __global const float *p = kept + j * kept_strip + LANE;
#pragma unroll
            for (int r = 0; r < ROWS; r++)
#pragma unroll
                for (int q = 0; q < G; q++)
                    acc[q][r] = q < CELL_X_GATES ? VLOAD(p + (size_t)r * GS + q * SW) : (vf)0.0f;
            w += (size_t)KX * GS;
        } else {
#pragma unroll
            for (int r = 0; r < ROWS; r++)
#pragma unroll
                for (int q = 0; q < G; q++) acc[q][r] = (vf)0.0f;
            if (strips_in) {
                MULTIPLY_STRIPS(acc, w, input, input_strip, 0, CELL_X_GATES)
            } else {
                for (int k = 0; k < KU; k++, w += GS) MULTIPLY_ADD(acc, w, input + k, KX, 0, CELL_X_GATES)
                w += (size_t)(KX - KU) * GS;
            }
        }
#pragma unroll
        for (int q = 0; q < G; q++) {
            const vf bq = VLOAD(b + q * SW);
#pragma unroll
            for (int r = 0; r < ROWS; r++) acc[q][r] += bq;
        }
        MULTIPLY_STRIPS(acc, w, h_before, h_strip, CELL_H_FIRST, G)

#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const size_t at = (size_t)r * SW + LANE;
            vf pre[G], carry[CARRIES];
#pragma unroll
            for (int q = 0; q < G; q++) pre[q] = acc[q][r];
#pragma unroll
            for (int q = 0; q < CELL_CARRIES; q++) carry[q] = VLOAD(carry_before + q * carry_size + j * carry_strip + at);
            vf h = cell_forward(pre, VLOAD(h_before + j * h_strip + at), carry, vectors);
            if (UNITS_PADDED && j == NJ - 1) { // padded units are 0, whatever the cell makes of them
                const vi real = (IOTA + (vi)(j * SW + LANE)) < (vi)H;
                h = CHOOSE(real, h, (vf)0.0f);
#pragma unroll
                for (int q = 0; q < CELL_CARRIES; q++) carry[q] = CHOOSE(real, carry[q], (vf)0.0f);
            }
            if (mask && !mask[r]) {
                h = VLOAD(h_before + j * h_strip + at);
#pragma unroll
                for (int q = 0; q < CELL_CARRIES; q++) carry[q] = VLOAD(carry_before + q * carry_size + j * carry_strip + at);
            }
            VSTORE(h, h_after + j * h_strip + at);
#pragma unroll
            for (int q = 0; q < CELL_CARRIES; q++) VSTORE(carry[q], carry_after + q * carry_size + j * carry_strip + at);
            if (kept) {
                __global float *k = kept + j * kept_strip + (size_t)r * GS + LANE;
#pragma unroll
                for (int q = 0; q < G; q++) VSTORE(pre[q], k + q * SW);
            }
        }
    }
    GROUP_SYNC();
}

// Gate gradients of one step, in place of the kept gates. dh and dcarry [strip][BP][SW] carry dL/dh and dL/dcarry
// backwards; above (null: none) is dL/dh of this step from the layer above or the loss. What dL/dh has beside products
// is left in dh. h_before, h_after: null unless CELL_USES_H. dvectors [strip][CELL_VECTORS][SW] of this group is added to.
INLINE void step_backward_gates(__global float *kept, const size_t kept_strip, CONST_FLOATS carry_before,
                                CONST_FLOATS carry_after, const size_t carry_strip, const size_t carry_size,
                                __global const float *above, const size_t above_strip, FLOATS dh, FLOATS dcarry,
                                const size_t dh_strip, const size_t dcarry_size, __global const uchar *mask,
                                __global const float *h_before, __global const float *h_after,
                                __global const float *bias, __global float *dvectors)
{
    for (int j = 0; j < NJ; j++) {
        vf vectors[VECTORS], dv[VECTORS];
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++) {
            vectors[q] = VLOAD(bias + ((size_t)j * (G + CELL_VECTORS) + G + q) * SW + LANE);
            dv[q] = (vf)0.0f;
        }
        for (int r = 0; r < ROWS; r++) {
            const size_t at = (size_t)r * SW + LANE;
            __global float *k = kept + j * kept_strip + (size_t)r * GS + LANE;
            if (mask && !mask[r]) { // the step did nothing: no gradient for its gates, the carries stay
#pragma unroll
                for (int q = 0; q < G; q++) VSTORE((vf)0.0f, k + q * SW);
                continue;
            }
            vf gates[G], before[CARRIES], after[CARRIES], dc[CARRIES];
#pragma unroll
            for (int q = 0; q < G; q++) gates[q] = VLOAD(k + q * SW);
#pragma unroll
            for (int q = 0; q < CELL_CARRIES; q++) {
                before[q] = VLOAD(carry_before + q * carry_size + j * carry_strip + at);
                after[q] = VLOAD(carry_after + q * carry_size + j * carry_strip + at);
                dc[q] = VLOAD(dcarry + q * dcarry_size + j * dh_strip + at);
            }
            vf d = VLOAD(dh + j * dh_strip + at);
            if (above) d += VLOAD(above + j * above_strip + at);
            vf old = (vf)0.0f, next = (vf)0.0f, step_dv[VECTORS];
            if (CELL_USES_H) {
                old = VLOAD(h_before + j * carry_strip + at);
                next = VLOAD(h_after + j * carry_strip + at);
            }
#pragma unroll
            for (int q = 0; q < CELL_VECTORS; q++) step_dv[q] = (vf)0.0f;
            cell_backward(gates, old, before, next, after, &d, dc, vectors, step_dv);
            if (UNITS_PADDED && j == NJ - 1) {
                const vi real = (IOTA + (vi)(j * SW + LANE)) < (vi)H;
#pragma unroll
                for (int q = 0; q < G; q++) gates[q] = CHOOSE(real, gates[q], (vf)0.0f);
#pragma unroll
                for (int q = 0; q < CELL_CARRIES; q++) dc[q] = CHOOSE(real, dc[q], (vf)0.0f);
#pragma unroll
                for (int q = 0; q < CELL_VECTORS; q++) step_dv[q] = CHOOSE(real, step_dv[q], (vf)0.0f);
                d = CHOOSE(real, d, (vf)0.0f);
            }
            if (CELL_USES_H) VSTORE(d, dh + j * dh_strip + at);
#pragma unroll
            for (int q = 0; q < CELL_VECTORS; q++) dv[q] += step_dv[q];
#pragma unroll
            for (int q = 0; q < G; q++) VSTORE(gates[q], k + q * SW);
#pragma unroll
            for (int q = 0; q < CELL_CARRIES; q++) VSTORE(dc[q], dcarry + q * dcarry_size + j * dh_strip + at);
        }
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++) {
            __global float *sum = dvectors + ((size_t)j * CELL_VECTORS + q) * SW + LANE;
            VSTORE(VLOAD(sum) + dv[q], sum);
        }
    }
    GROUP_SYNC();
}

// One tile of WIDTH column strips of the backward product: sums over all gates n of dL/dgate * weight. Strip
// first + v of the columns goes to dx while it is below x_strips, else to dh. A masked row keeps its dh (and passes what
// came from above on): its gates are 0, so its sums are.
#define BACKWARD_TILE(name, WIDTH)                                                                                   \
    INLINE void name(const int first, const int x_strips, CONST_FLOATS back, CONST_FLOATS gates,                     \
                     const size_t kept_strip, __global float *dx, const size_t dx_strip, __global float *dh,         \
                     const size_t dh_strip, __global const float *above, const size_t above_strip,                   \
                     __global const uchar *mask)                                                                     \
    {                                                                                                                \
        vf acc[WIDTH][ROWS];                                                                                         \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            _Pragma("unroll") for (int v = 0; v < WIDTH; v++) acc[v][r] = (vf)0.0f;                                  \
        CONST_FLOATS w = back + (size_t)first * SW * G * HP + LANE;                                                  \
        /* gates that the columns have no product with are left out, where the tile has one kind of columns */       \
        const int begin = (first >= x_strips ? CELL_H_FIRST : 0) * SW;                                               \
        const int end = (first + WIDTH <= x_strips ? CELL_X_GATES : G) * SW;                                         \
        for (int s = 0; s < NJ; s++) {                                                                               \
            CONST_FLOATS g = gates + s * kept_strip;                                                                 \
            w += begin * (WIDTH * SW);                                                                               \
            for (int n = begin; n < end; n++, w += WIDTH * SW) {                                                     \
                vf wv[WIDTH];                                                                                        \
                _Pragma("unroll") for (int v = 0; v < WIDTH; v++) wv[v] = VLOAD(w + v * SW);                         \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                     \
                {                                                                                                    \
                    const vf d = (vf)(g[(size_t)r * GS + n]);                                                        \
                    _Pragma("unroll") for (int v = 0; v < WIDTH; v++) acc[v][r] = fma(d, wv[v], acc[v][r]);          \
                }                                                                                                    \
            }                                                                                                        \
            w += (GS - end) * (WIDTH * SW);                                                                          \
        }                                                                                                            \
        _Pragma("unroll") for (int v = 0; v < WIDTH; v++)                                                            \
        {                                                                                                            \
            const int column = first + v;                                                                            \
            const int to_x = column < x_strips;                                                                      \
            const int strip = to_x ? column : column - x_strips;                                                     \
            __global float *to = (to_x ? dx + strip * dx_strip : dh + strip * dh_strip) + LANE;                      \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
            {                                                                                                        \
                if (mask && !mask[r] && !to_x) {                                                                     \
                    if (above) VSTORE(VLOAD(to + r * SW) + VLOAD(above + strip * above_strip + r * SW + LANE),       \
                                      to + r * SW);                                                                  \
                } else if (CELL_USES_H && !to_x)                                                                     \
                    VSTORE(VLOAD(to + r * SW) + acc[v][r], to + r * SW);                                             \
                else                                                                                                 \
                    VSTORE(acc[v][r], to + r * SW);                                                                  \
            }                                                                                                        \
        }                                                                                                            \
    }
BACKWARD_TILE(backward_tile_4, 4)
BACKWARD_TILE(backward_tile_2, 2)
BACKWARD_TILE(backward_tile_1, 1)

// dL/dh of the step before (and dL/dx of this step where x_strips is NJ), from the gate gradients.
INLINE void step_backward_products(const int x_strips, CONST_FLOATS back, CONST_FLOATS gates, const size_t kept_strip,
                                   __global float *dx, const size_t dx_strip, __global float *dh, const size_t dh_strip,
                                   __global const float *above, const size_t above_strip, __global const uchar *mask)
{
    const int columns = x_strips + NJ;
    int first = 0;
    for (; first + 4 <= columns; first += 4)
        backward_tile_4(first, x_strips, back, gates, kept_strip, dx, dx_strip, dh, dh_strip, above, above_strip, mask);
    if (first + 2 <= columns) {
        backward_tile_2(first, x_strips, back, gates, kept_strip, dx, dx_strip, dh, dh_strip, above, above_strip, mask);
        first += 2;
    }
    if (first < columns)
        backward_tile_1(first, x_strips, back, gates, kept_strip, dx, dx_strip, dh, dh_strip, above, above_strip, mask);
}

#endif // CELL_STAGES

// Asks for what the next step of the group's rows writes, or going back reads: its kept numbers, and at the slots of h and
// carry that `states` and `carries` stand at.
INLINE void expect_forward(__global const float *kept, const size_t kept_strip, __global const float *states,
                           __global const float *carries, const size_t h_strip)
{
    for (int j = 0; j < NJ; j++)
        for (int r = 0; r < ROWS; r++) {
            for (int q = 0; q < G; q++) PREFETCH_TO_WRITE(kept + j * kept_strip + (r * G + q) * SW);
            if (CELL_CARRIES) PREFETCH_TO_WRITE(carries + j * h_strip + r * SW);
            PREFETCH_TO_WRITE(states + j * h_strip + r * SW);
        }
}

INLINE void expect_backward(__global const float *kept, const size_t kept_strip, __global const float *carries,
                            const size_t h_strip, __global const float *above, const size_t above_strip)
{
    for (int j = 0; j < NJ; j++)
        for (int r = 0; r < ROWS; r++) {
            for (int q = 0; q < G; q++) PREFETCH(kept + j * kept_strip + (r * G + q) * SW);
            if (CELL_CARRIES) PREFETCH(carries + j * h_strip + r * SW);
            if (above) PREFETCH(above + j * above_strip + r * SW);
        }
}

// Steps [t0, t1) of one layer; every slot of h and carry is filled. kept null: inference. r0 is the group's first row.
INLINE void layer_forward(const int strips_in, const int reverse, const int T, const int BP, const int t0, const int t1,
                          const int KX, const int KU, CONST_FLOATS input, const size_t input_strip, CONST_FLOATS weights,
                          CONST_FLOATS bias, FLOATS h, FLOATS carry, const int projected, FLOATS kept,
                          __global const uchar *mask, const int r0)
{
    const size_t h_strip = (size_t)(T + 1) * BP * SW, kept_strip = (size_t)T * BP * GS;
    const size_t carry_size = h_strip * NJ;
    for (int s = t0; s < t1; s++) {
        const int t = reverse ? T - 1 - s : s;
        const size_t row = (size_t)t * BP + r0;
        const size_t before = (row + (reverse ? BP : 0)) * SW, after = (row + (reverse ? 0 : BP)) * SW;
        if (kept && s + 1 < t1 && !reverse)
            expect_forward(kept + (row + BP) * GS, kept_strip, h + after + BP * SW, carry + after + BP * SW, h_strip);
        step_forward(strips_in, KX, KU, input + (strips_in ? row * SW : row * KX), input_strip, weights, bias, h + before,
                     h + after, h_strip, carry + before, carry + after, h_strip, carry_size, projected,
                     kept ? kept + row * GS : 0, kept_strip, mask ? mask + row : 0);
    }
}

// Steps [t0, t1) of one layer backwards. above: [strip][T * BP][SW] dL/dh of every step, or null; dx like above, or null.
// dh, dcarry: in, dL/d(state after step t1 - 1); out, dL/d(state before step t0). h and bias are read, and dvectors
// (the group's own) is added to, only for a cell that uses h or parameters unit by unit; else they may be null.
INLINE void layer_backward(const int x_strips, const int reverse, const int T, const int BP, const int t0, const int t1,
                           FLOATS kept, CONST_FLOATS back, CONST_FLOATS carry, __global const float *above,
                           const size_t above_strip, __global float *dx, const size_t dx_strip, FLOATS dh, FLOATS dcarry,
                           __global const uchar *mask, __global const float *h, __global const float *bias,
                           __global float *dvectors, const int r0)
{
    const size_t h_strip = (size_t)(T + 1) * BP * SW, kept_strip = (size_t)T * BP * GS, dh_strip = (size_t)BP * SW;
    const size_t carry_size = h_strip * NJ, dcarry_size = dh_strip * NJ;
    for (int s = t1 - 1; s >= t0; s--) {
        const int t = reverse ? T - 1 - s : s;
        const size_t row = (size_t)t * BP + r0;
        const size_t before = (row + (reverse ? BP : 0)) * SW, after = (row + (reverse ? 0 : BP)) * SW;
        __global const float *top = above ? above + row * SW : 0;
        __global const uchar *m = mask ? mask + row : 0;
        if (s > t0 && !reverse)
            expect_backward(kept + (row - BP) * GS, kept_strip, carry + before - BP * SW, h_strip,
                            top ? top - BP * SW : 0, above_strip);
#ifdef CELL_STAGES
        step_backward(x_strips, kept + row * GS, kept_strip, back, h + before, h + after, carry + before, carry + after,
                      h_strip, carry_size, top, above_strip, dx ? dx + row * SW : 0, dx_strip, dh + (size_t)r0 * SW,
                      dcarry + (size_t)r0 * SW, dh_strip, dcarry_size, m, bias,
                      dvectors);
#else
        step_backward_gates(kept + row * GS, kept_strip, carry + before, carry + after, h_strip, carry_size, top,
                            above_strip, dh + (size_t)r0 * SW, dcarry + (size_t)r0 * SW, dh_strip, dcarry_size, m,
                            CELL_USES_H ? h + before : 0, CELL_USES_H ? h + after : 0, bias,
                            dvectors);
        step_backward_products(x_strips, back, kept + row * GS, kept_strip, dx ? dx + row * SW : 0, dx_strip,
                               dh + (size_t)r0 * SW, dh_strip, top, above_strip, m);
#endif
    }
}

#ifdef SEQUENCE_KERNELS
// The skeleton by itself, one layer a launch, for networks that need more than step.cl fuses, and for its tests.
// Grid: BP / ROWS groups by 1. strips_in 0: input [T * BP][KX]; 1: strips.
KERNEL void sequence_forward(const int strips_in, const int reverse, const int T, const int BP, const int t0, const int t1,
                             const int KX, const int KU, CONST_FLOATS input, const long input_strip, CONST_FLOATS weights,
                             CONST_FLOATS bias, FLOATS h, FLOATS carry, const int projected, FLOATS kept,
                             __global const uchar *mask)
{
    const int r0 = (int)get_group_id(0) * ROWS;
    if (strips_in)
        layer_forward(1, reverse, T, BP, t0, t1, HP, HP, input, input_strip, weights, bias, h, carry, projected, kept, mask,
                      r0);
    else
        layer_forward(0, reverse, T, BP, t0, t1, KX, KU, input, 0, weights, bias, h, carry, projected, kept, mask, r0);
}

KERNEL void sequence_backward(const int input_gradient, const int reverse, const int T, const int BP, const int t0,
                              const int t1, FLOATS kept, CONST_FLOATS back, CONST_FLOATS carry,
                              __global const float *above, __global float *dx, FLOATS dh, FLOATS dcarry,
                              __global const uchar *mask)
{
    const int r0 = (int)get_group_id(0) * ROWS;
    const size_t strip = (size_t)T * BP * SW;
    layer_backward(input_gradient ? NJ : 0, reverse, T, BP, t0, t1, kept, back, carry, above, strip, dx, strip, dh, dcarry,
                   mask, 0, 0, 0, r0);
}

// The same for a cell that uses h or parameters unit by unit. dvectors [BP / ROWS][strip][CELL_VECTORS][SW] is added to;
// the gradient is its sum over the groups.
KERNEL void sequence_backward_units(const int input_gradient, const int reverse, const int T, const int BP, const int t0,
                                    const int t1, FLOATS kept, CONST_FLOATS back, CONST_FLOATS carry,
                                    __global const float *above, __global float *dx, FLOATS dh, FLOATS dcarry,
                                    __global const uchar *mask, CONST_FLOATS h, CONST_FLOATS bias,
                                    __global float *dvectors)
{
    const int r0 = (int)get_group_id(0) * ROWS;
    const size_t strip = (size_t)T * BP * SW;
    layer_backward(input_gradient ? NJ : 0, reverse, T, BP, t0, t1, kept, back, carry, above, strip, dx, strip, dh, dcarry,
                   mask, h, bias, dvectors + (size_t)get_group_id(0) * NJ * CELL_VECTORS * SW, r0);
}

// Learned initial states: the same state for every row into a slot; and its gradient, the sum over rows in row order.
//   state [strip][SW], slot: first row of the slot; rows rows of it are real
KERNEL void initial_state(CONST_FLOATS state, FLOATS array, const long strip_size, const long slot, const int rows)
{
    const int j = (int)get_group_id(0);
    const vf v = VLOAD(state + j * SW + LANE);
    for (int r = 0; r < rows; r++) VSTORE(v, array + j * strip_size + (slot + r) * SW + LANE);
}

KERNEL void initial_state_gradient(CONST_FLOATS dstate, const int BP, const int rows, FLOATS gradient)
{
    const int j = (int)get_group_id(0);
    vf sum = (vf)0.0f;
    for (int r = 0; r < rows; r++) sum += VLOAD(dstate + ((size_t)j * BP + r) * SW + LANE);
    VSTORE(sum, gradient + j * SW + LANE);
}
#endif
