/*
 * The metrics: beside golden values made by scikit-learn and NumPy, by hand where a definition differs from
 * toolkit to toolkit, and where they are undefined. No OpenCL here.
 */
#include "support.h"

#include "backtest/scores.h"
#include "golden/backtest.h"

enum { SERIES = 2, FOLDS = 3, H = 4, SEASON = 3, STEP = 2 };

static const struct golden_series {
    const double *y;
    size_t rows;
} golden_series[SERIES] = {{metric_y0, NORN_COUNT(metric_y0)}, {metric_y1, NORN_COUNT(metric_y1)}};

static norn_block golden_block(size_t s, size_t k)
{
    const size_t cut = golden_series[s].rows - 1 - H - (FOLDS - 1 - k) * STEP;
    const double *y = golden_series[s].y;
    norn_block block = {.truth = y + cut + 1,
                        .forecast = metric_f + (s * FOLDS + k) * H,
                        .before = y[cut],
                        .reference = y[0]};
    norn_scale_sums none = {0};
    norn_scales_of(&none, y, cut + 1, SEASON, &block.scale, &block.square_scale);
    return block;
}

/* All blocks of some series, folds and steps. */
static void gather(norn_compat compat, size_t s0, size_t s1, size_t k0, size_t k1, size_t j0, size_t j1,
                   double *values, size_t *undefined)
{
    norn_gather g;
    norn_gather_begin(&g, compat);
    for (size_t s = s0; s < s1; s++) {
        for (size_t k = k0; k < k1; k++) {
            double sums[NORN_SUMS] = {0};
            const norn_block block = golden_block(s, k);
            norn_block_add(sums, &block, j0, j1);
            norn_gather_block(&g, sums, 1.0, 1.0);
        }
        norn_gather_series(&g, 1.0);
    }
    norn_gather_end(&g, values, undefined);
}

static void assert_golden(const double *want, size_t s0, size_t s1, size_t k0, size_t k1, size_t j0,
                          size_t j1)
{
    double values[NORN_METRICS];
    gather(NORN_COMPAT_NORN, s0, s1, k0, k1, j0, j1, values, NULL);
    for (size_t i = 0; i < NORN_OWN_METRICS; i++)
        assert_near_at(values[i], want[i], 1e-12, 0, i, __FILE__, __LINE__);
}

static void metrics_are_those_of_other_implementations(void **state)
{
    (void)state;
    assert_int_equal(NORN_COUNT(metric_pooled), NORN_OWN_METRICS);
    assert_golden(metric_pooled, 0, 2, 0, 3, 0, 4);
    assert_golden(metric_series1, 1, 2, 0, 3, 0, 4);
    assert_golden(metric_fold0, 0, 2, 0, 1, 0, 4);
    assert_golden(metric_step2, 0, 2, 0, 3, 2, 3);
}

static void rows_with_a_zero_that_divides_are_left_out_and_counted(void **state)
{
    (void)state;
    double values[NORN_METRICS];
    size_t undefined[NORN_OWN_METRICS];
    gather(NORN_COMPAT_NORN, 0, 2, 0, 3, 0, 4, values, undefined);
    assert_int_equal(undefined[NORN_METRIC_MAE], 0);
    assert_int_equal(undefined[NORN_METRIC_MAPE], 2); /* row 27 of the second series, in two folds */
    assert_int_equal(undefined[NORN_METRIC_DIRECTION], 1);
    assert_int_equal(undefined[NORN_METRIC_MASE], 0);
}

