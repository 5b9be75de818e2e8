/*
 * What `norn inspect` says to a person, on stdout: the file, its columns as a table and as sketches, its
 * series, what was decided with the flags that overrule it, and the command line that says all of it again.
 *
 * Names come from the file and may be anything: they are made printable and cut before they are shown.
 */
#include "cli/inspect.h"

#include "base/base.h"
#include "data/step.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    LISTED = 20,     /* columns in the table without --all */
    SKETCHED = 8,    /* columns drawn without --all */
    NAME_WIDTH = 20, /* of columns and series, at most */
    WHAT_WIDTH = 10,
    TEXT_BYTES = 400
};

/* ---- pieces ----------------------------------------------------------------------------------------------
 */

static void heading(const cli_screen *screen, cli_text *out, const char *text)
{
    cli_text_format(out, "\n%s%s%s\n", cli_paint_on(screen, PAINT_BOLD), text, cli_paint_off(screen));
}

/* Adds text, broken between words at the width of the screen; lines after the first are indented. */
static void put_wrapped(const cli_screen *screen, cli_text *out, const char *text, int indent)
{
    int used = indent;
    while (*text) {
        char word[TEXT_BYTES];
        const size_t length = strcspn(text, " ");
        (void)snprintf(word, sizeof word, "%.*s", (int)length, text);
        const int columns = cli_columns(word);
        if (used > indent && used + 1 + columns >= screen->columns) {
            cli_text_format(out, "\n%*s", indent, "");
            used = indent;
        } else if (used > indent) {
            cli_text_put(out, " ");
            used++;
        }
        cli_text_put(out, word);
        used += columns;
        text += length + strspn(text + length, " ");
    }
}

/* "  step       1 hour, 1,679 of 1,679 steps" */
static void fact(const cli_screen *screen, cli_text *out, const char *what, const char *format, ...)
    NORN_PRINTF(4, 5);
static void fact(const cli_screen *screen, cli_text *out, const char *what, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_text_put(out, "  ");
    cli_text_put(out, cli_paint_on(screen, PAINT_BOLD));
    cli_text_pad(out, what, -WHAT_WIDTH);
    cli_text_put(out, cli_paint_off(screen));
    cli_text_put(out, " ");
    put_wrapped(screen, out, text, 2 + WHAT_WIDTH + 1);
    cli_text_put(out, "\n");
}

/* "1,234 blank lines", "1 blank line"; "" for a NULL noun. */
static const char *counted(char out[64], uint64_t count, const char *one, const char *many)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    const char *noun = count == 1 ? one : many;
    (void)snprintf(out + used, 64 - used, "%s%s", noun[0] ? " " : "", noun);
    return out;
}
#define COUNTED(count, one, many) counted((char[64]){0}, count, one, many)
#define COUNT(count)              COUNTED(count, "", "")

/* 1.2 GB; bytes up to 10 kB. */
static const char *size_text(char out[32], uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    size_t unit = 0;
    if (bytes < 10000) {
        (void)snprintf(out, 32, "%llu bytes", (unsigned long long)bytes);
        return out;
    }
    for (size /= 1000.0; size >= 999.5 && unit + 1 < NORN_COUNT(units); unit++) size /= 1000.0;
    (void)snprintf(out, 32, "%.*f %s", size < 9.95 ? 1 : 0, size, units[unit]);
    return out;
}

/* A name of the file, printable and at most `columns` wide. */
static const char *name_text(const cli_screen *screen, char out[TEXT_BYTES], const char *name, int columns)
{
    const char *const more = screen->unicode ? "…" : "~";
    (void)norn_quote(out, TEXT_BYTES - 8, name, strlen(name), TEXT_BYTES / 5);
    if (cli_columns(out) <= columns) return out;
    size_t end = strlen(out);
    while (end > 0 && cli_columns(out) > columns - 1) { /* a character less, with all its bytes */
        do end--;
        while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80);
        out[end] = '\0';
    }
    memcpy(out + end, more, strlen(more) + 1);
    return out;
}
#define NAME(name, columns) name_text(screen, (char[TEXT_BYTES]){0}, name, columns)

/* ---- the file --------------------------------------------------------------------------------------------
 */

