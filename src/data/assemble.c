/*
 * From the rows of a file to series in time order: rows are grouped, their times settled, turned or sorted,
 * told apart, and the places found where rows are absent. What cells are missing is missing.c's part.
 *
 * Nearly every file is in order already; then nothing is moved and nothing is allocated but a few numbers a
 * series.
 */
#include "data/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- moving rows ---- */

norn_status norn_raw_rearrange(norn_raw *raw, const size_t *source, const int64_t *times, size_t rows)
{
    const norn_host *host = &raw->host;
    norn_status status = norn_lines_spread(raw);
    int64_t *new_times = norn_new(host, rows, sizeof *new_times);
    uint64_t *each = norn_new(host, rows, sizeof *each);
    double *cells = NULL;
    if (status != NORN_OK) goto done;
    if (!new_times || !each) {
        status = norn_fail_memory(raw->err, "rows in order");
        goto done;
    }
    for (size_t i = 0; i < rows; i++) {
        new_times[i] = source[i] == SIZE_MAX ? times[i] : raw->times[source[i]];
        each[i] = source[i] == SIZE_MAX ? 0 : raw->lines.each[source[i]];
    }
    for (size_t k = 0; k < raw->celled; k++) {
        norn_column *column = &raw->columns[k];
        cells = norn_new(host, rows, sizeof *cells);
        if (!cells) {
            status = norn_fail_memory(raw->err, "rows in order");
            goto done;
        }
        for (size_t i = 0; i < rows; i++)
            cells[i] = source[i] == SIZE_MAX ? (double)NAN : column->cells[source[i]];
        norn_delete(host, column->cells, column->capacity, sizeof *cells);
        *column = (norn_column){cells, rows};
    }
    norn_delete(host, raw->times, raw->times_capacity, sizeof *raw->times);
    norn_delete(host, raw->lines.each, raw->lines.each_count, sizeof *each);
    raw->times = new_times;
    raw->times_capacity = rows;
    raw->lines.each = each;
    raw->lines.each_count = rows;
    raw->rows = raw->capacity = rows;
    return NORN_OK;
done:
    norn_delete(host, new_times, rows, sizeof *new_times);
    norn_delete(host, each, rows, sizeof *each);
    return status;
}

/* Fewer groups than there were: arrays of a group each are made anew, all or none. Their cells are in place
 * but for those of the statics, a row each. */
static norn_status set_groups(norn_raw *raw, size_t groups)
{
    norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    if (groups == t->groups || groups == 0) return NORN_OK;
    size_t *first = norn_new(host, groups + 1, sizeof *first);
    bool *ended = t->ended ? norn_new(host, groups, sizeof *ended) : NULL;
    double *fixed = t->fixed ? norn_new(host, t->statics * groups, sizeof *fixed) : NULL;
    if (!first || (t->ended && !ended) || (t->fixed && !fixed)) {
        norn_delete(host, first, groups + 1, sizeof *first);
        norn_delete(host, ended, groups, sizeof *ended);
        norn_delete(host, fixed, t->statics * groups, sizeof *fixed);
        return norn_fail_memory(raw->err, "the series");
    }
    memcpy(first, t->first, (groups + 1) * sizeof *first);
    if (ended) memcpy(ended, t->ended, groups * sizeof *ended);
    for (size_t s = 0; fixed && s < t->statics; s++)
        memcpy(fixed + s * groups, t->fixed + s * t->groups, groups * sizeof *fixed);
    norn_delete(host, t->first, t->groups + 1, sizeof *t->first);
    norn_delete(host, t->ended, t->groups, sizeof *t->ended);
    norn_delete(host, t->fixed, t->statics * t->groups, sizeof *t->fixed);
    t->first = first;
    t->ended = ended;
    t->fixed = fixed;
    t->groups = groups;
    return NORN_OK;
}

