/*
 * Models and their files: what was saved is loaded to the bit, on this device and another; a file of the
 * first format loads for ever; PyTorch's numbers come out of its parameters; damaged, hostile, later and
 * foreign files are refused with words, and never loaded as something else.
 */
#include "counting_host.h"
#include "faulty_files.h"
#include "model_support.h"

#include "nn/reference.h"
#include "nn/safetensors.h"
#include "nn/train.h"

#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#define WITH_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#else
#define WITH_ADDRESS_SANITIZER 0
#endif

#ifndef NORN_GOLDEN_MODEL
#define NORN_GOLDEN_MODEL "tests/golden/model_v1.safetensors"
#endif

typedef struct blob {
    unsigned char *bytes; /* taken */
    size_t size;
} blob;

static blob content(const char *name)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    blob b = {take(1, 1 << 16), 0};
    b.size = fread(b.bytes, 1, 1 << 16, file);
    (void)fclose(file);
    return b;
}

/* ---- there and back ---------------------------------------------------------------------------------------
 */

static void what_was_saved_is_loaded_to_the_bit(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_model *model = fixed_model(NULL), *loaded = NULL;
    assert_non_null(model);
    assert_ok(norn_model_save(model, path, NULL, &err), &err);
    assert_ok(norn_model_load(&loaded, path, NULL, &err), &err);
    assert_true(same_model(model, loaded));
    assert_true(signbit(loaded->parameters[3])); /* -0 */
    for (size_t s = 0; s < FIXED_SERIES; s++) assert_int_equal(norn_model_find(loaded, model->ids[s]), s);
    assert_int_equal(norn_model_find(loaded, "west"), SIZE_MAX);
    assert_int_equal(norn_model_find(loaded, "nort"), SIZE_MAX);

    /* Saved again, it is the same file. */
    const blob first = content(path);
    assert_ok(norn_model_save(loaded, path, NULL, &err), &err);
    const blob second = content(path);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    norn_model_free(model);
    norn_model_free(loaded);
}

static void models_of_all_shapes_come_back(void **state)
{
    (void)state;
    static const struct {
        size_t inputs, hidden, layers, window, horizon, members, series;
    } shapes[] = {
        {1, 1, 1, 1, 1, 1, 1}, {1, 33, 1, 9, 2, 1, 5}, {7, 4, 3, 2, 17, 12, 2}, {2, 16, 2, 30, 1, 3, 300}};
    for (size_t i = 0; i < NORN_COUNT(shapes); i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_model *model = NULL, *loaded = NULL;
        assert_ok(norn_model_new(&model, shapes[i].inputs, shapes[i].hidden, shapes[i].layers,
                                 shapes[i].window, shapes[i].horizon, shapes[i].members, shapes[i].series, 1,
                                 NULL, &err),
                  &err);
        assert_ok(norn_model_set_column(model, 0, "y", NORN_ROLE_TARGET, &err), &err);
        for (size_t s = 0; s < shapes[i].series; s++) {
            char id[32];
            (void)snprintf(id, sizeof id, "%zu", (s * 7919) % 65536);
            if (shapes[i].series == 1) id[0] = '\0'; /* a file of one series has no ids */
            assert_ok(norn_model_set_id(model, s, id, &err), &err);
        }
        assert_ok(norn_model_sort(model, &err), &err);
        dice d = {(uint32_t)i, 0};
        const size_t plain = norn_model_plain_size(model);
        for (size_t k = 0; k < shapes[i].members * plain; k++) model->parameters[k] = (float)draw(&d);
        assert_ok(norn_model_save(model, path, NULL, &err), &err);
        assert_ok(norn_model_load(&loaded, path, NULL, &err), &err);
        assert_true(same_model(model, loaded));
        norn_model_free(model);
        norn_model_free(loaded);
    }
}

static void a_file_of_the_first_format_loads_for_ever(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_model *want = fixed_model(NULL), *got = NULL;
    assert_non_null(want);
    assert_ok(norn_model_load(&got, NORN_GOLDEN_MODEL, NULL, &err), &err);
    assert_string_equal(got->library, "0.1.0");
    memcpy(want->library, got->library, sizeof want->library); /* this one may be later */
    assert_true(same_model(want, got));
    norn_model_free(want);
    norn_model_free(got);
}

