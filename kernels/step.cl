// A whole training step for a slice of the batch in one launch: ROWS rows are gathered, taken through every layer over
// all times, through head and loss, and back through every layer. What is left for other kernels are the sums over rows:
// weight gradients, norm, optimiser. And the forward half by itself for validation and forecasts, which keeps nothing.
//
// Grid: groups by slots. A slot is a place of the launch that a live member holds; schedule says which.
//
// Shards. The rows of a batch are cut into `shards` of BP rows each (BP is a multiple of ROWS), and every sum over rows is
// the sum of the shards' own sums, in the order of the shards. Arrays of a batch lie shard by shard, so that a launch may
// take all of them or a few: `held` is how many have a place in memory at once, `first` the first that a launch takes.
// Their number depends on the batch only, so that memory changes no bit.
//
// Truncated backpropagation: gradients run back to the step at time `begin` and no further (0: through all times), for what
// the state before it came from counts as given.
//
// Compile-time: H hidden units, L layers, DROPOUT (0: none between the layers).
//
// schedule [step][slot][8]: rows of the batch that are real (0: the member rests), optimiser step from 1, member,
// then as floats: learning rate, 1 / (1 - beta1^t), 1 / (1 - beta2^t), 1 / (rows * OUT); steps of the launch, which
// become the norm of the gradient (optimiser.cl)
#define SCHEDULE_WORDS 8
//
// parameters of a member: layers, then the head: weights [strip][HP][UB], bias [OP]. A layer is its weights, its biases with
// the parameters used unit by unit, and where CELL_INITIAL is 1 the states it begins from, h and then the carries:
// [state][strip][SW]
#ifndef CELL_INITIAL
#define CELL_INITIAL 0 // 1: states do not begin at 0
#define CELL_LEARNED 0 // bit q: state q begins at parameters that are trained
#endif
#define STATES (1 + CELL_CARRIES)
#define BEGINNINGS (CELL_INITIAL ? STATES : 0)
#define KXL(l) ((l) ? HP : KX)
#define LAYER_SIZE(kx) (LAYER_WEIGHTS(kx) + (size_t)(G + CELL_VECTORS + BEGINNINGS) * HP)
#define LAYER_START(l) ((l) ? LAYER_SIZE(KX) + (size_t)((l)-1) * LAYER_SIZE(HP) : 0)
#define LAYER_BIAS(l) (LAYER_START(l) + LAYER_WEIGHTS(KXL(l)))
#define LAYER_INITIAL(l) (LAYER_BIAS(l) + (size_t)(G + CELL_VECTORS) * HP)
#define HEAD_START LAYER_START(L)
#define HEAD_BIAS (HEAD_START + (size_t)HP * OP)
#define PARAMETERS (HEAD_BIAS + OP)
// the same matrices for backward products: layers (columns h; inputs and h above the first), then the head
#ifdef STAGE // whose products take the weights as they are
#define BACK_START(l) ((size_t)0)
#else
#define BACK_START(l) ((l) ? BACK_WEIGHTS(0) + (size_t)((l)-1) * BACK_WEIGHTS(1) : 0)
#endif
#define BACK_SIZE (BACK_START(L) + (size_t)HP * OP)
#ifndef L
#define L 1 // layers
#endif

#define DATA_ARGUMENTS                                                                                               \
    CONST_FLOATS tracks, __global const long *restrict track_start, __global const int *restrict series_tracks,      \
        __global const float2 *restrict scaling, __global const int2 *restrict windows

// Sums over the rows of a group for gradients that are no products: [group of a shard][layer], of each first the parameters used unit
// by unit, [strip][CELL_VECTORS][SW], then the states begun from, [state][strip][SW].
#define SUMS (CELL_VECTORS + (CELL_LEARNED ? STATES : 0))
#define SUMS_OF_GROUPS (CELL_VECTORS > 0 || CELL_LEARNED > 0)
#define LAYER_SUMS ((size_t)SUMS * HP)
#define SUMS_SIZE ((size_t)(BP / ROWS) * L * LAYER_SUMS)

#define H_SIZE ((size_t)(T + 1) * BP * HP) // of a layer: h, and each carry
#define KEPT_SIZE ((size_t)T * BP * GS * NJ)
#define UNITS_SIZE ((size_t)T * BP * HP)
#ifdef CELL_STAGES
#define STEP_KEPT ((size_t)BP * GS * NJ)
#else
#define STEP_KEPT ((size_t)0)
#endif

