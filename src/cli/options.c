/*
 * Command lines. A command's table of options says name, kind, range and help of each; popt parses by it and
 * prints the help from it. Numbers are read here instead of by popt, so that a message can say what was found
 * and what would do, and so that 012 is twelve.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ----------------------------------------------------------------------------------------------
 */

/* A text of the user, fit to stand in a message. */
#define QUOTED(text) norn_quote((char[96]){0}, 96, text, strlen(text), 48)

static int expected(const cli_option *option, const char *text)
{
    char range[96] = "";
    const bool whole = option->kind != CLI_REAL;
    if (option->most > 0.0)
        (void)snprintf(range, sizeof range, " from %.10g to %.10g", option->least, option->most);
    else if (option->least > -HUGE_VAL)
        (void)snprintf(range, sizeof range, " of at least %.10g", option->least);
    cli_error("--%s: expected a %snumber%s, found \"%s\"", option->name, whole ? "whole " : "", range,
              QUOTED(text));
    return EXIT_USAGE;
}

static int read_whole(const cli_option *option, const char *text, char *target)
{
    char *end = NULL;
    const bool negative = text[0] == '-';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    errno = 0;
    const unsigned long long size = strtoull(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end || errno || (negative && size > INT64_MAX))
        return expected(option, text);
    const double value = negative ? -(double)size : (double)size;
    if (value < option->least || (option->most > 0.0 && value > option->most)) return expected(option, text);

    switch (option->kind) {
    case CLI_SIZE:
        if (size > SIZE_MAX) return expected(option, text);
        *(size_t *)(void *)target = (size_t)size;
        break;
    case CLI_COUNT:
        if (size > UINT32_MAX / 2) return expected(option, text);
        *(unsigned *)(void *)target = (unsigned)size;
        break;
    case CLI_INT64:
        if (size > INT64_MAX) return expected(option, text);
        *(int64_t *)(void *)target = negative ? -(int64_t)size : (int64_t)size;
        break;
    default:
        *(uint64_t *)(void *)target = size;
        break;
    }
    return -1;
}

static int read_bytes(const cli_option *option, const char *text, char *target)
{
    static const char units[] = "KMG";
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    const unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (text[0] < '0' || text[0] > '9' || errno || (unit ? end[1] : *end) || !number ||
        number > UINT64_MAX >> shift) {
        cli_error("--%s: expected a number of bytes, with K, M or G behind it for more, found \"%s\"",
                  option->name, QUOTED(text));
        return EXIT_USAGE;
    }
    *(uint64_t *)(void *)target = (uint64_t)number << shift;
    return -1;
}

static int read_real(const cli_option *option, const char *text, char *target)
{
    char *end = NULL;
    /* strtod would also take blanks, hexadecimal, inf and nan */
    if (!text[0] || text[strspn(text, "0123456789+-.eE")]) return expected(option, text);
    const double value = strtod(text, &end);
    if (*end || !isfinite(value) || value < option->least || (option->most > 0.0 && value > option->most))
        return expected(option, text);
    *(double *)(void *)target = value;
    return -1;
}

static int read_word(const cli_option *option, const char *text, char *target)
{
    for (int i = 0; option->words[i]; i++)
        if (text[0] && strcmp(option->words[i], text) == 0) {
            *(int *)(void *)target = i;
            return -1;
        }
    char all[128] = "";
    size_t used = 0;
    for (int i = 0; option->words[i] && used < sizeof all - 1; i++)
        if (option->words[i][0])
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", option->words[i]);
    cli_error("--%s: expected one of %s, found \"%s\"", option->name, all, QUOTED(text));
    return EXIT_USAGE;
}

static int read_character(const cli_option *option, const char *text, char *target)
{
    static const struct {
        const char *name;
        char character;
    } names[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'},  {"\\t", '\t'},
                 {"pipe", '|'},  {"space", ' '},     {"point", '.'}, {"apostrophe", '\''}};
    for (size_t i = 0; i < NORN_COUNT(names); i++)
        if (strcmp(names[i].name, text) == 0) {
            *target = names[i].character;
            return -1;
        }
    if (text[0] && !text[1] && text[0] != '"' && text[0] != '\n' && text[0] != '\r') {
        *target = text[0];
        return -1;
    }
    cli_error("--%s: expected one character, or comma, semicolon, tab, pipe, space, point, apostrophe; found "
              "\"%s\"",
              option->name, QUOTED(text));
    return EXIT_USAGE;
}

