/*
 * Which column is what, as declared in roles.h.
 *
 * First every column is looked at by itself (profile): how many cells are numbers, how many are times and of
 * which form, do they rise. Then the roles are given in the order id, time, target, past, each by a small
 * ranking, so that a column that has a role is out of the question for the next. What was told is looked up
 * by name or number.
 */
#include "data/roles.h"

#include <stdio.h>
#include <string.h>

/* What one column of the sample looks like. Counts are of cells that are not missing. */
typedef struct profile {
    size_t present, numbers;
    size_t forms[NORN_FORM_CLOCK + 1]; /* cells readable in each form; INTEGER counts the eight digits too */
    size_t dateish;                    /* not readable as a time, yet digits with separators: 04/30/2021 */
    norn_time_form form;               /* of most cells, or NONE */
    bool numeric;                      /* most cells are numbers */
    size_t up, down;                   /* steps from one row's time to the next */
} profile;

/* Everything the steps of the planning share. */
typedef struct planner {
    norn_plan *plan;
    const norn_sample *sample;
    const norn_table_options *options;
    norn_missing missing;
    norn_numbers numbers;
    norn_notes *notes;
    const char *file;
    profile *profiles; /* [columns] */
    size_t from;       /* the first record of data: 1 with a header, else 0 */
    norn_error *err;
} planner;

/* ---- names ---- */

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool same_text(const char *a, size_t length, const char *b, bool any_case)
{
    if (strlen(b) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (any_case ? lower(a[i]) != lower(b[i]) : a[i] != b[i]) return false;
    return true;
}

static bool one_of(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same_text(name, strlen(name), list[i], true)) return true;
    return false;
}

static bool contains(const char *name, const char *part)
{
    const size_t length = strlen(part);
    for (; strlen(name) >= length; name++)
        if (strlen(part) == length) {
            size_t i = 0;
            while (i < length && lower(name[i]) == part[i]) i++;
            if (i == length) return true;
        }
    return false;
}

/* What columns of times are called. A whole number under a certain name is a time wherever it stands; under a
 * rising name if it rises (nine in ten rows, so that a defect is reported and not stepped around); under a
 * cyclic one only if it never comes round: most months are numbers from 1 to 12. */
typedef enum time_name { NAME_OTHER, NAME_PART, NAME_CYCLIC, NAME_RISING, NAME_CERTAIN } time_name;

static time_name time_name_of(const char *name)
{
    static const char *const certain[] = {"ds", "date", "time", "timestamp", "datetime", "t", "index"};
    static const char *const rising[] = {"year", "period", "step", "date_time"};
    static const char *const cyclic[] = {"quarter", "month", "week", "day", "hour", "minute", "second"};
    if (one_of(name, certain, NORN_COUNT(certain))) return NAME_CERTAIN;
    if (one_of(name, rising, NORN_COUNT(rising))) return NAME_RISING;
    if (one_of(name, cyclic, NORN_COUNT(cyclic))) return NAME_CYCLIC;
    return contains(name, "date") || contains(name, "time") ? NAME_PART : NAME_OTHER;
}

/* A name ready for a message or a decision. */
#define QUOTED 200
static const char *quoted(const planner *p, size_t column, char out[QUOTED])
{
    const char *name = p->plan->names[column];
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

/* Finds the column told by a flag: by its name, by its name in another case, or by its number from 1. */
static norn_status find_column(const planner *p, const char *text, size_t length, const char *flag,
                               size_t *column)
{
    char spec[QUOTED], columns[400];
    for (int any_case = 0; any_case <= 1; any_case++) {
        size_t found = 0;
        for (size_t i = p->plan->columns; i-- > 0;)
            if (same_text(text, length, p->plan->names[i], any_case)) {
                *column = i;
                found++;
            }
        if (found == 1) return NORN_OK;
        if (found > 1)
            return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                                "%zu columns are called \"%s\": name it to %s by its number, as in %s %zu",
                                found, norn_quote(spec, sizeof spec, text, length, 40), flag, flag,
                                *column + 1);
    }
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < length && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        number = number * 10 + (uint64_t)(text[digits] - '0');
    if (length && digits == length && number >= 1 && number <= p->plan->columns) {
        *column = (size_t)number - 1;
        return NORN_OK;
    }
    return norn_fail_at(
        p->err, NORN_ERR_USAGE, p->file, 0, 0, "%s: there is no column \"%s\"; the file has %s", flag,
        norn_quote(spec, sizeof spec, text, length, 40), list_columns(p, columns, sizeof columns));
}

