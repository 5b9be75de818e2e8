// Weight gradients of all layers and the head in one launch: dL/dW = sum over times and rows of input * gate gradient.
//
// A group makes a block of PART input rows by one strip of gates; RW input rows by G gates of a strip are accumulated in
// registers over the rows n of all times of a shard (step.cl), in ascending order, NC rows at a time so that they stay in
// the cache while the block's tiles pass over them; the shards' sums are added in their order.
//
// Grid: blocks * splits by slots. One split takes the shards one by one, and one gradient grows by each. With as many
// splits as shards each has a gradient of its own, which are added later, in the same order: the same sums.
#define RW 4
#ifndef PART
#define PART 64
#endif
#ifndef NC
#define NC 384
#endif
#define TILES (PART / RW)

// Over n in [n0, n1) of the N rows of a shard: state[RW][G][SW] (row stride gs) grows by a[n][0..RW) * d[n][G][SW]. What is
// complete at N goes to `total`, which a fresh one becomes and another one grows by; until then `chain` has it, which
// may be a fresh total itself. For the gates from q0 up to q1: the others have no product of what a is, and
// their gradient stays the 0 it began with.
INLINE void gradient_tile(const int gs, const int q0, const int q1, CONST_FLOATS a, const int a_stride, CONST_FLOATS d,
                          __global float *total, __global float *chain, const int n0, const int n1, const int N,
                          const int fresh, const int tile)
{
    vf acc[G][RW];
#pragma unroll
    for (int r = 0; r < RW; r++)
#pragma unroll
        for (int q = q0; q < q1; q++) acc[q][r] = n0 == 0 ? (vf)0.0f : VLOAD(chain + r * gs + q * SW);
    CONST_FLOATS av = a + (size_t)n0 * a_stride;
    CONST_FLOATS dv = d + (size_t)n0 * GS;
    // This tile's share of the gates of the next rows, and of the values: the first tile would have to wait for them.
    __global const float *next = d + (size_t)n1 * GS + tile * (NC * (GS / TILES));
    for (int n = n0; n < n1; n++, av += a_stride, dv += GS, next += GS / TILES) {
        vf w[G];
        PREFETCH(next);
        PREFETCH(av + NC * SW);
#pragma unroll
        for (int q = q0; q < q1; q++) w[q] = VLOAD(dv + q * SW);
#pragma unroll
        for (int r = 0; r < RW; r++) {
            const vf v = (vf)av[r];
#pragma unroll
            for (int q = q0; q < q1; q++) acc[q][r] = fma(v, w[q], acc[q][r]);
        }
    }
    if (n1 == N && !fresh) {
#pragma unroll
        for (int r = 0; r < RW; r++)
#pragma unroll
            for (int q = q0; q < q1; q++) acc[q][r] = VLOAD(total + r * gs + q * SW) + acc[q][r];
    }
    __global float *to = n1 == N ? total : chain;
#pragma unroll
    for (int r = 0; r < RW; r++)
#pragma unroll
        for (int q = q0; q < q1; q++) VSTORE(acc[q][r], to + r * gs + q * SW);
}

INLINE void gradient_bias(CONST_FLOATS d, __global float *total, const int N, const int fresh)
{
    vf acc[G];
#pragma unroll
    for (int q = 0; q < G; q++) acc[q] = (vf)0.0f;
    CONST_FLOATS dv = d;
    for (int n = 0; n < N; n++, dv += GS)
#pragma unroll
        for (int q = 0; q < G; q++) acc[q] += VLOAD(dv + q * SW);
#pragma unroll
    for (int q = 0; q < G; q++) VSTORE(fresh ? acc[q] : VLOAD(total + q * SW) + acc[q], total + q * SW);
}

