// From gradients to new parameters: the norm of a member's whole gradient, clipping by it and by value, the rules of a
// step in PyTorch's form, and the copy of the weights for backward products. Vectors of PARAMETERS floats, one pass each.
//
//     g       = clipped by value(gradient * min(1, clip / (norm + 1e-6))) + decay p, decay of weights only
//     adam    m = b1 m + (1 - b1) g     v = b2 v + (1 - b2) g^2     p -= lr * (m c1) / (sqrt(v c2) + eps),  c = 1 / (1 - b^t)
//     sgd     m = momentum m + g     p -= lr m, with nesterov lr (g + momentum m)
//     rmsprop v = alpha v + (1 - alpha) g^2     m = momentum m + g / (sqrt(v) + eps)     p -= lr m
#define NORM_PARTS 64
#define BETA1 0.9f
#define BETA2 0.999f
#define EPSILON 1e-8f
#ifndef CELL_HOLES
#define CELL_HOLES 0
#endif

// Sums the splits of the gradient into the first one and the squares of a part of it into parts[part]. Where places
// have no parameter (CELL_HOLES: gates without a bias, matrices in blocks) `places` is 1 for those that have, and the
// gradient of the others is made 0. gradient and parts are the slot's own, partial [NORM_PARTS][UB] is its scratch.
INLINE void norm_part(const int part, const int rests, const int splits, const long parameters, FLOATS gradient,
                      FLOATS partial, FLOATS parts, CONST_FLOATS places)
{
    const long vectors = rests ? 0 : parameters / UB;
    vf sum = (vf)0.0f;
    for (long i = vectors * part / NORM_PARTS; i < vectors * (part + 1) / NORM_PARTS; i++) {
        __global float *at = gradient + i * UB + LANE;
        vf g = VLOAD(at);
        for (int s = 1; s < splits; s++) g += VLOAD(at + (size_t)s * parameters);
        if (CELL_HOLES) g = CHOOSE(VLOAD(places + i * UB + LANE) > 0.0f, g, (vf)0.0f);
        if (splits > 1 || CELL_HOLES) VSTORE(g, at);
        sum = fma(g, g, sum);
    }
    partial += part * UB;
    VSTORE(sum, partial + LANE);
    GROUP_SYNC();
    if (LS == 1 || get_local_id(0) == 0) {
        float total = 0.0f;
        for (int u = 0; u < UB; u++) total += partial[u];
        parts[part] = total;
    }
}

// Grid: NORM_PARTS by slots.
KERNEL void gradient_norm(__global const int *restrict schedule, const int step, const int slots, const int splits,
                          const long parameters, FLOATS gradient, FLOATS partial, FLOATS parts,
                          CONST_FLOATS places)
{
    const int slot = (int)get_group_id(1);
    const int rests = schedule[((size_t)step * slots + slot) * SCHEDULE_WORDS] == 0;
    norm_part((int)get_group_id(0), rests, splits, parameters, gradient + (size_t)slot * splits * parameters,
              partial + (size_t)slot * NORM_PARTS * UB, parts + slot * NORM_PARTS, places);
}

// Is the vector at `at` one of biases, or of other parameters that are no matrix? They end each layer and the head; decay
// leaves them alone.
INLINE int is_bias(const size_t at, const int KX, const int OP)
{
    if (at >= HEAD_START) return at >= HEAD_BIAS;
    const int first = at < LAYER_SIZE(KX);
    const size_t inside = first ? at : (at - LAYER_SIZE(KX)) % LAYER_SIZE(HP);
    return inside >= LAYER_WEIGHTS(first ? KX : HP);
}

