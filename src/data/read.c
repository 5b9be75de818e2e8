/*
 * Reading a file into a table: norn_table_read and norn_table_read_stream of norn/table.h.
 *
 * The first megabyte is held back to plan with (roles.c); then it and all the rest pass once through the CSV
 * reader in blocks. Cells of columns with a role are parsed as they come and stand at the end of their
 * columns; the end of the record makes them a row, or the first thing wrong with it an error: a wrong number
 * of fields before a cell that cannot be read, since the one causes the other. Columns grow by half and are
 * cut to size at the end, so they cost 8 bytes a kept cell. Rows of interleaved series are sorted into their
 * groups last, filled, and their step found.
 */
#include "data/cell.h"
#include "data/csv.h"
#include "data/groups.h"
#include "data/roles.h"
#include "data/table.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10) /* bytes read at once after the sample */

enum { ROLE_NONE = -1, ROLE_TIME = -2, ROLE_ID = -3 }; /* 0 and up: a column of values */

typedef struct reader {
    norn_host host;
    const char *file;
    const norn_table_options *options;
    norn_plan plan;
    norn_numbers numbers;
    norn_missing missing;
    norn_table *table;
    int *roles;         /* [plan.columns] */
    size_t kept;        /* columns of values */
    size_t capacity;    /* rows there is room for in every column */
    uint32_t *group_of; /* [group_of_capacity] the group of each row; only with an id column */
    size_t group_of_capacity;
    norn_groups groups;
    size_t last_group; /* of the row before */

    /* the row under way */
    norn_error defect; /* the first thing wrong with a cell of it */
    int64_t time;
    uint64_t time_line;
    char time_text[64]; /* as it stands in the file, for messages */
    size_t row_group;
    uint64_t missing_line; /* of its first missing value; 0: none */
    size_t missing_column;
    bool blank;        /* its first field is nothing but blanks */
    bool header_ahead; /* it is the header */

    uint64_t blank_lines; /* of a file of one column: lines without text since the last row, */
    uint64_t blank_line;  /* and the first of them */
    norn_error *err;
} reader;

/* ---- messages ---- */

#define SHOWN 200 /* bytes of a text in a message, at most 40 of the file */

static const char *show(char out[SHOWN], const char *text, size_t length)
{
    return norn_quote(out, SHOWN, text, length, 40);
}

static const char *column_name(const reader *r, size_t column, char out[SHOWN])
{
    return show(out, r->plan.names[column], strlen(r->plan.names[column]));
}

/* Holds the first defect of a row back until its end. */
#define ROW_DEFECT(r, line, column, ...)                                                                     \
    (void)norn_fail_at(&(r)->defect, NORN_ERR_DATA, (r)->file, line, (column) + 1, __VA_ARGS__)

/* ---- cells ---- */

/* What mends a cell that should be a number. */
static void mend_number(const char *text, size_t length, char *out, size_t size)
{
    bool digits = false, plain = true, commas = false, bare = true;
    char shown[SHOWN];
    for (size_t i = 0; i < length; i++) {
        const char byte = text[i];
        digits = digits || (byte >= '0' && byte <= '9');
        commas = commas || byte == ',';
        plain = plain && strchr("0123456789.,+-eE", byte) && byte;
        bare = bare && !strchr(" \t\n\r\\;|&<>()$`*?#!~[]{}", byte) && byte;
    }
    if (digits && plain && commas)
        (void)snprintf(out, size, "write 1234.5, without thousands separators or decimal commas");
    else if (length <= 20 && !commas && !memchr(text, '"', length) && !memchr(text, '\'', length))
        (void)snprintf(out, size,
                       bare ? "treat it as missing with --na %s" : "treat it as missing with --na '%s'",
                       show(shown, text, length));
    else
        (void)snprintf(out, size, "numbers are written like 1234.5 or 1.2e-3");
}