norn_status norn_raw_drop(norn_raw *raw, const bool *dropped)
{
    norn_table *t = raw->table;
    norn_status status = norn_lines_spread(raw);
    if (status != NORN_OK) return status;
    size_t kept = 0, groups = 0;
    for (size_t g = 0; g < t->groups; g++) {
        const size_t from = kept, first = t->first[g], end = t->first[g + 1];
        t->first[groups] = kept; /* groups <= g: what is overwritten was read */
        for (size_t i = first; i < end; i++) {
            if (dropped[i]) continue;
            raw->times[kept] = raw->times[i];
            raw->lines.each[kept] = raw->lines.each[i];
            for (size_t k = 0; k < raw->celled; k++) raw->columns[k].cells[kept] = raw->columns[k].cells[i];
            kept++;
        }
        if (kept == from) continue; /* a series without rows is none */
        const norn_group group = raw->groups.items[g];
        raw->groups.items[g] = raw->groups.items[groups];
        raw->groups.items[groups] = group;
        for (size_t s = 0; s < t->statics && t->fixed; s++)
            t->fixed[s * t->groups + groups] = t->fixed[s * t->groups + g];
        if (t->ended) t->ended[groups] = t->ended[g];
        groups++;
    }
    t->first[groups] = kept;
    t->facts.left_out += raw->rows - kept;
    raw->rows = kept;
    if (kept == 0)
        return norn_fail_at(raw->err, NORN_ERR_DATA, raw->file, 0, 0, "no row is left of the file");
    return set_groups(raw, groups);
}

/* ---- for others ---- */

/* Sorts source[0..n), of rows, by time; stable. scratch[n]. */
static void merge_sort(const int64_t *times, size_t *source, size_t *scratch, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            const size_t middle = from + width < n ? from + width : n,
                         end = middle + width < n ? middle + width : n;
            size_t a = from, b = middle;
            for (size_t i = from; i < end; i++)
                scratch[i] = a < middle && (b >= end || times[source[a]] <= times[source[b]]) ? source[a++]
                                                                                              : source[b++];
        }
        memcpy(source, scratch, n * sizeof *source);
    }
}

double norn_raw_mean(double sum, double scaled, size_t count)
{
    return isfinite(sum) ? sum / (double)count : scaled / (double)count / NORN_SCALED;
}

