/*
 * The Kalman filter of structural models, from an exactly diffuse start: see structural.h.
 *
 * The variance of the state is kappa U + P for kappa without bounds. While a row's share of U, F = U_00 +
 * ..., is above 0 the row settles one unknown direction, and costs log F / 2 of likelihood whatever its
 * value; after k such rows U is 0 and the filter is the ordinary one. When its gain has stood still for a
 * season it is kept, until a value is missing.
 */
#include "forecast/structural.h"

#include <math.h>
#include <string.h>

static const double log_2_pi = 1.8378770664093454836;
static const double least_unknown = 1e-9; /* of a row's share of U, below which it is rounding */

size_t norn_structural_states(const norn_structural *s)
{
    return 1 + s->slope + (s->season > 1 ? s->season - 1 : 0);
}

/* ---- the filter ---- */

typedef struct filter {
    const norn_structural *model;
    size_t k, at;    /* states; place of the season's first, 0: none */
    double *state;   /* [k] */
    double *p, *u;   /* [k][k] */
    double *pz, *uz; /* [k] */
    double *spare;   /* [k] */
    size_t unknown;  /* directions that U still has */
} filter;

static filter begin(const norn_structural *s, double *work)
{
    filter f = {.model = s, .k = norn_structural_states(s)};
    const size_t k = f.k;
    f.at = s->season > 1 ? 1 + s->slope : 0;
    f.p = work;
    f.u = f.p + k * k;
    f.state = f.u + k * k;
    f.pz = f.state + k;
    f.uz = f.pz + k;
    f.spare = f.uz + k;
    memset(f.p, 0, k * k * sizeof *f.p);
    memset(f.u, 0, k * k * sizeof *f.u);
    memset(f.state, 0, k * sizeof *f.state);
    for (size_t i = 0; i < k; i++) f.u[i * k + i] = 1.0;
    f.unknown = k;
    return f;
}

/* T x in place: x has `width` columns. */
static void advance_rows(const filter *f, double *x, size_t width, double *spare)
{
    const size_t k = f->k;
    for (size_t c = 0; c < width && f->model->slope; c++) x[c] += x[width + c];
    if (!f->at) return;
    double *const season = x + f->at * width;
    const size_t count = k - f->at;
    memset(spare, 0, width * sizeof *spare);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < width; c++) spare[c] -= season[i * width + c];
    memmove(season + width, season, (count - 1) * width * sizeof *season);
    memcpy(season, spare, width * sizeof *season);
}

/* What the transition adds to the variance of state i. */
static double added(const filter *f, size_t i)
{
    if (i == 0) return f->model->variance[NORN_LEVEL];
    if (i == 1 && f->model->slope) return f->model->variance[NORN_SLOPE];
    return i == f->at ? f->model->variance[NORN_SEASON] : 0.0;
}

/* T X T' of a symmetric matrix. */
static void advance_matrix(const filter *f, double *x)
{
    advance_rows(f, x, f->k, f->spare);
    for (size_t i = 0; i < f->k; i++) advance_rows(f, x + i * f->k, 1, f->spare);
}

/* X Z' of a symmetric matrix: Z sees the level and the season's first. */
static void seen(const filter *f, const double *x, double *out)
{
    const size_t k = f->k;
    for (size_t i = 0; i < k; i++) out[i] = x[i] + (f->at ? x[f->at * k + i] : 0.0);
}

static double sight(const filter *f, const double *x)
{
    return x[0] + (f->at ? x[f->at] : 0.0);
}

/* What a row told. */
typedef struct told {
    double error, unknown, known; /* v, the share of U, that of P with the irregular; NaN: missing */
} told;

