/* Checkpoints of a training: see checkpoint.h. */
#include "nn/checkpoint.h"

#include "nn/checksum.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLES = 10, REALS = 4, READ_BYTES = 1 << 20 };

static const char *const of[NORN_FINGERPRINTS] = {"network", "plan", "windows", "data"};

/* ---- which training ---------------------------------------------------------------------------------------
 */

static uint32_t add_whole(uint32_t sum, uint64_t value)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    return norn_checksum_add(sum, bytes, sizeof bytes);
}

static uint32_t add_real(uint32_t sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return add_whole(sum, bits);
}

static uint32_t sum_of_network(const norn_network_shape *s)
{
    const uint64_t wholes[] = {s->inputs,
                               s->hidden,
                               s->layers,
                               s->window,
                               s->horizon,
                               s->batch,
                               (uint64_t)s->loss,
                               (uint64_t)s->path,
                               s->weighted,
                               (uint64_t)s->optimiser.kind,
                               s->optimiser.nesterov,
                               (uint64_t)s->init,
                               norn_network_first_step(s)};
    const double reals[] = {s->dropout,
                            s->clip,
                            s->quantile,
                            s->optimiser.decay,
                            s->optimiser.alpha,
                            s->optimiser.momentum,
                            s->optimiser.clip_value,
                            s->forget_bias};
    uint32_t sum = 0;
    for (size_t i = 0; i < NORN_COUNT(wholes); i++) sum = add_whole(sum, wholes[i]);
    for (size_t i = 0; i < NORN_COUNT(reals); i++) sum = add_real(sum, reals[i]);
    if (s->cell) sum = norn_checksum_add(sum, s->cell->text, s->cell->length);
    return sum;
}

static uint32_t sum_of_plan(const norn_train_plan *p)
{
    const uint64_t wholes[] = {p->epochs,          p->steps_per_epoch, p->patience,
                               p->settle,          p->most_valid,      (uint64_t)p->schedule.kind,
                               p->schedule.warmup, p->schedule.every,  p->seed};
    uint32_t sum = add_real(add_real(0, p->rate), p->schedule.factor);
    for (size_t i = 0; i < NORN_COUNT(wholes); i++) sum = add_whole(sum, wholes[i]);
    return sum;
}

static uint32_t sum_of_windows(const norn_member *members, size_t count, size_t series)
{
    uint32_t sum = 0;
    for (size_t m = 0; m < count; m++) {
        sum = add_whole(sum, members[m].identity);
        if (members[m].sampled) sum = add_whole(sum, members[m].sampled);
        for (size_t s = 0; s < series; s++) {
            const uint64_t edges[] = {members[m].train[s].first, members[m].train[s].count,
                                      members[m].valid[s].first, members[m].valid[s].count};
            for (size_t i = 0; i < NORN_COUNT(edges); i++) sum = add_whole(sum, edges[i]);
        }
    }
    return sum;
}

/* What the device holds of the series and their scalings. */
static norn_status sum_of_data(uint32_t *sum, norn_network *network, const norn_series *series,
                               norn_error *err)
{
    norn_context *context = network->context;
    const struct {
        const norn_buffer *buffer;
        size_t bytes;
    } parts[] = {{&series->values, (size_t)series->floats * sizeof(float)},
                 {&series->starts, series->columns * sizeof(int64_t)},
                 {&series->index, series->count * series->inputs * sizeof(int)},
                 {&network->scaling, network->shape.members * series->columns * 2 * sizeof(float)}};
    unsigned char *block = norn_new(&context->host, READ_BYTES, 1);
    if (!block) return norn_fail_memory(err, "a checkpoint");
    norn_status status = NORN_OK;
    *sum = 0;
    for (size_t i = 0; i < NORN_COUNT(parts) && status == NORN_OK; i++)
        for (size_t from = 0; from < parts[i].bytes && status == NORN_OK; from += READ_BYTES) {
            const size_t n = parts[i].bytes - from < READ_BYTES ? parts[i].bytes - from : READ_BYTES;
            status = norn_buffer_read(context, parts[i].buffer, from, block, n, err);
            *sum = norn_checksum_add(*sum, block, n);
        }
    norn_delete(&context->host, block, READ_BYTES, 1);
    return status;
}

