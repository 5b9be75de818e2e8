/*
 * Checkpoints: a training that was cancelled or killed anywhere, and went on from its checkpoint, ends with
 * the bits of one that was left alone, whatever runs beside whom. A checkpoint of another training, or a
 * damaged one, is refused by name; one that cannot be written costs nothing but itself.
 *
 * Where "anywhere" is: this program stands before OpenCL and counts the launches of kernels, to raise the
 * flag, or to kill itself, at any of them.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "faulty_files.h"

#include "nn/checkpoint.h"
#include "nn/checksum.h"
#include "nn/model.h"
#include "nn/safetensors.h"

#include <assert.h>
#include <dlfcn.h>

/* ---- launches ---------------------------------------------------------------------------------------------
 */

static struct {
    size_t seen, at; /* launches, and the one at which it happens; 0: never */
    norn_cancel *cancel;
    bool kill;
} hook;

CL_API_ENTRY cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dim,
                                                       const size_t *offset, const size_t *global,
                                                       const size_t *local, cl_uint count,
                                                       const cl_event *events, cl_event *event)
{
    typedef cl_int (*launch_fn)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                                const size_t *, cl_uint, const cl_event *, cl_event *);
    static launch_fn real;
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
        memcpy(&real, &found, sizeof real);
    }
    if (++hook.seen == hook.at) {
        if (hook.kill) (void)raise(SIGKILL);
        if (hook.cancel) norn_cancel_raise(hook.cancel);
    }
    return real(queue, kernel, dim, offset, global, local, count, events, event);
}

/* ---- a training -------------------------------------------------------------------------------------------
 */

enum { MEMBERS = 4, WINDOW = 6, HORIZON = 3, ROWS = 80, COLUMNS = 2 };

/* What decides about bits, and how it is run. */
typedef struct job {
    norn_network_shape shape;
    norn_train_plan plan;
    size_t count;
    double level; /* of the series */
    float pairs[COLUMNS][2];
    int of[COLUMNS]; /* the column of each input */
    norn_span train[MEMBERS], valid[MEMBERS];
    size_t first_identity, sampled;
    const norn_host *host;
} job;

typedef struct result {
    norn_status status;
    norn_error err;
    norn_training training[MEMBERS];
    bool diverged[MEMBERS];
    float values[MEMBERS][2000];
    size_t launches;
} result;

static norn_context *context;
static char folder[64], path[128], other_path[128];

static double wave(const void *user, size_t row)
{
    const double *level = user;
    return *level + sin(0.7 * (double)row + *level) + 0.2 * sin(2.9 * (double)(row * row));
}

/* Members of their own lengths, which stop at their own epochs; two layers with dropout. */
static job make_job(void)
{
    job j = {.shape = {.inputs = 2,
                       .hidden = 6,
                       .layers = 2,
                       .window = WINDOW,
                       .horizon = HORIZON,
                       .batch = 5,
                       .dropout = 0.25,
                       .clip = 1.0},
             .plan = {.epochs = 7, .patience = 2, .settle = 1, .rate = 5e-2, .seed = 42},
             .count = MEMBERS,
             .first_identity = 10,
             .level = 3.0,
             .pairs = {{0.0f, 1.0f}, {0.1f, 1.25f}},
             .of = {0, 1}};
    for (size_t m = 0; m < MEMBERS; m++) {
        j.train[m] = (norn_span){m, 40 - 9 * m};
        j.valid[m] = (norn_span){55 + m, 8};
    }
    return j;
}