static size_t group_of(const norn_table *t, size_t row)
{
    size_t low = 0, high = t->groups;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (t->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

norn_status norn_raw_each_row(norn_raw *raw, norn_row_check check, void *user)
{
    const norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    const size_t rows = raw->rows;
    norn_status status = NORN_OK;
    size_t *order = NULL, *scratch = NULL;
    int64_t *lines = NULL;
    if (!raw->lines.each) { /* nothing was moved */
        for (size_t g = 0; g < t->groups; g++)
            for (size_t i = t->first[g]; i < t->first[g + 1] && status == NORN_OK; i++)
                status = check(raw, g, i, user);
        return status;
    }
    order = norn_new(host, rows, sizeof *order);
    scratch = norn_new(host, rows, sizeof *scratch);
    lines = norn_new(host, rows, sizeof *lines);
    if (!order || !scratch || !lines) {
        status = norn_fail_memory(raw->err, "the problems in their order");
        goto done;
    }
    for (size_t i = 0; i < rows; i++) {
        order[i] = i;
        lines[i] = raw->lines.each[i] ? (int64_t)raw->lines.each[i] : INT64_MAX;
    }
    merge_sort(lines, order, scratch, rows);
    for (size_t i = 0; i < rows && status == NORN_OK; i++)
        status = check(raw, group_of(t, order[i]), order[i], user);
done:
    norn_delete(host, order, rows, sizeof *order);
    norn_delete(host, scratch, rows, sizeof *scratch);
    norn_delete(host, lines, rows, sizeof *lines);
    return status;
}

/* ---- groups ---- */

/* Rows of a group together, in the order of the groups; within one as they stand in the file. */
static norn_status group_rows(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    t->groups = raw->groups.count;
    t->first = norn_new(host, t->groups + 1, sizeof *t->first);
    if (!t->first) return norn_fail_memory(raw->err, "the ids");
    for (size_t g = 0; g < t->groups; g++) t->first[g + 1] = t->first[g] + raw->groups.items[g].rows;
    bool together = true;
    for (size_t i = 1; raw->group_of && i < raw->rows && together; i++)
        together = raw->group_of[i - 1] <= raw->group_of[i];
    norn_status status = NORN_OK;
    if (!together) {
        size_t *next = norn_new(host, t->groups, sizeof *next);
        size_t *source = norn_new(host, raw->rows, sizeof *source);
        if (next && source) {
            memcpy(next, t->first, t->groups * sizeof *next);
            for (size_t i = 0; i < raw->rows; i++) source[next[raw->group_of[i]]++] = i;
            status = norn_raw_rearrange(raw, source, NULL, raw->rows);
        } else {
            status = norn_fail_memory(raw->err, "sorting the rows into series");
        }
        norn_delete(host, next, t->groups, sizeof *next);
        norn_delete(host, source, raw->rows, sizeof *source);
    }
    norn_delete(host, raw->group_of, raw->group_of_capacity, sizeof *raw->group_of);
    raw->group_of = NULL;
    raw->group_of_capacity = 0;
    return status;
}

/* ---- times ---- */

static size_t time_column(const norn_raw *raw)
{
    return raw->plan->time_columns ? raw->plan->time[0] : NORN_NO_COLUMN;
}

static norn_status settle_order(norn_raw *raw)
{
    norn_table *t = raw->table;
    norn_error defect = NORN_ERROR_INIT;
    size_t bad = SIZE_MAX;
    const bool open = t->style.order == NORN_ORDER_OPEN;
    const norn_status status = norn_time_settle_order(&t->style, &raw->seen, raw->times, raw->rows, t->first,
                                                      t->groups, &bad, &defect);
    if (status == NORN_ERR_DATA)
        (void)norn_raw_problem(raw, bad == SIZE_MAX ? 0 : norn_lines_read(raw, bad), time_column(raw), "",
                               "%s", defect.message);
    else if (status != NORN_OK && raw->err && raw->err->status == NORN_OK)
        *raw->err = defect;
    if (status != NORN_OK) return status;
    if (!open || raw->options->time_format) return NORN_OK;
    const bool month_first = t->style.order == NORN_ORDER_MDY;
    const bool figures = raw->seen.first_over_12 || raw->seen.second_over_12;
    const norn_status noted = norn_notes_add(
        &t->notes, &raw->host, raw->err, "dates", "--time-format", "%s before %s, as the %s tell%s",
        month_first ? "month" : "day", month_first ? "day" : "month",
        figures ? "figures of the column" : "order of the rows", figures ? "" : "s");
    return noted == NORN_OK ? norn_notes_value(&t->notes, &raw->host, raw->err, month_first ? "mdy" : "dmy")
                            : noted;
}

/* From the clock on the wall to UTC; rows without a moment are dropped. */
static norn_status settle_zone(norn_raw *raw)
{
    norn_table *t = raw->table;
    uint64_t left_out = 0, shifted = 0;
    char count[NORN_COUNT_TEXT];
    norn_status status = NORN_OK;
    for (size_t g = 0; g < t->groups && status == NORN_OK; g++) {
        norn_error defect = NORN_ERROR_INIT;
        size_t bad = 0;
        status = norn_time_settle_zone(&t->style, raw->options->ambiguous, raw->options->nonexistent,
                                       raw->times + t->first[g], t->first[g + 1] - t->first[g], &left_out,
                                       &shifted, &bad, &defect);
        if (status == NORN_ERR_DATA)
            (void)norn_raw_problem(raw, norn_lines_of(raw, t->first[g] + bad), time_column(raw), "", "%s",
                                   defect.message);
        else if (status != NORN_OK && raw->err && raw->err->status == NORN_OK)
            *raw->err = defect;
    }
    if (status == NORN_OK && shifted)
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "zone", "--nonexistent",
                                "%s time%s that the clock never showed moved",
                                norn_count_text(shifted, count), shifted == 1 ? "" : "s");
    if (status != NORN_OK || left_out == 0) return status;
    bool *dropped = norn_new(&raw->host, raw->rows, sizeof *dropped);
    const size_t rows = raw->rows;
    if (!dropped) return norn_fail_memory(raw->err, "the rows");
    for (size_t i = 0; i < rows; i++) dropped[i] = raw->times[i] == INT64_MIN;
    status = norn_raw_drop(raw, dropped);
    norn_delete(&raw->host, dropped, rows, sizeof *dropped);
    if (status == NORN_OK)
        status =
            norn_notes_add(&t->notes, &raw->host, raw->err, "zone",
                           raw->options->ambiguous == NORN_AMBIGUOUS_NAT ? "--ambiguous" : "--nonexistent",
                           "%s row%s without a moment of its own left out", norn_count_text(left_out, count),
                           left_out == 1 ? "" : "s");
    return status;
}

/* ---- the order of rows ---- */

typedef struct order {
    uint64_t up, down, same;
} order;

static order look_at_order(const norn_raw *raw)
{
    order o = {0, 0, 0};
    const norn_table *t = raw->table;
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g] + 1; i < t->first[g + 1]; i++) {
            o.up += raw->times[i] > raw->times[i - 1] ? 1 : 0;
            o.down += raw->times[i] < raw->times[i - 1] ? 1 : 0;
            o.same += raw->times[i] == raw->times[i - 1] ? 1 : 0;
        }
    return o;
}

