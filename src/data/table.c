/*
 * The table as an object: making an empty one, freeing it, and the getters of norn/table.h.
 */
#include "data/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- decisions ---- */

norn_status norn_notes_add(norn_notes *notes, const norn_host *host, norn_error *err, const char *what,
                           const char *flag, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) return norn_fail(err, NORN_ERR_INTERNAL, "decisions");
    if (notes->count == NORN_TABLE_DECISIONS) return NORN_OK;
    if (notes->count == NORN_TABLE_DECISIONS - 1) { /* a file of a hundred columns of words */
        what = "more";
        flag = "";
        (void)snprintf(text, sizeof text, "what else was decided is not listed");
    }
    char *copy = norn_text_copy(host, text, strlen(text));
    if (!copy) return norn_fail_memory(err, "the decisions");
    notes->items[notes->count++] = (norn_decision){what, copy, flag, NULL};
    return NORN_OK;
}

norn_status norn_notes_value(norn_notes *notes, const norn_host *host, norn_error *err, const char *value)
{
    if (notes->count == NORN_TABLE_DECISIONS) return NORN_OK; /* of one that is not listed */
    char *copy = norn_text_copy(host, value, strlen(value));
    if (!copy) return norn_fail_memory(err, "the decisions");
    notes->items[notes->count - 1].value = copy;
    return NORN_OK;
}

/* Texts are ours: const only towards the outside. */
static void delete_const(const norn_host *host, const char *text)
{
    char *own;
    memcpy(&own, &text, sizeof own);
    norn_text_delete(host, own);
}

void norn_notes_clear(norn_notes *notes, const norn_host *host)
{
    for (size_t i = 0; i < notes->count; i++) {
        delete_const(host, notes->items[i].text);
        delete_const(host, notes->items[i].value);
    }
    notes->count = 0;
}

const char *norn_count_text(uint64_t count, char out[NORN_COUNT_TEXT])
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *end = out;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return out;
}

/* ---- making and freeing ---- */

norn_table *norn_table_new(size_t targets, size_t past, size_t future, size_t statics, const norn_host *host)
{
    norn_table *table = norn_new(host, 1, sizeof *table);
    if (!table) return NULL;
    table->host = *host;
    table->targets = targets;
    table->past = past;
    table->future = future;
    table->statics = statics;
    table->values = targets + past + future;
    table->names = norn_new(host, table->values + statics, sizeof *table->names);
    table->columns = norn_new(host, table->values, sizeof *table->columns);
    if (table->names && table->columns) return table;
    norn_table_free(table);
    return NULL;
}

void norn_table_free(norn_table *table)
{
    if (!table) return;
    const norn_host host = table->host;
    const size_t values = table->values, names = values + table->statics,
                 series = table->groups * table->targets;
    for (size_t i = 0; table->columns && i < values; i++)
        norn_delete(&host, table->columns[i].cells, table->columns[i].capacity, sizeof(double));
    for (size_t i = 0; table->names && i < names; i++) norn_text_delete(&host, table->names[i]);
    for (size_t i = 0; table->ids && i < series; i++) norn_text_delete(&host, table->ids[i]);
    for (size_t i = 0; table->described && i < table->column_count; i++) {
        delete_const(&host, table->described[i].name);
        delete_const(&host, table->described[i].first);
    }
    norn_delete(&host, table->described, table->column_count, sizeof *table->described);
    norn_delete(&host, table->columns, values, sizeof *table->columns);
    norn_delete(&host, table->names, names, sizeof *table->names);
    norn_delete(&host, table->ids, series, sizeof *table->ids);
    norn_delete(&host, table->spans, series, sizeof *table->spans);
    norn_delete(&host, table->ended, table->groups, sizeof *table->ended);
    norn_delete(&host, table->fixed, table->statics * table->groups, sizeof *table->fixed);
    norn_delete(&host, table->first, table->groups + 1, sizeof *table->first);
    norn_delete(&host, table->times, table->times_capacity, sizeof *table->times);
    norn_text_delete(&host, table->time_name);
    norn_text_delete(&host, table->id_name);
    norn_zone_free(table->zone);
    norn_notes_clear(&table->notes, &host);
    norn_delete(&host, table, 1, sizeof *table);
}

static bool name_column(norn_table *table, size_t index, char prefix, size_t number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%c%zu", prefix, number);
    table->names[index] = norn_text_copy(&table->host, name, strlen(name));
    return table->names[index] != NULL;
}

