/*
 * The season of a series, in two stages.
 *
 * Candidates are what the step suggests with its usual multiples (a day, a week, a year), and the lags at
 * which the series and its differences are most like themselves: peaks of the autocorrelation, computed with
 * the fast Fourier transform. A straight trend is taken out before; differences see through a bent one.
 *
 * Each candidate m is then tried by the classical decomposition: the trend is the centred moving average over
 * m rows, the season the mean of what is left at each of the m places, the remainder the rest. A long season
 * has many means and fits noise and random walks well, so candidates are compared by what the season tells
 * about rows that it was not made from: every row is held against the mean of the other rows at its place.
 * With c rows at a place that is the remainder times c / (c - 1). Below 0 the season is worse than none.
 *
 * Whatever repeats after 12 rows does so after 24 and 36: a season gives way to a part of it that tells
 * almost as much; and one that the calendar suggests gives way to a shorter such one that tells at least
 * half, since of a day and a week the stronger is wanted.
 */
#include "data/season.h"

#include <float.h>
#include <math.h>

enum {
    LONGEST = 1 << 19,      /* rows looked at */
    LONGEST_LAGS = 1 << 18, /* rows that the autocorrelation is made from: half a day of seconds, half a year
                               of minutes */
    CYCLES = 3,             /* a season comes round at least so often */
    MOST_CANDIDATES = 24,
    MOST_PARTS = 12 /* a season is held against its half, third, ... twelfth */
};

/* How much of it a part must tell to stand for the whole. */
#define ALMOST_ALL     0.9
#define HALF           0.5
#define LEAST_STRENGTH 0.1

typedef struct candidate {
    size_t season;
    bool calendar; /* the step suggests it */
    double told;   /* share of the variance that the season tells of other rows */
} candidate;

typedef struct work {
    double *y;         /* [rows] values between -1 and 1, mean 0; NaN: missing */
    double *sums;      /* [rows + 1] of the values before a row */
    uint32_t *counts;  /* [rows + 1] of the values before a row */
    double *detrended; /* [rows] */
    double *profile;   /* [rows / CYCLES + 1] sums, then means, of each place in a season */
    uint32_t *times;   /* [rows / CYCLES + 1] values at each place */
    size_t rows;
    double floor; /* a variance below it is nothing but rounding */
    candidate candidates[MOST_CANDIDATES];
    size_t candidate_count;
} work;

static void add_candidate(work *w, size_t season, bool calendar)
{
    if (season < 2 || season > w->rows / CYCLES || w->candidate_count == MOST_CANDIDATES) return;
    for (size_t i = 0; i < w->candidate_count; i++)
        if (w->candidates[i].season == season) return;
    w->candidates[w->candidate_count++] = (candidate){season, calendar, 0.0};
}

static void add_calendar(work *w, size_t suggested)
{
    static const struct {
        size_t season, multiples[4];
    } usual[] = {
        {5, {21, 261}},                   /* business days: a month, a year */
        {7, {365}},                       /* days: a year */
        {52, {0}},                        /* weeks of a year */
        {60, {1440, 3600, 10080, 86400}}, /* minutes: a day, a week; seconds: an hour, a day */
    };
    if (suggested < 2) return;
    add_candidate(w, suggested, true);
    for (size_t i = 0; i < NORN_COUNT(usual); i++)
        if (usual[i].season == suggested) {
            for (size_t k = 0; k < NORN_COUNT(usual[i].multiples); k++)
                add_candidate(w, usual[i].multiples[k], true);
            return;
        }
    if (suggested > w->rows / CYCLES) return;
    add_candidate(w, 7 * suggested, true); /* parts of a day: a week, a year */
    add_candidate(w, 365 * suggested, true);
}

/* ---- autocorrelation -------------------------------------------------------------------------------------
 */

typedef struct complex_number {
    double re, im;
} complex_number;

