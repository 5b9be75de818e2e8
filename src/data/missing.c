/*
 * Cells that are missing: where series begin and end, the policies for what lies between, and words turned
 * into columns of 0 and 1. Then the columns are the table's.
 *
 * Filling looks at earlier rows of the same series only, so that a forecast made at a cutoff is the same
 * whatever comes after it.
 */
#include "data/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_SAID  6  /* columns that are spoken of one by one */
#define MOST_WORDS 32 /* different texts of a column that becomes inputs */

static const char *const done_words[] = {[NORN_MISSING_FFILL] = "filled with the value before",
                                         [NORN_MISSING_MEAN] = "filled with the mean of the values before",
                                         [NORN_MISSING_ZERO] = "set to 0",
                                         [NORN_MISSING_MASK] = "left to a mask"};

/* What happened to the missing cells of a column. */
typedef struct fills {
    uint64_t cells, longest; /* and the longest run of them */
    uint64_t left;           /* of them stay missing: nothing stands before them */
} fills;

/* ---- what is said ---- */

typedef struct teller {
    norn_raw *raw;
    size_t said, columns;
    fills others;
} teller;

static norn_status tell(teller *tell, size_t column, norn_on_missing policy, fills f, const char *flag)
{
    norn_raw *raw = tell->raw;
    char name[NORN_SHOWN], cells[NORN_COUNT_TEXT], run[NORN_COUNT_TEXT];
    if (f.cells == 0) return NORN_OK;
    if (tell->said == MOST_SAID) {
        tell->columns++;
        tell->others.cells += f.cells;
        if (f.longest > tell->others.longest) tell->others.longest = f.longest;
        return NORN_OK;
    }
    tell->said++;
    return norn_notes_add(&raw->table->notes, &raw->host, raw->err, "missing", flag,
                          "%s cell%s of \"%s\" %s, at most %s in a row", norn_count_text(f.cells, cells),
                          f.cells == 1 ? "" : "s", norn_raw_name(raw, raw->plan->values[column], name),
                          done_words[policy], norn_count_text(f.longest, run));
}

static norn_status tell_others(const teller *tell)
{
    norn_raw *raw = tell->raw;
    char cells[NORN_COUNT_TEXT], run[NORN_COUNT_TEXT];
    if (tell->columns == 0) return NORN_OK;
    return norn_notes_add(&raw->table->notes, &raw->host, raw->err, "missing", "",
                          "%s cells of %zu more columns likewise, at most %s in a row",
                          norn_count_text(tell->others.cells, cells), tell->columns,
                          norn_count_text(tell->others.longest, run));
}

/* The field of a value, with a line a series; NORN_NO_COLUMN: not known any more. */
static size_t field_of(const norn_raw *raw, size_t row)
{
    const norn_plan *plan = raw->plan;
    if (raw->lines.each) return NORN_NO_COLUMN;
    size_t values = row - norn_lines_first(raw, row), column = raw->lines.value_column;
    for (; values; column++) values -= column >= plan->columns || plan->column[column].value ? 1 : 0;
    while (column < plan->columns && !plan->column[column].value) column++;
    return column;
}

/* A missing cell of row `row` is an error. */
static norn_status say_missing(norn_raw *raw, size_t row, size_t kept, const char *flag, const char *where)
{
    const bool rows = raw->plan->layout != NORN_LAYOUT_COLUMNS;
    const size_t column = rows ? field_of(raw, row) : raw->plan->values[kept];
    const uint64_t line = norn_lines_of(raw, row);
    char name[NORN_SHOWN], added[NORN_TIME_TEXT + 64] = "", time[NORN_TIME_TEXT];
    if (line == 0)
        (void)snprintf(added, sizeof added, " in the row that was added for %s",
                       norn_time_write(&raw->table->style, raw->times[row], time));
    if (rows)
        return norn_raw_problem(raw, line, column, "",
                                "missing value%s%s (%s says what to do: skip, ffill, mean, zero or "
                                "mask)",
                                where, added, flag);
    return norn_raw_problem(
        raw, line, column, "",
        "column \"%s\": missing value%s%s (%s %sffill, mean, zero or mask says what to do%s%s)",
        norn_raw_name(raw, column, name), where, added, flag,
        raw->table->targets == 1 && kept == 0 ? "skip, " : "",
        raw->plan->perhaps_rows ? "; if every line is a series: --layout rows" : "",
        strstr(where, "last") && raw->plan->future == 0
            ? "; if these rows are yet to come, name what is known of them with --future"
            : "");
}

