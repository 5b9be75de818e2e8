/*
 * norn cell: the recurrent cells that are known, one of them in detail, and the check of its gradients.
 */
#include "cli/cli.h"

#include "base/base.h"
#include "cell/stages.h"
#include "nn/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct cell_flags {
    size_t inputs, hidden, heads;
    uint64_t seed;
    bool kernel, reference, debug;
    norn_context_options context;
} cell_flags;

#define AT(field) offsetof(cell_flags, field)

static const cli_option options[] = {
    {CLI_SIZE, "inputs", 'i', AT(inputs), 1, 65536, NULL, "I", "Inputs that figures are for. Default: 1"},
    {CLI_SIZE, "hidden", 'H', AT(hidden), 1, 65536, NULL, "H",
     "Hidden units that figures are for. Default: 64"},
    {CLI_SIZE, "heads", 0, AT(heads), 1, 65536, NULL, "N", "Heads. Default: what the formula says, else 1"},
    {CLI_FLAG, "kernel", 0, AT(kernel), 0, 0, NULL, NULL,
     "With show: the OpenCL C that the formula becomes, and nothing else"},
    {CLI_UINT64, "seed", 0, AT(seed), 0, 0, NULL, "N", "With check: of the random numbers. Default: 1"},
    {CLI_FLAG, "reference", 0, AT(reference), 0, 0, NULL, NULL,
     "With check: no device, only the reference's gradients against finite differences"},
    {CLI_TEXT, "device", 0, AT(context.device), 0, 0, NULL, "P:D|NAME",
     "With check: the device. Default: the one marked * by norn devices"},
    {CLI_FLAG, "debug", 0, AT(debug), 0, 0, NULL, NULL,
     "What the library logs, and whole build logs of kernels"},
    {CLI_HELP, "help", 'h', 0, 0, 0, NULL, NULL, "This help"},
    {CLI_USAGE, "usage", 0, 0, 0, 0, NULL, NULL, "All options in short"},
    {CLI_END, NULL, 0, 0, 0, 0, NULL, NULL, NULL},
};

/* ---- reading ---------------------------------------------------------------------------------------------
 */

/* A whole file, up to a byte more than a formula may have. */
static norn_status read_file(const char *path, cli_text *text, norn_error *err)
{
    char block[4096];
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!in) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot open: %s", strerror(errno));
    size_t got = 1;
    while (text->length <= NORN_CELL_TEXT && (got = fread(block, 1, sizeof block, in)) > 0)
        cli_text_add(text, block, got);
    const bool failed = ferror(in) != 0;
    const int reason = errno;
    if (in != stdin) (void)fclose(in);
    if (failed) return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot read: %s", strerror(reason));
    return text->failed ? norn_fail(err, NORN_ERR_MEMORY, "out of memory for the formula") : NORN_OK;
}

/* A name of the list, else a file. A word that is neither is taken for a mistyped name. */
static norn_status read_cell(cli_state *cli, const char *word, norn_cell **cell)
{
    const char *names[128] = {NULL};
    const char *text = norn_cell_builtin_text(word);
    cli_text file = {NULL, 0, 0, false};
    if (text) return norn_cell_read(cell, text, strlen(text), word, &cli->host, &cli->err);
    norn_status status = read_file(word, &file, &cli->err);
    if (status == NORN_ERR_INPUT && !strpbrk(word, "/.")) {
        char quoted[80];
        for (size_t i = 0; i < norn_cell_builtin_count() && i + 1 < NORN_COUNT(names); i++)
            names[i] = norn_cell_builtin_name(i);
        const char *closest = norn_closest(word, names);
        (void)norn_quote(quoted, sizeof quoted, word, strlen(word), 40);
        cli->err = (norn_error)NORN_ERROR_INIT;
        status = closest
                     ? norn_fail(&cli->err, NORN_ERR_USAGE,
                                 "no cell and no file is called \"%s\"; did you mean %s? (norn cell list)",
                                 quoted, closest)
                     : norn_fail(&cli->err, NORN_ERR_USAGE,
                                 "no cell and no file is called \"%s\" (norn cell list)", quoted);
    }
    if (status == NORN_OK)
        status = norn_cell_read(cell, file.length ? file.bytes : "", file.length,
                                strcmp(word, "-") == 0 ? "standard input" : word, &cli->host, &cli->err);
    cli_text_free(&file);
    return status;
}

