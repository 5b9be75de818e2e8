/*
 * norn train FILE --save MODEL: trains the networks of `norn forecast` and keeps them in a file.
 *
 * The model goes to --save, whole or not at all; what was decided, how the training went and how good it is
 * go to stderr. Nothing is written to stdout.
 */
#include "cli/network_run.h"

#include "base/base.h"

#include <string.h>

typedef struct train_flags {
    cli_table_flags data;
    cli_network_flags network;
    const char *save, *log;
    bool plot, quiet, debug;
} train_flags;

#define AT(field) offsetof(train_flags, field)

static const cli_option options[] = {
    {CLI_GROUP, "Output:", 0, 0, 0, 0, NULL, NULL, NULL},
    {CLI_TEXT, "save", 'o', AT(save), 0, 0, NULL, "FILE",
     "Where the model goes, whole or not at all: a name that ends in .safetensors is usual"},
    {CLI_TEXT, "log", 0, AT(log), 0, 0, NULL, "FILE",
     "Rate, losses and norm of the gradient of every epoch of every network, as CSV"},
    {CLI_FLAG, "plot", 0, AT(plot), 0, 0, NULL, NULL, "Draw the losses by epoch, on standard error"},
    {CLI_FLAG, "quiet", 'q', AT(quiet), 0, 0, NULL, NULL,
     "Nothing on standard error but errors, and the --plot asked for"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL,
     "What the library logs, and whole build logs of kernels"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

static int check(const train_flags *given, const char *input)
{
    if (!given->save) {
        cli_error("where should the model go? (--save model.safetensors)");
        return EXIT_USAGE;
    }
    if (!given->save[0] || (given->save[0] == '-' && !given->save[1])) {
        cli_error("--save: a model goes to a file, not to a stream");
        return EXIT_USAGE;
    }
    /* a run of minutes must not end in a file that could never be made */
    const cli_named_file files[] = {
        {"--log", given->log}, {"--save", given->save}, {"--checkpoint", given->network.options.checkpoint}};
    return cli_files_check(input, files, NORN_COUNT(files));
}

static void report_saved(const cli_state *cli, cli_text *notes, const norn_model *model, const char *path)
{
    const norn_model_facts facts = norn_model_facts_of(model);
    char text[320], name[160];
    (void)snprintf(text, sizeof text, "\"%s\": %zu member%s of %zu parameters, %zu series",
                   norn_quote(name, sizeof name, path, strlen(path), 120), facts.members,
                   facts.members == 1 ? "" : "s", facts.parameters, facts.series);
    const norn_decision line = {"model", text, "--save", NULL};
    cli_report_decisions(&cli->screen, notes, &line, 1);
}

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    train_flags given = {.data = CLI_TABLE_FLAGS_INIT, .network = CLI_NETWORK_FLAGS_INIT};
    cli_arguments arguments;
    cli_text notes = {NULL, 0, 0, false};
    norn_table *table = NULL;
    norn_context *context = NULL;
    norn_forecast *forecast = NULL;
    norn_model *model = NULL;
    cli_epochs epochs = {NULL, 0, 0, false};
    const char *input = NULL;

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    if ((code = cli_table_check(command, &arguments, &given.data, NULL, &input)) != EXIT_FINE) goto done;
    if ((code = check(&given, input)) != EXIT_FINE) goto done;
    cli->quiet = given.quiet;
    cli->debug |= given.debug;
    if ((code = cli_network_settle(&given.network)) != EXIT_FINE) goto done;
    code = cli_network_open(cli, &table, &context, input, &given.data, &given.network);
    if (code != EXIT_FINE) goto done;
    given.network.options.consume_past = 1;

    if (given.log || given.plot) {
        given.network.options.on_epoch = cli_epochs_add;
        given.network.options.epoch_user = &epochs;
    }
    const double begin = norn_seconds();
    if (norn_model_train(&model, &forecast, context, table, &given.network.options, &cli->host, &cli->err) !=
        NORN_OK)
        goto failed;
    cli_progress_clear(cli);
    cli_signals_keep();
    if (cli_signal_caught()) goto failed;
    if (norn_model_write(model, given.save, &cli->err) != NORN_OK) goto failed;
    if (!cli->quiet) {
        cli_network_report(cli, &notes, table, forecast, norn_seconds() - begin);
        report_saved(cli, &notes, model, given.save);
        cli_tell(&notes);
    }
    if (given.log) {
        cli_text log = {NULL, 0, 0, false};
        cli_epochs_csv(&log, &epochs);
        code = cli_output_write(given.log, &log);
        cli_text_free(&log);
    }
    if (given.plot) {
        cli_epochs_plot(&cli->screen, &notes, &epochs);
        cli_tell(&notes);
    }
    goto done;

failed:
    cli_text_free(&notes);
    code = cli_network_fail(cli, &given.network.options, command, argc, argv);
done:
    cli_text_free(&notes);
    cli_epochs_free(&epochs);
    norn_model_free(model);
    norn_forecast_free(forecast);
    norn_context_free(context);
    norn_table_free(table);
    cli_arguments_free(&arguments);
    return code;
}

static const cli_shared shared[] = CLI_NETWORK_SHARED(train_flags);

const cli_command cli_train_command = {
    .name = "train",
    .summary = "train networks on a CSV file and keep them in a model file",
    .operands = "FILE",
    .before = "Trains the networks of norn forecast on a CSV file (- is standard input), scores\n"
              "them on its last rows, and keeps them in a file. norn forecast --model forecasts\n"
              "new rows by it without training; norn inspect says what is in it.\n\n",
    .after = "\nExamples:\n"
             "  norn train sales.csv --save sales.safetensors\n"
             "  norn forecast later.csv --model sales.safetensors\n"
             "  norn train load.csv --past '*' --members 10 --save load.safetensors\n",
    .options = options,
    .shared = shared,
    .run = run,
};
