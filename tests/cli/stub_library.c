/*
 * See stub_library.h. Times are months since year 0, as "2015-01".
 */
#include "stub_library.h"

#include "base/base.h"
#include "cli/inspect.h"
#include "data/step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

stub_library stub;

void stub_reset(void)
{
    static const double year[12] = {-18, -21, -6, -2, 0, 14, 26, 24, 8, -5, -17, -9};
    static const norn_score scores[4] = {{"LSTM", 4.0, 5.25, 3.5, 0.5, 12, 0, 0, 0},
                                         {"Naive", 20.0, 26.5, 17.25, 2.5, 12, 0, 0, 0},
                                         {"SeasonalNaive", 8.0, 9.75, 7.0, 1.0, 12, 0, 0, 0},
                                         {"Linear", 5.0, 6.0, 4.25, 0.625, 12, 0, 0, 0}};
    stub = (stub_library){
        .series = 1,
        .holdout = STUB_HORIZON,
        .members = 1,
        .score_count = 4,
        .usable = 1,
        .self_test_passes = 1,
        .facts = {.bytes = 1234,
                  .encoding = "ASCII",
                  .newline = "LF",
                  .layout = NORN_LAYOUT_COLUMNS,
                  .delimiter = ',',
                  .decimal = '.',
                  .header = 1,
                  .records = STUB_ROWS,
                  .steps = STUB_ROWS - 1,
                  .regular = STUB_ROWS - 1},
        .columns = {{"month", NORN_ROLE_TIME, NORN_TYPE_TIME, 60, 0, NAN, NAN, NAN, NAN, 0, 0, "2015-01"},
                    {"sales", NORN_ROLE_TARGET, NORN_TYPE_NUMBER, 60, 0, 79.0, 177.0, 129.25, 7755.0, 0, 0,
                     "82.0"},
                    {"price", NORN_ROLE_PAST, NORN_TYPE_INTEGER, 60, 2, -3.0, 12.0, 4.5, 261.0, 0, 0, "5"},
                    {"shop", NORN_ROLE_NONE, NORN_TYPE_TEXT, 60, 0, NAN, NAN, NAN, NAN, 0, 3, "north"},
                    {"rate", NORN_ROLE_PAST, NORN_TYPE_NUMBER, 60, 0, 0.5, 0.5, 0.5, 30.0, 1, 0, "0.50"},
                    {"spare", NORN_ROLE_NONE, NORN_TYPE_EMPTY, 60, 60, NAN, NAN, NAN, NAN, 0, 0, ""}},
        .column_count = STUB_COLUMNS,
        .decisions = {{"delimiter", "comma", "--delimiter", "comma"},
                      {"time", "\"month\", times such as 2015-01", "--time", "month"},
                      {"target", "\"sales\", the last numeric column", "--target", "sales"},
                      {"rows", "60 rows", "", NULL}},
        .decision_count = STUB_DECISIONS,
        .season = 12,
        .ids = {"sales", "costs", "visits", "returns"},
        .time_name = "month"};
    for (int i = 0; i < STUB_ROWS; i++) stub.past[i] = i == 20 || i == 21 ? NAN : (double)((i * 7) % 16 - 3);
    for (int i = 0; i < STUB_ROWS; i++) stub.target[i] = 100.0 + i + year[i % 12];
    for (int i = 0; i < STUB_HORIZON; i++) {
        stub.values[i] = 100.0 + STUB_ROWS + i + year[i] * 1.125;
        stub.held_back[i] = 100.0 + STUB_ROWS - STUB_HORIZON + i + year[i] * 0.75;
    }
    for (int i = 0; i < 4; i++) stub.scores[i] = scores[i];
}

struct norn_table {
    int nothing;
};
struct norn_forecast {
    int nothing;
};
struct norn_context {
    norn_device_info device;
};

/* ---- table ---- */

norn_status norn_table_read(norn_table **out, const char *path, const norn_table_options *options,
                            const norn_host *host, norn_error *err)
{
    (void)host;
    stub.read_options = *options;
    stub.readings++;
    if (stub.refuses_inputs && options->past && strcmp(options->past, "*") == 0)
        return norn_fail_at(err, NORN_ERR_DATA, path, 19, 2, "column \"price\": expected a number");
    for (size_t i = 0; i < stub.problem_count; i++) {
        const norn_problem *problem = &stub.problems[i];
        if (options->on_problem) options->on_problem(options->user, problem);
        if (i == 0)
            (void)norn_fail_at(err, NORN_ERR_DATA, problem->file, problem->line, problem->column, "%s",
                               problem->message);
    }
    if (stub.problem_count) return NORN_ERR_DATA;
    if (stub.read_status != NORN_OK)
        return norn_fail_at(err, stub.read_status, path, 0, 0, "%s", stub.read_message);
    *out = calloc(1, sizeof **out);
    return *out ? NORN_OK : norn_fail_memory(err, "a table");
}