static int read_value(const cli_option *option, const char *text, char *target)
{
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)(void *)target = true;
        return -1;
    case CLI_TEXT:
        *(const char **)(void *)target = text;
        return -1;
    case CLI_SIZE:
    case CLI_COUNT:
    case CLI_INT64:
    case CLI_UINT64:
        return read_whole(option, text, target);
    case CLI_BYTES:
        return read_bytes(option, text, target);
    case CLI_REAL:
        return read_real(option, text, target);
    case CLI_WORD:
        return read_word(option, text, target);
    case CLI_CHARACTER:
        return read_character(option, text, target);
    default:
        return -1;
    }
}

/* ---- popt
 * ---------------------------------------------------------------------------------------------------- */

/* popt wants a table a group. All of them lie in one array, a terminator after each; the first table includes
 * the others. `val` is the place in our table, from 1. */
typedef struct popt_tables {
    struct poptOption *rows;   /* [options + groups + 1] */
    struct poptOption *groups; /* [groups + 1] */
    struct poptOption *main;   /* groups, or rows where there are none */
} popt_tables;

static bool tables_make(popt_tables *out, const cli_option *options, size_t count)
{
    size_t groups = 0;
    for (size_t i = 0; i < count; i++) groups += options[i].kind == CLI_GROUP;
    out->rows = calloc(count + 1, sizeof *out->rows);
    out->groups = calloc(groups + 1, sizeof *out->groups);
    if (!out->rows || !out->groups) return false;
    out->main = groups ? out->groups : out->rows;
    size_t group = 0;
    for (size_t i = 0; i < count; i++) {
        const cli_option *option = &options[i];
        if (option->kind == CLI_GROUP) { /* this row stays empty: it ends the group before */
            out->groups[group].argInfo = POPT_ARG_INCLUDE_TABLE;
            out->groups[group].arg = &out->rows[i + 1];
            out->groups[group].descrip = option->name;
            group++;
            continue;
        }
        struct poptOption *row = &out->rows[i];
        row->longName = option->name;
        row->shortName = option->letter;
        row->argInfo = option->argument ? POPT_ARG_STRING : POPT_ARG_NONE;
        row->val = (int)i + 1;
        row->descrip = option->help;
        row->argDescrip = option->argument;
    }
    return true;
}

static int bad_option(const cli_command *command, const cli_option *options, poptContext context, int code)
{
    const char *bad = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    if (!bad) bad = "";
    const char *const text = QUOTED(bad);
    if (code == POPT_ERROR_NOARG) {
        cli_error("%s needs a value (norn %s --help)", text, command->name);
    } else if (code == POPT_ERROR_UNWANTEDARG) {
        cli_error("%.*s takes no value (norn %s --help)", (int)strcspn(text, "="), text, command->name);
    } else if (code == POPT_ERROR_BADOPT) {
        const char *names[128];
        size_t count = 0;
        for (const cli_option *o = options; o->kind != CLI_END && count < NORN_COUNT(names) - 1; o++)
            if (o->kind != CLI_GROUP) names[count++] = o->name;
        names[count] = NULL;
        char word[48];
        (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(bad + strspn(bad, "-"), "="),
                       bad + strspn(bad, "-"));
        const char *closest = strncmp(bad, "--", 2) == 0 ? norn_closest(word, names) : NULL;
        if (closest)
            cli_error("unknown option %s; did you mean --%s? (norn %s --help)", text, closest, command->name);
        else
            cli_error("unknown option %s (norn %s --help)", text, command->name);
    } else {
        cli_error("%s: %s", text, poptStrerror(code));
    }
    return code == POPT_ERROR_MALLOC ? EXIT_MEMORY : EXIT_USAGE;
}

static int print_help(const cli_command *command, poptContext context, bool whole)
{
    if (!whole) {
        poptPrintUsage(context, stdout, 0);
        return cli_close_stdout(EXIT_FINE);
    }
    (void)fputs(command->before, stdout);
    poptPrintHelp(context, stdout, 0);
    (void)fputs(command->after, stdout);
    return cli_close_stdout(EXIT_FINE);
}

