/*
 * Exponential smoothing: likelihood and its gradient, forecasts and intervals beside other implementations at
 * the same parameters, fits beside theirs, coverage on simulated processes, and series that have nothing to
 * smooth. No OpenCL here.
 */
#include "support.h"

#include "forecast/ets.h"
#include "golden/classical.h"

enum { ROWS = 30, SLOTS = 2048 };

/* One fit with its memory. */
typedef struct smoothing {
    norn_forecaster_setup setup;
    double state[SLOTS], *work;
} smoothing;

static smoothing *smoothing_new(size_t rows, size_t m, size_t h)
{
    smoothing *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->setup = (norn_forecaster_setup){.horizon = h, .season = m, .window = 1, .rows = rows, .seed = 1};
    assert_in_range(norn_ets_size(m), 1, SLOTS);
    s->work = malloc((norn_ets_work(&s->setup) + norn_ets_size(m)) * sizeof *s->work);
    assert_non_null(s->work);
    return s;
}

static void smoothing_free(smoothing *s)
{
    free(s->work);
    free(s);
}

static norn_ets *ets_of(smoothing *s)
{
    return (norn_ets *)s->state;
}

/* Normal numbers, the same ones on every machine. */
static double normal(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return norn_normal_quantile(((double)(*state >> 11) + 0.5) / 9007199254740992.0);
}

/* ---- the recursion ---- */

static void the_gradient_is_that_of_differences(void **state)
{
    (void)state;
    enum { N = 40, M = 4 };
    double y[N], tape[3 * N], gradient[6 + M], unused[6 + M];
    uint64_t seed = 3;
    for (size_t t = 0; t < N; t++) y[t] = 20.0 + 0.1 * (double)t + (double)(t % M) + normal(&seed);
    y[7] = y[20] = y[21] = NAN;
    const norn_view view = {y, N, 3};
    for (size_t form = 0; form < NORN_ETS_FORMS; form++) {
        const norn_ets_form *const f = &norn_ets_forms[form];
        const double middle = f->season == NORN_ETS_MULTIPLICATIVE ? 1.0 : 0.0;
        double at[6 + M] = {0.3, 0.1, 0.2, f->damped ? 0.9 : 1.0, 19.0, 0.2};
        for (size_t i = 0; i < M; i++) at[6 + i] = middle + 0.05 * ((double)i - 1.5);
        for (size_t i = 0; i <= 6 + M; i++) { /* the last: all of it, by the adjoint */
            double f2[2] = {0.0, 0.0};
            const double step = 1e-5;
            for (int side = 0; side < 2; side++) {
                double x[6 + M], figures[M];
                memcpy(x, at, sizeof x);
                if (i < 6 + M) x[i] += side ? step : -step;
                memcpy(figures, x + 6, sizeof figures);
                norn_ets_point point = {x[0], x[1], x[2], x[3], x[4], x[5], figures};
                f2[side] = norn_ets_objective(f, M, view, 1e-9, &point, i < 6 + M ? NULL : gradient, tape);
                assert_true(isfinite(f2[side]));
            }
            if (i < 6 + M) unused[i] = (f2[1] - f2[0]) / (2.0 * step);
        }
        for (size_t i = 0; i < 6 + M; i++)
            assert_near_at(gradient[i], unused[i], 1e-5, 1e-5, form * 100 + i, __FILE__, __LINE__);
    }
}