/* One block of three rows that give nothing to divide by. */
static void what_is_undefined_is_missing_and_never_infinite(void **state)
{
    (void)state;
    const double zeros[3] = {0}, ones[3] = {1, 1, 1};
    const norn_block blocks[] = {{zeros, ones, 0, 0, 0, 0}, {zeros, zeros, 0, 0, 0, 0}};
    for (size_t b = 0; b < 2; b++) {
        double sums[NORN_SUMS] = {0}, values[NORN_METRICS];
        size_t undefined[NORN_OWN_METRICS];
        norn_gather g;
        norn_gather_begin(&g, NORN_COMPAT_NORN);
        norn_block_add(sums, &blocks[b], 0, 3);
        norn_gather_block(&g, sums, 1.0, 1.0);
        norn_gather_series(&g, 1.0);
        norn_gather_end(&g, values, undefined);
        assert_true(values[NORN_METRIC_MAE] == (b ? 0.0 : 1.0));
        static const norn_metric missing[] = {NORN_METRIC_MAPE,     NORN_METRIC_WAPE, NORN_METRIC_MASE,
                                              NORN_METRIC_RMSSE,    NORN_METRIC_R2,   NORN_METRIC_U2,
                                              NORN_METRIC_DIRECTION};
        for (size_t i = 0; i < NORN_COUNT(missing); i++) assert_true(isnan(values[missing[i]]));
        assert_int_equal(undefined[NORN_METRIC_MASE], 1);
        assert_int_equal(undefined[NORN_METRIC_R2], 1);
        assert_int_equal(undefined[NORN_METRIC_MAPE], 3);
        assert_true(b ? isnan(values[NORN_METRIC_SMAPE]) : values[NORN_METRIC_SMAPE] == 200.0);
        assert_int_equal(undefined[NORN_METRIC_SMAPE], b ? 3 : 0);
    }
}

static void a_missing_truth_or_forecast_is_not_scored(void **state)
{
    (void)state;
    const double truth[] = {1, NAN, 3, 4}, forecast[] = {2, 2, NAN, 6};
    const norn_block block = {truth, forecast, 1, 2.0, 4.0, 0};
    double sums[NORN_SUMS] = {0};
    norn_block_add(sums, &block, 0, 4);
    assert_true(sums[NORN_SUM_ROWS] == 2.0);
    assert_true(sums[NORN_SUM_ABSOLUTE] == 3.0);
    assert_true(sums[NORN_SUM_SCALED] == 1.5);
    assert_true(sums[NORN_SUM_SCALED_SQUARED] == 1.25);
    /* the change of the last row counts from the row before it, whose forecast alone is missing */
    assert_near(sums[NORN_SUM_CHANGE_ERROR], 1.0 + 4.0 / 9, 1e-15, 0);
}

static void scales_leave_out_pairs_with_missing_values(void **state)
{
    (void)state;
    const double y[] = {1, 3, NAN, 4, 11};
    double scale, square;
    norn_scale_sums sums[3] = {{0}};
    norn_scales_of(&sums[0], y, 5, 1, &scale, &square);
    assert_near(scale, (2 + 7) / 2.0, 1e-15, 0);
    assert_near(square, (4 + 49) / 2.0, 1e-15, 0);
    norn_scales_of(&sums[1], y, 5, 2, &scale, &square);
    assert_near(scale, 1.0, 1e-15, 0);
    norn_scales_of(&sums[2], y, 5, 5, &scale, &square);
    assert_true(scale == 0.0 && square == 0.0);
}

static void scales_go_on_from_an_earlier_cutoff_to_the_same_bits(void **state)
{
    (void)state;
    norn_scale_sums going = {0};
    double scale, square, want, want_square;
    for (size_t n = 1; n <= NORN_COUNT(metric_y0); n += 3) {
        norn_scale_sums none = {0};
        norn_scales_of(&going, metric_y0, n, 4, &scale, &square);
        norn_scales_of(&none, metric_y0, n, 4, &want, &want_square);
        assert_true(scale == want && square == want_square);
    }
}

/* Of a level of 1e9 the spread keeps its digits. */
static void r2_does_not_cancel_at_high_levels(void **state)
{
    (void)state;
    const double truth[] = {1e9, 1e9 + 1, 1e9 + 2}, forecast[] = {1e9 + 0.5, 1e9 + 1, 1e9 + 2};
    const norn_block block = {truth, forecast, 1e9, 1, 1, 1e9 + 1};
    double sums[NORN_SUMS] = {0}, values[NORN_METRICS];
    norn_gather g;
    norn_gather_begin(&g, NORN_COMPAT_NORN);
    norn_block_add(sums, &block, 0, 3);
    norn_gather_block(&g, sums, 1.0, 1.0);
    norn_gather_series(&g, 1.0);
    norn_gather_end(&g, values, NULL);
    assert_near(values[NORN_METRIC_R2], 1.0 - 0.25 / 2, 1e-12, 0);
}

