/*
 * A model as one safetensors file: see model.h, and docs/model-file.md for the format. One table of fields
 * serves writing and reading; what is read is checked against the bounds in it before anything is allocated
 * by it, and the tensors against the sizes they must have.
 *
 * The format has no checksum, and a changed digit of the description would be read as it stands. So a second
 * text holds one of everything, see checksum.h.
 */
#include "nn/model.h"

#include "nn/checksum.h"
#include "nn/model_slices.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_TENSORS = 8, TENSOR_NAME = NORN_SLICE_NAME + 24 };

/* ---- the description --------------------------------------------------------------------------------------
 */

static const char *const units[] = {[NORN_STEP_INTEGER] = "integer",
                                    [NORN_STEP_MICROSECONDS] = "microseconds",
                                    [NORN_STEP_BUSINESS_DAYS] = "business days",
                                    [NORN_STEP_MONTHS] = "months"};
static const char *const roles[] = {
    [NORN_ROLE_TIME] = "time", [NORN_ROLE_ID] = "id",         [NORN_ROLE_TARGET] = "target",
    [NORN_ROLE_PAST] = "past", [NORN_ROLE_FUTURE] = "future", [NORN_ROLE_STATIC] = "static"};

typedef enum field_kind {
    FIELD_WHOLE, /* size_t */
    FIELD_COUNT, /* unsigned */
    FIELD_INT64, /* int64_t */
    FIELD_SEED,  /* uint64_t, as a text: JSON's whole numbers end at 2^63 */
    FIELD_REAL,  /* double */
    FIELD_LOSS,  /* double, null where it is not finite */
    FIELD_TEXT,  /* char[16] of letters, digits, dots and hyphens */
    FIELD_MAYBE  /* the same; "": not there */
} field_kind;

typedef struct field {
    const char *object, *key; /* object "": the description itself */
    field_kind kind;
    void *at;
    double least, most;
} field;

enum { MODEL_FIELDS = 17, MEMBER_FIELDS = 7 };
static const double most_whole = 9007199254740992.0; /* 2^53: what every JSON reader keeps */

static void model_fields(norn_model *m, field out[MODEL_FIELDS])
{
    const field fields[MODEL_FIELDS] = {
        {"", "library", FIELD_TEXT, m->library, 0, 0},
        {"network", "inputs", FIELD_WHOLE, &m->inputs, 1, 1 << 16},
        {"network", "hidden", FIELD_WHOLE, &m->hidden, 1, 65536},
        {"network", "layers", FIELD_WHOLE, &m->layers, 1, 64},
        {"network", "window", FIELD_WHOLE, &m->window, 1, 1 << 24},
        {"network", "horizon", FIELD_WHOLE, &m->horizon, 1, 1 << 20},
        {"", "season", FIELD_WHOLE, &m->season, 1, 2147483647.0},
        {"step", "count", FIELD_INT64, &m->step.count, 1, most_whole},
        {"forecast", "correction", FIELD_REAL, &m->correction, -1e6, 1e6},
        {"forecast", "change", FIELD_REAL, &m->change, -1e6, 1e6},
        {"training", "seed", FIELD_SEED, &m->seed, 0, 0},
        {"training", "batch", FIELD_WHOLE, &m->batch, 0, most_whole},
        {"training", "dropout", FIELD_REAL, &m->dropout, 0, 1},
        {"training", "rate", FIELD_REAL, &m->rate, 0, 1e6},
        {"training", "loss", FIELD_TEXT, m->loss, 0, 0},
        {"training", "optimiser", FIELD_TEXT, m->optimiser, 0, 0},
        {"training", "tuning", FIELD_MAYBE, m->tuning, 0, 0},
    };
    memcpy(out, fields, sizeof fields);
}

static void member_fields(norn_model_member *m, field out[MEMBER_FIELDS])
{
    norn_training *t = &m->training;
    const field fields[MEMBER_FIELDS] = {
        {"", "identity", FIELD_SEED, &m->identity, 0, 0},
        {"", "windows", FIELD_WHOLE, &t->windows, 0, most_whole},
        {"", "validation_windows", FIELD_WHOLE, &t->validation_windows, 0, most_whole},
        {"", "epochs", FIELD_COUNT, &t->epochs, 0, 4294967295.0},
        {"", "best_epoch", FIELD_COUNT, &t->best_epoch, 0, 4294967295.0},
        {"", "train_loss", FIELD_LOSS, &t->train_loss, 0, 0},
        {"", "valid_loss", FIELD_LOSS, &t->valid_loss, 0, 0},
    };
    memcpy(out, fields, sizeof fields);
}