/* ---- filling ---- */

/* Fills cells[from..end). mean_of and last start over: a series sees only itself. */
static fills fill(double *cells, size_t from, size_t end, norn_on_missing policy)
{
    fills f = {0, 0, 0};
    uint64_t run = 0;
    double sum = 0.0, scaled = 0.0, last = (double)NAN;
    size_t there = 0;
    for (size_t i = from; i < end; i++) {
        if (!isnan(cells[i])) {
            run = 0;
            last = cells[i];
            sum += cells[i];
            scaled += cells[i] * NORN_SCALED;
            there++;
            continue;
        }
        f.cells++;
        if (++run > f.longest) f.longest = run;
        if (policy == NORN_MISSING_FFILL) cells[i] = last;
        if (policy == NORN_MISSING_MEAN && there) cells[i] = norn_raw_mean(sum, scaled, there);
        if (policy == NORN_MISSING_ZERO) cells[i] = 0.0;
        f.left += isnan(cells[i]) ? 1 : 0;
    }
    return f;
}

static void add(fills *all, fills f)
{
    all->cells += f.cells;
    all->left += f.left;
    if (f.longest > all->longest) all->longest = f.longest;
}

/* ---- targets ---- */

static norn_on_missing target_policy(const norn_raw *raw)
{
    const norn_on_missing told = raw->options->on_missing;
    return told == NORN_MISSING_DEFAULT ? NORN_MISSING_ERROR : told;
}

/* May a series begin late and end early without a word? Where each has a line of its own, or shares its rows
 * with others. */
static bool ends_are_free(const norn_raw *raw)
{
    return raw->table->targets > 1 || raw->plan->layout != NORN_LAYOUT_COLUMNS ||
           target_policy(raw) != NORN_MISSING_ERROR;
}

/* Where each series begins and ends. */
static norn_status find_spans(norn_raw *raw)
{
    norn_table *t = raw->table;
    const size_t series = t->groups * t->targets;
    t->spans = norn_new(&raw->host, series, sizeof *t->spans);
    if (!t->spans) return norn_fail_memory(raw->err, "the series");
    for (size_t s = 0; s < series; s++) {
        const size_t g = s / t->targets, k = s % t->targets;
        t->spans[s] =
            norn_rows_of(raw->columns[k].cells, t->first[g], t->first[g + 1], raw->plan->future > 0);
    }
    return NORN_OK;
}