/* ---- the three -------------------------------------------------------------------------------------------
 */

/* The comment in front of a formula, as one line: who it is by. */
static void first_comment(cli_text *out, const char *text)
{
    bool begun = false;
    while (*text == '#') {
        const size_t length = strcspn(text, "\n");
        size_t skip = 1;
        while (skip < length && text[skip] == ' ') skip++;
        if (begun) cli_text_put(out, " ");
        cli_text_add(out, text + skip, length - skip);
        begun = true;
        text += length + (text[length] == '\n');
    }
}

static norn_status list(cli_state *cli, const char *word, const cell_flags *given, cli_text *out, int *code)
{
    (void)cli;
    (void)word;
    (void)given;
    (void)code;
    for (size_t i = 0; i < norn_cell_builtin_count(); i++) {
        const char *name = norn_cell_builtin_name(i);
        cli_text_pad(out, name, -28);
        first_comment(out, norn_cell_builtin_text(name));
        cli_text_put(out, "\n");
    }
    return NORN_OK;
}

static norn_status show(cli_state *cli, const char *word, const cell_flags *given, cli_text *out, int *code)
{
    norn_cell *cell = NULL;
    norn_cell_plan *plan = NULL;
    norn_cell_shape shape;
    norn_cell_text text = {0};
    (void)code;
    norn_status status = read_cell(cli, word, &cell);
    if (status == NORN_OK)
        status = norn_cell_bind(&shape, cell, given->inputs, given->hidden, given->heads, &cli->err);
    if (status == NORN_OK) status = norn_cell_plan_new(&plan, cell, &cli->err);
    if (status == NORN_OK && given->kernel)
        status = norn_cell_emit_either(plan, &shape, &text, &cli->err);
    else if (status == NORN_OK)
        status = norn_cell_describe(plan, &shape, &text, &cli->err);
    if (status == NORN_OK) {
        if (!given->kernel) {
            cli_text_add(out, cell->text, cell->length);
            cli_text_put(out, cell->length && cell->text[cell->length - 1] == '\n' ? "\n" : "\n\n");
        }
        cli_text_add(out, text.bytes, text.length);
    }
    if (cell) norn_cell_text_free(&cell->host, &text);
    norn_cell_plan_free(plan);
    norn_cell_free(cell);
    return status;
}

/* One line of the table. A value that is no number has failed. */
static void verdict_line(cli_text *out, const char *what, double worst, double allowed, const char *more,
                         int *code)
{
    const bool passed = worst <= allowed;
    cli_text_pad(out, what, -58);
    cli_text_format(out, "%9.1e %9.0e  %s%s\n", worst, allowed, passed ? "ok" : "FAILED", more);
    if (!passed) *code = EXIT_INTERNAL;
}

/* Central differences of step 1e-5 agree with exact gradients to some 1e-10 times third derivatives. */
static const double difference_bound = 1e-6;

static norn_status check_reference(cli_state *cli, const norn_cell_shape *shape, uint64_t seed, cli_text *out,
                                   int *code)
{
    norn_cell_verdict verdict;
    char more[128];
    const norn_status status = norn_cell_check(&verdict, shape, 4, 2, seed, &cli->err);
    if (status != NORN_OK) return status;
    (void)snprintf(more, sizeof more, "  %zu compared, %zu skipped at kinks; largest of %s", verdict.compared,
                   verdict.skipped, verdict.where);
    verdict_line(out, "reference: gradients, finite differences", verdict.worst, difference_bound, more,
                 code);
    return NORN_OK;
}

/* Two layers over a few windows: the kernels as a training has them. Bounds: some hundred times the rounding
 * of float32, as for the self-test of a device (norn devices --test). */
