/*
 * The recursion of exponential smoothing, its likelihood, and the likelihood's gradient by the adjoint
 * recursion: one pass forwards that keeps q, b and s of each row, one backwards. See ets.h for the equations.
 *
 * Backwards, with L, B and S the derivatives of the objective by l, b and s behind row t, and Y that by f_t:
 *
 *   D = alpha L + beta B         by d_t
 *   Q = L - D + Y (season A: - gamma S; season M: Y s - gamma S y / q^2)
 *   by s:  S (1 - gamma) - D + Y (season A),  S (1 - gamma) - D y / s^2 + Y q (season M)
 *   by b:  phi (Q + B)           by l:  Q
 */
#include "forecast/ets.h"

#include <math.h>
#include <string.h>

#define N NORN_ETS_NONE
#define A NORN_ETS_ADDITIVE
#define M NORN_ETS_MULTIPLICATIVE

const norn_ets_form norn_ets_forms[NORN_ETS_FORMS] = {
    {"ETS(A,N,N)", A, N, N, false}, {"ETS(A,A,N)", A, A, N, false}, {"ETS(A,Ad,N)", A, A, N, true},
    {"ETS(A,N,A)", A, N, A, false}, {"ETS(A,A,A)", A, A, A, false}, {"ETS(A,Ad,A)", A, A, A, true},
    {"ETS(M,N,N)", M, N, N, false}, {"ETS(M,A,N)", M, A, N, false}, {"ETS(M,Ad,N)", M, A, N, true},
    {"ETS(M,N,A)", M, N, A, false}, {"ETS(M,A,A)", M, A, A, false}, {"ETS(M,Ad,A)", M, A, A, true},
    {"ETS(M,N,M)", M, N, M, false}, {"ETS(M,A,M)", M, A, M, false}, {"ETS(M,Ad,M)", M, A, M, true}};

static const double tiny = 1e-9; /* of the values: what a residual is never taken to be below */

size_t norn_ets_size(size_t m)
{
    return sizeof(norn_ets) / sizeof(double) + 2 * m;
}

double *norn_ets_season(norn_ets *ets)
{
    return (double *)ets + sizeof(norn_ets) / sizeof(double);
}

double *norn_ets_first_season(norn_ets *ets, size_t m)
{
    return norn_ets_season(ets) + m;
}

size_t norn_ets_numbers(const norn_ets_form *form, size_t m)
{
    return 3 + (form->trend ? 2u : 0u) + (form->damped ? 1u : 0u) + (form->season ? m : 0u);
}

/* ---- the recursion ---- */

/* What a pass sums up. */
typedef struct sums {
    double squares, logs;
    size_t count;
} sums;

static bool forwards(norn_ets_part error, norn_ets_part season, size_t m, norn_view view, norn_ets_point *p,
                     double *tape, sums *out)
{
    enum { LOGS = 8 }; /* rows whose product is taken before a logarithm is */
    const double alpha = p->alpha, beta = p->beta, gamma = p->gamma, phi = p->phi;
    double l = p->level, b = p->trend, squares = 0.0, logs = 0.0, product = 1.0;
    size_t place = view.first % m, count = 0;
    for (size_t t = 0; t < view.n; t++) {
        const double y = view.y[t], q = l + phi * b, s = p->season[place];
        if (tape) {
            tape[3 * t] = q;
            tape[3 * t + 1] = b;
            tape[3 * t + 2] = s;
        }
        double d = 0.0;
        if (isfinite(y)) {
            const double f = season == N ? q : season == A ? q + s : q * s;
            if (error == M && !(f > 0.0)) return false;
            if (season == M && !(q > 0.0 && s > 0.0)) return false;
            const double e = error == M ? (y - f) / f : y - f;
            squares += e * e;
            if (error == M) product *= f;
            if (++count % LOGS == 0 && error == M) {
                logs += log(product);
                product = 1.0;
            }
            d = season == N ? y - q : season == A ? y - s - q : y / s - q;
            if (season == A) p->season[place] = s + gamma * d;
            if (season == M) p->season[place] = s + gamma * (y / q - s);
        }
        l = q + alpha * d;
        b = phi * b + beta * d;
        if (++place == m) place = 0;
    }
    p->level = l;
    p->trend = b;
    *out = (sums){squares, logs + (error == M ? log(product) : 0.0), count};
    return isfinite(squares) && isfinite(out->logs);
}