static json_t *field_value(const field *f)
{
    char digits[24];
    switch (f->kind) {
    case FIELD_WHOLE:
        return json_integer((json_int_t) * (const size_t *)f->at);
    case FIELD_COUNT:
        return json_integer((json_int_t) * (const unsigned *)f->at);
    case FIELD_INT64:
        return json_integer((json_int_t) * (const int64_t *)f->at);
    case FIELD_SEED:
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)*(const uint64_t *)f->at);
        return json_string(digits);
    case FIELD_TEXT:
    case FIELD_MAYBE:
        return json_string(f->at);
    case FIELD_REAL:
    case FIELD_LOSS:
    default:
        return isfinite(*(const double *)f->at) ? json_real(*(const double *)f->at) : json_null();
    }
}

/* False when memory is exhausted or a text is not UTF-8. */
static bool put_fields(json_t *into, const field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object = into;
        if (fields[i].kind == FIELD_MAYBE && !*(const char *)fields[i].at) continue;
        if (fields[i].object[0] && !(object = json_object_get(into, fields[i].object))) {
            object = json_object();
            if (json_object_set_new(into, fields[i].object, object) != 0) return false;
        }
        if (json_object_set_new(object, fields[i].key, field_value(&fields[i])) != 0) return false;
    }
    return true;
}

/* The description as JSON, in memory of jansson's; NULL as put_fields. */
static char *describe(const norn_model *model)
{
    norn_model shown = *model; /* the tables want to write, and are only read here */
    field fields[MODEL_FIELDS], of_member[MEMBER_FIELDS];
    model_fields(&shown, fields);
    const int format = model->layout == NORN_LAYOUT_LSTM ? NORN_MODEL_LSTM : NORN_MODEL_FORMAT;
    json_t *root = json_pack("{s:i,s:i,s:{s:s}}", "format", format, "reader", format, "network", "cell",
                             format == NORN_MODEL_LSTM ? "lstm" : model->cell->name);
    json_t *columns = json_array(), *inputs = json_array(), *members = json_array();
    char *text = NULL;
    if (!root || !columns || !inputs || !members || !put_fields(root, fields, MODEL_FIELDS)) goto done;
    json_t *network = json_object_get(root, "network");
    if (format != NORN_MODEL_LSTM &&
        (json_object_set_new(network, "formula", json_string(model->cell->text)) != 0 ||
         json_object_set_new(network, "parameters", json_string(norn_model_layout_name(model->layout))) != 0))
        goto done;
    if (json_object_set_new(json_object_get(root, "step"), "unit", json_string(units[model->step.unit])) != 0)
        goto done;
    for (size_t c = 0; c < model->columns; c++)
        if (json_array_append_new(columns, json_pack("{s:s,s:s}", "name", model->column[c].name, "role",
                                                     roles[model->column[c].role])) != 0)
            goto done;
    for (size_t i = 0; i < model->inputs; i++)
        if (json_array_append_new(inputs,
                                  json_pack("{s:I,s:b,s:I}", "column", (json_int_t)model->input[i].column,
                                            "mask", (int)model->input[i].mask, "advance",
                                            (json_int_t)model->input[i].advance)) != 0)
            goto done;
    for (size_t m = 0; m < model->members; m++) {
        json_t *one = json_object();
        norn_model_member member = model->member[m];
        member_fields(&member, of_member);
        if (json_array_append_new(members, one) != 0 || !put_fields(one, of_member, MEMBER_FIELDS)) goto done;
    }
    if (json_object_set(root, "columns", columns) != 0 || json_object_set(root, "inputs", inputs) != 0 ||
        json_object_set(root, "members", members) != 0)
        goto done;
    text = json_dumps(root, JSON_COMPACT);
done:
    json_decref(members);
    json_decref(inputs);
    json_decref(columns);
    json_decref(root);
    return text;
}

/* ---- the tensors ------------------------------------------------------------------------------------------
 */

static void name_slice(char out[TENSOR_NAME], size_t member, const norn_slice *slice)
{
    (void)snprintf(out, TENSOR_NAME, "m%zu.%s", member, slice->name);
}

