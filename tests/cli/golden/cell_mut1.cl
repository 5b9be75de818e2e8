// A cell made from its formula, in stages: what kernels/stages.cl knows of it.
#define CELL_STAGES 2
#define CELL_GATES 4     // sums of products a unit, of all stages
#define CELL_OPERANDS 1  // values of a unit that are made within a step and multiplied by a matrix
#define CELL_CARRIES 0   // states beside h, which is the output
#define CELL_VECTORS 0   // parameters used unit by unit
#define CELL_SCRATCH 3   // numbers of a unit that the way back holds within a step
#define CELL_BEGINS 0    // something is computed before the first stage
#define CELL_ENDS 0      // ... and on the way back behind it
#define CELL_DIRECT(upper) ((upper) ? 1 : 0) // the input itself is added to a sum, for it has as many units
#define CELL_DIRECT_GATE 1
#define CELL_WIDEST H    // units that every array is padded from
#define CELL_INPUT_COLUMNS 3 // of all stages: gates times vectors that they multiply
#define CELL_UNIT_COLUMNS 4

// Of each stage: its gates, from which one on; where its weights begin. What they multiply: the gates from one up
// to another, and whether the way back adds to what is there.
#define STAGE_0_FIRST 0
#define STAGE_0_GATES 3
#define STAGE_0_COLUMNS(inputs, units) ((size_t)(inputs) * 1 + (size_t)(units) * 1)
#define STAGE_0_BEFORE(inputs, units) ((size_t)(inputs) * 0 + (size_t)(units) * 0)
#define STAGE_0_INPUTS(EACH) EACH(0, 3, 0)
#define STAGE_0_UNITS(EACH) EACH(PLANE, 0, H, 2, 3, 1)
#define STAGE_1_FIRST 3
#define STAGE_1_GATES 1
#define STAGE_1_COLUMNS(inputs, units) ((size_t)(inputs) * 0 + (size_t)(units) * 1)
#define STAGE_1_BEFORE(inputs, units) ((size_t)(inputs) * 3 + (size_t)(units) * 3)
#define STAGE_1_INPUTS(EACH)
#define STAGE_1_UNITS(EACH) EACH(OPERAND, 0, H, 0, 1, 0)
#define FOR_STAGES(EACH) EACH(0) EACH(1)
#define FOR_STAGES_BACK(EACH) EACH(1) EACH(0)

// Memory of one row, at the item's units.
#define HP ((CELL_WIDEST + UB - 1) / UB * UB)
#define KEPT_AT(q) (kept + (q) * SW)
#define OPERAND_AT(o) (kept + (CELL_GATES + (o)) * SW)
#define BEFORE_AT(p) ((p) ? carry_old + (size_t)((p) - 1) * carry_size : h_old)
#define AFTER_AT(p) ((p) ? carry_new + (size_t)((p) - 1) * carry_size : h_new)
#define GRADIENT_AT(p) ((p) ? dcarry + (size_t)((p) - 1) * dcarry_size : dh)
#define SCRATCH_AT(i) (dcarry + (size_t)(CELL_CARRIES + (i)) * dcarry_size)
#define SEED(p) ((p) || !above ? VLOAD(GRADIENT_AT(p)) : VLOAD(GRADIENT_AT(p)) + VLOAD(above))
#define REAL(v, n) ((n) == HP ? (v) : CHOOSE((IOTA + (vi)(unit)) < (vi)(n), (v), (vf)0.0f))

// A stage's values from its sums, what is kept and the states before. held: the row skips the step.
#define FORWARD_ARGUMENTS \
    const vf *sum, __global float *kept, __global const float *h_old, __global float *h_new, \
        __global const float *carry_old, __global float *carry_new, const size_t carry_size, \
        const vf *vectors, const int unit, const int held

INLINE void cell_forward_0(FORWARD_ARGUMENTS)
{
    const vf a0 = sum[0];
    const vf h = VLOAD(BEFORE_AT(0));
    const vf a2 = sum[2];
    const vf a1 = sum[1];
    const vf e2 = 1.0f + exp_negative(a0);
    const vf e5 = 1.0f + exp_negative(a2);
    const vf one_l2 = 1.0f / (e2 * e5);
    const vf v2 = one_l2 * e5;
    const vf v5 = one_l2 * e2;
    VSTORE(v2, KEPT_AT(0));
    VSTORE(v5, KEPT_AT(2));
    VSTORE(hyperbolic_tangent(a1), KEPT_AT(1));
    VSTORE(REAL(v5 * h, H), OPERAND_AT(0));
}

INLINE void cell_forward_1(FORWARD_ARGUMENTS)
{
    const vf k0 = VLOAD(KEPT_AT(0));
    const vf h = VLOAD(BEFORE_AT(0));
    const vf k1 = VLOAD(KEPT_AT(1));
    const vf a3 = sum[0];
    const vf v11 = hyperbolic_tangent(a3 + k1);
    VSTORE(v11, KEPT_AT(3));
    VSTORE(held ? VLOAD(BEFORE_AT(0)) : REAL(fma(v11, k0, h * (1.0f - k0)), H), AFTER_AT(0));
}

// Gradients that can be had once those of later stages have gone through their products: of gates in place of the
// gates, of states in dh and dcarry.
#define BACKWARD_ARGUMENTS \
    __global float *kept, __global const float *h_old, __global const float *h_new, \
        __global const float *carry_old, __global const float *carry_new, const size_t carry_size, \
        __global const float *above, __global float *dh, __global float *dcarry, \
        const size_t dcarry_size, const vf *vectors, vf *dvectors, const int unit

INLINE void cell_backward_1(BACKWARD_ARGUMENTS)
{
    const vf k0 = VLOAD(KEPT_AT(0));
    const vf h = VLOAD(BEFORE_AT(0));
    const vf k1 = VLOAD(KEPT_AT(1));
    const vf k3 = VLOAD(KEPT_AT(3));
    const vf d0 = SEED(0);
    const vf v25 = d0 * k0 * (1.0f - (k3 * k3));
    VSTORE(VLOAD(KEPT_AT(0)), SCRATCH_AT(1));
    VSTORE(SEED(0), SCRATCH_AT(2));
    VSTORE(REAL(fma(d0, k3, -(d0 * h)) * k0 * (1.0f - k0), H), KEPT_AT(0));
    VSTORE(REAL(v25 * (1.0f - (k1 * k1)), H), KEPT_AT(1));
    VSTORE(REAL(v25, H), KEPT_AT(3));
    VSTORE(REAL((vf)0.0f, H), GRADIENT_AT(0));
}

INLINE void cell_backward_0(BACKWARD_ARGUMENTS)
{
    const vf k0 = VLOAD(SCRATCH_AT(1));
    const vf h = VLOAD(BEFORE_AT(0));
    const vf k2 = VLOAD(KEPT_AT(2));
    const vf d0 = VLOAD(SCRATCH_AT(2));
    const vf b0 = VLOAD(SCRATCH_AT(0));
    VSTORE(REAL(b0 * h * k2 * (1.0f - k2), H), KEPT_AT(2));
    VSTORE(VLOAD(GRADIENT_AT(0)) + REAL(fma(d0, 1.0f - k0, b0 * k2), H), GRADIENT_AT(0));
}
