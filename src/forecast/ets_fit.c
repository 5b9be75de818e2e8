/*
 * Fitting exponential smoothing by maximum likelihood, with BFGS and the gradient of the adjoint recursion
 * (ets.c), and the choice among forms by AICc.
 *
 * First states begin at the figure of a classical decomposition and a line through the first adjusted rows
 * (Hyndman, Koehler, Snyder and Grose 2002). A fit is made twice: of the smoothing parameters with these
 * states, from the best of a small grid, and of parameters and states together from there. Forms are compared
 * by the first of the two: states that are fitted too let a form with a season look better than it forecasts
 * (docs/decisions.md has the figures). Figures of seasons longer than 24 rows, which forecast::ets refuses,
 * stay those of the decomposition.
 *
 * Bounds are those of forecast::ets: alpha, beta < alpha and gamma < 1 - alpha from 1e-4 on, phi in
 * [0.8, 0.98], and admissible (the roots of the characteristic equation). Each is a sine of a variable
 * without bounds. Values are divided by the mean of their magnitudes, states are in units of the deviation of
 * the first residuals. Level and figures have a direction in which nothing changes (a constant moved from one
 * to the other); they are normalised at the end.
 */
#include "forecast/ets.h"
#include "forecast/minimise.h"

#include <math.h>
#include <string.h>

enum {
    MOST_FIGURES = 24, /* that are estimated by likelihood */
    MOST_ROWS = 65536, /* older ones are left out: their weight is below any rounding */
    MOST_STEPS = 200,
    PARAMETERS = 4 /* alpha, beta, gamma, phi */
};
static const double low = 1e-4, high = 0.9999, phi_low = 0.8, phi_high = 0.98;
static const double tolerance = 1e-6; /* of -2 log likelihood, a step */
static const double tiny = 1e-9;      /* of the values: see ets.c */

static size_t rows_of(const norn_forecaster_setup *setup)
{
    return setup->rows < MOST_ROWS ? setup->rows : MOST_ROWS;
}

static size_t figures_of(size_t m)
{
    return m > 1 && m <= MOST_FIGURES ? m : 0;
}

/* values [rows], tape [rows][3], figures of both kinds, those of a pass and counts [m] each, gradient
 * [6 + m], variables, their units and starts [6 + m] each, a candidate, and the minimiser's. */
size_t norn_ets_work(const norn_forecaster_setup *setup)
{
    const size_t m = setup->season;
    return 4 * rows_of(setup) + 4 * m + 3 * (6 + m) + norn_ets_size(m) +
           norn_minimise_work(6 + figures_of(m));
}

typedef struct fitting {
    const norn_ets_form *form;
    size_t m, count, estimated; /* estimated: figures among the variables, 0 or m */
    bool states;                /* are the first states among the variables? */
    bool frozen;                /* and the parameters are not? */
    norn_view view;             /* scaled */
    double scale, floor, unit;
    double *y, *tape, *additive, *multiplicative, *season, *counts, *gradient, *x, *start, *minimiser;
    norn_ets *candidate;
    double first_level, first_trend; /* starts */
    bool positive;
} fitting;

/* ---- values ---- */

/* The rows that are looked at, scaled; false where there is no value. */
static bool prepare(fitting *f, const norn_forecaster_setup *setup, norn_view train, double *work)
{
    const size_t m = setup->season, rows = rows_of(setup);
    *f = (fitting){.m = m};
    double *next = work;
    f->y = next, next += rows;
    f->tape = next, next += 3 * rows;
    f->additive = next, next += m;
    f->multiplicative = next, next += m;
    f->season = next, next += m;
    f->counts = next, next += m;
    f->gradient = next, next += 6 + m;
    f->x = next, next += 6 + m;
    f->start = next, next += 6 + m;
    f->candidate = (norn_ets *)next, next += norn_ets_size(m);
    f->minimiser = next;

    size_t from = 0;
    while (from < train.n && !isfinite(train.y[from])) from++;
    if (train.n - from > MOST_ROWS) from = train.n - MOST_ROWS;
    double sum = 0.0;
    f->positive = true;
    for (size_t t = from; t < train.n; t++) {
        if (!isfinite(train.y[t])) continue;
        sum += fabs(train.y[t]);
        f->positive = f->positive && train.y[t] > 0.0;
        f->count++;
    }
    if (!f->count || !isfinite(sum)) return false;
    f->scale = sum > 0.0 ? sum / (double)f->count : 1.0;
    for (size_t t = from; t < train.n; t++) f->y[t - from] = train.y[t] / f->scale;
    f->view = (norn_view){f->y, train.n - from, train.first + from};
    return true;
}

