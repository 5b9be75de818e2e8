// A step of cells with several stages: products of values that the step itself makes, such as U*(r*h), of several
// states, of states that are not as wide as the layer. The cell comes from the file before this one; without CELL_STAGES
// there the step is sequence.cl's, and this file is empty. One work-group takes ROWS rows through a step here too: what a
// stage makes and the next one multiplies goes through memory that only this group touches.
//
//   weights   for each stage [strip][input rows, then HP rows for each other vector it multiplies][its gates][SW]
//   bias      [strip][G + CELL_VECTORS][SW] of all gates
//   back      for each stage and vector it multiplies (the input only above the first layer): tiles of 4, 2 and 1 of its
//             strips, [tile][n < gates * HP][strip of the tile][SW]
//   kept      [strip][T * BP][G + CELL_OPERANDS][SW] gates, turned into gate gradients, then operands
//   dcarry    behind the planes of the carries CELL_SCRATCH more: [strip][BP][SW] each
//
// Pre-activations add the input, the bias, states, then operands, each in ascending k.
#ifdef CELL_STAGES
#define NJ (HP / SW)
#define G CELL_GATES
#define GS ((G + CELL_OPERANDS) * SW) // floats of a row and strip of what is kept
#define CARRIES (CELL_CARRIES ? CELL_CARRIES : 1)
#define VECTORS (CELL_VECTORS ? CELL_VECTORS : 1)
#define STRIPS(units) (((units) + SW - 1) / SW)
#define CELL_X_GATES G
#define CELL_H_FIRST 0
#define CELL_USES_H 1
#define LAYER_WEIGHTS(kx) ((size_t)HP * ((size_t)CELL_INPUT_COLUMNS * (kx) + (size_t)CELL_UNIT_COLUMNS * HP))
#define BACK_WEIGHTS(with_inputs) ((size_t)HP * HP * (((with_inputs) ? CELL_INPUT_COLUMNS : 0) + CELL_UNIT_COLUMNS))

// acc[gate][row] += values * weights over `count` values, for the gates from first up to last. One value of a row is
// `stride` from that of the next; weights have `gates` strips for each value.
INLINE void stage_multiply(vf (*acc)[ROWS], const int gates, const int first, const int last, CONST_FLOATS weights,
                           __global const float *values, const int stride, const int count)
{
    CONST_FLOATS w = weights;
    for (int k = 0; k < count; k++, w += gates * SW) {
        vf wv[G];
#pragma unroll
        for (int q = first; q < last; q++) wv[q] = VLOAD(w + q * SW);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const vf v = (vf)(values[(size_t)r * stride + k]);
#pragma unroll
            for (int q = first; q < last; q++) acc[q][r] = fma(v, wv[q], acc[q][r]);
        }
    }
}

// The same over the strips of a vector of units.
INLINE void stage_multiply_strips(vf (*acc)[ROWS], const int gates, const int first, const int last, CONST_FLOATS weights,
                                  __global const float *values, const int stride, const size_t strip_size,
                                  const int strips)
{
    for (int s = 0; s < strips; s++)
        stage_multiply(acc, gates, first, last, weights + (size_t)s * SW * gates * SW, values + s * strip_size, stride, SW);
}

// The item's units of the input of a row: [KX] of which `count` are there, or a strip.
INLINE vf input_units(const int strips_in, __global const float *row, const size_t strip, const int j, const int count)
{
    if (strips_in) return VLOAD(row + j * strip + LANE);
    float units[VW];
    for (int i = 0; i < VW; i++) units[i] = j * SW + LANE + i < count ? row[j * SW + LANE + i] : 0.0f;
    return LANES_LOAD(units);
}

// Where what a stage multiplies stands at the group's rows: pointer, stride of rows, size of a strip.
#define PLANE_VALUES(p) ((p) ? carry_before + ((p) - 1) * carry_size : h_before), SW, ((p) ? carry_strip : h_strip)
#define OPERAND_VALUES(o) kept + (G + (o)) * SW, GS, kept_strip

