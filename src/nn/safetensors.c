/*
 * The reader of safetensors.h. The header is read by a small parser of its own: a general one would make tens
 * of bytes of every byte of a hostile header, and this one makes none: names and texts are decoded where they
 * stand, in the copy of the header.
 */
#include "nn/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned bits;
} dtypes[] = {
    [NORN_DTYPE_BOOL] = {"BOOL", 8},       [NORN_DTYPE_F4] = {"F4", 4},
    [NORN_DTYPE_F6_E2M3] = {"F6_E2M3", 6}, [NORN_DTYPE_F6_E3M2] = {"F6_E3M2", 6},
    [NORN_DTYPE_U8] = {"U8", 8},           [NORN_DTYPE_I8] = {"I8", 8},
    [NORN_DTYPE_F8_E5M2] = {"F8_E5M2", 8}, [NORN_DTYPE_F8_E4M3] = {"F8_E4M3", 8},
    [NORN_DTYPE_F8_E8M0] = {"F8_E8M0", 8}, [NORN_DTYPE_I16] = {"I16", 16},
    [NORN_DTYPE_U16] = {"U16", 16},        [NORN_DTYPE_F16] = {"F16", 16},
    [NORN_DTYPE_BF16] = {"BF16", 16},      [NORN_DTYPE_I32] = {"I32", 32},
    [NORN_DTYPE_U32] = {"U32", 32},        [NORN_DTYPE_F32] = {"F32", 32},
    [NORN_DTYPE_C64] = {"C64", 64},        [NORN_DTYPE_F64] = {"F64", 64},
    [NORN_DTYPE_I64] = {"I64", 64},        [NORN_DTYPE_U64] = {"U64", 64},
};

const char *norn_dtype_name(norn_dtype dtype)
{
    return dtypes[dtype].name;
}

unsigned norn_dtype_bits(norn_dtype dtype)
{
    return dtypes[dtype].bits;
}

uint64_t norn_tensor_count(const norn_tensor *tensor)
{
    uint64_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++) count *= tensor->shape[i];
    return count;
}

struct norn_safetensors {
    norn_host host;
    char *path;
    int descriptor;             /* -1: */
    const unsigned char *bytes; /* the file in memory */
    uint64_t size, data;        /* bytes of the file; where the numbers begin */
    unsigned char *header;      /* a copy in which names and texts are decoded */
    size_t header_size;
    norn_tensor *tensors; /* [count] by name */
    size_t count, room;
    norn_tensor_text *texts; /* [text_count] by key */
    size_t text_count, text_room;
};

/* ---- bytes of the file ---- */

static norn_status fetch(norn_safetensors *file, uint64_t offset, void *out, size_t size, norn_error *err)
{
    unsigned char *to = out;
    if (file->bytes) {
        if (size) memcpy(to, file->bytes + offset, size);
        return NORN_OK;
    }
    while (size) {
        const ssize_t got = pread(file->descriptor, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            char words[128];
            if (strerror_r(errno, words, sizeof words) != 0) words[0] = '\0';
            return norn_fail_at(err, NORN_ERR_INPUT, file->path, 0, 0, "cannot be read: %s", words);
        }
        if (got == 0)
            return norn_fail_at(err, NORN_ERR_INPUT, file->path, 0, 0,
                                "ended early: it was changed while it was read");
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return NORN_OK;
}

/* ---- the header's JSON ------------------------------------------------------------------------------------
 */

typedef struct cursor {
    norn_safetensors *file;
    unsigned char *at, *end;
    norn_error *err;
} cursor;

/* Bytes of the UTF-8 sequence at `at` (RFC 3629); 0: there is none. */
static size_t utf8_step(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;
    while (i < NORN_COUNT(forms) && (at[0] < forms[i].low || at[0] > forms[i].high)) i++;
    if (i == NORN_COUNT(forms) || forms[i].length > left) return 0;
    for (size_t k = 1; k < forms[i].length; k++) {
        const unsigned char low = k == 1 ? forms[i].second_low : 0x80,
                            high = k == 1 ? forms[i].second_high : 0xbf;
        if (at[k] < low || at[k] > high) return 0;
    }
    return forms[i].length;
}

static norn_status bad(cursor *c, const char *expected)
{
    char found[40] = "the end";
    if (c->at < c->end) {
        char quoted[32];
        (void)snprintf(found, sizeof found, "\"%s\"",
                       norn_quote(quoted, sizeof quoted, (const char *)c->at,
                                  utf8_step(c->at, (size_t)(c->end - c->at)), 4));
    }
    return norn_fail_at(c->err, NORN_ERR_DATA, c->file->path, 0, 0, "header, byte %zu: expected %s, found %s",
                        (size_t)(c->at - c->file->header), expected, found);
}

static norn_status too_many(cursor *c, const char *what, size_t most)
{
    return norn_fail_at(c->err, NORN_ERR_DATA, c->file->path, 0, 0, "more than %zu %s", most, what);
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && memchr(" \t\r\n", *c->at, 4)) c->at++;
}