/* At parameters of others: the states run, the likelihood, the forecasts and how wide they are. */
static void at_the_same_parameters_forecasts_and_intervals_are_those_of_others(void **state)
{
    (void)state;
    for (size_t c = 0; c < NORN_COUNT(ets_cases); c++) {
        const size_t form = ets_cases[c].form;
        const double *const y = classical_series[ets_cases[c].series].y, *const p = ets_cases[c].parameters;
        const size_t n = classical_series[ets_cases[c].series].n;
        const size_t m = norn_ets_forms[form].season ? classical_series[ets_cases[c].series].m : 1;
        smoothing *s = smoothing_new(n, m, ROWS);
        norn_ets *const e = ets_of(s);
        double out[ROWS], deviation[ROWS];
        e->form = (double)form;
        e->alpha = p[0];
        e->beta = p[1];
        e->gamma = p[2];
        e->phi = p[3];
        e->first_level = p[4];
        e->first_trend = p[5];
        for (size_t i = 0; i < m; i++)
            norn_ets_first_season(e, m)[i] = norn_ets_forms[form].season ? ets_cases[c].figures[i] : 0.0;
        norn_ets_filter(e, m, (norn_view){y, n, 0});
        assert_near_at(e->likelihood, ets_cases[c].likelihood, 1e-9, 0, c, __FILE__, __LINE__);
        /* theirs has two degrees of freedom less */
        const double freedom = (double)n - (double)norn_ets_numbers(&norn_ets_forms[form], m);
        assert_near_at(e->sigma * sqrt((freedom + 1.0) / (freedom - 1.0)), ets_cases[c].sigma, 1e-9, 0, c,
                       __FILE__, __LINE__);
        e->sigma = ets_cases[c].sigma;
        norn_ets_deviation(e, &s->setup, (norn_view){y, n, 0}, out, deviation, s->work);
        for (size_t j = 0; j < ROWS; j++) {
            assert_near_at(out[j], ets_cases[c].mean[j], 1e-9, 0, c * 100 + j, __FILE__, __LINE__);
            /* 200,000 paths: 0.2 % */ assert_near_at(deviation[j], ets_cases[c].deviation[j], 0.01, 0,
                                                      c * 100 + j, __FILE__, __LINE__);
        }
        smoothing_free(s);
    }
}

/* Not worse than statsforecast's by more than 1e-3, where its parameters are within the bounds. */
static void fitted_by_us_the_likelihood_is_not_worse_than_that_of_others(void **state)
{
    (void)state;
    size_t better = 0;
    for (size_t c = 0; c < NORN_COUNT(ets_cases); c++) {
        const size_t form = ets_cases[c].form, n = classical_series[ets_cases[c].series].n;
        const size_t m = norn_ets_forms[form].season ? classical_series[ets_cases[c].series].m : 1;
        const double *const p = ets_cases[c].parameters;
        smoothing *s = smoothing_new(n, m, ROWS);
        norn_ets *const e = ets_of(s);
        assert_true(norn_ets_fit(e, form, true, &s->setup,
                                 (norn_view){classical_series[ets_cases[c].series].y, n, 0}, s->work));
        assert_true(norn_ets_admissible(&norn_ets_forms[form], m, e->alpha, e->beta, e->gamma, e->phi));
        if (e->likelihood > ets_cases[c].likelihood + 1e-3) better++;
        if (p[1] <= p[0] && p[2] <= 1.0 - p[0] && e->likelihood < ets_cases[c].likelihood - 1e-3)
            fail_msg("%s of series %zu: %.6f, statsforecast has %.6f", norn_ets_forms[form].name,
                     ets_cases[c].series, e->likelihood, ets_cases[c].likelihood);
        smoothing_free(s);
    }
    print_message("%zu of %zu are better\n", better, NORN_COUNT(ets_cases));
    assert_true(better > NORN_COUNT(ets_cases) / 3);
}

