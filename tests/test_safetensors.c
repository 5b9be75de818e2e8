/*
 * The safetensors reader and writer. What the format's own reader refuses is refused here, with words; what
 * it takes is taken. Damaged and hostile headers: every byte of a header changed to every other, a file cut
 * at every byte, memory while a header of the largest size is read.
 */
#include "counting_host.h"

#include "nn/safetensors.h"

#include <unistd.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/norn-tensors-XXXXXX");
    const int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

/* ---- files in memory ---- */

typedef struct blob {
    unsigned char bytes[1024];
    size_t size;
} blob;

/* A header and `data` bytes 0, 1, 2, ... after it. */
static blob file_of(const char *header, size_t data)
{
    blob b = {.size = 8 + strlen(header) + data};
    assert_true(b.size <= sizeof b.bytes);
    b.bytes[0] = (unsigned char)strlen(header);
    b.bytes[1] = (unsigned char)(strlen(header) >> 8);
    memcpy(b.bytes + 8, header, strlen(header));
    for (size_t i = 0; i < data; i++) b.bytes[8 + strlen(header) + i] = (unsigned char)i;
    return b;
}

static norn_status open_blob(norn_safetensors **out, const void *bytes, size_t size, norn_error *err)
{
    /* A copy of just this size, so that a checker sees every step beyond it. */
    static unsigned char *copy;
    free(copy);
    copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size) memcpy(copy, bytes, size);
    return norn_safetensors_open_bytes(out, copy, size, "blob", NULL, err);
}

/* What every reader promises of a file it took. */
static void assert_sound(norn_safetensors *file, uint64_t data)
{
    uint64_t covered = 0;
    unsigned char bytes[1024];
    norn_error err = NORN_ERROR_INIT;
    for (size_t i = 0; i < norn_safetensors_count(file); i++) {
        const norn_tensor *one = norn_safetensors_tensor(file, i);
        assert_true(one->rank <= NORN_TENSOR_RANK && one->begin <= one->end && one->end <= data);
        assert_int_equal((one->end - one->begin) * 8, norn_tensor_count(one) * norn_dtype_bits(one->dtype));
        assert_ptr_equal(norn_safetensors_find(file, one->name), one);
        assert_ok(norn_safetensors_read(file, one, 0, bytes, (size_t)(one->end - one->begin), &err), &err);
        covered += one->end - one->begin;
    }
    assert_int_equal(covered, data);
}

/* ---- what is taken ---- */

static void what_the_format_allows_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data, tensors;
    } cases[] = {
        {"{}", 0, 0},
        {"{}\r \t\n", 0, 0}, /* padding */
        {"{ \"a\" : { \"dtype\" : \"U8\" , \"shape\" : [ 3 ] , \"data_offsets\" : [ 0 , 3 ] } }   ", 3, 1},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1},    /* one number */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0, 1}, /* none */
        {"{\"b\":{\"dtype\":\"I16\",\"shape\":[1,2],\"data_offsets\":[4,8]},"
         "\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]},"
         "\"a\":{\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\"}}",
         8, 3}, /* any order */
        {"{\"__metadata__\":{}}", 0, 0},
        {"{\"__metadata__\":{\"k\":\"v\",\"\":\"\"},\"\":{\"dtype\":\"BOOL\",\"shape\":[1,1,1,1,1,1,1,1],"
         "\"data_offsets\":[0,1]}}",
         1, 1},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[2,3],\"data_offsets\":[0,3]}}", 3,
         1}, /* half bytes that fill up */
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"new\":{\"x\":[-1.5e+3,0,true,null,{}],\"y\":\"\"},"
         "\"data_offsets\":[0,1]}}",
         1, 1}, /* a field of a later version */
        {"{\"\\u00e4\\ud83d\\ude00\\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, 1},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const blob b = file_of(cases[i].header, cases[i].data);
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_ok(open_blob(&file, b.bytes, b.size, &err), &err);
        assert_int_equal(norn_safetensors_count(file), cases[i].tensors);
        assert_sound(file, cases[i].data);
        norn_safetensors_free(file);
    }
}

