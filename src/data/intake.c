/*
 * From records to rows, for files with a line a time: what each field of a record means, on the workers'
 * threads, and how the pieces they filled become columns, on the caller's.
 *
 * A worker may not allocate, so a piece brings room for the most that its bytes can hold; pages nobody
 * touches cost nothing. Cells lie row by row in the order of the file's columns and are dealt out to the
 * table's columns when the piece is drained. Texts (ids, words) lie behind each other with their NULs; a text
 * equal to the one above it in its column is not written again, so that draining can tell it by its place
 * alone.
 */
#include "data/cell.h"
#include "data/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_PROBLEMS ((size_t)1 << 16) /* of a piece that are kept with their positions */
#define MOST_DISTINCT 1000              /* texts of a column that are told apart for its facts */
#define FACT_TEXT     60                /* bytes of a column's first cell that are kept */

typedef enum cell_action { CELL_SKIP = 0, CELL_NUMBER, CELL_WORD, CELL_TIME, CELL_PART, CELL_ID } cell_action;

typedef enum problem_kind {
    PROBLEM_NUMBER = 0,
    PROBLEM_TIME,
    PROBLEM_NO_TIME,
    PROBLEM_PART,
    PROBLEM_DATE, /* parts that make no date */
    PROBLEM_NO_ID,
    PROBLEM_RAGGED
} problem_kind;

typedef struct problem {
    uint64_t line; /* in the piece */
    size_t column, text, length;
    problem_kind kind;
} problem;

/* What a column is for, once for all rows. */
typedef struct field_plan {
    cell_action action;
    size_t part; /* CELL_PART: which; CELL_NUMBER, CELL_WORD: the table's column */
} field_plan;

/* What is counted of every column for its facts. */
typedef struct look {
    uint64_t cells, missing, numbers, whole;
    double least, most, sum;
    size_t first; /* text of the first cell that is not missing, from 1; 0: none yet */
} look;

typedef struct word_seen {
    size_t column, text;
} word_seen;

#define NO_TEXT SIZE_MAX

typedef struct piece {
    size_t bytes; /* there is room for, in every array: room + 1 elements, or as said */
    size_t line_room, at_room, time_room, id_room, cell_room, text_room, problem_room, word_room;
    size_t rows, cells, used, problems, words;
    uint64_t unlisted; /* problems beyond the most */
    uint64_t ragged, blank;
    uint64_t *line;   /* [bytes + 1] of each row, in the piece */
    size_t *at;       /* [bytes + 2] its first cell */
    int64_t *time;    /* [bytes + 1] */
    size_t *id;       /* [bytes + 1] place in text; with an id column */
    double *cell;     /* [bytes + 1] */
    char *text;       /* [4 * (bytes + 1)] */
    problem *problem; /* [least of bytes + 2 and MOST_PROBLEMS] */
    word_seen *word;  /* [bytes + 1] when described */
    size_t *above;    /* [columns] place of the text above in this column, or NO_TEXT */
    look *looks;      /* [columns] when described */
    bool *full;       /* [columns] enough different words are known */
    norn_time_seen seen;

    /* the row under way */
    size_t row_problems; /* problems before it: those of whole rows */
    bool header;         /* it is the header */
    bool any;            /* a cell of it has text */
    bool bad;            /* it has a problem, kept or not */
    int64_t parts[NORN_TIME_PARTS];
    uint64_t time_line;
    bool part_missing;
} piece;

typedef struct intake {
    norn_raw *raw;
    norn_numbers numbers;
    norn_missing missing;
    field_plan *fields; /* [columns] */
    size_t *order;      /* [kept] the table's column of each place in a row */
    size_t row_cells;   /* cells of a complete row: kept */
    bool described;
    piece pieces[NORN_SCAN_SLOTS];
    uint64_t pending; /* file of one column: lines without text since the last row */
    bool header_ahead;
    size_t id_above;       /* group of the row above */
    norn_groups *distinct; /* [columns] when described */
    look *looks;           /* [columns] when described */
} intake;

/* ---- the worker's side ---- */

static size_t keep_text(piece *p, const char *text, size_t length)
{
    const size_t at = p->used;
    if (length) memcpy(p->text + at, text, length);
    p->text[at + length] = '\0';
    p->used += length + 1;
    return at;
}

