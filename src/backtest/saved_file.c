/*
 * Lines to records; see saved_file.h. The columns are found by their names: a file has an id, a time, a
 * cutoff and a truth, and what else is numbers are models, or the ends of their bands as Nixtla's tools name
 * them (MODEL-lo-95, MODEL-hi-95). A row index that pandas wrote, and columns of text, are passed over.
 */
#include "backtest/saved_file.h"

#include "data/cell.h"
#include "data/csv.h"
#include "data/gzip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 1024, PIECE = 65536 };

typedef struct reader {
    norn_saved_file *file;
    const norn_saved_options *options;
    const char *name;
    norn_error *err;
    norn_numbers numbers;
    norn_missing missing;
    bool has_header;
    size_t id_at, time_at, cutoff_at, target_at;
    /* the record being read */
    char *cells[4]; /* id, time, cutoff: copies, since fields are gone after the call; and a key */
    size_t lengths[4], rooms[4];
    double *values; /* [W] */
} reader;

/* ---- the header ---- */

static norn_status add_column(reader *r, const char *text, size_t length)
{
    norn_saved_file *const f = r->file;
    void *columns = f->columns;
    if (f->column_count == MOST_COLUMNS)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->name, 1, 0, "more than %d columns", (int)MOST_COLUMNS);
    if (!norn_resize(&f->host, &columns, f->column_count, f->column_count + 1, sizeof *f->columns))
        return norn_fail_memory(r->err, "the columns");
    f->columns = columns;
    text = norn_trim(text ? text : "", &length);
    f->columns[f->column_count] = (norn_saved_column){
        .name = norn_text_copy(&f->host, text, length), .role = NORN_SAVED_MODEL, .value = NORN_NO_COLUMN};
    return f->columns[f->column_count++].name ? NORN_OK : norn_fail_memory(r->err, "the columns");
}

static size_t find_column(const reader *r, const char *name)
{
    for (size_t c = 0; c < r->file->column_count; c++)
        if (strcmp(r->file->columns[c].name, name) == 0) return c;
    return NORN_NO_COLUMN;
}

static norn_status need_column(const reader *r, const char *told, const char *usual, const char *flag,
                               size_t *out)
{
    char quoted[100];
    const char *const name = told ? told : usual;
    *out = find_column(r, name);
    if (*out != NORN_NO_COLUMN) return NORN_OK;
    return norn_fail_at(r->err, told ? NORN_ERR_USAGE : NORN_ERR_DATA, r->name, 1, 0,
                        "no column is called \"%s\" (%s)",
                        norn_quote(quoted, sizeof quoted, name, strlen(name), 60), flag);
}

/* "LSTM-lo-95": takes the end off the name. Errors: NORN_ERR_MEMORY. */
static norn_status look_for_band(reader *r, norn_saved_column *column)
{
    static const struct {
        const char *word;
        norn_saved_role role;
    } ends[] = {{"-lo-", NORN_SAVED_LOW}, {"-hi-", NORN_SAVED_HIGH}};
    for (size_t i = 0; i < NORN_COUNT(ends); i++)
        for (char *at = column->name; (at = strstr(at, ends[i].word)) != NULL; at++) {
            const char *const digits = at + 4;
            const size_t whole = strspn(digits, "0123456789");
            const size_t rest = digits[whole] == '.' ? 1 + strspn(digits + whole + 1, "0123456789") : 0;
            if (at == column->name || !whole || whole > 3 || digits[whole + rest]) continue;
            long level = 0;
            double scale = 1.0, part = 0.0; /* strtod would ask the locale */
            for (size_t d = 0; d < whole; d++) level = level * 10 + (digits[d] - '0');
            for (size_t d = whole + 1; d < whole + rest && scale < 1e9; d++) {
                scale *= 10.0;
                part = part * 10.0 + (digits[d] - '0');
            }
            column->role = ends[i].role;
            column->level = (double)level + part / scale;
            char *const model = norn_text_copy(&r->file->host, column->name, (size_t)(at - column->name));
            if (!model) return norn_fail_memory(r->err, "the columns");
            norn_text_delete(&r->file->host, column->name);
            column->name = model;
            return NORN_OK;
        }
    return NORN_OK;
}