/* Series without any value: an error, or left out where ids tell them apart. */
static norn_status drop_empty(norn_raw *raw)
{
    norn_table *t = raw->table;
    char name[NORN_SHOWN], id[NORN_SHOWN], count[NORN_COUNT_TEXT];
    size_t empty = 0;
    norn_status status = NORN_OK;
    for (size_t s = 0; s < t->groups * t->targets && status == NORN_OK; s++) {
        if (t->spans[s].count) continue;
        empty++;
        const norn_group *group = &raw->groups.items[s / t->targets];
        if (t->targets > 1 || t->groups == 1)
            status = norn_raw_problem(raw, 0, raw->plan->values[s % t->targets], "",
                                      "column \"%s\" has no value at all%s%s%s",
                                      norn_raw_name(raw, raw->plan->values[s % t->targets], name),
                                      group->id_length ? " in series \"" : "",
                                      group->id_length ? norn_show(id, group->id, group->id_length) : "",
                                      group->id_length ? "\""
                                      : t->targets > 1 ? " (leave it out of --target)"
                                                       : "");
        else if (target_policy(raw) == NORN_MISSING_ERROR)
            status = norn_raw_problem(raw, norn_lines_of(raw, t->first[s]), raw->plan->values[0], "",
                                      "series \"%s\" has no value at all (--on-missing skip leaves it out)",
                                      norn_show(id, group->id, group->id_length));
    }
    if (status == NORN_OK && raw->problems) status = NORN_ERR_DATA;
    if (status != NORN_OK || empty == 0) return status;
    const size_t rows = raw->rows;
    bool *dropped = norn_new(&raw->host, rows, sizeof *dropped);
    if (!dropped) return norn_fail_memory(raw->err, "the rows");
    for (size_t g = 0; g < t->groups; g++)
        for (size_t i = t->first[g]; i < t->first[g + 1]; i++) dropped[i] = t->spans[g].count == 0;
    norn_delete(&raw->host, t->spans, t->groups, sizeof *t->spans);
    t->spans = NULL;
    status = norn_raw_drop(raw, dropped);
    norn_delete(&raw->host, dropped, rows, sizeof *dropped);
    if (status == NORN_OK) status = find_spans(raw);
    if (status == NORN_OK)
        status = norn_notes_add(&t->notes, &raw->host, raw->err, "missing", "--on-missing",
                                "%s series without a value left out", norn_count_text(empty, count));
    return status;
}

/* Missing cells of a target are an error: each is said. */
static norn_status refuse_targets(norn_raw *raw, size_t g, size_t i, void *user)
{
    const norn_table *t = raw->table;
    const bool free_ends = ends_are_free(raw);
    norn_status status = NORN_OK;
    (void)user;
    for (size_t k = 0; k < t->targets && status == NORN_OK; k++) {
        const norn_rows span = t->spans[g * t->targets + k];
        const bool before = i < span.from, behind = i >= span.from + span.count;
        if (!isnan(raw->columns[k].cells[i]) || (before && free_ends) ||
            (behind && (free_ends || span.ahead)))
            continue;
        /* Rows before the first value are one problem, and so are those behind the last. */
        if ((before && i > t->first[g]) || (behind && i > span.from + span.count)) continue;
        status = say_missing(raw, i, k, "--on-missing",
                             before   ? " before the first of its series"
                             : behind ? " behind the last of its series"
                                      : "");
    }
    return status;
}

static bool misses_a_target(const norn_raw *raw)
{
    for (size_t k = 0; k < raw->table->targets; k++)
        for (size_t i = 0; i < raw->rows; i++)
            if (isnan(raw->columns[k].cells[i])) return true;
    return false;
}

static norn_status refuse_missing(norn_raw *raw)
{
    const norn_status status = misses_a_target(raw) ? norn_raw_each_row(raw, refuse_targets, NULL) : NORN_OK;
    return status == NORN_OK && raw->problems ? NORN_ERR_DATA : status;
}

/* Rows without a target are left out; those ahead of the last one stay where future covariates need them. */
static norn_status skip_missing(norn_raw *raw)
{
    norn_table *t = raw->table;
    const size_t rows = raw->rows;
    char count[NORN_COUNT_TEXT], name[NORN_SHOWN];
    if (t->targets > 1)
        return norn_fail_at(
            raw->err, NORN_ERR_USAGE, raw->file, 0, 0,
            "--on-missing skip: several targets share their rows (mask, ffill, mean and zero work)");
    bool *dropped = norn_new(&raw->host, rows, sizeof *dropped);
    if (!dropped) return norn_fail_memory(raw->err, "the rows");
    uint64_t skipped = 0;
    for (size_t g = 0; g < t->groups; g++) {
        const norn_rows span = t->spans[g];
        for (size_t i = t->first[g]; i < t->first[g + 1]; i++) {
            const bool ahead = i >= span.from + span.count && span.ahead;
            dropped[i] = !ahead && isnan(raw->columns[0].cells[i]);
            skipped += dropped[i] ? 1 : 0;
        }
    }
    norn_status status = NORN_OK;
    if (skipped) {
        norn_delete(&raw->host, t->spans, t->groups, sizeof *t->spans);
        t->spans = NULL;
        status = norn_raw_drop(raw, dropped);
        if (status == NORN_OK) status = find_spans(raw);
        t->facts.missing += skipped;
        if (status == NORN_OK)
            status = norn_notes_add(&t->notes, &raw->host, raw->err, "missing", "--on-missing",
                                    "%s row%s without \"%s\" left out", norn_count_text(skipped, count),
                                    skipped == 1 ? "" : "s", norn_raw_name(raw, raw->plan->values[0], name));
    }
    norn_delete(&raw->host, dropped, rows, sizeof *dropped);
    return status;
}

