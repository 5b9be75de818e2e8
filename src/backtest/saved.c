/*
 * From the records of a file to a backtest; see saved.h.
 *
 * Times are read by the reader of tables, so that every way of writing them that norn knows is known here: it
 * is given a file of our own making, a line for each time of each series (cutoffs too) with the number of
 * that time and the truth. The number is its target, which is never missing, and so every row comes back in
 * order and can be told; then the two columns change places.
 *
 * Rows are counted by the times that stand in the file: row j of a fold is the (j+1)th time after its cutoff
 * that any fold of its series has.
 */
#include "backtest/saved.h"

#include "backtest/run.h"
#include "backtest/saved_file.h"
#include "data/table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(NORN_COUNT(((norn_saved *)0)->names) == NORN_BACKTEST_MODELS, "a name for each model");

void norn_saved_free(norn_saved *saved, const norn_host *host)
{
    if (!saved) return;
    for (size_t b = 0; b < saved->band_count; b++) {
        norn_delete(host, saved->bands[b].low, saved->values, sizeof(double));
        norn_delete(host, saved->bands[b].high, saved->values, sizeof(double));
    }
    for (size_t m = 0; m < NORN_COUNT(saved->names); m++) norn_text_delete(host, saved->names[m]);
    norn_delete(host, saved->bands, saved->band_count, sizeof *saved->bands);
    norn_delete(host, saved->truth, saved->values, sizeof *saved->truth);
    norn_delete(host, saved->rows, saved->values, sizeof *saved->rows);
    norn_delete(host, saved->known, saved->places, sizeof *saved->known);
    norn_delete(host, saved->cutoffs, saved->places, sizeof *saved->cutoffs);
    norn_delete(host, saved, 1, sizeof *saved);
}

/* Everything on the way from records to a backtest. Letters: S series, K folds, h horizon, T times. */
typedef struct maker {
    const norn_saved_options *options;
    const char *name;
    norn_error *err;
    norn_host host;
    norn_saved_file file;
    norn_table *table;
    norn_backtest *b;
    size_t times;      /* T */
    double *truth;     /* [T] of a time of a series; NaN: none, or a cutoff alone */
    bool *is_row;      /* [T] the file has it as a row, and not as a cutoff alone */
    uint64_t *line;    /* [T] of the file, where it stands first */
    size_t *row_of;    /* [T] of its series in the table */
    size_t *series_of; /* [S by id] in the table */
    size_t *nth;       /* [T] rows of the file up to it, of its series */
    size_t series, folds, horizon;
    size_t *fold_of; /* [T] number of a cutoff among the folds; SIZE_MAX: none */
} maker;

/* ---- the times ---- */

static norn_status gather_times(maker *k)
{
    norn_saved_file *const f = &k->file;
    const size_t times = k->times = f->keys.count;
    k->truth = norn_new(&k->host, times, sizeof *k->truth);
    k->is_row = norn_new(&k->host, times, sizeof *k->is_row);
    k->line = norn_new(&k->host, times, sizeof *k->line);
    k->row_of = norn_new(&k->host, times, sizeof *k->row_of);
    k->nth = norn_new(&k->host, times, sizeof *k->nth);
    k->fold_of = norn_new(&k->host, times, sizeof *k->fold_of);
    if (!k->truth || !k->is_row || !k->line || !k->row_of || !k->nth || !k->fold_of)
        return norn_fail_memory(k->err, "the times of a file");
    for (size_t t = 0; t < times; t++) {
        k->truth[t] = NAN;
        k->fold_of[t] = SIZE_MAX;
    }
    for (size_t n = 0; n < f->count; n++) {
        const norn_saved_record *const record = &f->records[n];
        const double y = f->values[n * f->width];
        if (!k->line[record->cutoff]) k->line[record->cutoff] = record->line;
        if (!k->line[record->time]) k->line[record->time] = record->line;
        if (isfinite(k->truth[record->time]) && isfinite(y) && k->truth[record->time] != y)
            return norn_fail_at(k->err, NORN_ERR_DATA, k->name, record->line, 0,
                                "the truth of this time was another one in an earlier line");
        if (isfinite(y)) k->truth[record->time] = y;
        k->is_row[record->time] = true;
    }
    return NORN_OK;
}