/* tools/load_model.py prints these, from the same file. */
static void the_parameters_forecast_what_pytorch_forecasts(void **state)
{
    (void)state;
    static const double want[2][2][4] = {{{-0.050492995, -0.480731460, 0.176743028, -0.097533648},
                                          {-0.033546782, -0.455763924, 0.155461580, -0.114049631}},
                                         {{0.272514426, -0.356351496, 0.193320306, -0.100819125},
                                          {0.210627260, -0.343433114, 0.198758817, -0.142710077}}};
    norn_error err = NORN_ERROR_INIT;
    norn_model *model = NULL;
    assert_ok(norn_model_load(&model, NORN_GOLDEN_MODEL, NULL, &err), &err);
    const size_t plain = norn_model_plain_size(model), steps = model->window * model->inputs;
    const norn_reference_shape shape = {model->window, 2, model->inputs, model->hidden, model->layers,
                                        model->horizon};
    norn_reference_network *network = NULL;
    assert_ok(norn_reference_network_new(&network, &shape, NULL, &err), &err);
    for (size_t m = 0; m < 2; m++) {
        double x[8 * 2 * FIXED_INPUTS], target[2 * 4] = {0}; /* [T][B][F] */
        for (size_t i = 0; i < steps; i++) {
            const size_t t = i / model->inputs, f = i % model->inputs;
            x[(t * 2 + 0) * model->inputs + f] = 0.0;
            x[(t * 2 + 1) * model->inputs + f] = ((double)i - (double)steps / 2.0) / 8.0;
        }
        for (size_t i = 0; i < plain; i++) network->parameters[i] = (double)model->parameters[m * plain + i];
        const norn_reference_batch batch = {.x = x, .target = target, .loss = NORN_LOSS_MSE};
        (void)norn_reference_network_forward(network, &batch);
        for (size_t i = 0; i < 8; i++)
            assert_near_at(network->prediction[i], want[m][i / 4][i % 4], 0.0, 6e-10, i, __FILE__, __LINE__);
    }
    norn_reference_network_free(network);
    norn_model_free(model);
}

/* ---- a trained network ------------------------------------------------------------------------------------
 */

enum { ROWS = 40, WINDOW = 6, HORIZON = 3, BATCH = 5 };

static double wave(const void *user, size_t row)
{
    const double *level = user;
    return *level + sin(0.7 * (double)row + *level);
}

typedef struct trained {
    norn_series *series;
    norn_network *network;
} trained;

static trained network_on(unsigned index)
{
    trained t = {NULL, NULL};
    norn_context *context = context_of(index);
    norn_error err = NORN_ERROR_INIT;
    const size_t rows[2] = {ROWS, ROWS};
    const int of[2] = {0, 1};
    const double levels[2] = {3.0, 1.0};
    assert_ok(norn_series_new(&t.series, context, 1, 2, 2, rows, of, &err), &err);
    for (size_t c = 0; c < 2; c++) assert_ok(norn_series_put(t.series, c, wave, &levels[c], &err), &err);
    const norn_network_shape shape = {.inputs = 2,
                                      .hidden = 5,
                                      .layers = 2,
                                      .window = WINDOW,
                                      .horizon = HORIZON,
                                      .batch = BATCH,
                                      .members = 2,
                                      .clip = 1.0};
    const float pairs[4] = {0.0f, 1.0f, 0.25f, 1.5f};
    assert_ok(norn_network_new(&t.network, context, &shape, t.series, &err), &err);
    for (size_t m = 0; m < 2; m++) assert_ok(norn_network_scale(t.network, m, pairs, 2, &err), &err);
    return t;
}

static void drop_network(trained *t)
{
    norn_network_free(t->network);
    norn_series_free(t->series);
}

/* Forecasts [4][HORIZON] of a member, taken. */
static float *forecasts(const trained *t, size_t member)
{
    norn_window *windows = take(t->network->ibp, sizeof *windows);
    float *y = take_floats(t->network->ibp * HORIZON);
    const size_t rows = 4;
    norn_error err = NORN_ERROR_INIT;
    for (size_t i = 0; i < rows; i++) windows[i] = (norn_window){0, (int32_t)(i * 9)};
    assert_ok(norn_network_infer(t->network, t->series, windows, &rows, &member, 1, NULL, y, &err), &err);
    return y;
}