#define ADD_INPUT(first, last, adds)                                                                                 \
    if (!projected && strips_in) stage_multiply_strips(acc, gates, first, last, w, input, SW, input_strip, NJ);      \
    if (!projected && !strips_in) stage_multiply(acc, gates, first, last, w, input, KX, KU);                         \
    w += (size_t)KX * gates * SW;
#define ADD_UNITS(from, index, units, first, last, adds)                                                             \
    stage_multiply_strips(acc, gates, first, last, w, from##_VALUES(index), STRIPS(units));                          \
    w += (size_t)HP * gates * SW;

// Strip by strip: the sums of the stage's gates, then what follows from them.
#define FORWARD_STAGE(stage)                                                                                         \
    for (int j = 0; j < NJ; j++) {                                                                                   \
        const int gates = STAGE_##stage##_GATES, place = STAGE_##stage##_FIRST;                                      \
        const int direct = CELL_DIRECT_GATE - place;                                                                 \
        vf acc[STAGE_##stage##_GATES][ROWS], vectors[VECTORS];                                                       \
        CONST_FLOATS w = weights + (size_t)HP * STAGE_##stage##_BEFORE(KX, HP) +                                     \
                         (size_t)j * STAGE_##stage##_COLUMNS(KX, HP) * gates * SW + LANE;                            \
        CONST_FLOATS b = bias + (size_t)j * (G + CELL_VECTORS) * SW + LANE;                                          \
        __global float *k = kept + j * kept_strip + LANE;                                                            \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++) vectors[q] = VLOAD(b + (G + q) * SW);               \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            _Pragma("unroll") for (int q = 0; q < gates; q++) acc[q][r] =                                            \
                projected ? VLOAD(k + (size_t)r * GS + (place + q) * SW) : (vf)0.0f;                                 \
        STAGE_##stage##_INPUTS(ADD_INPUT)                                                                            \
        if (CELL_DIRECT(strips_in) && direct >= 0 && direct < gates)                                                 \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[direct][r] += input_units(                          \
                strips_in, input + (size_t)r * (strips_in ? SW : KX), input_strip, j, KU);                           \
        _Pragma("unroll") for (int q = 0; q < gates; q++)                                                            \
        {                                                                                                            \
            const vf bq = VLOAD(b + (place + q) * SW);                                                               \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[q][r] += bq;                                        \
        }                                                                                                            \
        STAGE_##stage##_UNITS(ADD_UNITS)                                                                             \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
        {                                                                                                            \
            const size_t at = (size_t)r * SW + LANE;                                                                 \
            vf sum[STAGE_##stage##_GATES];                                                                           \
            _Pragma("unroll") for (int q = 0; q < gates; q++) sum[q] = acc[q][r];                                    \
            cell_forward_##stage(sum, k + (size_t)r * GS, h_before + j * h_strip + at, h_after + j * h_strip + at,   \
                                 carry_before + j * carry_strip + at, carry_after + j * carry_strip + at,            \
                                 carry_size, vectors, j * SW + LANE, mask && !mask[r]);                              \
        }                                                                                                            \
    }                                                                                                                \
    GROUP_SYNC();

// One step of one layer for the group's rows, as in sequence.cl; kept is never null here: where nothing is to be kept it
// is a place for one step.
INLINE void step_forward(const int strips_in, const int KX, const int KU, CONST_FLOATS input, const size_t input_strip,
                         CONST_FLOATS weights, CONST_FLOATS bias, __global const float *h_before, __global float *h_after,
                         const size_t h_strip, __global const float *carry_before, __global float *carry_after,
                         const size_t carry_strip, const size_t carry_size, const int projected, __global float *kept,
                         const size_t kept_strip, __global const uchar *mask)
{
#if CELL_BEGINS
    for (int j = 0; j < NJ; j++) {
        vf vectors[VECTORS];
#pragma unroll
        for (int q = 0; q < CELL_VECTORS; q++)
            vectors[q] = VLOAD(bias + ((size_t)j * (G + CELL_VECTORS) + G + q) * SW + LANE);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const size_t at = (size_t)r * SW + LANE;
            cell_forward_begin(0, kept + j * kept_strip + (size_t)r * GS + LANE, h_before + j * h_strip + at,
                               h_after + j * h_strip + at, carry_before + j * carry_strip + at,
                               carry_after + j * carry_strip + at, carry_size, vectors, j * SW + LANE, 0);
        }
    }
    GROUP_SYNC();
#endif
    FOR_STAGES(FORWARD_STAGE)
}

