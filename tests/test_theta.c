/*
 * Theta, its optimised forms and Comb beside golden values, with a season, with missing values and with the
 * width of their intervals. No OpenCL here.
 */
#include "support.h"

#include "forecast/adjust.h"
#include "forecast/forecaster.h"
#include "golden/classical.h"

enum { H = 8 };

static norn_fitted *fitted_on(const norn_forecaster *kind, const double *y, size_t n, size_t rows, size_t m,
                              size_t h)
{
    norn_error err = NORN_ERROR_INIT;
    norn_fitted *fitted = NULL;
    const norn_forecaster_setup setup = {.horizon = h, .season = m, .window = 1, .rows = rows};
    assert_ok(norn_fitted_new(&fitted, kind, &setup, NULL, &err), &err);
    norn_fitted_fit(fitted, (norn_view){y, n, 0});
    return fitted;
}

static void once(const norn_forecaster *kind, const double *y, size_t n, size_t m, double *out)
{
    norn_fitted *fitted = fitted_on(kind, y, n, n, m, H);
    norn_fitted_forecast(fitted, (norn_view){y, n, 0}, out);
    norn_fitted_free(fitted);
}

static const char *explained(const norn_fitted *fitted, const char *name)
{
    static norn_explained lines[32];
    norn_explanation text = {lines, NORN_COUNT(lines), 0};
    norn_fitted_explain(fitted, &text);
    for (size_t i = 0; i < text.count && i < NORN_COUNT(lines); i++)
        if (strcmp(lines[i].name, name) == 0) return lines[i].value;
    fail_msg("nothing is said of %s", name);
    return "";
}

/* ---- golden values ---- */

static void theta_is_the_mean_of_a_line_and_a_smoothed_one(void **state)
{
    (void)state;
    double out[H];
    once(&norn_model_theta, wander_y, NORN_COUNT(wander_y), 1, out);
    for (size_t j = 0; j < H; j++) assert_near(out[j], theta_wander[j], 1e-6, 0);
    once(&norn_model_theta, below_y, NORN_COUNT(below_y), 1, out);
    for (size_t j = 0; j < H; j++) assert_near(out[j], theta_below[j], 1e-4, 1e-4);
}

static void optimised_theta_is_the_least_sum_of_squares_of_the_paper(void **state)
{
    (void)state;
    const struct {
        const norn_forecaster *kind;
        const double *y, *golden;
        size_t n;
    } cases[] = {
        {&norn_model_optimised_theta, wander_y, otm_wander, NORN_COUNT(wander_y)},
        {&norn_model_optimised_theta, below_y, otm_below, NORN_COUNT(below_y)},
        {&norn_model_dynamic_optimised_theta, wander_y, dotm_wander, NORN_COUNT(wander_y)},
        {&norn_model_dynamic_optimised_theta, below_y, dotm_below, NORN_COUNT(below_y)},
    };
    for (size_t c = 0; c < NORN_COUNT(cases); c++) {
        double out[H];
        norn_fitted *fitted = fitted_on(cases[c].kind, cases[c].y, cases[c].n, cases[c].n, 1, H);
        norn_fitted_forecast(fitted, (norn_view){cases[c].y, cases[c].n, 0}, out);
        assert_near_at(atof(explained(fitted, "alpha")), cases[c].golden[0], 0, 2e-4, c, __FILE__, __LINE__);
        /* sigma: over the rows that are counted, less three numbers */
        const double squares = cases[c].golden[2] / (double)(cases[c].n - 2 - 3);
        assert_near_at(atof(explained(fitted, "sigma")), sqrt(squares), 1e-4, 0, c, __FILE__, __LINE__);
        for (size_t j = 0; j < H; j++)
            assert_near_at(out[j], cases[c].golden[3 + j], 1e-4, 0, 100 * c + j, __FILE__, __LINE__);
        norn_fitted_free(fitted);
    }
}

static void comb_is_the_mean_of_three(void **state)
{
    (void)state;
    static const norn_forecaster *const members[] = {&norn_model_ses, &norn_model_holt,
                                                     &norn_model_damped_holt};
    double out[H], one[H], mean[H] = {0};
    for (size_t k = 0; k < 3; k++) {
        once(members[k], wander_y, NORN_COUNT(wander_y), 1, one);
        for (size_t j = 0; j < H; j++) mean[j] += one[j] / 3.0;
    }
    once(&norn_model_comb, wander_y, NORN_COUNT(wander_y), 1, out);
    for (size_t j = 0; j < H; j++) assert_near(out[j], mean[j], 2e-3, 0);
    assert_true(fabs(out[H - 1] - out[0]) > 1e-3);
}

