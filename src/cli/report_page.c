/* See report_page.h. */
#include "cli/report_page.h"

#include "base/base.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

/* "norn backtest 'my file.csv' --folds 20": to be typed again. */
static void put_command(norn_text *out, const cli_page *page)
{
    norn_text_format(out, "norn %s", page->command);
    for (int i = 1; i < page->argc; i++) {
        norn_text_put(out, " ");
        norn_text_shell(out, page->argv[i]);
    }
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int cli_page_write(cli_state *cli, const char *path, bool markdown, const norn_table *table,
                   const norn_backtest *backtest, const cli_page *page)
{
    norn_report_options options = NORN_REPORT_OPTIONS_INIT;
    norn_text command = norn_text_new(&cli->host);
    char hash[NORN_REPORT_HASH], device[512], *text = NULL;
    const bool stream = strcmp(page->input, "-") == 0;
    size_t length = 0;
    int code = EXIT_FINE;
    put_command(&command, page);
    options.title = stream ? "standard input" : file_name(page->input);
    options.source = stream ? "standard input" : page->input;
    options.command = command.bytes;
    options.forecasts = page->forecasts;
    options.with_times = page->with_times;
    if (page->context) {
        const norn_device_info *info = norn_context_device(page->context);
        const char *tuning = norn_context_tuning(page->context);
        (void)snprintf(device, sizeof device, "%s, %s, driver %s%s%s", info->name, info->platform_version,
                       info->driver, *tuning ? ", tuning " : "", tuning);
        options.device = device;
    }
    /* What was read from a pipe is gone. */
    if (!stream && norn_report_hash_file(hash, page->input, &cli->err) == NORN_OK)
        options.hash = hash;
    else
        cli->err = (norn_error)NORN_ERROR_INIT;
    if ((markdown ? norn_report_markdown : norn_report_html)(&text, &length, table, backtest, &options,
                                                             &cli->host, &cli->err) == NORN_OK) {
        const cli_text whole = {text, length, length + 1, command.failed};
        code = cli_output_write(path, &whole);
    } else {
        code = cli_fail(cli);
    }
    norn_report_free(text, length, &cli->host);
    norn_text_free(&command);
    return code;
}