/* The tensors beside the parameters: arrays over members, series and covariates. */
typedef struct arrays {
    size_t pairs, thirds; /* M * S, M * S * (F - 1) */
    unsigned char *ids;   /* joined */
    size_t id_bytes;
    int64_t *ends;       /* [S] */
    unsigned char *logs; /* [M][S] */
    int64_t *seasons;    /* [M][S] */
    double *scales;      /* [M][S] */
    double *firsts;      /* [M][S][F-1] */
    float *shifts, *factors;
} arrays;

typedef struct array_row {
    const char *name;
    norn_dtype dtype;
    size_t rank;
    uint64_t shape[3];
    void **data;
    size_t count, size;
} array_row;

/* Leaves out the covariates' where there are none; returns how many. */
static size_t array_rows(const norn_model *m, arrays *a, array_row out[SERIES_TENSORS])
{
    const uint64_t s = m->series, members = m->members, covariates = m->inputs - 1;
    a->pairs = m->members * m->series;
    a->thirds = a->pairs * (m->inputs - 1);
    const array_row rows[SERIES_TENSORS] = {
        {"series.ids", NORN_DTYPE_U8, 1, {a->id_bytes}, (void **)&a->ids, a->id_bytes, 1},
        {"series.id_ends", NORN_DTYPE_I64, 1, {s}, (void **)&a->ends, m->series, sizeof *a->ends},
        {"series.log", NORN_DTYPE_BOOL, 2, {members, s}, (void **)&a->logs, a->pairs, 1},
        {"series.season",
         NORN_DTYPE_I64,
         2,
         {members, s},
         (void **)&a->seasons,
         a->pairs,
         sizeof *a->seasons},
        {"series.scale", NORN_DTYPE_F64, 2, {members, s}, (void **)&a->scales, a->pairs, sizeof *a->scales},
        {"series.input_first",
         NORN_DTYPE_F64,
         3,
         {members, s, covariates},
         (void **)&a->firsts,
         a->thirds,
         sizeof *a->firsts},
        {"series.input_shift",
         NORN_DTYPE_F32,
         3,
         {members, s, covariates},
         (void **)&a->shifts,
         a->thirds,
         sizeof *a->shifts},
        {"series.input_factor",
         NORN_DTYPE_F32,
         3,
         {members, s, covariates},
         (void **)&a->factors,
         a->thirds,
         sizeof *a->factors},
    };
    memcpy(out, rows, sizeof rows);
    return covariates ? SERIES_TENSORS : SERIES_TENSORS - 3;
}

static norn_status new_arrays(const norn_host *host, const array_row *rows, size_t count, norn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].count && !(*rows[i].data = norn_new(host, rows[i].count, rows[i].size)))
            return norn_fail_memory(err, "a model's series");
    return NORN_OK;
}

static void delete_arrays(const norn_host *host, const array_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) norn_delete(host, *rows[i].data, rows[i].count, rows[i].size);
}

/* ---- saving ----------------------------------------------------------------------------------------------
 */

static void fill_arrays(const norn_model *model, arrays *a)
{
    size_t at = 0;
    for (size_t s = 0; s < model->series; s++) {
        const size_t length = strlen(model->ids[s]);
        if (length) memcpy(a->ids + at, model->ids[s], length);
        a->ends[s] = (int64_t)(at += length);
    }
    for (size_t i = 0; i < a->pairs; i++) {
        a->logs[i] = model->scaling[i].log;
        a->seasons[i] = (int64_t)model->scaling[i].season;
        a->scales[i] = model->scaling[i].scale;
    }
    for (size_t i = 0; i < a->thirds; i++) {
        a->firsts[i] = model->covariate[i].first;
        a->shifts[i] = model->covariate[i].shift;
        a->factors[i] = model->covariate[i].factor;
    }
}

/* One tensor of a member on its way out. */
typedef struct cargo {
    char name[TENSOR_NAME];
    const norn_slice *slice;
    const float *plain; /* of the member */
} cargo;

/* PyTorch's second bias: zeros, then what is not in a sum with the first. */
static norn_status fill_second(void *user, uint64_t offset, void *out, size_t bytes, norn_error *err)
{
    (void)err;
    const cargo *c = user;
    float *to = out;
    const size_t first = (size_t)offset / sizeof *to;
    for (size_t i = first; i < first + bytes / sizeof *to; i++)
        to[i - first] = i < c->slice->folded ? 0.0f : c->plain[c->slice->at + i - c->slice->folded];
    return NORN_OK;
}

