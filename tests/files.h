/*
 * The table of cases in files/cases.txt: how a case is written, read and held against what the reader makes
 * of its bytes. The format is explained at the head of that file.
 */
#ifndef NORN_TESTS_FILES_H
#define NORN_TESTS_FILES_H

#include "table_support.h"

#include "base/base.h"

#include <stdbool.h>

#define CASE_LINES 64
#define CASE_BYTES 20000

/* Text that grows; a test may waste memory. */
typedef struct text {
    char *bytes; /* with its end */
    size_t size, room;
} text;

static inline void put_bytes(text *t, const char *bytes, size_t size)
{
    if (t->size + size + 1 > t->room) {
        t->room = 2 * (t->size + size + 1) + 256;
        t->bytes = realloc(t->bytes, t->room);
        if (!t->bytes) abort();
    }
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void put(text *t, const char *format, ...)
{
    char line[2000];
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put_bytes(t, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

/* ---- flags, as the command line writes them ---- */

static inline int word_of(const char *value, const char *const *words, const char *flag)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0) return i;
    fail_msg("%s %s is no choice", flag, value);
    return 0;
}

/* Takes a flag with its value into the options; false: there is no such flag. */
static inline bool take_flag(norn_table_options *o, const char *flag, const char *value)
{
    const struct {
        const char *flag;
        const char **to;
    } texts[] = {{"--time", &o->time},     {"--target", &o->target},           {"--id", &o->id},
                 {"--past", &o->past},     {"--future", &o->future},           {"--static", &o->statics},
                 {"--ignore", &o->ignore}, {"--time-format", &o->time_format}, {"--tz", &o->zone},
                 {"--na", &o->na},         {"--frequency", &o->frequency}};
    const struct {
        const char *flag;
        char *to;
    } bytes[] = {{"--delimiter", &o->delimiter},
                 {"--decimal", &o->decimal},
                 {"--thousands", &o->thousands},
                 {"--comment", &o->comment}};
    static const char *const missing[] = {"default", "error", "skip", "ffill", "mean", "zero", "mask", NULL},
                             *const gaps[] = {"keep", "error", "fill", "split", NULL},
                             *const duplicates[] = {"error", "first", "last", "mean", NULL},
                             *const unsorted[] = {"error", "sort", NULL},
                             *const ragged[] = {"error", "skip", "pad", NULL},
                             *const ambiguous[] = {"raise", "infer", "nat", NULL},
                             *const nonexistent[] = {"raise", "shift_forward", "shift_backward", "nat", NULL},
                             *const layouts[] = {"found", "columns", "rows", "tsf", NULL},
                             *const headers[] = {"found", "yes", "no", NULL};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(flag, texts[i].flag) == 0) return *texts[i].to = value, true;
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
        if (strcmp(flag, bytes[i].flag) == 0)
            return *bytes[i].to = (char)(strcmp(value, "tab") == 0 ? '\t' : *value), true;
#define CHOICE(name, member, words, type)                                                                    \
    if (strcmp(flag, name) == 0) return o->member = (type)word_of(value, words, flag), true
    CHOICE("--on-missing", on_missing, missing, norn_on_missing);
    CHOICE("--on-missing-input", on_missing_input, missing, norn_on_missing);
    CHOICE("--on-gap", on_gap, gaps, norn_on_gap);
    CHOICE("--on-duplicate", on_duplicate, duplicates, norn_on_duplicate);
    CHOICE("--on-unsorted", on_unsorted, unsorted, norn_on_unsorted);
    CHOICE("--on-ragged", on_ragged, ragged, norn_on_ragged);
    CHOICE("--ambiguous", ambiguous, ambiguous, norn_ambiguous);
    CHOICE("--nonexistent", nonexistent, nonexistent, norn_nonexistent);
    CHOICE("--layout", layout, layouts, norn_layout);
    CHOICE("--header", header, headers, norn_header);
#undef CHOICE
    return false;
}

/* ---- what a table looks like ---- */

static inline void put_cells(text *t, const double *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isnan(cells[i]))
            put(t, "%s-", i ? " " : "");
        else
            put(t, "%s%.15g", i ? " " : "", cells[i]);
    }
}