static const char *delimiter_text(char delimiter, char out[24])
{
    static const struct {
        char delimiter;
        const char *text;
    } known[] = {{'\0', "one column"}, {',', "comma"}, {';', "semicolon"},
                 {'\t', "tab"},        {'|', "|"},     {' ', "space"}};
    for (size_t i = 0; i < NORN_COUNT(known); i++)
        if (known[i].delimiter == delimiter) return known[i].text;
    (void)snprintf(out, 24, "\"");
    (void)norn_quote(out + 1, 20, &delimiter, 1, 1);
    (void)snprintf(out + strlen(out), 24 - strlen(out), "\"");
    return out;
}

static void print_file(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const norn_table_facts *facts = found->facts;
    char size[32], delimiter[24];
    const char *const layouts[] = {[NORN_LAYOUT_FOUND] = "",
                                   [NORN_LAYOUT_COLUMNS] = facts->header ? ", a header line" : ", no header",
                                   [NORN_LAYOUT_ROWS] = ", a line a series",
                                   [NORN_LAYOUT_TSF] = ", .tsf"};
    fact(screen, out, "file", "%s%s, %s, %s, %s%s%s", size_text(size, facts->bytes),
         facts->compressed ? " unpacked (gzip)" : "", facts->encoding ? facts->encoding : "",
         facts->newline ? facts->newline : "", delimiter_text(facts->delimiter, delimiter),
         facts->decimal == ',' ? ", decimal comma" : "", layouts[facts->layout]);

    cli_text rows = {NULL, 0, 0, false};
    cli_text_put(&rows, COUNT(facts->records));
    if (facts->blank) cli_text_format(&rows, "; %s", COUNTED(facts->blank, "blank line", "blank lines"));
    if (facts->comments) cli_text_format(&rows, "; %s", COUNTED(facts->comments, "comment", "comments"));
    if (facts->ragged)
        cli_text_format(&rows, "; %s with another number of fields", COUNTED(facts->ragged, "line", "lines"));
    if (facts->left_out) cli_text_format(&rows, "; %s left out", COUNT(facts->left_out));
    if (facts->added) cli_text_format(&rows, "; %s added", COUNT(facts->added));
    if (facts->turned) cli_text_put(&rows, "; newest first, turned");
    if (facts->sorted) cli_text_put(&rows, "; not in order, sorted");
    if (rows.failed) out->failed = true;
    if (!rows.failed) fact(screen, out, "rows", "%s", rows.bytes);
    cli_text_free(&rows);
}

static void print_time(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const norn_table *table = found->table;
    const norn_table_facts *facts = found->facts;
    char from[NORN_TIME_TEXT], to[NORN_TIME_TEXT], step[96];
    int64_t first = 0, last = 0;
    inspect_span(table, &first, &last);
    const char *name = norn_table_time_name(table);
    (void)norn_table_time_text(table, first, from);
    (void)norn_table_time_text(table, last, to);
    if (name[0])
        fact(screen, out, "time", "\"%s\", %s to %s", NAME(name, 2 * NAME_WIDTH), from, to);
    else
        fact(screen, out, "time", "none: rows are numbered from %s to %s", from, to);
    (void)norn_step_text(norn_table_step(table), step, sizeof step);
    if (facts->steps)
        fact(screen, out, "step", "%s (%s of %s)", step, COUNT(facts->regular),
             COUNTED(facts->steps, "step", "steps"));
    else
        fact(screen, out, "step", "%s", step);
    if (facts->gaps)
        fact(screen, out, "gaps", "%s with %s absent, at most %s in a row",
             COUNTED(facts->gaps, "place", "places"), COUNTED(facts->absent, "row", "rows"),
             COUNT(facts->longest_gap));
    else
        fact(screen, out, "gaps", "none");
    if (facts->duplicates)
        fact(screen, out, "duplicates", "%s of a time that was there before",
             COUNTED(facts->duplicates, "row", "rows"));
    else
        fact(screen, out, "duplicates", "none");
}

static void print_missing(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const norn_table_facts *facts = found->facts;
    if (!facts->missing && !facts->missing_inputs) {
        fact(screen, out, "missing", "none");
        return;
    }
    char filled[160] = "";
    if (facts->filled)
        (void)snprintf(filled, sizeof filled, "; %s filled, at most %s in a row", COUNT(facts->filled),
                       COUNT(facts->longest_filled));
    char inputs[96] = "";
    if (facts->missing_inputs)
        (void)snprintf(inputs, sizeof inputs, ", %s of %s", COUNTED(facts->missing_inputs, "cell", "cells"),
                       found->inputs_told ? "inputs" : "other columns");
    fact(screen, out, "missing", "%s of targets%s%s",
         facts->missing ? COUNTED(facts->missing, "cell", "cells") : "none", inputs, filled);
}