/* What pandas makes of a row index: no name, or one that no model has. */
static bool is_index(const char *name)
{
    return !name[0] || strncmp(name, "Unnamed: ", 9) == 0 || strcmp(name, "index") == 0;
}

static norn_status settle_header(reader *r)
{
    norn_saved_file *const f = r->file;
    const norn_saved_options *const o = r->options;
    norn_status status = need_column(r, o->time, "ds", "--time", &r->time_at);
    if (status == NORN_OK) status = need_column(r, o->cutoff, "cutoff", "--cutoff", &r->cutoff_at);
    if (status == NORN_OK) status = need_column(r, o->target, "y", "--target", &r->target_at);
    r->id_at = find_column(r, "unique_id");
    if (status == NORN_OK && o->id && o->id[0]) status = need_column(r, o->id, "", "--id", &r->id_at);
    if (o->id && !o->id[0]) r->id_at = NORN_NO_COLUMN;
    if (status != NORN_OK) return status;
    f->width = 1;
    for (size_t c = 0; c < f->column_count; c++) {
        norn_saved_column *const column = &f->columns[c];
        column->role = c == r->time_at          ? NORN_SAVED_TIME
                       : c == r->cutoff_at      ? NORN_SAVED_CUTOFF
                       : c == r->target_at      ? NORN_SAVED_TARGET
                       : c == r->id_at          ? NORN_SAVED_ID
                       : is_index(column->name) ? NORN_SAVED_IGNORED
                                                : NORN_SAVED_MODEL;
        for (size_t before = 0; column->role == NORN_SAVED_MODEL && before < c; before++)
            if (strcmp(f->columns[before].name, column->name) == 0)
                return norn_fail_at(r->err, NORN_ERR_DATA, r->name, 1, c + 1,
                                    "two columns have this name (leave one out)");
    }
    for (size_t c = 0; c < f->column_count; c++) {
        norn_saved_column *const column = &f->columns[c];
        if (column->role == NORN_SAVED_TARGET) column->value = 0;
        if (column->role != NORN_SAVED_MODEL) continue;
        if ((status = look_for_band(r, column)) != NORN_OK) return status;
        column->value = f->width++;
    }
    r->values = norn_new(&f->host, f->width, sizeof *r->values);
    return r->values ? NORN_OK : norn_fail_memory(r->err, "the columns");
}

/* ---- records ---- */

static norn_status make_room(reader *r, size_t which, size_t length)
{
    void *cell = r->cells[which];
    const size_t room = 2 * length + 64;
    if (length < r->rooms[which]) return NORN_OK;
    if (!norn_resize(&r->file->host, &cell, r->rooms[which], room, 1))
        return norn_fail_memory(r->err, "a record");
    r->cells[which] = cell;
    r->rooms[which] = room;
    return NORN_OK;
}

static norn_status keep_cell(reader *r, size_t which, const char *text, size_t length)
{
    const norn_status status = make_room(r, which, length);
    if (status != NORN_OK) return status;
    if (length) memcpy(r->cells[which], text, length);
    r->cells[which][length] = '\0';
    r->lengths[which] = length;
    return NORN_OK;
}

static norn_status take_number(reader *r, norn_saved_column *column, size_t at, uint64_t line,
                               const char *text, size_t length)
{
    char quoted[100];
    double *const value = &r->values[column->value];
    *value = NAN;
    if (norn_is_missing(&r->missing, text, length)) return NORN_OK;
    /* what a tool writes of a forecast that went wrong; there is none then */
    if ((length == 3 && strncmp(text, "inf", 3) == 0) || (length == 4 && strncmp(text, "-inf", 4) == 0))
        return NORN_OK;
    if (norn_number_parse(&r->numbers, text, length, value)) {
        column->seen = true;
        return NORN_OK;
    }
    if (!column->seen && column->role != NORN_SAVED_TARGET) { /* a column of text */
        column->role = NORN_SAVED_IGNORED;
        return NORN_OK;
    }
    return norn_fail_at(r->err, NORN_ERR_DATA, r->name, line, at + 1, "expected a number, found \"%s\"",
                        norn_quote(quoted, sizeof quoted, text, length, 60));
}