/* The next byte after blanks is `byte`: takes it. */
static bool take(cursor *c, unsigned char byte)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != byte) return false;
    c->at++;
    return true;
}

static int hex_digits(const cursor *c)
{
    int value = 0;
    if (c->end - c->at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        const unsigned char d = c->at[i];
        const int digit = d >= '0' && d <= '9'   ? d - '0'
                          : d >= 'a' && d <= 'f' ? d - 'a' + 10
                          : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \uXXXX after its \u, a pair of surrogates included, to UTF-8. NUL is refused: it would end a name early. */
static norn_status unicode(cursor *c, unsigned char **to)
{
    unsigned char *out = *to;
    int code = hex_digits(c);
    if (code <= 0) return bad(c, "four hexadecimal digits, not 0000");
    c->at += 4;
    if (code >= 0xdc00 && code <= 0xdfff) return bad(c, "a high surrogate before the low one");
    if (code >= 0xd800 && code <= 0xdbff) {
        if (c->end - c->at < 6 || c->at[0] != '\\' || c->at[1] != 'u') return bad(c, "a low surrogate");
        c->at += 2;
        const int low = hex_digits(c);
        if (low < 0xdc00 || low > 0xdfff) return bad(c, "a low surrogate");
        c->at += 4;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code < 0x80) {
        *out++ = (unsigned char)code;
    } else if (code < 0x800) {
        *out++ = (unsigned char)(0xc0 | code >> 6);
        *out++ = (unsigned char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (unsigned char)(0xe0 | code >> 12);
        *out++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (unsigned char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (unsigned char)(0xf0 | code >> 18);
        *out++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (unsigned char)(0x80 | (code & 0x3f));
    }
    *to = out;
    return NORN_OK;
}

/* A string, decoded in place and ended with a NUL: what it says is never longer than how it is written. */
static norn_status string(cursor *c, const char **out)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (!take(c, '"')) return bad(c, "a text in quotes");
    unsigned char *const begin = c->at, *to = c->at;
    while (c->at < c->end && *c->at != '"') {
        if (*c->at < 0x20) return bad(c, "no control character in a text");
        if (*c->at != '\\') {
            *to++ = *c->at++;
            continue;
        }
        if (++c->at == c->end) break;
        const char *known = *c->at ? strchr(escapes, *c->at) : NULL;
        if (known) {
            *to++ = (unsigned char)meanings[known - escapes];
            c->at++;
        } else if (*c->at == 'u') {
            c->at++;
            const norn_status status = unicode(c, &to);
            if (status != NORN_OK) return status;
        } else {
            return bad(c, "an escape that JSON knows");
        }
    }
    if (c->at == c->end) return bad(c, "the end of a text");
    c->at++;
    *to = '\0'; /* at the closing quote or before it */
    *out = (const char *)begin;
    return NORN_OK;
}

static norn_status name(cursor *c, const char *what, const char **out)
{
    const norn_status status = string(c, out);
    if (status == NORN_OK && strlen(*out) > NORN_TENSOR_NAME)
        return norn_fail_at(c->err, NORN_ERR_DATA, c->file->path, 0, 0, "a %s of more than %d bytes", what,
                            NORN_TENSOR_NAME);
    return status;
}

/* A whole number of 64 bits: no sign, fraction, exponent or zeros in front. */
static norn_status whole(cursor *c, uint64_t *out)
{
    skip_blanks(c);
    uint64_t value = 0;
    const unsigned char *const begin = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        const uint64_t digit = (uint64_t)(*c->at - '0');
        if ((value == 0 && c->at > begin) || value > (UINT64_MAX - digit) / 10)
            return bad(c, "a whole number below 2^64");
        value = value * 10 + digit;
    }
    if (c->at == begin || (c->at < c->end && memchr(".eE", *c->at, 3)))
        return bad(c, "a whole number, 0 or more");
    *out = value;
    return NORN_OK;
}

/* [n, n, ...] of at most `most`. */
static norn_status wholes(cursor *c, uint64_t *out, size_t *count, size_t most, const char *expected)
{
    *count = 0;
    if (!take(c, '[')) return bad(c, "a list of whole numbers");
    if (take(c, ']')) return NORN_OK;
    do {
        if (*count == most) return bad(c, expected);
        const norn_status status = whole(c, &out[(*count)++]);
        if (status != NORN_OK) return status;
    } while (take(c, ','));
    return take(c, ']') ? NORN_OK : bad(c, "\",\" or \"]\"");
}

/* A value of a field that is not ours: any JSON, so deep at most. */
static norn_status any_value(cursor *c, int depth)
{
    const char *text;
    norn_status status = NORN_OK;
    skip_blanks(c);
    if (c->at == c->end) return bad(c, "a value");
    if (*c->at == '"') return string(c, &text);
    if (*c->at == '{' || *c->at == '[') {
        const bool object = *c->at == '{';
        const unsigned char close = object ? '}' : ']';
        if (depth == 0) return bad(c, "fewer values inside one another");
        c->at++;
        if (take(c, close)) return NORN_OK;
        do {
            if (object && (status = string(c, &text)) != NORN_OK) return status;
            if (object && !take(c, ':')) return bad(c, "\":\"");
            if ((status = any_value(c, depth - 1)) != NORN_OK) return status;
        } while (take(c, ','));
        return take(c, close) ? NORN_OK : bad(c, "\",\" or the end of a list or an object");
    }
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < NORN_COUNT(words); i++) {
        const size_t length = strlen(words[i]);
        if ((size_t)(c->end - c->at) >= length && memcmp(c->at, words[i], length) == 0) {
            c->at += length;
            return NORN_OK;
        }
    }
    /* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
    const unsigned char *digits;
    if (*c->at == '-') c->at++;
    digits = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
    if (c->at == digits || (*digits == '0' && c->at > digits + 1)) return bad(c, "a value");
    if (c->at < c->end && *c->at == '.') {
        digits = ++c->at;
        while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
        if (c->at == digits) return bad(c, "a digit");
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-')) c->at++;
        digits = c->at;
        while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
        if (c->at == digits) return bad(c, "a digit");
    }
    return NORN_OK;
}

/* ---- what the header says ---- */

static norn_status grow(norn_safetensors *file, void **array, size_t *room, size_t used, size_t size,
                        norn_error *err)
{
    if (used < *room) return NORN_OK;
    const size_t more = *room ? *room + *room / 2 : 16;
    if (!norn_resize(&file->host, array, *room, more, size)) return norn_fail_memory(err, "a model's header");
    *room = more;
    return NORN_OK;
}

/* {"key":"text",...} */
static norn_status metadata(cursor *c)
{
    norn_safetensors *file = c->file;
    if (!take(c, '{')) return bad(c, "\"{\" after __metadata__");
    if (take(c, '}')) return NORN_OK;
    do {
        norn_tensor_text one;
        if (file->text_count == NORN_TENSOR_TEXTS) return too_many(c, "texts", NORN_TENSOR_TEXTS);
        norn_status status = name(c, "key", &one.key);
        if (status == NORN_OK && !take(c, ':')) status = bad(c, "\":\"");
        if (status == NORN_OK) status = string(c, &one.text);
        if (status == NORN_OK)
            status =
                grow(file, (void **)&file->texts, &file->text_room, file->text_count, sizeof one, c->err);
        if (status != NORN_OK) return status;
        file->texts[file->text_count++] = one;
    } while (take(c, ','));
    return take(c, '}') ? NORN_OK : bad(c, "\",\" or \"}\"");
}

static norn_status dtype(cursor *c, norn_dtype *out)
{
    const char *text;
    const norn_status status = string(c, &text);
    if (status != NORN_OK) return status;
    for (size_t i = 0; i < NORN_COUNT(dtypes); i++)
        if (strcmp(text, dtypes[i].name) == 0) {
            *out = (norn_dtype)i;
            return NORN_OK;
        }
    char quoted[40];
    return norn_fail_at(c->err, NORN_ERR_DATA, c->file->path, 0, 0, "unknown type of numbers \"%s\"",
                        norn_quote(quoted, sizeof quoted, text, strlen(text), 16));
}

/* {"dtype":...,"shape":[...],"data_offsets":[begin,end]}, in any order, each once; other fields are passed.
 */
static norn_status tensor(cursor *c, const char *of)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4, ANY_DEPTH = 64 };
    norn_safetensors *file = c->file;
    norn_tensor one = {.name = of};
    uint64_t offsets[2];
    unsigned seen = 0;
    if (!take(c, '{')) return bad(c, "\"{\" after a tensor's name");
    if (file->count == NORN_TENSORS) return too_many(c, "tensors", NORN_TENSORS);
    if (!take(c, '}')) {
        do {
            const char *field;
            norn_status status = string(c, &field);
            if (status == NORN_OK && !take(c, ':')) status = bad(c, "\":\"");
            if (status != NORN_OK) return status;
            size_t count = 2;
            const unsigned flag = strcmp(field, "dtype") == 0          ? DTYPE
                                  : strcmp(field, "shape") == 0        ? SHAPE
                                  : strcmp(field, "data_offsets") == 0 ? OFFSETS
                                                                       : 0;
            if (seen & flag) return bad(c, "each field of a tensor once");
            seen |= flag;
            if (flag == DTYPE)
                status = dtype(c, &one.dtype);
            else if (flag == SHAPE)
                status = wholes(c, one.shape, &one.rank, NORN_TENSOR_RANK, "at most 8 dimensions");
            else if (flag == OFFSETS)
                status = wholes(c, offsets, &count, 2, "two offsets");
            else
                status = any_value(c, ANY_DEPTH);
            if (status == NORN_OK && count != 2) status = bad(c, "two offsets");
            if (status != NORN_OK) return status;
        } while (take(c, ','));
        if (!take(c, '}')) return bad(c, "\",\" or \"}\"");
    }
    if (seen != (DTYPE | SHAPE | OFFSETS)) return bad(c, "a tensor's dtype, shape and data_offsets before");
    one.begin = offsets[0];
    one.end = offsets[1];
    const norn_status status =
        grow(file, (void **)&file->tensors, &file->room, file->count, sizeof one, c->err);
    if (status == NORN_OK) file->tensors[file->count++] = one;
    return status;
}