static void a_trained_network_forecasts_the_same_from_its_file(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    trained from = network_on(WIDE);
    const norn_span train = {0, 25}, valid = {26, 5};
    norn_member members[2] = {{.identity = 4, .train = &train, .valid = &valid},
                              {.identity = 9, .train = &train, .valid = &valid}};
    const norn_train_plan plan = {.epochs = 3, .patience = 3, .rate = 2e-2, .seed = 5};
    assert_ok(norn_train(from.network, from.series, members, 2, &plan, NULL, &err), &err);

    norn_model *model = NULL, *loaded = NULL;
    assert_ok(norn_model_new(&model, 2, 5, 2, WINDOW, HORIZON, 2, 1, 1, NULL, &err), &err);
    assert_ok(norn_model_set_id(model, 0, "s", &err), &err);
    assert_ok(norn_model_set_column(model, 0, "y", NORN_ROLE_TARGET, &err), &err);
    for (size_t m = 0; m < 2; m++) assert_ok(norn_model_take(model, m, from.network, m, &err), &err);
    assert_ok(norn_model_save(model, path, NULL, &err), &err);
    assert_ok(norn_model_load(&loaded, path, NULL, &err), &err);
    const size_t plain = norn_model_plain_size(model);
    assert_true(memcmp(loaded->parameters, loaded->parameters + plain, plain * sizeof(float)) != 0);

    static const unsigned onto[] = {WIDE, HALF};
    for (size_t i = 0; i < NORN_COUNT(onto); i++) {
        trained to = network_on(onto[i]);
        for (size_t m = 0; m < 2; m++) { /* swapped: a place is not a member */
            assert_ok(norn_model_give(loaded, m, to.network, 1 - m, &err), &err);
            const float *want = forecasts(&from, m), *got = forecasts(&to, 1 - m);
            for (size_t k = 0; k < 4 * HORIZON; k++)
                if (onto[i] == WIDE)
                    assert_memory_equal(&got[k], &want[k], sizeof want[k]);
                else /* another device rounds elsewhere */
                    assert_near(got[k], want[k], 1e-5, 1e-6);
            norn_model *again = NULL;
            assert_ok(norn_model_new(&again, 2, 5, 2, WINDOW, HORIZON, 1, 1, 1, NULL, &err), &err);
            assert_ok(norn_model_take(again, 0, to.network, 1 - m, &err), &err);
            assert_memory_equal(again->parameters, model->parameters + m * plain, plain * sizeof(float));
            norn_model_free(again);
        }
        drop_network(&to);
    }
    norn_model *other = NULL;
    assert_ok(norn_model_new(&other, 2, 6, 2, WINDOW, HORIZON, 1, 1, 1, NULL, &err), &err);
    assert_int_equal(norn_model_give(other, 0, from.network, 0, NULL), NORN_ERR_INTERNAL);
    assert_int_equal(norn_model_take(other, 0, from.network, 0, NULL), NORN_ERR_INTERNAL);
    norn_model_free(other);
    norn_model_free(model);
    norn_model_free(loaded);
    drop_network(&from);
}

/* ---- files that are none ----------------------------------------------------------------------------------
 */

static size_t header_size(const blob *b)
{
    return b->bytes[0] + 256u * b->bytes[1] + 65536u * b->bytes[2];
}