/* Rows of one time stay as they stand in the file: of them the first is the first there. */
static void keep_order_of_equals(const int64_t *times, size_t *source, size_t n)
{
    for (size_t from = 0, end; from < n; from = end) {
        end = from + 1;
        while (end < n && times[source[end]] == times[source[from]]) end++;
        for (size_t a = from, b = end - 1; a < b; a++, b--) {
            const size_t row = source[a];
            source[a] = source[b];
            source[b] = row;
        }
    }
}

static norn_status sort_rows(norn_raw *raw, bool turn)
{
    norn_table *t = raw->table;
    const size_t rows = raw->rows;
    size_t *source = norn_new(&raw->host, rows, sizeof *source),
           *scratch = norn_new(&raw->host, rows, sizeof *scratch);
    norn_status status = NORN_OK;
    if (!source || !scratch) {
        status = norn_fail_memory(raw->err, "sorting the rows");
        goto done;
    }
    for (size_t g = 0; g < t->groups; g++) {
        const size_t first = t->first[g], n = t->first[g + 1] - first;
        for (size_t i = 0; i < n; i++) source[first + i] = turn ? first + n - 1 - i : first + i;
        if (turn)
            keep_order_of_equals(raw->times, source + first, n);
        else
            merge_sort(raw->times, source + first, scratch, n);
    }
    status = norn_raw_rearrange(raw, source, NULL, rows);
done:
    norn_delete(&raw->host, source, rows, sizeof *source);
    norn_delete(&raw->host, scratch, rows, sizeof *scratch);
    return status;
}

/* " of series "A"" in a file with ids. */
static const char *of_series(const norn_raw *raw, size_t group, char out[NORN_SHOWN + 32])
{
    const norn_group *g = &raw->groups.items[group];
    char id[NORN_SHOWN];
    out[0] = '\0';
    if (raw->plan->id != NORN_NO_COLUMN)
        (void)snprintf(out, NORN_SHOWN + 32, " of series \"%s\"", norn_show(id, g->id, g->id_length));
    return out;
}

/* What may lie behind rows that are not in order. */
static const char *order_hint(const norn_raw *raw, size_t group)
{
    const norn_table *t = raw->table;
    const norn_plan *plan = raw->plan;
    if (!t->style.zone && norn_looks_like_clock_change(&t->style, raw->times + t->first[group],
                                                       t->first[group + 1] - t->first[group]))
        return "; this looks like a clock set forward and back: say where it hangs, as in --tz "
               "Europe/Amsterdam";
    if (plan->id != NORN_NO_COLUMN) return "";
    if (plan->style.form == NORN_FORM_INTEGER && !raw->options->time)
        return "; if the column holds no times, number the rows with --time ''";
    return "; if the file holds several series, name the column that tells them apart with --id";
}

/* What rows that are out of place share. */
typedef struct teller {
    const char *hint; /* of the first series in which one is; NULL: none yet */
} teller;

static const char *hint_once(teller *tell, const norn_raw *raw, size_t group)
{
    if (!tell->hint) tell->hint = order_hint(raw, group);
    return tell->hint;
}

static norn_status say_if_before(norn_raw *raw, size_t g, size_t i, void *user)
{
    const norn_table *t = raw->table;
    char name[NORN_SHOWN], series[NORN_SHOWN + 32], time[NORN_TIME_TEXT];
    if (i == t->first[g] || raw->times[i] >= raw->times[i - 1]) return NORN_OK;
    return norn_raw_problem(raw, norn_lines_of(raw, i), time_column(raw),
                            norn_time_write(&t->style, raw->times[i], time),
                            "column \"%s\": the time \"%s\"%s is before the row above it, at line %llu "
                            "(--on-unsorted sort puts the "
                            "rows in order%s)",
                            norn_raw_name(raw, time_column(raw), name), time, of_series(raw, g, series),
                            (unsigned long long)norn_lines_of(raw, i - 1), hint_once(user, raw, g));
}

/* All of a kind, in the order of the file. */
static norn_status say_each(norn_raw *raw, norn_row_check say)
{
    teller tell = {NULL};
    const norn_status status = norn_raw_each_row(raw, say, &tell);
    return status == NORN_OK ? NORN_ERR_DATA : status;
}