/* gradient [6 + m]; figures' derivatives are followed in its end. p: the parameters. */
static void backwards(norn_ets_part error, norn_ets_part season, size_t m, norn_view view,
                      const norn_ets_point *p, const double *tape, double weight, double *gradient)
{
    const double alpha = p->alpha, beta = p->beta, gamma = p->gamma, phi = p->phi;
    double by_alpha = 0.0, by_beta = 0.0, by_gamma = 0.0, by_phi = 0.0, L = 0.0, B = 0.0;
    double *const figures = gradient + 6;
    memset(figures, 0, m * sizeof *figures);
    size_t place = (view.first + view.n) % m;
    for (size_t t = view.n; t-- > 0;) {
        place = place ? place - 1 : m - 1;
        const double y = view.y[t], q = tape[3 * t], b = tape[3 * t + 1], s = tape[3 * t + 2];
        double Q = L;
        if (isfinite(y)) {
            const double f = season == N ? q : season == A ? q + s : q * s;
            const double E = weight * (error == M ? (y - f) / f : y - f);
            const double Y = error == M ? 2.0 / f - E * y / (f * f) : -E;
            const double D = alpha * L + beta * B, d = season == N   ? y - q
                                                       : season == A ? y - s - q
                                                                     : y / s - q;
            by_alpha += L * d;
            by_beta += B * d;
            if (season == N) Q += Y - D;
            if (season == A) {
                const double S = figures[place];
                by_gamma += S * d;
                Q += Y - D - gamma * S;
                figures[place] = S - gamma * S - D + Y;
            }
            if (season == M) {
                const double S = figures[place];
                by_gamma += S * (y / q - s);
                Q += Y * s - D - gamma * S * y / (q * q);
                figures[place] = S - gamma * S - D * y / (s * s) + Y * q;
            }
        }
        by_phi += b * (Q + B);
        B = phi * (Q + B);
        L = Q;
    }
    gradient[0] = by_alpha;
    gradient[1] = by_beta;
    gradient[2] = by_gamma;
    gradient[3] = by_phi;
    gradient[4] = L;
    gradient[5] = B;
}

/* The same with error and season known to the compiler, so that its loops are without branches on them. */
#define EACH(call)                                                                                           \
    (form->season == M   ? call(M, M)                                                                        \
     : form->season == A ? (form->error == M ? call(M, A) : call(A, A))                                      \
     : form->error == M  ? call(M, N)                                                                        \
                         : call(A, N))

static bool pass(const norn_ets_form *form, size_t m, norn_view view, norn_ets_point *point, double *tape,
                 sums *out)
{
#define FORWARDS(error, season) forwards(error, season, m, view, point, tape, out)
    return EACH(FORWARDS);
#undef FORWARDS
}

double norn_ets_objective(const norn_ets_form *form, size_t m, norn_view view, double floor,
                          norn_ets_point *point, double *gradient, double *tape)
{
    const norn_ets_point at = *point;
    sums sum;
    if (!pass(form, m, view, point, gradient ? tape : NULL, &sum)) return INFINITY;
    const double count = (double)sum.count, squares = sum.squares + floor;
    if (gradient) {
        const double weight = 2.0 * count / squares;
#define BACKWARDS(error, season) backwards(error, season, m, view, &at, tape, weight, gradient)
        EACH(BACKWARDS);
#undef BACKWARDS
    }
    return count * log(squares) + 2.0 * sum.logs;
}

/* ---- states ---- */

static norn_ets_point point_of(const norn_ets *ets, double level, double trend, double *season)
{
    return (norn_ets_point){.alpha = ets->alpha,
                            .beta = ets->beta,
                            .gamma = ets->gamma,
                            .phi = ets->phi,
                            .level = level,
                            .trend = trend,
                            .season = season};
}

