/*
 * Which column is what, as declared in roles.h.
 *
 * First every column is looked at by itself (profile.c). Then the roles that were told are looked up by name,
 * number or pattern, and the others are given in the order id, time, target, past, each by a small ranking,
 * so that a column that has a role is out of the question for the next.
 */
#include "data/roles.h"

#include "data/profile.h"

#include <stdio.h>
#include <string.h>

/* Everything the steps of the planning share. */
typedef struct planner {
    norn_plan *plan;
    norn_sample sample;
    const norn_table_options *options;
    norn_missing missing;
    norn_numbers numbers;
    norn_notes *notes;
    const char *file;
    norn_time_style told; /* --time-format; form NONE and told_format false: none */
    bool told_format;
    norn_profile *profiles; /* [columns] */
    size_t *listed[4];      /* [columns] targets, past, future, statics in the order told */
    size_t count[4];
    size_t from; /* the first record of data: 1 with a header, else 0 */
    norn_error *err;
} planner;

enum { TARGETS, PAST, FUTURE, STATICS };
static const norn_column_role role_of_list[] = {NORN_ROLE_TARGET, NORN_ROLE_PAST, NORN_ROLE_FUTURE,
                                                NORN_ROLE_STATIC};

/* ---- names ---- */

#define QUOTED 200
static const char *quoted(const planner *p, size_t column, char out[QUOTED])
{
    const char *name = p->plan->column[column].name;
    return norn_quote(out, QUOTED, name, strlen(name), 40);
}

/* "a, b, c and 4 more" of all columns. */
static const char *list_columns(const planner *p, char *out, size_t size)
{
    const size_t shown = p->plan->columns <= 8 ? p->plan->columns : 7;
    size_t used = 0;
    char name[QUOTED];
    for (size_t i = 0; i < shown && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", quoted(p, i, name));
    if (shown < p->plan->columns && used < size)
        (void)snprintf(out + used, size - used, " and %zu more", p->plan->columns - shown);
    return out;
}

/* A column by its name, or by its name in another case; how many there are. */
static size_t find_name(const planner *p, const char *text, size_t length, size_t *column)
{
    for (int any_case = 0; any_case <= 1; any_case++) {
        size_t found = 0;
        for (size_t i = p->plan->columns; i-- > 0;)
            if (norn_same_text(text, length, p->plan->column[i].name, any_case)) {
                *column = i;
                found++;
            }
        if (found) return found;
    }
    return 0;
}

static bool find_number(const planner *p, const char *text, size_t length, size_t *column)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < length && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        number = number * 10 + (uint64_t)(text[digits] - '0');
    if (length == 0 || digits < length || number < 1 || number > p->plan->columns) return false;
    *column = (size_t)number - 1;
    return true;
}

/* Finds the column told by a flag: by its name, by its name in another case, or by its number from 1. */
static norn_status find_column(const planner *p, const char *text, size_t length, const char *flag,
                               size_t *column)
{
    char spec[QUOTED], columns[400];
    const size_t found = find_name(p, text, length, column);
    if (found == 1 || (found == 0 && find_number(p, text, length, column))) return NORN_OK;
    (void)norn_quote(spec, sizeof spec, text, length, 40);
    if (found > 1)
        return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                            "%zu columns are called \"%s\": name it to %s by its number, as in %s %zu", found,
                            spec, flag, flag, *column + 1);
    return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                        "%s: there is no column \"%s\"; the file has %s", flag, spec,
                        list_columns(p, columns, sizeof columns));
}

/* What a flag takes to name a column again. */
static const char *reference(const planner *p, size_t column, char *out, size_t size)
{
    const char *name = p->plan->column[column].name;
    size_t found;
    if (*name && strlen(name) < 40 && !strpbrk(name, ",*?") && find_name(p, name, strlen(name), &found) == 1)
        (void)snprintf(out, size, "%s", name);
    else
        (void)snprintf(out, size, "%zu", column + 1);
    return out;
}

static norn_status note_value(const planner *p, size_t column)
{
    char value[64];
    return norn_notes_value(p->notes, &p->plan->host, p->err, reference(p, column, value, sizeof value));
}

/* ---- the header ---- */

/* 0, 1, 2, ... or 1, 2, 3, ... over columns that hold other things: what a data frame without names is saved
 * with. */
static bool first_record_counts(const planner *p)
{
    const size_t columns = p->plan->columns;
    if (columns < 3) return false;
    size_t length, fractions = 0;
    const size_t start = norn_sample_cell(&p->sample, 0, 0, &length)[0] == '0' ? 0 : 1;
    for (size_t i = 0; i < columns; i++) {
        char number[24];
        const char *first = norn_sample_cell(&p->sample, 0, i, &length);
        (void)snprintf(number, sizeof number, "%zu", i + start);
        if (!norn_same_text(first, length, number, false)) return false;
        fractions += p->profiles[i].numeric && p->profiles[i].style.form == NORN_FORM_NONE ? 1 : 0;
    }
    return 2 * fractions >= columns;
}

/* One cell as a time in the style of what stands below it. */
static bool reads_as(const norn_time_style *style, const char *text, size_t length)
{
    norn_time_seen seen;
    int64_t time;
    memset(&seen, 0, sizeof seen);
    return norn_time_parse(style, text, length, 0, &seen, &time);
}

/* Does a file of one record hold names? */
static norn_status lone_header(planner *p, bool *header)
{
    *header = true;
    for (size_t i = 0; i < p->plan->columns && *header; i++) {
        norn_profile alone;
        const norn_status status =
            norn_profile_column(&alone, &p->sample, i, 0, false, NULL, &p->numbers, &p->missing, p->err);
        *header = !alone.numeric && alone.style.form == NORN_FORM_NONE;
        norn_profile_clear(&alone, &p->sample);
        if (status != NORN_OK) return status;
    }
    return NORN_OK;
}