static void run(const job *j, result *out)
{
    norn_series *series = NULL;
    norn_network *network = NULL;
    norn_error *err = &out->err;
    const size_t rows[COLUMNS] = {ROWS, ROWS};
    const double levels[COLUMNS] = {j->level, 1.0};
    *out = (result){.err = NORN_ERROR_INIT};
    if (!context) assert_ok(norn_context_new(&context, NULL, NULL, err), err);
    assert_ok(norn_series_new(&series, context, 1, 2, COLUMNS, rows, j->of, err), err);
    for (size_t c = 0; c < COLUMNS; c++) assert_ok(norn_series_put(series, c, wave, &levels[c], err), err);
    norn_network_shape shape = j->shape;
    shape.members = j->count;
    assert_ok(norn_network_new(&network, context, &shape, series, err), err);
    norn_member members[MEMBERS];
    memset(members, 0, sizeof members);
    for (size_t m = 0; m < j->count; m++) {
        members[m] = (norn_member){.identity = j->first_identity + m,
                                   .sampled = j->sampled,
                                   .train = &j->train[m],
                                   .valid = &j->valid[m]};
        assert_ok(norn_network_scale(network, m, &j->pairs[0][0], COLUMNS, err), err);
    }
    hook.seen = 0;
    out->status = norn_train(network, series, members, j->count, &j->plan, j->host, err);
    out->launches = hook.seen;
    hook.at = 0;
    const size_t plain = norn_network_plain_size(&shape);
    assert_true(plain <= 2000);
    double *values = calloc(plain, sizeof *values);
    assert_non_null(values);
    for (size_t m = 0; m < j->count; m++) {
        norn_error own = NORN_ERROR_INIT;
        out->training[m] = members[m].training;
        out->diverged[m] = members[m].diverged;
        assert_ok(norn_network_get(network, m, values, &own), &own);
        for (size_t i = 0; i < plain; i++) out->values[m][i] = (float)values[i];
    }
    free(values);
    norn_network_free(network);
    norn_series_free(series);
}

static bool same(const result *a, const result *b)
{
    bool all = a->status == NORN_OK && b->status == NORN_OK;
    for (size_t m = 0; m < MEMBERS && all; m++)
        all = a->training[m].epochs == b->training[m].epochs &&
              a->training[m].best_epoch == b->training[m].best_epoch &&
              a->training[m].windows == b->training[m].windows &&
              a->training[m].validation_windows == b->training[m].validation_windows &&
              memcmp(&a->training[m].train_loss, &b->training[m].train_loss, sizeof(double)) == 0 &&
              memcmp(&a->training[m].valid_loss, &b->training[m].valid_loss, sizeof(double)) == 0 &&
              a->diverged[m] == b->diverged[m];
    return all && memcmp(a->values, b->values, sizeof a->values) == 0;
}

static void assert_same(const result *got, const result *want)
{
    if (got->status != NORN_OK) print_error("%s: %s\n", got->err.file, got->err.message);
    assert_true(same(got, want));
}

/* Runs it until its launch number `at`, with a checkpoint. */
static void run_until(const job *j, size_t at, result *out)
{
    job cut = *j;
    norn_host host = NORN_HOST_INIT;
    assert_int_equal(norn_cancel_new(&hook.cancel), NORN_OK);
    host.cancel = hook.cancel;
    hook.at = at;
    cut.host = &host;
    cut.plan.checkpoint = path;
    run(&cut, out);
    norn_cancel_free(hook.cancel);
    hook.cancel = NULL;
}

static void go_on(const job *j, result *out)
{
    job rest = *j;
    rest.plan.resume = path;
    run(&rest, out);
}

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/norn-checkpoint-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/checkpoint", folder);
    (void)snprintf(other_path, sizeof other_path, "%s/other", folder);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    norn_context_free(context);
    (void)unlink(path);
    (void)unlink(other_path);
    return rmdir(folder); /* fails where a temporary file was left */
}

static unsigned char *content(const char *name, size_t *size)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(name, "rb");
    unsigned char *bytes = malloc(MOST);
    assert_true(file && bytes);
    *size = fread(bytes, 1, MOST, file);
    (void)fclose(file);
    return bytes;
}

static void put(const char *name, const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* ---- killed -----------------------------------------------------------------------------------------------
 */

/* In a process of its own, since a driver does not survive a fork. Its result comes through a pipe. */
static bool run_apart(const job *j, size_t kill_at, result *out)
{
    int ends[2], ended = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static result mine;
        hook.kill = kill_at != 0;
        hook.at = kill_at;
        run(j, &mine);
        const unsigned char *from = (const unsigned char *)&mine;
        for (size_t left = sizeof mine; left;) {
            const ssize_t written = write(ends[1], from, left);
            if (written <= 0) _exit(1);
            from += written;
            left -= (size_t)written;
        }
        _exit(0);
    }
    (void)close(ends[1]);
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got<sizeof *out; got += n> 0 ? (size_t)n : 0)
        n = read(ends[0], (unsigned char *)out + got, sizeof *out - got);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (WIFSIGNALED(ended)) assert_int_equal(WTERMSIG(ended), SIGKILL);
    return got == sizeof *out;
}

