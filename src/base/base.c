/*
 * Errors, memory, log and cancelling: the services declared in base.h.
 *
 * An error record is plain memory of the caller, so recording one needs no allocation and cannot fail. The
 * first error wins: a caller that fails because its callee failed adds nothing.
 */
#include "base/base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *norn_version(void)
{
    return NORN_VERSION;
}

const char *norn_status_name(norn_status status)
{
    static const char *const names[] = {"ok",     "usage",  "data",  "input",     "output",  "memory",
                                        "device", "opencl", "build", "cancelled", "numeric", "internal"};
    const int index = -(int)status;
    return index >= 0 && index < (int)NORN_COUNT(names) ? names[index] : "unknown";
}

/* ---- errors ---- */

static norn_status record(norn_error *err, norn_status status, const char *file, uint64_t line,
                          uint64_t column, const char *format, va_list arguments)
{
    if (!err || err->status != NORN_OK) return status;
    *err = (norn_error)NORN_ERROR_INIT;
    err->status = status;
    err->line = line;
    err->column = column;
    if (file) (void)snprintf(err->file, sizeof err->file, "%s", file);
    (void)vsnprintf(err->message, sizeof err->message, format, arguments);
    return status;
}

norn_status norn_fail(norn_error *err, norn_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(err, status, NULL, 0, 0, format, arguments);
    va_end(arguments);
    return status;
}

norn_status norn_fail_at(norn_error *err, norn_status status, const char *file, uint64_t line,
                         uint64_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(err, status, file, line, column, format, arguments);
    va_end(arguments);
    return status;
}

norn_status norn_fail_memory(norn_error *err, const char *what)
{
    return norn_fail(err, NORN_ERR_MEMORY, "out of memory for %s", what);
}

/* ---- memory ---- */

static void *default_resize(void *user, void *ptr, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

norn_status norn_options_take(void *out, size_t known, const void *given, norn_error *err)
{
    size_t size;
    if (!given) return NORN_OK;
    memcpy(&size, given, sizeof size);
    if (size == 0)
        return norn_fail(err, NORN_ERR_USAGE, "options of size 0: they begin as their NORN_..._OPTIONS_INIT");
    memcpy(out, given, size < known ? size : known);
    return NORN_OK;
}

norn_host norn_host_copy(const norn_host *host)
{
    norn_host copy = NORN_HOST_INIT;
    if (host) {
        const size_t known = host->size < sizeof copy ? host->size : sizeof copy;
        memcpy(&copy, host, known);
        copy.size = sizeof copy;
    }
    if (!copy.resize) copy.resize = default_resize;
    return copy;
}

void *norn_new(const norn_host *host, size_t count, size_t size)
{
    if (count == 0 || size == 0 || count > SIZE_MAX / size) return NULL;
    void *ptr = host->resize(host->user, NULL, 0, count * size);
    if (ptr) memset(ptr, 0, count * size);
    return ptr;
}

bool norn_resize(const norn_host *host, void **array, size_t old_count, size_t new_count, size_t size)
{
    if (new_count == 0 || size == 0 || new_count > SIZE_MAX / size) return false;
    void *ptr = host->resize(host->user, *array, old_count * size, new_count * size);
    if (!ptr) return false;
    *array = ptr;
    return true;
}

void norn_delete(const norn_host *host, void *ptr, size_t count, size_t size)
{
    if (ptr) (void)host->resize(host->user, ptr, count * size, 0);
}

char *norn_text_copy(const norn_host *host, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? host->resize(host->user, NULL, 0, length + 1) : NULL;
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void norn_text_delete(const norn_host *host, char *text)
{
    if (text) norn_delete(host, text, strlen(text) + 1, 1);
}

/* ---- log, progress, cancelling ---- */

void norn_log(const norn_host *host, norn_log_level level, const char *format, ...)
{
    if (!host || !host->log) return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    host->log(host->user, level, text);
}

void norn_report(const norn_host *host, norn_progress progress)
{
    if (!host || !host->progress) return;
    progress.size = sizeof progress;
    host->progress(host->user, &progress);
}

struct norn_cancel {
    atomic_int raised; /* lock-free on every platform we know, hence fit for a signal handler */
};

norn_status norn_cancel_new(norn_cancel **out)
{
    norn_cancel *cancel = malloc(sizeof *cancel);
    if (!cancel) return NORN_ERR_MEMORY;
    atomic_init(&cancel->raised, 0);
    *out = cancel;
    return NORN_OK;
}

void norn_cancel_raise(norn_cancel *cancel)
{
    atomic_store_explicit(&cancel->raised, 1, memory_order_relaxed);
}

int norn_cancel_raised(const norn_cancel *cancel)
{
    return cancel ? atomic_load_explicit(&cancel->raised, memory_order_relaxed) : 0;
}

void norn_cancel_free(norn_cancel *cancel)
{
    free(cancel);
}

bool norn_is_cancelled(const norn_host *host)
{
    return host && norn_cancel_raised(host->cancel);
}

norn_status norn_fail_cancelled(norn_error *err)
{
    return norn_fail(err, NORN_ERR_CANCELLED, "interrupted");
}

double norn_seconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0.0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- text ---- */

/* Length of the valid UTF-8 sequence at text[0..left), 0 if there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *text, size_t left)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x20, 0x7e, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < NORN_COUNT(forms); i++) {
        if (text[0] < forms[i].low || text[0] > forms[i].high) continue;
        if (forms[i].length > left) return 0;
        if (forms[i].length > 1 && (text[1] < forms[i].second_low || text[1] > forms[i].second_high))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((text[k] & 0xc0) != 0x80) return 0;
        return forms[i].length;
    }
    return 0;
}

/* Characters that would steer a terminal or turn the direction of text: the C1 controls, separators of lines,
 * and what begins or ends an embedding, override or isolate (Unicode Technical Report 36, 2.1). */
static bool steers(const unsigned char *sequence, size_t length)
{
    const unsigned second = length > 1 ? sequence[1] : 0, third = length > 2 ? sequence[2] : 0;
    if (length == 2) return sequence[0] == 0xc2 && second <= 0x9f; /* U+0080 to U+009F */
    if (length != 3 || sequence[0] != 0xe2) return false;
    return (second == 0x80 && third >= 0xa8 && third <= 0xae) || /* U+2028 to U+202E */
           (second == 0x81 && third >= 0xa6 && third <= 0xa9);   /* U+2066 to U+2069 */
}

const char *norn_quote(char *out, size_t size, const char *text, size_t length, size_t limit)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t used = 0, at = 0;
    while (at < length && at < limit && used + 8 < size) {
        const size_t step = utf8_length(in + at, length - at);
        if (step && !steers(in + at, step)) {
            memcpy(out + used, in + at, step);
            used += step;
            at += step;
        } else {
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", in[at]);
            at++;
        }
    }
    (void)snprintf(out + used, size - used, "%s", at < length ? "..." : "");
    return out;
}

/* ---- near misses ---- */

/* Levenshtein's distance of words of up to 31 bytes; longer ones are far from everything. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 31 };
    const size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[m];
}

const char *norn_closest(const char *text, const char *const *names)
{
    const size_t length = strlen(text);
    const char *closest = NULL;
    size_t nearest = length < 2 ? length : length < 4 ? 2 : 3; /* more typing errors are another word */
    for (; *names; names++) {
        if (length >= 3 && strncmp(*names, text, length) == 0) return *names; /* an abbreviation */
        const size_t d = distance(text, *names);
        if (d < nearest) {
            nearest = d;
            closest = *names;
        }
    }
    return closest;
}