// One tile of WIDTH strips of what a stage multiplies: to = (adds ? to : 0) + sums over the stage's gates of
// dL/dgate * weight. Gates that lack a product with it, before begin and from end on, are left out.
#define STAGE_TILE(name, WIDTH)                                                                                      \
    INLINE void name(const int gates, const int begin, const int end, CONST_FLOATS back, __global const float *d,    \
                     const size_t kept_strip, __global float *to, const size_t to_strip, const int adds)             \
    {                                                                                                                \
        vf acc[WIDTH][ROWS];                                                                                         \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            _Pragma("unroll") for (int v = 0; v < WIDTH; v++) acc[v][r] = (vf)0.0f;                                  \
        CONST_FLOATS w = back + LANE;                                                                                \
        for (int s = 0; s < NJ; s++) {                                                                               \
            __global const float *g = d + s * kept_strip;                                                            \
            w += begin * SW * (WIDTH * SW);                                                                          \
            for (int n = begin * SW; n < end * SW; n++, w += WIDTH * SW) {                                           \
                vf wv[WIDTH];                                                                                        \
                _Pragma("unroll") for (int v = 0; v < WIDTH; v++) wv[v] = VLOAD(w + v * SW);                         \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                     \
                {                                                                                                    \
                    const vf value = (vf)(g[(size_t)r * GS + n]);                                                    \
                    _Pragma("unroll") for (int v = 0; v < WIDTH; v++) acc[v][r] = fma(value, wv[v], acc[v][r]);      \
                }                                                                                                    \
            }                                                                                                        \
            w += (gates - end) * SW * (WIDTH * SW);                                                                  \
        }                                                                                                            \
        _Pragma("unroll") for (int v = 0; v < WIDTH; v++)                                                            \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
        {                                                                                                            \
            __global float *at = to + v * to_strip + (size_t)r * SW + LANE;                                          \
            VSTORE(adds ? VLOAD(at) + acc[v][r] : acc[v][r], at);                                                    \
        }                                                                                                            \
    }
STAGE_TILE(stage_tile_4, 4)
STAGE_TILE(stage_tile_2, 2)
STAGE_TILE(stage_tile_1, 1)

INLINE void stage_products(const int gates, const int begin, const int end, CONST_FLOATS back, __global const float *d,
                           const size_t kept_strip, __global float *to, const size_t to_strip, const int strips,
                           const int adds)
{
    int first = 0;
    for (; first + 4 <= NJ; first += 4)
        if (first < strips)
            stage_tile_4(gates, begin, end, back + (size_t)first * SW * gates * HP, d, kept_strip, to + first * to_strip,
                         to_strip, adds);
    if (first + 2 <= NJ) {
        if (first < strips)
            stage_tile_2(gates, begin, end, back + (size_t)first * SW * gates * HP, d, kept_strip, to + first * to_strip,
                         to_strip, adds);
        first += 2;
    }
    if (first < NJ && first < strips)
        stage_tile_1(gates, begin, end, back + (size_t)first * SW * gates * HP, d, kept_strip, to + first * to_strip,
                     to_strip, adds);
}

#define PLANE_GRADIENT(p) ((p) ? dcarry + ((p) - 1) * dcarry_size : dh)
#define OPERAND_GRADIENT(o) (dcarry + (size_t)(CELL_CARRIES + (o)) * dcarry_size)

#define BACK_INPUT(first, last, adds)                                                                                \
    if (x_strips) {                                                                                                  \
        stage_products(gates, first, last, b, d, kept_strip, dx, dx_strip, NJ, adds);                                \
        b += (size_t)HP * HP * gates;                                                                                \
    }