static norn_status parse(cursor *c)
{
    norn_status status = NORN_OK;
    bool described = false;
    if (c->at == c->end || *c->at != '{') return bad(c, "\"{\" as the first byte");
    c->at++;
    if (!take(c, '}')) {
        do {
            const char *key;
            status = name(c, "tensor's name", &key);
            if (status == NORN_OK && !take(c, ':')) status = bad(c, "\":\"");
            if (status != NORN_OK) return status;
            if (strcmp(key, "__metadata__") != 0) {
                status = tensor(c, key);
            } else if (described) {
                status = bad(c, "__metadata__ once");
            } else {
                described = true;
                status = metadata(c);
            }
            if (status != NORN_OK) return status;
        } while (take(c, ','));
        if (!take(c, '}')) return bad(c, "\",\" or \"}\"");
    }
    skip_blanks(c);
    return c->at == c->end ? NORN_OK : bad(c, "nothing after the last \"}\"");
}

/* ---- what must hold ---- */

static norn_status check_utf8(norn_safetensors *file, norn_error *err)
{
    for (size_t at = 0, step; at < file->header_size; at += step)
        if (!(step = utf8_step(file->header + at, file->header_size - at)))
            return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0, "header, byte %zu: not UTF-8", at);
    return NORN_OK;
}

