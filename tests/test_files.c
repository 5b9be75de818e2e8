/*
 * Every case of files/cases.txt, each a test of its own: the bytes go in under the flags given, whole, byte
 * by byte, cut into small pieces for three threads, and packed, and each time the same table or the same
 * problems come out.
 *
 * NORN_CASES=show writes the file to standard output with what the reader gives now in place of what is
 * expected; what it says is to be read, line by line, before it replaces the file.
 */
#include "files.h"

#include <ctype.h>
#include <zlib.h>

typedef struct file_case {
    char *name, *flags; /* "" without flags */
    size_t line;        /* of the file of cases */
    text bytes, want;
    char *notes[16], *facts[24]; /* asked for, by name */
    size_t note_count, fact_count;
} file_case;

/* ---- reading the cases ---- */

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Takes a line of the file of bytes: \t \r \n \\ and \xNN; a \ at its end: no newline. */
static void take_bytes(text *to, const char *line)
{
    for (; *line; line++) {
        char byte = *line;
        if (byte == '\\') {
            line++;
            if (*line == '\0') return;
            byte = *line == 't' ? '\t' : *line == 'r' ? '\r' : *line == 'n' ? '\n' : *line;
            if (*line == 'x') {
                byte = (char)(16 * hex(line[1]) + hex(line[2]));
                line += 2;
            }
        }
        put_bytes(to, &byte, 1);
    }
    put_bytes(to, "\n", 1);
}

static char *copy_until(const char *from, const char *stop)
{
    const size_t n = strcspn(from, stop);
    char *copy = malloc(n + 1);
    if (!copy) abort();
    memcpy(copy, from, n);
    copy[n] = '\0';
    return copy;
}

static file_case *take_case(file_case **cases, size_t *count, const char *name, size_t line)
{
    *cases = realloc(*cases, (*count + 1) * sizeof **cases);
    if (!*cases) abort();
    file_case *c = &(*cases)[(*count)++];
    memset(c, 0, sizeof *c);
    c->name = copy_until(name, "");
    c->flags = copy_until("", "");
    c->line = line;
    put(&c->bytes, "%s", "");
    put(&c->want, "%s", "");
    return c;
}

static void take_line(file_case *c, const char *line, size_t number)
{
    if (strncmp(line, "with ", 5) == 0) {
        free(c->flags);
        c->flags = copy_until(line + 5, "");
    } else if (*line == '>') {
        take_bytes(&c->bytes, line[1] ? line + 2 : "");
    } else if (*line == '~' || *line == '%') {
        char **list = *line == '~' ? c->notes : c->facts;
        size_t *n = *line == '~' ? &c->note_count : &c->fact_count;
        assert_true(*n < (*line == '~' ? 16u : 24u));
        list[(*n)++] = copy_until(line + 2, *line == '~' ? ":" : " ");
        put(&c->want, "%s\n", line);
    } else if (*line == '=' || *line == '!') {
        put(&c->want, "%s\n", line);
    } else {
        fail_msg("cases.txt:%zu: what is this line?", number);
    }
}

static file_case *read_cases(FILE *file, size_t *count)
{
    static char line[8192];
    file_case *cases = NULL, *c = NULL;
    size_t number = 0;
    *count = 0;
    while (fgets(line, sizeof line, file)) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "case ", 5) == 0)
            c = take_case(&cases, count, line + 5, number);
        else if (*line && *line != '#' && strncmp(line, "==", 2) != 0) {
            if (!c) fail_msg("cases.txt:%zu: a line before the first case", number);
            take_line(c, line, number);
        }
    }
    return cases;
}

/* ---- trying a case ---- */

typedef struct flags {
    norn_table_options options;
    bool all; /* problems are listed by on_problem */
    char words[2000];
} flags;

/* Splits "--na 'no data' --describe" in place. */
static void take_flags(flags *f, const char *told)
{
    char *words[64];
    size_t n = 0;
    f->options = (norn_table_options)NORN_TABLE_OPTIONS_INIT;
    (void)snprintf(f->words, sizeof f->words, "%s", told);
    for (char *at = f->words; *at;) {
        while (*at == ' ') at++;
        if (!*at) break;
        const char stop[2] = {(char)(*at == '\'' || *at == '"' ? *at : ' '), '\0'};
        words[n++] = *stop == ' ' ? at : ++at;
        at += strcspn(at, stop);
        if (*at) *at++ = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], "--describe") == 0)
            f->options.describe = 1;
        else if (strcmp(words[i], "--all") == 0)
            f->all = true;
        else if (i + 1 == n || !take_flag(&f->options, words[i], words[i + 1]))
            fail_msg("%s: no such flag, or no value", words[i]);
        else
            i++;
    }
}

static void put_problem(text *t, const char *status, uint64_t line, uint64_t column, const char *message)
{
    put(t, "! %s", status);
    if (line || column) put(t, " %llu:%llu", (unsigned long long)line, (unsigned long long)column);
    put(t, " %s\n", message);
}

static void list_problem(void *user, const norn_problem *problem)
{
    text *t = user;
    put_problem(t, "data", problem->line, problem->column, problem->message);
    if (*problem->text) put(t, "!   %s\n", problem->text);
}

typedef enum way { WHOLE, BYTES, PIECES, PACKED, WAYS } way;

static size_t pack(const text *bytes, char *out, size_t room)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    z.next_in = (Bytef *)bytes->bytes;
    z.avail_in = (uInt)bytes->size;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) abort();
    const size_t size = room - z.avail_out;
    (void)deflateEnd(&z);
    return size;
}