void norn_ets_filter(norn_ets *ets, size_t m, norn_view view)
{
    const norn_ets_form *const form = &norn_ets_forms[(size_t)ets->form];
    double *const season = norn_ets_season(ets);
    memcpy(season, norn_ets_first_season(ets, m), m * sizeof *season);
    norn_ets_point point = point_of(ets, ets->first_level, ets->first_trend, season);
    sums sum;
    ets->begin = (double)view.first;
    ets->end = (double)(view.first + view.n);
    ets->sigma = ets->likelihood = NAN;
    ets->aicc = INFINITY;
    if (!pass(form, m, view, &point, NULL, &sum) || !sum.count) return;
    ets->level = point.level;
    ets->trend = point.trend;
    double size = 0.0;
    for (size_t t = 0; t < view.n; t++)
        if (isfinite(view.y[t])) size += fabs(view.y[t]);
    const double count = (double)sum.count, numbers = (double)norn_ets_numbers(form, m);
    const double least = form->error == M ? tiny : tiny * size / count;
    const double variance = sum.squares / count + least * least;
    ets->count = count;
    ets->sigma = sqrt(sum.squares / fmax(count - numbers + 1.0, 1.0));
    ets->likelihood = -0.5 * count * (log(6.28318530717958647692 * variance) + 1.0) - sum.logs;
    if (count > numbers + 1.0)
        ets->aicc =
            2.0 * numbers - 2.0 * ets->likelihood + 2.0 * numbers * (numbers + 1.0) / (count - numbers - 1.0);
}

bool norn_ets_follow(norn_ets *ets, size_t m, norn_view view)
{
    const size_t last = view.first + view.n;
    size_t end = (size_t)ets->end;
    if (ets->form < 0.0 || last < end) return false;
    norn_ets_point point = point_of(ets, ets->level, ets->trend, norn_ets_season(ets));
    for (; end < view.first; end++) { /* rows that are not in the view are missing ones */
        point.level += ets->phi * point.trend;
        point.trend *= ets->phi;
    }
    sums sum;
    const size_t from = end - view.first;
    if (!pass(&norn_ets_forms[(size_t)ets->form], m, (norn_view){view.y + from, view.n - from, end}, &point,
              NULL, &sum))
        return false;
    ets->level = point.level;
    ets->trend = point.trend;
    ets->end = (double)last;
    return true;
}

/* ---- admissible parameters ---- */

/*
 * Are all roots of x^n + a[1] x^(n-1) + ... + a[n] within the unit circle? By the recursion of Schur and Cohn
 * (Levinson's backwards): each step takes off the last coefficient, which must be below 1. a [n+1], a[0] = 1,
 * is written over.
 */
static bool stable(double *a, size_t n)
{
    for (; n > 0; n--) {
        const double k = a[n], scale = 1.0 - k * k;
        if (!(fabs(k) < 1.0 + 1e-10)) return false;
        if (!(scale > 1e-10)) return true; /* a root on the circle itself: as far as one can tell */
        for (size_t i = 1; 2 * i <= n; i++) {
            const double low = a[i], high = a[n - i];
            a[i] = (low - k * high) / scale;
            a[n - i] = (high - k * low) / scale;
        }
    }
    return true;
}

bool norn_ets_admissible(const norn_ets_form *form, size_t m, double alpha, double beta, double gamma,
                         double phi)
{
    enum { MOST = 400 };
    double a[MOST + 2];
    if (!(alpha > 0.0 && alpha < 1.0)) return false;
    if (form->trend && !(beta >= 0.0 && beta <= alpha && phi > 0.0 && phi <= 1.0)) return false;
    if (!form->season || m > MOST) return true;
    if (!(gamma >= 0.0 && gamma <= 1.0 - alpha)) return false;
    /* The errors' polynomial of the form as an ARIMA model (Hyndman et al. 2008, chapters 10 and 11); without
     * a trend 1 - B is divided out, a constant between level and figures that nothing tells apart. The
     * trend's share is phi beta: forecast::ets has beta there, which refuses damped forms that do forget. */
    a[0] = 1.0;
    if (!form->trend) {
        for (size_t i = 1; i < m; i++) a[i] = alpha;
        a[m] = alpha + gamma - 1.0;
        return stable(a, m);
    }
    const size_t n = m + 1;
    a[1] = alpha + phi * beta - phi;
    for (size_t i = 2; i < n; i++) a[i] = alpha + phi * beta - alpha * phi;
    a[n - 1] = alpha + phi * beta - alpha * phi + gamma - 1.0;
    a[n] = phi * (1.0 - alpha - gamma);
    return stable(a, n);
}