static norn_status put_in_order(norn_raw *raw)
{
    norn_table *t = raw->table;
    const order o = look_at_order(raw);
    if (o.down == 0) return NORN_OK;
    const bool turn = o.up == 0;
    if (!turn && raw->options->on_unsorted != NORN_UNSORTED_SORT) return say_each(raw, say_if_before);
    const norn_status status = sort_rows(raw, turn);
    if (status != NORN_OK) return status;
    t->facts.turned = turn;
    t->facts.sorted = !turn;
    char count[NORN_COUNT_TEXT];
    if (turn)
        return norn_notes_add(&t->notes, &raw->host, raw->err, "order", "",
                              "the file runs from newest to oldest: turned");
    return norn_notes_add(&t->notes, &raw->host, raw->err, "order", "--on-unsorted",
                          "rows sorted by time; %s stood before the row above",
                          norn_count_text(o.down, count));
}

/* ---- duplicates ---- */

static norn_status say_if_same(norn_raw *raw, size_t g, size_t i, void *user)
{
    const norn_table *t = raw->table;
    char name[NORN_SHOWN], series[NORN_SHOWN + 32], time[NORN_TIME_TEXT];
    if (i == t->first[g] || raw->times[i] != raw->times[i - 1]) return NORN_OK;
    return norn_raw_problem(raw, norn_lines_of(raw, i), time_column(raw),
                            norn_time_write(&t->style, raw->times[i], time),
                            "column \"%s\": the time \"%s\"%s stands at line %llu already (--on-duplicate "
                            "first, last or mean says "
                            "which row counts%s)",
                            norn_raw_name(raw, time_column(raw), name), time, of_series(raw, g, series),
                            (unsigned long long)norn_lines_of(raw, i - 1), hint_once(user, raw, g));
}

/* Rows from..end have one time: the row that stays gets their mean, missing cells left out; of words the
 * first. */
static void average(norn_raw *raw, size_t from, size_t end)
{
    for (size_t k = 0; k < raw->celled; k++) {
        double *cells = raw->columns[k].cells, sum = 0.0, scaled = 0.0;
        const bool words = raw->plan->column[raw->plan->values[k]].words;
        size_t there = 0;
        for (size_t i = from; i < end && !(words && there); i++)
            if (!isnan(cells[i])) {
                sum += cells[i];
                scaled += cells[i] * NORN_SCALED;
                there++;
            }
        cells[from] = there ? norn_raw_mean(sum, scaled, there) : (double)NAN;
    }
}

static norn_status merge_duplicates(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_on_duplicate policy = raw->options->on_duplicate;
    const size_t rows = raw->rows;
    const order o = look_at_order(raw);
    static const char *const words[] = {"", "the first", "the last", "their mean"};
    char count[NORN_COUNT_TEXT];
    t->facts.duplicates = o.same;
    if (o.same == 0) return NORN_OK;
    if (policy == NORN_DUPLICATE_ERROR) return say_each(raw, say_if_same);
    bool *dropped = norn_new(&raw->host, rows, sizeof *dropped);
    if (!dropped) return norn_fail_memory(raw->err, "the rows");
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g]; i < t->first[g + 1];) {
            size_t end = i + 1;
            while (end < t->first[g + 1] && raw->times[end] == raw->times[i]) end++;
            const size_t stays = policy == NORN_DUPLICATE_LAST ? end - 1 : i;
            if (policy == NORN_DUPLICATE_MEAN && end - i > 1) average(raw, i, end);
            for (; i < end; i++) dropped[i] = i != stays;
        }
    norn_status status = norn_raw_drop(raw, dropped);
    norn_delete(&raw->host, dropped, rows, sizeof *dropped);
    if (status == NORN_OK)
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "duplicates", "--on-duplicate",
                                "%s row%s with a time that was there already: of each time %s counts",
                                norn_count_text(o.same, count), o.same == 1 ? "" : "s", words[policy]);
    return status;
}

/* ---- step and gaps ---- */