static void names_and_texts_are_decoded(void **state)
{
    (void)state;
    const blob b = file_of(
        "{\"__metadata__\":{\"key\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac\\uD83D\\uDE00\"},"
        "\"\xc3\xa4\\u0062\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        2);
    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(open_blob(&file, b.bytes, b.size, &err), &err);
    assert_string_equal(norn_safetensors_text(file, "key"),
                        "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_null(norn_safetensors_text(file, "ke"));
    const norn_tensor *one = norn_safetensors_find(file, "\xc3\xa4"
                                                         "b");
    assert_non_null(one);
    unsigned char got[2] = {9, 9};
    assert_ok(norn_safetensors_read(file, one, 0, got, 2, &err), &err);
    assert_true(got[0] == 0 && got[1] == 1);
    assert_int_equal(norn_safetensors_read(file, one, 1, got, 2, NULL), NORN_ERR_INTERNAL);
    assert_int_equal(norn_safetensors_read(file, one, 3, got, 0, NULL), NORN_ERR_INTERNAL);
    norn_safetensors_free(file);
}

/* ---- what is refused ---- */

#define ONE(dtype, shape, offsets)                                                                           \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}}"
#define TWO(first, second)                                                                                   \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[" first "]},"                                  \
    "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[" second "]}}"

static void what_the_format_forbids_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *words;
    } cases[] = {
        /* JSON that is none */
        {" {}", 0, "byte 0: expected \"{\" as the first byte, found \" \""},
        {"[]", 0, "\"{\" as the first byte"},
        {"{", 0, "found the end"},
        {"{}x", 0, "byte 2: expected nothing after the last"},
        {"{}{}", 0, "nothing after the last"},
        {"{\"a\"}", 0, "\":\""},
        {"{\"a\":{},}", 0, "dtype, shape and data_offsets"},
        {"{a:{}}", 0, "a text in quotes"},
        {"{\"a\":1}", 0, "\"{\" after a tensor's name"},
        {"{\"a\n\":{}}", 0, "no control character"},
        {"{\"\\x\":{}}", 0, "an escape that JSON knows"},
        {"{\"\\u12g4\":{}}", 0, "four hexadecimal digits"},
        {"{\"\\u0000\":{}}", 0, "not 0000"},
        {"{\"\\ud800\":{}}", 0, "a low surrogate"},
        {"{\"\\ud800\\u0041\":{}}", 0, "a low surrogate"},
        {"{\"\\udc00\":{}}", 0, "a high surrogate"},
        {"{\"a", 0, "the end of a text"},
        {"{\"a\\", 0, "the end of a text"},
        {"{\"a\\\"", 0, "the end of a text"},
        {"{\"\xc3\":{}}", 0, "byte 2: not UTF-8"},
        {"{\"\xed\xa0\x80\":{}}", 0, "not UTF-8"},
        {"{\"\xc0\xaf\":{}}", 0, "not UTF-8"},
        {"{\"\xf4\x90\x80\x80\":{}}", 0, "not UTF-8"},
        /* fields */
        {ONE("F32", "1", "0,4") "}", 4, "nothing after"},
        {ONE("F33", "1", "0,4"), 4, "unknown type of numbers \"F33\""},
        {ONE("f32", "1", "0,4"), 4, "unknown type"},
        {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "a text in quotes"},
        {ONE("F32", "1.0", "0,4"), 4, "a whole number, 0 or more"},
        {ONE("F32", "1e0", "0,4"), 4, "a whole number"},
        {ONE("F32", "-1", "0,4"), 4, "a whole number, 0 or more"},
        {ONE("F32", "01", "0,4"), 4, "a whole number"},
        {ONE("F32", "\"1\"", "0,4"), 4, "a whole number"},
        {ONE("F32", "1,", "0,4"), 4, "a whole number"},
        {ONE("F32", "1 1", "0,4"), 4, "\",\" or \"]\""},
        {ONE("F32", "null", "0,4"), 4, "a whole number"},
        {ONE("F32", "1,1,1,1,1,1,1,1,1", "0,4"), 4, "at most 8 dimensions"},
        {ONE("F32", "1", "0"), 4, "two offsets"},
        {ONE("F32", "1", "0,4,4"), 4, "two offsets"},
        {ONE("F32", "1", "0,18446744073709551616"), 4, "below 2^64"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[0,4]}}", 4, "a list"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "once"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
         2, "\"a\": is there twice"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":[1,]}}", 1, "a value"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":tru}}", 1, "a value"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":01}}", 1, "a value"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1.}}", 1, "a digit"},
        /* metadata */
        {"{\"__metadata__\":1}", 0, "after __metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "a text in quotes"},
        {"{\"__metadata__\":{\"a\":null}}", 0, "a text in quotes"},
        {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "a key is there twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ once"},
        /* sizes */
        {"{}", 1, "the tensors end at byte 10, the file at 11"},
        {ONE("F32", "1", "0,4"), 5, "the tensors end"},
        {ONE("F32", "1", "0,4"), 3, "the tensors end"},
        {ONE("F32", "1", "0,3"), 3, "do not agree"},
        {ONE("F32", "2", "0,4"), 4, "do not agree"},
        {ONE("F32", "0", "0,4"), 4, "do not agree"},
        {ONE("F32", "1", "4,0"), 4, "ends before it begins"},
        {ONE("F32", "1", "1,5"), 5, "a hole in the file"},
        {TWO("0,2", "3,5"), 5, "\"b\": a hole in the file"},
        {TWO("0,2", "1,3"), 3, "overlaps"},
        {TWO("0,2", "0,2"), 2, "overlaps"},
        {ONE("F4", "3", "0,2"), 2, "does not fill its last byte"},
        {ONE("F32", "9223372036854775808,9223372036854775808", "0,4"), 4, "beyond 2^64"},
        {ONE("F32", "4294967296,4294967296", "0,0"), 0, "beyond 2^64"},
        {ONE("U8", "2305843009213693952,8", "0,0"), 0, "beyond 2^64"},
        {ONE("F64", "4611686018427387904", "0,0"), 0, "beyond 2^64"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        const blob b = file_of(cases[i].header, cases[i].data);
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status = open_blob(&file, b.bytes, b.size, &err);
        if (status != NORN_ERR_DATA || !strstr(err.message, cases[i].words) || file)
            fail_msg("%s: %s \"%s\", expected \"%s\"", cases[i].header, norn_status_name(status), err.message,
                     cases[i].words);
        assert_string_equal(err.file, "blob");
    }
}