static void print_season(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const size_t suggested = norn_table_season(found->table);
    const inspect_season *season = &found->seasons[0];
    char step[64] = "the step suggests none";
    if (suggested > 1) (void)snprintf(step, sizeof step, "the step suggests %s", COUNT(suggested));
    if (season->rows < 2)
        fact(screen, out, "season", "none found; %s", step);
    else if (season->rows == suggested)
        fact(screen, out, "season", "%s, strength %.2f; as the step suggests",
             COUNTED(season->rows, "row", "rows"), season->strength);
    else
        fact(screen, out, "season", "%s, strength %.2f; %s (--season %zu)",
             COUNTED(season->rows, "row", "rows"), season->strength, step, season->rows);
}

static void print_series_count(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const size_t count = norn_table_series_count(found->table);
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t s = 0; s < count; s++) {
        const size_t rows = norn_table_rows(found->table, s);
        if (rows < least) least = rows;
        if (rows > most) most = rows;
    }
    if (least == most)
        fact(screen, out, "series", "%s of %s each", COUNT(count), COUNTED(most, "row", "rows"));
    else
        fact(screen, out, "series", "%s of %s to %s", COUNT(count), COUNT(least),
             COUNTED(most, "row", "rows"));
}

/* Numeric columns without a role, which --past would make inputs. */
static void print_possible_inputs(const inspection *found, const cli_screen *screen, cli_text *out)
{
    enum { NAMED = 5 };
    if (found->refused) {
        const norn_error *err = found->refused;
        if (err->line)
            fact(screen, out, "inputs", "none; with --past '*' line %llu is refused: %s",
                 (unsigned long long)err->line, err->message);
        else
            fact(screen, out, "inputs", "none; --past '*' is refused: %s", err->message);
        return;
    }
    cli_text names = {NULL, 0, 0, false};
    size_t count = 0;
    for (size_t i = 0; i < norn_table_column_count(found->table); i++) {
        const norn_column_facts *column = norn_table_column(found->table, i);
        if (column->role == inspect_role(found, column)) continue;
        if (count++ < NAMED)
            cli_text_format(&names, "%s%s", count > 1 ? ", " : "", NAME(column->name, NAME_WIDTH));
    }
    if (count > NAMED) cli_text_format(&names, " and %s more", COUNT(count - NAMED));
    if (names.failed) out->failed = true;
    if (count && !names.failed) fact(screen, out, "inputs", "none; could be %s (--past)", names.bytes);
    cli_text_free(&names);
}

/* ---- columns ---------------------------------------------------------------------------------------------
 */

enum { NAME_CELL, ROLE_CELL, TYPE_CELL, MISSING_CELL, LEAST_CELL, MOST_CELL, MEAN_CELL, SUM_CELL, CELLS };

typedef struct column_row {
    char cells[CELLS][TEXT_BYTES];
    bool numbers; /* else the fifth cell is a note that stands in place of the last four */
} column_row;

/* "12.5", "1680" and "1145620"; an exponent only from 1e9 on, or below what `digits` significant ones show.
 */
static void number_text(char *out, size_t size, double value, int digits)
{
    if (!isfinite(value))
        (void)snprintf(out, size, "-");
    else if (fabs(value) < 1e9 && fabs(value) >= pow(10.0, digits - 1))
        (void)snprintf(out, size, "%.0f", value);
    else
        (void)snprintf(out, size, "%.*g", digits, value);
}

