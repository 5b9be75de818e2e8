/*
 * Fitting and choosing ARIMA models: see arima.h.
 *
 * A factor of the model, say phi of p coefficients, is fitted as p numbers x without bounds: x / sqrt(1 +
 * x^2) are its partial autocorrelations, from which Levinson's recursion makes coefficients that are
 * stationary whatever x is (Monahan 1984); with the sign turned, invertible ones of a moving average. The
 * search begins at the conditional sum of squares and ends at the exact likelihood.
 *
 * The choice (Hyndman and Khandakar 2008, with the later changes of R's forecast::auto.arima): D by the
 * strength of the season, d by KPSS tests, the rest by steps from four models to neighbours with a smaller
 * AICc. From 150 rows or a season above 12 on the steps look at the conditional sum of squares; the one taken
 * is fitted exactly.
 */
#include "forecast/arima.h"

#include "forecast/minimise.h"
#include "forecast/stl.h"

#include <math.h>
#include <string.h>

/* ---- fitting ---- */

enum { MOST_VARIABLES = 2 * NORN_ARIMA_LAGS + 2 * NORN_ARIMA_SEASONS + 1 };

typedef struct problem {
    norn_arima *model;
    const double *w; /* [n] centred and scaled */
    size_t n;
    bool exact;
    double *work;
    const norn_cancel *cancel;
} problem;

/* Coefficients 1 .. n of a stationary factor, times sign. */
static void factor(const double *x, size_t n, double sign, double *out)
{
    double before[NORN_ARIMA_LAGS];
    for (size_t k = 0; k < n; k++) {
        const double partial = x[k] / sqrt(1.0 + x[k] * x[k]);
        memcpy(before, out, k * sizeof *out);
        for (size_t i = 0; i < k; i++) out[i] = before[i] - partial * before[k - 1 - i];
        out[k] = partial;
    }
    for (size_t k = 0; k < n && sign < 0.0; k++) before[k] = -out[k];
    if (sign < 0.0) memcpy(out, before, n * sizeof *out);
}

static void read_variables(norn_arima *a, const double *x)
{
    factor(x, a->p, 1.0, a->phi);
    x += a->p;
    factor(x, a->q, -1.0, a->theta);
    x += a->q;
    factor(x, a->sp, 1.0, a->sphi);
    x += a->sp;
    factor(x, a->sq, -1.0, a->stheta);
    a->mean = a->constant ? x[a->sq] : 0.0;
}

static double minus_likelihood(void *user, const double *x, double *gradient)
{
    const problem *const f = user;
    double variance;
    (void)gradient;
    if (norn_cancel_raised(f->cancel)) return NAN;
    read_variables(f->model, x);
    return -(f->exact ? norn_arima_likelihood(f->model, f->w, f->n, &variance, NULL, 0, f->work)
                      : norn_arima_conditional(f->model, f->w, f->n, &variance, f->work));
}

static double penalised(double likelihood, double parameters, double rows)
{
    if (rows - parameters - 1.0 <= 0.0) return INFINITY;
    return -2.0 * likelihood + 2.0 * parameters * rows / (rows - parameters - 1.0);
}

/* Centre and scale of w; false where it holds fewer than two values that differ. */
static bool standardise(double *w, size_t n, bool centred, double *centre, double *scale, size_t *rows)
{
    double sum = 0.0, squares = 0.0, low = INFINITY, high = -INFINITY;
    *rows = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(w[i])) continue;
        sum += w[i];
        low = fmin(low, w[i]);
        high = fmax(high, w[i]);
        (*rows)++;
    }
    *centre = centred && *rows ? sum / (double)*rows : 0.0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(w[i])) squares += (w[i] - *centre) * (w[i] - *centre);
    *scale = sqrt(squares / (double)*rows);
    if (*rows < 2 || !(low < high) || !(*scale > 0.0) || !isfinite(*scale)) return false;
    for (size_t i = 0; i < n; i++) w[i] = (w[i] - *centre) / *scale;
    return true;
}

