/*
 * The inputs of a network and their tracks on the device: which there are, what they hold, what they share;
 * and how a window is found among those of many series. No kernels here.
 */
#include "forecast_support.h"

#include "forecast/inputs.h"
#include "nn/train.h"

/* Of every column and whatever the sizes: an input for each row of the horizon in some row of the window, all
 * of them in the last row where they are few, none beyond the horizon, and values behind all of them. */
static void every_row_of_the_horizon_is_seen_and_none_behind_it(void **state)
{
    (void)state;
    static const size_t windows[] = {1, 3, 8, 50}, horizons[] = {1, 5, 7, 40, 90}, columns[] = {1, 3, 70};
    enum { N = 120 };
    const norn_host host = norn_host_copy(NULL);
    for (size_t w = 0; w < NORN_COUNT(windows); w++)
        for (size_t k = 0; k < NORN_COUNT(horizons); k++)
            for (size_t q = 0; q < NORN_COUNT(columns); q++) {
                const size_t h = horizons[k], window = windows[w];
                const groups g = {.count = 1, .rows = {N}, .ahead = {h + 3}, .future = columns[q]};
                norn_table *table = table_of_groups(&g);
                const norn_recipe_series recipe = {.seen = N, .learnt = N - h};
                norn_inputs in = {.table = table,
                                  .host = &host,
                                  .recipes = &recipe,
                                  .views = 1,
                                  .series = 1,
                                  .window = window,
                                  .horizon = h};
                norn_error err = NORN_ERROR_INIT;
                assert_ok(norn_inputs_plan(&in, &err), &err);
                for (size_t c = 0; c < columns[q]; c++)
                    for (size_t j = 0; j < h; j++) {
                        bool seen = false, last = false;
                        for (size_t i = 0; i < in.count; i++) {
                            const norn_input *input = &in.list[i];
                            if (input->kind != NORN_INPUT_FUTURE || input->column != c) continue;
                            seen |= input->advance > j && input->advance <= j + window;
                            last |= input->advance == j + 1;
                        }
                        assert_true(seen);
                        assert_true(last || h * columns[q] > 64);
                    }
                for (size_t i = 0; i < in.count; i++) {
                    const norn_track_plan *track = &in.plan[in.of[i]];
                    assert_true(in.list[i].advance <= h);
                    assert_int_equal(track->of == NORN_TRACK_OWN ? 0 : track->advance, in.list[i].advance);
                    if (track->of != NORN_TRACK_OWN)
                        assert_true(in.plan[track->of].rows >= N + track->advance &&
                                    in.list[track->of].column == in.list[i].column);
                }
                const size_t by_window = (h + window - 1) / window * columns[q];
                assert_true(in.count <= 1 + columns[q] + (by_window > 70 ? by_window : 70));
                norn_inputs_free(&in);
                norn_table_free(table);
            }
}

/* As the kernel reads them: (value - shift) * factor, 0 where it is no number. */
static double input_at(const norn_inputs *in, const norn_series *series, const float *floats, size_t s,
                       size_t input, size_t row)
{
    const size_t track = (size_t)in->of[s * in->count + input];
    const float *pair = in->pairs + 2 * track;
    const float z = (floats[(size_t)series->tracks[track].start + row] - pair[0]) * pair[1];
    return isnan(z) ? 0.0 : (double)z;
}