/* The file of our own making as a stream. */
typedef struct source {
    const maker *k;
    size_t next; /* time; SIZE_MAX: the header */
    char *text;  /* what was made and not taken yet */
    size_t room, length, taken;
    bool failed; /* memory is exhausted */
} source;

static void quote_field(char **to, const char *from, size_t length)
{
    *(*to)++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '"') *(*to)++ = '"';
        *(*to)++ = from[i];
    }
    *(*to)++ = '"';
}

/* False: no memory. */
static bool make_line(source *s)
{
    enum { NUMBERS = 80 };
    const maker *const k = s->k;
    const norn_group *const key = s->next == SIZE_MAX ? NULL : &k->file.keys.items[s->next];
    const size_t id = key ? strtoul(key->id, NULL, 10) : 0;
    const norn_group *const group = &k->file.ids.items[id];
    const size_t room = key ? 2 * (key->id_length + group->id_length) + NUMBERS : NUMBERS;
    void *text = s->text;
    if (room > s->room) {
        if (!norn_resize(&k->host, &text, s->room, room, 1)) return false;
        s->text = text;
        s->room = room;
    }
    char *to = s->text;
    if (!key) {
        to += snprintf(to, s->room, "id,time,n,y\n");
    } else {
        const char *const time = strchr(key->id, '\x1f') + 1;
        /* an id of nothing but blanks would be missing there */
        quote_field(&to, group->id_length ? group->id : "y", group->id_length ? group->id_length : 1);
        *to++ = ',';
        quote_field(&to, time, strlen(time));
        to += snprintf(to, NUMBERS, ",%zu,", s->next);
        if (isfinite(k->truth[s->next])) to += snprintf(to, NUMBERS, "%.17g", k->truth[s->next]);
        *to++ = '\n';
    }
    s->length = (size_t)(to - s->text);
    s->taken = 0;
    s->next++;
    return true;
}

static size_t read_source(void *user, void *buffer, size_t size)
{
    source *const s = user;
    size_t done = 0;
    while (done < size) {
        if (s->taken == s->length) {
            if (s->next != SIZE_MAX && s->next >= s->k->times) break;
            if (!make_line(s)) {
                s->failed = true;
                return (size_t)-1;
            }
        }
        const size_t left = s->length - s->taken, now = left < size - done ? left : size - done;
        memcpy((char *)buffer + done, s->text + s->taken, now);
        s->taken += now;
        done += now;
    }
    return done;
}

/* The column of the truth takes the place of that of the numbers. */
static void exchange(norn_table *t)
{
    const norn_column column = t->columns[0];
    char *const name = t->names[0];
    t->columns[0] = t->columns[1];
    t->columns[1] = column;
    t->names[0] = t->names[1];
    t->names[1] = name;
}

static norn_status read_times(maker *k)
{
    norn_table_options how = NORN_TABLE_OPTIONS_INIT;
    how.id = "id";
    how.time = "time";
    how.target = "n";
    how.past = "y";
    how.delimiter = ',';
    how.header = NORN_HEADER_YES;
    how.on_missing_input = NORN_MISSING_MASK;
    how.on_unsorted = NORN_UNSORTED_SORT;
    bool any = false;
    for (size_t t = 0; t < k->times && !any; t++) any = isfinite(k->truth[t]);
    if (!any) return norn_fail_at(k->err, NORN_ERR_DATA, k->name, 0, 0, "no row has a truth (--target)");
    source s = {.k = k, .next = SIZE_MAX};
    norn_error own = NORN_ERROR_INIT;
    const norn_status status =
        norn_table_read_stream(&k->table, read_source, &s, k->name, &how, &k->host, &own);
    norn_delete(&k->host, s.text, s.room, 1);
    if (s.failed) return norn_fail_memory(k->err, "the times of a file");
    if (status != NORN_OK) { /* its lines are those of the file we made */
        const uint64_t line = own.line >= 2 && own.line - 2 < k->times ? k->line[own.line - 2] : 0;
        if (status == NORN_ERR_DATA) return norn_fail_at(k->err, status, k->name, line, 0, "%s", own.message);
        return norn_fail(k->err, status, "%s", own.message);
    }
    for (size_t v = 0; v < norn_table_series_count(k->table); v++) {
        const double *const number = norn_table_target(k->table, v);
        for (size_t row = 0; row < norn_table_rows(k->table, v); row++) k->row_of[(size_t)number[row]] = row;
    }
    return NORN_OK;
}