/* x[n] becomes its discrete Fourier transform, n a power of two; roots[n / 2] are exp(-2 pi i k / n). */
static void transform(complex_number *x, const complex_number *roots, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) { /* bits of the index in reverse */
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            const complex_number swap = x[i];
            x[i] = x[j];
            x[j] = swap;
        }
    }
    for (size_t half = 1; half < n; half *= 2)
        for (size_t begin = 0; begin < n; begin += 2 * half)
            for (size_t k = 0; k < half; k++) {
                const complex_number root = roots[k * (n / 2 / half)], a = x[begin + k],
                                     b = x[begin + k + half];
                const complex_number turned = {b.re * root.re - b.im * root.im,
                                               b.re * root.im + b.im * root.re};
                x[begin + k] = (complex_number){a.re + turned.re, a.im + turned.im};
                x[begin + k + half] = (complex_number){a.re - turned.re, a.im - turned.im};
            }
}

/* Takes the least-squares line out of x[n] and puts 0 where values are missing; re: values, im: 1 where there
 * is one. False where nothing is left. */
static bool take_line_out(complex_number *x, size_t n, double floor)
{
    double count = 0.0, mean_t = 0.0, mean_x = 0.0, tt = 0.0, tx = 0.0, left = 0.0;
    for (size_t i = 0; i < n; i++)
        if (x[i].im > 0.0) {
            count += 1.0;
            mean_t += (double)i;
            mean_x += x[i].re;
        }
    if (count < 2.0) return false;
    mean_t /= count;
    mean_x /= count;
    for (size_t i = 0; i < n; i++)
        if (x[i].im > 0.0) {
            const double t = (double)i - mean_t;
            tt += t * t;
            tx += t * (x[i].re - mean_x);
        }
    const double slope = tt > 0.0 ? tx / tt : 0.0;
    for (size_t i = 0; i < n; i++) {
        x[i].re = x[i].im > 0.0 ? x[i].re - mean_x - slope * ((double)i - mean_t) : 0.0;
        left += x[i].re * x[i].re;
    }
    return left / count > floor;
}

/*
 * Products of values `lag` rows apart and the number of such pairs, for all lags, from one transform there
 * and one back (Wiener and Khinchin). Values and marks of presence travel as the real and the imaginary part;
 * the transforms of the two are told apart by their symmetry, and their power spectra, real and even, travel
 * back the same way.
 */
static void correlate(complex_number *x, const complex_number *roots, size_t n)
{
    transform(x, roots, n);
    for (size_t k = 0; k <= n / 2; k++) {
        const complex_number a = x[k], b = x[(n - k) % n];
        const complex_number value = {0.5 * (a.re + b.re), 0.5 * (a.im - b.im)};
        const complex_number mark = {0.5 * (a.im + b.im), 0.5 * (b.re - a.re)};
        const complex_number power = {value.re * value.re + value.im * value.im,
                                      mark.re * mark.re + mark.im * mark.im};
        x[k] = power;
        x[(n - k) % n] = power;
    }
    transform(x, roots, n); /* of an even sequence the transform is the inverse, times n */
}

/* Is the correlation at `lag` the highest around it, a quarter of the lag to both sides? Nearest first: most
 * lags are refuted at once. */
static bool is_peak(const double *r, size_t lags, size_t lag)
{
    const size_t reach = lag < 8 ? 1 : lag / 4;
    if (lag + 1 >= lags || r[lag] <= 0.0) return false;
    for (size_t k = 1; k <= reach; k++)
        if (r[lag - k] >= r[lag] || (lag + k < lags && r[lag + k] > r[lag])) return false;
    return true;
}

/* The highest peak, and the earliest ones that are not much lower: a season among its own multiples. */
static void add_peaks(work *w, const double *r, size_t lags)
{
    static const double shares[] = {1.0, 0.9, 0.7, 0.5, 0.3};
    double highest = 0.0;
    bool any = false;
    for (size_t lag = 2; lag < lags; lag++)
        if (r[lag] > highest && is_peak(r, lags, lag)) {
            highest = r[lag];
            any = true;
        }
    for (size_t i = 0; any && i < NORN_COUNT(shares); i++)
        for (size_t lag = 2; lag < lags; lag++)
            if (r[lag] >= shares[i] * highest && is_peak(r, lags, lag)) {
                add_candidate(w, lag, false);
                break;
            }
}