/* ---- the season ---- */

static const norn_forecaster *const adjusted[] = {&norn_model_theta, &norn_model_optimised_theta,
                                                  &norn_model_dynamic_optimised_theta, &norn_model_comb};

/* What is forecast of a series with a season is what is forecast of the adjusted one, times the figure. */
static void the_season_is_divided_out_and_multiplied_in_again(void **state)
{
    (void)state;
    enum { N = 120, M = 12 };
    double y[N], plain[N], figure[M], counts[M], out[H], want[H];
    for (size_t t = 0; t < N; t++)
        y[t] = (50.0 + 0.3 * (double)t + (double)(t * t % 7)) *
               (1.0 + 0.3 * sin(0.5235987755982988 * (double)t));
    assert_true(norn_season_figure((norn_view){y, N, 5}, M, figure, counts));
    for (size_t t = 0; t < N; t++) plain[t] = y[t] / figure[(t + 5) % M];
    for (size_t k = 0; k < NORN_COUNT(adjusted); k++) {
        norn_error err = NORN_ERROR_INIT;
        norn_fitted *fitted = NULL;
        const norn_forecaster_setup setup = {.horizon = H, .season = M, .window = 1, .rows = N};
        assert_ok(norn_fitted_new(&fitted, adjusted[k], &setup, NULL, &err), &err);
        norn_fitted_fit(fitted, (norn_view){y, N, 5});
        norn_fitted_forecast(fitted, (norn_view){y, N, 5}, out);
        norn_fitted_free(fitted);
        once(adjusted[k], plain, N, 1, want);
        for (size_t j = 0; j < H; j++) assert_near(out[j], want[j] * figure[(5 + N + j) % M], 1e-5, 0);
    }
}

static void a_later_cutoff_needs_no_rows_before_the_fit_ended(void **state)
{
    (void)state;
    const double *const y = classical_series[0].y;
    for (size_t k = 0; k < NORN_COUNT(adjusted); k++) {
        double out[H], want[H], early[H];
        norn_fitted *fitted = fitted_on(adjusted[k], y, 100, 144, 12, H);
        norn_fitted_forecast(fitted, (norn_view){y, 130, 0}, want);
        norn_fitted_forecast(fitted, (norn_view){y + 40, 90, 40}, out);
        assert_memory_equal(out, want, sizeof out);
        norn_fitted_forecast(fitted, (norn_view){y, 101, 0}, out);
        assert_true(memcmp(out, want, sizeof out) != 0);
        norn_fitted_forecast(fitted, (norn_view){y, 60, 0}, early); /* before the fit's end */
        if (k != 3) assert_true(isfinite(early[0]));
        norn_fitted_free(fitted);
    }
}

/* ---- intervals ---- */

/*
 * The paper's variance of optimised Theta with a line that stays: sigma^2 (1 + (j - 1) alpha^2), as Hyndman
 * and Billah have it for Theta. A line that is drawn anew is moved by errors too: it is wider.
 */
static void deviations_are_those_of_the_papers(void **state)
{
    (void)state;
    static const double level = 0.95;
    double lower[H], upper[H], dynamic[2][H];
    for (size_t k = 0; k < 3; k++) {
        norn_fitted *fitted =
            fitted_on(adjusted[k], wander_y, NORN_COUNT(wander_y), NORN_COUNT(wander_y), 1, H);
        assert_true(norn_fitted_interval(fitted, (norn_view){wander_y, NORN_COUNT(wander_y), 0}, &level, 1,
                                         lower, upper));
        const double alpha = atof(explained(fitted, "alpha")), sigma = atof(explained(fitted, "sigma"));
        for (size_t j = 0; j < H; j++) {
            const double width = 2.0 * 1.959963984540054 * sigma * sqrt(1.0 + (double)j * alpha * alpha);
            if (k < 2) assert_near_at(upper[j] - lower[j], width, 1e-3, 0, j, __FILE__, __LINE__);
            if (k == 2 && j > 0) assert_true(upper[j] - lower[j] > width);
            if (k > 0) dynamic[k - 1][j] = upper[j] - lower[j];
        }
        norn_fitted_free(fitted);
    }
    assert_true(dynamic[1][H - 1] > dynamic[0][H - 1]);
}

/* What the rows to come do to later forecasts when the first of them is one above its forecast, and the
 * second, and so on: the squares of that are the variance. */
