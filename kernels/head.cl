// The head: all OUT steps of the horizon at once from the last hidden state of the top layer, its loss and gradient.
//
//     y = W h_T + b        e = y - target
//     mse   e^2            d = 2 e
//     mae   |e|            d = sign(e), 0 at 0
//     huber e^2 / 2 where |e| <= 1, else |e| - 1/2;  d = e clipped to [-1, 1]
//     pinball of the quantile q: -q e where e < 0, else (1 - q) e;  d = -q or 1 - q, 0 at 0
//
// With WEIGHTED loss and gradient of a target are multiplied by its row's weight; without a weight it carries no loss.
//
// Outputs stand in strips of UB: OP = OUT padded, weights [strip][k < HP][UB], bias [OP], y and dy [strip][BP][UB];
// head_back [strip of units][n < OP][SW] is the same matrix for the gradient of h_T.
#define LOSS_MSE 0
#define LOSS_MAE 1
#define LOSS_HUBER 2
#define LOSS_PINBALL 3
#ifndef QUANTILE_MILLIONTHS
#define QUANTILE_MILLIONTHS 500000 // of the pinball loss; whole, so that no locale spells it otherwise
#endif
#define QUANTILE (QUANTILE_MILLIONTHS / 1e6f)

// y of the group's rows; h_last stands at the group's first row of the last slot.
INLINE void head_forward(CONST_FLOATS weights, CONST_FLOATS bias, CONST_FLOATS h_last, const size_t h_strip,
                         const int BP, const int OP, FLOATS y, const int r0)
{
    for (int j = 0; j < OP / UB; j++) {
        vf acc[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) acc[r] = (vf)0.0f;
        CONST_FLOATS w = weights + (size_t)j * HP * UB + LANE;
        for (int k = 0; k < HP; k++, w += UB) {
            const vf wv = VLOAD(w);
            CONST_FLOATS h = h_last + (size_t)(k / SW) * h_strip + k % SW;
#pragma unroll
            for (int r = 0; r < ROWS; r++) acc[r] = fma((vf)h[(size_t)r * SW], wv, acc[r]);
        }
        const vf b = VLOAD(bias + j * UB + LANE);
#pragma unroll
        for (int r = 0; r < ROWS; r++) VSTORE(acc[r] + b, y + ((size_t)j * BP + r0 + r) * UB + LANE);
    }
    GROUP_SYNC();
}

// Turns y into dL/dy for rows below `rows`, 0 elsewhere, and writes the loss of each row (not yet divided) to loss[row].
// `factor` is 1 / (rows * OUT). partial [BP][UB] is scratch. wanted 0: y stays as it is and the losses are 0; a flag here,
// because a barrier must not stand under a condition.
INLINE void head_loss(CONST_FLOATS tracks, __global const long *restrict track_start,
                      __global const int *restrict series_tracks, __global const float2 *restrict scaling,
                      __global const int2 *restrict windows, const int F, const int T, const int OUT, const int OP,
                      const int BP, const int rows, const int wanted, const int kind, const float factor, FLOATS y,
                      FLOATS partial, FLOATS loss, const int r0)
{
    const int strips = wanted ? OP / UB : 0;
    for (int r = r0; r < r0 + ROWS; r++) {
        vf sum = (vf)0.0f;
        if (r < rows) {
            const int2 window = windows[r];
            const int track = series_tracks[TRACKS_OF(window.x, F)];
            CONST_FLOATS from = tracks + track_start[track] + window.y;
            const float last = last_value(from, T), scale = scaling[track].y;
            const int season = (int)scaling[track].x;
#ifdef WEIGHTED
            const int importance_track = series_tracks[TRACKS_OF(window.x, F) + F];
            CONST_FLOATS importance = tracks + track_start[importance_track] + window.y + T;
            const float2 importance_scale = scaling[importance_track];
#endif
            for (int j = 0; j < strips; j++) {
                __global float *at = y + ((size_t)j * BP + r) * UB + LANE;
                float target[VW];
#ifdef WEIGHTED
                float weight[VW];
#endif
                for (int v = 0; v < VW; v++) {
                    const int o = j * UB + LANE + v;
                    const float base = season ? from[T - season + o % max(season, 1)] : last;
                    target[v] = o < OUT ? (from[T + o] - base) * scale : NAN;
#ifdef WEIGHTED
                    const float given = o < OUT ? (importance[o] - importance_scale.x) * importance_scale.y : NAN;
                    if (isnan(given)) target[v] = NAN;
                    weight[v] = isnan(given) ? 0.0f : given;
#endif
                }
#if VW == 1
                const vf goal = target[0];
#else
                const vf goal = LANES_LOAD(target);
#endif
                const vi present = isequal(goal, goal);
                const vf e = CHOOSE(present, VLOAD(at) - goal, (vf)0.0f);
                const vf size = fabs(e);
                vf l, d;
                if (kind == LOSS_MSE) {
                    l = e * e;
                    d = 2.0f * e;
                } else if (kind == LOSS_MAE) {
                    l = size;
                    d = CHOOSE(e > (vf)0.0f, (vf)1.0f, CHOOSE(e < (vf)0.0f, (vf)-1.0f, (vf)0.0f));
                } else if (kind == LOSS_PINBALL) {
                    const vf slope = CHOOSE(e < (vf)0.0f, (vf)(-QUANTILE), (vf)(1.0f - QUANTILE));
                    l = slope * e;
                    d = CHOOSE(e == (vf)0.0f, (vf)0.0f, slope);
                } else {
                    l = CHOOSE(size <= (vf)1.0f, 0.5f * e * e, size - 0.5f);
                    d = CHOOSE(e > (vf)1.0f, (vf)1.0f, CHOOSE(e < (vf)-1.0f, (vf)-1.0f, e));
                }
#ifdef WEIGHTED
#if VW == 1
                const vf counts = weight[0];
#else
                const vf counts = LANES_LOAD(weight);
#endif
                l *= counts;
                d *= counts;
#endif
                sum += l;
                VSTORE(d * factor, at);
            }
        } else {
            for (int j = 0; j < strips; j++) VSTORE((vf)0.0f, y + ((size_t)j * BP + r) * UB + LANE);
        }
        VSTORE(sum, partial + (size_t)r * UB + LANE);
    }
    GROUP_SYNC();
    for (int r = r0 + (LS == 1 ? 0 : (int)get_local_id(0)); r < r0 + ROWS; r += LS) {
        float total = 0.0f;
        for (int u = 0; u < UB; u++) total += partial[(size_t)r * UB + u];
        loss[r] = total;
    }
}