static norn_status add_correlated(work *w, const norn_host *host, norn_error *err)
{
    const size_t rows = w->rows < LONGEST_LAGS ? w->rows : LONGEST_LAGS, lags = rows / CYCLES + 1;
    const double *y = w->y + (w->rows - rows);
    size_t n = 1;
    while (n < rows + lags) n *= 2; /* zeros enough that no pair goes round the end */
    norn_status status = NORN_OK;
    complex_number *x = norn_new(host, n, sizeof *x), *roots = norn_new(host, n / 2, sizeof *roots);
    double *r = norn_new(host, lags, sizeof *r);
    if (!x || !roots || !r) {
        status = norn_fail_memory(err, "the autocorrelation of a series");
        goto done;
    }
    const double turn = 2.0 * acos(-1.0) / (double)n;
    for (size_t k = 0; k < n / 2; k++)
        roots[k] = (complex_number){cos(turn * (double)k), -sin(turn * (double)k)};

    for (size_t differences = 0; differences < 2; differences++) {
        for (size_t i = 0; i < n; i++) {
            const double value = i >= rows - differences ? NAN : differences ? y[i + 1] - y[i] : y[i];
            x[i] = isnan(value) ? (complex_number){0.0, 0.0} : (complex_number){value, 1.0};
        }
        if (!take_line_out(x, rows, w->floor)) continue;
        correlate(x, roots, n);
        const double all = x[0].re / x[0].im;
        for (size_t lag = 0; lag < lags; lag++) {
            const bool enough = x[lag].im > 0.25 * x[0].im; /* pairs, of those there could be */
            r[lag] = enough ? x[lag].re / x[lag].im / all : 0.0;
        }
        add_peaks(w, r, lags);
    }
done:
    norn_delete(host, x, n, sizeof *x);
    norn_delete(host, roots, n / 2, sizeof *roots);
    norn_delete(host, r, lags, sizeof *r);
    return status;
}

/* ---- decomposition ---------------------------------------------------------------------------------------
 */

/* y without its centred moving average over `season` rows; NaN at the ends, where the average does not fit,
 * and where more than half of its values are missing. An even season counts its first and last row half. */
static void take_trend_out(work *w, size_t season)
{
    const size_t half = season / 2, even = season % 2 == 0;
    for (size_t t = 0; t < w->rows; t++) {
        w->detrended[t] = NAN;
        if (t < half || t + half >= w->rows || isnan(w->y[t])) continue;
        double sum = w->sums[t + half + 1] - w->sums[t - half + even];
        uint32_t count = w->counts[t + half + 1] - w->counts[t - half + even];
        if (even) {
            sum += w->sums[t + half] - w->sums[t - half];
            count += w->counts[t + half] - w->counts[t - half];
        }
        const size_t most = even ? 2 * season : season;
        if (2 * (size_t)count >= most) w->detrended[t] = w->y[t] - sum / count;
    }
}

/* How much of the variance of what is left without the trend the season tells: of the rows it is made from
 * (*strength, not below 0), and of others (returned; may be below 0). */
static double tell(work *w, size_t season, double *strength)
{
    double mean = 0.0, all = 0.0, left = 0.0, left_of_others = 0.0, count = 0.0;
    for (size_t place = 0; place < season; place++) {
        w->profile[place] = 0.0;
        w->times[place] = 0;
    }
    for (size_t t = 0, place = 0; t < w->rows; t++, place = place + 1 == season ? 0 : place + 1) {
        const double d = w->detrended[t];
        if (isnan(d)) continue;
        w->profile[place] += d;
        w->times[place]++;
        mean += d;
        count += 1.0;
    }
    mean /= count;
    for (size_t place = 0; place < season; place++)
        if (w->times[place]) w->profile[place] /= w->times[place];
    for (size_t t = 0, place = 0; t < w->rows; t++, place = place + 1 == season ? 0 : place + 1) {
        const double d = w->detrended[t];
        if (isnan(d)) continue;
        const double rest = d - w->profile[place], times = w->times[place];
        const double rest_of_others = times > 1.0 ? rest * times / (times - 1.0) : d - mean;
        all += (d - mean) * (d - mean);
        left += rest * rest;
        left_of_others += rest_of_others * rest_of_others;
    }
    *strength = 0.0;
    if (!(all > w->floor * count)) return 0.0; /* or nothing is there */
    if (left < all) *strength = 1.0 - left / all;
    return 1.0 - left_of_others / all;
}