/* The blob with the first `find` of its header replaced, its length mended, and without its checksum. */
static blob edited(const blob *from, const char *find, const char *replace)
{
    blob b = {take(1, from->size + strlen(replace) + 16), 0};
    const size_t size = header_size(from), find_length = strlen(find), length = strlen(replace);
    const unsigned char *at = NULL;
    for (size_t i = 8; i + find_length <= 8 + size && !at; i++)
        if (memcmp(from->bytes + i, find, find_length) == 0) at = from->bytes + i;
    if (!at) fail_msg("%s is not there", find);
    const size_t before = (size_t)(at - from->bytes), after = from->size - before - find_length;
    memcpy(b.bytes, from->bytes, before);
    memcpy(b.bytes + before, replace, length);
    memcpy(b.bytes + before + length, at + find_length, after);
    b.size = before + length + after;
    const size_t new_size = size + length - find_length;
    for (size_t i = 0; i < 8; i++) b.bytes[i] = (unsigned char)((uint64_t)new_size >> (8 * i));
    for (size_t i = 8; i + 10 < 8 + new_size; i++)
        if (memcmp(b.bytes + i, "norn_crc32", 10) == 0) b.bytes[i] = 'x';
    return b;
}

static void what_is_no_model_of_ours_is_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *find, *replace, *words;
    } cases[] = {
        {"\"norn\":", "\"corn\":", "not a model of Norn"},
        {"{\\\"format\\\"", "[\\\"format\\\"", "not a JSON object"},
        {"\"norn\":\"{", "\"norn\":\"{}{", "not a JSON object"},
        {"\\\"reader\\\":1", "\\\"reader\\\":2", "\"format\" and \"reader\""},
        {"\\\"format\\\":1,\\\"reader\\\":1", "\\\"format\\\":9,\\\"reader\\\":3", "in format 9"},
        {"\\\"format\\\":1,", "", "\"format\" and \"reader\""},
        {"\\\"reader\\\":1,", "\\\"reader\\\":1,\\\"reader\\\":1,", "not a JSON object"},
        {"\\\"lstm\\\"", "\\\"gru\\\"", "cell is not \"lstm\""},
        {"\\\"hidden\\\":5", "\\\"hidden\\\":6", "has not the type and shape"},
        {"\\\"hidden\\\":5", "\\\"hidden\\\":0", "\"network.hidden\""},
        {"\\\"hidden\\\":5", "\\\"hidden\\\":5.0", "\"network.hidden\""},
        {"\\\"hidden\\\":5", "\\\"hidden\\\":65537", "\"network.hidden\""},
        {"\\\"hidden\\\":5,", "", "\"network.hidden\""},
        {"\\\"layers\\\":2", "\\\"layers\\\":3", "\"m0.rnn.weight_ih_l2\" is missing"},
        {"\\\"layers\\\":2", "\\\"layers\\\":1",
         "20 tensors of members, the model's description asks for 12"},
        {"\\\"inputs\\\":4", "\\\"inputs\\\":3", "has not the type and shape"},
        {"\\\"horizon\\\":4", "\\\"horizon\\\":5", "has not the type and shape"},
        {"\\\"season\\\":4", "\\\"season\\\":3", "the scaling of series 3"},
        {"\\\"season\\\":4", "\\\"season\\\":-4", "\"season\""},
        {"\\\"season\\\":4", "\\\"season\\\":99999999999999999999", "not a JSON object"},
        {"\\\"count\\\":3", "\\\"count\\\":0", "\"step.count\""},
        {"\\\"unit\\\":\\\"months\\\"", "\\\"unit\\\":\\\"moons\\\"", "the step's unit"},
        {"\\\"correction\\\":0.2", "\\\"correction\\\":1e400", "not a JSON object"},
        {"\\\"library\\\":\\\"0.1.0\\\"", "\\\"library\\\":\\\"\\\\u001b[31m\\\"", "\"library\""},
        {"\\\"library\\\":\\\"0.1.0\\\"", "\\\"library\\\":\\\"0123456789abcdef\\\"", "\"library\""},
        {"\\\"18446744073709551615\\\"", "\\\"18446744073709551616\\\"", "\"training.seed\""},
        {"\\\"18446744073709551615\\\"", "\\\"1x\\\"", "\"training.seed\""},
        {"\\\"role\\\":\\\"past\\\"", "\\\"role\\\":\\\"last\\\"", "column 4"},
        {"\\\"name\\\":\\\"price\\\"", "\\\"name\\\":4", "column 4"},
        {"\\\"inputs\\\":[", "\\\"inputs\\\":[{},", "5 inputs of its network, not 4"},
        {"{\\\"column\\\":2,", "{\\\"column\\\":3,", "input 1 of"},
        {"{\\\"column\\\":4,", "{\\\"column\\\":6,", "\"column\""},
        {"{\\\"column\\\":4,", "{\\\"column\\\":1,", "input 3 of"},
        {"{\\\"column\\\":4,", "{\\\"column\\\":3,", "input 3 of"},
        {"\\\"advance\\\":4}", "\\\"advance\\\":5}", "\"advance\""},
        {"\\\"mask\\\":true", "\\\"mask\\\":1", "input 4 of"},
        {"\\\"windows\\\":1001", "\\\"windows\\\":-1", "\"windows\""},
        {"\\\"best_epoch\\\":31", "\\\"best_epoch\\\":\\\"31\\\"", "\"best_epoch\""},
        {"\\\"members\\\":[", "\\\"numbers\\\":[", "no columns, no members"},
        {"\\\"columns\\\":[", "\\\"volumes\\\":[", "no columns"},
        {"\"series.id_ends\"", "\"series.id_end\"", "no series"},
        {"\"series.scale\"", "\"series.scalf\"", "\"series.scale\" is missing"},
        {"\"m1.head.bias\":{\"dtype\":\"F32\"", "\"m1.head.bias\":{\"dtype\":\"I32\"",
         "\"m1.head.bias\" has not"},
        {"\"shape\":[20,4]", "\"shape\":[4,20]", "has not the type and shape"},
    };
    const blob good = content(NORN_GOLDEN_MODEL);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const blob bad = edited(&good, cases[i].find, cases[i].replace);
        norn_model *model = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_model_load_bytes(&model, bad.bytes, bad.size, "it", NULL, &err);
        if (status != NORN_ERR_DATA || !strstr(err.message, cases[i].words) || model)
            fail_msg("%s -> %s: %s \"%s\", expected \"%s\"", cases[i].find, cases[i].replace,
                     norn_status_name(status), err.message, cases[i].words);
        assert_string_equal(err.file, "it");
    }
}