static size_t count_of(const cli_option *options)
{
    size_t count = 0;
    while (options && options[count].kind != CLI_END) count++;
    return count;
}

/* The rows of all tables as one, offsets counted in the command's struct; NULL: no memory. */
static cli_option *join(const cli_command *command, size_t *count)
{
    const cli_shared own[] = {{command->options, 0}, {NULL, 0}};
    const cli_shared *const lists[] = {command->shared, own};
    size_t all = 0;
    for (size_t i = 0; i < NORN_COUNT(lists); i++)
        for (const cli_shared *table = lists[i]; table && table->rows; table++) all += count_of(table->rows);
    cli_option *rows = calloc(all + 1, sizeof *rows); /* the last one is CLI_END */
    *count = all;
    if (!rows) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < NORN_COUNT(lists); i++)
        for (const cli_shared *table = lists[i]; table && table->rows; table++)
            for (const cli_option *row = table->rows; row->kind != CLI_END; row++) {
                rows[at] = *row;
                rows[at++].offset += table->offset;
            }
    return rows;
}

const char *cli_given(const cli_command *command, const cli_arguments *arguments, const char *name)
{
    const char *found = NULL;
    size_t count = 0;
    cli_option *const rows = join(command, &count);
    for (size_t i = 0; rows && i < count && i < arguments->rows && !found; i++)
        if (rows[i].kind != CLI_GROUP && strcmp(rows[i].name, name) == 0) found = arguments->given[i];
    free(rows);
    return found;
}

int cli_parse(const cli_command *command, int argc, const char **argv, void *values, cli_arguments *arguments)
{
    int code = -1;
    size_t count = 0;
    cli_option *const options = join(command, &count);
    popt_tables tables = {NULL, NULL, NULL};
    poptContext context = NULL;
    const char *const own = argv[0];
    char name[64], usage[64];
    (void)snprintf(name, sizeof name, "norn %s", command->name);
    (void)snprintf(usage, sizeof usage, "[OPTION...]%s%s", command->operands[0] ? " " : "",
                   command->operands);
    argv[0] = name; /* what the help calls the program */

    *arguments = (cli_arguments){.rows = count};
    arguments->given = calloc(count + 1, sizeof *arguments->given);
    arguments->operands = calloc((size_t)argc + 1, sizeof *arguments->operands);
    if (!arguments->given || !arguments->operands || !options || !tables_make(&tables, options, count) ||
        !(context = poptGetContext(NULL, argc, argv, tables.main, 0))) {
        cli_error("out of memory for the command line");
        code = EXIT_MEMORY;
        goto done;
    }
    poptSetOtherOptionHelp(context, usage);

    int at;
    while ((at = poptGetNextOpt(context)) > 0) {
        const cli_option *option = &options[at - 1];
        char **given = &arguments->given[at - 1];
        free(*given);
        *given = poptGetOptArg(context);
        if (!*given && option->kind == CLI_FLAG) *given = strdup("");
        if (option->kind == CLI_HELP || option->kind == CLI_USAGE) {
            code = print_help(command, context, option->kind == CLI_HELP);
            goto done;
        }
        code = read_value(option, *given, (char *)values + option->offset);
        if (code >= 0) goto done;
    }
    if (at < -1) {
        code = bad_option(command, options, context, at);
        goto done;
    }
    const char *operand;
    while ((operand = poptGetArg(context))) {
        char *copy = strdup(operand);
        if (!copy) {
            cli_error("out of memory for the command line");
            code = EXIT_MEMORY;
            goto done;
        }
        arguments->operands[arguments->operand_count++] = copy;
    }

done:
    if (context) poptFreeContext(context);
    free(tables.rows);
    free(tables.groups);
    free(options);
    argv[0] = own;
    return code;
}

void cli_arguments_free(cli_arguments *arguments)
{
    for (size_t i = 0; arguments->given && i < arguments->rows; i++) free(arguments->given[i]);
    for (size_t i = 0; arguments->operands && i < arguments->operand_count; i++) free(arguments->operands[i]);
    free(arguments->given);
    free(arguments->operands);
    *arguments = (cli_arguments){NULL, 0, NULL, 0};
}