/* Series that begin later or end earlier than the rows they share. */
static norn_status note_ends(norn_raw *raw)
{
    const norn_table *t = raw->table;
    size_t late = 0, early = 0;
    for (size_t s = 0; s < t->groups * t->targets; s++) {
        const size_t g = s / t->targets;
        late += t->spans[s].from > t->first[g] ? 1 : 0;
        early += t->spans[s].from + t->spans[s].count + t->spans[s].ahead < t->first[g + 1] ? 1 : 0;
    }
    if (late + early == 0) return NORN_OK;
    return norn_notes_add(
        &raw->table->notes, &raw->host, raw->err, "missing", "",
        "%zu of %zu series begin%s later, %zu end%s earlier than the rows: nothing is made up there", late,
        t->groups * t->targets, late == 1 ? "s" : "", early, early == 1 ? "s" : "");
}

static norn_status complete_targets(norn_raw *raw, teller *t)
{
    norn_table *table = raw->table;
    norn_on_missing policy = target_policy(raw);
    norn_status status = find_spans(raw);
    if (status == NORN_OK) status = drop_empty(raw);
    if (status == NORN_OK && policy == NORN_MISSING_ERROR) status = refuse_missing(raw);
    if (status == NORN_OK && policy == NORN_MISSING_SKIP) status = skip_missing(raw);
    if (status == NORN_OK) status = note_ends(raw);
    for (size_t k = 0; k < table->targets && status == NORN_OK && policy >= NORN_MISSING_FFILL; k++) {
        fills all = {0, 0, 0};
        for (size_t s = k; s < table->groups * table->targets; s += table->targets) {
            const norn_rows span = table->spans[s];
            add(&all, fill(raw->columns[k].cells, span.from, span.from + span.count, policy));
        }
        table->facts.missing += all.cells;
        table->facts.filled += all.cells - all.left;
        if (policy != NORN_MISSING_MASK && all.longest > table->facts.longest_filled)
            table->facts.longest_filled = all.longest;
        status = tell(t, k, policy, all, "--on-missing");
    }
    return status;
}

/* ---- covariates ---- */

/* Rows of a group that some series of it sees, with those ahead for future covariates. */
static norn_rows rows_seen(const norn_table *t, size_t group, bool future)
{
    size_t from = SIZE_MAX, end = 0;
    for (size_t s = group * t->targets; s < (group + 1) * t->targets; s++) {
        const norn_rows span = t->spans[s];
        const size_t last = span.from + span.count + (future ? span.ahead : 0);
        if (span.from < from) from = span.from;
        if (last > end) end = last;
    }
    return (norn_rows){from, end - from, 0};
}

static norn_status refuse_inputs(norn_raw *raw, size_t g, size_t i, void *user)
{
    const norn_table *t = raw->table;
    norn_status status = NORN_OK;
    (void)user;
    for (size_t k = t->targets; k < t->targets + t->past + t->future && status == NORN_OK; k++) {
        if (!isnan(raw->columns[k].cells[i])) continue;
        const norn_rows seen = rows_seen(t, g, k >= t->targets + t->past);
        if (i >= seen.from && i < seen.from + seen.count)
            status = say_missing(raw, i, k, "--on-missing-input", "");
    }
    return status;
}

