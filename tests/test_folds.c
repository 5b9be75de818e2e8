/*
 * Many folds trained at once: each has the bits it has alone, however many run beside it; nothing after its
 * cutoff, and no target in its gap, reaches it; folds that another one serves forecast from their own rows.
 *
 * One program of kernels serves all tests: 16 units in one layer.
 */
#include "counting_host.h"
#include "forecast_support.h"

#include "forecast/folds.h"

enum { MOST_FOLDS = 5, H = 4, STEP = 3 };

static norn_forecast_options brief(size_t members)
{
    norn_forecast_options o = NORN_FORECAST_OPTIONS_INIT;
    o.hidden = 16;
    o.horizon = H;
    o.epochs = 2;
    o.steps_per_epoch = 3;
    o.batch = 8;
    o.loss = NORN_LOSS_MAE; /* the square of 1e30 is no float */
    o.members = (unsigned)members;
    return o;
}

/* What a run gave, for K folds of N members over S series. */
typedef struct result {
    size_t folds, members, series, h;
    double *values, *least, *greatest;
    norn_training *training;
    norn_choices choices;
    norn_folds_out out;
} result;

static result *new_result(size_t folds, size_t members, const norn_table *table, size_t h)
{
    result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->folds = folds;
    r->members = members;
    r->series = norn_table_series_count(table);
    r->h = h;
    const size_t all = folds * r->series * h;
    r->values = calloc(all, sizeof(double));
    r->least = calloc(all, sizeof(double));
    r->greatest = calloc(all, sizeof(double));
    r->training = calloc(folds * members, sizeof *r->training);
    assert_true(r->values && r->least && r->greatest && r->training);
    r->out = (norn_folds_out){.values = r->values,
                              .least = r->least,
                              .greatest = r->greatest,
                              .training = r->training,
                              .choices = &r->choices};
    return r;
}

static void free_result(result *r)
{
    free(r->values);
    free(r->least);
    free(r->greatest);
    free(r->training);
    free(r);
}

static result *must_fold(norn_context *context, norn_table *table, const norn_folds_options *options,
                         const norn_fold *folds, size_t count)
{
    norn_error err = NORN_ERROR_INIT;
    const norn_forecast_options *o = options->forecast;
    result *r = new_result(count, o->members ? o->members : 1, table, o->horizon);
    assert_ok(norn_folds_run(&r->out, context, table, options, folds, count, NULL, &err), &err);
    return r;
}

static const double *fold_values(const result *r, size_t fold)
{
    return r->values + fold * r->series * r->h;
}

/* To the bit: forecasts, their range, and how the training went. */
static bool same_fold(const result *a, size_t fold_a, const result *b, size_t fold_b)
{
    const size_t all = a->series * a->h, bytes = all * sizeof(double);
    return memcmp(a->values + fold_a * all, b->values + fold_b * all, bytes) == 0 &&
           memcmp(a->least + fold_a * all, b->least + fold_b * all, bytes) == 0 &&
           memcmp(a->greatest + fold_a * all, b->greatest + fold_b * all, bytes) == 0 &&
           memcmp(a->training + fold_a * a->members, b->training + fold_b * b->members,
                  a->members * sizeof *a->training) == 0;
}

static void rolling(norn_fold *folds, size_t count, size_t gap, size_t rows)
{
    for (size_t k = 0; k < count; k++)
        folds[k] = (norn_fold){.behind = H + (count - 1 - k) * STEP,
                               .gap = gap,
                               .rows = rows,
                               .served_by = k,
                               .identity = 10 + k};
}

/* ---- tables ----------------------------------------------------------------------------------------------
 */

static norn_table *read_dataset(const char *file, const char *past)
{
    const char *folder = getenv("NORN_DATASETS");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "datasets", file);
    norn_table_options o = NORN_TABLE_OPTIONS_INIT;
    o.past = past;
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_table_read(&table, path, &o, NULL, &err), &err);
    return table;
}