// dL/d(parameters used unit by unit) and dL/d(states begun from) of strip j: sums over the groups' sums of a shard,
// ascending.
INLINE void gradient_units(CONST_FLOATS sums, const int groups, const int j, __global float *bias,
                           __global float *initial, const int fresh)
{
    for (int q = 0; q < CELL_VECTORS; q++) {
        __global float *total = bias + (G + q) * SW;
        vf sum = (vf)0.0f;
        for (int g = 0; g < groups; g++) sum += VLOAD(sums + g * L * LAYER_SUMS + ((size_t)j * CELL_VECTORS + q) * SW);
        VSTORE(fresh ? sum : VLOAD(total) + sum, total);
    }
    for (int q = 0; q < BEGINNINGS; q++) {
        if (!(CELL_LEARNED >> q & 1)) continue; // no parameter: its gradient stays the 0 it began with
        __global float *total = initial + (size_t)q * HP;
        vf sum = (vf)0.0f;
        for (int g = 0; g < groups; g++)
            sum += VLOAD(sums + g * L * LAYER_SUMS + CELL_VECTORS * HP + ((size_t)q * NJ + j) * SW);
        VSTORE(fresh ? sum : VLOAD(total) + sum, total);
    }
}

#ifdef CELL_STAGES
// Part `part` of a layer's weights for strip j of its gates: (stage, PART of the rows that it multiplies).
#define PARTS_OF(stage) +((int)STAGE_##stage##_COLUMNS(kx, HP) + PART - 1) / PART
INLINE int stage_parts(const int kx) { return 0 FOR_STAGES(PARTS_OF); }

#define VALUES_PLANE(p) ((p) ? carry + (size_t)((p) - 1) * H_SIZE : h) + (u / SW) * h_strip + u % SW, SW
#define VALUES_OPERAND(o) kept + (u / SW) * kept_strip + (G + (o)) * SW + u % SW, GS
#define GRADIENT_INPUT(first, last, adds)                                                                            \
    if (source-- == 0) {                                                                                             \
        if (l == 0)                                                                                                  \
            gradient_tile(gates * SW, first, last, below + u, kx, d, total, state, n0, n1, N, fresh, tile);          \
        else                                                                                                         \
            gradient_tile(gates * SW, first, last,                                                                   \
                          (dropped ? dropped : below) + (u / SW) * (dropped ? units_strip : h_strip) + u % SW, SW, d, \
                          total, state, n0, n1, N, fresh, tile);                                                     \
    }