/* The roots are within the circle where a disturbance of the states dies away. */
static void admissible_parameters_are_those_that_forget(void **state)
{
    (void)state;
    enum { M = 5, LONG = 30000 };
    static const size_t forms[] = {3, 4, 5};
    size_t counted[2] = {0, 0};
    for (size_t k = 0; k < NORN_COUNT(forms); k++) {
        const norn_ets_form *const f = &norn_ets_forms[forms[k]];
        for (int a = 1; a < 10; a++)
            for (int b = 0; b <= 9; b += 3)
                for (int g = 1; g <= 9; g++) {
                    const double alpha = 0.1 * a, beta = f->trend ? 0.1 * b * alpha : 0.0,
                                 gamma = 0.111 * g * (1.0 - alpha), phi = f->damped ? 0.9 : 1.0;
                    /* the error recursion of y = 0 from a disturbed trend and figure of mean 0 */
                    double l = 0.0, t = f->trend ? 1.0 : 0.0, s[M] = {1.0, -1.0, 0.5, -0.5, 0.0}, most = 0.0;
                    for (size_t i = 0; i < LONG; i++) {
                        const double q = l + phi * t, e = -(q + s[i % M]);
                        l = q + alpha * e;
                        t = phi * t + beta * e;
                        s[i % M] += gamma * e;
                        if (i >= LONG - 50 && !(fabs(e) <= most)) most = isfinite(e) ? fabs(e) : INFINITY;
                    }
                    const bool admissible = norn_ets_admissible(f, M, alpha, beta, gamma, phi);
                    counted[admissible]++;
                    /* of an undamped trend that nothing corrects, the error stays */
                    const double least = admissible ? 0.0 : 1e-3, high = !admissible ? INFINITY
                                                                         : b == 0 && f->trend && !f->damped
                                                                             ? 10.0
                                                                             : 0.02;
                    if (!(most >= least && most <= high))
                        fail_msg("%s %d %d %d: %g, admissible %d", f->name, a, b, g, most, admissible);
                }
    }
    assert_true(counted[1] > 100);
    assert_false(
        norn_ets_admissible(&norn_ets_forms[NORN_ETS_AAN], 1, 0.2, 0.3, 0.0, 1.0)); /* beta > alpha */
    assert_false(norn_ets_admissible(&norn_ets_forms[NORN_ETS_AAA], 4, 0.5, 0.1, 0.6, 1.0));
    assert_false(norn_ets_admissible(&norn_ets_forms[NORN_ETS_ANN], 1, 1.0, 0.0, 0.0, 1.0));
}

/* ---- missing values, later cutoffs ---- */

static void a_missing_value_leaves_the_states_alone(void **state)
{
    (void)state;
    smoothing *s = smoothing_new(8, 1, 2);
    norn_ets *const e = ets_of(s);
    const double y[] = {10, 12, NAN, NAN, 11, NAN};
    double out[2], deviation[2];
    *e = (norn_ets){
        .form = NORN_ETS_AAN, .alpha = 0.5, .beta = 0.1, .phi = 1.0, .first_level = 9, .first_trend = 1};
    norn_ets_filter(e, 1, (norn_view){y, 6, 0});
    /* e: 0; 12 - 11 = 1: l 11.5, b 1.1; then 12.6, 13.7; 11 - 14.8 = -3.8: l 12.9, b 0.72; 13.62 */
    assert_near(e->level, 13.62, 1e-14, 0);
    assert_near(e->trend, 0.72, 1e-14, 0);
    assert_true(e->count == 3.0);
    norn_ets_deviation(e, &s->setup, (norn_view){y, 6, 0}, out, deviation, s->work);
    assert_near(out[0], 14.34, 1e-14, 0);
    /* the last row is missing: two rows from the last value, c_1 = 0.6 */
    assert_near(deviation[0], e->sigma * sqrt(1.0 + 0.36), 1e-14, 0);
    smoothing_free(s);
}