// What the norm of a member's gradient leaves of it (`clip` 0: all), or -1 where it is not finite: then the member takes
// neither this step nor any after it in this launch, and stands as it was before. The last word of its place in the
// schedule is how many steps that are, and becomes the norm.
INLINE float clipping(__global int *schedule, const int step, const int slots, CONST_FLOATS parts, const float clip)
{
    const int slot = (int)get_group_id(1);
    float total = 0.0f;
    for (int i = 0; i < NORM_PARTS; i++) total += parts[slot * NORM_PARTS + i];
    const float norm = sqrt(total);
    const int finite = isfinite(norm);
    const int item = (int)get_group_id(0) * LS + (LS == 1 ? 0 : (int)get_local_id(0));
    if (item == 0) {
        __global int *own = schedule + slot * SCHEDULE_WORDS;
        const size_t all = (size_t)slots * SCHEDULE_WORDS;
        const int steps = finite ? 0 : own[step * all + 7];
        for (int later = step + 1; later < steps; later++) own[later * all] = 0;
        own[step * all + 7] = as_int(norm);
    }
    return !finite ? -1.0f : clip > 0.0f && norm > clip ? clip / (norm + 1e-6f) : 1.0f;
}

// The gradient as it is used: clipped by norm, then by value (`most` 0: not), with the decay of a weight p. NaN stays.
INLINE vf used_gradient(const vf gradient, const float scale, const float most, const float decay, const vf p)
{
    vf g = gradient * scale;
    if (most > 0.0f) g = CHOOSE(g > (vf)most, (vf)most, CHOOSE(g < (vf)(-most), (vf)(-most), g));
    return decay > 0.0f ? fma((vf)decay, p, g) : g;
}

// The rules, for the vectors from `first` up to `end` of a member's numbers. `decay` is added to the gradient of weights,
// `decoupled` taken from the weights themselves.
INLINE void adam_rule(const long first, const long end, const float rate, const float c1, const float c2, const float scale,
                      CONST_FLOATS gradient, FLOATS values, FLOATS first_moment, FLOATS second_moment, const int KX,
                      const int OP, const float most, const float decay, const float decoupled)
{
    for (long i = first; i < end; i++) {
        const size_t at = (size_t)i * UB + LANE;
        const int weight = !is_bias((size_t)i * UB, KX, OP);
        vf p = VLOAD(values + at);
        const vf g = used_gradient(VLOAD(gradient + at), scale, most, weight ? decay : 0.0f, p);
        const vf m = fma((vf)BETA1, VLOAD(first_moment + at), (1.0f - BETA1) * g);
        const vf v = fma((vf)BETA2, VLOAD(second_moment + at), (1.0f - BETA2) * g * g);
        VSTORE(m, first_moment + at);
        VSTORE(v, second_moment + at);
        if (decoupled > 0.0f && weight) p = fma((vf)(-rate * decoupled), p, p);
        VSTORE(p - rate * (m * c1) / (sqrt(v * c2) + EPSILON), values + at);
    }
}

INLINE void sgd_rule(const long first, const long end, const float rate, const float scale, CONST_FLOATS gradient,
                     FLOATS values, FLOATS first_moment, const int KX, const int OP, const float most, const float decay,
                     const float momentum, const int nesterov)
{
    for (long i = first; i < end; i++) {
        const size_t at = (size_t)i * UB + LANE;
        const vf p = VLOAD(values + at);
        const vf g = used_gradient(VLOAD(gradient + at), scale, most, is_bias((size_t)i * UB, KX, OP) ? 0.0f : decay, p);
        const vf m = fma((vf)momentum, VLOAD(first_moment + at), g);
        VSTORE(m, first_moment + at);
        VSTORE(fma((vf)(-rate), nesterov ? fma((vf)momentum, m, g) : m, p), values + at);
    }
}

