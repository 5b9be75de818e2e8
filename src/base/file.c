/* Files that appear whole or not at all: see file.h. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the machine's own calls ---- */

static int system_open(void *user, const char *path, int flags, unsigned mode)
{
    (void)user;
    return open(path, flags, (mode_t)mode);
}

static ptrdiff_t system_write(void *user, int file, const void *bytes, size_t size)
{
    (void)user;
    return write(file, bytes, size);
}

static int system_change_mode(void *user, int file, unsigned mode)
{
    (void)user;
    return fchmod(file, (mode_t)mode);
}

static int system_flush(void *user, int file)
{
    (void)user;
    return fsync(file);
}

static int system_close(void *user, int file)
{
    (void)user;
    return close(file);
}

static int system_rename(void *user, const char *from, const char *to)
{
    (void)user;
    return rename(from, to);
}

static int system_remove(void *user, const char *path)
{
    (void)user;
    return unlink(path);
}

static const norn_file_system machine = {system_open,  system_write,  system_change_mode, system_flush,
                                         system_close, system_rename, system_remove,      NULL};

/* ---- a file on its way ---- */

struct norn_file {
    norn_host host;
    const norn_file_system *system;
    int descriptor;  /* -1: closed */
    bool failed;     /* an error was reported: nothing but freeing is left */
    bool unfinished; /* the temporary file exists */
    char *name;      /* as the caller has it, for messages */
    char *target;    /* the final place, links followed */
    char *folder;    /* of the target */
    char *temporary; /* NULL: written to directly */
    size_t temporary_size;
};

static norn_status failed(norn_file *file, const char *what, const char *name, int reason, norn_error *err)
{
    char quoted[300], words[128];
    if (strerror_r(reason, words, sizeof words) != 0) (void)snprintf(words, sizeof words, "error %d", reason);
    file->failed = true;
    const bool first = err && err->status == NORN_OK;
    (void)norn_fail(err, NORN_ERR_OUTPUT, "cannot %s %s: %s", what,
                    norn_quote(quoted, sizeof quoted, name, strlen(name), 250), words);
    if (first) err->code = reason;
    return NORN_ERR_OUTPUT;
}