/* The place of a text of a column; the one above it if they are equal. */
static size_t place_text(piece *p, size_t column, const char *text, size_t length)
{
    const size_t above = p->above[column];
    if (above != NO_TEXT && memcmp(p->text + above, text, length) == 0 && p->text[above + length] == '\0')
        return above;
    return p->above[column] = keep_text(p, text, length);
}

static void add_problem(piece *p, problem_kind kind, uint64_t line, size_t column, const char *text,
                        size_t length)
{
    p->bad = true;
    if (p->problems == p->problem_room) {
        p->unlisted++;
        return;
    }
    const size_t shown = length < 200 ? length : 200;
    p->problem[p->problems++] = (problem){line, column, keep_text(p, text, shown), shown, kind};
}

static void look_at(piece *p, const intake *in, size_t column, const char *text, size_t length, bool missing,
                    const double *number, size_t above)
{
    look *l = &p->looks[column];
    l->cells++;
    if (missing) {
        l->missing++;
        return;
    }
    if (l->first == 0) l->first = keep_text(p, text, length < FACT_TEXT ? length : FACT_TEXT) + 1;
    if (number) {
        if (l->numbers == 0 || *number < l->least) l->least = *number;
        if (l->numbers == 0 || *number > l->most) l->most = *number;
        l->sum += *number;
        l->numbers++;
        l->whole += *number == floor(*number);
    } else if (!p->full[column] && in->raw->plan->column[column].role != NORN_ROLE_TIME) {
        const size_t at = place_text(p, column, text, length);
        if (at != above) p->word[p->words++] = (word_seen){column, at};
    }
}

/* What a cell of numbers holds: true, and NaN for a missing one. */
static bool read_number(const intake *in, const char *text, size_t length, double *value)
{
    if (!(in->missing.numeric && norn_is_missing(&in->missing, text, length))) {
        if (length && norn_number_parse(&in->numbers, text, length, value)) return true;
        if (!norn_is_missing(&in->missing, text, length)) return false;
    }
    *value = (double)NAN;
    return true;
}

static void take_time(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                      size_t length)
{
    const norn_plan *plan = in->raw->plan;
    p->time_line = line;
    if (length == 0 || norn_is_missing(&in->missing, text, length))
        add_problem(p, PROBLEM_NO_TIME, line, column, text, length);
    else if (!norn_time_parse(&plan->style, text, length, p->rows, &p->seen, &p->time[p->rows]))
        add_problem(p, PROBLEM_TIME, line, column, text, length);
}

static void take_part(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                      size_t length)
{
    double value;
    const size_t part = in->fields[column].part;
    if (part == 0) p->time_line = line;
    if (length == 0 || norn_is_missing(&in->missing, text, length))
        add_problem(p, PROBLEM_NO_TIME, line, column, text, length);
    else if (!norn_number_parse(&in->numbers, text, length, &value) || value != floor(value) ||
             fabs(value) > 1e15)
        add_problem(p, PROBLEM_PART, line, column, text, length);
    else
        p->parts[part] = (int64_t)value;
}

static norn_status on_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                            size_t length)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    const norn_plan *plan = in->raw->plan;
    if (column == 0) {
        p->any = false;
        p->cells = p->at[p->rows];
    }
    const bool quoted = text != NULL;
    text = text ? norn_trim(text, &length) : "";
    p->any = p->any || length || (quoted && plan->columns == 1);
    if (p->header || column >= plan->columns) return NORN_OK; /* too many: the end of the row will say */

    const field_plan *f = &in->fields[column];
    const size_t above = p->above[column];
    double number = 0.0;
    bool missing = false, is_number = false;
    switch (f->action) {
    case CELL_NUMBER:
        is_number = read_number(in, text, length, &number);
        if (!is_number) {
            add_problem(p, PROBLEM_NUMBER, line, column, text, length);
            number = (double)NAN;
        }
        missing = is_number && isnan(number);
        p->cell[p->cells++] = number;
        break;
    case CELL_WORD:
        missing = norn_is_missing(&in->missing, text, length);
        p->cell[p->cells++] = missing ? (double)NAN : (double)place_text(p, column, text, length);
        break;
    case CELL_TIME:
        take_time(in, p, column, line, text, length);
        missing = length == 0;
        break;
    case CELL_PART:
        take_part(in, p, column, line, text, length);
        is_number = norn_number_parse(&in->numbers, text, length, &number);
        missing = length == 0;
        break;
    case CELL_ID:
        if (length == 0) add_problem(p, PROBLEM_NO_ID, line, column, text, length);
        p->id[p->rows] = place_text(p, column, text, length);
        missing = length == 0;
        break;
    case CELL_SKIP:
        break;
    }
    if (!in->described) return NORN_OK;
    if (f->action == CELL_SKIP || f->action == CELL_TIME || f->action == CELL_ID) {
        is_number = f->action != CELL_ID && read_number(in, text, length, &number);
        missing = missing || (f->action != CELL_ID && norn_is_missing(&in->missing, text, length));
    }
    look_at(p, in, column, text, length, missing, is_number && !missing ? &number : NULL, above);
    return NORN_OK;
}