norn_status norn_table_read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                                   const norn_table_options *options, const norn_host *host, norn_error *err)
{
    (void)read;
    (void)user;
    return norn_table_read(out, name, options, host, err);
}

void norn_table_free(norn_table *table)
{
    free(table);
}

size_t norn_table_series_count(const norn_table *table)
{
    (void)table;
    return stub.series;
}

size_t norn_table_rows(const norn_table *table, size_t series)
{
    (void)table;
    (void)series;
    return STUB_ROWS;
}

const char *norn_table_id(const norn_table *table, size_t series)
{
    (void)table;
    return stub.ids[series] ? stub.ids[series] : "another";
}

const double *norn_table_target(const norn_table *table, size_t series)
{
    (void)table;
    (void)series;
    return stub.target;
}

const int64_t *norn_table_times(const norn_table *table, size_t series)
{
    static int64_t times[STUB_SERIES][STUB_ROWS];
    (void)table;
    for (int i = 0; i < STUB_ROWS; i++) times[series][i] = 2015 * 12 + i + stub.shift[series];
    return times[series];
}

int64_t norn_table_future_time(const norn_table *table, size_t series, size_t ahead)
{
    return norn_table_times(table, series)[STUB_ROWS - 1] + (int64_t)ahead;
}

const char *norn_table_time_text(const norn_table *table, int64_t time, char out[NORN_TIME_TEXT])
{
    (void)table;
    (void)snprintf(out, NORN_TIME_TEXT, "%04d-%02d", (int)(time / 12), (int)(time % 12) + 1);
    return out;
}

size_t norn_table_ahead(const norn_table *table, size_t series)
{
    (void)table;
    (void)series;
    return 0;
}

const char *norn_table_target_name(const norn_table *table, size_t series)
{
    (void)table;
    (void)series;
    return "sales";
}

const char *norn_table_time_name(const norn_table *table)
{
    (void)table;
    return stub.time_name;
}

size_t norn_table_past_count(const norn_table *table)
{
    (void)table;
    return 2;
}

const char *norn_table_past_name(const norn_table *table, size_t past)
{
    (void)table;
    return past == 0 ? "price" : "rate";
}

const double *norn_table_past(const norn_table *table, size_t series, size_t past)
{
    (void)table;
    (void)series;
    (void)past;
    return stub.past;
}

size_t norn_table_future_count(const norn_table *table)
{
    (void)table;
    return 0;
}

const char *norn_table_future_name(const norn_table *table, size_t future)
{
    (void)table;
    (void)future;
    return "";
}

const double *norn_table_future(const norn_table *table, size_t series, size_t future)
{
    (void)table;
    (void)series;
    (void)future;
    return NULL;
}

norn_step norn_table_step(const norn_table *table)
{
    (void)table;
    return (norn_step){NORN_STEP_MONTHS, 1};
}

size_t norn_table_season(const norn_table *table)
{
    (void)table;
    return stub.season;
}

const norn_decision *norn_table_decisions(const norn_table *table, size_t *count)
{
    (void)table;
    *count = stub.decision_count;
    return stub.decisions;
}

const norn_table_facts *norn_table_facts_of(const norn_table *table)
{
    (void)table;
    return &stub.facts;
}

size_t norn_table_column_count(const norn_table *table)
{
    (void)table;
    return stub.column_count;
}

const norn_column_facts *norn_table_column(const norn_table *table, size_t column)
{
    (void)table;
    return &stub.columns[column];
}

const char *norn_step_text(norn_step step, char *out, size_t size)
{
    (void)step;
    (void)snprintf(out, size, "1 month");
    return out;
}

/* ---- forecast ---- */

size_t norn_forecast_horizon(const norn_forecast *forecast)
{
    (void)forecast;
    return STUB_HORIZON;
}

const double *norn_forecast_values(const norn_forecast *forecast, size_t series)
{
    (void)forecast;
    (void)series;
    return stub.values;
}

const char *norn_forecast_model(const norn_forecast *forecast)
{
    (void)forecast;
    return "LSTM";
}

const norn_score *norn_forecast_scores(const norn_forecast *forecast, size_t *count)
{
    (void)forecast;
    *count = stub.score_count;
    return stub.scores;
}

const double *norn_forecast_held_back(const norn_forecast *forecast, size_t model, size_t series)
{
    (void)forecast;
    (void)model;
    (void)series;
    return stub.holdout ? stub.held_back : NULL;
}

size_t norn_forecast_holdout(const norn_forecast *forecast)
{
    (void)forecast;
    return stub.holdout;
}

