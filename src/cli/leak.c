/*
 * norn leak FILE: shows that the backtest of a file looks at nothing after its cutoffs, by poisoning it; and
 * with --teach what a look ahead would have earned, so that one knows a figure that is too good.
 *
 * stdout gets the proof, as text or with --json as one object; what was decided goes to stderr. The exit code
 * is 0 only if nothing moved: fit for a script.
 */
#include "cli/backtest.h"
#include "cli/backtest_flags.h"
#include "cli/table_flags.h"
#include "cli/tuning.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct leak_flags {
    cli_table_flags data;
    cli_backtest_flags backtest;
    cli_network_flags network;
    bool teach, json, quiet, debug;
} leak_flags;

#define AT(field) offsetof(leak_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "Proof:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_FLAG, "teach", 0, AT(teach), 0, 0, NULL, NULL,
     "Also what a look ahead would have earned on this file: the same models behind a smoother that sees the "
     "next row. Not a result"},
    {CLI_FLAG, "json", 0, AT(json), 0, 0, NULL, NULL, "One JSON object"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL, "Nothing on standard error but errors"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL, "What the library logs"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

/* What there is to say. */
typedef struct findings {
    const cli_screen *screen; /* of stdout */
    const norn_table *table;
    const norn_leak *leak;
    const norn_backtest *honest, *ahead; /* NULL: nothing taught */
} findings;

static unsigned long long large(uint64_t value)
{
    return (unsigned long long)value;
}

/* ---- the proof ------------------------------------------------------------------------------------------
 */

static size_t folds_of(const findings *f)
{
    return norn_backtest_settings(norn_leak_backtest(f->leak))->folds;
}

static uint64_t rows_poisoned(const findings *f)
{
    uint64_t rows = 0;
    for (size_t k = 0; k < folds_of(f); k++) rows += norn_leak_rows(f->leak, k);
    return rows;
}

static const char *cutoff_text(const findings *f, size_t series, size_t fold, char out[NORN_TIME_TEXT])
{
    const size_t row = norn_backtest_cutoff(norn_leak_backtest(f->leak), series, fold);
    return norn_table_time_text(f->table, norn_table_times(f->table, series)[row], out);
}

/* Width of the longest name of a model, at least that of the heading. */
static int name_width(const findings *f)
{
    int width = 5;
    for (size_t m = 0; m < norn_leak_count(f->leak); m++) {
        const int length = cli_columns(norn_leak_name(f->leak, m));
        if (length > width) width = length;
    }
    return width;
}

static void put_line_of(const findings *f, cli_text *out, size_t model, int names)
{
    const norn_moved moved = norn_leak_total(f->leak, model);
    char text[48];
    cli_text_put(out, moved.moved ? cli_paint_on(f->screen, PAINT_BAD) : "");
    cli_text_put(out, "  ");
    cli_text_pad(out, norn_leak_name(f->leak, model), -names);
    const uint64_t columns[] = {folds_of(f), rows_poisoned(f), moved.compared, moved.moved, moved.bits};
    static const int widths[] = {9, 15, 11, 9, 9};
    for (size_t i = 0; i < NORN_COUNT(columns); i++) {
        (void)snprintf(text, sizeof text, "%llu", large(columns[i]));
        cli_text_pad(out, text, widths[i]);
    }
    cli_text_put(out, moved.moved ? cli_paint_off(f->screen) : "");
    cli_text_put(out, "\n");
}

static void say_moved(const findings *f, cli_text *out, size_t model)
{
    for (size_t k = 0; k < folds_of(f); k++)
        for (int p = 0; p < NORN_POISONS; p++) {
            const norn_moved moved = norn_leak_moved(f->leak, model, k, (norn_poison)p);
            char time[NORN_TIME_TEXT], id[160];
            if (!moved.moved) continue;
            const char *name = norn_table_id(f->table, moved.series);
            cli_text_format(out, "  %s: ", norn_leak_name(f->leak, model));
            if (norn_table_series_count(f->table) > 1)
                cli_text_format(out, "series %s, ", norn_quote(id, sizeof id, name, strlen(name), 40));
            cli_text_format(out, "after %s, step %zu, first, with %s in place of the rows after it\n",
                            cutoff_text(f, moved.series, moved.fold, time), moved.step + 1,
                            p == NORN_POISON_HUGE ? "1e30" : "missing values");
            return;
        }
}

static void put_proof(const findings *f, cli_text *out)
{
    const int names = name_width(f);
    const size_t count = norn_leak_count(f->leak);
    const norn_moved all = norn_leak_total(f->leak, count);
    cli_text_put(out, "  ");
    cli_text_pad(out, "model", -names);
    cli_text_put(out, "  cutoffs  rows poisoned   compared    moved     bits\n");
    for (size_t m = 0; m < count; m++) put_line_of(f, out, m, names);
    cli_text_put(out, "\n");
    if (!all.moved) {
        cli_text_format(out,
                        "%sNothing moved.%s No forecast, and nothing that metrics are scaled with, depends "
                        "on a row after its\ncutoff: each was made again with the future replaced by 1e30 "
                        "and by missing values.\n",
                        cli_paint_on(f->screen, PAINT_GOOD), cli_paint_off(f->screen));
        return;
    }
    cli_text_format(out, "%sLOOK-AHEAD:%s %llu of %llu numbers moved when rows after their cutoff changed.\n",
                    cli_paint_on(f->screen, PAINT_BAD), cli_paint_off(f->screen), large(all.moved),
                    large(all.compared));
    for (size_t m = 0; m < count; m++) say_moved(f, out, m);
}

/* ---- the lesson -----------------------------------------------------------------------------------------
 */

static norn_estimate first_step(const norn_backtest *b, size_t model, norn_metric metric)
{
    return norn_backtest_metric(b, model, NORN_SCOPE_STEP, 0, metric);
}

/* Four digits; "-" where it is undefined. */
static void number(char out[32], double value)
{
    const double size = fabs(value);
    if (!isfinite(value))
        (void)snprintf(out, 32, "-");
    else if (size >= 1e7 || (size > 0.0 && size < 1e-3))
        (void)snprintf(out, 32, "%.4g", value);
    else
        (void)snprintf(out, 32, "%.*f", size >= 1000.0 ? 1 : size >= 100.0 ? 2 : size >= 10.0 ? 3 : 4, value);
}

static void put_lesson(const findings *f, cli_text *out)
{
    const norn_backtest_options *o = norn_backtest_settings(f->honest);
    const int names = name_width(f);
    double best = 0.0;
    size_t lucky = SIZE_MAX;
    cli_text_format(out,
                    "\n%sWhat a look ahead would have earned - NOT A RESULT%s\n\n"
                    "Each value was replaced by the mean of the one before, itself and the one after, as "
                    "filters that clean a\nseries do, before the same models saw it. %zu cutoffs, the row "
                    "after each, scored by the values of the file:\n\n",
                    cli_paint_on(f->screen, PAINT_BOLD), cli_paint_off(f->screen), o->folds);
    cli_text_put(out, "  ");
    cli_text_pad(out, "", -names);
    cli_text_put(out, "       honest            |  with the next row in sight\n  ");
    cli_text_pad(out, "model", -names);
    cli_text_put(out, "       MAE  direction %  |       MAE  direction %\n");
    for (size_t m = 0; m < norn_backtest_model_count(f->honest); m++) {
        char text[32];
        cli_text_put(out, "  ");
        cli_text_pad(out, norn_backtest_model(f->honest, m), -names);
        for (int side = 0; side < 2; side++) {
            const norn_backtest *b = side ? f->ahead : f->honest;
            number(text, first_step(b, m, NORN_METRIC_MAE).value);
            cli_text_put(out, side ? "  |" : "");
            cli_text_pad(out, text, 10);
            const double direction = first_step(b, m, NORN_METRIC_DIRECTION).value;
            if (isfinite(direction))
                (void)snprintf(text, sizeof text, "%.1f", direction);
            else
                (void)snprintf(text, sizeof text, "-");
            cli_text_pad(out, text, 13);
            if (side && direction > best) {
                best = direction;
                lucky = m;
            }
        }
        cli_text_put(out, "\n");
    }
    if (lucky != SIZE_MAX)
        cli_text_format(
            out,
            "\nThe right-hand side cannot be had: %s there goes the right way %.0f times in a hundred "
            "because the last\nrow it was shown holds a third of the next one. Where a backtest of yours "
            "looks like it, look for a\nsmoother, a scaler, a filling or a choice that saw the whole file.\n",
            norn_backtest_model(f->ahead, lucky), best);
}

/*
 * A direction needs many cutoffs: unless told, one a row over the last half of the shortest series, at most
 * 200, and one fit for all of them.
 */
static void options_of_lesson(const cli_command *command, const cli_arguments *arguments, const findings *f,
                              norn_backtest_options *out)
{
    enum { MOST = 200 };
    const norn_backtest *proof = norn_leak_backtest(f->leak);
    const norn_backtest_options *held = norn_backtest_settings(proof);
    out->bootstrap = 0;
    out->compat = NORN_COMPAT_NORN;
    out->horizon = held->horizon;
    out->season = held->season;
    out->window = held->window;
    if (cli_given(command, arguments, "folds") || cli_given(command, arguments, "step")) return;
    size_t shortest = SIZE_MAX;
    for (size_t s = 0; s < norn_table_series_count(f->table); s++)
        if (norn_backtest_includes(proof, s) && norn_table_rows(f->table, s) < shortest)
            shortest = norn_table_rows(f->table, s);
    /* the rows that a first fit has in the proof, or half of all if that is more */
    const size_t least = norn_backtest_needed(proof) - (held->folds - 1) * held->step;
    const size_t before = least > shortest / 2 ? least : shortest / 2;
    const size_t room = shortest > before ? shortest - before : 0;
    if (room <= held->folds) return;
    out->folds = room < MOST ? room : MOST;
    out->step = 1;
    if (!cli_given(command, arguments, "refit") && !cli_given(command, arguments, "refit-every"))
        out->refit_every = 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static json_t *count_json(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *moved_json(const findings *f, size_t model)
{
    const norn_moved moved = norn_leak_total(f->leak, model);
    char time[NORN_TIME_TEXT];
    json_t *out = json_object();
    json_object_set_new(out, "model", cli_json_text(norn_leak_name(f->leak, model)));
    json_object_set_new(out, "compared", count_json(moved.compared));
    json_object_set_new(out, "moved", count_json(moved.moved));
    json_object_set_new(out, "bits", count_json(moved.bits));
    if (!moved.moved) return out;
    json_object_set_new(out, "unique_id", cli_json_text(norn_table_id(f->table, moved.series)));
    json_object_set_new(out, "cutoff", cli_json_text(cutoff_text(f, moved.series, moved.fold, time)));
    json_object_set_new(out, "step", count_json(moved.step + 1));
    return out;
}

static json_t *lesson_json(const findings *f)
{
    json_t *out = json_object(), *models = json_array();
    json_object_set_new(out, "warning", json_string("not a result: made with the next row in sight"));
    json_object_set_new(out, "cutoffs", count_json(norn_backtest_settings(f->honest)->folds));
    for (size_t m = 0; m < norn_backtest_model_count(f->honest); m++) {
        json_t *each = json_object();
        json_object_set_new(each, "model", cli_json_text(norn_backtest_model(f->honest, m)));
        for (int side = 0; side < 2; side++) {
            const norn_backtest *b = side ? f->ahead : f->honest;
            json_t *figures = json_object();
            json_object_set_new(figures, "mae", cli_json_real(first_step(b, m, NORN_METRIC_MAE).value));
            json_object_set_new(figures, "direction",
                                cli_json_real(first_step(b, m, NORN_METRIC_DIRECTION).value));
            json_object_set_new(each, side ? "with_look_ahead" : "honest", figures);
        }
        json_array_append_new(models, each);
    }
    json_object_set_new(out, "models", models);
    return out;
}

static void put_json(const findings *f, cli_text *out)
{
    const norn_backtest *proof = norn_leak_backtest(f->leak);
    json_t *root = json_object(), *cutoffs = json_array(), *models = json_array();
    char label[NORN_TIME_TEXT];
    for (size_t k = 0; k < folds_of(f); k++) {
        json_t *each = json_object();
        (void)cli_cutoff_text(f->table, proof, k, label);
        json_object_set_new(each, "cutoff", label[0] ? cli_json_text(label) : json_null());
        json_object_set_new(each, "rows_poisoned", count_json(norn_leak_rows(f->leak, k)));
        json_object_set_new(each, "values_poisoned", count_json(norn_leak_poisoned(f->leak, k)));
        json_array_append_new(cutoffs, each);
    }
    for (size_t m = 0; m < norn_leak_count(f->leak); m++) json_array_append_new(models, moved_json(f, m));
    json_object_set_new(root, "norn", json_string(norn_version()));
    json_object_set_new(root, "moved", count_json(norn_leak_total(f->leak, norn_leak_count(f->leak)).moved));
    json_object_set_new(
        root, "poisons",
        json_pack("[ss]", norn_poison_name(NORN_POISON_HUGE), norn_poison_name(NORN_POISON_MISSING)));
    json_object_set_new(root, "models", models);
    json_object_set_new(root, "cutoffs", cutoffs);
    if (f->honest) json_object_set_new(root, "look_ahead", lesson_json(f));
    cli_text_put_json(out, root, 10);
}

/* ---- the command ----------------------------------------------------------------------------------------
 */

static void tell(const cli_state *cli, const norn_decision *decisions, size_t count)
{
    cli_text notes = {NULL, 0, 0, false};
    if (cli->quiet) return;
    cli_report_decisions(&cli->screen, &notes, decisions, count);
    if (notes.length) (void)fwrite(notes.bytes, 1, notes.length, stderr);
    cli_text_free(&notes);
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    leak_flags given = {
        .data = CLI_TABLE_FLAGS_INIT, .backtest = CLI_BACKTEST_FLAGS_INIT, .network = CLI_NETWORK_FLAGS_INIT};
    const norn_backtest_options *asked = &given.backtest.options;
    cli_arguments arguments;
    cli_text results = {NULL, 0, 0, false};
    norn_table *table = NULL;
    norn_context *context = NULL;
    norn_leak *leak = NULL;
    norn_backtest *honest = NULL, *ahead = NULL;
    const char *input = NULL;
    size_t count = 0;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    if ((code = cli_table_check(command, &arguments, &given.data, NULL, &input)) != EXIT_FINE) goto done;
    code = cli_backtest_settle(command, &arguments, &given.backtest, &given.network);
    if (code != EXIT_FINE) goto done;
    cli->quiet = given.quiet;
    cli->debug |= given.debug;
    if ((code = cli_table_read(cli, &table, input, &given.data)) != EXIT_FINE) goto done;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    tell(cli, decisions, count);
    if (cli_backtest_wants_device(&given.backtest)) {
        char tuning[CLI_PATH];
        code = cli_context_open(cli, &context, &given.network.context, given.network.tuning, tuning);
        if (code != EXIT_FINE) goto done;
    }
    if (norn_leak_run(&leak, context, table, asked, &cli->host, &cli->err) != NORN_OK) {
        code = cli_fail(cli);
        goto done;
    }
    cli_progress_clear(cli);
    decisions = norn_backtest_decisions(norn_leak_backtest(leak), &count);
    tell(cli, decisions, count);
    const cli_screen screen = cli_screen_of(STDOUT_FILENO);
    findings found = {.screen = &screen, .table = table, .leak = leak};
    if (given.teach) {
        norn_backtest_options lesson = *asked;
        options_of_lesson(command, &arguments, &found, &lesson);
        if (norn_leak_teach(&honest, &ahead, context, table, &lesson, &cli->host, &cli->err) != NORN_OK) {
            code = cli_fail(cli);
            goto done;
        }
        cli_progress_clear(cli);
        found.honest = honest;
        found.ahead = ahead;
    }
    if (given.json) {
        put_json(&found, &results);
    } else {
        if (!cli->quiet) (void)fputs("\n", stderr);
        put_proof(&found, &results);
        if (honest) put_lesson(&found, &results);
    }
    code = cli_output_write(NULL, &results);
    if (code == EXIT_FINE && norn_leak_total(leak, norn_leak_count(leak)).moved) code = EXIT_INTERNAL;

done:
    cli_text_free(&results);
    norn_backtest_free(honest);
    norn_backtest_free(ahead);
    norn_leak_free(leak);
    norn_table_free(table);
    norn_context_free(context);
    cli_arguments_free(&arguments);
    return code;
}

static const cli_shared shared[] = {{cli_table_rows, AT(data)},
                                    {cli_backtest_rows, AT(backtest)},
                                    {cli_network_rows, AT(network)},
                                    {NULL, 0}};

const cli_command cli_leak_command = {
    .name = "leak",
    .summary = "show that the backtest of a CSV file looks at nothing after its cutoffs",
    .operands = "FILE",
    .before = "Makes the backtest of a CSV file (- is standard input), and makes it again with the\n"
              "future of every cutoff replaced by 1e30 and by missing values: of the forecasts made\n"
              "there not one bit may move. Takes the options of `norn backtest`, so that what is\n"
              "shown is shown for them. The exit code is 0 only if nothing moved, else 70.\n\n",
    .after = "\nExamples:\n"
             "  norn leak sales.csv && norn backtest sales.csv\n"
             "  norn leak load.csv --models lstm --folds 3 --refit never\n"
             "  norn leak prices.csv -n 1 --teach              what a look ahead would have earned\n",
    .options = options,
    .shared = shared,
    .run = run,
};
