/*
 * Training of members side by side: whoever is beside a member, in whichever slot, however many steps between
 * two looks of the host, its bits are those of a training alone; and a training alone is what the
 * double-precision reference does with the same windows in the same order.
 */
#include "support.h"

#include "nn/reference.h"
#include "nn/train.h"

enum {
    SERIES = 3,
    INPUTS = 2,
    COLUMNS = SERIES * INPUTS,
    MEMBERS = 4,
    WINDOW = 6,
    HORIZON = 3,
    MOST_ROWS = 80
};
static const size_t series_rows[SERIES] = {80, 37, 53};

typedef struct lab {
    norn_context *context;
    norn_series *series;
    double raw[COLUMNS][MOST_ROWS]; /* series s: its target, then its covariate */
} lab;

/* One call of norn_train: what goes in, and what comes out. */
typedef struct job {
    norn_network_shape shape;
    norn_train_plan plan;
    size_t count;
    uint64_t identity[MEMBERS];
    norn_span train[MEMBERS][SERIES], valid[MEMBERS][SERIES];
    float pairs[MEMBERS][COLUMNS][2];
    const norn_host *host;
    norn_training training[MEMBERS]; /* out */
    bool diverged[MEMBERS];
    double *values[MEMBERS];
} job;

/* Uniform in [-1, 1), by splitmix64. */
static double draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
}

/* ---- the series all tests share ---- */

static double raw_value(const void *user, size_t row)
{
    return ((const double *)user)[row];
}

/* Puts the lab's numbers on the device. */
static norn_series *put_series(lab *l, norn_error *err)
{
    size_t rows[COLUMNS];
    int of[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        rows[c] = series_rows[c / INPUTS];
        of[c] = (int)c;
    }
    norn_series *series = NULL;
    assert_ok(norn_series_new(&series, l->context, SERIES, INPUTS, COLUMNS, rows, of, err), err);
    for (size_t c = 0; c < COLUMNS; c++)
        assert_ok(norn_series_put(series, c, raw_value, l->raw[c], err), err);
    return series;
}