/* A series that the first folds find too short, between two that are long, with covariates of all kinds. */
static norn_table *ragged(void)
{
    const groups g = {
        .count = 3, .rows = {120, 30, 90}, .ahead = {2, 0, 5}, .past = 1, .future = 1, .statics = 1};
    norn_table *table = table_of_groups(&g);
    uint64_t seed = 5;
    for (size_t s = 0; s < g.count; s++) {
        double *y = norn_table_target_mutable(table, s), *x = norn_table_past_mutable(table, s, 0),
               *f = norn_table_future_mutable(table, s, 0);
        for (size_t i = 0; i < g.rows[s] + g.ahead[s]; i++) f[i] = i % 13 == 5 ? NAN : draw(&seed);
        for (size_t i = 0; i < g.rows[s]; i++) {
            x[i] = i % 17 == 4 ? NAN : 3.0 + draw(&seed);
            y[i] = 100.0 * (double)(s + 1) + 10.0 * draw(&seed) + (isnan(f[i]) ? 0.0 : 20.0 * f[i]);
        }
    }
    for (size_t k = 0; k < g.count; k++) table->fixed[k] = (double)(k * k);
    return table;
}

static norn_table *air(void)
{
    return read_dataset("air_passengers.csv", NULL);
}
static norn_table *load(void)
{
    return read_dataset("hourly_load.csv", "temperature");
}
static norn_table *kinds(void)
{
    return all_kinds(2, true);
}

static const struct {
    const char *name;
    norn_table *(*make)(void);
    size_t window;
} tables[] = {{"months with a logarithm", air, 0},
              {"hours with a covariate", load, 24},
              {"all kinds with holes and a piece", kinds, 0},
              {"a series too short for some folds", ragged, 12}};

/* ---- at once and alone ----------------------------------------------------------------------------------
 */

static void a_fold_of_five_at_once_has_the_bits_it_has_alone(void **state)
{
    norn_context *context = *state;
    for (size_t t = 0; t < NORN_COUNT(tables); t++) {
        norn_fold folds[MOST_FOLDS];
        rolling(folds, MOST_FOLDS, t == 1 ? 2 : 0, t == 1 ? 600 : 0);
        norn_table *table = tables[t].make();
        norn_forecast_options o = brief(2);
        o.window = tables[t].window;
        norn_folds_options all = {.forecast = &o};
        result *want = must_fold(context, table, &all, folds, MOST_FOLDS);
        for (size_t k = 0; k < MOST_FOLDS; k++) {
            norn_fold one = folds[k];
            one.served_by = 0;
            norn_folds_options alone = {.forecast = &o, .judge = &folds[0]};
            result *got = must_fold(context, table, &alone, &one, 1);
            if (!same_fold(want, k, got, 0)) fail_msg("%s, fold %zu", tables[t].name, k);
            assert_int_equal(want->out.window, got->out.window);
            for (size_t i = 0; i < k; i++)
                assert_true(memcmp(fold_values(want, i), fold_values(want, k),
                                   want->series * H * sizeof(double)) != 0);
            free_result(got);
        }
        free_result(want);
        norn_table_free(table);
    }
}

static void how_many_members_run_at_once_changes_no_bit(void **state)
{
    norn_context *context = *state;
    static const struct {
        size_t slots, at_once;
    } ways[] = {{1, 0}, {4, 0}, {0, 1}, {0, 4}, {2, 7}};
    for (size_t t = 0; t < NORN_COUNT(tables); t++) {
        norn_fold folds[3];
        rolling(folds, 3, 0, 0);
        norn_table *table = tables[t].make();
        norn_forecast_options o = brief(3);
        o.window = tables[t].window;
        o.members_on = t % 2 ? NORN_MEMBERS_ON_ROWS : NORN_MEMBERS_ON_SEEDS;
        norn_folds_options as = {.forecast = &o};
        result *want = must_fold(context, table, &as, folds, 3);
        for (size_t i = 0; i < NORN_COUNT(ways); i++) {
            as.slots = ways[i].slots;
            as.at_once = ways[i].at_once;
            result *got = must_fold(context, table, &as, folds, 3);
            for (size_t k = 0; k < 3; k++)
                if (!same_fold(want, k, got, k)) fail_msg("%s, way %zu, fold %zu", tables[t].name, i, k);
            free_result(got);
        }
        free_result(want);
        norn_table_free(table);
    }
}