/* Does the first record name the columns? Its cells are held against what stands below them. */
static norn_status find_header(planner *p, bool *header)
{
    size_t fits = 0, differs = 0;
    *header = p->options->header == NORN_HEADER_YES;
    if (p->options->header != NORN_HEADER_FOUND) return NORN_OK;
    if (p->sample.records == 1) return lone_header(p, header);
    *header = true;
    if (first_record_counts(p)) return NORN_OK;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const norn_profile *below = &p->profiles[i];
        if (!below->numeric && below->style.form == NORN_FORM_NONE) continue;
        size_t length;
        const char *text = norn_sample_cell(&p->sample, 0, i, &length);
        if (norn_is_missing(&p->missing, text, length)) continue;
        double number;
        const bool is_time = below->style.form != NORN_FORM_NONE && reads_as(&below->style, text, length);
        const bool is_number = norn_number_parse(&p->numbers, text, length, &number);
        if (!below->numeric && !is_time) return NORN_OK;
        if (is_time || is_number)
            fits++;
        else
            differs++;
    }
    *header = fits == 0 || differs > fits;
    return NORN_OK;
}

static norn_status name_columns(planner *p)
{
    norn_plan *plan = p->plan;
    for (size_t i = 0; i < plan->columns; i++) {
        size_t length = 0;
        char number[24];
        const char *text = plan->header ? norn_sample_cell(&p->sample, 0, i, &length) : "";
        if (length == 0) {
            length = (size_t)snprintf(number, sizeof number, "c%zu", i + 1);
            text = number;
        }
        if (memchr(text, 0, length))
            return norn_fail_at(p->err, NORN_ERR_DATA, p->file, plan->line, i + 1,
                                "a NUL byte in the header: the file is damaged or is not text");
        plan->column[i].name = norn_text_copy(&plan->host, text, length);
        if (!plan->column[i].name) return norn_fail_memory(p->err, "the names of the columns");
    }
    return NORN_OK;
}

/* ---- what was told ---- */

static bool has_role(const planner *p, size_t column)
{
    return p->plan->column[column].role != NORN_ROLE_NONE;
}

static norn_status fail_two_roles(const planner *p, const char *flag, size_t column)
{
    char name[QUOTED];
    return norn_fail_at(
        p->err, NORN_ERR_USAGE, p->file, 0, 0,
        "%s: column \"%s\" has a role already (time, id, target, past, future, static or ignore)", flag,
        quoted(p, column, name));
}

/* Gives a column a role; a list takes it at its end. */
static void give(planner *p, norn_column_role role, size_t column)
{
    norn_plan_column *c = &p->plan->column[column];
    c->role = role;
    c->words = role != NORN_ROLE_TARGET && p->profiles[column].present && !p->profiles[column].numeric;
    for (size_t list = 0; list < NORN_COUNT(role_of_list); list++)
        if (role_of_list[list] == role) p->listed[list][p->count[list]++] = column;
}

/* All columns without a role that a pattern names; "*" alone: those of numbers. */
static norn_status take_pattern(planner *p, const char *text, size_t length, const char *flag,
                                norn_column_role role)
{
    const bool all = length == 1 && role != NORN_ROLE_IGNORE;
    size_t taken = 0;
    char spec[QUOTED], columns[400];
    for (size_t i = 0; i < p->plan->columns; i++) {
        const norn_plan_column *c = &p->plan->column[i];
        if (has_role(p, i) || !norn_matches(text, length, c->name)) continue;
        if (all && (!p->profiles[i].numeric || c->time)) continue;
        give(p, role, i);
        taken++;
    }
    if (taken || all) return NORN_OK;
    return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                        "%s: no column without a role is called like \"%s\"; the file has %s", flag,
                        norn_quote(spec, sizeof spec, text, length, 40),
                        list_columns(p, columns, sizeof columns));
}

/* Gives a role to the columns a flag lists; a list that is the name of one column is that column. */
static norn_status take_listed(planner *p, const char *list, const char *flag, norn_column_role role)
{
    size_t column;
    if (!list || !*list) return NORN_OK;
    const bool one = find_name(p, list, strlen(list), &column) == 1;
    for (const char *at = list; at;) {
        const char *comma = one ? NULL : strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *text = norn_trim(at, &length);
        norn_status status;
        if (find_name(p, text, length, &column) == 0 &&
            (memchr(text, '*', length) || memchr(text, '?', length))) {
            status = take_pattern(p, text, length, flag, role);
        } else {
            status = find_column(p, text, length, flag, &column);
            if (status == NORN_OK && has_role(p, column)) status = fail_two_roles(p, flag, column);
            if (status == NORN_OK) give(p, role, column);
        }
        if (status != NORN_OK) return status;
        at = comma ? comma + 1 : NULL;
    }
    return NORN_OK;
}

static bool is_told(const char *option)
{
    return option && *option;
}

/* The parts of a date by what their columns are called. */
static const char *const part_names[][3] = {{"year", "yr", "yyyy"},  {"month", "mon", "mm"},
                                            {"day", "dd", "dom"},    {"hour", "hr", "hh"},
                                            {"minute", "min", "mi"}, {"second", "sec", "ss"}};

static void use_parts(planner *p, size_t count)
{
    norn_plan *plan = p->plan;
    plan->time_columns = count;
    plan->parts = (norn_time_parts){.count = count};
    for (size_t i = 0; i < count; i++) {
        const char *name = plan->column[plan->time[i]].name;
        plan->column[plan->time[i]].role = NORN_ROLE_TIME;
        if (i == 1 && norn_same_text(name, strlen(name), "quarter", true)) plan->parts.quarter = true;
        bool last_hour = false, zero = false;
        for (size_t r = p->from; i == 3 && r < p->sample.records; r++) {
            size_t length;
            const char *text = norn_sample_cell(&p->sample, r, plan->time[i], &length);
            last_hour = last_hour || norn_same_text(text, length, "24", false);
            zero =
                zero || norn_same_text(text, length, "0", false) || norn_same_text(text, length, "00", false);
        }
        if (last_hour && !zero) plan->parts.hour_24 = true;
    }
    plan->style = norn_time_parts_style(&plan->parts);
}