/* The record has the right number of fields: is it a row? */
static void finish_row(const intake *in, piece *p, uint64_t line)
{
    const norn_plan *plan = in->raw->plan;
    if (plan->time_columns > 1 && !p->bad && !norn_time_join_parts(&plan->parts, p->parts, &p->time[p->rows]))
        add_problem(p, PROBLEM_DATE, p->time_line, plan->time[0], "", 0);
    if (p->bad) return; /* its cells will be written over */
    p->line[p->rows] = line;
    p->rows++;
    p->at[p->rows] = p->cells;
}

/* A line without text, or with nothing but delimiters. */
static void take_blank(const intake *in, piece *p, uint64_t line, size_t columns)
{
    p->problems = p->row_problems; /* no record: no problem of it, and no cells of any column */
    p->bad = false;
    p->blank++;
    for (size_t c = 0; in->described && !p->header && c < columns && c < in->raw->plan->columns; c++) {
        p->looks[c].cells--;
        p->looks[c].missing--;
    }
    if (in->raw->plan->columns > 1 || p->header) return;
    p->line[p->rows] = line; /* a row without cells, for drain to judge */
    p->time[p->rows] = 0;
    p->at[p->rows + 1] = p->at[p->rows];
    p->rows++;
}

static void take_ragged(const intake *in, piece *p, uint64_t line, size_t columns)
{
    const size_t expected = in->raw->plan->columns;
    const norn_on_ragged policy = in->raw->options->on_ragged;
    p->problems = p->row_problems; /* what is wrong with its cells comes of it */
    p->bad = false;
    if (policy == NORN_RAGGED_SKIP || (policy == NORN_RAGGED_PAD && columns < expected)) p->ragged++;
    if (policy == NORN_RAGGED_SKIP) return;
    if (policy == NORN_RAGGED_PAD && columns < expected) {
        for (size_t c = columns; c < expected; c++) {
            const cell_action action = in->fields[c].action;
            if (action == CELL_TIME || action == CELL_PART) add_problem(p, PROBLEM_NO_TIME, line, c, "", 0);
            if (action == CELL_ID) add_problem(p, PROBLEM_NO_ID, line, c, "", 0);
        }
        finish_row(in, p, line);
        return;
    }
    add_problem(p, PROBLEM_RAGGED, line, columns < expected ? columns : expected, "", 0);
    if (p->problems > p->row_problems) p->problem[p->problems - 1].length = columns; /* for its message */
}

static norn_status on_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    if (columns == 0 || !p->any)
        take_blank(in, p, line, columns);
    else if (p->header)
        p->header = false;
    else if (columns == in->raw->plan->columns)
        finish_row(in, p, line);
    else
        take_ragged(in, p, line, columns);
    p->row_problems = p->problems;
    p->any = p->bad = false;
    return NORN_OK;
}

/* ---- the caller's side: pieces ---- */

/* Each array knows its room, so that after a request that failed all are given back by their sizes. */
#define MORE(array, room, count)                                                                             \
    (grown = (array), norn_resize(host, &grown, (room), (count), sizeof *(array))                            \
                          ? ((array) = grown, (room) = (count), true)                                        \
                          : false)

/* Room for pieces of `bytes`; what a row under way has written stays. */
static bool resize_piece(intake *in, piece *p, size_t bytes)
{
    const norn_host *host = &in->raw->host;
    void *grown;
    const size_t need = bytes + 1, problems = bytes + 2 < MOST_PROBLEMS ? bytes + 2 : MOST_PROBLEMS;
    if (!MORE(p->line, p->line_room, need) || !MORE(p->at, p->at_room, need + 1) ||
        !MORE(p->time, p->time_room, need) || !MORE(p->cell, p->cell_room, need) ||
        /* of a field at most its problem, the first of its column and itself; of a problem of the row a NUL
         */
        !MORE(p->text, p->text_room, 4 * need) || !MORE(p->problem, p->problem_room, problems))
        return false;
    if (in->raw->plan->id != NORN_NO_COLUMN && !MORE(p->id, p->id_room, need)) return false;
    if (in->described && !MORE(p->word, p->word_room, need)) return false;
    p->bytes = bytes;
    return true;
}