static int open_lab(void **state)
{
    static lab l;
    norn_error err = NORN_ERROR_INIT;
    if (norn_context_new(&l.context, NULL, NULL, &err) != NORN_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    uint64_t seed = 11;
    for (size_t c = 0; c < COLUMNS; c++)
        for (size_t r = 0; r < MOST_ROWS; r++)
            l.raw[c][r] = 10.0 * (double)c + sin(0.7 * (double)r + (double)c) + 0.3 * draw(&seed);
    l.series = put_series(&l, &err);
    *state = &l;
    return 0;
}

static int close_lab(void **state)
{
    lab *l = *state;
    norn_series_free(l->series);
    norn_context_free(l->context);
    return 0;
}

/* ---- a job ---- */

/* Four members with windows of their own; what they train differs in number, place and scale. */
static job make_job(bool deep)
{
    job j = {.shape = {.inputs = INPUTS,
                       .hidden = 8,
                       .layers = deep ? 2 : 1,
                       .window = WINDOW,
                       .horizon = HORIZON,
                       .batch = 5,
                       .dropout = deep ? 0.25 : 0.0,
                       .clip = 1.0},
             .plan = {.epochs = 9, .patience = 2, .settle = 1, .rate = 2e-2, .seed = 42},
             .count = MEMBERS};
    for (size_t m = 0; m < MEMBERS; m++) {
        j.identity[m] = 100 + m;
        for (size_t s = 0; s < SERIES; s++) {
            const size_t windows = series_rows[s] - WINDOW - HORIZON + 1, train = windows / (m + 2);
            j.train[m][s] = (norn_span){m, m == 2 && s == 1 ? 0 : train};
            j.valid[m][s] = (norn_span){windows - 3 - m, 3};
        }
        for (size_t c = 0; c < COLUMNS; c++) {
            j.pairs[m][c][0] = c % INPUTS ? 0.1f * (float)m : c == 2 ? 4.0f : 0.0f;
            j.pairs[m][c][1] = 1.0f / (1.0f + 0.25f * (float)m);
        }
    }
    return j;
}

/* Runs it in a network of its own. The network stays for questions where `kept` is not NULL. */
static norn_status run_job(const lab *l, const norn_series *series, job *j, norn_network **kept,
                           norn_error *err)
{
    norn_network *network = NULL;
    norn_member members[MEMBERS];
    memset(members, 0, sizeof members);
    j->shape.members = j->count;
    assert_ok(norn_network_new(&network, l->context, &j->shape, series, err), err);
    const size_t plain = norn_network_plain_size(&j->shape);
    for (size_t m = 0; m < j->count; m++) {
        members[m] = (norn_member){.identity = j->identity[m], .train = j->train[m], .valid = j->valid[m]};
        assert_ok(norn_network_scale(network, m, &j->pairs[m][0][0], COLUMNS, err), err);
    }
    const norn_host host = norn_host_copy(j->host);
    const norn_status status = norn_train(network, series, members, j->count, &j->plan, &host, err);
    for (size_t m = 0; m < j->count; m++) {
        j->training[m] = members[m].training;
        j->diverged[m] = members[m].diverged;
        j->values[m] = calloc(plain, sizeof(double));
        assert_non_null(j->values[m]);
        norn_error other = NORN_ERROR_INIT;
        assert_ok(norn_network_get(network, m, j->values[m], &other), &other);
    }
    if (kept)
        *kept = network;
    else
        norn_network_free(network);
    return status;
}

static void drop_job(job *j)
{
    for (size_t m = 0; m < j->count; m++) {
        free(j->values[m]);
        j->values[m] = NULL;
    }
}

/* The same job with members chosen and reordered. */
static job part_of(const job *from, const size_t *which, size_t count)
{
    job j = *from;
    j.count = count;
    for (size_t i = 0; i < count; i++) {
        j.identity[i] = from->identity[which[i]];
        memcpy(j.train[i], from->train[which[i]], sizeof j.train[i]);
        memcpy(j.valid[i], from->valid[which[i]], sizeof j.valid[i]);
        memcpy(j.pairs[i], from->pairs[which[i]], sizeof j.pairs[i]);
    }
    return j;
}

static bool same_values(const job *a, size_t i, const job *b, size_t k)
{
    return memcmp(a->values[i], b->values[k], norn_network_plain_size(&a->shape) * sizeof(double)) == 0;
}

/* To the bit: parameters, losses, epochs. */
static void assert_same(const job *a, size_t i, const job *b, size_t k)
{
    const norn_training *x = &a->training[i], *y = &b->training[k];
    assert_int_equal(x->epochs, y->epochs);
    assert_int_equal(x->best_epoch, y->best_epoch);
    assert_int_equal(x->windows, y->windows);
    assert_int_equal(x->validation_windows, y->validation_windows);
    assert_memory_equal(&x->train_loss, &y->train_loss, sizeof x->train_loss);
    assert_memory_equal(&x->valid_loss, &y->valid_loss, sizeof x->valid_loss);
    assert_int_equal(a->diverged[i], b->diverged[k]);
    assert_true(same_values(a, i, b, k));
}

/* ---- members ---- */

static void compare_with_each_alone(const lab *l, const job *base, size_t slots)
{
    norn_error err = NORN_ERROR_INIT;
    job together = *base;
    together.shape.slots = slots;
    assert_ok(run_job(l, l->series, &together, NULL, &err), &err);
    bool epochs_differ = false;
    for (size_t m = 0; m < base->count; m++) {
        job alone = part_of(base, &m, 1);
        assert_ok(run_job(l, l->series, &alone, NULL, &err), &err);
        assert_same(&together, m, &alone, 0);
        epochs_differ |= together.training[m].epochs != together.training[0].epochs;
        if (m) assert_false(same_values(&together, m, &together, 0));
        drop_job(&alone);
    }
    assert_true(epochs_differ); /* else nobody left early and the test shows little */
    drop_job(&together);
}

static void members_side_by_side_have_the_bits_of_each_alone(void **state)
{
    const lab *l = *state;
    const job passes = make_job(false);
    for (size_t slots = 1; slots <= MEMBERS; slots++) compare_with_each_alone(l, &passes, slots);
    job stream = passes;
    stream.plan.steps_per_epoch = 4;
    stream.plan.rate = 0.2;
    compare_with_each_alone(l, &stream, 3);
}

static void members_side_by_side_draw_their_own_dropout(void **state)
{
    const lab *l = *state;
    const job deep = make_job(true);
    compare_with_each_alone(l, &deep, 2);
    compare_with_each_alone(l, &deep, MEMBERS);
}

static void members_that_take_turns_have_the_bits_of_each_alone(void **state)
{
    const lab *l = *state;
    job turns = make_job(true);
    turns.shape.path = NORN_PATH_STAGE;
    compare_with_each_alone(l, &turns, 0);
}

static void a_member_is_its_identity_not_its_place(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job forth = make_job(true);
    static const size_t order[MEMBERS] = {2, 3, 1, 0};
    job back = part_of(&forth, order, MEMBERS);
    forth.shape.slots = back.shape.slots = 2;
    assert_ok(run_job(l, l->series, &forth, NULL, &err), &err);
    assert_ok(run_job(l, l->series, &back, NULL, &err), &err);
    for (size_t m = 0; m < MEMBERS; m++) assert_same(&back, m, &forth, order[m]);

    /* The same windows under another identity, or another seed, are another training. */
    job other = part_of(&forth, (const size_t[]){0}, 1);
    other.identity[0] = 7;
    assert_ok(run_job(l, l->series, &other, NULL, &err), &err);
    assert_false(same_values(&other, 0, &forth, 0));
    drop_job(&other);
    other.identity[0] = forth.identity[0];
    other.plan.seed = 43;
    assert_ok(run_job(l, l->series, &other, NULL, &err), &err);
    assert_false(same_values(&other, 0, &forth, 0));
    drop_job(&other);
    drop_job(&forth);
    drop_job(&back);
}

static void the_steps_between_two_looks_of_the_host_change_no_bit(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job usual = make_job(false);
    assert_ok(run_job(l, l->series, &usual, NULL, &err), &err);
    static const size_t chunks[] = {1, 2, 7};
    for (size_t i = 0; i < NORN_COUNT(chunks); i++) {
        job other = make_job(false);
        other.shape.chunk = chunks[i];
        assert_ok(run_job(l, l->series, &other, NULL, &err), &err);
        for (size_t m = 0; m < MEMBERS; m++) assert_same(&usual, m, &other, m);
        drop_job(&other);
    }
    drop_job(&usual);
}

/* ---- against the reference ---- */

static double track_value(const lab *l, size_t column, size_t row)
{
    return (double)(float)(l->raw[column][row] - l->raw[column][0]); /* as the device holds it */
}

/* One row of a batch, as kernels/windows.cl and kernels/head.cl have it. */
static void fill_row(const lab *l, const job *j, size_t series, size_t row, size_t b, double *x,
                     double *target)
{
    const size_t batch = j->shape.batch, at = series * INPUTS;
    const double last = track_value(l, at, row + WINDOW - 1);
    for (size_t f = 0; f < INPUTS; f++)
        for (size_t t = 0; t < WINDOW; t++)
            x[(t * batch + b) * INPUTS + f] =
                (track_value(l, at + f, row + t) - (f ? (double)j->pairs[0][at + f][0] : last)) *
                (double)j->pairs[0][at + f][1];
    const size_t season = (size_t)j->pairs[0][at][0];
    for (size_t o = 0; o < HORIZON; o++) {
        const double base = season ? track_value(l, at, row + WINDOW - season + o % season) : last;
        target[b * HORIZON + o] = (track_value(l, at, row + WINDOW + o) - base) * (double)j->pairs[0][at][1];
    }
}

static void window_of(const job *j, size_t index, size_t *series, size_t *row)
{
    *series = 0;
    while (index >= j->train[0][*series].count) index -= j->train[0][(*series)++].count;
    *row = j->train[0][*series].first + index;
}

/* Trains member 0 of the job by the reference and leaves parameters and loss after `epochs`. */
static double train_reference(const lab *l, const job *j, size_t epochs, double *parameters)
{
    enum { B = 5 };
    const norn_reference_shape shape = {WINDOW, B, INPUTS, j->shape.hidden, j->shape.layers, HORIZON};
    const size_t plain = norn_network_plain_size(&j->shape);
    norn_reference_network *network = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_reference_network_new(&network, &shape, NULL, &err), &err);
    memcpy(network->parameters, parameters, plain * sizeof *parameters);
    double x[WINDOW * B * INPUTS], target[B * HORIZON], loss = 0.0;
    double *m = calloc(plain, sizeof *m), *v = calloc(plain, sizeof *v);
    assert_true(m && v);

    size_t windows = 0;
    for (size_t s = 0; s < SERIES; s++) windows += j->train[0][s].count;
    const size_t per_epoch = j->plan.steps_per_epoch ? j->plan.steps_per_epoch : (windows + B - 1) / B;
    const norn_key order = norn_random_key(j->plan.seed, j->identity[0], NORN_PURPOSE_ORDER);
    for (size_t epoch = 0, drawn = 0, done = 0; epoch < epochs; epoch++) {
        loss = 0.0;
        for (size_t step = 0; step < per_epoch; step++, done++) {
            unsigned char weight[B] = {0};
            memset(x, 0, sizeof x);
            memset(target, 0, sizeof target);
            size_t rows = B; /* a pass ends with what is left, a stream goes on into the next pass */
            if (!j->plan.steps_per_epoch && windows - step * B < B) rows = windows - step * B;
            for (size_t b = 0; b < rows; b++, drawn++) {
                const uint64_t index =
                    norn_random_permute(order, (uint32_t)(drawn / windows), drawn % windows, windows);
                size_t series, row;
                window_of(j, (size_t)index, &series, &row);
                fill_row(l, j, series, row, b, x, target);
                weight[b] = 1;
            }
            const norn_reference_batch batch = {
                .x = x, .target = target, .weight = weight, .loss = j->shape.loss};
            loss += norn_reference_network_forward(network, &batch) / (double)per_epoch;
            norn_reference_network_backward(network, &batch);
            (void)norn_reference_clip(plain, network->gradients, j->shape.clip);
            const double pi = acos(-1.0), part = (double)done / (double)(per_epoch * j->plan.epochs);
            const norn_reference_adam adam = {j->plan.rate * 0.5 * (1.0 + cos(pi * part)), 0.9, 0.999, 1e-8};
            norn_reference_adam_step(&adam, plain, done + 1, network->gradients, network->parameters, m, v);
        }
    }
    memcpy(parameters, network->parameters, plain * sizeof *parameters);
    norn_reference_network_free(network);
    free(m);
    free(v);
    return loss;
}