static void value_cell(reader *r, size_t slot, size_t column, uint64_t line, const char *text, size_t length)
{
    double *cell = &r->table->columns[slot].cells[r->table->rows];
    char name[SHOWN], found[SHOWN], mend[SHOWN + 64];
    if (!(r->missing.numeric && norn_is_missing(&r->missing, text, length))) {
        if (length && norn_number_parse(&r->numbers, text, length, cell)) return;
        if (!norn_is_missing(&r->missing, text, length)) {
            mend_number(text, length, mend, sizeof mend);
            ROW_DEFECT(r, line, column, "column \"%s\": expected a number, found \"%s\" (%s)",
                       column_name(r, column, name), show(found, text, length), mend);
            return;
        }
    }
    *cell = (double)NAN;
    if (r->missing_line == 0) {
        r->missing_line = line;
        r->missing_column = column;
    }
    if (r->options->on_missing == NORN_MISSING_ERROR)
        ROW_DEFECT(r, line, column,
                   "column \"%s\": missing value (fill it with the value before with --on-missing ffill)",
                   column_name(r, column, name));
}

static void time_cell(reader *r, size_t column, uint64_t line, const char *text, size_t length)
{
    norn_time_style style, *const known = &r->table->style;
    const norn_time_form form = r->plan.form;
    char name[SHOWN], found[SHOWN], example[NORN_TIME_TEXT];
    r->time_line = line;
    const size_t shown = length < sizeof r->time_text - 1 ? length : sizeof r->time_text - 1;
    memcpy(r->time_text, text, shown);
    r->time_text[shown] = '\0';
    if (length == 0) {
        ROW_DEFECT(r, line, column,
                   "column \"%s\": missing time (every row needs one; number the rows instead with "
                   "--time '')",
                   column_name(r, column, name));
        return;
    }
    const bool is_time = norn_time_parse(text, length, form == NORN_FORM_COMPACT, &r->time, &style);
    if (is_time && (form == NORN_FORM_NONE || form == style.form) && norn_time_style_join(known, &style))
        return;
    if (known->form != NORN_FORM_NONE)
        ROW_DEFECT(r, line, column,
                   "column \"%s\": expected a time written like \"%s\" in the rows above, found \"%s\"",
                   column_name(r, column, name),
                   norn_time_write(known, r->groups.items[r->last_group].last_time, example),
                   show(found, text, length));
    else
        ROW_DEFECT(r, line, column,
                   "column \"%s\": expected a time such as " NORN_TIME_EXAMPLES ", found \"%s\"",
                   column_name(r, column, name), show(found, text, length));
}

static norn_status id_cell(reader *r, size_t column, uint64_t line, const char *text, size_t length)
{
    char name[SHOWN];
    if (length) return norn_groups_find(&r->groups, text, length, &r->row_group, r->err);
    ROW_DEFECT(r, line, column, "column \"%s\": missing id (every row needs the name of its series)",
               column_name(r, column, name));
    return NORN_OK;
}

/* ---- rows ---- */

/* Room for one more row in every column. */
static norn_status reserve(reader *r)
{
    norn_table *t = r->table;
    if (t->rows < r->capacity) return NORN_OK;
    if (r->capacity > SIZE_MAX / 32) return norn_fail_memory(r->err, "the rows");
    const size_t bigger = r->capacity + r->capacity / 2 + 1024;
    void *grown = t->times;
    bool fits = norn_resize(&r->host, &grown, t->times_capacity, bigger, sizeof *t->times);
    if (fits) {
        t->times = grown;
        t->times_capacity = bigger;
    }
    for (size_t k = 0; k < r->kept && fits; k++) {
        grown = t->columns[k].cells;
        fits = norn_resize(&r->host, &grown, t->columns[k].capacity, bigger, sizeof(double));
        if (!fits) break;
        t->columns[k].cells = grown;
        t->columns[k].capacity = bigger;
    }
    if (fits && r->plan.id != NORN_NO_COLUMN) {
        grown = r->group_of;
        fits = norn_resize(&r->host, &grown, r->group_of_capacity, bigger, sizeof *r->group_of);
        if (fits) {
            r->group_of = grown;
            r->group_of_capacity = bigger;
        }
    }
    if (!fits) return norn_fail_memory(r->err, "the rows");
    r->capacity = bigger;
    return NORN_OK;
}

