/*
 * Everything wrong with a file: the first 20 problems on stderr, a line each with its position, then how many
 * more there are; all of them as JSON lines in the file of --errors.
 *
 * There can be as many problems as cells. Their JSON lines are spooled to an unnamed temporary file, which is
 * mapped into memory when the reading is over, so that the file of --errors appears whole or not at all and
 * memory stays bounded. It is written after a reading without errors too, empty: what is there always belongs
 * to the last run.
 */
#include "cli/cli.h"

#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SHOWN = 20 }; /* a screen of them: more are read in a file */

int cli_problems_check(const char *path, const char *input, const char *output)
{
    if (!path) return EXIT_FINE;
    if (!path[0]) {
        cli_error("--errors: expected the name of a file, found \"\"");
        return EXIT_USAGE;
    }
    if (input && cli_same_file(path, input)) {
        cli_error("--errors: the list would replace the file it is about");
        return EXIT_USAGE;
    }
    if (output && strcmp(path, "-") != 0 && (strcmp(path, output) == 0 || cli_same_file(path, output))) {
        cli_error("--errors and -o name the same file");
        return EXIT_USAGE;
    }
    return cli_output_check(path);
}

/* One line of the list: {"file": ..., "line": ..., "column": ..., "name": ..., "text": ..., "message": ...};
 * a line or column that is not known is null. */
static void spool(cli_problems *problems, const norn_problem *problem)
{
    if (!problems->path || problems->reason) return;
    if (!problems->spool && !(problems->spool = tmpfile())) {
        problems->reason = errno;
        return;
    }
    json_t *line = json_object();
    json_object_set_new(line, "file", cli_json_text(problem->file));
    json_object_set_new(line, "line", problem->line ? json_integer((json_int_t)problem->line) : json_null());
    json_object_set_new(line, "column",
                        problem->column ? json_integer((json_int_t)problem->column) : json_null());
    json_object_set_new(line, "name", cli_json_text(problem->name));
    json_object_set_new(line, "text", cli_json_text(problem->text));
    json_object_set_new(line, "message", cli_json_text(problem->message));
    char *text = json_dumps(line, 0);
    errno = ENOMEM;
    if (!text || fputs(text, problems->spool) < 0 || putc('\n', problems->spool) == EOF)
        problems->reason = errno ? errno : EIO;
    free(text);
    json_decref(line);
}

static void add(void *user, const norn_problem *problem)
{
    cli_problems *const problems = user;
    spool(problems, problem);
    if (problems->count++ == 0)
        (void)norn_fail_at(&problems->first, NORN_ERR_DATA, problem->file, problem->line, problem->column,
                           "%s", problem->message);
    else if (problems->count <= SHOWN)
        cli_error_at(&problems->shown, problem->file, problem->line, problem->column, problem->message);
}

void cli_problems_watch(cli_problems *problems, const char *path, norn_table_options *options)
{
    *problems = (cli_problems){.path = path, .first = NORN_ERROR_INIT};
    options->on_problem = add;
    options->user = problems;
}

static bool same_error(const norn_error *a, const norn_error *b)
{
    return a->line == b->line && a->column == b->column && strcmp(a->message, b->message) == 0;
}

/* Writes the list whole. A cli_exit, with the error printed. */
static int write_list(cli_problems *problems)
{
    cli_text list = {NULL, 0, 0, false};
    char nothing[] = "";
    void *map = MAP_FAILED;
    long length = 0;
    list.bytes = nothing;
    if (problems->spool && !problems->reason) {
        if (fflush(problems->spool) != 0 || (length = ftell(problems->spool)) < 0)
            problems->reason = errno;
        else if (length > 0 && (map = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE,
                                           fileno(problems->spool), 0)) == MAP_FAILED)
            problems->reason = errno;
    }
    if (problems->reason) {
        cli_error("the list of --errors was not written: its temporary file failed: %s",
                  strerror(problems->reason));
        return EXIT_IO;
    }
    if (map != MAP_FAILED) list.bytes = map;
    list.length = (size_t)length;
    const int code = cli_output_write(problems->path, &list);
    if (map != MAP_FAILED) (void)munmap(map, (size_t)length);
    return code;
}

int cli_problems_end(cli_problems *problems, cli_state *cli, norn_status status)
{
    const norn_error *const err = &cli->err, *const first = &problems->first;
    const uint64_t said = problems->count < SHOWN ? problems->count : SHOWN;
    const bool told = status != NORN_OK && problems->count && same_error(err, first);
    cli_text lines = {NULL, 0, 0, false};
    int code = EXIT_FINE, written = EXIT_FINE;
    if (status != NORN_OK) {
        code = cli_fail(cli);
        if (status == NORN_ERR_CANCELLED || cli_signal_caught()) goto done;
        if (!told) { /* a file that cannot be read, a column that is not there: no problem of a cell */
            const norn_problem other = {err->file, err->line, err->column, "", "", err->message};
            spool(problems, &other);
        }
    }
    if (problems->count && !told)
        cli_error_at(&lines, first->file, first->line, first->column, first->message);
    if (problems->shown.failed) lines.failed = true;
    if (problems->shown.length) cli_text_add(&lines, problems->shown.bytes, problems->shown.length);
    if (problems->count > said) {
        char file[sizeof first->file];
        (void)norn_quote(file, sizeof file, first->file, strlen(first->file), sizeof file - 16);
        cli_text_format(&lines, "%s: %llu more (%s)\n", file, (unsigned long long)(problems->count - said),
                        problems->path ? "the list of --errors has all of them"
                                       : "--errors FILE lists them all");
    }
    if (lines.length && !lines.failed) (void)fwrite(lines.bytes, 1, lines.length, stderr);
    if (problems->path) written = write_list(problems);
done:
    if (problems->spool) (void)fclose(problems->spool);
    cli_text_free(&lines);
    cli_text_free(&problems->shown);
    problems->spool = NULL;
    return code != EXIT_FINE ? code : written;
}