/* Root mean square of the differences, in learning rates: float gradients near 0 turn Adam's first steps a
 * little. */
static void compare_with_reference(const lab *l, size_t steps_per_epoch, norn_loss loss)
{
    job j = make_job(false);
    j.count = 1;
    j.plan.steps_per_epoch = steps_per_epoch;
    j.plan.patience = 100;
    j.plan.epochs = 4;
    j.shape.loss = loss;
    size_t windows = 0;
    for (size_t s = 0; s < SERIES; s++) windows += j.train[0][s].count;
    assert_true(windows % j.shape.batch != 0); /* the last batch of a pass is ragged */
    norn_error err = NORN_ERROR_INIT;
    norn_network *network = NULL;
    assert_ok(run_job(l, l->series, &j, &network, &err), &err);
    assert_int_equal(j.training[0].windows, windows);
    assert_int_equal(j.training[0].epochs, 4);

    const size_t plain = norn_network_plain_size(&j.shape);
    double *want = calloc(plain, sizeof *want);
    assert_non_null(want);
    assert_ok(norn_network_initialise(network, 0, j.plan.seed, j.identity[0], &err), &err);
    assert_ok(norn_network_get(network, 0, want, &err), &err);
    const double want_loss = train_reference(l, &j, j.training[0].best_epoch, want);
    double squares = 0.0;
    for (size_t i = 0; i < plain; i++) squares += (j.values[0][i] - want[i]) * (j.values[0][i] - want[i]);
    assert_near(sqrt(squares / (double)plain) / j.plan.rate, 0.0, 0.0, 2e-3);
    assert_near(j.training[0].train_loss, want_loss, 1e-4, 0.0);
    free(want);
    norn_network_free(network);
    drop_job(&j);
}