/* ---- profiles ---- */

static bool is_dateish(const char *text, size_t length)
{
    size_t digits = 0, separators = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            digits++;
        else if (strchr("/.-:", text[i]))
            separators++;
    }
    return digits >= 3 && separators >= 2 && length <= 40;
}

static norn_time_form common_form(const profile *c)
{
    /* One number in thirty of eight digits happens to be a date; most of a column never are. */
    if (2 * c->forms[NORN_FORM_COMPACT] > c->present) return NORN_FORM_COMPACT;
    norn_time_form best = NORN_FORM_INTEGER;
    for (int form = NORN_FORM_INTEGER; form <= NORN_FORM_CLOCK; form++)
        if (form != NORN_FORM_COMPACT && c->forms[form] > c->forms[best]) best = (norn_time_form)form;
    return 2 * c->forms[best] > c->present ? best : NORN_FORM_NONE;
}

static void look_at_column(const planner *p, size_t column, size_t from, profile *c)
{
    memset(c, 0, sizeof *c);
    for (size_t r = from; r < p->sample->records; r++) {
        size_t length;
        const char *text = norn_sample_cell(p->sample, r, column, &length);
        if (norn_is_missing(&p->missing, text, length)) continue;
        c->present++;
        double number;
        int64_t time;
        norn_time_style style;
        const bool is_number = norn_number_parse(&p->numbers, text, length, &number);
        if (is_number) c->numbers++;
        if (norn_time_parse(text, length, true, &time, &style)) {
            const bool date = style.form == NORN_FORM_COMPACT;
            /* Eight digits of another age than ours are a number. */
            if (!date || (number >= 15000000 && number < 23000000)) c->forms[style.form]++;
            if (date) c->forms[NORN_FORM_INTEGER]++;
        } else if (!is_number && is_dateish(text, length)) {
            c->dateish++;
        }
    }
    c->numeric = c->present && 2 * c->numbers >= c->present;
    c->form = common_form(c);

    int64_t before = 0;
    bool any = false;
    for (size_t r = from; c->form != NORN_FORM_NONE && r < p->sample->records; r++) {
        size_t length;
        const char *text = norn_sample_cell(p->sample, r, column, &length);
        int64_t time;
        norn_time_style style;
        if (!norn_time_parse(text, length, c->form == NORN_FORM_COMPACT, &time, &style)) continue;
        if (any) {
            c->up += time > before;
            c->down += time < before;
        }
        any = true;
        before = time;
    }
}

/* ---- the header ---- */

/* 0, 1, 2, ... or 1, 2, 3, ... over columns that hold other things: what a data frame without names is saved
 * with. */
static bool first_record_counts(const planner *p)
{
    const size_t columns = p->plan->columns;
    if (columns < 3) return false;
    size_t length, fractions = 0;
    const size_t start = norn_sample_cell(p->sample, 0, 0, &length)[0] == '0' ? 0 : 1;
    for (size_t i = 0; i < columns; i++) {
        char number[24];
        const char *first = norn_sample_cell(p->sample, 0, i, &length);
        (void)snprintf(number, sizeof number, "%zu", i + start);
        if (!same_text(first, length, number, false)) return false;
        fractions += p->profiles[i].numeric && p->profiles[i].form == NORN_FORM_NONE;
    }
    return 2 * fractions >= columns;
}

