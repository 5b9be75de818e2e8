/*
 * From the beginning of a file to the plan: delimiter, header, columns, their roles. Declared in roles.h.
 */
#include "data/planner.h"

#include <stdio.h>
#include <string.h>

/* ---- the header ---- */

/* 0, 1, 2, ... or 1, 2, 3, ... over columns that hold other things: what a data frame without names is saved
 * with. */
static bool first_record_counts(const norn_planner *p)
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
static norn_status lone_header(norn_planner *p, bool *header)
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
static norn_status find_header(norn_planner *p, bool *header)
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

static norn_status name_columns(norn_planner *p)
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

/* ---- the plan ---- */

/* The columns in the order of the table. */
static norn_status gather_values(norn_planner *p)
{
    norn_plan *plan = p->plan;
    size_t n = 0;
    for (size_t list = 0; list < NORN_COUNT(p->listed); list++)
        for (size_t i = 0; i < p->count[list]; i++) plan->values[n++] = p->listed[list][i];
    plan->targets = p->count[NORN_LIST_TARGETS];
    plan->past = p->count[NORN_LIST_PAST];
    plan->future = p->count[NORN_LIST_FUTURE];
    plan->statics = p->count[NORN_LIST_STATICS];
    return NORN_OK;
}

static norn_status make_arrays(norn_planner *p, size_t columns)
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
static bool named_time(const norn_planner *p, size_t column)
{
    size_t length;
    char name[32] = "";
    const char *text = norn_sample_cell(&p->sample, 0, column, &length);
    if (length >= sizeof name) return false;
    memcpy(name, text, length);
    return norn_time_name_of(name) != NORN_NAME_OTHER;
}

/* Is this the column whose times --time-format describes? */
static const norn_time_style *told_style(const norn_planner *p, size_t column)
{
    size_t length, told = NORN_NO_COLUMN;
    if (!p->told_format) return NULL;
    if (!norn_plan_is_told(p->options->time)) return NULL; /* every column is tried, see look_at_columns */
    const char *text = norn_sample_cell(&p->sample, 0, column, &length);
    if (norn_same_text(text, length, p->options->time, true)) return &p->told;
    return norn_plan_number(p, p->options->time, strlen(p->options->time), &told) && told == column ? &p->told
                                                                                                    : NULL;
}

/* With a format told and no column, the columns it fits are times and no others are. */
static norn_status look_at_column(norn_planner *p, size_t column, size_t from)
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

static void free_arrays(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const norn_host *host = &plan->host;
    for (size_t i = 0; p->profiles && i < plan->columns; i++) norn_profile_clear(&p->profiles[i], &p->sample);
    norn_delete(host, p->profiles, plan->columns, sizeof *p->profiles);
    p->profiles = NULL;
    for (size_t i = 0; i < NORN_COUNT(p->listed); i++) {
        norn_delete(host, p->listed[i], plan->columns, sizeof *p->listed[i]);
        p->listed[i] = NULL;
    }
    norn_delete(host, plan->column, plan->columns, sizeof *plan->column);
    norn_delete(host, plan->values, plan->columns, sizeof *plan->values);
    plan->column = NULL;
    plan->values = NULL;
}

static norn_status plan_columns(norn_planner *p)
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
    if (status == NORN_OK) status = norn_plan_note_header(p);
    if (status == NORN_OK && p->from == p->sample.records)
        status = norn_fail_at(p->err, NORN_ERR_DATA, p->file, 0, 0, "the file has a header and no rows");
    if (status == NORN_OK) status = norn_plan_told(p);
    if (status == NORN_OK) norn_plan_time_and_id(p);
    if (status == NORN_OK) status = norn_plan_told_rest(p);
    if (status == NORN_OK) status = norn_plan_note_time(p);
    if (status == NORN_OK) status = norn_plan_note_id(p);
    if (status == NORN_OK) status = norn_plan_note_layout(p);
    if (status == NORN_OK) status = norn_plan_target(p);
    if (status == NORN_OK) status = norn_plan_past(p);
    if (status == NORN_OK) status = gather_values(p);
    return status;
}

/* ---- a line a series ---- */

/* Are the names of the values themselves times that rise: 1960, 1961, ... or 2020-01, 2020-02, ...? */
static norn_status read_header_times(norn_planner *p)
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
static norn_status plan_series_columns(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    char name[NORN_QUOTED];
    if (norn_plan_is_told(o->target) || norn_plan_is_told(o->past) || norn_plan_is_told(o->future))
        return norn_fail_at(
            p->err, NORN_ERR_USAGE, p->file, 0, 0,
            "--target, --past and --future choose columns: in a file with a line a series all numbers "
            "are values of it (--id, --time, --static and --ignore may be given)");
    norn_status status = norn_plan_told(p);
    if (status != NORN_OK) return status;
    if (plan->time_columns > 1)
        return norn_fail_at(
            p->err, NORN_ERR_USAGE, p->file, 0, 0,
            "--time: in a file with a line a series it names one column, where the series begins");
    if (plan->time_columns == 1) plan->style = p->profiles[plan->time[0]].style;
    if (!o->id && plan->id == NORN_NO_COLUMN && !norn_plan_has_role(p, 0) && !p->profiles[0].numeric) {
        plan->id = 0;
        plan->column[0].role = NORN_ROLE_ID;
        status = norn_notes_add(p->notes, &plan->host, p->err, "id", "--id", "\"%s\" names the series",
                                norn_plan_quoted(p, 0, name));
        if (status == NORN_OK) status = norn_plan_note_value(p, 0);
    }
    size_t values = 0;
    for (size_t i = 0; i < plan->columns && status == NORN_OK; i++) {
        if (norn_plan_has_role(p, i)) continue;
        const norn_profile *c = &p->profiles[i];
        plan->column[i].value = c->numeric || c->present == 0;
        values += plan->column[i].value ? 1 : 0;
        if (plan->column[i].value) continue;
        plan->column[i].role = NORN_ROLE_IGNORE;
        status = norn_notes_add(p->notes, &plan->host, p->err, "ignore", "--static",
                                "\"%s\", which holds words", norn_plan_quoted(p, i, name));
    }
    if (status == NORN_OK && values == 0) status = norn_plan_no_target(p);
    for (size_t i = plan->columns; i-- > 0;)
        if (plan->column[i].value) p->listed[NORN_LIST_TARGETS][0] = i; /* the first stands for all */
    p->count[NORN_LIST_TARGETS] = 1;
    return status;
}