/* --time: one column, or the parts of a date. */
static norn_status take_time(planner *p)
{
    const char *list = p->options->time;
    size_t count = 0;
    norn_plan *plan = p->plan;
    if (!is_told(list)) return NORN_OK;
    const bool one = find_name(p, list, strlen(list), &plan->time[0]) == 1;
    for (const char *at = list; at; count++) {
        const char *comma = one ? NULL : strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *text = norn_trim(at, &length);
        if (count == NORN_TIME_PARTS)
            return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                                "--time: a date has at most six parts (year,month,day,hour,minute,second)");
        const norn_status status = find_column(p, text, length, "--time", &plan->time[count]);
        if (status != NORN_OK) return status;
        if (has_role(p, plan->time[count])) return fail_two_roles(p, "--time", plan->time[count]);
        plan->column[plan->time[count]].role = NORN_ROLE_TIME;
        at = comma ? comma + 1 : NULL;
    }
    plan->time_columns = count;
    if (count > 1) use_parts(p, count);
    return NORN_OK;
}

/* Before anything is found, so that what is told is out of the question. */
static norn_status plan_told(planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    norn_status status = take_listed(p, o->ignore, "--ignore", NORN_ROLE_IGNORE);
    if (status == NORN_OK && is_told(o->id)) {
        status = find_column(p, o->id, strlen(o->id), "--id", &plan->id);
        if (status == NORN_OK && has_role(p, plan->id)) status = fail_two_roles(p, "--id", plan->id);
        if (status == NORN_OK) plan->column[plan->id].role = NORN_ROLE_ID;
    }
    if (status == NORN_OK) status = take_time(p);
    /* Those named before those meant by a pattern that takes all the rest. */
    const struct {
        const char *list, *flag;
        norn_column_role role;
    } lists[] = {{o->target, "--target", NORN_ROLE_TARGET},
                 {o->future, "--future", NORN_ROLE_FUTURE},
                 {o->statics, "--static", NORN_ROLE_STATIC},
                 {o->past, "--past", NORN_ROLE_PAST}};
    for (size_t i = 0; i < NORN_COUNT(lists) && status == NORN_OK; i++)
        if (!is_told(lists[i].list) || strcmp(lists[i].list, "*") != 0)
            status = take_listed(p, lists[i].list, lists[i].flag, lists[i].role);
    return status;
}

/* --target '*' and its kin, once time and id are known. */
static norn_status plan_rest(planner *p)
{
    const norn_table_options *o = p->options;
    norn_status status = NORN_OK;
    if (is_told(o->target) && strcmp(o->target, "*") == 0)
        status = take_pattern(p, "*", 1, "--target", NORN_ROLE_TARGET);
    if (status == NORN_OK && is_told(o->future) && strcmp(o->future, "*") == 0)
        status = take_pattern(p, "*", 1, "--future", NORN_ROLE_FUTURE);
    if (status == NORN_OK && is_told(o->statics) && strcmp(o->statics, "*") == 0)
        status = take_pattern(p, "*", 1, "--static", NORN_ROLE_STATIC);
    return status;
}

/* ---- id and time ---- */

static bool same_cell(const planner *p, size_t column, size_t a, size_t b)
{
    size_t length_a, length_b;
    const char *text_a = norn_sample_cell(&p->sample, a, column, &length_a);
    const char *text_b = norn_sample_cell(&p->sample, b, column, &length_b);
    return length_a == length_b && memcmp(text_a, text_b, length_a) == 0;
}

#define COMPARED 200 /* records */

static size_t compared(const planner *p)
{
    return p->sample.records < p->from + COMPARED ? p->sample.records : p->from + COMPARED;
}

/* Does taking this column for the id put the times of every series in order, rising or falling? */
static bool separates(const planner *p, size_t id, size_t time)
{
    const int64_t *times = p->profiles[time].times;
    size_t up = 0, down = 0;
    for (size_t r = p->from; times && r < compared(p); r++) {
        if (times[r] == NORN_NO_TIME) continue;
        for (size_t b = r; b-- > p->from;) {
            if (!same_cell(p, id, r, b) || times[b] == NORN_NO_TIME) continue;
            up += times[b] < times[r] ? 1 : 0;
            down += times[b] > times[r] ? 1 : 0;
            if (times[b] == times[r] || (up && down)) return false;
            break;
        }
    }
    return up + down > 0;
}

/* Does some cell of the column stand in two rows? */
static bool repeats(const planner *p, size_t column)
{
    for (size_t r = p->from; r < compared(p); r++)
        for (size_t b = r; b-- > p->from;)
            if (same_cell(p, column, r, b)) return true;
    return false;
}

static size_t id_by_name(const planner *p)
{
    static const char *const names[] = {"unique_id", "series_id", "item_id", "series", "item", "id", "ts_id"};
    for (size_t k = 0; k < NORN_COUNT(names); k++)
        for (size_t i = 0; i < p->plan->columns; i++) {
            const char *name = p->plan->column[i].name;
            if (!norn_same_text(name, strlen(name), names[k], true)) continue;
            if (!has_role(p, i) && (k == 0 || repeats(p, i))) return i;
        }
    return NORN_NO_COLUMN;
}

/* Are there numbers left to forecast when this column is the time? */
static bool leaves_numbers(const planner *p, size_t column)
{
    for (size_t i = 0; i < p->plan->columns; i++)
        if (i != column && i != p->plan->id && p->profiles[i].numeric) return true;
    return false;
}