static void lengths_that_cannot_be_are_refused_before_anything_is_allocated(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[10];
        size_t size;
        const char *words;
    } cases[] = {
        {{0}, 0, "0 bytes, fewer than the 8"},
        {{2, 0, 0, 0, 0, 0, 0}, 7, "7 bytes, fewer"},
        {{0}, 8, "header is empty"},
        {{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "cut off"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'}, 10, "18446744073709551615"},
        {{1, 0, 0, 1, 0, 0, 0, 0, '{', '}'}, 10, "more than 16777216"},
        {{'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0}, 10, "not a safetensors file"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        counting_host counter = {0};
        const norn_host host = counting_host_of(&counter);
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(
            norn_safetensors_open_bytes(&file, cases[i].bytes, cases[i].size, "short", &host, &err),
            NORN_ERR_DATA);
        assert_non_null(strstr(err.message, cases[i].words));
        assert_true(counter.asked <= 2); /* itself and its name */
        assert_all_returned(&counter);
    }
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"/nonexistent/model", "/tmp", "/dev/null", ""};
    for (size_t i = 0; i < NORN_COUNT(names); i++) {
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_safetensors_open(&file, names[i], NULL, &err), NORN_ERR_INPUT);
        assert_string_equal(err.file, names[i]);
        assert_null(file);
    }
}

/* ---- damage ---- */

static const char sample[] =
    "{\"__metadata__\":{\"k\":\"v\\n\"},\"ab\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
    "\"c\":{\"dtype\":\"U8\",\"shape\":[10],\"data_offsets\":[24,34]}}  ";

static void any_byte_of_a_header_changed_is_refused_or_sound(void **state)
{
    (void)state;
    const blob good = file_of(sample, 34);
    size_t taken = 0, refused = 0;
    for (size_t at = 0; at < good.size - 34; at++)
        for (unsigned value = 0; value < 256; value++) {
            blob bad = good;
            if (bad.bytes[at] == value) continue;
            bad.bytes[at] = (unsigned char)value;
            norn_safetensors *file = NULL;
            norn_error err = NORN_ERROR_INIT;
            if (open_blob(&file, bad.bytes, bad.size, &err) == NORN_OK) {
                taken++;
                assert_sound(file, 34);
                assert_int_equal(norn_safetensors_count(file), 2);
            } else {
                refused++;
                assert_int_equal(err.status, NORN_ERR_DATA);
                assert_true(err.message[0] && !strpbrk(err.message, "\r\n"));
            }
            norn_safetensors_free(file);
        }
    assert_true(taken > 500 && refused > 20000); /* letters of names; everything else */
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    const blob good = file_of(sample, 34);
    for (size_t size = 0; size < good.size; size++) {
        norn_safetensors *file = NULL;
        assert_int_equal(open_blob(&file, good.bytes, size, NULL), NORN_ERR_DATA);
    }
}

static void a_file_that_shrinks_while_it_is_read_is_an_error(void **state)
{
    (void)state;
    const blob good = file_of(sample, 34);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(good.bytes, 1, good.size, out), good.size);
    assert_int_equal(fclose(out), 0);
    norn_safetensors *file = NULL;
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_safetensors_open(&file, path, NULL, &err), &err);
    assert_int_equal(truncate(path, (off_t)good.size - 10), 0);
    char bytes[10];
    assert_int_equal(norn_safetensors_read(file, norn_safetensors_find(file, "c"), 0, bytes, 10, &err),
                     NORN_ERR_INPUT);
    assert_non_null(strstr(err.message, "changed while it was read"));
    norn_safetensors_free(file);
}