norn_status norn_fingerprint_make(norn_fingerprint *out, norn_network *network, const norn_series *series,
                                  const norn_member *members, size_t count, const norn_train_plan *plan,
                                  norn_error *err)
{
    norn_fingerprint made = {{sum_of_network(&network->shape), sum_of_plan(plan),
                              sum_of_windows(members, count, series->count), 0}};
    const norn_status status = sum_of_data(&made.part[3], network, series, err);
    if (status == NORN_OK) *out = made;
    return status;
}

/* The device and how it is used, as text that JSON can hold. */
static void spell_device(const norn_network *network, char out[256])
{
    const norn_context *c = network->context;
    char name[100], driver[60];
    (void)norn_quote(name, sizeof name, c->info.name, strlen(c->info.name), 80);
    (void)norn_quote(driver, sizeof driver, c->info.driver, strlen(c->info.driver), 40);
    (void)snprintf(out, 256, "%s, driver %s, %u x %u x %u", name, driver, network->map.local_size,
                   network->map.vector_width, network->map.rows);
}

/* ---- numbers of the members -------------------------------------------------------------------------------
 */

/* One table for both directions: what stands at which place. */
static void wholes_of(norn_member *m, uint64_t value[WHOLES], bool put)
{
    uint64_t stage = (uint64_t)m->state.stage, epochs = m->training.epochs, best = m->training.best_epoch,
             diverged = m->diverged;
    size_t *const sizes[] = {&m->state.epoch, &m->state.step, &m->state.epochs_since_best,
                             &m->training.windows, &m->training.validation_windows};
    uint64_t *const words[] = {&stage, &epochs, &best, &diverged, &m->identity};
    for (size_t i = 0; i < NORN_COUNT(sizes); i++)
        if (put)
            *sizes[i] = (size_t)value[i];
        else
            value[i] = *sizes[i];
    for (size_t i = 0; i < NORN_COUNT(words); i++)
        if (put)
            *words[i] = value[NORN_COUNT(sizes) + i];
        else
            value[NORN_COUNT(sizes) + i] = *words[i];
    if (!put) return;
    m->state.stage = (norn_member_stage)stage;
    m->training.epochs = (unsigned)epochs;
    m->training.best_epoch = (unsigned)best;
    m->diverged = diverged != 0;
}

static void reals_of(norn_member *m, double value[REALS], bool put)
{
    double *const reals[REALS] = {&m->state.train_loss, &m->state.best, &m->training.train_loss,
                                  &m->training.valid_loss};
    for (size_t i = 0; i < REALS; i++)
        if (put)
            *reals[i] = value[i];
        else
            value[i] = *reals[i];
}

/* ---- parameters of the members ----------------------------------------------------------------------------
 */

static const char *const part_names[NORN_PARTS] = {[NORN_PART_VALUES] = "values",
                                                   [NORN_PART_BEST] = "best",
                                                   [NORN_PART_FIRST_MOMENT] = "first_moment",
                                                   [NORN_PART_SECOND_MOMENT] = "second_moment"};

/* Who is through needs its values only, who waits needs nothing. */
static size_t parts_of(const norn_member *member)
{
    static const size_t parts[] = {
        [NORN_MEMBER_WAITS] = 0, [NORN_MEMBER_TRAINS] = NORN_PARTS, [NORN_MEMBER_LEFT] = 1};
    return parts[member->state.stage];
}

/* One tensor at a time on its way from the device; it is asked for in ascending order. */
typedef struct ferry {
    norn_network *network;
    size_t plain;
    double *values; /* [plain] */
    float *numbers; /* [plain] */
} ferry;

typedef struct cargo {
    ferry *by;
    size_t member;
    norn_network_part part;
    char name[48];
} cargo;

static norn_status fill(void *user, uint64_t offset, void *out, size_t bytes, norn_error *err)
{
    const cargo *c = user;
    ferry *by = c->by;
    if (offset == 0) {
        const norn_status status = norn_network_get_part(by->network, c->part, c->member, by->values, err);
        if (status != NORN_OK) return status;
        for (size_t i = 0; i < by->plain; i++) by->numbers[i] = (float)by->values[i]; /* they were floats */
    }
    memcpy(out, (const unsigned char *)by->numbers + offset, bytes);
    return NORN_OK;
}