static norn_status take_field(void *user, size_t at, uint64_t line, const char *text, size_t length)
{
    reader *const r = user;
    norn_saved_file *const f = r->file;
    if (!r->has_header) return add_column(r, text, text ? length : 0);
    if (at >= f->column_count)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->name, line, at + 1,
                            "more fields than the header has, which has %zu", f->column_count);
    norn_saved_column *const column = &f->columns[at];
    length = text ? length : 0;
    text = norn_trim(text ? text : "", &length);
    switch (column->role) {
    case NORN_SAVED_IGNORED:
        return NORN_OK;
    case NORN_SAVED_ID:
        return keep_cell(r, 0, text, length);
    case NORN_SAVED_TIME:
        return keep_cell(r, 1, text, length);
    case NORN_SAVED_CUTOFF:
        return keep_cell(r, 2, text, length);
    default:
        return take_number(r, column, at, line, text, length);
    }
}

/*
 * The number of a time. pandas writes a column of times without the clock where all stand at midnight, and
 * so the cutoffs of hourly data may read 2024-05-31 beside times that read 2024-05-31 01:00:00: the clock is
 * put behind them.
 */
static norn_status find_time(reader *r, size_t id, size_t which, size_t *out)
{
    static const char midnight[] = " 00:00:00";
    enum { DATE = 10 };
    const size_t other = which == 1 ? 2 : 1;
    char prefix[24];
    if (r->lengths[which] == DATE && r->lengths[other] == DATE + sizeof midnight - 1 &&
        r->cells[which][4] == '-') {
        const char rest[] = {r->cells[other][DATE], '0', '0', ':', '0', '0', ':', '0', '0', '\0'};
        char whole[DATE + sizeof rest];
        memcpy(whole, r->cells[which], DATE);
        memcpy(whole + DATE, rest, sizeof rest);
        const norn_status kept = keep_cell(r, which, whole, DATE + sizeof rest - 1);
        if (kept != NORN_OK) return kept;
    }
    const int used = snprintf(prefix, sizeof prefix, "%zu\x1f", id);
    const size_t length = (size_t)used + r->lengths[which];
    const norn_status status = make_room(r, 3, length);
    if (status != NORN_OK) return status;
    memcpy(r->cells[3], prefix, (size_t)used);
    memcpy(r->cells[3] + used, r->cells[which], r->lengths[which] + 1);
    return norn_groups_find(&r->file->keys, r->cells[3], length, out, r->err);
}

static norn_status take_row(void *user, uint64_t line, size_t columns)
{
    reader *const r = user;
    norn_saved_file *const f = r->file;
    if (columns == 0) return NORN_OK;
    if (!r->has_header) {
        r->has_header = true;
        return settle_header(r);
    }
    if (columns != f->column_count)
        return norn_fail_at(r->err, NORN_ERR_DATA, r->name, line, 0, "%zu fields where the header has %zu",
                            columns, f->column_count);
    static const char *const parts[] = {"id", "time", "cutoff"};
    for (size_t i = 1; i < 3; i++)
        if (!r->lengths[i])
            return norn_fail_at(r->err, NORN_ERR_DATA, r->name, line,
                                (i == 1 ? r->time_at : r->cutoff_at) + 1, "the %s is missing", parts[i]);
    if (f->count == f->capacity) {
        const size_t room = f->capacity ? 2 * f->capacity : 1024;
        void *records = f->records, *values = f->values;
        if (!norn_resize(&f->host, &records, f->capacity, room, sizeof *f->records))
            return norn_fail_memory(r->err, "the records");
        f->records = records;
        f->capacity = room;
        if (room > SIZE_MAX / f->width ||
            !norn_resize(&f->host, &values, f->values_capacity, room * f->width, sizeof *f->values))
            return norn_fail_memory(r->err, "the records");
        f->values = values;
        f->values_capacity = room * f->width;
    }
    norn_saved_record *const record = &f->records[f->count];
    record->line = line;
    norn_status status =
        norn_groups_find(&f->ids, r->cells[0] ? r->cells[0] : "", r->lengths[0], &record->id, r->err);
    if (status == NORN_OK) status = find_time(r, record->id, 1, &record->time);
    if (status == NORN_OK) status = find_time(r, record->id, 2, &record->cutoff);
    if (status != NORN_OK) return status;
    memcpy(f->values + f->count * f->width, r->values, f->width * sizeof *r->values);
    f->count++;
    for (size_t i = 0; i < 3; i++) r->lengths[i] = 0;
    return NORN_OK;
}