norn_status norn_model_save(const norn_model *model, const char *path, const norn_file_system *system,
                            norn_error *err)
{
    const norn_host *host = &model->host;
    const size_t plain = norn_model_plain_size(model);
    arrays a = {0};
    norn_slice *slices = NULL;
    size_t each = 0, used = 0;
    const unsigned char nothing = 0;
    for (size_t s = 0; s < model->series; s++) {
        if (!model->ids[s]) return norn_fail(err, NORN_ERR_INTERNAL, "a series without an id");
        a.id_bytes += strlen(model->ids[s]);
    }
    for (size_t c = 0; c < model->columns; c++)
        if (!model->column[c].name || (size_t)model->column[c].role >= NORN_COUNT(roles) ||
            !roles[model->column[c].role])
            return norn_fail(err, NORN_ERR_INTERNAL, "a column without a name or a role");
    array_row rows[SERIES_TENSORS];
    const size_t row_count = array_rows(model, &a, rows);
    norn_status status = norn_model_slices(model, &slices, &each, err);
    if (status != NORN_OK) return status;
    const size_t count = model->members * each + SERIES_TENSORS;
    norn_tensor_source *sources = norn_new(host, count, sizeof *sources);
    cargo *cargoes = norn_new(host, model->members * each, sizeof *cargoes);
    char *description = describe(model), checksum[NORN_CHECKSUM_TEXT];
    if (!sources || !cargoes)
        status = norn_fail_memory(err, "a model's file");
    else if (!description)
        status = norn_fail(err, NORN_ERR_OUTPUT,
                           "the model cannot be described: out of memory, or a column's name is not UTF-8");
    else if (strlen(description) > NORN_MODEL_TEXT)
        status = norn_fail(
            err, NORN_ERR_OUTPUT,
            "the model cannot be written: its %zu columns and %zu inputs take more than %d bytes to describe",
            model->columns, model->inputs, NORN_MODEL_TEXT);
    if (status == NORN_OK) status = new_arrays(host, rows, row_count, err);
    if (status != NORN_OK) goto done;
    fill_arrays(model, &a);
    for (size_t m = 0; m < model->members; m++)
        for (size_t i = 0; i < each; i++) {
            cargo *one = &cargoes[m * each + i];
            *one = (cargo){"", &slices[i], model->parameters + m * plain};
            name_slice(one->name, m, &slices[i]);
            sources[used] = (norn_tensor_source){
                .tensor = {.name = one->name, .dtype = NORN_DTYPE_F32, .rank = slices[i].rank},
                .data = slices[i].folded ? NULL : one->plain + slices[i].at,
                .fill = fill_second,
                .user = one};
            memcpy(sources[used++].tensor.shape, slices[i].shape, sizeof slices[i].shape);
        }
    for (size_t i = 0; i < row_count; i++) {
        sources[used] = (norn_tensor_source){
            .tensor = {.name = rows[i].name, .dtype = rows[i].dtype, .rank = rows[i].rank},
            .data = rows[i].count ? *rows[i].data : &nothing};
        memcpy(sources[used++].tensor.shape, rows[i].shape, sizeof rows[i].shape);
    }
    if ((status = norn_checksum_of_sources(description, sources, used, host, checksum, err)) != NORN_OK)
        goto done;
    norn_tensor_text texts[] = {{"norn", description}, {"norn_crc32", checksum}};
    status = norn_safetensors_write(path, sources, used, texts, 2, system, host, err);
done:
    free(description);
    delete_arrays(host, rows, row_count);
    norn_delete(host, cargoes, model->members * each, sizeof *cargoes);
    norn_delete(host, slices, each, sizeof *slices);
    norn_delete(host, sources, count, sizeof *sources);
    return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------
 */

typedef struct loader {
    norn_safetensors *file;
    norn_error *err;
} loader;

static norn_status refuse(const loader *l, const char *format, ...) NORN_PRINTF(2, 3);
static norn_status refuse(const loader *l, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return norn_fail_at(l->err, NORN_ERR_DATA, norn_safetensors_path(l->file), 0, 0, "%s", text);
}

static bool is_name(const char *text)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+_";
    return strlen(text) < 16 && text[strspn(text, known)] == '\0';
}

