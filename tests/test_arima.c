/* ARIMA beside statsmodels, on simulated processes and on series that hold nothing. No OpenCL here. */
#include "univariate.h"

#include "forecast/arima.h"
#include "golden/arima.h"

typedef struct arima_case {
    const char *file;
    const double *golden, *mean, *sd;
    size_t values;
    bool log;
} arima_case;

#define CASE(file, name, log)                                                                                \
    {                                                                                                        \
        file, arima_##name, arima_##name##_mean, arima_##name##_sd, NORN_COUNT(arima_##name), log            \
    }
static const arima_case cases[] = {CASE("air_passengers.csv", airline, true),
                                   CASE("air_passengers.csv", air_long, true),
                                   CASE("air_passengers.csv", air_level, true),
                                   CASE("lynx.csv", lynx, true),
                                   CASE("sunspots_yearly.csv", spots, false),
                                   CASE("nile.csv", nile, false),
                                   CASE("nile.csv", twice, false),
                                   CASE("lynx.csv", gaps, true)};

static size_t series_of(const arima_case *c, double *y)
{
    static const size_t gaps[] = {5, 30, 31, 32, 70, 100};
    const size_t n = dataset(c->file, y);
    for (size_t i = 0; i < n && c->log; i++) y[i] = log(y[i]);
    for (size_t i = 1; i < n && c->golden == arima_twice; i++) y[i] += y[i - 1];
    for (size_t i = 0; i < NORN_COUNT(gaps) && c->golden == arima_gaps; i++) y[gaps[i]] = NAN;
    return n;
}

static norn_arima orders_of(const arima_case *c)
{
    const double *const g = c->golden;
    return (norn_arima){.p = (size_t)g[0],
                        .d = (size_t)g[1],
                        .q = (size_t)g[2],
                        .sp = (size_t)g[3],
                        .sd = (size_t)g[4],
                        .sq = (size_t)g[5],
                        .season = (size_t)g[6],
                        .constant = (size_t)g[7]};
}

/* With the parameters of statsmodels. */
static norn_arima model_of(const arima_case *c)
{
    norn_arima a = orders_of(c);
    const double *at = c->golden + 8;
    for (size_t k = 0; k < a.p; k++) a.phi[k] = *at++;
    for (size_t k = 0; k < a.q; k++) a.theta[k] = *at++;
    for (size_t k = 0; k < a.sp; k++) a.sphi[k] = *at++;
    for (size_t k = 0; k < a.sq; k++) a.stheta[k] = *at++;
    a.mean = *at++;
    a.variance = *at;
    return a;
}

static double *new_work(size_t season)
{
    double *work = malloc(norn_arima_work(season, MOST, 48) * sizeof *work);
    assert_non_null(work);
    return work;
}

static void the_likelihood_is_that_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST], w[MOST], variance;
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_arima a = model_of(&cases[i]);
        double *work = new_work(a.season);
        const size_t n = series_of(&cases[i], y), count = norn_arima_difference(&a, y, n, w);
        const double got = norn_arima_likelihood(&a, w, count, &variance, NULL, 0, work);
        assert_near_at(got, cases[i].golden[cases[i].values - 1], 0, 2e-5, i, __FILE__, __LINE__);
        assert_near_at(variance, a.variance, 2e-4, 0, i, __FILE__, __LINE__);
        free(work);
    }
}

/* Deviations by psi weights know nothing of what the filter is still unsure of at the last row. */
static void forecasts_and_their_deviations_are_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST], out[24], deviation[24];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_arima a = model_of(&cases[i]);
        double *work = new_work(a.season);
        const size_t n = series_of(&cases[i], y);
        norn_arima_forecast(&a, y, n, 24, out, deviation, work);
        assert_all_near(out, cases[i].mean, 24, 1e-6, 0);
        assert_all_near(deviation, cases[i].sd, 24, 2e-4, 0);
        free(work);
    }
}

