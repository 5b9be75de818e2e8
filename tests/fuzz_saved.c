/*
 * libFuzzer target: any bytes as a file of cross-validation, under options taken from the first bytes, read
 * in blocks of any size. What is taken must keep the promises of norn/backtest.h: models with names, times
 * and cutoffs that are there, metrics that are numbers or undefined and no interval the wrong way round.
 */
#include "fuzz_table.h"

#include "norn/backtest.h"

enum { OPTION_BYTES = 4, MOST_SERIES = 50 };

static void check_metrics(const norn_backtest *backtest, size_t model)
{
    for (int metric = 0; metric < NORN_METRICS; metric++) {
        const norn_estimate e = norn_backtest_metric(backtest, model, NORN_SCOPE_ALL, 0, (norn_metric)metric);
        check(!(e.low > e.high), "an interval the wrong way round");
        (void)norn_backtest_metric(backtest, model, NORN_SCOPE_STEP, 0, (norn_metric)metric);
        (void)norn_backtest_metric(backtest, model, NORN_SCOPE_CUTOFF, 0, (norn_metric)metric);
        (void)norn_backtest_metric(backtest, model, NORN_SCOPE_SERIES, 0, (norn_metric)metric);
    }
    const norn_residuals r = norn_backtest_residuals(backtest, model);
    check(r.lags <= NORN_RESIDUAL_LAGS && r.not_white <= r.tested, "residuals that cannot be");
}

static void check_backtest(const norn_backtest *backtest, const norn_table *table)
{
    const norn_backtest_options *o = norn_backtest_settings(backtest);
    const size_t models = norn_backtest_model_count(backtest), series = norn_table_series_count(table);
    size_t count = 0, seen = 0;
    check(models >= 1 && o->horizon >= 1 && o->folds >= 1, "a size of 0");
    const norn_decision *decisions = norn_backtest_decisions(backtest, &count);
    for (size_t i = 0; i < count; i++) check_line(decisions[i].text, "a decision of several lines");
    for (size_t m = 0; m < models; m++) {
        check(norn_backtest_model(backtest, m) && norn_backtest_model(backtest, m)[0],
              "a model without a name");
        check_metrics(backtest, m);
        (void)norn_backtest_compare(backtest, m, 0);
        for (size_t s = 0; s < series && s < MOST_SERIES; s++)
            for (size_t k = 0; k < o->folds && norn_backtest_includes(backtest, s); k++) {
                const size_t row = norn_backtest_cutoff(backtest, s, k);
                const double *forecast = norn_backtest_forecast(backtest, m, s, k);
                check(row == SIZE_MAX || row < norn_table_rows(table, s), "a cutoff that is no row");
                check(forecast != NULL, "a forecast that is not there");
                for (size_t i = 0; i < o->horizon; i++) seen += !isnan(forecast[i]);
            }
    }
    check(seen > 0 || norn_backtest_rows(backtest) == norn_backtest_missing(backtest) ||
              series > MOST_SERIES || norn_backtest_unforecast(backtest, 0) > 0,
          "rows without any forecast");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const ids[] = {NULL, NULL, "", "y"}, *const targets[] = {NULL, NULL, NULL, "Mine"};
    if (size < OPTION_BYTES) return 0;
    memory used = {0, 0};
    norn_host host = NORN_HOST_INIT;
    host.user = &used;
    host.resize = count_memory;
    norn_saved_options o = NORN_SAVED_OPTIONS_INIT;
    o.id = ids[bytes[0] % 4];
    o.target = targets[bytes[0] / 4 % 4];
    o.season = bytes[1] % 8;
    o.compat = (norn_compat)(bytes[2] % 4);
    o.bootstrap = bytes[2] / 4 % 2 ? 20 : 0;
    input in = {bytes + OPTION_BYTES, size - OPTION_BYTES, bytes[3] % 2 ? SIZE_MAX : 1 + (size_t)bytes[3]};
    norn_table *table = NULL;
    norn_backtest *backtest = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status =
        norn_backtest_read(&backtest, &table, read_input, &in, "fuzz", &o, &host, &err);
    if (status == NORN_OK) {
        check(backtest && table, "nothing in spite of no error");
        check_backtest(backtest, table);
        norn_backtest_free(backtest);
        norn_table_free(table);
    } else {
        check(!backtest && !table, "something in spite of an error");
        check(status == NORN_ERR_DATA || status == NORN_ERR_USAGE, "an error of another kind");
        check_line(err.message, "a message of several lines");
    }
    check(used.out == 0, "memory that was not given back, or not by its size");
    check(used.most < FUZZ_MEMORY, "too much memory");
    return 0;
}