/* A forecast and a fold are the same work: what is scored there is a fold here. */
static void the_scored_part_of_a_forecast_is_a_fold(void **state)
{
    norn_context *context = *state;
    norn_table *table = air();
    norn_forecast_options o = brief(1);
    o.window = 20;
    o.epochs = 0;
    o.steps_per_epoch = 0;
    norn_forecast *forecast = must_run(context, table, &o);
    const norn_fold fold = {.behind = H, .identity = 1};
    const norn_folds_options as = {.forecast = &o, .shares = 2};
    result *r = must_fold(context, table, &as, &fold, 1);
    assert_memory_equal(r->values, norn_forecast_held_back(forecast, 0, 0), H * sizeof(double));
    assert_memory_equal(r->least, r->values, H * sizeof(double));
    free_result(r);
    norn_forecast_free(forecast);
    norn_table_free(table);
}

/* ---- nothing looks ahead --------------------------------------------------------------------------------
 */

/* Rows from..end of target and past covariates, and of what is known ahead beyond the rows forecast. */
static void poison_rows(norn_table *table, size_t behind, size_t count, double poison, bool future)
{
    for (size_t s = 0; s < norn_table_series_count(table); s++) {
        const size_t n = norn_table_rows(table, s);
        if (!norn_table_goes_on(table, s)) continue;
        for (size_t i = 0; i < count && i < behind; i++) {
            const size_t at = behind - i; /* rows from the end */
            if (at > n) continue;
            norn_table_target_mutable(table, s)[n - at] = poison;
            for (size_t p = 0; p < norn_table_past_count(table); p++)
                norn_table_past_mutable(table, s, p)[n - at] = poison;
        }
        for (size_t c = 0; future && c < norn_table_future_count(table); c++)
            for (size_t i = behind > n ? 0 : n - behind + H; i < n + norn_table_ahead(table, s); i++)
                norn_table_future_mutable(table, s, c)[i] = poison;
    }
}

static void nothing_after_its_cutoff_reaches_a_fold(void **state)
{
    norn_context *context = *state;
    static const double poisons[] = {1e30, NAN, -1e30, 0.0};
    for (size_t t = 0; t < NORN_COUNT(tables); t++) {
        norn_fold folds[3];
        rolling(folds, 3, 0, t == 1 ? 600 : 0);
        folds[2].served_by = t == 3 ? 0 : 2; /* served ones, too */
        norn_table *clean = tables[t].make();
        norn_forecast_options o = brief(1);
        o.window = tables[t].window;
        const norn_folds_options as = {.forecast = &o};
        result *want = must_fold(context, clean, &as, folds, 3);
        for (size_t k = 0; k < 3; k++)
            for (size_t p = 0; p < NORN_COUNT(poisons); p++) {
                norn_table *table = tables[t].make();
                poison_rows(table, folds[k].behind, SIZE_MAX, poisons[p], true);
                result *got = must_fold(context, table, &as, folds, 3);
                for (size_t i = 0; i <= k; i++)
                    if (!same_fold(want, i, got, i))
                        fail_msg("%s, cutoff %zu, poison %g, fold %zu", tables[t].name, k, poisons[p], i);
                /* The poison is there: folds that may see it forecast something else. */
                for (size_t i = k + 1; i < 3; i++) assert_false(same_fold(want, i, got, i));
                free_result(got);
                norn_table_free(table);
            }
        free_result(want);
        norn_table_free(clean);
    }
}

/* Training is the same whatever stands in the gap; the forecast, whose inputs run to the cutoff, is not. */
static void no_target_in_the_gap_is_learnt(void **state)
{
    norn_context *context = *state;
    enum { GAP = 5 };
    static const struct {
        double poison;
        size_t rows; /* the last of the gap: of a missing value in rows that the judge sees there is a mask */
    } ways[] = {{1e30, GAP}, {0.0, GAP}, {NAN, STEP}};
    for (size_t t = 0; t < NORN_COUNT(tables); t++) {
        norn_fold folds[2];
        rolling(folds, 2, GAP, 0);
        norn_table *clean = tables[t].make();
        norn_forecast_options o = brief(1);
        o.window = tables[t].window;
        const norn_folds_options as = {.forecast = &o};
        result *want = must_fold(context, clean, &as, folds, 2);
        for (size_t p = 0; p < NORN_COUNT(ways); p++) {
            norn_table *table = tables[t].make();
            poison_rows(table, folds[1].behind + ways[p].rows, ways[p].rows, ways[p].poison, false);
            result *got = must_fold(context, table, &as, folds, 2);
            assert_memory_equal(want->training, got->training, 2 * sizeof *want->training);
            assert_true(same_fold(want, 0, got, 0) == (ways[p].rows == STEP));
            assert_false(same_fold(want, 1, got, 1));
            free_result(got);
            norn_table_free(table);
        }
        free_result(want);
        norn_table_free(clean);
    }
}

