/*
 * Built programs on disk, for drivers that would compile them again in every process.
 *
 * An entry is a file of a folder of the user's. Its name is a hash of all that the binary depends on: texts,
 * options, platform, device and driver with their versions. Inside stand that hash and one of the binary, so
 * that an entry that was cut off or changed is seen before a driver gets it; then, and when the driver
 * refuses it, the program is built from its source and the entry written again. Entries appear whole or not
 * at all (base/file.h), and two processes that write the same one write the same thing. Nothing here is ever
 * an error: without the folder all works, only later.
 *
 * PoCL keeps what it built by itself, down to the kernels of each size, and to be asked for a binary makes it
 * compile every kernel in a general form first, three seconds for a network; NVIDIA's driver keeps its own,
 * too. There nothing is kept unless it is asked for (norn_context_options.programs_always).
 */
#include "compute/compute.h"

#include "base/file.h"
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char magic[8] = {'N', 'O', 'R', 'N', 'P', 'R', 'G', '1'};

enum { HEAD = sizeof magic + 2 * NORN_SHA256_BYTES + 8, PATH_ROOM = 4096 };

/* More than any program of ours is; an entry that says more is broken. */
static const uint64_t most_bytes = 256u << 20;

bool norn_driver_keeps_programs(const norn_device_info *device)
{
    static const char *const platforms[] = {"Portable Computing Language", "NVIDIA CUDA"};
    for (size_t i = 0; i < NORN_COUNT(platforms); i++)
        if (strcmp(device->platform_name, platforms[i]) == 0) return true;
    return false;
}

static void make_key(const norn_context *context, const char *const *texts, size_t count, const char *options,
                     unsigned char key[NORN_SHA256_BYTES])
{
    const norn_device_info *d = &context->info;
    const char *const of_device[] = {options, d->platform_name, d->platform_version,
                                     d->name, d->vendor,        d->driver};
    norn_sha256 sha;
    norn_sha256_begin(&sha);
    norn_sha256_add(&sha, magic, sizeof magic);
    for (size_t i = 0; i < NORN_COUNT(of_device); i++)
        norn_sha256_add(&sha, of_device[i], strlen(of_device[i]) + 1);
    for (size_t i = 0; i < count; i++) norn_sha256_add(&sha, texts[i], strlen(texts[i]) + 1);
    norn_sha256_end(&sha, key);
}

static bool make_path(const norn_context *context, const unsigned char key[NORN_SHA256_BYTES],
                      char path[PATH_ROOM])
{
    char hex[NORN_SHA256_HEX];
    const int length =
        snprintf(path, PATH_ROOM, "%s/%.32s.program", context->programs_folder, norn_sha256_hex(key, hex));
    return length > 0 && length < PATH_ROOM;
}

/* The folder with those above it, readable by the user alone: a driver runs what stands in it. */
static void make_folder(const char *folder)
{
    char path[PATH_ROOM];
    const size_t length = strlen(folder);
    if (length >= sizeof path) return;
    memcpy(path, folder, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        const char kept = path[i];
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) return;
        path[i] = kept;
    }
}

static void hash_of(const void *bytes, size_t size, unsigned char out[NORN_SHA256_BYTES])
{
    norn_sha256 sha;
    norn_sha256_begin(&sha);
    norn_sha256_add(&sha, bytes, size);
    norn_sha256_end(&sha, out);
}

static uint64_t size_at(const unsigned char *bytes)
{
    uint64_t size = 0;
    for (size_t i = 0; i < 8; i++) size |= (uint64_t)bytes[i] << (8 * i);
    return size;
}

/* The binary of an entry, or NULL: there is none, or it is broken. */
static unsigned char *read_entry(const norn_context *context, const char *path,
                                 const unsigned char key[NORN_SHA256_BYTES], size_t *size)
{
    unsigned char head[HEAD], hash[NORN_SHA256_BYTES], *binary = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    bool good = fread(head, 1, HEAD, file) == HEAD && memcmp(head, magic, sizeof magic) == 0 &&
                memcmp(head + sizeof magic, key, NORN_SHA256_BYTES) == 0;
    const uint64_t bytes = good ? size_at(head + HEAD - 8) : 0;
    good = bytes > 0 && bytes <= most_bytes;
    if (good) binary = norn_new(&context->host, (size_t)bytes, 1);
    good = binary && fread(binary, 1, (size_t)bytes, file) == bytes && fgetc(file) == EOF;
    (void)fclose(file);
    if (good) {
        hash_of(binary, (size_t)bytes, hash);
        good = memcmp(head + sizeof magic + NORN_SHA256_BYTES, hash, sizeof hash) == 0;
    }
    if (good) {
        *size = (size_t)bytes;
        return binary;
    }
    norn_delete(&context->host, binary, (size_t)bytes, 1);
    return NULL;
}

cl_program norn_binary_load(norn_context *context, const char *const *texts, size_t count,
                            const char *options)
{
    unsigned char key[NORN_SHA256_BYTES];
    char path[PATH_ROOM];
    size_t size = 0;
    if (!context->programs_folder) return NULL;
    make_key(context, texts, count, options, key);
    if (!make_path(context, key, path)) return NULL;
    unsigned char *binary = read_entry(context, path, key, &size);
    if (!binary) return NULL;
    const unsigned char *const one = binary;
    cl_int taken = CL_SUCCESS, code = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(context->cl, 1, &context->device, &size,
                                                   (const unsigned char **)&one, &taken, &code);
    if (code == CL_SUCCESS && taken == CL_SUCCESS)
        code = clBuildProgram(program, 1, &context->device, options, NULL, NULL);
    if (program && (code != CL_SUCCESS || taken != CL_SUCCESS)) {
        (void)clReleaseProgram(program);
        program = NULL;
    }
    norn_delete(&context->host, binary, size, 1);
    return code == CL_SUCCESS ? program : NULL;
}

static void write_entry(const norn_context *context, const char *path,
                        const unsigned char key[NORN_SHA256_BYTES], const unsigned char *binary, size_t size)
{
    unsigned char head[HEAD];
    norn_file *file = NULL;
    memcpy(head, magic, sizeof magic);
    memcpy(head + sizeof magic, key, NORN_SHA256_BYTES);
    hash_of(binary, size, head + sizeof magic + NORN_SHA256_BYTES);
    for (size_t i = 0; i < 8; i++) head[HEAD - 8 + i] = (unsigned char)((uint64_t)size >> (8 * i));
    make_folder(context->programs_folder);
    norn_status status = norn_file_create(&file, path, NULL, &context->host, NULL);
    if (status == NORN_OK) status = norn_file_write(file, head, sizeof head, NULL);
    if (status == NORN_OK) status = norn_file_write(file, binary, size, NULL);
    if (status == NORN_OK) (void)norn_file_finish(file, NULL);
    norn_file_free(file);
}

void norn_binary_keep(norn_context *context, cl_program program, const char *const *texts, size_t count,
                      const char *options)
{
    unsigned char key[NORN_SHA256_BYTES];
    char path[PATH_ROOM];
    size_t size = 0;
    if (!context->programs_folder) return;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
        size == 0 || size > most_bytes)
        return;
    unsigned char *binary = norn_new(&context->host, size, 1);
    if (!binary) return;
    make_key(context, texts, count, options, key);
    if (make_path(context, key, path) &&
        clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        write_entry(context, path, key, binary, size);
    norn_delete(&context->host, binary, size, 1);
}