/* The row's time does not come after the one above it in its series. */
static norn_status fail_order(reader *r, const norn_group *g)
{
    char name[SHOWN], found[SHOWN], series[SHOWN + 32] = "", id[SHOWN];
    const char *hint = "";
    const size_t column = r->plan.time;
    if (r->plan.id != NORN_NO_COLUMN)
        (void)snprintf(series, sizeof series, " of series \"%s\"", show(id, g->id, g->id_length));
    else if (r->plan.form == NORN_FORM_INTEGER && !r->options->time)
        hint = "; if the column holds no times, number the rows with --time ''";
    else
        hint = "; if the file holds several series, name the column that tells them apart with --id";
    (void)column_name(r, column, name);
    (void)show(found, r->time_text, strlen(r->time_text));
    if (r->time == g->last_time)
        return norn_fail_at(
            r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
            "column \"%s\": the time \"%s\"%s stands at line %llu already (leave one of the two rows "
            "out%s)",
            name, found, series, (unsigned long long)g->last_line, hint);
    if (r->plan.newest_first)
        return norn_fail_at(
            r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
            "column \"%s\": the file runs from newest to oldest (turn the rows below the header round "
            "with tac, or sort them by this column)",
            name);
    return norn_fail_at(
        r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
        "column \"%s\": the time \"%s\"%s is before the row above it, at line %llu (sort the rows by "
        "this column%s)",
        name, found, series, (unsigned long long)g->last_line, hint);
}

/* The cells of a record that has the right number of fields become a row. */
static norn_status finish_row(reader *r, uint64_t line)
{
    norn_table *t = r->table;
    char name[SHOWN];
    if (r->defect.status != NORN_OK) {
        if (r->err && r->err->status == NORN_OK) *r->err = r->defect;
        return r->defect.status;
    }
    norn_group *g = &r->groups.items[r->row_group];
    if (r->plan.time == NORN_NO_COLUMN)
        r->time = (int64_t)g->rows + 1;
    else if (g->rows && r->time <= g->last_time)
        return fail_order(r, g);
    if (r->missing_line && g->rows == 0)
        return norn_fail_at(
            r->err, NORN_ERR_DATA, r->file, r->missing_line, r->missing_column + 1,
            "column \"%s\": missing value in the first row of its series: there is none before it to "
            "fill it with (leave the row out)",
            column_name(r, r->missing_column, name));
    t->times[t->rows] = r->time;
    if (r->group_of) r->group_of[t->rows] = (uint32_t)r->row_group;
    g->rows++;
    g->last_time = r->time;
    g->last_line = line;
    r->last_group = r->row_group;
    t->rows++;
    return reserve(r);
}

static norn_status take_field(reader *r, size_t column, uint64_t line, const char *text, size_t length)
{
    const int role = r->roles[column];
    if (column == 0) {
        r->defect.status = NORN_OK;
        r->missing_line = 0;
    }
    if (role == ROLE_NONE) return NORN_OK;
    text = text ? norn_trim(text, &length) : "";
    if (role >= 0)
        value_cell(r, (size_t)role, column, line, text, length);
    else if (role == ROLE_TIME)
        time_cell(r, column, line, text, length);
    else
        return id_cell(r, column, line, text, length);
    return NORN_OK;
}

static norn_status take_row(reader *r, uint64_t line, size_t columns)
{
    const size_t expected = r->plan.columns;
    if (columns == expected) return finish_row(r, line);
    return norn_fail_at(
        r->err, NORN_ERR_DATA, r->file, line, (columns < expected ? columns : expected) + 1,
        "the row has %zu field%s, the %s has %zu (a field that contains the delimiter or a newline "
        "stands in quotes)",
        columns, columns == 1 ? "" : "s", r->plan.header ? "header" : "first row", expected);
}

/* A line without text is a missing value in a file of one column, unless nothing but such lines stands before
 * or after it. */
static norn_status take_blank_lines(reader *r)
{
    norn_status status = NORN_OK;
    for (; r->blank_lines && status == NORN_OK; r->blank_lines--, r->blank_line++) {
        status = take_field(r, 0, r->blank_line, NULL, 0);
        if (status == NORN_OK) status = take_row(r, r->blank_line, 1);
    }
    return status;
}

static norn_status on_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    reader *r = user;
    if (column == 0) {
        size_t left = length;
        if (text) (void)norn_trim(text, &left);
        r->blank = left == 0 && !(text && length == 0); /* "" in quotes is a cell */
        if (r->blank_lines && !r->blank) {
            const norn_status status = take_blank_lines(r);
            if (status != NORN_OK) return status;
        }
    }
    if (r->header_ahead || column >= r->plan.columns)
        return NORN_OK; /* too many: the end of the row will say */
    return take_field(r, column, line, text, length);
}

