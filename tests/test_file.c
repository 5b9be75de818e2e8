/*
 * Files appear whole or not at all: every system call of a write made to fail, to fall short, to be
 * interrupted by a signal, and to be the last one of a process that is killed. Whatever happens, the old file
 * or the new one stands there, and an error leaves no temporary file behind.
 */
#include "counting_host.h"
#include "faulty_files.h"

static char folder[64];
static char paths[4][128];

static const char *path_of(const char *name)
{
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/norn-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)sweep(folder);
    return rmdir(folder);
}

/* ---- writing ---- */

static const char *const parts[] = {"the first part, ", "", "and the second one"};
static const char whole[] = "the first part, and the second one";
static const char old[] = "what was there before";

static norn_status write_parts(const char *path, const norn_file_system *system, const norn_host *host,
                               norn_error *err)
{
    norn_file *file = NULL;
    norn_status status = norn_file_create(&file, path, system, host, err);
    for (size_t i = 0; i < 3 && status == NORN_OK; i++)
        status = norn_file_write(file, parts[i], strlen(parts[i]), err);
    if (status == NORN_OK) status = norn_file_finish(file, err);
    norn_file_free(file);
    return status;
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* The content of a file, "" when there is none. */
static const char *content(const char *path)
{
    static char text[256];
    FILE *file = fopen(path, "r");
    const size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) (void)fclose(file);
    text[length] = '\0';
    return text;
}

/* Calls of a write that nothing disturbs. */
static size_t calls(const char *path)
{
    faulty f = {.kind = NONE};
    const norn_file_system system = system_of(&f);
    norn_error err = NORN_ERROR_INIT;
    assert_ok(write_parts(path, &system, NULL, &err), &err);
    assert_string_equal(content(path), whole);
    return f.seen;
}

static void a_new_file_holds_all_that_was_written(void **state)
{
    (void)state;
    assert_int_equal(calls(path_of("new")), 9); /* as in a_call_that_fails...: nothing is left out */
    assert_int_equal(sweep(folder), 0);
}

static void a_replaced_file_keeps_its_permissions_and_its_link(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0644, 0640};
    for (size_t i = 0; i < NORN_COUNT(modes); i++) {
        struct stat found;
        norn_error err = NORN_ERROR_INIT;
        const char *file = path_of("file"), *link = path_of("link");
        put(file, old, modes[i]);
        assert_int_equal(symlink("file", link), 0);
        assert_ok(write_parts(link, NULL, NULL, &err), &err);
        assert_string_equal(content(file), whole);
        assert_int_equal(stat(file, &found), 0);
        assert_int_equal(found.st_mode & 0777, modes[i]);
        assert_int_equal(lstat(link, &found), 0);
        assert_true(S_ISLNK(found.st_mode));
        assert_int_equal(sweep(folder), 0);
    }
}