static void a_pass_over_all_windows_trains_as_the_reference_does(void **state)
{
    compare_with_reference(*state, 0, NORN_LOSS_MSE);
    compare_with_reference(*state, 0, NORN_LOSS_HUBER);
}

static void a_stream_of_windows_trains_as_the_reference_does(void **state)
{
    compare_with_reference(*state, 7, NORN_LOSS_MSE);
}

/* ---- the best state ---- */

/* Loss of member 0 over the validation windows as they stand in the network now. */
static double loss_now(const lab *l, const job *j, norn_network *network, size_t most)
{
    size_t all = 0, used = 0;
    for (size_t s = 0; s < SERIES; s++) all += j->valid[0][s].count;
    used = most && most < all ? most : all;
    norn_window *windows = calloc(network->ibp, sizeof *windows);
    float *loss = calloc(network->ibp, sizeof *loss);
    assert_true(windows && loss && used <= network->ibp);
    for (size_t i = 0; i < used; i++) {
        size_t index = used == 1 ? all - 1 : i * (all - 1) / (used - 1), s = 0;
        while (index >= j->valid[0][s].count) index -= j->valid[0][s++].count;
        windows[i] = (norn_window){(int32_t)s, (int32_t)(j->valid[0][s].first + index)};
    }
    norn_error err = NORN_ERROR_INIT;
    const size_t member = 0;
    assert_ok(norn_network_infer(network, l->series, windows, &used, &member, 1, loss, NULL, &err), &err);
    double sum = 0.0;
    for (size_t i = 0; i < used; i++) sum += (double)loss[i];
    free(windows);
    free(loss);
    return sum / ((double)used * HORIZON);
}