static void fill_row(const inspection *found, const cli_screen *screen, const norn_column_facts *column,
                     int digits, int name_width, column_row *row)
{
    const norn_column_role role = inspect_role(found, column);
    memset(row, 0, sizeof *row);
    (void)snprintf(row->cells[NAME_CELL], TEXT_BYTES, "%s", NAME(column->name, name_width));
    (void)snprintf(row->cells[ROLE_CELL], TEXT_BYTES, "%s",
                   role == NORN_ROLE_NONE ? "-" : inspect_roles[role]);
    (void)snprintf(row->cells[TYPE_CELL], TEXT_BYTES, "%s", inspect_types[column->type]);
    (void)snprintf(row->cells[MISSING_CELL], TEXT_BYTES, "%s", COUNT(column->missing));
    char *const note = row->cells[LEAST_CELL];
    const char *const first = column->first ? column->first : "";
    if (column->type == NORN_TYPE_EMPTY)
        (void)snprintf(note, TEXT_BYTES, "all cells are missing");
    else if (column->constant)
        (void)snprintf(note, TEXT_BYTES, "constant: %s", NAME(first, 24));
    else if (role == NORN_ROLE_TIME || !(column->distinct || isfinite(column->least)))
        (void)snprintf(note, TEXT_BYTES, "from %s", NAME(first, 32));
    else if (column->type == NORN_TYPE_TEXT)
        (void)snprintf(note, TEXT_BYTES, "%s%s different: %s, ...",
                       column->distinct >= 1000 ? "at least " : "", COUNT(column->distinct), NAME(first, 24));
    else {
        row->numbers = true;
        number_text(row->cells[LEAST_CELL], TEXT_BYTES, column->least, digits);
        number_text(row->cells[MOST_CELL], TEXT_BYTES, column->most, digits);
        number_text(row->cells[MEAN_CELL], TEXT_BYTES, column->mean, digits);
        number_text(row->cells[SUM_CELL], TEXT_BYTES, column->sum, digits + 4);
    }
}

/* Widths of the cells of all rows and their headings; returns the width of the table. */
static int measure(const column_row *rows, size_t count, const char *const *titles, int widths[CELLS])
{
    int total = 2 + 2 * (CELLS - 1);
    for (int c = 0; c < CELLS; c++) {
        widths[c] = cli_columns(titles[c]);
        for (size_t i = 0; i < count; i++) {
            if (c >= LEAST_CELL && !rows[i].numbers) continue;
            const int columns = cli_columns(rows[i].cells[c]);
            if (columns > widths[c]) widths[c] = columns;
        }
        total += widths[c];
    }
    return total;
}

static void print_columns(const inspection *found, const cli_screen *screen, cli_text *out)
{
    static const char *const titles[CELLS] = {"name",  "role", "type", "missing",
                                              "least", "most", "mean", "sum"};
    /* more digits and longer names where they fit */
    static const struct {
        int digits, name;
    } fits[] = {{8, NAME_WIDTH}, {6, NAME_WIDTH}, {5, 16}, {4, 12}};
    const size_t all = norn_table_column_count(found->table);
    const size_t count = found->all || all <= LISTED ? all : LISTED;
    if (count == 0) return;
    column_row *rows = calloc(count, sizeof *rows);
    if (!rows) {
        out->failed = true;
        return;
    }
    int widths[CELLS];
    for (size_t fit = 0; fit < NORN_COUNT(fits); fit++) {
        for (size_t i = 0; i < count; i++)
            fill_row(found, screen, norn_table_column(found->table, i), fits[fit].digits, fits[fit].name,
                     &rows[i]);
        if (measure(rows, count, titles, widths) < screen->columns) break;
    }

    heading(screen, out, "Columns");
    cli_text_put(out, cli_paint_on(screen, PAINT_DIM));
    for (int c = 0; c < CELLS; c++) {
        cli_text_put(out, "  ");
        cli_text_pad(out, titles[c], c < MISSING_CELL ? -widths[c] : widths[c]);
    }
    cli_text_format(out, "%s\n", cli_paint_off(screen));
    for (size_t i = 0; i < count; i++) {
        const int cells = rows[i].numbers ? CELLS : LEAST_CELL;
        for (int c = 0; c < cells; c++) {
            cli_text_put(out, "  ");
            cli_text_pad(out, rows[i].cells[c], c < MISSING_CELL ? -widths[c] : widths[c]);
        }
        if (!rows[i].numbers) cli_text_format(out, "  %s", rows[i].cells[LEAST_CELL]);
        cli_text_put(out, "\n");
    }
    if (count < all) cli_text_format(out, "  and %s (--all)\n", COUNTED(all - count, "more column", "more"));
    free(rows);
}

/* ---- sketches --------------------------------------------------------------------------------------------
 */