/* ---- memory ---- */

typedef struct peak_host {
    size_t now, most;
} peak_host;

static void *peak_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    peak_host *p = user;
    if (p->now + new_size > p->most) p->most = p->now + new_size; /* both stand while it is moved */
    p->now += new_size - old_size;
    if (new_size) return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* Headers of 16 MiB that hold nothing but small things, each kind in turn. */
static void the_largest_headers_need_little_more_than_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *before, *part, *after;
        bool numbered;
    } cases[] = {
        {"{", "\"%06zu\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},", "}", true},
        {"{\"__metadata__\":{", "\"%zu\":\"\",", "}}", true},
        {"{\"a\":{\"x\":[", "0,", "]}}", false},
        {"{\"a\":{\"x\":", "[", "]}}", false},
        {"{\"a\":{\"shape\":[", "0,", "]}}", false},
        {"{\"", "\\u0041", "\":{}}", false},
    };
    const size_t size = NORN_TENSOR_HEADER;
    unsigned char *bytes = malloc(8 + size);
    assert_non_null(bytes);
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        memset(bytes, ' ', 8 + size);
        for (size_t k = 0; k < 8; k++) bytes[k] = (unsigned char)((uint64_t)size >> (8 * k));
        char part[80];
        size_t at = 8 + strlen(cases[i].before), written = 0;
        memcpy(bytes + 8, cases[i].before, strlen(cases[i].before));
        (void)snprintf(part, sizeof part, "%s", cases[i].part);
        while (at + sizeof part + strlen(cases[i].after) < 8 + size) {
            const size_t length = strlen(part);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            if (cases[i].numbered) (void)snprintf(part, sizeof part, cases[i].part, written);
#pragma GCC diagnostic pop
            memcpy(bytes + at, part, cases[i].numbered ? strlen(part) : length);
            at += cases[i].numbered ? strlen(part) : length;
            written++;
        }
        memcpy(bytes + at - (cases[i].part[strlen(cases[i].part) - 1] == ','), cases[i].after,
               strlen(cases[i].after));
        peak_host peak = {0, 0};
        norn_host host = NORN_HOST_INIT;
        host.user = &peak;
        host.resize = peak_resize;
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        assert_int_equal(norn_safetensors_open_bytes(&file, bytes, 8 + size, "large", &host, &err),
                         NORN_ERR_DATA); /* too many, too deep, too long */
        assert_int_equal(peak.now, 0);
        assert_true(peak.most < 48u << 20);
    }
    free(bytes);
}

static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    const blob good = file_of(sample, 34);
    size_t failures = 0;
    for (size_t fail_at = 1;; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_safetensors *file = NULL;
        norn_error err = NORN_ERROR_INIT;
        const norn_status status =
            norn_safetensors_open_bytes(&file, good.bytes, good.size, "x", &host, &err);
        norn_safetensors_free(file);
        assert_all_returned(&counter);
        if (status == NORN_OK) break;
        assert_int_equal(status, NORN_ERR_MEMORY);
        failures++;
    }
    assert_int_equal(failures, 5);
}

/* ---- writing ---- */

