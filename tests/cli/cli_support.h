/*
 * What the tests of the command share: a folder of their own, files read and written whole, what was printed,
 * and texts that must stay as they are.
 */
#ifndef NORN_TESTS_CLI_SUPPORT_H
#define NORN_TESTS_CLI_SUPPORT_H

#include "support.h"

#include "cli/cli.h"
#include "stub_library.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64]; /* of this test */

static inline int set_up(void **state)
{
    (void)state;
    stub_reset();
    (void)snprintf(folder, sizeof folder, "/tmp/norn-cli-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static inline char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The whole file, at most 64 KiB. */
static inline const char *read_file(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    text[0] = '\0';
    if (!file) return text;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

/* Sends a descriptor to a file; returns what gives it back. */
static inline int capture(int descriptor, const char *path)
{
    (void)fflush(descriptor == STDOUT_FILENO ? stdout : stderr);
    const int saved = dup(descriptor), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && file >= 0);
    assert_true(dup2(file, descriptor) >= 0);
    (void)close(file);
    return saved;
}

static inline void release(int descriptor, int saved)
{
    (void)fflush(descriptor == STDOUT_FILENO ? stdout : stderr);
    (void)dup2(saved, descriptor);
    (void)close(saved);
}

static inline int files_in_folder(void)
{
    char command[160];
    int count = -1;
    (void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    (void)pclose(pipe);
    return count;
}

/* Compares with golden/<name>; NORN_UPDATE_GOLDEN=1 writes it anew. */
static inline void assert_golden(const cli_text *text, const char *name)
{
    char path[512];
    assert_false(text->failed);
    (void)snprintf(path, sizeof path, "%s/%s", NORN_GOLDEN, name);
    if (getenv("NORN_UPDATE_GOLDEN")) write_file(path, text->bytes);
    assert_string_equal(text->bytes, read_file(path));
}

#endif