static void fits_are_no_less_likely_than_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_arima a = orders_of(&cases[i]);
        double *work = new_work(a.season);
        const size_t n = series_of(&cases[i], y);
        assert_true(norn_arima_fit(&a, y, n, true, NULL, work));
        const double want = cases[i].golden[cases[i].values - 1];
        if (!(a.likelihood > want - 1e-3))
            print_error("[%zu] %.6f, statsmodels %.6f\n", i, a.likelihood, want);
        assert_true(a.likelihood > want - 1e-3);
        free(work);
    }
}

/* The recursions without a matrix and the matrix give the same: a missing value behind the last row changes
 * nothing but the way. */
static void both_filters_are_the_same(void **state)
{
    (void)state;
    double y[MOST], w[MOST + 1], one, other, expected[2][MOST + 1];
    for (size_t i = 0; i + 1 < NORN_COUNT(cases); i++) {
        const norn_arima a = model_of(&cases[i]);
        double *work = new_work(a.season);
        const size_t n = series_of(&cases[i], y), count = norn_arima_difference(&a, y, n, w);
        w[count] = NAN;
        const double whole = norn_arima_likelihood(&a, w, count, &one, expected[0], 0, work);
        const double holes = norn_arima_likelihood(&a, w, count + 1, &other, expected[1], 0, work);
        assert_near(holes, whole, 1e-9, 0);
        assert_near(other, one, 1e-9, 0);
        assert_all_near(expected[1], expected[0], count, 1e-7, 1e-8);
        free(work);
    }
}

static void airline(uint64_t *state, double *y, size_t n)
{
    double e[MOST + 13] = {0.0};
    for (size_t t = 0; t < n + 13; t++) e[t] = 0.1 * noise(state);
    for (size_t t = 0; t < n; t++) {
        const double w = e[t + 13] - 0.4 * e[t + 12] - 0.6 * e[t + 1] + 0.24 * e[t];
        y[t] = t < 13 ? 5.0 + 0.01 * (double)t + 0.3 * sin(0.5236 * (double)t)
                      : w + y[t - 1] + y[t - 12] - y[t - 13];
    }
}

static void mixed(uint64_t *state, double *y, size_t n)
{
    double x = 0.0, before = 0.0;
    for (size_t t = 0; t < n + 100; t++) {
        const double e = noise(state);
        x = 0.5 * x + e + 0.4 * before;
        before = e;
        if (t >= 100) y[t - 100] = 100.0 + 3.0 * x;
    }
}

static void walk(uint64_t *state, double *y, size_t n)
{
    double level = 50.0;
    for (size_t t = 0; t < n; t++) y[t] = level += 0.2 + noise(state);
}

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    assert_near(coverage(&norn_model_arima, mixed, 200, 1, 10, 0.9, 100), 0.9, 0, 0.04);
    assert_near(coverage(&norn_model_arima, walk, 200, 1, 10, 0.9, 100), 0.9, 0, 0.05);
    /* and with the orders known, which the choice does not always find in twelve years */
    double y[156], out[12], deviation[12], *work = new_work(12), inside = 0.0;
    uint64_t draw = 2;
    for (size_t k = 0; k < 60; k++) {
        norn_arima a = {.d = 1, .q = 1, .sd = 1, .sq = 1, .season = 12};
        airline(&draw, y, 156);
        assert_true(norn_arima_fit(&a, y, 144, true, NULL, work));
        norn_arima_forecast(&a, y, 144, 12, out, deviation, work);
        for (size_t j = 0; j < 12; j++) inside += fabs(y[144 + j] - out[j]) < 1.6448536 * deviation[j];
    }
    assert_near(inside / 720.0, 0.9, 0, 0.03);
    free(work);
}

