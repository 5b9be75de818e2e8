/*
 * From records to rows, for files with a line a series: the layout of the M4 competition, tables whose header
 * holds the times, and .tsf. Lines may end early; missing cells at their end are no values.
 *
 * Numbers are parsed on the workers' threads, cells in the order of the line with marks where one of another
 * kind stands; a line longer than a piece comes in parts, and draining puts the parts together.
 */
#include "data/cell.h"
#include "data/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum mark_kind {
    MARK_BEGIN = 0, /* of a record */
    MARK_END,
    MARK_ID,
    MARK_START,  /* the time of the first value; `time` holds it */
    MARK_STATIC, /* a number, or a text */
    MARK_NUMBER, /* problems: no number, */
    MARK_TIME,   /* no time, */
    MARK_FIELDS, /* too many fields, */
    MARK_COLONS  /* too few attributes */
} mark_kind;

typedef struct mark {
    mark_kind kind;
    uint32_t cell;   /* of the piece it stands before */
    uint32_t column; /* in the record; MARK_STATIC: which static */
    uint32_t text, length, line;
    int64_t time;
    double number;
} mark;

typedef struct piece {
    size_t bytes; /* there is room for */
    double *cell; /* [bytes + 1] */
    mark *marks;  /* [2 * bytes + 16]: the shortest record, x and a newline, has three */
    char *text;   /* [2 * (bytes + 1)] */
    size_t cells, mark_count, mark_room, used;
    uint64_t blank, unlisted;
    norn_time_seen seen;
    bool header, any;
} piece;

typedef struct intake {
    norn_raw *raw;
    norn_numbers numbers;
    norn_missing missing;
    size_t *static_of;     /* [columns] which static a column is */
    int64_t *header_times; /* [header_count] of the values, where the header has times */
    size_t header_count;
    piece pieces[NORN_SCAN_SLOTS];
    bool header_ahead;
    bool clock;     /* some series begins within a day */
    uint64_t empty; /* series without a value */

    /* the series under way */
    uint64_t line;
    size_t first_row, pending; /* pending: missing cells that may be the line's end */
    int64_t start;
    bool has_start, broken; /* broken: what was wrong with it has been said */
    char *id;               /* [id_room] */
    size_t id_length, id_room;
    double *these; /* [statics] */

    double *fixed; /* [statics][fixed_room] of all series */
    size_t fixed_room;
} intake;

/* ---- the worker's side ---- */

static mark *add_mark(piece *p, mark_kind kind, size_t column, uint64_t line, const char *text, size_t length)
{
    if (p->mark_count == p->mark_room) {
        p->unlisted++;
        return NULL;
    }
    mark *m = &p->marks[p->mark_count++];
    *m = (mark){.kind = kind,
                .cell = (uint32_t)p->cells,
                .column = (uint32_t)column,
                .text = (uint32_t)p->used,
                .length = (uint32_t)length,
                .line = (uint32_t)line};
    if (text) {
        memcpy(p->text + p->used, text, length);
        p->used += length;
    }
    p->text[p->used++] = '\0';
    return m;
}

static void take_value(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                       size_t length)
{
    double value = (double)NAN;
    const bool missing = norn_is_missing(&in->missing, text, length) ||
                         (length == 1 && *text == '?' && in->raw->plan->layout == NORN_LAYOUT_TSF);
    if (!missing && !norn_number_parse(&in->numbers, text, length, &value))
        (void)add_mark(p, MARK_NUMBER, column, line, text, length < 200 ? length : 200);
    p->cell[p->cells++] = value;
}

static void take_start(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                       size_t length)
{
    int64_t time;
    if (norn_is_missing(&in->missing, text, length)) return; /* the end of the line will say */
    if (!norn_time_parse(&in->raw->plan->style, text, length, 0, &p->seen, &time)) {
        (void)add_mark(p, MARK_TIME, column, line, text, length < 200 ? length : 200);
        return;
    }
    mark *m = add_mark(p, MARK_START, column, line, NULL, 0);
    if (m) m->time = time;
}

static void take_static(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                        size_t length)
{
    const bool words = in->raw->plan->column[column].words;
    double number = (double)NAN;
    const bool missing = norn_is_missing(&in->missing, text, length);
    if (!words && !missing && !norn_number_parse(&in->numbers, text, length, &number)) {
        (void)add_mark(p, MARK_NUMBER, column, line, text, length < 200 ? length : 200);
        return;
    }
    mark *m = add_mark(p, MARK_STATIC, in->static_of[column], line, words && !missing ? text : NULL,
                       words && !missing ? length : 0);
    if (m) m->number = number;
}

