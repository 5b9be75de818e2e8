/*
 * Results: built in memory, then written whole or not at all (base/file.h). stdout is written to directly.
 *
 * Numbers. A forecast is known to about seven digits of its series' spread and deserves fewer; printing more
 * is noise to a reader. All values of a series get the same number of decimals: as many as show its spread
 * (largest - smallest value of the history) to five digits, "445.21" for passengers between 104 and 622.
 * Rounding is then below 1e-5 of the spread, far under the error of any forecast. JSON carries the unrounded
 * values.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/cli.h"

#include "base/base.h"
#include "base/file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- text in memory --------------------------------------------------------------------------------------
 */

static bool reserve(cli_text *text, size_t more)
{
    if (text->failed) return false;
    if (more < text->capacity - text->length) return true;
    size_t capacity = text->capacity ? text->capacity : 1024;
    while (capacity - text->length <= more) {
        if (capacity > SIZE_MAX / 2) goto failed;
        capacity *= 2;
    }
    char *bytes = realloc(text->bytes, capacity);
    if (!bytes) goto failed;
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
failed:
    text->failed = true;
    return false;
}

void cli_text_add(cli_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length)) return;
    if (length) memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void cli_text_put(cli_text *text, const char *string)
{
    cli_text_add(text, string, strlen(string));
}

