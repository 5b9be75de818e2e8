/*
 * --profile and --profile-json, which every command takes: where the time went, on stderr at the end, and as
 * JSON. Its flags are taken out of the command line before a command reads it.
 */
#include "cli/cli.h"

#include "norn/profile.h"

#include <stdlib.h>
#include <string.h>

static const char text_flag[] = "--profile", json_flag[] = "--profile-json";

int cli_profile_begin(cli_state *cli, cli_profile *profile, int *argc, const char **argv)
{
    const size_t length = strlen(json_flag);
    int kept = 1, at = 1;
    *profile = (cli_profile){false, NULL};
    for (; at < *argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], text_flag) == 0) {
            profile->text = true;
        } else if (strncmp(argv[at], json_flag, length) == 0 && argv[at][length] == '=') {
            profile->json = argv[at] + length + 1;
        } else if (strcmp(argv[at], json_flag) == 0) {
            if (at + 1 == *argc) {
                cli_error("%s needs a value: the file to write (norn --help)", json_flag);
                return EXIT_USAGE;
            }
            profile->json = argv[++at];
        } else {
            argv[kept++] = argv[at];
        }
    }
    for (; at < *argc; at++) argv[kept++] = argv[at];
    argv[kept] = NULL;
    *argc = kept;
    if (!profile->text && !profile->json) return EXIT_FINE;
    if (profile->json && strcmp(profile->json, "-") == 0) {
        cli_error("%s: results go to standard output; name a file", json_flag);
        return EXIT_USAGE;
    }
    const int code = profile->json ? cli_output_check(profile->json) : EXIT_FINE;
    if (code != EXIT_FINE) return code;
    if (norn_profile_new(&cli->host.profile, NULL, &cli->err) != NORN_OK) return cli_fail(cli);
    return EXIT_FINE;
}

/* "12.3 ms", as wide as any. */
static void put_time(cli_text *out, double seconds)
{
    if (seconds >= 1.0)
        cli_text_format(out, "%9.2f s ", seconds);
    else if (seconds >= 1e-3)
        cli_text_format(out, "%9.2f ms", 1e3 * seconds);
    else
        cli_text_format(out, "%9.2f us", 1e6 * seconds);
}

static void put_rate(cli_text *out, double amount, double seconds)
{
    if (amount > 0.0 && seconds > 0.0)
        cli_text_format(out, "%9.2f", 1e-9 * amount / seconds);
    else
        cli_text_format(out, "%9s", "");
}

static void write_text(const cli_state *cli, cli_text *out, const norn_profile_row *rows, size_t count,
                       double total)
{
    const char *const dim = cli_paint_on(&cli->screen, PAINT_DIM), *const off = cli_paint_off(&cli->screen);
    double named = 0.0;
    int wide = 22;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == NORN_PROFILE_PART) named += rows[i].seconds;
        if (cli_columns(rows[i].name) > wide) wide = cli_columns(rows[i].name);
    }
    cli_text_format(out, "\n%s%-*s %9s %11s %7s%s\n", dim, wide, "where the time went", "calls", "time",
                    "share", off);
    bool kernels = false;
    for (size_t i = 0; i < count; i++) {
        const norn_profile_row *row = &rows[i];
        if (row->kind == NORN_PROFILE_KERNEL && !kernels) {
            cli_text_format(out, "%s%-*s %9s %11s %7s %9s%9s%s\n", dim, wide, "on the device", "launches",
                            "time", "share", "GF/s", "GB/s", off);
            kernels = true;
        }
        cli_text_pad(out, row->name, -wide);
        cli_text_format(out, " %9llu ", (unsigned long long)row->calls);
        put_time(out, row->seconds);
        cli_text_format(out, " %5.1f %%", 100.0 * row->seconds / total);
        if (kernels) {
            cli_text_put(out, " ");
            put_rate(out, row->operations, row->seconds);
            put_rate(out, row->bytes, row->seconds);
        }
        cli_text_put(out, "\n");
        const bool last = i + 1 == count || rows[i + 1].kind == NORN_PROFILE_KERNEL;
        if (kernels || !last) continue;
        cli_text_pad(out, "elsewhere", -wide);
        cli_text_format(out, " %9s ", "");
        put_time(out, total - named);
        cli_text_format(out, " %5.1f %%\n", 100.0 * (total - named) / total);
        cli_text_pad(out, "in all", -wide);
        cli_text_format(out, " %9s ", "");
        put_time(out, total);
        cli_text_put(out, "\n");
    }
}

static json_t *rows_json(const norn_profile_row *rows, size_t count, norn_profile_kind kind)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind != kind) continue;
        json_t *row = json_object();
        json_object_set_new(row, "name", cli_json_text(rows[i].name));
        json_object_set_new(row, "calls", json_integer((json_int_t)rows[i].calls));
        json_object_set_new(row, "seconds", cli_json_real(rows[i].seconds));
        if (kind == NORN_PROFILE_KERNEL) {
            json_object_set_new(row, "operations", cli_json_real(rows[i].operations));
            json_object_set_new(row, "bytes", cli_json_real(rows[i].bytes));
        }
        json_array_append_new(array, row);
    }
    return array;
}

static void write_json(cli_text *out, const norn_profile_row *rows, size_t count, double total)
{
    json_t *root = json_object();
    json_object_set_new(root, "norn", json_string(norn_version()));
    json_object_set_new(root, "seconds", cli_json_real(total));
    json_object_set_new(root, "parts", rows_json(rows, count, NORN_PROFILE_PART));
    json_object_set_new(root, "kernels", rows_json(rows, count, NORN_PROFILE_KERNEL));
    cli_text_put_json(out, root, 0);
}

int cli_profile_end(cli_state *cli, const cli_profile *profile, int code)
{
    if (!cli->host.profile) return code;
    cli_text out = {NULL, 0, 0, false};
    size_t count = 0;
    const double total = norn_profile_seconds(cli->host.profile);
    const norn_profile_row *rows = norn_profile_rows(cli->host.profile, &count);
    if (profile->text) {
        write_text(cli, &out, rows, count, total);
        if (out.length) (void)fwrite(out.bytes, 1, out.length, stderr);
        cli_text_free(&out);
    }
    if (profile->json) {
        write_json(&out, rows, count, total);
        const int written = cli_output_write(profile->json, &out);
        if (code == EXIT_FINE) code = written;
        cli_text_free(&out);
    }
    norn_profile_free(cli->host.profile);
    cli->host.profile = NULL;
    return code;
}