static int by_offset(const void *a, const void *b)
{
    const norn_tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}
static int by_name(const void *a, const void *b)
{
    const norn_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}
static int by_key(const void *a, const void *b)
{
    const norn_tensor_text *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static norn_status refuse(norn_safetensors *file, const char *of, const char *what, norn_error *err)
{
    char quoted[140];
    return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0, "tensor \"%s\": %s",
                        norn_quote(quoted, sizeof quoted, of, strlen(of), 100), what);
}

/* Bytes of a tensor from its shape and type; false on overflow. */
static bool bits_of(const norn_tensor *tensor, uint64_t *bits)
{
    uint64_t product = 1;
    for (size_t i = 0; i <= tensor->rank; i++) {
        const uint64_t factor = i < tensor->rank ? tensor->shape[i] : dtypes[tensor->dtype].bits;
        if (factor && product > UINT64_MAX / factor) return false;
        product *= factor;
    }
    *bits = product;
    return true;
}

static norn_status validate(norn_safetensors *file, norn_error *err)
{
    uint64_t at = 0;
    if (file->count) qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    for (size_t i = 0; i < file->count; i++) {
        const norn_tensor *one = &file->tensors[i];
        uint64_t bits;
        if (one->begin != at || one->end < one->begin)
            return refuse(file, one->name,
                          one->end < one->begin ? "ends before it begins"
                          : one->begin < at     ? "overlaps another one"
                                                : "a hole in the file comes before it",
                          err);
        if (!bits_of(one, &bits)) return refuse(file, one->name, "its size is beyond 2^64", err);
        if (bits % 8) return refuse(file, one->name, "does not fill its last byte", err);
        if (bits / 8 != one->end - one->begin)
            return refuse(file, one->name, "its offsets do not agree with its shape and type", err);
        at = one->end;
    }
    if (at != file->size - file->data)
        return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0,
                            "the tensors end at byte %llu, the file at %llu: it is cut off or has been "
                            "added to",
                            (unsigned long long)(file->data + at), (unsigned long long)file->size);
    if (file->count) qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
    for (size_t i = 1; i < file->count; i++)
        if (by_name(&file->tensors[i - 1], &file->tensors[i]) == 0)
            return refuse(file, file->tensors[i].name, "is there twice", err);
    if (file->text_count) qsort(file->texts, file->text_count, sizeof *file->texts, by_key);
    for (size_t i = 1; i < file->text_count; i++)
        if (by_key(&file->texts[i - 1], &file->texts[i]) == 0)
            return refuse(file, "__metadata__", "a key is there twice", err);
    return NORN_OK;
}