/* Which series of the table an id became: that of any of its times. */
static norn_status match_series(maker *k)
{
    const size_t all = norn_table_series_count(k->table);
    k->series = k->file.ids.count;
    if (all != k->series) /* an id and the same one with blanks around it */
        return norn_fail_at(k->err, NORN_ERR_DATA, k->name, 0, 0, "ids differ in blanks only");
    k->series_of = norn_new(&k->host, k->series, sizeof *k->series_of);
    if (!k->series_of) return norn_fail_memory(k->err, "the series of a file");
    for (size_t v = 0; v < all; v++) {
        const double *const number = norn_table_target(k->table, v);
        size_t seen = 0;
        for (size_t row = 0; row < norn_table_rows(k->table, v); row++) {
            const size_t t = (size_t)number[row];
            k->series_of[strtoul(k->file.keys.items[t].id, NULL, 10)] = v;
            seen += k->is_row[t];
            k->nth[t] = seen;
        }
    }
    return NORN_OK;
}

/* ---- folds ---- */

typedef struct cutoff {
    int64_t time;
    size_t series, key;
} cutoff;

static int by_time(const void *a, const void *b)
{
    const cutoff *const x = a, *const y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->series > y->series) - (x->series < y->series);
}

static int by_series(const void *a, const void *b)
{
    const cutoff *const x = a, *const y = b;
    if (x->series != y->series) return x->series < y->series ? -1 : 1;
    return (x->time > y->time) - (x->time < y->time);
}

/* Cutoffs of several series are one fold where they are of one time, if that gives no more folds than a
 * series has; series that end at different times have theirs matched from the last on. */
static norn_status number_folds(maker *k)
{
    size_t count = 0, most = 0, different = 0;
    cutoff *list = norn_new(&k->host, k->times, sizeof *list);
    if (!list) return norn_fail_memory(k->err, "the cutoffs");
    for (size_t n = 0; n < k->file.count; n++) {
        const norn_saved_record *const record = &k->file.records[n];
        if (k->fold_of[record->cutoff] != SIZE_MAX) continue;
        const size_t series = k->series_of[record->id];
        k->fold_of[record->cutoff] = 0;
        list[count++] =
            (cutoff){norn_table_times(k->table, series)[k->row_of[record->cutoff]], series, record->cutoff};
    }
    qsort(list, count, sizeof *list, by_series);
    for (size_t i = 0, run = 0; i < count; i++) {
        run = i && list[i].series == list[i - 1].series ? run + 1 : 1;
        if (run > most) most = run;
    }
    for (size_t i = count, back = 0; i-- > 0;) { /* from the last on */
        back = i + 1 < count && list[i].series == list[i + 1].series ? back + 1 : 0;
        k->fold_of[list[i].key] = most - 1 - back;
    }
    qsort(list, count, sizeof *list, by_time);
    for (size_t i = 0; i < count; i++) different += i == 0 || list[i].time != list[i - 1].time;
    for (size_t i = 0, fold = 0; i < count && different == most; i++) {
        fold += i && list[i].time != list[i - 1].time;
        k->fold_of[list[i].key] = fold;
    }
    k->folds = most;
    norn_delete(&k->host, list, k->times, sizeof *list);
    return NORN_OK;
}