static void what_a_later_version_adds_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *find, *replace;
    } cases[] = {
        {"\\\"format\\\":1", "\\\"format\\\":7"}, /* but still for readers of format 1 */
        {"\\\"season\\\":4", "\\\"season\\\":4,\\\"moon\\\":{\\\"phase\\\":[1,2]}"},
        {"\"norn_crc32\"", "\"other\":\"\",\"norn_crc32\""},
        {"\"series.log\"",
         "\"added\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"series.log\""},
    };
    const blob good = content(NORN_GOLDEN_MODEL);
    norn_model *want = fixed_model(NULL);
    assert_non_null(want);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const blob b = edited(&good, cases[i].find, cases[i].replace);
        norn_model *model = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_model_load_bytes(&model, b.bytes, b.size, "it", NULL, &err), &err);
        memcpy(want->library, model->library, sizeof want->library);
        assert_true(same_model(want, model));
        norn_model_free(model);
    }
    norn_model_free(want);
}

/* Where a tensor's numbers begin. */
static size_t place_of(const blob *b, const char *name)
{
    char *at = NULL;
    for (size_t i = 8; i + strlen(name) < 8 + header_size(b) && !at; i++)
        if (memcmp(b->bytes + i, name, strlen(name)) == 0) at = (char *)b->bytes + i;
    assert_non_null(at);
    at = strstr(at, "data_offsets\":[");
    assert_non_null(at);
    return 8 + header_size(b) + (size_t)strtoul(at + 15, NULL, 10);
}

