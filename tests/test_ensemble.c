/* Ensembles beside their members. No OpenCL here. */
#include "univariate.h"

enum { H = 12 };

static const norn_forecaster *const members[] = {&norn_model_ets, &norn_model_arima,
                                                 &norn_model_dynamic_optimised_theta, &norn_model_comb};

static void the_ensemble_is_the_median_of_its_members(void **state)
{
    (void)state;
    double y[MOST], out[H], lower[H], upper[H], each[4][H];
    const size_t n = dataset("air_passengers.csv", y);
    for (size_t i = 0; i < 4; i++) must_forecast(members[i], y, n, 12, H, each[i], 0.9, NULL, NULL);
    must_forecast(&norn_model_ensemble, y, n, 12, H, out, 0.9, lower, upper);
    for (size_t j = 0; j < H; j++) {
        double sum = 0.0, low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < 4; i++) {
            sum += each[i][j];
            low = fmin(low, each[i][j]);
            high = fmax(high, each[i][j]);
        }
        assert_near(out[j], 0.5 * (sum - low - high), 1e-12, 0); /* of four: the mean of the middle two */
        assert_true(lower[j] < out[j] && out[j] < upper[j]);
    }
}

static void weights_follow_from_the_errors_on_past_folds(void **state)
{
    (void)state;
    double y[MOST], out[H], each[4][H], squares[4] = {0.0}, weight[4], sum = 0.0;
    const size_t n = dataset("air_passengers.csv", y);
    for (size_t fold = 1; fold <= 3; fold++)
        for (size_t i = 0; i < 4; i++) {
            const size_t before = n - fold * H;
            must_forecast(members[i], y, before, 12, H, each[i], 0.9, NULL, NULL);
            for (size_t j = 0; j < H; j++)
                squares[i] += (each[i][j] - y[before + j]) * (each[i][j] - y[before + j]);
        }
    for (size_t i = 0; i < 4; i++) sum += 1.0 / squares[i];
    for (size_t i = 0; i < 4; i++) weight[i] = 1.0 / squares[i] / sum;
    norn_fitted *fitted = must_fit(&norn_model_ensemble_weighted, y, n, 12, H);
    for (size_t i = 0; i < 4; i++) assert_near(explained(fitted, members[i]->name), weight[i], 0, 1e-4);
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    for (size_t i = 0; i < 4; i++) must_forecast(members[i], y, n, 12, H, each[i], 0.9, NULL, NULL);
    for (size_t j = 0; j < H; j++) {
        double want = 0.0;
        for (size_t i = 0; i < 4; i++) want += weight[i] * each[i][j];
        assert_near(out[j], want, 1e-6, 0);
    }
    norn_fitted_free(fitted);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_ensemble, 12, H, false);
    try_degenerate(&norn_model_ensemble_weighted, 12, H, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ensemble_is_the_median_of_its_members),
        cmocka_unit_test(weights_follow_from_the_errors_on_past_folds),
        cmocka_unit_test(degenerate_series_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