/* How well a column serves as the time; 0: not at all. */
static int time_rank(const planner *p, size_t column)
{
    const norn_profile *c = &p->profiles[column];
    const norn_time_name name = norn_time_name_of(p->plan->column[column].name);
    const norn_time_form form = c->style.form;
    if (has_role(p, column) || c->present == 0) return 0;
    if (form > NORN_FORM_INTEGER && !c->numeric) return 100 + (int)name;
    if (form > NORN_FORM_INTEGER && (name || c->down == 0 || c->up == 0)) return 100 + (int)name;
    if (!c->numeric) { /* a date in a style that is not read: taken, so that it is refused by name */
        if (2 * c->dateish > c->present && (name || column == 0)) return 50 + (int)name;
        return name == NORN_NAME_CERTAIN ? 40 : 0;
    }
    if (form == NORN_FORM_NONE || !leaves_numbers(p, column)) return 0;
    const bool rises = c->up + 1 == c->present, falls = c->present > 1 && c->down + 1 == c->present;
    if (name == NORN_NAME_CERTAIN) return 30;
    if ((name == NORN_NAME_RISING || name == NORN_NAME_CYCLIC) && p->plan->id != NORN_NO_COLUMN)
        return separates(p, p->plan->id, column) ? 20 : 0;
    if (name == NORN_NAME_RISING && (10 * (c->up + 1) >= 9 * c->present || falls)) return 20;
    if (name == NORN_NAME_CYCLIC && rises) return 20;
    return column == 0 && c->present > 2 && rises ? 10 : 0;
}

/* year, month[, day[, hour[, minute[, second]]]] in columns of whole numbers. */
static size_t find_parts(const planner *p, size_t columns[NORN_TIME_PARTS])
{
    size_t found = 0;
    for (; found < NORN_COUNT(part_names); found++) {
        size_t column = NORN_NO_COLUMN;
        for (size_t i = 0; i < p->plan->columns && column == NORN_NO_COLUMN; i++) {
            const char *name = p->plan->column[i].name;
            if (has_role(p, i) || !p->profiles[i].numeric) continue;
            for (size_t k = 0; k < NORN_COUNT(part_names[0]); k++)
                if (norn_same_text(name, strlen(name), part_names[found][k], true)) column = i;
            if (found == 1 && norn_same_text(name, strlen(name), "quarter", true)) column = i;
        }
        if (column == NORN_NO_COLUMN) break;
        columns[found] = column;
    }
    return found;
}

static void find_time(planner *p)
{
    norn_plan *plan = p->plan;
    size_t parts[NORN_TIME_PARTS], best = NORN_NO_COLUMN;
    int best_rank = 0;
    for (size_t i = 0; i < plan->columns; i++) {
        const int rank = time_rank(p, i);
        if (rank > best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    const size_t count = best_rank < 30 ? find_parts(p, parts) : 0;
    if (count >= 2) {
        memcpy(plan->time, parts, sizeof parts);
        use_parts(p, count);
    } else if (best != NORN_NO_COLUMN) {
        plan->time[0] = best;
        plan->time_columns = 1;
        plan->column[best].role = NORN_ROLE_TIME;
    }
}

/* Text that repeats while times do too, and puts them in order: the country of country, date, value. */
static size_t id_by_content(const planner *p, size_t time)
{
    const norn_profile *t = &p->profiles[time];
    if (!t->times || t->up + 1 >= t->present || t->down + 1 >= t->present) return NORN_NO_COLUMN;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const norn_profile *c = &p->profiles[i];
        if (has_role(p, i) || c->numeric || c->style.form != NORN_FORM_NONE) continue;
        if (separates(p, i, time)) return i;
    }
    return NORN_NO_COLUMN;
}

static void find_time_and_id(planner *p)
{
    norn_plan *plan = p->plan;
    const bool find_id = !p->options->id;
    if (find_id) plan->id = id_by_name(p);
    if (!p->options->time) find_time(p);
    if (find_id && plan->id != NORN_NO_COLUMN && has_role(p, plan->id)) plan->id = NORN_NO_COLUMN;
    if (find_id && plan->id == NORN_NO_COLUMN && plan->time_columns == 1)
        plan->id = id_by_content(p, plan->time[0]);
    if (plan->id != NORN_NO_COLUMN) plan->column[plan->id].role = NORN_ROLE_ID;
    if (plan->time_columns == 1) plan->style = p->profiles[plan->time[0]].style;
}

/* ---- target and past ---- */

/* Would most of the cells of some column be numbers if they were read in another way? */
static const char *other_numbers(const planner *p)
{
    static const struct {
        char decimal, thousands;
        const char *flags;
    } ways[] = {{',', 0, "--decimal ,"},
                {'.', ',', "--thousands ,"},
                {',', '.', "--decimal , --thousands ."},
                {'.', ' ', "--thousands ' '"},
                {',', ' ', "--decimal , --thousands ' '"},
                {'.', '\'', "--thousands \"'\""}};
    for (size_t w = 0; w < NORN_COUNT(ways); w++)
        for (size_t i = 0; i < p->plan->columns; i++) {
            if (has_role(p, i)) continue;
            norn_numbers other = p->numbers;
            other.decimal = ways[w].decimal;
            other.thousands = ways[w].thousands;
            size_t present = 0, numbers = 0, length;
            for (size_t r = p->from; r < p->sample.records; r++) {
                double value;
                const char *text = norn_sample_cell(&p->sample, r, i, &length);
                if (norn_is_missing(&p->missing, text, length)) continue;
                present++;
                numbers += norn_number_parse(&other, text, length, &value) ? 1 : 0;
            }
            if (present && 2 * numbers >= present) return ways[w].flags;
        }
    return NULL;
}

static norn_status no_target(const planner *p)
{
    char columns[400];
    const char *flags = other_numbers(p);
    (void)list_columns(p, columns, sizeof columns);
    const norn_status kind = p->count[PAST] || p->count[FUTURE] ? NORN_ERR_USAGE : NORN_ERR_DATA;
    if (flags)
        return norn_fail_at(
            p->err, kind, p->file, 0, 0,
            "no column of numbers is left to forecast among %s (numbers written as here are read with "
            "%s)",
            columns, flags);
    return norn_fail_at(
        p->err, kind, p->file, 0, 0,
        "no column of numbers is left to forecast among %s (numbers are read as 1234.5; --decimal and "
        "--thousands say otherwise; name a column with --target)",
        columns);
}

static norn_status find_target(planner *p)
{
    static const char *const names[] = {"y", "target", "close", "value"};
    norn_plan *plan = p->plan;
    char name[QUOTED];
    size_t best = NORN_NO_COLUMN, numeric = 0;
    if (p->count[TARGETS]) return NORN_OK;
    for (size_t i = 0; i < plan->columns; i++)
        if (p->profiles[i].numeric && !has_role(p, i)) {
            best = i;
            numeric++;
        }
    const char *why = numeric == 1 ? "the only numeric column" : "the last numeric column";
    for (size_t k = NORN_COUNT(names); k-- > 0;)
        for (size_t i = plan->columns; i-- > 0;) {
            const char *called = plan->column[i].name;
            if (!norn_same_text(called, strlen(called), names[k], true) || has_role(p, i)) continue;
            if (p->profiles[i].present && !p->profiles[i].numeric && best != NORN_NO_COLUMN) continue;
            best = i;
            why = "by its name";
        }
    if (best == NORN_NO_COLUMN) return no_target(p);
    give(p, NORN_ROLE_TARGET, best);
    const norn_status status = norn_notes_add(p->notes, &plan->host, p->err, "target", "--target",
                                              "\"%s\", %s", quoted(p, best, name), why);
    return status == NORN_OK ? note_value(p, best) : status;
}

static norn_status find_past(planner *p)
{
    norn_plan *plan = p->plan;
    const bool all = is_told(p->options->past) && strcmp(p->options->past, "*") == 0;
    size_t others = 0, last = 0;
    char name[QUOTED];
    for (size_t i = 0; i < plan->columns; i++) {
        if (!p->profiles[i].numeric || has_role(p, i)) continue;
        others++;
        last = i;
        if (all) give(p, NORN_ROLE_PAST, i);
    }
    if (p->options->past || p->count[FUTURE] || others == 0) return NORN_OK;
    if (others == 1)
        return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                              "none; \"%s\" may be an input too", quoted(p, last, name));
    return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                          "none; %zu other numeric columns may be inputs too ('*' for all)", others);
}