static void rows_before_those_to_train_on_are_not_learnt(void **state)
{
    norn_context *context = *state;
    enum { ROWS = 60 };
    norn_fold folds[2];
    rolling(folds, 2, 0, ROWS);
    norn_table *clean = read_dataset("hourly_load.csv", "temperature"), *table = load();
    norn_forecast_options o = brief(1);
    o.season = 1;
    const norn_folds_options as = {.forecast = &o};
    result *want = must_fold(context, clean, &as, folds, 2);
    const size_t n = norn_table_rows(table, 0);
    for (size_t i = 1; i < n - folds[0].behind - ROWS;
         i++) { /* the first row is what all others are told from */
        norn_table_target_mutable(table, 0)[i] = 1e30;
        norn_table_past_mutable(table, 0, 0)[i] = 1e30;
    }
    result *got = must_fold(context, table, &as, folds, 2);
    for (size_t k = 0; k < 2; k++) assert_true(same_fold(want, k, got, k));
    free_result(got);
    norn_table_target_mutable(table, 0)[n - folds[0].behind - ROWS] *= 2.0; /* the first that is */
    got = must_fold(context, table, &as, folds, 2);
    assert_false(same_fold(want, 0, got, 0));
    assert_true(same_fold(want, 1, got, 1));
    free_result(got);
    free_result(want);
    norn_table_free(clean);
    norn_table_free(table);
}

/* A piece of a split series that a cutoff lies in is after it in part: the fold goes without. The last piece
 * here is later than everything: no fold sees it. */
static void a_piece_that_a_cutoff_lies_in_is_not_learnt(void **state)
{
    norn_context *context = *state;
    const groups g = {.count = 4, .rows = {100, 50, 45, 50}, .ended = {false, true, false, true}};
    norn_fold folds[3]; /* before, right at, and behind the end of the first piece as the gap has it */
    for (size_t k = 0; k < 3; k++)
        folds[k] = (norn_fold){.behind = 46 - k, .gap = 1, .served_by = k, .identity = k};
    folds[2].behind = 43;
    norn_forecast_options o = brief(1);
    o.window = 8;
    const norn_folds_options as = {.forecast = &o};
    result *r[3];
    for (size_t i = 0; i < 3; i++) { /* as it is, and with either piece poisoned */
        norn_table *table = table_of_groups(&g);
        uint64_t seed = 3;
        for (size_t s = 0; s < g.count; s++)
            for (size_t row = 0; row < g.rows[s]; row++)
                norn_table_target_mutable(table, s)[row] = draw(&seed) * (i && s == 2 * i - 1 ? 7.0 : 1.0);
        for (size_t row = 0; row < 45; row++) table->times[table->first[2] + row] = (int64_t)(60 + row);
        for (size_t row = 0; row < 50; row++) table->times[table->first[3] + row] = (int64_t)(200 + row);
        r[i] = must_fold(context, table, &as, folds, 3);
        norn_table_free(table);
    }
    for (size_t k = 0; k < 3; k++) {
        assert_true(same_fold(r[0], k, r[1], k) == (k < 2));
        assert_true(same_fold(r[0], k, r[2], k));
    }
    for (size_t i = 0; i < 3; i++) free_result(r[i]);
}

/* ---- served folds, short series -------------------------------------------------------------------------
 */