/* ---- opening ---- */

static norn_status read_header(norn_safetensors *file, norn_error *err)
{
    unsigned char length[8];
    uint64_t size = 0;
    norn_status status;
    if (file->size < sizeof length)
        return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0,
                            "not a safetensors file: %llu bytes, fewer than the 8 it begins with",
                            (unsigned long long)file->size);
    if ((status = fetch(file, 0, length, sizeof length, err)) != NORN_OK) return status;
    for (size_t i = sizeof length; i-- > 0;) size = size << 8 | length[i];
    if (size > NORN_TENSOR_HEADER)
        return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0,
                            "not a safetensors file, or a damaged one: a header of %llu bytes, more than %d",
                            (unsigned long long)size, NORN_TENSOR_HEADER);
    if (size > file->size - sizeof length)
        return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0,
                            "cut off, or not a safetensors file: a header of %llu bytes in a file of %llu",
                            (unsigned long long)size, (unsigned long long)file->size);
    file->data = sizeof length + size;
    file->header_size = (size_t)size;
    if (size == 0) return norn_fail_at(err, NORN_ERR_DATA, file->path, 0, 0, "the header is empty");
    file->header = norn_new(&file->host, file->header_size, 1);
    if (!file->header) return norn_fail_memory(err, "a model's header");
    if ((status = fetch(file, sizeof length, file->header, file->header_size, err)) != NORN_OK) return status;
    if ((status = check_utf8(file, err)) != NORN_OK) return status;
    cursor c = {file, file->header, file->header + file->header_size, err};
    if ((status = parse(&c)) != NORN_OK) return status;
    return validate(file, err);
}