// dL/dh_T [strip][BP][SW] of the group's rows from dL/dy.
INLINE void head_backward(CONST_FLOATS head_back, CONST_FLOATS dy, const int BP, const int OP, FLOATS dh, const int r0)
{
    for (int j = 0; j < HP / UB; j++) { // blocks of UB units, whatever the strips of h
        const int strip = j * UB / SW, inside = j * UB % SW;
        vf acc[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) acc[r] = (vf)0.0f;
        CONST_FLOATS w = head_back + (size_t)strip * OP * SW + inside + LANE;
        for (int n = 0; n < OP; n++, w += SW) {
            const vf wv = VLOAD(w);
            CONST_FLOATS d = dy + ((size_t)(n / UB) * BP + r0) * UB + n % UB;
#pragma unroll
            for (int r = 0; r < ROWS; r++) acc[r] = fma((vf)d[(size_t)r * UB], wv, acc[r]);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) VSTORE(acc[r], dh + ((size_t)strip * BP + r0 + r) * SW + inside + LANE);
    }
    GROUP_SYNC();
}

// Gradient of one strip of the head's weights and bias: sums over a shard's rows in ascending order, which a fresh
// gradient becomes and another one grows by.
INLINE void head_weight_gradient(CONST_FLOATS h_last, const size_t h_strip, CONST_FLOATS dy, const int BP, const int rows,
                                 const int j, FLOATS gradient, FLOATS bias_gradient, const int fresh)
{
    CONST_FLOATS d = dy + (size_t)j * BP * UB + LANE;
    for (int k = 0; k < HP; k += 4) { // HP is a multiple of 4, and a strip is too
        CONST_FLOATS h = h_last + (size_t)(k / SW) * h_strip + k % SW;
        vf acc[4];
#pragma unroll
        for (int i = 0; i < 4; i++) acc[i] = (vf)0.0f;
        for (int r = 0; r < rows; r++) {
            const vf dv = VLOAD(d + (size_t)r * UB);
#pragma unroll
            for (int i = 0; i < 4; i++) acc[i] = fma((vf)h[(size_t)r * SW + i], dv, acc[i]);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            __global float *to = gradient + ((size_t)j * HP + k + i) * UB + LANE;
            VSTORE(fresh ? acc[i] : VLOAD(to) + acc[i], to);
        }
    }
    vf sum = (vf)0.0f;
    for (int r = 0; r < rows; r++) sum += VLOAD(d + (size_t)r * UB);
    __global float *to = bias_gradient + j * UB + LANE;
    VSTORE(fresh ? sum : VLOAD(to) + sum, to);
}