/* Numbers that the format allows and a model does not; in files without a checksum. */
static void a_second_bias_counts_and_numbers_must_make_sense(void **state)
{
    (void)state;
    static const struct {
        const char *tensor, *words;
        unsigned char bytes[8]; /* of its first number */
        size_t size;
    } cases[] = {
        {"\"m0.rnn.bias_ih_l0\"", "not finite", {0, 0, 0xc0, 0x7f}, 4},
        {"\"m1.rnn.bias_hh_l1\"", "bias_hh_l1\" holds a number that is not finite", {0, 0, 0x80, 0xff}, 4},
        {"\"m0.head.weight\"", "not finite", {0, 0, 0x80, 0x7f}, 4},
        {"\"series.season\"", "the scaling of series 1", {5}, 8},
        {"\"series.season\"", "the scaling of series 1", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8},
        {"\"series.log\"", "the scaling of series 1", {2}, 1},
        {"\"series.scale\"", "the scaling of series 1", {0, 0, 0, 0, 0, 0, 0xf0, 0xbf}, 8},
        {"\"series.scale\"", "the scaling of series 1", {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, 8},
        {"\"series.id_ends\"", "the ids of the model's series", {6}, 8}, /* after the next one's end */
        {"\"series.id_ends\"", "the ids of the model's series", {0, 0, 0, 0, 0, 0, 0, 0x80}, 8},
        {"\"series.id_ends\"", "have the same id", {0}, 8},
        {"\"series.ids\"", "the ids of the model's series", {0}, 1},
    };
    const blob golden = content(NORN_GOLDEN_MODEL);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const blob bad = edited(&golden, "\"norn\":", "\"norn\":");
        memcpy(bad.bytes + place_of(&bad, cases[i].tensor), cases[i].bytes, cases[i].size);
        if (strstr(cases[i].words, "same id")) /* "", "", and the rest */
            memset(bad.bytes + place_of(&bad, cases[i].tensor) + 8, 0, 8);
        norn_model *model = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_model_load_bytes(&model, bad.bytes, bad.size, "it", NULL, &err);
        if (status != NORN_ERR_DATA || !strstr(err.message, cases[i].words))
            fail_msg("%s: %s \"%s\", expected \"%s\"", cases[i].tensor, norn_status_name(status), err.message,
                     cases[i].words);
    }
    /* PyTorch trains both of its biases. */
    const blob good = edited(&golden, "\"norn\":", "\"norn\":");
    static const unsigned char half[4] = {0, 0, 0, 0x3f};
    memcpy(good.bytes + place_of(&good, "\"m1.rnn.bias_hh_l0\"") + 4, half, sizeof half);
    norn_model *want = fixed_model(NULL), *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_non_null(want);
    assert_ok(norn_model_load_bytes(&model, good.bytes, good.size, "it", NULL, &err), &err);
    memcpy(want->library, model->library, sizeof want->library);
    want->parameters[norn_model_plain_size(want) + 4 * 5 * (4 + 5) + 1] += 0.5f;
    assert_true(same_model(want, model));
    norn_model_free(want);
    norn_model_free(model);
}

/* The bar: a changed byte never makes another model. */
static void any_byte_changed_is_refused_or_changes_nothing(void **state)
{
    (void)state;
    const blob good = content(NORN_GOLDEN_MODEL);
    norn_model *want = fixed_model(NULL);
    assert_non_null(want);
    size_t taken_up = 0, refused = 0;
    const size_t header = 8 + header_size(&good);
    bool named = false;
    for (size_t at = 0; at < good.size; at++) {
        /* Every value in the header; one bit each of the numbers. */
        for (unsigned change = 1; change < 256; change = at < header ? change + 1 : 2 * change) {
            good.bytes[at] ^= (unsigned char)change;
            norn_model *model = NULL;
            norn_error err = NORN_ERROR_INIT;
            if (norn_model_load_bytes(&model, good.bytes, good.size, "it", NULL, &err) == NORN_OK) {
                taken_up++;
                if (!named) {
                    memcpy(want->library, model->library, sizeof want->library);
                    named = true;
                }
                if (!same_model(want, model)) fail_msg("byte %zu, change %u: another model", at, change);
                norn_model_free(model);
            } else {
                refused++;
                assert_int_equal(err.status, NORN_ERR_DATA);
                assert_true(err.message[0] && !strpbrk(err.message, "\r\n\x1b"));
            }
            good.bytes[at] ^= (unsigned char)change;
        }
    }
    norn_model_free(want);
    assert_true(taken_up > 500 && taken_up < 5000); /* the name of the checksum, blanks at the end */
    assert_true(refused > 500000);
}

typedef struct peak {
    counting_host counter;
    size_t most; /* bytes that were out, or asked for, at once */
} peak;

static void *peak_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    peak *p = user;
    const size_t wanted = p->counter.bytes - old_size + new_size;
    if (wanted > p->most) p->most = wanted;
    return counting_resize(&p->counter, ptr, old_size, new_size);
}