static norn_status on_prepare(void *user, size_t slot, size_t bytes, bool first)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    const size_t columns = in->raw->plan->columns;
    /* A record that goes on takes what it has written along: its cells, its id, its problems. */
    const size_t cells = first ? 0 : p->cells - p->at[p->rows];
    const size_t room = bytes + (first ? 0 : cells + p->used) + 1;
    if (room > p->bytes && !resize_piece(in, p, room))
        return norn_fail_memory(in->raw->err, "a piece of the file");
    if (first) {
        p->header = in->header_ahead;
        in->header_ahead = false;
        p->cells = p->used = p->problems = 0;
        p->row_problems = 0;
        p->bad = false;
        for (size_t c = 0; c < columns; c++) p->above[c] = NO_TEXT;
    } else {
        memmove(p->cell, p->cell + p->at[p->rows], cells * sizeof *p->cell);
        memmove(p->problem, p->problem + p->row_problems,
                (p->problems - p->row_problems) * sizeof *p->problem);
        p->cells = cells;
        p->problems -= p->row_problems;
        p->row_problems = 0;
        p->time[0] = p->time[p->rows];
        if (p->id) p->id[0] = p->id[p->rows];
    }
    p->rows = p->words = 0;
    p->at[0] = 0;
    p->unlisted = p->ragged = p->blank = 0;
    memset(&p->seen, 0, sizeof p->seen);
    for (size_t c = 0; in->described && c < columns; c++) {
        p->looks[c] = (look){0, 0, 0, 0, 0.0, 0.0, 0.0, in->looks[c].first};
        p->full[c] = in->distinct[c].count > MOST_DISTINCT;
    }
    return NORN_OK;
}

/* ---- messages ---- */

/* The flag without which a missing cell of the column is an error; else NULL. */
static const char *wanted_policy(const norn_raw *raw, size_t column)
{
    const norn_table_options *o = raw->options;
    const bool target = raw->plan->column[column].role == NORN_ROLE_TARGET;
    const norn_on_missing told = target ? o->on_missing : o->on_missing_input;
    return told == NORN_MISSING_ERROR || (told == NORN_MISSING_DEFAULT && target)
               ? target ? "--on-missing POLICY" : "--on-missing-input POLICY"
               : NULL;
}

/* What mends a cell that should be a number. */
static void mend_number(const intake *in, size_t column, const char *text, size_t length, char *out,
                        size_t size)
{
    bool digits = false, plain = true, commas = false, bare = true;
    char shown[NORN_SHOWN];
    norn_numbers other = in->numbers;
    double value;
    for (size_t i = 0; i < length; i++) {
        const char byte = text[i];
        digits = digits || (byte >= '0' && byte <= '9');
        commas = commas || byte == ',';
        plain = plain && byte && strchr("0123456789.,+-eE' ", byte);
        bare = bare && byte && !strchr(" \t\n\r\\;|&<>()$`*?#!~[]{}", byte);
    }
    static const struct {
        char decimal, thousands;
        const char *flags;
    } ways[] = {{',', 0, "--decimal ,"},
                {'.', ',', "--thousands ,"},
                {',', '.', "--decimal , --thousands ."},
                {'.', '\'', "--thousands \"'\""},
                {'.', ' ', "--thousands ' '"},
                {',', ' ', "--decimal , --thousands ' '"}};
    const char *policy = wanted_policy(in->raw, column);
    size_t fits = 0;
    char flags[160] = "", alone = 0; /* the decimal sign that reads it by itself */
    for (size_t i = 0; digits && plain && i < NORN_COUNT(ways); i++) {
        other.decimal = ways[i].decimal;
        other.thousands = ways[i].thousands;
        if (!norn_number_parse(&other, text, length, &value)) continue;
        if (other.thousands && other.decimal == alone) continue; /* needs no separator */
        if (!other.thousands) alone = other.decimal;
        const size_t used = strlen(flags);
        if (fits < 2)
            (void)snprintf(flags + used, sizeof flags - used, "%s%s", fits ? " or " : "", ways[i].flags);
        fits++;
    }
    if (fits)
        (void)snprintf(out, size, "read it with %s", flags);
    else if (digits && plain && commas)
        (void)snprintf(out, size, "write 1234.5, or say how it is written with --decimal and --thousands");
    else if (length && text[length - 1] == '%')
        (void)snprintf(out, size, "numbers are written without a percent sign");
    else if (length <= 20 && !commas && !memchr(text, '"', length) && !memchr(text, '\'', length))
        (void)snprintf(out, size, "treat it as missing with --na %s%s%s%s%s", bare ? "" : "'",
                       norn_show(shown, text, length), bare ? "" : "'", policy ? " and " : "",
                       policy ? policy : "");
    else
        (void)snprintf(out, size, "numbers are written like 1234.5 or 1.2e-3");
}