static void a_later_cutoff_is_reached_by_the_same_recursion(void **state)
{
    (void)state;
    const double *const y = classical_series[0].y;
    for (size_t form = 0; form < NORN_ETS_FORMS; form++) {
        smoothing *s = smoothing_new(144, 12, 12);
        norn_ets *const e = ets_of(s);
        double out[12], want[12], whole[SLOTS];
        assert_true(norn_ets_fit(e, form, false, &s->setup, (norn_view){y, 100, 0}, s->work));
        memcpy(whole, s->state, sizeof whole);
        norn_ets_filter((norn_ets *)whole, 12, (norn_view){y, 140, 0});
        norn_ets_forecast((norn_ets *)whole, &s->setup, (norn_view){y, 140, 0}, want, s->work);
        norn_ets_forecast(e, &s->setup, (norn_view){y, 140, 0}, out, s->work);
        assert_memory_equal(out, want, sizeof out);
        norn_ets_forecast(e, &s->setup, (norn_view){y + 30, 110, 30}, out, s->work); /* older rows left out */
        assert_memory_equal(out, want, sizeof out);
        double holes[144];
        memcpy(holes, y, sizeof holes);
        for (size_t t = 100; t < 110; t++) holes[t] = NAN;
        norn_ets_forecast(e, &s->setup, (norn_view){holes, 140, 0}, want, s->work);
        norn_ets_forecast(e, &s->setup, (norn_view){y + 110, 30, 110}, out, s->work); /* and newer ones too */
        for (size_t j = 0; j < 12; j++) assert_near(out[j], want[j], 1e-12, 0);
        norn_ets_forecast(e, &s->setup, (norn_view){y, 99, 0}, out, s->work); /* before the fit: naive */
        assert_true(out[0] == y[98] && out[11] == y[98]);
        smoothing_free(s);
    }
}

/* ---- the choice ---- */

static void the_choice_has_the_least_aicc_of_its_first_stage(void **state)
{
    (void)state;
    smoothing *s = smoothing_new(144, 12, 12);
    norn_ets *const e = ets_of(s);
    assert_true(norn_ets_choose(e, &s->setup, (norn_view){classical_series[0].y, 144, 0}, s->work));
    assert_int_equal(norn_ets_forms[(size_t)e->form].season, NORN_ETS_MULTIPLICATIVE);
    assert_int_equal(norn_ets_forms[(size_t)e->form].error, NORN_ETS_MULTIPLICATIVE);
    const double k = (double)norn_ets_numbers(&norn_ets_forms[(size_t)e->form], 12);
    assert_near(e->aicc, 2 * k - 2 * e->likelihood + 2 * k * (k + 1) / (144 - k - 1), 1e-12, 0);
    assert_int_equal(norn_ets_numbers(&norn_ets_forms[NORN_ETS_ANN], 12), 3);  /* alpha, level, sigma */
    assert_int_equal(norn_ets_numbers(&norn_ets_forms[NORN_ETS_MAM], 12), 17); /* + beta, gamma, trend, 11 */
    assert_int_equal(norn_ets_numbers(&norn_ets_forms[NORN_ETS_AADN], 12), 6);
    smoothing_free(s);

    /* a series that goes below 0 has no form that multiplies */
    s = smoothing_new(90, 12, 12);
    assert_true(norn_ets_choose(ets_of(s), &s->setup, (norn_view){classical_series[2].y, 90, 0}, s->work));
    assert_int_equal(norn_ets_forms[(size_t)ets_of(s)->form].error, NORN_ETS_ADDITIVE);
    assert_int_equal(norn_ets_forms[(size_t)ets_of(s)->form].season, NORN_ETS_ADDITIVE);
    smoothing_free(s);
}

static void further_starts_find_what_one_does_not(void **state)
{
    (void)state;
    enum { SERIES = 40, N = 50 };
    size_t better = 0;
    uint64_t seed = 31;
    smoothing *s = smoothing_new(N, 1, 3), *one = smoothing_new(N, 1, 3);
    for (size_t i = 0; i < SERIES; i++) {
        double y[N], level = 100.0, trend = 0.0;
        for (size_t t = 0; t < N; t++) {
            const double e = normal(&seed);
            y[t] = level + trend + e;
            level += trend + 0.8 * e;
            trend += 0.1 * e;
        }
        const norn_view view = {y, N, 0};
        assert_true(norn_ets_fit(ets_of(s), NORN_ETS_AADN, true, &s->setup, view, s->work));
        assert_true(norn_ets_fit(ets_of(one), NORN_ETS_AADN, false, &one->setup, view, one->work));
        assert_true(ets_of(s)->likelihood >= ets_of(one)->likelihood);
        better += ets_of(s)->likelihood > ets_of(one)->likelihood + 0.01;
    }
    print_message("%zu of %d are better\n", better, SERIES);
    assert_true(better > 0);
    smoothing_free(s);
    smoothing_free(one);
}