/* The orders that statsforecast 2.1.1 chooses (AutoARIMA with its defaults). */
static void the_choice_is_that_of_auto_arima(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool log;
        size_t season, p, d, q, sp, sd, sq, constant;
    } known[] = {{"air_passengers.csv", true, 12, 0, 1, 1, 0, 1, 1, 0},
                 {"lynx.csv", true, 1, 2, 0, 4, 0, 0, 0, 1},
                 {"sunspots_yearly.csv", false, 1, 2, 1, 3, 0, 0, 0, 0},
                 {"nile.csv", false, 1, 1, 1, 1, 0, 0, 0, 0}};
    double y[MOST], *work = new_work(12);
    for (size_t i = 0; i < NORN_COUNT(known); i++) {
        const size_t n = dataset(known[i].file, y);
        for (size_t t = 0; t < n && known[i].log; t++) y[t] = log(y[t]);
        norn_arima a = {.season = known[i].season};
        norn_arima_choose(&a, y, n, NULL, work);
        assert_true(a.p == known[i].p && a.d == known[i].d && a.q == known[i].q);
        assert_true(a.sp == known[i].sp && a.sd == known[i].sd && a.sq == known[i].sq);
        assert_true(a.constant == known[i].constant);
    }
    free(work);
}

static void the_choice_finds_differences_where_there_are_some(void **state)
{
    (void)state;
    double y[MOST];
    norn_arima a;
    double *work = new_work(12);
    size_t level = 0, walks = 0;
    uint64_t draw = 4;
    for (size_t k = 0; k < 20; k++) {
        walk(&draw, y, 300);
        a = (norn_arima){.season = 1};
        norn_arima_choose(&a, y, 300, NULL, work);
        walks += a.d == 1;
        mixed(&draw, y, 300);
        a = (norn_arima){.season = 12};
        norn_arima_choose(&a, y, 300, NULL, work);
        level += a.d + a.sd == 0;
    }
    assert_true(walks >= 18);
    assert_true(level >= 14); /* the KPSS test finds a walk in the longer memories among them */
    free(work);
}

/* The values that are missing are the model's to guess, and the rest is found as without them. */
static void missing_values_are_skipped(void **state)
{
    (void)state;
    double y[MOST], out[4], whole[4];
    uint64_t draw = 8;
    mixed(&draw, y, MOST);
    must_forecast(&norn_model_arima, y, MOST, 1, 4, whole, 0.9, NULL, NULL);
    for (size_t t = 7; t + 20 < MOST; t += 9) y[t] = NAN;
    must_forecast(&norn_model_arima, y, MOST, 1, 4, out, 0.9, NULL, NULL);
    for (size_t j = 0; j < 4; j++) assert_near(out[j], whole[j], 0, 1.0);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_arima, 12, 20, true);
    try_degenerate(&norn_model_arima, 1, 20, true);
}

static void scale_and_level_change_nothing(void **state)
{
    (void)state;
    double y[MOST], scaled[MOST], out[12], other[12];
    const size_t n = dataset("air_passengers.csv", y);
    must_forecast(&norn_model_arima, y, n, 12, 12, out, 0.9, NULL, NULL);
    for (size_t i = 0; i < n; i++) scaled[i] = 1e-9 * y[i] + 1e-6;
    must_forecast(&norn_model_arima, scaled, n, 12, 12, other, 0.9, NULL, NULL);
    for (size_t j = 0; j < 12; j++) assert_near((other[j] - 1e-6) * 1e9, out[j], 1e-3, 0);
}

static void a_million_rows_are_fitted_on_the_last_ones(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *y = malloc(N * sizeof *y), out[3];
    assert_non_null(y);
    uint64_t draw = 10;
    mixed(&draw, y, N);
    norn_fitted *fitted = must_fit(&norn_model_arima, y, N, 1, 3);
    norn_fitted_forecast(fitted, (norn_view){y, N, 0}, out);
    assert_near(explained(fitted, "sigma^2"), 9.0, 0.05, 0);
    assert_true(isfinite(out[2]));
    norn_fitted_free(fitted);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likelihood_is_that_of_statsmodels),
        cmocka_unit_test(forecasts_and_their_deviations_are_those_of_statsmodels),
        cmocka_unit_test(fits_are_no_less_likely_than_those_of_statsmodels),
        cmocka_unit_test(both_filters_are_the_same),
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(the_choice_is_that_of_auto_arima),
        cmocka_unit_test(the_choice_finds_differences_where_there_are_some),
        cmocka_unit_test(missing_values_are_skipped),
        cmocka_unit_test(degenerate_series_are_right),
        cmocka_unit_test(scale_and_level_change_nothing),
        cmocka_unit_test(a_million_rows_are_fitted_on_the_last_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
