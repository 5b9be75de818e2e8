/*
 * Model files of networks whose cell is a formula: it comes back with every number, GRU and Elman stand in
 * the file as PyTorch has them, the file of this version loads for ever, and a hostile formula is refused
 * with the line and column of what is wrong with it.
 */
#include "counting_host.h"
#include "model_support.h"

#include "nn/model_slices.h"
#include "nn/reference.h"
#include "nn/safetensors.h"
#include "nn/train.h"

#ifndef NORN_GOLDEN_CELLS
#define NORN_GOLDEN_CELLS "tests/golden/model_v2_gru.safetensors"
#endif

static const char blocks[] =
    "cell blocks\nsize heads = 3\nstate h = learned, c = 0.1\nmatrix W, U[heads], R[heads], X\nbias b\n"
    "diagonal p\na = sigmoid(W*x + U*h + b)\nc' = a*tanh(R*h + p*c) + X*x\nh' = tanh(c')\n# \x80 no text\n";

/* Every number by formula: the golden file can be judged as long as there is a reader. Not to be changed. */
static norn_model *model_of(const norn_cell *cell, size_t members)
{
    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_model_new_of(&model, cell, 3, 6, 2, 8, 4, members, 1, 2, NULL, &err), &err);
    assert_ok(norn_model_set_id(model, 0, "", &err), &err);
    assert_ok(norn_model_set_column(model, 0, "ds", NORN_ROLE_TIME, &err), &err);
    assert_ok(norn_model_set_column(model, 1, "y", NORN_ROLE_TARGET, &err), &err);
    assert_ok(norn_model_sort(model, &err), &err);
    for (size_t i = 0; i < 3; i++) model->input[i].column = 1;
    const size_t plain = norn_model_plain_size(model);
    for (size_t m = 0; m < members; m++)
        for (size_t i = 0; i < plain; i++) model->parameters[m * plain + i] = fixed_parameter(m, i);
    return model;
}

static norn_model *load(norn_error *err)
{
    norn_model *model = NULL;
    (void)norn_model_load(&model, path, NULL, err);
    return model;
}

/* The JSON of the description. */
static void description(char *out, size_t size)
{
    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_safetensors_open(&file, path, NULL, &err), &err);
    (void)snprintf(out, size, "%s", norn_safetensors_text(file, "norn"));
    norn_safetensors_free(file);
}

static bool has_tensor(const char *name, size_t rank, uint64_t first, uint64_t second)
{
    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_safetensors_open(&file, path, NULL, &err), &err);
    const norn_tensor *t = norn_safetensors_find(file, name);
    const bool has =
        t && t->rank == rank && t->shape[0] == first && (rank == 1 || t->shape[rank - 1] == second);
    norn_safetensors_free(file);
    return has;
}

/* ---- there and back ---------------------------------------------------------------------------------------
 */

static void formula_and_numbers_come_back(void **state)
{
    (void)state;
    static const char *const cells[] = {"gru", "elman_relu", "lstm_peephole", "slstm", "lstm", blocks};
    static const norn_model_layout layouts[] = {NORN_LAYOUT_GRU,     NORN_LAYOUT_RNN,  NORN_LAYOUT_FORMULA,
                                                NORN_LAYOUT_FORMULA, NORN_LAYOUT_LSTM, NORN_LAYOUT_FORMULA};
    for (size_t i = 0; i < NORN_COUNT(cells); i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_cell *cell = cell_of(cells[i]);
        norn_model *model = model_of(cell, 2);
        assert_int_equal(model->layout, layouts[i]);
        assert_ok(norn_model_save(model, path, NULL, &err), &err);
        norn_model *loaded = load(&err);
        assert_ok(err.status, &err);
        const size_t plain = norn_model_plain_size(model);
        assert_int_equal(norn_model_plain_size(loaded), plain);
        assert_memory_equal(loaded->parameters, model->parameters, 2 * plain * sizeof(float));
        assert_int_equal(loaded->layout, layouts[i]);
        if (layouts[i] == NORN_LAYOUT_LSTM) {
            assert_null(loaded->cell); /* the LSTM needs no formula, in the first format */
        } else {
            assert_string_equal(loaded->cell->text, model->cell->text);
            assert_string_equal(loaded->cell->name, cell->name);
        }
        norn_model_free(loaded);
        norn_model_free(model);
        norn_cell_free(cell);
    }
}

