/* Around a training: see network_run.h. */
#include "cli/network_run.h"

#include "base/base.h"

#include <string.h>

void cli_tell(cli_text *text)
{
    if (text->length) (void)fwrite(text->bytes, 1, text->length, stderr);
    cli_text_free(text);
}

static void report_device(const cli_state *cli, cli_text *out, const norn_device_info *device)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s, %u compute units", device->name, device->compute_units);
    const norn_decision decision = {"device", text, "--device", NULL};
    cli_report_decisions(&cli->screen, out, &decision, 1);
}

int cli_network_open(cli_state *cli, norn_table **table, norn_context **context, const char *input,
                     const cli_table_flags *data, const norn_context_options *device)
{
    cli_text notes = {NULL, 0, 0, false};
    size_t count = 0;
    const int code = cli_table_read(cli, table, input, data);
    if (code != EXIT_FINE) return code;
    const norn_decision *decisions = norn_table_decisions(*table, &count);
    cli_report_decisions(&cli->screen, &notes, decisions, count);
    if (norn_context_new(context, device, &cli->host, &cli->err) != NORN_OK) {
        cli_text_free(&notes);
        return cli_fail(cli);
    }
    cli_signals_keep();
    report_device(cli, &notes, norn_context_device(*context));
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
    if (!kept) return cli_fail(cli);
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

/* The names of a model's columns of one role as a flag takes them. In a list, a comma and what is a pattern
 * become "?", which stands for any character; of texts as inputs (column=text) the column is named once. */
static void put_names(cli_text *out, const norn_model *model, norn_column_role role)
{
    const norn_model_facts facts = norn_model_facts_of(model);
    const bool inputs = role != NORN_ROLE_TIME && role != NORN_ROLE_ID && role != NORN_ROLE_TARGET;
    char last[256] = "";
    for (size_t c = 0; c < facts.columns; c++) {
        const char *name = norn_model_column_name(model, c), *equals = inputs ? strchr(name, '=') : NULL;
        if (norn_model_column_role(model, c) != role) continue;
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
                cli_given(command, arguments, row->name)) {
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