// The states that the group's rows begin from, into slot 0 of h and of the carries (state_size apart).
INLINE void begin_states(CONST_FLOATS initial, FLOATS h, FLOATS carry, const size_t strip_size, const size_t state_size,
                         const int r0)
{
    for (int q = 0; q < STATES; q++)
        for (int j = 0; j < NJ; j++) {
            const vf v = VLOAD(initial + ((size_t)q * NJ + j) * SW + LANE);
            __global float *to = (q ? carry + (q - 1) * state_size : h) + j * strip_size + LANE;
            for (int r = r0; r < r0 + ROWS; r++) VSTORE(v, to + (size_t)r * SW);
        }
    GROUP_SYNC();
}

// Their gradient, the sum over the group's rows below `rows`. sums [state][strip][SW].
INLINE void sum_begun(CONST_FLOATS dh, CONST_FLOATS dcarry, const int BP, const int rows, FLOATS sums, const int r0)
{
    for (int q = 0; q < STATES; q++)
        for (int j = 0; j < NJ; j++) {
            __global const float *from =
                (q ? dcarry + (size_t)(q - 1) * BP * HP : dh) + (size_t)j * BP * SW + LANE;
            vf sum = (vf)0.0f;
            for (int r = r0; r < min(r0 + ROWS, rows); r++) sum += VLOAD(from + (size_t)r * SW);
            VSTORE(sum, sums + ((size_t)q * NJ + j) * SW + LANE);
        }
}

#ifndef STAGE
// Small batches, whose shards are a group each (SHARD_GRADIENTS): the group makes the shard's weight gradients, too, while
// all that they are made of is in its caches (gradient.cl). Rows of it are real; a member at rest (run 0) has none.
#ifdef SHARD_GRADIENTS
INLINE void shard_gradient(const int rows, const int run, const int KX, const int T, const int BP, const int OP,
                           const int first_time, CONST_FLOATS x, CONST_FLOATS h, CONST_FLOATS carry, CONST_FLOATS kept,
                           CONST_FLOATS dropped, CONST_FLOATS dy, CONST_FLOATS sums, FLOATS gradient);
#define GRADIENTS_ARGUMENT , __global float *gradient // [slot][shards][parameters]
#else
#define GRADIENTS_ARGUMENT
#endif