/* e = 1, -1 and 4, y = 2, 4, 8, in two blocks of one series. */
static void the_definitions_of_other_toolkits_are_theirs(void **state)
{
    (void)state;
    const double truth[] = {2, 4, 8}, forecast[] = {1, 5, 4};
    const norn_block blocks[] = {{truth, forecast, 2, 2.0, 4.0, 0},
                                 {truth + 2, forecast + 2, 2, 1.0, 1.0, 0}};
    const size_t rows[] = {2, 1};
    double values[4][NORN_METRICS];
    for (int compat = 0; compat < 4; compat++) {
        norn_gather g;
        norn_gather_begin(&g, (norn_compat)compat);
        for (size_t b = 0; b < 2; b++) {
            double sums[NORN_SUMS] = {0};
            norn_block_add(sums, &blocks[b], 0, rows[b]);
            norn_gather_block(&g, sums, 1.0, 1.0);
        }
        norn_gather_series(&g, 1.0);
        norn_gather_end(&g, values[compat], NULL);
    }
    const double percent = (0.5 + 0.25) / 2, share = (1.0 / 3 + 1.0 / 9) / 2, last_share = 4.0 / 12;
    const struct {
        norn_compat compat;
        norn_metric metric;
        double want;
    } cases[] = {
        {NORN_COMPAT_NORN, NORN_METRIC_MAE, 2.0},
        {NORN_COMPAT_NORN, NORN_METRIC_BIAS, -4.0 / 3},
        {NORN_COMPAT_NORN, NORN_METRIC_MAPE, 100 * (0.75 + 0.5) / 3},
        {NORN_COMPAT_NORN, NORN_METRIC_SMAPE, 200 * (2 * share + last_share) / 3},
        {NORN_COMPAT_NORN, NORN_METRIC_WAPE, 600.0 / 14},
        {NORN_COMPAT_NORN, NORN_METRIC_MASE, (0.5 + 0.5 + 4) / 3},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_MAE, (1.0 + 4.0) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_RMSE, (1.0 + 4.0) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_BIAS, (0.0 - 4.0) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_MAPE, (percent + 0.5) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_SMAPE, (share + last_share) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_WAPE, (2.0 / 6 + 0.5) / 2},
        {NORN_COMPAT_NIXTLA, NORN_METRIC_MASE, (0.5 + 4.0) / 2},
        {NORN_COMPAT_GLUONTS, NORN_METRIC_MAPE, (percent + 0.5) / 2},
        {NORN_COMPAT_GLUONTS, NORN_METRIC_SMAPE, 2 * (share + last_share) / 2},
        {NORN_COMPAT_GLUONTS, NORN_METRIC_WAPE, 6.0 / 14},
        {NORN_COMPAT_GLUONTS, NORN_METRIC_RMSE, sqrt(18.0 / 3)},
        {NORN_COMPAT_DARTS, NORN_METRIC_BIAS, (0.0 + 4.0) / 2},
        {NORN_COMPAT_DARTS, NORN_METRIC_MAPE, 100 * (percent + 0.5) / 2},
        {NORN_COMPAT_DARTS, NORN_METRIC_SMAPE, 200 * (share + last_share) / 2},
        {NORN_COMPAT_DARTS, NORN_METRIC_WAPE, 100 * (2.0 / 6 + 0.5) / 2},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_near_at(values[cases[i].compat][cases[i].metric], cases[i].want, 1e-14, 0, i, __FILE__,
                       __LINE__);
    assert_int_equal(norn_compat_season(NORN_COMPAT_DARTS, 12), 1);
    assert_int_equal(norn_compat_season(NORN_COMPAT_NIXTLA, 12), 12);
}

/* Before 5: up, up, down; the forecasts say up, nothing, up. A truth that stays says nothing. */
static void a_forecast_of_no_change_has_half_the_direction(void **state)
{
    (void)state;
    const double truth[] = {6, 7, 4, 5}, forecast[] = {9, 5, 6, 6};
    const norn_block block = {truth, forecast, 5, 1, 1, 0};
    double sums[NORN_SUMS] = {0};
    norn_block_add(sums, &block, 0, 4);
    assert_true(sums[NORN_SUM_DIRECTION] == 1.5);
    assert_true(sums[NORN_SUM_DIRECTION_ROWS] == 3.0);
}