static norn_status complete_inputs(norn_raw *raw, teller *t)
{
    norn_table *table = raw->table;
    const norn_on_missing told = raw->options->on_missing_input;
    const norn_on_missing policy = told == NORN_MISSING_DEFAULT ? NORN_MISSING_MASK : told;
    norn_status status = NORN_OK;
    if (policy == NORN_MISSING_SKIP)
        return norn_fail_at(
            raw->err, NORN_ERR_USAGE, raw->file, 0, 0,
            "--on-missing-input: skip is not for covariates (mask, ffill, mean, zero and error are)");
    if (policy == NORN_MISSING_ERROR) {
        if (table->past + table->future) status = norn_raw_each_row(raw, refuse_inputs, NULL);
        return status == NORN_OK && raw->problems ? NORN_ERR_DATA : status;
    }
    for (size_t k = table->targets; k < table->targets + table->past + table->future && status == NORN_OK;
         k++) {
        const bool future = k >= table->targets + table->past;
        const bool words = raw->plan->column[raw->plan->values[k]].words;
        norn_on_missing mine = policy;
        if (words && (policy == NORN_MISSING_MEAN || policy == NORN_MISSING_ZERO)) mine = NORN_MISSING_MASK;
        fills all = {0, 0, 0};
        for (size_t g = 0; g < table->groups; g++) {
            const norn_rows seen = rows_seen(table, g, future);
            add(&all, fill(raw->columns[k].cells, seen.from, seen.from + seen.count, mine));
        }
        table->facts.missing_inputs += all.cells;
        table->facts.filled += all.cells - all.left;
        if (mine != NORN_MISSING_MASK && all.longest > table->facts.longest_filled)
            table->facts.longest_filled = all.longest;
        status = tell(t, k, mine, all, "--on-missing-input");
    }
    return status;
}

norn_status norn_raw_complete(norn_raw *raw)
{
    teller t = {raw, 0, 0, {0, 0, 0}};
    norn_status status = complete_targets(raw, &t);
    if (status == NORN_OK) status = complete_inputs(raw, &t);
    if (status == NORN_OK) status = tell_others(&t);
    return status;
}

/* ---- statics: one value a series ---- */

static norn_status collapse_statics(norn_raw *raw)
{
    norn_table *t = raw->table;
    char name[NORN_SHOWN], id[NORN_SHOWN];
    if (t->statics == 0 || t->fixed) return NORN_OK;
    t->fixed = norn_new(&raw->host, t->statics * t->groups, sizeof *t->fixed);
    if (!t->fixed) return norn_fail_memory(raw->err, "the static columns");
    for (size_t s = 0; s < t->statics; s++) {
        const size_t k = t->values + s, column = raw->plan->values[k];
        for (size_t g = 0; g < t->groups; g++) {
            double value = (double)NAN;
            for (size_t i = t->first[g]; i < t->first[g + 1]; i++) {
                const double cell = raw->columns[k].cells[i];
                if (isnan(cell) || cell == value) continue;
                if (isnan(value)) {
                    value = cell;
                    continue;
                }
                const norn_group *group = &raw->groups.items[g];
                return norn_raw_problem(
                           raw, norn_lines_of(raw, i), column, "",
                           "column \"%s\" changes within %s%s%s: it is not static (--past or --future)",
                           norn_raw_name(raw, column, name), group->id_length ? "series \"" : "the series",
                           norn_show(id, group->id, group->id_length),
                           group->id_length ? "\"" : "") == NORN_OK
                           ? NORN_ERR_DATA
                           : NORN_ERR_DATA;
            }
            t->fixed[s * t->groups + g] = value;
        }
    }
    return NORN_OK;
}

/* ---- words become columns of 0 and 1, and columns the table's ---- */

typedef struct columns {
    norn_column *column; /* [room] */
    char **name;         /* [room] */
    size_t count, room;
    double *fixed; /* [statics][groups] */
    size_t targets, past, future, statics;
} columns;

