/*
 * A file system with a fault, for what is written through norn_file: any of its calls can fail, fall short,
 * be interrupted by a signal, or be the last one of a process that is killed. try_every_call and
 * kill_at_every_call take a writer through all of them, from the first call to the last, and look at what
 * stands there then: the old file or the whole new one, and nothing beside it.
 */
#ifndef NORN_TESTS_FAULTY_FILES_H
#define NORN_TESTS_FAULTY_FILES_H

#include "support.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Empties a folder; returns how many temporary files were there. */
static inline size_t sweep(const char *folder)
{
    size_t temporary = 0;
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (const struct dirent *one; (one = readdir(all));) {
        if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0) continue;
        temporary += strstr(one->d_name, ".tmp") != NULL;
        char path[256 + sizeof one->d_name];
        (void)snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
        if (unlink(path) != 0) (void)rmdir(path);
    }
    (void)closedir(all);
    return temporary;
}

/* ---- a file system with a fault ---- */

typedef enum fault {
    NONE,
    ONE_FAILS,   /* call number `at` */
    ALL_FAIL,    /* it and all after it */
    INTERRUPTED, /* it, by a signal, before anything happened */
    SHORT,       /* a write takes one byte */
    NOTHING,     /* a write takes no byte */
    KILL_BEFORE,
    KILL_AFTER
} fault;

typedef struct faulty {
    fault kind;
    int reason;       /* errno */
    size_t at, seen;  /* from 1 */
    const char *last; /* the call that the fault met */
    bool renamed;     /* the new file is in its place */
    bool late;        /* it was when the fault came */
} faulty;

/* Does this call fail? */
static inline bool meets(faulty *f, const char *call)
{
    const bool here = ++f->seen == f->at;
    if (here) f->last = call;
    if (here) f->late = f->renamed;
    if (here && f->kind == KILL_BEFORE) (void)raise(SIGKILL);
    if (here && f->kind == INTERRUPTED) {
        errno = EINTR;
        return true;
    }
    if ((here && f->kind == ONE_FAILS) || (f->at && f->seen >= f->at && f->kind == ALL_FAIL)) {
        errno = f->reason;
        return true;
    }
    return false;
}

static inline int after(const faulty *f, int result)
{
    if (f->seen == f->at && f->kind == KILL_AFTER) (void)raise(SIGKILL);
    return result;
}

static inline int faulty_open(void *user, const char *path, int flags, unsigned mode)
{
    return meets(user, "open") ? -1 : after(user, open(path, flags, (mode_t)mode));
}
static inline ptrdiff_t faulty_write(void *user, int file, const void *bytes, size_t size)
{
    faulty *f = user;
    if (meets(f, "write")) return -1;
    if (f->seen == f->at && f->kind == NOTHING) return 0;
    if (f->seen == f->at && f->kind == SHORT && size > 1) size = 1;
    if (f->seen == f->at && f->kind == KILL_AFTER) size = size / 2 + 1;
    return after(f, (int)write(file, bytes, size));
}
static inline int faulty_change_mode(void *user, int file, unsigned mode)
{
    return meets(user, "chmod") ? -1 : after(user, fchmod(file, (mode_t)mode));
}
static inline int faulty_flush(void *user, int file)
{
    return meets(user, "fsync") ? -1 : after(user, fsync(file));
}
static inline int faulty_close(void *user, int file)
{
    const int result = close(file); /* closed even when it fails, as on Linux */
    return meets(user, "close") ? -1 : after(user, result);
}
static inline int faulty_rename(void *user, const char *from, const char *to)
{
    faulty *f = user;
    if (meets(f, "rename")) return -1;
    const int result = rename(from, to);
    f->renamed = result == 0;
    return after(f, result);
}
static inline int faulty_remove(void *user, const char *path)
{
    return meets(user, "unlink") ? -1 : after(user, unlink(path));
}

static inline norn_file_system system_of(faulty *f)
{
    return (norn_file_system){faulty_open,  faulty_write,  faulty_change_mode, faulty_flush,
                              faulty_close, faulty_rename, faulty_remove,      f};
}

/* ---- every call of a writer
 * ----------------------------------------------------------------------------------
 */

typedef struct trial {
    const char *folder; /* which holds nothing else */
    const char *path;   /* in it */
    norn_status (*write)(void *user, const char *path, const norn_file_system *system, norn_error *err);
    void *user;
    unsigned char *whole; /* what it writes when nothing disturbs it; by begin_trial, freed by end_trial */
    size_t size;
    size_t calls;
} trial;

static const char trial_old[] = "what was there before";

/* A file's content, NULL when there is none; to be freed. */
static inline unsigned char *trial_content(const char *path, size_t *size)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (!file) return NULL;
    unsigned char *bytes = malloc(MOST);
    assert_non_null(bytes);
    *size = fread(bytes, 1, MOST, file);
    assert_true(*size < MOST);
    (void)fclose(file);
    return bytes;
}