void cli_text_format(cli_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        text->failed = true;
    else if (reserve(text, (size_t)length)) {
        (void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void cli_text_pad(cli_text *text, const char *string, int columns)
{
    const int blanks = abs(columns) - cli_columns(string);
    if (columns > 0 && blanks > 0) cli_text_format(text, "%*s", blanks, "");
    cli_text_put(text, string);
    if (columns < 0 && blanks > 0) cli_text_format(text, "%*s", blanks, "");
}

void cli_text_csv(cli_text *text, const char *field)
{
    const size_t length = strlen(field);
    /* blanks at the ends would be trimmed by libcsv, and by others */
    const bool quote = strpbrk(field, ",\"\r\n") ||
                       (length && (strchr(" \t", field[0]) || strchr(" \t", field[length - 1])));
    if (!quote) {
        cli_text_add(text, field, length);
        return;
    }
    cli_text_put(text, "\"");
    for (const char *at = field; *at; at++) cli_text_add(text, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    cli_text_put(text, "\"");
}

/* A word for the shell. What a terminal would not show as it is goes into $'...', which bash, ksh, zsh and
 * POSIX 2024 understand. */
void cli_text_word(cli_text *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%";
    const size_t length = strlen(word), size = 4 * length + 16;
    char *shown = malloc(size);
    if (!shown) {
        out->failed = true;
        return;
    }
    (void)norn_quote(shown, size, word, length, length);
    if (length && word[strspn(word, plain)] == '\0') {
        cli_text_put(out, word);
    } else if (strcmp(shown, word) == 0) {
        cli_text_put(out, "'");
        for (const char *at = word; *at; at++)
            cli_text_add(out, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
        cli_text_put(out, "'");
    } else {
        cli_text_put(out, "$'");
        for (const char *at = word; *at; at++) {
            char one[16];
            const unsigned char byte = (unsigned char)*at;
            if (byte < 0x20 || byte >= 0x7f)
                (void)snprintf(one, sizeof one, "\\x%02x", byte);
            else
                (void)snprintf(one, sizeof one, "%s%c", byte == '\'' || byte == '\\' ? "\\" : "", byte);
            cli_text_put(out, one);
        }
        cli_text_put(out, "'");
    }
    free(shown);
}

void cli_text_braille(cli_text *text, unsigned dots)
{
    const unsigned pattern = 0x2800u + dots; /* as UTF-8 */
    const char bytes[] = {(char)(0xe0 | pattern >> 12), (char)(0x80 | (pattern >> 6 & 0x3f)),
                          (char)(0x80 | (pattern & 0x3f))};
    cli_text_add(text, dots ? bytes : " ", dots ? sizeof bytes : 1);
}

void cli_text_free(cli_text *text)
{
    free(text->bytes);
    *text = (cli_text){NULL, 0, 0, false};
}

/* ---- numbers ---------------------------------------------------------------------------------------------
 */

enum { SCIENTIFIC = -1, MOST_DECIMALS = 12, DIGITS_OF_SPREAD = 5, DIGITS_OF_DOUBLE = 15 };

int cli_decimals(double spread, double largest)
{
    if (!isfinite(spread) || !isfinite(largest) || fabs(largest) >= 1e15) return SCIENTIFIC;
    if (spread <= 0.0) spread = fabs(largest);
    if (spread == 0.0) return 1;
    int decimals = DIGITS_OF_SPREAD - (int)floor(log10(spread)) - 1;
    const int before_point = largest == 0.0 ? 1 : (int)floor(log10(fabs(largest))) + 1;
    if (decimals > DIGITS_OF_DOUBLE - before_point) decimals = DIGITS_OF_DOUBLE - before_point;
    if (decimals > MOST_DECIMALS) return SCIENTIFIC;
    return decimals < 0 ? 0 : decimals;
}

void cli_text_number(cli_text *text, double value, int decimals)
{
    char digits[64];
    if (decimals < 0 || fabs(value) >= 1e15)
        (void)snprintf(digits, sizeof digits, "%.*g", DIGITS_OF_SPREAD + 2, value);
    else
        (void)snprintf(digits, sizeof digits, "%.*f", decimals, value);
    /* a minus before nothing but zeros is noise */
    const char *from = digits[0] == '-' && digits[strspn(digits, "-0.")] == '\0' ? digits + 1 : digits;
    cli_text_put(text, from);
}

/* ---- writing ---------------------------------------------------------------------------------------------
 */

/* -1 with errno set when not all could be written. */
static int write_all(int file, const char *bytes, size_t length)
{
    while (length) {
        const ssize_t written = write(file, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (written == 0) errno = EIO;
            return -1;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_failed(const char *where)
{
    /* Who reads from us has seen enough: standard tools say nothing either. */
    const int reason = errno;
    char name[300];
    (void)norn_quote(name, sizeof name, where, strlen(where), 250);
    if (reason != EPIPE) cli_error("cannot write to %s: %s", name, strerror(reason));
    return EXIT_IO;
}

static int write_stdout(const cli_text *text)
{
    if (write_all(STDOUT_FILENO, text->bytes, text->length) != 0) return write_failed("standard output");
    return EXIT_FINE;
}

/* Does path name standard output? /dev/stdout, and a file stdout was sent to, must not be replaced under it.
 */
static bool is_stdout(const char *path)
{
    struct stat named, out;
    if (!path || strcmp(path, "-") == 0) return true;
    return stat(path, &named) == 0 && fstat(STDOUT_FILENO, &out) == 0 && named.st_dev == out.st_dev &&
           named.st_ino == out.st_ino;
}

bool cli_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

int cli_files_check(const char *input, const cli_named_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *path = files[i].path;
        int code;
        if (!path) continue;
        if (!path[0]) {
            cli_error("%s: expected the name of a file, found \"\"", files[i].flag);
            return EXIT_USAGE;
        }
        if (strcmp(path, "-") != 0 && cli_same_file(path, input)) {
            cli_error("%s: it would replace the file that is read", files[i].flag);
            return EXIT_USAGE;
        }
        for (size_t j = 0; j < i; j++)
            if (files[j].path && (strcmp(path, files[j].path) == 0 || cli_same_file(path, files[j].path))) {
                cli_error("%s and %s name the same file", files[j].flag, files[i].flag);
                return EXIT_USAGE;
            }
        if ((code = cli_output_check(path)) != EXIT_FINE) return code;
    }
    return EXIT_FINE;
}

static int cannot_create(const char *path, int reason)
{
    char name[300];
    cli_error("cannot create %s: %s", norn_quote(name, sizeof name, path, strlen(path), 250),
              strerror(reason));
    return EXIT_NO_CREATE;
}

/* The folder of path, in memory of its own; NULL when there is none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int cli_output_check(const char *path)
{
    struct stat found;
    if (is_stdout(path)) return EXIT_FINE;
    if (!path[0]) {
        cli_error("-o: expected the name of a file, found \"\"");
        return EXIT_USAGE;
    }
    if (stat(path, &found) == 0) {
        if (S_ISDIR(found.st_mode)) return cannot_create(path, EISDIR);
        if (!S_ISREG(found.st_mode)) return access(path, W_OK) == 0 ? EXIT_FINE : cannot_create(path, errno);
    } else if (errno != ENOENT) {
        return cannot_create(path, errno);
    }
    char *target = realpath(path, NULL); /* the folder that counts is the one a link leads to */
    char *folder = folder_of(target ? target : path);
    int code = EXIT_FINE;
    if (!folder) {
        cli_error("out of memory for the name of a file");
        code = EXIT_MEMORY;
    } else if (path[strlen(path) - 1] == '/') {
        code = cannot_create(path, EISDIR);
    } else if (access(folder, W_OK | X_OK) != 0) {
        code = cannot_create(path, errno);
    }
    free(folder);
    free(target);
    return code;
}

/* A cli_exit for what went wrong with a file, with the error printed. */
static int file_failed(const norn_error *err, int code)
{
    if (err->status == NORN_ERR_MEMORY) code = EXIT_MEMORY;
    if (err->code != EPIPE) cli_error("%s", err->message); /* as in write_failed */
    return code;
}

static int write_file(const char *path, const cli_text *text)
{
    norn_error err = NORN_ERROR_INIT;
    norn_file *file = NULL;
    int code = EXIT_FINE;
    if (norn_file_create(&file, path, NULL, NULL, &err) != NORN_OK) return file_failed(&err, EXIT_NO_CREATE);
    cli_signals_remove_file(norn_file_temporary(file));
    norn_status status = norn_file_write(file, text->bytes, text->length, &err);
    if (status == NORN_OK && norn_file_temporary(file) && cli_signal_caught()) {
        (void)fputs("norn: interrupted; nothing was written\n", stderr);
        code = 128 + cli_signal_caught();
    } else {
        if (status == NORN_OK) status = norn_file_finish(file, &err);
        if (status != NORN_OK) code = file_failed(&err, EXIT_IO);
    }
    cli_signals_remove_file(NULL);
    norn_file_free(file);
    return code;
}

int cli_output_write(const char *path, const cli_text *text)
{
    if (text->failed) {
        cli_error("out of memory for the output");
        return EXIT_MEMORY;
    }
    return is_stdout(path) ? write_stdout(text) : write_file(path, text);
}

int cli_close_stdout(int code)
{
    const bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed) {
        const int written = write_failed("standard output");
        return code == EXIT_FINE ? written : code;
    }
    return code;
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

json_t *cli_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value) return value;
    const size_t length = strlen(text), size = 4 * length + 16;
    char *clean = malloc(size);
    if (!clean) return NULL;
    value = json_string(norn_quote(clean, size, text, length, length));
    free(clean);
    return value;
}

json_t *cli_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void cli_text_put_json(cli_text *text, json_t *root, size_t digits)
{
    char *bytes = json_dumps(root, JSON_INDENT(1) | (digits ? JSON_REAL_PRECISION(digits) : 0));
    cli_text_put(text, bytes ? bytes : "");
    cli_text_put(text, "\n");
    text->failed |= !bytes;
    free(bytes);
    json_decref(root);
}

void cli_json_add_decisions(json_t *array, const norn_decision *decisions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *each = json_object();
        json_object_set_new(each, "what", cli_json_text(decisions[i].what));
        json_object_set_new(each, "text", cli_json_text(decisions[i].text));
        json_object_set_new(each, "flag", cli_json_text(decisions[i].flag ? decisions[i].flag : ""));
        json_array_append_new(array, each);
    }
}