static void put_asked(text *got, const file_case *c, const norn_table *t)
{
    size_t count;
    const norn_decision *d = norn_table_decisions(t, &count);
    for (size_t n = 0; n < c->note_count; n++) {
        bool any = false;
        for (size_t i = 0; i < count; i++)
            if (strcmp(d[i].what, c->notes[n]) == 0 &&
                (n == 0 || strcmp(c->notes[n], c->notes[n - 1]) != 0)) {
                put(got, "~ %s: %s%s%s\n", d[i].what, d[i].text, *d[i].flag ? "; " : "", d[i].flag);
                any = true;
            }
        if (!any && (n == 0 || strcmp(c->notes[n], c->notes[n - 1]) != 0)) put(got, "~ %s: -\n", c->notes[n]);
    }
    for (size_t n = 0; n < c->fact_count; n++)
        if (!put_fact(got, t, c->facts[n])) fail_msg("%s is no fact", c->facts[n]);
}

static text try_case(const file_case *c, way how)
{
    flags f = {.all = false};
    text got = {NULL, 0, 0};
    char packed[CASE_BYTES];
    norn_table *t = NULL;
    norn_error err = NORN_ERROR_INIT;
    take_flags(&f, c->flags);
    put(&got, "%s", "");
    if (f.all) {
        f.options.on_problem = list_problem;
        f.options.user = &got;
    }
    memory_stream s = {c->bytes.bytes, c->bytes.size, 0, how == BYTES ? 1 : SIZE_MAX, 0};
    if (how == PACKED) {
        s.size = pack(&c->bytes, packed, sizeof packed);
        s.bytes = packed;
    }
    const norn_status status = norn_table_read_tuned(
        &t, read_memory, &s, "f.csv", &f.options, how == PIECES ? 3 : 0, how == PIECES ? 16 : 0, NULL, &err);
    if (status != NORN_OK) {
        assert_null(t);
        if (!f.all || got.size == 0)
            put_problem(&got, norn_status_name(status), err.line, err.column, err.message);
        return got;
    }
    for (size_t k = 0; k < norn_table_series_count(t); k++) put_series(&got, t, k);
    put_columns(&got, t);
    put_asked(&got, c, t);
    norn_table_free(t);
    return got;
}

/* In small pieces the lines before a header of blank lines and comments are no pieces of their own, as they
 * never are in a megabyte. */
static bool is_way(const file_case *c, way how)
{
    const char first = c->bytes.bytes[0];
    const bool text_first = first != '\n' && first != '\r' && first != ' ' && first != '#' && first != ',';
    return (how != PIECES || text_first) && (how != PACKED || c->bytes.size < CASE_BYTES / 2);
}

static void try_every_way(void **state)
{
    static const char *const names[] = {"whole", "in single bytes", "in pieces", "packed"};
    const file_case *c = *state;
    for (way how = WHOLE; how < WAYS; how++) {
        if (!is_way(c, how)) continue;
        text got = try_case(c, how);
        const bool same = strcmp(got.bytes, c->want.bytes) == 0;
        if (!same)
            print_error("cases.txt:%zu, read %s, gives\n%sand not\n%s", c->line, names[how], got.bytes,
                        c->want.bytes);
        free(got.bytes);
        assert_true(same);
    }
}

/* ---- showing ---- */

static void show(FILE *file, const file_case *cases, size_t count)
{
    static char line[8192];
    size_t next = 0;
    const file_case *c = NULL;
    rewind(file);
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        const bool expected = *line && strchr("=!~%", *line) && strncmp(line, "==", 2) != 0;
        if (c && !expected && *line != '>' && strncmp(line, "with ", 5) != 0) {
            text got = try_case(c, WHOLE);
            (void)fputs(got.bytes, stdout);
            free(got.bytes);
            c = NULL;
        }
        if (!expected) (void)fputs(line, stdout);
        if (next < count && cases[next].line == number) c = &cases[next++];
    }
    if (c) {
        text got = try_case(c, WHOLE);
        (void)fputs(got.bytes, stdout);
        free(got.bytes);
    }
}

int main(void)
{
    char path[4096];
    const char *folder = getenv("NORN_TEST_DATA"), *mode = getenv("NORN_CASES");
    (void)snprintf(path, sizeof path, "%s/../files/cases.txt", folder ? folder : "tests/data");
    FILE *file = fopen(path, "r");
    if (!file) {
        (void)fprintf(stderr, "%s cannot be opened\n", path);
        return 1;
    }
    size_t count;
    file_case *cases = read_cases(file, &count);
    int failed = 0;
    if (mode && strcmp(mode, "show") == 0) {
        show(file, cases, count);
    } else {
        struct CMUnitTest *tests = calloc(count, sizeof *tests);
        if (!tests) return 1;
        for (size_t i = 0; i < count; i++)
            tests[i] = (struct CMUnitTest){cases[i].name, try_every_way, NULL, NULL, &cases[i]};
        failed = _cmocka_run_group_tests("files", tests, count, NULL, NULL);
        free(tests);
    }
    for (size_t i = 0; i < count; i++) {
        file_case *c = &cases[i];
        for (size_t k = 0; k < c->note_count; k++) free(c->notes[k]);
        for (size_t k = 0; k < c->fact_count; k++) free(c->facts[k]);
        free(c->name), free(c->flags), free(c->bytes.bytes), free(c->want.bytes);
    }
    free(cases);
    (void)fclose(file);
    return failed;
}