/* Which row of its fold a record is; SIZE_MAX: it does not lie after its cutoff. */
static size_t row_in_fold(const maker *k, const norn_saved_record *record)
{
    if (k->row_of[record->time] <= k->row_of[record->cutoff]) return SIZE_MAX;
    return k->nth[record->time] - k->nth[record->cutoff] - 1;
}

static norn_status find_horizon(maker *k)
{
    enum { FEWEST_IN_USE = 200 }; /* a file of which one place in so many has a row is none of folds */
    const norn_saved_file *const f = &k->file;
    for (size_t n = 0; n < f->count; n++) {
        const size_t j = row_in_fold(k, &f->records[n]);
        if (j == SIZE_MAX)
            return norn_fail_at(k->err, NORN_ERR_DATA, k->name, f->records[n].line, 0,
                                "the time does not lie after the cutoff");
        if (j + 1 > k->horizon) k->horizon = j + 1;
    }
    const double places = (double)k->series * (double)k->folds * (double)k->horizon;
    if (places > 1e6 && places > (double)FEWEST_IN_USE * (double)f->count)
        return norn_fail_at(
            k->err, NORN_ERR_DATA, k->name, 0, 0,
            "its rows do not stand in folds: %zu series, %zu cutoffs, up to %zu rows after one", k->series,
            k->folds, k->horizon);
    return NORN_OK;
}

/* Rows from one fold of the first series to the next; 0: it lacks one of them. */
static size_t step_before(const norn_saved *saved, size_t fold)
{
    const size_t a = saved->cutoffs[fold - 1], b = saved->cutoffs[fold];
    return a == SIZE_MAX || b == SIZE_MAX ? 0 : b - a;
}

/* The step that stands there most often. */
static size_t usual_step(const maker *k, const norn_saved *saved)
{
    size_t best = 0, often = 0;
    for (size_t fold = 1; fold < k->folds; fold++) {
        const size_t own = step_before(saved, fold);
        size_t same = 0;
        for (size_t other = 1; other < k->folds && own; other++) same += step_before(saved, other) == own;
        if (same > often) {
            often = same;
            best = own;
        }
    }
    return best ? best : k->horizon;
}

/* ---- the backtest ---- */

/* Which of our simple forecasts a column is. */
static const norn_forecaster *kind_of(const char *name)
{
    static const struct {
        const char *name;
        const norn_forecaster *kind;
    } known[] = {{"naive", &norn_model_naive},
                 {"randomwalk", &norn_model_naive},
                 {"seasonalnaive", &norn_model_seasonal_naive},
                 {"snaive", &norn_model_seasonal_naive},
                 {"naiveseasonal", &norn_model_seasonal_naive},
                 {"naive2", &norn_model_naive2},
                 {"nlinear", &norn_model_nlinear}};
    char plain[32];
    size_t length = 0;
    for (const char *at = name; *at && length < sizeof plain - 1; at++)
        if (isalnum((unsigned char)*at)) plain[length++] = (char)tolower((unsigned char)*at);
    plain[length] = '\0';
    for (size_t i = 0; i < NORN_COUNT(known); i++)
        if (strcmp(plain, known[i].name) == 0) return known[i].kind;
    return NULL;
}

static double *fresh(const maker *k, size_t count)
{
    double *const out = norn_new(&k->host, count, sizeof *out);
    for (size_t i = 0; out && i < count; i++) out[i] = NAN;
    return out;
}

/* The model of a band: the one of its name, or the middle that NeuralForecast gives beside quantiles. */
static size_t model_of(const norn_backtest *b, const char *name)
{
    char middle[512];
    (void)snprintf(middle, sizeof middle, "%s-median", name);
    for (size_t m = 0; m < b->model_count; m++)
        if (strcmp(b->models[m].name, name) == 0 || strcmp(b->models[m].name, middle) == 0) return m;
    return SIZE_MAX;
}