/* First of all tests: the parent has not touched OpenCL yet. */
static void a_training_killed_anywhere_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    static result want, got;
    const job whole = make_job();
    assert_null(context);
    assert_true(run_apart(&whole, 0, &want));
    assert_ok(want.status, &want.err);
    job careful = whole;
    careful.plan.checkpoint = path;
    careful.plan.every = 1;
    size_t kills = 0;
    for (size_t at = 3; at < want.launches; at += want.launches / 7) {
        (void)unlink(path);
        assert_false(run_apart(&careful, at, &got));
        job rest = careful;
        rest.plan.resume = access(path, F_OK) == 0 ? path : NULL;
        if (kills % 2 && rest.plan.resume) /* and killed again on its way */
            assert_false(run_apart(&rest, 5, &got));
        assert_true(run_apart(&rest, 0, &got));
        assert_same(&got, &want);
        kills++;
    }
    assert_true(kills >= 7);
}

/* ---- cancelled
 * ---------------------------------------------------------------------------------------------
 */

static void a_training_cancelled_anywhere_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    static result want, cut, got;
    job whole = make_job();
    whole.shape.chunk = 2; /* looks often */
    run(&whole, &want);
    assert_ok(want.status, &want.err);
    bool epochs_differ = false;
    for (size_t m = 1; m < MEMBERS; m++) epochs_differ |= want.training[m].epochs != want.training[0].epochs;
    assert_true(epochs_differ);

    /* Cut and gone on with in ways that change no bit: others beside it, other looks. */
    size_t cuts = 0;
    for (size_t at = 1, i = 0; at < want.launches; at += 9, i++) {
        job first = whole, second = whole;
        first.shape.slots = 1 + i % MEMBERS;
        second.shape.slots = 1 + i / 2 % MEMBERS;
        second.shape.chunk = 1 + i % 5;
        run_until(&first, at, &cut);
        if (cut.status == NORN_OK) continue; /* through before the look that would have seen it */
        cuts++;
        assert_int_equal(cut.status, NORN_ERR_CANCELLED);
        go_on(&second, &got);
        assert_same(&got, &want);
    }
    assert_true(cuts >= 10);
}

static void streams_of_steps_and_every_rule_go_on_too(void **state)
{
    (void)state;
    static result want, cut, got;
    static const norn_optimiser rules[] = {{.kind = NORN_OPTIMISER_ADAMW, .decay = 0.1},
                                           {.kind = NORN_OPTIMISER_SGD, .momentum = 0.9},
                                           {.kind = NORN_OPTIMISER_RMSPROP, .momentum = 0.5}};
    for (size_t i = 0; i < NORN_COUNT(rules); i++) {
        job whole = make_job();
        whole.shape.optimiser = rules[i];
        whole.shape.chunk = 3;
        whole.plan.steps_per_epoch = 4;
        whole.plan.rate = 1e-2;
        whole.plan.schedule = (norn_rate_plan){.kind = NORN_RATE_ONE_CYCLE, .warmup = 3};
        run(&whole, &want);
        assert_ok(want.status, &want.err);
        run_until(&whole, want.launches / 2 + 3, &cut);
        assert_int_equal(cut.status, NORN_ERR_CANCELLED);
        go_on(&whole, &got);
        assert_same(&got, &want);
    }
}

static void a_training_may_be_cut_again_and_again(void **state)
{
    (void)state;
    static result want, cut, got;
    job whole = make_job();
    whole.shape.chunk = 1;
    run(&whole, &want);
    run_until(&whole, 8, &cut);
    size_t cuts = 1;
    for (; cuts < 100; cuts++) {
        job rest = whole;
        rest.plan.resume = path;
        run_until(&rest, 16, &got);
        if (got.status == NORN_OK) break;
        assert_int_equal(got.status, NORN_ERR_CANCELLED);
    }
    assert_true(cuts > 5);
    assert_same(&got, &want);
}

static void a_training_that_was_through_is_through(void **state)
{
    (void)state;
    static result want, got;
    job whole = make_job();
    whole.plan.checkpoint = path;
    whole.plan.every = 1;
    run(&whole, &want);
    assert_ok(want.status, &want.err);
    go_on(&whole, &got);
    assert_same(&got, &want);
    assert_true(got.launches <= 2 * MEMBERS); /* packing of restored weights, no step */
}