static norn_status say_time(intake *in, const problem *q, uint64_t line, const char *text)
{
    norn_raw *raw = in->raw;
    char name[NORN_SHOWN], found[NORN_SHOWN], words[160];
    (void)norn_raw_name(raw, q->column, name);
    (void)norn_show(found, text, q->length);
    if (raw->plan->style.form == NORN_FORM_NONE) { /* so it is in every row: once is enough */
        (void)norn_raw_problem(raw, line, q->column, text,
                               "column \"%s\": expected a time such as " NORN_TIME_EXAMPLES
                               ", found \"%s\" (say how times are written with --time-format, as in "
                               "'%%m/%%d/%%y %%H:%%M')",
                               name, found);
        return NORN_ERR_DATA;
    }
    return norn_raw_problem(
        raw, line, q->column, text,
        "column \"%s\": expected %s as in most rows, found \"%s\" (--time-format says how "
        "times are written)",
        name, norn_time_style_words(&raw->plan->style, words, sizeof words), found);
}

static norn_status say(intake *in, const piece *p, const problem *q, uint64_t base)
{
    norn_raw *raw = in->raw;
    const norn_plan *plan = raw->plan;
    const char *text = p->text + q->text;
    const uint64_t line = base + q->line;
    char name[NORN_SHOWN], found[NORN_SHOWN], mend[NORN_SHOWN + 64];
    (void)norn_raw_name(raw, q->column, name);
    switch (q->kind) {
    case PROBLEM_NUMBER:
        mend_number(in, q->column, text, q->length, mend, sizeof mend);
        return norn_raw_problem(raw, line, q->column, text,
                                "column \"%s\": expected a number, found \"%s\" (%s)", name,
                                norn_show(found, text, q->length), mend);
    case PROBLEM_TIME:
        return say_time(in, q, line, text);
    case PROBLEM_NO_TIME:
        return norn_raw_problem(
            raw, line, q->column, text,
            "column \"%s\": missing time (every row needs one; number the rows instead with "
            "--time '')",
            name);
    case PROBLEM_PART:
        return norn_raw_problem(raw, line, q->column, text,
                                "column \"%s\": expected a whole number as part of a date, found \"%s\"",
                                name, norn_show(found, text, q->length));
    case PROBLEM_DATE:
        return norn_raw_problem(raw, line, q->column, text,
                                "the columns of the date, from \"%s\" on, make none in this row", name);
    case PROBLEM_NO_ID:
        return norn_raw_problem(raw, line, q->column, text,
                                "column \"%s\": missing id (every row needs the name of its series)", name);
    case PROBLEM_RAGGED:
        break;
    }
    return norn_raw_problem(
        raw, line, q->column, "",
        "the row has %zu field%s, the %s has %zu (a field that contains the delimiter or a newline stands in "
        "quotes; "
        "--on-ragged skip leaves such rows out, pad fills short ones up; for a line a series: --layout rows)",
        q->length, q->length == 1 ? "" : "s", plan->header ? "header" : "first row", plan->columns);
}

/* ---- the caller's side: from pieces to columns ---- */

/* A word of the piece as its number in the column's list. */
static norn_status number_words(intake *in, const piece *p, size_t table_column, size_t place, size_t rows)
{
    norn_raw *raw = in->raw;
    double *cells = raw->columns[table_column].cells + raw->rows;
    size_t above = NO_TEXT, known = 0;
    for (size_t r = 0; r < rows; r++) {
        const size_t cell = p->at[r] + place;
        cells[r] = (double)NAN;
        if (cell >= p->at[r + 1] || isnan(p->cell[cell])) continue;
        const size_t text = (size_t)p->cell[cell];
        if (text != above) {
            const norn_status status = norn_groups_find(&raw->words[table_column], p->text + text,
                                                        strlen(p->text + text), &known, raw->err);
            if (status != NORN_OK) return status;
            above = text;
        }
        cells[r] = (double)known;
    }
    return NORN_OK;
}