/* Does the first record name the columns? Its cells are held against what stands below them. */
static bool find_header(const planner *p)
{
    size_t fits = 0, differs = 0;
    if (p->sample->records == 1) {
        for (size_t i = 0; i < p->plan->columns; i++) {
            profile alone;
            look_at_column(p, i, 0, &alone);
            if (alone.numeric || alone.form != NORN_FORM_NONE) return false;
        }
        return true;
    }
    if (first_record_counts(p)) return true;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const profile *below = &p->profiles[i];
        if (!below->numeric && below->form == NORN_FORM_NONE) continue;
        size_t length;
        const char *text = norn_sample_cell(p->sample, 0, i, &length);
        if (norn_is_missing(&p->missing, text, length)) continue;
        double number;
        int64_t time;
        norn_time_style style;
        const bool is_time = norn_time_parse(text, length, true, &time, &style);
        const bool is_number = norn_number_parse(&p->numbers, text, length, &number);
        if (below->form > NORN_FORM_INTEGER && below->form != NORN_FORM_COMPACT && !is_time) return true;
        if (is_time || is_number)
            fits++;
        else
            differs++;
    }
    return fits == 0 || differs > fits;
}

static norn_status name_columns(planner *p)
{
    norn_plan *plan = p->plan;
    for (size_t i = 0; i < plan->columns; i++) {
        size_t length = 0;
        char number[24];
        const char *text = plan->header ? norn_sample_cell(p->sample, 0, i, &length) : "";
        if (length == 0) {
            length = (size_t)snprintf(number, sizeof number, "c%zu", i + 1);
            text = number;
        }
        if (memchr(text, 0, length))
            return norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, i + 1,
                                "a NUL byte in the header: the file is damaged or is not text");
        plan->names[i] = norn_text_copy(&plan->host, text, length);
        if (!plan->names[i]) return norn_fail_memory(p->err, "the names of the columns");
    }
    return NORN_OK;
}

/* ---- what was told ---- */

static bool has_role(const planner *p, size_t column)
{
    const norn_plan *plan = p->plan;
    if (column == plan->time || column == plan->id) return true;
    for (size_t i = 0; i < plan->targets + plan->past; i++)
        if (plan->values[i] == column) return true;
    return false;
}

static norn_status fail_two_roles(const planner *p, const char *flag, size_t column)
{
    char name[QUOTED];
    return norn_fail_at(p->err, NORN_ERR_USAGE, p->file, 0, 0,
                        "%s: column \"%s\" has a role already (time, id, target or past)", flag,
                        quoted(p, column, name));
}

/* Gives a role to the columns a flag lists; a list that is the name of one column is that column. */
static norn_status take_listed(planner *p, const char *list, const char *flag, size_t *count)
{
    norn_error quiet = NORN_ERROR_INIT, *const err = p->err;
    size_t column;
    p->err = &quiet;
    const bool one = find_column(p, list, strlen(list), flag, &column) == NORN_OK;
    p->err = err;
    for (const char *at = list; at;) {
        const char *comma = one ? NULL : strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *text = norn_trim(at, &length);
        const norn_status status = find_column(p, text, length, flag, &column);
        if (status != NORN_OK) return status;
        if (has_role(p, column)) return fail_two_roles(p, flag, column);
        p->plan->values[p->plan->targets + p->plan->past] = column;
        (*count)++;
        at = comma ? comma + 1 : NULL;
    }
    return NORN_OK;
}

static bool is_told(const char *option)
{
    return option && *option;
}

/* Before anything is found, so that what is told is out of the question. */
static norn_status plan_told(planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    norn_status status = NORN_OK;
    plan->time = plan->id = NORN_NO_COLUMN;
    if (is_told(o->id)) status = find_column(p, o->id, strlen(o->id), "--id", &plan->id);
    if (status == NORN_OK && is_told(o->time)) {
        status = find_column(p, o->time, strlen(o->time), "--time", &plan->time);
        if (status == NORN_OK && plan->time == plan->id) status = fail_two_roles(p, "--time", plan->time);
    }
    if (status == NORN_OK && is_told(o->target))
        status = take_listed(p, o->target, "--target", &plan->targets);
    if (status == NORN_OK && is_told(o->past) && strcmp(o->past, "*") != 0)
        status = take_listed(p, o->past, "--past", &plan->past);
    return status;
}

/* ---- id and time ---- */

