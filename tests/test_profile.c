/*
 * Profiles: parts of one thread exclude each other and add up to the whole, other threads are not measured,
 * every launch of a kernel is counted once, with the operations of its network, and no bit of a forecast
 * changes.
 */
#include "counting_host.h"
#include "forecast_support.h"

#include "compute/compute.h"
#include "norn/norn.h"

#include <pthread.h>

static const norn_profile_row *find(const norn_profile_row *rows, size_t count, norn_profile_kind kind,
                                    const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind == kind && strcmp(rows[i].name, name) == 0) return &rows[i];
    return NULL;
}

static void spend(double seconds)
{
    const double end = norn_seconds() + seconds;
    while (norn_seconds() < end) {
    }
}

static void parts_exclude_each_other_and_add_up(void **state)
{
    (void)state;
    norn_profile *profile = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_profile_new(&profile, NULL, &err), &err);
    norn_profile_enter(profile, "outer");
    spend(0.002);
    for (int i = 0; i < 3; i++) {
        norn_profile_enter(profile, "inner");
        spend(0.004);
        norn_profile_leave(profile);
    }
    norn_profile_leave(profile);
    const double all = norn_profile_seconds(profile);
    size_t count = 0;
    const norn_profile_row *rows = norn_profile_rows(profile, &count);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].name, "inner"); /* the longest first */
    assert_int_equal(rows[0].calls, 3);
    assert_int_equal(rows[1].calls, 1);
    assert_true(rows[0].seconds >= 0.012);
    assert_true(rows[1].seconds >= 0.002);
    assert_true(rows[0].seconds + rows[1].seconds <= all); /* in none twice */
    norn_profile_free(profile);
}

static void deeper_parts_than_there_is_room_for_do_no_harm(void **state)
{
    (void)state;
    norn_profile *profile = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_profile_new(&profile, NULL, &err), &err);
    char names[100][8];
    for (size_t i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu", i);
        norn_profile_enter(profile, names[i]);
    }
    spend(0.001);
    for (size_t i = 0; i < 105; i++) norn_profile_leave(profile);
    for (size_t i = 0; i < 100; i++) {
        norn_profile_enter(profile, names[i]);
        norn_profile_leave(profile);
    }
    size_t count = 0;
    const norn_profile_row *rows = norn_profile_rows(profile, &count);
    assert_int_equal(count, 64);
    const norn_profile_row *last = find(rows, count, NORN_PROFILE_PART, "15");
    assert_non_null(last);
    assert_true(last->seconds >= 0.001);
    norn_profile_free(profile);
    norn_profile_enter(NULL, "nothing");
    norn_profile_leave(NULL);
    norn_profile_free(NULL);
}

static void *work_aside(void *profile)
{
    norn_profile_enter(profile, "aside");
    norn_profile_leave(profile);
    norn_profile_leave(profile);
    return NULL;
}

static void other_threads_are_not_measured(void **state)
{
    (void)state;
    norn_profile *profile = NULL;
    norn_error err = NORN_ERROR_INIT;
    pthread_t thread;
    size_t count = 0;
    assert_ok(norn_profile_new(&profile, NULL, &err), &err);
    norn_profile_enter(profile, "here");
    assert_int_equal(pthread_create(&thread, NULL, work_aside, profile), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    spend(0.001);
    const norn_profile_row *rows = norn_profile_rows(profile, &count);
    assert_int_equal(count, 1);
    assert_true(rows[0].seconds >= 0.001);
    norn_profile_free(profile);
}

/* Forecasts with and without a profile: the same bits. */
static void launches_are_counted_and_bits_stay(void **state)
{
    (void)state;
    enum { HORIZON = 3 };
    double values[2][HORIZON];
    uint64_t launches = 0;
    norn_profile *profile = NULL;
    counting_host counter = {0};
    norn_host host = counting_host_of(&counter);
    norn_error err = NORN_ERROR_INIT;
    for (int with = 0; with < 2; with++) {
        norn_context *context = NULL;
        norn_forecast *forecast = NULL;
        norn_forecast_options options = NORN_FORECAST_OPTIONS_INIT;
        options.horizon = HORIZON;
        options.window = 5;
        options.season = 1;
        options.hidden = 3;
        options.batch = 64; /* smaller ones have no kernel of their own for the gradient of the weights */
        options.epochs = 2;
        options.holdout = 0;
        norn_table *table = driven(40, 0, 0, 0.1, 7);
        if (with) {
            assert_ok(norn_profile_new(&profile, &host, &err), &err);
            host.profile = profile;
        }
        assert_ok(norn_context_new(&context, NULL, &host, &err), &err);
        assert_ok(norn_forecast_run(&forecast, context, table, &options, &host, &err), &err);
        memcpy(values[with], norn_forecast_values(forecast, 0), sizeof values[with]);
        launches = context->launches;
        norn_forecast_free(forecast);
        norn_context_free(context);
        norn_table_free(table);
    }
    assert_memory_equal(values[0], values[1], sizeof values[0]);

    size_t count = 0;
    uint64_t counted = 0;
    const norn_profile_row *rows = norn_profile_rows(profile, &count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind == NORN_PROFILE_KERNEL) counted += rows[i].calls;
    assert_int_equal(counted, launches);
    const norn_profile_row *train = find(rows, count, NORN_PROFILE_KERNEL, "train_rows");
    const norn_profile_row *gradient = find(rows, count, NORN_PROFILE_KERNEL, "weight_gradient");
    assert_non_null(train);
    assert_non_null(gradient);
    assert_true(train->seconds > 0.0 && train->bytes > 0.0);
    assert_true(train->operations == 2.0 * gradient->operations && gradient->operations > 0.0);
    assert_non_null(find(rows, count, NORN_PROFILE_PART, "building kernels"));
    assert_non_null(find(rows, count, NORN_PROFILE_PART, "waiting for the device"));
    norn_profile_free(profile);
    assert_int_equal(counter.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_exclude_each_other_and_add_up),
        cmocka_unit_test(deeper_parts_than_there_is_room_for_do_no_harm),
        cmocka_unit_test(other_threads_are_not_measured),
        cmocka_unit_test(launches_are_counted_and_bits_stay),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