static void every_input_is_what_it_is_called(void **state)
{
    norn_context *context = *state;
    enum { H = 6 };
    norn_table *table = all_kinds(H, true);
    norn_table_past_mutable(table, 0, 0)[0] = NAN; /* the first value is what a track is relative to */
    norn_table_past_mutable(table, 2, 0)[5] = 1e6; /* a series without holes in a column with some */
    for (size_t i = 0; i < 30; i++) norn_table_past_mutable(table, 2, 0)[i] = 1e6 + (double)(i % 3);
    const norn_host host = norn_host_copy(NULL);
    norn_recipe_series recipes[3] = {{.seen = 0}};
    for (size_t s = 0; s < 3; s++) {
        recipes[s].seen = recipes[s].learnt = norn_table_rows(table, s);
        recipes[s].scale = 1.0;
    }
    norn_inputs in = {.table = table,
                      .host = &host,
                      .recipes = recipes,
                      .views = 1,
                      .series = 3,
                      .window = 8,
                      .horizon = H};
    norn_error err = NORN_ERROR_INIT;
    norn_series *series = NULL;
    assert_ok(norn_inputs_plan(&in, &err), &err);
    assert_int_equal(in.count, 2 + 2 + 2 * (1 + H) + 1); /* all but the static one with their masks */
    assert_ok(norn_inputs_put(&in, context, false, &series, &err), &err);
    float *floats = malloc((size_t)series->floats * sizeof *floats);
    assert_non_null(floats);
    assert_ok(
        norn_buffer_read(context, &series->values, 0, floats, (size_t)series->floats * sizeof *floats, &err),
        &err);
    for (size_t i = 1; i < in.count; i++)
        for (size_t s = 0; s < 3; s++) {
            const norn_input *input = &in.list[i];
            const size_t n = norn_table_rows(table, s) - (s == 2 ? H : 0); /* nothing ahead of a piece */
            const double *cells = input->kind == NORN_INPUT_PAST     ? norn_table_past(table, s, 0)
                                  : input->kind == NORN_INPUT_FUTURE ? norn_table_future(table, s, 0)
                                                                     : norn_table_target(table, s);
            double sum = 0.0, squares = 0.0, count = 0.0;
            for (size_t r = 0; r < norn_table_rows(table, s); r++)
                if (!isnan(cells[r])) sum += cells[r], count += 1.0;
            for (size_t r = 0; r < norn_table_rows(table, s); r++)
                if (!isnan(cells[r])) squares += (cells[r] - sum / count) * (cells[r] - sum / count);
            for (size_t r = 0; r < n; r++) {
                const double x = cells[r + input->advance], got = input_at(&in, series, floats, s, i, r);
                const double want = input->kind == NORN_INPUT_STATIC ? ((double)s - 1.0) / sqrt(2.0 / 3.0)
                                    : input->mask                    ? (isnan(x) ? 1.0 : 0.0)
                                    : isnan(x)                       ? 0.0
                                               : (x - sum / count) / sqrt(squares / count);
                assert_near(got, want, 0.0, input->mask ? 0.0 : 1e-5);
            }
        }
    free(floats);
    norn_series_free(series);
    norn_inputs_free(&in);
    norn_table_free(table);
}

/* The scaling of the scored member is that of its training rows: with all others changed by as much as they
 * are the same, the network it trains is. */
static void a_future_covariate_is_scaled_by_training_rows_alone(void **state)
{
    (void)state;
    enum { N = 60, H = 5 };
    const norn_host host = norn_host_copy(NULL);
    norn_context *context = *state;
    float pairs[2][2];
    for (size_t changed = 0; changed < 2; changed++) {
        norn_table *table = driven(N, H, 1, 0.0, 3);
        for (size_t i = 44; changed && i < N + H; i++) norn_table_future_mutable(table, 0, 0)[i] = 1e6;
        const norn_recipe_series recipes[] = {{.seen = N, .learnt = 50, .scale = 1.0},
                                              {.seen = N - H, .learnt = 44, .scale = 1.0}};
        norn_inputs in = {.table = table,
                          .host = &host,
                          .recipes = recipes,
                          .views = 2,
                          .series = 1,
                          .window = 8,
                          .horizon = H};
        norn_error err = NORN_ERROR_INIT;
        norn_series *series = NULL;
        assert_ok(norn_inputs_plan(&in, &err), &err);
        assert_ok(norn_inputs_put(&in, context, false, &series, &err), &err);
        for (size_t i = 1; i < in.count; i++) /* advanced or not, one scaling */
            assert_memory_equal(&in.pairs[2 * (in.columns + (size_t)in.of[i])],
                                &in.pairs[2 * (in.columns + (size_t)in.of[1])], sizeof pairs[0]);
        memcpy(pairs[changed], &in.pairs[2 * (in.columns + (size_t)in.of[1])], sizeof pairs[0]);
        assert_true(pairs[changed][1] > 0.0f);
        norn_series_free(series);
        norn_inputs_free(&in);
        norn_table_free(table);
    }
    assert_memory_equal(pairs[0], pairs[1], sizeof pairs[0]);
}