static norn_status on_row(void *user, uint64_t line, size_t columns)
{
    reader *r = user;
    if (columns == 0 || (columns == 1 && r->blank)) {
        if (r->plan.columns == 1 && !r->header_ahead && r->table->rows > 0 && r->blank_lines++ == 0)
            r->blank_line = line;
        return NORN_OK;
    }
    if (!r->header_ahead) return take_row(r, line, columns);
    r->header_ahead = false;
    return NORN_OK;
}

/* ---- from rows to series ---- */

/* Moves the rows of each group together, in the order of the groups. Stable. target[i] is where row i goes.
 */
static norn_status group_rows(reader *r)
{
    norn_table *t = r->table;
    bool together = true;
    for (size_t i = 1; i < t->rows && together; i++) together = r->group_of[i - 1] <= r->group_of[i];
    if (together) return NORN_OK;

    size_t *next = norn_new(&r->host, r->groups.count, sizeof *next);
    void *scratch = r->host.resize(r->host.user, NULL, 0, t->rows * sizeof(double));
    for (size_t k = 0; next && scratch && k <= r->kept; k++) {
        memcpy(next, t->first, r->groups.count * sizeof *next);
        if (k == r->kept) {
            int64_t *to = scratch;
            for (size_t i = 0; i < t->rows; i++) to[next[r->group_of[i]]++] = t->times[i];
            scratch = t->times;
            t->times = to;
        } else {
            double *to = scratch;
            for (size_t i = 0; i < t->rows; i++) to[next[r->group_of[i]]++] = t->columns[k].cells[i];
            scratch = t->columns[k].cells;
            t->columns[k].cells = to;
        }
    }
    const bool done = next && scratch;
    norn_delete(&r->host, scratch, t->rows, sizeof(double));
    norn_delete(&r->host, next, r->groups.count, sizeof *next);
    return done ? NORN_OK : norn_fail_memory(r->err, "sorting the rows into series");
}

/* Cells that were filled. */
typedef struct fills {
    uint64_t cells, longest; /* longest run of them */
} fills;

/* Every missing value becomes the one before it; a series never begins with one. */
static fills fill_column(double *cells, size_t rows)
{
    fills f = {0, 0};
    uint64_t run = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!isnan(cells[i])) {
            run = 0;
            continue;
        }
        cells[i] = cells[i - 1];
        f.cells++;
        if (++run > f.longest) f.longest = run;
    }
    return f;
}

/* Fills all columns, and says so: the first few one by one, the others together. */
static norn_status fill_missing(reader *r)
{
    norn_table *t = r->table;
    char name[SHOWN], cells[NORN_COUNT_TEXT], run[NORN_COUNT_TEXT];
    norn_status status = NORN_OK;
    fills others = {0, 0};
    size_t said = 0, other_columns = 0;
    for (size_t k = 0; k < r->kept && status == NORN_OK; k++) {
        const fills f = fill_column(t->columns[k].cells, t->rows);
        if (f.cells == 0) continue;
        if (said < 6) {
            said++;
            status =
                norn_notes_add(&t->notes, &r->host, r->err, "missing", "--on-missing",
                               "%s cell%s of \"%s\" filled with the value before, at most %s in a row",
                               norn_count_text(f.cells, cells), f.cells == 1 ? "" : "s",
                               show(name, t->names[k], strlen(t->names[k])), norn_count_text(f.longest, run));
        } else {
            other_columns++;
            others.cells += f.cells;
            if (others.longest < f.longest) others.longest = f.longest;
        }
    }
    if (other_columns && status == NORN_OK)
        status = norn_notes_add(
            &t->notes, &r->host, r->err, "missing", "--on-missing",
            "%s cells of %zu more columns filled with the value before, at most %s in a row",
            norn_count_text(others.cells, cells), other_columns, norn_count_text(others.longest, run));
    return status;
}