KERNEL void train_rows(DATA_ARGUMENTS, __global const int *restrict schedule, __global const uint2 *restrict keys,
                       const int step, const int slots, const int first, const int shards, const int held,
                       const int columns, const int F, const int KX, const int T, const int BP, const int OUT, const int OP,
                       const int loss_kind, const uint threshold, const float keep, const int begin,
                       CONST_FLOATS parameters, CONST_FLOATS back, FLOATS x, FLOATS h, FLOATS carry, FLOATS kept, FLOATS dropped, FLOATS dx,
                       FLOATS dh, FLOATS dcarry, FLOATS y, FLOATS partial, FLOATS loss, FLOATS sums GRADIENTS_ARGUMENT)
{
    const int place = (int)get_group_id(0) * ROWS / BP, r0 = (int)get_group_id(0) * ROWS % BP;
    const int shard = first + place, slot = (int)get_group_id(1);
    __global const int *plan = schedule + ((size_t)step * slots + slot) * SCHEDULE_WORDS;
    const int optimiser_step = plan[1], member = plan[2];
    const int rows = plan[0] - shard * BP; // of this shard that are real, if that is above 0
    const int run = plan[0] ? T : 0; // a member at rest takes no step; no early return, for barriers follow
    const size_t batch = ((size_t)step * slots + slot) * shards + shard, at = (size_t)slot * held + place;
    const float factor = as_float(plan[6]);
    __global const float2 *restrict scale = scaling + (size_t)member * columns;
    __global const int2 *restrict window = windows + batch * BP;
    CONST_FLOATS p = parameters + (size_t)member * PARAMETERS;
    CONST_FLOATS b = back + (size_t)member * BACK_SIZE;
    x += at * T * BP * KX;
    h += at * L * H_SIZE;
    carry += at * L * CELL_CARRIES * H_SIZE;
    kept += at * L * KEPT_SIZE;
    dropped += at * (L - 1) * UNITS_SIZE;
    dx += at * (L > 2 ? 2 : L - 1) * UNITS_SIZE;
    dh += at * BP * HP;
    dcarry += at * (CELL_CARRIES + CELL_SCRATCH) * BP * HP;
    y += at * BP * OP;
    partial += at * BP * UB;
    loss += batch * BP;
    sums += at * SUMS_SIZE + (size_t)(r0 / ROWS) * L * LAYER_SUMS;
    const size_t h_strip = (size_t)(T + 1) * BP * SW, units_strip = (size_t)T * BP * SW;

    for (int q = 0; q < (CELL_VECTORS ? L * SUMS * NJ : 0); q++) VSTORE((vf)0.0f, sums + (size_t)q * SW + LANE);
    gather(tracks, track_start, series_tracks, scale, window, F, KX, T, run, BP, rows, x, r0);
#if CELL_INITIAL
    begin_states(p + LAYER_INITIAL(0), h, carry, h_strip, H_SIZE, r0);
#endif
    layer_forward(0, 0, T, BP, 0, run, KX, F, x, 0, p, p + LAYER_BIAS(0), h, carry, 0, kept, 0, r0);
#if L > 1
    for (int l = 1; l < L; l++) {
        __global const float *below = h + (l - 1) * H_SIZE + (size_t)BP * SW;
        size_t strip = h_strip;
#if DROPOUT
        __global float *to = dropped + (l - 1) * UNITS_SIZE;
        dropout_rows(keys[member], l, optimiser_step, threshold, keep, run, BP, below, h_strip, to, units_strip, r0,
                     shard * BP);
        below = to;
        strip = units_strip;
#endif
#if CELL_INITIAL
        begin_states(p + LAYER_INITIAL(l), h + l * H_SIZE, carry + l * CELL_CARRIES * H_SIZE, h_strip, H_SIZE, r0);
#endif
        layer_forward(1, 0, T, BP, 0, run, HP, HP, below, strip, p + LAYER_START(l), p + LAYER_BIAS(l), h + l * H_SIZE,
                      carry + l * CELL_CARRIES * H_SIZE, 0, kept + l * KEPT_SIZE, 0, r0);
    }
#endif
    head_forward(p + HEAD_START, p + HEAD_BIAS, h + (L - 1) * H_SIZE + ((size_t)T * BP + r0) * SW, h_strip, BP, OP, y, r0);
    head_loss(tracks, track_start, series_tracks, scale, window, F, T, OUT, OP, BP, rows, 1, loss_kind, factor, y,
              partial, loss, r0);
    GROUP_SYNC();
    head_backward(b + BACK_START(L), y, BP, OP, dh, r0);

    for (int q = 0; q < CELL_CARRIES * NJ; q++)
        for (int r = r0; r < r0 + ROWS; r++) VSTORE((vf)0.0f, dcarry + ((size_t)q * BP + r) * SW + LANE);
#if L > 1
    for (int l = L - 1; l >= 1; l--) {
        __global const float *above = l == L - 1 ? 0 : dx + (L > 2 ? (l & 1) * UNITS_SIZE : 0);
        __global float *below = dx + (L > 2 ? (~l & 1) * UNITS_SIZE : 0);
        layer_backward(NJ, 0, T, BP, begin, run, kept + l * KEPT_SIZE, b + BACK_START(l), carry + l * CELL_CARRIES * H_SIZE,
                       above, units_strip, below, units_strip, dh, dcarry, 0, h + l * H_SIZE, p + LAYER_BIAS(l),
                       sums + l * LAYER_SUMS, r0);
#if CELL_LEARNED
        sum_begun(dh, dcarry, BP, begin ? 0 : rows, sums + l * LAYER_SUMS + CELL_VECTORS * HP, r0);
#endif
#if DROPOUT
        dropout_rows(keys[member], l, optimiser_step, threshold, keep, run, BP, below, units_strip, below, units_strip, r0,
                     shard * BP);
#endif
        for (int q = 0; q < NJ; q++)
            for (int r = r0; r < r0 + ROWS; r++) VSTORE((vf)0.0f, dh + ((size_t)q * BP + r) * SW + LANE);
        for (int q = 0; q < CELL_CARRIES * NJ; q++)
            for (int r = r0; r < r0 + ROWS; r++) VSTORE((vf)0.0f, dcarry + ((size_t)q * BP + r) * SW + LANE);
    }
#endif
    layer_backward(0, 0, T, BP, begin, run, kept, b, carry, L > 1 ? dx : 0, units_strip, 0, 0, dh, dcarry, 0, h,
                   p + LAYER_BIAS(0), sums, r0);
#if CELL_LEARNED
    sum_begun(dh, dcarry, BP, begin ? 0 : rows, sums + CELL_VECTORS * HP, r0);
#endif
#ifdef SHARD_GRADIENTS
    GROUP_SYNC();
    shard_gradient(rows, run, KX, T, BP, OP, begin, x, h, carry, kept, dropped, y, sums,
                   gradient + ((size_t)slot * shards + shard) * PARAMETERS);
#endif
}