static void deviations_are_the_effects_of_errors_to_come(void **state)
{
    (void)state;
    enum { N = NORN_COUNT(wander_y) };
    static const double level = 0.95;
    for (size_t k = 0; k < 3; k++) {
        double y[N + H], out[H], moved[H], lower[H], upper[H], squares[H];
        memcpy(y, wander_y, sizeof wander_y);
        norn_fitted *fitted = fitted_on(adjusted[k], y, N, N + H, 1, H);
        norn_fitted_forecast(fitted, (norn_view){y, N, 0}, out);
        (void)norn_fitted_interval(fitted, (norn_view){y, N, 0}, &level, 1, lower, upper);
        for (size_t j = 0; j < H; j++) {
            squares[j] = 1.0;
            y[N + j] = out[j];
        }
        for (size_t i = 0; i + 1 < H; i++) {
            y[N + i] = out[i] + 1.0;
            norn_fitted_forecast(fitted, (norn_view){y, N + i + 1, 0}, moved);
            y[N + i] = out[i];
            for (size_t j = i + 1; j < H; j++)
                squares[j] += (moved[j - i - 1] - out[j]) * (moved[j - i - 1] - out[j]);
        }
        const double one = upper[0] - lower[0];
        for (size_t j = 0; j < H; j++)
            assert_near_at(upper[j] - lower[j], one * sqrt(squares[j]), 1e-7, 0, 100 * k + j, __FILE__,
                           __LINE__);
        norn_fitted_free(fitted);
    }
}

/* Random walks with a little drift: what Theta, which halves it, is the model of. */
static void intervals_cover_random_walks_with_drift(void **state)
{
    (void)state;
    enum { SERIES = 500, N = 80 };
    static const double level = 0.9;
    uint64_t seed = 21;
    for (size_t k = 0; k < 3; k++) {
        size_t within[2] = {0, 0};
        for (size_t i = 0; i < SERIES; i++) {
            double y[N + H], lower[H], upper[H], at = 200.0;
            for (size_t t = 0; t < N + H; t++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                const double u = ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
                const double e = norn_normal_quantile(u);
                y[t] = at + e;
                at += 0.05 + 0.6 * e;
            }
            norn_fitted *fitted = fitted_on(adjusted[k], y, N, N, 1, H);
            (void)norn_fitted_interval(fitted, (norn_view){y, N, 0}, &level, 1, lower, upper);
            norn_fitted_free(fitted);
            within[0] += y[N] >= lower[0] && y[N] <= upper[0];
            within[1] += y[N + H - 1] >= lower[H - 1] && y[N + H - 1] <= upper[H - 1];
        }
        for (size_t side = 0; side < 2; side++) {
            const double share = (double)within[side] / SERIES;
            if (!(share > 0.82 && share < 0.96)) fail_msg("%s: %.3f of 0.9", adjusted[k]->name, share);
        }
    }
}

/* ---- missing values ---- */

static void a_line_with_gaps_is_gone_on_with(void **state)
{
    (void)state;
    double y[50], out[H];
    for (size_t t = 0; t < 50; t++) y[t] = t % 4 == 1 || t < 3 || t > 47 ? NAN : 10.0 + 3.0 * (double)t;
    for (size_t k = 0; k < 3; k++) {
        once(adjusted[k], y, 50, 1, out);
        /* half the line, and half its last value, which smoothing stays at; the others have a share w of the
         * line */
        for (size_t j = 0; j < H && k == 0; j++)
            assert_near(out[j], 0.5 * (10.0 + 3.0 * (double)(50 + j)) + 0.5 * 151.0, 1e-5, 0);
        for (size_t j = 1; j < H && k > 0; j++) assert_true(out[j] > out[j - 1] && isfinite(out[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(theta_is_the_mean_of_a_line_and_a_smoothed_one),
        cmocka_unit_test(optimised_theta_is_the_least_sum_of_squares_of_the_paper),
        cmocka_unit_test(comb_is_the_mean_of_three),
        cmocka_unit_test(the_season_is_divided_out_and_multiplied_in_again),
        cmocka_unit_test(a_later_cutoff_needs_no_rows_before_the_fit_ended),
        cmocka_unit_test(deviations_are_those_of_the_papers),
        cmocka_unit_test(deviations_are_the_effects_of_errors_to_come),
        cmocka_unit_test(intervals_cover_random_walks_with_drift),
        cmocka_unit_test(a_line_with_gaps_is_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