static double fitted_form(const norn_forecaster *kind, const double *y, size_t n, size_t m)
{
    double state[SLOTS];
    const norn_forecaster_setup setup = {.horizon = 3, .season = m, .window = 1, .rows = n};
    double *work = malloc(kind->work(&setup) * sizeof *work);
    assert_non_null(work);
    kind->fit(&setup, (norn_view){y, n, 0}, state, work);
    free(work);
    return state[0];
}

static void a_form_that_cannot_be_had_gives_way_to_a_simpler_one(void **state)
{
    (void)state;
    const double *const air = classical_series[0].y, *const below = classical_series[2].y;
    assert_true(fitted_form(&norn_model_holt_winters, air, 40, 12) == NORN_ETS_AAA);
    assert_true(fitted_form(&norn_model_holt_winters, air, 12, 12) == NORN_ETS_AAN);
    assert_true(fitted_form(&norn_model_holt_winters, air, 4, 12) == NORN_ETS_ANN);
    assert_true(fitted_form(&norn_model_holt_winters, air, 3, 12) == -1.0);
    assert_true(fitted_form(&norn_model_holt_winters_multiplicative, air, 40, 12) == NORN_ETS_MAM);
    assert_true(fitted_form(&norn_model_holt_winters_multiplicative, below, 40, 12) == NORN_ETS_AAA);
    assert_true(fitted_form(&norn_model_damped_holt, air, 30, 1) == NORN_ETS_AADN);
    /* a constant has a form, though nothing is left to fit; a 0 has none that multiplies */
    double y[30];
    for (size_t t = 0; t < 30; t++) y[t] = 5.0;
    assert_true(fitted_form(&norn_model_ses, y, 30, 1) == NORN_ETS_ANN);
    const double form = fitted_form(&norn_model_ets, y, 30, 1); /* additive and multiplicative are one here */
    assert_true(form >= 0.0 && norn_ets_numbers(&norn_ets_forms[(size_t)form], 1) == 3);
    y[20] = 0.0;
    smoothing *s = smoothing_new(30, 1, 3);
    assert_false(norn_ets_fit(ets_of(s), 6, true, &s->setup, (norn_view){y, 30, 0}, s->work));
    assert_true(ets_of(s)->form == -1.0);
    smoothing_free(s);
}

/* ---- intervals ---- */

/*
 * Series are drawn from a form, with parameters that are not those of a fit, and each is fitted. Shares of
 * true values within the intervals over 400 series; the deviation of a share is about 1 %, and estimated
 * parameters make intervals a little too narrow.
 */