/* What was told of epochs, as norn_history has it. */
typedef struct telling {
    size_t count[MEMBERS];
    double rows[MEMBERS][16][NORN_TOLD];
    char warning[256];
} telling;

static void hear(void *user, size_t member, const norn_epoch *epoch)
{
    telling *t = user;
    assert_true(member < MEMBERS && t->count[member] < 16);
    const double row[NORN_TOLD] = {(double)epoch->epoch, epoch->rate, epoch->train_loss, epoch->valid_loss,
                                   epoch->gradient_norm};
    memcpy(t->rows[member][t->count[member]++], row, sizeof row);
}

static void hear_warning(void *user, norn_log_level level, const char *text)
{
    telling *t = user;
    if (level == NORN_LOG_WARNING) (void)snprintf(t->warning, sizeof t->warning, "%s", text);
}

static void a_training_that_goes_on_tells_of_all_its_epochs(void **state)
{
    (void)state;
    static result want, got;
    static telling all, before, after;
    job whole = make_job();
    whole.shape.chunk = 1;
    whole.shape.slots = 3; /* one of the members waits for another */
    whole.plan.on_epoch = hear;
    whole.plan.epoch_user = &all;
    memset(&all, 0, sizeof all);
    run(&whole, &want);
    for (size_t m = 0; m < MEMBERS; m++) assert_int_equal(all.count[m], want.training[m].epochs);
    size_t cuts = 0;
    for (size_t at = 5; at < want.launches; at += 7) {
        job rest = whole;
        memset(&before, 0, sizeof before);
        rest.plan.epoch_user = &before;
        run_until(&rest, at, &got);
        if (got.status == NORN_OK) continue;
        rest.plan.resume = path;
        /* who does not listen for a while does not make the others deaf */
        for (size_t m = 0; m < MEMBERS; m++)
            if (before.count[m]) rest.plan.on_epoch = NULL;
        run_until(&rest, 12, &got);
        memset(&after, 0, sizeof after);
        rest.plan.on_epoch = hear;
        rest.plan.epoch_user = &after;
        go_on(&rest, &got);
        assert_same(&got, &want);
        assert_memory_equal(after.count, all.count, sizeof all.count);
        assert_memory_equal(after.rows, all.rows, sizeof all.rows);
        cuts++;
    }
    assert_true(cuts > 10);
}

static void epochs_that_no_checkpoint_holds_are_warned_of(void **state)
{
    (void)state;
    static result want, got;
    static telling after;
    norn_host host = NORN_HOST_INIT;
    job j = make_job();
    j.shape.chunk = 1;
    run(&j, &want);
    run_until(&j, want.launches / 2, &got);
    memset(&after, 0, sizeof after);
    host.user = &after;
    host.log = hear_warning;
    j.host = &host;
    j.plan.on_epoch = hear;
    j.plan.epoch_user = &after;
    go_on(&j, &got);
    assert_same(&got, &want);
    assert_non_null(strstr(after.warning, "kept no log (--log, --plot)"));
    assert_true(after.count[0] > 0 && after.count[0] < want.training[0].epochs);
    assert_true(after.rows[0][after.count[0] - 1][0] == want.training[0].epochs);
}

/* A member whose loss or gradient is not finite stays out after going on, from any moment: also from the rest
 * of the epoch in which it stopped, whose steps others still make. */
static void a_member_that_diverged_stays_so(void **state)
{
    (void)state;
    static result want, cut, got;
    for (int loss = 0; loss < 2; loss++) {
        job wild = make_job();
        wild.shape.chunk = 1;
        if (loss)
            wild.plan.rate = 1e30;
        else
            wild.pairs[1][1] = 1e30f; /* its loss is finite, and its gradient is not */
        run(&wild, &want);
        assert_true(want.diverged[0]);
        for (size_t at = 1; at <= want.launches; at++) {
            run_until(&wild, at, &cut);
            if (cut.status == NORN_OK) continue;
            go_on(&wild, &got);
            assert_int_equal(got.status, NORN_OK);
            for (size_t m = 0; m < MEMBERS; m++) {
                assert_int_equal(got.diverged[m], want.diverged[m]);
                assert_int_equal(got.training[m].epochs, want.training[m].epochs);
                assert_memory_equal(got.values[m], want.values[m], sizeof want.values[m]);
            }
        }
    }
}

