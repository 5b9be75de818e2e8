/*
 * The header of the Monash archive's .tsf files (Godahewa et al. 2021): lines of @attribute NAME TYPE,
 * @frequency and the like up to @data; then a line a series, its attributes and its values separated by
 * colons, the values by commas. The attributes become columns of the plan; the values are read by series.c.
 */
#include "data/csv.h"
#include "data/profile.h"
#include "data/roles.h"

#include <stdio.h>
#include <string.h>

#define MOST_ATTRIBUTES 64

/* What is known of the header so far. */
typedef struct tsf_header {
    norn_plan *plan;
    const norn_table_options *options;
    norn_notes *notes;
    const char *file;
    norn_plan_column columns[MOST_ATTRIBUTES];
    size_t count;
    bool start; /* an attribute is the time of the first value */
    norn_error *err;
} tsf_header;

static const char *take_word(const char **at, const char *end, size_t *length)
{
    while (*at < end && (**at == ' ' || **at == '\t')) (*at)++;
    const char *word = *at;
    while (*at < end && **at != ' ' && **at != '\t') (*at)++;
    *length = (size_t)(*at - word);
    return word;
}

static norn_status take_attribute(tsf_header *h, const char *at, const char *end)
{
    norn_plan *plan = h->plan;
    size_t length, kind_length;
    const char *name = take_word(&at, end, &length), *kind = take_word(&at, end, &kind_length);
    char shown[120];
    const bool date = norn_same_text(kind, kind_length, "date", true);
    const bool number = norn_same_text(kind, kind_length, "numeric", true);
    if (length == 0 || !(date || number || norn_same_text(kind, kind_length, "string", true)))
        return norn_fail_at(h->err, NORN_ERR_DATA, h->file, plan->line, 0,
                            "expected @attribute NAME string, numeric or date, found \"%s\"",
                            norn_quote(shown, sizeof shown, name, (size_t)(end - name), 60));
    if (h->count == MOST_ATTRIBUTES)
        return norn_fail_at(h->err, NORN_ERR_DATA, h->file, plan->line, 0, "more than %d attributes",
                            MOST_ATTRIBUTES);
    norn_plan_column *c = &h->columns[h->count];
    *c = (norn_plan_column){.words = !number && !date, .time = date};
    c->name = norn_text_copy(&plan->host, name, length);
    if (!c->name) return norn_fail_memory(h->err, "the attributes");
    h->count++;
    return NORN_OK;
}

static norn_status take_frequency(tsf_header *h, const char *at, const char *end)
{
    norn_plan *plan = h->plan;
    size_t length;
    char text[64], shown[120];
    const char *word = take_word(&at, end, &length);
    if (h->options->frequency && *h->options->frequency) return NORN_OK;
    const size_t kept = length < sizeof text - 1 ? length : sizeof text - 1;
    memcpy(text, word, kept);
    text[kept] = '\0';
    plan->has_step = length < sizeof text && norn_step_parse(text, &plan->step);
    if (plan->has_step) return NORN_OK;
    return norn_fail_at(
        h->err, NORN_ERR_DATA, h->file, plan->line, 0,
        "@frequency: expected a step such as hourly, 10_minutes or monthly, found \"%s\" (--frequency "
        "says it)",
        norn_quote(shown, sizeof shown, word, length, 40));
}