static bool get_field(const field *f, const json_t *value)
{
    if (f->kind == FIELD_MAYBE && !value) {
        *(char *)f->at = '\0';
        return true;
    }
    if (f->kind == FIELD_TEXT || f->kind == FIELD_MAYBE) {
        if (!json_is_string(value) || !is_name(json_string_value(value))) return false;
        (void)snprintf(f->at, 16, "%s", json_string_value(value));
        return true;
    }
    if (f->kind == FIELD_SEED) {
        const char *text = json_string_value(value);
        uint64_t seed = 0;
        if (!text || !*text || (*text == '0' && text[1])) return false;
        for (; *text; text++) {
            const uint64_t digit = (uint64_t)(*text - '0');
            if (*text < '0' || *text > '9' || seed > (UINT64_MAX - digit) / 10) return false;
            seed = 10 * seed + digit;
        }
        *(uint64_t *)f->at = seed;
        return true;
    }
    if (f->kind == FIELD_LOSS) {
        if (!json_is_number(value) && !json_is_null(value)) return false;
        *(double *)f->at = json_is_null(value) ? NAN : json_number_value(value);
        return true;
    }
    const bool real = f->kind == FIELD_REAL;
    if (!(real ? json_is_number(value) : json_is_integer(value))) return false;
    const double number = json_number_value(value);
    if (!(number >= f->least && number <= f->most)) return false;
    if (real)
        *(double *)f->at = number;
    else if (f->kind == FIELD_WHOLE)
        *(size_t *)f->at = (size_t)json_integer_value(value);
    else if (f->kind == FIELD_COUNT)
        *(unsigned *)f->at = (unsigned)json_integer_value(value);
    else
        *(int64_t *)f->at = (int64_t)json_integer_value(value);
    return true;
}

static norn_status get_fields(const loader *l, const json_t *from, const field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const field *f = &fields[i];
        const json_t *object = f->object[0] ? json_object_get(from, f->object) : from;
        if (!get_field(f, json_object_get(object, f->key)))
            return refuse(l, "\"%s%s%s\" of the model is missing or makes no sense", f->object,
                          f->object[0] ? "." : "", f->key);
    }
    return NORN_OK;
}

/* The place of a text among words, some of which are NULL; count: none. */
static size_t place_of(const json_t *text, const char *const *words, size_t count)
{
    size_t i = 0;
    const char *wanted = json_string_value(text);
    while (i < count && !(wanted && words[i] && strcmp(words[i], wanted) == 0)) i++;
    return i;
}

static norn_status check_version(const loader *l, const json_t *root)
{
    char library[16] = "?";
    const field written = {"", "library", FIELD_TEXT, library, 0, 0};
    (void)get_field(&written, json_object_get(root, "library"));
    const json_t *reader = json_object_get(root, "reader"), *format = json_object_get(root, "format");
    if (!json_is_integer(reader) || !json_is_integer(format) || json_integer_value(reader) < 1 ||
        json_integer_value(format) < json_integer_value(reader))
        return refuse(l, "\"format\" and \"reader\" of the model are missing or make no sense");
    if (json_integer_value(reader) > NORN_MODEL_FORMAT)
        return refuse(
            l, "written by Norn %s in format %lld, which this Norn %s does not know: a later one is needed",
            library, (long long)json_integer_value(format), NORN_VERSION);
    return NORN_OK;
}

/* The cell and the layout of its parameters, into the draft. Without a formula it is the LSTM. */
static norn_status read_cell(const loader *l, const json_t *root, norn_model *draft)
{
    const json_t *network = json_object_get(root, "network"), *formula = json_object_get(network, "formula");
    const char *name = json_string_value(json_object_get(network, "cell")),
               *layout = json_string_value(json_object_get(network, "parameters"));
    draft->layout = formula ? norn_model_layout_called(layout ? layout : "") : NORN_LAYOUT_LSTM;
    if (!formula && (!name || strcmp(name, "lstm") != 0))
        return refuse(l, "the model's cell is not \"lstm\", the only one without a formula");
    if (!formula) return NORN_OK;
    if (!json_is_string(formula) || draft->layout == NORN_LAYOUTS)
        return refuse(l, "\"formula\" or \"parameters\" of the model's network make no sense");
    norn_error wrong = NORN_ERROR_INIT;
    const norn_status status = norn_cell_read(&draft->cell, json_string_value(formula),
                                              json_string_length(formula), "formula", &draft->host, &wrong);
    if (status == NORN_OK) return NORN_OK;
    if (status != NORN_ERR_DATA) return norn_fail(l->err, status, "%s", wrong.message);
    return refuse(l, "in the formula of the model's cell, line %lld, column %lld: %s", (long long)wrong.line,
                  (long long)wrong.column, wrong.message);
}