static void deal_out(intake *in, const piece *p, size_t rows)
{
    norn_raw *raw = in->raw;
    for (size_t place = 0; place < in->row_cells; place++) {
        const size_t k = in->order[place];
        if (raw->plan->column[raw->plan->values[k]].words) continue;
        double *cells = raw->columns[k].cells + raw->rows;
        for (size_t r = 0; r < rows; r++) {
            const size_t cell = p->at[r] + place;
            cells[r] = cell < p->at[r + 1] ? p->cell[cell] : (double)NAN;
        }
    }
}

static norn_status group_rows(intake *in, const piece *p, size_t rows)
{
    norn_raw *raw = in->raw;
    size_t above = NO_TEXT;
    for (size_t r = 0; r < rows; r++) {
        if (p->id[r] != above) {
            const char *id = p->text + p->id[r];
            const norn_status status =
                norn_groups_find(&raw->groups, id, strlen(id), &in->id_above, raw->err);
            if (status != NORN_OK) return status;
            above = p->id[r];
        }
        raw->groups.items[in->id_above].rows++;
        raw->group_of[raw->rows + r] = (uint32_t)in->id_above;
    }
    return NORN_OK;
}

/* In a file of one column, a line without text is a missing value, unless nothing but such lines stands
 * before or after it: those that stand last are taken back at the end of the file. */
static norn_status drain_one_column(intake *in, const piece *p, uint64_t base)
{
    norn_raw *raw = in->raw;
    norn_table_facts *facts = &raw->table->facts;
    norn_status status = norn_raw_reserve(raw, p->rows);
    for (size_t r = 0; r < p->rows && status == NORN_OK; r++) {
        const bool blank = p->at[r + 1] == p->at[r];
        if (blank && raw->rows == 0) continue;
        raw->columns[0].cells[raw->rows] = blank ? (double)NAN : p->cell[p->at[r]];
        status = norn_lines_add(raw, raw->rows++, base + p->line[r]);
        if (blank) {
            in->pending++;
            continue;
        }
        facts->blank -= in->pending;
        facts->records += in->pending + 1;
        if (in->described) {
            in->looks[0].cells += in->pending;
            in->looks[0].missing += in->pending;
        }
        in->pending = 0;
    }
    return status;
}

static norn_status join_looks(intake *in, const piece *p)
{
    norn_raw *raw = in->raw;
    size_t found;
    for (size_t c = 0; c < raw->plan->columns; c++) {
        look *all = &in->looks[c];
        const look *l = &p->looks[c];
        if (l->numbers) {
            if (all->numbers == 0 || l->least < all->least) all->least = l->least;
            if (all->numbers == 0 || l->most > all->most) all->most = l->most;
        }
        if (all->first == 0 && l->first) {
            const char *text = p->text + l->first - 1;
            norn_column_facts *facts = &raw->table->described[c];
            facts->first = norn_text_copy(&raw->host, text, strlen(text));
            if (!facts->first) return norn_fail_memory(raw->err, "the facts of the columns");
            all->first = l->first;
        }
        all->cells += l->cells;
        all->missing += l->missing;
        all->numbers += l->numbers;
        all->whole += l->whole;
        all->sum += l->sum;
    }
    for (size_t i = 0; i < p->words; i++) {
        norn_groups *distinct = &in->distinct[p->word[i].column];
        if (distinct->count > MOST_DISTINCT) continue;
        const char *text = p->text + p->word[i].text;
        const norn_status status = norn_groups_find(distinct, text, strlen(text), &found, raw->err);
        if (status != NORN_OK) return status;
    }
    return NORN_OK;
}