/* ---- what is said ---- */

static const char *delimiter_name(char delimiter)
{
    switch (delimiter) {
    case ',':
        return "comma";
    case ';':
        return "semicolon";
    case '\t':
        return "tab";
    case '|':
        return "vertical bar";
    default:
        return "none: the file has one column";
    }
}

static norn_status note_header(const planner *p)
{
    norn_plan *plan = p->plan;
    char columns[400];
    norn_status status;
    if (p->options->header != NORN_HEADER_FOUND) return NORN_OK;
    if (plan->header)
        status = norn_notes_add(p->notes, &plan->host, p->err, "header", "--header", "the first line: %s",
                                list_columns(p, columns, sizeof columns));
    else
        status = norn_notes_add(p->notes, &plan->host, p->err, "header", "--header",
                                plan->columns == 1 ? "none: the column is called c1"
                                                   : "none: the columns are called c1 to c%zu",
                                plan->columns);
    return status == NORN_OK ? norn_notes_value(p->notes, &plan->host, p->err, plan->header ? "yes" : "no")
                             : status;
}

static norn_status note_time(const planner *p)
{
    norn_plan *plan = p->plan;
    char name[QUOTED], example[QUOTED], format[NORN_TIME_FORMAT], value[400] = "";
    norn_status status;
    if (p->options->time) return NORN_OK;
    if (plan->time_columns == 0) {
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time",
                                "none found: rows are numbered from 1");
        return status == NORN_OK ? norn_notes_value(p->notes, &plan->host, p->err, "") : status;
    }
    size_t used = 0, length;
    for (size_t i = 0; i < plan->time_columns && used < sizeof value; i++) {
        char one[64];
        used += (size_t)snprintf(value + used, sizeof value - used, "%s%s", i ? "," : "",
                                 reference(p, plan->time[i], one, sizeof one));
    }
    const char *first = norn_sample_cell(&p->sample, p->from, plan->time[0], &length);
    (void)norn_quote(example, sizeof example, first, length, 40);
    (void)quoted(p, plan->time[0], name);
    (void)norn_time_style_format(&plan->style, format, sizeof format);
    if (plan->time_columns > 1)
        status =
            norn_notes_add(p->notes, &plan->host, p->err, "time", "--time", "the columns %s together", value);
    else if (plan->style.form == NORN_FORM_INTEGER)
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time",
                                "\"%s\", whole numbers such as %s", name, example);
    else
        status =
            norn_notes_add(p->notes, &plan->host, p->err, "time", "--time",
                           *format ? "\"%s\", such as %s (%s)" : "\"%s\", such as %s", name, example, format);
    return status == NORN_OK ? norn_notes_value(p->notes, &plan->host, p->err, value) : status;
}

static norn_status note_id(const planner *p)
{
    norn_plan *plan = p->plan;
    char name[QUOTED];
    if (p->options->id || plan->id == NORN_NO_COLUMN) return NORN_OK;
    const norn_status status = norn_notes_add(p->notes, &plan->host, p->err, "id", "--id",
                                              "\"%s\" tells the series apart", quoted(p, plan->id, name));
    return status == NORN_OK ? note_value(p, plan->id) : status;
}

