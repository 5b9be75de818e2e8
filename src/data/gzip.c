/*
 * gzip as a stream, as declared in gzip.h: zlib's inflate behind a buffer that is always filled up before it
 * is unpacked, so that nothing depends on how the stream hands out its bytes.
 */
#include "data/gzip.h"

#include <string.h>
#include <zlib.h>

struct norn_gzip {
    z_stream z;
    norn_host host;
    norn_read_fn read;
    void *user;
    const char *name;
    unsigned char packed[NORN_GZIP_HEAD];
    uint64_t taken; /* packed bytes read */
    uint64_t text;  /* bytes unpacked */
    bool ended;     /* the stream has: it is not asked again */
    bool failed;    /* it ended because reading failed */
    enum { MEMBER, BETWEEN, ZEROS } state;
};

/* zlib frees without saying how much: each block carries its size in front of it. */
#define FRONT ((size_t)16)

static voidpf zlib_new(voidpf user, uInt count, uInt size)
{
    const norn_host *host = user;
    const size_t bytes = (size_t)count * size + FRONT;
    unsigned char *block = host->resize(host->user, NULL, 0, bytes);
    if (!block) return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + FRONT;
}

static void zlib_delete(voidpf user, voidpf ptr)
{
    const norn_host *host = user;
    if (!ptr) return;
    unsigned char *block = (unsigned char *)ptr - FRONT;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    norn_delete(host, block, bytes, 1);
}

bool norn_gzip_is(const char *bytes, size_t size)
{
    return size >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

norn_status norn_gzip_open(norn_gzip **out, const char *head, size_t size, bool ended, norn_read_fn read,
                           void *user, const char *name, const norn_host *host, norn_error *err)
{
    if (size > NORN_GZIP_HEAD)
        return norn_fail(err, NORN_ERR_INTERNAL, "the head of a gzip file is too long");
    norn_gzip *gzip = norn_new(host, 1, sizeof *gzip);
    if (!gzip) return norn_fail_memory(err, "unpacking the file");
    gzip->host = *host;
    gzip->read = read;
    gzip->user = user;
    gzip->name = name;
    gzip->taken = size;
    gzip->ended = ended;
    memcpy(gzip->packed, head, size);
    gzip->z.next_in = gzip->packed;
    gzip->z.avail_in = (uInt)size;
    gzip->z.zalloc = zlib_new;
    gzip->z.zfree = zlib_delete;
    gzip->z.opaque = &gzip->host;
    if (inflateInit2(&gzip->z, 15 + 16) != Z_OK) { /* the largest window, gzip alone */
        norn_delete(host, gzip, 1, sizeof *gzip);
        return norn_fail_memory(err, "unpacking the file");
    }
    *out = gzip;
    return NORN_OK;
}

/* Fills the buffer again once it is used up. */
static void fill(norn_gzip *gzip)
{
    if (gzip->z.avail_in || gzip->ended) return;
    size_t got = 0;
    while (got < sizeof gzip->packed && !gzip->ended) {
        const size_t n = gzip->read(gzip->user, gzip->packed + got, sizeof gzip->packed - got);
        gzip->failed = n > sizeof gzip->packed - got;
        gzip->ended = gzip->failed || n == 0;
        if (!gzip->ended) got += n;
    }
    gzip->taken += got;
    gzip->z.next_in = gzip->packed;
    gzip->z.avail_in = (uInt)got;
}

static norn_status fail(const norn_gzip *gzip, const char *what, norn_error *err)
{
    return norn_fail_at(err, NORN_ERR_DATA, gzip->name, 0, 0, what, (unsigned long long)gzip->text);
}

static norn_status fail_reading(const norn_gzip *gzip, norn_error *err)
{
    return norn_fail_at(err, NORN_ERR_INPUT, gzip->name, 0, 0, "reading failed");
}

#define DAMAGED "the gzip data is damaged after %llu bytes of text (fetch the file again; gzip -t checks it)"
#define CUT_OFF "the gzip data ends in the middle, after %llu bytes of text (was the file copied whole?)"
#define FOREIGN                                                                                              \
    "something that is not gzip stands behind the gzip data, after %llu bytes of text (cut it off)"

/* Behind a member: another one, zeros, or nothing. */
static norn_status begin_member(norn_gzip *gzip, norn_error *err)
{
    if (gzip->state == BETWEEN && *gzip->z.next_in == 0x1f) {
        (void)inflateReset(&gzip->z);
        gzip->state = MEMBER;
        return NORN_OK;
    }
    gzip->state = ZEROS;
    while (gzip->z.avail_in && *gzip->z.next_in == 0) {
        gzip->z.next_in++;
        gzip->z.avail_in--;
    }
    return gzip->z.avail_in ? fail(gzip, FOREIGN, err) : NORN_OK;
}

norn_status norn_gzip_read(norn_gzip *gzip, char *out, size_t size, size_t *got, norn_error *err)
{
    *got = 0;
    while (*got < size) {
        fill(gzip);
        if (gzip->state != MEMBER) {
            if (gzip->z.avail_in == 0) return gzip->failed ? fail_reading(gzip, err) : NORN_OK;
            const norn_status status = begin_member(gzip, err);
            if (status != NORN_OK) return status;
            continue;
        }
        const size_t room = size - *got < ((size_t)1 << 30) ? size - *got : (size_t)1 << 30;
        gzip->z.next_out = (unsigned char *)out + *got;
        gzip->z.avail_out = (uInt)room;
        const int code = inflate(&gzip->z, Z_NO_FLUSH);
        const size_t more = room - gzip->z.avail_out;
        *got += more;
        gzip->text += more;
        if (code == Z_STREAM_END)
            gzip->state = BETWEEN;
        else if (code == Z_MEM_ERROR)
            return norn_fail_memory(err, "unpacking the file");
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return fail(gzip, DAMAGED, err);
        else if (gzip->z.avail_out && gzip->z.avail_in == 0 && gzip->ended)
            return gzip->failed ? fail_reading(gzip, err) : fail(gzip, CUT_OFF, err);
    }
    return NORN_OK;
}

uint64_t norn_gzip_taken(const norn_gzip *gzip)
{
    return gzip->taken;
}

void norn_gzip_free(norn_gzip *gzip)
{
    if (!gzip) return;
    (void)inflateEnd(&gzip->z);
    const norn_host host = gzip->host;
    norn_delete(&host, gzip, 1, sizeof *gzip);
}
