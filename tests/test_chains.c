/* Hidden Markov models, Markov chains and volatility: by hand, beside the package arch, on simulated
 * processes and on series that hold nothing. No OpenCL here. */
#include "univariate.h"

#include "forecast/garch.h"
#include "forecast/hmm.h"
#include "golden/arima.h"

/* ---- hidden Markov models ---- */

static const norn_hmm two_regimes = {.k = 2,
                                     .start = {0.3, 0.7},
                                     .transition = {{0.8, 0.2}, {0.1, 0.9}},
                                     .mean = {0.0, 3.0},
                                     .variance = {1.0, 4.0}};

static double normal(double x, double mean, double variance)
{
    return exp(-0.5 * (x - mean) * (x - mean) / variance) / sqrt(2.0 * 3.14159265358979323846 * variance);
}

/* The sum over all ways that the regimes may have gone. */
static void the_likelihood_is_the_sum_over_all_paths(void **state)
{
    (void)state;
    const double y[6] = {0.5, 2.0, NAN, -1.0, 4.0, 3.0};
    const norn_hmm *const m = &two_regimes;
    double all = 0.0, last[2] = {0.0, 0.0}, next[2];
    for (unsigned path = 0; path < 64; path++) {
        double chance = m->start[path & 1];
        for (unsigned t = 0; t < 6; t++) {
            const unsigned now = path >> t & 1;
            if (t) chance *= m->transition[path >> (t - 1) & 1][now];
            if (!isnan(y[t])) chance *= normal(y[t], m->mean[now], m->variance[now]);
        }
        all += chance;
        last[path >> 5 & 1] += chance;
    }
    assert_near(norn_hmm_likelihood(m, y, 6, next), log(all), 1e-13, 0);
    for (size_t j = 0; j < 2; j++)
        assert_near(next[j], (last[0] * m->transition[0][j] + last[1] * m->transition[1][j]) / all, 1e-13, 0);
}

/* 0 and 5 with deviations 1 and 2, in stretches of 20 and 10 rows on average. */
static void regimes(uint64_t *state, double *y, size_t n)
{
    int now = 0;
    for (size_t t = 0; t < n; t++) {
        double chance = 0.5 * erfc(-noise(state) / sqrt(2.0));
        if (chance < (now ? 0.1 : 0.05)) now = !now;
        y[t] = now ? 5.0 + 2.0 * noise(state) : noise(state);
    }
}

static void regimes_are_found_again_with_values_missing(void **state)
{
    (void)state;
    enum { N = 4000 };
    double *y = malloc(N * sizeof *y), *work = malloc(norn_hmm_work(N) * sizeof *work);
    uint64_t draw = 2;
    assert_true(y && work);
    regimes(&draw, y, N);
    for (size_t t = 3; t < N; t += 7) y[t] = NAN;
    norn_hmm m = {.k = 2}, three = {.k = 3}, one = {.k = 1};
    assert_true(norn_hmm_fit(&m, y, N, NULL, work));
    assert_near(m.mean[0], 0.0, 0, 0.1);
    assert_near(m.mean[1], 5.0, 0, 0.3);
    assert_near(sqrt(m.variance[0]), 1.0, 0, 0.1);
    assert_near(sqrt(m.variance[1]), 2.0, 0, 0.2);
    assert_near(m.transition[0][1], 0.05, 0, 0.02);
    assert_near(m.transition[1][0], 0.1, 0, 0.03);
    /* a maximum: no parameter is better a little to either side */
    for (int k = 0; k < 4; k++) {
        norn_hmm other = m;
        double *const moved[] = {&other.mean[0], &other.mean[1], &other.variance[0], &other.variance[1]};
        *moved[k] *= 1.05;
        assert_true(norn_hmm_likelihood(&other, y, N, NULL) < m.likelihood);
        *moved[k] *= 0.95 / 1.05;
        assert_true(norn_hmm_likelihood(&other, y, N, NULL) < m.likelihood);
    }
    assert_true(norn_hmm_fit(&three, y, N, NULL, work) && norn_hmm_fit(&one, y, N, NULL, work));
    assert_true(m.bic < three.bic && m.bic < one.bic);
    assert_true(three.likelihood > m.likelihood - 1.0);
    norn_fitted *fitted = must_fit(&norn_model_hmm, y, N, 1, 400);
    double out[400];
    norn_fitted_forecast(fitted, (norn_view){y, N, 0}, out);
    assert_near(explained(fitted, "regimes"), 2, 0, 0);
    /* far ahead only the shares of the regimes are left: 2/3 and 1/3 */
    assert_near(out[399], 5.0 / 3.0, 0, 0.3);
    norn_fitted_free(fitted);
    free(y);
    free(work);
}

