/*
 * The roles that nobody gave: time, id, target, past in this order, each by a small ranking over what the
 * columns look like (profile.c), so that a column that has a role is out of the question for the next. And
 * what is said about them.
 */
#include "data/planner.h"

#include <stdio.h>
#include <string.h>

/* ---- id and time ---- */

static bool same_cell(const norn_planner *p, size_t column, size_t a, size_t b)
{
    size_t length_a, length_b;
    const char *text_a = norn_sample_cell(&p->sample, a, column, &length_a);
    const char *text_b = norn_sample_cell(&p->sample, b, column, &length_b);
    return length_a == length_b && memcmp(text_a, text_b, length_a) == 0;
}

#define COMPARED 200 /* records */

static size_t compared(const norn_planner *p)
{
    return p->sample.records < p->from + COMPARED ? p->sample.records : p->from + COMPARED;
}

/* Does taking this column for the id put the times of every series in order, rising or falling? */
static bool separates(const norn_planner *p, size_t id, size_t time)
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
static bool repeats(const norn_planner *p, size_t column)
{
    for (size_t r = p->from; r < compared(p); r++)
        for (size_t b = r; b-- > p->from;)
            if (same_cell(p, column, r, b)) return true;
    return false;
}

static size_t id_by_name(const norn_planner *p)
{
    static const char *const names[] = {"unique_id", "series_id", "item_id", "series", "item", "id", "ts_id"};
    for (size_t k = 0; k < NORN_COUNT(names); k++)
        for (size_t i = 0; i < p->plan->columns; i++) {
            const char *name = p->plan->column[i].name;
            if (!norn_same_text(name, strlen(name), names[k], true)) continue;
            if (!norn_plan_has_role(p, i) && (k == 0 || repeats(p, i))) return i;
        }
    return NORN_NO_COLUMN;
}

/* Are there numbers left to forecast when this column is the time? */
static bool leaves_numbers(const norn_planner *p, size_t column)
{
    for (size_t i = 0; i < p->plan->columns; i++)
        if (i != column && i != p->plan->id && p->profiles[i].numeric) return true;
    return false;
}

/* How well a column serves as the time; 0: not at all. */
static int time_rank(const norn_planner *p, size_t column)
{
    const norn_profile *c = &p->profiles[column];
    const norn_time_name name = norn_time_name_of(p->plan->column[column].name);
    const norn_time_form form = c->style.form;
    if (norn_plan_has_role(p, column) || c->present == 0) return 0;
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

/* The parts of a date by what their columns are called. */
static const char *const part_names[][3] = {{"year", "yr", "yyyy"},  {"month", "mon", "mm"},
                                            {"day", "dd", "dom"},    {"hour", "hr", "hh"},
                                            {"minute", "min", "mi"}, {"second", "sec", "ss"}};

/* year, month[, day[, hour[, minute[, second]]]] in columns of whole numbers. */
static size_t find_parts(const norn_planner *p, size_t columns[NORN_TIME_PARTS])
{
    size_t found = 0;
    for (; found < NORN_COUNT(part_names); found++) {
        size_t column = NORN_NO_COLUMN;
        for (size_t i = 0; i < p->plan->columns && column == NORN_NO_COLUMN; i++) {
            const char *name = p->plan->column[i].name;
            if (norn_plan_has_role(p, i) || !p->profiles[i].numeric) continue;
            for (size_t k = 0; k < NORN_COUNT(part_names[0]); k++)
                if (norn_same_text(name, strlen(name), part_names[found][k], true)) column = i;
            if (found == 1 && norn_same_text(name, strlen(name), "quarter", true)) column = i;
        }
        if (column == NORN_NO_COLUMN) break;
        columns[found] = column;
    }
    return found;
}

/* Do the parts stand in several rows each? One in ten is more than a defect. */
static bool parts_repeat(const norn_planner *p, const size_t *columns, size_t count)
{
    size_t same = 0, pairs = 0;
    for (size_t r = p->from + 1; r < p->sample.records; r++, pairs++) {
        size_t i = 0;
        while (i < count && same_cell(p, columns[i], r, r - 1)) i++;
        same += i == count ? 1 : 0;
    }
    return same && 10 * same >= pairs;
}

static void find_time(norn_planner *p)
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
    /* Where they do not tell the rows apart, and no series do, a column that does is the better time. */
    const bool vague = best != NORN_NO_COLUMN && plan->id == NORN_NO_COLUMN && parts_repeat(p, parts, count);
    if (count >= 2 && !vague) {
        memcpy(plan->time, parts, sizeof parts);
        norn_plan_use_parts(p, count);
    } else if (best != NORN_NO_COLUMN) {
        plan->time[0] = best;
        plan->time_columns = 1;
        plan->column[best].role = NORN_ROLE_TIME;
    }
}

