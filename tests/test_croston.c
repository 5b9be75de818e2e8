/* Croston's method and its correction: golden values, and counting by hand. No OpenCL here. */
#include "support.h"

#include "forecast/forecaster.h"
#include "golden/classical.h"

static double forecast_of(const norn_forecaster *kind, const double *y, size_t n, size_t to)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    double out[3];
    const norn_forecaster_setup setup = {.horizon = 3, .season = 1, .window = 1, .rows = n > to ? n : to};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    norn_fitted_forecast(fitted, (norn_view){y, to, 0}, out);
    norn_fitted_free(fitted);
    assert_true(out[1] == out[0] && out[2] == out[0]);
    return out[0];
}

static void forecasts_are_those_of_others(void **state)
{
    (void)state;
    assert_near(forecast_of(&norn_model_croston, demand_0_y, 60, 60), demand_0[0], 1e-12, 0);
    assert_near(forecast_of(&norn_model_croston_sba, demand_0_y, 60, 60), demand_0[1], 1e-12, 0);
    assert_near(forecast_of(&norn_model_croston, demand_1_y, 60, 60), demand_1[0], 1e-12, 0);
    assert_near(forecast_of(&norn_model_croston_sba, demand_1_y, 60, 60), demand_1[1], 1e-12, 0);
}

static void sizes_and_intervals_are_counted_at_demands(void **state)
{
    (void)state;
    const double y[] = {0, 0, 6, 0, 0, 0, 16, 0, NAN, 0, 6};
    /* the third row: z 6, p 3; four rows later: z 7, p 3.1; then three, the missing one not
     * counted: 6.9, 3.09 */
    assert_near(forecast_of(&norn_model_croston, y, 6, 6), 2.0, 1e-15, 0);
    assert_near(forecast_of(&norn_model_croston, y, 7, 7), 7.0 / 3.1, 1e-15, 0);
    assert_near(forecast_of(&norn_model_croston, y, 11, 11), 6.9 / 3.09, 1e-14, 0);
    assert_near(forecast_of(&norn_model_croston_sba, y, 11, 11), 0.95 * 6.9 / 3.09, 1e-14, 0);
    /* fitted earlier, it follows what it may see */
    assert_near(forecast_of(&norn_model_croston, y, 4, 11), 6.9 / 3.09, 1e-14, 0);
    assert_near(forecast_of(&norn_model_croston, y, 11, 7), 16.0, 0, 0); /* before the fit's end: naive */
}

static void without_a_demand_none_is_forecast(void **state)
{
    (void)state;
    const double y[] = {0, 0, 0, NAN, 0}, none[] = {NAN, NAN};
    assert_true(forecast_of(&norn_model_croston, y, 5, 5) == 0.0);
    assert_true(forecast_of(&norn_model_croston_sba, y, 1, 5) == 0.0);
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    double out[2];
    const norn_forecaster_setup setup = {.horizon = 2, .season = 1, .window = 1, .rows = 2};
    assert_ok(norn_fitted_new(&fitted, &norn_model_croston, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){none, 2, 0});
    norn_fitted_forecast(fitted, (norn_view){none, 2, 0}, out);
    assert_true(isnan(out[0]) && isnan(out[1]));
    norn_fitted_free(fitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecasts_are_those_of_others),
        cmocka_unit_test(sizes_and_intervals_are_counted_at_demands),
        cmocka_unit_test(without_a_demand_none_is_forecast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