/* ---- Markov chains ---- */

static void a_chain_counts_its_transitions(void **state)
{
    (void)state;
    /* 1 1 2 1 1 2 ...: of 2 rows in 3 a one; two bins */
    double y[39], out[2];
    for (size_t i = 0; i < 39; i++) y[i] = i % 3 == 2 ? 2.0 : 1.0;
    /* from 1: 13 times to 1, 13 times to 2; from 2: 12 times to 1; and a row spread evenly over both */
    const double one = (13.0 + 0.5) / 27.0, two = (12.0 + 0.5) / 13.0;
    must_forecast(&norn_model_markov, y, 39, 1, 2, out, 0.9, NULL, NULL);
    assert_near(out[0], 2.0 - two, 1e-14, 0);
    assert_near(out[1], 2.0 - (two * one + (1.0 - two) * two), 1e-14, 0);
    y[38] = NAN; /* from the one before it, a row further on */
    must_forecast(&norn_model_markov, y, 39, 1, 2, out, 0.9, NULL, NULL);
    const double from_two = (12.0 + 0.5) / 13.0, from_one = (13.0 + 0.5) / 26.0;
    assert_near(out[0], 2.0 - (from_one * from_one + (1.0 - from_one) * from_two), 1e-14, 0);
}

/* ---- volatility ---- */

static void volatility_is_that_of_the_package_arch(void **state)
{
    (void)state;
    const size_t n = NORN_COUNT(garch_r);
    double work[NORN_GARCH_WORK], v[10];
    norn_garch g = {garch_fit[0], garch_fit[1], garch_fit[2], garch_fit[3], 0.0, 0.0};
    assert_near(norn_garch_likelihood(&g, garch_r, n), garch_fit[4], 0, 1e-7);
    norn_garch_variances(&g, 10, v);
    assert_all_near(v, garch_variance, 10, 1e-9, 0);
    assert_true(norn_garch_fit(&g, garch_r, n, NULL, work));
    assert_true(g.likelihood > garch_fit[4] - 1e-3);
    assert_near(g.alpha, garch_fit[2], 0, 1e-3);
    assert_near(g.beta, garch_fit[3], 0, 1e-3);
}

static void prices(uint64_t *state, double *y, size_t n)
{
    double v = 1e-4, e = 0.0, level = log(100.0);
    for (size_t t = 0; t < n; t++) {
        v = 2e-6 + 0.1 * e * e + 0.88 * v;
        e = sqrt(v) * noise(state);
        y[t] = exp(level += 1e-4 + e);
    }
}

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    assert_near(coverage(&norn_model_garch, prices, 1000, 1, 10, 0.9, 300), 0.9, 0, 0.03);
    assert_near(coverage(&norn_model_hmm, regimes, 400, 1, 10, 0.9, 200), 0.9, 0, 0.03);
    /* a bin is taken to be filled evenly over all of its span, and the outer ones are not */
    assert_near(coverage(&norn_model_markov, regimes, 400, 1, 10, 0.9, 300), 0.92, 0, 0.03);
}

static void degenerate_series_are_right(void **state)
{
    (void)state;
    try_degenerate(&norn_model_hmm, 12, 20, false);
    try_degenerate(&norn_model_markov, 12, 20, false);
    try_degenerate(&norn_model_garch, 12, 20, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likelihood_is_the_sum_over_all_paths),
        cmocka_unit_test(regimes_are_found_again_with_values_missing),
        cmocka_unit_test(a_chain_counts_its_transitions),
        cmocka_unit_test(volatility_is_that_of_the_package_arch),
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(degenerate_series_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