INLINE void rmsprop_rule(const long first, const long end, const float rate, const float scale, CONST_FLOATS gradient,
                         FLOATS values, FLOATS first_moment, FLOATS second_moment, const int KX, const int OP,
                         const float most, const float decay, const float momentum, const float alpha)
{
    for (long i = first; i < end; i++) {
        const size_t at = (size_t)i * UB + LANE;
        const vf p = VLOAD(values + at);
        const vf g = used_gradient(VLOAD(gradient + at), scale, most, is_bias((size_t)i * UB, KX, OP) ? 0.0f : decay, p);
        const vf v = fma((vf)alpha, VLOAD(second_moment + at), (1.0f - alpha) * g * g);
        const vf m = fma((vf)momentum, VLOAD(first_moment + at), g / (sqrt(v) + EPSILON));
        VSTORE(v, second_moment + at);
        VSTORE(m, first_moment + at);
        VSTORE(fma((vf)(-rate), m, p), values + at);
    }
}

// to[n][k] = from[k][n] for n < count, of which there are whole strips, and k < SW, the item's part of it: rows of
// `to` are to_row floats apart, those of `from` from_row. A block of VW by VW at a time, in registers.
INLINE void transposed(FLOATS to, const size_t to_row, CONST_FLOATS from, const size_t from_row, const int count)
{
    for (int n = 0; n < count; n += VW)
        for (int k = LANE; k < SW; k += LS * VW) {
            vf rows[VW];
            _Pragma("unroll") for (int i = 0; i < VW; i++) rows[i] = VLOAD(from + (size_t)(k + i) * from_row + n);
#if VW > 1
            // A row and the one half of all below it become two, of their elements in turn: after log2(VW) times
            // (row, element) is (element, row).
            _Pragma("unroll") for (int times = VW; times > 1; times /= 2)
            {
                vf mixed[VW];
                _Pragma("unroll") for (int i = 0; i < VW / 2; i++)
                {
                    mixed[2 * i].even = rows[i].lo, mixed[2 * i].odd = rows[i + VW / 2].lo;
                    mixed[2 * i + 1].even = rows[i].hi, mixed[2 * i + 1].odd = rows[i + VW / 2].hi;
                }
                _Pragma("unroll") for (int i = 0; i < VW; i++) rows[i] = mixed[i];
            }
#endif
            _Pragma("unroll") for (int i = 0; i < VW; i++) VSTORE(rows[i], to + (size_t)(n + i) * to_row + k);
        }
}

// Where column strip `column` of `columns` stands among the tiles of 4, 2 and 1 (sequence.cl): its tile's first strip.
INLINE int tile_first(const int column, const int columns, int *width)
{
    const int fours = columns / 4 * 4;
    *width = 4;
    if (column < fours) return column / 4 * 4;
    *width = 2;
    if (columns - fours >= 2 && column < fours + 2) return fours;
    *width = 1;
    return column;
}

#if defined(CELL_STAGES) && !defined(STAGE)
// Block `block` of a layer's weights, (stage, vector that it multiplies, strip of gates, strip of columns).
#define SOURCES_OF(stage) +STAGE_##stage##_COLUMNS(upper, 1)
INLINE int sources_of(const int upper) { return (int)(0 FOR_STAGES(SOURCES_OF)); }
#define SOURCES(upper) sources_of(upper)

