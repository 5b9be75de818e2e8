/*
 * Two threads at once, each with a context of its own: trainings of other tables, seeds and cells give the
 * bits that each gives alone; cancelling one is nothing to the other; and contexts may come and go beside a
 * training. Of forecasts in a row that build the same kernels side by side see test_device.c.
 */
#include "forecast_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* A training and its forecast, all of it by the thread that runs it. */
typedef struct job {
    const char *cell;
    uint64_t seed;     /* of the network */
    norn_table *table; /* taken by run_job */
    unsigned epochs;
    const norn_cancel *cancel;
    norn_status status; /* out, as what follows */
    norn_error err;
    norn_forecast *forecast;
    atomic_uint done; /* epochs that are over */
    atomic_bool over;
} job;

static void count_epoch(void *user, const norn_epoch *epoch)
{
    job *j = user;
    (void)epoch;
    atomic_fetch_add(&j->done, 1);
}

static void *run_job(void *argument)
{
    job *j = argument;
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.horizon = 4;
    o.window = 12;
    o.season = 1;
    o.hidden = 12;
    o.layers = 2;
    o.dropout = 0.2;
    o.batch = 16;
    o.epochs = o.patience = j->epochs;
    o.steps_per_epoch = 4;
    o.cell = j->cell;
    o.seed = j->seed;
    o.on_epoch = count_epoch;
    o.epoch_user = j;
    norn_host host = NORN_HOST_INIT;
    host.cancel = j->cancel;
    norn_context *context = NULL;
    j->err = (norn_error)NORN_ERROR_INIT;
    j->status = norn_context_new(&context, NULL, &host, &j->err);
    if (j->status == NORN_OK)
        j->status = norn_forecast_run(&j->forecast, context, j->table, &o, &host, &j->err);
    norn_context_free(context);
    norn_table_free(j->table);
    atomic_store(&j->over, true);
    return NULL;
}

static const struct {
    const char *cell;
    uint64_t seed;
    size_t rows;
} plans[] = {{"lstm", 5, 110}, {"gru", 6, 130}, {"elman", 7, 90}};

static void set_job(job *j, size_t plan, unsigned epochs)
{
    memset(j, 0, sizeof *j);
    j->cell = plans[plan].cell;
    j->seed = plans[plan].seed;
    j->table = driven(plans[plan].rows, 0, 0, 1.0, j->seed);
    j->epochs = epochs;
}

static void start(pthread_t *thread, job *j)
{
    assert_int_equal(pthread_create(thread, NULL, run_job, j), 0);
}

static void join(pthread_t thread)
{
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void assert_same_job(const job *got, const job *want)
{
    assert_ok(got->status, &got->err);
    assert_ok(want->status, &want->err);
    assert_true(same_values(got->forecast, want->forecast, 1));
    assert_true(same_held_back(got->forecast, want->forecast, 1, true));
    assert_same_decisions(got->forecast, want->forecast);
    size_t count, other;
    const norn_training *x = norn_forecast_training(got->forecast, &count),
                        *y = norn_forecast_training(want->forecast, &other);
    assert_int_equal(count, other);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(x[i].best_epoch, y[i].best_epoch);
        assert_memory_equal(&x[i].train_loss, &y[i].train_loss, sizeof x[i].train_loss);
        assert_memory_equal(&x[i].valid_loss, &y[i].valid_loss, sizeof x[i].valid_loss);
    }
}

/* Until an epoch of the job is over, or the job is. */
static void wait_for_epochs(job *j, unsigned epochs)
{
    const struct timespec moment = {0, 200000};
    while (atomic_load(&j->done) < epochs && !atomic_load(&j->over)) (void)nanosleep(&moment, NULL);
}

enum { EPOCHS = 6 };

static void two_threads_with_other_cells_give_the_bits_of_each_alone(void **state)
{
    (void)state;
    static job alone[NORN_COUNT(plans)], together[2];
    for (size_t p = 0; p < NORN_COUNT(plans); p++) {
        set_job(&alone[p], p, EPOCHS);
        (void)run_job(&alone[p]);
        assert_ok(alone[p].status, &alone[p].err);
    }
    assert_false(same_values(alone[0].forecast, alone[1].forecast, 1));
    for (size_t p = 0; p < NORN_COUNT(plans); p++) { /* every pair */
        const size_t of[2] = {p, (p + 1) % NORN_COUNT(plans)};
        pthread_t threads[2];
        for (size_t i = 0; i < 2; i++) set_job(&together[i], of[i], EPOCHS);
        for (size_t i = 0; i < 2; i++) start(&threads[i], &together[i]);
        for (size_t i = 0; i < 2; i++) join(threads[i]);
        for (size_t i = 0; i < 2; i++) {
            assert_same_job(&together[i], &alone[of[i]]);
            norn_forecast_free(together[i].forecast);
        }
    }
    for (size_t p = 0; p < NORN_COUNT(plans); p++) norn_forecast_free(alone[p].forecast);
}

/* The flag is raised by a third thread, this one, in the midst of both trainings. */
static void cancelling_one_thread_leaves_the_other_its_bits(void **state)
{
    (void)state;
    static job alone, stopped, left;
    set_job(&alone, 0, EPOCHS);
    (void)run_job(&alone);
    for (size_t at = 0; at < 3; at++) { /* before anything, at the first epoch, and later */
        norn_cancel *cancel = NULL;
        pthread_t threads[2];
        assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
        set_job(&stopped, 1, 100000); /* which would take hours */
        set_job(&left, 0, EPOCHS);
        stopped.cancel = cancel;
        start(&threads[0], &stopped);
        start(&threads[1], &left);
        wait_for_epochs(&stopped, (unsigned)at);
        if (at == 2) wait_for_epochs(&left, 2);
        norn_cancel_raise(cancel);
        join(threads[0]);
        join(threads[1]);
        assert_int_equal(stopped.status, NORN_ERR_CANCELLED);
        assert_null(stopped.forecast);
        assert_true(atomic_load(&stopped.done) >= at);
        assert_same_job(&left, &alone);
        norn_forecast_free(left.forecast);
        norn_cancel_free(cancel);
    }
    norn_forecast_free(alone.forecast);
}

/* Made, used for a training of one epoch, and freed, as long as the other thread trains. */
static void contexts_that_come_and_go_leave_a_training_its_bits(void **state)
{
    (void)state;
    static job alone, left, visitor;
    set_job(&alone, 0, 3 * EPOCHS);
    (void)run_job(&alone);
    set_job(&left, 0, 3 * EPOCHS);
    pthread_t thread;
    start(&thread, &left);
    size_t visits = 0;
    for (; visits < 3 || !atomic_load(&left.over); visits++) {
        if (visits % 4 == 3) {
            set_job(&visitor, 2, 1);
            (void)run_job(&visitor);
            assert_ok(visitor.status, &visitor.err);
            norn_forecast_free(visitor.forecast);
            continue;
        }
        norn_context *context = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_context_new(&context, NULL, NULL, &err), &err);
        norn_context_free(context);
    }
    join(thread);
    assert_same_job(&left, &alone);
    norn_forecast_free(left.forecast);
    norn_forecast_free(alone.forecast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_with_other_cells_give_the_bits_of_each_alone),
        cmocka_unit_test(cancelling_one_thread_leaves_the_other_its_bits),
        cmocka_unit_test(contexts_that_come_and_go_leave_a_training_its_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