/* With a line a series, the first line is a header when its values are none, or are times that rise. */
static norn_status find_series_header(norn_planner *p, bool *header)
{
    *header = p->options->header == NORN_HEADER_YES;
    if (p->options->header != NORN_HEADER_FOUND || p->sample.records < 2) return NORN_OK;
    size_t numbers = 0, others = 0, rising = 0, next = 0;
    double before = 0.0;
    for (size_t i = 0; i < norn_sample_columns(&p->sample, 0); i++) {
        size_t length;
        double number;
        const char *text = norn_sample_cell(&p->sample, 0, i, &length);
        if (i >= p->plan->columns || !p->profiles[i].numeric || norn_is_missing(&p->missing, text, length))
            continue;
        if (norn_number_parse(&p->numbers, text, length, &number)) {
            next += numbers && number == before + 1.0 ? 1 : 0;
            rising += numbers && number > before ? 1 : 0;
            before = number;
            numbers++;
        } else {
            others++;
        }
    }
    /* Where another column of numbers has a name, the years need not follow each other. */
    *header = others > numbers || (numbers > 2 && next + 1 == numbers) ||
              (others && numbers > 1 && rising + 1 == numbers);
    return NORN_OK;
}

static norn_status plan_series(norn_planner *p)
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
    if (status == NORN_OK && plan->header && columns > norn_sample_columns(&p->sample, 0)) {
        free_arrays(p); /* what lies behind the header is no column: series.c refuses it with its line */
        columns = norn_sample_columns(&p->sample, 0);
        status = make_arrays(p, columns);
        for (size_t i = 0; i < columns && status == NORN_OK; i++) status = look_at_column(p, i, 1);
    }
    for (size_t i = 0; i < columns && status == NORN_OK && !plan->header; i++)
        status = look_at_column(p, i, 0);
    if (status == NORN_OK) status = name_columns(p);
    if (status == NORN_OK) status = norn_plan_note_header(p);
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
static norn_status skip_separator_line(norn_planner *p, const char *bytes, size_t size)
{
    norn_plan *plan = p->plan;
    if (size < 6 || !norn_same_text(bytes, 4, "sep=", true) || (bytes[5] != '\n' && bytes[5] != '\r'))
        return NORN_OK;
    plan->skip = bytes[5] == '\r' && size > 6 && bytes[6] == '\n' ? 7 : 6;
    plan->line = 2;
    if (plan->delimiter) return NORN_OK;
    plan->delimiter = bytes[4];
    return norn_notes_add(p->notes, &plan->host, p->err, "delimiter", "--delimiter", "%s, by the first line",
                          norn_plan_delimiter_name(plan->delimiter));
}

static norn_status find_delimiter(norn_planner *p, const char *bytes, size_t size, bool whole)
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
                                norn_plan_delimiter_name(plan->delimiter));
    if (status == NORN_OK && plan->delimiter) {
        const char one[2] = {plan->delimiter, '\0'};
        status = norn_notes_value(p->notes, &plan->host, p->err, plan->delimiter == '\t' ? "tab" : one);
    }
    plan->one_column = !plan->delimiter;
    if (!plan->delimiter) plan->delimiter = ',';
    return status;
}

static norn_status check_zone_and_step(norn_planner *p)
{
    norn_plan *plan = p->plan;
    const norn_table_options *o = p->options;
    char shown[NORN_QUOTED];
    norn_status status = NORN_OK;
    if (norn_plan_is_told(o->zone)) status = norn_zone_open(&plan->zone, o->zone, &plan->host, p->err);
    if (status == NORN_OK && norn_plan_is_told(o->frequency)) {
        plan->has_step = norn_step_parse(o->frequency, &plan->step);
        if (!plan->has_step)
            return norn_fail(
                p->err, NORN_ERR_USAGE,
                "--frequency: expected a step such as \"1 hour\", \"15 min\", \"month\" or \"business "
                "day\", found \"%s\"",
                norn_quote(shown, sizeof shown, o->frequency, strlen(o->frequency), 40));
    }
    if (status == NORN_OK && norn_plan_is_told(o->time_format)) {
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
    norn_planner p = {.plan = plan,
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
    if (status != NORN_OK) {
        const norn_plan rest = {.delimiter = plan->delimiter, .skip = plan->skip, .line = plan->line};
        norn_plan_free(plan);
        *plan = rest; /* how far it came, for those who look for the cause */
    }
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