static norn_status take_line(tsf_header *h, const char *at, const char *end)
{
    size_t length;
    char shown[120];
    if (memchr(at, 0, (size_t)(end - at)) || norn_utf8_valid(at, (size_t)(end - at)) < (size_t)(end - at))
        return norn_fail_at(h->err, NORN_ERR_DATA, h->file, h->plan->line, 0,
                            "a byte in the header that is not text in UTF-8 (iconv recodes files)");
    const char *word = take_word(&at, end, &length);
    if (length == 0 || *word == '#') return NORN_OK;
    if (norn_same_text(word, length, "@attribute", true)) return take_attribute(h, at, end);
    if (norn_same_text(word, length, "@frequency", true)) return take_frequency(h, at, end);
    if (norn_same_text(word, length, "@horizon", true)) {
        const char *number = take_word(&at, end, &length);
        return norn_notes_add(h->notes, &h->plan->host, h->err, "header", "",
                              "its authors forecast %s rows (--horizon)",
                              norn_quote(shown, sizeof shown, number, length, 20));
    }
    static const char *const known[] = {"@relation", "@missing", "@equallength"};
    for (size_t i = 0; i < NORN_COUNT(known); i++)
        if (norn_same_text(word, length, known[i], true)) return NORN_OK;
    return norn_fail_at(h->err, NORN_ERR_DATA, h->file, h->plan->line, 0,
                        "expected a line such as @attribute, @frequency or @data in the header, found \"%s\"",
                        norn_quote(shown, sizeof shown, word, length, 40));
}

/* Does a list of names, separated by commas, hold this one? NULL: it does not. */
static bool in_list(const char *list, const char *name)
{
    while (list) {
        const char *comma = strchr(list, ',');
        size_t length = comma ? (size_t)(comma - list) : strlen(list);
        const char *item = norn_trim(list, &length);
        if (norn_same_text(item, length, name, true) || norn_matches(item, length, name)) return true;
        list = comma ? comma + 1 : NULL;
    }
    return false;
}

/* Every name that a flag lists must be that of an attribute. */
static norn_status check_list(const tsf_header *h, const char *list, const char *flag)
{
    const norn_plan *plan = h->plan;
    char shown[120];
    while (list && *list) {
        const char *comma = strchr(list, ',');
        size_t length = comma ? (size_t)(comma - list) : strlen(list);
        const char *item = norn_trim(list, &length);
        bool found = false;
        for (size_t i = 0; i + 1 < plan->columns && !found; i++)
            found = norn_same_text(item, length, plan->column[i].name, true) ||
                    norn_matches(item, length, plan->column[i].name);
        if (!found)
            return norn_fail_at(h->err, NORN_ERR_USAGE, h->file, 0, 0,
                                "%s: the header has no attribute \"%s\"", flag,
                                norn_quote(shown, sizeof shown, item, length, 40));
        list = comma ? comma + 1 : NULL;
    }
    return NORN_OK;
}

static norn_status check_told(const tsf_header *h)
{
    const norn_table_options *o = h->options;
    const char *const columns[] = {o->target, o->past, o->future};
    for (size_t i = 0; i < NORN_COUNT(columns); i++)
        if (columns[i] && *columns[i])
            return norn_fail_at(
                h->err, NORN_ERR_USAGE, h->file, 0, 0,
                "--target, --past and --future choose columns: a .tsf file has a line a series (--id, "
                "--time, --static and --ignore choose among its attributes)");
    norn_status status = check_list(h, o->statics, "--static");
    if (status == NORN_OK) status = check_list(h, o->ignore, "--ignore");
    if (status == NORN_OK) status = check_list(h, o->id, "--id");
    if (status == NORN_OK) status = check_list(h, o->time, "--time");
    return status;
}