/* A tensor of that type and shape, or NULL with the error recorded. */
static const norn_tensor *expect(const loader *l, const char *name, norn_dtype dtype, size_t rank,
                                 const uint64_t *shape)
{
    const norn_tensor *found = norn_safetensors_find(l->file, name);
    bool same = found && found->dtype == dtype && found->rank == rank;
    for (size_t d = 0; d < rank && same; d++) same = found->shape[d] == shape[d];
    if (same) return found;
    (void)refuse(l, "tensor \"%s\" %s", name,
                 found ? "has not the type and shape that the model's description asks for" : "is missing");
    return NULL;
}

/* Every parameter is there, and no other: only then is anything allocated by the sizes. */
static norn_status check_slices(const loader *l, const norn_model *draft, const norn_slice *slices,
                                size_t each)
{
    size_t found = 0;
    for (size_t m = 0; m < draft->members; m++)
        for (size_t i = 0; i < each; i++) {
            char name[TENSOR_NAME];
            name_slice(name, m, &slices[i]);
            if (!expect(l, name, NORN_DTYPE_F32, slices[i].rank, slices[i].shape)) return NORN_ERR_DATA;
        }
    for (size_t i = 0; i < norn_safetensors_count(l->file); i++) {
        const char *name = norn_safetensors_tensor(l->file, i)->name;
        found += name[0] == 'm' && name[1] >= '0' && name[1] <= '9';
    }
    if (found == draft->members * each) return NORN_OK;
    return refuse(l, "the file has %zu tensors of members, the model's description asks for %zu", found,
                  draft->members * each);
}

/* Where number k of a tensor goes: a second bias, as others may have set it, into the first. */
static size_t place_in_member(const norn_slice *slice, size_t k)
{
    return k < slice->folded ? slice->fold_at + k : slice->at + k - slice->folded;
}

static norn_status read_slices(const loader *l, norn_model *model, const norn_slice *slices, size_t each)
{
    const size_t plain = norn_model_plain_size(model);
    norn_status status = NORN_OK;
    size_t longest = 1;
    for (size_t i = 0; i < each; i++)
        if (slices[i].folded && slices[i].count > longest) longest = slices[i].count;
    float *second = norn_new(&model->host, longest, sizeof *second);
    if (!second) return norn_fail_memory(l->err, "a model's parameters");
    for (size_t m = 0; m < model->members; m++)
        for (size_t i = 0; status == NORN_OK && i < each; i++) {
            const norn_slice *one = &slices[i];
            char name[TENSOR_NAME];
            float *member = model->parameters + m * plain, *from = one->folded ? second : member + one->at;
            name_slice(name, m, one);
            status = norn_safetensors_read(l->file, norn_safetensors_find(l->file, name), 0, from,
                                           one->count * sizeof *from, l->err);
            for (size_t k = 0; k < one->count && status == NORN_OK; k++) {
                float *to = member + place_in_member(one, k);
                /* 0 leaves what it is added to its very bits */
                if (one->folded && k >= one->folded) *to = from[k];
                if (k < one->folded && from[k] != 0.0f) *to += from[k];
                if (!isfinite(*to))
                    status = refuse(l, "tensor \"%s\" holds a number that is not finite", name);
            }
        }
    norn_delete(&model->host, second, longest, sizeof *second);
    return status;
}

static norn_status read_columns(const loader *l, const json_t *columns, norn_model *model)
{
    norn_status status = NORN_OK;
    for (size_t c = 0; c < model->columns && status == NORN_OK; c++) {
        const json_t *one = json_array_get(columns, c), *name = json_object_get(one, "name");
        const size_t role = place_of(json_object_get(one, "role"), roles, NORN_COUNT(roles));
        if (!json_is_string(name) || role == NORN_COUNT(roles))
            return refuse(l, "column %zu of the model has no name, or a role this Norn %s does not know",
                          c + 1, NORN_VERSION);
        status = norn_model_set_column(model, c, json_string_value(name), (norn_column_role)role, l->err);
    }
    return status;
}

