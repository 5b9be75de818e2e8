/* Devices as commands open them: see tuning.h. */
#include "cli/tuning.h"

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

/* A folder of the XDG Base Directory Specification: of the variable, which counts only where it is absolute,
 * else below HOME. "": neither says. */
static const char *folder(char out[CLI_PATH], const char *variable, const char *below_home, const char *name)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int length = 0;
    out[0] = '\0';
    if (base && base[0] == '/')
        length = snprintf(out, CLI_PATH, "%s/%s", base, name);
    else if (home && home[0] == '/')
        length = snprintf(out, CLI_PATH, "%s/%s/%s", home, below_home, name);
    if (length < 0 || length >= CLI_PATH) out[0] = '\0';
    return out;
}

const char *cli_tuning_path(const norn_device_info *device, char out[CLI_PATH])
{
    char name[NORN_TUNING_NAME], folder_name[CLI_PATH];
    if (!*folder(folder_name, "XDG_CONFIG_HOME", ".config", "norn")) {
        out[0] = '\0';
        return out;
    }
    const int length =
        snprintf(out, CLI_PATH, "%.4000s/%s", folder_name, norn_tuning_file_name(device, name));
    if (length < 0 || length >= CLI_PATH) out[0] = '\0';
    return out;
}

/* What was found, not named, and cannot be used: said once, and left out. */
static void leave_out(cli_state *cli, const char *path)
{
    cli_text line = {NULL, 0, 0, false};
    norn_error *err = &cli->err;
    cli_error_at(&line, path, err->line, err->column, err->message);
    /* the same words, as a warning */
    char *word = line.failed ? NULL : strstr(line.bytes, ": error: ");
    if (!line.failed && word)
        (void)fprintf(stderr, "norn: warning: the tuning is left out: %.*s: %s", (int)(word - line.bytes),
                      line.bytes, word + strlen(": error: "));
    cli_text_free(&line);
    *err = (norn_error)NORN_ERROR_INIT;
}

int cli_context_open(cli_state *cli, norn_context **out, const norn_context_options *options,
                     const char *tuning, char used[CLI_PATH])
{
    norn_context_options with = *options;
    norn_context *context = NULL;
    norn_tuning *found = NULL;
    char programs[CLI_PATH];
    const char *keep = getenv("NORN_PROGRAM_CACHE"), *from = getenv("NORN_TUNING");
    int code = EXIT_FINE;
    used[0] = '\0';
    if (!tuning && from && from[0]) tuning = from;
    const bool named = tuning != NULL;
    if (!keep || strcmp(keep, "none") != 0) {
        with.programs_always = keep && strcmp(keep, "always") == 0;
        if (*folder(programs, "XDG_CACHE_HOME", ".cache", "norn")) with.programs = programs;
    }
    if (named && strcmp(tuning, "none") != 0) {
        if (norn_tuning_read(&found, tuning, &cli->host, &cli->err) != NORN_OK) return cli_fail(cli);
        (void)snprintf(used, CLI_PATH, "%s", tuning);
    }
    if (norn_context_new(&context, &with, &cli->host, &cli->err) != NORN_OK) {
        code = cli_fail(cli);
        goto done;
    }
    cli_signals_keep();
    if (!named && *cli_tuning_path(norn_context_device(context), used)) {
        const norn_status status = norn_tuning_read(&found, used, &cli->host, &cli->err);
        if (status != NORN_OK && status != NORN_ERR_INPUT) leave_out(cli, used);
        cli->err = (norn_error)NORN_ERROR_INIT; /* mostly, there is none */
    }
    if (found && norn_context_tune(context, found, &cli->err) != NORN_OK) {
        if (named) {
            code = cli_fail(cli);
            goto done;
        }
        leave_out(cli, used);
        norn_tuning_free(found);
        found = NULL;
    }
    if (!found) used[0] = '\0';
    *out = context;
    context = NULL;
done:
    norn_tuning_free(found);
    norn_context_free(context);
    return code;
}
