/*
 * A host that counts: how many bytes are out, whether every block comes back with the size it was asked for,
 * and which allocation is to fail. Each block carries its size in front of it.
 */
#ifndef NORN_TESTS_COUNTING_HOST_H
#define NORN_TESTS_COUNTING_HOST_H

#include "support.h"

typedef struct counting_host {
    size_t bytes, blocks; /* out at the moment */
    size_t asked;         /* requests for memory so far */
    size_t fail_at;       /* the request that fails, from 1; 0: none */
    size_t wrong_sizes;   /* blocks that came back with another size */
} counting_host;

static inline void *counting_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    static const size_t front = 64; /* as much as any type is aligned to */
    counting_host *c = user;
    size_t stored = 0;
    unsigned char *block = ptr ? (unsigned char *)ptr - front : NULL;
    if (block) memcpy(&stored, block, sizeof stored);
    if (stored != old_size) c->wrong_sizes++;
    if (new_size == 0) {
        c->bytes -= stored;
        c->blocks -= block != NULL;
        free(block);
        return NULL;
    }
    if (++c->asked == c->fail_at) return NULL;
    unsigned char *moved = realloc(block, new_size + front);
    if (!moved) return NULL;
    memcpy(moved, &new_size, sizeof new_size);
    c->bytes += new_size - stored;
    c->blocks += block == NULL;
    return moved + front;
}

static inline norn_host counting_host_of(counting_host *counter)
{
    norn_host host = NORN_HOST_INIT;
    host.user = counter;
    host.resize = counting_resize;
    return host;
}

/* Nothing is out, and every size was right. */
static inline void assert_all_returned_at(const counting_host *c, const char *file, int line)
{
    if (c->bytes == 0 && c->blocks == 0 && c->wrong_sizes == 0) return;
    print_error("%zu bytes in %zu blocks are out, %zu came back with a wrong size (request %zu failed)\n",
                c->bytes, c->blocks, c->wrong_sizes, c->fail_at);
    _fail(file, line);
}
#define assert_all_returned(counter) assert_all_returned_at(counter, __FILE__, __LINE__)

#endif