/* Rows behind `rows` are missing. */
static bool copy_column(norn_table *table, size_t index, const double *cells, size_t rows)
{
    norn_column *column = &table->columns[index];
    column->cells = norn_new(&table->host, table->rows, sizeof(double));
    column->capacity = table->rows;
    if (!column->cells) return false;
    memcpy(column->cells, cells, rows * sizeof(double));
    for (size_t i = rows; i < table->rows; i++) column->cells[i] = (double)NAN;
    return true;
}

norn_rows norn_rows_of(const double *cells, size_t from, size_t end, bool ahead)
{
    size_t first = from, last = end;
    while (first < last && isnan(cells[first])) first++;
    while (last > first && isnan(cells[last - 1])) last--;
    return (norn_rows){first, last - first, ahead ? end - last : 0};
}

static norn_status check_arrays(const norn_table_arrays *a, norn_error *err)
{
    const size_t columns = a->targets + a->past + a->future;
    if (a->rows == 0 || a->targets == 0 || a->step.count < 1)
        return norn_fail(err, NORN_ERR_USAGE, "a table needs a row, a target and a step of at least 1");
    for (size_t k = 0; k < columns; k++) {
        const bool known = k >= a->targets + a->past;
        const double *cells = k < a->targets ? a->target[k]
                              : known        ? a->known[k - a->targets - a->past]
                                             : a->covariates[k - a->targets];
        size_t there = 0;
        for (size_t i = 0; i < a->rows + (known ? a->ahead : 0); i++) {
            if (isinf(cells[i]))
                return norn_fail(err, NORN_ERR_USAGE, "column %zu, row %zu is not finite", k + 1, i + 1);
            there += isnan(cells[i]) ? 0 : 1;
        }
        if (k < a->targets && there == 0)
            return norn_fail(err, NORN_ERR_USAGE, "target %zu has no value", k + 1);
    }
    for (size_t i = 1; a->times && i < a->rows + a->ahead; i++)
        if (a->times[i] <= a->times[i - 1])
            return norn_fail(err, NORN_ERR_USAGE, "time %zu does not increase", i + 1);
    return NORN_OK;
}

norn_status norn_table_from(norn_table **out, const norn_table_arrays *a, const norn_host *host,
                            norn_error *err)
{
    const norn_host copy = norn_host_copy(host);
    norn_status status = check_arrays(a, err);
    if (status != NORN_OK) return status;
    const size_t rows = a->rows + a->ahead;
    bool fits = false;
    norn_table *table = norn_table_new(a->targets, a->past, a->future, a->statics, &copy);
    if (!table) goto done;
    table->rows = rows;
    table->groups = 1;
    table->step = a->times ? a->step : (norn_step){NORN_STEP_INTEGER, 1};
    table->style = norn_step_style(table->step);
    table->first = norn_new(&copy, 2, sizeof *table->first);
    table->ids = norn_new(&copy, a->targets, sizeof *table->ids);
    table->spans = norn_new(&copy, a->targets, sizeof *table->spans);
    table->times = norn_new(&copy, rows, sizeof *table->times);
    table->times_capacity = rows;
    table->time_name = norn_text_copy(&copy, a->times ? "ds" : "", a->times ? 2 : 0);
    if (a->statics) table->fixed = norn_new(&copy, a->statics, sizeof *table->fixed);
    if (!table->first || !table->ids || !table->spans || !table->times || !table->time_name ||
        (a->statics && !table->fixed))
        goto done;
    table->first[1] = rows;
    for (size_t i = 0; i < rows; i++) table->times[i] = a->times ? a->times[i] : (int64_t)i + 1;
    for (size_t k = 0; k < a->targets; k++) {
        if (!copy_column(table, k, a->target[k], a->rows) || !name_column(table, k, 'y', k + 1)) goto done;
        table->ids[k] = norn_text_copy(&copy, table->names[k], strlen(table->names[k]));
        if (!table->ids[k]) goto done;
        table->spans[k] = norn_rows_of(table->columns[k].cells, 0, rows, a->future > 0);
    }
    for (size_t k = 0; k < a->past; k++)
        if (!copy_column(table, a->targets + k, a->covariates[k], a->rows) ||
            !name_column(table, a->targets + k, 'x', k + 1))
            goto done;
    for (size_t k = 0; k < a->future; k++)
        if (!copy_column(table, a->targets + a->past + k, a->known[k], rows) ||
            !name_column(table, a->targets + a->past + k, 'f', k + 1))
            goto done;
    for (size_t k = 0; k < a->statics; k++) {
        table->fixed[k] = a->fixed[k];
        if (!name_column(table, table->values + k, 's', k + 1)) goto done;
    }
    fits = true;
done:
    if (!fits) {
        norn_table_free(table);
        return norn_fail_memory(err, "a table");
    }
    *out = table;
    return NORN_OK;
}