/* ---- starts ---- */

/* The centred moving average of m rows around row i, half weights at both ends where m is even; NaN where one
 * is missing or beyond the rows. */
static double average(norn_view v, size_t i, size_t m)
{
    const size_t half = m / 2;
    double sum = 0.0;
    if (i < half || i + half >= v.n) return NAN;
    for (size_t k = i - half; k <= i + half; k++)
        sum += m % 2 == 0 && (k == i - half || k == i + half) ? 0.5 * v.y[k] : v.y[k];
    return sum / (double)m;
}

/* The least-squares line through the finite values of y [n], at row 0 and per row. */
static void line(const double *y, size_t n, double *intercept, double *slope)
{
    double count = 0.0, x = 0.0, xx = 0.0, sum = 0.0, xy = 0.0;
    for (size_t t = 0; t < n; t++) {
        if (!isfinite(y[t])) continue;
        const double at = (double)t;
        count += 1.0;
        x += at;
        xx += at * at;
        sum += y[t];
        xy += at * y[t];
    }
    const double spread = count * xx - x * x;
    *slope = spread > 0.0 ? (count * xy - x * sum) / spread : 0.0;
    *intercept = count > 0.0 ? (sum - *slope * x) / count : 0.0;
}

/* Figures of both kinds, by place in the season: means of the values against their moving average, or with
 * less than two seasons against the line through all. */
static void figure(fitting *f)
{
    const norn_view v = f->view;
    const size_t m = f->m;
    const bool moving = v.n >= 2 * m;
    double intercept, slope, mean[2] = {0.0, 0.0};
    line(v.y, v.n, &intercept, &slope);
    for (size_t p = 0; p < m; p++) f->additive[p] = f->multiplicative[p] = f->counts[p] = 0.0;
    for (size_t t = 0; t < v.n; t++) {
        const double level = moving ? average(v, t, m) : intercept + slope * (double)t,
                     ratio = v.y[t] / level;
        if (!isfinite(ratio)) continue;
        const size_t p = (v.first + t) % m;
        f->additive[p] += v.y[t] - level;
        f->multiplicative[p] += ratio;
        f->counts[p] += 1.0;
    }
    for (size_t p = 0; p < m; p++) {
        const double count = f->counts[p];
        f->additive[p] = count > 0.0 ? f->additive[p] / count : 0.0;
        f->multiplicative[p] = count > 0.0 ? f->multiplicative[p] / count : 1.0;
        if (!(f->multiplicative[p] > 0.01)) f->multiplicative[p] = 0.01;
        mean[0] += f->additive[p] / (double)m;
        mean[1] += f->multiplicative[p] / (double)m;
    }
    for (size_t p = 0; p < m; p++) {
        f->additive[p] -= mean[0];
        f->multiplicative[p] /= mean[1];
    }
}

/* Level and trend before the first row: a line through the first adjusted rows. */
static void first_states(fitting *f)
{
    const norn_ets_form *const form = f->form;
    const size_t m = f->m, wanted = form->season && 2 * m > 10 ? 2 * m : 10;
    const size_t n = wanted < f->view.n ? wanted : f->view.n;
    double sum = 0.0, count = 0.0;
    for (size_t t = 0; t < n; t++) {
        const double y = f->y[t];
        const size_t p = (f->view.first + t) % m;
        f->tape[t] = form->season == NORN_ETS_ADDITIVE         ? y - f->additive[p]
                     : form->season == NORN_ETS_MULTIPLICATIVE ? y / f->multiplicative[p]
                                                               : y;
        if (!isfinite(y)) continue;
        sum += f->tape[t];
        count += 1.0;
    }
    const double mean = sum / count; /* the first row has a value */
    f->first_level = mean;
    f->first_trend = 0.0;
    if (!form->trend) return;
    double intercept, slope;
    line(f->tape, n, &intercept, &slope);
    if (form->error == NORN_ETS_MULTIPLICATIVE && !(intercept > 0.1 * mean)) return;
    f->first_trend = slope;
    f->first_level = intercept - slope;
    if (form->error == NORN_ETS_MULTIPLICATIVE && !(f->first_level > 0.0)) {
        f->first_level = intercept;
        f->first_trend = 0.0;
    }
}

