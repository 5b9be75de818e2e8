/*
 * Rows as they stand in the file, their lines, and the problems met: see raw.h.
 */
#include "data/raw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- making and freeing ---- */

static bool is_words(const norn_raw *raw, size_t kept)
{
    return raw->plan->column[raw->plan->values[kept]].words;
}

norn_status norn_raw_open(norn_raw *raw, norn_notes *notes)
{
    const norn_plan *plan = raw->plan;
    raw->groups.host = raw->host;
    raw->kept = plan->targets + plan->past + plan->future + plan->statics;
    raw->celled = plan->layout == NORN_LAYOUT_COLUMNS ? raw->kept : raw->kept - plan->statics;
    raw->table = norn_table_new(plan->targets, plan->past, plan->future, plan->statics, &raw->host);
    raw->columns = norn_new(&raw->host, raw->kept, sizeof *raw->columns);
    raw->words = norn_new(&raw->host, raw->kept, sizeof *raw->words);
    if (!raw->table || !raw->columns || !raw->words) return norn_fail_memory(raw->err, "the table");
    raw->table->notes = *notes; /* the table owns their texts from here */
    notes->count = 0;
    for (size_t k = 0; k < raw->kept; k++) {
        const bool all = k == 0 && plan->layout != NORN_LAYOUT_COLUMNS; /* the values of a line */
        const char *name = all ? "value" : plan->column[plan->values[k]].name;
        raw->words[k].host = raw->host;
        raw->table->names[k] = norn_text_copy(&raw->host, name, strlen(name));
        if (!raw->table->names[k]) return norn_fail_memory(raw->err, "the table");
    }
    const char *time = plan->time_columns == 1 ? plan->column[plan->time[0]].name
                       : plan->time_columns    ? "ds"
                                               : "";
    raw->table->time_name = norn_text_copy(&raw->host, time, strlen(time));
    const char *id = plan->id != NORN_NO_COLUMN ? plan->column[plan->id].name : NULL;
    if (id) raw->table->id_name = norn_text_copy(&raw->host, id, strlen(id));
    const bool named = raw->table->time_name && (!id || raw->table->id_name);
    return named ? NORN_OK : norn_fail_memory(raw->err, "the table");
}

void norn_raw_free(norn_raw *raw)
{
    const norn_host *host = &raw->host;
    for (size_t k = 0; raw->columns && k < raw->kept; k++)
        norn_delete(host, raw->columns[k].cells, raw->columns[k].capacity, sizeof(double));
    for (size_t k = 0; raw->words && k < raw->kept; k++)
        if (is_words(raw, k)) norn_groups_free(&raw->words[k]);
    norn_delete(host, raw->columns, raw->kept, sizeof *raw->columns);
    norn_delete(host, raw->words, raw->kept, sizeof *raw->words);
    norn_delete(host, raw->times, raw->times_capacity, sizeof *raw->times);
    norn_delete(host, raw->group_of, raw->group_of_capacity, sizeof *raw->group_of);
    norn_delete(host, raw->lines.runs, raw->lines.capacity, sizeof *raw->lines.runs);
    norn_delete(host, raw->lines.each, raw->lines.each_count, sizeof *raw->lines.each);
    norn_groups_free(&raw->groups);
    norn_table_free(raw->table);
}

norn_status norn_raw_reserve(norn_raw *raw, size_t more)
{
    if (raw->capacity - raw->rows >= more) return NORN_OK;
    if (raw->capacity > SIZE_MAX / 32 || more > SIZE_MAX / 32) return norn_fail_memory(raw->err, "the rows");
    size_t bigger = raw->capacity + raw->capacity / 2 + 1024;
    if (bigger - raw->rows < more) bigger = raw->rows + more;
    void *grown = raw->times;
    bool fits = norn_resize(&raw->host, &grown, raw->times_capacity, bigger, sizeof *raw->times);
    if (fits) {
        raw->times = grown;
        raw->times_capacity = bigger;
    }
    for (size_t k = 0; k < raw->celled && fits; k++) {
        grown = raw->columns[k].cells;
        fits = norn_resize(&raw->host, &grown, raw->columns[k].capacity, bigger, sizeof(double));
        if (!fits) break;
        raw->columns[k].cells = grown;
        raw->columns[k].capacity = bigger;
    }
    if (fits && raw->plan->id != NORN_NO_COLUMN && raw->plan->layout == NORN_LAYOUT_COLUMNS) {
        grown = raw->group_of;
        fits = norn_resize(&raw->host, &grown, raw->group_of_capacity, bigger, sizeof *raw->group_of);
        if (fits) {
            raw->group_of = grown;
            raw->group_of_capacity = bigger;
        }
    }
    if (!fits) return norn_fail_memory(raw->err, "the rows");
    raw->capacity = bigger;
    return NORN_OK;
}

