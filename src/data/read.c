/*
 * Reading a file into a table: norn_table_read and norn_table_read_stream of norn/table.h.
 *
 * The first megabyte is held back to plan with (roles.c); then it and all the rest pass once through the CSV reader
 * in blocks. Cells of columns with a role are parsed as they come and stand at the end of their columns; the end of
 * the record makes them a row, or the first thing wrong with it an error: a wrong number of fields before a cell
 * that cannot be read, since the one causes the other. Columns grow by half and are cut to size at the end, so they
 * cost 8 bytes a kept cell. Rows of interleaved series are sorted into their groups last, filled, and their step found.
 */
#include "data/cell.h"
#include "data/csv.h"
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

/* What is known of a series while its rows come in. */
typedef struct group {
    uint64_t hash;      /* of its id */
    char *id;
    size_t id_length;
    size_t rows;
    int64_t last_time;
    uint64_t last_line;
} group;

enum { ROLE_NONE = -1, ROLE_TIME = -2, ROLE_ID = -3 }; /* 0 and up: a column of values */

typedef struct reader {
    norn_host host;
    const char *file;
    const norn_table_options *options;
    norn_plan plan;
    norn_numbers numbers;
    norn_missing missing;
    norn_table *table;
    int *roles;             /* [plan.columns] */
    size_t kept;            /* columns of values */
    size_t capacity;        /* rows there is room for in every column */
    uint32_t *group_of;     /* [group_capacity_rows] group of each row; only with an id column */
    size_t group_of_capacity;
    group *groups;          /* [groups_capacity] in the order of their first rows */
    size_t group_count, groups_capacity;
    uint32_t *buckets;      /* [bucket_count] open addressing: group + 1, or 0 */
    size_t bucket_count;
    size_t last_group;      /* of the row before: most files keep series together */

    /* the row under way */
    norn_error defect;      /* the first thing wrong with a cell of it */
    int64_t time;
    uint64_t time_line;
    char time_text[64];     /* as it stands in the file, for messages */
    size_t row_group;
    uint64_t missing_line;  /* of its first missing value; 0: none */
    size_t missing_column;
    bool blank;             /* its only field so far is blank */

    uint64_t blank_lines, blank_line; /* 1-column files: lines without text since the last row, and the first of them */
    norn_error *err;
} reader;

/* ---- messages ---------------------------------------------------------------------------------------------------- */

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
#define ROW_DEFECT(r, line, column, ...)                                                                               \
    (void)norn_fail_at(&(r)->defect, NORN_ERR_DATA, (r)->file, line, (column) + 1, __VA_ARGS__)

/* ---- cells ---------------------------------------------------------------------------------------------------------- */

/* What mends a cell that should be a number. */
static void mend_number(const char *text, size_t length, char *out, size_t size)
{
    bool digits = false, plain = true, commas = false;
    char shown[SHOWN];
    for (size_t i = 0; i < length; i++) {
        const char byte = text[i];
        if (byte >= '0' && byte <= '9') digits = true;
        else if (byte == ',') commas = true;
        else if (!strchr(".+-eE", byte)) plain = false;
    }
    if (digits && plain && commas)
        (void)snprintf(out, size, "write 1234.5, without thousands separators or decimal commas");
    else if (length <= 20 && !memchr(text, ',', length) && !memchr(text, '"', length) && !memchr(text, '\'', length))
        (void)snprintf(out, size, strpbrk(show(shown, text, length), " \\;|&<>()$`*?#!~\t") ? "treat it as missing with --na '%s'" : "treat it as missing with --na %s",
                       shown);
    else
        (void)snprintf(out, size, "numbers are written as 1234.5 or 1.2e-3");
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
        ROW_DEFECT(r, line, column, "column \"%s\": missing value (fill it with the value before with --on-missing ffill)",
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
        ROW_DEFECT(r, line, column, "column \"%s\": missing time (every row needs one; number the rows instead with "
                   "--time '')", column_name(r, column, name));
        return;
    }
    const bool is_time = norn_time_parse(text, length, form == NORN_FORM_COMPACT, &r->time, &style);
    if (is_time && (form == NORN_FORM_NONE || form == style.form) && norn_time_style_join(known, &style)) return;
    if (known->form != NORN_FORM_NONE)
        ROW_DEFECT(r, line, column, "column \"%s\": expected a time written like \"%s\" in the rows above, found \"%s\"",
                   column_name(r, column, name), norn_time_write(known, r->groups[r->last_group].last_time, example),
                   show(found, text, length));
    else
        ROW_DEFECT(r, line, column, "column \"%s\": expected a time such as " NORN_TIME_EXAMPLES ", found \"%s\"",
                   column_name(r, column, name), show(found, text, length));
}

/* ---- series ----------------------------------------------------------------------------------------------------------- */

static uint64_t hash_text(const char *text, size_t length) /* FNV-1a, its high bits mixed down */
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static bool grow_buckets(reader *r)
{
    const size_t count = r->bucket_count ? 2 * r->bucket_count : 64;
    uint32_t *buckets = norn_new(&r->host, count, sizeof *buckets);
    if (!buckets) return false;
    for (size_t g = 0; g < r->group_count; g++) {
        size_t at = (size_t)r->groups[g].hash & (count - 1);
        while (buckets[at]) at = (at + 1) & (count - 1);
        buckets[at] = (uint32_t)(g + 1);
    }
    norn_delete(&r->host, r->buckets, r->bucket_count, sizeof *r->buckets);
    r->buckets = buckets;
    r->bucket_count = count;
    return true;
}

