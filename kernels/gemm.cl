// Our own product, for shapes too small to pay for CLBlast's set-up and transposing: C = op(A) op(B), or C += op(A) op(B).
// Each element is a chain of fma over ascending k from 0, the same chain as CLBlast's kernels run, so the bits agree.
//
//   element (m, k) of op(A) is a[m * a_row + k * a_column]; (k, n) of op(B) is b[k * b_row + n * b_column]
//
// Grid: ceil(N / UB) by ceil(M / ROWS) groups; an item makes ROWS rows of VW columns.
KERNEL void gemm_small(const int M, const int N, const int K, CONST_FLOATS a, const long a_offset, const int a_row,
                       const int a_column, CONST_FLOATS b, const long b_offset, const int b_row, const int b_column,
                       FLOATS c, const long c_offset, const int c_row, const int add)
{
    const int n0 = (int)get_group_id(0) * UB + LANE, m0 = (int)get_group_id(1) * ROWS;
    a += a_offset;
    b += b_offset;
    c += c_offset;
    vf acc[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) acc[r] = (vf)0.0f;
    const int whole = n0 + VW <= N;
    for (int k = 0; k < K; k++) {
        vf bv;
#if VW == 1
        bv = b[(size_t)k * b_row + (size_t)min(n0, N - 1) * b_column];
#else
        if (whole && b_column == 1) {
            bv = VLOAD(b + (size_t)k * b_row + n0);
        } else {
            float lanes[VW];
            for (int v = 0; v < VW; v++) lanes[v] = b[(size_t)k * b_row + (size_t)min(n0 + v, N - 1) * b_column];
            bv = LANES_LOAD(lanes);
        }
#endif
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const int m = min(m0 + r, M - 1);
            acc[r] = fma((vf)a[(size_t)m * a_row + (size_t)k * a_column], bv, acc[r]);
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        __global float *to = c + (size_t)(m0 + r) * c_row + n0;
        if (m0 + r < M && whole) VSTORE(add ? VLOAD(to) + acc[r] : acc[r], to);
#if VW > 1
        if (m0 + r < M && !whole) {
            float lanes[VW];
            LANES_STORE(acc[r], lanes);
            for (int v = 0; v < VW; v++)
                if (n0 + v < N) to[v] = add ? to[v] + lanes[v] : lanes[v];
        }
#endif
    }
}