static void print_sketch(const cli_screen *screen, cli_text *out, const norn_column_facts *column,
                         const double *values, size_t rows, int name_width, int number_width)
{
    cli_text lines[CLI_SKETCH_LINES] = {{NULL, 0, 0, false}, {NULL, 0, 0, false}};
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        low = fmin(low, values[i]); /* of a number and NaN it is the number */
        high = fmax(high, values[i]);
    }
    const int columns = screen->columns - 2 - name_width - 2 - 2 - number_width - 1;
    const size_t count = cli_sketch(screen, lines, values, rows, columns);
    for (size_t i = 0; i < count; i++) {
        char number[32];
        number_text(number, sizeof number, i == 0 ? high : low, 6);
        if (lines[i].failed) out->failed = true;
        if (lines[i].failed) continue;
        cli_text_put(out, "  ");
        cli_text_pad(out, i == 0 ? NAME(column->name, name_width) : "", -name_width);
        cli_text_format(out, "  %s%s  %s%s", lines[i].bytes, cli_paint_on(screen, PAINT_DIM), number,
                        cli_paint_off(screen));
        cli_text_put(out, "\n");
    }
    for (size_t i = 0; i < CLI_SKETCH_LINES; i++) cli_text_free(&lines[i]);
}

/* The series that shows a column: the first listed one of its target, else the first listed. */
static const double *values_of(const inspection *found, const norn_column_facts *column, size_t *rows)
{
    for (size_t i = 0; i < found->shown; i++) {
        const double *values = inspect_values(found, column, found->first + i, rows);
        if (values) return values;
        if (column->role != NORN_ROLE_TARGET) break;
    }
    return NULL;
}

static void print_sketches(const inspection *found, const cli_screen *screen, cli_text *out)
{
    enum { NUMBER = 12 };
    const size_t all = norn_table_column_count(found->table);
    size_t drawn = 0, left = 0, rows = 0;
    int width = 4;
    if (all == 0) { /* a line a series */
        const norn_column_facts series = {.name = norn_table_id(found->table, found->first)};
        const double *values = norn_table_target(found->table, found->first);
        char title[TEXT_BYTES + 64] = "Chart";
        if (found->one) return; /* a larger one comes */
        if (norn_table_series_count(found->table) > 1)
            (void)snprintf(title, sizeof title, "Chart of the series \"%s\"",
                           NAME(series.name, 2 * NAME_WIDTH));
        heading(screen, out, title);
        print_sketch(screen, out, &series, values, norn_table_rows(found->table, found->first),
                     NAME_WIDTH / 2, NUMBER);
        return;
    }
    for (size_t i = 0; i < all; i++) {
        const norn_column_facts *column = norn_table_column(found->table, i);
        if (!values_of(found, column, &rows)) continue;
        const int columns = cli_columns(NAME(column->name, NAME_WIDTH));
        if (columns > width) width = columns;
    }
    for (size_t i = 0; i < all; i++) {
        const norn_column_facts *column = norn_table_column(found->table, i);
        const double *values =
            column->constant || column->type == NORN_TYPE_EMPTY ? NULL : values_of(found, column, &rows);
        if (!values) continue;
        if (drawn == SKETCHED && !found->all) {
            left++;
            continue;
        }
        if (drawn++ == 0) {
            const char *id = norn_table_id(found->table, found->first);
            char title[TEXT_BYTES + 64] = "Charts";
            if (norn_table_series_count(found->table) > 1 && strcmp(id, column->name) != 0)
                (void)snprintf(title, sizeof title, "Charts of the series \"%s\"", NAME(id, 2 * NAME_WIDTH));
            heading(screen, out, title);
        }
        print_sketch(screen, out, column, values, rows, width, NUMBER);
    }
    if (left) cli_text_format(out, "  and %s (--all)\n", COUNTED(left, "more", "more"));
}

void inspect_chart(const inspection *found, const cli_screen *screen, cli_text *out)
{
    enum { ROWS = 12, BETWEEN = 4 };
    const norn_table *table = found->table;
    const size_t s = found->first, rows = norn_table_rows(table, s);
    const int64_t *times = norn_table_times(table, s);
    const chart_series line = {NULL, norn_table_target(table, s), rows, 0, CHART_LINE};
    chart_label labels[BETWEEN + 1];
    for (long i = 0; i <= BETWEEN; i++) { /* both ends before what stands between */
        const long part = i == 0 ? 0 : i == 1 ? BETWEEN : i - 1;
        labels[i].at = part * (long)(rows - 1) / BETWEEN;
        (void)norn_table_time_text(table, times[labels[i].at], labels[i].text);
    }
    const cli_chart chart = {
        .series = &line, .series_count = 1, .labels = labels, .label_count = BETWEEN + 1, .rows = ROWS};
    char title[TEXT_BYTES];
    heading(screen, out, name_text(screen, title, norn_table_id(table, s), screen->columns - 1));
    chart_draw(screen, out, &chart);
}