static bool add_group(reader *r, const char *id, size_t length, uint64_t hash)
{
    if (r->group_count >= UINT32_MAX - 1) return false;
    if (r->group_count == r->groups_capacity) {
        const size_t bigger = r->groups_capacity / 2 * 3 + 16;
        void *groups = r->groups;
        if (!norn_resize(&r->host, &groups, r->groups_capacity, bigger, sizeof *r->groups)) return false;
        r->groups = groups;
        r->groups_capacity = bigger;
    }
    char *copy = norn_text_copy(&r->host, id, length);
    if (!copy) return false;
    r->groups[r->group_count++] = (group){hash, copy, length, 0, 0, 0};
    return true;
}

static norn_status find_group(reader *r, const char *id, size_t length, size_t *found)
{
    if (r->group_count) {
        const group *last = &r->groups[r->last_group];
        if (last->id_length == length && memcmp(last->id, id, length) == 0) {
            *found = r->last_group;
            return NORN_OK;
        }
    }
    if (2 * (r->group_count + 1) > r->bucket_count && !grow_buckets(r)) return norn_fail_memory(r->err, "the ids");
    const uint64_t hash = hash_text(id, length);
    size_t at = (size_t)hash & (r->bucket_count - 1);
    for (; r->buckets[at]; at = (at + 1) & (r->bucket_count - 1)) {
        const group *g = &r->groups[r->buckets[at] - 1];
        if (g->hash != hash || g->id_length != length || memcmp(g->id, id, length) != 0) continue;
        *found = r->buckets[at] - 1;
        return NORN_OK;
    }
    if (!add_group(r, id, length, hash)) return norn_fail_memory(r->err, "the ids");
    *found = r->group_count - 1;
    r->buckets[at] = (uint32_t)r->group_count;
    return NORN_OK;
}

static norn_status id_cell(reader *r, size_t column, uint64_t line, const char *text, size_t length)
{
    char name[SHOWN];
    if (length && !memchr(text, 0, length)) return find_group(r, text, length, &r->row_group);
    ROW_DEFECT(r, line, column, "column \"%s\": missing id (every row needs the name of its series)",
               column_name(r, column, name));
    return NORN_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

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
static norn_status fail_order(reader *r, const group *g)
{
    char name[SHOWN], found[SHOWN], series[SHOWN + 32] = "", id[SHOWN];
    const char *hint = "";
    const size_t column = r->plan.time;
    if (r->plan.id != NORN_NO_COLUMN)
        (void)snprintf(series, sizeof series, " of series \"%s\"", show(id, g->id, g->id_length));
    else
        hint = "; if the file holds several series, name the column that tells them apart with --id";
    (void)column_name(r, column, name);
    (void)show(found, r->time_text, strlen(r->time_text));
    if (r->time == g->last_time)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
                            "column \"%s\": the time \"%s\"%s stands at line %llu already (leave one of the two rows "
                            "out%s)",
                            name, found, series, (unsigned long long)g->last_line, hint);
    if (r->plan.newest_first)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
                            "column \"%s\": the file runs from newest to oldest (turn the rows below the header round "
                            "with tac, or sort them by this column)",
                            name);
    return norn_fail_at(r->err, NORN_ERR_DATA, r->file, r->time_line, column + 1,
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
    if (r->plan.time == NORN_NO_COLUMN) r->time_line = line;
    group *g = &r->groups[r->row_group];
    if (r->plan.time == NORN_NO_COLUMN) r->time = (int64_t)g->rows + 1;
    else if (g->rows && r->time <= g->last_time) return fail_order(r, g);
    if (r->missing_line && g->rows == 0)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->file, r->missing_line, r->missing_column + 1,
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

static norn_status on_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    reader *r = user;
    if (column >= r->plan.columns) return NORN_OK; /* the record is too long, as its end will say */
    const int role = r->roles[column];
    if (role == ROLE_NONE && column != 0) return NORN_OK;
    const char *trimmed = text ? norn_trim(text, &length) : "";
    if (column == 0) {
        r->blank = length == 0;
        r->defect.status = NORN_OK;
        r->missing_line = 0;
    }
    if (role >= 0) value_cell(r, (size_t)role, column, line, trimmed, length);
    else if (role == ROLE_TIME) time_cell(r, column, line, trimmed, length);
    else if (role == ROLE_ID) return id_cell(r, column, line, trimmed, length);
    return NORN_OK;
}

static norn_status data_row(reader *r, uint64_t line, size_t columns)
{
    if (columns == r->plan.columns) return finish_row(r, line);
    return norn_fail_at(r->err, NORN_ERR_DATA, r->file, line, (columns < r->plan.columns ? columns : r->plan.columns) + 1,
                        "the row has %zu field%s, the %s has %zu (a field that contains the delimiter must stand in "
                        "quotes)",
                        columns, columns == 1 ? "" : "s", r->plan.header ? "header" : "first row", r->plan.columns);
}

/* A line without text is a missing value in a file of one column, unless it is at the end. */
static norn_status blank_rows(reader *r)
{
    norn_status status = NORN_OK;
    for (; r->blank_lines && status == NORN_OK; r->blank_lines--, r->blank_line++) {
        status = on_field(r, 0, r->blank_line, NULL, 0);
        if (status == NORN_OK) status = data_row(r, r->blank_line, 1);
    }
    return status;
}

static norn_status on_row(void *user, uint64_t line, size_t columns)
{
    reader *r = user;
    (void)blank_rows;
    (void)line;
    (void)columns;
    (void)r;
    return NORN_OK;
}