static void the_state_with_the_best_validation_loss_is_left_in_the_network(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    norn_network *network = NULL;
    static const size_t most[] = {0, 1, 4};
    for (size_t i = 0; i < NORN_COUNT(most); i++) {
        job j = make_job(false);
        j.count = 1;
        j.plan.rate = 0.3; /* so wild that the last state is not the best */
        j.plan.epochs = 30;
        j.plan.patience = 3;
        j.plan.most_valid = most[i];
        assert_ok(run_job(l, l->series, &j, &network, &err), &err);
        assert_true(j.training[0].best_epoch < j.training[0].epochs);
        assert_int_equal(j.training[0].epochs, j.training[0].best_epoch + 3);
        assert_int_equal(j.training[0].validation_windows, 9);
        const double now = loss_now(l, &j, network, most[i]);
        assert_memory_equal(&now, &j.training[0].valid_loss, sizeof now);
        norn_network_free(network);
        drop_job(&j);
    }
}

/* Validation losses of two members, by epoch. */
typedef struct losses {
    double of[2][8];
} losses;

static void hear_loss(void *user, size_t member, const norn_epoch *epoch)
{
    ((losses *)user)->of[member][epoch->epoch] = epoch->valid_loss;
}

/* From then on the best one is, the first of its kind. */
static void no_state_is_kept_before_training_has_settled(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    size_t first = 0; /* times that the epoch it settled at was the best of several */
    for (size_t settle = 1; settle <= 6; settle++) {
        job j = make_job(false);
        j.count = 2;
        j.plan.rate = 0.3;
        j.plan.settle = settle;
        j.plan.epochs = 5;
        losses heard;
        j.plan.on_epoch = hear_loss;
        j.plan.epoch_user = &heard;
        assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
        for (size_t m = 0; m < 2; m++) {
            size_t best = settle < 5 ? settle : 5;
            for (size_t e = best; e <= j.training[m].epochs; e++)
                if (heard.of[m][e] < heard.of[m][best]) best = e;
            assert_int_equal(j.training[m].best_epoch, best);
            first += settle < 5 && best == settle;
            assert_true(j.training[m].epochs == 5 || j.training[m].epochs == j.training[m].best_epoch + 2);
        }
        drop_job(&j);
    }
    assert_true(first > 0);
}