static double try_season(work *w, size_t season, double *strength)
{
    take_trend_out(w, season);
    return tell(w, season, strength);
}

/* What a season must tell to be one. What chance lets it tell falls with the root of the number of rows, and,
 * as walks at random come and go by themselves, with the number of times that it came round. Measured: one in
 * twenty-five random walks has a season, and noise of 60 rows has none. */
static double least_of(const work *w, size_t season)
{
    const double rows = w->counts[w->rows], cycles = (double)w->rows / (double)season;
    return fmax(LEAST_STRENGTH, fmax(2.5 / sqrt(rows), 1.5 / (cycles - 1.0)));
}

/*
 * The shortest part of the best season that can stand for it, or that season itself. A part that divides the
 * season is held against the same rows, without the same trend. A season that nature makes need not be a
 * whole number of rows: 29 rows may be three times nine and two thirds; such a part, rounded, drifts, and
 * half is enough.
 */
static size_t part_of(work *w, const candidate *best)
{
    double unused;
    size_t shortest = best->season;
    for (size_t parts = 2; parts <= MOST_PARTS; parts++)
        add_candidate(w, (best->season + parts / 2) / parts, false);
    for (size_t i = 0; i < w->candidate_count; i++) {
        const candidate *part = &w->candidates[i];
        const size_t parts = (best->season + part->season / 2) / part->season;
        const bool divides = part->season * parts == best->season;
        if (part->season >= shortest || parts > MOST_PARTS || (!divides && best->calendar)) continue;
        if (divides)
            take_trend_out(w, best->season);
        else
            take_trend_out(w, part->season);
        const double told = tell(w, part->season, &unused);
        const bool half = !divides || (part->calendar && best->calendar);
        if (told >= least_of(w, part->season) && told >= (half ? HALF : ALMOST_ALL) * best->told)
            shortest = part->season;
    }
    return shortest;
}

/* The season beside `season`, a row longer or shorter (of long ones some rows), as long as it tells more.
 * Peaks of the autocorrelation can be off by some. */
static size_t climb(work *w, size_t season)
{
    enum { STEPS = 4, PARTS = 64 };
    const size_t stride = season < 2 * PARTS ? 1 : season / PARTS;
    double unused, told = try_season(w, season, &unused);
    for (int way = -1; way <= 1; way += 2)
        for (int step = 0; step < STEPS; step++) {
            const size_t next = way < 0 ? season - stride : season + stride;
            if (next < 2 || next > w->rows / CYCLES) break;
            const double tells = try_season(w, next, &unused);
            if (tells <= told) break;
            told = tells;
            season = next;
        }
    return season;
}

/* ---- finding ---------------------------------------------------------------------------------------------
 */

/* Scales the values to -1 to 1 around 0, so that no square overflows. False when they are all the same, or
 * fewer than two. */
static bool prepare(work *w, const double *values)
{
    double largest = 0.0, mean = 0.0, spread = 0.0, count = 0.0;
    for (size_t i = 0; i < w->rows; i++)
        if (fabs(values[i]) > largest) largest = fabs(values[i]);
    if (largest == 0.0) return false;
    for (size_t i = 0; i < w->rows; i++) {
        w->y[i] = values[i] / largest;
        if (isnan(values[i])) continue;
        mean += w->y[i];
        count += 1.0;
    }
    mean /= count;
    for (size_t i = 0; i < w->rows; i++)
        if (fabs(w->y[i] - mean) > spread) spread = fabs(w->y[i] - mean);
    if (!(spread > 8.0 * DBL_EPSILON)) return false;
    for (size_t i = 0; i < w->rows; i++) {
        const bool missing = isnan(w->y[i]);
        if (!missing) w->y[i] = (w->y[i] - mean) / spread;
        w->sums[i + 1] = w->sums[i] + (missing ? 0.0 : w->y[i]);
        w->counts[i + 1] = w->counts[i] + !missing;
    }
    const double rounding = 8.0 * DBL_EPSILON / spread + 1e-12; /* of the values, and of the sums */
    w->floor = rounding * rounding;
    return true;
}

