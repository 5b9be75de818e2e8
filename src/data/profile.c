/*
 * Looking at columns one by one, as declared in profile.h.
 */
#include "data/profile.h"

#include <string.h>

/* ---- texts ---- */

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool norn_same_text(const char *a, size_t length, const char *b, bool any_case)
{
    if (strlen(b) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (any_case ? lower(a[i]) != lower(b[i]) : a[i] != b[i]) return false;
    return true;
}

bool norn_matches(const char *pattern, size_t length, const char *text)
{
    const char *const end = pattern + length, *star = NULL, *from = NULL;
    while (*text) {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (pattern < end && (*pattern == '?' || *pattern == *text)) {
            pattern++;
            text++;
        } else if (star) { /* the star takes one byte more */
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*') pattern++;
    return pattern == end;
}

static bool one_of(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (norn_same_text(name, strlen(name), list[i], true)) return true;
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

norn_time_name norn_time_name_of(const char *name)
{
    static const char *const certain[] = {"ds", "date", "time", "timestamp", "datetime", "t", "index"};
    static const char *const rising[] = {"year", "period", "step", "date_time"};
    static const char *const cyclic[] = {"quarter", "month", "week", "day", "hour", "minute", "second"};
    if (one_of(name, certain, NORN_COUNT(certain))) return NORN_NAME_CERTAIN;
    if (one_of(name, rising, NORN_COUNT(rising))) return NORN_NAME_RISING;
    if (one_of(name, cyclic, NORN_COUNT(cyclic))) return NORN_NAME_CYCLIC;
    return contains(name, "date") || contains(name, "time") ? NORN_NAME_PART : NORN_NAME_OTHER;
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

/* The times of the sample; where the order of day and month is open and the sample tells it, in that order,
 * so that they can be compared. */
static norn_status read_times(norn_profile *c, const norn_sample *sample, size_t column, size_t from,
                              const norn_missing *missing, norn_error *err)
{
    const size_t records = sample->records;
    norn_time_seen seen;
    memset(&seen, 0, sizeof seen);
    for (size_t r = 0; r < records; r++) {
        size_t length;
        const char *text = norn_sample_cell(sample, r, column, &length);
        c->times[r] = NORN_NO_TIME;
        if (r >= from && !norn_is_missing(missing, text, length))
            (void)norn_time_parse(&c->style, text, length, r, &seen, &c->times[r]);
    }
    if (c->style.order != NORN_ORDER_OPEN) return NORN_OK;
    int64_t *settled = norn_new(&sample->host, records, sizeof *settled);
    if (!settled) return norn_fail_memory(err, "the beginning of the file");
    memcpy(settled, c->times, records * sizeof *settled);
    norn_time_style style = c->style;
    const size_t first[1] = {0};
    size_t bad;
    norn_error quiet = NORN_ERROR_INIT;
    if (norn_time_settle_order(&style, &seen, settled, records, first, 1, &bad, &quiet) == NORN_OK)
        memcpy(c->times, settled, records * sizeof *settled);
    norn_delete(&sample->host, settled, records, sizeof *settled);
    return NORN_OK;
}

norn_status norn_profile_column(norn_profile *c, const norn_sample *sample, size_t column, size_t from,
                                bool named_time, const norn_time_style *told, const norn_numbers *numbers,
                                const norn_missing *missing, norn_error *err)
{
    memset(c, 0, sizeof *c);
    const norn_host *host = &sample->host;
    const size_t records = sample->records;
    const char **cells = norn_new(host, records, sizeof *cells);
    size_t *lengths = norn_new(host, records, sizeof *lengths);
    norn_status status = NORN_OK;
    if (!cells || !lengths) {
        status = norn_fail_memory(err, "the beginning of the file");
        goto done;
    }
    for (size_t r = from; r < records; r++) {
        size_t length;
        const char *text = norn_sample_cell(sample, r, column, &length);
        if (norn_is_missing(missing, text, length)) continue;
        double number;
        const bool is_number = norn_number_parse(numbers, text, length, &number);
        c->numbers += is_number ? 1 : 0;
        c->dateish += !is_number && is_dateish(text, length) ? 1 : 0;
        cells[c->present] = text;
        lengths[c->present++] = length;
    }
    c->numeric = c->present && 2 * c->numbers >= c->present;
    size_t fits = 0;
    if (told) c->style = *told;
    if (c->present && c->style.form == NORN_FORM_NONE)
        norn_time_style_guess(&c->style, cells, lengths, c->present, named_time, &fits);
    if (c->present == 0 || c->style.form == NORN_FORM_NONE) goto done;
    c->times = norn_new(host, records, sizeof *c->times);
    if (!c->times) {
        status = norn_fail_memory(err, "the beginning of the file");
        goto done;
    }
    status = read_times(c, sample, column, from, missing, err);
    int64_t before = NORN_NO_TIME;
    for (size_t r = from; r < records; r++) {
        if (c->times[r] == NORN_NO_TIME) continue;
        if (before != NORN_NO_TIME) {
            c->up += c->times[r] > before ? 1 : 0;
            c->down += c->times[r] < before ? 1 : 0;
        }
        before = c->times[r];
    }
done:
    norn_delete(host, cells, records, sizeof *cells);
    norn_delete(host, lengths, records, sizeof *lengths);
    return status;
}

void norn_profile_clear(norn_profile *profile, const norn_sample *sample)
{
    norn_delete(&sample->host, profile->times, sample->records, sizeof *profile->times);
    profile->times = NULL;
}
