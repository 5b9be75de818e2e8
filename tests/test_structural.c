/* Structural models beside statsmodels, with missing values, smoothed, and on series that hold nothing. No
 * OpenCL here. */
#include "univariate.h"

#include "forecast/structural.h"
#include "golden/arima.h"

typedef struct structural_case {
    const char *file;
    size_t slope, season;
    const double *golden, *level, *last, *errors, *mean, *sd;
    size_t points;
    bool log;
} structural_case;

#define CASE(file, slope, season, name, log)                                                                 \
    {                                                                                                        \
        file, slope, season, structural_##name, structural_##name##_level, structural_##name##_last,         \
            structural_##name##_errors, structural_##name##_mean, structural_##name##_sd,                    \
            NORN_COUNT(structural_##name##_level), log                                                       \
    }
static const structural_case cases[] = {
    CASE("nile.csv", 0, 1, nile, false), CASE("air_passengers.csv", 1, 1, trend, true),
    CASE("air_passengers.csv", 1, 12, air, true), CASE("nile.csv", 1, 1, gaps, false)};

static size_t series_of(const structural_case *c, double *y)
{
    static const size_t gaps[] = {0, 1, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 70, 99};
    const size_t n = dataset(c->file, y);
    for (size_t i = 0; i < n && c->log; i++) y[i] = log(y[i]);
    for (size_t i = 0; i < NORN_COUNT(gaps) && c->golden == structural_gaps; i++) y[gaps[i]] = NAN;
    return n;
}

/* With the variances of statsmodels. */
static norn_structural model_of(const structural_case *c)
{
    norn_structural s = {.slope = c->slope, .season = c->season};
    memcpy(s.variance, c->golden, sizeof s.variance);
    return s;
}

static double *new_doubles(size_t count)
{
    double *work = malloc((count + 1) * sizeof *work);
    assert_non_null(work);
    for (size_t i = 0; i <= count; i++) work[i] = 1e300;
    return work;
}

static void the_likelihood_is_that_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_structural s = model_of(&cases[i]);
        const size_t n = series_of(&cases[i], y), count = norn_structural_work(s.season, n);
        double *work = new_doubles(count);
        const double got = norn_structural_likelihood(&s, y, n, NULL, NULL, work);
        assert_near_at(got, cases[i].golden[4], 0, 1e-5, i, __FILE__, __LINE__);
        assert_true(work[count] == 1e300);
        free(work);
    }
}

static void forecasts_and_their_deviations_are_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST], out[24], deviation[24];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_structural s = model_of(&cases[i]);
        const size_t n = series_of(&cases[i], y);
        double *work = new_doubles(norn_structural_work(s.season, n));
        norn_structural_forecast(&s, y, n, 24, out, deviation, work);
        assert_all_near(out, cases[i].mean, 24, 1e-7, 0);
        assert_all_near(deviation, cases[i].sd, 24, 1e-6, 0);
        free(work);
    }
}

static void smoothed_states_are_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_structural s = model_of(&cases[i]);
        const size_t n = series_of(&cases[i], y), k = norn_structural_states(&s), every = n / 40 ? n / 40 : 1;
        const size_t count = norn_structural_smooth_work(&s, n);
        double *work = new_doubles(count), *states = new_doubles(n * k);
        assert_true(norn_structural_smooth(&s, y, n, states, NULL, NULL, work));
        assert_true(work[count] == 1e300 && states[n * k] == 1e300);
        for (size_t j = 0; j < cases[i].points; j++) {
            const double *const row = states + j * every * k;
            assert_near_at(row[0], cases[i].level[j], 1e-6, 0, j, __FILE__, __LINE__);
            assert_near_at(row[s.season > 1 ? k - 1 : 0], cases[i].last[j], 1e-6, 1e-7, j, __FILE__,
                           __LINE__);
        }
        free(work);
        free(states);
    }
}

/* Level, slope and season by name, what they add up to, and how sure each is, of rows without a value, too.
 */