/* From a file, whose size says how much may be asked for: the length of the header, and the header. */
static void a_changed_header_in_a_file_asks_for_little_memory(void **state)
{
    (void)state;
    const blob good = content(NORN_GOLDEN_MODEL);
    norn_model *want = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_load(&want, NORN_GOLDEN_MODEL, NULL, &err), &err);
    const size_t header = 8 + header_size(&good), bound = 2 * good.size + ((size_t)64 << 20);
    size_t taken_up = 0, refused = 0;
    const int file = open(path, O_WRONLY | O_TRUNC);
    assert_true(file >= 0);
    assert_int_equal(write(file, good.bytes, good.size), good.size);
    for (size_t at = 0; at < header; at++) {
        const unsigned char was = good.bytes[at];
        const unsigned char values[] = {was ^ 1u, was ^ 0x80u, 0xff};
        for (size_t v = 0; v < NORN_COUNT(values); v++) {
            peak p = {.most = 0};
            norn_host host = NORN_HOST_INIT;
            host.user = &p;
            host.resize = peak_resize;
            norn_model *model = NULL;
            err = (norn_error)NORN_ERROR_INIT;
            assert_int_equal(pwrite(file, &values[v], 1, (off_t)at), 1);
            const norn_status status = norn_model_load(&model, path, &host, &err);
            if (status == NORN_OK ? !same_model(want, model) : status != NORN_ERR_DATA || !err.message[0])
                fail_msg("byte %zu, value %u: %s \"%s\"", at, values[v], norn_status_name(status),
                         err.message);
            if (p.most > bound) fail_msg("byte %zu, value %u: %zu bytes of memory", at, values[v], p.most);
            taken_up += status == NORN_OK;
            refused += status != NORN_OK;
            norn_model_free(model);
            assert_all_returned(&p.counter);
        }
        assert_int_equal(pwrite(file, &was, 1, (off_t)at), 1);
    }
    assert_int_equal(close(file), 0);
    norn_model_free(want);
    assert_int_equal(taken_up + refused, 3 * header);
    assert_true(refused > 2 * header);
}

static void a_model_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    const blob good = content(NORN_GOLDEN_MODEL);
    for (size_t size = 0; size < good.size; size++) {
        norn_model *model = NULL;
        assert_int_equal(norn_model_load_bytes(&model, good.bytes, size, "it", NULL, NULL), NORN_ERR_DATA);
    }
}

/* Descriptions of the largest size that hold nothing but small things: the parser makes much of each. */
static void a_hostile_description_needs_little_memory(void **state)
{
    (void)state;
    static const char *const kinds[] = {"0,", "[", "{\"a\":", "\"\",", "[],", "{},", "1.5,"};
    char *text = take(1, NORN_MODEL_TEXT + 1);
    for (size_t k = 0; k < NORN_COUNT(kinds); k++) {
        const size_t length = strlen(kinds[k]);
        size_t at = 1;
        text[0] = '[';
        for (; at + length < NORN_MODEL_TEXT; at += length) memcpy(text + at, kinds[k], length);
        text[at - 1] = ']';
        text[at] = '\0';
        norn_tensor_text description = {"norn", text};
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_safetensors_write(path, NULL, 0, &description, 1, NULL, NULL, &err), &err);
        struct rusage before, after;
        norn_model *model = NULL;
        assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
        assert_int_equal(norn_model_load(&model, path, NULL, &err), NORN_ERR_DATA);
        assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
#if !WITH_ADDRESS_SANITIZER /* which needs memory of its own */
        assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
#endif
    }
}

/* ---- memory, and writing that fails -----------------------------------------------------------------------
 */

