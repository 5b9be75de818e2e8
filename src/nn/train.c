/* The epochs of members side by side: see train.h. */
#include "nn/train.h"

#include "nn/checkpoint.h"
#include "nn/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct live {
    norn_member *member;
    size_t index; /* its number, and its place in the network */
    norn_key order, sample;
    size_t *train_starts, *valid_starts; /* [S + 1] see norn_window_starts; they stay with the slot's array */
    size_t all_windows, windows;         /* and those of them that it is trained on */
    size_t all_valid, valid_windows, steps; /* steps of an epoch */
    double valid_loss;
    bool stepped; /* there was a step since it entered: its gradient stands in the slot */
    bool stopped; /* its gradient was not finite: it rests until the epoch is over */
} live;

typedef struct trainer {
    norn_network *network;
    const norn_series *series;
    const norn_train_plan *plan;
    const norn_host *host;
    live *slots;
    size_t slot_count, used, members, started;
    norn_window *windows, *valid;
    norn_schedule *schedule;
    size_t *rows, *indices;           /* [slots] of a validation launch: rows, and members by their place */
    size_t *starts;                   /* [slots][2][S + 1] */
    float *loss, *valid_loss, *norms; /* norms [chunk][slots] */
    double *plain;                    /* of one member */
    double begun;
    uint64_t rows_trained, epochs_done;
    norn_fingerprint fingerprint; /* where there are checkpoints */
    bool told;                    /* somebody hears of epochs, or did before the checkpoint and may again */
    size_t rounds;
} trainer;

size_t norn_window_starts(const norn_span *spans, size_t series, size_t *starts)
{
    starts[0] = 0;
    for (size_t s = 0; s < series; s++) starts[s + 1] = starts[s] + spans[s].count;
    return starts[series];
}