static void intervals_cover_what_they_promise(void **state)
{
    (void)state;
    enum { SERIES = 400, N = 150, H = 10, M = 4 };
    static const size_t forms[] = {NORN_ETS_ANN, NORN_ETS_AADN, 3, 6, 9, 12, NORN_ETS_MAM};
    static const double levels[] = {0.5, 0.8, 0.95};
    uint64_t seed = 11;
    for (size_t k = 0; k < NORN_COUNT(forms); k++) {
        const norn_ets_form *const f = &norn_ets_forms[forms[k]];
        const bool times = f->season == NORN_ETS_MULTIPLICATIVE,
                   relative = f->error == NORN_ETS_MULTIPLICATIVE;
        size_t within[3][2] = {{0}};
        smoothing *s = smoothing_new(N, M, H);
        for (size_t i = 0; i < SERIES; i++) {
            double y[N + H], out[H], deviation[H], lower[3 * H], upper[3 * H];
            double l = 100.0, b = f->trend ? 0.2 : 0.0, figures[M] = {-4.0, 3.0, 5.0, -4.0};
            for (size_t j = 0; j < M && times; j++) figures[j] = 1.0 + 0.05 * figures[j];
            for (size_t t = 0; t < N + H; t++) {
                const double q = l + (f->damped ? 0.9 : 1.0) * b, sf = f->season ? figures[t % M] : 0.0;
                const double mean = times ? q * sf : q + sf, e = normal(&seed);
                y[t] = relative ? mean * (1.0 + 0.02 * e) : mean + 2.0 * e;
                const double d = times ? y[t] / sf - q : y[t] - mean;
                if (f->season) figures[t % M] += 0.1 * (times ? y[t] / q - sf : d);
                l = q + 0.3 * d;
                b = f->trend ? (f->damped ? 0.9 : 1.0) * b + 0.004 * d : 0.0;
            }
            assert_true(norn_ets_fit(ets_of(s), forms[k], false, &s->setup, (norn_view){y, N, 0}, s->work));
            norn_ets_deviation(ets_of(s), &s->setup, (norn_view){y, N, 0}, out, deviation, s->work);
            norn_normal_interval(out, deviation, H, levels, 3, lower, upper);
            for (size_t v = 0; v < 3; v++)
                for (size_t side = 0; side < 2; side++) {
                    const size_t j = side ? H - 1 : 0;
                    within[v][side] += y[N + j] >= lower[v * H + j] && y[N + j] <= upper[v * H + j];
                }
        }
        for (size_t v = 0; v < 3; v++)
            for (size_t side = 0; side < 2; side++) {
                const double share = (double)within[v][side] / SERIES;
                const double spread = 3.0 * sqrt(levels[v] * (1.0 - levels[v]) / SERIES);
                if (!(share > levels[v] - spread - 0.04 && share < levels[v] + spread + 0.01))
                    fail_msg("%s, row %d: %.3f of %.2f", f->name, side ? H : 1, share, levels[v]);
            }
        smoothing_free(s);
    }
}

/* The season's figure and the level moved by the same large errors: seasons later their product's variance.
 */
static void errors_of_level_and_season_go_together(void **state)
{
    (void)state;
    enum { M = 3, H = 12, PATHS = 200000 };
    static const double first[M] = {0.8, 1.0, 1.2};
    static double sum[H], squares[H];
    uint64_t seed = 17;
    smoothing *s = smoothing_new(1, M, H);
    norn_ets *const e = ets_of(s);
    double y = NAN, out[H], deviation[H];
    *e = (norn_ets){.form = NORN_ETS_MAM, .alpha = 0.3, .beta = 0.1, .gamma = 0.6, .phi = 1.0, .sigma = 0.15};
    e->level = 100.0;
    memcpy(norn_ets_season(e), first, sizeof first);
    e->end = 1.0; /* row 1 is the first to come, and has the second figure */
    norn_ets_deviation(e, &s->setup, (norn_view){&y, 1, 0}, out, deviation, s->work);
    for (size_t i = 0; i < PATHS; i++) {
        double l = 100.0, b = 0.0, figures[M];
        memcpy(figures, first, sizeof figures);
        for (size_t j = 0; j < H; j++) {
            const double q = l + b, r = 0.15 * normal(&seed), f = q * figures[(1 + j) % M];
            sum[j] += f * (1.0 + r);
            squares[j] += f * (1.0 + r) * f * (1.0 + r);
            l = q * (1.0 + 0.3 * r);
            b += 0.1 * q * r;
            figures[(1 + j) % M] *= 1.0 + 0.6 * r;
        }
    }
    for (size_t j = 0; j < H; j++) {
        const double mean = sum[j] / PATHS;
        assert_near_at(deviation[j], sqrt(squares[j] / PATHS - mean * mean), 0.012, 0, j, __FILE__, __LINE__);
    }
    smoothing_free(s);
}

/* ---- nothing to smooth ---- */

