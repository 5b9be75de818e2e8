/*
 * Files that appear whole or not at all.
 *
 * What is written goes to a temporary file in the folder of its final place; every write is checked, the file
 * is flushed to the disk, and only then renamed over the old one, whose folder is flushed last. So a reader,
 * and a machine that lost its power, sees the old file or the new one. A flush that failed is never tried
 * again: the kernel may have dropped the pages and would report success (Rebello et al. 2020, "Can
 * Applications Recover from fsync Failures?"). What is not a regular file (a device, a pipe) is written to
 * directly.
 *
 *     norn_file *file = NULL;
 *     status = norn_file_create(&file, path, NULL, host, err);
 *     if (status == NORN_OK) status = norn_file_write(file, bytes, size, err);
 *     if (status == NORN_OK) status = norn_file_finish(file, err);
 *     norn_file_free(file);
 */
#ifndef NORN_SRC_BASE_FILE_H
#define NORN_SRC_BASE_FILE_H

#include "base/base.h"

/* The system calls of a write, each as POSIX has it, so that tests can let any of them fail or fall short. */
typedef struct norn_file_system {
    int (*open)(void *user, const char *path, int flags, unsigned mode);
    ptrdiff_t (*write)(void *user, int file, const void *bytes, size_t size);
    int (*change_mode)(void *user, int file, unsigned mode);
    int (*flush)(void *user, int file); /* fsync */
    int (*close)(void *user, int file);
    int (*rename)(void *user, const char *from, const char *to);
    int (*remove)(void *user, const char *path); /* unlink */
    void *user;
} norn_file_system;

typedef struct norn_file norn_file;

/* Opens the temporary file beside `path`, a link being followed. A file that exists keeps its permissions.
 * system NULL: the machine's own, else borrowed until norn_file_free. Errors: NORN_ERR_OUTPUT, with errno in
 * err->code; NORN_ERR_MEMORY. */
norn_status norn_file_create(norn_file **out, const char *path, const norn_file_system *system,
                             const norn_host *host, norn_error *err);
/* size 0: nothing. After an error the file can only be freed. */
norn_status norn_file_write(norn_file *file, const void *bytes, size_t size, norn_error *err);
/* Puts the file in its place. An error in all but the flush of the folder, which comes last, leaves what was
 * there before. */
norn_status norn_file_finish(norn_file *file, norn_error *err);
/* Without a finish before, nothing is left behind. NULL: nothing. */
void norn_file_free(norn_file *file);

/* What a handler that ends the process may remove; NULL when there is no temporary file. Borrowed. */
const char *norn_file_temporary(const norn_file *file);

#endif