static norn_status check_words(norn_raw *raw, size_t k)
{
    char name[NORN_SHOWN], count[NORN_COUNT_TEXT];
    const size_t column = raw->plan->values[k];
    if (raw->words[k].count <= MOST_WORDS) return NORN_OK;
    return norn_fail_at(
        raw->err, NORN_ERR_USAGE, raw->file, 0, column + 1,
        "column \"%s\" holds %s different texts: at most %d become inputs (if they are numbers, "
        "--decimal and --thousands say how they are written)",
        norn_raw_name(raw, column, name), norn_count_text(raw->words[k].count, count), MOST_WORDS);
}

static char *word_name(const norn_raw *raw, size_t k, size_t word)
{
    const char *column = raw->table->names[k], *text = raw->words[k].items[word].id;
    const size_t length = strlen(column) + 1 + strlen(text);
    char *name = raw->host.resize(raw->host.user, NULL, 0, length + 1);
    if (name) (void)snprintf(name, length + 1, "%s=%s", column, text);
    return name;
}

/* One column of words as as many columns as it has different ones. */
static bool spread_words(norn_raw *raw, columns *to, size_t k)
{
    const norn_column *from = &raw->columns[k];
    for (size_t word = 0; word < raw->words[k].count; word++) {
        norn_column *column = &to->column[to->count];
        column->cells = raw->host.resize(raw->host.user, NULL, 0, raw->rows * sizeof(double));
        if (!column->cells) return false;
        column->capacity = raw->rows;
        for (size_t i = 0; i < raw->rows; i++)
            column->cells[i] = isnan(from->cells[i])            ? (double)NAN
                               : from->cells[i] == (double)word ? 1.0
                                                                : 0.0;
        to->name[to->count] = word_name(raw, k, word);
        if (!to->name[to->count++]) return false;
    }
    return true;
}

static bool take_column(norn_raw *raw, columns *to, size_t k)
{
    void *cells = raw->columns[k].cells;
    if (!norn_resize(&raw->host, &cells, raw->columns[k].capacity, raw->rows, sizeof(double))) return false;
    to->column[to->count] = (norn_column){cells, raw->rows};
    raw->columns[k] = (norn_column){NULL, 0};
    to->name[to->count++] = raw->table->names[k];
    raw->table->names[k] = NULL;
    return true;
}

static bool take_statics(norn_raw *raw, columns *to)
{
    norn_table *t = raw->table;
    size_t row = 0;
    for (size_t s = 0; s < t->statics; s++) {
        const size_t k = t->values + s;
        const bool words = raw->plan->column[raw->plan->values[k]].words;
        const size_t count = words ? raw->words[k].count : 1;
        for (size_t word = 0; word < count; word++, row++) {
            for (size_t g = 0; g < t->groups; g++) {
                const double value = t->fixed[s * t->groups + g];
                to->fixed[row * t->groups + g] = !words || isnan(value)  ? value
                                                 : value == (double)word ? 1.0
                                                                         : 0.0;
            }
            to->name[to->count] = words ? word_name(raw, k, word) : t->names[k];
            if (!words) t->names[k] = NULL;
            if (!to->name[to->count++]) return false;
        }
    }
    return true;
}