/* Text that repeats while times do too, and puts them in order: the country of country, date, value. */
static size_t id_by_content(const norn_planner *p, size_t time)
{
    const norn_profile *t = &p->profiles[time];
    if (!t->times || t->up + 1 >= t->present || t->down + 1 >= t->present) return NORN_NO_COLUMN;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const norn_profile *c = &p->profiles[i];
        if (norn_plan_has_role(p, i) || c->numeric || c->style.form != NORN_FORM_NONE) continue;
        if (separates(p, i, time)) return i;
    }
    return NORN_NO_COLUMN;
}

void norn_plan_time_and_id(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const bool find_id = !p->options->id;
    if (find_id) plan->id = id_by_name(p);
    if (!p->options->time) find_time(p);
    if (find_id && plan->id != NORN_NO_COLUMN && norn_plan_has_role(p, plan->id)) plan->id = NORN_NO_COLUMN;
    if (find_id && plan->id == NORN_NO_COLUMN && plan->time_columns == 1)
        plan->id = id_by_content(p, plan->time[0]);
    if (plan->id != NORN_NO_COLUMN) plan->column[plan->id].role = NORN_ROLE_ID;
    if (plan->time_columns == 1) plan->style = p->profiles[plan->time[0]].style;
}

/* ---- target and past ---- */

/* Do most cells of some column end in a percent sign? */
static bool has_percents(const norn_planner *p)
{
    for (size_t i = 0; i < p->plan->columns; i++) {
        size_t percents = 0, length;
        for (size_t r = p->from; r < p->sample.records; r++) {
            const char *text = norn_sample_cell(&p->sample, r, i, &length);
            percents += length > 1 && text[length - 1] == '%' && text[0] >= '0' && text[0] <= '9' ? 1 : 0;
        }
        if (2 * percents > p->sample.records - p->from) return true;
    }
    return false;
}

/* Would most of the cells of some column be numbers if they were read in another way? */
static const char *other_numbers(const norn_planner *p, size_t *column)
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
            if (norn_plan_has_role(p, i) || p->profiles[i].numeric) continue;
            if (p->profiles[i].style.form != NORN_FORM_NONE) continue;
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
            if (present == 0 || 2 * numbers < present) continue;
            *column = i;
            return ways[w].flags;
        }
    return NULL;
}

norn_status norn_plan_no_target(const norn_planner *p)
{
    char columns[400];
    size_t other;
    const char *flags = other_numbers(p, &other);
    (void)norn_plan_list(p, columns, sizeof columns);
    const norn_status kind =
        p->count[NORN_LIST_PAST] || p->count[NORN_LIST_FUTURE] ? NORN_ERR_USAGE : NORN_ERR_DATA;
    if (flags)
        return norn_fail_at(
            p->err, kind, p->file, 0, 0,
            "no column of numbers is left to forecast among %s (numbers written as here are read with "
            "%s)",
            columns, flags);
    if (has_percents(p))
        return norn_fail_at(
            p->err, kind, p->file, 0, 0,
            "no column of numbers is left to forecast among %s (numbers are written without a percent "
            "sign)",
            columns);
    return norn_fail_at(
        p->err, kind, p->file, 0, 0,
        "no column of numbers is left to forecast among %s (numbers are read as 1234.5; --decimal and "
        "--thousands say otherwise; name a column with --target)",
        columns);
}