static norn_status new_ferry(ferry *by, norn_network *network, norn_error *err)
{
    const norn_host *host = &network->context->host;
    *by = (ferry){.network = network, .plain = norn_network_plain_size(&network->shape)};
    by->values = norn_new(host, by->plain, sizeof *by->values);
    by->numbers = norn_new(host, by->plain, sizeof *by->numbers);
    return by->values && by->numbers ? NORN_OK : norn_fail_memory(err, "a checkpoint");
}

static void drop_ferry(ferry *by)
{
    if (!by->network) return;
    const norn_host *host = &by->network->context->host;
    norn_delete(host, by->values, by->plain, sizeof *by->values);
    norn_delete(host, by->numbers, by->plain, sizeof *by->numbers);
}

/* ---- saving ----------------------------------------------------------------------------------------------
 */

/* In memory of jansson's; NULL when that is exhausted. */
static char *describe(const norn_fingerprint *fingerprint, const norn_network *network)
{
    char device[256], sum[NORN_CHECKSUM_TEXT];
    char *text = NULL;
    spell_device(network, device);
    json_t *root = json_pack("{s:i,s:s,s:s}", "format", NORN_CHECKPOINT_FORMAT, "library", NORN_VERSION,
                             "device", device);
    for (size_t i = 0; i < NORN_FINGERPRINTS && root; i++) {
        (void)snprintf(sum, sizeof sum, "%08lx", (unsigned long)fingerprint->part[i]);
        if (json_object_set_new(root, of[i], json_string(sum)) != 0) goto done;
    }
    if (root) text = json_dumps(root, JSON_COMPACT);
done:
    json_decref(root);
    return text;
}

