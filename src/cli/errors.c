/*
 * Errors as one line on stderr, and the exit code each stands for.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <stdarg.h>
#include <string.h>

void cli_error(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "norn: error: %s\n", text);
}

static const struct {
    norn_status status;
    cli_exit code;
} codes[] = {
    {NORN_OK, EXIT_FINE},
    {NORN_ERR_USAGE, EXIT_USAGE},
    {NORN_ERR_DATA, EXIT_DATA},
    {NORN_ERR_INPUT, EXIT_NO_INPUT},
    {NORN_ERR_OUTPUT, EXIT_IO},
    {NORN_ERR_MEMORY, EXIT_MEMORY},
    {NORN_ERR_DEVICE, EXIT_NO_DEVICE},
    {NORN_ERR_OPENCL, EXIT_NO_DEVICE},
    {NORN_ERR_BUILD, EXIT_INTERNAL},
    {NORN_ERR_CANCELLED, EXIT_INTERRUPTED},
    {NORN_ERR_NUMERIC, EXIT_INTERNAL},
    {NORN_ERR_INTERNAL, EXIT_INTERNAL},
};

int cli_exit_of(const norn_error *err)
{
    /* The codes of OpenCL that mean memory: allocation failure of an object, and of the host. */
    enum { MEM_OBJECT_ALLOCATION_FAILURE = -4, OUT_OF_HOST_MEMORY = -6 };
    if (err->status == NORN_ERR_OPENCL &&
        (err->code == MEM_OBJECT_ALLOCATION_FAILURE || err->code == OUT_OF_HOST_MEMORY))
        return EXIT_MEMORY;
    for (size_t i = 0; i < NORN_COUNT(codes); i++)
        if (codes[i].status == err->status) return (int)codes[i].code;
    return EXIT_INTERNAL;
}

/* The build log of a kernel: its first line always, all of it with --debug. */
static void print_log(const cli_state *cli, const char *log)
{
    while (*log == '\n' || *log == '\r') log++;
    if (!*log) return;
    if (cli->debug) {
        (void)fprintf(stderr, "%s%s", log, log[strlen(log) - 1] == '\n' ? "" : "\n");
        return;
    }
    const size_t length = strcspn(log, "\r\n");
    const bool more = log[length + strspn(log + length, "\r\n")] != '\0';
    (void)fprintf(stderr, "  %.*s\n%s", (int)length, log,
                  more ? "  (--debug prints the whole build log)\n" : "");
}

int cli_fail(cli_state *cli)
{
    const norn_error *err = &cli->err;
    cli_progress_clear(cli);

    /* Whatever an interrupted call reports, the signal is the reason. */
    const int number = cli_signal_caught();
    if (number) {
        (void)fputs("norn: interrupted; nothing was written\n", stderr);
        return 128 + number;
    }

    char file[sizeof err->file];
    (void)norn_quote(file, sizeof file, err->file, strlen(err->file), sizeof file - 16);
    if (file[0] && err->line && err->column)
        (void)fprintf(stderr, "%s:%llu:%llu: error: %s\n", file, (unsigned long long)err->line,
                      (unsigned long long)err->column, err->message);
    else if (file[0] && err->line)
        (void)fprintf(stderr, "%s:%llu: error: %s\n", file, (unsigned long long)err->line, err->message);
    else if (file[0])
        (void)fprintf(stderr, "%s: error: %s\n", file, err->message);
    else
        (void)fprintf(stderr, "norn: error: %s\n",
                      err->message[0] ? err->message : norn_status_name(err->status));
    print_log(cli, err->log);
    return cli_exit_of(err);
}