static norn_status take_rows(intake *in, piece *p, uint64_t base)
{
    norn_raw *raw = in->raw;
    const size_t rows = p->rows;
    norn_status status = NORN_OK;
    if (rows == 0 || raw->problems) return NORN_OK; /* with a problem there will be no table */
    if (raw->plan->columns == 1) return drain_one_column(in, p, base);
    status = norn_raw_reserve(raw, rows);
    if (status != NORN_OK) return status;
    deal_out(in, p, rows);
    for (size_t place = 0; place < in->row_cells && status == NORN_OK; place++)
        if (raw->plan->column[raw->plan->values[in->order[place]]].words)
            status = number_words(in, p, in->order[place], place, rows);
    if (status == NORN_OK && p->id) status = group_rows(in, p, rows);
    memcpy(raw->times + raw->rows, p->time, rows * sizeof *p->time);
    for (size_t r = 0; r < rows && status == NORN_OK; r++)
        status = norn_lines_add(raw, raw->rows + r, base + p->line[r]);
    raw->rows += rows;
    raw->table->facts.records += rows;
    return status;
}

static norn_status on_drain(void *user, size_t slot, uint64_t base, norn_status status,
                            const norn_error *defect)
{
    intake *in = user;
    norn_raw *raw = in->raw;
    piece *p = &in->pieces[slot];
    for (size_t i = 0; i < p->row_problems && status == NORN_OK; i++)
        status = say(in, p, &p->problem[i], base);
    if (status == NORN_OK && p->unlisted) {
        raw->problems += p->unlisted;
        status = norn_raw_problem(raw, 0, NORN_NO_COLUMN, "", "%llu more like these are not listed",
                                  (unsigned long long)p->unlisted);
    }
    if (p->seen.first_over_12) p->seen.first_over_12 += raw->rows;
    if (p->seen.second_over_12) p->seen.second_over_12 += raw->rows;
    if (status == NORN_OK && raw->plan->time_columns == 1 && !norn_time_seen_join(&raw->seen, &p->seen))
        status = norn_raw_problem(
            raw, base, raw->plan->time[0], "",
            "some times have a zone and some have none (make them alike, or name the column that "
            "does with --time)");
    raw->table->facts.blank += p->blank;
    raw->table->facts.ragged += p->ragged;
    if (status == NORN_OK) status = take_rows(in, p, base);
    if (status == NORN_OK && in->described) status = join_looks(in, p);
    if (defect->status == NORN_OK || status != NORN_OK) return status;
    return norn_raw_defect(raw, defect);
}

/* ---- the whole ---- */

static norn_status plan_fields(intake *in)
{
    const norn_raw *raw = in->raw;
    const norn_plan *plan = raw->plan;
    const norn_host *host = &raw->host;
    in->fields = norn_new(host, plan->columns, sizeof *in->fields);
    in->order = norn_new(host, raw->kept, sizeof *in->order);
    if (!in->fields || !in->order) return norn_fail_memory(raw->err, "the columns");
    for (size_t k = 0; k < raw->kept; k++)
        in->fields[plan->values[k]] =
            (field_plan){plan->column[plan->values[k]].words ? CELL_WORD : CELL_NUMBER, k};
    for (size_t i = 0; i < plan->time_columns; i++)
        in->fields[plan->time[i]] = (field_plan){plan->time_columns == 1 ? CELL_TIME : CELL_PART, i};
    if (plan->id != NORN_NO_COLUMN) in->fields[plan->id].action = CELL_ID;
    for (size_t c = 0; c < plan->columns; c++)
        if (in->fields[c].action == CELL_NUMBER || in->fields[c].action == CELL_WORD)
            in->order[in->row_cells++] = in->fields[c].part;
    for (size_t s = 0; s < NORN_SCAN_SLOTS; s++) {
        piece *p = &in->pieces[s];
        p->above = norn_new(host, plan->columns, sizeof *p->above);
        if (in->described) p->looks = norn_new(host, plan->columns, sizeof *p->looks);
        if (in->described) p->full = norn_new(host, plan->columns, sizeof *p->full);
        if (!p->above || (in->described && (!p->looks || !p->full)))
            return norn_fail_memory(raw->err, "the columns");
    }
    if (!in->described) return NORN_OK;
    in->distinct = norn_new(host, plan->columns, sizeof *in->distinct);
    in->looks = norn_new(host, plan->columns, sizeof *in->looks);
    raw->table->described = norn_new(host, plan->columns, sizeof *raw->table->described);
    raw->table->column_count = raw->table->described ? plan->columns : 0;
    if (!in->distinct || !in->looks || !raw->table->described)
        return norn_fail_memory(raw->err, "the facts of the columns");
    for (size_t c = 0; c < plan->columns; c++) in->distinct[c].host = *host;
    return NORN_OK;
}