norn_status norn_table_from_arrays(norn_table **out, size_t rows, size_t targets, const double *const *target,
                                   size_t past, const double *const *covariates, const int64_t *times,
                                   norn_step step, const norn_host *host, norn_error *err)
{
    for (size_t k = 0; k < targets + past; k++)
        for (size_t i = 0; i < rows; i++)
            if (!isfinite(k < targets ? target[k][i] : covariates[k - targets][i]))
                return norn_fail(err, NORN_ERR_USAGE, "column %zu, row %zu is not finite", k + 1, i + 1);
    const norn_table_arrays arrays = {.rows = rows,
                                      .targets = targets,
                                      .past = past,
                                      .target = target,
                                      .covariates = covariates,
                                      .times = times,
                                      .step = step};
    return norn_table_from(out, &arrays, host, err);
}

/* ---- getters ---- */

static size_t group_of(const norn_table *table, size_t series)
{
    return series / table->targets;
}

static double *cells_of(const norn_table *table, size_t series, size_t column)
{
    double *cells = table->columns[column].cells;
    return cells ? cells + table->spans[series].from : NULL;
}

size_t norn_table_series_count(const norn_table *table)
{
    return table->groups * table->targets;
}

size_t norn_table_rows(const norn_table *table, size_t series)
{
    return table->spans[series].count;
}

size_t norn_table_ahead(const norn_table *table, size_t series)
{
    return table->spans[series].ahead;
}

const char *norn_table_id(const norn_table *table, size_t series)
{
    return table->ids[series];
}

const int64_t *norn_table_times(const norn_table *table, size_t series)
{
    return table->times + table->spans[series].from;
}

const double *norn_table_target(const norn_table *table, size_t series)
{
    return cells_of(table, series, series % table->targets);
}

double *norn_table_target_mutable(norn_table *table, size_t series)
{
    return cells_of(table, series, series % table->targets);
}

size_t norn_table_past_count(const norn_table *table)
{
    return table->past;
}

const char *norn_table_past_name(const norn_table *table, size_t past)
{
    return table->names[table->targets + past];
}

const double *norn_table_past(const norn_table *table, size_t series, size_t past)
{
    return cells_of(table, series, table->targets + past);
}

double *norn_table_past_mutable(norn_table *table, size_t series, size_t past)
{
    return cells_of(table, series, table->targets + past);
}

size_t norn_table_future_count(const norn_table *table)
{
    return table->future;
}

const char *norn_table_future_name(const norn_table *table, size_t future)
{
    return table->names[table->targets + table->past + future];
}

const double *norn_table_future(const norn_table *table, size_t series, size_t future)
{
    return cells_of(table, series, table->targets + table->past + future);
}

double *norn_table_future_mutable(norn_table *table, size_t series, size_t future)
{
    return cells_of(table, series, table->targets + table->past + future);
}

size_t norn_table_static_count(const norn_table *table)
{
    return table->statics;
}

const char *norn_table_static_name(const norn_table *table, size_t index)
{
    return table->names[table->values + index];
}

double norn_table_static(const norn_table *table, size_t series, size_t index)
{
    return table->fixed[index * table->groups + group_of(table, series)];
}

int norn_table_goes_on(const norn_table *table, size_t series)
{
    return !(table->ended && table->ended[group_of(table, series)]);
}

const char *norn_table_target_name(const norn_table *table, size_t series)
{
    return table->names[series % table->targets];
}

const char *norn_table_time_name(const norn_table *table)
{
    return table->time_name;
}

norn_step norn_table_step(const norn_table *table)
{
    return table->step;
}

size_t norn_table_season(const norn_table *table)
{
    return norn_step_season(table->step);
}

void norn_table_drop_past(norn_table *table, size_t past)
{
    norn_column *column = &table->columns[table->targets + past];
    norn_delete(&table->host, column->cells, column->capacity, sizeof(double));
    *column = (norn_column){NULL, 0};
}

int64_t norn_table_future_time(const norn_table *table, size_t series, size_t ahead)
{
    return norn_time_ahead(&table->style, table->step, norn_table_times(table, series),
                           norn_table_rows(table, series), ahead);
}

const char *norn_table_time_text(const norn_table *table, int64_t time, char out[NORN_TIME_TEXT])
{
    return norn_time_write(&table->style, time, out);
}

const norn_decision *norn_table_decisions(const norn_table *table, size_t *count)
{
    *count = table->notes.count;
    return table->notes.items;
}

const norn_table_facts *norn_table_facts_of(const norn_table *table)
{
    return &table->facts;
}

size_t norn_table_column_count(const norn_table *table)
{
    return table->column_count;
}

const norn_column_facts *norn_table_column(const norn_table *table, size_t column)
{
    return &table->described[column];
}