static bool same_cell(const planner *p, size_t column, size_t a, size_t b)
{
    size_t length_a, length_b;
    const char *text_a = norn_sample_cell(p->sample, a, column, &length_a);
    const char *text_b = norn_sample_cell(p->sample, b, column, &length_b);
    return length_a == length_b && memcmp(text_a, text_b, length_a) == 0;
}

static bool sample_time(const planner *p, size_t column, size_t record, int64_t *time)
{
    size_t length;
    norn_time_style style;
    const char *text = norn_sample_cell(p->sample, record, column, &length);
    return norn_time_parse(text, length, p->profiles[column].form == NORN_FORM_COMPACT, time, &style);
}

/* Does taking this column for the id make the times of every series rise? Looked at over 200 records. */
static bool separates(const planner *p, size_t id, size_t time)
{
    const size_t end = p->sample->records < p->from + 200 ? p->sample->records : p->from + 200;
    size_t pairs = 0;
    for (size_t r = p->from; r < end; r++) {
        int64_t now, before;
        if (!sample_time(p, time, r, &now)) continue;
        for (size_t b = r; b-- > p->from;) {
            if (!same_cell(p, id, r, b) || !sample_time(p, time, b, &before)) continue;
            if (before >= now) return false;
            pairs++;
            break;
        }
    }
    return pairs > 0;
}

/* Does some cell of the column stand in two rows? Looked at over 200 records. */
static bool repeats(const planner *p, size_t column)
{
    const size_t end = p->sample->records < p->from + 200 ? p->sample->records : p->from + 200;
    for (size_t r = p->from; r < end; r++)
        for (size_t b = r; b-- > p->from;)
            if (same_cell(p, column, r, b)) return true;
    return false;
}

static size_t id_by_name(const planner *p)
{
    static const char *const names[] = {"unique_id", "series_id", "item_id", "series", "item", "id", "ts_id"};
    for (size_t k = 0; k < NORN_COUNT(names); k++)
        for (size_t i = 0; i < p->plan->columns; i++) {
            if (!same_text(p->plan->names[i], strlen(p->plan->names[i]), names[k], true)) continue;
            if (!has_role(p, i) && (k == 0 || repeats(p, i))) return i;
        }
    return NORN_NO_COLUMN;
}

/* How well a column serves as the time; 0: not at all. */
static int time_rank(const planner *p, size_t column)
{
    const profile *c = &p->profiles[column];
    const time_name name = time_name_of(p->plan->names[column]);
    if (has_role(p, column) || c->present == 0) return 0;
    if (c->form == NORN_FORM_COMPACT && (name || c->down == 0 || c->up == 0)) return 100 + (int)name;
    if (c->form > NORN_FORM_INTEGER && c->form != NORN_FORM_COMPACT) return 100 + (int)name;
    if (!c->numeric) { /* a date in a style that is not read: taken, so that it is refused by name */
        if (2 * c->dateish > c->present && (name || column == 0)) return 50 + (int)name;
        return name == NAME_CERTAIN ? 40 : 0;
    }
    if (c->form == NORN_FORM_NONE) return 0;
    size_t others = 0;
    for (size_t i = 0; i < p->plan->columns; i++)
        others += i != column && i != p->plan->id && p->profiles[i].numeric;
    if (others == 0) return 0;
    const bool rises = c->up + 1 == c->present;
    if (name == NAME_CERTAIN) return 30;
    if ((name == NAME_RISING || name == NAME_CYCLIC) && p->plan->id != NORN_NO_COLUMN)
        return separates(p, p->plan->id, column) ? 20 : 0;
    if (name == NAME_RISING && 10 * (c->up + 1) >= 9 * c->present) return 20;
    if (name == NAME_CYCLIC && rises) return 20;
    return column == 0 && c->present > 2 && rises ? 10 : 0;
}

