/*
 * The roles that flags give to columns, by name, number or pattern: see planner.h.
 */
#include "data/planner.h"

#include <stdio.h>
#include <string.h>

static const norn_column_role role_of_list[] = {NORN_ROLE_TARGET, NORN_ROLE_PAST, NORN_ROLE_FUTURE,
                                                NORN_ROLE_STATIC};

/* ---- names ---- */

const char *norn_plan_quoted(const norn_planner *p, size_t column, char out[NORN_QUOTED])
{
    const char *name = p->plan->column[column].name;
    return norn_quote(out, NORN_QUOTED, name, strlen(name), 40);
}

/* "a, b, c and 4 more" of all columns. */
const char *norn_plan_list(const norn_planner *p, char *out, size_t size)
{
    const size_t shown = p->plan->columns <= 8 ? p->plan->columns : 7;
    size_t used = 0;
    char name[NORN_QUOTED];
    for (size_t i = 0; i < shown && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", norn_plan_quoted(p, i, name));
    if (shown < p->plan->columns && used < size)
        (void)snprintf(out + used, size - used, " and %zu more", p->plan->columns - shown);
    return out;
}

/* A column by its name, or by its name in another case; how many there are. */
static size_t find_name(const norn_planner *p, const char *text, size_t length, size_t *column)
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

bool norn_plan_number(const norn_planner *p, const char *text, size_t length, size_t *column)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < length && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        number = number * 10 + (uint64_t)(text[digits] - '0');
    if (length == 0 || digits < length || number < 1 || number > p->plan->columns) return false;
    *column = (size_t)number - 1;
    return true;
}

/* The name that is most like a mistyped one, as ` (did you mean "x"?)`; else nothing. */
static const char *suggest(const norn_planner *p, const char *mistyped, char *out, size_t size)
{
    const size_t columns = p->plan->columns;
    const char **names = norn_new(&p->plan->host, columns + 1, sizeof *names);
    char name[NORN_QUOTED];
    *out = '\0';
    for (size_t i = 0; names && i < columns; i++) names[i] = p->plan->column[i].name;
    const char *closest = names ? norn_closest(mistyped, names) : NULL;
    if (closest)
        (void)snprintf(out, size, " (did you mean \"%s\"?)",
                       norn_quote(name, sizeof name, closest, strlen(closest), 40));
    norn_delete(&p->plan->host, names, columns + 1, sizeof *names);
    return out;
}

/* Finds the column told by a flag: by its name, by its name in another case, or by its number from 1. */
static norn_status find_column(const norn_planner *p, const char *text, size_t length, const char *flag,
                               size_t *column)
{
    char spec[NORN_QUOTED], columns[400], meant[NORN_QUOTED + 24];
    const size_t found = find_name(p, text, length, column);
    if (found == 1 || (found == 0 && norn_plan_number(p, text, length, column))) return NORN_OK;
    (void)norn_quote(spec, sizeof spec, text, length, 40);
    if (found > 1)
        return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                            "%zu columns are called \"%s\": name it to %s by its number, as in %s %zu", found,
                            spec, flag, flag, *column + 1);
    return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                        "%s: there is no column \"%s\"%s; the file has %s", flag, spec,
                        suggest(p, spec, meant, sizeof meant), norn_plan_list(p, columns, sizeof columns));
}

/* What a flag takes to name a column again. */
const char *norn_plan_reference(const norn_planner *p, size_t column, char *out, size_t size)
{
    const char *name = p->plan->column[column].name;
    size_t found;
    if (*name && strlen(name) < 40 && !strpbrk(name, ",*?") && find_name(p, name, strlen(name), &found) == 1)
        (void)snprintf(out, size, "%s", name);
    else
        (void)snprintf(out, size, "%zu", column + 1);
    return out;
}

norn_status norn_plan_note_value(const norn_planner *p, size_t column)
{
    char value[64];
    return norn_notes_value(p->notes, &p->plan->host, p->err,
                            norn_plan_reference(p, column, value, sizeof value));
}

/* ---- what was told ---- */

bool norn_plan_has_role(const norn_planner *p, size_t column)
{
    return p->plan->column[column].role != NORN_ROLE_NONE;
}

static norn_status fail_two_roles(const norn_planner *p, const char *flag, size_t column)
{
    char name[NORN_QUOTED];
    return norn_fail_at(
        p->err, NORN_ERR_USAGE, p->file, 0, 0,
        "%s: column \"%s\" has a role already (time, id, target, past, future, static or ignore)", flag,
        norn_plan_quoted(p, column, name));
}