static void tensors_have_the_names_of_the_formula_or_of_pytorch(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *tensor;
        size_t rank;
        uint64_t first, last;
    } cases[] = {
        {"gru", "m0.rnn.weight_ih_l0", 2, 18, 3}, {"gru", "m1.rnn.weight_hh_l1", 2, 18, 6},
        {"gru", "m0.rnn.bias_hh_l0", 1, 18, 0},   {"elman", "m0.rnn.weight_ih_l1", 2, 6, 6},
        {"elman", "m0.rnn.bias_ih_l0", 1, 6, 0},  {"mgu", "m0.rnn.W_f_l0", 2, 6, 3},
        {"mgu", "m1.rnn.U_n_l1", 2, 6, 6},        {"mgu", "m0.rnn.b_n_l1", 1, 6, 0},
        {blocks, "m0.rnn.U_l0", 3, 3, 2},         {blocks, "m0.rnn.h_l1", 1, 6, 0},
        {blocks, "m0.rnn.p_l0", 1, 6, 0},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_cell *cell = cell_of(cases[i].cell);
        norn_model *model = model_of(cell, 2);
        assert_ok(norn_model_save(model, path, NULL, &err), &err);
        if (!has_tensor(cases[i].tensor, cases[i].rank, cases[i].first, cases[i].last))
            fail_msg("%s of %.10s", cases[i].tensor, cases[i].cell);
        norn_model_free(model);
        norn_cell_free(cell);
    }
}

/* NORN_UPDATE_GOLDEN=1 writes it anew, which only a change of the format may want. */
static void a_file_of_the_second_format_loads_for_ever(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = cell_of("gru");
    norn_model *want = model_of(cell, 2), *got = NULL;
    const char *update = getenv("NORN_UPDATE_GOLDEN");
    if (update && *update == '1') assert_ok(norn_model_save(want, NORN_GOLDEN_CELLS, NULL, &err), &err);
    assert_ok(norn_model_load(&got, NORN_GOLDEN_CELLS, NULL, &err), &err);
    assert_int_equal(got->layout, NORN_LAYOUT_GRU);
    assert_string_equal(got->cell->name, "gru");
    const size_t plain = norn_model_plain_size(want);
    assert_int_equal(norn_model_plain_size(got), plain);
    assert_memory_equal(got->parameters, want->parameters, 2 * plain * sizeof(float));
    norn_model_free(want);
    norn_model_free(got);
    norn_cell_free(cell);
}

/* tools/load_model.py prints these, from the same file. */
static void the_parameters_of_a_gru_forecast_what_pytorch_forecasts(void **state)
{
    (void)state;
    static const double want[2][4] = {{-0.440925742, 0.479080544, -0.413125153, 0.816432182},
                                      {-0.557914904, 0.525843198, -0.449048172, 0.731719422}};
    enum { INPUTS = 3, STEPS = 8 };
    norn_error err = NORN_ERROR_INIT;
    norn_model *model = NULL;
    assert_ok(norn_model_load(&model, NORN_GOLDEN_CELLS, NULL, &err), &err);
    const size_t plain = norn_model_plain_size(model);
    double *parameters = take_doubles(plain), x[STEPS * 2 * INPUTS], target[8] = {0}, got[8], loss = 0.0;
    for (size_t i = 0; i < STEPS * INPUTS; i++) {
        x[(i / INPUTS * 2 + 0) * INPUTS + i % INPUTS] = 0.0;
        x[(i / INPUTS * 2 + 1) * INPUTS + i % INPUTS] = ((double)i - STEPS * INPUTS / 2.0) / 8.0;
    }
    for (size_t i = 0; i < plain; i++) parameters[i] = (double)model->parameters[i];
    const norn_reference_cells network = {.cell = model->cell,
                                          .shape = {STEPS, 2, INPUTS, 6, 2, 4},
                                          .parameters = parameters,
                                          .prediction = got};
    const norn_reference_batch batch = {.x = x, .target = target, .loss = NORN_LOSS_MSE};
    assert_ok(norn_reference_cells_run(&network, &batch, &loss, &err), &err);
    for (size_t i = 0; i < 8; i++) assert_near(got[i], want[i / 4][i % 4], 0.0, 6e-10);
    norn_model_free(model);
}

/* ---- a trained network ------------------------------------------------------------------------------------
 */

enum { ROWS = 40, WINDOW = 6, HORIZON = 3, BATCH = 5, HIDDEN = 9 };

static double wave(const void *user, size_t row)
{
    (void)user;
    return sin(0.7 * (double)row);
}