static void the_same_training_writes_the_same_checkpoint(void **state)
{
    (void)state;
    static result cut;
    size_t size, other_size;
    const job j = make_job();
    run_until(&j, 60, &cut);
    unsigned char *bytes = content(path, &size);
    run_until(&j, 60, &cut);
    unsigned char *other = content(path, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other, size);
    free(bytes);
    free(other);
}

/* ---- refused ----------------------------------------------------------------------------------------------
 */

/* Everything that decides about bits, changed alone. The number goes to the field at that place. */
enum { SIZE, REAL, WORD, YES };
#define SHAPE(kind, field, number)                                                                           \
    {                                                                                                        \
#field, offsetof(job, shape.field), kind, number, 0                                                  \
    }
#define PLAN(kind, field, number)                                                                            \
    {                                                                                                        \
#field, offsetof(job, plan.field), kind, number, 1                                                   \
    }
#define ROWS_OF(field, number)                                                                               \
    {                                                                                                        \
#field, offsetof(job, field), SIZE, number, 2                                                        \
    }
static const struct {
    const char *name;
    size_t at;
    int kind;
    double number;
    size_t part;
} others[] = {SHAPE(SIZE, hidden, 5),
              SHAPE(SIZE, layers, 1),
              SHAPE(SIZE, window, 5),
              SHAPE(SIZE, horizon, 2),
              SHAPE(SIZE, batch, 6),
              SHAPE(SIZE, bptt, 3),
              SHAPE(WORD, loss, NORN_LOSS_MAE),
              SHAPE(WORD, path, NORN_PATH_STAGE),
              SHAPE(WORD, init, NORN_INIT_XAVIER),
              SHAPE(WORD, optimiser.kind, NORN_OPTIMISER_RMSPROP),
              SHAPE(YES, optimiser.nesterov, 1),
              SHAPE(REAL, optimiser.decay, 0.1),
              SHAPE(REAL, optimiser.momentum, 0.5),
              SHAPE(REAL, optimiser.alpha, 0.5),
              SHAPE(REAL, optimiser.clip_value, 0.5),
              SHAPE(REAL, dropout, 0.5),
              SHAPE(REAL, clip, 0.5),
              SHAPE(REAL, quantile, 0.25),
              SHAPE(REAL, forget_bias, 1),
              PLAN(SIZE, epochs, 8),
              PLAN(SIZE, steps_per_epoch, 3),
              PLAN(SIZE, patience, 3),
              PLAN(SIZE, settle, 2),
              PLAN(SIZE, most_valid, 4),
              PLAN(SIZE, seed, 43),
              PLAN(REAL, rate, 1e-3),
              PLAN(WORD, schedule.kind, NORN_RATE_STEP),
              PLAN(SIZE, schedule.warmup, 2),
              PLAN(REAL, schedule.factor, 0.5),
              PLAN(SIZE, schedule.every, 2),
              ROWS_OF(first_identity, 1),
              ROWS_OF(sampled, 5),
              ROWS_OF(train[2].first, 3),
              ROWS_OF(train[2].count, 20),
              ROWS_OF(valid[0].first, 54),
              ROWS_OF(valid[3].count, 7),
              ROWS_OF(count, 3),
              {"level", offsetof(job, level), REAL, 3.5, 3}};

static_assert(sizeof(uint64_t) == sizeof(size_t) && sizeof(norn_loss) == sizeof(int),
              "the table writes sizes, seeds and words");