#define GRADIENT_UNITS(from, index, units, first, last, adds)                                                        \
    if (source-- == 0)                                                                                               \
        gradient_tile(gates * SW, first, last, VALUES_##from(index), d, total, state, n0, n1, N, fresh, tile);

#define GRADIENT_STAGE(stage)                                                                                        \
    {                                                                                                                \
        const int gates = STAGE_##stage##_GATES, rows = (int)STAGE_##stage##_COLUMNS(kx, HP);                        \
        const int inputs = (int)STAGE_##stage##_COLUMNS(kx, 0), parts = (rows + PART - 1) / PART;                    \
        CONST_FLOATS d = kept + j * kept_strip + STAGE_##stage##_FIRST * SW + LANE;                                  \
        const size_t start = (size_t)HP * STAGE_##stage##_BEFORE(kx, HP) + (size_t)j * rows * gates * SW + LANE;     \
        const int from = part >= 0 && part < parts ? part * PART : rows, to = min(from + PART, rows);                \
        for (int n0 = 0; n0 < N; n0 += NC) {                                                                         \
            const int n1 = min(n0 + NC, N);                                                                          \
            for (int k = from; k < to; k += RW) {                                                                    \
                __global float *total = gradient + start + (size_t)k * gates * SW;                                   \
                __global float *state = fresh ? total : chain + start + (size_t)k * gates * SW;                      \
                const int tile = (k - from) / RW;                                                                    \
                int source = k < inputs ? k / kx : inputs / kx + (k - inputs) / HP;                                  \
                const int u = k < inputs ? k % kx : (k - inputs) % HP;                                               \
                STAGE_##stage##_INPUTS(GRADIENT_INPUT)                                                               \
                STAGE_##stage##_UNITS(GRADIENT_UNITS)                                                                \
            }                                                                                                        \
        }                                                                                                            \
        part -= parts;                                                                                               \
    }

// below: the input, [row][kx] or strips of the layer below; dropped: what dropout made of those, or null.
INLINE void stage_gradient(const int l, const int j, int part, const int kx, const int T, const int BP, const int N,
                           const int fresh, __global const float *below, __global const float *dropped,
                           __global const float *h, __global const float *carry, __global const float *kept, __global float *gradient,
                           __global float *chain)
{
    const size_t h_strip = (size_t)(T + 1) * BP * SW, units_strip = (size_t)T * BP * SW, kept_strip = (size_t)T * BP * GS;
    FOR_STAGES(GRADIENT_STAGE)
}
#endif

// What a group of the gradient makes of a shard, from the heavy blocks to the light ones: the layers above the first, then
// the first layer, then the head. A launch takes them from the end: a driver may hand a thread half of the groups that
// are left (PoCL does), and that half must not be the heavy one.
#ifdef CELL_STAGES
#define GRADIENT_PARTS(kx) stage_parts(kx)
#else
#define GRADIENT_PARTS(kx) (((kx) + HP + PART - 1) / PART)
#endif
#define UPPER_GRADIENTS ((L - 1) * NJ * GRADIENT_PARTS(HP))
#define LAYER_GRADIENTS (UPPER_GRADIENTS + NJ * GRADIENT_PARTS(KX))

// Block `block` of a shard whose arrays stand at x, h, ...; rows of it are real.
INLINE void gradient_block(int block, const int rows, const int fresh, const int KX, const int T, const int BP, const int OP,
                           const int with_dropout, const int first_time, __global const float *x, __global const float *h,
                           __global const float *carry, __global const float *kept, __global const float *dropped,
                           __global const float *dy, __global const float *sums, __global float *gradient,
                           __global float *chain)
{
    const size_t h_strip = (size_t)(T + 1) * BP * SW, units_strip = (size_t)T * BP * SW, kept_strip = (size_t)T * BP * GS;
    const int N = (T - first_time) * BP;
    const size_t skipped = (size_t)first_time * BP; // rows of times that no gradient reaches
    x += skipped * KX;
    h += skipped * SW;
    kept += skipped * GS;
    dropped += skipped * SW;
    if (block >= LAYER_GRADIENTS) {
        head_weight_gradient(h + (L - 1) * H_SIZE + (size_t)N * SW, h_strip, dy, BP, clamp(rows, 0, BP),
                             block - LAYER_GRADIENTS, gradient + HEAD_START, gradient + HEAD_BIAS, fresh);
        return;
    }
    const int upper_parts = GRADIENT_PARTS(HP);
    const int l = block < UPPER_GRADIENTS ? 1 + block / (NJ * upper_parts) : 0;
    const int parts = l ? upper_parts : GRADIENT_PARTS(KX);
    block = l ? block % (NJ * upper_parts) : block - UPPER_GRADIENTS;
    const int j = block / parts, part = block % parts;
    __global const float *d = kept + l * KEPT_SIZE + j * kept_strip + LANE;
#ifdef CELL_STAGES
    stage_gradient(l, j, part, KXL(l), T, BP, N, fresh, l ? h + (l - 1) * H_SIZE + (size_t)BP * SW : x,
                   with_dropout && l ? dropped + (l - 1) * UNITS_SIZE : 0, h + l * H_SIZE,
                   carry + l * CELL_CARRIES * H_SIZE + skipped * SW, kept + l * KEPT_SIZE, gradient + LAYER_START(l),
                   chain + LAYER_START(l));
#else
    (void)carry;
    const int kx = KXL(l), k0 = part * PART, k1 = min(k0 + PART, kx + HP);
    const size_t start = LAYER_START(l) + (size_t)j * (kx + HP) * GS + LANE;
    __global const float *recurrent = h + l * H_SIZE; // slot t holds h before the step t of those
    for (int n0 = 0; n0 < N; n0 += NC) {
        const int n1 = min(n0 + NC, N);
        for (int k = k0; k < k1; k += RW) {
            __global float *total = gradient + start + (size_t)k * GS;
            __global float *state = fresh ? total : chain + start + (size_t)k * GS;
            if (k >= kx) {
                const int u = k - kx;
                gradient_tile(GS, CELL_H_FIRST, G, recurrent + (u / SW) * h_strip + u % SW, SW, d, total, state, n0, n1, N,
                              fresh, (k - k0) / RW);
            } else if (l == 0)
                gradient_tile(GS, 0, CELL_X_GATES, x + k, KX, d, total, state, n0, n1, N, fresh, (k - k0) / RW);
            else if (with_dropout)
                gradient_tile(GS, 0, CELL_X_GATES, dropped + (l - 1) * UNITS_SIZE + (k / SW) * units_strip + k % SW, SW, d,
                              total, state, n0, n1, N, fresh, (k - k0) / RW);
            else
                gradient_tile(GS, 0, CELL_X_GATES, recurrent - H_SIZE + (size_t)BP * SW + (k / SW) * h_strip + k % SW, SW, d,
                              total, state, n0, n1, N, fresh, (k - k0) / RW);
        }
    }
#endif
    if (part == 0) {
        __global float *bias = gradient + LAYER_BIAS(l) + (size_t)j * (G + CELL_VECTORS) * SW + LANE;
        gradient_bias(d, bias, N, fresh);
        if (SUMS)
            gradient_units(sums + l * LAYER_SUMS + LANE, BP / ROWS, j, bias,
                           gradient + LAYER_INITIAL(l) + (size_t)j * SW + LANE, fresh);
    }
}

#ifdef SHARD_GRADIENTS
INLINE void shard_gradient(const int rows, const int run, const int KX, const int T, const int BP, const int OP,
                           const int first_time, CONST_FLOATS x, CONST_FLOATS h, CONST_FLOATS carry, CONST_FLOATS kept,
                           CONST_FLOATS dropped, CONST_FLOATS dy, CONST_FLOATS sums, FLOATS gradient)
{
    for (int block = 0; block < (run ? LAYER_GRADIENTS + OP / UB : 0); block++)
        gradient_block(block, rows, 1, KX, T, BP, OP, DROPOUT, first_time, x, h, carry, kept, dropped, dy, sums, gradient,
                       gradient);
}
#else
// first, count   the shards of this launch, which have the first of the `held` places
// chain          [slot][parameters], for shards of more than NC rows where there is one split
KERNEL void weight_gradient(__global const int *restrict schedule, const int step, const int slots, const int first,
                            const int count, const int held, const int splits, const int KX, const int T, const int BP,
                            const int OP, const int with_dropout, const int first_time, CONST_FLOATS x, CONST_FLOATS h,
                            CONST_FLOATS kept, CONST_FLOATS dropped, CONST_FLOATS dy, __global float *gradient,
                            __global float *chain, CONST_FLOATS sums, CONST_FLOATS carry)
{
    const int slot = (int)get_group_id(1);
    const int rows = schedule[((size_t)step * slots + slot) * SCHEDULE_WORDS];
    if (rows == 0) return;
    const int parts_of_count = splits == 1 ? 1 : count, split = (int)get_group_id(0) % parts_of_count;
    const int begin = splits == 1 ? 0 : split, end = splits == 1 ? count : split + 1;
    gradient += ((size_t)slot * splits + (splits == 1 ? 0 : first + split)) * PARAMETERS;
    chain += splits == 1 ? (size_t)slot * PARAMETERS : 0;
    const int block = LAYER_GRADIENTS + OP / UB - 1 - (int)get_group_id(0) / parts_of_count;
    for (int place = begin; place < end; place++) {
        const size_t at = (size_t)slot * held + place;
        gradient_block(block, rows - (first + place) * BP, splits > 1 || first + place == 0, KX, T, BP, OP, with_dropout,
                       first_time, x + at * T * BP * KX, h + at * L * H_SIZE,
                       carry + at * L * CELL_CARRIES * H_SIZE, kept + at * L * KEPT_SIZE,
                       dropped + at * (L - 1) * UNITS_SIZE, dy + at * BP * OP, sums + at * SUMS_SIZE, gradient, chain);
    }
}
#endif