typedef struct told {
    norn_epoch epoch[8];
    size_t count;
} told;

static void hear_epoch(void *user, size_t member, const norn_epoch *epoch)
{
    told *t = user;
    assert_int_equal(member, 0);
    t->epoch[t->count++] = *epoch;
}

static void an_epoch_is_told_of_with_the_rate_and_the_gradient_of_its_last_step(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job j = make_job(false);
    told t = {.count = 0};
    j.count = 1;
    j.plan.epochs = 4;
    j.plan.patience = 4;
    j.plan.on_epoch = hear_epoch;
    j.plan.epoch_user = &t;
    norn_network *network = NULL;
    assert_ok(run_job(l, l->series, &j, &network, &err), &err);
    size_t windows = 0;
    for (size_t s = 0; s < SERIES; s++) windows += j.train[0][s].count;
    const size_t steps = (windows + j.shape.batch - 1) / j.shape.batch;
    assert_int_equal(t.count, 4);
    for (size_t e = 0; e < 4; e++) {
        const double rate = norn_rate_at(&j.plan.schedule, j.plan.rate, (e + 1) * steps - 1, steps, 4);
        assert_memory_equal(&t.epoch[e].rate, &rate, sizeof rate);
        assert_int_equal(t.epoch[e].epoch, e + 1);
        assert_true(t.epoch[e].gradient_norm > 0.0 && isfinite(t.epoch[e].gradient_norm));
    }
    const norn_epoch *best = &t.epoch[j.training[0].best_epoch - 1];
    assert_true(best->train_loss == j.training[0].train_loss && best->valid_loss == j.training[0].valid_loss);
    double *gradient = calloc(norn_network_plain_size(&j.shape), sizeof *gradient), sum = 0.0;
    assert_non_null(gradient);
    assert_ok(norn_network_get_gradient(network, 0, gradient, &err), &err); /* of the very last step */
    for (size_t i = 0; i < norn_network_plain_size(&j.shape); i++) sum += gradient[i] * gradient[i];
    assert_true(sqrt(sum) == t.epoch[3].gradient_norm);
    free(gradient);
    norn_network_free(network);
    drop_job(&j);
}

static void a_limit_of_time_ends_training_with_what_there_is(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job j = make_job(false);
    j.plan.time_limit = 1e-9;
    j.plan.settle = 4;
    assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
    for (size_t m = 0; m < MEMBERS; m++) {
        assert_int_equal(j.training[m].epochs, 1);
        assert_int_equal(j.training[m].best_epoch, 1);
        assert_true(isfinite(j.training[m].valid_loss) && j.training[m].valid_loss > 0.0);
    }
    drop_job(&j);
}

/* ---- what can go wrong ---- */

static void a_member_that_diverges_at_once_stops_alone(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job sound = make_job(false);
    assert_ok(run_job(l, l->series, &sound, NULL, &err), &err);
    static const float wild[] = {1e30f, INFINITY};
    for (size_t i = 0; i < NORN_COUNT(wild); i++)
        for (size_t slots = 1; slots <= MEMBERS; slots += 3) {
            job j = make_job(false);
            j.shape.slots = slots;
            for (size_t c = 0; c < COLUMNS; c += INPUTS) j.pairs[1][c][1] = wild[i];
            assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
            assert_true(j.diverged[1]);
            assert_int_equal(j.training[1].best_epoch, 0);
            assert_int_equal(j.training[1].epochs, 1);
            assert_string_equal(j.training[1].trouble, "step 1: the loss is not finite");
            for (size_t m = 0; m < MEMBERS; m++) assert_true(m == 1 || !j.training[m].trouble[0]);
            for (size_t m = 0; m < MEMBERS; m++)
                if (m != 1) assert_same(&sound, m, &j, m);
            const size_t plain = norn_network_plain_size(&j.shape);
            for (size_t k = 0; k < plain; k++) assert_true(isfinite(j.values[1][k])); /* its initial state */
            drop_job(&j);
        }
    drop_job(&sound);
}

/* Inputs of 1e30 leave the loss what it is, and only what they are multiplied by has a gradient beyond
 * floats. */