static norn_status read_inputs(const loader *l, const json_t *inputs, norn_model *model)
{
    if (json_array_size(inputs) != model->inputs)
        return refuse(l, "the model describes %zu inputs of its network, not %zu", json_array_size(inputs),
                      model->inputs);
    for (size_t i = 0; i < model->inputs; i++) {
        const json_t *one = json_array_get(inputs, i), *mask = json_object_get(one, "mask");
        norn_model_input *input = &model->input[i];
        const field fields[] = {
            {"", "column", FIELD_WHOLE, &input->column, 0, (double)(model->columns - 1)},
            {"", "advance", FIELD_WHOLE, &input->advance, 0, (double)model->horizon},
        };
        const norn_status status = get_fields(l, one, fields, NORN_COUNT(fields));
        if (status != NORN_OK) return status;
        input->mask = json_is_true(mask);
        const norn_column_role role = model->column[input->column].role;
        const bool is_target = role == NORN_ROLE_TARGET;
        if (!json_is_boolean(mask) || (i == 0 && (!is_target || input->mask || input->advance)) ||
            role == NORN_ROLE_TIME || role == NORN_ROLE_ID || (input->advance && role != NORN_ROLE_FUTURE))
            return refuse(l, "input %zu of the model's network makes no sense", i + 1);
    }
    return NORN_OK;
}

static norn_status read_members(const loader *l, const json_t *members, norn_model *model)
{
    norn_status status = NORN_OK;
    field fields[MEMBER_FIELDS];
    for (size_t m = 0; m < model->members && status == NORN_OK; m++) {
        member_fields(&model->member[m], fields);
        status = get_fields(l, json_array_get(members, m), fields, MEMBER_FIELDS);
    }
    return status;
}

static norn_status take_arrays(const loader *l, const arrays *a, norn_model *model)
{
    norn_status status = NORN_OK;
    int64_t at = 0;
    for (size_t s = 0; s < model->series && status == NORN_OK; s++) {
        const int64_t end = a->ends[s];
        if (end < at || end > (int64_t)a->id_bytes ||
            (s + 1 == model->series && end != (int64_t)a->id_bytes) ||
            (end > at && memchr(a->ids + at, '\0', (size_t)(end - at))))
            return refuse(l, "the ids of the model's series are damaged");
        const char *id = end > at ? (const char *)a->ids + at : "";
        if (!(model->ids[s] = norn_text_copy(&model->host, id, (size_t)(end - at))))
            status = norn_fail_memory(l->err, "a model's series");
        at = end;
    }
    for (size_t i = 0; i < a->pairs; i++) {
        if (a->logs[i] > 1 || a->seasons[i] < 0 || (uint64_t)a->seasons[i] > model->season ||
            !(a->scales[i] >= 0.0 && isfinite(a->scales[i])))
            return refuse(l, "the scaling of series %zu of the model makes no sense", i % model->series + 1);
        model->scaling[i] = (norn_model_scaling){a->logs[i] == 1, (size_t)a->seasons[i], a->scales[i]};
    }
    for (size_t i = 0; i < a->thirds; i++)
        model->covariate[i] = (norn_model_covariate){a->firsts[i], a->shifts[i], a->factors[i]};
    return status;
}

static norn_status read_arrays(const loader *l, norn_model *model)
{
    arrays a = {0};
    array_row rows[SERIES_TENSORS];
    const norn_tensor *ids = norn_safetensors_find(l->file, "series.ids");
    if (ids && ids->rank == 1) a.id_bytes = (size_t)ids->shape[0];
    const size_t count = array_rows(model, &a, rows);
    norn_status status = NORN_OK;
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        if (!expect(l, rows[i].name, rows[i].dtype, rows[i].rank, rows[i].shape)) status = NORN_ERR_DATA;
    if (status == NORN_OK) status = new_arrays(&model->host, rows, count, l->err);
    for (size_t i = 0; i < count && status == NORN_OK; i++)
        if (rows[i].count)
            status = norn_safetensors_read(l->file, norn_safetensors_find(l->file, rows[i].name), 0,
                                           *rows[i].data, rows[i].count * rows[i].size, l->err);
    if (status == NORN_OK) status = take_arrays(l, &a, model);
    delete_arrays(&model->host, rows, count);
    return status;
}