static norn_status find_step(reader *r)
{
    norn_table *t = r->table;
    norn_step_finder *finder = norn_step_finder_new(&t->style, &r->host);
    if (!finder) return norn_fail_memory(r->err, "the step");
    uint64_t regular, total;
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g] + 1; i < t->first[g + 1]; i++)
            norn_step_finder_add(finder, t->times[i - 1], t->times[i]);
    t->step = norn_step_find(finder, &regular, &total);
    norn_step_finder_free(finder);
    if (r->plan.time == NORN_NO_COLUMN) return NORN_OK;
    char step[48], regular_text[NORN_COUNT_TEXT], total_text[NORN_COUNT_TEXT];
    return norn_notes_add(&t->notes, &r->host, r->err, "step", "--time", "%s (%s of %s steps)",
                          norn_step_text(t->step, step, sizeof step), norn_count_text(regular, regular_text),
                          norn_count_text(total, total_text));
}

static norn_status note_rows(reader *r)
{
    norn_table *t = r->table;
    char rows[NORN_COUNT_TEXT], series[NORN_COUNT_TEXT], least[NORN_COUNT_TEXT], most[NORN_COUNT_TEXT];
    char from[NORN_TIME_TEXT], to[NORN_TIME_TEXT];
    (void)norn_count_text(t->rows, rows);
    if (t->groups == 1)
        return norn_notes_add(&t->notes, &r->host, r->err, "rows", "", "%s row%s, %s to %s", rows,
                              t->rows == 1 ? "" : "s", norn_time_write(&t->style, t->times[0], from),
                              norn_time_write(&t->style, t->times[t->rows - 1], to));
    size_t shortest = SIZE_MAX, longest = 0;
    for (size_t g = 0; g < t->groups; g++) {
        const size_t n = t->first[g + 1] - t->first[g];
        if (n < shortest) shortest = n;
        if (n > longest) longest = n;
    }
    (void)norn_count_text(t->groups, series);
    if (shortest == longest)
        return norn_notes_add(&t->notes, &r->host, r->err, "rows", "", "%s rows in %s series of %s rows each",
                              rows, series, norn_count_text(longest, most));
    return norn_notes_add(&t->notes, &r->host, r->err, "rows", "", "%s rows in %s series of %s to %s rows",
                          rows, series, norn_count_text(shortest, least), norn_count_text(longest, most));
}

/* Names of the series: the id in long format, the target in wide format, both where a file is both. */
static norn_status name_series(reader *r)
{
    norn_table *t = r->table;
    t->ids = norn_new(&r->host, t->groups * t->targets, sizeof *t->ids);
    if (!t->ids) return norn_fail_memory(r->err, "the ids");
    for (size_t g = 0; g < t->groups; g++) {
        for (size_t k = 0; k < t->targets; k++) {
            const char *id = r->groups.items[g].id, *target = t->names[k];
            const size_t id_length = r->groups.items[g].id_length;
            const size_t target_length = id_length && t->targets == 1 ? 0 : strlen(target);
            const size_t slash = id_length && target_length ? 1 : 0;
            char *name = r->host.resize(r->host.user, NULL, 0, id_length + slash + target_length + 1);
            if (!name) return norn_fail_memory(r->err, "the ids");
            if (id_length) memcpy(name, id, id_length);
            if (slash) name[id_length] = '/';
            memcpy(name + id_length + slash, target, target_length);
            name[id_length + slash + target_length] = '\0';
            t->ids[g * t->targets + k] = name;
        }
    }
    return NORN_OK;
}

/* Cuts the columns to size. */
static norn_status trim_columns(reader *r)
{
    norn_table *t = r->table;
    void *smaller = t->times;
    if (!norn_resize(&r->host, &smaller, t->times_capacity, t->rows, sizeof *t->times))
        return norn_fail_memory(r->err, "the rows");
    t->times = smaller;
    t->times_capacity = t->rows;
    for (size_t k = 0; k < r->kept; k++) {
        smaller = t->columns[k].cells;
        if (!norn_resize(&r->host, &smaller, t->columns[k].capacity, t->rows, sizeof(double)))
            return norn_fail_memory(r->err, "the rows");
        t->columns[k].cells = smaller;
        t->columns[k].capacity = t->rows;
    }
    return NORN_OK;
}