bool norn_arima_fit(norn_arima *a, const double *y, size_t n, bool exact, const norn_cancel *cancel,
                    double *work)
{
    double x[MOST_VARIABLES] = {0.0}, centre, scale, variance;
    double *const minimiser = work, *const w = minimiser + 16 * 24;
    const size_t count = norn_arima_difference(a, y, n, w), variables = norn_arima_parameters(a) - 1;
    size_t rows;
    if (count == 0 || !standardise(w, count, a->constant, &centre, &scale, &rows)) return false;
    if (rows < variables + 2) return false;
    problem f = {.model = a, .w = w, .n = count, .work = w + count, .cancel = cancel};
    const norn_objective objective = {
        .n = variables, .value = minus_likelihood, .user = &f, .differences = true};
    if (variables && !isfinite(norn_minimise(&objective, x, 60, exact ? 1e-2 : 1e-3, minimiser)))
        memset(x, 0, sizeof x);
    f.exact = exact;
    if (exact && variables && !isfinite(norn_minimise(&objective, x, 100, 1e-5, minimiser))) {
        memset(x, 0, sizeof x); /* what was found there stood outside */
        if (!isfinite(norn_minimise(&objective, x, 100, 1e-5, minimiser))) return false;
    }
    read_variables(a, x);
    a->likelihood = exact ? norn_arima_likelihood(a, w, count, &variance, NULL, 0, f.work)
                          : norn_arima_conditional(a, w, count, &variance, f.work);
    if (!isfinite(a->likelihood) || !(variance >= 0.0)) return false;
    /* models that take more rows as they are must not gain by it: all are judged on as many */
    if (!exact) a->likelihood = -0.5 * (double)rows * (1.8378770664093454836 + 1.0 + log(variance));
    a->likelihood -= (double)rows * log(scale);
    a->aicc = penalised(a->likelihood, (double)variables + 1.0, (double)rows);
    a->mean = centre + scale * a->mean;
    a->variance = variance * scale * scale * (double)rows / (double)(rows - variables);
    a->rows = rows;
    return true;
}

/* ---- differences ---- */

/* Kwiatkowski, Phillips, Schmidt and Shin (1992): is x level? At 5 %, with 3 sqrt(n) / 13 lags. */
static bool is_level(const double *x, size_t n, double *e)
{
    double mean = 0.0, sum = 0.0, squares = 0.0, sums = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) mean += e[count++] = x[i];
    if (count < 5) return true;
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        e[i] -= mean;
        sum += e[i];
        sums += sum * sum;
        squares += e[i] * e[i];
    }
    const size_t lags = (size_t)(3.0 * sqrt((double)count) / 13.0);
    double variance = squares;
    for (size_t k = 1; k <= lags; k++) {
        double product = 0.0;
        for (size_t i = k; i < count; i++) product += e[i] * e[i - k];
        variance += 2.0 * (1.0 - (double)k / (double)(lags + 1)) * product;
    }
    return !(sums / (double)count > 0.463 * variance);
}

/* Of the season that STL finds, over 0.64 (Wang, Smith and Hyndman 2006; the limit is that of R's nsdiffs).
 */
static bool is_seasonal(const double *y, size_t n, size_t m, double *work)
{
    double *const season = work, *const trend = season + n, *const rest = trend + n;
    double sum[2] = {0.0, 0.0}, squares[2] = {0.0, 0.0}, all = 0.0, rows = 0.0;
    if (n < 2 * m + 1) return false;
    norn_mstl(&m, 1, false, y, n, season, trend, rest);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(y[i])) continue;
            const double x[2] = {y[i] - season[i] - trend[i], y[i] - trend[i]};
            rows += pass == 0;
            for (int k = 0; k < 2; k++) {
                if (pass == 0) sum[k] += x[k];
                if (pass == 1) squares[k] += (x[k] - sum[k] / rows) * (x[k] - sum[k] / rows);
            }
            if (pass == 1) all += (y[i] - trend[0]) * (y[i] - trend[0]);
        }
    /* a line has neither season nor remainder, but for rounding */
    return squares[1] > 1e-16 * all && 1.0 - squares[0] / squares[1] > 0.64;
}

static bool is_constant(const double *w, size_t n)
{
    double low = INFINITY, high = -INFINITY, most = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(w[i])) continue;
        low = fmin(low, w[i]);
        high = fmax(high, w[i]);
        most = fmax(most, fabs(w[i]));
    }
    return !(high - low > 1e-12 * most);
}

/* ---- choosing ---- */

enum { MOST_TRIED = 94 }; /* auto.arima's */