/* A cell of a column that is not a value. */
static void take_attribute(const intake *in, piece *p, size_t column, uint64_t line, const char *text,
                           size_t length)
{
    const norn_plan_column *c = &in->raw->plan->column[column];
    text = norn_trim(text, &length);
    if (c->role == NORN_ROLE_ID)
        (void)add_mark(p, MARK_ID, column, line, text, length);
    else if (c->role == NORN_ROLE_TIME)
        take_start(in, p, column, line, text, length);
    else if (c->role == NORN_ROLE_STATIC)
        take_static(in, p, column, line, text, length);
}

/* The first field of a .tsf record: its attributes and its first value. */
static void take_first(const intake *in, piece *p, uint64_t line, const char *text, size_t length)
{
    const size_t attributes = in->raw->plan->columns - 1;
    for (size_t i = 0; i < attributes; i++) {
        const char *colon = memchr(text, ':', length);
        if (!colon) {
            (void)add_mark(p, MARK_COLONS, 0, line, text, length < 200 ? length : 200);
            return;
        }
        const size_t part = (size_t)(colon - text);
        take_attribute(in, p, i, line, text, part);
        text += part + 1;
        length -= part + 1;
    }
    text = norn_trim(text, &length);
    take_value(in, p, attributes, line, text, length);
}

static norn_status on_field(void *user, size_t slot, size_t column, uint64_t line, const char *text,
                            size_t length)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    const norn_plan *plan = in->raw->plan;
    text = text ? norn_trim(text, &length) : "";
    if (column == 0) {
        p->any = false;
        if (!p->header) (void)add_mark(p, MARK_BEGIN, 0, line, NULL, 0);
    }
    p->any = p->any || length;
    if (p->header) return NORN_OK;
    if (plan->layout == NORN_LAYOUT_TSF) {
        if (column == 0)
            take_first(in, p, line, text, length);
        else
            take_value(in, p, plan->columns - 1 + column, line, text, length);
    } else if (column >= plan->columns) {
        /* Behind the header there may only be nothing. */
        if (plan->header && length)
            (void)add_mark(p, MARK_FIELDS, column, line, text, length < 200 ? length : 200);
        else
            take_value(in, p, column, line, text, length);
    } else if (plan->column[column].value) {
        take_value(in, p, column, line, text, length);
    } else {
        take_attribute(in, p, column, line, text, length);
    }
    return NORN_OK;
}

static norn_status on_row(void *user, size_t slot, uint64_t line, size_t columns)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    if (columns == 0 || !p->any) {
        p->blank++;
        if (!p->header && columns) (void)add_mark(p, MARK_END, 0, line, NULL, 0);
        return NORN_OK;
    }
    if (p->header)
        p->header = false;
    else
        (void)add_mark(p, MARK_END, 1, line, NULL, 0); /* column 1: it had text */
    return NORN_OK;
}

/* ---- the caller's side ---- */

static norn_status on_prepare(void *user, size_t slot, size_t bytes, bool first)
{
    intake *in = user;
    piece *p = &in->pieces[slot];
    const norn_host *host = &in->raw->host;
    if (bytes + 1 > p->bytes) {
        const size_t old = p->bytes, old_marks = p->mark_room;
        const size_t marks = 2 * bytes + 16;
        void *cell = p->cell, *text = p->text, *mark_array = p->marks;
        if (!norn_resize(host, &cell, old, bytes + 1, sizeof *p->cell)) goto memory;
        p->cell = cell;
        p->bytes = bytes + 1;
        if (!norn_resize(host, &text, 4 * old, 4 * (bytes + 1), 1)) {
            /* the two sizes must agree: give the first back */
            norn_delete(host, p->cell, bytes + 1, sizeof *p->cell);
            norn_delete(host, p->text, 4 * old, 1);
            p->cell = NULL;
            p->text = NULL;
            p->bytes = 0;
            goto memory;
        }
        p->text = text;
        if (!norn_resize(host, &mark_array, old_marks, marks, sizeof *p->marks)) goto memory;
        p->marks = mark_array;
        p->mark_room = marks;
    }
    if (first) {
        p->header = in->header_ahead;
        in->header_ahead = false;
    }
    p->cells = p->mark_count = p->used = 0;
    p->blank = p->unlisted = 0;
    memset(&p->seen, 0, sizeof p->seen);
    return NORN_OK;
memory:
    return norn_fail_memory(in->raw->err, "a piece of the file");
}

