// Weight gradients of all layers and the head in one launch: dL/dW = sum over times and rows of input * gate gradient.
//
// A group makes a block of PART input rows by one strip of gates; RW input rows by G gates of a strip are accumulated in
// registers over the rows n of all times, in ascending order, NC rows at a time so that they stay in the cache while the
// block's tiles pass over them. Grid: blocks * splits by slots; split s sums the s-th part of the rows into a gradient of
// its own, and their number depends on the shape only.
#define RW 4
#ifndef PART
#define PART 64
#endif
#ifndef NC
#define NC 384
#endif

// gradient[RW][G][SW] (row stride GS) += sum over n in [n0, n1) of a[n][0..RW) * d[n][G][SW]
INLINE void gradient_tile(CONST_FLOATS a, const int a_stride, CONST_FLOATS d, FLOATS gradient, const int begin, const int n0,
                          const int n1)
{
    vf acc[G][RW];
#pragma unroll
    for (int r = 0; r < RW; r++)
#pragma unroll
        for (int q = 0; q < G; q++) acc[q][r] = n0 == begin ? (vf)0.0f : VLOAD(gradient + r * GS + q * SW);
    CONST_FLOATS av = a + (size_t)n0 * a_stride;
    CONST_FLOATS dv = d + (size_t)n0 * GS;
    for (int n = n0; n < n1; n++, av += a_stride, dv += GS) {
        vf w[G];
#pragma unroll
        for (int q = 0; q < G; q++) w[q] = VLOAD(dv + q * SW);
#pragma unroll
        for (int r = 0; r < RW; r++) {
            const vf v = (vf)av[r];
#pragma unroll
            for (int q = 0; q < G; q++) acc[q][r] = fma(v, w[q], acc[q][r]);
        }
    }
#pragma unroll
    for (int r = 0; r < RW; r++)
#pragma unroll
        for (int q = 0; q < G; q++) VSTORE(acc[q][r], gradient + r * GS + q * SW);
}

INLINE void gradient_bias(CONST_FLOATS d, FLOATS gradient, const int n0, const int n1)
{
    vf acc[G];
#pragma unroll
    for (int q = 0; q < G; q++) acc[q] = (vf)0.0f;
    CONST_FLOATS dv = d + (size_t)n0 * GS;
    for (int n = n0; n < n1; n++, dv += GS)
#pragma unroll
        for (int q = 0; q < G; q++) acc[q] += VLOAD(dv + q * SW);
#pragma unroll
    for (int q = 0; q < G; q++) VSTORE(acc[q], gradient + q * SW);
}

KERNEL void weight_gradient(__global const int *restrict schedule, const int step, const int slots, const int splits,
                            const int KX, const int T, const int BP, const int OP, const int with_dropout, CONST_FLOATS x,
                            CONST_FLOATS h, CONST_FLOATS kept, CONST_FLOATS dropped, CONST_FLOATS dy, FLOATS gradient)
{
    const int slot = (int)get_group_id(1);
    const int rows = schedule[((size_t)step * slots + slot) * SCHEDULE_WORDS];
    if (rows == 0) return;
    const int split = (int)get_group_id(0) % splits;
    int block = (int)get_group_id(0) / splits;
    x += (size_t)slot * T * BP * KX;
    h += (size_t)slot * L * H_SIZE;
    kept += (size_t)slot * L * KEPT_SIZE;
    dropped += (size_t)slot * (L - 1) * UNITS_SIZE;
    dy += (size_t)slot * BP * OP;
    gradient += ((size_t)slot * splits + split) * PARAMETERS;
    const size_t h_strip = (size_t)(T + 1) * BP * SW, units_strip = (size_t)T * BP * SW, kept_strip = (size_t)T * BP * GS;

    // Heavy blocks first: the layers above the first, then the first layer, then the head.
    const int parts_upper = (2 * HP + PART - 1) / PART, parts_first = (KX + HP + PART - 1) / PART;
    const int upper = (L - 1) * NJ * parts_upper, first = NJ * parts_first;
    if (block >= upper + first) {
        const int j = block - upper - first;
        if (split == 0)
            head_weight_gradient(h + (L - 1) * H_SIZE + (size_t)T * BP * SW, h_strip, dy, BP, rows, j, gradient + HEAD_START,
                                 gradient + HEAD_BIAS);
        else {
            for (int k = 0; k < HP; k++) VSTORE((vf)0.0f, gradient + HEAD_START + ((size_t)j * HP + k) * UB + LANE);
            VSTORE((vf)0.0f, gradient + HEAD_BIAS + j * UB + LANE);
        }
        return;
    }
    const int l = block < upper ? 1 + block / (NJ * parts_upper) : 0;
    const int parts = l ? parts_upper : parts_first;
    block = l ? block % (NJ * parts_upper) : block - upper;
    const int j = block / parts, part = block % parts;
    const int kx = KXL(l), k0 = part * PART, k1 = min(k0 + PART, kx + HP);
    const int N = T * BP, begin = (int)((long)N * split / splits), end = (int)((long)N * (split + 1) / splits);

    CONST_FLOATS d = kept + l * KEPT_SIZE + j * kept_strip + LANE;
    FLOATS to = gradient + LAYER_START(l) + (size_t)j * (kx + HP) * GS + LANE;
    CONST_FLOATS recurrent = h + l * H_SIZE; // slot t holds h before the step at time t
    for (int n0 = begin; n0 < end; n0 += NC) {
        const int n1 = min(n0 + NC, end);
        for (int k = k0; k < k1; k += RW) {
            FLOATS at = to + (size_t)k * GS;
            if (k >= kx) {
                const int u = k - kx;
                gradient_tile(recurrent + (u / SW) * h_strip + u % SW, SW, d, at, begin, n0, n1);
            } else if (l == 0)
                gradient_tile(x + k, KX, d, at, begin, n0, n1);
            else if (with_dropout)
                gradient_tile(dropped + (l - 1) * UNITS_SIZE + (k / SW) * units_strip + k % SW, SW, d, at, begin, n0, n1);
            else
                gradient_tile(recurrent - H_SIZE + (size_t)BP * SW + (k / SW) * h_strip + k % SW, SW, d, at, begin, n0, n1);
        }
    }
    if (part == 0) gradient_bias(d, gradient + LAYER_BIAS(l) + (size_t)j * GS + LANE, begin, end);
}