norn_status norn_checkpoint_save(const char *path, const norn_fingerprint *fingerprint, norn_network *network,
                                 const norn_member *members, size_t count, double seconds,
                                 const norn_file_system *system, norn_error *err)
{
    const norn_host *host = &network->context->host;
    const size_t most = count * (NORN_PARTS + 2), all = most + 3; /* with the history of each */
    char checksum[NORN_CHECKSUM_TEXT], *description = describe(fingerprint, network);
    uint64_t *wholes = norn_new(host, count * WHOLES, sizeof *wholes);
    double *reals = norn_new(host, count * REALS, sizeof *reals);
    cargo *cargoes = norn_new(host, most, sizeof *cargoes);
    norn_tensor_source *sources = norn_new(host, all, sizeof *sources);
    ferry by = {0};
    size_t used = 0;
    norn_status status = new_ferry(&by, network, err);
    if (status == NORN_OK && (!description || !wholes || !reals || !cargoes || !sources))
        status = norn_fail_memory(err, "a checkpoint");
    if (status != NORN_OK) goto done;
    for (size_t m = 0; m < count; m++) {
        norn_member one = members[m];
        wholes_of(&one, wholes + m * WHOLES, false);
        reals_of(&one, reals + m * REALS, false);
        for (size_t p = 0; p < parts_of(&members[m]); p++) {
            cargo *c = &cargoes[used];
            *c = (cargo){&by, m, (norn_network_part)p, ""};
            (void)snprintf(c->name, sizeof c->name, "m%zu.%s", m, part_names[p]);
            sources[used++] = (norn_tensor_source){
                .tensor = {.name = c->name, .dtype = NORN_DTYPE_F32, .rank = 1, .shape = {by.plain}},
                .fill = fill,
                .user = c};
        }
    }
    for (size_t m = 0, next = used; m < count; m++) {
        const norn_history *h = &members[m].history;
        cargo *c = &cargoes[next];
        if (!isnan(members[m].state.gradient_norm)) {
            (void)snprintf(c->name, sizeof c->name, "m%zu.gradient_norm", m);
            sources[used++] =
                (norn_tensor_source){.tensor = {.name = c->name, .dtype = NORN_DTYPE_F64, .rank = 0},
                                     .data = &members[m].state.gradient_norm};
            c = &cargoes[++next];
        }
        if (!h->count) continue;
        next++;
        (void)snprintf(c->name, sizeof c->name, "m%zu.epochs", m);
        sources[used++] = (norn_tensor_source){
            .tensor = {.name = c->name, .dtype = NORN_DTYPE_F64, .rank = 2, .shape = {h->count, NORN_TOLD}},
            .data = h->rows};
    }
    sources[used++] = (norn_tensor_source){
        .tensor = {.name = "state.whole", .dtype = NORN_DTYPE_U64, .rank = 2, .shape = {count, WHOLES}},
        .data = wholes};
    sources[used++] = (norn_tensor_source){
        .tensor = {.name = "state.real", .dtype = NORN_DTYPE_F64, .rank = 2, .shape = {count, REALS}},
        .data = reals};
    sources[used++] = (norn_tensor_source){
        .tensor = {.name = "state.seconds", .dtype = NORN_DTYPE_F64, .rank = 0}, .data = &seconds};
    status = norn_checksum_of_sources(description, sources, used, host, checksum, err);
    if (status != NORN_OK) goto done;
    norn_tensor_text texts[] = {{"norn_checkpoint", description}, {"norn_crc32", checksum}};
    status = norn_safetensors_write(path, sources, used, texts, 2, system, host, err);
done:
    drop_ferry(&by);
    norn_delete(host, sources, all, sizeof *sources);
    norn_delete(host, cargoes, most, sizeof *cargoes);
    norn_delete(host, reals, count * REALS, sizeof *reals);
    norn_delete(host, wholes, count * WHOLES, sizeof *wholes);
    free(description);
    return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------
 */

/* The description against what is under way. */
static norn_status check_description(norn_safetensors *file, const char *description,
                                     const norn_fingerprint *fingerprint, const norn_network *network,
                                     const norn_host *host, norn_error *err)
{
    static const char *const mends[NORN_FINGERPRINTS] = {
        "the network is another (--cell, --layers, --hidden, --batch, --loss, ...)",
        "the training is another (--epochs, --lr, --seed, ...)",
        "the rows or members are others (--horizon, --window, --holdout, --members, ...)",
        "the series or their scalings are others"};
    const char *path = norn_safetensors_path(file);
    char sum[NORN_CHECKSUM_TEXT], device[256];
    norn_status status = NORN_OK;
    json_t *root = strlen(description) < 65536 ? json_loads(description, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *format = json_object_get(root, "format");
    const char *written = json_string_value(json_object_get(root, "device")),
               *library = json_string_value(json_object_get(root, "library"));
    if (!json_is_integer(format) || json_integer_value(format) < 1 || !written || !library) {
        status = norn_fail_at(err, NORN_ERR_DATA, path, 0, 0, "the checkpoint's description makes no sense");
    } else if (json_integer_value(format) > NORN_CHECKPOINT_FORMAT) {
        status = norn_fail_at(err, NORN_ERR_DATA, path, 0, 0,
                              "a checkpoint of format %lld, which this Norn %s does not know: a later one is "
                              "needed",
                              (long long)json_integer_value(format), NORN_VERSION);
    }
    for (size_t i = 0; i < NORN_FINGERPRINTS && status == NORN_OK; i++) {
        const char *given = json_string_value(json_object_get(root, of[i]));
        (void)snprintf(sum, sizeof sum, "%08lx", (unsigned long)fingerprint->part[i]);
        if (!given || strcmp(given, sum) != 0)
            status = norn_fail_at(err, NORN_ERR_DATA, path, 0, 0,
                                  "a checkpoint of another training: %s; without --resume it starts anew",
                                  mends[i]);
    }
    spell_device(network, device);
    if (status == NORN_OK && (strcmp(written, device) != 0 || strcmp(library, NORN_VERSION) != 0))
        norn_log(
            host, NORN_LOG_WARNING,
            "the checkpoint was written by another version or on another device: what follows is not the "
            "same to the bit");
    json_decref(root);
    return status;
}

static const norn_tensor *expect(norn_safetensors *file, const char *name, norn_dtype dtype, size_t rank,
                                 uint64_t first, uint64_t second, norn_error *err)
{
    const norn_tensor *found = norn_safetensors_find(file, name);
    if (found && found->dtype == dtype && found->rank == rank && (rank < 1 || found->shape[0] == first) &&
        (rank < 2 || found->shape[1] == second))
        return found;
    (void)norn_fail_at(err, NORN_ERR_DATA, norn_safetensors_path(file), 0, 0,
                       "tensor \"%s\" of the checkpoint %s", name,
                       found ? "has another type or shape" : "is missing");
    return NULL;
}

static bool makes_sense(const norn_member *m, const norn_train_plan *plan)
{
    const norn_member_state *s = &m->state;
    return (unsigned)s->stage <= NORN_MEMBER_LEFT && s->epoch <= plan->epochs &&
           m->training.epochs == s->epoch && m->training.best_epoch <= s->epoch &&
           s->epochs_since_best <= s->epoch && (s->stage != NORN_MEMBER_TRAINS || s->epoch < plan->epochs) &&
           (s->stage != NORN_MEMBER_WAITS || (s->epoch == 0 && s->step == 0));
}

/* What is told of a member: its epochs so far, whole numbers that rise, and of the one under way. */
static norn_status read_history(norn_safetensors *file, norn_member *member, size_t number,
                                const norn_host *host, norn_error *err)
{
    char name[48];
    norn_status status = NORN_OK;
    (void)snprintf(name, sizeof name, "m%zu.gradient_norm", number);
    if (norn_safetensors_find(file, name)) {
        const norn_tensor *norm = expect(file, name, NORN_DTYPE_F64, 0, 0, 0, err);
        double *to = &member->state.gradient_norm;
        status = norm ? norn_safetensors_read(file, norm, 0, to, sizeof *to, err) : NORN_ERR_DATA;
        if (status != NORN_OK) return status;
    }
    (void)snprintf(name, sizeof name, "m%zu.epochs", number);
    const norn_tensor *found = norn_safetensors_find(file, name);
    norn_history h = {NULL, 0, 0};
    if (!found) return NORN_OK;
    const bool fits = found->rank == 2 && found->shape[0] >= 1 && found->shape[0] <= member->state.epoch;
    if (fits) h.count = h.capacity = (size_t)found->shape[0];
    if (!expect(file, name, NORN_DTYPE_F64, 2, h.count, NORN_TOLD, err)) return NORN_ERR_DATA;
    if (!(h.rows = norn_new(host, h.count * NORN_TOLD, sizeof *h.rows)))
        return norn_fail_memory(err, "the log of a training");
    status = norn_safetensors_read(file, found, 0, h.rows, h.count * NORN_TOLD * sizeof *h.rows, err);
    double before = 0.0;
    for (size_t i = 0; i < h.count && status == NORN_OK; i++) {
        const double epoch = h.rows[i * NORN_TOLD];
        if (!(epoch > before && epoch <= (double)member->state.epoch && epoch == floor(epoch)))
            status = norn_fail_at(err, NORN_ERR_DATA, norn_safetensors_path(file), 0, 0,
                                  "tensor \"%s\" of the checkpoint makes no sense", name);
        before = epoch;
    }
    if (status == NORN_OK)
        member->history = h;
    else
        norn_history_free(&h, host);
    return status;
}

/* The members as the file has them, and every tensor they need checked, into `read`. */
static norn_status read_members(norn_safetensors *file, norn_member *read, size_t count, size_t plain,
                                const norn_train_plan *plan, double *seconds, const norn_host *host,
                                norn_error *err)
{
    const norn_tensor *wholes = expect(file, "state.whole", NORN_DTYPE_U64, 2, count, WHOLES, err),
                      *reals = expect(file, "state.real", NORN_DTYPE_F64, 2, count, REALS, err),
                      *time = expect(file, "state.seconds", NORN_DTYPE_F64, 0, 0, 0, err);
    if (!wholes || !reals || !time) return NORN_ERR_DATA;
    norn_status status = norn_safetensors_read(file, time, 0, seconds, sizeof *seconds, err);
    for (size_t m = 0; m < count && status == NORN_OK; m++) {
        uint64_t whole[WHOLES];
        double real[REALS];
        const uint64_t identity = read[m].identity;
        status = norn_safetensors_read(file, wholes, m * sizeof whole, whole, sizeof whole, err);
        if (status == NORN_OK)
            status = norn_safetensors_read(file, reals, m * sizeof real, real, sizeof real, err);
        if (status != NORN_OK) break;
        wholes_of(&read[m], whole, true);
        reals_of(&read[m], real, true);
        if (read[m].identity != identity || !makes_sense(&read[m], plan) || !(*seconds >= 0.0))
            return norn_fail_at(err, NORN_ERR_DATA, norn_safetensors_path(file), 0, 0,
                                "member %zu of the checkpoint makes no sense", m + 1);
        for (size_t p = 0; p < parts_of(&read[m]); p++) {
            char name[48];
            (void)snprintf(name, sizeof name, "m%zu.%s", m, part_names[p]);
            if (!expect(file, name, NORN_DTYPE_F32, 1, plain, 0, err)) return NORN_ERR_DATA;
        }
        status = read_history(file, &read[m], m, host, err);
    }
    return status;
}

/* Into the network. A member is initialised first, for the key of its dropout. */
static norn_status put_members(norn_safetensors *file, const norn_member *read, size_t count, ferry *by,
                               const norn_train_plan *plan, norn_error *err)
{
    norn_status status = NORN_OK;
    for (size_t m = 0; m < count && status == NORN_OK; m++) {
        const size_t parts = parts_of(&read[m]);
        if (parts) status = norn_network_initialise(by->network, m, plan->seed, read[m].identity, err);
        for (size_t p = 0; p < parts && status == NORN_OK; p++) {
            char name[48];
            (void)snprintf(name, sizeof name, "m%zu.%s", m, part_names[p]);
            status = norn_safetensors_read(file, norn_safetensors_find(file, name), 0, by->numbers,
                                           by->plain * sizeof *by->numbers, err);
            for (size_t i = 0; i < by->plain; i++) by->values[i] = (double)by->numbers[i];
            if (status == NORN_OK)
                status = norn_network_put_part(by->network, (norn_network_part)p, m, by->values, err);
        }
    }
    return status;
}

size_t norn_checkpoint_members(const char *path, const norn_host *host)
{
    norn_safetensors *file = NULL;
    size_t count = 0;
    if (norn_safetensors_open(&file, path, host, NULL) != NORN_OK) return 0;
    const norn_tensor *wholes = norn_safetensors_find(file, "state.whole");
    if (norn_safetensors_text(file, "norn_checkpoint") && wholes && wholes->rank == 2)
        count = (size_t)wholes->shape[0];
    norn_safetensors_free(file);
    return count;
}

norn_status norn_checkpoint_load(const char *path, const norn_fingerprint *fingerprint, norn_network *network,
                                 norn_member *members, size_t count, const norn_train_plan *plan,
                                 double *seconds, const norn_host *services, norn_error *err)
{
    const norn_host *host = &network->context->host;
    norn_safetensors *file = NULL;
    ferry by = {0};
    double elapsed = 0.0;
    norn_member *read = NULL;
    norn_status status = norn_safetensors_open(&file, path, host, err);
    if (status != NORN_OK) return status;
    const char *description = norn_safetensors_text(file, "norn_checkpoint");
    if (!description)
        status =
            norn_fail_at(err, NORN_ERR_DATA, path, 0, 0, "a safetensors file, but not a checkpoint of Norn%s",
                         norn_safetensors_text(file, "norn") ? ": it is a model (--model)" : "");
    if (status == NORN_OK && !norn_safetensors_text(file, "norn_crc32")) /* nobody else writes these */
        status =
            norn_fail_at(err, NORN_ERR_DATA, path, 0, 0, "the checkpoint is damaged: it has no checksum");
    if (status == NORN_OK) status = norn_checksum_check(file, description, "norn_crc32", host, err);
    if (status == NORN_OK) status = check_description(file, description, fingerprint, network, services, err);
    if (status == NORN_OK) status = new_ferry(&by, network, err);
    if (status == NORN_OK && !(read = norn_new(host, count, sizeof *read)))
        status = norn_fail_memory(err, "a checkpoint");
    if (status != NORN_OK) goto done;
    memcpy(read, members, count * sizeof *read);
    for (size_t m = 0; m < count; m++) read[m].history = (norn_history){NULL, 0, 0};
    status = read_members(file, read, count, by.plain, plan, &elapsed, host, err);
    if (status == NORN_OK) status = put_members(file, read, count, &by, plan, err);
    if (status == NORN_OK) {
        memcpy(members, read, count * sizeof *read);
        *seconds = elapsed;
    }
    for (size_t m = 0; m < count && status != NORN_OK; m++) norn_history_free(&read[m].history, host);
done:
    norn_delete(host, read, count, sizeof *read);
    drop_ferry(&by);
    norn_safetensors_free(file);
    return status;
}
