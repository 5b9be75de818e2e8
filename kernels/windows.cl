// Windows: gathered from the series where they lie, never stored. A window is (series, row): its inputs are the T rows
// from `row` on, its targets the OUT rows after them. The series are tracks, one float array a column: values minus
// the first finite one of the column, so that large levels lose nothing.
//
//   tracks         [all rows of all columns]     NaN: missing
//   track_start    [columns] where a column begins in tracks (64-bit)
//   series_tracks  [series][F] the columns of a series: the target first, then covariates
//   scaling        [member][columns] two floats, fitted on the member's training rows. Covariates: (shift, factor),
//                  z = (value - shift) * factor. Targets: (season, factor), where season chooses the base of the forecast.
//   windows        [rows] (series, row)
//
// With WEIGHTED a series has one more column, the last: how much each row counts as a target, scaled like a covariate.
//
// A target enters as its difference to the last value of the window. What is forecast is its difference to the base: the
// last value of the window (season 0), or the value a whole number of seasons before, from the last season before the
// forecast; the forecast adds the base again. A missing value enters as 0; a missing target or base carries no loss.

#ifdef WEIGHTED
#define TRACKS_OF(series, F) ((size_t)(series) * ((F) + 1))
#else
#define TRACKS_OF(series, F) ((series) * (F))
#endif

// The last value of the window that is there; NaN when none is: such a window enters as zeros and carries no loss, unless
// its base stands in another row.
INLINE float last_value(CONST_FLOATS track, const int T)
{
    float last = track[T - 1];
    for (int t = T - 2; t >= 0 && isnan(last); t--) last = track[t];
    return last;
}

// x [T][BP][KX] of the group's rows; rows from `rows` on are padding and become 0. run: T, or 0 to gather nothing.
INLINE void gather(CONST_FLOATS tracks, __global const long *restrict track_start,
                   __global const int *restrict series_tracks, __global const float2 *restrict scaling,
                   __global const int2 *restrict windows, const int F, const int KX, const int T, const int run,
                   const int BP, const int rows, FLOATS x, const int r0)
{
    for (int i = LS == 1 ? 0 : (int)get_local_id(0); i < ROWS * KX; i += LS) {
        const int r = r0 + i / KX, f = i % KX;
        __global float *to = x + (size_t)r * KX + f;
        if (r >= rows || f >= F) {
            for (int t = 0; t < run; t++) to[(size_t)t * BP * KX] = 0.0f;
            continue;
        }
        const int2 window = windows[r];
        const int track = series_tracks[TRACKS_OF(window.x, F) + f];
        CONST_FLOATS from = tracks + track_start[track] + window.y;
        const float2 scale = scaling[track];
        const float shift = f == 0 ? last_value(from, T) : scale.x;
        for (int t = 0; t < run; t++) {
            const float z = (from[t] - shift) * scale.y;
            to[(size_t)t * BP * KX] = isnan(z) ? 0.0f : z;
        }
    }
    GROUP_SYNC();
}