/* A file read with a line a time that has no times, but a name of its own in every line: was that meant? */
static norn_status note_layout(const planner *p)
{
    norn_plan *plan = p->plan;
    size_t numbers = 0;
    if (p->options->layout != NORN_LAYOUT_FOUND || plan->time_columns || plan->id != NORN_NO_COLUMN)
        return NORN_OK;
    for (size_t i = 0; i < plan->columns; i++) numbers += p->profiles[i].numeric ? 1 : 0;
    if (numbers < 8 || p->profiles[0].numeric || p->profiles[0].present < 2 || repeats(p, 0)) return NORN_OK;
    plan->perhaps_rows = true;
    return norn_notes_add(p->notes, &plan->host, p->err, "layout", "--layout",
                          "a line a time; if every line is a series, say --layout rows");
}

/* ---- the plan ---- */

/* The columns in the order of the table. */
static norn_status gather_values(planner *p)
{
    norn_plan *plan = p->plan;
    size_t n = 0;
    for (size_t list = 0; list < NORN_COUNT(p->listed); list++)
        for (size_t i = 0; i < p->count[list]; i++) plan->values[n++] = p->listed[list][i];
    plan->targets = p->count[TARGETS];
    plan->past = p->count[PAST];
    plan->future = p->count[FUTURE];
    plan->statics = p->count[STATICS];
    return NORN_OK;
}

static norn_status make_arrays(planner *p, size_t columns)
{
    norn_plan *plan = p->plan;
    plan->columns = columns;
    plan->column = norn_new(&plan->host, columns, sizeof *plan->column);
    plan->values = norn_new(&plan->host, columns, sizeof *plan->values);
    p->profiles = norn_new(&plan->host, columns, sizeof *p->profiles);
    bool fits = plan->column && plan->values && p->profiles;
    for (size_t i = 0; i < NORN_COUNT(p->listed); i++) {
        p->listed[i] = norn_new(&plan->host, columns, sizeof *p->listed[i]);
        fits = fits && p->listed[i];
    }
    return fits ? NORN_OK : norn_fail_memory(p->err, "the columns");
}

/* Is the column called like a time, by the first record? Also when that turns out to be no header. */
static bool named_time(const planner *p, size_t column)
{
    size_t length;
    char name[32] = "";
    const char *text = norn_sample_cell(&p->sample, 0, column, &length);
    if (length >= sizeof name) return false;
    memcpy(name, text, length);
    return norn_time_name_of(name) != NORN_NAME_OTHER;
}

/* Is this the column whose times --time-format describes? */
static const norn_time_style *told_style(const planner *p, size_t column)
{
    size_t length, told = NORN_NO_COLUMN;
    if (!p->told_format) return NULL;
    if (!is_told(p->options->time)) return NULL; /* every column is tried, see look_at_columns */
    const char *text = norn_sample_cell(&p->sample, 0, column, &length);
    if (norn_same_text(text, length, p->options->time, true)) return &p->told;
    return find_number(p, p->options->time, strlen(p->options->time), &told) && told == column ? &p->told
                                                                                               : NULL;
}

/* With a format told and no column, the columns it fits are times and no others are. */
static norn_status look_at_column(planner *p, size_t column, size_t from)
{
    norn_profile *c = &p->profiles[column];
    norn_profile_clear(c, &p->sample);
    const norn_time_style *told = told_style(p, column);
    norn_status status = norn_profile_column(c, &p->sample, column, from, named_time(p, column), told,
                                             &p->numbers, &p->missing, p->err);
    if (status != NORN_OK || !p->told_format || told) return status;
    norn_profile_clear(c, &p->sample);
    status = norn_profile_column(c, &p->sample, column, from, named_time(p, column), &p->told, &p->numbers,
                                 &p->missing, p->err);
    size_t times = 0;
    for (size_t r = from; c->times && r < p->sample.records; r++)
        times += c->times[r] != NORN_NO_TIME ? 1 : 0;
    if (2 * times > c->present) return status;
    norn_profile_clear(c, &p->sample);
    memset(&c->style, 0, sizeof c->style);
    c->up = c->down = 0;
    return status;
}

static norn_status plan_columns(planner *p)
{
    norn_plan *plan = p->plan;
    norn_status status = make_arrays(p, norn_sample_columns(&p->sample, 0));
    const size_t below = p->options->header == NORN_HEADER_NO ? 0 : 1;
    for (size_t i = 0; i < plan->columns && status == NORN_OK; i++) status = look_at_column(p, i, below);
    if (status == NORN_OK) status = find_header(p, &plan->header);
    p->from = plan->header ? 1 : 0;
    for (size_t i = 0; i < plan->columns && status == NORN_OK && !plan->header && below; i++)
        status = look_at_column(p, i, 0);
    for (size_t i = 0; i < plan->columns && status == NORN_OK; i++)
        plan->column[i].time = p->profiles[i].style.form > NORN_FORM_INTEGER;

    if (status == NORN_OK) status = name_columns(p);
    if (status == NORN_OK) status = note_header(p);
    if (status == NORN_OK && p->from == p->sample.records)
        status = norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, 0, "the file has a header and no rows");
    if (status == NORN_OK) status = plan_told(p);
    if (status == NORN_OK) find_time_and_id(p);
    if (status == NORN_OK) status = plan_rest(p);
    if (status == NORN_OK) status = note_time(p);
    if (status == NORN_OK) status = note_id(p);
    if (status == NORN_OK) status = note_layout(p);
    if (status == NORN_OK) status = find_target(p);
    if (status == NORN_OK) status = find_past(p);
    if (status == NORN_OK) status = gather_values(p);
    return status;
}

/* ---- a line a series ---- */

