/*
 * norn: finds the command in a table and runs it.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {
    &cli_forecast_command, &cli_train_command, &cli_backtest_command, &cli_leak_command, &cli_report_command,
    &cli_inspect_command,  &cli_cell_command,  &cli_devices_command,  &cli_tune_command};

static void print_help(FILE *to)
{
    (void)fputs("Usage: norn COMMAND [OPTION...]\n\n"
                "Forecasts time series with recurrent networks on any OpenCL device.\n\n"
                "Commands:\n",
                to);
    for (size_t i = 0; i < NORN_COUNT(commands); i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)fputs("\nOptions:\n"
                "  -h, --help     this help; norn COMMAND --help for a command's\n"
                "  -V, --version  the version\n"
                "  --profile      with any command: where the time went, at the end\n"
                "  --profile-json FILE\n"
                "                 the same as JSON\n\n"
                "Exit codes: 0 done, 64 bad usage, 65 bad data, 66 no input, 69 no device,\n"
                "70 internal, 71 out of memory, 73 cannot create the output, 74 cannot write,\n"
                "130 interrupted, 143 terminated.\n",
                to);
}

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < NORN_COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[NORN_COUNT(commands) + 1] = {NULL};
    char quoted[80];
    for (size_t i = 0; i < NORN_COUNT(commands); i++) names[i] = commands[i]->name;
    const char *closest = name[0] == '-' ? NULL : norn_closest(name, names);
    (void)norn_quote(quoted, sizeof quoted, name, strlen(name), 40);
    if (closest)
        cli_error("unknown command \"%s\"; did you mean %s? (norn --help)", quoted, closest);
    else
        cli_error("unknown %s \"%s\" (norn --help)", name[0] == '-' ? "option" : "command", quoted);
    return EXIT_USAGE;
}

static int dispatch(cli_state *cli, int argc, const char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    if (!first) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        (void)printf("norn %s\n", norn_version());
        return cli_close_stdout(EXIT_FINE);
    }
    const bool help = strcmp(first, "help") == 0;
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || (help && argc == 2)) {
        print_help(stdout);
        return cli_close_stdout(EXIT_FINE);
    }
    const char *name = help ? argv[2] : first;
    const cli_command *command = find_command(name);
    if (!command) return unknown(name);
    if (help) {
        const char *arguments[] = {name, "--help", NULL};
        return command->run(cli, command, 2, arguments);
    }
    return command->run(cli, command, argc - 1, argv + 1);
}

/* A descriptor 0, 1 or 2 that is closed would be given to the next file opened, and results or messages would
 * be written into it. /dev/null opened the wrong way round keeps the place and refuses the use. */
static void hold_standard_files(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0) (void)open("/dev/null", modes[i]);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    /* PoCL 3.1 would otherwise skip integer divisions by zero in the whole process, ours too. */
    (void)setenv("POCL_SIGFPE_HANDLER", "0", 0);

    cli_state cli = {.host = NORN_HOST_INIT, .err = NORN_ERROR_INIT, .screen = cli_screen_find()};
    norn_cancel *cancel = NULL;
    if (norn_cancel_new(&cancel) != NORN_OK) {
        cli_error("out of memory");
        return EXIT_MEMORY;
    }
    const char *debug = getenv("NORN_DEBUG");
    cli.debug = debug && debug[0] && strcmp(debug, "0") != 0;
    cli.host.user = &cli;
    cli.host.log = cli_log;
    cli.host.progress = cli_progress_draw;
    cli.host.cancel = cancel;
    cli_signals_install(cancel);

    cli_profile profile;
    int code = cli_profile_begin(&cli, &profile, &argc, (const char **)argv);
    if (code == EXIT_FINE) code = cli_profile_end(&cli, &profile, dispatch(&cli, argc, (const char **)argv));
    cli_signals_install(NULL);
    norn_cancel_free(cancel);
    return code;
}