static norn_status open_common(norn_safetensors **out, const norn_safetensors *from, const char *path,
                               norn_error *err)
{
    norn_status status = NORN_OK;
    norn_safetensors *file = norn_new(&from->host, 1, sizeof *file);
    if (file) {
        *file = *from;
        file->path = norn_text_copy(&file->host, path, strlen(path));
    }
    if (!file || !file->path) status = norn_fail_memory(err, "a model's file");
    if (status == NORN_OK) status = read_header(file, err);
    if (status == NORN_OK)
        *out = file;
    else if (file)
        norn_safetensors_free(file);
    else if (from->descriptor >= 0)
        (void)close(from->descriptor);
    return status;
}

norn_status norn_safetensors_open(norn_safetensors **out, const char *path, const norn_host *host,
                                  norn_error *err)
{
    struct stat found;
    norn_safetensors from = {.host = norn_host_copy(host)};
    do from.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    while (from.descriptor < 0 && errno == EINTR);
    if (from.descriptor < 0 || fstat(from.descriptor, &found) != 0) {
        char words[128];
        if (strerror_r(errno, words, sizeof words) != 0) words[0] = '\0';
        if (from.descriptor >= 0) (void)close(from.descriptor);
        return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot be opened: %s", words);
    }
    if (!S_ISREG(found.st_mode)) {
        (void)close(from.descriptor);
        return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "is not a regular file");
    }
    from.size = (uint64_t)found.st_size;
    return open_common(out, &from, path, err);
}

norn_status norn_safetensors_open_bytes(norn_safetensors **out, const void *bytes, size_t size,
                                        const char *name_of, const norn_host *host, norn_error *err)
{
    const norn_safetensors from = {
        .host = norn_host_copy(host), .descriptor = -1, .bytes = bytes, .size = size};
    return open_common(out, &from, name_of, err);
}

void norn_safetensors_free(norn_safetensors *file)
{
    if (!file) return;
    const norn_host host = file->host;
    if (file->descriptor >= 0) (void)close(file->descriptor);
    norn_delete(&host, file->texts, file->text_room, sizeof *file->texts);
    norn_delete(&host, file->tensors, file->room, sizeof *file->tensors);
    norn_delete(&host, file->header, file->header_size, 1);
    norn_text_delete(&host, file->path);
    norn_delete(&host, file, 1, sizeof *file);
}

/* ---- what is there ---- */

size_t norn_safetensors_count(const norn_safetensors *file)
{
    return file->count;
}
const norn_tensor *norn_safetensors_tensor(const norn_safetensors *file, size_t index)
{
    return &file->tensors[index];
}
const char *norn_safetensors_path(const norn_safetensors *file)
{
    return file->path;
}

const norn_tensor *norn_safetensors_find(const norn_safetensors *file, const char *wanted)
{
    const norn_tensor key = {.name = wanted};
    return file->count ? bsearch(&key, file->tensors, file->count, sizeof key, by_name) : NULL;
}

const char *norn_safetensors_text(const norn_safetensors *file, const char *wanted)
{
    const norn_tensor_text key = {wanted, NULL};
    const norn_tensor_text *found =
        file->text_count ? bsearch(&key, file->texts, file->text_count, sizeof key, by_key) : NULL;
    return found ? found->text : NULL;
}

norn_status norn_safetensors_read(norn_safetensors *file, const norn_tensor *tensor_of, uint64_t offset,
                                  void *out, size_t bytes, norn_error *err)
{
    const uint64_t size = tensor_of->end - tensor_of->begin;
    if (offset > size || bytes > size - offset)
        return norn_fail(err, NORN_ERR_INTERNAL, "a tensor is read beyond its end");
    const norn_status status = fetch(file, file->data + tensor_of->begin + offset, out, bytes, err);
    if (status == NORN_OK) norn_tensor_swap(tensor_of->dtype, out, bytes);
    return status;
}