/* ---- variables ---- */

/* Which variable is which: alpha, then those the form has of beta, gamma, phi, then level, trend, figures. */
typedef struct places {
    size_t beta, gamma, phi, level, trend, figures, parameters, n; /* 0: not one of them */
} places;

static places places_of(const fitting *f)
{
    places p = {.n = 1};
    if (f->form->trend) p.beta = p.n++;
    if (f->form->season) p.gamma = p.n++;
    if (f->form->damped) p.phi = p.n++;
    p.parameters = p.n;
    if (!f->states) return p;
    p.level = p.n++;
    if (f->form->trend) p.trend = p.n++;
    p.figures = p.n;
    p.n += f->estimated;
    return p;
}

/* Derivatives of the parameters by their own variables, and of those bounded by alpha by it. */
typedef struct slopes {
    double alpha, beta, gamma, phi, beta_alpha, gamma_alpha;
} slopes;

static norn_ets_point point_at(const fitting *f, const double *x, slopes *by)
{
    const places p = places_of(f);
    const double *const figures =
        f->form->season == NORN_ETS_MULTIPLICATIVE ? f->multiplicative : f->additive;
    norn_ets_point point = {.phi = 1.0, .season = f->season};
    *by = (slopes){0};
    point.alpha = norn_within(x[0], low, high, &by->alpha);
    if (p.beta) {
        point.beta = norn_within(x[p.beta], low, point.alpha, &by->beta);
        by->beta_alpha = 0.5 + 0.5 * sin(x[p.beta]);
    }
    if (p.gamma) {
        point.gamma = norn_within(x[p.gamma], low, fmax(1.0 - point.alpha, low), &by->gamma);
        by->gamma_alpha = -0.5 - 0.5 * sin(x[p.gamma]);
    }
    if (p.phi) point.phi = norn_within(x[p.phi], phi_low, phi_high, &by->phi);
    point.level = f->first_level + (p.level ? f->unit * x[p.level] : 0.0);
    point.trend = f->first_trend + (p.trend ? 0.1 * f->unit * x[p.trend] : 0.0);
    for (size_t i = 0; i < f->m; i++) {
        f->season[i] = f->form->season ? figures[i] : 0.0;
        if (p.figures && f->estimated) f->season[i] += f->unit * x[p.figures + i];
    }
    return point;
}

static double objective(void *user, const double *x, double *gradient)
{
    fitting *const f = user;
    const places p = places_of(f);
    slopes by;
    norn_ets_point point = point_at(f, x, &by);
    if (!norn_ets_admissible(f->form, f->m, point.alpha, point.beta, point.gamma, point.phi)) return INFINITY;
    double *const g = gradient ? f->gradient : NULL;
    const double value = norn_ets_objective(f->form, f->m, f->view, f->floor, &point, g, f->tape);
    if (!gradient || !isfinite(value)) return value;
    gradient[0] = by.alpha * (g[0] + by.beta_alpha * g[1] + by.gamma_alpha * g[2]);
    if (p.beta) gradient[p.beta] = by.beta * g[1];
    if (p.gamma) gradient[p.gamma] = by.gamma * g[2];
    if (p.phi) gradient[p.phi] = by.phi * g[3];
    for (size_t i = 0; i < p.parameters && f->frozen; i++) gradient[i] = 0.0;
    if (p.level) gradient[p.level] = f->unit * g[4];
    if (p.trend) gradient[p.trend] = 0.1 * f->unit * g[5];
    for (size_t i = 0; i < f->estimated && p.figures; i++) gradient[p.figures + i] = f->unit * g[6 + i];
    return value;
}

/* The best of a grid of smoothing parameters, with the states as they are. Where slow and fast levels are two
 * optima the slow one is the safer: the grid begins low. */