static void a_fold_that_is_served_forecasts_from_its_own_rows(void **state)
{
    norn_context *context = *state;
    norn_fold folds[4], alone[4];
    rolling(folds, 4, 0, 0);
    memcpy(alone, folds, sizeof folds);
    for (size_t k = 1; k < 4; k++) folds[k].served_by = k == 3 ? 2 : 0;
    folds[2].served_by = 2;
    norn_table *table = ragged();
    norn_forecast_options o = brief(2);
    o.window = 12;
    const norn_folds_options as = {.forecast = &o};
    result *served = must_fold(context, table, &as, folds, 4),
           *own = must_fold(context, table, &as, alone, 4);
    assert_true(same_fold(served, 0, own, 0) && same_fold(served, 2, own, 2));
    assert_int_equal(served->training[2].epochs, 0); /* of fold 1 */
    for (size_t k = 1; k < 4; k += 2) {
        assert_true(isfinite(fold_values(served, k)[0]));
        assert_true(memcmp(fold_values(served, k), fold_values(own, k), H * sizeof(double)) != 0);
        assert_true(memcmp(fold_values(served, k), fold_values(served, k - 1), H * sizeof(double)) != 0);
    }
    /* The last row before the cutoff of fold 1, which its server does not see. */
    const size_t n = norn_table_rows(table, 0);
    norn_table_target_mutable(table, 0)[n - folds[1].behind - 1] += 5.0;
    result *got = must_fold(context, table, &as, folds, 4);
    assert_true(same_fold(served, 0, got, 0));
    assert_false(same_fold(served, 1, got, 1));
    free_result(got);
    free_result(own);
    free_result(served);
    norn_table_free(table);
}

static void a_series_too_short_for_a_fold_is_missing_there_alone(void **state)
{
    norn_context *context = *state;
    norn_fold folds[MOST_FOLDS];
    rolling(folds, MOST_FOLDS, 0, 0);
    norn_table *table = ragged(); /* 30 rows: 12 + 4 + 4 are needed, 14, 17, 20, 23, 26 are there */
    norn_forecast_options o = brief(1);
    o.window = 12;
    const norn_folds_options as = {.forecast = &o};
    result *r = must_fold(context, table, &as, folds, MOST_FOLDS);
    for (size_t k = 0; k < MOST_FOLDS; k++)
        for (size_t s = 0; s < 3; s++)
            for (size_t i = 0; i < H; i++)
                assert_true(isnan(fold_values(r, k)[s * H + i]) == (s == 1 && k < 2));
    bool said = false;
    for (size_t i = 0; i < r->choices.count; i++) said |= strcmp(r->choices.list[i].what, "series") == 0;
    assert_true(said);
    free_result(r);
    norn_table_free(table);
}

static void what_makes_no_sense_is_refused(void **state)
{
    norn_context *context = *state;
    norn_table *table = ragged();
    const norn_fold late = {.behind = 4}, early = {.behind = 9};
    const norn_fold backwards[] = {{.behind = 4, .served_by = 0}, {.behind = 9, .served_by = 0}},
                    chain[] = {{.behind = 9}, {.behind = 8, .served_by = 0}, {.behind = 7, .served_by = 1}},
                    far[] = {{.behind = 110}}, wide[] = {{.behind = 9, .gap = 100}},
                    ahead[] = {{.behind = 2}};
    const struct {
        const norn_fold *folds;
        size_t count, horizon;
        const norn_fold *judge;
        const char *says;
    } cases[] = {{backwards, 2, H, NULL, "not before it"},
                 {chain, 3, H, NULL, "not before it"},
                 {&early, 1, H, &late, "sees less"},
                 {far, 1, H, NULL, "--folds"},
                 {wide, 1, H, NULL, "--folds"},
                 {ahead, 1, H, NULL, "future covariates"},
                 {&late, 1, 0, NULL, "--horizon"}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_forecast_options o = brief(1);
        o.horizon = cases[i].horizon;
        const norn_folds_options as = {.forecast = &o, .judge = cases[i].judge};
        result *r = new_result(cases[i].count, 1, table, H);
        norn_error err = NORN_ERROR_INIT;
        const norn_status status =
            norn_folds_run(&r->out, context, table, &as, cases[i].folds, cases[i].count, NULL, &err);
        if (status != NORN_ERR_USAGE || !strstr(err.message, cases[i].says))
            fail_msg("case %zu: %s \"%s\"", i, norn_status_name(status), err.message);
        free_result(r);
    }
    norn_table_free(table);
}

static void the_horizon_of_folds_is_that_of_a_forecast(void **state)
{
    norn_context *context = *state;
    static const char *const files[] = {"air_passengers.csv", "hourly_load.csv", "nile.csv"};
    for (size_t i = 0; i < NORN_COUNT(files); i++) {
        norn_table *table = read_dataset(files[i], NULL);
        norn_forecast_options o = brief(1);
        o.horizon = 0;
        size_t horizon = 0;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(norn_folds_horizon(&horizon, table, &o, NULL, NULL, &err), &err);
        norn_forecast *forecast = must_run(context, table, &o);
        assert_int_equal(horizon, norn_forecast_horizon(forecast));
        norn_forecast_free(forecast);
        norn_table_free(table);
    }
}