/* Series over the same rows have the tracks of their covariates in common, and no others do. */
static void covariates_of_the_same_rows_are_on_the_device_once(void **state)
{
    (void)state;
    enum { N = 50, TARGETS = 5 };
    double y[TARGETS][N], x[N];
    const double *targets[TARGETS], *const past[] = {x, x};
    static const size_t from[TARGETS] = {10, 0, 10, 0, 10}, end[TARGETS] = {N, N, N, N, N - 7};
    for (size_t s = 0; s < TARGETS; s++) {
        targets[s] = y[s];
        for (size_t i = 0; i < N; i++) y[s][i] = i < from[s] || i >= end[s] ? NAN : 1.0;
    }
    for (size_t i = 0; i < N; i++) x[i] = i % 2 ? NAN : (double)i;
    const norn_table_arrays arrays = {.rows = N,
                                      .targets = TARGETS,
                                      .past = 2,
                                      .target = targets,
                                      .covariates = past,
                                      .step = {NORN_STEP_INTEGER, 1}};
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_from(&table, &arrays, NULL, &err), &err);
    norn_recipe_series recipes[TARGETS] = {{.seen = 0}};
    for (size_t s = 0; s < TARGETS; s++) recipes[s].seen = norn_table_rows(table, s);
    const norn_host host = norn_host_copy(NULL);
    norn_inputs in = {.table = table,
                      .host = &host,
                      .recipes = recipes,
                      .views = 1,
                      .series = TARGETS,
                      .window = 8,
                      .horizon = 3};
    assert_ok(norn_inputs_plan(&in, &err), &err);
    assert_int_equal(in.count, 5); /* the target, two covariates and their masks */
    for (size_t s = 0; s < TARGETS; s++)
        for (size_t other = 0; other < s; other++)
            for (size_t i = 0; i < in.count; i++)
                assert_int_equal(in.of[s * in.count + i] == in.of[other * in.count + i],
                                 i > 0 && from[s] == from[other] && end[s] == end[other]);
    assert_int_equal(in.columns, TARGETS + 1 + 4 * 3); /* zeros, for series without holes, are always there */
    norn_inputs_free(&in);
    norn_table_free(table);
}

static void a_window_is_found_among_those_of_many_series(void **state)
{
    (void)state;
    enum { S = 100000 };
    norn_span *spans = calloc(S, sizeof *spans);
    size_t *starts = calloc(S + 1, sizeof *starts);
    assert_true(spans && starts);
    for (size_t s = 0; s < S; s++) spans[s] = (norn_span){s % 13, s % 3 ? s % 7 : 0};
    const size_t windows = norn_window_starts(spans, S, starts);
    size_t at = 0;
    for (size_t s = 0; s < S; s++)
        for (size_t i = 0; i < spans[s].count; i++, at++) {
            const norn_window window = norn_window_at(spans, starts, S, at);
            assert_true((size_t)window.series == s && (size_t)window.row == spans[s].first + i);
        }
    assert_int_equal(at, windows);
    free(spans);
    free(starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_horizon_is_seen_and_none_behind_it),
        cmocka_unit_test(every_input_is_what_it_is_called),
        cmocka_unit_test(a_future_covariate_is_scaled_by_training_rows_alone),
        cmocka_unit_test(covariates_of_the_same_rows_are_on_the_device_once),
        cmocka_unit_test(a_window_is_found_among_those_of_many_series),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