static bool start(fitting *f, double *x)
{
    static const double alphas[] = {0.02, 0.2}, shares[] = {0.03, 0.3};
    const places p = places_of(f);
    double least = INFINITY;
    for (size_t a = 0; a < NORN_COUNT(alphas); a++)
        for (size_t b = 0; b < (p.beta ? NORN_COUNT(shares) : 1); b++)
            for (size_t c = 0; c < (p.gamma ? NORN_COUNT(shares) : 1); c++) {
                f->start[0] = norn_within_of(alphas[a], low, high);
                if (p.beta) f->start[p.beta] = norn_within_of(shares[b], 0.0, 1.0);
                if (p.gamma) f->start[p.gamma] = norn_within_of(shares[c], 0.0, 1.0);
                if (p.phi) f->start[p.phi] = norn_within_of(0.96, phi_low, phi_high);
                const double value = objective(f, f->start, NULL);
                if (!(value < least)) continue;
                least = value;
                memcpy(x, f->start, p.n * sizeof *x);
            }
    return isfinite(least);
}

/* ---- a form ---- */

static void no_form(norn_ets *ets, size_t m)
{
    memset(ets, 0, norn_ets_size(m) * sizeof(double));
    ets->form = -1.0;
    ets->aicc = INFINITY;
    ets->phi = 1.0;
}

/* In the units of the values, with figures of mean 0 or 1. */
static void keep(norn_ets *ets, size_t form, const fitting *f, const double *x, norn_view train)
{
    slopes by;
    const norn_ets_point point = point_at(f, x, &by);
    const norn_ets_part season = f->form->season;
    double *const figures = norn_ets_first_season(ets, f->m), mean = 0.0;
    for (size_t i = 0; i < f->m; i++) mean += f->season[i] / (double)f->m;
    const double ratio = season == NORN_ETS_MULTIPLICATIVE ? mean : 1.0;
    const double moved = season == NORN_ETS_ADDITIVE ? mean : 0.0;
    ets->form = (double)form;
    ets->alpha = point.alpha;
    ets->beta = point.beta;
    ets->gamma = point.gamma;
    ets->phi = point.phi;
    ets->first_level = (point.level + moved) * ratio * f->scale;
    ets->first_trend = point.trend * ratio * f->scale;
    for (size_t i = 0; i < f->m; i++)
        figures[i] =
            season == NORN_ETS_MULTIPLICATIVE ? f->season[i] / ratio : (f->season[i] - moved) * f->scale;
    const size_t from = f->view.first - train.first;
    norn_ets_filter(ets, f->m, (norn_view){train.y + from, train.n - from, f->view.first});
}

/* The deviation of the residuals as they are, the unit of the states: the values' mean is 1. */
static double deviation(fitting *f)
{
    slopes by;
    norn_ets_point point = point_at(f, f->x, &by);
    norn_ets_form plain = *f->form;
    if (plain.season == NORN_ETS_MULTIPLICATIVE) return 0.1; /* there is no additive error beside it */
    plain.error = NORN_ETS_ADDITIVE;
    const double count = (double)f->count,
                 value = norn_ets_objective(&plain, f->m, f->view, f->floor, &point, NULL, NULL);
    return isfinite(value) ? fmax(exp(0.5 * value / count) / sqrt(count), 1e-6) : 0.1;
}

static bool keep_if_finite(norn_ets *ets, size_t form, const fitting *f, norn_view train)
{
    keep(ets, form, f, f->x, train);
    if (isfinite(ets->likelihood)) return true;
    no_form(ets, f->m);
    return false;
}

/* Smoothing parameters with the first states as they are estimated from the first rows; they stay in f->x. */
static bool fit_parameters(norn_ets *ets, size_t form, fitting *f, norn_view train)
{
    f->form = &norn_ets_forms[form];
    f->states = false;
    no_form(ets, f->m);
    if (f->form->error == NORN_ETS_MULTIPLICATIVE && !f->positive) return false;
    if (f->form->season && (f->m < 2 || f->count <= f->m)) return false;
    if (f->count <= norn_ets_numbers(f->form, f->m)) return false;
    f->estimated = f->form->season ? figures_of(f->m) : 0;
    f->floor = (double)f->count * tiny * tiny; /* relative errors, and values of mean 1 */
    first_states(f);
    if (!start(f, f->x)) return false;
    const norn_objective minimised = {.n = places_of(f).n, .value = objective, .user = f};
    (void)norn_minimise(&minimised, f->x, MOST_STEPS, tolerance, f->minimiser);
    return keep_if_finite(ets, form, f, train);
}

/* Parameters and states, from what fit_parameters found for this form. A parameter on its bound, where its
 * sine is flat, is moved off it: the states may want it elsewhere. */
