/* Around a training: see network_run.h. */
#include "cli/network_run.h"

#include "cli/tuning.h"

#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cli_tell(cli_text *text)
{
    if (text->length) (void)fwrite(text->bytes, 1, text->length, stderr);
    cli_text_free(text);
}

static void report_device(const cli_state *cli, cli_text *out, const norn_device_info *device,
                          const char *tuning)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s, %u compute units", device->name, device->compute_units);
    const norn_decision decision = {"device", text, "--device", NULL};
    cli_report_decisions(&cli->screen, out, &decision, 1);
    const norn_decision tuned = {"tuning", tuning, "--tuning", NULL};
    if (*tuning) cli_report_decisions(&cli->screen, out, &tuned, 1);
}

int cli_network_open(cli_state *cli, norn_table **table, norn_context **context, const char *input,
                     const cli_table_flags *data, const cli_network_flags *network)
{
    const char *weight = network->options.weight;
    char tuning[CLI_PATH];
    cli_text notes = {NULL, 0, 0, false}, past = {NULL, 0, 0, false};
    cli_table_flags with = *data;
    size_t count = 0;
    if (weight) {
        if (data->options.past && data->options.past[0]) cli_text_format(&past, "%s,", data->options.past);
        for (const char *at = weight; *at; at++) cli_text_add(&past, strchr(",*?", *at) ? "?" : at, 1);
        if (past.failed) {
            cli_error("out of memory for the columns");
            return EXIT_MEMORY;
        }
        with.options.past = past.bytes;
    }
    int code = cli_table_read(cli, table, input, &with);
    cli_text_free(&past);
    if (code != EXIT_FINE) return code;
    const norn_decision *decisions = norn_table_decisions(*table, &count);
    cli_report_decisions(&cli->screen, &notes, decisions, count);
    code = cli_context_open(cli, context, &network->context, network->tuning, tuning);
    if (code != EXIT_FINE) {
        cli_text_free(&notes);
        return code;
    }
    report_device(cli, &notes, norn_context_device(*context), tuning);
    if (cli->quiet) cli_text_free(&notes);
    cli_tell(&notes);
    return EXIT_FINE;
}

void cli_network_report(const cli_state *cli, cli_text *out, const norn_table *table,
                        const norn_forecast *forecast, double seconds)
{
    size_t count = 0;
    const norn_decision *decisions = norn_forecast_decisions(forecast, &count);
    cli_report_decisions(&cli->screen, out, decisions, count);
    cli_report_training(&cli->screen, out, forecast, seconds);
    cli_report_spread(&cli->screen, out, table, forecast);
    cli_report_scores(&cli->screen, out, table, forecast);
}

int cli_network_fail(cli_state *cli, const norn_forecast_options *options, const cli_command *command,
                     int argc, const char **argv)
{
    /* The library names the checkpoint that it wrote. */
    const int number = cli_signal_caught();
    const bool kept = number && options->checkpoint && cli->err.status == NORN_ERR_CANCELLED &&
                      strcmp(cli->err.file, options->checkpoint) == 0;
    if (!kept) {
        const int code = cli_fail(cli);
        bool lost = number && cli->err.status == NORN_ERR_CANCELLED && !options->checkpoint;
        for (int i = 1; i < argc; i++) lost &= strncmp(argv[i], "--model", 7) != 0; /* nothing is trained */
        if (lost)
            (void)fputs("  (--checkpoint FILE keeps where a training stands, --resume goes on)\n", stderr);
        return code;
    }
    cli_progress_clear(cli);
    cli_text line = {NULL, 0, 0, false};
    bool resumes = false;
    cli_text_format(&line, "norn: interrupted; it goes on with: norn %s", command->name);
    for (int i = 1; i < argc; i++) {
        cli_text_put(&line, " ");
        cli_text_word(&line, argv[i]);
        resumes |= strcmp(argv[i], "--resume") == 0;
    }
    cli_text_put(&line, resumes ? "\n" : " --resume\n");
    if (!line.failed) (void)fputs(line.bytes, stderr);
    cli_text_free(&line);
    return 128 + number;
}

/* ---- models ----------------------------------------------------------------------------------------------
 */

/* A constant, or what weighed the rows, is not needed again. */
static bool is_seen(const norn_model *model, const norn_model_facts *facts, size_t column)
{
    for (size_t i = 0; i < facts->inputs; i++)
        if (norn_model_input_of(model, i).column == column) return true;
    return false;
}

/* The names of a model's columns of one role as a flag takes them. In a list, a comma and what is a pattern
 * become "?", which stands for any character; of texts as inputs (column=text) the column is named once. */
static void put_names(cli_text *out, const norn_model *model, norn_column_role role)
{
    const norn_model_facts facts = norn_model_facts_of(model);
    const bool inputs = role > NORN_ROLE_TARGET;
    char last[256] = "";
    for (size_t c = 0; c < facts.columns; c++) {
        const char *name = norn_model_column_name(model, c), *equals = inputs ? strchr(name, '=') : NULL;
        if (norn_model_column_role(model, c) != role || (inputs && !is_seen(model, &facts, c))) continue;
        const size_t length = equals ? (size_t)(equals - name) : strlen(name);
        if (equals && length < sizeof last && strlen(last) == length && strncmp(last, name, length) == 0)
            continue;
        if (equals) (void)snprintf(last, sizeof last, "%.*s", (int)length, name);
        if (out->length) cli_text_put(out, ",");
        for (size_t i = 0; i < length; i++) cli_text_add(out, strchr(",*?", name[i]) ? "?" : name + i, 1);
    }
}