static norn_status append(intake *in, const double *cells, size_t count)
{
    norn_raw *raw = in->raw;
    size_t there = count; /* without the missing ones at the end */
    while (there && isnan(cells[there - 1])) there--;
    if (there) {
        const norn_status status = norn_raw_reserve(raw, in->pending + there);
        if (status != NORN_OK) return status;
        double *to = raw->columns[0].cells;
        for (; in->pending; in->pending--) to[raw->rows++] = (double)NAN;
        memcpy(to + raw->rows, cells, there * sizeof *to);
        raw->rows += there;
    }
    in->pending += count - there;
    return NORN_OK;
}

static norn_status keep_id(intake *in, const char *id, size_t length)
{
    if (length + 1 > in->id_room) {
        void *grown = in->id;
        if (!norn_resize(&in->raw->host, &grown, in->id_room, length + 64, 1))
            return norn_fail_memory(in->raw->err, "the ids");
        in->id = grown;
        in->id_room = length + 64;
    }
    memcpy(in->id, id, length);
    in->id[length] = '\0';
    in->id_length = length;
    return NORN_OK;
}

static norn_status keep_statics(intake *in, size_t group)
{
    norn_raw *raw = in->raw;
    const size_t statics = raw->plan->statics;
    if (statics && group >= in->fixed_room) {
        const size_t bigger = in->fixed_room + in->fixed_room / 2 + 64;
        double *fixed = norn_new(&raw->host, statics * bigger, sizeof *fixed);
        if (!fixed) return norn_fail_memory(raw->err, "the series");
        for (size_t s = 0; s < statics && in->fixed; s++)
            memcpy(fixed + s * bigger, in->fixed + s * in->fixed_room, in->fixed_room * sizeof *fixed);
        norn_delete(&raw->host, in->fixed, statics * in->fixed_room, sizeof *fixed);
        in->fixed = fixed;
        in->fixed_room = bigger;
    }
    for (size_t s = 0; s < statics; s++) in->fixed[s * in->fixed_room + group] = in->these[s];
    return NORN_OK;
}

static int64_t time_of_value(const intake *in, size_t value)
{
    const norn_plan *plan = in->raw->plan;
    if (plan->header_times && value < in->header_count) return in->header_times[value];
    if (!in->has_start) return (int64_t)value + 1;
    return value ? norn_time_ahead(&plan->style, plan->step, &in->start, 1, value) : in->start;
}

/* The line has ended: its values become a group. */
static norn_status end_series(intake *in)
{
    norn_raw *raw = in->raw;
    const norn_plan *plan = raw->plan;
    const size_t known = raw->groups.count, rows = raw->rows - in->first_row;
    char number[32], shown[NORN_SHOWN];
    size_t group;
    raw->table->facts.records++;
    if (in->broken) {
        raw->rows = in->first_row;
        return NORN_OK;
    }
    if (plan->time_columns && !in->has_start)
        return norn_raw_problem(raw, in->line, plan->time[0], "",
                                "missing time (every series needs the one it begins at)");
    if (plan->id != NORN_NO_COLUMN && in->id_length == 0)
        return norn_raw_problem(raw, in->line, plan->id, "", "missing id (every series needs a name)");
    if (rows == 0) {
        in->empty++;
        return NORN_OK;
    }
    if (plan->id == NORN_NO_COLUMN) (void)snprintf(number, sizeof number, "%zu", known + 1);
    const char *id = plan->id == NORN_NO_COLUMN ? number : in->id;
    norn_status status = norn_groups_find(&raw->groups, id, strlen(id), &group, raw->err);
    if (status != NORN_OK) return status;
    if (raw->groups.count == known) {
        raw->rows = in->first_row;
        return norn_raw_problem(raw, in->line, plan->id, id,
                                "the series \"%s\" stands on a line above already",
                                norn_show(shown, id, strlen(id)));
    }
    raw->groups.items[group].rows = rows;
    for (size_t i = 0; i < rows; i++) raw->times[in->first_row + i] = time_of_value(in, i);
    in->clock = in->clock || (in->has_start && norn_moment_of(in->start, 0).rest != 0);
    status = keep_statics(in, group);
    if (status == NORN_OK) status = norn_lines_add(raw, in->first_row, in->line);
    return status;
}