static void standard_errors_of_smoothed_states_are_those_of_statsmodels(void **state)
{
    (void)state;
    static const norn_state order[] = {NORN_STATE_SIGNAL, NORN_STATE_LEVEL, NORN_STATE_SLOPE,
                                       NORN_STATE_SEASON};
    double y[MOST];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const norn_structural s = model_of(&cases[i]);
        const size_t n = series_of(&cases[i], y), k = norn_structural_states(&s), every = n / 40 ? n / 40 : 1;
        const size_t parts = 2 + s.slope + (s.season > 1), points = cases[i].points;
        double *work = new_doubles(norn_structural_smooth_work(&s, n)), *states = new_doubles(n * k);
        double *values = new_doubles(NORN_STATES * n), *errors = new_doubles(NORN_STATES * n);
        assert_true(norn_structural_smooth(&s, y, n, states, values, errors, work));
        assert_true(values[NORN_STATES * n] == 1e300 && errors[NORN_STATES * n] == 1e300);
        for (size_t part = 0; part < NORN_STATES; part++)
            for (size_t j = 0; j < points; j++) {
                const double got = errors[(size_t)order[part] * n + j * every]; /* 0 is a root of rounding */
                if (part < parts)
                    assert_near_at(got, cases[i].errors[part * points + j], 1e-5, 1e-8, j, __FILE__,
                                   __LINE__);
                else
                    assert_true(isnan(got) && isnan(values[(size_t)order[part] * n + j * every]));
            }
        for (size_t t = 0; t < n; t++) {
            const double season = s.season > 1 ? values[NORN_STATE_SEASON * n + t] : 0.0;
            assert_true(values[NORN_STATE_LEVEL * n + t] == states[t * k]);
            if (s.slope) assert_true(values[NORN_STATE_SLOPE * n + t] == states[t * k + 1]);
            if (s.season > 1) assert_true(season == states[t * k + 1 + s.slope]);
            assert_near(values[NORN_STATE_SIGNAL * n + t], states[t * k] + season, 1e-15, 0);
        }
        free(work);
        free(states);
        free(values);
        free(errors);
    }
}

/* Of each row the truth lies within its standard errors as often as they say. */
static void smoothed_states_cover_what_they_smooth(void **state)
{
    (void)state;
    enum { N = 120, TIMES = 60 };
    const norn_structural s = {.slope = 1, .season = 4, .variance = {1.0, 0.2, 0.01, 0.05}};
    double y[N], truth[3][N], *work = new_doubles(norn_structural_smooth_work(&s, N));
    double *values = new_doubles(NORN_STATES * N), *errors = new_doubles(NORN_STATES * N);
    size_t inside[3] = {0};
    uint64_t draw = 5;
    for (size_t k = 0; k < TIMES; k++) {
        double level = 10.0, slope = 0.3, season[3] = {2.0, -1.0, 0.5};
        for (size_t t = 0; t < N; t++) {
            const double next = -(season[0] + season[1] + season[2]) + sqrt(0.05) * noise(&draw);
            truth[0][t] = level;
            truth[1][t] = slope;
            truth[2][t] = season[0];
            y[t] = t % 7 == 3 || (t > 50 && t < 60) ? NAN : level + season[0] + noise(&draw);
            level += slope + sqrt(0.2) * noise(&draw);
            slope += 0.1 * noise(&draw);
            season[2] = season[1];
            season[1] = season[0];
            season[0] = next;
        }
        assert_true(norn_structural_smooth(&s, y, N, NULL, values, errors, work));
        for (size_t part = 0; part < 3; part++)
            for (size_t t = 0; t < N; t++)
                inside[part] += fabs(values[part * N + t] - truth[part][t]) < 1.6449 * errors[part * N + t];
    }
    for (size_t part = 0; part < 3; part++)
        assert_near((double)inside[part] / (double)(TIMES * N), 0.9, 0, 0.025);
    free(work);
    free(values);
    free(errors);
}

