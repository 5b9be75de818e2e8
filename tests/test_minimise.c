/* The minimiser on functions whose minima are known. No OpenCL here. */
#include "support.h"

#include "forecast/minimise.h"

enum { MOST = 12 };

/* Rosenbrock's valley in n variables, minimum 0 at (1, ..., 1). */
static double valley(void *user, const double *x, double *gradient)
{
    const size_t n = *(const size_t *)user;
    double f = 0.0;
    for (size_t i = 0; gradient && i < n; i++) gradient[i] = 0.0;
    for (size_t i = 0; i + 1 < n; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        f += 100.0 * a * a + b * b;
        if (!gradient) continue;
        gradient[i] += -400.0 * a * x[i] - 2.0 * b;
        gradient[i + 1] += 200.0 * a;
    }
    return f;
}

static void the_valley_is_followed_to_its_end(void **state)
{
    (void)state;
    double work[MOST * MOST + 6 * MOST], x[MOST], plain[MOST];
    for (size_t n = 2; n <= 10; n += 4) {
        assert_in_range(norn_minimise_work(n), 1, NORN_COUNT(work));
        norn_objective o = {.n = n, .value = valley, .user = &n};
        for (size_t i = 0; i < n; i++) x[i] = plain[i] = i % 2 ? 1.0 : -1.2;
        assert_near(norn_minimise(&o, x, 500, 1e-14, work), 0, 0, 1e-12);
        for (size_t i = 0; i < n; i++) assert_near(x[i], 1, 1e-5, 0);
        o.differences = true;
        (void)norn_minimise(&o, plain, 500, 1e-14, work);
        for (size_t i = 0; i < n; i++) assert_near(plain[i], 1, 1e-4, 0);
    }
}

/* x^2 - 2 log x is nowhere below 0; its minimum is at 1. */
static double half_line(void *user, const double *x, double *gradient)
{
    (void)user;
    if (!(x[0] > 0.0)) return NAN;
    if (gradient) gradient[0] = 2.0 * x[0] - 2.0 / x[0];
    return x[0] * x[0] - 2.0 * log(x[0]);
}

static void it_never_stays_where_the_function_is_not(void **state)
{
    (void)state;
    const norn_objective o = {.n = 1, .value = half_line};
    static const double from[] = {1e-6, 0.3, 5.0, 1000.0};
    double work[7], x;
    for (size_t i = 0; i < NORN_COUNT(from); i++) {
        x = from[i];
        assert_near(norn_minimise(&o, &x, 5000, 1e-12, work), 1, 1e-9, 0);
        assert_near(x, 1, 1e-5, 0);
    }
    x = -1.0;
    assert_true(norn_minimise(&o, &x, 100, 1e-12, work) == INFINITY && x == -1.0);
}

/* A value without a slope to it, left of 1. */
static double without_a_slope(void *user, const double *x, double *gradient)
{
    (void)user;
    if (gradient) gradient[0] = x[0] < 1.0 ? NAN : 2.0 * x[0];
    return x[0] * x[0];
}

static void a_slope_that_is_no_number_is_outside_too(void **state)
{
    (void)state;
    const norn_objective o = {.n = 1, .value = without_a_slope};
    double work[7], x = 5.0;
    const double least = norn_minimise(&o, &x, 200, 1e-12, work);
    assert_true(x >= 1.0 && x < 5.0 && least == x * x);
    x = 0.5;
    assert_true(norn_minimise(&o, &x, 200, 1e-12, work) == INFINITY && x == 0.5);
}

/* (v - target)^2 of a bounded v. */
static double bounded(void *user, const double *x, double *gradient)
{
    double by;
    const double off = norn_within(x[0], -1.0, 3.0, &by) - *(const double *)user;
    if (gradient) gradient[0] = 2.0 * off * by;
    return off * off;
}

static void a_sine_reaches_both_bounds_and_what_lies_between(void **state)
{
    (void)state;
    static const double targets[] = {-7.0, -1.0, 0.0, 2.5, 3.0, 11.0};
    double work[7], by;
    for (size_t i = 0; i < NORN_COUNT(targets); i++) {
        double target = targets[i], x = norn_within_of(0.5, -1.0, 3.0);
        assert_near(norn_within(x, -1.0, 3.0, &by), 0.5, 1e-14, 0);
        const norn_objective o = {.n = 1, .value = bounded, .user = &target};
        (void)norn_minimise(&o, &x, 500, 1e-14, work);
        assert_near(norn_within(x, -1.0, 3.0, &by), fmin(fmax(target, -1.0), 3.0), 0, 1e-4);
    }
    assert_near(norn_within(norn_within_of(9.0, -1.0, 3.0), -1.0, 3.0, &by), 3.0, 1e-14, 0);
}

static double waves(void *user, double x)
{
    (void)user;
    return cos(3.0 * x) + 0.1 * (x - 4.0) * (x - 4.0);
}

static void the_best_valley_of_a_line_is_found(void **state)
{
    (void)state;
    double least = INFINITY, at = 0.0;
    for (double x = -2.0; x <= 8.0; x += 1e-5)
        if (waves(NULL, x) < least) {
            least = waves(NULL, x);
            at = x;
        }
    assert_near(norn_minimise_line(waves, NULL, -2.0, 8.0, 30, 1e-9), at, 0, 2e-5);
    assert_near(norn_minimise_line(waves, NULL, 4.4, 4.9, 3, 1e-9), 4.9, 0, 1e-7); /* on the bound */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_valley_is_followed_to_its_end),
        cmocka_unit_test(it_never_stays_where_the_function_is_not),
        cmocka_unit_test(a_slope_that_is_no_number_is_outside_too),
        cmocka_unit_test(a_sine_reaches_both_bounds_and_what_lies_between),
        cmocka_unit_test(the_best_valley_of_a_line_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
