/* STL and MSTL beside statsmodels, with missing values and with outliers. No OpenCL here. */
#include "support.h"

#include "base/base.h"
#include "forecast/stl.h"
#include "golden/arima.h"

enum { MOST = 128 };

static void assert_all_near(const double *got, const double *want, size_t count, double absolute)
{
    for (size_t i = 0; i < count; i++) assert_near_at(got[i], want[i], 0, absolute, i, __FILE__, __LINE__);
}

/* Work that ends where it says: behind it stands a canary. */
static double *new_work(size_t count)
{
    double *work = malloc((count + 1) * sizeof *work);
    assert_non_null(work);
    for (size_t i = 0; i <= count; i++) work[i] = 1e300;
    return work;
}

static void decompose(const norn_stl_setup *setup, const double *y, size_t n, double *season, double *trend,
                      double *weight)
{
    const size_t count = norn_stl_work(n, setup->period);
    double *work = new_work(count);
    norn_stl(setup, y, n, season, trend, weight, work);
    assert_true(work[count] == 1e300);
    free(work);
}

static void stl_is_that_of_statsmodels(void **state)
{
    (void)state;
    double season[MOST], trend[MOST], weight[MOST];
    const size_t n = NORN_COUNT(stl_y);
    norn_stl_setup setup = norn_stl_defaults(12, false);
    setup.seasonal_jump = setup.trend_jump = setup.low_pass_jump = 1;
    decompose(&setup, stl_y, n, season, trend, weight);
    assert_all_near(season, stl_plain_season, n, 1e-10);
    assert_all_near(trend, stl_plain_trend, n, 1e-10);
    for (size_t i = 0; i < n; i++) assert_true(weight[i] == 1.0);

    setup = norn_stl_defaults(12, true);
    setup.seasonal_jump = setup.low_pass_jump = 2;
    setup.trend_jump = 3;
    decompose(&setup, stl_y, n, season, trend, weight);
    assert_all_near(season, stl_robust_season, n, 1e-9);
    assert_all_near(trend, stl_robust_trend, n, 1e-9);
    assert_all_near(weight, stl_robust_weight, n, 1e-9);
    assert_true(weight[20] == 0.0 && weight[47] == 0.0); /* the outliers */

    setup = norn_stl_defaults(7, false);
    setup.seasonal = 3;
    setup.trend = 9;
    setup.low_pass = 9;
    setup.seasonal_jump = setup.trend_jump = setup.low_pass_jump = 1;
    decompose(&setup, stl_y, 51, season, trend, weight);
    assert_all_near(season, stl_narrow_season, 51, 1e-10);
    assert_all_near(trend, stl_narrow_trend, 51, 1e-10);
}

static void mstl_is_that_of_statsmodels(void **state)
{
    (void)state;
    const size_t periods[] = {6, 24}, n = NORN_COUNT(mstl_y), count = norn_mstl_work(n, 24);
    double seasons[2 * MOST], trend[MOST], *work = new_work(count);
    norn_mstl(periods, 2, false, mstl_y, n, seasons, trend, work);
    assert_true(work[count] == 1e300);
    assert_all_near(seasons, mstl_first, n, 1e-9);
    assert_all_near(seasons + n, mstl_second, n, 1e-9);
    assert_all_near(trend, mstl_trend, n, 1e-9);
    free(work);
}

/* An additive season and a line are found as they are, whatever is missing: a value, a whole season, all
 * values of a place but one. */
static void missing_values_have_no_weight(void **state)
{
    (void)state;
    double y[96], season[96], trend[96], weight[96];
    for (int robust = 0; robust < 2; robust++)
        for (int what = 0; what < 4; what++) {
            for (size_t i = 0; i < 96; i++) {
                y[i] = 100.0 + 0.5 * (double)i + 10.0 * sin(2.0 * 3.14159265358979323846 * (double)i / 12.0);
                if ((what == 1 && i % 7 == 3) || (what == 2 && i >= 30 && i < 42) ||
                    (what == 3 && i % 12 == 5 && i != 41))
                    y[i] = NAN;
            }
            norn_stl_setup setup = norn_stl_defaults(12, robust);
            setup.inner = 30; /* until nothing moves */
            decompose(&setup, y, 96, season, trend, weight);
            for (size_t i = 0; i < 96; i++) {
                /* the trend that got into the season is worked out over a year on either side */
                const double off =
                    fabs(season[i] - 10.0 * sin(2.0 * 3.14159265358979323846 * (double)i / 12.0));
                if (off > 0.2) print_error("robust %d, case %d, row %zu: off by %g\n", robust, what, i, off);
                assert_true(off <= 0.2);
                assert_true(fabs(season[i] + trend[i] -
                                 (100.0 + 0.5 * (double)i +
                                  10.0 * sin(2.0 * 3.14159265358979323846 * (double)i / 12.0))) < 0.2);
                assert_true(isnan(y[i]) == (weight[i] == 0.0) || robust);
                if (isnan(y[i])) assert_true(weight[i] == 0.0);
            }
        }
}

static void a_constant_has_no_season(void **state)
{
    (void)state;
    double y[48], season[48], trend[48], weight[48];
    for (int robust = 0; robust < 2; robust++) {
        const norn_stl_setup setup = norn_stl_defaults(12, robust);
        for (size_t i = 0; i < 48; i++) y[i] = 1e9;
        decompose(&setup, y, 48, season, trend, weight);
        for (size_t i = 0; i < 48; i++) {
            assert_near(season[i], 0, 0, 1e-4);
            assert_near(trend[i], 1e9, 1e-12, 0);
        }
        for (size_t i = 0; i < 48; i++) y[i] = NAN;
        decompose(&setup, y, 48, season, trend, weight);
        for (size_t i = 0; i < 48; i++) assert_true(season[i] == 0 && trend[i] == 0 && weight[i] == 0);
    }
}

static void outliers_leave_no_mark_on_a_robust_season(void **state)
{
    (void)state;
    double y[120], clean[2][120], marked[2][120], trend[120], weight[120], off[2] = {0, 0};
    for (size_t i = 0; i < 120; i++) y[i] = (double)(i % 12) + 0.1 * (double)(i * i % 7);
    for (int robust = 0; robust < 2; robust++) {
        const norn_stl_setup setup = norn_stl_defaults(12, robust);
        decompose(&setup, y, 120, clean[robust], trend, weight);
    }
    y[40] += 500.0;
    y[77] -= 500.0;
    for (int robust = 0; robust < 2; robust++) {
        const norn_stl_setup setup = norn_stl_defaults(12, robust);
        decompose(&setup, y, 120, marked[robust], trend, weight);
        for (size_t i = 0; i < 120; i++)
            off[robust] = fmax(off[robust], fabs(marked[robust][i] - clean[robust][i]));
    }
    assert_true(off[0] > 50.0);
    assert_true(off[1] < 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stl_is_that_of_statsmodels),
        cmocka_unit_test(mstl_is_that_of_statsmodels),
        cmocka_unit_test(missing_values_have_no_weight),
        cmocka_unit_test(a_constant_has_no_season),
        cmocka_unit_test(outliers_leave_no_mark_on_a_robust_season),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