/* ---- series ----------------------------------------------------------------------------------------------
 */

static void print_series(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const norn_table *table = found->table;
    const size_t all = norn_table_series_count(table);
    char first[NORN_TIME_TEXT], last[NORN_TIME_TEXT];
    int name = 4, time = 5;
    if (all < 2) return;
    for (size_t i = 0; i < found->shown; i++) {
        const size_t s = found->first + i;
        const int columns = cli_columns(NAME(norn_table_id(table, s), NAME_WIDTH));
        if (columns > name) name = columns;
        const int64_t *times = norn_table_times(table, s);
        const int a = (int)strlen(norn_table_time_text(table, times[0], first));
        const int b = (int)strlen(norn_table_time_text(table, times[norn_table_rows(table, s) - 1], last));
        if (a > time) time = a;
        if (b > time) time = b;
    }
    heading(screen, out, "Series");
    cli_text_format(out, "%s  %-*s  %10s  %-*s  %-*s  %7s  %6s  %8s%s\n", cli_paint_on(screen, PAINT_DIM),
                    name, "name", "rows", time, "first", time, "last", "missing", "season", "strength",
                    cli_paint_off(screen));
    for (size_t i = 0; i < found->shown; i++) {
        const size_t s = found->first + i, rows = norn_table_rows(table, s);
        const int64_t *times = norn_table_times(table, s);
        const inspect_season *season = &found->seasons[i];
        cli_text_put(out, "  ");
        cli_text_pad(out, NAME(norn_table_id(table, s), NAME_WIDTH), -name);
        cli_text_format(out, "  %10s  %-*s  %-*s  %7s", COUNT(rows), time,
                        norn_table_time_text(table, times[0], first), time,
                        norn_table_time_text(table, times[rows - 1], last), COUNT(inspect_missing(table, s)));
        if (season->rows > 1)
            cli_text_format(out, "  %6s  %8.2f\n", COUNT(season->rows), season->strength);
        else
            cli_text_format(out, "  %6s\n", "none");
    }
    if (found->shown < all && !found->one)
        cli_text_format(out, "  and %s more (--all)\n", COUNT(all - found->shown));
}

/* ---- all of it -------------------------------------------------------------------------------------------
 */

/* Options begin on a line of their own where they would not fit. */
static void print_command(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const char *at = found->command.bytes;
    int used = 2;
    heading(screen, out, "As a command");
    cli_text_put(out, "  ");
    while (*at) {
        const size_t length = strcspn(at, "\n");
        char part[TEXT_BYTES];
        (void)snprintf(part, sizeof part, "%.*s", (int)length, at);
        const int columns = length < sizeof part ? cli_columns(part) : (int)sizeof part;
        if (used > 2 && used + 1 + columns + 2 >= screen->columns) {
            cli_text_put(out, " \\\n    ");
            used = 4;
        } else if (used > 2) {
            cli_text_put(out, " ");
            used++;
        }
        cli_text_add(out, at, length);
        used += columns;
        at += length + (at[length] == '\n');
    }
    cli_text_put(out, "\n");
}

void inspect_print(const inspection *found, const cli_screen *screen, cli_text *out)
{
    const bool many = norn_table_series_count(found->table) > 1;
    size_t count = 0;
    const norn_decision *decisions = norn_table_decisions(found->table, &count);
    print_file(found, screen, out);
    if (many) print_series_count(found, screen, out);
    print_time(found, screen, out);
    print_missing(found, screen, out);
    if (!many) print_season(found, screen, out);
    print_possible_inputs(found, screen, out);
    print_columns(found, screen, out);
    print_sketches(found, screen, out);
    print_series(found, screen, out);
    if (count) {
        heading(screen, out, "Decided");
        cli_report_decisions(screen, out, decisions, count);
    }
    print_command(found, screen, out);
}