static norn_status check_device(cli_state *cli, norn_context *context, const norn_cell *cell,
                                const cell_flags *given, cli_text *out, int *code)
{
    static const char *const paths[] = {
        [NORN_PATH_SEQUENCE] = "one launch", [NORN_PATH_STAGE] = "large products"};
    norn_status status = NORN_OK;
    for (int path = NORN_PATH_SEQUENCE; path <= NORN_PATH_STAGE && status == NORN_OK; path++) {
        const norn_network_shape shape = {.inputs = given->inputs,
                                          .hidden = given->hidden,
                                          .layers = 2,
                                          .window = 6,
                                          .horizon = 3,
                                          .batch = 5,
                                          .members = 1,
                                          .path = (norn_path)path,
                                          .cell = cell};
        norn_network_comparison got;
        status = norn_compare_network(context, &shape, 4, given->seed, &got, &cli->err);
        if (status != NORN_OK) break;
        const struct {
            const char *what;
            double worst, allowed;
        } lines[] = {{"forecast", got.output, 2e-5},
                     {"loss", got.loss, 2e-5},
                     {"gradients", got.gradient, 1e-4},
                     {"three steps of Adam", got.update, 1e-3}};
        for (size_t i = 0; i < NORN_COUNT(lines); i++) {
            char what[96];
            (void)snprintf(what, sizeof what, "kernels, %s: %s", paths[path], lines[i].what);
            verdict_line(out, what, lines[i].worst, lines[i].allowed, "", code);
        }
    }
    return status;
}

static norn_status check(cli_state *cli, const char *word, const cell_flags *given, cli_text *out, int *code)
{
    norn_cell *cell = NULL;
    norn_cell_shape shape;
    norn_context *context = NULL;
    norn_status status = read_cell(cli, word, &cell);
    if (status == NORN_OK)
        status = norn_cell_bind(&shape, cell, given->inputs, given->hidden, given->heads, &cli->err);
    if (status == NORN_OK && !given->reference)
        status = norn_context_new(&context, &given->context, &cli->host, &cli->err);
    if (status == NORN_OK) {
        cli_text_format(out, "cell %s, I=%zu H=%zu, seed %llu%s%s\n", cell->name, shape.inputs, shape.hidden,
                        (unsigned long long)given->seed, context ? ", on " : "",
                        context ? context->info.name : "");
        cli_text_pad(out, "", -58);
        cli_text_put(out, "  largest   allowed\n");
        status = check_reference(cli, &shape, given->seed, out, code);
    }
    if (status == NORN_OK && context) status = check_device(cli, context, cell, given, out, code);
    norn_context_free(context);
    norn_cell_free(cell);
    return status;
}

static const struct {
    const char *word;
    size_t operands;
    size_t hidden; /* where none is said */
    norn_status (*run)(cli_state *, const char *, const cell_flags *, cli_text *, int *);
} actions[] = {{"list", 1, 64, list}, {"show", 2, 64, show}, {"check", 2, 4, check}};

/* ---- the command -----------------------------------------------------------------------------------------
 */

static int run(cli_state *cli, const cli_command *command, int argc, const char **argv)
{
    cell_flags given = {.inputs = 1, .seed = 1, .context = NORN_CONTEXT_OPTIONS_INIT};
    cli_arguments arguments;
    cli_text text = {NULL, 0, 0, false};
    int code = cli_parse(command, argc, argv, &given, &arguments);
    if (code >= 0) goto done;
    code = EXIT_FINE;
    cli->debug |= given.debug;
    size_t action = NORN_COUNT(actions);
    for (size_t i = 0; i < NORN_COUNT(actions) && arguments.operand_count; i++)
        if (strcmp(arguments.operands[0], actions[i].word) == 0) action = i;
    if (action == NORN_COUNT(actions) || arguments.operand_count != actions[action].operands) {
        cli_error("expected list, show NAME|FILE or check NAME|FILE (norn cell --help)");
        code = EXIT_USAGE;
        goto done;
    }
    if (!given.hidden) given.hidden = actions[action].hidden;
    if (actions[action].run(cli, actions[action].operands > 1 ? arguments.operands[1] : NULL, &given, &text,
                            &code) != NORN_OK) {
        code = cli_fail(cli);
        goto done;
    }
    if (text.failed) {
        cli_error("out of memory for the output");
        code = EXIT_MEMORY;
        goto done;
    }
    (void)fwrite(text.bytes, 1, text.length, stdout);
    code = cli_close_stdout(code);
done:
    cli_text_free(&text);
    cli_arguments_free(&arguments);
    return code;
}

const cli_command cli_cell_command = {
    .name = "cell",
    .summary = "recurrent cells: list them, show one as formula and figures, check its gradients and kernels",
    .operands = "list | show NAME|FILE | check NAME|FILE",
    .before = "Recurrent cells are formulas: a text of some ten lines (docs/cells.md). NAME is one\n"
              "of the list, FILE a formula of your own, - standard input.\n\n",
    .after = "",
    .options = options,
    .run = run,
};