// The forward half. h and carry have two slots, used in turn: [layer][strip][2 * BP][SW]. Cells of several stages have a
// place for what one step of one layer keeps behind the carries of all layers.
//   with_targets  1: loss[slot][row] against the rows after each window; 0: the predictions stay in y
KERNEL void infer_rows(DATA_ARGUMENTS, __global const int *restrict schedule, const int columns, const int F,
                       const int KX, const int T, const int BP, const int OUT, const int OP,
                       const int loss_kind, const int with_targets, CONST_FLOATS parameters, FLOATS x, FLOATS h,
                       FLOATS carry, FLOATS y, FLOATS partial, FLOATS loss)
{
    const int r0 = (int)get_group_id(0) * ROWS, slot = (int)get_group_id(1);
    __global const int *plan = schedule + (size_t)slot * SCHEDULE_WORDS;
    const int rows = plan[0], member = plan[2];
    const int run = r0 < rows ? T : 0;
    __global const float2 *restrict scale = scaling + (size_t)member * columns;
    __global const int2 *restrict window = windows + (size_t)slot * BP;
    CONST_FLOATS p = parameters + (size_t)member * PARAMETERS;
    const size_t strip = (size_t)2 * BP * SW, layer = strip * NJ;
    x += (size_t)slot * T * BP * KX;
    h += (size_t)slot * L * layer;
    carry += (size_t)slot * (L * CELL_CARRIES * layer + STEP_KEPT);
    __global float *step_kept = STEP_KEPT ? carry + L * CELL_CARRIES * layer + (size_t)r0 * GS : 0;
    y += (size_t)slot * BP * OP;
    partial += (size_t)slot * BP * UB;
    loss += (size_t)slot * BP;

    gather(tracks, track_start, series_tracks, scale, window, F, KX, T, run, BP, rows, x, r0);
#if CELL_INITIAL
    for (int l = 0; l < L; l++)
        begin_states(p + LAYER_INITIAL(l), h + l * layer, carry + l * CELL_CARRIES * layer, strip, layer, r0);
#else
    for (int q = 0; q < L * NJ; q++)
        for (int r = r0; r < r0 + ROWS; r++) VSTORE((vf)0.0f, h + q * strip + (size_t)r * SW + LANE);
    for (int q = 0; q < L * CELL_CARRIES * NJ; q++)
        for (int r = r0; r < r0 + ROWS; r++) VSTORE((vf)0.0f, carry + q * strip + (size_t)r * SW + LANE);
    GROUP_SYNC();
#endif
    for (int t = 0; t < run; t++) {
        const size_t before = ((size_t)(t & 1) * BP + r0) * SW, after = ((size_t)(~t & 1) * BP + r0) * SW;
        step_forward(0, KX, F, x + ((size_t)t * BP + r0) * KX, 0, p, p + LAYER_BIAS(0), h + before, h + after, strip,
                     carry + before, carry + after, strip, layer, 0, step_kept, (size_t)BP * GS, 0);
#if L > 1
        for (int l = 1; l < L; l++) {
            __global float *hl = h + l * layer;
            __global float *cl = carry + l * CELL_CARRIES * layer;
            step_forward(1, HP, HP, hl - layer + after, strip, p + LAYER_START(l), p + LAYER_BIAS(l), hl + before,
                         hl + after, strip, cl + before, cl + after, strip, layer, 0, step_kept, (size_t)BP * GS, 0);
        }
#endif
    }
    head_forward(p + HEAD_START, p + HEAD_BIAS, h + (L - 1) * layer + ((size_t)(T & 1) * BP + r0) * SW, strip, BP, OP, y,
                 r0);
    head_loss(tracks, track_start, series_tracks, scale, window, F, T, OUT, OP, BP, rows, with_targets, loss_kind, 1.0f, y,
              partial, loss, r0);
}
#endif