static norn_status find(work *w, size_t *season, double *strength, size_t suggested, const norn_host *host,
                        norn_error *err)
{
    add_calendar(w, suggested);
    const norn_status status = add_correlated(w, host, err);
    if (status != NORN_OK) return status;

    candidate best = {1, false, 0.0};
    double unused;
    for (size_t i = 0; i < w->candidate_count; i++) {
        candidate *each = &w->candidates[i];
        each->told = try_season(w, each->season, &unused);
        if (each->told > best.told && each->told >= least_of(w, each->season)) best = *each;
    }
    if (best.season == 1) { /* the nearest miss, if its peak was beside the season */
        candidate *miss = NULL;
        for (size_t i = 0; i < w->candidate_count; i++) {
            candidate *each = &w->candidates[i];
            if (!each->calendar && each->told > 0.0 && (!miss || each->told > miss->told)) miss = each;
        }
        if (!miss) return NORN_OK;
        const candidate beside = {climb(w, miss->season), false, 0.0};
        best = beside;
        best.told = try_season(w, best.season, &unused);
        if (best.told < least_of(w, best.season)) return NORN_OK;
    }
    /* 364 days are a year that chance made shorter; and a quarter of a year, which the trend over three
     * months flatters, must stand for the year before the rows of that (part_of) */
    for (size_t i = 0; !best.calendar && i < w->candidate_count; i++) {
        const candidate *each = &w->candidates[i];
        const size_t a = each->season, b = best.season, apart = a > b ? a - b : b - a;
        const bool beside = 20 * apart <= b && each->told >= ALMOST_ALL * best.told;
        if (each->calendar && each->told >= least_of(w, a) && (beside || (a > b && a % b == 0))) best = *each;
    }
    *season = part_of(w, &best);
    if (!best.calendar) *season = climb(w, *season);
    (void)try_season(w, *season, strength);
    return NORN_OK;
}

norn_status norn_season_find(size_t *season, double *strength, const double *values, size_t rows,
                             size_t suggested, const norn_host *host, norn_error *err)
{
    const norn_host own = norn_host_copy(host);
    if (rows > LONGEST) {
        values += rows - LONGEST;
        rows = LONGEST;
    }
    size_t found = 1;
    double how_strong = 0.0;
    norn_status status = NORN_OK;
    const size_t places = rows / CYCLES + 1;
    work w = {.rows = rows};
    if (rows < 2 * CYCLES) goto found;
    w.y = norn_new(&own, rows, sizeof *w.y);
    w.sums = norn_new(&own, rows + 1, sizeof *w.sums);
    w.counts = norn_new(&own, rows + 1, sizeof *w.counts);
    w.detrended = norn_new(&own, rows, sizeof *w.detrended);
    w.profile = norn_new(&own, places, sizeof *w.profile);
    w.times = norn_new(&own, places, sizeof *w.times);
    if (!w.y || !w.sums || !w.counts || !w.detrended || !w.profile || !w.times) {
        status = norn_fail_memory(err, "the season of a series");
        goto done;
    }
    if (prepare(&w, values)) status = find(&w, &found, &how_strong, suggested, &own, err);
found:
    if (status == NORN_OK) {
        *season = found;
        *strength = how_strong;
    }
done:
    norn_delete(&own, w.y, rows, sizeof *w.y);
    norn_delete(&own, w.sums, rows + 1, sizeof *w.sums);
    norn_delete(&own, w.counts, rows + 1, sizeof *w.counts);
    norn_delete(&own, w.detrended, rows, sizeof *w.detrended);
    norn_delete(&own, w.profile, places, sizeof *w.profile);
    norn_delete(&own, w.times, places, sizeof *w.times);
    return status;
}