static norn_status find_step(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_plan *plan = raw->plan;
    uint64_t regular = 0, total = 0;
    norn_step_finder *finder = norn_step_finder_new(&t->style, &raw->host);
    if (!finder) return norn_fail_memory(raw->err, "the step");
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g] + 1; i < t->first[g + 1]; i++)
            norn_step_finder_add(finder, raw->times[i - 1], raw->times[i]);
    t->step = norn_step_find(finder, &regular, &total);
    norn_step_finder_free(finder);
    if (plan->has_step) {
        const bool integers = t->style.form == NORN_FORM_INTEGER || t->style.form == NORN_FORM_NONE;
        if (integers != (plan->step.unit == NORN_STEP_INTEGER) && plan->layout == NORN_LAYOUT_COLUMNS)
            return norn_fail_at(
                raw->err, NORN_ERR_USAGE, raw->file, 0, 0,
                integers ? "--frequency: the times are whole numbers, and so is their step"
                         : "--frequency: the times are dates: a step is \"1 hour\", \"month\", ...");
        if (integers == (plan->step.unit == NORN_STEP_INTEGER)) t->step = plan->step;
    }
    return NORN_OK;
}

static void count_gaps(norn_raw *raw)
{
    norn_table *t = raw->table;
    norn_table_facts *f = &t->facts;
    f->steps = f->regular = f->gaps = f->absent = f->longest_gap = 0;
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g] + 1; i < t->first[g + 1]; i++) {
            const int64_t before = raw->times[i - 1], after = raw->times[i];
            f->steps++;
            if (norn_step_is_regular(&t->style, t->step, before, after)) {
                f->regular++;
                continue;
            }
            const uint64_t absent = norn_step_absent(&t->style, t->step, before, after);
            if (absent == 0) continue;
            f->gaps++;
            f->absent += absent;
            if (absent > f->longest_gap) f->longest_gap = absent;
        }
}

static norn_status note_step(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_table_facts *f = &t->facts;
    char step[48], regular[NORN_COUNT_TEXT], total[NORN_COUNT_TEXT], gaps[NORN_COUNT_TEXT],
        absent[NORN_COUNT_TEXT], longest[NORN_COUNT_TEXT];
    if (raw->plan->time_columns == 0 && !raw->plan->header_times) return NORN_OK;
    (void)norn_step_text(t->step, step, sizeof step);
    norn_status status = NORN_OK;
    if (!raw->plan->has_step) {
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "step", "--frequency", "%s (%s of %s steps)",
                                step, norn_count_text(f->regular, regular), norn_count_text(f->steps, total));
        if (status == NORN_OK) status = norn_notes_value(&t->notes, &raw->host, raw->err, step);
    }
    if (status != NORN_OK || f->gaps == 0) return status;
    const bool holidays = t->step.unit == NORN_STEP_BUSINESS_DAYS;
    return norn_notes_add(&t->notes, &raw->host, raw->err, "gaps", "--on-gap",
                          holidays ? "%s, %s business day%s without a row (holidays?), at most %s in a row"
                                   : "%s, %s row%s absent, at most %s in a row",
                          norn_count_text(f->gaps, gaps), norn_count_text(f->absent, absent),
                          f->absent == 1 ? "" : "s", norn_count_text(f->longest_gap, longest));
}

static norn_status say_if_gap(norn_raw *raw, size_t g, size_t i, void *user)
{
    const norn_table *t = raw->table;
    char from[NORN_TIME_TEXT], to[NORN_TIME_TEXT], series[NORN_SHOWN + 32], count[NORN_COUNT_TEXT];
    (void)user;
    if (i == t->first[g]) return NORN_OK;
    const uint64_t absent = norn_step_absent(&t->style, t->step, raw->times[i - 1], raw->times[i]);
    if (absent == 0) return NORN_OK;
    return norn_raw_problem(
        raw, norn_lines_of(raw, i), time_column(raw), norn_time_write(&t->style, raw->times[i], to),
        "%s row%s%s absent between %s and %s (--on-gap keep, fill or split says what to do)",
        norn_count_text(absent, count), absent == 1 ? "" : "s", of_series(raw, g, series),
        norn_time_write(&t->style, raw->times[i - 1], from), to);
}

