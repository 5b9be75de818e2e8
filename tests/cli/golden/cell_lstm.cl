// A cell made from its formula: what the skeleton (sequence.cl) knows of it.
#define CELL_GATES 4    // sums of products a unit
#define CELL_X_GATES 4  // the first of them have a product of the input
#define CELL_H_FIRST 0  // from this one on they have a product of h
#define CELL_CARRIES 1  // states beside h
#define CELL_VECTORS 0  // parameters used unit by unit
#define CELL_USES_H 0   // the way back uses h unit by unit

// In: pre, the sums of the gates; h and carry, the states before the step. Out: pre, what is kept of each
// gate; carry, the states after it; returns h after it.
INLINE vf cell_forward(vf *pre, const vf h, vf *carry, const vf *vectors)
{
    const vf a0 = pre[0];
    const vf a1 = pre[1];
    const vf a2 = pre[2];
    const vf a3 = pre[3];
    const vf s1 = carry[0];
    const vf e3 = 1.0f + exp_negative(a0);
    const vf e5 = 1.0f + exp_negative(a1);
    const vf e7 = 1.0f + exp_negative_twice(a2);
    const vf e9 = 1.0f + exp_negative(a3);
    const vf l3 = e3 * e5, r3 = e7 * e9, q3 = 1.0f / (l3 * r3);
    const vf one_l3 = q3 * r3, one_r3 = q3 * l3;
    const vf v3 = one_l3 * e5;
    const vf v5 = one_l3 * e3;
    const vf v7 = 2.0f * (one_r3 * e9) - 1.0f;
    const vf v9 = one_r3 * e7;
    const vf v13 = fma(v5, s1, v3 * v7);
    const vf v15 = v9 * hyperbolic_tangent(v13);
    pre[0] = v3;
    pre[1] = v5;
    pre[2] = v7;
    pre[3] = v9;
    carry[0] = v13;
    return v15;
}

// In: kept of each gate; the states before and after the step; dh and dcarry, dL/d(states after it). Out:
// kept, dL/d(sum of the gate); dh, the part of dL/d(h before) that no product has; dcarry, dL/d(carry before);
// dvectors is added to.
INLINE void cell_backward(vf *kept, const vf h, const vf *before, const vf h_after, const vf *after, vf *dh,
                          vf *dcarry, const vf *vectors, vf *dvectors)
{
    const vf k0 = kept[0];
    const vf k1 = kept[1];
    const vf k2 = kept[2];
    const vf k3 = kept[3];
    const vf s1 = before[0];
    const vf n1 = after[0];
    const vf d0 = *dh;
    const vf d1 = dcarry[0];
    const vf v14 = hyperbolic_tangent(n1);
    const vf v25 = fma(d0 * k3, 1.0f - (v14 * v14), d1);
    kept[0] = v25 * k2 * k0 * (1.0f - k0);
    kept[1] = v25 * s1 * k1 * (1.0f - k1);
    kept[2] = v25 * k0 * (1.0f - (k2 * k2));
    kept[3] = d0 * v14 * k3 * (1.0f - k3);
    *dh = (vf)0.0f;
    dcarry[0] = v25 * k1;
}