const norn_training *norn_forecast_training(const norn_forecast *forecast, size_t *count)
{
    static const norn_training one[] = {{100, 10, 60, 41, 0.02, 0.03, "", 0},
                                        {88, 10, 50, 31, 0.03, 0.04, "", 0}};
    static const norn_training three[] = {
        {100, 10, 60, 41, 0.02, 0.03, "", 0}, {100, 10, 44, 41, 0.02, 0.03, "", 0},
        {100, 10, 52, 41, 0.02, 0.03, "", 0}, {88, 10, 50, 31, 0.03, 0.04, "", 0},
        {88, 10, 50, 31, 0.03, 0.04, "", 0},  {88, 10, 2, 0, 0.0, 0.0, "", 0}};
    (void)forecast;
    *count = stub.holdout ? 2 * stub.members : stub.members;
    return stub.members == 1 ? one : three;
}

size_t norn_forecast_members(const norn_forecast *forecast)
{
    (void)forecast;
    return stub.members;
}

const double *norn_forecast_least(const norn_forecast *forecast, size_t series)
{
    (void)forecast;
    (void)series;
    return stub.least;
}

const double *norn_forecast_greatest(const norn_forecast *forecast, size_t series)
{
    (void)forecast;
    (void)series;
    return stub.greatest;
}

size_t norn_forecast_parameters(const norn_forecast *forecast)
{
    (void)forecast;
    return 4609;
}

/* ---- devices ---- */

norn_status norn_devices_list(norn_device_info **out, size_t *count, const norn_host *host, norn_error *err)
{
    (void)host;
    norn_device_info *devices = calloc(2, sizeof *devices);
    if (!devices) return norn_fail_memory(err, "devices");
    devices[0] = (norn_device_info){.size = sizeof *devices,
                                    .platform_name = "Some platform",
                                    .platform_version = "OpenCL 1.2",
                                    .name = "Some device",
                                    .type = NORN_DEVICE_GPU,
                                    .compute_units = 80,
                                    .memory = (uint64_t)16 << 30,
                                    .largest_buffer = (uint64_t)4 << 30,
                                    .vector_width = 1,
                                    .usable = stub.usable,
                                    .chosen = stub.usable,
                                    .reason = "a GPU is preferred"};
    devices[1] = devices[0];
    devices[1].device = 1;
    devices[1].usable = devices[1].chosen = 0;
    (void)snprintf(devices[1].reason, sizeof devices[1].reason, "it has no compiler for kernels");
    *out = devices;
    *count = 2;
    return NORN_OK;
}

void norn_devices_free(norn_device_info *devices, size_t count, const norn_host *host)
{
    (void)count;
    (void)host;
    free(devices);
}

norn_status norn_context_new(norn_context **out, const norn_context_options *options, const norn_host *host,
                             norn_error *err)
{
    (void)options;
    (void)host;
    norn_context *context = calloc(1, sizeof *context);
    if (!context) return norn_fail_memory(err, "a context");
    if (!stub.usable) {
        free(context);
        return norn_fail(err, NORN_ERR_DEVICE, "no usable device");
    }
    *out = context;
    return NORN_OK;
}

/* No device of a test is tuned: what reads a tuning is tried by whole commands. */
norn_status norn_context_tune(norn_context *context, const norn_tuning *tuning, norn_error *err)
{
    (void)context;
    (void)tuning;
    (void)err;
    return NORN_OK;
}

norn_status norn_tuning_read(norn_tuning **out, const char *path, const norn_host *host, norn_error *err)
{
    (void)out;
    (void)host;
    return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot open: no such file");
}

void norn_tuning_free(norn_tuning *tuning)
{
    (void)tuning;
}

const char *norn_tuning_file_name(const norn_device_info *device, char out[NORN_TUNING_NAME])
{
    (void)device;
    out[0] = '\0';
    return out;
}

void norn_context_free(norn_context *context)
{
    free(context);
}

const norn_device_info *norn_context_device(const norn_context *context)
{
    return &context->device;
}

norn_status norn_self_test(norn_context *context, norn_self_test_fn each, void *user, norn_error *err)
{
    (void)context;
    each(user, "lstm forward, H=7", 1e-7, 1e-6, 1);
    if (stub.self_test_status != NORN_OK)
        return norn_fail(err, stub.self_test_status, "the device went away");
    each(user, "lstm backward, H=7", stub.self_test_passes ? 1e-7 : 0.5, 1e-6, stub.self_test_passes);
    return stub.self_test_passes ? NORN_OK : norn_fail(err, NORN_ERR_NUMERIC, "1 of 2 comparisons failed");
}

/* ---- of the command itself: what stands in for inspect_model.c, whose tests are whole commands ---- */

bool inspect_is_model(const char *path)
{
    (void)path;
    return false;
}
int inspect_model(cli_state *cli, const char *path, bool json, bool all, const cli_screen *screen)
{
    (void)cli;
    (void)path;
    (void)json;
    (void)all;
    (void)screen;
    return EXIT_INTERNAL;
}