static void nothing_is_to_be_seen_before_the_end(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_file *file = NULL;
    const char *path = path_of("file");
    put(path, old, 0600);
    assert_ok(norn_file_create(&file, path, NULL, NULL, &err), &err);
    assert_ok(norn_file_write(file, whole, strlen(whole), &err), &err);
    struct stat found;
    assert_int_equal(stat(norn_file_temporary(file), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600); /* never more open than the old one */
    assert_string_equal(content(path), old);
    norn_file_free(file);
    assert_string_equal(content(path), old);
    assert_int_equal(sweep(folder), 0);
}

static void two_writers_of_one_file_do_not_meet(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    norn_file *first = NULL, *second = NULL;
    const char *path = path_of("file");
    assert_ok(norn_file_create(&first, path, NULL, NULL, &err), &err);
    assert_ok(norn_file_create(&second, path, NULL, NULL, &err), &err);
    assert_ok(norn_file_write(first, "first", 5, &err), &err);
    assert_ok(norn_file_write(second, whole, strlen(whole), &err), &err);
    assert_ok(norn_file_finish(first, &err), &err);
    assert_string_equal(content(path), "first");
    assert_ok(norn_file_finish(second, &err), &err);
    assert_string_equal(content(path), whole);
    assert_null(norn_file_temporary(second));
    assert_int_equal(norn_file_write(second, "", 0, NULL), NORN_ERR_INTERNAL);
    assert_int_equal(norn_file_finish(second, NULL), NORN_ERR_INTERNAL);
    norn_file_free(first);
    norn_file_free(second);
    assert_int_equal(sweep(folder), 0);
}

static void what_is_no_regular_file_is_written_to_directly(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(write_parts("/dev/null", NULL, NULL, &err), &err);
    const char *path = path_of("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    const int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_ok(write_parts(path, NULL, NULL, &err), &err);
    char got[64] = "";
    assert_int_equal(read(reader, got, sizeof got - 1), strlen(whole));
    assert_string_equal(got, whole);
    (void)close(reader);
    assert_int_equal(write_parts("/dev/full", NULL, NULL, &err), NORN_ERR_OUTPUT);
    assert_int_equal(err.code, ENOSPC);
    assert_int_equal(sweep(folder), 0);
}

static void what_cannot_be_created_is_said_by_name(void **state)
{
    (void)state;
    const char *const names[] = {"missing/file", ""};
    static const int reasons[] = {ENOENT, EISDIR};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        norn_error err = NORN_ERROR_INIT;
        const char *path = path_of(names[i]);
        assert_int_equal(write_parts(path, NULL, NULL, &err), NORN_ERR_OUTPUT);
        assert_int_equal(err.code, reasons[i]);
        assert_non_null(strstr(err.message, "cannot create"));
        assert_non_null(strstr(err.message, path));
    }
    norn_error err = NORN_ERROR_INIT;
    assert_int_equal(write_parts("", NULL, NULL, &err), NORN_ERR_OUTPUT);
    assert_int_equal(sweep(folder), 0);
}

/* ---- faults ---- */

static const char *before_of(bool existed)
{
    return existed ? old : "";
}

static void try_error(bool existed, fault kind, int reason)
{
    const char *path = path_of("file");
    size_t count = 1;
    for (size_t at = 1; at <= count; at++) {
        if (existed) put(path, old, 0600);
        if (at == 1) {
            count = calls(path);
            if (!existed) (void)sweep(folder);
            if (existed) put(path, old, 0600);
        }
        faulty f = {.kind = kind, .reason = reason, .at = at};
        const norn_file_system system = system_of(&f);
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = write_parts(path, &system, &host, &err);
        assert_all_returned(&counter);
        if (status == NORN_OK) {
            /* Permissions, and what comes after the renaming, but not a folder that should have been flushed.
             */
            const bool afterwards = at > count - 3;
            const bool flush = strcmp(f.last, "fsync") == 0;
            assert_true(strcmp(f.last, "chmod") == 0 || (afterwards && (!flush || reason == EROFS)) ||
                        (kind == NOTHING && strcmp(f.last, "write") != 0));
            assert_string_equal(content(path), whole);
            struct stat found; /* where permissions cannot be set, they are not wider than before */
            assert_true(stat(path, &found) == 0 && (!existed || (found.st_mode & 0777) == 0600));
        } else {
            assert_int_equal(status, NORN_ERR_OUTPUT);
            assert_int_equal(err.code, kind == NOTHING ? EIO : reason);
            assert_non_null(strstr(err.message, folder));
            /* The flush of the folder: the file is in its place. */
            assert_string_equal(content(path), at > count - 3 ? whole : before_of(existed));
        }
        if (kind == ALL_FAIL)
            (void)sweep(folder); /* not even the removal worked */
        else
            assert_int_equal(sweep(folder), 0);
    }
}

static void a_call_that_fails_leaves_the_old_file_and_no_other(void **state)
{
    (void)state;
    static const int reasons[] = {EIO, ENOSPC, EDQUOT, EACCES, EMFILE, EROFS};
    for (size_t i = 0; i < NORN_COUNT(reasons); i++)
        for (int existed = 0; existed < 2; existed++) {
            try_error(existed, ONE_FAILS, reasons[i]);
            try_error(existed, ALL_FAIL, reasons[i]);
        }
    for (int existed = 0; existed < 2; existed++) try_error(existed, NOTHING, EIO);
}

/* In every call but close, which is over when it says so. */
static void short_writes_and_signals_are_gone_on_from(void **state)
{
    (void)state;
    for (int existed = 0; existed < 2; existed++)
        for (int kind = 0; kind < 2; kind++) {
            const char *path = path_of("file");
            for (size_t at = 1; at <= 6; at++) {
                if (existed) put(path, old, 0644);
                faulty f = {.kind = kind ? SHORT : INTERRUPTED, .reason = EINTR, .at = at};
                const norn_file_system system = system_of(&f);
                norn_error err = NORN_ERROR_INIT;
                const norn_status status = write_parts(path, &system, NULL, &err);
                if (!kind && (strcmp(f.last, "close") == 0 || strcmp(f.last, "rename") == 0)) {
                    assert_int_equal(status, NORN_ERR_OUTPUT);
                    assert_string_equal(content(path), before_of(existed));
                } else {
                    assert_ok(status, &err);
                    assert_string_equal(content(path), whole);
                }
                assert_int_equal(sweep(folder), 0);
            }
        }
}

/* kill -9 at every call, before it and in its midst: a forked child dies, the parent looks. */
static void a_process_killed_at_any_call_leaves_the_old_file_or_the_new_one(void **state)
{
    (void)state;
    size_t old_ones = 0, new_ones = 0;
    for (int existed = 0; existed < 2; existed++)
        for (int kind = KILL_BEFORE; kind <= KILL_AFTER; kind++)
            for (size_t at = 1;; at++) {
                const char *path = path_of("file");
                if (existed) put(path, old, 0644);
                const pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                    faulty f = {.kind = (fault)kind, .at = at};
                    const norn_file_system system = system_of(&f);
                    (void)write_parts(path, &system, NULL, NULL);
                    _exit(0);
                }
                int ended = 0;
                assert_int_equal(waitpid(child, &ended, 0), child);
                const char *got = content(path);
                const bool is_new = strcmp(got, whole) == 0;
                if (!is_new) assert_string_equal(got, before_of(existed));
                old_ones += !is_new;
                new_ones += is_new;
                /* What was killed does not stand in the way of the next one. */
                norn_error err = NORN_ERROR_INIT;
                assert_ok(write_parts(path, NULL, NULL, &err), &err);
                assert_string_equal(content(path), whole);
                (void)sweep(folder);
                if (!WIFSIGNALED(ended)) {
                    assert_true(is_new && at > 8);
                    break;
                }
            }
    assert_true(old_ones >= 20 && new_ones >= 8); /* both were seen */
}

static void memory_that_runs_out_leaves_nothing(void **state)
{
    (void)state;
    const char *path = path_of("file");
    for (size_t fail_at = 1;; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        put(path, old, 0644);
        const norn_status status = write_parts(path, NULL, &host, &err);
        assert_all_returned(&counter);
        if (status == NORN_OK) {
            assert_true(fail_at > 4);
            break;
        }
        assert_int_equal(status, NORN_ERR_MEMORY);
        assert_string_equal(content(path), old);
        assert_int_equal(sweep(folder), 0);
    }
    (void)sweep(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_holds_all_that_was_written),
        cmocka_unit_test(a_replaced_file_keeps_its_permissions_and_its_link),
        cmocka_unit_test(nothing_is_to_be_seen_before_the_end),
        cmocka_unit_test(two_writers_of_one_file_do_not_meet),
        cmocka_unit_test(what_is_no_regular_file_is_written_to_directly),
        cmocka_unit_test(what_cannot_be_created_is_said_by_name),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_file_and_no_other),
        cmocka_unit_test(short_writes_and_signals_are_gone_on_from),
        cmocka_unit_test(a_process_killed_at_any_call_leaves_the_old_file_or_the_new_one),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
