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

void cli_error_at(cli_text *out, const char *file, uint64_t line, uint64_t column, const char *message)
{
    char name[512];
    (void)norn_quote(name, sizeof name, file, strlen(file), sizeof name - 16);
    if (!name[0])
        cli_text_put(out, "norn");
    else if (line && column)
        cli_text_format(out, "%s:%llu:%llu", name, (unsigned long long)line, (unsigned long long)column);
    else if (line)
        cli_text_format(out, "%s:%llu", name, (unsigned long long)line);
    else
        cli_text_put(out, name);
    cli_text_format(out, ": error: %s\n", message);
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

    cli_text line = {NULL, 0, 0, false};
    cli_error_at(&line, err->file, err->line, err->column,
                 err->message[0] ? err->message : norn_status_name(err->status));
    if (!line.failed) (void)fputs(line.bytes, stderr);
    cli_text_free(&line);
    print_log(cli, err->log);
    return cli_exit_of(err);
}