static inline void trial_before(const trial *t, bool existed)
{
    (void)sweep(t->folder);
    if (!existed) return;
    FILE *file = fopen(t->path, "wb");
    assert_non_null(file);
    assert_true(fputs(trial_old, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(t->path, 0600), 0);
}

/* 1: the whole new file, 0: what was before, -1: neither. */
static inline int trial_after(const trial *t, bool existed)
{
    size_t size;
    unsigned char *bytes = trial_content(t->path, &size);
    int result = -1;
    if (bytes && size == t->size && memcmp(bytes, t->whole, size) == 0)
        result = 1;
    else if (existed ? bytes && size == strlen(trial_old) && memcmp(bytes, trial_old, size) == 0 : !bytes)
        result = 0;
    free(bytes);
    return result;
}

/* A write that nothing disturbs; in a process of its own where `apart`, for one that a fork must not have
 * behind it. */
static inline void begin_trial(trial *t, bool apart)
{
    faulty f = {.kind = NONE};
    const norn_file_system system = system_of(&f);
    norn_error err = NORN_ERROR_INIT;
    trial_before(t, true);
    if (apart) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(t->write(t->user, t->path, &system, NULL) == NORN_OK ? (int)f.seen : 0);
        int ended = 0;
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) != 0);
        t->calls = (size_t)WEXITSTATUS(ended);
    } else {
        assert_ok(t->write(t->user, t->path, &system, &err), &err);
        t->calls = f.seen;
        assert_true(t->calls < 256);
    }
    t->whole = trial_content(t->path, &t->size);
    assert_true(t->whole && t->size > 100);
    assert_int_equal(sweep(t->folder), 0);
}

static inline void end_trial(trial *t)
{
    (void)sweep(t->folder);
    free(t->whole);
    t->whole = NULL;
}

/* Must this fault fail the whole write? Permissions may stay as they are; once the file is in its place only
 * its folder's flush counts, and that only where the folder can be flushed; signals are waited out, but not
 * in close, which is over when it says so, nor in rename, which knows none. */
static inline bool is_fatal(const faulty *f)
{
    const bool flush = strcmp(f->last, "fsync") == 0;
    if (f->kind == SHORT) return false;
    if (f->kind == NOTHING) return strcmp(f->last, "write") == 0;
    if (f->kind == INTERRUPTED)
        return !f->late && (strcmp(f->last, "close") == 0 || strcmp(f->last, "rename") == 0);
    if (f->late) return flush && f->reason != EROFS;
    return f->kind == ALL_FAIL || strcmp(f->last, "chmod") != 0;
}

/* Every call fails once, with each errno, alone and with all after it; falls short; is interrupted. */
static inline void try_every_call(const trial *t)
{
    static const struct {
        fault kind;
        int reason;
    } faults[] = {{ONE_FAILS, EIO},   {ONE_FAILS, ENOSPC}, {ONE_FAILS, EDQUOT}, {ONE_FAILS, EACCES},
                  {ONE_FAILS, EFBIG}, {ONE_FAILS, EMFILE}, {ONE_FAILS, EROFS},  {ALL_FAIL, EIO},
                  {NOTHING, EIO},     {SHORT, 0},          {INTERRUPTED, EINTR}};
    for (size_t k = 0; k < NORN_COUNT(faults); k++)
        for (int existed = 0; existed < 2; existed++) {
            size_t met = 0;
            for (size_t at = 1; at <= t->calls; at++) {
                trial_before(t, existed);
                faulty f = {.kind = faults[k].kind, .reason = faults[k].reason, .at = at};
                const norn_file_system system = system_of(&f);
                norn_error err = NORN_ERROR_INIT;
                const norn_status status = t->write(t->user, t->path, &system, &err);
                if (!f.last) continue; /* without an old file there are fewer: no permissions */
                met++;
                const char *wrong = NULL;
                if ((status != NORN_OK) != is_fatal(&f))
                    wrong = "is reported wrongly";
                else if (status != NORN_OK && (status != NORN_ERR_OUTPUT || err.code != faults[k].reason ||
                                               !strstr(err.message, t->folder)))
                    wrong = "is not named";
                else if (trial_after(t, existed) != (status == NORN_OK || f.late))
                    wrong = "leaves another file";
                else if (sweep(t->folder) != 0 && f.kind != ALL_FAIL) /* then not even the removal works */
                    wrong = "leaves a temporary file";
                if (wrong)
                    fail_msg("call %zu of %zu, %s, fault %zu, errno %d, %s old file: %s (%s \"%s\")", at,
                             t->calls, f.last, k, faults[k].reason, existed ? "an" : "no", wrong,
                             norn_status_name(status), err.message);
            }
            assert_int_equal(met, t->calls - !existed);
        }
}

/* kill -9 at every call, before it and in its midst: a forked child writes and dies, the parent looks. */
static inline void kill_at_every_call(const trial *t)
{
    size_t old_ones = 0, new_ones = 0;
    for (int existed = 0; existed < 2; existed++)
        for (int kind = KILL_BEFORE; kind <= KILL_AFTER; kind++)
            for (size_t at = 1; at <= t->calls - !existed; at++) {
                trial_before(t, existed);
                const pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                    faulty f = {.kind = (fault)kind, .at = at};
                    const norn_file_system system = system_of(&f);
                    (void)t->write(t->user, t->path, &system, NULL);
                    _exit(0);
                }
                int ended = 0;
                assert_int_equal(waitpid(child, &ended, 0), child);
                assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
                const int found = trial_after(t, existed);
                if (found < 0) fail_msg("killed at call %zu of %zu: neither file", at, t->calls);
                old_ones += found == 0;
                new_ones += found == 1;
            }
    /* The new file from the renaming on: killed after it, or at one of the three calls that follow. */
    assert_int_equal(new_ones, 2 * (1 + 2 * 3));
    assert_int_equal(old_ones, 2 * (2 * t->calls - 1) - new_ones);
    (void)sweep(t->folder);
}

#endif