static norn_status count_up(void *user, uint64_t offset, void *out, size_t bytes, norn_error *err)
{
    const uint64_t *limit = user;
    if (offset >= *limit) return norn_fail(err, NORN_ERR_CANCELLED, "enough");
    unsigned char *to = out;
    for (size_t i = 0; i < bytes; i++) to[i] = (unsigned char)((offset + i) * 7);
    return NORN_OK;
}

/* Every type, shapes of every rank, numbers from memory and from a function, in a given order. */
static norn_status write_all(bool turned, const uint64_t *limit, norn_error *err)
{
    enum { TENSORS = 20 };
    static const norn_dtype whole[] = {NORN_DTYPE_BOOL, NORN_DTYPE_U8,  NORN_DTYPE_I8,  NORN_DTYPE_I16,
                                       NORN_DTYPE_U16,  NORN_DTYPE_F16, NORN_DTYPE_I32, NORN_DTYPE_U32,
                                       NORN_DTYPE_F32,  NORN_DTYPE_C64, NORN_DTYPE_F64, NORN_DTYPE_I64,
                                       NORN_DTYPE_U64};
    static char names[TENSORS][32];
    static unsigned char data[4096];
    norn_tensor_source tensors[TENSORS];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 7);
    for (size_t i = 0; i < TENSORS; i++) {
        const size_t k = turned ? TENSORS - 1 - i : i;
        (void)snprintf(names[i], sizeof names[i], "t%zu\t\"\\\xc3\xa4", k);
        tensors[i] = (norn_tensor_source){.tensor = {.name = names[i],
                                                     .dtype = whole[k % NORN_COUNT(whole)],
                                                     .rank = k % (NORN_TENSOR_RANK + 1)},
                                          .data = k % 2 ? data : NULL,
                                          .fill = count_up,
                                          .user = (void *)(uintptr_t)limit};
        for (size_t d = 0; d < tensors[i].tensor.rank; d++) tensors[i].tensor.shape[d] = (d + k) % 3;
        if (k == 12) {
            tensors[i].tensor.rank = 2;
            tensors[i].tensor.shape[0] = 3; /* several blocks */
            tensors[i].tensor.shape[1] = 50000;
        }
    }
    norn_tensor_text texts[] = {{"b", "\x01\x1f\"\\/ \xe2\x82\xac"}, {"a", ""}};
    if (turned) {
        const norn_tensor_text kept = texts[0];
        texts[0] = texts[1];
        texts[1] = kept;
    }
    return norn_safetensors_write(path, tensors, TENSORS, texts, 2, NULL, NULL, err);
}

static unsigned char *content(size_t *size)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    unsigned char *bytes = malloc(4u << 20);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 4u << 20, in);
    (void)fclose(in);
    return bytes;
}

static void what_is_written_is_read_again_to_the_bit(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    const uint64_t limit = UINT64_MAX;
    assert_ok(write_all(false, &limit, &err), &err);
    norn_safetensors *file = NULL;
    assert_ok(norn_safetensors_open(&file, path, NULL, &err), &err);
    assert_int_equal(norn_safetensors_count(file), 20);
    assert_string_equal(norn_safetensors_text(file, "b"), "\x01\x1f\"\\/ \xe2\x82\xac");
    assert_string_equal(norn_safetensors_text(file, "a"), "");
    for (size_t k = 0; k < 20; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "t%zu\t\"\\\xc3\xa4", k);
        const norn_tensor *one = norn_safetensors_find(file, name);
        assert_non_null(one);
        assert_int_equal(one->rank, k == 12 ? 2 : k % 9);
        const size_t bytes = (size_t)(one->end - one->begin);
        unsigned char *got = malloc(bytes + 1);
        assert_non_null(got);
        assert_ok(norn_safetensors_read(file, one, 0, got, bytes, &err), &err);
        for (size_t i = 0; i < bytes; i++) assert_int_equal(got[i], (unsigned char)(i * 7));
        if (bytes > 80000) { /* a part of it */
            assert_ok(norn_safetensors_read(file, one, 70008, got, 800, &err), &err);
            for (size_t i = 0; i < 800; i++) assert_int_equal(got[i], (unsigned char)((70008 + i) * 7));
        }
        free(got);
    }
    norn_safetensors_free(file);
}