static norn_status add_models(maker *k)
{
    norn_backtest *const b = k->b;
    const norn_saved_file *const f = &k->file;
    for (size_t c = 0; c < f->column_count; c++) {
        if (f->columns[c].role != NORN_SAVED_MODEL || !f->columns[c].seen) continue;
        if (b->model_count == NORN_BACKTEST_MODELS)
            return norn_fail_at(k->err, NORN_ERR_DATA, k->name, 1, c + 1, "more than %d models",
                                (int)NORN_BACKTEST_MODELS);
        char *const name = norn_text_copy(&k->host, f->columns[c].name, strlen(f->columns[c].name));
        if (!name) return norn_fail_memory(k->err, "the models");
        b->saved->names[b->model_count] = name;
        norn_model *const model = &b->models[b->model_count++];
        *model = (norn_model){.name = name, .kind = kind_of(name), .forecasts = fresh(k, b->saved->values)};
        if (!model->forecasts) return norn_fail_memory(k->err, "the forecasts");
    }
    if (b->model_count) return NORN_OK;
    return norn_fail_at(k->err, NORN_ERR_DATA, k->name, 1, 0, "no column of numbers is a model's forecast");
}

/* The other end of the band that a column begins, or NORN_NO_COLUMN. */
static size_t other_end(const norn_saved_file *f, size_t c)
{
    for (size_t other = 0; other < f->column_count; other++)
        if (f->columns[other].role == NORN_SAVED_HIGH && f->columns[other].level == f->columns[c].level &&
            strcmp(f->columns[other].name, f->columns[c].name) == 0)
            return other;
    return NORN_NO_COLUMN;
}

static int by_model(const void *a, const void *b)
{
    const norn_band *const x = a, *const y = b;
    if (x->model != y->model) return x->model < y->model ? -1 : 1;
    return (x->level < y->level) - (x->level > y->level);
}

static void place(const maker *k, double *out, size_t column)
{
    const norn_saved_file *const f = &k->file;
    for (size_t n = 0; n < f->count; n++) {
        const norn_saved_record *const record = &f->records[n];
        const size_t at = (k->series_of[record->id] * k->folds + k->fold_of[record->cutoff]) * k->horizon;
        out[at + row_in_fold(k, record)] = f->values[n * f->width + f->columns[column].value];
    }
}

static norn_status add_bands(maker *k)
{
    norn_saved *const saved = k->b->saved;
    const norn_saved_file *const f = &k->file;
    size_t count = 0;
    for (size_t c = 0; c < f->column_count; c++)
        count += f->columns[c].role == NORN_SAVED_LOW && other_end(f, c) != NORN_NO_COLUMN &&
                 model_of(k->b, f->columns[c].name) != SIZE_MAX;
    if (!count) return NORN_OK;
    saved->bands = norn_new(&k->host, count, sizeof *saved->bands);
    if (!saved->bands) return norn_fail_memory(k->err, "the bands");
    saved->band_count = count;
    for (size_t c = 0, to = 0; c < f->column_count; c++) {
        const size_t other = f->columns[c].role == NORN_SAVED_LOW ? other_end(f, c) : NORN_NO_COLUMN;
        const size_t model = other == NORN_NO_COLUMN ? SIZE_MAX : model_of(k->b, f->columns[c].name);
        if (model == SIZE_MAX) continue;
        norn_band *const band = &saved->bands[to++];
        *band = (norn_band){model, f->columns[c].level, fresh(k, saved->values), fresh(k, saved->values)};
        if (!band->low || !band->high) return norn_fail_memory(k->err, "the bands");
        place(k, band->low, c);
        place(k, band->high, other);
    }
    qsort(saved->bands, count, sizeof *saved->bands, by_model);
    return NORN_OK;
}