static norn_status fill_gaps(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    const uint64_t absent = t->facts.absent, most = 10 * (uint64_t)raw->rows + 1000000;
    char count[NORN_COUNT_TEXT], step[48];
    if (absent > most)
        return norn_fail_at(
            raw->err, NORN_ERR_USAGE, raw->file, 0, 0,
            "--on-gap fill: %s rows at a step of %s would be added, more than ten times those that are there "
            "(--frequency says another step)",
            norn_count_text(absent, count), norn_step_text(t->step, step, sizeof step));
    const size_t rows = raw->rows + (size_t)absent;
    size_t *source = norn_new(host, rows, sizeof *source),
           *first = norn_new(host, t->groups + 1, sizeof *first);
    int64_t *times = norn_new(host, rows, sizeof *times);
    norn_status status = NORN_OK;
    if (!source || !first || !times) {
        status = norn_fail_memory(raw->err, "rows for the gaps");
        goto done;
    }
    size_t n = 0;
    for (size_t g = 0; g < t->groups; g++) {
        first[g] = n;
        for (size_t i = t->first[g]; i < t->first[g + 1]; i++) {
            if (i > t->first[g]) {
                const uint64_t missing =
                    norn_step_absent(&t->style, t->step, raw->times[i - 1], raw->times[i]);
                for (uint64_t a = 1; a <= missing; a++, n++) {
                    source[n] = SIZE_MAX;
                    times[n] = norn_time_ahead(&t->style, t->step, raw->times + t->first[g], i - t->first[g],
                                               (size_t)a);
                }
            }
            source[n++] = i;
        }
    }
    first[t->groups] = n;
    status = norn_raw_rearrange(raw, source, times, rows);
    if (status == NORN_OK) {
        memcpy(t->first, first, (t->groups + 1) * sizeof *first);
        t->facts.added = absent;
        status = norn_notes_add(&t->notes, host, raw->err, "gaps", "--on-gap",
                                "%s row%s added where they were absent, their cells missing",
                                norn_count_text(absent, count), absent == 1 ? "" : "s");
    }
done:
    norn_delete(host, source, rows, sizeof *source);
    norn_delete(host, first, t->groups + 1, sizeof *first);
    norn_delete(host, times, rows, sizeof *times);
    return status;
}

/* Each gap begins a group; the pieces before the last are called ID#1, ID#2, ... and do not go on. */
static norn_status split_at_gaps(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    const size_t groups = t->groups + (size_t)t->facts.gaps;
    size_t *first = norn_new(host, groups + 1, sizeof *first);
    bool *ended = norn_new(host, groups, sizeof *ended);
    double *fixed = t->fixed ? norn_new(host, t->statics * groups, sizeof *fixed) : NULL;
    norn_groups pieces;
    memset(&pieces, 0, sizeof pieces);
    pieces.host = *host;
    norn_status status = NORN_OK;
    size_t n = 0;
    if (!first || !ended || (t->fixed && !fixed)) {
        status = norn_fail_memory(raw->err, "the pieces");
        goto done;
    }
    for (size_t g = 0; g < t->groups && status == NORN_OK; g++) {
        const norn_group *whole = &raw->groups.items[g];
        size_t piece = 0;
        for (size_t i = t->first[g]; i < t->first[g + 1] && status == NORN_OK;) {
            size_t end = i + 1, known;
            while (end < t->first[g + 1] &&
                   norn_step_absent(&t->style, t->step, raw->times[end - 1], raw->times[end]) == 0)
                end++;
            const bool last = end == t->first[g + 1];
            char number[32];
            const size_t suffix = last ? 0 : (size_t)snprintf(number, sizeof number, "#%zu", ++piece);
            char *id = norn_new(host, whole->id_length + suffix + 1, 1);
            if (!id) {
                status = norn_fail_memory(raw->err, "the pieces");
                break;
            }
            memcpy(id, whole->id, whole->id_length);
            memcpy(id + whole->id_length, number, suffix);
            const size_t before = pieces.count;
            status = norn_groups_find(&pieces, id, whole->id_length + suffix, &known, raw->err);
            norn_delete(host, id, whole->id_length + suffix + 1, 1);
            if (status == NORN_OK && pieces.count == before)
                status = norn_fail_at(raw->err, NORN_ERR_DATA, raw->file, 0, 0,
                                      "--on-gap split: a series is called like a piece of another");
            first[n] = i;
            ended[n] = !last;
            for (size_t s = 0; s < t->statics && fixed; s++)
                fixed[s * groups + n] = t->fixed[s * t->groups + g];
            n++;
            i = end;
        }
    }
    if (status != NORN_OK) goto done;
    first[groups] = raw->rows;
    char count[NORN_COUNT_TEXT];
    const uint64_t gaps = t->facts.gaps;
    norn_delete(host, t->first, t->groups + 1, sizeof *t->first);
    norn_delete(host, t->fixed, t->statics * t->groups, sizeof *fixed);
    norn_groups_free(&raw->groups);
    raw->groups = pieces;
    t->first = first;
    t->fixed = fixed;
    t->ended = ended;
    t->groups = groups;
    return norn_notes_add(&t->notes, host, raw->err, "gaps", "--on-gap",
                          "series split at %s gap%s: pieces before the last serve for training only",
                          norn_count_text(gaps, count), gaps == 1 ? "" : "s");
done:
    norn_delete(host, first, groups + 1, sizeof *first);
    norn_delete(host, ended, groups, sizeof *ended);
    norn_delete(host, fixed, t->statics * groups, sizeof *fixed);
    norn_groups_free(&pieces);
    return status;
}

