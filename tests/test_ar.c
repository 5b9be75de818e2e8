/* Autoregressions beside statsmodels, on simulated processes and on series that hold nothing. No OpenCL here.
 */
#include "univariate.h"

#include "golden/arima.h"

static void assert_model(const norn_forecaster *kind, const char *file, const double *want, bool has_constant)
{
    double y[MOST];
    char name[32];
    const size_t n = dataset(file, y), p = (size_t)want[0];
    norn_fitted *fitted = must_fit(kind, y, n, 1, 20);
    assert_near(explained(fitted, has_constant ? "constant" : "sigma^2"), want[1], 1e-5, 0);
    for (size_t k = 1; k <= p; k++) {
        (void)snprintf(name, sizeof name, "phi %zu", k);
        assert_near(explained(fitted, name), want[1 + k], 1e-5, 1e-6);
    }
    (void)snprintf(name, sizeof name, "phi %zu", p + 1);
    assert_true(isnan(explained(fitted, name)));
    norn_fitted_free(fitted);
}

static void least_squares_and_its_order_are_those_of_statsmodels(void **state)
{
    (void)state;
    double y[MOST], out[20], lower[20], upper[20];
    assert_model(&norn_model_ar, "lynx.csv", ar_lynx, true);
    assert_model(&norn_model_ar, "sunspots_yearly.csv", ar_sunspots, true);
    const size_t n = dataset("sunspots_yearly.csv", y);
    must_forecast(&norn_model_ar, y, n, 1, 20, out, 0.6826894921370859, lower, upper); /* one deviation */
    assert_all_near(out, ar_sunspots_mean, 20, 1e-9, 0);
    for (size_t j = 0; j < 20; j++) assert_near(0.5 * (upper[j] - lower[j]), ar_sunspots_sd[j], 1e-9, 0);
}

static void burg_and_its_order_are_those_of_statsmodels(void **state)
{
    (void)state;
    assert_model(&norn_model_ar_burg, "lynx.csv", burg_lynx, false);
    assert_model(&norn_model_ar_burg, "sunspots_yearly.csv", burg_sunspots, false);
}

static void second_order(uint64_t *state, double *y, size_t n)
{
    double a = 0.0, b = 0.0;
    for (size_t t = 0; t < n + 50; t++) {
        const double next = 1.2 * a - 0.6 * b + 2.0 * noise(state);
        b = a;
        a = next;
        if (t >= 50) y[t - 50] = 30.0 + next;
    }
}

static void a_process_is_found_again_with_a_third_of_it_missing(void **state)
{
    (void)state;
    enum { N = 4000 };
    double *y = malloc(N * sizeof *y);
    uint64_t draw = 5;
    assert_non_null(y);
    second_order(&draw, y, N);
    for (size_t t = 0; t < N; t += 10)
        for (size_t k = 0; k < 3; k++) y[t + k] = NAN;
    static const norn_forecaster *const both[] = {&norn_model_ar, &norn_model_ar_burg};
    for (size_t i = 0; i < 2; i++) {
        norn_fitted *fitted = must_fit(both[i], y, N, 1, 1);
        assert_near(explained(fitted, "phi 1"), 1.2, 0, 0.08);
        assert_near(explained(fitted, "phi 2"), -0.6, 0, 0.08);
        assert_near(explained(fitted, "sigma^2"), 4.0, 0.08, 0);
        norn_fitted_free(fitted);
    }
    free(y);
}

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    assert_near(coverage(&norn_model_ar, second_order, 200, 1, 12, 0.9, 300), 0.9, 0, 0.025);
    assert_near(coverage(&norn_model_ar_burg, second_order, 200, 1, 12, 0.9, 300), 0.9, 0, 0.025);
}

/* With the last values missing the first row forecast lies farther off. */
static void missing_values_at_the_end_widen_the_interval(void **state)
{
    (void)state;
    double y[200], out[5], lower[5], upper[5], whole[5], later[5];
    uint64_t draw = 5;
    second_order(&draw, y, 200);
    norn_fitted *fitted = must_fit(&norn_model_ar, y, 200, 1, 5);
    const double level = 0.9;
    norn_fitted_forecast(fitted, (norn_view){y, 198, 0}, whole);
    (void)norn_fitted_interval(fitted, (norn_view){y, 198, 0}, &level, 1, lower, upper);
    for (size_t j = 0; j < 5; j++) later[j] = upper[j] - lower[j];
    y[198] = y[199] = NAN;
    norn_fitted_forecast(fitted, (norn_view){y, 200, 0}, out);
    (void)norn_fitted_interval(fitted, (norn_view){y, 200, 0}, &level, 1, lower, upper);
    for (size_t j = 0; j + 2 < 5; j++) {
        assert_near(out[j], whole[j + 2], 1e-12, 0);
        assert_near(upper[j] - lower[j], later[j + 2], 1e-12, 0);
    }
    norn_fitted_free(fitted);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_ar, 12, 20, true);
    try_degenerate(&norn_model_ar_burg, 12, 20, false);
}

static void a_million_rows_are_fitted(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *y = malloc(N * sizeof *y), out[3];
    uint64_t draw = 9;
    assert_non_null(y);
    second_order(&draw, y, N);
    must_forecast(&norn_model_ar_burg, y, N, 24, 3, out, 0.5, NULL, NULL);
    assert_near(out[0], 30.0 + 1.2 * (y[N - 1] - 30.0) - 0.6 * (y[N - 2] - 30.0), 0, 0.05);
    must_forecast(&norn_model_ar, y, N, 24, 3, out, 0.5, NULL, NULL);
    assert_near(out[0], 30.0 + 1.2 * (y[N - 1] - 30.0) - 0.6 * (y[N - 2] - 30.0), 0, 0.05);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_squares_and_its_order_are_those_of_statsmodels),
        cmocka_unit_test(burg_and_its_order_are_those_of_statsmodels),
        cmocka_unit_test(a_process_is_found_again_with_a_third_of_it_missing),
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(missing_values_at_the_end_widen_the_interval),
        cmocka_unit_test(degenerate_series_are_right),
        cmocka_unit_test(a_million_rows_are_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