#define PACK_STAGE(stage)                                                                                            \
    {                                                                                                                \
        const int gates = STAGE_##stage##_GATES, sources = (int)STAGE_##stage##_COLUMNS(l ? 1 : 0, 1);               \
        if (source >= 0 && source < sources) {                                                                       \
            const size_t above = l ? 0 : STAGE_##stage##_COLUMNS(KX, 0); /* rows of the input that back lacks */     \
            CONST_FLOATS from =                                                                                      \
                p + (size_t)HP * STAGE_##stage##_BEFORE(KX, HP) +                                                    \
                (j * STAGE_##stage##_COLUMNS(KX, HP) + above + (size_t)source * HP + column * SW) * gates * SW;      \
            FLOATS to = b + (size_t)HP * HP * (STAGE_##stage##_BEFORE(l ? 1 : 0, 1) + (size_t)source * gates) +      \
                        (size_t)tile * SW * gates * HP + (size_t)j * gates * SW * width * SW + (column - tile) * SW; \
            transposed(to, width * SW, from, gates * SW, gates * SW);                                                \
        }                                                                                                            \
        source -= sources;                                                                                           \
    }

INLINE void pack_stages(CONST_FLOATS p, FLOATS b, const int l, const int KX, const int block)
{
    const int j = block % NJ, column = block / NJ % NJ;
    int source = block / (NJ * NJ), width;
    const int tile = tile_first(column, NJ, &width);
    FOR_STAGES(PACK_STAGE)
}
#endif

// Copies a block of a member's weights into the layout of the backward products. The blocks are (layer, strip of gates,
// strip of columns), then strips of units of the head.
#ifdef STAGE // whose products take the weights of layers as they are
#define FIRST_BLOCKS 0
#define UPPER_BLOCKS 0
#elif defined(CELL_STAGES)
#define FIRST_BLOCKS (NJ * NJ * SOURCES(0))
#define UPPER_BLOCKS (NJ * NJ * SOURCES(1)) // of each layer above the first
#else
#define FIRST_BLOCKS (NJ * NJ)
#define UPPER_BLOCKS (2 * NJ * NJ)
#endif
#define PACK_BLOCKS (FIRST_BLOCKS + (L - 1) * UPPER_BLOCKS + NJ)
INLINE void pack_block(int block, const int KX, const int OP, CONST_FLOATS p, FLOATS b)
{
    if (block >= FIRST_BLOCKS + (L - 1) * UPPER_BLOCKS) {
        const int strip = block - FIRST_BLOCKS - (L - 1) * UPPER_BLOCKS;
        for (int n = 0; n < OP; n += UB)
            transposed(b + BACK_START(L) + ((size_t)strip * OP + n) * SW, SW,
                       p + HEAD_START + ((size_t)n * HP + strip * SW * UB), UB, UB);
        return;
    }
#ifndef STAGE
    const int l = block < FIRST_BLOCKS ? 0 : 1 + (block - FIRST_BLOCKS) / UPPER_BLOCKS;
    if (l) block = (block - FIRST_BLOCKS) % UPPER_BLOCKS;
#ifdef CELL_STAGES
    pack_stages(p + LAYER_START(l), b + BACK_START(l), l, KXL(l), block);
#else
    const int columns = l ? 2 * NJ : NJ, kx = KXL(l);
    const int j = block / columns, column = block % columns;
    int width;
    const int tile = tile_first(column, columns, &width);
    const int k0 = (l ? 0 : KX) + column * SW;
    CONST_FLOATS from = p + LAYER_START(l) + ((size_t)j * (kx + HP) + k0) * GS;
    FLOATS to = b + BACK_START(l) + (size_t)tile * SW * G * HP + (size_t)j * GS * width * SW + (column - tile) * SW;
    transposed(to, width * SW, from, GS, GS);
#endif
#endif
}

// Grid: blocks by slots. Rests with its member, except when step is negative: then every slot is copied (after
// initialisation or restoring).
KERNEL void pack_backward(__global const int *restrict schedule, const int step, const int slots, const int KX,
                          const int OP, CONST_FLOATS parameters, FLOATS back)
{
    const int slot = (int)get_group_id(1);
    __global const int *plan = schedule + ((size_t)max(step, 0) * slots + slot) * SCHEDULE_WORDS;
    if (step >= 0 && plan[0] == 0) return;
    pack_block((int)get_group_id(0), KX, OP, parameters + (size_t)plan[2] * PARAMETERS,
               back + (size_t)plan[2] * BACK_SIZE);
}

// The two kernels of a rule: NAME takes its part of a member's numbers, by its group of any number; NAME_whole is a
// whole end of a step in one group, for networks so small that launches cost more than what they do: norm, rule and
// copy, with the same sums. Grid: groups, or 1, by slots.
//   TAIL      arguments of the rule's own     CALL   the rule, from `first` up to `end`
#define RULE(NAME, TAIL, CALL)                                                                                       \
    KERNEL void NAME(__global int *schedule, const int step, const int slots, const int splits,                      \
                     const long parameters, const float clip, CONST_FLOATS gradients, CONST_FLOATS parts,            \
                     FLOATS values, FLOATS first_moment, const int KX, const int OP, const float most,               \
                     const float decay, TAIL)                                                                        \
    {                                                                                                                \
        const int slot = (int)get_group_id(1);                                                                       \
        __global const int *plan = schedule + ((size_t)step * slots + slot) * SCHEDULE_WORDS;                        \
        if (plan[0] == 0) return;                                                                                    \
        const size_t member = (size_t)plan[2] * parameters;                                                          \
        const float rate = as_float(plan[3]), c1 = as_float(plan[4]), c2 = as_float(plan[5]);                        \
        const float scale = clipping(schedule, step, slots, parts, clip);                                            \
        if (scale < 0.0f) return;                                                                                    \
        CONST_FLOATS gradient = gradients + (size_t)slot * splits * parameters;                                      \
        const long vectors = parameters / UB, groups = (long)get_num_groups(0), group = (long)get_group_id(0);       \
        const long first = vectors * group / groups, end = vectors * (group + 1) / groups;                           \
        (void)c1, (void)c2;                                                                                          \
        CALL;                                                                                                        \
    }                                                                                                                \
                                                                                                                     \
    KERNEL void NAME##_whole(__global int *schedule, const int step, const int slots, const int splits,              \
                             const long parameters, const float clip, FLOATS gradients, FLOATS parts, FLOATS values, \
                             FLOATS first_moment, const int KX, const int OP, const float most, const float decay,   \
                             TAIL, FLOATS partial, CONST_FLOATS places, FLOATS back)                                 \
    {                                                                                                                \
        const int slot = (int)get_group_id(1);                                                                       \
        __global const int *plan = schedule + ((size_t)step * slots + slot) * SCHEDULE_WORDS;                        \
        const int rests = plan[0] == 0;                                                                              \
        const size_t member = (size_t)plan[2] * parameters;                                                          \
        const float rate = as_float(plan[3]), c1 = as_float(plan[4]), c2 = as_float(plan[5]);                        \
        FLOATS gradient = gradients + (size_t)slot * splits * parameters;                                            \
        for (int part = 0; part < NORM_PARTS; part++)                                                                \
            norm_part(part, rests, splits, parameters, gradient, partial + (size_t)slot * NORM_PARTS * UB,           \
                      parts + slot * NORM_PARTS, places);                                                            \
        GROUP_SYNC();                                                                                                \
        const float scale = rests ? -1.0f : clipping(schedule, step, slots, parts, clip);                            \
        const long first = 0, end = scale < 0.0f ? 0 : parameters / UB;                                              \
        (void)c1, (void)c2;                                                                                          \
        CALL;                                                                                                        \
        GROUP_SYNC();                                                                                                \
        for (int block = 0; block < (scale < 0.0f ? 0 : PACK_BLOCKS); block++)                                       \
            pack_block(block, KX, OP, values + member, back + (size_t)plan[2] * BACK_SIZE);                          \
    }

#define COMMA ,
RULE(adam, FLOATS second_moment COMMA const float decoupled,
     adam_rule(first, end, rate, c1, c2, scale, gradient, values + member, first_moment + member, second_moment + member,
               KX, OP, most, decay, decoupled))
RULE(sgd, const float momentum COMMA const int nesterov,
     sgd_rule(first, end, rate, scale, gradient, values + member, first_moment + member, KX, OP, most, decay, momentum,
              nesterov))
RULE(rmsprop, FLOATS second_moment COMMA const float momentum COMMA const float alpha,
     rmsprop_rule(first, end, rate, scale, gradient, values + member, first_moment + member, second_moment + member, KX,
                  OP, most, decay, momentum, alpha))
