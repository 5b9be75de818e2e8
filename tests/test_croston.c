/* Croston's method and its correction: golden values, and counting by hand. No OpenCL here. */
#include "univariate.h"

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

/* Demands with probability 0.3, sizes of 10 +- 2: what Croston had in mind. */
static void demands(uint64_t *draw, double *y, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        *draw = *draw * 6364136223846793005u + 1442695040888963407u;
        const bool asked = (double)(*draw >> 11) / 9007199254740992.0 < 0.3;
        const double size = 10.0 + 2.0 * noise(draw);
        y[t] = asked ? size : 0.0;
    }
}

/* The upper bound is a quantile: so many rows lie above it. Below the lower one, which is 0, none can. */
static void bounds_are_quantiles_of_rows_with_and_without_a_demand(void **state)
{
    (void)state;
    enum { N = 200, H = 5, TIMES = 1500 };
    static const double levels[] = {0.8, 0.95};
    double y[N + H], out[H], lower[H], upper[H];
    for (size_t l = 0; l < NORN_COUNT(levels); l++) {
        uint64_t draw = 31;
        size_t above = 0;
        for (size_t k = 0; k < TIMES; k++) {
            demands(&draw, y, N + H);
            must_forecast(k % 2 ? &norn_model_croston : &norn_model_croston_sba, y, N, 1, H, out, levels[l],
                          lower, upper);
            for (size_t j = 0; j < H; j++) {
                assert_true(lower[j] == 0.0);
                above += y[N + j] > upper[j];
            }
        }
        const double want = 0.5 - 0.5 * levels[l];
        assert_near((double)above / (double)(TIMES * H), want, 0, 0.012);
    }
}

/* By hand: demands 6, 16, 6 with p 1: sizes 6, then 7, then 6.9, off by 10 and -1. */
static void bounds_of_a_demand_in_every_row_are_those_of_its_size(void **state)
{
    (void)state;
    const double y[] = {6, 16, 6}, level = 0.6826894921370859;
    double out[1], lower[1], upper[1];
    must_forecast(&norn_model_croston, y, 3, 1, 1, out, level, lower, upper);
    assert_near(out[0], 6.9, 1e-14, 0);
    assert_near(upper[0], 6.9 + sqrt(101.0 / 2.0), 1e-12, 0);
    assert_true(lower[0] == 0.0); /* 6.9 - 7.1, and no demand was below 0 */
    must_forecast(&norn_model_croston, y, 2, 1, 1, out, level, lower, upper);
    assert_true(isnan(lower[0]) && isnan(upper[0]));
    const double returned[] = {6, -16, 6}; /* goods sent back */
    must_forecast(&norn_model_croston, returned, 3, 1, 1, out, level, lower, upper);
    assert_true(lower[0] < 0.0);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_croston, 1, 20, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecasts_are_those_of_others),
        cmocka_unit_test(sizes_and_intervals_are_counted_at_demands),
        cmocka_unit_test(without_a_demand_none_is_forecast),
        cmocka_unit_test(bounds_are_quantiles_of_rows_with_and_without_a_demand),
        cmocka_unit_test(bounds_of_a_demand_in_every_row_are_those_of_its_size),
        cmocka_unit_test(degenerate_series_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