/* ---- the stream ---- */

static norn_status feed(reader *r, norn_csv *csv, norn_read_fn read, void *user)
{
    norn_saved_file *const f = r->file;
    norn_gzip *gzip = NULL;
    char *const piece = norn_new(&f->host, PIECE, 1);
    norn_status status = piece ? NORN_OK : norn_fail_memory(r->err, "a file");
    size_t got = 0, skip = 0;
    for (size_t more = 1; status == NORN_OK && got < PIECE && more; got += more) {
        more = read(user, piece + got, PIECE - got);
        if (more == (size_t)-1) {
            status = norn_fail_at(r->err, NORN_ERR_INPUT, r->name, 0, 0, "cannot read");
            break;
        }
    }
    bool ended = got < PIECE;
    if (status == NORN_OK && norn_gzip_is(piece, got)) {
        status = norn_gzip_open(&gzip, piece, got, ended, read, user, r->name, &f->host, r->err);
        if (status == NORN_OK) status = norn_gzip_read(gzip, piece, PIECE, &got, r->err);
        ended = got < PIECE;
    }
    if (status == NORN_OK) status = norn_csv_check_encoding(piece, got, r->name, &skip, r->err);
    while (status == NORN_OK) {
        f->bytes += got;
        status = norn_csv_feed(csv, piece + skip, got - skip, r->err);
        skip = 0;
        if (status != NORN_OK || ended) break;
        if (norn_is_cancelled(&f->host)) {
            status = norn_fail_cancelled(r->err);
        } else if (gzip) {
            status = norn_gzip_read(gzip, piece, PIECE, &got, r->err);
            ended = got < PIECE;
        } else if ((got = read(user, piece, PIECE)) == (size_t)-1) {
            status = norn_fail_at(r->err, NORN_ERR_INPUT, r->name, 0, 0, "cannot read");
        } else {
            ended = got == 0;
        }
    }
    if (status == NORN_OK) status = norn_csv_finish(csv, r->err);
    norn_gzip_free(gzip);
    norn_delete(&f->host, piece, piece ? PIECE : 0, 1);
    return status;
}

norn_status norn_saved_file_read(norn_saved_file *file, norn_read_fn read, void *user, const char *name,
                                 const norn_saved_options *options, const norn_host *host, norn_error *err)
{
    reader r = {
        .file = file, .options = options, .name = name, .err = err, .missing = norn_missing_init(NULL)};
    const norn_csv_events events = {&r, take_field, take_row};
    norn_csv csv;
    *file = (norn_saved_file){.host = *host, .ids = {.host = *host}, .keys = {.host = *host}};
    norn_status status = norn_numbers_open(&r.numbers, '.', 0, err);
    if (status != NORN_OK) return status;
    status = norn_csv_open(&csv, ',', &events, name, host, err);
    if (status == NORN_OK) {
        status = feed(&r, &csv, read, user);
        norn_csv_close(&csv);
    }
    if (status == NORN_OK && !file->count)
        status = norn_fail_at(err, NORN_ERR_DATA, name, 0, 0, "there is no row in it");
    for (size_t i = 0; i < NORN_COUNT(r.cells); i++) norn_delete(host, r.cells[i], r.rooms[i], 1);
    norn_delete(host, r.values, r.values ? file->width : 0, sizeof *r.values);
    norn_numbers_close(&r.numbers);
    return status;
}

void norn_saved_file_free(norn_saved_file *f)
{
    for (size_t c = 0; c < f->column_count; c++) norn_text_delete(&f->host, f->columns[c].name);
    norn_delete(&f->host, f->columns, f->column_count, sizeof *f->columns);
    norn_delete(&f->host, f->records, f->capacity, sizeof *f->records);
    norn_delete(&f->host, f->values, f->values_capacity, sizeof *f->values);
    norn_groups_free(&f->ids);
    norn_groups_free(&f->keys);
}
