/*
 * norn devices: which OpenCL platforms and devices there are, which one will be used and why; with --test,
 * whether its kernels compute what the host computes.
 */
#include "cli/cli.h"

#include "base/base.h"
#include "cli/tuning.h"

#include <stdlib.h>
#include <string.h>

typedef struct devices_flags {
    norn_context_options context;
    bool test, json, debug;
    const char *tuning;
} devices_flags;

#define AT(field) offsetof(devices_flags, field)

static const cli_option options[] = {
    {CLI_FLAG, "test", 0, AT(test), 0, 0, NULL, NULL,
     "Build every kernel and compare it with the same computed on the host; exit code 70 if one differs"},
    {CLI_TEXT, "device", 0, AT(context.device), 0, 0, NULL, "P:D|NAME",
     "The device to test. Default: the one marked *"},
    CLI_TUNING_ROW(AT(tuning)),
    {CLI_FLAG, "json", 0, AT(json), 0, 0, NULL, NULL, "One JSON object"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL,
     "What the library logs, and whole build logs of kernels"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

static const char *const type_words[] = {
    [NORN_DEVICE_CPU] = "CPU", [NORN_DEVICE_GPU] = "GPU", [NORN_DEVICE_ACCELERATOR] = "accelerator"};

/* ---- listing ---------------------------------------------------------------------------------------------
 */

static const char *bytes_text(char *out, size_t size, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024.0 && unit + 1 < NORN_COUNT(units); unit++) value /= 1024.0;
    (void)snprintf(out, size, "%.*f %s", value < 9.95 && unit ? 1 : 0, value, units[unit]);
    return out;
}

/* A platform a heading, a device a line; a device's reason stands below it. */
static void list(cli_text *out, const norn_device_info *devices, size_t count)
{
    int name_columns = 6;
    for (size_t i = 0; i < count; i++)
        if (cli_columns(devices[i].name) > name_columns) name_columns = cli_columns(devices[i].name);
    for (size_t i = 0; i < count; i++) {
        const norn_device_info *device = &devices[i];
        char id[32], memory[24], largest[24];
        if (i == 0 || device->platform != devices[i - 1].platform)
            cli_text_format(out, "%s%s (%s)\n", i ? "\n" : "", device->platform_name,
                            device->platform_version);
        (void)snprintf(id, sizeof id, "%d:%d", device->platform, device->device);
        cli_text_format(out, "  %c %-5s ", device->chosen ? '*' : ' ', id);
        cli_text_pad(out, type_words[device->type], -12);
        cli_text_pad(out, device->name, -name_columns);
        cli_text_format(out, "  %u compute units, vectors of %u, %s in buffers up to %s\n",
                        device->compute_units, device->vector_width,
                        bytes_text(memory, sizeof memory, device->memory),
                        bytes_text(largest, sizeof largest, device->largest_buffer));
        if (device->chosen)
            cli_text_format(out, "            will be used: %s\n", device->reason);
        else if (!device->usable)
            cli_text_format(out, "            cannot be used: %s\n", device->reason);
    }
}

static json_t *device_json(const norn_device_info *device)
{
    json_t *object = json_object();
    char id[32];
    (void)snprintf(id, sizeof id, "%d:%d", device->platform, device->device);
    json_object_set_new(object, "id", json_string(id));
    json_object_set_new(object, "platform", cli_json_text(device->platform_name));
    json_object_set_new(object, "platform_version", cli_json_text(device->platform_version));
    json_object_set_new(object, "name", cli_json_text(device->name));
    json_object_set_new(object, "vendor", cli_json_text(device->vendor));
    json_object_set_new(object, "driver", cli_json_text(device->driver));
    json_object_set_new(object, "type", json_string(type_words[device->type]));
    json_object_set_new(object, "compute_units", json_integer(device->compute_units));
    json_object_set_new(object, "memory", json_integer((json_int_t)device->memory));
    json_object_set_new(object, "largest_buffer", json_integer((json_int_t)device->largest_buffer));
    json_object_set_new(object, "largest_group", json_integer((json_int_t)device->largest_group));
    json_object_set_new(object, "vector_width", json_integer(device->vector_width));
    json_object_set_new(object, "usable", json_boolean(device->usable));
    json_object_set_new(object, "chosen", json_boolean(device->chosen));
    json_object_set_new(object, "reason", cli_json_text(device->reason));
    return object;
}

/* ---- the self-test
 * ----------------------------------------------------------------------------------------- */

typedef struct self_test {
    json_t *lines; /* NULL: printed as they come */
    size_t count, failed;
} self_test;

static void test_line(void *user, const char *what, double error, double bound, int passed)
{
    self_test *const test = user;
    test->count++;
    test->failed += !passed;
    if (!test->lines) {
        cli_text line = {NULL, 0, 0, false};
        cli_text_put(&line, "  ");
        cli_text_pad(&line, what, -62);
        cli_text_format(&line, "  off by %8.2e, allowed %8.2e  %s\n", error, bound, passed ? "ok" : "FAILED");
        if (!line.failed) (void)fputs(line.bytes, stdout);
        (void)fflush(stdout);
        cli_text_free(&line);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "what", cli_json_text(what));
    json_object_set_new(object, "error", cli_json_real(error));
    json_object_set_new(object, "bound", cli_json_real(bound));
    json_object_set_new(object, "passed", json_boolean(passed));
    json_array_append_new(test->lines, object);
}

/* ---- the command -----------------------------------------------------------------------------------------
 */

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    devices_flags given = {.context = NORN_CONTEXT_OPTIONS_INIT};
    cli_arguments arguments;
    cli_text text = {NULL, 0, 0, false};
    norn_device_info *devices = NULL;
    size_t count = 0;
    norn_context *context = NULL;
    json_t *root = NULL;
    self_test test = {NULL, 0, 0};

    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    code = EXIT_FINE;
    if (arguments.operand_count) {
        cli_error("devices takes no operands (norn devices --help)");
        code = EXIT_USAGE;
        goto done;
    }
    cli->debug |= given.debug;

    if (norn_devices_list(&devices, &count, &cli->host, &cli->err) != NORN_OK) goto failed;
    /* Making a context says why there is none, and finds the device that is named. */
    if (given.test || given.context.device || count == 0) {
        char tuning[CLI_PATH];
        code = cli_context_open(cli, &context, &given.context, given.tuning, tuning);
        if (code != EXIT_FINE) goto done;
    }
    cli_signals_keep();

    if (given.json) {
        root = json_object();
        json_t *array = json_array();
        for (size_t i = 0; i < count; i++) json_array_append_new(array, device_json(&devices[i]));
        json_object_set_new(root, "norn", json_string(norn_version()));
        json_object_set_new(root, "devices", array);
        if (given.test) {
            test.lines = json_array();
            json_object_set_new(root, "self_test", test.lines);
        }
    } else {
        list(&text, devices, count);
        if (text.failed) {
            cli_error("out of memory for the list of devices");
            code = EXIT_MEMORY;
            goto done;
        }
        (void)fwrite(text.bytes, 1, text.length, stdout);
    }
    bool usable = false;
    for (size_t i = 0; i < count; i++) usable |= devices[i].usable;
    if (!usable) { /* listed with their reasons, but of no help */
        (void)fflush(stdout);
        if (!context && norn_context_new(&context, &given.context, &cli->host, &cli->err) != NORN_OK)
            goto failed;
    }
    if (given.test) {
        const norn_device_info *device = norn_context_device(context);
        if (!given.json)
            (void)printf("\nSelf-test of %d:%d %s\n", device->platform, device->device, device->name);
        const norn_status status = norn_self_test(context, test_line, &test, &cli->err);
        if (status != NORN_OK && (test.failed == 0 || status != NORN_ERR_NUMERIC)) {
            (void)fflush(stdout);
            goto failed;
        }
        if (test.failed) code = EXIT_INTERNAL;
        if (!given.json && test.failed)
            (void)printf("%zu of %zu comparisons FAILED\n", test.failed, test.count);
        if (!given.json && !test.failed) (void)printf("all %zu comparisons passed\n", test.count);
    }
    if (root) {
        char *dump = json_dumps(root, JSON_INDENT(1));
        if (dump) {
            (void)printf("%s\n", dump);
        } else {
            cli_error("out of memory for the output");
            code = EXIT_MEMORY;
        }
        free(dump);
    }
    code = cli_close_stdout(code);
    if (test.failed) cli_error("the self-test failed: do not trust this device's results");
    goto done;

failed:
    code = cli_fail(cli);
done:
    if (root) json_decref(root);
    cli_text_free(&text);
    norn_context_free(context);
    norn_devices_free(devices, count, &cli->host);
    cli_arguments_free(&arguments);
    return code;
}

const cli_command cli_devices_command = {
    .name = "devices",
    .summary = "list OpenCL devices, which one is used, and whether it computes right",
    .operands = "",
    .before = "Lists the OpenCL platforms and devices of this machine; * marks the one that is\n"
              "used unless --device names another.\n\n",
    .after = "",
    .options = options,
    .run = run,
};