/* Are the names of the values themselves times that rise: 1960, 1961, ... or 2020-01, 2020-02, ...? */
static norn_status read_header_times(planner *p)
{
    norn_plan *plan = p->plan;
    size_t count = 0, fits = 0;
    const char **cells = norn_new(&plan->host, plan->columns, sizeof *cells);
    size_t *lengths = norn_new(&plan->host, plan->columns, sizeof *lengths);
    if (!cells || !lengths) {
        norn_delete(&plan->host, cells, plan->columns, sizeof *cells);
        norn_delete(&plan->host, lengths, plan->columns, sizeof *lengths);
        return norn_fail_memory(p->err, "the header");
    }
    for (size_t i = 0; i < plan->columns; i++)
        if (plan->column[i].value) {
            cells[count] = plan->column[i].name;
            lengths[count++] = strlen(plan->column[i].name);
        }
    norn_time_style style = p->told;
    if (!p->told_format || style.form == NORN_FORM_NONE)
        norn_time_style_guess(&style, cells, lengths, count, true, &fits);
    norn_time_seen seen;
    memset(&seen, 0, sizeof seen);
    bool rises = style.form != NORN_FORM_NONE && style.order != NORN_ORDER_OPEN && count > 1;
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < plan->columns && rises; i++) {
        norn_plan_column *c = &plan->column[i];
        if (!c->value) continue;
        rises = norn_time_parse(&style, c->name, strlen(c->name), i, &seen, &c->header) && c->header > before;
        before = c->header;
    }
    norn_status status = NORN_OK;
    if (rises) {
        plan->header_times = true;
        plan->style = style;
        char words[160];
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time", "the header: %s",
                                norn_time_style_words(&style, words, sizeof words));
    }
    norn_delete(&plan->host, cells, plan->columns, sizeof *cells);
    norn_delete(&plan->host, lengths, plan->columns, sizeof *lengths);
    return status;
}

/* Which of the columns before the values hold the id, a start, or nothing: text that is not told is the id if
 * it is the first, and left out if it is not. */
static norn_status plan_series_columns(planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    char name[QUOTED];
    if (is_told(o->target) || is_told(o->past) || is_told(o->future))
        return norn_fail_at(
            p->err, NORN_ERR_USAGE, p->file, 0, 0,
            "--target, --past and --future choose columns: in a file with a line a series all numbers "
            "are values of it (--id, --time, --static and --ignore may be given)");
    norn_status status = plan_told(p);
    if (status != NORN_OK) return status;
    if (plan->time_columns > 1)
        return norn_fail_at(
            p->err, NORN_ERR_USAGE, p->file, 0, 0,
            "--time: in a file with a line a series it names one column, where the series begins");
    if (plan->time_columns == 1) plan->style = p->profiles[plan->time[0]].style;
    if (!o->id && plan->id == NORN_NO_COLUMN && !has_role(p, 0) && !p->profiles[0].numeric) {
        plan->id = 0;
        plan->column[0].role = NORN_ROLE_ID;
        status = norn_notes_add(p->notes, &plan->host, p->err, "id", "--id", "\"%s\" names the series",
                                quoted(p, 0, name));
        if (status == NORN_OK) status = note_value(p, 0);
    }
    size_t values = 0;
    for (size_t i = 0; i < plan->columns && status == NORN_OK; i++) {
        if (has_role(p, i)) continue;
        const norn_profile *c = &p->profiles[i];
        plan->column[i].value = c->numeric || c->present == 0;
        values += plan->column[i].value ? 1 : 0;
        if (plan->column[i].value) continue;
        plan->column[i].role = NORN_ROLE_IGNORE;
        status = norn_notes_add(p->notes, &plan->host, p->err, "ignore", "--static",
                                "\"%s\", which holds words", quoted(p, i, name));
    }
    if (status == NORN_OK && values == 0) status = no_target(p);
    for (size_t i = plan->columns; i-- > 0;)
        if (plan->column[i].value) p->listed[TARGETS][0] = i; /* the first stands for all */
    p->count[TARGETS] = 1;
    return status;
}

/* With a line a series, the first line is a header when its values are none, or are times that rise. */
static norn_status find_series_header(planner *p, bool *header)
{
    *header = p->options->header == NORN_HEADER_YES;
    if (p->options->header != NORN_HEADER_FOUND || p->sample.records < 2) return NORN_OK;
    size_t numbers = 0, others = 0, rising = 0;
    double before = 0.0;
    for (size_t i = 0; i < norn_sample_columns(&p->sample, 0); i++) {
        size_t length;
        double number;
        const char *text = norn_sample_cell(&p->sample, 0, i, &length);
        if (i >= p->plan->columns || !p->profiles[i].numeric || norn_is_missing(&p->missing, text, length))
            continue;
        if (norn_number_parse(&p->numbers, text, length, &number)) {
            rising += numbers && number == before + 1.0 ? 1 : 0;
            before = number;
            numbers++;
        } else {
            others++;
        }
    }
    *header = others > numbers || (numbers > 2 && rising + 1 == numbers);
    return NORN_OK;
}

static norn_status plan_series(planner *p)
{
    norn_plan *plan = p->plan;
    size_t columns = 1;
    for (size_t r = 0; r < p->sample.records; r++)
        if (norn_sample_columns(&p->sample, r) > columns) columns = norn_sample_columns(&p->sample, r);
    norn_status status = make_arrays(p, columns);
    for (size_t i = 0; i < columns && status == NORN_OK; i++)
        status = look_at_column(p, i, p->options->header == NORN_HEADER_NO ? 0 : 1);
    if (status == NORN_OK) status = find_series_header(p, &plan->header);
    p->from = plan->header ? 1 : 0;
    for (size_t i = 0; i < columns && status == NORN_OK && !plan->header; i++)
        status = look_at_column(p, i, 0);
    if (status == NORN_OK) status = name_columns(p);
    if (status == NORN_OK) status = note_header(p);
    if (status == NORN_OK && p->from == p->sample.records)
        status = norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, 0, "the file has a header and no rows");
    if (status == NORN_OK) status = plan_series_columns(p);
    if (status == NORN_OK && plan->header && plan->time_columns == 0 && !p->options->time)
        status = read_header_times(p);
    if (status == NORN_OK && !p->options->time && plan->time_columns == 0 && !plan->header_times)
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time",
                                "none: the values of a series are numbered from 1");
    if (status == NORN_OK) status = gather_values(p);
    return status;
}