/* What metrics know of a series: its scales, of all its rows, and the truth at each cutoff. */
static void know(const maker *k, size_t season)
{
    norn_saved *const saved = k->b->saved;
    for (size_t v = 0; v < k->series; v++) {
        const double *const y = norn_table_target(k->table, v);
        const size_t rows = norn_table_rows(k->table, v);
        norn_scale_sums sums = {0}, single = {0};
        double scale, square;
        norn_scales_of(&sums, y, rows, season, &scale, &square);
        if (!(scale > 0.0)) norn_scales_of(&single, y, rows, 1, &scale, &square);
        for (size_t fold = 0; fold < k->folds; fold++) {
            const size_t row = saved->cutoffs[v * k->folds + fold];
            saved->known[v * k->folds + fold] = (norn_known){row == SIZE_MAX ? NAN : y[row], scale, square};
        }
    }
}

static norn_status fill_places(maker *k)
{
    norn_saved *const saved = k->b->saved;
    const norn_saved_file *const f = &k->file;
    for (size_t i = 0; i < saved->values; i++) saved->rows[i] = SIZE_MAX;
    for (size_t i = 0; i < saved->places; i++) saved->cutoffs[i] = SIZE_MAX;
    for (size_t n = 0; n < f->count; n++) {
        const norn_saved_record *const record = &f->records[n];
        const size_t at = k->series_of[record->id] * k->folds + k->fold_of[record->cutoff];
        const size_t to = at * k->horizon + row_in_fold(k, record);
        if (saved->rows[to] != SIZE_MAX)
            return norn_fail_at(k->err, NORN_ERR_DATA, k->name, record->line, 0,
                                "this time and cutoff stood in an earlier line already");
        saved->rows[to] = k->row_of[record->time];
        saved->cutoffs[at] = k->row_of[record->cutoff];
        saved->truth[to] = f->values[n * f->width];
    }
    return NORN_OK;
}

static void decide(const maker *k)
{
    norn_folds *const folds = &k->b->folds;
    const norn_saved_file *const f = &k->file;
    char text[NORN_BACKTEST_TEXT] = "", quoted[80], count[NORN_COUNT_TEXT];
    size_t used = 0;
    norn_folds_decide(folds, "rows", "", "%s", norn_count_text(f->count, count));
    norn_folds_decide(folds, "cutoffs", "", "%zu, %zu rows apart", k->folds, folds->options.step);
    norn_folds_decide(folds, "horizon", "", "%zu row%s after each cutoff", k->horizon,
                      k->horizon == 1 ? "" : "s");
    norn_folds_decide(folds, "season", "--season", "%zu row%s, %s", folds->options.season,
                      folds->options.season == 1 ? "" : "s",
                      k->options->season ? "as told" : "by the step of the times");
    norn_folds_decide(folds, "scales", "",
                      "of MASE: the truths in the file, which has no rows before the first cutoff");
    for (size_t m = 0; m < k->b->model_count && used < sizeof text; m++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s", m ? ", " : "",
            norn_quote(quoted, sizeof quoted, k->b->models[m].name, strlen(k->b->models[m].name), 18));
    norn_folds_decide(folds, "models", "", "%s", text);
    used = 0;
    text[0] = '\0';
    for (size_t c = 0; c < f->column_count && used < sizeof text; c++)
        if (f->columns[c].role == NORN_SAVED_IGNORED ||
            (f->columns[c].role == NORN_SAVED_MODEL && !f->columns[c].seen))
            used += (size_t)snprintf(
                text + used, sizeof text - used, "%s\"%s\"", used ? ", " : "",
                norn_quote(quoted, sizeof quoted, f->columns[c].name, strlen(f->columns[c].name), 18));
    if (used) norn_folds_decide(folds, "ignored", "", "%s", text);
}