/* The likelihood that a fit without missing values searches is that of the filter but for a constant. */
static void the_likelihood_of_the_differences_is_the_diffuse_one(void **state)
{
    (void)state;
    enum { N = 150 };
    static const size_t shapes[][2] = {{0, 1}, {1, 1}, {1, 2}, {1, 7}, {0, 12}, {1, 12}, {1, 60}};
    static const double variances[][NORN_STRUCTURAL_PARTS] = {
        {1.0, 0.5, 0.1, 0.2}, {0.3, 0.0, 0.0, 0.01}, {0.0, 1.0, 0.2, 0.0}, {2.0, 1e-4, 1e-6, 1e-3}};
    double y[N];
    uint64_t draw = 21;
    for (size_t t = 0; t < N; t++) y[t] = 0.1 * (double)t + noise(&draw);
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        norn_structural s = {.slope = shapes[i][0], .season = shapes[i][1]};
        double *work = new_doubles(norn_structural_work(s.season, N)), apart = NAN;
        for (size_t k = 0; k < NORN_COUNT(variances); k++) {
            memcpy(s.variance, variances[k], sizeof s.variance);
            const double whole = norn_structural_likelihood(&s, y, N, NULL, NULL, work);
            const double less = norn_structural_differences(&s, y, N, work);
            if (k == 0) apart = whole - less;
            assert_near_at(whole - less, apart, 0, 1e-6, i * 10 + k, __FILE__, __LINE__);
        }
        free(work);
    }
}

/* A missing value at the very end leaves the filter alone to search, and nothing else. */
static void fits_by_differences_and_by_the_filter_are_the_same(void **state)
{
    (void)state;
    double y[MOST];
    for (size_t i = 0; i < 3; i++) {
        norn_structural one = {.slope = cases[i].slope, .season = cases[i].season}, other = one;
        const size_t n = series_of(&cases[i], y);
        double *work = new_doubles(norn_structural_work(one.season, n + 1));
        y[n] = NAN;
        norn_structural_fit(&one, y, n, NULL, work);
        norn_structural_fit(&other, y, n + 1, NULL, work);
        assert_near_at(one.likelihood, other.likelihood, 0, 1e-5, i, __FILE__, __LINE__);
        free(work);
    }
}

static void fits_are_no_less_likely_than_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST];
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_structural s = {.slope = cases[i].slope, .season = cases[i].season};
        const size_t n = series_of(&cases[i], y);
        double *work = new_doubles(norn_structural_work(s.season, n));
        norn_structural_fit(&s, y, n, NULL, work);
        if (!(s.likelihood > cases[i].golden[4] - 1e-3))
            print_error("[%zu] %.6f, statsmodels %.6f\n", i, s.likelihood, cases[i].golden[4]);
        assert_true(s.likelihood > cases[i].golden[4] - 1e-3);
        assert_near(norn_structural_likelihood(&s, y, n, NULL, NULL, work), s.likelihood, 1e-7, 0);
        free(work);
    }
}

/* The gain that is kept when it stands still is what it would have been: a missing value at the very front
 * delays that by a row, and nothing else. */
static void a_gain_that_stands_still_changes_nothing(void **state)
{
    (void)state;
    enum { N = 2000 };
    double *y = new_doubles(N), out[2][4];
    const norn_structural s = {.slope = 1, .season = 4, .variance = {1.0, 0.5, 0.1, 0.2}};
    double *work = new_doubles(norn_structural_work(4, N));
    uint64_t draw = 3;
    for (size_t t = 0; t < N; t++) y[t] = noise(&draw);
    norn_structural_forecast(&s, y, N, 4, out[0], NULL, work);
    /* rows so far back that they are forgotten, among them a hole late enough to undo what stood still */
    y[300] = NAN;
    norn_structural_forecast(&s, y, N, 4, out[1], NULL, work);
    assert_all_near(out[1], out[0], 4, 0, 1e-9);
    free(work);
    free(y);
}