#define BACK_UNITS(from, index, units, first, last, adds)                                                            \
    stage_products(gates, first, last, b, d, kept_strip, from##_GRADIENT(index), dh_strip, STRIPS(units), adds);     \
    b += (size_t)HP * HP * gates;

// What a stage's function computes on the way back, strip by strip. A row that skips the step has no gradients of gates,
// keeps those of its states and passes on what came from above.
#define BACKWARD_UNITS(stage, is_last)                                                                               \
    for (int j = 0; j < NJ; j++) {                                                                                   \
        vf vectors[VECTORS], dv[VECTORS];                                                                            \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++)                                                     \
        {                                                                                                            \
            vectors[q] = VLOAD(bias + ((size_t)j * (G + CELL_VECTORS) + G + q) * SW + LANE);                         \
            dv[q] = (vf)0.0f;                                                                                        \
        }                                                                                                            \
        for (int r = 0; r < ROWS; r++) {                                                                             \
            const size_t at = (size_t)r * SW + LANE;                                                                 \
            __global float *k = kept + j * kept_strip + (size_t)r * GS + LANE;                                       \
            __global const float *top = above ? above + j * above_strip + at : 0;                                    \
            if (mask && !mask[r]) {                                                                                  \
                if (is_last) {                                                                                       \
                    for (int q = 0; q < G; q++) VSTORE((vf)0.0f, k + q * SW);                                        \
                    __global float *d = dh + j * dh_strip + at;                                                      \
                    if (top) VSTORE(VLOAD(d) + VLOAD(top), d);                                                       \
                }                                                                                                    \
                continue;                                                                                            \
            }                                                                                                        \
            cell_backward_##stage(k, h_before + j * carry_strip + at, h_after + j * carry_strip + at,                \
                                  carry_before + j * carry_strip + at, carry_after + j * carry_strip + at,           \
                                  carry_size, top, dh + j * dh_strip + at, dcarry + j * dh_strip + at, dcarry_size,  \
                                  vectors, dv, j * SW + LANE);                                                       \
        }                                                                                                            \
        _Pragma("unroll") for (int q = 0; q < CELL_VECTORS; q++)                                                     \
        {                                                                                                            \
            __global float *sum = dvectors + ((size_t)j * CELL_VECTORS + q) * SW + LANE;                             \
            VSTORE(VLOAD(sum) + dv[q], sum);                                                                         \
        }                                                                                                            \
    }

#define BACKWARD_STAGE(stage)                                                                                        \
    BACKWARD_UNITS(stage, stage == CELL_STAGES - 1)                                                                  \
    GROUP_SYNC();                                                                                                    \
    {                                                                                                                \
        const int gates = STAGE_##stage##_GATES, direct = CELL_DIRECT_GATE - STAGE_##stage##_FIRST;                  \
        CONST_FLOATS b = back + (size_t)HP * HP * STAGE_##stage##_BEFORE(x_strips ? 1 : 0, 1);                       \
        __global const float *d = kept + STAGE_##stage##_FIRST * SW;                                                 \
        STAGE_##stage##_INPUTS(BACK_INPUT)                                                                           \
        STAGE_##stage##_UNITS(BACK_UNITS)                                                                            \
        if (CELL_DIRECT(1) && x_strips && direct >= 0 && direct < gates)                                             \
            for (int j = 0; j < NJ; j++)                                                                             \
                for (int r = 0; r < ROWS; r++) {                                                                     \
                    __global float *to = dx + j * dx_strip + (size_t)r * SW + LANE;                                  \
                    VSTORE(VLOAD(to) + VLOAD(d + j * kept_strip + (size_t)r * GS + direct * SW + LANE), to);         \
                }                                                                                                    \
    }

// One step back: gradients of gates in place of the gates, of the states before in dh and dcarry, of the input in dx
// where x_strips is not 0.
INLINE void step_backward(const int x_strips, __global float *kept, const size_t kept_strip, CONST_FLOATS back,
                          __global const float *h_before, __global const float *h_after,
                          __global const float *carry_before, __global const float *carry_after, const size_t carry_strip,
                          const size_t carry_size, __global const float *above, const size_t above_strip,
                          __global float *dx, const size_t dx_strip, __global float *dh, __global float *dcarry,
                          const size_t dh_strip, const size_t dcarry_size, __global const uchar *mask,
                          __global const float *bias, __global float *dvectors)
{
    FOR_STAGES_BACK(BACKWARD_STAGE)
#if CELL_ENDS
    BACKWARD_UNITS(end, 0)
#endif
}
#endif