norn_window norn_window_at(const norn_span *spans, const size_t *starts, size_t series, size_t index)
{
    size_t low = 0, high = series; /* starts[low] <= index < starts[high] */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (starts[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return (norn_window){(int32_t)low, (int32_t)(spans[low].first + (index - starts[low]))};
}

static float bias_correction(double beta, size_t step)
{
    return (float)(1.0 / (1.0 - pow(beta, (double)step)));
}

/* What one slot does in step `step` of its epoch, counted by itself: a member that goes on from a checkpoint
 * may be in the midst of one. */
static void fill_step(trainer *t, const live *one, size_t step, norn_window *windows, norn_schedule *schedule)
{
    const norn_network_shape *shape = &t->network->shape;
    const norn_train_plan *plan = t->plan;
    *schedule = (norn_schedule){.member = (int32_t)one->index};
    if (one->stopped || step >= one->steps) return; /* rests: its epoch is shorter than the longest */
    const size_t batch = shape->batch, done = one->member->state.epoch * one->steps + step;
    size_t rows = batch;
    if (!plan->steps_per_epoch && (step + 1) * batch > one->windows) rows = one->windows - step * batch;
    for (size_t b = 0; b < rows; b++) {
        const uint64_t drawn = plan->steps_per_epoch
                                   ? (uint64_t)done * batch + b
                                   : (uint64_t)one->member->state.epoch * one->windows + step * batch + b;
        uint64_t index = norn_random_permute(one->order, (uint32_t)(drawn / one->windows),
                                             drawn % one->windows, one->windows);
        if (one->windows < one->all_windows) /* the first of a permutation of all are its sample */
            index = norn_random_permute(one->sample, 0, index, one->all_windows);
        windows[b] = norn_window_at(one->member->train, one->train_starts, t->series->count, (size_t)index);
    }
    schedule->rows = (int32_t)rows;
    schedule->optimiser_step = (int32_t)(done + 1);
    schedule->rate = (float)norn_rate_at(&plan->schedule, plan->rate, done, one->steps, plan->epochs);
    schedule->c1 = bias_correction(0.9, done + 1);
    schedule->c2 = bias_correction(0.999, done + 1);
    schedule->factor = (float)(1.0 / ((double)rows * (double)shape->horizon));
}

/* Of the numbers of a member in plain order, whose the index-th is. */
static void name_tensor(const norn_network *n, size_t index, char *out, size_t size)
{
    for (size_t l = 0; l < n->shape.layers; l++) {
        const norn_cell_shape *bound = &n->bound[l > 0];
        norn_plain_tensor tensors[NORN_PLAIN_TENSORS];
        const size_t count = norn_plain_tensors(bound, tensors);
        for (size_t i = 0; i < count; i++) {
            const norn_plain_tensor *t = &tensors[i];
            if (index < t->at.offset || index >= t->at.offset + t->at.count) continue;
            const char *name = t->vector ? bound->cell->vectors[t->index].name
                               : bound->cell->matrices[t->index].projection
                                   ? "the input's projection"
                                   : bound->cell->matrices[t->index].name;
            (void)snprintf(out, size, "%s of layer %zu", name, l + 1);
            return;
        }
        index -= bound->parameters;
    }
    (void)snprintf(out, size, "the head's %s",
                   index < n->shape.hidden * n->shape.horizon ? "weights" : "bias");
}

/* What was not finite in the step that a member stopped at. */
static norn_status name_trouble(trainer *t, const live *one, size_t slot, size_t step, bool finite_loss,
                                norn_error *err)
{
    norn_network *n = t->network;
    const size_t plain = norn_network_plain_size(&n->shape);
    char *out = one->member->training.trouble, name[64] = "";
    const size_t size = sizeof one->member->training.trouble;
    if (!finite_loss) {
        (void)snprintf(out, size, "step %zu: the loss is not finite", step + 1);
        return NORN_OK;
    }
    const norn_status status = norn_network_get_gradient(n, slot, t->plain, err);
    size_t largest = 0, i = 0;
    for (; i < plain && status == NORN_OK && isfinite(t->plain[i]); i++)
        if (fabs(t->plain[i]) > fabs(t->plain[largest])) largest = i;
    name_tensor(n, i < plain ? i : largest, name, sizeof name);
    (void)snprintf(out, size, "step %zu: the gradient of %s is %s", step + 1, name,
                   i < plain ? "not finite" : "too large");
    return status;
}

/* Losses of the chunk's steps of one slot, up to the one it stopped at, which it would stop at again. */
static norn_status count_steps(trainer *t, size_t slot, size_t chunk, norn_error *err)
{
    live *one = &t->slots[slot];
    const norn_network *n = t->network;
    norn_member_state *state = &one->member->state;
    norn_status status = NORN_OK;
    for (size_t i = 0; i < chunk && !one->stopped; i++) {
        const size_t at = i * t->used + slot, rows = (size_t)t->schedule[at].rows;
        double sum = 0.0;
        if (!rows) break; /* its epoch is over */
        one->stepped = true;
        for (size_t b = 0; b < rows; b++) sum += (double)t->loss[at * n->bp + b];
        one->stopped = !isfinite(t->norms[at]);
        if (one->stopped || (!isfinite(sum) && !one->member->training.trouble[0]))
            status = name_trouble(t, one, slot, state->step, isfinite(sum), err);
        if (one->stopped) break;
        state->train_loss += sum / ((double)rows * (double)n->shape.horizon * (double)one->steps);
        state->step++;
        t->rows_trained += rows;
    }
    return status;
}

/* The rest of an epoch of all live members; leaves the mean training loss in each. */
static norn_status train_epoch(trainer *t, norn_error *err)
{
    norn_network *n = t->network;
    const size_t slots = t->used, bp = n->bp;
    size_t steps = 0;
    for (size_t s = 0; s < slots; s++) {
        const live *one = &t->slots[s];
        const size_t left = one->stopped ? 0 : one->steps - one->member->state.step;
        if (left > steps) steps = left;
    }
    norn_status status = NORN_OK;
    for (size_t from = 0; from < steps && status == NORN_OK; from += n->shape.chunk) {
        const size_t chunk = steps - from < n->shape.chunk ? steps - from : n->shape.chunk;
        if (norn_is_cancelled(t->host)) return norn_fail_cancelled(err);
        memset(t->windows, 0, chunk * slots * bp * sizeof *t->windows);
        for (size_t i = 0; i < chunk; i++)
            for (size_t s = 0; s < slots; s++)
                fill_step(t, &t->slots[s], t->slots[s].member->state.step + i,
                          t->windows + (i * slots + s) * bp, &t->schedule[i * slots + s]);
        for (size_t i = 0; i < chunk * slots; i++) t->schedule[i].steps = (int32_t)chunk;
        status = norn_network_train(n, t->series, t->windows, t->schedule, chunk, slots, t->loss, err);
        if (status == NORN_OK) status = norn_network_norms(n, chunk, slots, t->norms, err);
        for (size_t s = 0; s < slots && status == NORN_OK; s++) status = count_steps(t, s, chunk, err);
    }
    return status;
}

/* Validation loss of every live member over its validation windows. */
static norn_status validate(trainer *t, norn_error *err)
{
    norn_network *n = t->network;
    const size_t slots = t->used, ibp = n->ibp;
    size_t most = 0;
    for (size_t s = 0; s < slots; s++) {
        t->slots[s].valid_loss = 0.0;
        if (t->slots[s].valid_windows > most) most = t->slots[s].valid_windows;
    }
    norn_status status = NORN_OK;
    for (size_t from = 0; from < most && status == NORN_OK; from += ibp) {
        if (norn_is_cancelled(t->host)) return norn_fail_cancelled(err);
        memset(t->valid, 0, slots * ibp * sizeof *t->valid);
        for (size_t s = 0; s < slots; s++) {
            const live *one = &t->slots[s];
            const size_t left = one->valid_windows > from ? one->valid_windows - from : 0;
            const size_t last = one->all_valid - 1;
            t->rows[s] = left < ibp ? left : ibp;
            t->indices[s] = one->index;
            for (size_t b = 0; b < t->rows[s]; b++) { /* evenly spread over all of them, the last included */
                const size_t at =
                    one->valid_windows == 1 ? last : (from + b) * last / (one->valid_windows - 1);
                t->valid[s * ibp + b] =
                    norn_window_at(one->member->valid, one->valid_starts, t->series->count, at);
            }
        }
        status =
            norn_network_infer(n, t->series, t->valid, t->rows, t->indices, slots, t->valid_loss, NULL, err);
        for (size_t s = 0; s < slots && status == NORN_OK; s++)
            for (size_t b = 0; b < t->rows[s]; b++)
                t->slots[s].valid_loss += (double)t->valid_loss[s * ibp + b];
    }
    for (size_t s = 0; s < slots; s++)
        t->slots[s].valid_loss /= (double)t->slots[s].valid_windows * (double)n->shape.horizon;
    return status;
}

/* Keeps the state if it is the best so far; *done when the member leaves. */
static norn_status judge(trainer *t, live *one, bool *done, norn_error *err)
{
    const norn_train_plan *plan = t->plan;
    norn_training *training = &one->member->training;
    norn_member_state *state = &one->member->state;
    const double train_loss = state->train_loss;
    norn_status status = NORN_OK;
    state->epoch++;
    state->step = 0;
    state->train_loss = 0.0;
    training->epochs = (unsigned)state->epoch;
    if (one->stopped || !isfinite(train_loss) || !isfinite(one->valid_loss)) {
        if (!training->trouble[0])
            (void)snprintf(training->trouble, sizeof training->trouble,
                           "its end: the validation loss is not finite");
        one->member->diverged = true;
        *done = true;
        return status;
    }
    const bool settled = state->epoch >= plan->settle || state->epoch == plan->epochs;
    const bool better = settled && (training->best_epoch == 0 || one->valid_loss < state->best);
    const bool late = plan->time_limit > 0.0 && norn_seconds() - t->begun >= plan->time_limit;
    /* Stopped before it had settled: what there is. */
    if (better || (late && training->best_epoch == 0)) {
        state->best = one->valid_loss;
        state->epochs_since_best = 0;
        training->best_epoch = (unsigned)state->epoch;
        training->train_loss = train_loss;
        training->valid_loss = one->valid_loss;
        status = norn_network_keep(t->network, one->index, err);
    } else if (settled) {
        state->epochs_since_best++;
    }
    *done = state->epoch >= plan->epochs || state->epochs_since_best >= plan->patience || late;
    return status;
}

/* Takes the next member that is not through into the next free slot. */
static norn_status enter(trainer *t, norn_member *members, norn_error *err)
{
    const size_t batch = t->network->shape.batch, series = t->series->count;
    norn_member *member = &members[t->started];
    size_t *const train_starts = t->slots[t->used].train_starts, *const valid_starts =
                                                                     t->slots[t->used].valid_starts;
    live one = {.member = member,
                .index = t->started,
                .order = norn_random_key(t->plan->seed, member->identity, NORN_PURPOSE_ORDER),
                .train_starts = train_starts,
                .valid_starts = valid_starts,
                .sample = norn_random_key(t->plan->seed, member->identity, NORN_PURPOSE_SAMPLE),
                .all_windows = norn_window_starts(member->train, series, train_starts),
                .all_valid = norn_window_starts(member->valid, series, valid_starts)};
    one.windows = member->sampled && member->sampled < one.all_windows ? member->sampled : one.all_windows;
    one.valid_windows = one.all_valid;
    if (!one.windows || !one.valid_windows)
        return norn_fail(err, NORN_ERR_USAGE,
                         "no windows are left to train on or to stop by: a smaller --window or "
                         "--horizon is needed");
    const bool begins = member->state.stage == NORN_MEMBER_WAITS;
    if (begins)
        member->training = (norn_training){.windows = one.windows, .validation_windows = one.valid_windows};
    if (t->plan->most_valid && one.valid_windows > t->plan->most_valid)
        one.valid_windows = t->plan->most_valid;
    one.steps = t->plan->steps_per_epoch ? t->plan->steps_per_epoch : (one.windows + batch - 1) / batch;
    if (member->state.step > one.steps)
        return norn_fail(err, NORN_ERR_DATA, "%s: the checkpoint's steps are more than an epoch has",
                         t->plan->resume);
    t->started++;
    t->slots[t->used++] = one;
    if (!begins) return NORN_OK;
    member->state.stage = NORN_MEMBER_TRAINS;
    return norn_network_initialise(t->network, one.index, t->plan->seed, member->identity, err);
}

static void report(const trainer *t)
{
    norn_progress progress = {
        .stage = "train", .done = t->epochs_done, .total = t->plan->epochs * t->members};
    for (size_t s = 0; s < t->used; s++) {
        progress.train_loss += t->slots[s].member->state.train_loss / (double)t->used;
        progress.valid_loss += t->slots[s].valid_loss / (double)t->used;
    }
    const double seconds = norn_seconds() - t->begun;
    progress.windows_rate = seconds > 0.0 ? (double)t->rows_trained / seconds : 0.0;
    progress.seconds_left = t->epochs_done ? seconds / (double)t->epochs_done *
                                                 (double)(t->plan->epochs * t->members - t->epochs_done)
                                           : -1.0;
    norn_report(t->host, progress);
}

void norn_history_free(norn_history *h, const norn_host *host)
{
    norn_delete(host, h->rows, h->capacity * NORN_TOLD, sizeof *h->rows);
    *h = (norn_history){NULL, 0, 0};
}

static norn_status add_to_history(norn_history *h, const norn_epoch *epoch, const norn_host *host,
                                  norn_error *err)
{
    if (h->count == h->capacity) {
        const size_t more = h->capacity ? 2 * h->capacity : 16;
        if (!norn_resize(host, (void **)&h->rows, h->capacity * NORN_TOLD, more * NORN_TOLD, sizeof *h->rows))
            return norn_fail_memory(err, "the log of a training");
        h->capacity = more;
    }
    const double row[NORN_TOLD] = {(double)epoch->epoch, epoch->rate, epoch->train_loss, epoch->valid_loss,
                                   epoch->gradient_norm};
    memcpy(h->rows + h->count++ * NORN_TOLD, row, sizeof row);
    return NORN_OK;
}

/* Of the epochs before the interruption. */
static void tell_again(const trainer *t, const norn_member *members)
{
    const norn_train_plan *plan = t->plan;
    size_t missing = 0;
    for (size_t m = 0; m < t->members; m++) {
        const norn_history *h = &members[m].history;
        missing += members[m].state.epoch - h->count;
        for (size_t i = 0; i < h->count; i++) {
            const double *row = h->rows + i * NORN_TOLD;
            const norn_epoch epoch = {.size = sizeof epoch,
                                      .epoch = (unsigned)row[0],
                                      .rate = row[1],
                                      .train_loss = row[2],
                                      .valid_loss = row[3],
                                      .gradient_norm = row[4]};
            plan->on_epoch(plan->epoch_user, m, &epoch);
        }
    }
    if (missing)
        norn_log(t->host, NORN_LOG_WARNING,
                 "%zu epoch%s before the checkpoint %s not told of: that part of the training kept no log "
                 "(--log, --plot)",
                 missing, missing == 1 ? "" : "s", missing == 1 ? "is" : "are");
}

/* Everything to its beginning, or to where a checkpoint has it. */
static norn_status begin(trainer *t, norn_member *members, norn_error *err)
{
    const norn_train_plan *plan = t->plan;
    double seconds = 0.0;
    for (size_t m = 0; m < t->members; m++) {
        members[m].state = (norn_member_state){.stage = NORN_MEMBER_WAITS, .gradient_norm = NAN};
        members[m].diverged = false;
        members[m].history = (norn_history){NULL, 0, 0};
    }
    if (!plan->checkpoint && !plan->resume) return NORN_OK;
    norn_status status =
        norn_fingerprint_make(&t->fingerprint, t->network, t->series, members, t->members, plan, err);
    if (status != NORN_OK || !plan->resume) return status;
    status = norn_checkpoint_load(plan->resume, &t->fingerprint, t->network, members, t->members, plan,
                                  &seconds, t->host, err);
    if (status != NORN_OK) return status;
    t->begun -= seconds;
    for (size_t m = 0; m < t->members; m++)
        t->epochs_done += members[m].state.stage == NORN_MEMBER_LEFT ? plan->epochs : members[m].state.epoch;
    for (size_t m = 0; m < t->members; m++) t->told = t->told || members[m].history.count;
    if (plan->on_epoch) tell_again(t, members);
    return status;
}

/* Of the last step of the member in a slot, before clipping, into its state. */
static norn_status take_gradient_norm(trainer *t, size_t slot, norn_error *err)
{
    const live *one = &t->slots[slot];
    const size_t count = norn_network_plain_size(&t->network->shape);
    double sum = 0.0;
    if (!one->stepped) return NORN_OK; /* what the checkpoint says */
    const norn_status status = norn_network_get_gradient(t->network, slot, t->plain, err);
    for (size_t i = 0; i < count && status == NORN_OK; i++) sum += t->plain[i] * t->plain[i];
    one->member->state.gradient_norm = sqrt(sum);
    return status;
}

static norn_status save(trainer *t, const norn_member *members, norn_error *err)
{
    const double seconds = t->plan->time_limit > 0.0 ? norn_seconds() - t->begun : 0.0;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < t->used && status == NORN_OK; s++)
        if (t->told && t->slots[s].member->state.step) status = take_gradient_norm(t, s, err);
    if (status != NORN_OK) return status;
    return norn_checkpoint_save(t->plan->checkpoint, &t->fingerprint, t->network, members, t->members,
                                seconds, t->plan->system, err);
}

/* After a round of epochs. What fails here has cost nothing yet: training goes on. */
static void save_between(trainer *t, const norn_member *members)
{
    norn_error err = NORN_ERROR_INIT;
    if (!t->plan->checkpoint || !t->plan->every || ++t->rounds % t->plan->every) return;
    if (save(t, members, &err) != NORN_OK)
        norn_log(t->host, NORN_LOG_WARNING, "no checkpoint: %s; training goes on", err.message);
}

/* Who asked hears of an epoch that is over; a checkpoint keeps it for a later one who does. */
static norn_status tell(trainer *t, size_t slot, norn_error *err)
{
    const norn_train_plan *plan = t->plan;
    const live *one = &t->slots[slot];
    norn_member_state *state = &one->member->state;
    if (!t->told) return NORN_OK;
    norn_status status = take_gradient_norm(t, slot, err);
    if (status != NORN_OK) return status;
    norn_epoch epoch = {.size = sizeof epoch,
                        .epoch = (unsigned)state->epoch + 1,
                        .rate = norn_rate_at(&plan->schedule, plan->rate, (state->epoch + 1) * one->steps - 1,
                                             one->steps, plan->epochs),
                        .train_loss = state->train_loss,
                        .valid_loss = one->valid_loss,
                        .gradient_norm = state->gradient_norm};
    state->gradient_norm = NAN;
    if (plan->on_epoch) plan->on_epoch(plan->epoch_user, one->index, &epoch);
    if (plan->checkpoint)
        status = add_to_history(&one->member->history, &epoch, &t->network->context->host, err);
    return status;
}

/* One epoch of all who are in a slot; who is through leaves. */
static norn_status run_round(trainer *t, norn_error *err)
{
    norn_status status = train_epoch(t, err);
    if (status == NORN_OK) status = validate(t, err);
    if (status != NORN_OK) return status;
    t->epochs_done += t->used;
    report(t);
    for (size_t s = 0; s < t->used && status == NORN_OK; s++) status = tell(t, s, err);
    size_t left = 0; /* who goes on moves to the first slots */
    for (size_t s = 0; s < t->used && status == NORN_OK; s++) {
        bool done = false;
        norn_member_state *state = &t->slots[s].member->state;
        status = judge(t, &t->slots[s], &done, err);
        if (done) {
            t->epochs_done += t->plan->epochs - state->epoch;
            if (status == NORN_OK) status = norn_network_restore(t->network, t->slots[s].index, err);
            state->stage = NORN_MEMBER_LEFT;
        } else { /* changes places with one that is done, whose arrays the next member takes */
            const live stays = t->slots[s];
            t->slots[s] = t->slots[left];
            t->slots[left++] = stays;
        }
    }
    t->used = left;
    return status;
}

norn_status norn_train(norn_network *network, const norn_series *series, norn_member *members, size_t count,
                       const norn_train_plan *plan, const norn_host *services, norn_error *err)
{
    const norn_host *host = &network->context->host;
    const size_t slots = network->shape.slots, chunk = network->shape.chunk, each = series->count + 1;
    trainer t = {.network = network,
                 .series = series,
                 .plan = plan,
                 .host = services,
                 .slot_count = slots,
                 .members = count,
                 .told = plan->on_epoch != NULL,
                 .begun = norn_seconds()};
    const struct {
        void **array;
        size_t count, size;
    } arrays[] = {{(void **)&t.slots, slots, sizeof *t.slots},
                  {(void **)&t.windows, chunk * slots * network->bp, sizeof *t.windows},
                  {(void **)&t.schedule, chunk * slots, sizeof *t.schedule},
                  {(void **)&t.loss, chunk * slots * network->bp, sizeof *t.loss},
                  {(void **)&t.norms, chunk * slots, sizeof *t.norms},
                  {(void **)&t.plain, norn_network_plain_size(&network->shape), sizeof *t.plain},
                  {(void **)&t.valid, slots * network->ibp, sizeof *t.valid},
                  {(void **)&t.valid_loss, slots * network->ibp, sizeof *t.valid_loss},
                  {(void **)&t.rows, slots, sizeof *t.rows},
                  {(void **)&t.indices, slots, sizeof *t.indices},
                  {(void **)&t.starts, slots * 2 * each, sizeof *t.starts}};
    norn_profile_enter(host->profile, "training, on the host");
    norn_status status = norn_rate_check(&plan->schedule, err);
    for (size_t i = 0; i < NORN_COUNT(arrays); i++)
        if (!(*arrays[i].array = norn_new(host, arrays[i].count, arrays[i].size)))
            status = norn_fail_memory(err, "the training schedule");
    for (size_t s = 0; s < slots && status == NORN_OK; s++) {
        t.slots[s].train_starts = t.starts + 2 * s * each;
        t.slots[s].valid_starts = t.starts + (2 * s + 1) * each;
    }
    if (status == NORN_OK) status = begin(&t, members, err);

    while (status == NORN_OK) {
        while (status == NORN_OK && t.used < slots && t.started < count)
            if (members[t.started].state.stage == NORN_MEMBER_LEFT)
                t.started++;
            else
                status = enter(&t, members, err);
        if (status != NORN_OK || !t.used) break;
        status = run_round(&t, err);
        if (status == NORN_OK) save_between(&t, members);
    }
    if (status == NORN_ERR_CANCELLED && plan->checkpoint) {
        norn_error other = NORN_ERROR_INIT;
        const norn_status saved = save(&t, members, &other);
        if (saved != NORN_OK) {
            status = saved;
            if (err) *err = other;
        }
    }
    for (size_t m = 0; m < count; m++) norn_history_free(&members[m].history, host);
    for (size_t i = 0; i < NORN_COUNT(arrays); i++)
        norn_delete(host, *arrays[i].array, arrays[i].count, arrays[i].size);
    norn_profile_leave(host->profile);
    return status;
}
