/*
 * Work of the host by itself, a job a run, for counts.sh to count the instructions of:
 *
 *     count_host JOB DATASETS MODEL
 *
 * A job does the same in every run: no clock, no device, one thread. "nothing" is what starting and ending
 * the process takes, which is taken off the others.
 */
#include "cell/plan.h"
#include "cell/stages.h"
#include "nn/random.h"
#include "nn/train.h"
#include "norn/forecast.h"
#include "norn/model.h"
#include "norn/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static norn_error err = NORN_ERROR_INIT;

static int failed(norn_status status)
{
    if (status == NORN_OK) return 0;
    (void)fprintf(stderr, "count_host: %s\n", err.message);
    return 1;
}

static int nothing(const char *datasets, const char *model)
{
    (void)datasets;
    (void)model;
    return 0;
}

static norn_table *read_file(const char *datasets, const char *name)
{
    char path[4096];
    norn_table *table = NULL;
    if (snprintf(path, sizeof path, "%s/%s", datasets, name) >= (int)sizeof path) return NULL;
    return failed(norn_table_read(&table, path, NULL, NULL, &err)) ? NULL : table;
}

/* A file of one series: times and numbers. */
static int reading(const char *datasets, const char *model)
{
    norn_table *table = read_file(datasets, "hourly_load.csv");
    const bool fine = table != NULL;
    (void)model;
    norn_table_free(table);
    return fine ? 0 : 1;
}

/* A file of many series, told apart by a column. */
static int grouping(const char *datasets, const char *model)
{
    norn_table *table = read_file(datasets, "shop_sales.csv");
    const bool fine = table != NULL;
    (void)model;
    norn_table_free(table);
    return fine ? 0 : 1;
}

/* A forecast from the file to its values, by a model that needs no device. */
static int forecasting(const char *datasets, const char *model)
{
    norn_table *table = read_file(datasets, "air_passengers.csv");
    norn_forecast *forecast = NULL;
    norn_forecast_options options = NORN_FORECAST_OPTIONS_INIT;
    (void)model;
    options.model = "ets";
    const int code = table ? failed(norn_forecast_run(&forecast, NULL, table, &options, NULL, &err)) : 1;
    norn_forecast_free(forecast);
    norn_table_free(table);
    return code;
}

/* What a training does on the host for every row of a batch: its number in the shuffled pass, its window. */
static int windows(const char *datasets, const char *model)
{
    enum { SERIES = 200, WINDOWS = 100000 };
    norn_span spans[SERIES];
    size_t starts[SERIES + 1];
    long sum = 0;
    (void)datasets;
    (void)model;
    for (size_t s = 0; s < SERIES; s++) spans[s] = (norn_span){.first = s % 7, .count = 100 + 13 * s};
    const size_t all = norn_window_starts(spans, SERIES, starts);
    const norn_key key = norn_random_key(1, 2, NORN_PURPOSE_ORDER);
    for (uint64_t i = 0; i < WINDOWS; i++) {
        const uint64_t index = norn_random_permute(key, (uint32_t)(i / all), i % all, all);
        const norn_window window = norn_window_at(spans, starts, SERIES, (size_t)index);
        sum += window.series + window.row;
    }
    return sum > 0 ? 0 : 1;
}

/* A formula to the text of its kernels. */
static int formula(const char *datasets, const char *model)
{
    static const char *const cells[] = {"lstm", "gru", "gru_reset_before"};
    int code = 0;
    (void)datasets;
    (void)model;
    for (size_t i = 0; i < NORN_COUNT(cells) && !code; i++) {
        const char *text = norn_cell_builtin_text(cells[i]);
        norn_cell *cell = NULL;
        norn_cell_plan *plan = NULL;
        norn_cell_shape shape;
        norn_cell_text out = {0};
        code = failed(norn_cell_read(&cell, text, strlen(text), cells[i], NULL, &err)) ||
               failed(norn_cell_bind(&shape, cell, 7, 64, 0, &err)) ||
               failed(norn_cell_plan_new(&plan, cell, &err)) ||
               failed(norn_cell_emit_either(plan, &shape, &out, &err));
        if (cell) norn_cell_text_free(&cell->host, &out);
        norn_cell_plan_free(plan);
        norn_cell_free(cell);
    }
    return code;
}

static int opening(const char *datasets, const char *path)
{
    norn_model *model = NULL;
    (void)datasets;
    const int code = failed(norn_model_read(&model, path, NULL, &err));
    norn_model_free(model);
    return code;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const char *datasets, const char *model);
    } jobs[] = {{"nothing", nothing},         {"reading", reading}, {"grouping", grouping},
                {"forecasting", forecasting}, {"windows", windows}, {"formula", formula},
                {"opening", opening}};
    for (size_t i = 0; i < NORN_COUNT(jobs) && argc == 4; i++)
        if (strcmp(argv[1], jobs[i].name) == 0) return jobs[i].run(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "--jobs") == 0) {
        for (size_t i = 1; i < NORN_COUNT(jobs); i++) (void)puts(jobs[i].name);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "usage: count_host JOB DATASETS MODEL | --jobs\n");
    return 64;
}