static norn_network *network_of(const norn_cell *cell, norn_series **series)
{
    norn_network *network = NULL;
    norn_context *context = context_of(WIDE);
    norn_error err = NORN_ERROR_INIT;
    const size_t rows = ROWS;
    const int of = 0;
    const float pair[2] = {0.0f, 1.0f};
    assert_ok(norn_series_new(series, context, 1, 1, 1, &rows, &of, &err), &err);
    assert_ok(norn_series_put(*series, 0, wave, NULL, &err), &err);
    const norn_network_shape shape = {.inputs = 1,
                                      .hidden = HIDDEN,
                                      .layers = 2,
                                      .window = WINDOW,
                                      .horizon = HORIZON,
                                      .batch = BATCH,
                                      .members = 1,
                                      .clip = 1.0,
                                      .cell = cell};
    assert_ok(norn_network_new(&network, context, &shape, *series, &err), &err);
    assert_ok(norn_network_scale(network, 0, pair, 1, &err), &err);
    return network;
}

static float *forecast(norn_network *network, const norn_series *series)
{
    norn_window *windows = take(network->ibp, sizeof *windows);
    float *y = take_floats(network->ibp * HORIZON);
    const size_t rows = 1, member = 0;
    norn_error err = NORN_ERROR_INIT;
    windows[0] = (norn_window){0, 20};
    assert_ok(norn_network_infer(network, series, windows, &rows, &member, 1, NULL, y, &err), &err);
    return y;
}

static void a_trained_gru_forecasts_the_same_from_its_file(void **state)
{
    (void)state;
    static const char *const cells[] = {"gru", blocks};
    for (size_t i = 0; i < NORN_COUNT(cells); i++) {
        norn_error err = NORN_ERROR_INIT;
        norn_cell *cell = cell_of(cells[i]);
        norn_series *series[2];
        norn_network *from = network_of(cell, &series[0]);
        const norn_span train = {0, 25}, valid = {26, 5};
        norn_member member = {.train = &train, .valid = &valid};
        const norn_train_plan plan = {.epochs = 2, .patience = 2, .rate = 2e-2, .seed = 5};
        assert_ok(norn_train(from, series[0], &member, 1, &plan, NULL, &err), &err);
        norn_model *model = NULL;
        assert_ok(norn_model_new_of(&model, cell, 1, HIDDEN, 2, WINDOW, HORIZON, 1, 1, 1, NULL, &err), &err);
        assert_ok(norn_model_set_id(model, 0, "", &err), &err);
        assert_ok(norn_model_set_column(model, 0, "y", NORN_ROLE_TARGET, &err), &err);
        assert_ok(norn_model_take(model, 0, from, 0, &err), &err);
        assert_ok(norn_model_save(model, path, NULL, &err), &err);
        norn_model_free(model);
        model = load(&err);
        assert_ok(err.status, &err);
        norn_network *to = network_of(model->cell, &series[1]);
        assert_ok(norn_model_give(model, 0, to, 0, &err), &err);
        assert_memory_equal(forecast(to, series[1]), forecast(from, series[0]), HORIZON * sizeof(float));

        norn_model *lstm = NULL;
        assert_ok(norn_model_new(&lstm, 1, HIDDEN, 2, WINDOW, HORIZON, 1, 1, 1, NULL, &err), &err);
        assert_int_equal(norn_model_give(lstm, 0, from, 0, NULL), NORN_ERR_INTERNAL);
        norn_model_free(lstm);
        norn_network_free(from);
        norn_network_free(to);
        norn_series_free(series[0]);
        norn_series_free(series[1]);
        norn_model_free(model);
        norn_cell_free(cell);
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------
 */

/* The saved file with the first `find` of its header replaced, without its checksum. */
static norn_status load_edited(const char *find, const char *replace, norn_error *err)
{
    static unsigned char from[1 << 17], to[1 << 18];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(from, 1, sizeof from, file);
    (void)fclose(file);
    const size_t header = from[0] + 256u * from[1] + 65536u * from[2], length = strlen(replace);
    size_t at = 8;
    while (at < 8 + header && memcmp(from + at, find, strlen(find)) != 0) at++;
    if (at == 8 + header) fail_msg("%s is not there", find);
    memcpy(to, from, at);
    memcpy(to + at, replace, length);
    memcpy(to + at + length, from + at + strlen(find), size - at - strlen(find));
    const size_t grown = header + length - strlen(find);
    for (size_t i = 0; i < 8; i++) to[i] = (unsigned char)((uint64_t)grown >> (8 * i));
    for (size_t i = 8; i + 10 < 8 + grown; i++)
        if (memcmp(to + i, "norn_crc32", 10) == 0) to[i] = 'x';
    norn_model *model = NULL;
    const norn_status status =
        norn_model_load_bytes(&model, to, size + length - strlen(find), "it", NULL, err);
    norn_model_free(model);
    return status;
}

static void a_hostile_formula_is_refused_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *find, *replace, *words;
    } cases[] = {
        {"f = sigmoid(", "f = sigmoidal(", "in the formula of the model's cell, line 8, column 5: "},
        {"state h", "state h, h2, h3, h4, h5, h6, h7, h8, h9", "line 4, column 38: more than 8 states"},
        {"h' = (1 - f)*h + f*n", "h' = f; __kernel void k() {}", "line 10, column"},
        {"h' = (1 - f)*h + f*n", "h' = 1/0*f", "line 10, column 7"},
        {"matrix W_f, U_f, W_n, U_n", "size P = 1e9\\\\nmatrix W_f, U_f, W_n, U_n", "\"P\" is never used"},
        {"\\\"formula\\\":", "\\\"formulas\\\":", "the only one without a formula"},
        {"\\\"parameters\\\":\\\"formula\\\"", "\\\"parameters\\\":\\\"GRU\\\"",
         "has not the parameters of PyTorch's GRU"},
        {"\\\"parameters\\\":\\\"formula\\\"", "\\\"parameters\\\":\\\"LSTM\\\"",
         "has not the parameters of PyTorch's LSTM"},
        {"\\\"parameters\\\":\\\"formula\\\"", "\\\"parameters\\\":\\\"TREE\\\"", "make no sense"},
        {"\\\"parameters\\\":\\\"formula\\\"", "\\\"parameters\\\":7", "make no sense"},
        {"state h", "state h = learned", "\"m0.rnn.h_l0\" is missing"},
    };
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = cell_of("mgu");
    norn_model *model = model_of(cell, 1);
    assert_ok(norn_model_save(model, path, NULL, &err), &err);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        err = (norn_error)NORN_ERROR_INIT;
        const norn_status status = load_edited(cases[i].find, cases[i].replace, &err);
        if (status != NORN_ERR_DATA || !strstr(err.message, cases[i].words))
            fail_msg("%s: %s \"%s\", expected \"%s\"", cases[i].replace, norn_status_name(status),
                     err.message, cases[i].words);
        assert_string_equal(err.file, "it");
        assert_int_equal(err.line, 0); /* of the formula, not of the file */
    }
    norn_model_free(model);
    norn_cell_free(cell);
}