static size_t best_time(const planner *p)
{
    size_t best = NORN_NO_COLUMN;
    int best_rank = 0;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const int rank = time_rank(p, i);
        if (rank > best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

/* Text that repeats while times do too, and puts them in order: the country of country, date, value. */
static size_t id_by_content(const planner *p, size_t time)
{
    const profile *t = &p->profiles[time];
    if (t->form == NORN_FORM_NONE || t->up + 1 >= t->present) return NORN_NO_COLUMN;
    for (size_t i = 0; i < p->plan->columns; i++) {
        const profile *c = &p->profiles[i];
        if (has_role(p, i) || c->numeric || c->form != NORN_FORM_NONE) continue;
        if (separates(p, i, time)) return i;
    }
    return NORN_NO_COLUMN;
}

static void find_time_and_id(planner *p)
{
    norn_plan *plan = p->plan;
    const bool find_time = !p->options->time, find_id = !p->options->id;
    if (find_id) plan->id = id_by_name(p);
    if (find_time) plan->time = best_time(p);
    if (find_id && plan->id == NORN_NO_COLUMN && plan->time != NORN_NO_COLUMN)
        plan->id = id_by_content(p, plan->time);
    if (plan->time == NORN_NO_COLUMN) return;
    const profile *c = &p->profiles[plan->time];
    plan->form = c->form;
    plan->newest_first = c->down > 0 && c->up == 0;
}

/* ---- target and past ---- */

static norn_status no_target(const planner *p)
{
    char columns[400];
    return norn_fail_at(
        p->err, p->plan->past ? NORN_ERR_USAGE : NORN_ERR_DATA, p->file, 0, 0,
        "no column of numbers is left to forecast among %s (numbers are read as 1234.5, without thousands "
        "separators or decimal commas; name a column with --target)",
        list_columns(p, columns, sizeof columns));
}

static norn_status find_target(planner *p)
{
    static const char *const names[] = {"y", "target", "close", "value"};
    norn_plan *plan = p->plan;
    char name[QUOTED];
    size_t best = NORN_NO_COLUMN, numeric = 0;
    if (plan->targets) return NORN_OK;
    for (size_t i = 0; i < plan->columns; i++)
        if (p->profiles[i].numeric && !has_role(p, i)) {
            best = i;
            numeric++;
        }
    const char *why = numeric == 1 ? "the only numeric column" : "the last numeric column";
    for (size_t k = NORN_COUNT(names); k-- > 0;)
        for (size_t i = plan->columns; i-- > 0;)
            if (same_text(plan->names[i], strlen(plan->names[i]), names[k], true) && !has_role(p, i)) {
                best = i;
                why = "by its name";
            }
    if (best == NORN_NO_COLUMN) return no_target(p);
    memmove(plan->values + 1, plan->values, plan->past * sizeof *plan->values); /* targets come first */
    plan->values[0] = best;
    plan->targets = 1;
    return norn_notes_add(p->notes, &plan->host, p->err, "target", "--target", "\"%s\", %s",
                          quoted(p, best, name), why);
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
        if (all) plan->values[plan->targets + plan->past++] = i;
    }
    if (p->options->past || others == 0) return NORN_OK;
    if (others == 1)
        return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                              "none; \"%s\" may be an input too", quoted(p, last, name));
    return norn_notes_add(p->notes, &plan->host, p->err, "past", "--past",
                          "none; %zu other numeric columns may be inputs too ('*' for all)", others);
}

/* ---- the plan ---- */

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

static norn_status note_layout(const planner *p)
{
    norn_plan *plan = p->plan;
    char columns[400];
    if (plan->header)
        return norn_notes_add(p->notes, &plan->host, p->err, "header", "", "the first line: %s",
                              list_columns(p, columns, sizeof columns));
    return norn_notes_add(p->notes, &plan->host, p->err, "header", "",
                          plan->columns == 1 ? "none: the column is called c1"
                                             : "none: the columns are called c1 to c%zu",
                          plan->columns);
}

