/*
 * The beginning of a file: finding its delimiter and keeping its cells, as declared in sample.h.
 */
#include "data/sample.h"

#include "data/cell.h"
#include "data/csv.h"

#include <string.h>

/* ---- the delimiter ---- */

#define TRIAL_RECORDS 100

typedef struct trial {
    size_t columns[TRIAL_RECORDS]; /* fields of each record */
    size_t records;
    bool blank; /* the only field of this record so far is blank */
} trial;

static norn_status trial_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    trial *t = user;
    (void)line;
    if (column == 0) {
        if (text) (void)norn_trim(text, &length);
        t->blank = length == 0;
    }
    return NORN_OK;
}

static norn_status trial_row(void *user, uint64_t line, size_t columns)
{
    trial *t = user;
    (void)line;
    if (columns == 0 || (columns == 1 && t->blank)) return NORN_OK;
    if (t->records < TRIAL_RECORDS) t->columns[t->records++] = columns;
    return NORN_OK;
}

/* The number of fields most records have (2 or more), and how many have it. */
static size_t commonest(const trial *t, size_t *records)
{
    size_t best = 0;
    *records = 0;
    for (size_t i = 0; i < t->records; i++) {
        size_t same = 0;
        for (size_t k = 0; k < t->records; k++) same += t->columns[k] == t->columns[i];
        if (t->columns[i] >= 2 && (same > *records || (same == *records && t->columns[i] > best))) {
            best = t->columns[i];
            *records = same;
        }
    }
    return best;
}

norn_status norn_sample_delimiter(char *delimiter, char decimal, const char *bytes, size_t size, bool whole,
                                  const char *name, const norn_host *host, norn_error *err)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    char best = 0;
    double best_share = 0.0;
    size_t best_columns = 0;
    for (size_t i = 0; i < sizeof candidates; i++) {
        if (candidates[i] == decimal) continue;
        trial t;
        memset(&t, 0, sizeof t);
        const norn_csv_events events = {&t, trial_field, trial_row};
        norn_csv csv;
        norn_status status = norn_csv_open(&csv, candidates[i], &events, name, host, err);
        if (status != NORN_OK) return status;
        for (size_t at = 0; at < size && t.records < TRIAL_RECORDS && status == NORN_OK;) {
            const size_t block = size - at < 4096 ? size - at : 4096;
            status = norn_csv_feed(&csv, bytes + at, block, NULL);
            at += block;
        }
        if (whole && status == NORN_OK && t.records < TRIAL_RECORDS) status = norn_csv_finish(&csv, NULL);
        norn_csv_close(&csv);

        size_t records;
        const size_t columns = commonest(&t, &records);
        if (columns == 0 || 2 * records < t.records) continue;
        /* A syntax error under this delimiter speaks against it: quotes do not stand where fields begin. */
        const double share = (double)records / (double)t.records * (status == NORN_OK ? 1.0 : 0.5);
        if (share > best_share || (share == best_share && columns > best_columns)) {
            best = candidates[i];
            best_share = share;
            best_columns = columns;
        }
    }
    *delimiter = best;
    return NORN_OK;
}

/* ---- the cells ---- */

typedef struct keeper {
    norn_sample *sample;
    bool any, quoted; /* a cell of the record under way has text; the last one stood in quotes */
    norn_error *err;
} keeper;

/* Room for another cell of `length` bytes. */
static bool make_room(norn_sample *s, size_t length)
{
    if (s->text_used + length + 1 > s->text_capacity) {
        const size_t bigger = (s->text_used + length) / 2 * 3 + 4096;
        void *text = s->text;
        if (!norn_resize(&s->host, &text, s->text_capacity, bigger, 1)) return false;
        s->text = text;
        s->text_capacity = bigger;
    }
    if (s->cells + 2 > s->cell_capacity) {
        const size_t bigger = s->cells / 2 * 3 + 512;
        void *cell = s->cell;
        if (!norn_resize(&s->host, &cell, s->cell_capacity, bigger, sizeof *s->cell)) return false;
        s->cell = cell;
        s->cell_capacity = bigger;
    }
    return true;
}