/* The update by one value. gain [k] = X Z' / F of what was used, other [k] the second of a diffuse row. */
static told update(filter *f, double y, double *likelihood)
{
    const size_t k = f->k;
    seen(f, f->p, f->pz);
    told t = {y - sight(f, f->state), 0.0, sight(f, f->pz) + f->model->variance[NORN_IRREGULAR]};
    if (f->unknown) {
        seen(f, f->u, f->uz);
        t.unknown = sight(f, f->uz);
        if (!(t.unknown > least_unknown)) t.unknown = 0.0;
    }
    if (!isfinite(y)) {
        t.error = NAN;
        return t;
    }
    if (t.unknown > 0.0) {
        const double by = 1.0 / t.unknown, ratio = t.known * by;
        for (size_t i = 0; i < k; i++) {
            f->state[i] += f->uz[i] * by * t.error;
            for (size_t j = 0; j < k; j++) {
                f->p[i * k + j] +=
                    by * (ratio * f->uz[i] * f->uz[j] - f->pz[i] * f->uz[j] - f->uz[i] * f->pz[j]);
                f->u[i * k + j] -= by * f->uz[i] * f->uz[j];
            }
        }
        f->unknown--;
        *likelihood -= 0.5 * (log_2_pi + log(t.unknown));
        if (f->unknown == 0) memset(f->u, 0, k * k * sizeof *f->u);
        return t;
    }
    if (!(t.known > 0.0)) { /* all is known and nothing is left to chance */
        if (fabs(t.error) > 1e-9 * (1.0 + fabs(y))) *likelihood = -INFINITY;
        return t;
    }
    for (size_t i = 0; i < k; i++) {
        const double gain = f->pz[i] / t.known;
        f->state[i] += gain * t.error;
        for (size_t j = 0; j < k; j++) f->p[i * k + j] -= gain * f->pz[j];
    }
    *likelihood -= 0.5 * (log_2_pi + log(t.known) + t.error * t.error / t.known);
    return t;
}

static void predict(filter *f)
{
    advance_rows(f, f->state, 1, f->spare);
    advance_matrix(f, f->p);
    for (size_t i = 0; i < f->k; i++) f->p[i * f->k + i] += added(f, i);
    if (f->unknown) advance_matrix(f, f->u);
}

double norn_structural_likelihood(const norn_structural *s, const double *y, size_t n, double *state,
                                  double *variance, double *work)
{
    filter f = begin(s, work);
    double likelihood = 0.0, before = 0.0;
    size_t still = 0; /* rows in a row that the variance did not move */
    bool stands = false;
    for (size_t t = 0; t < n; t++) {
        if (stands && isfinite(y[t])) { /* pz and before are those of the last row */
            const double v = y[t] - sight(&f, f.state);
            for (size_t i = 0; i < f.k; i++) f.state[i] += f.pz[i] / before * v;
            likelihood -= 0.5 * (log_2_pi + log(before) + v * v / before);
            advance_rows(&f, f.state, 1, f.spare);
            continue;
        }
        const told now = update(&f, y[t], &likelihood);
        predict(&f);
        still =
            !isnan(now.error) && !f.unknown && fabs(now.known - before) <= 1e-13 * now.known ? still + 1 : 0;
        before = now.known;
        stands = still > s->season && before > 0.0;
    }
    if (state) memcpy(state, f.state, f.k * sizeof *state);
    if (variance) memcpy(variance, f.p, f.k * f.k * sizeof *variance);
    return f.unknown || isnan(likelihood) ? -INFINITY : likelihood;
}

/* ---- forecasts ---- */

void norn_structural_forecast(const norn_structural *s, const double *y, size_t n, size_t h, double *out,
                              double *deviation, double *work)
{
    const size_t k = norn_structural_states(s);
    double last = NAN;
    for (size_t i = n; i-- > 0 && isnan(last);)
        if (isfinite(y[i])) last = y[i];
    for (size_t j = 0; j < h; j++) out[j] = last;
    for (size_t j = 0; j < h && deviation; j++) deviation[j] = NAN;
    if (s->none || isnan(last)) return;
    double *const state = work, *const variance = state + k, *const rest = variance + k * k;
    if (norn_structural_likelihood(s, y, n, state, variance, rest) == -INFINITY) return;
    filter f = begin(s, rest);
    f.unknown = 0;
    memcpy(f.state, state, k * sizeof *state);
    memcpy(f.p, variance, k * k * sizeof *variance);
    for (size_t j = 0; j < h; j++) {
        const double value = sight(&f, f.state);
        seen(&f, f.p, f.pz);
        if (isfinite(value)) out[j] = value;
        if (deviation) deviation[j] = sqrt(fmax(0.0, sight(&f, f.pz)) + s->variance[NORN_IRREGULAR]);
        predict(&f);
    }
}

/* ---- smoothing ---- */

/*
 * Backwards over the rows, r and N carry what the later ones tell (de Jong 1989), in powers of 1 / kappa
 * while something is unknown (Koopman 1997; Durbin and Koopman, 5.3): with a and P + kappa U as expected for
 * row t from the rows before,
 *
 *   state      a + P r0 + U r1
 *   variance   P - P N0 P - U N1 P - (U N1 P)' - U N2 U
 *
 * Both need a, P and U of each row. They are kept of every so-manieth, and made again block by block.
 */
typedef struct smoother {
    filter f;
    size_t block; /* rows between two that are kept; the square root of all */
    size_t size;  /* doubles of a filter's memory that are kept: P, U, state, and how much is unknown */
    double *kept; /* [rows / block + 1][size] */
    double *rows; /* [block][size] of the block at hand */
    double *r[2]; /* [k] */
    double *n[3]; /* [k][k] */
    double *gain[2], *by; /* [k] */
} smoother;