static const norn_forecaster *const all[] = {&norn_model_ses,
                                             &norn_model_holt,
                                             &norn_model_damped_holt,
                                             &norn_model_holt_winters,
                                             &norn_model_holt_winters_multiplicative,
                                             &norn_model_ets,
                                             &norn_model_comb,
                                             &norn_model_theta,
                                             &norn_model_optimised_theta,
                                             &norn_model_dynamic_optimised_theta,
                                             &norn_model_croston,
                                             &norn_model_croston_sba};

static void forecast_of(const norn_forecaster *kind, const double *y, size_t n, size_t m, size_t h,
                        double *out, double *lower, double *upper)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const double level = 0.9;
    const norn_forecaster_setup setup = {.horizon = h, .season = m, .window = 1, .rows = n};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    if (lower) (void)norn_fitted_interval(fitted, (norn_view){y, n, 0}, &level, 1, lower, upper);
    norn_fitted_free(fitted);
}

static void a_constant_is_forecast_as_it_is_without_width(void **state)
{
    (void)state;
    static const double values[] = {7.25, -3.5, 0.0, 1e9, 1e-9};
    double y[60], out[8], lower[8], upper[8];
    for (size_t k = 0; k < NORN_COUNT(all); k++)
        for (size_t v = 0; v < NORN_COUNT(values); v++)
            for (size_t n = 1; n <= 60; n += n < 8 ? 1 : 26) {
                for (size_t t = 0; t < n; t++) y[t] = values[v];
                forecast_of(all[k], y, n, 4, 8, out, lower, upper);
                const double want = all[k] == &norn_model_croston_sba ? 0.95 * values[v] : values[v];
                for (size_t j = 0; j < 8; j++) {
                    assert_near(out[j], want, 1e-9, 0);
                    if (!isnan(lower[j])) assert_true(upper[j] - lower[j] <= 1e-6 * fabs(values[v]));
                }
            }
}

static void a_line_is_gone_on_with(void **state)
{
    (void)state;
    static const norn_forecaster *const trends[] = {&norn_model_holt, &norn_model_holt_winters,
                                                    &norn_model_ets};
    double y[60], out[8];
    for (size_t t = 0; t < 60; t++) y[t] = 40.0 + 2.5 * (double)t;
    for (size_t k = 0; k < NORN_COUNT(trends); k++) {
        forecast_of(trends[k], y, 60, 4, 8, out, NULL, NULL);
        for (size_t j = 0; j < 8; j++) assert_near(out[j], 40.0 + 2.5 * (double)(60 + j), 1e-4, 0);
    }
}

/* Of one and two rows, of rows without a value but one, with values of any size: finite, and the naive
 * forecast where there are too few. */
static void short_and_extreme_series_have_forecasts_that_are_finite(void **state)
{
    (void)state;
    static const double scales[] = {1.0, 1e-30, 1e30, -1e12};
    double y[40], out[5], lower[5], upper[5];
    uint64_t seed = 9;
    for (size_t k = 0; k < NORN_COUNT(all); k++)
        for (size_t v = 0; v < NORN_COUNT(scales); v++)
            for (size_t n = 1; n <= 40; n++) {
                for (size_t t = 0; t < n; t++)
                    y[t] = t % 5 == 3 ? NAN : scales[v] * (5.0 + (double)(t % 4) + normal(&seed));
                forecast_of(all[k], y, n, 4, 5, out, lower, upper);
                for (size_t j = 0; j < 5; j++) {
                    assert_true(isfinite(out[j]));
                    assert_true(isnan(lower[j]) || lower[j] <= upper[j]);
                }
                if (n < 3 && all[k] != &norn_model_croston && all[k] != &norn_model_croston_sba)
                    assert_true(out[0] == y[n - 1]);
            }
    for (size_t t = 0; t < 40; t++) y[t] = NAN;
    for (size_t k = 0; k < NORN_COUNT(all); k++) {
        forecast_of(all[k], y, 40, 4, 5, out, lower, upper);
        assert_true(isnan(out[0]) && isnan(lower[0]));
        y[17] = 3.0;
        forecast_of(all[k], y, 40, 4, 5, out, lower, upper);
        assert_true(all[k] == &norn_model_croston || all[k] == &norn_model_croston_sba || out[0] == 3.0);
        y[17] = NAN;
    }
}