static void the_first_format_is_kept_for_the_lstm(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *begins;
    } cases[] = {{"lstm", "{\"format\":1,\"reader\":1,\"network\":{\"cell\":\"lstm\",\"inputs\""},
                 {"gru", "{\"format\":2,\"reader\":2,\"network\":{\"cell\":\"gru\",\"inputs\""}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char text[4096];
        norn_error err = NORN_ERROR_INIT;
        norn_cell *cell = cell_of(cases[i].cell);
        norn_model *model = model_of(cell, 1);
        assert_ok(norn_model_save(model, path, NULL, &err), &err);
        description(text, sizeof text);
        if (strncmp(text, cases[i].begins, strlen(cases[i].begins)) != 0) fail_msg("%.120s", text);
        norn_model_free(model);
        norn_cell_free(cell);
    }
}

static void memory_that_runs_out_is_an_error_and_none_is_lost(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_cell *cell = cell_of(blocks);
    norn_model *model = model_of(cell, 2);
    assert_ok(norn_model_save(model, path, NULL, &err), &err);
    norn_model_free(model);
    norn_cell_free(cell);
    for (size_t fail_at = 1;; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_error wrong = NORN_ERROR_INIT;
        model = NULL;
        const norn_status status = norn_model_load(&model, path, &host, &wrong);
        norn_model_free(model);
        assert_all_returned(&counter);
        if (counter.asked < fail_at) {
            assert_int_equal(status, NORN_OK);
            break;
        }
        assert_int_equal(status, NORN_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(formula_and_numbers_come_back, free_taken),
        cmocka_unit_test_teardown(tensors_have_the_names_of_the_formula_or_of_pytorch, free_taken),
        cmocka_unit_test_teardown(a_file_of_the_second_format_loads_for_ever, free_taken),
        cmocka_unit_test_teardown(the_parameters_of_a_gru_forecast_what_pytorch_forecasts, free_taken),
        cmocka_unit_test_teardown(a_trained_gru_forecasts_the_same_from_its_file, free_taken),
        cmocka_unit_test_teardown(a_hostile_formula_is_refused_with_line_and_column, free_taken),
        cmocka_unit_test_teardown(the_first_format_is_kept_for_the_lstm, free_taken),
        cmocka_unit_test_teardown(memory_that_runs_out_is_an_error_and_none_is_lost, free_taken),
    };
    return cmocka_run_group_tests(tests, make_path, clean_up);
}
