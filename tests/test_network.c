/*
 * The network on the device against the double-precision reference: odd shapes, both mappings, both paths,
 * ragged batches, missing values, dropout, all losses.
 */
#include "support.h"

#include "nn/compare.h"

typedef struct shape_case {
    size_t inputs, hidden, layers, window, horizon, batch, rows;
    double dropout;
    norn_loss loss;
    double clip;
} shape_case;

static const shape_case shapes[] = {
    /* F  H  L   T   O  B  rows  p  loss clip */
    {1, 1, 1, 1, 1, 1, 1, 0.0, NORN_LOSS_MSE, 0.0},    {1, 7, 1, 5, 3, 5, 5, 0.0, NORN_LOSS_MSE, 1.0},
    {3, 16, 1, 4, 17, 4, 3, 0.0, NORN_LOSS_MAE, 0.1},  {7, 33, 2, 7, 5, 9, 7, 0.0, NORN_LOSS_HUBER, 1.0},
    {2, 20, 3, 6, 12, 8, 8, 0.25, NORN_LOSS_MSE, 0.5}, {1, 64, 2, 3, 24, 6, 6, 0.5, NORN_LOSS_MSE, 0.0},
    {5, 48, 4, 2, 2, 3, 2, 0.1, NORN_LOSS_HUBER, 1.0}, {4, 80, 1, 3, 1, 2, 2, 0.0, NORN_LOSS_MAE, 1.0},
};

static const struct {
    unsigned local, vector, rows;
} mappings[] = {{1, 16, 4}, {1, 8, 3}, {64, 1, 2}, {1, 4, 1}};

static void compare_all(norn_path path, size_t first_mapping, size_t mapping_count)
{
    for (size_t m = first_mapping; m < first_mapping + mapping_count; m++) {
        norn_context_options options = NORN_CONTEXT_OPTIONS_INIT;
        options.local_size = mappings[m].local;
        options.vector_width = mappings[m].vector;
        options.rows = mappings[m].rows;
        norn_error err = NORN_ERROR_INIT;
        norn_context *context = NULL;
        assert_ok(norn_context_new(&context, &options, NULL, &err), &err);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const shape_case *c = &shapes[i];
            const norn_network_shape shape = {.inputs = c->inputs,
                                              .hidden = c->hidden,
                                              .layers = c->layers,
                                              .window = c->window,
                                              .horizon = c->horizon,
                                              .batch = c->batch,
                                              .members = 1,
                                              .dropout = c->dropout,
                                              .loss = c->loss,
                                              .clip = c->clip,
                                              .path = path};
            norn_comparison got;
            assert_ok(norn_compare_network(context, &shape, c->rows, 11 + i, &got, &err), &err);
            if (!(got.output < 2e-5 && got.loss < 2e-5 && got.gradient < 1e-4 && got.update < 1e-3)) {
                print_error(
                    "LS %u VW %u ROWS %u, case %zu: output %.2e loss %.2e gradient %.2e update %.2e\n",
                    mappings[m].local, mappings[m].vector, mappings[m].rows, i, got.output, got.loss,
                    got.gradient, got.update);
                fail();
            }
        }
        norn_context_free(context);
    }
}

static void the_sequence_path_equals_the_reference_with_one_item_a_group(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, 0, 1);
}

static void the_sequence_path_equals_the_reference_with_many_items_a_group(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, 2, 1);
}

static void the_sequence_path_equals_the_reference_with_other_vectors_and_rows(void **state)
{
    (void)state;
    compare_all(NORN_PATH_SEQUENCE, 1, 1);
    compare_all(NORN_PATH_SEQUENCE, 3, 1);
}

static void the_stage_path_equals_the_reference(void **state)
{
    (void)state;
    compare_all(NORN_PATH_STAGE, 0, 1);
    compare_all(NORN_PATH_STAGE, 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_path_equals_the_reference_with_one_item_a_group),
        cmocka_unit_test(the_sequence_path_equals_the_reference_with_many_items_a_group),
        cmocka_unit_test(the_sequence_path_equals_the_reference_with_other_vectors_and_rows),
        cmocka_unit_test(the_stage_path_equals_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