/* Gives a column a role; a list takes it at its end. */
void norn_plan_give(norn_planner *p, norn_column_role role, size_t column)
{
    norn_plan_column *c = &p->plan->column[column];
    c->role = role;
    c->words = role != NORN_ROLE_TARGET && p->profiles[column].present && !p->profiles[column].numeric;
    for (size_t list = 0; list < NORN_COUNT(role_of_list); list++)
        if (role_of_list[list] == role) p->listed[list][p->count[list]++] = column;
}

/* All columns without a role that a pattern names; "*" alone: those of numbers. */
static norn_status take_pattern(norn_planner *p, const char *text, size_t length, const char *flag,
                                norn_column_role role)
{
    const bool all = length == 1 && *text == '*' && role != NORN_ROLE_IGNORE;
    size_t taken = 0;
    char spec[NORN_QUOTED], columns[400];
    for (size_t i = 0; i < p->plan->columns; i++) {
        const norn_plan_column *c = &p->plan->column[i];
        if (norn_plan_has_role(p, i) || !norn_matches(text, length, c->name)) continue;
        if (all && (!p->profiles[i].numeric || c->time)) continue;
        norn_plan_give(p, role, i);
        taken++;
    }
    if (taken || all) return NORN_OK;
    return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                        "%s: no column without a role is called like \"%s\"; the file has %s", flag,
                        norn_quote(spec, sizeof spec, text, length, 40),
                        norn_plan_list(p, columns, sizeof columns));
}

/* Gives a role to the columns a flag lists; a list that is the name of one column is that column. */
static norn_status take_listed(norn_planner *p, const char *list, const char *flag, norn_column_role role)
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
            if (status == NORN_OK && norn_plan_has_role(p, column)) status = fail_two_roles(p, flag, column);
            if (status == NORN_OK) norn_plan_give(p, role, column);
        }
        if (status != NORN_OK) return status;
        at = comma ? comma + 1 : NULL;
    }
    return NORN_OK;
}

bool norn_plan_is_told(const char *option)
{
    return option && *option;
}

void norn_plan_use_parts(norn_planner *p, size_t count)
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
static norn_status take_time(norn_planner *p)
{
    const char *list = p->options->time;
    size_t count = 0;
    norn_plan *plan = p->plan;
    if (!norn_plan_is_told(list)) return NORN_OK;
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
        if (norn_plan_has_role(p, plan->time[count])) return fail_two_roles(p, "--time", plan->time[count]);
        plan->column[plan->time[count]].role = NORN_ROLE_TIME;
        at = comma ? comma + 1 : NULL;
    }
    plan->time_columns = count;
    if (count > 1) norn_plan_use_parts(p, count);
    return NORN_OK;
}

/* Before anything is found, so that what is told is out of the question. */
norn_status norn_plan_told(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    norn_status status = take_listed(p, o->ignore, "--ignore", NORN_ROLE_IGNORE);
    if (status == NORN_OK && norn_plan_is_told(o->id)) {
        status = find_column(p, o->id, strlen(o->id), "--id", &plan->id);
        if (status == NORN_OK && norn_plan_has_role(p, plan->id))
            status = fail_two_roles(p, "--id", plan->id);
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
        if (!norn_plan_is_told(lists[i].list) || strcmp(lists[i].list, "*") != 0)
            status = take_listed(p, lists[i].list, lists[i].flag, lists[i].role);
    return status;
}

/* --target '*' and its kin, once time and id are known. */
norn_status norn_plan_told_rest(norn_planner *p)
{
    const norn_table_options *o = p->options;
    norn_status status = NORN_OK;
    if (norn_plan_is_told(o->target) && strcmp(o->target, "*") == 0)
        status = take_pattern(p, "*", 1, "--target", NORN_ROLE_TARGET);
    if (status == NORN_OK && norn_plan_is_told(o->future) && strcmp(o->future, "*") == 0)
        status = take_pattern(p, "*", 1, "--future", NORN_ROLE_FUTURE);
    if (status == NORN_OK && norn_plan_is_told(o->statics) && strcmp(o->statics, "*") == 0)
        status = take_pattern(p, "*", 1, "--static", NORN_ROLE_STATIC);
    return status;
}