/* Zeros among values: nothing that multiplies or divides may be tried on them. */
static void zeros_leave_every_forecast_finite(void **state)
{
    (void)state;
    double y[60], out[8], lower[8], upper[8];
    for (size_t every = 2; every < 9; every++)
        for (size_t k = 0; k < NORN_COUNT(all); k++) {
            for (size_t t = 0; t < 60; t++) y[t] = t % every ? 0.0 : (double)(1 + t % 7);
            forecast_of(all[k], y, 60, 12, 8, out, lower, upper);
            for (size_t j = 0; j < 8; j++) assert_true(isfinite(out[j]));
        }
}

static void a_million_rows_take_no_more_than_the_last_ones(void **state)
{
    (void)state;
    enum { LONG = 1000000 };
    double *y = malloc(LONG * sizeof *y), out[3], lower[3], upper[3];
    assert_non_null(y);
    uint64_t seed = 5;
    double level = 1000.0;
    for (size_t t = 0; t < LONG; t++) {
        const double e = normal(&seed);
        y[t] = level + e;
        level += 0.2 * e;
    }
    static const norn_forecaster *const some[] = {&norn_model_ses, &norn_model_theta,
                                                  &norn_model_optimised_theta, &norn_model_ets};
    for (size_t k = 0; k < NORN_COUNT(some); k++) {
        forecast_of(some[k], y, LONG, 1, 3, out, lower, upper);
        assert_near(out[0], level, 0, 0.1);
        if (k != 1 && k != 3) assert_near(upper[0] - lower[0], 2 * 1.6449, 0.02, 0);
    }
    free(y);
}

static void explanations_name_the_form_and_its_parameters(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {.horizon = 3, .season = 12, .window = 1, .rows = 144};
    norn_explained lines[32];
    norn_explanation text = {lines, NORN_COUNT(lines), 0};
    assert_ok(norn_fitted_new(&fitted, &norn_model_holt_winters_multiplicative, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){classical_series[0].y, 144, 0});
    norn_fitted_explain(fitted, &text);
    norn_fitted_free(fitted);
    assert_int_equal(text.count,
                     1 + 3 + 2 + 12 + 3); /* form; alpha, beta, gamma; states; sigma and criteria */
    assert_string_equal(lines[0].value, "ETS(M,A,M)");
    assert_string_equal(lines[1].name, "alpha");
    assert_string_equal(lines[6].name, "season 1");
    assert_in_range((int)(1000.0 * atof(lines[1].value)), 1, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_that_of_differences),
        cmocka_unit_test(at_the_same_parameters_forecasts_and_intervals_are_those_of_others),
        cmocka_unit_test(fitted_by_us_the_likelihood_is_not_worse_than_that_of_others),
        cmocka_unit_test(admissible_parameters_are_those_that_forget),
        cmocka_unit_test(a_missing_value_leaves_the_states_alone),
        cmocka_unit_test(a_later_cutoff_is_reached_by_the_same_recursion),
        cmocka_unit_test(the_choice_has_the_least_aicc_of_its_first_stage),
        cmocka_unit_test(further_starts_find_what_one_does_not),
        cmocka_unit_test(a_form_that_cannot_be_had_gives_way_to_a_simpler_one),
        cmocka_unit_test(intervals_cover_what_they_promise),
        cmocka_unit_test(errors_of_level_and_season_go_together),
        cmocka_unit_test(a_constant_is_forecast_as_it_is_without_width),
        cmocka_unit_test(a_line_is_gone_on_with),
        cmocka_unit_test(short_and_extreme_series_have_forecasts_that_are_finite),
        cmocka_unit_test(zeros_leave_every_forecast_finite),
        cmocka_unit_test(a_million_rows_take_no_more_than_the_last_ones),
        cmocka_unit_test(explanations_name_the_form_and_its_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