static size_t root_above(size_t n)
{
    size_t root = 1;
    while (root * root < n) root++;
    return root;
}

size_t norn_structural_smooth_work(const norn_structural *s, size_t n)
{
    const size_t k = norn_structural_states(s), root = root_above(n);
    return (2 * root + 2) * (2 * k * k + k + 1) + 5 * k * k + 16 * k;
}

static smoother begin_smoother(const norn_structural *s, size_t n, double *work)
{
    smoother m = {.f = begin(s, work)};
    const size_t k = m.f.k;
    double *at = m.f.spare + k;
    for (size_t i = 0; i < 2; i++, at += k) m.r[i] = at;
    for (size_t i = 0; i < 2; i++, at += k) m.gain[i] = at;
    m.by = at;
    at += k;
    for (size_t i = 0; i < 3; i++, at += k * k) m.n[i] = at;
    memset(m.r[0], 0, (5 * k + 3 * k * k) * sizeof *m.r[0]);
    m.block = root_above(n);
    m.size = 2 * k * k + k + 1;
    m.kept = at;
    m.rows = m.kept + (n / m.block + 1) * m.size;
    return m;
}

static void keep(const smoother *m, double *to)
{
    memcpy(to, m->f.p, (m->size - 1) * sizeof *to); /* p, u and state stand one after another */
    to[m->size - 1] = (double)m->f.unknown;
}

static void restore(smoother *m, const double *from)
{
    memcpy(m->f.p, from, (m->size - 1) * sizeof *from);
    m->f.unknown = (size_t)from[m->size - 1];
}

/* T' x, x [k] with so many doubles from one to the next. */
static void transposed(const filter *f, double *x, size_t step)
{
    if (f->model->slope) x[step] += x[0];
    if (!f->at) return;
    double *const season = x + f->at * step;
    const size_t count = f->k - f->at;
    const double first = season[0];
    for (size_t i = 0; i + 1 < count; i++) season[i * step] = season[(i + 1) * step] - first;
    season[(count - 1) * step] = -first;
}

static double along(const double *a, const double *b, size_t k)
{
    double sum = 0.0;
    for (size_t i = 0; i < k; i++) sum += a[i] * b[i];
    return sum;
}

static void times(const double *x, const double *v, size_t k, double *out)
{
    for (size_t i = 0; i < k; i++) out[i] = along(x + i * k, v, k);
}

/* Z' x added to r, and Z' x Z to n. */
static void add_to_vector(const filter *f, double *r, double x)
{
    r[0] += x;
    if (f->at) r[f->at] += x;
}
static void add_to_matrix(const filter *f, double *n, double x)
{
    add_to_vector(f, n, x);
    if (f->at) add_to_vector(f, n + f->at * f->k, x);
}

/* n less Z' (w - c Z') and the transpose of that. */
static void take_from_matrix(const filter *f, double *n, const double *w, double c)
{
    const size_t k = f->k;
    for (size_t j = 0; j < k; j++) {
        n[j] -= w[j];
        n[j * k] -= w[j];
        if (f->at) n[f->at * k + j] -= w[j];
        if (f->at) n[j * k + f->at] -= w[j];
    }
    add_to_matrix(f, n, 2.0 * c);
}

/* (1 - g Z)' N (1 - g Z) */
static void narrow(smoother *m, double *n, const double *g)
{
    times(n, g, m->f.k, m->by);
    take_from_matrix(&m->f, n, m->by, 0.5 * along(g, m->by, m->f.k));
}