/* Roles of the attributes: the first string is the id, the date the start, numbers are static. */
static norn_status give_roles(tsf_header *h)
{
    norn_plan *plan = h->plan;
    const norn_table_options *o = h->options;
    plan->columns = h->count + 1; /* and the first of the values */
    plan->column = norn_new(&plan->host, plan->columns, sizeof *plan->column);
    plan->values = norn_new(&plan->host, plan->columns, sizeof *plan->values);
    if (!plan->column || !plan->values) return norn_fail_memory(h->err, "the attributes");
    memcpy(plan->column, h->columns, h->count * sizeof *plan->column);
    h->count = 0; /* the plan owns the names from here */
    norn_plan_column *value = &plan->column[plan->columns - 1];
    *value = (norn_plan_column){.value = true};
    value->name = norn_text_copy(&plan->host, "value", 5);
    if (!value->name) return norn_fail_memory(h->err, "the attributes");
    for (size_t i = 0; i + 1 < plan->columns; i++) {
        norn_plan_column *c = &plan->column[i];
        const bool told = in_list(o->statics, c->name);
        const bool start = c->time && (!o->time || in_list(o->time, c->name));
        const bool names = o->id ? in_list(o->id, c->name) : c->words && !told;
        if (in_list(o->ignore, c->name)) {
            c->role = NORN_ROLE_IGNORE;
        } else if (start && plan->time_columns == 0) {
            c->role = NORN_ROLE_TIME;
            plan->time[plan->time_columns++] = i;
        } else if (names && plan->id == NORN_NO_COLUMN) {
            c->role = NORN_ROLE_ID;
            plan->id = i;
        } else if (!c->time && (told || (!c->words && !o->statics))) {
            c->role = NORN_ROLE_STATIC;
            plan->values[1 + plan->statics++] = i;
        } else {
            c->role = NORN_ROLE_IGNORE;
        }
    }
    plan->values[0] = plan->columns - 1;
    plan->targets = 1;
    return check_told(h);
}

/* Times of a .tsf are written 1990-01-01 00-00-00, and printed as fine as the step. */
static norn_status choose_style(tsf_header *h)
{
    norn_plan *plan = h->plan;
    if (plan->time_columns == 0) return NORN_OK;
    if (!plan->has_step)
        return norn_fail_at(h->err, NORN_ERR_DATA, h->file, 0, 0,
                            "the header has no @frequency (--frequency says it)");
    return norn_time_style_compile(&plan->style, "%Y-%m-%d %H-%M-%S", h->err);
}

norn_status norn_plan_tsf(norn_plan *plan, bool *is_tsf, const char *bytes, size_t size, const char *name,
                          const norn_table_options *options, norn_notes *notes, norn_error *err)
{
    tsf_header h = {.plan = plan, .options = options, .notes = notes, .file = name, .err = err};
    size_t at = 0;
    bool begun = false;
    *is_tsf = false;
    norn_status status = NORN_OK;
    plan->line = 0;
    while (at < size && status == NORN_OK) {
        const char *line = bytes + at, *newline = memchr(line, '\n', size - at);
        size_t length = newline ? (size_t)(newline - line) : size - at;
        at += length + (newline ? 1 : 0);
        if (length && line[length - 1] == '\r') length--;
        plan->line++;
        if (!begun) { /* a comment or nothing stands before the first @ */
            size_t text = length;
            const char *word = norn_trim(line, &text);
            if (text && *word == '#') continue;
            if (text == 0) continue;
            if (!(text >= 9 && norn_same_text(word, 9, "@relation", true)) &&
                !(text >= 10 && norn_same_text(word, 10, "@attribute", true)))
                break;
            begun = *is_tsf = true;
            plan->layout = NORN_LAYOUT_TSF;
        }
        size_t word_length;
        const char *from = line, *word = take_word(&from, line + length, &word_length);
        if (norn_same_text(word, word_length, "@data", true)) {
            plan->skip = at;
            plan->line++;
            plan->delimiter = ',';
            status = give_roles(&h);
            if (status == NORN_OK) status = choose_style(&h);
            if (status == NORN_OK)
                status = norn_notes_add(notes, &plan->host, err, "layout", "--layout",
                                        "a .tsf file: a line a series");
            if (status == NORN_OK) status = norn_notes_value(notes, &plan->host, err, "tsf");
            goto done;
        }
        status = take_line(&h, line, line + length);
    }
    if (status == NORN_OK && (begun || options->layout == NORN_LAYOUT_TSF))
        status =
            norn_fail_at(err, NORN_ERR_DATA, name, plan->line, 0,
                         begun ? "the header of a .tsf file must end in a line @data"
                               : "expected a .tsf file, whose header begins with @relation or @attribute");
    plan->line = 1;
done:
    for (size_t i = 0; i < h.count; i++) norn_text_delete(&plan->host, h.columns[i].name);
    return status;
}
