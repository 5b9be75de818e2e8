/*
 * One clean table, spoiled in every way at every row and column: each time it is read right, or refused with
 * the right line and column. Every file is read whole, byte by byte, and in small pieces on three threads,
 * whose ends fall on other bytes each time.
 */
#include "table_support.h"

#include "base/base.h"

#include <stdbool.h>

enum { ROWS = 12, FIELDS = 6 };
enum { COL_TIME, COL_X, COL_NOTE, COL_Y, COLUMNS }; /* behind the id, where there is one */

/* Two variants: one series, and two that take turns, told apart by the first column. */
typedef struct sheet {
    size_t series;
    size_t fields[ROWS]; /* of each row */
    char cell[ROWS][FIELDS][48];
    char before[ROWS][24]; /* lines that stand before the row */
    const char *end[ROWS]; /* its newline */
    bool gone[ROWS];
} sheet;

static char *cell(sheet *s, size_t row, size_t column)
{
    return s->cell[row][column + (s->series > 1 ? 1 : 0)];
}

static double clean_x(size_t row)
{
    return (double)row + 0.5;
}

static double clean_y(size_t row)
{
    return (double)(row * row) - 3.25;
}

static int64_t clean_time(size_t series, size_t row)
{
    return (int64_t)(19800 + row / series) * NORN_DAY;
}