static norn_status describe(intake *in)
{
    norn_raw *raw = in->raw;
    for (size_t c = 0; c < raw->plan->columns; c++) {
        const norn_plan_column *column = &raw->plan->column[c];
        const look *l = &in->looks[c];
        norn_column_facts *f = &raw->table->described[c];
        const uint64_t present = l->cells - l->missing;
        f->name = norn_text_copy(&raw->host, column->name, strlen(column->name));
        if (!f->first) f->first = norn_text_copy(&raw->host, "", 0);
        if (!f->name || !f->first) return norn_fail_memory(raw->err, "the facts of the columns");
        f->role = column->role;
        f->cells = l->cells;
        f->missing = l->missing;
        f->distinct = in->distinct[c].count;
        const bool numbers = present && l->numbers == present;
        f->type = present == 0             ? NORN_TYPE_EMPTY
                  : column->time           ? NORN_TYPE_TIME
                  : !numbers               ? NORN_TYPE_TEXT
                  : l->whole == l->numbers ? NORN_TYPE_INTEGER
                                           : NORN_TYPE_NUMBER;
        f->constant = present && (numbers ? l->least == l->most : l->numbers == 0 && f->distinct == 1);
        f->least = l->numbers ? l->least : (double)NAN;
        f->most = l->numbers ? l->most : (double)NAN;
        f->sum = l->numbers ? l->sum : (double)NAN;
        f->mean = l->numbers ? l->sum / (double)l->numbers : (double)NAN;
    }
    return NORN_OK;
}

static void close_intake(intake *in)
{
    const norn_raw *raw = in->raw;
    const norn_host *host = &raw->host;
    const size_t columns = raw->plan->columns;
    for (size_t s = 0; s < NORN_SCAN_SLOTS; s++) {
        piece *p = &in->pieces[s];
        norn_delete(host, p->line, p->line_room, sizeof *p->line);
        norn_delete(host, p->at, p->at_room, sizeof *p->at);
        norn_delete(host, p->time, p->time_room, sizeof *p->time);
        norn_delete(host, p->id, p->id_room, sizeof *p->id);
        norn_delete(host, p->cell, p->cell_room, sizeof *p->cell);
        norn_delete(host, p->text, p->text_room, 1);
        norn_delete(host, p->problem, p->problem_room, sizeof *p->problem);
        norn_delete(host, p->word, p->word_room, sizeof *p->word);
        norn_delete(host, p->above, columns, sizeof *p->above);
        norn_delete(host, p->looks, columns, sizeof *p->looks);
        norn_delete(host, p->full, columns, sizeof *p->full);
    }
    for (size_t c = 0; in->distinct && c < columns; c++) norn_groups_free(&in->distinct[c]);
    norn_delete(host, in->distinct, columns, sizeof *in->distinct);
    norn_delete(host, in->looks, columns, sizeof *in->looks);
    norn_delete(host, in->fields, columns, sizeof *in->fields);
    norn_delete(host, in->order, raw->kept, sizeof *in->order);
    norn_numbers_close(&in->numbers);
}

norn_status norn_intake_columns(norn_raw *raw, norn_scan *scan, uint64_t total)
{
    const norn_table_options *o = raw->options;
    intake *in = norn_new(&raw->host, 1, sizeof *in);
    if (!in) return norn_fail_memory(raw->err, "the pieces of the file");
    in->raw = raw;
    in->missing = norn_missing_init(o->na);
    in->described = o->describe != 0;
    in->header_ahead = raw->plan->header;
    const norn_scan_events events = {in, on_prepare, on_field, on_row, on_drain};
    norn_status status = norn_numbers_open(&in->numbers, o->decimal, o->thousands, raw->err);
    if (status == NORN_OK) status = plan_fields(in);
    if (status == NORN_OK && raw->plan->id == NORN_NO_COLUMN) /* all rows are of one series */
        status = norn_groups_find(&raw->groups, "", 0, &in->id_above, raw->err);
    if (status == NORN_OK)
        status = norn_scan_run(scan, raw->plan->delimiter, raw->plan->skip, raw->plan->line, total, &events,
                               raw->err);
    if (status == NORN_OK && raw->problems) status = NORN_ERR_DATA;
    raw->rows -= (size_t)in->pending;
    if (status == NORN_OK && raw->plan->id == NORN_NO_COLUMN) raw->groups.items[0].rows = raw->rows;
    if (status == NORN_OK && in->described) status = describe(in);
    close_intake(in);
    norn_delete(&raw->host, in, 1, sizeof *in);
    return status;
}