typedef struct candidate {
    unsigned char p, q, sp, sq, constant;
    double aicc;
} candidate;

typedef struct search {
    norn_arima base; /* with d, D and m */
    const double *y;
    size_t n, most_lags, most_seasons;
    bool exact, constant; /* constant: it may have one */
    const norn_cancel *cancel;
    double *work;
    candidate tried[MOST_TRIED];
    size_t count, best;
} search;

static norn_arima of_candidate(const search *s, const candidate *c)
{
    norn_arima a = s->base;
    a.p = c->p;
    a.q = c->q;
    a.sp = c->sp;
    a.sq = c->sq;
    a.constant = c->constant;
    return a;
}

/* Does the factor with coefficients x_i all but have a root on the unit circle? (Within 1 %, in B or in B^m.)
 */
static bool near_unit(const double *x, size_t n)
{
    double row[NORN_ARIMA_LAGS], step[NORN_ARIMA_LAGS], power = 1.0;
    for (size_t i = 0; i < n; i++) row[i] = x[i] * (power *= 1.01);
    for (size_t k = n; k > 0; k--) {
        const double reflection = row[k - 1], rest = 1.0 - reflection * reflection;
        if (!(rest > 0.0) || fabs(reflection) >= 1.0) return true;
        for (size_t i = 0; i + 1 < k; i++) step[i] = (row[i] + reflection * row[k - 2 - i]) / rest;
        memcpy(row, step, (k - 1) * sizeof *row);
    }
    return false;
}

static bool is_sound(const norn_arima *a)
{
    double turned[2][NORN_ARIMA_LAGS] = {{0.0}};
    for (size_t i = 0; i < a->q; i++) turned[0][i] = -a->theta[i];
    for (size_t i = 0; i < a->sq; i++) turned[1][i] = -a->stheta[i];
    return !near_unit(a->phi, a->p) && !near_unit(a->sphi, a->sp) && !near_unit(turned[0], a->q) &&
           !near_unit(turned[1], a->sq);
}

/* True where it is the best so far. */
static bool try_one(search *s, int p, int q, int sp, int sq, bool constant)
{
    if (p < 0 || q < 0 || sp < 0 || sq < 0 || (size_t)p > s->most_lags || (size_t)q > s->most_lags ||
        (size_t)sp > s->most_seasons || (size_t)sq > s->most_seasons || (constant && !s->constant) ||
        s->count == MOST_TRIED || norn_cancel_raised(s->cancel))
        return false;
    const candidate c = {(unsigned char)p,  (unsigned char)q, (unsigned char)sp,
                         (unsigned char)sq, constant,         0.0};
    for (size_t i = 0; i < s->count; i++) {
        const candidate *const o = &s->tried[i];
        if (o->p == c.p && o->q == c.q && o->sp == c.sp && o->sq == c.sq && o->constant == c.constant)
            return false;
    }
    candidate *const now = &s->tried[s->count++];
    *now = c;
    now->aicc = INFINITY;
    norn_arima a = of_candidate(s, &c);
    if (norn_arima_fit(&a, s->y, s->n, s->exact, s->cancel, s->work) && is_sound(&a)) now->aicc = a.aicc;
    if (!(now->aicc < s->tried[s->best].aicc)) return false;
    s->best = s->count - 1;
    return true;
}

static void walk(search *s)
{
    static const signed char moves[][4] = {/* p, q, P, Q */
                                           {0, 0, -1, 0},  {0, 0, 0, -1}, {0, 0, 1, 0},  {0, 0, 0, 1},
                                           {0, 0, -1, -1}, {0, 0, -1, 1}, {0, 0, 1, -1}, {0, 0, 1, 1},
                                           {-1, 0, 0, 0},  {0, -1, 0, 0}, {1, 0, 0, 0},  {0, 1, 0, 0},
                                           {-1, -1, 0, 0}, {-1, 1, 0, 0}, {1, -1, 0, 0}, {1, 1, 0, 0}};
    const int lags = (int)s->most_lags, seasons = (int)s->most_seasons;
    const int two = lags < 2 ? lags : 2, one = lags < 1 ? lags : 1, season = seasons < 1 ? seasons : 1;
    (void)try_one(s, two, two, season, season, s->constant);
    (void)try_one(s, 0, 0, 0, 0, s->constant);
    (void)try_one(s, one, 0, season, 0, s->constant);
    (void)try_one(s, 0, one, 0, season, s->constant);
    if (s->constant) (void)try_one(s, 0, 0, 0, 0, false);
    for (bool moved = true; moved;) {
        const candidate at = s->tried[s->best];
        moved = false;
        for (size_t k = 0; k < NORN_COUNT(moves) && !moved; k++)
            moved = try_one(s, at.p + moves[k][0], at.q + moves[k][1], at.sp + moves[k][2],
                            at.sq + moves[k][3], at.constant);
        if (!moved) moved = try_one(s, at.p, at.q, at.sp, at.sq, !at.constant);
    }
}