/* ---- from the bytes ---- */

/* Excel's first line "sep=;" says the delimiter and is no record. */
static norn_status skip_separator_line(planner *p, const char *bytes, size_t size)
{
    norn_plan *plan = p->plan;
    if (size < 6 || !norn_same_text(bytes, 4, "sep=", true) || (bytes[5] != '\n' && bytes[5] != '\r'))
        return NORN_OK;
    plan->skip = bytes[5] == '\r' && size > 6 && bytes[6] == '\n' ? 7 : 6;
    plan->line = 2;
    if (plan->delimiter) return NORN_OK;
    plan->delimiter = bytes[4];
    return norn_notes_add(p->notes, &plan->host, p->err, "delimiter", "--delimiter", "%s, by the first line",
                          delimiter_name(plan->delimiter));
}

static norn_status find_delimiter(planner *p, const char *bytes, size_t size, bool whole)
{
    norn_plan *plan = p->plan;
    norn_status status = skip_separator_line(p, bytes, size);
    if (status != NORN_OK || plan->delimiter) return status;
    status = norn_sample_delimiter(&plan->delimiter, p->options->decimal, bytes, size, whole, p->file,
                                   &plan->host, p->err);
    if (status == NORN_OK && p->options->layout == NORN_LAYOUT_ROWS && !plan->delimiter)
        plan->delimiter = ',';
    if (status == NORN_OK)
        status = norn_notes_add(p->notes, &plan->host, p->err, "delimiter", "--delimiter", "%s",
                                delimiter_name(plan->delimiter));
    if (status == NORN_OK && plan->delimiter) {
        const char one[2] = {plan->delimiter, '\0'};
        status = norn_notes_value(p->notes, &plan->host, p->err, plan->delimiter == '\t' ? "tab" : one);
    }
    plan->one_column = !plan->delimiter;
    if (!plan->delimiter) plan->delimiter = ',';
    return status;
}

static norn_status check_zone_and_step(planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    char shown[QUOTED];
    norn_status status = NORN_OK;
    if (is_told(o->zone)) status = norn_zone_open(&plan->zone, o->zone, &plan->host, p->err);
    if (status == NORN_OK && is_told(o->frequency)) {
        plan->has_step = norn_step_parse(o->frequency, &plan->step);
        if (!plan->has_step)
            return norn_fail(
                p->err, NORN_ERR_USAGE,
                "--frequency: expected a step such as \"1 hour\", \"15 min\", \"month\" or \"business "
                "day\", found \"%s\"",
                norn_quote(shown, sizeof shown, o->frequency, strlen(o->frequency), 40));
    }
    if (status == NORN_OK && is_told(o->time_format)) {
        status = norn_time_style_compile(&p->told, o->time_format, p->err);
        p->told_format = true;
    }
    return status;
}

norn_status norn_plan_make(norn_plan *plan, const char *bytes, size_t size, bool whole, const char *name,
                           const norn_table_options *options, norn_notes *notes, const norn_host *host,
                           norn_error *err)
{
    memset(plan, 0, sizeof *plan);
    plan->host = *host;
    plan->delimiter = options->delimiter;
    plan->id = NORN_NO_COLUMN;
    plan->line = 1;
    plan->layout = options->layout == NORN_LAYOUT_ROWS ? NORN_LAYOUT_ROWS : NORN_LAYOUT_COLUMNS;
    planner p = {.plan = plan,
                 .options = options,
                 .missing = norn_missing_init(options->na),
                 .notes = notes,
                 .file = name,
                 .err = err};
    p.sample.host = *host;

    bool is_tsf = false;
    norn_status status = norn_numbers_open(&p.numbers, options->decimal, options->thousands, err);
    if (status == NORN_OK) status = check_zone_and_step(&p);
    if (status == NORN_OK && (options->layout == NORN_LAYOUT_FOUND || options->layout == NORN_LAYOUT_TSF))
        status = norn_plan_tsf(plan, &is_tsf, bytes, size, name, options, notes, err);
    if (status != NORN_OK || is_tsf) goto done;
    status = find_delimiter(&p, bytes, size, whole);
    if (status == NORN_OK)
        status = norn_sample_read(&p.sample, plan->delimiter, bytes + plan->skip, size - plan->skip, whole,
                                  name, host, err);
    if (status == NORN_OK && p.sample.records == 0)
        status = norn_fail_at(err, NORN_ERR_DATA, name, 0, 0, "the file is empty");
    if (status == NORN_OK) status = plan->layout == NORN_LAYOUT_ROWS ? plan_series(&p) : plan_columns(&p);
done:
    plan->style.zone = plan->zone;
    for (size_t i = 0; p.profiles && i < plan->columns; i++) norn_profile_clear(&p.profiles[i], &p.sample);
    norn_delete(host, p.profiles, plan->columns, sizeof *p.profiles);
    for (size_t i = 0; i < NORN_COUNT(p.listed); i++)
        norn_delete(host, p.listed[i], plan->columns, sizeof *p.listed[i]);
    norn_sample_free(&p.sample);
    norn_numbers_close(&p.numbers);
    if (status != NORN_OK) norn_plan_free(plan);
    return status;
}

void norn_plan_free(norn_plan *plan)
{
    for (size_t i = 0; plan->column && i < plan->columns; i++)
        norn_text_delete(&plan->host, plan->column[i].name);
    norn_delete(&plan->host, plan->column, plan->columns, sizeof *plan->column);
    norn_delete(&plan->host, plan->values, plan->columns, sizeof *plan->values);
    norn_zone_free(plan->zone);
    memset(plan, 0, sizeof *plan);
}
