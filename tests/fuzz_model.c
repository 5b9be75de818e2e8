/*
 * libFuzzer target: any bytes as a model's file. The first byte chooses whether the rest is the whole file,
 * or a header for which the length is put in front and numbers behind: most of what is interesting lies
 * behind a right length. What is taken must keep every promise of model.h, and come back from a file of its
 * own as it is. Whatever is read, reader and JSON together never have more memory out than twice the file
 * and 64 MiB.
 *
 * Nothing of the device is linked: what models use of it stands here.
 */
#include "nn/model.h"

#include <math.h>
#include <sanitizer/allocator_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

norn_status norn_network_get(norn_network *network, size_t member, double *plain, norn_error *err)
{
    (void)network;
    (void)member;
    (void)plain;
    return norn_fail(err, NORN_ERR_INTERNAL, "there is no device here");
}

norn_status norn_network_put(norn_network *network, size_t member, const double *plain, norn_error *err)
{
    (void)network;
    (void)member;
    (void)plain;
    return norn_fail(err, NORN_ERR_INTERNAL, "there is no device here");
}

/* Bytes out since the counting began, and the most there were. */
static struct {
    long long now, most;
} memory;

static void on_malloc(const volatile void *block, size_t size)
{
    (void)block;
    memory.now += (long long)size;
    if (memory.now > memory.most) memory.most = memory.now;
}

static void on_free(const volatile void *block)
{
    if (block) memory.now -= (long long)__sanitizer_get_allocated_size(block);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) ? 0 : -1;
}

static void check_model(const norn_model *m)
{
    check(m->inputs && m->hidden && m->layers && m->window && m->horizon && m->members && m->series &&
              m->columns && m->season && m->step.count >= 1,
          "a size of 0");
    const size_t plain = norn_model_plain_size(m);
    for (size_t i = 0; i < m->members * plain; i++)
        check(isfinite(m->parameters[i]), "a parameter not finite");
    for (size_t i = 0; i < m->members * m->series; i++)
        check(m->scaling[i].season <= m->season && m->scaling[i].scale >= 0.0, "a scaling without sense");
    for (size_t s = 0; s < m->series; s++)
        check(norn_model_find(m, m->ids[s]) == s, "an id that is not found");
    for (size_t c = 0; c < m->columns; c++) check(m->column[c].name != NULL, "a column without a name");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 3) return 0;
    const int is_header = bytes[0] % 4 != 0;
    const size_t length = size - 3, data = is_header ? bytes[1] + 256u * bytes[2] : 0,
                 all = length + (is_header ? 8 + data : 0);
    unsigned char *copy = calloc(all + 1, 1);
    if (!copy) return 0;
    for (size_t i = 0; is_header && i < 8; i++) copy[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(copy + (is_header ? 8 : 0), bytes + 3, length);

    norn_model *model = NULL;
    norn_error err = NORN_ERROR_INIT;
    memory.now = memory.most = 0;
    const norn_status status = norn_model_load_bytes(&model, copy, all, "fuzz", NULL, &err);
    check(memory.most <= 2 * (long long)all + (64LL << 20), "more memory than twice the file and 64 MiB");
    if (status == NORN_OK) {
        check_model(model);
        char path[64];
        (void)snprintf(path, sizeof path, "/tmp/norn-fuzz-%ld", (long)getpid());
        norn_model *again = NULL;
        check(norn_model_save(model, path, NULL, &err) == NORN_OK, "a model that cannot be saved");
        check(norn_model_load(&again, path, NULL, &err) == NORN_OK, "a model that cannot be loaded again");
        check(memcmp(model->parameters, again->parameters,
                     model->members * norn_model_plain_size(model) * sizeof(float)) == 0,
              "parameters that changed on the way");
        norn_model_free(again);
        (void)unlink(path);
        norn_model_free(model);
    } else {
        check(model == NULL, "a model in spite of an error");
        check(status == NORN_ERR_DATA, "an error of another kind");
        check(err.message[0] && !strpbrk(err.message, "\r\n\x1b"), "a message of several lines");
    }
    free(copy);
    return 0;
}