static norn_status make_backtest(maker *k)
{
    norn_backtest *const b = k->b = norn_new(&k->host, 1, sizeof *b);
    if (!b) return norn_fail_memory(k->err, "a backtest");
    b->host = k->host;
    norn_saved *const saved = b->saved = norn_new(&k->host, 1, sizeof *saved);
    if (!saved) return norn_fail_memory(k->err, "a backtest");
    b->folds.table = k->table;
    b->folds.all = b->folds.count = k->series;
    b->folds.fits = k->folds;
    b->folds.series = norn_new(&k->host, k->series, sizeof *b->folds.series);
    b->folds.place = norn_new(&k->host, k->series, sizeof *b->folds.place);
    b->folds.options = (norn_backtest_options)NORN_BACKTEST_OPTIONS_INIT;
    norn_backtest_options *const o = &b->folds.options;
    o->horizon = k->horizon;
    o->folds = k->folds;
    o->season = k->options->season ? k->options->season : norn_table_season(k->table);
    o->compat = k->options->compat;
    o->bootstrap = k->options->bootstrap;
    o->seed = k->options->seed;
    saved->places = k->series * k->folds;
    saved->values = saved->places * k->horizon;
    saved->truth = fresh(k, saved->values);
    saved->rows = norn_new(&k->host, saved->values, sizeof *saved->rows);
    saved->cutoffs = norn_new(&k->host, saved->places, sizeof *saved->cutoffs);
    saved->known = norn_new(&k->host, saved->places, sizeof *saved->known);
    if (!b->folds.series || !b->folds.place || !saved->truth || !saved->rows || !saved->cutoffs ||
        !saved->known)
        return norn_fail_memory(k->err, "a backtest");
    for (size_t v = 0; v < k->series; v++) {
        b->folds.series[v] = b->folds.place[v] = v;
        if (norn_table_rows(k->table, v) > b->folds.longest) b->folds.longest = norn_table_rows(k->table, v);
    }
    norn_status status = fill_places(k);
    if (status != NORN_OK) return status;
    o->step = usual_step(k, saved);
    if ((status = add_models(k)) != NORN_OK) return status;
    for (size_t c = 0, m = 0; c < k->file.column_count; c++)
        if (k->file.columns[c].role == NORN_SAVED_MODEL && k->file.columns[c].seen)
            place(k, b->models[m++].forecasts, c);
    if ((status = add_bands(k)) != NORN_OK) return status;
    exchange(k->table);
    know(k, norn_compat_season(o->compat, o->season));
    norn_notes_clear(&k->table->notes, &k->host); /* they speak of the file we made */
    k->table->facts = (norn_table_facts){.bytes = k->file.bytes, .records = k->file.count};
    decide(k);
    return norn_backtest_score(b, k->err);
}

norn_status norn_backtest_read(norn_backtest **out, norn_table **table, norn_read_fn read, void *user,
                               const char *name, const norn_saved_options *options, const norn_host *host,
                               norn_error *err)
{
    norn_saved_options asked = NORN_SAVED_OPTIONS_INIT;
    const norn_status taken = norn_options_take(&asked, sizeof asked, options, err);
    if (taken != NORN_OK) return taken;
    maker k = {.options = &asked, .name = name, .err = err, .host = norn_host_copy(host)};
    norn_status status = norn_saved_file_read(&k.file, read, user, name, &asked, &k.host, err);
    if (status == NORN_OK) status = gather_times(&k);
    if (status == NORN_OK) status = read_times(&k);
    if (status == NORN_OK) status = match_series(&k);
    if (status == NORN_OK) status = number_folds(&k);
    if (status == NORN_OK) status = find_horizon(&k);
    if (status == NORN_OK) status = make_backtest(&k);
    norn_delete(&k.host, k.truth, k.times, sizeof *k.truth);
    norn_delete(&k.host, k.is_row, k.times, sizeof *k.is_row);
    norn_delete(&k.host, k.line, k.times, sizeof *k.line);
    norn_delete(&k.host, k.row_of, k.times, sizeof *k.row_of);
    norn_delete(&k.host, k.nth, k.times, sizeof *k.nth);
    norn_delete(&k.host, k.fold_of, k.times, sizeof *k.fold_of);
    norn_delete(&k.host, k.series_of, k.series, sizeof *k.series_of);
    norn_saved_file_free(&k.file);
    if (status == NORN_OK) {
        *out = k.b;
        *table = k.table;
    } else {
        norn_backtest_free(k.b);
        norn_table_free(k.table);
    }
    return status;
}