static norn_status finish_table(reader *r)
{
    norn_table *t = r->table;
    if (t->rows == 0) return norn_fail_at(r->err, NORN_ERR_DATA, r->file, 0, 0, "the file has no rows");
    t->first = norn_new(&r->host, r->groups.count + 1, sizeof *t->first);
    if (!t->first) return norn_fail_memory(r->err, "the ids");
    t->groups = r->groups.count;
    for (size_t g = 0; g < t->groups; g++) t->first[g + 1] = t->first[g] + r->groups.items[g].rows;

    norn_status status = trim_columns(r);
    if (status == NORN_OK) status = name_series(r);
    if (status == NORN_OK && r->group_of) status = group_rows(r);
    if (status == NORN_OK) status = find_step(r);
    if (status == NORN_OK) status = note_rows(r);
    if (status == NORN_OK) status = fill_missing(r);
    return status;
}

/* ---- the stream ---- */

/* Makes the empty table the plan asks for, and the roles by column. */
static norn_status make_table(reader *r, norn_notes *notes)
{
    const norn_plan *plan = &r->plan;
    r->kept = plan->targets + plan->past;
    r->table = norn_table_new(plan->targets, plan->past, &r->host);
    r->roles = norn_new(&r->host, plan->columns, sizeof *r->roles);
    if (!r->table || !r->roles) return norn_fail_memory(r->err, "the table");
    r->table->notes = *notes; /* the table owns their texts from here */
    notes->count = 0;
    r->header_ahead = plan->header;
    for (size_t i = 0; i < plan->columns; i++) r->roles[i] = ROLE_NONE;
    for (size_t k = 0; k < r->kept; k++) {
        const char *name = plan->names[plan->values[k]];
        r->roles[plan->values[k]] = (int)k;
        r->table->names[k] = norn_text_copy(&r->host, name, strlen(name));
        if (!r->table->names[k]) return norn_fail_memory(r->err, "the table");
    }
    const char *time_name = "";
    if (plan->time != NORN_NO_COLUMN) {
        time_name = plan->names[plan->time];
        r->roles[plan->time] = ROLE_TIME;
    } else {
        r->table->style.form = NORN_FORM_INTEGER;
    }
    r->table->time_name = norn_text_copy(&r->host, time_name, strlen(time_name));
    if (!r->table->time_name) return norn_fail_memory(r->err, "the table");
    if (plan->id != NORN_NO_COLUMN) {
        r->roles[plan->id] = ROLE_ID;
    } else { /* all rows are of one series, whose name does not matter */
        const norn_status status = norn_groups_find(&r->groups, "", 0, &r->row_group, r->err);
        if (status != NORN_OK) return status;
    }
    return reserve(r);
}

/* Reads until the buffer is full or the stream ends. */
static norn_status fill_buffer(const reader *r, norn_read_fn read, void *user, char *buffer, size_t size,
                               size_t *got)
{
    *got = 0;
    while (*got < size) {
        const size_t n = read(user, buffer + *got, size - *got);
        if (n == (size_t)-1 || n > size - *got)
            return norn_fail_at(r->err, NORN_ERR_INPUT, r->file, 0, 0, "reading failed");
        if (n == 0) break;
        *got += n;
    }
    return NORN_OK;
}

static norn_status read_all(reader *r, norn_read_fn read, void *user, uint64_t total, char *buffer)
{
    size_t size, skip = 0;
    norn_status status = fill_buffer(r, read, user, buffer, NORN_SAMPLE_BYTES, &size);
    if (status != NORN_OK) return status;
    const bool whole = size < NORN_SAMPLE_BYTES;
    status = norn_csv_check_encoding(buffer, size, r->file, &skip, r->err);
    if (status != NORN_OK) return status;

    norn_notes notes;
    notes.count = 0;
    status = norn_plan_make(&r->plan, buffer + skip, size - skip, whole, r->file, r->options, &notes,
                            &r->host, r->err);
    if (status == NORN_OK) status = make_table(r, &notes);
    norn_notes_clear(&notes, &r->host);
    if (status != NORN_OK) return status;

    norn_csv csv;
    const norn_csv_events events = {r, on_field, on_row};
    norn_progress progress = {0, "read", 0, total, 0.0, 0.0, 0.0, -1.0};
    status = norn_csv_open(&csv, r->plan.delimiter, &events, r->file, &r->host, r->err);
    if (status == NORN_OK) status = norn_csv_feed(&csv, buffer + skip, size - skip, r->err);
    for (bool more = !whole; status == NORN_OK;) {
        progress.done += size;
        norn_report(&r->host, progress);
        if (norn_is_cancelled(&r->host)) status = norn_fail_cancelled(r->err);
        if (!more) break; /* the end was seen: a terminal must not be asked again */
        if (status == NORN_OK) status = fill_buffer(r, read, user, buffer, BLOCK, &size);
        if (status == NORN_OK) status = norn_csv_feed(&csv, buffer, size, r->err);
        more = size == BLOCK;
    }
    if (status == NORN_OK) status = norn_csv_finish(&csv, r->err);
    norn_csv_close(&csv);
    if (status == NORN_OK) status = finish_table(r);
    return status;
}