static void wandering(uint64_t *state, double *y, size_t n)
{
    double level = 10.0;
    for (size_t t = 0; t < n; t++) {
        level += 0.5 * noise(state);
        y[t] = level + noise(state);
    }
}

static void seasonal(uint64_t *state, double *y, size_t n)
{
    double level = 10.0, season[4] = {3.0, -1.0, -4.0, 2.0};
    for (size_t t = 0; t < n; t++) {
        level += 0.1 + 0.3 * noise(state);
        season[t % 4] += 0.1 * noise(state);
        y[t] = level + season[t % 4] + 0.5 * noise(state);
    }
}

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    assert_near(coverage(&norn_model_local_level, wandering, 150, 1, 8, 0.9, 1000), 0.9, 0, 0.02);
    assert_near(coverage(&norn_model_structural, seasonal, 120, 4, 8, 0.9, 300), 0.9, 0, 0.03);
}

static void missing_values_are_rows_without_an_update(void **state)
{
    (void)state;
    double y[MOST], out[8], whole[8];
    uint64_t draw = 8;
    seasonal(&draw, y, 200);
    must_forecast(&norn_model_structural, y, 200, 4, 8, whole, 0.9, NULL, NULL);
    for (size_t t = 7; t < 195; t += 5) y[t] = NAN;
    must_forecast(&norn_model_structural, y, 200, 4, 8, out, 0.9, NULL, NULL);
    for (size_t j = 0; j < 8; j++) assert_near(out[j], whole[j], 0, 0.6);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_local_level, 12, 20, false);
    try_degenerate(&norn_model_local_trend, 12, 20, true);
    try_degenerate(&norn_model_structural, 12, 20, true);
    try_degenerate(&norn_model_structural, 100, 20, true);
}

static void an_explanation_has_the_state_behind_the_last_row(void **state)
{
    (void)state;
    double y[MOST], out[12];
    const size_t n = dataset("air_passengers.csv", y);
    norn_fitted *fitted = must_fit(&norn_model_structural, y, n, 12, 12);
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    for (size_t j = 0; j < 12; j++) {
        char name[32];
        (void)snprintf(name, sizeof name, "season %zu", j + 1);
        const double want = explained(fitted, "level next") + (double)j * explained(fitted, "slope next") +
                            explained(fitted, name);
        assert_near(out[j], want, 1e-4, 0); /* printed with six digits */
    }
    norn_fitted_free(fitted);
}

static void a_million_rows_are_fitted_on_the_last_ones(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *y = new_doubles(N), out[3];
    uint64_t draw = 9;
    wandering(&draw, y, N);
    norn_fitted *fitted = must_fit(&norn_model_local_level, y, N, 1, 3);
    norn_fitted_forecast(fitted, (norn_view){y, N, 0}, out);
    assert_near(explained(fitted, "irregular"), 1.0, 0.05, 0);
    assert_near(explained(fitted, "level"), 0.25, 0.1, 0);
    norn_fitted_free(fitted);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likelihood_is_that_of_statsmodels),
        cmocka_unit_test(forecasts_and_their_deviations_are_those_of_statsmodels),
        cmocka_unit_test(smoothed_states_are_those_of_statsmodels),
        cmocka_unit_test(standard_errors_of_smoothed_states_are_those_of_statsmodels),
        cmocka_unit_test(smoothed_states_cover_what_they_smooth),
        cmocka_unit_test(the_likelihood_of_the_differences_is_the_diffuse_one),
        cmocka_unit_test(fits_by_differences_and_by_the_filter_are_the_same),
        cmocka_unit_test(fits_are_no_less_likely_than_those_of_statsmodels),
        cmocka_unit_test(a_gain_that_stands_still_changes_nothing),
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(missing_values_are_rows_without_an_update),
        cmocka_unit_test(degenerate_series_are_right),
        cmocka_unit_test(an_explanation_has_the_state_behind_the_last_row),
        cmocka_unit_test(a_million_rows_are_fitted_on_the_last_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