static sheet make_sheet(size_t series, size_t shift)
{
    sheet s;
    memset(&s, 0, sizeof s);
    s.series = series;
    for (size_t r = 0; r < ROWS; r++) {
        const norn_time_style style = norn_time_style_iso(NORN_FORM_DATE, 0);
        char day[NORN_TIME_TEXT];
        s.fields[r] = COLUMNS + (series > 1 ? 1 : 0);
        s.end[r] = "\n";
        (void)snprintf(s.cell[r][0], sizeof s.cell[r][0], "%c", (char)('A' + r % series));
        (void)norn_time_write(&style, clean_time(series, r), day);
        (void)snprintf(cell(&s, r, COL_TIME), 48, "%.40s", day);
        (void)snprintf(cell(&s, r, COL_X), 48, "%g", clean_x(r));
        (void)snprintf(cell(&s, r, COL_NOTE), 48, "n%zu%.*s", r, (int)shift,
                       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        (void)snprintf(cell(&s, r, COL_Y), 48, "%g", clean_y(r));
    }
    return s;
}

/* A NUL is written as \1 in a cell. */
static size_t write_sheet(const sheet *s, char *out)
{
    size_t n = (size_t)sprintf(out, "%sds,x,note,y\n", s->series > 1 ? "unique_id," : "");
    for (size_t r = 0; r < ROWS; r++) {
        if (s->gone[r]) continue;
        n += (size_t)sprintf(out + n, "%s", s->before[r]);
        for (size_t f = 0; f < s->fields[r]; f++)
            n += (size_t)sprintf(out + n, "%s%s", f ? "," : "", s->cell[r][f]);
        n += (size_t)sprintf(out + n, "%s", s->end[r]);
    }
    for (size_t i = 0; i < n; i++)
        if (out[i] == 1) out[i] = '\0';
    return n;
}

/* ---- what is done to a sheet ---- */

typedef struct pollution pollution;
struct pollution {
    const char *name;
    void (*spoil)(sheet *s, size_t row, size_t column, const char *text);
    const char *text;
    int from, to;       /* columns it is done to, of those behind the id */
    size_t first, last; /* rows of each series that are left alone at its beginning and end */
    enum { REFUSED, CLEAN, LACKS_CELL, LACKS_ROW } comes;
    int line;            /* REFUSED: behind the row's own */
    int column;          /* from 1, behind the id; 0: the one it is done to */
    bool series_later;   /* REFUSED: where the next row of the series is */
    const char *message; /* a part of it */
    norn_table_options options;
};

static void put_text(sheet *s, size_t row, size_t column, const char *text)
{
    (void)snprintf(cell(s, row, column), 48, "%s", text);
}

static void put_behind(sheet *s, size_t row, size_t column, const char *text)
{
    char *c = cell(s, row, column);
    (void)snprintf(c + strlen(c), 48 - strlen(c), "%s", text);
}

static void put_in_quotes(sheet *s, size_t row, size_t column, const char *text)
{
    char old[48];
    memcpy(old, cell(s, row, column), sizeof old);
    (void)snprintf(cell(s, row, column), 48, "\"%.30s%s\"", old, text);
}

static void put_around(sheet *s, size_t row, size_t column, const char *text)
{
    char old[48];
    memcpy(old, cell(s, row, column), sizeof old);
    (void)snprintf(cell(s, row, column), 48, "%s%.30s%s", text, old, text);
}

static void drop_field(sheet *s, size_t row, size_t column, const char *text)
{
    (void)text;
    column += s->series > 1 ? 1 : 0;
    for (size_t f = column; f + 1 < s->fields[row]; f++) memcpy(s->cell[row][f], s->cell[row][f + 1], 48);
    s->fields[row]--;
}

static void add_field(sheet *s, size_t row, size_t column, const char *text)
{
    column += s->series > 1 ? 1 : 0;
    for (size_t f = s->fields[row]; f > column; f--) memcpy(s->cell[row][f], s->cell[row][f - 1], 48);
    (void)snprintf(s->cell[row][column], 48, "%s", text);
    s->fields[row]++;
}

static void put_before(sheet *s, size_t row, size_t column, const char *text)
{
    (void)column;
    (void)snprintf(s->before[row], sizeof s->before[row], "%s", text);
}

static void end_line(sheet *s, size_t row, size_t column, const char *text)
{
    (void)column;
    s->end[row] = text;
}

static void drop_row(sheet *s, size_t row, size_t column, const char *text)
{
    (void)column;
    (void)text;
    s->gone[row] = true;
}

static void swap_rows(sheet *s, size_t row, size_t column, const char *text)
{
    char held[FIELDS][48];
    (void)column;
    (void)text;
    memcpy(held, s->cell[row], sizeof held);
    memcpy(s->cell[row], s->cell[row + s->series], sizeof held);
    memcpy(s->cell[row + s->series], held, sizeof held);
}

static void repeat_time(sheet *s, size_t row, size_t column, const char *text)
{
    (void)column;
    (void)text;
    memcpy(cell(s, row, COL_TIME), cell(s, row - s->series, COL_TIME), 48);
}

static void drop_id(sheet *s, size_t row, size_t column, const char *text)
{
    (void)column;
    (void)text;
    if (s->series > 1) s->cell[row][0][0] = '\0';
}

/* Newlines in the note of a row, and what is wrong comes behind it. */
static void break_note(sheet *s, size_t row, size_t column, const char *text)
{
    put_in_quotes(s, row, COL_NOTE, text);
    put_text(s, row, column, "bad");
}

#define TOLD(...)                                                                                            \
    {                                                                                                        \
        sizeof(norn_table_options), .target = "y", .past = "x", __VA_ARGS__                                  \
    }
#define PLAIN TOLD(.comment = 0)

static const pollution pollutions[] = {
    {"no number", put_text, "bad", COL_X, COL_X, 0, 0, REFUSED, 0, 0, false, "found \"bad\"", PLAIN},
    {"no number", put_text, "bad", COL_Y, COL_Y, 0, 0, REFUSED, 0, 0, false, "found \"bad\"", PLAIN},
    {"no number", put_text, "1e999", COL_Y, COL_Y, 0, 0, REFUSED, 0, 0, false, "found \"1e999\"", PLAIN},
    {"no number", put_text, "\"1,5\"", COL_Y, COL_Y, 0, 0, REFUSED, 0, 0, false, "--decimal ,", PLAIN},
    {"no time", put_text, "bad", COL_TIME, COL_TIME, 0, 0, REFUSED, 0, 0, false, "expected dates like",
     PLAIN},
    {"no such day", put_text, "2023-02-29", COL_TIME, COL_TIME, 0, 0, REFUSED, 0, 0, false, "2023-02-29",
     PLAIN},
    {"missing time", put_text, "", COL_TIME, COL_TIME, 0, 0, REFUSED, 0, 0, false, "missing time", PLAIN},
    {"missing id", drop_id, "", COL_TIME, COL_TIME, 0, 0, REFUSED, 0, 1, false, "missing id", PLAIN},

    {"missing target", put_text, "", COL_Y, COL_Y, 0, 0, REFUSED, 0, 0, false, "missing value", PLAIN},
    {"missing target", put_text, "NA", COL_Y, COL_Y, 1, 1, LACKS_CELL, 0, 0, false, "",
     TOLD(.on_missing = NORN_MISSING_MASK)},
    {"missing target", put_text, "", COL_Y, COL_Y, 0, 0, LACKS_ROW, 0, 0, false, "",
     TOLD(.on_missing = NORN_MISSING_SKIP)},
    {"missing input", put_text, "", COL_X, COL_X, 0, 0, LACKS_CELL, 0, 0, false, "", PLAIN},
    {"missing input", put_text, "null", COL_X, COL_X, 0, 0, REFUSED, 0, 0, false, "missing value",
     TOLD(.on_missing_input = NORN_MISSING_ERROR)},

    {"short row", drop_field, "", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 4, false, "the row has", PLAIN},
    {"short row", drop_field, "", COL_TIME, COL_Y, 0, 0, LACKS_ROW, 0, 0, false, "",
     TOLD(.on_ragged = NORN_RAGGED_SKIP)},
    {"short row", drop_field, "", COL_Y, COL_Y, 1, 1, LACKS_CELL, 0, 0, false, "",
     TOLD(.on_ragged = NORN_RAGGED_PAD, .on_missing = NORN_MISSING_MASK)},
    {"long row", add_field, "7", COL_TIME, COLUMNS, 0, 0, REFUSED, 0, 5, false, "the row has", PLAIN},
    {"long row", add_field, "7", COL_TIME, COLUMNS, 0, 0, LACKS_ROW, 0, 0, false, "",
     TOLD(.on_ragged = NORN_RAGGED_SKIP)},
    {"long row", add_field, "7", COL_TIME, COLUMNS, 0, 0, REFUSED, 0, 5, false, "the row has",
     TOLD(.on_ragged = NORN_RAGGED_PAD)},

    {"stray quote", put_behind, "\"", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 0, false, "a quote inside a field",
     PLAIN},
    {"open quote", put_text, "\"5", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 0, false, "never closed", PLAIN},
    {"text behind a quote", put_text, "\"5\"x", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 0, false,
     "behind the closing quote", PLAIN},
    {"NUL", put_behind, "\1", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 0, false, "a NUL byte", PLAIN},
    {"Latin-1", put_behind, "\xe9", COL_TIME, COL_Y, 0, 0, REFUSED, 0, 0, false, "0xE9", PLAIN},
    {"half a character", put_behind, "\xe2\x82", COL_NOTE, COL_NOTE, 0, 0, REFUSED, 0, 0, false, "0xE2",
     PLAIN},

    {"time twice", repeat_time, "", COL_TIME, COL_TIME, 1, 0, REFUSED, 0, 0, false, "already", PLAIN},
    {"time twice", repeat_time, "", COL_TIME, COL_TIME, 1, 0, LACKS_ROW, 0, 0, false, "",
     TOLD(.on_duplicate = NORN_DUPLICATE_FIRST)},
    {"rows swapped", swap_rows, "", COL_TIME, COL_TIME, 0, 1, REFUSED, 0, 1, true, "is before the row above",
     PLAIN},
    {"rows swapped", swap_rows, "", COL_TIME, COL_TIME, 0, 1, CLEAN, 0, 0, false, "",
     TOLD(.on_unsorted = NORN_UNSORTED_SORT)},
    {"row gone", drop_row, "", COL_TIME, COL_TIME, 0, 0, LACKS_ROW, 0, 0, false, "", PLAIN},
    {"row gone", drop_row, "", COL_TIME, COL_TIME, 1, 1, REFUSED, -1, 1, true, "1 row",
     TOLD(.on_gap = NORN_GAP_ERROR)},

    {"blank line", put_before, "\n", COL_TIME, COL_TIME, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"blank lines", put_before, "  \r\n\n\r", COL_TIME, COL_TIME, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"comment", put_before, "# \"note,\n", COL_TIME, COL_TIME, 0, 0, CLEAN, 0, 0, false, "",
     TOLD(.comment = '#')},
    {"comment", put_before, "# note\n", COL_TIME, COL_TIME, 0, 0, REFUSED, 0, 2, false, "the row has 1 field",
     PLAIN},
    {"CRLF", end_line, "\r\n", COL_TIME, COL_TIME, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"CR", end_line, "\r", COL_TIME, COL_TIME, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"quotes", put_in_quotes, "", COL_TIME, COL_Y, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"blanks", put_around, "  ", COL_TIME, COL_Y, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"delimiter in quotes", put_in_quotes, ",;\"\"", COL_NOTE, COL_NOTE, 0, 0, CLEAN, 0, 0, false, "", PLAIN},
    {"newlines in quotes", put_in_quotes, "\n\r\n\ra", COL_NOTE, COL_NOTE, 0, 0, CLEAN, 0, 0, false, "",
     PLAIN},
    {"newlines in quotes", break_note, "\n\r\n\ra", COL_Y, COL_Y, 0, 0, REFUSED, 3, 0, false, "found \"bad\"",
     PLAIN},
    {"letters", put_behind, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", COL_NOTE, COL_NOTE, 0, 0, CLEAN, 0, 0,
     false, "", PLAIN},
};

/* ---- what must come out ---- */

typedef struct trial {
    const pollution *p;
    size_t row, column, shift, series;
    int way;
} trial;

static void wrong(const trial *t, const char *text, size_t size, const char *what)
{
    char shown[6000];
    print_error("%s at row %zu, column %zu, shifted by %zu, %zu series, way %d: %s\n%s\n", t->p->name, t->row,
                t->column, t->shift, t->series, t->way, what,
                norn_quote(shown, sizeof shown, text, size, 1500));
    fail();
}

static bool same_cell(double got, double want)
{
    return isnan(want) ? isnan(got) : got == want;
}

/* The rows of each series are those of the clean sheet, but for the one row or the one cell. */
static const char *differs(const trial *t, const norn_table *table)
{
    const bool lacks = t->p->comes == LACKS_ROW, hole = t->p->comes == LACKS_CELL;
    if (norn_table_series_count(table) != t->series) return "another number of series";
    for (size_t s = 0; s < t->series; s++) {
        const char *id = norn_table_id(table, s); /* the first to appear may be the second now */
        const size_t first = t->series > 1 && *id == 'B' ? 1 : 0;
        size_t i = 0;
        for (size_t r = first; r < ROWS; r += t->series) {
            if (lacks && r == t->row) continue;
            if (i == norn_table_rows(table, s)) return "a series is too short";
            const bool here = hole && r == t->row;
            const double y = here && t->column == COL_Y ? (double)NAN : clean_y(r);
            const double x = here && t->column == COL_X ? (double)NAN : clean_x(r);
            if (norn_table_times(table, s)[i] != clean_time(t->series, r)) return "another time";
            if (!same_cell(norn_table_target(table, s)[i], y)) return "another target";
            if (!same_cell(norn_table_past(table, s, 0)[i], x)) return "another input";
            i++;
        }
        if (i != norn_table_rows(table, s)) return "a series is too long";
    }
    return NULL;
}

static void try_one(const trial *t)
{
    static char text[8000];
    const pollution *p = t->p;
    sheet s = make_sheet(t->series, t->shift);
    p->spoil(&s, t->row, t->column, p->text);
    const size_t size = write_sheet(&s, text);
    assert_true(size < sizeof text);
    memory_stream stream = {text, size, 0, t->way == 1 ? 1 : SIZE_MAX, 0};
    norn_table *table = NULL;
    norn_error err = NORN_ERROR_INIT;
    const norn_status status = norn_table_read_tuned(&table, read_memory, &stream, "f.csv", &p->options,
                                                     t->way == 2 ? 3 : 0, t->way == 2 ? 50 : 0, NULL, &err);
    if (p->comes != REFUSED) {
        if (status != NORN_OK) wrong(t, text, size, err.message);
        const char *what = differs(t, table);
        if (what) wrong(t, text, size, what);
        norn_table_free(table);
        return;
    }
    if (status != NORN_ERR_DATA) wrong(t, text, size, "not refused");
    const size_t id = t->series > 1 && p->spoil != drop_id ? 1 : 0;
    const size_t line = t->row + 2 + (p->series_later ? t->series : 0);
    const bool lone = strcmp(p->message, "the row has 1 field") == 0; /* of the first column */
    const size_t column = lone ? 2 : (p->column ? (size_t)p->column : t->column + 1) + id;
    if (err.line != (uint64_t)((int64_t)line + p->line) || err.column != column) {
        char what[1000];
        (void)snprintf(what, sizeof what, "line %d, column %d, not %zu and %zu: %s", (int)err.line,
                       (int)err.column, (size_t)((int64_t)line + p->line), column, err.message);
        wrong(t, text, size, what);
    }
    if (!strstr(err.message, p->message)) wrong(t, text, size, err.message);
}

static void every_pollution_of_a_clean_table_is_read_right_or_refused_in_its_place(void **state)
{
    static const size_t shifts[] = {0, 13};
    (void)state;
    for (size_t i = 0; i < NORN_COUNT(pollutions); i++) {
        const pollution *p = &pollutions[i];
        for (size_t series = 1; series <= 2; series++) {
            if (p->spoil == drop_id && series == 1) continue;
            for (size_t row = p->first * series; row + p->last * series < ROWS; row++)
                for (int column = p->from; column <= p->to; column++)
                    for (int way = 0; way <= 2; way += series == 2 ? 2 : 1)
                        for (size_t shift = 0; shift < (way == 2 ? NORN_COUNT(shifts) : 1); shift++)
                            try_one(&(trial){p, row, (size_t)column, shifts[shift], series, way});
        }
    }
}

/* A defect in each byte of a file: it is read, or refused, and never with a line that the file does not have.
 */
static void any_byte_may_be_any_other(void **state)
{
    static char text[8000];
    static const char bytes[] = {'\0', '"', ',', '\n', '\r', '5', (char)0xff};
    (void)state;
    const sheet s = make_sheet(2, 3);
    const size_t size = write_sheet(&s, text);
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    for (size_t at = 0; at < size; at++)
        for (size_t b = 0; b < sizeof bytes; b++) {
            const char held = text[at];
            text[at] = bytes[b];
            norn_table *table[2] = {NULL, NULL};
            norn_error err[2] = {NORN_ERROR_INIT, NORN_ERROR_INIT};
            norn_status status[2];
            for (int way = 0; way < 2; way++) {
                memory_stream stream = {text, size, 0, SIZE_MAX, 0};
                status[way] = norn_table_read_tuned(&table[way], read_memory, &stream, "f.csv", NULL, 1,
                                                    way ? 40 : 0, NULL, &err[way]);
            }
            assert_int_equal(status[0], status[1]);
            assert_true(status[0] == NORN_OK || status[0] == NORN_ERR_DATA);
            assert_string_equal(err[0].message, err[1].message);
            assert_int_equal(err[0].line, err[1].line);
            assert_int_equal(err[0].column, err[1].column);
            assert_true(err[0].line <= lines + 1);
            norn_table_free(table[0]);
            norn_table_free(table[1]);
            text[at] = held;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pollution_of_a_clean_table_is_read_right_or_refused_in_its_place),
        cmocka_unit_test(any_byte_may_be_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