static void the_order_of_what_is_given_changes_no_byte(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    const uint64_t limit = UINT64_MAX;
    size_t size, other_size;
    assert_ok(write_all(false, &limit, &err), &err);
    unsigned char *bytes = content(&size);
    assert_ok(write_all(true, &limit, &err), &err);
    unsigned char *other = content(&other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other, size);
    /* Numbers begin where any of them may be loaded from. */
    assert_int_equal(bytes[0] % 8, 0);
    free(bytes);
    free(other);
}

/* The bytes that the format's own library (safetensors 0.8.0, Python) writes for the same content. */
static void the_bytes_are_those_of_the_formats_own_writer(void **state)
{
    (void)state;
    static const char want[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                               "\"z\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                               "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
                               "\"c\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[16,16]},"
                               "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[16,19]}}";
    const float b[2] = {1.5f, -2.0f};
    const int64_t z = 77;
    norn_tensor_source tensors[] = {{.tensor = {"a", NORN_DTYPE_U8, 1, {3}, 0, 0}, .data = "\1\2\3"},
                                    {.tensor = {"b.weight", NORN_DTYPE_F32, 2, {1, 2}, 0, 0}, .data = b},
                                    {.tensor = {"c", NORN_DTYPE_F32, 1, {0}, 0, 0}, .data = b},
                                    {.tensor = {"z", NORN_DTYPE_I64, 0, {0}, 0, 0}, .data = &z}};
    norn_tensor_text texts[] = {{"format", "pt"}};
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_safetensors_write(path, tensors, 4, texts, 1, NULL, NULL, &err), &err);
    size_t size;
    unsigned char *bytes = content(&size);
    const size_t padded = (strlen(want) + 7) / 8 * 8;
    assert_int_equal(bytes[0] + 256 * bytes[1], padded);
    assert_memory_equal(bytes + 8, want, strlen(want));
    for (size_t i = strlen(want); i < padded; i++) assert_int_equal(bytes[8 + i], ' ');
    static const unsigned char numbers[19] = {77,   0,    0, 0, 0, 0,    0, 0, 0, 0,
                                              0xc0, 0x3f, 0, 0, 0, 0xc0, 1, 2, 3};
    assert_int_equal(size, 8 + padded + sizeof numbers);
    assert_memory_equal(bytes + 8 + padded, numbers, sizeof numbers);
    free(bytes);
}

static void a_write_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    norn_error err = NORN_ERROR_INIT;
    size_t size, other_size;
    uint64_t limit = UINT64_MAX;
    assert_ok(write_all(false, &limit, &err), &err);
    unsigned char *bytes = content(&size);
    for (limit = 0; limit <= 65536; limit += 65536) {
        err = (norn_error)NORN_ERROR_INIT;
        assert_int_equal(write_all(true, &limit, &err), NORN_ERR_CANCELLED);
        unsigned char *other = content(&other_size);
        assert_int_equal(size, other_size);
        assert_memory_equal(bytes, other, size);
        free(other);
    }
    free(bytes);
    static const norn_tensor wrong[] = {{"a", NORN_DTYPE_F4, 1, {2}, 0, 0},
                                        {"__metadata__", NORN_DTYPE_U8, 1, {2}, 0, 0},
                                        {"a", NORN_DTYPE_U8, 2, {UINT64_MAX, 2}, 0, 0},
                                        {"a", NORN_DTYPE_U8, 9, {1}, 0, 0}};
    for (size_t i = 0; i < NORN_COUNT(wrong); i++) {
        norn_tensor_source one = {.tensor = wrong[i], .data = ""};
        assert_int_equal(norn_safetensors_write(path, &one, 1, NULL, 0, NULL, NULL, NULL), NORN_ERR_INTERNAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_format_allows_is_taken),
        cmocka_unit_test(names_and_texts_are_decoded),
        cmocka_unit_test(what_the_format_forbids_is_refused_by_name),
        cmocka_unit_test(lengths_that_cannot_be_are_refused_before_anything_is_allocated),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(any_byte_of_a_header_changed_is_refused_or_sound),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_is_an_error),
        cmocka_unit_test(the_largest_headers_need_little_more_than_themselves),
        cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
        cmocka_unit_test(what_is_written_is_read_again_to_the_bit),
        cmocka_unit_test(the_order_of_what_is_given_changes_no_byte),
        cmocka_unit_test(the_bytes_are_those_of_the_formats_own_writer),
        cmocka_unit_test(a_write_that_fails_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