static norn_status keep_field(void *user, size_t column, uint64_t line, const char *text, size_t length)
{
    keeper *k = user;
    norn_sample *s = k->sample;
    (void)line;
    if (s->records == NORN_SAMPLE_RECORDS) return NORN_OK;
    size_t trimmed = length;
    if (text) (void)norn_trim(text, &trimmed);
    k->any = (column && k->any) || (text && trimmed);
    k->quoted = text != NULL && length == 0;
    if (!make_room(s, length)) return norn_fail_memory(k->err, "the beginning of the file");
    if (length) memcpy(s->text + s->text_used, text, length);
    s->text[s->text_used + length] = '\0';
    s->cell[s->cells++] = s->text_used;
    s->text_used += length + 1;
    s->cell[s->cells] = s->text_used;
    return NORN_OK;
}

static norn_status keep_row(void *user, uint64_t line, size_t columns)
{
    const keeper *k = user;
    norn_sample *s = k->sample;
    (void)line;
    if (s->records == NORN_SAMPLE_RECORDS || columns == 0) return NORN_OK;
    s->records++;
    s->record[s->records] = s->cells;
    if (!k->any && !(columns == 1 && k->quoted)) { /* blanks or delimiters only: a blank line after all */
        s->records--;
        s->cells = s->record[s->records];
        s->text_used = s->cell[s->cells];
    }
    return NORN_OK;
}

norn_status norn_sample_read(norn_sample *sample, char delimiter, const char *bytes, size_t size, bool whole,
                             const char *name, const norn_host *host, norn_error *err)
{
    memset(sample, 0, sizeof *sample);
    sample->host = *host;
    sample->record = norn_new(host, NORN_SAMPLE_RECORDS + 1, sizeof *sample->record);
    if (!sample->record) return norn_fail_memory(err, "the beginning of the file");

    norn_error defect = NORN_ERROR_INIT;
    keeper k = {sample, false, false, &defect};
    const norn_csv_events events = {&k, keep_field, keep_row};
    norn_csv csv;
    norn_status status = norn_csv_open(&csv, delimiter, &events, name, host, &defect);
    for (size_t at = 0; at < size && sample->records < NORN_SAMPLE_RECORDS && status == NORN_OK;) {
        const size_t block = size - at < 65536 ? size - at : 65536;
        status = norn_csv_feed(&csv, bytes + at, block, &defect);
        at += block;
    }
    if (whole && status == NORN_OK && sample->records < NORN_SAMPLE_RECORDS)
        status = norn_csv_finish(&csv, &defect);
    norn_csv_close(&csv);
    if (status == NORN_ERR_DATA && sample->records > 0) status = NORN_OK;
    if (status == NORN_OK && !whole && sample->records == 0)
        status = norn_fail_at(&defect, NORN_ERR_DATA, name, 1, 0, "the first record is longer than 1 MiB");
    if (status != NORN_OK && err && err->status == NORN_OK) *err = defect;
    return status;
}

void norn_sample_free(norn_sample *sample)
{
    norn_delete(&sample->host, sample->text, sample->text_capacity, 1);
    norn_delete(&sample->host, sample->cell, sample->cell_capacity, sizeof *sample->cell);
    norn_delete(&sample->host, sample->record, NORN_SAMPLE_RECORDS + 1, sizeof *sample->record);
    memset(sample, 0, sizeof *sample);
}

size_t norn_sample_columns(const norn_sample *sample, size_t record)
{
    return sample->record[record + 1] - sample->record[record];
}

const char *norn_sample_cell(const norn_sample *sample, size_t record, size_t column, size_t *length)
{
    *length = 0;
    if (column >= norn_sample_columns(sample, record)) return "";
    const size_t cell = sample->record[record] + column;
    *length = sample->cell[cell + 1] - sample->cell[cell] - 1;
    return norn_trim(sample->text + sample->cell[cell], length);
}