static bool fit_all(norn_ets *ets, size_t form, fitting *f, norn_view train, bool states_first)
{
    const double most = 1.4; /* of pi / 2 */
    f->unit = deviation(f);
    f->states = true;
    const places p = places_of(f);
    for (size_t i = 0; i < p.parameters; i++) f->x[i] = fmin(fmax(asin(sin(f->x[i])), -most), most);
    for (size_t i = p.parameters; i < p.n; i++) f->x[i] = 0.0;
    const norn_objective minimised = {.n = p.n, .value = objective, .user = f};
    if (states_first) {
        f->frozen = true;
        (void)norn_minimise(&minimised, f->x, MOST_STEPS, 1e-2, f->minimiser);
        f->frozen = false;
    }
    if (!isfinite(norn_minimise(&minimised, f->x, MOST_STEPS, tolerance, f->minimiser))) return false;
    return keep_if_finite(ets, form, f, train);
}

/* One form. The likelihood of a short series has several optima: it is looked for from further starts too. */
bool norn_ets_fit(norn_ets *ets, size_t form, bool further, const norn_forecaster_setup *setup,
                  norn_view train, double *work)
{
    enum { SHORT = 300, FEW = 3 }; /* with more values than SHORT the starts end in few places */
    static const struct {
        double alpha, beta, gamma, phi; /* beta and gamma: shares of the way that alpha leaves them */
    } starts[] = {{0.0, 0.0, 0.0, 0.0}, /* what fit_parameters found */
                  {0.3, 0.1, 0.1, 0.9},   {0.02, 0.1, 0.05, 0.97},   {0.01, 0.02, 0.02, 0.97},
                  {0.04, 0.1, 0.1, 0.94}, {0.6, 0.001, 0.001, 0.97}, {0.95, 0.001, 0.001, 0.98},
                  {0.8, 0.001, 0.6, 0.97}};
    fitting f;
    no_form(ets, setup->season);
    if (!prepare(&f, setup, train, work)) return false;
    if (norn_ets_forms[form].season) figure(&f);
    if (!fit_parameters(ets, form, &f, train)) return false;
    const size_t tried = !further ? 1 : f.count > SHORT ? FEW : NORN_COUNT(starts);
    for (size_t i = 0; i < tried && !norn_cancel_raised(setup->cancel); i++) {
        if (i > 0) {
            f.states = false;
            const places p = places_of(&f);
            f.x[0] = norn_within_of(starts[i].alpha, low, high);
            if (p.beta) f.x[p.beta] = norn_within_of(starts[i].beta, 0.0, 1.0);
            if (p.gamma) f.x[p.gamma] = norn_within_of(starts[i].gamma, 0.0, 1.0);
            if (p.phi) f.x[p.phi] = norn_within_of(starts[i].phi, phi_low, phi_high);
        }
        if (fit_all(f.candidate, form, &f, train, i > 0) && f.candidate->likelihood > ets->likelihood)
            memcpy(ets, f.candidate, norn_ets_size(f.m) * sizeof(double));
    }
    return true;
}

bool norn_ets_choose(norn_ets *ets, const norn_forecaster_setup *setup, norn_view train, double *work)
{
    fitting f;
    double found[PARAMETERS] = {0.0};
    no_form(ets, setup->season);
    if (!prepare(&f, setup, train, work)) return false;
    if (f.m > 1) figure(&f);
    for (size_t form = 0; form < NORN_ETS_FORMS; form++) {
        if (norn_ets_forms[form].season && f.m > MOST_FIGURES) continue;
        if (norn_cancel_raised(setup->cancel)) break;
        if (!fit_parameters(f.candidate, form, &f, train) || !(f.candidate->aicc < ets->aicc)) continue;
        memcpy(ets, f.candidate, norn_ets_size(f.m) * sizeof(double));
        memcpy(found, f.x, places_of(&f).n * sizeof *found);
    }
    if (ets->form < 0.0) return false;
    const size_t form = (size_t)ets->form;
    f.form = &norn_ets_forms[form];
    f.states = false;
    f.estimated = f.form->season ? figures_of(f.m) : 0;
    first_states(&f);
    memcpy(f.x, found, places_of(&f).n * sizeof *found);
    if (fit_all(f.candidate, form, &f, train, false) && f.candidate->likelihood > ets->likelihood)
        memcpy(ets, f.candidate, norn_ets_size(f.m) * sizeof(double));
    return true;
}