static norn_status take_static_mark(intake *in, const piece *p, const mark *m)
{
    norn_raw *raw = in->raw;
    const size_t k = raw->plan->targets + raw->plan->past + raw->plan->future + m->column;
    size_t number;
    in->these[m->column] = m->number;
    if (m->length == 0) return NORN_OK;
    const norn_status status =
        norn_groups_find(&raw->words[k], p->text + m->text, m->length, &number, raw->err);
    if (status == NORN_OK) in->these[m->column] = (double)number;
    return status;
}

static norn_status take_mark(intake *in, const piece *p, const mark *m, uint64_t base)
{
    norn_raw *raw = in->raw;
    const char *text = p->text + m->text;
    char name[NORN_SHOWN], found[NORN_SHOWN], words[160];
    const uint64_t line = base + m->line;
    (void)norn_raw_name(raw, m->column, name);
    (void)norn_show(found, text, m->length);
    switch (m->kind) {
    case MARK_BEGIN:
        in->line = line;
        in->first_row = raw->rows;
        in->pending = in->id_length = 0;
        in->has_start = in->broken = false;
        for (size_t s = 0; s < raw->plan->statics; s++) in->these[s] = (double)NAN;
        return NORN_OK;
    case MARK_END:
        return m->column ? end_series(in) : NORN_OK;
    case MARK_ID:
        return keep_id(in, text, m->length);
    case MARK_START:
        in->start = m->time;
        in->has_start = true;
        return NORN_OK;
    case MARK_STATIC:
        return take_static_mark(in, p, m);
    case MARK_NUMBER:
        return norn_raw_problem(raw, line, m->column, text,
                                "expected a number, found \"%s\" (missing ones by --na)", found);
    case MARK_TIME:
        in->broken = true; /* one problem is enough */
        return norn_raw_problem(
            raw, line, m->column, text,
            "column \"%s\": expected %s, found \"%s\" (--time-format says how times are written)", name,
            norn_time_style_words(&raw->plan->style, words, sizeof words), found);
    case MARK_FIELDS:
        return norn_raw_problem(raw, line, m->column, text,
                                "the row goes on where the header has ended, with \"%s\"", found);
    case MARK_COLONS:
        in->broken = true;
        return norn_raw_problem(
            raw, line, m->column, text,
            "expected %zu attribute%s, each with a colon behind it, before the values, found \"%s\"",
            raw->plan->columns - 1, raw->plan->columns == 2 ? "" : "s", found);
    }
    return NORN_OK;
}

static norn_status on_drain(void *user, size_t slot, uint64_t base, norn_status status,
                            const norn_error *defect)
{
    intake *in = user;
    norn_raw *raw = in->raw;
    const piece *p = &in->pieces[slot];
    size_t cell = 0;
    for (size_t i = 0; i < p->mark_count && status == NORN_OK; i++) {
        const mark *m = &p->marks[i];
        status = append(in, p->cell + cell, m->cell - cell);
        cell = m->cell;
        if (status == NORN_OK) status = take_mark(in, p, m, base);
    }
    if (status == NORN_OK) status = append(in, p->cell + cell, p->cells - cell);
    if (status == NORN_OK && p->unlisted)
        status = norn_raw_problem(raw, base, NORN_NO_COLUMN, "", "%llu more problems are not listed",
                                  (unsigned long long)p->unlisted);
    if (status == NORN_OK) (void)norn_time_seen_join(&raw->seen, &p->seen);
    raw->table->facts.blank += p->blank;
    if (defect->status == NORN_OK || status != NORN_OK) return status;
    return norn_raw_defect(raw, defect);
}

/* ---- the whole ---- */

