// What all kernels share: the mapping, vectors, the strip layout, elementary functions, random numbers.
//
// Mapping. One source serves a CPU and a GPU:
#ifndef VW
#define VW 16   // floats in a vector (CPU 8 or 16: its native width; GPU 1)
#endif
#ifndef LS
#define LS 1    // work-items a group (CPU 1: no barriers are left; GPU 64 to 256)
#endif
#ifndef ROWS
#define ROWS 4  // batch rows a group carries through time (CPU 4: 4 gates x 4 rows = 16 accumulators; GPU 1 to 8)
#endif
//
// Strips. The units of a layer are cut into strips of SW units that stand side by side in memory, and an array over
// rows and units is stored strip by strip: element (row n, unit u) of an array of N rows is at
//     [u / SW][n][u % SW]
// so that the VW units of an item are one vector, the LS items of a group read LS vectors in a row, and a strip of all
// rows is one contiguous matrix for the weight gradients. A work-item owns the lanes LANE .. LANE + VW - 1 of a strip.
// The sequence kernels use SW = UB = LS * VW; the stage kernels of large hidden sizes use SW = HP, one strip.
#define UB (LS * VW)
#ifdef STAGE
#define SW HP
#else
#define SW UB
#endif
#if LS == 1
#define LANE 0
#define GROUP_SYNC()
#else
#define LANE ((int)get_local_id(0) * VW)
#define GROUP_SYNC() barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE)
#endif
// Every function is inlined: flags such as `projected` are constants where it is called.
#define INLINE static inline __attribute__((always_inline))
#define KERNEL __kernel __attribute__((reqd_work_group_size(LS, 1, 1)))
#define FLOATS __global float *restrict
#define CONST_FLOATS __global const float *restrict

#if VW == 16
typedef float16 vf;
typedef int16 vi;
typedef uint16 vu;
#define AS_FLOAT(x) as_float16(x)
#define AS_INT(x) as_int16(x)
#define AS_UINT(x) as_uint16(x)
#define IOTA ((vi)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#elif VW == 8
typedef float8 vf;
typedef int8 vi;
typedef uint8 vu;
#define AS_FLOAT(x) as_float8(x)
#define AS_INT(x) as_int8(x)
#define AS_UINT(x) as_uint8(x)
#define IOTA ((vi)(0, 1, 2, 3, 4, 5, 6, 7))
#elif VW == 4
typedef float4 vf;
typedef int4 vi;
typedef uint4 vu;
#define AS_FLOAT(x) as_float4(x)
#define AS_INT(x) as_int4(x)
#define AS_UINT(x) as_uint4(x)
#define IOTA ((vi)(0, 1, 2, 3))
#else
typedef float vf;
typedef int vi;
typedef uint vu;
#define AS_FLOAT(x) as_float(x)
#define AS_INT(x) as_int(x)
#define AS_UINT(x) as_uint(x)
#define IOTA 0
#endif

// A vector at any float. vstore16 is four stores of four floats with PoCL 3.1, and a vector that is loaded soon after has to
// wait for all of them; a member of a packed struct is one store.
#if VW > 1
typedef struct __attribute__((packed)) {
    vf v;
} vf_anywhere;
#define VLOAD(p) (((__global const vf_anywhere *)(p))->v)
#define VSTORE(x, p) (((__global vf_anywhere *)(p))->v = (x))
#define LANES_LOAD(p) (((const vf_anywhere *)(p))->v) // of an item's own floats
#define LANES_STORE(x, p) (((vf_anywhere *)(p))->v = (x))
#else
#define LANES_LOAD(p) (*(p))
#define VLOAD(p) (*(p))
#define VSTORE(x, p) (*(p) = (x))
#endif

// Asks for the vector at p, which is read (or written) some thousand operations later: a core's own prefetching does not see
// that far, and memory is hundreds of cycles away. p need not be inside of an array. For CPUs; others hide it by
// groups in turn. NO_PREFETCH: for a compiler that has the builtin and no code for it.
#if LS == 1 && VW > 1 && defined(__has_builtin) && !defined(NO_PREFETCH)
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p), 0, 2)
#define PREFETCH_TO_WRITE(p) __builtin_prefetch((const void *)(size_t)(p), 1, 2)
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p) ((void)(p))
#define PREFETCH_TO_WRITE(p) ((void)(p))
#endif

// a where the condition holds, else b: select() wants the sign bit for vectors and truth for scalars, as comparisons
// give them.
#define CHOOSE(condition, a, b) select((vf)(b), (vf)(a), (condition))

// 2^(c x) with the exponent held to +-limit. Adding 1.5 * 2^23 rounds to the nearest integer m, which then stands in the
// low bits of the sum; 2^r for |r| <= 1/2 is a polynomial (Cephes exp2f); m goes into the exponent of a factor. Largest error
// seen against double precision 1.3e-7 relative. NaN stays NaN: both comparisons fail to hold for it, and a product with
// it is one (adding m to the exponent of p itself would turn a NaN with low bits, as GPUs make them, into a number).
INLINE vf exp2_scaled(const vf x, const float c, const float limit)
{
    vf y = x * c;
    y = CHOOSE(y > (vf)limit, (vf)limit, y);
    y = CHOOSE(y < (vf)(-limit), (vf)(-limit), y);
    const vf m = y + 12582912.0f;
    const vf r = y - (m - 12582912.0f);
    vf p = 1.535336188319500e-4f;
    p = fma(p, r, (vf)1.339887440266574e-3f);
    p = fma(p, r, (vf)9.618437357674640e-3f);
    p = fma(p, r, (vf)5.550332471162809e-2f);
    p = fma(p, r, (vf)2.402264791363012e-1f);
    p = fma(p, r, (vf)6.931472028550421e-1f);
    p = fma(p, r, (vf)1.0f);
    return p * AS_FLOAT((AS_INT(m) << 23) + 0x3f800000);
}

#define LOG2_E 1.44269504088896f
// The limit of 30 keeps products of four denominators finite: 2^120 < 3.4e38.
INLINE vf exp_negative(const vf x) { return exp2_scaled(x, -LOG2_E, 30.0f); }           // e^-x
INLINE vf exp_negative_twice(const vf x) { return exp2_scaled(x, -2.0f * LOG2_E, 30.0f); } // e^-2x
INLINE vf sigmoid(const vf x) { return 1.0f / (1.0f + exp_negative(x)); }
INLINE vf hyperbolic_tangent(const vf x) { return 2.0f / (1.0f + exp_negative_twice(x)) - 1.0f; }

// ---- random numbers: Philox4x32-10 (Salmon et al. 2011), VW counters at once -------------------------------------
// counter (c0, c1, c2, c3), key (k0, k1); returns the first of the four words of each lane.
INLINE vu philox(vu c0, vu c1, vu c2, vu c3, uint k0, uint k1)
{
    for (int round = 0; round < 10; round++) {
        const vu high0 = mul_hi(c0, (vu)0xD2511F53u), low0 = c0 * (vu)0xD2511F53u;
        const vu high1 = mul_hi(c2, (vu)0xCD9E8D57u), low1 = c2 * (vu)0xCD9E8D57u;
        c0 = high1 ^ c1 ^ (vu)k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ (vu)k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c0;
}