static norn_status load(norn_model **out, norn_safetensors *file, const norn_host *host, norn_error *err)
{
    const loader l = {file, err};
    norn_model draft = {.host = *host, .season = 1}, *model = NULL;
    norn_slice *slices = NULL;
    size_t each = 0;
    field fields[MODEL_FIELDS];
    json_error_t wrong;
    norn_error wrong_sizes = NORN_ERROR_INIT;
    const char *description = norn_safetensors_text(file, "norn");
    if (!description)
        return refuse(&l, "a safetensors file, but not a model of Norn%s",
                      norn_safetensors_text(file, "norn_checkpoint")
                          ? ": it is the checkpoint of a training (--checkpoint, --resume)"
                          : "");
    if (strlen(description) > NORN_MODEL_TEXT)
        return refuse(&l, "the model's description is longer than %d bytes", NORN_MODEL_TEXT);
    norn_status status = norn_checksum_check(file, description, "norn_crc32", host, err);
    if (status != NORN_OK) return status;
    json_t *root = json_loads(description, JSON_REJECT_DUPLICATES, &wrong);
    if (!json_is_object(root)) {
        char quoted[200];
        status = refuse(&l, "the model's description is not a JSON object%s%s", root ? "" : ": ",
                        root ? "" : norn_quote(quoted, sizeof quoted, wrong.text, strlen(wrong.text), 150));
        goto done;
    }
    const json_t *columns = json_object_get(root, "columns"), *members = json_object_get(root, "members");
    const norn_tensor *ends = norn_safetensors_find(file, "series.id_ends");
    model_fields(&draft, fields);
    if ((status = check_version(&l, root)) != NORN_OK || (status = read_cell(&l, root, &draft)) != NORN_OK ||
        (status = get_fields(&l, root, fields, MODEL_FIELDS)) != NORN_OK)
        goto done;
    const size_t unit =
        place_of(json_object_get(json_object_get(root, "step"), "unit"), units, NORN_COUNT(units));
    draft.columns = json_array_size(columns);
    draft.members = json_array_size(members);
    draft.series = ends && ends->rank == 1 ? (size_t)ends->shape[0] : 0;
    if (unit == NORN_COUNT(units) || !draft.columns || !draft.members || !draft.series) {
        status = refuse(&l, unit == NORN_COUNT(units)
                                ? "the step's unit of the model is not one this Norn " NORN_VERSION " knows"
                                : "the model has no columns, no members or no series");
        goto done;
    }
    if ((status = norn_model_slices(&draft, &slices, &each, &wrong_sizes)) != NORN_OK) {
        status = status == NORN_ERR_MEMORY ? norn_fail_memory(err, "a model")
                                           : refuse(&l, "%s", wrong_sizes.message);
        goto done;
    }
    if ((status = check_slices(&l, &draft, slices, each)) != NORN_OK) goto done;
    status = norn_model_new_of(&model, draft.cell, draft.inputs, draft.hidden, draft.layers, draft.window,
                               draft.horizon, draft.members, draft.series, draft.columns, host, err);
    if (status != NORN_OK) goto done;
    model->layout = draft.layout;
    model_fields(model, fields);
    model->step.unit = (norn_step_unit)unit;
    status = get_fields(&l, root, fields, MODEL_FIELDS);
    if (status == NORN_OK) status = read_columns(&l, columns, model);
    if (status == NORN_OK) status = read_inputs(&l, json_object_get(root, "inputs"), model);
    if (status == NORN_OK) status = read_members(&l, members, model);
    if (status == NORN_OK) status = read_arrays(&l, model);
    if (status == NORN_OK) status = read_slices(&l, model, slices, each);
    if (status == NORN_OK && (status = norn_model_sort(model, NULL)) != NORN_OK)
        status = status == NORN_ERR_MEMORY ? norn_fail_memory(err, "a model's names")
                                           : refuse(&l, "two series of the model have the same id");
done:
    json_decref(root);
    norn_delete(host, slices, each, sizeof *slices);
    norn_cell_free(draft.cell);
    if (status == NORN_OK)
        *out = model;
    else
        norn_model_free(model);
    return status;
}

norn_status norn_model_load(norn_model **out, const char *path, const norn_host *services, norn_error *err)
{
    const norn_host host = norn_host_copy(services);
    norn_safetensors *file = NULL;
    norn_status status = norn_safetensors_open(&file, path, &host, err);
    if (status == NORN_OK) status = load(out, file, &host, err);
    norn_safetensors_free(file);
    return status;
}

norn_status norn_model_load_bytes(norn_model **out, const void *bytes, size_t size, const char *name,
                                  const norn_host *services, norn_error *err)
{
    const norn_host host = norn_host_copy(services);
    norn_safetensors *file = NULL;
    norn_status status = norn_safetensors_open_bytes(&file, bytes, size, name, &host, err);
    if (status == NORN_OK) status = load(out, file, &host, err);
    norn_safetensors_free(file);
    return status;
}