static void a_checkpoint_of_another_training_is_refused_by_name(void **state)
{
    (void)state;
    static result cut, got;
    static const char *const words[] = {"the network is another", "the training is another",
                                        "the rows or members are others", "the series or their scalings"};
    job j = make_job();
    j.shape.optimiser = (norn_optimiser){.kind = NORN_OPTIMISER_SGD, .momentum = 0.9};
    run_until(&j, 60, &cut);
    for (size_t i = 0; i < NORN_COUNT(others); i++) {
        job other = j;
        unsigned char *const field = (unsigned char *)&other + others[i].at;
        const size_t whole = (size_t)others[i].number;
        const int word = (int)others[i].number;
        const bool yes = others[i].number != 0.0;
        if (others[i].kind == SIZE)
            memcpy(field, &whole, sizeof whole);
        else if (others[i].kind == REAL)
            memcpy(field, &others[i].number, sizeof others[i].number);
        else if (others[i].kind == WORD)
            memcpy(field, &word, sizeof word);
        else
            memcpy(field, &yes, sizeof yes);
        go_on(&other, &got);
        if (got.status != NORN_ERR_DATA || !strstr(got.err.message, words[others[i].part]) ||
            strcmp(got.err.file, path) != 0)
            fail_msg("%s: %s", others[i].name, got.err.message);
    }
    job other = j; /* and what is no number */
    other.pairs[1][0] = 0.2f;
    go_on(&other, &got);
    assert_int_equal(got.status, NORN_ERR_DATA);
    assert_non_null(strstr(got.err.message, words[3]));
    other = j;
    other.of[1] = 0;
    go_on(&other, &got);
    assert_int_equal(got.status, NORN_ERR_DATA);
    assert_non_null(strstr(got.err.message, words[3]));
    norn_cell *cell = NULL;
    const char *text = norn_cell_builtin_text("gru");
    assert_ok(norn_cell_read(&cell, text, strlen(text), "gru", NULL, &got.err), &got.err);
    other = j;
    other.shape.cell = cell;
    go_on(&other, &got);
    norn_cell_free(cell);
    assert_int_equal(got.status, NORN_ERR_DATA);
    assert_non_null(strstr(got.err.message, words[0]));
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    static result cut, got;
    const job j = make_job();
    run_until(&j, 60, &cut);
    size_t size;
    unsigned char *bytes = content(path, &size);
    for (size_t at = 0; at < size; at += at < 900 ? 13 : 601) { /* damage: header and numbers */
        bytes[at] ^= 4;
        put(path, bytes, size);
        bytes[at] ^= 4;
        go_on(&j, &got);
        assert_int_equal(got.status, NORN_ERR_DATA);
    }
    put(path, bytes, size / 2);
    go_on(&j, &got);
    assert_int_equal(got.status, NORN_ERR_DATA);
    free(bytes);

    (void)unlink(path);
    go_on(&j, &got);
    assert_int_equal(got.status, NORN_ERR_INPUT);

    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_new(&model, 1, 1, 1, 1, 1, 1, 1, 1, NULL, &err), &err);
    assert_ok(norn_model_set_id(model, 0, "", &err), &err);
    assert_ok(norn_model_set_column(model, 0, "y", NORN_ROLE_TARGET, &err), &err);
    assert_ok(norn_model_save(model, path, NULL, &err), &err);
    norn_model_free(model);
    go_on(&j, &got);
    assert_int_equal(got.status, NORN_ERR_DATA);
    assert_non_null(strstr(got.err.message, "it is a model"));
}

/* ---- what cannot be written -------------------------------------------------------------------------------
 */

typedef struct listener {
    size_t warnings;
    char last[256];
} listener;

static void listen(void *user, norn_log_level level, const char *text)
{
    listener *l = user;
    l->warnings += level == NORN_LOG_WARNING;
    (void)snprintf(l->last, sizeof l->last, "%s", text);
}

static int no_open(void *user, const char *name, int flags, unsigned mode)
{
    (void)user;
    (void)name;
    (void)flags;
    (void)mode;
    errno = ENOSPC;
    return -1;
}

static void a_checkpoint_that_cannot_be_written_costs_only_itself(void **state)
{
    (void)state;
    static result want, got;
    static const norn_file_system full = {.open = no_open};
    job j = make_job();
    run(&j, &want);
    static const unsigned char old[] = "old";
    put(path, old, sizeof old);
    listener heard = {0};
    norn_host host = NORN_HOST_INIT;
    host.user = &heard;
    host.log = listen;
    j.host = &host;
    j.plan.checkpoint = path;
    j.plan.every = 2;
    j.plan.system = &full;
    run(&j, &got);
    assert_same(&got, &want);
    assert_true(heard.warnings >= 2);
    assert_non_null(strstr(heard.last, "training goes on"));
    size_t size;
    unsigned char *bytes = content(path, &size);
    assert_int_equal(size, sizeof old);
    free(bytes);

    /* But who asked to stop is told. */
    j.host = NULL;
    j.plan.every = 0;
    run_until(&j, 30, &got);
    assert_int_equal(got.status, NORN_ERR_OUTPUT);
    assert_non_null(strstr(got.err.message, "cannot create"));
}