norn_status norn_plan_target(norn_planner *p)
{
    static const char *const names[] = {"y", "target", "close", "value"};
    norn_plan *plan = p->plan;
    char name[NORN_QUOTED];
    size_t best = NORN_NO_COLUMN, numeric = 0, other;
    if (p->count[NORN_LIST_TARGETS]) return NORN_OK;
    for (size_t i = 0; i < plan->columns; i++)
        if (p->profiles[i].numeric && !norn_plan_has_role(p, i)) {
            best = i;
            numeric++;
        }
    const char *why = numeric == 1 ? "the only numeric column" : "the last numeric column";
    for (size_t k = NORN_COUNT(names); k-- > 0;)
        for (size_t i = plan->columns; i-- > 0;) {
            const char *called = plan->column[i].name;
            if (!norn_same_text(called, strlen(called), names[k], true) || norn_plan_has_role(p, i)) continue;
            if (p->profiles[i].present && !p->profiles[i].numeric && best != NORN_NO_COLUMN) continue;
            best = i;
            why = "by its name";
        }
    if (best == NORN_NO_COLUMN) return norn_plan_no_target(p);
    const char *flags = strcmp(why, "by its name") == 0 ? NULL : other_numbers(p, &other);
    if (flags)
        return norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, 0,
                            "column \"%s\" holds numbers written in another way (say what to forecast with "
                            "--target, or read them with %s)",
                            norn_plan_quoted(p, other, name), flags);
    norn_plan_give(p, NORN_ROLE_TARGET, best);
    const norn_status status = norn_notes_add(p->notes, &plan->host, p->err, "target", "--target",
                                              "\"%s\", %s", norn_plan_quoted(p, best, name), why);
    return status == NORN_OK ? norn_plan_note_value(p, best) : status;
}

norn_status norn_plan_past(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const bool all = norn_plan_is_told(p->options->past) && strcmp(p->options->past, "*") == 0;
    size_t others = 0, last = 0;
    char name[NORN_QUOTED];
    for (size_t i = 0; i < plan->columns; i++) {
        if (!p->profiles[i].numeric || norn_plan_has_role(p, i)) continue;
        others++;
        last = i;
        if (all) norn_plan_give(p, NORN_ROLE_PAST, i);
    }
    if (p->options->past || p->count[NORN_LIST_FUTURE] || others == 0) return NORN_OK;
    if (others == 1)
        return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                              "none; \"%s\" may be an input too", norn_plan_quoted(p, last, name));
    return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                          "none; %zu other numeric columns may be inputs too ('*' for all)", others);
}

/* ---- what is said ---- */

const char *norn_plan_delimiter_name(char delimiter)
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

norn_status norn_plan_note_header(const norn_planner *p)
{
    norn_plan *plan = p->plan;
    char columns[400];
    norn_status status;
    if (p->options->header != NORN_HEADER_FOUND) return NORN_OK;
    if (plan->header)
        status = norn_notes_add(p->notes, &plan->host, p->err, "header", "--header", "the first line: %s",
                                norn_plan_list(p, columns, sizeof columns));
    else
        status = norn_notes_add(p->notes, &plan->host, p->err, "header", "--header",
                                plan->columns == 1 ? "none: the column is called c1"
                                                   : "none: the columns are called c1 to c%zu",
                                plan->columns);
    return status == NORN_OK ? norn_notes_value(p->notes, &plan->host, p->err, plan->header ? "yes" : "no")
                             : status;
}

norn_status norn_plan_note_time(const norn_planner *p)
{
    norn_plan *plan = p->plan;
    char name[NORN_QUOTED], example[NORN_QUOTED], format[NORN_TIME_FORMAT], value[400] = "";
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
                                 norn_plan_reference(p, plan->time[i], one, sizeof one));
    }
    const char *first = norn_sample_cell(&p->sample, p->from, plan->time[0], &length);
    (void)norn_quote(example, sizeof example, first, length, 40);
    (void)norn_plan_quoted(p, plan->time[0], name);
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

norn_status norn_plan_note_id(const norn_planner *p)
{
    norn_plan *plan = p->plan;
    char name[NORN_QUOTED];
    if (p->options->id || plan->id == NORN_NO_COLUMN) return NORN_OK;
    const norn_status status =
        norn_notes_add(p->notes, &plan->host, p->err, "id", "--id", "\"%s\" tells the series apart",
                       norn_plan_quoted(p, plan->id, name));
    return status == NORN_OK ? norn_plan_note_value(p, plan->id) : status;
}

/* A file read with a line a time that has no times, but a name of its own in every line: was that meant? */
norn_status norn_plan_note_layout(const norn_planner *p)
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
