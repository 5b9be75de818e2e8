/*
 * Published figures of the M competitions, on the public files where they lie beside the project (in
 * ../shared/data); skipped where they do not. The M4 table is that of its organisers, M3's the N-BEATS
 * paper's. No OpenCL here.
 */
#include "backtest_support.h"

#include "base/base.h"
#include "table_support.h"

/* A whole file, with its end; NULL: there is none. */
static char *contents(const char *name)
{
    char path[1024];
    const char *datasets = getenv("NORN_DATASETS");
    (void)snprintf(path, sizeof path, "%s/../../shared/data/%s", datasets ? datasets : ".", name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    size_t size = 0, capacity = 1 << 20;
    char *text = malloc(capacity + 1);
    for (size_t got; text && (got = fread(text + size, 1, capacity - size, file)) > 0;) {
        size += got;
        if (size == capacity) text = realloc(text, (capacity *= 2) + 1);
    }
    (void)fclose(file);
    assert_non_null(text);
    text[size] = '\0';
    return text;
}

/* The lines of the training file, each with the values of the test file's line behind its own. */
static char *joined(const char *train, const char *test)
{
    char *out = malloc(strlen(train) + strlen(test) + 1), *at = out;
    assert_non_null(out);
    train = strchr(train, '\n') + 1; /* without the headers */
    test = strchr(test, '\n') + 1;
    while (*train && *test) {
        const size_t length = strcspn(train, "\r\n"), more = strcspn(test, "\r\n");
        const char *values = memchr(test, ',', more);
        size_t used = length; /* without the empty cells at its end */
        while (used && (train[used - 1] == ',' || (used > 2 && memcmp(train + used - 3, ",\"\"", 3) == 0)))
            used -= train[used - 1] == ',' ? 1 : 3;
        memcpy(at, train, used);
        at += used;
        memcpy(at, values, (size_t)(test + more - values));
        at += test + more - values;
        *at++ = '\n';
        train += length;
        test += more;
        train += strspn(train, "\r\n");
        test += strspn(test, "\r\n");
    }
    *at = '\0';
    return out;
}

static norn_table *m4_hourly(void)
{
    char *train = contents("m4_hourly/Hourly-train.csv"), *test = contents("m4_hourly/Hourly-test.csv");
    if (!train || !test) {
        print_message("skipped: there is no ../shared/data/m4_hourly\n");
        free(train);
        free(test);
        skip();
    }
    char *both = joined(train, test);
    norn_table_options options = NORN_TABLE_OPTIONS_INIT;
    options.layout = NORN_LAYOUT_ROWS;
    options.header = NORN_HEADER_NO;
    norn_table *table = must_read(both, &options);
    free(train);
    free(test);
    free(both);
    assert_int_equal(norn_table_series_count(table), 414);
    return table;
}

static void m4_hourly_has_the_published_figures_of_naive_seasonal_naive_and_naive2(void **state)
{
    (void)state;
    norn_table *table = m4_hourly();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 48;
    options.folds = 1;
    options.season = 24;
    options.bootstrap = 0;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    assert_int_equal(norn_backtest_rows(backtest), 414 * 48);
    static const struct {
        const char *model;
        double smape, mase;
    } published[] = {{"Naive", 43.003, 11.608}, {"SeasonalNaive", 13.912, 1.193}, {"Naive2", 18.383, 2.395}};
    for (size_t i = 0; i < NORN_COUNT(published); i++) {
        assert_near_at(metric_of(backtest, published[i].model, NORN_METRIC_SMAPE), published[i].smape, 0,
                       0.0005, i, __FILE__, __LINE__);
        assert_near_at(metric_of(backtest, published[i].model, NORN_METRIC_MASE), published[i].mase, 0,
                       0.0005, i, __FILE__, __LINE__);
    }
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/*
 * Naive and SeasonalNaive as measured by others on this file. Naive2 was published with 16.91 (Makridakis and
 * Hibon 2000), which M3 made with a test of seasonality of its own that is not described; that of the M4
 * code, which Naive2 is here, gives 16.768 in NumPy too.
 */
static void m3_monthly_has_the_known_figures_of_naive_seasonal_naive_and_naive2(void **state)
{
    (void)state;
    char *text = contents("m3_monthly/m3_monthly.tsf");
    if (!text) {
        print_message("skipped: there is no ../shared/data/m3_monthly\n");
        skip();
    }
    norn_table *table = must_read(text, NULL);
    free(text);
    assert_int_equal(norn_table_series_count(table), 1428);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 18;
    options.folds = 1;
    options.bootstrap = 0;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    assert_int_equal(norn_backtest_settings(backtest)->season, 12);
    assert_int_equal(norn_backtest_rows(backtest), 1428 * 18);
    assert_near(metric_of(backtest, "Naive", NORN_METRIC_SMAPE), 18.183, 0, 0.0005);
    assert_near(metric_of(backtest, "Naive", NORN_METRIC_MASE), 1.175, 0, 0.0005);
    assert_near(metric_of(backtest, "SeasonalNaive", NORN_METRIC_SMAPE), 17.239, 0, 0.0005);
    assert_near(metric_of(backtest, "SeasonalNaive", NORN_METRIC_MASE), 1.146, 0, 0.0005);
    assert_near(metric_of(backtest, "Naive2", NORN_METRIC_SMAPE), 16.768, 0, 0.0005);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* Theta as the organisers of the M4 measured it. */
static void m4_hourly_has_the_published_figures_of_theta(void **state)
{
    (void)state;
    norn_table *table = m4_hourly();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 48;
    options.folds = 1;
    options.season = 24;
    options.bootstrap = 0;
    options.models = "theta,optimized-theta,dynamic-optimized-theta";
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    assert_near(metric_of(backtest, "Theta", NORN_METRIC_SMAPE), 18.138, 0, 0.005);
    assert_near(metric_of(backtest, "Theta", NORN_METRIC_MASE), 2.455, 0, 0.001);
    assert_true(metric_of(backtest, "OptimizedTheta", NORN_METRIC_SMAPE) < 18.3);
    assert_true(metric_of(backtest, "DynamicOptimizedTheta", NORN_METRIC_SMAPE) < 18.2);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/*
 * In M3 monthly Theta has 13.85 and 13.86 and automatic ETS, forecast::ets of R, 14.14 (Makridakis and Hibon
 * 2000; Monash archive). The bounds of the others are what they have now, that they do not grow.
 */
static void in_m3_and_tourism_theta_and_ets_are_as_good_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t horizon;
        double ets, theta, dynamic, comb;
    } cases[] = {{"m3_monthly/m3_monthly.tsf", 18, 14.14, 13.93, 13.80, 14.05},
                 {"tourism_monthly/tourism_monthly.tsf", 24, 19.20, 20.0, 20.1, 20.2}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        char *text = contents(cases[i].file);
        if (!text) {
            print_message("skipped: there is no ../shared/data/%s\n", cases[i].file);
            skip();
        }
        norn_table *table = must_read(text, NULL);
        free(text);
        norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
        options.horizon = cases[i].horizon;
        options.folds = 1;
        options.bootstrap = 0;
        options.models = "ets,theta,dynamic-optimized-theta,comb";
        norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
        const struct {
            const char *model;
            double most;
        } bounds[] = {{"ETS", cases[i].ets},
                      {"Theta", cases[i].theta},
                      {"DynamicOptimizedTheta", cases[i].dynamic},
                      {"Comb", cases[i].comb}};
        for (size_t m = 0; m < NORN_COUNT(bounds); m++) {
            const double smape = metric_of(backtest, bounds[m].model, NORN_METRIC_SMAPE);
            if (!(smape <= bounds[m].most))
                fail_msg("%s of %s: sMAPE %.3f", bounds[m].model, cases[i].file, smape);
        }
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
}

/* Five folds of every model that takes no optimisation; how long they take is printed, and measured by
 * benchmarks. */
static void simple_models_over_414_series_and_five_folds_score_every_row(void **state)
{
    (void)state;
    norn_table *table = m4_hourly();
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 48;
    options.folds = 5;
    options.season = 24;
    options.models =
        "drift,window-average,dlinear,ses,holt,damped-holt,theta,optimized-theta,comb,croston,croston-sba";
    const double begin = norn_seconds();
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    const double took = norn_seconds() - begin;
    assert_int_equal(norn_backtest_rows(backtest), 414 * 5 * 48);
    print_message("%.2f s\n", took);
    for (size_t m = 0; m < norn_backtest_model_count(backtest); m++) {
        double fit, forecast;
        norn_backtest_durations(backtest, m, &fit, &forecast);
        print_message("%-16s fit %.2f s, forecast %.2f s, sMAPE %.3f, MASE %.3f\n",
                      norn_backtest_model(backtest, m), fit, forecast,
                      norn_backtest_metric(backtest, m, NORN_SCOPE_ALL, 0, NORN_METRIC_SMAPE).value,
                      norn_backtest_metric(backtest, m, NORN_SCOPE_ALL, 0, NORN_METRIC_MASE).value);
    }
    norn_backtest_free(backtest);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m4_hourly_has_the_published_figures_of_naive_seasonal_naive_and_naive2),
        cmocka_unit_test(m3_monthly_has_the_known_figures_of_naive_seasonal_naive_and_naive2),
        cmocka_unit_test(m4_hourly_has_the_published_figures_of_theta),
        cmocka_unit_test(in_m3_and_tourism_theta_and_ets_are_as_good_as_published),
        cmocka_unit_test(simple_models_over_414_series_and_five_folds_score_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
