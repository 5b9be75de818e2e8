/*
 * `norn inspect --json`: everything that was found, as one object. Keys stay; new ones may be added. Counts
 * are integers, numbers have all their digits, and what there is none of is null.
 */
#include "cli/inspect.h"

#include "base/base.h"
#include "data/step.h"

#include <stdlib.h>
#include <string.h>

static void set_text(json_t *to, const char *key, const char *text)
{
    json_object_set_new(to, key, text ? cli_json_text(text) : json_null());
}

static void set_count(json_t *to, const char *key, uint64_t count)
{
    json_object_set_new(to, key, json_integer((json_int_t)count));
}

static void set_real(json_t *to, const char *key, double value)
{
    json_object_set_new(to, key, cli_json_real(value));
}

static void set_bool(json_t *to, const char *key, int value)
{
    json_object_set_new(to, key, json_boolean(value));
}

static void set_character(json_t *to, const char *key, char character)
{
    const char text[2] = {character, '\0'};
    set_text(to, key, character ? text : NULL);
}

static json_t *file_json(const inspection *found)
{
    const norn_table_facts *facts = found->facts;
    json_t *file = json_object();
    set_text(file, "name", strcmp(found->input, "-") == 0 ? "stdin" : found->input);
    set_count(file, "bytes", facts->bytes);
    set_bool(file, "compressed", facts->compressed);
    set_text(file, "encoding", facts->encoding);
    set_text(file, "newline", facts->newline);
    set_text(file, "layout", inspect_layouts[facts->layout]);
    set_bool(file, "header", facts->header);
    set_character(file, "delimiter", facts->delimiter);
    set_character(file, "decimal", facts->decimal);
    return file;
}

static json_t *rows_json(const norn_table_facts *facts)
{
    json_t *rows = json_object();
    set_count(rows, "records", facts->records);
    set_count(rows, "blank", facts->blank);
    set_count(rows, "comments", facts->comments);
    set_count(rows, "ragged", facts->ragged);
    set_count(rows, "left_out", facts->left_out);
    set_count(rows, "added", facts->added);
    set_count(rows, "duplicates", facts->duplicates);
    set_bool(rows, "turned", facts->turned);
    set_bool(rows, "sorted", facts->sorted);
    return rows;
}

static void set_time(json_t *to, const char *key, const norn_table *table, int64_t time)
{
    char text[NORN_TIME_TEXT];
    set_text(to, key, norn_table_time_text(table, time, text));
}

static json_t *time_json(const inspection *found)
{
    const norn_table *table = found->table;
    const norn_table_facts *facts = found->facts;
    const char *name = norn_table_time_name(table);
    json_t *time = json_object();
    int64_t first = 0, last = 0;
    inspect_span(table, &first, &last);
    set_text(time, "name", name[0] ? name : NULL);
    set_time(time, "first", table, first);
    set_time(time, "last", table, last);

    char text[96];
    json_t *step = json_object();
    set_text(step, "text", norn_step_text(norn_table_step(table), text, sizeof text));
    set_count(step, "steps", facts->steps);
    set_count(step, "regular", facts->regular);
    json_object_set_new(time, "step", step);

    json_t *gaps = json_object();
    set_count(gaps, "places", facts->gaps);
    set_count(gaps, "rows", facts->absent);
    set_count(gaps, "longest", facts->longest_gap);
    json_object_set_new(time, "gaps", gaps);
    set_count(time, "season_suggested", norn_table_season(table));
    return time;
}

static json_t *missing_json(const norn_table_facts *facts)
{
    json_t *missing = json_object();
    set_count(missing, "targets", facts->missing);
    set_count(missing, "inputs", facts->missing_inputs);
    set_count(missing, "filled", facts->filled);
    set_count(missing, "longest_filled", facts->longest_filled);
    return missing;
}

static json_t *columns_json(const inspection *found)
{
    json_t *array = json_array();
    for (size_t i = 0; i < norn_table_column_count(found->table); i++) {
        const norn_column_facts *column = norn_table_column(found->table, i);
        const norn_column_role role = inspect_role(found, column);
        json_t *each = json_object();
        set_text(each, "name", column->name);
        set_text(each, "role", inspect_roles[role]);
        set_text(each, "could_be", role != column->role ? inspect_roles[column->role] : NULL);
        set_text(each, "type", inspect_types[column->type]);
        set_count(each, "cells", column->cells);
        set_count(each, "missing", column->missing);
        set_real(each, "least", column->least);
        set_real(each, "most", column->most);
        set_real(each, "mean", column->mean);
        set_real(each, "sum", column->sum);
        set_bool(each, "constant", column->constant);
        json_object_set_new(each, "distinct",
                            column->distinct ? json_integer((json_int_t)column->distinct) : json_null());
        set_text(each, "first", column->first);
        json_array_append_new(array, each);
    }
    return array;
}

static json_t *series_json(const inspection *found)
{
    const norn_table *table = found->table;
    json_t *array = json_array();
    for (size_t i = 0; i < found->shown; i++) {
        const size_t s = found->first + i, rows = norn_table_rows(table, s);
        const int64_t *times = norn_table_times(table, s);
        json_t *each = json_object();
        set_text(each, "unique_id", norn_table_id(table, s));
        set_text(each, "target", norn_table_target_name(table, s));
        set_count(each, "rows", rows);
        set_count(each, "ahead", norn_table_ahead(table, s));
        set_time(each, "first", table, times[0]);
        set_time(each, "last", table, times[rows - 1]);
        set_count(each, "missing", inspect_missing(table, s));
        set_count(each, "season", found->seasons[i].rows);
        set_real(each, "season_strength", found->seasons[i].strength);
        json_array_append_new(array, each);
    }
    return array;
}

static json_t *decisions_json(const norn_table *table)
{
    size_t count = 0;
    const norn_decision *decisions = norn_table_decisions(table, &count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *each = json_object();
        set_text(each, "what", decisions[i].what);
        set_text(each, "text", decisions[i].text);
        set_text(each, "flag", decisions[i].flag);
        set_text(each, "value", decisions[i].value);
        json_array_append_new(array, each);
    }
    return array;
}

void inspect_json(const inspection *found, cli_text *out)
{
    json_t *root = json_object();
    char *command = strdup(found->command.bytes);
    for (char *at = command; at && *at; at++)
        if (*at == '\n') *at = ' ';
    set_text(root, "norn", norn_version());
    json_object_set_new(root, "file", file_json(found));
    json_object_set_new(root, "rows", rows_json(found->facts));
    json_object_set_new(root, "time", time_json(found));
    json_object_set_new(root, "missing", missing_json(found->facts));
    json_object_set_new(root, "columns", columns_json(found));
    set_text(root, "past_refused", found->refused ? found->refused->message : NULL);
    set_count(root, "series_count", norn_table_series_count(found->table));
    json_object_set_new(root, "series", series_json(found));
    json_object_set_new(root, "decisions", decisions_json(found->table));
    set_text(root, "command", command);
    out->failed |= !command;
    free(command);
    cli_text_put_json(out, root, 0);
}