static inline void put_series(text *t, const norn_table *table, size_t s)
{
    char time[NORN_TIME_TEXT];
    char id[500];
    (void)norn_quote(id, sizeof id, norn_table_id(table, s), strlen(norn_table_id(table, s)), 200);
    const size_t rows = norn_table_rows(table, s), ahead = norn_table_ahead(table, s);
    put(t, "= %s:", id);
    for (size_t i = 0; i < rows; i++) {
        put(t, "%s %s ", i ? "," : "", norn_table_time_text(table, norn_table_times(table, s)[i], time));
        put_cells(t, norn_table_target(table, s) + i, 1);
    }
    put(t, "%s\n", norn_table_goes_on(table, s) ? "" : ", ended");
    for (size_t k = 0; k < norn_table_past_count(table); k++) {
        put(t, "= %s past %s: ", id, norn_table_past_name(table, k));
        put_cells(t, norn_table_past(table, s, k), rows);
        put(t, "\n");
    }
    for (size_t k = 0; k < norn_table_future_count(table); k++) {
        put(t, "= %s future %s: ", id, norn_table_future_name(table, k));
        put_cells(t, norn_table_future(table, s, k), rows + ahead);
        put(t, "\n");
    }
    for (size_t k = 0; k < norn_table_static_count(table); k++) {
        const double value = norn_table_static(table, s, k);
        put(t, "= %s static %s: ", id, norn_table_static_name(table, k));
        put_cells(t, &value, 1);
        put(t, "\n");
    }
}

static inline void put_columns(text *t, const norn_table *table)
{
    static const char *const roles[] = {"none", "time", "id", "target", "past", "future", "static", "ignore"},
                             *const types[] = {"empty", "integer", "number", "time", "text"};
    for (size_t c = 0; c < norn_table_column_count(table); c++) {
        const norn_column_facts *f = norn_table_column(table, c);
        put(t, "= column %s: %s %s, %llu cells, %llu missing", f->name, roles[f->role], types[f->type],
            (unsigned long long)f->cells, (unsigned long long)f->missing);
        if (!isnan(f->sum))
            put(t, ", %.15g to %.15g, mean %.15g, sum %.15g", f->least, f->most, f->mean, f->sum);
        if (f->distinct) put(t, ", %llu distinct", (unsigned long long)f->distinct);
        put(t, "%s, first %s\n", f->constant ? ", constant" : "", f->first);
    }
}

/* A fact by its name; false: there is none. */
static inline bool put_fact(text *t, const norn_table *table, const char *name)
{
    const norn_table_facts *f = norn_table_facts_of(table);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"bytes", f->bytes},
                   {"compressed", (uint64_t)f->compressed},
                   {"header", (uint64_t)f->header},
                   {"records", f->records},
                   {"blank", f->blank},
                   {"comments", f->comments},
                   {"ragged", f->ragged},
                   {"left_out", f->left_out},
                   {"duplicates", f->duplicates},
                   {"missing", f->missing},
                   {"missing_inputs", f->missing_inputs},
                   {"filled", f->filled},
                   {"longest_filled", f->longest_filled},
                   {"steps", f->steps},
                   {"regular", f->regular},
                   {"gaps", f->gaps},
                   {"absent", f->absent},
                   {"longest_gap", f->longest_gap},
                   {"added", f->added},
                   {"turned", (uint64_t)f->turned},
                   {"sorted", (uint64_t)f->sorted},
                   {"season", norn_table_season(table)}};
    char next[NORN_TIME_TEXT];
    if (strcmp(name, "encoding") == 0)
        put(t, "%% encoding %s\n", f->encoding);
    else if (strcmp(name, "newline") == 0)
        put(t, "%% newline %s\n", f->newline);
    else if (strcmp(name, "delimiter") == 0)
        put(t, "%% delimiter %s\n",
            f->delimiter == '\t' ? "tab"
            : f->delimiter       ? (char[]){f->delimiter, 0}
                                 : "none");
    else if (strcmp(name, "next") == 0) /* the row after the last of the first series */
        put(t, "%% next %s\n", norn_table_time_text(table, norn_table_future_time(table, 0, 1), next));
    else
        for (size_t i = 0; i <= sizeof numbers / sizeof numbers[0]; i++) {
            if (i == sizeof numbers / sizeof numbers[0]) return false;
            if (strcmp(name, numbers[i].name) != 0) continue;
            put(t, "%% %s %llu\n", name, (unsigned long long)numbers[i].value);
            break;
        }
    return true;
}

#endif