/* ---- lines ---- */

norn_status norn_lines_add(norn_raw *raw, size_t row, uint64_t line)
{
    norn_lines *lines = &raw->lines;
    if (lines->count) {
        const norn_line_run *last = &lines->runs[lines->count - 1];
        if (!lines->flat && line - last->line == row - last->row) return NORN_OK;
    }
    if (lines->count == lines->capacity) {
        const size_t bigger = lines->capacity + lines->capacity / 2 + 16;
        void *grown = lines->runs;
        if (!norn_resize(&raw->host, &grown, lines->capacity, bigger, sizeof *lines->runs))
            return norn_fail_memory(raw->err, "the lines");
        lines->runs = grown;
        lines->capacity = bigger;
    }
    lines->runs[lines->count++] = (norn_line_run){row, line};
    return NORN_OK;
}

/* The last run that begins at or before a row. */
static const norn_line_run *run_of(const norn_lines *lines, size_t row)
{
    size_t low = 0, high = lines->count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (lines->runs[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    return low < high ? &lines->runs[low] : NULL;
}

uint64_t norn_lines_read(const norn_raw *raw, size_t row)
{
    const norn_line_run *run = run_of(&raw->lines, row);
    if (!run) return 0;
    return raw->lines.flat ? run->line : run->line + (row - run->row);
}

size_t norn_lines_first(const norn_raw *raw, size_t row)
{
    const norn_line_run *run = run_of(&raw->lines, row);
    return run ? run->row : 0;
}

uint64_t norn_lines_of(const norn_raw *raw, size_t row)
{
    return raw->lines.each ? raw->lines.each[row] : norn_lines_read(raw, row);
}

norn_status norn_lines_spread(norn_raw *raw)
{
    norn_lines *lines = &raw->lines;
    if (lines->each || raw->rows == 0) return NORN_OK;
    uint64_t *each = norn_new(&raw->host, raw->rows, sizeof *each);
    if (!each) return norn_fail_memory(raw->err, "the lines");
    for (size_t i = 0, run = 0; i < raw->rows; i++) {
        while (run + 1 < lines->count && lines->runs[run + 1].row <= i) run++;
        const norn_line_run *of = lines->count ? &lines->runs[run] : NULL;
        each[i] = !of ? 0 : lines->flat ? of->line : of->line + (i - of->row);
    }
    lines->each = each;
    lines->each_count = raw->rows;
    return NORN_OK;
}

/* ---- problems ---- */

static norn_status report(norn_raw *raw, const norn_error *defect, const char *name, const char *text)
{
    char shown[NORN_SHOWN * 4];
    if (raw->problems++ == 0) *raw->first = *defect;
    if (!raw->options->on_problem) return NORN_ERR_DATA;
    const norn_problem problem = {defect->file,
                                  defect->line,
                                  defect->column,
                                  name,
                                  norn_quote(shown, sizeof shown, text, strlen(text), 200),
                                  defect->message};
    raw->options->on_problem(raw->options->user, &problem);
    return NORN_OK;
}

norn_status norn_raw_problem(norn_raw *raw, uint64_t line, size_t column, const char *text,
                             const char *format, ...)
{
    norn_error defect = NORN_ERROR_INIT;
    char message[sizeof defect.message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const bool named = column < raw->plan->columns;
    (void)norn_fail_at(&defect, NORN_ERR_DATA, raw->file, line, column == NORN_NO_COLUMN ? 0 : column + 1,
                       "%s", message);
    return report(raw, &defect, named ? raw->plan->column[column].name : "", text ? text : "");
}

norn_status norn_raw_defect(norn_raw *raw, const norn_error *defect)
{
    (void)report(raw, defect, "", "");
    return defect->status;
}

const char *norn_show(char out[NORN_SHOWN], const char *text, size_t length)
{
    return norn_quote(out, NORN_SHOWN, text, length, 40);
}

const char *norn_raw_name(const norn_raw *raw, size_t column, char out[NORN_SHOWN])
{
    const char *name = column < raw->plan->columns ? raw->plan->column[column].name : "";
    return norn_show(out, name, strlen(name));
}