static norn_status take_columns(norn_raw *raw)
{
    norn_table *t = raw->table;
    const norn_host *host = &raw->host;
    columns to = {NULL, NULL, 0, 0, NULL, t->targets, 0, 0, 0};
    for (size_t k = 0; k < raw->kept; k++) {
        const size_t n = raw->plan->column[raw->plan->values[k]].words ? raw->words[k].count : 1;
        to.room += n;
        if (k >= t->targets && k < t->targets + t->past) to.past += n;
        if (k >= t->targets + t->past && k < t->values) to.future += n;
        if (k >= t->values) to.statics += n;
    }
    const size_t values = to.targets + to.past + to.future;
    to.column = norn_new(host, values, sizeof *to.column);
    to.name = norn_new(host, to.room, sizeof *to.name);
    if (to.statics) to.fixed = norn_new(host, to.statics * t->groups, sizeof *to.fixed);
    bool fits = to.column && to.name && (to.fixed || to.statics == 0);
    for (size_t k = 0; k < t->values && fits; k++)
        fits = raw->plan->column[raw->plan->values[k]].words ? spread_words(raw, &to, k)
                                                             : take_column(raw, &to, k);
    if (fits) fits = take_statics(raw, &to);
    if (!fits) {
        for (size_t i = 0; to.column && i < values; i++)
            norn_delete(host, to.column[i].cells, to.column[i].capacity, sizeof(double));
        for (size_t i = 0; to.name && i < to.count; i++) norn_text_delete(host, to.name[i]);
        norn_delete(host, to.column, values, sizeof *to.column);
        norn_delete(host, to.name, to.room, sizeof *to.name);
        norn_delete(host, to.fixed, to.statics * t->groups, sizeof *to.fixed);
        return norn_fail_memory(raw->err, "the columns");
    }
    for (size_t i = 0; i < t->values + t->statics; i++) norn_text_delete(host, t->names[i]);
    norn_delete(host, t->names, t->values + t->statics, sizeof *t->names);
    norn_delete(host, t->columns, t->values, sizeof *t->columns);
    norn_delete(host, t->fixed, t->statics * t->groups, sizeof *t->fixed);
    t->columns = to.column;
    t->names = to.name;
    t->fixed = to.fixed;
    t->past = to.past;
    t->future = to.future;
    t->statics = to.statics;
    t->values = values;
    return NORN_OK;
}

static norn_status note_words(norn_raw *raw)
{
    norn_status status = NORN_OK;
    char name[NORN_SHOWN];
    for (size_t k = 0; k < raw->kept && status == NORN_OK; k++) {
        const size_t column = raw->plan->values[k];
        if (!raw->plan->column[column].words) continue;
        status = norn_notes_add(&raw->table->notes, &raw->host, raw->err, "words", "--ignore",
                                "\"%s\" holds %zu different text%s, each an input of 0 or 1",
                                norn_raw_name(raw, column, name), raw->words[k].count,
                                raw->words[k].count == 1 ? "" : "s");
    }
    return status;
}

/* Names of the series: the id in long format, the target in wide format, both where a file is both. */
static norn_status name_series(norn_raw *raw)
{
    norn_table *t = raw->table;
    t->ids = norn_new(&raw->host, t->groups * t->targets, sizeof *t->ids);
    if (!t->ids) return norn_fail_memory(raw->err, "the ids");
    for (size_t g = 0; g < t->groups; g++) {
        for (size_t k = 0; k < t->targets; k++) {
            const norn_group *group = &raw->groups.items[g];
            const bool piece = group->id_length && group->id[0] == '#' && raw->plan->id == NORN_NO_COLUMN;
            const bool both = group->id_length && !piece && t->targets > 1;
            const char *target = group->id_length && !piece && t->targets == 1 ? "" : t->names[k];
            const char *before = piece ? target : group->id, *after = piece ? group->id : target;
            const size_t length = strlen(before) + strlen(after) + (both ? 1 : 0);
            char *name = raw->host.resize(raw->host.user, NULL, 0, length + 1);
            if (!name) return norn_fail_memory(raw->err, "the ids");
            (void)snprintf(name, length + 1, "%s%s%s", before, both ? "/" : "", after);
            t->ids[g * t->targets + k] = name;
        }
    }
    return NORN_OK;
}

norn_status norn_raw_encode(norn_raw *raw)
{
    norn_table *t = raw->table;
    norn_status status = collapse_statics(raw);
    for (size_t k = 0; k < raw->kept && status == NORN_OK; k++)
        if (raw->plan->column[raw->plan->values[k]].words) status = check_words(raw, k);
    if (status == NORN_OK) status = note_words(raw);
    if (status == NORN_OK) status = name_series(raw);
    if (status == NORN_OK) status = take_columns(raw);
    if (status != NORN_OK) return status;
    void *times = raw->times;
    if (!norn_resize(&raw->host, &times, raw->times_capacity, raw->rows, sizeof *raw->times))
        return norn_fail_memory(raw->err, "the rows");
    t->times = times;
    t->times_capacity = t->rows = raw->rows;
    raw->times = NULL;
    raw->times_capacity = 0;
    return NORN_OK;
}