static norn_status open_intake(intake *in)
{
    norn_raw *raw = in->raw;
    const norn_plan *plan = raw->plan;
    const norn_host *host = &raw->host;
    raw->lines.flat = true;
    in->static_of = norn_new(host, plan->columns, sizeof *in->static_of);
    in->header_times = norn_new(host, plan->columns, sizeof *in->header_times);
    if (plan->statics) in->these = norn_new(host, plan->statics, sizeof *in->these);
    if (!in->static_of || !in->header_times || (plan->statics && !in->these))
        return norn_fail_memory(raw->err, "the columns");
    for (size_t s = 0; s < plan->statics; s++) in->static_of[plan->values[plan->targets + s]] = s;
    for (size_t c = 0; c < plan->columns; c++)
        if (plan->column[c].value) {
            if (plan->header_times) in->header_times[in->header_count++] = plan->column[c].header;
            if (raw->lines.value_column == 0) raw->lines.value_column = c;
        }
    return NORN_OK;
}

static norn_status finish_intake(intake *in)
{
    norn_raw *raw = in->raw;
    const norn_plan *plan = raw->plan;
    norn_table *t = raw->table;
    char count[NORN_COUNT_TEXT];
    if (plan->statics && raw->groups.count) {
        t->fixed = norn_new(&raw->host, plan->statics * raw->groups.count, sizeof *t->fixed);
        t->groups = raw->groups.count; /* for its release */
        if (!t->fixed) return norn_fail_memory(raw->err, "the series");
        for (size_t s = 0; s < plan->statics; s++)
            memcpy(t->fixed + s * t->groups, in->fixed + s * in->fixed_room, t->groups * sizeof *t->fixed);
    }
    raw->clock_starts = in->clock;
    t->facts.left_out += in->empty;
    if (in->empty == 0) return NORN_OK;
    return norn_notes_add(&t->notes, &raw->host, raw->err, "rows", "", "%s series without a value left out",
                          norn_count_text(in->empty, count));
}

static void close_intake(intake *in)
{
    const norn_raw *raw = in->raw;
    const norn_host *host = &raw->host;
    const norn_plan *plan = raw->plan;
    for (size_t s = 0; s < NORN_SCAN_SLOTS; s++) {
        piece *p = &in->pieces[s];
        norn_delete(host, p->cell, p->bytes, sizeof *p->cell);
        norn_delete(host, p->text, 4 * p->bytes, 1);
        norn_delete(host, p->marks, p->mark_room, sizeof *p->marks);
    }
    norn_delete(host, in->static_of, plan->columns, sizeof *in->static_of);
    norn_delete(host, in->header_times, plan->columns, sizeof *in->header_times);
    norn_delete(host, in->these, plan->statics, sizeof *in->these);
    norn_delete(host, in->id, in->id_room, 1);
    norn_delete(host, in->fixed, plan->statics * in->fixed_room, sizeof *in->fixed);
    norn_numbers_close(&in->numbers);
}

static norn_status check_plan(const norn_raw *raw)
{
    const norn_plan *plan = raw->plan;
    if (plan->zone) return norn_fail(raw->err, NORN_ERR_USAGE, "--tz: not for a file with a line a series");
    if (plan->time_columns && plan->style.order == NORN_ORDER_OPEN)
        return norn_fail(raw->err, NORN_ERR_USAGE,
                         "--time: say which is the day and which the month, with --time-format mdy or dmy");
    if (plan->time_columns && !plan->has_step)
        return norn_fail(
            raw->err, NORN_ERR_USAGE,
            "--time: with a line a series only its first value has a time; say the step with --frequency");
    return NORN_OK;
}

norn_status norn_intake_series(norn_raw *raw, norn_scan *scan, uint64_t total)
{
    const norn_table_options *o = raw->options;
    norn_status status = check_plan(raw);
    if (status != NORN_OK) return status;
    intake *in = norn_new(&raw->host, 1, sizeof *in);
    if (!in) return norn_fail_memory(raw->err, "the pieces of the file");
    in->raw = raw;
    in->missing = norn_missing_init(o->na);
    in->header_ahead = raw->plan->header;
    const norn_scan_events events = {in, on_prepare, on_field, on_row, on_drain};
    status = norn_numbers_open(&in->numbers, o->decimal, o->thousands, raw->err);
    if (status == NORN_OK) status = open_intake(in);
    if (status == NORN_OK)
        status = norn_scan_run(scan, raw->plan->delimiter, raw->plan->skip, raw->plan->line, total, &events,
                               raw->err);
    if (status == NORN_OK && raw->problems) status = NORN_ERR_DATA;
    if (status == NORN_OK) status = finish_intake(in);
    close_intake(in);
    norn_delete(&raw->host, in, 1, sizeof *in);
    return status;
}