int cli_model_open(cli_state *cli, norn_model **out, const char *path, const cli_command *command,
                   const cli_arguments *arguments, cli_table_flags *data, cli_model_flags *texts)
{
    const cli_option *const tables[] = {cli_size_rows, cli_network_rows, cli_checkpoint_rows};
    for (size_t t = 0; t < NORN_COUNT(tables); t++)
        for (const cli_option *row = tables[t]; row->kind != CLI_END; row++)
            if (row->kind != CLI_GROUP && strcmp(row->name, "device") != 0 &&
                strcmp(row->name, "tuning") != 0 && cli_given(command, arguments, row->name)) {
                cli_error("--%s is of the training, and --model trains nothing: leave one of them out",
                          row->name);
                return EXIT_USAGE;
            }
    if (norn_model_read(out, path, &cli->host, &cli->err) != NORN_OK) return cli_fail(cli);
    norn_table_options *o = &data->options;
    const struct {
        norn_column_role role;
        const char **option;
    } roles[NORN_COUNT(texts->texts)] = {{NORN_ROLE_ID, &o->id},
                                         {NORN_ROLE_TARGET, &o->target},
                                         {NORN_ROLE_PAST, &o->past},
                                         {NORN_ROLE_FUTURE, &o->future},
                                         {NORN_ROLE_STATIC, &o->statics}};
    /* lines that are series, and .tsf files, have no columns to name */
    for (size_t i = 0; i < NORN_COUNT(roles); i++) {
        if (*roles[i].option || o->layout > NORN_LAYOUT_COLUMNS) continue;
        put_names(&texts->texts[i], *out, roles[i].role);
        if (texts->texts[i].failed) {
            cli_error("out of memory for the model's columns");
            return EXIT_MEMORY;
        }
        if (texts->texts[i].length) *roles[i].option = texts->texts[i].bytes;
    }
    return EXIT_FINE;
}

void cli_model_flags_free(cli_model_flags *texts)
{
    for (size_t i = 0; i < NORN_COUNT(texts->texts); i++) cli_text_free(&texts->texts[i]);
}

/* ---- epochs ----------------------------------------------------------------------------------------------
 */

void cli_epochs_add(void *user, const norn_epoch *epoch)
{
    cli_epochs *epochs = user;
    if (epochs->count == epochs->capacity) {
        const size_t more = epochs->capacity ? 2 * epochs->capacity : 64;
        norn_epoch *list = realloc(epochs->list, more * sizeof *list);
        if (!list) {
            epochs->failed = true;
            return;
        }
        epochs->list = list;
        epochs->capacity = more;
    }
    epochs->list[epochs->count++] = *epoch;
}

/* They come in the order of training, which depends on how many networks are trained at once. */
static int by_network(const void *a, const void *b)
{
    const norn_epoch *x = a, *y = b;
    if (x->fold != y->fold) return x->fold < y->fold ? -1 : 1;
    if (x->member != y->member) return x->member < y->member ? -1 : 1;
    return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

void cli_epochs_csv(cli_text *out, cli_epochs *epochs)
{
    cli_text_put(out, "network,member,epoch,rate,train_loss,valid_loss,gradient_norm\n");
    if (epochs->count) qsort(epochs->list, epochs->count, sizeof *epochs->list, by_network);
    for (size_t i = 0; i < epochs->count; i++) {
        const norn_epoch *e = &epochs->list[i];
        const double reals[] = {e->rate, e->train_loss, e->valid_loss, e->gradient_norm};
        cli_text_format(out, "%s,%zu,%u", e->fold ? "scored" : "all", e->member + 1, e->epoch);
        for (size_t k = 0; k < NORN_COUNT(reals); k++)
            if (isfinite(reals[k]))
                cli_text_format(out, ",%.9g", reals[k]);
            else
                cli_text_put(out, ",");
        cli_text_put(out, "\n");
    }
    out->failed |= epochs->failed;
}

void cli_epochs_plot(const cli_screen *screen, cli_text *out, cli_epochs *epochs)
{
    enum { ROWS = 12, LABELS = 6 };
    size_t count = 0;
    if (epochs->count) qsort(epochs->list, epochs->count, sizeof *epochs->list, by_network);
    while (count < epochs->count && !epochs->list[count].fold &&
           epochs->list[count].member == epochs->list[0].member)
        count++;
    if (count < 2) return; /* a point is no curve */
    double *losses = malloc(2 * count * sizeof *losses);
    if (!losses) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        losses[i] = epochs->list[i].train_loss;
        losses[count + i] = epochs->list[i].valid_loss;
    }
    const chart_series drawn[] = {{"loss of training", losses, count, 0, CHART_LINE},
                                  {"loss to stop by", losses + count, count, 0, CHART_THICK}};
    chart_label labels[LABELS];
    for (size_t i = 0; i < LABELS; i++) {
        labels[i].at = (long)(i * (count - 1) / (LABELS - 1));
        (void)snprintf(labels[i].text, sizeof labels[i].text, "%u", epochs->list[labels[i].at].epoch);
    }
    const cli_chart chart = {.title = "losses by epoch",
                             .series = drawn,
                             .series_count = NORN_COUNT(drawn),
                             .labels = labels,
                             .label_count = LABELS,
                             .rows = ROWS};
    cli_text_put(out, "\n");
    chart_draw(screen, out, &chart);
    free(losses);
}

void cli_epochs_free(cli_epochs *epochs)
{
    free(epochs->list);
    *epochs = (cli_epochs){NULL, 0, 0, false};
}