static void a_gradient_that_is_too_large_is_named_by_its_matrix(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job j = make_job(false), sound = make_job(false);
    for (size_t c = 1; c < COLUMNS; c += INPUTS) j.pairs[1][c][1] = 1e30f;
    assert_ok(run_job(l, l->series, &sound, NULL, &err), &err);
    assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
    assert_true(j.diverged[1]);
    if (strncmp(j.training[1].trouble, "step ", 5) != 0 ||
        !strstr(j.training[1].trouble, ": the gradient of W_") ||
        !strstr(j.training[1].trouble, " of layer 1 is "))
        fail_msg("\"%s\"", j.training[1].trouble);
    for (size_t m = 0; m < MEMBERS; m++)
        if (m != 1) assert_same(&sound, m, &j, m);
    drop_job(&j);
    drop_job(&sound);
}

/* One window whose target is beyond floats once squared; by the order of the member it comes in the third
 * epoch. */
static void a_member_that_diverges_later_keeps_its_best_state(void **state)
{
    lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    job j = make_job(false);
    j.count = 2;
    j.plan.steps_per_epoch = 1;
    j.plan.patience = 20;
    size_t windows = 0, series, row;
    for (size_t s = 0; s < SERIES; s++) windows += j.train[0][s].count;
    size_t spiked = 0;
    for (bool early = true; early; j.identity[0] += early) {
        const norn_key order = norn_random_key(j.plan.seed, j.identity[0], NORN_PURPOSE_ORDER);
        const size_t first = 2 * j.shape.batch; /* draws before the third epoch */
        window_of(&j, (size_t)norn_random_permute(order, 0, first + 1, windows), &series, &row);
        spiked = row + WINDOW + HORIZON - 1;
        early = false; /* no window drawn before may reach the spike */
        for (size_t i = 0; i < first; i++) {
            size_t s, r;
            window_of(&j, (size_t)norn_random_permute(order, 0, i, windows), &s, &r);
            early |= s == series && r <= spiked && spiked < r + WINDOW + HORIZON;
        }
    }
    assert_true(spiked < j.valid[0][series].first && spiked < j.valid[1][series].first);
    j.train[1][series].count = 0; /* the other member never sees it */

    job sound = j;
    assert_ok(run_job(l, l->series, &sound, NULL, &err), &err);
    assert_false(sound.diverged[0]);
    double *cell = &l->raw[series * INPUTS][spiked];
    const double kept = *cell;
    *cell = 1e30;
    norn_series *spiky = put_series(l, &err);
    *cell = kept;
    norn_network *network = NULL;
    assert_ok(run_job(l, spiky, &j, &network, &err), &err);
    assert_true(j.diverged[0]);
    assert_int_equal(j.training[0].epochs, 3);
    assert_string_equal(j.training[0].trouble, "step 1: the loss is not finite");
    assert_true(j.training[0].best_epoch == 1 || j.training[0].best_epoch == 2);
    const double now = loss_now(l, &j, network, 0);
    assert_memory_equal(&now, &j.training[0].valid_loss, sizeof now);
    assert_same(&sound, 1, &j, 1);
    norn_network_free(network);
    norn_series_free(spiky);
    drop_job(&j);
    drop_job(&sound);
}

static void a_member_without_windows_is_refused(void **state)
{
    const lab *l = *state;
    for (size_t i = 0; i < 2; i++) {
        norn_error err = NORN_ERROR_INIT;
        job j = make_job(false);
        memset(i ? j.train[2] : j.valid[2], 0, sizeof j.train[2]);
        assert_int_equal(run_job(l, l->series, &j, NULL, &err), NORN_ERR_USAGE);
        assert_non_null(strstr(err.message, "--window"));
        drop_job(&j);
    }
}

typedef struct witness {
    norn_cancel *cancel;
    uint64_t cancel_at, last, total;
    size_t calls;
} witness;