static void memory_that_runs_out_leaks_nothing(void **state)
{
    (void)state;
    const blob good = content(NORN_GOLDEN_MODEL);
    size_t failed_loads = 0, failed_saves = 0;
    for (size_t fail_at = 1;; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_model *model = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_model_load_bytes(&model, good.bytes, good.size, "it", &host, &err);
        norn_model_free(model);
        assert_all_returned(&counter);
        if (status == NORN_OK) break;
        assert_int_equal(status, NORN_ERR_MEMORY);
        failed_loads++;
    }
    counting_host counter = {0};
    const norn_host host = counting_host_of(&counter);
    norn_model *model = fixed_model(&host);
    assert_non_null(model);
    for (size_t more = 1;; more++) {
        norn_error err = NORN_ERROR_INIT;
        counter.fail_at = counter.asked + more;
        const norn_status status = norn_model_save(model, path, NULL, &err);
        if (status == NORN_OK) break;
        assert_int_equal(status, NORN_ERR_MEMORY);
        failed_saves++;
    }
    counter.fail_at = 0;
    norn_model_free(model);
    assert_all_returned(&counter);
    assert_true(failed_loads > 30 && failed_saves > 12);
}

static norn_status save_model(void *user, const char *to, const norn_file_system *system, norn_error *err)
{
    return norn_model_save(user, to, system, err);
}

/* Every system call of the write. */
static void a_model_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    char folder[] = "/tmp/norn-models-XXXXXX", to[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(to, sizeof to, "%s/model", folder);
    norn_model *model = fixed_model(NULL);
    assert_non_null(model);
    trial t = {.folder = folder, .path = to, .write = save_model, .user = model};
    begin_trial(&t, false);
    /* open, permissions, length, header, the tensors, and the six of the end: nothing is left out */
    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_safetensors_open_bytes(&file, t.whole, t.size, "it", NULL, &err), &err);
    assert_int_equal(t.calls, 4 + norn_safetensors_count(file) + 6);
    norn_safetensors_free(file);
    try_every_call(&t);
    kill_at_every_call(&t);
    end_trial(&t);
    norn_model_free(model);
    assert_int_equal(rmdir(folder), 0);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
    (void)state;
    norn_model *model = NULL;
    assert_int_equal(norn_model_new(&model, 0, 1, 1, 1, 1, 1, 1, 1, NULL, NULL), NORN_ERR_USAGE);
    assert_int_equal(norn_model_new(&model, 1, 65537, 1, 1, 1, 1, 1, 1, NULL, NULL), NORN_ERR_USAGE);
    assert_int_equal(norn_model_new(&model, 1, 1, 65, 1, 1, 1, 1, 1, NULL, NULL), NORN_ERR_USAGE);
    assert_int_equal(norn_model_new(&model, 1, 1, 1, 1, 1, 0, 1, 1, NULL, NULL), NORN_ERR_USAGE);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_new(&model, 1, 1, 1, 1, 1, 1, 2, 1, NULL, &err), &err);
    assert_int_equal(norn_model_save(model, path, NULL, NULL), NORN_ERR_INTERNAL); /* no ids */
    assert_int_equal(norn_model_sort(model, NULL), NORN_ERR_INTERNAL);
    for (size_t s = 0; s < 2; s++) assert_ok(norn_model_set_id(model, s, "same", &err), &err);
    assert_int_equal(norn_model_sort(model, NULL), NORN_ERR_INTERNAL);
    assert_int_equal(norn_model_save(model, path, NULL, NULL), NORN_ERR_INTERNAL); /* no column */
    norn_model_free(model);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, free_taken)
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_is_loaded_to_the_bit),
        TEST(models_of_all_shapes_come_back),
        TEST(a_file_of_the_first_format_loads_for_ever),
        TEST(the_parameters_forecast_what_pytorch_forecasts),
        TEST(a_trained_network_forecasts_the_same_from_its_file),
        TEST(what_is_no_model_of_ours_is_refused_with_words),
        TEST(what_a_later_version_adds_is_passed_over),
        TEST(a_second_bias_counts_and_numbers_must_make_sense),
        TEST(any_byte_changed_is_refused_or_changes_nothing),
        TEST(a_changed_header_in_a_file_asks_for_little_memory),
        TEST(a_model_cut_at_any_byte_is_refused),
        TEST(a_hostile_description_needs_little_memory),
        TEST(memory_that_runs_out_leaks_nothing),
        TEST(a_model_is_written_whole_or_not_at_all),
        TEST(sizes_out_of_bounds_are_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, make_path, clean_up);
}