static norn_status check_options(const norn_table_options *options, norn_error *err)
{
    const char d = options->delimiter;
    if (d == '"' || d == '\n' || d == '\r')
        return norn_fail(err, NORN_ERR_USAGE, "--delimiter: a quote or a newline cannot separate fields");
    return NORN_OK;
}

static norn_status read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                               uint64_t total, const norn_table_options *options, const norn_host *host,
                               norn_error *err)
{
    norn_table_options told = NORN_TABLE_OPTIONS_INIT;
    if (options) memcpy(&told, options, options->size < sizeof told ? options->size : sizeof told);
    norn_error own = NORN_ERROR_INIT;
    const norn_host services = norn_host_copy(host);

    char *buffer = NULL;
    reader *r = NULL;
    norn_status status = check_options(&told, err);
    if (status != NORN_OK) goto done;
    r = norn_new(&services, 1, sizeof *r);
    buffer = services.resize(services.user, NULL, 0, NORN_SAMPLE_BYTES);
    status = NORN_ERR_MEMORY;
    if (!r || !buffer) {
        status = norn_fail_memory(err, "reading the file");
        goto done;
    }
    r->host = services;
    r->groups.host = services;
    r->file = name ? name : "";
    r->options = &told;
    r->missing = norn_missing_init(told.na);
    r->err = err ? err : &own;
    status = norn_numbers_open(&r->numbers, 0, 0, r->err);
    if (status == NORN_OK) status = read_all(r, read, user, total, buffer);
    if (status == NORN_OK) {
        *out = r->table;
        r->table = NULL;
    }
done:
    if (r) {
        norn_groups_free(&r->groups);
        norn_delete(&services, r->group_of, r->group_of_capacity, sizeof *r->group_of);
        norn_delete(&services, r->roles, r->plan.columns, sizeof *r->roles);
        norn_plan_free(&r->plan);
        norn_numbers_close(&r->numbers);
        norn_table_free(r->table);
        norn_delete(&services, r, 1, sizeof *r);
    }
    norn_delete(&services, buffer, NORN_SAMPLE_BYTES, 1);
    return status;
}

norn_status norn_table_read_stream(norn_table **out, norn_read_fn read, void *user, const char *name,
                                   const norn_table_options *options, const norn_host *host, norn_error *err)
{
    return read_stream(out, read, user, name, 0, options, host, err);
}

/* ---- files ---- */

typedef struct file_source {
    int descriptor;
    int reason; /* errno of the read that failed */
} file_source;

static size_t read_file(void *user, void *buffer, size_t size)
{
    file_source *source = user;
    for (;;) {
        const ssize_t n = read(source->descriptor, buffer, size);
        if (n >= 0) return (size_t)n;
        if (errno == EINTR) continue;
        source->reason = errno;
        return (size_t)-1;
    }
}

static norn_status fail_input(norn_error *err, const char *path, const char *what, int reason)
{
    char why[128] = "";
    (void)strerror_r(reason, why, sizeof why);
    return norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "%s: %s", what, why);
}

norn_status norn_table_read(norn_table **out, const char *path, const norn_table_options *options,
                            const norn_host *host, norn_error *err)
{
    file_source source = {open(path, O_RDONLY | O_CLOEXEC), 0};
    if (source.descriptor < 0) return fail_input(err, path, "cannot be opened", errno);
    struct stat info;
    const bool known = fstat(source.descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    norn_error first = NORN_ERROR_INIT;
    norn_status status =
        read_stream(out, read_file, &source, path, known ? (uint64_t)info.st_size : 0, options, host, &first);
    (void)close(source.descriptor);
    if (status == NORN_ERR_INPUT && source.reason)
        return fail_input(err, path, "cannot be read", source.reason);
    if (status != NORN_OK && err && err->status == NORN_OK) *err = first;
    return status;
}