static norn_status note_time_and_id(const planner *p)
{
    static const char *const forms[] = {"", "whole numbers", "months", "dates", "dates", "times"};
    norn_plan *plan = p->plan;
    char name[QUOTED], example[QUOTED];
    norn_status status = NORN_OK;
    if (!p->options->time && plan->time == NORN_NO_COLUMN)
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time",
                                "none found: rows are numbered from 1");
    if (!p->options->time && plan->time != NORN_NO_COLUMN) {
        size_t length;
        const char *first = norn_sample_cell(p->sample, p->from, plan->time, &length);
        status = norn_notes_add(p->notes, &plan->host, p->err, "time", "--time", "\"%s\", %s such as %s",
                                quoted(p, plan->time, name), forms[plan->form],
                                norn_quote(example, sizeof example, first, length, 40));
    }
    if (status == NORN_OK && !p->options->id && plan->id != NORN_NO_COLUMN)
        status = norn_notes_add(p->notes, &plan->host, p->err, "id", "--id", "\"%s\" tells the series apart",
                                quoted(p, plan->id, name));
    return status;
}

static norn_status make(planner *p)
{
    norn_plan *plan = p->plan;
    plan->columns = norn_sample_columns(p->sample, 0);
    plan->names = norn_new(&plan->host, plan->columns, sizeof *plan->names);
    plan->values = norn_new(&plan->host, plan->columns, sizeof *plan->values);
    p->profiles = norn_new(&plan->host, plan->columns, sizeof *p->profiles);
    if (!plan->names || !plan->values || !p->profiles) return norn_fail_memory(p->err, "the columns");

    for (size_t i = 0; i < plan->columns; i++) look_at_column(p, i, 1, &p->profiles[i]);
    plan->header = find_header(p);
    p->from = plan->header ? 1 : 0;
    for (size_t i = 0; i < plan->columns && !plan->header; i++) look_at_column(p, i, 0, &p->profiles[i]);

    norn_status status = name_columns(p);
    if (status == NORN_OK) status = note_layout(p);
    if (status == NORN_OK && p->from == p->sample->records)
        status = norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, 0, "the file has a header and no rows");
    if (status == NORN_OK) status = plan_told(p);
    if (status == NORN_OK) find_time_and_id(p);
    if (status == NORN_OK) status = note_time_and_id(p);
    if (status == NORN_OK) status = find_target(p);
    if (status == NORN_OK) status = find_past(p);
    return status;
}

norn_status norn_plan_make(norn_plan *plan, const char *bytes, size_t size, bool whole, const char *name,
                           const norn_table_options *options, norn_notes *notes, const norn_host *host,
                           norn_error *err)
{
    memset(plan, 0, sizeof *plan);
    plan->host = *host;
    plan->delimiter = options->delimiter;
    norn_sample sample;
    memset(&sample, 0, sizeof sample);
    sample.host = *host;
    planner p = {plan, &sample, options, norn_missing_init(options->na), {NULL, 0, 0}, notes, name,
                 NULL, 0,       err};

    norn_status status = norn_numbers_open(&p.numbers, 0, 0, err);
    if (status == NORN_OK && !options->delimiter) {
        status = norn_sample_delimiter(&plan->delimiter, 0, bytes, size, whole, name, host, err);
        if (status == NORN_OK)
            status = norn_notes_add(notes, host, err, "delimiter", "--delimiter", "%s",
                                    delimiter_name(plan->delimiter));
        if (!plan->delimiter) plan->delimiter = ',';
    }
    if (status == NORN_OK)
        status = norn_sample_read(&sample, plan->delimiter, bytes, size, whole, name, host, err);
    if (status == NORN_OK && sample.records == 0)
        status = norn_fail_at(err, NORN_ERR_DATA, name, 0, 0, "the file is empty");
    if (status == NORN_OK) status = make(&p);

    norn_delete(host, p.profiles, plan->columns, sizeof *p.profiles);
    norn_sample_free(&sample);
    norn_numbers_close(&p.numbers);
    if (status != NORN_OK) norn_plan_free(plan);
    return status;
}

void norn_plan_free(norn_plan *plan)
{
    for (size_t i = 0; plan->names && i < plan->columns; i++) norn_text_delete(&plan->host, plan->names[i]);
    norn_delete(&plan->host, plan->names, plan->columns, sizeof *plan->names);
    norn_delete(&plan->host, plan->values, plan->columns, sizeof *plan->values);
    memset(plan, 0, sizeof *plan);
}