static void look(void *user, const norn_progress *progress)
{
    witness *w = user;
    w->calls++;
    assert_string_equal(progress->stage, "train");
    assert_int_equal(progress->size, sizeof *progress);
    assert_true(progress->done > w->last && progress->done <= progress->total);
    assert_true(isfinite(progress->train_loss) && progress->train_loss > 0.0);
    assert_true(isfinite(progress->valid_loss) && progress->valid_loss > 0.0);
    assert_true(progress->windows_rate > 0.0 && progress->seconds_left >= 0.0);
    w->last = progress->done;
    w->total = progress->total;
    if (w->cancel && progress->done >= w->cancel_at) norn_cancel_raise(w->cancel);
}

static void progress_grows_to_its_total(void **state)
{
    const lab *l = *state;
    norn_error err = NORN_ERROR_INIT;
    witness w = {0};
    norn_host host = NORN_HOST_INIT;
    host.user = &w;
    host.progress = look;
    job j = make_job(false);
    j.shape.slots = 2;
    j.plan.patience = 100; /* all epochs are run, so the last report stands at the end */
    j.host = &host;
    assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
    assert_int_equal(w.total, MEMBERS * j.plan.epochs);
    assert_int_equal(w.last, w.total);
    assert_int_equal(w.calls, 2 * j.plan.epochs);
    drop_job(&j);

    /* What a member leaves undone is done too. */
    w = (witness){0};
    j.shape.slots = 1;
    j.plan.patience = 2;
    assert_ok(run_job(l, l->series, &j, NULL, &err), &err);
    assert_true(w.calls < MEMBERS * j.plan.epochs);
    assert_int_equal(w.last, (MEMBERS - 1) * j.plan.epochs + j.training[MEMBERS - 1].epochs);
    drop_job(&j);
}

static void cancelling_ends_training_at_the_next_look(void **state)
{
    const lab *l = *state;
    for (uint64_t at = 0; at <= 8; at += 4) {
        norn_error err = NORN_ERROR_INIT;
        witness w = {.cancel_at = at};
        assert_int_equal(norn_cancel_new(&w.cancel), NORN_OK);
        norn_host host = NORN_HOST_INIT;
        host.user = &w;
        host.progress = look;
        host.cancel = w.cancel;
        if (at == 0) norn_cancel_raise(w.cancel);
        job j = make_job(false);
        j.host = &host;
        const uint64_t before = l->context->launches;
        assert_int_equal(run_job(l, l->series, &j, NULL, &err), NORN_ERR_CANCELLED);
        if (at == 0) assert_true(l->context->launches - before <= MEMBERS); /* initial states, no step */
        assert_int_equal(err.status, NORN_ERR_CANCELLED);
        assert_int_equal(w.calls, at / MEMBERS); /* four members, four epochs a report */
        drop_job(&j);
        norn_cancel_free(w.cancel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_side_by_side_have_the_bits_of_each_alone),
        cmocka_unit_test(members_side_by_side_draw_their_own_dropout),
        cmocka_unit_test(members_that_take_turns_have_the_bits_of_each_alone),
        cmocka_unit_test(a_member_is_its_identity_not_its_place),
        cmocka_unit_test(the_steps_between_two_looks_of_the_host_change_no_bit),
        cmocka_unit_test(a_pass_over_all_windows_trains_as_the_reference_does),
        cmocka_unit_test(a_stream_of_windows_trains_as_the_reference_does),
        cmocka_unit_test(the_state_with_the_best_validation_loss_is_left_in_the_network),
        cmocka_unit_test(no_state_is_kept_before_training_has_settled),
        cmocka_unit_test(an_epoch_is_told_of_with_the_rate_and_the_gradient_of_its_last_step),
        cmocka_unit_test(a_limit_of_time_ends_training_with_what_there_is),
        cmocka_unit_test(a_member_that_diverges_at_once_stops_alone),
        cmocka_unit_test(a_gradient_that_is_too_large_is_named_by_its_matrix),
        cmocka_unit_test(a_member_that_diverges_later_keeps_its_best_state),
        cmocka_unit_test(a_member_without_windows_is_refused),
        cmocka_unit_test(progress_grows_to_its_total),
        cmocka_unit_test(cancelling_ends_training_at_the_next_look),
    };
    return cmocka_run_group_tests(tests, open_lab, close_lab);
}