/* What the training would be like: it is cancelled before its first step. */
static void planned(norn_context *context, norn_table *table, size_t folds, size_t members, size_t shares,
                    char out[NORN_CHOICE_TEXT])
{
    norn_fold list[MOST_FOLDS];
    rolling(list, folds, 0, 0);
    const norn_fold judge = {.behind = 40};
    norn_forecast_options o = brief(members);
    o.epochs = 0;
    o.steps_per_epoch = 1000000; /* 40 epochs of these are beyond the budget */
    const norn_folds_options as = {.forecast = &o, .judge = &judge, .shares = shares};
    norn_host host = NORN_HOST_INIT;
    norn_error err = NORN_ERROR_INIT;
    norn_cancel *cancel = NULL;
    assert_int_equal(norn_cancel_new(&cancel), NORN_OK);
    norn_cancel_raise(cancel);
    host.cancel = cancel;
    result *r = new_result(folds, members, table, H);
    assert_int_equal(norn_folds_run(&r->out, context, table, &as, list, folds, &host, &err),
                     NORN_ERR_CANCELLED);
    out[0] = '\0';
    for (size_t i = 0; i < r->choices.count; i++)
        if (strcmp(r->choices.list[i].what, "training") == 0) strcpy(out, r->choices.list[i].text);
    assert_non_null(strstr(out, "budget"));
    if (strstr(out, " for each member")) *strstr(out, " for each member") = '\0';
    free_result(r);
    norn_cancel_free(cancel);
}

static void the_budget_of_a_fold_depends_on_shares_and_on_nothing_beside_it(void **state)
{
    norn_context *context = *state;
    norn_table *table = ragged();
    char one[NORN_CHOICE_TEXT], many[NORN_CHOICE_TEXT];
    planned(context, table, 1, 1, 0, one);
    planned(context, table, 5, 1, 0, many);
    assert_string_equal(one, many);
    planned(context, table, 1, 5, 1, many);
    assert_string_equal(one, many);
    planned(context, table, 1, 1, 2, many);
    assert_string_not_equal(one, many);
    norn_table_free(table);
}

static void every_failing_allocation_is_reported_and_nothing_leaks(void **state)
{
    norn_context *context = *state;
    norn_table *table = ragged();
    norn_fold folds[3];
    rolling(folds, 3, 1, 0);
    folds[2].served_by = 0;
    norn_forecast_options o = brief(2);
    o.epochs = 1;
    const norn_folds_options as = {.forecast = &o, .at_once = 3};
    size_t point = 1;
    for (bool reached = true; reached; point++) {
        counting_host counter = {.fail_at = point};
        const norn_host host = counting_host_of(&counter);
        result *r = new_result(3, 2, table, H);
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = norn_folds_run(&r->out, context, table, &as, folds, 3, &host, &err);
        reached = counter.asked >= point;
        if (status != (reached ? NORN_ERR_MEMORY : NORN_OK) || err.status != status)
            fail_msg("allocation %zu failed: %s \"%s\"", point, norn_status_name(status), err.message);
        assert_all_returned(&counter);
        free_result(r);
    }
    assert_true(point > 20);
    norn_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fold_of_five_at_once_has_the_bits_it_has_alone),
        cmocka_unit_test(how_many_members_run_at_once_changes_no_bit),
        cmocka_unit_test(the_scored_part_of_a_forecast_is_a_fold),
        cmocka_unit_test(nothing_after_its_cutoff_reaches_a_fold),
        cmocka_unit_test(no_target_in_the_gap_is_learnt),
        cmocka_unit_test(rows_before_those_to_train_on_are_not_learnt),
        cmocka_unit_test(a_piece_that_a_cutoff_lies_in_is_not_learnt),
        cmocka_unit_test(a_fold_that_is_served_forecasts_from_its_own_rows),
        cmocka_unit_test(a_series_too_short_for_a_fold_is_missing_there_alone),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(the_horizon_of_folds_is_that_of_a_forecast),
        cmocka_unit_test(the_budget_of_a_fold_depends_on_shares_and_on_nothing_beside_it),
        cmocka_unit_test(every_failing_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