static int open_again(const norn_file *file, const char *path, int flags, unsigned mode)
{
    int descriptor;
    do descriptor = file->system->open(file->system->user, path, flags, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static int flush(const norn_file *file, int descriptor)
{
    int result;
    do result = file->system->flush(file->system->user, descriptor);
    while (result != 0 && errno == EINTR); /* of a signal, before anything was lost */
    return result;
}

/* The folder of path, in memory of its own. */
static char *folder_of(const norn_host *host, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return norn_text_copy(host, ".", 1);
    return norn_text_copy(host, path, slash == path ? 1 : (size_t)(slash - path));
}

static norn_status open_temporary(norn_file *file, unsigned mode, norn_error *err)
{
    for (int attempt = 0; attempt < 100 && file->descriptor < 0; attempt++) {
        (void)snprintf(file->temporary, file->temporary_size, "%s/.norn-%ld-%d.tmp", file->folder,
                       (long)getpid(), attempt);
        /* Never more open to others than the file it will replace. */
        file->descriptor =
            open_again(file, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
        if (file->descriptor < 0 && errno != EEXIST) break;
    }
    if (file->descriptor < 0) return failed(file, "create", file->name, errno, err);
    file->unfinished = true;
    return NORN_OK;
}

norn_status norn_file_create(norn_file **out, const char *path, const norn_file_system *system,
                             const norn_host *services, norn_error *err)
{
    const norn_host host = norn_host_copy(services);
    struct stat before;
    norn_status status = NORN_OK;
    char *real = NULL;
    norn_file *file = norn_new(&host, 1, sizeof *file);
    if (!file) return norn_fail_memory(err, "an output file");
    *file = (norn_file){.host = host, .system = system ? system : &machine, .descriptor = -1};
    const bool existed = stat(path, &before) == 0;
    const bool direct = existed && !S_ISREG(before.st_mode);
    if (existed && !direct && !(real = realpath(path, NULL))) {
        status = failed(file, "create", path, errno, err);
        goto done;
    }
    const char *target = real ? real : path;
    file->name = norn_text_copy(&host, path, strlen(path));
    file->target = norn_text_copy(&host, target, strlen(target));
    file->folder = folder_of(&host, target);
    if (file->folder && !direct) {
        file->temporary_size = strlen(file->folder) + 64;
        file->temporary = norn_new(&host, file->temporary_size, 1);
    }
    if (!file->name || !file->target || !file->folder || (!direct && !file->temporary)) {
        status = norn_fail_memory(err, "the name of a file");
        goto done;
    }
    if (direct) {
        file->descriptor = open_again(file, path, O_WRONLY | O_CLOEXEC, 0);
        if (file->descriptor < 0) status = failed(file, "create", path, errno, err);
        goto done;
    }
    status = open_temporary(file, existed ? (unsigned)before.st_mode : 0666, err);
    /* Some file systems know no permissions; the contents matter more. */
    if (status == NORN_OK && existed)
        (void)file->system->change_mode(file->system->user, file->descriptor,
                                        (unsigned)before.st_mode & 07777);
done:
    free(real);
    if (status == NORN_OK)
        *out = file;
    else
        norn_file_free(file);
    return status;
}

norn_status norn_file_write(norn_file *file, const void *bytes, size_t size, norn_error *err)
{
    const char *from = bytes;
    if (file->failed || file->descriptor < 0)
        return norn_fail(err, NORN_ERR_INTERNAL, "a write to a file that is over");
    while (size) {
        const ptrdiff_t written = file->system->write(file->system->user, file->descriptor, from, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return failed(file, "write to", file->name, written ? errno : EIO, err);
        from += written;
        size -= (size_t)written;
    }
    return NORN_OK;
}

norn_status norn_file_finish(norn_file *file, norn_error *err)
{
    const norn_file_system *system = file->system;
    norn_status status = NORN_OK;
    if (file->failed || file->descriptor < 0)
        return norn_fail(err, NORN_ERR_INTERNAL, "the end of a file that is over");
    if (file->temporary && flush(file, file->descriptor) != 0)
        status = failed(file, "write to", file->name, errno, err);
    if (system->close(system->user, file->descriptor) != 0 && status == NORN_OK)
        status = failed(file, "write to", file->name, errno, err);
    file->descriptor = -1; /* closed, whatever close said */
    if (status != NORN_OK || !file->temporary) return status;

    if (system->rename(system->user, file->temporary, file->target) != 0)
        return failed(file, "write to", file->name, errno, err);
    file->unfinished = false;
    const int folder = open_again(file, file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return NORN_OK; /* a folder that may be written to but not read */
    /* Some file systems cannot flush a folder; the file itself is safe by now. */
    if (flush(file, folder) != 0 && errno != EINVAL && errno != EROFS)
        status = failed(file, "write to", file->folder, errno, err);
    (void)system->close(system->user, folder);
    return status;
}

void norn_file_free(norn_file *file)
{
    if (!file) return;
    const norn_host host = file->host;
    const norn_file_system *system = file->system;
    const int kept = errno; /* of the failure that leads here */
    if (file->descriptor >= 0) (void)system->close(system->user, file->descriptor);
    if (file->unfinished) (void)system->remove(system->user, file->temporary);
    errno = kept;
    norn_delete(&host, file->temporary, file->temporary_size, 1);
    norn_text_delete(&host, file->folder);
    norn_text_delete(&host, file->target);
    norn_text_delete(&host, file->name);
    norn_delete(&host, file, 1, sizeof *file);
}

const char *norn_file_temporary(const norn_file *file)
{
    return file->unfinished ? file->temporary : NULL;
}