/* A training that is told to stop, and writes where it stands, once. */
static norn_status write_checkpoint(void *user, const char *to, const norn_file_system *system,
                                    norn_error *err)
{
    static result cut;
    job j = *(const job *)user;
    assert_string_equal(to, path);
    j.plan.every = 1000;
    j.plan.system = system;
    run_until(&j, 60, &cut);
    if (err) *err = cut.err;
    return cut.status == NORN_ERR_CANCELLED ? NORN_OK : cut.status;
}

/* Every system call of the write, of a process that is killed at it. Before this one has a context. */
static void a_checkpoint_survives_a_kill_at_any_call_of_its_write(void **state)
{
    (void)state;
    job j = make_job();
    assert_null(context);
    trial t = {.folder = folder, .path = path, .write = write_checkpoint, .user = &j};
    begin_trial(&t, true);
    kill_at_every_call(&t);
    end_trial(&t);
}

/* What a training left, to be written again and again. */
typedef struct standing {
    norn_network *network;
    norn_member members[MEMBERS];
    norn_fingerprint fingerprint;
} standing;

static norn_status save_standing(void *user, const char *to, const norn_file_system *system, norn_error *err)
{
    standing *s = user;
    return norn_checkpoint_save(to, &s->fingerprint, s->network, s->members, MEMBERS, 0.0, system, err);
}

static void a_checkpoint_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    const job j = make_job();
    standing s = {.network = NULL};
    norn_series *series = NULL;
    norn_error err = NORN_ERROR_INIT;
    const size_t rows[COLUMNS] = {ROWS, ROWS};
    const int of[COLUMNS] = {0, 1};
    const double levels[COLUMNS] = {j.level, 1.0};
    norn_network_shape shape = j.shape;
    shape.members = MEMBERS;
    assert_ok(norn_series_new(&series, context, 1, 2, COLUMNS, rows, of, &err), &err);
    for (size_t c = 0; c < COLUMNS; c++) assert_ok(norn_series_put(series, c, wave, &levels[c], &err), &err);
    assert_ok(norn_network_new(&s.network, context, &shape, series, &err), &err);
    for (size_t m = 0; m < MEMBERS; m++) {
        s.members[m] = (norn_member){.identity = 10 + m, .train = &j.train[m], .valid = &j.valid[m]};
        assert_ok(norn_network_scale(s.network, m, &j.pairs[0][0], COLUMNS, &err), &err);
    }
    assert_ok(norn_train(s.network, series, s.members, MEMBERS, &j.plan, NULL, &err), &err);
    assert_ok(norn_fingerprint_make(&s.fingerprint, s.network, series, s.members, MEMBERS, &j.plan, &err),
              &err);

    trial t = {.folder = folder, .path = path, .write = save_standing, .user = &s};
    begin_trial(&t, false);
    norn_safetensors *file = NULL;
    assert_ok(norn_safetensors_open_bytes(&file, t.whole, t.size, "it", NULL, &err), &err);
    assert_int_equal(t.calls, 4 + norn_safetensors_count(file) + 6);
    norn_safetensors_free(file);
    try_every_call(&t);
    end_trial(&t);
    norn_network_free(s.network);
    norn_series_free(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_training_killed_anywhere_goes_on_to_the_same_bits),
        cmocka_unit_test(a_checkpoint_survives_a_kill_at_any_call_of_its_write),
        cmocka_unit_test(a_training_cancelled_anywhere_goes_on_to_the_same_bits),
        cmocka_unit_test(streams_of_steps_and_every_rule_go_on_too),
        cmocka_unit_test(a_training_may_be_cut_again_and_again),
        cmocka_unit_test(a_training_that_was_through_is_through),
        cmocka_unit_test(a_training_that_goes_on_tells_of_all_its_epochs),
        cmocka_unit_test(epochs_that_no_checkpoint_holds_are_warned_of),
        cmocka_unit_test(a_member_that_diverged_stays_so),
        cmocka_unit_test(the_same_training_writes_the_same_checkpoint),
        cmocka_unit_test(a_checkpoint_of_another_training_is_refused_by_name),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(a_checkpoint_is_written_whole_or_not_at_all),
        cmocka_unit_test(a_checkpoint_that_cannot_be_written_costs_only_itself),
    };
    return cmocka_run_group_tests(tests, make_folder, clean_up);
}
