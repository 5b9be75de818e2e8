/*
 * Tests of significance and their distributions, beside SciPy and statsmodels. No OpenCL here.
 */
#include "support.h"

#include "backtest/significance.h"
#include "golden/backtest.h"

static void student_and_chi_square_are_those_of_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(student); i += 3) {
        assert_near_at(norn_student_tails(student[i + 1], student[i]), student[i + 2], 1e-12, 1e-300, i,
                       __FILE__, __LINE__);
        assert_true(norn_student_tails(-student[i + 1], student[i]) ==
                    norn_student_tails(student[i + 1], student[i]));
    }
    for (size_t i = 0; i < NORN_COUNT(chi_square); i += 3)
        assert_near_at(norn_chi_square_tail(chi_square[i + 1], chi_square[i]), chi_square[i + 2], 1e-12,
                       1e-300, i, __FILE__, __LINE__);
    /* what can be said without a table: P(X >= x) = exp(-x/2) of two degrees, and arcus tangens of one */
    assert_near(norn_chi_square_tail(3.0, 2.0), exp(-1.5), 1e-14, 0);
    assert_near(norn_student_tails(1.0, 1.0), 0.5, 1e-14, 0);
    assert_near(norn_chi_square_tail(1e6, 1e6), 0.5, 1e-3, 0);
    assert_true(isnan(norn_student_tails(NAN, 3)) && isnan(norn_chi_square_tail(1, 0)));
    assert_true(norn_student_tails(INFINITY, 3) == 0.0);
}

static void assert_dm(norn_comparison got, const double *want, size_t n, size_t lags)
{
    assert_int_equal(got.cutoffs, n);
    assert_int_equal(got.lags, lags);
    assert_int_equal(got.no_lags, 0);
    assert_near(got.statistic, want[0], 1e-12, 0);
    assert_near(got.p, want[1], 1e-11, 0);
}

static void diebold_mariano_has_the_correction_of_harvey_leybourne_and_newbold(void **state)
{
    (void)state;
    assert_dm(norn_diebold_mariano(dm_d, 40, 0), dm_0, 40, 0);
    assert_dm(norn_diebold_mariano(dm_d, 40, 1), dm_1, 40, 1);
    assert_dm(norn_diebold_mariano(dm_d, 12, 3), dm_3, 12, 3);
    double minus[40];
    for (size_t i = 0; i < 40; i++) minus[i] = -dm_d[i];
    const norn_comparison one = norn_diebold_mariano(dm_d, 40, 2), other = norn_diebold_mariano(minus, 40, 2);
    assert_true(one.statistic == -other.statistic && one.p == other.p);
    assert_true(one.difference == -other.difference);
}

static void diebold_mariano_says_nothing_under_eight_cutoffs(void **state)
{
    (void)state;
    const norn_comparison few = norn_diebold_mariano(dm_d, 7, 0);
    assert_true(isnan(few.p) && isnan(few.statistic) && isfinite(few.difference));
    assert_true(isfinite(norn_diebold_mariano(dm_d, 8, 0).p));
    const norn_comparison none = norn_diebold_mariano(dm_d, 0, 0);
    assert_true(isnan(none.p) && isnan(none.difference));
}

static void diebold_mariano_says_nothing_of_two_that_differ_by_a_constant(void **state)
{
    (void)state;
    double d[12] = {0};
    assert_true(isnan(norn_diebold_mariano(d, 12, 1).p));
    for (size_t i = 0; i < 12; i++) d[i] = 0.1;
    assert_true(isnan(norn_diebold_mariano(d, 12, 1).p));
}

/* Differentials that swing have a negative variance with a lag: r_1 is near -1. */
static void a_variance_that_is_not_positive_is_taken_without_lags(void **state)
{
    (void)state;
    double d[10];
    for (size_t i = 0; i < 10; i++) d[i] = (i % 2 ? 1.0 : -1.0) + 0.25;
    const norn_comparison swings = norn_diebold_mariano(d, 10, 1), alone = norn_diebold_mariano(d, 10, 0);
    assert_int_equal(swings.no_lags, 1);
    assert_int_equal(alone.no_lags, 0);
    assert_true(isfinite(swings.p) && swings.p == alone.p);
}

static void autocorrelation_ljung_box_and_moments_are_those_of_statsmodels_and_scipy(void **state)
{
    (void)state;
    double c[11];
    const size_t n = NORN_COUNT(residual);
    norn_residuals r;
    assert_int_equal(norn_autocovariance(residual, n, 10, c), n);
    for (size_t k = 0; k <= 10; k++)
        assert_near_at(c[k] / c[0], residual_acf[k], 1e-12, 1e-15, k, __FILE__, __LINE__);
    const double q = norn_ljung_box(c, n, 10);
    assert_near(q, ljung_box_10[0], 1e-12, 0);
    assert_near(norn_chi_square_tail(q, 10), ljung_box_10[1], 1e-11, 0);
    norn_moments_of(residual, n, &r);
    assert_int_equal(r.rows, n);
    assert_near(r.mean, residual_moments[0], 1e-12, 0);
    assert_near(r.deviation, residual_moments[1], 1e-12, 0);
    assert_near(r.skewness, residual_moments[2], 1e-11, 0);
    assert_near(r.kurtosis, residual_moments[3], 1e-11, 0);
}

static void residuals_that_are_missing_or_all_the_same_have_no_test(void **state)
{
    (void)state;
    const double same[] = {2, 2, NAN, 2}, one[] = {NAN, 3};
    double c[3];
    norn_residuals r;
    assert_int_equal(norn_autocovariance(same, 4, 2, c), 3);
    assert_true(c[0] == 0.0 && isnan(norn_ljung_box(c, 3, 2)));
    norn_moments_of(same, 4, &r);
    assert_true(r.rows == 3 && r.mean == 2 && r.deviation == 0 && isnan(r.skewness));
    norn_moments_of(one, 2, &r);
    assert_true(r.rows == 1 && isnan(r.deviation));
    norn_moments_of(one, 1, &r);
    assert_true(r.rows == 0 && isnan(r.mean));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(student_and_chi_square_are_those_of_scipy),
        cmocka_unit_test(diebold_mariano_has_the_correction_of_harvey_leybourne_and_newbold),
        cmocka_unit_test(diebold_mariano_says_nothing_under_eight_cutoffs),
        cmocka_unit_test(diebold_mariano_says_nothing_of_two_that_differ_by_a_constant),
        cmocka_unit_test(a_variance_that_is_not_positive_is_taken_without_lags),
        cmocka_unit_test(autocorrelation_ljung_box_and_moments_are_those_of_statsmodels_and_scipy),
        cmocka_unit_test(residuals_that_are_missing_or_all_the_same_have_no_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