static void a_weight_is_as_good_as_adding_again(void **state)
{
    (void)state;
    for (int compat = 0; compat < 4; compat++) {
        norn_gather once, again;
        double x[NORN_METRICS], y[NORN_METRICS];
        norn_gather_begin(&once, (norn_compat)compat);
        norn_gather_begin(&again, (norn_compat)compat);
        for (size_t s = 0; s < SERIES; s++) {
            double sums[2][NORN_SUMS] = {{0}, {0}};
            for (size_t k = 0; k < 2; k++) {
                const norn_block block = golden_block(s, k);
                norn_block_add(sums[k], &block, 0, H);
            }
            norn_gather_block(&once, sums[0], (double)(s + 1), 3.0);
            norn_gather_block(&once, sums[1], (double)(s + 1), 1.0);
            norn_gather_series(&once, (double)(s + 1));
            for (size_t i = 0; i <= s; i++) {
                for (size_t j = 0; j < 3; j++) norn_gather_block(&again, sums[0], 1.0, 1.0);
                norn_gather_block(&again, sums[1], 1.0, 1.0);
                norn_gather_series(&again, 1.0);
            }
        }
        norn_gather_end(&once, x, NULL);
        norn_gather_end(&again, y, NULL);
        for (size_t i = 0; i < NORN_OWN_METRICS; i++)
            assert_near_at(x[i], y[i], 1e-12, 0, i, __FILE__, __LINE__);
    }
}

static void owa_and_skill_are_beside_the_baselines(void **state)
{
    (void)state;
    double own[NORN_METRICS] = {0}, naive2[NORN_METRICS] = {0}, naive[NORN_METRICS] = {0};
    own[NORN_METRIC_MAE] = 3;
    own[NORN_METRIC_MASE] = 0.5;
    own[NORN_METRIC_SMAPE] = 12;
    naive2[NORN_METRIC_MASE] = 1;
    naive2[NORN_METRIC_SMAPE] = 10;
    naive[NORN_METRIC_MAE] = 4;
    norn_metrics_beside(own, naive2, naive, NULL, own);
    assert_near(own[NORN_METRIC_OWA], (0.5 + 1.2) / 2, 1e-15, 0);
    assert_near(own[NORN_METRIC_SKILL_NAIVE], 0.25, 1e-15, 0);
    assert_true(isnan(own[NORN_METRIC_SKILL_SEASONAL_NAIVE]));
    assert_true(own[NORN_METRIC_SKILL_LINEAR] == 0.0);
    naive2[NORN_METRIC_SMAPE] = 0;
    naive[NORN_METRIC_MAE] = 0;
    norn_metrics_beside(own, naive2, naive, NULL, NULL);
    assert_true(isnan(own[NORN_METRIC_OWA]) && isnan(own[NORN_METRIC_SKILL_NAIVE]));
}

static void every_metric_has_a_word_a_formula_and_a_source(void **state)
{
    (void)state;
    for (int compat = 0; compat < 4; compat++)
        for (int i = 0; i < NORN_METRICS; i++) {
            const norn_metric_info *info = norn_metric_describe((norn_compat)compat, (norn_metric)i);
            assert_true(info->word[0] && info->title[0] && info->formula[0] && info->source[0]);
            assert_string_equal(info->word, norn_metric_describe(NORN_COMPAT_NORN, (norn_metric)i)->word);
            for (int j = 0; j < i; j++)
                assert_string_not_equal(info->word,
                                        norn_metric_describe((norn_compat)compat, (norn_metric)j)->word);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_those_of_other_implementations),
        cmocka_unit_test(rows_with_a_zero_that_divides_are_left_out_and_counted),
        cmocka_unit_test(what_is_undefined_is_missing_and_never_infinite),
        cmocka_unit_test(a_missing_truth_or_forecast_is_not_scored),
        cmocka_unit_test(scales_leave_out_pairs_with_missing_values),
        cmocka_unit_test(scales_go_on_from_an_earlier_cutoff_to_the_same_bits),
        cmocka_unit_test(r2_does_not_cancel_at_high_levels),
        cmocka_unit_test(the_definitions_of_other_toolkits_are_theirs),
        cmocka_unit_test(a_forecast_of_no_change_has_half_the_direction),
        cmocka_unit_test(a_weight_is_as_good_as_adding_again),
        cmocka_unit_test(owa_and_skill_are_beside_the_baselines),
        cmocka_unit_test(every_metric_has_a_word_a_formula_and_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