static norn_status mend_gaps(norn_raw *raw)
{
    const norn_table_facts *f = &raw->table->facts;
    if (f->gaps == 0) return NORN_OK;
    switch (raw->options->on_gap) {
    case NORN_GAP_ERROR:
        return say_each(raw, say_if_gap);
    case NORN_GAP_FILL:
        return fill_gaps(raw);
    case NORN_GAP_SPLIT:
        return split_at_gaps(raw);
    case NORN_GAP_KEEP:
        break;
    }
    return NORN_OK;
}

/* ---- the whole ---- */

static norn_status note_rows(norn_raw *raw)
{
    norn_table *t = raw->table;
    char rows[NORN_COUNT_TEXT], series[NORN_COUNT_TEXT], least[NORN_COUNT_TEXT], most[NORN_COUNT_TEXT];
    char from[NORN_TIME_TEXT], to[NORN_TIME_TEXT];
    (void)norn_count_text(raw->rows, rows);
    if (t->groups == 1)
        return norn_notes_add(&t->notes, &raw->host, raw->err, "rows", "", "%s row%s, %s to %s", rows,
                              raw->rows == 1 ? "" : "s", norn_time_write(&t->style, raw->times[0], from),
                              norn_time_write(&t->style, raw->times[raw->rows - 1], to));
    size_t shortest = SIZE_MAX, longest = 0;
    for (size_t g = 0; g < t->groups; g++) {
        const size_t n = t->first[g + 1] - t->first[g];
        if (n < shortest) shortest = n;
        if (n > longest) longest = n;
    }
    (void)norn_count_text(t->groups, series);
    (void)norn_count_text(shortest, least);
    (void)norn_count_text(longest, most);
    if (shortest == longest)
        return norn_notes_add(&t->notes, &raw->host, raw->err, "rows", "",
                              "%s rows in %s series of %s rows each", rows, series, most);
    return norn_notes_add(&t->notes, &raw->host, raw->err, "rows", "",
                          "%s rows in %s series of %s to %s rows", rows, series, least, most);
}

/* Rows that are numbered, within each series. */
static void number_rows(norn_raw *raw)
{
    const norn_table *t = raw->table;
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g]; i < t->first[g + 1]; i++) raw->times[i] = (int64_t)(i - t->first[g]) + 1;
}

/* Times that no cell says but a start and a step are printed as fine as these. */
static void choose_style(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_plan *plan = raw->plan;
    if (plan->layout != NORN_LAYOUT_COLUMNS && plan->time_columns)
        t->style = raw->clock_starts ? norn_time_style_iso(NORN_FORM_CLOCK, 0) : norn_step_style(plan->step);
    if (plan->time_columns == 0 && !plan->header_times) t->style.form = NORN_FORM_INTEGER;
}

norn_status norn_assemble(norn_raw *raw)
{
    norn_table *t = raw->table;
    if (raw->rows == 0) return norn_fail_at(raw->err, NORN_ERR_DATA, raw->file, 0, 0, "the file has no rows");
    t->style = raw->plan->style;
    choose_style(raw);
    const bool numbered = raw->plan->layout == NORN_LAYOUT_COLUMNS && raw->plan->time_columns == 0;
    norn_status status = group_rows(raw);
    if (status == NORN_OK && numbered) number_rows(raw);
    if (status == NORN_OK) status = settle_order(raw);
    if (status == NORN_OK) status = settle_zone(raw);
    if (status == NORN_OK) status = put_in_order(raw);
    if (status == NORN_OK) status = merge_duplicates(raw);
    if (status == NORN_OK) status = find_step(raw);
    if (status == NORN_OK) count_gaps(raw);
    if (status == NORN_OK) status = note_step(raw);
    if (status == NORN_OK) status = note_rows(raw);
    if (status == NORN_OK) status = mend_gaps(raw);
    if (status == NORN_OK) status = norn_raw_complete(raw);
    if (status == NORN_OK) status = norn_raw_encode(raw);
    if (status == NORN_OK && raw->problems) status = NORN_ERR_DATA;
    return status;
}