/* The mean of w and its variance, which are there for any w. */
static void fit_mean(norn_arima *a, const double *y, size_t n, double *w)
{
    const size_t count = norn_arima_difference(a, y, n, w);
    double sum = 0.0, squares = 0.0;
    a->p = a->q = a->sp = a->sq = 0;
    a->rows = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(w[i])) {
            sum += w[i];
            a->rows++;
        }
    a->constant = a->d + a->sd < 2;
    a->mean = a->constant && a->rows ? sum / (double)a->rows : 0.0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(w[i])) squares += (w[i] - a->mean) * (w[i] - a->mean);
    a->variance = a->rows > 1 ? squares / (double)(a->rows - 1) : 0.0;
    a->likelihood = a->aicc = NAN;
    if (a->rows == 0) a->none = 1;
}

void norn_arima_choose(norn_arima *a, const double *y, size_t n, const norn_cancel *cancel, double *work)
{
    const size_t season = a->season > 1 && a->season <= NORN_ARIMA_SEASON ? a->season : 1;
    search s = {.base = {.season = season}, .cancel = cancel, .work = work};
    if (n > NORN_ARIMA_ROWS) {
        y += n - NORN_ARIMA_ROWS;
        n = NORN_ARIMA_ROWS;
    }
    size_t values = 0, count;
    while (n && !isfinite(y[0])) {
        y++;
        n--;
    }
    for (size_t i = 0; i < n; i++) values += isfinite(y[i]) ? 1 : 0;
    double *const w = work;
    s.y = y;
    s.n = n;
    *a = s.base;
    a->none = values < 3;
    if (a->none) return;
    if (season > 1 && !is_constant(y, n) && values > 2 * season && is_seasonal(y, n, season, work)) {
        s.base.sd = 1;
        count = norn_arima_difference(&s.base, y, n, w);
        size_t left = 0; /* with holes there may be no pair a season apart */
        for (size_t i = 0; i < count; i++) left += isfinite(w[i]) ? 1 : 0;
        if (left < 5) s.base.sd = 0;
    }
    for (; s.base.d < 2; s.base.d++) {
        count = norn_arima_difference(&s.base, y, n, w);
        if (is_constant(w, count) || is_level(w, count, w + count)) break;
    }
    count = norn_arima_difference(&s.base, y, n, w);
    *a = s.base;
    if (is_constant(w, count)) {
        fit_mean(a, y, n, work);
        a->variance = 0.0;
        return;
    }
    values = 0;
    for (size_t i = 0; i < count; i++) values += isfinite(w[i]) ? 1 : 0;
    s.constant = s.base.d + s.base.sd < 2;
    s.most_lags = values / 3 < NORN_ARIMA_LAGS ? values / 3 : NORN_ARIMA_LAGS;
    s.most_seasons = season > 1 ? values / 3 / season : 0;
    if (s.most_seasons > NORN_ARIMA_SEASONS) s.most_seasons = NORN_ARIMA_SEASONS;
    s.exact = values <= 150 && season <= 12;
    s.tried[0].aicc = INFINITY;
    walk(&s);
    /* the best that is sound when fitted exactly */
    for (size_t k = 0; k < 8 && isfinite(s.tried[s.best].aicc); k++) {
        norn_arima exact = of_candidate(&s, &s.tried[s.best]);
        if (norn_arima_fit(&exact, y, n, true, cancel, work) && is_sound(&exact)) {
            *a = exact;
            return;
        }
        s.tried[s.best].aicc = INFINITY;
        for (size_t i = 0; i < s.count; i++)
            if (s.tried[i].aicc < s.tried[s.best].aicc) s.best = i;
    }
    fit_mean(a, y, n, work);
}
