// Dropout between layers (inverted: kept values are divided by 1 - p). The mask of (member, layer, step, row, time, unit)
// is computed where it is needed, forward and backward, and never stored:
//     counter = (layer * 65536 + unit, time, row, optimiser step), key = the member's key
// A unit stays when the random word is below `threshold` = (1 - p) * 2^32.
INLINE vf dropout_factor(const uint2 key, const int layer, const int unit, const int t, const int row, const int step,
                         const uint threshold, const float keep)
{
#if VW == 1
    const vu word = philox((uint)(layer * 65536 + unit), (uint)t, (uint)row, (uint)step, key.x, key.y);
#else
    const vu units = (vu)((uint)(layer * 65536 + unit)) + AS_UINT(IOTA);
    const vu word = philox(units, (vu)((uint)t), (vu)((uint)row), (vu)((uint)step), key.x, key.y);
#endif
    return CHOOSE(word < (vu)threshold, (vf)keep, (vf)0.0f);
}

// to = from * mask, for all times of the group's rows, which stand behind row_0 others in the batch. Element (row n, unit u) is at [u / SW][n][u % SW] of either.
INLINE void dropout_rows(const uint2 key, const int layer, const int step, const uint threshold, const float keep,
                         const int T, const int BP, __global const float *from, const size_t from_strip,
                         __global float *to, const size_t to_strip, const int r0, const int row_0)
{
    for (int u = 0; u < HP / UB; u++) {
        const int strip = u * UB / SW, inside = u * UB % SW + LANE;
        for (int t = 0; t < T; t++) {
            for (int r = r0; r < r0 + ROWS; r++) {
                const size_t at = ((size_t)t * BP + r) * SW + inside;
                const vf factor = dropout_factor(key, layer, u * UB + LANE, t, row_0 + r, step, threshold, keep);
                VSTORE(VLOAD(from + strip * from_strip + at) * factor, to + strip * to_strip + at);
            }
        }
    }
    GROUP_SYNC();
}