/* r and N of the row before, from those of this one behind the transition; the filter is that of the row. */
static void step_back(smoother *m, double y)
{
    filter *const f = &m->f;
    const size_t k = f->k;
    double *const g0 = m->gain[0], *const g1 = m->gain[1], *const *const n = m->n;
    if (!isfinite(y)) return;
    seen(f, f->p, f->pz);
    const double v = y - sight(f, f->state), known = sight(f, f->pz) + f->model->variance[NORN_IRREGULAR];
    double unknown = 0.0;
    if (f->unknown) {
        seen(f, f->u, f->uz);
        unknown = sight(f, f->uz);
    }
    if (unknown > least_unknown) {
        const double by = 1.0 / unknown;
        for (size_t i = 0; i < k; i++) {
            g0[i] = f->uz[i] * by;
            g1[i] = (f->pz[i] - known * g0[i]) * by;
        }
        add_to_vector(f, m->r[1], v * by - along(g0, m->r[1], k) - along(g1, m->r[0], k));
        add_to_vector(f, m->r[0], -along(g0, m->r[0], k));
        narrow(m, n[2], g0);
        times(n[1], g1, k, m->by);
        take_from_matrix(f, n[2], m->by, along(g0, m->by, k));
        times(n[0], g1, k, m->by);
        add_to_matrix(f, n[2], along(g1, m->by, k) - known * by * by);
        narrow(m, n[1], g0);
        times(n[0], g1, k, m->by);
        take_from_matrix(f, n[1], m->by, along(g0, m->by, k));
        add_to_matrix(f, n[1], by);
        narrow(m, n[0], g0);
    } else if (known > 0.0) {
        for (size_t i = 0; i < k; i++) g0[i] = f->pz[i] / known;
        add_to_vector(f, m->r[0], v / known - along(g0, m->r[0], k));
        add_to_vector(f, m->r[1], -along(g0, m->r[1], k));
        for (size_t i = 0; i < 3; i++) narrow(m, n[i], g0);
        add_to_matrix(f, n[0], 1.0 / known);
    }
}

/* The state of a row and how sure it is, from r and N behind it. */
static void tell_state(smoother *m, size_t row, size_t n, double *states, double *parts, double *errors)
{
    const filter *const f = &m->f;
    const size_t k = f->k;
    double *const state = m->by, *const pe = m->gain[0], *const ue = m->gain[1], *const spare = f->spare;
    const bool diffuse = f->unknown > 0;
    times(f->p, m->r[0], k, state);
    if (diffuse) times(f->u, m->r[1], k, spare);
    for (size_t i = 0; i < k; i++) state[i] += f->state[i] + (diffuse ? spare[i] : 0.0);
    if (states) memcpy(states + row * k, state, k * sizeof *state);
    const size_t place[] = {0, 1, f->at}; /* of level, slope and season */
    const bool there[] = {true, f->model->slope > 0, f->at > 0, true};
    for (size_t part = 0; part < NORN_STATES; part++) {
        const bool all = part == NORN_STATE_SIGNAL;
        if (parts) parts[part * n + row] = !there[part] ? NAN : all ? sight(f, state) : state[place[part]];
        if (!errors) continue;
        errors[part * n + row] = NAN;
        if (!there[part]) continue;
        if (all) {
            seen(f, f->p, pe);
            seen(f, f->u, ue);
        } else {
            memcpy(pe, f->p + place[part] * k, k * sizeof *pe);
            memcpy(ue, f->u + place[part] * k, k * sizeof *ue);
        }
        times(m->n[0], pe, k, spare);
        double variance = (all ? sight(f, pe) : pe[place[part]]) - along(pe, spare, k);
        if (diffuse) {
            times(m->n[1], pe, k, spare);
            variance -= 2.0 * along(ue, spare, k);
            times(m->n[2], ue, k, spare);
            variance -= along(ue, spare, k);
        }
        errors[part * n + row] = sqrt(fmax(0.0, variance));
    }
}

bool norn_structural_smooth(const norn_structural *s, const double *y, size_t n, double *states,
                            double *parts, double *errors, double *work)
{
    smoother m = begin_smoother(s, n, work);
    filter *const f = &m.f;
    double likelihood = 0.0;
    for (size_t t = 0; t < n; t++) {
        if (t % m.block == 0) keep(&m, m.kept + t / m.block * m.size);
        (void)update(f, y[t], &likelihood);
        predict(f);
    }
    if (f->unknown) return false;
    for (size_t b = (n + m.block - 1) / m.block; b-- > 0;) {
        const size_t from = b * m.block, to = from + m.block < n ? from + m.block : n;
        restore(&m, m.kept + b * m.size);
        for (size_t t = from; t < to; t++) {
            keep(&m, m.rows + (t - from) * m.size);
            (void)update(f, y[t], &likelihood);
            predict(f);
        }
        for (size_t t = to; t-- > from;) {
            restore(&m, m.rows + (t - from) * m.size);
            /* before the first rows that something was unknown at, r1, N1 and N2 are 0 */
            const size_t orders = f->unknown ? 3 : 1;
            for (size_t i = 0; i < orders; i++) {
                for (size_t j = 0; j < f->k; j++) transposed(f, m.n[i] + j * f->k, 1);
                for (size_t j = 0; j < f->k; j++) transposed(f, m.n[i] + j, f->k);
            }
            for (size_t i = 0; i < 2; i++) transposed(f, m.r[i], 1);
            step_back(&m, y[t]);
            tell_state(&m, t, n, states, parts, errors);
        }
    }
    return true;
}
